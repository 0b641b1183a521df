//! Things to put into a store.

use muster_domain::*;
use muster_store::{OutboxMessage, ScoredKey, Store, Sweep};
use std::collections::BTreeMap;

/// `seconds` after a fixed moment.
pub fn at(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

pub fn digest(word: &str) -> Digest {
    Digest::of(word.as_bytes())
}

pub fn message(id: &str) -> OutboxMessage {
    OutboxMessage {
        id: id.to_owned(),
        subject: "muster.test".to_owned(),
        key: "key".to_owned(),
        headers: BTreeMap::from([("traceparent".to_owned(), "00-1-2-01".to_owned())]),
        payload: vec![0, 159, 146, 150],
    }
}

pub fn instance(account: &str, id: &str) -> Resource {
    Resource {
        id: ResourceId::new(id),
        account: account.parse().unwrap(),
        region: Region::new("eu-central-1"),
        tags: BTreeMap::from([("Name".to_owned(), id.to_owned())]),
        details: ResourceDetails::Instance(InstanceDetails {
            image_id: "ami-1".to_owned(),
            vpc_id: Some("vpc-1".to_owned()),
            subnet_id: Some("subnet-1".to_owned()),
            ..InstanceDetails::default()
        }),
    }
}

pub fn image(account: &str, repository: &str, tags: &[&str]) -> Resource {
    let hash = digest(repository);
    Resource {
        id: ResourceId::new(format!("arn:aws:ecr:eu-central-1:{account}:repository/{repository}/{hash}")),
        account: account.parse().unwrap(),
        region: Region::new("eu-central-1"),
        tags: BTreeMap::new(),
        details: ResourceDetails::Image(ImageDetails {
            repository: repository.to_owned(),
            registry: account.to_owned(),
            digest: hash.to_string(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            architecture: Some("amd64".to_owned()),
            ..ImageDetails::default()
        }),
    }
}

pub fn function(account: &str, name: &str) -> Resource {
    Resource {
        id: ResourceId::new(format!("arn:aws:lambda:eu-central-1:{account}:function:{name}:$LATEST")),
        account: account.parse().unwrap(),
        region: Region::new("eu-central-1"),
        tags: BTreeMap::new(),
        details: ResourceDetails::Function(FunctionDetails {
            name: name.to_owned(),
            runtime: "python3.12".to_owned(),
            layers: vec!["arn:layer:1".to_owned()],
            execution_role_arn: "arn:role".to_owned(),
            ..FunctionDetails::default()
        }),
    }
}

/// A sweep that sees these, at `second`.
pub fn sweep(account: &str, kind: ResourceKind, resources: &[Resource], second: i64) -> Sweep {
    Sweep {
        account: account.parse().unwrap(),
        region: Region::new("eu-central-1"),
        kind,
        resources: resources.to_vec(),
        complete: true,
        at: at(second),
    }
}

/// Makes these be in the store.
pub async fn put(store: &Store, resources: &[Resource]) {
    for resource in resources {
        let sweep = sweep(resource.account.as_str(), resource.kind(), std::slice::from_ref(resource), 0);
        store.observe(&sweep, |_| message(resource.id.as_str())).await.unwrap();
    }
}

pub fn package(ecosystem: &str, name: &str, version: &str) -> Package {
    Package {
        ecosystem: Some(ecosystem.parse().unwrap()),
        name: name.to_owned(),
        version: version.to_owned(),
        purl: format!("pkg:x/{name}@{version}"),
        manager: PackageManager::Os,
        source: None,
        architecture: None,
        paths: Vec::new(),
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    }
}

pub fn inventory(packages: Vec<Package>) -> Inventory {
    Inventory::new(None, packages, Vec::new(), Vec::new())
}

pub fn coverage(inventory: Option<&Inventory>) -> Coverage {
    Coverage {
        reason: ScanStatusReason::Successful,
        detail: String::new(),
        inventory: inventory.map(Inventory::digest),
        scanned_at: at(1),
    }
}

pub async fn scan(store: &Store, resource: &Resource, inventory: Option<&Inventory>) {
    store.put_scan(&resource.id, &resource.fingerprint(), &coverage(inventory), inventory, None).await.unwrap();
}

pub fn scored(word: &str) -> ScoredKey {
    ScoredKey { verdicts: digest(word), exposure: digest("{}"), gone: false }
}

/// A package finding, at revision 1.
pub fn finding(resource: &Resource, vulnerability: &str) -> Finding {
    let package = package("Debian:12", "openssl", "3.0.11-1");
    let verdict = Verdict {
        vulnerability: vulnerability.to_owned(),
        aliases: Vec::new(),
        package: package.clone(),
        status: Status::Affected,
        fixed_version: None,
        severity: Severity::High,
        score: BaseScore::from_tenths(75),
        explanation: Explanation {
            source: "DEBIAN_CVE".into(),
            state: None,
            remark: None,
            vex: None,
            advisory: None,
            ecosystem: "Debian:12".to_owned(),
            name: "openssl".to_owned(),
            installed: "3.0.11-1".to_owned(),
            scheme: "deb".to_owned(),
            range: None,
            vendor: None,
            reason: "because".to_owned(),
        },
    };
    Finding {
        id: FindingId::of_package_vulnerability(&resource.id, vulnerability),
        account: resource.account.clone(),
        region: resource.region.clone(),
        resource: resource.id.clone(),
        resource_kind: resource.kind(),
        status: FindingStatus::Active,
        title: format!("{vulnerability} - openssl"),
        description: String::new(),
        remediation: String::new(),
        severity: Severity::High,
        inspector_score: None,
        fix_available: Some(FixAvailable::Yes),
        exploit_available: Some(ExploitAvailable::No),
        epss: None,
        details: FindingDetails::Package(PackageFinding {
            vulnerability: VulnerabilityFacts { id: vulnerability.to_owned(), ..VulnerabilityFacts::default() },
            packages: vec![VulnerablePackage { package, fixed_version: None, verdict }],
        }),
        first_observed_at: at(0),
        last_observed_at: at(0),
        updated_at: at(0),
        closed_at: None,
        revision: 1,
    }
}

/// A network finding, at revision 1.
pub fn network_finding(resource: &Resource, ports: (u16, u16)) -> Finding {
    let reachability = Reachability {
        account: resource.account.to_string(),
        region: resource.region.to_string(),
        resource: resource.id.to_string(),
        interface: "eni-1".to_owned(),
        protocol: "TCP".to_owned(),
        port_begin: ports.0,
        port_end: ports.1,
        edge: "internet".to_owned(),
        sources: vec!["0.0.0.0/0".to_owned()],
        path: vec![Step { component_id: "igw-1".to_owned(), component_type: "AWS::EC2::InternetGateway".to_owned() }],
    };
    Finding {
        id: FindingId::of_network_reachability(&resource.id, &reachability),
        title: format!("Port {} is reachable", ports.0),
        severity: Severity::Medium,
        fix_available: None,
        exploit_available: None,
        details: FindingDetails::Network(NetworkFinding { reachability }),
        ..finding(resource, "none")
    }
}

pub fn score(tenths: u8) -> Option<InspectorScore> {
    let score = BaseScore::from_tenths(tenths).unwrap();
    Some(InspectorScore {
        score,
        vector: "CVSS:3.1/AV:N".to_owned(),
        version: "3.1".to_owned(),
        source: "NVD".to_owned(),
        base_score: score,
        base_vector: "CVSS:3.1/AV:N".to_owned(),
        adjustments: Vec::new(),
        reasons: Vec::new(),
    })
}

/// Applies these to the store.
pub async fn apply(store: &Store, findings: &[Finding]) {
    for finding in findings {
        store.apply(&finding.resource, &scored("any"), std::slice::from_ref(finding), Vec::new()).await.unwrap();
    }
}

/// Ids of the messages waiting for a service whose id begins so, oldest first.
pub async fn waiting(store: &Store, service: &str, prefix: &str) -> Vec<String> {
    let messages = store.outbox(service, u32::MAX).await.unwrap();
    messages.into_iter().map(|message| message.id).filter(|id| id.starts_with(prefix)).collect()
}
