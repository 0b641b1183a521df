//! Cargo's requirements, as the `semver` crate's `VersionReq` reads them (doc.rust-lang.org/cargo, "Specifying
//! Dependencies"): comparators behind commas, `^` where no sign stands, `~`, wildcards.
//!
//! A pre-release is in the range only if a comparator has a pre-release of the same three numbers.

use super::intervals::{Cut, Intervals};
use super::triples::{self, Partial, before_prereleases, before_release};
use super::{Condition, Fault, comparators};

/// Most comparators (the `semver` crate's `VersionReq::parse`).
const COMPARATORS_MAX: usize = 32;

pub(super) fn read(raw: &str) -> Result<Condition, Fault> {
    let mut releases = Intervals::all();
    let mut prereleases = Intervals::all();
    let mut named = Vec::new();
    let text = raw.trim();
    if ["*", "x", "X"].contains(&text) {
        return Ok(Condition::ByKind { releases, prereleases: Intervals::none() });
    }
    let pieces: Vec<&str> = text.split(',').collect();
    if pieces.len() > COMPARATORS_MAX {
        return Err(Fault::new(pieces[COMPARATORS_MAX], "the range has more than 32 comparators"));
    }
    for piece in pieces {
        let piece = piece.trim();
        let (sign, version) = comparators::sign(piece);
        let version = Partial::read(version.trim_start()).filter(is_partial);
        let version = version.ok_or_else(|| Fault::new(piece, "it is no version of Cargo's, nor a part of one"))?;
        let [of_releases, of_prereleases] =
            comparator(sign, &version).ok_or_else(|| Fault::new(piece, "it is no operator of Cargo's"))?;
        releases = releases.intersection(&of_releases);
        prereleases = prereleases.intersection(&of_prereleases);
        if !version.prerelease.is_empty() {
            named.push(triples::prereleases(&version.floor()));
        }
    }
    let prereleases = prereleases.intersection(&Intervals::union(named));
    Ok(Condition::ByKind { releases, prereleases })
}

/// At least one number, each in 64 bits; no pre-release behind a wildcard.
fn is_partial(version: &Partial<'_>) -> bool {
    let fits = version.numbers.iter().flatten().all(|number| number.parse::<u64>().is_ok());
    fits && version.count() > 0 && (version.count() == 3 || version.prerelease.is_empty())
}

/// The releases and the pre-releases that the comparator holds. They differ where numbers are missing.
fn comparator(sign: &str, version: &Partial<'_>) -> Option<[Intervals; 2]> {
    let (count, key) = (version.count(), version.key());
    let sign = if sign.is_empty() && version.has_wildcard { "=" } else { sign };
    let (floor, ceiling) = (version.floor(), version.ceiling(count));
    let both = |intervals: Intervals| Some([intervals.clone(), intervals]);
    let releases_alone = |intervals| Some([intervals, Intervals::none()]);
    match (sign, count) {
        ("=", 3) => both(Intervals::between(Cut::before(key.clone()), Cut::after(key))),
        ("=", _) => releases_alone(Intervals::between(before_release(&floor), before_prereleases(&ceiling))),
        (">", 3) => both(Intervals::above(Cut::after(key))),
        (">", _) => both(Intervals::above(before_prereleases(&ceiling))),
        (">=", 3) => both(Intervals::above(Cut::before(key))),
        (">=", _) => Some([Intervals::above(before_release(&floor)), Intervals::above(before_prereleases(&ceiling))]),
        ("<", 3) => both(Intervals::below(Cut::before(key))),
        ("<", _) => both(Intervals::below(before_prereleases(&floor))),
        ("<=", 3) => both(Intervals::below(Cut::after(key))),
        ("<=", _) => {
            Some([Intervals::below(before_prereleases(&ceiling)), Intervals::below(before_prereleases(&floor))])
        }
        ("~", 3) => both(Intervals::between(Cut::before(key), before_prereleases(&version.ceiling(2)))),
        ("~", _) => releases_alone(Intervals::between(before_release(&floor), before_prereleases(&ceiling))),
        ("^" | "", _) => {
            let low = if count == 3 { Cut::before(key) } else { before_prereleases(&floor) };
            both(Intervals::between(low, before_prereleases(&version.ceiling(caret(version)))))
        }
        _ => None,
    }
}

/// How many numbers `^` keeps: up to the first that is not 0.
fn caret(version: &Partial<'_>) -> usize {
    let count = version.count();
    version.numbers.iter().flatten().position(|number| *number != "0").map_or(count, |first| first + 1)
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Cargo.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn a_bare_version_is_a_caret() {
        check("1.2.3", &["1.2.3", "1.9.0"], &["1.2.2", "2.0.0"]);
        check("0.3", &["0.3.0", "0.3.9"], &["0.4.0", "0.2.9"]);
        check("0", &["0.0.0", "0.9.9"], &["1.0.0"]);
        check("=1.2", &["1.2.0", "1.2.9"], &["1.3.0", "1.2.3-a"]);
        check("1.*", &["1.0.0", "1.9.9"], &["2.0.0"]);
        check(">=1.0, <2.0", &["1.0.0", "1.9.9"], &["2.0.0", "0.9.9"]);
        check("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0"]);
    }

    #[test]
    fn a_prerelease_needs_one_of_the_same_numbers() {
        check(">=1.0.0-rc.1", &["1.0.0-rc.2", "1.0.0", "1.1.0"], &["1.1.0-rc.1", "1.0.0-beta"]);
        check("*", &["1.0.0"], &["1.0.0-a"]);
    }

    #[test]
    fn what_the_semver_crate_refuses_is_refused() {
        for range in [
            "",
            "a",
            ">=1.0,",
            "1.0 2.0",
            "*, 1.0",
            "01.0",
            "1.2.3.4",
            "==1.0.0",
            "!=1.0.0",
            "1.0-a",
            "1 || 2",
            "v1.0",
            "18446744073709551616",
        ] {
            assert!(Scheme::Cargo.range(range).is_err(), "`{range}`");
        }
    }
}
