//! `FilterCriteria` and `SortCriteria` of the inspector2 API as a question to the store.
//!
//! A field that we do not filter by is refused by name: to ignore it would answer another question than the one asked.

use crate::errors::{self, ApiError};
use muster_store::{
    DateRange, FindingFilter, NumberRange, PackageFilter, PortRange, Sort, SortField, StringComparison, StringFilter,
    TagFilter,
};
use serde::Deserialize;
use serde_json::Value;

/// Values per field (`FilterCriteria`, list bounds of the API model).
const VALUES_MAX: usize = 10;

#[derive(Deserialize)]
struct StringValue {
    comparison: Comparison,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Comparison {
    Equals,
    Prefix,
    NotEquals,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DateValue {
    start_inclusive: Option<f64>,
    end_inclusive: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NumberValue {
    lower_inclusive: Option<f64>,
    upper_inclusive: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PortValue {
    begin_inclusive: Option<u16>,
    end_inclusive: Option<u16>,
}

#[derive(Deserialize)]
struct TagValue {
    key: String,
    value: Option<String>,
}

#[derive(Deserialize)]
struct PackageValue {
    #[serde(default)]
    name: Option<StringValue>,
    #[serde(default)]
    version: Option<StringValue>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

/// `filterCriteria`.
pub fn filter(criteria: &serde_json::Map<String, Value>) -> Result<FindingFilter, ApiError> {
    let mut filter = FindingFilter::default();
    for (name, values) in criteria {
        let strings = || list(name, values, string);
        match name.as_str() {
            "findingArn" => filter.finding_arn = strings()?,
            "awsAccountId" => filter.account = strings()?,
            "cloudProviderRegion" => filter.region = strings()?,
            "findingType" => filter.finding_type = strings()?,
            "severity" => filter.severity = strings()?,
            "findingStatus" => filter.status = strings()?,
            "title" => filter.title = strings()?,
            "resourceType" => filter.resource_type = strings()?,
            "resourceId" => filter.resource_id = strings()?,
            "vulnerabilityId" => filter.vulnerability_id = strings()?,
            "fixAvailable" => filter.fix_available = strings()?,
            "exploitAvailable" => filter.exploit_available = strings()?,
            "networkProtocol" => filter.network_protocol = strings()?,
            "componentId" => filter.component_id = strings()?,
            "ecrImageRepositoryName" => filter.ecr_repository = strings()?,
            "ecrImageRegistry" => filter.ecr_registry = strings()?,
            "ecrImageTags" => filter.ecr_image_tag = strings()?,
            "ecrImageHash" => filter.ecr_image_hash = strings()?,
            "ecrImageArchitecture" => filter.ecr_image_architecture = strings()?,
            "ec2InstanceImageId" => filter.ec2_image = strings()?,
            "ec2InstanceVpcId" => filter.ec2_vpc = strings()?,
            "ec2InstanceSubnetId" => filter.ec2_subnet = strings()?,
            "lambdaFunctionName" => filter.lambda_name = strings()?,
            "lambdaFunctionRuntime" => filter.lambda_runtime = list(name, values, runtime)?,
            "lambdaFunctionLayers" => filter.lambda_layer = strings()?,
            "lambdaFunctionExecutionRoleArn" => filter.lambda_role = strings()?,
            "firstObservedAt" => filter.first_observed_at = list(name, values, date)?,
            "lastObservedAt" => filter.last_observed_at = list(name, values, date)?,
            "updatedAt" => filter.updated_at = list(name, values, date)?,
            "inspectorScore" => filter.inspector_score = list(name, values, number)?,
            "epssScore" => filter.epss_score = list(name, values, number)?,
            "portRange" => filter.port_range = list(name, values, ports)?,
            "resourceTags" => filter.resource_tags = list(name, values, tag)?,
            "vulnerablePackages" => {
                filter.packages = list(name, values, package)?;
            }
            other => return Err(errors::field(other, "findings are not filtered by this field")),
        }
    }
    Ok(filter)
}

/// `sortCriteria`.
pub fn sort(field: &str, order: &str) -> Result<Sort, ApiError> {
    let known = || SortField::ALL.map(SortField::as_str).join(", ");
    let field = SortField::parse(field)
        .ok_or_else(|| errors::field("sortCriteria.field", format!("`{field}` is none of {}", known())))?;
    let descending = match order {
        "ASC" => false,
        "DESC" => true,
        other => return Err(errors::field("sortCriteria.sortOrder", format!("`{other}` is neither ASC nor DESC"))),
    };
    Ok(Sort { field, descending })
}

fn list<Raw: for<'de> Deserialize<'de>, T>(
    name: &str,
    values: &Value,
    convert: impl Fn(Raw) -> Result<T, String>,
) -> Result<Vec<T>, ApiError> {
    let Value::Array(values) = values else {
        return Err(errors::field(name, "is not a list"));
    };
    if values.is_empty() || values.len() > VALUES_MAX {
        return Err(errors::field(name, format!("has {} values, not 1 to {VALUES_MAX}", values.len())));
    }
    values
        .iter()
        .map(|value| {
            let raw = Raw::deserialize(value).map_err(|error| error.to_string());
            raw.and_then(&convert).map_err(|why| errors::field(name, why))
        })
        .collect()
}

fn string(raw: StringValue) -> Result<StringFilter, String> {
    let comparison = match raw.comparison {
        Comparison::Equals => StringComparison::Equals,
        Comparison::Prefix => StringComparison::Prefix,
        Comparison::NotEquals => StringComparison::NotEquals,
    };
    Ok(StringFilter { comparison, value: raw.value })
}

/// The store keeps Lambda's own `python3.12`, the API says `PYTHON_3_12`.
fn runtime(raw: StringValue) -> Result<StringFilter, String> {
    if raw.value == "UNSUPPORTED" {
        return Err("runtimes that the API has no word for are not filtered by".to_owned());
    }
    let value = raw.value.to_lowercase().replacen('_', "", 1).replace('_', ".");
    string(StringValue { value, ..raw })
}

fn date(raw: DateValue) -> Result<DateRange, String> {
    let time = |seconds: Option<f64>| {
        seconds
            .map(|seconds| {
                jiff::SignedDuration::try_from_secs_f64(seconds)
                    .and_then(jiff::Timestamp::from_duration)
                    .map_err(|_| format!("{seconds} is no time in epoch seconds"))
            })
            .transpose()
    };
    Ok(DateRange { start: time(raw.start_inclusive)?, end: time(raw.end_inclusive)? })
}

fn number(raw: NumberValue) -> Result<NumberRange, String> {
    Ok(NumberRange { lower: raw.lower_inclusive, upper: raw.upper_inclusive })
}

fn ports(raw: PortValue) -> Result<PortRange, String> {
    Ok(PortRange { begin: raw.begin_inclusive, end: raw.end_inclusive })
}

fn tag(raw: TagValue) -> Result<TagFilter, String> {
    Ok(TagFilter { key: raw.key, value: raw.value })
}

fn package(raw: PackageValue) -> Result<PackageFilter, String> {
    match raw.others.keys().next() {
        Some(other) => Err(format!("packages are not filtered by {other}")),
        None => {
            Ok(PackageFilter { name: raw.name.map(string).transpose()?, version: raw.version.map(string).transpose()? })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn criteria_become_a_filter_and_an_unknown_field_is_refused_by_name() {
        let read = |criteria: Value| filter(criteria.as_object().unwrap());
        let read_well = read(json!({
            "severity": [{ "comparison": "EQUALS", "value": "HIGH" }],
            "inspectorScore": [{ "lowerInclusive": 7.0 }],
            "vulnerablePackages": [{ "name": { "comparison": "PREFIX", "value": "lib" } }],
            "updatedAt": [{ "startInclusive": 1_704_067_200 }],
        }))
        .unwrap();
        let runtime = |word: &str| {
            let criteria = json!({ "lambdaFunctionRuntime": [{ "comparison": "PREFIX", "value": word }] });
            read(criteria).unwrap().lambda_runtime[0].value.clone()
        };
        for (word, expected) in [
            ("PYTHON_3_12", "python3.12"),
            ("PYTHON_3_1", "python3.1"),
            ("PYTHON_", "python"),
            ("NODEJS", "nodejs"),
            ("JAVA_8_AL2", "java8.al2"),
            ("GO_1_X", "go1.x"),
            ("python3.12", "python3.12"),
        ] {
            assert_eq!(runtime(word), expected);
        }
        assert_eq!(read_well.severity, [StringFilter::equals("HIGH")]);
        assert_eq!(read_well.inspector_score, [NumberRange { lower: Some(7.0), upper: None }]);
        let package = PackageFilter { name: Some(StringFilter::prefix("lib")), version: None };
        assert_eq!(read_well.packages, [package]);
        assert_eq!(read_well.updated_at[0].start, Some("2024-01-01T00:00:00Z".parse().unwrap()));

        let refused = |criteria: Value, words: &str| {
            let error = format!("{:?}", read(criteria).unwrap_err());
            assert!(error.contains(words), "{error}");
        };
        refused(json!({ "codeRepositoryProjectName": [] }), "codeRepositoryProjectName: findings are not filtered");
        refused(json!({ "severity": "HIGH" }), "severity: is not a list");
        refused(json!({ "severity": [] }), "severity: has 0 values");
        refused(json!({ "severity": [{ "comparison": "LIKE", "value": "" }] }), "LIKE");
        refused(json!({ "portRange": [{ "beginInclusive": 70_000 }] }), "portRange");
        refused(json!({ "updatedAt": [{ "startInclusive": 1e300 }] }), "updatedAt");
    }
}
