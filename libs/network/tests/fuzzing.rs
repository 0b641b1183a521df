//! Any bytes as a folder of answers: read or remarked upon. See `muster_fuzzing`.

#[path = "../fuzz/bodies.rs"]
mod bodies;

use muster_fuzzing::{corpus, run};

/// The target's corpus, with so many mutations of each seed.
fn check(target: &str, rounds: u64, body: fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/");
    run(target, &corpus(format!("{folder}{target}")), rounds, body);
}

#[test]
fn any_bytes_are_a_folder_of_answers_or_remarked_upon() {
    check("offline", 500, bodies::offline);
}
