//! Stateless rules: by priority of their group and then their own, the first that matches a packet decides.

use super::{Direction, Hosts, Packet, RULES_MAX, hold};
use crate::{
    addresses::Block,
    rules::{Ports, Unclear},
    sets::{SetId, Sets},
    topology::{FirewallAddress, FirewallPolicy, FirewallPortRange, RuleGroup, StatelessRule},
};

const CALL: &str = "network-firewall:DescribeRuleGroup";

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stateless {
    rules: Vec<Rule>,
    default: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Verdict {
    Pass,
    Drop,
    HandOn,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Rule {
    /// IANA protocol numbers; none means all.
    protocols: Vec<i32>,
    sources: Hosts,
    destinations: Hosts,
    source_ports: Vec<Ports>,
    destination_ports: Vec<Ports>,
    /// Whether it matches some packets of a connection and not others.
    looks_at_flags: bool,
    verdict: Verdict,
}

/// The clients whose packet is passed, handed on to the stateful engine, or not decided.
pub(super) struct Decided {
    pub(super) pass: SetId,
    pub(super) hand_on: SetId,
    pub(super) doubtful: SetId,
}

impl Verdict {
    fn read(actions: &[String]) -> Self {
        let has = |name: &str| actions.iter().any(|action| action == name);
        match (has("aws:drop"), has("aws:pass")) {
            (true, _) => Self::Drop,
            (_, true) => Self::Pass,
            _ => Self::HandOn,
        }
    }
}

impl Stateless {
    pub(super) fn read<'a>(
        policy: &FirewallPolicy,
        group: &dyn Fn(&str) -> Result<&'a RuleGroup, Unclear>,
        sets: &mut Sets,
    ) -> Result<Self, Unclear> {
        let mut references: Vec<_> = policy.stateless_rule_group_references.iter().collect();
        references.sort_by_key(|reference| reference.priority);
        let mut rules = Vec::new();
        for reference in references {
            let source = &group(&reference.resource_arn)?.rules_source;
            let mut own: Vec<&StatelessRule> =
                source.stateless_rules_and_custom_actions.iter().flat_map(|both| &both.stateless_rules).collect();
            own.sort_by_key(|rule| rule.priority);
            for rule in own {
                rules.push(Rule::read(rule, &reference.resource_arn, sets)?);
            }
            if rules.len() > RULES_MAX {
                let reason = format!("there are more than {RULES_MAX} stateless rules");
                return Err(Unclear::new(CALL, reason));
            }
        }
        Ok(Self { rules, default: Verdict::read(&policy.stateless_default_actions) })
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.rules.iter().any(|rule| rule.looks_at_flags)
    }

    pub(super) fn ports(&self) -> impl Iterator<Item = Ports> {
        self.rules.iter().flat_map(|rule| rule.source_ports.iter().chain(&rule.destination_ports).copied())
    }

    pub(super) fn hosts(&self) -> impl Iterator<Item = Hosts> {
        self.rules.iter().flat_map(|rule| [rule.sources, rule.destinations])
    }

    pub(super) fn decide(&self, sets: &mut Sets, packet: Packet) -> Decided {
        let family = packet.address.family;
        let none = Sets::none(family);
        let mut decided = Decided { pass: none, hand_on: none, doubtful: none };
        let mut undecided = Sets::all(family);
        for rule in &self.rules {
            let Some(peers) = rule.peers(sets, packet) else {
                continue;
            };
            let hit = sets.intersection(undecided, peers.0[family as usize]);
            if rule.looks_at_flags {
                decided.doubtful = sets.union(decided.doubtful, hit);
                continue;
            }
            decided.add(sets, rule.verdict, hit);
            undecided = sets.minus(undecided, hit);
        }
        decided.add(sets, self.default, undecided);
        decided
    }
}

impl Decided {
    fn add(&mut self, sets: &mut Sets, verdict: Verdict, clients: SetId) {
        match verdict {
            Verdict::Pass => self.pass = sets.union(self.pass, clients),
            Verdict::HandOn => self.hand_on = sets.union(self.hand_on, clients),
            Verdict::Drop => {}
        }
    }
}

impl Rule {
    fn read(rule: &StatelessRule, owner: &str, sets: &mut Sets) -> Result<Self, Unclear> {
        let what = &rule.rule_definition.match_attributes;
        let owner = format!("{owner} rule {}", rule.priority);
        Ok(Self {
            protocols: what.protocols.clone(),
            sources: hosts(&what.sources, &owner, sets)?,
            destinations: hosts(&what.destinations, &owner, sets)?,
            source_ports: ports(&what.source_ports, &owner)?,
            destination_ports: ports(&what.destination_ports, &owner)?,
            looks_at_flags: !what.tcp_flags.is_empty(),
            verdict: Verdict::read(&rule.rule_definition.actions),
        })
    }

    /// The clients whose packet it matches; `None`: nobody's.
    fn peers(&self, sets: &Sets, packet: Packet) -> Option<Hosts> {
        let is_about_it = self.protocols.is_empty() || self.protocols.contains(&packet.protocol.number());
        let (own, peers, source_port, destination_port) = match packet.direction {
            Direction::There => (self.destinations, self.sources, packet.client_port, packet.port),
            Direction::Back => (self.sources, self.destinations, packet.port, packet.client_port),
        };
        let matches = is_about_it
            && own.hold(sets, packet.address)
            && hold(&self.source_ports, source_port)
            && hold(&self.destination_ports, destination_port);
        matches.then_some(peers)
    }
}

fn hosts(addresses: &[FirewallAddress], owner: &str, sets: &mut Sets) -> Result<Hosts, Unclear> {
    if addresses.is_empty() {
        return Ok(Hosts::all());
    }
    let mut blocks = Vec::new();
    for address in addresses {
        let raw = &address.address_definition;
        let block = Block::parse_host(raw);
        blocks.push(block.ok_or_else(|| Unclear::new(CALL, format!("{owner}: `{raw}` is not a CIDR block")))?);
    }
    Ok(Hosts::of(&blocks, sets))
}

fn ports(ranges: &[FirewallPortRange], owner: &str) -> Result<Vec<Ports>, Unclear> {
    let read = |range: &FirewallPortRange| {
        Ports::read(Some(range.from_port), Some(range.to_port)).ok_or_else(|| {
            Unclear::new(CALL, format!("{owner}: {}-{} is not a port range", range.from_port, range.to_port))
        })
    };
    ranges.iter().map(read).collect()
}
