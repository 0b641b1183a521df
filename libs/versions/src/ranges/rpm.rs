//! RPM's relations (rpm.org, "Dependencies"): `<`, `<=`, `=`, `>=`, `>`, apart by commas or white space. Where the
//! range's version has no release, the release of the version in question does not count.

use super::intervals::{Intervals, Operator};
use super::{Condition, Fault, comparators};
use crate::Scheme;

const OPERATORS: &[(&str, Operator)] = &[
    ("<", Operator::Less),
    ("<=", Operator::LessOrEqual),
    ("=", Operator::Equal),
    ("==", Operator::Equal),
    (">=", Operator::GreaterOrEqual),
    (">", Operator::Greater),
];

pub(super) fn read(raw: &str) -> Result<Vec<Condition>, Fault> {
    let (mut with_release, mut without_release) = (Intervals::all(), Intervals::all());
    for (sign, version) in comparators::pieces(raw)? {
        let intervals = Intervals::compared(comparators::operator(OPERATORS, sign)?, &Scheme::Rpm.bytes(version)?);
        let all = if version.contains('-') { &mut with_release } else { &mut without_release };
        *all = all.intersection(&intervals);
    }
    Ok(vec![Condition::Within(with_release), Condition::WithoutRelease(without_release)])
}

/// Epoch and version alone.
pub(super) fn without_release(version: &str) -> &str {
    version.rsplit_once('-').map_or(version, |(version, _)| version)
}

#[cfg(test)]
mod tests {
    use super::without_release;
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Rpm.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn a_release_counts_where_the_range_has_one() {
        check("= 2.0", &["2.0-1.el9", "2.0-99"], &["2.0.1-1", "1:2.0-1"]);
        check("= 2.0-1", &["2.0-1"], &["2.0-2"]);
        check("> 2.0", &["2.0.1-1"], &["2.0-5"]);
        check(">= 1:1.1.1k-1.el8, < 1:3.0", &["1:1.1.1k-7.el8"], &["1:1.1.1g-15.el8", "1:3.0-1", "3.1-1"]);
    }

    #[test]
    fn what_is_no_relation_is_refused() {
        for range in ["", "1.0", "<< 1.0", "!= 1.0", ">=", "< 1.0 || > 2.0"] {
            assert!(Scheme::Rpm.range(range).is_err(), "`{range}`");
        }
    }

    #[test]
    fn the_release_stands_behind_the_last_hyphen() {
        assert_eq!(without_release("1:2.0-3.el9"), "1:2.0");
        assert_eq!(without_release("2.0"), "2.0");
    }
}
