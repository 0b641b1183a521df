//! What matching and scoring do in the store for what is behind, without the bus and the judging between.

use crate::{fleet::EXPOSURE, things};
use muster_domain::*;
use muster_store::*;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// Resources that matching judges side by side: the cores.
const MATCHERS: usize = 2;
/// Resources that scoring scores side by side: its default.
const SCORERS: usize = 4;
/// Messages that a relay reads at once (`muster_kit::relay_outbox`).
const RELAYED: u32 = 500;

/// Judges and scores these side by side; the time until the last is matched, scored, and told of by both.
pub async fn open_findings(store: &Store, epoch: u64, behind: Vec<ResourceId>) -> [Duration; 3] {
    let begun = Instant::now();
    let count = behind.len();
    let waiting = Arc::new(Mutex::new(behind));
    let (to_scoring, from_matching) = tokio::sync::mpsc::unbounded_channel();
    let from_matching = Arc::new(Mutex::new(from_matching));
    let matchers: Vec<_> = (0..MATCHERS)
        .map(|_| {
            let (store, waiting) = (store.clone(), Arc::clone(&waiting));
            tokio::spawn(async move {
                loop {
                    let Some(id) = waiting.lock().await.pop() else { return };
                    judge(&store, &id, epoch).await;
                }
            })
        })
        .collect();
    let scorers: Vec<_> = (0..SCORERS)
        .map(|_| {
            let (store, from_matching) = (store.clone(), Arc::clone(&from_matching));
            tokio::spawn(async move {
                loop {
                    let next = from_matching.lock().await.recv().await;
                    let Some(id) = next else { return };
                    score(&store, &id, epoch).await;
                }
            })
        })
        .collect();
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

/// Takes so many messages out of the outbox.
async fn relay(store: Store, service: &str, count: usize, to: Option<tokio::sync::mpsc::UnboundedSender<ResourceId>>) {
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

fn vulnerability(epoch: u64) -> String {
    format!("CVE-2026-{epoch}")
}

/// The verdicts of an inventory at an epoch: what was so far, and one more vulnerability.
fn verdict_set(inventory: &Digest, epoch: u64) -> VerdictSet {
    VerdictSet { inventory: Some(inventory.clone()), not_affected: epoch, ..VerdictSet::default() }
}

fn told(resource: &ResourceId, what: &str, epoch: u64) -> OutboxMessage {
    OutboxMessage { key: resource.to_string(), ..things::message(&format!("{what} {resource} {epoch}")) }
}

/// As `judge` of the matching service.
async fn judge(store: &Store, id: &ResourceId, epoch: u64) {
    store.resource(id).await.unwrap().unwrap();
    store.latest_epoch_number().await.unwrap();
    let inventory = store.scan(id).await.unwrap().unwrap().coverage.inventory.unwrap();
    store.matched(id).await.unwrap().unwrap();
    let (verdicts, set) = match store.cached_verdicts(&inventory, epoch).await.unwrap() {
        Some(digest) => (digest, None),
        None => {
            store.inventory(&inventory).await.unwrap().unwrap();
            let set = verdict_set(&inventory, epoch);
            (set.digest(), Some(set))
        }
    };
    let key = MatchKey { inventory: Some(inventory), epoch, topology: None, gone: false };
    let message = told(id, "match", epoch);
    assert!(store.put_match(id, &key, &verdicts, set.as_ref(), EXPOSURE, Some(message)).await.unwrap());
}

/// As `score` of the scoring service.
async fn score(store: &Store, id: &ResourceId, epoch: u64) {
    let stored = store.resource(id).await.unwrap().unwrap();
    let matched = store.matched(id).await.unwrap().unwrap();
    store.verdict_set(&matched.verdicts).await.unwrap().unwrap();
    store.findings_of(id).await.unwrap();
    let opened = things::finding(&stored.resource, &vulnerability(epoch));
    let messages = vec![told(id, "opened", epoch)];
    store.apply(id, &matched.scored_key(), &[opened], messages).await.unwrap();
}
