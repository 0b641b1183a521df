//! Artifacts: a target is a tree of files, whatever holds it. The same root gives the same packages from a folder, an
//! OCI layout, a registry or a zip.
//!
//! [`read()`] takes any [`Target`]; [`read_image_manifest`] takes one manifest of a registry; [`read_zip`] takes a zip
//! such as a Lambda function's code. Nothing is unpacked to disk, and whatever is read has a limit ([`Limits`]): a
//! limit that was reached stands in the inventory, which is partial then.

mod archive;
mod blobs;
mod cache;
mod directory;
mod error;
#[cfg(test)]
mod fixtures;
mod image;
mod limits;
mod oci_layout;
mod progress;
mod read;
mod reference;
mod registry;
mod tar_layer;
mod target;
mod zip;

pub use cache::{LayerCache, NoCache};
pub use directory::read_directory;
pub use error::ArtifactError;
pub use limits::Limits;
pub use progress::{NoProgress, Progress};
pub use read::{Read, ReadOptions, read, read_image_manifest};
pub use reference::{ImageReference, MalformedReference};
pub use registry::Credentials;
pub use tar_layer::{LayerStream, read_layer};
pub use target::{MalformedTarget, Target};
pub use zip::read_zip;
