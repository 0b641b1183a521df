//! The National Vulnerability Database's JSON, version 2.0 (nvd.nist.gov/developers/vulnerabilities, read 2026-11-24): a page
//! of the API or a yearly feed file (`{"format":"NVD_CVE","vulnerabilities":[{"cve":…}]}`), one item of it (`{"cve":…}`), or
//! the bare object, as mirrors keep them.
//!
//! The NVD tells of the vulnerability: description, vectors, weaknesses, links, and products by CPE. These name no packages
//! of any ecosystem, so its records judge nothing; they explain what others found.

use super::parts;
use super::vulnerability::{CPES_KEPT_MAX, DETAILS_BYTES_MAX, Links, add_vector, cve_id, cwe, day, giver, time};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, Word, bounded, cut};
use muster_domain::{Advisory, AdvisoryId, KnownExploited, VectorString};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

const FORMAT: &str = "NVD";

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let is_page = head.has_json_key("vulnerabilities") && head.has_json_key("format") && head.holds("\"NVD_CVE\"");
    let is_item = head.has_json_key("cve") && head.holds("\"lastModified\"") && head.holds("\"descriptions\"");
    let is_bare = ["id", "lastModified", "descriptions"].iter().all(|key| head.has_json_key(key));
    is_page || is_item || is_bare
}

/// A document is a page, one item, or a list of items.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let head = Head::new(document.name, document.bytes);
    let list = if head.is_json_list() { "" } else { "vulnerabilities" };
    let mut take = |index: usize, raw: &RawValue| record(raw, &format!("{list}[{index}]"), sink);
    if head.is_json_list() {
        return parts::whole_list(document.bytes, FORMAT, &mut take);
    }
    if head.has_json_key(list) {
        return parts::elements(document.bytes, FORMAT, list, &mut take);
    }
    record(parts::whole(document.bytes, FORMAT)?, "the record", sink);
    Ok(())
}

/// Hands on one item or bare object.
fn record(raw: &RawValue, place: &str, sink: Sink<'_>) {
    let text = serde_json::from_str::<RawItem<'_>>(raw.get()).map_or(raw.get(), |item| item.cve.get());
    let cve: RawCve = match serde_json::from_str(text) {
        Ok(cve) => cve,
        Err(error) => return sink(Item::skipped(place, format!("is not NVD JSON: {error}"))),
    };
    let Some(id) = cve_id(&cve.id) else {
        return sink(Item::skipped(place, "field `id` is not a CVE id"));
    };
    if let Some(known) = known_exploited(&cve) {
        sink(Item::KnownExploited(id.clone(), known));
    }
    match advisory(id.clone(), cve) {
        Ok(advisory) => sink(Item::Advisory(advisory)),
        Err(reason) => sink(Item::skipped(id, reason)),
    }
}

fn advisory(id: String, cve: RawCve) -> Result<Advisory, &'static str> {
    let published = cve.published.0.as_deref().and_then(time);
    let modified = cve.last_modified.0.as_deref().and_then(time);
    let is_rejected = cve.vuln_status.0.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("rejected"));
    let withdrawn = match is_rejected {
        true => Some(modified.or(published).ok_or("is rejected, but field `lastModified` is not a time")?),
        false => None,
    };
    let weaknesses = cve.weaknesses.iter().flat_map(|weakness| &weakness.description);
    let cwes: BTreeSet<String> = weaknesses.filter_map(|text| cwe(&text.value)).collect();
    let mut links = Links::default();
    for reference in &cve.references {
        let tags = reference.tags.iter().filter_map(|tag| tag.0.as_deref());
        links.add(&reference.url, tags);
    }
    Ok(Advisory {
        id: AdvisoryId(id),
        source: "NVD".to_owned(),
        details: english(&cve.descriptions),
        severity: vectors(cve.metrics.unwrap_or_default()),
        cwes: cwes.into_iter().collect(),
        cpes: cpes(&cve.configurations),
        references: links.into_references(),
        published,
        modified,
        withdrawn,
        ..Advisory::default()
    })
}

fn english(descriptions: &[RawText]) -> String {
    let text = descriptions.iter().find(|text| text.lang.starts_with("en")).map_or("", |text| text.value.trim());
    cut(text, DETAILS_BYTES_MAX).to_owned()
}

/// Vectors of the newest 3.x version first, each version's with the NVD's own (`Primary`) before the authorities'.
fn vectors(metrics: RawMetrics) -> Vec<VectorString> {
    let all = [("CVSS_V3", metrics.v31), ("CVSS_V3", metrics.v30), ("CVSS_V4", metrics.v40), ("CVSS_V2", metrics.v2)];
    let mut vectors: Vec<VectorString> = Vec::new();
    for (kind, mut metrics) in all {
        metrics.sort_by_key(|metric| metric.kind.0.as_deref() != Some("Primary"));
        for metric in metrics {
            let source = giver(metric.source.0.as_deref().unwrap_or_default());
            add_vector(&mut vectors, kind, &metric.data.vector, source);
        }
    }
    vectors
}

/// The products that are vulnerable, not those that they run on.
fn cpes(configurations: &[RawConfiguration]) -> Vec<String> {
    let matches = configurations.iter().flat_map(|one| &one.nodes).flat_map(|node| &node.matches);
    let mut seen = BTreeSet::new();
    let vulnerable = matches.filter(|one| one.vulnerable && one.criteria.starts_with("cpe:"));
    vulnerable
        .filter(|one| one.criteria.len() <= WORD_BYTES_MAX && seen.insert(one.criteria.as_str()))
        .take(CPES_KEPT_MAX)
        .map(|one| one.criteria.clone())
        .collect()
}

/// CISA's entry, which the NVD repeats without the word on ransomware.
fn known_exploited(cve: &RawCve) -> Option<KnownExploited> {
    let text = |word: &Word| word.0.clone().unwrap_or_default();
    Some(KnownExploited {
        date_added: day(cve.exploit_add.0.as_deref()?)?,
        due_date: day(&text(&cve.action_due)).unwrap_or_default(),
        required_action: text(&cve.required_action),
        ransomware: false,
    })
}

// The fields that are used, with a limit on every list. The largest real ones (read 2026-11): 300 configurations, 10,000
// matches in a node, 600 references.

#[derive(Deserialize)]
struct RawItem<'a> {
    #[serde(borrow)]
    cve: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCve {
    id: String,
    #[serde(default)]
    published: Word,
    #[serde(default)]
    last_modified: Word,
    #[serde(default)]
    vuln_status: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    descriptions: Vec<RawText>,
    metrics: Option<RawMetrics>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    weaknesses: Vec<RawWeakness>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    configurations: Vec<RawConfiguration>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    references: Vec<RawReference>,
    #[serde(default, rename = "cisaExploitAdd")]
    exploit_add: Word,
    #[serde(default, rename = "cisaActionDue")]
    action_due: Word,
    #[serde(default, rename = "cisaRequiredAction")]
    required_action: Word,
}

#[derive(Deserialize)]
struct RawText {
    #[serde(default)]
    lang: String,
    #[serde(default)]
    value: String,
}

#[derive(Default, Deserialize)]
struct RawMetrics {
    #[serde(default, rename = "cvssMetricV2", deserialize_with = "bounded::<_, _, 100>")]
    v2: Vec<RawMetric>,
    #[serde(default, rename = "cvssMetricV30", deserialize_with = "bounded::<_, _, 100>")]
    v30: Vec<RawMetric>,
    #[serde(default, rename = "cvssMetricV31", deserialize_with = "bounded::<_, _, 100>")]
    v31: Vec<RawMetric>,
    #[serde(default, rename = "cvssMetricV40", deserialize_with = "bounded::<_, _, 100>")]
    v40: Vec<RawMetric>,
}

#[derive(Deserialize)]
struct RawMetric {
    #[serde(default)]
    source: Word,
    #[serde(default, rename = "type")]
    kind: Word,
    #[serde(default, rename = "cvssData")]
    data: RawVector,
}

#[derive(Default, Deserialize)]
struct RawVector {
    #[serde(default, rename = "vectorString")]
    vector: String,
}

#[derive(Deserialize)]
struct RawWeakness {
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    description: Vec<RawText>,
}

#[derive(Deserialize)]
struct RawConfiguration {
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    nodes: Vec<RawNode>,
}

#[derive(Deserialize)]
struct RawNode {
    #[serde(default, rename = "cpeMatch", deserialize_with = "bounded::<_, _, 100_000>")]
    matches: Vec<RawMatch>,
}

#[derive(Deserialize)]
struct RawMatch {
    #[serde(default)]
    vulnerable: bool,
    #[serde(default)]
    criteria: String,
}

#[derive(Deserialize)]
struct RawReference {
    #[serde(default)]
    url: String,
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    tags: Vec<Word>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(json: &str) -> Vec<Item> {
        let mut items = Vec::new();
        let document = Document { name: "nvd.json", bytes: json.as_bytes() };
        parse(&document, &mut |item| items.push(item)).unwrap();
        items
    }

    fn advisory(fields: &str) -> Advisory {
        let json = format!(
            r#"{{"id":"CVE-2023-0001","published":"2023-02-08T18:15:11.523","lastModified":"2023-11-21T19:15:08.073",
                "descriptions":[{{"lang":"es","value":"no"}},{{"lang":"en","value":" yes "}}]{fields}}}"#
        );
        match items(&json).pop() {
            Some(Item::Advisory(advisory)) => advisory,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_page_an_item_and_a_bare_object_are_the_same_record() {
        let bare = r#"{"id":"CVE-2023-0001","lastModified":"2023-11-21T19:15:08.073","descriptions":[]}"#;
        let item = format!(r#"{{"cve":{bare}}}"#);
        let page = format!(r#"{{"resultsPerPage":1,"format":"NVD_CVE","version":"2.0","vulnerabilities":[{item}]}}"#);
        let list = format!("[{item},{bare}]");
        for json in [bare, &item, &page, &list] {
            assert!(recognises(&Head::new("x.json", json.as_bytes())), "{json}");
            assert!(
                items(json).iter().all(|item| matches!(item, Item::Advisory(one) if one.source == "NVD")),
                "{json}"
            );
        }
        assert_eq!(items(&list).len(), 2);
    }

    #[test]
    fn a_description_is_the_english_one() {
        let advisory = advisory("");
        assert_eq!(advisory.details, "yes");
        assert_eq!(advisory.published.unwrap().to_string(), "2023-02-08T18:15:11.523Z");
        assert_eq!(advisory.withdrawn, None);
    }

    #[test]
    fn a_vector_names_who_gave_it_and_the_nvd_comes_first() {
        let metrics = r#","metrics":{
            "cvssMetricV2":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"vectorString":"AV:L/AC:L/Au:N/C:C/I:C/A:C"}}],
            "cvssMetricV40":[{"source":"cna@vuldb.com","type":"Secondary","cvssData":{"vectorString":"CVSS:4.0/AV:N"}}],
            "cvssMetricV31":[
                {"source":"secalert@redhat.com","type":"Secondary","cvssData":{"vectorString":"CVSS:3.1/AV:L"}},
                {"source":"nvd@nist.gov","type":"Primary","cvssData":{"vectorString":"CVSS:3.1/AV:N"}},
                {"source":"nvd@nist.gov","type":"Primary","cvssData":{}}]}"#;
        let told: Vec<String> = advisory(metrics)
            .severity
            .into_iter()
            .map(|one| format!("{} {} {}", one.kind, one.vector, one.source))
            .collect();
        assert_eq!(
            told,
            [
                "CVSS_V3 CVSS:3.1/AV:N NVD",
                "CVSS_V3 CVSS:3.1/AV:L REDHAT_CVE",
                "CVSS_V4 CVSS:4.0/AV:N cna@vuldb.com",
                "CVSS_V2 AV:L/AC:L/Au:N/C:C/I:C/A:C NVD",
            ]
        );
    }

    #[test]
    fn weaknesses_are_those_with_a_number_and_products_those_that_are_vulnerable() {
        let advisory = advisory(
            r#","weaknesses":[{"description":[{"lang":"en","value":"CWE-319"}]},
                              {"description":[{"lang":"en","value":"NVD-CWE-noinfo"},{"lang":"en","value":"CWE-319"}]}],
               "configurations":[{"operator":"AND","nodes":[
                  {"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:x:y:*:*:*:*:*:*:*:*","versionEndExcluding":"2"},
                               {"vulnerable":true,"criteria":"cpe:2.3:a:x:y:*:*:*:*:*:*:*:*"}]},
                  {"cpeMatch":[{"vulnerable":false,"criteria":"cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*"}]}]}]"#,
        );
        assert_eq!(advisory.cwes, ["CWE-319"]);
        assert_eq!(advisory.cpes, ["cpe:2.3:a:x:y:*:*:*:*:*:*:*:*"]);
    }

    #[test]
    fn a_rejected_record_is_withdrawn_since_its_last_change() {
        let advisory = advisory(r#","vulnStatus":"Rejected","metrics":{},"configurations":null"#);
        assert_eq!(advisory.withdrawn, advisory.modified);
        assert!(advisory.withdrawn.is_some());
        let timeless = r#"{"id":"CVE-2023-0002","lastModified":"soon","descriptions":[],"vulnStatus":"Rejected"}"#;
        let reason = "is rejected, but field `lastModified` is not a time";
        assert_eq!(items(timeless), [Item::skipped("CVE-2023-0002", reason)]);
    }

    #[test]
    fn cisas_entry_comes_along() {
        let json = r#"{"id":"CVE-2021-44228","lastModified":"2023-11-21T19:15:08.073","descriptions":[],
            "cisaExploitAdd":"2021-12-10","cisaActionDue":"2021-12-24","cisaRequiredAction":"Apply updates."}"#;
        let known = KnownExploited {
            date_added: "2021-12-10".into(),
            due_date: "2021-12-24".into(),
            required_action: "Apply updates.".into(),
            ransomware: false,
        };
        assert_eq!(items(json)[0], Item::KnownExploited("CVE-2021-44228".into(), known));
    }

    #[test]
    fn a_bad_record_is_set_aside_alone() {
        let page = r#"{"format":"NVD_CVE","vulnerabilities":[{"cve":{"id":7}},{"cve":{"id":"X-1"}},
            {"cve":{"id":"CVE-2023-0001"}}]}"#;
        let items = items(page);
        assert!(matches!(&items[0], Item::Skipped(told) if told.place == "vulnerabilities[0]"), "{items:?}");
        assert_eq!(items[1], Item::skipped("vulnerabilities[1]", "field `id` is not a CVE id"));
        assert!(matches!(&items[2], Item::Advisory(_)));
    }

    #[test]
    fn other_documents_are_not_claimed() {
        for other in [
            r#"{"schema":"https://x/vulnerability/nvd/1","identifier":"2023/CVE-2023-1","item":{"cve":{"id":"CVE-2023-1",
                "lastModified":"x","descriptions":[]}}}"#, // another tool's envelope
            r#"{"catalogVersion":"1","vulnerabilities":[]}"#,
            r#"{"id":"GHSA-1","modified":"2024-01-01T00:00:00Z","affected":[]}"#,
            r#"{"document":{},"vulnerabilities":[]}"#, // CSAF
            r#"{"bomFormat":"CycloneDX","vulnerabilities":[]}"#,
        ] {
            assert!(!recognises(&Head::new("x.json", other.as_bytes())), "{other}");
        }
    }
}
