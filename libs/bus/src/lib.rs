//! The bus: facts, at least once.
//!
//! What every engine promises; the suite in `conformance.rs` holds each of them to it:
//!
//! - A group gets every message published after its first `subscribe` for that fact returned, at
//!   least once; the members of a group share them.
//! - Messages of one key and lane are handed out in the order of publishing, while nothing is redelivered.
//! - What a person asked for overtakes events, which overtake scheduled work ([`Lane`]).
//! - A message that is neither acknowledged nor reported in progress within the policy's `ack_wait`, or
//!   that is handed back, comes again after a back-off.
//! - A message id published twice within [`DEDUPE_WINDOW`] is one message.
//! - After `max_deliveries` a message goes to the dead letters with the last reason, and can be replayed
//!   to the group that could not handle it, with its attempts counted from one again.
//! - Every queue is bounded, and nothing is lost silently at the bound: publishing waits or is refused.
//!
//! A message only says "look now" ([`Subject`], a key, a small payload); bodies lie in the store.

#[cfg(test)]
mod conformance;
mod delivery;
mod local;
mod message;
mod nats;

pub use delivery::{DeadLetter, Delivery, DeliveryPolicy};
pub use local::{LocalBus, LocalLimits};
pub use message::{Fact, Lane, MalformedSubject, Message, NONE, Subject};
pub use nats::NatsBus;

use async_trait::async_trait;
use std::time::Duration;

/// How long a message id is remembered: NATS' default `duplicate_window`. Longer than any retry of a
/// publisher; whoever repeats later is seen twice, which level-triggered handlers take without harm.
pub const DEDUPE_WINDOW: Duration = Duration::from_secs(120);

/// Largest payload, in bytes. NATS refuses messages above its `max_payload` (default 1 MiB), headers
/// included; [`HEADER_BYTES_MAX`] and what the dead letters add fit in the 32 KiB kept free.
pub const PAYLOAD_BYTES_MAX: usize = (1 << 20) - (32 << 10);

/// Largest sum of a message's id, key, header names and header values, in bytes: a trace context is 100.
pub const HEADER_BYTES_MAX: usize = 16 << 10;

/// Longest reason kept with a dead letter, in bytes; the rest is cut off.
pub const REASON_BYTES_MAX: usize = 4 << 10;

/// A place to publish facts and to subscribe to them.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Returns when the bus has taken the message for every group that subscribed to its fact. An error
    /// that is not [permanent](BusError::is_permanent) leaves open whether it was taken: repeat with the same id.
    async fn publish(&self, message: Message) -> Result<(), BusError>;

    /// Joins `group` (`a-z`, `0-9`, `-`) for one fact. From its return on, the group misses nothing.
    async fn subscribe(&self, group: &str, fact: Fact) -> Result<Box<dyn Subscription>, BusError>;

    /// How many messages of one fact the group has not acknowledged: waiting, in hand, or backing off.
    /// Zero for a group that never subscribed.
    async fn lag(&self, group: &str, fact: Fact) -> Result<u64, BusError>;

    /// The oldest dead letters, at most `limit`.
    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BusError>;

    /// Gives a dead letter back to its group as a new message on its old lane, and removes it.
    async fn replay(&self, id: &str) -> Result<(), BusError>;
}

/// One member of a group, for one fact.
#[async_trait]
pub trait Subscription: Send {
    /// The next message: on-demand first, then events, then scheduled. `None` when the
    /// bus is gone, as only the local one ever is. Dropping the future loses nothing.
    async fn next(&mut self) -> Option<Delivery>;
}

/// Why the bus did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// A subject that no subscriber could be found for.
    #[error(transparent)]
    Subject(#[from] MalformedSubject),
    /// A message that cannot travel: a programming error of its publisher.
    #[error("message `{id}` cannot be published: {why}")]
    MalformedMessage {
        /// The message.
        id: String,
        /// What is wrong with it.
        why: String,
    },
    /// A payload or headers above the limit. Put the body in the store and send its digest.
    #[error("message `{id}` has {bytes} bytes of {what}, more than the {limit} that a message may carry")]
    TooLarge {
        /// The message.
        id: String,
        /// `payload` or `headers`.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// [`PAYLOAD_BYTES_MAX`] or [`HEADER_BYTES_MAX`].
        limit: usize,
    },
    /// A group name that is not `a-z`, `0-9` and `-`, at most 64 characters.
    #[error("group `{0}` is not a name of a-z, 0-9 and -")]
    MalformedGroup(String),
    /// The engine's address.
    #[error("bus address: {0}")]
    MalformedAddress(String),
    /// No dead letter has this id (any more).
    #[error("no dead letter `{0}`")]
    UnknownDeadLetter(String),
    /// The stream is at its limit of bytes: consumers must catch up first. Nothing was taken.
    #[error("the bus is full: {0}")]
    Full(String),
    /// The engine did not answer, or refused for a reason of its own.
    #[error("{operation} on the bus")]
    Unavailable {
        /// What was tried.
        operation: String,
        /// The client's error.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl BusError {
    /// Whether a repeat of the same call must fail as well.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Full(_) | Self::Unavailable { .. })
    }
}

/// A group's name is part of consumer names and subjects, so it is held to what all of them allow.
fn check_group(group: &str) -> Result<(), BusError> {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if group.is_empty() || group.len() > 64 || !group.bytes().all(fine) {
        return Err(BusError::MalformedGroup(group.to_owned()));
    }
    Ok(())
}
