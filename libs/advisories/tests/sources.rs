//! Reading feeds as they lie: folders, archives, packed files, and what is wrong with them.

use muster_advisories::{
    Item,
    source::{self, Limits},
};
use std::io::Write as _;
use std::path::Path;

const RECORD: &str = r#"{"id":"GHSA-1","affected":[{"package":{"ecosystem":"npm","name":"a"}}]}"#;
const OTHER: &str = r#"{"id":"BIT-1","affected":[{"package":{"ecosystem":"Plan 9","name":"a"}}]}"#;
const KEV: &str =
    r#"{"title":"CISA","catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10"}]}"#;
const EPSS: &str =
    "#model_version:v1,score_date:2025-01-01T00:00:00Z\ncve,epss,percentile\nCVE-2021-44228,0.9,0.99\nx,1,1\n";

/// Reads `path`: what came, as short words, then the summaries.
fn read(path: &Path, limits: Limits) -> (Vec<String>, Vec<String>) {
    let root = format!("{}/", path.display());
    let mut items = Vec::new();
    let summaries = source::read_within(path, limits, &mut |item| {
        items.push(match item {
            Item::Advisory(advisory) => advisory.id.0,
            Item::KnownExploited(cve, _) => format!("{cve} exploited"),
            Item::Epss(cve, _) => format!("{cve} predicted"),
            Item::Skipped(skipped) => {
                format!("{}! {}", skipped.place.replace(&root, ""), skipped.reason)
            }
            other => format!("{other:?}"),
        });
    })
    .unwrap();
    let summary = |summary: &source::SourceSummary| {
        let place = format!("{}/", summary.path.display()).replace(&root, "");
        format!("{}: {} {} + {}", place.trim_end_matches('/'), summary.format, summary.records, summary.set_aside)
    };
    (items, summaries.iter().map(summary).collect())
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_folder_of_everything_is_read_in_the_order_of_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put("a/one.json", RECORD.as_bytes());
    put("a/two.json", b"{\"id\":\"X\",\"modified\":");
    put("all.zip", &zipped(&[("npm/1.json", RECORD.as_bytes()), ("README", b"hello"), ("2.json", OTHER.as_bytes())]));
    put("epss_scores-current.csv.gz", &gzipped(EPSS.as_bytes()));
    put("kev.json", KEV.as_bytes());
    put("lines.jsonl.zst", &zstd::encode_all(format!("{RECORD}\n\n[]\n{{}}\n{OTHER}").as_bytes(), 1).unwrap());
    put("broken.zip", b"PK\x03\x04 and no more");
    put("cut.json.gz", &gzipped(RECORD.as_bytes())[..20]);
    put(".git/config", b"[core]");
    put("notes.txt", b"notes");

    let (items, summaries) = read(folder.path(), Limits::default());
    let skipped: Vec<&String> = items.iter().filter(|item| item.contains('!')).collect();
    let came: Vec<&String> = items.iter().filter(|item| !item.contains('!')).collect();
    assert_eq!(
        came,
        ["GHSA-1", "GHSA-1", "BIT-1", "CVE-2021-44228 predicted", "CVE-2021-44228 exploited", "GHSA-1", "BIT-1"]
    );
    let expected = [
        "a/two.json! is not OSV JSON: EOF while parsing a value at line 1 column 21",
        "broken.zip! archive can't be read: ",
        "cut.json.gz! can't be read: ",
        "epss_scores-current.csv.gz: line 4! first column is not a CVE",
        "notes.txt! is of no known format",
        "all.zip: README! is of no known format",
        "lines.jsonl.zst: line 3! is of no known format, nor are 1 more beside it",
        "! unknown ecosystem `Plan 9` in 2 records",
    ];
    assert_eq!(skipped.len(), expected.len(), "{skipped:#?}");
    for (skipped, expected) in skipped.iter().zip(expected) {
        assert!(skipped.contains(expected), "{skipped} / {expected}");
    }
    assert_eq!(
        summaries,
        [
            "a: OSV 1 + 1",
            "all.zip: OSV 2 + 0",
            "all.zip: unknown 0 + 1",
            "broken.zip: unknown 0 + 1",
            "cut.json.gz: unknown 0 + 1",
            "epss_scores-current.csv.gz: EPSS 1 + 1",
            "kev.json: KEV 1 + 0",
            "lines.jsonl.zst: OSV 2 + 0",
            "lines.jsonl.zst: unknown 0 + 2",
            "notes.txt: unknown 0 + 1",
        ]
    );
}

#[test]
fn limits_hold_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.zip");
    let check = |bytes: &[u8], limits: Limits, expected: &[&str]| {
        std::fs::write(&path, bytes).unwrap();
        let (items, _) = read(&path, limits);
        assert_eq!(items.len(), expected.len(), "{items:#?}");
        for (item, expected) in items.iter().zip(expected) {
            assert!(item.contains(expected), "{item} / {expected}");
        }
    };
    let two = zipped(&[("1.json", RECORD.as_bytes()), ("2.json", RECORD.as_bytes())]);
    let entries = Limits { entries_max: 1, ..Limits::default() };
    check(&two, entries, &["! archive has more than 1 entries"]);
    let bytes = Limits { bytes_max: RECORD.len() as u64 + 1, ..Limits::default() };
    check(&two, bytes, &["GHSA-1", "2.json! source is longer than 72 bytes, the rest was not read"]);
    // zeros behind an opening brace: 64 MiB out of 64 KiB, of which only the limit is ever unpacked
    let mut bomb = br#"{"id":"X","modified":""#.to_vec();
    bomb.resize(64 << 20, 0);
    check(&zipped(&[("bomb.json", &bomb)]), Limits::default(), &["bomb.json! is longer than 16777216 bytes"]);
    let skipped = Limits { skipped_max: 1, ..Limits::default() };
    check(
        &zipped(&[("1", b"x"), ("2", b"x"), ("3", b"x")]),
        skipped,
        &["1! is of no known format, nor are 2 more beside it"],
    );
}

#[test]
fn a_line_that_is_too_long_does_not_stop_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.jsonl");
    let mut lines = b"{\"id\":\"".to_vec();
    lines.resize(17 << 20, b'x');
    lines.extend(format!("\n{RECORD}\n").bytes());
    std::fs::write(&path, lines).unwrap();
    let (items, summaries) = read(&path, Limits::default());
    assert!(items[0].ends_with("line 1! is longer than 16777216 bytes"), "{items:?}");
    assert_eq!(items[1], "GHSA-1");
    assert!(summaries[0].ends_with("OSV 1 + 0") && summaries[1].ends_with("unknown 0 + 1"), "{summaries:?}");
}

#[test]
fn a_source_that_is_not_there_is_an_error() {
    let error = source::read("/nowhere/at/all", &mut |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "read advisories from `/nowhere/at/all`");
}

/// Real feeds, where they lie beside the checkout.
#[test]
fn real_feeds_are_read_without_a_loss() {
    let Some(data) = shared_data() else { return };
    let check = |name: &str, format: &str, records: u64, set_aside: u64| {
        let path = data.join(name);
        if !path.exists() {
            println!("skipped: no {name}");
            return;
        }
        let summaries = source::read(&path, &mut |_| {}).unwrap();
        let [summary] = &summaries[..] else { panic!("{summaries:?}") };
        assert_eq!((summary.format, summary.records, summary.set_aside), (format, records, set_aside), "{name}");
    };
    check("go-vulndb-osv.jsonl.zst", "OSV", 4291, 0);
    check("bitnami-vulndb-osv.jsonl.zst", "OSV", 7444, 0);
    check("almalinux-osv.jsonl.zst", "OSV", 4483, 0); // of 5,680; the others fix bugs that are no vulnerabilities
    check("trustify-osv-ghsa.jsonl.zst", "OSV", 32, 0);
}

/// One file of an archive of real data.
fn from_archive(archive: &Path, ending: &str) -> Option<Vec<u8>> {
    let mut decoder = zstd::Decoder::new(std::fs::File::open(archive).ok()?).unwrap();
    decoder.window_log_max(27).unwrap();
    let mut archive = tar::Archive::new(decoder);
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let mut entry = entries.find(|entry| entry.path().unwrap().to_string_lossy().ends_with(ending))?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
    Some(bytes)
}

#[test]
fn the_real_catalogue_and_table_are_read_without_a_loss() {
    let Some(data) = shared_data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let check = |archive: &str, ending: &str, word: &str, expected: usize| {
        let Some(bytes) = from_archive(&data.join(archive), ending) else {
            println!("skipped: no {archive}");
            return;
        };
        let path = folder.path().join("feed");
        std::fs::write(&path, bytes).unwrap();
        let (items, _) = read(&path, Limits::default());
        assert_eq!(items.iter().filter(|item| item.ends_with(word)).count(), expected, "{archive}");
        assert!(!items.iter().any(|item| item.contains('!')), "{archive}: {items:?}");
    };
    check("cisa-kev.tar.zst", "known_exploited_vulnerabilities.json", "exploited", 1404);
    check("distro-fixtures-vunnel.tar.zst", "providers/epss/test-fixtures/example-1.csv", "predicted", 5);
}

fn shared_data() -> Option<std::path::PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("MUSTER_SHARED_DATA").map_or(beside, Into::into);
    if !data.is_dir() {
        println!("skipped: no shared data beside the checkout");
        return None;
    }
    Some(data)
}
