//! `muster`: all services in one process by default, or any one by name; and the command line.

mod accuracy;
mod ask;
mod coverage;
mod cvss;
mod db;
mod dead_letters;
mod exit;
mod findings;
mod inventory;
mod lines;
mod network;
mod once;
mod purl;
mod sarif;
mod scan;
mod status;
mod target;
mod terminal;
mod up;
mod version;

use anyhow::{Context, Result};
use clap::{
    Parser, Subcommand,
    error::{ContextKind, ContextValue},
};
use std::process::ExitCode;
use tokio::runtime::{Builder, Runtime};

/// A self-hosted Amazon Inspector.
#[derive(Parser)]
#[command(name = "muster", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the services against the AWS accounts in reach.
    Up(Box<up::Arguments>),
    /// Say how a running system does.
    Status(status::Arguments),
    /// Judge one image, folder, zip or SBOM.
    Scan(scan::Arguments),
    /// List the software of one image, folder, zip or SBOM.
    Inventory(inventory::Arguments),
    /// Build and look at advisory databases.
    #[command(subcommand)]
    Db(db::Command),
    /// Ask a running system for its findings.
    #[command(subcommand)]
    Findings(findings::Command),
    /// Say who can reach what in a network, along which path, or why not.
    #[command(subcommand)]
    Network(network::Command),
    /// List which resources are scanned, and why others are not.
    Coverage(coverage::Arguments),
    /// List and replay the messages that nobody could handle.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Compare versions, and ask which lie in a range.
    #[command(subcommand)]
    Version(version::Command),
    /// Read and write package URLs.
    #[command(subcommand)]
    Purl(purl::Command),
    /// Score CVSS vectors.
    #[command(subcommand)]
    Cvss(cvss::Command),
    /// Say how right matching is, against labels.
    Accuracy(accuracy::Arguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let error = without_secrets(error);
            // --help and --version come this way too, and are no errors.
            let code = if error.use_stderr() { exit::USAGE } else { exit::GOOD };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    muster_kit::install_crypto();
    match run(arguments.command) {
        Ok(code) => ExitCode::from(code),
        Err(error) if terminal::is_closed_pipe(&error) => ExitCode::from(exit::GOOD),
        Err(error) => {
            terminal::say(&format!("muster: {error:#}"));
            ExitCode::from(exit::FAILED)
        }
    }
}

/// A value that cannot be read is shown, and may be an address with a password in it.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let value = muster_kit::redact(value);
        error.insert(ContextKind::InvalidValue, ContextValue::String(value));
    }
    error
}

/// Stack of each worker thread, in bytes. Futures of the AWS SDK, which is compiled without optimisation, take most
/// of tokio's usual 2 MiB when they nest; memory that is not touched costs nothing.
const STACK_BYTES: usize = 16 << 20;

/// Starting the threads of a runtime takes longer than what many commands do, so each starts what it needs.
fn run(command: Command) -> Result<u8> {
    match command {
        Command::Network(command) => runtime()?.block_on(network::run(command)),
        Command::Version(command) => version::run(command),
        Command::Purl(command) => purl::run(command),
        Command::Cvss(command) => cvss::run(command),
        Command::Accuracy(arguments) => accuracy::run(arguments),
        Command::Scan(arguments) if arguments.target.is_one_local_root() => {
            one_thread()?.block_on(scan::run(arguments))
        }
        Command::Inventory(arguments) if arguments.target.is_one_local_root() => {
            one_thread()?.block_on(inventory::run(arguments))
        }
        Command::Up(arguments) => runtime()?.block_on(up::run(*arguments)),
        Command::Status(arguments) => runtime()?.block_on(status::run(arguments)),
        Command::Scan(arguments) => runtime()?.block_on(scan::run(arguments)),
        Command::Inventory(arguments) => runtime()?.block_on(inventory::run(arguments)),
        Command::Db(command) => runtime()?.block_on(async { db::run(command) }), // some fetch on threads of their own
        Command::Findings(command) => runtime()?.block_on(findings::run(command)),
        Command::Coverage(arguments) => runtime()?.block_on(coverage::run(arguments)),
        Command::DeadLetters(command) => runtime()?.block_on(dead_letters::run(command)),
    }
}

fn runtime() -> Result<Runtime> {
    let runtime = Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build();
    runtime.context("start the runtime")
}

/// For what waits for files alone.
fn one_thread() -> Result<Runtime> {
    Builder::new_current_thread().build().context("start the runtime")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
