//! What is run on any bytes, by cargo-fuzz and by `tests/fuzzing.rs`.
#![allow(dead_code)] // a fuzz target runs one of them

use muster_advisories::distribution::{Index, PublicKey, plan, verify};
use muster_advisories::feeds::{Document, FORMATS};
use muster_advisories::{Candidate, Database, Head, delta};
use std::path::Path;
use std::sync::LazyLock;

/// A document of every format, its name in the first line: items or an error, in bounded memory.
pub fn feeds(bytes: &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (name, bytes) = bytes.split_at(end);
    let name = String::from_utf8_lossy(name);
    let bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
    let head = Head::new(&name, bytes);
    for format in FORMATS {
        let _ = (format.recognises)(&head);
        let _ = (format.parse)(&Document { name: &name, bytes }, &mut |_| {});
    }
}

/// A signed index, and what is in one: an index or an error, in bounded memory.
pub fn index(bytes: &[u8]) {
    /// Of RFC 8410 §10.1; whoever fuzzes can't sign for it.
    static TRUSTED: LazyLock<[PublicKey; 1]> = LazyLock::new(|| {
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        [PublicKey::from_pem(Path::new("key"), pem).expect("the key of the standard")]
    });
    assert!(verify(bytes, &*TRUSTED).is_err());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = PublicKey::from_pem(Path::new("key"), text);
    }
    let Ok(index) = Index::parse(bytes) else { return };
    assert_eq!(Index::parse(&index.to_payload()).expect("what was read can be written"), index);
    plan(&index, None);
    for delta in index.deltas() {
        plan(&index, Some(&delta.from));
    }
}

/// A database: refused, or every question answered or refused.
pub fn database(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("advisories.db");
    // A file that is longer or shorter than its header says is refused before anything else is read: with the right length
    // there, in bytes 16 to 23, more of the inputs get further.
    let mut bytes = bytes.to_vec();
    let length = (bytes.len() as u64).to_le_bytes();
    if let Some(stated) = bytes.get_mut(16..24) {
        stated.copy_from_slice(&length);
    }
    std::fs::write(&path, bytes).expect("the folder is ours");
    let Ok(database) = Database::open(&path) else { return };
    let _ = database.verify();
    database.info();
    let _ = database.search("e", 20);
    database.life_cycles().take(100).for_each(drop);
    for package in database.packages().take(100).flatten() {
        database.covers(&package.ecosystem);
        for claim in database.candidates(&package.ecosystem, &package.name).take(100).flatten() {
            ask(&database, &claim);
        }
    }
    delta(&database, &database);
}

fn ask(database: &Database, claim: &Candidate<'_>) {
    let _ = (claim.advisory(), claim.withdrawn(), claim.vendor(), claim.aliases(), claim.severity(), claim.source());
    let _ = (claim.module(), claim.remark(), claim.statements(), claim.score(), claim.state(), claim.names());
    if let Ok(architectures) = claim.architectures() {
        architectures.take(100).for_each(drop);
    }
    if let Ok(vulnerability) = claim.vulnerability() {
        let _ = database.facts(vulnerability);
        let _ = database.vulnerability_named(vulnerability);
    }
    if let Ok(ranges) = claim.ranges() {
        ranges.take(100).for_each(drop);
    }
}
