//! Changes made to a topology: the same values that AWS would describe afterwards.

use super::{AclEntry, Change, GroupRule};
use crate::topology::*;
use std::net::{IpAddr, Ipv4Addr};

/// The rule group that `Change::PassFirewall` makes.
const PASSING_GROUP: &str = "arn:aws:network-firewall:::stateless-rulegroup/passing";

impl Change {
    /// Makes the change where the topology holds what it is about; `false`: it does not, and nothing changes.
    pub fn apply(&self, topology: &mut Topology) -> bool {
        match self {
            Self::AddGroupRule(rule) => add_group_rule(topology, rule),
            Self::RemoveGroupRule(rule) => remove_group_rule(topology, rule),
            Self::AddAclEntry(entry) => add_acl_entry(topology, entry),
            Self::RemoveAclEntry { acl, egress, number } => {
                let same = |entry: &NetworkAclEntry| entry.egress == *egress && entry.rule_number == *number;
                let found = topology.network_acls.iter_mut().find(|own| own.network_acl_id == *acl);
                found.is_some_and(|acl| remove(&mut acl.entries, same))
            }
            Self::SetRoute { table, destination, target } => {
                let found = topology.route_tables.iter_mut().find(|own| own.route_table_id == *table);
                found.is_some_and(|table| set_route(table, destination, target))
            }
            Self::RemoveRoute { table, destination } => {
                let found = topology.route_tables.iter_mut().find(|own| own.route_table_id == *table);
                found.is_some_and(|table| remove(&mut table.routes, |route| is_for(route, destination)))
            }
            Self::AssociateAddress { interface, private_address, public_address } => {
                associate(topology, interface, *private_address, *public_address)
            }
            Self::DisassociateAddress { public_address } => disassociate(topology, *public_address),
            Self::AttachInternetGateway { gateway, vpc } => attach_gateway(topology, gateway, vpc),
            Self::AcceptPeering { peering } => {
                let all = topology.vpc_peering_connections.iter_mut();
                let mut found = all.filter(|own| own.vpc_peering_connection_id == *peering).peekable();
                let any = found.peek().is_some();
                found.for_each(|own| own.status = Some(VpcPeeringConnectionStatus { code: "active".into() }));
                any
            }
            Self::SetTransitRoute { table, destination, attachment } => {
                set_transit_route(topology, table, destination, attachment)
            }
            Self::RemoveTransitRoute { table, destination } => {
                let mut all = topology.transit_gateway_routes.iter_mut();
                let found = all.find(|own| own.transit_gateway_route_table_id == *table);
                let same = |route: &TransitGatewayRoute| route.destination_cidr_block.as_ref() == Some(destination);
                found.is_some_and(|table| remove(&mut table.routes, same))
            }
            Self::AssociateTransitTable { table, attachment } => associate_table(topology, table, attachment),
            Self::AddTransitSubnet { attachment, subnet } => {
                let mut all = topology.transit_gateway_vpc_attachments.iter_mut();
                let found = all.find(|own| own.transit_gateway_attachment_id == *attachment);
                found.map(|own| own.subnet_ids.push(subnet.clone())).is_some()
            }
            Self::PassFirewall { policy, .. } => pass_firewall(topology, policy, self),
        }
    }

    /// Makes the change in whichever topology holds what it is about.
    pub fn apply_to(&self, topologies: &mut [Topology]) -> bool {
        let mut made = false;
        for topology in topologies {
            made |= self.apply(topology);
        }
        made
    }
}

/// Takes out what matches; whether anything did.
fn remove<T>(list: &mut Vec<T>, matches: impl Fn(&T) -> bool) -> bool {
    let before = list.len();
    list.retain(|item| !matches(item));
    list.len() < before
}

fn permissions<'a>(topology: &'a mut Topology, rule: &GroupRule) -> Option<&'a mut Vec<IpPermission>> {
    let group = topology.security_groups.iter_mut().find(|group| group.group_id == rule.group)?;
    Some(if rule.egress { &mut group.ip_permissions_egress } else { &mut group.ip_permissions })
}

fn add_group_rule(topology: &mut Topology, rule: &GroupRule) -> bool {
    let Some(permissions) = permissions(topology, rule) else {
        return false;
    };
    let mut permission = IpPermission { ip_protocol: rule.protocol.clone(), ..IpPermission::default() };
    if rule.protocol != "-1" {
        permission.from_port = Some(rule.port_begin.into());
        permission.to_port = Some(rule.port_end.into());
    }
    let peer = rule.peer.clone();
    match peer.as_str() {
        list if list.starts_with("pl-") => permission.prefix_list_ids.push(PrefixListId { prefix_list_id: peer }),
        group if group.starts_with("sg-") => {
            permission.user_id_group_pairs.push(UserIdGroupPair { group_id: peer, ..UserIdGroupPair::default() });
        }
        ipv6 if ipv6.contains(':') => permission.ipv6_ranges.push(Ipv6Range { cidr_ipv6: peer }),
        _ => permission.ip_ranges.push(IpRange { cidr_ip: peer }),
    }
    permissions.push(permission);
    true
}

fn remove_group_rule(topology: &mut Topology, rule: &GroupRule) -> bool {
    let Some(permissions) = permissions(topology, rule) else {
        return false;
    };
    let mut removed = false;
    for permission in permissions.iter_mut() {
        let (begin, end) = (Some(i32::from(rule.port_begin)), Some(i32::from(rule.port_end)));
        let ports = rule.protocol == "-1" || (permission.from_port == begin && permission.to_port == end);
        if permission.ip_protocol != rule.protocol || !ports {
            continue;
        }
        removed |= remove(&mut permission.ip_ranges, |range| range.cidr_ip == rule.peer);
        removed |= remove(&mut permission.ipv6_ranges, |range| range.cidr_ipv6 == rule.peer);
        removed |= remove(&mut permission.prefix_list_ids, |list| list.prefix_list_id == rule.peer);
        removed |= remove(&mut permission.user_id_group_pairs, |pair| pair.group_id == rule.peer);
    }
    let names_nobody = |permission: &IpPermission| {
        permission.ip_ranges.is_empty()
            && permission.ipv6_ranges.is_empty()
            && permission.prefix_list_ids.is_empty()
            && permission.user_id_group_pairs.is_empty()
    };
    permissions.retain(|permission| !names_nobody(permission));
    removed
}

fn add_acl_entry(topology: &mut Topology, entry: &AclEntry) -> bool {
    let Some(acl) = topology.network_acls.iter_mut().find(|acl| acl.network_acl_id == entry.acl) else {
        return false;
    };
    acl.entries.retain(|own| own.egress != entry.egress || own.rule_number != entry.number);
    let protocol = match entry.protocol.as_str() {
        "tcp" => "6",
        "udp" => "17",
        other => other,
    };
    let ipv6 = entry.peer.contains(':');
    acl.entries.push(NetworkAclEntry {
        egress: entry.egress,
        rule_number: entry.number,
        protocol: protocol.into(),
        rule_action: if entry.allow { "allow" } else { "deny" }.into(),
        cidr_block: (!ipv6).then(|| entry.peer.clone()),
        ipv6_cidr_block: ipv6.then(|| entry.peer.clone()),
        port_range: Some(PortRange { from: entry.port_begin.into(), to: entry.port_end.into() }),
    });
    true
}

fn is_for(route: &Route, destination: &str) -> bool {
    [&route.destination_cidr_block, &route.destination_ipv6_cidr_block, &route.destination_prefix_list_id]
        .iter()
        .any(|own| own.as_deref() == Some(destination))
}

fn set_route(table: &mut RouteTable, destination: &str, target: &str) -> bool {
    table.routes.retain(|route| !is_for(route, destination));
    let mut route = Route { state: Some("active".into()), origin: Some("CreateRoute".into()), ..Route::default() };
    let place = match destination {
        list if list.starts_with("pl-") => &mut route.destination_prefix_list_id,
        ipv6 if ipv6.contains(':') => &mut route.destination_ipv6_cidr_block,
        _ => &mut route.destination_cidr_block,
    };
    *place = Some(destination.into());
    let place = match target.split('-').next().unwrap_or_default() {
        "nat" => &mut route.nat_gateway_id,
        "eigw" => &mut route.egress_only_internet_gateway_id,
        "tgw" => &mut route.transit_gateway_id,
        "pcx" => &mut route.vpc_peering_connection_id,
        "eni" => &mut route.network_interface_id,
        "i" => &mut route.instance_id,
        "lgw" => &mut route.local_gateway_id,
        "cagw" => &mut route.carrier_gateway_id,
        _ => &mut route.gateway_id,
    };
    *place = Some(target.into());
    table.routes.push(route);
    true
}

/// An address of the block for examples (RFC 5737) that nobody has yet: it stands for the one that AWS will give.
fn new_address(topology: &Topology) -> IpAddr {
    let taken = |address: &IpAddr| {
        let interfaces = topology.network_interfaces.iter();
        let text = address.to_string();
        interfaces.flat_map(NetworkInterface::ipv4_addresses).any(|(_, public)| public == Some(text.as_str()))
    };
    let mut addresses = (1..=254).rev().map(|last| IpAddr::from(Ipv4Addr::new(203, 0, 113, last)));
    addresses.find(|address| !taken(address)).unwrap_or(IpAddr::from(Ipv4Addr::new(203, 0, 113, 254)))
}

fn associate(topology: &mut Topology, id: &str, private: IpAddr, public: Option<IpAddr>) -> bool {
    let public = public.unwrap_or_else(|| new_address(topology));
    let interfaces = &mut topology.network_interfaces;
    let Some(interface) = interfaces.iter_mut().find(|interface| interface.network_interface_id == id) else {
        return false;
    };
    let association =
        NetworkInterfaceAssociation { public_ip: Some(public.to_string()), ..NetworkInterfaceAssociation::default() };
    let is = |raw: &str| raw.parse::<IpAddr>().is_ok_and(|own| own == private);
    if let Some(address) = interface.private_ip_addresses.iter_mut().find(|own| is(&own.private_ip_address)) {
        address.association = Some(association);
        return true;
    }
    let primary = interface.private_ip_address.as_deref().is_some_and(is);
    if primary {
        interface.association = Some(association);
    }
    primary
}

fn disassociate(topology: &mut Topology, public: IpAddr) -> bool {
    let is = |association: &Option<NetworkInterfaceAssociation>| {
        let own = association.as_ref().and_then(|association| association.public_ip.as_deref());
        own.and_then(|own| own.parse::<IpAddr>().ok()) == Some(public)
    };
    let mut found = false;
    for interface in &mut topology.network_interfaces {
        let own = std::iter::once(&mut interface.association);
        let all = own.chain(interface.private_ip_addresses.iter_mut().map(|address| &mut address.association));
        for association in all.filter(|association| is(association)) {
            *association = None;
            found = true;
        }
    }
    found
}

fn attach_gateway(topology: &mut Topology, gateway: &str, vpc: &str) -> bool {
    if !topology.vpcs.iter().any(|own| own.vpc_id == vpc) && !topology.subnets.iter().any(|own| own.vpc_id == vpc) {
        return false;
    }
    let attachment = InternetGatewayAttachment { vpc_id: vpc.into(), state: "available".into() };
    match topology.internet_gateways.iter_mut().find(|own| own.internet_gateway_id == gateway) {
        Some(own) => {
            own.attachments.retain(|attached| attached.vpc_id != vpc);
            own.attachments.push(attachment);
        }
        None => topology.internet_gateways.push(InternetGateway {
            internet_gateway_id: gateway.into(),
            attachments: vec![attachment],
            ..InternetGateway::default()
        }),
    }
    true
}

fn set_transit_route(topology: &mut Topology, table: &str, destination: &str, attachment: &str) -> bool {
    let mut all = topology.transit_gateway_routes.iter_mut();
    let Some(table) = all.find(|own| own.transit_gateway_route_table_id == table) else {
        return false;
    };
    table.routes.retain(|route| route.destination_cidr_block.as_deref() != Some(destination));
    table.routes.push(TransitGatewayRoute {
        destination_cidr_block: Some(destination.into()),
        transit_gateway_attachments: vec![TransitGatewayRouteAttachment {
            transit_gateway_attachment_id: attachment.into(),
            ..TransitGatewayRouteAttachment::default()
        }],
        route_type: Some("static".into()),
        state: Some("active".into()),
        ..TransitGatewayRoute::default()
    });
    true
}

fn associate_table(topology: &mut Topology, table: &str, attachment: &str) -> bool {
    let mut lists = topology.transit_gateway_route_table_associations.iter_mut();
    let Some(list) = lists.find(|own| own.transit_gateway_route_table_id == table) else {
        return false;
    };
    list.associations.push(TransitGatewayTableEntry {
        transit_gateway_attachment_id: attachment.into(),
        state: Some("associated".into()),
        ..TransitGatewayTableEntry::default()
    });
    true
}

fn pass_firewall(topology: &mut Topology, arn: &str, change: &Change) -> bool {
    let Change::PassFirewall { source, destination, protocol, port, .. } = change else {
        return false;
    };
    let mut described = topology.firewall_policies.iter_mut();
    let policy = described.find(|own| own.firewall_policy_response.firewall_policy_arn == arn);
    let Some(policy) = policy.and_then(|described| described.firewall_policy.as_mut()) else {
        return false;
    };
    let first = policy.stateless_rule_group_references.iter().map(|reference| reference.priority).min();
    let name = format!("{PASSING_GROUP}-{}", topology.firewall_rule_groups.len());
    policy.stateless_rule_group_references.push(StatelessRuleGroupReference {
        resource_arn: name.clone(),
        priority: first.map_or(1, |first| first.saturating_sub(1)),
    });
    let address = |block: &String| vec![FirewallAddress { address_definition: block.clone() }];
    let ports = vec![FirewallPortRange { from_port: (*port).into(), to_port: (*port).into() }];
    let request = MatchAttributes {
        sources: address(source),
        destinations: address(destination),
        destination_ports: ports.clone(),
        protocols: vec![protocol.number().into()],
        ..MatchAttributes::default()
    };
    let reply = MatchAttributes {
        sources: address(destination),
        destinations: address(source),
        source_ports: ports,
        protocols: vec![protocol.number().into()],
        ..MatchAttributes::default()
    };
    let rules = [request, reply].into_iter().zip(1..).map(|(match_attributes, priority)| StatelessRule {
        rule_definition: RuleDefinition { match_attributes, actions: vec!["aws:pass".into()] },
        priority,
    });
    let source = StatelessRulesAndCustomActions { stateless_rules: rules.collect() };
    topology.firewall_rule_groups.push(DescribedRuleGroup {
        rule_group_response: RuleGroupResponse { rule_group_arn: name, ..RuleGroupResponse::default() },
        rule_group: Some(RuleGroup {
            rules_source: RulesSource { stateless_rules_and_custom_actions: Some(source), ..RulesSource::default() },
            ..RuleGroup::default()
        }),
    });
    true
}
