//! Package URLs in their canonical form (github.com/package-url/purl-spec).

use packageurl::PackageUrl;

/// The package URL of a name and version; empty when the name is empty, which no parser lets through.
/// `kind` is a type of the specification; a qualifier without a value is left out.
pub(crate) fn write(
    kind: &'static str,
    namespace: Option<&str>,
    name: &str,
    version: &str,
    qualifiers: &[(&'static str, Option<&str>)],
) -> String {
    let build = || {
        let mut purl = PackageUrl::new(kind, name)?;
        if let Some(namespace) = namespace {
            purl.with_namespace(namespace)?;
        }
        if !version.is_empty() {
            purl.with_version(version)?;
        }
        for (key, value) in qualifiers {
            if let Some(value) = value {
                purl.add_qualifier(*key, *value)?;
            }
        }
        Ok::<_, packageurl::Error>(purl.to_string())
    };
    build().unwrap_or_default()
}

/// A Python package.
pub(crate) fn pypi(name: &str, version: &str) -> String {
    write("pypi", None, name, version, &[])
}

/// A Node package; a scope (`@scope/name`) is its namespace.
pub(crate) fn npm(name: &str, version: &str) -> String {
    let (scope, name) = match name.rsplit_once('/') {
        Some((scope, name)) => (Some(scope), name),
        None => (None, name),
    };
    write("npm", scope, name, version, &[])
}

/// A Rust crate; one that is not of crates.io with where it comes from.
pub(crate) fn cargo(name: &str, version: &str, vcs_url: Option<&str>, repository_url: Option<&str>) -> String {
    write("cargo", None, name, version, &[("vcs_url", vcs_url), ("repository_url", repository_url)])
}

/// A Go module; all but the last part of its path is its namespace.
pub(crate) fn golang(path: &str, version: &str) -> String {
    let (namespace, name) = match path.rsplit_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, path),
    };
    write("golang", namespace, name, version, &[])
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
        let qualifiers = [("distro", Some("debian-12")), ("arch", Some("amd64")), ("upstream", None)];
        check(
            write("deb", Some("debian"), "libstdc++6", "1:12.2.0-14+deb12u1", &qualifiers),
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12",
        );
    }
}
