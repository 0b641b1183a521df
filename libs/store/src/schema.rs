//! The schema: numbered steps that are only ever added to, in the SQL that both engines speak.
//!
//! `{text}`, `{bytes}` and `{sequence}` stand for what the engines call differently. Times are microseconds since 1970
//! UTC, digests are their text, flags are 0 and 1.

use crate::{
    StoreError,
    engine::{Dialect, Engine, values},
};

/// The steps; a step's number is its place, from 1.
const STEPS: &[&str] = &[
    include_str!("schema/0001_the_first.sql"),
    include_str!("schema/0002_marks.sql"),
    include_str!("schema/0003_behind.sql"),
    include_str!("schema/0004_record_changes.sql"),
    include_str!("schema/0005_links.sql"),
];

/// Brings the schema up to date in one transaction, while other processes that start wait.
pub(crate) async fn migrate(engine: &Engine) -> Result<(), StoreError> {
    migrate_with(engine, STEPS).await
}

async fn migrate_with(engine: &Engine, steps: &[&str]) -> Result<(), StoreError> {
    let mut write = engine.write("bring the schema up to date").await?;
    write.lock("muster schema").await?;
    write.script("CREATE TABLE IF NOT EXISTS schema_step (number BIGINT NOT NULL PRIMARY KEY)".to_owned()).await?;
    let numbers = write.rows("SELECT COALESCE(MAX(number), 0) FROM schema_step", Vec::new()).await?;
    let found = numbers.first().map_or(0, |(number,): &(i64,)| *number);
    let known = i64::try_from(steps.len()).expect("the steps are a short list");
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for (number, step) in (1..).zip(steps).filter(|(number, _)| *number > found) {
        write.script(spoken(step, engine.dialect)).await?;
        write.run("INSERT INTO schema_step (number) VALUES ($1)", values![number]).await?;
    }
    write.commit().await
}

fn spoken(step: &str, dialect: &Dialect) -> String {
    step.replace("{text}", dialect.text).replace("{bytes}", dialect.bytes).replace("{sequence}", dialect.sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_newer_schema_is_refused_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let engine = crate::sqlite::open(path.to_str().unwrap()).await.unwrap();
        let newer = [STEPS, &["CREATE TABLE of_the_future (id BIGINT)"]].concat();
        migrate_with(&engine, &newer).await.unwrap();
        migrate_with(&engine, &newer).await.unwrap(); // twice is harmless
        let error = migrate(&engine).await.unwrap_err();
        assert!(matches!(error, StoreError::NewerSchema { found: 6, known: 5 }), "{error}");
    }

    #[tokio::test]
    async fn a_step_that_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let engine = crate::sqlite::open(path.to_str().unwrap()).await.unwrap();
        migrate_with(&engine, &[STEPS[0], "CREATE TABLE half (id BIGINT); CREATE TABEL broken"]).await.unwrap_err();
        let tables = "SELECT name FROM sqlite_master WHERE name IN ('half', 'resource')";
        let left: Vec<(String,)> = engine.rows("look", tables, Vec::new()).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
        migrate(&engine).await.unwrap();
    }
}
