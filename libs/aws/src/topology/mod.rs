//! The network of one region, call by call, as AWS describes it. A call that is denied or fails costs only its own
//! part. Calls whose answer nothing else refers to are not made: without a transit gateway none of its tables is read.
//!
//! One file per family of calls: what is asked, and the SDK's words as `muster-network`'s ([`told`]).

#[macro_use]
mod asked;
#[macro_use]
mod told;
mod balancers;
mod firewall;
mod functions;
mod links;
mod owners;
mod transit;
mod vpc;

pub(crate) use functions::KnownAccess;

use crate::RegionClient;
use muster_network::Topology;

impl RegionClient {
    /// The topology, in a fixed order. Never fails as a whole: what AWS did not answer stands in its `missing`.
    pub async fn topology(&self) -> Topology {
        let mut topology = Topology {
            account: self.inner.account.to_string(),
            region: self.inner.region.to_string(),
            ..Topology::default()
        };
        self.add_vpcs(&mut topology).await;
        self.add_prefix_lists(&mut topology).await;
        self.add_links(&mut topology).await;
        self.add_transit_gateways(&mut topology).await;
        self.add_private_lines(&mut topology).await;
        self.add_endpoints_and_firewalls(&mut topology).await;
        self.add_load_balancers(&mut topology).await;
        self.add_functions(&mut topology).await;
        self.add_owners(&mut topology).await;
        topology.sort();
        topology
    }
}
