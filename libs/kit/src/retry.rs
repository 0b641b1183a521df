//! How often and how fast to try again. A failed message needs no policy of ours: the bus brings it again.

use backon::ExponentialBuilder;
use std::time::Duration;

/// For connecting at the start, when engines start at the same time: about a minute, then the process
/// ends and whoever runs it decides.
pub fn start_policy() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(16)
        .with_jitter()
}
