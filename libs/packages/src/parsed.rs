//! What one file says.

use muster_domain::{Package, Skipped};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Packages taken from one file. The largest real ones (a distribution with everything installed, a monorepo's lock
/// file) name some ten thousand; a file of nothing but tiny records would otherwise grow tenfold in memory.
pub const PACKAGES_PER_FILE_MAX: usize = 100_000;

/// Bad records told of one file; the rest is counted. A file of garbage has as many bad records as lines.
pub const SKIPPED_PER_FILE_MAX: usize = 100;

/// What one file says: its packages, and the records that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// In the file's order. What only the whole root can tell (ecosystem, layer, owner) is not filled yet.
    pub packages: Vec<Package>,
    /// In the file's order.
    pub skipped: Vec<Skipped>,
    /// Bad records beyond [`SKIPPED_PER_FILE_MAX`], and packages and owned files beyond [`PACKAGES_PER_FILE_MAX`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub untold: u64,
    /// Files that prove a language's package, relative to the root, each with the OS package that owns it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub owned: BTreeMap<String, String>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Parsed {
    /// A file of which nothing could be read.
    pub fn unreadable(place: &str, reason: impl Into<String>) -> Self {
        let mut parsed = Self::default();
        parsed.skip(place, reason);
        parsed
    }

    /// Takes a package, unless the file has named too many.
    pub fn add(&mut self, package: Package) {
        if self.packages.len() < PACKAGES_PER_FILE_MAX {
            self.packages.push(package);
        } else {
            self.untold += 1;
        }
    }

    /// An OS package owns a file, unless the file has told of too many.
    pub fn own(&mut self, path: String, package: &str) {
        if self.owned.len() < PACKAGES_PER_FILE_MAX {
            self.owned.insert(path, package.to_owned());
        } else {
            self.untold += 1;
        }
    }

    /// Sets a record aside.
    pub fn skip(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        if self.skipped.len() < SKIPPED_PER_FILE_MAX {
            self.skipped.push(Skipped { place: place.into(), reason: reason.into() });
        } else {
            self.untold += 1;
        }
    }
}
