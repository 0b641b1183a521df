//! Cargo versions: Semantic Versioning 2.0 as the `semver` crate's `Version::parse` reads it (docs.rs/semver) and its
//! `cmp_precedence` orders it. No `v`, no white space.
//!
//! `Version`'s `Ord` differs: it goes on to compare build metadata, which is no precedence (Semantic Versioning §10).

use crate::key::{KeyWriter, Why};
use crate::semver;

/// Layout: see `semver.rs`.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let parts = semver::parts(raw)?;
    // The `semver` crate keeps the three numbers in a u64.
    if !parts.numbers.iter().all(|number| number.parse::<u64>().is_ok()) {
        return Err("one of its three numbers is above 18446744073709551615");
    }
    Ok(semver::key(&parts))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Cargo.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Cargo.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn build_metadata_does_not_count() {
        check("0.9.3+1.1.1k", "0.9.3+3.0.0", Equal); // openssl-src names the bundled OpenSSL there
        check("111.25.0+1.1.1t", "111.24.0+1.1.1s", Greater);
    }

    #[test]
    fn a_prerelease_comes_before_its_release() {
        check("0.3.0-alpha.9", "0.3.0-alpha.10", Less);
        check("0.3.0-alpha.10", "0.3.0", Less);
        check("1.0.0-rc1", "1.0.0-rc10", Less);
        check("1.0.0-rc2", "1.0.0-rc10", Greater); // one word each: text order
    }

    #[test]
    fn what_the_semver_crate_refuses_is_refused() {
        for version in ["", "1", "1.2", "v1.2.3", " 1.2.3", "1.2.3-", "18446744073709551616.0.0"] {
            assert!(Scheme::Cargo.key(version).is_err(), "`{version}`");
        }
        check("18446744073709551615.0.0", "1.0.0", Greater);
    }
}
