//! One packet at a time, in the plainest words: slow and obvious, written from AWS' documentation and not from the
//! analysis. A packet enters at an edge, is carried hop by hop to one interface, and its reply is carried back.
//!
//! Followed are: Amazon VPC user guide ("Route priority", "Network ACL basics", "Security group rules", "Gateway route
//! tables"), VPC peering guide ("Unsupported configurations"), Transit Gateways guide ("How transit gateways work",
//! "Network ACLs for transit gateways"), Network Firewall guide ("Stateless and stateful rules engines", "Evaluation
//! order"), Elastic Load Balancing guides ("Target groups", "Client IP preservation"); read 2026-11-24.

mod balancers;
mod filters;
mod firewall;
mod walk;
mod world;

pub use world::{Answers, World};

use std::net::IpAddr;

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Open,
    Blocked,
    /// The call that would tell.
    Unknown(String),
}

impl Answer {
    fn of(is_open: bool) -> Self {
        if is_open { Self::Open } else { Self::Blocked }
    }

    /// Both have to let it through.
    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Blocked => Self::Blocked,
            Self::Open => other(),
            Self::Unknown(call) => match other() {
                Self::Blocked => Self::Blocked,
                _ => Self::Unknown(call),
            },
        }
    }

    /// One of them has to let it through.
    fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut best = Self::Blocked;
        for answer in answers {
            match answer {
                Self::Open => return Self::Open,
                Self::Unknown(_) => best = answer,
                Self::Blocked => {}
            }
        }
        best
    }
}

/// Where a packet comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    Internet,
    Peer,
    Vpn,
    DirectConnect,
    Transit,
}

impl Edge {
    pub const ALL: [Self; 5] = [Self::Internet, Self::Peer, Self::Vpn, Self::DirectConnect, Self::Transit];

    /// As the analysis writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Peer => "peer",
            Self::Vpn => "vpn",
            Self::DirectConnect => "direct-connect",
            Self::Transit => "transit",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    /// As the analysis writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }

    fn number(self) -> i64 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }

    /// Whether a rule of a list or a group is about it: by name, by number, or about all.
    fn is(self, raw: &str) -> bool {
        raw == "-1" || raw == self.number().to_string() || raw.eq_ignore_ascii_case(self.as_str())
    }
}

/// A connection that someone behind an edge asks for.
#[derive(Clone, Debug)]
pub struct Packet {
    pub edge: Edge,
    pub source: IpAddr,
    pub interface: String,
    pub protocol: Protocol,
    pub port: u16,
}

/// Addresses, protocol and ports as they stand in one packet's header.
#[derive(Clone, Copy, Debug)]
struct Header {
    protocol: Protocol,
    source: IpAddr,
    source_port: u16,
    destination: IpAddr,
    destination_port: u16,
}

impl Header {
    fn turned(self) -> Self {
        Self {
            source: self.destination,
            source_port: self.destination_port,
            destination: self.source,
            destination_port: self.source_port,
            ..self
        }
    }
}

/// Whether the connection comes about, straight or through a load balancer.
pub fn answer(world: &World, packet: &Packet) -> Answer {
    let interface = world.interfaces.iter().find(|interface| interface.id == packet.interface).unwrap();
    let is_dead = interface.instance.as_ref().is_some_and(|instance| world.dead_instances.contains(instance));
    // NAT translates what begins inside, and a function's interface only calls out: nothing listens there.
    if is_dead || ["nat_gateway", "lambda"].contains(&interface.kind.as_str()) {
        return Answer::Blocked;
    }
    let straight = match balancers::node_of(world, interface) {
        Some(balancer) => balancers::on_a_listener(world, balancer, interface, packet),
        None => walk::arrives(world, interface, packet.edge, packet.source, packet.protocol, packet.port),
    };
    let handed_on = balancers::hand_on(world, interface, packet);
    Answer::any([straight, handed_on])
}

/// Whether an address can be a source on the internet at all: IANA's special-purpose registries, without the blocks
/// kept for documentation, in which examples live.
pub fn is_on_the_internet(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || first == 0
                || (first == 100 && second & 0b1100_0000 == 64)
                || first >= 224)
        }
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            first != 0 && first & 0xfe00 != 0xfc00 && first & 0xffc0 != 0xfe80 && first & 0xff00 != 0xff00
        }
    }
}
