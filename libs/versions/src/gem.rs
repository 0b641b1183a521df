//! RubyGems'.

use crate::key::{KeyWriter, Why};

pub(crate) fn key(_raw: &str) -> Result<KeyWriter, Why> {
    Err("skeleton")
}
