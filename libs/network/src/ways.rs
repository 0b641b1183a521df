//! Ways in: from an edge to a subnet, and back.
//!
//! A way is what routes allow, with everything on it that filters: the network ACLs of the subnets that it crosses and
//! the firewalls that it passes. What it lets through is a map from ports to sources, the same for every interface of
//! the subnet that has no address of its own in a rule.

use crate::{
    acl::{Acl, EPHEMERAL},
    addresses::{Block, Family},
    doors::Door,
    firewall::Wall,
    rules::{Ports, Protocol, Unclear},
    sets::{MapId, SetId, Sets, Stretch},
};
use indexmap::IndexSet;
use muster_domain::Step;
use std::collections::HashMap;

/// Where sources are, as [`muster_domain::Reachability::edge`] names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Edge {
    Internet,
    Peer,
    Vpn,
    DirectConnect,
    Transit,
}

impl Edge {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Peer => "peer",
            Self::Vpn => "vpn",
            Self::DirectConnect => "direct-connect",
            Self::Transit => "transit",
        }
    }
}

macro_rules! numbered {
    ($($(#[$about:meta])* $name:ident)*) => { $(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) usize);
    )* };
}
numbered! {
    /// A network ACL, by what it says.
    AclId
    /// A firewall, by what it says.
    WallId
    /// A way, by all that it is.
    WayId
    /// A door, by its ways.
    DoorId
}

/// A subnet on the way, before the one where it ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hop {
    pub(crate) subnet: String,
    pub(crate) acl: AclId,
    /// The firewall whose endpoint stands there.
    pub(crate) wall: Option<WallId>,
}

/// Whose groups the rules at the end of a way may refer to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Behind {
    Peering { connection: String, vpc: String },
    Transit { vpc: String },
}

/// One way in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Way {
    pub(crate) edge: Edge,
    pub(crate) family: Family,
    /// From the edge inwards, up to the subnet's network ACL.
    pub(crate) steps: Vec<Step>,
    /// Who can be at its other end, and is answered the same way.
    pub(crate) sources: SetId,
    /// All that its sources are taken from: writes them readably.
    pub(crate) universe: SetId,
    /// The addresses that it leads to; `None`: the whole subnet.
    pub(crate) destinations: Option<SetId>,
    pub(crate) hops: Vec<Hop>,
    pub(crate) subnet: String,
    pub(crate) acl: AclId,
    /// Whether it comes from a transit gateway, whose attachment may stand in the same subnet.
    pub(crate) transit: bool,
    /// What is not known of it: then it may not be there.
    pub(crate) unclear: Vec<Unclear>,
    pub(crate) behind: Option<Behind>,
}

/// What a way lets through to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// For certain, by protocol.
    pub(crate) known: [MapId; 2],
    /// When everything that is not known is open, by protocol.
    pub(crate) possible: [MapId; 2],
}

impl Passage {
    pub(crate) const NONE: Self = Self { known: [MapId::EMPTY; 2], possible: [MapId::EMPTY; 2] };

    pub(crate) fn join(self, other: Self, sets: &mut Sets) -> Self {
        let mut joined = self;
        for protocol in 0..2 {
            joined.known[protocol] = sets.join(self.known[protocol], other.known[protocol]);
            joined.possible[protocol] = sets.join(self.possible[protocol], other.possible[protocol]);
        }
        joined
    }
}

/// Everything that came up, each once, so that equal things have equal numbers.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) sets: Sets,
    pub(crate) acls: IndexSet<Acl>,
    pub(crate) walls: IndexSet<Wall>,
    pub(crate) ways: IndexSet<Way>,
    pub(crate) doors: IndexSet<Door>,
    /// Of ways that treat addresses differently.
    passages: HashMap<(WayId, Block), Passage>,
    /// By the number of the way.
    same: Vec<Sameness>,
    through_doors: HashMap<(DoorId, Block), Option<Passage>>,
}

/// Whether a way lets the same through to every address of its subnet's block.
#[derive(Clone, Copy, Debug)]
enum Sameness {
    NotAsked,
    Differs,
    Same(Block, Passage),
}

impl Known {
    pub(crate) fn new() -> Self {
        Self {
            sets: Sets::new(),
            acls: IndexSet::new(),
            walls: IndexSet::new(),
            ways: IndexSet::new(),
            doors: IndexSet::new(),
            passages: HashMap::new(),
            same: Vec::new(),
            through_doors: HashMap::new(),
        }
    }

    /// How much is kept, to know when to begin anew.
    pub(crate) fn len(&self) -> usize {
        self.sets.len() + self.ways.len() + self.doors.len() + self.passages.len() + self.through_doors.len()
    }

    pub(crate) fn way(&self, way: WayId) -> &Way {
        self.ways.get_index(way.0).expect("a number is given for what is kept, and nothing is thrown away")
    }

    pub(crate) fn door(&self, door: DoorId) -> &Door {
        self.doors.get_index(door.0).expect("a number is given for what is kept, and nothing is thrown away")
    }

    pub(crate) fn acl(&self, acl: AclId) -> &Acl {
        self.acls.get_index(acl.0).expect("a number is given for what is kept, and nothing is thrown away")
    }

    pub(crate) fn wall(&self, wall: WallId) -> &Wall {
        self.walls.get_index(wall.0).expect("a number is given for what is kept, and nothing is thrown away")
    }

    /// What is not known along a way.
    pub(crate) fn unclear_on(&self, way: WayId) -> Vec<Unclear> {
        let way = self.way(way);
        let acls = way.hops.iter().map(|hop| hop.acl).chain([way.acl]).filter_map(|acl| self.acl(acl).unclear.clone());
        let walls = way.hops.iter().filter_map(|hop| hop.wall);
        let walls = walls.flat_map(|wall| self.wall(wall).unclear.iter().cloned());
        way.unclear.iter().cloned().chain(acls).chain(walls).collect()
    }

    /// What the way lets through to an address that stands in a block of its subnet, or in none: then `subnet` is the
    /// address itself.
    pub(crate) fn passage(&mut self, way: WayId, address: &Block, subnet: &Block) -> Passage {
        if address != subnet
            && let Some(passage) = self.same_passage(way, address, subnet)
        {
            return passage;
        }
        if self.way(way).destinations.is_some_and(|to| !self.sets.get(to).touches(address.first, address.last)) {
            return Passage::NONE;
        }
        if let Some(known) = self.passages.get(&(way, *address)) {
            return *known;
        }
        let passage = self.work_out(way, address);
        self.passages.insert((way, *address), passage);
        passage
    }

    /// What the way lets through to every address of the block, when that is the same.
    fn same_passage(&mut self, way: WayId, address: &Block, subnet: &Block) -> Option<Passage> {
        match self.same.get(way.0) {
            Some(Sameness::Same(block, passage)) => return (block == subnet).then_some(*passage),
            Some(Sameness::Differs) => return None,
            Some(Sameness::NotAsked) | None => {}
        }
        if self.same.len() <= way.0 {
            self.same.resize(self.ways.len(), Sameness::NotAsked);
        }
        if self.way(way).destinations.is_some() || self.tells_apart(way, subnet) {
            self.same[way.0] = Sameness::Differs;
            return None;
        }
        let passage = self.work_out(way, address);
        self.same[way.0] = Sameness::Same(*subnet, passage);
        Some(passage)
    }

    /// What all ways of a door let through together to every address of the block, when that is the same.
    pub(crate) fn through_door(&mut self, door: DoorId, address: &Block, subnet: &Block) -> Option<Passage> {
        if address == subnet {
            return None;
        }
        if let Some(known) = self.through_doors.get(&(door, *subnet)) {
            return *known;
        }
        let mut through = Some(Passage::NONE);
        for way in self.door(door).ways.clone() {
            let more = self.same_passage(way, address, subnet);
            through = match (through, more) {
                (Some(through), Some(more)) => Some(through.join(more, &mut self.sets)),
                _ => None,
            };
        }
        self.through_doors.insert((door, *subnet), through);
        through
    }

    /// Whether something on the way treats the addresses of a block differently.
    fn tells_apart(&self, way: WayId, subnet: &Block) -> bool {
        self.way(way).hops.iter().any(|hop| {
            let acl = self.acl(hop.acl);
            let by_list = Protocol::ALL.iter().any(|protocol| {
                self.sets.tells_apart(acl.egress.of(subnet.family, *protocol), subnet)
                    || self.sets.tells_apart(acl.ingress.of(subnet.family, *protocol), subnet)
            });
            by_list || hop.wall.is_some_and(|wall| self.wall(wall).tells_apart(&self.sets, subnet))
        })
    }

    fn work_out(&mut self, way: WayId, address: &Block) -> Passage {
        let way = self.way(way).clone();
        let is_known = way.unclear.is_empty()
            && way.hops.iter().map(|hop| hop.acl).chain([way.acl]).all(|acl| self.acl(acl).unclear.is_none());
        let mut passage = Passage::NONE;
        for protocol in Protocol::ALL {
            let (known, possible) = self.through(&way, protocol, address);
            passage.possible[protocol as usize] = possible;
            passage.known[protocol as usize] = if is_known { known } else { MapId::EMPTY };
        }
        passage
    }

    /// Who gets through and is answered, for certain and possibly: network ACLs at each border of a subnet, and the
    /// firewalls between, for at least one port that the client may send from.
    fn through(&mut self, way: &Way, protocol: Protocol, address: &Block) -> (MapId, MapId) {
        let family = way.family;
        let (there, back) = self.lists(way, protocol, address);
        let walls: Vec<Wall> = way.hops.iter().filter_map(|hop| hop.wall).map(|wall| self.wall(wall).clone()).collect();
        let sets = &mut self.sets;
        if walls.is_empty() {
            let answered = sets.within(back, EPHEMERAL, family);
            let sources = sets.intersection(answered, way.sources);
            let sources = sets.everywhere(sources);
            let map = sets.meet(there, sources);
            return (map, map);
        }
        let (mut known, mut possible) = (MapId::EMPTY, MapId::EMPTY);
        for client in client_ports(sets, back, &walls) {
            let answered = sets.at(back, client, family);
            let sources = sets.intersection(answered, way.sources);
            let sources = sets.everywhere(sources);
            let map = sets.meet(there, sources);
            if map == MapId::EMPTY {
                continue;
            }
            let (mut certain, mut perhaps) = (map, map);
            for wall in &walls {
                let (passed, may_pass) = wall.passes(sets, protocol, address, client);
                certain = sets.meet(certain, passed);
                perhaps = sets.meet(perhaps, may_pass);
            }
            known = sets.join(known, certain);
            possible = sets.join(possible, perhaps);
        }
        (known, possible)
    }

    /// What the network ACLs say: who may send to each port, and who may be answered on each port.
    fn lists(&mut self, way: &Way, protocol: Protocol, address: &Block) -> (MapId, MapId) {
        let family = way.family;
        let everyone = self.sets.everywhere(Sets::all(family));
        let (mut there, mut back) = (everyone, everyone);
        let mut before: Option<(&str, AclId)> = None;
        let borders = way.hops.iter().map(|hop| (hop.subnet.as_str(), hop.acl)).chain([(way.subnet.as_str(), way.acl)]);
        for (subnet, acl) in borders {
            let (ingress, egress) =
                (self.acl(acl).ingress.of(family, protocol), self.acl(acl).egress.of(family, protocol));
            if before.is_none() && way.transit {
                before = Some((subnet, acl)); // a transit gateway's attachment stands inside its subnet
                continue;
            }
            let stays = before.is_some_and(|(left, _)| left == subnet);
            if !stays {
                there = self.sets.meet(there, ingress);
                back = self.sets.meet(back, egress);
            } else if way.transit {
                // Towards an attachment in the same subnet both directions are asked, unlike from it
                // (Transit Gateways guide, "Network ACLs for transit gateways", read 2026-11-24).
                back = self.sets.meet(back, egress);
                let enters = self.sets.where_is(ingress, address);
                back = self.sets.meet(back, enters);
            }
            if let Some((_, left)) = before.filter(|_| !stays) {
                let left = self.acl(left);
                let (out, into) = (left.egress.of(family, protocol), left.ingress.of(family, protocol));
                let leaves = self.sets.where_is(out, address);
                there = self.sets.meet(there, leaves);
                let enters = self.sets.where_is(into, address);
                back = self.sets.meet(back, enters);
            }
            before = Some((subnet, acl));
        }
        (there, back)
    }
}

/// One port of each stretch of client ports over which neither list nor firewall changes.
fn client_ports(sets: &Sets, back: MapId, walls: &[Wall]) -> Vec<u16> {
    let lists = sets.stretches(back).iter().map(|stretch: &Stretch| stretch.ports);
    let cuts: Vec<Ports> = lists.chain(walls.iter().flat_map(Wall::client_ports)).chain([EPHEMERAL]).collect();
    let starts = crate::rules::stretches(cuts).into_iter().map(|ports| ports.first);
    starts.filter(|port| EPHEMERAL.hold(*port)).collect()
}
