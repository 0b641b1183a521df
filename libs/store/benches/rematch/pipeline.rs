//! What matching and scoring do in the store for what is behind, without the bus and the judging between.

use crate::{fleet::EXPOSURE, things};
use muster_domain::*;
use muster_store::*;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, mpsc};

/// Batches that matching judges side by side.
const MATCHERS: usize = 2;
/// Batches that scoring scores side by side.
const SCORERS: usize = 2;
/// Resources of a batch.
const BATCH: usize = 64;
/// Messages that a relay reads at once (`muster_kit::relay_outbox`).
const RELAYED: u32 = 500;

/// Judges and scores these side by side; the time until all is told, until the last is matched, and until it is scored.
pub async fn open_findings(store: &Store, epoch: u64, behind: Vec<ResourceId>) -> [Duration; 3] {
    let begun = Instant::now();
    let count = behind.len();
    let (to_matching, looks) = mpsc::unbounded_channel();
    behind.into_iter().for_each(|id| to_matching.send(id).unwrap());
    drop(to_matching);
    let (to_scoring, verdicts) = mpsc::unbounded_channel();
    let (looks, verdicts) = (Arc::new(Mutex::new(looks)), Arc::new(Mutex::new(verdicts)));
    let matchers: Vec<_> = (0..MATCHERS).map(|_| tokio::spawn(matcher(store.clone(), epoch, looks.clone()))).collect();
    let scorers: Vec<_> = (0..SCORERS).map(|_| tokio::spawn(scorer(store.clone(), epoch, verdicts.clone()))).collect();
    let matching = tokio::spawn(relay(store.clone(), MATCHING, count, Some(to_scoring)));
    let scoring = tokio::spawn(relay(store.clone(), SCORING, count, None));
    for matcher in matchers {
        matcher.await.unwrap();
    }
    let matched = begun.elapsed();
    matching.await.unwrap();
    for scorer in scorers {
        scorer.await.unwrap();
    }
    let scored = begun.elapsed();
    scoring.await.unwrap();
    [begun.elapsed(), matched, scored]
}

type Waiting = Arc<Mutex<mpsc::UnboundedReceiver<ResourceId>>>;

/// What waits, up to a batch of it; empty at the end.
async fn next(waiting: &Waiting) -> Vec<ResourceId> {
    let mut batch = Vec::with_capacity(BATCH);
    waiting.lock().await.recv_many(&mut batch, BATCH).await;
    batch
}

async fn matcher(store: Store, epoch: u64, waiting: Waiting) {
    loop {
        let batch = next(&waiting).await;
        if batch.is_empty() {
            return;
        }
        judge(&store, &batch, epoch).await;
    }
}

async fn scorer(store: Store, epoch: u64, waiting: Waiting) {
    loop {
        let batch = next(&waiting).await;
        if batch.is_empty() {
            return;
        }
        score(&store, &batch, epoch).await;
    }
}

/// Takes so many messages out of the outbox.
async fn relay(store: Store, service: &str, count: usize, to: Option<mpsc::UnboundedSender<ResourceId>>) {
    let mut left = count;
    while left > 0 {
        let messages = store.outbox(service, RELAYED).await.unwrap();
        if messages.is_empty() {
            store.outbox_written(service).await;
            continue;
        }
        for message in &messages {
            if let Some(to) = &to {
                to.send(ResourceId::new(message.key.as_str())).unwrap();
            }
        }
        let ids: Vec<_> = messages.into_iter().map(|message| message.id).collect();
        store.outbox_done(service, &ids).await.unwrap();
        left -= ids.len();
    }
}

/// The verdicts of an inventory at an epoch: what was so far, and one more vulnerability.
fn verdict_set(inventory: &Digest, epoch: u64) -> VerdictSet {
    VerdictSet { inventory: Some(inventory.clone()), not_affected: epoch, ..VerdictSet::default() }
}

fn told(resource: &ResourceId, what: &str, epoch: u64) -> OutboxMessage {
    OutboxMessage { key: resource.to_string(), ..things::message(&format!("{what} {resource} {epoch}")) }
}

/// As `judge` of the matching service.
async fn judge(store: &Store, ids: &[ResourceId], epoch: u64) {
    let resources = store.resources_by_id(ids).await.unwrap();
    store.latest_epoch_number().await.unwrap();
    let mut scans = store.scans_of(ids).await.unwrap();
    assert_eq!(store.matches_of(ids).await.unwrap().len(), ids.len());
    let mut known: HashMap<Digest, (Digest, Option<VerdictSet>)> = HashMap::new();
    let mut matches = Vec::new();
    for stored in resources {
        let id = stored.resource.id;
        let inventory = scans.remove(&id).unwrap().coverage.inventory.unwrap();
        if !known.contains_key(&inventory) {
            known.insert(inventory.clone(), verdicts(store, &inventory, epoch).await);
        }
        let (verdicts, verdict_set) = known.get_mut(&inventory).unwrap();
        matches.push(NewMatch {
            verdicts: verdicts.clone(),
            verdict_set: verdict_set.take(),
            exposure: EXPOSURE.to_vec(),
            message: Some(told(&id, "match", epoch)),
            key: MatchKey { inventory: Some(inventory), epoch, topology: None, gone: false },
            resource: id,
        });
    }
    assert_eq!(store.put_matches(matches).await.unwrap().len(), ids.len());
}

async fn verdicts(store: &Store, inventory: &Digest, epoch: u64) -> (Digest, Option<VerdictSet>) {
    if let Some(digest) = store.cached_verdicts(inventory, epoch).await.unwrap() {
        return (digest, None);
    }
    store.inventory(inventory).await.unwrap().unwrap();
    let set = verdict_set(inventory, epoch);
    (set.digest(), Some(set))
}

/// As `score` of the scoring service.
async fn score(store: &Store, ids: &[ResourceId], epoch: u64) {
    let resources = store.resources_by_id(ids).await.unwrap();
    let matches = store.matches_of(ids).await.unwrap();
    for verdicts in matches.values().map(|matched| &matched.verdicts).collect::<HashSet<_>>() {
        store.verdict_set(verdicts).await.unwrap().unwrap();
    }
    store.findings_of_many(ids).await.unwrap();
    let scored = resources.iter().map(|stored| ScoredResource {
        resource: stored.resource.id.clone(),
        key: matches[&stored.resource.id].scored_key(),
        findings: vec![things::finding(&stored.resource, &format!("CVE-2026-{epoch}"))],
        messages: vec![told(&stored.resource.id, "opened", epoch)],
    });
    store.apply_many(scored.collect()).await.unwrap();
}
