//! Arch Linux' security tracker as JSON (security.archlinux.org/all.json, or one group's `AVG-1.json`; read 2026-11-24):
//! groups of vulnerabilities that one version of some packages has.

use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, Word, bounded};
use muster_domain::{Advisory, AdvisoryId, Affected, Ecosystem, Reference, VendorState};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The database, as `origins` has it.
const SOURCE: &str = "ARCH_LINUX";
/// Most links to notices that are kept; real groups have a handful.
const ADVISORIES_MAX: usize = 100;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    ["name", "packages", "status", "severity", "affected", "fixed", "issues"].iter().all(|key| head.has_json_key(key))
}

/// A document is all groups or one.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let not_json = |cause| FeedError::NotJson { format: "Arch Linux security tracker", cause };
    let groups: Groups<'_> = match document.bytes.trim_ascii_start().starts_with(b"[") {
        true => serde_json::from_slice(document.bytes).map_err(not_json)?,
        false => Groups(vec![serde_json::from_slice(document.bytes).map_err(not_json)?]),
    };
    for (index, group) in groups.0.into_iter().enumerate() {
        match serde_json::from_str::<RawGroup>(group.get()) {
            Ok(group) => sink(match advisory(group) {
                Ok(advisory) => Item::Advisory(advisory),
                Err(reason) => Item::skipped(format!("[{index}]"), reason),
            }),
            Err(error) => sink(Item::skipped(format!("[{index}]"), format!("can't be read: {error}"))),
        }
    }
    Ok(())
}

fn advisory(group: RawGroup) -> Result<Advisory, String> {
    let id = group.name.0.ok_or("has no name")?;
    let state = match group.status.0.as_deref() {
        Some("Fixed") => VendorState::Fixed,
        // `Testing`: the fix waits in the testing repositories.
        Some("Vulnerable" | "Testing") => VendorState::Affected,
        Some("Not affected") => VendorState::NotAffected,
        Some("Unknown") => VendorState::UnderInvestigation,
        other => return Err(format!("{id}: unknown status `{}`", other.unwrap_or_default())),
    };
    if state == VendorState::Fixed && group.fixed.0.is_none() {
        return Err(format!("{id}: is fixed and names no version"));
    }
    let ecosystem: Ecosystem = "Arch Linux".parse().expect("it has a row in the table");
    let packages = group.packages.into_iter().filter_map(|package| package.0);
    let notice =
        |name: String| Reference { kind: "ADVISORY".to_owned(), url: format!("https://security.archlinux.org/{name}") };
    let mut notices: Vec<String> = group.advisories.into_iter().filter_map(|name| name.0).collect();
    notices.sort();
    notices.dedup();
    notices.truncate(ADVISORIES_MAX);
    Ok(Advisory {
        id: AdvisoryId(id),
        source: SOURCE.to_owned(),
        upstream: group.issues.into_iter().filter_map(|issue| issue.0).collect(),
        summary: group.kind.0.unwrap_or_default(),
        vendor_severity: group.severity.0,
        affected: packages.map(|name| affected(&ecosystem, name, state, group.fixed.0.as_deref())).collect(),
        references: notices.into_iter().map(notice).collect(),
        ..Advisory::default()
    })
}

/// The group's `affected` is the version that was looked at, not the first with the fault, so all before count as well.
fn affected(ecosystem: &Ecosystem, name: String, state: VendorState, fixed: Option<&str>) -> Affected {
    let all = Affected { state: Some(state), ..Affected::new(ecosystem.clone(), name) };
    match state {
        VendorState::NotAffected | VendorState::UnderInvestigation => all,
        _ => all.with_range("0", fixed.filter(|version| version.len() <= WORD_BYTES_MAX)),
    }
}

/// All of Arch's history has 3,000 groups (read 2026-11).
#[derive(Deserialize)]
#[serde(transparent)]
struct Groups<'d>(#[serde(borrow, deserialize_with = "bounded::<_, _, 100_000>")] Vec<&'d RawValue>);

#[derive(Deserialize)]
struct RawGroup {
    #[serde(default)]
    name: Word,
    #[serde(deserialize_with = "bounded::<_, _, 1_000>")]
    packages: Vec<Word>,
    #[serde(default)]
    status: Word,
    #[serde(default)]
    severity: Word,
    #[serde(default, rename = "type")]
    kind: Word,
    #[serde(default)]
    fixed: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    issues: Vec<Word>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    advisories: Vec<Word>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One group of these fields: what is said of its first package, or why nothing.
    fn check(fields: &str, expected: &str) {
        let json = format!(r#"[{{"name":"AVG-1","packages":["pam"],"issues":["CVE-2025-6020"],{fields}}}]"#);
        let mut came = Vec::new();
        let document = Document { name: "all.json", bytes: json.as_bytes() };
        parse(&document, &mut |item| {
            came.push(match item {
                Item::Advisory(advisory) => {
                    let one = &advisory.affected[0];
                    let events = one.ranges.iter().map(|range| format!("{:?}", range.events)).collect::<String>();
                    format!("{} {} {}", one.name, one.state.unwrap().as_str(), events)
                }
                Item::Skipped(skipped) => format!("{}! {}", skipped.place, skipped.reason),
                other => format!("{other:?}"),
            });
        })
        .unwrap();
        assert_eq!(came, [expected], "{fields}");
    }

    #[test]
    fn a_groups_status_says_whether_and_until_when() {
        let until = r#"pam fixed [Introduced("0"), Fixed("2-1")]"#;
        check(r#""status":"Fixed","affected":"1-1","fixed":"2-1""#, until);
        check(r#""status":"Vulnerable","affected":"1-1","fixed":null"#, r#"pam affected [Introduced("0")]"#);
        let testing = r#"pam affected [Introduced("0"), Fixed("2-1")]"#;
        check(r#""status":"Testing","affected":"1-1","fixed":"2-1""#, testing);
        check(r#""status":"Not affected","affected":"1-1","fixed":null"#, "pam not affected ");
        check(r#""status":"Unknown","affected":"1-1","fixed":null"#, "pam under investigation ");
        check(r#""status":"Fixed","affected":"1-1","fixed":null"#, "[0]! AVG-1: is fixed and names no version");
        check(r#""status":"Odd""#, "[0]! AVG-1: unknown status `Odd`");
    }

    #[test]
    fn only_the_trackers_groups_are_recognised() {
        let check = |json: &str, expected: bool| {
            assert_eq!(recognises(&Head::new("all.json", json.as_bytes())), expected, "{json}");
        };
        let group = r#"{"name":"","packages":[],"status":"","severity":"","affected":"","fixed":"","issues":[]}"#;
        check(group, true);
        check(&format!("[{group}]"), true);
        check(r#"{"name":"x","packages":{"":{}},"lockfileVersion":3}"#, false); // npm's lock file
        check("[]", false);
    }
}
