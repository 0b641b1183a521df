//! npm's ranges (github.com/npm/node-semver, README "Ranges", 7.x, read 2026-11-24) as npm reads those of advisories:
//! with pre-releases in order among the others (`includePrerelease`), and loosely.
//!
//! `||` separates alternatives, white space what must hold together.

use super::semver::Partial;
use super::{Unreadable, Versions, all_of, any_of, check_length, operator};
use muster_versions::Scheme;

const SCHEME: Scheme = Scheme::Npm;

pub(crate) fn npm(range: &str) -> Result<Versions, Unreadable> {
    check_length(range)?;
    let alternatives: Vec<String> = range.split("||").map(str::to_owned).collect();
    any_of(SCHEME, |text| alternative(text).map_err(|why| Unreadable::new(text, why)), &alternatives)
}

fn alternative(text: &str) -> Result<Versions, String> {
    if let Some((from, to)) = text.split_once(" - ") {
        return hyphen(from, to);
    }
    let mut rest = text.trim_start();
    let parts = std::iter::from_fn(|| {
        let (operator, behind) = operator(rest, &[">=", "<=", "~>", ">", "<", "=", "^", "~"]);
        let (version, behind) = behind.split_at(behind.find(char::is_whitespace).unwrap_or(behind.len()));
        let is_end = rest.is_empty();
        rest = behind.trim_start();
        (!is_end).then(|| comparator(operator, version))
    });
    all_of(SCHEME, parts)
}

/// `1.2 - 2.3.4`: both ends are in it, and all that a shortened end leaves open.
fn hyphen(from: &str, to: &str) -> Result<Versions, String> {
    let (from, to) = (Partial::read(from)?, Partial::read(to)?);
    let from = match from.len() {
        0 => Versions::all(SCHEME),
        _ if from.is_prerelease() => Versions::from(SCHEME, &from.full())?,
        _ => Versions::from(SCHEME, &from.first())?,
    };
    let to = match to.len() {
        0 => Versions::all(SCHEME),
        _ if to.is_prerelease() => Versions::up_to(SCHEME, &to.full())?,
        numbers => Versions::below(SCHEME, &to.next(numbers - 1)?)?,
    };
    Ok(from.and(to))
}

fn comparator(operator: &str, version: &str) -> Result<Versions, String> {
    let version = Partial::read(version)?;
    let is_whole = version.len() == 3;
    let end = |place| version.next(place);
    match (operator, version.len()) {
        (">" | "<", 0) => Ok(Versions::none(SCHEME)),
        (_, 0) => Ok(Versions::all(SCHEME)),
        ("~" | "~>", _) => Versions::between(SCHEME, &shorthand_start(&version), &end(version.tilde_place())?),
        ("^", _) => Versions::between(SCHEME, &shorthand_start(&version), &end(version.caret_place())?),
        (">=", _) if is_whole => Versions::from(SCHEME, &version.full()),
        (">", _) if is_whole => Versions::above(SCHEME, &version.full()),
        ("<", _) if is_whole => Versions::below(SCHEME, &version.full()),
        ("<=", _) if is_whole => Versions::up_to(SCHEME, &version.full()),
        (_, 3) => Versions::exactly(SCHEME, &version.full()),
        (">=", _) => Versions::from(SCHEME, &version.first()),
        (">", numbers) => Versions::from(SCHEME, &end(numbers - 1)?),
        ("<", _) => Versions::below(SCHEME, &version.first()),
        ("<=", numbers) => Versions::below(SCHEME, &end(numbers - 1)?),
        (_, numbers) => Versions::between(SCHEME, &version.first(), &end(numbers - 1)?),
    }
}

/// `~1.2.3` and `^1.2.3` begin with the release, shortened ones with its pre-releases (node-semver, `classes/range.js`,
/// `replaceTilde` and `replaceCaret`).
fn shorthand_start(version: &Partial) -> String {
    match version.len() {
        3 => version.full(),
        _ => version.first(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_recorded, shown};
    use super::*;

    fn check(range: &str, expected: &str) {
        assert_eq!(shown(&npm(range)), expected, "{range}");
    }

    #[test]
    fn alternatives_of_comparisons() {
        check(">= 5.2.1 <= 6.0.0 || >=6.0.0 <= 6.0.2", "[5.2.1 6.0.2]"); // security-wg, 104
        check("<1.6.5 || < 2.1.7 > 2.0.0", "[0 1.6.5) [2.0.1-0 2.1.7)"); // security-wg, 49
        check("<3.11 || >= 4 <4.5", "[0 3.11.0-0) [4.0.0-0 4.5.0-0)"); // security-wg, 8
        check("<=v2.0.0-alpha7", "[0 2.0.0-alpha7]"); // security-wg, 66
        check("2.0.x || 2.1.x", "[2.0.0-0 2.2.0-0)"); // security-wg, 11
        check("=3.0.0-rc.1", "[3.0.0-rc.1 3.0.0-rc.1]"); // security-wg, 330
        check("<1.0.0 >=2.0.0", "");
        check("*", "[0");
        check("", "[0");
    }

    #[test]
    fn shorthands_end_before_the_first_prerelease() {
        check("~0.8.0-pre", "[0.8.0-pre 0.9.0-0)"); // security-wg, 305
        check("~1.2", "[1.2.0-0 1.3.0-0)");
        check("^1.1.7", "[1.1.7 2.0.0-0)");
        check("^0.2.3", "[0.2.3 0.3.0-0)");
        check("^0.2", "[0.2.0-0 0.3.0-0)");
        check("1.2 - 2.3", "[1.2.0-0 2.4.0-0)");
        check("1.2.3 - 2.3.4", "[1.2.3-0 2.3.5-0)");
        check("<=1.2", "[0 1.3.0-0)");
        check(">1", "[2.0.0-0");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for range in ["latest", ">= one", "1.2.3.4", "git://x", "^^1", "1 || b", "1.2-rc"] {
            assert!(npm(range).is_err(), "{range}");
        }
        check(
            "> 1.0.9007199254740991",
            "requirement `> 1.0.9007199254740991` can't be read: no version is known to follow",
        );
    }

    #[test]
    fn node_semver_answers_the_same() {
        check_recorded(include_str!("../../tests/fixtures/requirements/npm.tsv"), npm);
    }
}
