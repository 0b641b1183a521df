//! What feeds tell about vulnerabilities themselves, exploits and life cycles, read from real data where it lies beside the
//! checkout: `MUSTER_SHARED_DATA` or `../shared/data`. What comes out is compared with `golden/`, which `UPDATE_GOLDEN=1`
//! writes anew.

use muster_advisories::feeds::{Document, FORMATS, Format, Item};
use muster_advisories::{HEAD_BYTES_MAX, Head, source};
use muster_domain::{Advisory, Event, Reference};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// The formats that are tested here.
const HERE: &[&str] =
    &["KEV", "EPSS", "CVE", "NVD", "Exploit-DB", "Metasploit", "Nuclei", "endoflife.date", ".NET releases"];

fn shared_data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("MUSTER_SHARED_DATA").map_or(beside, Into::into);
    if !data.is_dir() {
        println!("skipped: no shared data beside the checkout");
        return None;
    }
    Some(data)
}

/// Gives every document of an archive to `take`: files of a tar, lines of a `.jsonl`.
fn documents(archive: &Path, take: &mut dyn FnMut(&str, &[u8])) {
    let mut decoder = zstd::Decoder::new(std::fs::File::open(archive).unwrap()).unwrap();
    decoder.window_log_max(27).unwrap();
    let name = archive.file_name().unwrap().to_string_lossy();
    if let Some(name) = name.strip_suffix(".zst").filter(|name| name.ends_with(".jsonl")) {
        for line in BufReader::new(decoder).split(b'\n') {
            take(name, &line.unwrap());
        }
        return;
    }
    for entry in tar::Archive::new(decoder).entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            take(&name, &bytes);
        }
    }
}

fn format_of(name: &str, bytes: &[u8]) -> Option<&'static Format> {
    let head = Head::new(name, &bytes[..bytes.len().min(HEAD_BYTES_MAX)]);
    FORMATS.iter().find(|format| (format.recognises)(&head))
}

/// Everything that the documents of one format say, a line or block each.
fn read(archives: &[PathBuf], format: &str) -> Vec<String> {
    let mut told = Vec::new();
    for archive in archives {
        documents(archive, &mut |name, bytes| {
            let Some(found) = format_of(name, bytes).filter(|found| found.name == format) else { return };
            let read = (found.parse)(&Document { name, bytes }, &mut |item| told.push(rendered(item)));
            if let Err(error) = read {
                told.push(format!("refused {name}: {error}"));
            }
        });
    }
    told
}

fn rendered(item: Item) -> String {
    match item {
        Item::Advisory(advisory) => block(&advisory),
        Item::KnownExploited(cve, known) => format!(
            "exploited {cve} since {} until {}{}: {}",
            known.date_added,
            known.due_date,
            if known.ransomware { " by ransomware" } else { "" },
            short(&known.required_action)
        ),
        Item::Epss(cve, epss) => format!("predicted {cve} {} {}", epss.score, epss.percentile),
        Item::Exploit(cve, exploit) => format!("exploit {cve} {} {}", exploit.source, exploit.id),
        Item::LifeCycle(one) => format!(
            "release {} {} ({}) ends {} extended {}{}",
            one.product,
            one.release,
            one.codename.as_deref().unwrap_or("-"),
            one.end_of_life.as_deref().unwrap_or("-"),
            one.extended_support.as_deref().unwrap_or("-"),
            if one.ended { " ended" } else { "" }
        ),
        Item::Skipped(told) => format!("skipped {}: {}", told.place, told.reason),
        Item::Partial(told) => format!("partial {}: {}", told.place, told.reason),
        Item::UnknownEcosystem(ecosystem) => format!("unknown {ecosystem}"),
        other => format!("unexpected {other:?}"),
    }
}

fn block(advisory: &Advisory) -> String {
    let mut text = format!("advisory {} {}", advisory.source, advisory.id.0);
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            write!(text, "\n  {name}: {}", short(value)).unwrap();
        }
    };
    let time = |time: Option<jiff::Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    line("aliases", &advisory.aliases.join(" "));
    line("summary", &advisory.summary);
    line("details", &advisory.details);
    line("published", &time(advisory.published));
    line("modified", &time(advisory.modified));
    line("withdrawn", &time(advisory.withdrawn));
    line("vendor", advisory.vendor_severity.as_deref().unwrap_or_default());
    for vector in &advisory.severity {
        line(&vector.kind, &format!("{} by {}", vector.vector, vector.source));
    }
    line("cwes", &advisory.cwes.join(" "));
    if let Some(ssvc) = &advisory.ssvc {
        line("ssvc", &format!("{} {} {}", ssvc.exploitation, ssvc.automatable, ssvc.technical_impact));
    }
    line("cpes", &format!("{}: {}", advisory.cpes.len(), advisory.cpes.join(" ")));
    let link = |link: &Reference| format!("{} {}", link.kind, link.url);
    line(
        "links",
        &format!(
            "{}: {}",
            advisory.references.len(),
            advisory.references.iter().map(link).collect::<Vec<_>>().join(", ")
        ),
    );
    for affected in &advisory.affected {
        let ranges = affected.ranges.iter().map(|range| range.events.iter().map(event).collect::<Vec<_>>().join(" "));
        let versions = affected.versions.iter().map(|version| format!("= {version}"));
        let all: Vec<String> = ranges.chain(versions).collect();
        line("affected", &format!("{} {}: {}", affected.ecosystem, affected.name, all.join(" | ")));
    }
    text
}

fn event(event: &Event) -> String {
    match event {
        Event::Introduced(at) => format!(">= {at}"),
        Event::Fixed(at) => format!("< {at}"),
        Event::LastAffected(at) => format!("<= {at}"),
        Event::Limit(at) => format!("limit {at}"),
    }
}

/// On one line, at most about 300 letters.
fn short(text: &str) -> String {
    let mut short: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
    if text.len() > 400 {
        short.push('…');
    }
    short
}

/// How many of each kind came, then all that was set aside or judges packages, then every `step`-th of the others.
fn shown(told: &[String], step: usize) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in told {
        *counts.entry(line.split(' ').next().unwrap_or_default()).or_default() += 1;
    }
    let mut text: String = counts.iter().map(|(kind, count)| format!("{kind} {count}\n")).collect();
    text.push('\n');
    let (always, sometimes): (Vec<&String>, Vec<&String>) = told.iter().partition(|line| {
        let is_set_aside = ["skipped", "partial", "unknown", "refused"].iter().any(|kind| line.starts_with(kind));
        is_set_aside || line.contains("\n  affected: ")
    });
    for line in always.into_iter().take(50).chain(sometimes.into_iter().step_by(step)) {
        writeln!(text, "{line}").unwrap();
    }
    text
}

fn compare(golden: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(golden);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = expected.lines().zip(text.lines()).find(|(expected, came)| expected != came);
    assert_eq!(differs, None, "{golden}: the first line that differs, expected and come");
    assert_eq!(text.lines().count(), expected.lines().count(), "{golden}: lines");
}

fn check(archives: &[&str], format: &str, step: usize, golden: &str) {
    let Some(data) = shared_data() else { return };
    let archives: Vec<PathBuf> = archives.iter().map(|archive| data.join(archive)).collect();
    if let Some(missing) = archives.iter().find(|archive| !archive.exists()) {
        println!("skipped: no {}", missing.display());
        return;
    }
    compare(golden, &shown(&read(&archives, format), step));
}

/// The excerpts that lie in the repository: name and bytes.
fn excerpts() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/intelligence");
    let mut excerpts = Vec::new();
    for folder in ["", "api", "products"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            if path.is_file() && name != "README.md" {
                excerpts.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    excerpts.sort();
    excerpts
}

#[test]
fn every_excerpt_is_read_in_full() {
    let mut text = String::new();
    for (name, bytes) in excerpts() {
        let format = format_of(&name, &bytes).unwrap_or_else(|| panic!("{name} is of no format"));
        writeln!(text, "# {name}: {}", format.name).unwrap();
        (format.parse)(&Document { name: &name, bytes: &bytes }, &mut |item| {
            writeln!(text, "{}", rendered(item)).unwrap();
        })
        .unwrap();
    }
    compare("intelligence_excerpts.txt", &text);
}

/// What is cut off anywhere, or has one byte of another value, is read in part or refused; nothing panics.
#[test]
fn a_broken_document_is_an_error_or_items() {
    for (name, bytes) in excerpts() {
        let steps = (bytes.len() / 300).max(1);
        for at in (0..bytes.len()).step_by(steps) {
            let mut flipped = bytes.clone();
            flipped[at] = [b'"', b'{', b'\n', b'0', 0xff][at % 5];
            for broken in [&bytes[..at], &flipped[..]] {
                for format in FORMATS.iter().filter(|format| HERE.contains(&format.name)) {
                    let _ = (format.parse)(&Document { name: &name, bytes: broken }, &mut |_| {});
                }
            }
        }
    }
}

#[test]
fn nvd() {
    let claircore = "distro-fixtures-claircore.tar.zst";
    check(&["distro-fixtures-vunnel.tar.zst", "ghsa-nvd-fixtures-trivy-db.tar.zst", claircore], "NVD", 4, "nvd.txt");
}

#[test]
fn cve_records() {
    check(&["trustify-cve-v5.jsonl.zst"], "CVE", 4, "cve5.txt");
}

#[test]
fn known_exploited() {
    let others = ["distro-fixtures-vunnel.tar.zst", "distro-fixtures-claircore.tar.zst"];
    check(&["cisa-kev.tar.zst", others[0], others[1]], "KEV", 301, "kev.txt");
}

#[test]
fn epss() {
    check(&["distro-fixtures-vunnel.tar.zst", "distro-fixtures-claircore.tar.zst"], "EPSS", 1, "epss.txt");
}

#[test]
fn exploitdb() {
    check(&["exploitdb-cve-map.tar.zst"], "Exploit-DB", 4999, "exploitdb.txt");
}

#[test]
fn life_cycles() {
    check(&["endoflife-date.tar.zst", "distro-fixtures-vunnel.tar.zst"], "endoflife.date", 149, "endoflife_date.txt");
    check(&["dotnet-releases-eol.tar.zst"], ".NET releases", 1, "dotnet_releases.txt");
}

/// Archives as they come: their records, and what in them is no feed (licences, schemas).
#[test]
fn archives_are_read_as_they_come() {
    let Some(data) = shared_data() else { return };
    let check = |name: &str, expected: &[(&str, u64, u64)]| {
        let path = data.join(name);
        if !path.exists() {
            println!("skipped: no {name}");
            return;
        }
        let summaries = source::read(&path, &mut |_| {}).unwrap();
        let came: Vec<_> = summaries.iter().map(|one| (one.format, one.records, one.set_aside)).collect();
        assert_eq!(came, expected, "{name}");
    };
    // the catalogue as JSON and as CSV, each with CISA's words on 1,404 vulnerabilities and its entry for each
    check("cisa-kev.tar.zst", &[("KEV", 4 * 1404, 0), (source::UNKNOWN, 0, 2)]);
    // both maps; 22 ids in each are no CVE ids
    check("exploitdb-cve-map.tar.zst", &[("Exploit-DB", 2 * 29_569, 44), (source::UNKNOWN, 0, 1)]);
    check("endoflife-date.tar.zst", &[("endoflife.date", 8351, 0), (source::UNKNOWN, 0, 2)]);
    check("dotnet-releases-eol.tar.zst", &[(".NET releases", 28, 0), (source::UNKNOWN, 0, 1)]);
    check("trustify-cve-v5.jsonl.zst", &[("CVE", 48, 0)]);
}

/// Which documents of all real data each format claims, and that none is claimed twice.
#[test]
fn nothing_else_is_claimed() {
    let Some(data) = shared_data() else { return };
    let mut archives: Vec<PathBuf> = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).collect();
    archives
        .retain(|path| path.to_string_lossy().ends_with(".tar.zst") || path.to_string_lossy().ends_with(".jsonl.zst"));
    archives.sort();
    let mut text = String::new();
    for archive in archives {
        let mut claims: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        documents(&archive, &mut |name, bytes| {
            let head = Head::new(name, &bytes[..bytes.len().min(HEAD_BYTES_MAX)]);
            let here = FORMATS.iter().filter(|format| HERE.contains(&format.name));
            let claiming: Vec<_> = here.filter(|format| (format.recognises)(&head)).map(|format| format.name).collect();
            assert!(claiming.len() < 2, "{}: {name} is {claiming:?}", archive.display());
            for format in claiming {
                claims.entry(format).or_default().push(name.to_owned());
            }
        });
        let archive = archive.file_name().unwrap().to_string_lossy().into_owned();
        for (format, names) in claims {
            let (first, last) = (&names[0], &names[names.len() - 1]);
            writeln!(text, "{archive} {format} {}: {first} to {last}", names.len()).unwrap();
        }
    }
    compare("intelligence_claims.txt", &text);
}
