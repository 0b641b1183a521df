//! A function's software, from its zip and its layers' zips.

use crate::{Shared, fetch, scan::Outcome};
use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use muster_artifacts::LayerCache;
use muster_aws::RegionClient;
use muster_domain::{Digest, FunctionDetails, ScanStatusReason};
use muster_packages::{LayerFacts, LayerOrigin};

/// Lambda mounts the layers first, in order, and the function's own code above them.
pub async fn read(shared: &Shared, client: &RegionClient, details: &FunctionDetails) -> Result<Outcome> {
    if details.package_type != "Zip" {
        let detail = format!("package type {} is read as an image in its repository", details.package_type);
        return Ok(Outcome::None(ScanStatusReason::UnsupportedMediaType, detail));
    }
    let mut parts = Vec::new();
    for arn in &details.layers {
        let layer = match client.layer(arn).await {
            Ok(layer) => layer,
            Err(error) => return Outcome::of_aws(error),
        };
        match facts(shared, arn, &layer.url, &layer.code_sha256).await? {
            Ok(facts) => parts.push((LayerOrigin::LambdaLayer(arn.clone()), facts)),
            Err(fault) => return Ok(Outcome::Broken(format!("layer {arn}: {fault}"))),
        }
    }
    let code = match client.function_code(&details.name).await {
        Ok(code) => code,
        Err(error) => return Outcome::of_aws(error),
    };
    let Some(url) = code.url else {
        return Ok(Outcome::Broken("Lambda gives no place to read the code from".to_owned()));
    };
    match facts(shared, &details.name, &url, &code.code_sha256).await? {
        Ok(facts) => parts.push((LayerOrigin::LambdaCode, facts)),
        Err(fault) => return Ok(Outcome::Broken(fault)),
    }
    Ok(Outcome::Read(Box::new(muster_packages::merge(&parts))))
}

/// What one zip holds, from the cache when its digest was read before. The inner error is the zip's own fault.
async fn facts(shared: &Shared, origin: &str, url: &str, code_sha256: &str) -> Result<Result<LayerFacts, String>> {
    let digest = match digest(code_sha256) {
        Ok(digest) => digest,
        Err(fault) => return Ok(Err(fault)),
    };
    if let Some(facts) = shared.layers.get(&digest).await {
        return Ok(Ok(facts));
    }
    let file = match fetch::to_file(&shared.http, url, fetch::ZIP_BYTES_MAX).await? {
        Ok(file) => file,
        Err(fault) => return Ok(Err(fault)),
    };
    let limits = shared.limits;
    let origin = origin.to_owned();
    let expected = digest.clone();
    let read = tokio::task::spawn_blocking(move || {
        fetch::check_digest(&file, &expected)?;
        muster_artifacts::read_zip(&origin, &file, &limits).map_err(|error| error.to_string())
    });
    let facts = read.await.context("read the zip")?;
    // What a limit cut short is read again: the limit may be another then.
    if let Ok(facts) = &facts
        && facts.limits_reached.is_empty()
    {
        shared.layers.put(&digest, facts).await;
    }
    Ok(facts)
}

/// Lambda's `CodeSha256` is the digest in base64.
fn digest(code_sha256: &str) -> Result<Digest, String> {
    let malformed = || format!("CodeSha256 `{code_sha256}` is not a SHA-256 in base64");
    let bytes = STANDARD.decode(code_sha256).map_err(|_| malformed())?;
    format!("sha256:{}", hex::encode(bytes)).parse().map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambdas_code_sha256_becomes_a_digest() {
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; // of nothing
        assert_eq!(digest(empty), Ok(Digest::of(b"")));
        assert_eq!(digest("x"), Err("CodeSha256 `x` is not a SHA-256 in base64".to_owned()));
    }
}
