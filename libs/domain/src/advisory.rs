//! Advisories, in OSV's words (ossf.github.io/osv-schema 1.7): who is affected by what, from which version to which.

use crate::Ecosystem;
use serde::{Deserialize, Serialize};

/// An advisory's id as its database gives it: `CVE-…`, `DSA-…`, `GHSA-…`, `PYSEC-…`, `GO-…`, `RUSTSEC-…`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AdvisoryId(pub String);

/// One record of a feed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its id.
    pub id: AdvisoryId,
    /// The database that it comes from, in the spelling of `packageVulnerabilityDetails.source` of the Inspector API:
    /// `DEBIAN_CVE`, `NVD`, `GITHUB`, …
    pub source: String,
    /// Which part of the source the record is from, where one id has records in several documents (Alpine's `v3.18/main`);
    /// else empty. A later record replaces an earlier one of the same source, scope and id.
    pub scope: String,
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
    /// Products as CPE 2.3 names, as the record has them (NVD, CVE); told, never matched.
    pub cpes: Vec<String>,
    /// CISA's decision points on it.
    pub ssvc: Option<Ssvc>,
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
    /// Which of a package's names `name` is.
    pub names: Names,
    /// What the vendor says of it in this release, where it says more than the ranges: `None` leaves it to the ranges.
    pub state: Option<VendorState>,
    /// The vendor's reason or remark on the state, as it writes it (`Minor issue`, `Out of support scope`).
    pub remark: Option<String>,
    /// The architectures it is about, as the package manager writes them, or for Go the platforms (`windows/*`, `*/amd64`); none:
    /// all.
    pub architectures: Vec<String>,
    /// The module stream that the package must come from (`nodejs:18`), for distributions with modules; `None`: any package
    /// that comes from no module.
    pub module: Option<String>,
}

impl Affected {
    /// A package of which nothing is said yet; its name is of the kind that the ecosystem's advisories use.
    pub fn new(ecosystem: Ecosystem, name: impl Into<String>) -> Self {
        let names = ecosystem.row().names;
        Self {
            ecosystem,
            name: name.into(),
            ranges: Vec::new(),
            versions: Vec::new(),
            severity: Vec::new(),
            vendor_severity: None,
            names,
            state: None,
            remark: None,
            architectures: Vec::new(),
            module: None,
        }
    }

    /// Adds one range: affected from `introduced` (`0`: from the beginning) until `fixed`; without a fix for good.
    #[must_use]
    pub fn with_range(mut self, introduced: &str, fixed: Option<&str>) -> Self {
        let fixed = fixed.map(|fixed| Event::Fixed(fixed.to_owned()));
        let events = std::iter::once(Event::Introduced(introduced.to_owned())).chain(fixed).collect();
        self.ranges.push(Range { kind: RangeType::Ecosystem, events });
        self
    }
}

/// Which name of a package an advisory uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// The installed package's own.
    Binary,
    /// That of the source package that it was built from (`openssl` for `libssl3`), with the source's versions.
    Source,
}

/// A vendor's word on a package in one of its releases, beyond version ranges (CSAF 2.0 product status and remediations,
/// Debian's security tracker, Amazon's and Ubuntu's states). Each keeps the ranges' answer but adds to it, except
/// `NotAffected`, which is an answer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendorState {
    /// Affected, a fix is not out (yet).
    Affected,
    /// Never had the vulnerability, whatever its version.
    NotAffected,
    /// A fix is out: the ranges say from which version.
    Fixed,
    /// Affected, and the vendor decided against a fix (`<ignored>`, "will not fix").
    WillNotFix,
    /// Affected, and a fix waits for the next occasion (`<postponed>`, `<no-dsa>`, "fix deferred").
    Deferred,
    /// Affected, and the release or package is out of support (`<end-of-life>`).
    EndOfLife,
    /// The vendor has not decided yet: undetermined.
    UnderInvestigation,
}

impl VendorState {
    /// Every state, in declaration order.
    pub const ALL: [Self; 7] = [
        Self::Affected,
        Self::NotAffected,
        Self::Fixed,
        Self::WillNotFix,
        Self::Deferred,
        Self::EndOfLife,
        Self::UnderInvestigation,
    ];

    /// For people, completing "the vendor says:".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::NotAffected => "not affected",
            Self::Fixed => "fixed",
            Self::WillNotFix => "will not fix",
            Self::Deferred => "fix deferred",
            Self::EndOfLife => "end of life",
            Self::UnderInvestigation => "under investigation",
        }
    }
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

/// Versions of a package whose answers another database may change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touched {
    /// With its release.
    pub ecosystem: String,
    /// Normalised.
    pub name: String,
    /// The first such version, as a key of the ecosystem's scheme; empty: from the beginning.
    pub from: Vec<u8>,
    /// The first version behind them; empty: all that follow.
    pub to: Vec<u8>,
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

impl KnownExploited {
    /// What two sources say of one CVE: the fuller entry (CISA's own names a day until which to act), with the word on
    /// ransomware of either. The order of the two does not matter.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        let ransomware = self.ransomware || other.ransomware;
        let misses = |known: &Self| {
            let fields = [&known.due_date, &known.required_action, &known.date_added];
            (fields.map(|field| field.is_empty()), fields.map(String::clone))
        };
        let fuller = if misses(&self) <= misses(&other) { self } else { other };
        Self { ransomware, ..fuller }
    }
}

/// The Exploit Prediction Scoring System's word on a CVE (first.org/epss).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epss {
    /// Probability of exploitation in the next 30 days, 0.0 to 1.0.
    pub score: f64,
    /// Share of CVEs with a lower score, 0.0 to 1.0.
    pub percentile: f64,
}

/// One database's own word on a vulnerability's severity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VendorWord {
    /// `Advisory::source`.
    pub source: String,
    /// As it writes it.
    pub severity: String,
}

/// CISA's decision points of the Stakeholder-Specific Vulnerability Categorization, as its container in CVE records has
/// them (cisa.gov/ssvc; `containers.adp[].metrics[].other`, type `ssvc`). Each as CISA writes it, in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ssvc {
    /// `none`, `poc` or `active`.
    pub exploitation: String,
    /// `yes` or `no`.
    pub automatable: String,
    /// `partial` or `total`.
    pub technical_impact: String,
}

/// Evidence that somebody can exploit a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Exploit {
    /// Who has it: `EXPLOITDB`, `METASPLOIT`, `NUCLEI`.
    pub source: String,
    /// Its name there: `50592`, `exploit/multi/http/log4shell_header_injection`.
    pub id: String,
}

/// Until when a release of a product is supported.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LifeCycle {
    /// In endoflife.date's spelling, also for other sources: `debian`, `nodejs`, `ubuntu`.
    pub product: String,
    /// The release as its users call it: `12`, `22.04`, `18`.
    pub release: String,
    /// The release's code name in small letters, when it has one: `bookworm`.
    pub codename: Option<String>,
    /// Last day of general support, `YYYY-MM-DD`; `None`: not set, or none planned.
    pub end_of_life: Option<String>,
    /// Last day of support that must be paid or asked for (ESM, ELTS), `YYYY-MM-DD`.
    pub extended_support: Option<String>,
    /// Supported no more, on a day that the source does not name.
    pub ended: bool,
}

/// What a VEX document's author says of a product and a vulnerability (OpenVEX 0.2, "Status Labels"; CSAF 2.0, product
/// status). Made by the owner of the workloads or the maker of an image, about things that no feed knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VexStatement {
    /// The vulnerability or any alias of it.
    pub vulnerability: String,
    /// A package URL. What it leaves out (version, qualifiers, subpath) it leaves open. For an image (`pkg:oci/…`) the
    /// statement is about all in it, unless `subcomponents` names parts.
    pub product: String,
    /// Parts of the product, as package URLs; none: the product itself. Only an image's parts are known.
    pub subcomponents: Vec<String>,
    /// The answer.
    pub status: VexStatus,
    /// Why not affected, as the formats spell it: `vulnerable_code_not_present`, …
    pub justification: Option<String>,
    /// Impact or action statement, free text.
    pub statement: Option<String>,
    /// Who says it.
    pub author: String,
    /// The document's id.
    pub document: String,
    /// When it was said last; of two statements about the same the later counts.
    pub timestamp: Option<jiff::Timestamp>,
}

/// OpenVEX' status labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VexStatus {
    /// The product has not the vulnerability.
    NotAffected,
    /// It has.
    Affected,
    /// It had.
    Fixed,
    /// Not known yet.
    UnderInvestigation,
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
    /// The vendor's word, as it writes it: of the record that judged, else the first that says one.
    pub vendor_severity: Option<String>,
    /// Every record's word on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vendor_words: Vec<VendorWord>,
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
    /// Evidence of exploits, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exploits: Vec<Exploit>,
    /// CISA's decision points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssvc: Option<Ssvc>,
    /// Products as CPE 2.3 names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_entries_for_one_cve_the_fuller_stands_with_either_ones_ransomware() {
        let known = |added: &str, due: &str, action: &str, ransomware| KnownExploited {
            date_added: added.to_owned(),
            due_date: due.to_owned(),
            required_action: action.to_owned(),
            ransomware,
        };
        let check = |one: KnownExploited, other: KnownExploited, expected: KnownExploited| {
            assert_eq!(one.clone().joined(other.clone()), expected);
            assert_eq!(other.joined(one), expected);
        };
        let cisa = || known("2021-12-10", "2021-12-24", "Apply updates.", true);
        // the NVD repeats CISA's entry without the word on ransomware
        check(cisa(), known("2021-12-10", "2021-12-24", "Apply updates.", false), cisa());
        // a CVE record has the day alone; another catalogue had it earlier
        check(cisa(), known("2021-12-10", "", "", false), cisa());
        check(cisa(), known("2021-12-09", "", "", false), cisa());
        check(known("2024-06-07", "", "", true), known("2024-06-12", "", "", false), known("2024-06-07", "", "", true));
    }
}
