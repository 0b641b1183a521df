//! Installed Node packages: the `package.json` of each folder directly below a `node_modules`, or below a scope there.
//! Source: docs.npmjs.com, "package.json" and "folders", read 2026-11-24.

use crate::{Parsed, purl};
use muster_domain::{Ecosystem, Package, PackageManager};
use serde::Deserialize;

/// Whether the file is an installed package's `package.json`. Those deeper inside a package are its own parts.
pub fn wants(path: &str) -> bool {
    let Some(folder) = path.strip_suffix("/package.json") else { return false };
    let mut parts = folder.rsplit('/');
    let (name, above) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if name.starts_with(['.', '@']) {
        return false; // npm's own folders (`.bin`, `.pnpm`), and scopes
    }
    above == "node_modules" || (above.starts_with('@') && parts.next() == Some("node_modules"))
}

#[derive(Deserialize)]
struct Manifest {
    name: Option<String>,
    version: Option<String>,
}

/// The one package that the manifest tells of.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let manifest: Manifest = match serde_json::from_slice(bytes) {
        Ok(manifest) => manifest,
        Err(error) => return Parsed::unreadable(path, format!("not a package.json: {error}")),
    };
    let mut parsed = Parsed::default();
    match (manifest.name.filter(|name| is_name(name)), manifest.version.filter(|version| !version.is_empty())) {
        (Some(name), Some(version)) => {
            parsed.add(package(name, version, PackageManager::NodePkg, path));
        }
        (None, _) => parsed.skip(path, "no `name`"),
        (_, None) => parsed.skip(path, "no `version`"),
    }
    parsed
}

/// Whether it can name a package: something, with something behind a scope's slash.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.ends_with('/')
}

/// A Node package.
pub(crate) fn package(name: String, version: String, manager: PackageManager, path: &str) -> Package {
    Package {
        ecosystem: Ecosystem::of_purl_type("npm"),
        purl: purl::npm(&name, &version),
        name,
        version,
        manager,
        source: None,
        architecture: None,
        paths: vec![path.to_owned()],
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_installed_package_lies_directly_below_node_modules() {
        for (path, expected) in [
            ("node_modules/lodash/package.json", true),
            ("srv/app/node_modules/a/node_modules/b/package.json", true),
            ("nodejs/node_modules/@babel/core/package.json", true),
            ("node_modules/.pnpm/ms@2.0.0/node_modules/ms/package.json", true),
            ("package.json", false),                               // the application itself
            ("node_modules/es-abstract/test/package.json", false), // a part of a package
            ("node_modules/@babel/package.json", false),
            ("node_modules/.cache/package.json", false),
            ("node_modules/a/@b/package.json", false),
            ("node_modules/package.json", false),
            ("packages/@scope/x/package.json", false),
        ] {
            assert_eq!(wants(path), expected, "{path}");
        }
    }

    #[test]
    fn the_manifest_names_the_package() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let parsed = parse("node_modules/x/package.json", text.as_bytes());
            let reason = parsed.skipped.first().map(|skipped| skipped.reason.clone()).unwrap_or_default();
            let told = parsed.packages.first().map(|package| package.purl.clone()).ok_or(reason);
            match (told, expected) {
                (Err(told), Err(expected)) => assert!(told.starts_with(expected), "{told}"),
                (told, expected) => assert_eq!(told, expected.map(str::to_owned).map_err(str::to_owned)),
            }
        };
        check(r#"{"name":"@types/node","version":"20.1.0","scripts":{}}"#, Ok("pkg:npm/%40types/node@20.1.0"));
        check("\u{feff}{\"name\":\"a\",\"version\":\"1.0.0\"}", Ok("pkg:npm/a@1.0.0"));
        check(r#"{"type":"module"}"#, Err("no `name`"));
        check(r#"{"name":"a"}"#, Err("no `version`"));
        check(r#"{"name":1}"#, Err("not a package.json: "));
        check(&"[".repeat(100_000), Err("not a package.json: "));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            parse("node_modules/x/package.json", &bytes);
        }
    }
}
