//! Debian's relations (deb-control(5), Debian Policy §7.1): `<<`, `<=`, `=`, `>=`, `>>`, with or without round brackets,
//! apart by commas or white space; alternatives behind `|`.
//!
//! `<` and `>` are refused: to dpkg they mean `<=` and `>=`, to everybody else what they look like.

use super::intervals::{Intervals, Operator};
use super::{Fault, alternatives, comparators};
use crate::Scheme;

const OPERATORS: &[(&str, Operator)] = &[
    ("<<", Operator::Less),
    ("<=", Operator::LessOrEqual),
    ("=", Operator::Equal),
    (">=", Operator::GreaterOrEqual),
    (">>", Operator::Greater),
];

pub(super) fn read(raw: &str) -> Result<Intervals, Fault> {
    let mut union = Vec::new();
    for alternative in alternatives(raw, "|")? {
        let mut all = Intervals::all();
        for (sign, version) in comparators::pieces(&alternative.replace(['(', ')'], " "))? {
            let operator = comparators::operator(OPERATORS, sign)?;
            all = all.intersection(&Intervals::compared(operator, &Scheme::Deb.bytes(version)?));
        }
        union.push(all);
    }
    Ok(Intervals::union(union))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    #[test]
    fn relations_are_debians() {
        for (range, inside, outside) in [
            ("<< 7.88.1-10+deb12u5", "7.88.1-10", "7.88.1-10+deb12u5"),
            (">= 1.0, << 2.0", "1.5-1", "2.0"),
            ("(>= 1.0) (<< 2.0~)", "1.0", "2.0~rc1"),
            ("<= 1.0 | >> 3.0", "3.0-1", "2.0"),
            ("= 1:1.0-1", "1:1.0-1", "1.0-1"),
        ] {
            let read = Scheme::Deb.range(range).unwrap();
            assert_eq!((read.contains(inside), read.contains(outside)), (Ok(true), Ok(false)), "`{range}`");
        }
    }

    #[test]
    fn what_is_no_relation_is_refused() {
        for range in ["", "1.0", "< 1.0", "> 1.0", "!= 1.0", "== 1.0", ">=", ">= a", "<< 1.0 |"] {
            assert!(Scheme::Deb.range(range).is_err(), "`{range}`");
        }
    }
}
