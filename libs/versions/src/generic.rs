//! Generic versions: for software whose scheme nobody told us. This is an agreement, not anybody's standard: numbers and
//! words, apart by other characters or by their change, compared one after the other. It reads only what starts with a
//! digit (perhaps behind a `v`), so that `unknown` or `latest` has no order.
//!
//! A word comes before a number in the same place (`1.a` before `1.1`), the end before either (`1.0` before `1.0.0` and
//! `1.0a`), and `~` before the end (`1.0~rc1` before `1.0`). Words are in the order of their small letters.
//! It knows no pre-releases: `1.0-rc1` comes after `1.0`.

use crate::key::{KeyWriter, Why};

/// What may stand in one place, in order.
const TILDE: u8 = 0;
const END: u8 = 1;
const WORD: u8 = 2;
const NUMBER: u8 = 3;

/// Layout: each part behind its mark, then the mark of the end.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let lower = raw.trim().to_ascii_lowercase();
    let mut rest = lower.strip_prefix('v').unwrap_or(&lower);
    if !rest.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Err("it does not start with a digit");
    }
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has a character that is not printable ASCII");
    }
    let mut key = KeyWriter::default();
    while let Some(first) = rest.bytes().next() {
        let same = run(first);
        let (part, behind) = rest.split_at(rest.bytes().take_while(same).count().max(1));
        match first {
            b'~' => key.mark(TILDE),
            byte if byte.is_ascii_digit() => {
                key.mark(NUMBER);
                key.number(part);
            }
            byte if byte.is_ascii_alphabetic() => {
                key.mark(WORD);
                key.text(part);
            }
            _ => {}
        }
        rest = behind;
    }
    key.mark(END);
    Ok(key)
}

/// Which bytes belong to the part that starts with `first`; other characters stand alone.
fn run(first: u8) -> fn(&u8) -> bool {
    match first {
        byte if byte.is_ascii_digit() => u8::is_ascii_digit,
        byte if byte.is_ascii_alphabetic() => u8::is_ascii_alphabetic,
        _ => |_| false,
    }
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Generic.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Generic.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn numbers_and_words_are_compared_one_after_the_other() {
        check("1.9", "1.10", Less);
        check("1.0.2k", "1.0.2u", Less); // OpenSSL before 3
        check("9.3p1", "9.3p2", Less); // OpenSSH
        check("2024.01.5", "2024.1.5", Equal);
        check("1_0-A", "1.0a", Equal);
        check("v1.0", "1.0", Equal);
    }

    #[test]
    fn the_end_comes_before_what_goes_on_and_a_tilde_before_the_end() {
        check("1.0", "1.0.0", Less);
        check("1.0", "1.0a", Less);
        check("1.0~rc1", "1.0", Less);
        check("1.0~~", "1.0~", Less);
        check("1.a", "1.1", Less);
        check("1.0-rc1", "1.0", Greater); // it knows no pre-releases
    }

    #[test]
    fn what_has_no_number_in_front_is_refused() {
        for version in ["", "unknown", "latest", "v", "-1", "1 2", "1.é", "r1"] {
            assert!(Scheme::Generic.key(version).is_err(), "`{version}`");
        }
    }
}
