//! OCI layouts (image-spec, "Image Layout", read 2026-11-24) and what `docker save` writes: as a folder or as a tar.

use crate::{
    ArtifactError, ImageReference, LayerStream, Limits, Progress, Read, ReadOptions,
    blobs::Files,
    image::{self, Blobs, Descriptor, Manifest},
    read::blocking,
    tar_layer,
};
use async_trait::async_trait;
use muster_domain::Digest;
use muster_packages::{LayerFacts, normalise};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// All images of a layout, or those with the tag.
pub(crate) async fn read(
    name: &str,
    path: &Path,
    tag: Option<&str>,
    options: &ReadOptions,
) -> Result<Vec<Read>, ArtifactError> {
    let (owned, limits) = (path.to_owned(), options.limits);
    let files = Arc::new(blocking(move || Files::open(&owned, &limits)).await?);
    let layout = Layout { files: files.clone(), limits, layers: BTreeMap::new() };
    if let Some(index) = layout.small("index.json").await? {
        return layout.read_index(name, tag, index, options).await;
    }
    match layout.small("manifest.json").await? {
        Some(manifest) => read_docker(name, layout, tag, &manifest, options).await,
        None => Err(ArtifactError::NotAnImage {
            path: path.to_owned(),
            why: "it has neither an `index.json` nor a `manifest.json`".to_owned(),
        }),
    }
}

struct Layout {
    files: Arc<Files>,
    limits: Limits,
    /// Files of layers that are not named by their digest, as in older docker archives.
    layers: BTreeMap<Digest, String>,
}

impl Layout {
    async fn small(&self, name: &str) -> Result<Option<Vec<u8>>, ArtifactError> {
        let (files, name, bytes_max) = (self.files.clone(), name.to_owned(), self.limits.manifest_bytes_max);
        blocking(move || files.small(&name, bytes_max)).await
    }

    async fn checked(&self, digest: &Digest) -> Result<Vec<u8>, ArtifactError> {
        let bytes = self.small(&blob_name(digest)).await?.ok_or_else(|| self.missing(digest.as_str()))?;
        let actual = Digest::of(&bytes);
        if actual == *digest {
            Ok(bytes)
        } else {
            Err(ArtifactError::DigestMismatch { expected: digest.clone(), actual })
        }
    }

    fn missing(&self, wanted: &str) -> ArtifactError {
        ArtifactError::NoSuchImage { wanted: wanted.to_owned(), place: self.files.path().display().to_string() }
    }

    async fn read_index(
        &self,
        name: &str,
        tag: Option<&str>,
        index: Vec<u8>,
        options: &ReadOptions,
    ) -> Result<Vec<Read>, ArtifactError> {
        if let Some(tag) = tag {
            let Manifest::Index(manifests) = Manifest::parse("index.json", &index)? else {
                return Err(self.missing(tag));
            };
            let tagged = manifests.iter().find(|descriptor| has_tag(descriptor, tag));
            let digest = tagged.ok_or_else(|| self.missing(tag))?.digest.clone();
            let bytes = self.checked(&digest).await?;
            return image::read_all(self, name, digest, bytes, options).await;
        }
        let digest = Digest::of(&index);
        let reads = image::read_all(self, name, digest, index, options).await?;
        if reads.is_empty() { Err(self.missing("any")) } else { Ok(reads) }
    }
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// Docker writes the whole reference into an annotation of its own, OCI the tag alone.
fn has_tag(descriptor: &Descriptor, tag: &str) -> bool {
    let annotation = |name: &str| descriptor.annotations.get(name).map(String::as_str);
    annotation("org.opencontainers.image.ref.name") == Some(tag)
        || annotation("io.containerd.image.name").is_some_and(|name| is_reference(name, tag))
}

fn is_reference(name: &str, tag: &str) -> bool {
    name == tag || name.rsplit_once(':').is_some_and(|(_, own)| own == tag)
}

#[async_trait]
impl Blobs for Layout {
    async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, ArtifactError> {
        self.checked(digest).await
    }

    async fn config(&self, digest: &Digest) -> Result<Vec<u8>, ArtifactError> {
        self.checked(digest).await
    }

    async fn layer(
        &self,
        digest: &Digest,
        size: u64,
        limits: Limits,
        progress: Arc<dyn Progress>,
    ) -> Result<LayerFacts, ArtifactError> {
        let name = self.layers.get(digest).cloned().unwrap_or_else(|| blob_name(digest));
        let (files, digest, missing) = (self.files.clone(), digest.clone(), self.missing(digest.as_str()));
        blocking(move || {
            let failed = |cause| ArtifactError::File { path: files.path().join(&name), cause };
            let (reader, stored) = files.file(&name).map_err(failed)?.ok_or(missing)?;
            let size = if size == 0 { stored } else { size };
            tar_layer::read_layer(LayerStream { digest, size: Some(size), reader }, &limits, &*progress)
        })
        .await
    }
}

/// An entry of docker's `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct DockerConfig {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

async fn read_docker(
    name: &str,
    mut layout: Layout,
    tag: Option<&str>,
    manifest: &[u8],
    options: &ReadOptions,
) -> Result<Vec<Read>, ArtifactError> {
    let malformed = |file: &str, why: String| ArtifactError::Manifest { digest: file.to_owned(), why };
    let images: Vec<DockerImage> =
        serde_json::from_slice(manifest).map_err(|error| malformed("manifest.json", error.to_string()))?;
    let is_wanted = |image: &DockerImage| match tag {
        Some(tag) => image.repo_tags.iter().flatten().any(|reference| is_reference(reference, tag)),
        None => true,
    };
    let images: Vec<DockerImage> = images.into_iter().filter(is_wanted).take(options.limits.platforms_max).collect();
    if images.is_empty() {
        return Err(layout.missing(tag.unwrap_or("any")));
    }
    let is_alone = images.len() == 1;
    let mut reads = Vec::new();
    for image in images {
        let file = |name: &str| normalise(name).map_err(|error| malformed("manifest.json", error.to_string()));
        let config_bytes = layout.small(&file(&image.config)?).await?.ok_or_else(|| layout.missing(&image.config))?;
        let config: DockerConfig =
            serde_json::from_slice(&config_bytes).map_err(|error| malformed(&image.config, error.to_string()))?;
        let platform: Option<image::Platform> = serde_json::from_slice(&config_bytes).ok();
        if config.rootfs.diff_ids.len() != image.layers.len() {
            return Err(malformed("manifest.json", "it has not as many layers as the configuration".to_owned()));
        }
        let mut layers = Vec::new();
        for (diff_id, layer) in config.rootfs.diff_ids.into_iter().zip(&image.layers) {
            let layer = file(layer)?;
            // A layer in `blobs` is named by the digest of what is stored, which may be compressed; others are plain.
            let digest = layer.strip_prefix("blobs/sha256/").and_then(|hex| format!("sha256:{hex}").parse().ok());
            let digest = digest.unwrap_or(diff_id);
            layout.layers.insert(digest.clone(), layer);
            layers.push(Descriptor::of_layer(digest));
        }
        let mut inventory = image::read_image(&layout, &Digest::of(&config_bytes), &layers, options).await?;
        for reference in image.repo_tags.iter().flatten().filter_map(|tag| tag.parse::<ImageReference>().ok()) {
            image::tell_of(&mut inventory, reference.identity());
        }
        let label = image.repo_tags.iter().flatten().next();
        let name = match label {
            Some(label) if !is_alone => format!("{name} ({label})"),
            _ => name.to_owned(),
        };
        let platform = platform.and_then(|platform| platform.name());
        reads.push(Read { name, platform, manifest: None, inventory });
    }
    Ok(reads)
}

#[cfg(test)]
mod tests;
