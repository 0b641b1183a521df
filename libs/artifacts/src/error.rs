//! Why a target could not be read at all. What costs a part only stands in the inventory instead.

use crate::ImageReference;
use muster_domain::Digest;
use std::{io, path::PathBuf};

/// Why a target could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// A file or folder of this machine.
    #[error("read `{path}`")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Neither an OCI layout nor what `docker save` writes.
    #[error("`{path}` is no OCI layout and no docker archive: {why}")]
    NotAnImage {
        /// Which.
        path: PathBuf,
        /// What is missing.
        why: String,
    },
    /// No image has this tag or digest.
    #[error("no image `{wanted}` in `{place}`")]
    NoSuchImage {
        /// The tag or digest.
        wanted: String,
        /// Where it was looked for.
        place: String,
    },
    /// A manifest, index or configuration that is no JSON, or not what it should be.
    #[error("manifest `{digest}` is malformed: {why}")]
    Manifest {
        /// Its digest or name.
        digest: String,
        /// What is wrong.
        why: String,
    },
    /// A media type that is no image (a Helm chart, a signature, a schema 1 manifest).
    #[error("`{digest}` has the unsupported media type `{media_type}`")]
    UnsupportedMediaType {
        /// Digest of the manifest.
        digest: String,
        /// What it says it is.
        media_type: String,
    },
    /// One of the [`crate::Limits`] without which nothing could be told.
    #[error("{what} is more than the limit of {max}")]
    TooLarge {
        /// What, with its size.
        what: String,
        /// The limit.
        max: u64,
    },
    /// A blob is not what its digest says.
    #[error("blob `{expected}` has the content of `{actual}`")]
    DigestMismatch {
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// A layer's stream broke off or could not be read.
    #[error("read layer `{digest}`")]
    Layer {
        /// Which.
        digest: Digest,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The registry could not be reached, or went silent.
    #[error("ask registry for `{url}`")]
    Registry {
        /// What was asked for, without its query.
        url: String,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// The registry answered with an error.
    #[error("registry answers {status} to `{url}`{detail}")]
    RegistryStatus {
        /// HTTP status code.
        status: u16,
        /// What was asked for, without its query.
        url: String,
        /// The beginning of its answer, with `: ` in front, or nothing.
        detail: String,
    },
    /// The registry refuses our credentials, or wants some.
    #[error("registry denies access to `{reference}`{detail}")]
    Denied {
        /// The image.
        reference: Box<ImageReference>,
        /// The beginning of its answer, with `: ` in front, or nothing.
        detail: String,
    },
    /// The registry sent us somewhere that we do not go.
    #[error("registry redirects `{url}` {why}")]
    Redirect {
        /// What was asked for, without its query.
        url: String,
        /// Where to.
        why: String,
    },
    /// The file is no zip.
    #[error("`{place}` is no zip: {why}")]
    NotAZip {
        /// Which.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// The file is no SBOM that we read.
    #[error("read SBOM `{path}`")]
    Sbom {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: muster_packages::cyclonedx::SbomError,
    },
    /// The reading task was cancelled because the process ends.
    #[error("reading was cancelled")]
    Cancelled,
}

impl ArtifactError {
    /// Whether trying again later may bring another answer: the network's fault and not the artifact's.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Registry { .. } | Self::Cancelled => true,
            Self::RegistryStatus { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}
