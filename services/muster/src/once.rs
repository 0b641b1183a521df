//! `muster up --once`: when the first pass is complete, and what it found.

use crate::{exit, terminal};
use anyhow::{Context, Result};
use muster_domain::Severity;
use muster_kit::{Backends, Round};
use muster_publishing_service::Config as Publishing;
use std::time::Duration;
use tokio::{sync::watch, time::Instant};
use tracing::warn;

/// How often the store is asked.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Without any change for this long, what is still behind will not come: retries back off for longer.
const PATIENCE: Duration = Duration::from_secs(45);

/// What is counted of what is behind; more than this is as unfinished as this.
const BEHIND_MAX: u32 = 1_000;

/// How much each service has still to do.
#[derive(Debug, PartialEq, Eq)]
struct Behind {
    /// Whether there is an advisory database.
    advised: bool,
    outbox: u64,
    unscanned: usize,
    unmatched: usize,
    unscored: usize,
    unpublished: u64,
}

impl Behind {
    async fn read(backends: &Backends, publishing: &Publishing) -> Result<Self> {
        let store = &backends.store;
        let epoch = store.latest_epoch_number().await?;
        let mut unpublished = 0;
        for sink in &publishing.sinks {
            unpublished += store.unpublished_count(sink.name()).await?;
        }
        Ok(Self {
            advised: epoch.is_some(),
            outbox: store.outbox_lengths().await?.values().sum(),
            unscanned: store.unscanned(BEHIND_MAX).await?.len(),
            unmatched: match epoch {
                // Before the marks are there nobody knows what is behind.
                Some(epoch) if store.marked_epoch().await? < epoch => 1,
                Some(_) => store.unmatched(BEHIND_MAX).await?.len(),
                None => 0,
            },
            unscored: store.unscored(BEHIND_MAX).await?.len(),
            unpublished,
        })
    }

    fn is_complete(&self) -> bool {
        self.advised && self.left() == 0
    }

    fn left(&self) -> u64 {
        self.outbox + self.unpublished + (self.unscanned + self.unmatched + self.unscored) as u64
    }
}

/// Waits for the end of the first pass and prints what it found. `rounds`: of the services that bring the work in;
/// the first of each has to end before what is behind tells anything.
pub async fn complete(backends: &Backends, rounds: Vec<watch::Receiver<Round>>, publishing: &Publishing) -> Result<u8> {
    let bar = terminal::progress("sweeping accounts, fetching advisories".to_owned());
    // What a round could not read stands in the log already.
    let mut complete = true;
    for mut round in rounds {
        complete &= round.wait_for(|round| round.number > 0).await.context("wait for the first round")?.complete;
    }
    let mut last: Option<(Behind, Instant)> = None;
    let code = loop {
        let behind = Behind::read(backends, publishing).await.context("read how far the first pass is")?;
        bar.set_message(format!("first pass: {} steps to go", behind.left()));
        if behind.is_complete() {
            break if complete { exit::GOOD } else { exit::INCOMPLETE };
        }
        match &last {
            Some((previous, changed)) if *previous == behind => {
                if changed.elapsed() > PATIENCE {
                    warn!(?behind, "the first pass is incomplete and makes no progress");
                    break exit::INCOMPLETE;
                }
            }
            _ => last = Some((behind, Instant::now())),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    bar.finish_and_clear();
    report(backends).await?;
    Ok(code)
}

/// A table of active findings by severity, and the last line `N resources, N packages, N findings`.
async fn report(backends: &Backends) -> Result<()> {
    let severities = backends.store.severity_counts().await.context("count findings")?;
    let counts = backends.store.counts().await.context("count resources")?;
    let mut table = terminal::table(&["Severity", "Findings"]);
    for severity in Severity::ALL {
        let count = severities.get(&severity).copied().unwrap_or_default();
        table.add_row([terminal::severity(severity), count.into()]);
    }
    let last = format!("{} resources, {} packages, {} findings", counts.resources, counts.packages, counts.findings);
    terminal::print(&format!("{}\n{last}", table.trim_fmt()))?;
    Ok(())
}
