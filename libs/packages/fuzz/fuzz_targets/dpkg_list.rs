//! dpkg lists of files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    muster_packages::dpkg_list::owned_paths(bytes);
});
