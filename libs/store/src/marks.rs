//! Marks: which inventories a new advisory database touches. A match counts until an epoch after its own touches its
//! inventory, so an epoch costs what it touches and not what the store holds.

use crate::{
    Epoch, Store, StoreError, body,
    engine::{Write, values},
};
use muster_domain::Touched;
use std::collections::BTreeSet;

/// Held by whoever marks, and by whoever forgets the packages that this looks at.
pub(crate) const MARK_LOCK: &str = "muster mark";

impl Store {
    /// Up to which epoch everything that is touched is marked; 0 at first.
    pub async fn marked_epoch(&self) -> Result<u64, StoreError> {
        let sql = "SELECT done FROM marked_epoch";
        let row: Option<(i64,)> = self.engine.row("read the marked epoch", sql, Vec::new()).await?;
        row.map_or(Ok(0), |(done,)| body::unsigned(done))
    }

    /// Marks the inventories that have a version which the epoch touches; all of them when it touches everything or an
    /// epoch between was never marked. Marking twice changes nothing. The count is that of inventories.
    pub async fn mark_touched(&self, epoch: &Epoch) -> Result<u64, StoreError> {
        const QUERY: &str = "mark what an epoch touches";
        let number = body::signed(epoch.number);
        // First that it begins, in a transaction of its own: what is matched from here on by an older epoch is marked
        // by the match (`mark_if_late`), what is there already by what follows.
        let mut begin = self.engine.write(QUERY).await?;
        begin.lock(MARK_LOCK).await?;
        begin
            .run(
                "INSERT INTO marked_epoch (single, begun, done) VALUES (1, $1, 0)
                 ON CONFLICT (single) DO UPDATE SET begun = excluded.begun WHERE marked_epoch.begun < excluded.begun",
                values![number],
            )
            .await?;
        begin.commit().await?;

        let mut write = self.engine.write(QUERY).await?;
        write.lock(MARK_LOCK).await?;
        let done: Vec<(i64,)> = write.rows("SELECT done FROM marked_epoch", Vec::new()).await?;
        let done = done.first().map_or(0, |(done,)| *done);
        if done >= number {
            return Ok(0);
        }
        let marked = if epoch.delta.everything || done + 1 != number {
            mark_all(&mut write, number).await?
        } else {
            let mut marked = 0;
            for touched in epoch.delta.touched.chunks(write.rows_per_statement(COLUMNS) - 1) {
                marked += mark(&mut write, number, touched).await?;
            }
            marked
        };
        write.run("UPDATE marked_epoch SET done = $1", values![number]).await?;
        write.commit().await?;
        Ok(marked)
    }
}

/// Matches by an older epoch than the one that is marked come too late for its mark. `matched`: inventories and epochs.
pub(crate) async fn mark_if_late(write: &mut Write, matched: &BTreeSet<(&str, i64)>) -> Result<(), StoreError> {
    let begun: Vec<(i64,)> = write.rows("SELECT begun FROM marked_epoch", Vec::new()).await?;
    let begun = begun.first().map_or(0, |(begun,)| *begun);
    let late: BTreeSet<&str> =
        matched.iter().filter(|(_, epoch)| *epoch < begun).map(|(inventory, _)| *inventory).collect();
    let rows = late.into_iter().map(|inventory| values![inventory, begun]).collect();
    let head = "INSERT INTO inventory_behind (inventory, epoch)";
    let tail = "ON CONFLICT (inventory) DO UPDATE SET epoch = excluded.epoch
        WHERE inventory_behind.epoch < excluded.epoch";
    write.insert(head, rows, tail).await?;
    Ok(())
}

async fn mark_all(write: &mut Write, number: i64) -> Result<u64, StoreError> {
    let sql = "INSERT INTO inventory_behind (inventory, epoch) SELECT digest, $1 FROM inventory WHERE TRUE
        ON CONFLICT (inventory) DO UPDATE SET epoch = excluded.epoch WHERE inventory_behind.epoch < excluded.epoch";
    write.run(sql, values![number]).await
}

/// Parameters of one touched package.
const COLUMNS: usize = 4;

async fn mark(write: &mut Write, number: i64, touched: &[Touched]) -> Result<u64, StoreError> {
    let bytes = write.bytes();
    let row = |row: usize| {
        let [ecosystem, name, from, to] = [2, 3, 4, 5].map(|column| row * COLUMNS + column);
        format!("(${ecosystem}, ${name}, CAST(${from} AS {bytes}), CAST(${to} AS {bytes}))")
    };
    let rows: Vec<_> = (0..touched.len()).map(row).collect();
    // CROSS JOIN: SQLite then walks through the names and looks each up, and PostgreSQL does as it likes anyway.
    let sql = format!(
        "WITH touched (ecosystem, name, version_from, version_to) AS (VALUES {})
         INSERT INTO inventory_behind (inventory, epoch)
         SELECT DISTINCT found.inventory, CAST($1 AS BIGINT) FROM (
             SELECT p.inventory FROM touched t CROSS JOIN inventory_package p
             WHERE p.ecosystem = t.ecosystem AND p.name = t.name AND p.version_key >= t.version_from
             AND (t.version_to = CAST('' AS {bytes}) OR p.version_key < t.version_to)
             UNION ALL
             SELECT p.inventory FROM touched t CROSS JOIN inventory_package p
             WHERE p.ecosystem = t.ecosystem AND p.name = t.name AND p.version_key IS NULL
         ) AS found WHERE TRUE
         ON CONFLICT (inventory) DO UPDATE SET epoch = excluded.epoch WHERE inventory_behind.epoch < excluded.epoch",
        rows.join(", ")
    );
    let of_one = |one: &Touched| values![one.ecosystem.as_str(), one.name.as_str(), one.from.clone(), one.to.clone()];
    let values = std::iter::once(number.into()).chain(touched.iter().flat_map(of_one)).collect();
    write.run_made(sql, values).await
}
