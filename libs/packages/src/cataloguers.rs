//! The table of cataloguers: which files matter, and who reads them. A new format is a new row.

use crate::{
    FileFacts, apk, bun_lock, cargo_lock, composer, conan_lock, databases, deps_json, dpkg, dpkg_list, gemfile_lock,
    gemspec, go_binary, go_mod, gradle_lockfile, jar, mix_lock, npm, nuget_lock, os_release, package_lock,
    package_resolved, packages_config, pacman, pipfile_lock, pnpm_lock, pubspec_lock, python, python_lock, renv_lock,
    requirements, rpm, yarn_lock,
};

/// One format.
pub struct Cataloguer {
    /// For people.
    pub name: &'static str,
    /// Whether it reads the file at this path, relative to the root.
    pub wants: fn(&str) -> bool,
    /// What the file says; `None`: nothing that matters.
    pub read: fn(&str, &[u8]) -> Option<FileFacts>,
}

/// The row whose files have no names of their own.
const PROGRAMS: &str = "Go programs";

/// The row of databases that have no reader.
const UNREAD: &str = "OS package databases without a reader";

/// All formats. The first that wants a path reads it.
pub const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "os-release",
        wants: os_release::wants,
        read: |_, bytes| os_release::parse(bytes).map(FileFacts::OperatingSystem),
    },
    Cataloguer {
        name: "dpkg",
        wants: dpkg::wants,
        read: |path, bytes| Some(FileFacts::Packages(dpkg::parse(path, bytes))),
    },
    Cataloguer {
        name: "dpkg file lists",
        wants: dpkg_list::wants,
        read: |path, bytes| dpkg_list::parse(path, bytes).map(FileFacts::Packages),
    },
    Cataloguer {
        name: "rpm",
        wants: rpm::wants,
        read: |path, bytes| Some(FileFacts::Packages(rpm::parse(path, bytes))),
    },
    Cataloguer {
        name: "apk",
        wants: apk::wants,
        read: |path, bytes| Some(FileFacts::Packages(apk::parse(path, bytes))),
    },
    Cataloguer {
        name: "pacman",
        wants: pacman::wants,
        read: |path, bytes| Some(FileFacts::Packages(pacman::parse(path, bytes))),
    },
    Cataloguer {
        name: "python",
        wants: python::wants,
        read: |path, bytes| Some(FileFacts::Packages(python::parse(path, bytes))),
    },
    Cataloguer {
        name: "npm",
        wants: npm::wants,
        read: |path, bytes| Some(FileFacts::Packages(npm::parse(path, bytes))),
    },
    Cataloguer {
        name: "package-lock",
        wants: package_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(package_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "Cargo.lock",
        wants: cargo_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(cargo_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "bun.lock",
        wants: bun_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(bun_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "Composer",
        wants: composer::wants,
        read: |path, bytes| Some(FileFacts::Packages(composer::parse(path, bytes))),
    },
    Cataloguer {
        name: "conan.lock",
        wants: conan_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(conan_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: ".NET programs",
        wants: deps_json::wants,
        read: |path, bytes| Some(FileFacts::Packages(deps_json::parse(path, bytes))),
    },
    Cataloguer {
        name: "Gemfile.lock",
        wants: gemfile_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(gemfile_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "gems",
        wants: gemspec::wants,
        read: |path, bytes| Some(FileFacts::Packages(gemspec::parse(path, bytes))),
    },
    Cataloguer {
        name: "go.mod",
        wants: go_mod::wants,
        read: |path, bytes| Some(FileFacts::Packages(go_mod::parse(path, bytes))),
    },
    Cataloguer {
        name: "Gradle lock files",
        wants: gradle_lockfile::wants,
        read: |path, bytes| Some(FileFacts::Packages(gradle_lockfile::parse(path, bytes))),
    },
    Cataloguer {
        name: "mix.lock",
        wants: mix_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(mix_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "packages.lock.json",
        wants: nuget_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(nuget_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "Package.resolved",
        wants: package_resolved::wants,
        read: |path, bytes| Some(FileFacts::Packages(package_resolved::parse(path, bytes))),
    },
    Cataloguer {
        name: "packages.config",
        wants: packages_config::wants,
        read: |path, bytes| Some(FileFacts::Packages(packages_config::parse(path, bytes))),
    },
    Cataloguer {
        name: "Pipfile.lock",
        wants: pipfile_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(pipfile_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "pnpm-lock.yaml",
        wants: pnpm_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(pnpm_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "pubspec.lock",
        wants: pubspec_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(pubspec_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "Python lock files",
        wants: python_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(python_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "renv.lock",
        wants: renv_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(renv_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "pip requirement files",
        wants: requirements::wants,
        read: |path, bytes| Some(FileFacts::Packages(requirements::parse(path, bytes))),
    },
    Cataloguer {
        name: "yarn.lock",
        wants: yarn_lock::wants,
        read: |path, bytes| Some(FileFacts::Packages(yarn_lock::parse(path, bytes))),
    },
    Cataloguer {
        name: "Java artifacts",
        wants: jar::tells,
        read: |path, bytes| Some(FileFacts::Packages(jar::parse(path, bytes))),
    },
    // Whoever reads a root reads these as folders.
    Cataloguer { name: ARCHIVES, wants: jar::wants, read: |_, _| None },
    // Behind those that read one: what is left is told as a gap.
    Cataloguer { name: UNREAD, wants: databases::holds, read: |_, _| Some(FileFacts::Unread) },
    // Last, since programs are known by their folders only.
    Cataloguer {
        name: PROGRAMS,
        wants: go_binary::wants,
        read: |path, bytes| go_binary::parse(path, bytes).map(FileFacts::Packages),
    },
];

/// The row of files whose own files are read.
const ARCHIVES: &str = "Java archives";

/// Whether the file at this path is wanted for the files in it.
pub(crate) fn wanted_as_archive(path: &str) -> bool {
    of(path).is_some_and(|cataloguer| cataloguer.name == ARCHIVES)
}

/// Whether the file at this path is wanted for what it may be, not for its name: its first bytes tell on.
pub(crate) fn wanted_as_program(path: &str) -> bool {
    of(path).is_some_and(|cataloguer| cataloguer.name == PROGRAMS)
}

/// Whether the file at this path is a package database that nothing reads, so that its content doesn't matter.
pub(crate) fn is_unread(path: &str) -> bool {
    of(path).is_some_and(|cataloguer| cataloguer.name == UNREAD)
}

/// The row that reads the file at this path.
pub(crate) fn of(path: &str) -> Option<&'static Cataloguer> {
    CATALOGUERS.iter().find(|cataloguer| (cataloguer.wants)(path))
}

/// Whether a file at this path, relative to the root, says something that matters.
pub fn wanted(path: &str) -> bool {
    of(path).is_some()
}

/// Whether the file at this path has all packages of an operating system, so that whoever installs one writes it anew.
pub(crate) fn is_os_database(path: &str) -> bool {
    dpkg::wants(path) || rpm::wants(path) || apk::wants(path)
}

/// Whether a file at this path proves a package of a language, which an OS package may own.
pub(crate) fn proves_language_package(path: &str) -> bool {
    let proves = [python::wants, npm::wants, gemspec::wants, composer::wants, deps_json::wants, jar::wants];
    proves.iter().any(|proves| proves(path)) || is_owned_program(path)
}

/// A program that an OS package may own; packages have none directly below the root.
fn is_owned_program(path: &str) -> bool {
    path.contains('/') && go_binary::wants(path)
}
