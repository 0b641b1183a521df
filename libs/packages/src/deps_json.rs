//! What a .NET program was published with: `PROGRAM.deps.json`. Source: github.com/dotnet/sdk,
//! "runtime-configuration-file.md", read 2026-11-24.

use crate::{
    Parsed,
    lock::{Lock, Origin},
};
use muster_domain::PackageManager;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    path.ends_with(".deps.json")
}

#[derive(Deserialize)]
struct Document {
    /// By `NAME/VERSION`.
    libraries: BTreeMap<String, Library>,
}

#[derive(Deserialize)]
struct Library {
    #[serde(default, rename = "type")]
    kind: String,
}

/// A runtime that the program brings along, whose package is called so without this.
const RUNTIME_PACK: &str = "runtimepack.";

/// All packages that the program was published with.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "nuget", PackageManager::DotnetCore);
    let document: Document = match lock.json("deps.json", bytes) {
        Ok(document) => document,
        Err(unreadable) => return unreadable,
    };
    for (key, library) in &document.libraries {
        let (name, version) = key.split_once('/').unwrap_or((key, ""));
        let origin = match library.kind.as_str() {
            "package" | "runtimepack" => Origin::Registry,
            _ => Origin::Own, // projects, and assemblies that they refer to
        };
        let name = name.strip_prefix(RUNTIME_PACK).unwrap_or(name);
        lock.entry(format_args!("libraries[{key:?}]"), origin, Some(name), Some(version));
    }
    lock.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn packages_and_the_runtime_are_read_and_projects_left_out() {
        let text = r#"{"targets": {}, "libraries": {
            "App/1.0.0": {"type": "project"},
            "Serilog/2.10.0": {"type": "package", "sha512": "sha512-00"},
            "broken": {"type": "package"},
            "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/6.0.1": {"type": "runtimepack"}}}"#;
        assert_eq!(
            told(&parse("App.deps.json", text.as_bytes())),
            [
                "pkg:nuget/Serilog@2.10.0",
                "pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@6.0.1",
                "App.deps.json: libraries[\"broken\"]: `broken` has no version",
            ]
        );
    }
}
