//! AWS Network Firewall, one packet at a time: stateless rules first, and what they forward goes to the stateful
//! engine, which knows the connection (Network Firewall guide, "Stateless and stateful rules engines").

use super::{
    Answer, Header, World,
    world::{Policy, StatefulRule, StatelessRule},
};
use ipnet::IpNet;
use std::net::IpAddr;

enum Stateless {
    Pass,
    Drop,
    Forward,
}

/// Whether a packet and its reply pass the firewall behind this endpoint.
pub fn passes(world: &World, endpoint: &str, there: Header, back: Header) -> Answer {
    let unknown = |call: &str| Answer::Unknown(format!("network-firewall:{call}"));
    let (.., policy) = world.firewalls.iter().find(|(known, ..)| known == endpoint).unwrap();
    let Some(policy) = world.policies.get(policy) else {
        return unknown("DescribeFirewallPolicy");
    };
    let (Some(first), Some(second)) = (stateless(world, policy, there), stateless(world, policy, back)) else {
        return unknown("DescribeRuleGroup");
    };
    match (first, second) {
        (Stateless::Drop, _) | (_, Stateless::Drop) => Answer::Blocked,
        (Stateless::Pass, Stateless::Pass) => Answer::Open,
        (Stateless::Forward, Stateless::Forward) => stateful(world, policy, there, back),
        // The stateful engine sees half of the connection.
        (Stateless::Pass, Stateless::Forward) | (Stateless::Forward, Stateless::Pass) => Answer::Blocked,
    }
}

/// What the stateless rules do with one packet: by priority of the group, then of the rule, the first that matches.
fn stateless(world: &World, policy: &Policy, header: Header) -> Option<Stateless> {
    let mut groups = policy.stateless.clone();
    groups.sort();
    for (_, arn) in groups {
        let mut rules: Vec<&StatelessRule> = world.stateless.get(&arn)?.iter().collect();
        rules.sort_by_key(|rule| rule.priority);
        if let Some(rule) = rules.into_iter().find(|rule| matches(rule, header)) {
            return Some(action(&rule.actions));
        }
    }
    Some(action(&policy.default))
}

fn action(actions: &[String]) -> Stateless {
    let has = |name: &str| actions.iter().any(|action| action == name);
    match (has("aws:drop"), has("aws:pass")) {
        (true, _) => Stateless::Drop,
        (_, true) => Stateless::Pass,
        _ => Stateless::Forward,
    }
}

fn matches(rule: &StatelessRule, header: Header) -> bool {
    let holds =
        |blocks: &[IpNet], address: IpAddr| blocks.is_empty() || blocks.iter().any(|block| block.contains(&address));
    let within = |ranges: &[(i64, i64)], port: u16| {
        let port = i64::from(port);
        ranges.is_empty() || ranges.iter().any(|(first, last)| *first <= port && port <= *last)
    };
    (rule.protocols.is_empty() || rule.protocols.contains(&header.protocol.number()))
        && holds(&rule.sources, header.source)
        && holds(&rule.destinations, header.destination)
        && within(&rule.source_ports, header.source_port)
        && within(&rule.destination_ports, header.destination_port)
}

/// The stateful engine. A rule that passes lets the whole connection through; without one, a drop is asked of the
/// packet and of its reply.
fn stateful(world: &World, policy: &Policy, there: Header, back: Header) -> Answer {
    let mut groups = policy.stateful.clone();
    groups.sort();
    let mut rules: Vec<&StatefulRule> = Vec::new();
    for (_, arn) in groups {
        match world.stateful.get(&arn) {
            Some(Some(known)) => rules.extend(known),
            _ => return Answer::Unknown("network-firewall:DescribeRuleGroup".into()),
        }
    }
    if !policy.strict {
        rules.sort_by_key(|rule| rule.action != "PASS"); // by action: passes first, whatever the order
    }
    let decides = |header: Header| rules.iter().find(|rule| rule.action != "ALERT" && describes(rule, header));
    let drops_by_default = policy.strict && policy.stateful_default.iter().any(|action| action == "aws:drop_strict");
    match decides(there) {
        Some(rule) => Answer::of(rule.action == "PASS"),
        None if drops_by_default => Answer::Blocked,
        None => Answer::of(decides(back).is_none_or(|rule| rule.action == "PASS")),
    }
}

fn describes(rule: &StatefulRule, header: Header) -> bool {
    let is_protocol = rule.protocol == "IP" || header.protocol.as_str() == rule.protocol;
    let ways = if rule.both_ways { vec![header, header.turned()] } else { vec![header] };
    let is_address = |raw: &str, address: IpAddr| raw == "ANY" || raw.parse::<IpNet>().unwrap().contains(&address);
    let is_port = |raw: &str, port: u16| raw == "ANY" || raw.parse() == Ok(port);
    is_protocol
        && ways.into_iter().any(|header| {
            is_address(&rule.source, header.source)
                && is_port(&rule.source_port, header.source_port)
                && is_address(&rule.destination, header.destination)
                && is_port(&rule.destination_port, header.destination_port)
        })
}
