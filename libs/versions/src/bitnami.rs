//! Bitnami's versions: those of the application, `1.2.3`, and behind a `-` the number of Bitnami's own revision, which is
//! LATER than what it revises: `1.2.3` before `1.2.3-1`, as Bitnami explained when a scanner took revisions for pre-releases
//! (aquasecurity/trivy, discussion 5622; read 2026-11-24). Otherwise Semantic Versioning 2.0 holds. There is no
//! specification of the rest, so that this is a reading of what their database has:
//!
//! - Any number of numbers, a missing one being 0: `5.7` is `5.7.0`, and `6.0.0.1` comes behind it.
//! - What starts with a number behind the `-` is a revision, also when more follows (`1.2.3-4-gabcdef0`, a commit after the
//!   release; `1.2.3-4.el9`); anything else is a pre-release (`2.6.0-rc1`), perhaps with a revision of its own.
//! - Identifiers are divided by `.` and `-` and compared as in Semantic Versioning §11. What follows a `+` is not compared.

use crate::key::{KeyWriter, Why};
use crate::numbers::{self, is_digits, without_zeros_at_the_end};

/// What may follow the numbers, in order.
const PRERELEASE: u8 = 0;
const RELEASE: u8 = 1;
const REVISION: u8 = 2;

/// What may stand in the place of an identifier, in order.
const END: u8 = 0;
const NUMBER: u8 = 1;
const TEXT: u8 = 2;

/// Layout: the numbers, then the mark of the release, or that of a pre-release or revision and its identifiers.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let (version, build) = match raw.split_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (raw, None),
    };
    if build.is_some_and(|build| !identifiers(build).all(is_identifier)) {
        return Err("its build metadata has an identifier that is empty or foreign");
    }
    let (release, rest) = match version.split_once('-') {
        Some((release, rest)) => (release, Some(rest)),
        None => (version, None),
    };
    let release: Vec<&str> = release.split('.').collect();
    if !release.iter().all(|number| is_digits(number)) {
        return Err("it does not start with dotted numbers");
    }
    let mut key = KeyWriter::default();
    numbers::write(&mut key, without_zeros_at_the_end(&release));
    let Some(rest) = rest else {
        key.mark(RELEASE);
        return Ok(key);
    };
    if !identifiers(rest).all(is_identifier) {
        return Err("what follows the numbers has an identifier that is empty or foreign");
    }
    let is_revision = identifiers(rest).next().is_some_and(is_digits);
    key.mark(if is_revision { REVISION } else { PRERELEASE });
    for identifier in identifiers(rest) {
        if is_digits(identifier) {
            key.mark(NUMBER);
            key.number(identifier);
        } else {
            key.mark(TEXT);
            key.text(identifier);
        }
    }
    key.mark(END);
    Ok(key)
}

fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '-'])
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Bitnami.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Bitnami.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn a_revision_is_later_than_what_it_revises() {
        check("1.81.0", "1.81.0-1", Less);
        check("1.81.0-9", "1.81.0-10", Less);
        check("1.81.0-10", "1.81.1", Less);
        check("1.81.0", "1.81.0-0", Less);
        check("14.2.0-1-gabcdef0", "14.2.0", Greater); // a commit after the release
        check("14.2.0-1-gabcdef0", "14.2.0-2", Less);
    }

    #[test]
    fn a_prerelease_is_earlier() {
        check("2.6.0-rc1", "2.6.0", Less);
        check("2.6.0-rc1", "2.6.0-rc2", Less);
        check("2.6.0-rc1-1", "2.6.0-rc1", Greater);
        check("2.6.0-rc1-9", "2.6.0-rc1-10", Less);
        check("2.6.0-alpha.9", "2.6.0-alpha.10", Less);
        check("2.6.0-alpha.9", "2.6.0-alpha.beta", Less);
        check("2.6.0-rc1", "2.5.9-1", Greater);
    }

    #[test]
    fn a_missing_number_is_zero() {
        check("0", "0.0.0", Equal);
        check("5.7", "5.7.0", Equal);
        check("6.0.0", "6.0.0.1", Less);
        check("6.0.10", "6.0.9", Greater);
        check("1.2.3+ee", "1.2.3", Equal); // build metadata
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for version in [
            "",
            "v1.2.3",
            "nightly.2023-01-01.1",
            "latest",
            "1.2.3-",
            "1.2.3--1",
            "1..2",
            "1.2.x",
            "1.2.3-a_b",
            "1.2.3+",
            "1.2.3 ",
            "1.é",
        ] {
            assert!(Scheme::Bitnami.key(version).is_err(), "`{version}`");
        }
    }
}
