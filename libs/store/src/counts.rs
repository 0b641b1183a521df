//! The three numbers of the summary line.

use crate::{Store, StoreError, body};

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Present resources.
    pub resources: u64,
    /// Packages on present resources; the same package on two resources counts twice.
    pub packages: u64,
    /// Active findings.
    pub findings: u64,
}

impl Store {
    /// How much there is now.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let sql = "SELECT
            (SELECT COUNT(*) FROM resource WHERE gone_at IS NULL),
            (SELECT CAST(COALESCE(SUM(i.packages), 0) AS BIGINT) FROM resource r
             JOIN scan s ON s.resource = r.id JOIN inventory i ON i.digest = s.inventory WHERE r.gone_at IS NULL),
            (SELECT COUNT(*) FROM finding WHERE status = 'ACTIVE')";
        let row: Option<(i64, i64, i64)> = self.engine.row("count", sql, Vec::new()).await?;
        let (resources, packages, findings) = row.unwrap_or_default();
        Ok(Counts {
            resources: body::unsigned(resources)?,
            packages: body::unsigned(packages)?,
            findings: body::unsigned(findings)?,
        })
    }
}
