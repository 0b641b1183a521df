//! Bitnami's: Semantic Versioning 2.0 with a revision behind it.

use crate::key::{KeyWriter, Why};

pub(crate) fn key(_raw: &str) -> Result<KeyWriter, Why> {
    Err("skeleton")
}
