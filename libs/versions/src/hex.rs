//! Elixir's and Erlang's versions on Hex: Semantic Versioning 2.0 as Elixir's `Version` reads and orders it
//! (hexdocs.pm/elixir/Version.html). Numbers have any length; no `v`, no white space; build metadata does not count.

use crate::key::{KeyWriter, Why};
use crate::semver;

/// Layout: see `semver.rs`.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    semver::parts(raw).map(|parts| semver::key(&parts))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Hex.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Hex.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn the_order_is_semantic_versionings() {
        check("1.7.0-rc.0", "1.7.0-rc.1", Less); // Phoenix
        check("1.7.0-rc.1", "1.7.0", Less);
        check("1.7.10", "1.7.9", Greater);
        check("1.0.0+build.1", "1.0.0", Equal);
        check("99999999999999999999.0.0", "99999999999999999998.0.0", Greater);
    }

    #[test]
    fn what_elixir_refuses_is_refused() {
        for version in ["", "1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.2.3-01", " 1.2.3", "1.2.3-"] {
            assert!(Scheme::Hex.key(version).is_err(), "`{version}`");
        }
    }
}
