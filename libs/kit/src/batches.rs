//! Batches: resources that wait to be looked at, done many at a time, since a transaction for one costs nearly what one
//! for sixty-four does.
//!
//! A batch takes what waits and never waits for more. It holds resources of one lane, the most urgent that waits, and
//! its work may end after the first few: the others go back to the front of their lane. So what a person waits for is
//! held up by one bounded piece of work, not by a long queue of scheduled ones. A resource is in one batch at a time.

use crate::worker::HANDLING_TIME_MAX;
use anyhow::{anyhow, ensure};
use muster_bus::Lane;
use muster_domain::ResourceId;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{Notify, oneshot},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, Span};

/// Resources of a batch. Measured (docs/benchmarks.md, "A new advisory against a million resources"): with 64 the cost of
/// a transaction is shared out, and one takes well below a second.
pub const BATCH_MAX: usize = 64;

/// One resource of a batch.
#[derive(Clone, Debug)]
pub struct Member {
    /// Which.
    pub resource: ResourceId,
    /// How urgent.
    pub lane: Lane,
    /// Of the message that asked first: what tells of this resource belongs to its trace.
    pub span: Span,
}

/// Resources to look at, and the tasks that do so. Each caller holds one place while it waits, so the callers' number is
/// the bound on memory. Dropped, it ends its tasks: when nobody waits, none has anything in hand.
pub struct Batches {
    queue: Arc<Queue>,
    _workers: Vec<AbortOnDropHandle<()>>,
}

impl Batches {
    /// Works with so many batches side by side. `work` does the first so many of the members, all of those or none, and
    /// says how many: at least one. When it fails or panics, its members are done one by one, so that only those fail
    /// that have to. Doing a member twice must be harmless.
    pub fn start<W, F>(side_by_side: usize, work: W) -> Arc<Self>
    where
        W: Fn(Vec<Member>) -> F + Send + Sync + 'static,
        F: Future<Output = anyhow::Result<usize>> + Send + 'static,
    {
        let (queue, work) = (Arc::new(Queue::default()), Arc::new(work));
        let worker = |_| {
            let (queue, work) = (Arc::clone(&queue), Arc::clone(&work));
            AbortOnDropHandle::new(tokio::spawn(async move { queue.work_off(work.as_ref()).await }))
        };
        let _workers = (0..side_by_side.max(1)).map(worker).collect();
        Arc::new(Self { queue, _workers })
    }

    /// How many messages have to be in hand for so many batches side by side: as many again as they hold wait, so that the
    /// next are full.
    pub fn messages_in_hand(side_by_side: usize) -> usize {
        side_by_side.max(1).saturating_mul(2 * BATCH_MAX)
    }

    /// Has the resource looked at from now on, and waits until that is done. Whoever asks for the same one meanwhile gets
    /// the same answer; one that is being looked at already is looked at again, since it may have changed.
    pub async fn look_at(&self, resource: ResourceId, lane: Lane) -> anyhow::Result<()> {
        let answer = self.queue.push(resource, lane);
        match answer.await {
            Ok(answer) => answer.map_err(|reason| anyhow!(reason)),
            Err(_) => Err(anyhow!("the batches ended")),
        }
    }
}

/// A failure is told to each who waits, in words.
type Answer = Result<(), String>;

/// One resource that waits or is in hand.
struct Entry {
    member: Member,
    waiters: Vec<oneshot::Sender<Answer>>,
    /// Its batch failed: it is tried again by itself.
    alone: bool,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    /// Rung when something waits.
    arrived: Notify,
}

#[derive(Default)]
struct State {
    /// What waits, per lane in order. An id that has moved to a more urgent lane is skipped where it was.
    lanes: [VecDeque<ResourceId>; Lane::ALL.len()],
    waiting: HashMap<ResourceId, Entry>,
    in_hand: HashSet<ResourceId>,
    /// Workers that have nothing to do: what waits is shared with them.
    idle: usize,
}

impl Queue {
    /// No code panics with the lock held; a poisoned state would still be whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, resource: ResourceId, lane: Lane) -> oneshot::Receiver<Answer> {
        let (waiter, answer) = oneshot::channel();
        let member = Member { resource, lane, span: Span::current() };
        self.lock().put(Entry { member, waiters: vec![waiter], alone: false }, VecDeque::push_back);
        self.arrived.notify_one();
        answer
    }

    async fn work_off<W, F>(&self, work: &W)
    where
        W: Fn(Vec<Member>) -> F,
        F: Future<Output = anyhow::Result<usize>> + Send + 'static,
    {
        loop {
            let batch = self.lock().take();
            if batch.is_empty() {
                self.lock().idle += 1;
                self.arrived.notified().await;
                self.lock().idle -= 1;
                continue;
            }
            // A ring is for one worker: who takes rings on, so that the rest of a burst wakes the others.
            self.arrived.notify_one();
            let members: Vec<Member> = batch.iter().map(|entry| entry.member.clone()).collect();
            let span = match members.as_slice() {
                [one] => one.span.clone(),
                several => tracing::info_span!(parent: None, "batch", members = several.len()),
            };
            let outcome = run(members.len(), work(members).instrument(span)).await;
            self.finish(batch, outcome);
        }
    }

    fn finish(&self, batch: Vec<Entry>, outcome: Result<usize, String>) {
        let mut left = Vec::new();
        let count = batch.len();
        let mut state = self.lock();
        for (index, mut entry) in batch.into_iter().enumerate() {
            state.in_hand.remove(&entry.member.resource);
            match &outcome {
                Ok(done) if index < *done => entry.answer(Ok(())),
                Ok(_) => left.push(entry),
                Err(reason) if count == 1 => entry.answer(Err(reason.clone())),
                Err(_) => {
                    entry.alone = true;
                    left.push(entry);
                }
            }
        }
        if let (Err(reason), true) = (&outcome, count > 1) {
            tracing::debug!(reason, members = count, "batch failed, its members are done one by one");
        }
        for entry in left.into_iter().rev() {
            state.put(entry, VecDeque::push_front);
        }
    }
}

impl State {
    /// Joins what waits for the same resource; the more urgent lane counts.
    fn put(&mut self, mut entry: Entry, push: impl FnOnce(&mut VecDeque<ResourceId>, ResourceId)) {
        let id = entry.member.resource.clone();
        if let Some(mut other) = self.waiting.remove(&id) {
            entry.waiters.append(&mut other.waiters);
            entry.alone |= other.alone;
            entry.member.span = other.member.span;
            if other.member.lane <= entry.member.lane {
                entry.member.lane = other.member.lane;
                self.waiting.insert(id, entry); // it has its place
                return;
            }
        }
        push(&mut self.lanes[entry.member.lane as usize], id.clone());
        self.waiting.insert(id, entry);
    }

    /// The next batch, of the most urgent lane that has anything that is not in hand; idle workers get their share of it.
    fn take(&mut self) -> Vec<Entry> {
        for lane in Lane::ALL {
            let most = self.lanes[lane as usize].len().div_ceil(1 + self.idle).min(BATCH_MAX);
            let batch = self.take_of(lane, most);
            if !batch.is_empty() {
                self.in_hand.extend(batch.iter().map(|entry| entry.member.resource.clone()));
                return batch;
            }
        }
        Vec::new()
    }

    fn take_of(&mut self, lane: Lane, most: usize) -> Vec<Entry> {
        let Self { lanes, waiting, in_hand, .. } = self;
        let lane_ids = &mut lanes[lane as usize];
        let (mut batch, mut passed_over) = (Vec::<Entry>::new(), Vec::new());
        while batch.len() < most
            && let Some(id) = lane_ids.pop_front()
        {
            let Some(entry) = waiting.get(&id).filter(|entry| entry.member.lane == lane) else {
                continue; // it went with a more urgent lane
            };
            if in_hand.contains(&id) {
                passed_over.push(id);
                continue;
            }
            if entry.alone && !batch.is_empty() {
                passed_over.push(id);
                break;
            }
            let alone = entry.alone;
            batch.extend(waiting.remove(&id));
            if alone {
                break;
            }
        }
        passed_over.into_iter().rev().for_each(|id| lane_ids.push_front(id));
        batch
    }
}

impl Entry {
    fn answer(&mut self, answer: Answer) {
        for waiter in self.waiters.drain(..) {
            let _ = waiter.send(answer.clone()); // whoever gave up needs none
        }
    }
}

/// In a task of its own, so that a panic ends there; bounded, so that what hangs does not hold its resources for ever.
async fn run<F>(members: usize, work: F) -> Result<usize, String>
where
    F: Future<Output = anyhow::Result<usize>> + Send + 'static,
{
    let task = AbortOnDropHandle::new(tokio::spawn(async move {
        let done = work.await?;
        ensure!((1..=members).contains(&done), "{done} of {members} members done: a batch does one at least");
        Ok(done)
    }));
    match timeout(HANDLING_TIME_MAX, task).await {
        Ok(Ok(Ok(done))) => Ok(done),
        Ok(Ok(Err(error))) => Err(format!("{error:#}")),
        Ok(Err(panic)) => Err(panic.to_string()),
        Err(_) => Err(format!("not done within {HANDLING_TIME_MAX:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;
    use futures::future::join_all;
    use std::{collections::BTreeMap, time::Duration};
    use tokio::{
        sync::{Semaphore, mpsc},
        task::JoinHandle,
    };

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Batches whose work waits for a permit each, and tells which resources it was given.
    struct Bench {
        batches: Arc<Batches>,
        gate: Arc<Semaphore>,
        seen: mpsc::UnboundedReceiver<Vec<String>>,
    }

    /// `work` decides over the names of a batch.
    fn bench(side_by_side: usize, work: fn(&[String]) -> anyhow::Result<usize>) -> Bench {
        let (gate, (tell, seen)) = (Arc::new(Semaphore::new(0)), mpsc::unbounded_channel());
        let batches = Batches::start(side_by_side, {
            let gate = Arc::clone(&gate);
            move |members: Vec<Member>| {
                let (gate, tell) = (Arc::clone(&gate), tell.clone());
                async move {
                    let names: Vec<String> = members.iter().map(|member| member.resource.to_string()).collect();
                    tell.send(names.clone()).expect("the test listens");
                    gate.acquire().await.expect("never closed").forget();
                    work(&names)
                }
            }
        });
        Bench { batches, gate, seen }
    }

    impl Bench {
        /// Asks for these in this order, before any work is begun.
        fn ask(&self, lane: Lane, names: &[&str]) -> Vec<JoinHandle<anyhow::Result<()>>> {
            let ask = |name: &&str| {
                let answer = self.batches.queue.push(ResourceId::new(*name), lane);
                tokio::spawn(async move { answer.await.expect("answered").map_err(|reason| anyhow!(reason)) })
            };
            names.iter().map(ask).collect()
        }

        async fn next(&mut self) -> Vec<String> {
            timeout(PATIENCE, self.seen.recv()).await.expect("a batch in time").expect("open")
        }
    }

    /// What each got, by name.
    async fn answers<const N: usize>(
        names: [&str; N],
        asked: Vec<JoinHandle<anyhow::Result<()>>>,
    ) -> BTreeMap<String, String> {
        let answers = timeout(PATIENCE, join_all(asked)).await.expect("answers in time");
        let word = |answer: anyhow::Result<()>| answer.map_or_else(|error| error.to_string(), |()| "done".to_owned());
        let answers = answers.into_iter().map(|answer| word(answer.expect("no panic")));
        names.iter().map(ToString::to_string).zip(answers).collect()
    }

    fn all(names: &[String]) -> anyhow::Result<usize> {
        Ok(names.len())
    }

    #[tokio::test]
    async fn a_batch_takes_what_waits_and_never_waits_for_more() {
        let mut bench = bench(1, all);
        let mut asked = bench.ask(Lane::Event, &["first"]);
        assert_eq!(bench.next().await, ["first"], "alone, since nothing else waited");
        asked.extend(bench.ask(Lane::Event, &["b", "a", "c"]));
        bench.gate.add_permits(2);
        assert_eq!(bench.next().await, ["b", "a", "c"], "in the order in which they came");
        assert!(answers(["first", "b", "a", "c"], asked).await.values().all(|answer| answer == "done"));
    }

    #[tokio::test]
    async fn a_batch_has_a_maximum_and_workers_share_what_waits() {
        let mut bench = bench(2, all);
        let names: Vec<String> = (0..300).map(|index| format!("r{index:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let asked = bench.ask(Lane::Scheduled, &names);
        bench.gate.add_permits(1_000);
        let mut sizes = Vec::new();
        while sizes.iter().sum::<usize>() < 300 {
            sizes.push(bench.next().await.len());
        }
        timeout(PATIENCE, join_all(asked)).await.expect("answers in time");
        assert_eq!(sizes, [BATCH_MAX, BATCH_MAX, BATCH_MAX, BATCH_MAX, 300 - 4 * BATCH_MAX]);
    }

    #[tokio::test]
    async fn a_burst_is_shared_with_who_has_nothing_to_do() {
        let mut bench = bench(2, all);
        tokio::task::yield_now().await; // both workers find nothing
        let asked = bench.ask(Lane::Scheduled, &["a", "b", "c", "d", "e"]);
        assert_eq!(bench.next().await, ["a", "b", "c"]);
        assert_eq!(bench.next().await, ["d", "e"]);
        bench.gate.add_permits(2);
        answers(["a", "b", "c", "d", "e"], asked).await;
    }

    #[tokio::test]
    async fn the_most_urgent_lane_goes_first_and_is_not_mixed_with_others() {
        let mut bench = bench(1, all);
        let mut asked = bench.ask(Lane::Event, &["in hand"]);
        bench.next().await;
        asked.extend(bench.ask(Lane::Scheduled, &["s1", "s2"]));
        asked.extend(bench.ask(Lane::Event, &["e1"]));
        asked.extend(bench.ask(Lane::OnDemand, &["o1", "s2"])); // a person asks for what a sweep had scheduled
        bench.gate.add_permits(10);
        assert_eq!(bench.next().await, ["o1", "s2"]);
        assert_eq!(bench.next().await, ["e1"]);
        assert_eq!(bench.next().await, ["s1"]);
        answers(["in hand", "s1", "s2", "e1", "o1", "s2"], asked).await;
    }

    #[tokio::test]
    async fn one_resource_is_looked_at_once_for_all_who_wait_and_again_for_who_came_late() {
        let mut bench = bench(2, all);
        let mut asked = bench.ask(Lane::Event, &["x"]);
        assert_eq!(bench.next().await, ["x"]);
        asked.extend(bench.ask(Lane::Event, &["x", "x"]));
        asked.extend(bench.ask(Lane::Event, &["y"]));
        assert_eq!(bench.next().await, ["y"], "the second worker leaves what the first has in hand");
        bench.gate.add_permits(10);
        assert_eq!(bench.next().await, ["x"], "it may have changed since, once for both");
        let answers = answers(["x", "x2", "x3", "y"], asked).await;
        assert!(answers.values().all(|answer| answer == "done"), "{answers:?}");
        assert!(bench.seen.is_empty());
    }

    #[tokio::test]
    async fn a_poisoned_member_fails_alone() {
        let mut bench = bench(1, |names| match names.iter().find(|name| name.starts_with("bad")) {
            Some(name) if name == "bad panic" => panic!("as asked"),
            Some(name) => bail!("{name} cannot be done"),
            None => Ok(names.len()),
        });
        let mut asked = bench.ask(Lane::Event, &["first"]);
        bench.next().await;
        asked.extend(bench.ask(Lane::Event, &["a", "bad", "b", "bad panic"]));
        bench.gate.add_permits(10);
        assert_eq!(bench.next().await, ["a", "bad", "b", "bad panic"]);
        for name in ["a", "bad", "b", "bad panic"] {
            assert_eq!(bench.next().await, [name]);
        }
        let answers = answers(["first", "a", "bad", "b", "bad panic"], asked).await;
        assert_eq!((answers["a"].as_str(), answers["b"].as_str()), ("done", "done"));
        assert_eq!(answers["bad"], "bad cannot be done");
        assert!(answers["bad panic"].contains("panic"), "{answers:?}");
    }

    #[tokio::test]
    async fn what_a_batch_leaves_goes_behind_what_is_more_urgent() {
        let mut bench = bench(1, |names| Ok(names.len().min(2)));
        let mut asked = bench.ask(Lane::Event, &["in hand"]);
        bench.next().await;
        asked.extend(bench.ask(Lane::Scheduled, &["a", "b", "c", "d", "e"]));
        bench.gate.add_permits(1);
        assert_eq!(bench.next().await, ["a", "b", "c", "d", "e"]);
        asked.extend(bench.ask(Lane::OnDemand, &["urgent"]));
        bench.gate.add_permits(10);
        assert_eq!(bench.next().await, ["urgent"]);
        assert_eq!(bench.next().await, ["c", "d", "e"]);
        assert_eq!(bench.next().await, ["e"]);
        answers(["in hand", "a", "b", "c", "d", "e", "urgent"], asked).await;
    }

    #[tokio::test]
    async fn a_batch_that_says_it_did_nothing_is_a_failure_and_no_endless_loop() {
        let bench = bench(1, |_| Ok(0));
        bench.gate.add_permits(10);
        let answer = timeout(PATIENCE, bench.batches.look_at(ResourceId::new("x"), Lane::Event)).await;
        let error = answer.expect("answered in time").expect_err("a failure").to_string();
        assert_eq!(error, "0 of 1 members done: a batch does one at least");
    }

    #[tokio::test]
    async fn whoever_waits_when_the_batches_end_is_told() {
        let mut bench = bench(1, all);
        let answer = bench.batches.queue.push(ResourceId::new("x"), Lane::Event);
        bench.next().await;
        drop(bench);
        assert!(timeout(PATIENCE, answer).await.expect("in time").is_err(), "no answer, and no waiting for one");
    }
}
