//! Gradle's lock files, `gradle.lockfile` and `buildscript-gradle.lockfile`: `GROUP:ARTIFACT:VERSION=CONFIGURATIONS` a line.
//! Source: docs.gradle.org, "Locking Versions", read 2026-11-24.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    matches!(file_name(path), "gradle.lockfile" | "buildscript-gradle.lockfile")
}

/// All artifacts that the lock file names, of all configurations.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "maven", PackageManager::Pom);
    let text = match lock.text(bytes) {
        Ok(text) => text,
        Err(unreadable) => return unreadable,
    };
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue; // the last names the configurations without artifacts
        }
        let coordinates = line.split('=').next().unwrap_or(line);
        match coordinates.rsplit_once(':') {
            Some((name, version)) if name.contains(':') => {
                lock.entry(format_args!("line {}", index + 1), Origin::Registry, Some(name), Some(version));
            }
            _ => lock.skip(format_args!("line {}", index + 1), "not `GROUP:ARTIFACT:VERSION`"),
        }
    }
    lock.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn each_line_is_an_artifact() {
        let text =
            "# comment\n\norg.springframework:spring-core:5.3.20=runtimeClasspath\na:b=x\nempty=annotationProcessor\n";
        assert_eq!(
            told(&parse("gradle.lockfile", text.as_bytes())),
            [
                "pkg:maven/org.springframework/spring-core@5.3.20",
                "gradle.lockfile: line 4: not `GROUP:ARTIFACT:VERSION`",
            ]
        );
    }
}
