//! Microsoft's disclosures on .NET (github.com/dotnet/core, `release-notes/timeline/<year>/<month>/cve.json`, read
//! 2026-11-24): JSON, one document per month with its CVEs, and the packages and products that each touches.
//!
//! A package is affected from `min_vulnerable` until `fixed`, which is the version to update to; `max_vulnerable` is only
//! the newest release that was looked at. Products (runtime, SDK) tell of the vulnerability and name no package: the
//! document does not say which packages of NuGet carry them.

use super::record::{DETAILS_BYTES_MAX, SUMMARY_BYTES_MAX, links, names, time, vector};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, Word, bounded, cut};
use muster_domain::{Advisory, AdvisoryId, Affected, Ecosystem, Event, Range, RangeType, Skipped};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const FORMAT: &str = ".NET CVE";
const SOURCE: &str = "DOTNET";

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    !head.is_json_list() && ["disclosures", "products", "packages"].iter().all(|key| head.has_json_key(key))
}

pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let raw: Raw =
        serde_json::from_slice(document.bytes).map_err(|cause| FeedError::NotJson { format: FORMAT, cause })?;
    let nuget = Ecosystem::of_purl_type("nuget").expect("NuGet has a row in the table");
    let mut packages: BTreeMap<String, BTreeMap<String, Affected>> = BTreeMap::new();
    for (index, package) in raw.packages.into_iter().enumerate() {
        match range(&package) {
            Ok(range) => {
                let of_cve = packages.entry(package.cve_id).or_default();
                let new = || Affected::new(nuget.clone(), package.name.clone());
                of_cve.entry(package.name.clone()).or_insert_with(new).ranges.push(range);
            }
            Err(reason) => sink(Item::Partial(Skipped { place: format!("packages[{index}]"), reason })),
        }
    }
    let mut products: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for product in &raw.products {
        products.entry(&product.cve_id).or_default().insert(cut(&product.name, WORD_BYTES_MAX));
    }
    for (index, disclosure) in raw.disclosures.into_iter().enumerate() {
        if disclosure.id.is_empty() || disclosure.id.len() > WORD_BYTES_MAX {
            let reason = format!("id must have 1 to {WORD_BYTES_MAX} bytes");
            sink(Item::skipped(format!("disclosures[{index}]"), reason));
            continue;
        }
        for product in products.remove(disclosure.id.as_str()).unwrap_or_default() {
            sink(Item::UnknownEcosystem(format!(".NET:{product}")));
        }
        let affected = packages.remove(&disclosure.id).unwrap_or_default().into_values().collect();
        sink(Item::Advisory(advisory(disclosure, affected)));
    }
    for cve in packages.into_keys() {
        sink(Item::skipped(cut(&cve, WORD_BYTES_MAX), "packages of a CVE that is not disclosed here"));
    }
    Ok(())
}

fn range(package: &RawPackage) -> Result<Range, String> {
    let word =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    if !(1..=WORD_BYTES_MAX).contains(&package.name.len()) {
        return Err(format!("package name must have 1 to {WORD_BYTES_MAX} bytes"));
    }
    let end = word(&package.fixed).map(Event::Fixed).or(word(&package.max_vulnerable).map(Event::LastAffected));
    let introduced = Event::Introduced(word(&package.min_vulnerable).unwrap_or_else(|| "0".to_owned()));
    Ok(Range { kind: RangeType::Ecosystem, events: std::iter::once(introduced).chain(end).collect() })
}

fn advisory(raw: RawDisclosure, affected: Vec<Affected>) -> Advisory {
    Advisory {
        id: AdvisoryId(raw.id),
        source: SOURCE.to_owned(),
        summary: cut(raw.problem.trim(), SUMMARY_BYTES_MAX).to_owned(),
        details: cut(raw.description.join("\n").trim(), DETAILS_BYTES_MAX).to_owned(),
        severity: raw.cvss.and_then(|cvss| vector(&cvss.vector, SOURCE)).into_iter().collect(),
        vendor_severity: raw.cna.and_then(|cna| cna.severity.0),
        cwes: names(raw.weakness.0),
        references: links(raw.references.into_iter().map(|url| ("WEB", url))),
        published: raw.timeline.and_then(|timeline| time(timeline.disclosure?.date.as_deref()?)),
        affected,
        ..Advisory::default()
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(deserialize_with = "bounded::<_, _, 1_000>")]
    disclosures: Vec<RawDisclosure>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    products: Vec<RawPackage>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    packages: Vec<RawPackage>,
}

#[derive(Deserialize)]
struct RawDisclosure {
    id: String,
    #[serde(default)]
    problem: String,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    description: Vec<String>,
    cvss: Option<RawCvss>,
    cna: Option<RawCna>,
    timeline: Option<RawTimeline>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    references: Vec<String>,
    #[serde(default)]
    weakness: Word,
}

#[derive(Deserialize)]
struct RawCvss {
    #[serde(default)]
    vector: String,
}

#[derive(Deserialize)]
struct RawCna {
    #[serde(default)]
    severity: Word,
}

#[derive(Deserialize)]
struct RawTimeline {
    disclosure: Option<RawDay>,
}

#[derive(Deserialize)]
struct RawDay {
    date: Option<String>,
}

/// A package of NuGet or a product of .NET.
#[derive(Deserialize)]
struct RawPackage {
    cve_id: String,
    name: String,
    min_vulnerable: Option<String>,
    max_vulnerable: Option<String>,
    fixed: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::tests::items;

    fn check(packages: &str, expected: &[&str]) {
        let json = format!(
            r#"{{"disclosures":[{{"id":"CVE-2024-38095","problem":"One","cna":{{"severity":"Important"}}}}],
                "products":[{{"cve_id":"CVE-2024-38095","name":"dotnet-runtime","min_vulnerable":"8.0.0","fixed":"8.0.7"}},
                            {{"cve_id":"CVE-2024-38095","name":"dotnet-runtime","min_vulnerable":"6.0.0","fixed":"6.0.32"}}],
                "packages":[{packages}]}}"#
        );
        assert_eq!(items(parse, "cve.json", json.as_bytes()), expected, "{packages}");
    }

    const PRODUCT: &str = "? .NET:dotnet-runtime";
    const HEAD: &str = "CVE-2024-38095 DOTNET word=Important";

    #[test]
    fn a_package_is_affected_until_it_is_fixed() {
        let check = |packages: &str, events: &str| {
            let packages = packages.replace("{", r#"{"cve_id":"CVE-2024-38095","name":"System.Formats.Asn1","#);
            check(&packages, &[PRODUCT, &format!("{HEAD}; NuGet System.Formats.Asn1 {events}")]);
        };
        check(
            r#"{"min_vulnerable":"5.0.0-preview.7","max_vulnerable":"6.0.0","fixed":"6.0.1"},
               {"min_vulnerable":"7.0.0-preview.1 ","max_vulnerable":"8.0.0","fixed":"8.0.1"}"#,
            "[5.0.0-preview.7 6.0.1) [7.0.0-preview.1 8.0.1)",
        );
        check(r#"{"min_vulnerable":"5.0.0","max_vulnerable":"6.0.0","fixed":null}"#, "[5.0.0 6.0.0]");
        check(r#"{"fixed":""}"#, "[0");
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        check("", &[PRODUCT, HEAD]);
        check(
            r#"{"cve_id":"CVE-2024-38095","name":""}"#,
            &["~ packages[0]: package name must have 1 to 512 bytes", PRODUCT, HEAD],
        );
        check(
            r#"{"cve_id":"CVE-1","name":"a"}"#,
            &[PRODUCT, HEAD, "! CVE-1: packages of a CVE that is not disclosed here"],
        );
    }
}
