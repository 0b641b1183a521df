//! Publications: which revision of each finding every sink has been told.

use crate::{
    Store, StoreError, body,
    engine::{Write, placeholders, values},
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
        // the highest revision of each, and one order for all, so that two publishers never wait for each other in
        // a circle
        let mut told = told.to_vec();
        told.sort_by(|one, other| (&one.0, other.1).cmp(&(&other.0, one.1)));
        told.dedup_by(|later, first| later.0 == first.0);
        for told in told.chunks(write.rows_per_statement(2)) {
            mark(&mut write, sink, told).await?;
        }
        write.commit().await
    }
}

/// No finding is there twice, and they are in order.
async fn mark(write: &mut Write, sink: &str, told: &[(FindingId, u64)]) -> Result<(), StoreError> {
    // CROSS JOIN: SQLite then walks through the findings told and looks each up
    let sql = format!(
        "WITH told (finding, revision) AS (VALUES {})
         INSERT INTO publication (sink, finding, revision)
         SELECT $1, t.finding, t.revision FROM told t CROSS JOIN finding f WHERE f.id = t.finding ORDER BY t.finding
         ON CONFLICT (sink, finding) DO UPDATE SET revision = excluded.revision
         WHERE publication.revision < excluded.revision",
        placeholders(told.len(), 2, 1)
    );
    let mut values = values![sink];
    for (finding, revision) in told {
        values.extend(values![finding.as_str(), body::signed(*revision)]);
    }
    write.run_made(sql, values).await?;
    Ok(())
}
