//! Resources, some at a time: their inventories against the newest epoch, their interfaces against the topology.

use crate::{Shared, database::Open, exposure::Analyses};
use anyhow::{Context, Result, anyhow};
use metrics::counter;
use muster_bus::{Fact, Message, Subject};
use muster_domain::{Coverage, Digest, ResourceId, Status, VerdictSet};
use muster_engine::{matching, scoring::Exposure};
use muster_kit::{Batches, Member, metric_names};
use muster_store::{MatchKey, Matched, NewMatch, Store, StoredResource};
use muster_wire::v1;
use prost::Message as _;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Verdicts that a batch holds at most, or one resource more: some tens of megabytes. A server with years of unpatched
/// software has some thousands.
const VERDICTS_MAX: usize = 10_000;

/// Handles `inventory.changed` and `resource.gone`: both say "look at this resource now".
pub async fn handle(batches: Arc<Batches>, message: Message) -> Result<()> {
    let lane = message.subject.lane;
    let id = match message.subject.fact {
        Fact::ResourceGone => v1::ResourceGone::decode(message.payload).context("decode resource.gone")?.resource_id,
        _ => v1::InventoryChanged::decode(message.payload).context("decode inventory.changed")?.resource_id,
    };
    batches.look_at(ResourceId::new(id), lane).await
}

/// Judges resources as they stand in the store now, the first so many of them, and says how many. Doing it twice changes
/// nothing.
pub async fn judge(shared: Arc<Shared>, members: Vec<Member>) -> Result<usize> {
    let store = &shared.backends.store;
    let ids: Vec<ResourceId> = members.iter().map(|member| member.resource.clone()).collect();
    let resources = store.resources_by_id(&ids).await.context("read the resources")?;
    let Some(open) = shared.current.newest().await? else {
        return Ok(members.len()); // the first epoch looks for everything that waits for it
    };
    let scans = store.scans_of(&ids).await.context("read the scans")?;
    let mut judging = Judging {
        shared: &shared,
        open,
        resources: resources.into_iter().map(|stored| (stored.resource.id.clone(), stored)).collect(),
        coverages: scans.into_iter().map(|(id, scan)| (id, scan.coverage)).collect(),
        matched: store.matches_of(&ids).await.context("read the matches")?,
        analyses: Analyses::default(),
        judged: HashMap::new(),
        verdicts: 0,
    };
    let (mut matches, mut done) = (Vec::new(), 0);
    while done < members.len() && judging.verdicts < VERDICTS_MAX {
        matches.extend(judging.judge(&members[done]).await?);
        done += 1;
    }
    if !matches.is_empty() {
        store.put_matches(matches).await.context("write the matches")?;
    }
    Ok(done)
}

/// What one batch has read and judged.
struct Judging<'s> {
    shared: &'s Shared,
    open: Arc<Open>,
    resources: BTreeMap<ResourceId, StoredResource>,
    coverages: BTreeMap<ResourceId, Coverage>,
    matched: BTreeMap<ResourceId, Matched>,
    analyses: Analyses,
    /// The verdicts of each inventory: many resources have the same software.
    judged: HashMap<Digest, Digest>,
    /// How many verdicts were judged.
    verdicts: usize,
}

impl Judging<'_> {
    /// The match to be noted; `None`: there is nothing new to say.
    async fn judge(&mut self, member: &Member) -> Result<Option<NewMatch>> {
        let id = &member.resource;
        let Some(stored) = self.resources.remove(id) else {
            return Ok(None);
        };
        let gone = stored.gone_at.is_some();
        let coverage = self.coverages.remove(id);
        let inventory = coverage.and_then(|coverage| coverage.inventory).filter(|_| !gone);
        let (exposure, topology) = if gone {
            (Exposure::default(), None)
        } else {
            let (store, exposures) = (&self.shared.backends.store, &self.shared.exposures);
            exposures.of(store, &stored.resource, &mut self.analyses).await.context("read the exposure")?
        };
        let key = MatchKey { inventory: inventory.clone(), epoch: self.open.epoch, topology, gone };
        let matched = self.matched.remove(id);
        if matched.as_ref().is_some_and(|matched| matched.key == key) {
            return Ok(None);
        }
        let (verdicts, verdict_set) = match &inventory {
            Some(digest) => self.verdicts(digest).await?,
            None => {
                let nothing = VerdictSet::default();
                (nothing.digest(), Some(nothing))
            }
        };
        let exposure = serde_json::to_vec(&exposure).context("encode the exposure")?;
        let changed = matched.is_none_or(|matched| {
            matched.verdicts != verdicts || matched.exposure != exposure || matched.key.gone != gone
        });
        let message = changed.then(|| message(&stored, member, key.epoch));
        Ok(Some(NewMatch { resource: id.clone(), key, verdicts, verdict_set, exposure, message }))
    }

    /// The verdicts of an inventory at the epoch: from this batch or the store when any resource had them before, else
    /// judged now.
    async fn verdicts(&mut self, inventory: &Digest) -> Result<(Digest, Option<VerdictSet>)> {
        if let Some(digest) = self.judged.get(inventory) {
            return Ok((digest.clone(), None));
        }
        let (digest, set) = verdicts(&self.shared.backends.store, &self.open, inventory).await?;
        self.verdicts += set.as_ref().map_or(0, |set| set.verdicts.len());
        self.judged.insert(inventory.clone(), digest.clone());
        Ok((digest, set))
    }
}

async fn verdicts(store: &Store, open: &Arc<Open>, inventory: &Digest) -> Result<(Digest, Option<VerdictSet>)> {
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

/// What tells of a match, in the trace of the message that asked for it.
fn message(stored: &StoredResource, member: &Member, epoch: u64) -> muster_store::OutboxMessage {
    let resource = &stored.resource;
    let subject = Subject::new(
        Fact::VerdictsChanged,
        resource.account.as_str(),
        resource.region.as_str(),
        resource.kind().token(),
        member.lane,
    );
    let fact = v1::VerdictsChanged { resource_id: resource.id.to_string(), epoch };
    member.span.in_scope(|| muster_kit::outbox_message(&subject, resource.id.as_str(), &fact))
}
