//! A finding as Amazon Inspector writes it: `Finding` of the inspector2 API (2020-06-08), and the `detail` of its
//! EventBridge event, which differs in how it writes times.

mod resources;

use crate::{
    remediation,
    shapes::{architecture, file_path, fixed_in, manager, scored, version_parts, without_empty},
    texts::bounded,
};
use jiff::Timestamp;
use muster_domain::{
    Finding, FindingDetails, InspectorScore, PackageFinding, Reachability, Resource, Step, VulnerablePackage,
};
use serde_json::{Value, json};

/// Characters of a finding's title and description (`FindingTitle`, `FindingDescription`).
const TEXT_CHARS_MAX: usize = 1_024;
/// Characters of a package's name, version, path and the like (`PackageName`, `PackageVersion`, `FilePath`).
const PACKAGE_TEXT_CHARS_MAX: usize = 1_024;
/// Characters of a vulnerability's id (`VulnerabilityId`).
const VULNERABILITY_ID_CHARS_MAX: usize = 128;
/// Steps of a network path (`NetworkPath.steps`).
const STEPS_MAX: usize = 30;

/// How a shape writes times.
#[derive(Clone, Copy)]
enum Times {
    /// Seconds since 1970 as a number, with milliseconds behind the point.
    Epoch,
    /// `Wed Sep 04 16:59:44.356 UTC 2024`.
    Words,
}

impl Times {
    fn write(self, time: Timestamp) -> Value {
        match self {
            Self::Epoch => json!(time.as_millisecond() as f64 / 1_000.0),
            Self::Words => json!(time.strftime("%a %b %d %H:%M:%S%.3f UTC %Y").to_string()),
        }
    }

    fn write_some(self, time: Option<Timestamp>) -> Value {
        time.map_or(Value::Null, |time| self.write(time))
    }
}

/// `Finding` of the inspector2 API.
pub fn finding(finding: &Finding, resource: &Resource) -> Value {
    written(finding, resource, Times::Epoch)
}

/// The `detail` of the event `Inspector2 Finding`.
pub fn event_detail(finding: &Finding, resource: &Resource) -> Value {
    written(finding, resource, Times::Words)
}

fn written(finding: &Finding, resource: &Resource, times: Times) -> Value {
    let (package, network) = match &finding.details {
        FindingDetails::Package(package) => (Some(package), None),
        FindingDetails::Network(network) => (None, Some(&network.reachability)),
    };
    without_empty(json!({
        "awsAccountId": finding.account,
        "findingArn": finding.arn(),
        "type": finding.kind().as_str(),
        "title": bounded(&finding.title, TEXT_CHARS_MAX),
        "description": bounded(&finding.description, TEXT_CHARS_MAX),
        "severity": finding.severity,
        "status": finding.status,
        "firstObservedAt": times.write(finding.first_observed_at),
        "lastObservedAt": times.write(finding.last_observed_at),
        "updatedAt": times.write(finding.updated_at),
        "inspectorScore": finding.inspector_score.as_ref().map(|score| score.score),
        "inspectorScoreDetails": finding.inspector_score.as_ref().map(score_details),
        "epss": finding.epss.map(|epss| json!({ "score": epss.score })),
        "exploitAvailable": finding.exploit_available,
        "exploitabilityDetails": { "lastKnownExploitAt": package.map(|package| times.write_some(known_exploited_at(package))) },
        "fixAvailable": finding.fix_available,
        "packageVulnerabilityDetails": package.map(|package| package_details(package, times)),
        "networkReachabilityDetails": network.map(network_details),
        "remediation": { "recommendation": { "text": finding.remediation } },
        "resources": [resource_of(finding, resource, times)],
    }))
}

fn score_details(score: &InspectorScore) -> Value {
    let source = if score.source.is_empty() { "UNKNOWN" } else { &score.source };
    let adjustments: Vec<Value> = score
        .adjustments
        .iter()
        .map(|adjustment| json!({ "metric": adjustment.metric, "reason": adjustment.reason }))
        .collect();
    json!({ "adjustedCvss": {
        "scoreSource": source,
        "cvssSource": source,
        "version": score.version,
        "score": score.score,
        "scoringVector": score.vector,
        "adjustments": adjustments,
    } })
}

/// The day on which CISA listed it: an exploit was known then at the latest.
fn known_exploited_at(package: &PackageFinding) -> Option<Timestamp> {
    let known = package.vulnerability.known_exploited.as_ref()?;
    format!("{}T00:00:00Z", known.date_added).parse().ok()
}

fn package_details(package: &PackageFinding, times: Times) -> Value {
    let vulnerability = &package.vulnerability;
    let cvss: Vec<Value> = scored(&vulnerability.severity)
        .map(|given| {
            json!({
                "baseScore": given.score,
                "scoringVector": given.vector,
                "source": given.source,
                "version": given.version,
            })
        })
        .collect();
    let source = if vulnerability.source.is_empty() { "UNKNOWN" } else { &vulnerability.source };
    let related = vulnerability.aliases.iter().map(|alias| bounded(alias, VULNERABILITY_ID_CHARS_MAX));
    json!({
        "vulnerabilityId": bounded(&vulnerability.id, VULNERABILITY_ID_CHARS_MAX),
        "vulnerablePackages": package.packages.iter().map(vulnerable_package).collect::<Vec<_>>(),
        "source": source,
        "sourceUrl": vulnerability.source_url,
        "cvss": cvss,
        "relatedVulnerabilities": related.collect::<Vec<_>>(),
        "vendorSeverity": vulnerability.vendor_severity,
        "vendorCreatedAt": times.write_some(vulnerability.published),
        "vendorUpdatedAt": times.write_some(vulnerability.modified),
        "referenceUrls": vulnerability.references,
    })
}

fn vulnerable_package(vulnerable: &VulnerablePackage) -> Value {
    let package = &vulnerable.package;
    let parts = version_parts(package);
    let text = |text: &str| bounded(text, PACKAGE_TEXT_CHARS_MAX);
    json!({
        "name": text(&package.name),
        "version": text(parts.version),
        "epoch": parts.epoch,
        "release": parts.release.map(text),
        "arch": architecture(package),
        "packageManager": manager(package),
        "filePath": file_path(package).map(text),
        "fixedInVersion": vulnerable.fixed_version.as_ref().map(|fixed| text(&fixed_in(package, fixed))),
        "remediation": remediation::command(package, vulnerable.fixed_version.as_deref()),
        "sourceLayerHash": package.layer,
        "sourceLambdaLayerArn": package.lambda_layer,
    })
}

fn network_details(reachability: &Reachability) -> Value {
    let steps = reachability.path.iter().take(STEPS_MAX);
    let step = |step: &Step| json!({ "componentId": step.component_id, "componentType": step.component_type });
    json!({
        "openPortRange": { "begin": reachability.port_begin, "end": reachability.port_end },
        "protocol": reachability.protocol,
        "networkPath": { "steps": steps.map(step).collect::<Vec<_>>() },
    })
}

fn resource_of(finding: &Finding, resource: &Resource, times: Times) -> Value {
    json!({
        "type": finding.resource_kind.as_str(),
        "id": finding.resource,
        "partition": "aws",
        "region": finding.region,
        "provider": "AWS",
        "providerAccountId": finding.account,
        "tags": resource.tags,
        "details": resources::details(&resource.details, times),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{at, function, image, instance, network_finding, package_finding};
    use muster_domain::{FindingStatus, KnownExploited};

    /// The value at a JSON pointer.
    fn check(value: &Value, pointer: &str, expected: Value) {
        assert_eq!(value.pointer(pointer), Some(&expected), "{pointer} of {value:#}");
    }

    #[test]
    fn a_package_finding_is_written_as_the_api_writes_it() {
        let value = finding(&package_finding(&instance()), &instance());
        check(&value, "/awsAccountId", json!("123456789012"));
        check(&value, "/type", json!("PACKAGE_VULNERABILITY"));
        check(&value, "/status", json!("ACTIVE"));
        check(&value, "/severity", json!("HIGH"));
        check(&value, "/firstObservedAt", json!(1725469184.356));
        check(&value, "/title", json!("CVE-2099-0001 - libssl3, openssl"));
        check(&value, "/fixAvailable", json!("PARTIAL"));
        check(&value, "/exploitAvailable", json!("NO"));
        check(&value, "/inspectorScore", json!(8.8));
        check(&value, "/inspectorScoreDetails/adjustedCvss/scoreSource", json!("NVD"));
        check(&value, "/inspectorScoreDetails/adjustedCvss/adjustments/0/metric", json!("AV"));
        check(&value, "/packageVulnerabilityDetails/cvss/0/baseScore", json!(9.8)); // the base stays
        check(&value, "/packageVulnerabilityDetails/cvss/0/version", json!("3.1"));
        check(&value, "/packageVulnerabilityDetails/relatedVulnerabilities", json!(["DSA-1"]));
        check(&value, "/packageVulnerabilityDetails/vendorCreatedAt", json!(1740787200.0));
        let openssl = json!({
            "name": "openssl",
            "version": "3.0.11",
            "epoch": 1,
            "release": "1",
            "arch": "AMD64",
            "packageManager": "OS",
            "fixedInVersion": "0:3.0.15-1~deb12u1",
            "remediation": "apt-get update && apt-get upgrade",
        });
        check(&value, "/packageVulnerabilityDetails/vulnerablePackages/1", openssl);
        check(&value, "/resources/0/type", json!("AWS_EC2_INSTANCE"));
        check(&value, "/resources/0/details/awsEc2Instance/platform", json!("DEBIAN_12"));
        check(&value, "/resources/0/details/awsEc2Instance/launchedAt", json!(1741078800.0));
        check(&value, "/resources/0/details/vm/subnetIds", json!(["subnet-0aaa1111"]));
        check(&value, "/resources/0/tags", json!({ "Name": "web-1" }));
    }

    #[test]
    fn a_network_finding_has_a_path_and_no_score() {
        let value = finding(&network_finding(), &instance());
        check(&value, "/type", json!("NETWORK_REACHABILITY"));
        check(&value, "/networkReachabilityDetails/openPortRange", json!({ "begin": 22, "end": 22 }));
        check(&value, "/networkReachabilityDetails/protocol", json!("TCP"));
        let gateway = json!({ "componentId": "igw-0ccc3333", "componentType": "AWS::EC2::InternetGateway" });
        check(&value, "/networkReachabilityDetails/networkPath/steps/0", gateway);
        for absent in ["inspectorScore", "fixAvailable", "exploitAvailable", "packageVulnerabilityDetails", "epss"] {
            assert_eq!(value.get(absent), None, "{absent}");
        }
    }

    #[test]
    fn an_event_writes_its_times_in_words() {
        let mut known = package_finding(&instance());
        if let FindingDetails::Package(package) = &mut known.details {
            package.vulnerability.known_exploited = Some(KnownExploited {
                date_added: "2025-03-04".into(),
                due_date: "2025-03-25".into(),
                required_action: String::new(),
                ransomware: false,
            });
        }
        let value = event_detail(&known, &instance());
        check(&value, "/firstObservedAt", json!("Wed Sep 04 16:59:44.356 UTC 2024"));
        check(&value, "/exploitabilityDetails/lastKnownExploitAt", json!("Tue Mar 04 00:00:00.000 UTC 2025"));
        check(&value, "/resources/0/details/vm/launchedAt", json!("Tue Mar 04 09:00:00.000 UTC 2025"));
        check(&value, "/packageVulnerabilityDetails/vendorUpdatedAt", json!("Sun Mar 02 00:00:00.000 UTC 2025"));
        assert_eq!(Times::Words.write(at("2024-01-01T00:00:00.0009Z")), json!("Mon Jan 01 00:00:00.000 UTC 2024"));
    }

    #[test]
    fn images_and_functions_have_blocks_of_their_own() {
        let value = finding(&package_finding(&image()), &image());
        check(&value, "/resources/0/details/awsEcrContainerImage/repositoryName", json!("team/app"));
        check(&value, "/resources/0/details/awsEcrContainerImage/pushedAt", json!(1741078800.5));
        check(&value, "/resources/0/details/image/imageDigest", json!(crate::samples::DIGEST));
        let value = finding(&package_finding(&function()), &function());
        check(&value, "/resources/0/details/awsLambdaFunction/runtime", json!("PYTHON_3_12"));
        check(&value, "/resources/0/details/awsLambdaFunction/packageType", json!("ZIP"));
        check(&value, "/resources/0/details/serverlessFunction/architectures", json!(["X86_64"]));
        assert_eq!(value.pointer("/resources/0/details/awsLambdaFunction/layers"), None); // absent rather than empty
    }

    /// Every way in which a value breaks the shape of this name.
    fn faults(shapes: &Value, name: &str, value: &Value, place: &str) -> Vec<String> {
        let shape = &shapes[name];
        let fault = |why: &str| vec![format!("{place}: {why} ({name})")];
        let bounded = |size: f64| {
            shape["min"].as_f64().is_none_or(|min| min <= size) && shape["max"].as_f64().is_none_or(|max| size <= max)
        };
        if let Some(members) = shape["members"].as_object() {
            let Some(object) = value.as_object() else {
                return fault("not an object");
            };
            let required = shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing =
                required.filter(|member| !object.contains_key(*member)).map(|member| fault(&format!("no {member}")));
            let inner = object.iter().map(|(member, value)| match members.get(member).and_then(Value::as_str) {
                Some(inner) => faults(shapes, inner, value, &format!("{place}/{member}")),
                None => fault(&format!("unknown member {member}")),
            });
            return missing.chain(inner).flatten().collect();
        }
        if let Some(inner) = shape["list"].as_str() {
            let Some(items) = value.as_array() else {
                return fault("not a list");
            };
            let size = if bounded(items.len() as f64) { Vec::new() } else { fault("wrong number of items") };
            let items = items.iter().flat_map(|item| faults(shapes, inner, item, &format!("{place}[]")));
            return size.into_iter().chain(items).collect();
        }
        if shape["map"].is_array() {
            return if value.is_object() { Vec::new() } else { fault("not a map") };
        }
        let is_right = match shape["type"].as_str() {
            Some("string") => value.as_str().is_some_and(|text| {
                let words = shape["enum"].as_array();
                bounded(text.chars().count() as f64) && words.is_none_or(|words| words.contains(value))
            }),
            Some("integer" | "long") => value.is_i64() && value.as_f64().is_some_and(bounded),
            Some("double") => value.as_f64().is_some_and(bounded),
            Some("timestamp") => value.is_number(),
            _ => false,
        };
        if is_right { Vec::new() } else { fault(&format!("{value} does not fit")) }
    }

    #[test]
    fn findings_fit_the_shapes_of_the_api() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let Ok(text) = std::fs::read_to_string(root.join("shared/inspector/shapes.json")) else {
            return println!("skipped: the API's shapes are not beside the checkout");
        };
        let shapes: Value = serde_json::from_str(&text).unwrap();
        let mut closed = network_finding();
        closed.status = FindingStatus::Closed;
        closed.closed_at = Some(at("2025-03-04T09:00:00Z"));
        for (found, resource) in [
            (package_finding(&instance()), instance()),
            (package_finding(&image()), image()),
            (package_finding(&function()), function()),
            (closed, instance()),
        ] {
            let value = finding(&found, &resource);
            assert_eq!(faults(&shapes["inspector2"], "Finding", &value, ""), Vec::<String>::new(), "{value:#}");
        }
    }
}
