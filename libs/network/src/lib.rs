//! The reachability of networks: who can reach what, from which edge, on which ports, along which path.
//!
//! The answer is worked out with sets of addresses and ranges of ports, never by trying packets, so it is complete:
//! what is not in it is not reachable, or stands under "undetermined" with the answer that is missing. Not looked at,
//! so that a real network can be more closed than the answer: firewalls of the instances themselves, VPC Block Public
//! Access, and on the far side of a peering or a transit gateway everything but its route tables.

mod acl;
mod addresses;
mod analysis;
mod analyzer;
mod balancers;
mod difference;
mod doors;
mod firewall;
mod functions;
mod groups;
mod index;
mod linked;
mod members;
pub mod offline;
mod openings;
mod picture;
mod report;
mod routes;
mod rules;
mod sets;
mod stored;
pub mod topology;
mod ways;
pub mod why;

pub use analysis::{Analysis, Undetermined};
pub use analyzer::{Analyzer, analyze};
pub use difference::{ChangedSources, Difference, difference};
pub use linked::{links, neighbourhoods};
pub use picture::{Picture, picture};
pub use stored::StoredError;
pub use topology::{MissingAnswer, Topology};
pub use why::{Answer, Question, why};
