//! Bun's lock file, `bun.lock`: JSON with commas behind the last entries, which is also YAML.
//! Source: bun.com/docs, "Lockfile", read 2026-11-24. The binary `bun.lockb` of earlier versions is not read.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use std::{collections::BTreeMap, fmt};

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    matches!(file_name(path), "bun.lock" | "bun.lockb")
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    packages: BTreeMap<String, First>,
}

/// The first item of a list: `NAME@VERSION`.
struct First(Option<Word>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Text(String),
    Other(IgnoredAny),
}

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;
        impl<'de> Visitor<'de> for Items {
            type Value = First;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list that begins with `NAME@VERSION`")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<First, A::Error> {
                let first = items.next_element()?;
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }
        deserializer.deserialize_seq(Items)
    }
}

/// All packages that the lock file names.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "npm", PackageManager::Npm);
    if path.ends_with('b') {
        return lock
            .unreadable("Bun's binary lock file is not read; `bun install --save-text-lockfile` writes one that is");
    }
    let document: Document = match lock.yaml("bun.lock", bytes) {
        Ok(document) => document,
        Err(unreadable) => return unreadable,
    };
    for (key, First(descriptor)) in &document.packages {
        let place = format_args!("packages[{key:?}]").to_string();
        let Some(Word::Text(descriptor)) = descriptor else {
            lock.skip(place, "it does not begin with a text");
            continue;
        };
        let at = descriptor.char_indices().skip(1).find(|(_, letter)| *letter == '@').map(|(at, _)| at);
        let Some((name, version)) = at.map(|at| (&descriptor[..at], &descriptor[at + 1..])) else {
            lock.skip(place, "it does not begin with `NAME@VERSION`");
            continue;
        };
        let origin = match version.split_once(':') {
            None => Origin::Registry,
            Some(("workspace" | "file" | "link", _)) => Origin::Own,
            Some(_) => Origin::Elsewhere,
        };
        lock.entry(place, origin, Some(name), Some(version));
    }
    lock.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn each_list_begins_with_name_and_version() {
        let text = r#"{
          "lockfileVersion": 1,
          "workspaces": { "": { "name": "x", "dependencies": { "a": "^1.0.0", }, }, },
          "packages": {
            "@s/a": ["@s/a@1.0.0", "", {}, "sha512-00=="],
            "b": ["a@1.1.0", "", { "dependencies": { "c": "^2.0.0" } }, "sha512-00=="],
            "b/c": ["c@2.0.0", "", {}, "sha512-00=="],
            "git": ["git@git+https://example.com/a.git#00", {}, "00"],
            "own": ["own@workspace:packages/own"],
            "bad": ["bad"],
            "worse": [1, {}],
          }
        }"#;
        assert_eq!(
            told(&parse("bun.lock", text.as_bytes())),
            [
                "pkg:npm/%40s/a@1.0.0",
                "pkg:npm/a@1.1.0",
                "pkg:npm/c@2.0.0",
                "nowhere pkg:npm/git@git%2Bhttps:%2F%2Fexample.com%2Fa.git%2300",
                "bun.lock: packages[\"bad\"]: it does not begin with `NAME@VERSION`",
                "bun.lock: packages[\"worse\"]: it does not begin with a text",
            ]
        );
        assert!(parse("bun.lockb", b"").skipped[0].reason.starts_with("Bun's binary lock file is not read"));
    }
}
