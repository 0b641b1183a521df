//! A finding as a row: its body, and beside it what findings are filtered and sorted by.

use crate::{
    StoreError, body,
    engine::{Value, values},
};
use muster_domain::{Finding, FindingDetails, Severity};
use std::collections::BTreeSet;

/// Writes rows of [`columns`].
pub(crate) const INSERT: &str = "INSERT INTO finding (id, account, region, resource, resource_kind, type, status,
        severity, score_tenths, vulnerability, title, fix_available, exploit_available, epss_millionths, protocol,
        port_begin, port_end, first_observed_at, last_observed_at, updated_at, closed_at, revision, body)";

/// Those whose revision is above the stored one; returns the ids of what is written.
pub(crate) const WHEN_NEWER: &str =
    "ON CONFLICT (id) DO UPDATE SET account = excluded.account, region = excluded.region,
        resource = excluded.resource, resource_kind = excluded.resource_kind, type = excluded.type,
        status = excluded.status, severity = excluded.severity, score_tenths = excluded.score_tenths,
        vulnerability = excluded.vulnerability, title = excluded.title, fix_available = excluded.fix_available,
        exploit_available = excluded.exploit_available, epss_millionths = excluded.epss_millionths,
        protocol = excluded.protocol, port_begin = excluded.port_begin, port_end = excluded.port_end,
        first_observed_at = excluded.first_observed_at, last_observed_at = excluded.last_observed_at,
        updated_at = excluded.updated_at, closed_at = excluded.closed_at, revision = excluded.revision,
        body = excluded.body
    WHERE finding.revision < excluded.revision RETURNING id";

/// The row, in the order of [`INSERT`].
pub(crate) fn columns(finding: &Finding) -> Vec<Value> {
    let (vulnerability, protocol, ports) = match &finding.details {
        FindingDetails::Package(found) => (found.vulnerability.id.as_str(), "", (-1, -1)),
        FindingDetails::Network(found) => {
            let reachability = &found.reachability;
            let ports = (i64::from(reachability.port_begin), i64::from(reachability.port_end));
            ("", reachability.protocol.as_str(), ports)
        }
    };
    values![
        finding.id.as_str(),
        finding.account.as_str(),
        finding.region.as_str(),
        &finding.resource,
        finding.resource_kind.as_str(),
        finding.kind().as_str(),
        finding.status.as_str(),
        rank(finding.severity),
        tenths(finding),
        vulnerability,
        finding.title.as_str(),
        finding.fix_available.map_or("", |fix| fix.as_str()),
        finding.exploit_available.map_or("", |exploit| exploit.as_str()),
        epss(finding),
        protocol,
        ports.0,
        ports.1,
        finding.first_observed_at,
        finding.last_observed_at,
        finding.updated_at,
        finding.closed_at.map(|time| time.as_microsecond()),
        body::signed(finding.revision),
        body::pack_json(finding),
    ]
}

/// The finding of a row (id, body).
pub(crate) fn read((id, packed): (String, Vec<u8>)) -> Result<Finding, StoreError> {
    body::unpack_json(&packed, || format!("finding {id}"))
}

/// Names and versions of the packages.
pub(crate) fn packages(finding: &Finding) -> BTreeSet<(&str, &str)> {
    match &finding.details {
        FindingDetails::Package(found) => {
            let packages = found.packages.iter().map(|vulnerable| &vulnerable.package);
            packages.map(|package| (package.name.as_str(), package.version.as_str())).collect()
        }
        FindingDetails::Network(_) => BTreeSet::new(),
    }
}

/// The components on a network path.
pub(crate) fn components(finding: &Finding) -> BTreeSet<&str> {
    match &finding.details {
        FindingDetails::Package(_) => BTreeSet::new(),
        FindingDetails::Network(found) => {
            let steps = found.reachability.path.iter().map(|step| step.component_id.as_str());
            steps.chain([found.reachability.interface.as_str()]).collect()
        }
    }
}

/// 0 for untriaged to 5 for critical.
pub(crate) fn rank(severity: Severity) -> i64 {
    let from_the_top = Severity::ALL.iter().position(|other| *other == severity).unwrap_or_default();
    (Severity::ALL.len() - 1 - from_the_top) as i64
}

/// The Inspector score in tenths; -1: none.
pub(crate) fn tenths(finding: &Finding) -> i64 {
    finding.inspector_score.as_ref().map_or(-1, |score| i64::from(score.score.tenths()))
}

/// The EPSS score in millionths, which hold its five decimals exactly (first.org/epss, data format); -1: none.
pub(crate) fn epss(finding: &Finding) -> i64 {
    finding.epss.map_or(-1, |epss| (epss.score.clamp(0.0, 1.0) * 1e6).round() as i64)
}
