//! Topologies, one per account and region, and how the last sweeps ended.

use crate::{DISCOVERY, OutboxMessage, Store, StoreError, body, engine::values};
use muster_domain::{AccountId, AccountStatus, Digest, Region};

/// A topology without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopologyEntry {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// Changes with the topology.
    pub fingerprint: Digest,
    /// The ids that topologies of other accounts and regions may name too.
    pub links: Vec<String>,
}

impl Store {
    /// Takes in a topology, with the ids that those of other accounts and regions may name too; tells of it, and answers
    /// true, only when its fingerprint is new.
    pub async fn put_topology(
        &self,
        account: &AccountId,
        region: &Region,
        fingerprint: &Digest,
        links: &[String],
        topology: &[u8],
        message: OutboxMessage,
    ) -> Result<bool, StoreError> {
        let mut write = self.engine.write("take in a topology").await?;
        let changed = write
            .run(
                "INSERT INTO topology (account, region, fingerprint, links, body) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (account, region) DO UPDATE
                 SET fingerprint = excluded.fingerprint, links = excluded.links, body = excluded.body
                 WHERE topology.fingerprint <> excluded.fingerprint",
                values![account.as_str(), region.as_str(), fingerprint, links.join("\n"), body::pack(topology)],
            )
            .await?;
        if changed > 0 {
            write.tell(DISCOVERY, [message]).await?;
        }
        write.commit().await?;
        Ok(changed > 0)
    }

    /// All topologies by account and region, without their bodies.
    pub async fn topologies(&self) -> Result<Vec<TopologyEntry>, StoreError> {
        let sql = "SELECT account, region, fingerprint, links FROM topology ORDER BY account, region";
        let rows: Vec<(String, String, String, String)> = self.engine.rows("list topologies", sql, Vec::new()).await?;
        let entry = |(account, region, fingerprint, links): (String, String, String, String)| {
            Ok(TopologyEntry {
                account: account_of(account)?,
                region: Region::new(region),
                fingerprint: body::digest(fingerprint)?,
                links: links.lines().map(str::to_owned).collect(),
            })
        };
        rows.into_iter().map(entry).collect()
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
            Ok(AccountStatus {
                account: account_of(account)?,
                region: Region::new(region),
                error,
                swept_at: body::time(swept_at)?,
            })
        };
        rows.into_iter().map(status).collect()
    }
}

fn account_of(raw: String) -> Result<AccountId, StoreError> {
    AccountId::try_from(raw).map_err(|cause| StoreError::Corrupt { what: "account".to_owned(), why: cause.to_string() })
}
