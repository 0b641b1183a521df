//! Databases. A seed for them is written by `tests/fuzzing.rs` into `target/tmp/fuzzing/database`, to be named behind the
//! target.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::database(bytes));
