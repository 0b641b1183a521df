//! Alpine's security database and those of its shape: Wolfi's, Chainguard's, MinimOS' (secdb.alpinelinux.org as JSON, the
//! alpine-secdb repository as YAML; read 2026-11-24). One document is one repository of one release: source package ->
//! version -> the vulnerabilities that this version fixed. Version `0`: the package never had them.
//!
//! - An entry may have several names of one vulnerability (`CVE-2017-2887 TALOS-2017-0394`) and words for people.
//! - A vulnerability that several versions of one package claim to have fixed counts as fixed by the last of them: the first
//!   fix was not whole, or was for another branch. A version that can't be read has a range of its own beside, so that
//!   nothing between is taken for good.
//! - What is not fixed yet is not in this database.

use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, Word, bounded, cut};
use muster_domain::{Advisory, AdvisoryId, Affected, Ecosystem, Skipped, VendorState};
use muster_versions::{Scheme, VersionKey};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;

/// A distribution with such a database.
struct Distribution {
    /// Its packages' host, or the end of it.
    host: &'static str,
    ecosystem: &'static str,
    /// The database, as `origins` has it.
    source: &'static str,
}

const DISTRIBUTIONS: &[Distribution] = &[
    Distribution { host: "alpinelinux.org", ecosystem: "Alpine", source: "ALPINE_CVE" },
    Distribution { host: "wolfi.dev", ecosystem: "Wolfi", source: "WOLFI" },
    Distribution { host: "cgr.dev", ecosystem: "Chainguard", source: "CHAINGUARD" },
    Distribution { host: "mini.dev", ecosystem: "MinimOS", source: "MINIMOS" },
];

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let keys = ["apkurl", "urlprefix", "packages"];
    let is_json = !head.is_json_list() && keys.iter().all(|key| head.has_json_key(key));
    is_json || keys.iter().all(|key| head.has_yaml_key(key))
}

/// A document is one repository of one release.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let raw = read(document.bytes)?;
    let host = host(raw.urlprefix.0.as_deref().unwrap_or_default());
    let is_its =
        |row: &&Distribution| host.strip_suffix(row.host).is_some_and(|front| front.is_empty() || front.ends_with('.'));
    let Some(distribution) = DISTRIBUTIONS.iter().find(is_its) else {
        sink(Item::UnknownEcosystem(format!("the distribution of {}", cut(host, 100))));
        return Ok(());
    };
    let (ecosystem, release) = ecosystem(distribution, raw.distroversion.0.as_deref())?;
    let repository = raw.reponame.0.unwrap_or_default();
    let scope = [release, repository].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");

    let mut found = Found::default();
    for (index, RawEntry { pkg }) in raw.packages.iter().enumerate() {
        let Some(package) = &pkg.name.0 else {
            sink(Item::skipped(format!("packages[{index}]"), "has no name"));
            continue;
        };
        for (version, entries) in &pkg.secfixes.0 {
            for entry in entries {
                if let Err(reason) = found.add(package, version, entry.0.as_deref().unwrap_or_default()) {
                    let place = format!("{package}: {}", cut(version, 40));
                    sink(Item::Partial(Skipped { place, reason }));
                }
            }
        }
    }
    let Found { mut fixes, mut aliases } = found;
    fixes.sort_unstable();
    aliases.sort_unstable();
    aliases.dedup();
    for of_one in fixes.chunk_by(|fix, next| fix.id == next.id) {
        let id = &of_one[0].id;
        let packages = of_one.chunk_by(|fix, next| fix.package == next.package);
        sink(Item::Advisory(Advisory {
            id: AdvisoryId(id.clone()),
            source: distribution.source.to_owned(),
            scope: scope.clone(),
            aliases: aliases_of(&aliases, id),
            affected: packages.map(|fixes| affected(&ecosystem, fixes)).collect(),
            ..Advisory::default()
        }));
    }
    Ok(())
}

fn read(bytes: &[u8]) -> Result<RawDatabase, FeedError> {
    if bytes.trim_ascii_start().starts_with(b"{") {
        return serde_json::from_slice(bytes).map_err(|cause| FeedError::NotJson { format: "secdb", cause });
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_aliases: 0, max_anchors: 0, max_depth: 16 },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough, // the same version twice adds up
        with_snippet: false,
    };
    let not_this = |error: serde_saphyr::Error| FeedError::NotThis {
        format: "secdb",
        why: cut(&error.to_string(), WORD_BYTES_MAX).to_owned(),
    };
    serde_saphyr::from_slice_with_options(bytes, options).map_err(not_this)
}

/// `https://packages.wolfi.dev/os` -> `packages.wolfi.dev`
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':', '?', '#']).next().unwrap_or_default()
}

/// The release's ecosystem, and its name where there are releases.
fn ecosystem(distribution: &Distribution, release: Option<&str>) -> Result<(Ecosystem, String), FeedError> {
    let read = |name: &str| name.parse::<Ecosystem>().expect("every distribution has a row in the table");
    if distribution.ecosystem != "Alpine" {
        return Ok((read(distribution.ecosystem), String::new()));
    }
    let release = release.unwrap_or_default();
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = release.strip_prefix('v').and_then(|numbers| numbers.split_once('.'));
    if release != "edge" && !parts.is_some_and(|(major, minor)| number(major) && number(minor)) {
        let why = format!("is no release of Alpine: `{}`", cut(release, 40));
        return Err(FeedError::Field { id: String::new(), field: "distroversion", why });
    }
    Ok((read(&format!("Alpine:{release}")), release.to_owned()))
}

/// One package's fixes of one vulnerability.
fn affected(ecosystem: &Ecosystem, fixes: &[Fix<'_>]) -> Affected {
    let mut affected = Affected::new(ecosystem.clone(), fixes[0].package);
    for version in last(ecosystem.scheme(), fixes.iter().map(|fix| fix.version)) {
        affected = affected.with_range("0", Some(version));
    }
    let never = affected.ranges.is_empty();
    affected.state = Some(if never { VendorState::NotAffected } else { VendorState::Fixed });
    affected
}

/// The last version, then those that can't be compared. None: only `0` is there.
fn last<'v>(scheme: Scheme, versions: impl Iterator<Item = &'v str>) -> Vec<&'v str> {
    let (mut last, mut unreadable): (Option<(VersionKey, &str)>, Vec<&str>) = (None, Vec::new());
    for version in versions.filter(|version| *version != "0") {
        match scheme.key(version) {
            Ok(key) if last.as_ref().is_none_or(|(highest, _)| highest.as_bytes() < key.as_bytes()) => {
                last = Some((key, version));
            }
            Ok(_) => {}
            Err(_) => unreadable.push(version),
        }
    }
    unreadable.dedup();
    last.into_iter().map(|(_, version)| version).chain(unreadable).collect()
}

/// A version that fixed a vulnerability.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Fix<'d> {
    id: String,
    package: &'d str,
    version: &'d str,
}

/// What the document says, in one flat list each, which costs little beside the document.
#[derive(Default)]
struct Found<'d> {
    fixes: Vec<Fix<'d>>,
    /// A vulnerability and another name of it.
    aliases: Vec<(String, String)>,
}

impl<'d> Found<'d> {
    fn add(&mut self, package: &'d str, version: &'d str, entry: &str) -> Result<(), String> {
        let version = version.trim();
        if version.is_empty() || version.len() > WORD_BYTES_MAX {
            return Err(format!("a version must have 1 to {WORD_BYTES_MAX} bytes"));
        }
        let (cves, mut others) = names(entry);
        let ids: Vec<String> = match cves.is_empty() {
            false => cves.into_iter().collect(),
            true => others.pop_first().into_iter().collect(),
        };
        if ids.is_empty() {
            return Err(format!("names no vulnerability: `{}`", cut(entry, 40)));
        }
        for id in ids {
            self.aliases.extend(others.iter().map(|other| (id.clone(), other.clone())));
            self.fixes.push(Fix { id, package, version });
        }
        Ok(())
    }
}

/// Of a sorted list.
fn aliases_of(aliases: &[(String, String)], id: &str) -> Vec<String> {
    let from = aliases.partition_point(|(of, _)| of.as_str() < id);
    aliases[from..].iter().take_while(|(of, _)| of == id).map(|(_, alias)| alias.clone()).collect()
}

/// The CVEs and the other names in an entry; what stands in round brackets is for people.
fn names(entry: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut cves, mut others) = (BTreeSet::new(), BTreeSet::new());
    let entry = entry.split('(').next().unwrap_or_default().replace("CVE ", "CVE-");
    for word in entry.split([' ', '\t', ',', ';']) {
        match cve(word) {
            Some(cve) => drop(cves.insert(cve)),
            None if is_name(word) => drop(others.insert(word.to_owned())),
            None => {}
        }
    }
    (cves, others)
}

/// `CVE-2017-2887`, and slips that real documents have: `CVE_2019-2426`, `CVE-2017-8073.patch`, `CVE-2017-17434-1`
/// (`CVE 2018-16859` is mended before).
fn cve(word: &str) -> Option<String> {
    let rest = word.strip_prefix("CVE")?.strip_prefix(['-', '_'])?;
    let (year, rest) = rest.split_once(['-', '_'])?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (number, more) = rest.split_at(end);
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = (4..=19).contains(&number.len()) && (more.is_empty() || more.starts_with(['.', '-']));
    (is_year && is_number).then(|| format!("CVE-{year}-{number}"))
}

/// `XSA-295`, `TALOS-2017-0499`, `wnpa-sec-2017-21`, `GHSA-…`; neither a word nor `CVE-????-?????`.
fn is_name(word: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_made_up = word.starts_with(|letter: char| letter.is_ascii_alphabetic()) && word.bytes().all(letters);
    is_made_up && word.contains('-') && word.bytes().any(|byte| byte.is_ascii_digit()) && word.len() <= WORD_BYTES_MAX
}

// Lists are limited to many times what is real: Chainguard, the largest, has about 10,000 packages (read 2026-11).

#[derive(Deserialize)]
struct RawDatabase {
    #[serde(default)]
    urlprefix: Word,
    #[serde(default)]
    reponame: Word,
    #[serde(default)]
    distroversion: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 200_000>")]
    packages: Vec<RawEntry>,
}

#[derive(Deserialize)]
struct RawEntry {
    pkg: RawPackage,
}

#[derive(Deserialize)]
struct RawPackage {
    #[serde(default)]
    name: Word,
    #[serde(default)]
    secfixes: RawFixes,
}

/// Versions and what each fixed, in the document's order. Empty ones come as an empty list or as nothing, too.
#[derive(Default)]
struct RawFixes(Vec<(String, Vec<Word>)>);

impl<'de> Deserialize<'de> for RawFixes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyFixes;
        impl<'de> Visitor<'de> for AnyFixes {
            type Value = RawFixes;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("versions with lists")
            }
            fn visit_unit<E>(self) -> Result<RawFixes, E> {
                Ok(RawFixes::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawFixes, A::Error> {
                match items.next_element::<Word>()? {
                    None => Ok(RawFixes::default()),
                    Some(_) => Err(serde::de::Error::custom("a list where versions should be")),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawFixes, A::Error> {
                let mut fixes = Vec::new();
                while let Some((version, RawNames(names))) = entries.next_entry()? {
                    fixes.push((version, names));
                }
                Ok(RawFixes(fixes))
            }
        }
        deserializer.deserialize_any(AnyFixes)
    }
}

/// At most 10,000 entries of one version; the largest real one has 200.
#[derive(Deserialize)]
#[serde(transparent)]
struct RawNames(#[serde(deserialize_with = "bounded::<_, _, 10_000>")] Vec<Word>);

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Vec<String> {
        let mut came = Vec::new();
        let read = parse(&Document { name: "main", bytes: text.as_bytes() }, &mut |item| match item {
            Item::Advisory(advisory) => {
                let id = &advisory.id.0;
                let aliases = advisory.aliases.iter().map(|alias| format!("={alias}")).collect::<String>();
                came.extend(advisory.affected.iter().map(|one| {
                    let until = one.ranges.iter().map(|range| format!(" {:?}", range.events.last().unwrap()));
                    let (state, until) = (one.state.unwrap().as_str(), until.collect::<String>());
                    let place = format!("{} {} {}", advisory.source, one.ecosystem, advisory.scope);
                    format!("{place} {id}{aliases}: {} {state}{until}", one.name)
                }));
            }
            Item::Skipped(skipped) => came.push(format!("skipped {}: {}", skipped.place, skipped.reason)),
            Item::Partial(skipped) => came.push(format!("partial {}: {}", skipped.place, skipped.reason)),
            other => came.push(format!("{other:?}")),
        });
        came.extend(read.err().map(|error| error.to_string()));
        came
    }

    /// Packages in the database of a distribution.
    fn check(head: &str, packages: &str, expected: &[&str]) {
        let json = format!(r#"{{"apkurl":"",{head},"packages":[{packages}]}}"#);
        assert!(recognises(&Head::new("main.json", json.as_bytes())), "{json}");
        assert_eq!(read_all(&json), expected, "{json}");
    }

    const ALPINE: &str =
        r#""urlprefix":"https://dl-cdn.alpinelinux.org/alpine","reponame":"main","distroversion":"v3.18""#;

    #[test]
    fn a_version_that_fixed_it_ends_the_range_and_zero_means_never() {
        check(
            ALPINE,
            r#"{"pkg":{"name":"openssl","secfixes":{"3.1.1-r0":["CVE-2023-2650"],"0":["CVE-2023-0001"]}}},
               {"pkg":{"name":"libressl","secfixes":{"3.7.3-r0":["CVE-2023-2650"]}}}"#,
            &[
                "ALPINE_CVE Alpine:v3.18 v3.18/main CVE-2023-0001: openssl not affected",
                r#"ALPINE_CVE Alpine:v3.18 v3.18/main CVE-2023-2650: libressl fixed Fixed("3.7.3-r0")"#,
                r#"ALPINE_CVE Alpine:v3.18 v3.18/main CVE-2023-2650: openssl fixed Fixed("3.1.1-r0")"#,
            ],
        );
    }

    #[test]
    fn of_several_fixes_of_one_the_last_counts() {
        let check = |versions: &[&str], expected: &[&str]| {
            assert_eq!(last(Scheme::Deb, versions.iter().copied()), expected, "{versions:?}");
        };
        check(&["1.9-r0", "1.10-r0"], &["1.10-r0"]);
        // never and since a version contradict each other: the version counts
        check(&["0", "1-r1", "1-r2"], &["1-r2"]);
        check(&["0"], &[]);
        // what is no version is not passed over
        check(&["1-r1", "1-r2", "None yet"], &["1-r2", "None yet"]);
    }

    #[test]
    fn an_entry_may_have_several_names_and_words_for_people() {
        let check = |entry: &str, cves: &[&str], others: &[&str]| {
            let (own, more) = names(entry);
            assert_eq!((own.iter().collect::<Vec<_>>(), more.iter().collect::<Vec<_>>()), {
                let all = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
                let (cves, others) = (all(cves), all(others));
                (cves.leak().iter().collect(), others.leak().iter().collect())
            });
        };
        check("CVE-2017-2887 TALOS-2017-0394", &["CVE-2017-2887"], &["TALOS-2017-0394"]);
        check(" CVE-2019-0001  XSA-300", &["CVE-2019-0001"], &["XSA-300"]);
        check("CVE-????-?????  XSA-295", &[], &["XSA-295"]);
        check("CVE-2018-16301 (was fixed in libpcap-1)", &["CVE-2018-16301"], &[]);
        check("CVE_2019-2426", &["CVE-2019-2426"], &[]); // openjdk
        check("CVE-2017-8073.patch", &["CVE-2017-8073"], &[]); // weechat
        check("CVE-2017-17434-1", &["CVE-2017-17434"], &[]); // rsync
        check("CVE-2020-0001 GHSA-35jh-r3h4-6jhm", &["CVE-2020-0001"], &["GHSA-35jh-r3h4-6jhm"]);
        check("CVE-2020-0001 CVE-2020-0002", &["CVE-2020-0001", "CVE-2020-0002"], &[]);
        check("CVE 2018-16859", &["CVE-2018-16859"], &[]); // ansible
        check("some words", &[], &[]);
    }

    #[test]
    fn a_name_without_a_cve_is_a_record_of_its_own() {
        check(
            ALPINE,
            r#"{"pkg":{"name":"xen","secfixes":{"4.11-r0":["CVE-????-????? XSA-295","nothing here"]}}}"#,
            &[
                "partial xen: 4.11-r0: names no vulnerability: `nothing here`",
                r#"ALPINE_CVE Alpine:v3.18 v3.18/main XSA-295: xen fixed Fixed("4.11-r0")"#,
            ],
        );
    }

    #[test]
    fn the_packages_host_tells_the_distribution() {
        let one = r#"{"pkg":{"name":"a","secfixes":{"1-r1":["CVE-2023-0001"]}}}"#;
        let wolfi = r#""urlprefix":"https://packages.wolfi.dev","reponame":"os""#;
        check(wolfi, one, &[r#"WOLFI Wolfi os CVE-2023-0001: a fixed Fixed("1-r1")"#]);
        let chainguard = r#""urlprefix":"https://packages.cgr.dev/x","reponame":"chainguard""#;
        check(chainguard, one, &[r#"CHAINGUARD Chainguard chainguard CVE-2023-0001: a fixed Fixed("1-r1")"#]);
        let minimos = r#""urlprefix":"https://packages.mini.dev","reponame":"os""#;
        check(minimos, one, &[r#"MINIMOS MinimOS os CVE-2023-0001: a fixed Fixed("1-r1")"#]);
        let other = r#""urlprefix":"https://apk.cve0.io","distroversion":"v1""#;
        check(other, one, &[r#"UnknownEcosystem("the distribution of apk.cve0.io")"#]);
        let not_it = r#""urlprefix":"https://notwolfi.dev""#;
        check(not_it, one, &[r#"UnknownEcosystem("the distribution of notwolfi.dev")"#]);
        let bad = r#""urlprefix":"https://dl-cdn.alpinelinux.org/alpine","distroversion":"3""#;
        check(bad, one, &["advisory ``: field `distroversion` is no release of Alpine: `3`"]);
    }

    #[test]
    fn what_is_empty_is_empty_in_every_way() {
        check(
            ALPINE,
            r#"{"pkg":{"name":"a"}},{"pkg":{"name":"b","secfixes":null}},{"pkg":{"name":"c","secfixes":[]}}"#,
            &[],
        );
        check(ALPINE, r#"{"pkg":{"name":"a","secfixes":{"1-r1":null}}}"#, &[]);
        check(ALPINE, r#"{"pkg":{"secfixes":{}}}"#, &["skipped packages[0]: has no name"]);
    }

    #[test]
    fn yaml_is_read_as_it_is_written() {
        // versions that look like numbers, the same version twice, an empty repository
        let head = "---\ndistroversion: v3.3\nreponame: main\nurlprefix: http://dl-cdn.alpinelinux.org/alpine\napkurl: \"{{x}}\"\n";
        let text = format!(
            "{head}packages:\n  - pkg:\n      name: a\n      secfixes:\n        1.10:\n          - CVE-2023-0001\n        \
             \"0\":\n        - CVE-2023-0002\n        1.10:\n          -  CVE-2023-0003\n"
        );
        assert!(recognises(&Head::new("main.yaml", text.as_bytes())));
        assert_eq!(
            read_all(&text),
            [
                r#"ALPINE_CVE Alpine:v3.3 v3.3/main CVE-2023-0001: a fixed Fixed("1.10")"#,
                "ALPINE_CVE Alpine:v3.3 v3.3/main CVE-2023-0002: a not affected",
                r#"ALPINE_CVE Alpine:v3.3 v3.3/main CVE-2023-0003: a fixed Fixed("1.10")"#,
            ]
        );
        assert_eq!(read_all(&format!("{head}packages:\n")), [""; 0]);
        assert!(read_all(&format!("{head}packages: &x [*x]\n"))[0].starts_with("is not secdb: "));
    }
}
