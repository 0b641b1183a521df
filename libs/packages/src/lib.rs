//! Packages: one file per package database or lock file, from bytes to packages.
//!
//! Pure: bytes in, packages out. A format's file has `parse(path, bytes) -> Parsed`; a bad record goes to
//! `skipped` with its place and reason and neither stops the file nor vanishes. [`Collector`] asks the table of
//! cataloguers which files of a root matter and gathers what they say ([`LayerFacts`]); [`merge()`] lays layers over
//! each other and makes an inventory. Reading the files themselves is `muster-artifacts`' work.

pub mod cargo_lock;
mod cataloguers;
mod collector;
pub mod cyclonedx;
pub mod dpkg;
pub mod dpkg_list;
mod facts;
pub mod go_binary;
mod headers;
mod merge;
pub mod npm;
pub mod os_release;
pub mod package_lock;
mod parsed;
mod path;
mod purl;
pub mod python;
pub mod rpm;
pub mod ssm;

pub use cataloguers::{CATALOGUERS, Cataloguer, wanted};
pub use collector::{Collector, Limits};
pub use facts::{FileFacts, LayerFacts, PathHashes};
pub use merge::{LayerOrigin, merge};
pub use parsed::{PACKAGES_PER_FILE_MAX, Parsed, SKIPPED_PER_FILE_MAX};
pub use path::{RefusedPath, normalise};

/// Part of the key under which facts of a layer are cached. It rises with every change of a parser, of the table of
/// cataloguers or of [`LayerFacts`], so that what an older version saw is read anew.
pub const CATALOGUER_VERSION: u32 = 3;
