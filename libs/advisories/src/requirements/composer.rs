//! Composer's constraints (getcomposer.org/doc/articles/versions.md, read 2026-11-24) as far as FriendsOfPHP's database
//! uses them: comparisons with commas between them, all of which must hold.
//!
//! `>= 1.2` begins with the development versions of 1.2, as Composer has it. `< 1.3` ends with 1.3 itself, where Composer
//! ends before its development versions: the end is shown as the version to update to, and that a pre-release of it has
//! the fix is more than the database says.

use super::{Unreadable, Versions, all_of, check_length, operator};
use muster_versions::Scheme;

const SCHEME: Scheme = Scheme::Composer;

pub(crate) fn composer(constraint: &str) -> Result<Versions, Unreadable> {
    check_length(constraint)?;
    all_of(SCHEME, constraint.split(',').map(comparison)).map_err(|why| Unreadable::new(constraint, why))
}

fn comparison(text: &str) -> Result<Versions, String> {
    let (operator, version) = operator(text, &[">=", "<=", "==", "!=", "<>", ">", "<", "="]);
    match operator {
        ">=" => Versions::from(SCHEME, &with_development(version)),
        ">" => Versions::above(SCHEME, version),
        "<=" => Versions::up_to(SCHEME, version),
        "<" => Versions::below(SCHEME, version),
        "!=" | "<>" => Versions::exactly(SCHEME, version).map(Versions::not),
        _ if version == "*" => Ok(Versions::all(SCHEME)),
        _ => Versions::exactly(SCHEME, version),
    }
}

fn with_development(version: &str) -> String {
    match has_stability(version) {
        true => version.to_owned(),
        false => format!("{version}-dev"),
    }
}

fn has_stability(version: &str) -> bool {
    version.trim_start_matches(['v', 'V']).contains(|letter: char| letter.is_ascii_alphabetic())
}

/// Behind a release come its patches, behind a pre-release the same with one more number; `dev` comes before either.
pub(super) fn following(version: &str) -> String {
    match has_stability(version) {
        true => format!("{version}.0-dev"),
        false => format!("{version}-patch-dev"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_recorded, shown};
    use super::*;

    fn check(constraint: &str, expected: &str) {
        assert_eq!(shown(&composer(constraint)), expected, "{constraint}");
    }

    #[test]
    fn a_range_begins_with_its_development_versions() {
        check(">=2.3,<2.3.2-p2", "[2.3-dev 2.3.2-p2)"); // magento/product-community-edition, CVE-2019-8122
        check(">=4.0.0-rc10", "[4.0.0-rc10");
        check("<=1.2", "[0 1.2]");
        check(">1.2, <=1.4", "[1.2-patch-dev 1.4]");
        check(">1.0-beta1", "[1.0-beta1.0-dev");
        check("=1.2", "[1.2 1.2]");
        check("!=1.2", "[0 1.2) [1.2-patch-dev");
        check("*", "[0");
    }

    #[test]
    fn branches_that_follow_each_other_are_one_span() {
        let list = [">=2.0.0,<3.0.0".to_owned(), ">=3.0.0,<3.0.4".to_owned()];
        assert_eq!(shown(&super::super::any_of(SCHEME, composer, &list)), "[2.0.0-dev 3.0.4)");
    }

    #[test]
    fn composer_answers_the_same() {
        check_recorded(include_str!("../../tests/fixtures/requirements/composer.tsv"), composer);
    }

    #[test]
    fn what_is_no_comparison_is_refused() {
        for constraint in ["", "^1.2", "~1.2", "dev-main", ">=dev-main", "1.*", "1 - 2", "1|2", ">1.0-dev-dev"] {
            assert!(composer(constraint).and_then(|versions| versions.range()).is_err(), "{constraint}");
        }
    }
}
