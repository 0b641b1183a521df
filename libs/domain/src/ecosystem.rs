//! Ecosystems, in OSV's spelling: where a package's name means something and who judges it.

use muster_versions::Scheme;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One row per ecosystem that we know. Adding one is adding a row (and its scheme and parser).
pub struct EcosystemRow {
    /// OSV's name (ossf.github.io/osv-schema, "affected[].package field", read 2026-11-24).
    pub name: &'static str,
    /// The package URL type (purl-spec, types).
    pub purl_type: &'static str,
    /// How its versions are ordered.
    pub scheme: Scheme,
    /// Whether advisories name source packages of a release: `Debian:12`.
    pub is_distribution: bool,
    /// The name under which advisories are looked up.
    pub normalise: fn(&str) -> String,
}

/// The ecosystems that we know, sorted by name.
pub const ECOSYSTEMS: &[EcosystemRow] = &[
    EcosystemRow { name: "Debian", purl_type: "deb", scheme: Scheme::Deb, is_distribution: true, normalise: as_is },
    EcosystemRow { name: "Go", purl_type: "golang", scheme: Scheme::Go, is_distribution: false, normalise: as_is },
    EcosystemRow { name: "PyPI", purl_type: "pypi", scheme: Scheme::Pep440, is_distribution: false, normalise: pep503 },
    EcosystemRow {
        name: "crates.io",
        purl_type: "cargo",
        scheme: Scheme::Cargo,
        is_distribution: false,
        normalise: as_is,
    },
    EcosystemRow { name: "npm", purl_type: "npm", scheme: Scheme::Npm, is_distribution: false, normalise: as_is },
];

fn as_is(name: &str) -> String {
    name.to_owned()
}

/// PEP 503, "Normalized Names": runs of `-`, `_`, `.` are one `-`, in small letters.
fn pep503(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.extend(letter.to_lowercase()),
        }
    }
    normal
}

/// An ecosystem that we know, with its release where it has them: `Debian:12`, `PyPI`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ecosystem(String);

/// The ecosystem has no row in the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown ecosystem `{0}`")]
pub struct UnknownEcosystem(pub String);

impl Ecosystem {
    /// Debian's release, by its major number.
    pub fn debian(major: &str) -> Self {
        Self(format!("Debian:{major}"))
    }

    /// The package URL type's ecosystem without a release.
    pub fn of_purl_type(purl_type: &str) -> Option<Self> {
        ECOSYSTEMS.iter().find(|row| row.purl_type == purl_type).map(|row| Self(row.name.to_owned()))
    }

    /// OSV's spelling, release included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the colon.
    pub fn release(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, release)| release)
    }

    /// Its row.
    pub fn row(&self) -> &'static EcosystemRow {
        let name = self.0.split(':').next().unwrap_or_default();
        ECOSYSTEMS.iter().find(|row| row.name == name).expect("an Ecosystem is made only of names in the table")
    }

    /// How its versions are ordered.
    pub fn scheme(&self) -> Scheme {
        self.row().scheme
    }

    /// The name under which advisories are looked up.
    pub fn normalise(&self, name: &str) -> String {
        (self.row().normalise)(name)
    }
}

impl TryFrom<String> for Ecosystem {
    type Error = UnknownEcosystem;
    fn try_from(raw: String) -> Result<Self, Self::Error> {
        let name = raw.split(':').next().unwrap_or_default();
        if ECOSYSTEMS.iter().any(|row| row.name == name) { Ok(Self(raw)) } else { Err(UnknownEcosystem(raw)) }
    }
}

impl std::str::FromStr for Ecosystem {
    type Err = UnknownEcosystem;
    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Self::try_from(raw.to_owned())
    }
}

impl From<Ecosystem> for String {
    fn from(ecosystem: Ecosystem) -> Self {
        ecosystem.0
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_as_the_ecosystem_normalises_them() {
        let check = |ecosystem: &str, name: &str, expected: &str| {
            assert_eq!(ecosystem.parse::<Ecosystem>().unwrap().normalise(name), expected);
        };
        check("PyPI", "Zope.Interface", "zope-interface");
        check("PyPI", "ruamel__.yaml", "ruamel-yaml");
        check("npm", "@Scope/Name", "@Scope/Name"); // npm's old mixed-case names are names of their own
        check("Debian:12", "openssl", "openssl");
    }

    #[test]
    fn an_ecosystem_without_a_row_is_refused() {
        assert_eq!("Windows:7".parse::<Ecosystem>(), Err(UnknownEcosystem("Windows:7".into())));
    }
}
