//! Topologies, one per account and region, and how the last sweeps ended.

use crate::{DISCOVERY, OutboxMessage, Store, StoreError, body, engine::values};
use muster_domain::{AccountId, AccountStatus, Digest, Region};

impl Store {
    /// Takes in a topology; tells of it, and answers true, only when its fingerprint is new.
    pub async fn put_topology(
        &self,
        account: &AccountId,
        region: &Region,
        fingerprint: &Digest,
        topology: &[u8],
        message: OutboxMessage,
    ) -> Result<bool, StoreError> {
        let mut write = self.engine.write("take in a topology").await?;
        let changed = write
            .run(
                "INSERT INTO topology (account, region, fingerprint, body) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (account, region) DO UPDATE SET fingerprint = excluded.fingerprint, body = excluded.body
                 WHERE topology.fingerprint <> excluded.fingerprint",
                values![account.as_str(), region.as_str(), fingerprint, body::pack(topology)],
            )
            .await?;
        if changed > 0 {
            write.tell(DISCOVERY, [message]).await?;
        }
        write.commit().await?;
        Ok(changed > 0)
    }

    /// The topology's fingerprint alone: to see whether what is known of it still counts.
    pub async fn topology_fingerprint(
        &self,
        account: &AccountId,
        region: &Region,
    ) -> Result<Option<Digest>, StoreError> {
        let sql = "SELECT fingerprint FROM topology WHERE account = $1 AND region = $2";
        let values = values![account.as_str(), region.as_str()];
        let row: Option<(String,)> = self.engine.row("read a topology's fingerprint", sql, values).await?;
        row.map(|(raw,)| body::digest(raw)).transpose()
    }

    /// The topology's fingerprint and body.
    pub async fn topology(
        &self,
        account: &AccountId,
        region: &Region,
    ) -> Result<Option<(Digest, Vec<u8>)>, StoreError> {
        let sql = "SELECT fingerprint, body FROM topology WHERE account = $1 AND region = $2";
        let scope = values![account.as_str(), region.as_str()];
        let row: Option<(String, Vec<u8>)> = self.engine.row("read a topology", sql, scope).await?;
        let Some((fingerprint, packed)) = row else {
            return Ok(None);
        };
        let bytes = body::unpack(&packed, || format!("topology of {account} {region}"))?;
        Ok(Some((body::digest(fingerprint)?, bytes)))
    }

    /// Notes how a sweep ended; an older one than the noted changes nothing.
    pub async fn put_account_status(&self, status: &AccountStatus) -> Result<(), StoreError> {
        let mut write = self.engine.write("note how a sweep ended").await?;
        write
            .run(
                "INSERT INTO account_status (account, region, error, swept_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (account, region) DO UPDATE SET error = excluded.error, swept_at = excluded.swept_at
                 WHERE account_status.swept_at <= excluded.swept_at",
                values![status.account.as_str(), status.region.as_str(), status.error.clone(), status.swept_at],
            )
            .await?;
        write.commit().await
    }

    /// How the last sweep of each account and region ended, ordered by them.
    pub async fn account_statuses(&self) -> Result<Vec<AccountStatus>, StoreError> {
        let sql = "SELECT account, region, error, swept_at FROM account_status ORDER BY account, region LIMIT $1";
        let rows: Vec<(String, String, Option<String>, i64)> =
            self.engine.rows("list how the sweeps ended", sql, values![crate::limit(u32::MAX)]).await?;
        let status = |(account, region, error, swept_at): (String, String, Option<String>, i64)| {
            let account = AccountId::try_from(account)
                .map_err(|cause| StoreError::Corrupt { what: "account".to_owned(), why: cause.to_string() })?;
            Ok(AccountStatus { account, region: Region::new(region), error, swept_at: body::time(swept_at)? })
        };
        rows.into_iter().map(status).collect()
    }
}
