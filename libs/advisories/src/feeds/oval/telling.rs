//! A definition's alternatives -> entries of affected packages.

use super::Definition;
use super::criteria::{Alternative, Tree};
use super::dictionary::{Bound, PackageTest};
use super::publisher::Publisher;
use crate::feeds::{Item, Sink};
use crate::gather::Gather;
use muster_domain::{Affected, Ecosystem, Event, Range, RangeType, VendorState};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// One definition on its way.
pub(super) struct Telling<'d> {
    definition: &'d Definition,
    publisher: Publisher,
    document: &'d str,
    tree: &'d Tree,
    gather: Gather,
    /// Why alternatives were left out.
    left_out: BTreeSet<String>,
    /// Releases that have no ecosystem, in the publisher's words.
    unknown: BTreeSet<String>,
}

/// What an alternative asks of one package.
#[derive(Default)]
struct Versions<'t> {
    from: Option<&'t str>,
    ends: Vec<Event>,
    exactly: Vec<String>,
    never: bool,
    architectures: &'t [String],
}

impl<'d> Telling<'d> {
    pub(super) fn new(definition: &'d Definition, publisher: Publisher, document: &'d str, tree: &'d Tree) -> Self {
        Self {
            definition,
            publisher,
            document,
            tree,
            gather: Gather::default(),
            left_out: BTreeSet::new(),
            unknown: BTreeSet::new(),
        }
    }

    /// The entries, and why others were left out.
    pub(super) fn affected(mut self, sink: Sink<'_>) -> (Vec<Affected>, BTreeSet<String>) {
        // Alternatives share the lists that they were made from, so the one before mostly has the same.
        let mut before: Option<(Rc<[u32]>, Vec<Ecosystem>)> = None;
        let of_platforms = self.ecosystems(self.definition.platforms.iter().map(String::as_str));
        for alternative in &self.tree.alternatives {
            if let Some(reason) = &alternative.unclear {
                self.left_out.insert(reason.to_string());
                continue;
            }
            if alternative.packages.is_empty() {
                continue;
            }
            match (&alternative.releases, &before) {
                (None, _) => self.alternative(alternative, &of_platforms),
                (Some(releases), Some((held, ecosystems))) if Rc::ptr_eq(releases, held) => {
                    let ecosystems = ecosystems.clone();
                    self.alternative(alternative, &ecosystems);
                }
                (Some(releases), _) => {
                    let ecosystems = self.ecosystems(self.tree.words(releases));
                    self.alternative(alternative, &ecosystems);
                    before = Some((releases.clone(), ecosystems));
                }
            }
        }
        self.unknown.into_iter().for_each(|words| sink(Item::UnknownEcosystem(words)));
        let mut affected = self.gather.finish();
        widen(&mut affected, self.tree);
        keep_consistent(&mut affected);
        (affected, self.left_out)
    }

    fn ecosystems<'w>(&mut self, releases: impl Iterator<Item = &'w str>) -> Vec<Ecosystem> {
        let mut all = Vec::new();
        for words in releases {
            let ecosystems = self.publisher.ecosystems(words, &self.definition.cpes);
            if ecosystems.is_empty() && self.publisher != Publisher::AzureLinux {
                self.unknown.insert(words.to_owned());
            }
            all.extend(ecosystems);
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    fn alternative(&mut self, alternative: &Alternative, ecosystems: &[Ecosystem]) {
        let tests = || alternative.packages.iter().filter_map(|&place| self.tree.packages.get(place as usize));
        let of_versions = tests().any(PackageTest::is_about_versions);
        let mut packages: BTreeMap<&str, Versions<'_>> = BTreeMap::new();
        for test in tests().filter(|test| !of_versions || test.is_about_versions()) {
            for name in &test.names {
                packages.entry(name).or_default().add(test);
            }
        }
        for (name, versions) in packages {
            if let Some(build) = versions.special_build() {
                self.left_out.insert(format!("fixes for builds with `{build}` in the release are for those alone"));
                continue;
            }
            let of_version = || self.publisher.ecosystem_of(versions.any(), self.document);
            let told: Vec<Ecosystem> =
                if ecosystems.is_empty() { of_version().into_iter().collect() } else { ecosystems.to_vec() };
            if told.is_empty() && self.unknown.is_empty() {
                self.left_out.insert("tells no release".to_owned());
            }
            let Some(architectures) = self.architectures(alternative, versions.architectures) else {
                continue; // asks for a package of an architecture that the machine does not have
            };
            for ecosystem in told {
                for mut affected in self.entries(&ecosystem, name, &versions) {
                    affected.architectures.clone_from(&architectures);
                    affected.module = alternative.module.as_deref().map(str::to_owned);
                    affected.names = self.publisher.names();
                    self.gather.add(affected);
                }
            }
        }
    }

    /// Those of the machine that are the package's, too; `None`: there are none.
    fn architectures(&self, alternative: &Alternative, of_package: &[String]) -> Option<Vec<String>> {
        let Some(places) = &alternative.architectures else {
            return Some(of_package.to_vec());
        };
        let mut machine: Vec<String> = self.tree.words(places).map(str::to_owned).collect();
        machine.sort_unstable();
        if of_package.is_empty() {
            return Some(machine);
        }
        machine.retain(|architecture| of_package.contains(architecture));
        (!machine.is_empty()).then_some(machine)
    }

    fn entries(&self, ecosystem: &Ecosystem, name: &str, versions: &Versions<'_>) -> Vec<Affected> {
        let affected = || Affected::new(ecosystem.clone(), name);
        let patchable = self.definition.patchable.as_str();
        if versions.never || patchable.eq_ignore_ascii_case("not applicable") {
            return vec![Affected { state: Some(VendorState::NotAffected), ..affected() }];
        }
        if !versions.exactly.is_empty() {
            return vec![Affected { versions: versions.exactly.clone(), ..affected() }];
        }
        let start = || Event::Introduced(versions.from.unwrap_or("0").to_owned());
        let range = |events| vec![Range { kind: RangeType::Ecosystem, events }];
        // Azure Linux writes "up to the newest version" where there is no fix: its next version is not good either.
        if versions.ends.is_empty() || patchable.eq_ignore_ascii_case("false") {
            let decision = self.definition.decision(name);
            let state = decision.and_then(decided).unwrap_or(VendorState::Affected);
            let ranges = match state {
                VendorState::NotAffected | VendorState::UnderInvestigation => Vec::new(),
                _ => range(vec![start()]),
            };
            let remark = decision.map(str::to_owned);
            return vec![Affected { state: Some(state), remark, ranges, ..affected() }];
        }
        // Of several ends the farthest counts where all must hold, too: better too many versions than too few.
        let ends = versions.ends.iter().cloned();
        ends.map(|end| Affected { ranges: range(vec![start(), end]), ..affected() }).collect()
    }
}

impl<'t> Versions<'t> {
    fn add(&mut self, test: &'t PackageTest) {
        match &test.bound {
            Bound::Present => {}
            Bound::Below(evr) => self.ends.push(Event::Fixed(evr.clone())),
            Bound::UpTo(evr) => self.ends.push(Event::LastAffected(evr.clone())),
            // SUSE writes "greater than 0:0-0" for "affected, whichever the version".
            Bound::From(evr) if evr == "0:0-0" => {}
            Bound::From(evr) => self.from = Some(evr),
            Bound::Exactly(evr) => self.exactly.push(evr.clone()),
            Bound::Never => self.never = true,
        }
        if self.architectures.is_empty() {
            self.architectures = &test.architectures;
        }
    }

    fn any(&self) -> &str {
        match self.ends.first() {
            Some(Event::Fixed(evr) | Event::LastAffected(evr)) => evr,
            _ => self.from.unwrap_or_default(),
        }
    }

    /// Oracle's builds with epochs of their own.
    fn special_build(&self) -> Option<&'static str> {
        let release = self.any().rsplit_once('-').map_or("", |(_, release)| release);
        ["ksplice", "fips"].into_iter().find(|build| release.contains(build))
    }
}

/// Red Hat's words for a component without a fix.
fn decided(word: &str) -> Option<VendorState> {
    match word.to_ascii_lowercase().as_str() {
        "affected" => Some(VendorState::Affected),
        "will not fix" => Some(VendorState::WillNotFix),
        "fix deferred" => Some(VendorState::Deferred),
        "out of support scope" => Some(VendorState::EndOfLife),
        "under investigation" => Some(VendorState::UnderInvestigation),
        "not affected" => Some(VendorState::NotAffected),
        _ => None,
    }
}

/// Takes the architectures off entries that are about all which a definition tells apart: Oracle repeats the same fix for
/// each, and a package that is built for none of them (`noarch`) is meant, too.
fn widen(affected: &mut [Affected], tree: &Tree) {
    let told = tree.alternatives.iter().filter_map(|alternative| alternative.architectures.as_ref());
    let kinds: BTreeSet<&[u32]> = told.map(|places| &**places).collect();
    let all: BTreeSet<&str> = kinds.iter().flat_map(|places| tree.words(places)).collect();
    if kinds.len() < 2 {
        return;
    }
    for one in affected {
        if one.architectures.iter().map(String::as_str).eq(all.iter().copied()) {
            one.architectures.clear();
        }
    }
}

/// Takes out "not affected" of a package that is affected in another product of the same release.
fn keep_consistent(affected: &mut Vec<Affected>) {
    let is_clear = |one: &Affected| one.state == Some(VendorState::NotAffected);
    let key = |one: &Affected| (one.ecosystem.clone(), one.name.clone(), one.module.clone());
    if !affected.iter().any(is_clear) {
        return;
    }
    let otherwise: BTreeSet<_> = affected.iter().filter(|one| !is_clear(one)).map(key).collect();
    affected.retain(|one| !is_clear(one) || !otherwise.contains(&key(one)));
}
