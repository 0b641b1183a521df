//! The cache of layers: the same layer is read once, in however many images it stands.

use async_trait::async_trait;
use muster_domain::Digest;
use muster_packages::LayerFacts;

/// Facts by layer digest. A key under which they are kept must hold [`muster_packages::CATALOGUER_VERSION`] too.
/// Losing all of it costs time and nothing else, so an implementation tells its failures to its log and answers `None`.
#[async_trait]
pub trait LayerCache: Send + Sync {
    /// What was put, if it is still there.
    async fn get(&self, layer: &Digest) -> Option<LayerFacts>;

    /// Keeps the facts of a layer that was read as a whole.
    async fn put(&self, layer: &Digest, facts: &LayerFacts);
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCache;

#[async_trait]
impl LayerCache for NoCache {
    async fn get(&self, _layer: &Digest) -> Option<LayerFacts> {
        None
    }

    async fn put(&self, _layer: &Digest, _facts: &LayerFacts) {}
}
