//! Network ACLs: numbered rules, the lowest that matches decides, and no memory of connections
//! (Amazon VPC user guide, "Network ACL basics", read 2026-11-24).

use crate::{
    addresses::{Addresses, Block, Family},
    rules::{Ports, Protocol, Protocols, Unclear, block},
    topology::NetworkAcl,
};

/// The ports that clients send from, so the ones that answers go to.
/// Amazon VPC user guide, "Custom network ACLs and other AWS services: ephemeral ports", read 2026-11-24: 1024-65535
/// covers every client.
const EPHEMERAL: Ports = Ports { first: 1024, last: 65535 };

/// A network ACL whose rules could all be read.
#[derive(Clone, Debug)]
pub(crate) struct Acl {
    pub(crate) id: String,
    /// By rule number.
    ingress: Vec<Rule>,
    /// By rule number.
    egress: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    protocols: Protocols,
    block: Block,
    ports: Ports,
    allow: bool,
}

impl Acl {
    pub(crate) fn read(acl: &NetworkAcl) -> Result<Self, Unclear> {
        let call = "DescribeNetworkAcls";
        let mut entries: Vec<_> = acl.entries.iter().collect();
        entries.sort_by_key(|entry| entry.rule_number);
        let mut read = Self { id: acl.network_acl_id.clone(), ingress: Vec::new(), egress: Vec::new() };
        for entry in entries {
            let owner = format!("{} rule {}", acl.network_acl_id, entry.rule_number);
            let protocols = Protocols::read(&entry.protocol);
            if !protocols.have_ports() {
                continue;
            }
            let allow = match entry.rule_action.as_str() {
                "allow" => true,
                "deny" => false,
                other => {
                    return Err(Unclear::new(call, format!("{owner}: `{other}` is neither allow nor deny")));
                }
            };
            let ports = match entry.port_range {
                None => Ports::ALL,
                Some(range) => Ports::read(Some(range.from), Some(range.to)).ok_or_else(|| {
                    Unclear::new(call, format!("{owner}: {}-{} is not a port range", range.from, range.to))
                })?,
            };
            let rules = if entry.egress { &mut read.egress } else { &mut read.ingress };
            for raw in entry.cidr_block.iter().chain(&entry.ipv6_cidr_block) {
                rules.push(Rule { protocols, block: block(call, &owner, raw)?, ports, allow });
            }
        }
        Ok(read)
    }

    /// Marks the ports where `admits` can change.
    pub(crate) fn cut(&self, protocol: Protocol, cuts: &mut Vec<u32>) {
        self.ingress.iter().filter(|rule| rule.protocols.hold(protocol)).for_each(|rule| rule.ports.cut(cuts));
    }

    /// Who may send to this port.
    pub(crate) fn admits(&self, family: Family, protocol: Protocol, port: u16) -> Addresses {
        permitted(&self.ingress, family, protocol, port)
    }

    /// Whom an answer may reach on at least one ephemeral port: whoever wants in chooses the port to send from.
    pub(crate) fn lets_answers_out(&self, family: Family, protocol: Protocol) -> Addresses {
        let mut cuts = vec![u32::from(EPHEMERAL.first)];
        self.egress.iter().filter(|rule| rule.protocols.hold(protocol)).for_each(|rule| rule.ports.cut(&mut cuts));
        cuts.sort_unstable();
        cuts.dedup();
        let ports = cuts.into_iter().filter_map(|cut| u16::try_from(cut).ok()).filter(|port| EPHEMERAL.hold(*port));
        ports.fold(Addresses::none(family), |open, port| open.union(&permitted(&self.egress, family, protocol, port)))
    }
}

/// The peers that the rules allow on one port: each rule decides over what no lower rule has decided.
fn permitted(rules: &[Rule], family: Family, protocol: Protocol, port: u16) -> Addresses {
    let mut open = Addresses::none(family);
    let mut undecided = Addresses::all(family);
    for rule in rules {
        if rule.block.family != family || !rule.protocols.hold(protocol) || !rule.ports.hold(port) {
            continue;
        }
        let block = Addresses::of(family, [&rule.block]);
        if rule.allow {
            open = open.union(&undecided.intersection(&block));
        }
        undecided = undecided.minus(&block);
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        addresses::internet,
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
        let admitted = Acl::read(&acl(rules)).unwrap().admits(Family::V4, Protocol::Tcp, port);
        assert_eq!(admitted.blocks_within(&internet(Family::V4, &[])).join(" "), expected, "port {port} of\n{rules}");
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
        let reached = Acl::read(&acl(rules)).unwrap().lets_answers_out(Family::V4, Protocol::Tcp);
        assert_eq!(reached.blocks_within(&internet(Family::V4, &[])).join(" "), expected, "{rules}");
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
            assert_eq!(Acl::read(&acl(rules)).unwrap_err(), Unclear::new("DescribeNetworkAcls", expected));
        };
        check("in 5 allow 6 80-70 0.0.0.0/0", "acl-1 rule 5: 80-70 is not a port range");
        check("in 5 allow 6 80-90 0.0.0.0/99", "acl-1 rule 5: `0.0.0.0/99` is not a CIDR block");
        check("in 5 perhaps 6 80-90 0.0.0.0/0", "acl-1 rule 5: `perhaps` is neither allow nor deny");
    }
}
