//! Registries: a small streaming client of the OCI distribution specification (1.1, read 2026-11-24).
//!
//! What it sees to itself: credentials go to the host that asks for them and to nobody to whom that host redirects;
//! manifests have a limit; layers are decompressed while they arrive.

use crate::{
    ArtifactError, ImageReference, LayerStream, Limits, Progress, Read, ReadOptions,
    image::{self, Blobs, MANIFEST_TYPES, Manifest},
    read::blocking,
    tar_layer,
};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::TryStreamExt;
use muster_domain::{Digest, ImageIdentity, Inventory};
use muster_packages::LayerFacts;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{io, sync::Arc, time::Duration};
use tokio::sync::Mutex;
use tokio_util::io::{StreamReader, SyncIoBridge};

/// Who asks. ECR takes the user `AWS` and an authorisation token.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user's name.
    pub user: String,
    /// The password or token.
    pub secret: SecretString,
}

impl Credentials {
    /// A user and a password or token.
    pub fn new(user: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { user: user.into(), secret: SecretString::from(secret.into()) }
    }
}

/// Asked at most so often when a registry is busy, fails or breaks off.
const ATTEMPTS: u32 = 4;

/// Waited after the first failure; twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Waited at most, even when the registry asks for more (`Retry-After`).
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Without a single byte.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// Redirects followed for one question: registries redirect blobs to their object store, once.
const REDIRECTS_MAX: usize = 5;

/// Bytes of a token server's answer. Tokens have some kilobytes.
const TOKEN_BYTES_MAX: u64 = 1 << 20;

/// One image's repository in a registry.
#[derive(Clone)]
pub(crate) struct Registry {
    client: Client,
    base: Url,
    reference: ImageReference,
    credentials: Option<Credentials>,
    /// What the registry wants to see, once it has told.
    authorization: Arc<Mutex<Option<HeaderValue>>>,
    manifest_bytes_max: u64,
}

/// The address without its query, which may hold a signature.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

impl Registry {
    /// Prepares the client; nothing is asked yet.
    pub fn connect(
        reference: ImageReference,
        credentials: Option<Credentials>,
        limits: &Limits,
    ) -> Result<Self, ArtifactError> {
        let base = reference.base_url();
        let client = Client::builder()
            .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none()) // followed here, so that credentials stay where they belong
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            .build()
            .map_err(|cause| ArtifactError::Registry { url: base.clone(), cause })?;
        let base = Url::parse(&format!("{base}/v2/{}/", reference.repository)).map_err(|error| {
            ArtifactError::Redirect { url: base, why: format!("nowhere: the address is malformed ({error})") }
        })?;
        let manifest_bytes_max = limits.manifest_bytes_max;
        Ok(Self { client, base, reference, credentials, authorization: Arc::default(), manifest_bytes_max })
    }

    /// The image, or all images when the reference leads to an index.
    pub async fn read_all(&self, name: &str, options: &ReadOptions) -> Result<Vec<Read>, ArtifactError> {
        let (digest, bytes) = self.referenced().await?;
        let mut reads = image::read_all(self, name, digest, bytes, options).await?;
        reads.iter_mut().for_each(|read| image::tell_of(&mut read.inventory, self.reference.identity()));
        Ok(reads)
    }

    /// The image, whose reference must lead to a manifest.
    pub async fn read_manifest(&self, options: &ReadOptions) -> Result<Inventory, ArtifactError> {
        let (digest, bytes) = self.referenced().await?;
        match Manifest::parse(digest.as_str(), &bytes)? {
            Manifest::Image { layers, .. } => {
                let mut inventory = image::read_image(self, &digest, &layers, options).await?;
                image::tell_of(&mut inventory, ImageIdentity { digests: vec![digest], ..self.reference.identity() });
                Ok(inventory)
            }
            Manifest::Index(_) => {
                let media_type = MANIFEST_TYPES[0].to_owned();
                Err(ArtifactError::UnsupportedMediaType { digest: digest.to_string(), media_type })
            }
        }
    }

    /// What the reference leads to, and its digest.
    async fn referenced(&self) -> Result<(Digest, Vec<u8>), ArtifactError> {
        let bytes = self.small("manifests", self.reference.version()).await?;
        let actual = Digest::of(&bytes);
        match &self.reference.digest {
            Some(expected) if *expected != actual => {
                Err(ArtifactError::DigestMismatch { expected: expected.clone(), actual })
            }
            _ => Ok((actual, bytes)),
        }
    }

    async fn checked(&self, kind: &str, digest: &Digest) -> Result<Vec<u8>, ArtifactError> {
        let bytes = self.small(kind, digest.as_str()).await?;
        let actual = Digest::of(&bytes);
        if actual == *digest {
            Ok(bytes)
        } else {
            Err(ArtifactError::DigestMismatch { expected: digest.clone(), actual })
        }
    }

    /// A manifest or configuration as a whole.
    async fn small(&self, kind: &str, version: &str) -> Result<Vec<u8>, ArtifactError> {
        let mut attempt = 1;
        loop {
            let response = self.ask(kind, version).await?;
            match limited_body(response, self.manifest_bytes_max).await {
                Err(ArtifactError::Registry { .. }) if attempt < ATTEMPTS => wait(attempt, None).await,
                outcome => return outcome,
            }
            attempt += 1;
        }
    }

    /// Asks until there is an answer that is worth having.
    async fn ask(&self, kind: &str, version: &str) -> Result<Response, ArtifactError> {
        let url = self.base.join(&format!("{kind}/{version}")).map_err(|error| ArtifactError::Redirect {
            url: shown(&self.base),
            why: format!("nowhere: `{version}` makes no address ({error})"),
        })?;
        let mut attempt = 1;
        let mut has_asked_for_access = false;
        loop {
            let response = match self.follow(url.clone()).await {
                Err(ArtifactError::Registry { cause, .. }) if attempt < ATTEMPTS && !cause.is_builder() => {
                    wait(attempt, None).await;
                    attempt += 1;
                    continue;
                }
                outcome => outcome?,
            };
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            if status == StatusCode::UNAUTHORIZED && !has_asked_for_access {
                has_asked_for_access = true;
                self.ask_for_access(response.headers()).await?;
                continue;
            }
            let is_busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
            if is_busy && attempt < ATTEMPTS {
                wait(attempt, response.headers().get(RETRY_AFTER)).await;
                attempt += 1;
                continue;
            }
            return Err(self.refused(status, response, kind, version).await);
        }
    }

    async fn refused(&self, status: StatusCode, response: Response, kind: &str, version: &str) -> ArtifactError {
        let url = shown(response.url());
        let detail = detail(response).await;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                ArtifactError::Denied { reference: Box::new(self.reference.clone()), detail }
            }
            StatusCode::NOT_FOUND if kind == "manifests" => ArtifactError::NoSuchImage {
                wanted: version.to_owned(),
                place: format!("{}/{}", self.reference.registry, self.reference.repository),
            },
            _ => ArtifactError::RegistryStatus { status: status.as_u16(), url, detail },
        }
    }

    /// One question, and where it is redirected to. Credentials go no further than the registry's own host.
    async fn follow(&self, mut url: Url) -> Result<Response, ArtifactError> {
        for _ in 0..=REDIRECTS_MAX {
            let mut request = self.client.get(url.clone()).header(ACCEPT, MANIFEST_TYPES.join(", "));
            if url.origin() == self.base.origin()
                && let Some(authorization) = self.authorization.lock().await.clone()
            {
                request = request.header(AUTHORIZATION, authorization);
            }
            let response = request
                .send()
                .await
                .map_err(|cause| ArtifactError::Registry { url: shown(&url), cause: cause.without_url() })?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let lost = |why: String| ArtifactError::Redirect { url: shown(&url), why };
            let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            let location = location.ok_or_else(|| lost("to nowhere".to_owned()))?;
            let next = url.join(location).map_err(|error| lost(format!("to a malformed address ({error})")))?;
            if !is_as_safe(&url, &next) {
                return Err(lost(format!("to `{}`, which has no TLS", shown(&next))));
            }
            url = next;
        }
        Err(ArtifactError::Redirect { url: shown(&url), why: format!("more than {REDIRECTS_MAX} times") })
    }

    /// Answers a challenge (RFC 9110, section 11.6.1): with the credentials, or with a token for them.
    async fn ask_for_access(&self, headers: &HeaderMap) -> Result<(), ArtifactError> {
        let denied = |detail: &str| ArtifactError::Denied {
            reference: Box::new(self.reference.clone()),
            detail: detail.to_owned(),
        };
        let challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|challenge| challenge.to_str().ok());
        let challenges: Vec<Challenge> = challenges.filter_map(Challenge::parse).collect();
        let authorization = if let Some(bearer) = challenges.iter().find(|challenge| challenge.scheme == "bearer") {
            format!("Bearer {}", self.token(bearer).await?)
        } else if challenges.iter().any(|challenge| challenge.scheme == "basic") {
            self.basic().ok_or_else(|| denied(": it wants credentials, and none are given"))?
        } else {
            return Err(denied(": it asks for access in no way that we know"));
        };
        let mut value =
            HeaderValue::from_str(&authorization).map_err(|_| denied(": the credentials do not fit into a header"))?;
        value.set_sensitive(true);
        *self.authorization.lock().await = Some(value);
        Ok(())
    }

    fn basic(&self) -> Option<String> {
        let Credentials { user, secret } = self.credentials.as_ref()?;
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{}", secret.expose_secret()))))
    }

    /// A token that lets us pull (distribution specification, "Token authentication").
    async fn token(&self, challenge: &Challenge) -> Result<String, ArtifactError> {
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
        }
        let realm = challenge.parameter("realm").unwrap_or_default();
        let lost = |why: &str| ArtifactError::Redirect {
            url: shown(&self.base),
            why: format!("to token server `{realm}`, {why}"),
        };
        let mut url = Url::parse(realm).map_err(|_| lost("which is no address"))?;
        if !is_as_safe(&self.base, &url) {
            return Err(lost("which has no TLS"));
        }
        let scope = challenge.parameter("scope").map(str::to_owned);
        let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", self.reference.repository));
        if let Some(service) = challenge.parameter("service") {
            url.query_pairs_mut().append_pair("service", service);
        }
        url.query_pairs_mut().append_pair("scope", &scope);
        let mut request = self.client.get(url.clone());
        if let Some(basic) = self.basic() {
            request = request.header(AUTHORIZATION, basic);
        }
        let failed = |cause: reqwest::Error| ArtifactError::Registry { url: shown(&url), cause: cause.without_url() };
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        if !status.is_success() {
            let detail = format!(": its token server answers {}", status.as_u16());
            return Err(ArtifactError::Denied { reference: Box::new(self.reference.clone()), detail });
        }
        let body = limited_body(response, TOKEN_BYTES_MAX).await?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| lost("whose answer is malformed"))?;
        answer.token.or(answer.access_token).ok_or_else(|| lost("whose answer has no token"))
    }
}

/// Whether following from one to the other gives up no TLS.
fn is_as_safe(from: &Url, to: &Url) -> bool {
    to.scheme() == "https" || (to.scheme() == "http" && from.scheme() == "http")
}

/// What the registry wants of us.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    /// In small letters.
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// `Bearer realm="https://…",service="…"`.
    fn parse(raw: &str) -> Option<Self> {
        let (scheme, mut rest) = raw.trim().split_once(' ').unwrap_or((raw.trim(), ""));
        let mut parameters = Vec::new();
        while let Some((name, value)) = rest.split_once('=') {
            let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
            let (value, after) = match value.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => value.split_once(',').unwrap_or((value, "")),
            };
            parameters.push((name, value.trim().to_owned()));
            rest = after;
        }
        Some(Self { scheme: scheme.to_ascii_lowercase(), parameters })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Waits after a failed attempt, as long as the registry asks for (`Retry-After` in seconds) or as long as we see fit.
async fn wait(attempt: u32, retry_after: Option<&HeaderValue>) {
    let asked = retry_after.and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
    let own = FIRST_WAIT * 2_u32.saturating_pow(attempt - 1);
    tokio::time::sleep(asked.unwrap_or(own).min(WAIT_MAX)).await;
}

async fn limited_body(mut response: Response, max: u64) -> Result<Vec<u8>, ArtifactError> {
    let url = shown(response.url());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if (body.len() + chunk.len()) as u64 > max => {
                return Err(ArtifactError::TooLarge { what: format!("the answer of `{url}`"), max });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(cause) => return Err(ArtifactError::Registry { url, cause: cause.without_url() }),
        }
    }
}

/// The beginning of an error's text, for a person.
async fn detail(response: Response) -> String {
    const BYTES_MAX: u64 = 4 << 10;
    const LETTERS_MAX: usize = 200;
    let body = limited_body(response, BYTES_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let text: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(LETTERS_MAX).collect();
    if text.trim().is_empty() { String::new() } else { format!(": {}", text.trim()) }
}

#[async_trait]
impl Blobs for Registry {
    async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, ArtifactError> {
        self.checked("manifests", digest).await
    }

    async fn config(&self, digest: &Digest) -> Result<Vec<u8>, ArtifactError> {
        self.checked("blobs", digest).await
    }

    /// A layer that breaks off is asked for again from its beginning: what was decompressed cannot be gone on with.
    async fn layer(
        &self,
        digest: &Digest,
        size: u64,
        limits: Limits,
        progress: Arc<dyn Progress>,
    ) -> Result<LayerFacts, ArtifactError> {
        let mut attempt = 1;
        loop {
            let response = self.ask("blobs", digest.as_str()).await?;
            let stream = response.bytes_stream().map_err(|cause| io::Error::other(cause.without_url()));
            let reader = SyncIoBridge::new(StreamReader::new(Box::pin(stream)));
            let stream = LayerStream { digest: digest.clone(), size: Some(size), reader };
            let progress = progress.clone();
            match blocking(move || tar_layer::read_layer(stream, &limits, &*progress)).await {
                Err(ArtifactError::Layer { cause, .. }) if attempt < ATTEMPTS => {
                    tracing::warn!(%digest, attempt, %cause, "layer broke off");
                    wait(attempt, None).await;
                }
                outcome => return outcome,
            }
            attempt += 1;
        }
    }
}

#[cfg(test)]
mod tests;
