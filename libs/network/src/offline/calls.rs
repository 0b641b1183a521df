//! The calls whose answers are read: a file's name, IAM's name of the action, and where its records go.

use super::answer::{Fault, extend, member, object};
use crate::topology::{
    FunctionPolicy, PrefixListEntries, Reservation, TargetGroupAttributes, TargetGroupHealth, Topology,
    TransitGatewayRouteTableAssociations, TransitGatewayRouteTablePropagations, TransitGatewayRoutes,
};
use std::collections::HashSet;

/// One call of the AWS CLI.
pub(super) struct Call {
    /// The name that the CLI gives it, which is the file's name.
    pub(super) file: &'static str,
    /// The action as IAM writes it.
    pub(super) action: &'static str,
    /// Whether an id stands behind the name.
    pub(super) about: About,
    /// Whether AWS refuses the call when what was asked for is not there: then the refusal is the answer.
    pub(super) may_be_absent: bool,
    /// Puts the records where they belong; whether AWS has more.
    pub(super) read: fn(&mut Topology, &str, &str) -> Result<bool, Fault>,
    /// Leaves out what was read twice, the topology being sorted; the id of something that was described in two ways.
    pub(super) contradiction: fn(&mut Topology) -> Option<String>,
}

/// What a call is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// All things of its kind in the region: nothing stands behind the name.
    Everything,
    /// One thing, whose id stands behind the name.
    One,
    /// Several answers may lie beside each other; their records tell what they belong to.
    Either,
}

/// A call whose answer is a list of records.
macro_rules! records {
    ($file:literal, $action:literal, $about:ident, $key:literal, $list:ident, $id:expr) => {
        Call {
            file: $file,
            action: $action,
            about: About::$about,
            may_be_absent: false,
            read: |topology, _, text| extend(&mut topology.$list, text, $key, $id),
            contradiction: |topology| settle(&mut topology.$list, $id),
        }
    };
}

/// A call about one thing whose id is not in the answer, so that the file's name tells it.
macro_rules! records_of_one {
    ($file:literal, $action:literal, $key:literal, $list:ident, $kind:ident { $about:ident, $records:ident }, $id:expr) => {
        Call {
            file: $file,
            action: $action,
            about: About::One,
            may_be_absent: false,
            read: |topology, about, text| {
                let mut one = $kind { $about: about.to_owned(), ..$kind::default() };
                let is_incomplete = extend(&mut one.$records, text, $key, $id)?;
                topology.$list.push(one);
                Ok(is_incomplete)
            },
            contradiction: |topology| settle(&mut topology.$list, |one| &one.$about),
        }
    };
}

/// A call about one thing that answers with an object.
macro_rules! object {
    ($file:literal, $action:literal, $key:literal, $list:ident, $id:expr) => {
        Call {
            file: $file,
            action: $action,
            about: About::One,
            may_be_absent: false,
            read: |topology, _, text| {
                object(&mut topology.$list, text, $key, $id)?;
                Ok(false)
            },
            contradiction: |topology| settle(&mut topology.$list, $id),
        }
    };
}

/// Every call that is read.
pub(super) const CALLS: &[Call] = &[
    records!("describe-vpcs", "ec2:DescribeVpcs", Everything, "Vpcs", vpcs, |vpc| &vpc.vpc_id),
    records!("describe-subnets", "ec2:DescribeSubnets", Everything, "Subnets", subnets, |subnet| &subnet.subnet_id),
    records!(
        "describe-internet-gateways",
        "ec2:DescribeInternetGateways",
        Everything,
        "InternetGateways",
        internet_gateways,
        |gateway| &gateway.internet_gateway_id
    ),
    records!(
        "describe-egress-only-internet-gateways",
        "ec2:DescribeEgressOnlyInternetGateways",
        Everything,
        "EgressOnlyInternetGateways",
        egress_only_internet_gateways,
        |gateway| &gateway.egress_only_internet_gateway_id
    ),
    records!("describe-nat-gateways", "ec2:DescribeNatGateways", Everything, "NatGateways", nat_gateways, |gateway| {
        &gateway.nat_gateway_id
    }),
    records!("describe-route-tables", "ec2:DescribeRouteTables", Everything, "RouteTables", route_tables, |table| {
        &table.route_table_id
    }),
    records!("describe-network-acls", "ec2:DescribeNetworkAcls", Everything, "NetworkAcls", network_acls, |acl| &acl
        .network_acl_id),
    records!(
        "describe-security-groups",
        "ec2:DescribeSecurityGroups",
        Everything,
        "SecurityGroups",
        security_groups,
        |group| &group.group_id
    ),
    records!(
        "describe-network-interfaces",
        "ec2:DescribeNetworkInterfaces",
        Everything,
        "NetworkInterfaces",
        network_interfaces,
        |interface| &interface.network_interface_id
    ),
    Call {
        file: "describe-instances",
        action: "ec2:DescribeInstances",
        about: About::Everything,
        may_be_absent: false,
        read: |topology, _, text| {
            let mut reservations: Vec<Reservation> = Vec::new();
            let is_incomplete = extend(&mut reservations, text, "Reservations", |reservation| {
                let nameless = reservation.instances.iter().any(|instance| instance.instance_id.is_empty());
                if nameless { "" } else { "named" }
            })?;
            topology.instances.extend(reservations.into_iter().flat_map(|reservation| reservation.instances));
            Ok(is_incomplete)
        },
        contradiction: |topology| settle(&mut topology.instances, |instance| &instance.instance_id),
    },
    records!("describe-addresses", "ec2:DescribeAddresses", Everything, "Addresses", addresses, |address| {
        address.allocation_id.as_deref().or(address.public_ip.as_deref()).unwrap_or_default()
    }),
    records!(
        "describe-managed-prefix-lists",
        "ec2:DescribeManagedPrefixLists",
        Everything,
        "PrefixLists",
        prefix_lists,
        |list| &list.prefix_list_id
    ),
    records_of_one!(
        "get-managed-prefix-list-entries",
        "ec2:GetManagedPrefixListEntries",
        "Entries",
        prefix_list_entries,
        PrefixListEntries { prefix_list_id, entries },
        |entry| &entry.cidr
    ),
    records!(
        "describe-vpc-peering-connections",
        "ec2:DescribeVpcPeeringConnections",
        Everything,
        "VpcPeeringConnections",
        vpc_peering_connections,
        |connection| &connection.vpc_peering_connection_id
    ),
    records!(
        "describe-transit-gateways",
        "ec2:DescribeTransitGateways",
        Everything,
        "TransitGateways",
        transit_gateways,
        |gateway| &gateway.transit_gateway_id
    ),
    records!(
        "describe-transit-gateway-attachments",
        "ec2:DescribeTransitGatewayAttachments",
        Everything,
        "TransitGatewayAttachments",
        transit_gateway_attachments,
        |attachment| &attachment.transit_gateway_attachment_id
    ),
    records!(
        "describe-transit-gateway-vpc-attachments",
        "ec2:DescribeTransitGatewayVpcAttachments",
        Everything,
        "TransitGatewayVpcAttachments",
        transit_gateway_vpc_attachments,
        |attachment| &attachment.transit_gateway_attachment_id
    ),
    records!(
        "describe-transit-gateway-peering-attachments",
        "ec2:DescribeTransitGatewayPeeringAttachments",
        Everything,
        "TransitGatewayPeeringAttachments",
        transit_gateway_peering_attachments,
        |attachment| &attachment.transit_gateway_attachment_id
    ),
    records!(
        "describe-transit-gateway-connects",
        "ec2:DescribeTransitGatewayConnects",
        Everything,
        "TransitGatewayConnects",
        transit_gateway_connects,
        |attachment| &attachment.transit_gateway_attachment_id
    ),
    records!(
        "describe-transit-gateway-route-tables",
        "ec2:DescribeTransitGatewayRouteTables",
        Everything,
        "TransitGatewayRouteTables",
        transit_gateway_route_tables,
        |table| &table.transit_gateway_route_table_id
    ),
    records_of_one!(
        "get-transit-gateway-route-table-associations",
        "ec2:GetTransitGatewayRouteTableAssociations",
        "Associations",
        transit_gateway_route_table_associations,
        TransitGatewayRouteTableAssociations { transit_gateway_route_table_id, associations },
        |entry| &entry.transit_gateway_attachment_id
    ),
    records_of_one!(
        "get-transit-gateway-route-table-propagations",
        "ec2:GetTransitGatewayRouteTablePropagations",
        "TransitGatewayRouteTablePropagations",
        transit_gateway_route_table_propagations,
        TransitGatewayRouteTablePropagations {
            transit_gateway_route_table_id,
            transit_gateway_route_table_propagations
        },
        |entry| &entry.transit_gateway_attachment_id
    ),
    records_of_one!(
        "search-transit-gateway-routes",
        "ec2:SearchTransitGatewayRoutes",
        "Routes",
        transit_gateway_routes,
        TransitGatewayRoutes { transit_gateway_route_table_id, routes },
        |route| route.destination_cidr_block.as_deref().or(route.prefix_list_id.as_deref()).unwrap_or_default()
    ),
    records!(
        "describe-vpn-connections",
        "ec2:DescribeVpnConnections",
        Everything,
        "VpnConnections",
        vpn_connections,
        |connection| &connection.vpn_connection_id
    ),
    records!("describe-vpn-gateways", "ec2:DescribeVpnGateways", Everything, "VpnGateways", vpn_gateways, |gateway| {
        &gateway.vpn_gateway_id
    }),
    records!(
        "describe-customer-gateways",
        "ec2:DescribeCustomerGateways",
        Everything,
        "CustomerGateways",
        customer_gateways,
        |gateway| &gateway.customer_gateway_id
    ),
    records!(
        "describe-direct-connect-gateways",
        "directconnect:DescribeDirectConnectGateways",
        Everything,
        "directConnectGateways",
        direct_connect_gateways,
        |gateway| &gateway.direct_connect_gateway_id
    ),
    records!(
        "describe-direct-connect-gateway-associations",
        "directconnect:DescribeDirectConnectGatewayAssociations",
        Either,
        "directConnectGatewayAssociations",
        direct_connect_gateway_associations,
        |association| association
            .association_id
            .as_deref()
            .or(association.virtual_gateway_id.as_deref())
            .unwrap_or_default()
    ),
    records!(
        "describe-direct-connect-gateway-attachments",
        "directconnect:DescribeDirectConnectGatewayAttachments",
        Either,
        "directConnectGatewayAttachments",
        direct_connect_gateway_attachments,
        |attachment| attachment.virtual_interface_id.as_deref().unwrap_or_default()
    ),
    records!(
        "describe-virtual-interfaces",
        "directconnect:DescribeVirtualInterfaces",
        Everything,
        "virtualInterfaces",
        virtual_interfaces,
        |interface| &interface.virtual_interface_id
    ),
    records!(
        "describe-vpc-endpoints",
        "ec2:DescribeVpcEndpoints",
        Everything,
        "VpcEndpoints",
        vpc_endpoints,
        |endpoint| &endpoint.vpc_endpoint_id
    ),
    object!("describe-firewall", "network-firewall:DescribeFirewall", "Firewall", firewalls, |described| &described
        .firewall
        .firewall_arn),
    object!(
        "describe-firewall-policy",
        "network-firewall:DescribeFirewallPolicy",
        "FirewallPolicy",
        firewall_policies,
        |described| &described.firewall_policy_response.firewall_policy_arn
    ),
    object!(
        "describe-rule-group",
        "network-firewall:DescribeRuleGroup",
        "RuleGroup",
        firewall_rule_groups,
        |described| &described.rule_group_response.rule_group_arn
    ),
    records!(
        "describe-load-balancers",
        "elasticloadbalancing:DescribeLoadBalancers",
        Either,
        "LoadBalancers",
        load_balancers,
        |balancer| &balancer.load_balancer_arn
    ),
    // `aws elb describe-load-balancers`: a call of the same name, told apart by what it answers.
    records!(
        "describe-load-balancers-classic",
        "elasticloadbalancing:DescribeLoadBalancers",
        Either,
        "LoadBalancerDescriptions",
        classic_load_balancers,
        |balancer| &balancer.load_balancer_name
    ),
    records!(
        "describe-listeners",
        "elasticloadbalancing:DescribeListeners",
        Either,
        "Listeners",
        listeners,
        |listener| &listener.listener_arn
    ),
    records!("describe-rules", "elasticloadbalancing:DescribeRules", Either, "Rules", listener_rules, |rule| &rule
        .rule_arn),
    records!(
        "describe-target-groups",
        "elasticloadbalancing:DescribeTargetGroups",
        Either,
        "TargetGroups",
        target_groups,
        |group| &group.target_group_arn
    ),
    records_of_one!(
        "describe-target-group-attributes",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "Attributes",
        target_group_attributes,
        TargetGroupAttributes { target_group_arn, attributes },
        |attribute| &attribute.key
    ),
    records_of_one!(
        "describe-target-health",
        "elasticloadbalancing:DescribeTargetHealth",
        "TargetHealthDescriptions",
        target_health,
        TargetGroupHealth { target_group_arn, target_health_descriptions },
        |health| &health.target.id
    ),
    records!("list-functions", "lambda:ListFunctions", Everything, "Functions", functions, |function| &function
        .function_name),
    records!(
        "list-function-url-configs",
        "lambda:ListFunctionUrlConfigs",
        Either,
        "FunctionUrlConfigs",
        function_urls,
        |url| &url.function_arn
    ),
    Call {
        file: "get-function-url-config",
        action: "lambda:GetFunctionUrlConfig",
        about: About::One,
        may_be_absent: true,
        read: |topology, _, text| {
            object(&mut topology.function_urls, text, "AuthType", |url| &url.function_arn)?;
            Ok(false)
        },
        contradiction: |_| None, // the list of URLs is settled above
    },
    Call {
        file: "get-policy",
        action: "lambda:GetPolicy",
        about: About::One,
        may_be_absent: true,
        read: |topology, about, text| {
            let policy = member(text, "Policy")?;
            topology.function_policies.push(FunctionPolicy { function_name: about.to_owned(), policy });
            Ok(false)
        },
        contradiction: |topology| settle(&mut topology.function_policies, |policy| &policy.function_name),
    },
    records!("describe-tasks", "ecs:DescribeTasks", Either, "tasks", tasks, |task| &task.task_arn),
    records!("describe-db-instances", "rds:DescribeDBInstances", Everything, "DBInstances", db_instances, |instance| {
        &instance.db_instance_identifier
    }),
];

/// The services that the CLI asks, as they may stand in front of a call's name: `elbv2-describe-load-balancers.json`.
const SERVICES: [&str; 8] = ["ec2", "elbv2", "elb", "network-firewall", "directconnect", "lambda", "ecs", "rds"];

/// The longest file name that is taken apart, in bytes: file systems have 255.
const NAME_BYTES_MAX: usize = 255;

/// The call that a file is named after, and what stands behind the name.
pub(super) fn named(name: &str) -> Option<(&'static Call, &str)> {
    let stem = name.strip_suffix(".json").filter(|stem| stem.len() <= NAME_BYTES_MAX)?;
    let behind_service = SERVICES.iter().find_map(|service| stem.strip_prefix(service)?.strip_prefix('-'));
    let stem = behind_service.unwrap_or(stem);
    let named = CALLS.iter().filter_map(|call| {
        let rest = stem.strip_prefix(call.file)?;
        let about = if rest.is_empty() { "" } else { rest.strip_prefix('-').filter(|about| !about.is_empty())? };
        Some((call, about))
    });
    let (call, about) = named.max_by_key(|(call, _)| call.file.len())?;
    match call.about {
        About::Everything if !about.is_empty() => None,
        About::One if about.is_empty() => None,
        _ => Some((call, about)),
    }
}

/// The call that an answer is of: the two services with load balancers have a call of the same name.
pub(super) fn by_content(call: &'static Call, text: &str) -> &'static Call {
    if !call.file.starts_with("describe-load-balancers") {
        return call;
    }
    let key = if text.contains("\"LoadBalancerDescriptions\"") { "-classic" } else { "" };
    let other = CALLS.iter().find(|other| other.file.strip_prefix("describe-load-balancers") == Some(key));
    other.unwrap_or(call)
}

/// Leaves out what is there twice in a sorted list; the id of something that is there in two ways.
fn settle<T: PartialEq>(list: &mut Vec<T>, id: fn(&T) -> &str) -> Option<String> {
    list.dedup();
    let mut seen = HashSet::with_capacity(list.len());
    list.iter().map(id).find(|id| !seen.insert(*id)).map(str::to_owned)
}
