//! The cache: what may be forgotten at any time. Values by digest, leases, rate buckets.
//!
//! Losing all of it costs time, never a finding: a value is computed again, two owners may sweep the same
//! account for a while, AWS is asked faster than wished and throttles. Callers treat an error like a miss.
//! What both engines promise is tested by the suite in `conformance.rs`.

#[cfg(test)]
mod conformance;
mod memory;
mod redis;

pub use self::{memory::MemoryCache, redis::RedisCache};

use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// Largest value that is kept, in bytes: what one layer's package facts come to at worst. A larger one is
/// not an error, it is just computed each time.
pub const VALUE_BYTES_MAX: usize = 32 << 20;

/// A place for what may be forgotten, shared by all replicas that use the same one.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The value, if it is still known.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError>;

    /// Keeps the value for `ttl`, or for less where room is short.
    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), CacheError>;

    /// Takes the lease `name` for `owner`, or renews it: `true` when `owner` has it for `ttl` from now on,
    /// `false` when another has it. A lease keeps work from being done twice, it does not make it safe.
    async fn lease(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, CacheError>;

    /// Ends the lease, if `owner` has it.
    async fn release(&self, name: &str, owner: &str) -> Result<(), CacheError>;

    /// Takes one token from a bucket that holds `burst` and refills with `rate_per_second`: zero when it is
    /// taken; else how long until one may be there, and nothing is taken.
    async fn take(&self, bucket: &str, rate_per_second: f64, burst: u32) -> Result<Duration, CacheError>;
}

/// Why the cache did not answer.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A rate that is not above zero, or a burst of zero: nothing could ever be taken.
    #[error("bucket `{bucket}`: {rate_per_second} per second with a burst of {burst} never gives a token")]
    EmptyBucket {
        /// The bucket.
        bucket: String,
        /// As it was given.
        rate_per_second: f64,
        /// As it was given.
        burst: u32,
    },
    /// The engine's address. Never quotes it: it may hold a password.
    #[error("cache address is not redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]: {0}")]
    MalformedAddress(String),
    /// The engine did not answer, or refused.
    #[error("{operation} in the cache")]
    Unavailable {
        /// What was tried.
        operation: &'static str,
        /// The client's error.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A slowest rate keeps waits far from overflow: one token in eleven days.
const RATE_PER_SECOND_MIN: f64 = 1e-6;

fn check_bucket(bucket: &str, rate_per_second: f64, burst: u32) -> Result<(), CacheError> {
    if rate_per_second.is_finite() && rate_per_second >= RATE_PER_SECOND_MIN && burst > 0 {
        return Ok(());
    }
    Err(CacheError::EmptyBucket { bucket: bucket.to_owned(), rate_per_second, burst })
}
