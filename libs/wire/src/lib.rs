//! The generated code of `proto/muster/v1` and its conversions from the domain's words.
//!
//! Bus events and gRPC questions are one set of messages. Conversions go one way, from the domain outwards:
//! what comes in is read and checked where it is used.

mod convert;

/// Messages, clients and servers of `package muster.v1`.
#[allow(missing_docs, clippy::all)] // generated; the words stand in proto/
pub mod v1 {
    tonic::include_proto!("muster.v1");
}

/// The encoded descriptors of all files, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

pub use convert::{moment, timestamp};
