//! Resources, verdicts and findings for tests.

use crate::{
    lifecycle,
    scoring::{Exposure, drafts},
};
use jiff::Timestamp;
use muster_domain::{
    Explanation, Finding, FunctionDetails, ImageDetails, InstanceDetails, Package, PackageManager, Reachability,
    Resource, ResourceDetails, ResourceId, Severity, Status, Step, VectorString, Verdict, VerdictSet,
    VulnerabilityFacts,
};
use std::collections::BTreeMap;

pub(crate) const NETWORK_VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"; // 9.8
pub(crate) const DIGEST: &str = "sha256:abababababababababababababababababababababababababababababababab";

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn resource(id: &str, details: ResourceDetails) -> Resource {
    Resource {
        id: ResourceId::new(id),
        account: "123456789012".parse().unwrap(),
        region: muster_domain::Region::new("eu-central-1"),
        tags: BTreeMap::from([("Name".into(), "web-1".into())]),
        details,
    }
}

pub(crate) fn instance() -> Resource {
    let details = InstanceDetails {
        instance_type: "t3.small".into(),
        image_id: "ami-0123456789abcdef0".into(),
        ipv4_addresses: vec!["192.0.2.10".into(), "10.0.1.5".into()],
        key_name: Some("ops".into()),
        vpc_id: Some("vpc-0bbb2222".into()),
        subnet_id: Some("subnet-0aaa1111".into()),
        launched_at: Some(at("2025-03-04T09:00:00Z")),
        platform: Some("Debian GNU/Linux 12".into()),
        ..InstanceDetails::default()
    };
    resource("i-0a1b2c3d4e5f60718", ResourceDetails::Instance(details))
}

pub(crate) fn image() -> Resource {
    let details = ImageDetails {
        repository: "team/app".into(),
        registry: "123456789012".into(),
        digest: DIGEST.into(),
        tags: vec!["v1".into()],
        architecture: Some("arm64".into()),
        pushed_at: Some(at("2025-03-04T09:00:00.5Z")),
        ..ImageDetails::default()
    };
    resource(
        &format!("arn:aws:ecr:eu-central-1:123456789012:repository/team/app/{DIGEST}"),
        ResourceDetails::Image(details),
    )
}

pub(crate) fn function() -> Resource {
    let details = FunctionDetails {
        name: "fn".into(),
        runtime: "python3.12".into(),
        code_sha256: "base64sha256=".into(),
        version: "$LATEST".into(),
        execution_role_arn: "arn:aws:iam::123456789012:role/fn".into(),
        package_type: "Zip".into(),
        architecture: "x86_64".into(),
        last_modified_at: Some(at("2025-03-04T09:00:00Z")),
        ..FunctionDetails::default()
    };
    resource("arn:aws:lambda:eu-central-1:123456789012:function:fn:$LATEST", ResourceDetails::Function(details))
}

pub(crate) fn package(manager: PackageManager, name: &str, version: &str) -> Package {
    let purl_type = if manager == PackageManager::Os { "deb/debian" } else { "generic" };
    Package {
        ecosystem: None,
        name: name.into(),
        version: version.into(),
        purl: format!("pkg:{purl_type}/{name}@{version}"),
        manager,
        source: None,
        architecture: (manager == PackageManager::Os).then(|| "amd64".into()),
        paths: vec![format!("usr/lib/{name}")],
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    }
}

pub(crate) fn verdict(vulnerability: &str, name: &str, fixed: Option<&str>) -> Verdict {
    Verdict {
        vulnerability: vulnerability.into(),
        aliases: Vec::new(),
        package: package(PackageManager::Os, name, "1:3.0.11-1"),
        status: Status::Affected,
        fixed_version: fixed.map(str::to_owned),
        severity: Severity::Untriaged,
        score: None,
        explanation: Explanation {
            source: "DEBIAN_CVE".into(),
            state: None,
            remark: None,
            vex: None,
            advisory: None,
            ecosystem: "Debian:12".into(),
            name: name.into(),
            installed: "1:3.0.11-1".into(),
            scheme: "deb".into(),
            range: None,
            vendor: None,
            reason: "3.0.11-1 is before the fix".into(),
        },
    }
}

pub(crate) fn facts(vulnerability: &str, vectors: &[&str]) -> VulnerabilityFacts {
    let vector =
        |vector: &&str| VectorString { kind: "CVSS_V3".into(), vector: (*vector).to_owned(), source: "NVD".into() };
    VulnerabilityFacts {
        id: vulnerability.into(),
        source: "DEBIAN_CVE".into(),
        source_url: format!("https://security-tracker.debian.org/tracker/{vulnerability}"),
        description: "Something bad can happen.".into(),
        severity: vectors.iter().map(vector).collect(),
        aliases: vec!["DSA-1".into()],
        references: vec!["https://example.org/advisory".into()],
        published: Some(at("2025-03-01T00:00:00Z")),
        modified: Some(at("2025-03-02T00:00:00Z")),
        ..VulnerabilityFacts::default()
    }
}

pub(crate) fn verdict_set(verdicts: Vec<Verdict>, facts: Vec<VulnerabilityFacts>) -> VerdictSet {
    VerdictSet {
        verdicts,
        vulnerabilities: facts.into_iter().map(|facts| (facts.id.clone(), facts)).collect(),
        ..VerdictSet::default()
    }
}

pub(crate) fn reachability(port_begin: u16, port_end: u16) -> Reachability {
    let step = |id: &str, kind: &str| Step { component_id: id.into(), component_type: format!("AWS::EC2::{kind}") };
    Reachability {
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        resource: "i-0a1b2c3d4e5f60718".into(),
        interface: "eni-0ddd4444".into(),
        protocol: "TCP".into(),
        port_begin,
        port_end,
        edge: "internet".into(),
        sources: vec!["0.0.0.0/0".into()],
        path: vec![
            step("igw-0ccc3333", "InternetGateway"),
            step("acl-0eee5555", "NetworkAcl"),
            step("sg-0fff6666", "SecurityGroup"),
            step("eni-0ddd4444", "NetworkInterface"),
            step("i-0a1b2c3d4e5f60718", "Instance"),
        ],
    }
}

pub(crate) fn exposed(reachabilities: Vec<Reachability>) -> Exposure {
    Exposure { reachabilities, undetermined: Vec::new(), modelled: true }
}

/// The findings that come from these, opened at a fixed time.
pub(crate) fn findings(resource: &Resource, verdicts: &VerdictSet, exposure: &Exposure) -> Vec<Finding> {
    let drafts = drafts(resource, verdicts, exposure);
    let transitions = lifecycle::decide(&[], drafts, at("2024-09-04T16:59:44.356Z"));
    transitions.into_iter().map(|transition| transition.finding).collect()
}

/// A scored finding of one CVE in two packages, one of which has a fix.
pub(crate) fn package_finding(resource: &Resource) -> Finding {
    let verdicts =
        vec![verdict("CVE-2099-0001", "openssl", Some("3.0.15-1~deb12u1")), verdict("CVE-2099-0001", "libssl3", None)];
    let verdicts = verdict_set(verdicts, vec![facts("CVE-2099-0001", &[NETWORK_VECTOR])]);
    findings(resource, &verdicts, &exposed(Vec::new())).remove(0)
}

/// Port 22, open to everyone.
pub(crate) fn network_finding() -> Finding {
    findings(&instance(), &VerdictSet::default(), &exposed(vec![reachability(22, 22)])).remove(0)
}
