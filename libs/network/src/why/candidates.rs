//! Every way that could carry a connection, walked, and repaired until it does.

use super::{
    Blocker, Candidate, Change, Endpoint, Protocol, Question, Unknown, Verdict, balanced,
    balanced::Balanced,
    ends::{End, find},
    functions,
    map::{Map, block, holds, is_private, public_of, works},
    walk::{Arrival, At, Halt, Origin, Packet, Plan, Walk, associate, attach_some, blocked, no_gateway, no_public},
};
use crate::topology::Topology;
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// More changes than this for one path are a new network, not an answer.
const CHANGES_MAX: usize = 24;

/// Ways that are walked for one question: an instance with ten addresses behind five load balancers has a hundred.
const WAYS_MAX: usize = 256;

/// Ways whose repair is tried: each works on a copy of the topologies.
const REPAIRS_MAX: usize = 32;

/// Addresses that are tried in the place of anyone on the internet. Rules part the internet into classes; a class has an
/// address at one end of a block, so all are found as long as there are no more.
const SAMPLES_MAX: usize = 2048;

/// One way from a source to a destination address.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// From an address inside, wherever its routes lead.
    Inside { origin: Origin, from: IpAddr, to: IpAddr, vpc: Option<String>, carrier: Option<String> },
    /// From the internet to an interface's address.
    Internet { from: IpAddr, anyone: bool, interface: String, vpc: String, to: IpAddr },
    /// From outside by a gateway, peering or attachment.
    Entry { via: String, at: At, from: IpAddr, to: IpAddr, vpc: String },
    /// To a load balancer's node, and from there to its target.
    Balanced(Box<Balanced>),
    /// None that any change would open.
    Closed { source: String, destination: String, blocker: Blocker },
    /// Not known whether there is one.
    Unclear { source: String, destination: String, unknown: Unknown },
}

/// What became of a way.
pub(super) struct Outcome {
    pub(super) path: Vec<muster_domain::Step>,
    pub(super) trail: Vec<super::Passage>,
    pub(super) unknown: Vec<Unknown>,
    pub(super) halt: Option<(Blocker, Option<Change>)>,
    pub(super) carriers: Vec<String>,
}

impl Outcome {
    pub(super) fn verdict(&self) -> Verdict {
        match (&self.halt, self.unknown.is_empty()) {
            (Some(_), _) => Verdict::Blocked,
            (None, true) => Verdict::Reachable,
            (None, false) => Verdict::Undetermined,
        }
    }

    fn halted(halt: Halt) -> Self {
        let mut outcome =
            Self { path: Vec::new(), trail: Vec::new(), unknown: Vec::new(), halt: None, carriers: Vec::new() };
        if let Halt::Blocked { blocker, change } = halt {
            outcome.halt = Some((*blocker, change.map(|change| *change)));
        }
        outcome
    }

    pub(super) fn unclear(unknown: Unknown) -> Self {
        let mut outcome = Self::halted(Halt::Lost);
        outcome.unknown.push(unknown);
        outcome
    }

    fn of(walk: Walk, result: Result<Arrival, Halt>) -> Self {
        let halt = match result {
            Err(Halt::Blocked { blocker, change }) => Some((*blocker, change.map(|change| *change))),
            _ => None,
        };
        let mut path = walk.path;
        path.dedup(); // out of one subnet and into another, over one list
        Self { path, trail: walk.trail, unknown: walk.unknown, halt, carriers: walk.carriers }
    }
}

/// Every way, walked.
pub(super) fn all(topologies: &[Topology], question: &Question) -> Vec<Candidate> {
    let map = Map { topologies };
    if let Some(candidate) = functions::candidate(map, question) {
        return vec![candidate];
    }
    let mut ways = Vec::new();
    let mut seen = BTreeSet::new();
    for end in [&question.source, &question.destination] {
        if matches!(end, Endpoint::Interface(_) | Endpoint::Instance(_) | Endpoint::Resource(_))
            && find(map, end).is_empty()
        {
            ways.push(Way::Unclear {
                source: question.source.to_string(),
                destination: question.destination.to_string(),
                unknown: map.absent(None, "ec2:DescribeNetworkInterfaces", &end.to_string()),
            });
        }
    }
    for source in find(map, &question.source) {
        for destination in find(map, &question.destination) {
            let found = between(map, &source, &destination, question.protocol, question.port, balanced::DEPTH_MAX);
            ways.extend(found);
        }
    }
    if let (Endpoint::Address(address), true) = (&question.destination, ways.len() < WAYS_MAX) {
        ways.extend(to_public(map, question, *address));
    }
    if ways.is_empty() {
        ways.push(Way::Closed {
            source: question.source.to_string(),
            destination: question.destination.to_string(),
            blocker: Blocker {
                component: question.destination.to_string(),
                rule: "no address".into(),
                reason: format!("{} and {} have no addresses of one family", question.source, question.destination),
            },
        });
    }
    ways.truncate(WAYS_MAX);
    let mut candidates: Vec<Candidate> = Vec::new();
    for (at, way) in ways.into_iter().enumerate() {
        let candidate = candidate(topologies, question, way, at < REPAIRS_MAX);
        if seen.insert((
            candidate.source.clone(),
            candidate.destination.clone(),
            candidate.via.clone(),
            candidate.blocked_by.clone(),
            candidate.changes.clone(),
            candidate.path.clone(),
        )) {
            candidates.push(candidate);
        }
    }
    candidates
}

/// A public address that was asked about is reached as the internet reaches it.
fn to_public(map: Map, question: &Question, address: IpAddr) -> Vec<Way> {
    let Some((interface, private)) = map.public(address) else {
        return Vec::new();
    };
    let id = interface.network_interface_id.clone();
    let destination = End::Inside {
        interface: Some(id),
        vpc: interface.vpc_id.clone(),
        subnet: interface.subnet_id.clone(),
        address: private,
        public: Some(address),
    };
    let sources = find(map, &question.source).into_iter();
    let found = sources
        .flat_map(|source| between(map, &source, &destination, question.protocol, question.port, balanced::DEPTH_MAX));
    found.filter(|way| !matches!(way, Way::Inside { to, .. } if *to == private)).collect()
}

/// The ways from one end to another, over load balancers too.
pub(super) fn between(
    map: Map,
    source: &End,
    destination: &End,
    protocol: Protocol,
    port: u16,
    depth: usize,
) -> Vec<Way> {
    let mut ways = match (source, destination) {
        (End::Inside { .. }, End::Inside { .. }) => from_inside(map, source, destination),
        (End::Inside { .. }, End::Outside(address)) => leaving(map, source, *address),
        (End::Inside { address, .. }, End::Anyone) => leaving(map, source, anyone(address.is_ipv6(), &[])),
        (End::Outside(from), End::Inside { interface: Some(_), .. }) => from_outside(map, *from, destination),
        (End::Anyone, End::Inside { interface: Some(interface), vpc, address, .. }) => {
            let from = anyone(address.is_ipv6(), &blocks_of(map));
            vec![Way::Internet { from, anyone: true, interface: interface.clone(), vpc: vpc.clone(), to: *address }]
        }
        (_, End::Inside { interface: None, vpc, address, .. }) => {
            vec![closed(source, destination, vpc, &format!("no network interface of {vpc} has the address {address}"))]
        }
        (from, to) => vec![closed(from, to, "", "neither the source nor the destination lies in the topology")],
    };
    if let End::Inside { interface: Some(interface), .. } = destination
        && let Some(interface) = map.interface(interface)
    {
        if let Some(shut) = balanced::not_listening(map, source, destination, interface, protocol, port) {
            ways = vec![shut];
        }
        ways.extend(balanced::ways(map, source, destination, interface, protocol, port, depth));
    }
    ways
}

pub(super) fn words(end: &End) -> String {
    match end {
        End::Inside { address, .. } | End::Outside(address) => address.to_string(),
        End::Anyone => "internet".into(),
    }
}

pub(super) fn closed(source: &End, destination: &End, component: &str, reason: &str) -> Way {
    Way::Closed {
        source: words(source),
        destination: words(destination),
        blocker: Blocker { component: component.into(), rule: "no way".into(), reason: reason.into() },
    }
}

/// An address of the internet that no block names, so that it stands for anyone.
fn anyone(ipv6: bool, named: &[String]) -> IpAddr {
    let at = |number: u8| match ipv6 {
        false => IpAddr::from(Ipv4Addr::new(number, 200, 200, 200)),
        true => IpAddr::from(Ipv6Addr::new(0x2600, 0xf000 + u16::from(number), 0, 0, 0, 0, 0, 1)),
    };
    let free = |address: &IpAddr| {
        let covers = |raw: &String| block(raw).is_some_and(|net| net.prefix_len() > 0 && net.contains(address));
        !is_private(*address) && !named.iter().any(covers)
    };
    (8..=220).map(at).find(free).unwrap_or(at(8))
}

/// Every block that a rule, route or list names: they part the internet into classes.
fn blocks_of(map: Map) -> Vec<String> {
    let mut blocks = BTreeSet::new();
    let permissions = map
        .all(|topology| &topology.security_groups)
        .flat_map(|group| group.ip_permissions.iter().chain(&group.ip_permissions_egress));
    for permission in permissions {
        blocks.extend(permission.ip_ranges.iter().map(|range| range.cidr_ip.clone()));
        blocks.extend(permission.ipv6_ranges.iter().map(|range| range.cidr_ipv6.clone()));
    }
    for entry in map.all(|topology| &topology.network_acls).flat_map(|acl| &acl.entries) {
        blocks.extend(entry.cidr_block.iter().chain(&entry.ipv6_cidr_block).cloned());
    }
    for route in map.all(|topology| &topology.route_tables).flat_map(|table| &table.routes) {
        blocks.extend(route.destination_cidr_block.iter().chain(&route.destination_ipv6_cidr_block).cloned());
    }
    for list in map.all(|topology| &topology.prefix_list_entries) {
        blocks.extend(list.entries.iter().map(|entry| entry.cidr.clone()));
    }
    for group in map.all(|topology| &topology.firewall_rule_groups).filter_map(|group| group.rule_group.as_ref()) {
        let stateless = group.rules_source.stateless_rules_and_custom_actions.iter();
        for rule in stateless.flat_map(|source| &source.stateless_rules) {
            let attributes = &rule.rule_definition.match_attributes;
            let addresses = attributes.sources.iter().chain(&attributes.destinations);
            blocks.extend(addresses.map(|address| address.address_definition.clone()));
        }
    }
    blocks.into_iter().collect()
}

/// One address of each class of the internet.
fn samples(map: Map, ipv6: bool) -> Vec<IpAddr> {
    let mut samples = BTreeSet::new();
    for raw in blocks_of(map) {
        let Some(net) = block(&raw).filter(|net| net.network().is_ipv6() == ipv6) else {
            continue;
        };
        let after = match net.broadcast() {
            IpAddr::V4(last) => u32::from(last).checked_add(1).map(|next| IpAddr::from(Ipv4Addr::from(next))),
            IpAddr::V6(last) => u128::from(last).checked_add(1).map(|next| IpAddr::from(Ipv6Addr::from(next))),
        };
        samples.extend([Some(net.network()), after].into_iter().flatten().filter(|address| !is_private(*address)));
        if samples.len() >= SAMPLES_MAX {
            break;
        }
    }
    samples.into_iter().collect()
}

fn origin_of(source: &End) -> Option<(Origin, IpAddr)> {
    match source {
        End::Inside { interface, vpc, subnet, address, .. } => {
            let (interface, vpc, subnet) = (interface.clone(), vpc.clone(), subnet.clone());
            Some((Origin::Inside { interface, vpc, subnet }, *address))
        }
        _ => None,
    }
}

/// Between two addresses inside: over each peering and transit gateway that joins their VPCs, and over the internet
/// to a public address.
fn from_inside(map: Map, source: &End, destination: &End) -> Vec<Way> {
    let (Some((origin, from)), End::Inside { vpc: there, address, public, interface, .. }) =
        (origin_of(source), destination)
    else {
        return Vec::new();
    };
    let End::Inside { vpc: here, interface: own, .. } = source else {
        return Vec::new();
    };
    if from.is_ipv4() != address.is_ipv4() {
        return Vec::new();
    }
    if own.is_some() && own == interface {
        return vec![closed(source, destination, "", "both ends are one interface: nothing leaves it")];
    }
    let way = |to: IpAddr, carrier: Option<String>| Way::Inside {
        origin: origin.clone(),
        from,
        to,
        vpc: Some(there.clone()),
        carrier,
    };
    let mut carriers: Vec<Option<String>> = Vec::new();
    if here != there {
        let peerings = map.all(|topology| &topology.vpc_peering_connections);
        let joining = peerings.filter(|peering| peering.sides(here).is_some_and(|(_, far)| far.vpc_id == *there));
        carriers.extend(joining.map(|peering| Some(peering.vpc_peering_connection_id.clone())));
        let near = map.all(|topology| &topology.transit_gateway_vpc_attachments).filter(|near| near.vpc_id == *here);
        let joining = near.filter(|near| map.vpc_attachment(&near.transit_gateway_id, there).is_some());
        carriers.extend(joining.map(|near| Some(near.transit_gateway_id.clone())));
    }
    if carriers.is_empty() {
        carriers.push(None);
    }
    carriers.sort();
    carriers.dedup();
    let mut ways: Vec<Way> = carriers.into_iter().map(|carrier| way(*address, carrier)).collect();
    ways.extend(public.map(|public| way(public, None)));
    ways
}

/// From inside to an address that is in no topology.
fn leaving(map: Map, source: &End, to: IpAddr) -> Vec<Way> {
    let (Some((origin, from)), End::Inside { vpc, .. }) = (origin_of(source), source) else {
        return Vec::new();
    };
    if from.is_ipv4() != to.is_ipv4() {
        return Vec::new();
    }
    let peerings = map.all(|topology| &topology.vpc_peering_connections).filter(|peering| {
        let blocks = peering.sides(vpc).map(|(_, far)| map.peer_blocks(far)).unwrap_or_default();
        blocks.iter().any(|block| holds(block, to) == Some(true))
    });
    let mut carriers: Vec<Option<String>> =
        peerings.map(|peering| Some(peering.vpc_peering_connection_id.clone())).collect();
    if is_private(to) {
        let attached = map.all(|topology| &topology.transit_gateway_vpc_attachments);
        let attached = attached.filter(|own| own.vpc_id == *vpc).map(|own| Some(own.transit_gateway_id.clone()));
        carriers.extend(attached);
        carriers.extend(virtual_gateways(map, vpc).into_iter().map(Some));
    }
    if carriers.is_empty() {
        carriers.push(None);
    }
    carriers.sort();
    carriers.dedup();
    carriers.into_iter().map(|carrier| Way::Inside { origin: origin.clone(), from, to, vpc: None, carrier }).collect()
}

fn virtual_gateways(map: Map, vpc: &str) -> Vec<String> {
    let gateways = map
        .all(|topology| &topology.vpn_gateways)
        .filter(|own| own.vpc_attachments.iter().any(|attached| attached.vpc_id == vpc && works(&attached.state)));
    gateways.map(|own| own.vpn_gateway_id.clone()).collect()
}

/// From an address that is in no topology: over every edge of the destination's VPC behind which it may be.
fn from_outside(map: Map, from: IpAddr, destination: &End) -> Vec<Way> {
    let End::Inside { interface: Some(interface), vpc, address, .. } = destination else {
        return Vec::new();
    };
    let to = *address;
    if from.is_ipv4() != to.is_ipv4() {
        return Vec::new();
    }
    let entry = |via: &str, at: At| Way::Entry { via: via.to_owned(), at, from, to, vpc: vpc.clone() };
    let mut ways = Vec::new();
    if !is_private(from) {
        ways.push(Way::Internet { from, anyone: false, interface: interface.clone(), vpc: vpc.clone(), to });
    }
    for peering in map.all(|topology| &topology.vpc_peering_connections) {
        let Some((_, far)) = peering.sides(vpc) else {
            continue;
        };
        if map.peer_blocks(far).iter().any(|block| holds(block, from) == Some(true)) {
            let id = &peering.vpc_peering_connection_id;
            ways.push(entry(id, At::Local { vpc: vpc.clone(), subnet: None }));
        }
    }
    let by_virtual = |gateway: &String| entry(gateway, At::Gateway { gateway: gateway.clone(), vpc: vpc.clone() });
    let by_transit = |(gateway, site): &(String, String)| {
        entry(site, At::Transit { gateway: gateway.clone(), attachment: site.clone() })
    };
    let gateways = virtual_gateways(map, vpc);
    ways.extend(gateways.iter().filter(|gateway| is_routed(map, vpc, gateway, from)).map(by_virtual));
    ways.extend(sites(map, vpc, from, to).iter().map(by_transit));
    if ways.is_empty() {
        // Nothing says where a private address is: it may be at any site that the VPC is joined with.
        ways.extend(gateways.iter().map(by_virtual));
        ways.extend(every_site(map, vpc).iter().map(by_transit));
    }
    if ways.is_empty() {
        let reason = format!("no gateway, peering or attachment of {vpc} leads to {from}");
        ways.push(closed(&End::Outside(from), destination, vpc, &reason));
    }
    ways
}

fn is_routed(map: Map, vpc: &str, target: &str, address: IpAddr) -> bool {
    let tables = map.all(|topology| &topology.route_tables).filter(|table| table.vpc_id == vpc);
    tables.flat_map(|table| &table.routes).any(|route| {
        let mut blocks = route.destination_cidr_block.iter().chain(&route.destination_ipv6_cidr_block);
        let list = route.destination_prefix_list_id.as_deref();
        // A list that could not be read may hold the address: the walk then says which call is missing.
        let listed = || list.is_some_and(|list| map.list_holds(target, list, address).unwrap_or(true));
        route.target() == Some(target) && (blocks.any(|block| holds(block, address) == Some(true)) || listed())
    })
}

/// The attachments of transit gateways to which answers for an address are routed.
fn sites(map: Map, vpc: &str, from: IpAddr, to: IpAddr) -> Vec<(String, String)> {
    let mut sites = Vec::new();
    for own in map.all(|topology| &topology.transit_gateway_vpc_attachments).filter(|own| own.vpc_id == vpc) {
        let gateway = &own.transit_gateway_id;
        sites.extend(probe(map, gateway, &own.transit_gateway_attachment_id, from, to));
    }
    sites.sort();
    sites.dedup();
    sites
}

/// Every attachment of a site outside.
fn every_site(map: Map, vpc: &str) -> Vec<(String, String)> {
    let mut sites = Vec::new();
    for own in map.all(|topology| &topology.transit_gateway_vpc_attachments).filter(|own| own.vpc_id == vpc) {
        let gateway = &own.transit_gateway_id;
        let outside = map.all(|topology| &topology.transit_gateway_attachments).filter(|other| {
            let foreign = other.resource_id.as_deref().is_none_or(|resource| map.home(resource).is_none());
            other.transit_gateway_id == *gateway && (other.resource_type != "vpc" || foreign)
        });
        sites.extend(outside.map(|other| (gateway.clone(), other.transit_gateway_attachment_id.clone())));
    }
    sites.sort();
    sites.dedup();
    sites
}

/// Where a transit gateway would send an answer.
fn probe(map: Map, gateway: &str, attachment: &str, from: IpAddr, to: IpAddr) -> Option<(String, String)> {
    let at = At::Transit { gateway: gateway.to_owned(), attachment: attachment.to_owned() };
    let packet = Packet { from: to, to: from, protocol: Protocol::Tcp, port: 0, reply: true };
    let plan = Plan {
        origin: Origin::Outside { via: String::new(), at: at.clone() },
        packet: packet.clone(),
        vpc: None,
        carrier: None,
        anyone: None,
        forwarder: Vec::new(),
    };
    match Walk::new(map, plan).carry(at, packet) {
        Ok((Arrival::Outside { via }, _)) if via.starts_with("tgw-attach-") => {
            let last = map.attachment(&via).map(|found| found.transit_gateway_id.clone());
            Some((last.unwrap_or_else(|| gateway.to_owned()), via))
        }
        _ => None,
    }
}

/// One way, walked and, when it is blocked, repaired.
fn candidate(topologies: &[Topology], question: &Question, way: Way, repair: bool) -> Candidate {
    let map = Map { topologies };
    let (mut way, mut outcome) = (way.clone(), walked(map, &way, question.protocol, question.port));
    if question.source == Endpoint::Internet
        && outcome.verdict() != Verdict::Reachable
        && let Some((open, reached)) = someone(map, &way, question, outcome.verdict())
    {
        (way, outcome) = (open, reached);
    }
    let changes = match (&outcome.halt, repair) {
        (Some(_), true) => repaired(topologies, &way, question, &outcome),
        _ => Vec::new(),
    };
    let (source, destination) = way.ends();
    let source = if way.is_anyone() { "internet".into() } else { source };
    Candidate {
        verdict: outcome.verdict(),
        via: way.via(&outcome),
        source,
        destination,
        path: outcome.path,
        trail: outcome.trail,
        blocked_by: outcome.halt.map(|(blocker, _)| blocker),
        changes,
        undetermined: outcome.unknown,
    }
}

/// Someone on the internet for whom the way is open, where it is not for all.
fn someone(map: Map, way: &Way, question: &Question, verdict: Verdict) -> Option<(Way, Outcome)> {
    let mut better = None;
    let mut best = verdict;
    for address in samples(map, way.is_ipv6()) {
        let mut tried = way.clone();
        if !tried.come_from(address) {
            return None;
        }
        let outcome = walked(map, &tried, question.protocol, question.port);
        if outcome.verdict() < best {
            best = outcome.verdict();
            better = Some((tried, outcome));
        }
        if best == Verdict::Reachable {
            break;
        }
    }
    better
}

/// The changes that open a way: each is made on a copy before the next is looked for. Empty: there are none.
fn repaired(topologies: &[Topology], way: &Way, question: &Question, outcome: &Outcome) -> Vec<Change> {
    let mut next = outcome.halt.as_ref().and_then(|(_, change)| change.clone());
    let mut copy = match next {
        Some(_) => topologies.to_vec(),
        None => return Vec::new(),
    };
    let mut changes: Vec<Change> = Vec::new();
    while let Some(change) = next.take() {
        if changes.len() == CHANGES_MAX || changes.contains(&change) || !change.apply_to(&mut copy) {
            return Vec::new();
        }
        changes.push(change);
        let outcome = walked(Map { topologies: &copy }, way, question.protocol, question.port);
        match outcome.halt {
            None => return changes,
            Some((_, change)) => next = change,
        }
    }
    Vec::new()
}

/// Walks one way.
pub(super) fn walked(map: Map, way: &Way, protocol: Protocol, port: u16) -> Outcome {
    let packet = |from: IpAddr, to: IpAddr| Packet { from, to, protocol, port, reply: false };
    let plan = match way {
        Way::Inside { origin, from, to, vpc, carrier } => Plan {
            origin: origin.clone(),
            packet: packet(*from, *to),
            vpc: vpc.clone(),
            carrier: carrier.clone(),
            anyone: None,
            forwarder: Vec::new(),
        },
        Way::Entry { via, at, from, to, vpc } => {
            if let Some(halt) = not_carrying(map, via) {
                return Outcome::halted(halt);
            }
            Plan {
                origin: Origin::Outside { via: via.clone(), at: at.clone() },
                packet: packet(*from, *to),
                vpc: Some(vpc.clone()),
                carrier: None,
                anyone: None,
                forwarder: Vec::new(),
            }
        }
        Way::Internet { from, anyone, interface, vpc, to } => {
            return from_internet(map, packet(*from, *to), *anyone, interface, vpc);
        }
        Way::Balanced(balanced) => return balanced.walked(map, protocol, port),
        Way::Closed { blocker, .. } => {
            return Outcome::halted(Halt::Blocked { blocker: Box::new(blocker.clone()), change: None });
        }
        Way::Unclear { unknown, .. } => {
            return Outcome::unclear(unknown.clone());
        }
    };
    let mut walk = Walk::new(map, plan);
    let result = walk.connect();
    Outcome::of(walk, result)
}

fn not_carrying(map: Map, via: &str) -> Option<Halt> {
    let peering = map.peering(via).filter(|peering| !peering.is_active())?;
    let id = &peering.vpc_peering_connection_id;
    let change = Change::AcceptPeering { peering: id.clone() };
    Some(blocked(id, "not active", &format!("{id} is not active"), Some(change)))
}

/// From the internet: a gateway must be attached, and IPv4 needs an address that it translates.
fn from_internet(map: Map, packet: Packet, anyone: bool, interface: &str, vpc: &str) -> Outcome {
    let Some(gateway) = map.internet_gateway_of(vpc) else {
        if let Some(unknown) = map.missing(Some(vpc), "ec2:DescribeInternetGateways", vpc) {
            return unknown_gateway(map, packet, anyone, interface, vpc, unknown);
        }
        let halt = blocked(vpc, "no internet gateway", &no_gateway(vpc), Some(attach_some(map, vpc)));
        return Outcome::halted(halt);
    };
    let id = gateway.internet_gateway_id.clone();
    let has_public = map.interface(interface).is_some_and(|own| public_of(own, packet.to).is_some());
    if packet.to.is_ipv4() && !has_public {
        let change = associate(interface, packet.to);
        let halt = blocked(interface, "no public address", &no_public(interface, packet.to), Some(change));
        return Outcome::halted(halt);
    }
    let at = At::Gateway { gateway: id.clone(), vpc: vpc.to_owned() };
    let plan = Plan {
        origin: Origin::Outside { via: id, at },
        anyone: anyone.then_some(packet.from),
        packet,
        vpc: Some(vpc.to_owned()),
        carrier: None,
        forwarder: Vec::new(),
    };
    let mut walk = Walk::new(map, plan);
    let result = walk.connect();
    Outcome::of(walk, result)
}

/// Where the gateways are not known, everything behind them is still looked at.
fn unknown_gateway(map: Map, packet: Packet, anyone: bool, interface: &str, vpc: &str, unknown: Unknown) -> Outcome {
    let has_public = map.interface(interface).is_some_and(|own| public_of(own, packet.to).is_some());
    if packet.to.is_ipv4() && !has_public {
        let change = associate(interface, packet.to);
        return Outcome::halted(blocked(
            interface,
            "no public address",
            &no_public(interface, packet.to),
            Some(change),
        ));
    }
    let plan = Plan {
        origin: Origin::Outside { via: String::new(), at: At::Local { vpc: vpc.to_owned(), subnet: None } },
        anyone: anyone.then_some(packet.from),
        packet,
        vpc: Some(vpc.to_owned()),
        carrier: None,
        forwarder: Vec::new(),
    };
    let mut walk = Walk::new(map, plan);
    walk.note(unknown);
    let result = walk.connect();
    let mut outcome = Outcome::of(walk, result);
    outcome.path.retain(|step| !step.component_id.is_empty());
    outcome
}

impl Way {
    fn is_anyone(&self) -> bool {
        match self {
            Self::Internet { anyone, .. } => *anyone,
            Self::Balanced(balanced) => balanced.front.is_anyone(),
            Self::Closed { source, .. } => source == "internet",
            _ => false,
        }
    }

    fn is_ipv6(&self) -> bool {
        match self {
            Self::Internet { from, .. } => from.is_ipv6(),
            Self::Balanced(balanced) => balanced.front.is_ipv6(),
            _ => false,
        }
    }

    /// Puts one address of the internet in the place of anyone; `false`: the way is not from the internet.
    fn come_from(&mut self, address: IpAddr) -> bool {
        match self {
            Self::Internet { from, anyone, .. } => {
                (*from, *anyone) = (address, false);
                true
            }
            Self::Balanced(balanced) => balanced.front.come_from(address),
            _ => false,
        }
    }

    pub(super) fn client(&self) -> Option<IpAddr> {
        match self {
            Self::Internet { from, .. } | Self::Inside { from, .. } | Self::Entry { from, .. } => Some(*from),
            Self::Balanced(balanced) => balanced.front.client(),
            Self::Closed { .. } | Self::Unclear { .. } => None,
        }
    }

    /// The address of the one who stands for anyone.
    pub(super) fn anyone(&self) -> Option<IpAddr> {
        self.client().filter(|_| self.is_anyone())
    }

    fn ends(&self) -> (String, String) {
        match self {
            Self::Inside { from, to, .. } | Self::Internet { from, to, .. } | Self::Entry { from, to, .. } => {
                (from.to_string(), to.to_string())
            }
            Self::Balanced(balanced) => (balanced.front.ends().0, balanced.target.to_string()),
            Self::Closed { source, destination, .. } | Self::Unclear { source, destination, .. } => {
                (source.clone(), destination.clone())
            }
        }
    }

    /// What carries it, or would.
    fn via(&self, outcome: &Outcome) -> String {
        let used = outcome.carriers.first().filter(|used| !used.is_empty()).cloned();
        match self {
            Self::Inside { carrier, .. } => used.or(carrier.clone()).unwrap_or_else(|| "local".into()),
            Self::Entry { via, .. } => via.clone(),
            Self::Internet { vpc, .. } => used.unwrap_or_else(|| format!("an internet gateway of {vpc}")),
            Self::Balanced(balanced) => balanced.listener.clone(),
            Self::Closed { .. } | Self::Unclear { .. } => "nothing".into(),
        }
    }
}
