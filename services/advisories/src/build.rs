//! A new epoch: built when what the feeds hold has changed, put into the store with what it touches.

use crate::feed::{Feed, Held, REASONS_MAX};
use anyhow::{Context, Result, bail};
use metrics::gauge;
use muster_advisories::{BuildReport, Builder, Changes, Database, Delta, source};
use muster_bus::{Fact, Lane, Subject};
use muster_domain::Digest;
use muster_kit::Backends;
use muster_store::{Epoch, RecordChanges, StoredDelta};
use muster_wire::v1;
use std::path::{Path, PathBuf};
use tracing::{info, warn};

/// What each copy held when it was last read.
pub type Summaries = Vec<(PathBuf, Held)>;

/// The file beside the feeds' copies that has them.
const SUMMARIES: &str = "held.json";

/// Reads the feeds' copies and builds an epoch, unless they are what the newest epoch was built from.
/// Returns what each copy held when there is a new epoch.
pub async fn update(backends: &Backends, copies: Vec<PathBuf>) -> Result<Option<Summaries>> {
    if copies.is_empty() {
        bail!("no feed could be read yet");
    }
    let state = backends.data_folder.join("feeds").join("built-from");
    let latest = backends.store.latest_epoch().await.context("read the latest epoch")?;
    let contents = {
        let copies = copies.clone();
        tokio::task::spawn_blocking(move || contents(&copies)).await.context("digest the feeds")??
    };
    // Which feeds an epoch was built from stands beside their copies, with the epoch that came of it.
    let built_from = |epoch: &Epoch| format!("{contents} {}", epoch.digest);
    if let (Some(latest), Ok(text)) = (&latest, tokio::fs::read_to_string(&state).await)
        && text == built_from(latest)
    {
        return Ok(None);
    }
    let number = latest.as_ref().map_or(1, |epoch| epoch.number + 1);
    let path = backends.data_folder.join("feeds").join("building.advisories");
    let (report, summaries) = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || build(number, &copies, &path)).await.context("build the database")??
    };
    for reject in report.rejects.iter().take(REASONS_MAX) {
        warn!(place = reject.place, reason = reject.reason, "not used");
    }
    info!(epoch = number, advisories = report.advisories, rejects = report.rejects.len(), "database built");
    let epoch = put(backends, &path, latest).await?;
    tokio::fs::write(&state, built_from(&epoch)).await.context("note what was built from")?;
    tokio::fs::remove_file(&path).await.context("remove the built file, now in the store")?;
    let told = serde_json::to_vec(&summaries).context("encode what the feeds held")?;
    tokio::fs::write(state.with_file_name(SUMMARIES), told).await.context("note what the feeds held")?;
    Ok(Some(summaries))
}

/// What the copies held at the last build, also that of an earlier process; nothing when that is not known.
pub async fn last_summaries(folder: &Path) -> Summaries {
    let Ok(bytes) = tokio::fs::read(folder.join(SUMMARIES)).await else {
        return Summaries::new();
    };
    serde_json::from_slice(&bytes).unwrap_or_else(|error| {
        warn!(%error, "what the feeds held is not known until the next build");
        Summaries::new()
    })
}

/// Tells each feed what its copy held.
pub fn note(feeds: &mut [Feed], summaries: &Summaries) {
    feeds.iter_mut().for_each(|feed| feed.note(summaries));
}

/// Puts a file that somebody built into the store as the newest epoch, unless it already is.
pub async fn adopt(backends: &Backends, file: &Path) -> Result<()> {
    let latest = backends.store.latest_epoch().await.context("read the latest epoch")?;
    let database = Database::open(file).with_context(|| format!("open {}", file.display()))?;
    if latest.as_ref().is_some_and(|latest| latest.digest == database.info().digest) {
        return Ok(());
    }
    put(backends, file, latest).await.map(|_| ())
}

fn build(number: u64, copies: &[PathBuf], path: &Path) -> Result<(BuildReport, Summaries)> {
    let mut builder = Builder::new(number, jiff::Timestamp::now()).beside(path);
    let mut summaries = Vec::new();
    for copy in copies {
        let mut held = Held::default();
        let read = source::read(copy, &mut |item| {
            if let Some(skipped) = builder.take(item).filter(|_| held.reasons.len() < REASONS_MAX) {
                warn!(place = skipped.place, reason = skipped.reason, "set aside");
                held.reasons.push(skipped);
            }
        });
        for summary in read.with_context(|| format!("read {}", copy.display()))? {
            held.records += summary.records;
            held.set_aside += summary.set_aside;
        }
        summaries.push((copy.clone(), held));
    }
    let report = builder.write(path).with_context(|| format!("write {}", path.display()))?;
    Ok((report, summaries))
}

/// Writes file, delta and the fact that tells of them, unless the file says what the newest epoch says already.
/// Answers with the epoch that counts.
async fn put(backends: &Backends, path: &Path, latest: Option<Epoch>) -> Result<Epoch> {
    let previous = match &latest {
        Some(latest) => {
            let previous = backends.data_folder.join("feeds").join("previous.advisories");
            backends.store.fetch_database(latest.number, &previous).await.context("fetch the previous database")?;
            Some(previous)
        }
        None => None,
    };
    let new = path.to_path_buf();
    let (info, difference) = tokio::task::spawn_blocking(move || -> Result<_> {
        let new = Database::open(&new).context("open the new database")?;
        let difference = match &previous {
            Some(previous) => {
                let old = Database::open(previous).context("open the previous database")?;
                (old.info().contents != new.info().contents).then(|| difference(&old, &new)).transpose()?
            }
            None => Some((Delta { touched: Vec::new(), everything: true }, None)),
        };
        Ok((new.info(), difference))
    })
    .await
    .context("compare the databases")??;
    let (number, (delta, changes)) = match (latest, difference) {
        (Some(latest), None) => return Ok(latest), // the same words in other files
        (latest, difference) => (latest.map_or(1, |latest| latest.number + 1), difference.unwrap_or_default()),
    };
    let epoch = Epoch {
        number,
        digest: info.digest.clone(),
        built_at: info.built_at,
        advisories: info.advisories,
        bytes: tokio::fs::metadata(path).await.with_context(|| format!("look at {}", path.display()))?.len(),
        delta: StoredDelta { touched: delta.touched, everything: delta.everything },
        changes,
    };
    let subject = Subject::new(Fact::AdvisoriesChanged, "_", "_", "_", Lane::Scheduled);
    let fact = v1::AdvisoriesChanged { epoch: number, digest: info.digest.to_string() };
    let message = muster_kit::outbox_message(&subject, "advisories", &fact);
    backends.store.put_epoch(&epoch, path, message).await.context("write the epoch")?;
    gauge!("muster_advisory_epoch").set(number as f64);
    info!(epoch = number, touched = epoch.delta.touched.len(), everything = epoch.delta.everything, "epoch published");
    Ok(epoch)
}

/// What has to be judged again, and how many records that comes from.
fn difference(old: &Database, new: &Database) -> Result<(Delta, Option<RecordChanges>)> {
    let Changes { added, changed, withdrawn } = muster_advisories::changes(old, new).context("count the changes")?;
    Ok((muster_advisories::delta(old, new), Some(RecordChanges { added, changed, withdrawn })))
}

/// One digest over the names and bytes of all files, in a fixed order.
fn contents(copies: &[PathBuf]) -> Result<Digest> {
    let mut files = Vec::new();
    for copy in copies {
        collect(copy, &mut files)?;
    }
    let mut lines = String::new();
    for file in files {
        let bytes = std::fs::File::open(&file).and_then(digest);
        let digest = bytes.with_context(|| format!("read {}", file.display()))?;
        lines.push_str(&format!("{} {digest}\n", file.display()));
    }
    Ok(Digest::of(lines.as_bytes()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let metadata = std::fs::metadata(path).with_context(|| format!("look at {}", path.display()))?;
    if !metadata.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("list {}", path.display()))?;
    let mut entries: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    entries.iter().try_for_each(|entry| collect(entry, files))
}

fn digest(mut file: std::fs::File) -> std::io::Result<String> {
    use sha2::Digest as _;
    use std::io::Read as _;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(hasher.finalize())),
            length => hasher.update(&buffer[..length]),
        }
    }
}
