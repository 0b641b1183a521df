//! Advisory feeds and the compiled database: bytes -> advisories -> one file that is memory-mapped.
//!
//! Pure: no clock, no network. The only things touched outside are the files that the caller names.
//!
//! ```text
//! feeds              one file per feed format: bytes -> advisories, exploits, predictions, life cycles, VEX statements
//! source             a folder, file or archive of any of them, record by record
//! origins            the databases that records come from: names, pages, whose words come first
//! intervals          a range's events -> intervals of affected versions
//! requirements       version requirements of package managers -> sets of versions -> events
//! names              which vulnerabilities a record is about, under all their aliases
//! rating             CVSS vectors and vendors' words -> one score and one severity
//! updates            Windows' updates and what they supersede, as a claim's remark has them
//! database           the compiled file: build, open, look up, compare two
//! distribution       the compiled file: signed, published, fetched, by deltas where that is less
//! ```

mod cve_ids;
pub mod database;
pub mod distribution;
mod feed;
pub mod feeds;
mod gather;
mod intervals;
mod markup;
mod moment;
mod names;
pub mod origins;
pub mod rating;
mod requirements;
pub mod source;
pub mod updates;

pub use database::{
    Bound, BuildError, BuildReport, Builder, Candidate, CandidateRange, Candidates, Changes, Database, DatabaseError,
    DatabaseInfo, Delta, End, FactsReader, Found, IdleStatement, PackageName, Text, changes, delta,
};
pub use feed::{FeedError, HEAD_BYTES_MAX, Head};
pub use feeds::Item;
