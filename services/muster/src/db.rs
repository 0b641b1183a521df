//! `muster db build | info`: advisory databases as files.

use crate::{exit, terminal};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use muster_advisories::{
    Builder, Database,
    source::{self, SourceSummary},
};
use muster_domain::Skipped;
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Of each source so many things that were set aside are named; its count says the rest.
const NAMED_MAX: usize = 5;

#[derive(Subcommand)]
pub enum Command {
    /// Build a database from OSV records, CISA's KEV and EPSS.
    Build {
        /// Folders and files: plain, `.zip` or `.jsonl`, each also `.gz` or `.zst`.
        #[arg(long, required = true, num_args = 1..)]
        from: Vec<PathBuf>,
        /// The file to write.
        #[arg(long)]
        output: PathBuf,
    },
    /// Say what a database holds.
    Info {
        /// The file.
        file: PathBuf,
    },
}

pub fn run(command: Command) -> Result<u8> {
    let text = match command {
        Command::Build { from, output } => build(&from, &output)?,
        Command::Info { file } => info(&file)?,
    };
    terminal::print(&text)?;
    Ok(exit::GOOD)
}

fn build(from: &[PathBuf], output: &Path) -> Result<String> {
    let mut lines = Vec::new();
    let mut builder = Builder::new(1, jiff::Timestamp::now());
    for path in from {
        let bar = terminal::progress(format!("reading {}", path.display()));
        let (mut named, mut found) = (Vec::new(), false);
        let summaries = source::read(path, &mut |item| named.extend(builder.take(item)));
        bar.finish_and_clear();
        // From the innermost place outwards, so that a file's reasons stand under it and not under its folder.
        for summary in summaries?.iter().rev() {
            found |= summary.records > 0;
            lines.push(say_of(summary, &mut named));
        }
        lines.reverse();
        lines.drain(..).for_each(|line| terminal::say(&line));
        for Skipped { place, reason } in named.iter().take(NAMED_MAX) {
            terminal::say(&format!("  {place}: {reason}"));
        }
        // A database without them would answer "nothing known" to everything.
        anyhow::ensure!(found, "no record could be used of `{}`", path.display());
    }
    let report = builder.write(output).with_context(|| format!("write {}", output.display()))?;
    for reject in report.rejects.iter().take(NAMED_MAX) {
        terminal::say(&format!("  {}: {}", reject.place, reject.reason));
    }
    Ok(format!(
        "{}: {} advisories, {} packages, {} ranges, {} bytes, {}",
        output.display(),
        report.advisories,
        report.packages,
        report.ranges,
        report.bytes,
        report.digest
    ))
}

/// What a source was, and the first of its reasons, which are taken from `named`.
fn say_of(summary: &SourceSummary, named: &mut Vec<Skipped>) -> String {
    let SourceSummary { path, format, records, set_aside } = summary;
    let path = path.display().to_string();
    let mut text = format!("{path}: {format}, {records} records, {set_aside} set aside");
    if *set_aside == 0 {
        return text;
    }
    let (own, others) = std::mem::take(named).into_iter().partition(|skipped| skipped.place.starts_with(&path));
    let own: Vec<Skipped> = own;
    *named = others;
    for Skipped { place, reason } in own.iter().take(NAMED_MAX) {
        let place = place[path.len()..].trim_start_matches([':', '/', ' ']);
        text.push_str(&format!("\n  {place}{}{reason}", if place.is_empty() { "" } else { ": " }));
    }
    text
}

fn info(file: &Path) -> Result<String> {
    let database = Database::open(file).with_context(|| format!("open {}", file.display()))?;
    database.verify().with_context(|| format!("check {}", file.display()))?;
    let info = database.info();
    let mut text = format!(
        "digest          {}\nepoch           {}\nbuilt at        {}\nformat version  {}\nadvisories      {}\npackages        {}\nranges          {}\n",
        info.digest, info.epoch, info.built_at, info.format_version, info.advisories, info.packages, info.ranges
    );
    for (ecosystem, packages) in &info.ecosystems {
        writeln!(text, "{ecosystem:<15} {packages} packages").expect("writing to a String cannot fail");
    }
    Ok(text)
}

/// The database to judge with: the one named, else the newest that `muster up` left in its data folder.
pub fn find(named: Option<PathBuf>, data_folder: &Path) -> Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path);
    }
    let folder = data_folder.join("advisories");
    let mut newest: Option<(SystemTime, PathBuf)> = None;
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
        let database = path.extension().is_some_and(|extension| extension == "advisories");
        if database && newest.as_ref().is_none_or(|(time, _)| modified > *time) {
            newest = Some((modified, path));
        }
    }
    match newest {
        Some((_, path)) => Ok(path),
        None => bail!(
            "no advisory database in {}: give one with --advisories (`muster db build` makes it)",
            folder.display()
        ),
    }
}
