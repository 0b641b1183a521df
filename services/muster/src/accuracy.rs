//! `muster accuracy --labels FILE`: how right matching is, against labelled triples.

use crate::{db, exit, terminal};
use anyhow::{Context, Result};
use muster_advisories::Database;
use muster_engine::accuracy::{self, Accuracy, Label, Score};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// The longest label taken, in bytes.
const LABEL_BYTES_MAX: usize = 64 * 1024;

#[derive(clap::Args)]
pub struct Arguments {
    /// Labels, one JSON object a line; plain or `.zst`.
    #[arg(long)]
    labels: PathBuf,
    /// A built advisory file. Without it the newest one in the data folder is used.
    #[arg(long, env = "MUSTER_ADVISORIES")]
    advisories: Option<PathBuf>,
    /// Where `muster up` keeps its files.
    #[arg(long, env = "MUSTER_DATA_FOLDER", default_value_os_t = muster_kit::default_data_folder())]
    data_folder: PathBuf,
    /// How many labels that matching does not agree with are explained.
    #[arg(long, default_value_t = 10)]
    misses: usize,
}

pub fn run(arguments: Arguments) -> Result<u8> {
    let path = db::find(arguments.advisories, &arguments.data_folder)?;
    let database = Database::open(&path).with_context(|| format!("open {}", path.display()))?;
    let labels = labels(&arguments.labels)?;
    let accuracy = accuracy::score(&labels, &database, arguments.misses).context("judge the labels")?;
    terminal::print(&write(&accuracy))?;
    Ok(exit::GOOD)
}

/// All labels of a file; what is none is said and passed over.
fn labels(path: &Path) -> Result<Vec<Label>> {
    let open = || format!("read labels from {}", path.display());
    let mut file = BufReader::new(File::open(path).with_context(open)?);
    let is_packed = file.fill_buf().with_context(open)?.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    let reader: Box<dyn Read> =
        if is_packed { Box::new(zstd::Decoder::with_buffer(file).with_context(open)?) } else { Box::new(file) };
    let mut reader = BufReader::new(reader);
    let (mut labels, mut line) = (Vec::new(), Vec::new());
    for number in 1u64.. {
        line.clear();
        let read = reader.by_ref().take(LABEL_BYTES_MAX as u64).read_until(b'\n', &mut line).with_context(open)?;
        if read == 0 {
            break;
        }
        match serde_json::from_slice(&line) {
            Ok(label) => labels.push(label),
            Err(error) => terminal::say(&format!("muster: {}: line {number} is no label: {error}", path.display())),
        }
    }
    anyhow::ensure!(!labels.is_empty(), "{} holds no label", path.display());
    Ok(labels)
}

fn write(accuracy: &Accuracy) -> String {
    let mut table = terminal::table(&[
        "Distribution",
        "Precision",
        "Recall",
        "Recall of all",
        "F1",
        "Found",
        "Missed",
        "Unknown",
        "Wrong",
        "Rightly not",
        "Undetermined",
        "Not judged",
    ]);
    let share = |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{share:.3}"));
    let mut row = |name: &str, score: &Score| {
        let counts = [
            score.true_positives,
            score.false_negatives,
            score.unknown,
            score.false_positives,
            score.true_negatives,
            score.undetermined,
            score.not_judged,
        ];
        let shares = [score.precision(), score.recall(), score.recall_of_all(), score.f1()].map(share);
        table.add_row(std::iter::once(name.to_owned()).chain(shares).chain(counts.map(|count| count.to_string())));
    };
    for (distribution, score) in &accuracy.scores {
        row(distribution, score);
    }
    row("all", &accuracy.total());
    let mut text = format!("{}\n", table.trim_fmt());
    for miss in &accuracy.misses {
        let kind = if miss.is_false_positive { "wrongly found" } else { "not found" };
        text.push_str(&format!(
            "{kind}: {} in {} {} ({}): {}\n",
            miss.vulnerability, miss.package, miss.version, miss.distribution, miss.reason
        ));
    }
    text
}
