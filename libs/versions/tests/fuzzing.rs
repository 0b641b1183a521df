//! Any bytes as versions and as ranges: read or refused. See `muster_fuzzing`.

#[path = "../fuzz/bodies.rs"]
mod bodies;

use muster_fuzzing::{corpus, run};

/// The target's corpus, with so many mutations of each seed.
fn check(target: &str, rounds: u64, body: fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/");
    run(target, &corpus(format!("{folder}{target}")), rounds, body);
}

#[test]
fn any_bytes_are_versions_or_refused() {
    check("versions", 3000, bodies::versions);
}

#[test]
fn any_bytes_are_ranges_or_refused() {
    check("ranges", 2000, bodies::ranges);
}
