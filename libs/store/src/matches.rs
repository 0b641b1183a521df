//! Matches: what each resource's software and network have been judged to be, and from which inputs.

use crate::{
    MATCHING, OutboxMessage, ScoredKey, Store, StoreError, body,
    engine::{Value, Write, placeholders, values},
    limit,
    resources::IDS_MAX,
};
use muster_domain::{Digest, Gap, ResourceId, VerdictSet};
use std::collections::BTreeMap;

/// Held by whoever moves matches on to a new epoch, and by whoever forgets the packages that this looks at.
pub(crate) const ADVANCE_LOCK: &str = "muster advance";

/// The inputs of a match: while they are the same, so is the match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchKey {
    /// The inventory judged; `None`: the resource has none.
    pub inventory: Option<Digest>,
    /// The advisory database that judged.
    pub epoch: u64,
    /// Fingerprint of the topology judged; `None`: there is none, or the resource's kind has no place in it.
    pub topology: Option<Digest>,
    /// The resource is gone: then nothing is affected.
    pub gone: bool,
}

/// A match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// From what.
    pub key: MatchKey,
    /// The verdict set.
    pub verdicts: Digest,
    /// The exposure's JSON, as matching gave it.
    pub exposure: Vec<u8>,
}

impl Matched {
    /// What scoring notes once it has scored this match.
    pub fn scored_key(&self) -> ScoredKey {
        ScoredKey { verdicts: self.verdicts.clone(), exposure: Digest::of(&self.exposure), gone: self.key.gone }
    }
}

impl Store {
    /// Notes a match. `verdicts` names a verdict set that comes along as `verdict_set`, or is in the store already
    /// (from [`Store::cached_verdicts`]). A match by an older epoch than the noted one changes nothing and tells
    /// nothing, and the answer is false.
    pub async fn put_match(
        &self,
        resource: &ResourceId,
        key: &MatchKey,
        verdicts: &Digest,
        verdict_set: Option<&VerdictSet>,
        exposure: &[u8],
        message: Option<OutboxMessage>,
    ) -> Result<bool, StoreError> {
        let epoch = body::signed(key.epoch);
        let mut write = self.engine.write("note a match").await?;
        put_verdict_set(&mut write, verdicts, verdict_set).await?;
        if let Some(inventory) = &key.inventory {
            write
                .run(
                    "INSERT INTO verdict_cache (inventory, epoch, verdicts) VALUES ($1, $2, $3)
                     ON CONFLICT (inventory, epoch) DO UPDATE SET verdicts = excluded.verdicts
                     WHERE verdict_cache.verdicts <> excluded.verdicts",
                    values![inventory, epoch, verdicts],
                )
                .await?;
        }
        let noted = write
            .run(
                "INSERT INTO resource_match
                     (resource, inventory, epoch, topology, gone, verdicts, exposure, exposure_body)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (resource) DO UPDATE SET inventory = excluded.inventory, epoch = excluded.epoch,
                     topology = excluded.topology, gone = excluded.gone, verdicts = excluded.verdicts,
                     exposure = excluded.exposure, exposure_body = excluded.exposure_body
                 WHERE resource_match.epoch <= excluded.epoch",
                values![
                    resource,
                    &key.inventory,
                    epoch,
                    &key.topology,
                    i64::from(key.gone),
                    verdicts,
                    &Digest::of(exposure),
                    body::pack(exposure),
                ],
            )
            .await?;
        if noted > 0 {
            write.tell(MATCHING, message).await?;
        }
        write.commit().await?;
        Ok(noted > 0)
    }

    /// A resource's match.
    pub async fn matched(&self, resource: &ResourceId) -> Result<Option<Matched>, StoreError> {
        type Row = (Option<String>, i64, Option<String>, i64, String, Vec<u8>);
        let sql = "SELECT inventory, epoch, topology, gone, verdicts, exposure_body FROM resource_match
            WHERE resource = $1";
        let row: Option<Row> = self.engine.row("read a match", sql, values![resource]).await?;
        row.map(|(inventory, epoch, topology, gone, verdicts, exposure)| {
            Ok(Matched {
                key: MatchKey {
                    inventory: inventory.map(body::digest).transpose()?,
                    epoch: body::unsigned(epoch)?,
                    topology: topology.map(body::digest).transpose()?,
                    gone: gone != 0,
                },
                verdicts: body::digest(verdicts)?,
                exposure: body::unpack(&exposure, || format!("exposure of {resource}"))?,
            })
        })
        .transpose()
    }

    /// A verdict set by its digest. One that no match holds any more may be gone: read the match again.
    pub async fn verdict_set(&self, digest: &Digest) -> Result<Option<VerdictSet>, StoreError> {
        let sql = "SELECT body FROM verdict_set WHERE digest = $1";
        let row: Option<(Vec<u8>,)> = self.engine.row("read a verdict set", sql, values![digest]).await?;
        row.map(|(packed,)| body::unpack_json(&packed, || format!("verdict set {digest}"))).transpose()
    }

    /// What could not be judged of these resources; those of which all could are left out.
    pub async fn gaps_of(&self, resources: &[ResourceId]) -> Result<BTreeMap<ResourceId, Vec<Gap>>, StoreError> {
        let mut gaps = BTreeMap::new();
        for chunk in resources.chunks(IDS_MAX) {
            let sql = format!(
                "SELECT m.resource, v.gaps FROM resource_match m JOIN verdict_set v ON v.digest = m.verdicts
                 WHERE v.gaps <> '[]' AND m.resource IN {}",
                placeholders(1, chunk.len(), 0)
            );
            let rows: Vec<(String, String)> =
                self.engine.rows_made("read gaps", sql, chunk.iter().map(Value::from).collect()).await?;
            for (resource, json) in rows {
                let corrupt = |cause: serde_json::Error| StoreError::Corrupt {
                    what: format!("gaps of {resource}"),
                    why: cause.to_string(),
                };
                let found = serde_json::from_str(&json).map_err(corrupt)?;
                gaps.insert(ResourceId::new(resource.as_str()), found);
            }
        }
        Ok(gaps)
    }

    /// The verdict set of an inventory that was matched by this epoch before.
    pub async fn cached_verdicts(&self, inventory: &Digest, epoch: u64) -> Result<Option<Digest>, StoreError> {
        let sql = "SELECT verdicts FROM verdict_cache WHERE inventory = $1 AND epoch = $2";
        let key = values![inventory, body::signed(epoch)];
        let row: Option<(String,)> = self.engine.row("look up verdicts", sql, key).await?;
        row.map(|(digest,)| body::digest(digest)).transpose()
    }

    /// What was matched by epoch `from`, and has none of the touched packages (ecosystem, name as looked up), counts
    /// as matched by epoch `to` from now on, since the answers are the same. The count is that of resources.
    pub async fn advance_epoch(&self, from: u64, to: u64, touched: &[(String, String)]) -> Result<u64, StoreError> {
        if from >= to {
            return Ok(0);
        }
        let mut write = self.engine.write("advance the epoch").await?;
        write.lock(ADVANCE_LOCK).await?;
        let (from, to) = (body::signed(from), body::signed(to));
        // First who may move, then who of them is touched: what is scanned and matched meanwhile stays behind and is
        // matched anew. An inventory whose packages are forgotten stays behind too, for nobody can tell.
        write
            .run(
                "INSERT INTO advancing_inventory (inventory)
                 SELECT i.digest FROM inventory i
                 WHERE EXISTS (SELECT 1 FROM verdict_cache c WHERE c.inventory = i.digest AND c.epoch = $1)
                 OR EXISTS (SELECT 1 FROM resource_match m WHERE m.inventory = i.digest AND m.epoch = $1)",
                values![from],
            )
            .await?;
        for names in touched.chunks(write.rows_per_statement(2)) {
            leave_behind(&mut write, names).await?;
        }
        // in the order in which `put_match` writes, so that the two never wait for each other in a circle
        write
            .run(
                "UPDATE verdict_cache SET epoch = $2 WHERE epoch = $1
                 AND EXISTS (SELECT 1 FROM advancing_inventory a WHERE a.inventory = verdict_cache.inventory)
                 AND NOT EXISTS (SELECT 1 FROM verdict_cache c WHERE c.inventory = verdict_cache.inventory
                                 AND c.epoch = $2)",
                values![from, to],
            )
            .await?;
        let moved = write
            .run(
                "UPDATE resource_match SET epoch = $2 WHERE epoch = $1 AND gone = 0 AND (inventory IS NULL
                 OR EXISTS (SELECT 1 FROM advancing_inventory a WHERE a.inventory = resource_match.inventory))",
                values![from, to],
            )
            .await?;
        write.run("DELETE FROM advancing_inventory", Vec::new()).await?;
        write.commit().await?;
        Ok(moved)
    }

    /// Resources whose match is not by their present inputs and this epoch (or a later one), and those that are gone
    /// and still count as there.
    pub async fn unmatched(&self, epoch: u64, rows: u32) -> Result<Vec<ResourceId>, StoreError> {
        let sql = "SELECT r.id FROM resource r
            LEFT JOIN scan s ON s.resource = r.id
            LEFT JOIN topology t ON t.account = r.account AND t.region = r.region AND r.kind = 'AWS_EC2_INSTANCE'
            LEFT JOIN resource_match m ON m.resource = r.id
            WHERE (r.gone_at IS NOT NULL AND m.gone = 0)
               OR (r.gone_at IS NULL AND (
                   m.resource IS NULL OR m.gone = 1 OR m.epoch < $1
                   OR COALESCE(m.inventory, '') <> COALESCE(s.inventory, '')
                   OR COALESCE(m.topology, '') <> COALESCE(t.fingerprint, '')))
            ORDER BY r.id LIMIT $2";
        let rows = self.engine.rows("list unmatched resources", sql, values![body::signed(epoch), limit(rows)]).await?;
        Ok(body::resource_ids(rows))
    }

    /// Forgets matches of resources that the store no longer has, and verdicts that only epochs before this one hold.
    pub async fn purge_matches(&self, before_epoch: u64) -> Result<(), StoreError> {
        let mut write = self.engine.write("forget old matches").await?;
        write.run("DELETE FROM verdict_cache WHERE epoch < $1", values![body::signed(before_epoch)]).await?;
        write
            .run(
                "DELETE FROM resource_match
                 WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE r.id = resource_match.resource)",
                Vec::new(),
            )
            .await?;
        write
            .run(
                "DELETE FROM verdict_set
                 WHERE NOT EXISTS (SELECT 1 FROM resource_match m WHERE m.verdicts = verdict_set.digest)
                 AND NOT EXISTS (SELECT 1 FROM verdict_cache c WHERE c.verdicts = verdict_set.digest)",
                Vec::new(),
            )
            .await?;
        write.commit().await
    }
}

/// The inventories with any of these packages do not move on.
async fn leave_behind(write: &mut Write, names: &[(String, String)]) -> Result<(), StoreError> {
    // CROSS JOIN: SQLite then walks through the names and looks each up, and PostgreSQL does as it likes anyway
    let sql = format!(
        "WITH touched (ecosystem, name) AS (VALUES {})
         DELETE FROM advancing_inventory WHERE inventory IN (
             SELECT p.inventory FROM touched t CROSS JOIN inventory_package p
             WHERE p.ecosystem = t.ecosystem AND p.name = t.name)",
        placeholders(names.len(), 2, 0)
    );
    let names = names.iter().flat_map(|(ecosystem, name)| values![ecosystem.as_str(), name.as_str()]);
    write.run_made(sql, names.collect()).await?;
    Ok(())
}

async fn put_verdict_set(
    write: &mut Write,
    digest: &Digest,
    verdict_set: Option<&VerdictSet>,
) -> Result<(), StoreError> {
    let Some(verdict_set) = verdict_set else {
        let known: Vec<(i64,)> =
            write.rows("SELECT COUNT(*) FROM verdict_set WHERE digest = $1", values![digest]).await?;
        return match known.first() {
            Some((1,)) => Ok(()),
            _ => Err(StoreError::Missing { what: format!("verdict set {digest}") }),
        };
    };
    let gaps = serde_json::to_string(&verdict_set.gaps).expect("gaps are texts and numbers");
    let packed: Value = body::pack_json(verdict_set).into();
    write
        .run(
            "INSERT INTO verdict_set (digest, gaps, body) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING",
            vec![digest.into(), gaps.into(), packed],
        )
        .await?;
    Ok(())
}
