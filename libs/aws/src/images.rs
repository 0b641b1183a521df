//! ECR images: one resource per platform manifest. Indexes are opened, their tags handed down to their platforms.

use crate::{
    AwsError, Listing, RegionClient,
    call::pages,
    client::{or_missing, timestamp},
    registry::layers_endpoint,
};
use aws_sdk_ecr::types::{Image, ImageDetail, ImageIdentifier, Repository};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use muster_domain::{Digest, ImageDetails, Resource, ResourceDetails, ResourceId};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Repositories and images of one page; AWS' maximum.
const PER_PAGE: i32 = 1000;
/// Images of one BatchGetImage; AWS' maximum.
const MANIFESTS_PER_CALL: usize = 100;
/// Repositories read at once.
const REPOSITORIES_AT_ONCE: usize = 4;
/// Indexes in indexes: one level is all that tools make; a second costs nothing, more is somebody's joke.
const INDEX_DEPTH_MAX: usize = 3;
/// Manifests of one index at most: builders make a dozen; the largest index that ECR takes (4 MiB) could name 30,000.
const INDEX_MANIFESTS_MAX: usize = 1000;

/// Media types of indexes: OCI image-spec (image-index) and Docker's older manifest list.
const INDEX_TYPES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
/// What is asked for with the indexes, so that ECR converts nothing.
const MANIFEST_TYPES: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

impl RegionClient {
    /// Every platform manifest of every repository. A repository that is denied or fails costs only its own images:
    /// it stands in `missing`, and the listing is not complete.
    pub async fn images(&self) -> Result<Listing, AwsError> {
        let repositories = self.repositories().await?;
        if repositories.is_empty() {
            return Ok(Listing::new(Vec::new(), Vec::new(), true));
        }
        let mut missing = Vec::new();
        let token = self.registry_credentials().await.map(|credentials| Some(credentials.endpoint));
        let token_endpoint = or_missing(token, "the way to the layers", &mut missing);
        let mut resources = Vec::new();
        let mut complete = true;
        let mut read = stream::iter(repositories)
            .map(|repository| self.repository_images(repository))
            .buffered(REPOSITORIES_AT_ONCE);
        while let Some((repository, found)) = read.next().await {
            let name = repository.repository_name().unwrap_or_default();
            match found {
                Ok(found) => {
                    complete &= found.missing.is_empty();
                    missing.extend(found.missing.iter().map(|line| format!("repository {name}: {line}")));
                    let endpoint =
                        layers_endpoint(repository.repository_uri().unwrap_or_default(), token_endpoint.as_deref());
                    resources.extend(
                        found.platforms.into_values().map(|image| self.image_resource(&repository, &endpoint, image)),
                    );
                }
                Err(AwsError::NotFound { .. }) => {} // deleted since it was listed
                Err(error) => {
                    complete = false;
                    missing.push(format!("repository {name}: {error} (unknown: its images)"));
                }
            }
        }
        Ok(Listing::new(resources, missing, complete))
    }

    async fn repositories(&self) -> Result<Vec<Repository>, AwsError> {
        const ACTION: &str = "ecr:DescribeRepositories";
        pages(ACTION, |token| {
            let request = self.inner.ecr.describe_repositories().max_results(PER_PAGE).set_next_token(token);
            async move {
                let page = self.inner.caller.call(ACTION, request.send()).await?;
                Ok((page.repositories.unwrap_or_default(), page.next_token))
            }
        })
        .await
    }

    async fn repository_images(&self, repository: Repository) -> (Repository, Result<Platforms, AwsError>) {
        let found = self.platforms(repository.repository_name().unwrap_or_default()).await;
        (repository, found)
    }

    /// Describes all images of a repository and opens its indexes, level by level.
    async fn platforms(&self, repository: &str) -> Result<Platforms, AwsError> {
        let described = self.described_images(repository).await?;
        let mut platforms = Platforms::default();
        let mut unopened = platforms.start(described);
        for _ in 0..INDEX_DEPTH_MAX {
            if unopened.is_empty() {
                return Ok(platforms);
            }
            let mut nested = BTreeMap::new();
            let digests: Vec<String> = unopened.keys().cloned().collect();
            for batch in digests.chunks(MANIFESTS_PER_CALL) {
                for image in self.manifests(repository, batch, &mut platforms.missing).await? {
                    platforms.open(&image, &unopened, &mut nested);
                }
            }
            unopened = nested;
        }
        if !unopened.is_empty() {
            platforms.missing.push(format!("{} indexes nested deeper than {INDEX_DEPTH_MAX} levels", unopened.len()));
        }
        Ok(platforms)
    }

    async fn described_images(&self, repository: &str) -> Result<Vec<ImageDetail>, AwsError> {
        const ACTION: &str = "ecr:DescribeImages";
        pages(ACTION, |token| {
            let request = self
                .inner
                .ecr
                .describe_images()
                .repository_name(repository)
                .max_results(PER_PAGE)
                .set_next_token(token);
            async move {
                let page = self.inner.caller.call(ACTION, request.send()).await?;
                Ok((page.image_details.unwrap_or_default(), page.next_token))
            }
        })
        .await
    }

    async fn manifests(
        &self,
        repository: &str,
        digests: &[String],
        missing: &mut Vec<String>,
    ) -> Result<Vec<Image>, AwsError> {
        let mut request = self.inner.ecr.batch_get_image().repository_name(repository);
        for digest in digests {
            request = request.image_ids(ImageIdentifier::builder().image_digest(digest).build());
        }
        for media_type in INDEX_TYPES.iter().chain(&MANIFEST_TYPES) {
            request = request.accepted_media_types(*media_type);
        }
        let answer = self.inner.caller.call("ecr:BatchGetImage", request.send()).await?;
        for failure in answer.failures() {
            let code = failure.failure_code().map(|code| code.as_str()).unwrap_or_default();
            if code == "ImageNotFound" {
                continue; // deleted since it was described
            }
            let digest = failure.image_id().and_then(|id| id.image_digest()).unwrap_or_default();
            missing.push(format!("{digest}: {code}: {}", failure.failure_reason().unwrap_or_default()));
        }
        Ok(answer.images.unwrap_or_default())
    }

    fn image_resource(&self, repository: &Repository, endpoint: &str, image: Platform) -> Resource {
        let name = repository.repository_name().unwrap_or_default();
        let fallback_arn = || format!("arn:aws:ecr:{}:{}:repository/{name}", self.inner.region, self.inner.account);
        let arn = repository.repository_arn().map_or_else(fallback_arn, str::to_owned);
        let details = ImageDetails {
            repository: name.to_owned(),
            registry: repository.registry_id().unwrap_or(self.inner.account.as_str()).to_owned(),
            registry_endpoint: endpoint.to_owned(),
            digest: image.digest.clone(),
            tags: image.tags.into_iter().collect(),
            architecture: image.architecture,
            platform: image.platform,
            pushed_at: image.pushed_at,
        };
        Resource {
            id: ResourceId::new(format!("{arn}/{}", image.digest)),
            account: self.inner.account.clone(),
            region: self.inner.region.clone(),
            tags: BTreeMap::new(),
            details: ResourceDetails::Image(details),
        }
    }
}

/// One platform manifest.
#[derive(Clone, Debug, Default, PartialEq)]
struct Platform {
    digest: String,
    /// Its own and those of the indexes that hold it.
    tags: BTreeSet<String>,
    architecture: Option<String>,
    platform: Option<String>,
    pushed_at: Option<Timestamp>,
}

/// The platform manifests of one repository, by digest.
#[derive(Debug, Default)]
struct Platforms {
    platforms: BTreeMap<String, Platform>,
    /// Attestations and indexes: described as images, but none.
    others: BTreeSet<String>,
    /// What could not be opened.
    missing: Vec<String>,
}

impl Platforms {
    /// Takes what DescribeImages says; gives the indexes, and the images of unknown type, which might be some.
    fn start(&mut self, described: Vec<ImageDetail>) -> BTreeMap<String, Platform> {
        let mut unopened = BTreeMap::new();
        for detail in described {
            let Some(digest) = detail.image_digest.as_deref().and_then(|raw| self.digest(raw)) else {
                continue;
            };
            let pushed_at = timestamp(detail.image_pushed_at.as_ref());
            let tags = detail.image_tags.unwrap_or_default().into_iter().collect();
            let image = Platform { digest: digest.clone(), tags, pushed_at, ..Platform::default() };
            match detail.image_manifest_media_type.as_deref() {
                Some(media_type) if !is_index(media_type) => {}
                _ => {
                    unopened.insert(digest.clone(), image.clone());
                }
            }
            self.platforms.insert(digest, image);
        }
        unopened
    }

    /// Reads one manifest of `unopened`: an index hands its tags and time to its platforms, and indexes within it go to
    /// `nested`. A plain manifest is left as it stands.
    fn open(&mut self, image: &Image, unopened: &BTreeMap<String, Platform>, nested: &mut BTreeMap<String, Platform>) {
        let Some(digest) = image.image_id().and_then(|id| id.image_digest()) else {
            return;
        };
        let Some(parent) = unopened.get(digest) else {
            return;
        };
        let manifest = match serde_json::from_str::<Manifest>(image.image_manifest().unwrap_or_default()) {
            Ok(manifest) => manifest,
            Err(error) => {
                self.missing.push(format!("{digest}: manifest is not JSON as OCI writes it: {error}"));
                return;
            }
        };
        let Some(children) = manifest.manifests else {
            return;
        };
        self.set_aside(digest);
        if children.len() > INDEX_MANIFESTS_MAX {
            self.missing.push(format!("{digest}: more than {INDEX_MANIFESTS_MAX} manifests in one index"));
        }
        for child in children.into_iter().take(INDEX_MANIFESTS_MAX) {
            let Some(digest) = self.digest(&child.digest) else {
                continue;
            };
            if child.is_attestation() {
                self.set_aside(&digest);
            } else if child.media_type.as_deref().is_some_and(is_index) {
                let own = nested.entry(digest.clone()).or_insert_with(|| Platform { digest, ..Platform::default() });
                own.inherit(parent);
            } else if !self.others.contains(&digest) {
                let own =
                    self.platforms.entry(digest.clone()).or_insert_with(|| Platform { digest, ..Platform::default() });
                own.inherit(parent);
                own.architecture = child.platform.as_ref().map(|platform| platform.architecture.clone());
                own.platform = child.platform.as_ref().map(PlatformOfChild::spelled);
            }
        }
    }

    /// Not an image, whatever DescribeImages says.
    fn set_aside(&mut self, digest: &str) {
        self.platforms.remove(digest);
        self.others.insert(digest.to_owned());
    }

    /// The digest, or a line in `missing`: what is no digest can't be asked for.
    fn digest(&mut self, raw: &str) -> Option<String> {
        match raw.parse::<Digest>() {
            Ok(digest) => Some(digest.into()),
            Err(malformed) => {
                self.missing.push(malformed.to_string());
                None
            }
        }
    }
}

impl Platform {
    fn inherit(&mut self, parent: &Self) {
        self.tags.extend(parent.tags.iter().cloned());
        self.pushed_at = self.pushed_at.or(parent.pushed_at);
    }
}

fn is_index(media_type: &str) -> bool {
    INDEX_TYPES.contains(&media_type)
}

/// An index; a plain manifest has no `manifests`.
#[derive(Deserialize)]
struct Manifest {
    manifests: Option<Vec<Child>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Child {
    media_type: Option<String>,
    digest: String,
    platform: Option<PlatformOfChild>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct PlatformOfChild {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Child {
    /// BuildKit keeps provenance and SBOMs as manifests of the platform `unknown/unknown`
    /// (docs.docker.com, "Image attestation storage").
    fn is_attestation(&self) -> bool {
        let unknown = |platform: &PlatformOfChild| platform.os == "unknown" && platform.architecture == "unknown";
        self.platform.as_ref().is_some_and(unknown)
            || self.annotations.get("vnd.docker.reference.type").is_some_and(|kind| kind == "attestation-manifest")
    }
}

impl PlatformOfChild {
    /// `OS/ARCH[/VARIANT]`.
    fn spelled(&self) -> String {
        let variant = self.variant.as_deref().filter(|variant| !variant.is_empty());
        let variant = variant.map(|variant| format!("/{variant}")).unwrap_or_default();
        format!("{}/{}{variant}", self.os, self.architecture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn digest(letter: char) -> String {
        format!("sha256:{}", letter.to_string().repeat(64))
    }

    fn described(letter: char, tags: &[&str], media_type: Option<&str>) -> ImageDetail {
        ImageDetail::builder()
            .image_digest(digest(letter))
            .set_image_tags(Some(tags.iter().map(|tag| (*tag).to_owned()).collect()))
            .set_image_manifest_media_type(media_type.map(str::to_owned))
            .build()
    }

    fn fetched(letter: char, manifest: &serde_json::Value) -> Image {
        Image::builder()
            .image_id(ImageIdentifier::builder().image_digest(digest(letter)).build())
            .image_manifest(manifest.to_string())
            .build()
    }

    /// `DIGEST-LETTER tags platform` of each platform manifest, after opening all indexes.
    fn check(described: Vec<ImageDetail>, manifests: &[Image], expected: &[&str]) {
        let mut platforms = Platforms::default();
        let mut unopened = platforms.start(described);
        while !unopened.is_empty() {
            let mut nested = BTreeMap::new();
            for image in manifests {
                platforms.open(image, &unopened, &mut nested);
            }
            unopened = nested;
        }
        let spelled = |image: &Platform| {
            let tags = image.tags.iter().cloned().collect::<Vec<_>>().join(",");
            format!("{} {tags} {}", &image.digest[7..8], image.platform.as_deref().unwrap_or("-"))
        };
        assert_eq!(platforms.platforms.values().map(spelled).collect::<Vec<_>>(), expected);
        assert_eq!(platforms.missing, Vec::<String>::new());
    }

    const OCI_INDEX: Option<&str> = Some(INDEX_TYPES[0]);
    const OCI_IMAGE: Option<&str> = Some(MANIFEST_TYPES[0]);

    fn child(letter: char, os: &str, architecture: &str) -> serde_json::Value {
        json!({"mediaType": OCI_IMAGE, "digest": digest(letter), "size": 1, "platform": {"os": os, "architecture": architecture}})
    }

    #[test]
    fn a_plain_image_is_a_resource_of_its_own() {
        check(vec![described('a', &["v1", "latest"], OCI_IMAGE)], &[], &["a latest,v1 -"]);
    }

    #[test]
    fn an_index_hands_its_tags_to_its_platforms_and_is_none_itself() {
        let index = json!({"manifests": [child('b', "linux", "amd64"), child('c', "linux", "arm64")]});
        let all = vec![
            described('a', &["v1"], OCI_INDEX),
            described('b', &[], OCI_IMAGE),
            described('c', &["arm"], OCI_IMAGE),
        ];
        check(all, &[fetched('a', &index)], &["b v1 linux/amd64", "c arm,v1 linux/arm64"]);
    }

    #[test]
    fn two_indexes_that_share_a_platform_join_their_tags() {
        let index = json!({"manifests": [child('c', "linux", "amd64")]});
        let all = vec![described('a', &["v1"], OCI_INDEX), described('b', &["v2"], OCI_INDEX)];
        check(all, &[fetched('a', &index), fetched('b', &index)], &["c v1,v2 linux/amd64"]);
    }

    #[test]
    fn attestations_are_no_images_even_when_described_as_such() {
        let by_annotation =
            json!({"digest": digest('d'), "annotations": {"vnd.docker.reference.type": "attestation-manifest"}});
        let index =
            json!({"manifests": [child('b', "linux", "amd64"), child('c', "unknown", "unknown"), by_annotation]});
        let all = ['b', 'c', 'd'].map(|letter| described(letter, &[], OCI_IMAGE)).into_iter();
        let all = all.chain([described('a', &["v1"], OCI_INDEX)]).collect();
        check(all, &[fetched('a', &index)], &["b v1 linux/amd64"]);
    }

    #[test]
    fn an_image_of_unknown_type_is_opened_to_see_what_it_is() {
        let index = json!({"manifests": [child('b', "linux", "amd64")]});
        let plain = json!({"config": {}, "layers": []});
        let all = vec![described('a', &["v1"], None), described('c', &["v2"], None)];
        check(all, &[fetched('a', &index), fetched('c', &plain)], &["b v1 linux/amd64", "c v2 -"]);
    }

    #[test]
    fn an_index_within_an_index_is_opened_too() {
        let outer = json!({"manifests": [{"mediaType": OCI_INDEX, "digest": digest('b')}]});
        let arm = json!({"digest": digest('c'), "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}});
        let inner = json!({"manifests": [arm]});
        let all = vec![described('a', &["v1"], OCI_INDEX)];
        check(all, &[fetched('a', &outer), fetched('b', &inner)], &["c v1 linux/arm/v7"]);
    }

    #[test]
    fn what_is_no_digest_or_no_manifest_is_told() {
        let mut platforms = Platforms::default();
        let unopened = platforms.start(vec![described('a', &[], OCI_INDEX), described('x', &[], OCI_IMAGE)]);
        let broken = Image::builder()
            .image_id(ImageIdentifier::builder().image_digest(digest('a')).build())
            .image_manifest("{")
            .build();
        platforms.open(&broken, &unopened, &mut BTreeMap::new());
        assert_eq!(platforms.missing.len(), 2, "{:?}", platforms.missing);
        assert!(platforms.missing[0].contains("is not a sha256 digest"));
        assert!(platforms.missing[1].contains("manifest is not JSON"));
    }
}
