//! `muster db`: advisory databases as files, and their distribution.

mod repository;
mod search;

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
    /// Build a database from feeds of any known format: OSV, distributions' own, CSAF, VEX, NVD, KEV, EPSS, exploits, ends of life.
    Build {
        /// Folders, files and addresses: plain, `.zip`, `.tar` or `.jsonl`, each also `.gz`, `.bz2` or `.zst`.
        #[arg(long, required = true, num_args = 1..)]
        from: Vec<PathBuf>,
        /// The file to write.
        #[arg(long)]
        output: PathBuf,
        /// The number of this build. Without it one more than that of the file at `--output`, else 1.
        #[arg(long)]
        epoch: Option<u64>,
    },
    /// Say what a database holds.
    Info {
        /// The file.
        file: PathBuf,
    },
    /// Find vulnerabilities and packages by a part of their name.
    Search {
        /// The file.
        file: PathBuf,
        /// A part of a vulnerability's name, of an alias of it, or of a package's name.
        word: String,
        /// How many of each kind are shown.
        #[arg(long, default_value_t = 20)]
        most: usize,
    },
    /// List the packages whose answers change from one database to another.
    Diff {
        /// The older file.
        old: PathBuf,
        /// The newer file.
        new: PathBuf,
    },
    /// Check a database against its digests, or a repository against its signature and digests.
    Verify {
        /// A file, or the folder of a repository.
        path: PathBuf,
        /// Public keys, one of which must have signed the repository.
        #[arg(long)]
        key: Vec<PathBuf>,
    },
    /// Make a key pair for signing repositories.
    Keygen {
        /// The secret key to write, readable by nobody else.
        #[arg(long)]
        secret: PathBuf,
        /// The public key to write.
        #[arg(long)]
        public: PathBuf,
    },
    /// Put a database into a signed repository: a folder that any web server can hand out.
    Publish {
        /// The file.
        file: PathBuf,
        /// The repository's folder.
        #[arg(long)]
        repository: PathBuf,
        /// The secret key; twice while keys change.
        #[arg(long, required = true)]
        key: Vec<PathBuf>,
        /// How many epochs stay, each with a delta to the newest.
        #[arg(long, default_value_t = 7)]
        keep: usize,
    },
    /// Bring a file up to the newest database of a signed repository, by deltas where that is less.
    Update {
        /// The file to bring up to date, or to write.
        file: PathBuf,
        #[command(flatten)]
        source: repository::Source,
    },
    /// Copy a signed repository, each file checked.
    Mirror {
        /// The folder to copy to.
        folder: PathBuf,
        #[command(flatten)]
        source: repository::Source,
    },
}

pub fn run(command: Command) -> Result<u8> {
    let text = match command {
        Command::Build { from, output, epoch } => build(&from, &output, epoch)?,
        Command::Info { file } => info(&file)?,
        Command::Search { file, word, most } => search::run(&file, &word, most)?,
        Command::Diff { old, new } => diff(&old, &new)?,
        Command::Verify { path, key } => verify(&path, &key)?,
        Command::Keygen { secret, public } => repository::keygen(&secret, &public)?,
        Command::Publish { file, repository, key, keep } => repository::publish(&file, &repository, &key, keep)?,
        Command::Update { file, source } => repository::update(&file, &source)?,
        Command::Mirror { folder, source } => repository::mirror(&folder, &source)?,
    };
    terminal::print(&text)?;
    Ok(exit::GOOD)
}

fn open(file: &Path) -> Result<Database> {
    Database::open(file).with_context(|| format!("open {}", file.display()))
}

fn verify(path: &Path, keys: &[PathBuf]) -> Result<String> {
    if path.is_dir() {
        return repository::verify(path, keys);
    }
    let database = open(path)?;
    database.verify().with_context(|| format!("check {}", path.display()))?;
    Ok(format!("{}: epoch {}, every section has its digest", path.display(), database.epoch()))
}

fn diff(old: &Path, new: &Path) -> Result<String> {
    let delta = muster_advisories::delta(&open(old)?, &open(new)?);
    if delta.everything {
        return Ok("everything: an ecosystem came or went, or too much changed to name it".to_owned());
    }
    if delta.touched.is_empty() {
        return Ok("no difference".to_owned());
    }
    let names = delta.touched.iter().map(|touched| format!("{}\t{}", touched.ecosystem, touched.name));
    Ok(names.collect::<Vec<_>>().join("\n"))
}

fn build(from: &[PathBuf], output: &Path, epoch: Option<u64>) -> Result<String> {
    let mut lines = Vec::new();
    let before = Database::open(output).map_or(0, |before| before.epoch());
    let mut builder = Builder::new(epoch.unwrap_or(before + 1), jiff::Timestamp::now()).beside(output);
    let downloads = tempfile::tempdir().context("make a folder for downloads")?;
    for source in from {
        let path = &repository::local(source, downloads.path())?;
        let bar = terminal::progress(format!("reading {}", source.display()));
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
        anyhow::ensure!(found, "no record could be used of `{}`", source.display());
    }
    anyhow::ensure!(
        builder.names_packages(),
        "{} is not written: no record of these sources names a package of an ecosystem that we know, so it would know of nothing",
        output.display()
    );
    let report = builder.write(output).with_context(|| format!("write {}", output.display()))?;
    for reject in report.rejects.iter().take(NAMED_MAX) {
        terminal::say(&format!("  {}: {}", reject.place, reject.reason));
    }
    say_what_is_idle(&open(output)?)?;
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

/// Statements of the user's own that were read and close nothing: the first ones, and how many.
fn say_what_is_idle(database: &Database) -> Result<()> {
    let count = database.idle_statements().len();
    for statement in database.idle_statements().take(NAMED_MAX) {
        terminal::say(&format!("  {}", statement?));
    }
    if count > 0 {
        terminal::say(&format!("{count} VEX statements apply to nothing that is known"));
    }
    Ok(())
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
    let database = open(file)?;
    database.verify().with_context(|| format!("check {}", file.display()))?;
    let info = database.info();
    let fields = [
        ("digest", info.digest.to_string()),
        ("epoch", info.epoch.to_string()),
        ("built at", info.built_at.to_string()),
        ("format version", info.format_version.to_string()),
        ("advisories", info.advisories.to_string()),
        ("packages", info.packages.to_string()),
        ("ranges", info.ranges.to_string()),
        ("VEX statements", info.statements.to_string()),
        ("idle statements", info.idle_statements.to_string()),
    ];
    let ecosystems = info.ecosystems.iter().map(|(name, packages)| (name.as_str(), format!("{packages} packages")));
    let rows: Vec<(&str, String)> = fields.into_iter().chain(ecosystems).collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in rows {
        writeln!(text, "{name:<width$} {value}").expect("writing to a String cannot fail");
    }
    for statement in database.idle_statements().take(NAMED_MAX) {
        writeln!(text, "{}", statement?).expect("writing to a String cannot fail");
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
