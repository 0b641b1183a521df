//! Settings of discovery.

/// Settings of discovery.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "discovery settings")]
pub struct Config {
    /// Seconds between two sweeps of all accounts and regions.
    #[arg(long, env = "MUSTER_SWEEP_SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub sweep_seconds: u64,
}
