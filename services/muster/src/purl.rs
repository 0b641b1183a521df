//! `muster purl parse | build`: package URLs, line in, line out.

use crate::{exit, lines};
use anyhow::{Context, Result};
use clap::Subcommand;
use muster_domain::{Components, PackageUrl};
use serde_json::json;

#[derive(Subcommand)]
pub enum Command {
    /// Read package URLs and print `{type, namespace, name, version, qualifiers, subpath, purl}`, the last canonical, or
    /// `{error}`.
    Parse,
    /// Read JSON objects with those fields and print the package URL, or `{error}`.
    Build,
}

pub fn run(command: Command) -> Result<u8> {
    match command {
        Command::Parse => lines::answer(parse)?,
        Command::Build => lines::answer(build)?,
    }
    Ok(exit::GOOD)
}

fn parse(line: &str) -> Result<String> {
    match PackageUrl::parse(line) {
        Ok(purl) => serde_json::to_string(&purl).context("write JSON"),
        Err(error) => Ok(json!({ "error": error.to_string() }).to_string()),
    }
}

fn build(line: &str) -> Result<String> {
    let built = serde_json::from_str::<Components>(line)
        .map_err(|error| error.to_string())
        .and_then(|parts| PackageUrl::build(parts).map_err(|error| error.to_string()));
    Ok(match built {
        Ok(purl) => purl.to_string(),
        Err(error) => json!({ "error": error }).to_string(),
    })
}
