//! Lambda functions and where their code lies.

use crate::{AwsError, Listing, RegionClient, call::pages};
use aws_sdk_lambda::types::{FunctionConfiguration, PackageType};
use futures::{StreamExt, stream};
use jiff::{Timestamp, fmt::strtime};
use muster_domain::{FunctionDetails, Resource, ResourceDetails, ResourceId};
use std::{collections::BTreeMap, fmt};

/// Functions of one page of ListFunctions; AWS answers with no more whatever is asked.
const FUNCTIONS_PER_PAGE: i32 = 50;
/// GetFunction calls in flight: enough to reach its 100 calls a second, few enough for any connection pool.
const CALLS_AT_ONCE: usize = 8;

/// Where a function's code lies (Lambda `GetFunction`).
#[derive(Clone, PartialEq, Eq)]
pub struct FunctionCode {
    /// Presigned address of the zip, valid for ten minutes; `None` for a container image.
    pub url: Option<String>,
    /// The container image, by digest when Lambda has resolved it; `None` for a zip.
    pub image_uri: Option<String>,
    /// Base64; for an image the hexadecimal digest. As Lambda writes it.
    pub code_sha256: String,
    /// The function's tags, which listing does not tell.
    pub tags: BTreeMap<String, String>,
}

/// Where a layer version's code lies (Lambda `GetLayerVersionByArn`).
#[derive(Clone, PartialEq, Eq)]
pub struct LayerCode {
    /// Presigned address of the zip, valid for ten minutes.
    pub url: String,
    /// Base64, as Lambda writes it.
    pub code_sha256: String,
    /// Bytes of the zip.
    pub code_size: u64,
}

impl RegionClient {
    /// All functions, as their `$LATEST`. Tags are left empty: they cost one call a function of the bucket that the
    /// account's deployments live on, and `function_code` brings them anyway. `image_uri` of an `Image` function costs one
    /// `GetFunction`, which has a bucket of its own; where that fails it is `None`, and `missing` says so.
    pub async fn functions(&self) -> Result<Listing, AwsError> {
        const ACTION: &str = "lambda:ListFunctions";
        let functions = pages(ACTION, |token| {
            let request = self.inner.lambda.list_functions().max_items(FUNCTIONS_PER_PAGE).set_marker(token);
            async move {
                let page = self.inner.caller.call(ACTION, request.send()).await?;
                Ok((page.functions.unwrap_or_default(), page.next_marker))
            }
        })
        .await?;
        let mut missing = Vec::new();
        let mut resources = Vec::with_capacity(functions.len());
        let mut looked_up = stream::iter(functions).map(|function| self.with_image(function)).buffered(CALLS_AT_ONCE);
        while let Some((function, image_uri)) = looked_up.next().await {
            let image_uri = image_uri.unwrap_or_else(|error| {
                missing
                    .push(format!("{error} (unknown: the image of {})", function.function_name().unwrap_or_default()));
                None
            });
            resources.extend(self.function_resource(&function, image_uri));
        }
        Ok(Listing::new(resources, missing, true))
    }

    async fn with_image(
        &self,
        function: FunctionConfiguration,
    ) -> (FunctionConfiguration, Result<Option<String>, AwsError>) {
        let image_uri = match (function.package_type(), function.function_name()) {
            (Some(PackageType::Image), Some(name)) => match self.function_code(name).await {
                Ok(code) => Ok(code.image_uri),
                Err(AwsError::NotFound { .. }) => Ok(None), // deleted since it was listed: the next sweep sees it
                Err(error) => Err(error),
            },
            _ => Ok(None),
        };
        (function, image_uri)
    }

    fn function_resource(&self, function: &FunctionConfiguration, image_uri: Option<String>) -> Option<Resource> {
        let arn = function.function_arn()?;
        let network = function.vpc_config();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let details = FunctionDetails {
            name: text(function.function_name()),
            runtime: text(function.runtime().map(|runtime| runtime.as_str())),
            code_sha256: text(function.code_sha256()),
            version: function.version().unwrap_or(LATEST).to_owned(),
            execution_role_arn: text(function.role()),
            layers: function.layers().iter().filter_map(|layer| layer.arn()).map(str::to_owned).collect(),
            package_type: function.package_type().map_or("Zip", PackageType::as_str).to_owned(),
            image_uri,
            architecture: function.architectures().first().map_or("x86_64", |name| name.as_str()).to_owned(),
            last_modified_at: function.last_modified().and_then(modified_at),
            vpc_id: network.and_then(|network| network.vpc_id()).filter(|id| !id.is_empty()).map(str::to_owned),
            subnet_ids: network.map(|network| sorted(network.subnet_ids())).unwrap_or_default(),
            security_group_ids: network.map(|network| sorted(network.security_group_ids())).unwrap_or_default(),
        };
        Some(Resource {
            id: ResourceId::new(latest_arn(arn)),
            account: self.inner.account.clone(),
            region: self.inner.region.clone(),
            tags: BTreeMap::new(),
            details: ResourceDetails::Function(details),
        })
    }

    /// Where the code of a function (by name or ARN) lies.
    pub async fn function_code(&self, name: &str) -> Result<FunctionCode, AwsError> {
        const ACTION: &str = "lambda:GetFunction";
        let request = self.inner.lambda.get_function().function_name(name);
        let answer = self.inner.caller.call(ACTION, request.send()).await?;
        let code = answer.code.ok_or_else(|| AwsError::other(ACTION, format!("the answer for {name} has no code")))?;
        let image_uri = code.resolved_image_uri.or(code.image_uri);
        Ok(FunctionCode {
            url: code.location.filter(|_| image_uri.is_none()),
            image_uri,
            code_sha256: answer.configuration.and_then(|function| function.code_sha256).unwrap_or_default(),
            tags: answer.tags.unwrap_or_default().into_iter().collect(),
        })
    }

    /// Where the code of a layer version lies. A layer of another account that does not share it is `Denied`.
    pub async fn layer(&self, arn: &str) -> Result<LayerCode, AwsError> {
        const ACTION: &str = "lambda:GetLayerVersion"; // the action that IAM asks for, by ARN too
        let request = self.inner.lambda.get_layer_version_by_arn().arn(arn);
        let answer = self.inner.caller.call(ACTION, request.send()).await?;
        let incomplete = || AwsError::other(ACTION, format!("the answer for {arn} has no code"));
        let content = answer.content.ok_or_else(incomplete)?;
        Ok(LayerCode {
            url: content.location.ok_or_else(incomplete)?,
            code_sha256: content.code_sha256.unwrap_or_default(),
            code_size: u64::try_from(content.code_size).unwrap_or_default(),
        })
    }
}

/// Presigned addresses are secrets while they hold, so `Debug` leaves them out.
impl fmt::Debug for FunctionCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let image_uri = &self.image_uri;
        formatter
            .debug_struct("FunctionCode")
            .field("image_uri", image_uri)
            .field("code_sha256", &self.code_sha256)
            .finish()
    }
}

/// Presigned addresses are secrets while they hold, so `Debug` leaves them out.
impl fmt::Debug for LayerCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LayerCode")
            .field("code_sha256", &self.code_sha256)
            .field("bytes", &self.code_size)
            .finish()
    }
}

/// The version that is scanned.
const LATEST: &str = "$LATEST";

/// Inspector's resource id: the ARN with `:$LATEST`, which listing leaves out.
fn latest_arn(arn: &str) -> String {
    if arn.ends_with(LATEST) { arn.to_owned() } else { format!("{arn}:{LATEST}") }
}

fn sorted(texts: &[String]) -> Vec<String> {
    let mut texts = texts.to_vec();
    texts.sort();
    texts
}

/// Lambda writes `2026-01-31T10:20:30.123+0000`.
fn modified_at(text: &str) -> Option<Timestamp> {
    let exact = strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text).and_then(|parts| parts.to_timestamp());
    exact.ok().or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_change_is_read_in_lambdas_own_spelling() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(modified_at(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
        };
        check("2026-01-31T10:20:30.123+0000", Some("2026-01-31T10:20:30.123Z"));
        check("2026-01-31T10:20:30.000+0000", Some("2026-01-31T10:20:30Z"));
        check("2026-01-31T10:20:30Z", Some("2026-01-31T10:20:30Z")); // emulators
        check("yesterday", None);
    }

    #[test]
    fn a_function_is_its_latest_version() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:pay";
        assert_eq!(latest_arn(arn), format!("{arn}:$LATEST"));
        assert_eq!(latest_arn(&format!("{arn}:$LATEST")), format!("{arn}:$LATEST"));
    }

    #[test]
    fn presigned_addresses_are_not_shown() {
        let code = FunctionCode {
            url: Some("https://bucket/code?X-Amz-Signature=secret".into()),
            image_uri: None,
            code_sha256: "abc=".into(),
            tags: BTreeMap::new(),
        };
        assert!(!format!("{code:?}").contains("secret"));
    }
}
