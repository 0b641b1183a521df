//! Reading a target of any kind.

use crate::{
    ArtifactError, Credentials, ImageReference, LayerCache, Limits, NoCache, NoProgress, Progress, Target, directory,
    oci_layout, registry::Registry, zip,
};
use muster_domain::Inventory;
use muster_packages::{LayerOrigin, cyclonedx, merge};
use std::{fs::File, io::Read as _, path::PathBuf, sync::Arc};

/// One root that was read. An index gives one for every platform.
#[derive(Clone, Debug)]
pub struct Read {
    /// For people: the target, with the platform where there is more than one.
    pub name: String,
    /// `OS/ARCH[/VARIANT]`, for images.
    pub platform: Option<String>,
    /// The digest of the image's manifest, for images that have one.
    pub manifest: Option<muster_domain::Digest>,
    /// Its software.
    pub inventory: Inventory,
}

/// How to read.
#[derive(Clone)]
pub struct ReadOptions {
    /// How much.
    pub limits: Limits,
    /// For registries.
    pub credentials: Option<Credentials>,
    /// Layers that were read before.
    pub cache: Arc<dyn LayerCache>,
    /// Who is told.
    pub progress: Arc<dyn Progress>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { limits: Limits::default(), credentials: None, cache: Arc::new(NoCache), progress: Arc::new(NoProgress) }
    }
}

/// All roots of a target: one, or one for every platform of an index.
pub async fn read(target: &Target, options: &ReadOptions) -> Result<Vec<Read>, ArtifactError> {
    let name = target.to_string();
    let root = |inventory| vec![Read { name: name.clone(), platform: None, manifest: None, inventory }];
    let limits = options.limits;
    match target {
        Target::Directory(path) => {
            let path = path.clone();
            let (facts, running_kernel) = blocking(move || {
                let mut facts = directory::read_directory(&path, &limits)?;
                let running_kernel = directory::running_kernel(&path, &mut facts);
                Ok((facts, running_kernel))
            })
            .await?;
            Ok(root(Inventory { running_kernel, ..merge(&[(LayerOrigin::Root, facts)]) }))
        }
        Target::Zip(path) => {
            let path = path.clone();
            let facts = blocking(move || {
                let file = File::open(&path).map_err(|cause| ArtifactError::File { path: path.clone(), cause })?;
                zip::read_zip(&path.display().to_string(), std::io::BufReader::new(file), &limits)
            })
            .await?;
            Ok(root(merge(&[(LayerOrigin::Root, facts)])))
        }
        Target::Sbom(path) => {
            let path = path.clone();
            Ok(root(blocking(move || read_sbom(path)).await?))
        }
        Target::OciLayout(path, tag) => oci_layout::read(&name, path, tag.as_deref(), options).await,
        Target::Image(reference) => {
            let registry = Registry::connect(reference.clone(), options.credentials.clone(), &limits)?;
            registry.read_all(&name, options).await
        }
    }
}

/// One manifest of a registry: one platform's image, not an index.
pub async fn read_image_manifest(
    reference: &ImageReference,
    credentials: Option<Credentials>,
    limits: &Limits,
    cache: Arc<dyn LayerCache>,
    progress: Arc<dyn Progress>,
) -> Result<Inventory, ArtifactError> {
    let registry = Registry::connect(reference.clone(), credentials.clone(), limits)?;
    registry.read_manifest(&ReadOptions { limits: *limits, credentials, cache, progress }).await
}

fn read_sbom(path: PathBuf) -> Result<Inventory, ArtifactError> {
    let mut bytes = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(cyclonedx::BYTES_MAX as u64 + 1).read_to_end(&mut bytes))
        .map_err(|cause| ArtifactError::File { path: path.clone(), cause })?;
    cyclonedx::read(&bytes).map_err(|cause| ArtifactError::Sbom { path, cause })
}

/// Runs what reads files or decompresses away from the threads that answer others.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArtifactError> + Send + 'static,
) -> Result<T, ArtifactError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
        Err(_) => Err(ArtifactError::Cancelled),
    }
}
