//! A signed repository in place of feeds: its newest database becomes the next epoch, when it is what a holder of a
//! trusted key signed and not older than what is in use.

use crate::{build, location::Location};
use anyhow::{Context, Result, ensure};
use muster_advisories::{
    Database,
    distribution::{self, PublicKey, Trust, Updated},
};
use muster_domain::{Digest, Skipped};
use muster_kit::Backends;
use muster_wire::v1;
use std::path::{Path, PathBuf};
use tracing::{info, warn};

/// A repository and the last good database out of it.
pub struct Repository {
    location: Location,
    keys: Vec<PublicKey>,
    /// The last good database: what the next delta is applied to, and what a repository must not be older than.
    copy: PathBuf,
    /// Of the copy that the store has, or that says what the store's says.
    in_store: Option<Digest>,
    checked_at: Option<jiff::Timestamp>,
    advisories: u64,
    refused: Vec<Skipped>,
    error: Option<String>,
}

impl Repository {
    /// Fails on a location of another kind, without a key, and on a key that cannot be read. The copy stands in `folder`.
    pub fn new(location: &str, keys: &[PathBuf], folder: &Path) -> Result<Self> {
        ensure!(!keys.is_empty(), "repository `{location}` is checked against public keys, and none is given");
        let read = |path: &PathBuf| PublicKey::read(path).with_context(|| format!("read key {}", path.display()));
        Ok(Self {
            location: Location::new(location)?,
            keys: keys.iter().map(read).collect::<Result<_>>()?,
            copy: folder.join("repository.advisories"),
            in_store: None,
            checked_at: None,
            advisories: 0,
            refused: Vec::new(),
            error: None,
        })
    }

    /// Brings the copy and then the store up to the repository's newest epoch. On a failure both are as they were.
    pub async fn update(&mut self, backends: &Backends) -> Result<()> {
        let outcome = self.try_update(backends).await;
        self.error = outcome.as_ref().err().map(|error| format!("{error:#}"));
        outcome.with_context(|| format!("update from {}, the database in use stays", self.location))
    }

    async fn try_update(&mut self, backends: &Backends) -> Result<()> {
        let updated = {
            let (location, copy, trust) = (self.location.clone(), self.copy.clone(), Trust::from(self.keys.clone()));
            tokio::task::spawn_blocking(move || fetch(&location, &copy, &trust))
                .await
                .context("fetch the database")??
        };
        self.refused.clear();
        for refused in &updated.refused {
            let reason = chain(&refused.why);
            warn!(place = refused.name, reason, "refused, the full file was taken in its place");
            self.refused.push(Skipped { place: refused.name.clone(), reason });
        }
        if self.in_store.as_ref() != Some(&updated.id.digest) {
            self.check_age(backends, &updated).await?;
            build::adopt(backends, &self.copy).await.context("put the database into the store")?;
            self.in_store = Some(updated.id.digest.clone());
            self.advisories = Database::open(&self.copy).context("open the copy")?.info().advisories;
            let (repository_epoch, built_at) = (updated.id.epoch, updated.built_at);
            info!(location = %self.location, repository_epoch, %built_at, "database taken from the repository");
        }
        self.checked_at = Some(jiff::Timestamp::now());
        Ok(())
    }

    /// The copy may be gone, or another replica's: then only the store knows what is in use. The epochs of store and
    /// repository count apart, so the time at which they were built decides.
    async fn check_age(&self, backends: &Backends, updated: &Updated) -> Result<()> {
        let latest = backends.store.latest_epoch().await.context("read the latest epoch")?;
        if let Some(latest) = latest.filter(|latest| latest.digest != updated.id.digest) {
            ensure!(
                updated.built_at.as_microsecond() >= latest.built_at.as_microsecond(),
                "its epoch {} was built at {}, before the database in use, which was built at {}",
                updated.id.epoch,
                updated.built_at,
                latest.built_at
            );
        }
        Ok(())
    }

    /// For whoever asks.
    pub fn health(&self) -> v1::Feed {
        v1::Feed {
            location: self.location.to_string(),
            fetched_at: self.checked_at.map(muster_wire::timestamp),
            records: self.advisories,
            set_aside: self.refused.len() as u64,
            reasons: self.refused.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason)).collect(),
            error: self.error.clone().unwrap_or_default(),
        }
    }
}

fn fetch(location: &Location, copy: &Path, trust: &Trust) -> Result<Updated> {
    let current = copy.exists().then_some(copy);
    Ok(distribution::update(current, copy, trust, location.files()?)?)
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}
