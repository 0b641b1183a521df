//! Network ACLs: numbered rules, the lowest that matches decides, and no memory of connections
//! (Amazon VPC user guide, "Network ACL basics", read 2026-11-24).

use crate::{
    addresses::Family,
    rules::{Ports, Protocol, Protocols, Unclear, block, stretches},
    sets::{Flows, SetId, Sets, Stretch},
    topology::NetworkAcl,
};

const CALL: &str = "ec2:DescribeNetworkAcls";

/// Rules of one list in one direction that are read. AWS allows 40 (Amazon VPC quotas, read 2026-11-24); the work grows
/// with the square.
const RULES_MAX: usize = 1_000;

/// The ports that clients send from, so the ones that answers go to.
/// Amazon VPC user guide, "Custom network ACLs and other AWS services: ephemeral ports", read 2026-11-24: 1024-65535
/// covers every client.
pub(crate) const EPHEMERAL: Ports = Ports { first: 1024, last: 65535 };

/// A network ACL: who may send to each port, and to whom may be sent. One that is not known admits everyone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Acl {
    /// `acl-…`; empty when not even that is known.
    pub(crate) id: String,
    pub(crate) ingress: Flows,
    pub(crate) egress: Flows,
    pub(crate) unclear: Option<Unclear>,
}

struct Rule {
    protocols: Protocols,
    family: Family,
    set: SetId,
    ports: Ports,
    allow: bool,
}

impl Acl {
    /// Open, for one that is not known.
    pub(crate) fn unknown(id: &str, unclear: Unclear, sets: &mut Sets) -> Self {
        let open = Flows::all(sets);
        Self { id: id.to_owned(), ingress: open, egress: open, unclear: Some(unclear) }
    }

    pub(crate) fn read(acl: &NetworkAcl, sets: &mut Sets) -> Self {
        let directions = [false, true].map(|egress| rules(acl, egress, sets).map(|rules| decided(&rules, sets)));
        match directions {
            [Ok(ingress), Ok(egress)] => Self { id: acl.network_acl_id.clone(), ingress, egress, unclear: None },
            [Err(unclear), _] | [_, Err(unclear)] => Self::unknown(&acl.network_acl_id, unclear, sets),
        }
    }
}

/// The rules of one direction, by number.
fn rules(acl: &NetworkAcl, egress: bool, sets: &mut Sets) -> Result<Vec<Rule>, Unclear> {
    let mut entries: Vec<_> = acl.entries.iter().filter(|entry| entry.egress == egress).collect();
    if entries.len() > RULES_MAX {
        return Err(Unclear::new(CALL, format!("{} has more than {RULES_MAX} rules", acl.network_acl_id)));
    }
    entries.sort_by_key(|entry| entry.rule_number);
    let mut rules = Vec::new();
    for entry in entries {
        let owner = format!("{} rule {}", acl.network_acl_id, entry.rule_number);
        let protocols = Protocols::read(&entry.protocol);
        if !protocols.have_ports() {
            continue;
        }
        let allow = match entry.rule_action.as_str() {
            "allow" => true,
            "deny" => false,
            other => return Err(Unclear::new(CALL, format!("{owner}: `{other}` is neither allow nor deny"))),
        };
        let ports = match &entry.port_range {
            None => Ports::ALL,
            Some(range) => Ports::read(Some(range.from), Some(range.to)).ok_or_else(|| {
                Unclear::new(CALL, format!("{owner}: {}-{} is not a port range", range.from, range.to))
            })?,
        };
        for raw in entry.cidr_block.iter().chain(&entry.ipv6_cidr_block) {
            let block = block(CALL, &owner, raw)?;
            let set = sets.of(block.family, [&block]);
            rules.push(Rule { protocols, family: block.family, set, ports, allow });
        }
    }
    Ok(rules)
}

/// Each rule decides over what no lower rule has decided.
fn decided(rules: &[Rule], sets: &mut Sets) -> Flows {
    let mut flows = Flows::NONE;
    for family in Family::ALL {
        for protocol in Protocol::ALL {
            let own: Vec<&Rule> =
                rules.iter().filter(|rule| rule.family == family && rule.protocols.hold(protocol)).collect();
            let mut map = Vec::new();
            for ports in stretches(own.iter().map(|rule| rule.ports)) {
                let (mut open, mut undecided) = (Sets::none(family), Sets::all(family));
                for rule in own.iter().filter(|rule| rule.ports.hold(ports.first)) {
                    if rule.allow {
                        let allowed = sets.intersection(undecided, rule.set);
                        open = sets.union(open, allowed);
                    }
                    undecided = sets.minus(undecided, rule.set);
                }
                map.push(Stretch { ports, set: open });
            }
            *flows.at(family, protocol) = sets.map(map);
        }
    }
    flows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        addresses::Addresses,
        topology::{NetworkAclEntry, PortRange},
    };

    /// `in 100 allow tcp 80-90 0.0.0.0/0` per line.
    fn acl(rules: &str) -> NetworkAcl {
        let entries = rules.lines().map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let &[direction, number, action, protocol, ports, peer] = words.as_slice() else { panic!("{line}") };
            let range = ports
                .split_once('-')
                .map(|(from, to)| PortRange { from: from.parse().unwrap(), to: to.parse().unwrap() });
            NetworkAclEntry {
                egress: direction == "out",
                rule_number: number.parse().unwrap(),
                protocol: protocol.into(),
                rule_action: action.into(),
                cidr_block: (!peer.contains(':')).then(|| peer.into()),
                ipv6_cidr_block: peer.contains(':').then(|| peer.into()),
                port_range: range,
            }
        });
        NetworkAcl { network_acl_id: "acl-1".into(), entries: entries.collect(), ..NetworkAcl::default() }
    }

    /// Who may send TCP to `port`.
    fn check(rules: &str, port: u16, expected: &str) {
        let mut sets = Sets::new();
        let read = Acl::read(&acl(rules), &mut sets);
        let admitted = sets.get(sets.at(read.ingress.of(Family::V4, Protocol::Tcp), port, Family::V4));
        assert_eq!(admitted.blocks_within(&Addresses::all(Family::V4)).join(" "), expected, "port {port} of\n{rules}");
    }

    #[test]
    fn the_lowest_rule_that_matches_decides() {
        check("in 100 allow 6 80-80 0.0.0.0/0", 80, "0.0.0.0/0");
        check("in 100 allow 6 80-80 0.0.0.0/0", 81, ""); // nothing matches: denied
        check("in 100 allow -1 all 0.0.0.0/0\nin 32767 deny -1 all 0.0.0.0/0", 22, "0.0.0.0/0");
        check("in 100 allow 6 all 0.0.0.0/0\nin 90 deny 6 22-22 0.0.0.0/0", 22, "");
        check("in 100 allow 6 all 0.0.0.0/0\nin 90 deny 6 22-22 0.0.0.0/0", 23, "0.0.0.0/0");
        check("in 90 allow 6 22-22 198.51.100.0/24\nin 100 deny 6 20-30 0.0.0.0/0", 22, "198.51.100.0/24");
        check("in 90 deny 6 22-22 128.0.0.0/1\nin 100 allow 6 all 0.0.0.0/0", 22, "0.0.0.0/1"); // part of the sources
        check("in 100 allow 17 all 0.0.0.0/0", 80, ""); // UDP
        check("in 100 allow 1 all 0.0.0.0/0", 80, ""); // ICMP
        check("out 100 allow 6 all 0.0.0.0/0", 80, ""); // the other direction
        check("in 100 allow 6 all ::/0", 80, ""); // the other family
    }

    /// Whom TCP answers reach.
    fn check_answers(rules: &str, expected: &str) {
        let mut sets = Sets::new();
        let read = Acl::read(&acl(rules), &mut sets);
        let reached = sets.within(read.egress.of(Family::V4, Protocol::Tcp), EPHEMERAL, Family::V4);
        let blocks = sets.get(reached).blocks_within(&Addresses::all(Family::V4));
        assert_eq!(blocks.join(" "), expected, "{rules}");
    }

    #[test]
    fn answers_leave_through_any_ephemeral_port() {
        check_answers("out 100 allow 6 1024-65535 0.0.0.0/0", "0.0.0.0/0");
        check_answers("out 100 allow 6 443-443 0.0.0.0/0", ""); // no client sends from there
        check_answers("out 100 allow 6 0-1024 0.0.0.0/0", "0.0.0.0/0");
        check_answers("out 100 allow 6 65535-65535 0.0.0.0/0", "0.0.0.0/0");
        check_answers(
            "out 90 deny 6 1024-65535 198.51.100.0/24\nout 100 allow -1 all 198.51.100.0/23",
            "198.51.101.0/24",
        );
        check_answers("out 90 deny 6 1024-65534 0.0.0.0/0\nout 100 allow -1 all 0.0.0.0/0", "0.0.0.0/0");
        check_answers("out 90 deny 6 0-65535 0.0.0.0/0\nout 100 allow -1 all 0.0.0.0/0", "");
        check_answers("in 100 allow -1 all 0.0.0.0/0", "");
    }

    #[test]
    fn a_rule_that_cannot_be_read_makes_the_whole_list_unclear() {
        let check = |rules: &str, expected: &str| {
            let unclear = Acl::read(&acl(rules), &mut Sets::new()).unclear.unwrap();
            assert_eq!(unclear, Unclear::new("ec2:DescribeNetworkAcls", expected));
        };
        check("in 5 allow 6 80-70 0.0.0.0/0", "acl-1 rule 5: 80-70 is not a port range");
        check("in 5 allow 6 80-90 0.0.0.0/99", "acl-1 rule 5: `0.0.0.0/99` is not a CIDR block");
        check("in 5 perhaps 6 80-90 0.0.0.0/0", "acl-1 rule 5: `perhaps` is neither allow nor deny");
    }
}
