//! Findings: what a person or a sink is told, and their life cycle.

use crate::{
    AccountId, BaseScore, Digest, Epss, Package, Region, ResourceId, ResourceKind, Severity, Verdict,
    VulnerabilityFacts,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// 32 hexadecimal digits, the tail of the finding's ARN. The same weakness on the same resource always has the
/// same id, so a repeat is seen as one by every sink.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FindingId(String);

impl FindingId {
    /// Of one vulnerability on one resource, all affected packages together (as Inspector does).
    pub fn of_package_vulnerability(resource: &ResourceId, vulnerability: &str) -> Self {
        Self::of(&["PACKAGE_VULNERABILITY", resource.as_str(), vulnerability])
    }

    /// Of one port range reachable on one resource from one edge.
    pub fn of_network_reachability(resource: &ResourceId, reachability: &Reachability) -> Self {
        let ports = format!("{}-{}", reachability.port_begin, reachability.port_end);
        let edge = reachability.path.first().map(|step| step.component_id.as_str()).unwrap_or_default();
        Self::of(&[
            "NETWORK_REACHABILITY",
            resource.as_str(),
            &reachability.interface,
            &reachability.protocol,
            &ports,
            edge,
        ])
    }

    fn of(parts: &[&str]) -> Self {
        Self(Digest::of(parts.join("\u{1f}").as_bytes()).hex()[..32].to_owned())
    }

    /// From the 32 digits; `None` if they are not.
    pub fn parse(raw: &str) -> Option<Self> {
        (raw.len() == 32 && raw.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
            .then(|| Self(raw.to_owned()))
    }

    /// The 32 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// `FindingType` of the inspector2 API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingType {
    /// A package with a known vulnerability.
    PackageVulnerability,
    /// A port that can be reached from an edge.
    NetworkReachability,
}

impl FindingType {
    /// Inspector's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PackageVulnerability => "PACKAGE_VULNERABILITY",
            Self::NetworkReachability => "NETWORK_REACHABILITY",
        }
    }
}

/// `FindingStatus` of the inspector2 API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingStatus {
    /// Open.
    Active,
    /// Hidden by a rule, still watched.
    Suppressed,
    /// Gone.
    Closed,
}

impl FindingStatus {
    /// Inspector's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suppressed => "SUPPRESSED",
            Self::Closed => "CLOSED",
        }
    }
}

/// `FixAvailable` of the inspector2 API: all, none or some of the affected packages have a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FixAvailable {
    /// All.
    Yes,
    /// None.
    No,
    /// Some.
    Partial,
}

impl FixAvailable {
    /// Inspector's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "YES",
            Self::No => "NO",
            Self::Partial => "PARTIAL",
        }
    }
}

/// `ExploitAvailable` of the inspector2 API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ExploitAvailable {
    /// An exploit is known.
    Yes,
    /// None is known.
    No,
}

impl ExploitAvailable {
    /// Inspector's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "YES",
            Self::No => "NO",
        }
    }
}

/// One finding in its present state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// On what.
    pub resource: ResourceId,
    /// The kind of that.
    pub resource_kind: ResourceKind,
    /// Present status.
    pub status: FindingStatus,
    /// One line.
    pub title: String,
    /// At most 1,024 characters.
    pub description: String,
    /// What to do.
    pub remediation: String,
    /// After the environment was looked at.
    pub severity: Severity,
    /// For package findings that somebody scored.
    pub inspector_score: Option<InspectorScore>,
    /// Whether updating helps; `None` for network findings.
    pub fix_available: Option<FixAvailable>,
    /// Whether an exploit is known; `None` for network findings.
    pub exploit_available: Option<ExploitAvailable>,
    /// EPSS of the vulnerability.
    pub epss: Option<Epss>,
    /// What was found.
    pub details: FindingDetails,
    /// First time seen.
    pub first_observed_at: jiff::Timestamp,
    /// Last time seen.
    pub last_observed_at: jiff::Timestamp,
    /// Last change of anything but `last_observed_at`.
    pub updated_at: jiff::Timestamp,
    /// When it closed.
    pub closed_at: Option<jiff::Timestamp>,
    /// Counts the changes from 1; sinks are told each revision at most once.
    pub revision: u64,
}

impl Finding {
    /// Its type.
    pub fn kind(&self) -> FindingType {
        match self.details {
            FindingDetails::Package(_) => FindingType::PackageVulnerability,
            FindingDetails::Network(_) => FindingType::NetworkReachability,
        }
    }

    /// `arn:aws:inspector2:REGION:ACCOUNT:finding/ID`.
    pub fn arn(&self) -> String {
        format!("arn:aws:inspector2:{}:{}:finding/{}", self.region, self.account, self.id)
    }
}

/// What was found.
#[allow(clippy::large_enum_variant)] // almost all findings are of the large kind
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FindingDetails {
    /// A vulnerability in packages.
    Package(PackageFinding),
    /// A reachable port range.
    Network(NetworkFinding),
}

/// A vulnerability and every package of the resource that has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageFinding {
    /// The vulnerability.
    pub vulnerability: VulnerabilityFacts,
    /// At least one.
    pub packages: Vec<VulnerablePackage>,
}

/// One affected package of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VulnerablePackage {
    /// The package.
    pub package: Package,
    /// First good version.
    pub fixed_version: Option<String>,
    /// The whole verdict, for `explain`.
    pub verdict: Verdict,
}

/// A reachable port range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkFinding {
    /// How it is reached.
    pub reachability: Reachability,
}

/// A port range of an interface that can be reached from an edge of the network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reachability {
    /// Twelve digits; empty in what was stored before accounts were told.
    #[serde(default)]
    pub account: String,
    /// For example `eu-central-1`.
    #[serde(default)]
    pub region: String,
    /// What is reached: an instance's id, the ARN or id of a load balancer, function, database or task, else the
    /// interface's id.
    #[serde(default)]
    pub resource: String,
    /// `eni-…`; empty where no interface has a part in it (a function's URL).
    pub interface: String,
    /// `TCP` or `UDP`.
    pub protocol: String,
    /// First port.
    pub port_begin: u16,
    /// Last port, inclusive.
    pub port_end: u16,
    /// Where the sources are: `internet`, `peer`, `vpn`, `direct-connect` or `transit`.
    pub edge: String,
    /// The source addresses that can reach it, as sorted CIDRs.
    pub sources: Vec<String>,
    /// From the edge inwards, as Inspector writes it: gateway, network ACL, security group, interface, instance.
    pub path: Vec<Step>,
}

impl Reachability {
    /// `i-…`, when what is reached is an instance.
    pub fn instance(&self) -> Option<&str> {
        Some(self.resource.as_str()).filter(|resource| resource.starts_with("i-"))
    }
}

/// One component on a path (`Step` of the inspector2 API).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Step {
    /// `igw-…`, `acl-…`, `sg-…`, `eni-…`, `i-…`.
    pub component_id: String,
    /// `AWS::EC2::InternetGateway`, …
    pub component_type: String,
}

/// The Inspector score of a package finding, and how it came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InspectorScore {
    /// The adjusted score.
    pub score: BaseScore,
    /// The adjusted CVSS v3.1 (or v3.0) vector.
    pub vector: String,
    /// `3.1`.
    pub version: String,
    /// Who gave the base vector.
    pub source: String,
    /// Score of the base vector, unadjusted.
    pub base_score: BaseScore,
    /// The base vector.
    pub base_vector: String,
    /// Each metric that the environment changed.
    pub adjustments: Vec<Adjustment>,
    /// What else was weighed, changing no metric: why nothing was adjusted, known exploitation, EPSS. One sentence each.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// One metric changed by the environment (`CvssScoreAdjustment` of the inspector2 API).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// For example `AV`.
    pub metric: String,
    /// Why, in one sentence.
    pub reason: String,
}
