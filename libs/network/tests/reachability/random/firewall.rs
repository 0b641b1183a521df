//! One firewall with an endpoint in `subnet-f`, stateless rules, and stateful ones that can or cannot be decided.

use super::{ACCOUNT, Answers, BLOCKS, Dice, PORTS, REGION, is_ipv6, put};
use serde_json::{Value, json};

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:network-firewall:{REGION}:{ACCOUNT}:{kind}/{name}")
}

fn group(answers: &mut Answers, kind: &str, group: Value) {
    let arn = arn(&format!("{kind}-rulegroup"), kind);
    let response = json!({
        "RuleGroupArn": arn, "RuleGroupName": kind, "Type": kind.to_uppercase(), "RuleGroupStatus": "ACTIVE",
    });
    let file = format!("describe-rule-group-{kind}");
    answers.insert(file, json!({"UpdateToken": "1", "RuleGroup": group, "RuleGroupResponse": response}));
}

/// Blocks of the VPC behind the firewall.
const OWN: &[&str] = &["10.0.0.0/16", "10.0.0.0/24", "2001:db8:1::/56"];

fn block(dice: &mut Dice) -> &'static str {
    let blocks = if dice.one_in(4) { OWN } else { BLOCKS };
    blocks[dice.below(blocks.len())]
}

/// Rules for one direction, and often the same turned round for the answers.
fn stateless(dice: &mut Dice) -> Vec<Value> {
    let mut rules = Vec::new();
    for priority in 1..=dice.below(4) {
        let action = *dice.pick(&["aws:pass", "aws:pass", "aws:drop", "aws:forward_to_sfe"]);
        let (source, destination) = (block(dice), block(dice));
        let protocols = dice.pick(&[vec![], vec![6], vec![17], vec![6, 17]]).clone();
        let ports = (!dice.one_in(3)).then(|| super::filters::ports(dice));
        let range = |ports: Option<(u16, u16)>| -> Vec<Value> {
            ports.iter().map(|(first, last)| json!({"FromPort": first, "ToPort": last})).collect()
        };
        let rule = |priority: usize, ends: [&str; 2], ports: [Option<(u16, u16)>; 2]| {
            json!({"Priority": priority, "RuleDefinition": {"Actions": [action], "MatchAttributes": {
                "Sources": [{"AddressDefinition": ends[0]}], "Destinations": [{"AddressDefinition": ends[1]}],
                "SourcePorts": range(ports[0]), "DestinationPorts": range(ports[1]), "Protocols": protocols,
            }}})
        };
        rules.push(rule(2 * priority, [source, destination], [None, ports]));
        if !dice.one_in(4) {
            rules.push(rule(2 * priority + 1, [destination, source], [ports, None]));
        }
    }
    rules.reverse(); // priorities decide, not the order
    rules
}

fn stateful(dice: &mut Dice) -> Vec<Value> {
    let mut rules = Vec::new();
    for number in 0..dice.below(4) {
        let source = if dice.one_in(3) { "ANY" } else { block(dice) };
        let destination = if dice.one_in(2) { "ANY" } else { block(dice) };
        let port = if dice.one_in(3) { "ANY".into() } else { dice.pick(PORTS).to_string() };
        if is_ipv6(source) != is_ipv6(destination) && source != "ANY" && destination != "ANY" {
            continue;
        }
        rules.push(json!({
            "Action": dice.pick(&["PASS", "PASS", "DROP", "ALERT", "REJECT"]),
            "Header": {
                "Protocol": dice.pick(&["TCP", "UDP", "IP"]), "Source": source, "SourcePort": "ANY",
                "Direction": dice.pick(&["FORWARD", "ANY"]), "Destination": destination, "DestinationPort": port,
            },
            "RuleOptions": [{"Keyword": "sid", "Settings": [number.to_string()]}],
        }));
    }
    rules
}

pub fn firewall(dice: &mut Dice, answers: &mut Answers) {
    let endpoint = json!({
        "VpcEndpointId": "vpce-1", "VpcEndpointType": "GatewayLoadBalancer", "VpcId": "vpc-1", "State": "available",
        "SubnetIds": ["subnet-f"], "OwnerId": ACCOUNT,
    });
    put(answers, "describe-vpc-endpoints", "VpcEndpoints", vec![endpoint]);
    let listed = json!({"FirewallName": "wall", "FirewallArn": arn("firewall", "wall")});
    put(answers, "list-firewalls", "Firewalls", vec![listed]);
    let attachment = json!({"SubnetId": "subnet-f", "EndpointId": "vpce-1", "Status": "READY"});
    let zone = format!("{REGION}a");
    answers.insert(
        "describe-firewall-wall".into(),
        json!({
            "Firewall": {
                "FirewallName": "wall", "FirewallArn": arn("firewall", "wall"), "VpcId": "vpc-1",
                "FirewallPolicyArn": arn("firewall-policy", "policy"), "SubnetMappings": [{"SubnetId": "subnet-f"}],
            },
            "FirewallStatus": {"Status": "READY", "SyncStates": {zone: {"Attachment": attachment}}},
        }),
    );
    let default = *dice.pick(&["aws:pass", "aws:pass", "aws:drop", "aws:forward_to_sfe", "aws:forward_to_sfe"]);
    let strict = dice.one_in(2);
    let order = if strict { "STRICT_ORDER" } else { "DEFAULT_ACTION_ORDER" };
    let mut reference = json!({"ResourceArn": arn("stateful-rulegroup", "stateful")});
    if strict {
        reference["Priority"] = json!(1);
    }
    let defaults = if strict && dice.one_in(2) { vec!["aws:drop_strict"] } else { Vec::new() };
    let policy = json!({
        "StatelessDefaultActions": [default], "StatelessFragmentDefaultActions": [default],
        "StatelessRuleGroupReferences": [{"ResourceArn": arn("stateless-rulegroup", "stateless"), "Priority": 10}],
        "StatefulRuleGroupReferences": [reference], "StatefulDefaultActions": defaults,
        "StatefulEngineOptions": {"RuleOrder": order},
    });
    let response = json!({
        "FirewallPolicyName": "policy", "FirewallPolicyArn": arn("firewall-policy", "policy"),
        "FirewallPolicyStatus": "ACTIVE",
    });
    answers.insert(
        "describe-firewall-policy-policy".into(),
        json!({"UpdateToken": "1", "FirewallPolicy": policy, "FirewallPolicyResponse": response}),
    );
    let rules = stateless(dice);
    let source = json!({"StatelessRulesAndCustomActions": {"StatelessRules": rules}});
    group(answers, "stateless", json!({ "RulesSource": source }));
    let source = if dice.one_in(8) {
        json!({"RulesString": "drop tls any any -> any any (tls.sni; content:\"example.com\"; sid:1;)"})
    } else {
        json!({"StatefulRules": stateful(dice)})
    };
    group(answers, "stateful", json!({"RulesSource": source, "StatefulRuleOptions": {"RuleOrder": order}}));
}
