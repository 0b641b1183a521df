//! Sets of addresses and maps from ports to such sets, each kept once: equal values have equal numbers, and what was
//! worked out of two of them once is never worked out again.

use crate::{
    addresses::{Addresses, Block, Family},
    rules::Ports,
};
use indexmap::IndexSet;
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A set of addresses of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SetId(u32);

/// Who, for each port: the ports that are not there have nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MapId(u32);

impl MapId {
    /// Nobody at any port.
    pub(crate) const EMPTY: Self = Self(0);
}

/// The same addresses at each of these ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stretch {
    pub(crate) ports: Ports,
    pub(crate) set: SetId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operation {
    Union,
    Intersection,
    Minus,
}

/// Every set and map that came up.
#[derive(Debug)]
pub(crate) struct Sets {
    sets: IndexSet<Addresses>,
    maps: IndexSet<Box<[Stretch]>>,
    of_sets: HashMap<(Operation, SetId, SetId), SetId, Quick>,
    of_maps: HashMap<(Operation, MapId, MapId), MapId, Quick>,
}

/// Hashes numbers that this program gave itself: nobody outside can choose them, so they need no protection.
type Quick = BuildHasherDefault<NumberHasher>;

#[derive(Debug, Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number.unsigned_abs() as u64);
    }

    /// Multiplication by the golden ratio's bits spreads neighbouring numbers (Knuth, volume 3, section 6.4).
    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(26) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("four thousand million sets do not fit into memory")
}

impl Sets {
    pub(crate) fn new() -> Self {
        let sets = [Addresses::none(Family::V4), Addresses::none(Family::V6)];
        let all = [Addresses::all(Family::V4), Addresses::all(Family::V6)];
        Self {
            sets: sets.into_iter().chain(all).collect(),
            maps: IndexSet::from([Box::default()]),
            of_sets: HashMap::default(),
            of_maps: HashMap::default(),
        }
    }

    /// How much is kept, to know when to begin anew.
    pub(crate) fn len(&self) -> usize {
        self.sets.len() + self.maps.len() + self.of_sets.len() + self.of_maps.len()
    }

    pub(crate) fn none(family: Family) -> SetId {
        SetId(family as u32)
    }

    pub(crate) fn all(family: Family) -> SetId {
        SetId(2 + family as u32)
    }

    pub(crate) fn is_none(set: SetId) -> bool {
        set.0 < 2
    }

    pub(crate) fn set(&mut self, addresses: Addresses) -> SetId {
        SetId(number(self.sets.insert_full(addresses).0))
    }

    pub(crate) fn of<'a>(&mut self, family: Family, blocks: impl IntoIterator<Item = &'a Block>) -> SetId {
        self.set(Addresses::of(family, blocks))
    }

    pub(crate) fn get(&self, set: SetId) -> &Addresses {
        self.sets.get_index(set.0 as usize).expect("a number is given for what is kept, and nothing is thrown away")
    }

    pub(crate) fn union(&mut self, one: SetId, other: SetId) -> SetId {
        if one == other || Self::is_none(other) {
            return one;
        }
        if Self::is_none(one) {
            return other;
        }
        self.of_sets(Operation::Union, one.min(other), one.max(other), Addresses::union)
    }

    pub(crate) fn intersection(&mut self, one: SetId, other: SetId) -> SetId {
        let family = self.get(one).family();
        if one == other || other == Self::all(family) {
            return one;
        }
        if one == Self::all(family) {
            return other;
        }
        if Self::is_none(one) || Self::is_none(other) {
            return Self::none(family);
        }
        self.of_sets(Operation::Intersection, one.min(other), one.max(other), Addresses::intersection)
    }

    pub(crate) fn minus(&mut self, one: SetId, other: SetId) -> SetId {
        if one == other {
            return Self::none(self.get(one).family());
        }
        if Self::is_none(one) || Self::is_none(other) {
            return one;
        }
        self.of_sets(Operation::Minus, one, other, Addresses::minus)
    }

    fn of_sets(
        &mut self,
        operation: Operation,
        one: SetId,
        other: SetId,
        work: fn(&Addresses, &Addresses) -> Addresses,
    ) -> SetId {
        if let Some(known) = self.of_sets.get(&(operation, one, other)) {
            return *known;
        }
        let result = work(self.get(one), self.get(other));
        let result = self.set(result);
        self.of_sets.insert((operation, one, other), result);
        result
    }

    /// Stretches in the order of their ports; they do not overlap.
    pub(crate) fn map(&mut self, stretches: impl IntoIterator<Item = Stretch>) -> MapId {
        let mut joined: Vec<Stretch> = Vec::new();
        for stretch in stretches {
            if Self::is_none(stretch.set) {
                continue;
            }
            match joined.last_mut() {
                Some(last)
                    if last.set == stretch.set && last.ports.last.checked_add(1) == Some(stretch.ports.first) =>
                {
                    last.ports.last = stretch.ports.last;
                }
                _ => joined.push(stretch),
            }
        }
        MapId(number(self.maps.insert_full(joined.into_boxed_slice()).0))
    }

    pub(crate) fn stretches(&self, map: MapId) -> &[Stretch] {
        self.maps.get_index(map.0 as usize).expect("a number is given for what is kept, and nothing is thrown away")
    }

    /// The same at every port.
    pub(crate) fn everywhere(&mut self, set: SetId) -> MapId {
        self.map([Stretch { ports: Ports::ALL, set }])
    }

    /// The same at these ports, nobody at others.
    pub(crate) fn only(&mut self, ports: impl IntoIterator<Item = Ports>, set: SetId) -> MapId {
        ports.into_iter().fold(MapId::EMPTY, |map, ports| {
            let one = self.map([Stretch { ports, set }]);
            self.join(map, one)
        })
    }

    /// Who is in one or the other.
    pub(crate) fn join(&mut self, one: MapId, other: MapId) -> MapId {
        if one == other || other == MapId::EMPTY {
            return one;
        }
        if one == MapId::EMPTY {
            return other;
        }
        self.of_maps(Operation::Union, one.min(other), one.max(other), Self::union)
    }

    /// Who is in both.
    pub(crate) fn meet(&mut self, one: MapId, other: MapId) -> MapId {
        if one == other {
            return one;
        }
        if one == MapId::EMPTY || other == MapId::EMPTY {
            return MapId::EMPTY;
        }
        self.of_maps(Operation::Intersection, one.min(other), one.max(other), Self::intersection)
    }

    fn of_maps(
        &mut self,
        operation: Operation,
        one: MapId,
        other: MapId,
        work: fn(&mut Self, SetId, SetId) -> SetId,
    ) -> MapId {
        if let Some(known) = self.of_maps.get(&(operation, one, other)) {
            return *known;
        }
        let (mine, theirs) = (self.stretches(one).to_vec(), self.stretches(other).to_vec());
        let mut result = Vec::with_capacity(mine.len() + theirs.len());
        let (mut left, mut right) = (mine.iter().copied().peekable(), theirs.iter().copied().peekable());
        let mut next: u32 = 0;
        while next <= u32::from(u16::MAX) {
            let first = u16::try_from(next).expect("the loop ends behind the last port");
            let (a, b) = (left.peek().copied(), right.peek().copied());
            let end = |stretch: Option<Stretch>| match stretch {
                None => u16::MAX,
                Some(stretch) if stretch.ports.first > first => stretch.ports.first - 1,
                Some(stretch) => stretch.ports.last,
            };
            let last = end(a).min(end(b));
            let here = |stretch: Option<Stretch>| stretch.filter(|stretch| stretch.ports.hold(first));
            let set = match (here(a), here(b)) {
                (Some(a), Some(b)) => Some(work(self, a.set, b.set)),
                (Some(one), None) | (None, Some(one)) if operation == Operation::Union => Some(one.set),
                _ => None,
            };
            result.extend(set.map(|set| Stretch { ports: Ports { first, last }, set }));
            left.next_if(|stretch| stretch.ports.last <= last);
            right.next_if(|stretch| stretch.ports.last <= last);
            if left.peek().is_none() && right.peek().is_none() {
                break;
            }
            next = u32::from(last) + 1;
        }
        let result = self.map(result);
        self.of_maps.insert((operation, one, other), result);
        result
    }

    /// Who is there at one port.
    pub(crate) fn at(&self, map: MapId, port: u16, family: Family) -> SetId {
        let stretches = self.stretches(map);
        let after = stretches.partition_point(|stretch| stretch.ports.last < port);
        let found = stretches.get(after).filter(|stretch| stretch.ports.hold(port));
        found.map_or(Self::none(family), |stretch| stretch.set)
    }

    /// Who is there at one of these ports at least.
    pub(crate) fn within(&mut self, map: MapId, ports: Ports, family: Family) -> SetId {
        let sets: Vec<SetId> = self
            .stretches(map)
            .iter()
            .filter(|stretch| stretch.ports.first <= ports.last && ports.first <= stretch.ports.last)
            .map(|stretch| stretch.set)
            .collect();
        sets.into_iter().fold(Self::none(family), |all, set| self.union(all, set))
    }

    /// Everyone at those ports where one of these addresses is, nobody at the others.
    pub(crate) fn where_is(&mut self, map: MapId, address: &Block) -> MapId {
        let everyone = Self::all(address.family);
        let ports: Vec<Ports> = self
            .stretches(map)
            .iter()
            .filter(|stretch| self.get(stretch.set).touches(address.first, address.last))
            .map(|stretch| stretch.ports)
            .collect();
        self.map(ports.into_iter().map(|ports| Stretch { ports, set: everyone }))
    }

    /// Everyone at those ports where anyone is.
    pub(crate) fn anyone_where_someone(&mut self, map: MapId, family: Family) -> MapId {
        let ports: Vec<Ports> = self.stretches(map).iter().map(|stretch| stretch.ports).collect();
        self.map(ports.into_iter().map(|ports| Stretch { ports, set: Self::all(family) }))
    }

    /// Whether the addresses of a block differ: some are there at a port, and others are not.
    pub(crate) fn tells_apart(&self, map: MapId, block: &Block) -> bool {
        self.stretches(map).iter().any(|stretch| {
            let set = self.get(stretch.set);
            set.touches(block.first, block.last) && !set.covers(block.first, block.last)
        })
    }
}

/// A map for each family and protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Flows([[MapId; 2]; 2]);

impl Flows {
    /// Nobody anywhere.
    pub(crate) const NONE: Self = Self([[MapId::EMPTY; 2]; 2]);

    /// Everyone everywhere.
    pub(crate) fn all(sets: &mut Sets) -> Self {
        Self(Family::ALL.map(|family| [sets.everywhere(Sets::all(family)); 2]))
    }

    pub(crate) fn of(&self, family: Family, protocol: crate::rules::Protocol) -> MapId {
        self.0[family as usize][protocol as usize]
    }

    pub(crate) fn at(&mut self, family: Family, protocol: crate::rules::Protocol) -> &mut MapId {
        &mut self.0[family as usize][protocol as usize]
    }

    pub(crate) fn join(self, other: Self, sets: &mut Sets) -> Self {
        let mut joined = self;
        for (mine, theirs) in joined.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *mine = sets.join(*mine, *theirs);
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `80-90 10.0.0.0/8, 443-443 0.0.0.0/0`.
    fn read(sets: &mut Sets, text: &str) -> MapId {
        let mut stretches = Vec::new();
        for part in text.split(", ").filter(|part| !part.is_empty()) {
            let (ports, blocks) = part.split_once(' ').unwrap();
            let (first, last) = ports.split_once('-').unwrap();
            let blocks: Vec<Block> = blocks.split(' ').map(|block| Block::parse(block).unwrap()).collect();
            let ports = Ports { first: first.parse().unwrap(), last: last.parse().unwrap() };
            stretches.push(Stretch { ports, set: sets.of(Family::V4, &blocks) });
        }
        sets.map(stretches)
    }

    fn written(sets: &Sets, map: MapId) -> String {
        let all = Addresses::all(Family::V4);
        let stretches = sets.stretches(map).iter().map(|stretch| {
            let blocks = sets.get(stretch.set).blocks_within(&all).join(" ");
            format!("{}-{} {blocks}", stretch.ports.first, stretch.ports.last)
        });
        stretches.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn maps_join_and_meet_port_by_port() {
        let check = |one: &str, other: &str, joined: &str, met: &str| {
            let mut sets = Sets::new();
            let (one, other) = (read(&mut sets, one), read(&mut sets, other));
            for (one, other) in [(one, other), (other, one)] {
                let (join, meet) = (sets.join(one, other), sets.meet(one, other));
                assert_eq!(written(&sets, join), joined);
                assert_eq!(written(&sets, meet), met);
            }
        };
        check("", "80-80 10.0.0.0/8", "80-80 10.0.0.0/8", "");
        check("80-90 10.0.0.0/8", "85-95 10.0.0.0/8", "80-95 10.0.0.0/8", "85-90 10.0.0.0/8");
        check("0-65535 0.0.0.0/0", "22-22 10.0.0.0/8", "0-65535 0.0.0.0/0", "22-22 10.0.0.0/8");
        check(
            "80-90 10.0.0.0/9, 443-443 0.0.0.0/0",
            "90-90 10.128.0.0/9, 443-65535 10.0.0.0/8",
            "80-89 10.0.0.0/9, 90-90 10.0.0.0/8, 443-443 0.0.0.0/0, 444-65535 10.0.0.0/8",
            "443-443 10.0.0.0/8",
        );
        check("65535-65535 10.0.0.0/8", "65535-65535 10.0.0.0/9", "65535-65535 10.0.0.0/8", "65535-65535 10.0.0.0/9");
    }

    #[test]
    fn equal_maps_have_equal_numbers() {
        let mut sets = Sets::new();
        let halves = read(&mut sets, "80-84 10.0.0.0/8, 85-90 10.0.0.0/8");
        assert_eq!(read(&mut sets, "80-90 10.0.0.0/9 10.128.0.0/9"), halves);
    }
}
