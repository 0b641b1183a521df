//! Advisories: keeps the advisory database current and distributes it.
//!
//! Fetches the feeds, only what changed; builds the immutable file of a new epoch when something did; puts file and
//! delta into the store, from where every matcher takes them. A feed that fails keeps its last good copy in use.
//! In place of feeds it takes a file that somebody built, or the newest database of a signed repository.

mod build;
mod config;
mod feed;
mod grpc;
pub mod location;
mod repository;

pub use config::{Config, DEFAULT_FEEDS};
pub use grpc::Questions;

use anyhow::{Context, Result};
use feed::Feed;
use muster_kit::{Backends, Round, Rounds, Stop};
use muster_wire::v1;
use repository::Repository;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, Notify, watch},
    time::Instant,
};
use tracing::{info, warn};

/// The name in logs, metrics, leases and the outbox.
pub const SERVICE: &str = "advisories";

/// A feed that failed, and a build that somebody else holds, are tried again after this.
const RETRY: Duration = Duration::from_secs(60);

/// How the feeds do, for whoever asks.
pub(crate) type Health = Arc<Mutex<Vec<v1::Feed>>>;

/// Where databases come from.
enum Origin {
    /// Built here.
    Feeds(Vec<Feed>),
    /// Built by somebody whom the operator trusts.
    File(PathBuf),
    /// Built and signed by somebody else.
    Repository(Box<Repository>),
}

/// Keeps the database current.
pub struct Advisories {
    backends: Backends,
    pause: Duration,
    origin: Origin,
    health: Health,
    wake: Arc<Notify>,
    rounds: Rounds,
}

impl Advisories {
    /// Ready when its folder is there; feeds and repository may be away for now.
    pub async fn start(backends: Backends, config: Config) -> Result<Self> {
        let folder = backends.data_folder.join("feeds");
        tokio::fs::create_dir_all(&folder).await.with_context(|| format!("create {}", folder.display()))?;
        let origin = match (&config.advisories, &config.repository) {
            (Some(file), _) => Origin::File(file.clone()),
            (None, Some(location)) => {
                Origin::Repository(Box::new(Repository::new(location, &config.repository_key, &folder)?))
            }
            (None, None) => {
                let feeds = config.feeds.iter().map(|location| Feed::new(location, &folder));
                let mut feeds = feeds.collect::<Result<Vec<_>>>()?;
                build::note(&mut feeds, &build::last_summaries(&folder).await);
                Origin::Feeds(feeds)
            }
        };
        let pause = Duration::from_secs(config.feed_seconds);
        let health = Arc::new(Mutex::new(Vec::new()));
        Ok(Self { backends, pause, origin, health, wake: Arc::new(Notify::new()), rounds: Rounds::default() })
    }

    /// Its gRPC questions.
    pub fn questions(&self) -> Questions {
        Questions::new(self.backends.clone(), Arc::clone(&self.health), Arc::clone(&self.wake), self.rounds.subscribe())
    }

    /// The rounds over the feeds that have ended.
    pub fn rounds(&self) -> watch::Receiver<Round> {
        self.rounds.subscribe()
    }

    /// Works until `stop` fires.
    pub async fn run(mut self, stop: Stop) -> Result<()> {
        let relay = tokio::spawn(muster_kit::relay_outbox(
            SERVICE,
            self.backends.store.clone(),
            Arc::clone(&self.backends.bus),
            stop.clone(),
        ));
        let mut next = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(next) => {}
                () = self.wake.notified() => {}
            }
            let complete = tokio::select! {
                () = stop.cancelled() => break,
                outcome = self.round() => outcome.unwrap_or_else(|error| {
                    warn!(error = format!("{error:#}"), "advisories not updated");
                    false
                }),
            };
            self.rounds.end(complete);
            next = Instant::now() + if complete { self.pause } else { self.pause.min(RETRY) };
        }
        relay.await.context("relay the outbox")?;
        Ok(())
    }

    /// One round, by whichever replica holds the lease. `false`: something has to be tried again soon.
    async fn round(&mut self) -> Result<bool> {
        let Self { backends, origin, health, .. } = self;
        let Backends { cache, instance, .. } = backends.clone();
        let work = async {
            match origin {
                Origin::File(file) => build::adopt(backends, file).await.map(|()| true),
                Origin::Repository(repository) => {
                    let outcome = repository.update(backends).await;
                    *health.lock().await = vec![repository.health()];
                    outcome.map(|()| true)
                }
                Origin::Feeds(feeds) => {
                    let outcome = fetch_and_build(backends, feeds).await;
                    *health.lock().await = feeds.iter().map(Feed::health).collect();
                    outcome
                }
            }
        };
        let leased = muster_kit::while_leased(cache.as_ref(), "advisories", &instance, work).await?;
        Ok(leased.unwrap_or(false))
    }
}

async fn fetch_and_build(backends: &Backends, feeds: &mut [Feed]) -> Result<bool> {
    let mut well = true;
    for feed in &mut *feeds {
        if let Err(error) = feed.fetch().await {
            well = false;
            warn!(feed = %feed.location(), error = format!("{error:#}"), "feed not fetched, its last copy stays in use");
        }
    }
    let contents = feeds.iter().filter_map(Feed::copy).collect();
    if let Some(summaries) = build::update(backends, contents).await? {
        build::note(feeds, &summaries);
        info!("advisory database updated");
    }
    Ok(well)
}
