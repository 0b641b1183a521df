//! Why a database was not published, fetched or taken.

use super::keys::KeyId;
use crate::DatabaseError;
use muster_domain::Digest;
use std::io;
use std::path::{Path, PathBuf};

/// Why a database was not published, fetched or taken. What was in place before is still there, unchanged.
#[derive(Debug, thiserror::Error)]
pub enum DistributionError {
    /// The operating system would not let us.
    #[error("{doing} `{path}`")]
    Io {
        /// What was being tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// Another process works on the same file or folder.
    #[error("another process works on `{0}`")]
    Busy(PathBuf),
    /// The index lists it, the repository does not have it; or there is no index.
    #[error("the repository has no `{0}`")]
    Missing(String),
    /// It could not be fetched to its end.
    #[error("fetch `{name}`")]
    Fetch {
        /// Its name in the repository.
        name: String,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// Not a key of the kind that is expected.
    #[error("`{path}` is not a key: {why}")]
    MalformedKey {
        /// Where it was read, or what it is.
        path: PathBuf,
        /// What does not hold.
        why: &'static str,
    },
    /// The operating system has no random numbers.
    #[error("no random numbers to make a key of")]
    NoRandomness,
    /// Nothing to sign with.
    #[error("no secret key to sign the index with")]
    NoSecretKey,
    /// The index is not a DSSE envelope.
    #[error("`{name}` is not a signed envelope: {why}")]
    NotAnEnvelope {
        /// Its name.
        name: &'static str,
        /// What does not hold.
        why: String,
    },
    /// Nobody signed it.
    #[error("`{0}` has no signature")]
    Unsigned(&'static str),
    /// Only keys signed it that are not trusted.
    #[error("`{name}` is signed by {keys:?} only, none of which is trusted")]
    UnknownKey {
        /// What was signed.
        name: &'static str,
        /// Ids as the envelope names them.
        keys: Vec<String>,
    },
    /// It names a trusted key, but the signature does not fit: one of both was changed.
    #[error("`{name}` is not what key {key} signed")]
    WrongSignature {
        /// What was signed.
        name: &'static str,
        /// The trusted key.
        key: KeyId,
    },
    /// Signed, but not an index that this program understands.
    #[error("index: {0}")]
    Index(String),
    /// Longer than an index may be.
    #[error("`{name}` has more than {bytes_max} bytes")]
    IndexTooLong {
        /// Its name.
        name: &'static str,
        /// The most that is read.
        bytes_max: u64,
    },
    /// An older index than what is here already: somebody holds back what is new.
    #[error("the index ends at epoch {found}, epoch {have} is here already")]
    RolledBack {
        /// The newest epoch known here.
        have: u64,
        /// The newest epoch of the index.
        found: u64,
    },
    /// The file is not the one that the index lists.
    #[error("`{name}` has digest {found}, the index says {expected}")]
    FileDiffers {
        /// Its name in the repository.
        name: String,
        /// As signed.
        expected: Digest,
        /// As found.
        found: Digest,
    },
    /// The file is shorter or longer than the index says.
    #[error("`{name}` has {found} bytes{}, the index says {expected}", if *.found > *.expected { " or more" } else { "" })]
    FileLength {
        /// Its name in the repository.
        name: String,
        /// As signed.
        expected: u64,
        /// As found; reading ends one byte after the expected end.
        found: u64,
    },
    /// A delta was to be applied to another file than it was made from.
    #[error("`{path}` has digest {found}, the delta was made from {expected}")]
    BaseDiffers {
        /// The file that was to be the base.
        path: PathBuf,
        /// As signed.
        expected: Digest,
        /// As found.
        found: Digest,
    },
    /// A file is what the index lists, but can't be unpacked.
    #[error("`{name}` can't be unpacked: {why}")]
    Damaged {
        /// Its name in the repository.
        name: String,
        /// What does not hold.
        why: String,
    },
    /// What was unpacked is not the database that the index promises.
    #[error(
        "`{name}` gives a database of {found_bytes} bytes with digest {found}, the index says {expected_bytes} and {expected}"
    )]
    ResultDiffers {
        /// The full file or the delta.
        name: String,
        /// As signed.
        expected: Digest,
        /// As signed.
        expected_bytes: u64,
        /// As found.
        found: Digest,
        /// As found.
        found_bytes: u64,
    },
    /// It is what was signed, but this program can't use it (another format, say).
    #[error("`{name}` is not usable here")]
    Unusable {
        /// The file.
        name: String,
        /// Why not.
        #[source]
        cause: DatabaseError,
    },
    /// The database is of another epoch than the index says.
    #[error("`{name}` is of epoch {found}, the index says {expected}")]
    EpochDiffers {
        /// The file.
        name: String,
        /// As signed.
        expected: u64,
        /// As found.
        found: u64,
    },
    /// Epochs only go up.
    #[error("epoch {epoch} is not newer than epoch {newest}, which is published already")]
    NotNewer {
        /// Of the database that was to be published.
        epoch: u64,
        /// The newest in the repository.
        newest: u64,
    },
}

/// For `map_err`: what was being tried with which file.
pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DistributionError {
    let path = path.to_owned();
    move |cause| DistributionError::Io { doing, path, cause }
}
