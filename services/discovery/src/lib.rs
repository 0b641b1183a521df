//! Discovery: pages through EC2, SSM, ECR, Lambda and the network of each account and region, and tells of
//! what changed.
//!
//! A sweep compares what AWS lists with what the store knows; only differences become facts. Several replicas may
//! run: each account and region is swept by whoever holds its lease. A listing that fails marks nothing as gone.

mod config;
mod grpc;
mod sweep;

pub use config::Config;
pub use grpc::Questions;

use anyhow::{Context, Result};
use muster_aws::Aws;
use muster_kit::{Backends, Round, Rounds, Stop};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// The name in logs, metrics, leases and the outbox.
pub const SERVICE: &str = "discovery";

/// Sweeps every account and region, now and then again.
pub struct Discovery {
    backends: Backends,
    aws: Aws,
    config: Config,
    wake: Arc<Notify>,
    rounds: Rounds,
}

impl Discovery {
    /// Ready when the store answers; AWS may be away for now.
    pub async fn start(backends: Backends, aws: Aws, config: Config) -> Result<Self> {
        backends.store.account_statuses().await.context("read account statuses")?;
        Ok(Self { backends, aws, config, wake: Arc::new(Notify::new()), rounds: Rounds::default() })
    }

    /// Its gRPC questions.
    pub fn questions(&self) -> Questions {
        Questions::new(self.backends.store.clone(), Arc::clone(&self.wake))
    }

    /// The sweeps of all accounts and regions that have ended.
    pub fn rounds(&self) -> watch::Receiver<Round> {
        self.rounds.subscribe()
    }

    /// Works until `stop` fires; the account and region in hand are finished first.
    pub async fn run(self, stop: Stop) -> Result<()> {
        let relay = tokio::spawn(muster_kit::relay_outbox(
            SERVICE,
            self.backends.store.clone(),
            Arc::clone(&self.backends.bus),
            stop.clone(),
        ));
        let mut next = Instant::now();
        let mut lane = muster_bus::Lane::Scheduled;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(next) => {}
                () = self.wake.notified() => lane = muster_bus::Lane::OnDemand,
            }
            let complete = sweep::all(&self.backends, &self.aws, lane, &stop).await;
            if let Err(error) = self.backends.store.purge_gone(jiff::Timestamp::now()).await {
                tracing::warn!(%error, "resources that are long gone not deleted");
            }
            self.rounds.end(complete);
            next = Instant::now() + Duration::from_secs(self.config.sweep_seconds);
            lane = muster_bus::Lane::Scheduled;
        }
        relay.await.context("relay the outbox")?;
        Ok(())
    }
}
