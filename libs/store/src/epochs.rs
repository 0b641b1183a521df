//! Epochs: the builds of the advisory database, their files, and what changed from one to the next.

use crate::{
    ADVISORIES, OutboxMessage, Store, StoreError, body,
    engine::{Write, values},
    limit,
};
use muster_domain::{Digest, Touched};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Of the file, in one row: small enough for any engine's row, large enough to compress well.
const CHUNK_BYTES: usize = 1 << 20;

/// Files of the last epochs that are kept: a matcher that is fetching may be two builds behind.
const FILES_KEPT: i64 = 3;

/// Epochs whose changed names are kept, at most: who marks nothing for so long marks everything.
const DELTAS_KEPT: i64 = 100;

/// Names that are read at once: beyond, matching everything anew costs less than looking each name up.
const NAMES_MAX: i64 = 200_000;

/// One build of the advisory database.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// Counts the builds, from 1.
    pub number: u64,
    /// Of the file.
    pub digest: Digest,
    /// When it was built.
    pub built_at: jiff::Timestamp,
    /// Records in it.
    pub advisories: u64,
    /// Size of the file.
    pub bytes: u64,
    /// What changed since the epoch before.
    pub delta: StoredDelta,
    /// How many records that comes from; `None`: there was no epoch before, or it was not counted.
    pub changes: Option<RecordChanges>,
}

/// How many records differ from one epoch to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordChanges {
    /// New.
    pub added: u64,
    /// What they say of packages, or how their vulnerability is rated.
    pub changed: u64,
    /// Taken back or gone.
    pub withdrawn: u64,
}

/// What changed from one epoch to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredDelta {
    /// The packages and versions whose answers may have changed, sorted.
    pub touched: Vec<Touched>,
    /// Any answer may have changed; then `touched` is empty.
    pub everything: bool,
}

type Row = (i64, String, i64, i64, i64, i64, Option<i64>, Option<i64>, Option<i64>);
type TouchedRow = (i64, String, String, Option<Vec<u8>>, Option<Vec<u8>>);

impl Store {
    /// Takes in a build with its file. The same build again changes nothing and tells nothing; another build under
    /// the same number is a conflict.
    pub async fn put_epoch(&self, epoch: &Epoch, file: &Path, message: OutboxMessage) -> Result<(), StoreError> {
        const QUERY: &str = "take in an advisory database";
        let number = body::signed(epoch.number);
        let mut write = self.engine.write(QUERY).await?;
        write.lock("muster epochs").await?;
        let known: Vec<(String,)> = write.rows("SELECT digest FROM epoch WHERE number = $1", values![number]).await?;
        match known.first() {
            Some((digest,)) if digest == epoch.digest.as_str() => return Ok(()),
            Some((digest,)) => {
                return Err(StoreError::Conflict { query: QUERY, detail: format!("epoch {number} is {digest}") });
            }
            None => {}
        }
        let count = |count: fn(RecordChanges) -> u64| epoch.changes.map(|changes| body::signed(count(changes)));
        write
            .run(
                "INSERT INTO epoch (number, digest, built_at, advisories, bytes, touches_everything, records_added,
                 records_changed, records_withdrawn) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                values![
                    number,
                    &epoch.digest,
                    epoch.built_at,
                    body::signed(epoch.advisories),
                    body::signed(epoch.bytes),
                    i64::from(epoch.delta.everything),
                    count(|changes| changes.added),
                    count(|changes| changes.changed),
                    count(|changes| changes.withdrawn),
                ],
            )
            .await?;
        put_file(&mut write, epoch, file).await?;
        if !epoch.delta.everything {
            let rows = epoch.delta.touched.iter().map(|one| {
                values![number, one.ecosystem.as_str(), one.name.as_str(), one.from.clone(), one.to.clone()]
            });
            let head = "INSERT INTO epoch_delta (epoch, ecosystem, name, version_from, version_to)";
            write.insert(head, rows.collect(), "ON CONFLICT (epoch, ecosystem, name) DO NOTHING").await?;
        }
        drop_old(&mut write).await?;
        write.tell(ADVISORIES, [message]).await?;
        write.commit().await
    }

    /// The newest epoch.
    pub async fn latest_epoch(&self) -> Result<Option<Epoch>, StoreError> {
        let Some(number) = self.latest_epoch_number().await? else {
            return Ok(None);
        };
        Ok(self.epochs_after(number.saturating_sub(1)).await?.pop())
    }

    /// The newest epoch's number.
    pub async fn latest_epoch_number(&self) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT MAX(number) FROM epoch";
        let row: Option<(Option<i64>,)> = self.engine.row("read the newest epoch", sql, Vec::new()).await?;
        row.and_then(|(number,)| number).map(body::unsigned).transpose()
    }

    /// All epochs after this one, oldest first. When they touch very many names together, each says `everything`.
    pub async fn epochs_after(&self, number: u64) -> Result<Vec<Epoch>, StoreError> {
        const QUERY: &str = "list epochs";
        let after = body::signed(number);
        let epochs = "SELECT number, digest, built_at, advisories, bytes, touches_everything, records_added,
            records_changed, records_withdrawn FROM epoch WHERE number > $1 ORDER BY number LIMIT $2";
        let epochs: Vec<Row> = self.engine.rows(QUERY, epochs, values![after, limit(u32::MAX)]).await?;
        let names = "SELECT epoch, ecosystem, name, version_from, version_to FROM epoch_delta WHERE epoch > $1
            ORDER BY epoch, ecosystem, name LIMIT $2";
        let names: Vec<TouchedRow> = self.engine.rows(QUERY, names, values![after, NAMES_MAX + 1]).await?;
        let too_many = names.len() as i64 > NAMES_MAX;
        let mut touched: BTreeMap<i64, Vec<Touched>> = BTreeMap::new();
        for (epoch, ecosystem, name, from, to) in names.into_iter().filter(|_| !too_many) {
            let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
            touched.entry(epoch).or_default().push(Touched { ecosystem, name, from, to });
        }
        let epoch = |(number, digest, built_at, advisories, bytes, everything, added, changed, withdrawn): Row| {
            let changes = match (added, changed, withdrawn) {
                (Some(added), Some(changed), Some(withdrawn)) => Some(RecordChanges {
                    added: body::unsigned(added)?,
                    changed: body::unsigned(changed)?,
                    withdrawn: body::unsigned(withdrawn)?,
                }),
                _ => None,
            };
            Ok(Epoch {
                changes,
                delta: StoredDelta {
                    touched: touched.remove(&number).unwrap_or_default(),
                    everything: everything != 0 || too_many,
                },
                number: body::unsigned(number)?,
                digest: body::digest(digest)?,
                built_at: body::time(built_at)?,
                advisories: body::unsigned(advisories)?,
                bytes: body::unsigned(bytes)?,
            })
        };
        epochs.into_iter().map(epoch).collect()
    }

    /// Writes an epoch's file to `to`, chunk by chunk beside it and renamed when its digest is right: what stands at
    /// `to` is always whole. Only the last three epochs have files.
    pub async fn fetch_database(&self, number: u64, to: &Path) -> Result<(), StoreError> {
        static PARTS: AtomicU64 = AtomicU64::new(0);
        let mut beside = to.as_os_str().to_owned();
        beside.push(format!(".{}-{}.part", std::process::id(), PARTS.fetch_add(1, Ordering::Relaxed)));
        let beside = PathBuf::from(beside);
        let fetched = self.fetch_beside(number, &beside).await;
        let renamed = match fetched {
            Ok(()) => tokio::fs::rename(&beside, to).await.map_err(|cause| file_error(to, cause)),
            Err(error) => Err(error),
        };
        if renamed.is_err() {
            // the first error is the one to tell; what may stay behind is only a `.part`
            let _ = tokio::fs::remove_file(&beside).await;
        }
        renamed
    }

    async fn fetch_beside(&self, number: u64, beside: &Path) -> Result<(), StoreError> {
        const QUERY: &str = "fetch an advisory database";
        let missing = || StoreError::Missing { what: format!("the advisory database of epoch {number}") };
        let key = body::signed(number);
        let sql = "SELECT digest, bytes FROM epoch WHERE number = $1";
        let row: Option<(String, i64)> = self.engine.row(QUERY, sql, values![key]).await?;
        let (digest, bytes) = row.ok_or_else(missing)?;
        let bytes = body::unsigned(bytes)?;

        let mut file = tokio::fs::File::create(beside).await.map_err(|cause| file_error(beside, cause))?;
        let mut hash = Sha256::new();
        let mut written = 0;
        let mut part = 0_i64;
        while written < bytes {
            let sql = "SELECT body FROM epoch_chunk WHERE epoch = $1 AND part = $2";
            let row: Option<(Vec<u8>,)> = self.engine.row(QUERY, sql, values![key, part]).await?;
            let (packed,) = row.ok_or_else(missing)?;
            let chunk = body::unpack(&packed, || format!("part {part} of the advisory database {number}"))?;
            hash.update(&chunk);
            file.write_all(&chunk).await.map_err(|cause| file_error(beside, cause))?;
            written += chunk.len() as u64;
            part += 1;
        }
        let found = format!("sha256:{}", hex::encode(hash.finalize()));
        if found != digest {
            let what = format!("advisory database of epoch {number}");
            return Err(StoreError::Corrupt { what, why: format!("its digest is {found}, not {digest}") });
        }
        file.sync_all().await.map_err(|cause| file_error(beside, cause))
    }
}

/// Stores the file in chunks, and refuses one that is not what the epoch says.
async fn put_file(write: &mut Write, epoch: &Epoch, path: &Path) -> Result<(), StoreError> {
    let mut file = tokio::fs::File::open(path).await.map_err(|cause| file_error(path, cause))?;
    let mut hash = Sha256::new();
    let mut bytes = 0;
    for part in 0_i64.. {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk).await.map_err(|cause| file_error(path, cause))?;
        if chunk.is_empty() {
            break;
        }
        hash.update(&chunk);
        bytes += chunk.len() as u64;
        let sql = "INSERT INTO epoch_chunk (epoch, part, body) VALUES ($1, $2, $3)";
        write.run(sql, values![body::signed(epoch.number), part, body::pack(&chunk)]).await?;
    }
    let digest = format!("sha256:{}", hex::encode(hash.finalize()));
    if digest != epoch.digest.as_str() || bytes != epoch.bytes {
        let why = format!(
            "file `{}` has {bytes} bytes and {digest}, epoch {} says {} and {}",
            path.display(),
            epoch.number,
            epoch.bytes,
            epoch.digest
        );
        return Err(StoreError::Invalid { query: write.query, why });
    }
    Ok(())
}

/// Drops old files, and the changed names that are marked already or very old. An epoch whose names are dropped says
/// `everything` from then on.
async fn drop_old(write: &mut Write) -> Result<(), StoreError> {
    write
        .run(
            "DELETE FROM epoch_chunk WHERE epoch NOT IN (SELECT number FROM epoch ORDER BY number DESC LIMIT $1)",
            values![FILES_KEPT],
        )
        .await?;
    let marked: Vec<(i64, i64)> = write
        .rows("SELECT COALESCE((SELECT done FROM marked_epoch), 0), (SELECT MAX(number) FROM epoch)", Vec::new())
        .await?;
    let last_dropped = marked.first().map_or(0, |(done, newest)| (*done).max(newest - DELTAS_KEPT));
    write.run("UPDATE epoch SET touches_everything = 1 WHERE number <= $1", values![last_dropped]).await?;
    write.run("DELETE FROM epoch_delta WHERE epoch <= $1", values![last_dropped]).await?;
    Ok(())
}

fn file_error(path: &Path, cause: std::io::Error) -> StoreError {
    StoreError::File { path: path.to_owned(), cause }
}
