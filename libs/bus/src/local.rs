//! The bus inside one process, for `muster up` on one machine and for tests.
//!
//! It keeps nothing on disk: what was under way when the process ends is sent again by the outboxes and
//! the sweeps, which is all that a message is for.

use crate::{
    Bus, BusError, DEDUPE_WINDOW, DeadLetter, Delivery, DeliveryPolicy, Fact, Message, Subscription, check_group,
    delivery::Settle,
};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::Notify, time::Instant};

/// How much a [`LocalBus`] keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalLimits {
    /// Messages of one group, fact and lane that are not acknowledged; above it, publishing waits.
    pub lane_messages_max: usize,
    /// Their bytes; above it, publishing waits. One message always fits.
    pub lane_bytes_max: usize,
    /// Dead letters; above it, a message is tried on until there is room.
    pub dead_letters_max: usize,
}

impl Default for LocalLimits {
    /// A sweep of 50,000 resources fits; a lane takes 64 MiB at worst and 25 MiB with ordinary messages.
    fn default() -> Self {
        Self { lane_messages_max: 50_000, lane_bytes_max: 64 << 20, dead_letters_max: 10_000 }
    }
}

/// Ids remembered for [`DEDUPE_WINDOW`]; beyond it the oldest are forgotten early, and a repeat of one
/// of those is delivered twice, which is allowed. 100,000 ids of 36 bytes take about 10 MiB.
const RECENT_IDS_MAX: usize = 100_000;

/// A bus in this process. When it is dropped, subscriptions end after what is still to be handled.
pub struct LocalBus {
    shared: Arc<Shared>,
}

struct Shared {
    policy: DeliveryPolicy,
    limits: LocalLimits,
    state: Mutex<State>,
    /// Rung when a message left a queue: publishers wait for it.
    room: Notify,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<Fact, BTreeMap<String, Queue>>,
    recent: RecentIds,
    dead: DeadLetters,
    closed: bool,
}

impl LocalBus {
    /// With the default limits.
    pub fn new(policy: DeliveryPolicy) -> Self {
        Self::with_limits(policy, LocalLimits::default())
    }

    /// With limits of your own.
    pub fn with_limits(policy: DeliveryPolicy, limits: LocalLimits) -> Self {
        let shared = Shared { policy, limits, state: Mutex::default(), room: Notify::new() };
        Self { shared: Arc::new(shared) }
    }
}

impl Drop for LocalBus {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.queues.values().flat_map(BTreeMap::values).for_each(|queue| queue.arrived.notify_waiters());
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, message: Message) -> Result<(), BusError> {
        message.check()?;
        loop {
            let room = self.shared.room.notified();
            tokio::pin!(room);
            room.as_mut().enable(); // before the look, so that no ring between look and wait is missed
            if self.shared.try_publish(&message) {
                return Ok(());
            }
            room.await;
        }
    }

    async fn subscribe(&self, group: &str, fact: Fact) -> Result<Box<dyn Subscription>, BusError> {
        check_group(group)?;
        self.shared.lock().queues.entry(fact).or_default().entry(group.to_owned()).or_default();
        Ok(Box::new(Member { shared: self.shared.clone(), group: group.to_owned(), fact }))
    }

    async fn lag(&self, group: &str, fact: Fact) -> Result<u64, BusError> {
        let mut state = self.shared.lock();
        Ok(state.queue(group, fact).map_or(0, |queue| queue.entries.len() as u64))
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BusError> {
        Ok(self.shared.lock().dead.letters.iter().take(limit).cloned().collect())
    }

    async fn replay(&self, id: &str) -> Result<(), BusError> {
        let mut state = self.shared.lock();
        let letter = state.dead.take(id).ok_or_else(|| BusError::UnknownDeadLetter(id.to_owned()))?;
        let queue = state.queues.entry(letter.message.subject.fact).or_default().entry(letter.group).or_default();
        queue.push(letter.message); // above the bound if need be: dead letters are few
        Ok(())
    }
}

impl Shared {
    /// No code panics with the lock held; a poisoned state would still be whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every group has the message now; `false`: one of them has no room, none has it.
    fn try_publish(&self, message: &Message) -> bool {
        let mut state = self.lock();
        let State { queues, recent, .. } = &mut *state;
        if recent.contains(&message.id) {
            return true;
        }
        let mut groups = queues.get_mut(&message.subject.fact);
        let has_room = |queue: &Queue| queue.has_room(message, &self.limits);
        if !groups.iter().flat_map(|groups| groups.values()).all(has_room) {
            return false;
        }
        for queue in groups.iter_mut().flat_map(|groups| groups.values_mut()) {
            queue.push(message.clone());
        }
        recent.insert(message.id.clone());
        true
    }
}

impl State {
    fn queue(&mut self, group: &str, fact: Fact) -> Option<&mut Queue> {
        self.queues.get_mut(&fact)?.get_mut(group)
    }
}

/// What one group has not acknowledged of one fact.
#[derive(Default)]
struct Queue {
    /// Numbers of waiting messages per lane. A number whose entry is gone was acknowledged late.
    waiting: [VecDeque<u64>; 3],
    entries: HashMap<u64, Entry>,
    /// When the time of a message in hand is over, or its back-off.
    timers: BTreeSet<(Instant, u64)>,
    load: [Load; 3],
    next_number: u64,
    /// Rung when a message arrived or a timer changed: members wait for it.
    arrived: Arc<Notify>,
}

#[derive(Clone, Copy, Default)]
struct Load {
    messages: usize,
    bytes: usize,
}

struct Entry {
    message: Message,
    deliveries: u32,
    in_hand: bool,
    timer: Option<Instant>,
}

impl Queue {
    fn has_room(&self, message: &Message, limits: &LocalLimits) -> bool {
        let load = self.load[message.subject.lane as usize];
        let fits = load.bytes + message.weight() <= limits.lane_bytes_max || load.messages == 0;
        load.messages < limits.lane_messages_max && fits
    }

    fn push(&mut self, message: Message) {
        let (number, lane) = (self.next_number, message.subject.lane as usize);
        self.next_number += 1;
        self.load[lane].messages += 1;
        self.load[lane].bytes += message.weight();
        self.entries.insert(number, Entry { message, deliveries: 0, in_hand: false, timer: None });
        self.waiting[lane].push_back(number);
        self.arrived.notify_waiters();
    }

    /// The most urgent waiting message: its number and entry, now in hand until `deadline`.
    fn pop(&mut self, deadline: Instant) -> Option<(u64, &Entry)> {
        let number = loop {
            let number = self.waiting.iter_mut().find_map(VecDeque::pop_front)?;
            if self.entries.contains_key(&number) {
                break number;
            }
        };
        let entry = self.entries.get_mut(&number)?;
        entry.deliveries += 1;
        entry.in_hand = true;
        entry.timer = Some(deadline);
        self.timers.insert((deadline, number));
        Some((number, entry))
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.entries.remove(&number)?;
        if let Some(at) = entry.timer {
            self.timers.remove(&(at, number));
        }
        let load = &mut self.load[entry.message.subject.lane as usize];
        load.messages -= 1;
        load.bytes -= entry.message.weight();
        self.arrived.notify_waiters();
        Some(entry)
    }

    fn set_timer(&mut self, number: u64, at: Option<Instant>) {
        let Some(entry) = self.entries.get_mut(&number) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut entry.timer, at) {
            self.timers.remove(&(old, number));
        }
        self.timers.extend(at.map(|at| (at, number)));
        self.arrived.notify_waiters();
    }

    /// Back to the front of its lane.
    fn wait_again(&mut self, number: u64) {
        self.set_timer(number, None);
        let Some(entry) = self.entries.get_mut(&number) else {
            return;
        };
        entry.in_hand = false;
        self.waiting[entry.message.subject.lane as usize].push_front(number);
    }

    /// Ends the delivery in hand: the message backs off, or goes to the dead letters.
    fn fail(&mut self, number: u64, group: &str, reason: &str, shared: &Shared, dead: &mut DeadLetters) {
        let Some(entry) = self.entries.get_mut(&number) else {
            return;
        };
        entry.in_hand = false;
        let attempts = entry.deliveries;
        let given_up = attempts >= shared.policy.max_deliveries;
        if given_up && dead.letters.len() < shared.limits.dead_letters_max {
            if let Some(entry) = self.remove(number) {
                dead.add(group, entry.message, reason, attempts);
                shared.room.notify_waiters();
            }
            return;
        }
        self.set_timer(number, Some(Instant::now() + shared.policy.wait_after(attempts)));
    }

    /// Does what timers that are due ask for.
    fn run_timers(&mut self, now: Instant, group: &str, shared: &Shared, dead: &mut DeadLetters) {
        while let Some(&(at, number)) = self.timers.first().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, number));
            match self.entries.get(&number) {
                Some(entry) if entry.in_hand => self.fail(number, group, &shared.policy.silence(), shared, dead),
                _ => self.wait_again(number),
            }
        }
    }
}

/// One member of a group.
struct Member {
    shared: Arc<Shared>,
    group: String,
    fact: Fact,
}

/// What a member found when it looked.
enum Look {
    Found(Delivery),
    Nothing { arrived: Arc<Notify>, until: Option<Instant> },
    Closed,
}

impl Member {
    fn look(&self) -> Look {
        let mut state = self.shared.lock();
        let State { queues, dead, closed, .. } = &mut *state;
        let Some(queue) = queues.get_mut(&self.fact).and_then(|groups| groups.get_mut(&self.group)) else {
            return Look::Closed;
        };
        let now = Instant::now();
        queue.run_timers(now, &self.group, &self.shared, dead);
        if let Some((number, entry)) = queue.pop(now + self.shared.policy.ack_wait) {
            let (message, attempt) = (entry.message.clone(), entry.deliveries);
            let (shared, group, fact) = (self.shared.clone(), self.group.clone(), self.fact);
            let settle = Box::new(InHand { shared, group, fact, number, attempt });
            return Look::Found(Delivery { message, attempt, ack_wait: self.shared.policy.ack_wait, settle });
        }
        if *closed && queue.entries.is_empty() {
            return Look::Closed;
        }
        Look::Nothing { arrived: queue.arrived.clone(), until: queue.timers.first().map(|(at, _)| *at) }
    }
}

#[async_trait]
impl Subscription for Member {
    async fn next(&mut self) -> Option<Delivery> {
        let arrived = match self.look() {
            Look::Found(delivery) => return Some(delivery),
            Look::Closed => return None,
            Look::Nothing { arrived, .. } => arrived,
        };
        loop {
            let ring = arrived.notified();
            tokio::pin!(ring);
            ring.as_mut().enable(); // before the look, so that no ring between look and wait is missed
            let until = match self.look() {
                Look::Found(delivery) => return Some(delivery),
                Look::Closed => return None,
                Look::Nothing { until, .. } => until,
            };
            match until {
                Some(until) => drop(tokio::time::timeout_at(until, ring).await),
                None => ring.await,
            }
        }
    }
}

/// A delivery of the local bus. Settling a message that is no longer this delivery's changes nothing,
/// except that a late acknowledgement is taken: the work is done.
struct InHand {
    shared: Arc<Shared>,
    group: String,
    fact: Fact,
    number: u64,
    attempt: u32,
}

impl InHand {
    /// Runs `change` when the message still is in the hand of this delivery.
    fn settle(&self, change: impl FnOnce(&mut Queue, &mut DeadLetters)) {
        let mut state = self.shared.lock();
        let State { queues, dead, .. } = &mut *state;
        let queue = queues.get_mut(&self.fact).and_then(|groups| groups.get_mut(&self.group));
        let mine = |entry: &Entry| entry.in_hand && entry.deliveries == self.attempt;
        if let Some(queue) = queue.filter(|queue| queue.entries.get(&self.number).is_some_and(mine)) {
            change(queue, dead);
        }
    }
}

#[async_trait]
impl Settle for InHand {
    async fn ack(&self) -> Result<(), BusError> {
        let mut state = self.shared.lock();
        if let Some(queue) = state.queue(&self.group, self.fact) {
            queue.remove(self.number);
        }
        self.shared.room.notify_waiters();
        Ok(())
    }

    async fn nak(&self, reason: &str) -> Result<(), BusError> {
        self.settle(|queue, dead| queue.fail(self.number, &self.group, reason, &self.shared, dead));
        Ok(())
    }

    async fn release(&self) -> Result<(), BusError> {
        self.settle(|queue, _| {
            if let Some(entry) = queue.entries.get_mut(&self.number) {
                entry.deliveries -= 1;
            }
            queue.wait_again(self.number);
        });
        Ok(())
    }

    async fn in_progress(&self) -> Result<(), BusError> {
        let deadline = Instant::now() + self.shared.policy.ack_wait;
        self.settle(|queue, _| queue.set_timer(self.number, Some(deadline)));
        Ok(())
    }
}

/// The ids published lately, oldest first.
#[derive(Default)]
struct RecentIds {
    ids: HashSet<String>,
    order: VecDeque<(Instant, String)>,
}

impl RecentIds {
    fn contains(&mut self, id: &str) -> bool {
        let now = Instant::now();
        while self.order.front().is_some_and(|(at, _)| now - *at >= DEDUPE_WINDOW) {
            self.forget_oldest();
        }
        self.ids.contains(id)
    }

    fn insert(&mut self, id: String) {
        if self.ids.len() >= RECENT_IDS_MAX {
            self.forget_oldest();
        }
        self.ids.insert(id.clone());
        self.order.push_back((Instant::now(), id));
    }

    fn forget_oldest(&mut self) {
        if let Some((_, id)) = self.order.pop_front() {
            self.ids.remove(&id);
        }
    }
}

/// Oldest first.
#[derive(Default)]
struct DeadLetters {
    letters: VecDeque<DeadLetter>,
    next_number: u64,
}

impl DeadLetters {
    fn add(&mut self, group: &str, message: Message, reason: &str, attempts: u32) {
        self.next_number += 1;
        let (id, group, reason) = (self.next_number.to_string(), group.to_owned(), reason.to_owned());
        let at = jiff::Timestamp::now();
        tracing::warn!(group, subject = %message.subject, id = message.id, attempts, reason, "message given up");
        self.letters.push_back(DeadLetter { id, group, message, reason, attempts, at });
    }

    fn take(&mut self, id: &str) -> Option<DeadLetter> {
        let index = self.letters.iter().position(|letter| letter.id == id)?;
        self.letters.remove(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lane, conformance};
    use std::time::Duration;
    use tokio::time::timeout;

    async fn start(policy: DeliveryPolicy) -> (Arc<dyn Bus>, ()) {
        (Arc::new(LocalBus::new(policy)), ())
    }

    conformance::promises!(start);

    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn at_the_bound_publishing_waits_and_only_in_its_lane() {
        let limits = LocalLimits { lane_messages_max: 2, ..LocalLimits::default() };
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::with_limits(conformance::policy(), limits));
        let mut subscription = conformance::subscribe(&bus, "inventory").await;
        for id in ["a", "b"] {
            conformance::publish(&bus, Lane::Scheduled, id, id).await;
        }
        let waiting = bus.clone();
        let third = tokio::spawn(async move { conformance::publish(&waiting, Lane::Scheduled, "c", "c").await });
        conformance::publish(&bus, Lane::OnDemand, "person", "p").await;
        let person = conformance::next(&mut subscription).await;
        assert_eq!(person.message.id, "person");
        let first = conformance::next(&mut subscription).await;
        assert!(!third.is_finished(), "in hand still takes room");
        first.ack().await.expect("acknowledged");
        timeout(Duration::from_secs(5), third).await.expect("room").expect("published");
        assert_eq!(conformance::drain(&mut subscription, 2).await, ["b", "c"]);
    }

    #[tokio::test]
    async fn a_full_queue_is_bounded_by_bytes_too_but_one_message_always_fits() {
        let limits = LocalLimits { lane_bytes_max: 10, ..LocalLimits::default() };
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::with_limits(conformance::policy(), limits));
        let _subscription = conformance::subscribe(&bus, "inventory").await;
        conformance::publish(&bus, Lane::Event, "a", "k").await;
        let second = bus.publish(conformance::message(Lane::Event, "b", "k"));
        assert!(timeout(SHORT, second).await.is_err(), "the second waits");
    }

    #[tokio::test]
    async fn with_the_dead_letters_full_a_message_is_tried_on() {
        let limits = LocalLimits { dead_letters_max: 1, ..LocalLimits::default() };
        let policy = DeliveryPolicy { max_deliveries: 1, backoff: vec![], ..DeliveryPolicy::default() };
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::with_limits(policy, limits));
        let mut subscription = conformance::subscribe(&bus, "inventory").await;
        for id in ["a", "b"] {
            conformance::publish(&bus, Lane::Event, id, "k").await;
            conformance::next(&mut subscription).await.nak("no").await.expect("handed back");
        }
        let again = conformance::next(&mut subscription).await;
        assert_eq!((again.message.id.as_str(), again.attempt), ("b", 2));
        let letters = bus.dead_letters(10).await.expect("readable");
        bus.replay(&letters[0].id).await.expect("replayed");
        again.nak("no").await.expect("handed back");
        assert_eq!(bus.dead_letters(10).await.expect("readable")[0].message.id, "b");
    }

    #[tokio::test]
    async fn a_late_acknowledgement_counts() {
        let policy = DeliveryPolicy { ack_wait: SHORT, ..conformance::policy() };
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::new(policy));
        let mut subscription = conformance::subscribe(&bus, "inventory").await;
        conformance::publish(&bus, Lane::Event, "slow", "k").await;
        let late = conformance::next(&mut subscription).await;
        tokio::time::sleep(SHORT * 2).await;
        assert!(timeout(SHORT, subscription.next()).await.is_err(), "it backs off");
        late.ack().await.expect("acknowledged");
        assert!(timeout(SHORT * 8, subscription.next()).await.is_err(), "it is done");
        assert_eq!(bus.lag("inventory", Fact::ResourceObserved).await.expect("lag"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_is_forgotten_after_the_window() {
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::new(conformance::policy()));
        let mut subscription = conformance::subscribe(&bus, "inventory").await;
        for _ in 0..2 {
            conformance::publish(&bus, Lane::Event, "a", "k").await;
            assert_eq!(conformance::drain(&mut subscription, 1).await, ["a"]);
            tokio::time::advance(DEDUPE_WINDOW).await;
        }
    }

    #[tokio::test]
    async fn subscriptions_end_with_the_bus_after_what_is_left() {
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::new(conformance::policy()));
        let mut subscription = conformance::subscribe(&bus, "inventory").await;
        conformance::publish(&bus, Lane::Event, "last", "k").await;
        drop(bus);
        assert_eq!(conformance::drain(&mut subscription, 1).await, ["last"]);
        assert!(subscription.next().await.is_none());
    }
}
