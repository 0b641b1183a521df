//! Queue lag as a gauge: what autoscalers of the matchers look at.

use crate::{Stop, metric_names::QUEUE_LAG};
use muster_bus::{Bus, Fact};
use std::{sync::Arc, time::Duration};

/// Between two looks; autoscalers look every 15 to 30 seconds.
const INTERVAL: Duration = Duration::from_secs(5);

/// Keeps the gauge [`QUEUE_LAG`] of a group current until `stop` fires.
pub async fn watch_lag(service: &'static str, group: &'static str, facts: &[Fact], bus: Arc<dyn Bus>, stop: Stop) {
    loop {
        for fact in facts {
            match bus.lag(group, *fact).await {
                Ok(lag) => {
                    let labels = [("service", service), ("group", group), ("fact", fact.name())];
                    metrics::gauge!(QUEUE_LAG, &labels).set(lag as f64);
                }
                Err(error) => tracing::debug!(%fact, %error, "queue lag not read"),
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
            return;
        }
    }
}
