//! pacman's database of installed packages: `/var/lib/pacman/local/NAME-VERSION/desc`, a value below each `%NAME%`.
//! Source: pacman's `lib/libalpm/be_local.c`, read 2026-11-24.

use crate::{Parsed, headers, merge::ecosystem_of, purl};
use muster_domain::{OperatingSystem, Package, PackageManager, SourcePackage};

const FOLDER: &str = "var/lib/pacman/local/";

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    path.strip_prefix(FOLDER).and_then(|rest| rest.strip_suffix("/desc")).is_some_and(|name| !name.contains('/'))
}

/// The one package.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut values: [Option<String>; 4] = Default::default();
    let mut lines = headers::lines(bytes).map(|line| String::from_utf8_lossy(line).trim().to_owned());
    while let Some(line) = lines.next() {
        let wanted = ["%NAME%", "%VERSION%", "%BASE%", "%ARCH%"];
        if let Some(index) = wanted.iter().position(|wanted| *wanted == line) {
            values[index] = lines.next().filter(|value| !value.is_empty());
        }
    }
    let mut parsed = Parsed::default();
    match values {
        [None, ..] => parsed.skip(path, "no `%NAME%`"),
        [_, None, ..] => parsed.skip(path, "no `%VERSION%`"),
        [Some(name), Some(version), base, architecture] => parsed.add(Package {
            ecosystem: None,
            purl: alpm_purl(&name, &version, architecture.as_deref(), None),
            // Packages of one base are built together, at one version.
            source: Some(SourcePackage { name: base.unwrap_or_else(|| name.clone()), version: version.clone() }),
            name,
            version,
            manager: PackageManager::Os,
            architecture,
            paths: vec![path.to_owned()],
            layer: None,
            module: None,
            lambda_layer: None,
            owned_by: None,
        }),
    }
    parsed
}

/// Fills in what only the operating system tells: the ecosystem and the package URL's namespace.
pub(crate) fn of_system(package: &mut Package, os: Option<&OperatingSystem>) {
    package.ecosystem = os.and_then(ecosystem_of);
    package.purl = alpm_purl(&package.name, &package.version, package.architecture.as_deref(), os);
}

fn alpm_purl(name: &str, version: &str, architecture: Option<&str>, os: Option<&OperatingSystem>) -> String {
    let namespace = os.map(|os| os.id.as_str()).filter(|id| !id.is_empty());
    purl::write("alpm", namespace, name, version, &[("arch", architecture)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_stands_below_its_name() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let parsed = parse("var/lib/pacman/local/x-1/desc", text.as_bytes());
            let told = parsed.packages.first().map(|package| {
                let source = package.source.as_ref().unwrap();
                format!("{} {} {} {}", package.purl, package.version, source.name, source.version)
            });
            let reason = parsed.skipped.first().map(|skipped| skipped.reason.as_str());
            assert_eq!(told.as_deref().ok_or(reason.unwrap_or_default()), expected, "{text}");
        };
        let text = "%NAME%\nlib32-glibc\n\n%VERSION%\n2.39-1\n\n%BASE%\nglibc\n\n%ARCH%\nx86_64\n\n%DEPENDS%\nglibc\n";
        check(text, Ok("pkg:alpm/lib32-glibc@2.39-1?arch=x86_64 2.39-1 glibc 2.39-1"));
        check("%NAME%\na\n\n%VERSION%\n1-1", Ok("pkg:alpm/a@1-1 1-1 a 1-1"));
        check("%VERSION%\n1-1\n", Err("no `%NAME%`"));
        check("%NAME%\na\n\n%VERSION%\n", Err("no `%VERSION%`"));
        assert!(wants("var/lib/pacman/local/gawk-5.3.1-1/desc") && !wants("var/lib/pacman/local/gawk-5.3.1-1/files"));
    }
}
