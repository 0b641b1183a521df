//! Where records come from: the names of databases in the spelling of `packageVulnerabilityDetails.source` of the Inspector API
//! (`DEBIAN_CVE` and `NVD` were seen there; the others follow its pattern), whose words are preferred, and where a person
//! reads them.

/// One row per database.
struct Origin {
    name: &'static str,
    /// What ids of its OSV records begin with.
    prefixes: &'static [&'static str],
    /// The page of a record: the id goes where `{}` stands.
    page: &'static str,
    /// What an id has in front that its page does not.
    strip: &'static str,
}

const fn origin(name: &'static str, prefixes: &'static [&'static str], page: &'static str) -> Origin {
    Origin { name, prefixes, page, strip: "" }
}

/// In the order in which their words are preferred where the judging record says nothing: who writes a description of the
/// vulnerability itself before who writes of an update.
const ORIGINS: &[Origin] = &[
    origin("NVD", &[], "https://nvd.nist.gov/vuln/detail/{}"),
    origin("CVE", &[], "https://www.cve.org/CVERecord?id={}"),
    origin("CISA", &[], "https://www.cisa.gov/known-exploited-vulnerabilities-catalog?search_api_fulltext={}"),
    origin("GITHUB", &["GHSA-"], "https://github.com/advisories/{}"),
    origin("PYPA", &["PYSEC-"], "https://osv.dev/vulnerability/{}"),
    origin("GO_VULNDB", &["GO-"], "https://pkg.go.dev/vuln/{}"),
    origin("RUSTSEC", &["RUSTSEC-"], "https://rustsec.org/advisories/{}.html"),
    origin("RUBYSEC", &[], "https://rubysec.com/advisories/{}"),
    origin("FRIENDSOFPHP", &[], "https://github.com/FriendsOfPHP/security-advisories/blob/master/{}"),
    origin("NODEJS", &[], "https://github.com/nodejs/security-wg/tree/main/vuln"),
    origin("DOTNET", &[], "https://github.com/dotnet/core/tree/main/release-notes"),
    origin("BITNAMI", &["BIT-"], "https://osv.dev/vulnerability/{}"),
    origin("OSSF_MALICIOUS", &["MAL-"], "https://osv.dev/vulnerability/{}"),
    Origin {
        strip: "DEBIAN-",
        ..origin(
            "DEBIAN_CVE",
            &["DEBIAN-CVE-", "DSA-", "DLA-", "DTSA-"],
            "https://security-tracker.debian.org/tracker/{}",
        )
    },
    Origin {
        strip: "UBUNTU-",
        ..origin("UBUNTU_CVE", &["UBUNTU-CVE-", "USN-", "LSN-"], "https://ubuntu.com/security/{}")
    },
    origin("REDHAT_CVE", &["RHSA-", "RHBA-", "RHEA-"], "https://access.redhat.com/security/cve/{}"),
    origin("AMAZON_CVE", &["ALAS"], "https://explore.alas.aws.amazon.com/{}.html"),
    origin("SUSE_CVE", &["SUSE-", "openSUSE-"], "https://www.suse.com/security/cve/{}.html"),
    origin("ORACLE_CVE", &["ELSA-", "ELBA-"], "https://linux.oracle.com/errata/{}.html"),
    origin("ALMALINUX", &["ALSA-", "ALBA-", "ALEA-"], "https://osv.dev/vulnerability/{}"),
    origin("ROCKY", &["RLSA-", "RXSA-", "RLBA-", "RLEA-"], "https://errata.rockylinux.org/{}"),
    Origin { strip: "ALPINE-", ..origin("ALPINE_CVE", &["ALPINE-CVE-"], "https://security.alpinelinux.org/vuln/{}") },
    origin("CHAINGUARD", &["CGA-"], "https://images.chainguard.dev/security/{}"),
    origin("WOLFI", &[], "https://images.chainguard.dev/security/{}"),
    origin("MINIMOS", &["MINI-"], "https://osv.dev/vulnerability/{}"),
    origin("ARCH_LINUX", &["AVG-", "ASA-"], "https://security.archlinux.org/{}"),
    origin("PHOTON", &["PHSA-"], "https://github.com/vmware/photon/wiki/Security-Updates"),
    origin("AZURE_LINUX", &["AZL-"], "https://osv.dev/vulnerability/{}"),
    origin("FEDORA", &["FEDORA-"], "https://bodhi.fedoraproject.org/updates/{}"),
    origin("BOTTLEROCKET", &["BRSA-"], "https://github.com/bottlerocket-os/bottlerocket/security/advisories"),
    origin("MICROSOFT", &[], "https://msrc.microsoft.com/update-guide/vulnerability/{}"),
];

/// The database that an OSV record comes from, by its id; `OSV` when that does not tell.
pub fn of_id(id: &str) -> &'static str {
    let begins = |origin: &&Origin| origin.prefixes.iter().any(|prefix| id.starts_with(prefix));
    ORIGINS.iter().find(begins).map_or("OSV", |origin| origin.name)
}

/// Where a person reads a record.
pub fn page(origin: &str, id: &str) -> String {
    if ["RHSA-", "RHBA-", "RHEA-"].iter().any(|prefix| id.starts_with(prefix)) {
        return format!("https://access.redhat.com/errata/{id}");
    }
    match ORIGINS.iter().find(|row| row.name == origin) {
        Some(row) => row.page.replace("{}", id.strip_prefix(row.strip).unwrap_or(id)),
        None => format!("https://osv.dev/vulnerability/{id}"),
    }
}

/// Whose words come first: 0 is the most preferred.
pub(crate) fn rank(origin: &str) -> usize {
    ORIGINS.iter().position(|row| row.name == origin).unwrap_or(ORIGINS.len())
}
