//! Yarn's lock file, `yarn.lock`: version 1 in a form of its own, later ones (Berry) in YAML.
//! Source: classic.yarnpkg.com and yarnpkg.com, "yarn.lock", read 2026-11-24.

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
    file_name(path) == "yarn.lock"
}

/// All packages that the lock file names.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "npm", PackageManager::Yarn);
    let text = match lock.text(bytes) {
        Ok(text) => text,
        Err(unreadable) => return unreadable,
    };
    let is_berry = text.lines().any(|line| line.starts_with("__metadata:"));
    if !is_berry {
        classic(&mut lock, text);
        return lock.finish();
    }
    match lock.yaml::<BTreeMap<String, Entry>>("yarn.lock", bytes) {
        Ok(entries) => {
            for (key, entry) in entries.iter().filter(|(key, _)| *key != "__metadata") {
                berry(&mut lock, key, entry);
            }
            lock.finish()
        }
        Err(unreadable) => unreadable,
    }
}

#[derive(Deserialize)]
struct Entry {
    version: Option<String>,
    /// What the requests of the key were resolved to: `NAME@PROTOCOL:REST`.
    resolution: Option<String>,
}

fn berry(lock: &mut Lock<'_>, key: &str, entry: &Entry) {
    let place = format_args!("`{key}`").to_string();
    let Some(resolution) = entry.resolution.as_deref() else { return lock.skip(place, "no `resolution`") };
    let (name, reference) = name_and_reference(resolution);
    let origin = match reference.split(':').next().unwrap_or_default() {
        "npm" | "patch" => Origin::Registry, // a patched package is that of the registry, changed by the project
        "workspace" | "portal" | "link" => Origin::Own,
        _ => Origin::Elsewhere,
    };
    lock.entry(place, origin, Some(name), entry.version.as_deref());
}

/// Parted at the `@` that does not begin a scope.
fn name_and_reference(descriptor: &str) -> (&str, &str) {
    let at = descriptor.char_indices().skip(1).find(|(_, letter)| *letter == '@');
    at.map_or((descriptor, ""), |(at, _)| (&descriptor[..at], &descriptor[at + 1..]))
}

/// An entry of version 1 while it is read.
#[derive(Default)]
struct Classic<'a> {
    line: usize,
    name: &'a str,
    version: Option<&'a str>,
    resolved: Option<&'a str>,
    is_own: bool,
}

/// Each entry's requests stand at the line's start, its fields are indented by two.
fn classic(lock: &mut Lock<'_>, text: &str) {
    let mut open: Option<Classic<'_>> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            if let Some(entry) = open.replace(requests(index + 1, line)) {
                entry.finish(lock);
            }
        } else if let (Some(entry), Some((key, value))) =
            (&mut open, line.strip_prefix("  ").and_then(|field| field.split_once(' ')))
        {
            match key.trim_matches('"') {
                "version" => entry.version = Some(value.trim_matches('"')),
                "resolved" => entry.resolved = Some(value.trim_matches('"')),
                _ => {}
            }
        }
    }
    if let Some(entry) = open {
        entry.finish(lock);
    }
}

/// `"a@npm:b@^1", a@^2:`: the first request tells the name, behind `npm:` the name that an alias stands for.
fn requests(line: usize, text: &str) -> Classic<'_> {
    let first = text.trim_end_matches(':').split(", ").next().unwrap_or_default().trim_matches('"');
    let (name, reference) = name_and_reference(first);
    let name = reference.strip_prefix("npm:").map_or(name, |aliased| name_and_reference(aliased).0);
    let is_own = ["link:", "file:", "workspace:"].iter().any(|protocol| reference.starts_with(protocol));
    Classic { line, name, is_own, ..Classic::default() }
}

impl Classic<'_> {
    fn finish(self, lock: &mut Lock<'_>) {
        // All registries have their archives below `NAME/-/`.
        let is_of_a_registry = self.resolved.is_none_or(|address| address.contains("/-/"));
        let origin = match (self.is_own, is_of_a_registry) {
            (true, _) => Origin::Own,
            (false, true) => Origin::Registry,
            (false, false) => Origin::Elsewhere,
        };
        lock.entry(format_args!("line {}", self.line), origin, Some(self.name), self.version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(told(&parse("yarn.lock", text.as_bytes())), expected, "{text}");
    }

    #[test]
    fn version_1_names_packages_by_their_requests() {
        let of_registry = |name: &str| {
            format!("  version \"1.0.1\"\n  resolved \"https://registry.yarnpkg.com/{name}/-/{name}-1.0.1.tgz#00\"\n")
        };
        check(&format!("# yarn lockfile v1\n\n\na@^1.0.0, a@~1:\n{}", of_registry("a")), &["pkg:npm/a@1.0.1"]);
        check(&format!("\"@s/a@^1.0.0\":\n{}", of_registry("a")), &["pkg:npm/%40s/a@1.0.1"]);
        check(&format!("\"b@npm:a@^1.0.0\":\n{}", of_registry("a")), &["pkg:npm/a@1.0.1"]); // installed as b
        check("a@^1:\n  version \"1\"\n  dependencies:\n    version \"9\"\n", &["pkg:npm/a@1"]);
        check("\"a@^1\":\n  \"version\" \"1\"\n", &["pkg:npm/a@1"]); // as older versions of Yarn wrote it
        let git =
            "\"a@git+https://example.com/a\":\n  version \"1.0.0\"\n  resolved \"git+https://example.com/a#00\"\n";
        check(git, &["nowhere pkg:npm/a@1.0.0"]);
        check("\"a@file:./a\":\n  version \"1.0.0\"\n", &[]);
        check(
            "a@^1:\n  resolved \"x\"\n\nb@1:\n  version \"1\"\n",
            &["pkg:npm/b@1", "yarn.lock: line 1: `a` has no version"],
        );
    }

    #[test]
    fn later_versions_name_what_was_resolved() {
        let entry = |key: &str, resolution: &str| {
            format!(
                "__metadata:\n  version: 8\n\n\"{key}\":\n  version: 1.0.1\n  resolution: \"{resolution}\"\n  linkType: hard\n"
            )
        };
        check(&entry("a@npm:^1.0.0", "a@npm:1.0.1"), &["pkg:npm/a@1.0.1"]);
        check(&entry("b@npm:a@^1.0.0", "a@npm:1.0.1"), &["pkg:npm/a@1.0.1"]);
        check(&entry("@s/a@npm:1", "@s/a@npm:1.0.1"), &["pkg:npm/%40s/a@1.0.1"]);
        check(&entry("a@patch:a@1", "a@patch:a@npm%3A1.0.1#x::version=1.0.1&hash=00"), &["pkg:npm/a@1.0.1"]);
        check(&entry("a@workspace:.", "a@workspace:."), &[]);
        check(&entry("a@x/a#commit=00", "a@https://example.com/a.git#commit=00"), &["nowhere pkg:npm/a@1.0.1"]);
    }
}
