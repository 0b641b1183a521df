//! Work that only one replica does at a time.

use anyhow::{Context, Result, bail};
use muster_cache::Cache;
use std::{future::Future, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// A holder that dies is replaced after this; one that lives renews in time.
const TTL: Duration = Duration::from_secs(30);

/// Renewed so often: two renewals may get lost.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// Does `work` while `owner` holds the lease `name`; `None`: somebody else holds it. A lease that is lost on the way
/// ends the work with an error: whoever has it now does the same.
pub async fn while_leased<T>(
    cache: &dyn Cache,
    name: &str,
    owner: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<Option<T>> {
    if !cache.lease(name, owner, TTL).await.with_context(|| format!("take the lease {name}"))? {
        return Ok(None);
    }
    let mut renewals = interval(RENEW_EVERY);
    renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    renewals.tick().await; // the first comes at once
    tokio::pin!(work);
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            _ = renewals.tick() => match cache.lease(name, owner, TTL).await {
                Ok(true) => {}
                Ok(false) => bail!("lost the lease {name}"),
                Err(error) => tracing::warn!(%error, lease = name, "lease not renewed"),
            },
        }
    };
    if let Err(error) = cache.release(name, owner).await {
        tracing::warn!(%error, lease = name, "lease not released, it runs out by itself");
    }
    outcome.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_cache::MemoryCache;

    #[tokio::test]
    async fn one_replica_works_and_the_next_may_when_it_is_done() {
        let cache = MemoryCache::new(1 << 10);
        let work = while_leased(&cache, "sweep", "a", async {
            let second = while_leased(&cache, "sweep", "b", async { Ok(()) }).await?;
            assert_eq!(second, None);
            Ok(1)
        });
        assert_eq!(work.await.expect("memory"), Some(1));
        let third = while_leased(&cache, "sweep", "b", async { Ok(2) }).await;
        assert_eq!(third.expect("memory"), Some(2));
    }

    #[tokio::test]
    async fn work_that_fails_gives_the_lease_back() {
        let cache = MemoryCache::new(1 << 10);
        let failed: Result<Option<()>> = while_leased(&cache, "sweep", "a", async { bail!("no") }).await;
        assert_eq!(failed.expect_err("it failed").to_string(), "no");
        assert_eq!(while_leased(&cache, "sweep", "b", async { Ok(()) }).await.expect("memory"), Some(()));
    }
}
