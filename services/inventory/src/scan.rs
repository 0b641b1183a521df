//! One resource: read, and its coverage written.

use crate::{SERVICE, Shared, functions, images, instances};
use anyhow::{Context, Result};
use muster_aws::AwsError;
use muster_bus::{Fact, Lane, Message, Subject};
use muster_domain::{
    Coverage, Digest, Inventory, PackageManager, Resource, ResourceDetails, ResourceId, ScanStatusReason,
};
use muster_kit::Stop;
use muster_store::StoredResource;
use muster_wire::v1;
use prost::Message as _;
use std::{sync::Arc, time::Duration};
use tracing::{info, warn};

/// How often what is behind is looked for, should a message have been lost.
const CATCH_UP_EVERY: Duration = Duration::from_secs(30);

/// How many resources one look takes on: scheduled work in flight is capped, the next look takes the next.
const CATCH_UP_PAGE: u32 = 500;

/// How often inventories that no resource has any more are deleted.
const PURGE_EVERY: Duration = Duration::from_secs(3600);

/// A message that is younger than this is still on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(60);

/// Faults named in a coverage's detail; a package list with more is broken as a whole.
const FAULTS_NAMED_MAX: usize = 20;

/// What reading a resource gave.
pub enum Outcome {
    /// An inventory, whole or partial.
    Read(Box<Inventory>),
    /// None, for a reason that is not a failure.
    None(ScanStatusReason, String),
    /// None, because what was there is broken: trying again brings the same.
    Broken(String),
}

impl Outcome {
    /// A denial or something missing is an answer; throttling and network trouble are not, and come again.
    pub fn of_aws(error: AwsError) -> Result<Self> {
        match error {
            AwsError::Denied { .. } => Ok(Self::None(ScanStatusReason::AccessDenied, error.to_string())),
            AwsError::NotFound { .. } => Ok(Self::Broken(error.to_string())),
            other => Err(other.into()),
        }
    }
}

/// Handles `resource.observed`.
pub async fn handle(shared: Arc<Shared>, message: Message) -> Result<()> {
    let lane = message.subject.lane;
    let fact = v1::ResourceObserved::decode(message.payload).context("decode resource.observed")?;
    let id = ResourceId::new(fact.resource_id);
    let store = &shared.backends.store;
    let Some(stored) = store.resource(&id).await.context("read the resource")? else {
        return Ok(());
    };
    let scan = store.scan(&id).await.context("read the scan")?;
    let up_to_date = scan.as_ref().is_some_and(|scan| scan.fingerprint == stored.fingerprint);
    if stored.gone_at.is_some() || (up_to_date && lane != Lane::OnDemand) {
        return Ok(());
    }
    let previous = scan.and_then(|scan| scan.coverage.inventory);
    match read(&shared, &stored.resource).await {
        Ok(outcome) => write(&shared, &stored, lane, previous, outcome).await,
        Err(error) => {
            note_failure(&shared, &stored, previous, &error).await?;
            Err(error)
        }
    }
}

async fn read(shared: &Shared, resource: &Resource) -> Result<Outcome> {
    let client = match shared.aws.in_region(&resource.account, &resource.region).await {
        Ok(client) => client,
        Err(error) => return Outcome::of_aws(error),
    };
    match &resource.details {
        ResourceDetails::Instance(details) => instances::read(&client, &resource.id, details).await,
        ResourceDetails::Image(details) => images::read(shared, &client, details).await,
        ResourceDetails::Function(details) => functions::read(shared, &client, details).await,
    }
}

/// Writes what was read, and tells of it when it changed.
async fn write(
    shared: &Shared,
    stored: &StoredResource,
    lane: Lane,
    previous: Option<Digest>,
    outcome: Outcome,
) -> Result<()> {
    let (reason, detail, inventory) = match outcome {
        Outcome::Read(inventory) if is_unsupported(&inventory) => {
            (ScanStatusReason::UnsupportedOs, faults(&inventory), Some(inventory))
        }
        Outcome::Read(inventory) if inventory.is_partial() => {
            (ScanStatusReason::PartialInventory, faults(&inventory), Some(inventory))
        }
        Outcome::Read(inventory) => (ScanStatusReason::Successful, String::new(), Some(inventory)),
        Outcome::None(reason, detail) => (reason, detail, None),
        Outcome::Broken(detail) => (ScanStatusReason::InternalError, detail, None),
    };
    // What was read before stays in force while a later attempt reads nothing.
    let digest = inventory.as_deref().map(Inventory::digest).or(previous);
    let coverage = Coverage { reason, detail, inventory: digest.clone(), scanned_at: jiff::Timestamp::now() };
    let resource = &stored.resource;
    let subject = Subject::new(
        Fact::InventoryChanged,
        resource.account.as_str(),
        resource.region.as_str(),
        resource.kind().token(),
        lane,
    );
    let fact = v1::InventoryChanged {
        resource_id: resource.id.to_string(),
        inventory_digest: digest.map(String::from).unwrap_or_default(),
    };
    let message = muster_kit::outbox_message(&subject, resource.id.as_str(), &fact);
    shared
        .backends
        .store
        .put_scan(&resource.id, &stored.fingerprint, &coverage, inventory.as_deref(), Some(message))
        .await
        .context("write the scan")?;
    let packages = inventory.as_ref().map_or(0, |inventory| inventory.packages.len());
    info!(resource = %resource.id, packages, reason = ?coverage.reason, "read");
    Ok(())
}

/// Says in the coverage why the resource could not be read yet. The fingerprint says "not read", so it is read again.
async fn note_failure(
    shared: &Shared,
    stored: &StoredResource,
    previous: Option<Digest>,
    error: &anyhow::Error,
) -> Result<()> {
    let coverage = Coverage {
        reason: ScanStatusReason::InternalError,
        detail: format!("{error:#}"),
        inventory: previous,
        scanned_at: jiff::Timestamp::now(),
    };
    let unread = Digest::of(b"not read");
    shared
        .backends
        .store
        .put_scan(&stored.resource.id, &unread, &coverage, None, None)
        .await
        .context("write the failed scan")
}

/// Whether its operating system's packages are of no ecosystem that we know, so that they are listed and not judged, or are not
/// even listed, since nothing reads their database. Where something could not be read that may be the cause, and the inventory
/// is partial.
fn is_unsupported(inventory: &Inventory) -> bool {
    let mut os = inventory.packages.iter().filter(|package| package.manager == PackageManager::Os);
    let is_whole = inventory.skipped.is_empty() && inventory.limits_reached.is_empty();
    os.any(|package| package.ecosystem.is_none()) || is_whole && !inventory.gaps.is_empty()
}

fn faults(inventory: &Inventory) -> String {
    let skipped = inventory.skipped.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason));
    let gaps = inventory.gaps.iter().map(|gap| format!("undetermined: {gap}"));
    let all: Vec<String> = gaps.chain(inventory.limits_reached.iter().cloned()).chain(skipped).collect();
    let mut named: Vec<String> = all.iter().take(FAULTS_NAMED_MAX).cloned().collect();
    if all.len() > FAULTS_NAMED_MAX {
        named.push(format!("and {} more", all.len() - FAULTS_NAMED_MAX));
    }
    named.join("\n")
}

/// Asks for a look at what is behind: at once after a start, then now and then, should a message have been lost.
pub async fn catch_up(shared: Arc<Shared>, stop: Stop) {
    let mut ticks = tokio::time::interval(CATCH_UP_EVERY);
    let mut purges = tokio::time::interval(PURGE_EVERY);
    let mut patience = Duration::ZERO;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
            _ = purges.tick() => {
                if let Err(error) = shared.backends.store.purge_inventories().await {
                    warn!(%error, "inventories that nobody has any more not deleted");
                }
                continue;
            }
        }
        match look_at_what_is_behind(&shared, patience).await {
            Ok(()) => patience = ON_ITS_WAY,
            Err(error) => warn!(error = format!("{error:#}"), "what is behind was not looked at"),
        }
    }
}

async fn look_at_what_is_behind(shared: &Shared, patience: Duration) -> Result<()> {
    let backends = &shared.backends;
    if backends.bus.lag(SERVICE, Fact::ResourceObserved).await.context("read the queue's length")? > 0 {
        return Ok(()); // what waits already comes first
    }
    let now = jiff::Timestamp::now();
    for stored in backends.store.unscanned(CATCH_UP_PAGE).await.context("read what is behind")? {
        if now.duration_since(stored.observed_at).unsigned_abs() < patience {
            continue;
        }
        let resource = &stored.resource;
        let (account, region) = (resource.account.as_str(), resource.region.as_str());
        let subject = Subject::new(Fact::ResourceObserved, account, region, resource.kind().token(), Lane::Scheduled);
        let fact =
            v1::ResourceObserved { resource_id: resource.id.to_string(), fingerprint: stored.fingerprint.to_string() };
        let message = muster_kit::message(&subject, resource.id.as_str(), &fact);
        backends.bus.publish(message).await.context("ask for a look")?;
    }
    Ok(())
}
