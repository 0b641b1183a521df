//! The outbox: messages written in the transaction of the change that they tell of, and sent after it.

use crate::{
    Store, StoreError,
    engine::{Value, Write, values},
    limit,
};
use std::collections::BTreeMap;
use tokio::sync::Notify;

/// Outbox of `observe` and `put_topology`.
pub const DISCOVERY: &str = "discovery";
/// Outbox of `put_scan`.
pub const INVENTORY: &str = "inventory";
/// Outbox of `put_epoch`.
pub const ADVISORIES: &str = "advisories";
/// Outbox of `put_match`.
pub const MATCHING: &str = "matching";
/// Outbox of `apply`.
pub const SCORING: &str = "scoring";

const SERVICES: [&str; 5] = [DISCOVERY, INVENTORY, ADVISORIES, MATCHING, SCORING];

/// A message that still has to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The same change always gives the same id, so that a repeat is seen as one.
    pub id: String,
    /// Where to.
    pub subject: String,
    /// Messages of one key are sent in order.
    pub key: String,
    /// The trace, among others.
    pub headers: BTreeMap<String, String>,
    /// What it says.
    pub payload: Vec<u8>,
}

/// One bell per service, rung when a transaction of this process has put something into its outbox.
#[derive(Default)]
pub(crate) struct Bells([Notify; SERVICES.len()]);

impl Bells {
    fn of(&self, service: &str) -> Option<&Notify> {
        SERVICES.iter().position(|name| *name == service).map(|index| &self.0[index])
    }

    pub fn ring(&self, service: &str) {
        if let Some(bell) = self.of(service) {
            bell.notify_one();
        }
    }
}

impl Write {
    /// Messages whose id is already waiting are not written again.
    pub(crate) async fn tell(
        &mut self,
        service: &'static str,
        messages: impl IntoIterator<Item = OutboxMessage>,
    ) -> Result<(), StoreError> {
        let rows: Vec<_> = messages
            .into_iter()
            .map(|message| {
                let headers = serde_json::to_string(&message.headers).expect("a map of texts is always JSON");
                values![service, message.id, message.subject, message.key, headers, message.payload]
            })
            .collect();
        if !rows.is_empty() {
            self.rung = Some(service);
        }
        let head = "INSERT INTO outbox (service, id, subject, order_key, headers, payload)";
        self.insert(head, rows, "ON CONFLICT (service, id) DO NOTHING").await?;
        Ok(())
    }
}

impl Store {
    /// What `service` still has to send, oldest first.
    pub async fn outbox(&self, service: &str, rows: u32) -> Result<Vec<OutboxMessage>, StoreError> {
        let sql = "SELECT id, subject, order_key, headers, payload FROM outbox
            WHERE service = $1 ORDER BY sequence LIMIT $2";
        let rows = self.engine.rows("read the outbox", sql, values![service, limit(rows)]).await?;
        let message = |(id, subject, key, headers, payload): (String, String, String, String, Vec<u8>)| {
            let headers = serde_json::from_str(&headers)
                .map_err(|cause| StoreError::Corrupt { what: format!("message {id}"), why: cause.to_string() })?;
            Ok(OutboxMessage { id, subject, key, headers, payload })
        };
        rows.into_iter().map(message).collect()
    }

    /// These have been sent.
    pub async fn outbox_done(&self, service: &str, ids: &[String]) -> Result<(), StoreError> {
        const QUERY: &str = "clear the outbox";
        /// In one statement.
        const IDS_MAX: usize = 500;
        let mut write = self.engine.write(QUERY).await?;
        for ids in ids.chunks(IDS_MAX) {
            let names: Vec<_> = (2..=ids.len() + 1).map(|index| format!("${index}")).collect();
            let mut parameters = values![service];
            parameters.extend(ids.iter().map(|id| Value::from(id.as_str())));
            let sql = format!("DELETE FROM outbox WHERE service = $1 AND id IN ({})", names.join(", "));
            write.run_made(sql, parameters).await?;
        }
        write.commit().await
    }

    /// Waits until this process writes to the outbox of `service`. It says nothing of other processes: whoever
    /// sends looks by the clock as well.
    pub async fn outbox_written(&self, service: &str) {
        match self.engine.bells.of(service) {
            Some(bell) => bell.notified().await,
            None => std::future::pending().await,
        }
    }

    /// How many messages each service still has to send.
    pub async fn outbox_lengths(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let sql = "SELECT service, COUNT(*) FROM outbox GROUP BY service";
        let rows: Vec<(String, i64)> = self.engine.rows("count the outbox", sql, Vec::new()).await?;
        let mut lengths: BTreeMap<_, _> = SERVICES.iter().map(|service| ((*service).to_owned(), 0)).collect();
        for (service, count) in rows {
            lengths.insert(service, crate::body::unsigned(count)?);
        }
        Ok(lengths)
    }
}
