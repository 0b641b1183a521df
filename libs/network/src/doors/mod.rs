//! The doors of a subnet: for each edge, every way in by which a connection can come and be answered.
//!
//! A connection needs a way there and the same way back. The way back is what the subnet's route table says for the
//! source; the way there is what the gateway, or whatever is on the other side of it, says for the destination.

mod following;
mod gateways;
mod peering;
mod transit;

use crate::{
    acl::Acl,
    addresses::{Block, Family},
    firewall::Walls,
    index::{Described, Index, blocks},
    routes::Routes,
    rules::Unclear,
    sets::{SetId, Sets},
    topology::{RouteTable, Subnet, Topology},
    ways::{AclId, Behind, DoorId, Edge, Hop, Known, WallId, Way, WayId},
};
use following::Via;
use muster_domain::Step;
use std::{collections::HashMap, rc::Rc};

/// The ways into a subnet from one edge, for one family; those with fewest steps first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Door {
    pub(crate) edge: Edge,
    pub(crate) family: Family,
    pub(crate) ways: Vec<WayId>,
}

/// A subnet as its interfaces see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) vpc: String,
    pub(crate) blocks: Vec<Block>,
    pub(crate) acl: AclId,
    pub(crate) doors: Vec<DoorId>,
    /// What the subnet's route table leads to over active peerings, by connection.
    pub(crate) peerings: Result<Vec<(String, Family, SetId)>, Unclear>,
}

/// All places, by the id of their subnet.
pub(crate) type Places = HashMap<String, Place>;

/// The places of all topologies.
pub(crate) fn places(topologies: &[Topology], known: &mut Known) -> Places {
    let nameless = nameless(topologies);
    let index = Index::new(topologies, &nameless);
    let walls = Walls::new(topologies);
    let mut builder = Builder::new(topologies, &index, &walls, known);
    let mut subnets: Vec<_> = index.subnets.values().copied().collect();
    subnets.sort_by_key(|subnet| subnet.item.subnet_id.as_str());
    subnets.into_iter().map(|subnet| (subnet.item.subnet_id.clone(), builder.place(subnet))).collect()
}

/// Subnets that are not described themselves; what their interfaces tell is enough for almost everything.
fn nameless(topologies: &[Topology]) -> Vec<(usize, Subnet)> {
    let described: std::collections::HashSet<&str> =
        topologies.iter().flat_map(|topology| &topology.subnets).map(|subnet| subnet.subnet_id.as_str()).collect();
    let mut found: HashMap<&str, (usize, Subnet)> = HashMap::new();
    for (number, topology) in topologies.iter().enumerate() {
        for interface in &topology.network_interfaces {
            if described.contains(interface.subnet_id.as_str()) || found.contains_key(interface.subnet_id.as_str()) {
                continue;
            }
            let subnet = Subnet {
                subnet_id: interface.subnet_id.clone(),
                vpc_id: interface.vpc_id.clone(),
                availability_zone: interface.availability_zone.clone(),
                ..Subnet::default()
            };
            found.insert(&interface.subnet_id, (number, subnet));
        }
    }
    found.into_values().collect()
}

pub(crate) fn step(id: &str, kind: &str) -> Step {
    Step { component_id: id.to_owned(), component_type: kind.to_owned() }
}

type Read<T> = Rc<Result<T, Unclear>>;

/// Who is sent from another VPC, to where, and what is not known of it.
#[derive(Clone, Debug)]
struct Sent {
    sources: SetId,
    destinations: SetId,
    unclear: Vec<Unclear>,
}

struct Builder<'a, 'k> {
    topologies: &'a [Topology],
    index: &'k Index<'a>,
    walls: &'k Walls<'a>,
    known: &'k mut Known,
    blocks: HashMap<&'a str, Rc<Vec<Block>>>,
    tables: HashMap<&'a str, Read<Routes>>,
    transit_tables: HashMap<(usize, String), Read<Routes>>,
    acls: HashMap<&'a str, AclId>,
    wall_ids: HashMap<String, WallId>,
    sent: HashMap<(&'a str, String, Family), Rc<Vec<Sent>>>,
    made: Vec<WayId>,
}

/// Everything about a way that is not the subnet's.
struct Draft {
    edge: Edge,
    family: Family,
    steps: Vec<Step>,
    sources: SetId,
    universe: SetId,
    destinations: Option<SetId>,
    /// Where a transit gateway's attachment stands.
    arrival: Option<Hop>,
    via: Vec<Via>,
    unclear: Vec<Unclear>,
    behind: Option<Behind>,
}

impl<'a, 'k> Builder<'a, 'k> {
    fn new(topologies: &'a [Topology], index: &'k Index<'a>, walls: &'k Walls<'a>, known: &'k mut Known) -> Self {
        Self {
            topologies,
            index,
            walls,
            known,
            blocks: HashMap::new(),
            tables: HashMap::new(),
            transit_tables: HashMap::new(),
            acls: HashMap::new(),
            wall_ids: HashMap::new(),
            sent: HashMap::new(),
            made: Vec::new(),
        }
    }

    fn sets(&mut self) -> &mut Sets {
        &mut self.known.sets
    }

    fn place(&mut self, subnet: Described<'a, Subnet>) -> Place {
        let blocks = blocks(subnet.item.blocks());
        let acl = self.acl(subnet);
        let mut doors: Vec<Door> = Vec::new();
        for family in Family::ALL {
            if !blocks.is_empty() && blocks.iter().all(|block| block.family != family) {
                continue; // no address of that family can be there
            }
            self.made.clear();
            self.enter(subnet, family);
            let mut made = std::mem::take(&mut self.made);
            let steps = |way: &WayId| {
                let way = self.known.way(*way);
                (way.edge, way.steps.len(), way.steps.iter().map(|step| step.component_id.clone()).collect::<Vec<_>>())
            };
            made.sort_by_cached_key(steps);
            for way in made {
                let edge = self.known.way(way).edge;
                match doors.last_mut() {
                    Some(door) if door.edge == edge && door.family == family => door.ways.push(way),
                    _ => doors.push(Door { edge, family, ways: vec![way] }),
                }
            }
        }
        let doors = doors.into_iter().map(|door| DoorId(self.known.doors.insert_full(door).0)).collect();
        let peerings = self.over_peerings(subnet);
        Place { vpc: subnet.item.vpc_id.clone(), blocks, acl, doors, peerings }
    }

    fn over_peerings(&mut self, subnet: Described<'a, Subnet>) -> Result<Vec<(String, Family, SetId)>, Unclear> {
        let routes = self.routes_of(subnet);
        let routes = routes.as_ref().as_ref().map_err(Unclear::clone)?;
        let is_active = |id: &str| self.index.peerings.get(id).is_some_and(|peering| peering.is_active());
        let mut over = Vec::new();
        for family in Family::ALL {
            let targets = routes.targets(family).filter(|(id, _)| id.starts_with("pcx-") && is_active(id));
            over.extend(targets.map(|(id, to)| (id.to_owned(), family, to)));
        }
        Ok(over)
    }

    /// Every way in.
    fn enter(&mut self, subnet: Described<'a, Subnet>, family: Family) {
        for back in self.ways_back(subnet, family) {
            match back.gateway.split_once('-').map(|(kind, _)| kind) {
                Some("igw") => self.enter_by_internet_gateway(subnet, family, &back),
                Some("vgw") => self.enter_by_virtual_gateway(subnet, family, &back),
                Some("pcx") => self.enter_by_peering(subnet, family, &back),
                Some("tgw") => self.enter_by_transit_gateway(subnet, family, &back),
                _ => {} // nothing comes in by any other target
            }
        }
    }

    /// The VPC's blocks; none when the VPC is not known.
    fn own(&mut self, vpc: &str) -> Rc<Vec<Block>> {
        let Some(found) = self.index.vpcs.get(vpc) else {
            return Rc::default();
        };
        let item = found.item;
        self.blocks.entry(&item.vpc_id).or_insert_with(|| Rc::new(blocks(item.blocks()))).clone()
    }

    fn routes(&mut self, table: &'a RouteTable) -> Read<Routes> {
        if let Some(read) = self.tables.get(table.route_table_id.as_str()) {
            return read.clone();
        }
        let own = self.own(&table.vpc_id);
        let index = self.index;
        let unknown_list = |list: &str| index.unknown_list(list);
        let read = Rc::new(Routes::read(table, &own, &index.lists, &unknown_list, self.sets()));
        self.tables.insert(&table.route_table_id, read.clone());
        read
    }

    fn routes_of(&mut self, subnet: Described<'a, Subnet>) -> Read<Routes> {
        match self.index.table_of(subnet) {
            Ok(table) => self.routes(table),
            Err(unclear) => Rc::new(Err(unclear)),
        }
    }

    fn acl(&mut self, subnet: Described<'a, Subnet>) -> AclId {
        if let Some(known) = self.acls.get(subnet.item.subnet_id.as_str()) {
            return *known;
        }
        let read = match self.index.acl_of(subnet) {
            Ok(acl) => Acl::read(acl, self.sets()),
            Err(unclear) => Acl::unknown("", unclear, self.sets()),
        };
        let acl = AclId(self.known.acls.insert_full(read).0);
        self.acls.insert(&subnet.item.subnet_id, acl);
        acl
    }

    fn wall(&mut self, endpoint: &str) -> WallId {
        if let Some(known) = self.wall_ids.get(endpoint) {
            return *known;
        }
        let read = self.walls.wall(endpoint, self.index, &mut self.known.sets);
        let wall = WallId(self.known.walls.insert_full(read).0);
        self.wall_ids.insert(endpoint.to_owned(), wall);
        wall
    }

    /// Keeps a way, unless nobody can use it.
    fn add(&mut self, subnet: Described<'a, Subnet>, mut draft: Draft) {
        let own = self.own(&subnet.item.vpc_id);
        let own = self.sets().of(draft.family, own.iter());
        draft.sources = self.sets().minus(draft.sources, own);
        if Sets::is_none(draft.sources) {
            return;
        }
        let destinations = match draft.destinations {
            Some(to) => match self.led_to(subnet, draft.family, to) {
                Some(to) => to,
                None => return,
            },
            None => None,
        };
        let mut hops: Vec<Hop> = draft.arrival.into_iter().collect();
        for via in &draft.via {
            draft.steps.push(step(&via.id, via.kind()));
            match via.subnet.as_deref().and_then(|id| self.index.subnets.get(id).copied()) {
                Some(standing) => {
                    let (acl, wall) = (self.acl(standing), self.wall(&via.id));
                    hops.push(Hop { subnet: standing.item.subnet_id.clone(), acl, wall: Some(wall) });
                }
                None => draft.unclear.push(via.unclear()),
            }
        }
        let way = Way {
            edge: draft.edge,
            family: draft.family,
            steps: draft.steps,
            sources: draft.sources,
            universe: draft.universe,
            destinations,
            transit: hops.first().is_some_and(|hop| hop.wall.is_none()),
            hops,
            subnet: subnet.item.subnet_id.clone(),
            acl: self.acl(subnet),
            unclear: draft.unclear,
            behind: draft.behind,
        };
        let way = WayId(self.known.ways.insert_full(way).0);
        self.made.push(way);
    }

    /// The part of the subnet that a way leads to; `None`: nothing of it, `Some(None)`: all.
    fn led_to(&mut self, subnet: Described<'a, Subnet>, family: Family, to: SetId) -> Option<Option<SetId>> {
        if to == Sets::all(family) {
            return Some(None);
        }
        let own = blocks(subnet.item.blocks());
        let own: Vec<&Block> = own.iter().filter(|block| block.family == family).collect();
        let addresses = self.sets().get(to);
        if own.is_empty() {
            return (!addresses.is_empty()).then_some(Some(to));
        }
        if own.iter().all(|block| addresses.covers(block.first, block.last)) {
            return Some(None);
        }
        own.iter().any(|block| addresses.touches(block.first, block.last)).then_some(Some(to))
    }
}
