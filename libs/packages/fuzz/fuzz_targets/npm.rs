//! package.json files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    muster_packages::npm::parse("node_modules/x/package.json", bytes);
});
