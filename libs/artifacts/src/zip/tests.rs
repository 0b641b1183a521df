use super::*;
use crate::fixtures::{Node, ROOT_PACKAGES, file, root, told, zip};
use muster_domain::Inventory;
use muster_packages::{LayerOrigin, merge};
use std::io::{Cursor, Write};

const A: &str = "nodejs/node_modules/a/package.json";
const A1: &str = r#"{"name":"a","version":"1.0.0"}"#;

fn read_with(bytes: &[u8], limits: &Limits) -> Result<Inventory, ArtifactError> {
    Ok(merge(&[(LayerOrigin::LambdaCode, read_zip("code", Cursor::new(bytes), limits)?)]))
}

/// Names and versions, then `place: reason` of what was skipped, then limits reached.
fn check(bytes: &[u8], limits: &Limits, packages: &[&str], skipped: &[&str], reached: &[&str]) {
    let inventory = read_with(bytes, limits).unwrap();
    let found: Vec<String> =
        inventory.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect();
    assert_eq!(found, packages);
    let reasons: Vec<String> =
        inventory.skipped.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason)).collect();
    assert_eq!(reasons, skipped);
    assert_eq!(inventory.limits_reached, reached);
}

#[test]
fn a_zip_gives_the_packages_of_its_root() {
    let bytes = zip(&root());
    assert_eq!(told(&read_with(&bytes, &Limits::default()).unwrap()), ROOT_PACKAGES);
    let prefixed = [b"#!/bin/sh\n".repeat(100), bytes].concat(); // self-extracting
    assert_eq!(told(&read_with(&prefixed, &Limits::default()).unwrap()), ROOT_PACKAGES);
}

#[test]
fn entries_that_lead_out_are_refused_and_the_others_are_read() {
    let refused = "its name leads upwards (`..`)";
    let bytes = zip(&[("../node_modules/x/package.json", file(A1)), (A, file(A1))]);
    check(
        &bytes,
        &Limits::default(),
        &["a 1.0.0"],
        &[&format!("code: ../node_modules/x/package.json: {refused}")],
        &[],
    );
    let bytes = zip(&[("node_modules/x/package.json", Node::Symlink("/etc/passwd".to_owned())), (A, file(A1))]);
    let reason = "node_modules/x/package.json: it is a symbolic link to `/etc/passwd`, where nothing is read";
    check(&bytes, &Limits::default(), &["a 1.0.0"], &[reason], &[]);
}

/// The zip with one byte of each directory entry and file header changed.
fn changed(bytes: &[u8], central: usize, local: usize, value: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() - 4 {
        if bytes[at..].starts_with(b"PK\x01\x02") {
            bytes[at + central] = value;
        } else if bytes[at..].starts_with(b"PK\x03\x04") {
            bytes[at + local] = value;
        }
    }
    bytes
}

#[test]
fn an_entry_that_cannot_be_read_is_told() {
    let bytes = zip(&[(A, file(A1))]);
    let check = |bytes: &[u8], reason: &str| check(bytes, &Limits::default(), &[], &[&format!("{A}: {reason}")], &[]);
    check(&changed(&bytes, 8, 6, 1), "it is encrypted");
    check(&changed(&bytes, 10, 8, 93), "its compression method 93 is not supported"); // zstd
    check(&changed(&bytes, 16, 14, 0), "its content is not what its checksum says");
    check(&changed(&bytes, 42, 0, 9), "it is broken: no file header where one should be");
    check(&changed(&bytes, 45, 0, 9), "it ends early"); // an offset beyond the file
}

#[test]
fn what_is_too_much_is_left_out_and_told() {
    let b = ("b/node_modules/b/package.json", file(r#"{"name":"b","version":"1.0.0"}"#));
    let bytes = zip(&[(A, file(A1)), b]);
    let limits = Limits::default();
    check(
        &bytes,
        &Limits { entries_max: 1, ..limits },
        &["a 1.0.0"],
        &[],
        &["`code`: more than 1 entries; the rest was left out"],
    );
    let large = "its 31 bytes are more than the limit for one file";
    let skipped = [format!("b/node_modules/b/package.json: {large}"), format!("{A}: {large}")]
        .map(|text| text.replace("31", "30"));
    check(&bytes, &Limits { entry_bytes_max: 10, ..limits }, &[], &[&skipped[0], &skipped[1]], &[]);
    let max = A1.len() as u64;
    let reached = format!("`code`: more than {max} bytes in files of interest; the rest was left out");
    check(&bytes, &Limits { zip_bytes_max: max, ..limits }, &["a 1.0.0"], &[], &[&reached]);
}

/// A zip whose files are so many bytes of zeros.
fn zeros(files: &[(&str, u64)]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = ::zip::write::SimpleFileOptions::default().compression_level(Some(1)).large_file(true);
    for (path, bytes) in files {
        writer.start_file(*path, options).unwrap();
        let block = vec![0; 1 << 20];
        for _ in 0..bytes >> 20 {
            writer.write_all(&block).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_bomb_is_inflated_no_further_than_the_limit() {
    // The real case is 10 GB of zeros; what is not of interest is not inflated at all.
    const BYTES: u64 = 256 << 20;
    let bytes = zeros(&[("zeros.bin", BYTES), (A, BYTES)]);
    let limits = Limits { entry_bytes_max: 1 << 20, ..Limits::default() };
    check(&bytes, &limits, &[], &[&format!("{A}: its {BYTES} bytes are more than the limit for one file")], &[]);
    // A header that understates the size does not help it.
    let facts = read_zip("code", Cursor::new(&bytes), &Limits { zip_bytes_max: 1_000, ..limits }).unwrap();
    assert_eq!(facts.files.len(), 1);
}

#[test]
fn what_is_no_zip_is_refused_and_a_broken_directory_is_told() {
    let why = |bytes: &[u8]| match read_with(bytes, &Limits::default()) {
        Err(ArtifactError::NotAZip { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(b""), "it has no end record");
    assert_eq!(why(&b"garbage".repeat(20_000)), "it has no end record");
    let whole = zip(&[(A, file(A1)), ("b", file("b"))]);
    assert_eq!(why(&whole[..whole.len() / 2]), "it has no end record");
    let mut end = whole.clone();
    let length = end.len();
    end[length - 10..length - 6].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(why(&end), "its directory is longer than the file");
    let second = whole.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    let mut broken = whole;
    broken[second] = b'X';
    let reason = "code: its directory is broken: no directory entry where one should be";
    check(&broken, &Limits::default(), &["a 1.0.0"], &[reason], &[]);
}

#[test]
fn no_byte_makes_the_reader_panic() {
    let whole =
        zip(&[(A, file(A1)), ("x/", Node::Folder), ("node_modules/l/package.json", Node::Symlink("x".to_owned()))]);
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let _ = read_with(&bytes, &Limits::default());
        }
        let _ = read_with(&whole[..at], &Limits::default());
        let _ = read_with(&whole[at..], &Limits::default());
    }
}

/// A library with Maven's properties.
fn library(artifact: &str) -> Node {
    let properties = format!("groupId=g\nartifactId={artifact}\nversion=1\n");
    let folder = format!("META-INF/maven/g/{artifact}");
    let files = [
        ("META-INF/MANIFEST.MF", file("Implementation-Version: 9\n")),
        (&format!("{folder}/pom.properties"), file(&properties)),
    ];
    Node::File(zip(&files))
}

/// An archive in as many others.
fn deep(others: usize) -> Node {
    (0..others).fold(library("a"), |inner, _| Node::File(zip(&[("x.jar", inner)])))
}

#[test]
fn java_archives_are_read_like_folders() {
    let plain = zip(&[("META-INF/MANIFEST.MF", file("Implementation-Version: 9\n"))]);
    let war = zip(&[("WEB-INF/lib/a-1.jar", library("a")), ("WEB-INF/lib/plain.jar", Node::File(plain))]);
    let bytes = zip(&[("app.war", Node::File(war)), ("b.jar", library("b"))]);
    check(&bytes, &Limits::default(), &["plain 9", "g:a 1", "g:b 1"], &[], &[]);
    let inventory = read_with(&bytes, &Limits::default()).unwrap();
    let paths = |name: &str| &inventory.packages.iter().find(|package| package.name == name).unwrap().paths;
    assert_eq!(paths("g:a"), &["app.war/WEB-INF/lib/a-1.jar/META-INF/maven/g/a/pom.properties"]);
}

#[test]
fn archives_in_archives_have_limits() {
    check(&zip(&[("a.jar", deep(3))]), &Limits::default(), &["g:a 1"], &[], &[]);
    let reached = "`a.jar/x.jar/x.jar/x.jar/x.jar`: archives inside 4 others were left out";
    check(&zip(&[("a.jar", deep(4))]), &Limits::default(), &[], &[], &[reached]);
    let limits = Limits { entry_bytes_max: 100, ..Limits::default() };
    let bytes = zip(&[("app.war", Node::File(zip(&[("x.jar", library("a"))]))), (A, file(A1))]);
    let inventory = read_with(&bytes, &limits).unwrap();
    assert_eq!(inventory.packages.len(), 1);
    let told = format!("{}: {}", inventory.skipped[0].place, inventory.skipped[0].reason);
    assert!(
        told.starts_with("app.war/x.jar: its ") && told.ends_with(" bytes are more than the limit for one file"),
        "{told}"
    );
    let no_zip = zip(&[("a.jar", file("no zip at all")), (A, file(A1))]);
    check(&no_zip, &Limits::default(), &["a 1.0.0"], &["a.jar: it has no end record"], &[]);
}
