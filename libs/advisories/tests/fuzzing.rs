//! Any bytes as every feed, index and database: read or refused. See `muster_fuzzing`.

#[path = "../fuzz/bodies.rs"]
mod bodies;

use muster_advisories::{Builder, Item, source};
use muster_domain::{Epss, KnownExploited};
use muster_fuzzing::{corpus, run};
use std::fs;
use std::path::Path;

/// The target's corpus, with so many mutations of each seed.
fn check(target: &str, rounds: u64, body: fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/");
    run(target, &corpus(format!("{folder}{target}")), rounds, body);
}

/// A database of the OSV records that the other tests read, one of them with an exploit and a prediction: smaller than any
/// that is published.
fn write_database(path: &Path) {
    let mut builder = Builder::new(1, "2026-11-24T00:00:00Z".parse().unwrap());
    let records = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/osv");
    source::read(records, &mut |item| drop(builder.take(item))).unwrap();
    let known = KnownExploited {
        date_added: "2023-10-25".into(),
        due_date: "2023-11-15".into(),
        required_action: "Apply updates.".into(),
        ransomware: true,
    };
    builder.take(Item::KnownExploited("CVE-2023-5363".to_owned(), known));
    builder.take(Item::Epss("CVE-2023-5363".to_owned(), Epss { score: 0.02, percentile: 0.9 }));
    builder.write(path).unwrap();
}

#[test]
fn any_bytes_are_a_document_or_refused() {
    check("feeds", 600, bodies::feeds);
}

#[test]
fn any_bytes_are_an_index_or_refused() {
    check("index", 20000, bodies::index);
}

#[test]
fn any_bytes_are_a_database_or_refused() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzzing/database");
    fs::create_dir_all(&folder).unwrap();
    write_database(&folder.join("small"));
    run("database", &corpus(folder), 5000, bodies::database);
}
