//! Kernels: several are installed side by side, one runs. The running one counts; one that was installed later and not
//! booted yet is named, since a restart is the fix.

use muster_domain::{Inventory, Package, PackageManager};
use muster_versions::{Scheme, VersionKey};

/// The kernels of a running system.
pub(super) struct Kernels<'i> {
    running: &'i str,
    installed: Vec<&'i Package>,
}

impl<'i> Kernels<'i> {
    /// `None` unless the inventory tells which kernel runs and one of its packages is that kernel's.
    pub(super) fn of(inventory: &'i Inventory) -> Option<Self> {
        let running = inventory.running_kernel.as_deref()?;
        let installed: Vec<&Package> = inventory.packages.iter().filter(|package| is_kernel(package)).collect();
        installed.iter().any(|package| is_release(package, running)).then_some(Self { running, installed })
    }

    /// Why a package does not matter: it is a kernel that does not run.
    pub(super) fn why_not(&self, package: &Package) -> Option<String> {
        let rests = is_kernel(package) && !is_release(package, self.running);
        rests.then(|| format!("this kernel is installed but does not run: {} does", self.running))
    }

    /// The installed kernel that has the fix of what the running kernel's package `package` is affected by.
    pub(super) fn unbooted_fix(&self, package: &Package, scheme: Scheme, fix: &[u8]) -> Option<&'i str> {
        if !is_kernel(package) {
            return None;
        }
        let is_kin = |other: &&&Package| family(&other.name) == family(&package.name);
        let is_good = |other: &&&Package| {
            let version = other.source.as_ref().map_or(&other.version, |source| &source.version);
            scheme.key(version).is_ok_and(|key: VersionKey| key.as_bytes() >= fix)
        };
        let rests = |other: &&&Package| !is_release(other, self.running);
        self.installed.iter().filter(rests).filter(is_kin).find(is_good).map(|other| other.version.as_str())
    }
}

/// Packages of which a system keeps several versions, one for each kernel that can be booted: Debian's and Ubuntu's carry
/// the release in their name, those of rpm distributions in their version.
fn is_kernel(package: &Package) -> bool {
    const DEBIAN: &[&str] = &["linux-image-", "linux-modules-", "linux-headers-"];
    const RPM: &[&str] = &[
        "kernel",
        "kernel-core",
        "kernel-modules",
        "kernel-modules-core",
        "kernel-modules-extra",
        "kernel-devel",
        "kernel-default",
        "kernel-rt",
        "kernel-uek",
        "kernel-uek-core",
        "kernel-uek-modules",
        "kernel-azure",
        "linux",
    ];
    package.manager == PackageManager::Os
        && (RPM.contains(&package.name.as_str())
            || DEBIAN.iter().any(|prefix| {
                package
                    .name
                    .strip_prefix(prefix)
                    .is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
            }))
}

/// Whether a kernel's package is of this release (`6.1.0-18-amd64`, `5.14.0-362.8.1.el9_3.x86_64`,
/// `5.14.21-150500.55.39-default`).
fn is_release(package: &Package, release: &str) -> bool {
    if package.name.ends_with(release) {
        return true;
    }
    let version = package.version.split_once(':').map_or(package.version.as_str(), |(_, version)| version);
    let with_architecture = package.architecture.as_ref().map(|architecture| format!("{version}.{architecture}"));
    // SUSE's releases leave out the last number of the package's and name the flavour.
    let of_suse = || {
        let stem = release.rsplit_once('-').map(|(stem, _)| stem)?;
        version.strip_prefix(stem).map(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    with_architecture.as_deref() == Some(release) || version == release || of_suse() == Some(true)
}

/// What packages of the same part of different kernels have in common: the name up to the release in it.
fn family(name: &str) -> &str {
    let digit = |(at, letter): (usize, char)| (letter.is_ascii_digit() && name[..at].ends_with('-')).then_some(at);
    name.char_indices().find_map(digit).map_or(name, |at| &name[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn a_package_is_of_the_release_that_its_name_or_version_tells() {
        let check = |name: &str, version: &str, architecture: &str, release: &str, expected: bool| {
            let package = Package {
                architecture: Some(architecture.into()),
                ..samples::package(PackageManager::Os, name, version)
            };
            assert!(is_kernel(&package), "{name}");
            assert_eq!(is_release(&package, release), expected, "{name} {version} {release}");
        };
        check("linux-image-6.1.0-18-amd64", "6.1.76-1", "amd64", "6.1.0-18-amd64", true);
        check("linux-image-6.1.0-17-amd64", "6.1.69-1", "amd64", "6.1.0-18-amd64", false);
        check("linux-image-5.15.0-91-generic", "5.15.0-91.101", "amd64", "5.15.0-91-generic", true);
        check("kernel-core", "5.14.0-362.8.1.el9_3", "x86_64", "5.14.0-362.8.1.el9_3.x86_64", true);
        check("kernel-core", "0:5.14.0-362.13.1.el9_3", "x86_64", "5.14.0-362.8.1.el9_3.x86_64", false);
        check("kernel-default", "5.14.21-150500.55.39.1", "x86_64", "5.14.21-150500.55.39-default", true);
        check("kernel-default", "5.14.21-150500.55.390.1", "x86_64", "5.14.21-150500.55.39-default", false);
    }
}
