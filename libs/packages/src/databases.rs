//! Package databases of operating systems: where each package manager keeps its own. One that no cataloguer reads is a gap in the
//! inventory, and so is a system of which none was found.

use crate::{dpkg, merge::ecosystem_of};
use muster_domain::{Gap, OperatingSystem};
use std::collections::BTreeMap;

/// Where one package manager keeps what is installed. Its reader is a row of the table of cataloguers, above the row of the
/// databases that nothing reads.
pub struct OsDatabase {
    /// The package manager.
    pub manager: &'static str,
    /// Whether the file at this path, relative to the root, is of its database.
    pub holds: fn(&str) -> bool,
}

/// All that we know. Sources: the managers' manuals and the images of their distributions, read 2026-11-24.
pub const OS_DATABASES: &[OsDatabase] = &[
    OsDatabase { manager: "dpkg", holds: dpkg::wants },
    OsDatabase { manager: "apk", holds: |path| ["lib/apk/db/installed", "usr/lib/apk/db/installed"].contains(&path) },
    OsDatabase { manager: "rpm", holds: is_rpm },
    OsDatabase { manager: "pacman", holds: is_pacman },
    OsDatabase { manager: "portage", holds: |path| matches!(parts(path, "var/db/pkg/"), Some([_, _, "PF"])) },
    OsDatabase { manager: "xbps", holds: |path| path.starts_with("var/db/xbps/pkgdb-") && path.ends_with(".plist") },
    OsDatabase { manager: "opkg", holds: |path| ["usr/lib/opkg/status", "var/lib/opkg/status"].contains(&path) },
    OsDatabase { manager: "nix", holds: |path| path == "nix/var/nix/db/db.sqlite" },
    OsDatabase { manager: "pkg", holds: |path| path == "var/db/pkg/local.sqlite" },
];

/// rpm's three formats in its three places: the old one, that of SUSE and Fedora, and that of rpm-ostree; and the list that
/// distroless images of Azure Linux have instead.
fn is_rpm(path: &str) -> bool {
    const FOLDERS: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
    const FILES: [&str; 3] = ["Packages", "Packages.db", "rpmdb.sqlite"];
    path.rsplit_once('/').is_some_and(|(folder, file)| FOLDERS.contains(&folder) && FILES.contains(&file))
        || path == "var/lib/rpmmanifest/container-manifest-2"
}

/// Every package has a folder with its description; the version of the format stands beside them.
fn is_pacman(path: &str) -> bool {
    const FOLDER: &str = "var/lib/pacman/local/";
    matches!(parts(path, FOLDER), Some(["ALPM_DB_VERSION"])) || matches!(parts(path, FOLDER), Some([_, "desc"]))
}

fn parts<'p, const N: usize>(path: &'p str, folder: &str) -> Option<[&'p str; N]> {
    path.strip_prefix(folder)?.split('/').collect::<Vec<_>>().try_into().ok()
}

/// The manager whose database the file at this path is of.
pub(crate) fn of(path: &str) -> Option<&'static OsDatabase> {
    OS_DATABASES.iter().find(|database| (database.holds)(path))
}

/// Whether the file at this path is of a package manager's database.
pub(crate) fn holds(path: &str) -> bool {
    of(path).is_some()
}

/// What an inventory misses of its operating system's packages, by the databases in the root: paths that were read, and
/// paths that nothing reads.
pub(crate) fn gaps<'p>(
    read: impl IntoIterator<Item = &'p str>,
    unread: impl IntoIterator<Item = &'p str>,
    os: Option<&OperatingSystem>,
) -> Vec<Gap> {
    let system = os.map(|os| match ecosystem_of(os) {
        Some(ecosystem) => ecosystem.to_string(),
        None => format!("{} {}", os.id, os.version).trim_end().to_owned(),
    });
    let gap = |ecosystem: String, reason| Gap { ecosystem, reason, packages: 0 };
    let mut first_of: BTreeMap<&str, &str> = BTreeMap::new();
    for path in unread {
        first_of.entry(of(path).map_or(path, |database| database.manager)).or_insert(path);
    }
    let unread = first_of.iter().map(|(manager, path)| {
        let ecosystem = system.clone().unwrap_or_else(|| (*manager).to_owned());
        gap(ecosystem, format!("nothing reads its package database `{path}` of {manager}"))
    });
    let gaps: Vec<Gap> = unread.collect();
    match system {
        Some(system) if gaps.is_empty() && read.into_iter().next().is_none() => {
            vec![gap(system, "no package database of the operating system was found".to_owned())]
        }
        _ => gaps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_is_known_by_where_it_keeps_what_is_installed() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(of(path).map(|database| database.manager), expected, "{path}");
        };
        check("var/lib/dpkg/status", Some("dpkg"));
        check("var/lib/dpkg/status.d/base-files", Some("dpkg")); // distroless
        check("lib/apk/db/installed", Some("apk"));
        check("usr/lib/apk/db/installed", Some("apk")); // Wolfi, and Alpine since 3.22
        check("var/lib/rpm/rpmdb.sqlite", Some("rpm"));
        check("var/lib/rpm/Packages", Some("rpm")); // CentOS 7
        check("usr/lib/sysimage/rpm/Packages.db", Some("rpm")); // SUSE
        check("var/lib/rpmmanifest/container-manifest-2", Some("rpm")); // Azure Linux, distroless
        check("var/lib/rpm/.dbenv.lock", None);
        check("var/lib/pacman/local/bash-5.2.026-2/desc", Some("pacman"));
        check("var/lib/pacman/local/bash-5.2.026-2/files", None);
        check("var/db/pkg/app-shells/bash-5.2_p26/PF", Some("portage"));
        check("var/db/xbps/pkgdb-0.38.plist", Some("xbps"));
        check("srv/lib/apk/db/installed", None); // another root's
    }
}
