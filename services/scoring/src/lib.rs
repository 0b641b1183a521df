//! Scoring: verdicts, exposure and exploit intelligence become findings that open, change and close.
//!
//! The decisions are `muster_engine`'s; this service carries what the store knows to them and writes the answer and
//! the facts that tell of it in one transaction.

mod config;
mod grpc;
mod score;

pub use config::Config;
pub use grpc::Questions;

use anyhow::{Context, Result};
use futures::{StreamExt, stream};
use muster_bus::{Fact, Lane, Message};
use muster_domain::ResourceId;
use muster_kit::{Backends, Batches, Stop, WorkOptions, Worker};
use muster_store::Store;
use muster_wire::v1;
use prost::Message as _;
use std::{sync::Arc, time::Duration};
use tracing::{info, warn};

/// The name in logs, metrics, leases and the outbox.
pub const SERVICE: &str = "scoring";

/// How often what is behind is looked for, should a message have been lost.
const CATCH_UP_EVERY: Duration = Duration::from_secs(30);

/// How many resources one look for what is behind takes on.
const CATCH_UP_PAGE: u32 = 500;

/// How many of them are in hand at a time: two batches.
const CATCH_UP_IN_HAND: usize = 2 * muster_kit::BATCH_MAX;

/// How often findings past their retention are deleted.
const PURGE_EVERY: Duration = Duration::from_secs(3600);

/// Turns verdicts into findings.
pub struct Scoring {
    backends: Backends,
    side_by_side: usize,
    changes: Worker,
}

impl Scoring {
    /// Ready when subscribed.
    pub async fn start(backends: Backends, config: Config) -> Result<Self> {
        let options = WorkOptions {
            service: SERVICE,
            group: SERVICE,
            fact: Fact::VerdictsChanged,
            concurrency: Batches::messages_in_hand(config.scoring_concurrency),
        };
        let changes = Worker::subscribe(options, backends.bus.as_ref()).await?;
        Ok(Self { backends, side_by_side: config.scoring_concurrency, changes })
    }

    /// Its gRPC questions.
    pub fn questions(&self) -> Questions {
        Questions::new(self.backends.store.clone())
    }

    /// Works until `stop` fires; the messages in hand are finished first.
    pub async fn run(self, stop: Stop) -> Result<()> {
        let Self { backends: Backends { store, bus, .. }, side_by_side, changes } = self;
        let batches = Batches::start(side_by_side, {
            let store = store.clone();
            move |members| score::score(store.clone(), members)
        });
        let handler = {
            let batches = Arc::clone(&batches);
            move |message| handle(Arc::clone(&batches), message)
        };
        tokio::join!(
            muster_kit::relay_outbox(SERVICE, store.clone(), Arc::clone(&bus), stop.clone()),
            muster_kit::watch_lag(SERVICE, SERVICE, &[Fact::VerdictsChanged], bus, stop.clone()),
            changes.run(stop.clone(), handler),
            catch_up(store, batches, stop.clone()),
        );
        Ok(())
    }
}

async fn handle(batches: Arc<Batches>, message: Message) -> Result<()> {
    let lane = message.subject.lane;
    let fact = v1::VerdictsChanged::decode(message.payload).context("decode verdicts.changed")?;
    batches.look_at(ResourceId::new(fact.resource_id), lane).await
}

/// Scores what is behind without a message, and deletes what is past its retention.
async fn catch_up(store: Store, batches: Arc<Batches>, stop: Stop) {
    let mut ticks = tokio::time::interval(CATCH_UP_EVERY);
    let mut purges = tokio::time::interval(PURGE_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => match store.unscored(CATCH_UP_PAGE).await {
                Ok(behind) => score_all(&batches, behind, &stop).await,
                Err(error) => warn!(%error, "what is behind was not read"),
            },
            _ = purges.tick() => match store.purge_closed(jiff::Timestamp::now()).await {
                Ok(0) => {}
                Ok(deleted) => info!(deleted, "closed findings deleted"),
                Err(error) => warn!(%error, "closed findings not deleted"),
            },
        }
    }
}

/// Scores these, and begins none after `stop`.
async fn score_all(batches: &Batches, behind: Vec<ResourceId>, stop: &Stop) {
    let each = async |id: ResourceId| {
        if let Err(error) = batches.look_at(id.clone(), Lane::Scheduled).await {
            warn!(resource = %id, error = format!("{error:#}"), "not scored");
        }
    };
    let begun = stream::iter(behind).take_until(stop.cancelled());
    begun.for_each_concurrent(CATCH_UP_IN_HAND, each).await;
}
