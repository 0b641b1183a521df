//! RPM versions: `[epoch:]version[-release]`, ordered as rpm's rpmvercmp does from 4.15 on, when `^` came
//! (docs/manual/dependencies.md of rpm, read 2026-11-24, for the rest; rpm 4.18's recorded answers for `~` and `^`).
//!
//! Version and release are cut into runs of digits and of letters; everything else only divides. In one place `~` comes
//! before the end, the end before `^`, `^` before letters, letters before digits.
//!
//! - A missing epoch is 0, also where a tool printed it as `(none)`.
//! - A missing release comes before every release, as in rpmverCmp. (A dependency without a release means any release;
//!   this is not an order, so that whoever knows a version without release decides what it means.)
//! - Refused, though rpmvercmp answers: white space, characters beyond ASCII, a colon behind something that is no epoch (all
//!   of which rpmbuild refuses, too), and a version or release without a letter or digit.

use crate::key::{KeyWriter, Why};

/// What may stand in one place of a version or a release, in order.
const TILDE: u8 = 0;
const END: u8 = 1;
const CARET: u8 = 2;
const LETTERS: u8 = 3;
const DIGITS: u8 = 4;

/// Whether there is a release, in order.
const NO_RELEASE: u8 = 0;
const RELEASE: u8 = 1;

/// Layout: the epoch, then the version in runs, then the mark of the release, and the release in runs.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    if !raw.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has a character that is not printable ASCII");
    }
    let raw = raw.strip_prefix("(none):").unwrap_or(raw);
    let (epoch, rest) = raw.split_once(':').unwrap_or(("", raw));
    if !epoch.bytes().all(|byte| byte.is_ascii_digit()) || !(epoch.is_empty() || epoch.parse::<u32>().is_ok()) {
        return Err("the epoch is not a number up to 4294967295"); // RPMTAG_EPOCH has 32 bits
    }
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (rest, None),
    };
    let mut key = KeyWriter::default();
    key.number(epoch);
    if !runs(&mut key, version) {
        return Err("the version has neither a letter nor a digit");
    }
    let Some(release) = release else {
        key.mark(NO_RELEASE);
        return Ok(key);
    };
    key.mark(RELEASE);
    if !runs(&mut key, release) {
        return Err("the release has neither a letter nor a digit");
    }
    Ok(key)
}

/// Each run behind its mark, then the mark of the end. Whether there was a letter or digit.
fn runs(key: &mut KeyWriter, text: &str) -> bool {
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let length = match first {
            b'~' => {
                key.mark(TILDE);
                1
            }
            b'^' => {
                key.mark(CARET);
                1
            }
            byte if byte.is_ascii_digit() => {
                let length = rest.bytes().take_while(u8::is_ascii_digit).count();
                key.mark(DIGITS);
                key.number(&rest[..length]);
                length
            }
            byte if byte.is_ascii_alphabetic() => {
                let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
                key.mark(LETTERS);
                key.text(&rest[..length]);
                length
            }
            _ => 1,
        };
        rest = &rest[length..];
    }
    key.mark(END);
    text.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Rpm.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Rpm.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn a_tilde_comes_before_the_end_and_a_caret_behind_it() {
        check("1.0~rc1-1", "1.0-1", Less); // a release candidate
        check("1.0~~", "1.0~", Less);
        check("1.0^20230101git1", "1.0", Greater); // a snapshot after the release
        check("1.0^20230101git1", "1.0.1", Less); // and before the next one
        check("1.0^", "1.0a", Less);
        check("1.0^", "1.0^1", Less);
        check("1.0~rc1^git1", "1.0~rc1", Greater);
        check("1.0^git1~pre", "1.0^git1", Less);
    }

    #[test]
    fn digits_are_newer_than_letters_and_letters_than_the_end() {
        check("1.0", "1.0.1", Less);
        check("1.0", "1.0a", Less); // OpenSSL 1.0.2k
        check("1.0.a", "1.0.1", Less);
        check("1.0.Z", "1.0.a", Less); // ASCII order among letters
        check("8.7p1-38.el9_4.1", "8.7p1-38.el9", Greater); // OpenSSH in Red Hat Enterprise Linux 9
        check("128.12.0-1.el10_0", "128.12.0-1.el9_6", Greater); // numbers, not text
    }

    #[test]
    fn what_divides_does_not_count() {
        check("1_0", "1.0", Equal);
        check("1..0", "1.0", Equal);
        check("1.0.", "1.0", Equal);
        check("1a", "1.a", Equal);
        check("1.0.~1", "1.0~1", Equal);
        check("007", "7", Equal);
        check("1.20230101000000000000000000", "1.20230101000000000000000001", Less);
    }

    #[test]
    fn the_epoch_goes_first_and_a_missing_one_is_zero() {
        check("0:1.2-3.el9", "1.2-3.el9", Equal);
        check("(none):1-2", "1-2", Equal); // how rpm's query format prints a missing epoch
        check(":1", "1", Equal);
        check("1:0.1", "2.0", Greater);
    }

    #[test]
    fn a_missing_release_comes_before_every_release() {
        check("1.0", "1.0-1", Less);
        check("1.0", "1.0-0", Less);
        check("1.0", "1.0-~1", Less);
        check("1.1", "1.0-1", Greater);
        check("1-2-3", "1-2-4", Less); // the last hyphen divides
    }

    #[test]
    fn what_is_no_version_is_refused_with_the_reason() {
        for (version, why) in [
            ("", "the version has neither a letter nor a digit"),
            ("-1", "the version has neither a letter nor a digit"),
            ("1:", "the version has neither a letter nor a digit"),
            ("~^", "the version has neither a letter nor a digit"),
            ("1.0-", "the release has neither a letter nor a digit"),
            ("a:1.0", "the epoch is not a number up to 4294967295"),
            ("+1:1.0", "the epoch is not a number up to 4294967295"),
            ("1.0:1", "the epoch is not a number up to 4294967295"),
            ("4294967296:1.0", "the epoch is not a number up to 4294967295"),
            ("1 0", "it has a character that is not printable ASCII"),
            ("1.é", "it has a character that is not printable ASCII"),
        ] {
            assert_eq!(Scheme::Rpm.key(version).map_err(|malformed| malformed.why), Err(why), "`{version}`");
        }
    }
}
