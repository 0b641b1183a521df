//! Matches: what each resource's software and network have been judged to be, and from which inputs.

use crate::{
    MATCHING, OutboxMessage, ScoredKey, Store, StoreError, body,
    engine::{Value, Write, placeholders, values},
    limit,
    marks::mark_if_late,
    resources::IDS_MAX,
};
use muster_domain::{Digest, Gap, ResourceId, VerdictSet};
use std::collections::BTreeMap;

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
            mark_if_late(&mut write, &inventory.into(), epoch).await?;
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

    /// The verdict set of an inventory that was matched by this epoch before, or by an earlier one after which no epoch
    /// touched it.
    pub async fn cached_verdicts(&self, inventory: &Digest, epoch: u64) -> Result<Option<Digest>, StoreError> {
        let sql = "SELECT c.verdicts FROM verdict_cache c WHERE c.inventory = $1 AND (c.epoch = $2 OR (
                c.epoch < $2 AND EXISTS (SELECT 1 FROM marked_epoch e WHERE e.done >= $2)
                AND NOT EXISTS (SELECT 1 FROM inventory_behind b
                                WHERE b.inventory = c.inventory AND b.epoch > c.epoch)))
            ORDER BY c.epoch DESC LIMIT 1";
        let key = values![inventory, body::signed(epoch)];
        let row: Option<(String,)> = self.engine.row("look up verdicts", sql, key).await?;
        row.map(|(digest,)| body::digest(digest)).transpose()
    }

    /// Resources whose match is not by their present inputs or by an epoch before the last that touches their inventory,
    /// and those that are gone and still count as there. The former are found by what is marked, not by looking at
    /// every resource; what no epoch has marked yet (`mark_touched`) is not among them.
    pub async fn unmatched(&self, rows: u32) -> Result<Vec<ResourceId>, StoreError> {
        let mut behind = self.behind(rows).await?;
        let left = rows.saturating_sub(u32::try_from(behind.len()).unwrap_or(u32::MAX));
        if left > 0 {
            let sql = "SELECT r.id FROM resource r
                LEFT JOIN scan s ON s.resource = r.id
                LEFT JOIN topology t ON t.account = r.account AND t.region = r.region AND r.kind = 'AWS_EC2_INSTANCE'
                LEFT JOIN resource_match m ON m.resource = r.id
                WHERE (r.gone_at IS NOT NULL AND m.gone = 0)
                   OR (r.gone_at IS NULL AND (
                       m.resource IS NULL OR m.gone = 1
                       OR COALESCE(m.inventory, '') <> COALESCE(s.inventory, '')
                       OR COALESCE(m.topology, '') <> COALESCE(t.fingerprint, '')))
                ORDER BY r.id LIMIT $1";
            let rows = self.engine.rows("list unmatched resources", sql, values![limit(left)]).await?;
            behind.extend(body::resource_ids(rows));
            behind.sort();
            behind.dedup();
        }
        Ok(behind)
    }

    /// Resources whose match is by an epoch before the last that touches their inventory.
    pub async fn behind(&self, rows: u32) -> Result<Vec<ResourceId>, StoreError> {
        let sql = "SELECT m.resource FROM inventory_behind b CROSS JOIN resource_match m
            WHERE m.inventory = b.inventory AND m.epoch < b.epoch AND m.gone = 0 LIMIT $1";
        let rows = self.engine.rows("list resources behind", sql, values![limit(rows)]).await?;
        Ok(body::resource_ids(rows))
    }

    /// Forgets matches of resources that the store no longer has, verdicts of inventories for which there are newer ones
    /// or that it no longer has, and marks of such inventories.
    pub async fn purge_matches(&self) -> Result<(), StoreError> {
        let mut write = self.engine.write("forget old matches").await?;
        for sql in [
            "DELETE FROM verdict_cache WHERE EXISTS (SELECT 1 FROM verdict_cache newer
                 WHERE newer.inventory = verdict_cache.inventory AND newer.epoch > verdict_cache.epoch)",
            "DELETE FROM verdict_cache
             WHERE NOT EXISTS (SELECT 1 FROM inventory i WHERE i.digest = verdict_cache.inventory)",
            "DELETE FROM inventory_behind
             WHERE NOT EXISTS (SELECT 1 FROM inventory i WHERE i.digest = inventory_behind.inventory)
             AND NOT EXISTS (SELECT 1 FROM resource_match m WHERE m.inventory = inventory_behind.inventory)",
        ] {
            write.run(sql, Vec::new()).await?;
        }
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
