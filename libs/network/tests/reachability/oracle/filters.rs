//! Network ACLs and security groups, one packet at a time.

use super::{
    Answer, Header, World,
    walk::Entry,
    world::{Interface, Subnet},
};
use std::net::IpAddr;

/// The ports that a client can send from (Amazon VPC user guide, "Ephemeral ports"): one of each stretch over which no
/// rule of this world changes.
pub fn ephemeral_ports(world: &World) -> Vec<u16> {
    let lists = world.acls.iter().flat_map(|acl| &acl.rules).filter_map(|rule| rule.ports);
    let rules = || world.stateless.values().flatten();
    let firewalls = rules().flat_map(|rule| rule.source_ports.iter().chain(&rule.destination_ports).copied());
    let stateful = world.stateful.values().flatten().flatten();
    let stateful = stateful
        .flat_map(|rule| [&rule.source_port, &rule.destination_port])
        .filter_map(|port| port.parse::<i64>().ok())
        .map(|port| (port, port));
    let edges = lists.chain(firewalls).chain(stateful).flat_map(|(first, last)| [first, last + 1]);
    let mut ports: Vec<u16> =
        edges.chain([1024]).filter_map(|port| u16::try_from(port).ok()).filter(|port| *port >= 1024).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// What the subnet's list says to one packet: the lowest-numbered rule that matches decides.
/// The peer is the source of what comes in and the destination of what leaves; the port is always the destination's.
pub fn list_admits(world: &World, subnet: &Subnet, egress: bool, header: Header) -> Answer {
    let own = world.acls.iter().find(|acl| acl.subnets.contains(&subnet.id));
    let default = world.acls.iter().find(|acl| acl.default && acl.vpc == subnet.vpc);
    let Some(acl) = own.or(default) else {
        return Answer::Unknown("ec2:DescribeNetworkAcls".into());
    };
    let peer = if egress { header.destination } else { header.source };
    let port = i64::from(header.destination_port);
    let mut rules: Vec<_> = acl.rules.iter().filter(|rule| rule.egress == egress).collect();
    rules.sort_by_key(|rule| rule.number);
    let decides = rules.into_iter().find(|rule| {
        header.protocol.is(&rule.protocol)
            && rule.ports.is_none_or(|(first, last)| first <= port && port <= last)
            && rule.block.contains(&peer)
    });
    Answer::of(decides.is_some_and(|rule| rule.allow))
}

/// Whether one of the interface's groups lets the packet in. What answers needs no rule.
pub fn groups_admit(world: &World, interface: &Interface, entry: &Entry, header: Header) -> Answer {
    if interface.kind == "network_load_balancer" && interface.groups.is_empty() {
        return Answer::Open; // a network balancer may have no group: then it admits everyone
    }
    let refers = |group: &str, source: IpAddr| refers_to(world, interface, entry, group, source);
    admitted(world, &interface.groups, header, &refers)
}

/// Whether one of these groups has a rule for the packet; `refers` tells whether the source is a group's member.
pub fn admitted(world: &World, groups: &[String], header: Header, refers: &dyn Fn(&str, IpAddr) -> bool) -> Answer {
    let port = i64::from(header.destination_port);
    let mut answers = Vec::new();
    for id in groups {
        let Some(group) = world.groups.iter().find(|group| group.id == *id) else {
            answers.push(Answer::Unknown("ec2:DescribeSecurityGroups".into()));
            continue;
        };
        for permission in &group.permissions {
            let is_about_it = header.protocol.is(&permission.protocol)
                && permission.ports.is_none_or(|(first, last)| first <= port && port <= last);
            if !is_about_it {
                continue;
            }
            let by_block = permission.blocks.iter().any(|block| block.contains(&header.source));
            let by_group = permission.groups.iter().any(|group| refers(group, header.source));
            answers.push(Answer::of(by_block || by_group));
            for list in &permission.lists {
                answers.push(match world.lists.get(list) {
                    Some(blocks) => Answer::of(blocks.iter().any(|block| block.contains(&header.source))),
                    None => Answer::Unknown("ec2:GetManagedPrefixListEntries".into()),
                });
            }
        }
    }
    Answer::any(answers)
}

/// Whether the source is a member of a group to which a rule of the interface may refer: one of its own VPC, of a peer
/// in its own region, or behind a transit gateway that carries references. Anything else is stale and matches nobody.
fn refers_to(world: &World, interface: &Interface, entry: &Entry, group: &str, source: IpAddr) -> bool {
    let members = world.interfaces.iter().filter(|member| is_member(member, group, source));
    members.into_iter().any(|member| match entry {
        Entry::Peer { peering } => {
            let peering = world.peerings.iter().find(|known| known.id == *peering);
            let is_side = |vpc: &str| peering.is_some_and(|peering| peering.sides.iter().any(|side| side.vpc == vpc));
            let in_one_region = |[one, other]: &[super::world::Side; 2]| one.region == other.region;
            is_side(&member.vpc)
                && is_side(&interface.vpc)
                && peering.is_some_and(|peering| in_one_region(&peering.sides))
        }
        Entry::Transit { ours, theirs } => {
            theirs.resource == member.vpc
                && world.transits.get(&ours.transit) == Some(&true)
                && ours.referencing
                && theirs.referencing
        }
        Entry::Internet { .. } | Entry::Virtual { .. } => false,
    })
}

/// Whether an interface with this group has this address: members are known by their private addresses.
pub fn is_member(member: &Interface, group: &str, address: IpAddr) -> bool {
    member.groups.iter().any(|own| own == group)
        && (member.ipv4.iter().any(|(own, _)| *own == address) || member.ipv6.iter().any(|own| own.contains(&address)))
}
