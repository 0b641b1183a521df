//! Semantic Versioning 2.0 as Swift's package manager reads it.

use crate::key::{KeyWriter, Why};

pub(crate) fn key(_raw: &str) -> Result<KeyWriter, Why> {
    Err("skeleton")
}
