//! CVE records, format 5.x (github.com/CVEProject/cve-schema, read 2026-11-24), as github.com/CVEProject/cvelistV5 holds
//! them: what the numbering authority says of a vulnerability (`containers.cna`), and what others added (`containers.adp`):
//! CISA's decision points, vectors and word on exploitation, and the links of the CVE program.
//!
//! Products are named freely in these records. Only those that are named in a package registry that we know judge packages
//! (`affected`); of the others the CPEs are told.

mod affected;
mod registries;

use super::parts;
use super::vulnerability::{
    CPES_KEPT_MAX, DETAILS_BYTES_MAX, Links, SUMMARY_BYTES_MAX, add_vector, cve_id, cwe, day, giver, time,
};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, Word, bounded, cut};
use affected::RawProduct;
use muster_domain::{Advisory, AdvisoryId, KnownExploited, Skipped, Ssvc, VectorString};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

const FORMAT: &str = "CVE";

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let is_record = head.has_json_key("dataType") && head.holds("\"CVE_RECORD\"");
    // older records have their keys in alphabetical order: the type may stand behind what the head reaches
    let is_sorted = head.has_json_key("containers") && head.holds("\"providerMetadata\"");
    !head.is_json_list() && (is_record || is_sorted)
}

/// A document is one record.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let raw = parts::whole(document.bytes, FORMAT)?;
    let record: RawRecord =
        serde_json::from_str(raw.get()).map_err(|cause| FeedError::NotJson { format: FORMAT, cause })?;
    let Some(id) = cve_id(&record.metadata.id) else {
        return Err(FeedError::Field { id: String::new(), field: "cveId", why: "is not a CVE id".to_owned() });
    };
    let advisory = advisory(id, record, sink)?;
    sink(Item::Advisory(advisory));
    Ok(())
}

fn advisory(id: String, record: RawRecord, sink: Sink<'_>) -> Result<Advisory, FeedError> {
    let RawRecord { metadata, containers: RawContainers { cna, adp } } = record;
    let said = |word: &Word| word.0.as_deref().and_then(time);
    let (published, modified) = (said(&metadata.published), said(&metadata.updated));
    let withdrawn = match metadata.state.0.as_deref() {
        Some(state) if state.eq_ignore_ascii_case("rejected") => {
            let rejected = said(&metadata.rejected).or(modified).or(published);
            let why = || "is `REJECTED`, but no time is said".to_owned();
            Some(rejected.ok_or_else(|| FeedError::Field { id: id.clone(), field: "state", why: why() })?)
        }
        _ => None,
    };
    let described = if cna.descriptions.is_empty() { &cna.rejected_reasons } else { &cna.descriptions };
    let mut advisory = Advisory {
        id: AdvisoryId(id),
        source: "CVE".to_owned(),
        aliases: cna.source.as_ref().and_then(RawSource::github).into_iter().collect(),
        summary: cut(cna.title.0.as_deref().unwrap_or_default(), SUMMARY_BYTES_MAX).to_owned(),
        details: english(described),
        published,
        modified,
        withdrawn,
        ..Advisory::default()
    };
    let vendor_severity = cna.metrics.iter().find_map(RawMetric::vendors_word);
    let mut gathered = Gathered { vendor_severity, ..Gathered::default() };
    gathered.container(&cna, metadata.assigner.0.as_deref().unwrap_or_default());
    adp.iter().for_each(|container| gathered.container(container, ""));
    if let Some(known) = gathered.known_exploited.take() {
        sink(Item::KnownExploited(advisory.id.0.clone(), known));
    }
    for (name, container) in std::iter::once(("cna", &cna)).chain(adp.iter().map(|container| ("adp", container))) {
        for (index, product) in container.affected.iter().enumerate() {
            let mut partial = |reason: String| {
                let reason = format!("{name}.affected[{index}]: {reason}");
                sink(Item::Partial(Skipped { place: advisory.id.0.clone(), reason }));
            };
            match product.read(&mut partial) {
                Ok(affected) => gathered.affected.extend(affected),
                Err(unknown) => sink(Item::UnknownEcosystem(unknown)),
            }
        }
    }
    advisory.severity = gathered.severity;
    advisory.vendor_severity = gathered.vendor_severity;
    advisory.cwes = gathered.cwes.into_iter().collect();
    advisory.cpes = gathered.cpes;
    advisory.ssvc = gathered.ssvc;
    advisory.affected = gathered.affected;
    advisory.references = gathered.links.into_references();
    Ok(advisory)
}

fn english(descriptions: &[RawText]) -> String {
    let text = descriptions.iter().find(|text| text.lang.starts_with("en")).or(descriptions.first());
    cut(text.map_or("", |text| text.value.trim()), DETAILS_BYTES_MAX).to_owned()
}

/// What the containers of a record say together, the numbering authority's first.
#[derive(Default)]
struct Gathered {
    severity: Vec<VectorString>,
    vendor_severity: Option<String>,
    cwes: BTreeSet<String>,
    cpes: Vec<String>,
    ssvc: Option<Ssvc>,
    known_exploited: Option<KnownExploited>,
    affected: Vec<muster_domain::Affected>,
    links: Links,
}

impl Gathered {
    fn container(&mut self, container: &RawContainer, assigner: &str) {
        let name =
            container.provider.as_ref().and_then(|provider| provider.short_name.0.as_deref()).unwrap_or(assigner);
        let metrics = || container.metrics.iter();
        let versions = [
            ("CVSS_V3", metrics().filter_map(|metric| metric.v31.as_ref()).collect::<Vec<_>>()),
            ("CVSS_V3", metrics().filter_map(|metric| metric.v30.as_ref()).collect()),
            ("CVSS_V4", metrics().filter_map(|metric| metric.v40.as_ref()).collect()),
            ("CVSS_V2", metrics().filter_map(|metric| metric.v2.as_ref()).collect()),
        ];
        for (kind, vectors) in versions {
            for RawVector { vector } in vectors {
                add_vector(&mut self.severity, kind, vector, giver(name));
            }
        }
        for metric in metrics() {
            self.ssvc = self.ssvc.take().or_else(|| metric.ssvc());
            self.known_exploited = self.known_exploited.take().or_else(|| metric.known_exploited());
        }
        for description in container.problem_types.iter().flat_map(|problem| &problem.descriptions) {
            let written = [&description.cwe, &description.description].into_iter().filter_map(|word| word.0.as_deref());
            self.cwes.extend(written.filter_map(cwe).next());
        }
        for reference in &container.references {
            let tags = reference.tags.iter().filter_map(|tag| tag.0.as_deref());
            self.links.add(&reference.url, tags);
        }
        self.products(container);
    }

    fn products(&mut self, container: &RawContainer) {
        let of_products = container.affected.iter().filter(|product| product.is_affected()).flat_map(|one| &one.cpes);
        let nodes = container.applicability.iter().flat_map(|one| &one.nodes);
        let of_nodes = nodes.flat_map(|node| &node.matches).filter(|one| one.vulnerable).map(|one| &one.criteria);
        for cpe in of_products.chain(of_nodes).filter_map(|word| word.0.as_ref()) {
            if self.cpes.len() < CPES_KEPT_MAX && cpe.starts_with("cpe:") && !self.cpes.contains(cpe) {
                self.cpes.push(cpe.clone());
            }
        }
    }
}

// The fields that are used, with a limit on every list. The largest real ones (read 2026-11): 1,500 affected products and
// 2,000 versions of one (kernel), 500 references.

#[derive(Deserialize)]
struct RawRecord {
    #[serde(rename = "cveMetadata")]
    metadata: RawMetadata,
    #[serde(default)]
    containers: RawContainers,
}

#[derive(Deserialize)]
struct RawMetadata {
    #[serde(rename = "cveId")]
    id: String,
    #[serde(default)]
    state: Word,
    #[serde(default, rename = "assignerShortName")]
    assigner: Word,
    #[serde(default, rename = "datePublished")]
    published: Word,
    #[serde(default, rename = "dateUpdated")]
    updated: Word,
    #[serde(default, rename = "dateRejected")]
    rejected: Word,
}

#[derive(Default, Deserialize)]
struct RawContainers {
    #[serde(default)]
    cna: RawContainer,
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    adp: Vec<RawContainer>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawContainer {
    #[serde(rename = "providerMetadata")]
    provider: Option<RawProvider>,
    #[serde(default)]
    title: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    descriptions: Vec<RawText>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    rejected_reasons: Vec<RawText>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    affected: Vec<RawProduct>,
    #[serde(default, rename = "cpeApplicability", deserialize_with = "bounded::<_, _, 10_000>")]
    applicability: Vec<RawConfiguration>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    metrics: Vec<RawMetric>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    problem_types: Vec<RawProblem>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    references: Vec<RawReference>,
    source: Option<RawSource>,
}

#[derive(Deserialize)]
struct RawProvider {
    #[serde(default, rename = "shortName")]
    short_name: Word,
}

#[derive(Deserialize)]
struct RawText {
    #[serde(default)]
    lang: String,
    #[serde(default)]
    value: String,
}

/// The schema leaves this object open; GitHub names its own advisory in it.
#[derive(Deserialize)]
struct RawSource {
    #[serde(default)]
    advisory: Word,
}

impl RawSource {
    fn github(&self) -> Option<String> {
        self.advisory.0.clone().filter(|advisory| advisory.starts_with("GHSA-"))
    }
}

#[derive(Deserialize)]
struct RawMetric {
    #[serde(rename = "cvssV3_1")]
    v31: Option<RawVector>,
    #[serde(rename = "cvssV3_0")]
    v30: Option<RawVector>,
    #[serde(rename = "cvssV4_0")]
    v40: Option<RawVector>,
    #[serde(rename = "cvssV2_0")]
    v2: Option<RawVector>,
    other: Option<RawOther>,
}

#[derive(Deserialize)]
struct RawVector {
    #[serde(default, rename = "vectorString")]
    vector: String,
}

/// A metric of the author's own kind.
#[derive(Deserialize)]
struct RawOther {
    #[serde(default, rename = "type")]
    kind: String,
    content: Option<Box<RawValue>>,
}

impl RawMetric {
    /// The content of a metric of this kind, where it has the shape that the kind should have.
    fn other<'a, T: Deserialize<'a>>(&'a self, kind: impl Fn(&str) -> bool) -> Option<T> {
        let other = self.other.as_ref().filter(|other| kind(&other.kind))?;
        serde_json::from_str(other.content.as_ref()?.get()).ok()
    }

    fn ssvc(&self) -> Option<Ssvc> {
        let content: RawSsvc = self.other(|kind| kind == "ssvc")?;
        let option = |name: &str| {
            let said = content.options.iter().find_map(|option| option.get(name)?.0.as_deref());
            said.unwrap_or_default().to_ascii_lowercase()
        };
        let ssvc = Ssvc {
            exploitation: option("Exploitation"),
            automatable: option("Automatable"),
            technical_impact: option("Technical Impact"),
        };
        (ssvc != Ssvc::default()).then_some(ssvc)
    }

    /// CISA repeats here that its catalogue has the CVE, and since when.
    fn known_exploited(&self) -> Option<KnownExploited> {
        let content: RawKev = self.other(|kind| kind == "kev")?;
        Some(KnownExploited {
            date_added: content.date_added.0.as_deref().and_then(day).unwrap_or_default(),
            due_date: String::new(),
            required_action: String::new(),
            ransomware: false,
        })
    }

    /// Red Hat's rating (`value`) or Apache's (`text`).
    fn vendors_word(&self) -> Option<String> {
        let content: RawRating = self.other(|kind| kind.contains("severity"))?;
        content.value.0.or(content.text.0)
    }
}

#[derive(Deserialize)]
struct RawSsvc {
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    options: Vec<BTreeMap<String, Word>>,
}

#[derive(Deserialize)]
struct RawKev {
    #[serde(default, rename = "dateAdded")]
    date_added: Word,
}

#[derive(Deserialize)]
struct RawRating {
    #[serde(default)]
    value: Word,
    #[serde(default)]
    text: Word,
}

#[derive(Deserialize)]
struct RawProblem {
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    descriptions: Vec<RawWeakness>,
}

#[derive(Deserialize)]
struct RawWeakness {
    #[serde(default, rename = "cweId")]
    cwe: Word,
    #[serde(default)]
    description: Word,
}

#[derive(Deserialize)]
struct RawReference {
    #[serde(default)]
    url: String,
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    tags: Vec<Word>,
}

#[derive(Deserialize)]
struct RawConfiguration {
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    nodes: Vec<RawNode>,
}

#[derive(Deserialize)]
struct RawNode {
    #[serde(default, rename = "cpeMatch", deserialize_with = "bounded::<_, _, 10_000>")]
    matches: Vec<RawMatch>,
}

#[derive(Deserialize)]
struct RawMatch {
    #[serde(default)]
    vulnerable: bool,
    #[serde(default)]
    criteria: Word,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(cna: &str, adp: &str) -> Vec<Item> {
        let json = format!(
            r#"{{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{{"cveId":"CVE-2024-0001","state":"PUBLISHED",
                "assignerShortName":"redhat","datePublished":"2023-02-23T00:00:00","dateUpdated":"2024-08-02T04:54:32.575Z"}},
                "containers":{{"cna":{{{cna}}},"adp":[{adp}]}}}}"#
        );
        assert!(recognises(&Head::new("CVE-2024-0001.json", json.as_bytes())));
        let mut items = Vec::new();
        parse(&Document { name: "x.json", bytes: json.as_bytes() }, &mut |item| items.push(item)).unwrap();
        items
    }

    fn advisory(cna: &str, adp: &str) -> Advisory {
        match items(cna, adp).pop() {
            Some(Item::Advisory(advisory)) => advisory,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_authority_describes_it() {
        let advisory = advisory(
            r#""title":"Loop","source":{"advisory":"GHSA-aaaa-bbbb-cccc"},
               "descriptions":[{"lang":"de","value":"nein"},{"lang":"en-US","value":"A flaw."}],
               "problemTypes":[{"descriptions":[{"type":"CWE","cweId":"CWE-89","description":"CWE-90 x"}]},
                               {"descriptions":[{"description":"CWE-400: Uncontrolled"},{"description":"cross-site"}]}],
               "references":[{"url":"https://a/1","tags":["patch"]}]"#,
            r#"{"providerMetadata":{"shortName":"CVE"},"references":[{"url":"https://a/1"},{"url":"https://a/2"}]}"#,
        );
        assert_eq!((advisory.summary.as_str(), advisory.details.as_str()), ("Loop", "A flaw."));
        assert_eq!((advisory.source.as_str(), advisory.aliases.join(",")), ("CVE", "GHSA-aaaa-bbbb-cccc".to_owned()));
        assert_eq!(advisory.cwes, ["CWE-400", "CWE-89"]);
        let links: Vec<_> = advisory.references.iter().map(|link| format!("{} {}", link.kind, link.url)).collect();
        assert_eq!(links, ["FIX https://a/1", "WEB https://a/2"]);
    }

    #[test]
    fn vectors_come_from_all_containers_with_who_gave_them() {
        let advisory = advisory(
            r#""metrics":[{"other":{"type":"Red Hat severity rating","content":{"value":"Important"}}},
                {"cvssV4_0":{"vectorString":"CVSS:4.0/AV:N"}}, {"format":"CVSS","cvssV3_1":{"vectorString":"CVSS:3.1/AV:N"}}]"#,
            r#"{"providerMetadata":{"shortName":"CISA-ADP"},"metrics":[{"cvssV3_1":{"vectorString":"CVSS:3.1/AV:L"}}]}"#,
        );
        let told: Vec<_> = advisory.severity.iter().map(|one| format!("{} {}", one.vector, one.source)).collect();
        assert_eq!(told, ["CVSS:3.1/AV:N REDHAT_CVE", "CVSS:4.0/AV:N REDHAT_CVE", "CVSS:3.1/AV:L CISA-ADP"]);
        assert_eq!(advisory.vendor_severity.as_deref(), Some("Important"));
    }

    #[test]
    fn cisas_decision_points_and_word_on_exploitation_are_told() {
        let items = items(
            "",
            r#"{"providerMetadata":{"shortName":"CISA-ADP"},"metrics":[
                {"other":{"type":"kev","content":{"dateAdded":"2021-12-10","reference":"https://x"}}},
                {"other":{"type":"ssvc","content":{"id":"CVE-2024-0001","options":[{"Exploitation":"active"},
                    {"Automatable":"yes"},{"Technical Impact":"Total"}],"role":"CISA Coordinator","version":"2.0.3"}}},
                {"other":{"type":"ssvc","content":"of another shape"}}, {"other":{"type":"unknown","content":[1]}}]}"#,
        );
        assert!(matches!(&items[0], Item::KnownExploited(cve, known)
            if cve == "CVE-2024-0001" && known.date_added == "2021-12-10" && known.due_date.is_empty()));
        let Item::Advisory(advisory) = &items[1] else { panic!("{items:?}") };
        let ssvc = Ssvc {
            exploitation: "active".to_owned(),
            automatable: "yes".to_owned(),
            technical_impact: "total".to_owned(),
        };
        assert_eq!(advisory.ssvc, Some(ssvc));
    }

    #[test]
    fn products_are_told_by_cpe_where_something_of_them_is_affected() {
        let advisory = advisory(
            r#""affected":[{"defaultStatus":"unaffected","cpes":["cpe:/a:redhat:jboss_fuse:7"]},
                {"defaultStatus":"affected","cpes":["cpe:/a:redhat:quarkus:2","cpe:/a:redhat:quarkus:2","odd"]}],
               "cpeApplicability":[{"nodes":[{"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:x:y:*:*:*:*:*:*:*:*"}]}]}]"#,
            "",
        );
        assert_eq!(advisory.cpes, ["cpe:/a:redhat:quarkus:2", "cpe:2.3:a:x:y:*:*:*:*:*:*:*:*"]);
    }

    #[test]
    fn packages_of_registries_are_judged_and_other_collections_told() {
        let items = items(
            r#""affected":[
                {"collectionURL":"https://repo.maven.apache.org/maven2/","packageName":"a:b","defaultStatus":"unaffected",
                 "versions":[{"version":"1","lessThan":"2","status":"affected","versionType":"maven"}]},
                {"collectionURL":"https://wordpress.org/plugins","packageName":"x","versions":[]},
                {"collectionURL":"https://registry.npmjs.org","packageName":"y","versions":[{"version":"n/a","status":"affected"}]}]"#,
            "",
        );
        assert_eq!(items[0], Item::UnknownEcosystem("wordpress.org".into()));
        let reason = "cna.affected[2]: `n/a` is no version".to_owned();
        assert_eq!(items[1], Item::Partial(Skipped { place: "CVE-2024-0001".to_owned(), reason }));
        let Item::Advisory(advisory) = &items[2] else { panic!("{items:?}") };
        assert_eq!(advisory.affected.len(), 1);
        assert_eq!((advisory.affected[0].ecosystem.as_str(), advisory.affected[0].name.as_str()), ("Maven", "a:b"));
    }

    #[test]
    fn a_rejected_record_is_withdrawn_and_says_why() {
        let json = r#"{"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-2024-0069","state":"REJECTED",
            "dateUpdated":"2024-08-02T04:54:32.575Z","dateRejected":"2024-08-01T00:00:00.000Z"},
            "containers":{"cna":{"rejectedReasons":[{"lang":"en","value":"unused"}]}}}"#;
        let mut items = Vec::new();
        let document = Document { name: "x.json", bytes: json.as_bytes() };
        parse(&document, &mut |item| items.push(item)).unwrap();
        let [Item::Advisory(advisory)] = &items[..] else { panic!("{items:?}") };
        assert_eq!(advisory.withdrawn.unwrap().to_string(), "2024-08-01T00:00:00Z");
        assert_eq!(advisory.details, "unused");
    }

    #[test]
    fn a_record_that_means_nothing_is_refused_with_the_reason() {
        let check = |json: &str, expected: &str| {
            let document = Document { name: "x.json", bytes: json.as_bytes() };
            assert_eq!(parse(&document, &mut |_| {}).unwrap_err().to_string(), expected, "{json}");
        };
        check(r#"{"dataType":"CVE_RECORD"}"#, "is not CVE JSON");
        check(r#"{"cveMetadata":{"cveId":"X"}}"#, "advisory ``: field `cveId` is not a CVE id");
        let timeless = r#"{"cveMetadata":{"cveId":"CVE-2024-0069","state":"REJECTED"}}"#;
        check(timeless, "advisory `CVE-2024-0069`: field `state` is `REJECTED`, but no time is said");
    }

    #[test]
    fn other_documents_are_not_claimed() {
        let sorted = r#"{"containers":{"cna":{"providerMetadata":{}}},"cveMetadata":{},"dataType":"CVE_RECORD"}"#;
        assert!(recognises(&Head::new("x.json", &sorted.as_bytes()[..50])), "an older record, cut before its type");
        for other in
            [r#"{"containers":[{"name":"nginx"}]}"#, r#"{"data_type":"CVE"}"#, r#"[{"dataType":"CVE_RECORD"}]"#]
        {
            assert!(!recognises(&Head::new("x.json", other.as_bytes())), "{other}");
        }
    }
}
