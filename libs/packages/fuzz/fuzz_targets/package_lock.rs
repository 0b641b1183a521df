//! package-lock.json files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    muster_packages::package_lock::parse("package-lock.json", bytes);
});
