//! Matching: inventories against advisories, topologies against packets; verdicts come out.
//!
//! CPU-heavy and stateless: any number of replicas share the work. The advisory database is a file in the data
//! folder, fetched from the store and mapped into memory; a new epoch is swapped in without a pause.
//! A message only says "look now": what has to be judged is read from the store.

mod config;
mod database;
mod epoch;
mod exposure;
mod grpc;
mod judge;
mod network;

pub use config::Config;
pub use grpc::Questions;
pub use network::NetworkQuestions;

use anyhow::Result;
use database::Current;
use exposure::Exposures;
use muster_bus::Fact;
use muster_kit::{Backends, Batches, Stop, WorkOptions, Worker};
use std::sync::{Arc, atomic::AtomicU64};

/// The name in logs, metrics, leases and the outbox.
pub const SERVICE: &str = "matching";

/// What every handler needs.
pub(crate) struct Shared {
    pub(crate) backends: Backends,
    pub(crate) current: Current,
    pub(crate) exposures: Exposures,
    /// The newest epoch that this process marked or found marked; zero after a start.
    pub(crate) marked_to: AtomicU64,
}

/// Judges inventories.
pub struct Matching {
    shared: Arc<Shared>,
    side_by_side: usize,
    resources: Worker,
    changes: Worker,
}

/// Facts that say "look at this resource now".
const RESOURCE_FACTS: [Fact; 2] = [Fact::InventoryChanged, Fact::ResourceGone];

/// Facts after which many resources may have to be looked at.
const CHANGE_FACTS: [Fact; 2] = [Fact::AdvisoriesChanged, Fact::TopologyObserved];

impl Matching {
    /// Ready when subscribed. There may be no epoch yet: then the first one brings the work.
    pub async fn start(backends: Backends, config: Config) -> Result<Self> {
        let options = |fact, concurrency| WorkOptions { service: SERVICE, group: SERVICE, fact, concurrency };
        let bus = backends.bus.as_ref();
        let side_by_side = config.matching_concurrency;
        let resources = options(Fact::InventoryChanged, Batches::messages_in_hand(side_by_side));
        let resources = Worker::subscribe_all(resources, &RESOURCE_FACTS, bus).await?;
        let changes = Worker::subscribe_all(options(Fact::AdvisoriesChanged, 1), &CHANGE_FACTS, bus).await?;
        let current = Current::new(backends.store.clone(), &backends.data_folder);
        let shared =
            Arc::new(Shared { backends, current, exposures: Exposures::default(), marked_to: AtomicU64::new(0) });
        Ok(Self { shared, side_by_side, resources, changes })
    }

    /// Its gRPC questions.
    pub fn questions(&self) -> Questions {
        Questions::new(Arc::clone(&self.shared))
    }

    /// Works until `stop` fires; the messages in hand are finished first.
    pub async fn run(self, stop: Stop) -> Result<()> {
        let Self { shared, side_by_side, resources, changes } = self;
        let Backends { store, bus, .. } = shared.backends.clone();
        let batches = Batches::start(side_by_side, {
            let shared = Arc::clone(&shared);
            move |members| judge::judge(Arc::clone(&shared), members)
        });
        let judge = move |message| judge::handle(Arc::clone(&batches), message);
        let look = {
            let shared = Arc::clone(&shared);
            move |_| epoch::handle(Arc::clone(&shared))
        };
        tokio::join!(
            muster_kit::relay_outbox(SERVICE, store, Arc::clone(&bus), stop.clone()),
            muster_kit::watch_lag(SERVICE, SERVICE, &RESOURCE_FACTS, bus, stop.clone()),
            resources.run(stop.clone(), judge),
            changes.run(stop.clone(), look),
            epoch::catch_up(Arc::clone(&shared), stop.clone()),
        );
        Ok(())
    }
}
