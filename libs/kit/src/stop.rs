//! Stopping: the first signal asks, the second insists.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Fires once, when work is to end: what is in hand is finished, nothing new is begun.
pub type Stop = tokio_util::sync::CancellationToken;

/// Exit status after a second signal: 128 + SIGINT, as shells write it.
const INSISTED: i32 = 130;

/// A stop that fires on SIGINT or SIGTERM. A second signal ends the process at once.
pub fn stop_on_signal() -> Stop {
    let stop = Stop::new();
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(interrupt), Ok(terminate)) => {
            tokio::spawn(watch(interrupt, terminate, stop.clone()));
        }
        (interrupt, terminate) => {
            let error = interrupt.err().or(terminate.err());
            tracing::error!(?error, "signals cannot be caught: the process will end without finishing its work");
        }
    }
    stop
}

async fn watch(mut interrupt: Signal, mut terminate: Signal, stop: Stop) {
    let mut next = async || {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    };
    let signal = next().await;
    tracing::info!(signal, "stopping; once more to stop at once");
    stop.cancel();
    let signal = next().await;
    tracing::warn!(signal, "stopped at once");
    std::process::exit(INSISTED);
}
