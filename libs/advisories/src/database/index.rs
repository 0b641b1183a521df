//! The package index: a hash table in the file, from ecosystem and name to a package's slot.
//!
//! A look-up waits for memory: for the slot, then for the name. One look-up can't go faster than that, but the processor
//! fetches many places at once when nothing that it decides depends on them. So a batch is looked up in passes:
//! hash all names, touch all slots, walk the probes, touch all names that may be the right ones, compare.

use super::layout::{NONE, PROBES_MAX, Section, Slot};
use super::{Database, DatabaseError, hash, pool};
use std::hint::black_box;

/// Packages whose places are fetched together: more than the processor has fetches under way (some twenty, Zen 2 to 4), few enough
/// that what was fetched is still in its first cache when it is compared.
const BATCH: usize = 64;

/// A database's index, its sections at hand.
pub(super) struct Index<'a> {
    database: &'a Database,
    slots: &'a [Slot],
    texts: &'a [u8],
    seed: u64,
}

impl<'a> Index<'a> {
    #[inline]
    pub(super) fn of(database: &'a Database) -> Self {
        let texts = &database.map[database.sections[Section::Texts as usize].clone()];
        Self { database, slots: database.table(Section::Index), texts, seed: database.header.seed.get() }
    }

    #[inline]
    pub(super) fn hash(&self, ecosystem: &str, name: &str) -> u64 {
        hash::of_package(self.seed, ecosystem.as_bytes(), name.as_bytes())
    }

    /// The package's slot.
    #[inline]
    pub(super) fn find(&self, hash: u64, ecosystem: &str, name: &str) -> Result<Option<&'a Slot>, DatabaseError> {
        self.find_from(0, hash, ecosystem, name)
    }

    /// Hands on each package's slot, in their order.
    pub(super) fn find_all(
        &self,
        packages: &[(&str, &str)],
        take: &mut impl FnMut(Result<Option<&'a Slot>, DatabaseError>),
    ) {
        for batch in packages.chunks(BATCH) {
            let mut hashes = [0; BATCH];
            for (hash, (ecosystem, name)) in hashes.iter_mut().zip(batch) {
                *hash = self.hash(ecosystem, name);
            }
            let hashes = &hashes[..batch.len()];
            // Both ends: a slot may lie across two lines of the cache.
            black_box(hashes.iter().fold(0, |sum, &hash| {
                let slot = self.slot(hash, 0);
                sum ^ slot.tag.get() ^ slot.claims.get()
            }));
            let mut probes = [PROBES_MAX; BATCH];
            for (probe, &hash) in probes.iter_mut().zip(hashes) {
                *probe = self.probe(0, hash).unwrap_or(PROBES_MAX);
            }
            let found = || batch.iter().zip(hashes).zip(&probes).filter(|(_, probe)| **probe < PROBES_MAX);
            black_box(found().fold(0, |sum, (((_, name), &hash), &probe)| {
                let from = self.slot(hash, probe).name.get() as usize;
                let byte = |at: usize| self.texts.get(at).copied().unwrap_or_default();
                sum ^ byte(from) ^ byte(from.saturating_add(name.len()))
            }));
            for ((&(ecosystem, name), &hash), &probe) in batch.iter().zip(hashes).zip(&probes) {
                take(self.find_from(probe, hash, ecosystem, name));
            }
        }
    }

    /// The slot with the package's own name, at this probe or after it.
    #[inline]
    fn find_from(
        &self,
        mut probe: usize,
        hash: u64,
        ecosystem: &str,
        name: &str,
    ) -> Result<Option<&'a Slot>, DatabaseError> {
        while let Some(tagged) = self.probe(probe, hash) {
            let slot = self.slot(hash, tagged);
            let slot_name = pool::get(self.texts, slot.name.get());
            if slot_name.ok_or(DatabaseError::Damaged("a text leads out of its section"))? == name.as_bytes()
                && self.database.ecosystem_name(slot.ecosystem.get())? == ecosystem.as_bytes()
            {
                return Ok(Some(slot));
            }
            probe = tagged + 1;
        }
        Ok(None)
    }

    /// The first probe from this one on that finds the hash's tag; `None`: an empty slot comes first, or the end, since the
    /// builder leaves no longer probe.
    #[inline]
    fn probe(&self, from: usize, hash: u64) -> Option<usize> {
        for probe in from..PROBES_MAX {
            let slot = self.slot(hash, probe);
            if slot.name.get() == NONE {
                return None;
            }
            if slot.tag.get() == (hash >> 32) as u32 {
                return Some(probe);
            }
        }
        None
    }

    #[inline]
    fn slot(&self, hash: u64, probe: usize) -> &'a Slot {
        // A power of two and so not none, checked when opened.
        &self.slots[(hash as usize).wrapping_add(probe) & (self.slots.len() - 1)]
    }
}
