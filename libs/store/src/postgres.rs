//! PostgreSQL, and what speaks its protocol.

use crate::{
    StoreError,
    engine::{Dialect, Engine},
    error::During,
};
use sqlx::any::AnyPoolOptions;

/// Of one process. A server takes 100 by default; nine processes of ours leave it room for people.
const CONNECTIONS_MAX: u32 = 8;

static DIALECT: Dialect = Dialect {
    name: "postgres",
    // Each statement sees what is committed when it starts; where a decision is made on what was read, the
    // transaction takes a lock by name first.
    begin: "BEGIN ISOLATION LEVEL READ COMMITTED",
    // 64 bits of the name's hash: two names that collide wait for each other, which is harmless.
    lock: Some("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"),
    bytes: "BYTEA",
    // By bytes, as SQLite does: then both engines give the same pages in the same order, whatever the server's locale.
    text: "TEXT COLLATE \"C\"",
    sequence: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    // It takes 65,535, counted in 16 bits (its documentation, "Message Formats", Bind); far fewer already make the
    // cost of a round trip vanish.
    parameters_max: 4_000,
    numbered: true,
};

/// Connects to the server.
pub(crate) async fn open(url: &str) -> Result<Engine, StoreError> {
    sqlx::any::install_default_drivers();
    let pool =
        AnyPoolOptions::new().max_connections(CONNECTIONS_MAX).connect(url).await.during("connect to PostgreSQL")?;
    Ok(Engine::new(pool, &DIALECT, false))
}
