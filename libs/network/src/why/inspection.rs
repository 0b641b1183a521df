//! What routes send packets through: gateway endpoints, appliances, and Network Firewall, whose stateless rules see
//! single packets and whose stateful rules see connections (Network Firewall developer guide, "Stateless and stateful
//! rules engines", "Evaluation order for stateful rule groups", read 2026-11-24).

use super::{
    Change, Unknown,
    map::{block, holds},
    ports::Ports,
    walk::{At, Halt, Inspection, Next, Packet, Walk, blocked},
};
use crate::topology::*;
use std::net::IpAddr;

const POLICY: &str = "network-firewall:DescribeFirewallPolicy";
const GROUP: &str = "network-firewall:DescribeRuleGroup";
/// Variables may name variables in what a stranger wrote: one level is all that the service allows.
const VARIABLE_DEPTH: usize = 2;

/// Ports of the client that are tried against stateful rules: those name few.
const CLIENT_PORTS_MAX: usize = 256;

/// A firewall's word on a packet.
enum Word {
    Pass(String),
    Drop(String),
    /// A rule's kind is not modelled, or its answer is missing.
    Unclear(Unknown),
}

impl<'a> Walk<'a> {
    /// A route to `vpce-…`: a service's endpoint, a firewall's, or that of an appliance behind a load balancer.
    pub(super) fn pass_endpoint(
        &mut self,
        endpoint: &str,
        vpc: &str,
        subnet: Option<&str>,
        packet: &mut Packet,
    ) -> Result<Next, Halt> {
        let mut firewalls = self.map.all(|topology| &topology.firewalls);
        let attached = firewalls.find_map(|firewall| {
            let states = firewall.firewall_status.as_ref()?.sync_states.values();
            let attachment = states
                .filter_map(|state| state.attachment.as_ref())
                .find(|attachment| attachment.endpoint_id.as_deref() == Some(endpoint))?;
            Some((firewall, attachment))
        });
        if let Some((firewall, attachment)) = attached {
            let place = attachment.subnet_id.clone().unwrap_or_default();
            self.enter_middle(vpc, subnet, &place, packet)?;
            self.step_of(endpoint, packet);
            self.inspect(&firewall.firewall, endpoint, packet)?;
            return Ok(Next::Hop(At::Subnet { vpc: vpc.to_owned(), subnet: place }));
        }

        let Some(described) = self.map.first(|topology| &topology.vpc_endpoints, |own| own.vpc_endpoint_id == endpoint)
        else {
            let calls = ["network-firewall:DescribeFirewall", "network-firewall:ListFirewalls"];
            let denied = calls.iter().find_map(|call| self.map.missing(Some(vpc), call, endpoint));
            let unknown = denied.unwrap_or_else(|| self.map.absent(Some(vpc), "ec2:DescribeVpcEndpoints", endpoint));
            return Err(self.lost(unknown));
        };
        match described.vpc_endpoint_type.as_deref() {
            Some("Gateway") if packet.reply => Err(self.misled("a service's endpoint carries no reply to outside")),
            Some("Gateway") => {
                let service = described.service_name.as_deref().unwrap_or("its service");
                self.pass(endpoint, packet, &format!("to {service}"));
                Ok(Next::End(super::walk::Arrival::Outside { via: endpoint.to_owned() }))
            }
            _ => {
                let place = described.subnet_ids.first().cloned().unwrap_or_default();
                let firewall = ["network-firewall:DescribeFirewall", "network-firewall:ListFirewalls"];
                let denied = firewall.iter().find_map(|call| self.map.missing(Some(vpc), call, endpoint));
                let reason = format!("the appliances behind {endpoint} have rules of their own");
                self.note(denied.unwrap_or(Unknown { call: "ec2:DescribeVpcEndpoints".into(), reason }));
                self.step_of(endpoint, packet);
                if place.is_empty() {
                    return Err(Halt::Lost);
                }
                self.enter_middle(vpc, subnet, &place, packet)?;
                Ok(Next::Hop(At::Subnet { vpc: vpc.to_owned(), subnet: place }))
            }
        }
    }

    /// A route to an interface or instance: when it is not the destination itself, it forwards by rules of its own.
    pub(super) fn pass_appliance(
        &mut self,
        target: &str,
        vpc: &str,
        subnet: Option<&str>,
        packet: &mut Packet,
    ) -> Result<Next, Halt> {
        let mut interfaces = self.map.all(|topology| &topology.network_interfaces);
        let named = |own: &&NetworkInterface| own.network_interface_id == target || own.instance_id() == Some(target);
        let Some(appliance) = interfaces.find(named) else {
            let unknown = self.map.absent(Some(vpc), "ec2:DescribeNetworkInterfaces", target);
            return Err(self.lost(unknown));
        };
        if super::map::has_address(appliance, packet.to) {
            return Ok(Next::Hop(At::Local { vpc: vpc.to_owned(), subnet: subnet.map(str::to_owned) }));
        }
        let id = &appliance.network_interface_id;
        if appliance.source_dest_check == Some(true) {
            let reason = format!("{id} checks source and destination, so it drops what is not for itself");
            return Err(self.misled(&reason));
        }
        let place = appliance.subnet_id.clone();
        self.enter_middle(vpc, subnet, &place, packet)?;
        self.step_of(id, packet);
        let reason = format!("{id} is an appliance, whose rules are unknown");
        self.note(Unknown { call: "ec2:DescribeRouteTables".into(), reason });
        Ok(Next::Hop(At::Subnet { vpc: vpc.to_owned(), subnet: place }))
    }

    /// Across the border of the subnet in which something inspects.
    fn enter_middle(&mut self, vpc: &str, from: Option<&str>, place: &str, packet: &Packet) -> Result<(), Halt> {
        if from == Some(place) { Ok(()) } else { self.acl_check(vpc, place, packet, false).map(|_| ()) }
    }

    fn inspect(&mut self, firewall: &Firewall, endpoint: &str, packet: &Packet) -> Result<(), Halt> {
        let arn = &firewall.firewall_arn;
        let before = match packet.reply {
            false => None,
            true => match self.inspections.pop_if(|request| request.endpoint == endpoint) {
                None => {
                    let reason = format!("the reply passes {endpoint}, which did not see the request");
                    return Err(self.misled(&reason));
                }
                request => request,
            },
        };
        let mut seen = Inspection { endpoint: endpoint.to_owned(), handed_on: false, connection_passes: false };
        let policies = self.map.all(|topology| &topology.firewall_policies);
        let wanted = firewall.firewall_policy_arn.as_deref().unwrap_or_default();
        let mut policies = policies;
        let found = policies.find(|own| own.firewall_policy_response.firewall_policy_arn == wanted);
        let Some(policy) = found.and_then(|described| described.firewall_policy.as_ref()) else {
            let unknown = self.map.absent(None, POLICY, wanted);
            self.note(unknown);
            if before.is_none() {
                self.inspections.push(seen);
            }
            return Ok(());
        };
        let word = self.judge(policy, packet, before.as_ref(), &mut seen);
        if before.is_none() {
            self.inspections.push(seen);
        }
        match word {
            Word::Pass(rule) => {
                self.trail.push(super::Passage { component: arn.clone(), reply: packet.reply, rule });
            }
            Word::Unclear(unknown) => self.note(unknown),
            Word::Drop(rule) => {
                let reason = format!("{rule} of the firewall drops {}", packet.words());
                let change = self.passing(wanted, packet);
                return Err(blocked(arn, &rule, &reason, Some(change)));
            }
        }
        Ok(())
    }

    fn passing(&self, policy: &str, packet: &Packet) -> Change {
        let (client, server) = if packet.reply { (packet.to, packet.from) } else { (packet.from, packet.to) };
        Change::PassFirewall {
            policy: policy.to_owned(),
            source: self.peer_block(client),
            destination: self.peer_block(server),
            protocol: packet.protocol,
            port: packet.port,
        }
    }

    fn rule_group(&self, arn: &str) -> Result<&'a RuleGroup, Unknown> {
        let found = self
            .map
            .first(|topology| &topology.firewall_rule_groups, |own| own.rule_group_response.rule_group_arn == arn);
        found.and_then(|described| described.rule_group.as_ref()).ok_or_else(|| self.map.absent(None, GROUP, arn))
    }

    /// Stateless rules by priority: the first that matches decides. A rule for some of the client's ports leaves the
    /// others to the next one.
    fn judge(
        &mut self,
        policy: &FirewallPolicy,
        packet: &Packet,
        request: Option<&Inspection>,
        seen: &mut Inspection,
    ) -> Word {
        let mut references: Vec<_> = policy.stateless_rule_group_references.iter().collect();
        references.sort_by_key(|reference| reference.priority);
        let mut undecided = self.client_ports.clone();
        let mut open = Ports::none();
        let (mut passing, mut dropping) = (None, None);
        let mut handed_on = Ports::none();
        for reference in references {
            let group = match self.rule_group(&reference.resource_arn) {
                Ok(group) => group,
                Err(unknown) => return Word::Unclear(unknown),
            };
            let source = group.rules_source.stateless_rules_and_custom_actions.as_ref();
            let mut rules: Vec<_> = source.iter().flat_map(|source| &source.stateless_rules).collect();
            rules.sort_by_key(|rule| rule.priority);
            for rule in rules {
                let matched = match stateless_match(&rule.rule_definition.match_attributes, packet) {
                    Ok(ports) => undecided.and(&ports),
                    Err(reason) => {
                        let reason = format!("{} rule {}: {reason}", reference.resource_arn, rule.priority);
                        return Word::Unclear(Unknown { call: GROUP.into(), reason });
                    }
                };
                if matched.is_empty() {
                    continue;
                }
                undecided = undecided.without(&matched);
                let words = format!("stateless rule {} of {}", rule.priority, reference.resource_arn);
                match deed(&rule.rule_definition.actions) {
                    "aws:pass" => {
                        open = open.or(&matched);
                        passing = passing.or(Some(words));
                    }
                    "aws:forward_to_sfe" => handed_on = handed_on.or(&matched),
                    _ => dropping = dropping.or(Some(words)),
                }
            }
        }
        match deed(&policy.stateless_default_actions) {
            _ if undecided.is_empty() => {}
            "aws:pass" => {
                open = open.or(&undecided);
                passing = passing.or(Some("the stateless default action".into()));
            }
            "aws:forward_to_sfe" => handed_on = handed_on.or(&undecided),
            _ => dropping = dropping.or(Some("the stateless default action".into())),
        }
        let dropped = || dropping.clone().unwrap_or_else(|| "the stateless default action".into());
        match request.map(|request| request.handed_on) {
            // What the stateful engine knows of it must be all or nothing.
            Some(true) if handed_on.is_empty() && !open.is_empty() => {
                return Word::Drop("the stateful engine does not see the reply".into());
            }
            Some(false) if open.is_empty() && !handed_on.is_empty() => {
                return Word::Drop("the stateful engine did not see the request".into());
            }
            Some(true) => open = Ports::none(),
            Some(false) => handed_on = Ports::none(),
            None => {}
        }
        if let Some(rule) = passing.filter(|_| !open.is_empty()) {
            self.client_ports = open; // ports that are also handed on could pass too; one way is enough
            return Word::Pass(rule);
        }
        if handed_on.is_empty() {
            return Word::Drop(dropped());
        }
        seen.handed_on = true;
        self.client_ports = handed_on;
        if request.is_some_and(|request| request.connection_passes) {
            return Word::Pass("the connection is known".into());
        }
        self.judge_connection(policy, packet, seen)
    }

    /// The client picks its port: one for which the stateful rules pass is enough.
    fn judge_connection(&mut self, policy: &FirewallPolicy, packet: &Packet, seen: &mut Inspection) -> Word {
        let mut worst = None;
        for client in self.client_ports_that_differ(policy) {
            match self.judge_from(policy, packet, client, seen) {
                Word::Pass(rule) => {
                    self.client_ports = self.client_ports.and(&Ports::one(client));
                    return Word::Pass(rule);
                }
                unclear @ Word::Unclear(_) => worst = Some(unclear),
                drop => worst = worst.or(Some(drop)),
            }
        }
        worst.unwrap_or_else(|| Word::Drop("no port of the client is left".into()))
    }

    /// One of the client's ports for each stretch over which no stateful rule changes.
    fn client_ports_that_differ(&self, policy: &FirewallPolicy) -> Vec<u16> {
        let groups = policy.stateful_rule_group_references.iter();
        let groups = groups.filter_map(|reference| self.rule_group(&reference.resource_arn).ok());
        let rules = groups.flat_map(|group| &group.rules_source.stateful_rules);
        let raw = rules.flat_map(|rule| [&rule.header.source_port, &rule.header.destination_port]);
        let numbers = raw.flat_map(|raw| raw.split(|letter: char| !letter.is_ascii_digit()));
        let numbers = numbers.filter_map(|digits| digits.parse::<u16>().ok());
        let edges = numbers.flat_map(|port| [Some(port), port.checked_add(1)]).flatten();
        let mut ports: Vec<u16> = self.client_ports.first().into_iter().chain(edges).collect();
        ports.retain(|port| !self.client_ports.and(&Ports::one(*port)).is_empty());
        ports.sort_unstable();
        ports.dedup();
        ports.truncate(CLIENT_PORTS_MAX);
        ports
    }

    /// Stateful rules: in strict order the first that matches decides, else passing rules come before dropping ones.
    fn judge_from(&self, policy: &FirewallPolicy, packet: &Packet, client: u16, seen: &mut Inspection) -> Word {
        let strict = policy
            .stateful_engine_options
            .as_ref()
            .is_some_and(|options| options.rule_order.as_deref() == Some("STRICT_ORDER"));
        let mut references: Vec<_> = policy.stateful_rule_group_references.iter().collect();
        references.sort_by_key(|reference| reference.priority);
        let mut verdicts: Vec<(u8, Word)> = Vec::new();
        for reference in references {
            let arn = &reference.resource_arn;
            let group = match self.rule_group(arn) {
                Ok(group) => group,
                Err(unknown) => {
                    verdicts.push((UNCLEAR, Word::Unclear(unknown)));
                    continue;
                }
            };
            let source = &group.rules_source;
            if source.rules_string.is_some() || source.rules_source_list.is_some() {
                let reason = format!("{arn} has rules over contents, which are not modelled");
                verdicts.push((UNCLEAR, Word::Unclear(Unknown { call: GROUP.into(), reason })));
            }
            for (at, rule) in source.stateful_rules.iter().enumerate() {
                verdicts.extend(stateful_word(
                    rule,
                    group,
                    policy,
                    packet,
                    client,
                    &format!("stateful rule {} of {arn}", at + 1),
                ));
            }
        }
        if !strict {
            verdicts.sort_by_key(|(rank, _)| *rank); // stable: the order of the rules stays
        }
        if let Some((_, word)) = verdicts.into_iter().next() {
            seen.connection_passes = matches!(word, Word::Pass(_));
            return word;
        }
        if packet.reply {
            return Word::Pass("no stateful rule".into()); // defaults were asked of the request
        }
        let drops = |action: &&String| action.starts_with("aws:drop");
        match policy.stateful_default_actions.iter().find(drops).filter(|_| strict) {
            Some(action) => Word::Drop(format!("the stateful default action {action}")),
            None => Word::Pass("no stateful rule".into()),
        }
    }
}

const PASS: u8 = 0;
/// Before those that drop: what a passing rule may let through is not known to be dropped.
const UNCLEAR: u8 = 1;
const DROP: u8 = 2;

/// What the actions come to; custom ones only report.
fn deed(actions: &[String]) -> &str {
    let known = |action: &&String| matches!(action.as_str(), "aws:pass" | "aws:drop" | "aws:forward_to_sfe");
    actions.iter().find(known).map_or("aws:drop", String::as_str)
}

/// The client's ports for which a stateless rule matches.
fn stateless_match(attributes: &MatchAttributes, packet: &Packet) -> Result<Ports, String> {
    let protocol = i32::from(packet.protocol.number());
    if !attributes.protocols.is_empty() && !attributes.protocols.contains(&protocol) {
        return Ok(Ports::none());
    }
    for (addresses, own) in [(&attributes.sources, packet.from), (&attributes.destinations, packet.to)] {
        let mut found = addresses.is_empty();
        for address in addresses {
            let raw = &address.address_definition;
            found |= holds(raw, own).ok_or_else(|| format!("`{raw}` is not a CIDR block"))?;
        }
        if !found {
            return Ok(Ports::none());
        }
    }
    let (sources, destinations) = (ranges(&attributes.source_ports)?, ranges(&attributes.destination_ports)?);
    let (client, server) = if packet.reply { (destinations, sources) } else { (sources, destinations) };
    if server.and(&Ports::one(packet.port)).is_empty() || client.is_empty() {
        return Ok(Ports::none());
    }
    if !attributes.tcp_flags.is_empty() && packet.protocol == super::Protocol::Tcp {
        return Err("it looks at TCP flags, which change during a connection".into());
    }
    Ok(client)
}

fn ranges(list: &[FirewallPortRange]) -> Result<Ports, String> {
    if list.is_empty() {
        return Ok(Ports::range(0, u16::MAX));
    }
    let mut all = Ports::none();
    for range in list {
        let (Ok(first), Ok(last)) = (u16::try_from(range.from_port), u16::try_from(range.to_port)) else {
            return Err(format!("{}-{} is not a port range", range.from_port, range.to_port));
        };
        all = all.or(&Ports::range(first, last));
    }
    Ok(all)
}

/// A stateful rule's word on the connection, with its rank among the actions; `None`: it is about others.
fn stateful_word(
    rule: &StatefulRule,
    group: &RuleGroup,
    policy: &FirewallPolicy,
    packet: &Packet,
    client: u16,
    words: &str,
) -> Option<(u8, Word)> {
    let header = &rule.header;
    let variables = Variables { group: group.rule_variables.as_ref(), policy: policy.policy_variables.as_ref() };
    let unclear = |why: &str| {
        let reason = format!("{words}: {why}");
        (UNCLEAR, Word::Unclear(Unknown { call: GROUP.into(), reason }))
    };
    let (sent_from, sent_to) = if packet.reply { (packet.port, client) } else { (client, packet.port) };
    let fits = |from: &str, from_port: &str, to: &str, to_port: &str| -> Option<bool> {
        let parts = [
            variables.has_address(from, packet.from, VARIABLE_DEPTH),
            variables.has_address(to, packet.to, VARIABLE_DEPTH),
            variables.has_port(from_port, sent_from, VARIABLE_DEPTH),
            variables.has_port(to_port, sent_to, VARIABLE_DEPTH),
        ];
        if parts.contains(&Some(false)) { Some(false) } else { parts.iter().all(Option::is_some).then_some(true) }
    };
    let forward = fits(&header.source, &header.source_port, &header.destination, &header.destination_port);
    let matched = if header.direction == "ANY" && forward != Some(true) {
        let backward = fits(&header.destination, &header.destination_port, &header.source, &header.source_port);
        if backward == Some(false) { forward } else { backward }
    } else {
        forward
    };
    if matched == Some(false) {
        return None;
    }
    let protocol = header.protocol.to_ascii_uppercase();
    match protocol.as_str() {
        "IP" => {}
        "TCP" | "UDP" if protocol != packet.protocol.to_string().to_ascii_uppercase() => return None,
        "TCP" | "UDP" => {}
        "ICMP" | "IKEV2" | "TFTP" | "NTP" | "DHCP" if packet.protocol == super::Protocol::Tcp => return None,
        _ => return Some(unclear(&format!("protocol {} is told by contents", header.protocol))),
    }
    if matched.is_none() {
        return Some(unclear("its addresses or ports could not be read"));
    }
    let plain = |option: &RuleOption| matches!(option.keyword.as_str(), "sid" | "msg" | "rev" | "gid" | "priority");
    if !rule.rule_options.iter().all(plain) {
        return Some(unclear("it has options that look at contents"));
    }
    match rule.action.to_ascii_uppercase().as_str() {
        "PASS" => Some((PASS, Word::Pass(words.to_owned()))),
        "DROP" | "REJECT" => Some((DROP, Word::Drop(words.to_owned()))),
        "ALERT" => None, // reports and lets the next rule decide
        other => Some(unclear(&format!("its action {other} is not known"))),
    }
}

/// Where the names that rules use get their values.
struct Variables<'a> {
    group: Option<&'a RuleVariables>,
    policy: Option<&'a PolicyVariables>,
}

impl<'a> Variables<'a> {
    fn address_set(&self, name: &str) -> Option<&'a VariableDefinition> {
        let own = self.group.and_then(|group| group.ip_sets.get(name));
        own.or_else(|| self.policy.and_then(|policy| policy.rule_variables.get(name)))
    }

    /// Whether a list of addresses holds one; `None` when it cannot be read.
    fn has_address(&self, raw: &str, address: IpAddr, depth: usize) -> Option<bool> {
        listed(raw, depth, &|item, depth| match item.strip_prefix('$') {
            Some(name) => {
                let items = self.address_set(name)?.definition.join(",");
                self.has_address(&format!("[{items}]"), address, depth.checked_sub(1)?)
            }
            None => Some(block(item)?.contains(&address)),
        })
    }

    fn has_port(&self, raw: &str, port: u16, depth: usize) -> Option<bool> {
        listed(raw, depth, &|item, depth| match item.strip_prefix('$') {
            Some(name) => {
                let items = self.group?.port_sets.get(name)?.definition.join(",");
                self.has_port(&format!("[{items}]"), port, depth.checked_sub(1)?)
            }
            None => {
                let (first, last) = item.split_once(':').unwrap_or((item, item));
                let first = if first.is_empty() { 0 } else { first.trim().parse().ok()? };
                let last = if last.is_empty() { u16::MAX } else { last.trim().parse().ok()? };
                Some((first..=last).contains(&port))
            }
        })
    }
}

/// Whether `ANY`, one item, `[a,b]` or `!…` holds what is looked for: what is excluded wins.
fn listed(raw: &str, depth: usize, holds: &dyn Fn(&str, usize) -> Option<bool>) -> Option<bool> {
    let raw = raw.trim();
    if raw.eq_ignore_ascii_case("any") {
        return Some(true);
    }
    if let Some(rest) = raw.strip_prefix('!') {
        // "Not not" is nothing that the service writes; following it would be as deep as the text is long.
        return if rest.starts_with('!') { None } else { listed(rest, depth, holds).map(|held| !held) };
    }
    let Some(inner) = raw.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return holds(raw, depth);
    };
    if inner.contains('[') {
        return None; // lists in lists are not read
    }
    let items: Vec<&str> = inner.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    let (excluded, included): (Vec<&str>, Vec<&str>) = items.into_iter().partition(|item| item.starts_with('!'));
    let mut found = included.is_empty();
    for item in included {
        found |= holds(item, depth)?;
    }
    for item in excluded {
        found &= !holds(&item[1..], depth)?;
    }
    Some(found)
}
