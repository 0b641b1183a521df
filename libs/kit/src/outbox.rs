//! The relay: what a service wrote to its outbox, in one transaction with a change, goes to the bus.
//!
//! A row is deleted after it was published. A crash in between, or a second replica at the same rows, publishes
//! it twice under one id, which the bus sees as one message.

use crate::{Stop, metric_names::OUTBOX_PUBLISHED_TOTAL};
use futures::{StreamExt, stream};
use muster_bus::{Bus, BusError, Message, Subject};
use muster_store::{OutboxMessage, Store};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

/// Rows read at once: a few hundred kilobytes.
const BATCH: usize = 500;
/// Keys published side by side; within a key the order of the rows is kept.
const CHAINS: usize = 16;
/// The outbox is looked at so often without a ring, for what other processes wrote.
const INTERVAL: Duration = Duration::from_millis(500);
/// The longest pause after failures.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Publishes the outbox of `service` until `stop` fires. A failure of the store or the bus is waited out. A row
/// that no bus would take is a programming error: it is logged, stays where it is, and holds up no other.
pub async fn relay_outbox(service: &'static str, store: Store, bus: Arc<dyn Bus>, stop: Stop) {
    let mut relay = Relay { service, store, bus, stop, refused: HashSet::new() };
    let mut pause = INTERVAL;
    while !relay.stop.is_cancelled() {
        match relay.round().await {
            Ok(0) => relay.wait().await,
            Ok(_) => pause = INTERVAL,
            Err(error) => {
                tracing::warn!(service, error = format!("{error:#}"), "outbox not relayed");
                relay.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

struct Relay {
    service: &'static str,
    store: Store,
    bus: Arc<dyn Bus>,
    stop: Stop,
    /// Ids of rows that no bus would take.
    refused: HashSet<String>,
}

/// What became of the rows of one key.
#[derive(Default)]
struct Outcome {
    published: Vec<String>,
    refused: Vec<String>,
    failure: Option<BusError>,
}

impl Relay {
    /// Publishes and deletes one batch; says how many rows.
    async fn round(&mut self) -> anyhow::Result<usize> {
        let limit = u32::try_from(BATCH + self.refused.len()).unwrap_or(u32::MAX);
        let rows = self.store.outbox(self.service, limit).await?;
        let mut chains: BTreeMap<String, Vec<OutboxMessage>> = BTreeMap::new();
        for row in rows.into_iter().filter(|row| !self.refused.contains(&row.id)) {
            chains.entry(row.key.clone()).or_default().push(row);
        }
        let chains = chains.into_values().map(|rows| self.publish_in_order(rows));
        let outcomes: Vec<Outcome> = stream::iter(chains).buffer_unordered(CHAINS).collect().await;
        let mut total = Outcome::default();
        for outcome in outcomes {
            total.published.extend(outcome.published);
            total.refused.extend(outcome.refused);
            total.failure = total.failure.or(outcome.failure);
        }
        self.refused.extend(total.refused);
        if !total.published.is_empty() {
            self.store.outbox_done(self.service, &total.published).await?;
            metrics::counter!(OUTBOX_PUBLISHED_TOTAL, "service" => self.service)
                .increment(total.published.len() as u64);
        }
        match total.failure {
            Some(failure) => Err(failure.into()),
            None => Ok(total.published.len()),
        }
    }

    /// Until the first failure, so that a later row never overtakes an earlier one of its key.
    async fn publish_in_order(&self, rows: Vec<OutboxMessage>) -> Outcome {
        let mut outcome = Outcome::default();
        for row in rows {
            let id = row.id.clone();
            let publish = async { self.bus.publish(message(row)?).await };
            match self.stop.run_until_cancelled(publish).await {
                None => break,
                Some(Ok(())) => outcome.published.push(id),
                Some(Err(error)) if error.is_permanent() => {
                    tracing::error!(service = self.service, id, %error, "outbox message refused");
                    outcome.refused.push(id);
                }
                Some(Err(error)) => {
                    outcome.failure = Some(error);
                    break;
                }
            }
        }
        outcome
    }

    async fn wait(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.store.outbox_written(self.service) => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

fn message(row: OutboxMessage) -> Result<Message, BusError> {
    let subject: Subject = row.subject.parse()?;
    Ok(Message { subject, id: row.id, key: row.key, headers: row.headers, payload: row.payload.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use muster_bus::{DeadLetter, DeliveryPolicy, Fact, LocalBus, Subscription};
    use muster_domain::{AccountId, Digest, Region};
    use std::{
        collections::BTreeSet,
        sync::atomic::{AtomicU32, Ordering},
    };
    use tokio::{
        task::JoinHandle,
        time::{Instant, timeout},
    };

    const GOOD: &str = "muster.topology.observed.111122223333.eu-central-1._.event";
    const PATIENCE: Duration = Duration::from_secs(20);

    /// A store whose discovery outbox holds the given (id, key, subject).
    async fn store(folder: &tempfile::TempDir, rows: &[(&str, &str, &str)]) -> Store {
        let url = format!("sqlite:{}", folder.path().join("muster.db").display());
        let store = Store::open(&url).await.expect("opened");
        write(&store, rows).await;
        store
    }

    async fn write(store: &Store, rows: &[(&str, &str, &str)]) {
        let account: AccountId = "111122223333".parse().expect("twelve digits");
        for (id, key, subject) in rows {
            let message = OutboxMessage {
                id: (*id).to_owned(),
                subject: (*subject).to_owned(),
                key: (*key).to_owned(),
                headers: [("traceparent".to_owned(), "00-1-2-01".to_owned())].into(),
                payload: id.as_bytes().to_vec(),
            };
            let told =
                store.put_topology(&account, &Region::new(*id), &Digest::of(id.as_bytes()), &[], b"{}", message).await;
            assert!(told.expect("written"));
        }
    }

    fn start(store: &Store, bus: Arc<dyn Bus>) -> (Stop, JoinHandle<()>) {
        let stop = Stop::new();
        (stop.clone(), tokio::spawn(relay_outbox("discovery", store.clone(), bus, stop)))
    }

    async fn until_left(store: &Store, ids: &[&str]) {
        let begun = Instant::now();
        loop {
            let rows = store.outbox("discovery", 100).await.expect("readable");
            let left: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
            if left == ids {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{left:?} are left, not {ids:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn delivered(subscription: &mut Box<dyn Subscription>, count: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        for _ in 0..count {
            let delivery = timeout(PATIENCE, subscription.next()).await.expect("in time").expect("open");
            messages.push(delivery.message.clone());
            delivery.ack().await.expect("acknowledged");
        }
        messages
    }

    fn ids_of<'a>(messages: &'a [Message], key: &str) -> Vec<&'a str> {
        messages.iter().filter(|message| message.key == key).map(|message| message.id.as_str()).collect()
    }

    /// A local bus that is away for the first so many publishes.
    struct Shaky {
        bus: LocalBus,
        failures_left: AtomicU32,
    }

    #[async_trait]
    impl Bus for Shaky {
        async fn publish(&self, message: Message) -> Result<(), BusError> {
            let left = self.failures_left.load(Ordering::SeqCst);
            if left > 0 {
                self.failures_left.store(left - 1, Ordering::SeqCst);
                return Err(BusError::Full("for a while".to_owned()));
            }
            self.bus.publish(message).await
        }
        async fn subscribe(&self, group: &str, fact: Fact) -> Result<Box<dyn Subscription>, BusError> {
            self.bus.subscribe(group, fact).await
        }
        async fn lag(&self, group: &str, fact: Fact) -> Result<u64, BusError> {
            self.bus.lag(group, fact).await
        }
        async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BusError> {
            self.bus.dead_letters(limit).await
        }
        async fn replay(&self, id: &str) -> Result<(), BusError> {
            self.bus.replay(id).await
        }
    }

    fn shaky(failures: u32) -> Arc<dyn Bus> {
        let bus = LocalBus::new(DeliveryPolicy::default());
        Arc::new(Shaky { bus, failures_left: AtomicU32::new(failures) })
    }

    #[tokio::test]
    async fn rows_are_published_in_order_per_key_and_deleted_after() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bus = shaky(2);
        let mut subscription = bus.subscribe("matching", Fact::TopologyObserved).await.expect("subscribed");
        let store = store(&folder, &[("a1", "a", GOOD), ("b1", "b", GOOD), ("a2", "a", GOOD)]).await;
        let (stop, running) = start(&store, bus);
        let messages = delivered(&mut subscription, 3).await;
        assert_eq!((ids_of(&messages, "a"), ids_of(&messages, "b")), (vec!["a1", "a2"], vec!["b1"]));
        assert_eq!(messages[0].subject.to_string(), GOOD);
        assert_eq!(messages[0].headers["traceparent"], "00-1-2-01");
        assert_eq!(messages[0].payload, messages[0].id);
        until_left(&store, &[]).await;
        write(&store, &[("a3", "a", GOOD)]).await;
        assert_eq!(ids_of(&delivered(&mut subscription, 1).await, "a"), ["a3"]);
        stop.cancel();
        timeout(PATIENCE, running).await.expect("it ends").expect("no panic");
    }

    #[tokio::test]
    async fn a_row_that_no_bus_takes_stays_and_holds_up_no_other() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bus = shaky(0);
        let mut subscription = bus.subscribe("matching", Fact::TopologyObserved).await.expect("subscribed");
        let rows = [("bad", "a", "no subject"), ("empty-key", "", GOOD), ("a1", "a", GOOD)];
        let store = store(&folder, &rows).await;
        let (_stop, _running) = start(&store, bus);
        assert_eq!(ids_of(&delivered(&mut subscription, 1).await, "a"), ["a1"]);
        until_left(&store, &["bad", "empty-key"]).await;
    }

    #[tokio::test]
    async fn two_replicas_at_one_outbox_publish_each_message_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bus = shaky(0);
        let mut subscription = bus.subscribe("matching", Fact::TopologyObserved).await.expect("subscribed");
        let ids: Vec<String> = (0..40).map(|index| format!("m{index:02}")).collect();
        let rows: Vec<_> = ids.iter().map(|id| (id.as_str(), "k", GOOD)).collect();
        let store = store(&folder, &rows).await;
        let _running = [start(&store, bus.clone()), start(&store, bus.clone())];
        let messages = delivered(&mut subscription, 40).await;
        assert_eq!(ids_of(&messages, "k").into_iter().collect::<BTreeSet<_>>().len(), 40);
        until_left(&store, &[]).await;
        assert_eq!(bus.lag("matching", Fact::TopologyObserved).await.expect("lag"), 0, "no second copy");
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_a_full_bus() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = store(&folder, &[("a1", "a", GOOD)]).await;
        let (stop, running) = start(&store, shaky(u32::MAX));
        stop.cancel();
        timeout(PATIENCE, running).await.expect("it ends").expect("no panic");
        until_left(&store, &["a1"]).await;
    }
}
