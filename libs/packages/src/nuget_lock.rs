//! NuGet's lock file, `packages.lock.json`. Source: learn.microsoft.com, "Package references in project files", "Locking
//! dependencies", read 2026-11-24.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    file_name(path) == "packages.lock.json"
}

#[derive(Deserialize)]
struct Document {
    /// By framework, then by name.
    dependencies: BTreeMap<String, BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default, rename = "type")]
    kind: String,
    resolved: Option<String>,
}

/// All packages that the lock file names, of all frameworks.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "nuget", PackageManager::Nuget);
    let document: Document = match lock.json("packages.lock.json", bytes) {
        Ok(document) => document,
        Err(unreadable) => return unreadable,
    };
    for (framework, entries) in &document.dependencies {
        for (name, entry) in entries {
            let origin = if entry.kind == "Project" { Origin::Own } else { Origin::Registry };
            lock.entry(format_args!("{framework}.{name}"), origin, Some(name), entry.resolved.as_deref());
        }
    }
    lock.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn packages_of_all_frameworks_are_read_and_projects_left_out() {
        let text = r#"{"version": 1, "dependencies": {
            "net6.0": {"Newtonsoft.Json": {"type": "Direct", "requested": "[13.0.1, )", "resolved": "13.0.1"},
                       "own": {"type": "Project"}},
            "net8.0": {"Serilog": {"type": "Transitive", "resolved": "2.10.0"}, "x": {"type": "Direct"}}}}"#;
        assert_eq!(
            told(&parse("packages.lock.json", text.as_bytes())),
            [
                "pkg:nuget/Newtonsoft.Json@13.0.1",
                "pkg:nuget/Serilog@2.10.0",
                "packages.lock.json: net8.0.x: `x` has no version",
            ]
        );
    }
}
