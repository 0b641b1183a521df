//! Who publishes OVAL definitions, and how each names its releases.

use muster_domain::{Ecosystem, Names};

/// Told by the namespace in a definition's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publisher {
    Oracle,
    RedHat,
    Suse,
    Photon,
    AzureLinux,
    Ubuntu,
}

/// One row per namespace.
const NAMESPACES: &[(&str, Publisher)] = &[
    ("oval:com.oracle.", Publisher::Oracle),
    ("oval:com.redhat.", Publisher::RedHat),
    ("oval:org.opensuse.security:", Publisher::Suse),
    ("oval:com.vmware.phsa:", Publisher::Photon),
    ("oval:com.microsoft.azurelinux:", Publisher::AzureLinux),
    ("oval:com.microsoft.cbl-mariner:", Publisher::AzureLinux),
    ("oval:com.ubuntu.", Publisher::Ubuntu),
];

/// How systems are called in criteria.
const SYSTEMS: &[&str] =
    &["Oracle Linux ", "Red Hat ", "SUSE ", "openSUSE ", "Photon ", "Ubuntu ", "CBL-Mariner", "Azure Linux"];

/// Whether words name a system's release: `Oracle Linux 8`.
pub(super) fn is_release(words: &str) -> bool {
    let numbered = words.bytes().any(|byte| byte.is_ascii_digit()) || words.ends_with("Tumbleweed");
    numbered && SYSTEMS.iter().any(|system| words.starts_with(system))
}

impl Publisher {
    pub(super) fn of(definition: &str) -> Option<Self> {
        NAMESPACES.iter().find(|(namespace, _)| definition.starts_with(namespace)).map(|(_, publisher)| *publisher)
    }

    /// As `origins` names it.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Oracle => "ORACLE_CVE",
            Self::RedHat => "REDHAT_CVE",
            Self::Suse => "SUSE_CVE",
            Self::Photon => "PHOTON",
            Self::AzureLinux => "AZURE_LINUX",
            Self::Ubuntu => "UBUNTU_CVE",
        }
    }

    /// Which of a package's names its objects have: Azure Linux tests the source package's name, though OVAL means the
    /// installed one's.
    pub(super) fn names(self) -> Names {
        if self == Self::AzureLinux { Names::Source } else { Names::Binary }
    }

    /// What ids of its notices begin with.
    pub(super) fn notices(self) -> &'static [&'static str] {
        match self {
            Self::Oracle => &["ELSA-", "ELBA-"],
            Self::RedHat => &["RHSA-", "RHBA-", "RHEA-"],
            Self::Suse => &["SUSE-", "openSUSE-"],
            Self::Photon => &["PHSA-"],
            Self::AzureLinux => &[],
            Self::Ubuntu => &["USN-", "LSN-"],
        }
    }

    /// Whether its documents are of one product or release each and repeat ids.
    pub(super) fn repeats_ids(self) -> bool {
        matches!(self, Self::RedHat | Self::Suse | Self::Ubuntu)
    }

    /// The ecosystems of a release in its words, by the definition's CPEs where they tell more; none: not known.
    pub(super) fn ecosystems(self, words: &str, cpes: &[String]) -> Vec<Ecosystem> {
        let spelled = match self {
            Self::Oracle => numbered("Oracle Linux", words, "Oracle Linux "),
            Self::RedHat => return red_hat(words, cpes),
            Self::Suse => suse(words),
            Self::Photon => {
                let number = digits(words.trim_start_matches("Photon").trim_start_matches(" OS").trim_start());
                number.map(|number| vec![format!("Photon OS:{number}.0")]).unwrap_or_default()
            }
            Self::AzureLinux => numbered("Azure Linux", words, "Azure Linux "),
            Self::Ubuntu => {
                let release = words.strip_prefix("Ubuntu ").and_then(|rest| rest.split_whitespace().next());
                let sound = |release: &&str| release.split('.').all(|part| digits(part) == Some(part));
                release.filter(sound).map(|release| vec![format!("Ubuntu:{release}")]).unwrap_or_default()
            }
        };
        spelled.iter().filter_map(|spelled| spelled.parse().ok()).collect()
    }

    /// The ecosystem where a definition names none: Azure Linux's tell it only by the version (`3.4.0-1.azl3`,
    /// `2.35-4.cm2`) and by the document's name (`azurelinux-3.0-oval.xml`).
    pub(super) fn ecosystem_of(self, version: &str, document: &str) -> Option<Ecosystem> {
        if self != Self::AzureLinux {
            return None;
        }
        let tagged = [".azl", ".cm"].iter().find_map(|tag| digits(version.rsplit_once(tag)?.1));
        let named = || {
            let name = document.rsplit('/').next().unwrap_or(document);
            digits(name.split(|letter: char| !letter.is_ascii_digit()).find(|part| !part.is_empty())?)
        };
        format!("Azure Linux:{}", tagged.or_else(named)?).parse().ok()
    }
}

fn numbered(ecosystem: &str, words: &str, front: &str) -> Vec<String> {
    let number = words.strip_prefix(front).and_then(digits);
    number.map(|number| vec![format!("{ecosystem}:{number}")]).unwrap_or_default()
}

fn digits(text: &str) -> Option<&str> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

/// Red Hat's criteria name the major release alone; which of its streams a document is of (`rhel_eus:8.1::appstream`) the
/// CPEs tell, and for which layered product (`openshift:4.14::el8`).
fn red_hat(words: &str, cpes: &[String]) -> Vec<Ecosystem> {
    let Some(major) = words.strip_prefix("Red Hat Enterprise Linux ").and_then(digits) else {
        return Vec::new();
    };
    let products = || cpes.iter().filter_map(|cpe| cpe.splitn(4, ':').nth(3));
    let system = |product: &&str| product.starts_with("enterprise_linux:") || product.starts_with("rhel_");
    let of_major = |product: &&str| product.split(':').nth(1).and_then(digits) == Some(major);
    let mut streams: Vec<&str> = products().filter(|product| system(product) && of_major(product)).collect();
    if streams.is_empty() {
        streams = products().filter(|product| !system(product)).collect();
    }
    let mut ecosystems: Vec<Ecosystem> =
        streams.iter().filter_map(|product| format!("Red Hat:{product}").parse().ok()).collect();
    ecosystems.sort_unstable();
    ecosystems.dedup();
    if ecosystems.is_empty() {
        ecosystems.extend(format!("Red Hat:{major}").parse().ok());
    }
    ecosystems
}

/// `SUSE Linux Enterprise Server 15 SP1-LTSS` -> `SUSE:15.1`: a release's long-term support has the release's packages.
/// Modules of 12 are for all its service packs. Products that only build on a release (Storage 7, Manager 4.1, Micro 5.1)
/// are none.
fn suse(words: &str) -> Vec<String> {
    if let Some(rest) = words.strip_prefix("openSUSE ") {
        let release = rest.strip_prefix("Leap ").unwrap_or(rest).split_whitespace().next().unwrap_or_default();
        return match release {
            "Tumbleweed" => vec!["openSUSE:tumbleweed".to_owned()],
            _ if release.split('.').all(|part| digits(part) == Some(part)) => vec![format!("openSUSE:{release}")],
            _ => Vec::new(),
        };
    }
    let Some(rest) = words.strip_prefix("SUSE Linux Enterprise ") else {
        return Vec::new();
    };
    let mut rest = rest.split_whitespace().map(|word| word.split('-').next().unwrap_or_default());
    let is_release =
        |word: &&str| digits(word).and_then(|major| major.parse().ok()).is_some_and(|major: u32| major >= 10);
    let Some(release) = rest.find(is_release) else {
        return Vec::new();
    };
    let pack = rest.next().and_then(|word| word.strip_prefix("SP")).and_then(digits);
    match pack {
        Some(pack) => vec![format!("SUSE:{release}.{pack}")],
        None if release == "12" && words.contains(" Module for ") => {
            ["12", "12.1", "12.2", "12.3", "12.4", "12.5"].map(|release| format!("SUSE:{release}")).to_vec()
        }
        None => vec![format!("SUSE:{release}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_named_as_the_system_names_itself() {
        let check = |publisher: Publisher, words: &str, cpes: &[&str], expected: &[&str]| {
            let cpes: Vec<String> = cpes.iter().map(|&cpe| cpe.to_owned()).collect();
            let ecosystems: Vec<String> = publisher.ecosystems(words, &cpes).into_iter().map(String::from).collect();
            assert_eq!(ecosystems, expected, "{words}");
            assert!(is_release(words), "{words}");
        };
        use Publisher::*;
        check(Oracle, "Oracle Linux 8", &[], &["Oracle Linux:8"]);
        check(Photon, "Photon OS 3", &[], &["Photon OS:3.0"]);
        check(Photon, "Photon 3", &[], &["Photon OS:3.0"]);
        check(Ubuntu, "Ubuntu 20.04 LTS (focal)", &[], &["Ubuntu:20.04"]);
        check(Suse, "SUSE Linux Enterprise Server 15 SP5", &[], &["SUSE:15.5"]);
        check(Suse, "SUSE Linux Enterprise Server 15 SP1-LTSS", &[], &["SUSE:15.1"]);
        check(Suse, "SUSE Linux Enterprise Server 15-LTSS", &[], &["SUSE:15"]);
        check(Suse, "SUSE Linux Enterprise Server 16.0", &[], &["SUSE:16.0"]);
        check(Suse, "SUSE Linux Enterprise Module for Basesystem 15", &[], &["SUSE:15"]);
        let twelve = ["SUSE:12", "SUSE:12.1", "SUSE:12.2", "SUSE:12.3", "SUSE:12.4", "SUSE:12.5"];
        check(Suse, "SUSE Linux Enterprise Module for Web and Scripting 12", &[], &twelve);
        check(Suse, "SUSE Linux Enterprise Storage 7", &[], &[]);
        check(Suse, "SUSE Linux Enterprise Micro 5.1", &[], &[]);
        check(Suse, "SUSE Manager Server 4.1", &[], &[]);
        check(Suse, "openSUSE Leap 15.5", &[], &["openSUSE:15.5"]);
        check(Suse, "openSUSE Tumbleweed", &[], &["openSUSE:tumbleweed"]);
        check(Suse, "openSUSE Leap Micro 5.5", &[], &[]);
        check(RedHat, "Red Hat Enterprise Linux 8", &[], &["Red Hat:8"]);
        let main = ["cpe:/o:redhat:enterprise_linux:8::baseos", "cpe:/a:redhat:enterprise_linux:8::appstream"];
        check(RedHat, "Red Hat Enterprise Linux 8", &main, &["Red Hat:8"]);
        check(RedHat, "Red Hat Enterprise Linux 8", &["cpe:/a:redhat:rhel_eus:8.1::appstream"], &["Red Hat:8.1:eus"]);
        check(RedHat, "Red Hat Enterprise Linux 8", &["cpe:/o:redhat:enterprise_linux:7"], &["Red Hat:8"]);
        let layered = ["cpe:/a:redhat:openshift:4.14::el8"];
        check(RedHat, "Red Hat Enterprise Linux 8", &layered, &["Red Hat:openshift:4.14::el8"]);
        check(RedHat, "Red Hat CoreOS 4", &[], &[]);
    }

    #[test]
    fn azure_linux_tells_the_release_by_the_version_or_the_documents_name() {
        let check = |version: &str, document: &str, expected: Option<&str>| {
            let found = Publisher::AzureLinux.ecosystem_of(version, document).map(String::from);
            assert_eq!(found.as_deref(), expected, "{version} {document}");
        };
        check("0:3.4.0-1.azl3", "x.xml", Some("Azure Linux:3"));
        check("0:2.35-4.cm2", "x.xml", Some("Azure Linux:2"));
        check("0:2.35-4", "a1/cbl-mariner-1.0-oval.xml", Some("Azure Linux:1"));
        check("0:2.35-4", "x.xml", None);
    }
}
