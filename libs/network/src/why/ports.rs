//! The ports that the client may have sent from: network ACLs and firewalls narrow them on the way.

use std::fmt;

/// A set of ports as ranges, both ends inclusive, sorted and apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ports(Vec<(u16, u16)>);

impl Ports {
    /// Where clients send from and replies go to. Amazon VPC user guide, "Custom network ACLs: ephemeral ports", read
    /// 2026-11-24: 1024-65535 covers every client.
    pub(super) fn of_clients() -> Self {
        Self::range(1024, u16::MAX)
    }

    pub(super) fn one(port: u16) -> Self {
        Self::range(port, port)
    }

    /// Empty when the ends are the wrong way round.
    pub(super) fn range(first: u16, last: u16) -> Self {
        Self(if first <= last { vec![(first, last)] } else { Vec::new() })
    }

    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn first(&self) -> Option<u16> {
        self.0.first().map(|(first, _)| *first)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        let pairs = self.0.iter().flat_map(|mine| other.0.iter().map(move |theirs| (mine, theirs)));
        let shared = pairs.map(|(mine, theirs)| (mine.0.max(theirs.0), mine.1.min(theirs.1)));
        Self(shared.filter(|(first, last)| first <= last).collect())
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        let mut left = self.clone();
        for &(first, last) in &other.0 {
            let below = first.checked_sub(1).map_or_else(Self::none, |end| Self::range(0, end));
            let above = last.checked_add(1).map_or_else(Self::none, |begin| Self::range(begin, u16::MAX));
            let mut kept = left.and(&below).0;
            kept.extend(left.and(&above).0);
            left = Self(kept);
        }
        left
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        let mut all = self.without(other).0;
        all.extend(&other.0);
        all.sort_unstable();
        Self(all)
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            if first == last {
                write!(formatter, "{comma}{first}")?
            } else {
                write!(formatter, "{comma}{first}-{last}")?
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_ports_are_narrowed_exactly() {
        let check = |set: Ports, expected: &str| assert_eq!(set.to_string(), expected);
        check(Ports::range(0, 100).without(&Ports::one(50)), "0-49,51-100");
        check(Ports::range(0, 100).without(&Ports::range(0, 100)), "");
        check(Ports::range(10, 20).without(&Ports::range(0, 15)), "16-20");
        check(Ports::range(10, u16::MAX).without(&Ports::range(20, u16::MAX)), "10-19");
        check(Ports::range(0, 10).and(&Ports::range(10, 20)), "10");
        check(Ports::one(5).or(&Ports::range(1, 3)), "1-3,5");
        check(Ports::range(20, 10), "");
    }
}
