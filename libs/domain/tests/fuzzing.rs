//! Any bytes as package URLs and as names of ecosystems: read or refused. See `muster_fuzzing`.

#[path = "../fuzz/bodies.rs"]
mod bodies;

use muster_fuzzing::{corpus, run};

/// The target's corpus, with so many mutations of each seed.
fn check(target: &str, rounds: u64, body: fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/");
    run(target, &corpus(format!("{folder}{target}")), rounds, body);
}

#[test]
fn any_bytes_are_a_package_url_or_refused() {
    check("package_urls", 6000, bodies::package_urls);
}

#[test]
fn any_bytes_are_an_ecosystem_or_refused() {
    check("ecosystems", 6000, bodies::ecosystems);
}
