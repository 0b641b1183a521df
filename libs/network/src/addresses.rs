//! Sets of addresses, as sorted ranges: exact union, intersection and difference, and back to CIDR blocks.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) const ALL: [Self; 2] = [Self::V4, Self::V6];

    fn bits(self) -> u32 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The addresses that share their first `length` bits with `first` end here.
    fn last_of(self, first: u128, length: u32) -> u128 {
        let host_bits = self.bits() - length;
        first | u128::MAX.checked_shr(128 - host_bits).unwrap_or(0)
    }
}

/// One CIDR block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Block {
    pub(crate) family: Family,
    pub(crate) first: u128,
    pub(crate) last: u128,
    pub(crate) length: u32,
}

impl Block {
    /// `None` when it is not a CIDR. Bits behind the prefix are cleared, as EC2 does.
    pub(crate) fn parse(raw: &str) -> Option<Self> {
        let net: ipnet::IpNet = raw.parse().ok()?;
        let (family, first) = match net.network() {
            std::net::IpAddr::V4(address) => (Family::V4, u128::from(u32::from(address))),
            std::net::IpAddr::V6(address) => (Family::V6, u128::from(address)),
        };
        let length = u32::from(net.prefix_len());
        Some(Self { family, first, last: family.last_of(first, length), length })
    }

    /// A block, or a single address.
    pub(crate) fn parse_host(raw: &str) -> Option<Self> {
        let address: std::net::IpAddr = match raw.parse() {
            Ok(address) => address,
            Err(_) => return Self::parse(raw),
        };
        let (family, first) = match address {
            std::net::IpAddr::V4(address) => (Family::V4, u128::from(u32::from(address))),
            std::net::IpAddr::V6(address) => (Family::V6, u128::from(address)),
        };
        Some(Self { family, first, last: first, length: family.bits() })
    }
}

/// A set of addresses of one family.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Addresses {
    family: Family,
    /// Both ends inclusive; sorted, disjoint, and never adjacent: equal sets are equal values.
    ranges: Vec<(u128, u128)>,
}

impl Addresses {
    pub(crate) fn none(family: Family) -> Self {
        Self { family, ranges: Vec::new() }
    }

    pub(crate) fn all(family: Family) -> Self {
        Self { family, ranges: vec![(0, family.last_of(0, 0))] }
    }

    /// All addresses in these blocks; those of the other family do not count.
    pub(crate) fn of<'a>(family: Family, blocks: impl IntoIterator<Item = &'a Block>) -> Self {
        let blocks = blocks.into_iter().filter(|block| block.family == family);
        Self::joined(family, blocks.map(|block| (block.first, block.last)).collect())
    }

    fn joined(family: Family, mut parts: Vec<(u128, u128)>) -> Self {
        parts.sort_unstable();
        let mut ranges: Vec<(u128, u128)> = Vec::with_capacity(parts.len());
        for (first, last) in parts {
            match ranges.last_mut() {
                Some(open) if first <= open.1.saturating_add(1) => open.1 = open.1.max(last),
                _ => ranges.push((first, last)),
            }
        }
        Self { family, ranges }
    }

    pub(crate) fn family(&self) -> Family {
        self.family
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        Self::joined(self.family, [self.ranges.as_slice(), &other.ranges].concat())
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        let (mut mine, mut theirs) = (0, 0);
        while let (Some(&(first, last)), Some(&(other_first, other_last))) =
            (self.ranges.get(mine), other.ranges.get(theirs))
        {
            let (begin, end) = (first.max(other_first), last.min(other_last));
            if begin <= end {
                ranges.push((begin, end));
            }
            if last < other_last { mine += 1 } else { theirs += 1 }
        }
        Self { family: self.family, ranges }
    }

    /// What is in this set and not in the other.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        self.intersection(&other.complement())
    }

    fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = Some(0);
        for &(first, last) in &self.ranges {
            if let Some(begin) = next
                && begin < first
            {
                ranges.push((begin, first - 1));
            }
            next = last.checked_add(1);
        }
        let end = self.family.last_of(0, 0);
        if let Some(begin) = next
            && begin <= end
        {
            ranges.push((begin, end));
        }
        Self { family: self.family, ranges }
    }

    /// Whether one of its addresses lies between these, both included.
    pub(crate) fn touches(&self, first: u128, last: u128) -> bool {
        let after = self.ranges.partition_point(|range| range.1 < first);
        self.ranges.get(after).is_some_and(|range| range.0 <= last)
    }

    /// Whether all addresses between these, both included, are in it.
    pub(crate) fn covers(&self, first: u128, last: u128) -> bool {
        let after = self.ranges.partition_point(|range| range.1 < first);
        self.ranges.get(after).is_some_and(|range| range.0 <= first && last <= range.1)
    }

    /// The addresses of this set that are also in `internet`, as CIDR blocks in the order of their addresses.
    /// Addresses outside `internet` may be covered where that joins two blocks that hold addresses of the set: so
    /// "everyone" reads `0.0.0.0/0`, although nobody on the internet has an address in `10.0.0.0/8`, and a rule for
    /// `11.0.0.0/8` stays as it is. Two sets with the same internet addresses give the same blocks.
    pub(crate) fn blocks_within(&self, internet: &Self) -> Vec<String> {
        let inside = self.intersection(internet);
        let outside = internet.minus(&inside);
        let mut blocks = Vec::new();
        descend(&inside, &outside, 0, 0, &mut blocks);
        blocks
    }
}

/// Writes the largest blocks under this prefix that touch `outside` nowhere and `inside` in both halves.
/// Depth is at most 128; only prefixes that an edge of a range cuts are entered.
fn descend(inside: &Addresses, outside: &Addresses, first: u128, length: u32, blocks: &mut Vec<String>) {
    let family = inside.family;
    let last = family.last_of(first, length);
    if !inside.touches(first, last) {
        return;
    }
    if length == family.bits() {
        return blocks.push(written(family, first, length));
    }
    let left_last = family.last_of(first, length + 1);
    let right_first = left_last + 1;
    let both_halves = inside.touches(first, left_last) && inside.touches(right_first, last);
    if both_halves && !outside.touches(first, last) {
        return blocks.push(written(family, first, length));
    }
    descend(inside, outside, first, length + 1, blocks);
    descend(inside, outside, right_first, length + 1, blocks);
}

fn written(family: Family, first: u128, length: u32) -> String {
    match family {
        Family::V4 => {
            let address = u32::try_from(first).expect("an IPv4 set holds nothing above 32 bits");
            format!("{}/{length}", Ipv4Addr::from(address))
        }
        Family::V6 => format!("{}/{length}", Ipv6Addr::from(first)),
    }
}

/// Blocks whose addresses no packet from the internet carries as its source (IANA IPv4 and IPv6 special-purpose
/// address registries, "globally reachable: false", read 2026-11-24). Documentation blocks are left out of the list:
/// nobody has such addresses either, and examples live in them.
const NOT_ON_THE_INTERNET: [&str; 13] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/16", // unspecified, loopback, IPv4-mapped
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
];

/// The addresses that someone on the internet can have, seen from a network with these blocks of its own.
pub(crate) fn internet(family: Family, own: &[Block]) -> Addresses {
    let special = NOT_ON_THE_INTERNET.iter().filter_map(|block| Block::parse(block));
    let absent: Vec<Block> = special.chain(own.iter().copied()).collect();
    Addresses::all(family).minus(&Addresses::of(family, &absent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(family: Family, blocks: &str) -> Addresses {
        let blocks: Vec<Block> = blocks.split_whitespace().map(|block| Block::parse(block).unwrap()).collect();
        Addresses::of(family, &blocks)
    }

    /// The internet addresses of `blocks` without `minus`, written as blocks.
    fn check(family: Family, blocks: &str, minus: &str, expected: &str) {
        let result = set(family, blocks).minus(&set(family, minus));
        assert_eq!(result.blocks_within(&internet(family, &[])).join(" "), expected, "{blocks} minus {minus}");
    }

    #[test]
    fn sets_are_written_as_the_fewest_readable_blocks() {
        check(Family::V4, "0.0.0.0/0", "", "0.0.0.0/0");
        check(Family::V4, "0.0.0.0/1 128.0.0.0/1", "", "0.0.0.0/0"); // halves are one whole
        check(Family::V4, "11.0.0.0/8", "", "11.0.0.0/8"); // its sibling 10/8 is nobody's, yet not part of the rule
        check(Family::V4, "10.0.0.0/7", "", "11.0.0.0/8");
        check(Family::V4, "10.0.0.0/8 192.168.1.0/24", "", ""); // private alone is not the internet
        check(Family::V4, "203.0.113.7/32 203.0.113.6/32", "", "203.0.113.6/31");
        check(Family::V4, "203.0.113.0/24", "203.0.113.0/26", "203.0.113.64/26 203.0.113.128/25");
        check(Family::V4, "203.0.113.9/24", "", "203.0.113.0/24"); // bits behind the prefix are cleared
        check(Family::V4, "198.51.100.0/24", "0.0.0.0/0", "");
        check(Family::V6, "::/0", "", "::/0");
        check(Family::V6, "2001:db8::/32", "2001:db8:8000::/33", "2001:db8::/33");
        check(Family::V6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "", ""); // the last address of all
        check(Family::V6, "2001:db8::1/128", "", "2001:db8::1/128");
    }

    #[test]
    fn the_network_itself_is_not_the_internet() {
        let own = [Block::parse("2001:db8:1:100::/56").unwrap()];
        let everyone_else = Addresses::all(Family::V6).minus(&Addresses::of(Family::V6, &own));
        assert_eq!(everyone_else.blocks_within(&internet(Family::V6, &own)), ["::/0"]);
    }

    #[test]
    fn what_is_not_a_block_is_refused() {
        for raw in ["", "10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0/8", "sg-1"] {
            assert_eq!(Block::parse(raw), None, "{raw}");
        }
    }

    #[test]
    fn a_host_is_a_block_of_its_own() {
        assert_eq!(Block::parse_host("10.0.1.7"), Block::parse("10.0.1.7/32"));
        assert_eq!(Block::parse_host("2001:db8::1"), Block::parse("2001:db8::1/128"));
        assert_eq!(Block::parse_host("10.0.1.0/24"), Block::parse("10.0.1.0/24"));
        assert_eq!(Block::parse_host("no address"), None);
    }
}
