//! Coverage: whether a resource is scanned, and if not, why.

use crate::Digest;
use serde::{Deserialize, Serialize};

/// Inspector's two codes (`ScanStatusCode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ScanStatusCode {
    /// Scanned, possibly in part.
    Active,
    /// Not scanned.
    Inactive,
}

/// Why a resource has its status, in Inspector's spelling (`ScanStatusReason`), plus `PARTIAL_INVENTORY`:
/// we say when a limit or a broken file cost a part, which Inspector has no word for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ScanStatusReason {
    /// All was read.
    Successful,
    /// Something was read; `detail` says what was not.
    PartialInventory,
    /// The first scan is still to come.
    PendingInitialScan,
    /// SSM does not manage the instance.
    UnmanagedEc2Instance,
    /// SSM manages it, but holds no package inventory of it.
    NoInventory,
    /// Its operating system is not one that we know.
    UnsupportedOs,
    /// A media type, runtime or package type that we do not read.
    UnsupportedMediaType,
    /// Reading failed; `detail` says why.
    InternalError,
    /// AWS denied a call; `detail` names it.
    AccessDenied,
    /// The resource is gone.
    ResourceTerminated,
}

impl ScanStatusReason {
    /// The code that belongs to it.
    pub fn code(self) -> ScanStatusCode {
        match self {
            Self::Successful | Self::PartialInventory => ScanStatusCode::Active,
            _ => ScanStatusCode::Inactive,
        }
    }
}

/// How the last attempt to read a resource ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Why.
    pub reason: ScanStatusReason,
    /// One line per thing at fault; empty when successful.
    pub detail: String,
    /// The inventory that counts: an earlier one stays in force when a later attempt failed.
    pub inventory: Option<Digest>,
    /// When it was tried.
    pub scanned_at: jiff::Timestamp,
}
