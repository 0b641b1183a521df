//! Random topologies of two networks, made of few blocks and ports so that their rules meet often.

use muster_network::{
    InternetGateway, InternetGatewayAttachment, IpPermission, NetworkAcl, NetworkAclEntry, NetworkInterface, PortRange,
    PrefixList, PrivateIpAddress, Route, RouteTable, RouteTableAssociation, SecurityGroup, Topology,
};
use proptest::{collection::vec, prelude::*, sample::select};

/// Every block that a rule, route or list of a random topology can name.
pub const BLOCKS: &[&str] = &[
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "8.0.0.0/7",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "11.0.0.0/8",
    "192.168.0.0/16",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "203.0.113.0/25",
    "203.0.113.64/26",
    "203.0.113.77/32",
    "::/0",
    "2000::/3",
    "2001:db8::/32",
    "2001:db8:1::/56",
    "2001:db8:8000::/33",
    "2001:db8:8000::7/128",
    "fc00::/7",
];

/// Every port at which a rule of a random topology can begin or end.
pub const PORTS: &[i32] = &[0, 21, 22, 80, 443, 1023, 1024, 32768, 60999, 65534, 65535];

fn block() -> impl Strategy<Value = String> {
    select(BLOCKS).prop_map(str::to_owned)
}

fn port_range() -> impl Strategy<Value = Option<(i32, i32)>> {
    let range = (select(PORTS), select(PORTS)).prop_map(|(one, other)| Some((one.min(other), one.max(other))));
    prop_oneof![1 => Just(None), 4 => range]
}

fn acl_entry() -> impl Strategy<Value = NetworkAclEntry> {
    let protocol = select(vec!["-1", "6", "17", "1"]);
    (any::<bool>(), 0..3_u8, protocol, block(), port_range()).prop_map(|(egress, allow, protocol, block, ports)| {
        NetworkAclEntry {
            egress,
            rule_number: 0,
            protocol: protocol.into(),
            rule_action: if allow > 0 { "allow" } else { "deny" }.into(),
            cidr_block: (!block.contains(':')).then(|| block.clone()),
            ipv6_cidr_block: block.contains(':').then_some(block),
            port_range: ports.map(|(from, to)| PortRange { from, to }),
        }
    })
}

/// Random rules before the two that allow everything, as AWS' default list has them.
fn acl(id: &'static str, subnet: &'static str) -> impl Strategy<Value = NetworkAcl> {
    let all = |egress: bool, number: i32, block: &str| NetworkAclEntry {
        egress,
        rule_number: number,
        protocol: "-1".into(),
        rule_action: "allow".into(),
        cidr_block: (!block.contains(':')).then(|| block.into()),
        ipv6_cidr_block: block.contains(':').then(|| block.into()),
        port_range: None,
    };
    (vec(acl_entry(), 0..8), any::<bool>()).prop_map(move |(mut entries, is_open)| {
        for (number, entry) in (100..).step_by(10).zip(&mut entries) {
            entry.rule_number = number;
        }
        if is_open {
            for (number, block) in [(900, "0.0.0.0/0"), (901, "::/0")] {
                entries.extend([all(false, number, block), all(true, number, block)]);
            }
        }
        entries.reverse(); // the numbers decide, not the order
        let associations = if subnet.is_empty() { Vec::new() } else { vec![subnet.into()] };
        NetworkAcl {
            network_acl_id: id.into(),
            vpc_id: "vpc-1".into(),
            is_default: subnet.is_empty(),
            entries,
            associations,
        }
    })
}

fn route() -> impl Strategy<Value = Route> {
    let target = select(vec!["igw-1", "igw-1", "igw-2", "nat-1", "eigw-1", "pcx-1"]);
    let origin = select(vec!["CreateRoute", "CreateRoute", "EnableVgwRoutePropagation"]);
    (block(), target, origin, 0..6_u8, 0..6_u8).prop_map(|(block, target, origin, dead, list)| {
        let is_list = list == 0;
        Route {
            destination_cidr_block: (!is_list && !block.contains(':')).then(|| block.clone()),
            destination_ipv6_cidr_block: (!is_list && block.contains(':')).then_some(block),
            destination_prefix_list_id: is_list.then(|| "pl-1".into()),
            gateway_id: target.starts_with("igw").then(|| target.into()),
            other_target: (!target.starts_with("igw")).then(|| target.into()),
            state: if dead == 0 { "blackhole" } else { "active" }.into(),
            origin: origin.into(),
        }
    })
}

/// The local routes, a default one now and then, and random ones with destinations of their own.
fn table(id: &'static str, association: RouteTableAssociation) -> impl Strategy<Value = RouteTable> {
    let fixed = |destination: &str, target: &str| Route {
        destination_cidr_block: (!destination.contains(':')).then(|| destination.into()),
        destination_ipv6_cidr_block: destination.contains(':').then(|| destination.into()),
        gateway_id: Some(target.into()),
        state: "active".into(),
        origin: "CreateRouteTable".into(),
        ..Route::default()
    };
    (vec(route(), 0..6), 0..4_u8).prop_map(move |(random, open)| {
        let mut routes = vec![fixed("10.0.0.0/16", "local"), fixed("2001:db8:1::/56", "local")];
        if open > 0 {
            routes.extend([fixed("0.0.0.0/0", "igw-1"), fixed("::/0", "igw-1")]);
        }
        for route in random {
            let same = |known: &Route| {
                (&known.destination_cidr_block, &known.destination_ipv6_cidr_block, &known.destination_prefix_list_id)
                    == (
                        &route.destination_cidr_block,
                        &route.destination_ipv6_cidr_block,
                        &route.destination_prefix_list_id,
                    )
            };
            if !routes.iter().any(same) {
                routes.push(route);
            }
        }
        RouteTable {
            route_table_id: id.into(),
            vpc_id: "vpc-1".into(),
            routes,
            associations: vec![association.clone()],
        }
    })
}

fn permission() -> impl Strategy<Value = IpPermission> {
    let protocol = select(vec!["-1", "tcp", "6", "udp", "icmp"]);
    (protocol, port_range(), vec(block(), 0..3), 0..5_u8).prop_map(|(protocol, ports, blocks, list)| {
        let (v6, v4): (Vec<_>, Vec<_>) = blocks.into_iter().partition(|block| block.contains(':'));
        IpPermission {
            ip_protocol: protocol.into(),
            from_port: ports.map(|(from, _)| from),
            to_port: ports.map(|(_, to)| to),
            ip_ranges: v4,
            ipv6_ranges: v6,
            prefix_list_ids: if list == 0 { vec!["pl-2".into()] } else { Vec::new() },
            user_id_group_pairs: vec!["sg-9".into()],
        }
    })
}

fn group(id: &'static str) -> impl Strategy<Value = SecurityGroup> {
    vec(permission(), 0..4).prop_map(move |ip_permissions| SecurityGroup {
        group_id: id.into(),
        ip_permissions,
        ..SecurityGroup::default()
    })
}

fn interface(number: u8) -> impl Strategy<Value = NetworkInterface> {
    let addresses = select(vec![(true, true), (true, false), (false, true), (true, true), (false, false)]);
    let groups = select(vec![vec!["sg-1"], vec!["sg-2"], vec!["sg-1", "sg-2"], vec!["sg-1", "sg-2"]]);
    (select(vec!["subnet-1", "subnet-2"]), addresses, groups).prop_map(move |(subnet, (v4, v6), groups)| {
        NetworkInterface {
            network_interface_id: format!("eni-{number}"),
            subnet_id: subnet.into(),
            vpc_id: "vpc-1".into(),
            private_ip_addresses: vec![PrivateIpAddress {
                private_ip_address: format!("10.0.0.{number}"),
                public_ip: v4.then(|| format!("198.51.100.{number}")),
            }],
            ipv6_addresses: if v6 { vec![format!("2001:db8:1::{number}")] } else { Vec::new() },
            groups: groups.into_iter().map(str::to_owned).collect(),
            instance_id: Some(format!("i-{number}")),
            status: "in-use".into(),
            interface_type: "interface".into(),
            ..NetworkInterface::default()
        }
    })
}

fn prefix_list(id: &'static str, is_v6: bool) -> impl Strategy<Value = PrefixList> {
    vec(block(), 0..4).prop_map(move |mut entries| {
        entries.retain(|block| block.contains(':') == is_v6);
        PrefixList { prefix_list_id: id.into(), address_family: if is_v6 { "IPv6" } else { "IPv4" }.into(), entries }
    })
}

/// `subnet-1` has a table and a list of its own, `subnet-2` falls back to the main table and the default list;
/// `igw-1` serves the network, `igw-2` another one.
pub fn topologies() -> impl Strategy<Value = Topology> {
    let own = RouteTableAssociation { subnet_id: Some("subnet-1".into()), ..RouteTableAssociation::default() };
    let main = RouteTableAssociation { main: true, ..RouteTableAssociation::default() };
    let tables = (table("rtb-1", own), table("rtb-2", main));
    let acls = (acl("acl-1", "subnet-1"), acl("acl-2", ""));
    let groups = (group("sg-1"), group("sg-2"));
    let interfaces = (interface(1), interface(2), interface(3));
    let lists = (prefix_list("pl-1", false), any::<bool>().prop_flat_map(|is_v6| prefix_list("pl-2", is_v6)));
    (tables, acls, groups, interfaces, lists, 0..8_u8).prop_map(
        |(tables, acls, groups, interfaces, lists, detached)| {
            let gateway = |id: &str, vpc: Option<&str>| InternetGateway {
                internet_gateway_id: id.into(),
                attachments: vpc
                    .map(|vpc| InternetGatewayAttachment { vpc_id: vpc.into(), state: "available".into() })
                    .into_iter()
                    .collect(),
            };
            Topology {
                account: "123456789012".into(),
                region: "eu-central-1".into(),
                internet_gateways: vec![
                    gateway("igw-1", (detached > 0).then_some("vpc-1")),
                    gateway("igw-2", Some("vpc-2")),
                ],
                route_tables: vec![tables.0, tables.1],
                network_acls: vec![acls.0, acls.1],
                security_groups: vec![groups.0, groups.1],
                network_interfaces: vec![interfaces.0, interfaces.1, interfaces.2],
                prefix_lists: vec![lists.0, lists.1],
                ..Topology::default()
            }
        },
    )
}
