//! Fedora's updates as Bodhi has them (bodhi.fedoraproject.org/docs/server_api/rest/updates.html, read 2026-11): one update,
//! or a page of `updates` -> an advisory each.
//!
//! - Only security updates that are `stable` count: until then a build is not in the release, and may never be.
//! - Builds are source packages, `name-version-release`; the epoch stands beside it.
//! - The CVEs are those in the titles of its bugs, else those in its own titles and notes.
//! - EPEL has no ecosystem of its own in our table, so its updates are named as such and left out.

use super::{Document, Item, Sink};
use crate::cve_ids::cves;
use crate::feed::{FeedError, Head, Word, bounded, cut};
use crate::gather::Gather;
use crate::moment::moment;
use muster_domain::{Advisory, AdvisoryId, Affected, Ecosystem, Names, Reference, Skipped};
use serde::Deserialize;

/// Most bytes of a title that are kept.
const SUMMARY_BYTES_MAX: usize = 1024;
/// Most bytes of the notes that are kept.
const DETAILS_BYTES_MAX: usize = 4096;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let has = |keys: &[&str]| keys.iter().all(|key| head.has_json_key(key));
    !head.is_json_list()
        && (has(&["alias", "builds", "status"]) || has(&["updates"]))
        && (head.holds("\"FEDORA") || head.holds("bodhi.fedoraproject.org"))
}

/// A document is an update or a page of them.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let page: Page =
        serde_json::from_slice(document.bytes).map_err(|cause| FeedError::NotJson { format: "Bodhi", cause })?;
    let updates = match page {
        Page { updates: Some(updates), .. } => updates.0,
        Page { update, .. } => vec![update],
    };
    for (index, update) in updates.into_iter().enumerate() {
        let place = update.alias.0.clone().unwrap_or_else(|| format!("update {}", index + 1));
        match update.advisory(sink) {
            Ok(Some(advisory)) => sink(Item::Advisory(advisory)),
            Ok(None) => {}
            Err(reason) => sink(Item::skipped(place, reason)),
        }
    }
    Ok(())
}

impl Update {
    /// `None` where it is no security update that is out.
    fn advisory(self, sink: Sink<'_>) -> Result<Option<Advisory>, String> {
        let id = self.alias.0.ok_or("has no alias")?;
        if self.kind.0.as_deref() != Some("security") || self.status.0.as_deref() != Some("stable") {
            return Ok(None);
        }
        let of_bugs = cves(self.bugs.iter().map(|bug| bug.title.as_str()));
        let upstream =
            if of_bugs.is_empty() { cves([self.title.as_str(), &self.display_name, &self.notes]) } else { of_bugs };
        let release = self.release.version.0.unwrap_or_default();
        if self.release.id_prefix.0.as_deref() != Some("FEDORA") {
            let name = self.release.id_prefix.0.unwrap_or_default();
            sink(Item::UnknownEcosystem(format!("{name}:{release}")));
            return Ok(None);
        }
        if release.is_empty() || !release.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("its release `{}` has no number", cut(&release, 40)));
        }
        let ecosystem: Ecosystem = format!("Fedora:{release}").parse().map_err(|_| "has no release".to_owned())?;
        let mut gather = Gather::default();
        for build in &self.builds {
            match build.affected(&ecosystem) {
                Ok(affected) => gather.add(affected),
                Err(reason) => sink(Item::Partial(Skipped { place: id.clone(), reason })),
            }
        }
        let said = self.severity.0.filter(|word| word != "unspecified");
        let summary = if self.display_name.is_empty() { &self.title } else { &self.display_name };
        Ok(Some(Advisory {
            id: AdvisoryId(id),
            source: "FEDORA".to_owned(),
            upstream,
            summary: cut(summary, SUMMARY_BYTES_MAX).to_owned(),
            details: cut(&self.notes, DETAILS_BYTES_MAX).to_owned(),
            vendor_severity: said,
            affected: gather.finish(),
            references: self.url.0.map(|url| Reference { kind: "ADVISORY".to_owned(), url }).into_iter().collect(),
            published: self.date_stable.0.or(self.date_pushed.0).as_deref().and_then(moment),
            modified: self.date_modified.0.as_deref().and_then(moment),
            ..Advisory::default()
        }))
    }
}

impl Build {
    fn affected(&self, ecosystem: &Ecosystem) -> Result<Affected, String> {
        let nvr = self.nvr.0.as_deref().unwrap_or_default();
        match self.kind.0.as_deref() {
            None | Some("rpm") => {}
            Some(other) => return Err(format!("build `{}` is a {}, no package", cut(nvr, 80), cut(other, 20))),
        }
        let mut parts = nvr.rsplitn(3, '-');
        let (Some(release), Some(version), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("build `{}` is not name-version-release", cut(nvr, 80)));
        };
        let fixed = match self.epoch {
            None | Some(0) => format!("{version}-{release}"),
            Some(epoch) => format!("{epoch}:{version}-{release}"),
        };
        let affected = Affected { names: Names::Source, ..Affected::new(ecosystem.clone(), name) };
        Ok(affected.with_range("0", Some(&fixed)))
    }
}

#[derive(Deserialize)]
struct Page {
    updates: Option<Updates>,
    #[serde(flatten)]
    update: Update,
}

#[derive(Deserialize)]
struct Updates(#[serde(deserialize_with = "bounded::<_, _, 100_000>")] Vec<Update>);

#[derive(Deserialize)]
struct Update {
    #[serde(default)]
    alias: Word,
    #[serde(default)]
    title: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    notes: String,
    #[serde(default)]
    severity: Word,
    #[serde(default, rename = "type")]
    kind: Word,
    #[serde(default)]
    status: Word,
    #[serde(default)]
    date_stable: Word,
    #[serde(default)]
    date_pushed: Word,
    #[serde(default)]
    date_modified: Word,
    #[serde(default)]
    url: Word,
    #[serde(default)]
    release: Release,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    bugs: Vec<Bug>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    builds: Vec<Build>,
}

#[derive(Default, Deserialize)]
struct Release {
    #[serde(default)]
    version: Word,
    #[serde(default)]
    id_prefix: Word,
}

#[derive(Deserialize)]
struct Bug {
    #[serde(default)]
    title: String,
}

#[derive(Deserialize)]
struct Build {
    #[serde(default)]
    nvr: Word,
    #[serde(default, rename = "type")]
    kind: Word,
    #[serde(default)]
    epoch: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An update of Fedora 40 with these fields beside.
    fn update(fields: &str) -> String {
        format!(
            r#"{{"alias":"FEDORA-2025-a","type":"security","status":"stable","release":{{"version":"40","id_prefix":"FEDORA"}},{fields}}}"#
        )
    }

    fn read(json: &str) -> Vec<String> {
        let mut out = Vec::new();
        let outcome = parse(&Document { name: "", bytes: json.as_bytes() }, &mut |item| match item {
            Item::Advisory(advisory) => {
                out.push(format!("{} {}", advisory.id.0, advisory.upstream.join(" ")));
                for one in &advisory.affected {
                    let events: Vec<_> = one.ranges.iter().flat_map(|range| &range.events).collect();
                    out.push(format!("{} {:?} {} {events:?}", one.ecosystem, one.names, one.name));
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

    #[test]
    fn a_stable_security_update_brings_good_versions() {
        let check = |json: &str, expected: &[&str]| assert_eq!(read(json), expected, "{json}");
        check(
            &update(
                r#""title":"CVE-2025-0009","bugs":[{"title":"CVE-2025-9999 java: x [fedora-40]"},{"title":"y"}],
                   "builds":[{"nvr":"java-17-openjdk-17.0.14.0.7-1.fc40","type":"rpm","epoch":1},
                             {"nvr":"flat","type":"rpm"},{"nvr":"a-1-1","type":"module"}]"#,
            ),
            &[
                "- FEDORA-2025-a: build `flat` is not name-version-release",
                "- FEDORA-2025-a: build `a-1-1` is a module, no package",
                "FEDORA-2025-a CVE-2025-9999",
                r#"Fedora:40 Source java-17-openjdk [Introduced("0"), Fixed("1:17.0.14.0.7-1.fc40")]"#,
            ],
        );
        // no bug names a CVE
        check(&update(r#""notes":"fixes CVE-2025-1234, CVE-2025-1.""#), &["FEDORA-2025-a CVE-2025-1234"]);
        check(&update(r#""notes":"""#).replace("stable", "testing"), &[]);
        check(&update(r#""notes":"""#).replace("security", "bugfix"), &[]);
        check(&update(r#""notes":"""#).replace("\"FEDORA\"", "\"FEDORA-EPEL\""), &["? FEDORA-EPEL:40"]);
        check(
            &update(r#""notes":"""#).replace("\"40\"", "\"ELN\""),
            &["! FEDORA-2025-a: its release `ELN` has no number"],
        );
    }

    #[test]
    fn a_page_of_updates_is_read_one_by_one() {
        let page = format!(r#"{{"updates":[{},{{"type":"security"}}],"page":1}}"#, update(r#""notes":"""#));
        assert_eq!(read(&page), ["FEDORA-2025-a ", "! update 2: has no alias"]);
        assert!(recognises(&Head::new("u.json", page.as_bytes())));
        assert!(recognises(&Head::new("u.json", update(r#""builds":[]"#).as_bytes())));
        assert!(!recognises(&Head::new("u.json", br#"{"updates":[{"a":1}]}"#)));
    }
}
