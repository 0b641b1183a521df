//! What a terminal gets and a pipe does not: colours and progress.

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use muster_domain::Severity;
use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

/// How an answer of a running system is written.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// A table that fits the terminal; in a pipe as wide as its contents.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().map(|name| bold(name)));
    // Some terminals do not tell their width.
    if io::stdout().is_terminal() && table.width().is_some_and(|columns| columns > 0) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

fn bold(text: &str) -> Cell {
    if io::stdout().is_terminal() { Cell::new(text).add_attribute(Attribute::Bold) } else { Cell::new(text) }
}

/// A severity, coloured on a terminal.
pub fn severity(severity: Severity) -> Cell {
    let cell = Cell::new(severity);
    if !io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some() {
        return cell;
    }
    match severity {
        Severity::Critical => cell.fg(Color::Magenta).add_attribute(Attribute::Bold),
        Severity::High => cell.fg(Color::Red),
        Severity::Medium => cell.fg(Color::Yellow),
        Severity::Low | Severity::Informational | Severity::Untriaged => cell,
    }
}

/// A line that shows that work goes on; nothing in a pipe.
pub fn progress(message: String) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(message);
    bar.set_style(
        ProgressStyle::with_template("{spinner} {msg} {bytes:>10} {elapsed}").expect("the template is fixed"),
    );
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Writes a line to stderr. Whoever closed it does not want to know.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes a whole text to stdout.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()
}

/// Whether the reader of our output went away, as `head` does: no error of ours.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
