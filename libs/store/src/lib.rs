//! The store: the state of all services and the messages that tell of it, over SQLite or PostgreSQL.
//!
//! [`Store::open`] takes `sqlite:PATH` or `postgres://…`. Every query is written once, in the SQL that both engines
//! speak; what differs stands in `sqlite.rs` and `postgres.rs`. Each table has one writing service (`schema.rs` says
//! which) and one file here:
//!
//! | file | writer | holds |
//! |---|---|---|
//! | `resources.rs`, `topologies.rs` | discovery | resources, topologies, how the sweeps ended |
//! | `scans.rs` | inventory | coverage and inventories |
//! | `epochs.rs` | advisories | advisory databases and what changed between them |
//! | `matches.rs`, `linked_topologies.rs` | matching | verdicts and exposure; which topologies are judged together |
//! | `findings.rs`, `finding_query.rs`, `finding_filter.rs` | scoring | findings, and how the gateway asks for them |
//! | `publications.rs` | publishing | what each sink has been told |
//! | `outbox.rs` | each its own rows | messages still to be sent |
//!
//! Every write may come twice and leaves the same state. A change and the messages that tell of it are one
//! transaction, so that a crash loses neither. Times are kept in microseconds.

mod body;
mod counts;
mod engine;
mod epochs;
mod error;
mod finding_filter;
mod finding_query;
mod finding_row;
mod findings;
mod linked_topologies;
mod marks;
mod matches;
mod outbox;
mod postgres;
mod publications;
mod resources;
mod scans;
mod schema;
mod sqlite;
mod topologies;

pub use counts::Counts;
pub use epochs::{Epoch, RecordChanges, StoredDelta};
pub use error::StoreError;
pub use finding_filter::{
    DateRange, FindingFilter, NumberRange, PackageFilter, PortRange, StringComparison, StringFilter, TagFilter,
};
pub use finding_query::{FindingPage, FindingQuery, Sort, SortField};
pub use findings::{ScoredKey, ScoredResource};
pub use matches::{MatchKey, Matched, NewMatch};
pub use outbox::{ADVISORIES, DISCOVERY, INVENTORY, MATCHING, OutboxMessage, SCORING};
pub use resources::{Change, Observed, ResourcePage, StoredResource, Sweep};
pub use scans::Scan;
pub use topologies::TopologyEntry;

use engine::Engine;
use std::collections::BTreeMap;

/// The most rows that one list returns, whatever limit the caller names: a bound on memory.
pub const ROWS_MAX: u32 = 10_000;

/// The most resources that are written at once ([`Store::put_matches`], [`Store::apply_many`]): more would save little
/// and keep a transaction open for long. PostgreSQL has room for 6,400 locks by default; a batch takes one per resource.
pub const BATCH_MAX: usize = 256;

/// The state of all services. Cheap to clone; clones share one pool of connections.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
}

impl Store {
    /// Opens `sqlite:PATH` (the file is made when missing) or `postgres://…`, and brings the schema up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let engine = match url.split_once(':') {
            Some(("sqlite", path)) => sqlite::open(path).await?,
            Some(("postgres" | "postgresql", _)) => postgres::open(url).await?,
            _ => {
                let scheme = url.split(':').next().unwrap_or_default();
                return Err(StoreError::Url { why: format!("`{scheme}` is neither `sqlite` nor `postgres`") });
            }
        };
        schema::migrate(&engine).await?;
        Ok(Self { engine })
    }

    /// Closes all connections, after the work in hand.
    pub async fn close(&self) {
        self.engine.pool.close().await;
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("engine", &self.engine.dialect.name).finish()
    }
}

/// As the engines take it: bounded by [`ROWS_MAX`].
fn limit(rows: u32) -> i64 {
    i64::from(rows.min(ROWS_MAX))
}

/// A batch by what each of it is about, in that order.
fn batch<T, K: Ord + std::fmt::Display>(
    query: &'static str,
    all: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<BTreeMap<K, T>, StoreError> {
    if all.len() > BATCH_MAX {
        return Err(StoreError::Invalid { query, why: format!("{} at once, and {BATCH_MAX} are the most", all.len()) });
    }
    let mut sorted = BTreeMap::new();
    for one in all {
        let key = key(&one);
        if sorted.contains_key(&key) {
            return Err(StoreError::Invalid { query, why: format!("{key} is in the batch twice") });
        }
        sorted.insert(key, one);
    }
    Ok(sorted)
}
