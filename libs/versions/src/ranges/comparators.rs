//! Comparators: `>=1.2 <2.0`, apart by commas or white space, alternatives behind `||`. A bare version is itself, `*`
//! is every version. For schemes whose tool writes no ranges, and the pieces of many a grammar that does.

use super::intervals::{Intervals, Operator};
use super::{Fault, alternatives};
use crate::Scheme;

/// What schemes without a grammar of their own write, longer signs before their beginnings.
pub(super) const OPERATORS: &[(&str, Operator)] = &[
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("=", Operator::Equal),
];

pub(super) fn read(scheme: Scheme, raw: &str) -> Result<Intervals, Fault> {
    let mut union = Vec::new();
    for alternative in alternatives(raw, "||")? {
        let mut all = Intervals::all();
        for (sign, version) in pieces(alternative)? {
            all = all.intersection(&one(scheme, sign, version)?);
        }
        union.push(all);
    }
    Ok(Intervals::union(union))
}

fn one(scheme: Scheme, sign: &str, version: &str) -> Result<Intervals, Fault> {
    if sign.is_empty() && version == "*" {
        return Ok(Intervals::all());
    }
    let operator = if sign.is_empty() { Operator::Equal } else { operator(OPERATORS, sign)? };
    Ok(Intervals::compared(operator, &scheme.bytes(version)?))
}

pub(super) fn operator(operators: &[(&str, Operator)], sign: &str) -> Result<Operator, Fault> {
    let known = operators.iter().find(|(known, _)| *known == sign);
    known.map(|(_, operator)| *operator).ok_or_else(|| Fault::new(sign, "it is no operator here"))
}

/// Signs (`""` for none) and what they stand before, apart by commas or white space. At least one.
pub(super) fn pieces(text: &str) -> Result<Vec<(&str, &str)>, Fault> {
    let is_divider = |letter: char| letter == ',' || letter.is_whitespace();
    let mut pieces = Vec::new();
    let mut rest = text.trim_matches(is_divider);
    while !rest.is_empty() {
        let (sign, behind) = sign(rest);
        let behind = behind.trim_start();
        let (version, behind) = behind.split_at(behind.find(is_divider).unwrap_or(behind.len()));
        if version.is_empty() {
            return Err(Fault::new(sign, "no version stands behind it"));
        }
        pieces.push((sign, version));
        rest = behind.trim_start_matches(is_divider);
    }
    match pieces.is_empty() {
        true => Err(Fault::new(text, "it is empty")),
        false => Ok(pieces),
    }
}

/// The sign in front, and what is behind.
pub(super) fn sign(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter: char| !"<>=!~^".contains(letter)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(scheme: Scheme, range: &str, inside: &[&str], outside: &[&str]) {
        let read = scheme.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn comparators_are_apart_by_commas_or_space() {
        for range in [">=1.2.0 <2.0.0", ">= 1.2.0, < 2.0.0", " >=1.2.0,<2.0.0,"] {
            check(Scheme::Go, range, &["1.2.0", "v1.9.9", "2.0.0-rc.1"], &["1.1.9", "2.0.0", "1.2.0-rc.1"]);
        }
    }

    #[test]
    fn alternatives_are_united() {
        check(
            Scheme::Go,
            "<1.0.0 || >=2.0.0 <2.1.0 || =3.0.0",
            &["0.9.0", "2.0.5", "3.0.0"],
            &["1.0.0", "2.1.0", "3.0.1"],
        );
        check(Scheme::Go, "*", &["0.0.0", "99.0.0"], &[]);
        check(Scheme::Go, "!=1.0.0", &["0.9.0", "1.0.1"], &["1.0.0"]);
        check(Scheme::Generic, "1.0", &["1.0"], &["1.0.0"]);
    }

    #[test]
    fn what_is_no_comparator_is_refused() {
        for range in ["", " ", ">=", "~1.0.0", "=>1.0.0", "||", "1.0.0 ||", ">=1.0.0 < ", "latest"] {
            assert!(Scheme::Go.range(range).is_err(), "`{range}`");
        }
    }
}
