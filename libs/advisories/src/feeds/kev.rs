//! CISA's catalogue of Known Exploited Vulnerabilities, as JSON (cisa.gov/known-exploited-vulnerabilities-catalog,
//! schema read 2026-11-24).

use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, bounded, cut};
use muster_domain::KnownExploited;
use serde::Deserialize;

/// Most bytes kept of what CISA asks for; real texts stay below 1,000.
const ACTION_BYTES_MAX: usize = 4096;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    head.has_json_key("catalogVersion")
}

/// A document is a whole catalogue.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let catalogue: Catalogue =
        serde_json::from_slice(document.bytes).map_err(|cause| FeedError::NotJson { format: "KEV", cause })?;
    for entry in catalogue.vulnerabilities {
        let known = KnownExploited {
            date_added: cut(&entry.date_added, WORD_BYTES_MAX).to_owned(),
            due_date: cut(&entry.due_date, WORD_BYTES_MAX).to_owned(),
            required_action: cut(&entry.required_action, ACTION_BYTES_MAX).to_owned(),
            ransomware: entry.known_ransomware_campaign_use.eq_ignore_ascii_case("known"),
        };
        sink(Item::KnownExploited(cut(&entry.cve_id, WORD_BYTES_MAX).to_owned(), known));
    }
    Ok(())
}

#[derive(Deserialize)]
struct Catalogue {
    #[serde(rename = "catalogVersion")]
    _version: String,
    #[serde(deserialize_with = "bounded::<_, _, 100_000>")]
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve_id: String,
    date_added: String,
    #[serde(default)]
    due_date: String,
    #[serde(default)]
    required_action: String,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn read(bytes: &[u8]) -> Result<BTreeMap<String, KnownExploited>, FeedError> {
        let mut known = BTreeMap::new();
        parse(&Document { name: "kev.json", bytes }, &mut |item| {
            if let Item::KnownExploited(cve, entry) = item {
                known.insert(cve, entry);
            }
        })?;
        Ok(known)
    }

    #[test]
    fn an_entry_says_since_when_until_when_and_by_whom() {
        let known = read(
            br#"{"title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"2025.08.25","count":2,
                "vulnerabilities":[
                {"cveID":"CVE-2021-44228","vendorProject":"Apache","dateAdded":"2021-12-10","dueDate":"2021-12-24",
                 "requiredAction":"Apply updates.","knownRansomwareCampaignUse":"Known","cwes":["CWE-20"]},
                {"cveID":"CVE-2025-48384","dateAdded":"2025-08-25","knownRansomwareCampaignUse":"Unknown"}]}"#,
        )
        .unwrap();
        assert_eq!(
            known["CVE-2021-44228"],
            KnownExploited {
                date_added: "2021-12-10".into(),
                due_date: "2021-12-24".into(),
                required_action: "Apply updates.".into(),
                ransomware: true
            }
        );
        assert!(!known["CVE-2025-48384"].ransomware);
    }

    #[test]
    fn another_document_is_refused() {
        for other in ["{}", r#"{"vulnerabilities":[]}"#, r#"{"catalogVersion":"1","vulnerabilities":[{}]}"#, "<html>"] {
            assert!(matches!(read(other.as_bytes()), Err(FeedError::NotJson { .. })), "{other}");
        }
    }
}
