//! CycloneDX documents.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = muster_packages::cyclonedx::read(bytes);
});
