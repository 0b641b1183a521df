//! Settings of advisories.

use std::path::PathBuf;

/// The public exports that are read when nothing else is said: OSV's (osv.dev, "Data dumps"), CISA's catalogue of
/// known exploited vulnerabilities (cisa.gov/kev) and EPSS (first.org/epss).
pub const DEFAULT_FEEDS: &[&str] = &[
    "https://osv-vulnerabilities.storage.googleapis.com/Debian/all.zip",
    "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip",
    "https://osv-vulnerabilities.storage.googleapis.com/npm/all.zip",
    "https://osv-vulnerabilities.storage.googleapis.com/Go/all.zip",
    "https://osv-vulnerabilities.storage.googleapis.com/crates.io/all.zip",
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
    "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
];

/// Settings of advisories.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "advisories settings")]
pub struct Config {
    /// Folders, files or addresses of OSV records, CISA's KEV and EPSS, separated by commas.
    #[arg(long, env = "MUSTER_FEEDS", value_delimiter = ',', default_values_t = DEFAULT_FEEDS.iter().map(ToString::to_string))]
    pub feeds: Vec<String>,

    /// Seconds between two looks at the feeds or the repository.
    #[arg(long, env = "MUSTER_FEED_SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..))]
    pub feed_seconds: u64,

    /// A built advisory file, used instead of feeds.
    #[arg(long, env = "MUSTER_ADVISORIES")]
    pub advisories: Option<PathBuf>,

    /// A signed repository of databases, used instead of feeds: a folder or an address.
    #[arg(long, env = "MUSTER_REPOSITORY", conflicts_with = "advisories", requires = "repository_key")]
    pub repository: Option<String>,

    /// Public keys, one of which must have signed the repository, separated by commas.
    #[arg(long, env = "MUSTER_REPOSITORY_KEYS", value_delimiter = ',')]
    pub repository_key: Vec<PathBuf>,
}
