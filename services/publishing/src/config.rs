//! Settings of publishing.

use crate::sink::Sink;

/// Settings of publishing.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "publishing settings")]
pub struct Config {
    /// Whom to tell, separated by commas: `securityhub`, `eventbridge`.
    #[arg(long, env = "MUSTER_SINKS", value_delimiter = ',', default_values_t = Sink::ALL)]
    pub sinks: Vec<Sink>,
}
