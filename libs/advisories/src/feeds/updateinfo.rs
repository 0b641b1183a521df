//! updateinfo.xml of a yum or dnf repository (createrepo_c's and libdnf's reading of it, 2026-11): one `<update>` -> one
//! advisory. Amazon Linux 1, 2, 2022 and 2023 (core and extras), Bottlerocket, and Fedora, Rocky Linux, AlmaLinux and
//! Oracle Linux, whose repositories have it too.
//!
//! - Whose update it is, its id tells (`ALAS2-…`, `RLSA-…`); the release stands in an Amazon id, else in the collection's
//!   name, else in the packages' dist tag (`.el8`).
//! - The packages are binary ones; what an update brings is the first good version. `src` packages say nothing of
//!   installed ones, `noarch` ones are for all architectures.
//! - An update that names no CVE and is not of type `security` announces no vulnerability and is passed over.
//! - Amazon Linux 2's extras (`ALAS2KERNEL-5.10-…`) have packages of the same names as the core, with other versions, and
//!   an installed package does not tell where it came from. So where the extra's name ends in a version and a package's
//!   version begins with it, its range begins there (`kernel` 5.10 up to the fix), which keeps it off the core's `kernel`
//!   4.14; else it begins at the beginning. The remark names the extra.
//! - Each architecture has a repository of its own with updates of the same ids, so a record's scope is its
//!   collection and, where it has only one, its architecture.

use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, LINK_BYTES_MAX, WORD_BYTES_MAX, cut};
use crate::gather::{Gather, architectures};
use crate::markup::{Malformed, Markup, Tag, has_root};
use crate::moment::moment;
use crate::origins;
use muster_domain::{Advisory, AdvisoryId, Affected, Ecosystem, Reference, Skipped};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Most bytes of a title that are kept.
const SUMMARY_BYTES_MAX: usize = 1024;
/// Most bytes of a description that are kept.
const DETAILS_BYTES_MAX: usize = 4096;
/// Most links that are kept: the Inspector API shows 100.
const REFERENCES_KEPT_MAX: usize = 100;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    head.text.starts_with(b"<") && has_root(head.text, "updates")
}

/// A document is a repository's updates.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let text = String::from_utf8_lossy(document.bytes);
    let not_this = |why| FeedError::NotThis { format: "updateinfo", why };
    let mut markup = Markup::new(&text);
    if markup.child().map_err(not_this)?.is_none_or(|root| root.name() != "updates") {
        return Err(not_this("has no element `updates`".to_owned()));
    }
    let mut place = 0;
    while let Some(tag) = markup.child().map_err(not_this)? {
        if tag.name() != "update" {
            markup.skip().map_err(not_this)?;
            continue;
        }
        place += 1;
        let update = Update::read(&mut markup, tag).map_err(not_this)?;
        match update.advisory(sink) {
            Ok(Some(advisory)) => sink(Item::Advisory(advisory)),
            Ok(None) => {}
            Err(reason) => {
                let place = if update.id.is_empty() { format!("update {place}") } else { update.id.clone() };
                sink(Item::skipped(place, reason));
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Update<'a> {
    id: String,
    kind: Cow<'a, str>,
    title: String,
    release: String,
    severity: String,
    description: String,
    issued: Cow<'a, str>,
    updated: Cow<'a, str>,
    /// CVEs that are referred to.
    cves: Vec<String>,
    links: Vec<Reference>,
    collections: Vec<Collection<'a>>,
}

#[derive(Default)]
struct Collection<'a> {
    short: Cow<'a, str>,
    name: String,
    module: Option<String>,
    packages: Vec<Package<'a>>,
}

struct Package<'a> {
    name: Cow<'a, str>,
    epoch: Cow<'a, str>,
    version: Cow<'a, str>,
    release: Cow<'a, str>,
    arch: Cow<'a, str>,
}

impl<'a> Update<'a> {
    fn read(markup: &mut Markup<'a>, tag: Tag<'a>) -> Result<Self, Malformed> {
        let mut update = Self { kind: tag.attribute("type"), ..Self::default() };
        while let Some(tag) = markup.child()? {
            match tag.name() {
                "id" => update.id = markup.letters(WORD_BYTES_MAX)?,
                "title" => update.title = markup.letters(SUMMARY_BYTES_MAX)?,
                "release" => update.release = markup.letters(WORD_BYTES_MAX)?,
                "severity" => update.severity = markup.letters(WORD_BYTES_MAX)?,
                "description" => update.description = markup.letters(DETAILS_BYTES_MAX)?,
                "issued" => {
                    update.issued = tag.attribute("date");
                    markup.skip()?;
                }
                "updated" => {
                    update.updated = tag.attribute("date");
                    markup.skip()?;
                }
                "references" => update.read_references(markup)?,
                "pkglist" => update.read_collections(markup)?,
                _ => markup.skip()?,
            }
        }
        Ok(update)
    }

    fn read_references(&mut self, markup: &mut Markup<'a>) -> Result<(), Malformed> {
        while let Some(tag) = markup.child()? {
            let (kind, id, link) = (tag.attribute("type"), tag.attribute("id"), tag.attribute("href"));
            if kind.eq_ignore_ascii_case("cve") || id.starts_with("CVE-") {
                self.cves.push(cut(id.trim(), WORD_BYTES_MAX).to_owned());
            }
            if !link.is_empty() && link.len() <= LINK_BYTES_MAX && self.links.len() < REFERENCES_KEPT_MAX {
                let kind = if kind.eq_ignore_ascii_case("self") { "ADVISORY" } else { "WEB" };
                self.links.push(Reference { kind: kind.to_owned(), url: link.into_owned() });
            }
            markup.skip()?;
        }
        Ok(())
    }

    fn read_collections(&mut self, markup: &mut Markup<'a>) -> Result<(), Malformed> {
        while let Some(tag) = markup.child()? {
            if tag.name() == "collection" {
                self.collections.push(Collection::read(markup, tag)?);
            } else {
                markup.skip()?;
            }
        }
        Ok(())
    }

    /// The advisory in it, `None` where it announces no vulnerability; else why not.
    fn advisory(&self, sink: Sink<'_>) -> Result<Option<Advisory>, String> {
        if self.id.is_empty() {
            return Err("has no id".to_owned());
        }
        let mut upstream = self.cves.clone();
        upstream.retain(|cve| !cve.is_empty());
        upstream.sort_unstable();
        upstream.dedup();
        if upstream.is_empty() && self.kind != "security" {
            return Ok(None);
        }
        let family = FAMILIES.iter().find(|family| family.prefixes.iter().any(|prefix| self.id.starts_with(prefix)));
        let Some(family) = family else {
            return Err(format!("no distribution is known whose ids begin as `{}` does", cut(&self.id, 40)));
        };
        let mut gather = Gather::default();
        for collection in &self.collections {
            let (release, extra) = self.release(family, collection)?;
            let spelled =
                if release.is_empty() { family.name.to_owned() } else { format!("{}:{release}", family.name) };
            let Ok(ecosystem) = spelled.parse::<Ecosystem>() else {
                sink(Item::UnknownEcosystem(spelled));
                continue;
            };
            for reason in collection.affected(&ecosystem, extra.as_deref(), &mut gather) {
                sink(Item::Partial(Skipped { place: self.id.clone(), reason }));
            }
        }
        Ok(Some(Advisory {
            id: AdvisoryId(self.id.clone()),
            source: origins::of_id(&self.id).to_owned(),
            scope: self.scope(),
            upstream,
            summary: self.title.clone(),
            details: self.description.clone(),
            vendor_severity: (!self.severity.is_empty()).then(|| self.severity.clone()),
            affected: gather.finish(),
            references: self.links.clone(),
            published: moment(&self.issued),
            modified: moment(&self.updated),
            ..Advisory::default()
        }))
    }

    /// The release that a collection is of, and the extra where it is one of Amazon Linux 2's.
    fn release(&self, family: &Family, collection: &Collection<'_>) -> Result<(String, Option<String>), String> {
        let stated = [&*collection.name, &*collection.short, &self.release, &self.title];
        match family.release {
            Release::None => Ok((String::new(), None)),
            Release::Amazon => Ok(amazon_release(&self.id, &stated)),
            Release::Number { dist_tag } => {
                let told = stated.iter().find_map(|text| number_after(text, family.name));
                let of_packages =
                    || collection.packages.iter().find_map(|package| digits_after(&package.release, dist_tag));
                let release = told.or_else(of_packages);
                release.map(|release| (release.to_owned(), None)).ok_or_else(|| {
                    format!("its collection `{}` tells no release of {}", cut(&collection.name, 80), family.name)
                })
            }
        }
    }

    /// The collection, and the architecture where it is only one.
    fn scope(&self) -> String {
        let collection = self.collections.first().map_or("", |collection| match &*collection.short {
            "" => &collection.name,
            short => short,
        });
        let all = self.collections.iter().flat_map(|collection| &collection.packages);
        let mut wide: Vec<&str> = all.map(|package| &*package.arch).collect();
        // 32-bit libraries are in the 64-bit repository.
        wide.retain(|arch| !matches!(*arch, "noarch" | "src" | "nosrc" | "i386" | "i586" | "i686" | ""));
        wide.sort_unstable();
        wide.dedup();
        match wide[..] {
            [arch] => cut(format!("{collection} {arch}").trim_start(), WORD_BYTES_MAX).to_owned(),
            _ => cut(collection, WORD_BYTES_MAX).to_owned(),
        }
    }
}

impl<'a> Collection<'a> {
    fn read(markup: &mut Markup<'a>, tag: Tag<'a>) -> Result<Self, Malformed> {
        let mut collection = Self { short: tag.attribute("short"), ..Self::default() };
        while let Some(tag) = markup.child()? {
            match tag.name() {
                "name" => {
                    collection.name = markup.letters(WORD_BYTES_MAX)?;
                    continue;
                }
                "module" => {
                    let (name, stream) = (tag.attribute("name"), tag.attribute("stream"));
                    collection.module = (!name.is_empty()).then(|| format!("{name}:{stream}"));
                }
                "package" => collection.packages.push(Package {
                    name: tag.attribute("name"),
                    epoch: tag.attribute("epoch"),
                    version: tag.attribute("version"),
                    release: tag.attribute("release"),
                    arch: tag.attribute("arch"),
                }),
                _ => {}
            }
            markup.skip()?;
        }
        Ok(collection)
    }

    /// Adds its packages; what could not be used comes back.
    fn affected(&self, ecosystem: &Ecosystem, extra: Option<&str>, gather: &mut Gather) -> Vec<String> {
        let mut unusable = Vec::new();
        let mut builds: BTreeMap<(&str, String, &str), Vec<&str>> = BTreeMap::new();
        for package in self.packages.iter().filter(|package| !matches!(&*package.arch, "src" | "nosrc")) {
            let words = [&package.name, &package.version, &package.release];
            if words.iter().any(|word| word.is_empty() || word.len() > WORD_BYTES_MAX) || package.epoch.len() > 10 {
                unusable.push(format!("package `{}` has no name, version or release", cut(&package.name, 80)));
                continue;
            }
            let key = (&*package.name, package.evr(), &*package.version);
            builds.entry(key).or_default().push(&package.arch);
        }
        for ((name, fixed, version), arches) in builds {
            let epoch = fixed.split_once(':').map_or("", |(epoch, _)| epoch);
            let start = extra.and_then(extra_version).filter(|start| begins_with(version, start));
            let introduced = match (start, epoch) {
                (None, _) => "0".to_owned(),
                (Some(start), "") => start.to_owned(),
                (Some(start), epoch) => format!("{epoch}:{start}"),
            };
            let mut affected = Affected::new(ecosystem.clone(), name).with_range(&introduced, Some(&fixed));
            affected.architectures = architectures(arches);
            affected.module.clone_from(&self.module);
            affected.remark = extra.map(|extra| format!("of the extra {extra}"));
            gather.add(affected);
        }
        unusable
    }
}

impl Package<'_> {
    fn evr(&self) -> String {
        match &*self.epoch {
            "" | "0" => format!("{}-{}", self.version, self.release),
            epoch => format!("{epoch}:{}-{}", self.version, self.release),
        }
    }
}

/// A distribution whose updates are known by their ids.
struct Family {
    prefixes: &'static [&'static str],
    /// The ecosystem, which is also how collections spell it.
    name: &'static str,
    release: Release,
}

/// Where a release stands.
#[derive(Clone, Copy)]
enum Release {
    /// There are none.
    None,
    /// In the id.
    Amazon,
    /// Behind the distribution's name in the collection's, or in the packages' dist tag.
    Number { dist_tag: &'static str },
}

const FAMILIES: &[Family] = &[
    Family { prefixes: &["ALAS"], name: "Amazon Linux", release: Release::Amazon },
    Family { prefixes: &["BRSA-"], name: "Bottlerocket", release: Release::None },
    Family { prefixes: &["FEDORA-2"], name: "Fedora", release: Release::Number { dist_tag: ".fc" } },
    Family {
        prefixes: &["RLSA-", "RXSA-", "RLBA-", "RLEA-"],
        name: "Rocky Linux",
        release: Release::Number { dist_tag: "el" },
    },
    Family { prefixes: &["ALSA-", "ALBA-", "ALEA-"], name: "AlmaLinux", release: Release::Number { dist_tag: "el" } },
    Family { prefixes: &["ELSA-", "ELBA-"], name: "Oracle Linux", release: Release::Number { dist_tag: "el" } },
];

/// `ALAS2KERNEL-5.10-2022-001` is of the extra `kernel-5.10` of Amazon Linux 2, and so is `ALASKERNEL-5.10-…`, since only
/// that release has extras. `ALAS-2018-1093` may be of any release: then what is stated tells it, else it is the first.
fn amazon_release(id: &str, stated: &[&str]) -> (String, Option<String>) {
    let body = id.strip_prefix("ALAS").unwrap_or(id);
    let within = body.rsplitn(3, '-').nth(2).unwrap_or_default();
    for release in ["2022", "2023"] {
        if within.starts_with(release) {
            return (release.to_owned(), None);
        }
    }
    match within.strip_prefix('2') {
        Some("") => ("2".to_owned(), None),
        Some(extra) => ("2".to_owned(), Some(extra.to_ascii_lowercase())),
        None if !within.is_empty() => ("2".to_owned(), Some(within.to_ascii_lowercase())),
        None => {
            let told = stated.iter().find_map(|text| number_after(text, "Amazon Linux"));
            (told.filter(|release| ["2", "2022", "2023"].contains(release)).unwrap_or("1").to_owned(), None)
        }
    }
}

/// The version that an extra's name ends in: `kernel-5.10` -> `5.10`, `docker` -> none.
pub(super) fn extra_version(extra: &str) -> Option<&str> {
    let start = extra.rfind(|letter: char| !letter.is_ascii_digit() && letter != '.').map_or(0, |at| at + 1);
    let version = extra.get(start..)?;
    (!version.is_empty() && !version.starts_with('.') && start > 0).then_some(version)
}

/// Whether a version is `start` or one of its parts': `5.10.82` begins with `5.10`, `5.100` does not.
fn begins_with(version: &str, start: &str) -> bool {
    version.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The number that stands behind a name: `Rocky Linux 8 - BaseOS` -> `8`. Spaces and strokes may stand between them.
fn number_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let at = text.to_ascii_lowercase().find(&name.to_ascii_lowercase())?;
    let rest = text.get(at + name.len()..)?;
    let rest = rest.trim_start_matches([' ', '-', '_']);
    leading_digits(rest)
}

/// The number directly behind a tag: `1.module+el8.4.0` -> `8`.
fn digits_after<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    text.match_indices(tag).find_map(|(at, _)| leading_digits(&text[at + tag.len()..]))
}

fn leading_digits(text: &str) -> Option<&str> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An update with a CVE, and a collection of these packages: name, epoch, version, release, architecture.
    fn update(id: &str, collection: &str, packages: &[[&str; 5]]) -> String {
        let package = |[name, epoch, version, release, arch]: &[&str; 5]| {
            format!(
                r#"<package name="{name}" epoch="{epoch}" version="{version}" release="{release}" arch="{arch}"><filename>f</filename></package>"#
            )
        };
        let packages: String = packages.iter().map(package).collect();
        format!(
            r#"<update type="security" from="x" status="final" version="1.4"><id>{id}</id><title>t</title>
            <issued date="2021-10-20 12:41"/><severity>important</severity>
            <references><reference href="https://x/CVE-2021-1111" id="CVE-2021-1111" type="cve"/></references>
            <pkglist>{}{packages}</collection></pkglist></update>"#,
            collection
        )
    }

    const CORE: &str = r#"<collection short="amazon-linux-2-core"><name>Amazon Linux 2 core</name>"#;

    fn read(updates: &str) -> Vec<String> {
        let xml = format!("<?xml version=\"1.0\"?><updates>{updates}</updates>");
        let mut out = Vec::new();
        let outcome = parse(&Document { name: "updateinfo.xml", bytes: xml.as_bytes() }, &mut |item| match item {
            Item::Advisory(advisory) => {
                out.push(format!("{} {} ({})", advisory.source, advisory.id.0, advisory.scope));
                for one in &advisory.affected {
                    let events: Vec<_> = one.ranges.iter().flat_map(|range| &range.events).collect();
                    let arches = one.architectures.join("|");
                    out.push(format!("{} {} {events:?} {arches} {:?}", one.ecosystem, one.name, one.module));
                }
            }
            Item::Skipped(skipped) => out.push(format!("! {}: {}", skipped.place, skipped.reason)),
            Item::Partial(skipped) => out.push(format!("- {}: {}", skipped.place, skipped.reason)),
            Item::UnknownEcosystem(spelled) => out.push(format!("? {spelled}")),
            other => panic!("{other:?}"),
        });
        if let Err(error) = outcome {
            out.push(error.to_string());
        }
        out
    }

    #[test]
    fn what_an_update_brings_is_the_first_good_version() {
        let packages = [
            ["curl", "0", "7.61.1", "11.amzn2.0.2", "x86_64"],
            ["curl", "0", "7.61.1", "11.amzn2.0.2", "i686"],
            ["curl", "0", "7.61.1", "11.amzn2.0.2", "src"], // no build
            ["bind", "32", "9.11", "4.amzn2", "x86_64"],
            ["doc", "", "1", "1", "noarch"], // for all architectures
            ["", "0", "1", "1", "x86_64"],
        ];
        let expected = [
            "- ALAS2-2021-1685: package `` has no name, version or release",
            "AMAZON_CVE ALAS2-2021-1685 (amazon-linux-2-core x86_64)",
            r#"Amazon Linux:2 bind [Introduced("0"), Fixed("32:9.11-4.amzn2")] x86_64 None"#,
            r#"Amazon Linux:2 curl [Introduced("0"), Fixed("7.61.1-11.amzn2.0.2")] i686|x86_64 None"#,
            r#"Amazon Linux:2 doc [Introduced("0"), Fixed("1-1")]  None"#,
        ];
        assert_eq!(read(&update("ALAS2-2021-1685", CORE, &packages)), expected);
    }

    #[test]
    fn an_extra_keeps_off_the_cores_versions() {
        let check = |id: &str, package: [&str; 5], expected: &str| {
            let read = read(&update(id, r#"<collection short="">"#, &[package]));
            assert_eq!(read[1..], [expected.to_owned()], "{id}");
        };
        check(
            "ALAS2KERNEL-5.10-2022-001",
            ["kernel", "0", "5.10.82", "83.359.amzn2", "x86_64"],
            r#"Amazon Linux:2 kernel [Introduced("5.10"), Fixed("5.10.82-83.359.amzn2")] x86_64 None"#,
        );
        check(
            "ALASPOSTGRESQL14-2023-001", // an epoch stands before everything
            ["postgresql", "1", "14.9", "1.amzn2", "x86_64"],
            r#"Amazon Linux:2 postgresql [Introduced("1:14"), Fixed("1:14.9-1.amzn2")] x86_64 None"#,
        );
        check(
            "ALAS2RUBY3.0-2023-001", // versions of its own
            ["rubygem-json", "0", "2.5.1", "1", "x86_64"],
            r#"Amazon Linux:2 rubygem-json [Introduced("0"), Fixed("2.5.1-1")] x86_64 None"#,
        );
        check(
            "ALAS2DOCKER-2021-001",
            ["docker", "0", "20.10.7", "3", "x86_64"],
            r#"Amazon Linux:2 docker [Introduced("0"), Fixed("20.10.7-3")] x86_64 None"#,
        );
        check(
            "ALAS2023LIVEPATCH-2023-001", // no extra: its packages have names of their own
            ["kernel-livepatch-6.1.10", "0", "1.0", "1", "x86_64"],
            r#"Amazon Linux:2023 kernel-livepatch-6.1.10 [Introduced("0"), Fixed("1.0-1")] x86_64 None"#,
        );
        let remark = |extra: &str| extra_version(extra).map(str::to_owned);
        assert_eq!(remark("kernel-5.10").as_deref(), Some("5.10"));
        assert_eq!(remark("docker"), None);
        assert!(begins_with("5.10.82", "5.10") && begins_with("14", "14") && !begins_with("5.100", "5.10"));
    }

    #[test]
    fn the_release_is_told_by_the_id_or_the_collection_or_the_packages() {
        let check = |id: &str, collection: &str, release: &str, expected: &str| {
            let read = read(&update(id, collection, &[["a", "0", "1", release, "x86_64"]]));
            assert!(read.last().unwrap().starts_with(expected), "{id}: {read:?}");
        };
        let named = |name: &str| format!(r#"<collection short="s"><name>{name}</name>"#);
        check("ALAS-2018-1093", &named("Amazon Linux AMI"), "1.amzn1", "Amazon Linux:1 a");
        check("ALAS-2018-939", CORE, "1.amzn2", "Amazon Linux:2 a"); // as the web pages call it
        check("ALAS2023-2023-126", &named(""), "1.amzn2023", "Amazon Linux:2023 a");
        check("BRSA-gwvdtoeo9xrf", &named("Bottlerocket"), "1.br1", "Bottlerocket a");
        check("FEDORA-2023-6d4055d482", &named("Fedora 37"), "1.fc37", "Fedora:37 a");
        check("RLSA-2021:1989", &named("Rocky Linux 8 - BaseOS"), "1.el8_4", "Rocky Linux:8 a");
        check("ALSA-2022:8194", &named("almalinux-9"), "1.el9", "AlmaLinux:9 a");
        check("ELSA-2022-4803", &named("x"), "1.module+el8.4.0+1", "Oracle Linux:8 a");
        check("RLSA-2021:1", &named("x"), "1", "! RLSA-2021:1: its collection `x` tells no release of Rocky Linux");
        check("XYZ-1", &named("x"), "1", "! XYZ-1: no distribution is known whose ids begin as `XYZ-1` does");
    }

    #[test]
    fn a_collection_of_a_module_is_of_its_stream() {
        let collection = r#"<collection short="rocky"><name>Rocky Linux 8</name><module name="ruby" stream="2.6" version="1" context="c" arch="x86_64"/>"#;
        let read = read(&update("RLSA-2021:1979", collection, &[["ruby", "0", "2.6.7", "107.module+el8", "x86_64"]]));
        let expected = r#"Rocky Linux:8 ruby [Introduced("0"), Fixed("2.6.7-107.module+el8")] x86_64 Some("ruby:2.6")"#;
        assert_eq!(read[1..], [expected]);
    }

    #[test]
    fn an_update_that_is_about_no_vulnerability_is_passed_over() {
        assert_eq!(read(r#"<update type="bugfix"><id>ALAS2-2021-1</id></update><other/>"#), Vec::<String>::new());
        assert_eq!(read(r#"<update type="security"/>"#), ["! update 1: has no id"]);
    }

    #[test]
    fn a_document_that_is_no_updateinfo_is_refused() {
        let refused =
            |xml: &str| parse(&Document { name: "", bytes: xml.as_bytes() }, &mut |_| {}).unwrap_err().to_string();
        assert_eq!(refused("<oval_definitions/>"), "is not updateinfo: has no element `updates`");
        assert!(refused("<updates><update>").contains("ends within 2 open elements"));
        assert!(recognises(&Head::new("x", b"<?xml version='1.0'?>\n<updates><update")));
        assert!(!recognises(&Head::new("x", b"<updateinfo/>")));
    }
}
