//! The way of a packet through route tables to an interface, and of the reply back to the edge.

use super::{
    Answer, Edge, Header, Protocol, World, filters, firewall, is_on_the_internet,
    world::{Attachment, Interface, Subnet, Table},
};
use ipnet::IpNet;
use std::{collections::BTreeSet, net::IpAddr};

/// More endpoints than this in a row are a loop.
const HOPS_MAX: usize = 8;

/// One door through which a VPC can be entered.
#[derive(Clone, Debug)]
pub enum Entry<'a> {
    Internet { gateway: String },
    Peer { peering: String },
    Virtual { gateway: String },
    Transit { ours: &'a Attachment, theirs: &'a Attachment },
}

impl Entry<'_> {
    /// What a route names to leave by this door.
    fn target(&self) -> &str {
        match self {
            Entry::Internet { gateway } | Entry::Virtual { gateway } => gateway,
            Entry::Peer { peering } => peering,
            Entry::Transit { ours, .. } => &ours.transit,
        }
    }
}

/// The subnets that a packet crosses on its way, beside the last one.
#[derive(Debug, PartialEq, Eq)]
struct Way {
    /// Endpoints of firewalls, in the order in which they are passed.
    endpoints: Vec<String>,
}

/// Whether a connection from this source to this port of the interface comes about.
pub fn arrives(
    world: &World,
    interface: &Interface,
    edge: Edge,
    source: IpAddr,
    protocol: Protocol,
    port: u16,
) -> Answer {
    let targets: Vec<IpAddr> = match source {
        IpAddr::V4(_) => {
            let usable = interface.ipv4.iter().filter(|(_, public)| *public || edge != Edge::Internet);
            usable.map(|(address, _)| *address).collect()
        }
        IpAddr::V6(_) => interface.ipv6.iter().map(IpNet::addr).collect(),
    };
    let entries = entries(world, edge, &interface.vpc);
    let mut answers = Vec::new();
    for destination in targets {
        for (entry, exists) in &entries {
            let header = Header { protocol, source, source_port: 0, destination, destination_port: port };
            answers.push(exists.clone().and(|| through(world, entry, interface, header)));
        }
    }
    Answer::any(answers)
}

/// The doors of a VPC to an edge, and whether each is known to be there.
fn entries<'a>(world: &'a World, edge: Edge, vpc: &str) -> Vec<(Entry<'a>, Answer)> {
    match edge {
        Edge::Internet => doors(world, vpc, "igw-", "ec2:DescribeInternetGateways", &world.internet_gateways)
            .map(|(gateway, exists)| (Entry::Internet { gateway }, exists))
            .collect(),
        Edge::Peer => {
            let mut ids: BTreeSet<String> = targets(world, vpc, "pcx-");
            ids.extend(world.peerings.iter().map(|peering| peering.id.clone()));
            let known = |id: &String| match world.peerings.iter().find(|peering| peering.id == *id) {
                Some(peering) => Answer::of(peering.active && peering.sides.iter().any(|side| side.vpc == vpc)),
                None => not_told("ec2:DescribeVpcPeeringConnections"),
            };
            ids.into_iter().map(|id| (Entry::Peer { peering: id.clone() }, known(&id))).collect()
        }
        Edge::Vpn | Edge::DirectConnect => {
            let mut entries: Vec<_> = doors(world, vpc, "vgw-", "ec2:DescribeVpnGateways", &world.virtual_gateways)
                .map(|(gateway, exists)| {
                    let used = hangs_on(world, edge, &gateway);
                    (Entry::Virtual { gateway }, exists.and(|| used))
                })
                .collect();
            entries.extend(transit_entries(world, edge, vpc));
            entries
        }
        Edge::Transit => transit_entries(world, edge, vpc),
    }
}

/// Gateways that are attached to the VPC, or that only a route tells of.
fn doors(
    world: &World,
    vpc: &str,
    prefix: &str,
    call: &str,
    known: &[(String, Option<String>)],
) -> impl Iterator<Item = (String, Answer)> {
    let mut ids = targets(world, vpc, prefix);
    ids.extend(known.iter().map(|(id, _)| id.clone()));
    let answer = |id: &String| match known.iter().find(|(gateway, _)| gateway == id) {
        Some((_, attached)) => Answer::of(attached.as_deref() == Some(vpc)),
        None => absent(world, call), // the owner of a VPC sees all of its gateways
    };
    ids.into_iter().map(|id| (id.clone(), answer(&id))).collect::<Vec<_>>().into_iter()
}

/// What a route names and no answer describes: nobody knows what it does.
fn not_told(call: &str) -> Answer {
    Answer::Unknown(call.into())
}

/// What is looked for and not there: unknown when the call was not answered, and closed when it was.
fn absent(world: &World, call: &str) -> Answer {
    if world.missing.contains(call) { not_told(call) } else { Answer::Blocked }
}

/// The targets of a VPC's routes that begin so.
fn targets(world: &World, vpc: &str, prefix: &str) -> BTreeSet<String> {
    let tables = world.tables.iter().filter(|table| table.vpc == vpc);
    let targets = tables.flat_map(|table| &table.routes).filter_map(|route| route.target.clone());
    targets.filter(|target| target.starts_with(prefix)).collect()
}

/// Whether the edge lies behind a virtual private gateway.
fn hangs_on(world: &World, edge: Edge, gateway: &str) -> Answer {
    if edge == Edge::DirectConnect {
        if world.missing.contains("directconnect:DescribeVirtualInterfaces") {
            return Answer::Unknown("directconnect:DescribeVirtualInterfaces".into());
        }
        return Answer::of(world.direct_connects.contains(gateway));
    }
    if world.missing.contains("ec2:DescribeVpnConnections") {
        return Answer::Unknown("ec2:DescribeVpnConnections".into());
    }
    Answer::of(world.vpns.iter().any(|vpn| vpn.available && vpn.gateway.as_deref() == Some(gateway)))
}

fn transit_entries<'a>(world: &'a World, edge: Edge, vpc: &str) -> Vec<(Entry<'a>, Answer)> {
    let mut entries = Vec::new();
    let ours = world.attachments.iter().filter(|one| one.kind == "vpc" && one.resource == vpc && one.available);
    for ours in ours {
        let others = world.attachments.iter().filter(|one| one.transit == ours.transit && one.id != ours.id);
        for theirs in others.filter(|one| one.available && edge_of(&one.kind) == Some(edge)) {
            entries.push((Entry::Transit { ours, theirs }, Answer::Open));
        }
    }
    entries
}

fn edge_of(kind: &str) -> Option<Edge> {
    match kind {
        "vpn" => Some(Edge::Vpn),
        "direct-connect-gateway" => Some(Edge::DirectConnect),
        "vpc" | "peering" | "connect" => Some(Edge::Transit),
        _ => None,
    }
}

/// One packet through one door to one address, and its reply.
fn through(world: &World, entry: &Entry, interface: &Interface, header: Header) -> Answer {
    let Some(subnet) = world.subnets.iter().find(|subnet| subnet.id == interface.subnet) else {
        return Answer::Unknown("ec2:DescribeSubnets".into());
    };
    may_be_there(world, entry, interface, header)
        .and(|| filters::groups_admit(world, interface, entry, header))
        .and(|| routed(world, entry, subnet, header))
}

/// Whether someone with this source address can stand behind the door.
fn may_be_there(world: &World, entry: &Entry, interface: &Interface, header: Header) -> Answer {
    let (source, destination) = (header.source, header.destination);
    let is_own = world
        .vpcs
        .iter()
        .filter(|vpc| vpc.id == interface.vpc)
        .any(|vpc| vpc.blocks.iter().any(|block| block.contains(&source)));
    if is_own {
        return Answer::Blocked;
    }
    match entry {
        Entry::Internet { .. } => Answer::of(is_on_the_internet(source)),
        Entry::Peer { peering } => {
            let Some(peering) = world.peerings.iter().find(|known| known.id == *peering) else {
                return Answer::Open;
            };
            let there = peering.sides.iter().find(|side| side.vpc != interface.vpc).unwrap();
            // No transit: what is not the peer's own address does not come from the peer.
            let holds = there.blocks.iter().any(|block| block.contains(&source));
            Answer::of(holds).and(|| sent_from(world, &there.vpc, source, destination, &peering.id, None))
        }
        Entry::Virtual { gateway } => {
            // Behind a VPN with static routes lies what they name; what BGP tells is not described.
            let vpns = world.vpns.iter().filter(|vpn| vpn.gateway.as_ref() == Some(gateway) && vpn.available);
            let holds = |routes: &Vec<IpNet>| routes.iter().any(|block| block.contains(&source));
            let behind: Vec<bool> = vpns.map(|vpn| vpn.routes.as_ref().is_none_or(holds)).collect();
            let known = behind.is_empty() || world.direct_connects.contains(gateway);
            Answer::of(known || behind.contains(&true))
        }
        Entry::Transit { ours, theirs } => {
            let Some(table) = theirs.table.as_ref().and_then(|table| world.transit_tables.get(table)) else {
                return Answer::of(theirs.table.is_some())
                    .and(|| Answer::Unknown("ec2:SearchTransitGatewayRoutes".into()));
            };
            if transit_hop(table, destination) != Some(ours.id.as_str()) {
                return Answer::Blocked;
            }
            if theirs.kind != "vpc" {
                return Answer::Open;
            }
            sent_from(world, &theirs.resource, source, destination, &ours.transit, Some(theirs))
        }
    }
}

/// Whether a VPC sends what comes from this address by this way: the address lies in a subnet whose table says so.
/// Of a VPC that is not given, everything is assumed.
fn sent_from(
    world: &World,
    vpc: &str,
    source: IpAddr,
    destination: IpAddr,
    way: &str,
    attachment: Option<&Attachment>,
) -> Answer {
    if world.vpcs.iter().all(|known| known.id != vpc) {
        return Answer::Open;
    }
    let holding = |subnet: &&Subnet| subnet.vpc == vpc && subnet.blocks.iter().any(|block| block.contains(&source));
    let Some(subnet) = world.subnets.iter().find(holding) else {
        return absent(world, "ec2:DescribeSubnets");
    };
    if attachment.is_some_and(|attachment| !serves(world, attachment, &subnet.zone)) {
        return Answer::Blocked;
    }
    match table_of(world, subnet) {
        Ok(table) => match hop(world, table, destination, way) {
            Ok(hop) => Answer::of(hop.as_deref() == Some(way)),
            Err(unknown) => unknown,
        },
        Err(unknown) => unknown,
    }
}

/// Whether an attachment has a subnet in this zone.
fn serves(world: &World, attachment: &Attachment, zone: &str) -> bool {
    entry_subnet(world, attachment, zone).is_some()
}

fn entry_subnet<'a>(world: &'a World, attachment: &Attachment, zone: &str) -> Option<&'a Subnet> {
    world.subnets.iter().find(|subnet| attachment.subnets.contains(&subnet.id) && subnet.zone == zone)
}

/// The attachment to which a transit gateway's table sends: the longest prefix, and a static route among equals.
fn transit_hop(table: &[super::world::TransitRoute], address: IpAddr) -> Option<&str> {
    let matching = table.iter().filter(|route| route.block.contains(&address));
    matching.max_by_key(|route| (route.block.prefix_len(), !route.propagated))?.attachment.as_deref()
}

/// The table of a subnet: its own, or the main one of its VPC.
fn table_of<'a>(world: &'a World, subnet: &Subnet) -> Result<&'a Table, Answer> {
    let own = world.tables.iter().find(|table| table.subnets.contains(&subnet.id));
    let main = world.tables.iter().find(|table| table.main && table.vpc == subnet.vpc);
    own.or(main).ok_or_else(|| Answer::Unknown("ec2:DescribeRouteTables".into()))
}

/// Where a table sends packets for an address: the longest prefix; among equals a static route before one of a prefix
/// list before a propagated one. The VPC's own blocks stay inside whatever a gateway propagates. A list that is not
/// known leaves it open only where the packet could get on towards `goal`, or into something in between.
fn hop(world: &World, table: &Table, address: IpAddr, goal: &str) -> Result<Option<String>, Answer> {
    let mut unknown: Vec<Option<String>> = Vec::new();
    let mut best: Option<((u8, u8), Option<String>)> = None;
    let own = world.vpcs.iter().find(|vpc| vpc.id == table.vpc);
    let is_inside = own.is_some_and(|vpc| vpc.blocks.iter().any(|block| block.contains(&address)));
    for route in table.routes.iter().filter(|route| !(route.propagated && is_inside)) {
        let mut blocks: Vec<IpNet> = route.block.into_iter().collect();
        if let Some(list) = &route.list {
            let is_service = route.target.as_ref().is_some_and(|target| target.starts_with("vpce-"));
            match world.lists.get(list) {
                Some(entries) => blocks.extend(entries),
                None if is_service => {}
                None => unknown.push(route.target.clone()),
            }
        }
        let preference = match (route.propagated, &route.list) {
            (true, _) => 0,
            (false, Some(_)) => 1,
            (false, None) => 2,
        };
        for block in blocks.iter().filter(|block| block.contains(&address)) {
            let rank = (block.prefix_len(), preference);
            if best.as_ref().is_none_or(|(known, _)| rank > *known) {
                best = Some((rank, route.target.clone()));
            }
        }
    }
    let known = best.and_then(|(_, target)| target);
    let gets_on = |target: &Option<String>| {
        target
            .as_ref()
            .is_some_and(|target| target == goal || target.starts_with("vpce-") || target.starts_with("eni-"))
    };
    let differs = unknown.iter().any(|target| *target != known && (gets_on(target) || gets_on(&known)));
    if differs { Err(not_told("ec2:GetManagedPrefixListEntries")) } else { Ok(known) }
}

/// Follows tables from `start` until a packet for `address` is where it should be.
fn follow(world: &World, start: &Table, address: IpAddr, goal: &str) -> Result<Way, Answer> {
    let mut way = Way { endpoints: Vec::new() };
    let mut table = start;
    for _ in 0..HOPS_MAX {
        let Some(next) = hop(world, table, address, goal)? else {
            return Err(Answer::Blocked);
        };
        if next == goal {
            return Ok(way);
        }
        let firewall = world.firewalls.iter().find(|(endpoint, ..)| *endpoint == next);
        way.endpoints.push(next);
        let Some((_, subnet, _)) = firewall else {
            // An appliance, or a door that was not asked for: the comparison of both ways tells which.
            return Ok(way);
        };
        let subnet = world
            .subnets
            .iter()
            .find(|known| known.id == *subnet)
            .ok_or_else(|| absent(world, "ec2:DescribeSubnets"))?;
        table = table_of(world, subnet)?;
    }
    Err(Answer::Blocked)
}

/// In to the interface's subnet, and back out: both ways pass the same endpoints, and whatever stands there lets both
/// packets through.
fn routed(world: &World, entry: &Entry, subnet: &Subnet, header: Header) -> Answer {
    let arrival = match entry {
        Entry::Transit { ours, .. } => match entry_subnet(world, ours, &subnet.zone) {
            None => return absent(world, "ec2:DescribeSubnets"),
            Some(arrival) => Some(arrival),
        },
        _ => None,
    };
    let inward = match (entry, arrival) {
        (_, Some(arrival)) => match table_of(world, arrival) {
            Ok(table) => follow(world, table, header.destination, "local"),
            Err(unknown) => Err(unknown),
        },
        (Entry::Internet { gateway } | Entry::Virtual { gateway }, None) => {
            match world.tables.iter().find(|table| table.gateways.contains(gateway)) {
                Some(table) => follow(world, table, header.destination, "local"),
                None if world.missing.contains("ec2:DescribeRouteTables") => {
                    Err(Answer::Unknown("ec2:DescribeRouteTables".into()))
                }
                None => Ok(Way { endpoints: Vec::new() }),
            }
        }
        _ => Ok(Way { endpoints: Vec::new() }),
    };
    let outward = match table_of(world, subnet) {
        Ok(table) => follow(world, table, header.source, entry.target()),
        Err(unknown) => Err(unknown),
    };
    let (inward, outward) = match (inward, outward) {
        (Ok(inward), Ok(outward)) => (inward, outward),
        (Err(Answer::Blocked), _) | (_, Err(Answer::Blocked)) => return Answer::Blocked,
        // Whatever the tables say, the last subnet's own list stands in the way.
        (Err(unknown), _) | (_, Err(unknown)) => {
            return unknown
                .and(|| transit_back(world, entry, header))
                .and(|| filtered(world, entry, subnet, arrival, &[], header));
        }
    };
    let mut back = outward.endpoints;
    back.reverse();
    if inward.endpoints != back {
        return Answer::Blocked;
    }
    let appliance =
        inward.endpoints.iter().find(|endpoint| world.firewalls.iter().all(|(known, ..)| known != *endpoint));
    if let Some(appliance) = appliance {
        let is_endpoint = appliance.starts_with("vpce-");
        let call = if is_endpoint { "network-firewall:DescribeFirewall" } else { "ec2:DescribeRouteTables" };
        return not_told(call)
            .and(|| transit_back(world, entry, header))
            .and(|| filtered(world, entry, subnet, arrival, &[], header));
    }
    transit_back(world, entry, header).and(|| filtered(world, entry, subnet, arrival, &inward.endpoints, header))
}

/// The transit gateway knows the way back to the attachment that the packet came by.
fn transit_back(world: &World, entry: &Entry, header: Header) -> Answer {
    let Entry::Transit { ours, theirs } = entry else {
        return Answer::Open;
    };
    match ours.table.as_ref().map(|table| world.transit_tables.get(table)) {
        None => Answer::Blocked,
        Some(None) => Answer::Unknown("ec2:SearchTransitGatewayRoutes".into()),
        Some(Some(table)) => Answer::of(transit_hop(table, header.source) == Some(theirs.id.as_str())),
    }
}

/// Network ACLs at every border of a subnet, and the firewalls between: the client may send from any ephemeral port.
fn filtered(
    world: &World,
    entry: &Entry,
    subnet: &Subnet,
    arrival: Option<&Subnet>,
    endpoints: &[String],
    header: Header,
) -> Answer {
    let ports = filters::ephemeral_ports(world);
    Answer::any(ports.into_iter().map(|source_port| {
        let there = Header { source_port, ..header };
        let back = there.turned();
        let mut answer = Answer::Open;
        // The way of the packet: from where it enters, over the firewalls' subnets, into the interface's own.
        let between: Vec<&Subnet> = endpoints.iter().filter_map(|endpoint| subnet_of(world, endpoint)).collect();
        let mut last = arrival;
        for (endpoint, next) in endpoints.iter().zip(&between) {
            answer = answer.and(|| crosses(world, last, Some(next), there));
            answer = answer.and(|| crosses_back(world, Some(next), last, back, entry));
            answer = answer.and(|| firewall::passes(world, endpoint, there, back));
            last = Some(next);
        }
        answer
            .and(|| crosses(world, last, Some(subnet), there))
            .and(|| crosses_back(world, Some(subnet), last, back, entry))
    }))
}

fn subnet_of<'a>(world: &'a World, endpoint: &str) -> Option<&'a Subnet> {
    let (_, subnet, _) = world.firewalls.iter().find(|(known, ..)| known == endpoint)?;
    world.subnets.iter().find(|known| known.id == *subnet)
}

/// Out of one subnet and into the next, by their lists. `None`: no subnet, so no list.
pub fn crosses(world: &World, from: Option<&Subnet>, to: Option<&Subnet>, header: Header) -> Answer {
    if from.zip(to).is_some_and(|(from, to)| from.id == to.id) {
        return Answer::Open;
    }
    let out = from.map_or(Answer::Open, |subnet| filters::list_admits(world, subnet, true, header));
    out.and(|| to.map_or(Answer::Open, |subnet| filters::list_admits(world, subnet, false, header)))
}

/// The reply. Towards a transit gateway in the interface's own subnet both directions of the list are asked, unlike
/// from it (Transit Gateways guide, "Network ACLs for transit gateways").
fn crosses_back(world: &World, from: Option<&Subnet>, to: Option<&Subnet>, header: Header, entry: &Entry) -> Answer {
    let shared = from.zip(to).filter(|(from, to)| from.id == to.id);
    match (entry, shared) {
        (Entry::Transit { .. }, Some((subnet, _))) => {
            filters::list_admits(world, subnet, true, header).and(|| filters::list_admits(world, subnet, false, header))
        }
        _ => crosses(world, from, to, header),
    }
}

/// The active peering of two VPCs.
pub fn peering_between<'a>(world: &'a World, one: &str, other: &str) -> Option<&'a str> {
    let joins = |vpc: &str, sides: &[super::world::Side; 2]| sides.iter().any(|side| side.vpc == vpc);
    let peerings = world.peerings.iter().filter(|peering| peering.active && one != other);
    let mut between = peerings.filter(|peering| joins(one, &peering.sides) && joins(other, &peering.sides));
    between.next().map(|peering| peering.id.as_str())
}

/// Whether a node and a target lie in one VPC, or routes lead over a peering there and back.
pub fn joined(world: &World, node: &Interface, target: &Interface, destination: IpAddr) -> Answer {
    if node.vpc == target.vpc {
        return Answer::Open;
    }
    let Some(peering) = peering_between(world, &node.vpc, &target.vpc) else {
        return Answer::Blocked;
    };
    let leads = |from: &Interface, to: IpAddr| {
        let Some(subnet) = world.subnets.iter().find(|subnet| subnet.id == from.subnet) else {
            return absent(world, "ec2:DescribeSubnets");
        };
        match table_of(world, subnet).and_then(|table| hop(world, table, to, peering)) {
            Ok(hop) => Answer::of(hop.as_deref() == Some(peering)),
            Err(unknown) => unknown,
        }
    };
    let back = || Answer::any(node.ipv4.iter().map(|(address, _)| leads(target, *address)));
    leads(node, destination).and(back)
}
