//! RubyGems versions, read and ordered as `Gem::Version` does (docs.ruby-lang.org, `Gem::Version`).
//!
//! A version is a row of numbers and words, apart by dots or by their change. A word makes a pre-release, so it comes
//! before any number; a row that ended goes on with zeros. `-` stands for `.pre.`.

use crate::key::{KeyWriter, Why};

/// What may stand in one place, in order. Zeros are counted, because a version goes on with zeros for ever: the more
/// of them stand before a word, the nearer it comes to its end from below; before a number, from above.
pub(crate) const WORD: u8 = 0;
const END: u8 = 1;
const NUMBER: u8 = 2;

/// Layout: each word behind its mark and the number of zeros before it; each number behind its mark, 65535 less the
/// number of zeros before it, big-endian; then the mark of the end.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let version = raw.trim_matches(is_space);
    check(version)?;
    let mut key = KeyWriter::default();
    let mut zeros = 0_u16;
    for segment in canonical_segments(&version.replace('-', ".pre.")) {
        if is_zero(segment) {
            zeros += 1; // a version has at most LENGTH_MAX bytes, each `-` becomes five
            continue;
        }
        if is_word(segment) {
            key.mark(WORD);
            zeros.to_be_bytes().into_iter().for_each(|byte| key.mark(byte));
            key.text(segment);
        } else {
            key.mark(NUMBER);
            (u16::MAX - zeros).to_be_bytes().into_iter().for_each(|byte| key.mark(byte));
            key.number(segment);
        }
        zeros = 0;
    }
    key.mark(END);
    Ok(key)
}

/// What Ruby's `\s` matches.
pub(crate) fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n' | '\u{c}' | '\u{b}')
}

/// `1.2.a-b.c`: digits, then dotted letters and digits, then behind the first `-` dotted letters, digits and `-`.
fn check(version: &str) -> Result<(), Why> {
    let (release, rest) = version.split_once('-').map_or((version, None), |(release, rest)| (release, Some(rest)));
    let mut parts = release.split('.');
    let first = parts.next().unwrap_or_default();
    if first.is_empty() || !first.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("it does not start with a number");
    }
    if !parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err("a part between its dots is not letters and digits");
    }
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !rest.is_none_or(|rest| rest.split('.').all(is_part)) {
        return Err("a part behind its `-` is not letters, digits and `-`");
    }
    Ok(())
}

/// The runs of digits and of letters, without zeros at the end of the numbers before the first word and at the end of
/// all.
fn canonical_segments(version: &str) -> Vec<&str> {
    let mut numbers = segments(version);
    let first_word = numbers.iter().position(|segment| is_word(segment)).unwrap_or(numbers.len());
    let mut rest = numbers.split_off(first_word);
    for row in [&mut numbers, &mut rest] {
        while row.last().is_some_and(|segment| is_zero(segment)) {
            row.pop();
        }
    }
    numbers.append(&mut rest);
    numbers
}

/// The runs of digits and of letters.
pub(crate) fn segments(version: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.bytes().next() {
        let same = |byte: &u8| byte.is_ascii_alphanumeric() && byte.is_ascii_digit() == first.is_ascii_digit();
        let end = rest.bytes().take_while(same).count();
        if end > 0 {
            segments.push(&rest[..end]);
        }
        rest = &rest[end.max(1)..];
    }
    segments
}

pub(crate) fn is_word(segment: &str) -> bool {
    segment.starts_with(|letter: char| letter.is_ascii_alphabetic())
}

fn is_zero(segment: &str) -> bool {
    segment.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Gem.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Gem.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn a_letter_makes_a_prerelease() {
        check("1.0.a", "1.0", Less);
        check("7.0.0.rc1", "7.0.0", Less); // Rails
        check("7.0.0.beta3", "7.0.0.rc1", Less);
        check("7.0.0.rc1", "7.0.0.rc10", Less); // the number is apart
        check("1.0.a.2", "1.0.b1", Less);
        check("1.A", "1.a", Less); // ASCII order
    }

    #[test]
    fn a_hyphen_stands_for_pre() {
        check("1.0-1", "1.0.pre.1", Equal);
        check("1.13.0-java", "1.13.0", Less); // a platform is no version: whoever reads it so gets what Ruby says
    }

    #[test]
    fn zeros_at_the_end_do_not_count() {
        check("1.0", "1", Equal);
        check("1.0.0.a", "1.a", Equal);
        check("1.a.0", "1.a", Equal);
        check("1.a0", "1.a", Equal);
        check("01.02", "1.2", Equal);
    }

    #[test]
    fn what_ended_goes_on_with_zeros() {
        check("1.a.b", "1.a", Less);
        check("1.a.0.b", "1.a", Less);
        check("1.a.b", "1.a.0.b", Less);
        check("1.a.0.1", "1.a", Greater);
        check("1.a.0.1", "1.a.1", Less);
        check("1.0.0.1", "1.0.1", Less);
    }

    #[test]
    fn what_ruby_refuses_is_refused() {
        for version in
            ["", " ", "junk", "1.", "1..2", ".1", "1.2_3", "1 2", "a1", "1-", "1.0-a..b", "v1.0", "1.é", "1a"]
        {
            assert!(Scheme::Gem.key(version).is_err(), "`{version}`");
        }
        check(" 1.2\n", "1.2", Equal);
    }
}
