//! Building: advisories in any order -> one file, the same bytes for the same advisories.
//!
//! Each advisory is reduced to what the file needs as it comes in (`held`), so that a build of all public feeds fits
//! into memory; `compile` joins them and `file` writes the result beside its place and renames it.

mod compile;
mod file;
mod held;

use super::pool::{Full, Pool};
use crate::feed::WORD_BYTES_MAX;
use held::Held;
use jiff::Timestamp;
use muster_domain::{Advisory, Digest, Epss, KnownExploited, Skipped};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most rejects that are told one by one; the rest is one count.
const REJECTS_MAX: usize = 1000;

/// Why a database could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The operating system would not let us.
    #[error("{doing} `{path}`")]
    Io {
        /// What was being tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// The format refers to texts and rows with 32 bits.
    #[error("feeds have more {0} than the format can hold")]
    TooLarge(&'static str),
    /// The compressor failed, which it does only without memory.
    #[error("compress the facts")]
    Compress(#[source] std::io::Error),
}

impl From<Full> for BuildError {
    fn from(_: Full) -> Self {
        Self::TooLarge("texts")
    }
}

/// What was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildReport {
    /// Records in the file: those that name a package of an ecosystem that we know, and those that tell more of the
    /// same vulnerabilities.
    pub advisories: u64,
    /// Affected ranges and listed versions in the file.
    pub ranges: u64,
    /// Packages in the file.
    pub packages: u64,
    /// What could not be used, or was kept only as "undetermined". At most 1,001.
    pub rejects: Vec<Skipped>,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// SHA-256 of what the file says, epoch and time of the build left out: equal for equal feeds.
    pub contents: Digest,
    /// Length of the file.
    pub bytes: u64,
}

/// Collects advisories and writes the database.
pub struct Builder {
    epoch: u64,
    built_at: Timestamp,
    records: BTreeMap<String, Held>,
    texts: Pool,
    keys: Pool,
    known_exploited: BTreeMap<String, KnownExploited>,
    epss: BTreeMap<String, Epss>,
    rejects: Vec<Skipped>,
    rejects_untold: u64,
    failure: Option<BuildError>,
}

impl Builder {
    /// Of the build with this number at this time. A record that is withdrawn later than that still stands.
    pub fn new(epoch: u64, built_at: Timestamp) -> Self {
        Self {
            epoch,
            built_at,
            records: BTreeMap::new(),
            texts: Pool::default(),
            keys: Pool::default(),
            known_exploited: BTreeMap::new(),
            epss: BTreeMap::new(),
            rejects: Vec::new(),
            rejects_untold: 0,
            failure: None,
        }
    }

    /// Adds one record of `source` (`osv::source_name`). Of two records with one id the later modified stays: feeds
    /// overlap, and exports are mirrored.
    pub fn add(&mut self, advisory: Advisory, source: &str) {
        let id = advisory.id.0.clone();
        if id.is_empty() || id.len() > WORD_BYTES_MAX || source.len() > WORD_BYTES_MAX {
            let place = crate::feed::cut(&id, 40).to_owned();
            self.reject(place, "advisory id or source has no or too many bytes".to_owned());
            return;
        }
        if self.records.get(&id).is_some_and(|known| known.modified >= advisory.modified) {
            return;
        }
        match self.hold(advisory, source) {
            Ok(held) => {
                self.records.insert(id, held);
            }
            Err(error) => {
                self.failure.get_or_insert(error);
            }
        }
    }

    /// Adds CISA's catalogue, by CVE.
    pub fn known_exploited(&mut self, known: BTreeMap<String, KnownExploited>) {
        self.known_exploited.extend(known);
    }

    /// Adds predictions, by CVE.
    pub fn epss(&mut self, predictions: BTreeMap<String, Epss>) {
        self.epss.extend(predictions);
    }

    /// How many records came in so far.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// Writes the database beside `path` and renames it into place.
    ///
    /// # Errors
    /// When it can't be written or outgrows the format.
    pub fn write(mut self, path: impl AsRef<Path>) -> Result<BuildReport, BuildError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.rejects_untold > 0 {
            let reason = format!("{} more could not be used", self.rejects_untold);
            self.rejects.push(Skipped { place: "advisories".to_owned(), reason });
        }
        let rejects = std::mem::take(&mut self.rejects);
        let (epoch, built_at) = (self.epoch, self.built_at);
        let compiled = compile::compile(self)?;
        let (digest, contents, bytes) = file::write(path.as_ref(), epoch, built_at, &compiled)?;
        Ok(BuildReport {
            advisories: compiled.records.len() as u64,
            ranges: compiled.ranges.len() as u64,
            packages: compiled.packages.len() as u64,
            rejects,
            digest,
            contents,
            bytes,
        })
    }

    fn reject(&mut self, place: String, reason: String) {
        if self.rejects.len() < REJECTS_MAX {
            self.rejects.push(Skipped { place, reason });
        } else {
            self.rejects_untold += 1;
        }
    }
}
