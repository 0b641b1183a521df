//! Layers that were read before, by digest and cataloguer version, shared by all replicas through the cache.

use async_trait::async_trait;
use bytes::Bytes;
use muster_artifacts::LayerCache;
use muster_cache::Cache;
use muster_domain::Digest;
use muster_packages::{CATALOGUER_VERSION, LayerFacts};
use std::{sync::Arc, time::Duration};
use tracing::warn;

/// Long enough for the next push of an image on the same base; losing a layer costs reading it again.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The largest entry, in bytes: a layer that says more is read again each time.
const ENTRY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The cache seam as a cache of layers.
pub struct SharedLayers {
    cache: Arc<dyn Cache>,
}

impl SharedLayers {
    /// Over any cache.
    pub fn new(cache: Arc<dyn Cache>) -> Self {
        Self { cache }
    }

    fn key(digest: &Digest) -> String {
        format!("layer:{CATALOGUER_VERSION}:{digest}")
    }
}

/// A cache that fails is a cache that has nothing.
#[async_trait]
impl LayerCache for SharedLayers {
    async fn get(&self, digest: &Digest) -> Option<LayerFacts> {
        let entry = match self.cache.get(&Self::key(digest)).await {
            Ok(entry) => entry?,
            Err(error) => {
                warn!(%error, %digest, "layer not read from the cache");
                return None;
            }
        };
        let json = zstd::bulk::decompress(&entry, ENTRY_BYTES_MAX).ok()?;
        serde_json::from_slice(&json).ok()
    }

    async fn put(&self, digest: &Digest, facts: &LayerFacts) {
        let json = serde_json::to_vec(facts).expect("facts have text keys, so JSON cannot fail");
        if json.len() > ENTRY_BYTES_MAX {
            return;
        }
        let entry = match zstd::bulk::compress(&json, zstd::DEFAULT_COMPRESSION_LEVEL) {
            Ok(entry) => entry,
            Err(error) => {
                warn!(%error, %digest, "layer not compressed");
                return;
            }
        };
        if let Err(error) = self.cache.put(&Self::key(digest), Bytes::from(entry), KEPT).await {
            warn!(%error, %digest, "layer not written to the cache");
        }
    }
}
