//! OpenVEX JSON, 0.0.1 to 0.2.0 (github.com/openvex/spec, read 2026-11-24): statements of the user's own.
//!
//! 0.0.1 names vulnerabilities and products by texts and has `subcomponents` beside the products; since 0.2.0 they are
//! objects, and each product has its own. A statement inherits its author and time from the document. A vulnerability is
//! named by its CVE where the name or an alias is one, since that is what other feeds know it by.
//!
//! Products and parts that are no package URLs are in no inventory: a statement that names only such parts is left out, for
//! it must not become one about the whole product.

use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, Word, bounded, cut};
use jiff::Timestamp;
use muster_domain::{PackageUrl, Skipped, VexStatement, VexStatus};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Most bytes of an impact or action statement that are kept; one may be about a million products.
const STATEMENT_BYTES_MAX: usize = 1024;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    !head.is_json_list()
        && head.has_json_key("@context")
        && head.has_json_key("statements")
        && head.holds("openvex.dev/ns")
}

/// A document is a list of statements.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let vex = read(document.bytes)?;
    for (index, statement) in vex.statements.iter().enumerate() {
        hand_on(&vex, index, statement, sink);
    }
    Ok(())
}

pub(super) fn read(bytes: &[u8]) -> Result<OpenVex, FeedError> {
    serde_json::from_slice(bytes).map_err(|cause| FeedError::NotJson { format: "OpenVEX", cause })
}

/// One statement of the document, as statements of its author's own.
pub(super) fn hand_on(vex: &OpenVex, index: usize, statement: &Statement, sink: Sink<'_>) {
    let place = format!("statement {}", index + 1);
    let said = match statement.said() {
        Ok(said) => said,
        Err(reason) => return sink(Item::skipped(place, reason)),
    };
    if statement.products.is_empty() {
        return sink(Item::skipped(place, "names no product"));
    }
    let mut tell = |reason: String| sink(Item::Partial(Skipped { place: place.clone(), reason }));
    let mut statements = Vec::new();
    for product in &statement.products {
        let Some(purl) = product.purl() else {
            tell(format!("product `{}` is no package URL", cut(product.name(), WORD_BYTES_MAX)));
            continue;
        };
        let parts = || product.subcomponents.iter().chain(&statement.subcomponents);
        let subcomponents: Vec<String> = parts().filter_map(|part| part.purl().map(str::to_owned)).collect();
        if let Some(odd) = parts().find(|part| part.purl().is_none()) {
            tell(format!("part `{}` of `{purl}` is no package URL", cut(odd.name(), WORD_BYTES_MAX)));
            if subcomponents.is_empty() {
                continue;
            }
        }
        statements.push((purl.to_owned(), subcomponents));
    }
    for (product, subcomponents) in statements {
        sink(Item::Vex(VexStatement {
            vulnerability: said.vulnerability.to_owned(),
            product,
            subcomponents,
            status: said.status,
            justification: statement.justification.0.clone(),
            statement: statement.text().map(|text| cut(text, STATEMENT_BYTES_MAX).to_owned()),
            author: vex.author.0.clone().unwrap_or_default(),
            document: vex.id.0.clone().unwrap_or_default(),
            timestamp: statement.time().or_else(|| vex.time()),
        }));
    }
}

/// What a statement says, of whatever product.
pub(super) struct Said<'s> {
    pub vulnerability: &'s str,
    pub status: VexStatus,
}

impl Statement {
    /// The vulnerability and the answer, or why they can't be told.
    pub(super) fn said(&self) -> Result<Said<'_>, String> {
        let vulnerability = self.vulnerability.name().ok_or("names no vulnerability")?;
        let status = match self.status.0.as_deref().unwrap_or_default() {
            "not_affected" => VexStatus::NotAffected,
            "affected" => VexStatus::Affected,
            "fixed" => VexStatus::Fixed,
            "under_investigation" => VexStatus::UnderInvestigation,
            other => return Err(format!("unknown status `{}`", cut(other, 40))),
        };
        Ok(Said { vulnerability, status })
    }

    /// Why, or what to do.
    pub(super) fn text(&self) -> Option<&str> {
        let texts = [&self.impact_statement, &self.action_statement, &self.status_notes];
        texts.into_iter().filter_map(|text| text.as_deref()).find(|text| !text.is_empty())
    }

    pub(super) fn time(&self) -> Option<Timestamp> {
        time(&self.last_updated).or_else(|| time(&self.timestamp))
    }
}

impl OpenVex {
    /// Whether its author is called so, or so and more (`Canonical Ltd.`).
    pub(super) fn is_by(&self, name: &str) -> bool {
        self.author.0.as_deref().is_some_and(|author| author == name || author.starts_with(&format!("{name} ")))
    }

    pub(super) fn time(&self) -> Option<Timestamp> {
        time(&self.last_updated).or_else(|| time(&self.timestamp))
    }
}

fn time(word: &Word) -> Option<Timestamp> {
    word.0.as_deref()?.parse().ok()
}

/// A document. Of lists only the statements and their products have real length: one document may be about every package of a
/// distribution.
#[derive(Deserialize)]
pub(super) struct OpenVex {
    #[serde(rename = "@id", default)]
    pub id: Word,
    #[serde(default)]
    pub author: Word,
    #[serde(default)]
    pub timestamp: Word,
    #[serde(default)]
    pub last_updated: Word,
    #[serde(deserialize_with = "bounded::<_, _, 100_000>")]
    pub statements: Vec<Statement>,
}

#[derive(Deserialize)]
pub(super) struct Statement {
    #[serde(default, deserialize_with = "either::<_, VulnerabilityObject, _>")]
    pub vulnerability: Vulnerability,
    #[serde(default)]
    pub timestamp: Word,
    #[serde(default)]
    pub last_updated: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000_000>")]
    pub products: Vec<Product>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    subcomponents: Vec<Product>,
    #[serde(default)]
    status: Word,
    #[serde(default)]
    pub justification: Word,
    #[serde(default)]
    pub impact_statement: Option<String>,
    #[serde(default)]
    pub action_statement: Option<String>,
    #[serde(default)]
    status_notes: Option<String>,
}

/// A text, or since 0.2.0 an object.
#[derive(Default)]
pub(super) enum Vulnerability {
    Name(String),
    Object(VulnerabilityObject),
    #[default]
    None,
}

impl From<Either<VulnerabilityObject>> for Vulnerability {
    fn from(either: Either<VulnerabilityObject>) -> Self {
        match either {
            Either::Text(name) => Self::Name(name),
            Either::Object(object) => Self::Object(object),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct VulnerabilityObject {
    #[serde(rename = "@id", default)]
    id: Word,
    #[serde(default)]
    name: Word,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub aliases: Vec<Word>,
}

impl Vulnerability {
    /// The CVE where it is one, else the name.
    fn name(&self) -> Option<&str> {
        let name = match self {
            Self::Name(name) => Some(name.as_str()),
            Self::Object(object) => {
                let told = object.name.0.as_deref().or_else(|| object.id.0.as_deref()?.rsplit('/').next());
                let aliases = || object.aliases.iter().filter_map(|alias| alias.0.as_deref());
                let begins =
                    |prefix: &'static str| told.into_iter().chain(aliases()).find(|name| name.starts_with(prefix));
                begins("CVE-").or_else(|| begins("GHSA-")).or(told)
            }
            Self::None => None,
        };
        name.filter(|name| (1..=WORD_BYTES_MAX).contains(&name.len()))
    }

    pub(super) fn object(&self) -> Option<&VulnerabilityObject> {
        match self {
            Self::Object(object) => Some(object),
            Self::Name(_) | Self::None => None,
        }
    }
}

/// A product or a part of one: a text, or since 0.2.0 an object.
#[derive(Default)]
pub(super) struct Product {
    id: Option<String>,
    purl: Option<String>,
    subcomponents: Vec<Product>,
}

#[derive(Deserialize)]
struct ProductObject {
    #[serde(rename = "@id", default)]
    id: Option<String>,
    #[serde(default)]
    identifiers: Option<Identifiers>,
    #[serde(default, deserialize_with = "bounded::<_, _, 100_000>")]
    subcomponents: Vec<Product>,
}

#[derive(Deserialize)]
struct Identifiers {
    #[serde(default)]
    purl: Option<String>,
}

impl From<Either<ProductObject>> for Product {
    fn from(either: Either<ProductObject>) -> Self {
        match either {
            Either::Text(id) => Self { id: Some(id), ..Self::default() },
            Either::Object(object) => Self {
                id: object.id,
                purl: object.identifiers.and_then(|identifiers| identifiers.purl),
                subcomponents: object.subcomponents,
            },
        }
    }
}

impl<'de> Deserialize<'de> for Product {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        either::<_, ProductObject, _>(deserializer)
    }
}

/// A text or an object.
enum Either<T> {
    Text(String),
    Object(T),
}

/// Reads either without holding on to what it is not.
fn either<'de, D, T, U>(deserializer: D) -> Result<U, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    U: From<Either<T>>,
{
    struct TextOrObject<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOrObject<T> {
        type Value = Either<T>;
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a text or an object")
        }
        fn visit_str<E>(self, text: &str) -> Result<Either<T>, E> {
            Ok(Either::Text(text.to_owned()))
        }
        fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Either<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(fields)).map(Either::Object)
        }
    }
    deserializer.deserialize_any(TextOrObject::<T>(PhantomData)).map(U::from)
}

impl Product {
    /// Its package URL, where it has one that can be read.
    pub(super) fn purl(&self) -> Option<&str> {
        let is_purl = |text: &&str| text.len() <= WORD_BYTES_MAX && PackageUrl::parse(text).is_ok();
        self.purl.as_deref().filter(is_purl).or_else(|| self.id.as_deref().filter(is_purl))
    }

    /// What it is called, for people.
    pub(super) fn name(&self) -> &str {
        self.id.as_deref().or(self.purl.as_deref()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each statement on a line, then what was left out.
    fn show(json: &str) -> String {
        let mut lines = Vec::new();
        parse(&Document { name: "vex.json", bytes: json.as_bytes() }, &mut |item| {
            lines.push(match item {
                Item::Vex(vex) => {
                    let parts = vex.subcomponents.join("+");
                    let why = vex.justification.or(vex.statement).unwrap_or_default();
                    format!("{} {} [{parts}] {:?} {why} by {}", vex.vulnerability, vex.product, vex.status, vex.author)
                }
                Item::Skipped(skipped) | Item::Partial(skipped) => format!("! {}: {}", skipped.place, skipped.reason),
                other => format!("{other:?}"),
            });
        })
        .unwrap();
        lines.join("\n")
    }

    fn document(statement: &str) -> String {
        format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.com/1","author":"Me",
                "timestamp":"2024-01-01T00:00:00Z","version":1,"statements":[{statement}]}}"#
        )
    }

    #[test]
    fn a_statement_is_one_per_product_in_every_version_of_the_format() {
        let check = |statement: &str, expected: &str| assert_eq!(show(&document(statement)), expected, "{statement}");
        // 0.0.1: texts, the parts beside the products
        check(
            r#"{"vulnerability":"CVE-2023-12345","products":["pkg:apk/wolfi/git@2.39.0-r1?arch=armv7","pkg:oci/a"],
                "subcomponents":["pkg:npm/b"],"status":"fixed"}"#,
            "CVE-2023-12345 pkg:apk/wolfi/git@2.39.0-r1?arch=armv7 [pkg:npm/b] Fixed  by Me\n\
             CVE-2023-12345 pkg:oci/a [pkg:npm/b] Fixed  by Me",
        );
        // 0.2.0: objects, the parts inside
        check(
            r#"{"vulnerability":{"name":"CVE-2023-1255"},"products":[{"@id":"pkg:oci/alpine@sha256%3A12",
                "subcomponents":[{"@id":"pkg:apk/alpine/libssl3@3.0.8-r3"},{"identifiers":{"purl":"pkg:apk/alpine/x"}}]}],
                "status":"not_affected","justification":"vulnerable_code_not_present"}"#,
            "CVE-2023-1255 pkg:oci/alpine@sha256%3A12 [pkg:apk/alpine/libssl3@3.0.8-r3+pkg:apk/alpine/x] NotAffected \
             vulnerable_code_not_present by Me",
        );
        check(
            r#"{"vulnerability":{"@id":"https://nvd.nist.gov/vuln/detail/CVE-2020-1"},
                "products":[{"@id":"https://example.com/app","identifiers":{"purl":"pkg:npm/app@1"}}],
                "status":"affected","action_statement":"update"}"#,
            "CVE-2020-1 pkg:npm/app@1 [] Affected update by Me",
        );
    }

    #[test]
    fn a_vulnerability_is_named_as_other_feeds_know_it() {
        let check = |vulnerability: &str, expected: &str| {
            let statement = format!(
                r#"{{"vulnerability":{vulnerability},"products":["pkg:npm/a"],"status":"under_investigation"}}"#
            );
            assert_eq!(show(&document(&statement)).split(' ').next(), Some(expected), "{vulnerability}");
        };
        check(r#"{"name":"CGA-1","aliases":["GHSA-6hrg","CVE-2022-21797"]}"#, "CVE-2022-21797");
        check(r#"{"name":"CGA-1","aliases":["GHSA-6hrg"]}"#, "GHSA-6hrg");
        check(r#"{"name":"INTERNAL-7","aliases":["x"]}"#, "INTERNAL-7");
    }

    #[test]
    fn what_cant_be_found_in_an_inventory_is_named() {
        let check = |statement: &str, expected: &str| assert_eq!(show(&document(statement)), expected, "{statement}");
        check(
            r#"{"vulnerability":"CVE-2020-1","products":["our app","pkg:npm/a"],"status":"fixed"}"#,
            "! statement 1: product `our app` is no package URL\nCVE-2020-1 pkg:npm/a [] Fixed  by Me",
        );
        // The part is unknown: the statement is not one about all of the image.
        check(
            r#"{"vulnerability":"CVE-2020-1","products":[{"@id":"pkg:oci/a","subcomponents":[{"@id":"libx"}]}],
                "status":"not_affected"}"#,
            "! statement 1: part `libx` of `pkg:oci/a` is no package URL",
        );
        check(
            r#"{"vulnerability":"CVE-2020-1","products":["pkg:npm/a"],"status":"fine"}"#,
            "! statement 1: unknown status `fine`",
        );
        check(r#"{"products":["pkg:npm/a"],"status":"fixed"}"#, "! statement 1: names no vulnerability");
        check(r#"{"vulnerability":"CVE-2020-1","status":"fixed"}"#, "! statement 1: names no product");
    }

    #[test]
    fn the_later_time_of_a_statement_counts_and_else_the_documents() {
        let times = |statement: &str| {
            let mut times = Vec::new();
            parse(&Document { name: "x", bytes: document(statement).as_bytes() }, &mut |item| {
                if let Item::Vex(vex) = item {
                    times.push(vex.timestamp.unwrap().to_string());
                }
            })
            .unwrap();
            times
        };
        let statement =
            |more: &str| format!(r#"{{"vulnerability":"C","products":["pkg:npm/a"],"status":"fixed"{more}}}"#);
        assert_eq!(times(&statement("")), ["2024-01-01T00:00:00Z"]);
        assert_eq!(times(&statement(r#","timestamp":"2024-02-01T00:00:00Z""#)), ["2024-02-01T00:00:00Z"]);
        let both = r#","timestamp":"2024-02-01T00:00:00Z","last_updated":"2024-03-01T00:00:00-06:00""#;
        assert_eq!(times(&statement(both)), ["2024-03-01T06:00:00Z"]);
    }

    #[test]
    fn only_openvex_is_recognised() {
        let recognised = |json: &str| recognises(&Head::new("x.json", json.as_bytes()));
        assert!(recognised(&document("")));
        assert!(!recognised(r#"{"@context":"https://spdx.org/rdf/3.0.0","@graph":[]}"#));
        assert!(!recognised(r#"{"statements":[],"note":"openvex.dev/ns"}"#));
    }
}
