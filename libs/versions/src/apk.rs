//! Alpine's versions: `number{.number}[letter]{_suffix[number]}[~hash][-rnumber]`, read and ordered as apk-tools 3 does
//! (src/version.c; read 2026-11-24). What `apk version --check` calls invalid is refused.
//!
//! - `_alpha`, `_beta`, `_pre` and `_rc` come before the version without them, `_cvs`, `_svn`, `_git`, `_hg` and `_p` behind it.
//! - From the second number on, one with a leading zero is compared as text with every other, as in a fraction: `1.01` is
//!   before `1.1`, and `1.0` before `1.00`. This is an order: all with the zero come before all without it.
//! - apk-tools 2 read a few more (`1.0a1`) and held `1.00` for earlier than `1.0`; 3 is followed.

use crate::key::{KeyWriter, Why};

/// What may stand in one place, in order: suffixes of a version to come, the end, the rest.
const ALPHA: u8 = 0;
const BETA: u8 = 1;
const PRE: u8 = 2;
const RC: u8 = 3;
const END: u8 = 4;
const REVISION: u8 = 5;
const HASH: u8 = 6;
const SUFFIX_NUMBER: u8 = 7;
const CVS: u8 = 8;
const SVN: u8 = 9;
const GIT: u8 = 10;
const HG: u8 = 11;
const PATCH: u8 = 12;
const LETTER: u8 = 13;
const FRACTION: u8 = 14;
const NUMBER: u8 = 15;

/// Layout: the first number, then each part behind its mark, then the mark of the end.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let mut key = KeyWriter::default();
    let mut rest = numbers(&mut key, raw)?;
    if rest.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        let (letter, behind) = rest.split_at(1);
        key.mark(LETTER);
        key.text(letter);
        rest = behind;
    }
    while let Some(suffix) = rest.strip_prefix('_') {
        rest = self::suffix(&mut key, suffix)?;
    }
    if let Some(hash) = rest.strip_prefix('~') {
        let (hash, behind) = run(hash, |byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
        if hash.is_empty() {
            return Err("the commit hash is not in small hexadecimal digits");
        }
        key.mark(HASH);
        key.text(hash);
        rest = behind;
    }
    if let Some(revision) = rest.strip_prefix("-r") {
        let (number, behind) = run(revision, u8::is_ascii_digit);
        if number.is_empty() {
            return Err("the revision is not a number");
        }
        key.mark(REVISION);
        key.number(number);
        rest = behind;
    }
    if !rest.is_empty() {
        return Err("it has a part that is unknown or in the wrong place");
    }
    key.mark(END);
    Ok(key)
}

/// The dotted numbers in front. What stands behind them.
fn numbers<'a>(key: &mut KeyWriter, text: &'a str) -> Result<&'a str, Why> {
    let (first, mut rest) = run(text, u8::is_ascii_digit);
    if first.is_empty() {
        return Err("it does not start with a number");
    }
    key.number(first);
    while let Some(behind) = rest.strip_prefix('.') {
        let (number, behind) = run(behind, u8::is_ascii_digit);
        if number.is_empty() {
            return Err("no number stands behind a dot");
        }
        if number.starts_with('0') {
            key.mark(FRACTION);
            key.text(number);
        } else {
            key.mark(NUMBER);
            key.number(number);
        }
        rest = behind;
    }
    Ok(rest)
}

/// One suffix behind its `_` and perhaps its number. What stands behind them.
fn suffix<'a>(key: &mut KeyWriter, text: &'a str) -> Result<&'a str, Why> {
    let (word, behind) = run(text, u8::is_ascii_lowercase);
    key.mark(match word {
        "alpha" => ALPHA,
        "beta" => BETA,
        "pre" => PRE,
        "rc" => RC,
        "cvs" => CVS,
        "svn" => SVN,
        "git" => GIT,
        "hg" => HG,
        "p" => PATCH,
        _ => return Err("it has an unknown suffix"),
    });
    let (number, behind) = run(behind, u8::is_ascii_digit);
    if !number.is_empty() {
        key.mark(SUFFIX_NUMBER);
        key.number(number);
    }
    Ok(behind)
}

/// The longest beginning of bytes that are all `of_kind` (ASCII), and what stands behind it.
fn run(text: &str, of_kind: impl Fn(&u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().take_while(of_kind).count())
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Apk.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Apk.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn suffixes_stand_around_the_version_without_them() {
        let ascending = [
            "1.0_alpha",
            "1.0_alpha1",
            "1.0_beta",
            "1.0_pre",
            "1.0_rc",
            "1.0",
            "1.0-r1",
            "1.0~abc",
            "1.0_cvs",
            "1.0_svn",
            "1.0_git",
            "1.0_hg",
            "1.0_p",
            "1.0a",
            "1.0.1",
        ];
        for pair in ascending.windows(2) {
            check(pair[0], pair[1], Less);
        }
        check("0.1.0_alpha_pre2", "0.1.0_alpha", Less); // apk-tools' test/version.data
        check("1.0_p10-r0", "1.0_p9-r0", Greater);
        check("1.0_p1_p1", "1.0_p1", Greater);
        check("1.0_p_p1", "1.0_p1", Greater); // a suffix counts for more than a number in the same place
    }

    #[test]
    fn a_number_with_a_leading_zero_is_a_fraction() {
        check("1.01", "1.1", Less);
        check("1.0", "1.00", Less);
        check("1.09", "1.1", Less);
        check("1.010", "1.02", Less);
        check("1.10", "1.9", Greater);
        check("01.1", "1.1", Equal); // but not the first
        check("2.02.06", "2.02.10", Less); // lvm2
    }

    #[test]
    fn revisions_and_hashes_go_last() {
        check("1.2.3-r1", "1.2.3-r10", Less);
        check("1.2.3-r0", "1.2.3", Greater);
        check("1.2.3-r01", "1.2.3-r1", Equal);
        check("1.2.3~0a", "1.2.3~0b-r1", Less);
        check("1.20230101000000000000000000", "1.20230101000000000000000001", Less);
    }

    #[test]
    fn the_rows_of_apk_tools_own_test_hold() {
        // From test/version.data, one for each rule that they touch.
        check("0.1.0_alpha2", "0.1.0_alpha", Greater);
        check("1.1", "1.1_alpha1", Greater);
        check("2.3.0b-r1", "2.3.0b-r2", Less);
        check("2.5.1-r8", "2.5.1a-r1", Less);
        check("1.06-r6", "006", Less);
        check("2.01.01_alpha10", "0.94", Greater);
        check("1.39", "1.00_beta2", Greater);
        check("1.02.07", "1.02.10-r1", Less);
        check("1.07-r1", "1.07.5", Less);
        check("2.10.1", "02.08.01b", Greater);
        check("0.21", "0.3.7-r3", Greater);
        check("1.2.07.8", "1.2.12.04", Less);
        check("4.5_p1-r1", "4.5_p1", Greater);
        check("2.9.11_pre20051101-r3", "2.9.11_pre20061021-r1", Less);
        check("1.3_pre1-r1", "1.3.2", Less);
        check("1.3-r0", "1.3.1-r0", Less);
        check("104-r11", "104-r9", Greater);
        check("1.0.0_pre20191002222144-r0", "1.0.0_pre20210530193627-r0", Less);
    }

    #[test]
    fn what_apk_calls_invalid_is_refused_with_the_reason() {
        for (version, why) in [
            ("", "it does not start with a number"),
            ("v1.0", "it does not start with a number"),
            ("unknown", "it does not start with a number"),
            ("1.", "no number stands behind a dot"),
            ("1..0", "no number stands behind a dot"),
            ("1.a", "no number stands behind a dot"),
            ("1.0bc", "it has a part that is unknown or in the wrong place"),
            ("1.0a1", "it has a part that is unknown or in the wrong place"),
            ("1.0B", "it has a part that is unknown or in the wrong place"),
            ("23_foo", "it has an unknown suffix"),
            ("1.0_", "it has an unknown suffix"),
            ("1.0_p1a", "it has a part that is unknown or in the wrong place"),
            ("1.0~", "the commit hash is not in small hexadecimal digits"),
            ("1.0~ABC", "the commit hash is not in small hexadecimal digits"),
            ("1.0-1", "it has a part that is unknown or in the wrong place"),
            ("1.0-r", "the revision is not a number"),
            ("1.0-r1_p1", "it has a part that is unknown or in the wrong place"),
            ("1.0-r1~ab", "it has a part that is unknown or in the wrong place"),
            ("1.0 ", "it has a part that is unknown or in the wrong place"),
        ] {
            assert_eq!(Scheme::Apk.key(version).map_err(|malformed| malformed.why), Err(why), "`{version}`");
        }
    }
}
