//! CSAF, OpenVEX, the distributors' VEX and CycloneDX VEX on real documents: what comes out is what the golden files say
//! (`UPDATE_GOLDEN=1` writes them anew).

use muster_advisories::Head;
use muster_advisories::feeds::{Document, FORMATS, Format, Item};
use muster_domain::{Advisory, Affected, Event, VexStatement};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The formats that are tried here.
const TRIED: [&str; 6] = ["CSAF", "OpenVEX", "Ubuntu VEX", "Chainguard VEX", "CycloneDX VEX", "MSRC"];

/// Documents that are shown in full, by the end of their names; of all others only what they held.
const IN_FULL: &[&str] = &[
    "rhsa-2024_6163.json",
    "rhsa-2025_23414.json",
    "trustify-csaf-redhat.jsonl: line 30", // CVE-2024-50602: several streams
    "trustify-csaf-redhat.jsonl: line 32", // CVE-2024-34500: unfixed
    "trustify-csaf-redhat.jsonl: line 41", // RHSA-2023:5835, two CVEs
    "claircore.tar: test/acceptance/testdata/cve-2024-0727-openssl.json",
    "vex/testdata/cve-2024-24786-illegal-module.json",
    "vex/testdata/cve-2023-42670.json",
    "vex/testdata/cve-2023-38545.json",    // curl: fixes of several minor releases
    "trustify-csaf-redhat.jsonl: line 29", // CVE-2024-28834: extended streams beside the main one
    "csaf-demo1.json",
    "csaf-demo2.json",
    "affected.csaf.json",
    "openvex-demo1.json",
    "openvex-demo2.json",
    "openvex-debian.json",
    "openvex-package-product.json",
    "under_investigation.openvex.json",
    "joblib.openvex.json",
    "spring-security-web.openvex.json",
    "vex/cve/2023/CVE-2023-38545.json",
    "VEX/vex.json",
    "VEX/CISA-Use-Cases/Case-1/vex-fixed.json",
    "VEX/CISA-Use-Cases/Case-6/vex.json",
    "VEX/Use-Cases/Case-3/vex.json",
    "VEX/Use-Cases/Case-9/vex.json",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The folder of real data, when it is there.
fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("MUSTER_SHARED_DATA").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder).or_else(|| {
        println!("skipped: no shared data (MUSTER_SHARED_DATA)");
        None
    })
}

/// Every document of an archive of the data folder.
fn each_document(folder: &Path, archive: &str, with: &mut dyn FnMut(&str, &[u8])) {
    let file = std::fs::File::open(folder.join(archive)).expect("the archive is in the data folder");
    let mut decoder = zstd::stream::read::Decoder::new(file).unwrap();
    decoder.window_log_max(27).unwrap();
    let name = archive.trim_end_matches(".zst");
    if name.ends_with(".jsonl") {
        let mut all = Vec::new();
        decoder.read_to_end(&mut all).unwrap();
        for (index, line) in all.split(|&byte| byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            with(&format!("{name}: line {}", index + 1), line);
        }
        return;
    }
    for entry in tar::Archive::new(decoder).entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let path = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            with(&format!("{name}: {path}"), &bytes);
        }
    }
}

fn recognise(name: &str, bytes: &[u8]) -> Option<&'static Format> {
    let head = Head::new(name, bytes);
    FORMATS.iter().find(|format| (format.recognises)(&head)).filter(|format| TRIED.contains(&format.name))
}

/// What a document holds: one line, and all of it when it is one of those shown in full.
fn render(format: &Format, name: &str, bytes: &[u8]) -> String {
    let mut items = Vec::new();
    let read = (format.parse)(&Document { name, bytes }, &mut |item| items.push(item));
    let count = |wanted: fn(&Item) -> bool| items.iter().filter(|item| wanted(item)).count();
    let affected: usize = items
        .iter()
        .map(|item| match item {
            Item::Advisory(advisory) => advisory.affected.len(),
            _ => 0,
        })
        .sum();
    let mut text = format!(
        "{name}: {}: {} records of {affected} packages, {} statements, {} skipped, {} in part, {} unknown\n",
        format.name,
        count(|item| matches!(item, Item::Advisory(_))),
        count(|item| matches!(item, Item::Vex(_))),
        count(|item| matches!(item, Item::Skipped(_))),
        count(|item| matches!(item, Item::Partial(_))),
        count(|item| matches!(item, Item::UnknownEcosystem(_))),
    );
    if let Err(error) = read {
        writeln!(text, "    refused: {error}").unwrap();
    }
    for item in items.iter().filter(|_| IN_FULL.iter().any(|ending| name.ends_with(ending))) {
        match item {
            Item::Advisory(advisory) => show_advisory(advisory, &mut text),
            Item::Vex(vex) => show_statement(vex, &mut text),
            Item::Skipped(skipped) => writeln!(text, "    skipped {}: {}", skipped.place, skipped.reason).unwrap(),
            Item::Partial(skipped) => writeln!(text, "    in part {}: {}", skipped.place, skipped.reason).unwrap(),
            Item::UnknownEcosystem(kind) => writeln!(text, "    unknown {kind}").unwrap(),
            other => writeln!(text, "    {other:?}").unwrap(),
        }
    }
    text
}

fn show_advisory(advisory: &Advisory, text: &mut String) {
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
    let time = |time: Option<jiff::Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let vectors: Vec<&str> = advisory.severity.iter().map(|vector| vector.vector.as_str()).collect();
    writeln!(
        text,
        "    {} of {} [{}] {} {} {} published {} modified {}, {} links: {}",
        advisory.id.0,
        advisory.source,
        advisory.scope,
        word(&advisory.vendor_severity),
        vectors.join(" "),
        advisory.cwes.join(" "),
        time(advisory.published),
        time(advisory.modified),
        advisory.references.len(),
        advisory.summary,
    )
    .unwrap();
    for one in &advisory.affected {
        writeln!(text, "        {}", show_affected(one)).unwrap();
    }
}

fn show_affected(one: &Affected) -> String {
    let mut line = format!("{} {:?} {}", one.ecosystem, one.names, one.name);
    if let Some(module) = &one.module {
        write!(line, " of {module}").unwrap();
    }
    if let Some(state) = one.state {
        write!(line, ": {}", state.as_str()).unwrap();
    }
    for event in one.ranges.iter().flat_map(|range| &range.events) {
        match event {
            Event::Introduced(version) => write!(line, " from {version}"),
            Event::Fixed(version) => write!(line, " before {version}"),
            other => write!(line, " {other:?}"),
        }
        .unwrap();
    }
    if !one.architectures.is_empty() {
        write!(line, " on {}", one.architectures.join(" ")).unwrap();
    }
    for extra in [&one.remark, &one.vendor_severity].into_iter().flatten() {
        write!(line, ", {}", extra.chars().take(80).collect::<String>()).unwrap();
    }
    line
}

fn show_statement(vex: &VexStatement, text: &mut String) {
    let word = |word: &Option<String>| word.as_deref().unwrap_or("-").chars().take(60).collect::<String>();
    writeln!(
        text,
        "    {} {} [{}] {:?} {} \"{}\" by {} in {} at {}",
        vex.vulnerability,
        vex.product,
        vex.subcomponents.join(" "),
        vex.status,
        word(&vex.justification),
        word(&vex.statement),
        vex.author,
        vex.document,
        vex.timestamp.map_or_else(|| "-".to_owned(), |time| time.to_string()),
    )
    .unwrap();
}

/// Compares with the golden file, or writes it.
fn check(golden: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(golden);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (line, expected)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, expected, "{golden}, line {}", number + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "lines of {golden}");
}

/// Everything of an archive that is of a format that is tried here.
fn golden_of_archive(archive: &str, golden: &str) {
    let Some(folder) = data() else {
        return;
    };
    let mut lines = Vec::new();
    each_document(&folder, archive, &mut |name, bytes| {
        if let Some(format) = recognise(name, bytes) {
            lines.push(render(format, name, bytes));
        }
    });
    lines.sort(); // whatever order the archive has
    check(golden, &lines.concat());
}

#[test]
fn red_hats_documents_of_trustify_are_read_as_the_golden_file_says() {
    golden_of_archive("trustify-csaf-redhat.jsonl.zst", "csaf-trustify.txt");
}

#[test]
fn vunnels_documents_are_read_as_the_golden_file_says() {
    golden_of_archive("distro-fixtures-vunnel.tar.zst", "csaf-vex-vunnel.txt");
}

#[test]
fn claircores_documents_are_read_as_the_golden_file_says() {
    golden_of_archive("distro-fixtures-claircore.tar.zst", "csaf-claircore.txt");
}

#[test]
fn trivys_documents_are_read_as_the_golden_file_says() {
    golden_of_archive("ghsa-nvd-fixtures-trivy-db.tar.zst", "csaf-trivy.txt");
}

#[test]
fn grypes_documents_are_read_as_the_golden_file_says() {
    golden_of_archive("grype-nvd-fixtures.tar.zst", "csaf-vex-grype.txt");
}

#[test]
fn of_cyclonedx_examples_only_analyses_are_feeds() {
    golden_of_archive("sbom-cyclonedx-bom-examples.tar.zst", "cyclonedx-vex.txt");
}

#[test]
fn an_sbom_is_no_feed() {
    let Some(folder) = data() else {
        return;
    };
    let mut claimed = Vec::new();
    for archive in
        ["sbom-trustify.tar.zst", "lockfile-fixtures-osv-scanner.tar.zst", "lockfile-fixtures-osv-scalibr.tar.zst"]
    {
        each_document(&folder, archive, &mut |name, bytes| {
            if let Some(format) = recognise(name, bytes) {
                claimed.push(format!("{}: {name}", format.name));
            }
        });
    }
    assert_eq!(claimed, Vec::<String>::new());
}

#[test]
fn the_fixtures_are_read_as_the_golden_file_says() {
    let mut lines = Vec::new();
    for folder in ["csaf", "openvex", "cyclonedx_vex"] {
        for entry in std::fs::read_dir(fixtures().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let name = path.strip_prefix(fixtures()).unwrap().to_string_lossy().into_owned();
            if let Some(format) = recognise(&name, &bytes) {
                lines.push(render(format, &name, &bytes));
            }
        }
    }
    lines.sort();
    check("csaf-vex-fixtures.txt", &lines.concat());
}

/// Besides the distributors' OpenVEX, which its own formats read, no document of these formats is another's, too.
#[test]
fn a_document_is_of_one_format() {
    let Some(folder) = data() else {
        return;
    };
    let archives =
        ["distro-fixtures-vunnel.tar.zst", "grype-nvd-fixtures.tar.zst", "sbom-cyclonedx-bom-examples.tar.zst"];
    for archive in archives {
        each_document(&folder, archive, &mut |name, bytes| {
            let head = Head::new(name, bytes);
            let claims = FORMATS.iter().filter(|format| (format.recognises)(&head)).map(|format| format.name);
            let claims: Vec<&str> = claims.collect();
            let is_tried = claims.iter().any(|claim| TRIED.contains(claim));
            let is_special = claims.len() == 2 && claims[1] == "OpenVEX";
            assert!(!is_tried || claims.len() < 2 || is_special, "{name} is claimed by {claims:?}");
        });
    }
}

/// Cut anywhere, or with any byte replaced, a document is read or refused.
#[test]
fn a_broken_document_is_an_answer_or_an_error() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/feeds");
    let mut tried = 0;
    for entry in std::fs::read_dir(seeds).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        let end = text.iter().position(|&byte| byte == b'\n').unwrap_or(0);
        let name = String::from_utf8_lossy(&text[..end]).into_owned();
        let document = text.get(end + 1..).unwrap_or_default();
        if recognise(&name, document).is_none() {
            continue; // another format's
        }
        tried += 1;
        for at in 0..document.len().min(4096) {
            let mut broken = document.to_vec();
            broken[at] = [b'"', b'0', b'[', b'<', 0xff][at % 5];
            for bytes in [&document[..at], &broken] {
                for format in FORMATS.iter().filter(|format| TRIED.contains(&format.name)) {
                    let _ = (format.recognises)(&Head::new(&name, bytes));
                    let _ = (format.parse)(&Document { name: &name, bytes }, &mut |_| {});
                }
            }
        }
    }
    assert!(tried >= TRIED.len(), "every format has a seed");
}
