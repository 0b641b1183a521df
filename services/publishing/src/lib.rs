//! Publishing: findings to Security Hub and EventBridge of the account that they are in.
//!
//! The store knows which revision of each finding a sink was told; a message only wakes the publisher. What was told
//! is noted after the sink took it, so a crash repeats at most the batch in flight: Security Hub knows the finding by
//! its Id, EventBridge's consumers know the event by `eventId` in its detail.

mod config;
mod grpc;
mod sink;
mod traces;

pub use config::Config;
pub use grpc::Questions;

use anyhow::{Context, Result};
use metrics::counter;
use muster_aws::Aws;
use muster_bus::{Fact, Message};
use muster_domain::{AccountId, Finding, FindingId, Region, ResourceId};
use muster_kit::{Backends, Stop, WorkOptions, Worker, metric_names};
use muster_wire::v1;
use prost::Message as _;
use sink::{Outcome, Sink};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use traces::Traces;
use tracing::{Instrument, info, info_span, warn};

/// The name in logs, metrics, leases and the outbox.
pub const SERVICE: &str = "publishing";

/// How often what is behind is looked for, should a message have been lost.
const CATCH_UP_EVERY: Duration = Duration::from_secs(15);

/// Findings taken from the store at a time, per sink.
const PAGE: u32 = 500;

/// The first pause after a finding was refused, doubled each time up to `PAUSE_MAX`.
const PAUSE_FIRST: Duration = Duration::from_secs(5);

/// A sink that is switched on tomorrow shall not wait a day.
const PAUSE_MAX: Duration = Duration::from_secs(900);

/// Facts after which there is something to tell.
const FINDING_FACTS: [Fact; 3] = [Fact::FindingOpened, Fact::FindingUpdated, Fact::FindingClosed];

/// Tells the sinks.
pub struct Publishing {
    backends: Backends,
    aws: Aws,
    config: Config,
    findings: Worker,
}

impl Publishing {
    /// Ready when subscribed.
    pub async fn start(backends: Backends, aws: Aws, config: Config) -> Result<Self> {
        let options = WorkOptions { service: SERVICE, group: SERVICE, fact: Fact::FindingOpened, concurrency: 16 };
        let findings = Worker::subscribe_all(options, &FINDING_FACTS, backends.bus.as_ref()).await?;
        Ok(Self { backends, aws, config, findings })
    }

    /// Its gRPC questions.
    pub fn questions(&self) -> Questions {
        Questions::new(self.backends.store.clone(), Arc::clone(&self.backends.bus), self.config.sinks.clone())
    }

    /// Works until `stop` fires; the batch in hand is finished first.
    pub async fn run(self, stop: Stop) -> Result<()> {
        let Self { backends, aws, config, findings } = self;
        let wake = Arc::new(Notify::new());
        let bus = Arc::clone(&backends.bus);
        let traces = Arc::new(Traces::default());
        let listen = {
            let (ring, traces) = (Arc::clone(&wake), Arc::clone(&traces));
            move |message: Message| {
                let (ring, traces) = (Arc::clone(&ring), Arc::clone(&traces));
                async move {
                    v1::FindingChanged::decode(message.payload).context("decode a finding's fact")?;
                    traces.note(ResourceId::new(message.key));
                    ring.notify_one(); // the store knows what there is to tell
                    Ok(())
                }
            }
        };
        let publisher = Publisher { backends, aws, config, traces, refused: HashMap::new() };
        tokio::join!(
            muster_kit::watch_lag(SERVICE, SERVICE, &FINDING_FACTS, bus, stop.clone()),
            findings.run(stop.clone(), listen),
            publisher.run(wake, stop.clone()),
        );
        Ok(())
    }
}

struct Publisher {
    backends: Backends,
    aws: Aws,
    config: Config,
    traces: Arc<Traces>,
    /// Findings that a sink refused, with when to try again: they must not stand in the others' way.
    refused: HashMap<(Sink, FindingId), (Instant, Duration)>,
}

impl Publisher {
    async fn run(mut self, wake: Arc<Notify>, stop: Stop) {
        let mut ticks = tokio::time::interval(CATCH_UP_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = wake.notified() => {}
                _ = ticks.tick() => {}
            }
            for sink in self.config.sinks.clone() {
                if let Err(error) = self.catch_up(sink, &stop).await {
                    warn!(sink = sink.name(), error = format!("{error:#}"), "not published");
                }
            }
        }
    }

    /// Tells a sink all that it has not been told, unless another replica is at it.
    async fn catch_up(&mut self, sink: Sink, stop: &Stop) -> Result<()> {
        let Backends { cache, instance, .. } = self.backends.clone();
        let lease = format!("publish:{}", sink.name());
        muster_kit::while_leased(cache.as_ref(), &lease, &instance, self.tell_all(sink, stop)).await.map(|_| ())
    }

    /// Page by page, until nothing is due.
    async fn tell_all(&mut self, sink: Sink, stop: &Stop) -> Result<()> {
        while !stop.is_cancelled() {
            let now = Instant::now();
            let waiting = self.refused.values().filter(|(until, _)| *until > now).count() as u32;
            let page =
                self.backends.store.unpublished(sink.name(), PAGE + waiting).await.context("read what is behind")?;
            let due: Vec<Finding> = page
                .into_iter()
                .filter(|finding| self.refused.get(&(sink, finding.id.clone())).is_none_or(|(until, _)| *until <= now))
                .take(PAGE as usize)
                .collect();
            if due.is_empty() {
                break;
            }
            let mut scopes: BTreeMap<(AccountId, Region), Vec<Finding>> = BTreeMap::new();
            for finding in due {
                scopes.entry((finding.account.clone(), finding.region.clone())).or_default().push(finding);
            }
            for ((account, region), findings) in scopes {
                for batch in findings.chunks(sink.batch_max()) {
                    if stop.is_cancelled() {
                        break;
                    }
                    let span = info_span!("publish", sink = sink.name(), %account, %region, findings = batch.len());
                    self.traces.join(&span, batch);
                    self.tell(sink, &account, &region, batch).instrument(span).await?;
                }
            }
        }
        Ok(())
    }

    /// One batch. What the sink took is noted at once; what it refused waits.
    async fn tell(&mut self, sink: Sink, account: &AccountId, region: &Region, batch: &[Finding]) -> Result<()> {
        let outcome = match self.aws.in_region(account, region).await {
            Ok(client) => sink.tell(&self.backends.store, &client, batch).await?,
            Err(error) => Outcome::refused_all(batch, &error.to_string()),
        };
        let told: Vec<(FindingId, u64)> = batch
            .iter()
            .filter(|finding| !outcome.refused.contains_key(&finding.id))
            .map(|finding| (finding.id.clone(), finding.revision))
            .collect();
        self.backends.store.mark_published(sink.name(), &told).await.context("note what was published")?;
        for (id, _) in &told {
            self.refused.remove(&(sink, id.clone()));
        }
        for (id, reason) in &outcome.refused {
            let pause = self.refused.get(&(sink, id.clone())).map_or(PAUSE_FIRST, |(_, pause)| *pause * 2);
            let pause = pause.min(PAUSE_MAX);
            warn!(sink = sink.name(), finding = %id, reason, pause_seconds = pause.as_secs(), "finding refused");
            self.refused.insert((sink, id.clone()), (Instant::now() + pause, pause));
        }
        let count = |outcome: &'static str, number: usize| {
            counter!(metric_names::FINDINGS_PUBLISHED_TOTAL, "sink" => sink.name(), "outcome" => outcome)
                .increment(number as u64);
        };
        count("taken", told.len());
        count("refused", outcome.refused.len());
        if !told.is_empty() {
            info!(told = told.len(), "published");
        }
        Ok(())
    }
}
