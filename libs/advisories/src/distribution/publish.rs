//! A new epoch into the repository: the full file, deltas from the epochs before, then the index. Until the index is in
//! place, clients see the repository as it was.

use super::difference::{self, Side};
use super::envelope::sign;
use super::error::{DistributionError, io};
use super::files::{self, Lock, Seen};
use super::index::{
    DeltaEntry, EPOCHS_MAX, EpochEntry, EpochId, FileEntry, FileName, INDEX_BYTES_MAX, INDEX_NAME, Index,
};
use super::keys::{PublicKey, SecretKey};
use super::update::{Step, apply};
use crate::{Database, DatabaseInfo};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self as std_io, Read as _};
use std::path::Path;

/// Of the full file: a tenth more than the best that zstd does, in a fortieth of the time (`docs/decisions/0007-deltas-between-epochs.md`).
const FULL_LEVEL: i32 = 12;

/// The window that every zstd decoder takes unasked.
const WINDOW_LOG: u32 = 27;

const FULL_SUFFIX: &str = ".advisories.zst";
const DELTA_SUFFIX: &str = ".delta";

/// Digits of the digest in a full file's name: enough that two builds of one epoch never share a name in a web cache.
const NAME_DIGITS: usize = 16;

/// What a publication did.
#[derive(Debug)]
pub struct Published {
    /// What is the newest now.
    pub id: EpochId,
    /// Its full file.
    pub full: FileEntry,
    /// The deltas that lead to it. A delta that would not be smaller than the full file is not among them.
    pub deltas: Vec<DeltaEntry>,
    /// Listed before and found to be missing or damaged, so not listed any more; with the reason.
    pub dropped: Vec<(FileName, DistributionError)>,
    /// Files that were removed.
    pub removed: Vec<String>,
}

/// Adds the database to the repository (a folder, made when it is not there) and signs the new index with all the
/// keys. `keep_epochs` (at least 1) are listed afterwards, this one included; from each of them a delta leads here.
///
/// The index that is there must be signed by one of the keys: what a stranger put there is not vouched for. To change
/// keys, publish with the old and the new one until every client trusts the new one.
///
/// Files that the index before this one listed stay for one more publication, for those who still hold that index.
/// The same database again only signs the index anew.
///
/// # Errors
/// When the database is damaged or not newer than what is there, the index is not ours, somebody else publishes, or a
/// file can't be read or written. The repository is then as it was, but for files that no index lists.
pub fn publish(
    repository: &Path,
    new_database: &Path,
    secret_keys: &[SecretKey],
    keep_epochs: usize,
) -> Result<Published, DistributionError> {
    if secret_keys.is_empty() {
        return Err(DistributionError::NoSecretKey);
    }
    let info = examine(new_database)?;
    std::fs::create_dir_all(repository).map_err(io("create", repository))?;
    let _lock = Lock::of_folder(repository)?;
    let public: Vec<PublicKey> = secret_keys.iter().map(|key| key.public().clone()).collect();
    let previous = index_in(repository, &public)?;
    let id = EpochId { epoch: info.epoch, digest: info.digest.clone() };
    if let Some(previous) = &previous {
        let newest = previous.newest();
        if newest.id == id {
            return sign_anew(repository, previous, secret_keys);
        }
        if id.epoch <= newest.id.epoch {
            return Err(DistributionError::NotNewer { epoch: id.epoch, newest: newest.id.epoch });
        }
    }

    let (mut epochs, mut deltas, dropped) = kept(repository, previous.as_ref(), keep_epochs);
    let full = write_full(repository, new_database, &id)?;
    let newest = EpochEntry { id: id.clone(), built_at: info.built_at, bytes: info.bytes, full: full.clone() };
    let new_deltas = write_deltas(repository, new_database, &epochs, &newest)?;
    epochs.push(newest);
    deltas.extend(new_deltas.iter().cloned());
    let index = Index::new(epochs, deltas)?;
    files::replace(&repository.join(INDEX_NAME), &sign(&index.to_payload(), secret_keys))?;
    let removed = remove_unlisted(repository, &[Some(&index), previous.as_ref()])?;
    Ok(Published { id, full, deltas: new_deltas, dropped, removed })
}

/// What is damaged is not published.
fn examine(path: &Path) -> Result<DatabaseInfo, DistributionError> {
    let name = path.display().to_string();
    let database = Database::open(path).and_then(|database| database.verify().map(|()| database));
    let database = database.map_err(|cause| DistributionError::Unusable { name, cause })?;
    Ok(database.info())
}

/// The index of a folder; `None` when there is none yet.
pub(super) fn index_in(folder: &Path, trusted: &[PublicKey]) -> Result<Option<Index>, DistributionError> {
    let path = folder.join(INDEX_NAME);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std_io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(io("open", &path)(cause)),
    };
    let mut envelope = Vec::new();
    file.take(INDEX_BYTES_MAX + 1).read_to_end(&mut envelope).map_err(io("read", &path))?;
    Index::open(&envelope, trusted).map(Some)
}

fn sign_anew(repository: &Path, index: &Index, keys: &[SecretKey]) -> Result<Published, DistributionError> {
    files::replace(&repository.join(INDEX_NAME), &sign(&index.to_payload(), keys))?;
    let newest = index.newest().clone();
    let deltas = index.deltas().iter().filter(|delta| delta.to == newest.id).cloned().collect();
    Ok(Published { id: newest.id, full: newest.full, deltas, dropped: Vec::new(), removed: Vec::new() })
}

type Kept = (Vec<EpochEntry>, Vec<DeltaEntry>, Vec<(FileName, DistributionError)>);

/// What stays listed beside the new epoch: the last epochs, and the deltas from each to the next, for clients that come by a
/// mirror. Those that skipped epochs give way to new ones.
fn kept(repository: &Path, previous: Option<&Index>, keep_epochs: usize) -> Kept {
    let Some(previous) = previous else {
        return Kept::default();
    };
    let mut dropped = Vec::new();
    let mut whole = |file: &FileEntry| {
        let path = repository.join(file.name.as_str());
        let checked = files::look_at(&path).and_then(|seen| files::check_listed(&seen, file));
        checked.map_err(|why| dropped.push((file.name.clone(), why))).is_ok()
    };
    let earlier = keep_epochs.clamp(1, EPOCHS_MAX) - 1;
    let first = previous.epochs().len().saturating_sub(earlier);
    let epochs: Vec<EpochEntry> =
        previous.epochs()[first..].iter().filter(|entry| whole(&entry.full)).cloned().collect();
    let follows =
        |delta: &&DeltaEntry| epochs.windows(2).any(|pair| pair[0].id == delta.from && pair[1].id == delta.to);
    let deltas = previous.deltas().iter().filter(follows).filter(|delta| whole(&delta.file)).cloned().collect();
    (epochs, deltas, dropped)
}

fn write_full(repository: &Path, database: &Path, id: &EpochId) -> Result<FileEntry, DistributionError> {
    let digits = &id.digest.hex()[..NAME_DIGITS];
    add(repository, format!("{}-{digits}{FULL_SUFFIX}", id.epoch), |path, sink| {
        let packed = || -> std_io::Result<()> {
            let mut file = File::open(database)?;
            let mut encoder = zstd::Encoder::new(sink, FULL_LEVEL)?;
            encoder.window_log(WINDOW_LOG)?;
            encoder.long_distance_matching(true)?;
            encoder.set_pledged_src_size(Some(file.metadata()?.len()))?;
            std_io::copy(&mut file, &mut encoder)?;
            encoder.finish().map(drop)
        };
        packed().map_err(io("compress into", path))
    })
}

/// From each of the earlier epochs to the newest, as long as that is smaller than the full file.
fn write_deltas(
    repository: &Path,
    database: &Path,
    earlier: &[EpochEntry],
    newest: &EpochEntry,
) -> Result<Vec<DeltaEntry>, DistributionError> {
    let base = files::beside(&repository.join("base"), "unpacked");
    let mut deltas = Vec::new();
    for from in earlier {
        let step = Step { file: from.full.clone(), from: None, to: from.clone() };
        // One that this program can't read any more (an older format) has nothing in common with the new one.
        match apply(&step, None, &repository.join(from.full.name.as_str()), &base) {
            Ok(()) => {}
            Err(DistributionError::Unusable { .. }) => continue,
            Err(error) => return Err(error),
        }
        let written = write_delta(repository, &base, database, &from.id, &newest.id);
        files::remove(&base);
        let delta = written?;
        if delta.file.bytes < newest.full.bytes {
            deltas.push(delta);
        } else {
            files::remove(&repository.join(delta.file.name.as_str()));
        }
    }
    Ok(deltas)
}

fn write_delta(
    repository: &Path,
    base: &Path,
    database: &Path,
    from: &EpochId,
    to: &EpochId,
) -> Result<DeltaEntry, DistributionError> {
    let file = add(repository, format!("{}-{}{DELTA_SUFFIX}", from.epoch, to.epoch), |path, sink| {
        let tables = |path: &Path| {
            let unusable = |cause| DistributionError::Unusable { name: path.display().to_string(), cause };
            Database::open(path).map(|database| database.tables()).map_err(unusable)
        };
        let (old_tables, new_tables) = (tables(base)?, tables(database)?);
        let old = File::open(base).map_err(io("open", base))?;
        let new = File::open(database).map_err(io("open", database))?;
        let (old, new) = (Side { file: &old, tables: old_tables }, Side { file: &new, tables: new_tables });
        difference::make(&old, &new, sink).map_err(io("write a delta into", path))
    })?;
    Ok(DeltaEntry { from: from.clone(), to: to.clone(), file })
}

/// A new file of the repository, under its name only when it is complete.
fn add(
    repository: &Path,
    name: String,
    fill: impl FnOnce(&Path, &mut files::Sink) -> Result<(), DistributionError>,
) -> Result<FileEntry, DistributionError> {
    let name = FileName::try_from(name).expect("numbers, hexadecimal digits and our suffixes are a plain name");
    let path = repository.join(name.as_str());
    let partial = files::beside(&path, "new");
    let Seen { digest, bytes } = files::write(&partial, u64::MAX, |sink| fill(&path, sink))?;
    files::rename(&partial, &path)?;
    Ok(FileEntry { name, digest, bytes })
}

/// Removes databases and deltas that none of the indexes lists, and what killed processes left unfinished.
/// Any other file is not ours.
pub(super) fn remove_unlisted(folder: &Path, indexes: &[Option<&Index>]) -> Result<Vec<String>, DistributionError> {
    let files = indexes.iter().flatten().flat_map(|index| index.files());
    let listed: HashSet<&str> = files.map(|file| file.name.as_str()).collect();
    let ours = |name: &str| {
        name.ends_with(FULL_SUFFIX)
            || name.ends_with(DELTA_SUFFIX)
            || (name.starts_with('.') && name.ends_with(files::PARTIAL))
    };
    let mut removed = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io("list", folder))? {
        let name = entry.map_err(io("list", folder))?.file_name();
        let Some(name) = name.to_str().filter(|name| ours(name) && !listed.contains(name)) else {
            continue;
        };
        let path = folder.join(name);
        std::fs::remove_file(&path).map_err(io("remove", &path))?;
        removed.push(name.to_owned());
    }
    removed.sort();
    Ok(removed)
}
