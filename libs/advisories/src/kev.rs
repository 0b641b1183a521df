//! CISA's catalogue of Known Exploited Vulnerabilities, as JSON (cisa.gov/known-exploited-vulnerabilities-catalog,
//! schema read 2026-11-24).

use crate::feed::{FeedError, WORD_BYTES_MAX, bounded, cut};
use muster_domain::KnownExploited;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Most bytes of the catalogue: ten times the real one of 2025 (1.5 MB, 1,400 entries).
pub const CATALOGUE_BYTES_MAX: usize = 16 << 20;
/// Most bytes kept of what CISA asks for; real texts stay below 1,000.
const ACTION_BYTES_MAX: usize = 4096;

/// What the catalogue says, by CVE.
///
/// # Errors
/// When the bytes are over `CATALOGUE_BYTES_MAX` or don't have the catalogue's shape.
pub fn parse(bytes: &[u8]) -> Result<BTreeMap<String, KnownExploited>, FeedError> {
    if bytes.len() > CATALOGUE_BYTES_MAX {
        return Err(FeedError::TooLarge { bytes: bytes.len(), limit: CATALOGUE_BYTES_MAX });
    }
    let catalogue: Catalogue = serde_json::from_slice(bytes).map_err(FeedError::NotKev)?;
    let entry = |entry: Entry| {
        let known = KnownExploited {
            date_added: cut(&entry.date_added, WORD_BYTES_MAX).to_owned(),
            due_date: cut(&entry.due_date, WORD_BYTES_MAX).to_owned(),
            required_action: cut(&entry.required_action, ACTION_BYTES_MAX).to_owned(),
            ransomware: entry.known_ransomware_campaign_use.eq_ignore_ascii_case("known"),
        };
        (cut(&entry.cve_id, WORD_BYTES_MAX).to_owned(), known)
    };
    Ok(catalogue.vulnerabilities.into_iter().map(entry).collect())
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

    #[test]
    fn an_entry_says_since_when_until_when_and_by_whom() {
        let known = parse(
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
            assert!(matches!(parse(other.as_bytes()), Err(FeedError::NotKev(_))), "{other}");
        }
    }
}
