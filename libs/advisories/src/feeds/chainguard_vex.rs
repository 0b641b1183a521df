//! Chainguard's OpenVEX documents (edu.chainguard.dev, "Chainguard's security advisories", read 2026-11-24): OpenVEX whose author
//! is Chainguard. Of packages of Wolfi and Chainguard (`pkg:apk/wolfi/git@2.39.0-r1`) they are the distributor's words and
//! become records; of libraries that it rebuilt (`pkg:pypi/joblib@1.0.0%2Bcgr.1`) they are statements about that one rebuild,
//! which no record can say, and stay statements.
//!
//! Record ids are the CVE where an alias is one (`CGA-…` else). A `fixed` package has the fix from its version on.

use super::openvex::{self, OpenVex, Product, Said, Statement};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, cut};
use muster_domain::{Advisory, AdvisoryId, Affected, Ecosystem, PackageUrl, VendorState, VexStatus};
use std::collections::BTreeMap;

/// Most bytes of a remark that are kept.
const REMARK_BYTES_MAX: usize = 1024;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    openvex::recognises(head) && (head.holds("\"Chainguard\"") || head.holds("\"Chainguard "))
}

/// A document is about any number of vulnerabilities.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let mut vex = openvex::read(document.bytes)?;
    // Others write about Chainguard's packages, too.
    let is_theirs = vex.is_by("Chainguard");
    let mut advisories = BTreeMap::new();
    for index in 0..vex.statements.len() {
        let statement = &mut vex.statements[index];
        let (packages, others): (Vec<_>, Vec<_>) = std::mem::take(&mut statement.products)
            .into_iter()
            .partition(|product| is_theirs && package(product).is_some());
        statement.products = others;
        let is_left = !statement.products.is_empty() || packages.is_empty();
        let statement = &vex.statements[index];
        if let Ok(said) = statement.said() {
            collect(&vex, statement, &said, &packages, &mut advisories);
        }
        if is_left || statement.said().is_err() {
            openvex::hand_on(&vex, index, statement, sink);
        }
    }
    advisories.into_values().for_each(|advisory| sink(Item::Advisory(advisory)));
    Ok(())
}

fn collect(
    vex: &OpenVex,
    statement: &Statement,
    said: &Said<'_>,
    packages: &[Product],
    advisories: &mut BTreeMap<String, Advisory>,
) {
    for (ecosystem, name, version) in packages.iter().filter_map(package) {
        let advisory = advisories.entry(said.vulnerability.to_owned()).or_insert_with(|| Advisory {
            id: AdvisoryId(said.vulnerability.to_owned()),
            source: if ecosystem.as_str() == "Wolfi" { "WOLFI" } else { "CHAINGUARD" }.to_owned(),
            published: statement.time(),
            modified: statement.time().or_else(|| vex.time()),
            // One CVE has a document per package.
            scope: cut(vex.id.0.as_deref().unwrap_or_default(), WORD_BYTES_MAX).to_owned(),
            ..Advisory::default()
        });
        let affected = affected(Affected::new(ecosystem, name), version.as_deref(), statement, said.status);
        if !advisory.affected.contains(&affected) {
            advisory.affected.push(affected);
        }
    }
}

/// The distribution's package that a product is, with its version.
fn package(product: &Product) -> Option<(Ecosystem, String, Option<String>)> {
    let purl = PackageUrl::parse(product.purl()?).ok().filter(|purl| purl.package_type == "apk")?;
    let ecosystem = match purl.namespace.as_deref()? {
        "wolfi" => "Wolfi",
        "chainguard" => "Chainguard",
        _ => return None,
    };
    Some((ecosystem.parse().ok()?, purl.name, purl.version))
}

fn affected(blank: Affected, version: Option<&str>, statement: &Statement, status: VexStatus) -> Affected {
    let said = statement.justification.0.as_deref().or_else(|| statement.text());
    let remark = said.map(|text| cut(text, REMARK_BYTES_MAX).to_owned());
    let (state, affected) = match (status, version) {
        (VexStatus::Fixed, Some(version)) => (VendorState::Fixed, blank.with_range("0", Some(version))),
        // Fixed, but from which version on is not told; and not affected in one version is nothing about the others.
        (VexStatus::Fixed, None) | (VexStatus::NotAffected, Some(_)) | (VexStatus::UnderInvestigation, _) => {
            (VendorState::UnderInvestigation, blank)
        }
        (VexStatus::NotAffected, None) => (VendorState::NotAffected, blank),
        (VexStatus::Affected, _) => (VendorState::Affected, blank.with_range("0", None)),
    };
    Affected { state: Some(state), remark, ..affected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(statement: &str) -> String {
        let json = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://x/1","author":"Chainguard Team","statements":[{{
                "vulnerability":{{"name":"CGA-1","aliases":["CVE-2022-21797"]}},{statement}}}]}}"#
        );
        assert!(recognises(&Head::new("x.json", json.as_bytes())));
        let mut lines = Vec::new();
        parse(&Document { name: "x.json", bytes: json.as_bytes() }, &mut |item| match item {
            Item::Advisory(advisory) => lines.extend(advisory.affected.iter().map(|one| {
                let fixed = one.ranges.first().map(|range| format!("{:?}", range.events)).unwrap_or_default();
                format!("{} {} {} {:?} {fixed}", advisory.id.0, one.ecosystem, one.name, one.state.unwrap())
            })),
            Item::Vex(vex) => lines.push(format!("{} {} {:?}", vex.vulnerability, vex.product, vex.status)),
            other => lines.push(format!("{other:?}")),
        })
        .unwrap();
        lines.join("\n")
    }

    #[test]
    fn a_distributions_package_is_a_record_and_a_rebuilt_library_a_statement() {
        let check = |statement: &str, expected: &str| assert_eq!(show(statement), expected, "{statement}");
        check(
            r#""status":"fixed","products":["pkg:apk/wolfi/git@2.39.0-r1?arch=x86_64","pkg:apk/wolfi/git@2.39.0-r1?arch=armv7",
                "pkg:pypi/joblib@1.0.0%2Bcgr.1"]"#,
            "CVE-2022-21797 pkg:pypi/joblib@1.0.0%2Bcgr.1 Fixed\n\
             CVE-2022-21797 Wolfi git Fixed [Introduced(\"0\"), Fixed(\"2.39.0-r1\")]",
        );
        check(
            r#""status":"not_affected","justification":"vulnerable_code_not_present","products":["pkg:apk/chainguard/git"]"#,
            "CVE-2022-21797 Chainguard git NotAffected ",
        );
        // Said of one version, it is nothing about the others.
        check(
            r#""status":"not_affected","products":["pkg:apk/chainguard/git@1"]"#,
            "CVE-2022-21797 Chainguard git UnderInvestigation ",
        );
        check(
            r#""status":"affected","products":["pkg:apk/chainguard/git@1"]"#,
            "CVE-2022-21797 Chainguard git Affected [Introduced(\"0\")]",
        );
    }
}
