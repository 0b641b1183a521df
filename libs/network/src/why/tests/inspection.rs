//! Network Firewall and appliances.

use super::*;
use crate::topology::*;

const PATH: &str = "reachable igw-4 vpce-fw acl-4 sg-guarded eni-guarded i-guarded";
const FIREWALL: &str = "arn:aws:network-firewall:eu-central-1:111122223333:firewall/guard";

fn policy(topology: &mut Topology) -> &mut FirewallPolicy {
    topology.firewall_policies[0].firewall_policy.as_mut().unwrap()
}

/// A stateful rule: `PASS TCP SOURCE DESTINATION PORT`.
fn stateful(topology: &mut Topology, order: &str, rules: &[&str]) {
    let rules = rules.iter().map(|words| {
        let words: Vec<&str> = words.split_whitespace().collect();
        let &[action, protocol, source, destination, port] = words.as_slice() else { panic!("{words:?}") };
        StatefulRule {
            action: action.into(),
            header: RuleHeader {
                protocol: protocol.into(),
                source: source.into(),
                source_port: "ANY".into(),
                direction: "FORWARD".into(),
                destination: destination.into(),
                destination_port: port.into(),
            },
            rule_options: Vec::new(),
        }
    });
    let source = RulesSource { stateful_rules: rules.collect(), ..RulesSource::default() };
    topology.firewall_rule_groups.push(DescribedRuleGroup {
        rule_group_response: RuleGroupResponse { rule_group_arn: "group-2".into(), ..Default::default() },
        rule_group: Some(RuleGroup { rules_source: source, ..RuleGroup::default() }),
    });
    let policy = policy(topology);
    policy.stateful_rule_group_references =
        vec![StatefulRuleGroupReference { resource_arn: "group-2".into(), ..Default::default() }];
    policy.stateful_engine_options = Some(StatefulEngineOptions { rule_order: Some(order.into()) });
}

#[test]
fn stateless_rules_pass_or_drop_each_packet() {
    check(AS_IT_IS, "198.51.100.7 i-guarded tcp/443", PATH);
    check(
        AS_IT_IS,
        "198.51.100.7 i-guarded tcp/22",
        &format!(
            "blocked {FIREWALL} [the stateless default action] add to policy-1, before its other rules, a stateless rule \
             that passes tcp/22 from 198.51.100.7/32 to 10.4.1.10/32 and its replies"
        ),
    );
    let open = |topology: &mut Topology| policy(topology).stateless_default_actions = vec!["aws:pass".into()];
    check(&open, "198.51.100.7 i-guarded tcp/22", PATH);
    let one_way = |topology: &mut Topology| {
        let group = topology.firewall_rule_groups[0].rule_group.as_mut().unwrap();
        group.rules_source.stateless_rules_and_custom_actions.as_mut().unwrap().stateless_rules.remove(1);
    };
    check(
        &one_way,
        "198.51.100.7 i-guarded tcp/443", // the reply is a packet like any other
        &format!(
            "blocked {FIREWALL} [the stateless default action] add to policy-1, before its other rules, a stateless rule \
             that passes tcp/443 from 198.51.100.7/32 to 10.4.1.10/32 and its replies"
        ),
    );
    let first = |topology: &mut Topology| {
        let group = topology.firewall_rule_groups[0].rule_group.as_mut().unwrap();
        let rules = &mut group.rules_source.stateless_rules_and_custom_actions.as_mut().unwrap().stateless_rules;
        let mut drop = rules[0].clone();
        drop.priority = 0;
        drop.rule_definition.actions = vec!["aws:drop".into()];
        rules.push(drop);
    };
    check(
        &first,
        "198.51.100.7 i-guarded tcp/443", // by priority, not by order
        &format!(
            "blocked {FIREWALL} [stateless rule 0 of group-1] add to policy-1, before its other rules, a stateless rule \
             that passes tcp/443 from 198.51.100.7/32 to 10.4.1.10/32 and its replies"
        ),
    );
}

#[test]
fn stateful_rules_decide_over_what_is_handed_on() {
    check(AS_IT_IS, "198.51.100.7 i-guarded tcp/8443", PATH); // no stateful rule at all
    let drop = "stateful rule 1 of group-2";
    let blocked = |rule: &str| {
        format!(
            "blocked {FIREWALL} [{rule}] add to policy-1, before its other rules, a stateless rule that passes tcp/8443 \
             from 198.51.100.7/32 to 10.4.1.10/32 and its replies"
        )
    };
    let drops = |topology: &mut Topology| stateful(topology, "STRICT_ORDER", &["DROP TCP ANY 10.4.0.0/16 8443"]);
    check(&drops, "198.51.100.7 i-guarded tcp/8443", &blocked(drop));
    let pass_last = ["DROP TCP ANY ANY 8443", "PASS TCP 198.51.100.0/24 ANY 8443"];
    check(
        &|topology| stateful(topology, "STRICT_ORDER", &pass_last),
        "198.51.100.7 i-guarded tcp/8443",
        &blocked(drop),
    );
    check(&|topology| stateful(topology, "DEFAULT_ACTION_ORDER", &pass_last), "198.51.100.7 i-guarded tcp/8443", PATH);
    let others = [
        "DROP UDP ANY ANY 8443",
        "DROP TCP !198.51.100.0/24 ANY 8443",
        "REJECT TCP ANY ANY 80:90",
        "ALERT IP ANY ANY ANY",
    ];
    check(&|topology| stateful(topology, "STRICT_ORDER", &others), "198.51.100.7 i-guarded tcp/8443", PATH);
    let strict = |topology: &mut Topology| {
        stateful(topology, "STRICT_ORDER", &[]);
        policy(topology).stateful_default_actions = vec!["aws:drop_strict".into()];
    };
    check(&strict, "198.51.100.7 i-guarded tcp/8443", &blocked("the stateful default action aws:drop_strict"));
}

#[test]
fn rules_over_contents_are_not_decided() {
    let http = |topology: &mut Topology| stateful(topology, "STRICT_ORDER", &["DROP HTTP ANY ANY ANY"]);
    check(&http, "198.51.100.7 i-guarded tcp/8443", "undetermined network-firewall:DescribeRuleGroup");
    let text = |topology: &mut Topology| {
        stateful(topology, "STRICT_ORDER", &[]);
        let group = topology.firewall_rule_groups[1].rule_group.as_mut().unwrap();
        group.rules_source.rules_string = Some("drop http any any -> any any (sid:1;)".into());
    };
    check(&text, "198.51.100.7 i-guarded tcp/8443", "undetermined network-firewall:DescribeRuleGroup");
    let variable = |topology: &mut Topology| stateful(topology, "STRICT_ORDER", &["DROP TCP $UNKNOWN ANY ANY"]);
    check(&variable, "198.51.100.7 i-guarded tcp/8443", "undetermined network-firewall:DescribeRuleGroup");
    let known = |topology: &mut Topology| {
        variable(topology);
        let group = topology.firewall_rule_groups[1].rule_group.as_mut().unwrap();
        let ip_sets = [("UNKNOWN".to_owned(), VariableDefinition { definition: vec!["203.0.113.0/24".into()] })];
        group.rule_variables = Some(RuleVariables { ip_sets: ip_sets.into(), ..RuleVariables::default() });
    };
    check(&known, "198.51.100.7 i-guarded tcp/8443", PATH);
    let no_policy = |topology: &mut Topology| {
        topology.firewall_policies.clear();
        topology.missing.push(denied("network-firewall:DescribeFirewallPolicy"));
    };
    check(&no_policy, "198.51.100.7 i-guarded tcp/22", "undetermined network-firewall:DescribeFirewallPolicy");
    let no_firewall = |topology: &mut Topology| {
        topology.firewalls.clear();
        topology.missing.push(denied("network-firewall:DescribeFirewall"));
    };
    check(&no_firewall, "198.51.100.7 i-guarded tcp/22", "undetermined network-firewall:DescribeFirewall");
}

#[test]
fn the_subnet_of_a_firewall_has_its_own_border() {
    let shut = |topology: &mut Topology| {
        let mut acl = topology.network_acls[3].clone();
        acl.network_acl_id = "acl-firewall".into();
        acl.is_default = false;
        acl.associations = vec![NetworkAclAssociation { subnet_id: "subnet-firewall".into(), ..Default::default() }];
        topology.network_acls.push(acl);
        make(topology, entry("acl-firewall in 90 deny tcp 443 198.51.100.0/24"));
    };
    check(
        &shut,
        "198.51.100.7 i-guarded tcp/443",
        "blocked acl-firewall [rule 90 deny tcp 443 from 198.51.100.0/24] remove the inbound rule 90 of acl-firewall",
    );
}

#[test]
fn a_firewall_must_see_both_directions() {
    let around = |topology: &mut Topology| make(topology, route("rtb-guarded 0.0.0.0/0 igw-4"));
    check(
        &around,
        "198.51.100.7 i-guarded tcp/443",
        "blocked rtb-guarded [route 0.0.0.0/0 to igw-4] route 198.51.100.7/32 in rtb-guarded to vpce-fw",
    );
}

#[test]
fn an_appliance_forwards_by_rules_that_nobody_knows() {
    let appliance = |topology: &mut Topology, checks: bool| {
        let mut interface = topology.network_interfaces[9].clone();
        interface.network_interface_id = "eni-appliance".into();
        interface.subnet_id = "subnet-firewall".into();
        interface.source_dest_check = Some(checks);
        interface.private_ip_addresses[0].private_ip_address = "10.4.2.99".into();
        interface.private_ip_addresses[0].association = None;
        interface.attachment = None;
        topology.network_interfaces.push(interface);
        make(topology, route("rtb-edge 10.4.1.0/24 eni-appliance"));
        make(topology, route("rtb-guarded 0.0.0.0/0 eni-appliance"));
    };
    check(
        &|topology| appliance(topology, false),
        "198.51.100.7 i-guarded tcp/443",
        "undetermined ec2:DescribeRouteTables",
    );
    check(
        &|topology| appliance(topology, true),
        "198.51.100.7 i-guarded tcp/443", // it drops what is not for itself
        "blocked rtb-edge [route 10.4.1.0/24 to eni-appliance] route 10.4.1.10/32 in rtb-edge to local; \
         route 198.51.100.7/32 in rtb-guarded to igw-4",
    );
}
