//! VMware's list of CVEs in a release of Photon OS (packages.vmware.com/photon/photon_cve_metadata/cve_data_photonN.0.json,
//! read 2026-11): entries `{"cve_id","pkg","cve_score","aff_ver","res_ver","status"}`, all of a CVE -> one advisory.
//!
//! - The release stands in the document's name, else in the versions' dist tag (`.ph4`).
//! - Packages are source packages (`linux`, `curl`), as in Photon's notices; the few entries that name a part of one
//!   (`curl-libs`) have the same version beside it.
//! - `Fixed` with no version (`NA`) tells that a fix is out but not where: not decided, never "not affected".
//! - `aff_ver` only puts `res_ver` into a sentence, and `cve_score` has no vector: neither is kept.

use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, Word, bounded, cut};
use crate::gather::Gather;
use muster_domain::{Advisory, AdvisoryId, Affected, Ecosystem, Names, Skipped, VendorState};
use serde::Deserialize;
use std::collections::HashMap;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    head.is_json_list() && ["cve_id", "pkg", "res_ver"].iter().all(|key| head.has_json_key(key))
}

/// A document is a release's whole list.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let List(entries) =
        serde_json::from_slice(document.bytes).map_err(|cause| FeedError::NotJson { format: "Photon OS", cause })?;
    let Some(release) = release_in_name(document.name).or_else(|| entries.iter().find_map(release_in_version)) else {
        let why = "neither its name nor a version tells the release".to_owned();
        return Err(FeedError::NotThis { format: "Photon OS", why });
    };
    let ecosystem: Ecosystem = format!("Photon OS:{release}").parse().expect("Photon OS has a row");
    let mut order: Vec<String> = Vec::new();
    let mut records: HashMap<String, Gather> = HashMap::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match entry.affected(&ecosystem) {
            Ok((id, affected)) => {
                let gather = records.entry(id.clone()).or_insert_with(|| {
                    order.push(id.clone());
                    Gather::default()
                });
                if affected.state == Some(VendorState::UnderInvestigation) {
                    let reason =
                        format!("`{}` has neither a version nor a state that decides", cut(&affected.name, 80));
                    sink(Item::Partial(Skipped { place: id, reason }));
                }
                gather.add(affected);
            }
            Err(reason) => sink(Item::skipped(format!("entry {}", index + 1), reason)),
        }
    }
    for id in order {
        let affected = records.remove(&id).unwrap_or_default().finish();
        sink(Item::Advisory(Advisory {
            id: AdvisoryId(id),
            source: "PHOTON".to_owned(),
            scope: release.clone(),
            affected,
            ..Advisory::default()
        }));
    }
    Ok(())
}

/// `…/cve_data_photon4.0.json` -> `4.0`.
fn release_in_name(name: &str) -> Option<String> {
    let (_, rest) = name.to_ascii_lowercase().rsplit_once("photon").map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
    let number = rest[..end].trim_matches('.');
    match number.split('.').collect::<Vec<_>>()[..] {
        [major] if !major.is_empty() => Some(format!("{major}.0")),
        [major, minor] => Some(format!("{major}.{minor}")),
        _ => None,
    }
}

/// `7.88.1-4.ph4` -> `4.0`.
fn release_in_version(entry: &Entry) -> Option<String> {
    let digits = entry.fixed.0.as_deref()?.rsplit_once(".ph")?.1;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| format!("{digits}.0"))
}

impl Entry {
    fn affected(self, ecosystem: &Ecosystem) -> Result<(String, Affected), String> {
        let (id, package) = (self.cve_id.0.ok_or("has no id")?, self.package.0.ok_or("has no package")?);
        let status = self.status.0.unwrap_or_default();
        let affected = Affected { names: Names::Source, ..Affected::new(ecosystem.clone(), package) };
        let stated = |word: &str| status.trim().eq_ignore_ascii_case(word);
        if stated("Not Affected") {
            return Ok((id, Affected { state: Some(VendorState::NotAffected), ..affected }));
        }
        let fixed = self.fixed.0.filter(|fixed| fixed.bytes().any(|byte| byte.is_ascii_digit()));
        let affected = match fixed {
            Some(fixed) => affected.with_range("0", Some(cut(&fixed, WORD_BYTES_MAX))),
            None => {
                let word = if status.is_empty() { "no state" } else { status.as_str() };
                let remark = Some(format!("{}, without a version", cut(word, 80)));
                Affected { state: Some(VendorState::UnderInvestigation), remark, ..affected }
            }
        };
        Ok((id, affected))
    }
}

/// The longest real list (3.0, read 2026-11) has about 20,000 entries.
#[derive(Deserialize)]
struct List(#[serde(deserialize_with = "bounded::<_, _, 1_000_000>")] Vec<Entry>);

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    cve_id: Word,
    #[serde(default, rename = "pkg")]
    package: Word,
    #[serde(default, rename = "res_ver")]
    fixed: Word,
    #[serde(default)]
    status: Word,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, json: &str) -> Vec<String> {
        let mut out = Vec::new();
        let outcome = parse(&Document { name, bytes: json.as_bytes() }, &mut |item| match item {
            Item::Advisory(advisory) => {
                for one in &advisory.affected {
                    let events: Vec<_> = one.ranges.iter().flat_map(|range| &range.events).collect();
                    out.push(format!("{} {} {} {:?} {events:?}", advisory.id.0, one.ecosystem, one.name, one.state));
                }
            }
            Item::Skipped(skipped) => out.push(format!("! {}: {}", skipped.place, skipped.reason)),
            Item::Partial(skipped) => out.push(format!("- {}: {}", skipped.place, skipped.reason)),
            other => panic!("{other:?}"),
        });
        if let Err(error) = outcome {
            out.push(error.to_string());
        }
        out
    }

    #[test]
    fn an_entry_says_from_which_version_a_package_is_good() {
        let json = r#"[
            {"cve_id":"CVE-2023-38546","pkg":"curl","cve_score":3.7,"res_ver":"7.88.1-4.ph4","status":"Fixed"},
            {"cve_id":"CVE-2023-44487","pkg":"httpd","res_ver":"NA","status":"Not Affected"},
            {"cve_id":"CVE-2023-50447","pkg":"python3","cve_score":null,"res_ver":"NA","status":"Fixed"},
            {"cve_id":"CVE-2023-38546","pkg":"cmake","res_ver":"3.25.1-3.ph4","status":"Fixed"},
            {"pkg":"x"}]"#;
        let expected = [
            "- CVE-2023-50447: `python3` has neither a version nor a state that decides",
            "! entry 5: has no id",
            r#"CVE-2023-38546 Photon OS:4.0 curl None [Introduced("0"), Fixed("7.88.1-4.ph4")]"#,
            r#"CVE-2023-38546 Photon OS:4.0 cmake None [Introduced("0"), Fixed("3.25.1-3.ph4")]"#,
            "CVE-2023-44487 Photon OS:4.0 httpd Some(NotAffected) []",
            "CVE-2023-50447 Photon OS:4.0 python3 Some(UnderInvestigation) []",
        ];
        assert_eq!(read("feed/cve_data_photon4.0.json", json), expected);
        assert_eq!(read("list.json", json), expected); // by `.ph4`
        assert_eq!(read("list.json", "[]"), ["is not Photon OS: neither its name nor a version tells the release"]);
    }

    #[test]
    fn the_release_stands_in_the_name() {
        let check =
            |name: &str, expected: Option<&str>| assert_eq!(release_in_name(name).as_deref(), expected, "{name}");
        check("x.tar: photon/cve_data_photon5.0.json", Some("5.0"));
        check("cve_data_photon1.0.json", Some("1.0"));
        check("photon3.json", Some("3.0"));
        check("photon.json", None);
        check("data.json", None);
    }
}
