//! The words of the product, as types: a value that exists is valid.
//!
//! Pure: no clock, no network. Every other crate speaks in these words, and the same words stand in
//! `proto/`, in the store and in the documentation.

mod account;
mod advisory;
mod coverage;
mod digest;
mod ecosystem;
mod finding;
mod inventory;
mod look_up;
mod purl;
mod resource;
mod severity;
mod verdict;
mod vex;

pub use account::{AccountId, AccountStatus, MalformedAccountId, Region};
pub use advisory::{
    Advisory, AdvisoryId, Affected, Epss, Event, Exploit, KnownExploited, LifeCycle, Names, Range, RangeType,
    Reference, Ssvc, Touched, VectorString, VendorState, VendorWord, VexStatement, VexStatus, VulnerabilityFacts,
};
pub use coverage::{Coverage, ScanStatusCode, ScanStatusReason};
pub use digest::{Digest, MalformedDigest};
pub use ecosystem::{ECOSYSTEMS, Ecosystem, EcosystemRow, UnknownEcosystem};
pub use finding::{
    Adjustment, ExploitAvailable, Finding, FindingDetails, FindingId, FindingStatus, FindingType, FixAvailable,
    InspectorScore, NetworkFinding, PackageFinding, Reachability, Step, VulnerablePackage,
};
pub use inventory::{ImageIdentity, Inventory, OperatingSystem, Package, PackageManager, Skipped, SourcePackage};
pub use look_up::{Channel, LookUp, red_hat_release};
pub use purl::{Components, MalformedPurl, PURL_LENGTH_MAX, PackageUrl};
pub use resource::{
    FunctionDetails, ImageDetails, InstanceDetails, InventoryStamp, Resource, ResourceDetails, ResourceId, ResourceKind,
};
pub use severity::{BaseScore, Severity};
pub use verdict::{Explanation, Gap, MatchedRange, Status, Verdict, VerdictSet};
