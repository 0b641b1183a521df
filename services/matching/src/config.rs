//! Settings of matching.

/// Settings of matching.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "matching settings")]
pub struct Config {
    /// Batches of up to 64 resources judged side by side. The default is the number of cores.
    #[arg(long, env = "MUSTER_MATCHING_CONCURRENCY", default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    pub matching_concurrency: usize,
}
