//! A new advisory against a full store, by the services themselves: matching and scoring run as `muster up` runs them, on the
//! embedded bus; how long from the epoch's transaction until the findings of all affected resources are open.
//! `cargo bench -p muster-scoring-service --bench rematch --profile dev`, on SQLite and, when it is installed, on PostgreSQL.
//!
//! The fleet is that of the store's own bench of this name, and so are the settings: `MUSTER_BENCH_RESOURCES`
//! (1,000,000), `MUSTER_BENCH_INVENTORIES` (10,000), `MUSTER_BENCH_RUNS` (3) and `MUSTER_BENCH_ENGINES` (`sqlite,postgres`).
//! Each run publishes one epoch with one more advisory; databases are built and compared as the advisories service does it.

#[allow(dead_code, reason = "the store's bench needs more of it")]
#[path = "../../../libs/store/benches/rematch/fleet.rs"]
mod fleet;
#[allow(dead_code, reason = "the store's tests need more of it")]
#[path = "../../../libs/store/tests/server/mod.rs"]
mod server;
#[allow(dead_code, reason = "the store's tests need more of it")]
#[path = "../../../libs/store/tests/conformance/things.rs"]
mod things;

use fleet::{Fleet, Size};
use muster_advisories::{Builder, Database, feeds::osv};
use muster_bus::{DeliveryPolicy, LocalBus};
use muster_kit::{Backends, Stop};
use muster_matching_service::Matching;
use muster_scoring_service::Scoring;
use muster_store::{Epoch, Store, StoredDelta};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// The server's defaults, of which durability is one; but room for what is looked at, as any operator gives it.
const POSTGRES: &str = "-c shared_buffers=1GB -c max_wal_size=8GB";
/// Of the cache in memory; nothing here fills it.
const CACHE_BYTES: u64 = 64 << 20;
/// Findings are counted so often, not more: counting takes processor time, too.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A run that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(600);

fn main() {
    let number = |name: &str, default: u64| match std::env::var(name) {
        Ok(value) => value.parse().unwrap_or_else(|_| panic!("{name} is `{value}`, not a number")),
        Err(_) => default,
    };
    let size = Size {
        resources: number("MUSTER_BENCH_RESOURCES", 1_000_000),
        inventories: number("MUSTER_BENCH_INVENTORIES", 10_000),
    };
    let runs = number("MUSTER_BENCH_RUNS", 3);
    let engines = std::env::var("MUSTER_BENCH_ENGINES").unwrap_or_else(|_| "sqlite,postgres".to_owned());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for engine in engines.split(',') {
        match engine {
            "sqlite" => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", folder.path().join("store.db").display());
                runtime.block_on(measure(engine, &url, size, runs));
            }
            "postgres" if server::tools().is_some() => {
                let server = server::Server::start(POSTGRES);
                runtime.block_on(measure(engine, &server.url, size, runs));
            }
            "postgres" => println!("postgres: not installed, not measured"),
            _ => panic!("no engine is called `{engine}`"),
        }
    }
}

async fn measure(engine: &str, url: &str, size: Size, runs: u64) {
    let begun = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(url).await.unwrap();
    publish(&store, folder.path(), 1).await;
    Fleet::put(&store, url, size).await;
    println!("{engine}: {size:?} in the store after {:.0?}", begun.elapsed());
    let stop = Stop::new();
    let running = start(&store, folder.path(), &stop).await;
    let affected = affected(size);
    let mut figures = Vec::new();
    for run in 1..=runs {
        let begun = Instant::now();
        publish(&store, folder.path(), run + 1).await;
        let published = begun.elapsed();
        while open(&store).await < affected * run {
            assert!(begun.elapsed() < PATIENCE, "{engine}: {} of {} findings open", open(&store).await, affected * run);
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let all = begun.elapsed();
        println!(
            "{engine}: epoch published after {published:.2?}, findings of {affected} resources open after {all:.2?}"
        );
        figures.push(all);
    }
    figures.sort();
    println!("{engine}: median of {runs}: {:.2?}", figures.get(figures.len() / 2).copied().unwrap_or_default());
    stop.cancel();
    running.await.unwrap();
    store.close().await;
}

/// Both services, ready, and the relay of the advisories' outbox. What they have to look at after a start is done.
async fn start(store: &Store, folder: &Path, stop: &Stop) -> tokio::task::JoinHandle<()> {
    let bus: Arc<LocalBus> = Arc::new(LocalBus::new(DeliveryPolicy::default()));
    let backends = Backends {
        bus: bus.clone(),
        store: store.clone(),
        cache: Arc::new(muster_cache::MemoryCache::new(CACHE_BYTES)),
        data_folder: PathBuf::from(folder),
        instance: "bench".to_owned(),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let matching = muster_matching_service::Config { matching_concurrency: cores };
    let matching = Matching::start(backends.clone(), matching).await.unwrap();
    let scoring = muster_scoring_service::Config { scoring_concurrency: 2 };
    let scoring = Scoring::start(backends, scoring).await.unwrap();
    let relay = muster_kit::relay_outbox(muster_store::ADVISORIES, store.clone(), bus, stop.clone());
    let (one, other) = (tokio::spawn(matching.run(stop.clone())), tokio::spawn(scoring.run(stop.clone())));
    let relay = tokio::spawn(relay);
    assert!(store.unmatched(1).await.unwrap().is_empty() && store.unscored(1).await.unwrap().is_empty());
    tokio::spawn(async move {
        one.await.unwrap().unwrap();
        other.await.unwrap().unwrap();
        relay.await.unwrap();
    })
}

/// Resources whose inventory has the affected version.
fn affected(size: Size) -> u64 {
    let inventories = size.inventories.div_ceil(100);
    inventories * size.resources / size.inventories
}

async fn open(store: &Store) -> u64 {
    store.severity_counts().await.unwrap().values().sum()
}

/// An advisory about something that nobody has, and from the second epoch on one more each about what the affected have.
async fn publish(store: &Store, folder: &Path, number: u64) {
    let path = |number: u64| folder.join(format!("{number}.built"));
    let mut builder = Builder::new(number, jiff::Timestamp::now());
    builder.add(advisory(0, "nobody-has-it"));
    (2..=number).for_each(|each| builder.add(advisory(each, fleet::ADVISORY_NAME)));
    builder.write(path(number)).unwrap();
    let new = Database::open(path(number)).unwrap();
    let delta = match number {
        1 => StoredDelta::default(),
        _ => {
            let delta = muster_advisories::delta(&Database::open(path(number - 1)).unwrap(), &new);
            assert!(!delta.everything && delta.touched.len() == 1);
            StoredDelta { touched: delta.touched, everything: false }
        }
    };
    let info = new.info();
    let epoch = Epoch {
        number,
        digest: info.digest.clone(),
        built_at: info.built_at,
        advisories: info.advisories,
        bytes: std::fs::metadata(path(number)).unwrap().len(),
        delta,
        changes: None,
    };
    let subject =
        muster_bus::Subject::new(muster_bus::Fact::AdvisoriesChanged, "_", "_", "_", muster_bus::Lane::Scheduled);
    let fact = muster_wire::v1::AdvisoriesChanged { epoch: number, digest: info.digest.to_string() };
    let message = muster_kit::outbox_message(&subject, "advisories", &fact);
    store.put_epoch(&epoch, &path(number), message).await.unwrap();
}

/// About the version that only the affected inventories have (`fleet.rs`).
fn advisory(number: u64, package: &str) -> muster_domain::Advisory {
    let record = serde_json::json!({
        "schema_version": "1.7.0",
        "id": format!("DEBIAN-CVE-2026-{:04}", 1_000 + number),
        "upstream": [format!("CVE-2026-{:04}", 1_000 + number)],
        "modified": "2026-11-24T00:00:00Z",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [{
            "package": {"ecosystem": fleet::ECOSYSTEM, "name": package},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.30.0-1"}, {"fixed": "1.31.0-1"}]}],
        }],
    });
    osv::read(record.to_string().as_bytes()).unwrap()
}

/// What the fleet's own matches are by.
fn epoch(number: u64, _: &Fleet) -> Epoch {
    Epoch {
        number,
        digest: things::digest("never read"),
        built_at: things::at(0),
        advisories: 1,
        bytes: 0,
        delta: StoredDelta::default(),
        changes: None,
    }
}
