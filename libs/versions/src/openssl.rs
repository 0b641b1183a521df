//! OpenSSL's versions, as OpenSSL's versioning policy and, before version 3, its release strategy describe them
//! (openssl-library.org/policies; read 2026-11-24). Their words on pre-releases are few; the order is that of the releases.
//!
//! - `1.0.2`, `1.0.2a` … `1.0.2z`, `1.0.2za` …: before version 3 a letter counts the fixes, and behind `z` a second one.
//! - `-alpha1`, `-beta2` and, in series 1.1, `-pre3` come before the release, in this order; `-dev` before all of them, or
//!   before what it stands behind (`1.1.1w-dev` between `1.1.1v` and `1.1.1w`).
//! - `-fips` tells how it was built, and so does what follows a `+`: not compared.
//!
//! A distributor's `1.1.1k-7.el8` is not OpenSSL's: refused.

use crate::key::{KeyWriter, Why};
use crate::semver::is_number;

/// What may follow numbers and letter, and `-dev` or its absence behind a pre-release, in order.
const DEVELOPMENT: u8 = 0;
const PRERELEASE: u8 = 1;
const RELEASE: u8 = 2;

/// First major version that has no letters.
const MAJOR_WITHOUT_LETTERS: u32 = 3;

/// Layout: the three numbers, the letters, the mark of what follows; behind a pre-release its word, its number and
/// the mark of what follows.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let lower = raw.to_ascii_lowercase();
    let (version, build) = match lower.split_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (&lower[..], None),
    };
    let is_foreign = |byte: u8| !(byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if build.is_some_and(|build| build.is_empty() || build.bytes().any(is_foreign)) {
        return Err("its build metadata is empty or has a foreign character");
    }
    let (release, rest) = version.split_once('-').map_or((version, None), |(release, rest)| (release, Some(rest)));
    let mut parts = rest.into_iter().flat_map(|rest| rest.split('-')).filter(|part| *part != "fips");
    let mut key = KeyWriter::default();
    self::release(&mut key, release)?;
    let mut next = parts.next();
    if let Some(prerelease) = next.filter(|part| *part != "dev") {
        let (word, number) = prerelease.split_at(prerelease.bytes().take_while(u8::is_ascii_lowercase).count());
        if !["alpha", "beta", "pre"].contains(&word) || !is_number(number) {
            return Err("what follows its numbers is none of -alphaN, -betaN, -preN, -dev and -fips");
        }
        key.mark(PRERELEASE);
        key.text(word);
        key.number(number);
        next = parts.next();
    }
    match (next, parts.next()) {
        (None, _) => key.mark(RELEASE),
        (Some("dev"), None) => key.mark(DEVELOPMENT),
        _ => return Err("it has more than a pre-release, -dev and -fips behind its numbers"),
    }
    Ok(key)
}

/// `1.0.2zh`: three numbers and perhaps letters.
fn release(key: &mut KeyWriter, release: &str) -> Result<(), Why> {
    let (numbers, letters) =
        release.split_at(release.trim_end_matches(|letter: char| letter.is_ascii_lowercase()).len());
    let numbers: Vec<&str> = numbers.split('.').collect();
    if numbers.len() != 3 || !numbers.iter().all(|number| is_number(number)) {
        return Err("it does not start with three numbers without leading zeros");
    }
    if letters.len() > 2 || (letters.len() == 2 && !letters.starts_with('z')) {
        return Err("its letters are not one, or z and another");
    }
    let has_letters = numbers[0].parse::<u32>().is_ok_and(|major| major < MAJOR_WITHOUT_LETTERS);
    if !letters.is_empty() && !has_letters {
        return Err("it has a letter, but from version 3 on there are none");
    }
    for number in numbers {
        key.number(number);
    }
    key.text(letters);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Openssl.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Openssl.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn letters_count_the_fixes() {
        let ascending = [
            "0.9.8", "0.9.8a", "0.9.8y", "0.9.8z", "0.9.8za", "0.9.8zh", "1.0.0", "1.0.2k", "1.0.2u", "1.0.2zg",
            "1.1.0", "1.1.1w", "3.0.0", "3.0.9", "3.0.11", "3.1.0",
        ];
        for pair in ascending.windows(2) {
            check(pair[0], pair[1], Less);
        }
    }

    #[test]
    fn prereleases_and_development_come_before_the_release() {
        let ascending = [
            "3.0.0-dev",
            "3.0.0-alpha1-dev",
            "3.0.0-alpha1",
            "3.0.0-alpha9",
            "3.0.0-alpha17",
            "3.0.0-beta1",
            "3.0.0-beta2",
            "3.0.0",
        ];
        for pair in ascending.windows(2) {
            check(pair[0], pair[1], Less);
        }
        check("1.1.1-pre9", "1.1.1", Less);
        check("1.1.1v", "1.1.1w-dev", Less);
        check("1.1.1w-dev", "1.1.1w", Less);
    }

    #[test]
    fn how_it_was_built_does_not_count() {
        check("1.0.2k-fips", "1.0.2k", Equal); // Red Hat Enterprise Linux 7
        check("1.1.1k-FIPS", "1.1.1k", Equal);
        check("1.0.2v-fips-dev", "1.0.2v-dev", Equal);
        check("3.0.8+quic", "3.0.8", Equal);
    }

    #[test]
    fn what_openssl_never_released_is_refused() {
        for version in [
            "",
            "3",
            "3.0",
            "1.0.2.1",
            "1.0.2kk",
            "1.0.2zzz",
            "3.0.1a",
            "1.00.2",
            "1.1.1k-7.el8",
            "1.1.1k-7",
            "1.0.2-",
            "1.0.2-beta",
            "1.0.2-beta01",
            "1.0.2-gamma1",
            "1.0.2-dev-beta1",
            "1.0.2-beta1-beta2",
            "1.0.2-dev-dev",
            "3.0.8+",
            "fips",
            "fips-2.0.16", // the FIPS module, which has versions of its own
            "v3.0.0",
            "3.0.0 ",
            "3.0.é",
            "OpenSSL 3.0.0",
            "unknown",
        ] {
            assert!(Scheme::Openssl.key(version).is_err(), "`{version}`");
        }
    }
}
