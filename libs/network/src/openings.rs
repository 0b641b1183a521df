//! What comes through the doors of a subnet to one of its interfaces, and past the interface's security groups.

use crate::{
    addresses::{Block, Family},
    doors::Place,
    groups::{Group, Reference},
    members::Member,
    rules::{Protocol, Unclear},
    sets::{Flows, MapId, SetId, Sets},
    ways::{Behind, DoorId, Edge, Known, Passage, WayId},
};
use indexmap::IndexSet;
use std::collections::{HashMap, HashSet};

/// A security group, by what it permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupId(usize);

/// What a set of groups permits together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permits {
    pub(crate) groups: Vec<GroupId>,
    pub(crate) known: Flows,
    pub(crate) possible: Flows,
    pub(crate) has_references: bool,
}

/// A set of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PermitsId(usize);

/// Every group and set of groups that came up.
#[derive(Debug, Default)]
pub(crate) struct Permissions {
    groups: IndexSet<Group>,
    numbers: HashMap<Vec<GroupId>, PermitsId>,
    permits: Vec<Permits>,
}

impl Permissions {
    pub(crate) fn add(&mut self, group: Group) -> GroupId {
        GroupId(self.groups.insert_full(group).0)
    }

    pub(crate) fn group(&self, group: GroupId) -> &Group {
        self.groups.get_index(group.0).expect("a number is given for what is kept, and nothing is thrown away")
    }

    pub(crate) fn permits(&self, permits: PermitsId) -> &Permits {
        &self.permits[permits.0]
    }

    pub(crate) fn len(&self) -> usize {
        self.groups.len() + self.permits.len()
    }

    pub(crate) fn together(&mut self, groups: &[GroupId], sets: &mut Sets) -> PermitsId {
        if let Some(known) = self.numbers.get(groups) {
            return *known;
        }
        let mut permits =
            Permits { groups: groups.to_vec(), known: Flows::NONE, possible: Flows::NONE, has_references: false };
        for group in groups {
            let group = self.group(*group);
            permits.has_references |= !group.references.is_empty();
            permits.known = permits.known.join(group.known, sets);
            permits.possible = permits.possible.join(group.possible, sets);
        }
        let number = PermitsId(self.permits.len());
        self.permits.push(permits);
        self.numbers.insert(groups.to_vec(), number);
        number
    }
}

/// The members of the groups that rules refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Roster {
    /// By group and VPC.
    addresses: HashMap<String, HashMap<String, Vec<Block>>>,
    /// VPCs all of whose interfaces are known.
    complete: HashSet<String>,
}

impl Roster {
    pub(crate) fn new<'a>(
        referred: &HashSet<&str>,
        members: impl Iterator<Item = &'a Member>,
        complete: HashSet<String>,
    ) -> Self {
        let mut roster = Self { complete, ..Self::default() };
        if referred.is_empty() {
            return roster;
        }
        for member in members {
            for group in member.groups.iter().filter(|group| referred.contains(group.as_str())) {
                let of_group = roster.addresses.entry(group.clone()).or_default();
                let addresses = of_group.entry(member.vpc.clone()).or_default();
                addresses.extend(member.hosts.iter().map(|host| host.block));
            }
        }
        roster
    }

    /// Whether the group of a reference may have members outside this VPC.
    fn may_be_behind(&self, reference: &Reference, vpc: &str) -> bool {
        let elsewhere = |by_vpc: &HashMap<String, Vec<Block>>| by_vpc.keys().any(|other| other != vpc);
        reference.peering.is_some() || self.addresses.get(&reference.group).is_some_and(elsewhere)
    }

    /// The members' addresses in a VPC; `None`: not known.
    fn members(&self, group: &str, vpc: &str, family: Family, sets: &mut Sets) -> Option<SetId> {
        if !self.complete.contains(vpc) {
            return None;
        }
        let found = self.addresses.get(group).and_then(|by_vpc| by_vpc.get(vpc));
        Some(sets.of(family, found.into_iter().flatten()))
    }
}

/// What comes in from one edge, by one protocol and family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) edge: Edge,
    pub(crate) family: Family,
    pub(crate) protocol: Protocol,
    /// For certain.
    pub(crate) known: MapId,
    /// When everything that is not known is open.
    pub(crate) possible: MapId,
    pub(crate) door: DoorId,
    /// What is not known besides ways and groups.
    pub(crate) unclear: Vec<Unclear>,
}

/// The block of the subnet where an address stands; the address itself where that is not known.
fn standing(place: &Place, address: &Block) -> Block {
    let holds =
        |block: &&Block| block.family == address.family && block.first <= address.first && address.last <= block.last;
    *place.blocks.iter().find(holds).unwrap_or(address)
}

/// What one way lets through to an interface.
pub(crate) fn passage(known: &mut Known, place: &Place, member: &Member, way: WayId) -> Passage {
    let (edge, family) = (known.way(way).edge, known.way(way).family);
    let mut passage = Passage::NONE;
    for host in member.hosts_of(family).filter(|host| host.is_public || edge != Edge::Internet) {
        let more = known.passage(way, &host.block, &standing(place, &host.block));
        passage = passage.join(more, &mut known.sets);
    }
    passage
}

/// Everything that comes in to an interface.
pub(crate) fn openings(
    known: &mut Known,
    permissions: &Permissions,
    roster: &Roster,
    place: &Place,
    member: &Member,
    permits: PermitsId,
) -> Vec<Opening> {
    let mut found = Vec::new();
    if !member.listens {
        return found;
    }
    let permits = permissions.permits(permits);
    let references = permits.groups.iter().flat_map(|group| &permissions.group(*group).references);
    let references: Vec<&Reference> = match permits.has_references {
        true => references.filter(|reference| roster.may_be_behind(reference, &member.vpc)).collect(),
        false => Vec::new(),
    };
    for door in &place.doors {
        let through = through(known, place, member, *door);
        if through == Passage::NONE {
            continue;
        }
        let mut by_reference = Passage::NONE;
        if !references.is_empty() {
            for way in known.door(*door).ways.clone() {
                let referred = referred(known, roster, &references, place, member, way);
                by_reference = by_reference.join(referred, &mut known.sets);
            }
        }
        let of_protocol = |protocol| opening(known, *door, permits, protocol, through, by_reference);
        found.extend(Protocol::ALL.into_iter().filter_map(of_protocol));
    }
    found
}

/// What all ways of a door let through to an interface.
fn through(known: &mut Known, place: &Place, member: &Member, door: DoorId) -> Passage {
    let (edge, family) = (known.door(door).edge, known.door(door).family);
    let mut through = Passage::NONE;
    for host in member.hosts_of(family).filter(|host| host.is_public || edge != Edge::Internet) {
        let subnet = standing(place, &host.block);
        let more = match known.through_door(door, &host.block, &subnet) {
            Some(same) => same,
            None => {
                let ways = known.door(door).ways.clone();
                let each = ways.into_iter().map(|way| known.passage(way, &host.block, &subnet)).collect::<Vec<_>>();
                each.into_iter().fold(Passage::NONE, |all, more| all.join(more, &mut known.sets))
            }
        };
        through = through.join(more, &mut known.sets);
    }
    through
}

fn opening(
    known: &mut Known,
    door: DoorId,
    permits: &Permits,
    protocol: Protocol,
    through: Passage,
    by_reference: Passage,
) -> Option<Opening> {
    let at = protocol as usize;
    let (edge, family) = (known.door(door).edge, known.door(door).family);
    let sets = &mut known.sets;
    let possible = sets.meet(through.possible[at], permits.possible.of(family, protocol));
    let possible = sets.join(possible, by_reference.possible[at]);
    if possible == MapId::EMPTY {
        return None;
    }
    let certain = sets.meet(through.known[at], permits.known.of(family, protocol));
    let certain = sets.join(certain, by_reference.known[at]);
    Some(Opening { edge, family, protocol, known: certain, possible, door, unclear: Vec::new() })
}

/// What rules let in that name a group behind the way.
fn referred(
    known: &mut Known,
    roster: &Roster,
    references: &[&Reference],
    place: &Place,
    member: &Member,
    way: WayId,
) -> Passage {
    let Some(behind) = known.way(way).behind.clone() else {
        return Passage::NONE;
    };
    let family = known.way(way).family;
    let through = passage(known, place, member, way);
    let mut all = Passage::NONE;
    for reference in references {
        let Some(vpc) = names(reference, &behind) else {
            continue;
        };
        let members = roster.members(&reference.group, vpc, family, &mut known.sets);
        // In another account, whose interfaces are not known: only a rule that says so itself means it.
        let (certain, perhaps) = match members {
            Some(members) => (members, members),
            None if reference.peering.is_some() => (Sets::none(family), Sets::all(family)),
            None => continue,
        };
        for protocol in Protocol::ALL.into_iter().filter(|protocol| reference.protocols.hold(*protocol)) {
            let at = protocol as usize;
            let sets = &mut known.sets;
            let (certain, perhaps) = (sets.only([reference.ports], certain), sets.only([reference.ports], perhaps));
            let (certain, perhaps) = (sets.meet(certain, through.known[at]), sets.meet(perhaps, through.possible[at]));
            all.known[at] = sets.join(all.known[at], certain);
            all.possible[at] = sets.join(all.possible[at], perhaps);
        }
    }
    all
}

/// The VPC whose group a reference may mean, seen through a way.
fn names<'a>(reference: &Reference, behind: &'a Behind) -> Option<&'a str> {
    match behind {
        Behind::Peering { connection, vpc } => {
            reference.peering.as_ref().is_none_or(|peering| peering == connection).then_some(vpc)
        }
        Behind::Transit { vpc } => reference.peering.is_none().then_some(vpc),
    }
}

/// What is not known about an opening.
pub(crate) fn unclear_about(
    known: &mut Known,
    permissions: &Permissions,
    place: &Place,
    member: &Member,
    permits: PermitsId,
    opening: &Opening,
) -> Vec<Unclear> {
    let mut unclear = opening.unclear.clone();
    let at = opening.protocol as usize;
    for way in known.door(opening.door).ways.clone() {
        let through = passage(known, place, member, way);
        let met = known.sets.meet(through.possible[at], opening.possible);
        if through.known[at] != through.possible[at] && met != MapId::EMPTY {
            unclear.extend(known.unclear_on(way));
        }
    }
    let permits = permissions.permits(permits);
    for group in &permits.groups {
        unclear.extend(permissions.group(*group).unclear.iter().cloned());
    }
    if unclear.is_empty() {
        let peer = "a rule names a group behind a peering whose members are not known";
        unclear.push(Unclear::new("ec2:DescribeNetworkInterfaces", peer));
    }
    unclear.sort();
    unclear.dedup();
    unclear
}
