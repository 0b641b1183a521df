//! What every network has (EC2): VPCs, subnets, gateways to the internet, route tables, network ACLs, security groups,
//! interfaces, instances; and the prefix lists that routes and rules refer to.

use super::{
    asked::{about_each, noted},
    told::Told,
};
use crate::RegionClient;
use aws_sdk_ec2::types as ec2;
use muster_network::topology::*;
use std::collections::BTreeSet;

/// Items of one page of most Describe calls; AWS' maximum.
const PER_PAGE: i32 = 1000;
/// Items of one page of DescribeRouteTables and of the prefix lists' calls; AWS' maximum.
const PER_SHORT_PAGE: i32 = 100;
/// Items of one page of DescribeEgressOnlyInternetGateways; AWS' maximum.
const PER_MIDDLE_PAGE: i32 = 255;

impl RegionClient {
    pub(super) async fn add_vpcs(&self, topology: &mut Topology) {
        let (vpcs, subnets, gateways, tables, acls, groups, interfaces, instances) = tokio::join!(
            paged!(self, ec2, "ec2:DescribeVpcs", describe_vpcs, PER_PAGE, vpcs),
            paged!(self, ec2, "ec2:DescribeSubnets", describe_subnets, PER_PAGE, subnets),
            paged!(self, ec2, "ec2:DescribeInternetGateways", describe_internet_gateways, PER_PAGE, internet_gateways),
            paged!(self, ec2, "ec2:DescribeRouteTables", describe_route_tables, PER_SHORT_PAGE, route_tables),
            paged!(self, ec2, "ec2:DescribeNetworkAcls", describe_network_acls, PER_PAGE, network_acls),
            paged!(self, ec2, "ec2:DescribeSecurityGroups", describe_security_groups, PER_PAGE, security_groups),
            paged!(
                self,
                ec2,
                "ec2:DescribeNetworkInterfaces",
                describe_network_interfaces,
                PER_PAGE,
                network_interfaces
            ),
            self.described_instances(),
        );
        topology.vpcs = noted(topology, "ec2:DescribeVpcs", vpcs);
        topology.subnets = noted(topology, "ec2:DescribeSubnets", subnets);
        topology.internet_gateways = noted(topology, "ec2:DescribeInternetGateways", gateways);
        topology.route_tables = noted(topology, "ec2:DescribeRouteTables", tables);
        topology.network_acls = noted(topology, "ec2:DescribeNetworkAcls", acls);
        topology.security_groups = noted(topology, "ec2:DescribeSecurityGroups", groups);
        topology.network_interfaces = noted(topology, "ec2:DescribeNetworkInterfaces", interfaces);
        topology.instances = noted(topology, "ec2:DescribeInstances", instances).told();
        self.add_ways_out(topology).await;
    }

    /// Gateways that let nothing in, read only where a route leads to one: for what the answers say of it.
    async fn add_ways_out(&self, topology: &mut Topology) {
        if names(topology, |route| &route.egress_only_internet_gateway_id) {
            let gateways = paged!(
                self,
                ec2,
                "ec2:DescribeEgressOnlyInternetGateways",
                describe_egress_only_internet_gateways,
                PER_MIDDLE_PAGE,
                egress_only_internet_gateways
            );
            topology.egress_only_internet_gateways =
                noted(topology, "ec2:DescribeEgressOnlyInternetGateways", gateways.await);
        }
        if names(topology, |route| &route.nat_gateway_id) {
            let gateways = paged!(self, ec2, "ec2:DescribeNatGateways", describe_nat_gateways, PER_PAGE, nat_gateways);
            topology.nat_gateways = noted(topology, "ec2:DescribeNatGateways", gateways.await);
        }
    }

    /// The prefix lists that a route or a rule refers to; without any such reference no call is made.
    pub(super) async fn add_prefix_lists(&self, topology: &mut Topology) {
        let referred = referred_prefix_lists(topology);
        if referred.is_empty() {
            return;
        }
        let lists = paged!(
            self,
            ec2,
            "ec2:DescribeManagedPrefixLists",
            describe_managed_prefix_lists,
            PER_SHORT_PAGE,
            prefix_lists
        );
        topology.prefix_lists = noted(topology, "ec2:DescribeManagedPrefixLists", lists.await);
        topology.prefix_lists.retain(|list| referred.contains(&list.prefix_list_id));
        let known: Vec<String> = topology.prefix_lists.iter().map(|list| list.prefix_list_id.clone()).collect();
        topology.prefix_list_entries =
            about_each(topology, "ec2:GetManagedPrefixListEntries", known, |id| async move {
                let entries = paged!(
                    self,
                    ec2,
                    "ec2:GetManagedPrefixListEntries",
                    get_managed_prefix_list_entries,
                    PER_SHORT_PAGE,
                    entries,
                    prefix_list_id(&id)
                );
                let entries = entries.await?;
                Ok(PrefixListEntries { prefix_list_id: id, entries })
            })
            .await;
    }
}

/// Whether any route has such a target.
pub(super) fn names(topology: &Topology, target: fn(&Route) -> &Option<String>) -> bool {
    let mut routes = topology.route_tables.iter().flat_map(|table| &table.routes);
    routes.any(|route| target(route).as_deref().is_some_and(|id| !id.is_empty()))
}

/// Whether any route leads to a gateway whose id begins so.
pub(super) fn names_gateway(topology: &Topology, beginning: &str) -> bool {
    let mut routes = topology.route_tables.iter().flat_map(|table| &table.routes);
    routes.any(|route| route.gateway_id.as_deref().is_some_and(|id| id.starts_with(beginning)))
}

fn referred_prefix_lists(topology: &Topology) -> BTreeSet<String> {
    let routes = topology.route_tables.iter().flat_map(|table| &table.routes);
    let by_routes = routes.filter_map(|route| route.destination_prefix_list_id.clone());
    let permissions = topology
        .security_groups
        .iter()
        .flat_map(|group| group.ip_permissions.iter().chain(&group.ip_permissions_egress));
    let by_rules = permissions.flat_map(|permission| &permission.prefix_list_ids);
    by_routes.chain(by_rules.map(|list| list.prefix_list_id.clone())).collect()
}

told! {
    ec2::Vpc => Vpc {
        vpc_id, cidr_block, cidr_block_association_set, ipv6_cidr_block_association_set, is_default, owner_id,
    }
    ec2::VpcCidrBlockAssociation => CidrBlockAssociation { cidr_block, cidr_block_state }
    ec2::VpcIpv6CidrBlockAssociation => Ipv6CidrBlockAssociation { ipv6_cidr_block, ipv6_cidr_block_state }
    ec2::SubnetIpv6CidrBlockAssociation => Ipv6CidrBlockAssociation { ipv6_cidr_block, ipv6_cidr_block_state }
    ec2::VpcCidrBlockState => CidrBlockState { state }
    ec2::SubnetCidrBlockState => CidrBlockState { state }
    ec2::Subnet => Subnet {
        subnet_id, vpc_id, availability_zone, availability_zone_id, cidr_block, ipv6_cidr_block_association_set, owner_id,
    }
    ec2::InternetGateway => InternetGateway { internet_gateway_id, attachments, owner_id }
    ec2::InternetGatewayAttachment => InternetGatewayAttachment { vpc_id, state }
    ec2::EgressOnlyInternetGateway => EgressOnlyInternetGateway { egress_only_internet_gateway_id, attachments }
    ec2::NatGateway => NatGateway {
        nat_gateway_id, subnet_id, vpc_id, state, connectivity_type, nat_gateway_addresses,
    }
    ec2::NatGatewayAddress => NatGatewayAddress { network_interface_id, private_ip, public_ip }
    ec2::RouteTable => RouteTable { route_table_id, vpc_id, routes, associations, propagating_vgws, owner_id }
    ec2::RouteTableAssociation => RouteTableAssociation {
        main, route_table_association_id, subnet_id, gateway_id, association_state,
    }
    ec2::RouteTableAssociationState => RouteTableAssociationState { state }
    ec2::PropagatingVgw => PropagatingVgw { gateway_id }
    ec2::Route => Route {
        destination_cidr_block, destination_ipv6_cidr_block, destination_prefix_list_id, gateway_id, nat_gateway_id,
        egress_only_internet_gateway_id, transit_gateway_id, vpc_peering_connection_id, network_interface_id,
        instance_id, local_gateway_id, carrier_gateway_id, core_network_arn, odb_network_arn, state, origin,
    }
    ec2::NetworkAcl => NetworkAcl { network_acl_id, vpc_id, is_default, entries, associations, owner_id }
    ec2::NetworkAclAssociation => NetworkAclAssociation { network_acl_association_id, subnet_id }
    ec2::NetworkAclEntry => NetworkAclEntry {
        egress, rule_number, protocol, rule_action, cidr_block, ipv6_cidr_block, port_range,
    }
    ec2::PortRange => PortRange { from, to }
    ec2::SecurityGroup => SecurityGroup {
        group_id, group_name, vpc_id, owner_id, ip_permissions, ip_permissions_egress,
    }
    ec2::IpPermission => IpPermission {
        ip_protocol, from_port, to_port, ip_ranges, ipv6_ranges, prefix_list_ids, user_id_group_pairs,
    }
    ec2::IpRange => IpRange { cidr_ip }
    ec2::Ipv6Range => Ipv6Range { cidr_ipv6 }
    ec2::PrefixListId => PrefixListId { prefix_list_id }
    ec2::UserIdGroupPair => UserIdGroupPair { group_id, user_id, vpc_id, vpc_peering_connection_id, peering_status }
    ec2::NetworkInterface => NetworkInterface {
        network_interface_id, subnet_id, vpc_id, availability_zone, description, interface_type, status, owner_id,
        requester_id, requester_managed, source_dest_check, private_ip_address, association, private_ip_addresses,
        ipv6_addresses, ipv4_prefixes, ipv6_prefixes, groups, attachment,
    }
    ec2::NetworkInterfaceAssociation => NetworkInterfaceAssociation { public_ip, ip_owner_id, allocation_id }
    ec2::NetworkInterfacePrivateIpAddress => PrivateIpAddress { private_ip_address, primary, association }
    ec2::NetworkInterfaceIpv6Address => Ipv6Address { ipv6_address }
    ec2::Ipv4PrefixSpecification => Ipv4Prefix { ipv4_prefix }
    ec2::Ipv6PrefixSpecification => Ipv6Prefix { ipv6_prefix }
    ec2::GroupIdentifier => GroupIdentifier { group_id }
    ec2::NetworkInterfaceAttachment => NetworkInterfaceAttachment {
        attachment_id, device_index, instance_id, instance_owner_id, status,
    }
    ec2::Instance => Instance { instance_id, state, vpc_id, subnet_id }
    ec2::InstanceState => InstanceState { name }
    ec2::ManagedPrefixList => ManagedPrefixList { prefix_list_id, prefix_list_name, address_family, owner_id }
    ec2::PrefixListEntry => PrefixListEntry { cidr }
}

words! {
    ec2::VpcCidrBlockStateCode ec2::SubnetCidrBlockStateCode ec2::AttachmentStatus ec2::NatGatewayState
    ec2::ConnectivityType ec2::RouteTableAssociationStateCode ec2::RouteState ec2::RouteOrigin ec2::RuleAction
    ec2::NetworkInterfaceType ec2::NetworkInterfaceStatus ec2::InstanceStateName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sdk_tells_is_what_the_command_line_prints() {
        let association = || ec2::NetworkInterfaceAssociation::builder().public_ip("54.1.2.3").ip_owner_id("amazon");
        let address = ec2::NetworkInterfacePrivateIpAddress::builder().private_ip_address("10.0.0.4").primary(true);
        let told: NetworkInterface = ec2::NetworkInterface::builder()
            .network_interface_id("eni-1")
            .status(ec2::NetworkInterfaceStatus::InUse)
            .interface_type(ec2::NetworkInterfaceType::Interface)
            .source_dest_check(false)
            .requester_managed(false)
            .association(association().build())
            .private_ip_addresses(address.association(association().build()).build())
            .groups(ec2::GroupIdentifier::builder().group_id("sg-1").build())
            .build()
            .told();
        let printed = r#"{
            "NetworkInterfaceId": "eni-1", "Status": "in-use", "InterfaceType": "interface", "SourceDestCheck": false,
            "RequesterManaged": false, "Association": {"PublicIp": "54.1.2.3", "IpOwnerId": "amazon"},
            "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.4", "Primary": true,
                "Association": {"PublicIp": "54.1.2.3", "IpOwnerId": "amazon"}}],
            "Groups": [{"GroupId": "sg-1", "GroupName": "web"}]}"#;
        assert_eq!(told, serde_json::from_str(printed).unwrap());

        let port_range = ec2::PortRange::builder().from(22).to(22).build();
        let told: NetworkAclEntry = ec2::NetworkAclEntry::builder()
            .egress(false)
            .rule_number(100)
            .protocol("6")
            .rule_action(ec2::RuleAction::Deny)
            .cidr_block("0.0.0.0/0")
            .port_range(port_range)
            .build()
            .told();
        let printed = r#"{"Egress": false, "RuleNumber": 100, "Protocol": "6", "RuleAction": "deny",
            "CidrBlock": "0.0.0.0/0", "PortRange": {"From": 22, "To": 22}}"#;
        assert_eq!(told, serde_json::from_str(printed).unwrap());
    }

    #[test]
    fn prefix_lists_are_asked_for_only_when_something_refers_to_them() {
        let mut topology = Topology::default();
        assert!(referred_prefix_lists(&topology).is_empty());
        let route = Route { destination_prefix_list_id: Some("pl-1".into()), ..Route::default() };
        topology.route_tables.push(RouteTable { routes: vec![route], ..RouteTable::default() });
        let list = |id: &str| PrefixListId { prefix_list_id: id.into() };
        let permission = IpPermission { prefix_list_ids: vec![list("pl-2"), list("pl-1")], ..IpPermission::default() };
        topology
            .security_groups
            .push(SecurityGroup { ip_permissions_egress: vec![permission], ..SecurityGroup::default() });
        assert_eq!(referred_prefix_lists(&topology).into_iter().collect::<Vec<_>>(), ["pl-1", "pl-2"]);
    }

    #[test]
    fn a_gateway_is_asked_for_only_when_a_route_leads_to_one() {
        let with = |route: Route| Topology {
            route_tables: vec![RouteTable { routes: vec![route], ..RouteTable::default() }],
            ..Topology::default()
        };
        let check = |topology: &Topology, nat: bool, private: bool| {
            assert_eq!(
                (names(topology, |route| &route.nat_gateway_id), names_gateway(topology, "vgw-")),
                (nat, private)
            );
        };
        check(&Topology::default(), false, false);
        check(&with(Route { nat_gateway_id: Some("nat-1".into()), ..Route::default() }), true, false);
        check(&with(Route { gateway_id: Some("vgw-1".into()), ..Route::default() }), false, true);
        check(&with(Route { nat_gateway_id: Some(String::new()), ..Route::default() }), false, false); // moto's absent
    }
}
