//! The cache of one process.

use crate::{Cache, CacheError, VALUE_BYTES_MAX, check_bucket};
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Leases, and buckets, kept at most: an organization has a few thousand account-regions. Above it those
/// that ended, or are full, go first; then any, which costs time and nothing else.
const ROWS_MAX: usize = 100_000;

/// Values by weight, the least useful evicted; leases and buckets in two small tables.
pub struct MemoryCache {
    values: moka::future::Cache<String, Value>,
    tables: Mutex<Tables>,
}

#[derive(Clone)]
struct Value {
    bytes: Bytes,
    ttl: Duration,
}

impl MemoryCache {
    /// Keeps at most about `bytes_max` bytes of keys and values.
    pub fn new(bytes_max: u64) -> Self {
        let weight = |key: &String, value: &Value| u32::try_from(key.len() + value.bytes.len()).unwrap_or(u32::MAX);
        let values = moka::future::Cache::builder().max_capacity(bytes_max).weigher(weight).expire_after(OwnTtl);
        Self { values: values.build(), tables: Mutex::default() }
    }

    /// No code panics with the lock held; poisoned tables would still be whole.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each value says itself how long it is kept.
struct OwnTtl;

impl moka::Expiry<String, Value> for OwnTtl {
    fn expire_after_create(&self, _key: &String, value: &Value, _now: Instant) -> Option<Duration> {
        Some(value.ttl)
    }

    fn expire_after_update(
        &self,
        _key: &String,
        value: &Value,
        _now: Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        Some(value.ttl)
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        Ok(self.values.get(key).await.map(|value| value.bytes))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), CacheError> {
        if value.len() > VALUE_BYTES_MAX || ttl.is_zero() {
            self.values.invalidate(key).await;
            return Ok(());
        }
        self.values.insert(key.to_owned(), Value { bytes: value, ttl }).await;
        Ok(())
    }

    async fn lease(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, CacheError> {
        Ok(self.tables().lease(name, owner, ttl, Instant::now()))
    }

    async fn release(&self, name: &str, owner: &str) -> Result<(), CacheError> {
        self.tables().release(name, owner);
        Ok(())
    }

    async fn take(&self, bucket: &str, rate_per_second: f64, burst: u32) -> Result<Duration, CacheError> {
        check_bucket(bucket, rate_per_second, burst)?;
        Ok(self.tables().take(bucket, rate_per_second, f64::from(burst), Instant::now()))
    }
}

/// Leases and buckets; the caller brings the time.
#[derive(Default)]
struct Tables {
    leases: HashMap<String, Lease>,
    buckets: HashMap<String, Bucket>,
}

struct Lease {
    owner: String,
    until: Instant,
}

struct Bucket {
    tokens: f64,
    at: Instant,
    full_at: Instant,
}

impl Tables {
    fn lease(&mut self, name: &str, owner: &str, ttl: Duration, now: Instant) -> bool {
        if self.leases.get(name).is_some_and(|lease| lease.owner != owner && lease.until > now) {
            return false;
        }
        make_room(&mut self.leases, |lease| lease.until > now);
        let until = now.checked_add(ttl).unwrap_or(now);
        self.leases.insert(name.to_owned(), Lease { owner: owner.to_owned(), until });
        true
    }

    fn release(&mut self, name: &str, owner: &str) {
        if self.leases.get(name).is_some_and(|lease| lease.owner == owner) {
            self.leases.remove(name);
        }
    }

    fn take(&mut self, name: &str, rate_per_second: f64, burst: f64, now: Instant) -> Duration {
        let refilled = |bucket: &Bucket| bucket.tokens + (now - bucket.at).as_secs_f64() * rate_per_second;
        let tokens = self.buckets.get(name).map_or(burst, refilled).min(burst);
        let taken = tokens >= 1.0;
        let left = if taken { tokens - 1.0 } else { tokens };
        let full_at = now + Duration::from_secs_f64((burst - left) / rate_per_second);
        make_room(&mut self.buckets, |bucket| bucket.full_at > now);
        self.buckets.insert(name.to_owned(), Bucket { tokens: left, at: now, full_at });
        if taken {
            return Duration::ZERO;
        }
        Duration::from_secs_f64((1.0 - tokens) / rate_per_second)
    }
}

/// Drops what is over when the table is full, and everything when nothing is.
fn make_room<Row>(table: &mut HashMap<String, Row>, matters: impl Fn(&Row) -> bool) {
    if table.len() < ROWS_MAX {
        return;
    }
    table.retain(|_, row| matters(row));
    if table.len() >= ROWS_MAX {
        table.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use std::sync::Arc;

    async fn start() -> (Arc<dyn Cache>, ()) {
        (Arc::new(MemoryCache::new(1 << 30)), ())
    }

    conformance::promises!(start);

    #[tokio::test]
    async fn values_stay_within_the_bytes() {
        let cache = MemoryCache::new(100_000);
        for index in 0..1_000 {
            cache.put(&index.to_string(), vec![0; 1_000].into(), SECOND * 60).await.expect("memory");
        }
        cache.values.run_pending_tasks().await;
        assert!(cache.values.weighted_size() <= 100_000, "{}", cache.values.weighted_size());
        assert!(cache.values.entry_count() > 50);
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_lease_goes_to_another_owner_only_when_it_is_over() {
        let (mut tables, start) = (Tables::default(), Instant::now());
        for (after_seconds, owner, expected) in [
            (0, "a", true),
            (1, "b", false),
            (9, "a", true),   // renewed
            (18, "b", false), // the first ten seconds are over, the renewed ones are not
            (19, "b", true),
            (20, "a", false),
        ] {
            let now = start + SECOND * after_seconds;
            assert_eq!(tables.lease("sweep", owner, SECOND * 10, now), expected, "{owner} after {after_seconds} s");
        }
        tables.release("sweep", "a");
        assert!(!tables.lease("sweep", "a", SECOND, start + SECOND * 21), "only the owner ends a lease");
        tables.release("sweep", "b");
        assert!(tables.lease("sweep", "a", SECOND, start + SECOND * 21));
    }

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let (mut tables, start) = (Tables::default(), Instant::now());
        for (after_ms, expected_wait_ms) in [
            (0, 0),
            (0, 0),
            (0, 0),
            (0, 500),   // two per second
            (100, 400), // a wait takes nothing
            (500, 0),
            (500, 500),
            (60_000, 0), // never fuller than the burst
            (60_000, 0),
            (60_000, 0),
            (60_000, 500),
        ] {
            let now = start + Duration::from_millis(after_ms);
            let wait = tables.take("ec2", 2.0, 3.0, now);
            assert_eq!(wait, Duration::from_millis(expected_wait_ms), "after {after_ms} ms");
        }
    }

    #[test]
    fn full_tables_forget_what_is_over_first() {
        let (mut tables, start) = (Tables::default(), Instant::now());
        for index in 0..ROWS_MAX {
            let ttl = if index == 0 { SECOND * 60 } else { SECOND };
            tables.lease(&index.to_string(), "a", ttl, start);
        }
        assert!(tables.lease("one more", "a", SECOND, start + SECOND * 2));
        assert_eq!(tables.leases.len(), 2);
        assert!(!tables.lease("0", "b", SECOND, start + SECOND * 2), "a running lease is kept");
    }
}
