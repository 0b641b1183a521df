//! OVAL 5 definitions (oval.mitre.org/language/version5.11, read 2026-11) as distributors publish them: Oracle's ELSA,
//! Red Hat's streams (with and without the unpatched ones), SUSE, Photon OS, Azure Linux (CBL-Mariner), Ubuntu. One
//! definition -> one advisory.
//!
//! A definition holds where its tree of criteria does. A criterion refers to a test, that to an object (which package)
//! and a state (which versions, which architectures): those count, and criteria's comments only where they are all there is:
//! for releases, architectures and module streams, which OVAL tests by files and release packages, and where an excerpt
//! lacks the test.
//!
//! - Several packages in one alternative are each told as affected: whether the others are there is not asked.
//! - A test for a package's presence alone is an unfixed vulnerability, unless a version is asked for beside it: then it is
//!   a condition that is taken to be met. What Red Hat decided on such a package its `resolution` tells.
//! - Oracle's ksplice and fips builds have epochs above every ordinary build's. Fixes in them are no fixes of the
//!   ordinary packages, so they are left out, and that is told.
//! - A definition with a test of a kind that is not known, with a negation or too many combinations is set aside whole; an
//!   alternative that rests on something unclear is left out, and that is told.
//! - A notice's CVSS vectors are kept where it is about one CVE alone; of several, none is the notice's.

mod criteria;
mod dictionary;
mod publisher;
mod telling;

use self::criteria::Tree;
use self::dictionary::Dictionary;
use self::publisher::Publisher;
use self::telling::Telling;
use super::{Document, Item, Sink};
use crate::cve_ids::{cves, cves_in};
use crate::feed::{FeedError, Head, LINK_BYTES_MAX, WORD_BYTES_MAX, cut};
use crate::markup::{Malformed, Markup, Tag, has_root};
use crate::moment::moment;
use muster_domain::{Advisory, AdvisoryId, Reference, Skipped, VectorString};
use std::collections::BTreeSet;

/// Most bytes of a title that are kept.
const SUMMARY_BYTES_MAX: usize = 1024;
/// Most bytes of a description that are kept.
const DETAILS_BYTES_MAX: usize = 4096;
/// Most links that are kept: the Inspector API shows 100.
const REFERENCES_KEPT_MAX: usize = 100;
/// Most platforms of one definition, which count where its criteria name no release: real ones have two or three there.
const PLATFORMS_MAX: usize = 64;
/// Most reasons that are told of one definition.
const REASONS_MAX: usize = 5;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    head.text.starts_with(b"<") && has_root(head.text, "oval_definitions")
}

/// A document is read twice, since its definitions stand before the tests that they refer to.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let text = String::from_utf8_lossy(document.bytes);
    let not_this = |why| FeedError::NotThis { format: "OVAL", why };
    let dictionary = Dictionary::read(&text).map_err(not_this)?;
    let mut markup = Markup::new(&text);
    if markup.child().map_err(not_this)?.is_none_or(|root| root.name() != "oval_definitions") {
        return Err(not_this("has no element `oval_definitions`".to_owned()));
    }
    while let Some(section) = markup.child().map_err(not_this)? {
        if section.name() != "definitions" {
            markup.skip().map_err(not_this)?;
            continue;
        }
        while let Some(tag) = markup.child().map_err(not_this)? {
            let definition = Definition::read(&mut markup, tag, &dictionary).map_err(not_this)?;
            definition.tell(document.name, sink);
        }
    }
    Ok(())
}

#[derive(Default)]
struct Definition {
    id: String,
    class: String,
    deprecated: bool,
    title: String,
    description: String,
    platforms: Vec<String>,
    references: Vec<RawReference>,
    severity: String,
    issued: String,
    updated: String,
    /// Azure Linux's word on whether there is a fix.
    patchable: String,
    cves: Vec<RawCve>,
    cpes: Vec<String>,
    /// Red Hat's state of an unpatched component.
    resolutions: Vec<(String, String)>,
    tree: Option<Result<Tree, String>>,
}

struct RawReference {
    id: String,
    url: String,
}

/// One CVE of an advisory, and what its attributes say of it.
struct RawCve {
    text: String,
    vectors: Vec<(&'static str, String)>,
    weaknesses: String,
}

/// Attributes with a CVSS score and vector in them.
const VECTORS: [(&str, &str); 4] =
    [("cvss2", "CVSS_V2"), ("cvss3", "CVSS_V3"), ("cvss4", "CVSS_V4"), ("cvss_vector", "CVSS_V3")];

impl Definition {
    fn read<'a>(markup: &mut Markup<'a>, tag: Tag<'a>, dictionary: &Dictionary<'_>) -> Result<Self, Malformed> {
        let mut definition = Self {
            id: cut(&tag.attribute("id"), WORD_BYTES_MAX).to_owned(),
            class: cut(&tag.attribute("class"), WORD_BYTES_MAX).to_owned(),
            deprecated: tag.attribute("deprecated") == "true",
            ..Self::default()
        };
        while let Some(tag) = markup.child()? {
            match tag.name() {
                "metadata" => definition.metadata(markup)?,
                "criteria" => definition.tree = Some(Tree::read(markup, tag, dictionary)?),
                _ => markup.skip()?,
            }
        }
        Ok(definition)
    }

    fn metadata(&mut self, markup: &mut Markup<'_>) -> Result<(), Malformed> {
        while let Some(tag) = markup.child()? {
            match tag.name() {
                "title" => self.title = markup.letters(SUMMARY_BYTES_MAX)?,
                "description" => self.description = markup.letters(DETAILS_BYTES_MAX)?,
                "affected" => self.affected(markup)?,
                "advisory" => self.advisory_element(markup)?,
                "severity" => self.severity = markup.letters(WORD_BYTES_MAX)?,
                "patchable" => self.patchable = markup.letters(WORD_BYTES_MAX)?,
                "advisory_date" => self.issued = markup.letters(WORD_BYTES_MAX)?,
                "reference" => {
                    let (id, url) = (tag.attribute("ref_id").into_owned(), tag.attribute("ref_url").into_owned());
                    self.references.push(RawReference { id, url });
                    markup.skip()?;
                }
                _ => markup.skip()?,
            }
        }
        Ok(())
    }

    fn affected(&mut self, markup: &mut Markup<'_>) -> Result<(), Malformed> {
        while let Some(tag) = markup.child()? {
            match tag.name() {
                "platform" if self.platforms.len() < PLATFORMS_MAX => {
                    self.platforms.push(markup.letters(WORD_BYTES_MAX)?);
                }
                "resolution" => {
                    let state = tag.attribute("state").into_owned();
                    self.components(&state, markup)?;
                }
                _ => markup.skip()?,
            }
        }
        Ok(())
    }

    fn components(&mut self, state: &str, markup: &mut Markup<'_>) -> Result<(), Malformed> {
        while let Some(tag) = markup.child()? {
            if tag.name() == "component" && !state.is_empty() {
                self.resolutions.push((markup.letters(WORD_BYTES_MAX)?, state.to_owned()));
            } else {
                markup.skip()?;
            }
        }
        Ok(())
    }

    fn advisory_element(&mut self, markup: &mut Markup<'_>) -> Result<(), Malformed> {
        while let Some(tag) = markup.child()? {
            match tag.name() {
                "severity" => self.severity = markup.letters(WORD_BYTES_MAX)?,
                "public_date" => self.issued = markup.letters(WORD_BYTES_MAX)?,
                "affected" => self.affected(markup)?,
                "cve" => self.cves.push(RawCve::read(markup, tag)?),
                "affected_cpe_list" => self.cpe_list(markup)?,
                "issued" => {
                    self.issued = tag.attribute("date").into_owned();
                    markup.skip()?;
                }
                "updated" => {
                    self.updated = tag.attribute("date").into_owned();
                    markup.skip()?;
                }
                _ => markup.skip()?,
            }
        }
        Ok(())
    }

    fn cpe_list(&mut self, markup: &mut Markup<'_>) -> Result<(), Malformed> {
        while markup.child()?.is_some() {
            self.cpes.push(markup.letters(WORD_BYTES_MAX)?);
        }
        Ok(())
    }

    /// Gives the record, or why there is none, to the sink.
    fn tell(self, document: &str, sink: Sink<'_>) {
        if self.class == "inventory" {
            return; // tells whether a system is installed
        }
        match self.advisory(document, sink) {
            Ok(advisory) => sink(Item::Advisory(advisory)),
            Err(reason) => sink(Item::skipped(self.id, reason)),
        }
    }

    fn advisory(&self, document: &str, sink: Sink<'_>) -> Result<Advisory, String> {
        let publisher = Publisher::of(&self.id).ok_or("is of a publisher that is not known")?;
        if self.deprecated {
            return Err("is deprecated".to_owned());
        }
        let tree = match &self.tree {
            Some(Ok(tree)) => tree,
            Some(Err(reason)) => return Err(reason.clone()),
            None => return Err("has no criteria".to_owned()),
        };
        let id = self.record_id(publisher).ok_or("names neither a notice nor a CVE")?;
        let (affected, left_out) = Telling::new(self, publisher, document, tree).affected(sink);
        if affected.is_empty() && tree.packages.is_empty() {
            return Err(left_out.into_iter().next().unwrap_or_else(|| "tests no package".to_owned()));
        }
        let more = left_out.len().saturating_sub(REASONS_MAX);
        for reason in left_out.into_iter().take(REASONS_MAX) {
            sink(Item::Partial(Skipped { place: self.id.clone(), reason }));
        }
        if more > 0 {
            sink(Item::Partial(Skipped { place: self.id.clone(), reason: format!("and {more} more") }));
        }
        let mut upstream = self.all_cves();
        upstream.retain(|cve| *cve != id);
        let (severity, cwes) = self.vectors(publisher);
        Ok(Advisory {
            id: AdvisoryId(id),
            source: publisher.source().to_owned(),
            scope: self.scope(publisher, document),
            upstream,
            summary: self.title.clone(),
            details: self.description.clone(),
            severity,
            vendor_severity: (!self.severity.is_empty()).then(|| self.severity.clone()),
            cwes,
            affected,
            references: self.links(),
            published: moment(&self.issued),
            modified: moment(&self.updated),
            ..Advisory::default()
        })
    }

    /// A patch is called by its notice, a vulnerability by its CVE. Azure Linux's definitions are each about one package
    /// and are called as in its OSV records.
    fn record_id(&self, publisher: Publisher) -> Option<String> {
        if publisher == Publisher::AzureLinux {
            let number = self.id.rsplit(':').next().filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
            return number.filter(|number| !number.is_empty()).map(|number| format!("AZL-{number}"));
        }
        let title = self.title.split_whitespace().next().unwrap_or_default().trim_end_matches(':');
        let names = || std::iter::once(title).chain(self.references.iter().map(|reference| reference.id.as_str()));
        if self.class == "patch" {
            let is_notice = |name: &&str| publisher.notices().iter().any(|begin| name.starts_with(begin));
            return names().find(is_notice).map(|name| cut(name, WORD_BYTES_MAX).to_owned());
        }
        let of_list = || self.cves.iter().find_map(|cve| cves_in(&cve.text).next());
        cves_in(&self.title)
            .next()
            .or_else(|| names().find_map(|name| cves_in(name).next()))
            .or_else(of_list)
            .map(str::to_owned)
    }

    fn scope(&self, publisher: Publisher, document: &str) -> String {
        if !publisher.repeats_ids() {
            return String::new();
        }
        let name = document.rsplit('/').next().unwrap_or(document);
        let name = name.strip_suffix(".xml").unwrap_or(name);
        let name = name.strip_suffix(".oval").unwrap_or(name);
        // Red Hat has what is affected and what is not in definitions of the same CVE.
        let part = if self.is_unaffected() { " unaffected" } else { "" };
        format!("{}{part}", cut(name, WORD_BYTES_MAX))
    }

    fn all_cves(&self) -> Vec<String> {
        let references = self.references.iter().map(|reference| reference.id.as_str());
        cves(references.chain(self.cves.iter().map(|cve| cve.text.as_str())))
    }

    fn vectors(&self, publisher: Publisher) -> (Vec<VectorString>, Vec<String>) {
        if self.all_cves().len() != 1 {
            return (Vec::new(), Vec::new());
        }
        let (mut vectors, mut weaknesses) = (Vec::new(), BTreeSet::new());
        for cve in &self.cves {
            // SUSE repeats the NVD's word beside its own.
            let source = if cve.text.ends_with("at NVD") { "NVD" } else { publisher.source() };
            for (kind, vector) in &cve.vectors {
                let vector =
                    VectorString { kind: (*kind).to_owned(), vector: vector.clone(), source: source.to_owned() };
                if !vectors.contains(&vector) {
                    vectors.push(vector);
                }
            }
            let numbers = cve
                .weaknesses
                .split("CWE-")
                .skip(1)
                .map(|rest| rest.find(|letter: char| !letter.is_ascii_digit()).map_or(rest, |end| &rest[..end]));
            weaknesses.extend(numbers.filter(|number| !number.is_empty()).map(|number| format!("CWE-{number}")));
        }
        (vectors, weaknesses.into_iter().collect())
    }

    fn links(&self) -> Vec<Reference> {
        let kept = |reference: &&RawReference| !reference.url.is_empty() && reference.url.len() <= LINK_BYTES_MAX;
        let links = self.references.iter().filter(kept).take(REFERENCES_KEPT_MAX);
        links.map(|reference| Reference { kind: "ADVISORY".to_owned(), url: reference.url.clone() }).collect()
    }

    /// What Red Hat decided on a package that has no fix: by its name (`nodejs:16/nodejs` is one, too), else the one
    /// decision that the definition has, else what kind of definition it is.
    fn decision(&self, package: &str) -> Option<&str> {
        let named = |(component, _): &&(String, String)| component.rsplit('/').next() == Some(package);
        let mut states = self.resolutions.iter().map(|(_, state)| state.as_str());
        let first = states.next();
        let agreed = || first.filter(|first| states.all(|state| state == *first));
        let of_package = self.resolutions.iter().find(named).map(|(_, state)| state.as_str());
        of_package.or_else(agreed).or_else(|| self.is_unaffected().then_some("Not affected"))
    }

    /// Whether it lists what Red Hat found to be not affected.
    fn is_unaffected(&self) -> bool {
        self.id.starts_with("oval:com.redhat.unaffected:")
    }
}

impl RawCve {
    fn read(markup: &mut Markup<'_>, tag: Tag<'_>) -> Result<Self, Malformed> {
        let mut vectors = Vec::new();
        for (attribute, kind) in VECTORS {
            let value = tag.attribute(attribute);
            // `8.1/CVSS:3.0/AV:N/…`: the score stands before the vector.
            let vector = match value.split_once('/') {
                Some((score, vector)) if score.parse::<f32>().is_ok() => vector,
                _ => &value,
            };
            if vector.contains('/') && vector.len() <= WORD_BYTES_MAX {
                vectors.push((kind, vector.to_owned()));
            }
        }
        let weaknesses = cut(&tag.attribute("cwe"), WORD_BYTES_MAX).to_owned();
        Ok(Self { text: markup.letters(WORD_BYTES_MAX)?, vectors, weaknesses })
    }
}

#[cfg(test)]
mod tests;
