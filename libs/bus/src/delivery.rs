//! What comes out: a delivery that must be settled, the policy of redelivery, and the dead letters.

use crate::{BusError, Message, REASON_BYTES_MAX};
use async_trait::async_trait;
use std::time::Duration;

/// How often and how fast a message comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryPolicy {
    /// After so many deliveries without an acknowledgement a message goes to the dead letters. At least 1.
    pub max_deliveries: u32,
    /// A delivery that is neither settled nor reported in progress for so long counts as failed.
    pub ack_wait: Duration,
    /// The wait after the first failure, the second, …; the last one repeats. Empty: no wait.
    pub backoff: Vec<Duration>,
}

impl Default for DeliveryPolicy {
    /// Five deliveries within about seven minutes: longer than a restart of the store or a short
    /// throttling of AWS, short enough that a poisoned message is seen the same morning.
    fn default() -> Self {
        Self {
            max_deliveries: 5,
            ack_wait: Duration::from_secs(30),
            backoff: [1, 10, 60, 300].map(Duration::from_secs).to_vec(),
        }
    }
}

impl DeliveryPolicy {
    /// The wait before the delivery that follows the failed delivery number `attempt`, counted from one.
    pub fn wait_after(&self, attempt: u32) -> Duration {
        let index = (attempt.max(1) - 1) as usize;
        self.backoff.get(index).or(self.backoff.last()).copied().unwrap_or(Duration::ZERO)
    }

    /// The reason of a dead letter whose last delivery nobody settled.
    pub(crate) fn silence(&self) -> String {
        format!("neither acknowledged nor in progress within {:?}", self.ack_wait)
    }
}

/// A message in hand. Dropped unsettled, it comes again when its time is over.
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Counts the deliveries of this message to this group, from one.
    pub attempt: u32,
    /// Report progress more often than this, or settle.
    pub ack_wait: Duration,
    pub(crate) settle: Box<dyn Settle>,
}

impl Delivery {
    /// Done: it does not come again.
    pub async fn ack(self) -> Result<(), BusError> {
        self.settle.ack().await
    }

    /// Failed because of `reason`: it comes again after the policy's back-off, or goes to the dead letters.
    pub async fn nak(self, reason: &str) -> Result<(), BusError> {
        self.settle.nak(&one_line(reason)).await
    }

    /// Not tried, for example because the process stops: another member may have it at once.
    pub async fn release(self) -> Result<(), BusError> {
        self.settle.release().await
    }

    /// Still working on it: the time to settle starts anew.
    pub async fn in_progress(&self) -> Result<(), BusError> {
        self.settle.in_progress().await
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("Delivery");
        debug.field("message", &self.message).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

/// The engine's side of a delivery.
#[async_trait]
pub(crate) trait Settle: Send + Sync {
    async fn ack(&self) -> Result<(), BusError>;
    async fn nak(&self, reason: &str) -> Result<(), BusError>;
    async fn release(&self) -> Result<(), BusError>;
    async fn in_progress(&self) -> Result<(), BusError>;
}

/// A message that a group could not handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// For [`replay`](crate::Bus::replay).
    pub id: String,
    /// The group that could not handle it.
    pub group: String,
    /// As it was published.
    pub message: Message,
    /// Why its last delivery failed, in one line.
    pub reason: String,
    /// How often it was delivered.
    pub attempts: u32,
    /// When it was given up.
    pub at: jiff::Timestamp,
}

/// Reasons travel as headers: control characters become blanks, and the end is cut off.
fn one_line(reason: &str) -> String {
    let mut line: String = reason.chars().map(|each| if each.is_control() { ' ' } else { each }).collect();
    line.truncate(line.floor_char_boundary(REASON_BYTES_MAX));
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_back_off_repeats() {
        let policy =
            DeliveryPolicy { backoff: vec![Duration::from_secs(1), Duration::from_secs(5)], ..Default::default() };
        for (attempt, seconds) in [(0, 1), (1, 1), (2, 5), (3, 5), (u32::MAX, 5)] {
            assert_eq!(policy.wait_after(attempt), Duration::from_secs(seconds), "attempt {attempt}");
        }
        assert_eq!(DeliveryPolicy { backoff: vec![], ..policy }.wait_after(3), Duration::ZERO);
    }

    #[test]
    fn a_reason_is_one_line_of_limited_length() {
        assert_eq!(one_line(" read inventory:\r\n\tnot found "), "read inventory:   not found");
        assert_eq!(one_line(&"ä".repeat(REASON_BYTES_MAX)).len(), REASON_BYTES_MAX);
    }
}
