//! SARIF 2.1.0 (OASIS): for code-scanning pages. One run a root, one rule a vulnerability, one result a verdict.

use crate::scan::Scanned;
use muster_domain::{Severity, Status, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The whole document.
pub fn document(scanned: &[Scanned]) -> Value {
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": scanned.iter().map(run).collect::<Vec<_>>(),
    })
}

fn run(scanned: &Scanned) -> Value {
    let verdicts: Vec<&Verdict> =
        scanned.matches.verdicts.iter().filter(|verdict| verdict.status != Status::NotAffected).collect();
    let mut worst: BTreeMap<&str, &Verdict> = BTreeMap::new();
    for verdict in &verdicts {
        let entry = worst.entry(&verdict.vulnerability).or_insert(verdict);
        if verdict.severity > entry.severity {
            *entry = verdict;
        }
    }
    json!({
        "tool": { "driver": {
            "name": "muster",
            "version": env!("CARGO_PKG_VERSION"),
            "rules": worst.values().map(|verdict| rule(verdict)).collect::<Vec<_>>(),
        } },
        "automationDetails": { "id": scanned.read.name },
        "results": verdicts.iter().map(|verdict| result(&scanned.read.name, verdict)).collect::<Vec<_>>(),
    })
}

fn rule(verdict: &Verdict) -> Value {
    let mut properties = json!({ "tags": ["vulnerability", "security"] });
    if let Some(score) = verdict.score {
        properties["security-severity"] = score.to_string().into();
    }
    json!({
        "id": verdict.vulnerability,
        "shortDescription": { "text": format!("{} in {}", verdict.vulnerability, verdict.package.name) },
        "properties": properties,
    })
}

fn result(target: &str, verdict: &Verdict) -> Value {
    let package = &verdict.package;
    let level = match (verdict.status, verdict.severity) {
        (Status::Undetermined, _) => "note",
        (_, Severity::Critical | Severity::High) => "error",
        (_, Severity::Medium) => "warning",
        _ => "note",
    };
    let fix = verdict.fixed_version.as_ref().map(|fixed| format!("; fixed in {fixed}")).unwrap_or_default();
    let text =
        format!("{} {}: {}: {}{fix}", package.name, package.version, verdict.vulnerability, verdict.explanation.reason);
    // A result needs a place: the package's proof, or the target itself for an SBOM that names none.
    let place = package.paths.first().map_or(target, String::as_str);
    json!({
        "ruleId": verdict.vulnerability,
        "level": level,
        "message": { "text": text },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(place) } } }],
        "partialFingerprints": { "package/v1": format!("{}:{}", verdict.vulnerability, package.purl) },
    })
}

/// A relative reference (RFC 3986): everything but unreserved letters and `/` is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri_reference() {
        assert_eq!(uri("usr/lib/a b@1.json"), "usr/lib/a%20b%401.json");
        assert_eq!(uri("dir:."), "dir%3A.");
    }
}
