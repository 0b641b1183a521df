//! Stateful rules over addresses, ports and protocol: the packet that begins a connection decides over all of it
//! (Network Firewall developer guide, "Managing evaluation order for Suricata compatible rules", read 2026-11-24).

use super::{Direction, Hosts, Packet, RULES_MAX, hold};
use crate::{
    addresses::Block,
    rules::{Ports, Protocol, Unclear},
    sets::{SetId, Sets},
    topology::{FirewallPolicy, RuleGroup, StatefulRule, VariableDefinition},
};
use std::collections::BTreeMap;

const CALL: &str = "network-firewall:DescribeRuleGroup";

/// Options of a rule that say nothing about what it matches.
const OPTIONS_WITHOUT_MEANING: [&str; 7] = ["sid", "msg", "rev", "gid", "classtype", "metadata", "reference"];

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stateful {
    /// In the order in which they are tried.
    rules: Vec<Rule>,
    /// Whether what no rule passes is dropped.
    drops: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Rule {
    passes: bool,
    /// `None`: all.
    protocol: Option<Protocol>,
    source: Hosts,
    source_ports: Vec<Ports>,
    destination: Hosts,
    destination_ports: Vec<Ports>,
    both_ways: bool,
}

type Variables<'a> = BTreeMap<&'a str, &'a VariableDefinition>;

impl Stateful {
    pub(super) fn read<'a>(
        policy: &FirewallPolicy,
        group: &dyn Fn(&str) -> Result<&'a RuleGroup, Unclear>,
        sets: &mut Sets,
    ) -> Result<Self, Unclear> {
        let order = policy.stateful_engine_options.as_ref().and_then(|options| options.rule_order.as_deref());
        let is_strict = order == Some("STRICT_ORDER");
        let mut references: Vec<_> = policy.stateful_rule_group_references.iter().collect();
        references.sort_by_key(|reference| reference.priority);
        let mut rules = Vec::new();
        for reference in references {
            let arn = &reference.resource_arn;
            let group = group(arn)?;
            if group.rules_source.rules_string.is_some() || group.rules_source.rules_source_list.is_some() {
                return Err(Unclear::new(CALL, format!("{arn} looks into what is sent")));
            }
            let only_alerts =
                reference.overridden.as_ref().is_some_and(|by| by.action.as_deref() == Some("DROP_TO_ALERT"));
            for rule in &group.rules_source.stateful_rules {
                let read = Rule::read(rule, group, arn, sets)?;
                rules.extend(read.filter(|rule| rule.passes || !only_alerts));
            }
            if rules.len() > RULES_MAX {
                return Err(Unclear::new(CALL, format!("there are more than {RULES_MAX} stateful rules")));
            }
        }
        if !is_strict {
            rules.sort_by_key(|rule| !rule.passes); // by action: what passes comes first, whatever the order
        }
        let defaults = policy.stateful_default_actions.iter().map(String::as_str).filter(|_| is_strict);
        let mut drops = false;
        for action in defaults {
            match action {
                "aws:drop_strict" => drops = true,
                other if other.starts_with("aws:drop") => {
                    let reason = format!("`{other}` looks at connections that are there already");
                    return Err(Unclear::new("network-firewall:DescribeFirewallPolicy", reason));
                }
                _ => {}
            }
        }
        Ok(Self { rules, drops })
    }

    pub(super) fn ports(&self) -> impl Iterator<Item = Ports> {
        self.rules.iter().flat_map(|rule| rule.source_ports.iter().chain(&rule.destination_ports).copied())
    }

    pub(super) fn hosts(&self) -> impl Iterator<Item = Hosts> {
        self.rules.iter().flat_map(|rule| [rule.source, rule.destination])
    }

    /// The clients whose connection is let through.
    pub(super) fn allow(&self, sets: &mut Sets, there: Packet, back: Packet) -> SetId {
        let family = there.address.family;
        let (mut allowed, mut undecided) = (Sets::none(family), Sets::all(family));
        for packet in [there, back] {
            for rule in &self.rules {
                let peers = rule.peers(sets, packet);
                let hit = sets.intersection(undecided, peers);
                if rule.passes {
                    allowed = sets.union(allowed, hit);
                }
                undecided = sets.minus(undecided, hit);
            }
            if self.drops {
                return allowed;
            }
        }
        sets.union(allowed, undecided)
    }
}

impl Rule {
    /// `None`: it decides over no connection of TCP or UDP.
    fn read(rule: &StatefulRule, group: &RuleGroup, owner: &str, sets: &mut Sets) -> Result<Option<Self>, Unclear> {
        let unclear = |why: String| Unclear::new(CALL, format!("{owner}: {why}"));
        let passes = match rule.action.as_str() {
            "PASS" => true,
            "DROP" | "REJECT" => false,
            "ALERT" => return Ok(None),
            other => return Err(unclear(format!("`{other}` is no action"))),
        };
        let header = &rule.header;
        let protocol = match header.protocol.as_str() {
            "IP" => None,
            "TCP" => Some(Protocol::Tcp),
            "UDP" => Some(Protocol::Udp),
            "ICMP" => return Ok(None),
            other => return Err(unclear(format!("a rule for {other} looks into what is sent"))),
        };
        let option =
            rule.rule_options.iter().find(|option| !OPTIONS_WITHOUT_MEANING.contains(&option.keyword.as_str()));
        if let Some(option) = option {
            return Err(unclear(format!("the option `{}` is not decided", option.keyword)));
        }
        let variables = group.rule_variables.as_ref();
        let hosts_of: Variables =
            variables.iter().flat_map(|known| &known.ip_sets).map(|(name, is)| (name.as_str(), is)).collect();
        let ports_of: Variables =
            variables.iter().flat_map(|known| &known.port_sets).map(|(name, is)| (name.as_str(), is)).collect();
        let mut hosts =
            |raw: &str| read_hosts(raw, &hosts_of, sets).ok_or_else(|| unclear(format!("`{raw}` is not decided")));
        let (source, destination) = (hosts(&header.source)?, hosts(&header.destination)?);
        let ports =
            |raw: &str| read_ports(raw, &ports_of).ok_or_else(|| unclear(format!("port `{raw}` is not decided")));
        Ok(Some(Self {
            passes,
            protocol,
            source,
            source_ports: ports(&header.source_port)?,
            destination,
            destination_ports: ports(&header.destination_port)?,
            both_ways: header.direction == "ANY",
        }))
    }

    /// The clients whose packet it matches.
    fn peers(&self, sets: &mut Sets, packet: Packet) -> SetId {
        let family = packet.address.family as usize;
        let mut peers = Sets::none(packet.address.family);
        if self.protocol.is_some_and(|protocol| protocol != packet.protocol) {
            return peers;
        }
        let from_client = packet.direction == Direction::There;
        for from_client in [from_client, !from_client].into_iter().take(if self.both_ways { 2 } else { 1 }) {
            let (own, others, source_port, destination_port) = match from_client {
                true => (self.destination, self.source, packet.client_port, packet.port),
                false => (self.source, self.destination, packet.port, packet.client_port),
            };
            let matches = own.hold(sets, packet.address)
                && hold(&self.source_ports, source_port)
                && hold(&self.destination_ports, destination_port);
            if matches {
                peers = sets.union(peers, others.0[family]);
            }
        }
        peers
    }
}

/// The parts of `[a,b]`, or the one.
fn parts(raw: &str) -> impl Iterator<Item = &str> {
    let list = raw.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(raw);
    list.split(',').map(str::trim)
}

fn read_hosts(raw: &str, variables: &Variables, sets: &mut Sets) -> Option<Hosts> {
    if raw.eq_ignore_ascii_case("any") {
        return Some(Hosts::all());
    }
    let mut blocks = Vec::new();
    for part in parts(raw) {
        match part.strip_prefix('$') {
            None => blocks.push(Block::parse_host(part)?),
            Some(name) => {
                for value in &variables.get(name)?.definition {
                    blocks.push(Block::parse_host(value)?);
                }
            }
        }
    }
    Some(Hosts::of(&blocks, sets))
}

fn read_ports(raw: &str, variables: &Variables) -> Option<Vec<Ports>> {
    if raw.eq_ignore_ascii_case("any") {
        return Some(Vec::new());
    }
    let mut ports = Vec::new();
    for part in parts(raw) {
        match part.strip_prefix('$') {
            None => ports.push(read_range(part)?),
            Some(name) => {
                for value in &variables.get(name)?.definition {
                    ports.push(read_range(value)?);
                }
            }
        }
    }
    Some(ports)
}

/// `80`, `80:90`, `1024:`.
fn read_range(raw: &str) -> Option<Ports> {
    let (first, last) = raw.split_once(':').unwrap_or((raw, raw));
    let first = if first.is_empty() { 0 } else { first.parse().ok()? };
    let last = if last.is_empty() { u16::MAX } else { last.parse().ok()? };
    (first <= last).then_some(Ports { first, last })
}
