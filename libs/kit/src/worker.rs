//! Working off messages: several at a time, one at a time per key, acknowledged last.

use crate::{
    Stop,
    metric_names::{IN_FLIGHT, MESSAGE_SECONDS, MESSAGES_TOTAL},
    set_trace_parent,
};
use anyhow::{Context, anyhow};
use async_trait::async_trait;
use futures::future::select_all;
use muster_bus::{Bus, BusError, Delivery, Fact, Message, Subscription};
use std::{
    collections::{HashMap, VecDeque},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    task::{Id, JoinSet},
    time::{Instant, interval_at, sleep, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

/// The longest that handling one message may take: the largest image takes minutes. Beyond it the handler is
/// taken for hung.
pub(crate) const HANDLING_TIME_MAX: Duration = Duration::from_secs(30 * 60);

/// Messages set aside because their key is being worked on, per message that may be worked on. When so many
/// are set aside, no more are fetched.
const PARKED_PER_SLOT: usize = 4;

/// Who works on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkOptions {
    /// The service, for metrics and traces.
    pub service: &'static str,
    /// The group whose members share the messages: usually the service's name.
    pub group: &'static str,
    /// What to subscribe to.
    pub fact: Fact,
    /// Messages worked on at the same time. At least 1.
    pub concurrency: usize,
}

/// A subscription and how to work it off.
pub struct Worker {
    service: &'static str,
    concurrency: usize,
    subscription: Box<dyn Subscription>,
}

impl Worker {
    /// Joins the group: from here on it misses nothing.
    pub async fn subscribe(options: WorkOptions, bus: &dyn Bus) -> anyhow::Result<Self> {
        Self::subscribe_all(options, &[options.fact], bus).await
    }

    /// Joins the group for several facts, `options.fact` or not among them. They share the slots, and a key is
    /// worked on by one of them at a time: `finding.opened` and `finding.closed` of one finding do not cross.
    /// Lanes overtake each other within a fact; facts take turns.
    pub async fn subscribe_all(options: WorkOptions, facts: &[Fact], bus: &dyn Bus) -> anyhow::Result<Self> {
        let WorkOptions { service, group, concurrency, .. } = options;
        let mut subscriptions = Vec::new();
        for fact in facts {
            let subscription = bus.subscribe(group, *fact).await;
            subscriptions.push(subscription.with_context(|| format!("subscribe {group} to {fact}"))?);
        }
        let subscription = match subscriptions.len() {
            1 => subscriptions.remove(0),
            _ => Box::new(TakingTurns(subscriptions)),
        };
        Ok(Self { service, concurrency: concurrency.max(1), subscription })
    }

    /// Works until `stop` fires or the bus is gone. Messages being handled are finished first; those set aside
    /// are given back. A handler that fails or panics has its message delivered again, after the bus' back-off.
    pub async fn run<H, F>(mut self, stop: Stop, handler: H)
    where
        H: Fn(Message) -> F + Send + Sync + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let mut slots = Slots::new(self.service, self.concurrency, handler);
        let mut open = true;
        while open || !slots.running.is_empty() {
            tokio::select! {
                biased;
                () = stop.cancelled(), if open => {
                    open = false;
                    slots.release_parked().await;
                }
                Some(ended) = slots.running.join_next_with_id() => {
                    slots.ended(ended.map_or_else(|error| error.id(), |(id, ())| id));
                }
                delivery = self.subscription.next(), if open && slots.has_room() => match delivery {
                    Some(delivery) => slots.take(delivery),
                    None => open = false,
                },
                () = sleep_until(slots.progress_at), if slots.parked > 0 => slots.report_progress().await,
            }
        }
    }
}

/// The messages of a worker: those being handled, and those set aside because their key is.
struct Slots<H> {
    service: &'static str,
    concurrency: usize,
    handler: Arc<H>,
    running: JoinSet<()>,
    key_of: HashMap<Id, String>,
    /// Keys being worked on, each with what is set aside behind it, in order.
    busy: HashMap<String, VecDeque<Delivery>>,
    parked: usize,
    /// When the next report of progress for what is set aside is due.
    progress_at: Instant,
}

impl<H, F> Slots<H>
where
    H: Fn(Message) -> F + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    fn new(service: &'static str, concurrency: usize, handler: H) -> Self {
        Self {
            service,
            concurrency,
            handler: Arc::new(handler),
            running: JoinSet::new(),
            key_of: HashMap::new(),
            busy: HashMap::new(),
            parked: 0,
            progress_at: Instant::now(),
        }
    }

    fn has_room(&self) -> bool {
        self.running.len() < self.concurrency && self.parked < self.concurrency * PARKED_PER_SLOT
    }

    fn take(&mut self, delivery: Delivery) {
        let key = &delivery.message.key;
        match self.busy.get_mut(key) {
            None => {
                self.busy.insert(key.clone(), VecDeque::new());
                self.start(delivery);
            }
            Some(behind) => {
                if self.parked == 0 {
                    self.progress_at = Instant::now() + progress_every(&delivery);
                }
                self.parked += 1;
                behind.push_back(delivery);
            }
        }
    }

    fn start(&mut self, delivery: Delivery) {
        let key = delivery.message.key.clone();
        let task = self.running.spawn(handle(self.service, delivery, self.handler.clone()));
        self.key_of.insert(task.id(), key);
    }

    /// The next message of the same key has its turn.
    fn ended(&mut self, task: Id) {
        let Some(key) = self.key_of.remove(&task) else {
            return;
        };
        match self.busy.get_mut(&key).and_then(VecDeque::pop_front) {
            Some(next) => {
                self.parked -= 1;
                self.start(next);
            }
            None => {
                self.busy.remove(&key);
            }
        }
    }

    async fn report_progress(&mut self) {
        for delivery in self.busy.values().flatten() {
            note(delivery.in_progress().await, "progress not reported");
            self.progress_at = Instant::now() + progress_every(delivery);
        }
    }

    async fn release_parked(&mut self) {
        self.parked = 0;
        let parked: Vec<Delivery> = self.busy.values_mut().flat_map(std::mem::take).collect();
        for delivery in parked {
            note(delivery.release().await, "message not given back");
        }
    }
}

/// Three reports fit into the time, so that a lost one does no harm.
fn progress_every(delivery: &Delivery) -> Duration {
    (delivery.ack_wait / 3).max(Duration::from_millis(1))
}

/// Where settling fails the message comes again, which is harmless: a word in the log is enough.
fn note(settled: Result<(), BusError>, what: &'static str) {
    if let Err(error) = settled {
        tracing::debug!(error = format!("{:#}", anyhow!(error)), what);
    }
}

/// One message from its delivery to its settlement.
async fn handle<H, F>(service: &'static str, delivery: Delivery, handler: Arc<H>)
where
    H: Fn(Message) -> F + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let Message { subject, id, key, headers, .. } = &delivery.message;
    let (fact, lane, attempt) = (subject.fact.name(), subject.lane.name(), delivery.attempt);
    let span = tracing::info_span!("handle", otel.name = fact, otel.kind = "consumer", service, lane, key, id, attempt);
    set_trace_parent(&span, headers);
    let labels = [("service", service), ("fact", fact)];
    metrics::gauge!(IN_FLIGHT, "service" => service).increment(1);
    let begun = Instant::now();
    let outcome = run(&delivery, handler).instrument(span.clone()).await;
    metrics::histogram!(MESSAGE_SECONDS, &labels).record(begun.elapsed().as_secs_f64());
    metrics::gauge!(IN_FLIGHT, "service" => service).decrement(1);
    let name = outcome.as_ref().map_or_else(|(name, _)| *name, |()| "done");
    metrics::counter!(MESSAGES_TOTAL, "service" => service, "fact" => fact, "outcome" => name).increment(1);
    let settle = async {
        match outcome {
            Ok(()) => note(delivery.ack().await, "message not acknowledged"),
            Err((_, reason)) => {
                tracing::warn!(reason, "message not handled");
                note(delivery.nak(&reason).await, "message not given back");
            }
        }
    };
    settle.instrument(span).await;
}

/// Runs the handler in a task of its own, so that its panic ends there and its computing does not keep reports of
/// progress from leaving. An error is the outcome's name and the reason.
async fn run<H, F>(delivery: &Delivery, handler: Arc<H>) -> Result<(), (&'static str, String)>
where
    H: Fn(Message) -> F + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let message = delivery.message.clone();
    let task = async move { handler(message).await };
    let mut task = AbortOnDropHandle::new(tokio::spawn(task.in_current_span()));
    let mut limit = pin!(sleep(HANDLING_TIME_MAX));
    let every = progress_every(delivery);
    let mut progress = interval_at(Instant::now() + every, every);
    loop {
        tokio::select! {
            ended = &mut task => return match ended {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(("failed", format!("{error:#}"))),
                Err(panic) => Err(("panicked", panic.to_string())),
            },
            () = &mut limit => return Err(("timed-out", format!("not handled within {HANDLING_TIME_MAX:?}"))),
            _ = progress.tick() => note(delivery.in_progress().await, "progress not reported"),
        }
    }
}

/// Several subscriptions as one. After each message the next subscription is asked first.
struct TakingTurns(Vec<Box<dyn Subscription>>);

#[async_trait]
impl Subscription for TakingTurns {
    async fn next(&mut self) -> Option<Delivery> {
        while !self.0.is_empty() {
            let (delivery, index, _) = select_all(self.0.iter_mut().map(|each| each.next())).await;
            match delivery {
                Some(delivery) => {
                    self.0.rotate_left(index + 1);
                    return Some(delivery);
                }
                None => drop(self.0.remove(index)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_bus::{DeliveryPolicy, Lane, LocalBus, Subject};
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };
    use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};

    const ACK_WAIT: Duration = Duration::from_millis(300);
    const PATIENCE: Duration = Duration::from_secs(20);

    fn bus() -> Arc<dyn Bus> {
        let backoff = vec![Duration::from_millis(20)];
        Arc::new(LocalBus::new(DeliveryPolicy { max_deliveries: 2, ack_wait: ACK_WAIT, backoff }))
    }

    async fn publish(bus: &Arc<dyn Bus>, fact: Fact, id: &str, key: &str) {
        let subject = Subject::new(fact, "111122223333", "eu-central-1", "instance", Lane::Event);
        let message = Message { subject, id: id.into(), key: key.into(), headers: [].into(), payload: "".into() };
        bus.publish(message).await.expect("published");
    }

    /// Runs `handler` over [`Fact::FindingOpened`] and [`Fact::FindingClosed`].
    async fn start<H, F>(bus: &Arc<dyn Bus>, concurrency: usize, handler: H) -> (Stop, JoinHandle<()>)
    where
        H: Fn(Message) -> F + Send + Sync + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let options =
            WorkOptions { service: "publishing", group: "publishing", fact: Fact::FindingOpened, concurrency };
        let facts = [Fact::FindingOpened, Fact::FindingClosed];
        let worker = Worker::subscribe_all(options, &facts, bus.as_ref()).await.expect("subscribed");
        let stop = Stop::new();
        (stop.clone(), tokio::spawn(worker.run(stop, handler)))
    }

    async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
        let begun = Instant::now();
        while !done().await {
            assert!(begun.elapsed() < PATIENCE, "{what}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until_done(bus: &Arc<dyn Bus>) {
        until("everything is acknowledged", async || {
            let lag = async |fact| bus.lag("publishing", fact).await.expect("lag");
            lag(Fact::FindingOpened).await + lag(Fact::FindingClosed).await == 0
        })
        .await;
    }

    #[tokio::test]
    async fn keys_run_side_by_side_and_a_key_in_order_over_all_its_facts() {
        let bus = bus();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let handler = {
            let (log, now, most) = (log.clone(), now.clone(), most.clone());
            move |message: Message| {
                let (log, now, most) = (log.clone(), now.clone(), most.clone());
                async move {
                    log.lock().expect("no panic").push(format!("begin {}", message.id));
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    sleep(Duration::from_millis(30)).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    log.lock().expect("no panic").push(format!("end {}", message.id));
                    Ok(())
                }
            }
        };
        let (stop, running) = start(&bus, 4, handler).await;
        for index in 0..5 {
            for key in ["x", "y", "z"] {
                let fact = if index % 2 == 0 { Fact::FindingOpened } else { Fact::FindingClosed };
                publish(&bus, fact, &format!("{key}{index}"), key).await;
            }
        }
        until_done(&bus).await;
        stop.cancel();
        running.await.expect("no panic");
        let log = log.lock().expect("no panic").clone();
        for key in ["x", "y", "z"] {
            let of_key: Vec<&str> = log.iter().map(String::as_str).filter(|line| line.contains(key)).collect();
            assert_eq!(of_key.len(), 10, "each once: {of_key:?}");
            for pair in of_key.chunks(2) {
                let id = pair[0].strip_prefix("begin ");
                assert!(id.is_some() && pair[1].strip_prefix("end ") == id, "crossed: {of_key:?}");
            }
        }
        assert_eq!(most.load(Ordering::SeqCst), 3, "three keys, three at a time");
    }

    #[tokio::test]
    async fn no_more_run_than_there_are_slots() {
        let bus = bus();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let handler = {
            let (now, most) = (now.clone(), most.clone());
            move |_| {
                let (now, most) = (now.clone(), most.clone());
                async move {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    sleep(Duration::from_millis(10)).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                }
            }
        };
        let (_stop, _running) = start(&bus, 2, handler).await;
        for index in 0..12 {
            publish(&bus, Fact::FindingOpened, &index.to_string(), &index.to_string()).await;
        }
        until_done(&bus).await;
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_failure_and_a_panic_end_in_the_dead_letters_with_their_reasons() {
        let bus = bus();
        let handler = |message: Message| async move {
            match message.id.as_str() {
                "fails" => Err(anyhow!("no such row").context("read inventory")),
                "panics" => panic!("index out of bounds"),
                _ => Ok(()),
            }
        };
        let (_stop, _running) = start(&bus, 2, handler).await;
        for id in ["fails", "panics", "works"] {
            publish(&bus, Fact::FindingOpened, id, id).await;
        }
        until("two dead letters", async || bus.dead_letters(10).await.expect("readable").len() == 2).await;
        until_done(&bus).await;
        let mut letters = bus.dead_letters(10).await.expect("readable");
        letters.sort_by(|one, other| one.message.id.cmp(&other.message.id));
        assert_eq!(letters[0].reason, "read inventory: no such row");
        assert!(letters[1].reason.contains("panicked with message \"index out of bounds\""), "{}", letters[1].reason);
        assert_eq!((letters[0].attempts, letters[1].attempts), (2, 2));
    }

    #[tokio::test]
    async fn long_work_and_what_waits_behind_it_is_delivered_once() {
        let bus = bus();
        let calls: Arc<Mutex<Vec<String>>> = Arc::default();
        let handler = {
            let calls = calls.clone();
            move |message: Message| {
                calls.lock().expect("no panic").push(message.id.clone());
                async move {
                    if message.id == "long" {
                        sleep(ACK_WAIT * 4).await;
                    }
                    Ok(())
                }
            }
        };
        let (_stop, _running) = start(&bus, 2, handler).await;
        for id in ["long", "behind-1", "behind-2"] {
            publish(&bus, Fact::FindingOpened, id, "one key").await;
        }
        until_done(&bus).await;
        assert_eq!(*calls.lock().expect("no panic"), ["long", "behind-1", "behind-2"]);
    }

    #[tokio::test]
    async fn a_stop_finishes_what_is_in_hand_and_gives_back_the_rest() {
        let bus = bus();
        let gate = Arc::new(Semaphore::new(0));
        let begun = Arc::new(AtomicUsize::new(0));
        let handler = {
            let (gate, begun) = (gate.clone(), begun.clone());
            move |_| {
                let (gate, begun) = (gate.clone(), begun.clone());
                async move {
                    begun.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await?.forget();
                    Ok(())
                }
            }
        };
        let (stop, running) = start(&bus, 2, handler).await;
        for (id, key) in [("a", "one"), ("b", "one"), ("c", "other"), ("d", "third")] {
            publish(&bus, Fact::FindingOpened, id, key).await;
        }
        until("two are being handled", async || begun.load(Ordering::SeqCst) == 2).await;
        stop.cancel();
        gate.add_permits(10);
        timeout(PATIENCE, running).await.expect("it ends").expect("no panic");
        assert_eq!(begun.load(Ordering::SeqCst), 2, "nothing new was begun");
        let mut other = bus.subscribe("publishing", Fact::FindingOpened).await.expect("subscribed");
        let mut left = Vec::new();
        for _ in 0..2 {
            let delivery = timeout(ACK_WAIT / 2, other.next()).await.expect("given back at once").expect("open");
            assert_eq!(delivery.attempt, 1);
            left.push(delivery.message.id.clone());
        }
        assert_eq!(left, ["b", "d"]);
    }

    #[tokio::test]
    async fn the_worker_ends_with_its_bus() {
        let bus = bus();
        let (_stop, running) = start(&bus, 1, |_| async { Ok(()) }).await;
        publish(&bus, Fact::FindingClosed, "last", "k").await;
        drop(bus);
        timeout(PATIENCE, running).await.expect("it ends").expect("no panic");
    }
}
