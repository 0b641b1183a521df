//! A new epoch or a new topology: what it touches is judged again, and only that.

use crate::{SERVICE, Shared};
use anyhow::{Context, Result};
use muster_bus::{Fact, Lane, Subject};
use muster_kit::{Backends, Stop};
use muster_store::Store;
use muster_wire::v1;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tracing::{info, warn};

/// How often what is behind is looked for, should a message have been lost.
const CATCH_UP_EVERY: Duration = Duration::from_secs(30);

/// How soon while a look finds more than it takes on.
const CATCH_UP_SOON: Duration = Duration::from_secs(1);

/// How often verdicts of earlier epochs are deleted.
const PURGE_EVERY: Duration = Duration::from_secs(3600);

/// How many resources one look takes on: scheduled work in flight is capped, the next look takes the next.
const CATCH_UP_PAGE: u32 = 10_000;

/// No page is sent while more than this waits in the queue.
const QUEUE_MAX: u64 = 2_000;

/// Marks what the epochs since the last time touch, and asks for a look at all that is behind.
pub async fn handle(shared: Arc<Shared>) -> Result<()> {
    look(&shared).await.map(drop)
}

/// Whether there is more than one look takes on.
async fn look(shared: &Shared) -> Result<bool> {
    let Some(open) = shared.current.newest().await? else {
        return Ok(false);
    };
    // The deltas are long, so they are read once an epoch.
    if shared.marked_to.load(Ordering::Relaxed) < open.epoch {
        let Backends { store, cache, instance, .. } = &shared.backends;
        let mark = mark(store, open.epoch);
        let Some(touched) = muster_kit::while_leased(cache.as_ref(), "mark-epoch", instance, mark).await? else {
            return Ok(false); // another replica is at it, and asks for the looks
        };
        info!(epoch = open.epoch, touched, "inventories that the epoch touches are marked");
        shared.marked_to.fetch_max(open.epoch, Ordering::Relaxed);
    }
    look_at_what_is_behind(shared).await
}

/// Epoch by epoch, since each delta is against the one before.
async fn mark(store: &Store, to: u64) -> Result<u64> {
    let marked = store.marked_epoch().await.context("read the marked epoch")?;
    let mut touched = 0;
    for epoch in store.epochs_after(marked).await.context("read the epochs")? {
        if epoch.number <= to {
            touched += store.mark_touched(&epoch).await.context("mark what the epoch touches")?;
        }
    }
    Ok(touched)
}

/// Sends "look now" for what is behind, unless enough waits already.
async fn look_at_what_is_behind(shared: &Shared) -> Result<bool> {
    let waiting = shared.backends.bus.lag(SERVICE, Fact::InventoryChanged).await.context("read the queue's length")?;
    if waiting > QUEUE_MAX {
        return Ok(true);
    }
    let store = &shared.backends.store;
    // What an epoch touches is found by its marks; looking at every resource waits until that is done.
    let mut behind = store.behind(CATCH_UP_PAGE).await.context("read what is behind")?;
    let by_marks = !behind.is_empty();
    if !by_marks {
        behind = store.unmatched(CATCH_UP_PAGE).await.context("read what is unmatched")?;
    }
    for stored in store.resources_by_id(&behind).await.context("read the resources")? {
        let resource = &stored.resource;
        let subject = Subject::new(
            Fact::InventoryChanged,
            resource.account.as_str(),
            resource.region.as_str(),
            resource.kind().token(),
            Lane::Scheduled,
        );
        let fact = v1::InventoryChanged { resource_id: resource.id.to_string(), inventory_digest: String::new() };
        shared
            .backends
            .bus
            .publish(muster_kit::message(&subject, resource.id.as_str(), &fact))
            .await
            .context("ask for a look")?;
    }
    Ok(by_marks || behind.len() == CATCH_UP_PAGE as usize)
}

async fn purge(shared: &Shared) -> Result<()> {
    shared.backends.store.purge_matches().await.context("delete old verdicts")
}

/// Looks now and then, should a message have been lost.
pub async fn catch_up(shared: Arc<Shared>, stop: Stop) {
    let mut wait = Duration::ZERO;
    let mut purges = tokio::time::interval(PURGE_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
            _ = purges.tick() => {
                if let Err(error) = purge(&shared).await {
                    warn!(error = format!("{error:#}"), "verdicts that nothing refers to any more not deleted");
                }
                continue;
            }
        }
        wait = match look(&shared).await {
            Ok(true) => CATCH_UP_SOON,
            Ok(false) => CATCH_UP_EVERY,
            Err(error) => {
                warn!(error = format!("{error:#}"), "what is behind was not looked at");
                CATCH_UP_EVERY
            }
        };
    }
}
