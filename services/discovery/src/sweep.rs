//! One sweep: what AWS lists against what the store knows.

use anyhow::{Context, Result};
use futures::StreamExt;
use muster_aws::{Aws, AwsError, Listing, RegionClient};
use muster_bus::{Fact, Lane, Subject};
use muster_domain::{AccountId, AccountStatus, Region, ResourceKind};
use muster_kit::{Backends, Stop};
use muster_network::MissingAnswer;
use muster_store::{Change, OutboxMessage, Sweep};
use muster_wire::v1;
use std::collections::BTreeMap;
use tracing::{info, warn};

/// Accounts and regions swept side by side. Each waits mostly for AWS, whose limits are per account and region.
const SWEEPS_AT_ONCE: usize = 8;

/// Sweeps all accounts and regions. One that fails is told of in its status and in the log; the others go on.
/// Says whether everything was read.
pub async fn all(backends: &Backends, aws: &Aws, lane: Lane, stop: &Stop) -> bool {
    let accounts = match aws.accounts().await {
        Ok(accounts) => accounts,
        Err(error) => {
            warn!(%error, "accounts not listed");
            // Which accounts there are is not known: the one that asked says so.
            for region in aws.regions() {
                if let Err(error) = put_status(backends, aws.caller_account(), &region, Some(error.to_string())).await {
                    warn!(%region, error = format!("{error:#}"), "account status not written");
                }
            }
            return false;
        }
    };
    let scopes =
        accounts.into_iter().flat_map(|account| aws.regions().into_iter().map(move |region| (account.clone(), region)));
    futures::stream::iter(scopes)
        .take_until(stop.cancelled())
        .map(|(account, region)| async move {
            one(backends, aws, &account, &region, lane).await.unwrap_or_else(|error| {
                warn!(%account, %region, error = format!("{error:#}"), "sweep failed");
                false
            })
        })
        .buffer_unordered(SWEEPS_AT_ONCE)
        .fold(true, |complete, one| async move { complete && one })
        .await
}

/// Sweeps one account and region, unless another replica is at it. Says whether everything was read.
#[tracing::instrument(name = "sweep", skip_all, fields(%account, %region))]
async fn one(backends: &Backends, aws: &Aws, account: &AccountId, region: &Region, lane: Lane) -> Result<bool> {
    let lease = format!("sweep:{account}:{region}");
    let sweep = async {
        match aws.in_region(account, region).await {
            Ok(client) => sweep_with(backends, &client, account, region, lane).await,
            Err(error) => Ok(vec![error.to_string()]),
        }
    };
    let leased = muster_kit::while_leased(backends.cache.as_ref(), &lease, &backends.instance, sweep).await?;
    let Some(faults) = leased else { return Ok(true) };
    if !faults.is_empty() {
        warn!(faults = faults.join("; "), "swept in part");
    }
    put_status(backends, account, region, (!faults.is_empty()).then(|| faults.join("\n"))).await?;
    Ok(faults.is_empty())
}

async fn put_status(backends: &Backends, account: &AccountId, region: &Region, error: Option<String>) -> Result<()> {
    let status =
        AccountStatus { account: account.clone(), region: region.clone(), error, swept_at: jiff::Timestamp::now() };
    backends.store.put_account_status(&status).await.context("write the account status")
}

/// Returns what AWS denied or failed, a line each.
async fn sweep_with(
    backends: &Backends,
    client: &RegionClient,
    account: &AccountId,
    region: &Region,
    lane: Lane,
) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for kind in ResourceKind::ALL {
        let listing = list(client, kind).await;
        // What surrounds the instances is written before them, so that they are judged once and with it.
        if kind == ResourceKind::Instance {
            put_topology(backends, client, account, region, lane, &mut faults).await?;
        }
        let Listing { resources, missing, complete } = match listing {
            Ok(listing) => listing,
            Err(error) => {
                faults.push(error.to_string());
                continue;
            }
        };
        faults.extend(missing);
        let at = jiff::Timestamp::now();
        let sweep = Sweep { account: account.clone(), region: region.clone(), kind, resources, complete, at };
        let observed = backends
            .store
            .observe(&sweep, |change| message(account, region, kind, lane, change))
            .await
            .with_context(|| format!("write the {} resources", kind.token()))?;
        info!(
            kind = kind.token(),
            changed = observed.changed.len(),
            gone = observed.gone.len(),
            unchanged = observed.unchanged,
            "swept"
        );
    }
    Ok(faults)
}

async fn put_topology(
    backends: &Backends,
    client: &RegionClient,
    account: &AccountId,
    region: &Region,
    lane: Lane,
    faults: &mut Vec<String>,
) -> Result<()> {
    let topology = client.topology().await;
    faults.extend(faults_of(&topology.missing));
    let (fingerprint, links, body) = (topology.fingerprint(), muster_network::links(&topology), topology.to_stored());
    let fact = v1::TopologyObserved {
        account_id: account.to_string(),
        region: region.to_string(),
        fingerprint: fingerprint.to_string(),
    };
    let subject = Subject::new(Fact::TopologyObserved, account.as_str(), region.as_str(), "_", lane);
    let message = muster_kit::outbox_message(&subject, &format!("{account}:{region}"), &fact);
    let put = backends.store.put_topology(account, region, &fingerprint, &links, &body, message).await;
    put.map(|_| ()).context("write the topology")
}

/// A line for each call and reason: what was missing for many things alike is told once.
fn faults_of(missing: &[MissingAnswer]) -> Vec<String> {
    let mut alike: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for answer in missing {
        alike.entry((&answer.call, &answer.reason)).or_default().extend(answer.about.as_deref());
    }
    let line = |((call, reason), about): ((&str, &str), Vec<&str>)| match about.as_slice() {
        [] => format!("{call}: {reason}"),
        [one] => format!("{call} of {one}: {reason}"),
        [first, others @ ..] => format!("{call} of {first} and {} others: {reason}", others.len()),
    };
    alike.into_iter().map(line).collect()
}

async fn list(client: &RegionClient, kind: ResourceKind) -> Result<Listing, AwsError> {
    match kind {
        ResourceKind::Instance => client.instances().await,
        ResourceKind::Image => client.images().await,
        ResourceKind::Function => client.functions().await,
    }
}

/// The fact that tells of a change.
fn message(account: &AccountId, region: &Region, kind: ResourceKind, lane: Lane, change: &Change<'_>) -> OutboxMessage {
    let subject = |fact| Subject::new(fact, account.as_str(), region.as_str(), kind.token(), lane);
    match change {
        Change::Observed(resource, fingerprint) => {
            let fact =
                v1::ResourceObserved { resource_id: resource.id.to_string(), fingerprint: fingerprint.to_string() };
            muster_kit::outbox_message(&subject(Fact::ResourceObserved), resource.id.as_str(), &fact)
        }
        Change::Gone(id) => {
            let fact = v1::ResourceGone { resource_id: id.to_string() };
            muster_kit::outbox_message(&subject(Fact::ResourceGone), id.as_str(), &fact)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_for_many_things_alike_is_one_line() {
        let missing = |call: &str, about: Option<&str>, reason: &str| MissingAnswer {
            call: call.into(),
            about: about.map(str::to_owned),
            reason: reason.into(),
        };
        let check = |missing: &[MissingAnswer], expected: &[&str]| assert_eq!(faults_of(missing), expected);
        check(&[], &[]);
        check(&[missing("ec2:DescribeVpcs", None, "no")], &["ec2:DescribeVpcs: no"]);
        let policies = ["a", "b", "c"].map(|name| missing("lambda:GetPolicy", Some(name), "not asked yet"));
        check(&policies[..1], &["lambda:GetPolicy of a: not asked yet"]);
        check(&policies, &["lambda:GetPolicy of a and 2 others: not asked yet"]);
    }
}
