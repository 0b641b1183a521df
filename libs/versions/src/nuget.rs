//! NuGet versions: Semantic Versioning 2.0 with one to four numbers, read and ordered as `NuGetVersion` and
//! `VersionComparer.Default` do (learn.microsoft.com/nuget/concepts/package-versioning; NuGet.Versioning).
//!
//! Missing numbers are 0, leading zeros do not count, letters' case does not count, build metadata does not count.
//! Each number fits 31 bits. A pre-release's number above that is a word, as NuGet has it.
//!
//! One difference: NuGet takes the identifier `-5` for a negative number; here it is a word, as Semantic Versioning says.

use crate::key::{KeyWriter, Why};
use crate::semver;

/// Layout: four numbers, then the pre-release as in `semver.rs`, in small letters.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let lower = raw.trim().to_ascii_lowercase();
    let (core, prerelease) = parts(&lower)?;
    let mut key = KeyWriter::default();
    let mut numbers = core.split('.');
    for _ in 0..NUMBERS_MAX {
        key.number(numbers.next().unwrap_or("0"));
    }
    semver::prerelease(&mut key, prerelease, is_number_label);
    Ok(key)
}

/// How many numbers a version has at most.
pub(crate) const NUMBERS_MAX: usize = 4;

/// The numbers and the pre-release ("" for a release), each checked.
pub(crate) fn parts(version: &str) -> Result<(&str, &str), Why> {
    let (version, build) = semver::cut(version, '+');
    let (core, prerelease) = semver::cut(version, '-');
    let numbers: Vec<&str> = core.split('.').collect();
    if numbers.len() > NUMBERS_MAX {
        return Err("it has more than four numbers");
    }
    if !numbers.iter().all(|number| semver::is_digits(number) && fits(number)) {
        return Err("one of its numbers is not a number up to 2147483647");
    }
    semver::check_suffixes(prerelease, build)?;
    Ok((core, prerelease.unwrap_or("")))
}

/// Whether a pre-release's identifier is compared as a number.
pub(crate) fn is_number_label(identifier: &str) -> bool {
    semver::is_number(identifier) && fits(identifier)
}

/// Whether a number fits .NET's `int`.
fn fits(digits: &str) -> bool {
    digits.trim_start_matches('0').is_empty() || digits.parse::<i32>().is_ok()
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Nuget.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Nuget.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn missing_numbers_are_zero() {
        check("1", "1.0.0.0", Equal);
        check("1.0", "1.0.0", Equal);
        check("1.0.0.1", "1.0.0", Greater);
        check("01.002.0003", "1.2.3", Equal);
    }

    #[test]
    fn case_and_metadata_do_not_count() {
        check("1.0.0-Beta", "1.0.0-bETA", Equal);
        check("1.0.0+a", "1.0.0+b", Equal);
        check("1.0-rc", "1.0.0-RC+1", Equal);
    }

    #[test]
    fn prereleases_are_in_the_order_of_semantic_versioning() {
        check("6.0.0-preview.7.21377.19", "6.0.0-rc.1.21451.13", Less); // Microsoft's
        check("1.0.0-beta.2", "1.0.0-beta.11", Less);
        check("1.0.0-beta2", "1.0.0-beta11", Greater);
        check("1.0.0.1-a", "1.0.0.1", Less);
        check("1.0.0-2147483648", "1.0.0-2147483647", Greater);
        check("1.0.0-2147483648", "1.0.0-10000000000", Greater); // words for NuGet
    }

    #[test]
    fn what_nuget_refuses_is_refused() {
        for version in [
            "",
            "1.",
            ".1",
            "1.2.3.4.5",
            "a",
            "v1.0",
            "1.0-",
            "1.0+",
            "1.0-01",
            "1.0-a..b",
            "1.0-a_b",
            "2147483648",
            "-1",
            "1..2",
        ] {
            assert!(Scheme::Nuget.key(version).is_err(), "`{version}`");
        }
        check(" 1.0 ", "1.0", Equal);
    }
}
