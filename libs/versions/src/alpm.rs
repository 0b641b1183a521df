//! Arch Linux' versions: `[epoch:]version[-release]`, ordered as pacman's vercmp(8) does (libalpm's alpm_pkg_vercmp;
//! read 2026-11-24). It resembles RPM's order without `~` and `^`, but what divides counts.
//!
//! Version and release are runs of digits and of letters with other characters between them. In one place letters with
//! nothing in front of them come before the end (`1.0rc1` before `1.0`), the end before digits with nothing in front
//! of them, these before what stands behind a divider, letters before digits, and one divider before two.
//!
//! - A missing epoch is 0. A missing release comes before every release; vercmp holds it for equal to each of them, which
//!   is no order: `1-1` and `1-2` would both be `1`.
//! - Refused, though vercmp answers, is what it does not order: a version that ends with a divider (`1.` before `1.1`
//!   before `1..a` before `1.`); and what pacman lets nobody package: white space, characters beyond ASCII, a colon
//!   behind something that is no epoch.

use crate::key::{KeyWriter, Why};

/// What may stand in one place, in order. Behind letters stand no letters and behind digits no digits, so that runs
/// without a divider in front need no marks of their own.
const LETTERS: u8 = 0;
const END: u8 = 1;
const DIGITS: u8 = 2;
const DIVIDER: u8 = 3;

/// Whether there is a release, in order.
const NO_RELEASE: u8 = 0;
const RELEASE: u8 = 1;

/// Layout: the epoch, then the version in runs, then the mark of the release, and the release in runs.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    if !raw.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has a character that is not printable ASCII");
    }
    let (epoch, rest) = raw.split_once(':').unwrap_or(("", raw));
    if !epoch.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("the epoch is not a number");
    }
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (rest, None),
    };
    if !ends_with_a_run(version) {
        return Err("the version does not end with a letter or digit");
    }
    let mut key = KeyWriter::default();
    key.number(epoch);
    runs(&mut key, version);
    let Some(release) = release else {
        key.mark(NO_RELEASE);
        return Ok(key);
    };
    if !ends_with_a_run(release) {
        return Err("the release does not end with a letter or digit");
    }
    key.mark(RELEASE);
    runs(&mut key, release);
    Ok(key)
}

fn ends_with_a_run(text: &str) -> bool {
    text.bytes().next_back().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Each run behind its mark, each divider as a mark, then the mark of the end.
fn runs(key: &mut KeyWriter, text: &str) {
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let length = match first {
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
            _ => {
                key.mark(DIVIDER);
                1
            }
        };
        rest = &rest[length..];
    }
    key.mark(END);
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Alpm.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Alpm.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn the_order_is_the_one_that_the_manual_gives() {
        // vercmp(8): 1.0a < 1.0b < 1.0beta < 1.0p < 1.0pre < 1.0rc < 1.0 < 1.0.a < 1.0.1; and 1 < 1.0 < 1.1 < 1.1.1 < 1.2 …
        let ascending = [
            "1", "1.0a", "1.0b", "1.0beta", "1.0p", "1.0pre", "1.0rc", "1.0", "1.0.a", "1.0.1", "1.1", "1.1.1", "1.2",
            "2.0", "3.0.0",
        ];
        for pair in ascending.windows(2) {
            check(pair[0], pair[1], Less);
        }
    }

    #[test]
    fn what_divides_counts_by_its_length() {
        check("1_0", "1.0", Equal);
        check("1..0", "1.0", Greater);
        check("1.a", "1a", Greater);
        check("a.a", "a1", Greater);
        check("r12.gabcdef", "r9.g123456", Greater); // a package of a branch
        check("007", "7", Equal);
        check("1.20230101000000000000000000", "1.20230101000000000000000001", Less);
    }

    #[test]
    fn the_epoch_goes_first_and_the_release_last() {
        check("1:0.1-1", "2.0-1", Greater);
        check("0:1.0-1", "1.0-1", Equal);
        check(":1.0-1", "1.0-1", Equal);
        check("3.1.0-1", "3.1.0-2", Less);
        check("3.1.0-1", "3.1.0-1.1", Less); // a rebuild by somebody else
        check("3.1.0", "3.1.0-1", Less);
        check("3.1.1", "3.1.0-1", Greater);
    }

    #[test]
    fn what_has_no_order_is_refused_with_the_reason() {
        for (version, why) in [
            ("", "the version does not end with a letter or digit"),
            ("1.", "the version does not end with a letter or digit"),
            ("-1", "the version does not end with a letter or digit"),
            ("1:", "the version does not end with a letter or digit"),
            ("1-", "the release does not end with a letter or digit"),
            ("1-1.", "the release does not end with a letter or digit"),
            ("a:1", "the epoch is not a number"),
            ("1.0:1", "the epoch is not a number"),
            ("1 0", "it has a character that is not printable ASCII"),
            ("1.é1", "it has a character that is not printable ASCII"),
        ] {
            assert_eq!(Scheme::Alpm.key(version).map_err(|malformed| malformed.why), Err(why), "`{version}`");
        }
    }
}
