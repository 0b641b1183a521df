//! What Amazon says of a CVE in each of its platforms, fixes that are not out among it: the JSON of one CVE that the
//! Amazon Linux Security Center has beside each page (`explore.alas.aws.amazon.com/CVE-….json`, also
//! `alas.aws.amazon.com/cve/json/v1/CVE-….json`, which Amazon Inspector names as its source), or a list of such.
//!
//! Verified (2026-11, in public code that reads it or its pages): the addresses; that `scores` is a list of objects with
//! `type` (`CVSSv3` in any case), `score` and `vector`; that a page's table has a row per platform and package with the
//! columns platform, package, release date, advisory, status, one of them `Fixed`.
//! **Not verified**, for want of a recorded document: the other states (`Pending Fix`, `No Fix Planned`, `Not Affected`), how
//! platforms of extras are spelled, and how the JSON spells the keys of the id, the table and its columns.
//! Those that the names suggest are taken, whichever of them is there; a document in which none is found is set aside
//! with that reason, never read as "nothing is affected".
//!
//! - Packages are source packages, as in the lists of affected packages of Amazon's notices.
//! - `Fixed` names no version: the fix's version is in updateinfo.xml, so such a row adds nothing here.
//! - The core and the extras of Amazon Linux 2 have packages of the same names, and a row has no version. A kernel's row is
//!   of the versions that its extra's name says (`Kernel-5.10 Extra`: from 5.10 up to 5.11), the core's of those below 5
//!   (it has 4.14). Other packages may have epochs (`nginx` 1:1.22), which no name tells, so their rows are of all versions,
//!   with the extra in the remark: rather one of the core too many than one of the extra too few. `Not Affected` counts
//!   only where all rows of that package in that release say it, since a package does not tell where it came from.

use super::updateinfo::extra_version;
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, Word, bounded, cut};
use crate::gather::Gather;
use crate::moment::moment;
use muster_domain::{
    Advisory, AdvisoryId, Affected, Ecosystem, Event, Names, Range, RangeType, Reference, Skipped, VectorString,
    VendorState,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeSet;

/// The origin of its records.
const SOURCE: &str = "AMAZON_CVE";
/// Most bytes of a description that are kept.
const DETAILS_BYTES_MAX: usize = 4096;
/// Most links that are kept: the Inspector API shows 100.
const REFERENCES_KEPT_MAX: usize = 100;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let has = |keys: &[&str]| keys.iter().any(|key| head.has_json_key(key));
    // Photon's list has `cve_id`, too, but neither a table of platforms nor Amazon in it.
    has(ID_KEYS) && has(TABLE_KEYS) && head.holds("\"Amazon Linux")
}

/// Keys under which the CVE may stand.
const ID_KEYS: &[&str] = &["cve_id", "cveId", "cve"];
/// Keys under which the table may stand.
const TABLE_KEYS: &[&str] = &["packages", "affected_packages", "affectedPackages", "affected", "advisories"];

/// A document is one CVE, or a list of them.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let not_json = |cause| FeedError::NotJson { format: "Amazon Linux CVE", cause };
    let pages: Vec<Page> = match document.bytes.trim_ascii_start() {
        [b'[', ..] => serde_json::from_slice::<Pages>(document.bytes).map_err(not_json)?.0,
        _ => vec![serde_json::from_slice(document.bytes).map_err(not_json)?],
    };
    for (index, page) in pages.into_iter().enumerate() {
        match page.advisory(sink) {
            Ok(advisory) => sink(Item::Advisory(advisory)),
            Err((place, reason)) => {
                let place = if place.is_empty() { format!("record {}", index + 1) } else { place };
                sink(Item::skipped(place, reason));
            }
        }
    }
    Ok(())
}

impl Page {
    fn advisory(self, sink: Sink<'_>) -> Result<Advisory, (String, String)> {
        let id = first([self.cve_id, self.cve_id_camel, self.cve]).unwrap_or_default();
        if !id.starts_with("CVE-") {
            return Err((id, "has no CVE id".to_owned()));
        }
        let tables =
            [self.packages, self.affected_packages, self.affected_packages_camel, self.affected, self.advisories];
        let rows = |table| if let Table::Rows(Rows(rows)) = table { rows } else { Vec::new() };
        let Some(rows) = tables.into_iter().map(rows).find(|rows| !rows.is_empty()) else {
            return Err((id, "has no table of packages".to_owned()));
        };
        let mut rows: Vec<Statement> = rows
            .into_iter()
            .enumerate()
            .filter_map(|(index, row)| match row.statement() {
                Ok(statement) => Some(statement),
                Err(Unusable::Ecosystem(spelled)) => {
                    sink(Item::UnknownEcosystem(spelled));
                    None
                }
                Err(Unusable::Reason(reason)) => {
                    sink(Item::Partial(Skipped { place: id.clone(), reason: format!("row {}: {reason}", index + 1) }));
                    None
                }
            })
            .collect();
        for unknown in rows.iter().filter(|row| !row.known) {
            let reason = format!("state `{}` is not known, taken as not decided", cut(&unknown.word, 40));
            sink(Item::Partial(Skipped { place: id.clone(), reason }));
        }
        keep_consistent(&mut rows);
        let mut gather = Gather::default();
        rows.into_iter().filter_map(Statement::affected).for_each(|affected| gather.add(affected));
        Ok(Advisory {
            source: SOURCE.to_owned(),
            details: cut(&self.description, DETAILS_BYTES_MAX).to_owned(),
            severity: self.scores.into_iter().filter_map(Score::vector).collect(),
            vendor_severity: self.severity.0,
            affected: gather.finish(),
            references: self
                .references
                .into_iter()
                .filter_map(|reference| reference.0)
                .take(REFERENCES_KEPT_MAX)
                .map(|url| Reference { kind: "WEB".to_owned(), url })
                .collect(),
            published: first([self.public_date, self.published]).as_deref().and_then(moment),
            modified: first([self.last_updated, self.modified]).as_deref().and_then(moment),
            id: AdvisoryId(id),
            ..Advisory::default()
        })
    }
}

fn first<const N: usize>(words: [Word; N]) -> Option<String> {
    words.into_iter().find_map(|word| word.0)
}

/// One row: what is said of a package on a platform.
struct Statement {
    ecosystem: Ecosystem,
    extra: Option<String>,
    package: String,
    state: VendorState,
    /// Whether the state's word is one that we know.
    known: bool,
    /// The state as written.
    word: String,
}

enum Unusable {
    Ecosystem(String),
    Reason(String),
}

impl Row {
    fn statement(self) -> Result<Statement, Unusable> {
        let field = |word: Word, name: &str| word.0.ok_or_else(|| Unusable::Reason(format!("has no {name}")));
        let (platform, package) = (field(self.platform, "platform")?, field(self.package, "package")?);
        let word = field(self.state, "state")?;
        let (release, extra) = platform_of(&platform).ok_or_else(|| Unusable::Ecosystem(platform.clone()))?;
        let ecosystem = format!("Amazon Linux:{release}").parse().map_err(|_| Unusable::Ecosystem(platform.clone()))?;
        let known = STATES.iter().find(|(spelled, _)| spelled.eq_ignore_ascii_case(word.trim()));
        let state = known.map_or(VendorState::UnderInvestigation, |(_, state)| *state);
        Ok(Statement { ecosystem, extra, package, state, known: known.is_some(), word })
    }
}

/// Amazon's words.
const STATES: &[(&str, VendorState)] = &[
    ("Fixed", VendorState::Fixed),
    ("Pending Fix", VendorState::Affected),
    ("No Fix Planned", VendorState::WillNotFix),
    ("Not Affected", VendorState::NotAffected),
    ("Pending", VendorState::UnderInvestigation),
    ("Under Investigation", VendorState::UnderInvestigation),
];

/// `Amazon Linux 2 - Kernel-5.10 Extra` -> `2` and `kernel-5.10`; the core is no extra.
fn platform_of(platform: &str) -> Option<(&str, Option<String>)> {
    let (release, part) = platform.split_once(" - ").unwrap_or((platform, ""));
    let release = release.trim().strip_prefix("Amazon Linux")?.trim();
    let release = if release.is_empty() || release.starts_with("AMI") { "1" } else { release };
    if !release.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let extra = part.trim().strip_suffix("Extra").map(|extra| extra.trim().to_ascii_lowercase());
    Some((release, extra.filter(|extra| !extra.is_empty())))
}

/// Takes out what one row says of a whole package while another row of the same package in the same release says
/// otherwise: "not affected" would hide the other's answer.
fn keep_consistent(rows: &mut Vec<Statement>) {
    let otherwise: BTreeSet<(Ecosystem, String)> = rows
        .iter()
        .filter(|row| row.state != VendorState::NotAffected)
        .map(|row| (row.ecosystem.clone(), row.package.clone()))
        .collect();
    rows.retain(|row| {
        row.state != VendorState::NotAffected || !otherwise.contains(&(row.ecosystem.clone(), row.package.clone()))
    });
}

impl Statement {
    /// `None` where it adds nothing: a fix is in updateinfo.xml, with its version.
    fn affected(self) -> Option<Affected> {
        let affected = Affected {
            names: Names::Source,
            state: Some(self.state),
            remark: Some(match &self.extra {
                Some(extra) => format!("{} (extra {extra})", cut(&self.word, 80)),
                None => cut(&self.word, 80).to_owned(),
            }),
            ..Affected::new(self.ecosystem, self.package.as_str())
        };
        match self.state {
            VendorState::Fixed => None,
            VendorState::NotAffected | VendorState::UnderInvestigation => Some(affected),
            _ => Some(match own_versions(affected.ecosystem.as_str(), self.extra.as_deref(), &self.package) {
                Some((start, end)) => {
                    let events = vec![Event::Introduced(start), Event::Limit(end)];
                    Affected { ranges: vec![Range { kind: RangeType::Ecosystem, events }], ..affected }
                }
                None => affected.with_range("0", None),
            }),
        }
    }
}

/// The versions that the kernel of Amazon Linux 2 has in the core (4.14, until its end) or in an extra named after it
/// (`kernel-5.10`: from 5.10 up to 5.11); no other package's.
fn own_versions(ecosystem: &str, extra: Option<&str>, package: &str) -> Option<(String, String)> {
    if ecosystem != "Amazon Linux:2" || package != "kernel" {
        return None;
    }
    let Some(extra) = extra else {
        return Some(("0".to_owned(), "5".to_owned()));
    };
    let start = extra_version(extra).filter(|start| extra.strip_suffix(start) == Some("kernel-"))?;
    let (major, minor) = start.split_once('.')?;
    let next = minor.parse::<u32>().ok()?.checked_add(1)?;
    Some((start.to_owned(), format!("{major}.{next}")))
}

impl Score {
    fn vector(self) -> Option<VectorString> {
        let (kind, vector) = (self.kind.0?.to_ascii_uppercase(), self.vector.0?);
        let kind = match kind.trim_start_matches("CVSS").trim_start_matches([' ', '_']).get(..2)? {
            "V2" => "CVSS_V2",
            "V3" => "CVSS_V3",
            "V4" => "CVSS_V4",
            _ => return None,
        };
        // A page shows the NVD's vector beside Amazon's own.
        let source = self.source.0.filter(|source| source.eq_ignore_ascii_case("nvd")).map_or(SOURCE, |_| "NVD");
        Some(VectorString { kind: kind.to_owned(), vector, source: source.to_owned() })
    }
}

#[derive(Deserialize)]
struct Pages(#[serde(deserialize_with = "bounded::<_, _, 1_000_000>")] Vec<Page>);

/// Each key stands for itself, since a document may have several of them.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    cve_id: Word,
    #[serde(default, rename = "cveId")]
    cve_id_camel: Word,
    #[serde(default)]
    cve: Word,
    #[serde(default)]
    description: String,
    #[serde(default)]
    severity: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    scores: Vec<Score>,
    #[serde(default)]
    packages: Table,
    #[serde(default)]
    affected_packages: Table,
    #[serde(default, rename = "affectedPackages")]
    affected_packages_camel: Table,
    #[serde(default)]
    affected: Table,
    #[serde(default)]
    advisories: Table,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    references: Vec<Word>,
    #[serde(default)]
    public_date: Word,
    #[serde(default)]
    published: Word,
    #[serde(default)]
    last_updated: Word,
    #[serde(default)]
    modified: Word,
}

/// A list of rows where there is one; a key may hold something else.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Table {
    Rows(Rows),
    Other(IgnoredAny),
    #[default]
    None,
}

#[derive(Deserialize)]
struct Rows(#[serde(deserialize_with = "bounded::<_, _, 100_000>")] Vec<Row>);

#[derive(Deserialize)]
struct Row {
    #[serde(default, alias = "product", alias = "os")]
    platform: Word,
    #[serde(default, alias = "name", alias = "package_name", alias = "packageName")]
    package: Word,
    #[serde(default, alias = "status")]
    state: Word,
}

#[derive(Deserialize)]
struct Score {
    #[serde(rename = "type", default)]
    kind: Word,
    #[serde(default)]
    vector: Word,
    #[serde(default)]
    source: Word,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str =
        r#"{"platform":"Amazon Linux 2 - Docker Extra","package":"containerd","status":"Pending Fix"}"#;

    fn page(rows: &[(&str, &str, &str)]) -> String {
        let row = |(platform, package, state): &(&str, &str, &str)| {
            format!(r#"{{"platform":"{platform}","package":"{package}","status":"{state}"}}"#)
        };
        let rows: Vec<String> = rows.iter().map(row).collect();
        format!(r#"{{"cve_id":"CVE-2025-0167","packages":[{}]}}"#, rows.join(","))
    }

    /// Everything that comes, in short.
    fn read(json: &str) -> Vec<String> {
        let mut out = Vec::new();
        let outcome = parse(&Document { name: "CVE.json", bytes: json.as_bytes() }, &mut |item| match item {
            Item::Advisory(advisory) => {
                for affected in advisory.affected {
                    let events: Vec<_> = affected.ranges.iter().flat_map(|range| &range.events).collect();
                    let (state, remark) = (affected.state.unwrap(), affected.remark.unwrap());
                    out.push(format!("{} {} {state:?} {events:?} {remark}", affected.ecosystem, affected.name));
                }
            }
            Item::Skipped(skipped) => out.push(format!("! {}: {}", skipped.place, skipped.reason)),
            Item::Partial(skipped) => out.push(format!("- {}: {}", skipped.place, skipped.reason)),
            Item::UnknownEcosystem(spelled) => out.push(format!("? {spelled}")),
            other => panic!("{other:?}"),
        });
        if let Err(error) = outcome {
            out.push(error.to_string());
        }
        out
    }

    fn check(rows: &[(&str, &str, &str)], expected: &[&str]) {
        assert_eq!(read(&page(rows)), expected, "{rows:?}");
    }

    #[test]
    fn each_state_is_told_as_amazon_says_it() {
        check(
            &[
                ("Amazon Linux 1", "curl", "No Fix Planned"),
                ("Amazon Linux 2 - Core", "curl", "Pending Fix"),
                ("Amazon Linux 2023", "curl", "Fixed"), // the version is in updateinfo.xml
                ("Amazon Linux 2023", "rust", "Not Affected"),
            ],
            &[
                r#"Amazon Linux:1 curl WillNotFix [Introduced("0")] No Fix Planned"#,
                r#"Amazon Linux:2 curl Affected [Introduced("0")] Pending Fix"#,
                "Amazon Linux:2023 rust NotAffected [] Not Affected",
            ],
        );
    }

    #[test]
    fn a_word_that_is_not_known_is_never_taken_for_not_affected() {
        check(
            &[("Amazon Linux 2023", "curl", "Awaiting Tea"), ("Amazon Linux 9 Beta", "curl", "Pending Fix")],
            &[
                "? Amazon Linux 9 Beta",
                "- CVE-2025-0167: state `Awaiting Tea` is not known, taken as not decided",
                "Amazon Linux:2023 curl UnderInvestigation [] Awaiting Tea",
            ],
        );
        assert_eq!(
            read(r#"{"cve_id":"CVE-1","packages":[{"platform":"Amazon Linux 2023","package":"a"}]}"#),
            ["- CVE-1: row 1: has no state"]
        );
    }

    #[test]
    fn an_extra_keeps_off_the_cores_versions() {
        check(
            &[
                ("Amazon Linux 2 - Kernel-5.10 Extra", "kernel", "Pending Fix"),
                ("Amazon Linux 2 - Core", "kernel", "Not Affected"), // must not hide the extra's
                ("Amazon Linux 2 - Nginx1 Extra", "nginx", "Pending Fix"), // 1:1.22, which the name does not tell
                ("Amazon Linux 2 - Ruby3.0 Extra", "rubygem-json", "Pending Fix"), // its versions are its own
                ("Amazon Linux 2 - Docker Extra", "containerd", "Pending Fix"),
            ],
            &[
                r#"Amazon Linux:2 kernel Affected [Introduced("5.10"), Limit("5.11")] Pending Fix (extra kernel-5.10)"#,
                r#"Amazon Linux:2 nginx Affected [Introduced("0")] Pending Fix (extra nginx1)"#,
                r#"Amazon Linux:2 rubygem-json Affected [Introduced("0")] Pending Fix (extra ruby3.0)"#,
                r#"Amazon Linux:2 containerd Affected [Introduced("0")] Pending Fix (extra docker)"#,
            ],
        );
    }

    #[test]
    fn the_cores_kernel_keeps_off_the_extras() {
        check(
            &[("Amazon Linux 2 - Core", "kernel", "Pending Fix"), ("Amazon Linux 2023", "kernel", "Pending Fix")],
            &[
                r#"Amazon Linux:2 kernel Affected [Introduced("0"), Limit("5")] Pending Fix"#,
                r#"Amazon Linux:2023 kernel Affected [Introduced("0")] Pending Fix"#,
            ],
        );
    }

    #[test]
    fn a_document_is_one_cve_or_a_list_of_them() {
        let list = format!(r#"[{{"cve":"CVE-2025-0001","affected_packages":[{DOCKER}]}},{{"cve":"x","packages":[]}}]"#);
        let read = read(&list);
        assert_eq!(read.len(), 2);
        assert!(read[0].starts_with("Amazon Linux:2 containerd"), "{read:?}");
        assert_eq!(read[1], "! x: has no CVE id");
        let check = |json: &str, expected: bool| {
            assert_eq!(recognises(&Head::new("CVE-2025-0167.json", json.as_bytes())), expected, "{json}");
        };
        check(&list, true);
        check(&page(&[("Amazon Linux 2023", "curl", "Pending Fix")]), true);
        check(r#"[{"cve_id":"CVE-1","pkg":"perl","res_ver":"1"}]"#, false); // Photon
        check(r#"{"id":"ALAS2-1","affected":[{"package":{"ecosystem":"Amazon Linux:2"}}],"modified":""}"#, false);
    }

    #[test]
    fn a_document_without_the_table_is_set_aside() {
        assert_eq!(read(r#"{"cve_id":"CVE-1","advisories":null}"#), ["! CVE-1: has no table of packages"]);
        assert_eq!(read("{"), ["is not Amazon Linux CVE JSON"]);
    }

    #[test]
    fn vectors_keep_who_gave_them() {
        let json = r#"{"cve_id":"CVE-1","severity":"Low","public_date":"2025-02-05","scores":[
            {"type":"CVSSv3","score":"3.4","vector":"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:L/I:N/A:N","source":"Amazon Linux"},
            {"type":"CVSSV3","score":"3.4","vector":"CVSS:3.1/AV:N","source":"NVD"}, {"type":"other","vector":"x"}]}"#;
        let json = json.replace("\"scores\"", &format!("\"packages\":[{DOCKER}],\"scores\""));
        parse(&Document { name: "", bytes: json.as_bytes() }, &mut |item| {
            let Item::Advisory(advisory) = item else { panic!("{item:?}") };
            let said: Vec<_> = advisory.severity.iter().map(|one| (one.kind.as_str(), one.source.as_str())).collect();
            assert_eq!(said, [("CVSS_V3", "AMAZON_CVE"), ("CVSS_V3", "NVD")]);
            assert_eq!(advisory.vendor_severity.as_deref(), Some("Low"));
            assert_eq!(advisory.published.unwrap().to_string(), "2025-02-05T00:00:00Z");
        })
        .unwrap();
    }
}
