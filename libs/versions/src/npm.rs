//! npm versions: Semantic Versioning 2.0 as node-semver's strict parser reads it (github.com/npm/node-semver,
//! `classes/semver.js` and `internal/re.js` of 7.x): white space around it and one `v` in front are allowed.
//!
//! One difference: node-semver compares numeric pre-release identifiers above 2^53 as rounded floating point numbers;
//! here they are compared exactly, as Semantic Versioning says.

use crate::key::{KeyWriter, Why};
use crate::semver;

/// Longest version, in bytes (node-semver, `internal/constants.js`, `MAX_LENGTH`).
const NPM_LENGTH_MAX: usize = 256;

/// Largest major, minor or patch (node-semver, `internal/constants.js`: `Number.MAX_SAFE_INTEGER`).
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// Layout: see `semver.rs`.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    if raw.len() > NPM_LENGTH_MAX {
        return Err("it is longer than 256 bytes");
    }
    let version = raw.trim();
    let parts = semver::parts(version.strip_prefix('v').unwrap_or(version))?;
    if !parts.numbers.iter().all(|number| number.parse::<u64>().is_ok_and(|number| number <= NUMBER_MAX)) {
        return Err("one of its three numbers is above 9007199254740991");
    }
    Ok(semver::key(&parts))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Npm.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Npm.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn a_v_in_front_and_space_around_do_not_count() {
        check("v4.17.21", "4.17.21", Equal);
        check(" 4.17.21\n", "4.17.21", Equal);
        check("4.17.21", "4.17.20", Greater);
    }

    #[test]
    fn build_metadata_does_not_count() {
        check("1.0.0+sha.5114f85", "1.0.0+20130313144700", Equal);
        check("1.0.0-next.1+a", "1.0.0-next.1", Equal);
    }

    #[test]
    fn large_prerelease_numbers_are_compared_exactly() {
        check("1.0.0-9007199254740992", "1.0.0-9007199254740993", Less); // node-semver rounds, and says equal
    }

    #[test]
    fn what_node_semver_refuses_is_refused() {
        let long = format!("1.0.0-{}", "a".repeat(251));
        for version in
            ["", "*", "latest", "1", "1.2", "=1.2.3", "vv1.2.3", "v 1.2.3", "1.2.3alpha", "9007199254740992.0.0", &long]
        {
            assert!(Scheme::Npm.key(version).is_err(), "`{version}`");
        }
        check("9007199254740991.0.0", "1.0.0", Greater);
    }
}
