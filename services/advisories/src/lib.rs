//! Advisories: keeps the advisory database current and distributes it.
//!
//! Fetches the feeds, only what changed; builds the immutable file of a new epoch when something did; puts file and
//! delta into the store, from where every matcher takes them. A feed that fails keeps its last good copy in use.

mod build;
mod config;
mod feed;
mod grpc;

pub use config::{Config, DEFAULT_FEEDS};
pub use grpc::Questions;

use anyhow::{Context, Result};
use feed::Feed;
use muster_kit::{Backends, Round, Rounds, Stop};
use muster_wire::v1;
use std::{sync::Arc, time::Duration};
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

/// Keeps the database current.
pub struct Advisories {
    backends: Backends,
    config: Config,
    feeds: Vec<Feed>,
    health: Health,
    wake: Arc<Notify>,
    rounds: Rounds,
}

impl Advisories {
    /// Ready when its folder is there; feeds may be away for now.
    pub async fn start(backends: Backends, config: Config) -> Result<Self> {
        let folder = backends.data_folder.join("feeds");
        tokio::fs::create_dir_all(&folder).await.with_context(|| format!("create {}", folder.display()))?;
        let feeds = config.feeds.iter().map(|location| Feed::new(location, &folder)).collect::<Result<_>>()?;
        let health = Arc::new(Mutex::new(Vec::new()));
        Ok(Self { backends, config, feeds, health, wake: Arc::new(Notify::new()), rounds: Rounds::default() })
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
            let pause = Duration::from_secs(self.config.feed_seconds);
            next = Instant::now() + if complete { pause } else { pause.min(RETRY) };
        }
        relay.await.context("relay the outbox")?;
        Ok(())
    }

    /// One round over the feeds, by whichever replica holds the lease. `false`: something has to be tried again soon.
    async fn round(&mut self) -> Result<bool> {
        let Backends { cache, instance, .. } = self.backends.clone();
        let work = async {
            match &self.config.advisories {
                Some(file) => build::adopt(&self.backends, file).await.map(|()| true),
                None => self.fetch_and_build().await,
            }
        };
        let leased = muster_kit::while_leased(cache.as_ref(), "advisories", &instance, work).await?;
        Ok(leased.unwrap_or(false))
    }

    async fn fetch_and_build(&mut self) -> Result<bool> {
        let mut well = true;
        for feed in &mut self.feeds {
            if let Err(error) = feed.fetch().await {
                well = false;
                warn!(feed = %feed.location(), error = format!("{error:#}"), "feed not fetched, its last copy stays in use");
            }
        }
        let contents = self.feeds.iter().filter_map(Feed::copy).collect();
        if let Some(summaries) = build::update(&self.backends, contents).await? {
            for feed in &mut self.feeds {
                feed.note(&summaries);
            }
            info!("advisory database updated");
        }
        *self.health.lock().await = self.feeds.iter().map(Feed::health).collect();
        Ok(well)
    }
}
