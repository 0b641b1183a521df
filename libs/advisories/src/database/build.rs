//! Building: advisories in any order -> one file, the same bytes for the same advisories.
//!
//! Each advisory is reduced to what the file needs as it comes in (`held`), and what tells of it lies on disk (`spool`), so
//! that a build of all public feeds fits into memory; `compile` joins them and `file` writes the result beside its place
//! and renames it.

mod compile;
mod file;
mod held;
mod spool;

use super::layout::{NONE, RangeRow};
use super::pool::{Full, Pool};
use crate::feed::{WORD_BYTES_MAX, cut};
use crate::feeds::Item;
use held::Held;
use jiff::Timestamp;
use muster_domain::{Advisory, Digest, Epss, Exploit, KnownExploited, LifeCycle, Skipped, VexStatement};
use spool::Spool;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// VEX statements about vulnerabilities in the file.
    pub statements: u64,
    /// How many VEX statements are about nothing in the file; `Database::idle_statements` names them.
    pub idle_statements: u64,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// SHA-256 of what the file says, epoch and time of the build left out: equal for equal feeds.
    pub contents: Digest,
    /// Length of the file.
    pub bytes: u64,
}

/// Under what a record is held: its id, source and scope. There are few sources and scopes, so records share them.
type RecordKey = (Box<str>, Arc<str>, Arc<str>);

/// Most exploits that are kept per vulnerability; real ones have up to 30.
const EXPLOITS_MAX: usize = 100;
/// Most VEX statements that are kept: somebody writes each by hand or by a tool for a product of theirs.
const STATEMENTS_MAX: usize = 1_000_000;
/// Bytes of the parts of one statement; what names more becomes several statements.
const STATEMENT_PARTS_BYTES: usize = 16 << 10;
/// Most life cycles that are kept: endoflife.date has below 10,000.
const LIFE_CYCLES_MAX: usize = 1_000_000;

/// Collects advisories and writes the database.
pub struct Builder {
    epoch: u64,
    built_at: Timestamp,
    records: BTreeMap<RecordKey, Held>,
    /// The sources and scopes of records.
    origins: HashSet<Arc<str>>,
    /// Of all packages of all records, also of those that were replaced since.
    ranges: Vec<RangeRow>,
    /// Likewise.
    facts: Spool,
    /// Made with the first record; making one takes longer than compressing a record.
    packer: Option<zstd::bulk::Compressor<'static>>,
    texts: Pool,
    keys: Pool,
    known_exploited: BTreeMap<String, KnownExploited>,
    epss: BTreeMap<String, Epss>,
    exploits: BTreeMap<String, BTreeSet<Exploit>>,
    /// By product and release.
    life_cycles: BTreeMap<(String, String), LifeCycle>,
    statements: Vec<VexStatement>,
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
            origins: HashSet::new(),
            ranges: Vec::new(),
            facts: Spool::default(),
            packer: None,
            texts: Pool::default(),
            keys: Pool::default(),
            known_exploited: BTreeMap::new(),
            epss: BTreeMap::new(),
            exploits: BTreeMap::new(),
            life_cycles: BTreeMap::new(),
            statements: Vec::new(),
            rejects: Vec::new(),
            rejects_untold: 0,
            failure: None,
        }
    }

    /// Keeps what does not fit into memory in a temporary file in the folder of `output` instead of the system's folder for
    /// such files, which may lie in memory or be small. To be said before the first record.
    #[must_use]
    pub fn beside(mut self, output: &Path) -> Self {
        self.facts = Spool::within(file::folder_of(output));
        self
    }

    /// Takes what a source yields, and gives back what it set aside.
    pub fn take(&mut self, item: Item) -> Option<Skipped> {
        match item {
            Item::Advisory(advisory) => self.add(advisory),
            Item::KnownExploited(cve, known) => {
                let known = match self.known_exploited.remove(&cve) {
                    Some(other) => other.joined(known),
                    None => known,
                };
                self.known_exploited.insert(cve, known);
            }
            Item::Epss(cve, prediction) => {
                self.epss.insert(cve, prediction);
            }
            Item::Exploit(cve, exploit) => self.exploit(cve, exploit),
            Item::LifeCycle(life_cycle) => self.life_cycle(life_cycle),
            Item::Vex(statement) => self.statement(statement),
            Item::Skipped(skipped) | Item::Partial(skipped) => return Some(skipped),
            Item::UnknownEcosystem(ecosystem) => {
                return Some(Skipped { place: ecosystem, reason: "is no ecosystem that we know".to_owned() });
            }
        }
        None
    }

    /// Adds one record. Of two records with one id, source and scope the later modified stays: feeds overlap, and exports
    /// are mirrored. Where neither says that it is later (Debian's `CVE/list` and its tracker's JSON, which join its notices or
    /// not), the one stays that says more, whichever came first.
    pub fn add(&mut self, advisory: Advisory) {
        let (source, scope) = (self.origin(&advisory.source), self.origin(&advisory.scope));
        let key: RecordKey = (advisory.id.0.as_str().into(), source, scope);
        if key.0.is_empty() || [&*key.0, &*key.1, &*key.2].iter().any(|word| word.len() > WORD_BYTES_MAX) {
            let reason = "advisory id, source or scope has no or too many bytes".to_owned();
            self.reject(cut(&key.0, 40).to_owned(), reason);
            return;
        }
        if self.records.get(&key).is_some_and(|known| known.modified > advisory.modified) {
            return;
        }
        if let Err(error) = self.replace(key, advisory) {
            self.failure.get_or_insert(error);
        }
    }

    /// Puts the record in the place of a known one, unless that says as much.
    fn replace(&mut self, key: RecordKey, advisory: Advisory) -> Result<(), BuildError> {
        let held = self.hold(advisory)?;
        if let Some(known) = self.records.get(&key).filter(|known| known.modified == held.modified) {
            let more = held.amount().cmp(&known.amount());
            // Equal amounts are most often equal records; where not, any order will do that does not hang on who came first.
            if more.is_lt()
                || more.is_eq() && self.facts.read(held.facts.packed)? <= self.facts.read(known.facts.packed)?
            {
                return Ok(());
            }
        }
        self.records.insert(key, held);
        Ok(())
    }

    fn origin(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.origins.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.origins.insert(Arc::clone(&text));
        text
    }

    /// A text that is held; `None` for `NONE`.
    fn text(&self, at: u32) -> Option<&str> {
        let text = self.texts.get(at).filter(|_| at != NONE)?;
        Some(std::str::from_utf8(text).expect("only whole texts are put there"))
    }

    fn exploit(&mut self, cve: String, exploit: Exploit) {
        let exploits = self.exploits.entry(cve).or_default();
        if exploits.len() < EXPLOITS_MAX && exploit.id.len().max(exploit.source.len()) <= WORD_BYTES_MAX {
            exploits.insert(exploit);
        }
    }

    /// Of two sources about one release the one that names a day counts.
    fn life_cycle(&mut self, life_cycle: LifeCycle) {
        let LifeCycle { product, release, codename, end_of_life, extended_support, .. } = &life_cycle;
        let words = [Some(product), Some(release), codename.as_ref(), end_of_life.as_ref(), extended_support.as_ref()];
        let key = (product.clone(), release.clone());
        let known = self.life_cycles.get(&key).is_some_and(|known| known.end_of_life.is_some());
        let fits = words.into_iter().flatten().all(|word| word.len() <= WORD_BYTES_MAX);
        if fits && !known && self.life_cycles.len() < LIFE_CYCLES_MAX {
            self.life_cycles.insert(key, life_cycle);
        }
    }

    fn statement(&mut self, mut statement: VexStatement) {
        if self.statements.len() >= STATEMENTS_MAX {
            let reason = format!("there are more than {STATEMENTS_MAX} VEX statements");
            return self.reject(cut(&statement.document, 200).to_owned(), reason);
        }
        // The file has no room for longer ones, and an image may have as many parts as it has packages.
        let parts = std::mem::take(&mut statement.subcomponents);
        let mut parts = parts.into_iter().peekable();
        loop {
            let mut bytes = 0;
            let mut some = Vec::new();
            while let Some(part) = parts.next_if(|part| bytes + part.len() <= STATEMENT_PARTS_BYTES || bytes == 0) {
                bytes += part.len();
                some.push(part);
            }
            self.statements.push(VexStatement { subcomponents: some, ..statement.clone() });
            if parts.peek().is_none() {
                return;
            }
        }
    }

    /// Whether any record so far names a package; without one the file would know of nothing.
    pub fn names_packages(&self) -> bool {
        self.records.values().any(|held| !held.affected.is_empty())
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
        let mut compiled = compile::compile(self)?;
        let (digest, contents, bytes) = file::write(path.as_ref(), epoch, built_at, &mut compiled)?;
        Ok(BuildReport {
            advisories: compiled.records.len() as u64,
            ranges: compiled.ranges.len() as u64,
            packages: compiled.packages.len() as u64,
            statements: compiled.idle_from as u64,
            idle_statements: (compiled.statements.len() - compiled.idle_from) as u64,
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

fn count(number: usize, of: &'static str) -> Result<u32, BuildError> {
    u32::try_from(number).map_err(|_| BuildError::TooLarge(of))
}
