//! The language ecosystems' own databases, as they lie: every record is read or told, and what comes out is as recorded in
//! `golden/` (set `UPDATE_GOLDEN=1` to record anew).

#[path = "../src/feeds/shown.rs"]
mod shown;

use muster_advisories::{Builder, HEAD_BYTES_MAX, Head, Item, feeds::FORMATS, source};
use muster_domain::{Advisory, Event};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

/// What came out of one archive.
struct Feed {
    advisories: Vec<Advisory>,
    /// Places and reasons, without what lies in front of the archive.
    told: Vec<String>,
    /// Format, records, set aside.
    summaries: Vec<String>,
}

fn shared_data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("MUSTER_SHARED_DATA").map_or(beside, Into::into);
    if !data.is_dir() {
        println!("skipped: no shared data beside the checkout");
        return None;
    }
    Some(data)
}

fn read(archive: &str) -> Option<Feed> {
    let path = shared_data()?.join(archive);
    if !path.exists() {
        println!("skipped: no {archive}");
        return None;
    }
    let mut feed = Feed { advisories: Vec::new(), told: Vec::new(), summaries: Vec::new() };
    let front = format!("{}/", path.parent()?.display());
    let summaries = source::read(&path, &mut |item| match item {
        Item::Advisory(advisory) => feed.advisories.push(advisory),
        Item::Skipped(skipped) => feed.told.push(format!("{}: {}", skipped.place.replace(&front, ""), skipped.reason)),
        other => panic!("{other:?}"),
    })
    .unwrap();
    feed.told.sort();
    let summary =
        |summary: &source::SourceSummary| format!("{} {} + {}", summary.format, summary.records, summary.set_aside);
    feed.summaries = summaries.iter().map(summary).collect();
    Some(feed)
}

/// Compares with `golden/<name>.txt`: how many came, what was told, the chosen records in full and every 50th on one line.
fn check(name: &str, archive: &str, in_full: &[&str]) {
    let Some(mut feed) = read(archive) else { return };
    feed.advisories.sort_by(|a, b| (&a.id, &a.scope).cmp(&(&b.id, &b.scope)));
    let mut text = String::new();
    for line in &feed.summaries {
        writeln!(text, "{line}").unwrap();
    }
    for line in &feed.told {
        writeln!(text, "! {line}").unwrap();
    }
    writeln!(text, "\nwords: {:?}", counted(feed.advisories.iter().map(|one| one.vendor_severity.as_deref()))).unwrap();
    let packages = feed.advisories.iter().map(|advisory| advisory.affected.len());
    writeln!(text, "packages in a record: {:?}\n", counted(packages)).unwrap();
    for id in in_full {
        let found: Vec<_> = feed.advisories.iter().filter(|advisory| advisory.id.0 == *id).collect();
        assert!(!found.is_empty(), "{name}: no {id}");
        for advisory in found {
            writeln!(text, "{}\n", shown::rendered(advisory)).unwrap();
        }
    }
    for advisory in feed.advisories.iter().step_by(50) {
        writeln!(text, "{}", shown::line(advisory)).unwrap();
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::write(&golden, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    for (number, (line, expected)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, expected, "{name}, line {}", number + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "{name}");
}

fn counted<T: Ord>(things: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    things.fold(BTreeMap::new(), |mut counts, thing| {
        *counts.entry(thing).or_default() += 1;
        counts
    })
}

#[test]
fn rustsec_is_read_whole() {
    check(
        "rustsec",
        "rustsec-advisory-db.tar.zst",
        &[
            "RUSTSEC-2020-0071", // single good versions
            "RUSTSEC-2021-0079",
            "RUSTSEC-2023-0013", // openssl-src
            "RUSTSEC-2022-0057", // unmaintained
            "CVE-2022-21658",    // of the toolchain
            "RUSTSEC-2021-0145", // unsound, on Windows only
        ],
    );
}

#[test]
fn rubysec_is_read_whole() {
    check(
        "rubysec",
        "ruby-advisory-db.tar.zst",
        &[
            "CVE-2011-2930", // pre-releases
            "CVE-2016-0752", // of two gems
            "GHSA-xc9x-jj77-9p9j",
            "CVE-2011-10026", // never patched
            "CVE-2013-4170",  // `~>` of pre-releases
            "CVE-2023-36617", // of a gem and of the engine
        ],
    );
}

#[test]
fn friendsofphp_is_read_whole() {
    check(
        "friendsofphp",
        "friendsofphp-security-advisories.tar.zst",
        &[
            "symfony/symfony/CVE-2026-48784.yaml",
            "magento/product-community-edition/CVE-2019-8122.yaml",
            "cakephp/cakephp/2015-08-06.yaml", // no CVE
            "amphp/http-client/CVE-2024-2653.yaml",
            "guzzlehttp/guzzle/CVE-2016-5385.yaml",
        ],
    );
}

#[test]
fn the_node_working_groups_advisories_are_read_whole() {
    let in_full = ["NSWG-ECO-1", "NSWG-ECO-375", "NSWG-ECO-495", "NSWG-ECO-66", "NSWG-ECO-367"];
    check("nodejs_npm", "nodejs-security-wg-npm.jsonl.zst", &in_full);
    let in_full = ["NSWG-COR-1", "NSWG-COR-7", "NSWG-COR-17", "NSWG-COR-140", "NSWG-COR-171"];
    check("nodejs_core", "nodejs-security-wg-core.tar.zst", &in_full);
}

#[test]
fn pypa_is_read_whole() {
    let in_full = ["PYSEC-2023-121", "PYSEC-2023-74", "PYSEC-2019-41", "PYSEC-2021-108", "PYSEC-2024-48"];
    check("pypa", "pypa-advisory-database.tar.zst", &in_full);
}

#[test]
fn dotnet_is_read_whole() {
    let in_full = ["CVE-2023-36558", "CVE-2024-38095", "CVE-2024-43483", "CVE-2025-26646", "CVE-2024-0057"];
    check("dotnet_cve", "dotnet-cve.jsonl.zst", &in_full);
}

#[test]
fn what_comes_as_osv_is_read_whole() {
    let in_full = ["GO-2021-0067", "GO-2023-2102", "GO-2024-2687", "GO-2022-0969", "GO-2021-0113"];
    check("osv_go", "go-vulndb-osv.jsonl.zst", &in_full);
    let in_full = ["BIT-activemq-2020-11998", "BIT-node-2024-27982", "BIT-redis-2022-24735", "BIT-wordpress-2023-2745"];
    check("osv_bitnami", "bitnami-vulndb-osv.jsonl.zst", &in_full);
    check("osv_ghsa", "trustify-osv-ghsa.jsonl.zst", &["RUSTSEC-2021-0079"]);
}

/// The same advisories as RustSec's own export to OSV has them affect the same versions from the same on.
#[test]
fn rustsec_affects_what_its_export_says() {
    let (Some(own), Some(exported)) = (read("rustsec-advisory-db.tar.zst"), read("trustify-osv-ghsa.jsonl.zst")) else {
        return;
    };
    let fixture = include_str!("fixtures/osv/RUSTSEC-2020-0071.json");
    let fixture = muster_advisories::feeds::osv::read(fixture.as_bytes()).unwrap();
    let events = |advisory: &Advisory| -> Vec<String> {
        let ranges = advisory.affected.iter().flat_map(|affected| &affected.ranges);
        let event = |event: &Event| match event {
            Event::Introduced(version) if version == "0.0.0-0" => "from 0".to_owned(),
            Event::Introduced(version) => format!("from {version}"),
            Event::Fixed(version) => format!("to {version}"),
            other => panic!("{other:?}"),
        };
        ranges.flat_map(|range| &range.events).map(event).collect()
    };
    let mut compared = 0;
    for export in exported.advisories.iter().filter(|advisory| advisory.id.0.starts_with("RUSTSEC-")) {
        let own = own.advisories.iter().find(|advisory| advisory.id == export.id).unwrap();
        assert_eq!(events(own), events(export), "{}", export.id.0);
        assert_eq!((&own.summary, own.published), (&export.summary, export.published));
        assert_eq!((&own.severity, &own.vendor_severity), (&export.severity, &export.vendor_severity));
        compared += 1;
    }
    assert_eq!(compared, 2);
    // An excerpt, of the last span alone the same: versions between the good ones were left out of it.
    let own = own.advisories.iter().find(|advisory| advisory.id == fixture.id).unwrap();
    assert_eq!(events(own).last(), events(&fixture).last());
}

/// The archives of these databases, and how many of their records have a range or version that can't be read.
const ARCHIVES: [(&str, usize); 10] = [
    ("rustsec-advisory-db.tar.zst", 0),
    ("ruby-advisory-db.tar.zst", 0),
    ("friendsofphp-security-advisories.tar.zst", 0),
    ("nodejs-security-wg-npm.jsonl.zst", 0),
    ("nodejs-security-wg-core.tar.zst", 0),
    ("pypa-advisory-database.tar.zst", 2), // listed versions that PEP 440 does not read: `0.2.0-n653`
    ("dotnet-cve.jsonl.zst", 0),
    ("go-vulndb-osv.jsonl.zst", 0),
    ("bitnami-vulndb-osv.jsonl.zst", 1), // `nightly.2026-03-10.0`
    ("trustify-osv-ghsa.jsonl.zst", 0),
];

#[test]
fn every_range_is_one_that_its_scheme_reads() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (archive, unreadable) in ARCHIVES {
        let Some(feed) = read(archive) else { continue };
        let mut builder = Builder::new(1, "2026-11-24T00:00:00Z".parse().unwrap());
        feed.advisories.into_iter().for_each(|advisory| builder.add(advisory));
        let report = builder.write(folder.path().join("advisories.db")).unwrap();
        if report.rejects.len() != unreadable {
            wrong.push(format!("{archive}: {:#?}", report.rejects));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The formats of these databases.
const OWN: [&str; 7] = [
    "OSV YAML",
    "RustSec",
    "RubySec",
    "FriendsOfPHP",
    "Node.js Security WG (npm)",
    "Node.js Security WG (core)",
    ".NET CVE",
];

/// Hands on the head of every document of an archive.
fn heads(path: &Path, each: &mut dyn FnMut(&str, &[u8])) {
    let mut decoder = zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap();
    decoder.window_log_max(27).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    if let Some(lines) = name.strip_suffix(".zst").filter(|name| name.ends_with(".jsonl")) {
        BufReader::new(decoder).split(b'\n').for_each(|line| each(lines, &line.unwrap()));
        return;
    }
    for entry in tar::Archive::new(decoder).entries().unwrap() {
        let entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut head = Vec::new();
        entry.take(HEAD_BYTES_MAX as u64).read_to_end(&mut head).unwrap();
        each(&name, &head);
    }
}

#[test]
fn a_document_is_claimed_by_one_format_and_nothing_else_is() {
    let Some(data) = shared_data() else { return };
    for file in std::fs::read_dir(data).unwrap() {
        let path = file.unwrap().path();
        let archive = path.file_name().unwrap().to_string_lossy().into_owned();
        if !archive.ends_with(".zst") {
            continue;
        }
        // Scanners' fixtures hold excerpts of these databases.
        let is_own =
            ARCHIVES.iter().any(|(name, _)| *name == archive) || archive == "ghsa-nvd-fixtures-trivy-db.tar.zst";
        heads(&path, &mut |name, bytes| {
            let head = Head::new(name, bytes);
            let claims: Vec<_> =
                FORMATS.iter().filter(|format| (format.recognises)(&head)).map(|one| one.name).collect();
            // Whose VEX it is tells more than that it is OpenVEX; the special ones are asked first.
            let special = claims.iter().filter(|name| **name != "OpenVEX").count();
            assert!(special < 2 && (claims.len() < 2 || special == 1), "{archive}: {name}: {claims:?}");
            let is_stranger = !is_own && claims.iter().any(|name| OWN.contains(name));
            assert!(!is_stranger, "{archive}: {name}: {claims:?}");
        });
    }
}
