//! The sinks: how each is told of findings.

use anyhow::{Context, Result};
use muster_aws::{AwsError, EventEntry, RegionClient};
use muster_domain::{Finding, FindingId, Resource, ResourceId};
use muster_engine::{asff, inspector};
use muster_store::Store;
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    str::FromStr,
};
use uuid::Uuid;

/// Somebody who is told of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sink {
    /// AWS Security Hub, as the account's own product.
    SecurityHub,
    /// The account's default event bus.
    EventBridge,
}

/// The `source` of our events: AWS refuses every source that starts with `aws.`.
pub const EVENT_SOURCE: &str = "muster";

/// The `detail-type` of our events, as Inspector's, so that rules differ in the source only.
pub const EVENT_DETAIL_TYPE: &str = "Inspector2 Finding";

/// The namespace of event ids: drawn once at random, never to change.
const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x8f9c_2c1e_6d5b_4a64_9e0f_3b7d_51f2_a7c4);

/// What came of one batch.
#[derive(Default)]
pub struct Outcome {
    /// What the sink did not take, and why. All else it took.
    pub refused: HashMap<FindingId, String>,
}

impl Outcome {
    /// Nothing was taken.
    pub fn refused_all(batch: &[Finding], reason: &str) -> Self {
        Self { refused: batch.iter().map(|finding| (finding.id.clone(), reason.to_owned())).collect() }
    }
}

impl Sink {
    /// All that we know.
    pub const ALL: [Self; 2] = [Self::SecurityHub, Self::EventBridge];

    /// Its name in settings, in the store and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::SecurityHub => "securityhub",
            Self::EventBridge => "eventbridge",
        }
    }

    /// Findings per call (AWS API references of BatchImportFindings and PutEvents, read 2026-11-24).
    pub fn batch_max(self) -> usize {
        match self {
            Self::SecurityHub => 100,
            Self::EventBridge => 10,
        }
    }

    /// Tells one batch. What fails in part is tried once more, one by one, so that one bad finding costs itself only.
    pub async fn tell(self, store: &Store, client: &RegionClient, batch: &[Finding]) -> Result<Outcome> {
        let ids: BTreeSet<&ResourceId> = batch.iter().map(|finding| &finding.resource).collect();
        let ids: Vec<ResourceId> = ids.into_iter().cloned().collect();
        let resources = store.resources_by_id(&ids).await.context("read the resources")?;
        let resources: HashMap<&ResourceId, &Resource> =
            resources.iter().map(|stored| (&stored.resource.id, &stored.resource)).collect();
        let mut pairs = Vec::with_capacity(batch.len());
        for finding in batch {
            let resource = resources.get(&finding.resource);
            let resource = resource.with_context(|| format!("resource {} is not in the store", finding.resource))?;
            pairs.push((finding, *resource));
        }
        let first = self.send(client, &pairs).await;
        let refused = match first {
            Ok(outcome) if outcome.refused.is_empty() => return Ok(outcome),
            Ok(outcome) => outcome.refused,
            Err(error) if pairs.len() == 1 || error.is_denied() => {
                return Ok(Outcome::refused_all(batch, &error.to_string()));
            }
            Err(error @ (AwsError::Throttled { .. } | AwsError::Unreachable { .. })) => {
                return Ok(Outcome::refused_all(batch, &error.to_string()));
            }
            Err(error) => Outcome::refused_all(batch, &error.to_string()).refused,
        };
        let mut outcome = Outcome::default();
        for pair in pairs.iter().filter(|(finding, _)| refused.contains_key(&finding.id)) {
            match self.send(client, std::slice::from_ref(pair)).await {
                Ok(single) => outcome.refused.extend(single.refused),
                Err(error) => {
                    outcome.refused.insert(pair.0.id.clone(), error.to_string());
                }
            }
        }
        Ok(outcome)
    }

    async fn send(self, client: &RegionClient, pairs: &[(&Finding, &Resource)]) -> Result<Outcome, AwsError> {
        match self {
            Self::SecurityHub => {
                let findings = pairs.iter().map(|(finding, resource)| asff::finding(finding, resource)).collect();
                let imported = client.import_findings(findings).await?;
                let by_arn: HashMap<String, &FindingId> =
                    pairs.iter().map(|(finding, _)| (finding.arn(), &finding.id)).collect();
                let refused = imported.failed.into_iter().filter_map(|failed| {
                    let id = by_arn.get(&failed.id)?;
                    Some(((*id).clone(), format!("{}: {}", failed.code, failed.message)))
                });
                Ok(Outcome { refused: refused.collect() })
            }
            Self::EventBridge => {
                let entries = pairs.iter().map(|(finding, resource)| event(finding, resource)).collect();
                let results = client.put_events(entries).await;
                let refused = pairs
                    .iter()
                    .zip(results)
                    .filter_map(|((finding, _), result)| Some((finding.id.clone(), result.err()?.to_string())));
                Ok(Outcome { refused: refused.collect() })
            }
        }
    }
}

/// The same revision of the same finding always has the same `eventId`: EventBridge has no key of its own that would
/// tell a repeat.
fn event(finding: &Finding, resource: &Resource) -> EventEntry {
    let mut detail = inspector::event_detail(finding, resource);
    let id = Uuid::new_v5(&EVENT_NAMESPACE, format!("{}:{}", finding.id, finding.revision).as_bytes());
    detail["eventId"] = id.to_string().into();
    EventEntry {
        source: EVENT_SOURCE.to_owned(),
        detail_type: EVENT_DETAIL_TYPE.to_owned(),
        detail,
        resources: vec![finding.resource.to_string()],
        bus: None,
        time: finding.updated_at,
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Sink {
    type Err = String;
    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|sink| sink.name() == raw)
            .ok_or_else(|| format!("sink `{raw}` is neither securityhub nor eventbridge"))
    }
}
