//! os-release files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    muster_packages::os_release::parse(bytes);
});
