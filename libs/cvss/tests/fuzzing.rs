//! Any bytes as a vector: scored or refused. See `muster_fuzzing`.

#[path = "../fuzz/bodies.rs"]
mod bodies;

use muster_fuzzing::{corpus, run};

/// The target's corpus, with so many mutations of each seed.
fn check(target: &str, rounds: u64, body: fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/");
    run(target, &corpus(format!("{folder}{target}")), rounds, body);
}

#[test]
fn any_bytes_are_a_vector_or_refused() {
    check("vectors", 20000, bodies::vectors);
}
