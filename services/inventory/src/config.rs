//! Settings of inventory.

/// Settings of inventory.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "inventory settings")]
pub struct Config {
    /// Resources read side by side. Each may hold a few megabytes and waits mostly for AWS.
    #[arg(long, env = "MUSTER_INVENTORY_CONCURRENCY", default_value_t = 4)]
    pub inventory_concurrency: usize,
}
