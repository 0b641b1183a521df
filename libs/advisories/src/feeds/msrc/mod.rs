//! Microsoft's security updates in CVRF, JSON and XML (api.msrc.microsoft.com/cvrf/v3.0; ICASI CVRF 1.1; read 2026-11-24).
//! No document of Microsoft's own was at hand: the shape is the API's as its users describe it.
//!
//! One document is a month's updates for hundreds of products. What is kept are the operating systems: each is its own
//! ecosystem (`Windows:Windows Server 2019`) with one package of the same name, whose version is the build. Office, Edge,
//! .NET and the rest are installed by other means and are counted.
//!
//! - A vendor fix (`Type` 2) says by `FixedBuild` from which build on a product is good; of several for one product the lowest.
//!   Its article and what that supersedes stand in the remark (`updates`), by which matching follows what supersedes what. Where a
//!   fix tells no build (before 2022), only the installed articles tell who has it; without them the product is undetermined.
//! - An affected product without a vendor fix has none.
//! - `Exploited:Yes` in the exploit status is evidence of an exploit.

mod json;
mod xml;

use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, REMARK_BYTES_MAX, WORD_BYTES_MAX, cut};
use crate::updates::{self, Update, article_of};
use jiff::Timestamp;
use muster_domain::{Advisory, AdvisoryId, Affected, Ecosystem, Exploit, Reference, VectorString, VendorState};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most bytes of one document: a month has 3 to 10 MB as JSON, twice that as XML.
pub(crate) const BYTES_MAX: usize = 64 << 20;
/// Its name among the origins.
const SOURCE: &str = "MICROSOFT";
/// Most bytes of a description that are kept.
const DETAILS_BYTES_MAX: usize = 4096;
/// Most articles that a remark names: a product has two or three.
const ARTICLES_MAX: usize = 8;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    json::recognises(head) || xml::recognises(head)
}

/// A document is a month's updates.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let is_xml = Head::new(document.name, document.bytes).text.starts_with(b"<");
    let cvrf = if is_xml { xml::read(document.bytes)? } else { json::read(document.bytes)? };
    for (index, vulnerability) in cvrf.vulnerabilities.iter().enumerate() {
        if vulnerability.id.is_empty() || vulnerability.id.len() > WORD_BYTES_MAX {
            sink(Item::skipped(format!("vulnerability {}", index + 1), "has no id"));
            continue;
        }
        let (affected, others) = affected(vulnerability, &cvrf.products);
        if others > 0 {
            sink(Item::UnknownEcosystem("Microsoft products other than Windows".to_owned()));
        }
        if vulnerability.threats.iter().any(|threat| threat.kind == Kind::Exploit && is_exploited(&threat.text)) {
            let exploit = Exploit { source: SOURCE.to_owned(), id: vulnerability.id.clone() };
            sink(Item::Exploit(vulnerability.id.clone(), exploit));
        }
        sink(Item::Advisory(describe(&cvrf, vulnerability, affected)));
    }
    Ok(())
}

/// A document of either syntax.
#[derive(Default)]
struct Cvrf {
    released: Option<Timestamp>,
    changed: Option<Timestamp>,
    /// Names by product id.
    products: HashMap<String, String>,
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Default)]
struct Vulnerability {
    /// A CVE or an advisory's own (`ADV190001`).
    id: String,
    title: String,
    description: String,
    cwes: Vec<String>,
    /// Products that have it.
    affected: Vec<String>,
    threats: Vec<Said>,
    /// CVSS vectors.
    scores: Vec<Said>,
    fixes: Vec<Fix>,
    /// First and last date of its revisions.
    revisions: Vec<Timestamp>,
}

/// What a text says of products; none named: of all.
#[derive(Default)]
struct Said {
    kind: Kind,
    text: String,
    products: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Severity,
    Exploit,
}

/// A vendor fix.
#[derive(Default)]
struct Fix {
    /// The article's number, or something else (`Release Notes`).
    article: String,
    supersedes: String,
    build: String,
    products: Vec<String>,
}

fn describe(cvrf: &Cvrf, vulnerability: &Vulnerability, affected: Vec<Affected>) -> Advisory {
    let of_most = |said: &mut dyn Iterator<Item = &Said>| {
        let most = said.max_by_key(|said| if said.products.is_empty() { usize::MAX } else { said.products.len() });
        most.map(|said| said.text.clone())
    };
    let mut severities = vulnerability.threats.iter().filter(|threat| threat.kind == Kind::Severity);
    let page = format!("https://msrc.microsoft.com/update-guide/vulnerability/{}", vulnerability.id);
    Advisory {
        id: AdvisoryId(vulnerability.id.clone()),
        source: SOURCE.to_owned(),
        summary: vulnerability.title.clone(),
        details: cut(&plain(&vulnerability.description), DETAILS_BYTES_MAX).to_owned(),
        severity: of_most(&mut vulnerability.scores.iter()).map(vector).into_iter().collect(),
        vendor_severity: of_most(&mut severities),
        cwes: vulnerability.cwes.clone(),
        affected,
        references: vec![Reference { kind: "ADVISORY".to_owned(), url: page }],
        published: vulnerability.revisions.iter().min().copied().or(cvrf.released),
        modified: vulnerability.revisions.iter().max().copied().or(cvrf.changed),
        ..Advisory::default()
    }
}

fn vector(text: String) -> VectorString {
    let kind = match text.as_bytes() {
        [b'C', b'V', b'S', b'S', b':', b'4', ..] => "CVSS_V4",
        [b'C', b'V', b'S', b'S', b':', b'3', ..] => "CVSS_V3",
        _ => "CVSS_V2",
    };
    VectorString { kind: kind.to_owned(), vector: text, source: SOURCE.to_owned() }
}

/// The operating systems that have the vulnerability, and how many other products have.
fn affected(vulnerability: &Vulnerability, products: &HashMap<String, String>) -> (Vec<Affected>, usize) {
    let mut fixes: HashMap<&str, Vec<&Fix>> = HashMap::new();
    for fix in &vulnerability.fixes {
        fix.products.iter().for_each(|product| fixes.entry(product).or_default().push(fix));
    }
    let named: BTreeSet<&str> =
        vulnerability.affected.iter().map(String::as_str).chain(fixes.keys().copied()).collect();
    let mut systems: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut others = 0;
    for product in named {
        match products.get(product) {
            Some(name) if is_system(name) => systems.entry(name).or_default().push(product),
            _ => others += 1,
        }
    }
    let severities = by_product(vulnerability.threats.iter().filter(|threat| threat.kind == Kind::Severity));
    let scores = by_product(vulnerability.scores.iter());
    let of =
        |said: &HashMap<&str, &str>, ids: &[&str]| ids.iter().find_map(|id| said.get(id)).map(|&text| text.to_owned());
    let affected = systems.into_iter().filter_map(|(name, ids)| {
        let ecosystem: Ecosystem = format!("Windows:{name}").parse().ok()?;
        let of_it: Vec<&Fix> = ids.iter().filter_map(|id| fixes.get(id)).flatten().copied().collect();
        Some(Affected {
            vendor_severity: of(&severities, &ids),
            severity: of(&scores, &ids).map(vector).into_iter().collect(),
            ..fixed(Affected::new(ecosystem, name), &of_it)
        })
    });
    (affected.collect(), others)
}

fn by_product<'v>(said: impl Iterator<Item = &'v Said>) -> HashMap<&'v str, &'v str> {
    said.flat_map(|said| said.products.iter().map(|product| (product.as_str(), said.text.as_str()))).collect()
}

/// Fixed by the lowest build of the fixes.
fn fixed(blank: Affected, fixes: &[&Fix]) -> Affected {
    let remark = articles(fixes);
    let lowest = fixes.iter().filter_map(|fix| Some((build(&fix.build)?, &fix.build))).min();
    let (state, affected) = match lowest {
        Some((_, build)) => (VendorState::Fixed, blank.with_range("0", Some(build))),
        None if fixes.is_empty() => (VendorState::Affected, blank.with_range("0", None)),
        // There is a fix, and no version tells who has it.
        None => (VendorState::UnderInvestigation, blank),
    };
    Affected { state: Some(state), remark, ..affected }
}

/// `KB5031361 supersedes KB5030214; KB5031362`.
fn articles(fixes: &[&Fix]) -> Option<String> {
    let mut articles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for fix in fixes {
        if let Some(article) = article_of(&fix.article) {
            let superseded = fix.supersedes.split([',', ';', ' ']).filter_map(article_of);
            articles.entry(article).or_default().extend(superseded.take(ARTICLES_MAX));
        }
    }
    let update = |(article, superseded): (String, BTreeSet<String>)| Update {
        article,
        supersedes: superseded.into_iter().collect(),
    };
    let updates: Vec<Update> = articles.into_iter().take(ARTICLES_MAX).map(update).collect();
    (!updates.is_empty()).then(|| updates::write(&updates, REMARK_BYTES_MAX))
}

/// A build as it is compared, `10.0.17763.4974`; `None`: no build of an operating system (`1.001` of Internet Explorer's).
fn build(text: &str) -> Option<[u32; 4]> {
    let mut parts = text.trim().split('.').map(|part| part.parse::<u32>().ok());
    let build = [parts.next()??, parts.next()??, parts.next()??, parts.next()??];
    (parts.next().is_none() && matches!(build[0], 5 | 6 | 10)).then_some(build)
}

/// `Windows 10 Version 1809 for x64-based Systems`, `Windows Server 2019 (Server Core installation)`; not `Windows Defender`,
/// `Windows Admin Center`, `Microsoft .NET Framework 4.8 on Windows 10`.
fn is_system(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("Windows ").filter(|_| name.len() <= WORD_BYTES_MAX) else {
        return false;
    };
    let is_server = rest.strip_prefix("Server").is_some_and(|rest| rest.starts_with([' ', ',']));
    is_server && !rest.contains("Update Services")
        || ["RT", "Vista", "XP"]
            .iter()
            .any(|name| rest.strip_prefix(name).is_some_and(|end| end.is_empty() || end.starts_with(' ')))
        || rest.split(' ').next().is_some_and(|word| word.parse::<f32>().is_ok())
}

/// `Publicly Disclosed:No;Exploited:Yes;Latest Software Release:Exploitation Detected`.
fn is_exploited(status: &str) -> bool {
    status.split(';').any(|part| {
        let (name, value) = part.split_once(':').unwrap_or((part, ""));
        name.trim().eq_ignore_ascii_case("exploited") && value.trim().eq_ignore_ascii_case("yes")
    })
}

/// Descriptions are HTML: without its marks.
fn plain(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        let after = piece.split_once('>').map_or(piece, |(_, after)| after);
        text.push_str(after);
    }
    text.trim().to_owned()
}

/// Times stand with and without a zone; UTC is meant.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| jiff::tz::TimeZone::UTC.to_timestamp(text.parse().ok()?).ok())
}

#[cfg(test)]
mod tests;
