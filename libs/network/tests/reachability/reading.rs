//! AWS' answers as the topology that the analysis is asked about.

use crate::oracle::Answers;
use muster_network::topology::{
    FunctionPolicy, MissingAnswer, PrefixListEntries, TargetGroupHealth, Topology,
    TransitGatewayRouteTableAssociations, TransitGatewayRouteTablePropagations, TransitGatewayRoutes,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The items of every file of a call.
fn items<T: DeserializeOwned>(answers: &Answers, call: &str, key: &str) -> Vec<T> {
    let mut items = Vec::new();
    for (name, answer) in answers {
        let is_of_call = name.strip_prefix(call).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        if let Some(list) = answer[key].as_array().filter(|_| is_of_call) {
            items.extend(list.iter().map(|item| serde_json::from_value::<T>(item.clone()).unwrap()));
        }
    }
    items
}

/// The answers of a call that is about one thing, each with the thing's id in a field of this name.
fn about<T: DeserializeOwned>(answers: &Answers, call: &str, field: &str) -> Vec<T> {
    let named = answers.iter().filter_map(|(name, answer)| Some((name.strip_prefix(call)?.strip_prefix('-')?, answer)));
    named
        .map(|(id, answer)| {
            let mut answer = answer.clone();
            answer[field] = json!(id);
            serde_json::from_value(answer).unwrap()
        })
        .collect()
}

pub fn topology(account: &str, region: &str, answers: &Answers) -> Topology {
    let all = answers;
    let reservations: Vec<Value> = items(all, "describe-instances", "Reservations");
    let instances = reservations.iter().flat_map(|one| one["Instances"].as_array().unwrap());
    let firewalls = all.iter().filter(|(name, _)| name.starts_with("describe-firewall-") && !name.contains("-policy-"));
    let policies = all.iter().filter(|(name, _)| name.starts_with("describe-firewall-policy-"));
    let groups = all.iter().filter(|(name, _)| name.starts_with("describe-rule-group-"));
    let mut topology = Topology {
        account: account.into(),
        region: region.into(),
        vpcs: items(all, "describe-vpcs", "Vpcs"),
        subnets: items(all, "describe-subnets", "Subnets"),
        internet_gateways: items(all, "describe-internet-gateways", "InternetGateways"),
        egress_only_internet_gateways: items(
            all,
            "describe-egress-only-internet-gateways",
            "EgressOnlyInternetGateways",
        ),
        nat_gateways: items(all, "describe-nat-gateways", "NatGateways"),
        route_tables: items(all, "describe-route-tables", "RouteTables"),
        network_acls: items(all, "describe-network-acls", "NetworkAcls"),
        security_groups: items(all, "describe-security-groups", "SecurityGroups"),
        network_interfaces: items(all, "describe-network-interfaces", "NetworkInterfaces"),
        instances: instances.map(|one| serde_json::from_value(one.clone()).unwrap()).collect(),
        prefix_lists: items(all, "describe-managed-prefix-lists", "PrefixLists"),
        prefix_list_entries: about::<PrefixListEntries>(all, "get-managed-prefix-list-entries", "PrefixListId"),
        vpc_peering_connections: items(all, "describe-vpc-peering-connections", "VpcPeeringConnections"),
        transit_gateways: items(all, "describe-transit-gateways", "TransitGateways"),
        transit_gateway_attachments: items(all, "describe-transit-gateway-attachments", "TransitGatewayAttachments"),
        transit_gateway_vpc_attachments: items(
            all,
            "describe-transit-gateway-vpc-attachments",
            "TransitGatewayVpcAttachments",
        ),
        transit_gateway_route_tables: items(all, "describe-transit-gateway-route-tables", "TransitGatewayRouteTables"),
        transit_gateway_route_table_associations: about::<TransitGatewayRouteTableAssociations>(
            all,
            "get-transit-gateway-route-table-associations",
            "TransitGatewayRouteTableId",
        ),
        transit_gateway_route_table_propagations: about::<TransitGatewayRouteTablePropagations>(
            all,
            "get-transit-gateway-route-table-propagations",
            "TransitGatewayRouteTableId",
        ),
        transit_gateway_routes: about::<TransitGatewayRoutes>(
            all,
            "search-transit-gateway-routes",
            "TransitGatewayRouteTableId",
        ),
        vpn_connections: items(all, "describe-vpn-connections", "VpnConnections"),
        vpn_gateways: items(all, "describe-vpn-gateways", "VpnGateways"),
        customer_gateways: items(all, "describe-customer-gateways", "CustomerGateways"),
        direct_connect_gateways: items(all, "describe-direct-connect-gateways", "directConnectGateways"),
        direct_connect_gateway_associations: items(
            all,
            "describe-direct-connect-gateway-associations",
            "directConnectGatewayAssociations",
        ),
        virtual_interfaces: items(all, "describe-virtual-interfaces", "virtualInterfaces"),
        vpc_endpoints: items(all, "describe-vpc-endpoints", "VpcEndpoints"),
        firewalls: firewalls.map(|(_, answer)| serde_json::from_value(answer.clone()).unwrap()).collect(),
        firewall_policies: policies.map(|(_, answer)| serde_json::from_value(answer.clone()).unwrap()).collect(),
        firewall_rule_groups: groups.map(|(_, answer)| serde_json::from_value(answer.clone()).unwrap()).collect(),
        load_balancers: items(all, "describe-load-balancers", "LoadBalancers"),
        listeners: items(all, "describe-listeners", "Listeners"),
        listener_rules: items(all, "describe-rules", "Rules"),
        target_groups: items(all, "describe-target-groups", "TargetGroups"),
        target_health: about::<TargetGroupHealth>(all, "describe-target-health", "TargetGroupArn"),
        classic_load_balancers: items(all, "describe-load-balancers", "LoadBalancerDescriptions"),
        functions: items(all, "list-functions", "Functions"),
        function_urls: items(all, "list-function-url-configs", "FunctionUrlConfigs"),
        function_policies: about::<FunctionPolicy>(all, "get-policy", "FunctionName"),
        tasks: items(all, "describe-tasks", "tasks"),
        db_instances: items(all, "describe-db-instances", "DBInstances"),
        ..Topology::default()
    };
    for health in &mut topology.target_health {
        let name = Some(health.target_group_arn.clone());
        let group = topology.target_groups.iter().find(|group| group.target_group_name == name);
        health.target_group_arn = group.map(|group| group.target_group_arn.clone()).unwrap_or_default();
    }
    topology.missing = missing(all);
    topology
}

/// The calls whose file is not there although something refers to them.
fn missing(answers: &Answers) -> Vec<MissingAnswer> {
    let tables = answers.get("describe-route-tables").map(Value::to_string).unwrap_or_default();
    let leads_to = |prefix: &str| tables.contains(&format!("\"{prefix}-"));
    let has_balancers = answers.get("describe-load-balancers").is_some_and(|answer| !answer["LoadBalancers"].is_null());
    let needed = [
        ("ec2:DescribeVpcs", "describe-vpcs", true),
        ("ec2:DescribeSubnets", "describe-subnets", true),
        ("ec2:DescribeRouteTables", "describe-route-tables", true),
        ("ec2:DescribeNetworkAcls", "describe-network-acls", true),
        ("ec2:DescribeSecurityGroups", "describe-security-groups", true),
        ("ec2:DescribeNetworkInterfaces", "describe-network-interfaces", true),
        ("ec2:DescribeInternetGateways", "describe-internet-gateways", true),
        ("ec2:DescribeVpcPeeringConnections", "describe-vpc-peering-connections", leads_to("pcx")),
        ("ec2:DescribeTransitGatewayAttachments", "describe-transit-gateway-attachments", leads_to("tgw")),
        ("ec2:DescribeTransitGatewayVpcAttachments", "describe-transit-gateway-vpc-attachments", leads_to("tgw")),
        ("ec2:DescribeVpnGateways", "describe-vpn-gateways", leads_to("vgw")),
        ("ec2:DescribeVpnConnections", "describe-vpn-connections", leads_to("vgw")),
        ("directconnect:DescribeVirtualInterfaces", "describe-virtual-interfaces", leads_to("vgw")),
        ("network-firewall:DescribeFirewall", "describe-firewall", leads_to("vpce")),
        ("elasticloadbalancing:DescribeListeners", "describe-listeners", has_balancers),
        ("elasticloadbalancing:DescribeTargetGroups", "describe-target-groups", has_balancers),
    ];
    let is_absent = |file: &str| answers.keys().all(|name| !name.starts_with(file));
    let absent = needed.into_iter().filter(|(_, file, is_needed)| *is_needed && is_absent(file));
    absent.map(|(call, ..)| MissingAnswer { call: call.into(), about: None, reason: "denied".into() }).collect()
}
