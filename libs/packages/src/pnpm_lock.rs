//! pnpm's lock file, `pnpm-lock.yaml`, versions 5 to 9. Source: github.com/pnpm/spec, "lockfile", read 2026-11-24. The keys of
//! `packages` tell name and version: `/a/1.0.0_peer` (5), `/a@1.0.0(peer@1)` (6), `a@1.0.0` (9).

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
    file_name(path) == "pnpm-lock.yaml"
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    lockfile_version: Option<String>,
    #[serde(default)]
    packages: Option<BTreeMap<String, Option<Entry>>>,
}

#[derive(Deserialize, Default)]
struct Entry {
    /// Stated where the key does not tell it: packages of repositories and archives.
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    resolution: Resolution,
}

#[derive(Deserialize, Default)]
struct Resolution {
    #[serde(rename = "type")]
    kind: Option<String>,
    integrity: Option<String>,
    commit: Option<String>,
}

/// All packages that the lock file names, those of development too.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "npm", PackageManager::Npm);
    let document: Document = match lock.yaml("pnpm-lock.yaml", bytes) {
        Ok(document) => document,
        Err(unreadable) => return unreadable,
    };
    let major = document.lockfile_version.as_deref().and_then(|version| version.split('.').next()?.parse().ok());
    let Some(major) = major else { return lock.unreadable("no `lockfileVersion`") };
    for (key, entry) in document.packages.unwrap_or_default() {
        package(&mut lock, major, &key, &entry.unwrap_or_default());
    }
    lock.finish()
}

fn package(lock: &mut Lock<'_>, major: u32, key: &str, entry: &Entry) {
    let place = format_args!("packages[{key:?}]").to_string();
    let (told, is_of_registry) = if major >= 6 { by_at(key) } else { by_slash(key) };
    let is_directory = key.contains("file:") && entry.resolution.integrity.is_none();
    let is_repository = entry.resolution.commit.is_some() || entry.resolution.kind.as_deref() == Some("git");
    let origin = match (is_directory, is_of_registry && !is_repository) {
        (true, _) => Origin::Own,
        (false, true) => Origin::Registry,
        (false, false) => Origin::Elsewhere,
    };
    let (told_name, told_version) = told.unzip();
    let name = entry.name.as_deref().or(told_name);
    let version = entry.version.as_deref().or(told_version.filter(|version| is_version(version)));
    match (name, version) {
        (None, None) => lock.skip(place, "neither its key nor its fields tell a name and a version"),
        _ => lock.entry(place, origin, name, version),
    }
}

type Told<'a> = Option<(&'a str, &'a str)>;

/// `@s/a@1.0.0(peer@1)`, up to version 6 behind a slash. An address instead of the version is no registry's.
fn by_at(key: &str) -> (Told<'_>, bool) {
    let key = key.strip_prefix('/').unwrap_or(key);
    let at = key.char_indices().skip(1).find(|(_, letter)| *letter == '@').map(|(at, _)| at);
    let told = at.map(|at| (&key[..at], key[at + 1..].split('(').next().unwrap_or_default()));
    (told, told.is_some_and(|(_, version)| is_version(version)))
}

fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

/// `HOST/@s/a/1.0.0_peer`; without a host it is the registry's.
fn by_slash(key: &str) -> (Told<'_>, bool) {
    let (host, path) = key.split_once('/').unwrap_or(("", key));
    let told = path.rsplit_once('/').map(|(name, version)| (name, version.split('_').next().unwrap_or_default()));
    let told = told.filter(|(_, version)| is_version(version));
    // A peer's own scope makes a part of its own: `/a/1.0.0_@s+peer@1` has none, since its slash is written `+`.
    (told, told.is_some() && ["", "registry.npmjs.org"].contains(&host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    fn check(version: &str, packages: &str, expected: &[&str]) {
        let text = format!("lockfileVersion: {version}\n\npackages:\n\n{packages}");
        assert_eq!(told(&parse("pnpm-lock.yaml", text.as_bytes())), expected, "{text}");
    }

    #[test]
    fn keys_tell_name_and_version() {
        let resolved = "    resolution: {integrity: sha512-00==}\n    dev: false\n";
        check("5.3", &format!("  /a/1.0.0:\n{resolved}"), &["pkg:npm/a@1.0.0"]);
        check("5.4", &format!("  /@s/a/1.0.0_b@2.0.0:\n{resolved}"), &["pkg:npm/%40s/a@1.0.0"]);
        check("5.3", "  registry.npmjs.org/a/1.1.0:\n", &["pkg:npm/a@1.1.0"]);
        check("5.3", "  example.com/a/1.1.0:\n", &["nowhere pkg:npm/a@1.1.0"]);
        check("'6.0'", &format!("  /@s/a@1.0.0(b@2.0.0):\n{resolved}"), &["pkg:npm/%40s/a@1.0.0"]);
        check("'9.0'", &format!("  a@1.0.0:\n{resolved}"), &["pkg:npm/a@1.0.0"]);
    }

    #[test]
    fn what_is_of_no_registry_is_told_apart() {
        let git = "    resolution: {commit: 00, repo: https://example.com/a.git, type: git}\n    name: a\n    version: 1.0.0\n";
        check("5.3", &format!("  github.com/x/a/00ff:\n{git}"), &["nowhere pkg:npm/a@1.0.0"]);
        let tarball = "    resolution: {tarball: https://codeload.example.com/x/a/tar.gz/00}\n    version: 1.0.0\n";
        check(
            "'9.0'",
            &format!("  a@https://codeload.example.com/x/a/tar.gz/00:\n{tarball}"),
            &["nowhere pkg:npm/a@1.0.0"],
        );
        check(
            "5.3",
            "  file:own:\n    resolution: {directory: own, type: directory}\n    name: own\n    version: 1.0.0\n",
            &[],
        );
        let key = "github.com/kevva/is-positive";
        let reason = "neither its key nor its fields tell a name and a version";
        check("5.3", &format!("  {key}:\n"), &[&format!("pnpm-lock.yaml: packages[\"{key}\"]: {reason}")]);
        assert!(parse("pnpm-lock.yaml", b"packages: {}\n").skipped[0].reason.contains("no `lockfileVersion`"));
    }
}
