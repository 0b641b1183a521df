//! Semantic Versioning 2.0 (semver.org): the grammar's parts and the order of its §11, which npm, Cargo and Go share.
//!
//! Build metadata is checked and does not take part in the order (§10).

use crate::key::{KeyWriter, Why};

/// What may stand behind the three numbers. An identifier is before the end of the version when it is a
/// pre-release's first, and after the end of the pre-release when it is a later one.
pub(crate) const END: u8 = 0;
const NUMBER: u8 = 1;
const TEXT: u8 = 2;
const RELEASE: u8 = 3;

/// A version cut into its parts, each checked.
pub(crate) struct Parts<'a> {
    /// Major, minor, patch: digits without leading zeros.
    pub numbers: [&'a str; 3],
    /// Dotted identifiers; empty for a release.
    pub prerelease: &'a str,
}

/// Reads `major.minor.patch[-prerelease][+build]` (§2, §9, §10).
pub(crate) fn parts(version: &str) -> Result<Parts<'_>, Why> {
    let (version, build) = cut(version, '+');
    let (core, prerelease) = cut(version, '-');
    let mut numbers = core.split('.');
    let numbers = match [numbers.next(), numbers.next(), numbers.next(), numbers.next()] {
        [Some(major), Some(minor), Some(patch), None] => [major, minor, patch],
        _ => return Err("it does not start with three numbers"),
    };
    if !numbers.into_iter().all(is_number) {
        return Err("one of its three numbers is not a number without leading zeros");
    }
    check_suffixes(prerelease, build)?;
    Ok(Parts { numbers, prerelease: prerelease.unwrap_or("") })
}

/// Checks the identifiers of a pre-release (§9) and of build metadata (§10).
pub(crate) fn check_suffixes(prerelease: Option<&str>, build: Option<&str>) -> Result<(), Why> {
    if !prerelease.is_none_or(|prerelease| prerelease.split('.').all(is_prerelease_identifier)) {
        return Err("its pre-release has an identifier that is empty, foreign or a number with leading zeros");
    }
    if !build.is_none_or(|build| build.split('.').all(is_identifier)) {
        return Err("its build metadata has an identifier that is empty or foreign");
    }
    Ok(())
}

/// Layout: the three numbers; then the mark of a release, or each identifier behind its mark and the mark of the end.
pub(crate) fn key(parts: &Parts<'_>) -> KeyWriter {
    let mut key = KeyWriter::default();
    for number in parts.numbers {
        key.number(number);
    }
    prerelease(&mut key, parts.prerelease, is_number);
    key
}

/// Writes a pre-release, "" for a release. `is_number` tells the identifiers that are compared as numbers.
pub(crate) fn prerelease(key: &mut KeyWriter, prerelease: &str, is_number: impl Fn(&str) -> bool) {
    if prerelease.is_empty() {
        return key.mark(RELEASE);
    }
    identifiers(key, prerelease, is_number);
}

/// Whether a key made of numbers and then [`prerelease`] is a release's.
pub(crate) fn is_release_key(key: &[u8]) -> bool {
    key.last() == Some(&RELEASE)
}

/// Writes dotted identifiers, each behind its mark, and the mark of the end.
pub(crate) fn identifiers(key: &mut KeyWriter, dotted: &str, is_number: impl Fn(&str) -> bool) {
    for identifier in dotted.split('.') {
        if is_number(identifier) {
            key.mark(NUMBER);
            key.number(identifier);
        } else {
            key.mark(TEXT);
            key.text(identifier);
        }
    }
    key.mark(END);
}

/// What stands before and behind the first divider.
pub(crate) fn cut(text: &str, divider: char) -> (&str, Option<&str>) {
    text.split_once(divider).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// `0`, or digits that do not start with `0`.
pub(crate) fn is_number(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_prerelease_identifier(identifier: &str) -> bool {
    is_identifier(identifier) && (is_number(identifier) || !is_digits(identifier))
}

/// Letters, digits and `-`, at least one.
pub(crate) fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_one_that_semver_11_gives() {
        let ascending = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1-0",
            "1.0.1",
            "2.0.0",
            "2.1.0",
            "2.1.1",
        ];
        let key = |version: &str| key(&parts(version).unwrap()).finish();
        for pair in ascending.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "`{}` before `{}`", pair[0], pair[1]);
        }
        assert_eq!(key("1.0.0-rc.1+build.5"), key("1.0.0-rc.1")); // §10
    }

    #[test]
    fn what_the_grammar_does_not_have_is_refused() {
        for version in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2.3-01",
            "1.2.3+",
            "1.2.3+a+b",
            "1.2.3-é",
            "v1.2.3",
            " 1.2.3",
            "1.2.3 ",
            "1..3",
            "-1.2.3",
            "1.2.x",
        ] {
            assert!(parts(version).is_err(), "`{version}`");
        }
    }
}
