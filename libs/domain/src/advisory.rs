//! Advisories, in OSV's words (ossf.github.io/osv-schema 1.7): who is affected by what, from which version to which.

use crate::Ecosystem;
use serde::{Deserialize, Serialize};

/// An advisory's id as its database gives it: `CVE-…`, `DSA-…`, `GHSA-…`, `PYSEC-…`, `GO-…`, `RUSTSEC-…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AdvisoryId(pub String);

/// One record of a feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its id.
    pub id: AdvisoryId,
    /// Other names of the same vulnerability.
    pub aliases: Vec<String>,
    /// The vulnerabilities that a distributor's record is about (OSV `upstream`; a DSA names its CVEs).
    pub upstream: Vec<String>,
    /// Related, but not the same.
    pub related: Vec<String>,
    /// One line.
    pub summary: String,
    /// Any length.
    pub details: String,
    /// CVSS vectors of the whole record.
    pub severity: Vec<VectorString>,
    /// The database's own word, as it writes it (`HIGH`, `unimportant`).
    pub vendor_severity: Option<String>,
    /// CWE ids.
    pub cwes: Vec<String>,
    /// What is affected.
    pub affected: Vec<Affected>,
    /// Links.
    pub references: Vec<Reference>,
    /// First publication.
    pub published: Option<jiff::Timestamp>,
    /// Last change.
    pub modified: Option<jiff::Timestamp>,
    /// Taken back: then nothing is affected.
    pub withdrawn: Option<jiff::Timestamp>,
}

/// A link (OSV `references`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// `ADVISORY`, `FIX`, `WEB`, …
    pub kind: String,
    /// Where.
    pub url: String,
}

/// A CVSS vector and who gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorString {
    /// `CVSS_V2`, `CVSS_V3`, `CVSS_V4` as OSV writes it.
    pub kind: String,
    /// The vector.
    pub vector: String,
    /// The feed or database that gave it.
    pub source: String,
}

/// One package that an advisory is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// Where the name means something.
    pub ecosystem: Ecosystem,
    /// As the feed spells it.
    pub name: String,
    /// Ranges of affected versions.
    pub ranges: Vec<Range>,
    /// Affected versions, one by one.
    pub versions: Vec<String>,
    /// CVSS vectors for this package alone.
    pub severity: Vec<VectorString>,
    /// The vendor's word on this package in this release (Debian's urgency), as it writes it.
    pub vendor_severity: Option<String>,
}

/// How a range's events are compared (OSV `ranges[].type`; `GIT` ranges are not matched against packages).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RangeType {
    /// By semver.
    #[serde(rename = "SEMVER")]
    Semver,
    /// By the ecosystem's own order.
    #[serde(rename = "ECOSYSTEM")]
    Ecosystem,
}

/// A list of events, in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// How its events are compared.
    pub kind: RangeType,
    /// What happens at which version.
    pub events: Vec<Event>,
}

/// OSV `ranges[].events[]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Affected from here on; `0` is before everything.
    Introduced(String),
    /// Good from here on.
    Fixed(String),
    /// Affected up to here, inclusive.
    LastAffected(String),
    /// Not looked at from here on.
    Limit(String),
}

/// An entry of CISA's Known Exploited Vulnerabilities catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownExploited {
    /// `YYYY-MM-DD`.
    pub date_added: String,
    /// `YYYY-MM-DD`.
    pub due_date: String,
    /// What CISA asks for.
    pub required_action: String,
    /// Known use by ransomware.
    pub ransomware: bool,
}

/// The Exploit Prediction Scoring System's word on a CVE (first.org/epss).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epss {
    /// Probability of exploitation in the next 30 days, 0.0 to 1.0.
    pub score: f64,
    /// Share of CVEs with a lower score, 0.0 to 1.0.
    pub percentile: f64,
}

/// What a finding tells of its vulnerability, joined over all records under its aliases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VulnerabilityFacts {
    /// The CVE where there is one, else the advisory's id.
    pub id: String,
    /// All other names, sorted.
    pub aliases: Vec<String>,
    /// The record that judged: `DEBIAN_CVE`, `GHSA`, … as `packageVulnerabilityDetails.source` has it.
    pub source: String,
    /// Where to read it.
    pub source_url: String,
    /// One line or more; at most 1,024 characters where shown by the Inspector API.
    pub description: String,
    /// CVSS vectors with who gave them.
    pub severity: Vec<VectorString>,
    /// The vendor's word, as it writes it.
    pub vendor_severity: Option<String>,
    /// CWE ids.
    pub cwes: Vec<String>,
    /// Links.
    pub references: Vec<String>,
    /// First publication.
    pub published: Option<jiff::Timestamp>,
    /// Last change.
    pub modified: Option<jiff::Timestamp>,
    /// CISA's entry.
    pub known_exploited: Option<KnownExploited>,
    /// EPSS.
    pub epss: Option<Epss>,
}
