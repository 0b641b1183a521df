//! R's package versions: at least two numbers, divided by `.` or `-`, which are the same; compared number by number, a
//! version before what it begins, so that `1.0` comes before `1.0.0`. As the help page of `compareVersion` says (package
//! utils, read 2026-11-24); refused is what `package_version` refuses.
//!
//! R keeps the numbers in 32 bits; here they have any length. R 4.2's `package_version("1.0")` equals `1.0.0`, for its
//! own `compareVersion` it is the older; the latter is followed.

use crate::key::{KeyWriter, Why};
use crate::numbers::{self, is_digits};

/// Layout: see `numbers.rs`.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let numbers: Vec<&str> = raw.split(['.', '-']).collect();
    if !numbers.iter().all(|number| is_digits(number)) {
        return Err("it is not made of numbers between . and -");
    }
    if numbers.len() < 2 {
        return Err("it has fewer than two numbers");
    }
    let mut key = KeyWriter::default();
    numbers::write(&mut key, &numbers);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Cran.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Cran.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn numbers_are_compared_one_after_the_other() {
        check("1.9", "1.10", Less);
        check("1.0-1", "1.0.1", Equal);
        check("7.3-60", "7.3-58.1", Greater); // MASS
        check("1.02", "1.2", Equal);
        check("1.0", "1.0.0", Less);
        check("1.0", "1.0-1", Less);
        check("0.0.0.9000", "0.1", Less); // how packages in development are numbered
        check("1.20230101000000000000000000", "1.20230101000000000000000001", Less);
    }

    #[test]
    fn what_r_calls_an_invalid_version_is_refused() {
        for version in ["", "1", "1.", ".1", "1..0", "1.-1", "1.0a", "1.0-rc1", "1_0", "v1.0", "1.0 ", "1.é", "unknown"]
        {
            assert!(Scheme::Cran.key(version).is_err(), "`{version}`");
        }
    }
}
