//! The advisory database in use: the newest epoch's file, fetched from the store and mapped into memory.

use anyhow::{Context, Result};
use arc_swap::ArcSwapOption;
use muster_advisories::Database;
use muster_store::{Epoch, Store};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Mutex;
use tracing::{info, warn};

/// An epoch and its open file.
pub struct Open {
    /// The store's number of it.
    pub epoch: u64,
    /// The mapped file.
    pub database: Database,
}

/// Swaps in the newest epoch whenever somebody asks and there is a newer one.
pub struct Current {
    store: Store,
    folder: PathBuf,
    open: ArcSwapOption<Open>,
    /// Held while a file is fetched, so that it is fetched once.
    fetching: Mutex<()>,
}

impl Current {
    pub fn new(store: Store, data_folder: &Path) -> Self {
        let folder = data_folder.join("advisories");
        Self { store, folder, open: ArcSwapOption::empty(), fetching: Mutex::new(()) }
    }

    /// The newest epoch; `None` before the first. One short question to the store when nothing is new.
    pub async fn newest(&self) -> Result<Option<Arc<Open>>> {
        let Some(number) = self.store.latest_epoch_number().await.context("read the latest epoch")? else {
            return Ok(None);
        };
        if let Some(open) = self.open.load_full().filter(|open| open.epoch >= number) {
            return Ok(Some(open));
        }
        let _fetching = self.fetching.lock().await;
        let Some(epoch) = self.store.latest_epoch().await.context("read the latest epoch")? else {
            return Ok(None);
        };
        if let Some(open) = self.open.load_full().filter(|open| open.epoch >= epoch.number) {
            return Ok(Some(open));
        }
        let open = Arc::new(self.fetch(&epoch).await.with_context(|| format!("open epoch {}", epoch.number))?);
        self.open.store(Some(Arc::clone(&open)));
        Ok(Some(open))
    }

    /// The file is named after its content, so replicas on one machine share it and a restart finds it.
    async fn fetch(&self, epoch: &Epoch) -> Result<Open> {
        tokio::fs::create_dir_all(&self.folder).await.with_context(|| format!("create {}", self.folder.display()))?;
        let path = self.folder.join(format!("{}.advisories", epoch.digest.hex()));
        if !tokio::fs::try_exists(&path).await.with_context(|| format!("look for {}", path.display()))? {
            self.store.fetch_database(epoch.number, &path).await.context("fetch the database")?;
        }
        let database = Database::open(&path).with_context(|| format!("open {}", path.display()))?;
        info!(epoch = epoch.number, digest = %epoch.digest, "advisory database in use");
        self.drop_others(&path).await;
        Ok(Open { epoch: epoch.number, database })
    }

    /// Older files go: whoever still has one mapped keeps it until it is done.
    async fn drop_others(&self, keep: &Path) {
        let Ok(mut entries) = tokio::fs::read_dir(&self.folder).await else { return };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let path = entry.path();
            let ours = path.extension().is_some_and(|extension| extension == "advisories");
            if ours
                && path != keep
                && let Err(error) = tokio::fs::remove_file(&path).await
            {
                warn!(path = %path.display(), %error, "old database not removed");
            }
        }
    }
}
