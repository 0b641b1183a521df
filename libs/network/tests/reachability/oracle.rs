//! One packet at a time, in the plainest words: slow and obvious. It must agree with the analysis on every packet that
//! lies at an edge of any block or port range; between edges neither of the two can change its answer.

use crate::random::{BLOCKS, PORTS, topologies};
use ipnet::IpNet;
use muster_domain::{FindingId, Reachability, ResourceId};
use muster_network::{NetworkInterface, Topology, reachable};
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

fn holds(block: &str, address: IpAddr) -> bool {
    block.parse::<IpNet>().unwrap().contains(&address)
}

fn is_of_family(raw: &str, address: IpAddr) -> bool {
    raw.contains(':') == address.is_ipv6()
}

/// The blocks that a rule's prefix list stands for.
fn entries<'a>(topology: &'a Topology, list: &str) -> &'a [String] {
    &topology.prefix_lists.iter().find(|known| known.prefix_list_id == list).unwrap().entries
}

fn is_protocol(raw: &str, protocol: &str) -> bool {
    let number = if protocol == "TCP" { "6" } else { "17" };
    raw == "-1" || raw == number || raw == protocol.to_lowercase()
}

/// Where the subnet's route table sends packets for this address.
fn next_hop(topology: &Topology, interface: &NetworkInterface, address: IpAddr) -> Option<String> {
    let tables = || topology.route_tables.iter().filter(|table| table.vpc_id == interface.vpc_id);
    let own = tables().find(|table| {
        table.associations.iter().any(|association| association.subnet_id.as_ref() == Some(&interface.subnet_id))
    });
    let main = tables().find(|table| table.associations.iter().any(|association| association.main));
    let mut best: Option<((u8, u8), Option<String>)> = None;
    for route in &own.or(main).unwrap().routes {
        let mut destinations: Vec<String> = Vec::new();
        destinations.extend(route.destination_cidr_block.clone());
        destinations.extend(route.destination_ipv6_cidr_block.clone());
        if let Some(list) = &route.destination_prefix_list_id {
            destinations.extend(entries(topology, list).to_vec());
        }
        for destination in destinations.iter().filter(|block| holds(block, address)) {
            let length = destination.parse::<IpNet>().unwrap().prefix_len();
            let preference = match (route.origin.as_str(), &route.destination_prefix_list_id) {
                ("EnableVgwRoutePropagation", _) => 0,
                (_, Some(_)) => 1,
                (_, None) => 2,
            };
            let target = (route.state == "active").then(|| route.gateway_id.clone().or(route.other_target.clone()));
            if best.as_ref().is_none_or(|(known, _)| (length, preference) > *known) {
                best = Some(((length, preference), target.flatten()));
            }
        }
    }
    best?.1
}

fn acl_allows(
    topology: &Topology,
    interface: &NetworkInterface,
    egress: bool,
    protocol: &str,
    peer: IpAddr,
    port: i32,
) -> bool {
    let acls = || topology.network_acls.iter().filter(|acl| acl.vpc_id == interface.vpc_id);
    let own = acls().find(|acl| acl.associations.contains(&interface.subnet_id));
    let acl = own.or(acls().find(|acl| acl.is_default)).unwrap();
    let mut entries: Vec<_> = acl.entries.iter().filter(|entry| entry.egress == egress).collect();
    entries.sort_by_key(|entry| entry.rule_number);
    let decides = entries.into_iter().find(|entry| {
        is_protocol(&entry.protocol, protocol)
            && entry.port_range.is_none_or(|range| range.from <= port && port <= range.to)
            && entry.cidr_block.iter().chain(&entry.ipv6_cidr_block).any(|block| holds(block, peer))
    });
    decides.is_some_and(|entry| entry.rule_action == "allow")
}

fn a_group_permits(
    topology: &Topology,
    interface: &NetworkInterface,
    protocol: &str,
    source: IpAddr,
    port: i32,
) -> bool {
    let groups = topology.security_groups.iter().filter(|group| interface.groups.contains(&group.group_id));
    groups.flat_map(|group| &group.ip_permissions).any(|permission| {
        is_protocol(&permission.ip_protocol, protocol)
            && permission.from_port.is_none_or(|from| from <= port)
            && permission.to_port.is_none_or(|to| port <= to)
            && (permission.ip_ranges.iter().chain(&permission.ipv6_ranges).any(|block| holds(block, source))
                || permission
                    .prefix_list_ids
                    .iter()
                    .any(|list| entries(topology, list).iter().any(|block| holds(block, source))))
    })
}

fn is_on_the_internet(address: IpAddr) -> bool {
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

/// Whether a connection from this source to this port comes about.
fn connects(topology: &Topology, interface: &NetworkInterface, protocol: &str, source: IpAddr, port: i32) -> bool {
    let has_public_address = match source {
        IpAddr::V4(_) => interface.private_ip_addresses.iter().any(|address| address.public_ip.is_some()),
        IpAddr::V6(_) => !interface.ipv6_addresses.is_empty(),
    };
    if !has_public_address || !is_on_the_internet(source) {
        return false;
    }
    let Some(hop) = next_hop(topology, interface, source) else {
        return false;
    };
    let through_the_gateway = topology.internet_gateways.iter().any(|gateway| {
        gateway.internet_gateway_id == hop
            && gateway.attachments.iter().any(|attached| attached.vpc_id == interface.vpc_id)
    });
    let edges = PORTS.iter().flat_map(|port| [port - 1, *port, port + 1]).filter(|port| (1024..=65535).contains(port));
    let mut ephemeral = edges.chain([1024]);
    through_the_gateway
        && a_group_permits(topology, interface, protocol, source, port)
        && acl_allows(topology, interface, false, protocol, source, port)
        && ephemeral.any(|back| acl_allows(topology, interface, true, protocol, source, back))
}

/// The addresses at and beside the edges of all blocks.
fn sources() -> BTreeSet<IpAddr> {
    let mut sources = BTreeSet::new();
    for block in BLOCKS {
        match block.parse::<IpNet>().unwrap() {
            IpNet::V4(net) => {
                let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
                let near = [first.wrapping_sub(1), first, last, last.wrapping_add(1)];
                sources.extend(near.map(|address| IpAddr::V4(Ipv4Addr::from(address))));
            }
            IpNet::V6(net) => {
                let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
                let near = [first.wrapping_sub(1), first, last, last.wrapping_add(1)];
                sources.extend(near.map(|address| IpAddr::V6(Ipv6Addr::from(address))));
            }
        }
    }
    sources
        .extend(["8.8.8.8", "9.255.255.255", "2600::1", "fdff::1"].map(|address| address.parse::<IpAddr>().unwrap()));
    sources
}

fn ports() -> BTreeSet<i32> {
    let near = PORTS.iter().flat_map(|port| [port - 1, *port, port + 1]);
    near.filter(|port| (0..=65535).contains(port)).collect()
}

fn check_against_packets(topology: &Topology) -> Result<(), TestCaseError> {
    let analysis = reachable(topology);
    prop_assert!(analysis.undetermined.is_empty(), "{:?}", analysis.undetermined);
    for interface in &topology.network_interfaces {
        for protocol in ["TCP", "UDP"] {
            let said: Vec<&Reachability> = analysis
                .reachabilities
                .iter()
                .filter(|said| said.interface == interface.network_interface_id && said.protocol == protocol)
                .collect();
            for port in ports() {
                let range =
                    said.iter().find(|said| i32::from(said.port_begin) <= port && port <= i32::from(said.port_end));
                for source in sources() {
                    let analysed = range.is_some_and(|said| {
                        is_on_the_internet(source)
                            && next_hop(topology, interface, source).as_deref() != Some("local")
                            && said.sources.iter().any(|block| is_of_family(block, source) && holds(block, source))
                    });
                    let connects = connects(topology, interface, protocol, source, port);
                    prop_assert_eq!(
                        analysed,
                        connects,
                        "{} {} {} {}",
                        interface.network_interface_id,
                        protocol,
                        source,
                        port
                    );
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_packet_agrees_with_the_analysis(topology in topologies()) {
        check_against_packets(&topology)?;
    }

    #[test]
    fn ranges_are_disjoint_merged_and_have_ids_of_their_own(topology in topologies()) {
        let found = reachable(&topology).reachabilities;
        for pair in found.windows(2) {
            let [before, after] = pair else { continue };
            if (&before.interface, &before.protocol) == (&after.interface, &after.protocol) {
                prop_assert!(before.port_end < after.port_begin);
                let adjacent = before.port_end + 1 == after.port_begin;
                prop_assert!(!adjacent || before.sources != after.sources, "not merged: {:?}", pair);
            }
        }
        let instance = ResourceId::new("i-1");
        let ids: BTreeSet<FindingId> =
            found.iter().map(|found| FindingId::of_network_reachability(&instance, found)).collect();
        prop_assert_eq!(ids.len(), found.len());
    }
}
