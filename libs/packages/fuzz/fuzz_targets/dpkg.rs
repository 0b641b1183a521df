//! dpkg status files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    muster_packages::dpkg::parse("var/lib/dpkg/status", bytes);
});
