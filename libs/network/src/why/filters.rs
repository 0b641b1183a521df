//! Network ACLs, which know no connections, and security groups, which do
//! (Amazon VPC user guide, "Network ACL basics" and "Security group rules", read 2026-11-24).

use super::{
    AclEntry, Change, GroupRule, Passage, Unknown,
    map::{block, has_address, holds},
    ports::Ports,
    walk::{Halt, Packet, Walk, blocked},
};
use crate::topology::{IpPermission, NetworkAcl, NetworkAclEntry, NetworkInterface, SecurityGroup};
use std::net::IpAddr;

const ACLS: &str = "ec2:DescribeNetworkAcls";
const GROUPS: &str = "ec2:DescribeSecurityGroups";

/// The rule that denies what no other decided. Amazon VPC user guide, "Network ACL rules": the one with an asterisk.
const FINAL_RULE: i32 = 32767;

/// Highest number that a person may give to a rule. EC2 API, `CreateNetworkAclEntry`, read 2026-11-24.
const RULE_MAX: i32 = 32766;

fn protocol_matches(raw: &str, packet: &Packet) -> bool {
    raw == "-1" || raw == packet.protocol.number().to_string() || raw.eq_ignore_ascii_case(&packet.protocol.to_string())
}

/// TCP and UDP have ports; rules for others are for other packets.
fn is_for_ports(raw: &str) -> bool {
    ["-1", "6", "17"].contains(&raw) || raw.eq_ignore_ascii_case("tcp") || raw.eq_ignore_ascii_case("udp")
}

fn port_range(from: i32, to: i32) -> Option<Ports> {
    if from == -1 && to == -1 {
        return Some(Ports::range(0, u16::MAX));
    }
    let (first, last) = (u16::try_from(from).ok()?, u16::try_from(to).ok()?);
    (first <= last).then(|| Ports::range(first, last))
}

fn entry_ports(entry: &NetworkAclEntry) -> Option<Ports> {
    match &entry.port_range {
        None => Some(Ports::range(0, u16::MAX)),
        Some(range) => port_range(range.from, range.to),
    }
}

/// `rule 90 deny tcp 22 from 198.51.100.0/24`.
fn entry_words(entry: &NetworkAclEntry) -> String {
    let number = if entry.rule_number == FINAL_RULE { "*".to_owned() } else { entry.rule_number.to_string() };
    let protocol = match entry.protocol.as_str() {
        "-1" => "all",
        "6" => "tcp",
        "17" => "udp",
        other => other,
    };
    let ports = entry.port_range.as_ref().map(|range| match (range.from, range.to) {
        (from, to) if from == to => format!(" {from}"),
        (from, to) => format!(" {from}-{to}"),
    });
    let peer = entry.cidr_block.as_deref().or(entry.ipv6_cidr_block.as_deref()).unwrap_or("nobody");
    let preposition = if entry.egress { "to" } else { "from" };
    format!("rule {number} {} {protocol}{} {preposition} {peer}", entry.rule_action, ports.unwrap_or_default())
}

/// What is wrong with an entry, if anything.
fn entry_fault(entry: &NetworkAclEntry) -> Option<String> {
    if !is_for_ports(&entry.protocol) {
        return None;
    }
    if !matches!(entry.rule_action.as_str(), "allow" | "deny") {
        return Some(format!("`{}` is neither allow nor deny", entry.rule_action));
    }
    if entry_ports(entry).is_none() {
        return Some("its ports are no port range".into());
    }
    let mut peers = entry.cidr_block.iter().chain(&entry.ipv6_cidr_block);
    peers.find(|peer| block(peer).is_none()).map(|peer| format!("`{peer}` is not a CIDR block"))
}

impl<'a> Walk<'a> {
    /// Whether a packet crosses a subnet's border; the list that lets it, when that is known.
    pub(super) fn acl_check(
        &mut self,
        vpc: &str,
        subnet: &str,
        packet: &Packet,
        egress: bool,
    ) -> Result<Option<&'a str>, Halt> {
        let acl = match self.map.acl_of(vpc, subnet) {
            Ok(acl) => acl,
            Err(unknown) => {
                self.note(unknown);
                return Ok(None);
            }
        };
        let id = &acl.network_acl_id;
        let fault = acl.entries.iter().find_map(|entry| Some((entry, entry_fault(entry)?)));
        if let Some((entry, fault)) = fault {
            let reason = format!("{id} rule {}: {fault}", entry.rule_number);
            self.note(Unknown { call: ACLS.into(), reason });
            return Ok(Some(id));
        }
        let wanted = if packet.reply { self.client_ports.clone() } else { Ports::one(packet.port) };
        let (open, allowing, denying) = decide(acl, packet, egress, &wanted);
        if open.is_empty() {
            let rule = denying.map_or_else(|| "rule * deny all".into(), entry_words);
            let change = self.acl_change(acl, packet, egress, denying);
            let side = if egress { "out of" } else { "into" };
            let reason = format!("{rule} of {id} keeps {} from going {side} {subnet}", packet.words());
            return Err(blocked(id, &rule, &reason, Some(change)));
        }
        if packet.reply {
            self.client_ports = open;
        }
        let rule = allowing.map(entry_words).unwrap_or_default();
        self.trail.push(Passage { component: id.clone(), reply: packet.reply, rule });
        Ok(Some(id))
    }

    /// What opens the list: without a rule that names the peer on purpose, else with one before the rule that denies.
    fn acl_change(&self, acl: &NetworkAcl, packet: &Packet, egress: bool, denying: Option<&NetworkAclEntry>) -> Change {
        let numbers: Vec<i32> =
            acl.entries.iter().filter(|entry| entry.egress == egress).map(|entry| entry.rule_number).collect();
        let limit = denying.map_or(FINAL_RULE, |entry| entry.rule_number);
        let on_purpose = denying.is_some_and(|entry| {
            let peer = entry.cidr_block.as_deref().or(entry.ipv6_cidr_block.as_deref());
            entry.rule_number < FINAL_RULE && peer.and_then(block).is_some_and(|net| net.prefix_len() > 0)
        });
        let free = (1..limit.min(RULE_MAX + 1)).rev().find(|number| !numbers.contains(number));
        // A rule in the middle of the gap leaves room on both sides.
        let number = numbers.iter().filter(|number| **number < limit).max().map_or(100, |last| last + 100);
        let number = Some(number).filter(|number| *number < limit && *number <= RULE_MAX).or(free);
        match (on_purpose, number, denying) {
            (true, _, Some(entry)) | (false, None, Some(entry)) => {
                Change::RemoveAclEntry { acl: acl.network_acl_id.clone(), egress, number: entry.rule_number }
            }
            (_, number, _) => {
                let (port_begin, port_end) = if packet.reply { (1024, u16::MAX) } else { (packet.port, packet.port) };
                Change::AddAclEntry(AclEntry {
                    acl: acl.network_acl_id.clone(),
                    egress,
                    number: number.unwrap_or(1),
                    allow: true,
                    protocol: packet.protocol.to_string(),
                    port_begin,
                    port_end,
                    peer: self.peer_block(if egress { packet.to } else { packet.from }),
                })
            }
        }
    }

    /// Whether the groups of an interface let a request pass. Replies need no permission: groups keep state.
    pub(super) fn group_check(
        &mut self,
        interface: &'a NetworkInterface,
        packet: &Packet,
        egress: bool,
    ) -> Result<(), Halt> {
        let id = &interface.network_interface_id;
        if interface.groups.is_empty() && takes_no_groups(interface) {
            return Ok(());
        }
        let mut known: Vec<&SecurityGroup> = Vec::new();
        let mut unclear = Vec::new();
        for group in &interface.groups {
            match self.map.group(&group.group_id) {
                Some(group) => known.push(group),
                None => unclear.push(self.map.absent(Some(&interface.vpc_id), GROUPS, &group.group_id)),
            }
        }
        let mut permitting: Vec<(&str, String)> = Vec::new();
        for group in &known {
            let rules = if egress { &group.ip_permissions_egress } else { &group.ip_permissions };
            for permission in rules {
                match self.permits(group, permission, interface, packet, egress) {
                    Ok(None) => {}
                    Ok(Some(rule)) => permitting.push((&group.group_id, rule)),
                    Err(unknown) => unclear.push(unknown),
                }
            }
        }
        permitting.sort();
        permitting.dedup_by_key(|(group, _)| *group);
        if permitting.is_empty() && unclear.is_empty() {
            return Err(self.group_halt(interface, &known, packet, egress));
        }
        if !unclear.is_empty() && permitting.is_empty() {
            unclear.into_iter().for_each(|unknown| self.note(unknown));
        }
        for (group, rule) in permitting {
            self.step_of(group, packet);
            let rule = format!("{rule} at {id}");
            self.trail.push(Passage { component: group.to_owned(), reply: packet.reply, rule });
        }
        Ok(())
    }

    fn group_halt(
        &self,
        interface: &NetworkInterface,
        groups: &[&SecurityGroup],
        packet: &Packet,
        egress: bool,
    ) -> Halt {
        let id = &interface.network_interface_id;
        let mut names: Vec<&str> = groups.iter().map(|group| group.group_id.as_str()).collect();
        names.sort_unstable();
        let (side, preposition, peer) =
            if egress { ("outbound", "to", packet.to) } else { ("inbound", "from", packet.from) };
        let Some(first) = names.first() else {
            return blocked(
                id,
                "no security group",
                &format!("{id} has no security group, which permits nothing"),
                None,
            );
        };
        let (protocol, port) = (packet.protocol, packet.port);
        let rule = format!("no {side} rule for {protocol}/{port} {preposition} {peer}");
        let reason = format!("no {side} rule of {} allows {protocol}/{port} {preposition} {peer}", names.join(", "));
        let change = Change::AddGroupRule(GroupRule {
            group: (*first).to_owned(),
            egress,
            protocol: protocol.to_string(),
            port_begin: port,
            port_end: port,
            peer: self.peer_block(peer),
        });
        blocked(first, &rule, &reason, Some(change))
    }

    /// The rule in words, if the permission is for this packet.
    fn permits(
        &self,
        group: &SecurityGroup,
        permission: &IpPermission,
        interface: &NetworkInterface,
        packet: &Packet,
        egress: bool,
    ) -> Result<Option<String>, Unknown> {
        let id = &group.group_id;
        if !protocol_matches(&permission.ip_protocol, packet) {
            return Ok(None);
        }
        if permission.ip_protocol != "-1" {
            let (from, to) = (permission.from_port.unwrap_or(-1), permission.to_port.unwrap_or(-1));
            let Some(ports) = port_range(from, to) else {
                return Err(Unknown { call: GROUPS.into(), reason: format!("{id}: {from}-{to} is not a port range") });
            };
            if ports.and(&Ports::one(packet.port)).is_empty() {
                return Ok(None);
            }
        }
        let peer = if egress { packet.to } else { packet.from };
        let words = |named: &str| {
            let ports = match (permission.from_port, permission.to_port) {
                (Some(from), Some(to)) if permission.ip_protocol != "-1" && from != -1 => format!(" {from}-{to}"),
                _ => String::new(),
            };
            let preposition = if egress { "to" } else { "from" };
            Some(format!("{}{ports} {preposition} {named}", permission.ip_protocol.replace("-1", "all")))
        };
        let ipv4 = permission.ip_ranges.iter().map(|range| range.cidr_ip.as_str());
        for range in ipv4.chain(permission.ipv6_ranges.iter().map(|range| range.cidr_ipv6.as_str())) {
            match holds(range, peer) {
                Some(true) => return Ok(words(range)),
                Some(false) => {}
                None => {
                    let reason = format!("{id}: `{range}` is not a CIDR block");
                    return Err(Unknown { call: GROUPS.into(), reason });
                }
            }
        }
        for pair in &permission.user_id_group_pairs {
            if self.is_member(&pair.group_id, peer, interface, egress) {
                return Ok(words(&pair.group_id));
            }
        }
        let mut unclear = None;
        for list in &permission.prefix_list_ids {
            match self.map.list_holds(id, &list.prefix_list_id, peer) {
                Ok(true) => return Ok(words(&list.prefix_list_id)),
                Ok(false) => {}
                Err(unknown) => unclear = Some(unknown),
            }
        }
        unclear.map_or(Ok(None), Err)
    }

    /// Whether an address is that of a member of a group, in a VPC whose groups rules of this one may name.
    fn is_member(&self, group: &str, peer: IpAddr, interface: &NetworkInterface, egress: bool) -> bool {
        if !egress && self.plan.forwarder.iter().any(|own| own == group) {
            return true;
        }
        self.map.all(|topology| &topology.network_interfaces).any(|member| {
            member.groups.iter().any(|own| own.group_id == group)
                && has_address(member, peer)
                && self.may_name(&interface.vpc_id, &member.vpc_id, egress)
        })
    }

    /// The same VPC; a peered one of the same region; one attached to the same transit gateway, when it supports that.
    /// What has come this far counts by the way that it came.
    fn may_name(&self, own: &str, other: &str, egress: bool) -> bool {
        if own == other {
            return true;
        }
        let last = self.carriers.last().map_or("", |carrier| carrier.as_str());
        let (by_peering, by_transit) = (egress || last.starts_with("pcx-"), egress || last.starts_with("tgw-"));
        let peered = by_peering
            && self.map.all(|topology| &topology.vpc_peering_connections).any(|peering| {
                let sides = peering.sides(own).filter(|_| peering.is_active());
                sides.is_some_and(|(near, far)| far.vpc_id == other && near.region == far.region)
            });
        let enabled = |attachment: &crate::topology::TransitGatewayVpcAttachment| {
            let option = attachment.options.as_ref();
            option.and_then(|option| option.security_group_referencing_support.as_deref()) == Some("enable")
        };
        let supports = |gateway: &str| {
            let found = self.map.first(|topology| &topology.transit_gateways, |one| one.transit_gateway_id == gateway);
            let options = found.and_then(|gateway| gateway.options.as_ref());
            options.and_then(|options| options.security_group_referencing_support.as_deref()) == Some("enable")
        };
        let attached = self.map.all(|topology| &topology.transit_gateway_vpc_attachments);
        let mut near = attached.filter(|near| near.vpc_id == own && enabled(near));
        let joined = by_transit
            && near.any(|near| {
                let gateway = &near.transit_gateway_id;
                supports(gateway) && self.map.vpc_attachment(gateway, other).is_some_and(enabled)
            });
        peered || joined
    }
}

/// Interfaces of services that have no groups and need none.
fn takes_no_groups(interface: &NetworkInterface) -> bool {
    matches!(
        interface.kind(),
        "network_load_balancer"
            | "gateway_load_balancer"
            | "gateway_load_balancer_endpoint"
            | "nat_gateway"
            | "transit_gateway"
    )
}

/// The ports of those wanted that a list lets pass, the first rule that did, and the first that denied some.
fn decide<'a>(
    acl: &'a NetworkAcl,
    packet: &Packet,
    egress: bool,
    wanted: &Ports,
) -> (Ports, Option<&'a NetworkAclEntry>, Option<&'a NetworkAclEntry>) {
    let peer = if egress { packet.to } else { packet.from };
    let names = |entry: &NetworkAclEntry| {
        entry.cidr_block.iter().chain(&entry.ipv6_cidr_block).any(|raw| holds(raw, peer) == Some(true))
    };
    let mut entries: Vec<&NetworkAclEntry> = acl
        .entries
        .iter()
        .filter(|entry| entry.egress == egress && protocol_matches(&entry.protocol, packet) && names(entry))
        .collect();
    entries.sort_by_key(|entry| entry.rule_number);
    let (mut open, mut undecided) = (Ports::none(), wanted.clone());
    let (mut allowing, mut denying) = (None, None);
    for entry in entries {
        let ports = entry_ports(entry).unwrap_or_else(Ports::none);
        let matched = undecided.and(&ports);
        if matched.is_empty() {
            continue;
        }
        undecided = undecided.without(&ports);
        if entry.rule_action == "allow" {
            open = open.or(&matched);
            allowing = allowing.or(Some(entry));
        } else {
            denying = denying.or(Some(entry));
        }
    }
    (open, allowing, denying)
}
