//! Composer versions: normalised as `Composer\Semver\VersionParser::normalize` does, ordered as PHP's `version_compare`
//! orders the outcome (getcomposer.org/doc/articles/versions.md; php.net/version_compare).
//!
//! Up to four numbers, or a date; then perhaps a stability with its number (`alpha`, `beta`, `RC`, `patch`) and `-dev`.
//! The order in one place: dev, alpha, beta, RC, the end, a number, patch. `1.x-dev` is 1.9999999.9999999.9999999-dev.
//! Build metadata does not count.
//!
//! Refused is what has no order against versions: branches (`dev-main`), as well as what Composer refuses.
//! One difference: `version_compare` cuts numbers to 64 bits; here they are compared exactly.

use crate::key::{KeyWriter, Why};

/// What may stand in one place, in order.
const DEV: u8 = 0;
const ALPHA: u8 = 1;
const BETA: u8 = 2;
const RC: u8 = 3;
const END: u8 = 4;
const NUMBER: u8 = 5;
const PATCH: u8 = 6;

/// The words of a stability and their marks; `stable` has none. A longer word stands before its beginning.
const STABILITIES: [(&str, Option<u8>); 9] = [
    ("stable", None),
    ("beta", Some(BETA)),
    ("b", Some(BETA)),
    ("rc", Some(RC)),
    ("alpha", Some(ALPHA)),
    ("a", Some(ALPHA)),
    ("patch", Some(PATCH)),
    ("pl", Some(PATCH)),
    ("p", Some(PATCH)),
];

/// What `x` in a branch of versions stands for.
const ANY: &str = "9999999";

/// How many numbers a version has that is no date.
pub(crate) const NUMBERS: usize = 4;

/// A normalised version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Normalised {
    /// In digits; four, unless it is a date.
    pub numbers: Vec<String>,
    /// Its mark and its numbers.
    pub stability: Option<(u8, Vec<String>)>,
    pub is_dev: bool,
}

impl Normalised {
    /// Whether it is a release or a patch of one, as `VersionParser::parseStability` has it.
    pub fn is_stable(&self) -> bool {
        !self.is_dev && self.stability.as_ref().is_none_or(|(mark, _)| *mark == PATCH)
    }

    /// Whether a stability or `-dev` was written.
    pub fn has_suffix(&self) -> bool {
        self.is_dev || self.stability.is_some()
    }

    /// With the stability of that name behind it.
    pub fn with_stability(mut self, name: &str) -> Self {
        match STABILITIES.iter().find(|(word, _)| *word == name) {
            Some((_, mark)) => self.stability = mark.map(|mark| (mark, Vec::new())),
            None => self.is_dev = true,
        }
        self
    }

    /// Layout: each number behind its mark, the stability's mark, its numbers behind theirs, the mark of `dev`, the
    /// mark of the end.
    pub fn key(&self) -> KeyWriter {
        let mut key = KeyWriter::default();
        let numbers = |key: &mut KeyWriter, numbers: &[String]| {
            for number in numbers {
                key.mark(NUMBER);
                key.number(number);
            }
        };
        numbers(&mut key, &self.numbers);
        if let Some((mark, behind)) = &self.stability {
            key.mark(*mark);
            numbers(&mut key, behind);
        }
        if self.is_dev {
            key.mark(DEV);
        }
        key.mark(END);
        key
    }
}

pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    Ok(normalise(raw)?.key())
}

/// The version in Composer's normal form.
pub(crate) fn normalise(raw: &str) -> Result<Normalised, Why> {
    let lower = raw.trim_matches(is_space).to_ascii_lowercase();
    let version = without_stability_flag(&lower);
    if version.starts_with("dev-") || ["master", "trunk", "default"].contains(&version) {
        return Err("it is a branch, which has no order");
    }
    let version = without_build(version);
    let plain = version.strip_prefix('v').unwrap_or(version);
    numbered(plain)
        .or_else(|| dated(plain))
        .or_else(|| branch(plain))
        .ok_or("it is neither numbers, nor a date, nor a branch of versions like `1.x-dev`")
}

/// What PHP's `trim` takes away.
fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n' | '\0' | '\u{b}')
}

/// Without `@beta` and the like behind it, which tell what a project accepts.
fn without_stability_flag(version: &str) -> &str {
    match version.rsplit_once('@') {
        Some((version, "stable" | "rc" | "beta" | "alpha" | "dev")) => version,
        _ => version,
    }
}

fn without_build(version: &str) -> &str {
    match version.split_once('+') {
        Some((front, build))
            if !front.is_empty()
                && !front.contains(|letter: char| letter == ',' || letter.is_whitespace())
                && !build.is_empty()
                && !build.contains(char::is_whitespace) =>
        {
            front
        }
        _ => version,
    }
}

/// `1.2.3.4-beta5-dev`; the first number has at most five digits.
fn numbered(version: &str) -> Option<Normalised> {
    let (first, mut rest) = split_digits(version);
    if !(1..=5).contains(&first.len()) {
        return None;
    }
    let mut numbers = vec![first.to_owned()];
    while let Some((number, behind)) = rest.strip_prefix('.').map(split_digits).filter(|(number, _)| !number.is_empty())
    {
        if numbers.len() == NUMBERS {
            return None;
        }
        numbers.push(number.to_owned());
        rest = behind;
    }
    numbers.resize(NUMBERS, "0".to_owned());
    modified(numbers, rest)
}

/// Four digits, up to six times two digits, up to three digits; `.`, `:`, `-` or nothing between.
fn dated(version: &str) -> Option<Normalised> {
    let is_divider = |letter: char| ['.', ':', '-'].contains(&letter);
    // Digits belong to the date, since no stability starts with one.
    let last_digit = version.bytes().enumerate().take_while(|(_, byte)| byte.is_ascii_digit() || b".:-".contains(byte));
    let end = last_digit.filter(|(_, byte)| byte.is_ascii_digit()).last()?.0 + 1;
    let (date, rest) = version.split_at(end);
    let mut groups = date.split(is_divider);
    let first = groups.next().filter(|first| first.len() >= 4)?;
    let (pairs, tail) = date_groups(&first[4..], groups)?;
    if !(1..=6).contains(&pairs) || tail > 3 {
        return None;
    }
    modified(date.split(is_divider).map(str::to_owned).collect(), rest)
}

/// How many pairs of digits, and how many digits are left for the last part: as many pairs as can be, six at most.
/// `None` when a part but the last has an odd number of digits, or none.
fn date_groups<'a>(first: &str, groups: impl Iterator<Item = &'a str>) -> Option<(usize, usize)> {
    let lengths: Vec<usize> =
        std::iter::once(first.len()).filter(|length| *length > 0).chain(groups.map(str::len)).collect();
    let (last, front) = lengths.split_last()?;
    if front.iter().any(|length| length % 2 == 1 || *length == 0) || *last == 0 {
        return None;
    }
    let before: usize = front.iter().map(|length| length / 2).sum();
    // The last part: pairs, then a tail of one to three digits that may follow its pairs at once.
    let pairs = (last / 2).min(6_usize.saturating_sub(before));
    Some((before + pairs, last - 2 * pairs))
}

/// Reads `[._-]? stability numbers? [.-]?dev?` to the end.
fn modified(numbers: Vec<String>, rest: &str) -> Option<Normalised> {
    let behind = rest.strip_prefix(['.', '_', '-']).unwrap_or(rest);
    for (word, mark) in STABILITIES {
        let Some(behind) = behind.strip_prefix(word) else { continue };
        let (suffix, behind) = suffix_numbers(behind);
        let Some(is_dev) = dev(behind) else { continue };
        return Some(match mark {
            Some(mark) => Normalised { numbers, stability: Some((mark, suffix)), is_dev },
            None => Normalised { numbers, ..Normalised::default() },
        });
    }
    let is_dev = dev(behind).or_else(|| dev(rest))?;
    Some(Normalised { numbers, stability: None, is_dev })
}

/// Whether a stability, `dev` or nothing ends the version behind a `-`.
pub(crate) fn has_modifier_behind_hyphen(version: &str) -> bool {
    version.match_indices('-').any(|(place, _)| modified(Vec::new(), &version[place + 1..]).is_some())
}

/// The numbers in front, each perhaps behind `.` or `-`.
fn suffix_numbers(text: &str) -> (Vec<String>, &str) {
    let mut numbers = Vec::new();
    let mut rest = text;
    loop {
        let (number, behind) = split_digits(rest.strip_prefix(['.', '-']).unwrap_or(rest));
        if number.is_empty() {
            return (numbers, rest);
        }
        numbers.push(number.to_owned());
        rest = behind;
    }
}

/// Whether the text is `dev`; `None` when it is neither that nor empty.
fn dev(text: &str) -> Option<bool> {
    match text.strip_prefix(['.', '-']).unwrap_or(text) {
        "dev" => Some(true),
        _ => text.is_empty().then_some(false),
    }
}

/// `1.x-dev`, `1.2.*.dev`.
fn branch(version: &str) -> Option<Normalised> {
    let name = version.strip_suffix("dev")?;
    let name = name.strip_suffix(['.', '-']).unwrap_or(name);
    let name = name.trim_matches(is_space);
    let mut parts: Vec<&str> = name.split('.').collect();
    if parts.len() > NUMBERS || split_digits(parts[0]) != (parts[0], "") || parts[0].is_empty() {
        return None;
    }
    for part in &mut parts[1..] {
        match *part {
            "x" | "*" => *part = ANY,
            number if !number.is_empty() && split_digits(number).1.is_empty() => {}
            _ => return None,
        }
    }
    parts.resize(NUMBERS, ANY);
    Some(Normalised { numbers: parts.into_iter().map(str::to_owned).collect(), stability: None, is_dev: true })
}

pub(crate) fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Composer.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Composer.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn the_stabilities_are_in_order() {
        let ascending = [
            "1.0.0-dev",
            "1.0.0-alpha",
            "1.0.0-alpha1-dev",
            "1.0.0-alpha1",
            "1.0.0-alpha2",
            "1.0.0-beta1",
            "1.0.0-RC1",
            "1.0.0",
            "1.0.0-p1",
            "1.0.1",
            "1.x-dev",
            "2.0.0-dev",
        ];
        for pair in ascending.windows(2) {
            check(pair[0], pair[1], Less);
        }
    }

    #[test]
    fn many_spellings_are_one_version() {
        for (spelling, version) in [
            ("v1.2", "1.2.0.0"),
            ("V1.2.3-B1", "1.2.3beta1"),
            ("1.0.0_rc.1", "1.0.0-RC1"),
            ("1.0.0-pl1", "1.0.0-patch1"),
            ("1.0-stable", "1.0"),
            ("1.0.0+build.5", "1.0.0"),
            ("1.0.0@dev", "1.0.0"),
            ("1.0.x-dev", "1.0.9999999.9999999-dev"),
            ("20100102-203040", "20100102.203040"),
            ("1.0.", "1.0"), // an empty suffix
        ] {
            check(spelling, version, Equal);
        }
    }

    #[test]
    fn dates_are_versions() {
        check("20100102", "20100103", Less);
        check("2010.01.02", "2010.1.2.0", Equal); // four numbers for Composer
        check("2010-01-02", "2010.01.02", Less); // but a date has three
        check("9999999-dev", "1.0.0", Greater); // the default branch of long ago
    }

    #[test]
    fn branches_and_what_composer_refuses_have_no_order() {
        for version in [
            "",
            "dev-main",
            "dev-master",
            "master",
            "main-dev",
            "1.0.0.0.0",
            "1.0.0-foo",
            "a",
            "1.0.0-beta1.x",
            "123456789012345678901234",
            "1.0 0",
            "^1.0",
        ] {
            assert!(Scheme::Composer.key(version).is_err(), "`{version}`");
        }
    }
}
