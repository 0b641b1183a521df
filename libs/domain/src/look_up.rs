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
    /// Whose fixes are found there.
    pub channel: Channel,
}

/// By which way a release's fixes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// To everybody who has the release.
    Release,
    /// With a subscription only (Ubuntu Pro).
    Subscription,
    /// To those who stay on a minor release of Red Hat's (EUS, AUS, TUS, E4S) or on a major one past its end (ELS).
    UpdateStream,
}

/// Red Hat's streams of updates for one minor release, as `Ecosystem` calls them.
const MINOR_STREAMS: [&str; 4] = ["eus", "aus", "tus", "e4s"];

impl Package {
    /// The package under its own name and, for OS packages, under its source package's (`libssl3` comes from `openssl`); Ubuntu's
    /// in Ubuntu Pro, too, and Red Hat's in the update streams of the minor release that they were built for. None without an
    /// ecosystem.
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
        let mut releases = vec![(ecosystem.to_string(), Channel::Release)];
        match ecosystem.as_str().split_once(':') {
            Some(("Ubuntu", release)) if !release.starts_with("Pro:") => {
                releases.push((format!("Ubuntu:Pro:{release}"), Channel::Subscription));
            }
            Some(("Red Hat", major)) => {
                releases.extend(update_streams(major, &self.version).map(|release| (release, Channel::UpdateStream)));
            }
            _ => {}
        }
        let mut look_ups = Vec::new();
        for (release, channel) in releases {
            for &((name, version), names) in &questions {
                let name = ecosystem.normalise(name);
                look_ups.push(LookUp { ecosystem: release.clone(), name, version, names, channel });
            }
        }
        look_ups
    }
}

/// The streams whose builds have this version's mark: `8.6:eus` and its kin of `1.1.1k-7.el8_6`.
fn update_streams(major: &str, version: &str) -> impl Iterator<Item = String> {
    let minor = red_hat_release(version).filter(|(own, _)| own.to_string() == major);
    minor.into_iter().flat_map(|(major, minor)| {
        let minor_streams = MINOR_STREAMS.iter().map(move |stream| format!("Red Hat:{major}.{minor}:{stream}"));
        minor_streams.chain([format!("Red Hat:{major}:els")])
    })
}

/// The minor release that a package of Red Hat's was built for after that release came out, by the mark in its version: 8 and 6
/// of `1.1.1k-7.el8_6` and of `1.14.2-1.module+el8.6.0+13456+6bb2d9ba`. `None`: it has no such mark (`3-2.el8`).
pub fn red_hat_release(version: &str) -> Option<(u32, u32)> {
    let (_, mark) = version.split_once(".el").or_else(|| version.split_once("+el"))?;
    let digits = |text: &str| text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (major, rest) = mark.split_at(digits(mark));
    let rest = rest.strip_prefix(['_', '.'])?;
    let is_module = version.contains("+el");
    // `.el8.2` counts builds; only modules have dots between the numbers of a release.
    (is_module || mark[major.len()..].starts_with('_')).then_some(())?;
    Some((major.parse().ok()?, rest[..digits(rest)].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PackageManager;

    #[test]
    fn a_version_tells_the_minor_release_that_it_was_built_for() {
        let check = |version: &str, expected: Option<(u32, u32)>| {
            assert_eq!(red_hat_release(version), expected, "{version}");
        };
        check("1:1.1.1k-7.el8_6", Some((8, 6)));
        check("4.18.0-372.9.1.el8_6.x86_64", Some((8, 6)));
        check("0:3.0.7-16.el9_2.1", Some((9, 2)));
        check("1.14.2-1.module+el8.6.0+13456+6bb2d9ba", Some((8, 6)));
        check("2.34-100.el9_4.10", Some((9, 4)));
        check("3.6.8-2.el8", None);
        check("3.6.8-2.el8.1", None); // a build count
        check("1.0.2k-26.el7_9", Some((7, 9)));
        check("3.0.11-1~deb12u2", None);
    }

    #[test]
    fn a_package_is_looked_up_in_the_streams_that_it_may_come_from() {
        let check = |ecosystem: &str, version: &str, expected: &[&str]| {
            let package = Package {
                ecosystem: Some(ecosystem.parse().unwrap()),
                name: "openssl-libs".into(),
                version: version.into(),
                purl: String::new(),
                manager: PackageManager::Os,
                source: None,
                architecture: None,
                module: None,
                paths: Vec::new(),
                layer: None,
                lambda_layer: None,
                owned_by: None,
            };
            let releases: Vec<String> = package.look_ups().into_iter().map(|look_up| look_up.ecosystem).collect();
            assert_eq!(releases, expected, "{ecosystem} {version}");
        };
        let streams =
            ["Red Hat:8", "Red Hat:8.6:eus", "Red Hat:8.6:aus", "Red Hat:8.6:tus", "Red Hat:8.6:e4s", "Red Hat:8:els"];
        check("Red Hat:8", "1.1.1k-7.el8_6", &streams);
        check("Red Hat:8", "1.1.1k-7.el8", &["Red Hat:8"]);
        check("Red Hat:9", "1.1.1k-7.el8_6", &["Red Hat:9"]); // a package of an older release
        check("AlmaLinux:8", "1.1.1k-7.el8_6", &["AlmaLinux:8"]);
        check("Ubuntu:22.04", "3.0.2", &["Ubuntu:22.04", "Ubuntu:Pro:22.04"]);
    }
}
