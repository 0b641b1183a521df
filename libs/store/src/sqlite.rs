//! SQLite: one file, one writer at a time, any number of readers beside it.

use crate::{
    StoreError,
    engine::{Dialect, Engine},
    error::During,
};
use sqlx::any::AnyPoolOptions;
use std::path::Path;

/// One connection writes, the rest read; each is a thread with a page cache of 2 MB.
const CONNECTIONS_MAX: u32 = 6;

static DIALECT: Dialect = Dialect {
    name: "sqlite",
    // Takes the write lock at once. A plain BEGIN takes it at the first write and then fails, without waiting, when
    // another has written since the first read.
    begin: "BEGIN IMMEDIATE",
    lock: None,
    bytes: "BLOB",
    text: "TEXT",
    sequence: "INTEGER PRIMARY KEY AUTOINCREMENT",
    // It takes 32,766 (sqlite.org/limits.html, section 9), but looks for each name in the list of all.
    parameters_max: 400,
    // for the same reason: `?` has no name to be looked for
    numbered: false,
};

/// For each new connection, in this order (the timeout first, since switching to WAL may have to wait).
///
/// - WAL: readers do not wait for the writer, and a commit is one append.
/// - `synchronous = NORMAL`: a killed process loses nothing (what was committed is with the operating system), and the
///   file is never damaged. A power cut may take the last commits, all of them from some moment on; then the store
///   simply is a few seconds older, the next sweep finds what it lacks, and stable ids make the repeat harmless.
///   `FULL` would put a disk flush into every one of the small commits that a resource takes on its way.
/// - foreign keys: SQLite checks them only when told to.
/// - `wal_autocheckpoint`: each checkpoint flushes the disk twice and writes each changed page into the file once, so rare
///   ones are cheaper. In pages of 4 KiB: the log grows to 64 MiB instead of 4, unless a long reader holds it up.
const PRAGMAS: [&str; 5] = [
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA wal_autocheckpoint = 16384",
    "PRAGMA foreign_keys = ON",
];

/// Opens the file, and makes it when missing.
pub(crate) async fn open(path: &str) -> Result<Engine, StoreError> {
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path == ":memory:" {
        return Err(StoreError::Url { why: "`sqlite:` needs the path of a file".to_owned() });
    }
    let path = std::path::absolute(path).map_err(|cause| StoreError::File { path: path.into(), cause })?;
    sqlx::any::install_default_drivers();
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .after_connect(|connection, _| {
            Box::pin(async move {
                for pragma in PRAGMAS {
                    sqlx::query(pragma).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .connect(&url(&path)?)
        .await
        .during("open the SQLite file")?;
    Ok(Engine::new(pool, &DIALECT, true))
}

/// As a URL: every byte that means something there is escaped.
fn url(path: &Path) -> Result<String, StoreError> {
    let Some(path) = path.to_str() else {
        return Err(StoreError::Url { why: format!("`{}` is not UTF-8", path.display()) });
    };
    let mut url = String::from("sqlite://");
    for byte in path.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' => url.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url.push_str("?mode=rwc");
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_escaped_where_a_url_would_misread_it() {
        let check = |path: &str, expected: &str| assert_eq!(url(Path::new(path)).unwrap(), expected);
        check("/var/lib/muster.db", "sqlite:///var/lib/muster.db?mode=rwc");
        check("/tmp/50% of #1?/a b.db", "sqlite:///tmp/50%25%20of%20%231%3F/a%20b.db?mode=rwc");
    }
}
