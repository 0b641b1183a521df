//! From the domain's words to the wire's.

use crate::v1;
use muster_domain::{
    Explanation, Finding, FindingDetails, Package, Reachability, Resource, Status, Step, VendorState, Verdict,
};

/// A point in time as it came over the wire; `None` outside of what a clock can show.
pub fn moment(at: &prost_types::Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::new(at.seconds, at.nanos).ok()
}

/// A point in time, to the nanosecond.
pub fn timestamp(at: jiff::Timestamp) -> prost_types::Timestamp {
    // prost wants 0 <= nanos < 1e9 also before 1970; jiff gives both parts the same sign.
    let nanoseconds = at.as_nanosecond();
    prost_types::Timestamp {
        seconds: nanoseconds.div_euclid(1_000_000_000) as i64,
        nanos: nanoseconds.rem_euclid(1_000_000_000) as i32,
    }
}

impl From<&Resource> for v1::Resource {
    fn from(resource: &Resource) -> Self {
        Self {
            id: resource.id.to_string(),
            account_id: resource.account.to_string(),
            region: resource.region.to_string(),
            resource_type: resource.kind().as_str().to_owned(),
            tags: resource.tags.clone().into_iter().collect(),
            details_json: serde_json::to_string(&resource.details).expect("details have text keys"),
            fingerprint: resource.fingerprint().to_string(),
            observed_at: None,
            gone_at: None,
        }
    }
}

impl From<&Package> for v1::Package {
    fn from(package: &Package) -> Self {
        let (source_name, source_version) =
            package.source.clone().map(|source| (source.name, source.version)).unwrap_or_default();
        Self {
            name: package.name.clone(),
            version: package.version.clone(),
            purl: package.purl.clone(),
            ecosystem: package.ecosystem.as_ref().map(ToString::to_string).unwrap_or_default(),
            package_manager: package.manager.as_str().to_owned(),
            source_name,
            source_version,
            architecture: package.architecture.clone().unwrap_or_default(),
            paths: package.paths.clone(),
            layer: package.layer.as_ref().map(ToString::to_string).unwrap_or_default(),
            lambda_layer: package.lambda_layer.clone().unwrap_or_default(),
        }
    }
}

impl From<&Explanation> for v1::Explanation {
    fn from(explanation: &Explanation) -> Self {
        let range = explanation.range.clone().unwrap_or_default();
        Self {
            advisory: explanation.advisory.as_ref().map(|id| id.0.clone()).unwrap_or_default(),
            ecosystem: explanation.ecosystem.clone(),
            name: explanation.name.clone(),
            installed: explanation.installed.clone(),
            scheme: explanation.scheme.clone(),
            introduced: range.introduced.unwrap_or_default(),
            fixed: range.fixed.unwrap_or_default(),
            last_affected: range.last_affected.unwrap_or_default(),
            vendor: explanation.vendor.clone().unwrap_or_default(),
            reason: explanation.reason.clone(),
            source: explanation.source.clone(),
            state: explanation.state.map(VendorState::as_str).unwrap_or_default().to_owned(),
            remark: explanation.remark.clone().unwrap_or_default(),
            vex_document: explanation.vex.as_ref().map(|vex| vex.document.clone()).unwrap_or_default(),
        }
    }
}

impl From<&Verdict> for v1::Verdict {
    fn from(verdict: &Verdict) -> Self {
        let status = match verdict.status {
            Status::Affected => "affected",
            Status::NotAffected => "not_affected",
            Status::Undetermined => "undetermined",
        };
        Self {
            vulnerability: verdict.vulnerability.clone(),
            aliases: verdict.aliases.clone(),
            package: Some((&verdict.package).into()),
            status: status.to_owned(),
            fixed_version: verdict.fixed_version.clone().unwrap_or_default(),
            severity: verdict.severity.as_str().to_owned(),
            score: verdict.score.map(|score| score.points()),
            explanation: Some((&verdict.explanation).into()),
        }
    }
}

impl From<&Step> for v1::Step {
    fn from(step: &Step) -> Self {
        Self { component_id: step.component_id.clone(), component_type: step.component_type.clone() }
    }
}

impl From<&Reachability> for v1::NetworkReachability {
    fn from(reachability: &Reachability) -> Self {
        Self {
            interface: reachability.interface.clone(),
            protocol: reachability.protocol.clone(),
            port_begin: reachability.port_begin.into(),
            port_end: reachability.port_end.into(),
            edge: reachability.edge.clone(),
            sources: reachability.sources.clone(),
            path: reachability.path.iter().map(Into::into).collect(),
            account_id: reachability.account.clone(),
            region: reachability.region.clone(),
            resource_id: reachability.resource.clone(),
        }
    }
}

impl From<&Finding> for v1::Finding {
    fn from(finding: &Finding) -> Self {
        let score = finding.inspector_score.as_ref();
        let (vulnerability_id, packages, network) = match &finding.details {
            FindingDetails::Package(details) => {
                let packages = details
                    .packages
                    .iter()
                    .map(|vulnerable| v1::VulnerablePackage {
                        package: Some((&vulnerable.package).into()),
                        fixed_version: vulnerable.fixed_version.clone().unwrap_or_default(),
                    })
                    .collect();
                (details.vulnerability.id.clone(), packages, None)
            }
            FindingDetails::Network(details) => (String::new(), Vec::new(), Some((&details.reachability).into())),
        };
        Self {
            id: finding.id.to_string(),
            arn: finding.arn(),
            account_id: finding.account.to_string(),
            region: finding.region.to_string(),
            resource_id: finding.resource.to_string(),
            resource_type: finding.resource_kind.as_str().to_owned(),
            finding_type: finding.kind().as_str().to_owned(),
            status: finding.status.as_str().to_owned(),
            title: finding.title.clone(),
            description: finding.description.clone(),
            remediation: finding.remediation.clone(),
            severity: finding.severity.as_str().to_owned(),
            inspector_score: score.map(|score| score.score.points()),
            inspector_score_vector: score.map(|score| score.vector.clone()).unwrap_or_default(),
            adjustments: score
                .map(|score| score.adjustments.as_slice())
                .unwrap_or_default()
                .iter()
                .map(|adjustment| v1::Adjustment {
                    metric: adjustment.metric.clone(),
                    reason: adjustment.reason.clone(),
                })
                .collect(),
            fix_available: finding.fix_available.map(|fix| fix.as_str().to_owned()).unwrap_or_default(),
            exploit_available: finding.exploit_available.map(|exploit| exploit.as_str().to_owned()).unwrap_or_default(),
            epss_score: finding.epss.map(|epss| epss.score),
            vulnerability_id,
            packages,
            network,
            first_observed_at: Some(timestamp(finding.first_observed_at)),
            last_observed_at: Some(timestamp(finding.last_observed_at)),
            updated_at: Some(timestamp(finding.updated_at)),
            closed_at: finding.closed_at.map(timestamp),
            revision: finding.revision,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_1970_has_positive_nanoseconds() {
        let check = |at: &str, seconds: i64, nanos: i32| {
            assert_eq!(timestamp(at.parse().unwrap()), prost_types::Timestamp { seconds, nanos });
        };
        check("2026-11-24T08:00:00.5Z", 1_795_507_200, 500_000_000);
        check("1969-12-31T23:59:59.25Z", -1, 250_000_000);
    }
}
