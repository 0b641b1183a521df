//! Resources: what can hold vulnerable software.

use crate::{AccountId, Digest, Region};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// What Inspector calls a resource id: `i-…` for an instance,
/// `arn:aws:ecr:R:A:repository/NAME/sha256:…` for an image, `arn:aws:lambda:R:A:function:NAME:$LATEST`
/// for a function. Unique across accounts and regions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(String);

impl ResourceId {
    /// Takes the id as AWS gave it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The kinds that are scanned, in Inspector's spelling (`ResourceType` of the inspector2 API).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ResourceKind {
    /// An EC2 instance.
    #[serde(rename = "AWS_EC2_INSTANCE")]
    Instance,
    /// One platform of an image in an ECR repository.
    #[serde(rename = "AWS_ECR_CONTAINER_IMAGE")]
    Image,
    /// A Lambda function's `$LATEST`.
    #[serde(rename = "AWS_LAMBDA_FUNCTION")]
    Function,
}

impl ResourceKind {
    /// All kinds, in the order of discovery.
    pub const ALL: [Self; 3] = [Self::Instance, Self::Image, Self::Function];

    /// Inspector's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "AWS_EC2_INSTANCE",
            Self::Image => "AWS_ECR_CONTAINER_IMAGE",
            Self::Function => "AWS_LAMBDA_FUNCTION",
        }
    }

    /// From Inspector's spelling.
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == raw)
    }

    /// The last token of a bus subject: `instance`, `image`, `function`.
    pub fn token(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Image => "image",
            Self::Function => "function",
        }
    }
}

/// One workload as discovery saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// Inspector's resource id.
    pub id: ResourceId,
    /// The account that owns it.
    pub account: AccountId,
    /// Where it is.
    pub region: Region,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What AWS says of it.
    pub details: ResourceDetails,
}

impl Resource {
    /// The kind of its details.
    pub fn kind(&self) -> ResourceKind {
        match self.details {
            ResourceDetails::Instance(_) => ResourceKind::Instance,
            ResourceDetails::Image(_) => ResourceKind::Image,
            ResourceDetails::Function(_) => ResourceKind::Function,
        }
    }

    /// Changes whenever anything seen of the resource changes.
    pub fn fingerprint(&self) -> Digest {
        Digest::of_json(self)
    }
}

/// What AWS says of a resource, by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ResourceDetails {
    /// An EC2 instance.
    Instance(InstanceDetails),
    /// An ECR image.
    Image(ImageDetails),
    /// A Lambda function.
    Function(FunctionDetails),
}

/// An EC2 instance (EC2 `DescribeInstances`, SSM `DescribeInstanceInformation`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceDetails {
    /// For example `t3.small`.
    pub instance_type: String,
    /// `ami-…`.
    pub image_id: String,
    /// `pending`, `running`, `stopping`, `stopped`, … as EC2 writes it.
    pub state: String,
    /// `x86_64`, `arm64`, … as EC2 writes it.
    pub architecture: String,
    /// Public addresses first.
    pub ipv4_addresses: Vec<String>,
    /// Of all interfaces.
    pub ipv6_addresses: Vec<String>,
    /// `eni-…` of all interfaces.
    pub network_interfaces: Vec<String>,
    /// SSH key name.
    pub key_name: Option<String>,
    /// ARN of the instance profile.
    pub iam_instance_profile_arn: Option<String>,
    /// `vpc-…`.
    pub vpc_id: Option<String>,
    /// `subnet-…`.
    pub subnet_id: Option<String>,
    /// Last launch.
    pub launched_at: Option<jiff::Timestamp>,
    /// SSM's `PlatformName` and `PlatformVersion`, when managed.
    pub platform: Option<String>,
    /// Whether SSM manages it and its agent answers (`PingStatus`), as SSM writes it; `None`: not managed.
    pub ssm_ping_status: Option<String>,
    /// Newest stamp of each SSM inventory type that we read (`AWS:Application`, `Custom:MusterPackages`).
    pub inventory: BTreeMap<String, InventoryStamp>,
}

/// When and with which content SSM took one inventory type of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InventoryStamp {
    /// SSM's `CaptureTime`.
    pub captured_at: String,
    /// SSM's `ContentHash`, when it gives one.
    pub content_hash: Option<String>,
}

/// One platform of an image (ECR `DescribeImages`, `BatchGetImage`). Tags of all indexes that hold it are its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageDetails {
    /// Repository name.
    pub repository: String,
    /// Twelve digits: the registry's account.
    pub registry: String,
    /// Address of the registry that holds the layers, `HOST[:PORT]`, with `http://` in front when it has no TLS.
    pub registry_endpoint: String,
    /// Digest of the platform's own manifest, `sha256:…`.
    pub digest: String,
    /// Sorted.
    pub tags: Vec<String>,
    /// `amd64`, `arm64`, … from the image's configuration or its index.
    pub architecture: Option<String>,
    /// `OS/ARCH[/VARIANT]` from the index, when it came from one.
    pub platform: Option<String>,
    /// Push time.
    pub pushed_at: Option<jiff::Timestamp>,
}

/// A Lambda function (Lambda `ListFunctions`, `GetFunction`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FunctionDetails {
    /// Name without the version.
    pub name: String,
    /// For example `python3.12`; empty for container images.
    pub runtime: String,
    /// Base64, as Lambda writes it.
    pub code_sha256: String,
    /// `$LATEST`.
    pub version: String,
    /// ARN of the execution role.
    pub execution_role_arn: String,
    /// Layer version ARNs in merge order.
    pub layers: Vec<String>,
    /// `Zip` or `Image`.
    pub package_type: String,
    /// The image of an `Image` function, as Lambda names it.
    pub image_uri: Option<String>,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Last change.
    pub last_modified_at: Option<jiff::Timestamp>,
    /// `vpc-…` when attached.
    pub vpc_id: Option<String>,
    /// `subnet-…`.
    pub subnet_ids: Vec<String>,
    /// `sg-…`.
    pub security_group_ids: Vec<String>,
}
