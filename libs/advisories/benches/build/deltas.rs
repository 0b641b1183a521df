//! What a client takes from one epoch to the next, on real records: the figures of
//! `docs/decisions/0007-deltas-between-epochs.md`.

use crate::{Outcome, shared_data};
use muster_advisories::distribution::{SecretKey, generate, publish};
use muster_advisories::{Builder, Item, source};
use muster_domain::Advisory;
use std::path::Path;
use std::time::Instant;

/// The archives whose records are taken.
const ARCHIVES: [&str; 4] = [
    "go-vulndb-osv.jsonl.zst",
    "almalinux-osv.jsonl.zst",
    "bitnami-vulndb-osv.jsonl.zst",
    "pypa-advisory-database.tar.zst",
];

/// How many records the newer database has more, and how often it has each record under another name.
const CASES: [(usize, usize); 4] = [(1, 1), (20, 1), (200, 1), (100, 12)];

pub(crate) fn run() -> Outcome {
    let Some(folder) = shared_data() else { return Ok(()) };
    let mut advisories = Vec::new();
    for archive in ARCHIVES {
        source::read(folder.join(archive), &mut |item| {
            if let Item::Advisory(advisory) = item {
                advisories.push(advisory);
            }
        })?;
    }
    println!("{} records", advisories.len());
    for (more, copies) in CASES {
        case(&advisories, more, copies)?;
    }
    Ok(())
}

fn case(advisories: &[Advisory], more: usize, copies: usize) -> Outcome {
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("key.pem");
    generate(&key, &folder.path().join("key.pub.pem"))?;
    let keys = [SecretKey::read(&key)?];
    let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    write(advisories, more, copies, 1, &old)?;
    write(advisories, 0, copies, 2, &new)?;
    let repository = folder.path().join("repository");
    publish(&repository, &old, &keys, 2)?;
    let begin = Instant::now();
    publish(&repository, &new, &keys, 2)?;
    let took = begin.elapsed();
    let mut sizes = Vec::new();
    for entry in std::fs::read_dir(&repository)? {
        let entry = entry?;
        sizes.push((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()));
    }
    sizes.sort();
    println!(
        "{more} more of {}: database {} bytes, published in {took:.1?}",
        advisories.len() * copies,
        new.metadata()?.len()
    );
    for (name, bytes) in sizes {
        println!("  {bytes:12} {name}");
    }
    Ok(())
}

/// All records but `left_out` of them, spread over all.
fn write(advisories: &[Advisory], left_out: usize, copies: usize, epoch: u64, path: &Path) -> Outcome {
    let mut builder = Builder::new(epoch, jiff::Timestamp::UNIX_EPOCH);
    let step = (advisories.len() * copies).checked_div(left_out).unwrap_or(usize::MAX);
    let every = (0..copies).flat_map(|copy| advisories.iter().map(move |advisory| (copy, advisory)));
    for (_, (copy, advisory)) in every.enumerate().filter(|(place, _)| place % step != step / 2) {
        let mut advisory = advisory.clone();
        if copy > 0 {
            advisory.id.0 += &format!("-{copy}");
        }
        builder.add(advisory);
    }
    builder.write(path)?;
    Ok(())
}
