//! Dart versions on pub.dev: Semantic Versioning 2.0 as the package `pub_semver` reads and orders it
//! (pub.dev/packages/pub_semver, "Semantics"): leading zeros do not count, and build metadata does: a version comes
//! before its builds, and these are in the order of pre-releases' identifiers.
//!
//! One difference: Dart's `int.tryParse` takes the identifiers `-5` and `0x1F` for numbers; here they are words.

use crate::key::{KeyWriter, Why};
use crate::semver;

/// Layout: the three numbers; the pre-release; then the build, first END when there is none, else each identifier
/// behind its mark, and END.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let (version, build) = semver::cut(raw, '+');
    let (core, prerelease) = semver::cut(version, '-');
    let numbers: Vec<&str> = core.split('.').collect();
    if numbers.len() != 3 || !numbers.iter().all(|number| semver::is_digits(number) && fits(number)) {
        return Err("it does not start with three numbers up to 9223372036854775807");
    }
    for suffix in [prerelease, build].into_iter().flatten() {
        if !suffix.split('.').all(semver::is_identifier) {
            return Err("its pre-release or build has an identifier that is empty or foreign");
        }
    }
    let mut key = KeyWriter::default();
    for number in numbers {
        key.number(number);
    }
    let is_number = |identifier: &str| semver::is_digits(identifier) && fits(identifier);
    semver::prerelease(&mut key, prerelease.unwrap_or(""), is_number);
    match build {
        None => key.mark(semver::END),
        Some(build) => semver::identifiers(&mut key, build, is_number),
    }
    Ok(key)
}

/// Whether a number fits Dart's `int`.
fn fits(digits: &str) -> bool {
    digits.trim_start_matches('0').is_empty() || digits.parse::<i64>().is_ok()
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Pub.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Pub.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn builds_are_in_order() {
        let ascending =
            ["1.0.0-a", "1.0.0-a+1", "1.0.0-b", "1.0.0", "1.0.0+1", "1.0.0+1.a", "1.0.0+2", "1.0.0+a", "1.0.1-a"];
        for pair in ascending.windows(2) {
            check(pair[0], pair[1], Less);
        }
        check("0.8.2+1", "0.8.2", Greater); // a fix of the package, not of what it wraps
    }

    #[test]
    fn leading_zeros_do_not_count() {
        check("01.02.03", "1.2.3", Equal);
        check("1.0.0-01", "1.0.0-1", Equal);
    }

    #[test]
    fn what_pub_refuses_is_refused() {
        for version in
            ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.3-", "1.2.3+", "1.2.3-a..b", " 1.2.3", "9223372036854775808.0.0"]
        {
            assert!(Scheme::Pub.key(version).is_err(), "`{version}`");
        }
    }
}
