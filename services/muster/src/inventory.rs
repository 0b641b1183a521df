//! `muster inventory TARGET`: what is in it.

use crate::{exit, target, terminal};
use anyhow::{Context, Result};
use clap::ValueEnum;
use muster_artifacts::{Read, Target};
use muster_packages::cyclonedx;

#[derive(clap::Args)]
pub struct Arguments {
    /// `dir:PATH`, `oci:PATH`, `image:REFERENCE`, `zip:PATH` or `sbom:PATH`.
    target: Target,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Only this platform of an image index, `OS/ARCH[/VARIANT]`.
    #[arg(long)]
    platform: Option<String>,
    #[command(flatten)]
    registry: target::Registry,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
    Cyclonedx,
}

pub async fn run(arguments: Arguments) -> Result<u8> {
    let reads = target::read(&arguments.target, arguments.registry, arguments.platform.as_deref()).await?;
    let text = match arguments.format {
        Format::Table => reads.iter().map(table).collect::<Vec<_>>().join("\n"),
        Format::Json => json(&reads, |read| serde_json::to_value(&read.inventory))?,
        Format::Cyclonedx => json(&reads, |read| Ok(cyclonedx::write(&read.inventory, &read.name)))?,
    };
    terminal::print(&text)?;
    for skipped in reads.iter().flat_map(|read| &read.inventory.skipped) {
        terminal::say(&format!("muster: skipped {}: {}", skipped.place, skipped.reason));
    }
    for limit in reads.iter().flat_map(|read| &read.inventory.limits_reached) {
        terminal::say(&format!("muster: {limit}"));
    }
    Ok(exit::GOOD)
}

fn table(read: &Read) -> String {
    let mut table = terminal::table(&["Package", "Version", "Type", "Path"]);
    for package in &read.inventory.packages {
        let path = package.paths.first().map(String::as_str).unwrap_or_default();
        table.add_row([package.name.as_str(), &package.version, purl_type(&package.purl), path]);
    }
    let os = read.inventory.os.as_ref().map(|os| format!(", {}", os.pretty_name)).unwrap_or_default();
    format!("{}{os}\n{}\n{} packages\n", read.name, table.trim_fmt(), read.inventory.packages.len())
}

/// The type of a package URL: `pypi`.
pub fn purl_type(purl: &str) -> &str {
    purl.strip_prefix("pkg:").and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

/// One document for one root, an array for several.
pub fn json(reads: &[Read], one: impl Fn(&Read) -> serde_json::Result<serde_json::Value>) -> Result<String> {
    let mut values = reads.iter().map(one).collect::<serde_json::Result<Vec<_>>>().context("write JSON")?;
    let value = if values.len() == 1 { values.remove(0) } else { values.into() };
    serde_json::to_string_pretty(&value).context("write JSON")
}
