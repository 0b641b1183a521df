//! What the topologies say of one resource. Those that are linked, by a peering or a transit gateway, are analysed
//! together; what was analysed is kept until one of them changes.

use anyhow::{Context, Result};
use muster_domain::{AccountId, Digest, Region, Resource, ResourceKind};
use muster_engine::scoring::Exposure;
use muster_network::{Analysis, Analyzer, StoredError, Topology};
use muster_store::{Store, TopologyEntry};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tokio::sync::Mutex;
use tracing::warn;

/// The call that an instance waits for before the first sweep of its region has read the network.
const NOT_READ_YET: &str = "ec2:DescribeNetworkInterfaces";

/// Analyses kept: one per account and region. Past this many the oldest work is simply done again.
const ANALYSES_MAX: usize = 1_000;

/// Analyzers kept, each with what it knows of its topologies: a bound on memory. Work that changes little is quick
/// with the one that did it before.
const ANALYZERS_MAX: usize = 8;

/// Topologies that are analysed together at most: a bound on memory. Whatever is left out is an edge of the network,
/// behind which everything that has a route is taken for there.
const LINKED_MAX: usize = 64;

/// An account and region.
type Scope = (AccountId, Region);

/// An analysis and the fingerprint of the topologies that it is of.
type Known = (Digest, Arc<Analysis>);

/// What is known of networks by account and region, as it was read once: for the resources of one batch.
#[derive(Default)]
pub struct Analyses(HashMap<Scope, Option<Known>>);

/// Analyses by account and region, each with the fingerprint of what it is of.
#[derive(Default)]
pub struct Exposures {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    analyses: HashMap<Scope, Known>,
    analyzers: HashMap<Vec<Scope>, Analyzer>,
}

impl Exposures {
    /// The exposure of a resource and the fingerprint of the topologies that say so; images have none. Each network is asked
    /// for once for all resources that come with the same `analyses`.
    pub async fn of(
        &self,
        store: &Store,
        resource: &Resource,
        analyses: &mut Analyses,
    ) -> Result<(Exposure, Option<Digest>)> {
        let kind = resource.kind();
        if kind == ResourceKind::Image {
            return Ok((Exposure::default(), None));
        }
        let modelled = kind == ResourceKind::Instance;
        let scope = (resource.account.clone(), resource.region.clone());
        let known = match analyses.0.get(&scope) {
            Some(known) => known.clone(),
            None => {
                let known = self.analysis(store, &resource.account, &resource.region).await?;
                analyses.0.insert(scope, known.clone());
                known
            }
        };
        let Some((fingerprint, analysis)) = known else {
            let undetermined = if modelled { vec![NOT_READ_YET.to_owned()] } else { Vec::new() };
            return Ok((Exposure { undetermined, modelled, ..Exposure::default() }, None));
        };
        let id = in_topology(resource.id.as_str());
        let undetermined =
            if modelled { analysis.undetermined_of(id) } else { undetermined_of_function(&analysis, id) };
        Ok((Exposure { reachabilities: analysis.of_resource(id), undetermined, modelled }, Some(fingerprint)))
    }

    /// What can be reached in an account and region, and the fingerprint of the topologies that say so; `None` before
    /// its first sweep.
    pub async fn analysis(&self, store: &Store, account: &AccountId, region: &Region) -> Result<Option<Known>> {
        let scope = (account.clone(), region.clone());
        // Held while analysing: whoever asks at the same time wants the same answer.
        let mut state = self.state.lock().await;
        let Some(judged) = store.judged_topology(account, region).await.context("read the fingerprint")? else {
            return Ok(None);
        };
        if let Some((fingerprint, analysis)) = state.analyses.get(&scope)
            && *fingerprint == judged
        {
            return Ok(Some((judged, Arc::clone(analysis))));
        }
        let entries = store.topologies().await.context("list the topologies")?;
        let Some(own) = entries.iter().position(|entry| entry.account == *account && entry.region == *region) else {
            return Ok(None);
        };
        let neighbourhoods = neighbourhoods(&entries);
        let members: Vec<&TopologyEntry> = neighbourhoods[own].iter().map(|place| &entries[*place]).collect();
        let fingerprint = fingerprint_of(&members);
        // What the store says of links may be some seconds behind.
        if state.analyses.get(&scope).is_none_or(|(known, _)| *known != fingerprint) {
            state.analyse(store, &members, &fingerprint).await?;
        }
        Ok(state.analyses.get(&scope).cloned())
    }
}

impl State {
    /// Analyses these together and keeps what comes of it.
    async fn analyse(&mut self, store: &Store, members: &[&TopologyEntry], fingerprint: &Digest) -> Result<()> {
        let scopes: Vec<Scope> = members.iter().map(|entry| (entry.account.clone(), entry.region.clone())).collect();
        let mut topologies = Vec::with_capacity(scopes.len());
        for (account, region) in &scopes {
            topologies.push(read(store, account, region).await?);
        }
        let mut analyzer = self.analyzers.remove(&scopes).unwrap_or_default();
        let work = tokio::task::spawn_blocking(move || {
            let analyses: Vec<Arc<Analysis>> = analyzer.analyze(&topologies).iter().cloned().map(Arc::new).collect();
            (analyzer, analyses)
        });
        let (analyzer, analyses) = work.await.context("analyse the topologies")?;
        if self.analyzers.len() >= ANALYZERS_MAX {
            self.analyzers.clear();
        }
        if self.analyses.len() + scopes.len() > ANALYSES_MAX {
            self.analyses.clear();
        }
        for (scope, analysis) in scopes.iter().zip(analyses) {
            self.analyses.insert(scope.clone(), (fingerprint.clone(), analysis));
        }
        self.analyzers.insert(scopes, analyzer);
        Ok(())
    }
}

/// A topology from the store. One that another version of the program kept, or that is gone, is told as one of which
/// nothing could be described, until the next sweep.
async fn read(store: &Store, account: &AccountId, region: &Region) -> Result<Topology> {
    let stored = store.topology(account, region).await.context("read the topology")?;
    let unread = |reason: String| Topology {
        account: account.to_string(),
        region: region.to_string(),
        missing: vec![muster_network::MissingAnswer { call: NOT_READ_YET.to_owned(), about: None, reason }],
        ..Topology::default()
    };
    let Some((_, body)) = stored else {
        return Ok(unread("the topology is gone".to_owned()));
    };
    match Topology::from_stored(&body) {
        Ok(topology) => Ok(topology),
        Err(error @ StoredError::Format { .. }) => {
            warn!(%account, %region, %error, "topology not read, the next sweep replaces it");
            Ok(unread(error.to_string()))
        }
        Err(error) => Err(error).context("decode the topology"),
    }
}

/// Notes in the store which topologies are judged together, so that a change of one is looked at in all of them.
pub async fn note_links(store: &Store) -> Result<()> {
    let entries = store.topologies().await.context("list the topologies")?;
    let mut linked = BTreeMap::new();
    for (place, near) in neighbourhoods(&entries).iter().enumerate().filter(|(_, near)| near.len() > 1) {
        let members: Vec<&TopologyEntry> = near.iter().map(|place| &entries[*place]).collect();
        let entry = &entries[place];
        linked.insert((entry.account.clone(), entry.region.clone()), fingerprint_of(&members));
    }
    store.put_linked_topologies(&linked).await.context("note linked topologies")
}

fn neighbourhoods(entries: &[TopologyEntry]) -> Vec<Vec<usize>> {
    let links: Vec<Vec<&str>> = entries.iter().map(|entry| entry.links.iter().map(String::as_str).collect()).collect();
    muster_network::neighbourhoods(&links, LINKED_MAX)
}

/// Changes when one of them does; alone, a topology's own.
fn fingerprint_of(members: &[&TopologyEntry]) -> Digest {
    if let [alone] = members {
        return alone.fingerprint.clone();
    }
    let fingerprints: Vec<&str> = members.iter().map(|entry| entry.fingerprint.as_str()).collect();
    Digest::of(fingerprints.join("\n").as_bytes())
}

/// A resource's id as the network knows it: a function is called by its ARN without a version.
fn in_topology(id: &str) -> &str {
    id.strip_suffix(":$LATEST").unwrap_or(id)
}

/// The calls without which it is not known who may call a function.
fn undetermined_of_function(analysis: &Analysis, function: &str) -> Vec<String> {
    let concerns = |open: &&muster_network::Undetermined| match &open.resource {
        Some(resource) => resource == function,
        None => open.interface.is_none() && !open.call.starts_with("ec2:"),
    };
    let mut calls: Vec<String> = analysis.undetermined.iter().filter(concerns).map(|open| open.call.clone()).collect();
    calls.sort();
    calls.dedup();
    calls
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_network::topology::{TransitGateway, Vpc};
    use muster_store::OutboxMessage;

    fn message() -> OutboxMessage {
        let subject = muster_bus::Subject::new(
            muster_bus::Fact::TopologyObserved,
            "123456789012",
            "eu-central-1",
            "_",
            muster_bus::Lane::Scheduled,
        );
        muster_kit::outbox_message(&subject, "key", &muster_wire::v1::TopologyObserved::default())
    }

    async fn put(store: &Store, account: &str, topology: &Topology) {
        let account = account.parse().unwrap();
        let (links, body) = (muster_network::links(topology), topology.to_stored());
        let region = Region::new("eu-central-1");
        store.put_topology(&account, &region, &topology.fingerprint(), &links, &body, message()).await.unwrap();
    }

    fn topology(account: &str, vpc: &str, transit_gateway: &str) -> Topology {
        let gateways = [transit_gateway].into_iter().filter(|id| !id.is_empty());
        Topology {
            account: account.into(),
            region: "eu-central-1".into(),
            vpcs: vec![Vpc { vpc_id: vpc.into(), ..Vpc::default() }],
            transit_gateways: gateways
                .map(|id| TransitGateway { transit_gateway_id: id.into(), ..TransitGateway::default() })
                .collect(),
            ..Topology::default()
        }
    }

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("store.db").display())).await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn a_change_on_the_other_side_of_a_link_is_a_change_here() {
        let (_folder, store) = store().await;
        let [one, two, three] = ["100000000001", "100000000002", "100000000003"];
        put(&store, one, &topology(one, "vpc-1", "tgw-1")).await;
        put(&store, two, &topology(two, "vpc-2", "tgw-1")).await;
        put(&store, three, &topology(three, "vpc-3", "")).await;
        let region = Region::new("eu-central-1");
        let judged = async |account: &str| {
            note_links(&store).await.unwrap();
            store.judged_topology(&account.parse().unwrap(), &region).await.unwrap().unwrap()
        };
        let before = [judged(one).await, judged(two).await, judged(three).await];
        assert_eq!(before[0], before[1], "both are judged together");
        assert_eq!(before[2], topology(three, "vpc-3", "").fingerprint(), "alone");
        put(&store, two, &topology(two, "vpc-2b", "tgw-1")).await;
        let after = [judged(one).await, judged(two).await, judged(three).await];
        assert_ne!(after[0], before[0], "the other side changed");
        assert_eq!(after[0], after[1]);
        assert_eq!(after[2], before[2], "not linked");
        let exposures = Exposures::default();
        let (fingerprint, analysis) =
            exposures.analysis(&store, &one.parse().unwrap(), &region).await.unwrap().unwrap();
        assert_eq!((fingerprint, analysis.account.as_str()), (after[0].clone(), one));
        put(&store, two, &topology(two, "vpc-2", "")).await;
        assert_eq!(judged(one).await, topology(one, "vpc-1", "tgw-1").fingerprint(), "alone now");
    }

    #[tokio::test]
    async fn an_older_format_leaves_everything_unknown_and_stops_nothing() {
        let (_folder, store) = store().await;
        let (account, region): (AccountId, Region) = ("100000000001".parse().unwrap(), Region::new("eu-central-1"));
        let old = br#"{"account":"100000000001","vpcs":[{"vpc_id":"vpc-1"}]}"#;
        store.put_topology(&account, &region, &Digest::of(old), &[], old, message()).await.unwrap();
        let (_, analysis) = Exposures::default().analysis(&store, &account, &region).await.unwrap().unwrap();
        assert_eq!(analysis.undetermined_of("i-1"), [NOT_READ_YET]);
    }

    #[test]
    fn what_is_not_known_of_a_function_is_what_concerns_it() {
        let open = |resource: Option<&str>, call: &str| muster_network::Undetermined {
            resource: resource.map(str::to_owned),
            call: call.into(),
            ..muster_network::Undetermined::default()
        };
        let analysis = Analysis {
            undetermined: vec![
                open(Some("arn:aws:lambda:eu-central-1:1:function:a"), "lambda:GetPolicy"),
                open(Some("arn:aws:lambda:eu-central-1:1:function:b"), "lambda:ListFunctionUrlConfigs"),
                open(None, "ec2:DescribeNetworkInterfaces"), // says nothing of addresses that Lambda itself serves
                open(None, "elasticloadbalancing:DescribeTargetHealth"),
            ],
            ..Analysis::default()
        };
        let id = in_topology("arn:aws:lambda:eu-central-1:1:function:a:$LATEST");
        let expected = ["elasticloadbalancing:DescribeTargetHealth", "lambda:GetPolicy"];
        assert_eq!(undetermined_of_function(&analysis, id), expected);
    }
}
