//! Reading a target for `scan` and `inventory`, with progress on a terminal.

use crate::terminal;
use anyhow::Result;
use indicatif::ProgressBar;
use muster_artifacts::{Progress, Read, ReadOptions, Target};
use std::sync::Arc;

struct Bar(ProgressBar);

impl Progress for Bar {
    fn bytes_read(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    fn layer_done(&self, done: usize, total: usize) {
        self.0.set_message(format!("layer {done} of {total} read"));
    }
}

/// Reads a target; an index gives one root a platform, or the one that is asked for.
pub async fn read(target: &Target, platform: Option<&str>) -> Result<Vec<Read>> {
    let bar = terminal::progress(format!("reading {target}"));
    let options = ReadOptions { progress: Arc::new(Bar(bar.clone())), ..ReadOptions::default() };
    let reads = muster_artifacts::read(target, &options).await;
    bar.finish_and_clear();
    let mut reads = reads?;
    if let Some(platform) = platform {
        reads.retain(|read| read.platform.as_deref() == Some(platform));
        anyhow::ensure!(!reads.is_empty(), "{target} has no platform {platform}");
    }
    Ok(reads)
}
