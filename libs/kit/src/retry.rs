//! How often and how fast to try again. Two policies, so that a reader knows what a call does when it fails.

use backon::ExponentialBuilder;
use std::time::Duration;

/// For a call that answers within seconds: three more attempts after about 0.1, 0.2 and 0.4 seconds.
/// Longer troubles are the bus' to bridge: the message comes again.
pub fn call_policy() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(1))
        .with_max_times(3)
        .with_jitter()
}

/// For connecting at the start, when engines start at the same time: about a minute, then the process
/// ends and whoever runs it decides.
pub fn start_policy() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(16)
        .with_jitter()
}
