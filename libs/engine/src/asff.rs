//! A finding in Security Hub's format (AWS Security Finding Format, schema 2018-10-08), ready for
//! `BatchImportFindings`. Limits: Security Hub API reference, `AwsSecurityFinding`, and its partner guide, read
//! 2026-11-24.

use crate::{
    remediation,
    scoring::{DESCRIPTION_CHARS_MAX, REMEDIATION_CHARS_MAX, TITLE_CHARS_MAX},
    shapes::{architecture, file_path, fixed_in, manager, scored, version_parts, without_empty},
    texts::bounded,
};
use muster_domain::{
    Finding, FindingDetails, FindingStatus, FindingType, PackageFinding, Reachability, Resource, ResourceDetails,
    ResourceKind, Severity, VulnerablePackage,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A finding's JSON, in bytes: 240 KB by the partner guide, here without the last 4 KB, for the wire's own writing.
pub const FINDING_BYTES_MAX: usize = 236_000;
/// References of a vulnerability. Our own bound: more says no more, and bytes are scarce.
const REFERENCES_MAX: usize = 20;
/// Characters of a reference; longer ones are left out, since half an address leads nowhere.
const REFERENCE_CHARS_MAX: usize = 512;
/// Other names of a vulnerability. Our own bound.
const RELATED_MAX: usize = 50;
/// Characters of a vulnerability's id.
const VULNERABILITY_ID_CHARS_MAX: usize = 128;
/// CVSS vectors. Our own bound.
const VECTORS_MAX: usize = 10;
/// Characters of a package's name, version, path and the like. Our own bound.
const PACKAGE_TEXT_CHARS_MAX: usize = 512;
/// Tags of a resource: 50 at most (`Resource.Tags`); keys have 128 characters and values 256.
const TAGS_MAX: usize = 50;

/// `AwsSecurityFinding`. A closed or suppressed finding is archived. The workflow is left to those who work with it.
/// When a finding with all its packages would be too large, as many as fit are told, and how many were left out.
pub fn finding(finding: &Finding, resource: &Resource) -> Value {
    let mut told = match &finding.details {
        FindingDetails::Package(package) => package.packages.len(),
        FindingDetails::Network(_) => 0,
    };
    loop {
        let value = written(finding, resource, told);
        if told <= 1 || value.to_string().len() <= FINDING_BYTES_MAX {
            return value;
        }
        told /= 2;
    }
}

fn written(finding: &Finding, resource: &Resource, packages_told: usize) -> Value {
    let (account, region) = (&finding.account, &finding.region);
    let label = label(finding.severity);
    let types = match finding.kind() {
        FindingType::PackageVulnerability => ["Software and Configuration Checks/Vulnerabilities/CVE"],
        FindingType::NetworkReachability => ["Software and Configuration Checks/Network Reachability"],
    };
    let (package, network) = match &finding.details {
        FindingDetails::Package(package) => (Some(package), None),
        FindingDetails::Network(network) => (None, Some(&network.reachability)),
    };
    let record_state = match finding.status {
        FindingStatus::Active => "ACTIVE",
        FindingStatus::Suppressed | FindingStatus::Closed => "ARCHIVED",
    };
    without_empty(json!({
        "SchemaVersion": "2018-10-08",
        "Id": finding.arn(),
        "ProductArn": format!("arn:aws:securityhub:{region}:{account}:product/{account}/default"),
        "ProductName": "Muster",
        "CompanyName": "Muster",
        "GeneratorId": "Muster",
        "AwsAccountId": account,
        "Types": types,
        "FirstObservedAt": finding.first_observed_at.to_string(),
        "LastObservedAt": finding.last_observed_at.to_string(),
        "CreatedAt": finding.first_observed_at.to_string(),
        "UpdatedAt": finding.updated_at.to_string(),
        "Severity": { "Label": label, "Normalized": normalized(finding.severity) },
        "Title": bounded(&finding.title, TITLE_CHARS_MAX),
        "Description": bounded(&finding.description, DESCRIPTION_CHARS_MAX),
        "Remediation": { "Recommendation": { "Text": bounded(&finding.remediation, REMEDIATION_CHARS_MAX) } },
        "ProductFields": product_fields(finding, package, packages_told),
        "Resources": [resource_of(finding, resource)],
        "RecordState": record_state,
        "Vulnerabilities": package.map(|package| [vulnerability(finding, package, packages_told)]),
        "Network": network.map(network_of),
        "NetworkPath": network.map(path_of),
        "FindingProviderFields": { "Severity": { "Label": label }, "Types": types },
    }))
}

/// Security Hub has no word for what nobody has judged.
fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Untriaged => Severity::Informational.as_str(),
        judged => judged.as_str(),
    }
}

/// The number that Security Hub pairs with a label (ASFF, `Severity.Normalized`).
fn normalized(severity: Severity) -> u8 {
    match severity {
        Severity::Untriaged | Severity::Informational => 0,
        Severity::Low => 1,
        Severity::Medium => 40,
        Severity::High => 70,
        Severity::Critical => 90,
    }
}

fn product_fields(finding: &Finding, package: Option<&PackageFinding>, packages_told: usize) -> Value {
    let left_out = package.map_or(0, |package| package.packages.len() - packages_told);
    let score = finding.inspector_score.as_ref();
    let adjustments = score.map(|score| {
        let reasons = score.adjustments.iter().map(|adjustment| adjustment.reason.as_str());
        bounded(&reasons.chain(score.reasons.iter().map(String::as_str)).collect::<Vec<_>>().join("; "), 1_024)
    });
    json!({
        "muster/FindingStatus": finding.status.as_str(),
        "muster/InspectorScore": score.map(|score| score.score.to_string()),
        "muster/InspectorScoreReasons": adjustments,
        "muster/PackagesLeftOut": (left_out > 0).then(|| left_out.to_string()),
    })
}

fn vulnerability(finding: &Finding, package: &PackageFinding, packages_told: usize) -> Value {
    let vulnerability = &package.vulnerability;
    let id = |text: &String| bounded(text, VULNERABILITY_ID_CHARS_MAX);
    let base = scored(&vulnerability.severity).take(VECTORS_MAX).map(|given| {
        json!({
            "Version": given.version,
            "BaseScore": given.score,
            "BaseVector": bounded(given.vector, PACKAGE_TEXT_CHARS_MAX),
            "Source": bounded(given.source, VULNERABILITY_ID_CHARS_MAX),
        })
    });
    let adjusted = finding.inspector_score.as_ref().map(|score| {
        let adjustments: Vec<Value> = score
            .adjustments
            .iter()
            .map(|adjustment| json!({ "Metric": adjustment.metric, "Reason": adjustment.reason }))
            .collect();
        json!({
            "Version": score.version,
            "BaseScore": score.score,
            "BaseVector": score.vector,
            "Source": bounded(&score.source, VULNERABILITY_ID_CHARS_MAX),
            "Adjustments": adjustments,
        })
    });
    let is_short = |url: &&String| url.chars().count() <= REFERENCE_CHARS_MAX;
    let references = vulnerability.references.iter().filter(is_short).take(REFERENCES_MAX);
    let source_url = Some(&vulnerability.source_url).filter(is_short);
    let vendor = if vulnerability.source.is_empty() { "UNKNOWN" } else { &vulnerability.source };
    json!({
        "Id": id(&vulnerability.id),
        "VulnerablePackages": package.packages.iter().take(packages_told).map(vulnerable_package).collect::<Vec<_>>(),
        "Cvss": base.chain(adjusted).collect::<Vec<_>>(),
        "RelatedVulnerabilities": vulnerability.aliases.iter().take(RELATED_MAX).map(id).collect::<Vec<_>>(),
        "Vendor": {
            "Name": bounded(vendor, VULNERABILITY_ID_CHARS_MAX),
            "Url": source_url,
            "VendorSeverity": vulnerability.vendor_severity.as_ref().map(id),
            "VendorCreatedAt": vulnerability.published.map(|time| time.to_string()),
            "VendorUpdatedAt": vulnerability.modified.map(|time| time.to_string()),
        },
        "ReferenceUrls": references.map(|url| bounded(url, REFERENCE_CHARS_MAX)).collect::<Vec<_>>(),
        "FixAvailable": finding.fix_available,
        "ExploitAvailable": finding.exploit_available,
        "EpssScore": finding.epss.map(|epss| epss.score),
    })
}

fn vulnerable_package(vulnerable: &VulnerablePackage) -> Value {
    let package = &vulnerable.package;
    let parts = version_parts(package);
    let text = |text: &str| bounded(text, PACKAGE_TEXT_CHARS_MAX);
    json!({
        "Name": text(&package.name),
        "Version": text(parts.version),
        "Epoch": parts.epoch.to_string(),
        "Release": parts.release.map(text),
        "Architecture": architecture(package).map(|architecture| text(&architecture)),
        "PackageManager": manager(package),
        "FilePath": file_path(package).map(text),
        "FixedInVersion": vulnerable.fixed_version.as_ref().map(|fixed| text(&fixed_in(package, fixed))),
        "Remediation": remediation::command(package, vulnerable.fixed_version.as_deref()).map(|command| text(&command)),
        "SourceLayerHash": package.layer,
        "SourceLayerArn": package.lambda_layer.as_deref().map(text),
    })
}

fn network_of(reachability: &Reachability) -> Value {
    json!({
        "Direction": "IN",
        "Protocol": reachability.protocol,
        "OpenPortRange": { "Begin": reachability.port_begin, "End": reachability.port_end },
    })
}

fn path_of(reachability: &Reachability) -> Value {
    let step =
        |step: &muster_domain::Step| json!({ "ComponentId": step.component_id, "ComponentType": step.component_type });
    Value::Array(reachability.path.iter().map(step).collect())
}

fn resource_of(finding: &Finding, resource: &Resource) -> Value {
    let (account, region, id) = (&finding.account, &finding.region, &finding.resource);
    let (kind, id) = match finding.resource_kind {
        ResourceKind::Instance => ("AwsEc2Instance", format!("arn:aws:ec2:{region}:{account}:{id}")),
        ResourceKind::Image => ("AwsEcrContainerImage", id.to_string()),
        ResourceKind::Function => ("AwsLambdaFunction", id.to_string()),
    };
    let tags = resource.tags.iter().filter(|(key, value)| !key.is_empty() && !value.is_empty()).take(TAGS_MAX);
    let tags: BTreeMap<String, String> = tags.map(|(key, value)| (bounded(key, 128), bounded(value, 256))).collect();
    json!({
        "Type": kind,
        "Id": id,
        "Partition": "aws",
        "Region": region,
        "Tags": tags,
        "Details": { kind: details_of(&resource.details) },
    })
}

fn details_of(details: &ResourceDetails) -> Value {
    match details {
        ResourceDetails::Instance(instance) => json!({
            "Type": instance.instance_type,
            "ImageId": instance.image_id,
            "IpV4Addresses": instance.ipv4_addresses,
            "IpV6Addresses": instance.ipv6_addresses,
            "KeyName": instance.key_name,
            "IamInstanceProfileArn": instance.iam_instance_profile_arn,
            "VpcId": instance.vpc_id,
            "SubnetId": instance.subnet_id,
            "LaunchedAt": instance.launched_at.map(|time| time.to_string()),
        }),
        ResourceDetails::Image(image) => json!({
            "RegistryId": image.registry,
            "RepositoryName": image.repository,
            "Architecture": image.architecture,
            "ImageDigest": image.digest,
            "ImageTags": image.tags,
            "ImagePublishedAt": image.pushed_at.map(|time| time.to_string()),
        }),
        ResourceDetails::Function(function) => json!({
            "FunctionName": function.name,
            "Runtime": function.runtime,
            "CodeSha256": function.code_sha256,
            "Version": function.version,
            "Role": function.execution_role_arn,
            "Layers": function.layers.iter().map(|layer| json!({ "Arn": layer })).collect::<Vec<_>>(),
            "VpcConfig": function.vpc_id.as_ref().map(|vpc| json!({
                "VpcId": vpc,
                "SubnetIds": function.subnet_ids,
                "SecurityGroupIds": function.security_group_ids,
            })),
            "PackageType": function.package_type,
            "LastModified": function.last_modified_at.map(|time| time.to_string()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{
        facts, findings, function, image, instance, network_finding, package_finding, verdict, verdict_set,
    };
    use crate::scoring::Exposure;

    /// The value at a JSON pointer.
    fn check(value: &Value, pointer: &str, expected: Value) {
        assert_eq!(value.pointer(pointer), Some(&expected), "{pointer} of {value:#}");
    }

    #[test]
    fn a_package_finding_is_written_as_security_hub_takes_it() {
        let found = package_finding(&instance());
        let value = finding(&found, &instance());
        check(&value, "/SchemaVersion", json!("2018-10-08"));
        check(&value, "/Id", json!(found.arn()));
        check(
            &value,
            "/ProductArn",
            json!("arn:aws:securityhub:eu-central-1:123456789012:product/123456789012/default"),
        );
        check(&value, "/UpdatedAt", json!("2024-09-04T16:59:44.356Z"));
        check(&value, "/Severity", json!({ "Label": "HIGH", "Normalized": 70 }));
        check(&value, "/RecordState", json!("ACTIVE"));
        check(&value, "/Types", json!(["Software and Configuration Checks/Vulnerabilities/CVE"]));
        check(&value, "/Resources/0/Type", json!("AwsEc2Instance"));
        check(&value, "/Resources/0/Id", json!("arn:aws:ec2:eu-central-1:123456789012:i-0a1b2c3d4e5f60718"));
        check(&value, "/Resources/0/Details/AwsEc2Instance/LaunchedAt", json!("2025-03-04T09:00:00Z"));
        check(&value, "/Vulnerabilities/0/Id", json!("CVE-2099-0001"));
        check(&value, "/Vulnerabilities/0/FixAvailable", json!("PARTIAL"));
        check(&value, "/Vulnerabilities/0/Cvss/0/BaseScore", json!(9.8));
        check(&value, "/Vulnerabilities/0/Cvss/1/BaseScore", json!(8.8));
        check(&value, "/Vulnerabilities/0/Cvss/1/Adjustments/0/Metric", json!("AV"));
        let openssl = json!({
            "Name": "openssl",
            "Version": "3.0.11",
            "Epoch": "1",
            "Release": "1",
            "Architecture": "AMD64",
            "PackageManager": "OS",
            "FixedInVersion": "0:3.0.15-1~deb12u1",
            "Remediation": "apt-get update && apt-get upgrade",
        });
        check(&value, "/Vulnerabilities/0/VulnerablePackages/1", openssl);
        check(&value, "/ProductFields/muster~1InspectorScore", json!("8.8"));
        assert_eq!(value.get("Workflow"), None, "who works with findings decides over it");
    }

    #[test]
    fn a_network_finding_tells_its_range_and_path() {
        let value = finding(&network_finding(), &instance());
        check(&value, "/Types", json!(["Software and Configuration Checks/Network Reachability"]));
        check(&value, "/Network/OpenPortRange", json!({ "Begin": 22, "End": 22 }));
        check(&value, "/Network/Direction", json!("IN"));
        check(&value, "/NetworkPath/4/ComponentType", json!("AWS::EC2::Instance"));
        assert_eq!(value.get("Vulnerabilities"), None);
    }

    #[test]
    fn what_is_not_active_is_archived() {
        let mut found = network_finding();
        for (status, expected) in [
            (FindingStatus::Active, "ACTIVE"),
            (FindingStatus::Closed, "ARCHIVED"),
            (FindingStatus::Suppressed, "ARCHIVED"),
        ] {
            found.status = status;
            check(&finding(&found, &instance()), "/RecordState", json!(expected));
        }
    }

    #[test]
    fn every_severity_has_a_label_and_a_number() {
        let mut found = network_finding();
        for (severity, expected) in [
            (Severity::Critical, json!({ "Label": "CRITICAL", "Normalized": 90 })),
            (Severity::High, json!({ "Label": "HIGH", "Normalized": 70 })),
            (Severity::Medium, json!({ "Label": "MEDIUM", "Normalized": 40 })),
            (Severity::Low, json!({ "Label": "LOW", "Normalized": 1 })),
            (Severity::Informational, json!({ "Label": "INFORMATIONAL", "Normalized": 0 })),
            (Severity::Untriaged, json!({ "Label": "INFORMATIONAL", "Normalized": 0 })),
        ] {
            found.severity = severity;
            check(&finding(&found, &instance()), "/Severity", expected);
        }
    }

    #[test]
    fn images_and_functions_keep_their_arns() {
        for resource in [image(), function()] {
            let value = finding(&package_finding(&resource), &resource);
            check(&value, "/Resources/0/Id", json!(resource.id));
        }
    }

    #[test]
    fn a_finding_never_outgrows_what_security_hub_takes() {
        let mut resource = instance();
        for number in 0..200 {
            resource.tags.insert(format!("{number:0>300}"), "ß".repeat(1_000));
        }
        let mut hostile = facts(&"C".repeat(5_000), &["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]);
        hostile.description = "\u{1}\"\\💥".repeat(50_000);
        hostile.aliases = vec!["💥".repeat(1_000); 5_000];
        hostile.references = vec!["\"".repeat(512); 5_000];
        hostile.vendor_severity = Some("x".repeat(100_000));
        hostile.source_url = "u".repeat(100_000);
        let verdicts = (0..2_000).map(|number| {
            let mut verdict = verdict(&hostile.id, &format!("{number}{}", "💥".repeat(2_000)), Some("💥"));
            verdict.fixed_version = Some("9".repeat(10_000));
            verdict
        });
        let verdicts = verdict_set(verdicts.collect(), vec![hostile.clone()]);
        let found = findings(&resource, &verdicts, &Exposure::default()).remove(0);
        let value = finding(&found, &resource);
        let bytes = value.to_string().len();
        assert!(bytes <= FINDING_BYTES_MAX, "{bytes}");
        let told = value.pointer("/Vulnerabilities/0/VulnerablePackages").and_then(Value::as_array).map_or(0, Vec::len);
        assert!(told > 0);
        check(&value, "/ProductFields/muster~1PackagesLeftOut", json!((2_000 - told).to_string()));
        assert!(value["Title"].as_str().is_some_and(|title| title.chars().count() <= TITLE_CHARS_MAX));
        assert!(value["Description"].as_str().is_some_and(|text| text.chars().count() <= DESCRIPTION_CHARS_MAX));
    }

    #[test]
    fn a_small_finding_leaves_nothing_out() {
        let value = finding(&package_finding(&instance()), &instance());
        assert_eq!(value.pointer("/ProductFields/muster~1PackagesLeftOut"), None);
    }
}
