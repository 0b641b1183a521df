//! Functions: no packet enters their interfaces; who may call them, their URLs and policies say
//! (Lambda developer guide, "Control access to Lambda function URLs", read 2026-11-24).

use super::{
    Blocker, Candidate, Endpoint, Protocol, Question, Unknown, Verdict,
    map::{Map, is_private},
};
use crate::topology::Function;
use muster_domain::Step;

/// The port of function URLs and of the Lambda API.
const PORT: u16 = 443;

/// The function that an end names by its name or ARN.
pub(super) fn named<'a>(map: Map<'a>, endpoint: &Endpoint) -> Option<&'a Function> {
    let Endpoint::Resource(name) = endpoint else {
        return None;
    };
    map.all(|topology| &topology.functions)
        .find(|function| function.function_name == *name || function.function_arn.as_deref() == Some(name))
}

/// Whether the internet may call a function; `None` when the question is not about one.
pub(super) fn candidate(map: Map, question: &Question) -> Option<Candidate> {
    let function = named(map, &question.destination)?;
    let arn = function.function_arn.clone().unwrap_or_else(|| function.function_name.clone());
    let mut candidate = Candidate {
        verdict: Verdict::Blocked,
        via: "function URL".into(),
        source: question.source.to_string(),
        destination: arn.clone(),
        path: Vec::new(),
        trail: Vec::new(),
        blocked_by: None,
        changes: Vec::new(),
        undetermined: Vec::new(),
    };
    let mut block = |component: &str, rule: &str, reason: String| {
        candidate.blocked_by = Some(Blocker { component: component.into(), rule: rule.into(), reason });
        Some(candidate.clone())
    };
    if (question.protocol, question.port) != (Protocol::Tcp, PORT) {
        return block(&arn, "tcp/443 alone", format!("functions are called over tcp/443, not {}", question.service()));
    }
    if matches!(question.source, Endpoint::Address(address) if is_private(address)) {
        return block(&arn, "internet alone", format!("{} does not come from the internet", question.source));
    }
    let urls: Vec<_> = map
        .all(|topology| &topology.function_urls)
        .filter(|url| url.function_arn == arn || url.function_arn.starts_with(&format!("{arn}:")))
        .collect();
    let open_url = urls.iter().find(|url| url.auth_type.as_deref() == Some("NONE"));

    let policy =
        map.first(|topology| &topology.function_policies, |policy| policy.function_name == function.function_name);
    let open_policy = policy.is_some_and(|policy| is_open_to_the_world(&policy.policy));
    let step = |id: &str, kind: &str| Step { component_id: id.into(), component_type: kind.into() };
    if open_url.is_some() || open_policy {
        candidate.verdict = Verdict::Reachable;
        if let Some(url) = open_url.and_then(|url| url.function_url.as_deref()) {
            candidate.path.push(step(url, "AWS::Lambda::Url"));
        }
        candidate.path.push(step(&arn, "AWS::Lambda::Function"));
        return Some(candidate);
    }
    for call in ["lambda:ListFunctionUrlConfigs", "lambda:GetFunctionUrlConfig", "lambda:GetPolicy"] {
        if let Some(unknown) = map.missing(None, call, &function.function_name) {
            candidate.verdict = Verdict::Undetermined;
            candidate.undetermined = vec![Unknown { call: call.into(), reason: unknown.reason }];
            return Some(candidate);
        }
    }
    let (rule, reason) = match urls.first() {
        Some(_) => ("AuthType AWS_IAM", format!("the URL of {arn} asks for IAM's permission")),
        None => ("no URL", format!("{arn} has no URL, and its policy lets not everyone call it")),
    };
    block(&arn, rule, reason)
}

/// Whether a statement lets everyone, without a condition.
fn is_open_to_the_world(policy: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(policy) else {
        return false;
    };
    let statements = match &policy["Statement"] {
        serde_json::Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    statements.iter().any(|statement| {
        let everyone = |principal: &serde_json::Value| principal == "*" || principal["AWS"] == "*";
        statement["Effect"] == "Allow"
            && everyone(&statement["Principal"])
            && statement["Condition"].as_object().is_none_or(serde_json::Map::is_empty)
    })
}
