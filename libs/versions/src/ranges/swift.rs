//! Swift packages' requirements, as a manifest writes them (docs.swift.org, PackageDescription,
//! `Package.Dependency.Requirement`): `1.0.0..<2.0.0`, `1.0.0...1.5.0`, `from: "1.0.0"`, `exact: "1.0.0"`,
//! `.upToNextMajor(from: "1.0.0")`, `.upToNextMinor(from: "1.0.0")`; and plain comparators.
//!
//! A pre-release is in a range of two ends only if one of the ends is a pre-release, and never one of the numbers of an
//! end that is a release (`Range.contains(version:)` of the package manager). Plain comparators follow the order alone.

use super::intervals::{Cut, Intervals, Operator};
use super::triples::{Partial, before_prereleases, before_release};
use super::{Condition, Fault, comparators};
use crate::Scheme;

pub(super) fn read(raw: &str) -> Result<Condition, Fault> {
    let range = raw.trim();
    if let Some((low, high)) = range.split_once("..<") {
        let (low, high) = (partial(low)?, partial(high)?);
        let releases = Intervals::between(Cut::before(low.key()), Cut::before(high.key()));
        return Ok(by_kind(releases, &low, &high));
    }
    if let Some((low, high)) = range.split_once("...") {
        // The package manager turns it into `..<` the next patch.
        let (low, high) = (partial(low)?, partial(high)?);
        let ceiling = high.ceiling(3);
        let between = Intervals::between(Cut::before(low.key()), before_release(&ceiling));
        let prereleases = if low.prerelease.is_empty() && high.prerelease.is_empty() {
            Intervals::none()
        } else {
            Intervals::between(Cut::before(low.key()), before_prereleases(&ceiling))
        };
        return Ok(Condition::ByKind { releases: between, prereleases });
    }
    for (word, kept) in [("upToNextMajor(from:", 1), ("upToNextMinor(from:", 2), ("from:", 1)] {
        if let Some(version) = argument(range, word) {
            let low = partial(version)?;
            let high = low.ceiling(kept);
            let releases = Intervals::between(Cut::before(low.key()), before_release(&high));
            let prereleases = match low.prerelease.is_empty() {
                true => Intervals::none(),
                false => Intervals::between(Cut::before(low.key()), before_prereleases(&high)),
            };
            return Ok(Condition::ByKind { releases, prereleases });
        }
    }
    if let Some(version) = argument(range, "exact:").or_else(|| argument(range, "exact(")) {
        let key = Scheme::Swift.bytes(version)?;
        return Ok(Condition::Within(Intervals::compared(Operator::Equal, &key)));
    }
    comparators::read(Scheme::Swift, raw).map(Condition::Within)
}

/// A range of two ends, the higher left out.
fn by_kind(releases: Intervals, low: &Partial<'_>, high: &Partial<'_>) -> Condition {
    let prereleases = match (low.prerelease.is_empty(), high.prerelease.is_empty()) {
        (true, true) => Intervals::none(),
        (false, true) => releases.intersection(&Intervals::below(before_prereleases(&high.floor()))),
        (_, false) => releases.clone(),
    };
    Condition::ByKind { releases, prereleases }
}

/// What stands behind the word, perhaps with a dot before, without quotes and the closing bracket.
fn argument<'a>(range: &'a str, word: &str) -> Option<&'a str> {
    let argument = range.strip_prefix('.').unwrap_or(range).strip_prefix(word)?.trim();
    let argument = if word.contains('(') { argument.strip_suffix(')')?.trim() } else { argument };
    Some(unquoted(argument))
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

fn partial(version: &str) -> Result<Partial<'_>, Fault> {
    let version = unquoted(version.trim());
    Scheme::Swift.bytes(version)?;
    let read = Partial::read(version.strip_prefix('v').unwrap_or(version));
    read.ok_or_else(|| Fault::new(version, "it is no version of Swift's"))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Swift.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn ranges_are_swifts() {
        check("1.0.0..<2.0.0", &["1.0.0", "1.9.9"], &["2.0.0", "1.5.0-beta", "0.9.0"]);
        check("\"1.0.0\"..<\"2.0.0\"", &["1.0.0"], &["2.0.0"]);
        check("1.0.0-beta..<2.0.0", &["1.0.0-beta.2", "1.5.0-a", "1.0.0"], &["2.0.0-a", "1.0.0-alpha"]);
        check("1.0.0...1.5.0", &["1.5.0"], &["1.5.1", "1.6.0"]);
        check("from: \"1.2.3\"", &["1.2.3", "1.9.0"], &["2.0.0", "1.2.2"]);
        check(".upToNextMinor(from: \"1.2.3\")", &["1.2.9"], &["1.3.0"]);
        check("exact: \"1.2.3\"", &["1.2.3"], &["1.2.4"]);
    }

    #[test]
    fn comparators_follow_the_order() {
        check(">=1.0.0 <2.0.0", &["1.0.0", "2.0.0-beta"], &["2.0.0"]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for range in ["", "1.0..<2.0", "1.0.0..<", "from: 1", "branch: \"main\"", "exact(\"1.0.0\"", "^1.0.0"] {
            assert!(Scheme::Swift.range(range).is_err(), "`{range}`");
        }
    }
}
