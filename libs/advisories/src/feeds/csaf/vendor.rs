//! A distributor's document -> one record per vulnerability.
//!
//! What a product says is gathered per release, package and module stream:
//! - `fixed`: affected before that version. A stream that got several fixes (one per minor release) is affected before each in
//!   the packages of that minor release ([`rows`]). Architectures are kept as listed, `noarch` and none mean all.
//! - `known_affected`: affected whatever the version, with the vendor's decision from the remediation (`none_available`,
//!   `no_fix_planned` and their words). Said of a package with a fix in the same stream, the fix counts.
//! - `known_not_affected`: never affected, where a component is named without a version. With a version (Red Hat lists each
//!   package beside the fixed one in an update) it says nothing of other versions and is passed over.
//! - `under_investigation`: undetermined.
//!
//! Source packages stand beside their binary ones in updates and are left to stand for them only where they stand alone.
//! Debug information (`-debuginfo`, `-debugsource`) has no code that runs and is passed over. Images, jars and components of
//! layered products without a package URL can't be found among a system's packages: they are counted.

mod rows;
mod words;

use super::document::{Csaf, Vulnerability};
use super::products::{Products, Resolved, Rpm};
use super::streams::Vendor;
use crate::feed::{LINK_BYTES_MAX, WORD_BYTES_MAX, cut};
use crate::feeds::left_out::LeftOut;
use crate::feeds::{Item, Sink};
use muster_domain::{Advisory, AdvisoryId, Ecosystem, Names, PackageUrl, Reference, Skipped, VendorState};
use rows::{Key, Rows};
use std::collections::{BTreeSet, HashMap};
use words::{Words, vectors};

/// Most bytes of a summary that are kept.
const SUMMARY_BYTES_MAX: usize = 1024;
/// Most bytes of a description that are kept.
const DETAILS_BYTES_MAX: usize = 4096;
/// Most links that are kept: the Inspector API shows 100.
const REFERENCES_KEPT_MAX: usize = 100;

/// Hands on one record per vulnerability.
pub(super) fn advisories(vendor: Vendor, csaf: &Csaf<'_>, sink: Sink<'_>) {
    let products = Products::new(csaf);
    let mut ecosystems = HashMap::new();
    for (index, vulnerability) in csaf.vulnerabilities.iter().enumerate() {
        let Named { id, scope, upstream } = named(csaf, index);
        let mut gathering = Gathering {
            vendor,
            products: &products,
            ecosystems: &mut ecosystems,
            words: Words::of(vendor, vulnerability, &products),
            rows: Rows::default(),
            unknown: BTreeSet::new(),
            without_version: LeftOut::default(),
            without_module: LeftOut::default(),
        };
        gathering.gather(vulnerability);
        let Gathering { words, rows, unknown, without_version, without_module, .. } = gathering;
        let mut advisory = describe(vendor, csaf, vulnerability);
        advisory.vendor_severity = words.impact.map(str::to_owned);
        advisory.severity = words.score.map(|score| vectors(score, vendor)).unwrap_or_default();
        advisory.affected = rows.into_affected();
        if !upstream.is_empty() {
            rate_each(&mut advisory);
        }
        unknown.into_iter().for_each(|kind| sink(Item::UnknownEcosystem(kind)));
        without_version.tell(&id, "fixed from which version on is not told", sink);
        without_module.tell(&id, "from which module is not told", sink);
        if vulnerability.product_status.is_empty() && !vulnerability.remediations.is_empty() {
            let reason = "says of no product whether it is affected".to_owned();
            sink(Item::Partial(Skipped { place: id.clone(), reason }));
        }
        sink(Item::Advisory(Advisory { id: AdvisoryId(id), scope, upstream, ..advisory }));
    }
    if products.is_exhausted() {
        let reason = "its groups name too many products, so that the reasons of some are missing".to_owned();
        let place = cut(&csaf.document.tracking.id, WORD_BYTES_MAX).to_owned();
        sink(Item::Partial(Skipped { place, reason }));
    }
}

/// What a record is called.
struct Named {
    id: String,
    scope: String,
    upstream: Vec<String>,
}

/// A VEX document is its vulnerability's own record. An advisory is a notice about each of its vulnerabilities, and as many
/// records, since each says of its own products.
fn named(csaf: &Csaf<'_>, index: usize) -> Named {
    let document = cut(&csaf.document.tracking.id, WORD_BYTES_MAX).to_owned();
    let cve = csaf.vulnerabilities[index].cve.as_deref().filter(|cve| !cve.is_empty());
    match cve.map(|cve| cut(cve, WORD_BYTES_MAX).to_owned()) {
        Some(cve) if cve != document => Named { id: document, scope: cve.clone(), upstream: vec![cve] },
        _ if csaf.vulnerabilities.len() > 1 => {
            Named { id: document, scope: format!("vulnerability {}", index + 1), upstream: Vec::new() }
        }
        _ => Named { id: document, scope: String::new(), upstream: Vec::new() },
    }
}

/// A notice's word and score are taken for those of all its vulnerabilities, except where they stand with a package.
fn rate_each(advisory: &mut Advisory) {
    for affected in &mut advisory.affected {
        if affected.vendor_severity.is_none() {
            affected.vendor_severity.clone_from(&advisory.vendor_severity);
        }
        if affected.severity.is_empty() {
            affected.severity.clone_from(&advisory.severity);
        }
    }
}

/// What is said of the vulnerability itself.
fn describe(vendor: Vendor, csaf: &Csaf<'_>, vulnerability: &Vulnerability<'_>) -> Advisory {
    let note = |category: &str| {
        let mut notes = vulnerability.notes.iter();
        notes.find(|note| &*note.category == category).map(|note| &*note.text).filter(|text| !text.is_empty())
    };
    let title = Some(&*vulnerability.title).filter(|title| !title.is_empty());
    let summary = title.or_else(|| note("summary")).unwrap_or(&csaf.document.title);
    let links = vulnerability.references.iter().map(|link| (kind_of(&link.category), &link.url));
    let fixes = vulnerability.remediations.iter().filter(|remediation| &*remediation.category == "vendor_fix");
    let mut seen = BTreeSet::new();
    let references = links
        .chain(fixes.map(|remediation| ("ADVISORY", &remediation.url)))
        .filter(|(_, url)| (1..=LINK_BYTES_MAX).contains(&url.len()) && seen.insert(&***url))
        .take(REFERENCES_KEPT_MAX)
        .map(|(kind, url)| Reference { kind: kind.to_owned(), url: url.to_string() })
        .collect();
    let tracking = &csaf.document.tracking;
    Advisory {
        source: vendor.source().to_owned(),
        summary: cut(summary, SUMMARY_BYTES_MAX).to_owned(),
        details: cut(note("description").or(note("general")).unwrap_or_default(), DETAILS_BYTES_MAX).to_owned(),
        cwes: vulnerability.cwe.iter().map(|cwe| cut(&cwe.id, WORD_BYTES_MAX).to_owned()).collect(),
        published: time(&vulnerability.release_date).or_else(|| time(&tracking.initial_release_date)),
        modified: time(&tracking.current_release_date),
        references,
        ..Advisory::default()
    }
}

fn kind_of(category: &str) -> &'static str {
    match category {
        "self" => "ADVISORY",
        _ => "WEB",
    }
}

pub(super) fn time(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}

/// One vulnerability's products on their way to rows.
struct Gathering<'g, 'd, 'a> {
    vendor: Vendor,
    products: &'d Products<'d, 'a>,
    /// The release of each platform that was met.
    ecosystems: &'g mut HashMap<&'d str, Option<Ecosystem>>,
    words: Words<'d, 'a>,
    rows: Rows,
    /// Kinds of products that are no packages of a release.
    unknown: BTreeSet<String>,
    without_version: LeftOut,
    without_module: LeftOut,
}

/// Which of the statuses a product stands under.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Fixed,
    Affected,
    NotAffected,
    UnderInvestigation,
}

impl<'d, 'a> Gathering<'_, 'd, 'a> {
    fn gather(&mut self, vulnerability: &'d Vulnerability<'a>) {
        let status = &vulnerability.product_status;
        let recommended: &[_] = if self.vendor == Vendor::Suse { &status.recommended } else { &[] };
        for product in status.fixed.iter().chain(&status.first_fixed).chain(recommended) {
            self.product(product, Status::Fixed, None);
        }
        for product in status.known_affected.iter().chain(&status.first_affected).chain(&status.last_affected) {
            self.product(product, Status::Affected, None);
        }
        let mut reasons = HashMap::new();
        for flag in &vulnerability.flags {
            let named = self.products.named(&flag.product_ids, &flag.group_ids).into_iter().flatten();
            reasons.extend(named.map(|product| (product, cut(&flag.label, WORD_BYTES_MAX))));
        }
        for product in &status.known_not_affected {
            self.product(product, Status::NotAffected, reasons.get(&**product).copied());
        }
        for product in &status.under_investigation {
            self.product(product, Status::UnderInvestigation, None);
        }
    }

    fn product(&mut self, id: &'d str, status: Status, reason: Option<&str>) {
        let resolved = self.products.resolve(id);
        let Some(rpm) = self.package(&resolved, status) else {
            return;
        };
        if is_debug(&rpm.name) || rpm.name.is_empty() || rpm.name.len() > WORD_BYTES_MAX {
            return;
        }
        if status == Status::NotAffected && rpm.version.is_some() {
            return;
        }
        let Some(ecosystem) = self.ecosystem(&resolved) else {
            self.unknown.insert(format!("{} products that are no release", self.vendor.name()));
            return;
        };
        let module = match module_of(&rpm, &resolved) {
            Ok(module) => module,
            Err(()) => return self.without_module.add(id),
        };
        let is_source = rpm.architecture.as_deref() == Some("src")
            || !rpm.is_told && rpm.version.is_none() && self.vendor == Vendor::RedHat;
        let names = if is_source { Names::Source } else { Names::Binary };
        let key = Key { ecosystem, module, name: rpm.name, names };
        match (status, rpm.version) {
            (Status::Fixed, None) => return self.without_version.add(id),
            (Status::Fixed, Some(version)) => {
                self.rows.fixed(&key, &version, rpm.architecture.as_deref(), self.words.fixes.get(id).copied());
            }
            (Status::Affected, _) => {
                let (state, said) = self.words.unfixed.get(id).copied().unwrap_or((VendorState::Affected, ""));
                self.rows.state(&key, state, said);
            }
            (Status::NotAffected, _) => self.rows.state(&key, VendorState::NotAffected, reason.unwrap_or_default()),
            (Status::UnderInvestigation, _) => self.rows.state(&key, VendorState::UnderInvestigation, ""),
        }
        let impact = self.words.impacts.get(id).copied();
        let score = self.words.scores.get(id).map(|score| vectors(score, self.vendor)).unwrap_or_default();
        self.rows.rate(&key, impact, score);
    }

    /// The package that the product is; `None` after counting what else it is.
    fn package(&mut self, resolved: &Resolved<'d, 'a>, status: Status) -> Option<Rpm> {
        let vendor = self.vendor.name();
        if let Some(purl) = resolved.component_product.and_then(|product| product.purl()) {
            return match Rpm::of_purl(purl) {
                Ok(rpm) => Some(rpm),
                Err(kind) => {
                    self.unknown.insert(match kind.as_str() {
                        "oci" => format!("{vendor} container images"),
                        "" => format!("{vendor} products with a broken package URL"),
                        kind => format!("{vendor} products of type {}", cut(kind, 40)),
                    });
                    None
                }
            };
        }
        let cpe = resolved.platform_product.and_then(|platform| platform.cpe());
        let rpm = match status {
            _ if resolved.platform.is_none() || !self.vendor.is_system(cpe) => None,
            Status::Fixed => Rpm::of_file(resolved.component),
            _ => Rpm::of_file(resolved.component).or_else(|| Rpm::of_component(resolved.component)),
        };
        if rpm.is_none() {
            self.unknown.insert(format!("{vendor} components without a package URL"));
        }
        rpm
    }

    fn ecosystem(&mut self, resolved: &Resolved<'d, 'a>) -> Option<Ecosystem> {
        let platform = resolved.platform?;
        let cpe = || resolved.platform_product.and_then(|product| product.cpe());
        let found = self.ecosystems.entry(platform).or_insert_with(|| {
            if platform.len() > WORD_BYTES_MAX { None } else { self.vendor.ecosystem(platform, cpe()) }
        });
        found.clone()
    }
}

/// `name:stream` of the module that a package is from; an error when it is from one that is not told whole.
fn module_of(rpm: &Rpm, resolved: &Resolved<'_, '_>) -> Result<Option<String>, ()> {
    let between = resolved.between.and_then(|product| product.purl());
    let between = between.and_then(|purl| PackageUrl::parse(purl).ok()).filter(|purl| purl.package_type == "rpmmod");
    let told = between.and_then(|purl| Some(format!("{}:{}", purl.name, purl.version?)));
    let Some(told) = rpm.module.clone().or(told) else {
        return if rpm.is_modular() { Err(()) } else { Ok(None) };
    };
    let mut parts = told.split(':');
    match (parts.next(), parts.next()) {
        (Some(name), Some(stream)) if !name.is_empty() && !stream.is_empty() && told.len() <= WORD_BYTES_MAX => {
            Ok(Some(format!("{name}:{stream}")))
        }
        _ => Err(()),
    }
}

fn is_debug(name: &str) -> bool {
    name.ends_with("-debuginfo") || name.ends_with("-debugsource") || name.contains("-debuginfo-common")
}

#[cfg(test)]
mod tests;
