//! A fleet in the store: what an advisory affects through the store's own functions, the rest in SQL.

use crate::things;
use muster_domain::*;
use muster_store::{MatchKey, Store};
use sqlx::{AnyConnection, Connection};

pub const ECOSYSTEM: &str = "Debian:12";
/// The package that the advisory is about.
pub const ADVISORY_NAME: &str = "openssl";
/// Whose all resources are.
pub const ACCOUNT: &str = "100000000001";
/// Of an inventory.
const PACKAGES: u64 = 400;
/// Of all packages: then each stands in three of ten inventories.
const NAMES: u64 = 1_333;
/// Versions of each package; the advisory's has one more, which is the affected one.
const VERSIONS: u64 = 30;
/// One inventory of so many has the affected version.
const AFFECTED_EVERY: u64 = 100;

/// How large.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub resources: u64,
    pub inventories: u64,
}

/// The fleet in the store.
pub struct Fleet;

impl Fleet {
    /// Fills an empty store: everything is matched at epoch 1.
    pub async fn put(store: &Store, url: &str, size: Size) -> Self {
        let first = muster_store::Epoch { number: 1, ..crate::epoch(1, &Self) };
        let first = muster_store::Epoch { delta: muster_store::StoredDelta::default(), ..first };
        store.mark_touched(&first).await.unwrap();
        let affected = (0..size.resources).filter(|n| (n % size.inventories).is_multiple_of(AFFECTED_EVERY));
        let affected: Vec<_> = affected.map(|n| things::instance(ACCOUNT, &resource_id(n))).collect();
        store
            .observe(&things::sweep(ACCOUNT, ResourceKind::Instance, &affected, 0), |_| things::message("x"))
            .await
            .unwrap();
        // of each affected inventory one resource, of which the others are copies
        for n in (0..size.inventories).step_by(AFFECTED_EVERY as usize) {
            let resource = things::instance(ACCOUNT, &resource_id(n));
            let inventory = inventory(n);
            things::scan(store, &resource, Some(&inventory)).await;
            let set = VerdictSet { inventory: Some(inventory.digest()), not_affected: n, ..VerdictSet::default() };
            let key = MatchKey { inventory: Some(inventory.digest()), epoch: 1, topology: None, gone: false };
            store.put_match(&resource.id, &key, &set.digest(), Some(&set), EXPOSURE, None).await.unwrap();
        }
        Rest::connect(url).await.put(size).await;
        Self
    }

    /// From (inclusive) and to (exclusive), as keys.
    pub fn affected_versions(&self) -> (Vec<u8>, Vec<u8>) {
        (key(&version(VERSIONS)), key(&version(VERSIONS + 1)))
    }
}

/// Of every resource.
pub const EXPOSURE: &[u8] = br#"{"reachabilities":[],"undetermined":[],"modelled":false}"#;

fn resource_id(n: u64) -> String {
    format!("i-{}", 10_000_000_000_000_000 + n)
}

fn version(n: u64) -> String {
    format!("1.{n}.0-1")
}

fn key(version: &str) -> Vec<u8> {
    let ecosystem: Ecosystem = ECOSYSTEM.parse().unwrap();
    ecosystem.scheme().key(version).unwrap().as_bytes().to_vec()
}

/// An affected inventory.
fn inventory(n: u64) -> Inventory {
    let others = (1..PACKAGES).map(|k| {
        things::package(ECOSYSTEM, &format!("package-{}", (n * 13 + k) % NAMES), &version((n + k) % VERSIONS))
    });
    let affected = things::package(ECOSYSTEM, ADVISORY_NAME, &version(VERSIONS));
    things::inventory(std::iter::once(affected).chain(others).collect())
}

/// What is only there, written in SQL.
struct Rest {
    connection: AnyConnection,
    is_postgres: bool,
}

impl Rest {
    async fn connect(url: &str) -> Self {
        let is_postgres = !url.starts_with("sqlite:");
        let url = if is_postgres { url.to_owned() } else { url.replacen("sqlite:", "sqlite://", 1) };
        Self { connection: AnyConnection::connect(&url).await.unwrap(), is_postgres }
    }

    async fn run(&mut self, sql: &str) {
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        statement.execute(&mut self.connection).await.unwrap_or_else(|cause| panic!("{sql}: {cause}"));
    }

    async fn put(mut self, size: Size) {
        // Foreign keys hold by how the rows are made. Indexes are made anew at the end, which is faster than row by row.
        if self.is_postgres {
            self.run("SET session_replication_role = replica").await;
        } else {
            self.run("PRAGMA foreign_keys = OFF").await;
            self.run("PRAGMA cache_size = -500000").await;
        }
        let indexes = self.indexes().await;
        for (name, _) in &indexes {
            self.run(&format!("DROP INDEX {name}")).await;
        }
        self.run("CREATE TABLE bench_inventory (n BIGINT PRIMARY KEY, digest TEXT, verdicts TEXT)").await;
        self.run(&format!("CREATE TABLE bench_version (n BIGINT PRIMARY KEY, key {})", self.bytes())).await;
        self.put_inventories(size).await;
        self.put_resources(size).await;
        self.run("DROP TABLE bench_inventory").await;
        self.run("DROP TABLE bench_version").await;
        for (_, sql) in &indexes {
            self.run(sql).await;
        }
        if self.is_postgres {
            self.run("VACUUM ANALYZE").await; // as the server does by itself after a while
        } else {
            self.run("PRAGMA wal_checkpoint(TRUNCATE)").await;
        }
        self.connection.close().await.unwrap();
    }

    async fn put_inventories(&mut self, size: Size) {
        for n in 0..=VERSIONS {
            let literal = hex::encode(key(&version(n)));
            let literal = if self.is_postgres { format!("'\\x{literal}'") } else { format!("X'{literal}'") };
            self.run(&format!("INSERT INTO bench_version VALUES ({n}, {literal})")).await;
        }
        let count = size.inventories;
        // digests of 64 digits
        self.run(&format!(
            "INSERT INTO bench_inventory {} SELECT n, 'sha256:' || '{zeros}' || CAST({base} + n AS TEXT),
                 'sha256:' || '{zeros}' || CAST({base} * 2 + n AS TEXT) FROM counter WHERE n % {AFFECTED_EVERY} <> 0",
            counter(count),
            zeros = "0".repeat(54),
            base = 1_000_000_000,
        ))
        .await;
        let of_one = |table: &str| format!("(SELECT body FROM {table} LIMIT 1)");
        for sql in [
            format!("INSERT INTO inventory SELECT digest, {PACKAGES}, {} FROM bench_inventory", of_one("inventory")),
            format!("INSERT INTO verdict_set SELECT verdicts, '[]', {} FROM bench_inventory", of_one("verdict_set")),
            "INSERT INTO verdict_cache SELECT digest, 1, verdicts FROM bench_inventory".to_owned(),
            format!(
                "INSERT INTO inventory_package {} SELECT i.digest, '{ECOSYSTEM}',
                     CASE WHEN k.n = 0 AND i.n % 10 < 3 THEN '{ADVISORY_NAME}'
                          ELSE 'package-' || CAST((i.n * 13 + k.n) % {NAMES} AS TEXT) END, v.key
                 FROM bench_inventory i CROSS JOIN counter k JOIN bench_version v ON v.n = (i.n + k.n) % {VERSIONS}",
                counter(PACKAGES)
            ),
        ] {
            self.run(&sql).await;
        }
        // the affected ones under their numbers: what the store made of them
        for n in (0..count).step_by(AFFECTED_EVERY as usize) {
            self.run(&format!(
                "INSERT INTO bench_inventory SELECT {n}, inventory, verdicts FROM resource_match WHERE resource = '{}'",
                resource_id(n)
            ))
            .await;
        }
    }

    async fn put_resources(&mut self, size: Size) {
        let Size { resources, inventories } = size;
        let id = "'i-' || CAST(10000000000000000 + c.n AS TEXT)";
        let affected = format!("c.n % {inventories} % {AFFECTED_EVERY} = 0");
        let template = resource_id(0);
        let counter = counter(resources);
        for sql in [
            format!(
                "INSERT INTO resource {counter} SELECT {id}, r.account, r.region, r.kind, r.fingerprint, r.body, r.observed_at,
                     r.gone_at FROM counter c CROSS JOIN resource r WHERE r.id = '{template}' AND NOT {affected}"
            ),
            format!(
                "INSERT INTO scan {counter} SELECT {id}, s.fingerprint, b.digest, s.reason, s.coverage FROM counter c
                 JOIN bench_inventory b ON b.n = c.n % {inventories} CROSS JOIN scan s
                 WHERE s.resource = '{template}' AND NOT {affected}"
            ),
            format!(
                "INSERT INTO scan {counter} SELECT {id}, s.fingerprint, s.inventory, s.reason, s.coverage FROM counter c
                 JOIN scan s ON s.resource = 'i-' || CAST(10000000000000000 + c.n % {inventories} AS TEXT)
                 WHERE {affected} AND c.n >= {inventories}"
            ),
            format!(
                "INSERT INTO resource_match {counter} SELECT {id}, b.digest, 1, NULL, 0, b.verdicts, m.exposure, m.exposure_body
                 FROM counter c JOIN bench_inventory b ON b.n = c.n % {inventories} CROSS JOIN resource_match m
                 WHERE m.resource = '{template}' AND NOT ({affected} AND c.n < {inventories})"
            ),
            "INSERT INTO scored SELECT resource, verdicts, exposure, gone FROM resource_match".to_owned(),
        ] {
            self.run(&sql).await;
        }
    }

    fn bytes(&self) -> &'static str {
        if self.is_postgres { "BYTEA" } else { "BLOB" }
    }

    /// Names and statements of all indexes that are not a constraint's.
    async fn indexes(&mut self) -> Vec<(String, String)> {
        let sql = if self.is_postgres {
            "SELECT CAST(indexname AS TEXT), indexdef FROM pg_indexes
             WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE '%_key'"
        } else {
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        };
        sqlx::query_as(sql).fetch_all(&mut self.connection).await.unwrap()
    }
}

/// `counter (n)` from 0.
fn counter(count: u64) -> String {
    format!(
        "WITH RECURSIVE counter (n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM counter WHERE n + 1 < {count})"
    )
}
