//! `ResourceDetails` of the inspector2 API.

use super::Times;
use muster_domain::{FunctionDetails, ImageDetails, InstanceDetails, ResourceDetails};
use serde_json::{Value, json};

/// Lambda runtimes that the API has a word for (`Runtime`, read 2026-11-24).
const RUNTIMES: [&str; 31] = [
    "NODEJS",
    "NODEJS_12_X",
    "NODEJS_14_X",
    "NODEJS_16_X",
    "NODEJS_18_X",
    "NODEJS_20_X",
    "NODEJS_22_X",
    "NODEJS_24_X",
    "JAVA_8",
    "JAVA_8_AL2",
    "JAVA_11",
    "JAVA_17",
    "JAVA_21",
    "JAVA_25",
    "PYTHON_3_7",
    "PYTHON_3_8",
    "PYTHON_3_9",
    "PYTHON_3_10",
    "PYTHON_3_11",
    "PYTHON_3_12",
    "PYTHON_3_13",
    "PYTHON_3_14",
    "GO_1_X",
    "DOTNETCORE_3_1",
    "DOTNET_6",
    "DOTNET_7",
    "DOTNET_8",
    "DOTNET_10",
    "RUBY_2_7",
    "RUBY_3_2",
    "RUBY_3_3",
];

/// Inspector writes each resource twice: in AWS' own block, and in one that other clouds share.
pub(super) fn details(details: &ResourceDetails, times: Times) -> Value {
    match details {
        ResourceDetails::Instance(instance) => instance_details(instance, times),
        ResourceDetails::Image(image) => image_details(image, times),
        ResourceDetails::Function(function) => function_details(function, times),
    }
}

fn instance_details(instance: &InstanceDetails, times: Times) -> Value {
    let platform = instance.platform.as_deref().map(platform_word);
    let launched_at = times.write_some(instance.launched_at);
    json!({
        "awsEc2Instance": {
            "type": instance.instance_type,
            "imageId": instance.image_id,
            "ipV4Addresses": instance.ipv4_addresses,
            "ipV6Addresses": instance.ipv6_addresses,
            "keyName": instance.key_name,
            "iamInstanceProfileArn": instance.iam_instance_profile_arn,
            "vpcId": instance.vpc_id,
            "subnetId": instance.subnet_id,
            "launchedAt": launched_at,
            "platform": platform,
        },
        "vm": {
            "type": instance.instance_type,
            "vmImageReference": instance.image_id,
            "ipV4Addresses": instance.ipv4_addresses,
            "ipV6Addresses": instance.ipv6_addresses,
            "keyName": instance.key_name,
            "executionRole": instance.iam_instance_profile_arn,
            "networkId": instance.vpc_id,
            "subnetIds": instance.subnet_id.iter().collect::<Vec<_>>(),
            "launchedAt": launched_at,
            "platform": platform,
        },
    })
}

/// `DEBIAN_12`, from SSM's `Debian GNU/Linux 12`.
fn platform_word(platform: &str) -> String {
    let name = platform.split('(').next().unwrap_or_default().replace("GNU/Linux", "");
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_uppercase).collect::<Vec<_>>().join("_")
}

fn image_details(image: &ImageDetails, times: Times) -> Value {
    let pushed_at = times.write_some(image.pushed_at);
    json!({
        "awsEcrContainerImage": {
            "repositoryName": image.repository,
            "registry": image.registry,
            "imageHash": image.digest,
            "imageTags": image.tags,
            "architecture": image.architecture,
            "pushedAt": pushed_at,
        },
        "image": {
            "repositoryName": image.repository,
            "registry": image.registry,
            "imageDigest": image.digest,
            "imageTags": image.tags,
            "architecture": image.architecture,
            "pushedAt": pushed_at,
        },
    })
}

fn function_details(function: &FunctionDetails, times: Times) -> Value {
    let runtime = runtime_word(&function.runtime);
    let package_type = function.package_type.to_ascii_uppercase();
    // lists that the API wants to be absent rather than empty
    let architectures = (!function.architecture.is_empty()).then(|| [function.architecture.to_ascii_uppercase()]);
    let layers = (!function.layers.is_empty()).then_some(&function.layers);
    let vpc_config = function.vpc_id.as_ref().map(|vpc| {
        json!({ "vpcId": vpc, "subnetIds": function.subnet_ids, "securityGroupIds": function.security_group_ids })
    });
    let last_modified_at = times.write_some(function.last_modified_at);
    json!({
        "awsLambdaFunction": {
            "functionName": function.name,
            "runtime": runtime,
            "codeSha256": function.code_sha256,
            "version": function.version,
            "executionRoleArn": function.execution_role_arn,
            "layers": layers,
            "vpcConfig": vpc_config,
            "packageType": package_type,
            "architectures": architectures,
            "lastModifiedAt": last_modified_at,
        },
        "serverlessFunction": {
            "serverlessFunctionName": function.name,
            "runtime": runtime,
            "codeDigest": function.code_sha256,
            "version": function.version,
            "executionRole": function.execution_role_arn,
            "layers": layers,
            "networkId": function.vpc_id,
            "subnetIds": function.subnet_ids,
            "securityGroupIds": function.security_group_ids,
            "packageType": package_type,
            "architectures": architectures,
            "lastModifiedAt": last_modified_at,
        },
    })
}

/// `PYTHON_3_12`, from Lambda's `python3.12`.
fn runtime_word(runtime: &str) -> String {
    let digits = runtime.find(|letter: char| letter.is_ascii_digit()).unwrap_or(runtime.len());
    let (name, version) = runtime.split_at(digits);
    let separator = if version.is_empty() { "" } else { "_" };
    let word = format!("{name}{separator}{}", version.replace('.', "_")).to_ascii_uppercase();
    if RUNTIMES.contains(&word.as_str()) { word } else { "UNSUPPORTED".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_and_platforms_are_written_as_the_api_spells_them() {
        for (runtime, expected) in [
            ("python3.12", "PYTHON_3_12"),
            ("nodejs20.x", "NODEJS_20_X"),
            ("nodejs", "NODEJS"),
            ("java8.al2", "JAVA_8_AL2"),
            ("java21", "JAVA_21"),
            ("go1.x", "GO_1_X"),
            ("dotnetcore3.1", "DOTNETCORE_3_1"),
            ("dotnet8", "DOTNET_8"),
            ("ruby3.3", "RUBY_3_3"),
            ("provided.al2023", "UNSUPPORTED"),
            ("", "UNSUPPORTED"), // container images
        ] {
            assert_eq!(runtime_word(runtime), expected, "{runtime}");
        }
        for (platform, expected) in [
            ("Debian GNU/Linux 12", "DEBIAN_12"),
            ("Debian GNU/Linux 12 (bookworm)", "DEBIAN_12"),
            ("Ubuntu 22.04", "UBUNTU_22_04"),
            ("Amazon Linux 2", "AMAZON_LINUX_2"),
        ] {
            assert_eq!(platform_word(platform), expected, "{platform}");
        }
    }
}
