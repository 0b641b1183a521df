//! Swift's lock file, `Package.resolved`, versions 1 to 3. Source: github.com/swiftlang/swift-package-manager,
//! `ResolvedPackagesStore.swift`, read 2026-11-24. A package's name is its repository's address, as OSV has it (`SwiftURL`).

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;
use serde::Deserialize;

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    file_name(path) == "Package.resolved"
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    pins: Vec<Pin>,
    object: Option<Object>,
}

/// Version 1 has the pins one level deeper.
#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    pins: Vec<Pin>,
}

#[derive(Deserialize)]
struct Pin {
    #[serde(alias = "repositoryURL")]
    location: Option<String>,
    #[serde(default)]
    state: State,
}

#[derive(Deserialize, Default)]
struct State {
    version: Option<String>,
    revision: Option<String>,
}

/// All packages that the lock file names. One that is pinned to a branch has a revision and no version: no advisory says
/// which of those are affected.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "swift", PackageManager::Generic);
    let document: Document = match lock.json("Package.resolved", bytes) {
        Ok(document) => document,
        Err(unreadable) => return unreadable,
    };
    let pins = document.pins.iter().chain(document.object.iter().flat_map(|object| &object.pins));
    for (index, pin) in pins.enumerate() {
        let name = pin.location.as_deref().map(without_scheme);
        let version = pin.state.version.as_deref();
        let origin = if version.is_some() { Origin::Registry } else { Origin::Elsewhere };
        lock.entry(format_args!("pins[{index}]"), origin, name, version.or(pin.state.revision.as_deref()));
    }
    lock.finish()
}

/// `https://github.com/apple/swift-nio.git` and `git@github.com:apple/swift-nio.git` are `github.com/apple/swift-nio`.
fn without_scheme(address: &str) -> &str {
    let path = address.split_once("://").map_or(address, |(_, path)| path);
    let path = path.rsplit_once('@').map_or(path, |(_, path)| path);
    path.strip_suffix(".git").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn all_versions_name_packages_by_their_address() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(told(&parse("Package.resolved", text.as_bytes())), expected, "{text}");
        };
        let nio = r#""https://github.com/apple/swift-nio.git", "state": {"revision": "00", "version": "2.40.0"}}"#;
        let expected = ["pkg:swift/github.com/apple/swift-nio@2.40.0"];
        check(
            &format!(r#"{{"version": 1, "object": {{"pins": [{{"package": "nio", "repositoryURL": {nio}]}}}}"#),
            &expected,
        );
        check(&format!(r#"{{"version": 2, "pins": [{{"identity": "swift-nio", "location": {nio}]}}"#), &expected);
        let branch = r#"{"location": "https://github.com/a/b", "state": {"branch": "main", "revision": "00ff"}}"#;
        check(&format!(r#"{{"pins": [{branch}]}}"#), &["nowhere pkg:swift/github.com/a/b@00ff"]);
        check(r#"{"pins": [{"state": {"version": "1"}}]}"#, &["Package.resolved: pins[0]: no name"]);
    }
}
