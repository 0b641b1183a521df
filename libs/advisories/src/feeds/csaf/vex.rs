//! Statements of anybody but a distributor: one per vulnerability and product that has a package URL.
//!
//! A product that is a component of another one with a package URL (a package in an image) is a part of that one. Product
//! statuses are answers as OpenVEX has them; `recommended` is none. Why a product is not affected comes from the flags
//! (their labels are OpenVEX's justifications) and the impact told in `threats`, what to do from the remediations.

use super::document::{Csaf, Text, Vulnerability};
use super::products::{Products, Resolved};
use super::vendor::time;
use crate::feed::{WORD_BYTES_MAX, cut};
use crate::feeds::left_out::LeftOut;
use crate::feeds::{Item, Sink};
use muster_domain::{PackageUrl, VexStatement, VexStatus};
use std::collections::HashMap;

/// Most bytes of a statement's text that are kept; one text may be about a million products.
const STATEMENT_BYTES_MAX: usize = 1024;

/// Hands on one statement per vulnerability and product.
pub(super) fn statements(csaf: &Csaf<'_>, sink: Sink<'_>) {
    let products = Products::new(csaf);
    let document = cut(&csaf.document.tracking.id, WORD_BYTES_MAX);
    let mut without_purl = LeftOut::default();
    for vulnerability in &csaf.vulnerabilities {
        let Some(cve) = vulnerability.cve.as_deref().filter(|cve| (1..=WORD_BYTES_MAX).contains(&cve.len())) else {
            sink(Item::skipped(document, "vulnerability without a CVE"));
            continue;
        };
        let reasons = Reasons::of(vulnerability, &products);
        for (status, ids) in by_status(vulnerability) {
            for id in ids {
                let resolved = products.resolve(id);
                let Some((product, subcomponents)) = product(&resolved) else {
                    without_purl.add(id);
                    continue;
                };
                sink(Item::Vex(VexStatement {
                    vulnerability: cve.to_owned(),
                    product,
                    subcomponents,
                    status,
                    justification: reasons.flags.get(&**id).map(|&label| label.to_owned()),
                    statement: reasons.statement(id, status),
                    author: cut(&csaf.document.publisher.name, WORD_BYTES_MAX).to_owned(),
                    document: document.to_owned(),
                    timestamp: time(&csaf.document.tracking.current_release_date),
                }));
            }
        }
    }
    without_purl.tell(document, "without a package URL it is in no inventory", sink);
}

fn by_status<'d, 'a>(vulnerability: &'d Vulnerability<'a>) -> [(VexStatus, Vec<&'d Text<'a>>); 4] {
    let status = &vulnerability.product_status;
    let affected = status.known_affected.iter().chain(&status.first_affected).chain(&status.last_affected);
    [
        (VexStatus::Fixed, status.fixed.iter().chain(&status.first_fixed).collect()),
        (VexStatus::Affected, affected.collect()),
        (VexStatus::NotAffected, status.known_not_affected.iter().collect()),
        (VexStatus::UnderInvestigation, status.under_investigation.iter().collect()),
    ]
}

/// The package URL of the product, and of the part of it that the statement is about.
fn product(resolved: &Resolved<'_, '_>) -> Option<(String, Vec<String>)> {
    let valid = |purl: &&str| purl.len() <= WORD_BYTES_MAX && PackageUrl::parse(purl).is_ok();
    let component = resolved.component_product.and_then(|product| product.purl()).filter(valid);
    let platform = resolved.platform_product.and_then(|product| product.purl()).filter(valid);
    match (resolved.platform, platform, component) {
        (Some(_), Some(platform), Some(component)) => Some((platform.to_owned(), vec![component.to_owned()])),
        (None, None, Some(component)) => Some((component.to_owned(), Vec::new())),
        // What is said of an unknown part must not be taken of the whole, nor what is said of a part in an unknown whole of
        // that part everywhere.
        _ => None,
    }
}

/// Why and what to do, per product.
struct Reasons<'d> {
    flags: HashMap<&'d str, &'d str>,
    impacts: HashMap<&'d str, &'d str>,
    impact_of_all: Option<&'d str>,
    actions: HashMap<&'d str, &'d str>,
    action_for_all: Option<&'d str>,
}

impl<'d> Reasons<'d> {
    fn of<'a>(vulnerability: &'d Vulnerability<'a>, products: &'d Products<'d, 'a>) -> Self {
        let mut reasons = Reasons {
            flags: HashMap::new(),
            impacts: HashMap::new(),
            impact_of_all: None,
            actions: HashMap::new(),
            action_for_all: None,
        };
        for flag in &vulnerability.flags {
            let named = products.named(&flag.product_ids, &flag.group_ids).into_iter().flatten();
            reasons.flags.extend(named.map(|id| (id, cut(&flag.label, WORD_BYTES_MAX))));
        }
        for threat in vulnerability.threats.iter().filter(|threat| &*threat.category == "impact") {
            match products.named(&threat.product_ids, &threat.group_ids) {
                Some(named) => reasons.impacts.extend(named.map(|id| (id, &*threat.details))),
                None => reasons.impact_of_all = Some(&threat.details),
            }
        }
        for remediation in &vulnerability.remediations {
            match products.named(&remediation.product_ids, &remediation.group_ids) {
                Some(named) => reasons.actions.extend(named.map(|id| (id, &*remediation.details))),
                None => reasons.action_for_all = Some(&remediation.details),
            }
        }
        reasons
    }

    fn statement(&self, id: &str, status: VexStatus) -> Option<String> {
        let said = match status {
            VexStatus::NotAffected => self.impacts.get(id).copied().or(self.impact_of_all),
            _ => self.actions.get(id).copied().or(self.action_for_all),
        };
        said.filter(|text| !text.is_empty()).map(|text| cut(text, STATEMENT_BYTES_MAX).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use crate::feeds::csaf::parse;
    use crate::feeds::{Document, Item};

    fn show(vulnerability: &str) -> String {
        let json = format!(
            r#"{{"document":{{"category":"csaf_vex","csaf_version":"2.0","publisher":{{"name":"Example Company ProductCERT",
                "category":"vendor","namespace":"https://psirt.example.com"}},"tracking":{{"id":"2022-EVD-1",
                "current_release_date":"2022-03-03T11:00:00.000Z"}}}},
            "product_tree":{{"branches":[{{"category":"vendor","name":"x","branches":[
                {{"category":"product_version","name":"a","product":{{"name":"a","product_id":"A","product_identification_helper":
                    {{"purl":"pkg:apk/alpine/libcrypto3@3.0.8-r3"}}}}}},
                {{"category":"product_version","name":"i","product":{{"name":"i","product_id":"I","product_identification_helper":
                    {{"purl":"pkg:oci/app@sha256%3A12"}}}}}}]}}],
              "full_product_names":[{{"name":"b","product_id":"B","product_identification_helper":{{"cpe":"cpe:/a:x:b"}}}}],
              "product_groups":[{{"group_id":"G","product_ids":["A"]}}],
              "relationships":[
                {{"category":"default_component_of","product_reference":"A","relates_to_product_reference":"I",
                  "full_product_name":{{"name":"x","product_id":"AI"}}}},
                {{"category":"default_component_of","product_reference":"A","relates_to_product_reference":"B",
                  "full_product_name":{{"name":"x","product_id":"AB"}}}},
                {{"category":"default_component_of","product_reference":"B","relates_to_product_reference":"I",
                  "full_product_name":{{"name":"x","product_id":"BI"}}}}]}},
            "vulnerabilities":[{{"cve":"CVE-2023-1255",{vulnerability}}}]}}"#
        );
        let mut lines = Vec::new();
        parse(&Document { name: "x", bytes: json.as_bytes() }, &mut |item| {
            lines.push(match item {
                Item::Vex(vex) => {
                    assert_eq!((&*vex.vulnerability, &*vex.document), ("CVE-2023-1255", "2022-EVD-1"));
                    assert_eq!(vex.author, "Example Company ProductCERT");
                    let why = [vex.justification, vex.statement].map(Option::unwrap_or_default).join("|");
                    format!("{} [{}] {:?} {why}", vex.product, vex.subcomponents.join("+"), vex.status)
                }
                Item::Skipped(skipped) | Item::Partial(skipped) => format!("! {}", skipped.reason),
                other => format!("{other:?}"),
            });
        })
        .unwrap();
        lines.join("\n")
    }

    #[test]
    fn a_statement_is_one_per_product_with_a_package_url() {
        let check = |vulnerability: &str, expected: &str| assert_eq!(show(vulnerability), expected, "{vulnerability}");
        check(r#""product_status":{"fixed":["A"]}"#, "pkg:apk/alpine/libcrypto3@3.0.8-r3 [] Fixed |");
        check(
            r#""product_status":{"known_not_affected":["A"]},"flags":[{"label":"component_not_present","group_ids":["G"]}],
               "threats":[{"category":"impact","details":"Removed before shipping.","product_ids":["A"]}]"#,
            "pkg:apk/alpine/libcrypto3@3.0.8-r3 [] NotAffected component_not_present|Removed before shipping.",
        );
        check(
            r#""product_status":{"known_affected":["A"],"under_investigation":["I"],"recommended":["A"]},
               "remediations":[{"category":"vendor_fix","details":"Update.","product_ids":["A"]}]"#,
            "pkg:apk/alpine/libcrypto3@3.0.8-r3 [] Affected |Update.\npkg:oci/app@sha256%3A12 [] UnderInvestigation |",
        );
        // A package in an image is a part of it.
        check(
            r#""product_status":{"known_not_affected":["AI"]}"#,
            "pkg:oci/app@sha256%3A12 [pkg:apk/alpine/libcrypto3@3.0.8-r3] NotAffected |",
        );
    }

    #[test]
    fn what_is_said_of_an_unknown_product_is_said_of_no_other() {
        // One without a package URL, a package in it, and it in an image.
        let expected = "! `B` and 2 more: without a package URL it is in no inventory";
        assert_eq!(show(r#""product_status":{"known_not_affected":["B","AB","BI"]}"#), expected);
    }
}
