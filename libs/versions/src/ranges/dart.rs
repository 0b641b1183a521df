//! Dart's constraints, as `VersionConstraint.parse` of `pub_semver` reads them (dart.dev/tools/pub/dependencies, "Version
//! constraints"): `^1.2.3`, comparators that must hold together, a bare version for itself, `any`.
//!
//! `<2.0.0` holds no pre-release of 2.0.0, unless the range begins with one of them.

use super::intervals::{Cut, Intervals, Operator};
use super::triples::before_prereleases;
use super::{Fault, comparators, successor};
use crate::{Scheme, semver};

pub(super) fn read(raw: &str) -> Result<Intervals, Fault> {
    if raw.trim() == "any" {
        return Ok(Intervals::all());
    }
    let pieces = comparators::pieces(raw)?;
    let lows: Vec<&str> =
        pieces.iter().filter(|(sign, _)| sign.starts_with('>')).map(|(_, version)| *version).collect();
    let mut all = Intervals::all();
    for (sign, version) in &pieces {
        if version.contains(',') || raw.contains(',') {
            return Err(Fault::new(raw, "Dart has no commas in constraints"));
        }
        all = all.intersection(&one(sign, version, &lows)?);
    }
    Ok(all)
}

fn one(sign: &str, version: &str, lows: &[&str]) -> Result<Intervals, Fault> {
    let key = Scheme::Pub.bytes(version)?;
    let numbers = numbers(version);
    let is_release = !version.contains(['-', '+']);
    match sign {
        "^" => {
            let next = match numbers[0] == "0" {
                true => ["0".to_owned(), successor(&numbers[1]), "0".to_owned()],
                false => [successor(&numbers[0]), "0".to_owned(), "0".to_owned()],
            };
            Ok(Intervals::between(Cut::before(key), before_prereleases(&next)))
        }
        "<" if is_release && !lows.iter().any(|low| low.contains('-') && self::numbers(low) == numbers) => {
            Ok(Intervals::below(before_prereleases(&numbers)))
        }
        "" => Ok(Intervals::compared(Operator::Equal, &key)),
        "<" | "<=" | ">" | ">=" => Ok(Intervals::compared(comparators::operator(comparators::OPERATORS, sign)?, &key)),
        _ => Err(Fault::new(sign, "it is no operator of Dart's")),
    }
}

/// The three numbers of a version that was read, without zeros in front.
fn numbers(version: &str) -> [String; 3] {
    let (version, _) = semver::cut(version, '+');
    let (core, _) = semver::cut(version, '-');
    let mut numbers = core.split('.').map(|number| match number.trim_start_matches('0') {
        "" => "0".to_owned(),
        number => number.to_owned(),
    });
    std::array::from_fn(|_| numbers.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Pub.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn a_caret_ends_before_what_may_break() {
        check("^1.2.3", &["1.2.3", "1.9.0", "1.2.3+1"], &["2.0.0", "2.0.0-dev", "1.2.2"]);
        check("^0.1.2", &["0.1.2", "0.1.9"], &["0.2.0"]);
        check("^0.0.3", &["0.0.3", "0.0.4"], &["0.1.0"]); // unlike npm
    }

    #[test]
    fn an_end_leaves_out_its_prereleases() {
        check(">=1.0.0 <2.0.0", &["1.0.0", "1.5.0-dev"], &["2.0.0-dev", "2.0.0"]);
        check(">=2.0.0-a <2.0.0", &["2.0.0-dev"], &["2.0.0"]);
        check("any", &["0.0.1"], &[]);
        check("1.0.0", &["1.0.0"], &["1.0.0+1"]);
    }

    #[test]
    fn what_pub_refuses_is_refused() {
        for range in ["", "^1", "~1.0.0", ">=1.0.0, <2.0.0", "any ^1.0.0", "==1.0.0", "!=1.0.0", ">="] {
            assert!(Scheme::Pub.range(range).is_err(), "`{range}`");
        }
    }
}
