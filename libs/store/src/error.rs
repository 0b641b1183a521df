//! What can go wrong, by what the caller can do about it.

use std::path::PathBuf;

/// Why the store did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the store is not one.
    #[error("store address: {why}")]
    Url {
        /// What is wrong with it (never the whole address: it may hold a password).
        why: String,
    },
    /// The engine cannot be reached, or is too busy: the same call may succeed later.
    #[error("{query}: the store is unavailable")]
    Unavailable {
        /// What was being done.
        query: &'static str,
        /// The engine's word.
        #[source]
        cause: sqlx::Error,
    },
    /// Somebody else was faster: read again, decide again, write again.
    #[error("{query}: lost a race: {detail}")]
    Conflict {
        /// What was being done.
        query: &'static str,
        /// Over what.
        detail: String,
    },
    /// What is stored cannot be read back.
    #[error("stored {what} is corrupt: {why}")]
    Corrupt {
        /// Which thing.
        what: String,
        /// In which way.
        why: String,
    },
    /// The cursor belongs to another query, or is not one of ours.
    #[error("the page cursor does not belong to this query")]
    ForeignCursor,
    /// The store was written by a newer program.
    #[error("the store has schema {found}, this program knows schemas up to {known}: use the newer program")]
    NewerSchema {
        /// In the store.
        found: i64,
        /// Known here.
        known: i64,
    },
    /// The thing asked for or built upon is not in the store.
    #[error("{what} is not in the store")]
    Missing {
        /// Which thing.
        what: String,
    },
    /// The caller's arguments contradict each other.
    #[error("{query}: {why}")]
    Invalid {
        /// What was being done.
        query: &'static str,
        /// How.
        why: String,
    },
    /// A file beside the store could not be read or written.
    #[error("file `{}`", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The engine refused a statement.
    #[error("{query}: the store refused")]
    Refused {
        /// What was being done.
        query: &'static str,
        /// The engine's word.
        #[source]
        cause: sqlx::Error,
    },
}

/// Gives an engine's error the name of what was being done.
pub(crate) trait During<T> {
    fn during(self, query: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, sqlx::Error> {
    fn during(self, query: &'static str) -> Result<T, StoreError> {
        self.map_err(|cause| classify(query, cause))
    }
}

fn classify(query: &'static str, cause: sqlx::Error) -> StoreError {
    use sqlx::error::ErrorKind::{ForeignKeyViolation, UniqueViolation};
    match &cause {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => StoreError::Unavailable { query, cause },
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
            StoreError::Corrupt { what: format!("row of `{query}`"), why: cause.to_string() }
        }
        sqlx::Error::Database(refusal) => match refusal.kind() {
            UniqueViolation | ForeignKeyViolation => {
                StoreError::Conflict { query, detail: refusal.message().to_owned() }
            }
            _ => match refusal.code().as_deref().map(code_class) {
                Some(CodeClass::Race) => StoreError::Conflict { query, detail: refusal.message().to_owned() },
                Some(CodeClass::Away) => StoreError::Unavailable { query, cause },
                _ => StoreError::Refused { query, cause },
            },
        },
        _ => StoreError::Refused { query, cause },
    }
}

enum CodeClass {
    Race,
    Away,
    Other,
}

/// PostgreSQL's SQLSTATE (PostgreSQL 15 documentation, appendix A) or SQLite's extended result code (sqlite.org,
/// "Result and Error Codes"); the two never look alike, since SQLite's are at most four digits.
fn code_class(code: &str) -> CodeClass {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available; SQLITE_BUSY_SNAPSHOT
        "40001" | "40P01" | "55P03" | "517" => CodeClass::Race,
        // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL, SQLITE_CANTOPEN; too many connections and the server going down
        "5" | "6" | "13" | "14" => CodeClass::Away,
        _ if code.len() == 5 && (code.starts_with("08") || code.starts_with("53") || code.starts_with("57")) => {
            CodeClass::Away
        }
        _ => CodeClass::Other,
    }
}
