//! Catalogues of vulnerabilities that are known to be exploited (all read 2026-11-24):
//!
//! - CISA's Known Exploited Vulnerabilities (cisa.gov/known-exploited-vulnerabilities-catalog), as JSON, as CSV, and one
//!   entry alone;
//! - VulnCheck's (docs.vulncheck.com/community/vulncheck-kev/schema), a list or one under `data`, several CVEs an entry;
//! - ENISA's (euvdservices.enisa.europa.eu/api/kev/dump), a list.
//!
//! CISA's entries describe the vulnerability, too: what they say of it is a record of its own, of the source `CISA`.

use super::parts;
use super::vulnerability::{DETAILS_BYTES_MAX, Links, SUMMARY_BYTES_MAX, cve_id, cwe, day};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, Word, bounded, cut};
use muster_domain::{Advisory, AdvisoryId, KnownExploited};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

const FORMAT: &str = "KEV";
/// Most bytes kept of what CISA asks for; real texts stay below 1,000.
const ACTION_BYTES_MAX: usize = 4096;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let all = |keys: &[&str]| keys.iter().all(|key| head.has_json_key(key));
    let has_vulncheck = || head.holds("\"vulncheck_xdb\"") || head.holds("\"vulncheck_reported_exploitation\"");
    let is_cisa = all(&["catalogVersion", "vulnerabilities"]) || all(&["cveID", "dateAdded"]);
    let is_vulncheck = (all(&["cve", "date_added"]) || all(&["data"])) && has_vulncheck();
    let is_enisa = head.is_json_list() && all(&["cveId", "euvdId", "dateAdded"]);
    is_cisa || is_vulncheck || is_enisa || is_table(head.text)
}

fn is_table(text: &[u8]) -> bool {
    text.starts_with(b"cveID,vendorProject,") || text.starts_with(b"\"cveID\",\"vendorProject\",")
}

/// A document is a catalogue or one entry.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let head = Head::new(document.name, document.bytes);
    if is_table(head.text) {
        return table(document.bytes, sink);
    }
    let list = match head.has_json_key("catalogVersion") {
        _ if head.is_json_list() => "",
        true => "vulnerabilities",
        false => "data",
    };
    let mut take = |index: usize, raw: &RawValue| read(raw, &format!("{list}[{index}]"), sink);
    if head.is_json_list() {
        return parts::whole_list(document.bytes, FORMAT, &mut take);
    }
    if !head.has_json_key("cveID") && !head.has_json_key("cve") {
        return parts::elements(document.bytes, FORMAT, list, &mut take);
    }
    read(parts::whole(document.bytes, FORMAT)?, "the entry", sink);
    Ok(())
}

fn table(bytes: &[u8], sink: Sink<'_>) -> Result<(), FeedError> {
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let no_heads = |_| FeedError::NotThis { format: FORMAT, why: "its first line is not CSV".to_owned() };
    let heads: Vec<String> = table.byte_headers().map_err(no_heads)?.iter().map(lossy).collect();
    let column = |name: &str| heads.iter().position(|head| head == name);
    let columns = [
        "cveID",
        "dateAdded",
        "dueDate",
        "requiredAction",
        "knownRansomwareCampaignUse",
        "vulnerabilityName",
        "shortDescription",
        "notes",
        "cwes",
    ]
    .map(column);
    let mut line = csv::ByteRecord::new();
    loop {
        let place = table.position().line();
        match table.read_byte_record(&mut line) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let cell =
                    |column: Option<usize>| column.and_then(|column| line.get(column)).map(lossy).unwrap_or_default();
                let [cve, added, due, action, ransomware, name, description, notes, cwes] = columns.map(cell);
                let entry = Entry {
                    cve_id: Some(cve),
                    cves: Vec::new(),
                    date_added: added,
                    cisa_date_added: String::new(),
                    due_date: due,
                    required_action: action,
                    ransomware,
                    name,
                    description,
                    notes,
                    cwes: cwes.split(',').map(|word| Word(Some(word.to_owned()))).collect(),
                };
                tell(entry, &format!("line {place}"), sink);
            }
            Err(_) => sink(Item::skipped(format!("line {place}"), "line is not CSV")),
        }
    }
}

fn lossy(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}

fn read(raw: &RawValue, place: &str, sink: Sink<'_>) {
    match serde_json::from_str::<Entry>(raw.get()) {
        Ok(entry) => tell(entry, place, sink),
        Err(error) => sink(Item::skipped(place, format!("is not an entry: {error}"))),
    }
}

/// Hands on what an entry says of each of its CVEs.
fn tell(entry: Entry, place: &str, sink: Sink<'_>) {
    let named = entry.cve_id.iter().map(String::as_str).chain(entry.cves.iter().filter_map(|word| word.0.as_deref()));
    let cves: BTreeSet<String> = named.filter_map(cve_id).collect();
    if cves.is_empty() {
        return sink(Item::skipped(place, "entry names no CVE"));
    }
    let known = KnownExploited {
        date_added: day(&entry.cisa_date_added).or_else(|| day(&entry.date_added)).unwrap_or_default(),
        due_date: day(&entry.due_date).unwrap_or_default(),
        required_action: cut(&entry.required_action, ACTION_BYTES_MAX).to_owned(),
        ransomware: entry.ransomware.trim().eq_ignore_ascii_case("known"),
    };
    for cve in cves {
        if let Some(record) = entry.record(&cve) {
            sink(Item::Advisory(record));
        }
        sink(Item::KnownExploited(cve, known.clone()));
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// CISA: `cveID`, ENISA: `cveId`.
    #[serde(rename = "cveID", alias = "cveId")]
    cve_id: Option<String>,
    /// VulnCheck.
    #[serde(default, rename = "cve", deserialize_with = "bounded::<_, _, 1_000>")]
    cves: Vec<Word>,
    #[serde(default, alias = "date_added", deserialize_with = "text")]
    date_added: String,
    /// VulnCheck: since when CISA has it, too.
    #[serde(default, rename = "cisa_date_added", deserialize_with = "text")]
    cisa_date_added: String,
    #[serde(default, deserialize_with = "text")]
    due_date: String,
    #[serde(default, alias = "required_action", deserialize_with = "text")]
    required_action: String,
    #[serde(default, rename = "knownRansomwareCampaignUse", deserialize_with = "text")]
    ransomware: String,
    #[serde(default, rename = "vulnerabilityName", deserialize_with = "text")]
    name: String,
    #[serde(default, rename = "shortDescription", deserialize_with = "text")]
    description: String,
    #[serde(default, deserialize_with = "text")]
    notes: String,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    cwes: Vec<Word>,
}

/// `null` is as good as absent.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

impl Entry {
    /// CISA's words on the vulnerability; `None`: it is another's entry, or has none.
    fn record(&self, cve: &str) -> Option<Advisory> {
        self.cve_id.as_ref()?;
        let cwes: BTreeSet<String> = self.cwes.iter().filter_map(|word| cwe(word.0.as_deref()?)).collect();
        if self.description.is_empty() && cwes.is_empty() {
            return None;
        }
        let mut links = Links::default();
        for word in self.notes.split([' ', ';', ',']) {
            links.add(word, std::iter::empty());
        }
        Some(Advisory {
            id: AdvisoryId(cve.to_owned()),
            source: "CISA".to_owned(),
            summary: cut(&self.name, SUMMARY_BYTES_MAX).to_owned(),
            details: cut(&self.description, DETAILS_BYTES_MAX).to_owned(),
            cwes: cwes.into_iter().collect(),
            references: links.into_references(),
            ..Advisory::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(name: &str, text: &str) -> Result<Vec<Item>, FeedError> {
        let mut items = Vec::new();
        parse(&Document { name, bytes: text.as_bytes() }, &mut |item| items.push(item)).map(|()| items)
    }

    /// What came, a line each.
    fn told(text: &str) -> Vec<String> {
        assert!(recognises(&Head::new("kev", text.as_bytes())), "{text}");
        let line = |item| match item {
            Item::KnownExploited(cve, known) => {
                format!("{cve} {} {} {} {}", known.date_added, known.due_date, known.required_action, known.ransomware)
            }
            Item::Advisory(one) => {
                let links: Vec<_> = one.references.iter().map(|link| link.url.as_str()).collect();
                format!(
                    "{} {}: {} / {} {} {}",
                    one.source,
                    one.id.0,
                    one.summary,
                    one.details,
                    one.cwes.join(","),
                    links.join(",")
                )
            }
            Item::Skipped(skipped) => format!("{}! {}", skipped.place, skipped.reason),
            other => panic!("{other:?}"),
        };
        items("kev", text).unwrap().into_iter().map(line).collect()
    }

    #[test]
    fn an_entry_says_since_when_until_when_and_by_whom() {
        let told = told(
            r#"{"title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"2025.08.25","count":2,
                "vulnerabilities":[
                {"cveID":"CVE-2021-44228","vendorProject":"Apache","dateAdded":"2021-12-10","dueDate":"2021-12-24",
                 "vulnerabilityName":"Log4Shell","shortDescription":"Log4j looks up.","notes":"https://a/1 ; https://b/2",
                 "requiredAction":"Apply updates.","knownRansomwareCampaignUse":"Known","cwes":["CWE-20","none"]},
                {"cveID":"CVE-2025-48384","dateAdded":"2025-08-25","knownRansomwareCampaignUse":"Unknown","notes":null},
                {"vendorProject":"Git"}, {"cveID":7}]}"#,
        );
        let expected = [
            "CISA CVE-2021-44228: Log4Shell / Log4j looks up. CWE-20 https://a/1,https://b/2",
            "CVE-2021-44228 2021-12-10 2021-12-24 Apply updates. true",
            "CVE-2025-48384 2025-08-25   false",
            "vulnerabilities[2]! entry names no CVE",
            "vulnerabilities[3]! is not an entry: invalid type: integer `7`, expected a string at line 1 column 10",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn the_table_says_the_same_as_the_json() {
        let told = told(
            "cveID,vendorProject,product,vulnerabilityName,dateAdded,shortDescription,requiredAction,dueDate,\
             knownRansomwareCampaignUse,notes,cwes\n\
             CVE-2021-44228,Apache,Log4j,Log4Shell,2021-12-10,\"Log4j, looks up.\",Apply.,2021-12-24,Known,https://a/1,\"CWE-20, CWE-502\"\n\
             DSA-1,Apache\n",
        );
        let expected = [
            "CISA CVE-2021-44228: Log4Shell / Log4j, looks up. CWE-20,CWE-502 https://a/1",
            "CVE-2021-44228 2021-12-10 2021-12-24 Apply. true",
            "line 3! entry names no CVE",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn an_entry_of_others_may_name_several() {
        let entry = r#"{"vendorProject":"PHP","shortDescription":"Injection","required_action":"Apply",
            "knownRansomwareCampaignUse":"Known","cve":["CVE-2024-4577","CVE-2024-4578"],"cwes":["CWE-78"],
            "vulncheck_xdb":[{"date_added":"2025-02-14T19:38:10Z"}],"dueDate":"2024-07-03T00:00:00Z",
            "cisa_date_added":"2024-06-12T00:00:00Z","date_added":"2024-06-07T00:00:00Z"}"#;
        let expected =
            ["CVE-2024-4577 2024-06-12 2024-07-03 Apply true", "CVE-2024-4578 2024-06-12 2024-07-03 Apply true"];
        assert_eq!(told(&format!("[{entry}]")), expected);
        assert_eq!(told(&format!(r#"{{"_benchmark":0.1,"data":[{entry}]}}"#)), expected);
        assert_eq!(told(entry), expected);
        let enisa =
            r#"[{"cveId":"CVE-2021-22555","euvdId":"EUVD-2021-9696","dateAdded":"2025-10-06","sources":["cisa_kev"]}]"#;
        assert_eq!(told(enisa), ["CVE-2021-22555 2025-10-06   false"]);
    }

    #[test]
    fn other_documents_are_not_claimed() {
        for other in [
            // CISA's schema, which lies beside the catalogue and names its fields
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","title":"CISA Catalog of Known Exploited Vulnerabilities",
                "properties":{"catalogVersion":{"type":"string"},"vulnerabilities":{"items":{"properties":{"cveID":{}}}}}}"#,
            r#"{"schema":"x","identifier":"kev:cve-1","item":{"cveID":"CVE-2025-0108","dateAdded":"2025-02-18"}}"#,
            r#"{"data":[{"cve":"CVE-2021-1","epss":"0.1"}]}"#,
            "{}",
            "<html>",
        ] {
            assert!(!recognises(&Head::new("kev.json", other.as_bytes())), "{other}");
        }
    }

    #[test]
    fn a_broken_catalogue_is_refused() {
        for broken in
            [r#"{"catalogVersion":"1","vulnerabilities":[{"#, r#"{"catalogVersion":"1","vulnerabilities":{}}"#]
        {
            assert!(matches!(items("kev.json", broken), Err(FeedError::NotJson { .. })), "{broken}");
        }
        assert!(matches!(items("kev.json", r#"{"catalogVersion":"1"}"#), Err(FeedError::NotThis { .. })));
    }
}
