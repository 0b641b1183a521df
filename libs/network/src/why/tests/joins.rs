//! Between VPCs: peering and transit gateways.

use super::*;

#[test]
fn a_peering_carries_what_both_sides_route() {
    check(AS_IT_IS, "i-web i-db tcp/5432", "reachable i-web eni-web sg-web acl-1 pcx-1 acl-2 sg-db eni-db i-db");
    let one_way = |topology: &mut Topology| make(topology, no_route("rtb-peer", "10.0.0.0/16"));
    check(
        &one_way,
        "i-web i-db tcp/5432",
        "blocked rtb-peer [no route for 10.0.1.10] route 10.0.0.0/16 in rtb-peer to pcx-1",
    );
    let pending = |topology: &mut Topology| {
        topology.vpc_peering_connections[0].status.as_mut().unwrap().code = "pending-acceptance".into();
    };
    check(&pending, "10.0.1.10 10.2.1.30 tcp/5432", "blocked pcx-1 [not active] bring pcx-1 into the state active");
    check(
        AS_IT_IS,
        "i-app i-db tcp/5432", // over the NAT gateway, whose subnet has a route
        "blocked sg-db [no inbound rule for tcp/5432 from 10.0.1.5] add to sg-db the inbound rule tcp 5432 from 10.0.1.5/32",
    );
}

#[test]
fn a_peer_that_was_not_given_is_an_edge() {
    check(AS_IT_IS, "10.9.1.1 i-web tcp/443", "reachable pcx-9 acl-1 sg-web eni-web i-web");
    check(AS_IT_IS, "i-web 10.9.1.1 tcp/443", "reachable i-web eni-web sg-web acl-1 pcx-9");
    let gone = |topology: &mut Topology| make(topology, no_route("rtb-public", "10.9.0.0/16"));
    check(
        &gone,
        "10.9.1.1 10.0.1.10 tcp/443",
        "blocked rtb-public [route 0.0.0.0/0 to igw-1] route 10.9.1.1/32 in rtb-public to pcx-9",
    );
    let pending = |topology: &mut Topology| {
        topology.vpc_peering_connections[1].status.as_mut().unwrap().code = "expired".into();
    };
    check(&pending, "10.9.1.1 10.0.1.10 tcp/443", "blocked pcx-9 [not active] bring pcx-9 into the state active");
}

#[test]
fn a_peering_reaches_no_further_than_the_peer() {
    let further = |topology: &mut Topology| make(topology, route("rtb-peer 10.3.0.0/16 pcx-1"));
    let answer = {
        let mut topology = base();
        further(&mut topology);
        ask(&topology, "i-db i-hub udp/53")
    };
    assert_eq!(told(&answer), "blocked rtb-peer [route 10.3.0.0/16 to pcx-1]"); // nothing joins the two VPCs
    let through = |topology: &mut Topology| make(topology, route("rtb-peer 0.0.0.0/0 pcx-1"));
    check(&through, "i-db 198.51.100.7 tcp/443", "blocked rtb-peer [route 0.0.0.0/0 to pcx-1]"); // not to its gateways
}

#[test]
fn a_transit_gateway_carries_between_attachments() {
    // The attachment's subnet is the sender's own: the list is asked twice, outbound and inbound.
    check(
        AS_IT_IS,
        "i-app i-hub udp/53",
        "reachable i-app eni-app sg-app acl-1 tgw-attach-1 tgw-1 tgw-attach-3 sg-hub eni-hub i-hub",
    );
    check(
        AS_IT_IS,
        "i-web i-hub udp/53",
        "reachable i-web eni-web sg-web acl-1 tgw-attach-1 tgw-1 tgw-attach-3 sg-hub eni-hub i-hub",
    );
    check(
        AS_IT_IS,
        "i-far i-hub udp/53", // its zone has no subnet of the attachment
        "blocked tgw-1 [availability zone not served] add subnet-other-zone to tgw-attach-1",
    );
    let hole = |topology: &mut Topology| topology.transit_gateway_routes[0].routes[1].state = Some("blackhole".into());
    check(
        &hole,
        "i-app i-hub udp/53",
        "blocked tgw-rtb-1 [route 10.3.0.0/16 to blackhole] route 10.3.1.30/32 in tgw-rtb-1 to tgw-attach-3",
    );
    let none = |topology: &mut Topology| {
        topology.transit_gateway_routes[0].routes.remove(1);
    };
    check(
        &none,
        "i-app i-hub udp/53",
        "blocked tgw-rtb-1 [no route for 10.3.1.30] route 10.3.0.0/16 in tgw-rtb-1 to tgw-attach-3",
    );
    let static_first = |topology: &mut Topology| {
        let mut hole = topology.transit_gateway_routes[0].routes[1].clone();
        hole.route_type = Some("static".into());
        hole.state = Some("blackhole".into());
        topology.transit_gateway_routes[0].routes.push(hole);
    };
    check(
        &static_first,
        "i-app i-hub udp/53", // a static route comes before a propagated one
        "blocked tgw-rtb-1 [route 10.3.0.0/16 to blackhole] route 10.3.1.30/32 in tgw-rtb-1 to tgw-attach-3",
    );
    let apart = |topology: &mut Topology| {
        topology.transit_gateway_route_table_associations[0]
            .associations
            .retain(|own| own.transit_gateway_attachment_id != "tgw-attach-1");
    };
    check(
        &apart,
        "i-app i-hub udp/53",
        "blocked tgw-attach-1 [no associated route table] associate tgw-rtb-1 with tgw-attach-1",
    );
    let back = |topology: &mut Topology| make(topology, no_route("rtb-hub", "10.0.0.0/16"));
    check(
        &back,
        "i-app i-hub udp/53",
        "blocked rtb-hub [no route for 10.0.2.20] route 10.0.0.0/16 in rtb-hub to tgw-1",
    );
}

#[test]
fn acls_of_the_attachment_subnet_see_what_enters_the_transit_gateway() {
    let own = |topology: &mut Topology| {
        let mut acl = topology.network_acls[0].clone();
        acl.network_acl_id = "acl-private".into();
        acl.is_default = false;
        acl.associations =
            vec![crate::topology::NetworkAclAssociation { subnet_id: "subnet-private".into(), ..Default::default() }];
        topology.network_acls.push(acl);
        make(topology, entry("acl-private in 90 deny udp 53 10.0.1.0/24"));
    };
    check(
        &own,
        "i-web i-hub udp/53",
        "blocked acl-private [rule 90 deny udp 53 from 10.0.1.0/24] remove the inbound rule 90 of acl-private",
    );
    // From the transit gateway into the attachment's own subnet no list is asked.
    let hub = |topology: &mut Topology| make(topology, entry("acl-3 in 90 deny udp 0-65535 10.0.0.0/8"));
    check(
        &hub,
        "i-app i-hub udp/53", // the reply enters the transit gateway: inbound by its source, 10.3.1.30
        "blocked acl-3 [rule 90 deny udp 0-65535 from 10.0.0.0/8] remove the inbound rule 90 of acl-3",
    );
}

#[test]
fn a_site_behind_a_transit_gateway_comes_in_by_its_attachment() {
    let path = "reachable tgw-attach-vpn tgw-1 tgw-attach-1 acl-1 sg-web eni-web i-web";
    check(AS_IT_IS, "172.16.5.5 i-web tcp/443", path);
    check(
        AS_IT_IS,
        "i-web 172.16.5.5 tcp/443",
        "reachable i-web eni-web sg-web acl-1 tgw-attach-1 tgw-1 tgw-attach-vpn",
    );
    let back = |topology: &mut Topology| make(topology, no_route("rtb-public", "172.16.0.0/12"));
    check(
        &back,
        "172.16.5.5 10.0.1.10 tcp/443",
        "blocked rtb-public [route 0.0.0.0/0 to igw-1] route 172.16.5.5/32 in rtb-public to tgw-1",
    );
    let unread = |topology: &mut Topology| {
        topology.transit_gateway_routes.clear();
        topology.missing.push(denied("ec2:SearchTransitGatewayRoutes"));
    };
    check(&unread, "i-web i-hub udp/53", "undetermined ec2:SearchTransitGatewayRoutes");
    let more = |topology: &mut Topology| topology.transit_gateway_routes[0].additional_routes_available = true;
    check(&more, "i-web i-hub udp/53", "undetermined ec2:SearchTransitGatewayRoutes");
}

#[test]
fn groups_may_be_named_across_a_transit_gateway_that_supports_it() {
    let named = |topology: &mut Topology| {
        make(topology, Change::RemoveGroupRule(rule("sg-hub in udp 53 10.0.0.0/8")));
        make(topology, Change::AddGroupRule(rule("sg-hub in udp 53 sg-app")));
    };
    check(
        &named,
        "i-app i-hub udp/53",
        "blocked sg-hub [no inbound rule for udp/53 from 10.0.2.20] add to sg-hub the inbound rule udp 53 from 10.0.2.20/32",
    );
    let supported = |topology: &mut Topology| {
        named(topology);
        topology.transit_gateways[0].options = Some(crate::topology::TransitGatewayOptions {
            security_group_referencing_support: Some("enable".into()),
            ..Default::default()
        });
        for attachment in &mut topology.transit_gateway_vpc_attachments {
            attachment.options = Some(crate::topology::TransitGatewayVpcAttachmentOptions {
                security_group_referencing_support: Some("enable".into()),
                ..Default::default()
            });
        }
    };
    check(
        &supported,
        "i-app i-hub udp/53",
        "reachable i-app eni-app sg-app acl-1 tgw-attach-1 tgw-1 tgw-attach-3 sg-hub eni-hub i-hub",
    );
}
