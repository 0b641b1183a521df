//! Facts of a layer: what its interesting files say, and which paths it takes from the layers below.

use crate::Parsed;
use muster_domain::{OperatingSystem, Skipped};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What one interesting file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFacts {
    /// Packages, files that they own, and records that could not be read.
    Packages(Parsed),
    /// The operating system.
    OperatingSystem(OperatingSystem),
    /// A package database of the operating system that nothing reads.
    Unread,
    /// A symbolic link stands where the file was looked for; its target as the link writes it.
    Link(String),
}

/// What one root or layer says. Its JSON is the same for the same content, so it can be cached by the layer's digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// By path, relative to the root.
    pub files: BTreeMap<String, FileFacts>,
    /// Whiteouts (OCI image-spec, layer.md): these paths and all below are gone from the layers below.
    pub removed: BTreeSet<String>,
    /// Opaque directories: all below them is gone from the layers below. Empty text: the root.
    pub emptied: BTreeSet<String>,
    /// Every path that this layer holds as something else than a directory: it replaces what stood there before,
    /// a whole directory included.
    pub present: PathHashes,
    /// What could not be read and belongs to no interesting file.
    pub skipped: BTreeSet<Skipped>,
    /// Limits that were reached, as sentences.
    pub limits_reached: BTreeSet<String>,
}

impl LayerFacts {
    /// Whether this layer takes `path` from the layers below it.
    pub(crate) fn hides(&self, path: &str) -> bool {
        let itself_or_above = crate::path::with_ancestors(path)
            .any(|path| self.removed.contains(path) || self.files.contains_key(path) || self.present.contains(path));
        let above = || crate::path::with_ancestors(path).skip(1).any(|folder| self.emptied.contains(folder));
        itself_or_above || self.emptied.contains("") || above()
    }
}

/// A set of paths, kept as 64-bit FNV-1a hashes: a layer has up to a million paths, of which only "is it there?" is
/// ever asked. With 100,000 paths in the set, one look-up in 10^14 is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathHashes(BTreeSet<u64>);

/// The text is not a list of 64-bit hashes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of 64-bit hashes in hexadecimal digits")]
pub struct MalformedHashes;

impl PathHashes {
    /// Adds a path.
    pub fn insert(&mut self, path: &str) {
        self.0.insert(hash(path));
    }

    /// Whether the path was added.
    pub fn contains(&self, path: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&hash(path))
    }
}

/// FNV-1a with 64 bits (draft-eastlake-fnv, "The core of the FNV hash"): the same in every build, unlike std's.
fn hash(path: &str) -> u64 {
    path.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

impl From<PathHashes> for String {
    fn from(hashes: PathHashes) -> Self {
        use std::fmt::Write;
        let mut text = String::with_capacity(hashes.0.len() * 16);
        for hash in hashes.0 {
            write!(text, "{hash:016x}").expect("writing to a String cannot fail");
        }
        text
    }
}

impl TryFrom<String> for PathHashes {
    type Error = MalformedHashes;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parse = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 16)?;
            u64::from_str_radix(digits, 16).ok()
        };
        text.as_bytes().chunks(16).map(parse).collect::<Option<_>>().map(Self).ok_or(MalformedHashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_survive_their_text() {
        let mut hashes = PathHashes::default();
        ["usr/bin/env", "etc/passwd", "ü"].iter().for_each(|path| hashes.insert(path));
        let text = String::from(hashes.clone());
        assert_eq!(text.len(), 3 * 16);
        assert_eq!(PathHashes::try_from(text).unwrap(), hashes);
        assert!(hashes.contains("ü") && !hashes.contains("u"));
        assert_eq!(PathHashes::try_from("12".to_owned()), Err(MalformedHashes));
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325); // test vectors of draft-eastlake-fnv
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
