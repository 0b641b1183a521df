//! Security groups: whatever one of an interface's groups permits is permitted, and answers always leave
//! (Amazon VPC user guide, "Security groups", read 2026-11-24).

use crate::{
    addresses::{Addresses, Block, Family},
    rules::{Ports, Protocol, Protocols, Unclear, block, stretches},
    sets::{Flows, Sets, Stretch},
    topology::{IpPermission, PrefixListEntries, SecurityGroup, UserIdGroupPair},
};
use std::collections::HashMap;

pub(crate) const CALL: &str = "ec2:DescribeSecurityGroups";
const LIST_CALL: &str = "ec2:GetManagedPrefixListEntries";

/// Peers in the rules of one group that are read. AWS allows 1,000 rules on an interface (Amazon VPC quotas, read
/// 2026-11-24); the work grows with the square.
const PERMITS_MAX: usize = 10_000;

/// What a group permits to come in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    /// `sg-…`; empty where there is none and none is needed.
    pub(crate) id: String,
    /// By address, for certain.
    pub(crate) known: Flows,
    /// By address, when what could not be read permits everyone.
    pub(crate) possible: Flows,
    /// What could not be read.
    pub(crate) unclear: Vec<Unclear>,
    /// By membership in another group.
    pub(crate) references: Vec<Reference>,
}

/// Members of a group may send to these ports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    pub(crate) group: String,
    /// `pcx-…`, when the rule says that the group lies behind one.
    pub(crate) peering: Option<String>,
    pub(crate) protocols: Protocols,
    pub(crate) ports: Ports,
}

struct Permit {
    protocols: Protocols,
    ports: Ports,
    block: Block,
}

impl Group {
    /// One that is not known: it may permit everything.
    pub(crate) fn unknown(id: &str, unclear: Unclear, sets: &mut Sets) -> Self {
        let open = Flows::all(sets);
        Self { id: id.to_owned(), known: Flows::NONE, possible: open, unclear: vec![unclear], references: Vec::new() }
    }

    /// Stands for having no group where that means that everything comes in.
    pub(crate) fn open(sets: &mut Sets) -> Self {
        let open = Flows::all(sets);
        Self { id: String::new(), known: open, possible: open, unclear: Vec::new(), references: Vec::new() }
    }

    pub(crate) fn read(
        group: &SecurityGroup,
        lists: &HashMap<&str, &PrefixListEntries>,
        unknown_list: &dyn Fn(&str) -> Option<Unclear>,
        sets: &mut Sets,
    ) -> Self {
        let (mut permits, mut guesses, mut unclear, mut references) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for permission in &group.ip_permissions {
            let protocols = Protocols::read(&permission.ip_protocol);
            if !protocols.have_ports() {
                continue;
            }
            let (from, to) = (permission.from_port, permission.to_port);
            let Some(ports) = Ports::read(from, to) else {
                let reason = format!("{}: {from:?} to {to:?} is not a port range", group.group_id);
                unclear.push(Unclear::new(CALL, reason));
                guesses.extend(everyone(protocols, Ports::ALL));
                continue;
            };
            for found in blocks(permission, &group.group_id, lists, unknown_list) {
                match found {
                    Ok(block) => permits.push(Permit { protocols, ports, block }),
                    Err(unknown) => {
                        unclear.push(unknown);
                        guesses.extend(everyone(protocols, ports));
                    }
                }
            }
            let pairs = permission.user_id_group_pairs.iter().filter(|pair| !is_stale(pair));
            references.extend(pairs.map(|pair| Reference {
                group: pair.group_id.clone(),
                peering: pair.vpc_peering_connection_id.clone(),
                protocols,
                ports,
            }));
        }
        if permits.len() > PERMITS_MAX {
            unclear.push(Unclear::new(CALL, format!("{} has more than {PERMITS_MAX} rules", group.group_id)));
            guesses.extend(everyone(Protocols::read("-1"), Ports::ALL));
            permits.truncate(PERMITS_MAX);
        }
        let known = permitted(&permits, sets);
        permits.append(&mut guesses);
        let possible = if unclear.is_empty() { known } else { permitted(&permits, sets) };
        Self { id: group.group_id.clone(), known, possible, unclear, references }
    }
}

/// A reference over a peering that is not there any more.
fn is_stale(pair: &UserIdGroupPair) -> bool {
    pair.peering_status.as_deref().is_some_and(|status| status != "active")
}

fn everyone(protocols: Protocols, ports: Ports) -> impl Iterator<Item = Permit> {
    let blocks = ["0.0.0.0/0", "::/0"].into_iter().filter_map(Block::parse);
    blocks.map(move |block| Permit { protocols, ports, block })
}

fn blocks(
    permission: &IpPermission,
    owner: &str,
    lists: &HashMap<&str, &PrefixListEntries>,
    unknown_list: &dyn Fn(&str) -> Option<Unclear>,
) -> Vec<Result<Block, Unclear>> {
    let ipv4 = permission.ip_ranges.iter().map(|range| &range.cidr_ip);
    let ipv6 = permission.ipv6_ranges.iter().map(|range| &range.cidr_ipv6);
    let mut blocks: Vec<_> = ipv4.chain(ipv6).map(|raw| block(CALL, owner, raw)).collect();
    for list in &permission.prefix_list_ids {
        match entries(&list.prefix_list_id, owner, lists, unknown_list) {
            Ok(found) => blocks.extend(found.into_iter().map(Ok)),
            Err(unclear) => blocks.push(Err(unclear)),
        }
    }
    blocks
}

/// The blocks of a prefix list; a list that is not there is unclear.
pub(crate) fn entries(
    list: &str,
    owner: &str,
    lists: &HashMap<&str, &PrefixListEntries>,
    unknown_list: &dyn Fn(&str) -> Option<Unclear>,
) -> Result<Vec<Block>, Unclear> {
    let Some(found) = lists.get(list) else {
        let reason = format!("{owner} refers to {list}, which is unknown");
        return Err(match unknown_list(list) {
            Some(denied) => Unclear { call: denied.call, reason: format!("{reason}: {}", denied.reason) },
            None => Unclear::new(LIST_CALL, reason),
        });
    };
    found.entries.iter().map(|entry| block(LIST_CALL, list, &entry.cidr)).collect()
}

fn permitted(permits: &[Permit], sets: &mut Sets) -> Flows {
    let mut flows = Flows::NONE;
    for family in Family::ALL {
        for protocol in Protocol::ALL {
            let own: Vec<&Permit> = permits
                .iter()
                .filter(|permit| permit.block.family == family && permit.protocols.hold(protocol))
                .collect();
            if own.is_empty() {
                continue;
            }
            let mut map = Vec::new();
            for ports in stretches(own.iter().map(|permit| permit.ports)) {
                let blocks = own.iter().filter(|permit| permit.ports.hold(ports.first)).map(|permit| &permit.block);
                let set = sets.set(Addresses::of(family, blocks));
                map.push(Stretch { ports, set });
            }
            *flows.at(family, protocol) = sets.map(map);
        }
    }
    flows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{IpRange, Ipv6Range, PrefixListEntry, PrefixListId};

    /// `tcp 80-90 PEER`, `-1 all PEER`; a peer is a block, `pl-…` or `sg-…`.
    fn group(permissions: &str) -> SecurityGroup {
        let permission = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let &[protocol, ports, peer] = words.as_slice() else { panic!("{line}") };
            let (from, to) =
                ports.split_once('-').map_or((None, None), |(from, to)| (from.parse().ok(), to.parse().ok()));
            let mut permission =
                IpPermission { ip_protocol: protocol.into(), from_port: from, to_port: to, ..IpPermission::default() };
            match peer {
                _ if peer.contains('.') => permission.ip_ranges.push(IpRange { cidr_ip: peer.into() }),
                _ if peer.contains(':') => permission.ipv6_ranges.push(Ipv6Range { cidr_ipv6: peer.into() }),
                _ if peer.starts_with("pl-") => {
                    permission.prefix_list_ids.push(PrefixListId { prefix_list_id: peer.into() });
                }
                _ => {
                    let pair = UserIdGroupPair { group_id: peer.into(), ..UserIdGroupPair::default() };
                    permission.user_id_group_pairs.push(pair);
                }
            }
            permission
        };
        SecurityGroup {
            group_id: "sg-1".into(),
            ip_permissions: permissions.lines().map(permission).collect(),
            ..SecurityGroup::default()
        }
    }

    fn read(permissions: &str, sets: &mut Sets) -> Group {
        let entries = ["198.51.100.0/25", "198.51.100.128/25"].map(|cidr| PrefixListEntry { cidr: cidr.into() });
        let list = PrefixListEntries { prefix_list_id: "pl-1".into(), entries: entries.into() };
        Group::read(&group(permissions), &HashMap::from([("pl-1", &list)]), &|_| None, sets)
    }

    /// Who may send TCP to `port`, over IPv4 and IPv6.
    fn check(permissions: &str, port: u16, expected: &str) {
        let mut sets = Sets::new();
        let group = read(permissions, &mut sets);
        assert_eq!(group.unclear, []);
        let sources = Family::ALL.iter().flat_map(|family| {
            let admitted = sets.at(group.known.of(*family, Protocol::Tcp), port, *family);
            sets.get(admitted).blocks_within(&Addresses::all(*family))
        });
        assert_eq!(sources.collect::<Vec<_>>().join(" "), expected, "port {port} of {permissions:?}");
    }

    #[test]
    fn what_a_rule_permits_is_permitted() {
        check("tcp 22-22 203.0.113.0/24", 22, "203.0.113.0/24");
        check("tcp 22-22 203.0.113.0/24", 23, "");
        check("tcp 22-22 203.0.113.0/24\ntcp 0-65535 203.0.112.0/24", 22, "203.0.112.0/23"); // union, merged
        check("-1 all 0.0.0.0/0\n-1 all ::/0", 7, "0.0.0.0/0 ::/0");
        check("6 22-22 0.0.0.0/0", 22, "0.0.0.0/0"); // by number
        check("udp 22-22 0.0.0.0/0", 22, "");
        check("icmp 8-0 0.0.0.0/0", 8, ""); // type and code, not ports
        check("tcp 22-22 sg-2", 22, ""); // members of a group are no block
        check("tcp 22-22 pl-1", 22, "198.51.100.0/24");
        check("", 22, "");
    }

    #[test]
    fn a_permission_that_cannot_be_read_is_unclear_and_the_others_stay() {
        let check = |permissions: &str, call: &str, reason: &str| {
            let mut sets = Sets::new();
            let group = read(&format!("{permissions}\ntcp 80-80 0.0.0.0/0"), &mut sets);
            assert_eq!(group.unclear, [Unclear::new(call, reason)]);
            let open = |flows: &Flows, port| sets.at(flows.of(Family::V4, Protocol::Tcp), port, Family::V4);
            assert_eq!(open(&group.known, 80), Sets::all(Family::V4));
            assert_eq!(open(&group.known, 5), Sets::none(Family::V4));
            assert_eq!(open(&group.possible, 5), Sets::all(Family::V4));
        };
        check("tcp 5-4 0.0.0.0/0", CALL, "sg-1: Some(5) to Some(4) is not a port range");
        check("tcp 5-5 0.0.0.0/64", CALL, "sg-1: `0.0.0.0/64` is not a CIDR block");
        check("tcp 5-5 pl-2", LIST_CALL, "sg-1 refers to pl-2, which is unknown");
    }
}
