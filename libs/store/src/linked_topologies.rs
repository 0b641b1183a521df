//! Topologies that are judged together, since they are linked: by which fingerprint a resource's match counts.

use crate::{Store, StoreError, body, engine::values};
use muster_domain::{AccountId, Digest, Region};
use std::collections::{BTreeMap, BTreeSet};

impl Store {
    /// The fingerprint of all topologies that decide over an account and region: its own, or that of the linked ones.
    pub async fn judged_topology(&self, account: &AccountId, region: &Region) -> Result<Option<Digest>, StoreError> {
        let sql = "SELECT COALESCE(l.fingerprint, t.fingerprint) FROM topology t
            LEFT JOIN linked_topology l ON l.account = t.account AND l.region = t.region
            WHERE t.account = $1 AND t.region = $2";
        let values = values![account.as_str(), region.as_str()];
        let row: Option<(String,)> = self.engine.row("read a topology's fingerprint", sql, values).await?;
        row.map(|(raw,)| body::digest(raw)).transpose()
    }

    /// Notes which topologies are judged together with others, and by which fingerprint; the others are judged alone.
    /// Resources whose match is by another fingerprint are unmatched from then on.
    pub async fn put_linked_topologies(
        &self,
        linked: &BTreeMap<(AccountId, Region), Digest>,
    ) -> Result<(), StoreError> {
        const QUERY: &str = "note linked topologies";
        let sql = "SELECT account, region, fingerprint FROM linked_topology";
        let known: Vec<(String, String, String)> = self.engine.rows(QUERY, sql, Vec::new()).await?;
        let wanted: BTreeSet<(String, String, String)> = linked
            .iter()
            .map(|((account, region), fingerprint)| {
                (account.to_string(), region.to_string(), fingerprint.as_str().to_owned())
            })
            .collect();
        let known: BTreeSet<(String, String, String)> = known.into_iter().collect();
        if known == wanted {
            return Ok(());
        }
        let mut write = self.engine.write(QUERY).await?;
        for (account, region, _) in known.difference(&wanted) {
            let sql = "DELETE FROM linked_topology WHERE account = $1 AND region = $2";
            write.run(sql, values![account.as_str(), region.as_str()]).await?;
        }
        for (account, region, fingerprint) in wanted.difference(&known) {
            let sql = "INSERT INTO linked_topology (account, region, fingerprint) VALUES ($1, $2, $3)
                ON CONFLICT (account, region) DO UPDATE SET fingerprint = excluded.fingerprint";
            write.run(sql, values![account.as_str(), region.as_str(), fingerprint.as_str()]).await?;
        }
        write.commit().await
    }
}
