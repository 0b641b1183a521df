//! Go versions, of modules and of the toolchain, in one order, because one advisory database speaks of both.
//!
//! - Modules: `vMAJOR[.MINOR[.PATCH[-prerelease][+build]]]` as golang.org/x/mod/semver reads and orders it. OSV writes
//!   the three numbers without `v`. Pseudo-versions are pre-releases; `+incompatible` is build metadata: not compared.
//! - Toolchains: `go1.21.3`, `go1.21rc2`, with or without `go`, as the package go/version reads and orders them, put
//!   where OSV's spelling of the same release stands: `1.21rc2` is `1.21.0-rc.2`, `1.20` is `1.20.0`. From Go 1.21 on a
//!   release has three numbers, and two are the language version, before the first pre-release: `1.21` is `1.21.0-0`.
//! - A name behind a toolchain's `-` (`go1.22.1-custom`) or white space (`go1.21.3 X:boringcrypto`, which build
//!   information has) tells who built it how, not what: not compared, as in go/version. Only where `go` stands in
//!   front: `1.22.1-custom` is a pre-release.

use crate::key::{KeyWriter, Why};
use crate::semver::{self, Parts, is_number};

/// Layout: see `semver.rs`.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    if let Some(version) = raw.strip_prefix('v') {
        return module(version);
    }
    if let Some(toolchain) = raw.strip_prefix("go") {
        let end = toolchain.find(|letter: char| letter == '-' || letter.is_ascii_whitespace());
        return self::toolchain(&toolchain[..end.unwrap_or(toolchain.len())]);
    }
    semver::parts(raw).map(|parts| semver::key(&parts)).or_else(|why| toolchain(raw).map_err(|_| why))
}

/// Minor and patch may be missing (and are 0) when nothing follows.
fn module(version: &str) -> Result<KeyWriter, Why> {
    let short = match version.split_once('.') {
        None if is_number(version) => Some([version, "0", "0"]),
        Some((major, minor)) if is_number(major) && is_number(minor) => Some([major, minor, "0"]),
        _ => None,
    };
    match short {
        Some(numbers) => Ok(semver::key(&Parts { numbers, prerelease: "" })),
        None => semver::parts(version).map(|parts| semver::key(&parts)),
    }
}

/// `1`, `1.21`, `1.21.3`, `1.21rc2`: a patch release has no pre-releases.
fn toolchain(version: &str) -> Result<KeyWriter, Why> {
    let malformed = "it is neither a module version nor a toolchain";
    let digits = version.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (numbers, prerelease) = version.split_at(digits);
    let mut numbers = numbers.split('.');
    let (major, minor, patch) = (numbers.next().unwrap_or_default(), numbers.next(), numbers.next());
    let all_are_numbers = [Some(major), minor, patch].into_iter().flatten().all(is_number);
    if numbers.next().is_some() || !all_are_numbers {
        return Err(malformed);
    }
    let prerelease = match (minor, patch, prerelease) {
        (Some(minor), None, "") if is_from_1_21_on(minor) => "0".to_owned(),
        (_, _, "") => String::new(),
        (Some(_), None, prerelease) => dotted(prerelease).ok_or(malformed)?,
        _ => return Err(malformed),
    };
    let numbers = [major, minor.unwrap_or("0"), patch.unwrap_or("0")];
    Ok(semver::key(&Parts { numbers, prerelease: &prerelease }))
}

/// From here on the first release of a minor version is written with `.0` (go.dev/doc/toolchain, read 2026-11-24).
/// go/version looks at the minor number alone.
fn is_from_1_21_on(minor: &str) -> bool {
    minor.parse::<u64>().map_or(true, |minor| minor >= 21)
}

/// `rc2` as `rc.2`, `rc` as it is; `None` when it is not small letters and then perhaps a number.
fn dotted(prerelease: &str) -> Option<String> {
    let letters = prerelease.bytes().take_while(u8::is_ascii_lowercase).count();
    match prerelease.split_at(letters) {
        ("", _) => None,
        (word, "") => Some(word.to_owned()),
        (word, number) => is_number(number).then(|| format!("{word}.{number}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Go.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Go.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn a_module_is_the_same_with_and_without_v() {
        check("v1.2.3", "1.2.3", Equal);
        check("v1.2", "v1.2.0", Equal); // x/mod/semver's short form
        check("v2.0.0+incompatible", "2.0.0", Equal);
    }

    #[test]
    fn pseudo_versions_stand_between_the_tags_around_them() {
        check("v0.0.0-20190308221718-c2843e01d9a2", "v0.0.0-20200622213623-75b288015ac9", Less);
        check("v1.2.4-0.20191109021931-daa7c04131f5", "v1.2.3", Greater);
        check("v1.2.4-0.20191109021931-daa7c04131f5", "v1.2.4", Less);
        check("v1.2.3-pre.0.20191109021931-daa7c04131f5", "v1.2.3-pre", Greater);
    }

    #[test]
    fn a_toolchain_stands_where_osv_puts_it() {
        check("go1.21rc2", "1.21.0-rc.2", Equal);
        check("go1.21rc2", "1.21.0-0", Greater); // how OSV begins a range at a minor release
        check("go1.20", "1.20.0", Equal);
        check("go1.21.3", "1.21.3", Equal);
        check("1.19beta1", "go1.19rc1", Less);
    }

    #[test]
    fn from_1_21_on_two_numbers_are_the_language() {
        check("go1.21", "go1.21rc1", Less);
        check("go1.21", "go1.21.0", Less);
        check("go1.20", "go1.20rc1", Greater);
    }

    #[test]
    fn who_built_a_toolchain_does_not_count() {
        check("go1.22.1-custom", "go1.22.1", Equal);
        check("go1.21.3 X:boringcrypto", "go1.21.3", Equal);
        check("go1.22.1 (Red Hat 1.22.1-1.el9)", "1.22.1", Equal);
        check("1.22.1-custom", "1.22.1", Less); // without `go` it is a module's pre-release
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for version in [
            "",
            "(devel)",
            "devel go1.23-1e6ac0a",
            "unknown",
            "go",
            "gov1.2.3",
            "v1.2-pre",
            "v01.2.3",
            "V1.2.3",
            "go1.9.2rc2",
            "go1.21RC1",
            "go1.21rc02",
            "1.2.3.4",
            "go1.2.3.4",
            "go1.",
            "v",
            "v1.2.",
            "1.2.3 ",
            "vgo1.2.3",
        ] {
            assert!(Scheme::Go.key(version).is_err(), "`{version}`");
        }
    }
}
