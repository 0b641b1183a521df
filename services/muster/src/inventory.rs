//! `muster inventory TARGET`: what is in it.

use crate::{exit, target, terminal};
use anyhow::Result;
use clap::ValueEnum;
use muster_artifacts::Read;
use muster_packages::cyclonedx;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub target: target::Arguments,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
    Cyclonedx,
}

pub async fn run(arguments: Arguments) -> Result<u8> {
    let reads = target::read(arguments.target).await?;
    let text = match arguments.format {
        Format::Table => reads.iter().map(table).collect::<Vec<_>>().join("\n"),
        Format::Json => target::documents(&reads.iter().map(|read| &read.inventory).collect::<Vec<_>>())?,
        Format::Cyclonedx => {
            let write = |read: &Read| cyclonedx::write(&read.inventory, &read.name);
            target::documents(&reads.iter().map(write).collect::<Vec<_>>())?
        }
    };
    terminal::print(&text)?;
    for read in &reads {
        target::say_what_is_missing(&read.inventory);
        target::say_what_is_undetermined(&read.inventory.gaps);
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
