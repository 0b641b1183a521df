//! What a change of the network must do to the answer, whatever the network is.

use crate::{
    oracle::Answers,
    packets::Said,
    probes::Probes,
    random::{self, Dice},
    reading,
};
use muster_domain::Reachability;
use muster_network::{Analysis, Analyzer, Topology, analyze};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Networks per law.
const SEEDS: std::ops::Range<u64> = 1000..1060;

fn topology(answers: &Answers) -> Topology {
    reading::topology(random::ACCOUNT, random::REGION, answers)
}

fn analysis(answers: &Answers) -> Analysis {
    analyze(&[topology(answers)]).remove(0)
}

/// Interface and call of what cannot be told: reasons may name what was changed.
fn unknown(analysis: &Analysis) -> BTreeSet<(Option<String>, String)> {
    analysis.undetermined.iter().map(|open| (open.interface.clone(), open.call.clone())).collect()
}

/// Every object in the answers, the outer ones first.
fn each_object(value: &mut Value, change: &mut dyn FnMut(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|field| each_object(field, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, change)),
        _ => {}
    }
}

/// The items of one call.
fn items<'a>(answers: &'a mut Answers, file: &str, key: &str) -> &'a mut Vec<Value> {
    answers.entry(file.into()).or_insert_with(|| json!({ key: [] }))[key].as_array_mut().unwrap()
}

/// Items that name a whole address family in one of these fields, twice: once for each half.
fn halved(items: &mut Vec<Value>, fields: &[&str]) {
    let all = std::mem::take(items);
    for item in all {
        let whole = fields.iter().find_map(|field| match item[*field].as_str() {
            Some("0.0.0.0/0") => Some((*field, ["0.0.0.0/1", "128.0.0.0/1"])),
            Some("::/0") => Some((*field, ["::/1", "8000::/1"])),
            _ => None,
        });
        let Some((field, halves)) = whole else {
            items.push(item);
            continue;
        };
        for half in halves {
            let mut part = item.clone();
            part[field] = json!(half);
            items.push(part);
        }
    }
}

/// Of two static routes to one destination the first stays: it was the more specific one before.
fn without_second_static_routes(routes: &mut Vec<Value>, fields: &[&str], whole: &[Value]) {
    let is_static = |route: &Value| route["Origin"] != "EnableVgwRoutePropagation" && route["Type"] != "propagated";
    let same = |one: &Value, other: &Value| fields.iter().all(|field| one[*field] == other[*field]);
    let all = std::mem::take(routes);
    for route in all {
        let was_there = whole.contains(&route);
        let known = whole.iter().any(|known| is_static(known) && same(known, &route));
        if was_there || !is_static(&route) || !known {
            routes.push(route);
        }
    }
}

#[test]
fn everyone_in_two_halves_is_everyone() {
    for seed in SEEDS {
        let whole = random::answers(seed);
        let mut split = whole.clone();
        for acl in items(&mut split, "describe-network-acls", "NetworkAcls") {
            let entries = acl["Entries"].as_array_mut().unwrap();
            halved(entries, &["CidrBlock", "Ipv6CidrBlock"]);
            let mut seen = BTreeSet::new();
            for entry in entries {
                // Twice the room between numbers: the second half stands behind the first.
                let number = 2 * entry["RuleNumber"].as_i64().unwrap();
                let number = if seen.insert((entry["Egress"].as_bool(), number)) { number } else { number + 1 };
                entry["RuleNumber"] = json!(number);
            }
        }
        for group in items(&mut split, "describe-security-groups", "SecurityGroups") {
            for permission in group["IpPermissions"].as_array_mut().unwrap() {
                halved(permission["IpRanges"].as_array_mut().unwrap(), &["CidrIp"]);
                halved(permission["Ipv6Ranges"].as_array_mut().unwrap(), &["CidrIpv6"]);
            }
        }
        let fields = ["DestinationCidrBlock", "DestinationIpv6CidrBlock"];
        for table in items(&mut split, "describe-route-tables", "RouteTables") {
            let routes = table["Routes"].as_array_mut().unwrap();
            let before = routes.clone();
            halved(routes, &fields);
            without_second_static_routes(routes, &fields, &before);
        }
        for file in ["search-transit-gateway-routes-tgw-rtb-1", "search-transit-gateway-routes-tgw-rtb-2"] {
            if let Some(answer) = split.get_mut(file) {
                let routes = answer["Routes"].as_array_mut().unwrap();
                let before = routes.clone();
                halved(routes, &fields[..1]);
                without_second_static_routes(routes, &fields[..1], &before);
            }
        }
        if let Some(group) = split.get_mut("describe-rule-group-stateless") {
            each_object(group, &mut |fields| {
                for side in ["Sources", "Destinations"] {
                    if let Some(Value::Array(blocks)) = fields.get_mut(side) {
                        halved(blocks, &["AddressDefinition"]);
                    }
                }
            });
        }
        // A missing file stays missing.
        split.retain(|file, _| whole.contains_key(file));
        let (split, whole) = (analysis(&split), analysis(&whole));
        assert_eq!(split.reachabilities, whole.reachabilities, "seed {seed}");
        assert_eq!(unknown(&split), unknown(&whole), "seed {seed}");
    }
}

#[test]
fn a_lower_numbered_deny_removes_exactly_its_ports() {
    for seed in SEEDS {
        let mut answers = random::answers(seed);
        answers.retain(|file, _| !file.contains("load-balancers") && !file.contains("listeners"));
        let open = analysis(&answers);
        if !answers.contains_key("describe-network-acls") {
            continue;
        }
        for acl in items(&mut answers, "describe-network-acls", "NetworkAcls") {
            let entries = acl["Entries"].as_array_mut().unwrap();
            for (number, field, block) in [(1, "CidrBlock", "0.0.0.0/0"), (2, "Ipv6CidrBlock", "::/0")] {
                entries.push(json!({
                    "Egress": false, "RuleNumber": number, "RuleAction": "deny", "Protocol": "6", field: block,
                    "PortRange": {"From": 22, "To": 80},
                }));
            }
        }
        let mut expected: Vec<Reachability> = Vec::new();
        let internet = |ranges: Vec<Reachability>| -> Vec<Reachability> {
            let mut ranges: Vec<Reachability> = ranges
                .into_iter()
                .filter(|range| range.edge == "internet")
                .map(|range| Reachability { path: Vec::new(), ..range }) // a part may owe its place to fewer groups
                .collect();
            ranges.sort();
            ranges
        };
        for range in internet(open.reachabilities) {
            if range.protocol == "UDP" || range.port_end < 22 || range.port_begin > 80 {
                expected.push(range);
                continue;
            }
            if range.port_begin < 22 {
                expected.push(Reachability { port_end: 21, ..range.clone() });
            }
            if range.port_end > 80 {
                expected.push(Reachability { port_begin: 81, ..range });
            }
        }
        assert_eq!(internet(analysis(&answers).reachabilities), internet(expected), "seed {seed}");
    }
}

#[test]
fn without_a_route_to_the_gateway_the_internet_reaches_nothing() {
    for seed in SEEDS {
        let mut answers = random::answers(seed);
        for table in items(&mut answers, "describe-route-tables", "RouteTables") {
            let routes = table["Routes"].as_array_mut().unwrap();
            routes.retain(|route| !route["GatewayId"].as_str().is_some_and(|target| target.starts_with("igw-")));
        }
        let mut reachabilities = analysis(&answers).reachabilities;
        reachabilities.retain(|range| range.edge == "internet");
        assert_eq!(reachabilities, [], "seed {seed}");
    }
}

#[test]
fn a_rule_more_lets_nobody_out() {
    for seed in SEEDS {
        let answers = random::answers(seed);
        let mut more = answers.clone();
        if !more.contains_key("describe-security-groups") {
            continue;
        }
        for group in items(&mut more, "describe-security-groups", "SecurityGroups") {
            let permissions = group["IpPermissions"].as_array_mut().unwrap();
            permissions.push(json!({
                "IpProtocol": "tcp", "FromPort": 1, "ToPort": 30000, "IpRanges": [{"CidrIp": "0.0.0.0/1"}],
            }));
        }
        let before = Said::of(&[analysis(&answers)]);
        let after = Said::of(&[analysis(&more)]);
        let probes = Probes::of([&answers]);
        let mut dice = Dice::new(seed);
        for _ in 0..500 {
            let packet = before.packet(&mut dice, &probes);
            let lost = before.holds(&packet) && !after.holds(&packet) && !after.is_open_about(&packet);
            assert!(!lost, "seed {seed}: {packet:?}");
        }
    }
}

/// Another network of the same shape, whose ids all differ.
fn renamed(text: &str) -> String {
    const BEGINNINGS: [&str; 19] = [
        "vpc-", "subnet-", "rtb-", "acl-", "sg-", "eni-", "i-", "igw-", "pl-", "pcx-", "tgw-", "vgw-", "vpn-", "cgw-",
        "dxvif-", "dxgw-", "vpce-", "nat-", "tg-",
    ];
    let mut text = text.to_owned();
    for beginning in BEGINNINGS {
        text = text.replace(&format!("\"{beginning}"), &format!("\"{beginning}x"));
    }
    const NAMES: [&str; 9] =
        ["targetgroup/tg-", "app/", "net/", "ELB o", "firewall/", "firewall-policy/", "rulegroup/", "\"o", "eigw-"];
    for name in NAMES {
        let keeps_its_end = name.strip_suffix('o');
        let new = keeps_its_end.map_or_else(|| format!("{name}x"), |head| format!("{head}xo"));
        text = match name {
            "ELB o" | "\"o" => text.replace(&format!("{name}ld\""), &format!("{new}ld\"")),
            _ => text.replace(name, &new),
        };
    }
    text
}

fn renamed_answers(answers: &Answers) -> Answers {
    let rename_file = |name: &str| {
        ["-tgw-rtb-", "-pl-", "-tg-"].iter().fold(name.to_owned(), |name, id| match name.rsplit_once(id) {
            Some((call, end)) => {
                let renamed = renamed(&format!("\"{}", &id[1..]));
                format!("{call}-{}{end}", &renamed[1..])
            }
            None => name,
        })
    };
    let rename = |(name, answer): (&String, &Value)| {
        (rename_file(name), serde_json::from_str(&renamed(&answer.to_string())).unwrap())
    };
    answers.iter().map(rename).collect()
}

#[test]
fn other_names_change_nothing_but_names() {
    for seed in SEEDS {
        let answers = random::answers(seed);
        let plain = analysis(&answers);
        let mut expected: Analysis = serde_json::from_str(&renamed(&serde_json::to_string(&plain).unwrap())).unwrap();
        expected.reachabilities.sort();
        let mut said = analysis(&renamed_answers(&answers));
        said.reachabilities.sort();
        assert_eq!(said.reachabilities, expected.reachabilities, "seed {seed}");
        assert_eq!(unknown(&said), unknown(&expected), "seed {seed}");
    }
}

#[test]
fn networks_that_share_nothing_do_not_see_each_other() {
    for seed in SEEDS {
        let here = random::answers(seed);
        let there = renamed_answers(&random::answers(seed + 1));
        let alone = [analysis(&here), analysis(&there)];
        let side_by_side = analyze(&[topology(&here), topology(&there)]);
        assert_eq!(side_by_side, alone, "seed {seed}");
        // In one region a call is answered for both or for neither.
        let calls = |answers: &Answers| answers.keys().map(|name| name.replace("-x", "-")).collect::<BTreeSet<_>>();
        if calls(&here) != calls(&there) {
            continue;
        }
        let mut both = topology(&here);
        join(&mut both, topology(&there));
        let mut expected: Vec<Reachability> = alone.into_iter().flat_map(|one| one.reachabilities).collect();
        expected.sort();
        assert_eq!(analyze(&[both]).remove(0).reachabilities, expected, "seed {seed}");
    }
}

/// Both in one region.
fn join(ours: &mut Topology, theirs: Topology) {
    let (Value::Object(mut one), Value::Object(other)) =
        (serde_json::to_value(&*ours).unwrap(), serde_json::to_value(theirs).unwrap())
    else {
        panic!("a topology is an object");
    };
    for (key, value) in other {
        match (one.get_mut(&key), value) {
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (Some(_), _) => {}
            (None, value) => drop(one.insert(key, value)),
        }
    }
    *ours = serde_json::from_value(Value::Object(one)).unwrap();
}

/// Every list from its end, where order means nothing: all but the stateful rules of a firewall.
fn turned(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.iter_mut().filter(|(key, _)| *key != "StatefulRules").for_each(|(_, field)| turned(field));
        }
        Value::Array(items) => {
            items.reverse();
            items.iter_mut().for_each(turned);
        }
        _ => {}
    }
}

#[test]
fn the_order_of_answers_means_nothing() {
    for seed in SEEDS {
        let answers = random::answers(seed);
        let mut other = answers.clone();
        other.values_mut().for_each(turned);
        let (one, other) = (topology(&answers), topology(&other));
        assert_eq!(one.fingerprint(), other.fingerprint(), "seed {seed}");
        assert_eq!(analyze(&[one]), analyze(&[other]), "seed {seed}");
    }
}

#[test]
fn what_is_kept_from_the_last_time_never_shows() {
    let mut analyzer = Analyzer::new();
    for seed in SEEDS {
        let mut answers = random::answers(seed);
        let mut dice = Dice::new(seed);
        for _ in 0..4 {
            let fresh = random::answers(seed + 1 + dice.below(50) as u64);
            // One call is answered otherwise than the last time, or no longer.
            let file = dice.pick(&answers.keys().cloned().collect::<Vec<_>>()).clone();
            match fresh.get(&file) {
                Some(answer) => drop(answers.insert(file, answer.clone())),
                None => drop(answers.remove(&file)),
            }
            let topologies = [topology(&answers)];
            assert_eq!(analyzer.analyze(&topologies), analyze(&topologies), "seed {seed}");
        }
    }
}

/// The second VPC's answers in an account of their own; what joins both is told to both.
fn in_two_accounts(answers: &Answers) -> [Answers; 2] {
    let lies_in = |item: &Value, vpc: &str| {
        let attached = item["Attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
        item["VpcId"] == vpc || attached.iter().any(|attachment| attachment["VpcId"] == vpc)
    };
    ["vpc-1", "vpc-2"].map(|own| {
        let mut part = answers.clone();
        for answer in part.values_mut() {
            let lists = answer.as_object_mut().unwrap().values_mut().filter_map(Value::as_array_mut);
            for list in lists {
                list.retain(|item| lies_in(item, own) || !(lies_in(item, "vpc-1") || lies_in(item, "vpc-2")));
            }
        }
        part
    })
}

#[test]
fn two_accounts_see_together_what_one_would() {
    for seed in SEEDS {
        let answers = random::answers(seed);
        let [first, second] = in_two_accounts(&answers);
        let topologies = [topology(&first), reading::topology("210987654321", random::REGION, &second)];
        let ranges = |analyses: Vec<Analysis>| {
            let ranges = analyses.into_iter().flat_map(|analysis| analysis.reachabilities);
            ranges.map(|range| Reachability { account: String::new(), ..range }).collect::<BTreeSet<_>>()
        };
        assert_eq!(ranges(analyze(&topologies)), ranges(vec![analysis(&answers)]), "seed {seed}");
    }
}
