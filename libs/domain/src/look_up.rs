//! Under which names advisories may speak of an installed package.

use crate::{Names, Package};

/// One question to an advisory database about a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp<'p> {
    /// With its release: `Debian:12`.
    pub ecosystem: String,
    /// Normalised.
    pub name: String,
    /// The version that ranges found there are compared with.
    pub version: &'p str,
    /// Which claims found there count; `None`: all.
    pub names: Option<Names>,
    /// Whether the fixes found there come with a subscription only (Ubuntu Pro).
    pub is_extended: bool,
}

impl Package {
    /// The package under its own name and, for OS packages, under its source package's (`libssl3` comes from `openssl`); Ubuntu's
    /// in Ubuntu Pro, too. None without an ecosystem.
    pub fn look_ups(&self) -> Vec<LookUp<'_>> {
        let Some(ecosystem) = &self.ecosystem else {
            return Vec::new();
        };
        let own = (self.name.as_str(), self.version.as_str());
        let source = self.source.as_ref().map_or(own, |source| (source.name.as_str(), source.version.as_str()));
        let questions = match source == own {
            true => vec![(own, None)],
            false => vec![(own, Some(Names::Binary)), (source, Some(Names::Source))],
        };
        let extended = ecosystem.as_str().strip_prefix("Ubuntu:").filter(|release| !release.starts_with("Pro:"));
        let extended = extended.map(|release| (format!("Ubuntu:Pro:{release}"), true));
        let mut look_ups = Vec::new();
        for (release, is_extended) in std::iter::once((ecosystem.to_string(), false)).chain(extended) {
            for &((name, version), names) in &questions {
                let name = ecosystem.normalise(name);
                look_ups.push(LookUp { ecosystem: release.clone(), name, version, names, is_extended });
            }
        }
        look_ups
    }
}
