//! Sets of keys: sorted, disjoint intervals, and the operations on them.

use std::cmp::{max, min};

/// A place between keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cut {
    Lowest,
    /// Just before the bytes (`after` false: also before everything that begins with them), or just after.
    At {
        bytes: Vec<u8>,
        after: bool,
    },
    Highest,
}

impl Cut {
    pub fn before(bytes: impl Into<Vec<u8>>) -> Self {
        Self::At { bytes: bytes.into(), after: false }
    }

    pub fn after(bytes: impl Into<Vec<u8>>) -> Self {
        Self::At { bytes: bytes.into(), after: true }
    }

    /// Whether the key stands behind it.
    fn is_before(&self, key: &[u8]) -> bool {
        match self {
            Self::Lowest => true,
            Self::At { bytes, after: false } => bytes[..] <= *key,
            Self::At { bytes, after: true } => bytes[..] < *key,
            Self::Highest => false,
        }
    }
}

/// How a version stands to the one in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Less,
    LessOrEqual,
    Equal,
    Unequal,
    GreaterOrEqual,
    Greater,
}

/// Keys between cuts: each interval ends before the next begins, and none is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Intervals(Vec<(Cut, Cut)>);

impl Intervals {
    pub fn none() -> Self {
        Self(Vec::new())
    }

    pub fn all() -> Self {
        Self(vec![(Cut::Lowest, Cut::Highest)])
    }

    /// Nothing when `high` is not above `low`.
    pub fn between(low: Cut, high: Cut) -> Self {
        Self(if low < high { vec![(low, high)] } else { Vec::new() })
    }

    pub fn above(low: Cut) -> Self {
        Self::between(low, Cut::Highest)
    }

    pub fn below(high: Cut) -> Self {
        Self::between(Cut::Lowest, high)
    }

    /// The keys that stand so to this one.
    pub fn compared(operator: Operator, key: &[u8]) -> Self {
        match operator {
            Operator::Less => Self::below(Cut::before(key)),
            Operator::LessOrEqual => Self::below(Cut::after(key)),
            Operator::Equal => Self::between(Cut::before(key), Cut::after(key)),
            Operator::Unequal => Self::compared(Operator::Equal, key).complement(),
            Operator::GreaterOrEqual => Self::above(Cut::before(key)),
            Operator::Greater => Self::above(Cut::after(key)),
        }
    }

    pub fn contain(&self, key: &[u8]) -> bool {
        let next = self.0.partition_point(|(low, _)| low.is_before(key));
        next > 0 && !self.0[next - 1].1.is_before(key)
    }

    pub fn union(sets: impl IntoIterator<Item = Self>) -> Self {
        let mut every: Vec<(Cut, Cut)> = sets.into_iter().flat_map(|set| set.0).collect();
        every.sort();
        let mut merged: Vec<(Cut, Cut)> = Vec::with_capacity(every.len());
        for (low, high) in every {
            match merged.last_mut() {
                Some((_, last)) if low <= *last => *last = max(last.clone(), high),
                _ => merged.push((low, high)),
            }
        }
        Self(merged)
    }

    pub fn intersection(&self, other: &Self) -> Self {
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            let (low, high) = (max(&a.0, &b.0), min(&a.1, &b.1));
            if low < high {
                both.push((low.clone(), high.clone()));
            }
            if a.1 < b.1 {
                ours.next();
            } else {
                theirs.next();
            }
        }
        Self(both)
    }

    pub fn complement(&self) -> Self {
        let mut low = Cut::Lowest;
        let mut others = Vec::with_capacity(self.0.len() + 1);
        for (start, end) in &self.0 {
            if low < *start {
                others.push((low, start.clone()));
            }
            low = end.clone();
        }
        if low < Cut::Highest {
            others.push((low, Cut::Highest));
        }
        Self(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[a,b)` for each pair of letters.
    fn set(pairs: &[&str]) -> Intervals {
        let cut = |letter: u8| Cut::before([letter]);
        Intervals::union(pairs.iter().map(|pair| Intervals::between(cut(pair.as_bytes()[0]), cut(pair.as_bytes()[1]))))
    }

    #[test]
    fn intervals_are_sorted_and_merged() {
        assert_eq!(set(&["fh", "ac", "bd"]), set(&["ad", "fh"]));
        assert_eq!(set(&["ac", "ce"]), set(&["ae"]));
        assert_eq!(set(&["ca"]), Intervals::none());
    }

    #[test]
    fn what_is_in_both_is_in_the_intersection() {
        assert_eq!(set(&["ad", "fz"]).intersection(&set(&["bg", "hi"])), set(&["bd", "fg", "hi"]));
        assert_eq!(set(&["ab"]).intersection(&set(&["bc"])), Intervals::none());
    }

    #[test]
    fn a_complement_holds_the_rest() {
        assert_eq!(set(&["ab", "cd"]).complement().complement(), set(&["ab", "cd"]));
        assert_eq!(Intervals::all().complement(), Intervals::none());
        assert!(!set(&["ab"]).complement().contain(b"a"));
        assert!(set(&["ab"]).complement().contain(b"b"));
    }

    #[test]
    fn a_key_is_at_above_or_below_another() {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Unequal};
        for (operator, below, at, above) in [
            (Less, true, false, false),
            (LessOrEqual, true, true, false),
            (Equal, false, true, false),
            (Unequal, true, false, true),
            (GreaterOrEqual, false, true, true),
            (Greater, false, false, true),
        ] {
            let set = Intervals::compared(operator, b"m");
            assert_eq!([b"l", b"m", b"n"].map(|key| set.contain(key)), [below, at, above], "{operator:?}");
        }
    }
}
