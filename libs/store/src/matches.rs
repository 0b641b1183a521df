//! Matches: what each resource's software and network have been judged to be, and from which inputs.

use crate::{
    MATCHING, OutboxMessage, ScoredKey, Store, StoreError, batch, body,
    engine::{Value, Write, placeholders, values},
    limit,
    marks::mark_if_late,
    resources::IDS_MAX,
};
use muster_domain::{Digest, Gap, ResourceId, VerdictSet};
use std::collections::{BTreeMap, BTreeSet};

/// The inputs of a match: while they are the same, so is the match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchKey {
    /// The inventory judged; `None`: the resource has none.
    pub inventory: Option<Digest>,
    /// The advisory database that judged.
    pub epoch: u64,
    /// Fingerprint of the topology judged, or of all that were judged together; `None`: there is none, or the resource's kind has no place in it.
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

/// A match to be noted ([`Store::put_matches`]).
#[derive(Clone, Debug)]
pub struct NewMatch {
    /// Whose.
    pub resource: ResourceId,
    /// From what.
    pub key: MatchKey,
    /// The verdict set.
    pub verdicts: Digest,
    /// Its body, unless it is in the store already or comes along with another match of the batch.
    pub verdict_set: Option<VerdictSet>,
    /// The exposure's JSON.
    pub exposure: Vec<u8>,
    /// What tells of it.
    pub message: Option<OutboxMessage>,
}

impl Matched {
    /// What scoring notes once it has scored this match.
    pub fn scored_key(&self) -> ScoredKey {
        ScoredKey { verdicts: self.verdicts.clone(), exposure: Digest::of(&self.exposure), gone: self.key.gone }
    }
}

type MatchRow = (String, Option<String>, i64, Option<String>, i64, String, Vec<u8>);

/// The columns of [`MatchRow`].
macro_rules! columns {
    () => {
        "resource, inventory, epoch, topology, gone, verdicts, exposure_body"
    };
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
        let new = NewMatch {
            resource: resource.clone(),
            key: key.clone(),
            verdicts: verdicts.clone(),
            verdict_set: verdict_set.cloned(),
            exposure: exposure.to_vec(),
            message,
        };
        Ok(!self.put_matches(vec![new]).await?.is_empty())
    }

    /// Notes the matches of several resources at once, all or none: each as [`Store::put_match`] does, a verdict set may
    /// come along with any of them. The answer names those that are noted. At most [`BATCH_MAX`](crate::BATCH_MAX), each resource once.
    pub async fn put_matches(&self, matches: Vec<NewMatch>) -> Result<BTreeSet<ResourceId>, StoreError> {
        const QUERY: &str = "note matches";
        // In the order of their names, so that two writers wait for each other and not both.
        let matches = batch(QUERY, matches, |new| new.resource.clone())?;
        let mut write = self.engine.write(QUERY).await?;
        put_verdict_sets(&mut write, &matches).await?;
        put_cache(&mut write, &matches).await?;
        let rows = matches.values().map(row).collect();
        let head = "INSERT INTO resource_match
            (resource, inventory, epoch, topology, gone, verdicts, exposure, exposure_body)";
        let tail = "ON CONFLICT (resource) DO UPDATE SET inventory = excluded.inventory, epoch = excluded.epoch,
                topology = excluded.topology, gone = excluded.gone, verdicts = excluded.verdicts,
                exposure = excluded.exposure, exposure_body = excluded.exposure_body
            WHERE resource_match.epoch <= excluded.epoch RETURNING resource";
        let noted = body::resource_ids(write.insert_returning(head, rows, tail).await?);
        let noted: BTreeSet<_> = noted.into_iter().collect();
        let told = matches.into_values().filter(|new| noted.contains(&new.resource)).filter_map(|new| new.message);
        write.tell(MATCHING, told).await?;
        write.commit().await?;
        Ok(noted)
    }

    /// A resource's match.
    pub async fn matched(&self, resource: &ResourceId) -> Result<Option<Matched>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM resource_match WHERE resource = $1");
        let row: Option<MatchRow> = self.engine.row("read a match", sql, values![resource]).await?;
        Ok(row.map(read).transpose()?.map(|(_, matched)| matched))
    }

    /// The matches of these resources; those that have none are left out.
    pub async fn matches_of(&self, resources: &[ResourceId]) -> Result<BTreeMap<ResourceId, Matched>, StoreError> {
        let mut matches = BTreeMap::new();
        for chunk in resources.chunks(IDS_MAX) {
            let sql = concat!("SELECT ", columns!(), " FROM resource_match WHERE resource IN ");
            let sql = format!("{sql}{}", placeholders(1, chunk.len(), 0));
            let ids = chunk.iter().map(Value::from).collect();
            let rows: Vec<MatchRow> = self.engine.rows_made("read matches", sql, ids).await?;
            for row in rows {
                let (resource, matched) = read(row)?;
                matches.insert(resource, matched);
            }
        }
        Ok(matches)
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
                LEFT JOIN topology t ON t.account = r.account AND t.region = r.region
                    AND r.kind IN ('AWS_EC2_INSTANCE', 'AWS_LAMBDA_FUNCTION')
                LEFT JOIN linked_topology l ON l.account = t.account AND l.region = t.region
                LEFT JOIN resource_match m ON m.resource = r.id
                WHERE (r.gone_at IS NOT NULL AND m.gone = 0)
                   OR (r.gone_at IS NULL AND (
                       m.resource IS NULL OR m.gone = 1
                       OR COALESCE(m.inventory, '') <> COALESCE(s.inventory, '')
                       OR COALESCE(m.topology, '') <> COALESCE(l.fingerprint, t.fingerprint, '')))
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

fn read(
    (resource, inventory, epoch, topology, gone, verdicts, exposure): MatchRow,
) -> Result<(ResourceId, Matched), StoreError> {
    let key = MatchKey {
        inventory: inventory.map(body::digest).transpose()?,
        epoch: body::unsigned(epoch)?,
        topology: topology.map(body::digest).transpose()?,
        gone: gone != 0,
    };
    let exposure = body::unpack(&exposure, || format!("exposure of {resource}"))?;
    Ok((ResourceId::new(resource), Matched { key, verdicts: body::digest(verdicts)?, exposure }))
}

fn row(new: &NewMatch) -> Vec<Value> {
    values![
        &new.resource,
        &new.key.inventory,
        body::signed(new.key.epoch),
        &new.key.topology,
        i64::from(new.key.gone),
        &new.verdicts,
        &Digest::of(&new.exposure),
        body::pack(&new.exposure),
    ]
}

/// Those that came along are written, the others have to be there.
async fn put_verdict_sets(write: &mut Write, matches: &BTreeMap<ResourceId, NewMatch>) -> Result<(), StoreError> {
    let brought: BTreeMap<_, _> =
        matches.values().filter_map(|new| Some((&new.verdicts, new.verdict_set.as_ref()?))).collect();
    let named: BTreeSet<_> =
        matches.values().map(|new| &new.verdicts).filter(|verdicts| !brought.contains_key(verdicts)).collect();
    let row = |(digest, verdict_set): (&Digest, &VerdictSet)| {
        let gaps = serde_json::to_string(&verdict_set.gaps).expect("gaps are texts and numbers");
        values![digest, gaps, body::pack_json(verdict_set)]
    };
    let rows = brought.into_iter().map(row).collect();
    write.insert("INSERT INTO verdict_set (digest, gaps, body)", rows, "ON CONFLICT (digest) DO NOTHING").await?;
    let named: Vec<_> = named.into_iter().collect();
    for named in named.chunks(IDS_MAX) {
        let sql = format!("SELECT digest FROM verdict_set WHERE digest IN {}", placeholders(1, named.len(), 0));
        let known: Vec<(String,)> =
            write.rows_made(sql, named.iter().map(|digest| Value::from(*digest)).collect()).await?;
        let known: BTreeSet<_> = known.iter().map(|(digest,)| digest.as_str()).collect();
        if let Some(missing) = named.iter().find(|digest| !known.contains(digest.as_str())) {
            return Err(StoreError::Missing { what: format!("verdict set {missing}") });
        }
    }
    Ok(())
}

/// The same software is judged once: its verdicts stand under the inventory and the epoch.
async fn put_cache(write: &mut Write, matches: &BTreeMap<ResourceId, NewMatch>) -> Result<(), StoreError> {
    let judged = matches.values().filter_map(|new| {
        let inventory = new.key.inventory.as_ref()?;
        Some(((inventory.as_str(), body::signed(new.key.epoch)), &new.verdicts))
    });
    let judged: BTreeMap<_, _> = judged.collect();
    if judged.is_empty() {
        return Ok(());
    }
    let rows = judged.iter().map(|((inventory, epoch), verdicts)| values![*inventory, *epoch, *verdicts]).collect();
    let tail = "ON CONFLICT (inventory, epoch) DO UPDATE SET verdicts = excluded.verdicts
        WHERE verdict_cache.verdicts <> excluded.verdicts";
    write.insert("INSERT INTO verdict_cache (inventory, epoch, verdicts)", rows, tail).await?;
    mark_if_late(write, &judged.into_keys().collect()).await
}
