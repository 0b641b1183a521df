//! Publications: which revision of each finding every sink has been told.

use crate::{
    Store, StoreError, body,
    engine::{Write, values},
    finding_row, limit,
};
use muster_domain::{Finding, FindingId};

impl Store {
    /// Findings whose present revision the sink has not been told, the longest unchanged first.
    pub async fn unpublished(&self, sink: &str, rows: u32) -> Result<Vec<Finding>, StoreError> {
        let sql = "SELECT f.id, f.body FROM finding f
            LEFT JOIN publication p ON p.finding = f.id AND p.sink = $1
            WHERE p.revision IS NULL OR p.revision < f.revision
            ORDER BY f.updated_at, f.id LIMIT $2";
        let rows = self.engine.rows("list unpublished findings", sql, values![sink, limit(rows)]).await?;
        rows.into_iter().map(finding_row::read).collect()
    }

    /// How many findings [`Store::unpublished`] would list without a limit.
    pub async fn unpublished_count(&self, sink: &str) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM finding f
            LEFT JOIN publication p ON p.finding = f.id AND p.sink = $1
            WHERE p.revision IS NULL OR p.revision < f.revision";
        let row: Option<(i64,)> = self.engine.row("count unpublished findings", sql, values![sink]).await?;
        row.map_or(Ok(0), |(count,)| body::unsigned(count))
    }

    /// The sink has been told these revisions. An older revision than the noted one changes nothing, and neither does
    /// a finding that was deleted meanwhile.
    pub async fn mark_published(&self, sink: &str, told: &[(FindingId, u64)]) -> Result<(), StoreError> {
        let mut write = self.engine.write("note what was published").await?;
        // one order for all, so that two publishers never wait for each other in a circle
        let mut told: Vec<_> = told.iter().collect();
        told.sort();
        for (finding, revision) in told {
            mark(&mut write, sink, finding, *revision).await?;
        }
        write.commit().await
    }
}

async fn mark(write: &mut Write, sink: &str, finding: &FindingId, revision: u64) -> Result<(), StoreError> {
    let sql = "INSERT INTO publication (sink, finding, revision)
        SELECT $1, f.id, $3 FROM finding f WHERE f.id = $2
        ON CONFLICT (sink, finding) DO UPDATE SET revision = excluded.revision
        WHERE publication.revision < excluded.revision";
    write.run(sql, values![sink, finding.as_str(), body::signed(revision)]).await?;
    Ok(())
}
