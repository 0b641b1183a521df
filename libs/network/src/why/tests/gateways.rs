//! Internet, egress-only, NAT and virtual private gateways, addresses and routes.

use super::*;

const WEB: &str = "reachable igw-1 acl-1 sg-web eni-web i-web";

#[test]
fn the_internet_comes_in_by_an_attached_gateway_to_a_public_address() {
    let detached = |topology: &mut Topology| topology.internet_gateways[0].attachments.clear();
    check(&detached, "198.51.100.7 i-web tcp/443", "blocked vpc-1 [no internet gateway] attach igw-1 to vpc-1");
    let detaching = |topology: &mut Topology| topology.internet_gateways[0].attachments[0].state = "detaching".into();
    check(&detaching, "198.51.100.7 i-web tcp/443", "blocked vpc-1 [no internet gateway] attach igw-1 to vpc-1");
    let none = |topology: &mut Topology| {
        topology.internet_gateways.clear();
        topology.route_tables[0].routes.retain(|route| route.target() != Some("igw-1"));
    };
    check(
        &none,
        "198.51.100.7 10.0.1.10 tcp/443",
        "blocked vpc-1 [no internet gateway] attach an internet gateway to vpc-1; route 0.0.0.0/0 in rtb-public to igw-new",
    );
    let private = |topology: &mut Topology| {
        make(topology, Change::DisassociateAddress { public_address: "54.0.0.10".parse().unwrap() });
        topology.network_interfaces[0].ipv6_addresses.clear();
    };
    check(
        &private,
        "198.51.100.7 i-web tcp/443",
        "blocked eni-web [no public address] associate a public address with 10.0.1.10 of eni-web",
    );
    check(
        AS_IT_IS,
        "198.51.100.7 i-app tcp/22", // a private instance: everything lacks
        "blocked eni-app [no public address] associate a public address with 10.0.2.20 of eni-app; \
         add to sg-app the inbound rule tcp 22 from 198.51.100.7/32; route 198.51.100.7/32 in rtb-private to igw-1",
    );
}

#[test]
fn the_reply_must_go_back_by_the_gateway_of_the_request() {
    let gone = |topology: &mut Topology| make(topology, no_route("rtb-public", "0.0.0.0/0"));
    check(
        &gone,
        "198.51.100.7 i-web tcp/443",
        "blocked rtb-public [no route for 198.51.100.7] route 0.0.0.0/0 in rtb-public to igw-1",
    );
    let hole = |topology: &mut Topology| {
        make(topology, route("rtb-public 198.51.100.0/24 igw-1"));
        topology.route_tables[0].routes.last_mut().unwrap().state = Some("blackhole".into());
    };
    check(
        &hole,
        "198.51.100.7 i-web tcp/443", // the longest prefix decides
        "blocked rtb-public [route 198.51.100.0/24 to blackhole] route 198.51.100.7/32 in rtb-public to igw-1",
    );
    check(&hole, "203.0.113.9 i-web tcp/443", WEB);
    let nat = |topology: &mut Topology| make(topology, route("rtb-public 0.0.0.0/0 nat-1"));
    check(
        &nat,
        "198.51.100.7 i-web tcp/443", // a NAT gateway lets no connection in
        "blocked rtb-public [route 0.0.0.0/0 to nat-1] route 198.51.100.7/32 in rtb-public to igw-1",
    );
    let peer = |topology: &mut Topology| make(topology, route("rtb-public 198.51.100.0/24 vgw-1"));
    check(
        &peer,
        "198.51.100.7 10.0.1.10 tcp/22", // came by the internet, goes to the other site
        "reachable vgw-1 acl-1 sg-web eni-web i-web",
    );
    let static_first = |topology: &mut Topology| {
        make(topology, route("rtb-public 198.51.100.0/24 igw-1"));
        let mut propagated = topology.route_tables[0].routes.last().unwrap().clone();
        propagated.origin = Some("EnableVgwRoutePropagation".into());
        propagated.gateway_id = Some("vgw-1".into());
        topology.route_tables[0].routes.insert(0, propagated);
    };
    check(&static_first, "198.51.100.7 i-web tcp/443", WEB);
}

#[test]
fn a_list_of_prefixes_may_be_routed() {
    let list = |topology: &mut Topology| {
        make(topology, no_route("rtb-public", "0.0.0.0/0"));
        make(topology, route("rtb-public pl-office igw-1"));
    };
    check(&list, "198.51.100.7 i-web tcp/443", WEB);
    check(
        &list,
        "203.0.113.9 i-web tcp/443",
        "blocked rtb-public [no route for 203.0.113.9] route 0.0.0.0/0 in rtb-public to igw-1",
    );
    let unread = |topology: &mut Topology| make(topology, route("rtb-public pl-unread nat-1"));
    check(&unread, "198.51.100.7 i-web tcp/443", "undetermined ec2:GetManagedPrefixListEntries");
}

#[test]
fn ipv6_goes_both_ways_or_out_alone() {
    let egress_only = |topology: &mut Topology| make(topology, route("rtb-public ::/0 eigw-1"));
    check(
        &egress_only,
        "2a00::1 i-web tcp/443",
        "blocked rtb-public [route ::/0 to eigw-1] route 2a00::1/128 in rtb-public to igw-1",
    );
    check(&egress_only, "i-web 2a00::1 tcp/443", "reachable i-web eni-web sg-web acl-1 eigw-1");
    let denied = |topology: &mut Topology| make(topology, entry("acl-1 in 90 deny tcp 0-65535 ::/0"));
    check(
        &denied,
        "2a00::1 i-web tcp/443",
        "blocked acl-1 [rule 90 deny tcp 0-65535 from ::/0] add to acl-1 the inbound rule 89 allow tcp 443 from 2a00::1/128",
    );
    check(&denied, "198.51.100.7 i-web tcp/443", WEB); // the families are apart
}

#[test]
fn connections_go_out_by_the_way_that_the_routes_say() {
    check(AS_IT_IS, "i-web 198.51.100.7 tcp/443", "reachable i-web eni-web sg-web acl-1 igw-1");
    check(AS_IT_IS, "i-app 198.51.100.7 tcp/443", "reachable i-app eni-app sg-app acl-1 nat-1 igw-1");
    check(AS_IT_IS, "i-app internet tcp/443", "reachable i-app eni-app sg-app acl-1 nat-1 igw-1");
    check(AS_IT_IS, "i-app 52.219.1.1 tcp/443", "reachable i-app eni-app sg-app acl-1 vpce-s3"); // S3 by its endpoint
    let failed = |topology: &mut Topology| topology.nat_gateways[0].state = "failed".into();
    check(
        &failed,
        "i-app 198.51.100.7 tcp/443",
        "blocked rtb-private [route 0.0.0.0/0 to nat-1] route 198.51.100.7/32 in rtb-private to igw-1; \
         associate a public address with 10.0.2.20 of eni-app",
    );
    check(
        AS_IT_IS,
        "i-web 10.77.0.1 tcp/443", // the default route leads where nobody has that address
        "blocked rtb-public [route 0.0.0.0/0 to igw-1] route 10.77.0.1/32 in rtb-public to vgw-1",
    );
    let stateless = |topology: &mut Topology| make(topology, entry("acl-1 in 90 deny tcp 1024-65535 198.51.100.0/24"));
    check(
        &stateless,
        "i-web 198.51.100.7 tcp/443", // the reply comes in over the list
        "blocked acl-1 [rule 90 deny tcp 1024-65535 from 198.51.100.0/24] remove the inbound rule 90 of acl-1",
    );
    let unknown = |topology: &mut Topology| {
        topology.nat_gateways.clear();
        topology.missing.push(denied("ec2:DescribeNatGateways"));
    };
    check(&unknown, "i-app 198.51.100.7 tcp/443", "undetermined ec2:DescribeNatGateways");
}

#[test]
fn a_public_address_inside_is_reached_over_the_internet() {
    check(
        AS_IT_IS,
        "i-guarded 54.0.0.10 tcp/443",
        "reachable i-guarded eni-guarded sg-guarded acl-4 vpce-fw igw-4 igw-1 acl-1 sg-web eni-web i-web",
    );
}

#[test]
fn another_site_comes_in_by_a_virtual_gateway_when_a_route_leads_back() {
    check(AS_IT_IS, "192.168.1.1 i-web tcp/443", "reachable vgw-1 acl-1 sg-web eni-web i-web");
    let gone = |topology: &mut Topology| make(topology, no_route("rtb-public", "192.168.0.0/16"));
    check(
        &gone,
        "192.168.1.1 10.0.1.10 tcp/443",
        "blocked rtb-public [route 0.0.0.0/0 to igw-1] route 192.168.1.1/32 in rtb-public to vgw-1",
    );
    let alone = |topology: &mut Topology| topology.vpn_connections.clear();
    check(
        &alone,
        "192.168.1.1 10.0.1.10 tcp/443", // nothing ends at the gateway
        "blocked rtb-public [route 192.168.0.0/16 to vgw-1]",
    );
    let fixed = |topology: &mut Topology| {
        let connection = &mut topology.vpn_connections[0];
        connection.options = Some(crate::topology::VpnConnectionOptions { static_routes_only: true });
        connection.routes = vec![crate::topology::VpnStaticRoute {
            destination_cidr_block: Some("192.168.1.0/24".into()),
            ..Default::default()
        }];
    };
    check(&fixed, "192.168.1.1 i-web tcp/443", "reachable vgw-1 acl-1 sg-web eni-web i-web");
    check(&fixed, "192.168.2.1 10.0.1.10 tcp/443", "blocked rtb-public [route 192.168.0.0/16 to vgw-1]");
    let detached = |topology: &mut Topology| topology.vpn_gateways[0].vpc_attachments.clear();
    check(
        &detached,
        "192.168.1.1 10.0.1.10 tcp/443",
        "blocked rtb-public [route 192.168.0.0/16 to vgw-1] route 192.168.1.1/32 in rtb-public to tgw-1; \
         route 192.168.1.1/32 in tgw-rtb-1 to tgw-attach-vpn",
    );
}

#[test]
fn denied_answers_about_gateways_and_routes_are_named() {
    let no_gateways = |topology: &mut Topology| {
        topology.internet_gateways.clear();
        topology.missing.push(denied("ec2:DescribeInternetGateways"));
    };
    check(&no_gateways, "198.51.100.7 i-web tcp/443", "undetermined ec2:DescribeInternetGateways");
    let no_tables = |topology: &mut Topology| {
        topology.route_tables.clear();
        topology.missing.push(denied("ec2:DescribeRouteTables"));
    };
    check(&no_tables, "198.51.100.7 i-web tcp/443", "undetermined ec2:DescribeRouteTables");
    check(
        &no_tables,
        "203.0.113.9 i-web tcp/22",
        "blocked sg-web [no inbound rule for tcp/22 from 203.0.113.9] add to sg-web the inbound rule tcp 22 from 203.0.113.9/32",
    );
    let odd = |topology: &mut Topology| {
        topology.route_tables[0].routes[1].destination_cidr_block = Some("everywhere".into());
    };
    check(&odd, "198.51.100.7 i-web tcp/443", "undetermined ec2:DescribeRouteTables");
}
