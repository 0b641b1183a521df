//! The network of one region of one account, in the JSON that the AWS command line prints for each call.
//!
//! Every type carries the names and the nesting of the API's answer, only the fields that the analysis needs, and
//! ignores all others: a folder of `aws ec2 describe-…` answers is read by serde alone, and what is discovered through
//! an SDK is converted to the same values. Texts stay as AWS writes them: what cannot be read is told by the analysis,
//! which needs the whole picture to say what depends on it.
//! Sources: the service models of EC2 (2016-11-15), Elastic Load Balancing (2015-12-01 and 2012-06-01), Network
//! Firewall (2020-11-12), Direct Connect (2012-10-25), Lambda (2015-03-31), ECS (2014-11-13), RDS (2014-10-31).

#[macro_use]
mod shape;
mod acl;
mod balancers;
mod containers;
mod databases;
mod direct_connect;
mod endpoints;
mod firewall;
mod functions;
mod gateways;
mod groups;
mod instances;
mod interfaces;
mod peering;
mod routing;
mod transit;
mod vpc;
mod vpn;

pub use acl::*;
pub use balancers::*;
pub use containers::*;
pub use databases::*;
pub use direct_connect::*;
pub use endpoints::*;
pub use firewall::*;
pub use functions::*;
pub use gateways::*;
pub use groups::*;
pub use instances::*;
pub use interfaces::*;
pub use peering::*;
pub use routing::*;
pub use transit::*;
pub use vpc::*;
pub use vpn::*;

use muster_domain::Digest;
use shape::SortLists;

aws! { "snake_case";
    /// All that the reachability of one account and region depends on: a list for each call.
    /// What could not be described stands in `missing`; an empty list elsewhere means that there is nothing.
    pub struct Topology {
        /// Twelve digits.
        pub account: String,
        /// For example `eu-central-1`.
        pub region: String,
        /// EC2 `DescribeVpcs`.
        pub vpcs: Vec<Vpc>,
        /// EC2 `DescribeSubnets`.
        pub subnets: Vec<Subnet>,
        /// EC2 `DescribeInternetGateways`.
        pub internet_gateways: Vec<InternetGateway>,
        /// EC2 `DescribeEgressOnlyInternetGateways`.
        pub egress_only_internet_gateways: Vec<EgressOnlyInternetGateway>,
        /// EC2 `DescribeNatGateways`.
        pub nat_gateways: Vec<NatGateway>,
        /// EC2 `DescribeRouteTables`.
        pub route_tables: Vec<RouteTable>,
        /// EC2 `DescribeNetworkAcls`.
        pub network_acls: Vec<NetworkAcl>,
        /// EC2 `DescribeSecurityGroups`.
        pub security_groups: Vec<SecurityGroup>,
        /// EC2 `DescribeNetworkInterfaces`.
        pub network_interfaces: Vec<NetworkInterface>,
        /// EC2 `DescribeInstances`, without the reservations around them.
        pub instances: Vec<Instance>,
        /// EC2 `DescribeAddresses`.
        pub addresses: Vec<Address>,
        /// EC2 `DescribeManagedPrefixLists`.
        pub prefix_lists: Vec<ManagedPrefixList>,
        /// EC2 `GetManagedPrefixListEntries`, once per list. A list that is not here is unknown.
        pub prefix_list_entries: Vec<PrefixListEntries>,
        /// EC2 `DescribeVpcPeeringConnections`.
        pub vpc_peering_connections: Vec<VpcPeeringConnection>,
        /// EC2 `DescribeTransitGateways`.
        pub transit_gateways: Vec<TransitGateway>,
        /// EC2 `DescribeTransitGatewayAttachments`.
        pub transit_gateway_attachments: Vec<TransitGatewayAttachment>,
        /// EC2 `DescribeTransitGatewayVpcAttachments`.
        pub transit_gateway_vpc_attachments: Vec<TransitGatewayVpcAttachment>,
        /// EC2 `DescribeTransitGatewayPeeringAttachments`.
        pub transit_gateway_peering_attachments: Vec<TransitGatewayPeeringAttachment>,
        /// EC2 `DescribeTransitGatewayConnects`.
        pub transit_gateway_connects: Vec<TransitGatewayConnect>,
        /// EC2 `DescribeTransitGatewayRouteTables`.
        pub transit_gateway_route_tables: Vec<TransitGatewayRouteTable>,
        /// EC2 `GetTransitGatewayRouteTableAssociations`, once per table. A table that is not here is unknown.
        pub transit_gateway_route_table_associations: Vec<TransitGatewayRouteTableAssociations>,
        /// EC2 `GetTransitGatewayRouteTablePropagations`, once per table.
        pub transit_gateway_route_table_propagations: Vec<TransitGatewayRouteTablePropagations>,
        /// EC2 `SearchTransitGatewayRoutes` (state active or blackhole), once per table. A table that is not here is
        /// unknown.
        pub transit_gateway_routes: Vec<TransitGatewayRoutes>,
        /// EC2 `DescribeVpnConnections`.
        pub vpn_connections: Vec<VpnConnection>,
        /// EC2 `DescribeVpnGateways`.
        pub vpn_gateways: Vec<VpnGateway>,
        /// EC2 `DescribeCustomerGateways`.
        pub customer_gateways: Vec<CustomerGateway>,
        /// Direct Connect `DescribeDirectConnectGateways`.
        pub direct_connect_gateways: Vec<DirectConnectGateway>,
        /// Direct Connect `DescribeDirectConnectGatewayAssociations`, of all gateways together.
        pub direct_connect_gateway_associations: Vec<DirectConnectGatewayAssociation>,
        /// Direct Connect `DescribeDirectConnectGatewayAttachments`, of all gateways together.
        pub direct_connect_gateway_attachments: Vec<DirectConnectGatewayAttachment>,
        /// Direct Connect `DescribeVirtualInterfaces`.
        pub virtual_interfaces: Vec<VirtualInterface>,
        /// EC2 `DescribeVpcEndpoints`.
        pub vpc_endpoints: Vec<VpcEndpoint>,
        /// Network Firewall `DescribeFirewall`, once per firewall.
        pub firewalls: Vec<DescribedFirewall>,
        /// Network Firewall `DescribeFirewallPolicy`, once per policy.
        pub firewall_policies: Vec<DescribedFirewallPolicy>,
        /// Network Firewall `DescribeRuleGroup`, once per group.
        pub firewall_rule_groups: Vec<DescribedRuleGroup>,
        /// Elastic Load Balancing v2 `DescribeLoadBalancers`.
        pub load_balancers: Vec<LoadBalancer>,
        /// Elastic Load Balancing v2 `DescribeListeners`, of all load balancers together.
        pub listeners: Vec<Listener>,
        /// Elastic Load Balancing v2 `DescribeRules`, of all listeners together: a rule's ARN tells its listener.
        pub listener_rules: Vec<ListenerRule>,
        /// Elastic Load Balancing v2 `DescribeTargetGroups`.
        pub target_groups: Vec<TargetGroup>,
        /// Elastic Load Balancing v2 `DescribeTargetGroupAttributes`, once per group; one that is not here has the
        /// defaults.
        pub target_group_attributes: Vec<TargetGroupAttributes>,
        /// Elastic Load Balancing v2 `DescribeTargetHealth`, once per group. A group that is not here is unknown.
        pub target_health: Vec<TargetGroupHealth>,
        /// Classic Elastic Load Balancing `DescribeLoadBalancers`.
        pub classic_load_balancers: Vec<ClassicLoadBalancer>,
        /// Lambda `ListFunctions`.
        pub functions: Vec<Function>,
        /// Lambda `ListFunctionUrlConfigs` or `GetFunctionUrlConfig`, of all functions together.
        pub function_urls: Vec<FunctionUrl>,
        /// Lambda `GetPolicy`, once per function. A function without a policy is not here.
        pub function_policies: Vec<FunctionPolicy>,
        /// ECS `DescribeTasks`, of all clusters together.
        pub tasks: Vec<Task>,
        /// RDS `DescribeDBInstances`.
        pub db_instances: Vec<DbInstance>,
        /// What AWS did not answer.
        pub missing: Vec<MissingAnswer>,
    }

    /// A call that AWS denied or failed, so that its part of the topology is unknown.
    pub struct MissingAnswer {
        /// The action as IAM writes it: `ec2:DescribeNetworkAcls`. It decides what is unknown.
        pub call: String,
        /// What the call was about, when it is about one thing (`tgw-rtb-1`): only that is unknown. `None`: everything
        /// that the call describes.
        pub about: Option<String>,
        /// What AWS said, in one line.
        pub reason: String,
    }
}

impl Topology {
    /// Brings every list into a fixed order. The order means nothing where it is changed: network ACL entries have
    /// rule numbers, routes have prefixes; the stateful rules of a firewall, which are read in order, stay.
    pub fn sort(&mut self) {
        self.sort_lists();
    }

    /// Changes when anything that the analysis sees changes; the order in which AWS answered does not matter.
    pub fn fingerprint(&self) -> Digest {
        let mut sorted = self.clone();
        sorted.sort();
        Digest::of_json(&sorted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_answers_does_not_change_the_fingerprint() {
        let group = |id: &str| SecurityGroup { group_id: id.into(), ..SecurityGroup::default() };
        let mut topology = Topology { security_groups: vec![group("sg-2"), group("sg-1")], ..Topology::default() };
        let before = topology.fingerprint();
        topology.security_groups.reverse();
        assert_eq!(topology.fingerprint(), before);
        topology.security_groups.pop();
        assert_ne!(topology.fingerprint(), before);
    }

    #[test]
    fn an_answer_reads_and_writes_as_the_command_line_prints_it() {
        let printed = r#"{"VpcId":"vpc-1","CidrBlock":"10.0.0.0/16","CidrBlockAssociationSet":[{"CidrBlock":"10.0.0.0/16","CidrBlockState":{"State":"associated"}}],"IsDefault":true,"OwnerId":"123456789012"}"#;
        let vpc: Vpc = serde_json::from_str(printed).unwrap();
        assert_eq!(serde_json::to_string(&vpc).unwrap(), printed);
        let unknown = r#"{"VpcId":"vpc-1","DhcpOptionsId":"dopt-1","Tags":[{"Key":"a","Value":"b"}]}"#;
        assert_eq!(serde_json::from_str::<Vpc>(unknown).unwrap().vpc_id, "vpc-1");
    }
}
