//! Partial versions of Semantic Versioning, as ranges of npm and Cargo have them: one to three numbers, `x` for any,
//! perhaps a pre-release; and the cuts around them.

use super::intervals::{Cut, Intervals};
use super::successor;
use crate::key::KeyWriter;
use crate::semver;

/// `1`, `1.2`, `1.2.3-pre`, `1.x`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Partial<'a> {
    /// `None` for `x`, `X`, `*` or nothing; only behind all that are there.
    pub numbers: [Option<&'a str>; 3],
    pub prerelease: &'a str,
    /// Whether an `x` was written.
    pub has_wildcard: bool,
}

impl<'a> Partial<'a> {
    /// `None` when it is none; a number behind a wildcard makes it none.
    pub fn read(text: &'a str) -> Option<Self> {
        let (text, build) = semver::cut(text, '+');
        let (core, prerelease) = semver::cut(text, '-');
        semver::check_suffixes(prerelease, build).ok()?;
        let parts: Vec<&str> = core.split('.').collect();
        if parts.len() > 3 || (parts.len() < 3 && (prerelease.is_some() || build.is_some())) {
            return None;
        }
        let mut numbers = [None; 3];
        let mut has_wildcard = false;
        for (number, part) in numbers.iter_mut().zip(parts) {
            if ["x", "X", "*"].contains(&part) {
                has_wildcard = true;
            } else if semver::is_number(part) && !has_wildcard {
                *number = Some(part);
            } else {
                return None;
            }
        }
        Some(Self { numbers, prerelease: prerelease.unwrap_or(""), has_wildcard })
    }

    /// All numbers there are, then zeros.
    pub fn floor(&self) -> [String; 3] {
        self.numbers.map(|number| number.unwrap_or("0").to_owned())
    }

    /// The first three numbers above all that share the first `count` with it.
    pub fn ceiling(&self, count: usize) -> [String; 3] {
        let mut numbers = self.floor();
        numbers[count - 1] = successor(&numbers[count - 1]);
        numbers[count..].iter_mut().for_each(|number| *number = "0".to_owned());
        numbers
    }

    /// How many numbers it has.
    pub fn count(&self) -> usize {
        self.numbers.iter().flatten().count()
    }

    /// The bytes of the key of the version with zeros for what is missing.
    pub fn key(&self) -> Vec<u8> {
        let mut key = triple(&self.floor());
        semver::prerelease(&mut key, self.prerelease, semver::is_number);
        key.finish()
    }
}

fn triple(numbers: &[String; 3]) -> KeyWriter {
    let mut key = KeyWriter::default();
    numbers.iter().for_each(|number| key.number(number));
    key
}

/// Before the lowest pre-release of these three numbers.
pub(super) fn before_prereleases(numbers: &[String; 3]) -> Cut {
    Cut::before(triple(numbers).finish())
}

/// Before the release of these three numbers.
pub(super) fn before_release(numbers: &[String; 3]) -> Cut {
    let mut key = triple(numbers);
    semver::prerelease(&mut key, "", semver::is_number);
    Cut::before(key.finish())
}

/// The pre-releases of these three numbers.
pub(super) fn prereleases(numbers: &[String; 3]) -> Intervals {
    Intervals::between(before_prereleases(numbers), before_release(numbers))
}
