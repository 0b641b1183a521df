//! Folders of a few files each.
use super::*;

fn folder(files: &[(&str, &str)]) -> Reading {
    read(files.iter().copied(), None, None)
}

/// The missing answers as `call about`.
fn missing(files: &[(&str, &str)]) -> Vec<String> {
    let missing = folder(files).topology.missing;
    missing.iter().map(|one| format!("{} {}", one.call, one.about.as_deref().unwrap_or("*"))).collect()
}

/// What every interface needs, empty.
const PLAIN: [(&str, &str); 6] = [
    (
        "describe-network-interfaces.json",
        r#"{"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "OwnerId": "111122223333", "AvailabilityZone": "eu-central-1b"}]}"#,
    ),
    ("describe-vpcs.json", r#"{"Vpcs": []}"#),
    ("describe-subnets.json", r#"{"Subnets": []}"#),
    ("describe-route-tables.json", r#"{"RouteTables": []}"#),
    ("describe-network-acls.json", r#"{"NetworkAcls": []}"#),
    ("describe-security-groups.json", r#"{"SecurityGroups": []}"#),
];

/// The plain folder with these files instead of or beside its own.
fn with<'a>(files: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = PLAIN.into_iter().filter(|(name, _)| !files.iter().any(|(other, _)| other == name));
    kept.chain(files.iter().copied()).collect()
}

#[test]
fn a_files_name_is_its_call_and_what_it_is_about() {
    let check = |name: &str, expected: Option<(&str, &str)>| {
        assert_eq!(calls::named(name).map(|(call, about)| (call.file, about)), expected, "{name}");
    };
    check("describe-vpcs.json", Some(("describe-vpcs", "")));
    check("ec2-describe-vpcs.json", Some(("describe-vpcs", "")));
    check("search-transit-gateway-routes-tgw-rtb-1.json", Some(("search-transit-gateway-routes", "tgw-rtb-1")));
    check("describe-firewall-edge.json", Some(("describe-firewall", "edge")));
    check("describe-firewall-policy-edge.json", Some(("describe-firewall-policy", "edge"))); // the longer name
    check("elb-describe-load-balancers.json", Some(("describe-load-balancers", "")));
    check("describe-listeners.json", Some(("describe-listeners", "")));
    check("describe-listeners-web.json", Some(("describe-listeners", "web")));
    // One VPC is not all of them: what is not in the file would pass for not there.
    check("describe-vpcs-vpc-1.json", None);
    check("search-transit-gateway-routes.json", None); // of which table?
    check("get-policy-.json", None);
    check("describe-vpcs.txt", None);
    check("describe-vpcsx.json", None);
    check("expected.json", None);
    check(&format!("get-policy-{}.json", "a".repeat(300)), None);
}

#[test]
fn every_call_has_a_name_of_its_own() {
    let mut names: Vec<String> = names().map(|(name, _)| name).collect();
    assert!(names.contains(&"search-transit-gateway-routes-….json".to_owned()));
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn what_is_no_whole_answer_is_missing_and_says_why() {
    let check = |content: &[u8], expected: &str| {
        let reading = read([("describe-vpcs.json", content)], None, None);
        let missing: Vec<&str> = reading.topology.missing.iter().map(|one| one.call.as_str()).collect();
        assert!(missing.contains(&"ec2:DescribeVpcs"), "{missing:?}");
        let [Remark { file, reason }] = reading.remarks.as_slice() else { panic!("{:?}", reading.remarks) };
        assert_eq!(file, "describe-vpcs.json");
        assert!(reason.starts_with(expected), "{reason}");
    };
    check(b"", "the file is empty");
    check(b" \n", "the file is empty");
    check(b"\xff\x00", "the file is neither UTF-8 nor UTF-16");
    check(b"{\"Vpcs\": [", "it is no answer of the call: EOF while parsing");
    check(b"{\"Vpcs\": []} {}", "it is no answer of the call: trailing characters");
    check(b"[]", "it is no answer of the call: invalid type: sequence, expected an object with a list `Vpcs`");
    check(b"{}", "it is no answer of the call: it has no `Vpcs`"); // not "there is no VPC"
    check(b"{\"Subnets\": []}", "it is no answer of the call: it has no `Vpcs`"); // another call's answer
    check(b"{\"Vpcs\": null}", "it is no answer of the call: invalid type: null");
    check(b"{\"Vpcs\": [{}]}", "it is no answer of the call: record 1 of `Vpcs` does not say what it is about");
    check(b"{\"Vpcs\": [{\"VpcId\": 1}]}", "it is no answer of the call: invalid type: integer");
    check(b"{\"Vpcs\": [], \"Vpcs\": []}", "it is no answer of the call: `Vpcs` is there twice");
    check(b"{\"Vpcs\": [], \"NextToken\": \"abc\"}", "the answer goes on");
    check(
        b"\nAn error occurred (UnauthorizedOperation) when calling the DescribeVpcs operation: You are not authorized\n",
        "AWS refused: An error occurred (UnauthorizedOperation)",
    );
    check(format!("{{\"x\": {}", "[".repeat(100_000)).as_bytes(), "it is no answer of the call: "); // deep
    check(
        br#"{"Vpcs": [{"VpcId": "vpc-1", "IsDefault": true}, {"VpcId": "vpc-1"}]}"#,
        "vpc-1 is described twice, and differently",
    );
}

#[test]
fn a_whole_answer_is_read_however_it_is_encoded() {
    let text = r#"{"Vpcs": [{"VpcId": "vpc-1", "Tags": [{"Key": "ü"}]}], "NextToken": null}"#;
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for content in [text.as_bytes(), format!("\u{feff}{text}").as_bytes(), &utf16] {
        let reading = read([("describe-vpcs.json", content)], None, None);
        assert_eq!(reading.topology.vpcs.len(), 1);
        assert_eq!(reading.remarks, []);
    }
    let twice = folder(&[("describe-vpcs.json", text), ("ec2-describe-vpcs.json", text)]);
    assert_eq!((twice.topology.vpcs.len(), twice.remarks.len()), (1, 0));
}

#[test]
fn the_records_of_an_incomplete_answer_count() {
    let reading = folder(&with(&[("describe-vpcs.json", r#"{"Vpcs": [{"VpcId": "vpc-1"}], "NextToken": "x"}"#)]));
    assert_eq!(reading.topology.vpcs.len(), 1);
    assert_eq!(reading.topology.missing.len(), 1);
}

#[test]
fn account_and_region_are_what_the_folder_or_else_the_answers_say() {
    let topology = folder(&PLAIN).topology;
    assert_eq!((topology.account.as_str(), topology.region.as_str()), ("111122223333", "eu-central-1"));
    let topology = read(PLAIN, Some("444455556666"), Some("us-east-1")).topology;
    assert_eq!((topology.account.as_str(), topology.region.as_str()), ("444455556666", "us-east-1"));
    let topology = folder(&PLAIN[1..]).topology;
    assert_eq!((topology.account.as_str(), topology.region.as_str()), ("unknown", "unknown"));
    let arn =
        r#"{"Functions": [{"FunctionName": "f", "FunctionArn": "arn:aws:lambda:eu-west-1:777788889999:function:f"}]}"#;
    let topology = folder(&[("list-functions.json", arn)]).topology;
    assert_eq!((topology.account.as_str(), topology.region.as_str()), ("777788889999", "eu-west-1"));
}

#[test]
fn an_answer_that_nothing_refers_to_is_not_missed() {
    let nothing: [String; 0] = [];
    assert_eq!(missing(&PLAIN), nothing);
    assert_eq!(missing(&PLAIN[1..]), ["ec2:DescribeNetworkInterfaces *"]);
    let all: Vec<String> = missing(&PLAIN[..1]);
    assert_eq!(all.len(), 5, "{all:?}");
}

#[test]
fn what_a_route_leads_to_is_missed() {
    let check = |route: &str, expected: &[&str]| {
        let tables = format!(r#"{{"RouteTables": [{{"RouteTableId": "rtb-1", "Routes": [{{{route}}}]}}]}}"#);
        assert_eq!(missing(&with(&[("describe-route-tables.json", &tables)])), expected, "{route}");
    };
    check(r#""GatewayId": "local""#, &[]);
    check(r#""GatewayId": "igw-1", "State": "active""#, &["ec2:DescribeInternetGateways *"]);
    check(r#""GatewayId": "igw-1", "State": "blackhole""#, &[]); // leads nowhere
    check(r#""NatGatewayId": "nat-1""#, &["ec2:DescribeNatGateways *"]);
    check(r#""VpcPeeringConnectionId": "pcx-1""#, &["ec2:DescribeVpcPeeringConnections *"]);
    check(r#""DestinationPrefixListId": "pl-1", "GatewayId": "local""#, &["ec2:GetManagedPrefixListEntries pl-1"]);
    check(r#""GatewayId": "vpce-1""#, &["ec2:DescribeVpcEndpoints *", "network-firewall:DescribeFirewall *"]);
    check(
        r#""GatewayId": "vgw-1""#,
        &[
            "directconnect:DescribeDirectConnectGatewayAssociations *",
            "directconnect:DescribeVirtualInterfaces *",
            "ec2:DescribeVpnConnections *",
            "ec2:DescribeVpnGateways *",
        ],
    );
    check(
        r#""TransitGatewayId": "tgw-1""#,
        &[
            "ec2:DescribeTransitGatewayAttachments *",
            "ec2:DescribeTransitGatewayRouteTables *",
            "ec2:DescribeTransitGatewayVpcAttachments *",
            "ec2:DescribeTransitGateways *",
        ],
    );
}

#[test]
fn an_answer_about_one_thing_is_missed_for_each_thing() {
    let tables = r#"{"RouteTables": [{"RouteTableId": "rtb-1", "Routes": [{"TransitGatewayId": "tgw-1"}]}]}"#;
    let transit = |more: &[(&'static str, &'static str)]| {
        let mut files = vec![
            ("describe-route-tables.json", tables),
            ("describe-transit-gateways.json", r#"{"TransitGateways": []}"#),
            (
                "describe-transit-gateway-attachments.json",
                r#"{"TransitGatewayAttachments": [{"TransitGatewayAttachmentId": "tgw-attach-1", "ResourceType": "vpn"}]}"#,
            ),
            ("describe-transit-gateway-vpc-attachments.json", r#"{"TransitGatewayVpcAttachments": []}"#),
            ("describe-vpn-connections.json", r#"{"VpnConnections": []}"#),
            (
                "describe-transit-gateway-route-tables.json",
                r#"{"TransitGatewayRouteTables": [{"TransitGatewayRouteTableId": "tgw-rtb-1"}, {"TransitGatewayRouteTableId": "tgw-rtb-2"}]}"#,
            ),
            ("search-transit-gateway-routes-tgw-rtb-1.json", r#"{"Routes": [], "AdditionalRoutesAvailable": false}"#),
        ];
        files.extend(more);
        missing(&with(&files))
    };
    assert_eq!(transit(&[]), ["ec2:SearchTransitGatewayRoutes tgw-rtb-2"]);
    let more = r#"{"Routes": [], "AdditionalRoutesAvailable": true}"#;
    assert_eq!(
        transit(&[("search-transit-gateway-routes-tgw-rtb-2.json", more)]),
        ["ec2:SearchTransitGatewayRoutes tgw-rtb-2"]
    );
    let whole = r#"{"Routes": [], "AdditionalRoutesAvailable": false}"#;
    assert_eq!(transit(&[("search-transit-gateway-routes-tgw-rtb-2.json", whole)]), Vec::<String>::new());
}

#[test]
fn the_two_kinds_of_load_balancers_are_told_apart_by_content() {
    let new = r#"{"LoadBalancers": [{"LoadBalancerArn": "arn:aws:elasticloadbalancing:a:b:loadbalancer/app/web/1", "LoadBalancerName": "web"}]}"#;
    let classic = r#"{"LoadBalancerDescriptions": [{"LoadBalancerName": "old"}]}"#;
    for (first, second) in [
        ("describe-load-balancers.json", "describe-load-balancers-classic.json"),
        ("elbv2-describe-load-balancers.json", "elb-describe-load-balancers.json"),
        ("describe-load-balancers-classic.json", "describe-load-balancers.json"), // the wrong way round
    ] {
        let listeners = ("describe-listeners-web.json", r#"{"Listeners": []}"#);
        let topology = folder(&with(&[(first, new), (second, classic), listeners])).topology;
        assert_eq!((topology.load_balancers.len(), topology.classic_load_balancers.len()), (1, 1), "{first}");
        assert_eq!(topology.missing, []);
    }
    let node = |description: &str| {
        let interfaces =
            format!(r#"{{"NetworkInterfaces": [{{"NetworkInterfaceId": "eni-1", "Description": "{description}"}}]}}"#);
        missing(&with(&[("describe-network-interfaces.json", &interfaces), ("describe-load-balancers.json", classic)]))
    };
    assert_eq!(node("ELB app/web/1"), ["elasticloadbalancing:DescribeLoadBalancers *"]);
    assert_eq!(node("ELB old"), Vec::<String>::new());
}

#[test]
fn whom_a_listener_forwards_to_is_missed() {
    let group = "arn:aws:elasticloadbalancing:a:b:targetgroup/web/2";
    let balancers = r#"{"LoadBalancers": [{"LoadBalancerArn": "arn:aws:elasticloadbalancing:a:b:loadbalancer/app/web/1", "LoadBalancerName": "web"}]}"#;
    let listeners = format!(
        r#"{{"Listeners": [{{"ListenerArn": "arn:aws:elasticloadbalancing:a:b:listener/app/web/1/3", "LoadBalancerArn": "arn:aws:elasticloadbalancing:a:b:loadbalancer/app/web/1", "Protocol": "HTTP", "DefaultActions": [{{"Type": "forward", "TargetGroupArn": "{group}"}}]}}]}}"#
    );
    let rules = r#"{"Rules": [{"RuleArn": "arn:aws:elasticloadbalancing:a:b:listener-rule/app/web/1/3/4", "IsDefault": true}]}"#;
    let groups = format!(r#"{{"TargetGroups": [{{"TargetGroupArn": "{group}", "TargetGroupName": "web"}}]}}"#);
    let mut files = vec![("describe-load-balancers.json", balancers)];
    assert_eq!(
        missing(&with(&files)),
        ["elasticloadbalancing:DescribeListeners arn:aws:elasticloadbalancing:a:b:loadbalancer/app/web/1"]
    );
    files.push(("describe-listeners-web.json", &listeners));
    assert_eq!(
        missing(&with(&files)),
        [
            "elasticloadbalancing:DescribeRules arn:aws:elasticloadbalancing:a:b:listener/app/web/1/3",
            "elasticloadbalancing:DescribeTargetGroups *",
            "elasticloadbalancing:DescribeTargetHealth arn:aws:elasticloadbalancing:a:b:targetgroup/web/2",
        ]
    );
    files.push(("describe-rules-3.json", rules));
    files.push(("describe-target-groups.json", &groups));
    files.push(("describe-target-health-web.json", r#"{"TargetHealthDescriptions": [{"Target": {"Id": "i-1"}}]}"#));
    let topology = folder(&with(&files)).topology;
    assert_eq!(topology.missing, []);
    assert_eq!(topology.target_health[0].target_group_arn, group);
    files.pop();
    files.push(("describe-target-health-web.json", "{"));
    let topology = folder(&with(&files)).topology;
    assert_eq!(topology.missing[0].about.as_deref(), Some(group));
    assert!(topology.missing[0].reason.starts_with("describe-target-health-web.json: "));
}

#[test]
fn a_function_without_address_and_policy_is_what_aws_refuses_to_describe() {
    let functions = ("list-functions.json", r#"{"Functions": [{"FunctionName": "f"}]}"#);
    assert_eq!(missing(&with(&[functions])), ["lambda:GetPolicy f", "lambda:ListFunctionUrlConfigs f"]);
    let refused = "An error occurred (ResourceNotFoundException) when calling the GetPolicy operation: The resource you requested does not exist.";
    let none = [functions, ("get-policy-f.json", refused), ("get-function-url-config-f.json", refused)];
    assert_eq!(missing(&with(&none)), Vec::<String>::new());
    let url = r#"{"FunctionUrl": "https://x/", "FunctionArn": "arn:aws:lambda:a:b:function:f", "AuthType": "NONE"}"#;
    let policy = r#"{"Policy": "{\"Statement\": []}", "RevisionId": "1"}"#;
    let topology =
        folder(&with(&[functions, ("get-policy-f.json", policy), ("get-function-url-config-f.json", url)])).topology;
    assert_eq!((topology.function_urls.len(), topology.function_policies[0].function_name.as_str()), (1, "f"));
    let denied = "An error occurred (AccessDeniedException) when calling the GetPolicy operation: no";
    let files = [
        functions,
        ("get-policy-f.json", denied),
        ("list-function-url-configs-f.json", r#"{"FunctionUrlConfigs": []}"#),
    ];
    assert_eq!(missing(&with(&files)), ["lambda:GetPolicy f"]);
}

#[test]
fn the_rules_of_a_firewall_are_missed() {
    let firewall = r#"{"Firewall": {"FirewallArn": "arn:f", "FirewallPolicyArn": "arn:p"}}"#;
    let policy = r#"{"FirewallPolicyResponse": {"FirewallPolicyArn": "arn:p"}, "FirewallPolicy": {"StatelessRuleGroupReferences": [{"ResourceArn": "arn:g", "Priority": 1}]}}"#;
    let group = r#"{"RuleGroupResponse": {"RuleGroupArn": "arn:g"}, "RuleGroup": {"RulesSource": {}}}"#;
    let mut files = vec![("describe-firewall-f.json", firewall)];
    assert_eq!(missing(&with(&files)), ["network-firewall:DescribeFirewallPolicy arn:p"]);
    files.push(("describe-firewall-policy-p.json", policy));
    assert_eq!(missing(&with(&files)), ["network-firewall:DescribeRuleGroup arn:g"]);
    files.push(("describe-rule-group-g.json", group));
    assert_eq!(missing(&with(&files)), Vec::<String>::new());
    files.pop();
    files.push(("describe-rule-group-g.json", r#"{"RuleGroupResponse": {"RuleGroupArn": "arn:g"}}"#)); // without its rules
    assert!(missing(&with(&files)).contains(&"network-firewall:DescribeRuleGroup arn:g".to_owned()));
}
