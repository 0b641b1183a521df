//! Security groups: whatever one of an interface's groups permits is permitted, and answers always leave
//! (Amazon VPC user guide, "Security groups", read 2026-11-24).

use crate::{
    addresses::{Addresses, Block, Family},
    rules::{Ports, Protocol, Protocols, Unclear, block},
    topology::{PrefixList, SecurityGroup},
};
use std::collections::{BTreeMap, BTreeSet};

const CALL: &str = "DescribeSecurityGroups";

/// What a set of groups permits to come in from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    permits: Vec<Permit>,
}

#[derive(Clone, Debug)]
struct Permit {
    group: String,
    protocols: Protocols,
    ports: Ports,
    block: Block,
}

impl Groups {
    /// Peers named by their group are members' private addresses, so nobody on the internet is among them.
    pub(crate) fn read<'a>(
        groups: impl IntoIterator<Item = &'a SecurityGroup>,
        lists: &BTreeMap<&str, &PrefixList>,
    ) -> Result<Self, Unclear> {
        let mut permits = Vec::new();
        for group in groups {
            for permission in &group.ip_permissions {
                let protocols = Protocols::read(&permission.ip_protocol);
                if !protocols.have_ports() {
                    continue;
                }
                let (from, to) = (permission.from_port, permission.to_port);
                let ports = Ports::read(from, to).ok_or_else(|| {
                    Unclear::new(CALL, format!("{}: {from:?} to {to:?} is not a port range", group.group_id))
                })?;
                let mut permit = |block| {
                    permits.push(Permit { group: group.group_id.clone(), protocols, ports, block });
                };
                for raw in permission.ip_ranges.iter().chain(&permission.ipv6_ranges) {
                    permit(block(CALL, &group.group_id, raw)?);
                }
                for list in &permission.prefix_list_ids {
                    entries(list, &group.group_id, lists)?.into_iter().for_each(&mut permit);
                }
            }
        }
        Ok(Self { permits })
    }

    /// Everything from everyone: stands in for groups that are not known, to see whether they matter.
    pub(crate) fn open() -> Self {
        let permits = ["0.0.0.0/0", "::/0"].iter().filter_map(|everyone| Block::parse(everyone)).map(|block| Permit {
            group: String::new(),
            protocols: Protocols::read("-1"),
            ports: Ports::ALL,
            block,
        });
        Self { permits: permits.collect() }
    }

    /// Marks the ports where `admits` can change.
    pub(crate) fn cut(&self, protocol: Protocol, cuts: &mut Vec<u32>) {
        self.permits.iter().filter(|permit| permit.protocols.hold(protocol)).for_each(|permit| permit.ports.cut(cuts));
    }

    /// Who may send to this port.
    pub(crate) fn admits(&self, family: Family, protocol: Protocol, port: u16) -> Addresses {
        Addresses::of(family, self.matching(protocol, port).map(|permit| &permit.block))
    }

    /// The groups that permit some of these sources to send to this port.
    pub(crate) fn responsible(
        &self,
        family: Family,
        protocol: Protocol,
        port: u16,
        sources: &Addresses,
    ) -> BTreeSet<String> {
        let touches = |block: &Block| block.family == family && sources.touches(block.first, block.last);
        self.matching(protocol, port)
            .filter(|permit| touches(&permit.block))
            .map(|permit| permit.group.clone())
            .collect()
    }

    fn matching(&self, protocol: Protocol, port: u16) -> impl Iterator<Item = &Permit> {
        self.permits.iter().filter(move |permit| permit.protocols.hold(protocol) && permit.ports.hold(port))
    }
}

/// The blocks of a prefix list; a list that is not there is unclear.
pub(crate) fn entries(list: &str, owner: &str, lists: &BTreeMap<&str, &PrefixList>) -> Result<Vec<Block>, Unclear> {
    let call = "GetManagedPrefixListEntries";
    let found =
        lists.get(list).ok_or_else(|| Unclear::new(call, format!("{owner} refers to {list}, which is unknown")))?;
    found.entries.iter().map(|raw| block(call, list, raw)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{addresses::internet, topology::IpPermission};

    /// `tcp 80-90 PEER`, `-1 all PEER`; a peer is a block, `pl-…` or `sg-…`.
    fn group(id: &str, permissions: &str) -> SecurityGroup {
        let permission = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let &[protocol, ports, peer] = words.as_slice() else { panic!("{line}") };
            let (from, to) =
                ports.split_once('-').map_or((None, None), |(from, to)| (from.parse().ok(), to.parse().ok()));
            let only = |yes: bool| {
                if yes { vec![peer.to_owned()] } else { Vec::new() }
            };
            IpPermission {
                ip_protocol: protocol.into(),
                from_port: from,
                to_port: to,
                ip_ranges: only(peer.contains('.')),
                ipv6_ranges: only(peer.contains(':')),
                prefix_list_ids: only(peer.starts_with("pl-")),
                user_id_group_pairs: only(peer.starts_with("sg-")),
            }
        };
        SecurityGroup {
            group_id: id.into(),
            ip_permissions: permissions.lines().map(permission).collect(),
            ..SecurityGroup::default()
        }
    }

    fn read(groups: &[SecurityGroup]) -> Result<Groups, Unclear> {
        let list = PrefixList {
            prefix_list_id: "pl-1".into(),
            address_family: "IPv4".into(),
            entries: vec!["198.51.100.0/25".into(), "198.51.100.128/25".into()],
        };
        Groups::read(groups, &BTreeMap::from([("pl-1", &list)]))
    }

    /// Who may send TCP to `port`, over IPv4 and IPv6.
    fn check(permissions: &[&str], port: u16, expected: &str) {
        let groups: Vec<_> = permissions.iter().map(|permissions| group("sg-1", permissions)).collect();
        let groups = read(&groups).unwrap();
        let sources = Family::ALL
            .iter()
            .flat_map(|family| groups.admits(*family, Protocol::Tcp, port).blocks_within(&internet(*family, &[])));
        assert_eq!(sources.collect::<Vec<_>>().join(" "), expected, "port {port} of {permissions:?}");
    }

    #[test]
    fn what_one_group_permits_is_permitted() {
        check(&["tcp 22-22 203.0.113.0/24"], 22, "203.0.113.0/24");
        check(&["tcp 22-22 203.0.113.0/24"], 23, "");
        check(&["tcp 22-22 203.0.113.0/24", "tcp 0-65535 203.0.112.0/24"], 22, "203.0.112.0/23"); // union, merged
        check(&["-1 all 0.0.0.0/0\n-1 all ::/0"], 7, "0.0.0.0/0 ::/0");
        check(&["6 22-22 0.0.0.0/0"], 22, "0.0.0.0/0"); // by number
        check(&["udp 22-22 0.0.0.0/0"], 22, "");
        check(&["icmp 8-0 0.0.0.0/0"], 8, ""); // type and code, not ports
        check(&["tcp 22-22 sg-2"], 22, ""); // members of a group are not the internet
        check(&["tcp 22-22 pl-1"], 22, "198.51.100.0/24");
        check(&[], 22, "");
    }

    #[test]
    fn a_permission_that_cannot_be_read_is_unclear() {
        let check = |permissions: &str, call: &str, reason: &str| {
            assert_eq!(read(&[group("sg-1", permissions)]).unwrap_err(), Unclear::new(call, reason));
        };
        check("tcp 5-4 0.0.0.0/0", CALL, "sg-1: Some(5) to Some(4) is not a port range");
        check("tcp 5-5 0.0.0.0/64", CALL, "sg-1: `0.0.0.0/64` is not a CIDR block");
        check("tcp 5-5 pl-2", "GetManagedPrefixListEntries", "sg-1 refers to pl-2, which is unknown");
    }

    #[test]
    fn the_groups_responsible_are_those_that_permit_some_of_the_sources() {
        let groups = read(&[group("sg-1", "tcp 22-22 203.0.113.0/24"), group("sg-2", "tcp 22-22 198.51.100.0/24")]);
        let sources = Addresses::of(Family::V4, [&Block::parse("203.0.113.8/32").unwrap()]);
        let responsible = groups.unwrap().responsible(Family::V4, Protocol::Tcp, 22, &sources);
        assert_eq!(responsible, BTreeSet::from(["sg-1".to_owned()]));
    }
}
