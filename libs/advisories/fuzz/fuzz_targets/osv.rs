//! Any bytes as a record, a catalogue and a table: an answer or an error, in bounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster_advisories::{Builder, epss, kev, osv};

fuzz_target!(|bytes: &[u8]| {
    let _ = kev::parse(bytes);
    let _ = epss::parse(bytes);
    if let Ok(record) = osv::parse_record(bytes) {
        let mut builder = Builder::new(1, "2026-01-01T00:00:00Z".parse().expect("a time"));
        let source = osv::source_name(&record.advisory);
        builder.add(record.advisory, source);
        let folder = tempfile::tempdir().expect("a folder");
        builder.write(folder.path().join("advisories.db")).expect("any record that was read can be built");
    }
});
