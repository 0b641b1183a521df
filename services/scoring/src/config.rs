//! Settings of scoring.

/// Settings of scoring.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "scoring settings")]
pub struct Config {
    /// Resources scored side by side.
    #[arg(long, env = "MUSTER_SCORING_CONCURRENCY", default_value_t = 4)]
    pub scoring_concurrency: usize,
}
