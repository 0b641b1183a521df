//! Functions: a URL without authentication and a policy that names everyone are open to the whole internet
//! (Lambda developer guide, "Control access to Lambda function URLs", read 2026-11-24).

use crate::{
    addresses::Family,
    analysis::Undetermined,
    balancers::Contribution,
    doors::step,
    index::Index,
    rules::Unclear,
    sets::Sets,
    topology::{Function, Topology},
    ways::{Edge, Known},
};
use muster_domain::{Reachability, Step};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Both a URL and the API that invokes functions are HTTPS.
const PORT: u16 = 443;

const KIND: &str = "AWS::Lambda::Function";

/// Statements of one policy that are read: AWS allows 20 KB of policy, which holds fewer.
const STATEMENTS_MAX: usize = 1000;

/// Condition keys that tell how a function's URL is called, and not by whom.
const URL_KEYS: [&str; 2] = ["lambda:functionurlauthtype", "lambda:invokedviafunctionurl"];

/// What a function's policy says of everyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Open,
    Closed,
    Unreadable,
}

/// Every function of a topology that the internet, or a load balancer, reaches.
pub(crate) fn report(
    number: usize,
    topology: &Topology,
    index: &Index,
    known: &mut Known,
    handed_on: &BTreeMap<String, Vec<Contribution>>,
    undetermined: &mut Vec<Undetermined>,
) -> Vec<Reachability> {
    let mut found = Vec::new();
    let note = |resource: Option<&str>, edge: Edge, unclear: Unclear, undetermined: &mut Vec<Undetermined>| {
        undetermined.push(Undetermined {
            account: topology.account.clone(),
            region: topology.region.clone(),
            call: unclear.call,
            resource: resource.map(str::to_owned),
            interface: None,
            edge: Some(edge.as_str().to_owned()),
            reason: unclear.reason,
        });
    };
    if let Some(missing) = index.missing(number, "lambda:ListFunctions", "") {
        note(None, Edge::Internet, missing, undetermined);
    }
    let mut arns: BTreeSet<String> = topology.functions.iter().map(|function| arn_of(topology, function)).collect();
    arns.extend(topology.function_urls.iter().map(|url| without_alias(&url.function_arn).to_owned()));
    for arn in &arns {
        match openness(number, topology, index, arn) {
            Ok(true) => {
                found.push(reachability(topology, arn, PORT, Edge::Internet, everyone(), vec![step(arn, KIND)]))
            }
            Ok(false) => {}
            Err(unclear) => note(Some(arn), Edge::Internet, unclear, undetermined),
        }
    }
    for (arn, contributions) in handed_on {
        for one in contributions {
            if one.known != one.possible {
                one.unclear.iter().for_each(|unclear| note(Some(arn), one.edge, unclear.clone(), undetermined));
            }
        }
        found.extend(by_balancers(topology, arn, contributions, known));
    }
    found
}

/// As the API writes it, from what is known of the function.
fn arn_of(topology: &Topology, function: &Function) -> String {
    let made =
        || format!("arn:aws:lambda:{}:{}:function:{}", topology.region, topology.account, function.function_name);
    function.function_arn.clone().unwrap_or_else(made)
}

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, without the alias or version that may follow.
fn without_alias(arn: &str) -> &str {
    arn.match_indices(':').nth(6).map_or(arn, |(at, _)| &arn[..at])
}

fn name_of(arn: &str) -> &str {
    without_alias(arn).rsplit(':').next().unwrap_or(arn)
}

fn everyone() -> Vec<String> {
    vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()]
}

fn reachability(
    topology: &Topology,
    arn: &str,
    port: u16,
    edge: Edge,
    sources: Vec<String>,
    path: Vec<Step>,
) -> Reachability {
    Reachability {
        account: topology.account.clone(),
        region: topology.region.clone(),
        resource: arn.to_owned(),
        interface: String::new(),
        protocol: "TCP".to_owned(),
        port_begin: port,
        port_end: port,
        edge: edge.as_str().to_owned(),
        sources,
        path,
    }
}

/// Whether everyone may call a function.
fn openness(number: usize, topology: &Topology, index: &Index, arn: &str) -> Result<bool, Unclear> {
    let name = name_of(arn);
    let urls = topology.function_urls.iter().filter(|url| without_alias(&url.function_arn) == arn);
    let mut has_url = false;
    for url in urls {
        has_url = true;
        if url.auth_type.as_deref() == Some("NONE") {
            return Ok(true);
        }
    }
    let policy =
        topology.function_policies.iter().find(|policy| policy.function_name == name || policy.function_name == arn);
    let unreadable = || Unclear::new("lambda:GetPolicy", format!("the policy of {name} cannot be read"));
    match policy.map(|policy| read(&policy.policy, has_url)) {
        Some(Policy::Open) => return Ok(true),
        Some(Policy::Unreadable) => return Err(unreadable()),
        Some(Policy::Closed) | None => {}
    }
    let denied = |call: &str| index.missing(number, call, name).or_else(|| index.missing(number, call, arn));
    let mut calls = vec!["lambda:ListFunctionUrlConfigs", "lambda:GetFunctionUrlConfig"];
    if policy.is_none() {
        calls.push("lambda:GetPolicy");
    }
    calls.into_iter().find_map(denied).map_or(Ok(false), Err)
}

/// Whether a policy lets everyone call the function, and takes it back from nobody.
fn read(policy: &str, has_url: bool) -> Policy {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return Policy::Unreadable;
    };
    let statements: Vec<&Value> = match policy.get("Statement") {
        Some(Value::Array(statements)) if statements.len() <= STATEMENTS_MAX => statements.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => return Policy::Unreadable,
    };
    let meant = |effect: &str| {
        let of_effect = statements.iter().filter(|one| one.get("Effect").and_then(Value::as_str) == Some(effect));
        let mut meant = of_effect.filter(|one| names_everyone(one) && invokes(one));
        meant.any(|one| is_unconditional(one, has_url))
    };
    if meant("Allow") && !meant("Deny") { Policy::Open } else { Policy::Closed }
}

/// One text or several.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn names_everyone(statement: &Value) -> bool {
    match statement.get("Principal") {
        Some(Value::Object(principals)) => texts(principals.get("AWS")).contains(&"*"),
        principal => texts(principal).contains(&"*"),
    }
}

fn invokes(statement: &Value) -> bool {
    let is_call = |action: &&str| {
        let action = action.to_ascii_lowercase();
        match action.strip_suffix('*') {
            Some(prefix) => "lambda:invokefunctionurl".starts_with(prefix),
            None => matches!(action.as_str(), "lambda:invokefunction" | "lambda:invokefunctionurl"),
        }
    };
    texts(statement.get("Action")).iter().any(is_call)
}

/// Without a condition, or with one that only says that the function's URL is called.
fn is_unconditional(statement: &Value, has_url: bool) -> bool {
    let Some(Value::Object(condition)) = statement.get("Condition") else {
        return true;
    };
    let mut keys = condition.values().filter_map(Value::as_object).flat_map(|keys| keys.keys());
    condition.is_empty() || (has_url && keys.all(|key| URL_KEYS.contains(&key.to_ascii_lowercase().as_str())))
}

/// The sources of each family.
type BlocksOf = BTreeMap<Family, Vec<String>>;

/// What load balancers hand on: one reachability for each edge, protocol and port, with the shortest path.
fn by_balancers(
    topology: &Topology,
    arn: &str,
    contributions: &[Contribution],
    known: &mut Known,
) -> Vec<Reachability> {
    let mut found: BTreeMap<(Edge, u16), (Vec<Step>, BlocksOf)> = BTreeMap::new();
    for one in contributions {
        let stretches = known.sets.stretches(one.known).to_vec();
        for stretch in stretches.into_iter().filter(|stretch| !Sets::is_none(stretch.set)) {
            let all = contributions.iter().filter(|other| (other.edge, other.family) == (one.edge, one.family));
            let mut sources = Sets::none(one.family);
            for other in all {
                let here = known.sets.at(other.known, stretch.ports.first, one.family);
                sources = known.sets.union(sources, here);
            }
            let blocks = known.sets.get(sources).blocks_within(known.sets.get(one.universe));
            let path: Vec<Step> = one.before.iter().cloned().chain([step(arn, KIND)]).collect();
            let entry = found.entry((one.edge, stretch.ports.first)).or_insert_with(|| (path.clone(), BTreeMap::new()));
            entry.1.insert(one.family, blocks);
            if (path.len(), &path) < (entry.0.len(), &entry.0) {
                entry.0 = path;
            }
        }
    }
    let reachabilities = found.into_iter().map(|((edge, port), (path, sources))| {
        reachability(topology, arn, port, edge, sources.into_values().flatten().collect(), path)
    });
    reachabilities.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_open_when_it_names_everyone_without_a_condition() {
        let check = |statement: &str, has_url: bool, expected: Policy| {
            let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
            assert_eq!(read(&policy, has_url), expected, "{statement}");
        };
        let invoke = r#""Effect":"Allow","Action":"lambda:InvokeFunction""#;
        check(&format!(r#"{{{invoke},"Principal":"*"}}"#), false, Policy::Open);
        check(&format!(r#"{{{invoke},"Principal":{{"AWS":"*"}}}}"#), false, Policy::Open);
        check(&format!(r#"{{{invoke},"Principal":{{"AWS":["1","*"]}}}}"#), false, Policy::Open);
        check(&format!(r#"{{{invoke},"Principal":{{"Service":"s3.amazonaws.com"}}}}"#), false, Policy::Closed);
        let account = r#""Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"}}"#;
        check(&format!(r#"{{{invoke},"Principal":"*",{account}}}"#), false, Policy::Closed);
        let url = r#""Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}"#;
        check(&format!(r#"{{{invoke},"Principal":"*",{url}}}"#), true, Policy::Open);
        check(&format!(r#"{{{invoke},"Principal":"*",{url}}}"#), false, Policy::Closed); // there is no URL to call
        check(r#"{"Effect":"Allow","Action":"lambda:*","Principal":"*"}"#, false, Policy::Open);
        check(r#"{"Effect":"Allow","Action":"lambda:GetFunction","Principal":"*"}"#, false, Policy::Closed);
        let deny = r#"{"Effect":"Deny","Action":"*","Principal":"*"}"#;
        check(&format!(r#"{{{invoke},"Principal":"*"}},{deny}"#), false, Policy::Closed);
        assert_eq!(read("no policy", false), Policy::Unreadable);
        assert_eq!(read("{}", false), Policy::Unreadable);
    }

    #[test]
    fn an_alias_is_of_the_same_function() {
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello";
        assert_eq!(without_alias(&format!("{arn}:live")), arn);
        assert_eq!(without_alias(arn), arn);
        assert_eq!(name_of(&format!("{arn}:live")), "hello");
    }
}
