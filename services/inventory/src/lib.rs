//! Inventory: reads what software each resource has.
//!
//! Instances from SSM's inventory, images layer by layer from the registry, functions from their zips and layers.
//! Whatever is in them is hostile: what cannot be read is told of in the resource's coverage and the rest is kept.

mod config;
mod fetch;
mod functions;
mod grpc;
mod images;
mod instances;
mod layers;
mod scan;

pub use config::Config;
pub use grpc::Questions;
pub use layers::SharedLayers;

use anyhow::{Context, Result};
use muster_artifacts::Limits;
use muster_aws::Aws;
use muster_bus::Fact;
use muster_kit::{Backends, Stop, WorkOptions, Worker};
use std::sync::Arc;

/// The name in logs, metrics, leases and the outbox.
pub const SERVICE: &str = "inventory";

/// What every handler needs.
pub(crate) struct Shared {
    pub(crate) backends: Backends,
    pub(crate) aws: Aws,
    pub(crate) limits: Limits,
    pub(crate) layers: Arc<SharedLayers>,
    pub(crate) http: reqwest::Client,
}

/// Reads resources.
pub struct Inventory {
    shared: Arc<Shared>,
    observed: Worker,
}

impl Inventory {
    /// Ready when subscribed.
    pub async fn start(backends: Backends, aws: Aws, config: Config) -> Result<Self> {
        let options = WorkOptions {
            service: SERVICE,
            group: SERVICE,
            fact: Fact::ResourceObserved,
            concurrency: config.inventory_concurrency,
        };
        let observed = Worker::subscribe(options, backends.bus.as_ref()).await?;
        let layers = Arc::new(SharedLayers::new(Arc::clone(&backends.cache)));
        let http = fetch::client().context("make the HTTP client")?;
        let shared = Arc::new(Shared { backends, aws, limits: Limits::default(), layers, http });
        Ok(Self { shared, observed })
    }

    /// Its gRPC questions.
    pub fn questions(&self) -> Questions {
        Questions::new(self.shared.backends.store.clone(), Arc::clone(&self.shared.backends.bus))
    }

    /// Works until `stop` fires; the messages in hand are finished first.
    pub async fn run(self, stop: Stop) -> Result<()> {
        let Self { shared, observed } = self;
        let Backends { store, bus, .. } = shared.backends.clone();
        let handler = {
            let shared = Arc::clone(&shared);
            move |message| scan::handle(Arc::clone(&shared), message)
        };
        tokio::join!(
            muster_kit::relay_outbox(SERVICE, store, Arc::clone(&bus), stop.clone()),
            muster_kit::watch_lag(SERVICE, SERVICE, &[Fact::ResourceObserved], bus, stop.clone()),
            observed.run(stop.clone(), handler),
            scan::catch_up(Arc::clone(&shared), stop.clone()),
        );
        Ok(())
    }
}
