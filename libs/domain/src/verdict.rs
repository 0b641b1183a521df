//! Verdicts: three answers with their explanation.

use crate::{AdvisoryId, BaseScore, Digest, Package, Severity, VendorState, VexStatement, VulnerabilityFacts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The three answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The package has the vulnerability.
    Affected,
    /// It has not, and the explanation says why.
    NotAffected,
    /// We could not tell, and the explanation says why.
    Undetermined,
}

/// One advisory against one installed package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The CVE where there is one, else the advisory's id. Key into `VerdictSet::vulnerabilities`.
    pub vulnerability: String,
    /// All other names, sorted.
    pub aliases: Vec<String>,
    /// The package judged.
    pub package: Package,
    /// The answer.
    pub status: Status,
    /// The lowest version that is good on the installed one's line, when a fix exists.
    pub fixed_version: Option<String>,
    /// Of the vulnerability for this package, by vendor or CVSS, before any environment is looked at.
    pub severity: Severity,
    /// CVSS base score, when somebody scored it.
    pub score: Option<BaseScore>,
    /// Why.
    pub explanation: Explanation,
}

/// Why a verdict is what it is: enough for a person to check it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The record that decided; `None` when there is none (no data for this release).
    pub advisory: Option<AdvisoryId>,
    /// The database that the record comes from (`Advisory::source`).
    #[serde(default)]
    pub source: String,
    /// The ecosystem and name under which it was looked up: `Debian:12`, `openssl`.
    pub ecosystem: String,
    /// The name that was looked up.
    pub name: String,
    /// The version that was compared (the source package's for OS packages).
    pub installed: String,
    /// The scheme that compared.
    pub scheme: String,
    /// The range that decided.
    pub range: Option<MatchedRange>,
    /// The vendor's word on the severity, as it writes it.
    pub vendor: Option<String>,
    /// What the vendor says of the package beyond version ranges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<VendorState>,
    /// The vendor's reason for or remark on that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// The statement of the owner's own that was applied or that says something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vex: Option<VexStatement>,
    /// One sentence for a person: `3.0.11-1 is before the fix 3.0.15-1~deb12u1`.
    pub reason: String,
}

/// One interval of an advisory: from `introduced` (inclusive; `None`: from the beginning) to `fixed` (exclusive)
/// or `last_affected` (inclusive); neither: not fixed yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchedRange {
    /// First affected version.
    pub introduced: Option<String>,
    /// First good version.
    pub fixed: Option<String>,
    /// Last affected version.
    pub last_affected: Option<String>,
}

/// All verdicts of one inventory against one epoch that matter to findings: affected and undetermined.
/// What is not affected is counted here and explained on demand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VerdictSet {
    /// The inventory judged.
    pub inventory: Option<Digest>,
    /// Sorted by (vulnerability, package).
    pub verdicts: Vec<Verdict>,
    /// How many pairs of advisory and package were found not affected.
    pub not_affected: u64,
    /// What is known of each vulnerability in `verdicts`, by its id.
    pub vulnerabilities: BTreeMap<String, VulnerabilityFacts>,
    /// Packages that could not be judged at all, sorted.
    pub gaps: Vec<Gap>,
}

/// Packages that could not be judged, all for one reason: undetermined, whatever vulnerability is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gap {
    /// What they are packages of: `ubuntu 22.04`, `Debian:11`, `pkg:maven`.
    pub ecosystem: String,
    /// Why, in small letters without a stop.
    pub reason: String,
    /// How many; 0: nobody counted them.
    pub packages: u64,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.ecosystem, self.reason)?;
        match self.packages {
            0 => Ok(()),
            packages => write!(formatter, " ({packages} packages)"),
        }
    }
}

impl VerdictSet {
    /// The name of this content.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }
}
