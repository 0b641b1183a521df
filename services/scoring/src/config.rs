//! Settings of scoring.

/// Settings of scoring.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "scoring settings")]
pub struct Config {
    /// Batches of up to 64 resources scored side by side.
    #[arg(long, env = "MUSTER_SCORING_CONCURRENCY", default_value_t = 2)]
    pub scoring_concurrency: usize,
}
