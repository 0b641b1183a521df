//! Packages: one file per package database or lock file, from bytes to packages.
//!
//! Pure: bytes in, packages out. A format's file has `parse(path, bytes) -> Parsed`; a bad record goes to
//! `skipped` with its place and reason and neither stops the file nor vanishes. [`Collector`] asks the table of
//! cataloguers which files of a root matter and gathers what they say ([`LayerFacts`]); [`merge()`] lays layers over
//! each other and makes an inventory. Reading the files themselves is `muster-artifacts`' work.

pub mod apk;
pub mod bun_lock;
pub mod cargo_lock;
mod cataloguers;
mod collector;
pub mod composer;
pub mod conan_lock;
pub mod cyclonedx;
mod databases;
pub mod deps_json;
pub mod dpkg;
pub mod dpkg_list;
mod facts;
pub mod gemfile_lock;
pub mod gemspec;
pub mod go_binary;
pub mod go_mod;
pub mod gradle_lockfile;
mod headers;
pub mod jar;
pub mod kernel;
mod lock;
mod merge;
pub mod mix_lock;
pub mod npm;
pub mod nuget_lock;
pub mod os_release;
pub mod package_lock;
pub mod package_resolved;
pub mod packages_config;
pub mod pacman;
mod parsed;
mod path;
pub mod pipfile_lock;
pub mod pnpm_lock;
pub mod pubspec_lock;
mod purl;
pub mod python;
pub mod python_lock;
pub mod renv_lock;
pub mod requirements;
pub mod rpm;
pub mod ssm;
pub mod yarn_lock;

pub use cataloguers::{CATALOGUERS, Cataloguer, wanted};
pub use collector::{Collector, Limits};
pub use databases::{OS_DATABASES, OsDatabase};
pub use facts::{FileFacts, LayerFacts, PathHashes};
pub use merge::{LayerOrigin, merge};
pub use parsed::{PACKAGES_PER_FILE_MAX, Parsed, SKIPPED_PER_FILE_MAX};
pub use path::{RefusedPath, normalise};

/// Part of the key under which facts of a layer are cached. It rises with every change of a parser, of the table of
/// cataloguers or of [`LayerFacts`], so that what an older version saw is read anew.
pub const CATALOGUER_VERSION: u32 = 3;
