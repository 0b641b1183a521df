//! Random answers of AWS: two VPCs of one account, a third that somebody else has, and everything that joins them,
//! made of few blocks and ports so that rules meet often. The same seed gives the same answers.

mod balancers;
mod dice;
mod filters;
mod firewall;
mod links;
mod routes;

pub use dice::Dice;

use crate::oracle::Answers;
use serde_json::{Value, json};

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "eu-central-1";

/// Every block that a rule, route or list can name.
pub const BLOCKS: &[&str] = &[
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "8.0.0.0/7",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.0.0/24",
    "10.1.1.0/24",
    "10.1.0.128/25",
    "10.2.0.0/16",
    "10.2.4.0/24",
    "11.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "192.168.4.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "203.0.113.0/25",
    "203.0.113.64/26",
    "203.0.113.77/32",
    "::/0",
    "2000::/3",
    "2001:db8::/32",
    "2001:db8:2::/56",
    "2001:db8:8000::/33",
    "2001:db8:8000::7/128",
    "fc00::/7",
];

/// Every port at which a rule can begin or end.
pub const PORTS: &[u16] = &[0, 21, 22, 80, 443, 1023, 1024, 8080, 32768, 60999, 65534, 65535];

/// The calls that can be denied, one at a time, as files.
const DENIABLE: &[&str] = &[
    "describe-route-tables",
    "describe-network-acls",
    "describe-security-groups",
    "describe-internet-gateways",
    "describe-vpc-peering-connections",
    "describe-vpn-gateways",
    "describe-vpn-connections",
    "get-managed-prefix-list-entries-pl-1",
    "search-transit-gateway-routes-tgw-rtb-1",
    "describe-target-health-tg-1",
    "describe-rule-group-stateless",
    "describe-rule-group-stateful",
];

/// One region's answers.
pub fn answers(seed: u64) -> Answers {
    let mut dice = Dice::new(seed);
    let mut answers = Answers::new();
    places(&mut answers);
    routes::tables(&mut dice, &mut answers);
    filters::lists(&mut dice, &mut answers);
    filters::groups(&mut dice, &mut answers);
    interfaces(&mut dice, &mut answers);
    links::peerings(&mut dice, &mut answers);
    links::transit(&mut dice, &mut answers);
    links::premises(&mut dice, &mut answers);
    firewall::firewall(&mut dice, &mut answers);
    balancers::balancers(&mut dice, &mut answers);
    if dice.one_in(4) {
        answers.remove(*dice.pick(DENIABLE));
    }
    answers
}

/// What AWS answers to one call.
fn put(answers: &mut Answers, file: &str, key: &str, items: Vec<Value>) {
    answers.insert(file.into(), json!({ key: items }));
}

fn is_ipv6(block: &str) -> bool {
    block.contains(':')
}

fn places(answers: &mut Answers) {
    let vpc = |id: &str, block: &str, ipv6: &str| {
        json!({
            "VpcId": id, "OwnerId": ACCOUNT, "CidrBlock": block, "State": "available",
            "CidrBlockAssociationSet": [{"CidrBlock": block, "CidrBlockState": {"State": "associated"}}],
            "Ipv6CidrBlockAssociationSet": [
                {"Ipv6CidrBlock": ipv6, "Ipv6CidrBlockState": {"State": "associated"}}
            ],
        })
    };
    let vpcs = vec![vpc("vpc-1", "10.0.0.0/16", "2001:db8:1::/56"), vpc("vpc-2", "10.1.0.0/16", "2001:db8:2::/56")];
    put(answers, "describe-vpcs", "Vpcs", vpcs);
    let subnet = |id: &str, vpc: &str, block: &str, ipv6: &str, zone: &str| {
        json!({
            "SubnetId": id, "VpcId": vpc, "OwnerId": ACCOUNT, "CidrBlock": block, "State": "available",
            "AvailabilityZone": format!("{REGION}{zone}"),
            "Ipv6CidrBlockAssociationSet": [
                {"Ipv6CidrBlock": ipv6, "Ipv6CidrBlockState": {"State": "associated"}}
            ],
        })
    };
    let subnets = vec![
        subnet("subnet-1", "vpc-1", "10.0.0.0/24", "2001:db8:1:1::/64", "a"),
        subnet("subnet-2", "vpc-1", "10.0.1.0/24", "2001:db8:1:2::/64", "b"),
        subnet("subnet-f", "vpc-1", "10.0.9.0/28", "2001:db8:1:f::/64", "a"),
        subnet("subnet-3", "vpc-2", "10.1.0.0/24", "2001:db8:2:3::/64", "a"),
        subnet("subnet-4", "vpc-2", "10.1.1.0/24", "2001:db8:2:4::/64", "b"),
    ];
    put(answers, "describe-subnets", "Subnets", subnets);
}

/// Where an interface of a random topology stands.
#[derive(Clone, Copy)]
struct Spot {
    vpc: &'static str,
    subnet: &'static str,
    zone: &'static str,
    ipv4: &'static str,
    ipv6: &'static str,
}

const SPOTS: &[Spot] = &[
    Spot { vpc: "vpc-1", subnet: "subnet-1", zone: "a", ipv4: "10.0.0.", ipv6: "2001:db8:1:1::" },
    Spot { vpc: "vpc-1", subnet: "subnet-2", zone: "b", ipv4: "10.0.1.", ipv6: "2001:db8:1:2::" },
    Spot { vpc: "vpc-2", subnet: "subnet-3", zone: "a", ipv4: "10.1.0.", ipv6: "2001:db8:2:3::" },
    Spot { vpc: "vpc-2", subnet: "subnet-4", zone: "b", ipv4: "10.1.1.", ipv6: "2001:db8:2:4::" },
];

fn groups_of(dice: &mut Dice, spot: Spot) -> Vec<&'static str> {
    match spot.vpc {
        "vpc-1" => dice.pick(&[vec!["sg-1"], vec!["sg-2"], vec!["sg-1", "sg-2"], vec!["sg-3"]]).clone(),
        _ => vec!["sg-4"],
    }
}

fn interfaces(dice: &mut Dice, answers: &mut Answers) {
    let mut all = Vec::new();
    for number in 1..=5_usize {
        let spot = if number == 5 { SPOTS[dice.below(4)] } else { SPOTS[(number - 1) % 4] };
        let mut interface = interface(dice, number, spot);
        let kind = if dice.one_in(15) { *dice.pick(&["nat_gateway", "lambda", "vpc_endpoint"]) } else { "interface" };
        interface["InterfaceType"] = json!(kind);
        if kind == "interface" {
            // The fifth is the first instance's second interface, when it stands in the same VPC.
            let is_second = number == 5 && spot.vpc == "vpc-1";
            let instance = if is_second { "i-1".to_owned() } else { format!("i-{number}") };
            let index = usize::from(is_second);
            interface["Attachment"] = json!({"InstanceId": instance, "DeviceIndex": index, "Status": "attached"});
        } else {
            interface["RequesterManaged"] = json!(true);
        }
        all.push(interface);
    }
    put(answers, "describe-network-interfaces", "NetworkInterfaces", all);
    let instance = |dice: &mut Dice, number: usize| {
        let primary = format!("{}{}", SPOTS[(number - 1) % 4].ipv4, 10 + number);
        let state = if dice.one_in(20) { "terminated" } else { "running" };
        json!({"InstanceId": format!("i-{number}"), "State": {"Name": state}, "PrivateIpAddress": primary})
    };
    let instances: Vec<Value> = (1..=4).map(|number| instance(dice, number)).collect();
    put(answers, "describe-instances", "Reservations", vec![json!({ "Instances": instances })]);
}

fn interface(dice: &mut Dice, number: usize, spot: Spot) -> Value {
    let mut addresses = vec![json!({"Primary": true, "PrivateIpAddress": format!("{}{}", spot.ipv4, 10 + number)})];
    if dice.one_in(4) {
        addresses.push(json!({"Primary": false, "PrivateIpAddress": format!("{}{}", spot.ipv4, 100 + number)}));
    }
    for address in &mut addresses {
        if dice.one_in(2) {
            address["Association"] = json!({"PublicIp": format!("192.0.2.{number}"), "IpOwnerId": ACCOUNT});
        }
    }
    let ipv6 = if dice.one_in(2) { vec![json!({"Ipv6Address": format!("{}{number}", spot.ipv6)})] } else { Vec::new() };
    let groups: Vec<Value> = groups_of(dice, spot).iter().map(|id| json!({"GroupId": id, "GroupName": id})).collect();
    json!({
        "NetworkInterfaceId": format!("eni-{number}"),
        "VpcId": spot.vpc, "SubnetId": spot.subnet, "OwnerId": ACCOUNT,
        "AvailabilityZone": format!("{REGION}{}", spot.zone),
        "PrivateIpAddresses": addresses, "Ipv6Addresses": ipv6, "Groups": groups,
        "InterfaceType": "interface", "Status": "in-use", "Description": "",
    })
}
