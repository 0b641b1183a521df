//! CVRF as the API gives it in JSON.

use super::{Cvrf, Fix, Kind, Said, time};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, Word, bounded, cut};
use serde::Deserialize;

pub(super) fn recognises(head: &Head<'_>) -> bool {
    let keys = ["DocumentTitle", "DocumentTracking"];
    !head.is_json_list() && keys.iter().all(|key| head.has_json_key(key)) && head.holds("Microsoft")
}

pub(super) fn read(bytes: &[u8]) -> Result<Cvrf, FeedError> {
    let raw: RawCvrf = serde_json::from_slice(bytes).map_err(|cause| FeedError::NotJson { format: "MSRC", cause })?;
    let tracking = raw.document_tracking;
    let date = |text: Option<String>| text.as_deref().and_then(time);
    let names = raw.product_tree.full_product_name.into_iter();
    Ok(Cvrf {
        released: date(tracking.initial_release_date.0),
        changed: date(tracking.current_release_date.0),
        products: names.filter_map(|name| Some((name.product_id.0?, name.value.0?))).collect(),
        vulnerabilities: raw.vulnerability.into_iter().map(vulnerability).collect(),
    })
}

/// Numbers stand for the words that the XML has (MSRC's swagger, "CVRF", read 2026-11-24).
fn vulnerability(raw: RawVulnerability) -> super::Vulnerability {
    let affected = raw.product_statuses.into_iter().filter(|status| status.kind == 3);
    let fixes = raw.remediations.into_iter().filter(|remediation| remediation.kind == 2);
    // Notes of type 1 and 2 are summary and description; the title tells them apart in older documents.
    let is_description = |note: &&RawNote| note.title.0.as_deref() == Some("Description") || note.kind == 2;
    let description = raw.notes.iter().find(is_description).and_then(|note| note.value.clone());
    super::Vulnerability {
        id: raw.cve.0.unwrap_or_default(),
        title: raw.title.value.0.unwrap_or_default(),
        description: description.unwrap_or_default(),
        cwes: raw.cwe.into_iter().filter_map(|cwe| cwe.id.0).collect(),
        affected: affected.flat_map(|status| words(status.product_id)).collect(),
        threats: raw
            .threats
            .into_iter()
            .map(|threat| Said {
                kind: match threat.kind {
                    1 => Kind::Exploit,
                    3 => Kind::Severity,
                    _ => Kind::Other,
                },
                text: threat.description.value.0.unwrap_or_default(),
                products: words(threat.product_id),
            })
            .filter(|said| !said.text.is_empty())
            .collect(),
        scores: raw
            .cvss_score_sets
            .into_iter()
            .filter_map(|score| {
                Some(Said { text: score.vector.0?, products: words(score.product_id), ..Said::default() })
            })
            .collect(),
        fixes: fixes
            .map(|fix| Fix {
                article: fix.description.value.0.unwrap_or_default(),
                supersedes: cut(&fix.supercedence.0.unwrap_or_default(), WORD_BYTES_MAX).to_owned(),
                build: fix.fixed_build.0.unwrap_or_default(),
                products: words(fix.product_id),
            })
            .collect(),
        revisions: raw.revision_history.iter().filter_map(|revision| time(revision.date.0.as_deref()?)).collect(),
    }
}

fn words(raw: Vec<Word>) -> Vec<String> {
    raw.into_iter().filter_map(|word| word.0).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawCvrf {
    document_tracking: RawTracking,
    product_tree: RawTree,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    vulnerability: Vec<RawVulnerability>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawTracking {
    #[serde(default)]
    initial_release_date: Word,
    #[serde(default)]
    current_release_date: Word,
}

/// The branches name the same products again, by family.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawTree {
    #[serde(default, deserialize_with = "bounded::<_, _, 100_000>")]
    full_product_name: Vec<RawName>,
}

#[derive(Deserialize)]
struct RawName {
    #[serde(rename = "ProductID", default)]
    product_id: Word,
    #[serde(rename = "Value", default)]
    value: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawVulnerability {
    #[serde(rename = "CVE", default)]
    cve: Word,
    #[serde(default)]
    title: RawValue,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    notes: Vec<RawNote>,
    #[serde(rename = "CWE", default, deserialize_with = "bounded::<_, _, 100>")]
    cwe: Vec<RawCwe>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    product_statuses: Vec<RawStatus>,
    #[serde(default, deserialize_with = "bounded::<_, _, 100_000>")]
    threats: Vec<RawThreat>,
    #[serde(rename = "CVSSScoreSets", default, deserialize_with = "bounded::<_, _, 100_000>")]
    cvss_score_sets: Vec<RawScore>,
    #[serde(default, deserialize_with = "bounded::<_, _, 100_000>")]
    remediations: Vec<RawRemediation>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    revision_history: Vec<RawRevision>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawValue {
    value: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawNote {
    #[serde(default)]
    title: Word,
    #[serde(rename = "Type", default)]
    kind: i64,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
struct RawCwe {
    #[serde(rename = "ID", default)]
    id: Word,
}

#[derive(Deserialize)]
struct RawStatus {
    #[serde(rename = "Type", default)]
    kind: i64,
    #[serde(rename = "ProductID", default, deserialize_with = "bounded::<_, _, 100_000>")]
    product_id: Vec<Word>,
}

#[derive(Deserialize)]
struct RawThreat {
    #[serde(rename = "Type")]
    kind: i64,
    #[serde(rename = "Description", default)]
    description: RawValue,
    #[serde(rename = "ProductID", default, deserialize_with = "bounded::<_, _, 100_000>")]
    product_id: Vec<Word>,
}

#[derive(Deserialize)]
struct RawScore {
    #[serde(rename = "Vector", default)]
    vector: Word,
    #[serde(rename = "ProductID", default, deserialize_with = "bounded::<_, _, 100_000>")]
    product_id: Vec<Word>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRemediation {
    #[serde(rename = "Type")]
    kind: i64,
    #[serde(default)]
    description: RawValue,
    #[serde(default)]
    supercedence: Word,
    #[serde(default)]
    fixed_build: Word,
    #[serde(rename = "ProductID", default, deserialize_with = "bounded::<_, _, 100_000>")]
    product_id: Vec<Word>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRevision {
    #[serde(default)]
    date: Word,
}
