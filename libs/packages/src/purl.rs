//! Package URLs of what the parsers find, in their canonical form.

use muster_domain::{Components, PackageUrl};

/// The package URL of a name and version; empty when there is none, which is when the name is empty and no parser lets
/// that through, or when it would be longer than any that is read. `kind` is a type of the specification; a qualifier
/// without a value is left out.
pub(crate) fn write(
    kind: &'static str,
    namespace: Option<&str>,
    name: &str,
    version: &str,
    qualifiers: &[(&'static str, Option<&str>)],
) -> String {
    let qualifiers = qualifiers.iter().filter_map(|(key, value)| Some(((*key).to_owned(), (*value)?.to_owned())));
    let parts = Components {
        package_type: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        version: Some(version.to_owned()),
        qualifiers: Some(qualifiers.collect()),
        subpath: None,
    };
    PackageUrl::build(parts).map(|purl| purl.to_string()).unwrap_or_default()
}

/// A package of a language, by the name that its ecosystem gives it.
pub(crate) fn of(kind: &'static str, name: &str, version: &str) -> String {
    match kind {
        "npm" => npm(name, version),
        "golang" => golang(name, version),
        "maven" if name.contains(':') => parted(kind, name, ':', version),
        "maven" => write("generic", None, name, version, &[]), // the type needs a group
        "composer" | "swift" => parted(kind, name, '/', version),
        _ => write(kind, None, name, version, &[]),
    }
}

/// All before the last separator is the namespace.
fn parted(kind: &'static str, name: &str, separator: char, version: &str) -> String {
    match name.rsplit_once(separator) {
        Some((namespace, name)) => write(kind, Some(namespace), name, version, &[]),
        None => write(kind, None, name, version, &[]),
    }
}

/// A Python package.
pub(crate) fn pypi(name: &str, version: &str) -> String {
    write("pypi", None, name, version, &[])
}

/// A Node package; a scope (`@scope/name`) is its namespace.
pub(crate) fn npm(name: &str, version: &str) -> String {
    parted("npm", name, '/', version)
}

/// A Rust crate; one that is not of crates.io with where it comes from.
pub(crate) fn cargo(name: &str, version: &str, vcs_url: Option<&str>, repository_url: Option<&str>) -> String {
    write("cargo", None, name, version, &[("vcs_url", vcs_url), ("repository_url", repository_url)])
}

/// A Go module; all but the last part of its path is its namespace.
pub(crate) fn golang(path: &str, version: &str) -> String {
    parted("golang", path, '/', version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_urls_are_canonical() {
        let check = |purl: String, expected: &str| assert_eq!(purl, expected);
        check(pypi("Typing_Extensions", "4.0"), "pkg:pypi/typing-extensions@4.0");
        check(npm("lodash", "4.17.20"), "pkg:npm/lodash@4.17.20");
        check(npm("@babel/core", "7.0.0"), "pkg:npm/%40babel/core@7.0.0");
        check(npm("JSONStream", "1.3.5"), "pkg:npm/jsonstream@1.3.5"); // as the type says; the package keeps its name
        let qualifiers = [("distro", Some("debian-12")), ("arch", Some("amd64")), ("upstream", None)];
        check(
            write("deb", Some("debian"), "libstdc++6", "1:12.2.0-14+deb12u1", &qualifiers),
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12",
        );
    }
}
