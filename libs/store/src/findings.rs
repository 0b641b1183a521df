//! Findings and their life cycle, as scoring decides it.

use crate::{
    OutboxMessage, SCORING, Store, StoreError, batch, body,
    engine::{Value, Write, placeholders, values},
    finding_row, limit,
    resources::IDS_MAX,
};
use muster_domain::{Digest, Finding, FindingId, ResourceId, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// A closed finding is deleted after this many days (Amazon Inspector user guide, "Understanding findings").
const CLOSED_DAYS: i64 = 30;
/// And after this many when its resource is gone (the same).
const GONE_DAYS: i64 = 3;

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// The inputs of a scoring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoredKey {
    /// The verdict set.
    pub verdicts: Digest,
    /// Of the exposure's JSON.
    pub exposure: Digest,
    /// The resource is gone.
    pub gone: bool,
}

/// What one resource has been scored to ([`Store::apply_many`]).
#[derive(Clone, Debug)]
pub struct ScoredResource {
    /// Which.
    pub resource: ResourceId,
    /// From what.
    pub key: ScoredKey,
    /// Findings in their new state.
    pub findings: Vec<Finding>,
    /// What tells of them.
    pub messages: Vec<OutboxMessage>,
}

impl Store {
    /// All findings of a resource, closed ones too, ordered by id.
    pub async fn findings_of(&self, resource: &ResourceId) -> Result<Vec<Finding>, StoreError> {
        let sql = "SELECT id, body FROM finding WHERE resource = $1 ORDER BY id";
        let rows = self.engine.rows("read a resource's findings", sql, values![resource]).await?;
        rows.into_iter().map(finding_row::read).collect()
    }

    /// All findings of each of these resources, as [`Store::findings_of`] gives them; those without any are left out.
    pub async fn findings_of_many(
        &self,
        resources: &[ResourceId],
    ) -> Result<BTreeMap<ResourceId, Vec<Finding>>, StoreError> {
        let mut findings: BTreeMap<_, Vec<Finding>> = BTreeMap::new();
        for chunk in resources.chunks(IDS_MAX) {
            let sql = format!(
                "SELECT id, body FROM finding WHERE resource IN {} ORDER BY id",
                placeholders(1, chunk.len(), 0)
            );
            let ids = chunk.iter().map(Value::from).collect();
            for row in self.engine.rows_made("read resources' findings", sql, ids).await? {
                let finding = finding_row::read(row)?;
                findings.entry(finding.resource.clone()).or_default().push(finding);
            }
        }
        Ok(findings)
    }

    /// One finding.
    pub async fn finding(&self, id: &FindingId) -> Result<Option<Finding>, StoreError> {
        let sql = "SELECT id, body FROM finding WHERE id = $1";
        let row = self.engine.row("read a finding", sql, values![id.as_str()]).await?;
        row.map(finding_row::read).transpose()
    }

    /// Writes findings in their new state, notes what they were scored from, and tells of it, all at once. Each
    /// finding's revision must be above the stored one: else another writer was faster, the answer is
    /// [`StoreError::Conflict`], and nothing is written. The very same state again is no conflict.
    pub async fn apply(
        &self,
        resource: &ResourceId,
        scored: &ScoredKey,
        transitions: &[Finding],
        messages: Vec<OutboxMessage>,
    ) -> Result<(), StoreError> {
        let scored = ScoredResource {
            resource: resource.clone(),
            key: scored.clone(),
            findings: transitions.to_vec(),
            messages,
        };
        self.apply_many(vec![scored]).await
    }

    /// Does for several resources at once what [`Store::apply`] does for one: a conflict over one finding leaves all as
    /// they were. At most [`BATCH_MAX`](crate::BATCH_MAX), each resource and each finding once.
    pub async fn apply_many(&self, scored: Vec<ScoredResource>) -> Result<(), StoreError> {
        const QUERY: &str = "apply findings";
        let scored = batch(QUERY, scored, |one| one.resource.clone())?;
        let findings: Vec<_> = scored.values().flat_map(|one| &one.findings).collect();
        let mut write = self.engine.write(QUERY).await?;
        write.lock_all(&scored.keys().map(|resource| format!("findings {resource}")).collect()).await?;
        let written = put_findings(&mut write, &findings).await?;
        put_parts(&mut write, &written).await?;
        let row = |(resource, one): (&ResourceId, &ScoredResource)| {
            values![resource, &one.key.verdicts, &one.key.exposure, i64::from(one.key.gone)]
        };
        let head = "INSERT INTO scored (resource, verdicts, exposure, gone)";
        let tail = "ON CONFLICT (resource) DO UPDATE SET verdicts = excluded.verdicts, exposure = excluded.exposure,
            gone = excluded.gone";
        write.insert(head, scored.iter().map(row).collect(), tail).await?;
        write.tell(SCORING, scored.into_values().flat_map(|one| one.messages)).await?;
        write.commit().await
    }

    /// Resources whose match is not the one that was scored.
    pub async fn unscored(&self, rows: u32) -> Result<Vec<ResourceId>, StoreError> {
        let sql = "SELECT m.resource FROM resource_match m LEFT JOIN scored s ON s.resource = m.resource
            WHERE s.resource IS NULL OR s.verdicts <> m.verdicts OR s.exposure <> m.exposure OR s.gone <> m.gone
            ORDER BY m.resource LIMIT $1";
        Ok(body::resource_ids(self.engine.rows("list unscored resources", sql, values![limit(rows)]).await?))
    }

    /// Active findings by severity; every severity is there.
    pub async fn severity_counts(&self) -> Result<BTreeMap<Severity, u64>, StoreError> {
        let sql = "SELECT severity, COUNT(*) FROM finding WHERE status = 'ACTIVE' GROUP BY severity";
        let rows: Vec<(i64, i64)> = self.engine.rows("count findings by severity", sql, Vec::new()).await?;
        let mut counts: BTreeMap<_, _> = Severity::ALL.into_iter().map(|severity| (severity, 0)).collect();
        for (severity, count) in counts.iter_mut() {
            let rank = finding_row::rank(*severity);
            let found = rows.iter().find(|(found, _)| *found == rank).map_or(0, |(_, count)| *count);
            *count = body::unsigned(found)?;
        }
        Ok(counts)
    }

    /// Deletes findings that have been closed long enough; how many.
    pub async fn purge_closed(&self, now: jiff::Timestamp) -> Result<u64, StoreError> {
        let before = |days: i64| now.as_microsecond() - days * DAY_MICROS;
        let mut write = self.engine.write("delete old findings").await?;
        let purged = write
            .run(
                "DELETE FROM finding WHERE status = 'CLOSED' AND (closed_at < $1 OR (closed_at < $2
                 AND NOT EXISTS (SELECT 1 FROM resource r WHERE r.id = finding.resource AND r.gone_at IS NULL)))",
                values![before(CLOSED_DAYS), before(GONE_DAYS)],
            )
            .await?;
        write
            .run(
                "DELETE FROM scored WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE r.id = scored.resource)",
                Vec::new(),
            )
            .await?;
        write.commit().await?;
        Ok(purged)
    }
}

/// Those that there was something to write of, by id.
async fn put_findings<'f>(
    write: &mut Write,
    findings: &[&'f Finding],
) -> Result<BTreeMap<&'f str, &'f Finding>, StoreError> {
    let mut by_id = BTreeMap::new();
    for finding in findings {
        if by_id.insert(finding.id.as_str(), *finding).is_some() {
            let why = format!("finding {} comes twice", finding.id);
            return Err(StoreError::Invalid { query: write.query, why });
        }
    }
    let rows = findings.iter().map(|finding| finding_row::columns(finding)).collect();
    let written: Vec<(String,)> = write.insert_returning(finding_row::INSERT, rows, finding_row::WHEN_NEWER).await?;
    let written: BTreeSet<_> = written.iter().map(|(id,)| id.as_str()).collect();
    for finding in findings.iter().filter(|finding| !written.contains(finding.id.as_str())) {
        already_there(write, finding).await?;
    }
    by_id.retain(|id, _| written.contains(id));
    Ok(by_id)
}

/// The packages and components of the findings (by id), for all of them at once: a resource has hundreds of findings,
/// and each statement is a way to the engine and back.
async fn put_parts(write: &mut Write, findings: &BTreeMap<&str, &Finding>) -> Result<(), StoreError> {
    let ids: Vec<&str> = findings.keys().copied().collect();
    for ids in ids.chunks(write.rows_per_statement(1)) {
        for table in ["finding_package", "finding_component"] {
            let sql = format!("DELETE FROM {table} WHERE finding IN {}", placeholders(1, ids.len(), 0));
            write.run_made(sql, ids.iter().map(|id| Value::from(*id)).collect()).await?;
        }
    }
    let (mut packages, mut components) = (Vec::new(), Vec::new());
    for (id, finding) in findings {
        let id = *id;
        packages.extend(finding_row::packages(finding).into_iter().map(|(name, version)| values![id, name, version]));
        components.extend(finding_row::components(finding).into_iter().map(|component| values![id, component]));
    }
    write.insert("INSERT INTO finding_package (finding, name, version)", packages, "").await?;
    write.insert("INSERT INTO finding_component (finding, component)", components, "").await?;
    Ok(())
}

/// The same state came before, or another one of the same revision did. A later sight of the same state is not a
/// revision: it moves `last_observed_at` forward.
async fn already_there(write: &mut Write, finding: &Finding) -> Result<(), StoreError> {
    let rows = write.rows("SELECT id, body FROM finding WHERE id = $1", values![finding.id.as_str()]).await?;
    let stored = rows.into_iter().next().map(finding_row::read).transpose()?;
    let lost = |detail| Err(StoreError::Conflict { query: write.query, detail });
    let Some(stored) = stored else {
        return lost(format!("finding {} was deleted meanwhile", finding.id));
    };
    if (Finding { last_observed_at: stored.last_observed_at, ..finding.clone() }) != stored {
        return lost(format!("finding {} is at revision {} already", finding.id, stored.revision));
    }
    if finding.last_observed_at > stored.last_observed_at {
        write
            .run(
                "UPDATE finding SET last_observed_at = $2, body = $3 WHERE id = $1",
                values![finding.id.as_str(), finding.last_observed_at, body::pack_json(finding)],
            )
            .await?;
    }
    Ok(())
}
