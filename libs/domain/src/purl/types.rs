//! What the types of package URLs ask of their parts: purl-spec's type definitions (types/*-definition.json, read
//! 2026-11-24). A part that its definition calls not case sensitive is written small (ECMA-427 §6.5.6).

use super::{MalformedPurl, PackageUrl};

/// Which parts of a type are written small, and what is made of its namespace.
struct TypeRow {
    name: &'static str,
    small: Small,
    namespace: Namespace,
}

/// The parts that are not case sensitive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Small {
    Nothing,
    Namespace,
    Name,
    NamespaceAndName,
    Version,
    NameAndVersion,
    All,
}

impl Small {
    fn namespace(self) -> bool {
        matches!(self, Self::Namespace | Self::NamespaceAndName | Self::All)
    }

    fn name(self) -> bool {
        matches!(self, Self::Name | Self::NamespaceAndName | Self::NameAndVersion | Self::All)
    }

    fn version(self) -> bool {
        matches!(self, Self::Version | Self::NameAndVersion | Self::All)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Namespace {
    Optional,
    Required,
    Prohibited,
}

const fn row(name: &'static str, small: Small, namespace: Namespace) -> TypeRow {
    TypeRow { name, small, namespace }
}

/// The types with rules, sorted; every other type, registered or not, has none.
///
/// Two things are read more leniently than defined, since the package would be lost otherwise. The definitions of alpm,
/// apk, deb, golang and rpm require a namespace, but rpm's own example (`pkg:rpm/centerim@4.22.10-1.el6`) has none, and
/// inventories say `pkg:golang/stdlib@1.22.1`. No type requires a version: advisories name packages without one. (The
/// suite once refused cran and swift without a version, and conan's namespace without a channel; the definitions of
/// today do not.)
const TYPES: &[TypeRow] = &[
    row("alpm", Small::NamespaceAndName, Namespace::Optional),
    row("apk", Small::NamespaceAndName, Namespace::Optional),
    row("bitbucket", Small::NamespaceAndName, Namespace::Optional),
    row("bitnami", Small::Name, Namespace::Prohibited),
    row("cargo", Small::Nothing, Namespace::Prohibited),
    row("chrome-extension", Small::Nothing, Namespace::Prohibited),
    row("cocoapods", Small::Nothing, Namespace::Prohibited),
    row("composer", Small::NamespaceAndName, Namespace::Required),
    row("conda", Small::Nothing, Namespace::Prohibited),
    row("cpan", Small::Nothing, Namespace::Required),
    row("cran", Small::Nothing, Namespace::Prohibited),
    row("deb", Small::NamespaceAndName, Namespace::Optional),
    row("gem", Small::Nothing, Namespace::Prohibited),
    row("gitea", Small::NamespaceAndName, Namespace::Optional),
    row("github", Small::NamespaceAndName, Namespace::Optional),
    row("githubactions", Small::NamespaceAndName, Namespace::Optional),
    row("gitlab", Small::NamespaceAndName, Namespace::Optional),
    row("golang", Small::NamespaceAndName, Namespace::Optional),
    row("hackage", Small::Nothing, Namespace::Prohibited),
    row("hex", Small::NamespaceAndName, Namespace::Optional),
    row("huggingface", Small::Version, Namespace::Required),
    row("julia", Small::Nothing, Namespace::Prohibited),
    row("luarocks", Small::NamespaceAndName, Namespace::Optional),
    row("mlflow", Small::Nothing, Namespace::Prohibited),
    row("npm", Small::NamespaceAndName, Namespace::Optional),
    row("nuget", Small::Nothing, Namespace::Prohibited),
    row("oci", Small::NameAndVersion, Namespace::Prohibited),
    row("opam", Small::Nothing, Namespace::Prohibited),
    row("otp", Small::Nothing, Namespace::Prohibited),
    row("pub", Small::Name, Namespace::Prohibited),
    row("pypi", Small::NameAndVersion, Namespace::Prohibited),
    row("qpkg", Small::Namespace, Namespace::Optional),
    row("rpm", Small::Namespace, Namespace::Optional),
    row("swift", Small::Nothing, Namespace::Required),
    row("vcpkg", Small::Nothing, Namespace::Prohibited),
    row("vscode-extension", Small::All, Namespace::Required),
];

fn find(package_type: &str) -> Option<&'static TypeRow> {
    TYPES.iter().find(|row| row.name == package_type)
}

/// The parts as the type writes them.
pub(super) fn normalise(mut purl: PackageUrl) -> PackageUrl {
    let small = find(&purl.package_type).map_or(Small::Nothing, |row| row.small);
    if small.namespace() {
        purl.namespace = purl.namespace.map(|namespace| namespace.to_lowercase());
    }
    if small.name() {
        purl.name = purl.name.to_lowercase();
    }
    if small.version() {
        purl.version = purl.version.map(|version| version.to_lowercase());
    }
    match purl.package_type.as_str() {
        // An author's id "MUST be written uppercase".
        "cpan" => purl.namespace = purl.namespace.map(|author| author.to_uppercase()),
        // Databricks' names are not case sensitive, those of other servers are.
        "mlflow" if purl.qualifiers.get("repository_url").is_some_and(|url| url.contains("databricks")) => {
            purl.name = purl.name.to_lowercase();
        }
        // "Replace non-[a-z] letters, non-[0-9] digits with underscore".
        "pub" => purl.name = purl.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_"),
        // Dots stay, which PEP 503 replaces as well; names are looked up by PEP 503 anyway.
        "pypi" => purl.name = purl.name.replace('_', "-"),
        _ => {}
    }
    purl
}

/// Whether the parts are all there that the type requires, and none that it prohibits.
pub(super) fn check(purl: &PackageUrl) -> Result<(), MalformedPurl> {
    let package_type = || purl.package_type.clone();
    match (find(&purl.package_type).map(|row| row.namespace), &purl.namespace) {
        (Some(Namespace::Prohibited), Some(_)) => return Err(MalformedPurl::NamespaceProhibited(package_type())),
        (Some(Namespace::Required), None) => return Err(MalformedPurl::NamespaceRequired(package_type())),
        _ => {}
    }
    let required = match purl.package_type.as_str() {
        "julia" => Some("uuid"),
        "swid" => Some("tag_id"),
        _ => None,
    };
    if let Some(key) = required.filter(|key| !purl.qualifiers.contains_key(*key)) {
        return Err(MalformedPurl::QualifierRequired { package_type: package_type(), key });
    }
    // A distribution is meant, not one of its modules.
    if purl.package_type == "cpan" && purl.name.contains("::") {
        return Err(MalformedPurl::Name { package_type: package_type(), name: purl.name.clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sorted_and_each_stands_once() {
        assert!(TYPES.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
