//! A client's file brought up to the newest epoch by the fewest bytes, or left as it is.

use super::difference::{self, Failure};
use super::error::{DistributionError, io};
use super::files::{self, Fetch, Lock, Sink};
use super::index::{DeltaEntry, EpochEntry, EpochId, FileEntry, INDEX_BYTES_MAX, INDEX_NAME, Index};
use super::keys::PublicKey;
use crate::Database;
use jiff::Timestamp;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self as std_io, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

/// Longest chain of deltas that is worth it: each writes the whole database once.
const STEPS_MAX: usize = 32;

/// How an index is judged.
#[derive(Clone, Debug)]
pub struct Trust {
    /// One of these must have signed it.
    pub keys: Vec<PublicKey>,
    /// Whether it may be older than what is here.
    pub rollback: Rollback,
    /// The newest epoch that was ever seen, where the caller remembers it: so that removing the file does not open the door
    /// to an old one.
    pub newest_seen: Option<u64>,
}

/// Whether an index may be older than what is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollback {
    /// No: whoever can answer in the repository's place could hide what was published since.
    Refused,
    /// Yes: the publisher took an epoch back, and the operator knows.
    Allowed,
}

impl From<Vec<PublicKey>> for Trust {
    fn from(keys: Vec<PublicKey>) -> Self {
        Self { keys, rollback: Rollback::Refused, newest_seen: None }
    }
}

impl Trust {
    /// Judges the bytes of an `index.json` for somebody who has epoch `have`.
    ///
    /// # Errors
    /// When no trusted key signed it, it is no good index, or it ends before what is here.
    pub fn accept(&self, envelope: &[u8], have: Option<u64>) -> Result<Index, DistributionError> {
        let index = Index::open(envelope, &self.keys)?;
        let found = index.newest().id.epoch;
        match have.max(self.newest_seen) {
            Some(have) if found < have && self.rollback == Rollback::Refused => {
                Err(DistributionError::RolledBack { have, found })
            }
            _ => Ok(index),
        }
    }
}

/// How to get from what is here to the newest database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One full file, or deltas in the order in which they are applied; none when there is nothing to do.
    pub steps: Vec<Step>,
    /// To fetch.
    pub bytes: u64,
}

/// One file to fetch and apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What to fetch.
    pub file: FileEntry,
    /// What it is applied to; `None`: it is a full file.
    pub from: Option<EpochId>,
    /// What it gives.
    pub to: EpochEntry,
}

impl Step {
    fn full(to: &EpochEntry) -> Self {
        Self { file: to.full.clone(), from: None, to: to.clone() }
    }
}

/// The chain of deltas from `have` to the newest database, or its full file: whichever is fewer bytes.
pub fn plan(index: &Index, have: Option<&EpochId>) -> Plan {
    let newest = index.newest();
    if have == Some(&newest.id) {
        return Plan { steps: Vec::new(), bytes: 0 };
    }
    let full = Plan { steps: vec![Step::full(newest)], bytes: newest.full.bytes };
    let chain = have.and_then(|have| cheapest_chain(index, have));
    chain.filter(|chain| chain.bytes < full.bytes && chain.steps.len() <= STEPS_MAX).unwrap_or(full)
}

/// Deltas lead forward, so that in the order of where they start, the best way to a start is known when it is used.
fn cheapest_chain(index: &Index, have: &EpochId) -> Option<Plan> {
    let mut deltas: Vec<&DeltaEntry> = index.deltas().iter().collect();
    deltas.sort_by_key(|delta| delta.from.epoch);
    let mut best: HashMap<&EpochId, (u64, Option<&DeltaEntry>)> = [(have, (0, None))].into();
    for delta in deltas {
        let Some(&(bytes, _)) = best.get(&delta.from) else { continue };
        let bytes = bytes.saturating_add(delta.file.bytes);
        if best.get(&delta.to).is_none_or(|&(known, _)| bytes < known) {
            best.insert(&delta.to, (bytes, Some(delta)));
        }
    }
    let &(bytes, mut last) = best.get(&index.newest().id)?;
    let mut steps = Vec::new();
    while let Some(delta) = last {
        let to = index.epoch(&delta.to).expect("a delta leads to a listed epoch, checked with the index").clone();
        steps.push(Step { file: delta.file.clone(), from: Some(delta.from.clone()), to });
        last = best.get(&delta.from).and_then(|&(_, before)| before);
    }
    steps.reverse();
    Some(Plan { steps, bytes })
}

/// Makes the step's database at `result` from the file that was fetched for it and, for a delta, from the database
/// before. Everything is compared with what was signed: the fetched file and the base first, the result before it
/// is renamed into place. It is opened, too, so that what this program can't use takes no place.
///
/// Memory: at most about 450 MB, a third of it with what `publish` writes, however large the files are (`difference`); for a
/// full file zstd's window of 128 MiB.
///
/// # Errors
/// When anything does not hold, or the disk does not take it; `result` is then as it was.
pub fn apply(step: &Step, base: Option<&Path>, fetched: &Path, result: &Path) -> Result<(), DistributionError> {
    files::check_listed(&files::look_at(fetched)?, &step.file)?;
    let partial = files::beside(result, "new");
    let packed = BufReader::with_capacity(1 << 20, File::open(fetched).map_err(io("open", fetched))?);
    let seen = files::write(&partial, step.to.bytes, |sink| match (&step.from, base) {
        (None, _) => unpack(step, packed, &partial, sink),
        (Some(from), Some(base)) => apply_delta(step, from, base, packed, &partial, sink),
        (Some(_), None) => Err(damaged(step, "it is a delta, and there is no database to apply it to")),
    })?;
    let taken = check_result(step, &seen, &partial).and_then(|()| files::rename(&partial, result));
    if taken.is_err() {
        files::remove(&partial);
    }
    taken
}

fn unpack(step: &Step, packed: impl std_io::BufRead, partial: &Path, sink: &mut Sink) -> Result<(), DistributionError> {
    let mut decoder = zstd::Decoder::with_buffer(packed).map_err(|cause| damaged(step, cause))?;
    let mut block = vec![0; 1 << 20];
    loop {
        let read = decoder.read(&mut block).map_err(|cause| damaged(step, cause))?;
        if read == 0 {
            return Ok(());
        }
        sink.write_all(&block[..read]).map_err(|cause| unwritable(step, partial, cause))?;
    }
}

fn apply_delta(
    step: &Step,
    from: &EpochId,
    base: &Path,
    mut delta: impl Read,
    partial: &Path,
    sink: &mut Sink,
) -> Result<(), DistributionError> {
    let found = files::look_at(base)?.digest;
    if found != from.digest {
        return Err(DistributionError::BaseDiffers { path: base.to_owned(), expected: from.digest.clone(), found });
    }
    let old = File::open(base).map_err(io("open", base))?;
    difference::apply(&old, &mut delta, step.to.bytes, sink).map_err(|failure| match failure {
        Failure::Delta(why) => damaged(step, why),
        Failure::Frame(cause) => damaged(step, cause),
        Failure::Base(cause) => io("read", base)(cause),
        Failure::Result(cause) => unwritable(step, partial, cause),
    })
}

fn unwritable(step: &Step, partial: &Path, cause: std_io::Error) -> DistributionError {
    match cause.kind() {
        std_io::ErrorKind::FileTooLarge => damaged(step, "it gives more bytes than the index says"),
        _ => io("write", partial)(cause),
    }
}

fn damaged(step: &Step, why: impl ToString) -> DistributionError {
    DistributionError::Damaged { name: step.file.name.to_string(), why: why.to_string() }
}

fn check_result(step: &Step, seen: &files::Seen, path: &Path) -> Result<(), DistributionError> {
    let name = || step.file.name.to_string();
    if seen.digest != step.to.id.digest || seen.bytes != step.to.bytes {
        return Err(DistributionError::ResultDiffers {
            name: name(),
            expected: step.to.id.digest.clone(),
            expected_bytes: step.to.bytes,
            found: seen.digest.clone(),
            found_bytes: seen.bytes,
        });
    }
    let database = Database::open(path).map_err(|cause| DistributionError::Unusable { name: name(), cause })?;
    let (expected, found) = (step.to.id.epoch, database.epoch());
    if found != expected {
        return Err(DistributionError::EpochDiffers { name: name(), expected, found });
    }
    Ok(())
}

/// What an update did.
#[derive(Debug)]
pub struct Updated {
    /// What is in place now.
    pub id: EpochId,
    /// When it was built. The caller has the clock: an age beyond the publisher's rhythm means that nobody publishes, or that
    /// somebody holds back what is published.
    pub built_at: Timestamp,
    /// The files that led here, in order; none when it was here already.
    pub taken: Vec<FileEntry>,
    /// Bytes of files that were fetched, those in vain included, the index left out.
    pub fetched_bytes: u64,
    /// What was tried and refused, and why. With deltas in it, the full file was taken in their place.
    pub refused: Vec<Refused>,
}

/// A file that was not good, without harm.
#[derive(Debug)]
pub struct Refused {
    /// Its name in the repository, or the path of the file that was in use.
    pub name: String,
    /// What does not hold.
    pub why: DistributionError,
}

/// Brings `target` up to the newest epoch of the repository that `fetch` opens files of. `current` is the database in use,
/// often the same file; one that can't be opened counts as none.
///
/// Temporary files lie beside `target` and may be as large as two databases.
///
/// # Errors
/// When the index is not signed by a trusted key or ends before what is here, or the newest database can't be had whole.
/// `target` and `current` are then as they were.
pub fn update(
    current: Option<&Path>,
    target: &Path,
    trust: &Trust,
    mut fetch: impl FnMut(&str) -> std_io::Result<Box<dyn Read>>,
) -> Result<Updated, DistributionError> {
    let _lock = Lock::of_file(target)?;
    let work = Work::beside(target);
    let mut refused = Vec::new();
    let have = current.and_then(|path| identify(path, &mut refused));
    let index = trust.accept(&fetch_index(&mut fetch)?, have.as_ref().map(|have| have.epoch))?;
    let newest = index.newest();
    let mut updated =
        Updated { id: newest.id.clone(), built_at: newest.built_at, taken: Vec::new(), fetched_bytes: 0, refused };

    let plan = plan(&index, have.as_ref());
    if let (true, Some(current)) = (plan.steps.is_empty(), current) {
        copy(current, target, newest, &work)?;
        return Ok(updated);
    }
    let is_chain = plan.steps.iter().any(|step| step.from.is_some());
    let taken = take(&plan, current, &mut fetch, &work, &mut updated.fetched_bytes);
    let (result, steps) = match taken {
        Ok(result) => (result, plan.steps),
        Err((name, why)) if is_chain && is_the_repositorys(&why) => {
            updated.refused.push(Refused { name, why });
            let full = Plan { steps: vec![Step::full(newest)], bytes: newest.full.bytes };
            let taken = take(&full, None, &mut fetch, &work, &mut updated.fetched_bytes);
            (taken.map_err(|(_, why)| why)?, full.steps)
        }
        Err((_, why)) => return Err(why),
    };
    files::rename(&result, target)?;
    updated.taken = steps.into_iter().map(|step| step.file).collect();
    Ok(updated)
}

/// Names for what is not finished, beside the target; removed however the update ends.
struct Work {
    fetched: PathBuf,
    results: [PathBuf; 2],
}

impl Work {
    fn beside(target: &Path) -> Self {
        let path = |purpose| files::beside(target, purpose);
        Self { fetched: path("fetched"), results: [path("even"), path("odd")] }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        files::remove(&self.fetched);
        self.results.iter().for_each(|path| files::remove(path));
    }
}

/// Which database a file is.
fn identify(path: &Path, refused: &mut Vec<Refused>) -> Option<EpochId> {
    match Database::open(path) {
        Ok(database) => {
            let info = database.info();
            Some(EpochId { epoch: info.epoch, digest: info.digest })
        }
        Err(_) if !path.exists() => None,
        Err(cause) => {
            let name = path.display().to_string();
            refused.push(Refused { name: name.clone(), why: DistributionError::Unusable { name, cause } });
            None
        }
    }
}

/// Takes the steps; gives the last result, or the name of the file that failed and why.
fn take(
    plan: &Plan,
    current: Option<&Path>,
    fetch: Fetch<'_>,
    work: &Work,
    fetched_bytes: &mut u64,
) -> Result<PathBuf, (String, DistributionError)> {
    let mut base = current;
    for (step, result) in plan.steps.iter().zip(work.results.iter().cycle()) {
        let taken = files::download(fetch, &step.file, &work.fetched).and_then(|()| {
            *fetched_bytes += step.file.bytes;
            apply(step, base, &work.fetched, result)
        });
        taken.map_err(|why| (step.file.name.to_string(), why))?;
        base = Some(result);
    }
    Ok(base.expect("a plan that is taken has a step").to_owned())
}

/// Whether the full file may do better. Not when our own disk is full or somebody else is at work.
fn is_the_repositorys(why: &DistributionError) -> bool {
    !matches!(why, DistributionError::Io { .. } | DistributionError::Busy(_))
}

/// The newest database is here already, only not at its place.
fn copy(current: &Path, target: &Path, newest: &EpochEntry, work: &Work) -> Result<(), DistributionError> {
    if files::is_listed(
        target,
        &FileEntry { bytes: newest.bytes, digest: newest.id.digest.clone(), ..newest.full.clone() },
    ) {
        return Ok(());
    }
    let mut from = File::open(current).map_err(io("open", current))?;
    let copy = &work.results[0];
    let seen =
        files::write(copy, newest.bytes, |sink| std_io::copy(&mut from, sink).map(drop).map_err(io("copy", current)))?;
    if seen.digest != newest.id.digest {
        let (expected, found) = (newest.id.digest.clone(), seen.digest);
        return Err(DistributionError::BaseDiffers { path: current.to_owned(), expected, found });
    }
    files::rename(copy, target)
}

/// The bytes of the index, whoever signed them; never more than an index may have.
pub(super) fn fetch_index(fetch: Fetch<'_>) -> Result<Vec<u8>, DistributionError> {
    let mut envelope = Vec::new();
    let read = files::open(fetch, INDEX_NAME)?.take(INDEX_BYTES_MAX + 1).read_to_end(&mut envelope);
    read.map_err(|cause| DistributionError::Fetch { name: INDEX_NAME.to_owned(), cause })?;
    Ok(envelope)
}

/// The repository's index, without an update: what could be had.
///
/// # Errors
/// When it can't be had, no trusted key signed it, or it is no good index.
pub fn read_index(
    trust: &Trust,
    mut fetch: impl FnMut(&str) -> std_io::Result<Box<dyn Read>>,
) -> Result<Index, DistributionError> {
    trust.accept(&fetch_index(&mut fetch)?, None)
}

/// Opens the files of a repository that is a folder here. Names come from a checked index, and lead nowhere else.
pub fn from_folder(repository: &Path) -> impl FnMut(&str) -> std_io::Result<Box<dyn Read>> + use<> {
    let repository = repository.to_owned();
    move |name| Ok(Box::new(File::open(repository.join(name))?))
}
