//! Scans: which software each resource has, and how reading it went.

use crate::{
    INVENTORY, OutboxMessage, Store, StoreError, StoredResource, body,
    engine::{Value, placeholders, values},
    limit,
    marks::MARK_LOCK,
    resources::{IDS_MAX, columns, stored},
};
use muster_domain::{Coverage, Digest, Ecosystem, Inventory, Package, ResourceId, ScanStatusReason};
use std::collections::{BTreeMap, BTreeSet};

/// How the last attempt to read a resource ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// Of the resource when it was read.
    pub fingerprint: Digest,
    /// How it went, and the inventory in force.
    pub coverage: Coverage,
}

impl Store {
    /// Notes a scan. The inventory in force is `coverage.inventory`: its body comes along as `inventory`, or is in the
    /// store already (an earlier inventory that stays in force).
    pub async fn put_scan(
        &self,
        resource: &ResourceId,
        fingerprint: &Digest,
        coverage: &Coverage,
        inventory: Option<&Inventory>,
        message: Option<OutboxMessage>,
    ) -> Result<(), StoreError> {
        const QUERY: &str = "note a scan";
        let mut write = self.engine.write(QUERY).await?;
        if let Some(inventory) = inventory {
            let digest = inventory.digest();
            if coverage.inventory.as_ref() != Some(&digest) {
                let why = format!("the coverage of {resource} does not name the inventory {digest} that came with it");
                return Err(StoreError::Invalid { query: QUERY, why });
            }
            let packages = body::signed(inventory.packages.len() as u64);
            let new = write
                .run(
                    "INSERT INTO inventory (digest, packages, body) VALUES ($1, $2, $3)
                     ON CONFLICT (digest) DO NOTHING",
                    values![&digest, packages, body::pack_json(inventory)],
                )
                .await?;
            if new > 0 {
                let names: BTreeSet<_> = inventory.packages.iter().flat_map(looked_up).collect();
                let rows = names.into_iter().map(|(ecosystem, name, key)| values![&digest, ecosystem, name, key]);
                let head = "INSERT INTO inventory_package (inventory, ecosystem, name, version_key)";
                write.insert(head, rows.collect(), "").await?;
            }
        }
        write
            .run(
                "INSERT INTO scan (resource, fingerprint, inventory, reason, coverage) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (resource) DO UPDATE SET fingerprint = excluded.fingerprint,
                 inventory = excluded.inventory, reason = excluded.reason, coverage = excluded.coverage",
                values![
                    resource,
                    fingerprint,
                    &coverage.inventory,
                    reason(coverage.reason),
                    body::pack_json(coverage),
                ],
            )
            .await?;
        write.tell(INVENTORY, message).await?;
        write.commit().await
    }

    /// The last scan of a resource.
    pub async fn scan(&self, resource: &ResourceId) -> Result<Option<Scan>, StoreError> {
        Ok(self.scans_of(std::slice::from_ref(resource)).await?.remove(resource))
    }

    /// The last scans of these resources; those that were never scanned are left out.
    pub async fn scans_of(&self, resources: &[ResourceId]) -> Result<BTreeMap<ResourceId, Scan>, StoreError> {
        let mut scans = BTreeMap::new();
        for chunk in resources.chunks(IDS_MAX) {
            let sql = format!(
                "SELECT resource, fingerprint, coverage FROM scan WHERE resource IN {}",
                placeholders(1, chunk.len(), 0)
            );
            let ids = chunk.iter().map(Value::from).collect();
            let rows: Vec<(String, String, Vec<u8>)> = self.engine.rows_made("read scans", sql, ids).await?;
            for (resource, fingerprint, coverage) in rows {
                let scan = Scan {
                    fingerprint: body::digest(fingerprint)?,
                    coverage: body::unpack_json(&coverage, || format!("coverage of {resource}"))?,
                };
                scans.insert(ResourceId::new(resource), scan);
            }
        }
        Ok(scans)
    }

    /// How many present resources were last scanned with which result; `PENDING_INITIAL_SCAN` for those that never were.
    pub async fn scan_counts(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let sql = "SELECT COALESCE(s.reason, 'PENDING_INITIAL_SCAN'), COUNT(*)
            FROM resource r LEFT JOIN scan s ON s.resource = r.id WHERE r.gone_at IS NULL GROUP BY 1";
        let rows: Vec<(String, i64)> = self.engine.rows("count scans", sql, Vec::new()).await?;
        rows.into_iter().map(|(reason, count)| Ok((reason, body::unsigned(count)?))).collect()
    }

    /// An inventory by its digest.
    pub async fn inventory(&self, digest: &Digest) -> Result<Option<Inventory>, StoreError> {
        let sql = "SELECT body FROM inventory WHERE digest = $1";
        let row: Option<(Vec<u8>,)> = self.engine.row("read an inventory", sql, values![digest]).await?;
        row.map(|(packed,)| body::unpack_json(&packed, || format!("inventory {digest}"))).transpose()
    }

    /// Present resources that were never scanned as they are now.
    pub async fn unscanned(&self, rows: u32) -> Result<Vec<StoredResource>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM resource r LEFT JOIN scan s ON s.resource = r.id
             WHERE r.gone_at IS NULL AND (s.resource IS NULL OR s.fingerprint <> r.fingerprint)
             ORDER BY r.id LIMIT $1"
        );
        self.engine.rows("list unscanned resources", SQL, values![limit(rows)]).await?.into_iter().map(stored).collect()
    }

    /// Forgets scans of resources that the store no longer has, and inventories that no scan holds in force.
    pub async fn purge_inventories(&self) -> Result<u64, StoreError> {
        let mut write = self.engine.write("forget unused inventories").await?;
        write.lock(MARK_LOCK).await?;
        write
            .run("DELETE FROM scan WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE r.id = scan.resource)", Vec::new())
            .await?;
        let forgotten = write
            .run(
                "DELETE FROM inventory WHERE NOT EXISTS (SELECT 1 FROM scan s WHERE s.inventory = inventory.digest)",
                Vec::new(),
            )
            .await?;
        write.commit().await?;
        Ok(forgotten)
    }
}

/// The ecosystems, names and versions under which advisories may speak of a package.
fn looked_up(package: &Package) -> impl Iterator<Item = (String, String, Option<Vec<u8>>)> {
    let scheme = package.ecosystem.as_ref().map(Ecosystem::scheme);
    let key = move |version: &str| scheme?.key(version).ok().map(|key| key.as_bytes().to_vec());
    package.look_ups().into_iter().map(move |one| (one.ecosystem, one.name, key(one.version)))
}

fn reason(reason: ScanStatusReason) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(word)) => word,
        _ => unreachable!("a unit variant is a word"),
    }
}
