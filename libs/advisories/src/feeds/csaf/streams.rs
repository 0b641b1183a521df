//! Whose document it is, and which release of its distribution a platform in it is.

use muster_domain::Ecosystem;

/// A distributor whose CSAF documents are about its own packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    RedHat,
    Suse,
}

impl Vendor {
    /// By the host of the publisher's namespace.
    pub(super) fn of_namespace(namespace: &str) -> Option<Self> {
        let host = namespace.split("://").nth(1).unwrap_or(namespace).split(['/', ':']).next().unwrap_or_default();
        let host = host.to_ascii_lowercase();
        let is_of = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        match () {
            () if is_of("redhat.com") => Some(Self::RedHat),
            () if is_of("suse.com") || is_of("opensuse.org") => Some(Self::Suse),
            () => None,
        }
    }

    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RedHat => "Red Hat",
            Self::Suse => "SUSE",
        }
    }

    /// Its database, as `origins` names it.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::RedHat => "REDHAT_CVE",
            Self::Suse => "SUSE_CVE",
        }
    }

    /// The release that a platform is, by its id and its CPE. `None`: no release of a distribution.
    pub(super) fn ecosystem(self, platform: &str, cpe: Option<&str>) -> Option<Ecosystem> {
        match self {
            Self::RedHat => red_hat(cpe?),
            Self::Suse => suse(platform),
        }
    }

    /// Whether bare component names of this platform are packages of the operating system, not of something on top of it.
    pub(super) fn is_system(self, cpe: Option<&str>) -> bool {
        let product = cpe.and_then(|cpe| cpe.split_once(":redhat:")).map_or("", |(_, product)| product);
        let is_layered = ["rhel_software_collections:", "rhel_satellite_client:"];
        let is_system = ["enterprise_linux:", "enterprise_linux_eus:", "rhel_"];
        let begins_with = |names: &[&str]| names.iter().any(|name| product.starts_with(name));
        self == Self::Suse || begins_with(&is_system) && !begins_with(&is_layered)
    }
}

/// `cpe:/o:redhat:enterprise_linux:9::baseos` is the main stream of 9, `cpe:/a:redhat:rhel_eus:9.2::appstream` that of
/// extended update support; layered products keep their CPE as their name, as in OSV's records of Red Hat.
fn red_hat(cpe: &str) -> Option<Ecosystem> {
    let (_, product) = cpe.split_once(":redhat:")?;
    // In CPE 2.3 the parts that are left open stand at the end as `*`.
    let product = product.trim_end_matches([':', '*']);
    // Since release 10 the extended stream's product is called otherwise.
    let spelled = match product.strip_prefix("enterprise_linux_eus:") {
        Some(release) => format!("Red Hat:rhel_eus:{release}"),
        None => format!("Red Hat:{product}"),
    };
    spelled.parse().ok()
}

/// All products of a service pack share its packages, whatever stands around its number: `SUSE Linux Enterprise Module for
/// Python 3 15 SP6`, `… Server 15 SP3-LTSS`, `… Server for SAP Applications 15 SP3` are of 15.6, 15.3 and 15.3. Long term
/// support is not a stream of its own: who has not got it is affected by what is only fixed there.
fn suse(product: &str) -> Option<Ecosystem> {
    if let Some(release) = product.strip_prefix("openSUSE ") {
        return format!("openSUSE:{release}").parse().ok();
    }
    let name = product.strip_prefix("SUSE ")?;
    let is_enterprise = name.starts_with("Linux Enterprise ") || name.starts_with("Package Hub ");
    match is_enterprise.then(|| service_pack(name)).flatten() {
        Some(release) if !name.contains("Micro") => format!("SUSE:{release}").parse().ok(),
        _ => format!("SUSE:{name}").parse().ok(),
    }
}

/// `15.6` of `… 15 SP6`, `16.0` of `… 16.0`, `12` of `… 12`. Only the last number before the service pack is the release's.
fn service_pack(name: &str) -> Option<String> {
    let numeric = |text: &str| !text.is_empty() && text.split('.').all(is_digits);
    let mut release: Option<String> = None;
    for word in name.split_whitespace() {
        let word = word.split('-').next().unwrap_or_default();
        match word.strip_prefix("SP").filter(|pack| is_digits(pack)) {
            Some(pack) => return release.map(|major| format!("{major}.{pack}")),
            None if numeric(word) => release = Some(word.to_owned()),
            None => {}
        }
    }
    release
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_documents_vendor_is_told_by_its_publishers_namespace() {
        let check = |namespace: &str, expected| assert_eq!(Vendor::of_namespace(namespace), expected, "{namespace}");
        check("https://www.redhat.com", Some(Vendor::RedHat));
        check("https://access.redhat.com/", Some(Vendor::RedHat));
        check("https://www.suse.com/", Some(Vendor::Suse));
        check("https://notredhat.com", None); // the name ends alike, the domain is another
        check("https://example.com/redhat.com", None);
        check("https://psirt.example.com", None);
        check("", None);
    }

    #[test]
    fn red_hats_streams_are_told_by_their_cpe() {
        let check = |cpe: &str, expected: Option<&str>| {
            let ecosystem = Vendor::RedHat.ecosystem("x", Some(cpe));
            assert_eq!(ecosystem.as_ref().map(Ecosystem::as_str), expected, "{cpe}");
        };
        check("cpe:/o:redhat:enterprise_linux:9::baseos", Some("Red Hat:9"));
        check("cpe:/a:redhat:enterprise_linux:8::appstream", Some("Red Hat:8"));
        check("cpe:/o:redhat:enterprise_linux:10.1", Some("Red Hat:10")); // the main stream, its minor release named
        check("cpe:/a:redhat:rhel_eus:9.2::appstream", Some("Red Hat:9.2:eus"));
        check("cpe:/o:redhat:enterprise_linux_eus:10.0", Some("Red Hat:10.0:eus"));
        check("cpe:/o:redhat:rhel_els:7", Some("Red Hat:7:els"));
        check("cpe:2.3:o:redhat:enterprise_linux:9:*:baseos:*:*:*:*:*", Some("Red Hat:9"));
        check("cpe:/a:redhat:openshift:4.16::el9", Some("Red Hat:openshift:4.16::el9"));
        check("cpe:/o:linux:linux_kernel:6", None);
    }

    #[test]
    fn suses_products_share_their_service_pack() {
        let check = |product: &str, expected: Option<&str>| {
            let ecosystem = Vendor::Suse.ecosystem(product, None);
            assert_eq!(ecosystem.as_ref().map(Ecosystem::as_str), expected, "{product}");
        };
        check("SUSE Linux Enterprise Server 15 SP5", Some("SUSE:15.5"));
        check("SUSE Linux Enterprise Module for Basesystem 15 SP6", Some("SUSE:15.6"));
        check("SUSE Linux Enterprise Module for Python 3 15 SP6", Some("SUSE:15.6")); // 3 is Python's
        check("SUSE Linux Enterprise Server for SAP Applications 12 SP5", Some("SUSE:12.5"));
        check("SUSE Linux Enterprise Server 15 SP3-LTSS", Some("SUSE:15.3"));
        check("SUSE Linux Enterprise Server 12-LTSS", Some("SUSE:12"));
        check("SUSE Linux Enterprise Server 16.0", Some("SUSE:16.0"));
        check("SUSE Package Hub 15 SP5", Some("SUSE:15.5"));
        check("SUSE Linux Enterprise Micro 5.5", Some("SUSE:Linux Enterprise Micro 5.5")); // its own packages
        check("SUSE Manager Server 4.3", Some("SUSE:Manager Server 4.3"));
        check("openSUSE Leap 15.6", Some("openSUSE:15.6"));
        check("openSUSE Tumbleweed", Some("openSUSE:tumbleweed"));
        check("Container suse/sle15:15.5", None);
        check("Image SLES15-SP5-BYOS-EC2-HVM", None);
    }
}
