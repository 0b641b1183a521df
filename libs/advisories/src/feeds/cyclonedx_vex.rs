//! VEX in CycloneDX JSON (cyclonedx.org/docs/1.6, `vulnerabilities[].analysis`, read 2026-11-24): statements of the user's own.
//! A document without analyses is a list of packages and no feed.
//!
//! `affects[].ref` is a package URL, the `bom-ref` of a component of the document that has one, or a BOM link to another
//! document (`urn:cdx:serial/version#bom-ref`), of which only a `bom-ref` that is a package URL says what it is. Versions that
//! an entry lists are told one by one; ranges of them (`vers:…`) can't be a statement about a package URL and are named.

use super::left_out::LeftOut;
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, Word, bounded, cut};
use muster_domain::{Components, PackageUrl, VexStatement, VexStatus};
use serde::Deserialize;
use std::collections::HashMap;

/// Most bytes of a detail that are kept.
const DETAIL_BYTES_MAX: usize = 1024;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    !head.is_json_list()
        && head.has_json_key("bomFormat")
        && head.has_json_key("vulnerabilities")
        && head.holds("\"analysis\"")
}

/// A document is a list of analyses.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let bom: Bom = serde_json::from_slice(document.bytes)
        .map_err(|cause| FeedError::NotJson { format: "CycloneDX VEX", cause })?;
    let purls = bom.purls();
    let author = bom.metadata.author();
    let id = bom.serial_number.0.clone().map_or_else(
        || document.name.to_owned(),
        |serial| match bom.version {
            Some(version) => format!("{serial}/{version}"),
            None => serial,
        },
    );
    for (index, vulnerability) in bom.vulnerabilities.iter().enumerate() {
        let Some(analysis) = &vulnerability.analysis else {
            continue; // a finding of some tool's, about which nobody said anything
        };
        let Some(name) = &vulnerability.id.0 else {
            sink(Item::skipped(format!("vulnerability {}", index + 1), "has no id"));
            continue;
        };
        let mut left_out = (LeftOut::default(), LeftOut::default());
        let place = format!("vulnerability {}: {name}", index + 1);
        let Some(status) = status_of(analysis) else {
            let state = cut(analysis.state.0.as_deref().unwrap_or_default(), 40);
            sink(Item::skipped(place, format!("unknown state `{state}`")));
            continue;
        };
        let found = answers(vulnerability, status, &purls, &mut left_out);
        left_out.0.tell(&place, "leads to no package URL", sink);
        left_out.1.tell(&place, "versions are told by a range", sink);
        let times = [&analysis.last_updated, &vulnerability.updated, &bom.metadata.timestamp];
        for (product, status) in found {
            sink(Item::Vex(VexStatement {
                vulnerability: name.clone(),
                product,
                subcomponents: Vec::new(),
                status,
                justification: analysis.justification.0.clone(),
                statement: analysis.detail.as_deref().map(|detail| cut(detail, DETAIL_BYTES_MAX).to_owned()),
                author: author.clone(),
                document: cut(&id, WORD_BYTES_MAX).to_owned(),
                timestamp: times.iter().find_map(|time| time.0.as_deref()?.parse().ok()),
            }));
        }
    }
    Ok(())
}

fn status_of(analysis: &Analysis) -> Option<VexStatus> {
    Some(match analysis.state.0.as_deref()? {
        "resolved" | "resolved_with_pedigree" => VexStatus::Fixed,
        "exploitable" => VexStatus::Affected,
        "in_triage" => VexStatus::UnderInvestigation,
        "false_positive" | "not_affected" => VexStatus::NotAffected,
        _ => return None,
    })
}

/// Products with the answer about each. Left out: references that lead nowhere, and ranges.
fn answers(
    vulnerability: &Vulnerability,
    status: VexStatus,
    purls: &HashMap<&str, &str>,
    left_out: &mut (LeftOut, LeftOut),
) -> Vec<(String, VexStatus)> {
    let mut answers = Vec::new();
    for affected in &vulnerability.affects {
        let reference = affected.reference.as_str();
        let Some(product) = purl_of(reference, purls) else {
            left_out.0.add(reference);
            continue;
        };
        if affected.versions.is_empty() {
            answers.push((product.to_owned(), status));
        }
        for version in &affected.versions {
            let status = match version.status.0.as_deref() {
                Some("unaffected") => VexStatus::NotAffected,
                Some("unknown") => VexStatus::UnderInvestigation,
                // An affected version contradicts an analysis that says otherwise: the product has it.
                Some("affected") if status == VexStatus::NotAffected => VexStatus::Affected,
                _ => status,
            };
            match version.version.0.as_deref().and_then(|version| with_version(product, version)) {
                Some(product) => answers.push((product, status)),
                None => left_out.1.add(product),
            }
        }
    }
    answers
}

/// The package URL that a reference leads to.
fn purl_of<'r>(reference: &'r str, purls: &HashMap<&str, &'r str>) -> Option<&'r str> {
    let bom_ref = match reference.strip_prefix("urn:cdx:") {
        Some(link) => link.split_once('#')?.1,
        None => purls.get(reference).copied().unwrap_or(reference),
    };
    (bom_ref.len() <= WORD_BYTES_MAX && PackageUrl::parse(bom_ref).is_ok()).then_some(bom_ref)
}

fn with_version(purl: &str, version: &str) -> Option<String> {
    let parts = Components { version: Some(version.to_owned()), ..Components::parse(purl).ok()? };
    PackageUrl::build(parts).ok().map(|purl| purl.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    #[serde(rename = "bomFormat")]
    _format: String,
    #[serde(default)]
    serial_number: Word,
    #[serde(default)]
    version: Option<u64>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    components: Vec<Component>,
    #[serde(default, deserialize_with = "bounded::<_, _, 100_000>")]
    vulnerabilities: Vec<Vulnerability>,
}

impl Bom {
    /// The package URLs of components, and of components within components, by their `bom-ref`.
    fn purls(&self) -> HashMap<&str, &str> {
        let mut purls = HashMap::new();
        let mut left: Vec<&Component> = self.components.iter().chain(&self.metadata.component).collect();
        while let Some(component) = left.pop() {
            if let (Some(bom_ref), Some(purl)) = (&component.bom_ref.0, &component.purl.0) {
                purls.insert(bom_ref.as_str(), purl.as_str());
            }
            left.extend(&component.components);
        }
        purls
    }
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    timestamp: Word,
    #[serde(default)]
    component: Option<Component>,
    #[serde(default)]
    supplier: Option<Named>,
    #[serde(default)]
    manufacturer: Option<Named>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    authors: Vec<Named>,
}

impl Metadata {
    /// Who says it; empty when nobody is named.
    fn author(&self) -> String {
        let all = self.authors.iter().chain(&self.supplier).chain(&self.manufacturer);
        all.into_iter().find_map(|named| named.name.0.clone()).unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: Word,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref", default)]
    bom_ref: Word,
    #[serde(default)]
    purl: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default)]
    id: Word,
    #[serde(default)]
    updated: Word,
    #[serde(default)]
    analysis: Option<Analysis>,
    #[serde(default, deserialize_with = "bounded::<_, _, 100_000>")]
    affects: Vec<AffectedProduct>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Analysis {
    #[serde(default)]
    state: Word,
    #[serde(default)]
    justification: Word,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    last_updated: Word,
}

#[derive(Deserialize)]
struct AffectedProduct {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default, deserialize_with = "bounded::<_, _, 100_000>")]
    versions: Vec<AffectedVersion>,
}

#[derive(Deserialize)]
struct AffectedVersion {
    #[serde(default)]
    version: Word,
    #[serde(default)]
    status: Word,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(vulnerability: &str) -> String {
        let json = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","serialNumber":"urn:uuid:1","version":2,
                "metadata":{{"timestamp":"2022-03-03T00:00:00Z","supplier":{{"name":"Acme"}},
                    "component":{{"name":"app","bom-ref":"app","purl":"pkg:npm/app@1"}}}},
                "components":[{{"name":"x","bom-ref":"x","components":[{{"name":"y","bom-ref":"y","purl":"pkg:npm/y@3"}}]}}],"vulnerabilities":[{{"id":"CVE-2020-1",{vulnerability}}}]}}"#
        );
        let mut lines = Vec::new();
        parse(&Document { name: "vex.json", bytes: json.as_bytes() }, &mut |item| {
            lines.push(match item {
                Item::Vex(vex) => {
                    let why = vex.justification.unwrap_or_default();
                    format!("{} {:?} {why} by {} in {}", vex.product, vex.status, vex.author, vex.document)
                }
                Item::Skipped(skipped) | Item::Partial(skipped) => format!("! {}", skipped.reason),
                other => format!("{other:?}"),
            });
        })
        .unwrap();
        lines.join("\n")
    }

    #[test]
    fn an_analysis_is_a_statement_about_each_product() {
        let check = |vulnerability: &str, expected: &str| assert_eq!(show(vulnerability), expected, "{vulnerability}");
        check(
            r#""analysis":{"state":"not_affected","justification":"code_not_reachable"},"affects":[{"ref":"app"},
                {"ref":"pkg:npm/b@2"},{"ref":"urn:cdx:3e67/1#pkg:maven/com.fasterxml/jackson@2.10.0?type=jar"}]"#,
            "pkg:npm/app@1 NotAffected code_not_reachable by Acme in urn:uuid:1/2\n\
             pkg:npm/b@2 NotAffected code_not_reachable by Acme in urn:uuid:1/2\n\
             pkg:maven/com.fasterxml/jackson@2.10.0?type=jar NotAffected code_not_reachable by Acme in urn:uuid:1/2",
        );
        check(
            r#""analysis":{"state":"resolved"},"affects":[{"ref":"app"}]"#,
            "pkg:npm/app@1 Fixed  by Acme in urn:uuid:1/2",
        );
        check(
            r#""analysis":{"state":"resolved"},"affects":[{"ref":"y"}]"#,
            "pkg:npm/y@3 Fixed  by Acme in urn:uuid:1/2",
        );
        check(r#""affects":[{"ref":"app"}]"#, ""); // a tool's finding, nobody's statement
        check(r#""analysis":{"state":"fine"},"affects":[{"ref":"app"}]"#, "! unknown state `fine`");
        check(
            r#""analysis":{"state":"exploitable"},"affects":[{"ref":"x"},{"ref":"urn:cdx:3e67/1#product-ABC"}]"#,
            "! `x` and 1 more: leads to no package URL",
        );
    }

    #[test]
    fn listed_versions_are_told_one_by_one() {
        let versions = r#""analysis":{"state":"exploitable"},"affects":[{"ref":"app","versions":[
            {"version":"2.4","status":"affected"},{"version":"2.5","status":"unaffected"},{"version":"2.6","status":"unknown"},
            {"range":"vers:npm/>=2.9|<=4.1","status":"affected"}]}]"#;
        let expected = "! `pkg:npm/app@1`: versions are told by a range\n\
            pkg:npm/app@2.4 Affected  by Acme in urn:uuid:1/2\npkg:npm/app@2.5 NotAffected  by Acme in urn:uuid:1/2\n\
            pkg:npm/app@2.6 UnderInvestigation  by Acme in urn:uuid:1/2";
        assert_eq!(show(versions), expected);
        // Not affected and affected in one: affected.
        let versions = r#""analysis":{"state":"not_affected"},"affects":[{"ref":"app","versions":[
            {"version":"2.4","status":"affected"}]}]"#;
        assert_eq!(show(versions), "pkg:npm/app@2.4 Affected  by Acme in urn:uuid:1/2");
    }

    #[test]
    fn a_list_of_packages_is_no_feed() {
        let recognised = |json: &str| recognises(&Head::new("x.json", json.as_bytes()));
        assert!(recognised(r#"{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"a","analysis":{}}]}"#));
        assert!(!recognised(r#"{"bomFormat":"CycloneDX","components":[]}"#));
        assert!(!recognised(r#"{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"a","affects":[]}]}"#));
        assert!(!recognised(r#"{"vulnerabilities":[{"analysis":{}}]}"#));
    }
}
