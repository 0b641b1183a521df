//! Dart's lock file, `pubspec.lock`. Source: dart.dev, "Pub glossary", "Lockfile", read 2026-11-24.

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
    file_name(path) == "pubspec.lock"
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    packages: Option<BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    source: String,
    version: Option<String>,
}

/// All packages that the lock file names, those of development too.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "pub", PackageManager::Generic);
    let document: Document = match lock.yaml("pubspec.lock", bytes) {
        Ok(document) => document,
        Err(unreadable) => return unreadable,
    };
    for (name, entry) in document.packages.unwrap_or_default() {
        let origin = match entry.source.as_str() {
            "hosted" => Origin::Registry,
            "path" | "sdk" => Origin::Own, // `sdk` is Flutter itself, at version 0.0.0
            _ => Origin::Elsewhere,
        };
        lock.entry(format_args!("packages.{name}"), origin, Some(&name), entry.version.as_deref());
    }
    lock.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn the_source_tells_where_a_package_comes_from() {
        let entry = |name: &str, source: &str| {
            format!("  {name}:\n    dependency: transitive\n    source: {source}\n    version: \"1.4.0\"\n")
        };
        let entries = [entry("a", "hosted"), entry("b", "git"), entry("c", "path"), entry("d", "sdk")].concat();
        let text = format!("packages:\n{entries}  e:\n    source: hosted\nsdks:\n  dart: \">=2.12.0 <4.0.0\"\n");
        assert_eq!(
            told(&parse("pubspec.lock", text.as_bytes())),
            ["pkg:pub/a@1.4.0", "nowhere pkg:pub/b@1.4.0", "pubspec.lock: packages.e: `e` has no version",]
        );
    }
}
