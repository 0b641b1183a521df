//! Conan's versions: `items[-prerelease][+build]`, each of dotted items, ordered as Conan 2 does (conan.internal's
//! model/version.py; read 2026-11-24). The first `-` and the last `+` divide.
//!
//! - Items are compared as numbers when both are, as text when both are text. Zeros at the end do not count: `1.0` is `1`.
//! - A pre-release comes before its release, and a build behind it: unlike in Semantic Versioning, builds have an order.
//! - Conan compares a number with text as text. With text that starts with a digit this is no order (`2` before `2a`, `1a`
//!   before `2`, but `10` before `1a`), so that here such text stands right behind its number, then in the order of
//!   what follows: `1.1.1w` between `1.1.1` and `1.1.2`. Where the digits are as many, Conan agrees.
//! - Refused is what Conan lets nobody name a version: it starts with a letter, digit or `_`, and has these, `+`, `.`
//!   and `-`. Capitals, which Conan 1 had, are read.

use crate::key::{KeyWriter, Why};
use crate::numbers::is_zero;

/// What may stand in the place of an item, in order: text before digits in ASCII, a number and what may follow it, text
/// behind digits in ASCII.
const END: u8 = 0;
const LOW_TEXT: u8 = 1;
const NUMBER: u8 = 2;
const TEXT: u8 = 3;

const PRERELEASE: u8 = 0;
const RELEASE: u8 = 1;

const NO_BUILD: u8 = 0;
const BUILD: u8 = 1;

/// Layout: the items; the mark of a release, or that of a pre-release and its items; the mark of no build, or that of a
/// build and its items.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    if !raw.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_') {
        return Err("it does not start with a letter, a digit or _");
    }
    if !raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+.-".contains(&byte)) {
        return Err("it has a character other than letters, digits and _ + . -");
    }
    let (version, build) = match raw.rsplit_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (raw, None),
    };
    let mut key = KeyWriter::default();
    match version.split_once('-') {
        Some((release, prerelease)) => {
            items(&mut key, release);
            key.mark(PRERELEASE);
            items(&mut key, prerelease);
        }
        None => {
            items(&mut key, version);
            key.mark(RELEASE);
        }
    }
    match build {
        Some(build) => {
            key.mark(BUILD);
            items(&mut key, build);
        }
        None => key.mark(NO_BUILD),
    }
    Ok(key)
}

/// Each item behind its mark, without the zeros at the end, then the mark of the end.
fn items(key: &mut KeyWriter, text: &str) {
    let zeros = text.rsplit('.').take_while(|item| is_zero(item)).count();
    let count = text.split('.').count() - zeros;
    for item in text.split('.').take(count) {
        let digits = item.bytes().take_while(u8::is_ascii_digit).count();
        match item.bytes().next() {
            Some(first) if first.is_ascii_digit() => {
                key.mark(NUMBER);
                key.number(&item[..digits]);
            }
            Some(first) if first > b'9' => key.mark(TEXT),
            _ => key.mark(LOW_TEXT),
        }
        key.text(&item[digits..]);
    }
    key.mark(END);
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Conan.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Conan.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn items_are_numbers_or_text() {
        check("1.9", "1.10", Less);
        check("1.0", "1", Equal);
        check("1.0.0.1", "1", Greater);
        check("0.0", "0", Equal);
        check("1.02", "1.2", Equal);
        check("cci.20200203", "cci.20211227", Less); // ConanCenter's snapshots
        check("cci.20200203", "1.2.3", Greater);
        check("1..1", "1.0.1", Less);
    }

    #[test]
    fn prereleases_come_before_and_builds_behind() {
        check("1.2.3-rc.1", "1.2.3", Less);
        check("1.2.3-rc.9", "1.2.3-rc.10", Less);
        check("1.2.3-", "1.2.3-0", Greater); // "0" is a zero at the end
        check("1.2.3-", "1.2.3-1", Less); // how Conan ends a range before the pre-releases
        check("1.2.3+1", "1.2.3", Greater);
        check("1.2.3+9", "1.2.3+10", Less);
        check("1.2.3-rc+1", "1.2.3", Less);
        check("1.2.3-a-b", "1.2.3-a", Greater);
    }

    #[test]
    fn text_stands_behind_the_number_that_it_starts_with() {
        check("1.1.1", "1.1.1w", Less); // openssl
        check("1.1.1w", "1.1.2", Less);
        check("1.1.1v", "1.1.1w", Less);
        check("9d", "9e", Less); // libjpeg
        check("1a", "10", Less); // Conan says "10" before "1a", and 2 between them
        check("1a", "2", Less);
    }

    #[test]
    fn what_is_no_name_of_a_version_is_refused() {
        for version in ["", ".", "-1", "+1", "[>=1.0]", "1 0", "1.é", "1/2", "1.0@user", "1.0#revision", "~1"] {
            assert!(Scheme::Conan.key(version).is_err(), "`{version}`");
        }
    }
}
