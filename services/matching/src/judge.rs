//! One resource: its inventory against the newest epoch, its interfaces against the topology.

use crate::{Shared, database::Open};
use anyhow::{Context, Result, anyhow};
use metrics::counter;
use muster_bus::{Fact, Lane, Message, Subject};
use muster_domain::{Digest, ResourceId, Status, VerdictSet};
use muster_engine::{matching, scoring::Exposure};
use muster_kit::metric_names;
use muster_store::{MatchKey, StoredResource};
use muster_wire::v1;
use prost::Message as _;
use std::sync::Arc;

/// Handles `inventory.changed` and `resource.gone`: both say "look at this resource now".
pub async fn handle(shared: Arc<Shared>, message: Message) -> Result<()> {
    let lane = message.subject.lane;
    let id = match message.subject.fact {
        Fact::ResourceGone => v1::ResourceGone::decode(message.payload).context("decode resource.gone")?.resource_id,
        _ => v1::InventoryChanged::decode(message.payload).context("decode inventory.changed")?.resource_id,
    };
    judge(&shared, &ResourceId::new(id), lane).await
}

/// Judges a resource as it stands in the store now. Doing it twice changes nothing.
async fn judge(shared: &Shared, id: &ResourceId, lane: Lane) -> Result<()> {
    let store = &shared.backends.store;
    let Some(stored) = store.resource(id).await.context("read the resource")? else {
        return Ok(());
    };
    let Some(open) = shared.current.newest().await? else {
        return Ok(()); // the first epoch looks for everything that waits for it
    };
    let gone = stored.gone_at.is_some();
    let scan = store.scan(id).await.context("read the scan")?;
    let inventory = scan.and_then(|scan| scan.coverage.inventory).filter(|_| !gone);
    let (exposure, topology) = if gone {
        (Exposure::default(), None)
    } else {
        shared.exposures.of(store, &stored.resource).await.context("read the exposure")?
    };
    let key = MatchKey { inventory: inventory.clone(), epoch: open.epoch, topology, gone };
    let matched = store.matched(id).await.context("read the match")?;
    if matched.as_ref().is_some_and(|matched| matched.key == key) {
        return Ok(());
    }
    let (verdicts, body) = match &inventory {
        Some(digest) => verdicts(shared, &open, digest).await?,
        None => {
            let nothing = VerdictSet::default();
            (nothing.digest(), Some(nothing))
        }
    };
    let exposure = serde_json::to_vec(&exposure).context("encode the exposure")?;
    let changed = matched
        .is_none_or(|matched| matched.verdicts != verdicts || matched.exposure != exposure || matched.key.gone != gone);
    let message = changed.then(|| message(&stored, lane, open.epoch));
    store.put_match(id, &key, &verdicts, body.as_ref(), &exposure, message).await.context("write the match")?;
    Ok(())
}

/// The verdicts of an inventory at an epoch: from the store when any resource had them before, else judged now.
async fn verdicts(shared: &Shared, open: &Arc<Open>, inventory: &Digest) -> Result<(Digest, Option<VerdictSet>)> {
    let store = &shared.backends.store;
    if let Some(digest) = store.cached_verdicts(inventory, open.epoch).await.context("read cached verdicts")? {
        return Ok((digest, None));
    }
    let body = store
        .inventory(inventory)
        .await
        .context("read the inventory")?
        .ok_or_else(|| anyhow!("inventory {inventory} is not in the store"))?;
    let open = Arc::clone(open);
    let digest = inventory.clone();
    let set = tokio::task::spawn_blocking(move || matching::judge_inventory(digest, &body, &open.database))
        .await
        .context("match the inventory")?;
    let affected = set.verdicts.iter().filter(|verdict| verdict.status == Status::Affected).count() as u64;
    let count = |status: &'static str, number| {
        counter!(metric_names::VERDICTS_TOTAL, "status" => status).increment(number);
    };
    count("affected", affected);
    count("undetermined", set.verdicts.len() as u64 - affected);
    count("not-affected", set.not_affected);
    Ok((set.digest(), Some(set)))
}

fn message(stored: &StoredResource, lane: Lane, epoch: u64) -> muster_store::OutboxMessage {
    let resource = &stored.resource;
    let subject = Subject::new(
        Fact::VerdictsChanged,
        resource.account.as_str(),
        resource.region.as_str(),
        resource.kind().token(),
        lane,
    );
    let fact = v1::VerdictsChanged { resource_id: resource.id.to_string(), epoch };
    muster_kit::outbox_message(&subject, resource.id.as_str(), &fact)
}
