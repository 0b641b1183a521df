//! An application and a network balancer, or a classic one, with nodes in `vpc-1`.

use super::{ACCOUNT, Answers, Dice, PORTS, REGION, put};
use serde_json::{Value, json};

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:{kind}/{name}")
}

/// A node's interface in one of the two subnets.
fn node(dice: &mut Dice, answers: &mut Answers, id: &str, description: &str, kind: &str, groups: &[&str]) {
    let (subnet, prefix, zone) = *dice.pick(&[("subnet-1", "10.0.0.", "a"), ("subnet-2", "10.0.1.", "b")]);
    let last = if kind == "network_load_balancer" { 201 } else { 200 };
    let mut address = json!({"Primary": true, "PrivateIpAddress": format!("{prefix}{last}")});
    if !dice.one_in(4) {
        address["Association"] = json!({"PublicIp": format!("192.0.2.{last}"), "IpOwnerId": "amazon-elb"});
    }
    let number = if subnet == "subnet-1" { 1 } else { 2 };
    let dual_stack = dice.one_in(3);
    let ipv6: Vec<Value> =
        dual_stack.then(|| json!({"Ipv6Address": format!("2001:db8:1:{number}::{last}")})).into_iter().collect();
    let groups: Vec<Value> = groups.iter().map(|id| json!({"GroupId": id, "GroupName": id})).collect();
    let node = json!({
        "NetworkInterfaceId": id, "VpcId": "vpc-1", "SubnetId": subnet, "OwnerId": ACCOUNT,
        "AvailabilityZone": format!("{REGION}{zone}"), "PrivateIpAddresses": [address], "Ipv6Addresses": ipv6,
        "Groups": groups, "InterfaceType": kind, "Status": "in-use", "Description": description,
        "RequesterId": "amazon-elb", "RequesterManaged": true,
    });
    let interfaces = answers.get_mut("describe-network-interfaces").unwrap();
    interfaces["NetworkInterfaces"].as_array_mut().unwrap().push(node);
}

pub fn balancers(dice: &mut Dice, answers: &mut Answers) {
    match dice.below(4) {
        0 => classic(dice, answers),
        1 => {}
        _ => {
            let (application, network) = (dice.one_in(2), dice.one_in(2));
            second_generation(dice, answers, application, network);
        }
    }
}

fn classic(dice: &mut Dice, answers: &mut Answers) {
    let listener = json!({"Listener": {
        "Protocol": dice.pick(&["TCP", "HTTP"]), "LoadBalancerPort": dice.pick(&[22, 80, 443]),
        "InstanceProtocol": "TCP", "InstancePort": dice.pick(&PORTS[1..]),
    }});
    let instances: Vec<Value> = dice.some(&["i-1", "i-2"]).iter().map(|id| json!({"InstanceId": id})).collect();
    let balancer = json!({
        "LoadBalancerName": "old", "VPCId": "vpc-1", "Subnets": ["subnet-1", "subnet-2"], "SecurityGroups": ["sg-lb"],
        "Scheme": "internet-facing", "Instances": instances, "ListenerDescriptions": [listener],
    });
    put(answers, "describe-load-balancers", "LoadBalancerDescriptions", vec![balancer]);
    node(dice, answers, "eni-old", "ELB old", "interface", &["sg-lb"]);
}

fn second_generation(dice: &mut Dice, answers: &mut Answers, application: bool, network: bool) {
    let mut balancers = Vec::new();
    if application {
        let id = arn("loadbalancer", "app/web/1");
        balancers.push(json!({
            "LoadBalancerArn": id, "LoadBalancerName": "web", "Type": "application", "Scheme": "internet-facing",
            "VpcId": "vpc-1", "SecurityGroups": ["sg-lb"], "State": {"Code": "active"},
        }));
        node(dice, answers, "eni-web", "ELB app/web/1", "interface", &["sg-lb"]);
        let forwards = |group: &str| json!({"Type": "forward", "TargetGroupArn": arn("targetgroup", group)});
        let fixed = json!({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}});
        let default = if dice.one_in(2) { forwards("tg-1/1") } else { fixed.clone() };
        let listener = arn("listener", "app/web/1/1");
        let listeners = vec![json!({
            "ListenerArn": listener, "LoadBalancerArn": id, "Protocol": "HTTP", "Port": dice.pick(&[80, 443]),
            "DefaultActions": [default],
        })];
        put(answers, "describe-listeners-web", "Listeners", listeners);
        let other = if dice.one_in(2) { forwards("tg-1/1") } else { fixed };
        let rule = |id: &str, action: Value| {
            let rule = arn("listener-rule", &format!("app/web/1/1/{id}"));
            json!({"RuleArn": rule, "Priority": id, "IsDefault": id == "default", "Actions": [action]})
        };
        put(answers, "describe-rules-web-1", "Rules", vec![rule("1", other), rule("default", default)]);
    }
    if network {
        let id = arn("loadbalancer", "net/fast/1");
        let groups: &[&str] = if dice.one_in(2) { &["sg-lb"] } else { &[] };
        balancers.push(json!({
            "LoadBalancerArn": id, "LoadBalancerName": "fast", "Type": "network", "Scheme": "internet-facing",
            "VpcId": "vpc-1", "SecurityGroups": groups, "State": {"Code": "active"},
        }));
        node(dice, answers, "eni-fast", "ELB net/fast/1", "network_load_balancer", groups);
        let protocol = *dice.pick(&["TCP", "UDP", "TCP_UDP", "TLS"]);
        let action = json!({"Type": "forward", "TargetGroupArn": arn("targetgroup", "tg-2/1")});
        let listeners = vec![json!({
            "ListenerArn": arn("listener", "net/fast/1/1"), "LoadBalancerArn": id, "Protocol": protocol,
            "Port": dice.pick(&[22, 80, 443]), "DefaultActions": [action],
        })];
        put(answers, "describe-listeners-fast", "Listeners", listeners);
        let protocol = if protocol == "TLS" { "TCP" } else { protocol };
        if application && protocol == "TCP" && dice.one_in(3) {
            in_front_of_the_other(answers);
        } else {
            targets(dice, answers, "tg-2", protocol);
        }
    }
    put(answers, "describe-load-balancers", "LoadBalancers", balancers);
    targets(dice, answers, "tg-1", "HTTP");
}

/// The network balancer's only target is the application balancer.
fn in_front_of_the_other(answers: &mut Answers) {
    let port = answers["describe-listeners-web"]["Listeners"][0]["Port"].clone();
    let group = json!({
        "TargetGroupArn": arn("targetgroup", "tg-2/1"), "TargetGroupName": "tg-2", "VpcId": "vpc-1",
        "TargetType": "alb", "Protocol": "TCP", "Port": port,
    });
    put(answers, "describe-target-groups", "TargetGroups", vec![group]);
    let target = json!({"Id": arn("loadbalancer", "app/web/1"), "Port": port});
    let health = json!({"Target": target, "TargetHealth": {"State": "healthy"}});
    put(answers, "describe-target-health-tg-2", "TargetHealthDescriptions", vec![health]);
}

fn targets(dice: &mut Dice, answers: &mut Answers, name: &str, protocol: &str) {
    let by_instance = dice.one_in(2);
    let port = *dice.pick(&PORTS[1..]);
    let group = json!({
        "TargetGroupArn": arn("targetgroup", &format!("{name}/1")), "TargetGroupName": name, "VpcId": "vpc-1",
        "TargetType": if by_instance { "instance" } else { "ip" }, "Protocol": protocol, "Port": port,
    });
    let known = answers.entry("describe-target-groups".into()).or_insert_with(|| json!({"TargetGroups": []}));
    known["TargetGroups"].as_array_mut().unwrap().push(group);
    let ids = if by_instance { ["i-1", "i-2"] } else { ["10.0.0.11", "10.1.0.13"] };
    let mut health = Vec::new();
    for id in dice.some(&ids) {
        let port = if dice.one_in(4) { *dice.pick(&PORTS[1..]) } else { port };
        let state = *dice.pick(&["healthy", "healthy", "unhealthy", "unused"]);
        health.push(json!({"Target": {"Id": id, "Port": port}, "TargetHealth": {"State": state}}));
    }
    put(answers, &format!("describe-target-health-{name}"), "TargetHealthDescriptions", health);
}
