//! Pipenv's lock file, `Pipfile.lock`. Source: pipenv.pypa.io, "Pipfile & Pipfile.lock", read 2026-11-24.

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
    file_name(path) == "Pipfile.lock"
}

/// Sections by name: `default`, `develop`, and categories of the project's own. `_meta` has none of an entry's keys.
type Document = BTreeMap<String, BTreeMap<String, Entry>>;

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Package(Pinned),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Pinned {
    version: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    path: Option<String>,
}

/// The section that tells of the file itself.
const META: &str = "_meta";

/// All packages that the lock file names, those of development too.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "pypi", PackageManager::Pipenv);
    let document: Document = match lock.json("Pipfile.lock", bytes) {
        Ok(document) => document,
        Err(unreadable) => return unreadable,
    };
    for (section, entries) in document.iter().filter(|(section, _)| *section != META) {
        for (name, entry) in entries {
            let place = format_args!("{section}.{name}").to_string();
            let Entry::Package(pinned) = entry else {
                lock.skip(place, "not an object");
                continue;
            };
            let indexed = pinned.version.as_deref().map(|version| version.trim_start_matches('='));
            match (&pinned.path, indexed, &pinned.reference) {
                (Some(_), ..) => {} // a part of the project
                (None, None, Some(commit)) => lock.entry(place, Origin::Elsewhere, Some(name), Some(commit)),
                (None, version, _) => lock.entry(place, Origin::Registry, Some(name), version),
            }
        }
    }
    lock.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn all_sections_are_read() {
        let text = r#"{
            "_meta": {"pipfile-spec": 6, "requires": {"python_version": "3.8"}, "sources": [{"name": "pypi"}]},
            "default": {
                "Django": {"version": "==3.2.1", "hashes": []},
                "markupsafe": {"git": "https://example.com/markupsafe", "ref": "b360541"},
                "own": {"path": ".", "editable": true},
                "what": {}
            },
            "develop": {"pytest": {"version": "==7.0"}}
        }"#;
        assert_eq!(
            told(&parse("Pipfile.lock", text.as_bytes())),
            [
                "pkg:pypi/django@3.2.1",
                "nowhere pkg:pypi/markupsafe@b360541",
                "pkg:pypi/pytest@7.0",
                "Pipfile.lock: default.what: `what` has no version",
            ]
        );
    }
}
