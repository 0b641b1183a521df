//! One small network, changed in one place at a time.

use muster_network::{
    InternetGateway, InternetGatewayAttachment, IpPermission, MissingAnswer, NetworkAcl, NetworkAclEntry,
    NetworkInterface, PrivateIpAddress, Route, RouteTable, RouteTableAssociation, SecurityGroup, Topology, reachable,
};

fn route(destination: &str, gateway: &str) -> Route {
    Route {
        destination_cidr_block: (!destination.contains(':')).then(|| destination.into()),
        destination_ipv6_cidr_block: destination.contains(':').then(|| destination.into()),
        gateway_id: Some(gateway.into()),
        state: "active".into(),
        ..Route::default()
    }
}

fn allow_all(egress: bool, number: i32, peer: &str) -> NetworkAclEntry {
    NetworkAclEntry {
        egress,
        rule_number: number,
        protocol: "-1".into(),
        rule_action: "allow".into(),
        cidr_block: (!peer.contains(':')).then(|| peer.into()),
        ipv6_cidr_block: peer.contains(':').then(|| peer.into()),
        port_range: None,
    }
}

/// An instance with a public address, and SSH open to everyone.
fn network() -> Topology {
    Topology {
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        internet_gateways: vec![InternetGateway {
            internet_gateway_id: "igw-1".into(),
            attachments: vec![InternetGatewayAttachment { vpc_id: "vpc-1".into(), state: "available".into() }],
        }],
        route_tables: vec![RouteTable {
            route_table_id: "rtb-1".into(),
            vpc_id: "vpc-1".into(),
            routes: vec![
                route("10.0.0.0/16", "local"),
                route("2001:db8:1::/56", "local"),
                route("0.0.0.0/0", "igw-1"),
                route("::/0", "igw-1"),
            ],
            associations: vec![RouteTableAssociation { main: true, ..RouteTableAssociation::default() }],
        }],
        network_acls: vec![NetworkAcl {
            network_acl_id: "acl-1".into(),
            vpc_id: "vpc-1".into(),
            is_default: true,
            entries: vec![
                allow_all(false, 100, "0.0.0.0/0"),
                allow_all(true, 100, "0.0.0.0/0"),
                allow_all(false, 101, "::/0"),
                allow_all(true, 101, "::/0"),
            ],
            associations: vec!["subnet-1".into()],
        }],
        security_groups: vec![SecurityGroup {
            group_id: "sg-1".into(),
            ip_permissions: vec![IpPermission {
                ip_protocol: "tcp".into(),
                from_port: Some(22),
                to_port: Some(22),
                ip_ranges: vec!["0.0.0.0/0".into()],
                ..IpPermission::default()
            }],
            ..SecurityGroup::default()
        }],
        network_interfaces: vec![NetworkInterface {
            network_interface_id: "eni-1".into(),
            subnet_id: "subnet-1".into(),
            vpc_id: "vpc-1".into(),
            private_ip_addresses: vec![PrivateIpAddress {
                private_ip_address: "10.0.0.5".into(),
                public_ip: Some("192.0.2.10".into()),
            }],
            groups: vec!["sg-1".into()],
            instance_id: Some("i-1".into()),
            status: "in-use".into(),
            interface_type: "interface".into(),
            ..NetworkInterface::default()
        }],
        ..Topology::default()
    }
}

/// `PROTOCOL BEGIN-END SOURCES` of each range, or `? CALL` of what is missing.
fn check(change: impl Fn(&mut Topology), expected: &[&str]) {
    let mut topology = network();
    change(&mut topology);
    let analysis = reachable(&topology);
    let ranges = analysis
        .reachabilities
        .iter()
        .map(|range| format!("{} {}-{} {}", range.protocol, range.port_begin, range.port_end, range.sources.join(" ")));
    let missing = analysis.undetermined.iter().map(|open| format!("? {}", open.call));
    assert_eq!(ranges.chain(missing).collect::<Vec<_>>(), expected);
}

fn miss(topology: &mut Topology, call: &str) {
    let reason = "UnauthorizedOperation".to_owned();
    topology.missing.push(MissingAnswer { call: format!("ec2:{call}"), reason });
}

fn permission(topology: &mut Topology) -> &mut IpPermission {
    &mut topology.security_groups[0].ip_permissions[0]
}

#[test]
fn an_open_port_with_its_path_is_told_as_inspector_tells_it() {
    let analysis = reachable(&network());
    let [range] = analysis.reachabilities.as_slice() else { panic!("{analysis:?}") };
    let path: Vec<String> =
        range.path.iter().map(|step| format!("{} {}", step.component_type, step.component_id)).collect();
    let expected = [
        "AWS::EC2::InternetGateway igw-1",
        "AWS::EC2::NetworkAcl acl-1",
        "AWS::EC2::SecurityGroup sg-1",
        "AWS::EC2::NetworkInterface eni-1",
        "AWS::EC2::Instance i-1",
    ];
    assert_eq!(path, expected);
    assert_eq!(range.sources, ["0.0.0.0/0"]);
    assert_eq!(analysis.of_instance("i-1"), analysis.reachabilities);
    assert_eq!(analysis.of_instance("i-2"), []);
}

#[test]
fn each_component_can_close_the_way() {
    check(|_| {}, &["TCP 22-22 0.0.0.0/0"]);
    check(|topology| topology.internet_gateways[0].attachments.clear(), &[]);
    check(|topology| topology.internet_gateways[0].attachments[0].state = "detaching".into(), &[]);
    check(|topology| topology.route_tables[0].routes.truncate(2), &[]);
    check(|topology| topology.route_tables[0].routes[2].state = "blackhole".into(), &[]);
    check(|topology| topology.network_acls[0].entries.clear(), &[]);
    check(|topology| topology.network_acls[0].entries[0].rule_action = "deny".into(), &[]);
    check(|topology| topology.network_acls[0].entries[1].rule_action = "deny".into(), &[]); // no answer comes back
    check(|topology| topology.security_groups[0].ip_permissions.clear(), &[]);
    check(|topology| permission(topology).ip_ranges = vec!["10.0.0.0/8".into()], &[]); // nobody outside is that
    check(|topology| topology.network_interfaces[0].private_ip_addresses[0].public_ip = None, &[]);
    check(|topology| topology.network_interfaces[0].groups.clear(), &[]);
}

#[test]
fn ipv6_addresses_are_public_and_have_rules_of_their_own() {
    let with_ipv6 = |topology: &mut Topology| {
        topology.network_interfaces[0].ipv6_addresses = vec!["2001:db8:1::5".into()];
        permission(topology).ipv6_ranges = vec!["::/0".into()];
    };
    check(with_ipv6, &["TCP 22-22 0.0.0.0/0 ::/0"]);
    let only_ipv6 = |topology: &mut Topology| {
        with_ipv6(topology);
        topology.network_interfaces[0].private_ip_addresses[0].public_ip = None;
    };
    check(only_ipv6, &["TCP 22-22 ::/0"]);
    let egress_only = |topology: &mut Topology| {
        only_ipv6(topology);
        topology.route_tables[0].routes[3] =
            Route { gateway_id: None, other_target: Some("eigw-1".into()), ..route("::/0", "") };
    };
    check(egress_only, &[]);
}

#[test]
fn adjacent_ranges_with_the_same_sources_are_one() {
    let second = |from: i32, to: i32, source: &'static str| {
        move |topology: &mut Topology| {
            topology.security_groups.push(SecurityGroup {
                group_id: "sg-2".into(),
                ip_permissions: vec![IpPermission {
                    ip_protocol: "tcp".into(),
                    from_port: Some(from),
                    to_port: Some(to),
                    ip_ranges: vec![source.into()],
                    ..IpPermission::default()
                }],
                ..SecurityGroup::default()
            });
            topology.network_interfaces[0].groups.push("sg-2".into());
        }
    };
    check(second(23, 30, "0.0.0.0/0"), &["TCP 22-30 0.0.0.0/0"]);
    check(second(20, 30, "0.0.0.0/0"), &["TCP 20-30 0.0.0.0/0"]);
    check(second(24, 30, "0.0.0.0/0"), &["TCP 22-22 0.0.0.0/0", "TCP 24-30 0.0.0.0/0"]);
    check(second(23, 30, "203.0.113.0/24"), &["TCP 22-22 0.0.0.0/0", "TCP 23-30 203.0.113.0/24"]);
}

#[test]
fn a_missing_answer_that_is_needed_leaves_it_open() {
    check(
        |topology| miss(topology, "DescribeNetworkInterfaces"),
        &["TCP 22-22 0.0.0.0/0", "? ec2:DescribeNetworkInterfaces"],
    );
    for (call, remove) in [
        ("DescribeInternetGateways", (|topology| topology.internet_gateways.clear()) as fn(&mut Topology)),
        ("DescribeRouteTables", |topology| topology.route_tables.clear()),
        ("DescribeNetworkAcls", |topology| topology.network_acls.clear()),
        ("DescribeSecurityGroups", |topology| topology.security_groups.clear()),
    ] {
        let expected = format!("? ec2:{call}");
        let denied = |topology: &mut Topology| {
            remove(topology);
            miss(topology, call);
        };
        check(denied, &[&expected]);
        check(remove, &[&expected]); // answered, but without it: as good as missing
        let private = |topology: &mut Topology| {
            denied(topology);
            topology.network_interfaces[0].private_ip_addresses[0].public_ip = None;
        };
        check(private, &[]); // closed whatever the answer would have been
    }
    let unknown_list = |topology: &mut Topology| permission(topology).prefix_list_ids = vec!["pl-1".into()];
    check(unknown_list, &["? ec2:GetManagedPrefixListEntries"]);
    let denied_list = |topology: &mut Topology| {
        unknown_list(topology);
        miss(topology, "DescribeManagedPrefixLists");
    };
    check(denied_list, &["? ec2:DescribeManagedPrefixLists"]);
    check(|topology| miss(topology, "DescribeVpcs"), &["TCP 22-22 0.0.0.0/0"]); // not needed
    let fallback = |topology: &mut Topology| miss(topology, "DescribeRouteTables");
    check(fallback, &["? ec2:DescribeRouteTables"]); // the subnet may have a table of its own
}

#[test]
fn what_cannot_be_read_leaves_it_open() {
    check(|topology| permission(topology).ip_ranges = vec!["0.0.0.0/40".into()], &["? ec2:DescribeSecurityGroups"]);
    check(
        |topology| topology.network_acls[0].entries[0].cidr_block = Some("all".into()),
        &["? ec2:DescribeNetworkAcls"],
    );
    let route = |topology: &mut Topology| topology.route_tables[0].routes[2].destination_cidr_block = Some("x".into());
    check(route, &["? ec2:DescribeRouteTables"]);
}

#[test]
fn an_appliance_at_the_gateway_leaves_it_open() {
    let appliance = |topology: &mut Topology| {
        topology.route_tables.push(RouteTable {
            route_table_id: "rtb-2".into(),
            vpc_id: "vpc-1".into(),
            routes: vec![
                route("10.0.0.0/16", "local"),
                Route { gateway_id: None, other_target: Some("eni-9".into()), ..route("10.0.0.0/24", "") },
            ],
            associations: vec![RouteTableAssociation {
                gateway_id: Some("igw-1".into()),
                ..RouteTableAssociation::default()
            }],
        });
    };
    check(appliance, &["? ec2:DescribeRouteTables"]);
    let elsewhere = |topology: &mut Topology| {
        appliance(topology);
        topology.network_interfaces[0].private_ip_addresses[0].private_ip_address = "10.0.7.5".into();
    };
    check(elsewhere, &["TCP 22-22 0.0.0.0/0"]);
}

#[test]
fn an_instance_behind_what_may_be_a_load_balancer_is_not_known_to_be_out_of_reach() {
    let balanced = |topology: &mut Topology| {
        let mut balancer = topology.network_interfaces[0].clone();
        balancer.network_interface_id = "eni-2".into();
        balancer.instance_id = None;
        topology.network_interfaces[0].private_ip_addresses[0].public_ip = None;
        topology.network_interfaces.push(balancer);
    };
    check(balanced, &["TCP 22-22 0.0.0.0/0", "? elasticloadbalancing:DescribeTargetHealth"]);
    let translated = |topology: &mut Topology| {
        balanced(topology);
        topology.network_interfaces[1].interface_type = "nat_gateway".into();
    };
    check(translated, &["TCP 22-22 0.0.0.0/0"]); // nothing comes in through one
    let mut topology = network();
    balanced(&mut topology);
    assert_eq!(reachable(&topology).undetermined_of("i-1"), ["elasticloadbalancing:DescribeTargetHealth"]);
}

#[test]
fn nothing_is_known_of_an_instance_without_interfaces() {
    let analysis = reachable(&network());
    assert_eq!(analysis.undetermined_of("i-1"), [] as [&str; 0]);
    assert_eq!(analysis.undetermined_of("i-2"), ["ec2:DescribeNetworkInterfaces"]); // newer than the topology
}
