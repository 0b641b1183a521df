use super::*;
use crate::{
    NoProgress,
    fixtures::{self, Node, ROOT_PACKAGES, file, gzip, root, tar, tar_entry, tar_header, told, zstd},
};
use muster_domain::Inventory;
use muster_packages::{LayerOrigin, merge};
use std::time::{Duration, Instant};

fn read_with(stored: Vec<u8>, limits: &Limits) -> Result<Inventory, ArtifactError> {
    let (digest, size) = (Digest::of(&stored), Some(stored.len() as u64));
    let facts = read_layer(LayerStream { digest, size, reader: stored.as_slice() }, limits, &NoProgress)?;
    Ok(merge(&[(LayerOrigin::Root, facts)]))
}

fn read(stored: Vec<u8>) -> Inventory {
    read_with(stored, &Limits::default()).unwrap()
}

const A: &str = "srv/node_modules/a/package.json";
const A1: &str = r#"{"name":"a","version":"1.0.0"}"#;

/// Names and versions, then reasons of what was skipped, then limits reached.
fn check(stored: Vec<u8>, limits: &Limits, packages: &[&str], skipped: &[&str], reached: &[&str]) {
    let inventory = read_with(stored, limits).unwrap();
    let found: Vec<String> =
        inventory.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect();
    assert_eq!(found, packages);
    let reasons: Vec<&str> = inventory.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!(reasons, skipped);
    let matches = |(limit, expected): (&String, &&str)| assert!(limit.contains(expected), "{limit}");
    assert_eq!(inventory.limits_reached.len(), reached.len(), "{:?}", inventory.limits_reached);
    inventory.limits_reached.iter().zip(reached).for_each(matches);
}

#[test]
fn a_layer_says_the_same_however_it_is_compressed() {
    let plain = tar(&root());
    let expected = read(plain.clone());
    assert_eq!(told(&expected), ROOT_PACKAGES);
    assert_eq!(read(gzip(&plain)), expected);
    assert_eq!(read(zstd(&plain)), expected);
    let (first, second) = plain.split_at(5_000);
    assert_eq!(read([gzip(first), gzip(second)].concat()), expected); // gzip streams may follow each other (RFC 1952)
    assert_eq!(read([zstd(first), zstd(second)].concat()), expected);
}

#[test]
fn names_of_any_length_and_form_are_understood() {
    let long = format!("{}/node_modules/a/package.json", "long".repeat(60));
    let pax = |records: &[(&str, &str)]| {
        let record = |(key, value): &(&str, &str)| {
            let rest = format!(" {key}={value}\n");
            let length = (1..).find(|length: &usize| length.to_string().len() + rest.len() == *length).unwrap();
            format!("{length}{rest}")
        };
        tar_entry("pax", b'x', "", records.iter().map(record).collect::<String>().as_bytes())
    };
    let entry = || tar_entry("short", b'0', "", A1.as_bytes());
    let ok = |stored: Vec<u8>| check(stored, &Limits::default(), &["a 1.0.0"], &[], &[]);
    ok(tar(&[(&long, file(A1))]));
    ok([pax(&[("path", &long)]), entry()].concat());
    ok([pax(&[("comment", "x\n30 path=elsewhere/package.json\n"), ("path", &long)]), entry()].concat());
    ok([tar_entry("global", b'g', "", b"22 comment=0123456789\n"), tar_entry(A, b'0', "", A1.as_bytes())].concat());
    ok(tar(&[(&format!("./{A}"), file(A1))]));
    ok(tar(&[(&format!("/{A}"), file(A1))]));
    ok(tar(&[("srv/", Node::Folder), (A, file(A1)), ("x", Node::HardLink(A.to_owned()))]));
    ok([tar_entry(A, 0, "", A1.as_bytes()), tar_entry("old-folder/", 0, "", b"")].concat()); // before POSIX; no end mark
}

#[test]
fn whiteouts_speak_of_the_layers_below() {
    let digest = Digest::of(b"x");
    let mut collector = Collector::new(Limits::default().facts);
    for path in ["a/.wh.b", ".wh.c", "d/.wh..wh..opq", ".wh..wh.plnk", "e/.wh.", "f/.wh..."] {
        assert!(take_whiteout(path, &mut collector), "{path}");
    }
    assert!(!take_whiteout("a/b.wh.c", &mut collector));
    let facts = collector.finish();
    assert_eq!(facts.removed.into_iter().collect::<Vec<_>>(), ["a/b", "c"]);
    assert_eq!(facts.emptied.into_iter().collect::<Vec<_>>(), ["d"]);
    let upper = tar(&[("srv/node_modules/.wh.a", file("")), ("srv/node_modules/.wh.b", file(""))]);
    let layer = |stored: Vec<u8>| {
        let stream = LayerStream { digest: Digest::of(&stored), size: None, reader: stored.as_slice() };
        read_layer(stream, &Limits::default(), &NoProgress).unwrap()
    };
    let layers = [
        (LayerOrigin::Image(digest.clone()), layer(tar(&[(A, file(A1))]))),
        (LayerOrigin::Image(digest), layer(upper)),
    ];
    assert_eq!(merge(&layers).packages, []);
    assert_eq!(merge(&layers[..1]).packages.len(), 1);
}

#[test]
fn entries_that_lead_out_are_refused_and_the_others_are_read() {
    let skipped = |name: &str, reason: &str| {
        check(tar(&[(name, file(A1)), (A, file(A1))]), &Limits::default(), &["a 1.0.0"], &[reason], &[]);
    };
    skipped("../node_modules/x/package.json", "its name leads upwards (`..`)");
    skipped("srv/../../x", "its name leads upwards (`..`)");
    let hard_link = [("x/node_modules/x/package.json", Node::HardLink("../../etc/passwd".to_owned())), (A, file(A1))];
    check(tar(&hard_link), &Limits::default(), &["a 1.0.0"], &["its target: its name leads upwards (`..`)"], &[]);
    let outside = [("srv/node_modules/x/package.json", Node::Symlink("/proc/self/environ".to_owned())), (A, file(A1))];
    let reason = "it is a symbolic link to `/proc/self/environ`, where nothing is read";
    check(tar(&outside), &Limits::default(), &["a 1.0.0"], &[reason], &[]);
}

#[test]
fn what_is_too_much_is_left_out_and_told() {
    let limits = Limits::default();
    let two = || tar(&[(A, file(A1)), ("node_modules/b/package.json", file(r#"{"name":"b","version":"1.0.0"}"#))]);
    check(two(), &Limits { entries_max: 1, ..limits }, &["a 1.0.0"], &[], &["more than 1 entries"]);
    let small = Limits { layer_bytes_max: 1_024, ..limits };
    check(gzip(&two()), &small, &["a 1.0.0"], &[], &["more than 1024 bytes after decompression"]);
    assert!(matches!(read_with(two(), &small), Err(ArtifactError::TooLarge { max: 1_024, .. })));
    check(
        two(),
        &Limits { entry_bytes_max: 10, ..limits },
        &[],
        &["its 30 bytes are more than the limit for one file", "its 30 bytes are more than the limit for one file"],
        &[],
    );
    check(two(), &Limits { depth_max: 3, ..limits }, &["b 1.0.0"], &["it lies more than 3 folders deep"], &[]);
    check(
        two(),
        &Limits { path_bytes_max: 28, ..limits },
        &["b 1.0.0"],
        &["its name of 31 bytes is longer than 28"],
        &[],
    );
}

#[test]
fn a_layer_that_ends_early_gives_what_could_be_read() {
    let whole = tar(&[(A, file(A1)), ("big.txt", Node::File(vec![7; 100_000]))]);
    for stored in [whole[..5_000].to_vec(), gzip(&whole[..5_000]), zstd(&whole[..5_000])] {
        check(stored, &Limits::default(), &["a 1.0.0"], &["its archive ends early; what follows is missing"], &[]);
    }
    // Cut inside the compressed stream, and inside the file of interest itself.
    let noise: Vec<u8> = (0..100_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let compressed = gzip(&tar(&[(A, file(A1)), ("noise.txt", Node::File(noise))]));
    let inventory = read(compressed[..compressed.len() / 2].to_vec());
    assert_eq!((inventory.packages.len(), inventory.skipped.len()), (1, 1));
    let inside = read(whole[..520].to_vec());
    let reasons: Vec<&str> = inside.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!(reasons, ["its archive ends early; what follows is missing", "the archive breaks off inside it"]);
}

#[test]
fn garbage_is_told_with_its_place() {
    let broken = "its archive is broken: not a tar header before byte ";
    let reason = |stored: Vec<u8>| read(stored).skipped[0].reason.clone();
    assert_eq!(reason(b"garbage".repeat(200)), format!("{broken}512; what follows is missing"));
    assert_eq!(
        reason([tar_entry("x", b'0', "", b""), vec![1; 512]].concat()),
        format!("{broken}1024; what follows is missing")
    );
    assert!(reason([gzip(b"")[..8].to_vec(), vec![0xff; 600]].concat()).starts_with("its archive is broken: "));
    assert!(reason([vec![0x28, 0xb5, 0x2f, 0xfd], vec![0xff; 600]].concat()).starts_with("its archive is broken: "));
    assert_eq!(read(Vec::new()), Inventory::default()); // an empty layer is one
}

#[test]
fn a_stream_that_is_not_what_its_digest_says_gives_nothing() {
    let stored = gzip(&tar(&root()));
    let error = |digest: &[u8], size: u64, stored: &[u8]| {
        let stream = LayerStream { digest: Digest::of(digest), size: Some(size), reader: stored };
        let error = read_layer(stream, &Limits::default(), &NoProgress).unwrap_err();
        std::error::Error::source(&error).map_or(error.to_string(), ToString::to_string)
    };
    let length = stored.len() as u64;
    assert!(error(b"other", length, &stored).contains("has the content of"));
    assert_eq!(error(&stored, length, &stored[..100]), format!("it ends after 100 of {length} bytes"));
    assert_eq!(error(&stored, length - 1, &stored), format!("it has more than {} bytes", length - 1));
    assert!(error(&stored, u64::MAX, &stored).ends_with("is more than the limit of 21474836480"));
    let trailing = [stored.as_slice(), b"behind the end of the tar"].concat();
    assert!(error(&stored, trailing.len() as u64, &trailing).contains("has the content of")); // all of it counts
}

/// The most memory that this process has had, in bytes (proc(5), `VmHWM`).
fn memory_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Zeros without end behind a header, compressed on the fly.
fn bomb(header: &[u8], zeros: u64) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(header).unwrap();
    io::copy(&mut io::repeat(0).take(zeros), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bombs_take_neither_memory_nor_time() {
    const GIB: u64 = 1 << 30;
    let limits = Limits { layer_bytes_max: 2 * GIB, ..Limits::default() };
    let before = (memory_peak(), Instant::now());
    for (name, kind, expected) in [
        (A, b'0', "its 3221225472 bytes are more than the limit for one file"),
        (
            "x",
            b'L',
            "its archive is broken: an extended header of 3221225472 bytes before byte 512; what follows is missing",
        ),
        (
            "x",
            b'x',
            "its archive is broken: an extended header of 3221225472 bytes before byte 512; what follows is missing",
        ),
    ] {
        let stored = bomb(tar_header(name, kind, "", 3 * GIB).as_bytes(), 3 * GIB);
        assert_eq!(read_with(stored, &limits).unwrap().skipped[0].reason, expected);
    }
    let grown = memory_peak().saturating_sub(before.0);
    assert!(grown < 100 << 20, "{grown} bytes");
    assert!(before.1.elapsed() < Duration::from_secs(120));
}

#[test]
fn no_header_makes_the_reader_panic() {
    // Sizes, types and cut-offs that no tar has.
    for kind in 0..=255 {
        for size in [0, 1, 511, 1 << 40, u64::MAX >> 1] {
            let mut stored = tar_header(A, kind, "x", size).as_bytes().to_vec();
            stored.extend(fixtures::tar(&[(A, file(A1))]));
            read(stored.clone());
            read(stored[..700].to_vec());
        }
    }
}
