//! Packages of an instance from AWS Systems Manager's inventory: the agent's own `AWS:Application`, and
//! `Custom:MusterPackages`, which the document under `deploy/ssm` has the agent send.
//!
//! `AWS:Application` knows binary packages only, and lists removed ones whose configuration is left as well, since the
//! agent asks `dpkg-query -W` without their state (amazon-ssm-agent, `gatherers/application`, read 2026-11-24). The
//! custom type has source packages and states, so it counts alone when it is there. It alone tells which kernel runs:
//! neither `AWS:Application` nor `AWS:InstanceInformation` has a field for it (the developer guide's "Metadata collected by
//! inventory", read 2026-11-24).

use crate::{Parsed, dpkg, kernel, merge, os_release, purl, rpm};
use muster_domain::{Inventory, OperatingSystem, Package, PackageManager};
use std::collections::BTreeMap;

/// The agent's own inventory type.
pub const APPLICATION_TYPE: &str = "AWS:Application";

/// Our inventory type.
pub const CUSTOM_TYPE: &str = "Custom:MusterPackages";

/// One entry of an inventory item (SSM `ListInventoryEntries`, `Entries[]`).
pub type Entry = BTreeMap<String, String>;

/// The file from which either type has dpkg's packages: the same software gives the same inventory as when the disk
/// itself is read.
const STATUS: &str = "var/lib/dpkg/status";

/// The inventory of an instance. `platform` is the system that SSM names ([`operating_system`]); the custom type's own
/// counts before it.
pub fn inventory(platform: Option<OperatingSystem>, applications: &[Entry], custom: &[Entry]) -> Inventory {
    let stated = self::custom(custom);
    let os = stated.os.or(platform);
    let mut parsed = if custom.is_empty() { self::applications(applications, os.as_ref()) } else { stated.packages };
    for package in parsed.packages.iter_mut().filter(|package| package.manager == PackageManager::Os) {
        merge::of_system(package, os.as_ref());
    }
    let limits = if parsed.untold == 0 { None } else { Some(format!("{} more records were left out", parsed.untold)) };
    let inventory = Inventory::new(os, parsed.packages, parsed.skipped, limits.into_iter().collect());
    Inventory { running_kernel: stated.running_kernel, ..inventory }
}

/// What entries of `Custom:MusterPackages` say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Custom {
    /// The operating system.
    pub os: Option<OperatingSystem>,
    /// The release of the kernel that ran when the script did; the script of earlier versions did not tell it.
    pub running_kernel: Option<String>,
    /// Packages, and entries that could not be read.
    pub packages: Parsed,
}

/// Entries of `Custom:MusterPackages`: packages (`Manager` is `dpkg`), and the system with its kernel (`os-release`).
pub fn custom(entries: &[Entry]) -> Custom {
    let Custom { mut os, mut running_kernel, packages: mut parsed } = Custom::default();
    for (index, entry) in entries.iter().enumerate() {
        let place = || format!("{CUSTOM_TYPE}[{index}]");
        let field = |name: &str| stated(entry, name);
        match (field("Manager"), field("Name"), field("Version")) {
            (Some("os-release"), Some(id), version) => {
                let (pretty, codename) = (field("PrettyName"), field("Codename"));
                let own = |text: Option<&str>| text.map(str::to_owned);
                os = Some(os_release::system(
                    id.to_owned(),
                    own(version).unwrap_or_default(),
                    own(pretty),
                    own(codename),
                ));
                let stated = field("RunningKernel");
                running_kernel = stated.and_then(kernel::release).map(str::to_owned);
                if stated.is_some() && running_kernel.is_none() {
                    parsed.skip(place(), "`RunningKernel` is no release of a kernel");
                }
            }
            (Some("dpkg"), Some(name), Some(version)) => {
                let source = field("SourceName").map(|source| (source, field("SourceVersion")));
                let architecture = field("Architecture").map(str::to_owned);
                parsed.add(dpkg::installed(
                    name.to_owned(),
                    version.to_owned(),
                    architecture,
                    source,
                    STATUS.to_owned(),
                ));
            }
            (Some("dpkg" | "os-release"), None, _) => parsed.skip(place(), "no `Name`"),
            (Some("dpkg"), _, None) => parsed.skip(place(), "no `Version`"),
            (Some(manager), ..) => parsed.skip(place(), format!("unknown manager `{manager}`")),
            (None, ..) => parsed.skip(place(), "no `Manager`"),
        }
    }
    Custom { os, running_kernel, packages: parsed }
}

/// Entries of `AWS:Application`: binary packages without their source.
pub fn applications(entries: &[Entry], os: Option<&OperatingSystem>) -> Parsed {
    let mut parsed = Parsed::default();
    for (index, entry) in entries.iter().enumerate() {
        let place = || format!("{APPLICATION_TYPE}[{index}]");
        match (stated(entry, "Name"), stated(entry, "Version")) {
            (None, _) => parsed.skip(place(), "no `Name`"),
            (Some(name), None) => parsed.skip(place(), format!("application `{name}` has no `Version`")),
            (Some(name), Some(version)) => parsed.add(application(entry, name, version, os)),
        }
    }
    parsed
}

fn application(entry: &Entry, name: &str, version: &str, os: Option<&OperatingSystem>) -> Package {
    let architecture = stated(entry, "Architecture").map(str::to_owned);
    let package_id = stated(entry, "PackageId");
    let is_debian_like = os.is_some_and(|os| matches!(os.id.as_str(), "debian" | "ubuntu"));
    // Old agents send no PackageId. New ones send snaps among the rest, with an empty one.
    if package_id.is_some_and(|id| id.ends_with(".deb")) || (!entry.contains_key("PackageId") && is_debian_like) {
        let package = dpkg::installed(name.to_owned(), version.to_owned(), architecture, None, STATUS.to_owned());
        return Package { source: None, ..package };
    }
    let (manager, version, purl) = match stated(entry, "Release") {
        Some(release) => {
            let epoch = stated(entry, "Epoch").filter(|epoch| !matches!(*epoch, "0" | "(none)"));
            let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
            let version = format!("{epoch}{version}-{release}");
            let purl = rpm::rpm_purl(name, &version, architecture.as_deref(), os);
            (PackageManager::Os, version, purl)
        }
        None => {
            let purl = purl::write("generic", None, name, version, &[("arch", architecture.as_deref())]);
            (PackageManager::Generic, version.to_owned(), purl)
        }
    };
    Package {
        ecosystem: None,
        purl,
        name: name.to_owned(),
        version,
        manager,
        source: None,
        architecture,
        paths: Vec::new(),
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    }
}

fn stated<'a>(entry: &'a Entry, name: &str) -> Option<&'a str> {
    entry.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// SSM's `PlatformName`s (what each distribution's os-release has as `NAME`) and os-release's `ID`.
const PLATFORMS: [(&str, &str); 10] = [
    ("AlmaLinux", "almalinux"),
    ("Amazon Linux", "amzn"),
    ("CentOS", "centos"),
    ("Debian GNU/Linux", "debian"),
    ("Fedora", "fedora"),
    ("Oracle Linux", "ol"),
    ("Red Hat Enterprise Linux", "rhel"),
    ("Rocky Linux", "rocky"),
    ("SLES", "sles"),
    ("Ubuntu", "ubuntu"),
];

/// The operating system that SSM names: `PlatformName` and `PlatformVersion` of `DescribeInstanceInformation` with a
/// space between them, `Debian GNU/Linux 12`. `None` when it is none of Linux that we know.
pub fn operating_system(platform: &str) -> Option<OperatingSystem> {
    let (_, id) = PLATFORMS.iter().find(|(name, _)| platform.starts_with(name))?;
    let version = platform.rsplit(' ').next().filter(|word| word.starts_with(|letter: char| letter.is_ascii_digit()));
    let version = version.unwrap_or_default().to_owned();
    Some(os_release::system((*id).to_owned(), version, Some(platform.to_owned()), None))
}

#[cfg(test)]
mod tests;
