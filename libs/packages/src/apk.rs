//! apk's database of installed packages, `lib/apk/db/installed`: one letter and a value a line, packages parted by an empty
//! line. Source: Alpine's wiki, "Apk spec", and apk-tools' `database.c`, read 2026-11-24.

use crate::{Parsed, cataloguers, headers, merge::ecosystem_of, path, purl};
use muster_domain::{OperatingSystem, Package, PackageManager, SourcePackage};

/// Where it lies; below `/usr` where that has taken in the root's folders.
const PATHS: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

/// Whether the file is it.
pub fn wants(path: &str) -> bool {
    PATHS.contains(&path)
}

/// One package while it is read.
#[derive(Default)]
struct Record {
    line: usize,
    name: Option<String>,
    version: Option<String>,
    architecture: Option<String>,
    origin: Option<String>,
    /// The folder of the files that follow.
    folder: String,
    /// Those of its files that prove a language's package.
    proofs: Vec<String>,
    bad_line: Option<usize>,
}

/// The installed packages, each with its source package, and which of them owns the proof of a language's package.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let mut open: Option<Record> = None;
    for (index, line) in headers::lines(bytes).enumerate() {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            finish(open.take(), path, &mut parsed);
            continue;
        }
        let record = open.get_or_insert_with(|| Record { line: index + 1, ..Record::default() });
        let Some((field, value)) = line.split_once(':').filter(|(field, _)| field.len() == 1) else {
            record.bad_line.get_or_insert(index + 1);
            continue;
        };
        record.field(field, value);
    }
    finish(open, path, &mut parsed);
    parsed
}

impl Record {
    fn field(&mut self, field: &str, value: &str) {
        let filled = || Some(value.to_owned()).filter(|value| !value.is_empty());
        match field {
            "P" => self.name = filled(),
            "V" => self.version = filled(),
            "A" => self.architecture = filled(),
            "o" => self.origin = filled(),
            "F" => value.clone_into(&mut self.folder),
            "R" => {
                let file = path::normalise(&format!("{}/{value}", self.folder));
                self.proofs.extend(file.ok().filter(|file| cataloguers::proves_language_package(file)));
            }
            _ => {}
        }
    }
}

fn finish(record: Option<Record>, path: &str, parsed: &mut Parsed) {
    let Some(record) = record else { return };
    let place = format!("{path}:{}", record.bad_line.unwrap_or(record.line));
    let (name, version) = match (record.bad_line, record.name, record.version) {
        (Some(_), ..) => return parsed.skip(place, "not a letter, a colon and a value"),
        (_, None, _) => return parsed.skip(place, "no name (`P:`)"),
        (_, Some(name), None) => return parsed.skip(place, format!("package `{name}` has no version (`V:`)")),
        (None, Some(name), Some(version)) => (name, version),
    };
    for proof in record.proofs {
        parsed.own(proof, &name);
    }
    parsed.add(Package {
        ecosystem: None,
        purl: apk_purl(&name, &version, record.architecture.as_deref(), None),
        // All packages of an origin are built together, at one version.
        source: Some(SourcePackage { name: record.origin.unwrap_or_else(|| name.clone()), version: version.clone() }),
        name,
        version,
        manager: PackageManager::Os,
        architecture: record.architecture,
        paths: vec![path.to_owned()],
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    });
}

/// Fills in what only the operating system tells: the ecosystem and the package URL's namespace and `distro`.
pub(crate) fn of_system(package: &mut Package, os: Option<&OperatingSystem>) {
    package.ecosystem = os.and_then(ecosystem_of);
    package.purl = apk_purl(&package.name, &package.version, package.architecture.as_deref(), os);
}

fn apk_purl(name: &str, version: &str, architecture: Option<&str>, os: Option<&OperatingSystem>) -> String {
    let namespace = os.map(|os| os.id.as_str()).filter(|id| !id.is_empty());
    let distro = os.filter(|os| !os.version.is_empty()).map(|os| format!("{}-{}", os.id, os.version));
    purl::write("apk", namespace, name, version, &[("arch", architecture), ("distro", distro.as_deref())])
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTALLED: &str = "lib/apk/db/installed";

    /// The package URL and source of each package, the owned files, then what was set aside.
    fn check(text: &str, expected: &[&str]) {
        let parsed = parse(INSTALLED, text.as_bytes());
        let packages = parsed.packages.iter().map(|package| {
            let source = package.source.as_ref().unwrap();
            format!("{} {} {}", package.purl, source.name, source.version)
        });
        let owned = parsed.owned.iter().map(|(path, package)| format!("{path} of {package}"));
        let skipped = parsed.skipped.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason));
        assert_eq!(packages.chain(owned).chain(skipped).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn a_package_is_of_its_origin_and_owns_its_files() {
        let text = "C:Q1abc=\nP:libcrypto3\nV:3.1.4-r1\nA:x86_64\nS:1\nT:Crypto: library\no:openssl\nF:lib\nR:libcrypto.so.3\na:0:0:755\nZ:Q1=\n\n\
                    P:py3-six\nV:1.16.0-r6\nA:noarch\nF:usr/lib/python3.11/site-packages/six-1.16.0.dist-info\nR:METADATA\nR:RECORD\n\n";
        check(
            text,
            &[
                "pkg:apk/libcrypto3@3.1.4-r1?arch=x86_64 openssl 3.1.4-r1",
                "pkg:apk/py3-six@1.16.0-r6?arch=noarch py3-six 1.16.0-r6",
                "usr/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA of py3-six",
            ],
        );
        check(
            text.trim_end(),
            &[
                "pkg:apk/libcrypto3@3.1.4-r1?arch=x86_64 openssl 3.1.4-r1",
                "pkg:apk/py3-six@1.16.0-r6?arch=noarch py3-six 1.16.0-r6",
                "usr/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA of py3-six",
            ],
        );
    }

    #[test]
    fn a_bad_record_is_told_with_its_line_and_the_others_are_read() {
        check(
            "P:a\ngarbage\n\nV:1\n\nP:b\n\nP:c\nV:1\n",
            &[
                "pkg:apk/c@1 c 1",
                "lib/apk/db/installed:2: not a letter, a colon and a value",
                "lib/apk/db/installed:4: no name (`P:`)",
                "lib/apk/db/installed:6: package `b` has no version (`V:`)",
            ],
        );
        check("", &[]);
    }
}
