//! An advisory reduced to what the file needs, with its versions turned into keys.

use super::super::facts::RecordFacts;
use super::super::layout::{NONE, RangeRow, kind};
use super::super::pool::ITEM_BYTES_MAX;
use super::{BuildError, Builder};
use crate::feed::{LINK_BYTES_MAX, WORD_BYTES_MAX, cut};
use crate::intervals::{Close, Edge, Interval, intervals};
use crate::rating;
use jiff::Timestamp;
use muster_domain::{Advisory, Affected, BaseScore, Names, VectorString, VendorState};
use std::collections::BTreeMap;

/// Most bytes of a description, links and vectors that are kept per record.
const DESCRIPTION_BYTES_MAX: usize = 6 << 10;
const REFERENCES_MAX: usize = 100;
const VECTORS_MAX: usize = 16;
const CWES_MAX: usize = 100;
/// Most CPE names that are kept per record.
const CPES_MAX: usize = 200;
/// Most bytes of a vendor's remark.
const REMARK_BYTES_MAX: usize = 300;
/// Most architectures of one package; there are about 20.
const ARCHITECTURES_MAX: usize = 32;
/// How hard facts are compressed while they are held: as fast as they come.
const HELD_LEVEL: i32 = 1;
/// Most bytes of the reason why a range can't be read.
const REASON_BYTES_MAX: usize = 300;

/// A record while building. Texts and keys are in the builder's pools.
pub(super) struct Held {
    pub aliases: Vec<String>,
    pub upstream: Vec<String>,
    pub related: Vec<String>,
    pub modified: Option<Timestamp>,
    /// When it was taken back, when that is before the build.
    pub withdrawn: Option<String>,
    pub vendor: Option<String>,
    pub scores: Vec<(u8, BaseScore)>,
    /// Sorted.
    pub affected: Box<[(AffectedKey, HeldAffected)]>,
    /// Place in `Builder::facts`.
    pub facts: usize,
    /// Digest of what in the facts rates the vulnerability.
    pub ratings: [u8; 32],
}

/// `RecordFacts` as JSON, compressed: most of what a build must hold.
#[derive(Default)]
pub(super) struct HeldFacts {
    pub packed: Box<[u8]>,
    pub unpacked_bytes: usize,
}

/// What of a package a record speaks of: each is a claim of its own. Numbers are texts in the builder's pool, or `NONE`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AffectedKey {
    pub ecosystem: u32,
    /// Normalised.
    pub name: u32,
    pub names: Names,
    pub state: Option<VendorState>,
    pub architectures: u32,
    pub module: u32,
    pub remark: u32,
}

/// One package of a record.
#[derive(Default)]
pub(super) struct HeldAffected {
    pub ranges: Vec<RangeRow>,
    pub vendor: Option<String>,
    pub scores: Vec<(u8, BaseScore)>,
}

impl Builder {
    pub(super) fn hold(&mut self, advisory: Advisory) -> Result<Held, BuildError> {
        let mut affected: BTreeMap<AffectedKey, HeldAffected> = BTreeMap::new();
        for one in &advisory.affected {
            let name = one.ecosystem.normalise(&one.name);
            let too_long = name.len() > WORD_BYTES_MAX || one.ecosystem.as_str().len() > WORD_BYTES_MAX;
            if name.is_empty() || too_long {
                let reason = "package name or ecosystem has no or too many bytes".to_owned();
                self.reject(advisory.id.0.clone(), reason);
                continue;
            }
            let key = self.affected_key(one, &name)?;
            let ranges = self.ranges(&advisory.id.0, one)?;
            let held = affected.entry(key).or_default();
            held.ranges.extend(ranges);
            held.scores.extend(one.severity.iter().filter_map(rating::base_score));
            held.vendor = held.vendor.take().or_else(|| one.vendor_severity.as_deref().map(word));
        }
        let is_withdrawn = advisory.withdrawn.is_some_and(|at| at <= self.built_at);
        let facts = facts(&advisory);
        let rated = (&facts.severity, &facts.vendor_severity, &facts.cwes, &facts.ssvc);
        let ratings = sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), json(&rated))).into();
        let json = json(&facts);
        let words = |list: Vec<String>| list.into_iter().filter(|word| word.len() <= WORD_BYTES_MAX).collect();
        Ok(Held {
            aliases: words(advisory.aliases),
            upstream: words(advisory.upstream),
            related: words(advisory.related),
            modified: advisory.modified,
            withdrawn: advisory.withdrawn.filter(|_| is_withdrawn).map(|at| at.to_string()),
            vendor: facts.vendor_severity.clone(),
            scores: advisory.severity.iter().filter_map(rating::base_score).collect(),
            affected: affected.into_iter().collect(),
            facts: self.hold_facts(&json)?,
            ratings,
        })
    }

    fn hold_facts(&mut self, json: &[u8]) -> Result<usize, BuildError> {
        let packer = match &mut self.packer {
            Some(packer) => packer,
            none => none.insert(zstd::bulk::Compressor::new(HELD_LEVEL).map_err(BuildError::Compress)?),
        };
        // Boxed, since the compressor leaves room for the worst case behind what it wrote.
        let packed = packer.compress(json).map_err(BuildError::Compress)?.into_boxed_slice();
        self.facts.push(HeldFacts { packed, unpacked_bytes: json.len() });
        Ok(self.facts.len() - 1)
    }

    fn affected_key(&mut self, affected: &Affected, name: &str) -> Result<AffectedKey, BuildError> {
        let mut architectures: Vec<&str> = affected.architectures.iter().map(String::as_str).collect();
        architectures.retain(|architecture| architecture.len() <= 32);
        architectures.sort_unstable();
        architectures.dedup();
        architectures.truncate(ARCHITECTURES_MAX);
        let architectures = architectures.join(" ");
        let mut optional = |text: &str| if text.is_empty() { Ok(NONE) } else { self.texts.put(text.as_bytes()) };
        Ok(AffectedKey {
            architectures: optional(&architectures)?,
            module: optional(cut(affected.module.as_deref().unwrap_or_default(), WORD_BYTES_MAX))?,
            remark: optional(cut(affected.remark.as_deref().unwrap_or_default(), REMARK_BYTES_MAX))?,
            ecosystem: optional(affected.ecosystem.as_str())?,
            name: optional(name)?,
            names: affected.names,
            state: affected.state,
        })
    }

    /// The rows of one package. A listed version that lies in an interval adds nothing and is left out: Debian lists
    /// every version that it ever had.
    fn ranges(&mut self, id: &str, affected: &Affected) -> Result<Vec<RangeRow>, BuildError> {
        let scheme = affected.ecosystem.scheme();
        let mut rows = Vec::new();
        let mut all = Vec::new();
        for range in &affected.ranges {
            match intervals(scheme, range) {
                Ok(intervals) => all.extend(intervals),
                Err(why) => {
                    let why = cut(&why, REASON_BYTES_MAX);
                    self.reject(format!("{id}: {} {}", affected.ecosystem, affected.name), why.to_owned());
                    let why = self.texts.put(why.as_bytes())?;
                    rows.push(row((NONE, NONE), (why, NONE), kind::UNREADABLE));
                }
            }
        }
        for version in &affected.versions {
            if version.len() > WORD_BYTES_MAX {
                self.reject(
                    format!("{id}: {} {}", affected.ecosystem, affected.name),
                    "version is too long".to_owned(),
                );
                continue;
            }
            let key = match scheme.key(version) {
                Ok(key) if all.iter().any(|interval| interval.contains(key.as_bytes())) => continue,
                Ok(key) => self.key(key.as_bytes())?,
                Err(_) => NONE,
            };
            rows.push(row((self.texts.put(version.as_bytes())?, key), (NONE, NONE), kind::LISTED));
        }
        for interval in &all {
            rows.push(self.interval(interval)?);
        }
        Ok(rows)
    }

    fn interval(&mut self, interval: &Interval<'_>) -> Result<RangeRow, BuildError> {
        let introduced = match &interval.introduced {
            Some(edge) => self.edge(edge)?,
            None => (NONE, NONE),
        };
        let (end, kind) = match &interval.close {
            Close::Never => ((NONE, NONE), kind::OPEN),
            Close::Fixed(edge) => (self.edge(edge)?, kind::FIXED),
            Close::LastAffected(edge) => (self.edge(edge)?, kind::LAST_AFFECTED),
            Close::Limit(edge) => (self.edge(edge)?, kind::LIMIT),
        };
        Ok(row(introduced, end, kind))
    }

    fn edge(&mut self, edge: &Edge<'_>) -> Result<(u32, u32), BuildError> {
        Ok((self.texts.put(edge.text.as_bytes())?, self.key(edge.key.as_bytes())?))
    }

    fn key(&mut self, key: &[u8]) -> Result<u32, BuildError> {
        assert!(key.len() <= ITEM_BYTES_MAX, "a version of at most 1,024 bytes has a key of at most 64 KiB");
        Ok(self.keys.put(key)?)
    }
}

fn row(introduced: (u32, u32), end: (u32, u32), kind: u32) -> RangeRow {
    RangeRow {
        introduced_text: introduced.0.into(),
        introduced_key: introduced.1.into(),
        end_text: end.0.into(),
        end_key: end.1.into(),
        kind: kind.into(),
    }
}

fn word(text: &str) -> String {
    cut(text, WORD_BYTES_MAX).to_owned()
}

fn facts(advisory: &Advisory) -> RecordFacts {
    let mut severity: Vec<VectorString> = Vec::new();
    for vector in advisory.severity.iter().chain(advisory.affected.iter().flat_map(|one| &one.severity)) {
        let fits = vector.vector.len() <= WORD_BYTES_MAX && vector.kind.len() + vector.source.len() <= WORD_BYTES_MAX;
        if fits && severity.len() < VECTORS_MAX && !severity.contains(vector) {
            severity.push(vector.clone());
        }
    }
    let references = advisory.references.iter().filter(|reference| reference.url.len() <= LINK_BYTES_MAX);
    RecordFacts {
        description: description(&advisory.summary, &advisory.details),
        severity,
        vendor_severity: advisory.vendor_severity.as_deref().map(word),
        cwes: advisory.cwes.iter().take(CWES_MAX).map(|cwe| word(cwe)).collect(),
        cpes: advisory.cpes.iter().take(CPES_MAX).map(|cpe| word(cpe)).collect(),
        ssvc: advisory.ssvc.clone(),
        references: references.take(REFERENCES_MAX).map(|reference| reference.url.clone()).collect(),
        published: advisory.published,
        modified: advisory.modified,
    }
}

/// The summary, and the details where they say more.
fn description(summary: &str, details: &str) -> String {
    let (summary, details) = (summary.trim(), details.trim());
    let whole = match (summary.is_empty(), details.is_empty()) {
        (_, true) => summary.to_owned(),
        (true, false) => details.to_owned(),
        (false, false) if details.starts_with(summary) => details.to_owned(),
        (false, false) => format!("{summary}\n\n{details}"),
    };
    cut(&whole, DESCRIPTION_BYTES_MAX).to_owned()
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("our own types have text keys, so JSON cannot fail")
}
