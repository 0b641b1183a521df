//! Any bytes as a database: refused, or every question answered or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster_advisories::{Database, delta};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("advisories.db");
    std::fs::write(&path, bytes).expect("the folder is ours");
    let Ok(database) = Database::open(&path) else { return };
    let _ = database.verify();
    database.info();
    for package in database.packages().take(100).flatten() {
        database.covers(&package.ecosystem);
        for claim in database.candidates(&package.ecosystem, &package.name).take(100).flatten() {
            let _ = (claim.advisory(), claim.withdrawn(), claim.vendor(), claim.aliases(), claim.severity());
            if let Ok(vulnerability) = claim.vulnerability() {
                let _ = database.facts(vulnerability);
            }
            if let Ok(ranges) = claim.ranges() {
                ranges.take(100).for_each(drop);
            }
        }
    }
    delta(&database, &database);
});
