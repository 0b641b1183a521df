//! One member of a group on NATS: a task per lane keeps one message at hand, so that the most urgent is
//! always known, and no more than one, so that other members get the rest. A message at hand is reported
//! in progress until it is taken.

use super::{Connection, unavailable, wire};
use crate::{BusError, Delivery, Fact, Lane, Message, Subscription, delivery::Settle};
use async_nats::jetstream::{self, AckKind, message::Acker};
use async_trait::async_trait;
use futures::StreamExt;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, task::JoinSet};

/// How long one pull request waits at the server before it is renewed.
const PULL_WAIT: Duration = Duration::from_secs(30);
/// The server's sign of life during a pull; two missed ones make the lane ask anew.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The pause before a lane asks anew after an error.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Member {
    at_hand: Arc<AtHand>,
    /// Aborted when the member is dropped.
    _lanes: JoinSet<()>,
}

/// The next message of each lane.
#[derive(Default)]
struct AtHand {
    deliveries: Mutex<[Option<Held>; 3]>,
    filled: Notify,
    taken: [Notify; 3],
}

struct Held {
    delivery: Delivery,
    acker: Arc<Acker>,
}

impl AtHand {
    fn lock(&self) -> MutexGuard<'_, [Option<Held>; 3]> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Delivery> {
        let (index, held) = {
            let mut deliveries = self.lock();
            let index = deliveries.iter().position(Option::is_some)?;
            (index, deliveries[index].take()?)
        };
        self.taken[index].notify_one();
        Some(held.delivery)
    }
}

impl Member {
    pub fn start(connection: Arc<Connection>, group: &str, fact: Fact) -> Self {
        let at_hand = Arc::new(AtHand::default());
        let mut lanes = JoinSet::new();
        for lane in Lane::ALL {
            let (connection, group, at_hand) = (connection.clone(), group.to_owned(), at_hand.clone());
            lanes.spawn(LaneFeed { connection, group, fact, lane, at_hand }.run());
        }
        Self { at_hand, _lanes: lanes }
    }
}

#[async_trait]
impl Subscription for Member {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            if let Some(delivery) = self.at_hand.take() {
                return Some(delivery);
            }
            self.at_hand.filled.notified().await;
        }
    }
}

impl Drop for Member {
    /// Gives back what is at hand, where a runtime still runs; else it comes again after `ack_wait`.
    fn drop(&mut self) {
        let held: Vec<Held> = self.at_hand.lock().iter_mut().filter_map(Option::take).collect();
        if let (false, Ok(runtime)) = (held.is_empty(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                for Held { delivery, .. } in held {
                    let id = delivery.message.id.clone();
                    if let Err(error) = delivery.release().await {
                        tracing::debug!(id, %error, "message not given back");
                    }
                }
            });
        }
    }
}

/// Feeds one lane.
struct LaneFeed {
    connection: Arc<Connection>,
    group: String,
    fact: Fact,
    lane: Lane,
    at_hand: Arc<AtHand>,
}

impl LaneFeed {
    async fn run(self) {
        loop {
            if let Err(error) = self.pull().await {
                let (group, fact, lane) = (&self.group, self.fact, self.lane);
                tracing::warn!(group, %fact, %lane, error = super::chain(&error), "lane interrupted");
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Until the first error, after which everything is set up anew: the consumer too may be gone.
    async fn pull(&self) -> Result<(), BusError> {
        let consumer = self.connection.consumer(&self.group, self.fact, self.lane).await?;
        let pulls = consumer.stream().max_messages_per_batch(1).expires(PULL_WAIT).heartbeat(HEARTBEAT);
        let mut messages = pulls.messages().await.map_err(|cause| unavailable("pull", cause))?;
        while let Some(message) = messages.next().await {
            let message = message.map_err(|cause| unavailable("pull", cause))?;
            if let Some(held) = self.receive(message).await? {
                self.hold(held).await;
            }
        }
        Ok(())
    }

    /// `None`: it is not for this group, or was given up.
    async fn receive(&self, message: jetstream::Message) -> Result<Option<Held>, BusError> {
        let failed = |cause| unavailable("receive", cause);
        let info = message.info().map_err(failed)?;
        let (sequence, attempt) = (info.stream_sequence, u32::try_from(info.delivered).unwrap_or(u32::MAX));
        let (raw, acker) = message.split();
        if wire::only_group(&raw).is_some_and(|group| group != self.group) {
            acker.ack().await.map_err(failed)?;
            return Ok(None);
        }
        let message = match wire::message(&raw) {
            Ok(message) => message,
            Err(why) => {
                tracing::error!(subject = %raw.subject, sequence, why, "message of a foreign publisher set aside");
                acker.ack_with(AckKind::Term).await.map_err(failed)?;
                return Ok(None);
            }
        };
        let acker = Arc::new(acker);
        let settle = InHand {
            connection: self.connection.clone(),
            group: self.group.clone(),
            message: message.clone(),
            sequence,
            attempt,
            acker: acker.clone(),
        };
        let policy = &self.connection.policy;
        if attempt > policy.max_deliveries {
            settle.give_up(&policy.silence(), attempt - 1).await?;
            return Ok(None);
        }
        let delivery = Delivery { message, attempt, ack_wait: policy.ack_wait, settle: Box::new(settle) };
        Ok(Some(Held { delivery, acker }))
    }

    /// Until a caller took it.
    async fn hold(&self, held: Held) {
        let index = self.lane as usize;
        let acker = held.acker.clone();
        self.at_hand.lock()[index] = Some(held);
        self.at_hand.filled.notify_one();
        let taken = self.at_hand.taken[index].notified();
        tokio::pin!(taken);
        let progress_every = self.connection.policy.ack_wait / 3;
        while tokio::time::timeout(progress_every, taken.as_mut()).await.is_err() {
            if let Err(error) = acker.ack_with(AckKind::Progress).await {
                tracing::debug!(error, "progress not reported");
            }
        }
    }
}

/// A delivery of NATS.
struct InHand {
    connection: Arc<Connection>,
    group: String,
    message: Message,
    sequence: u64,
    attempt: u32,
    acker: Arc<Acker>,
}

impl InHand {
    async fn answer(&self, kind: AckKind) -> Result<(), BusError> {
        self.acker.ack_with(kind).await.map_err(|cause| unavailable("settle a message", cause))
    }

    /// To the dead letters; where that fails, the message is kept and tried again.
    async fn give_up(&self, reason: &str, attempts: u32) -> Result<(), BusError> {
        let given_up = self.connection.give_up(&self.group, &self.message, self.sequence, reason, attempts).await;
        if let Err(error) = given_up {
            tracing::error!(id = self.message.id, error = super::chain(&error), "dead letter not written");
            return self.answer(AckKind::Nak(Some(self.connection.policy.wait_after(attempts)))).await;
        }
        self.answer(AckKind::Term).await
    }
}

#[async_trait]
impl Settle for InHand {
    async fn ack(&self) -> Result<(), BusError> {
        self.answer(AckKind::Ack).await
    }

    async fn nak(&self, reason: &str) -> Result<(), BusError> {
        if self.attempt >= self.connection.policy.max_deliveries {
            return self.give_up(reason, self.attempt).await;
        }
        self.answer(AckKind::Nak(Some(self.connection.policy.wait_after(self.attempt)))).await
    }

    async fn release(&self) -> Result<(), BusError> {
        self.answer(AckKind::Nak(None)).await
    }

    async fn in_progress(&self) -> Result<(), BusError> {
        self.answer(AckKind::Progress).await
    }
}
