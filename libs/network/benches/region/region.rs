//! A region that could be real: VPCs with public and private subnets in three zones, and everything between them.

use muster_network::topology::*;

const VPCS: usize = 200;
/// Per VPC: a public and a private one in each of three zones.
const SUBNETS: usize = 6;
/// Per VPC.
const GROUPS: usize = 10;
const RULES: usize = 20;
const PEERINGS: usize = 50;
const TRANSIT_GATEWAYS: usize = 3;
/// Per load balancer.
const TARGETS_MAX: usize = 20;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-central-1";
const PORTS: [i32; 10] = [22, 80, 443, 3306, 3389, 5432, 6379, 8080, 9200, 27017];

/// A number that looks random and is the same each time (SplitMix64).
fn mixed(number: usize) -> usize {
    let mut mixed = (number as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as usize
}

fn some(text: impl Into<String>) -> Option<String> {
    Some(text.into())
}

/// The region with this many instances.
pub fn of(instances: usize) -> Topology {
    let mut topology = Topology { account: ACCOUNT.into(), region: REGION.into(), ..Topology::default() };
    for vpc in 0..VPCS {
        add_vpc(&mut topology, vpc);
        add_routes(&mut topology, vpc);
        add_lists(&mut topology, vpc);
        add_groups(&mut topology, vpc);
    }
    for peering in 0..PEERINGS {
        add_peering(&mut topology, peering);
    }
    for transit in 0..TRANSIT_GATEWAYS {
        add_transit(&mut topology, transit);
    }
    for instance in 0..instances {
        add_instance(&mut topology, instance);
    }
    for vpc in 0..VPCS {
        add_balancer(&mut topology, vpc, instances);
    }
    topology
}

fn block(vpc: usize) -> String {
    format!("10.{vpc}.0.0/16")
}

/// Even subnets are public.
fn subnet(vpc: usize, subnet: usize) -> String {
    format!("subnet-{vpc}-{subnet}")
}

fn zone(subnet: usize) -> Option<String> {
    some(format!("{REGION}{}", ["a", "b", "c"][subnet / 2]))
}

fn add_vpc(topology: &mut Topology, vpc: usize) {
    let association = CidrBlockAssociation { cidr_block: some(block(vpc)), ..CidrBlockAssociation::default() };
    topology.vpcs.push(Vpc {
        vpc_id: format!("vpc-{vpc}"),
        cidr_block: some(block(vpc)),
        cidr_block_association_set: vec![association],
        owner_id: some(ACCOUNT),
        ..Vpc::default()
    });
    for number in 0..SUBNETS {
        topology.subnets.push(Subnet {
            subnet_id: subnet(vpc, number),
            vpc_id: format!("vpc-{vpc}"),
            availability_zone: zone(number),
            cidr_block: some(format!("10.{vpc}.{}.0/19", number * 32)),
            owner_id: some(ACCOUNT),
            ..Subnet::default()
        });
    }
    topology.internet_gateways.push(InternetGateway {
        internet_gateway_id: format!("igw-{vpc}"),
        attachments: vec![InternetGatewayAttachment { vpc_id: format!("vpc-{vpc}"), state: "available".into() }],
        owner_id: some(ACCOUNT),
    });
}

fn transit_of(vpc: usize) -> String {
    format!("tgw-{}", vpc % TRANSIT_GATEWAYS)
}

fn add_routes(topology: &mut Topology, vpc: usize) {
    let route = |destination: &str| Route {
        destination_cidr_block: some(destination),
        state: some("active"),
        origin: some("CreateRoute"),
        ..Route::default()
    };
    let mut inside = vec![
        Route { gateway_id: some("local"), ..route(&block(vpc)) },
        Route { transit_gateway_id: some(transit_of(vpc)), ..route("10.0.0.0/8") },
        Route { transit_gateway_id: some(transit_of(vpc)), ..route("172.16.0.0/12") },
    ];
    if vpc < 2 * PEERINGS {
        let peering = some(format!("pcx-{}", vpc / 2));
        inside.push(Route { vpc_peering_connection_id: peering, ..route(&block(vpc ^ 1)) });
    }
    for is_public in [true, false] {
        let mut routes = inside.clone();
        routes.push(match is_public {
            true => Route { gateway_id: some(format!("igw-{vpc}")), ..route("0.0.0.0/0") },
            false => Route { nat_gateway_id: some(format!("nat-{vpc}")), ..route("0.0.0.0/0") },
        });
        let association = |number: usize| RouteTableAssociation {
            subnet_id: some(subnet(vpc, number)),
            ..RouteTableAssociation::default()
        };
        let main = RouteTableAssociation { main: true, ..RouteTableAssociation::default() };
        topology.route_tables.push(RouteTable {
            route_table_id: format!("rtb-{vpc}-{}", if is_public { "public" } else { "private" }),
            vpc_id: format!("vpc-{vpc}"),
            routes,
            associations: if is_public { vec![association(0), association(2), association(4)] } else { vec![main] },
            owner_id: some(ACCOUNT),
            ..RouteTable::default()
        });
    }
}

/// A list for the public subnets, with a few denied blocks, and the default one.
fn add_lists(topology: &mut Topology, vpc: usize) {
    let entry = |egress: bool, number: i32, action: &str, block: &str| NetworkAclEntry {
        egress,
        rule_number: number,
        protocol: "-1".into(),
        rule_action: action.into(),
        cidr_block: some(block),
        ..NetworkAclEntry::default()
    };
    for is_default in [true, false] {
        let mut entries = vec![
            entry(false, 1000, "allow", "0.0.0.0/0"),
            entry(true, 1000, "allow", "0.0.0.0/0"),
            entry(false, 32767, "deny", "0.0.0.0/0"),
            entry(true, 32767, "deny", "0.0.0.0/0"),
        ];
        let association = |number: usize| NetworkAclAssociation {
            subnet_id: subnet(vpc, number),
            ..NetworkAclAssociation::default()
        };
        if !is_default {
            for number in 0..6 {
                let denied = mixed(vpc * 100 + number as usize);
                let block = format!("{}.{}.0.0/16", 20 + denied % 100, denied / 100 % 256);
                entries.push(entry(false, 10 + number, "deny", &block));
            }
        }
        topology.network_acls.push(NetworkAcl {
            network_acl_id: format!("acl-{vpc}-{}", if is_default { "default" } else { "public" }),
            vpc_id: format!("vpc-{vpc}"),
            is_default,
            entries,
            associations: if is_default { Vec::new() } else { vec![association(0), association(2), association(4)] },
            owner_id: some(ACCOUNT),
        });
    }
}

fn group(vpc: usize, group: usize) -> String {
    format!("sg-{vpc}-{group}")
}

/// Every tenth rule is for everyone; the others are for a partner's block, for private ones, or for another group.
fn add_groups(topology: &mut Topology, vpc: usize) {
    for number in 0..GROUPS {
        let mut permissions = Vec::with_capacity(RULES);
        for rule in 0..RULES {
            let chance = mixed((vpc * GROUPS + number) * RULES + rule);
            let first = PORTS[chance / 7 % PORTS.len()];
            let last = if (chance / 70).is_multiple_of(8) { first + 100 } else { first };
            let mut permission = IpPermission {
                ip_protocol: if chance.is_multiple_of(9) { "udp".into() } else { "tcp".into() },
                from_port: Some(first),
                to_port: Some(last),
                ..IpPermission::default()
            };
            let range = match chance / 1000 % 10 {
                0 => some("0.0.0.0/0"),
                1..=3 => some(format!("{}.{}.{}.0/24", 30 + chance % 150, chance / 11 % 256, chance / 17 % 256)),
                4 => some("10.0.0.0/8"),
                5 => some(block(chance / 13 % VPCS)),
                6 => some("172.16.0.0/12"),
                _ => None,
            };
            match range {
                Some(cidr_ip) => permission.ip_ranges.push(IpRange { cidr_ip }),
                None => permission.user_id_group_pairs.push(UserIdGroupPair {
                    group_id: group(vpc, chance / 19 % GROUPS),
                    user_id: some(ACCOUNT),
                    ..UserIdGroupPair::default()
                }),
            }
            permissions.push(permission);
        }
        topology.security_groups.push(SecurityGroup {
            group_id: group(vpc, number),
            group_name: some(group(vpc, number)),
            vpc_id: some(format!("vpc-{vpc}")),
            owner_id: some(ACCOUNT),
            ip_permissions: permissions,
            ..SecurityGroup::default()
        });
    }
}

fn add_peering(topology: &mut Topology, peering: usize) {
    let side = |vpc: usize| {
        Some(PeeredVpc {
            vpc_id: format!("vpc-{vpc}"),
            owner_id: some(ACCOUNT),
            region: some(REGION),
            cidr_block: some(block(vpc)),
            cidr_block_set: vec![PeeredCidrBlock { cidr_block: block(vpc) }],
            ..PeeredVpc::default()
        })
    };
    topology.vpc_peering_connections.push(VpcPeeringConnection {
        vpc_peering_connection_id: format!("pcx-{peering}"),
        status: Some(VpcPeeringConnectionStatus { code: "active".into() }),
        requester_vpc_info: side(2 * peering),
        accepter_vpc_info: side(2 * peering + 1),
    });
}

/// A third of the VPCs, and a VPN, on one table that knows them all.
fn add_transit(topology: &mut Topology, transit: usize) {
    let (gateway, table) = (format!("tgw-{transit}"), format!("tgw-rtb-{transit}"));
    topology.transit_gateways.push(TransitGateway {
        transit_gateway_id: gateway.clone(),
        owner_id: some(ACCOUNT),
        state: some("available"),
        ..TransitGateway::default()
    });
    topology.transit_gateway_route_tables.push(TransitGatewayRouteTable {
        transit_gateway_route_table_id: table.clone(),
        transit_gateway_id: gateway.clone(),
        state: some("available"),
    });
    let mut routes = Vec::new();
    let mut associations = Vec::new();
    let mut attach = |topology: &mut Topology, kind: &str, resource: String, destination: String| {
        let id = format!("tgw-attach-{resource}");
        topology.transit_gateway_attachments.push(TransitGatewayAttachment {
            transit_gateway_attachment_id: id.clone(),
            transit_gateway_id: gateway.clone(),
            transit_gateway_owner_id: some(ACCOUNT),
            resource_owner_id: some(ACCOUNT),
            resource_type: kind.into(),
            resource_id: some(resource.clone()),
            state: some("available"),
            association: Some(TransitGatewayAttachmentAssociation {
                transit_gateway_route_table_id: some(table.clone()),
                state: some("associated"),
            }),
        });
        associations.push(TransitGatewayTableEntry {
            transit_gateway_attachment_id: id.clone(),
            resource_id: some(resource.clone()),
            resource_type: some(kind),
            state: some("associated"),
        });
        routes.push(TransitGatewayRoute {
            destination_cidr_block: some(destination),
            transit_gateway_attachments: vec![TransitGatewayRouteAttachment {
                transit_gateway_attachment_id: id,
                resource_id: some(resource),
                resource_type: some(kind),
            }],
            route_type: some("propagated"),
            state: some("active"),
            ..TransitGatewayRoute::default()
        });
    };
    for vpc in (transit..VPCS).step_by(TRANSIT_GATEWAYS) {
        attach(topology, "vpc", format!("vpc-{vpc}"), block(vpc));
        topology.transit_gateway_vpc_attachments.push(TransitGatewayVpcAttachment {
            transit_gateway_attachment_id: format!("tgw-attach-vpc-{vpc}"),
            transit_gateway_id: gateway.clone(),
            vpc_id: format!("vpc-{vpc}"),
            vpc_owner_id: some(ACCOUNT),
            state: some("available"),
            subnet_ids: vec![subnet(vpc, 1), subnet(vpc, 3), subnet(vpc, 5)],
            ..TransitGatewayVpcAttachment::default()
        });
    }
    attach(topology, "vpn", format!("vpn-{transit}"), "172.16.0.0/12".into());
    topology.vpn_connections.push(VpnConnection {
        vpn_connection_id: format!("vpn-{transit}"),
        transit_gateway_id: some(gateway.clone()),
        state: some("available"),
        ..VpnConnection::default()
    });
    topology
        .transit_gateway_route_table_associations
        .push(TransitGatewayRouteTableAssociations { transit_gateway_route_table_id: table.clone(), associations });
    topology.transit_gateway_routes.push(TransitGatewayRoutes {
        transit_gateway_route_table_id: table,
        routes,
        ..TransitGatewayRoutes::default()
    });
}

/// Where an instance stands: VPC, subnet, and its number there.
fn spot(instance: usize) -> (usize, usize, usize) {
    (instance % VPCS, instance / VPCS % SUBNETS, instance / VPCS / SUBNETS)
}

/// One interface with one to three groups; in public subnets with a public address.
fn add_instance(topology: &mut Topology, instance: usize) {
    let (vpc, number, place) = spot(instance);
    let address = format!("10.{vpc}.{}.{}", number * 32 + place / 200, 10 + place % 200);
    let public = format!("{}.{}.{}.7", 3 + instance / 65_536, instance / 256 % 256, instance % 256);
    let association = (number % 2 == 0)
        .then(|| NetworkInterfaceAssociation { public_ip: some(public), ..NetworkInterfaceAssociation::default() });
    let chance = mixed(instance);
    let mut groups: Vec<usize> = (0..=chance % 3).map(|which| chance / (7 + which) % GROUPS).collect();
    groups.sort_unstable();
    groups.dedup();
    let id = format!("i-{instance:08x}");
    topology.network_interfaces.push(NetworkInterface {
        network_interface_id: format!("eni-{instance:08x}"),
        subnet_id: subnet(vpc, number),
        vpc_id: format!("vpc-{vpc}"),
        availability_zone: zone(number),
        interface_type: some("interface"),
        status: some("in-use"),
        owner_id: some(ACCOUNT),
        private_ip_address: some(address.clone()),
        private_ip_addresses: vec![PrivateIpAddress { private_ip_address: address, primary: true, association }],
        groups: groups.into_iter().map(|number| GroupIdentifier { group_id: group(vpc, number) }).collect(),
        attachment: Some(NetworkInterfaceAttachment {
            instance_id: some(id.clone()),
            status: some("attached"),
            ..NetworkInterfaceAttachment::default()
        }),
        ..NetworkInterface::default()
    });
    topology.instances.push(Instance {
        instance_id: id,
        state: Some(InstanceState { name: some("running") }),
        ..Instance::default()
    });
}

/// An application load balancer in the first public subnet, with a listener and the first instances of its VPC.
fn add_balancer(topology: &mut Topology, vpc: usize, instances: usize) {
    let arn = |kind: &str, tail: &str| format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:{kind}/{tail}");
    let balancer = arn("loadbalancer", &format!("app/web-{vpc}/1"));
    let target_group = arn("targetgroup", &format!("web-{vpc}/1"));
    topology.load_balancers.push(LoadBalancer {
        load_balancer_arn: balancer.clone(),
        load_balancer_name: some(format!("web-{vpc}")),
        scheme: some("internet-facing"),
        vpc_id: some(format!("vpc-{vpc}")),
        balancer_type: some("application"),
        security_groups: vec![group(vpc, 0)],
        ..LoadBalancer::default()
    });
    let address = PrivateIpAddress {
        private_ip_address: format!("10.{vpc}.31.250"),
        primary: true,
        association: Some(NetworkInterfaceAssociation {
            public_ip: some(format!("9.9.{vpc}.9")),
            ..NetworkInterfaceAssociation::default()
        }),
    };
    topology.network_interfaces.push(NetworkInterface {
        network_interface_id: format!("eni-web-{vpc}"),
        subnet_id: subnet(vpc, 0),
        vpc_id: format!("vpc-{vpc}"),
        availability_zone: zone(0),
        description: some(format!("ELB app/web-{vpc}/1")),
        interface_type: some("interface"),
        status: some("in-use"),
        requester_id: some("amazon-elb"),
        requester_managed: true,
        private_ip_addresses: vec![address],
        groups: vec![GroupIdentifier { group_id: group(vpc, 0) }],
        ..NetworkInterface::default()
    });
    let action = ListenerAction {
        action_type: "forward".into(),
        target_group_arn: some(target_group.clone()),
        ..ListenerAction::default()
    };
    let listener = arn("listener", &format!("app/web-{vpc}/1/1"));
    topology.listener_rules.push(ListenerRule {
        rule_arn: arn("listener-rule", &format!("app/web-{vpc}/1/1/default")),
        priority: some("default"),
        actions: vec![action.clone()],
        is_default: true,
    });
    topology.listeners.push(Listener {
        listener_arn: listener,
        load_balancer_arn: balancer.clone(),
        port: Some(443),
        protocol: some("HTTPS"),
        default_actions: vec![action],
    });
    topology.target_groups.push(TargetGroup {
        target_group_arn: target_group.clone(),
        target_group_name: some(format!("web-{vpc}")),
        protocol: some("HTTP"),
        port: Some(8080),
        vpc_id: some(format!("vpc-{vpc}")),
        load_balancer_arns: vec![balancer],
        target_type: some("instance"),
        ..TargetGroup::default()
    });
    let target = |instance: usize| TargetHealthDescription {
        target: TargetDescription { id: format!("i-{instance:08x}"), port: Some(8080), ..TargetDescription::default() },
        target_health: Some(TargetHealth { state: some("healthy") }),
    };
    topology.target_health.push(TargetGroupHealth {
        target_group_arn: target_group,
        target_health_descriptions: (vpc..instances).step_by(VPCS).take(TARGETS_MAX).map(target).collect(),
    });
}
