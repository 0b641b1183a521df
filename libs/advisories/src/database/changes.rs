//! How many records differ from one database to the next: what the health of the feeds shows of the last delta.

use super::delta::{claim, pairs};
use super::layout::{ClaimRow, NONE, PackageRow, RecordRow, Section};
use super::{Candidate, Database, DatabaseError};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many records differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// New.
    pub added: u64,
    /// What they say of packages, or how their vulnerability is rated. Descriptions and links don't count.
    pub changed: u64,
    /// Taken back or gone.
    pub withdrawn: u64,
}

/// The records that differ from `old` to `new`.
///
/// # Errors
/// When a file is damaged.
pub fn changes(old: &Database, new: &Database) -> Result<Changes, DatabaseError> {
    let (olds, news) = (records(old)?, records(new)?);
    let is_there = |known: &BTreeMap<Key<'_>, bool>, key: &Key<'_>| known.get(key).copied().unwrap_or(false);
    let added = news.iter().filter(|(key, stands)| **stands && !is_there(&olds, key)).count();
    let withdrawn = olds.iter().filter(|(key, stood)| **stood && !is_there(&news, key)).count();
    let moved = moved(old, new)?;
    let changed = moved.iter().filter(|key| is_there(&olds, key) && is_there(&news, key)).count();
    Ok(Changes { added: added as u64, changed: changed as u64, withdrawn: withdrawn as u64 })
}

/// A record's id and the database that it comes from.
type Key<'a> = (&'a str, &'a str);

/// All records, and whether they stand.
fn records(database: &Database) -> Result<BTreeMap<Key<'_>, bool>, DatabaseError> {
    let mut records = BTreeMap::new();
    for row in database.table::<RecordRow>(Section::Records) {
        let key = (database.text(row.id.get())?, database.text(row.source.get())?);
        *records.entry(key).or_default() |= row.withdrawn.get() == NONE;
    }
    Ok(records)
}

/// The records of which a claim about a package came, went or changed.
fn moved<'a>(old: &'a Database, new: &'a Database) -> Result<BTreeSet<Key<'a>>, DatabaseError> {
    let mut moved = BTreeSet::new();
    for pair in pairs(old, new) {
        let (before, after) = pair?;
        if let (Some(before), Some(after)) = (before, after)
            && before.fingerprint == after.fingerprint
        {
            continue;
        }
        let (olds, news) = (claims(old, before)?, claims(new, after)?);
        moved.extend(olds.iter().filter(|(print, _)| !news.contains_key(*print)).map(|(_, key)| *key));
        moved.extend(news.iter().filter(|(print, _)| !olds.contains_key(*print)).map(|(_, key)| *key));
    }
    Ok(moved)
}

/// A package's claims by a digest of everything that they say, with the record of each.
fn claims<'a>(
    database: &'a Database,
    package: Option<&PackageRow>,
) -> Result<HashMap<[u8; 32], Key<'a>>, DatabaseError> {
    let Some(package) = package else {
        return Ok(HashMap::new());
    };
    let rows: &[ClaimRow] = database.slice(Section::Claims, package.claims_from.get(), package.claims.get())?;
    let one = |row| {
        let candidate = Candidate::of(database, row);
        let key = (candidate.advisory()?, candidate.source()?);
        Ok((claim(candidate)?.0, key))
    };
    rows.iter().map(one).collect()
}
