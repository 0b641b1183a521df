//! R's lock file of renv, `renv.lock`. Source: rstudio.github.io/renv, "Lockfiles", read 2026-11-24.

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
    file_name(path) == "renv.lock"
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(default)]
    packages: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    package: Option<String>,
    version: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

/// All packages that the lock file names.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "cran", PackageManager::Generic);
    let document: Document = match lock.json("renv.lock", bytes) {
        Ok(document) => document,
        Err(unreadable) => return unreadable,
    };
    for (key, entry) in &document.packages {
        // A `Repository` is CRAN or a mirror of it; Bioconductor, GitHub and others are named.
        let origin = match entry.source.as_deref() {
            None | Some("Repository") => Origin::Registry,
            Some(_) => Origin::Elsewhere,
        };
        let name = entry.package.as_deref().unwrap_or(key);
        lock.entry(format_args!("Packages.{key}"), origin, Some(name), entry.version.as_deref());
    }
    lock.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn packages_of_repositories_are_crans() {
        let text = r#"{"R": {"Version": "4.3.1"}, "Packages": {
            "markdown": {"Package": "markdown", "Version": "1.0", "Source": "Repository", "Repository": "CRAN"},
            "BSgenome": {"Package": "BSgenome", "Version": "1.70.1", "Source": "Bioconductor"},
            "x": {}}}"#;
        assert_eq!(
            told(&parse("renv.lock", text.as_bytes())),
            ["nowhere pkg:cran/BSgenome@1.70.1", "pkg:cran/markdown@1.0", "renv.lock: Packages.x: `x` has no version",]
        );
    }
}
