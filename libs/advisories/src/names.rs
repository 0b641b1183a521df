//! Which vulnerabilities a record is about, and under which names each is known.
//!
//! A vulnerability is named by its CVE. Two CVEs are never made one, whatever the records between them claim:
//! - A record is about the CVEs among its id and aliases; `DEBIAN-CVE-2023-5363` is about `CVE-2023-5363`.
//! - A notice (DSA, RHSA, ALAS) announces one update for many CVEs. It is about all that it lists, as aliases (OSV's older
//!   exports), as `upstream` (newer ones) or as `related`, and it is no other name of any of them.
//! - Any other record without a CVE of its own is about its `upstream` CVEs; else about those that records under the
//!   same names are about (PYSEC -> GHSA -> CVE); else about itself, under the smallest of its names.

use std::collections::HashMap;

/// The names in one record.
#[derive(Clone, Debug)]
pub(crate) struct RecordNames<'a> {
    pub id: &'a str,
    pub aliases: Vec<&'a str>,
    pub upstream: Vec<&'a str>,
    pub related: Vec<&'a str>,
}

/// Vulnerabilities, sorted by name; records and aliases refer to their place in the list.
#[derive(Debug, PartialEq)]
pub(crate) struct Grouping<'a> {
    /// The names.
    pub vulnerabilities: Vec<&'a str>,
    /// Other names of each, sorted.
    pub aliases: Lists<&'a str>,
    /// What each record is about: ascending places in `vulnerabilities`.
    pub of_record: Lists<u32>,
}

/// Lists one behind the other: of a million short ones the most memory would go to each being a `Vec`.
#[derive(Debug, PartialEq)]
pub(crate) struct Lists<T> {
    /// Where each list ends in `items`.
    ends: Vec<usize>,
    items: Vec<T>,
}

impl<T> Lists<T> {
    /// The list at this place.
    pub(crate) fn get(&self, place: usize) -> &[T] {
        let from = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.items[from..self.ends[place]]
    }

    /// Each list in turn.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[T]> {
        (0..self.ends.len()).map(|place| self.get(place))
    }
}

impl<T, List: IntoIterator<Item = T>> FromIterator<List> for Lists<T> {
    fn from_iter<All: IntoIterator<Item = List>>(lists: All) -> Self {
        let mut all = Self { ends: Vec::new(), items: Vec::new() };
        for list in lists {
            all.items.extend(list);
            all.ends.push(all.items.len());
        }
        all
    }
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

/// Whether the record is called by a CVE alone, as a CVE's own record (`CVE-…`) and a tracker's entry about it (`DEBIAN-CVE-…`)
/// are: it has no name under which it was found worth telling without the CVE.
pub(crate) fn has_only_its_cve<'a>(id: &str, mut aliases: impl Iterator<Item = &'a str>) -> bool {
    id.find("CVE-").is_some_and(|at| is_cve(&id[at..])) && aliases.all(is_cve)
}

/// Most vulnerabilities that a record without a CVE of its own takes over from records under the same names: real
/// ones take one or two, and a chain of wrong aliases must not multiply.
const INHERITED_MAX: usize = 50;

pub(crate) fn group<'a>(records: &[RecordNames<'a>]) -> Grouping<'a> {
    let own: Lists<&str> = records.iter().map(own_cves).collect();
    let about = about(records, &own);

    // A vulnerability with each of its other names; with none, so that it stands there without any.
    let mut named: Vec<(&str, Option<&str>)> = Vec::new();
    for (record, about) in records.iter().zip(about.iter()) {
        for vulnerability in about {
            named.push((vulnerability, None));
            if !is_notice(record.id) {
                let others = names(record).filter(|name| !name.ends_with(vulnerability));
                named.extend(others.map(|name| (*vulnerability, Some(name))));
            }
        }
    }
    named.sort_unstable();
    named.dedup();
    let of_one = || named.chunk_by(|a, b| a.0 == b.0);
    let vulnerabilities: Vec<&str> = of_one().map(|names| names[0].0).collect();
    let aliases = of_one().map(|names| names.iter().filter_map(|(_, alias)| *alias)).collect();
    let place = |name: &&str| vulnerabilities.binary_search(name).expect("each is in the list made of them") as u32;
    let of_record = about.iter().map(|about| about.iter().map(place)).collect();
    Grouping { vulnerabilities, aliases, of_record }
}

/// The vulnerabilities that each record is about, by name and sorted.
fn about<'a>(records: &[RecordNames<'a>], own: &Lists<&'a str>) -> Lists<&'a str> {
    let mut sets = Sets::default();
    for record in records.iter().filter(|record| !is_notice(record.id)) {
        for alias in names(record) {
            sets.join(record.id, alias);
        }
    }
    let mut cves_of_sets: Vec<(usize, &str)> = Vec::new();
    let mut name_of_set: Vec<Option<&str>> = vec![None; sets.parent.len()];
    for (record, own) in records.iter().zip(own.iter()).filter(|(record, _)| !is_notice(record.id)) {
        let Some(least) = names(record).min() else { continue };
        let set = sets.of(record.id);
        cves_of_sets.extend(own.iter().map(|cve| (set, *cve)));
        name_of_set[set] = Some(name_of_set[set].map_or(least, |known| known.min(least)));
    }
    cves_of_sets.sort_unstable();
    cves_of_sets.dedup();

    let about = |(record, own): (&RecordNames<'a>, &[&'a str])| {
        if !own.is_empty() {
            return own.to_vec();
        }
        let set = sets.of(record.id);
        let from = cves_of_sets.partition_point(|(of, _)| *of < set);
        let inherited = cves_of_sets[from..].iter().take_while(|(of, _)| *of == set).take(INHERITED_MAX);
        let inherited: Vec<&str> = inherited.map(|(_, cve)| *cve).collect();
        if !inherited.is_empty() {
            return inherited;
        }
        vec![name_of_set.get(set).copied().flatten().unwrap_or(record.id)]
    };
    records.iter().zip(own.iter()).map(about).collect()
}

/// The record's names that are no CVE.
fn names<'a>(record: &RecordNames<'a>) -> impl Iterator<Item = &'a str> {
    std::iter::once(record.id).chain(record.aliases.iter().copied()).filter(|name| !is_cve(name))
}

/// Sorted.
fn own_cves<'a>(record: &RecordNames<'a>) -> Vec<&'a str> {
    let mut own: Vec<&str> = Vec::new();
    let mut extend = |list: &[&'a str]| own.extend(list.iter().filter(|name| is_cve(name)));
    extend(&record.aliases);
    if let Some(at) = record.id.find("CVE-").filter(|&at| at == 0 || record.id.as_bytes()[at - 1] == b'-') {
        extend(&[&record.id[at..]]);
    }
    if is_notice(record.id) {
        extend(&record.upstream);
        extend(&record.related);
    } else if own.is_empty() {
        own.extend(record.upstream.iter().filter(|name| is_cve(name)));
    }
    own.sort_unstable();
    own.dedup();
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
        let names: Vec<_> = records
            .iter()
            .map(|&(id, aliases, upstream, related)| RecordNames {
                id,
                aliases: aliases.to_vec(),
                upstream: upstream.to_vec(),
                related: related.to_vec(),
            })
            .collect();
        let grouping = group(&names);
        let named = |places: &[u32]| -> Vec<&str> {
            places.iter().map(|&place| grouping.vulnerabilities[place as usize]).collect()
        };
        assert_eq!(grouping.of_record.iter().map(named).collect::<Vec<_>>(), about);
        let shown: Vec<(&str, Vec<&str>)> =
            grouping.vulnerabilities.iter().copied().zip(grouping.aliases.iter().map(<[_]>::to_vec)).collect();
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
    fn a_trackers_entry_has_no_name_beside_its_cve() {
        let check = |id: &str, aliases: &[&str], expected: bool| {
            assert_eq!(has_only_its_cve(id, aliases.iter().copied()), expected, "{id}");
        };
        check("CVE-2023-0464", &[], true);
        check("DEBIAN-CVE-2023-0464", &["CVE-2023-0464"], true);
        check("CVE-2023-0464", &["GHSA-j8r2-6x86-q33q"], false);
        check("GHSA-j8r2-6x86-q33q", &["CVE-2023-0464"], false);
        check("DSA-5417-1", &["CVE-2023-0464"], false);
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
