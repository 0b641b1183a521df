//! What a change of the topology must do to the answer, whatever the topology is.

use crate::random::topologies;
use muster_domain::Reachability;
use muster_network::{NetworkAclEntry, PortRange, Topology, reachable};
use proptest::prelude::*;

fn found(topology: &Topology) -> Vec<Reachability> {
    reachable(topology).reachabilities
}

/// `0.0.0.0/0` and `::/0` as their halves.
fn halves(blocks: &[String]) -> Vec<String> {
    let split = |block: &String| match block.as_str() {
        "0.0.0.0/0" => vec!["0.0.0.0/1".to_owned(), "128.0.0.0/1".to_owned()],
        "::/0" => vec!["8000::/1".to_owned(), "::/1".to_owned()],
        _ => vec![block.clone()],
    };
    blocks.iter().flat_map(split).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everyone_in_two_halves_is_everyone(topology in topologies()) {
        let mut split = topology.clone();
        for permission in split.security_groups.iter_mut().flat_map(|group| &mut group.ip_permissions) {
            permission.ip_ranges = halves(&permission.ip_ranges);
            permission.ipv6_ranges = halves(&permission.ipv6_ranges);
        }
        prop_assert_eq!(found(&split), found(&topology));
    }

    #[test]
    fn a_lower_deny_removes_exactly_its_ports(topology in topologies()) {
        let mut denied = topology.clone();
        for acl in &mut denied.network_acls {
            for (number, peer) in [(1, "0.0.0.0/0"), (2, "::/0")] {
                acl.entries.push(NetworkAclEntry {
                    rule_number: number,
                    protocol: "6".into(),
                    rule_action: "deny".into(),
                    cidr_block: (!peer.contains(':')).then(|| peer.into()),
                    ipv6_cidr_block: peer.contains(':').then(|| peer.into()),
                    port_range: Some(PortRange { from: 22, to: 80 }),
                    ..NetworkAclEntry::default()
                });
            }
        }
        let mut expected = Vec::new();
        for range in found(&topology) {
            if range.protocol == "UDP" || range.port_end < 22 || range.port_begin > 80 {
                expected.push(range);
                continue;
            }
            if range.port_begin < 22 {
                expected.push(Reachability { port_end: 21, ..range.clone() });
            }
            if range.port_end > 80 {
                expected.push(Reachability { port_begin: 81, ..range });
            }
        }
        // A part of a merged range may owe its place to fewer groups than the whole.
        let without_path = |ranges: Vec<Reachability>| -> Vec<Reachability> {
            ranges.into_iter().map(|range| Reachability { path: Vec::new(), ..range }).collect()
        };
        prop_assert_eq!(without_path(found(&denied)), without_path(expected));
    }

    #[test]
    fn without_a_route_to_the_gateway_nothing_is_reached(mut topology in topologies()) {
        for table in &mut topology.route_tables {
            table.routes.retain(|route| route.gateway_id.as_deref() != Some("igw-1"));
        }
        prop_assert_eq!(found(&topology), []);
    }

    #[test]
    fn another_network_changes_nothing(topology in topologies(), elsewhere in topologies()) {
        let moved: Topology = {
            let text = serde_json::to_string(&elsewhere).unwrap();
            let renamed = ["vpc-", "subnet-", "rtb-", "acl-", "sg-", "eni-", "i-", "igw-", "pl-"]
                .iter()
                .fold(text, |text, prefix| text.replace(&format!("\"{prefix}"), &format!("\"{prefix}x")));
            serde_json::from_str(&renamed).unwrap()
        };
        let mut both = topology.clone();
        both.internet_gateways.extend(moved.internet_gateways);
        both.route_tables.extend(moved.route_tables);
        both.network_acls.extend(moved.network_acls);
        both.security_groups.extend(moved.security_groups);
        both.network_interfaces.extend(moved.network_interfaces);
        both.prefix_lists.extend(moved.prefix_lists);
        let ours: Vec<_> =
            found(&both).into_iter().filter(|range| !range.interface.starts_with("eni-x")).collect();
        prop_assert_eq!(ours, found(&topology));
    }

    #[test]
    fn the_order_of_answers_means_nothing(topology in topologies()) {
        let mut turned = topology.clone();
        turned.route_tables.reverse();
        turned.network_acls.iter_mut().for_each(|acl| acl.entries.reverse());
        turned.route_tables.iter_mut().for_each(|table| table.routes.reverse());
        turned.security_groups.iter_mut().for_each(|group| group.ip_permissions.reverse());
        turned.network_interfaces.reverse();
        prop_assert_eq!(reachable(&turned), reachable(&topology));
        prop_assert_eq!(turned.fingerprint(), topology.fingerprint());
    }
}
