//! Images: an index, its manifests and their layers, wherever the blobs lie.
//!
//! Source: OCI image-spec, "Image Manifest" and "Image Index"; docker.com, "Image Manifest Version 2, Schema 2"; both
//! read 2026-11-24. Docker's and OCI's JSON differ in media types only.

use crate::{ArtifactError, ImageReference, Limits, Progress, Read, ReadOptions};
use async_trait::async_trait;
use muster_domain::{Digest, ImageIdentity, Inventory};
use muster_packages::{LayerFacts, LayerOrigin, merge};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};

/// Media types that a registry is asked for.
pub(crate) const MANIFEST_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// Media types of an image's configuration. Other artifacts (Helm charts, signatures) have others.
const CONFIG_TYPES: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// Media types of layers. How they are compressed is told by their first bytes.
const LAYER_TYPES: [&str; 9] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
];

/// Indexes inside indexes.
const INDEX_DEPTH_MAX: usize = 4;

/// Where the blobs of an image lie. All content is checked against its digest.
#[async_trait]
pub(crate) trait Blobs: Send + Sync {
    /// A manifest or index.
    async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, ArtifactError>;

    /// An image's configuration.
    async fn config(&self, digest: &Digest) -> Result<Vec<u8>, ArtifactError>;

    /// What a layer says.
    async fn layer(
        &self,
        digest: &Digest,
        size: u64,
        limits: Limits,
        progress: Arc<dyn Progress>,
    ) -> Result<LayerFacts, ArtifactError>;
}

/// Points at a blob.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: Digest,
    #[serde(default)]
    pub size: u64,
    pub platform: Option<Platform>,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// A plain layer of unknown size.
    pub fn of_layer(digest: Digest) -> Self {
        Self { media_type: LAYER_TYPES[0].to_owned(), digest, size: 0, platform: None, annotations: BTreeMap::new() }
    }
}

/// Of an index's entry, and at the top of a configuration.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

impl Platform {
    /// `OS/ARCH[/VARIANT]`; `None` for what is attached to an image, such as its provenance (`unknown/unknown`).
    pub fn name(&self) -> Option<String> {
        if self.architecture == "unknown" {
            return None;
        }
        let parts = [&self.os, &self.architecture, &self.variant].map(String::as_str);
        Some(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
    }
}

/// A manifest or an index.
#[derive(Debug)]
pub(crate) enum Manifest {
    Index(Vec<Descriptor>),
    Image { config: Descriptor, layers: Vec<Descriptor> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawManifest {
    media_type: Option<String>,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    #[serde(rename = "fsLayers")]
    schema_1: Option<serde::de::IgnoredAny>,
}

impl Manifest {
    /// `name` is its digest or file name, for messages.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, ArtifactError> {
        let malformed = |why: String| ArtifactError::Manifest { digest: name.to_owned(), why };
        let unsupported =
            |media_type: String| ArtifactError::UnsupportedMediaType { digest: name.to_owned(), media_type };
        let raw: RawManifest = serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        match raw {
            RawManifest { manifests: Some(manifests), .. } => Ok(Self::Index(manifests)),
            RawManifest { config: Some(config), layers: Some(layers), .. } => {
                if CONFIG_TYPES.contains(&config.media_type.as_str()) {
                    Ok(Self::Image { config, layers })
                } else {
                    Err(unsupported(config.media_type))
                }
            }
            RawManifest { schema_1: Some(_), .. } => {
                Err(unsupported("application/vnd.docker.distribution.manifest.v1+json".to_owned()))
            }
            RawManifest { media_type: Some(media_type), .. } if !MANIFEST_TYPES.contains(&media_type.as_str()) => {
                Err(unsupported(media_type))
            }
            _ => Err(malformed("neither `manifests` nor `config` and `layers`".to_owned())),
        }
    }
}

/// A manifest or index to look at, and what was said of it on the way.
struct Found {
    digest: Digest,
    /// Fetched when its turn comes, so that only one manifest is in memory.
    bytes: Option<Vec<u8>>,
    platform: Option<String>,
    label: Option<String>,
    /// The indexes that led here.
    above: Vec<Digest>,
}

impl Found {
    /// What the way here says of the image. A label is a tag, or with some tools a whole reference.
    fn identity(&self) -> ImageIdentity {
        let named = self.label.as_deref().filter(|label| label.contains(['/', ':']));
        let named = named.and_then(|label| label.parse::<ImageReference>().ok()).map(|reference| reference.identity());
        let tag = self.label.iter().filter(|label| !label.contains(['/', ':'])).cloned();
        let digests = self.above.iter().chain([&self.digest]).cloned().collect();
        ImageIdentity { digests, tags: tag.collect(), repository: None }.and(named.unwrap_or_default())
    }
}

/// Adds what is known of the image that the inventory is of.
pub(crate) fn tell_of(inventory: &mut Inventory, identity: ImageIdentity) {
    inventory.image = Some(inventory.image.take().unwrap_or_default().and(identity));
}

/// All images behind a manifest or index.
pub(crate) async fn read_all(
    blobs: &dyn Blobs,
    name: &str,
    digest: Digest,
    bytes: Vec<u8>,
    options: &ReadOptions,
) -> Result<Vec<Read>, ArtifactError> {
    let mut images: Vec<(Option<String>, Read)> = Vec::new();
    let mut waiting = vec![Found { digest, bytes: Some(bytes), platform: None, label: None, above: Vec::new() }];
    let mut seen = 0;
    while let Some(mut found) = waiting.pop() {
        let bytes = match found.bytes.take() {
            Some(bytes) => bytes,
            None => blobs.manifest(&found.digest).await?,
        };
        match Manifest::parse(found.digest.as_str(), &bytes)? {
            Manifest::Index(manifests) => {
                seen += manifests.len();
                waiting.extend(inside(&found, manifests, seen, &options.limits)?);
            }
            Manifest::Image { config, layers } => {
                let platform = match found.platform.take() {
                    Some(platform) => Some(platform),
                    None => platform_of(blobs, &config).await?,
                };
                let mut inventory = read_image(blobs, &found.digest, &layers, options).await?;
                tell_of(&mut inventory, found.identity());
                let read = Read { name: name.to_owned(), platform, manifest: Some(found.digest), inventory };
                images.push((found.label, read));
            }
        }
    }
    Ok(named_apart(images))
}

/// The manifests of an index, last first.
fn inside(
    index: &Found,
    manifests: Vec<Descriptor>,
    seen: usize,
    limits: &Limits,
) -> Result<Vec<Found>, ArtifactError> {
    let too_large = |what: String, max: usize| Err(ArtifactError::TooLarge { what, max: max as u64 });
    if seen > limits.platforms_max {
        return too_large(format!("index `{}` with {seen} manifests", index.digest), limits.platforms_max);
    }
    if index.above.len() >= INDEX_DEPTH_MAX {
        return too_large(format!("index `{}` inside {} others", index.digest, index.above.len()), INDEX_DEPTH_MAX);
    }
    let above = [&index.above[..], std::slice::from_ref(&index.digest)].concat();
    let found = manifests.into_iter().rev().filter_map(|descriptor| {
        let platform = match &descriptor.platform {
            Some(platform) => Some(platform.name()?), // not an image, but attached to one
            None => None,
        };
        let label = descriptor.annotations.get("org.opencontainers.image.ref.name").or(index.label.as_ref()).cloned();
        Some(Found { digest: descriptor.digest, bytes: None, platform, label, above: above.clone() })
    });
    Ok(found.collect())
}

/// Several images of one target are told apart by their tags and platforms.
fn named_apart(images: Vec<(Option<String>, Read)>) -> Vec<Read> {
    let is_alone = images.len() == 1;
    let name = |(label, mut read): (Option<String>, Read)| {
        let told: Vec<&str> = [&label, &read.platform].into_iter().flatten().map(String::as_str).collect();
        if !is_alone && !told.is_empty() {
            read.name = format!("{} ({})", read.name, told.join(", "));
        }
        read
    };
    images.into_iter().map(name).collect()
}

async fn platform_of(blobs: &dyn Blobs, config: &Descriptor) -> Result<Option<String>, ArtifactError> {
    let bytes = blobs.config(&config.digest).await?;
    let platform: Platform = serde_json::from_slice(&bytes)
        .map_err(|error| ArtifactError::Manifest { digest: config.digest.to_string(), why: error.to_string() })?;
    Ok(platform.name().filter(|name| !name.is_empty()))
}

/// The software of one image: its layers, bottom to top.
pub(crate) async fn read_image(
    blobs: &dyn Blobs,
    manifest: &Digest,
    layers: &[Descriptor],
    options: &ReadOptions,
) -> Result<Inventory, ArtifactError> {
    let limits = options.limits;
    let too_large =
        |what: String, max: u64| ArtifactError::TooLarge { what: format!("image `{manifest}` with {what}"), max };
    if layers.len() > limits.layers_max {
        return Err(too_large(format!("{} layers", layers.len()), limits.layers_max as u64));
    }
    let bytes = layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
    if bytes > limits.image_bytes_max {
        return Err(too_large(format!("{bytes} bytes"), limits.image_bytes_max));
    }
    let mut facts = Vec::with_capacity(layers.len());
    for (number, layer) in layers.iter().enumerate() {
        let said = read_layer(blobs, layer, options).await?;
        facts.push((LayerOrigin::Image(layer.digest.clone()), said));
        options.progress.layer_done(number + 1, layers.len());
    }
    tokio::task::spawn_blocking(move || merge(&facts)).await.map_err(|_| ArtifactError::Cancelled)
}

async fn read_layer(blobs: &dyn Blobs, layer: &Descriptor, options: &ReadOptions) -> Result<LayerFacts, ArtifactError> {
    if !LAYER_TYPES.contains(&layer.media_type.as_str()) {
        let mut facts = LayerFacts::default();
        facts.skipped.insert(muster_domain::Skipped {
            place: layer.digest.to_string(),
            reason: format!("its media type `{}` is not that of a layer that we read", layer.media_type),
        });
        return Ok(facts);
    }
    if let Some(facts) = options.cache.get(&layer.digest).await {
        return Ok(facts);
    }
    let facts = blobs.layer(&layer.digest, layer.size, options.limits, options.progress.clone()).await?;
    // With other limits it may say more.
    if facts.limits_reached.is_empty() {
        options.cache.put(&layer.digest, &facts).await;
    }
    Ok(facts)
}
