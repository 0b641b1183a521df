//! AWS: accounts, assumed roles, paging, throttling, endpoints. The only crate that names the AWS SDK.
//!
//! [`Aws`] stands for the organization, [`RegionClient`] for one region of one account. What they answer are the
//! words of `muster-domain`; every call goes through one place ([`call`](mod@call)) that waits for the shared rate,
//! counts it, and turns what went wrong into an [`AwsError`] that names the call.

mod accounts;
mod call;
mod client;
mod error;
mod functions;
mod images;
mod instances;
mod options;
mod registry;
mod sinks;
mod topology;

pub use accounts::Aws;
pub use client::{Listing, RegionClient};
pub use error::AwsError;
pub use functions::{FunctionCode, LayerCode};
pub use instances::{APPLICATION_INVENTORY, PACKAGES_INVENTORY};
pub use options::AwsOptions;
pub use registry::RegistryCredentials;
pub use sinks::{EventEntry, EventFailure, FailedFinding, ImportOutcome};
