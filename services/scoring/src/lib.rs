//! Scoring: verdicts, exposure and exploit intelligence become findings that open, change and close.
//!
//! The decisions are `muster_engine`'s; this service carries what the store knows to them and writes the answer and
//! the facts that tell of it in one transaction.

mod config;
mod grpc;

pub use config::Config;
pub use grpc::Questions;

use anyhow::{Context, Result, anyhow};
use muster_bus::{Fact, Lane, Message, Subject};
use muster_domain::{Finding, Resource, ResourceId};
use muster_engine::{
    lifecycle::{self, Transition, TransitionKind},
    scoring::{self, Exposure},
};
use muster_kit::{Backends, Stop, WorkOptions, Worker};
use muster_store::{OutboxMessage, Store};
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

/// How often findings past their retention are deleted.
const PURGE_EVERY: Duration = Duration::from_secs(3600);

/// Turns verdicts into findings.
pub struct Scoring {
    backends: Backends,
    changes: Worker,
}

impl Scoring {
    /// Ready when subscribed.
    pub async fn start(backends: Backends, config: Config) -> Result<Self> {
        let options = WorkOptions {
            service: SERVICE,
            group: SERVICE,
            fact: Fact::VerdictsChanged,
            concurrency: config.scoring_concurrency,
        };
        let changes = Worker::subscribe(options, backends.bus.as_ref()).await?;
        Ok(Self { backends, changes })
    }

    /// Its gRPC questions.
    pub fn questions(&self) -> Questions {
        Questions::new(self.backends.store.clone())
    }

    /// Works until `stop` fires; the messages in hand are finished first.
    pub async fn run(self, stop: Stop) -> Result<()> {
        let Self { backends: Backends { store, bus, .. }, changes } = self;
        let handler = {
            let store = store.clone();
            move |message| {
                let store = store.clone();
                async move { handle(&store, message).await }
            }
        };
        tokio::join!(
            muster_kit::relay_outbox(SERVICE, store.clone(), Arc::clone(&bus), stop.clone()),
            muster_kit::watch_lag(SERVICE, SERVICE, &[Fact::VerdictsChanged], bus, stop.clone()),
            changes.run(stop.clone(), handler),
            catch_up(store, stop.clone()),
        );
        Ok(())
    }
}

async fn handle(store: &Store, message: Message) -> Result<()> {
    let lane = message.subject.lane;
    let fact = v1::VerdictsChanged::decode(message.payload).context("decode verdicts.changed")?;
    score(store, &ResourceId::new(fact.resource_id), lane).await
}

/// Decides the findings of one resource as it stands in the store now, and writes them. Doing it twice changes nothing.
async fn score(store: &Store, id: &ResourceId, lane: Lane) -> Result<()> {
    let Some(stored) = store.resource(id).await.context("read the resource")? else {
        return Ok(());
    };
    let Some(matched) = store.matched(id).await.context("read the match")? else {
        return Ok(());
    };
    let verdicts = store.verdict_set(&matched.verdicts).await.context("read the verdicts")?;
    let verdicts = verdicts.ok_or_else(|| anyhow!("verdicts {} of {id} are not in the store", matched.verdicts))?;
    let exposure: Exposure = serde_json::from_slice(&matched.exposure).context("read the exposure")?;
    let existing = store.findings_of(id).await.context("read the findings")?;
    let drafts = if matched.key.gone { Vec::new() } else { scoring::drafts(&stored.resource, &verdicts, &exposure) };
    // What the exposure cannot tell of stays as it is; of a resource that is gone everything can be told.
    let judged = if matched.key.gone { existing } else { exposure.judged(existing, &drafts) };
    let transitions = lifecycle::decide(&judged, drafts, jiff::Timestamp::now());
    let messages = transitions.iter().map(|transition| fact(&stored.resource, lane, transition)).collect();
    let findings: Vec<Finding> = transitions.into_iter().map(|transition| transition.finding).collect();
    let changed = findings.len();
    store.apply(id, &matched.scored_key(), &findings, messages).await.context("write the findings")?;
    if changed > 0 {
        info!(resource = %id, changed, "scored");
    }
    Ok(())
}

/// The fact that tells of one finding's change.
fn fact(resource: &Resource, lane: Lane, transition: &Transition) -> OutboxMessage {
    let fact = match transition.kind {
        TransitionKind::Opened | TransitionKind::Reopened => Fact::FindingOpened,
        TransitionKind::Updated => Fact::FindingUpdated,
        TransitionKind::Closed => Fact::FindingClosed,
    };
    let subject =
        Subject::new(fact, resource.account.as_str(), resource.region.as_str(), resource.kind().token(), lane);
    let finding = &transition.finding;
    let changed = v1::FindingChanged { finding_id: finding.id.to_string(), revision: finding.revision };
    muster_kit::outbox_message(&subject, resource.id.as_str(), &changed)
}

/// Scores what is behind without a message, and deletes what is past its retention.
async fn catch_up(store: Store, stop: Stop) {
    let mut ticks = tokio::time::interval(CATCH_UP_EVERY);
    let mut purges = tokio::time::interval(PURGE_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => match store.unscored(CATCH_UP_PAGE).await {
                Ok(behind) => {
                    for id in behind {
                        if let Err(error) = score(&store, &id, Lane::Scheduled).await {
                            warn!(resource = %id, error = format!("{error:#}"), "not scored");
                        }
                    }
                }
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
