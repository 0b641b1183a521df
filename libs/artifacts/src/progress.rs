//! Progress: what a person who waits is told.

/// Told while a target is read. Called from any thread, often: it must return at once.
pub trait Progress: Send + Sync {
    /// Bytes that were read since the last call, as stored (compressed).
    fn bytes_read(&self, bytes: u64);

    /// A layer is done, or its facts came from the cache. `total` layers are in this image.
    fn layer_done(&self, done: usize, total: usize);
}

/// Nobody is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn bytes_read(&self, _bytes: u64) {}

    fn layer_done(&self, _done: usize, _total: usize) {}
}
