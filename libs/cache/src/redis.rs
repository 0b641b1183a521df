//! The cache that replicas share, on Redis 5 or later.

use crate::{Cache, CacheError, VALUE_BYTES_MAX, check_bucket};
use async_trait::async_trait;
use bytes::Bytes;
use redis::{
    AsyncCommands, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use std::time::Duration;

/// How long an answer may take. A cache slower than that is no help.
const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// Between two attempts to connect again.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(2);

/// A Redis server. Keys start with `muster:`, so that the database may be shared.
pub struct RedisCache {
    connection: ConnectionManager,
    lease: Script,
    release: Script,
    take: Script,
}

/// KEYS: the lease. ARGV: owner, milliseconds.
const LEASE: &str = r"
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
";

/// KEYS: the lease. ARGV: owner.
const RELEASE: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
";

/// KEYS: the bucket. ARGV: tokens per second, burst. Answers with microseconds to wait. Time is the
/// server's, so that replicas need no common clock.
const TAKE: &str = r"
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = burst
if bucket[1] then
    tokens = math.min(burst, tonumber(bucket[1]) + math.max(0, now - tonumber(bucket[2])) * rate)
end
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = math.ceil((1 - tokens) / rate * 1000000) end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) / rate * 1000) + 1000)
return wait
";

impl RedisCache {
    /// Connects to `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`. A connection that breaks later is
    /// taken up again without end; meanwhile calls fail.
    pub async fn connect(url: &str) -> Result<Self, CacheError> {
        let client = redis::Client::open(url).map_err(|error| {
            let kind = error.kind();
            CacheError::MalformedAddress(format!("{kind:?}"))
        })?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(ANSWER_WAIT))
            .set_connection_timeout(Some(ANSWER_WAIT))
            .set_max_delay(RECONNECT_PAUSE_MAX);
        let connection = client.get_connection_manager_with_config(config).await;
        let connection = connection.map_err(|cause| unavailable("connect", cause))?;
        let [lease, release, take] = [LEASE, RELEASE, TAKE].map(Script::new);
        Ok(Self { connection, lease, release, take })
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        let value: Result<Option<Vec<u8>>, _> = self.connection.clone().get(format!("muster:value:{key}")).await;
        Ok(value.map_err(|cause| unavailable("get a value", cause))?.map(Bytes::from))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), CacheError> {
        let (key, mut connection) = (format!("muster:value:{key}"), self.connection.clone());
        let done: Result<(), _> = if value.len() > VALUE_BYTES_MAX || ttl.is_zero() {
            connection.del(key).await
        } else {
            connection.pset_ex(key, value.as_ref(), milliseconds(ttl)).await
        };
        done.map_err(|cause| unavailable("put a value", cause))
    }

    async fn lease(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, CacheError> {
        let mut call = self.lease.key(format!("muster:lease:{name}"));
        call.arg(owner).arg(milliseconds(ttl));
        let taken: Result<bool, _> = call.invoke_async(&mut self.connection.clone()).await;
        taken.map_err(|cause| unavailable("take a lease", cause))
    }

    async fn release(&self, name: &str, owner: &str) -> Result<(), CacheError> {
        let mut call = self.release.key(format!("muster:lease:{name}"));
        let released: Result<(), _> = call.arg(owner).invoke_async(&mut self.connection.clone()).await;
        released.map_err(|cause| unavailable("release a lease", cause))
    }

    async fn take(&self, bucket: &str, rate_per_second: f64, burst: u32) -> Result<Duration, CacheError> {
        check_bucket(bucket, rate_per_second, burst)?;
        let mut call = self.take.key(format!("muster:bucket:{bucket}"));
        call.arg(rate_per_second).arg(burst);
        let wait_us: Result<u64, _> = call.invoke_async(&mut self.connection.clone()).await;
        wait_us.map(Duration::from_micros).map_err(|cause| unavailable("take a token", cause))
    }
}

/// Redis counts whole milliseconds above zero, and takes at most 63 bits.
fn milliseconds(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).clamp(1, u64::from(u32::MAX))
}

fn unavailable(operation: &'static str, cause: redis::RedisError) -> CacheError {
    CacheError::Unavailable { operation, cause: Box::new(cause) }
}

#[cfg(test)]
mod server;

#[cfg(test)]
mod tests {
    use super::{server::Server, *};
    use crate::conformance;
    use std::sync::Arc;

    async fn start() -> (Arc<dyn Cache>, Server) {
        let server = Server::start().await;
        let cache = RedisCache::connect(&server.url()).await.expect("connected");
        (Arc::new(cache), server)
    }

    conformance::promises!(start);

    #[tokio::test]
    async fn a_server_that_comes_back_is_used_again_and_has_forgotten() {
        let (cache, mut server) = start().await;
        let minute = Duration::from_secs(60);
        cache.put("a", "value".into(), minute).await.expect("put");
        server.kill();
        assert!(matches!(cache.get("a").await, Err(CacheError::Unavailable { .. })));
        server.restart().await;
        let begun = std::time::Instant::now();
        while cache.put("b", "value".into(), minute).await.is_err() {
            assert!(begun.elapsed() < minute, "never connected again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(cache.get("a").await.expect("get"), None);
        assert!(cache.lease("sweep", "me", minute).await.expect("scripts are loaded again"));
    }

    #[tokio::test]
    async fn a_wrong_address_is_refused_without_its_password() {
        let error = RedisCache::connect("http://user:secret@host").await.err().expect("refused").to_string();
        assert!(error.contains("redis://") && !error.contains("secret"), "{error}");
    }
}
