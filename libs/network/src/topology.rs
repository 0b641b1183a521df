//! One region's network of one account as EC2 describes it (EC2 API, `Describe…`, version 2016-11-15).
//!
//! Names are EC2's own in snake case, texts are as EC2 writes them: what cannot be read is told by the analysis,
//! which needs the whole picture to say what depends on it.

use muster_domain::Digest;
use serde::{Deserialize, Serialize};

/// All that the reachability of one account and region depends on.
/// What could not be described stands in `missing`; an empty list elsewhere means that there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Topology {
    /// Twelve digits.
    pub account: String,
    /// For example `eu-central-1`.
    pub region: String,
    /// `DescribeVpcs`.
    pub vpcs: Vec<Vpc>,
    /// `DescribeSubnets`.
    pub subnets: Vec<Subnet>,
    /// `DescribeInternetGateways`.
    pub internet_gateways: Vec<InternetGateway>,
    /// `DescribeRouteTables`.
    pub route_tables: Vec<RouteTable>,
    /// `DescribeNetworkAcls`.
    pub network_acls: Vec<NetworkAcl>,
    /// `DescribeSecurityGroups`.
    pub security_groups: Vec<SecurityGroup>,
    /// `DescribeNetworkInterfaces`.
    pub network_interfaces: Vec<NetworkInterface>,
    /// `DescribeManagedPrefixLists` and `GetManagedPrefixListEntries`. A list whose entries could not be read is
    /// left out: then whatever refers to it is undetermined.
    pub prefix_lists: Vec<PrefixList>,
    /// What AWS did not answer.
    pub missing: Vec<MissingAnswer>,
}

impl Topology {
    /// Brings every list into a fixed order. The order means nothing: network ACL entries have rule numbers,
    /// routes have prefixes.
    pub fn sort(&mut self) {
        for table in &mut self.route_tables {
            table.routes.sort();
            table.associations.sort();
        }
        for acl in &mut self.network_acls {
            acl.entries.sort();
            acl.associations.sort();
        }
        for gateway in &mut self.internet_gateways {
            gateway.attachments.sort();
        }
        for group in &mut self.security_groups {
            for permission in group.ip_permissions.iter_mut().chain(&mut group.ip_permissions_egress) {
                permission.sort();
            }
            group.ip_permissions.sort();
            group.ip_permissions_egress.sort();
        }
        for interface in &mut self.network_interfaces {
            interface.private_ip_addresses.sort();
            interface.ipv6_addresses.sort();
            interface.ipv6_prefixes.sort();
            interface.groups.sort();
        }
        for list in &mut self.prefix_lists {
            list.entries.sort();
        }
        self.vpcs.sort();
        self.subnets.sort();
        self.internet_gateways.sort();
        self.route_tables.sort();
        self.network_acls.sort();
        self.security_groups.sort();
        self.network_interfaces.sort();
        self.prefix_lists.sort();
        self.missing.sort();
    }

    /// Changes when anything that the analysis sees changes; the order in which AWS answered does not matter.
    pub fn fingerprint(&self) -> Digest {
        let mut sorted = self.clone();
        sorted.sort();
        Digest::of_json(&sorted)
    }
}

/// A call that AWS denied or failed, so that its part of the topology is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingAnswer {
    /// The action as IAM writes it: `ec2:DescribeNetworkAcls`. The part after the colon decides what is unknown.
    pub call: String,
    /// What AWS said, in one line.
    pub reason: String,
}

/// EC2 `Vpc`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Vpc {
    /// `vpc-…`.
    pub vpc_id: String,
    /// The IPv4 blocks that are associated (`CidrBlockAssociationSet[].CidrBlock`).
    pub cidr_blocks: Vec<String>,
    /// The IPv6 blocks that are associated (`Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock`).
    pub ipv6_cidr_blocks: Vec<String>,
}

/// EC2 `Subnet`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Subnet {
    /// `subnet-…`.
    pub subnet_id: String,
    /// `vpc-…`.
    pub vpc_id: String,
    /// IPv4 block; absent in an IPv6-only subnet.
    pub cidr_block: Option<String>,
    /// The IPv6 blocks that are associated.
    pub ipv6_cidr_blocks: Vec<String>,
}

/// EC2 `InternetGateway`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct InternetGateway {
    /// `igw-…`.
    pub internet_gateway_id: String,
    /// The VPCs that it serves.
    pub attachments: Vec<InternetGatewayAttachment>,
}

/// EC2 `InternetGatewayAttachment`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct InternetGatewayAttachment {
    /// `vpc-…`.
    pub vpc_id: String,
    /// `available` (internet gateways) or `attached` when it works; else `attaching`, `detaching`, `detached`.
    pub state: String,
}

/// EC2 `RouteTable`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteTable {
    /// `rtb-…`.
    pub route_table_id: String,
    /// `vpc-…`.
    pub vpc_id: String,
    /// Its routes, the local ones too.
    pub routes: Vec<Route>,
    /// What uses it.
    pub associations: Vec<RouteTableAssociation>,
}

/// EC2 `RouteTableAssociation`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteTableAssociation {
    /// The VPC's main table: counts for each subnet without an association of its own.
    pub main: bool,
    /// `subnet-…`.
    pub subnet_id: Option<String>,
    /// `igw-…` or `vgw-…`: an edge association.
    pub gateway_id: Option<String>,
}

/// EC2 `Route`. One of the three destinations is there, and at most one of the targets.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Route {
    /// IPv4 destination.
    pub destination_cidr_block: Option<String>,
    /// IPv6 destination.
    pub destination_ipv6_cidr_block: Option<String>,
    /// `pl-…`: all of the list's entries.
    pub destination_prefix_list_id: Option<String>,
    /// `local`, `igw-…`, `vgw-…` or `vpce-…`.
    pub gateway_id: Option<String>,
    /// Every other target as EC2 names it: `nat-…`, `eigw-…`, `tgw-…`, `pcx-…`, `eni-…`, `i-…`, `lgw-…`, `cagw-…`
    /// or a core network's ARN.
    pub other_target: Option<String>,
    /// `active` or `blackhole`.
    pub state: String,
    /// `CreateRouteTable`, `CreateRoute` or `EnableVgwRoutePropagation`.
    pub origin: String,
}

/// EC2 `NetworkAcl`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkAcl {
    /// `acl-…`.
    pub network_acl_id: String,
    /// `vpc-…`.
    pub vpc_id: String,
    /// The VPC's default list.
    pub is_default: bool,
    /// Its rules, in both directions.
    pub entries: Vec<NetworkAclEntry>,
    /// The subnets (`subnet-…`) that it is associated with (`Associations[].SubnetId`).
    pub associations: Vec<String>,
}

/// EC2 `NetworkAclEntry`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkAclEntry {
    /// Whether it is for packets that leave the subnet.
    pub egress: bool,
    /// Rules are tried from the lowest number; the first that matches decides. 32767 is the final deny.
    pub rule_number: i32,
    /// Protocol number as text; `-1` is all.
    pub protocol: String,
    /// `allow` or `deny`.
    pub rule_action: String,
    /// IPv4 peer: the source of what enters, the destination of what leaves.
    pub cidr_block: Option<String>,
    /// IPv6 peer.
    pub ipv6_cidr_block: Option<String>,
    /// Destination ports, for TCP and UDP; absent means all.
    pub port_range: Option<PortRange>,
}

/// EC2 `PortRange`, both ends inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortRange {
    /// First port.
    pub from: i32,
    /// Last port.
    pub to: i32,
}

/// EC2 `SecurityGroup`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub group_id: String,
    /// Its name.
    pub group_name: String,
    /// `vpc-…`.
    pub vpc_id: Option<String>,
    /// What may come in.
    pub ip_permissions: Vec<IpPermission>,
    /// What may go out. Answers to what came in need no permission: groups keep state.
    pub ip_permissions_egress: Vec<IpPermission>,
}

/// EC2 `IpPermission`. Several peers: each of them is permitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct IpPermission {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol number as text, or `-1` for all.
    pub ip_protocol: String,
    /// First port; for ICMP its type; absent or -1 means all.
    pub from_port: Option<i32>,
    /// Last port, inclusive; for ICMP its code; absent or -1 means all.
    pub to_port: Option<i32>,
    /// IPv4 blocks (`IpRanges[].CidrIp`).
    pub ip_ranges: Vec<String>,
    /// IPv6 blocks (`Ipv6Ranges[].CidrIpv6`).
    pub ipv6_ranges: Vec<String>,
    /// `pl-…` (`PrefixListIds[].PrefixListId`).
    pub prefix_list_ids: Vec<String>,
    /// `sg-…` (`UserIdGroupPairs[].GroupId`): members of those groups, by their private addresses.
    pub user_id_group_pairs: Vec<String>,
}

impl IpPermission {
    fn sort(&mut self) {
        self.ip_ranges.sort();
        self.ipv6_ranges.sort();
        self.prefix_list_ids.sort();
        self.user_id_group_pairs.sort();
    }
}

/// EC2 `NetworkInterface`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkInterface {
    /// `eni-…`.
    pub network_interface_id: String,
    /// `subnet-…`.
    pub subnet_id: String,
    /// `vpc-…`.
    pub vpc_id: String,
    /// Its IPv4 addresses.
    pub private_ip_addresses: Vec<PrivateIpAddress>,
    /// Its IPv6 addresses (`Ipv6Addresses[].Ipv6Address`).
    pub ipv6_addresses: Vec<String>,
    /// IPv6 blocks delegated to it (`Ipv6Prefixes[].Ipv6Prefix`).
    pub ipv6_prefixes: Vec<String>,
    /// `sg-…` (`Groups[].GroupId`).
    pub groups: Vec<String>,
    /// `i-…` (`Attachment.InstanceId`), when attached to an instance.
    pub instance_id: Option<String>,
    /// `in-use`, `available`, `attaching`, `detaching`, `associated` or `pending`.
    pub status: String,
    /// `interface`, `nat_gateway`, `lambda`, `network_load_balancer`, …
    pub interface_type: String,
}

/// EC2 `NetworkInterfacePrivateIpAddress`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct PrivateIpAddress {
    /// The address in the subnet.
    pub private_ip_address: String,
    /// The public or elastic address that the internet gateway translates to it (`Association.PublicIp`).
    pub public_ip: Option<String>,
}

/// EC2 `ManagedPrefixList` with its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct PrefixList {
    /// `pl-…`.
    pub prefix_list_id: String,
    /// `IPv4` or `IPv6`.
    pub address_family: String,
    /// Blocks (`Entries[].Cidr`).
    pub entries: Vec<String>,
}
