//! Network Firewall: stateless rules over each packet first, and what they hand on goes to the stateful engine, which
//! knows connections (Network Firewall developer guide, "Stateless and stateful rules engines", read 2026-11-24).
//!
//! Decided is what rules over addresses, ports and protocol decide. Rules in Suricata's language, lists of domains and
//! managed groups look into what is sent: what reaches them is not known.

mod stateful;
mod stateless;

use crate::{
    addresses::{Block, Family},
    index::Index,
    rules::{Ports, Protocol, Unclear, stretches},
    sets::{MapId, SetId, Sets, Stretch},
    topology::{DescribedFirewall, DescribedFirewallPolicy, DescribedRuleGroup, Topology},
};
use stateful::Stateful;
use stateless::Stateless;
use std::collections::HashMap;

/// Stateless, and stateful, rules of one policy that are decided: the work grows with the cube. What has more is not
/// known.
const RULES_MAX: usize = 1_000;

/// What a firewall does, by its policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wall {
    /// `None`: not known.
    stateless: Option<Stateless>,
    /// `None`: not known.
    stateful: Option<Stateful>,
    /// What is not known.
    pub(crate) unclear: Vec<Unclear>,
}

/// Which way a packet of a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    /// From the client to the address.
    There,
    /// The answer.
    Back,
}

/// One packet of the connections from any client to one address, all from the same port to the same port.
#[derive(Clone, Copy, Debug)]
struct Packet<'a> {
    direction: Direction,
    protocol: Protocol,
    address: &'a Block,
    client_port: u16,
    port: u16,
}

/// Addresses of a rule in both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Hosts([SetId; 2]);

impl Hosts {
    fn all() -> Self {
        Self(Family::ALL.map(Sets::all))
    }

    fn of(blocks: &[Block], sets: &mut Sets) -> Self {
        Self(Family::ALL.map(|family| sets.of(family, blocks)))
    }

    fn hold(self, sets: &Sets, address: &Block) -> bool {
        sets.get(self.0[address.family as usize]).touches(address.first, address.last)
    }

    fn tell_apart(self, sets: &Sets, block: &Block) -> bool {
        let set = sets.get(self.0[block.family as usize]);
        set.touches(block.first, block.last) && !set.covers(block.first, block.last)
    }
}

/// Ports of a rule; none means all.
fn hold(ports: &[Ports], port: u16) -> bool {
    ports.is_empty() || ports.iter().any(|range| range.hold(port))
}

impl Wall {
    fn unknown(unclear: Unclear) -> Self {
        Self { stateless: None, stateful: None, unclear: vec![unclear] }
    }

    /// The ranges of ports in its rules: a client's port may be on either side of a rule.
    pub(crate) fn client_ports(&self) -> Vec<Ports> {
        let stateless = self.stateless.iter().flat_map(Stateless::ports);
        stateless.chain(self.stateful.iter().flat_map(Stateful::ports)).collect()
    }

    /// Whether its rules treat the addresses of a block differently.
    pub(crate) fn tells_apart(&self, sets: &Sets, block: &Block) -> bool {
        let stateless = self.stateless.iter().flat_map(Stateless::hosts);
        stateless.chain(self.stateful.iter().flat_map(Stateful::hosts)).any(|hosts| hosts.tell_apart(sets, block))
    }

    /// Which clients get through to an address and are answered, for certain and possibly.
    pub(crate) fn passes(
        &self,
        sets: &mut Sets,
        protocol: Protocol,
        address: &Block,
        client_port: u16,
    ) -> (MapId, MapId) {
        let (mut known, mut possible) = (Vec::new(), Vec::new());
        for ports in stretches(self.client_ports()) {
            let port = ports.first;
            let packet = |direction| Packet { direction, protocol, address, client_port, port };
            let (passed, may_pass) = self.pass(sets, packet(Direction::There), packet(Direction::Back));
            known.push(Stretch { ports, set: passed });
            possible.push(Stretch { ports, set: may_pass });
        }
        (sets.map(known), sets.map(possible))
    }

    fn pass(&self, sets: &mut Sets, there: Packet, back: Packet) -> (SetId, SetId) {
        let family = there.address.family;
        let (none, all) = (Sets::none(family), Sets::all(family));
        let Some(stateless) = &self.stateless else {
            return (none, all);
        };
        let (there_by, back_by) = (stateless.decide(sets, there), stateless.decide(sets, back));
        // A stateful engine that sees half of a connection ends it, so both packets go the same way.
        let passed = sets.intersection(there_by.pass, back_by.pass);
        let handed_on = sets.intersection(there_by.hand_on, back_by.hand_on);
        let (certain, perhaps) = match &self.stateful {
            Some(stateful) => {
                let allowed = stateful.allow(sets, there, back);
                (allowed, allowed)
            }
            None => (none, all),
        };
        let (certain, perhaps) = (sets.intersection(handed_on, certain), sets.intersection(handed_on, perhaps));
        let doubtful = sets.union(there_by.doubtful, back_by.doubtful);
        let known = sets.union(passed, certain);
        let possible = sets.union(passed, perhaps);
        (sets.minus(known, doubtful), sets.union(possible, doubtful))
    }
}

/// The firewalls of all topologies, by endpoint.
#[derive(Debug, Default)]
pub(crate) struct Walls<'a> {
    /// `vpce-…`, its firewall and its subnet.
    endpoints: HashMap<&'a str, (usize, &'a DescribedFirewall, &'a str)>,
    policies: HashMap<&'a str, &'a DescribedFirewallPolicy>,
    groups: HashMap<&'a str, &'a DescribedRuleGroup>,
}

impl<'a> Walls<'a> {
    pub(crate) fn new(topologies: &'a [Topology]) -> Self {
        let mut walls = Self::default();
        for (number, topology) in topologies.iter().enumerate() {
            for firewall in &topology.firewalls {
                let states = firewall.firewall_status.iter().flat_map(|status| status.sync_states.values());
                for attachment in states.filter_map(|state| state.attachment.as_ref()) {
                    if let (Some(endpoint), Some(subnet)) = (&attachment.endpoint_id, &attachment.subnet_id) {
                        walls.endpoints.insert(endpoint, (number, firewall, subnet));
                    }
                }
            }
            let policies = topology.firewall_policies.iter();
            walls
                .policies
                .extend(policies.map(|policy| (policy.firewall_policy_response.firewall_policy_arn.as_str(), policy)));
            let groups = topology.firewall_rule_groups.iter();
            walls.groups.extend(groups.map(|group| (group.rule_group_response.rule_group_arn.as_str(), group)));
        }
        walls
    }

    /// The subnet of a firewall's endpoint; `None`: it is no firewall's.
    pub(crate) fn subnet_of(&self, endpoint: &str) -> Option<&'a str> {
        self.endpoints.get(endpoint).map(|(.., subnet)| *subnet)
    }

    /// What the firewall behind an endpoint does.
    pub(crate) fn wall(&self, endpoint: &str, index: &Index, sets: &mut Sets) -> Wall {
        let Some((topology, firewall, _)) = self.endpoints.get(endpoint) else {
            let reason = format!("what stands behind {endpoint} is not in the answer");
            return Wall::unknown(Unclear::new("network-firewall:DescribeFirewall", reason));
        };
        let arn = firewall.firewall.firewall_policy_arn.as_deref().unwrap_or_default();
        let policy = self.policies.get(arn).and_then(|policy| policy.firewall_policy.as_ref());
        let Some(policy) = policy else {
            return Wall::unknown(index.absent(*topology, "network-firewall:DescribeFirewallPolicy", arn));
        };
        let group = |arn: &str| {
            let found = self.groups.get(arn).and_then(|group| group.rule_group.as_ref());
            found.ok_or_else(|| index.absent(*topology, "network-firewall:DescribeRuleGroup", arn))
        };
        let stateless = Stateless::read(policy, &group, sets);
        let stateful = Stateful::read(policy, &group, sets);
        let mut wall = Wall { stateless: None, stateful: None, unclear: Vec::new() };
        match stateless {
            Ok(read) => {
                if read.is_doubtful() {
                    let reason = format!("{arn}: a stateless rule looks at TCP flags");
                    wall.unclear.push(Unclear::new("network-firewall:DescribeRuleGroup", reason));
                }
                wall.stateless = Some(read);
            }
            Err(unclear) => wall.unclear.push(unclear),
        }
        match stateful {
            Ok(read) => wall.stateful = Some(read),
            Err(unclear) => wall.unclear.push(unclear),
        }
        wall
    }
}
