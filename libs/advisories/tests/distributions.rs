//! The feeds of Debian, Ubuntu, Alpine, Arch and their kin, as they come: what is read of real documents is compared with
//! `golden/*.txt`. `UPDATE_GOLDEN=1` writes these files anew.
//!
//! The documents lie in `tests/fixtures/distributions` (small excerpts) and in the data folder (`MUSTER_SHARED_DATA`, else
//! `../shared/data` beside the workspace); what is not there is skipped, and told.

use muster_advisories::Item;
use muster_advisories::source;
use muster_domain::{Advisory, Affected, Event, Range};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Small excerpts, whose README tells where they are from.
fn fixtures() -> PathBuf {
    crate_folder().join("tests/fixtures/distributions")
}

/// The archive, unpacked where `wanted` says so, or nothing with a word on why.
fn archive(name: &str, wanted: &dyn Fn(&str) -> bool) -> Option<tempfile::TempDir> {
    let beside = || crate_folder().join("../../../shared/data");
    let data = std::env::var_os("MUSTER_SHARED_DATA").map_or_else(beside, PathBuf::from);
    let Ok(file) = std::fs::File::open(data.join(name)) else {
        eprintln!("skipped: {name} is not in {}", data.display());
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut tar = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        if wanted(&entry.path().unwrap().to_string_lossy()) {
            entry.unpack_in(folder.path()).unwrap();
        }
    }
    Some(folder)
}

/// All that a folder or file says: records in full as far as `shown` says so, then how many of each kind.
fn rendered(path: &Path, shown: &dyn Fn(&Advisory) -> bool) -> String {
    let root = path.display().to_string();
    let mut text = String::new();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut claims = 0;
    let summaries = source::read(path, &mut |item| match item {
        Item::Advisory(advisory) => {
            claims += advisory.affected.len();
            *counts.entry(format!("records {} {}", advisory.source, advisory.scope)).or_default() += 1;
            if shown(&advisory) {
                text += &record(&advisory);
            }
        }
        Item::LifeCycle(one) => {
            let or_none = |day: Option<String>| day.unwrap_or_else(|| "-".to_owned());
            let (codename, general) = (or_none(one.codename), or_none(one.end_of_life));
            let extended = or_none(one.extended_support);
            writeln!(text, "{} {} {codename} {general} {extended}", one.product, one.release).unwrap();
        }
        Item::Skipped(skipped) => {
            *counts.entry("told as left out".to_owned()).or_default() += 1;
            if counts["told as left out"] <= 40 {
                writeln!(text, "left out: {}: {}", skipped.place.replace(&root, "."), skipped.reason).unwrap();
            }
        }
        other => writeln!(text, "{other:?}").unwrap(),
    })
    .unwrap();
    for (what, count) in counts {
        writeln!(text, "{what}: {count}").unwrap();
    }
    writeln!(text, "claims: {claims}").unwrap();
    for summary in summaries {
        let place = summary.path.display().to_string().replace(&root, ".");
        let (records, set_aside) = (summary.records, summary.set_aside);
        writeln!(text, "{} in {place}: {records} read, {set_aside} set aside", summary.format).unwrap();
    }
    text
}

fn record(advisory: &Advisory) -> String {
    let mut text = format!("{} {} {}\n", advisory.source, advisory.id.0, advisory.scope).replace(" \n", "\n");
    let lists = [("aliases", &advisory.aliases), ("upstream", &advisory.upstream), ("related", &advisory.related)];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        writeln!(text, "  {name}: {}", list.join(" ")).unwrap();
    }
    let details: String = advisory.details.chars().take(80).collect();
    for (name, words) in [("summary", &advisory.summary), ("details", &details)] {
        if !words.is_empty() {
            writeln!(text, "  {name}: {}", words.replace('\n', " ")).unwrap();
        }
    }
    for vector in &advisory.severity {
        writeln!(text, "  {}: {} by {}", vector.kind, vector.vector, vector.source).unwrap();
    }
    for (name, word) in [("severity", &advisory.vendor_severity), ("cwes", &Some(advisory.cwes.join(" ")))] {
        if let Some(word) = word.as_deref().filter(|word| !word.is_empty()) {
            writeln!(text, "  {name}: {word}").unwrap();
        }
    }
    for (name, time) in [("published", advisory.published), ("withdrawn", advisory.withdrawn)] {
        if let Some(time) = time {
            writeln!(text, "  {name}: {time}").unwrap();
        }
    }
    for reference in &advisory.references {
        writeln!(text, "  {} {}", reference.kind, reference.url).unwrap();
    }
    for affected in &advisory.affected {
        writeln!(text, "  {}", claim(affected)).unwrap();
    }
    text
}

fn claim(affected: &Affected) -> String {
    let ranges = affected.ranges.iter().map(range).collect::<String>();
    let mut text = format!("{} {} {:?}{ranges}", affected.ecosystem, affected.name, affected.names);
    if !affected.versions.is_empty() {
        write!(text, " {} versions", affected.versions.len()).unwrap();
    }
    if let Some(state) = affected.state {
        write!(text, " ({})", state.as_str()).unwrap();
    }
    for said in [&affected.vendor_severity, &affected.remark].into_iter().flatten() {
        write!(text, " \"{said}\"").unwrap();
    }
    text
}

fn range(range: &Range) -> String {
    let event = |event: &Event| match event {
        Event::Introduced(version) => format!(" [{version}"),
        Event::Fixed(version) => format!(", {version})"),
        Event::LastAffected(version) => format!(", {version}]"),
        Event::Limit(version) => format!(" limit {version}"),
    };
    range.events.iter().map(event).collect()
}

fn golden(name: &str, text: &str) {
    let path = crate_folder().join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let different = text.lines().zip(expected.lines()).find(|(one, other)| one != other);
    assert!(text == expected, "{} differs, first in {different:?}; UPDATE_GOLDEN=1 writes it anew", path.display());
}

#[test]
fn debians_tracker_is_read_as_its_json_tells_it() {
    golden("debian_tracker.txt", &rendered(&fixtures().join("debian"), &|_| true));
}

#[test]
fn debians_notices_are_read_as_the_team_writes_them() {
    let Some(folder) = archive("debian-security-tracker-2023.tar.zst", &|_| true) else { return };
    // new and old; a notice of several packages; one with remarks; one of testing
    let shown = ["DSA-5380-1", "DSA-5356-2", "DLA-3380-1", "DSA-136", "DSA-880-1", "DTSA-1-1", "DSA-2134-1"];
    golden("debian_list.txt", &rendered(folder.path(), &|advisory| shown.contains(&advisory.id.0.as_str())));
}

#[test]
fn alpines_repositories_are_read_release_by_release() {
    let Some(folder) = archive("alpine-secdb-2020.tar.zst", &|_| true) else { return };
    let shown = ["CVE-2018-16859", "CVE-2016-0682", "XSA-295", "CVE-2019-2426", "CVE-2017-17434", "CVE-2017-2887"];
    golden("alpine_secdb.txt", &rendered(folder.path(), &|advisory| shown.contains(&advisory.id.0.as_str())));
}

#[test]
fn each_distribution_of_apk_packages_and_arch_have_files_of_their_own() {
    let shown = ["CVE-2016-2781", "CVE-2022-3358", "CVE-2021-36156", "CVE-2022-1271", "CVE-2018-25032"];
    let shown = |advisory: &Advisory| shown.contains(&advisory.id.0.as_str()) || advisory.id.0.starts_with("AVG-");
    let folders = ["alpine", "arch", "chainguard", "minimos", "secureos", "wolfi"];
    let text: String = folders.iter().map(|name| rendered(&fixtures().join(name), &shown)).collect();
    golden("secdb.txt", &text);
}

#[test]
fn ubuntus_records_and_notices_are_read_with_who_gets_the_fix() {
    let wanted = |path: &str| path.contains("/providers/ubuntu/test-fixtures/osv");
    let Some(folder) = archive("distro-fixtures-vunnel.tar.zst", &wanted) else { return };
    golden("ubuntu_osv.txt", &rendered(folder.path(), &|_| true));
}

#[test]
fn the_ends_of_support_are_read_for_releases_and_packages() {
    let Some(folder) = archive("debian-ubuntu-eol.tar.zst", &|_| true) else { return };
    golden("end_of_support.txt", &rendered(folder.path(), &|_| true));
}

/// Lock files, SBOMs, other tools' fixtures and other feeds' formats lie in these; the formats here claim only their own.
#[test]
fn no_document_of_another_kind_is_claimed() {
    let own = ["Debian security tracker", "Debian list", "secdb", "Arch Linux", "distro-info", "Debian support"];
    let archives = [
        "distro-fixtures-vunnel",
        "distro-fixtures-claircore",
        "ghsa-nvd-fixtures-trivy-db",
        "lockfile-fixtures-osv-scalibr",
        "lockfile-fixtures-osv-scanner",
        "sbom-cyclonedx-bom-examples",
        "sbom-trustify",
        "ruby-advisory-db",
        "friendsofphp-security-advisories",
    ];
    let mut text = String::new();
    for name in archives {
        let Some(folder) = archive(&format!("{name}.tar.zst"), &|_| true) else { return };
        let summaries = source::read(folder.path(), &mut |_| {}).unwrap();
        for summary in summaries.iter().filter(|summary| own.contains(&summary.format)) {
            let place = summary.path.strip_prefix(folder.path()).unwrap().display();
            writeln!(text, "{} in {name}: {place}: {} read", summary.format, summary.records).unwrap();
        }
    }
    golden("claimed.txt", &text);
}
