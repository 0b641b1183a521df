//! Debian's releases: code name -> number (debian.org/releases and distro-info-data's `debian.csv`, read 2026-11-24).

use muster_domain::Ecosystem;

/// From the oldest to the newest. A release is named by its major number, as os-release(5) does; only the ones before
/// etch keep a minor one, since several share a major number.
const RELEASES: &[(&str, &str)] = &[
    ("buzz", "1.1"),
    ("rex", "1.2"),
    ("bo", "1.3"),
    ("hamm", "2.0"),
    ("slink", "2.1"),
    ("potato", "2.2"),
    ("woody", "3.0"),
    ("sarge", "3.1"),
    ("etch", "4"),
    ("lenny", "5"),
    ("squeeze", "6"),
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
];

/// The release of this code name; `None` for sid, experimental and what is no release.
pub(super) fn ecosystem(codename: &str) -> Option<Ecosystem> {
    number(codename).map(Ecosystem::debian)
}

/// The number of the release of this code name.
pub(super) fn number(codename: &str) -> Option<&'static str> {
    RELEASES.iter().find(|(name, _)| *name == codename).map(|(_, number)| *number)
}

/// Code names of the releases that an installation can tell of itself: those whose major number is their own.
pub(super) fn told_by_systems() -> impl Iterator<Item = &'static str> {
    RELEASES.iter().filter(|(_, number)| !number.contains('.')).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_found_by_its_code_name_and_named_as_its_systems_do() {
        let check = |codename: &str, expected: Option<&str>| {
            assert_eq!(ecosystem(codename).as_ref().map(Ecosystem::as_str), expected, "{codename}");
        };
        check("bookworm", Some("Debian:12"));
        check("squeeze", Some("Debian:6")); // its own name was 6.0
        check("woody", Some("Debian:3.0")); // not the only 3
        check("sid", None);
        check("experimental", None);
        assert_eq!(told_by_systems().next(), Some("etch"));
    }
}
