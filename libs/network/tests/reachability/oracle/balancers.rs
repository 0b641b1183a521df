//! Load balancers: what reaches a listener on one of the nodes is handed on to the targets.

use super::{
    Answer, Header, Packet, Protocol, World, filters,
    walk::{self, crosses},
    world::{Balancer, Interface, Listener, TargetGroup},
};
use std::net::IpAddr;

/// The balancer whose node this interface is, as its description says.
pub fn node_of<'a>(world: &'a World, interface: &Interface) -> Option<&'a Balancer> {
    world.balancers.iter().find(|balancer| balancer.description == interface.description)
}

fn listens(listener: &Listener, protocol: Protocol) -> bool {
    match listener.protocol.as_str() {
        "UDP" => protocol == Protocol::Udp,
        "TCP_UDP" => true,
        _ => protocol == Protocol::Tcp,
    }
}

/// A node answers on its listeners and nowhere else.
pub fn on_a_listener(world: &World, balancer: &Balancer, node: &Interface, packet: &Packet) -> Answer {
    let heard =
        balancer.listeners.iter().any(|listener| listener.port == packet.port && listens(listener, packet.protocol));
    if !heard && balancer.kind != "classic" && world.missing.contains("elasticloadbalancing:DescribeListeners") {
        return Answer::Unknown("elasticloadbalancing:DescribeListeners".into());
    }
    Answer::of(heard).and(|| reaches_node(world, node, packet, packet.port))
}

fn reaches_node(world: &World, node: &Interface, packet: &Packet, port: u16) -> Answer {
    walk::arrives(world, node, packet.edge, packet.source, packet.protocol, port)
}

/// Whether a balancer hands the connection on to this port of the interface.
pub fn hand_on(world: &World, interface: &Interface, packet: &Packet) -> Answer {
    let mut answers = Vec::new();
    for balancer in &world.balancers {
        for listener in balancer.listeners.iter().filter(|listener| listens(listener, packet.protocol)) {
            let Some(is_target) = targets(world, listener, interface, packet.port) else {
                continue;
            };
            for node in world.interfaces.iter().filter(|node| node.description == balancer.description) {
                // A network balancer can stand before an application balancer: then its node is a target itself.
                let at_the_node = Packet { interface: node.id.clone(), port: listener.port, ..packet.clone() };
                let straight = reaches_node(world, node, packet, listener.port);
                let first = Answer::any([straight, hand_on(world, node, &at_the_node)]);
                let both = is_target.clone().and(|| first);
                answers.push(both.and(|| second_leg(world, balancer, listener, node, interface, packet)));
            }
        }
    }
    Answer::any(answers)
}

fn groups_of<'a>(world: &'a World, listener: &Listener) -> impl Iterator<Item = &'a TargetGroup> {
    let arns = listener.forwards.clone();
    world.target_groups.iter().filter(move |group| arns.contains(&group.arn))
}

/// Whether this port of the interface is a target of the listener; `None`: it is not.
fn targets(world: &World, listener: &Listener, interface: &Interface, port: u16) -> Option<Answer> {
    if let Some((instance_port, instances)) = &listener.classic {
        let is_member = interface.primary && interface.instance.as_ref().is_some_and(|id| instances.contains(id));
        return (is_member && *instance_port == port).then_some(Answer::Open);
    }
    let answers: Vec<Answer> = groups_of(world, listener)
        .filter_map(|group| match &group.targets {
            None if interface.vpc == group.vpc && may_be_target(world, group, interface) => {
                Some(Answer::Unknown("elasticloadbalancing:DescribeTargetHealth".into()))
            }
            None => None,
            Some(targets) => {
                let is_target =
                    targets.iter().any(|(id, target)| *target == port && is_meant(world, group, id, interface));
                is_target.then_some(Answer::Open)
            }
        })
        .collect();
    (!answers.is_empty()).then(|| Answer::any(answers))
}

/// Only an application balancer stands behind another one.
fn may_be_target(world: &World, group: &TargetGroup, interface: &Interface) -> bool {
    match node_of(world, interface) {
        Some(balancer) => group.kind == "alb" && balancer.kind == "application",
        None => group.kind != "alb",
    }
}

/// An instance is reached on its primary interface, an address on the interface that has it.
fn is_meant(world: &World, group: &TargetGroup, id: &str, interface: &Interface) -> bool {
    match group.kind.as_str() {
        "instance" => interface.primary && interface.instance.as_deref() == Some(id),
        "ip" => {
            let address: IpAddr = id.parse().unwrap();
            // Of a peered VPC too: whether routes lead there is asked on the second leg.
            let is_near =
                interface.vpc == group.vpc || walk::peering_between(world, &group.vpc, &interface.vpc).is_some();
            is_near && interface.ipv4.iter().any(|(own, _)| *own == address)
        }
        "alb" => id.split_once("loadbalancer/").is_some_and(|(_, name)| interface.description == format!("ELB {name}")),
        _ => false,
    }
}

/// From the node to the target, over IPv4: no target group here is one of IPv6. The target sees the client where the
/// balancer keeps the client's address: for instances and balancers, for addresses under UDP, and for IPv4 clients
/// alone (Network Load Balancers guide, "Client IP preservation": the defaults).
fn second_leg(
    world: &World,
    balancer: &Balancer,
    listener: &Listener,
    node: &Interface,
    target: &Interface,
    packet: &Packet,
) -> Answer {
    let keeps = groups_of(world, listener).any(|group| {
        let by_default = ["instance", "alb"].contains(&group.kind.as_str());
        balancer.kind == "network" && (by_default || ["UDP", "TCP_UDP"].contains(&group.protocol.as_str()))
    });
    let seen: Vec<IpAddr> = if keeps && packet.source.is_ipv4() {
        vec![packet.source]
    } else {
        node.ipv4.iter().map(|(address, _)| *address).collect()
    };
    let subnet = |interface: &Interface| world.subnets.iter().find(|subnet| subnet.id == interface.subnet);
    let ports = filters::ephemeral_ports(world);
    let mut answers = Vec::new();
    for source in seen {
        for (destination, _) in target.ipv4.iter().take(1) {
            for source_port in &ports {
                let there = Header {
                    protocol: packet.protocol,
                    source,
                    source_port: *source_port,
                    destination: *destination,
                    destination_port: packet.port,
                };
                let refers = |group: &str, source: IpAddr| {
                    filters::is_member(node, group, source) || balancer.groups.iter().any(|own| own == group)
                };
                answers.push(
                    walk::joined(world, node, target, *destination)
                        .and(|| filters::admitted(world, &target.groups, there, &refers))
                        .and(|| crosses(world, subnet(node), subnet(target), there))
                        .and(|| crosses(world, subnet(target), subnet(node), there.turned())),
                );
            }
        }
    }
    Answer::any(answers)
}
