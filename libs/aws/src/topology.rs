//! The network of one region, as EC2 describes it. A call that is denied or fails costs only its own part.

use crate::{RegionClient, call::pages};
use aws_sdk_ec2::types as ec2;
use futures::{StreamExt, stream};
use muster_network::topology::{
    InternetGateway, InternetGatewayAttachment, IpPermission, MissingAnswer, NetworkAcl, NetworkAclEntry,
    NetworkInterface, PortRange, PrefixList, PrivateIpAddress, Route, RouteTable, RouteTableAssociation, SecurityGroup,
    Subnet, Topology, Vpc,
};
use std::{collections::BTreeSet, fmt::Display};

/// Items of one page of most Describe calls; AWS' maximum.
const PER_PAGE: i32 = 1000;
/// Items of one page of DescribeRouteTables and of the prefix lists' calls; AWS' maximum.
const PER_SHORT_PAGE: i32 = 100;
/// Prefix lists whose entries are read at once.
const PREFIX_LISTS_AT_ONCE: usize = 4;

/// All items of one Describe call, each as our word for it, or the answer that is missing: the action, the operation's
/// method, how many a page, the answer's list, the conversion. A macro, since the SDK's operations share their shape
/// but no trait.
macro_rules! described {
    ($client:expr, $action:literal, $operation:ident, $per_page:expr, $items:ident, $convert:expr) => {
        async {
            let items = pages($action, |token| {
                let request = $client.inner.ec2.$operation().max_results($per_page).set_next_token(token);
                async move {
                    let page = $client.inner.caller.call($action, request.send()).await?;
                    let items = page.$items.unwrap_or_default().into_iter().map($convert);
                    Ok((items.collect::<Vec<_>>(), page.next_token))
                }
            });
            items.await.map_err(|error| missing($action, &error))
        }
    };
}

impl RegionClient {
    /// The topology, in a fixed order. Never fails as a whole: what AWS did not answer stands in its `missing`.
    pub async fn topology(&self) -> Topology {
        let (vpcs, subnets, gateways, tables, acls, groups, interfaces) = tokio::join!(
            described!(self, "ec2:DescribeVpcs", describe_vpcs, PER_PAGE, vpcs, vpc),
            described!(self, "ec2:DescribeSubnets", describe_subnets, PER_PAGE, subnets, subnet),
            described!(
                self,
                "ec2:DescribeInternetGateways",
                describe_internet_gateways,
                PER_PAGE,
                internet_gateways,
                internet_gateway
            ),
            described!(
                self,
                "ec2:DescribeRouteTables",
                describe_route_tables,
                PER_SHORT_PAGE,
                route_tables,
                route_table
            ),
            described!(self, "ec2:DescribeNetworkAcls", describe_network_acls, PER_PAGE, network_acls, network_acl),
            described!(
                self,
                "ec2:DescribeSecurityGroups",
                describe_security_groups,
                PER_PAGE,
                security_groups,
                security_group
            ),
            described!(
                self,
                "ec2:DescribeNetworkInterfaces",
                describe_network_interfaces,
                PER_PAGE,
                network_interfaces,
                network_interface
            ),
        );
        let mut topology = Topology {
            account: self.inner.account.to_string(),
            region: self.inner.region.to_string(),
            ..Topology::default()
        };
        topology.vpcs = answered(vpcs, &mut topology.missing);
        topology.subnets = answered(subnets, &mut topology.missing);
        topology.internet_gateways = answered(gateways, &mut topology.missing);
        topology.route_tables = answered(tables, &mut topology.missing);
        topology.network_acls = answered(acls, &mut topology.missing);
        topology.security_groups = answered(groups, &mut topology.missing);
        topology.network_interfaces = answered(interfaces, &mut topology.missing);
        self.add_prefix_lists(&mut topology).await;
        topology.sort();
        topology
    }

    /// The prefix lists that a route or a rule refers to; without any such reference no call is made.
    async fn add_prefix_lists(&self, topology: &mut Topology) {
        let referred = referred_prefix_lists(topology);
        if referred.is_empty() {
            return;
        }
        let lists = described!(
            self,
            "ec2:DescribeManagedPrefixLists",
            describe_managed_prefix_lists,
            PER_SHORT_PAGE,
            prefix_lists,
            |list: ec2::ManagedPrefixList| (text(list.prefix_list_id), text(list.address_family))
        );
        let lists: Vec<(String, String)> = answered(lists.await, &mut topology.missing);
        let lists = lists.into_iter().filter(|(id, _)| referred.contains(id));
        let mut read =
            stream::iter(lists).map(|(id, family)| self.prefix_list(id, family)).buffered(PREFIX_LISTS_AT_ONCE);
        while let Some(list) = read.next().await {
            match list {
                Ok(list) => topology.prefix_lists.push(list),
                Err(missing) => topology.missing.push(missing),
            }
        }
    }

    async fn prefix_list(&self, id: String, address_family: String) -> Result<PrefixList, MissingAnswer> {
        const ACTION: &str = "ec2:GetManagedPrefixListEntries";
        let entries = pages(ACTION, |token| {
            let request = self
                .inner
                .ec2
                .get_managed_prefix_list_entries()
                .prefix_list_id(&id)
                .max_results(PER_SHORT_PAGE)
                .set_next_token(token);
            async move {
                let page = self.inner.caller.call(ACTION, request.send()).await?;
                let blocks = page.entries.unwrap_or_default().into_iter().filter_map(|entry| entry.cidr);
                Ok((blocks.collect(), page.next_token))
            }
        })
        .await;
        match entries {
            Ok(entries) => Ok(PrefixList { prefix_list_id: id, address_family, entries }),
            Err(error) => Err(missing(ACTION, &format!("{id}: {error}"))),
        }
    }
}

/// The items, or none and the answer that is missing.
fn answered<T>(answer: Result<Vec<T>, MissingAnswer>, missing: &mut Vec<MissingAnswer>) -> Vec<T> {
    answer.unwrap_or_else(|answer| {
        missing.push(answer);
        Vec::new()
    })
}

/// `action` is what was wanted, even where the error is about the way there (a role that is not given any more).
fn missing(action: &str, reason: &dyn Display) -> MissingAnswer {
    MissingAnswer { call: action.to_owned(), reason: reason.to_string() }
}

fn referred_prefix_lists(topology: &Topology) -> BTreeSet<String> {
    let routes = topology.route_tables.iter().flat_map(|table| &table.routes);
    let by_routes = routes.filter_map(|route| route.destination_prefix_list_id.clone());
    let permissions = topology
        .security_groups
        .iter()
        .flat_map(|group| group.ip_permissions.iter().chain(&group.ip_permissions_egress));
    by_routes.chain(permissions.flat_map(|permission| permission.prefix_list_ids.iter().cloned())).collect()
}

fn text(text: Option<String>) -> String {
    text.unwrap_or_default()
}

/// EC2 writes an absent id as an empty element here and there.
fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn vpc(vpc: ec2::Vpc) -> Vpc {
    let associated = |state: Option<ec2::VpcCidrBlockState>| {
        state.and_then(|state| state.state).is_none_or(|code| code == ec2::VpcCidrBlockStateCode::Associated)
    };
    let mut cidr_blocks: Vec<String> = vpc
        .cidr_block_association_set
        .unwrap_or_default()
        .into_iter()
        .filter_map(|block| block.cidr_block.filter(|_| associated(block.cidr_block_state)))
        .collect();
    if cidr_blocks.is_empty() {
        cidr_blocks.extend(vpc.cidr_block); // the first block, which older answers give alone
    }
    let ipv6 = vpc.ipv6_cidr_block_association_set.unwrap_or_default().into_iter();
    let ipv6 = ipv6.filter_map(|block| block.ipv6_cidr_block.filter(|_| associated(block.ipv6_cidr_block_state)));
    Vpc { vpc_id: text(vpc.vpc_id), cidr_blocks, ipv6_cidr_blocks: ipv6.collect() }
}

fn subnet(subnet: ec2::Subnet) -> Subnet {
    let associated = |state: Option<ec2::SubnetCidrBlockState>| {
        state.and_then(|state| state.state).is_none_or(|code| code == ec2::SubnetCidrBlockStateCode::Associated)
    };
    let ipv6 = subnet.ipv6_cidr_block_association_set.unwrap_or_default().into_iter();
    let ipv6 = ipv6.filter_map(|block| block.ipv6_cidr_block.filter(|_| associated(block.ipv6_cidr_block_state)));
    Subnet {
        subnet_id: text(subnet.subnet_id),
        vpc_id: text(subnet.vpc_id),
        cidr_block: present(subnet.cidr_block),
        ipv6_cidr_blocks: ipv6.collect(),
    }
}

fn internet_gateway(gateway: ec2::InternetGateway) -> InternetGateway {
    let attachments = gateway.attachments.unwrap_or_default().into_iter().map(|attachment| InternetGatewayAttachment {
        vpc_id: text(attachment.vpc_id),
        state: attachment.state.map(|state| state.as_str().to_owned()).unwrap_or_default(),
    });
    InternetGateway { internet_gateway_id: text(gateway.internet_gateway_id), attachments: attachments.collect() }
}

fn route_table(table: ec2::RouteTable) -> RouteTable {
    let associations = table.associations.unwrap_or_default().into_iter();
    let associations = associations.map(|association| RouteTableAssociation {
        main: association.main.unwrap_or_default(),
        subnet_id: present(association.subnet_id),
        gateway_id: present(association.gateway_id),
    });
    RouteTable {
        route_table_id: text(table.route_table_id),
        vpc_id: text(table.vpc_id),
        routes: table.routes.unwrap_or_default().into_iter().map(route).collect(),
        associations: associations.collect(),
    }
}

fn route(route: ec2::Route) -> Route {
    // An instance's route names its interface too: the instance comes last, so that the interface is what counts.
    let other_target = [
        route.nat_gateway_id,
        route.egress_only_internet_gateway_id,
        route.transit_gateway_id,
        route.vpc_peering_connection_id,
        route.network_interface_id,
        route.local_gateway_id,
        route.carrier_gateway_id,
        route.core_network_arn,
        route.odb_network_arn,
        route.instance_id,
    ]
    .into_iter()
    .find_map(present);
    Route {
        destination_cidr_block: present(route.destination_cidr_block),
        destination_ipv6_cidr_block: present(route.destination_ipv6_cidr_block),
        destination_prefix_list_id: present(route.destination_prefix_list_id),
        gateway_id: present(route.gateway_id),
        other_target,
        state: route.state.map(|state| state.as_str().to_owned()).unwrap_or_default(),
        origin: route.origin.map(|origin| origin.as_str().to_owned()).unwrap_or_default(),
    }
}

fn network_acl(acl: ec2::NetworkAcl) -> NetworkAcl {
    let associations = acl.associations.unwrap_or_default().into_iter();
    NetworkAcl {
        network_acl_id: text(acl.network_acl_id),
        vpc_id: text(acl.vpc_id),
        is_default: acl.is_default.unwrap_or_default(),
        entries: acl.entries.unwrap_or_default().into_iter().map(network_acl_entry).collect(),
        associations: associations.filter_map(|association| present(association.subnet_id)).collect(),
    }
}

fn network_acl_entry(entry: ec2::NetworkAclEntry) -> NetworkAclEntry {
    NetworkAclEntry {
        egress: entry.egress.unwrap_or_default(),
        rule_number: entry.rule_number.unwrap_or_default(),
        protocol: text(entry.protocol),
        rule_action: entry.rule_action.map(|action| action.as_str().to_owned()).unwrap_or_default(),
        cidr_block: present(entry.cidr_block),
        ipv6_cidr_block: present(entry.ipv6_cidr_block),
        port_range: entry.port_range.and_then(|range| Some(PortRange { from: range.from?, to: range.to? })),
    }
}

fn security_group(group: ec2::SecurityGroup) -> SecurityGroup {
    let permissions = |list: Option<Vec<ec2::IpPermission>>| list.unwrap_or_default().into_iter().map(permission);
    SecurityGroup {
        group_id: text(group.group_id),
        group_name: text(group.group_name),
        vpc_id: present(group.vpc_id),
        ip_permissions: permissions(group.ip_permissions).collect(),
        ip_permissions_egress: permissions(group.ip_permissions_egress).collect(),
    }
}

fn permission(permission: ec2::IpPermission) -> IpPermission {
    let ipv4 = permission.ip_ranges.unwrap_or_default().into_iter();
    let ipv6 = permission.ipv6_ranges.unwrap_or_default().into_iter();
    let lists = permission.prefix_list_ids.unwrap_or_default().into_iter();
    let groups = permission.user_id_group_pairs.unwrap_or_default().into_iter();
    IpPermission {
        ip_protocol: text(permission.ip_protocol),
        from_port: permission.from_port,
        to_port: permission.to_port,
        ip_ranges: ipv4.filter_map(|range| range.cidr_ip).collect(),
        ipv6_ranges: ipv6.filter_map(|range| range.cidr_ipv6).collect(),
        prefix_list_ids: lists.filter_map(|list| list.prefix_list_id).collect(),
        user_id_group_pairs: groups.filter_map(|pair| pair.group_id).collect(),
    }
}

fn network_interface(interface: ec2::NetworkInterface) -> NetworkInterface {
    let addresses = interface.private_ip_addresses.unwrap_or_default().into_iter();
    let mut private_ip_addresses: Vec<PrivateIpAddress> = addresses
        .map(|address| PrivateIpAddress {
            private_ip_address: text(address.private_ip_address),
            public_ip: address.association.and_then(|association| present(association.public_ip)),
        })
        .collect();
    // The association at the interface is that of its primary address, which may tell of it or not.
    if let Some(primary) = interface.private_ip_address {
        let public_ip = interface.association.and_then(|association| present(association.public_ip));
        match private_ip_addresses.iter_mut().find(|address| address.private_ip_address == primary) {
            Some(address) => address.public_ip = address.public_ip.take().or(public_ip),
            None => private_ip_addresses.push(PrivateIpAddress { private_ip_address: primary, public_ip }),
        }
    }
    let ipv6 = interface.ipv6_addresses.unwrap_or_default().into_iter();
    let ipv6_prefixes = interface.ipv6_prefixes.unwrap_or_default().into_iter();
    NetworkInterface {
        network_interface_id: text(interface.network_interface_id),
        subnet_id: text(interface.subnet_id),
        vpc_id: text(interface.vpc_id),
        private_ip_addresses,
        ipv6_addresses: ipv6.filter_map(|address| address.ipv6_address).collect(),
        ipv6_prefixes: ipv6_prefixes.filter_map(|prefix| prefix.ipv6_prefix).collect(),
        groups: interface.groups.unwrap_or_default().into_iter().filter_map(|group| group.group_id).collect(),
        instance_id: interface.attachment.and_then(|attachment| present(attachment.instance_id)),
        status: interface.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        interface_type: interface.interface_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_one_target_whatever_kind_it_is_of() {
        let check = |built: ec2::Route, gateway: Option<&str>, other: Option<&str>| {
            let route = route(built);
            assert_eq!((route.gateway_id.as_deref(), route.other_target.as_deref()), (gateway, other));
        };
        let new = ec2::Route::builder;
        check(new().gateway_id("igw-1").build(), Some("igw-1"), None);
        check(new().gateway_id("").nat_gateway_id("nat-1").build(), None, Some("nat-1"));
        check(new().instance_id("i-1").network_interface_id("eni-1").build(), None, Some("eni-1"));
        check(
            new().core_network_arn("arn:aws:networkmanager::1:core-network/c").build(),
            None,
            Some("arn:aws:networkmanager::1:core-network/c"),
        );
        check(new().build(), None, None); // a black hole whose target is gone
    }

    #[test]
    fn only_blocks_that_are_associated_count() {
        let block = |cidr: &str, state: &str| {
            let state = ec2::VpcCidrBlockState::builder().state(state.into()).build();
            ec2::VpcCidrBlockAssociation::builder().cidr_block(cidr).cidr_block_state(state).build()
        };
        let answer = ec2::Vpc::builder()
            .cidr_block("10.0.0.0/16")
            .cidr_block_association_set(block("10.0.0.0/16", "associated"))
            .cidr_block_association_set(block("10.1.0.0/16", "disassociated"))
            .build();
        assert_eq!(vpc(answer).cidr_blocks, ["10.0.0.0/16"]);
        assert_eq!(vpc(ec2::Vpc::builder().cidr_block("10.0.0.0/16").build()).cidr_blocks, ["10.0.0.0/16"]);
    }

    #[test]
    fn the_association_at_the_interface_is_that_of_its_primary_address() {
        let public = || ec2::NetworkInterfaceAssociation::builder().public_ip("54.1.2.3").build();
        let interface = || ec2::NetworkInterface::builder().private_ip_address("10.0.0.4").association(public());
        let listed = |address: &str| ec2::NetworkInterfacePrivateIpAddress::builder().private_ip_address(address);
        let check = |answer: ec2::NetworkInterface, expected: &[(&str, Option<&str>)]| {
            let addresses = network_interface(answer).private_ip_addresses;
            let addresses: Vec<_> = addresses
                .iter()
                .map(|address| (address.private_ip_address.as_str(), address.public_ip.as_deref()))
                .collect();
            assert_eq!(addresses, expected);
        };
        check(interface().build(), &[("10.0.0.4", Some("54.1.2.3"))]);
        let silent = interface().private_ip_addresses(listed("10.0.0.4").build());
        check(silent.build(), &[("10.0.0.4", Some("54.1.2.3"))]);
        let told = listed("10.0.0.4").association(public()).build();
        let second = interface().private_ip_addresses(told).private_ip_addresses(listed("10.0.0.5").build());
        check(second.build(), &[("10.0.0.4", Some("54.1.2.3")), ("10.0.0.5", None)]);
    }

    #[test]
    fn prefix_lists_are_asked_for_only_when_something_refers_to_them() {
        let mut topology = Topology::default();
        assert!(referred_prefix_lists(&topology).is_empty());
        let route = Route { destination_prefix_list_id: Some("pl-1".into()), ..Route::default() };
        topology.route_tables.push(RouteTable { routes: vec![route], ..RouteTable::default() });
        let permission =
            IpPermission { prefix_list_ids: vec!["pl-2".into(), "pl-1".into()], ..IpPermission::default() };
        topology
            .security_groups
            .push(SecurityGroup { ip_permissions_egress: vec![permission], ..SecurityGroup::default() });
        assert_eq!(referred_prefix_lists(&topology).into_iter().collect::<Vec<_>>(), ["pl-1", "pl-2"]);
    }
}
