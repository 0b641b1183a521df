//! What lock files have in common: a bound on their size, JSON, TOML and YAML as typed values, and entries of a name and a
//! version that become packages of one ecosystem.

use crate::{Parsed, purl};
use muster_domain::{Ecosystem, Package, PackageManager};
use serde::de::DeserializeOwned;
use std::fmt::Display;

/// Bytes of one lock file. Those of a thousand packages take half a megabyte; a tree of values takes some twenty times the
/// text in memory, so that this is a limit of memory.
pub(crate) const BYTES_MAX: usize = 8 << 20;

/// Lists and maps inside each other, in YAML. (`serde_json` and `toml` have limits of their own, of 128 and 80.)
const YAML_DEPTH_MAX: usize = 64;

/// A lock file while it is read.
pub(crate) struct Lock<'a> {
    path: &'a str,
    purl_type: &'static str,
    manager: PackageManager,
    parsed: Parsed,
}

/// Where a package of a lock file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The ecosystem's registry or a mirror of it: its advisories judge the package.
    Registry,
    /// A repository, an archive: what the name means there, no advisory says.
    Elsewhere,
    /// The project itself or a part of it: no package.
    Own,
}

impl<'a> Lock<'a> {
    /// A lock file of packages of this package URL type.
    pub(crate) fn new(path: &'a str, purl_type: &'static str, manager: PackageManager) -> Self {
        Self { path, purl_type, manager, parsed: Parsed::default() }
    }

    /// An entry. `place` is where in the file.
    pub(crate) fn entry(&mut self, place: impl Display, origin: Origin, name: Option<&str>, version: Option<&str>) {
        let filled = |text: Option<&'_ str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        match (origin, filled(name), filled(version)) {
            (Origin::Own, ..) => {}
            (_, None, _) => self.skip(place, "no name"),
            (_, Some(name), None) => self.skip(place, format!("`{name}` has no version")),
            (_, Some(name), Some(version)) => {
                let ecosystem = Ecosystem::of_purl_type(self.purl_type).filter(|_| origin == Origin::Registry);
                self.parsed.add(Package {
                    ecosystem,
                    purl: purl::of(self.purl_type, &name, &version),
                    name,
                    version,
                    manager: self.manager,
                    source: None,
                    architecture: None,
                    paths: vec![self.path.to_owned()],
                    layer: None,
                    module: None,
                    lambda_layer: None,
                    owned_by: None,
                });
            }
        }
    }

    /// Sets an entry aside.
    pub(crate) fn skip(&mut self, place: impl Display, reason: impl Into<String>) {
        self.parsed.skip(format!("{}: {place}", self.path), reason);
    }

    /// What was read.
    pub(crate) fn finish(self) -> Parsed {
        self.parsed
    }

    /// The file of which nothing can be read.
    pub(crate) fn unreadable(&self, reason: impl Display) -> Parsed {
        Parsed::unreadable(self.path, reason.to_string())
    }

    /// The file as text.
    pub(crate) fn text<'b>(&self, bytes: &'b [u8]) -> Result<&'b str, Parsed> {
        text(self.path, bytes)
    }

    /// The file as JSON; `format` is its name for people.
    pub(crate) fn json<T: DeserializeOwned>(&self, format: &str, bytes: &[u8]) -> Result<T, Parsed> {
        serde_json::from_str(self.text(bytes)?).map_err(|error| self.unreadable(format!("not a {format}: {error}")))
    }

    /// The file as TOML.
    pub(crate) fn toml(&self, bytes: &[u8]) -> Result<toml::Table, Parsed> {
        toml(self.path, bytes)
    }

    /// The file as YAML. No lock file has anchors, so that none can multiply what it holds.
    pub(crate) fn yaml<T: DeserializeOwned>(&self, format: &str, bytes: &[u8]) -> Result<T, Parsed> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_aliases: 0, max_anchors: 0, max_depth: YAML_DEPTH_MAX },
            duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
            with_snippet: false,
        };
        let text = self.text(bytes)?;
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let first_line = error.to_string().lines().next().unwrap_or_default().to_owned();
            self.unreadable(format!("not a {format}: {first_line}"))
        })
    }
}

/// A file as text without its byte order mark.
pub(crate) fn text<'b>(path: &str, bytes: &'b [u8]) -> Result<&'b str, Parsed> {
    if bytes.len() > BYTES_MAX {
        return Err(Parsed::unreadable(path, format!("its {} bytes are more than {BYTES_MAX}", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Parsed::unreadable(path, "not UTF-8"))?;
    Ok(text.trim_start_matches('\u{feff}'))
}

/// A file as TOML.
pub(crate) fn toml(path: &str, bytes: &[u8]) -> Result<toml::Table, Parsed> {
    let not_toml = |error| Parsed::unreadable(path, format!("not TOML: {}", toml::de::Error::message(&error)));
    text(path, bytes)?.parse().map_err(not_toml)
}

/// What parsers' tests compare: the package URL of each package, with `nowhere` before those that no advisories judge, then what was set aside.
#[cfg(test)]
pub(crate) fn told(parsed: &Parsed) -> Vec<String> {
    let packages = parsed.packages.iter().map(|package| match &package.ecosystem {
        Some(_) => package.purl.clone(),
        None => format!("nowhere {}", package.purl),
    });
    let skipped = parsed.skipped.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason));
    packages.chain(skipped).collect()
}
