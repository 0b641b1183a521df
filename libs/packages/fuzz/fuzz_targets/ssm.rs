//! Entries of SSM inventory types.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(entries) = serde_json::from_slice::<Vec<muster_packages::ssm::Entry>>(bytes) {
        muster_packages::ssm::inventory(None, &entries, &[]);
        muster_packages::ssm::inventory(None, &[], &entries);
    }
});
