//! What the topology says of one resource; a topology is analysed once and its answers kept.

use anyhow::{Context, Result};
use muster_domain::{Digest, Resource, ResourceDetails};
use muster_engine::scoring::Exposure;
use muster_network::{Analysis, Topology};
use muster_store::Store;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Mutex;

/// The call that an instance waits for before the first sweep of its region has read the network.
const NOT_READ_YET: &str = "ec2:DescribeNetworkInterfaces";

/// Analyses kept: one per account and region. Past this many the oldest work is simply done again.
const ANALYSES_MAX: usize = 1_000;

/// An analysis and the fingerprint of the topology that it is of.
type Known = (Digest, Arc<Analysis>);

/// What is known of networks by (account, region), as it was read once: for the resources of one batch.
#[derive(Default)]
pub struct Analyses(HashMap<(String, String), Option<Known>>);

/// Analyses by (account, region), each with the fingerprint of the topology that it is of.
#[derive(Default)]
pub struct Exposures {
    analyses: Mutex<HashMap<(String, String), Known>>,
}

impl Exposures {
    /// The exposure of a resource and the fingerprint of the topology that says so; only instances have one.
    /// Each network is asked for once for all resources that come with the same `analyses`.
    pub async fn of(
        &self,
        store: &Store,
        resource: &Resource,
        analyses: &mut Analyses,
    ) -> Result<(Exposure, Option<Digest>)> {
        let ResourceDetails::Instance(_) = &resource.details else {
            return Ok((Exposure::default(), None));
        };
        let key = (resource.account.to_string(), resource.region.to_string());
        let known = match analyses.0.get(&key) {
            Some(known) => known.clone(),
            None => {
                let known = self.analysis(store, resource).await?;
                analyses.0.insert(key, known.clone());
                known
            }
        };
        let Some((fingerprint, analysis)) = known else {
            return Ok((
                Exposure { undetermined: vec![NOT_READ_YET.to_owned()], modelled: true, ..Exposure::default() },
                None,
            ));
        };
        let id = resource.id.as_str();
        let reachabilities = analysis.of_instance(id);
        let undetermined = analysis.undetermined_of(id);
        Ok((Exposure { reachabilities, undetermined, modelled: true }, Some(fingerprint)))
    }

    async fn analysis(&self, store: &Store, resource: &Resource) -> Result<Option<Known>> {
        let key = (resource.account.to_string(), resource.region.to_string());
        // Held while analysing: whoever asks at the same time wants the same answer.
        let mut analyses = self.analyses.lock().await;
        let (account, region) = (&resource.account, &resource.region);
        let Some(stored) = store.topology_fingerprint(account, region).await.context("read the fingerprint")? else {
            return Ok(None);
        };
        if let Some((fingerprint, analysis)) = analyses.get(&key)
            && *fingerprint == stored
        {
            return Ok(Some((stored, Arc::clone(analysis))));
        }
        let Some((fingerprint, body)) = store.topology(account, region).await.context("read the topology")? else {
            return Ok(None);
        };
        let topology: Topology = serde_json::from_slice(&body).context("decode the topology")?;
        let analysis = tokio::task::spawn_blocking(move || muster_network::reachable(&topology))
            .await
            .context("analyse the topology")?;
        let analysis = Arc::new(analysis);
        if analyses.len() >= ANALYSES_MAX {
            analyses.clear();
        }
        analyses.insert(key, (fingerprint.clone(), Arc::clone(&analysis)));
        Ok(Some((fingerprint, analysis)))
    }
}
