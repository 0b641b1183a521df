//! Building the advisory file at the size of public feeds: how long it takes, how much memory, how large the file gets, and
//! what a client takes of the next one. `cargo bench -p muster-advisories --bench build [-- PART…]`, of the parts
//!
//! - `generated`: 300,000 records in the shape of GitHub's, Debian's and Ubuntu's, read from one `.jsonl.zst`;
//! - `shared`: every feed in `../shared/data` (or `MUSTER_SHARED_DATA`), with what each gave;
//! - `deltas`: the bytes between two epochs of real records (the same folder).
//!
//! Each part runs in a process of its own, since the peak of memory is the process'.

mod deltas;
mod generated;

use muster_advisories::{BuildReport, Builder, source};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

type Outcome = Result<(), Box<dyn Error>>;

/// What the bench is asked for, and what does it.
type Part = (&'static str, fn() -> Outcome);

const PARTS: [Part; 3] = [("generated", generated::run), ("shared", shared), ("deltas", deltas::run)];

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.as_slice() {
        [flag, name] if flag == "--alone" => {
            let (_, part) = PARTS.iter().find(|(part, _)| part == name).ok_or("no such part")?;
            part()?;
            println!(
                "processor time {:.1} s, peak of resident memory {} MB",
                processor_seconds().unwrap_or(0.0),
                peak_bytes().unwrap_or(0) >> 20
            );
            Ok(())
        }
        wanted => PARTS
            .iter()
            .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|word| word == name))
            .try_for_each(|(name, _)| {
                println!("\n{name}");
                let status = std::process::Command::new(std::env::current_exe()?).args(["--alone", name]).status()?;
                if status.success() { Ok(()) } else { Err(format!("{name}: {status}").into()) }
            }),
    }
}

/// Every feed of the folder in one file.
fn shared() -> Outcome {
    let Some(folder) = shared_data() else { return Ok(()) };
    let file = tempfile::NamedTempFile::new()?;
    let report = build(&folder, file.path(), true)?;
    for reject in report.rejects.iter().take(5) {
        println!("  the builder set aside {}: {}", reject.place, reject.reason);
    }
    Ok(())
}

/// Reads all of `feeds` and writes the database, telling the time of each.
fn build(feeds: &Path, to: &Path, tells_sources: bool) -> Result<BuildReport, Box<dyn Error>> {
    let begin = Instant::now();
    println!("{:.1} s of processor time before it", processor_seconds().unwrap_or(0.0));
    let mut builder = Builder::new(1, jiff::Timestamp::UNIX_EPOCH).beside(to);
    let summaries = source::read(feeds, &mut |item| drop(builder.take(item)))?;
    let read = begin.elapsed();
    if tells_sources {
        for summary in &summaries {
            let name = summary.path.strip_prefix(feeds).unwrap_or(&summary.path).display().to_string();
            println!("  {name:50} {:24} {:8} read {:6} set aside", summary.format, summary.records, summary.set_aside);
        }
    }
    let (records, set_aside) = summaries
        .iter()
        .fold((0, 0), |(records, set_aside), summary| (records + summary.records, set_aside + summary.set_aside));
    println!(
        "read {records} records in {read:.1?}, {set_aside} set aside, peak {} MB, {:.1} s of processor time so far",
        peak_bytes().unwrap_or(0) >> 20,
        processor_seconds().unwrap_or(0.0)
    );
    let report = builder.write(to)?;
    println!(
        "wrote {} records, {} packages, {} ranges, {} rejects, {} MB; in all {:.1?}",
        report.advisories,
        report.packages,
        report.ranges,
        report.rejects.len(),
        report.bytes >> 20,
        begin.elapsed()
    );
    Ok(report)
}

/// The folder of real feeds, where there is one.
fn shared_data() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("MUSTER_SHARED_DATA").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no `{}`", folder.display());
        return None;
    }
    Some(folder)
}

/// What all threads together took of the processors, which other programs beside do not change much (proc(5), `stat`, fields
/// 14 and 15, in Linux' fixed hundredths of a second).
fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    let ticks = behind_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().ok());
    Some(ticks.sum::<Option<f64>>()? / 100.0)
}

/// Most memory that the process ever had, pages of files included (proc(5), `VmHWM`).
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}
