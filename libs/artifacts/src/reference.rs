//! References: the address of an image in a registry.

use muster_domain::{Digest, ImageIdentity};
use std::{fmt, str::FromStr};

/// `[http://]REGISTRY/REPOSITORY[:TAG][@DIGEST]`, as container tools write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReference {
    /// `HOST[:PORT]`, with `http://` in front when it has no TLS. A loopback host needs no `http://`.
    pub registry: String,
    /// `library/debian`.
    pub repository: String,
    /// Counts before the tag.
    pub digest: Option<Digest>,
    /// `latest` when neither is given.
    pub tag: Option<String>,
}

/// The text is not an image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{raw}` is not an image reference: {why}")]
pub struct MalformedReference {
    /// The text.
    pub raw: String,
    /// What is wrong.
    pub why: &'static str,
}

impl ImageReference {
    /// An image by its digest.
    pub fn by_digest(registry: impl Into<String>, repository: impl Into<String>, digest: Digest) -> Self {
        Self { registry: registry.into(), repository: repository.into(), digest: Some(digest), tag: None }
    }

    /// What it says of the image that it leads to.
    pub(crate) fn identity(&self) -> ImageIdentity {
        let host = self.registry.split_once("://").map_or(self.registry.as_str(), |(_, host)| host);
        let host = if host == "registry-1.docker.io" { "docker.io" } else { host.trim_end_matches('/') };
        let latest = (self.digest.is_none() && self.tag.is_none()).then(|| "latest".to_owned());
        ImageIdentity {
            digests: self.digest.iter().cloned().collect(),
            repository: Some(format!("{host}/{}", self.repository)),
            tags: self.tag.iter().cloned().chain(latest).collect(),
        }
    }

    /// What a registry calls "reference": the digest, or the tag.
    pub(crate) fn version(&self) -> &str {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag,
            (None, None) => "latest",
        }
    }

    /// The registry's base address with its scheme.
    pub(crate) fn base_url(&self) -> String {
        if let Some(host) = self.registry.strip_prefix("https://") {
            return format!("https://{}", host.trim_end_matches('/'));
        }
        if let Some(host) = self.registry.strip_prefix("http://") {
            return format!("http://{}", host.trim_end_matches('/'));
        }
        let scheme = if is_loopback(&self.registry) { "http" } else { "https" };
        format!("{scheme}://{}", self.registry.trim_end_matches('/'))
    }
}

/// Whether a registry there is this machine's own: nobody listens on the way, so it needs no TLS.
fn is_loopback(registry: &str) -> bool {
    let host = match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => registry.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FromStr for ImageReference {
    type Err = MalformedReference;
    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let malformed = |why| MalformedReference { raw: raw.to_owned(), why };
        let (scheme, rest) = ["http://", "https://"]
            .iter()
            .find_map(|scheme| Some((*scheme, raw.strip_prefix(scheme)?)))
            .unwrap_or(("", raw));
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse().map_err(|_| malformed("its digest is not sha256"))?)),
            None => (rest, None),
        };
        let (rest, tag) = match rest.rsplit_once(':') {
            Some((rest, tag)) if !tag.contains('/') => (rest, Some(tag.to_owned())),
            _ => (rest, None),
        };
        // Docker's rule: the first part is a host when it looks like one; without a host it is Docker Hub's.
        let is_host = |part: &str| !scheme.is_empty() || part.contains(['.', ':']) || part == "localhost";
        let (registry, repository) = match rest.split_once('/') {
            Some((host, repository)) if is_host(host) => (format!("{scheme}{host}"), repository.to_owned()),
            Some(_) => ("registry-1.docker.io".to_owned(), rest.to_owned()),
            None => ("registry-1.docker.io".to_owned(), format!("library/{rest}")),
        };
        let registry = if registry == "docker.io" { "registry-1.docker.io".to_owned() } else { registry };
        if registry.trim_start_matches(scheme).is_empty() {
            return Err(malformed("it has no registry"));
        }
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
        let is_part = |part: &str| !part.is_empty() && part != ".." && part.bytes().all(is_plain);
        if rest.is_empty() || !repository.split('/').all(is_part) {
            return Err(malformed("its repository is not one or more lower-case names with `/` between them"));
        }
        let is_tag = |tag: &str| {
            !tag.is_empty() && tag.len() <= 128 && tag.bytes().all(|byte| is_plain(byte.to_ascii_lowercase()))
        };
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(malformed("its tag is not 1 to 128 letters, digits, `.`, `_` or `-`"));
        }
        Ok(Self { registry, repository, digest, tag })
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn references_are_read_as_container_tools_write_them() {
        let check = |raw: &str, base: &str, repository: &str, version: &str| {
            let reference: ImageReference = raw.parse().unwrap();
            assert_eq!(reference.base_url(), base, "{raw}");
            assert_eq!((reference.repository.as_str(), reference.version()), (repository, version), "{raw}");
        };
        check("debian", "https://registry-1.docker.io", "library/debian", "latest");
        check("docker.io/library/debian:12", "https://registry-1.docker.io", "library/debian", "12");
        check("bitnami/redis:7", "https://registry-1.docker.io", "bitnami/redis", "7");
        check("localhost:5000/a/b:1", "http://localhost:5000", "a/b", "1");
        check("127.0.0.1:5000/a", "http://127.0.0.1:5000", "a", "latest");
        check("[::1]:5000/a", "http://[::1]:5000", "a", "latest");
        check("http://registry:5000/a:1", "http://registry:5000", "a", "1");
        check("registry:5000/a:1", "https://registry:5000", "a", "1");
        check(&format!("ghcr.io/x/y:1@{DIGEST}"), "https://ghcr.io", "x/y", DIGEST);
    }

    #[test]
    fn an_image_is_called_as_its_reference_says() {
        let check = |raw: &str, repository: &str, tags: &[&str]| {
            let identity = raw.parse::<ImageReference>().unwrap().identity();
            assert_eq!(identity.repository.as_deref(), Some(repository), "{raw}");
            assert_eq!(identity.tags, tags, "{raw}");
        };
        check("debian", "docker.io/library/debian", &["latest"]);
        check("http://localhost:5000/a/b:1", "localhost:5000/a/b", &["1"]);
        check(&format!("ghcr.io/x/y@{DIGEST}"), "ghcr.io/x/y", &[]);
    }

    #[test]
    fn what_is_no_reference_is_refused_with_a_reason() {
        for raw in
            ["", "ghcr.io/", "ghcr.io/UPPER", "ghcr.io/a//b", "ghcr.io/../x", "a:b c", "a@sha256:12", "http:///a", "a:"]
        {
            assert!(raw.parse::<ImageReference>().is_err(), "{raw}");
        }
    }
}
