//! Network ACLs and security groups.

use super::*;

#[test]
fn what_is_allowed_at_every_step_is_reachable() {
    check(AS_IT_IS, "198.51.100.7 i-web tcp/443", "reachable igw-1 acl-1 sg-web eni-web i-web");
    check(AS_IT_IS, "internet i-web tcp/443", "reachable igw-1 acl-1 sg-web eni-web i-web");
    check(AS_IT_IS, "198.51.100.7 54.0.0.10 tcp/443", "reachable igw-1 acl-1 sg-web eni-web i-web"); // by its public name
    check(AS_IT_IS, "198.51.100.7 eni-web tcp/22", "reachable igw-1 acl-1 sg-web eni-web i-web");
    check(AS_IT_IS, "internet i-web tcp/22", "reachable igw-1 acl-1 sg-web eni-web i-web"); // someone there does
    check(AS_IT_IS, "2a00::1 i-web tcp/443", "reachable igw-1 acl-1 sg-web eni-web i-web");
}

#[test]
fn a_security_group_blocks_what_no_rule_allows() {
    let open = |port: &str, from: &str| format!("add to sg-web the inbound rule {port} from {from}");
    check(
        AS_IT_IS,
        "203.0.113.9 i-web tcp/22",
        &format!("blocked sg-web [no inbound rule for tcp/22 from 203.0.113.9] {}", open("tcp 22", "203.0.113.9/32")),
    );
    check(
        AS_IT_IS,
        "203.0.113.9 i-web udp/443", // the other protocol
        &format!("blocked sg-web [no inbound rule for udp/443 from 203.0.113.9] {}", open("udp 443", "203.0.113.9/32")),
    );
    check(
        AS_IT_IS,
        "2a00::1 i-web tcp/22", // IPv4 rules do not speak for IPv6
        &format!("blocked sg-web [no inbound rule for tcp/22 from 2a00::1] {}", open("tcp 22", "2a00::1/128")),
    );
    let shut = |topology: &mut Topology| topology.security_groups[0].ip_permissions.clear();
    let answer = {
        let mut topology = base();
        shut(&mut topology);
        ask(&topology, "internet 10.0.1.10 tcp/443")
    };
    assert!(told(&answer).ends_with(&open("tcp 443", "0.0.0.0/0")), "{}", told(&answer)); // anyone means everyone
}

#[test]
fn one_group_of_several_that_allows_is_enough() {
    let with_app = |topology: &mut Topology| {
        let groups = topology.network_interfaces[1].groups.clone();
        topology.network_interfaces[0].groups.splice(0..0, groups);
    };
    check(&with_app, "198.51.100.7 i-web tcp/22", "reachable igw-1 acl-1 sg-web eni-web i-web");
    check(
        &with_app,
        "203.0.113.9 i-web tcp/22",
        "blocked sg-app [no inbound rule for tcp/22 from 203.0.113.9] add to sg-app the inbound rule tcp 22 from 203.0.113.9/32",
    );
    let none = |topology: &mut Topology| topology.network_interfaces[0].groups.clear();
    check(&none, "198.51.100.7 i-web tcp/22", "blocked eni-web [no security group]");
}

#[test]
fn a_group_reference_means_the_private_addresses_of_its_members() {
    check(AS_IT_IS, "i-web i-app tcp/8080", "reachable i-web eni-web sg-web acl-1 sg-app eni-app i-app");
    let named = |topology: &mut Topology| make(topology, Change::AddGroupRule(rule("sg-app in tcp 25 sg-web")));
    check(
        &named,
        "i-far i-app tcp/25", // not a member of sg-web
        "blocked sg-app [no inbound rule for tcp/25 from 10.0.3.30] add to sg-app the inbound rule tcp 25 from 10.0.3.30/32",
    );
    check(
        &named,
        "10.0.1.99 i-app tcp/25", // an address of the subnet that no interface has
        "blocked sg-app [no inbound rule for tcp/25 from 10.0.1.99] add to sg-app the inbound rule tcp 25 from 10.0.1.99/32",
    );
    let itself = |topology: &mut Topology| make(topology, Change::AddGroupRule(rule("sg-app in tcp 22 sg-app")));
    check(&itself, "i-far i-app tcp/22", "reachable i-far eni-far sg-app acl-1 sg-app eni-app i-app");
    let gone = |topology: &mut Topology| make(topology, Change::AddGroupRule(rule("sg-app in tcp 22 sg-deleted")));
    check(
        &gone,
        "i-web i-app tcp/22", // a stale reference matches nobody
        "blocked sg-app [no inbound rule for tcp/22 from 10.0.1.10] add to sg-app the inbound rule tcp 22 from 10.0.1.10/32",
    );
}

#[test]
fn groups_may_be_named_across_a_peering_of_one_region_alone() {
    let path = "reachable i-web eni-web sg-web acl-1 pcx-1 acl-2 sg-db eni-db i-db";
    check(AS_IT_IS, "i-web i-db tcp/5432", path);
    let far = |topology: &mut Topology| {
        let peering = &mut topology.vpc_peering_connections[0];
        peering.accepter_vpc_info.as_mut().unwrap().region = Some("us-east-1".into());
    };
    check(
        &far,
        "i-web i-db tcp/5432",
        "blocked sg-db [no inbound rule for tcp/5432 from 10.0.1.10] add to sg-db the inbound rule tcp 5432 from 10.0.1.10/32",
    );
}

#[test]
fn a_prefix_list_stands_for_its_blocks() {
    let office = |topology: &mut Topology| make(topology, Change::AddGroupRule(rule("sg-web in tcp 25 pl-office")));
    check(&office, "198.51.100.7 i-web tcp/25", "reachable igw-1 acl-1 sg-web eni-web i-web");
    check(
        &office,
        "203.0.113.9 i-web tcp/25",
        "blocked sg-web [no inbound rule for tcp/25 from 203.0.113.9] add to sg-web the inbound rule tcp 25 from 203.0.113.9/32",
    );
    let unread = |topology: &mut Topology| make(topology, Change::AddGroupRule(rule("sg-web in tcp 25 pl-unread")));
    check(&unread, "203.0.113.9 i-web tcp/25", "undetermined ec2:GetManagedPrefixListEntries");
    check(&unread, "203.0.113.9 i-web tcp/443", "reachable igw-1 acl-1 sg-web eni-web i-web"); // another rule is clear
}

#[test]
fn what_leaves_needs_an_outbound_rule_of_its_own_groups() {
    let shut = |topology: &mut Topology| topology.security_groups[0].ip_permissions_egress.clear();
    check(
        &shut,
        "i-web i-app tcp/8080",
        "blocked sg-web [no outbound rule for tcp/8080 to 10.0.2.20] add to sg-web the outbound rule tcp 8080 to 10.0.2.20/32",
    );
    check(&shut, "198.51.100.7 i-web tcp/443", "reachable igw-1 acl-1 sg-web eni-web i-web"); // replies need none
}

#[test]
fn the_lowest_matching_acl_rule_decides() {
    let everyone = |topology: &mut Topology| make(topology, entry("acl-1 in 90 deny tcp 443 0.0.0.0/0"));
    check(
        &everyone,
        "198.51.100.7 i-web tcp/443",
        "blocked acl-1 [rule 90 deny tcp 443 from 0.0.0.0/0] add to acl-1 the inbound rule 89 allow tcp 443 from 198.51.100.7/32",
    );
    let named = |topology: &mut Topology| make(topology, entry("acl-1 in 90 deny tcp 0-1023 198.51.100.0/24"));
    check(
        &named,
        "198.51.100.7 i-web tcp/443", // who was named on purpose is taken off the list
        "blocked acl-1 [rule 90 deny tcp 0-1023 from 198.51.100.0/24] remove the inbound rule 90 of acl-1",
    );
    check(&named, "203.0.113.9 i-web tcp/443", "reachable igw-1 acl-1 sg-web eni-web i-web");
    let higher = |topology: &mut Topology| make(topology, entry("acl-1 in 110 deny tcp 443 0.0.0.0/0"));
    check(&higher, "198.51.100.7 i-web tcp/443", "reachable igw-1 acl-1 sg-web eni-web i-web");
    let first = |topology: &mut Topology| make(topology, entry("acl-1 in 1 deny tcp 443 0.0.0.0/0"));
    check(
        &first,
        "198.51.100.7 i-web tcp/443", // no number is left before it
        "blocked acl-1 [rule 1 deny tcp 443 from 0.0.0.0/0] remove the inbound rule 1 of acl-1",
    );
    let empty = |topology: &mut Topology| topology.network_acls[0].entries.retain(|entry| entry.egress);
    check(
        &empty,
        "198.51.100.7 i-web tcp/443",
        "blocked acl-1 [rule * deny all] add to acl-1 the inbound rule 100 allow tcp 443 from 198.51.100.7/32",
    );
    let udp = |topology: &mut Topology| make(topology, entry("acl-1 in 90 deny udp 443 0.0.0.0/0"));
    check(&udp, "198.51.100.7 i-web tcp/443", "reachable igw-1 acl-1 sg-web eni-web i-web");
}

#[test]
fn a_reply_needs_one_client_port_that_every_list_lets_out() {
    let shut = |topology: &mut Topology| make(topology, entry("acl-1 out 90 deny tcp 1024-65535 0.0.0.0/0"));
    check(
        &shut,
        "198.51.100.7 i-web tcp/443",
        "blocked acl-1 [rule 90 deny tcp 1024-65535 to 0.0.0.0/0] add to acl-1 the outbound rule 89 allow tcp 1024-65535 to 198.51.100.7/32",
    );
    let one = |topology: &mut Topology| make(topology, entry("acl-1 out 90 deny tcp 1024-65534 0.0.0.0/0"));
    check(&one, "198.51.100.7 i-web tcp/443", "reachable igw-1 acl-1 sg-web eni-web i-web");
    let low = |topology: &mut Topology| {
        topology.network_acls[0].entries.retain(|entry| !entry.egress);
        make(topology, entry("acl-1 out 100 allow tcp 0-1023 0.0.0.0/0"));
    };
    check(
        &low,
        "198.51.100.7 i-web tcp/443", // no client sends from there
        "blocked acl-1 [rule * deny all] add to acl-1 the outbound rule 200 allow tcp 1024-65535 to 198.51.100.7/32",
    );
    let apart = |topology: &mut Topology| {
        make(topology, entry("acl-2 out 90 deny tcp 1024-40000 0.0.0.0/0")); // the server's list takes the low half
        make(topology, entry("acl-1 in 90 deny tcp 40001-65535 10.2.0.0/16")); // the client's list the high one
    };
    check(
        &apart,
        "i-web i-db tcp/5432",
        "blocked acl-1 [rule 90 deny tcp 40001-65535 from 10.2.0.0/16] remove the inbound rule 90 of acl-1",
    );
}

#[test]
fn acls_stand_at_the_borders_of_subnets_alone() {
    let shut = |topology: &mut Topology| {
        topology.network_acls[0].entries.clear();
        let mut neighbour = topology.network_interfaces[0].clone();
        neighbour.network_interface_id = "eni-neighbour".into();
        neighbour.attachment.as_mut().unwrap().instance_id = Some("i-neighbour".into());
        neighbour.private_ip_addresses[0].private_ip_address = "10.0.1.11".into();
        neighbour.private_ip_addresses[0].association = None;
        neighbour.ipv6_addresses.clear();
        topology.network_interfaces.push(neighbour);
    };
    check(&shut, "i-web i-neighbour tcp/443", "reachable i-web eni-web sg-web eni-neighbour i-neighbour");
}

#[test]
fn a_denied_answer_matters_only_where_something_would_be_reachable() {
    let no_acls = |topology: &mut Topology| {
        topology.network_acls.clear();
        topology.missing.push(denied("ec2:DescribeNetworkAcls"));
    };
    check(&no_acls, "198.51.100.7 i-web tcp/443", "undetermined ec2:DescribeNetworkAcls");
    check(
        &no_acls,
        "203.0.113.9 i-web tcp/22", // the group shuts it for certain
        "blocked sg-web [no inbound rule for tcp/22 from 203.0.113.9] add to sg-web the inbound rule tcp 22 from 203.0.113.9/32",
    );
    let no_groups = |topology: &mut Topology| {
        topology.security_groups.clear();
        topology.missing.push(denied("ec2:DescribeSecurityGroups"));
    };
    check(&no_groups, "198.51.100.7 i-web tcp/25", "undetermined ec2:DescribeSecurityGroups");
    let odd = |topology: &mut Topology| topology.network_acls[0].entries[0].cidr_block = Some("10.0.0.0/99".into());
    check(&odd, "198.51.100.7 i-web tcp/443", "undetermined ec2:DescribeNetworkAcls");
    let odd = |topology: &mut Topology| topology.security_groups[0].ip_permissions[1].from_port = Some(70000);
    check(&odd, "198.51.100.7 i-web tcp/22", "undetermined ec2:DescribeSecurityGroups");
}
