//! The rpm world's feeds on real documents: what comes out of each is compared with `golden/*.txt` (`UPDATE_GOLDEN=1`
//! writes them anew). The documents lie in `../shared/data` beside the checkout (or in `MUSTER_SHARED_DATA`); without them
//! only the committed fixtures are read, and the tests say so.

use muster_advisories::feeds::{Document, FORMATS, Format};
use muster_advisories::{Head, Item};
use muster_domain::{Advisory, Affected, Names};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Records that are shown whole of each document.
const SHOWN_WHOLE: usize = 5;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An archive of the data folder, `None` where it is not there.
fn archive(name: &str) -> Option<Vec<u8>> {
    let beside = here().join("../../../shared/data");
    let folder = std::env::var_os("MUSTER_SHARED_DATA").map_or(beside, PathBuf::from);
    match std::fs::read(folder.join(name)) {
        Ok(packed) => {
            let mut decoder = zstd::Decoder::new(&packed[..]).unwrap();
            decoder.window_log_max(27).unwrap();
            let mut bytes = Vec::new();
            decoder.read_to_end(&mut bytes).unwrap();
            Some(bytes)
        }
        Err(error) => {
            eprintln!("skipped: {name} can't be read in {}: {error}", folder.display());
            None
        }
    }
}

/// The files of a tar, by name.
fn files(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(tar).entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(name, bytes);
        }
    }
    files
}

/// Every format that claims a document.
fn claiming(name: &str, bytes: &[u8]) -> Vec<&'static Format> {
    let head = Head::new(name, bytes);
    FORMATS.iter().filter(|format| (format.recognises)(&head)).collect()
}

/// What a document says: the first records whole, the others by their ids, and the counts.
fn told(format: &str, name: &str, bytes: &[u8]) -> String {
    let claiming = claiming(name, bytes);
    assert_eq!(claiming.iter().map(|format| format.name).collect::<Vec<_>>(), [format], "{name}");
    let (mut records, mut affected, mut skipped, mut partial) = (0, 0, 0, 0);
    let (mut whole, mut said) = (String::new(), String::new());
    (claiming[0].parse)(&Document { name, bytes }, &mut |item| match item {
        Item::Advisory(advisory) => {
            records += 1;
            affected += advisory.affected.len();
            if records <= SHOWN_WHOLE {
                whole.push_str(&shown(&advisory));
            }
        }
        Item::Skipped(one) => {
            skipped += 1;
            writeln!(said, "! {}: {}", one.place, one.reason).unwrap();
        }
        Item::Partial(one) => {
            partial += 1;
            writeln!(said, "- {}: {}", one.place, one.reason).unwrap();
        }
        Item::UnknownEcosystem(spelled) => writeln!(said, "? {spelled}").unwrap(),
        other => panic!("{other:?}"),
    })
    .unwrap();
    let short = name.rsplit('/').next().unwrap();
    let counts = format!("{records} records, {affected} affected, {skipped} skipped, {partial} partial");
    format!("== {short}: {counts}\n{said}{whole}\n")
}

fn shown(advisory: &Advisory) -> String {
    let mut text = format!("{} {} [{}]", advisory.source, advisory.id.0, advisory.scope);
    let dates = [("published", advisory.published), ("modified", advisory.modified)];
    for (word, date) in dates {
        if let Some(date) = date {
            write!(text, " {word} {date}").unwrap();
        }
    }
    writeln!(text).unwrap();
    writeln!(text, "  {}", advisory.summary).unwrap();
    writeln!(text, "  upstream {}", advisory.upstream.join(" ")).unwrap();
    if let Some(severity) = &advisory.vendor_severity {
        writeln!(text, "  severity {severity}").unwrap();
    }
    for vector in &advisory.severity {
        writeln!(text, "  {} {} {}", vector.source, vector.kind, vector.vector).unwrap();
    }
    if !advisory.cwes.is_empty() {
        writeln!(text, "  {}", advisory.cwes.join(" ")).unwrap();
    }
    for reference in advisory.references.iter().take(2) {
        writeln!(text, "  {} {}", reference.kind, reference.url).unwrap();
    }
    for affected in &advisory.affected {
        writeln!(text, "  {}", entry(affected)).unwrap();
    }
    text
}

fn entry(affected: &Affected) -> String {
    let events: Vec<_> = affected.ranges.iter().flat_map(|range| &range.events).collect();
    let names = if affected.names == Names::Source { " (source)" } else { "" };
    let mut text = format!("{} {}{names} {events:?}", affected.ecosystem, affected.name);
    if let Some(state) = affected.state {
        write!(text, " {state:?}").unwrap();
    }
    if let Some(module) = &affected.module {
        write!(text, " of {module}").unwrap();
    }
    if !affected.architectures.is_empty() {
        write!(text, " on {}", affected.architectures.join("|")).unwrap();
    }
    if let Some(remark) = &affected.remark {
        write!(text, " \"{remark}\"").unwrap();
    }
    text
}

fn check_golden(name: &str, text: &str) {
    let path = here().join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let different = text.lines().zip(expected.lines()).find(|(now, then)| now != then);
    assert!(text == expected, "{} differs, first in {different:?}", path.display());
}

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(here().join("tests/fixtures").join(path)).unwrap()
}

/// The documents of an archive whose names hold any of these, as one text.
fn told_of(archive_name: &str, format: &str, wanted: &[&str]) -> Option<String> {
    let files = files(&archive(archive_name)?);
    let is_wanted = |name: &str| wanted.iter().any(|part| name.contains(part));
    let chosen: Vec<_> = files.iter().filter(|(name, _)| is_wanted(name)).collect();
    assert!(chosen.len() >= wanted.len(), "{archive_name} lacks some of {wanted:?}");
    Some(chosen.into_iter().map(|(name, bytes)| told(format, name, bytes)).collect())
}

#[test]
fn amazons_notices_are_read() {
    let name = "amazon-linux.xml";
    let whole: String = {
        let bytes = fixture("updateinfo/amazon-linux.xml");
        let text = String::from_utf8(bytes).unwrap();
        // A document for each, so that each is shown whole.
        let updates: Vec<&str> = text.split_inclusive("</update>").filter(|part| part.contains("<update ")).collect();
        let each = updates.iter().map(|update| {
            let update = &update[update.find("<update ").unwrap()..];
            told("updateinfo", name, format!("<updates>{update}</updates>").as_bytes())
        });
        each.collect::<String>() + told("updateinfo", name, text.as_bytes()).lines().next().unwrap()
    };
    check_golden("updateinfo.txt", &(whole + "\n"));
}

#[test]
fn amazons_states_are_read() {
    let bytes = fixture("amazon_explore/pages.json");
    let pages: Vec<serde_json::Value> = serde_json::from_slice(&bytes).unwrap();
    let each = pages.iter().map(|page| told("Amazon Linux CVE", "CVE.json", page.to_string().as_bytes()));
    let text = each.collect::<String>() + &told("Amazon Linux CVE", "pages.json", &bytes);
    check_golden("amazon_explore.txt", &text);
}

#[test]
fn oval_of_each_publisher_is_read() {
    let fixtures = ["oracle/test-fixtures/mock_", "sles/test-fixtures/suse_truncated.xml", "-oval.xml"];
    let Some(text) = told_of("distro-fixtures-vunnel.tar.zst", "OVAL", &fixtures) else { return };
    let photon = ["photon/testdata/com.vmware.phsa-photon3.xml"];
    let Some(photon) = told_of("distro-fixtures-claircore.tar.zst", "OVAL", &photon) else { return };
    check_golden("oval.txt", &(text + &photon));
}

#[test]
fn photons_list_is_read() {
    let lists = ["photon/test-fixtures/input/cve_data_photon"];
    if let Some(text) = told_of("distro-fixtures-vunnel.tar.zst", "Photon OS", &lists) {
        check_golden("photon.txt", &text);
    }
}

#[test]
fn fedoras_updates_are_read() {
    let updates = ["fedora/test-fixtures/input/", "fedora/test-fixtures/merge-input/"];
    if let Some(text) = told_of("distro-fixtures-vunnel.tar.zst", "Bodhi", &updates) {
        check_golden("bodhi.txt", &text);
    }
}

#[test]
fn osv_records_of_rebuilds_are_completed() {
    let rocky = ["rocky/test-fixtures/osv/", "alma/test-fixtures/osv-database/"];
    let Some(mut text) = told_of("distro-fixtures-vunnel.tar.zst", "OSV", &rocky) else { return };
    let Some(alma) = archive("almalinux-osv.jsonl.zst") else { return };
    let (mut records, mut entries, mut modules, mut without, mut reasons) = (0, 0, 0, 0, 0);
    for line in alma.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let format = claiming("almalinux-osv.jsonl", line)[0];
        (format.parse)(&Document { name: "almalinux-osv.jsonl", bytes: line }, &mut |item| match item {
            Item::Advisory(advisory) => {
                records += 1;
                entries += advisory.affected.len();
                modules += advisory.affected.iter().filter(|one| one.module.is_some()).count();
                without += usize::from(advisory.upstream.is_empty());
                assert!(advisory.affected.iter().all(|one| one.ecosystem.as_str().starts_with("AlmaLinux:")));
            }
            Item::Partial(_) => reasons += 1,
            other => panic!("{other:?}"),
        })
        .unwrap();
    }
    writeln!(text, "AlmaLinux: {records} records, {entries} affected, {modules} of modules").unwrap();
    writeln!(text, "AlmaLinux: {without} security records without a CVE, {reasons} with modules of no named stream")
        .unwrap();
    check_golden("osv_rebuilds.txt", &text);
}

/// The fuzz target's seeds, cut at every byte and with every byte changed, to every format: each gives items or an error.
#[test]
fn a_damaged_document_gives_items_or_an_error() {
    let mut seeds = 0;
    for entry in std::fs::read_dir(here().join("fuzz/corpus/feeds")).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rpm-")) {
            continue;
        }
        seeds += 1;
        let seed = std::fs::read(path).unwrap();
        let end = seed.iter().position(|&byte| byte == b'\n').unwrap();
        let (name, whole) = (std::str::from_utf8(&seed[..end]).unwrap(), &seed[end + 1..]);
        for at in 0..whole.len() {
            let changed = |byte: u8| [&whole[..at], &[byte], &whole[at + 1..]].concat();
            for bytes in [whole[..at].to_vec(), changed(b'<'), changed(b'"'), changed(0xff), changed(b'9')] {
                for format in claiming(name, &bytes) {
                    let _ = (format.parse)(&Document { name, bytes: &bytes }, &mut |_| {});
                }
            }
        }
    }
    assert_eq!(seeds, 7);
}

/// Other tools' snapshots, lock files, SBOMs: none of them is a feed of ours, and no document is of two formats.
#[test]
fn no_document_is_claimed_by_two_formats_or_by_mistake() {
    let ours = ["Amazon Linux CVE", "updateinfo", "OVAL", "Photon OS", "Bodhi"];
    let mut claims = BTreeMap::new();
    for name in [
        "distro-fixtures-vunnel.tar.zst",
        "distro-fixtures-claircore.tar.zst",
        "ghsa-nvd-fixtures-trivy-db.tar.zst",
        "grype-nvd-fixtures.tar.zst",
        "sbom-trustify.tar.zst",
        "lockfile-fixtures-osv-scanner.tar.zst",
    ] {
        let Some(tar) = archive(name) else { return };
        for (path, bytes) in files(&tar) {
            let claiming: Vec<_> = claiming(&path, &bytes).iter().map(|format| format.name).collect();
            let mine: Vec<_> = claiming.iter().filter(|format| ours.contains(format)).copied().collect();
            assert!(mine.is_empty() || claiming.len() == 1, "{path} is claimed by {claiming:?}");
            for format in mine {
                claims.entry((name, format)).or_insert_with(Vec::new).push(path.clone());
            }
        }
    }
    let counts: Vec<_> = claims.iter().map(|((archive, format), paths)| (*archive, *format, paths.len())).collect();
    let expected = [
        ("distro-fixtures-claircore.tar.zst", "OVAL", 1),
        ("distro-fixtures-vunnel.tar.zst", "Bodhi", 10),
        ("distro-fixtures-vunnel.tar.zst", "OVAL", 6),
        ("distro-fixtures-vunnel.tar.zst", "Photon OS", 2),
    ];
    assert_eq!(counts, expected, "{claims:#?}");
}
