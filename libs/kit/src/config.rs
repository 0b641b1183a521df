//! Where the three engines are. Without a word: embedded ones, and a data folder in the user's home.

use crate::start_policy;
use anyhow::Context;
use backon::Retryable;
use muster_bus::{Bus, BusError, DeliveryPolicy, LocalBus, NatsBus};
use muster_cache::{Cache, CacheError, MemoryCache, RedisCache};
use muster_store::{Store, StoreError};
use secrecy::{ExposeSecret, SecretString};
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

/// Memory for cached values when no Redis is used: the layer facts of a few hundred images.
const MEMORY_CACHE_BYTES: u64 = 256 << 20;

/// Which engines to use. An address may hold a password: prefer the environment, which other users of the
/// machine do not see, to the command line, which they do.
#[derive(Clone, Debug, clap::Args)]
pub struct BackendOptions {
    /// Where messages travel: `local` (in this process) or `nats://[USER:PASSWORD@]HOST[:PORT][,…][?replicas=3]`
    #[arg(long, env = "MUSTER_BUS", hide_env_values = true, default_value = "local", global = true)]
    pub bus: BusAddress,

    /// Seconds before a message that failed is delivered again; without it 1, then 10, 60 and 300
    #[arg(long, env = "MUSTER_REDELIVERY_SECONDS", global = true)]
    pub redelivery_seconds: Option<u64>,

    /// Where the state lies: `sqlite:PATH` or `postgres://…`; without it `muster.db` in the data folder
    #[arg(long, env = "MUSTER_STORE", hide_env_values = true, global = true)]
    pub store: Option<StoreAddress>,

    /// Where to keep what may be forgotten: `memory` (of this process), `redis://[USER:PASSWORD@]HOST[:PORT]` or, with TLS, `rediss://…`
    #[arg(long, env = "MUSTER_CACHE", hide_env_values = true, default_value = "memory", global = true)]
    pub cache: CacheAddress,

    /// Folder for the database and downloaded files; without it `muster` in $XDG_DATA_HOME or ~/.local/share
    #[arg(long, env = "MUSTER_DATA_FOLDER", global = true)]
    pub data_folder: Option<PathBuf>,
}

/// The engines, connected.
#[derive(Clone)]
pub struct Backends {
    /// Where messages travel.
    pub bus: Arc<dyn Bus>,
    /// Where the state lies.
    pub store: Store,
    /// Where to keep what may be forgotten.
    pub cache: Arc<dyn Cache>,
    /// For files; it exists.
    pub data_folder: PathBuf,
    /// The name of this process among its replicas: the owner of its leases.
    pub instance: String,
}

impl BackendOptions {
    /// Makes the data folder and connects. An engine that is not up yet gets a minute.
    pub async fn connect(&self) -> anyhow::Result<Backends> {
        let data_folder = self.data_folder();
        create_private_folder(&data_folder)
            .with_context(|| format!("create the data folder {}", data_folder.display()))?;
        let store = match &self.store {
            Some(StoreAddress(address)) => address.clone(),
            None => Address::new(format!("sqlite:{}", data_folder.join("muster.db").display())),
        };
        tracing::info!(bus = %self.bus, %store, cache = %self.cache, folder = %data_folder.display(), "backends");
        let bus =
            within_start(format!("connect the bus {}", self.bus), self.bus.connect(self.delivery_policy())).await?;
        let cache = within_start(format!("connect the cache {}", self.cache), self.cache.connect()).await?;
        let store = within_start(format!("open the store {store}"), connect_store(&store)).await?;
        let instance = uuid::Uuid::now_v7().to_string();
        Ok(Backends { bus, store, cache, data_folder, instance })
    }

    fn delivery_policy(&self) -> DeliveryPolicy {
        match self.redelivery_seconds {
            Some(seconds) => {
                DeliveryPolicy { backoff: vec![Duration::from_secs(seconds)], ..DeliveryPolicy::default() }
            }
            None => DeliveryPolicy::default(),
        }
    }

    /// The folder given, or the user's.
    pub fn data_folder(&self) -> PathBuf {
        self.data_folder.clone().unwrap_or_else(default_data_folder)
    }
}

/// `muster` in $XDG_DATA_HOME or ~/.local/share; without a home `muster-data` where the process runs.
pub fn default_data_folder() -> PathBuf {
    let from = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let user = from("XDG_DATA_HOME").or_else(|| Some(from("HOME")?.join(".local/share")));
    user.map_or_else(|| "muster-data".into(), |folder| folder.join("muster"))
}

/// Findings are nobody else's business: the folder is the owner's alone.
fn create_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// How long an engine that is not up yet is waited for; a single try may take half of it.
const START_WAIT: Duration = Duration::from_secs(60);

/// How often it is said that an engine is waited for.
const TELL_WAITING_EVERY: Duration = Duration::from_secs(3);

/// An engine's client may try without end: whoever runs the process hears of it, and decides what to do instead.
async fn within_start<T, E>(step: String, connect: impl Future<Output = Result<T, E>>) -> anyhow::Result<T>
where
    Result<T, E>: Context<T, E>,
{
    let waiting = async {
        loop {
            tokio::time::sleep(TELL_WAITING_EVERY).await;
            tracing::warn!(step, "an engine is not up yet");
        }
    };
    tokio::select! {
        connected = tokio::time::timeout(START_WAIT, connect) => {
            let connected = connected.with_context(|| format!("{step}: no answer within {START_WAIT:?}"))?;
            connected.context(step.clone())
        }
        never = waiting => never,
    }
}

async fn connect_store(address: &Address) -> Result<Store, StoreError> {
    let open = || Store::open(address.expose());
    open.retry(start_policy()).when(|error| matches!(error, StoreError::Unavailable { .. })).await
}

/// An address that may hold a password: printed, it shows none.
#[derive(Clone)]
pub struct Address(SecretString);

impl Address {
    /// Takes any text.
    pub fn new(address: impl Into<String>) -> Self {
        Self(address.into().into())
    }

    /// The whole of it, for the client that connects.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redact(self.expose()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Where messages travel.
#[derive(Clone, Debug)]
pub enum BusAddress {
    /// In this process.
    Local,
    /// On NATS.
    Nats(Address),
}

impl BusAddress {
    async fn connect(&self, policy: DeliveryPolicy) -> Result<Arc<dyn Bus>, BusError> {
        let Self::Nats(address) = self else { return Ok(Arc::new(LocalBus::new(policy))) };
        let connect = || NatsBus::connect(address.expose(), policy.clone());
        let bus = connect.retry(start_policy()).when(|error| !error.is_permanent()).await?;
        Ok(Arc::new(bus))
    }
}

impl FromStr for BusAddress {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        match raw.split_once("://") {
            None if raw == "local" => Ok(Self::Local),
            Some(("nats" | "tls", _)) => Ok(Self::Nats(Address::new(raw))),
            _ => Err("neither `local` nor nats://… nor tls://…".to_owned()),
        }
    }
}

impl fmt::Display for BusAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => formatter.write_str("local"),
            Self::Nats(address) => address.fmt(formatter),
        }
    }
}

/// Where the state lies: `sqlite:PATH` or `postgres://…`.
#[derive(Clone, Debug)]
pub struct StoreAddress(pub Address);

impl FromStr for StoreAddress {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        match raw.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self(Address::new(raw))),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self(Address::new(raw))),
            _ => Err("neither sqlite:PATH nor postgres://…".to_owned()),
        }
    }
}

/// Where to keep what may be forgotten.
#[derive(Clone, Debug)]
pub enum CacheAddress {
    /// In this process.
    Memory,
    /// On Redis.
    Redis(Address),
}

impl CacheAddress {
    async fn connect(&self) -> Result<Arc<dyn Cache>, CacheError> {
        let Self::Redis(address) = self else {
            return Ok(Arc::new(MemoryCache::new(MEMORY_CACHE_BYTES)));
        };
        let connect = || RedisCache::connect(address.expose());
        let passing = |error: &CacheError| matches!(error, CacheError::Unavailable { .. });
        Ok(Arc::new(connect.retry(start_policy()).when(passing).await?))
    }
}

impl FromStr for CacheAddress {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        match raw.split_once("://") {
            None if raw == "memory" => Ok(Self::Memory),
            Some(("redis" | "rediss", _)) => Ok(Self::Redis(Address::new(raw))),
            _ => Err("neither `memory` nor redis://… nor rediss://…".to_owned()),
        }
    }
}

impl fmt::Display for CacheAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => formatter.write_str("memory"),
            Self::Redis(address) => address.fmt(formatter),
        }
    }
}

/// The address without what is secret in it: passwords before `@`, and options that are named like secrets.
pub fn redact(address: &str) -> String {
    let (places, options) = match address.split_once('?') {
        Some((places, options)) => (places, Some(options)),
        None => (address, None),
    };
    let places: Vec<String> = places.split(',').map(redact_user).collect();
    let mut redacted = places.join(",");
    if let Some(options) = options {
        let options: Vec<String> = options.split('&').map(redact_option).collect();
        redacted = format!("{redacted}?{}", options.join("&"));
    }
    redacted
}

/// `scheme://user:password@host` or `scheme://token@host`. The last `@` counts: a password may hold others.
fn redact_user(place: &str) -> String {
    let (scheme, rest) = match place.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), place),
    };
    match rest.rsplit_once('@') {
        None => place.to_owned(),
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{scheme}{user}:***@{host}"),
            None => format!("{scheme}***@{host}"),
        },
    }
}

fn redact_option(option: &str) -> String {
    const SECRET_NAMES: [&str; 4] = ["pass", "secret", "token", "key"];
    match option.split_once('=') {
        Some((name, _)) if SECRET_NAMES.iter().any(|secret| name.to_lowercase().contains(secret)) => {
            format!("{name}=***")
        }
        _ => option.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        for (address, shown) in [
            ("sqlite:/var/lib/muster/muster.db", "sqlite:/var/lib/muster/muster.db"),
            ("postgres://muster:hunter2@db:5432/muster", "postgres://muster:***@db:5432/muster"),
            ("postgres://muster:p@ss:w@db/muster", "postgres://muster:***@db/muster"),
            (
                "postgres://db/muster?user=m&password=x&sslmode=require",
                "postgres://db/muster?user=m&password=***&sslmode=require",
            ),
            ("nats://a:b@n1:4222,nats://token@n2", "nats://a:***@n1:4222,nats://***@n2"),
            ("redis://:secret@cache", "redis://:***@cache"),
            ("local", "local"),
        ] {
            assert_eq!(redact(address), shown);
            assert_eq!(format!("{:?}", Address::new(address)), shown);
        }
    }

    #[derive(clap::Parser)]
    struct Main {
        #[command(flatten)]
        backends: BackendOptions,
    }

    fn parse(arguments: &[&str]) -> Result<BackendOptions, String> {
        let arguments = ["muster"].iter().chain(arguments);
        Main::try_parse_from(arguments).map(|main| main.backends).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_word_everything_is_embedded() {
        let options = parse(&["--data-folder", "/data"]).expect("defaults are valid");
        assert_eq!((options.bus.to_string(), options.cache.to_string()), ("local".into(), "memory".into()));
        assert!(options.store.is_none());
        assert_eq!(options.data_folder(), Path::new("/data"));
    }

    #[test]
    fn an_address_of_no_known_engine_is_refused_before_anything_is_opened() {
        for arguments in [["--bus", "amqp://x"], ["--store", "mysql://x"], ["--store", "sqlite:"], ["--cache", "disk"]]
        {
            let error = parse(&arguments).expect_err(arguments[1]);
            assert!(error.contains("neither"), "{error}");
        }
    }

    #[tokio::test]
    async fn embedded_backends_connect_in_an_empty_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("a/b");
        let options = parse(&["--data-folder", data.to_str().expect("UTF-8")]).expect("valid");
        let backends = options.connect().await.expect("embedded engines");
        assert_eq!(backends.data_folder, data);
        assert!(data.join("muster.db").exists());
        assert_eq!(backends.cache.get("nothing").await.expect("memory"), None);
    }
}
