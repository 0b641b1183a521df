//! Swift packages' versions: Semantic Versioning 2.0 as Swift's package manager reads it from a repository's tags
//! (github.com/swiftlang/swift-package-manager, `Version`): a `v` in front is allowed, each number fits a signed
//! 64-bit integer, build metadata does not count.

use crate::key::{KeyWriter, Why};
use crate::semver;

/// Layout: see `semver.rs`.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let parts = semver::parts(raw.strip_prefix('v').unwrap_or(raw))?;
    if !parts.numbers.iter().all(|number| number.parse::<i64>().is_ok()) {
        return Err("one of its three numbers is above 9223372036854775807");
    }
    Ok(semver::key(&parts))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Swift.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Swift.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn a_v_in_front_and_builds_do_not_count() {
        check("v2.19.2", "2.19.2", Equal); // swift-nio's lock files have it without
        check("1.0.0+1", "1.0.0+2", Equal);
        check("1.0.0-beta.2", "1.0.0-beta.10", Less);
        check("2.20.0", "2.19.2", Greater);
    }

    #[test]
    fn what_swift_refuses_is_refused() {
        for version in
            ["", "1", "1.2", "V1.2.3", "vv1.2.3", "01.2.3", "1.2.3-01", " 1.2.3", "9223372036854775808.0.0", "main"]
        {
            assert!(Scheme::Swift.key(version).is_err(), "`{version}`");
        }
    }
}
