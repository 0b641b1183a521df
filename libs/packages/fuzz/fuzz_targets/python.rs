//! Python metadata.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    muster_packages::python::parse("x.dist-info/METADATA", bytes);
});
