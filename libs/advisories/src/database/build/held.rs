//! An advisory reduced to what the file needs, with its versions turned into keys.

use super::super::facts::RecordFacts;
use super::super::layout::{NONE, RangeRow, kind};
use super::super::pool::ITEM_BYTES_MAX;
use super::spool::Place;
use super::{BuildError, Builder, count};
use crate::feed::{LINK_BYTES_MAX, REMARK_BYTES_MAX, WORD_BYTES_MAX, cut};
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
/// Most architectures of one package; there are about 20, and 50 of Go's platforms. What has more is taken as about all.
const ARCHITECTURES_MAX: usize = 64;
/// How hard facts are compressed while they are held: as fast as they come.
const HELD_LEVEL: i32 = 1;
/// Most bytes of the reason why a range can't be read.
const REASON_BYTES_MAX: usize = 300;

/// A record while building. Numbers are texts in the builder's pool, or `NONE`.
pub(super) struct Held {
    pub names: HeldNames,
    pub modified: Option<Timestamp>,
    /// When it was taken back, when that is before the build.
    pub withdrawn: u32,
    /// Whether it was taken back because the CVE program rejected the CVE that it is called by.
    pub is_rejection: bool,
    pub vendor: u32,
    pub scores: Box<[(u8, BaseScore)]>,
    /// Sorted.
    pub affected: Box<[(AffectedKey, HeldAffected)]>,
    pub facts: HeldFacts,
    /// Digest of what in the facts rates the vulnerability.
    pub ratings: [u8; 32],
}

impl Held {
    /// How much it says: of how many packages, releases and states, in how many ranges, and with what rating.
    pub(super) fn amount(&self) -> (usize, u64, [u8; 32]) {
        let ranges = self.affected.iter().map(|(_, affected)| u64::from(affected.ranges)).sum();
        (self.affected.len(), ranges, self.ratings)
    }
}

/// Other names of a record, one behind the other: its aliases, those of its upstream, and related ones.
pub(super) struct HeldNames {
    all: Box<[u32]>,
    aliases: usize,
    upstream: usize,
}

impl HeldNames {
    pub(super) fn aliases(&self) -> &[u32] {
        &self.all[..self.aliases]
    }

    pub(super) fn upstream(&self) -> &[u32] {
        &self.all[self.aliases..][..self.upstream]
    }

    pub(super) fn related(&self) -> &[u32] {
        &self.all[self.aliases + self.upstream..]
    }
}

/// `RecordFacts` as JSON, compressed, in the builder's spool: most of what a build must hold.
pub(super) struct HeldFacts {
    pub packed: Place,
    pub unpacked_bytes: u32,
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
pub(super) struct HeldAffected {
    /// Place of the first of its rows in `Builder::ranges`, and how many there are.
    pub ranges_from: u32,
    pub ranges: u32,
    /// A text in the builder's pool, or `NONE`.
    pub vendor: u32,
    pub scores: Box<[(u8, BaseScore)]>,
}

/// A package of a record whose entries still come in: feeds name one more than once.
#[derive(Default)]
struct Gathered {
    ranges: Vec<RangeRow>,
    vendor: Option<String>,
    scores: Vec<(u8, BaseScore)>,
}

impl Builder {
    pub(super) fn hold(&mut self, advisory: Advisory) -> Result<Held, BuildError> {
        let mut affected: BTreeMap<AffectedKey, Gathered> = BTreeMap::new();
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
            let gathered = affected.entry(key).or_default();
            gathered.ranges.extend(ranges);
            gathered.scores.extend(one.severity.iter().filter_map(rating::base_score));
            gathered.vendor = gathered.vendor.take().or_else(|| one.vendor_severity.as_deref().map(word));
        }
        let is_withdrawn = advisory.withdrawn.is_some_and(|at| at <= self.built_at);
        let facts = facts(&advisory);
        let rated = (&facts.severity, &facts.vendor_severity, &facts.cwes, &facts.ssvc);
        let ratings = sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), json(&rated))).into();
        let says_rejected = is_rejection(&advisory.source, &facts.description);
        let json = json(&facts);
        let withdrawn = advisory.withdrawn.filter(|_| is_withdrawn).map(|at| at.to_string());
        let affected = affected.into_iter().map(|(key, gathered)| Ok((key, self.hold_affected(gathered)?)));
        Ok(Held {
            affected: affected.collect::<Result<_, BuildError>>()?,
            names: self.hold_names(&advisory)?,
            modified: advisory.modified,
            is_rejection: withdrawn.is_some() && says_rejected,
            withdrawn: self.hold_text(withdrawn.as_deref())?,
            vendor: self.hold_text(facts.vendor_severity.as_deref())?,
            scores: advisory.severity.iter().filter_map(rating::base_score).collect(),
            facts: self.hold_facts(&json)?,
            ratings,
        })
    }

    fn hold_text(&mut self, text: Option<&str>) -> Result<u32, BuildError> {
        text.map_or(Ok(NONE), |text| Ok(self.texts.put(text.as_bytes())?))
    }

    fn hold_names(&mut self, advisory: &Advisory) -> Result<HeldNames, BuildError> {
        let mut all = Vec::new();
        let mut ends = [0; 3];
        for (list, end) in [&advisory.aliases, &advisory.upstream, &advisory.related].into_iter().zip(&mut ends) {
            for name in list.iter().filter(|name| name.len() <= WORD_BYTES_MAX) {
                all.push(self.texts.put(name.as_bytes())?);
            }
            *end = all.len();
        }
        let [aliases, upstream_end, _] = ends;
        Ok(HeldNames { all: all.into(), aliases, upstream: upstream_end - aliases })
    }

    fn hold_affected(&mut self, gathered: Gathered) -> Result<HeldAffected, BuildError> {
        let ranges_from = count(self.ranges.len(), "ranges")?;
        let ranges = count(gathered.ranges.len(), "ranges")?;
        self.ranges.extend(gathered.ranges);
        let vendor = self.hold_text(gathered.vendor.as_deref())?;
        Ok(HeldAffected { ranges_from, ranges, vendor, scores: gathered.scores.into() })
    }

    fn hold_facts(&mut self, json: &[u8]) -> Result<HeldFacts, BuildError> {
        let packer = match &mut self.packer {
            Some(packer) => packer,
            none => none.insert(zstd::bulk::Compressor::new(HELD_LEVEL).map_err(BuildError::Compress)?),
        };
        let packed = packer.compress(json).map_err(BuildError::Compress)?;
        Ok(HeldFacts { packed: self.facts.push(&packed)?, unpacked_bytes: count(json.len(), "facts")? })
    }

    fn affected_key(&mut self, affected: &Affected, name: &str) -> Result<AffectedKey, BuildError> {
        let mut architectures: Vec<&str> = affected.architectures.iter().map(String::as_str).collect();
        architectures.retain(|architecture| architecture.len() <= 32);
        architectures.sort_unstable();
        architectures.dedup();
        if architectures.len() > ARCHITECTURES_MAX {
            architectures.clear();
        }
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

/// Whether a record that was taken back says by that that its CVE was rejected: the CVE program's own does, the NVD's and
/// conversions of it do with the program's reason.
fn is_rejection(source: &str, description: &str) -> bool {
    const REASONS: [&str; 3] = ["Rejected reason:", "** REJECT **", "Rejected:"];
    match source {
        "CVE" => true,
        "NVD" => REASONS.iter().any(|reason| description.starts_with(reason)),
        _ => false,
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
