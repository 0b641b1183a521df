//! Conan's lock file, `conan.lock`: version 1 has a graph of nodes, version 2 lists of references `NAME/VERSION#REVISION`.
//! Source: docs.conan.io, "Lockfiles", of both versions, read 2026-11-24.

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
    file_name(path) == "conan.lock"
}

#[derive(Deserialize)]
struct Document {
    graph_lock: Option<Graph>,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    build_requires: Vec<String>,
    #[serde(default)]
    python_requires: Vec<String>,
}

#[derive(Deserialize)]
struct Graph {
    #[serde(default)]
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "ref", alias = "pref")]
    reference: Option<String>,
    /// The recipe of the project itself.
    path: Option<String>,
}

/// All packages that the lock file names, those that only build others too.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "conan", PackageManager::Generic);
    let document: Document = match lock.json("conan.lock", bytes) {
        Ok(document) => document,
        Err(unreadable) => return unreadable,
    };
    let graph = document.graph_lock.map(|graph| graph.nodes).unwrap_or_default();
    for (number, node) in graph.iter().filter(|(_, node)| node.path.is_none()) {
        reference(&mut lock, &format!("node {number}"), node.reference.as_deref().unwrap_or_default());
    }
    let lists = [("requires", &document.requires), ("build_requires", &document.build_requires)];
    for (list, references) in lists.into_iter().chain([("python_requires", &document.python_requires)]) {
        for (index, text) in references.iter().enumerate() {
            reference(&mut lock, &format!("{list}[{index}]"), text);
        }
    }
    lock.finish()
}

/// `zlib/1.2.11@user/channel#revision%time`: what has a user is of no public registry.
fn reference(lock: &mut Lock<'_>, place: &str, text: &str) {
    if text.is_empty() {
        return; // the project itself, when it has no name
    }
    let text = text.split('#').next().unwrap_or(text);
    let (package, user) = text.split_once('@').unwrap_or((text, ""));
    let (name, version) = package.split_once('/').unwrap_or((package, ""));
    let origin = if ["", "_/_"].contains(&user) { Origin::Registry } else { Origin::Elsewhere };
    lock.entry(place, origin, Some(name), Some(version));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn both_versions_name_packages_by_references() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(told(&parse("conan.lock", text.as_bytes())), expected, "{text}");
        };
        let graph = r#"{"graph_lock": {"nodes": {
            "0": {"ref": "own/1.0", "path": "conanfile.py"}, "1": {"ref": "zlib/1.2.11#00"}, "2": {"ref": "x/1@me/testing"}}}}"#;
        check(graph, &["pkg:conan/zlib@1.2.11", "nowhere pkg:conan/x@1"]);
        let lists = r#"{"version": "0.5", "requires": ["zlib/1.2.11#ffa77%1667396813.184"], "build_requires": ["cmake/3.25@_/_"], "python_requires": ["x"]}"#;
        check(
            lists,
            &["pkg:conan/zlib@1.2.11", "pkg:conan/cmake@3.25", "conan.lock: python_requires[0]: `x` has no version"],
        );
    }
}
