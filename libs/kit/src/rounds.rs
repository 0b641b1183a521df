//! Rounds: how far a service is that brings work in from outside, and whether it got all of it.

use tokio::sync::watch;

/// The last round that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Counted from one; zero: the first is still under way.
    pub number: u64,
    /// Whether it read everything. What it did not read stands in the log and in the service's answers.
    pub complete: bool,
}

/// Tells whoever waits for a round.
#[derive(Debug, Default)]
pub struct Rounds(watch::Sender<Round>);

impl Rounds {
    /// A round has ended.
    pub fn end(&self, complete: bool) {
        self.0.send_modify(|round| *round = Round { number: round.number + 1, complete });
    }

    /// Sees each round from now on.
    pub fn subscribe(&self) -> watch::Receiver<Round> {
        self.0.subscribe()
    }
}
