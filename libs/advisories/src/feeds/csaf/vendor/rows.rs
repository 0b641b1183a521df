//! What was gathered of packages -> `Affected`, one per release, package, module stream and range.

use muster_domain::{Affected, Ecosystem, Names, VectorString, VendorState};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub ecosystem: Ecosystem,
    pub module: Option<String>,
    pub name: String,
    pub names: Names,
}

#[derive(Default)]
struct Row {
    fixes: BTreeMap<String, Fix>,
    state: Option<(VendorState, String)>,
    impact: Option<String>,
    severity: Vec<VectorString>,
}

#[derive(Default)]
struct Fix {
    /// None: all.
    architectures: BTreeSet<String>,
    is_for_all: bool,
    advisory: Option<String>,
}

/// All of one vulnerability.
#[derive(Default)]
pub(super) struct Rows(BTreeMap<Key, Row>);

impl Rows {
    /// Fixed from this version on; `advisory` announced it.
    pub(super) fn fixed(&mut self, key: &Key, version: &str, architecture: Option<&str>, advisory: Option<&str>) {
        let row = self.row(key);
        if !row.fixes.contains_key(version) {
            row.fixes.insert(version.to_owned(), Fix::default());
        }
        let fix = row.fixes.get_mut(version).expect("it was inserted just now");
        match architecture {
            Some("noarch" | "src") | None => fix.is_for_all = true,
            Some(architecture) if fix.architectures.contains(architecture) => {}
            Some(architecture) => _ = fix.architectures.insert(architecture.to_owned()),
        }
        if fix.advisory.is_none() {
            fix.advisory = advisory.map(str::to_owned);
        }
    }

    /// What the vendor decided. Of several answers about one key the one that is further from "not affected" stands.
    pub(super) fn state(&mut self, key: &Key, state: VendorState, remark: &str) {
        let row = self.row(key);
        if row.state.as_ref().is_none_or(|(had, _)| gravity(state) > gravity(*had)) {
            row.state = Some((state, remark.to_owned()));
        }
    }

    /// The vendor's word and score where they are not the whole record's.
    pub(super) fn rate(&mut self, key: &Key, impact: Option<&str>, severity: Vec<VectorString>) {
        let row = self.row(key);
        if let Some(impact) = impact.filter(|_| row.impact.is_none()) {
            row.impact = Some(impact.to_owned());
        }
        if row.severity.is_empty() {
            row.severity = severity;
        }
    }

    fn row(&mut self, key: &Key) -> &mut Row {
        if !self.0.contains_key(key) {
            self.0.insert(key.clone(), Row::default());
        }
        self.0.get_mut(key).expect("it was inserted just now")
    }

    /// One or more `Affected` of each row, in the rows' order.
    pub(super) fn into_affected(self) -> Vec<Affected> {
        let has_fixed_binary: BTreeSet<(Ecosystem, Option<String>)> = self
            .0
            .iter()
            .filter(|(key, row)| key.names == Names::Binary && !row.fixes.is_empty())
            .map(|(key, _)| (key.ecosystem.clone(), key.module.clone()))
            .collect();
        let mut affected = Vec::new();
        for (key, row) in self.0 {
            let is_told_by_its_binaries = key.names == Names::Source
                && !row.fixes.is_empty()
                && has_fixed_binary.contains(&(key.ecosystem.clone(), key.module.clone()));
            if !is_told_by_its_binaries {
                affected.extend(row.into_affected(key));
            }
        }
        affected
    }
}

impl Row {
    fn into_affected(mut self, key: Key) -> Vec<Affected> {
        let blank = Affected {
            names: key.names,
            module: key.module,
            vendor_severity: self.impact.take(),
            severity: std::mem::take(&mut self.severity),
            ..Affected::new(key.ecosystem, key.name)
        };
        if self.fixes.is_empty() {
            let (state, remark) = self.state.unwrap_or((VendorState::Affected, String::new()));
            let affected = match state {
                VendorState::NotAffected | VendorState::UnderInvestigation => blank,
                _ => blank.with_range("0", None),
            };
            let remark = Some(remark).filter(|remark| !remark.is_empty());
            return vec![Affected { state: Some(state), remark, ..affected }];
        }
        let scheme = blank.ecosystem.scheme();
        let lowest = lowest(&self.fixes, &|a, b| scheme.compare(a, b).ok());
        lowest
            .into_iter()
            .map(|(version, architectures)| Affected {
                state: Some(VendorState::Fixed),
                remark: self.fixes[&version].advisory.clone(),
                architectures: architectures.into_iter().collect(),
                ..blank.clone().with_range("0", Some(&version))
            })
            .collect()
    }
}

/// Each architecture's lowest fix; where versions can't be compared, all of them. Without architectures: for all.
fn lowest(
    fixes: &BTreeMap<String, Fix>,
    compare: &dyn Fn(&str, &str) -> Option<Ordering>,
) -> BTreeMap<String, BTreeSet<String>> {
    if fixes.values().any(|fix| fix.is_for_all) {
        return least(fixes.keys(), compare).into_iter().map(|version| (version, BTreeSet::new())).collect();
    }
    let architectures: BTreeSet<&String> = fixes.values().flat_map(|fix| &fix.architectures).collect();
    let mut lowest: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for architecture in architectures {
        let of_it = fixes.iter().filter(|(_, fix)| fix.architectures.contains(architecture));
        for version in least(of_it.map(|(version, _)| version), compare) {
            lowest.entry(version).or_default().insert(architecture.clone());
        }
    }
    lowest
}

fn least<'v>(
    versions: impl Iterator<Item = &'v String> + Clone,
    compare: &dyn Fn(&str, &str) -> Option<Ordering>,
) -> Vec<String> {
    let mut least: Option<&String> = None;
    for version in versions.clone() {
        match least.map(|least| compare(version, least)) {
            Some(Some(Ordering::Less)) | None => least = Some(version),
            Some(Some(_)) => {}
            Some(None) => return versions.cloned().collect(),
        }
    }
    least.into_iter().cloned().collect()
}

/// How far a state is from "not affected".
fn gravity(state: VendorState) -> u8 {
    match state {
        VendorState::NotAffected => 0,
        VendorState::Fixed => 1,
        VendorState::UnderInvestigation => 2,
        VendorState::Affected => 3,
        VendorState::Deferred => 4,
        VendorState::WillNotFix => 5,
        VendorState::EndOfLife => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions that are numbers, each with its architectures (empty: all), and what remains.
    fn check(fixes: &[(&str, &str)], expected: &str) {
        let mut all: BTreeMap<String, Fix> = BTreeMap::new();
        for (version, architectures) in fixes {
            let fix = all.entry((*version).to_owned()).or_default();
            fix.is_for_all = architectures.is_empty();
            fix.architectures = architectures.split_whitespace().map(str::to_owned).collect();
        }
        let compare = |a: &str, b: &str| Some(a.parse::<u32>().ok()?.cmp(&b.parse::<u32>().ok()?));
        let lowest = lowest(&all, &compare);
        let shown: Vec<String> = lowest
            .iter()
            .map(|(version, architectures)| {
                let architectures: Vec<&str> = architectures.iter().map(String::as_str).collect();
                format!("{version}[{}]", architectures.join(" "))
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{fixes:?}");
    }

    #[test]
    fn a_stream_has_its_lowest_fix() {
        check(&[("2", "x86_64")], "2[x86_64]");
        check(&[("10", "x86_64"), ("9", "x86_64")], "9[x86_64]"); // the update of one minor release, then of the next
        check(&[("10", "x86_64 s390x"), ("9", "x86_64")], "10[s390x] 9[x86_64]"); // one of them for one architecture only
        check(&[("10", ""), ("9", "x86_64")], "9[]"); // one of them for all
        check(&[("1", "x86_64"), ("odd", "x86_64")], "1[x86_64] odd[x86_64]"); // not comparable: both, so the higher counts
    }
}
