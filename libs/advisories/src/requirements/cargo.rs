//! Cargo's requirements (doc.rust-lang.org/cargo/reference/specifying-dependencies.html, read 2026-11-24), as RustSec
//! writes them: comparisons with commas between them, all of which must hold; without an operator `^` is meant.
//!
//! Pre-releases are ordered as any version, and missing numbers are zeros also in comparisons, as RustSec's own export to
//! OSV and `cargo audit` have it: `^1.2` ends before the first pre-release of 2.0.0.

use super::semver::Partial;
use super::{Unreadable, Versions, all_of, check_length, operator};
use muster_versions::Scheme;

const SCHEME: Scheme = Scheme::Cargo;

pub(crate) fn cargo(requirement: &str) -> Result<Versions, Unreadable> {
    check_length(requirement)?;
    all_of(SCHEME, requirement.split(',').map(comparator)).map_err(|why| Unreadable::new(requirement, why))
}

fn comparator(text: &str) -> Result<Versions, String> {
    let (operator, version) = operator(text, &[">=", "<=", ">", "<", "=", "^", "~"]);
    if version.is_empty() {
        return Err("a version is missing".to_owned());
    }
    let version = Partial::read(version)?;
    if version.has_wildcard {
        return match (operator, version.len()) {
            ("", 0) => Ok(Versions::all(SCHEME)),
            ("" | "=", 1..) => Versions::between(SCHEME, &version.full(), &version.next(version.len() - 1)?),
            _ => Err(format!("`{operator}` with a wildcard")),
        };
    }
    match operator {
        ">=" => Versions::from(SCHEME, &version.full()),
        ">" => Versions::above(SCHEME, &version.full()),
        "<" => Versions::below(SCHEME, &version.full()),
        "<=" => Versions::up_to(SCHEME, &version.full()),
        "=" => Versions::exactly(SCHEME, &version.full()),
        "~" => Versions::between(SCHEME, &version.full(), &version.next(version.tilde_place())?),
        _ => Versions::between(SCHEME, &version.full(), &version.next(version.caret_place())?),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    fn check(requirement: &str, expected: &str) {
        assert_eq!(shown(&cargo(requirement)), expected, "{requirement}");
    }

    #[test]
    fn a_caret_keeps_the_first_number_that_is_not_zero() {
        // the table of the Cargo book, "Default requirements", with the pre-releases of the end left out
        check("^1.2.3", "[1.2.3 2.0.0-0)");
        check("1.2", "[1.2.0 2.0.0-0)");
        check("^1", "[1.0.0 2.0.0-0)");
        check("^0.2.3", "[0.2.3 0.3.0-0)");
        check("^0.2", "[0.2.0 0.3.0-0)");
        check("^ 0.0.3", "[0.0.3 0.0.4-0)");
        check("^0.0", "[0.0.0 0.1.0-0)");
        check("^0", "[0.0.0 1.0.0-0)");
        check("^1.0.0-rc.1", "[1.0.0-rc.1 2.0.0-0)");
    }

    #[test]
    fn a_tilde_keeps_the_second_number() {
        check("~1.2.3", "[1.2.3 1.3.0-0)");
        check("~1.2", "[1.2.0 1.3.0-0)");
        check("~1", "[1.0.0 2.0.0-0)");
    }

    #[test]
    fn comparisons_are_all_to_hold() {
        check(">= 1.2.3, < 1.5", "[1.2.3 1.5.0)");
        check("< 0.9.10, >= 0.9.2", "[0.9.2 0.9.10)"); // RustSec writes either order
        check("> 1.0", "[1.0.1-0");
        check("<=2", "[0 2.0.0]");
        check("=0.2.0", "[0.2.0 0.2.0]");
        check("*", "[0");
        check("1.2.*", "[1.2.0 1.3.0-0)");
        check(">= 111.16", "[111.16.0"); // openssl-src counts so
    }

    #[test]
    fn what_cargo_refuses_is_refused() {
        for requirement in ["", ">=", ">= 1, ", ">= one", "> 1.*", "1.2.3.4", ">= 1 < 2", "!= 1", "1 || 2"] {
            assert!(cargo(requirement).is_err(), "{requirement}");
        }
    }
}
