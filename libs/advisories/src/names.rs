//! Which vulnerabilities a record is about, and under which names each is known.
//!
//! A vulnerability is named by its CVE. Two CVEs are never made one, whatever the records between them claim:
//! - A record is about the CVEs among its id and aliases; `DEBIAN-CVE-2023-5363` is about `CVE-2023-5363`.
//! - A notice (DSA, RHSA, ALAS) announces one update for many CVEs. It is about all that it lists, as aliases (OSV's older
//!   exports), as `upstream` (newer ones) or as `related`, and it is no other name of any of them.
//! - Any other record without a CVE of its own is about its `upstream` CVEs; else about those that records under the
//!   same names are about (PYSEC -> GHSA -> CVE); else about itself, under the smallest of its names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The names in one record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordNames<'a> {
    pub id: &'a str,
    pub aliases: &'a [String],
    pub upstream: &'a [String],
    pub related: &'a [String],
}

/// Vulnerabilities, sorted by name; records and aliases refer to their place in the list.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Grouping {
    /// The names.
    pub vulnerabilities: Vec<String>,
    /// Other names of each, sorted.
    pub aliases: Vec<Vec<String>>,
    /// What each record is about: ascending places in `vulnerabilities`.
    pub of_record: Vec<Vec<u32>>,
}

/// What ids of notices begin with: Debian's, Ubuntu's, Red Hat's and those of the distributions built from it, Amazon's, SUSE's,
/// VMware Photon's.
const NOTICES: &[&str] = &[
    "DSA-",
    "DLA-",
    "DTSA-",
    "USN-",
    "LSN-",
    "RHSA-",
    "RHBA-",
    "RHEA-",
    "ALSA-",
    "ALBA-",
    "ALEA-",
    "RLSA-",
    "RXSA-",
    "ELSA-",
    "ELBA-",
    "ALAS",
    "SUSE-SU-",
    "SUSE-RU-",
    "openSUSE-SU-",
    "PHSA-",
    "AVG-",
];

/// Whether the record announces an update for the vulnerabilities that it lists instead of being the record of one.
pub(crate) fn is_notice(id: &str) -> bool {
    NOTICES.iter().any(|prefix| id.starts_with(prefix))
}

/// Most vulnerabilities that a record without a CVE of its own takes over from records under the same names: real
/// ones take one or two, and a chain of wrong aliases must not multiply.
const INHERITED_MAX: usize = 50;

pub(crate) fn group(records: &[RecordNames<'_>]) -> Grouping {
    let own: Vec<BTreeSet<&str>> = records.iter().map(own_cves).collect();
    let mut sets = Sets::default();
    for record in records.iter().filter(|record| !is_notice(record.id)) {
        for alias in names(record) {
            sets.join(record.id, alias);
        }
    }
    let mut cves_of_set: HashMap<usize, BTreeSet<&str>> = HashMap::new();
    let mut name_of_set: HashMap<usize, &str> = HashMap::new();
    for (record, own) in records.iter().zip(&own).filter(|(record, _)| !is_notice(record.id)) {
        for name in names(record) {
            let set = sets.of(name);
            cves_of_set.entry(set).or_default().extend(own);
            name_of_set.entry(set).and_modify(|least| *least = name.min(least)).or_insert(name);
        }
    }

    let mut about: Vec<Vec<&str>> = Vec::with_capacity(records.len());
    for (record, own) in records.iter().zip(&own) {
        let set = sets.of(record.id);
        let inherited = || cves_of_set.get(&set).into_iter().flatten().copied().take(INHERITED_MAX);
        about.push(match own.is_empty() {
            false => own.iter().copied().collect(),
            true if inherited().next().is_some() => inherited().collect(),
            true => vec![name_of_set.get(&set).copied().unwrap_or(record.id)],
        });
    }

    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (record, about) in records.iter().zip(&about) {
        for vulnerability in about {
            let aliases = all.entry(vulnerability).or_default();
            if !is_notice(record.id) {
                aliases.extend(names(record).filter(|name| !name.ends_with(vulnerability)));
            }
        }
    }
    let place: HashMap<&str, u32> = all.keys().zip(0..).map(|(name, place)| (*name, place)).collect();
    Grouping {
        of_record: about.iter().map(|about| about.iter().map(|name| place[name]).collect()).collect(),
        aliases: all.values().map(|aliases| aliases.iter().map(|&alias| alias.to_owned()).collect()).collect(),
        vulnerabilities: all.keys().map(|&name| name.to_owned()).collect(),
    }
}

/// The record's names that are no CVE.
fn names<'a>(record: &RecordNames<'a>) -> impl Iterator<Item = &'a str> {
    std::iter::once(record.id).chain(record.aliases.iter().map(String::as_str)).filter(|name| !is_cve(name))
}

fn own_cves<'a>(record: &RecordNames<'a>) -> BTreeSet<&'a str> {
    let cves = |list: &'a [String]| list.iter().map(String::as_str).filter(|name| is_cve(name));
    let mut own: BTreeSet<&str> = cves(record.aliases).collect();
    if let Some(at) = record.id.find("CVE-").filter(|&at| at == 0 || record.id.as_bytes()[at - 1] == b'-')
        && is_cve(&record.id[at..])
    {
        own.insert(&record.id[at..]);
    }
    if is_notice(record.id) {
        own.extend(cves(record.upstream).chain(cves(record.related)));
    } else if own.is_empty() {
        own.extend(cves(record.upstream));
    }
    own
}

/// `CVE-<year>-<four digits or more>` (cve.org, "CVE ID syntax").
fn is_cve(name: &str) -> bool {
    let Some((year, number)) = name.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    year.len() == 4 && number.len() >= 4 && digits(year) && digits(number)
}

/// Disjoint sets of names.
#[derive(Default)]
struct Sets<'a> {
    place: HashMap<&'a str, usize>,
    parent: Vec<usize>,
}

impl<'a> Sets<'a> {
    /// The set that the name is in.
    fn of(&mut self, name: &'a str) -> usize {
        let next = self.parent.len();
        let mut place = *self.place.entry(name).or_insert(next);
        if place == next {
            self.parent.push(next);
        }
        while self.parent[place] != place {
            self.parent[place] = self.parent[self.parent[place]];
            place = self.parent[place];
        }
        place
    }

    fn join(&mut self, a: &'a str, b: &'a str) {
        let (a, b) = (self.of(a), self.of(b));
        self.parent[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Id, aliases, upstream, related.
    type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str], &'a [&'a str]);

    fn check(records: &[Row<'_>], about: &[&[&str]], aliases: &[(&str, &[&str])]) {
        let owned = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let lists: Vec<_> = records.iter().map(|(_, a, u, r)| (owned(a), owned(u), owned(r))).collect();
        let names: Vec<_> = records
            .iter()
            .zip(&lists)
            .map(|((id, ..), (aliases, upstream, related))| RecordNames { id, aliases, upstream, related })
            .collect();
        let grouping = group(&names);
        let shown: Vec<Vec<&str>> = grouping
            .of_record
            .iter()
            .map(|places| places.iter().map(|&place| grouping.vulnerabilities[place as usize].as_str()).collect())
            .collect();
        assert_eq!(shown, about);
        let shown: Vec<(&str, Vec<&str>)> = grouping
            .vulnerabilities
            .iter()
            .zip(&grouping.aliases)
            .map(|(name, aliases)| (name.as_str(), aliases.iter().map(String::as_str).collect()))
            .collect();
        let expected: Vec<(&str, Vec<&str>)> = aliases.iter().map(|(name, list)| (*name, list.to_vec())).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn one_vulnerability_is_one_under_all_its_names() {
        check(
            &[
                ("GHSA-j8r2-6x86-q33q", &["CVE-2023-32681", "PYSEC-2023-74"], &[], &[]),
                ("PYSEC-2023-74", &["GHSA-j8r2-6x86-q33q"], &[], &[]), // no CVE of its own
            ],
            &[&["CVE-2023-32681"], &["CVE-2023-32681"]],
            &[("CVE-2023-32681", &["GHSA-j8r2-6x86-q33q", "PYSEC-2023-74"])],
        );
    }

    #[test]
    fn a_notice_is_about_each_cve_that_it_lists_and_makes_no_two_of_them_one() {
        check(
            &[
                ("DSA-5417-1", &[], &["CVE-2023-0464", "CVE-2023-2650"], &[]), // as exported now
                ("DSA-5532-1", &["CVE-2023-5363"], &[], &[]),                  // as exported before
                ("DLA-1-1", &[], &[], &["CVE-2023-2650"]),
                ("DEBIAN-CVE-2023-0464", &[], &["CVE-2023-0464"], &[]),
            ],
            &[&["CVE-2023-0464", "CVE-2023-2650"], &["CVE-2023-5363"], &["CVE-2023-2650"], &["CVE-2023-0464"]],
            &[("CVE-2023-0464", &[]), ("CVE-2023-2650", &[]), ("CVE-2023-5363", &[])],
        );
    }

    #[test]
    fn two_cves_stay_two_even_when_an_alias_joins_them() {
        check(
            &[
                ("GHSA-1", &["CVE-2020-0001", "CVE-2020-0002"], &[], &[]),
                ("PYSEC-1", &["CVE-2020-0001", "GHSA-1"], &[], &[]),
            ],
            &[&["CVE-2020-0001", "CVE-2020-0002"], &["CVE-2020-0001"]],
            &[("CVE-2020-0001", &["GHSA-1", "PYSEC-1"]), ("CVE-2020-0002", &["GHSA-1"])],
        );
    }

    #[test]
    fn without_a_cve_the_smallest_name_stands() {
        check(
            &[("RUSTSEC-2021-0001", &["GHSA-x"], &[], &[]), ("MAL-2024-1", &[], &[], &[])],
            &[&["GHSA-x"], &["MAL-2024-1"]],
            &[("GHSA-x", &["RUSTSEC-2021-0001"]), ("MAL-2024-1", &[])],
        );
    }

    #[test]
    fn related_is_not_the_same() {
        check(
            &[("GHSA-1", &[], &[], &["CVE-2020-0001"]), ("DEBIAN-CVE-x", &[], &[], &[]), ("CVE-2020-1", &[], &[], &[])],
            &[&["GHSA-1"], &["DEBIAN-CVE-x"], &["CVE-2020-1"]],
            &[("CVE-2020-1", &[]), ("DEBIAN-CVE-x", &[]), ("GHSA-1", &[])],
        );
    }
}
