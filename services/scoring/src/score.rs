//! Resources, some at a time: their verdicts and exposure become findings.

use anyhow::{Context, Result, anyhow};
use muster_bus::{Fact, Subject};
use muster_domain::{Digest, Finding, Resource, ResourceId, VerdictSet};
use muster_engine::{
    lifecycle::{self, Transition, TransitionKind},
    scoring::{self, Exposure},
};
use muster_kit::Member;
use muster_store::{Matched, OutboxMessage, ScoredResource, Store, StoredResource};
use muster_wire::v1;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tracing::info;

/// Verdicts of a batch's resources at most; a resource that has more is a batch by itself. Each may become a finding to be
/// written: some thousands are written within a second or two, and take some tens of megabytes.
const VERDICTS_MAX: usize = 4_000;

/// What one resource is scored from, but for its findings.
struct Input<'m> {
    member: &'m Member,
    stored: StoredResource,
    matched: Matched,
    verdicts: Arc<VerdictSet>,
}

/// Decides the findings of resources as they stand in the store now, of the first so many of them, writes them, and says how
/// many. Doing it twice changes nothing.
pub async fn score(store: Store, members: Vec<Member>) -> Result<usize> {
    let (inputs, done) = inputs(&store, &members).await?;
    let ids: Vec<ResourceId> = inputs.iter().map(|input| input.stored.resource.id.clone()).collect();
    let mut findings = store.findings_of_many(&ids).await.context("read the findings")?;
    let mut scored = Vec::with_capacity(inputs.len());
    for input in inputs {
        let existing = findings.remove(&input.stored.resource.id).unwrap_or_default();
        scored.push(decide(&input, existing)?);
    }
    if scored.is_empty() {
        return Ok(done);
    }
    let changed: usize = scored.iter().map(|one| one.findings.len()).sum();
    let resources = scored.len();
    store.apply_many(scored).await.context("write the findings")?;
    if changed > 0 {
        info!(resources, changed, "scored");
    }
    Ok(done)
}

/// What the first so many members are scored from, and how many these are; those that have no match are left out.
async fn inputs<'m>(store: &Store, members: &'m [Member]) -> Result<(Vec<Input<'m>>, usize)> {
    let ids: Vec<ResourceId> = members.iter().map(|member| member.resource.clone()).collect();
    let resources = store.resources_by_id(&ids).await.context("read the resources")?;
    let mut resources: BTreeMap<_, _> =
        resources.into_iter().map(|stored| (stored.resource.id.clone(), stored)).collect();
    let mut matches = store.matches_of(&ids).await.context("read the matches")?;
    let mut sets = HashMap::new();
    let (mut inputs, mut weight) = (Vec::new(), 0);
    for (index, member) in members.iter().enumerate() {
        let id = &member.resource;
        let (Some(stored), Some(matched)) = (resources.remove(id), matches.remove(id)) else {
            continue;
        };
        let verdicts = verdicts(store, &mut sets, id, &matched.verdicts).await?;
        weight += verdicts.verdicts.len();
        if weight > VERDICTS_MAX && !inputs.is_empty() {
            return Ok((inputs, index));
        }
        inputs.push(Input { member, stored, matched, verdicts });
    }
    Ok((inputs, members.len()))
}

/// A verdict set, read once for all resources that have it.
async fn verdicts(
    store: &Store,
    sets: &mut HashMap<Digest, Arc<VerdictSet>>,
    resource: &ResourceId,
    digest: &Digest,
) -> Result<Arc<VerdictSet>> {
    if let Some(set) = sets.get(digest) {
        return Ok(Arc::clone(set));
    }
    let set = store.verdict_set(digest).await.context("read the verdicts")?;
    let set = Arc::new(set.ok_or_else(|| anyhow!("verdicts {digest} of {resource} are not in the store"))?);
    sets.insert(digest.clone(), Arc::clone(&set));
    Ok(set)
}

fn decide(input: &Input<'_>, existing: Vec<Finding>) -> Result<ScoredResource> {
    let Input { member, stored: StoredResource { resource, .. }, matched, verdicts } = input;
    let exposure: Exposure =
        serde_json::from_slice(&matched.exposure).with_context(|| format!("read the exposure of {}", resource.id))?;
    let gone = matched.key.gone;
    let drafts = if gone { Vec::new() } else { scoring::drafts(resource, verdicts, &exposure) };
    // What the exposure cannot tell of stays as it is; of a resource that is gone everything can be told.
    let judged = if gone { existing } else { exposure.judged(existing, &drafts) };
    let transitions = lifecycle::decide(&judged, drafts, jiff::Timestamp::now());
    Ok(ScoredResource {
        resource: resource.id.clone(),
        key: matched.scored_key(),
        messages: transitions.iter().map(|transition| fact(resource, member, transition)).collect(),
        findings: transitions.into_iter().map(|transition| transition.finding).collect(),
    })
}

/// The fact that tells of one finding's change, in the trace of the message that asked.
fn fact(resource: &Resource, member: &Member, transition: &Transition) -> OutboxMessage {
    let fact = match transition.kind {
        TransitionKind::Opened | TransitionKind::Reopened => Fact::FindingOpened,
        TransitionKind::Updated => Fact::FindingUpdated,
        TransitionKind::Closed => Fact::FindingClosed,
    };
    let subject =
        Subject::new(fact, resource.account.as_str(), resource.region.as_str(), resource.kind().token(), member.lane);
    let finding = &transition.finding;
    let changed = v1::FindingChanged { finding_id: finding.id.to_string(), revision: finding.revision };
    member.span.in_scope(|| muster_kit::outbox_message(&subject, resource.id.as_str(), &changed))
}
