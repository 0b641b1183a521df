//! dpkg's status: `/var/lib/dpkg/status`, and `status.d/*` in images without dpkg (distroless).
//! Source: dpkg(1) "PACKAGE STATES", deb-control(5), deb822(5), read 2026-11-24.

use crate::{Parsed, headers, merge::ecosystem_of, purl};
use muster_domain::{OperatingSystem, Package, PackageManager, SourcePackage};

/// A package's files are on the disk in these states, in whole or in part. Without them: `not-installed`, and
/// `config-files` (removed, its configuration kept).
const PRESENT: [&str; 6] =
    ["installed", "half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"];

/// States in which no file of a package is left.
const ABSENT: [&str; 2] = ["not-installed", "config-files"];

const FIELDS: [&str; 5] = ["Package", "Status", "Version", "Architecture", "Source"];

const FOLDER: &str = "var/lib/dpkg/status.d/";

/// Whether the file is a status file. `status.d/*.md5sums` are lists of files.
pub fn wants(path: &str) -> bool {
    path == "var/lib/dpkg/status" || path.strip_prefix(FOLDER).is_some_and(is_single)
}

fn is_single(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && !name.ends_with(".md5sums")
}

/// The packages whose files are on the disk, each with its source package.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let is_fragment = path.starts_with(FOLDER);
    let mut parsed = Parsed::default();
    for stanza in headers::stanzas(bytes, &FIELDS) {
        let line = stanza.bad_line.unwrap_or(stanza.line);
        let broken = stanza.bad_line.is_some();
        match if broken { Err("not a control field".to_owned()) } else { package(path, stanza.values, is_fragment) } {
            Ok(Some(package)) => parsed.add(package),
            Ok(None) => {}
            Err(reason) => parsed.skip(format!("{path}:{line}"), reason),
        }
    }
    parsed
}

/// `None`: not on the disk.
fn package(path: &str, values: [Option<String>; 5], is_fragment: bool) -> Result<Option<Package>, String> {
    let [name, status, version, architecture, source] = values.map(|value| value.filter(|value| !value.is_empty()));
    let name = name.ok_or("no `Package` field")?;
    // Fragments are written when a package is laid into an image, and have no state.
    match status.as_deref().map(|status| status.rsplit(' ').next().unwrap_or_default()) {
        None if is_fragment => {}
        None => return Err(format!("package `{name}` has no `Status` field")),
        Some(state) if PRESENT.contains(&state) => {}
        Some(state) if ABSENT.contains(&state) => return Ok(None),
        Some(state) => return Err(format!("package `{name}` has the unknown state `{state}`")),
    }
    let version = version.ok_or_else(|| format!("package `{name}` has no `Version` field"))?;
    Ok(Some(installed(name, version, architecture, source.as_deref().map(source_field), path.to_owned())))
}

/// `openssl`, or `glibc (2.36-9)` where the source's version differs from the binary's.
fn source_field(raw: &str) -> (&str, Option<&str>) {
    match raw.split_once('(') {
        Some((name, version)) => (name.trim(), Some(version.trim_end_matches(')').trim())),
        None => (raw, None),
    }
}

/// A package of dpkg's. Without a source of its own, the source has the binary's name and version.
pub(crate) fn installed(
    name: String,
    version: String,
    architecture: Option<String>,
    source: Option<(&str, Option<&str>)>,
    path: String,
) -> Package {
    let (source_name, source_version) = source.unwrap_or((&name, None));
    let source = SourcePackage {
        name: source_name.to_owned(),
        version: source_version.filter(|version| !version.is_empty()).unwrap_or(&version).to_owned(),
    };
    Package {
        ecosystem: None,
        purl: deb_purl(&name, &version, architecture.as_deref(), None),
        name,
        version,
        manager: PackageManager::Os,
        source: Some(source),
        architecture,
        paths: vec![path],
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    }
}

/// Fills in what only the operating system tells: the ecosystem and the package URL's namespace and `distro`.
pub(crate) fn of_system(package: &mut Package, os: Option<&OperatingSystem>) {
    package.ecosystem = os.and_then(ecosystem_of);
    package.purl = deb_purl(&package.name, &package.version, package.architecture.as_deref(), os);
}

fn deb_purl(name: &str, version: &str, architecture: Option<&str>, os: Option<&OperatingSystem>) -> String {
    let namespace = os.map(|os| os.id.as_str()).filter(|id| !id.is_empty());
    let distro = os.filter(|os| !os.version.is_empty()).map(|os| format!("{}-{}", os.id, os.version));
    purl::write("deb", namespace, name, version, &[("arch", architecture), ("distro", distro.as_deref())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATUS: &str = "var/lib/dpkg/status";

    /// `name version source source-version` of each package, then `place: reason` of each skipped record.
    fn check(path: &str, text: &str, packages: &[&str], skipped: &[&str]) {
        let parsed = parse(path, text.as_bytes());
        let source = |package: &Package| package.source.clone().map(|source| (source.name, source.version)).unwrap();
        let told: Vec<String> = parsed
            .packages
            .iter()
            .map(|package| {
                let (name, version) = source(package);
                format!("{} {} {name} {version}", package.name, package.version)
            })
            .collect();
        assert_eq!(told, packages, "{text}");
        let told: Vec<String> =
            parsed.skipped.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason)).collect();
        assert_eq!(told, skipped, "{text}");
    }

    #[test]
    fn the_source_is_the_package_itself_unless_stated() {
        let stanza = |source: &str| {
            format!("Package: libc6\nStatus: install ok installed\n{source}Version: 2.36-9+b1\nArchitecture: amd64\n")
        };
        check(STATUS, &stanza(""), &["libc6 2.36-9+b1 libc6 2.36-9+b1"], &[]);
        check(STATUS, &stanza("Source: glibc\n"), &["libc6 2.36-9+b1 glibc 2.36-9+b1"], &[]);
        check(STATUS, &stanza("Source: glibc (2.36-9)\n"), &["libc6 2.36-9+b1 glibc 2.36-9"], &[]); // a binary rebuild
    }

    #[test]
    fn a_package_counts_while_files_of_it_are_on_the_disk() {
        for (status, counts) in [
            ("install ok installed", true),             // ii
            ("hold ok installed", true),                // hi
            ("deinstall ok installed", true),           // ri: to be removed, still there
            ("install ok unpacked", true),              // iU
            ("install ok half-configured", true),       // iF
            ("install reinstreq half-installed", true), // iHR
            ("install ok triggers-awaited", true),      // iW
            ("install ok triggers-pending", true),      // it
            ("deinstall ok config-files", false),       // rc
            ("unknown ok not-installed", false),        // un
        ] {
            let text = format!("Package: x\nStatus: {status}\nVersion: 1\n");
            let expected: &[&str] = if counts { &["x 1 x 1"] } else { &[] };
            check(STATUS, &text, expected, &[]);
        }
    }

    #[test]
    fn a_bad_stanza_is_told_with_its_line_and_the_others_are_read() {
        let good = "Package: good\nStatus: install ok installed\nVersion: 1\nDescription: a\n b: c\n .\n d\n\n";
        check(
            STATUS,
            &format!("{good}\n\ngarbage\n\n{good}"),
            &["good 1 good 1", "good 1 good 1"],
            &["var/lib/dpkg/status:11: not a control field"],
        );
        for (stanza, reason) in [
            ("Status: install ok installed\nVersion: 1\n", "no `Package` field"),
            ("Package: x\nVersion: 1\n", "package `x` has no `Status` field"),
            ("Package: x\nStatus: install ok installed\n", "package `x` has no `Version` field"),
            ("Package: x\nStatus: install ok broken\nVersion: 1\n", "package `x` has the unknown state `broken`"),
        ] {
            check(STATUS, &format!("{good}{stanza}"), &["good 1 good 1"], &[&format!("{STATUS}:9: {reason}")]);
        }
    }

    #[test]
    fn fragments_of_distroless_images_have_no_state() {
        check(
            "var/lib/dpkg/status.d/tzdata",
            "Package: tzdata\r\nVersion: 2024a-0+deb12u1\r\nArchitecture: all\r\n",
            &["tzdata 2024a-0+deb12u1 tzdata 2024a-0+deb12u1"],
            &[],
        );
        assert!(wants("var/lib/dpkg/status.d/tzdata") && wants(STATUS));
        for other in ["var/lib/dpkg/status-old", "var/lib/dpkg/status.d/tzdata.md5sums", "x/var/lib/dpkg/status"] {
            assert!(!wants(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            parse(STATUS, &bytes);
        }

        #[test]
        fn any_headers_are_read_without_a_panic(text in "((Package|Status|Version|Source)?[: ()a-z\n\r]{0,20}){0,40}") {
            parse(STATUS, text.as_bytes());
        }
    }
}
