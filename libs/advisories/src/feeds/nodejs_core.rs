//! The Node.js Security Working Group's advisories on Node.js itself (github.com/nodejs/security-wg, `vuln/core`, read
//! 2026-11-24): JSON, one advisory per document, called `NSWG-COR-<number of its file>` (the folder's README).
//!
//! They tell of the vulnerability and name no package: no ecosystem lists the runtime under its makers' versions.
//! `index.json` beside the documents holds the same once more and is not read.

use super::record::{DETAILS_BYTES_MAX, SUMMARY_BYTES_MAX, links, names};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, Word, bounded, cut};
use muster_domain::{Advisory, AdvisoryId};
use serde::Deserialize;

const FORMAT: &str = "Node.js Security WG (core)";

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let keys = ["cve", "vulnerable", "patched", "overview"];
    number(head.name).is_some() && !head.is_json_list() && keys.iter().all(|key| head.has_json_key(key))
}

pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let raw: Raw =
        serde_json::from_slice(document.bytes).map_err(|cause| FeedError::NotJson { format: FORMAT, cause })?;
    let number = number(document.name)
        .ok_or_else(|| FeedError::NotThis { format: FORMAT, why: "its file has no number".to_owned() })?;
    let overview = raw.overview.unwrap_or_default();
    let summary = raw.description.unwrap_or_default();
    sink(Item::UnknownEcosystem("Node.js".to_owned()));
    sink(Item::Advisory(Advisory {
        id: AdvisoryId(format!("NSWG-COR-{number}")),
        source: "NODEJS".to_owned(),
        aliases: names(raw.cve),
        summary: cut(summary.trim(), SUMMARY_BYTES_MAX).to_owned(),
        details: cut(overview.trim(), DETAILS_BYTES_MAX).to_owned(),
        vendor_severity: raw.severity.0.filter(|word| word != "unknown"),
        references: links(raw.reference.into_iter().map(|url| ("WEB", url))),
        ..Advisory::default()
    }));
    Ok(())
}

/// `vuln/core/17.json` -> 17
fn number(name: &str) -> Option<u32> {
    name.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    cve: Vec<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    description: Option<String>,
    overview: Option<String>,
    #[serde(default)]
    severity: Word,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::tests::items;

    #[test]
    fn an_advisory_tells_of_the_vulnerability_and_names_no_package() {
        let check = |severity: &str, expected: &str| {
            let json = format!(
                r#"{{"cve":["CVE-2024-27982"],"vulnerable":"18.x","patched":"^18.20.1","severity":{severity}}}"#
            );
            assert_eq!(items(parse, "vuln/core/140.json", json.as_bytes()), ["? Node.js", expected]);
        };
        check("\"medium\"", "NSWG-COR-140 NODEJS aliases=CVE-2024-27982 word=medium");
        check("\"unknown\"", "NSWG-COR-140 NODEJS aliases=CVE-2024-27982");
        check("null", "NSWG-COR-140 NODEJS aliases=CVE-2024-27982");
    }

    #[test]
    fn the_index_is_not_read_beside_what_it_lists() {
        let json = br#"{"cve":[],"vulnerable":"6.x","patched":"^6.7.0","overview":"x"}"#;
        assert!(recognises(&Head::new("vuln/core/17.json", json)));
        assert!(!recognises(&Head::new("vuln/core/index.json", json)));
        assert_eq!(
            items(parse, "vuln/core/a.json", json),
            ["error: is not Node.js Security WG (core): its file has no number"]
        );
    }
}
