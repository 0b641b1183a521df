//! Ecosystems, in OSV's spelling: where a package's name means something and who judges it.

use crate::Names;
use muster_versions::Scheme;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One row per ecosystem that we know. Adding one is adding a row (and its scheme and parser).
pub struct EcosystemRow {
    /// OSV's name (ossf.github.io/osv-schema, "affected[].package field", read 2026-11-24). OSV has none for Amazon Linux, Arch
    /// Linux, Bottlerocket, Fedora, Oracle Linux and Windows, so these are called as their makers call them.
    pub name: &'static str,
    /// The package URL type (purl-spec, types).
    pub purl_type: &'static str,
    /// How its versions are ordered.
    pub scheme: Scheme,
    /// Whether the packages are an operating system's and its advisories are of one release: `Debian:12`.
    pub is_distribution: bool,
    /// Which of a package's names its advisories use, where they don't say.
    pub names: Names,
    /// The name under which advisories are looked up.
    pub normalise: fn(&str) -> String,
}

/// The ecosystems that we know, sorted by name.
pub const ECOSYSTEMS: &[EcosystemRow] = &[
    distribution("AlmaLinux", "rpm", Scheme::Rpm, Names::Binary),
    distribution("Alpine", "apk", Scheme::Apk, Names::Source),
    distribution("Amazon Linux", "rpm", Scheme::Rpm, Names::Binary),
    distribution("Arch Linux", "alpm", Scheme::Alpm, Names::Binary),
    distribution("Azure Linux", "rpm", Scheme::Rpm, Names::Binary),
    language("Bitnami", "bitnami", Scheme::Bitnami, as_is),
    distribution("Bottlerocket", "rpm", Scheme::Rpm, Names::Binary),
    language("CRAN", "cran", Scheme::Cran, as_is),
    distribution("Chainguard", "apk", Scheme::Apk, Names::Source),
    language("ConanCenter", "conan", Scheme::Conan, small),
    distribution("Debian", "deb", Scheme::Deb, Names::Source),
    distribution("Fedora", "rpm", Scheme::Rpm, Names::Binary),
    language("GitHub Actions", "githubactions", Scheme::Cargo, small),
    language("Go", "golang", Scheme::Go, as_is),
    language("Hackage", "hackage", Scheme::Hackage, as_is),
    language("Hex", "hex", Scheme::Hex, small),
    language("Julia", "julia", Scheme::Cargo, as_is),
    language("Maven", "maven", Scheme::Maven, as_is),
    distribution("MinimOS", "apk", Scheme::Apk, Names::Source),
    language("NuGet", "nuget", Scheme::Nuget, small),
    distribution("Oracle Linux", "rpm", Scheme::Rpm, Names::Binary),
    language("Packagist", "composer", Scheme::Composer, small),
    distribution("Photon OS", "rpm", Scheme::Rpm, Names::Binary),
    language("Pub", "pub", Scheme::Pub, as_is),
    language("PyPI", "pypi", Scheme::Pep440, pep503),
    distribution("Red Hat", "rpm", Scheme::Rpm, Names::Binary),
    distribution("Rocky Linux", "rpm", Scheme::Rpm, Names::Binary),
    language("RubyGems", "gem", Scheme::Gem, as_is),
    distribution("SUSE", "rpm", Scheme::Rpm, Names::Binary),
    language("SwiftURL", "swift", Scheme::Swift, as_is),
    distribution("Ubuntu", "deb", Scheme::Deb, Names::Source),
    distribution("Windows", "windows", Scheme::Windows, Names::Binary),
    distribution("Wolfi", "apk", Scheme::Apk, Names::Source),
    language("crates.io", "cargo", Scheme::Cargo, as_is),
    language("npm", "npm", Scheme::Npm, as_is),
    distribution("openSUSE", "rpm", Scheme::Rpm, Names::Binary),
];

const fn distribution(name: &'static str, purl_type: &'static str, scheme: Scheme, names: Names) -> EcosystemRow {
    EcosystemRow { name, purl_type, scheme, is_distribution: true, names, normalise: as_is }
}

const fn language(
    name: &'static str,
    purl_type: &'static str,
    scheme: Scheme,
    normalise: fn(&str) -> String,
) -> EcosystemRow {
    EcosystemRow { name, purl_type, scheme, is_distribution: false, names: Names::Binary, normalise }
}

fn as_is(name: &str) -> String {
    name.to_owned()
}

/// Names that mean the same in capital and small letters.
fn small(name: &str) -> String {
    name.to_lowercase()
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

    /// The ecosystem of a package URL type that no operating system uses.
    pub fn of_purl_type(purl_type: &str) -> Option<Self> {
        let is_it = |row: &&EcosystemRow| row.purl_type == purl_type && !row.is_distribution;
        ECOSYSTEMS.iter().find(is_it).map(|row| Self(row.name.to_owned()))
    }

    /// The ecosystem of an operating system's own packages, by `ID` and `VERSION_ID` of os-release(5). `None`: none that we
    /// know, or no release whose advisories would count (Debian's testing has no `VERSION_ID`).
    pub fn of_system(id: &str, version: &str) -> Option<Self> {
        let major = || version.split('.').next().unwrap_or_default();
        let (name, release) = match id {
            "debian" => ("Debian", major().to_owned()),
            "ubuntu" => ("Ubuntu", version.to_owned()),
            "alpine" => {
                let mut parts = version.split('.');
                let (major, minor) = (parts.next()?, parts.next()?);
                return number(major).and(number(minor)).map(|_| Self(format!("Alpine:v{major}.{minor}")));
            }
            // CentOS Linux is built from Red Hat's sources and keeps their versions.
            "rhel" | "centos" => ("Red Hat", major().to_owned()),
            "amzn" if version.starts_with("201") => ("Amazon Linux", "1".to_owned()),
            "amzn" => ("Amazon Linux", version.to_owned()),
            "almalinux" => ("AlmaLinux", major().to_owned()),
            "rocky" => ("Rocky Linux", major().to_owned()),
            "ol" => ("Oracle Linux", major().to_owned()),
            "fedora" => ("Fedora", version.to_owned()),
            "sles" | "sled" | "sles_sap" => ("SUSE", version.to_owned()),
            "opensuse-leap" => ("openSUSE", version.to_owned()),
            "photon" => ("Photon OS", version.to_owned()),
            "azurelinux" | "mariner" => ("Azure Linux", major().to_owned()),
            "opensuse-tumbleweed" => return Some(Self("openSUSE:tumbleweed".to_owned())),
            "arch" => return Some(Self("Arch Linux".to_owned())),
            "bottlerocket" => return Some(Self("Bottlerocket".to_owned())),
            "wolfi" => return Some(Self("Wolfi".to_owned())),
            "chainguard" => return Some(Self("Chainguard".to_owned())),
            "minimos" => return Some(Self("MinimOS".to_owned())),
            _ => return None,
        };
        release.split('.').all(|part| number(part).is_some()).then(|| Self(format!("{name}:{release}")))
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

/// Reads OSV's spelling, and gives a release the one name that `of_system` gives it.
impl TryFrom<String> for Ecosystem {
    type Error = UnknownEcosystem;
    fn try_from(raw: String) -> Result<Self, Self::Error> {
        let (name, release) = raw.split_once(':').unwrap_or((&raw, ""));
        if !ECOSYSTEMS.iter().any(|row| row.name == name) {
            return Err(UnknownEcosystem(raw));
        }
        let release = match name {
            // However often it stands there, so that what was read is read as the same again.
            "Ubuntu" => release.strip_suffix(":LTS").map(|release| release.trim_end_matches(":LTS").to_owned()),
            "Red Hat" => red_hat_stream(release),
            "SUSE" => suse_release(release),
            "openSUSE" if release.trim_start_matches("Leap ") == "Tumbleweed" => Some("tumbleweed".to_owned()),
            "openSUSE" => release.strip_prefix("Leap ").map(|release| release.trim_start_matches("Leap ").to_owned()),
            _ => None,
        };
        Ok(Self(release.map_or(raw.clone(), |release| format!("{name}:{release}"))))
    }
}

/// A stream of Red Hat Enterprise Linux from a CPE's product and version: `enterprise_linux:9::baseos` is `9`, and the
/// extended streams keep their name, since their fixes are not in the main one: `rhel_eus:9.2::baseos` is `9.2:eus`.
fn red_hat_stream(release: &str) -> Option<String> {
    let mut parts = release.split(':');
    let (product, version) = (parts.next()?, parts.next()?);
    version.split('.').try_for_each(|part| number(part).map(drop))?;
    const STREAMS: &[&str] = &["eus", "aus", "tus", "e4s", "els", "eus_long_life"];
    match product.strip_prefix("rhel_").filter(|stream| STREAMS.contains(stream)) {
        Some(stream) => Some(format!("{version}:{stream}")),
        None if product == "enterprise_linux" => version.split('.').next().map(str::to_owned),
        None => None,
    }
}

/// All products of a service pack share its packages: `Linux Enterprise Module for Basesystem 15 SP5` is `15.5`.
fn suse_release(release: &str) -> Option<String> {
    let words: Vec<&str> = release.split_whitespace().collect();
    let at = words.iter().rposition(|word| number(word).is_some())?; // the last: modules have numbers in their names
    let pack = words.get(at + 1).and_then(|word| word.strip_prefix("SP")?.split('-').next());
    let pack = pack.filter(|pack| number(pack).is_some());
    Some(pack.map_or(words[at].to_owned(), |pack| format!("{}.{pack}", words[at])))
}

fn number(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
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
        assert_eq!("Plan 9:4".parse::<Ecosystem>(), Err(UnknownEcosystem("Plan 9:4".into())));
    }

    #[test]
    fn the_table_is_sorted_by_name() {
        assert!(ECOSYSTEMS.is_sorted_by_key(|row| row.name));
    }

    #[test]
    fn a_release_has_one_name_whether_an_advisory_or_a_system_tells_it() {
        let check = |id: &str, version: &str, spelled: &str| {
            let ecosystem = spelled.parse::<Ecosystem>().unwrap();
            assert_eq!(Ecosystem::of_system(id, version), Some(ecosystem), "{id} {version}");
        };
        check("debian", "12", "Debian:12");
        check("ubuntu", "22.04", "Ubuntu:22.04:LTS");
        check("ubuntu", "23.10", "Ubuntu:23.10");
        check("alpine", "3.18.4", "Alpine:v3.18");
        check("rhel", "9.4", "Red Hat:enterprise_linux:9::appstream");
        check("centos", "7", "Red Hat:enterprise_linux:7::server");
        check("amzn", "2018.03", "Amazon Linux:1");
        check("amzn", "2023", "Amazon Linux:2023");
        check("almalinux", "8.10", "AlmaLinux:8");
        check("rocky", "9.3", "Rocky Linux:9");
        check("ol", "8.9", "Oracle Linux:8");
        check("sles", "15.5", "SUSE:Linux Enterprise Module for Basesystem 15 SP5");
        check("sles", "15", "SUSE:Linux Enterprise Server 15");
        check("sles", "15.6", "SUSE:Linux Enterprise Module for Python 3 15 SP6");
        check("sles", "15.3", "SUSE:Linux Enterprise Server 15 SP3-LTSS");
        check("opensuse-leap", "15.5", "openSUSE:Leap 15.5");
        check("opensuse-tumbleweed", "20240101", "openSUSE:Tumbleweed");
        check("azurelinux", "3.0", "Azure Linux:3");
        check("photon", "4.0", "Photon OS:4.0");
        check("wolfi", "20230201", "Wolfi");
        assert_eq!(Ecosystem::of_system("debian", ""), None);
        assert_eq!(Ecosystem::of_system("debian", "trixie/sid"), None);
        assert_eq!(Ecosystem::of_system("plan9", "4"), None);
    }

    #[test]
    fn an_extended_stream_is_not_the_main_one() {
        let check = |spelled: &str, expected: &str| {
            assert_eq!(spelled.parse::<Ecosystem>().unwrap().as_str(), expected);
        };
        check("Red Hat:rhel_eus:9.2::baseos", "Red Hat:9.2:eus");
        check("Red Hat:rhel_software_collections:3::el7", "Red Hat:rhel_software_collections:3::el7");
        check("Red Hat:openshift:4.14::el9", "Red Hat:openshift:4.14::el9");
        check("Ubuntu:Pro:18.04:LTS", "Ubuntu:Pro:18.04");
        check("Ubuntu:22.04:LTS:LTS", "Ubuntu:22.04"); // what was read is read as the same again
        check("openSUSE:Leap Leap 15.5", "openSUSE:15.5");
    }
}
