//! Installed Python packages: `*.dist-info/METADATA`, `*.egg-info/PKG-INFO`, `*.egg/EGG-INFO/PKG-INFO`, and the old
//! `*.egg-info` that is one file. Source: packaging.python.org, "Core metadata specifications" and "Recording
//! installed projects", read 2026-11-24.

use crate::{Parsed, headers, path, purl};
use muster_domain::{Ecosystem, Package, PackageManager};

const FIELDS: [&str; 2] = ["Name", "Version"];

/// Whether the file is a package's metadata.
pub fn wants(path: &str) -> bool {
    let Some((folder, file)) = path.rsplit_once('/') else {
        return path.ends_with(".egg-info");
    };
    let folder = path::file_name(folder);
    match file {
        "METADATA" => folder.ends_with(".dist-info"),
        "PKG-INFO" => folder.ends_with(".egg-info") || folder == "EGG-INFO",
        _ => file.ends_with(".egg-info"),
    }
}

/// The one package that the metadata tells of. Its first stanza counts: what follows is the description.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let values = headers::stanzas(bytes, &FIELDS).next().map(|stanza| stanza.values).unwrap_or_default();
    let [name, version] = values.map(|value| value.filter(|value| !value.is_empty()));
    let mut parsed = Parsed::default();
    match (name, version) {
        (Some(name), Some(version)) => parsed.add(Package {
            ecosystem: Ecosystem::of_purl_type("pypi"),
            purl: purl::pypi(&name, &version),
            name,
            version,
            manager: PackageManager::PythonPkg,
            source: None,
            architecture: None,
            paths: vec![path.to_owned()],
            layer: None,
            module: None,
            lambda_layer: None,
            owned_by: None,
        }),
        (None, _) => parsed.skip(path, "no `Name` header"),
        (_, None) => parsed.skip(path, "no `Version` header"),
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_headers_name_the_package() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let parsed = parse("a.dist-info/METADATA", text.as_bytes());
            let package = parsed.packages.first().map(|package| format!("{} {}", package.purl, package.name));
            let reason = parsed.skipped.first().map(|skipped| skipped.reason.clone());
            assert_eq!(package.ok_or(reason.unwrap_or_default()), expected.map(str::to_owned).map_err(str::to_owned));
        };
        check("Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.2\n\nName: no\n", Ok("pkg:pypi/jinja2@3.1.2 Jinja2"));
        check("Name: a\r\nVersion: 1\r\nLicense: MIT\nunfolded licence text\n", Ok("pkg:pypi/a@1 a"));
        check("\u{feff}Name: a\nVersion: 1\n", Ok("pkg:pypi/a@1 a"));
        check("Name: a\n\nVersion: 1\n", Err("no `Version` header")); // the description is no header
        check("", Err("no `Name` header"));
    }

    #[test]
    fn metadata_is_known_by_its_place() {
        for (path, expected) in [
            ("usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO", true),
            ("usr/lib/python3/dist-packages/old-1.egg-info", true),
            ("python/jinja2-3.1.2.dist-info/METADATA", true),
            ("lib/x-1-py3.11.egg/EGG-INFO/PKG-INFO", true),
            ("jinja2-3.1.2.dist-info/RECORD", false),
            ("METADATA", false),
            ("six-1.16.0/PKG-INFO", false), // an unpacked source, not installed
        ] {
            assert_eq!(wants(path), expected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            parse("a.egg-info", &bytes);
        }
    }
}
