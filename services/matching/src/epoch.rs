//! A new epoch or a new topology: what it touches is judged again, and only that.

use crate::{SERVICE, Shared, exposure};
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use muster_bus::{Fact, Lane, Message, Subject};
use muster_domain::Resource;
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

/// Messages sent side by side: a bus in a process of its own answers after a while.
const SENT_AT_ONCE: usize = 16;

/// No page is sent while more than this waits in the queue.
const QUEUE_MAX: u64 = 2_000;

/// How far a look goes.
#[derive(Clone, Copy)]
enum Reach {
    /// What the marks tell of.
    Marked,
    /// And where they tell of nothing, every resource: a second or more of the store's time per million.
    Everything,
}

/// What a look found.
enum Found {
    /// Nothing that is behind.
    Nothing,
    /// Enough waits already.
    Busy,
    /// What the marks tell of.
    Marked,
    /// More than one look takes on.
    More,
}

/// Marks what the epochs since the last time touch, and asks for a look at all that is behind.
pub async fn handle(shared: Arc<Shared>) -> Result<()> {
    look(&shared, Reach::Everything).await.map(drop)
}

async fn look(shared: &Shared, reach: Reach) -> Result<Found> {
    let Some(open) = shared.current.newest().await? else {
        return Ok(Found::Nothing);
    };
    // The deltas are long, so they are read once an epoch.
    if shared.marked_to.load(Ordering::Relaxed) < open.epoch {
        let Backends { store, cache, instance, .. } = &shared.backends;
        let mark = mark(store, open.epoch);
        let Some(touched) = muster_kit::while_leased(cache.as_ref(), "mark-epoch", instance, mark).await? else {
            return Ok(Found::Nothing); // another replica is at it, and asks for the looks
        };
        info!(epoch = open.epoch, touched, "inventories that the epoch touches are marked");
        shared.marked_to.fetch_max(open.epoch, Ordering::Relaxed);
    }
    look_at_what_is_behind(shared, reach).await
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
async fn look_at_what_is_behind(shared: &Shared, reach: Reach) -> Result<Found> {
    let waiting = shared.backends.bus.lag(SERVICE, Fact::InventoryChanged).await.context("read the queue's length")?;
    if waiting > QUEUE_MAX {
        return Ok(Found::Busy);
    }
    let store = &shared.backends.store;
    exposure::note_links(store).await?;
    // What an epoch touches is found by its marks; looking at every resource waits until that is done.
    let mut behind = store.behind(CATCH_UP_PAGE).await.context("read what is behind")?;
    let by_marks = !behind.is_empty();
    if let (Reach::Everything, false) = (reach, by_marks) {
        behind = store.unmatched(CATCH_UP_PAGE).await.context("read what is unmatched")?;
    }
    let resources = store.resources_by_id(&behind).await.context("read the resources")?;
    let bus = &shared.backends.bus;
    let messages: Vec<Message> = resources.iter().map(|stored| look_now(&stored.resource)).collect();
    let sent = stream::iter(messages).map(|message| bus.publish(message)).buffer_unordered(SENT_AT_ONCE);
    sent.try_collect::<()>().await.context("ask for a look")?;
    Ok(match behind.len() {
        _ if by_marks => Found::Marked,
        found if found == CATCH_UP_PAGE as usize => Found::More,
        _ => Found::Nothing,
    })
}

fn look_now(resource: &Resource) -> Message {
    let subject = Subject::new(
        Fact::InventoryChanged,
        resource.account.as_str(),
        resource.region.as_str(),
        resource.kind().token(),
        Lane::Scheduled,
    );
    let fact = v1::InventoryChanged { resource_id: resource.id.to_string(), inventory_digest: String::new() };
    muster_kit::message(&subject, resource.id.as_str(), &fact)
}

async fn purge(shared: &Shared) -> Result<()> {
    shared.backends.store.purge_matches().await.context("delete old verdicts")
}

/// Looks now and then, should a message have been lost.
pub async fn catch_up(shared: Arc<Shared>, stop: Stop) {
    let (mut wait, mut reach) = (Duration::ZERO, Reach::Everything);
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
        (wait, reach) = match look(&shared, reach).await {
            // While an epoch's findings open, nobody looks at every resource.
            Ok(Found::Marked) => (CATCH_UP_SOON, Reach::Marked),
            Ok(Found::Busy) => (CATCH_UP_SOON, reach),
            Ok(Found::More) => (CATCH_UP_SOON, Reach::Everything),
            Ok(Found::Nothing) => (CATCH_UP_EVERY, Reach::Everything),
            Err(error) => {
                warn!(error = format!("{error:#}"), "what is behind was not looked at");
                (CATCH_UP_EVERY, Reach::Everything)
            }
        };
    }
}
