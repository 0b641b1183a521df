//! The one seam under all queries: a pool, a transaction that writes, and the few words in which the engines differ.

use crate::{StoreError, error::During, outbox::Bells};
use sqlx::{Any, AnyPool, Transaction, any::AnyArguments, query::Query};
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// What an engine calls things that the other calls otherwise.
pub(crate) struct Dialect {
    /// For logs.
    pub name: &'static str,
    /// Opens a transaction that writes.
    pub begin: &'static str,
    /// Waits for the lock named `$1` until the transaction ends; `None`: `begin` has locked everything already.
    pub lock: Option<&'static str>,
    /// The type of bytes.
    pub bytes: &'static str,
    /// The type of text that is ordered by its bytes.
    pub text: &'static str,
    /// The type of a primary key that counts upwards by itself and never reuses a number.
    pub sequence: &'static str,
    /// Parameters of one statement, at most.
    pub parameters_max: usize,
    /// Whether parameters that come in order are numbered, too; else they are `?`.
    pub numbered: bool,
}

/// A pool of connections to one engine.
#[derive(Clone)]
pub(crate) struct Engine {
    pub pool: AnyPool,
    pub dialect: &'static Dialect,
    /// Held while writing when the engine has one writer at a time: waiting here is fair and in order, whereas the
    /// engine's own waiting is sleeping and trying again.
    pub turn: Option<Arc<Mutex<()>>>,
    pub bells: Arc<Bells>,
}

impl Engine {
    pub fn new(pool: AnyPool, dialect: &'static Dialect, one_writer: bool) -> Self {
        let turn = one_writer.then(|| Arc::new(Mutex::new(())));
        Self { pool, dialect, turn, bells: Arc::default() }
    }

    /// Begins a transaction that writes; without `commit` it is as if nothing had happened.
    pub async fn write(&self, query: &'static str) -> Result<Write, StoreError> {
        let turn = match &self.turn {
            Some(turn) => Some(turn.clone().lock_owned().await),
            None => None,
        };
        let transaction = self.pool.begin_with(self.dialect.begin).await.during(query)?;
        Ok(Write { transaction, query, dialect: self.dialect, bells: self.bells.clone(), rung: None, _turn: turn })
    }

    /// Reads all rows of a statement.
    pub async fn rows<R: Row>(
        &self,
        query: &'static str,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<R>, StoreError> {
        let rows = bound(sqlx::query(sql), values).fetch_all(&self.pool).await.during(query)?;
        rows.iter().map(R::from_row).collect::<Result<_, _>>().during(query)
    }

    /// Reads all rows of a statement made at run time; its text holds no value, only `$n`.
    pub async fn rows_made<R: Row>(
        &self,
        query: &'static str,
        sql: String,
        values: Vec<Value>,
    ) -> Result<Vec<R>, StoreError> {
        let statement = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
        let rows = bound(statement, values).fetch_all(&self.pool).await.during(query)?;
        rows.iter().map(R::from_row).collect::<Result<_, _>>().during(query)
    }

    /// Reads the one row that a statement can give.
    pub async fn row<R: Row>(
        &self,
        query: &'static str,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Option<R>, StoreError> {
        let row = bound(sqlx::query(sql), values).fetch_optional(&self.pool).await.during(query)?;
        row.as_ref().map(R::from_row).transpose().during(query)
    }
}

/// A row as a tuple.
pub(crate) trait Row: for<'row> sqlx::FromRow<'row, sqlx::any::AnyRow> {}
impl<R: for<'row> sqlx::FromRow<'row, sqlx::any::AnyRow>> Row for R {}

/// A transaction that writes.
pub(crate) struct Write {
    // before the turn: the connection is rolled back first, then the next one may write
    transaction: Transaction<'static, Any>,
    pub query: &'static str,
    dialect: &'static Dialect,
    bells: Arc<Bells>,
    /// The service whose outbox got a row.
    pub rung: Option<&'static str>,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Write {
    /// Keeps other writers of the same thing out until the end of the transaction, so that what is read stays true.
    pub async fn lock(&mut self, thing: &str) -> Result<(), StoreError> {
        if let Some(lock) = self.dialect.lock {
            sqlx::query(lock).bind(thing.to_owned()).execute(&mut *self.transaction).await.during(self.query)?;
        }
        Ok(())
    }

    /// The same for several things. Whoever takes several takes them in their order, so that two never wait for each
    /// other.
    pub async fn lock_all(&mut self, things: &BTreeSet<String>) -> Result<(), StoreError> {
        let lock = match (self.dialect.lock, things.first()) {
            (None, _) | (_, None) => return Ok(()),
            (_, Some(thing)) if things.len() == 1 => return self.lock(thing).await,
            (Some(lock), _) => lock,
        };
        let lock = lock.replace("$1", "thing");
        let sql = format!("{lock} FROM (VALUES {}) AS things (thing)", placeholders(things.len(), 1, 0));
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
        let things = things.iter().map(|thing| Value::from(thing.as_str())).collect();
        bound(query, things).execute(&mut *self.transaction).await.during(self.query)?;
        Ok(())
    }

    /// Runs a statement and counts the rows it touched.
    pub async fn run(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64, StoreError> {
        let done = bound(sqlx::query(sql), values).execute(&mut *self.transaction).await.during(self.query)?;
        Ok(done.rows_affected())
    }

    /// Runs a statement made at run time; its text holds no value, only `$n`.
    pub async fn run_made(&mut self, sql: String, values: Vec<Value>) -> Result<u64, StoreError> {
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
        let done = bound(query, values).execute(&mut *self.transaction).await.during(self.query)?;
        Ok(done.rows_affected())
    }

    /// Runs several statements without parameters.
    pub async fn script(&mut self, sql: String) -> Result<(), StoreError> {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *self.transaction).await.during(self.query)?;
        Ok(())
    }

    /// Reads within the transaction.
    pub async fn rows<R: Row>(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Vec<R>, StoreError> {
        let query = bound(sqlx::query(sql), values);
        let rows = query.fetch_all(&mut *self.transaction).await.during(self.query)?;
        rows.iter().map(R::from_row).collect::<Result<_, _>>().during(self.query)
    }

    /// Reads within the transaction by a statement made at run time; its text holds no value, only `$n`.
    pub async fn rows_made<R: Row>(&mut self, sql: String, values: Vec<Value>) -> Result<Vec<R>, StoreError> {
        let query = bound(sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false), values);
        let rows = query.fetch_all(&mut *self.transaction).await.during(self.query)?;
        rows.iter().map(R::from_row).collect::<Result<_, _>>().during(self.query)
    }

    /// What the engine calls bytes.
    pub fn bytes(&self) -> &'static str {
        self.dialect.bytes
    }

    /// Rows of so many parameters that go into one statement.
    pub fn rows_per_statement(&self, columns: usize) -> usize {
        (self.dialect.parameters_max / columns).max(1)
    }

    /// `head VALUES (…), (…) tail` with as many rows in a statement as are sensible.
    pub async fn insert(&mut self, head: &str, rows: Vec<Vec<Value>>, tail: &str) -> Result<u64, StoreError> {
        let mut touched = 0;
        for (sql, values) in self.inserts(head, rows, tail) {
            touched += self.run_made(sql, values).await?;
        }
        Ok(touched)
    }

    /// The same, with what `tail` says to return.
    pub async fn insert_returning<R: Row>(
        &mut self,
        head: &str,
        rows: Vec<Vec<Value>>,
        tail: &str,
    ) -> Result<Vec<R>, StoreError> {
        let mut returned = Vec::new();
        for (sql, values) in self.inserts(head, rows, tail) {
            returned.extend(self.rows_made(sql, values).await?);
        }
        Ok(returned)
    }

    fn inserts(&self, head: &str, rows: Vec<Vec<Value>>, tail: &str) -> Vec<(String, Vec<Value>)> {
        let mut statements = Vec::new();
        let mut rows = rows.into_iter().peekable();
        while let Some(first) = rows.peek() {
            let columns = first.len();
            let chunk: Vec<_> = rows.by_ref().take(self.rows_per_statement(columns)).collect();
            let values = match self.dialect.numbered {
                true => placeholders(chunk.len(), columns, 0),
                false => vec![format!("({})", vec!["?"; columns].join(", ")); chunk.len()].join(", "),
            };
            let sql = format!("{head} VALUES {values} {tail}");
            statements.push((sql, chunk.into_iter().flatten().collect()));
        }
        statements
    }

    /// Makes it all true at once, and wakes whoever sends the messages.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await.during(self.query)?;
        if let Some(service) = self.rung {
            self.bells.ring(service);
        }
        Ok(())
    }
}

/// `($1, $2), ($3, $4)`, counting on from `after`.
pub(crate) fn placeholders(rows: usize, columns: usize, after: usize) -> String {
    let row = |row: usize| {
        let names: Vec<_> = (1..=columns).map(|column| format!("${}", after + row * columns + column)).collect();
        format!("({})", names.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// A parameter of a statement. No floats: scores are kept in whole tenths and millionths, which compare exactly.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

/// Binds the values in order.
pub(crate) fn bound<'q>(mut query: Query<'q, Any, AnyArguments>, values: Vec<Value>) -> Query<'q, Any, AnyArguments> {
    for value in values {
        query = match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
            Value::Bytes(bytes) => query.bind(bytes),
        };
    }
    query
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(bytes: Option<Vec<u8>>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<jiff::Timestamp> for Value {
    fn from(time: jiff::Timestamp) -> Self {
        Self::Number(Some(time.as_microsecond()))
    }
}

impl From<&muster_domain::Digest> for Value {
    fn from(digest: &muster_domain::Digest) -> Self {
        digest.as_str().into()
    }
}

impl From<&Option<muster_domain::Digest>> for Value {
    fn from(digest: &Option<muster_domain::Digest>) -> Self {
        Self::Text(digest.as_ref().map(|digest| digest.as_str().to_owned()))
    }
}

impl From<&muster_domain::ResourceId> for Value {
    fn from(resource: &muster_domain::ResourceId) -> Self {
        resource.as_str().into()
    }
}

/// `values![a, b]`: each turned into a [`Value`].
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::engine::Value::from($value)),*] };
}
pub(crate) use values;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_through_the_rows() {
        assert_eq!(placeholders(2, 2, 0), "($1, $2), ($3, $4)");
        assert_eq!(placeholders(1, 3, 4), "($5, $6, $7)");
    }
}
