//! Route tables of subnets and gateways, and the prefix list that they name.

use super::{ACCOUNT, Answers, BLOCKS, Dice, is_ipv6, put};
use serde_json::{Value, json};

/// A route as AWS writes it; the target's beginning tells its field.
fn route(destination: &str, target: &str, propagated: bool, dead: bool) -> Value {
    let field = match target.split('-').next().unwrap() {
        "nat" => "NatGatewayId",
        "tgw" => "TransitGatewayId",
        "pcx" => "VpcPeeringConnectionId",
        "eigw" => "EgressOnlyInternetGatewayId",
        "eni" => "NetworkInterfaceId",
        _ => "GatewayId",
    };
    let origin = match target {
        "local" => "CreateRouteTable",
        _ if propagated => "EnableVgwRoutePropagation",
        _ => "CreateRoute",
    };
    let destination_field = match destination {
        list if list.starts_with("pl-") => "DestinationPrefixListId",
        block if is_ipv6(block) => "DestinationIpv6CidrBlock",
        _ => "DestinationCidrBlock",
    };
    json!({
        destination_field: destination, field: target, "Origin": origin,
        "State": if dead { "blackhole" } else { "active" },
    })
}

/// The routes of a VPC's table: its own blocks, some that make sense, and some that come as they come. No two static
/// routes have one destination, as in AWS.
fn routes(dice: &mut Dice, local: [&str; 2], useful: &[(&str, &str)]) -> Vec<Value> {
    let mut routes: Vec<Value> = local.iter().map(|block| route(block, "local", false, false)).collect();
    let mut taken: Vec<&str> = local.to_vec();
    for (block, target) in useful {
        if !dice.one_in(5) && !taken.contains(block) {
            taken.push(block);
            routes.push(route(block, target, false, dice.one_in(20)));
        }
    }
    for _ in 0..dice.below(5) {
        let target = *dice.pick(&["igw-1", "igw-9", "nat-1", "eigw-1", "pcx-1", "pcx-2", "tgw-1", "vgw-1", "vpce-1"]);
        let block = if dice.one_in(8) { "pl-1" } else { dice.pick(BLOCKS) };
        if !taken.contains(&block) {
            taken.push(block);
            routes.push(route(block, target, false, dice.one_in(6)));
        }
    }
    for block in ["10.0.4.0/24", "10.1.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "203.0.113.0/24"] {
        if dice.one_in(5) && !local.contains(&block) {
            routes.push(route(block, "vgw-1", true, false));
        }
    }
    routes.reverse(); // prefixes decide, not the order
    routes
}

pub fn tables(dice: &mut Dice, answers: &mut Answers) {
    let inside = ["10.0.0.0/16", "2001:db8:1::/56"];
    let other = ["10.1.0.0/16", "2001:db8:2::/56"];
    let walled = dice.one_in(2);
    let out = if walled { "vpce-1" } else { "igw-1" };
    let over = *dice.pick(&["pcx-1", "tgw-1"]);
    let ours = [
        ("0.0.0.0/0", out),
        ("::/0", out),
        ("10.1.0.0/16", over),
        ("2001:db8:2::/56", over),
        ("10.2.0.0/16", "pcx-2"),
        ("172.16.0.0/12", "tgw-1"),
        ("192.168.0.0/16", *dice.pick(&["vgw-1", "tgw-1"])),
    ];
    let mut behind_the_wall = ours;
    behind_the_wall[0].1 = "igw-1";
    behind_the_wall[1].1 = "igw-1";
    let theirs = [
        ("10.0.0.0/16", over),
        ("2001:db8:1::/56", over),
        ("0.0.0.0/0", "igw-2"),
        ("::/0", "igw-2"),
        ("172.16.0.0/12", "tgw-1"),
    ];
    let association = |subnet: &str| json!({"Main": false, "SubnetId": subnet});
    let table = |id: &str, vpc: &str, routes: Vec<Value>, associations: Vec<Value>| {
        json!({
            "RouteTableId": id, "VpcId": vpc, "OwnerId": ACCOUNT, "Routes": routes, "Associations": associations,
        })
    };
    let mut tables = vec![
        table("rtb-1", "vpc-1", routes(dice, inside, &ours), vec![association("subnet-1")]),
        table("rtb-2", "vpc-1", routes(dice, inside, &ours), vec![json!({"Main": true})]),
        table("rtb-f", "vpc-1", routes(dice, inside, &behind_the_wall), vec![association("subnet-f")]),
        table("rtb-3", "vpc-2", routes(dice, other, &theirs), vec![association("subnet-3")]),
        table("rtb-4", "vpc-2", routes(dice, other, &theirs), vec![json!({"Main": true})]),
    ];
    if walled || dice.one_in(6) {
        let mut edge: Vec<Value> = inside.iter().map(|block| route(block, "local", false, false)).collect();
        for block in ["10.0.0.0/24", "10.0.1.0/24", "2001:db8:1:1::/64", "2001:db8:1:2::/64"] {
            if !dice.one_in(6) {
                let target = if dice.one_in(10) { "eni-9" } else { "vpce-1" };
                edge.push(route(block, target, false, false));
            }
        }
        let gateway = if dice.one_in(5) { "vgw-1" } else { "igw-1" };
        tables.push(table("rtb-e", "vpc-1", edge, vec![json!({"Main": false, "GatewayId": gateway})]));
    }
    put(answers, "describe-route-tables", "RouteTables", tables);
    let gateway = |id: &str, vpc: &str| json!({"InternetGatewayId": id, "OwnerId": ACCOUNT, "Attachments": [{"State": "available", "VpcId": vpc}]});
    let mut gateways = vec![gateway("igw-2", "vpc-2"), gateway("igw-9", "vpc-9")];
    if !dice.one_in(20) {
        gateways.push(gateway("igw-1", if dice.one_in(10) { "vpc-7" } else { "vpc-1" }));
    }
    put(answers, "describe-internet-gateways", "InternetGateways", gateways);
    let list = |id: &str| json!({"PrefixListId": id, "AddressFamily": "IPv4", "OwnerId": ACCOUNT});
    put(answers, "describe-managed-prefix-lists", "PrefixLists", vec![list("pl-1")]);
    let entries = dice.some(&["198.51.100.0/24", "203.0.113.0/25", "10.1.0.0/16", "192.168.4.0/24"]);
    let entries = entries.into_iter().map(|block| json!({ "Cidr": block })).collect();
    put(answers, "get-managed-prefix-list-entries-pl-1", "Entries", entries);
}
