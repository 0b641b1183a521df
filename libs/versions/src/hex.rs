//! Elixir's and Erlang's: Semantic Versioning 2.0 as Elixir's `Version` reads it.

use crate::key::{KeyWriter, Why};

pub(crate) fn key(_raw: &str) -> Result<KeyWriter, Why> {
    Err("skeleton")
}
