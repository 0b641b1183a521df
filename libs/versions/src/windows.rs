//! Windows' builds, `10.0.19045.3803`, and file versions.

use crate::key::{KeyWriter, Why};

pub(crate) fn key(_raw: &str) -> Result<KeyWriter, Why> {
    Err("skeleton")
}
