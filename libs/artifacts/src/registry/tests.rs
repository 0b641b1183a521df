use super::*;
use crate::{
    NoCache, NoProgress,
    fixtures::{Image, ROOT_PACKAGES, gzip, root, tar, told},
    read_image_manifest,
};
use serde_json::{Value, json};
use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, method, path, query_param},
};

fn provider() {
    rustls::crypto::ring::default_provider().install_default().ok();
}

fn sample() -> (Image, Value) {
    let mut image = Image::default();
    let manifest = image.manifest("amd64", &[gzip(&tar(&root()))]);
    (image, manifest)
}

fn digest_of(descriptor: &Value) -> Digest {
    descriptor["digest"].as_str().unwrap().parse().unwrap()
}

async fn read(reference: &ImageReference, credentials: Option<Credentials>) -> Result<Inventory, ArtifactError> {
    provider();
    read_image_manifest(reference, credentials, &Limits::default(), Arc::new(NoCache), Arc::new(NoProgress)).await
}

fn reference(server: &MockServer, digest: &Digest) -> ImageReference {
    ImageReference::by_digest(server.uri(), "app", digest.clone())
}

/// Serves the image's blobs and manifests, to those who have the header when one is wanted.
async fn serve(server: &MockServer, image: &Image, wanted: Option<&'static str>) {
    for (digest, bytes) in &image.blobs {
        for kind in ["manifests", "blobs"] {
            let mut mock = Mock::given(method("GET")).and(path(format!("/v2/app/{kind}/{digest}")));
            if let Some(wanted) = wanted {
                mock = mock.and(header("authorization", wanted));
            }
            mock.respond_with(ResponseTemplate::new(200).set_body_bytes(bytes.clone())).mount(server).await;
        }
    }
}

async fn challenge(server: &MockServer, value: &str) {
    let answer = ResponseTemplate::new(401).insert_header("www-authenticate", value);
    Mock::given(method("GET")).respond_with(answer).with_priority(10).mount(server).await;
}

#[test]
fn challenges_are_read_as_registries_write_them() {
    let check = |raw: &str, scheme: &str, parameters: &[(&str, &str)]| {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(Challenge::parse(raw), Some(Challenge { scheme: scheme.to_owned(), parameters }));
    };
    check(r#"Basic realm="basic-realm""#, "basic", &[("realm", "basic-realm")]);
    let docker =
        r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
    check(
        docker,
        "bearer",
        &[
            ("realm", "https://auth.docker.io/token"),
            ("service", "registry.docker.io"),
            ("scope", "repository:a/b:pull,push"),
        ],
    );
    check("Bearer realm=x, service=y", "bearer", &[("realm", "x"), ("service", "y")]);
    check("Negotiate", "negotiate", &[]);
    assert_eq!(Challenge::parse(r#"Bearer realm="x"#), None);
}

#[tokio::test]
async fn a_token_is_fetched_with_the_credentials_and_used() {
    let (image, manifest) = sample();
    let server = MockServer::start().await;
    challenge(&server, &format!(r#"Bearer realm="{}/token",service="registry""#, server.uri())).await;
    Mock::given(path("/token"))
        .and(query_param("service", "registry"))
        .and(query_param("scope", "repository:app:pull"))
        .and(header("authorization", "Basic dXNlcjpzZWNyZXQ="))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"token": "the-token"})))
        .expect(1)
        .mount(&server)
        .await;
    serve(&server, &image, Some("Bearer the-token")).await;
    let inventory = read(&reference(&server, &digest_of(&manifest)), Some(Credentials::new("user", "secret"))).await;
    assert_eq!(told(&inventory.unwrap()), ROOT_PACKAGES);
}

#[tokio::test]
async fn credentials_stay_with_the_host_that_wants_them() {
    let (image, manifest) = sample();
    let (server, store) = (MockServer::start().await, MockServer::start().await);
    challenge(&server, "Basic realm=\"r\"").await;
    let wanted = "Basic dXNlcjpzZWNyZXQ=";
    for (digest, bytes) in &image.blobs {
        Mock::given(path(format!("/v2/app/manifests/{digest}")))
            .and(header("authorization", wanted))
            .respond_with(ResponseTemplate::new(200).set_body_bytes(bytes.clone()))
            .mount(&server)
            .await;
        Mock::given(path(format!("/v2/app/blobs/{digest}")))
            .and(header("authorization", wanted))
            .respond_with(
                ResponseTemplate::new(307).insert_header("location", format!("{}/{digest}?signature=x", store.uri())),
            )
            .mount(&server)
            .await;
        Mock::given(path(format!("/{digest}")))
            .respond_with(ResponseTemplate::new(200).set_body_bytes(bytes.clone()))
            .mount(&store)
            .await;
    }
    let reference = reference(&server, &digest_of(&manifest));
    let inventory = read(&reference, Some(Credentials::new("user", "secret"))).await.unwrap();
    assert_eq!(told(&inventory), ROOT_PACKAGES);
    let asked = store.received_requests().await.unwrap();
    assert!(!asked.is_empty() && asked.iter().all(|request: &Request| !request.headers.contains_key("authorization")));
    let denied = read(&reference, None).await.unwrap_err().to_string();
    assert!(denied.ends_with(": it wants credentials, and none are given"), "{denied}");
}

#[tokio::test]
async fn a_busy_registry_is_asked_again_and_a_broken_one_is_named() {
    let (image, manifest) = sample();
    let server = MockServer::start().await;
    for status in [429, 503] {
        let busy = ResponseTemplate::new(status).insert_header("retry-after", "0");
        Mock::given(method("GET")).respond_with(busy).up_to_n_times(1).with_priority(1).mount(&server).await;
    }
    serve(&server, &image, None).await;
    let digest = digest_of(&manifest);
    assert_eq!(told(&read(&reference(&server, &digest), None).await.unwrap()), ROOT_PACKAGES);

    let broken = MockServer::start().await;
    let answer = ResponseTemplate::new(500).insert_header("retry-after", "0").set_body_string("out of\ndisk");
    Mock::given(method("GET")).respond_with(answer).expect(u64::from(ATTEMPTS)).mount(&broken).await;
    let error = read(&reference(&broken, &digest), None).await.unwrap_err().to_string();
    assert_eq!(error, format!("registry answers 500 to `{}/v2/app/manifests/{digest}`: out of disk", broken.uri()));
}

#[tokio::test]
async fn what_is_not_what_its_digest_says_is_refused() {
    let (image, manifest) = sample();
    let digest = digest_of(&manifest);
    for (index, _) in image.blobs.iter().enumerate().filter(|(_, (own, _))| *own == digest) {
        let mut image = Image { blobs: image.blobs.clone() };
        image.blobs[index].1.push(b' ');
        let server = MockServer::start().await;
        serve(&server, &image, None).await;
        let error = read(&reference(&server, &digest), None).await.unwrap_err();
        assert!(matches!(error, ArtifactError::DigestMismatch { .. }), "{error}");
    }
    let server = MockServer::start().await;
    let missing = read(&reference(&server, &digest), None).await.unwrap_err().to_string();
    assert_eq!(missing, format!("no image `{digest}` in `{}/app`", server.uri()));
    let huge = ResponseTemplate::new(200).set_body_bytes(vec![b' '; 5 << 20]);
    Mock::given(method("GET")).respond_with(huge).mount(&server).await;
    let error = read(&reference(&server, &digest), None).await.unwrap_err();
    assert!(matches!(error, ArtifactError::TooLarge { max: 4_194_304, .. }), "{error}");
}

#[tokio::test]
async fn nobody_is_redirected_without_end_or_to_less_safety() {
    let (_, manifest) = sample();
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(302).insert_header("location", "/again");
    Mock::given(method("GET")).respond_with(answer).mount(&server).await;
    let error = read(&reference(&server, &digest_of(&manifest)), None).await.unwrap_err().to_string();
    assert!(error.ends_with("more than 5 times"), "{error}");
    let url = |text: &str| Url::parse(text).unwrap();
    assert!(is_as_safe(&url("http://a"), &url("https://b")) && is_as_safe(&url("http://a"), &url("http://b")));
    assert!(!is_as_safe(&url("https://a"), &url("http://b")) && !is_as_safe(&url("http://a"), &url("file:///b")));
}

/// Debian's registry on a free port, ended with the test.
struct RealRegistry {
    process: Child,
    address: String,
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl RealRegistry {
    /// `None`: this machine has none.
    fn start(folder: &Path) -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: \"{address}\"}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n",
            folder.join("registry").display()
        );
        std::fs::write(folder.join("config.yml"), config).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(folder.join("config.yml")).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(process) = command.spawn() else {
            println!("skipped: this machine has no docker-registry");
            return None;
        };
        let registry = Self { process, address };
        for _ in 0..200 {
            if TcpStream::connect(&registry.address).is_ok() {
                return Some(registry);
            }
            std::thread::sleep(Duration::from_millis(50)); // it has no way of telling that it is ready
        }
        panic!("docker-registry does not listen on {}", registry.address);
    }

    async fn push(&self, image: &Image, manifests: &[&Value], tag: &str) {
        let client = Client::new();
        let base = format!("http://{}/v2/app", self.address);
        for (digest, bytes) in &image.blobs {
            let begun = client.post(format!("{base}/blobs/uploads/")).send().await.unwrap();
            let location = begun.headers()[LOCATION].to_str().unwrap();
            let mut url = begun.url().join(location).unwrap();
            url.query_pairs_mut().append_pair("digest", digest.as_str());
            let done = client.put(url).body(bytes.clone()).send().await.unwrap();
            assert_eq!(done.status(), StatusCode::CREATED);
        }
        for (number, descriptor) in manifests.iter().enumerate() {
            let digest = digest_of(descriptor);
            let bytes = image.blobs.iter().find(|(own, _)| *own == digest).unwrap().1.clone();
            let version = if number + 1 == manifests.len() { tag } else { digest.as_str() };
            let request = client.put(format!("{base}/manifests/{version}"));
            let request = request.header("content-type", descriptor["mediaType"].as_str().unwrap());
            assert_eq!(request.body(bytes).send().await.unwrap().status(), StatusCode::CREATED);
        }
    }
}

#[tokio::test]
async fn a_real_registry_gives_every_platform_of_an_index() {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let Some(registry) = RealRegistry::start(folder.path()) else { return };
    let mut image = Image::default();
    let amd64 = image.manifest("amd64", &[gzip(&tar(&root()))]);
    let arm64 = image.manifest("arm64", &[gzip(&tar(&root()[..6]))]);
    let index = image.index(&[("amd64", amd64.clone()), ("arm64", arm64.clone())]);
    registry.push(&image, &[&amd64, &arm64, &index], "v1").await;

    let target = format!("image:{}/app:v1", registry.address).parse().unwrap();
    let reads = crate::read(&target, &ReadOptions::default()).await.unwrap();
    let platforms: Vec<_> = reads.iter().map(|read| read.platform.as_deref().unwrap()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    assert_eq!(told(&reads[0].inventory), ROOT_PACKAGES);

    let registry = format!("http://{}", registry.address);
    let one = read(&ImageReference::by_digest(registry.as_str(), "app", digest_of(&amd64)), None).await.unwrap();
    assert_eq!(one.packages, reads[0].inventory.packages);
    // the index that led there is a name of the image, too
    let (by_digest, by_tag) = (one.image.unwrap(), reads[0].inventory.image.clone().unwrap());
    assert_eq!((by_digest.digests, by_digest.tags), (vec![digest_of(&amd64)], Vec::new()));
    let mut digests = vec![digest_of(&amd64), digest_of(&index)];
    digests.sort();
    assert_eq!((by_tag.digests, by_tag.tags), (digests, vec!["v1".to_owned()]));
    assert_eq!(by_digest.repository, by_tag.repository);
    let error = read(&ImageReference::by_digest(registry, "app", digest_of(&index)), None).await.unwrap_err();
    assert!(matches!(error, ArtifactError::UnsupportedMediaType { .. }), "{error}");
}
