//! What the Inspector API, its events and Security Hub's format write alike.

use muster_advisories::rating;
use muster_domain::{BaseScore, Package, PackageManager, VectorString};
use serde_json::{Map, Value};

/// An object without the members that have nothing to say: null, an empty text, an empty object. Empty lists stay,
/// as Inspector writes them.
pub(crate) fn without_empty(value: Value) -> Value {
    let says_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Array(_) | Value::Bool(_) | Value::Number(_) => false,
    };
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, without_empty(value)));
            Value::Object(members.filter(|(_, value)| !says_nothing(value)).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_empty).collect()),
        other => other,
    }
}

/// A CVSS vector as the outward shapes list it.
pub(crate) struct Scored<'a> {
    pub(crate) version: &'a str,
    pub(crate) score: BaseScore,
    pub(crate) vector: &'a str,
    pub(crate) source: &'a str,
}

/// The vectors that can be read.
pub(crate) fn scored(vectors: &[VectorString]) -> impl Iterator<Item = Scored<'_>> {
    vectors.iter().filter_map(|given| {
        let (_, score) = rating::base_score(given)?;
        let prefixed = given.vector.strip_prefix("CVSS:").and_then(|rest| rest.split('/').next());
        let source = if given.source.is_empty() { &given.kind } else { &given.source };
        Some(Scored { version: prefixed.unwrap_or("2.0"), score, vector: &given.vector, source })
    })
}

/// A version in rpm's and dpkg's three parts. Packages of languages have no release.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct VersionParts<'a> {
    pub(crate) epoch: i32,
    pub(crate) version: &'a str,
    pub(crate) release: Option<&'a str>,
}

pub(crate) fn version_parts(package: &Package) -> VersionParts<'_> {
    if package.manager != PackageManager::Os {
        return VersionParts { epoch: 0, version: &package.version, release: None };
    }
    let (epoch, rest) = split_epoch(&package.version);
    match rest.rsplit_once('-') {
        Some((version, release)) if !version.is_empty() => VersionParts { epoch, version, release: Some(release) },
        _ => VersionParts { epoch, version: rest, release: None },
    }
}

fn split_epoch(version: &str) -> (i32, &str) {
    let split = version.split_once(':').and_then(|(epoch, rest)| Some((epoch.parse().ok()?, rest)));
    split.unwrap_or((0, version))
}

/// The fixed version; Inspector always writes an OS package's epoch.
pub(crate) fn fixed_in(package: &Package, fixed_version: &str) -> String {
    match package.manager {
        PackageManager::Os => {
            let (epoch, rest) = split_epoch(fixed_version);
            format!("{epoch}:{rest}")
        }
        _ => fixed_version.to_owned(),
    }
}

/// `PackageManager` of the inspector2 API, which has no word for the generic one.
pub(crate) fn manager(package: &Package) -> Option<&'static str> {
    (package.manager != PackageManager::Generic).then(|| package.manager.as_str())
}

/// Where a package of a language lies: the first of its files. OS packages have none in Inspector's findings.
pub(crate) fn file_path(package: &Package) -> Option<&str> {
    package.paths.first().map(String::as_str).filter(|_| package.manager != PackageManager::Os)
}

/// `AMD64`, `ARM64`, `ALL`.
pub(crate) fn architecture(package: &Package) -> Option<String> {
    package.architecture.as_ref().map(|architecture| architecture.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::package;
    use serde_json::json;

    #[test]
    fn an_os_version_is_written_in_three_parts() {
        let check = |version: &str, epoch: i32, upstream: &str, release: Option<&str>| {
            let package = package(PackageManager::Os, "openssl", version);
            assert_eq!(version_parts(&package), VersionParts { epoch, version: upstream, release }, "{version}");
        };
        check("3.0.11-1~deb12u2", 0, "3.0.11", Some("1~deb12u2"));
        check("1:9.2p1-2+deb12u2", 1, "9.2p1", Some("2+deb12u2"));
        check("2.3-4-5", 0, "2.3-4", Some("5"));
        check("20230311", 0, "20230311", None); // native
        check("x:1", 0, "x:1", None); // no epoch
    }

    #[test]
    fn a_language_version_stays_whole() {
        let pip = package(PackageManager::Pip, "x", "1!2.0-1");
        assert_eq!(version_parts(&pip), VersionParts { epoch: 0, version: "1!2.0-1", release: None });
        assert_eq!(fixed_in(&pip, "2.1"), "2.1");
    }

    #[test]
    fn the_epoch_of_a_fix_is_always_written() {
        let openssl = package(PackageManager::Os, "openssl", "1");
        assert_eq!(fixed_in(&openssl, "3.0.15-1"), "0:3.0.15-1");
        assert_eq!(fixed_in(&openssl, "1:9.2-3"), "1:9.2-3");
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let full = json!({ "a": null, "b": "", "c": [], "d": { "e": null }, "f": 0, "g": false, "h": [{ "i": "" }] });
        assert_eq!(without_empty(full), json!({ "c": [], "f": 0, "g": false, "h": [{}] }));
    }
}
