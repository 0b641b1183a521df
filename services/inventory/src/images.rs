//! An image's software, layer by layer from its registry.

use crate::{Shared, scan::Outcome};
use anyhow::Result;
use muster_artifacts::{Credentials, ImageReference, LayerCache, NoProgress};
use muster_aws::RegionClient;
use muster_domain::{Digest, ImageDetails, ImageIdentity, Inventory};
use std::sync::Arc;

/// Reads the platform's own manifest; layers that were read before come from the cache.
pub async fn read(shared: &Shared, client: &RegionClient, details: &ImageDetails) -> Result<Outcome> {
    let credentials = match client.registry_credentials().await {
        Ok(credentials) => credentials,
        Err(error) => return Outcome::of_aws(error),
    };
    let digest: Digest = match details.digest.parse() {
        Ok(digest) => digest,
        Err(error) => return Ok(Outcome::Broken(format!("image: {error}"))),
    };
    let reference = ImageReference::by_digest(&details.registry_endpoint, &details.repository, digest);
    let inventory = muster_artifacts::read_image_manifest(
        &reference,
        Some(Credentials { user: credentials.user, secret: credentials.password }),
        &shared.limits,
        Arc::clone(&shared.layers) as Arc<dyn LayerCache>,
        Arc::new(NoProgress),
    )
    .await;
    match inventory {
        Ok(inventory) => Ok(Outcome::Read(Box::new(with_tags(inventory, details)))),
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => Ok(Outcome::Broken(error.to_string())),
    }
}

/// The tags by which statements may name the image; its registry is asked by digest alone.
fn with_tags(mut inventory: Inventory, details: &ImageDetails) -> Inventory {
    let tags = ImageIdentity { tags: details.tags.clone(), ..ImageIdentity::default() };
    inventory.image = Some(inventory.image.unwrap_or_default().and(tags));
    inventory
}
