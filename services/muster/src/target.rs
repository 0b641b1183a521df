//! Reading a target for `scan` and `inventory`, with progress on a terminal.

use crate::terminal;
use anyhow::Result;
use indicatif::ProgressBar;
use muster_artifacts::{Credentials, Progress, Read, ReadOptions, Target};
use secrecy::SecretString;
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

/// Who asks a registry. Variables rather than flags: other users of the machine see the command line.
#[derive(clap::Args)]
pub struct Registry {
    /// The user of a registry that wants one; ECR's is `AWS`.
    #[arg(long, env = "MUSTER_REGISTRY_USER", requires = "registry_password")]
    registry_user: Option<String>,
    /// The password or token that belongs to it.
    #[arg(long, env = "MUSTER_REGISTRY_PASSWORD", requires = "registry_user", hide_env_values = true)]
    registry_password: Option<SecretString>,
}

/// Reads a target; an index gives one root a platform, or the one that is asked for.
pub async fn read(target: &Target, registry: Registry, platform: Option<&str>) -> Result<Vec<Read>> {
    let bar = terminal::progress(format!("reading {target}"));
    let credentials =
        registry.registry_user.zip(registry.registry_password).map(|(user, secret)| Credentials { user, secret });
    let options = ReadOptions { credentials, progress: Arc::new(Bar(bar.clone())), ..ReadOptions::default() };
    let reads = muster_artifacts::read(target, &options).await;
    bar.finish_and_clear();
    let mut reads = reads?;
    if let Some(platform) = platform {
        reads.retain(|read| read.platform.as_deref() == Some(platform));
        anyhow::ensure!(!reads.is_empty(), "{target} has no platform {platform}");
    }
    Ok(reads)
}
