//! Versions: one file per scheme; a version becomes a key whose plain byte order is the scheme's order.
//!
//! A scheme's file holds its rule and source, one function from text to key, and the table of tests.
//! An unreadable version is [`Malformed`], never an order by guess. The answers of the schemes' own tools are
//! recorded in `tests/fixtures` (see `tests/record.py`). [`Scheme::range`] reads ranges of versions, [`vers`] those that
//! name their scheme.

mod alpm;
mod apk;
mod bitnami;
mod cargo;
mod composer;
mod conan;
mod cran;
mod dart;
mod deb;
mod gem;
mod generic;
mod go;
mod hackage;
mod hex;
mod key;
mod maven;
mod npm;
mod nuget;
mod numbers;
mod openssl;
mod pep440;
mod ranges;
mod rpm;
mod semver;
mod swift;
mod windows;

pub use key::{LENGTH_MAX, Malformed, VersionKey};
pub use ranges::{ALTERNATIVES_MAX, MalformedRange, RANGE_LENGTH_MAX, VersionRange, vers};

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A rule by which versions are read and ordered. Adding one is adding its file and a row here; the compiler points
/// at the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Debian's, as dpkg orders it.
    Deb,
    /// RPM's, with epoch, `~` and `^`.
    Rpm,
    /// Alpine's, as apk-tools orders it.
    Apk,
    /// Arch Linux', as pacman's vercmp orders it.
    Alpm,
    /// Python's, PEP 440.
    Pep440,
    /// Semantic Versioning 2.0 as npm reads it.
    Npm,
    /// Semantic Versioning 2.0 as Cargo reads it.
    Cargo,
    /// Versions of Go modules and of the Go toolchain, in one order.
    Go,
    /// Elixir's and Erlang's: Semantic Versioning 2.0 as Elixir's `Version` reads it.
    Hex,
    /// Dart's: Semantic Versioning 2.0 with builds in order.
    Pub,
    /// Semantic Versioning 2.0 as Swift's package manager reads it.
    Swift,
    /// Maven's ComparableVersion.
    Maven,
    /// RubyGems'.
    Gem,
    /// NuGet's, with up to four numbers.
    Nuget,
    /// PHP's, as Composer normalises and compares it.
    Composer,
    /// Conan's.
    Conan,
    /// R's `package_version`.
    Cran,
    /// Haskell's package versioning policy.
    Hackage,
    /// Bitnami's: Semantic Versioning 2.0 with a revision behind it.
    Bitnami,
    /// OpenSSL's, with letters before version 3.
    Openssl,
    /// Windows' builds, `10.0.19045.3803`, and file versions.
    Windows,
    /// Numbers and words, for software whose scheme nobody told us.
    Generic,
}

impl Scheme {
    /// Every scheme, in declaration order.
    pub const ALL: [Self; 22] = [
        Self::Deb,
        Self::Rpm,
        Self::Apk,
        Self::Alpm,
        Self::Pep440,
        Self::Npm,
        Self::Cargo,
        Self::Go,
        Self::Hex,
        Self::Pub,
        Self::Swift,
        Self::Maven,
        Self::Gem,
        Self::Nuget,
        Self::Composer,
        Self::Conan,
        Self::Cran,
        Self::Hackage,
        Self::Bitnami,
        Self::Openssl,
        Self::Windows,
        Self::Generic,
    ];

    /// The scheme's name in stored data and on the command line: the package URL type where there is one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Alpm => "alpm",
            Self::Pep440 => "pep440",
            Self::Npm => "npm",
            Self::Cargo => "cargo",
            Self::Go => "go",
            Self::Hex => "hex",
            Self::Pub => "pub",
            Self::Swift => "swift",
            Self::Maven => "maven",
            Self::Gem => "gem",
            Self::Nuget => "nuget",
            Self::Composer => "composer",
            Self::Conan => "conan",
            Self::Cran => "cran",
            Self::Hackage => "hackage",
            Self::Bitnami => "bitnami",
            Self::Openssl => "openssl",
            Self::Windows => "windows",
            Self::Generic => "generic",
        }
    }

    /// The scheme of that [`name`](Self::name), or of the name under which `vers:` ranges and package URLs know it.
    pub fn parse(name: &str) -> Option<Self> {
        let name = match name {
            "pypi" => "pep440",
            "golang" => "go",
            "semver" | "github" | "githubactions" | "julia" => "cargo",
            "rubygems" => "gem",
            "packagist" => "composer",
            "debian" => "deb",
            "alpine" => "apk",
            "arch" => "alpm",
            name => name,
        };
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The version as a key; made once where data enters, compared byte by byte ever after.
    /// Fails when the scheme's own tool would refuse the version, or above [`LENGTH_MAX`] bytes.
    pub fn key(self, raw: &str) -> Result<VersionKey, Malformed> {
        let malformed = |why| Malformed::new(self, raw, why);
        if raw.len() > LENGTH_MAX {
            return Err(malformed("it is longer than 1024 bytes"));
        }
        let key = match self {
            Self::Deb => deb::key(raw),
            Self::Rpm => rpm::key(raw),
            Self::Apk => apk::key(raw),
            Self::Alpm => alpm::key(raw),
            Self::Pep440 => pep440::key(raw),
            Self::Npm => npm::key(raw),
            Self::Cargo => cargo::key(raw),
            Self::Go => go::key(raw),
            Self::Hex => hex::key(raw),
            Self::Pub => dart::key(raw),
            Self::Swift => swift::key(raw),
            Self::Maven => maven::key(raw),
            Self::Gem => gem::key(raw),
            Self::Nuget => nuget::key(raw),
            Self::Composer => composer::key(raw),
            Self::Conan => conan::key(raw),
            Self::Cran => cran::key(raw),
            Self::Hackage => hackage::key(raw),
            Self::Bitnami => bitnami::key(raw),
            Self::Openssl => openssl::key(raw),
            Self::Windows => windows::key(raw),
            Self::Generic => generic::key(raw),
        };
        key.map(|key| VersionKey::from_parts(self, key.finish())).map_err(malformed)
    }

    /// How `a` stands to `b`. Fails when either is unreadable, `a` first.
    pub fn compare(self, a: &str, b: &str) -> Result<Ordering, Malformed> {
        let (a, b) = (self.key(a)?, self.key(b)?);
        Ok(a.as_bytes().cmp(b.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_scheme() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::parse(scheme.name()), Some(scheme));
        }
        assert_eq!(Scheme::parse("Deb"), None);
        assert_eq!(Scheme::parse(""), None);
    }

    #[test]
    fn keys_of_two_schemes_have_no_order() {
        let npm = Scheme::Npm.key("1.2.3").unwrap();
        let cargo = Scheme::Cargo.key("1.2.3").unwrap();
        assert_eq!(npm.as_bytes(), cargo.as_bytes());
        assert_ne!(npm, cargo);
        assert_eq!(npm.partial_cmp(&cargo), None);
    }

    #[test]
    fn a_version_may_have_1024_bytes_and_no_more() {
        for scheme in [Scheme::Deb, Scheme::Pep440, Scheme::Go, Scheme::Generic] {
            let version = |digits: usize| {
                format!("{}{}", if scheme == Scheme::Go { "v1.2." } else { "1.2.3" }, "9".repeat(digits))
            };
            let longest = version(LENGTH_MAX - 5);
            assert!(scheme.key(&longest).is_ok(), "{scheme:?}");
            assert_eq!(scheme.compare(&longest, &version(LENGTH_MAX - 6)), Ok(Ordering::Greater), "{scheme:?}");
            let malformed = scheme.key(&version(LENGTH_MAX - 4)).unwrap_err();
            assert_eq!(malformed.why, "it is longer than 1024 bytes", "{scheme:?}");
        }
    }
}
