//! Advisory feeds and the compiled database: bytes -> advisories -> one file that is memory-mapped.
//!
//! Pure: no clock, no network. The only things touched outside are the files that the caller names.
//!
//! ```text
//! osv  kev  epss     one feed format each: bytes -> advisories, known exploits, predictions
//! source             a folder, file or archive of any of them, record by record
//! intervals          a range's events -> intervals of affected versions
//! names              which vulnerabilities a record is about, under all their aliases
//! rating             CVSS vectors and vendors' words -> one score and one severity
//! database           the compiled file: build, open, look up, compare two
//! distribution       the compiled file: signed, published, fetched, by deltas where that is less
//! ```

pub mod database;
pub mod distribution;
pub mod epss;
mod feed;
mod intervals;
pub mod kev;
mod names;
pub mod osv;
pub mod rating;
pub mod source;

pub use database::{
    Bound, BuildError, BuildReport, Builder, Candidate, CandidateRange, Candidates, Database, DatabaseError,
    DatabaseInfo, Delta, End, PackageName, Text, delta,
};
pub use feed::FeedError;
