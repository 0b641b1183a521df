//! Composer's files: the lock file `composer.lock`, and `vendor/composer/installed.json`, which tells what is installed.
//! Source: getcomposer.org/doc, "composer.lock", and Composer's `FilesystemRepository.php`, read 2026-11-24.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;
use serde::Deserialize;

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    file_name(path) == "composer.lock"
        || path == "composer/installed.json"
        || path.ends_with("/composer/installed.json")
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Sections(Sections),
    /// `installed.json` of Composer 1.
    List(Vec<Entry>),
}

#[derive(Deserialize)]
struct Sections {
    packages: Vec<Entry>,
    #[serde(default, rename = "packages-dev")]
    packages_dev: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: Option<String>,
    version: Option<String>,
    dist: Option<Dist>,
}

#[derive(Deserialize)]
struct Dist {
    #[serde(default, rename = "type")]
    kind: String,
}

/// All packages, those of development too.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "composer", PackageManager::Composer);
    let entries = match lock.json("composer.lock or installed.json", bytes) {
        Ok(Document::Sections(mut sections)) => {
            sections.packages.append(&mut sections.packages_dev);
            sections.packages
        }
        Ok(Document::List(entries)) => entries,
        Err(unreadable) => return unreadable,
    };
    for (index, entry) in entries.iter().enumerate() {
        let is_own = entry.dist.as_ref().is_some_and(|dist| dist.kind == "path");
        let origin = if is_own { Origin::Own } else { Origin::Registry };
        lock.entry(format_args!("package {index}"), origin, entry.name.as_deref(), entry.version.as_deref());
    }
    lock.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn both_files_name_packages_alike() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(told(&parse("composer.lock", text.as_bytes())), expected, "{text}");
        };
        let twig = r#"{"name": "twig/twig", "version": "v3.4.2", "dist": {"type": "zip"}}"#;
        let own = r#"{"name": "acme/own", "version": "dev-main", "dist": {"type": "path"}}"#;
        let expected = ["pkg:composer/twig/twig@v3.4.2"];
        check(&format!(r#"{{"packages": [{twig}], "packages-dev": [{own}]}}"#), &expected);
        check(&format!(r#"{{"packages": [], "packages-dev": [{twig}]}}"#), &expected);
        check(&format!("[{twig}]"), &expected);
        check(
            r#"{"packages": [{"version": "1"}, {"name": "a/b"}]}"#,
            &["composer.lock: package 0: no name", "composer.lock: package 1: `a/b` has no version"],
        );
        assert!(parse("composer.lock", b"{}").skipped[0].reason.starts_with("not a composer.lock or installed.json"));
        assert!(wants("srv/vendor/composer/installed.json") && !wants("srv/installed.json"));
    }
}
