//! Load balancers and their targets, functions, and ends that are hard to find.

use super::*;

const ARN: &str = "arn:aws:elasticloadbalancing:eu-central-1:111122223333";

#[test]
fn a_load_balancer_is_reached_where_it_listens() {
    check(AS_IT_IS, "198.51.100.7 front tcp/443", "reachable igw-1 acl-1 sg-web eni-lb loadbalancer/app/front/1");
    check(
        AS_IT_IS,
        &format!("198.51.100.7 {ARN}:loadbalancer/app/front/1 tcp/443"),
        "reachable igw-1 acl-1 sg-web eni-lb loadbalancer/app/front/1",
    );
    check(
        AS_IT_IS,
        "198.51.100.7 front tcp/22", // the group allows it, nobody listens
        &format!("blocked {ARN}:loadbalancer/app/front/1 [no way]"),
    );
    check(AS_IT_IS, "198.51.100.7 plain tcp/9000", "reachable igw-1 acl-1 eni-nlb loadbalancer/net/plain/2"); // without security groups
}

#[test]
fn a_target_is_reached_over_its_load_balancer() {
    check(
        AS_IT_IS,
        "198.51.100.7 i-app tcp/8080",
        "reachable igw-1 acl-1 sg-web loadbalancer/app/front/1 listener/app/front/1/a targetgroup/app/1 acl-1 sg-app \
         eni-app i-app",
    );
    check(
        AS_IT_IS,
        "198.51.100.7 i-app tcp/9000", // the target sees the client, whom its group does not let in
        "blocked sg-app [no inbound rule for tcp/9000 from 198.51.100.7] add to sg-app the inbound rule tcp 9000 from \
         198.51.100.7/32",
    );
    let hidden = |topology: &mut Topology| {
        topology.target_group_attributes.push(crate::topology::TargetGroupAttributes {
            target_group_arn: format!("{ARN}:targetgroup/raw/2"),
            attributes: vec![crate::topology::TargetGroupAttribute {
                key: "preserve_client_ip.enabled".into(),
                value: "false".into(),
            }],
        });
    };
    check(
        &hidden,
        "198.51.100.7 i-app tcp/9000", // the target sees the node
        "blocked sg-app [no inbound rule for tcp/9000 from 10.0.1.90] add to sg-app the inbound rule tcp 9000 from \
         10.0.1.90/32",
    );
    let unused = |topology: &mut Topology| {
        topology.target_health[0].target_health_descriptions[0].target_health =
            Some(crate::topology::TargetHealth { state: Some("unused".into()) });
    };
    check(
        &unused,
        "10.0.1.99 i-app tcp/8080",
        "blocked sg-app [no inbound rule for tcp/8080 from 10.0.1.99] add to sg-app the inbound rule tcp 8080 from \
         10.0.1.99/32",
    );
    let redirect = |topology: &mut Topology| topology.listeners[0].default_actions[0].action_type = "redirect".into();
    check(
        &redirect,
        "198.51.100.7 i-app tcp/8080", // nothing is forwarded: the direct way alone is left
        "blocked eni-app [no public address] associate a public address with 10.0.2.20 of eni-app; \
         add to sg-app the inbound rule tcp 8080 from 198.51.100.7/32; route 198.51.100.7/32 in rtb-private to igw-1",
    );
}

#[test]
fn interfaces_of_functions_and_gateways_let_nobody_in() {
    check(AS_IT_IS, "i-web eni-lambda tcp/443", "blocked eni-lambda [interface type lambda]");
    check(AS_IT_IS, "198.51.100.7 eni-nat tcp/443", "blocked eni-nat [interface type nat_gateway]");
}

#[test]
fn a_function_is_called_as_its_url_says() {
    check(AS_IT_IS, "internet open tcp/443", "reachable //abc.lambda-url.eu-central-1.on.aws/ open");
    let mailer = "arn:aws:lambda:eu-central-1:111122223333:function:mailer";
    check(AS_IT_IS, "internet mailer tcp/443", &format!("blocked {mailer} [AuthType AWS_IAM]"));
    check(AS_IT_IS, "internet mailer tcp/80", &format!("blocked {mailer} [tcp/443 alone]"));
    let public = |topology: &mut Topology| {
        topology.function_policies.push(crate::topology::FunctionPolicy {
            function_name: "mailer".into(),
            policy: r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction"}]}"#
                .into(),
        });
    };
    check(&public, "internet mailer tcp/443", "reachable mailer");
    let denied = |topology: &mut Topology| topology.missing.push(denied("lambda:GetPolicy"));
    check(&denied, "internet mailer tcp/443", "undetermined lambda:GetPolicy");
}

#[test]
fn ends_that_cannot_be_joined_say_so() {
    check(AS_IT_IS, "198.51.100.7 203.0.113.9 tcp/22", "blocked  [no way]");
    check(AS_IT_IS, "i-web i-web tcp/22", "blocked  [no way]");
    check(AS_IT_IS, "198.51.100.7 10.0.1.99 tcp/22", "blocked vpc-1 [no way]"); // nobody has that address
    check(AS_IT_IS, "10.77.0.1 i-db tcp/22", "blocked vpc-2 [no way]"); // nothing leads there
    check(AS_IT_IS, "2a00::1 i-app tcp/22", "blocked i-app [no address]"); // it has IPv4 alone
    check(AS_IT_IS, "internet i-gone tcp/22", "undetermined ec2:DescribeNetworkInterfaces");
    let question = Question::parse("internet", "i-gone", "tcp/22").unwrap();
    assert_eq!(question.check(&[base()]).unwrap_err().to_string(), "`i-gone` is in none of the topologies");
    let question = Question::parse("internet", "open", "tcp/443").unwrap();
    assert!(question.check(&[base()]).is_ok());
}

#[test]
fn the_answer_is_json_with_a_sentence_for_each_change() {
    let answer = serde_json::to_value(ask(&base(), "203.0.113.9 10.0.1.10 tcp/22")).unwrap();
    assert_eq!(answer["verdict"], "blocked");
    assert_eq!(answer["blocked_by"]["component"], "sg-web");
    assert_eq!(answer["changes"][0]["change"], "add-group-rule");
    assert_eq!(answer["changes"][0]["sentence"], "add to sg-web the inbound rule tcp 22 from 203.0.113.9/32");
    let read: Change = serde_json::from_value(answer["changes"][0].clone()).unwrap();
    assert_eq!(read, Change::AddGroupRule(rule("sg-web in tcp 22 203.0.113.9/32")));
    assert_eq!(answer["candidates"].as_array().unwrap().len(), 1);
}
