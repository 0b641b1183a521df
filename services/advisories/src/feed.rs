//! One feed: where it is, and the last good copy of it.

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use muster_domain::{Digest, Skipped};
use muster_wire::v1;
use reqwest::{
    StatusCode,
    header::{ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::io::AsyncWriteExt;

/// The largest feed taken, in bytes. OSV's largest export has some hundreds of megabytes.
const FEED_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// A server that says nothing for this long is given up.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Reasons kept and logged for whoever asks how a feed does.
pub const REASONS_MAX: usize = 20;

/// A folder, a file or an address.
pub struct Feed {
    location: String,
    origin: Origin,
    fetched_at: Option<jiff::Timestamp>,
    error: Option<String>,
    held: Held,
}

/// What a copy held when it was last read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Held {
    /// Records, catalogue entries or table lines that were read.
    pub records: u64,
    /// How many could not be.
    pub set_aside: u64,
    /// The first of those.
    pub reasons: Vec<Skipped>,
}

enum Origin {
    /// Read where it lies.
    Local(PathBuf),
    /// Copied, so that it is asked for only when it changed and stays in use when it cannot be had.
    Remote { client: reqwest::Client, copy: PathBuf },
}

impl Feed {
    /// Refuses an address that is neither `https://`, `http://` nor a path.
    pub fn new(location: &str, folder: &Path) -> Result<Self> {
        let origin = if location.starts_with("https://") || location.starts_with("http://") {
            let address = reqwest::Url::parse(location).with_context(|| format!("feed `{location}`"))?;
            // The end of the address tells the format's packing (.zip, .gz), the digest tells two addresses apart.
            let name = address.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
            let copy = folder.join(format!("{}-{name}", &Digest::of(location.as_bytes()).hex()[..16]));
            let client = reqwest::Client::builder()
                .read_timeout(READ_TIMEOUT)
                .connect_timeout(READ_TIMEOUT)
                .build()
                .context("make the HTTP client")?;
            Origin::Remote { client, copy }
        } else if location.contains("://") {
            bail!("feed `{location}` is neither a path nor an http or https address");
        } else {
            Origin::Local(PathBuf::from(location))
        };
        let held = Held::default();
        Ok(Self { location: location.to_owned(), origin, fetched_at: None, error: None, held })
    }

    /// As it was given.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The file or folder to read; `None`: there is no copy yet.
    pub fn copy(&self) -> Option<PathBuf> {
        let path = match &self.origin {
            Origin::Local(path) => path,
            Origin::Remote { copy, .. } => copy,
        };
        path.exists().then(|| path.clone())
    }

    /// Makes the copy current: asks for it only if it changed since, writes beside and renames.
    pub async fn fetch(&mut self) -> Result<()> {
        let outcome = match &self.origin {
            Origin::Local(path) if path.exists() => Ok(()),
            Origin::Local(path) => Err(anyhow::anyhow!("{} is not there", path.display())),
            Origin::Remote { client, copy } => download(client, &self.location, copy).await,
        };
        self.error = outcome.as_ref().err().map(|error| format!("{error:#}"));
        if outcome.is_ok() {
            self.fetched_at = Some(jiff::Timestamp::now());
        }
        outcome
    }

    /// Takes from a build what it says of this feed.
    pub fn note(&mut self, summaries: &[(PathBuf, Held)]) {
        let copy = self.copy();
        if let Some((_, held)) = summaries.iter().find(|(path, _)| Some(path) == copy.as_ref()) {
            self.held = held.clone();
        }
    }

    /// For whoever asks.
    pub fn health(&self) -> v1::Feed {
        v1::Feed {
            location: self.location.clone(),
            fetched_at: self.fetched_at.map(muster_wire::timestamp),
            records: self.held.records,
            set_aside: self.held.set_aside,
            reasons: self.held.reasons.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason)).collect(),
            error: self.error.clone().unwrap_or_default(),
        }
    }
}

async fn download(client: &reqwest::Client, location: &str, copy: &Path) -> Result<()> {
    let validators = copy.with_extension("validators");
    let mut request = client.get(location);
    if copy.exists()
        && let Ok(text) = tokio::fs::read_to_string(&validators).await
    {
        for line in text.lines() {
            match line.split_once(": ") {
                Some(("etag", value)) => request = request.header(IF_NONE_MATCH, value),
                Some(("last-modified", value)) => request = request.header(IF_MODIFIED_SINCE, value),
                _ => {}
            }
        }
    }
    let response = request.send().await.context("ask for the feed")?;
    if response.status() == StatusCode::NOT_MODIFIED {
        return Ok(());
    }
    let response = response.error_for_status().context("ask for the feed")?;
    let header = |name| response.headers().get(name).map(HeaderValue::to_str).and_then(Result::ok);
    let mut kept = String::new();
    for (key, name) in [("etag", ETAG), ("last-modified", LAST_MODIFIED)] {
        if let Some(value) = header(name) {
            kept.push_str(&format!("{key}: {value}\n"));
        }
    }
    let beside = copy.with_extension("part");
    let mut file = tokio::fs::File::create(&beside).await.with_context(|| format!("create {}", beside.display()))?;
    let mut length = 0u64;
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.context("read the feed")?;
        length += chunk.len() as u64;
        if length > FEED_BYTES_MAX {
            bail!("the feed is longer than {FEED_BYTES_MAX} bytes");
        }
        file.write_all(&chunk).await.with_context(|| format!("write {}", beside.display()))?;
    }
    file.sync_all().await.with_context(|| format!("write {}", beside.display()))?;
    // The validators go first: without their copy they are not used, with an old one they would hide the new.
    let _ = tokio::fs::remove_file(&validators).await;
    tokio::fs::rename(&beside, copy).await.with_context(|| format!("rename to {}", copy.display()))?;
    tokio::fs::write(&validators, kept).await.with_context(|| format!("write {}", validators.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{header as has_header, method},
    };

    #[tokio::test]
    async fn a_feed_is_asked_for_only_when_it_changed_and_its_copy_survives_a_failure() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = MockServer::start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut feed = Feed::new(&format!("{}/Debian/all.zip", server.uri()), folder.path()).unwrap();
        assert_eq!(feed.copy(), None);

        let first = Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(200).insert_header("etag", "\"1\"").set_body_string("one"))
            .mount_as_scoped(&server)
            .await;
        feed.fetch().await.unwrap();
        let copy = feed.copy().unwrap();
        assert_eq!(std::fs::read_to_string(&copy).unwrap(), "one");
        drop(first);

        let unchanged = Mock::given(has_header("if-none-match", "\"1\""))
            .respond_with(ResponseTemplate::new(304))
            .expect(1)
            .mount_as_scoped(&server)
            .await;
        feed.fetch().await.unwrap();
        assert_eq!(std::fs::read_to_string(&copy).unwrap(), "one");
        drop(unchanged);

        Mock::given(method("GET")).respond_with(ResponseTemplate::new(503)).mount(&server).await;
        assert!(feed.fetch().await.is_err());
        assert_eq!(std::fs::read_to_string(&copy).unwrap(), "one");
        assert!(feed.health().error.contains("503"), "{}", feed.health().error);
    }

    #[test]
    fn an_address_of_another_kind_is_refused() {
        let error = Feed::new("ftp://example.org/x", Path::new("/tmp")).err().unwrap();
        assert_eq!(error.to_string(), "feed `ftp://example.org/x` is neither a path nor an http or https address");
    }
}
