//! RubyGems' requirements, as `Gem::Requirement` reads them (guides.rubygems.org/patterns, "Pessimistic version
//! constraint"), behind commas as gem specifications and advisories list them. A bare version is itself.
//!
//! `~> 1.2.3` is at least that, and its release (without what follows the first word) below `1.3`.

use super::intervals::{Cut, Intervals, Operator};
use super::{Fault, comparators, successor};
use crate::{Scheme, gem};

pub(super) fn read(raw: &str) -> Result<Intervals, Fault> {
    let mut all = Intervals::all();
    for piece in raw.split(',') {
        let (sign, version) = comparators::sign(piece.trim_matches(gem::is_space));
        all = all.intersection(&one(sign, version).map_err(|fault| Fault::new(piece.trim(), fault.why))?);
    }
    Ok(all)
}

fn one(sign: &str, version: &str) -> Result<Intervals, Fault> {
    let key = Scheme::Gem.bytes(version)?;
    let operator = match sign {
        "~>" => return Ok(Intervals::between(Cut::before(key), before_prereleases(&raised(version))?)),
        "" | "=" => Operator::Equal,
        "==" => return Err(Fault::new(sign, "RubyGems has no such operator")),
        sign => comparators::operator(comparators::OPERATORS, sign)?,
    };
    Ok(Intervals::compared(operator, &key))
}

/// The numbers before the first word, without the last unless it is alone, and the last of these one up.
fn raised(version: &str) -> String {
    let numbers = gem::segments(version.split('-').next().unwrap_or_default());
    let mut numbers: Vec<&str> = numbers.into_iter().take_while(|segment| !gem::is_word(segment)).collect();
    if numbers.len() > 1 {
        numbers.pop();
    }
    let last = numbers.pop().map(successor).unwrap_or_default();
    numbers.iter().map(|number| format!("{number}.")).collect::<String>() + &last
}

/// Before every version that starts with these numbers, zeros and then a word.
fn before_prereleases(numbers: &str) -> Result<Cut, Fault> {
    let mut key = Scheme::Gem.bytes(numbers)?;
    key.pop(); // the mark of the end
    key.push(gem::WORD);
    Ok(Cut::before(key))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Gem.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn a_pessimistic_constraint_ends_before_the_next_prerelease() {
        check("~> 4.2.5", &["4.2.5", "4.2.99"], &["4.2.4", "4.3.0", "4.3.0.rc1", "4.3.a"]);
        check("~> 4.2.5.1", &["4.2.5.1", "4.2.5.9"], &["4.2.6"]);
        check("~> 1", &["1", "1.9"], &["2", "2.0.a"]);
        check("~> 1.2.a", &["1.2.a", "1.2", "1.9"], &["2.0", "1.1"]);
        check("~> 9.99", &["9.99", "9.100"], &["10.0"]);
    }

    #[test]
    fn a_list_must_hold_as_a_whole() {
        check("~> 5.2.4, >= 5.2.4.3", &["5.2.4.3", "5.2.5"], &["5.2.4.2", "5.3.0"]); // Rails
        check(">= 1.0, != 1.5", &["1.0", "1.6"], &["1.5.0"]);
        check("1.0", &["1.0.0"], &["1.0.1"]);
    }

    #[test]
    fn what_rubygems_refuses_is_refused() {
        for range in ["", ">=", "~> x", "== 1.0", "=> 1.0", ">= 1.0 < 2.0", "^1.0", ">= 1.0,", "1.0 || 2.0"] {
            assert!(Scheme::Gem.range(range).is_err(), "`{range}`");
        }
    }
}
