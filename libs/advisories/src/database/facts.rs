//! What a finding tells of its vulnerability: joined over its records, read from the compressed side of the file.

use super::layout::{
    ExploitRow, FACTS_BLOCK_BYTES_MAX, FactsBlockRow, KnownExploitedRow, NONE, RecordRow, Section, VulnerabilityRow,
};
use super::{Database, DatabaseError};
use crate::origins;
use jiff::Timestamp;
use muster_domain::{Epss, Exploit, KnownExploited, Ssvc, VectorString, VendorWord, VulnerabilityFacts};
use serde::{Deserialize, Serialize};
use zerocopy::little_endian::U32;

/// What one record tells, as it lies in a block of facts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct RecordFacts {
    pub description: String,
    pub severity: Vec<VectorString>,
    pub vendor_severity: Option<String>,
    pub cwes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssvc: Option<Ssvc>,
    pub references: Vec<String>,
    pub published: Option<Timestamp>,
    pub modified: Option<Timestamp>,
}

/// Most records that are joined: a vulnerability has a handful, and a wrong feed must not make one finding slow.
const RECORDS_MAX: usize = 32;
/// Most aliases of a vulnerability: real ones have a handful, and a damaged file must not fill the memory.
const ALIASES_MAX: usize = 1000;
/// Most exploits of a vulnerability that are told: real ones have up to 30.
const EXPLOITS_MAX: usize = 100;
/// Most CPE names of a vulnerability that are told.
const CPES_MAX: usize = 200;
/// Most links of a vulnerability: the Inspector API's own limit is 100.
const REFERENCES_MAX: usize = 100;

impl Database {
    /// What is known of a vulnerability. `None`: nothing here is about it.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn facts(&self, vulnerability: &str) -> Result<Option<VulnerabilityFacts>, DatabaseError> {
        self.facts_told_by(vulnerability, None)
    }

    /// What is known of a vulnerability, in the words of the record `advisory` where it has words.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn facts_told_by(
        &self,
        vulnerability: &str,
        advisory: Option<&str>,
    ) -> Result<Option<VulnerabilityFacts>, DatabaseError> {
        FactsReader::new(self).told_by(vulnerability, advisory)
    }

    /// Standing records, the preferred one first; those taken back only when there is no other.
    fn records_of(&self, row: &VulnerabilityRow, first: Option<&str>) -> Result<Vec<&RecordRow>, DatabaseError> {
        let places: &[U32] = self.slice(Section::VulnerabilityRecords, row.records_from.get(), row.records.get())?;
        let mut ranked = Vec::with_capacity(places.len());
        for place in places {
            let record: &RecordRow = self.row(Section::Records, place.get())?;
            let source = self.text(record.source.get())?;
            let rank = origins::rank(source);
            let is_first = first == Some(self.text(record.id.get())?);
            ranked.push((record.withdrawn.get() != NONE, !is_first, rank, record));
        }
        ranked.sort_by_key(|&(withdrawn, is_other, rank, _)| (withdrawn, is_other, rank));
        let standing = ranked.iter().take_while(|(withdrawn, ..)| !withdrawn).count();
        ranked.truncate(if standing == 0 { ranked.len() } else { standing });
        Ok(ranked.into_iter().map(|(.., record)| record).collect())
    }

    /// A compressed block, and how long it claims to be unpacked.
    fn facts_block(&self, place: u32) -> Result<(&[u8], usize), DatabaseError> {
        let block: &FactsBlockRow = self.row(Section::FactsBlocks, place)?;
        let unpacked_bytes = block.unpacked_bytes.get() as usize;
        if unpacked_bytes > FACTS_BLOCK_BYTES_MAX {
            return Err(DatabaseError::Damaged("a block of facts is too large"));
        }
        let all = &self.map[self.sections[Section::Facts as usize].clone()];
        let packed = usize::try_from(block.offset.get())
            .ok()
            .and_then(|from| all.get(from..from.checked_add(block.bytes.get() as usize)?))
            .ok_or(DatabaseError::Damaged("a block of facts leads out of its section"))?;
        Ok((packed, unpacked_bytes))
    }

    pub(super) fn aliases_of(&self, row: &VulnerabilityRow) -> Result<Vec<String>, DatabaseError> {
        let aliases: &[U32] = self.slice(Section::Aliases, row.aliases_from.get(), row.aliases.get())?;
        aliases.iter().take(ALIASES_MAX).map(|alias| self.text(alias.get()).map(str::to_owned)).collect()
    }

    fn exploits(&self, row: &VulnerabilityRow) -> Result<Vec<Exploit>, DatabaseError> {
        let rows: &[ExploitRow] = self.slice(Section::Exploits, row.exploits_from.get(), row.exploits.get())?;
        let exploit = |row: &ExploitRow| {
            Ok(Exploit { source: self.text(row.source.get())?.to_owned(), id: self.text(row.id.get())?.to_owned() })
        };
        rows.iter().take(EXPLOITS_MAX).map(exploit).collect()
    }

    fn known_exploited(&self, row: &VulnerabilityRow) -> Result<Option<KnownExploited>, DatabaseError> {
        if row.known_exploited.get() == NONE {
            return Ok(None);
        }
        let known: &KnownExploitedRow = self.row(Section::KnownExploited, row.known_exploited.get())?;
        Ok(Some(KnownExploited {
            date_added: self.text(known.date_added.get())?.to_owned(),
            due_date: self.text(known.due_date.get())?.to_owned(),
            required_action: self.text(known.required_action.get())?.to_owned(),
            ransomware: known.ransomware.get() == 1,
        }))
    }
}

/// Blocks that a reader keeps unpacked. Records are sorted by id, so who asks in the order of CVEs comes through the blocks of each
/// source one after the other: one for each of the large sources. A damaged file can make it 32 MiB.
const BLOCKS_KEPT: usize = 8;

/// Reads the facts of many vulnerabilities: what one of them unpacked serves those after it. Asked in the order of their
/// names it unpacks least.
pub struct FactsReader<'a> {
    database: &'a Database,
    /// Made with the first block; it costs more than a block to make.
    unpacker: Option<zstd::bulk::Decompressor<'static>>,
    /// Place and contents.
    blocks: Vec<(u32, Vec<u8>)>,
    /// Of `blocks`, the one that goes next.
    oldest: usize,
}

impl<'a> FactsReader<'a> {
    /// With nothing unpacked.
    pub fn new(database: &'a Database) -> Self {
        Self { database, unpacker: None, blocks: Vec::new(), oldest: 0 }
    }

    /// What is known of a vulnerability, in the words of the record `advisory` where it has words. `None`: nothing in the
    /// database is about it.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn told_by(
        &mut self,
        vulnerability: &str,
        advisory: Option<&str>,
    ) -> Result<Option<VulnerabilityFacts>, DatabaseError> {
        let database = self.database;
        let Some(row) = database.vulnerability(vulnerability) else {
            return Ok(None);
        };
        let records = database.records_of(row, advisory)?;
        let mut facts = VulnerabilityFacts {
            id: vulnerability.to_owned(),
            aliases: database.aliases_of(row)?,
            known_exploited: database.known_exploited(row)?,
            epss: epss(row),
            exploits: database.exploits(row)?,
            ..VulnerabilityFacts::default()
        };
        if let Some(first) = records.first() {
            facts.source = database.text(first.source.get())?.to_owned();
            facts.source_url = origins::page(&facts.source, database.text(first.id.get())?);
        }
        for record in records.into_iter().take(RECORDS_MAX) {
            join(&mut facts, database.text(record.source.get())?, self.record_facts(record)?);
        }
        facts.references.truncate(REFERENCES_MAX);
        Ok(Some(facts))
    }

    fn record_facts(&mut self, record: &RecordRow) -> Result<RecordFacts, DatabaseError> {
        let json = self
            .block(record.facts_block.get())?
            .get(record.facts_offset.get() as usize..)
            .and_then(|rest| rest.get(..record.facts_bytes.get() as usize))
            .ok_or(DatabaseError::Damaged("a record's facts lead out of their block"))?;
        serde_json::from_slice(json).map_err(|_| DatabaseError::Damaged("a record's facts can't be read"))
    }

    fn block(&mut self, place: u32) -> Result<&[u8], DatabaseError> {
        if let Some(known) = self.blocks.iter().position(|(known, _)| *known == place) {
            return Ok(&self.blocks[known].1);
        }
        const UNREADABLE: DatabaseError = DatabaseError::Damaged("a block of facts can't be unpacked");
        let (packed, unpacked_bytes) = self.database.facts_block(place)?;
        let unpacker = match &mut self.unpacker {
            Some(unpacker) => unpacker,
            none => none.insert(zstd::bulk::Decompressor::new().map_err(|_| UNREADABLE)?),
        };
        let block = (place, unpacker.decompress(packed, unpacked_bytes).map_err(|_| UNREADABLE)?);
        let at = self.oldest;
        self.oldest = (at + 1) % BLOCKS_KEPT;
        match self.blocks.get_mut(at) {
            Some(old) => *old = block,
            None => self.blocks.push(block),
        }
        Ok(&self.blocks[at].1)
    }
}

pub(super) fn epss(row: &VulnerabilityRow) -> Option<Epss> {
    let (score, percentile) = (row.epss_score.get(), row.epss_percentile.get());
    let is_share = |number: f64| (0.0..=1.0).contains(&number);
    (is_share(score) && is_share(percentile)).then_some(Epss { score, percentile })
}

/// Adds what the next record tells to what better ones told.
fn join(facts: &mut VulnerabilityFacts, source: &str, record: RecordFacts) {
    if facts.description.is_empty() {
        facts.description = record.description;
    }
    for vector in record.severity {
        if !facts.severity.iter().any(|known| known.vector == vector.vector && known.source == vector.source) {
            facts.severity.push(vector);
        }
    }
    if let Some(word) = record.vendor_severity {
        facts.vendor_words.push(VendorWord { source: source.to_owned(), severity: word.clone() });
        facts.vendor_severity.get_or_insert(word);
    }
    facts.ssvc = facts.ssvc.take().or(record.ssvc);
    for cpe in record.cpes {
        if facts.cpes.len() < CPES_MAX && !facts.cpes.contains(&cpe) {
            facts.cpes.push(cpe);
        }
    }
    facts.cwes.extend(record.cwes);
    facts.cwes.sort();
    facts.cwes.dedup();
    for reference in record.references {
        if facts.references.len() < REFERENCES_MAX && !facts.references.contains(&reference) {
            facts.references.push(reference);
        }
    }
    facts.published = [facts.published, record.published].into_iter().flatten().min();
    facts.modified = [facts.modified, record.modified].into_iter().flatten().max();
}
