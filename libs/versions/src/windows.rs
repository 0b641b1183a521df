//! Windows' versions: builds such as `10.0.19045.3803`, and the versions of files and programs. Dotted numbers, compared
//! number by number; a missing one is 0, as in the four numbers of a file's VS_FIXEDFILEINFO. So a build without its
//! revision counts as unpatched, never as patched.
//!
//! An update's number, `KB5031356`, is refused: it names an update and no version. The numbers follow the order in which
//! articles were begun, across all products, so that a higher one does not contain a lower one. Whoever knows which updates
//! are installed asks whether the update is among them.

use crate::key::{KeyWriter, Why};
use crate::numbers::{self, is_digits, without_zeros_at_the_end};

/// Layout: see `numbers.rs`; without the zeros at the end.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    if is_update(raw) {
        return Err("a KB number names an update, not a version");
    }
    let numbers: Vec<&str> = raw.split('.').collect();
    if !numbers.iter().all(|number| is_digits(number)) {
        return Err("it is not made of dotted numbers");
    }
    let mut key = KeyWriter::default();
    numbers::write(&mut key, without_zeros_at_the_end(&numbers));
    Ok(key)
}

fn is_update(text: &str) -> bool {
    text.split_at_checked(2).is_some_and(|(kb, number)| kb.eq_ignore_ascii_case("kb") && is_digits(number))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Windows.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Windows.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn builds_are_compared_number_by_number() {
        check("10.0.19045.3693", "10.0.19045.3803", Less); // two months of Windows 10 22H2
        check("10.0.19045.998", "10.0.19045.3803", Less);
        check("10.0.19045.3803", "10.0.22631.1", Less);
        check("6.3.9600", "10.0.10240", Less);
        check("119.0.2151.97", "120.0.2210.61", Less); // Edge
        check("1.2.3.4.5", "1.2.3.4", Greater);
        check("014.000.23026", "14.0.23026.0", Equal); // how some installers write it
    }

    #[test]
    fn a_missing_number_is_zero() {
        check("10.0.19045", "10.0.19045.0", Equal);
        check("10.0.19045", "10.0.19045.1", Less);
        check("0", "0.0.0.0", Equal);
    }

    #[test]
    fn an_update_is_not_a_version() {
        for version in ["KB5031356", "kb5031356"] {
            let malformed = Scheme::Windows.key(version).unwrap_err();
            assert_eq!(malformed.why, "a KB number names an update, not a version");
        }
    }

    #[test]
    fn what_is_not_made_of_numbers_is_refused() {
        for version in
            ["", ".", "10.", "10..0", "10.0.x", "22H2", "v10.0", "10.0 ", "10,0,1", "KB", "KB12a", "é1", "1.é"]
        {
            assert!(Scheme::Windows.key(version).is_err(), "`{version}`");
        }
    }
}
