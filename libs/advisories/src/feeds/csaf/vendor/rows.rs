//! What was gathered of packages -> `Affected`, one per release, package, module stream and range.

use muster_domain::{Affected, Ecosystem, Event, Names, Range, RangeType, VectorString, VendorState};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Most advisories that a remark names.
const ADVISORIES_MAX: usize = 8;

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
        let branches = branches(&self.fixes, &|a, b| scheme.compare(a, b).ok());
        let of_branch = |(intervals, architectures): (Vec<Interval>, BTreeSet<String>)| {
            let events = intervals
                .iter()
                .flat_map(|(introduced, fixed)| [Event::Introduced(introduced.clone()), Event::Fixed(fixed.clone())]);
            let advisories: BTreeSet<&str> =
                intervals.iter().filter_map(|(_, fixed)| self.fixes[fixed].advisory.as_deref()).collect();
            let advisories: Vec<&str> = advisories.into_iter().take(ADVISORIES_MAX).collect();
            Affected {
                ranges: vec![Range { kind: RangeType::Ecosystem, events: events.collect() }],
                state: Some(VendorState::Fixed),
                remark: (!advisories.is_empty()).then(|| advisories.join(", ")),
                architectures: architectures.into_iter().collect(),
                ..blank.clone()
            }
        };
        branches.into_iter().map(of_branch).collect()
    }
}

/// Affected from the first (inclusive) to the second (exclusive).
type Interval = (String, String);
/// The order of two versions; `None`: one can't be read.
type Compare<'c> = &'c dyn Fn(&str, &str) -> Option<Ordering>;

/// What is affected on which architectures (none: all). Versions that can't be compared stand for themselves, so that one
/// is good only from the highest on.
fn branches(fixes: &BTreeMap<String, Fix>, compare: Compare<'_>) -> BTreeMap<Vec<Interval>, BTreeSet<String>> {
    let mut branches: BTreeMap<Vec<Interval>, BTreeSet<String>> = BTreeMap::new();
    let mut add = |versions: Vec<&String>, architecture: Option<&String>| match intervals(&versions, compare) {
        Some(intervals) => branches.entry(intervals).or_default().extend(architecture.cloned()),
        None => {
            for version in versions {
                branches.entry(vec![("0".to_owned(), version.clone())]).or_default().extend(architecture.cloned());
            }
        }
    };
    if fixes.values().any(|fix| fix.is_for_all) {
        add(fixes.keys().collect(), None);
        return branches;
    }
    let architectures: BTreeSet<&String> = fixes.values().flat_map(|fix| &fix.architectures).collect();
    for architecture in architectures {
        let of_it = fixes.iter().filter(|(_, fix)| fix.architectures.contains(architecture));
        add(of_it.map(|(version, _)| version).collect(), Some(architecture));
    }
    branches
}

/// A stream goes on from minor release to minor release, and each gets its own fix: 9.2 got it in `7.76.1-23.el9_2.4` and 9.3
/// in `7.76.1-26.el9_3.2`. Affected is what is below the first, and then each later minor release's packages below its own;
/// what comes in one minor release after its fix has it.
fn intervals(versions: &[&String], compare: Compare<'_>) -> Option<Vec<Interval>> {
    let mut sorted: Vec<&str> = versions.iter().map(|version| version.as_str()).collect();
    if sorted.iter().any(|version| compare(version, version).is_none()) {
        return None;
    }
    sorted.sort_by(|a, b| compare(a, b).unwrap_or(Ordering::Equal));
    let mut intervals = Vec::new();
    let mut before: Option<&str> = None;
    for fixed in sorted {
        match before {
            None => intervals.push(("0".to_owned(), fixed.to_owned())),
            Some(before) => {
                intervals.extend(branch_of(fixed, before, compare).map(|introduced| (introduced, fixed.to_owned())));
            }
        }
        before = Some(fixed);
    }
    Some(intervals)
}

/// Where the branch of packages begins that this fix ends; `None`: it is the one that was fixed `before`.
fn branch_of(fixed: &str, before: &str, compare: Compare<'_>) -> Option<String> {
    let (upstream, release) = fixed.rsplit_once('-')?;
    let (upstream_before, release_before) = before.rsplit_once('-')?;
    let (minor, minor_before) = (minor_release(release), minor_release(release_before));
    // `el9` alone stands in the first packages of any minor release.
    let is_of_one_minor = minor.is_some_and(|minor| minor.contains(['_', '.']));
    if minor.is_none() || minor == minor_before && is_of_one_minor {
        return None;
    }
    let number = if upstream == upstream_before { release.split('.').next().unwrap_or_default() } else { "0" };
    let until_minor = minor.map(|minor| &release[..release.find(minor).unwrap_or_default() + minor.len()]);
    let begins = [Some(number), until_minor].into_iter().flatten().map(|release| format!("{upstream}-{release}"));
    let mut begins = begins.filter(|begin| compare(begin, before) == Some(Ordering::Greater));
    begins.next()
}

/// `el9_2` of `23.el9_2.4`, `el9` of `26.el9`, `el8.9.0` of `111.module+el8.9.0+19193+435404ae`.
fn minor_release(release: &str) -> Option<&str> {
    let at = release.find(".el").or_else(|| release.find("+el"))? + 1;
    let is_modular = release[..at].ends_with('+');
    let rest = &release[at + 2..];
    let is_part = |letter: char| letter.is_ascii_digit() || letter == if is_modular { '.' } else { '_' };
    let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
    Some(&release[at..at + 2 + length])
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

    /// By their numbers in turn, which is what RPM's order comes to for these; `odd` can't be read.
    fn by_numbers(a: &str, b: &str) -> Option<Ordering> {
        let numbers = |text: &str| -> Option<Vec<u64>> {
            let runs = text.split(|letter: char| !letter.is_ascii_digit()).filter(|run| !run.is_empty());
            (text != "odd").then(|| runs.map(|run| run.parse().unwrap()).collect())
        };
        Some(numbers(a)?.cmp(&numbers(b)?))
    }

    /// Versions, each with its architectures (empty: all), and what is affected.
    fn check(fixes: &[(&str, &str)], expected: &str) {
        let mut all: BTreeMap<String, Fix> = BTreeMap::new();
        for (version, architectures) in fixes {
            let fix = all.entry((*version).to_owned()).or_default();
            fix.is_for_all = architectures.is_empty();
            fix.architectures = architectures.split_whitespace().map(str::to_owned).collect();
        }
        let shown: Vec<String> = branches(&all, &by_numbers)
            .iter()
            .map(|(intervals, architectures)| {
                let intervals: Vec<String> = intervals.iter().map(|(from, to)| format!("{from} < {to}")).collect();
                let architectures: Vec<&str> = architectures.iter().map(String::as_str).collect();
                format!("{}[{}]", intervals.join(", "), architectures.join(" "))
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{fixes:?}");
    }

    #[test]
    fn each_minor_release_of_a_stream_is_affected_until_its_own_fix() {
        check(&[("2-1.el9_2", "x86_64")], "0 < 2-1.el9_2[x86_64]");
        // curl of CVE-2023-38545: what 9.3 was released with is newer than 9.2's fix, and affected.
        check(
            &[("7.76.1-26.el9_3.2", "x86_64"), ("7.76.1-23.el9_2.4", "x86_64")],
            "0 < 7.76.1-23.el9_2.4, 7.76.1-26 < 7.76.1-26.el9_3.2[x86_64]",
        );
        // A second update of one minor release names the vulnerability again.
        check(&[("3.6-8.el8_9.1", "x86_64"), ("3.6-9.el8_9", "x86_64")], "0 < 3.6-8.el8_9.1[x86_64]");
        // The number of the release stayed, the minor release went on.
        check(&[("3.6-5.el8_6.4", ""), ("3.6-5.el8_8.1", "")], "0 < 3.6-5.el8_6.4, 3.6-5.el8_8 < 3.6-5.el8_8.1[]");
        // The next minor release has another upstream version.
        check(&[("3.0.1-47.el9_1", ""), ("3.0.7-24.el9", "")], "0 < 3.0.1-47.el9_1, 3.0.7-0 < 3.0.7-24.el9[]");
        check(
            &[("2.5.9-110.module+el8.6.0+1+a", ""), ("2.5.9-111.module+el8.9.0+2+b", "")],
            "0 < 2.5.9-110.module+el8.6.0+1+a, 2.5.9-111 < 2.5.9-111.module+el8.9.0+2+b[]",
        );
        // SUSE's service packs have no minor releases: long term support has the fix of general support, too.
        check(&[("1.1-150500.17.9.1", ""), ("1.1-150500.17.22.1", "")], "0 < 1.1-150500.17.9.1[]");
    }

    #[test]
    fn architectures_that_were_fixed_apart_stand_apart() {
        check(&[("2-1.el9_2", "x86_64 s390x")], "0 < 2-1.el9_2[s390x x86_64]");
        check(
            &[("10-1.el9_3", "x86_64 s390x"), ("9-1.el9_2", "x86_64")],
            "0 < 10-1.el9_3[s390x] 0 < 9-1.el9_2, 10-0 < 10-1.el9_3[x86_64]",
        );
        check(&[("10-1.el9_2", ""), ("9-1.el9_2", "x86_64")], "0 < 9-1.el9_2[]"); // one of them for all
        check(&[("1-1.el9", "x86_64"), ("odd", "x86_64")], "0 < 1-1.el9[x86_64] 0 < odd[x86_64]");
    }

    #[test]
    fn a_minor_release_is_told_by_the_release() {
        let check = |release: &str, expected: Option<&str>| assert_eq!(minor_release(release), expected, "{release}");
        check("23.el9_2.4", Some("el9_2"));
        check("26.el9", Some("el9"));
        check("362.8.1.el9_3", Some("el9_3"));
        check("111.module+el8.9.0+19193+435404ae", Some("el8.9.0"));
        check("0.68.rc1.el6_10.17", Some("el6_10"));
        check("150500.17.22.1", None);
    }
}
