//! Network ACLs and security groups.

use super::{ACCOUNT, Answers, BLOCKS, Dice, PORTS, is_ipv6, put};
use serde_json::{Value, json};

pub fn ports(dice: &mut Dice) -> (u16, u16) {
    let (one, other) = (*dice.pick(PORTS), *dice.pick(PORTS));
    (one.min(other), one.max(other))
}

fn entry(egress: bool, number: i64, allow: bool, protocol: &str, block: &str, ports: Option<(u16, u16)>) -> Value {
    let field = if is_ipv6(block) { "Ipv6CidrBlock" } else { "CidrBlock" };
    let mut entry = json!({
        "Egress": egress, "RuleNumber": number, "RuleAction": if allow { "allow" } else { "deny" },
        "Protocol": protocol, field: block,
    });
    if let Some((first, last)) = ports.filter(|_| protocol != "-1") {
        entry["PortRange"] = json!({"From": first, "To": last});
    }
    entry
}

fn list(dice: &mut Dice, id: &str, vpc: &str, subnets: &[&str], is_default: bool) -> Value {
    let mut entries = Vec::new();
    let own = ["10.0.0.0/16", "10.0.1.0/24"];
    for number in 0..dice.below(6) as i64 {
        let block = if dice.one_in(6) { *dice.pick(&own) } else { *dice.pick(BLOCKS) };
        let protocol = *dice.pick(&["-1", "6", "6", "17", "1"]);
        let range = if dice.one_in(4) { None } else { Some(ports(dice)) };
        let egress = dice.one_in(2);
        entries.push(entry(egress, 100 + number, !dice.one_in(3), protocol, block, range));
    }
    if !dice.one_in(4) {
        for (number, block) in [(900, "0.0.0.0/0"), (901, "::/0")] {
            entries.push(entry(false, number, true, "-1", block, None));
            entries.push(entry(true, number, true, "-1", block, None));
        }
    }
    for (number, block) in [(32767, "0.0.0.0/0"), (32768, "::/0")] {
        entries.push(entry(false, number, false, "-1", block, None));
        entries.push(entry(true, number, false, "-1", block, None));
    }
    entries.reverse(); // numbers decide, not the order
    let associations: Vec<Value> =
        subnets.iter().map(|subnet| json!({"NetworkAclId": id, "SubnetId": subnet})).collect();
    json!({
        "NetworkAclId": id, "VpcId": vpc, "OwnerId": ACCOUNT, "IsDefault": is_default,
        "Entries": entries, "Associations": associations,
    })
}

/// `subnet-2` and `subnet-3` fall back to the default lists.
pub fn lists(dice: &mut Dice, answers: &mut Answers) {
    let lists = vec![
        list(dice, "acl-1", "vpc-1", &["subnet-1"], false),
        list(dice, "acl-2", "vpc-1", &[], true),
        list(dice, "acl-f", "vpc-1", &["subnet-f"], false),
        list(dice, "acl-3", "vpc-2", &["subnet-4"], false),
        list(dice, "acl-4", "vpc-2", &[], true),
    ];
    put(answers, "describe-network-acls", "NetworkAcls", lists);
}

fn permission(dice: &mut Dice) -> Value {
    let protocol = *dice.pick(&["-1", "tcp", "tcp", "6", "udp", "17", "icmp"]);
    let two = [*dice.pick(BLOCKS), *dice.pick(BLOCKS)];
    let blocks = if dice.one_in(6) { Vec::new() } else { dice.some(&two) };
    let (ipv6, ipv4): (Vec<&str>, Vec<&str>) = blocks.into_iter().partition(|block| is_ipv6(block));
    let lists = if dice.one_in(6) { vec![json!({"PrefixListId": "pl-1"})] } else { Vec::new() };
    let groups = if dice.one_in(3) {
        vec![json!({"GroupId": dice.pick(&["sg-1", "sg-3", "sg-4", "sg-lb", "sg-gone"]), "UserId": ACCOUNT})]
    } else {
        Vec::new()
    };
    let mut permission = json!({
        "IpProtocol": protocol,
        "IpRanges": ipv4.into_iter().map(|block| json!({"CidrIp": block})).collect::<Vec<_>>(),
        "Ipv6Ranges": ipv6.into_iter().map(|block| json!({"CidrIpv6": block})).collect::<Vec<_>>(),
        "PrefixListIds": lists, "UserIdGroupPairs": groups,
    });
    if protocol == "icmp" {
        (permission["FromPort"], permission["ToPort"]) = (json!(8), json!(0));
    } else if protocol != "-1" {
        let (first, last) = ports(dice);
        (permission["FromPort"], permission["ToPort"]) = (json!(first), json!(last));
    }
    permission
}

pub fn groups(dice: &mut Dice, answers: &mut Answers) {
    let mut groups = Vec::new();
    for (id, vpc) in [("sg-1", "vpc-1"), ("sg-2", "vpc-1"), ("sg-3", "vpc-1"), ("sg-4", "vpc-2"), ("sg-lb", "vpc-1")] {
        let mut permissions: Vec<Value> = (0..=dice.below(3)).map(|_| permission(dice)).collect();
        if id == "sg-lb" && dice.one_in(2) {
            let everyone = json!([{"CidrIp": "0.0.0.0/0"}]);
            permissions.push(json!({"IpProtocol": "-1", "IpRanges": everyone, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}));
        }
        if id != "sg-lb" && dice.one_in(3) {
            let balancer = json!([{"GroupId": "sg-lb"}]);
            permissions.push(json!({
                "IpProtocol": "-1", "IpRanges": [], "Ipv6Ranges": [], "UserIdGroupPairs": balancer,
            }));
        }
        groups.push(json!({
            "GroupId": id, "GroupName": id, "VpcId": vpc, "OwnerId": ACCOUNT, "Description": "",
            "IpPermissions": permissions, "IpPermissionsEgress": [],
        }));
    }
    put(answers, "describe-security-groups", "SecurityGroups", groups);
}
