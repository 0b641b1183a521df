//! RubyGems' requirements (docs.ruby-lang.org, `Gem::Requirement`; guides.rubygems.org/patterns, read 2026-11-24):
//! comparisons with commas between them, all of which must hold; without an operator `=` is meant.

use super::{Unreadable, Versions, all_of, check_length, operator};
use muster_versions::Scheme;

const SCHEME: Scheme = Scheme::Gem;

/// The word of a pre-release that comes before the words that pre-releases have in real life (`alpha`, `RC1`, `beta`).
/// There is no first one: RubyGems compares words letter by letter, and `1.A.A` comes before `1.A`.
const EARLIEST_WORD: &str = "A";

pub(crate) fn gem(requirement: &str) -> Result<Versions, Unreadable> {
    check_length(requirement)?;
    all_of(SCHEME, requirement.split(',').map(comparison)).map_err(|why| Unreadable::new(requirement, why))
}

fn comparison(text: &str) -> Result<Versions, String> {
    let (operator, version) = operator(text, &["~>", ">=", "<=", "!=", ">", "<", "="]);
    match operator {
        "~>" => Versions::between(SCHEME, version, &pessimistic_end(version)),
        ">=" => Versions::from(SCHEME, version),
        ">" => Versions::above(SCHEME, version),
        "<=" => Versions::up_to(SCHEME, version),
        "<" => Versions::below(SCHEME, version),
        "!=" => Versions::exactly(SCHEME, version).map(Versions::not),
        _ => Versions::exactly(SCHEME, version),
    }
}

/// Where `~>` ends: `Gem::Version#bump` takes the words and all behind them off, then the last number, and counts the
/// one before it up. `Gem::Requirement` compares the release of a version with that, so pre-releases of the end are
/// beyond it.
fn pessimistic_end(version: &str) -> String {
    let digits = version.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(version.len());
    let mut numbers: Vec<&str> = version[..digits].split('.').filter(|number| !number.is_empty()).collect();
    if numbers.len() > 1 {
        numbers.pop();
    }
    let last = numbers.pop().map(count_up).unwrap_or_default();
    numbers.push(&last);
    format!("{}.{EARLIEST_WORD}", numbers.join("."))
}

/// The next number, of any length.
fn count_up(digits: &str) -> String {
    let kept = digits.trim_end_matches('9');
    let nines = digits.len() - kept.len();
    let head = match kept.as_bytes().split_last() {
        None => "1".to_owned(),
        Some((last, _)) => format!("{}{}", &kept[..kept.len() - 1], char::from(last + 1)),
    };
    format!("{head}{}", "0".repeat(nines))
}

/// RubyGems' order is dense, so there is no next version, but nobody numbers below this one: behind `1.2`, before `1.2.0.1`.
pub(super) fn following(version: &str) -> String {
    format!("{}.0.1.a", version.trim())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_recorded, shown};
    use super::*;

    fn check(requirement: &str, expected: &str) {
        assert_eq!(shown(&gem(requirement)), expected, "{requirement}");
    }

    #[test]
    fn the_pessimistic_operator_keeps_all_numbers_but_the_last() {
        check("~> 1.2.3", "[1.2.3 1.3.A)");
        check("~> 1.2", "[1.2 2.A)");
        check("~> 1", "[1 2.A)");
        check("~> 3.1.0.rc5", "[3.1.0.rc5 3.2.A)"); // ruby-advisory-db, CVE-2011-2930
        check("~> 1.0.0.rc1.1", "[1.0.0.rc1.1 1.1.A)");
        check("~> 1.9.9", "[1.9.9 1.10.A)");
        check("~> 2.3.5, >= 2.3.5.1", "[2.3.5.1 2.4.A)");
    }

    #[test]
    fn comparisons_are_plain() {
        check("1.2", "[1.2 1.2]");
        check("= 1.2", "[1.2 1.2]");
        check("!= 1.2", "[0 1.2) [1.2.0.1.a");
        check("> 1.0.0.rc1", "[1.0.0.rc1.0.1.a");
        check(">=1.2,<2", "[1.2 2)");
        check("<= 1.2", "[0 1.2]");
    }

    #[test]
    fn what_rubygems_refuses_is_refused() {
        for requirement in ["", ">= 1,", "~> ", "~> a", "^1", "1 2", "=> 1", "1 || 2"] {
            assert!(gem(requirement).is_err(), "{requirement}");
        }
    }

    #[test]
    fn gem_requirement_answers_the_same() {
        check_recorded(include_str!("../../tests/fixtures/requirements/gem.tsv"), gem);
    }
}
