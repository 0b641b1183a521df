//! A new advisory against a full store: how long until the affected resources are found, and until their findings are
//! open. `cargo bench -p muster-store --bench rematch --profile dev`, on SQLite and, when it is installed, on PostgreSQL.
//!
//! `MUSTER_BENCH_RESOURCES` (1,000,000), `MUSTER_BENCH_INVENTORIES` (10,000), `MUSTER_BENCH_RUNS` (3) and
//! `MUSTER_BENCH_ENGINES` (`sqlite,postgres`) say otherwise. An inventory has 400 packages, each name stands in three of
//! ten inventories, and so does the advisory's; one inventory of a hundred has a version in its range. Of what is
//! measured, everything is written through the store; the rest of the fleet, which is only there, is written beside it
//! in SQL into the same tables (`fleet.rs`).

mod fleet;
mod pipeline;
#[allow(dead_code, reason = "the conformance suite needs more of it")]
#[path = "../../tests/server/mod.rs"]
mod server;
#[allow(dead_code, reason = "the conformance suite needs more of it")]
#[path = "../../tests/conformance/things.rs"]
mod things;

use fleet::{Fleet, Size};
use muster_domain::Touched;
use muster_store::{Epoch, Store, StoredDelta};
use std::time::{Duration, Instant};

/// The server's defaults, of which durability is one; but room for what is looked at, as any operator gives it.
const POSTGRES: &str = "-c shared_buffers=1GB -c max_wal_size=8GB";

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
    let store = Store::open(url).await.unwrap();
    let fleet = Fleet::put(&store, url, size).await;
    println!("{engine}: {size:?} in the store after {:.0?}", begun.elapsed());
    let processor_before = processor_time();
    let mut figures: Vec<[Duration; 5]> = Vec::new();
    for run in 0..runs {
        let epoch = epoch(2 + run, &fleet);
        let begun = Instant::now();
        let marked = store.mark_touched(&epoch).await.unwrap();
        let mark = begun.elapsed();
        let behind = store.behind(muster_store::ROWS_MAX).await.unwrap();
        let found = begun.elapsed();
        let (marked, behind_count) = (marked, behind.len());
        let [one_by_one, matched, scored] = pipeline::open_findings(&store, epoch.number, behind).await;
        println!(
            "{engine}: {marked} inventories marked in {mark:.1?}, {behind_count} resources found after {found:.1?}; \
             matched {matched:.2?}, scored {scored:.2?}, findings open after {one_by_one:.2?}"
        );
        figures.push([mark, found, matched, scored, one_by_one]);
    }
    let median = |column: usize| {
        let mut all: Vec<_> = figures.iter().map(|figures| figures[column]).collect();
        all.sort();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    println!("{engine}: median of {runs}: found {:.1?}, findings open {:.2?}", median(1), median(4));
    if let (Some(before), Some(after)) = (processor_before, processor_time()) {
        let of_a_run = (after - before) / u32::try_from(runs).unwrap_or(u32::MAX).max(1);
        println!("{engine}: processor time of this process: {of_a_run:.2?} a run");
    }
    store.close().await;
}

/// One advisory, about the versions that one inventory of a hundred has.
fn epoch(number: u64, fleet: &Fleet) -> Epoch {
    let (from, to) = fleet.affected_versions();
    let touched = Touched { ecosystem: fleet::ECOSYSTEM.to_owned(), name: fleet::ADVISORY_NAME.to_owned(), from, to };
    Epoch {
        number,
        digest: things::digest("never read"),
        built_at: things::at(0),
        advisories: 1,
        bytes: 0,
        delta: StoredDelta { touched: vec![touched], everything: false },
        changes: None,
    }
}

/// What this process has used so far, in user and kernel mode; `None` where there is no `/proc` (proc(5), fields 14 and 15
/// of `stat`, in ticks of 10 ms).
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().ok());
    Some(Duration::from_millis(10 * ticks.sum::<Option<u64>>()?))
}
