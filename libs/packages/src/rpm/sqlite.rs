//! `rpmdb.sqlite`: the table `Packages` has a header in each row's `blob` (rpm's `lib/backend/sqlite.c`, read 2026-11-24).
//! Read by SQLite itself, from memory.

use super::Broken;
use rusqlite::{Connection, MAIN_DB, config::DbConfig};
use std::io::Read as _;

/// The beginning of an SQLite file (sqlite.org/fileformat.html, "Magic Header String").
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the file says whether it is written through a log: "File format version numbers", both 2 then. Without the log
/// the file is read as if there were none, which is what 1 means.
const VERSIONS: std::ops::Range<usize> = 18..20;

/// Steps of SQLite's virtual machine: a thousand for each row of a database with 100,000 packages. A file whose pages
/// point in circles ends here.
const STEPS_MAX: i32 = 100_000_000;

/// Each header with the number of its row.
pub(super) fn headers(bytes: &[u8], take: &mut dyn FnMut(u32, &[u8])) -> Result<(), Broken> {
    if !bytes.starts_with(MAGIC) || bytes.len() < 100 {
        return Err(Broken::NotThatKind);
    }
    let without_log =
        bytes[..VERSIONS.start].chain(&[1; VERSIONS.end - VERSIONS.start][..]).chain(&bytes[VERSIONS.end..]);
    let mut connection = Connection::open_in_memory()?;
    connection.deserialize_read_exact(MAIN_DB, without_log, bytes.len(), true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.execute_batch("PRAGMA cell_size_check = ON")?;
    connection.progress_handler(STEPS_MAX, Some(|| true))?;
    // A view of this name could be any query.
    let mut kinds = connection.prepare("SELECT type FROM sqlite_schema WHERE name = 'Packages'")?;
    if kinds.query_row([], |row| row.get::<_, String>(0))? != "table" {
        return Err(Broken::Damaged("its `Packages` is not a table"));
    }
    let mut statement = connection.prepare("SELECT hnum, blob FROM Packages")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let header = row.get_ref(1)?.as_blob().map_err(|_| Broken::Damaged("a header is not a blob"))?;
        take(u32::try_from(number).unwrap_or(u32::MAX), header);
    }
    Ok(())
}
