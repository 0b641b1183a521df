//! Over a load balancer: one connection to a node's listener, another from the node to a target
//! (Elastic Load Balancing user guides for application, network and classic load balancers, read 2026-11-24).

use super::{
    Protocol, Unknown,
    candidates::{Outcome, Way, between, closed, walked},
    ends::{End, description_of},
    map::{Map, has_address, public_of},
    walk::{At, Halt, Origin, Packet, Plan, Walk},
};
use crate::topology::{NetworkInterface, TargetGroup};
use std::net::IpAddr;

/// A network load balancer may forward to an application load balancer, which forwards to an instance.
pub(super) const DEPTH_MAX: usize = 2;

/// Nodes of one listener that are walked: one per zone, and no region has more than six.
const NODES_MAX: usize = 8;

/// A way to a node, and on to its target.
#[derive(Clone, Debug)]
pub(super) struct Balanced {
    /// From the source to the node.
    pub(super) front: Way,
    /// Over which the node is reached.
    pub(super) front_protocol: Protocol,
    /// Where the node listens.
    pub(super) front_port: u16,
    /// The node.
    pub(super) node: String,
    pub(super) node_address: IpAddr,
    /// What stands between on the path: load balancer, listener, target group.
    pub(super) middle: Vec<String>,
    pub(super) listener: String,
    /// The target's address.
    pub(super) target: IpAddr,
    pub(super) target_vpc: String,
    /// Whether the target sees the client's address.
    pub(super) preserves: bool,
    /// Groups of the load balancer, which rules may name even then.
    pub(super) groups: Vec<String>,
}

/// A listener that forwards to a target.
struct Forward {
    middle: Vec<String>,
    listener: String,
    port: u16,
    description: String,
    preserves: bool,
    groups: Vec<String>,
}

/// Whether a protocol of load balancing is carried by this one.
fn carries(raw: Option<&str>, protocol: Protocol) -> bool {
    match raw.unwrap_or_default() {
        "HTTP" | "HTTPS" | "TCP" | "TLS" | "SSL" => protocol == Protocol::Tcp,
        "UDP" | "QUIC" => protocol == Protocol::Udp,
        "TCP_UDP" | "TCP_QUIC" => true,
        _ => false,
    }
}

fn port_of(raw: Option<i32>) -> Option<u16> {
    u16::try_from(raw?).ok()
}

/// The load balancer whose node this is.
pub(super) fn owner<'a>(map: Map<'a>, node: &NetworkInterface) -> Option<&'a str> {
    let description = node.description.as_deref()?;
    let newer = map
        .all(|topology| &topology.load_balancers)
        .find(|balancer| description_of(&balancer.load_balancer_arn).as_deref() == Some(description));
    let classic = || {
        map.first(
            |topology| &topology.classic_load_balancers,
            |balancer| description == format!("ELB {}", balancer.load_balancer_name),
        )
    };
    newer
        .map(|balancer| balancer.load_balancer_arn.as_str())
        .or_else(|| classic().map(|balancer| balancer.load_balancer_name.as_str()))
}

/// A node of a load balancer without a listener there answers nobody.
pub(super) fn not_listening(
    map: Map,
    source: &End,
    destination: &End,
    node: &NetworkInterface,
    protocol: Protocol,
    port: u16,
) -> Option<Way> {
    let owner = owner(map, node)?;
    let mut newer = map.all(|topology| &topology.listeners).filter(|listener| listener.load_balancer_arn == owner);
    let mut listening =
        newer.any(|listener| port_of(listener.port) == Some(port) && carries(listener.protocol.as_deref(), protocol));
    let classic = map.all(|topology| &topology.classic_load_balancers);
    let own = classic.filter(|balancer| balancer.load_balancer_name == owner);
    listening |= own.flat_map(|balancer| &balancer.listener_descriptions).any(|described| {
        let listener = &described.listener;
        port_of(Some(listener.load_balancer_port)) == Some(port) && carries(Some(&listener.protocol), protocol)
    });
    if listening {
        return None;
    }
    let call = "elasticloadbalancing:DescribeListeners";
    if let Some(unknown) = map.missing(Some(&node.vpc_id), call, owner) {
        let (source, destination) = (super::candidates::words(source), super::candidates::words(destination));
        return Some(Way::Unclear { source, destination, unknown });
    }
    Some(closed(source, destination, owner, &format!("{owner} has no listener on {protocol}/{port}")))
}

/// The ways to a target over every listener that forwards to it.
pub(super) fn ways(
    map: Map,
    source: &End,
    destination: &End,
    target: &NetworkInterface,
    protocol: Protocol,
    port: u16,
    depth: usize,
) -> Vec<Way> {
    let End::Inside { address, vpc, .. } = destination else {
        return Vec::new();
    };
    if depth == 0 {
        return Vec::new();
    }
    let mut forwards = newer(map, target, *address, protocol, port);
    forwards.extend(classic(map, target, *address, protocol, port));
    let mut ways = Vec::new();
    for forward in forwards {
        let nodes = map.all(|topology| &topology.network_interfaces);
        let nodes = nodes.filter(|node| node.description.as_ref() == Some(&forward.description)).take(NODES_MAX);
        for node in nodes {
            for own in super::map::addresses(node) {
                let there = End::Inside {
                    interface: Some(node.network_interface_id.clone()),
                    vpc: node.vpc_id.clone(),
                    subnet: node.subnet_id.clone(),
                    address: own,
                    public: public_of(node, own),
                };
                let fronts = between(map, source, &there, protocol, forward.port, depth - 1);
                ways.extend(fronts.into_iter().filter(|front| front.client().is_some()).map(|front| {
                    Way::Balanced(Box::new(Balanced {
                        front,
                        front_protocol: protocol,
                        front_port: forward.port,
                        node: node.network_interface_id.clone(),
                        node_address: own,
                        middle: forward.middle.clone(),
                        listener: forward.listener.clone(),
                        target: *address,
                        target_vpc: vpc.clone(),
                        preserves: forward.preserves,
                        groups: forward.groups.clone(),
                    }))
                }));
            }
        }
    }
    ways
}

/// Whether a target of a group is this interface and port.
fn aims_at(map: Map, group: &TargetGroup, target: &NetworkInterface, address: IpAddr, port: u16) -> bool {
    let health = map.all(|topology| &topology.target_health);
    let own = health.filter(|health| health.target_group_arn == group.target_group_arn);
    own.flat_map(|health| &health.target_health_descriptions).any(|described| {
        let state = described.target_health.as_ref().and_then(|health| health.state.as_deref());
        if state == Some("unused") || port_of(described.target.port.or(group.port)) != Some(port) {
            return false;
        }
        let id = described.target.id.as_str();
        match group.target_type.as_deref().unwrap_or("instance") {
            "instance" => target.instance_id() == Some(id) && is_first(target, address),
            "ip" => id.parse::<IpAddr>() == Ok(address) && has_address(target, address),
            "alb" => owner(map, target) == Some(id),
            _ => false,
        }
    })
}

/// A target that is an instance is reached at the first address of its primary interface.
fn is_first(target: &NetworkInterface, address: IpAddr) -> bool {
    let index = target.attachment.as_ref().and_then(|attached| attached.device_index);
    index.is_none_or(|index| index == 0)
        && (address.is_ipv6() || super::map::addresses(target).first() == Some(&address))
}

fn newer(map: Map, target: &NetworkInterface, address: IpAddr, protocol: Protocol, port: u16) -> Vec<Forward> {
    let mut forwards = Vec::new();
    for group in map.all(|topology| &topology.target_groups) {
        if !carries(group.protocol.as_deref(), protocol) || !aims_at(map, group, target, address, port) {
            continue;
        }
        for listener in map.all(|topology| &topology.listeners) {
            let rules = map.all(|topology| &topology.listener_rules);
            let rules = rules.filter(|rule| rule.listener_arn().as_deref() == Some(&listener.listener_arn));
            let mut actions = listener.default_actions.iter().chain(rules.flat_map(|rule| &rule.actions));
            let forwarding = actions.any(|action| action.forwards_to().contains(&group.target_group_arn.as_str()));
            let (true, Some(port)) = (forwarding, port_of(listener.port)) else {
                continue;
            };

            let Some(balancer) = map
                .first(|topology| &topology.load_balancers, |own| own.load_balancer_arn == listener.load_balancer_arn)
            else {
                continue;
            };
            let Some(description) = description_of(&balancer.load_balancer_arn) else {
                continue;
            };
            if !carries(listener.protocol.as_deref(), protocol) {
                continue;
            }
            let network = balancer.balancer_type.as_deref() == Some("network");
            forwards.push(Forward {
                middle: vec![
                    balancer.load_balancer_arn.clone(),
                    listener.listener_arn.clone(),
                    group.target_group_arn.clone(),
                ],
                listener: listener.listener_arn.clone(),
                port,
                description,
                preserves: network && preserves(map, group),
                groups: balancer.security_groups.clone(),
            });
        }
    }
    forwards
}

/// Whether targets see the client's address. Elastic Load Balancing, "Target groups for your Network Load Balancers",
/// "Client IP preservation", read 2026-11-24: by default for instances, for load balancers, and for UDP.
fn preserves(map: Map, group: &TargetGroup) -> bool {
    let told = map
        .all(|topology| &topology.target_group_attributes)
        .filter(|own| own.target_group_arn == group.target_group_arn);
    let told = told.flat_map(|own| &own.attributes).find(|attribute| attribute.key == "preserve_client_ip.enabled");
    match told {
        Some(attribute) => attribute.value == "true",
        None => {
            let by_address = group.target_type.as_deref() == Some("ip");
            !by_address || !matches!(group.protocol.as_deref(), Some("TCP" | "TLS"))
        }
    }
}

fn classic(map: Map, target: &NetworkInterface, address: IpAddr, protocol: Protocol, port: u16) -> Vec<Forward> {
    let mut forwards = Vec::new();
    for balancer in map.all(|topology| &topology.classic_load_balancers) {
        let aims = balancer.instances.iter().any(|instance| target.instance_id() == Some(&instance.instance_id));
        if !aims || !is_first(target, address) {
            continue;
        }
        for described in &balancer.listener_descriptions {
            let listener = &described.listener;
            let matches =
                port_of(Some(listener.instance_port)) == Some(port) && carries(Some(&listener.protocol), protocol);
            if let (true, Some(front)) = (matches, port_of(Some(listener.load_balancer_port))) {
                forwards.push(Forward {
                    middle: vec![balancer.load_balancer_name.clone()],
                    listener: balancer.load_balancer_name.clone(),
                    port: front,
                    description: format!("ELB {}", balancer.load_balancer_name),
                    preserves: false,
                    groups: balancer.security_groups.clone(),
                });
            }
        }
    }
    forwards
}

impl Balanced {
    /// Both connections, one after the other.
    pub(super) fn walked(&self, map: Map, protocol: Protocol, port: u16) -> Outcome {
        let mut first = walked(map, &self.front, self.front_protocol, self.front_port);
        if first.halt.is_some() {
            return first;
        }
        let mut second = self.onward(map, protocol, port);
        let owner = map.interface(&self.node).and_then(|node| owner(map, node));
        first.path.retain(|step| step.component_id != self.node && Some(step.component_id.as_str()) != owner);
        let middle = self.middle.iter().map(|id| muster_domain::Step {
            component_id: id.clone(),
            component_type: super::component_type(id).to_owned(),
        });
        first.path.extend(middle);
        // As Inspector writes it: what lies between the balancer and its target is the balancer's.
        second.path.retain(|step| !step.component_id.starts_with("pcx-") && !step.component_id.starts_with("tgw-"));
        first.path.append(&mut second.path);
        first.trail.append(&mut second.trail);
        for unknown in second.unknown {
            if !first.unknown.contains(&unknown) {
                first.unknown.push(unknown);
            }
        }
        first.halt = second.halt;
        first
    }

    /// From the node to the target.
    fn onward(&self, map: Map, protocol: Protocol, port: u16) -> Outcome {
        let Some(node) = map.interface(&self.node) else {
            let unknown = Unknown {
                call: "ec2:DescribeNetworkInterfaces".into(),
                reason: format!("{} is not in the answer", self.node),
            };
            return Outcome::unclear(unknown);
        };
        let client = self.front.client().filter(|_| self.preserves);
        let origin = Origin::Inside {
            interface: Some(self.node.clone()),
            vpc: node.vpc_id.clone(),
            subnet: node.subnet_id.clone(),
        };
        let packet =
            Packet { from: client.unwrap_or(self.node_address), to: self.target, protocol, port, reply: false };
        let plan = Plan {
            origin,
            packet: packet.clone(),
            vpc: Some(self.target_vpc.clone()),
            carrier: None,
            anyone: self.front.anyone().filter(|_| self.preserves),
            forwarder: self.groups.clone(),
        };
        let mut walk = Walk::new(map, plan);
        let result = match self.preserves {
            false => walk.connect().map(|_| ()),
            true => self.preserved(&mut walk, node, &packet),
        };
        let halt = match result {
            Err(Halt::Blocked { blocker, change }) => Some((*blocker, change.map(|change| *change))),
            _ => None,
        };
        let path = walk.path.split_off(walk.left_at.min(walk.path.len()));
        Outcome { path, trail: walk.trail, unknown: walk.unknown, halt, carriers: walk.carriers }
    }

    /// The target sees the client's address; its answer comes back to the node whatever the routes say, because the
    /// network keeps the flow.
    fn preserved<'a>(&self, walk: &mut Walk<'a>, node: &'a NetworkInterface, packet: &Packet) -> Result<(), Halt> {
        walk.group_check(node, packet, true)?;
        let start = At::Subnet { vpc: node.vpc_id.clone(), subnet: node.subnet_id.clone() };
        walk.carry(start, packet.clone())?;
        let Some(target) = walk.map.interface_at(&self.target_vpc, self.target) else {
            return Ok(());
        };
        if target.subnet_id == node.subnet_id {
            return Ok(());
        }
        let reply = packet.answer(self.target, packet.from);
        walk.acl_check(&target.vpc_id, &target.subnet_id, &reply, true)?;
        walk.acl_check(&node.vpc_id, &node.subnet_id, &reply, false).map(|_| ())
    }
}
