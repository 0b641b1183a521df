//! Version ranges: one file per grammar, each as the scheme's own tool reads it, plus `vers:` (see [`vers`]).
//!
//! A range becomes sorted, disjoint intervals of keys, and beside them what a grammar needs. A range that is not read
//! is [`MalformedRange`], never a range by guess.

mod cargo;
mod comparators;
mod composer;
mod dart;
mod deb;
mod gem;
mod hex;
mod intervals;
mod maven;
mod npm;
mod nuget;
mod pep440;
mod rpm;
mod swift;
mod triples;
pub mod vers;

use crate::key::{Malformed, Why};
use crate::{Scheme, semver};
use intervals::Intervals;

/// Longest range read, in bytes. Real ranges have below 1,000; the limit bounds what hostile input costs.
pub const RANGE_LENGTH_MAX: usize = 4096;

/// Most alternatives (`||`, several brackets) of a range; real ones have below 100.
pub const ALTERNATIVES_MAX: usize = 1000;

/// A set of versions of one scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange {
    scheme: Scheme,
    /// Each must hold.
    conditions: Vec<Condition>,
}

/// What a version must meet to be in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// Its key lies in one of the intervals.
    Within(Intervals),
    /// As [`Within`](Self::Within), with intervals of their own for pre-releases: npm, Cargo, Swift and NuGet take a
    /// pre-release only where the range speaks of one.
    ByKind { releases: Intervals, prereleases: Intervals },
    /// RPM compares with a version that has no release only what stands before the release.
    WithoutRelease(Intervals),
    /// It is this text, in any case (`===` of PEP 440), whether it is a version or not.
    Text(String),
    /// Whether it is in the range no matter what it is (`vers:all`, `vers:none`).
    Always(bool),
}

impl VersionRange {
    fn new(scheme: Scheme, intervals: Intervals) -> Self {
        Self { scheme, conditions: vec![Condition::Within(intervals)] }
    }

    /// The scheme that orders its versions. [`Scheme::Generic`] for `vers:all` and `vers:none`, which no scheme orders.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether the version is in the range. Fails when it must be compared and the scheme does not read it.
    pub fn contains(&self, version: &str) -> Result<bool, Malformed> {
        for condition in &self.conditions {
            if !self.meets(version, condition)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn meets(&self, version: &str, condition: &Condition) -> Result<bool, Malformed> {
        let key = |version: &str| self.scheme.key(version);
        Ok(match condition {
            Condition::Within(intervals) => intervals.contain(key(version)?.as_bytes()),
            Condition::ByKind { releases, prereleases } => {
                let key = key(version)?;
                if semver::is_release_key(key.as_bytes()) { releases } else { prereleases }.contain(key.as_bytes())
            }
            Condition::WithoutRelease(intervals) => {
                key(version)?;
                intervals.contain(key(rpm::without_release(version))?.as_bytes())
            }
            Condition::Text(text) => version.trim().eq_ignore_ascii_case(text),
            Condition::Always(answer) => *answer,
        })
    }
}

/// A range that its grammar does not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{piece}` in the range `{raw}`: {why}")]
pub struct MalformedRange {
    /// The range as it came; its first [`RANGE_LENGTH_MAX`] bytes when it was longer.
    pub raw: String,
    /// The part at fault, in the range's own words.
    pub piece: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// What is wrong with which piece of a range.
#[derive(Debug)]
struct Fault {
    piece: String,
    why: Why,
}

impl Fault {
    fn new(piece: &str, why: Why) -> Self {
        Self { piece: piece.to_owned(), why }
    }

    fn of(self, raw: &str) -> MalformedRange {
        MalformedRange {
            raw: raw[..raw.floor_char_boundary(RANGE_LENGTH_MAX)].to_owned(),
            piece: self.piece,
            why: self.why,
        }
    }
}

impl Scheme {
    /// Reads a range as the scheme's own tool writes it:
    ///
    /// | scheme | examples | |
    /// |---|---|---|
    /// | npm | `^1.2.3`, `~1.2 \|\| >=3 <4`, `1.2 - 2.3`, `1.x` | a pre-release only beside one of the same three numbers |
    /// | Cargo | `1.2`, `^0.3`, `>=1.0, <2.0`, `1.*` | as npm |
    /// | PEP 440 | `>=1.0,<2.0`, `~=1.4.2`, `==1.*`, `!=1.5` | pre-releases count: the question is what is installed |
    /// | RubyGems | `~> 1.2`, `>= 1.0, < 2.0` | |
    /// | Composer | `^1.2 \|\| ~2.3`, `1.0 - 2.0`, `>=1.0@beta` | branches (`dev-main`) are refused |
    /// | Maven | `[1.0,2.0),[3,)` | a bare version is a wish, not a range: refused |
    /// | NuGet | `[1.0,2.0)`, `1.0`, `1.*`, `1.0-beta.*` | a floating version is what it may become |
    /// | Hex | `~> 1.2 and != 1.2.5 or 2.0.0` | pre-releases count |
    /// | pub | `^1.2.3`, `>=1.0.0 <2.0.0`, `any` | |
    /// | Swift | `1.0.0..<2.0.0`, `1.0.0...1.5.0`, `from: "1.0.0"` | |
    /// | Debian | `>= 1.0, << 2.0` | |
    /// | RPM | `>= 1.0, < 2.0` | a release counts where the range has one |
    ///
    /// All others read comparators (`>=1.2 <2.0`, also with commas, alternatives behind `||`). Every scheme reads a
    /// `vers:` range of its own type.
    pub fn range(self, raw: &str) -> Result<VersionRange, MalformedRange> {
        let range = raw.trim();
        if range.starts_with("vers:") {
            let read = vers::parse(range)?;
            return match read.scheme == self {
                true => Ok(read),
                false => Err(Fault::new(range, "it is a range of another scheme").of(raw)),
            };
        }
        self.conditions(raw).map(|conditions| VersionRange { scheme: self, conditions }).map_err(|fault| fault.of(raw))
    }

    fn conditions(self, raw: &str) -> Result<Vec<Condition>, Fault> {
        check_length(raw)?;
        match self {
            Self::Npm => npm::read(raw).map(|condition| vec![condition]),
            Self::Cargo => cargo::read(raw).map(|condition| vec![condition]),
            Self::Nuget => nuget::read(raw).map(|condition| vec![condition]),
            Self::Swift => swift::read(raw).map(|condition| vec![condition]),
            Self::Pep440 => pep440::read(raw),
            Self::Rpm => rpm::read(raw),
            Self::Gem => gem::read(raw).map(within),
            Self::Composer => composer::read(raw).map(within),
            Self::Maven => maven::read(raw).map(within),
            Self::Hex => hex::read(raw).map(within),
            Self::Pub => dart::read(raw).map(within),
            Self::Deb => deb::read(raw).map(within),
            Self::Apk
            | Self::Alpm
            | Self::Go
            | Self::Conan
            | Self::Cran
            | Self::Hackage
            | Self::Bitnami
            | Self::Openssl
            | Self::Windows
            | Self::Generic => comparators::read(self, raw).map(within),
        }
    }

    /// The bytes of the key of a version that stands in a range.
    fn bytes(self, version: &str) -> Result<Vec<u8>, Fault> {
        let key = self.key(version).map_err(|malformed| Fault::new(version, malformed.why))?;
        Ok(key.as_bytes().to_vec())
    }
}

fn within(intervals: Intervals) -> Vec<Condition> {
    vec![Condition::Within(intervals)]
}

fn check_length(raw: &str) -> Result<(), Fault> {
    match raw.len() > RANGE_LENGTH_MAX {
        true => Err(Fault::new(&raw[..raw.floor_char_boundary(32)], "the range is longer than 4096 bytes")),
        false => Ok(()),
    }
}

/// The parts between `divider`, at most [`ALTERNATIVES_MAX`].
fn alternatives<'a>(text: &'a str, divider: &str) -> Result<Vec<&'a str>, Fault> {
    let parts: Vec<&str> = text.split(divider).collect();
    match parts.len() > ALTERNATIVES_MAX {
        true => Err(Fault::new(divider, "the range has more than 1000 alternatives")),
        false => Ok(parts),
    }
}

/// The number after this one, both in digits.
fn successor(digits: &str) -> String {
    let nines = digits.bytes().rev().take_while(|byte| *byte == b'9').count();
    let (front, _) = digits.split_at(digits.len() - nines);
    let raised = match front.as_bytes().split_last() {
        Some((last, front)) => format!("{}{}", String::from_utf8_lossy(front), char::from(last + 1)),
        None => "1".to_owned(),
    };
    raised + &"0".repeat(nines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_after_is_found_at_any_length() {
        for (number, next) in
            [("0", "1"), ("9", "10"), ("199", "200"), ("99999999999999999999", "100000000000000000000")]
        {
            assert_eq!(successor(number), next);
        }
    }

    #[test]
    fn a_range_is_bounded() {
        for scheme in Scheme::ALL {
            assert!(scheme.range(&format!(">={}", "1".repeat(RANGE_LENGTH_MAX))).is_err(), "{scheme:?}");
        }
        let many = vec!["1"; ALTERNATIVES_MAX + 1].join("||");
        assert_eq!(Scheme::Npm.range(&many).unwrap_err().why, "the range has more than 1000 alternatives");
        assert!(Scheme::Npm.range(&vec!["1"; ALTERNATIVES_MAX].join("||")).is_ok());
    }

    #[test]
    fn a_refusal_names_the_piece_at_fault() {
        for (scheme, range, piece) in [
            (Scheme::Npm, ">=1.0.0 <two", "<two"),
            (Scheme::Pep440, ">=1.0,<=2.x", "<=2.x"),
            (Scheme::Gem, "~> 1.2, ~> x", "~> x"),
            (Scheme::Composer, "^1.0 || ^a", "^a"),
            (Scheme::Cargo, ">=1.0, y", "y"),
            (Scheme::Maven, "[1.0,2.0),[3,1]", "[3,1]"),
            (Scheme::Deb, ">= 1.0, < 2.0", "<"),
            (Scheme::Go, ">=1.0.0 <", "<"),
        ] {
            let malformed = scheme.range(range).unwrap_err();
            assert_eq!((malformed.piece.as_str(), malformed.raw.as_str()), (piece, range), "{malformed}");
        }
    }

    #[test]
    fn a_range_that_holds_no_versions_is_read_and_an_unreadable_version_is_no_answer() {
        let empty = Scheme::Go.range(">2.0.0 <1.0.0").unwrap();
        assert_eq!(empty.contains("1.5.0"), Ok(false));
        assert!(empty.contains("(devel)").is_err());
    }
}
