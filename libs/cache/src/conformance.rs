//! The promises of a cache, as tests that every engine runs: `promises!(start)` writes them all.

use crate::{Cache, CacheError, VALUE_BYTES_MAX};
use bytes::Bytes;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// One test per promise. `$start` is an async function to a running cache and what keeps it running.
macro_rules! promises {
    ($start:path; $($promise:ident,)*) => {
        $(
            #[tokio::test]
            async fn $promise() {
                let (cache, _running) = $start().await;
                crate::conformance::$promise(cache).await;
            }
        )*
    };
    ($start:path) => {
        crate::conformance::promises!(
            $start;
            a_value_is_kept_for_its_time,
            a_value_that_is_too_large_is_not_kept,
            a_lease_has_one_owner,
            a_lease_ends_by_itself,
            a_bucket_gives_its_burst_and_then_its_rate,
            many_takers_share_one_bucket,
            a_bucket_that_never_gives_is_refused,
        );
    };
}
pub(crate) use promises;

const MINUTE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(100);

async fn get(cache: &Arc<dyn Cache>, key: &str) -> Option<Bytes> {
    cache.get(key).await.expect("the cache runs")
}

async fn put(cache: &Arc<dyn Cache>, key: &str, value: impl Into<Bytes>, ttl: Duration) {
    cache.put(key, value.into(), ttl).await.expect("the cache runs");
}

async fn lease(cache: &Arc<dyn Cache>, owner: &str, ttl: Duration) -> bool {
    cache.lease("sweep/111122223333/eu-central-1", owner, ttl).await.expect("the cache runs")
}

pub(crate) async fn a_value_is_kept_for_its_time(cache: Arc<dyn Cache>) {
    assert_eq!(get(&cache, "sha256:a").await, None);
    put(&cache, "sha256:a", vec![0, 255, 10], MINUTE).await;
    put(&cache, "sha256:b", "short", SHORT).await;
    put(&cache, "sha256:empty", "", MINUTE).await;
    assert_eq!(get(&cache, "sha256:a").await.as_deref(), Some(&[0, 255, 10][..]));
    assert_eq!(get(&cache, "sha256:empty").await.as_deref(), Some(&b""[..]));
    put(&cache, "sha256:a", "newer", MINUTE).await;
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(get(&cache, "sha256:a").await.as_deref(), Some(&b"newer"[..]));
    assert_eq!(get(&cache, "sha256:b").await, None);
}

pub(crate) async fn a_value_that_is_too_large_is_not_kept(cache: Arc<dyn Cache>) {
    put(&cache, "layer", "older", MINUTE).await;
    put(&cache, "layer", vec![0; VALUE_BYTES_MAX + 1], MINUTE).await;
    assert_eq!(get(&cache, "layer").await, None, "nor is the older one taken for it");
    put(&cache, "layer", vec![0; VALUE_BYTES_MAX], MINUTE).await;
    assert_eq!(get(&cache, "layer").await.map(|value| value.len()), Some(VALUE_BYTES_MAX));
}

pub(crate) async fn a_lease_has_one_owner(cache: Arc<dyn Cache>) {
    assert!(lease(&cache, "a", MINUTE).await);
    assert!(lease(&cache, "a", MINUTE).await, "it renews");
    assert!(!lease(&cache, "b", MINUTE).await);
    cache.release("sweep/111122223333/eu-central-1", "b").await.expect("the cache runs");
    assert!(!lease(&cache, "b", MINUTE).await, "only its owner ends it");
    cache.release("sweep/111122223333/eu-central-1", "a").await.expect("the cache runs");
    assert!(lease(&cache, "b", MINUTE).await);
    assert!(cache.lease("another", "a", MINUTE).await.expect("the cache runs"));
}

pub(crate) async fn a_lease_ends_by_itself(cache: Arc<dyn Cache>) {
    assert!(lease(&cache, "a", SHORT).await);
    let begun = Instant::now();
    while !lease(&cache, "b", MINUTE).await {
        assert!(begun.elapsed() < MINUTE, "the lease does not end");
        tokio::time::sleep(SHORT / 10).await;
    }
    assert!(begun.elapsed() >= SHORT / 2, "the lease ended early");
    assert!(!lease(&cache, "a", SHORT).await);
}

pub(crate) async fn a_bucket_gives_its_burst_and_then_its_rate(cache: Arc<dyn Cache>) {
    let take = async || cache.take("ec2/eu-central-1", 0.5, 3).await.expect("the cache runs");
    for _ in 0..3 {
        assert_eq!(take().await, Duration::ZERO);
    }
    for _ in 0..2 {
        let wait = take().await;
        assert!(wait > Duration::from_millis(500) && wait <= Duration::from_secs(2), "{wait:?}");
    }
    assert_eq!(cache.take("ssm/eu-central-1", 0.5, 3).await.expect("the cache runs"), Duration::ZERO);
    let fast = async || cache.take("fast", 20.0, 1).await.expect("the cache runs");
    assert_eq!(fast().await, Duration::ZERO);
    let wait = fast().await;
    tokio::time::sleep(wait + Duration::from_millis(2)).await;
    assert_eq!(fast().await, Duration::ZERO, "after the wait it was told");
}

pub(crate) async fn many_takers_share_one_bucket(cache: Arc<dyn Cache>) {
    let takers = (0..50).map(|_| {
        let cache = cache.clone();
        tokio::spawn(async move { cache.take("shared", 0.001, 10).await.expect("the cache runs").is_zero() })
    });
    let mut taken = 0;
    for taker in takers.collect::<Vec<_>>() {
        taken += usize::from(taker.await.expect("no panic"));
    }
    assert_eq!(taken, 10);
}

pub(crate) async fn a_bucket_that_never_gives_is_refused(cache: Arc<dyn Cache>) {
    for (rate, burst) in [(0.0, 1), (-1.0, 1), (f64::NAN, 1), (f64::INFINITY, 1), (1.0, 0)] {
        let refused = cache.take("b", rate, burst).await;
        assert!(matches!(refused, Err(CacheError::EmptyBucket { .. })), "{rate} {burst}");
    }
}
