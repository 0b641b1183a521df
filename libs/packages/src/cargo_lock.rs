//! Cargo's lock file, `Cargo.lock`, versions 1 to 4, which name packages alike.
//! Source: doc.rust-lang.org/cargo, "Cargo.toml vs Cargo.lock", and Cargo's `core/resolver/encode.rs`, read 2026-11-24.

use crate::{Parsed, lock, path::file_name, purl};
use muster_domain::{Ecosystem, Package, PackageManager};
use toml::de::{DeTable, DeValue};

/// The addresses of crates.io: its index as git (all versions write this one, whatever was used) and as sparse HTTP.
const CRATES_IO: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    file_name(path) == "Cargo.lock"
}

/// All packages that the lock file names, for all platforms and features. Those of the workspace itself, of git and of
/// other registries belong to no ecosystem: a name means something else there than on crates.io.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let text = match lock::text(path, bytes) {
        Ok(text) => text,
        Err(unreadable) => return unreadable,
    };
    // The tree as it is parsed, with texts that lie in the file: half the time and memory of one that owns them.
    let lock = match DeTable::parse(text) {
        Ok(lock) => lock.into_inner(),
        Err(error) => return Parsed::unreadable(path, format!("not TOML: {}", error.message())),
    };
    let mut parsed = Parsed::default();
    // Until Cargo 0.19 the workspace's package stood apart.
    if let Some(root) = lock.get("root") {
        entry(&mut parsed, path, "root", root.get_ref());
    }
    match lock.get("package").map(|packages| packages.get_ref()) {
        Some(DeValue::Array(packages)) => {
            for (index, package) in packages.iter().enumerate() {
                entry(&mut parsed, path, &format!("package[{index}]"), package.get_ref());
            }
        }
        Some(_) => parsed.skip(path, "`package` is not a list"),
        None if lock.contains_key("version") || lock.contains_key("root") => {} // nothing is locked
        None => parsed.skip(path, "not a Cargo.lock"),
    }
    parsed
}

fn entry(parsed: &mut Parsed, path: &str, place: &str, entry: &DeValue<'_>) {
    let text = |key| entry.get(key).and_then(|value| value.get_ref().as_str()).filter(|text| !text.is_empty());
    match (text("name"), text("version")) {
        (Some(name), Some(version)) => parsed.add(package(name, version, text("source"), path)),
        (None, _) => parsed.skip(format!("{path}: {place}"), "no `name`"),
        (Some(name), None) => parsed.skip(format!("{path}: {place} `{name}`"), "no `version`"),
    }
}

/// `source` is where the package comes from; `None`: the workspace itself.
fn package(name: &str, version: &str, source: Option<&str>, path: &str) -> Package {
    let is_public = source.is_some_and(|source| CRATES_IO.contains(&source));
    let (address, repository) = match source.filter(|_| !is_public) {
        Some(source) if source.starts_with("git+") => (Some(source), None),
        source => (None, source.map(|source| source.trim_start_matches("registry+").trim_start_matches("sparse+"))),
    };
    Package {
        ecosystem: Ecosystem::of_purl_type("cargo").filter(|_| is_public),
        purl: purl::cargo(name, version, address, repository),
        name: name.to_owned(),
        version: version.to_owned(),
        manager: PackageManager::Cargo,
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

    /// Each package as its package URL and whether crates.io's advisories judge it; then what was skipped.
    fn check(text: &str, expected: &[&str]) {
        let parsed = parse("Cargo.lock", text.as_bytes());
        let packages = parsed.packages.iter().map(|package| match &package.ecosystem {
            Some(ecosystem) => format!("{ecosystem} {}", package.purl),
            None => format!("nowhere {}", package.purl),
        });
        let skipped = parsed.skipped.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason));
        assert_eq!(packages.chain(skipped).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn all_versions_of_the_format_name_packages_alike() {
        let serde = "[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\n\
                     source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
        let expected = ["crates.io pkg:cargo/serde@1.0.1"];
        check(serde, &expected); // versions 1 and 2 don't say which they are
        check(&format!("{serde}dependencies = [\n \"a 1.0.0 (registry+https://example.com)\",\n]\n"), &expected); // 1
        check(&format!("{serde}\n[metadata]\n\"checksum serde 1.0.1 (registry)\" = \"00\"\n"), &expected); // 1
        check(&format!("version = 3\n\n{serde}checksum = \"00\"\n"), &expected);
        check(&format!("version = 4\n\n{serde}"), &expected);
        check(&serde.replace('\n', "\r\n"), &expected);
        check("version = 4\n", &[]); // nothing is locked
        check(
            &format!("[root]\nname = \"own\"\nversion = \"0.1.0\"\ndependencies = []\n\n{serde}"), // Cargo 0.18
            &["nowhere pkg:cargo/own@0.1.0", expected[0]],
        );
    }

    #[test]
    fn only_crates_io_is_judged_as_crates_io() {
        let check = |source: &str, expected: &str| {
            check(&format!("[[package]]\nname = \"a\"\nversion = \"1.0.0+b\"\n{source}"), &[expected]);
        };
        check("", "nowhere pkg:cargo/a@1.0.0%2Bb"); // of the workspace
        check("source = \"sparse+https://index.crates.io/\"", "crates.io pkg:cargo/a@1.0.0%2Bb");
        check(
            "source = \"git+https://example.com/a?branch=main#0123\"",
            "nowhere pkg:cargo/a@1.0.0%2Bb?vcs_url=git%2Bhttps:%2F%2Fexample.com%2Fa%3Fbranch%3Dmain%230123",
        );
        check(
            "source = \"sparse+https://crates.example.com/\"", // a company's own
            "nowhere pkg:cargo/a@1.0.0%2Bb?repository_url=https:%2F%2Fcrates.example.com%2F",
        );
    }

    #[test]
    fn a_bad_entry_costs_only_itself() {
        let good = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
        check(
            &format!("[[package]]\nversion = \"1\"\n{good}[[package]]\nname = \"b\"\nversion = 2\n"),
            &[
                "nowhere pkg:cargo/a@1.0.0",
                "Cargo.lock: package[0]: no `name`",
                "Cargo.lock: package[2] `b`: no `version`",
            ],
        );
        check("package = 1", &["Cargo.lock: `package` is not a list"]);
        check("a = 1", &["Cargo.lock: not a Cargo.lock"]);
        check("<<<<<<< HEAD", &["Cargo.lock: not TOML: key with no value, expected `=`"]); // an unresolved merge
    }

    #[test]
    fn this_workspaces_own_lock_file_is_read() {
        let bytes = include_bytes!("../../../Cargo.lock");
        let parsed = parse("Cargo.lock", bytes);
        let entries = std::str::from_utf8(bytes).unwrap().matches("[[package]]").count();
        assert_eq!((parsed.packages.len(), parsed.skipped.len()), (entries, 0));
        for package in &parsed.packages {
            let is_ours = package.name.starts_with("muster-") || package.name == "muster";
            assert_eq!(package.ecosystem.is_none(), is_ours, "{}", package.purl);
        }
    }

    #[test]
    fn deep_and_long_input_is_refused() {
        let check = |text: &str| assert_eq!(parse("Cargo.lock", text.as_bytes()).skipped.len(), 1);
        check(&format!("a = {}", "[".repeat(100_000)));
        check(&" ".repeat(lock::BYTES_MAX + 1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            parse("Cargo.lock", &bytes);
        }
    }
}
