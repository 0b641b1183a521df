//! Reading a target for `scan` and `inventory`, with progress on a terminal.

use crate::terminal;
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use muster_artifacts::{Credentials, Progress, Read, ReadOptions, Target};
use muster_domain::{Gap, Inventory};
use secrecy::SecretString;
use serde::Serialize;
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

/// What to read.
#[derive(clap::Args)]
#[group(skip)] // its name would be that of the command's own arguments
pub struct Arguments {
    /// `dir:PATH`, `oci:PATH`, `image:REFERENCE`, `zip:PATH` or `sbom:PATH`.
    target: Target,
    /// Only this platform of an image index, `OS/ARCH[/VARIANT]`.
    #[arg(long)]
    platform: Option<String>,
    /// The user of a registry that wants one; ECR's is `AWS`.
    #[arg(long, env = "MUSTER_REGISTRY_USER", requires = "registry_password")]
    registry_user: Option<String>,
    /// The password or token that belongs to it. Prefer the variable: other users of the machine see the command line.
    #[arg(long, env = "MUSTER_REGISTRY_PASSWORD", requires = "registry_user", hide_env_values = true)]
    registry_password: Option<SecretString>,
}

impl Arguments {
    /// Whether all of it lies on the machine's disk in one root, which is read by one thread.
    pub fn is_one_local_root(&self) -> bool {
        matches!(self.target, Target::Directory(_) | Target::Zip(_) | Target::Sbom(_))
    }
}

/// Reads a target; an index gives one root a platform, or the one that is asked for.
pub async fn read(arguments: Arguments) -> Result<Vec<Read>> {
    let Arguments { target, platform, registry_user, registry_password } = arguments;
    let bar = terminal::progress(format!("reading {target}"));
    let credentials = registry_user.zip(registry_password).map(|(user, secret)| Credentials { user, secret });
    let options = ReadOptions { credentials, progress: Arc::new(Bar(bar.clone())), ..ReadOptions::default() };
    let reads = muster_artifacts::read(&target, &options).await;
    bar.finish_and_clear();
    let mut reads = reads?;
    if let Some(platform) = platform {
        reads.retain(|read| read.platform.as_deref() == Some(platform.as_str()));
        anyhow::ensure!(!reads.is_empty(), "{target} has no platform {platform}");
    }
    Ok(reads)
}

/// Says on stderr what of a root was not read.
pub fn say_what_is_missing(inventory: &Inventory) {
    for skipped in &inventory.skipped {
        terminal::say(&format!("muster: skipped {}: {}", skipped.place, skipped.reason));
    }
    for limit in &inventory.limits_reached {
        terminal::say(&format!("muster: {limit}"));
    }
}

/// Says on stderr which packages of a root nothing can be said about.
pub fn say_what_is_undetermined(gaps: &[Gap]) {
    for gap in gaps {
        terminal::say(&format!("muster: undetermined: {gap}"));
    }
}

/// One document for one root, an array for several.
pub fn documents<T: Serialize>(documents: &[T]) -> Result<String> {
    match documents {
        [document] => serde_json::to_string_pretty(document),
        documents => serde_json::to_string_pretty(documents),
    }
    .context("write JSON")
}
