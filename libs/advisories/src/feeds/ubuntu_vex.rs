//! Ubuntu's VEX documents, one per CVE (security-metadata.canonical.com/vex, read 2026-11-24): OpenVEX whose author is Canonical
//! -> one record about Ubuntu's source packages.
//!
//! Products are package URLs with the release's code name, behind the pocket where it is not the archive's own:
//! `pkg:deb/ubuntu/curl@7.35.0-1ubuntu2.20+esm19?arch=source&distro=esm-infra-legacy/trusty`. A source package stands beside its
//! binary ones; these count only where no source package of their release is named. A version is that of the release when the
//! document was written:
//! - `fixed`: it has the fix. Whether an earlier one had it already is not told, so what is older counts as affected.
//! - `affected`: no version is good; Ubuntu's decision is the beginning of the action statement.
//! - `not_affected`: never affected in that release, unless the package "does not exist in the archive", of which nothing
//!   follows for a package that is there.

use super::openvex::{self, Statement};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, LINK_BYTES_MAX, WORD_BYTES_MAX, cut};
use muster_domain::{
    Advisory, AdvisoryId, Affected, Ecosystem, Names, PackageUrl, Reference, Skipped, VendorState, VexStatus,
};
use std::collections::{BTreeMap, BTreeSet};

/// Most bytes of a description that are kept.
const DETAILS_BYTES_MAX: usize = 4096;
/// Most bytes of a remark that are kept.
const REMARK_BYTES_MAX: usize = 1024;
/// Most links that are kept: the Inspector API shows 100.
const REFERENCES_KEPT_MAX: usize = 100;

/// Code names and releases (wiki.ubuntu.com/Releases, read 2026-11-24).
const RELEASES: &[(&str, &str)] = &[
    ("precise", "12.04"),
    ("trusty", "14.04"),
    ("xenial", "16.04"),
    ("artful", "17.10"),
    ("bionic", "18.04"),
    ("cosmic", "18.10"),
    ("disco", "19.04"),
    ("eoan", "19.10"),
    ("focal", "20.04"),
    ("groovy", "20.10"),
    ("hirsute", "21.04"),
    ("impish", "21.10"),
    ("jammy", "22.04"),
    ("kinetic", "22.10"),
    ("lunar", "23.04"),
    ("mantic", "23.10"),
    ("noble", "24.04"),
    ("oracular", "24.10"),
    ("plucky", "25.04"),
    ("questing", "25.10"),
    ("resolute", "26.04"),
];

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    openvex::recognises(head)
        && (head.holds("\"Canonical Ltd.\"") || head.holds("\"Canonical\""))
        && head.holds("pkg:deb/ubuntu/")
}

/// A document is about one CVE.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let vex = openvex::read(document.bytes)?;
    if !vex.is_by("Canonical") {
        // Somebody else wrote about Ubuntu's packages, and named Ubuntu.
        vex.statements.iter().enumerate().for_each(|(index, statement)| openvex::hand_on(&vex, index, statement, sink));
        return Ok(());
    }
    let mut advisories: BTreeMap<String, Advisory> = BTreeMap::new();
    for (index, statement) in vex.statements.iter().enumerate() {
        let place = || format!("statement {}", index + 1);
        let said = match statement.said() {
            Ok(said) => said,
            Err(reason) => {
                sink(Item::skipped(place(), reason));
                continue;
            }
        };
        let advisory = advisories
            .entry(said.vulnerability.to_owned())
            .or_insert_with(|| Advisory { modified: vex.time(), ..describe(said.vulnerability, statement) });
        let (found, unknown, odd) = packages(statement);
        unknown.into_iter().for_each(|release| sink(Item::UnknownEcosystem(release)));
        if let Some(odd) = odd {
            let reason = format!("`{}` is no package URL of Ubuntu's", cut(odd, WORD_BYTES_MAX));
            sink(Item::Partial(Skipped { place: place(), reason }));
        }
        if !is_absence(statement, said.status) {
            advisory.affected.extend(found.into_iter().map(|package| affected(package, statement, said.status)));
        }
    }
    advisories.into_values().for_each(|advisory| sink(Item::Advisory(advisory)));
    Ok(())
}

fn describe(cve: &str, statement: &Statement) -> Advisory {
    let object = statement.vulnerability.object();
    let description = object.and_then(|object| object.description.as_deref()).unwrap_or_default();
    let links = object.into_iter().flat_map(|object| &object.aliases).filter_map(|alias| alias.0.as_deref());
    let links = links.filter(|link| link.starts_with("http") && link.len() <= LINK_BYTES_MAX);
    Advisory {
        id: AdvisoryId(cve.to_owned()),
        source: "UBUNTU_CVE".to_owned(),
        details: cut(description, DETAILS_BYTES_MAX).to_owned(),
        references: links
            .take(REFERENCES_KEPT_MAX)
            .map(|url| Reference { kind: "WEB".to_owned(), url: url.to_owned() })
            .collect(),
        published: statement.time(),
        ..Advisory::default()
    }
}

/// A package in a release.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    ecosystem: Ecosystem,
    names: Names,
    name: String,
    version: Option<String>,
}

/// The packages of a statement, the releases that have no row, and the first product that is none of Ubuntu's packages.
fn packages(statement: &Statement) -> (BTreeSet<Package>, BTreeSet<String>, Option<&str>) {
    let (mut packages, mut unknown, mut odd) = (BTreeSet::new(), BTreeSet::new(), None);
    for product in &statement.products {
        let purl = product.purl().and_then(|purl| PackageUrl::parse(purl).ok());
        let Some(purl) = purl.filter(|purl| purl.package_type == "deb" && purl.namespace.as_deref() == Some("ubuntu"))
        else {
            odd = odd.or(Some(product.name()));
            continue;
        };
        let qualifier = |key| purl.qualifiers.get(key).map(String::as_str);
        let distro = qualifier("distro").unwrap_or_default();
        let Some(ecosystem) = release(distro) else {
            unknown.insert(format!("Ubuntu {}", cut(distro, WORD_BYTES_MAX)));
            continue;
        };
        let names = if qualifier("arch") == Some("source") { Names::Source } else { Names::Binary };
        packages.insert(Package { ecosystem, names, name: purl.name, version: purl.version });
    }
    let with_source: BTreeSet<Ecosystem> = packages
        .iter()
        .filter(|package| package.names == Names::Source)
        .map(|package| package.ecosystem.clone())
        .collect();
    packages.retain(|package| package.names == Names::Source || !with_source.contains(&package.ecosystem));
    (packages, unknown, odd)
}

/// `jammy`, `esm-infra/xenial`, `fips-updates/jammy` -> the release, under Ubuntu Pro where its pocket is.
fn release(distro: &str) -> Option<Ecosystem> {
    let (pocket, codename) = match distro.rsplit_once('/') {
        Some((pocket, codename)) => (Some(pocket), codename),
        None => (None, distro),
    };
    let (_, release) = RELEASES.iter().find(|(name, _)| *name == codename)?;
    let spelled = match pocket {
        None => format!("Ubuntu:{release}"),
        Some(pocket) if pocket.starts_with("esm-") => format!("Ubuntu:Pro:{release}"),
        Some("fips") => format!("Ubuntu:Pro:FIPS:{release}"),
        Some("fips-updates") => format!("Ubuntu:Pro:FIPS-updates:{release}"),
        Some("fips-preview") => format!("Ubuntu:Pro:FIPS-preview:{release}"),
        Some("realtime") => format!("Ubuntu:Pro:Realtime:{release}"),
        Some(_) => return None,
    };
    spelled.parse().ok()
}

fn is_absence(statement: &Statement, status: VexStatus) -> bool {
    status == VexStatus::NotAffected && statement.justification.0.as_deref() == Some("component_not_present")
}

fn affected(package: Package, statement: &Statement, status: VexStatus) -> Affected {
    let blank = Affected { names: package.names, ..Affected::new(package.ecosystem, package.name) };
    let said = statement.text().map(|text| cut(text, REMARK_BYTES_MAX).to_owned());
    match status {
        VexStatus::Fixed => {
            let remark = package.version.as_ref().map(|_| "the release's version when this was said".to_owned());
            let affected = blank.with_range("0", package.version.as_deref());
            Affected { state: Some(VendorState::Fixed), remark, ..affected }
        }
        VexStatus::Affected => {
            Affected { state: Some(decision(statement)), remark: said, ..blank.with_range("0", None) }
        }
        VexStatus::NotAffected => Affected {
            state: Some(VendorState::NotAffected),
            remark: statement.justification.0.clone().or(said),
            ..blank
        },
        VexStatus::UnderInvestigation => {
            Affected { state: Some(VendorState::UnderInvestigation), remark: said, ..blank }
        }
    }
}

/// Ubuntu's words stand before the notes of its people.
fn decision(statement: &Statement) -> VendorState {
    let text = statement.action_statement.as_deref().unwrap_or_default();
    let words = text.split("CVE Notes").next().unwrap_or_default().to_ascii_lowercase();
    match () {
        () if words.contains("not fix") || words.contains("not to fix") => VendorState::WillNotFix,
        () if words.contains("no longer supported") || words.contains("end of life") => VendorState::EndOfLife,
        () if words.contains("deferred") => VendorState::Deferred,
        () => VendorState::Affected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(statement: &str) -> String {
        let json = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","author":"Canonical Ltd.","statements":[{{
                "vulnerability":{{"name":"CVE-2023-38545"}},{statement}}}]}}"#
        );
        assert!(recognises(&Head::new("x.json", json.as_bytes())));
        let mut lines = Vec::new();
        parse(&Document { name: "x.json", bytes: json.as_bytes() }, &mut |item| match item {
            Item::Advisory(advisory) => lines.extend(advisory.affected.iter().map(|one| {
                let fixed = one.ranges.first().map(|range| format!("{:?}", range.events)).unwrap_or_default();
                format!("{} {:?} {} {:?} {fixed}", one.ecosystem, one.names, one.name, one.state.unwrap())
            })),
            Item::Skipped(skipped) | Item::Partial(skipped) => lines.push(format!("! {}", skipped.reason)),
            other => lines.push(format!("{other:?}")),
        })
        .unwrap();
        lines.join("\n")
    }

    #[test]
    fn a_source_package_stands_for_its_binary_ones() {
        let products = r#""products":[{"@id":"pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.24?arch=source&distro=jammy"},
            {"@id":"pkg:deb/ubuntu/libcurl4@7.81.0-1ubuntu1.24?arch=amd64&distro=jammy"},
            {"@id":"pkg:deb/ubuntu/libcurl4@8.5.0-2ubuntu10.9?arch=amd64&distro=noble"},
            {"@id":"pkg:deb/ubuntu/libcurl4@8.5.0-2ubuntu10.9?arch=arm64&distro=noble"}],"status":"fixed""#;
        let expected = r#"Ubuntu:22.04 Source curl Fixed [Introduced("0"), Fixed("7.81.0-1ubuntu1.24")]
Ubuntu:24.04 Binary libcurl4 Fixed [Introduced("0"), Fixed("8.5.0-2ubuntu10.9")]"#;
        assert_eq!(show(products), expected);
    }

    #[test]
    fn the_decision_is_what_stands_before_the_notes() {
        let check = |action: &str, expected: &str| {
            let statement = format!(
                r#""products":[{{"@id":"pkg:deb/ubuntu/a@1?arch=source&distro=esm-infra/xenial"}}],"status":"affected",
                    "action_statement":"This package {action}""#
            );
            assert_eq!(
                show(&statement),
                format!("Ubuntu:Pro:16.04 Source a {expected} [Introduced(\"0\")]"),
                "{action}"
            );
        };
        check("is no longer supported. Please upgrade your system.", "EndOfLife");
        check("is vulnerable, but the Ubuntu Security Team decided to not fix it. CVE Notes: deferred", "WillNotFix");
        check("is vulnerable, its fix has been deferred.", "Deferred");
        check("is vulnerable and needs fixing. CVE Notes / justification: we will not fix", "Affected");
    }

    #[test]
    fn a_package_that_is_not_in_the_archive_is_not_called_safe() {
        let check = |justification: &str, expected: &str| {
            let statement = format!(
                r#""products":[{{"@id":"pkg:deb/ubuntu/a@1?arch=source&distro=noble"}}],"status":"not_affected",
                    "justification":"{justification}""#
            );
            assert_eq!(show(&statement), expected);
        };
        check("vulnerable_code_not_present", "Ubuntu:24.04 Source a NotAffected ");
        check("component_not_present", "");
    }

    #[test]
    fn a_release_is_told_by_its_pocket_and_code_name() {
        let check = |distro: &str, expected: Option<&str>| {
            assert_eq!(release(distro).as_ref().map(Ecosystem::as_str), expected, "{distro}");
        };
        check("jammy", Some("Ubuntu:22.04"));
        check("esm-apps/jammy", Some("Ubuntu:Pro:22.04"));
        check("esm-infra-legacy/trusty", Some("Ubuntu:Pro:14.04"));
        check("fips-updates/focal", Some("Ubuntu:Pro:FIPS-updates:20.04"));
        check("bluefield/jammy", None);
        check("unheard", None);
        assert_eq!(
            show(r#""products":["pkg:deb/ubuntu/a@1?arch=source&distro=zzz","pkg:deb/debian/b@1"],"status":"fixed""#),
            "UnknownEcosystem(\"Ubuntu zzz\")\n! `pkg:deb/debian/b@1` is no package URL of Ubuntu's"
        );
    }
}
