//! `muster network`: who can reach what, along which path, or why not.

mod analyze;
mod changed;
mod folder;
mod reachability;
mod why;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Analyse a folder of answers of the AWS CLI: what can be reached, why something can not, or what changed.
    Analyze(Box<analyze::Arguments>),
    /// Ask a running system what can be reached in one account and region.
    Reachability(reachability::Arguments),
}

pub async fn run(command: Command) -> Result<u8> {
    match command {
        Command::Analyze(arguments) => analyze::run(*arguments),
        Command::Reachability(arguments) => reachability::run(arguments).await,
    }
}
