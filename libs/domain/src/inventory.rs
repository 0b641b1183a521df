//! Inventories: the software of one root, content-addressed.

use crate::{Digest, Ecosystem, Gap};
use serde::{Deserialize, Serialize};

/// The operating system of a root, from `os-release` (freedesktop.org, os-release(5)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperatingSystem {
    /// `ID`: `debian`.
    pub id: String,
    /// `VERSION_ID`: `12`. Empty for a rolling or unreleased system.
    pub version: String,
    /// `PRETTY_NAME`, or `ID VERSION_ID`.
    pub pretty_name: String,
    /// `VERSION_CODENAME`, when stated.
    pub codename: Option<String>,
}

/// Who installed a package, in Inspector's spelling (`PackageManager` of the inspector2 API).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PackageManager {
    /// dpkg, rpm, apk.
    Os,
    /// Python packages found as installed.
    PythonPkg,
    /// Python packages named by pip's files.
    Pip,
    /// Node packages found as installed.
    NodePkg,
    /// Node packages named by npm's lock file.
    Npm,
    /// Go modules.
    GoMod,
    /// Rust crates.
    Cargo,
    /// Gems found as installed.
    Gemspec,
    /// Gems named by Bundler's lock file.
    Bundler,
    /// PHP packages.
    Composer,
    /// .NET packages named by a project's files.
    Nuget,
    /// .NET packages that a program was published with.
    DotnetCore,
    /// Java artifacts found in archives.
    Jar,
    /// Java artifacts named by a build's files.
    Pom,
    /// Python packages named by Pipenv's lock file.
    Pipenv,
    /// Python packages named by Poetry's lock file.
    Poetry,
    /// Node packages named by Yarn's lock file.
    Yarn,
    /// Anything else.
    Generic,
}

impl PackageManager {
    /// Inspector's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Os => "OS",
            Self::PythonPkg => "PYTHONPKG",
            Self::Pip => "PIP",
            Self::NodePkg => "NODEPKG",
            Self::Npm => "NPM",
            Self::GoMod => "GOMOD",
            Self::Cargo => "CARGO",
            Self::Gemspec => "GEMSPEC",
            Self::Bundler => "BUNDLER",
            Self::Composer => "COMPOSER",
            Self::Nuget => "NUGET",
            Self::DotnetCore => "DOTNET_CORE",
            Self::Jar => "JAR",
            Self::Pom => "POM",
            Self::Pipenv => "PIPENV",
            Self::Poetry => "POETRY",
            Self::Yarn => "YARN",
            Self::Generic => "GENERIC",
        }
    }
}

/// The source package that a binary package was built from (libssl3 comes from openssl).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// Its version, which may differ from the binary's.
    pub version: String,
}

/// One installed package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Package {
    /// Where its advisories are; `None`: no ecosystem that we know (matching answers "undetermined").
    /// For OS packages with the release: `Debian:12`.
    pub ecosystem: Option<Ecosystem>,
    /// As the ecosystem spells it.
    pub name: String,
    /// As the ecosystem spells it.
    pub version: String,
    /// The canonical package URL.
    pub purl: String,
    /// Who installed it.
    pub manager: PackageManager,
    /// For OS packages.
    pub source: Option<SourcePackage>,
    /// `amd64`, `all`, … as the package manager writes it; of what is in a Go program the platform (`linux/amd64`).
    pub architecture: Option<String>,
    /// The module stream that it was installed from, for distributions with modules: `nodejs:18`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Files that prove it, relative to the root, sorted.
    pub paths: Vec<String>,
    /// The image layer that brought the proof.
    pub layer: Option<Digest>,
    /// The Lambda layer that brought it, as its ARN.
    pub lambda_layer: Option<String>,
    /// The OS package that owns the proof: then the distributor judges it, not the language's feed.
    pub owned_by: Option<String>,
}

/// Something that could not be read: neither stopped the rest nor vanished.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Skipped {
    /// The file, and the line, entry or record in it.
    pub place: String,
    /// Why, in small letters without a stop.
    pub reason: String,
}

impl ImageIdentity {
    /// What two know of one image.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.digests.extend(other.digests);
        self.digests.sort();
        self.digests.dedup();
        self.tags.extend(other.tags);
        self.tags.sort();
        self.tags.dedup();
        Self { repository: self.repository.or(other.repository), ..self }
    }
}

/// All software of one root. Two roots with the same software have the same digest, unless they are those of two images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The operating system; `None`: none found (a Lambda zip, a folder).
    pub os: Option<OperatingSystem>,
    /// The release of the running kernel as `uname -r` tells it, where the root is that of a running system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_kernel: Option<String>,
    /// Sorted, without doubles: `Inventory::new` sees to it.
    pub packages: Vec<Package>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
    /// Limits that were reached: then the inventory is partial. Sorted.
    pub limits_reached: Vec<String>,
    /// Packages that are not even listed, since nothing reads the database that holds them or none was found: whatever is
    /// asked about them is undetermined. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// The image that the root is of, as far as its reader was told. Statements about images are about its packages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageIdentity>,
}

/// What an image is called. Two images with the same packages are two, since somebody may speak of one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImageIdentity {
    /// Of its manifest and of the indexes that led there, sorted.
    pub digests: Vec<Digest>,
    /// Registry and name: `docker.io/library/debian`, `123456789012.dkr.ecr.eu-central-1.amazonaws.com/app`.
    pub repository: Option<String>,
    /// Sorted.
    pub tags: Vec<String>,
}

impl Inventory {
    /// Sorts and removes doubles, so that equal software gives an equal digest.
    pub fn new(
        os: Option<OperatingSystem>,
        mut packages: Vec<Package>,
        mut skipped: Vec<Skipped>,
        mut limits_reached: Vec<String>,
    ) -> Self {
        packages.sort();
        packages.dedup();
        skipped.sort();
        skipped.dedup();
        limits_reached.sort();
        limits_reached.dedup();
        Self { os, running_kernel: None, packages, skipped, limits_reached, gaps: Vec::new(), image: None }
    }

    /// The name of this content.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// Whether something could not be read.
    pub fn is_partial(&self) -> bool {
        !self.skipped.is_empty() || !self.limits_reached.is_empty() || !self.gaps.is_empty()
    }
}
