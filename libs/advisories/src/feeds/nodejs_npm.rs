//! The Node.js Security Working Group's advisories on npm packages (github.com/nodejs/security-wg, `vuln/npm`, read
//! 2026-11-24; npm took the database over in 2018): JSON, one advisory per document, called `NSWG-ECO-<id>`.
//!
//! `vulnerable_versions` judges, as with `npm audit`: where `patched_versions` contradicts it, it is not known which is
//! wrong. `index.json` beside the documents holds the same once more and is not read.

use super::record::{
    DETAILS_BYTES_MAX, SUMMARY_BYTES_MAX, affected, links, names, package, time, vector, word_of_score,
};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, bounded, cut};
use crate::requirements::npm;
use muster_domain::{Advisory, AdvisoryId, VectorString};
use serde::Deserialize;

const FORMAT: &str = "Node.js Security WG (npm)";
const SOURCE: &str = "NODEJS";

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let keys = ["id", "module_name", "vulnerable_versions", "patched_versions", "cves"];
    !head.is_json_list() && keys.iter().all(|key| head.has_json_key(key))
}

pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let raw: Raw =
        serde_json::from_slice(document.bytes).map_err(|cause| FeedError::NotJson { format: FORMAT, cause })?;
    let id = format!("NSWG-ECO-{}", raw.id);
    let package = package("npm", &raw.module_name, &id, "module_name")?;
    let Some(affected) = affected(package, npm(&raw.vulnerable_versions), &id, sink) else {
        return Ok(());
    };
    let details = [raw.overview.unwrap_or_default(), raw.recommendation.unwrap_or_default()];
    let severity: Vec<VectorString> =
        raw.cvss_vector.as_deref().and_then(|text| vector(text, SOURCE)).into_iter().collect();
    let word = || word_of_score(raw.cvss_score?, false);
    sink(Item::Advisory(Advisory {
        id: AdvisoryId(id),
        source: SOURCE.to_owned(),
        aliases: names(raw.cves),
        summary: cut(raw.title.trim(), SUMMARY_BYTES_MAX).to_owned(),
        details: cut(details.join("\n\n").trim(), DETAILS_BYTES_MAX).to_owned(),
        vendor_severity: if severity.is_empty() { word() } else { None },
        severity,
        references: links(raw.references.into_iter().map(|url| ("WEB", url))),
        published: raw.publish_date.as_deref().and_then(time),
        modified: raw.updated_at.as_deref().and_then(time),
        affected,
        ..Advisory::default()
    }));
    Ok(())
}

#[derive(Deserialize)]
struct Raw {
    id: u64,
    #[serde(default)]
    title: String,
    module_name: String,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    cves: Vec<String>,
    vulnerable_versions: String,
    overview: Option<String>,
    recommendation: Option<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    references: Vec<String>,
    cvss_vector: Option<String>,
    cvss_score: Option<f64>,
    publish_date: Option<String>,
    updated_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::tests::items;

    fn check(versions: &str, rest: &str, expected: &[&str]) {
        let json = format!(
            r#"{{"id":7,"module_name":"a","cves":["CVE-2016-1"],"patched_versions":null,"vulnerable_versions":"{versions}"{rest}}}"#
        );
        assert_eq!(items(parse, "7.json", json.as_bytes()), expected, "{versions}");
    }

    #[test]
    fn the_vulnerable_versions_are_affected() {
        let check = |versions: &str, events: &str| {
            check(versions, "", &[&format!("NSWG-ECO-7 NODEJS aliases=CVE-2016-1; npm a {events}")]);
        };
        check("<=1.5.1", "[0 1.5.1]");
        check("<1.4.1 || >=2.0.0 <2.17.2", "[0 1.4.1) [2.0.0 2.17.2)"); // security-wg, 375
        check("*", "[0");
    }

    #[test]
    fn a_vector_counts_before_a_score() {
        let check = |rest: &str, word: &str| {
            check("<1.0.0", rest, &[&format!("NSWG-ECO-7 NODEJS aliases=CVE-2016-1{word}; npm a [0 1.0.0)")]);
        };
        check(r#","cvss_vector":null,"cvss_score":7.5"#, " word=HIGH");
        check(r#","cvss_vector":"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N","cvss_score":6.5"#, "");
        check(r#","references":null"#, "");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        check("latest", "", &["! NSWG-ECO-7: requirement `latest` can't be read: `latest` is not a version"]);
        check(
            "<1.0.0 >2.0.0",
            "",
            &["~ NSWG-ECO-7: what it says of `a` leaves no version affected", "NSWG-ECO-7 NODEJS aliases=CVE-2016-1"],
        );
        assert_eq!(items(parse, "7.json", b"{\"id\":7}"), ["error: is not Node.js Security WG (npm) JSON"]);
    }
}
