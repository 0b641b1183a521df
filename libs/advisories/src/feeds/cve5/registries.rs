//! Packages as CVE records name them: by a package URL, or by a registry's address and a name in it
//! (`affected[].packageURL`; `collectionURL` and `packageName`), and as their ecosystem's advisories name them.

use crate::feed::{WORD_BYTES_MAX, cut};
use muster_domain::{Components, Ecosystem};
use std::str::FromStr;

/// Which ecosystem a registry is, by its host.
const REGISTRIES: &[(&str, &str)] = &[
    ("registry.npmjs.org", "npm"),
    ("npmjs.com", "npm"),
    ("npmjs.org", "npm"),
    ("pypi.org", "PyPI"),
    ("pypi.python.org", "PyPI"),
    ("repo.maven.apache.org", "Maven"),
    ("repo1.maven.org", "Maven"),
    ("central.sonatype.com", "Maven"),
    ("search.maven.org", "Maven"),
    ("mvnrepository.com", "Maven"),
    ("crates.io", "crates.io"),
    ("rubygems.org", "RubyGems"),
    ("packagist.org", "Packagist"),
    ("repo.packagist.org", "Packagist"),
    ("nuget.org", "NuGet"),
    ("api.nuget.org", "NuGet"),
    ("pkg.go.dev", "Go"),
    ("proxy.golang.org", "Go"),
    ("hex.pm", "Hex"),
    ("repo.hex.pm", "Hex"),
    ("pub.dev", "Pub"),
    ("cran.r-project.org", "CRAN"),
    ("hackage.haskell.org", "Hackage"),
];

/// Where source code lies and where distributions keep their packages: no registries whose names mean something to us, or
/// ones whose vendor has a feed of its own, which knows the releases.
const PASSED_OVER: &[&str] = &[
    "github.com",
    "gitlab.com",
    "git.kernel.org",
    "bitbucket.org",
    "codeberg.org",
    "sourceforge.net",
    "git.openssl.org",
    "access.redhat.com",
    "catalog.redhat.com",
    "packages.debian.org",
    "launchpad.net",
];

/// Types of package URLs that distributions use.
const DISTRIBUTION_TYPES: &[&str] = &["deb", "rpm", "apk", "alpm", "rpmmod"];

/// A package in its ecosystem.
#[derive(Debug, PartialEq)]
pub(super) struct Package {
    pub ecosystem: Ecosystem,
    pub name: String,
}

/// What a record's words for a package come to.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// A package of an ecosystem that we know.
    Package(Package),
    /// Nothing that is a package to us.
    Nothing,
    /// A registry or package URL type that has no ecosystem in our table.
    Unknown(String),
    /// A name that its registry does not have, or no package URL.
    Odd(String),
}

/// By package URL.
pub(super) fn by_url(url: &str) -> Found {
    let odd = || Found::Odd(format!("`{}` is no package URL", cut(url, 80)));
    if url.len() > WORD_BYTES_MAX {
        return odd();
    }
    // Not the canonical form, which has names of Go and npm in small letters.
    let Ok(Components { package_type, namespace, name, .. }) = Components::parse(url) else {
        return odd();
    };
    let package_type = package_type.to_ascii_lowercase();
    if DISTRIBUTION_TYPES.contains(&package_type.as_str()) {
        return Found::Nothing;
    }
    let Some(ecosystem) = Ecosystem::of_purl_type(&package_type) else {
        return Found::Unknown(package_type);
    };
    let separator = if ecosystem.as_str() == "Maven" { ':' } else { '/' };
    let name = match namespace {
        Some(namespace) => format!("{namespace}{separator}{name}"),
        None => name,
    };
    Found::Package(Package { ecosystem, name })
}

/// By the registry's address and the name in it; `vendor` helps where the name is of a part only.
pub(super) fn by_collection(collection: &str, name: &str, vendor: &str) -> Found {
    let address = collection.trim().trim_start_matches("https://").trim_start_matches("http://");
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let host = host.trim_start_matches("www.").to_ascii_lowercase();
    let Some((_, ecosystem)) = REGISTRIES.iter().find(|(registry, _)| *registry == host) else {
        let is_passed_over = host.is_empty() || PASSED_OVER.contains(&host.as_str());
        return if is_passed_over { Found::Nothing } else { Found::Unknown(cut(&host, WORD_BYTES_MAX).to_owned()) };
    };
    let name = name.trim();
    if name.is_empty() || name.len() > WORD_BYTES_MAX || name.contains(char::is_whitespace) {
        return Found::Odd(format!("`{}` is no package's name", cut(name, 80)));
    }
    let name = match *ecosystem {
        "Maven" => match maven(name, path) {
            Some(name) => name,
            None => return Found::Odd(format!("`{}` names no Maven group", cut(name, 80))),
        },
        "Go" => go(name, vendor),
        _ => name.to_owned(),
    };
    let ecosystem = Ecosystem::from_str(ecosystem).expect("the table names only ecosystems that we know");
    Found::Package(Package { ecosystem, name })
}

/// `group:artifact`; some write `/` between them, some put the group into the address (`…/artifact/<group>`).
fn maven(name: &str, path: &str) -> Option<String> {
    if name.contains(':') {
        return Some(name.to_owned());
    }
    if let Some((group, artifact)) = name.split_once('/') {
        return Some(format!("{group}:{artifact}"));
    }
    let group = path.strip_prefix("artifact/")?.trim_end_matches('/');
    (!group.is_empty() && !group.contains('/')).then(|| format!("{group}:{name}"))
}

/// Records of Go name import paths. Advisories are by module: the standard library is `stdlib`, the `cmd/` tools are
/// `toolchain` (go.dev/doc/security/vuln/database), others' modules stand as the vendor.
fn go(name: &str, vendor: &str) -> String {
    let first = name.split('/').next().unwrap_or_default();
    match first.contains('.') {
        false if first == "cmd" => "toolchain".to_owned(),
        false => "stdlib".to_owned(),
        true if name.strip_prefix(vendor).is_some_and(|rest| !vendor.is_empty() && rest.starts_with('/')) => {
            vendor.to_owned()
        }
        true => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(found: Found) -> String {
        match found {
            Found::Package(package) => format!("{} {}", package.ecosystem, package.name),
            Found::Nothing => "nothing".to_owned(),
            Found::Unknown(what) => format!("unknown {what}"),
            Found::Odd(reason) => reason,
        }
    }

    #[test]
    fn a_package_url_names_the_package_as_its_ecosystem_does() {
        let check = |url: &str, expected: &str| assert_eq!(told(by_url(url)), expected, "{url}");
        check("pkg:npm/%40babel/core", "npm @babel/core");
        check("pkg:maven/org.apache.commons/commons-compress", "Maven org.apache.commons:commons-compress");
        check("pkg:golang/golang.org/x/net", "Go golang.org/x/net");
        check("pkg:pypi/django", "PyPI django");
        check("pkg:composer/symfony/http-kernel", "Packagist symfony/http-kernel");
        check("pkg:rpm/redhat/openssl", "nothing"); // Red Hat's own feed says in which release
        check("pkg:generic/openssl", "unknown generic");
        check("openssl", "`openssl` is no package URL");
    }

    #[test]
    fn a_registry_and_a_name_are_a_package() {
        let check = |collection: &str, name: &str, vendor: &str, expected: &str| {
            assert_eq!(told(by_collection(collection, name, vendor)), expected, "{collection} {name}");
        };
        let maven = "https://repo.maven.apache.org/maven2/";
        check(maven, "org.apache.commons:commons-compress", "", "Maven org.apache.commons:commons-compress");
        check("https://mvnrepository.com/artifact/io.quarkus", "quarkus-oidc", "", "Maven io.quarkus:quarkus-oidc");
        check("https://mvnrepository.com", "quarkus-oidc", "", "`quarkus-oidc` names no Maven group");
        check("https://www.npmjs.com/package", "@a/b", "", "npm @a/b");
        check("https://pypi.org/project", "django", "", "PyPI django");
        check("https://pkg.go.dev", "net/http/internal", "Go standard library", "Go stdlib");
        check("https://pkg.go.dev", "cmd/go", "Go toolchain", "Go toolchain");
        check("https://pkg.go.dev", "golang.org/x/net/http2", "golang.org/x/net", "Go golang.org/x/net");
        check("https://pkg.go.dev", "golang.org/x/net", "golang.org/x/net", "Go golang.org/x/net");
        check("https://github.com/quarkusio", "quarkus", "", "nothing");
        check("https://access.redhat.com/downloads", "io.quarkus/quarkus-grpc", "", "nothing");
        check("https://wordpress.org/plugins", "akismet", "", "unknown wordpress.org");
        check("https://pypi.org", "Django REST", "", "`Django REST` is no package's name");
        check("", "x", "", "nothing");
    }

    #[test]
    fn the_table_names_only_ecosystems_that_we_know() {
        for (host, ecosystem) in REGISTRIES {
            assert!(Ecosystem::from_str(ecosystem).is_ok(), "{host}");
        }
    }
}
