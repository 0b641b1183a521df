//! One packet and its reply, carried from hop to hop as AWS' routers do (Amazon VPC user guide, "Route tables",
//! "Network ACLs", "Security groups"; VPC peering guide; both read 2026-11-24).
//!
//! The walker knows nothing of sets: it asks at each hop what happens to this packet, notes what let it pass, and
//! stops at the first thing that does not. Where an answer is missing it notes the call and goes on as if nothing
//! stood there, because something else may stop the packet for certain.

use super::{
    Blocker, Change, NEW_GATEWAY, Passage, Protocol, Unknown,
    map::{Map, host, is_private, public_of, works},
    ports::Ports,
    routing::Choice,
};
use crate::topology::NetworkInterface;
use muster_domain::Step;
use std::net::IpAddr;

/// More hops than any network of AWS makes sense with: routes that lead in a circle end here. A path over an
/// inspection VPC takes eight.
const HOPS_MAX: usize = 64;

/// A packet on its way.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    pub(super) protocol: Protocol,
    /// The server's port: where a request goes to and a reply comes from.
    pub(super) port: u16,
    pub(super) reply: bool,
}

impl Packet {
    pub(super) fn answer(&self, from: IpAddr, to: IpAddr) -> Self {
        Self { from, to, reply: true, ..self.clone() }
    }

    /// `tcp/22 from A to B`, or `the reply from B to A`.
    pub(super) fn words(&self) -> String {
        let Self { from, to, protocol, port, reply } = self;
        match reply {
            false => format!("{protocol}/{port} from {from} to {to}"),
            true => format!("the reply of {protocol}/{port} from {from} to {to}"),
        }
    }
}

/// Where a packet is.
#[derive(Clone, Debug)]
pub(super) enum At {
    /// In a subnet, to be routed by its table.
    Subnet { vpc: String, subnet: String },
    /// At an internet or virtual private gateway, on the way in.
    Gateway { gateway: String, vpc: String },
    /// At a VPC's router, for one of the VPC's own addresses.
    Local { vpc: String, subnet: Option<String> },
    /// In a transit gateway, having entered by an attachment.
    Transit { gateway: String, attachment: String },
}

/// Where a packet ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// At an interface, or at an address of a subnet that no interface has.
    Inside { subnet: String, address: IpAddr },
    /// Beyond a gateway, peering or attachment, or at an endpoint's service.
    Outside { via: String },
}

/// Why a packet went no further.
#[derive(Clone, Debug)]
pub(super) enum Halt {
    /// Something stopped it.
    Blocked { blocker: Box<Blocker>, change: Option<Box<Change>> },
    /// Where it goes is not known; the call is noted.
    Lost,
}

/// What follows a hop.
pub(super) enum Next {
    Hop(At),
    End(Arrival),
}

/// Who opens the connection.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// An interface's address, or an address of a subnet that no interface has.
    Inside { interface: Option<String>, vpc: String, subnet: String },
    /// Someone beyond a gateway, peering or attachment.
    Outside { via: String, at: At },
}

/// What a walk knows beforehand.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) origin: Origin,
    pub(super) packet: Packet,
    /// Where a lost request is set down: the destination's VPC.
    pub(super) vpc: Option<String>,
    /// What may carry a request between VPCs when no route does yet.
    pub(super) carrier: Option<String>,
    /// An address that stands for anyone on the internet.
    pub(super) anyone: Option<IpAddr>,
    /// Groups of a load balancer that forwards with the client's address, which rules may name.
    pub(super) forwarder: Vec<String>,
}

/// What became of a request at a firewall.
#[derive(Clone, Debug)]
pub(super) struct Inspection {
    pub(super) endpoint: String,
    /// Whether it was handed on to the stateful engine.
    pub(super) handed_on: bool,
    /// Whether a stateful rule passes the whole connection.
    pub(super) connection_passes: bool,
}

/// A network address translation on the request's way.
struct Translation {
    outer: IpAddr,
    inner: IpAddr,
    vpc: String,
    subnet: String,
}

/// A walk and what it noted.
pub(super) struct Walk<'a> {
    pub(super) map: Map<'a>,
    pub(super) plan: Plan,
    pub(super) path: Vec<Step>,
    pub(super) trail: Vec<Passage>,
    pub(super) unknown: Vec<Unknown>,
    /// The client's ports that everything so far lets through.
    pub(super) client_ports: Ports,
    /// What carried the request from one VPC to another, or out.
    pub(super) carriers: Vec<String>,
    translations: Vec<Translation>,
    /// Where a reply from outside enters.
    way_back: Option<At>,
    /// The last route that decided.
    pub(super) last: Option<Choice>,
    /// How many steps stand for the source: what comes behind them is on the way.
    pub(super) left_at: usize,
    /// What inspected the request: the endpoint, and whether a stateful engine saw it. The reply takes from the end.
    pub(super) inspections: Vec<Inspection>,
    hops: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(map: Map<'a>, plan: Plan) -> Self {
        Self {
            map,
            plan,
            path: Vec::new(),
            trail: Vec::new(),
            unknown: Vec::new(),
            client_ports: Ports::of_clients(),
            carriers: Vec::new(),
            translations: Vec::new(),
            way_back: None,
            last: None,
            left_at: 0,
            inspections: Vec::new(),
            hops: 0,
        }
    }

    /// The request, then the reply. Both arrive, or the first thing that stops one.
    pub(super) fn connect(&mut self) -> Result<Arrival, Halt> {
        let packet = self.plan.packet.clone();
        let wanted = self.plan.vpc.clone();
        let start = self.set_out(&packet)?;
        let (arrived, seen) = self.carry(start, packet.clone())?;
        self.came_to(wanted.as_deref(), &arrived)?;
        let back = match &arrived {
            Arrival::Inside { subnet, .. } => {
                let vpc = self.vpc_of(subnet);
                At::Subnet { vpc, subnet: subnet.clone() }
            }
            Arrival::Outside { .. } => match self.way_back.take() {
                Some(at) => at,
                None => return Ok(arrived), // a service that answers by itself
            },
        };
        // The reply goes to whom the destination saw: after translations not to whom the request came from.
        let reply = packet.answer(seen.to, seen.from);
        match self.carry(back, reply) {
            Ok((returned, _)) => self.came_home(&returned).map(|()| arrived),
            Err(Halt::Lost) => Ok(arrived),
            Err(blocked) => Err(blocked),
        }
    }

    fn vpc_of(&self, subnet: &str) -> String {
        let by_interface = || {
            self.map
                .first(|topology| &topology.network_interfaces, |interface| interface.subnet_id == subnet)
                .map(|interface| interface.vpc_id.clone())
        };
        self.map.subnet(subnet).map(|subnet| subnet.vpc_id.clone()).or_else(by_interface).unwrap_or_default()
    }

    /// Lets the request leave its source.
    fn set_out(&mut self, packet: &Packet) -> Result<At, Halt> {
        match self.plan.origin.clone() {
            Origin::Outside { via, at } => {
                self.step(&via);
                if let At::Transit { gateway, .. } = &at {
                    self.step(gateway);
                }
                self.carriers.push(via);
                Ok(at)
            }
            Origin::Inside { interface, vpc, subnet } => {
                if let Some(interface) = interface.as_deref().and_then(|id| self.map.interface(id)) {
                    if let Some(instance) = interface.instance_id() {
                        self.step(instance);
                    }
                    self.step(&interface.network_interface_id);
                    self.group_check(interface, packet, true)?;
                }
                Ok(At::Subnet { vpc, subnet })
            }
        }
    }

    /// Whether the request ended in the destination's VPC, if it has one: another may have the same address.
    fn came_to(&self, wanted: Option<&str>, arrived: &Arrival) -> Result<(), Halt> {
        let Some(wanted) = wanted else {
            return Ok(());
        };
        match arrived {
            Arrival::Outside { via } => Err(self.misled(&format!("the request goes to {via}, not to {wanted}"))),
            Arrival::Inside { subnet, .. } => {
                let vpc = self.vpc_of(subnet);
                if vpc == wanted {
                    Ok(())
                } else {
                    Err(self.misled(&format!("the request goes to {vpc}, not to {wanted}")))
                }
            }
        }
    }

    /// Whether the reply ended where the request began.
    fn came_home(&self, returned: &Arrival) -> Result<(), Halt> {
        let home = match (&self.plan.origin, returned) {
            (Origin::Inside { subnet, .. }, Arrival::Inside { subnet: end, address }) => {
                subnet == end && *address == self.plan.packet.from
            }
            (Origin::Outside { via, .. }, Arrival::Outside { via: end }) => via == end,
            _ => false,
        };
        if home {
            return match self.inspections.last() {
                None => Ok(()),
                Some(missed) => Err(self.around(&missed.endpoint)),
            };
        }
        let (came, went) = match (&self.plan.origin, returned) {
            (Origin::Outside { via, .. }, Arrival::Outside { via: end }) => (via.as_str(), end.as_str()),
            (Origin::Outside { via, .. }, Arrival::Inside { subnet, .. }) => (via.as_str(), subnet.as_str()),
            (Origin::Inside { subnet, .. }, Arrival::Outside { via }) => (subnet.as_str(), via.as_str()),
            (Origin::Inside { subnet, .. }, Arrival::Inside { subnet: end, .. }) => (subnet.as_str(), end.as_str()),
        };
        let reason = format!("the request came by {came}, but the reply goes to {went}");
        Err(self.misled(&reason))
    }

    /// A reply that goes around what inspected the request.
    fn around(&self, endpoint: &str) -> Halt {
        let reason = format!("the request passed {endpoint}, but the reply goes around it");
        let Some(choice) = self.last.as_ref().filter(|choice| choice.component.starts_with("rtb-")) else {
            return self.misled(&reason);
        };
        let change = Change::SetRoute {
            table: choice.component.clone(),
            destination: self.peer_block(self.plan.packet.from),
            target: endpoint.to_owned(),
        };
        blocked(&choice.component, &choice.rule, &reason, Some(change))
    }

    /// Blocked by the route that was taken last.
    pub(super) fn misled(&self, reason: &str) -> Halt {
        match &self.last {
            Some(choice) => blocked(&choice.component, &choice.rule, reason, choice.reroute.clone()),
            None => blocked("", "", reason, None),
        }
    }

    /// Carries a packet to its end; with it how it looks there.
    pub(super) fn carry(&mut self, mut at: At, mut packet: Packet) -> Result<(Arrival, Packet), Halt> {
        loop {
            self.hops += 1;
            if self.hops > HOPS_MAX {
                return Err(self.misled("the routes lead in a circle"));
            }
            let next = match at {
                At::Subnet { vpc, subnet } => self.leave_subnet(&vpc, &subnet, &mut packet),
                At::Gateway { gateway, vpc } => self.enter_gateway(&gateway, &vpc, &mut packet),
                At::Local { vpc, subnet } => self.deliver(&vpc, subnet.as_deref(), &mut packet),
                At::Transit { gateway, attachment } => self.switch(&gateway, &attachment, &packet),
            };
            at = match next {
                Ok(Next::Hop(at)) => at,
                Ok(Next::End(arrival)) => return Ok((arrival, packet)),
                // What is known at the destination may still stop it for certain.
                Err(Halt::Lost) if !packet.reply && self.plan.vpc.is_some() => {
                    let vpc = self.plan.vpc.take().unwrap_or_default();
                    At::Local { vpc, subnet: None }
                }
                Err(halt) => return Err(halt),
            };
        }
    }

    fn leave_subnet(&mut self, vpc: &str, subnet: &str, packet: &mut Packet) -> Result<Next, Halt> {
        let neighbour = self.map.interface_at(vpc, packet.to).is_some_and(|there| there.subnet_id == subnet)
            || (self.map.subnet_with(packet.to).iter().any(|there| there.subnet_id == subnet));
        if neighbour {
            self.left_at = if self.hops == 1 { self.path.len() } else { self.left_at };
            return self.deliver(vpc, Some(subnet), packet); // never comes to a router
        }
        let acl = self.acl_check(vpc, subnet, packet, true)?;
        if self.hops == 1 {
            acl.iter().for_each(|acl| self.step(acl));
            self.left_at = self.path.len();
        }
        let table = match self.map.table_of(vpc, subnet) {
            Ok(table) => table,
            Err(unknown) => return Err(self.lost(unknown)),
        };
        self.route(table, vpc, Some(subnet), packet)
    }

    /// An internet or virtual private gateway routes by its own table, when it has one.
    fn enter_gateway(&mut self, gateway: &str, vpc: &str, packet: &mut Packet) -> Result<Next, Halt> {
        match self.map.table_at(gateway) {
            Some(table) => self.route(table, vpc, None, packet),
            None => {
                if let Some(unknown) = self.map.missing(Some(vpc), "ec2:DescribeRouteTables", gateway) {
                    self.note(unknown);
                }
                Ok(Next::Hop(At::Local { vpc: vpc.to_owned(), subnet: None }))
            }
        }
    }

    /// Hands a packet to whoever has its address in the VPC.
    fn deliver(&mut self, vpc: &str, from: Option<&str>, packet: &mut Packet) -> Result<Next, Halt> {
        let Some(interface) = self.map.interface_at(vpc, packet.to) else {
            return self.deliver_to_nobody(vpc, from, packet);
        };
        let subnet = interface.subnet_id.clone();
        let acl = match from == Some(subnet.as_str()) {
            true => None,
            false => self.acl_check(vpc, &subnet, packet, false)?,
        };
        if packet.reply {
            if let Some(last) = self.translations.pop_if(|last| last.outer == packet.to) {
                packet.to = last.inner;
                return Ok(Next::Hop(At::Subnet { vpc: last.vpc, subnet: last.subnet }));
            }
            return Ok(Next::End(Arrival::Inside { subnet, address: packet.to }));
        }
        acl.iter().for_each(|acl| self.step(acl));
        self.admit(interface, packet)?;
        Ok(Next::End(Arrival::Inside { subnet, address: packet.to }))
    }

    /// The last checks before the destination.
    fn admit(&mut self, interface: &'a NetworkInterface, packet: &Packet) -> Result<(), Halt> {
        let id = &interface.network_interface_id;
        let closed = match interface.kind() {
            "lambda" => Some("a function's interface lets no connection in"),
            "nat_gateway" => Some("a NAT gateway lets no connection in"),
            "transit_gateway" => Some("a transit gateway's interface lets no connection in"),
            _ => None,
        };
        if let Some(reason) = closed {
            return Err(blocked(id, &format!("interface type {}", interface.kind()), reason, None));
        }
        self.group_check(interface, packet, false)?;
        self.step(id);
        if let Some(owner) = super::ends::owner(self.map, interface) {
            self.step(owner);
        }
        Ok(())
    }

    /// An address that no interface has: a source that was asked about may have one, a destination not.
    fn deliver_to_nobody(&mut self, vpc: &str, from: Option<&str>, packet: &Packet) -> Result<Next, Halt> {
        let subnets = self.map.subnet_with(packet.to);
        let subnet = subnets.iter().find(|subnet| subnet.vpc_id == vpc).map(|subnet| subnet.subnet_id.clone());
        if let (true, Some(subnet)) = (packet.reply, subnet) {
            if from != Some(subnet.as_str()) {
                self.acl_check(vpc, &subnet, packet, false)?;
            }
            return Ok(Next::End(Arrival::Inside { subnet, address: packet.to }));
        }
        if let Some(unknown) = self.map.missing(Some(vpc), "ec2:DescribeNetworkInterfaces", vpc) {
            return Err(self.lost_for_good(unknown));
        }
        let reason = format!("no network interface of {vpc} has the address {}", packet.to);
        Err(blocked(vpc, "no such address", &reason, None))
    }

    /// Follows the target of a route.
    pub(super) fn follow(
        &mut self,
        target: &str,
        vpc: &str,
        subnet: Option<&str>,
        packet: &mut Packet,
    ) -> Result<Next, Halt> {
        match target.split('-').next().unwrap_or_default() {
            "local" => Ok(Next::Hop(At::Local { vpc: vpc.to_owned(), subnet: subnet.map(str::to_owned) })),
            "igw" => self.leave_by_internet(target, vpc, packet),
            "eigw" => self.leave_by_egress_only(target, vpc, packet),
            "nat" => self.translate(target, vpc, subnet, packet),
            "pcx" => self.cross_peering(target, vpc, packet),
            "tgw" => self.enter_transit(target, vpc, subnet, packet),
            "vgw" => self.leave_by_virtual(target, vpc, packet),
            "vpce" => self.pass_endpoint(target, vpc, subnet, packet),
            "eni" | "i" => self.pass_appliance(target, vpc, subnet, packet),
            _ => {
                let reason = format!("what lies behind {target} is not part of the topology");
                Err(self.lost(Unknown { call: "ec2:DescribeRouteTables".into(), reason }))
            }
        }
    }

    fn leave_by_internet(&mut self, gateway: &str, vpc: &str, packet: &mut Packet) -> Result<Next, Halt> {
        let Some(described) =
            self.map.first(|topology| &topology.internet_gateways, |own| own.internet_gateway_id == gateway)
        else {
            if self.is_astray(packet) {
                return Err(self.misled(&format!("the reply goes to {gateway}, by which the request did not come")));
            }
            let unknown = self.map.absent(Some(vpc), "ec2:DescribeInternetGateways", gateway);
            return Err(self.lost(unknown));
        };
        if !described.attachments.iter().any(|attached| attached.vpc_id == vpc && attached.works()) {
            let change = Change::AttachInternetGateway { gateway: gateway.into(), vpc: vpc.into() };
            return Err(blocked(gateway, "not attached", &format!("{gateway} is not attached to {vpc}"), Some(change)));
        }
        if is_private(packet.to) {
            return Err(self.misled(&format!("nobody on the internet has the address {}", packet.to)));
        }
        let before = packet.from;
        packet.from = self.public_address(gateway, vpc, packet)?;
        self.pass(gateway, packet, &format!("{before} leaves as {}", packet.from));
        let origin_is_here = matches!(&self.plan.origin, Origin::Outside { via, .. } if via == gateway);
        if packet.reply && origin_is_here {
            return Ok(Next::End(Arrival::Outside { via: gateway.into() }));
        }
        self.carriers.push(gateway.to_owned());
        self.enter_from_internet(gateway, vpc, before, packet)
    }

    /// Whether a reply at an internet gateway that is not described cannot be on its way back: the request came from
    /// elsewhere, or from an address that nobody on the internet has.
    fn is_astray(&self, packet: &Packet) -> bool {
        let elsewhere = match &self.plan.origin {
            Origin::Outside { via, .. } => !via.is_empty() && !via.starts_with("igw-"),
            Origin::Inside { .. } => is_private(packet.to),
        };
        packet.reply && elsewhere
    }

    /// What left for the internet may be for an address of these very topologies.
    fn enter_from_internet(
        &mut self,
        gateway: &str,
        vpc: &str,
        before: IpAddr,
        packet: &mut Packet,
    ) -> Result<Next, Halt> {
        let there = match packet.to {
            IpAddr::V4(_) => self.map.public(packet.to),
            IpAddr::V6(_) => self.map.interfaces_with(packet.to).first().map(|interface| (*interface, packet.to)),
        };
        if let Some((interface, private)) = there {
            let other = interface.vpc_id.clone();
            let Some(entry) = self.map.internet_gateway_of(&other) else {
                let change = attach_some(self.map, &other);
                return Err(blocked(&other, "no internet gateway", &no_gateway(&other), Some(change)));
            };
            packet.to = private;
            self.step_of(&entry.internet_gateway_id, packet);
            return Ok(Next::Hop(At::Gateway { gateway: entry.internet_gateway_id.clone(), vpc: other }));
        }
        if !packet.reply {
            packet.from = before; // the gateway translates the reply back
            self.way_back = Some(At::Gateway { gateway: gateway.into(), vpc: vpc.into() });
        }
        Ok(Next::End(Arrival::Outside { via: gateway.into() }))
    }

    /// The address with which a packet leaves for the internet.
    fn public_address(&self, gateway: &str, vpc: &str, packet: &Packet) -> Result<IpAddr, Halt> {
        if packet.from.is_ipv6() {
            if self.map.owns(vpc, packet.from) {
                return Ok(packet.from);
            }
            let reason = format!("{} is no address of {vpc}: {gateway} carries those alone", packet.from);
            return Err(blocked(gateway, "foreign address", &reason, None));
        }
        let Some(interface) = self.map.interface_at(vpc, packet.from) else {
            let reason = format!("{} is no interface of {vpc}, so it has no public address", packet.from);
            return Err(blocked(gateway, "no public address", &reason, None));
        };
        let gateways = self.map.all(|topology| &topology.nat_gateways);
        let translating = gateways.flat_map(|nat| &nat.nat_gateway_addresses).find_map(|address| {
            let own = address.private_ip.as_deref()?.parse::<IpAddr>().ok()? == packet.from;
            address.public_ip.as_deref().filter(|_| own)?.parse().ok()
        });
        public_of(interface, packet.from).or(translating).ok_or_else(|| {
            let id = &interface.network_interface_id;
            blocked(id, "no public address", &no_public(id, packet.from), Some(associate(id, packet.from)))
        })
    }

    fn leave_by_egress_only(&mut self, gateway: &str, vpc: &str, packet: &mut Packet) -> Result<Next, Halt> {
        if packet.reply {
            return Err(self.misled(&format!("{gateway} carries no reply to a connection from outside")));
        }
        if packet.from.is_ipv4() {
            return Err(self.misled(&format!("{gateway} carries IPv6 alone")));
        }

        match self.map.first(
            |topology| &topology.egress_only_internet_gateways,
            |own| own.egress_only_internet_gateway_id == gateway,
        ) {
            None => {
                let unknown = self.map.absent(Some(vpc), "ec2:DescribeEgressOnlyInternetGateways", gateway);
                self.note(unknown);
            }
            Some(own) if own.attachments.iter().any(|attached| attached.vpc_id == vpc && attached.works()) => {}
            Some(_) => return Err(self.misled(&format!("{gateway} is not attached to {vpc}"))),
        }
        if is_private(packet.to) {
            return Err(self.misled(&format!("nobody on the internet has the address {}", packet.to)));
        }
        self.pass(gateway, packet, "connections go out");
        self.carriers.push(gateway.to_owned());
        let before = packet.from;
        self.enter_from_internet(gateway, vpc, before, packet)
    }

    /// Through a NAT gateway, which answers for the source.
    fn translate(&mut self, gateway: &str, vpc: &str, subnet: Option<&str>, packet: &mut Packet) -> Result<Next, Halt> {
        if packet.reply {
            return Err(self.misled(&format!("{gateway} carries no reply to a connection from outside")));
        }

        let Some(nat) = self.map.first(|topology| &topology.nat_gateways, |own| own.nat_gateway_id == gateway) else {
            let unknown = self.map.absent(Some(vpc), "ec2:DescribeNatGateways", gateway);
            return Err(self.lost(unknown));
        };
        if nat.state != "available" {
            let reason = format!("{gateway} is in the state {}", nat.state);
            return Err(self.misled(&reason));
        }
        if packet.from.is_ipv6() {
            return Err(self.misled(&format!("{gateway} translates IPv4 alone")));
        }
        let address = nat.nat_gateway_addresses.iter().find_map(|own| own.private_ip.as_deref()?.parse().ok());
        let (Some(outer), Some(place)) = (address, nat.subnet_id.as_deref()) else {
            let unknown = self.map.absent(Some(vpc), "ec2:DescribeNatGateways", &format!("the address of {gateway}"));
            return Err(self.lost(unknown));
        };
        if subnet != Some(place) {
            self.acl_check(vpc, place, packet, false)?;
        }
        self.pass(gateway, packet, &format!("{} leaves as {outer}", packet.from));
        self.translations.push(Translation {
            outer,
            inner: packet.from,
            vpc: vpc.to_owned(),
            subnet: place.to_owned(),
        });
        packet.from = outer;
        Ok(Next::Hop(At::Subnet { vpc: vpc.to_owned(), subnet: place.to_owned() }))
    }

    /// Across a peering: between the two VPCs' own addresses, and no further.
    fn cross_peering(&mut self, id: &str, vpc: &str, packet: &Packet) -> Result<Next, Halt> {
        let Some(peering) = self.map.peering(id) else {
            let unknown = self.map.absent(Some(vpc), "ec2:DescribeVpcPeeringConnections", id);
            return Err(self.lost(unknown));
        };
        if !peering.is_active() {
            let change = Change::AcceptPeering { peering: id.into() };
            return Err(blocked(id, "not active", &format!("{id} is not active"), Some(change)));
        }
        let Some((_, other)) = peering.sides(vpc) else {
            return Err(self.misled(&format!("{vpc} has no part in {id}")));
        };
        if !self.map.owns(vpc, packet.from) {
            let reason = format!("{} is no address of {vpc}: a peering carries nothing through a VPC", packet.from);
            return Err(blocked(id, "no transit", &reason, None));
        }
        let blocks = self.map.peer_blocks(other);
        if !blocks.iter().any(|block| super::map::holds(block, packet.to) == Some(true)) {
            let reason = format!("{} is no address of {}: a peering reaches no further", packet.to, other.vpc_id);
            return Err(self.misled(&reason));
        }
        self.pass(id, packet, &format!("active, to {}", other.vpc_id));
        if !packet.reply {
            self.carriers.push(id.to_owned());
        }
        match self.map.home(&other.vpc_id) {
            Some(_) => Ok(Next::Hop(At::Local { vpc: other.vpc_id.clone(), subnet: None })),
            None => {
                if !packet.reply {
                    self.way_back = Some(At::Local { vpc: vpc.to_owned(), subnet: None });
                }
                Ok(Next::End(Arrival::Outside { via: id.into() }))
            }
        }
    }

    fn leave_by_virtual(&mut self, gateway: &str, vpc: &str, packet: &Packet) -> Result<Next, Halt> {
        match self.map.first(|topology| &topology.vpn_gateways, |own| own.vpn_gateway_id == gateway) {
            None => {
                let unknown = self.map.absent(Some(vpc), "ec2:DescribeVpnGateways", gateway);
                self.note(unknown);
            }
            Some(own)
                if own.vpc_attachments.iter().any(|attached| attached.vpc_id == vpc && works(&attached.state)) => {}
            Some(_) => return Err(self.misled(&format!("{gateway} is not attached to {vpc}"))),
        }
        if !self.map.owns(vpc, packet.from) {
            let reason = format!("{} is no address of {vpc}: {gateway} carries nothing through a VPC", packet.from);
            return Err(blocked(gateway, "no transit", &reason, None));
        }
        self.reaches_premises(gateway, vpc, packet)?;
        self.pass(gateway, packet, "to the other site");
        if !packet.reply {
            self.carriers.push(gateway.to_owned());
            self.way_back = Some(At::Gateway { gateway: gateway.into(), vpc: vpc.into() });
        }
        Ok(Next::End(Arrival::Outside { via: gateway.into() }))
    }

    /// Where a packet that leaves a transit gateway for a site outside enters again.
    pub(super) fn leave_by_attachment(
        &mut self,
        gateway: &str,
        attachment: &str,
        packet: &Packet,
    ) -> Result<Next, Halt> {
        if self.map.attachment(attachment).is_some_and(|known| !works(&known.state)) {
            return Err(self.misled(&format!("{attachment} is not available")));
        }
        self.pass(attachment, packet, "to the other site");
        if !packet.reply {
            self.carriers.push(attachment.to_owned());
            self.way_back = Some(At::Transit { gateway: gateway.into(), attachment: attachment.into() });
        }
        Ok(Next::End(Arrival::Outside { via: attachment.into() }))
    }

    pub(super) fn step(&mut self, id: &str) {
        let kind = super::component_type(id);
        self.path.push(Step { component_id: id.to_owned(), component_type: kind.to_owned() });
    }

    /// A step when the request takes it: the path is the request's alone.
    pub(super) fn step_of(&mut self, id: &str, packet: &Packet) {
        if !packet.reply {
            self.step(id);
        }
    }

    pub(super) fn pass(&mut self, id: &str, packet: &Packet, rule: &str) {
        self.step_of(id, packet);
        self.trail.push(Passage { component: id.to_owned(), reply: packet.reply, rule: rule.to_owned() });
    }

    pub(super) fn note(&mut self, unknown: Unknown) {
        if !self.unknown.contains(&unknown) {
            self.unknown.push(unknown);
        }
    }

    pub(super) fn lost(&mut self, unknown: Unknown) -> Halt {
        self.note(unknown);
        Halt::Lost
    }

    /// Lost where setting down at the destination would come to the same.
    fn lost_for_good(&mut self, unknown: Unknown) -> Halt {
        self.plan.vpc = None;
        self.lost(unknown)
    }

    /// The block to name in a rule for this peer: everyone's, when anyone was asked about.
    pub(super) fn peer_block(&self, address: IpAddr) -> String {
        match (self.plan.anyone == Some(address), address) {
            (false, address) => host(address),
            (true, IpAddr::V4(_)) => "0.0.0.0/0".into(),
            (true, IpAddr::V6(_)) => "::/0".into(),
        }
    }
}

pub(super) fn blocked(component: &str, rule: &str, reason: &str, change: Option<Change>) -> Halt {
    let blocker = Blocker { component: component.to_owned(), rule: rule.to_owned(), reason: reason.to_owned() };
    Halt::Blocked { blocker: Box::new(blocker), change: change.map(Box::new) }
}

pub(super) fn no_gateway(vpc: &str) -> String {
    format!("no internet gateway is attached to {vpc}")
}

pub(super) fn no_public(interface: &str, address: IpAddr) -> String {
    format!("{address} of {interface} has no public address")
}

pub(super) fn associate(interface: &str, private_address: IpAddr) -> Change {
    Change::AssociateAddress { interface: interface.to_owned(), private_address, public_address: None }
}

/// Attaches a gateway that serves nobody, or else a new one.
pub(super) fn attach_some(map: Map, vpc: &str) -> Change {
    let home = map.home(vpc);
    let idle = home.and_then(|home| {
        home.internet_gateways.iter().find(|own| !own.attachments.iter().any(|attached| attached.works()))
    });
    let gateway = idle.map_or(NEW_GATEWAY, |own| own.internet_gateway_id.as_str());
    Change::AttachInternetGateway { gateway: gateway.to_owned(), vpc: vpc.to_owned() }
}
