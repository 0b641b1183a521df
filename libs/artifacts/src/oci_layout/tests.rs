use super::*;
use crate::{
    Target,
    fixtures::{
        Image, Node, ROOT_PACKAGES, borrowed, file, gzip, root, tar, told, without_layers, write_folder, zip, zstd,
    },
};
use muster_domain::Inventory;
use serde_json::json;
use std::fs;

async fn read_target(target: &str) -> Result<Vec<Read>, ArtifactError> {
    crate::read(&target.parse::<Target>().unwrap(), &ReadOptions::default()).await
}

async fn inventory_of(target: &str) -> Inventory {
    let mut reads = read_target(target).await.unwrap();
    assert_eq!(reads.len(), 1, "{target}");
    without_layers(reads.remove(0).inventory)
}

/// The root in three layers: what an upper layer removes or replaces is in none of them in the end.
fn layers() -> Vec<Vec<u8>> {
    let root = root();
    let (lower, upper) = root.split_at(6);
    let mut lower = lower.to_vec();
    lower.push(("srv/old/node_modules/gone/package.json", file(r#"{"name":"gone","version":"1.0.0"}"#)));
    lower.push(("srv/app/node_modules/lodash/package.json", file(r#"{"name":"lodash","version":"1.0.0"}"#)));
    vec![gzip(&tar(&lower)), zstd(&tar(upper)), tar(&[("srv/.wh.old", file(""))])]
}

#[tokio::test]
async fn the_same_root_gives_the_same_packages_whatever_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    write_folder(&folder.path().join("root"), &root());
    let expected = inventory_of(&format!("dir:{}", at("root"))).await;
    assert_eq!(told(&expected), ROOT_PACKAGES);
    assert_eq!(expected.skipped.len(), 1, "{:?}", expected.skipped);

    fs::write(at("root.zip"), zip(&root())).unwrap();
    assert_eq!(inventory_of(&format!("zip:{}", at("root.zip"))).await, expected);

    let mut image = Image::default();
    let manifest = image.manifest("amd64", &layers());
    let files = image.layout(&[("v1", &manifest)]);
    write_folder(&folder.path().join("layout"), &borrowed(&files));
    fs::write(at("layout.tar"), tar(&borrowed(&files))).unwrap();
    assert_eq!(inventory_of(&format!("oci:{}", at("layout"))).await, expected);
    assert_eq!(inventory_of(&format!("oci:{}:v1", at("layout"))).await, expected);
    assert_eq!(inventory_of(&format!("oci:{}", at("layout.tar"))).await, expected);
    let named = read_target(&format!("oci:{}", at("layout"))).await.unwrap().remove(0).inventory.image.unwrap();
    assert_eq!((named.repository, named.tags), (None, vec!["v1".to_owned()]));
    assert_eq!(named.digests.len(), 2); // the manifest and the index that led there

    let plain: Vec<Vec<u8>> = vec![tar(&root()), tar(&[("x", file("y"))])];
    let diff_ids: Vec<Digest> = plain.iter().map(|layer| Digest::of(layer)).collect();
    let config = json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let manifest = json!([{"Config": "c.json", "RepoTags": ["app:v1"], "Layers": ["1/layer.tar", "2/layer.tar"]}]);
    let mut docker = vec![
        ("c.json", file(&config.to_string())),
        ("manifest.json", file(&manifest.to_string())),
        ("store/1", Node::File(plain[0].clone())),
        ("1/layer.tar", Node::Symlink("../store/1".to_owned())), // as docker writes a layer that it has written before
        ("2/layer.tar", Node::File(plain[1].clone())),
    ];
    fs::write(at("docker.tar"), tar(&docker)).unwrap();
    assert_eq!(inventory_of(&format!("oci:{}", at("docker.tar"))).await, expected);
    assert_eq!(inventory_of(&format!("oci:{}:v1", at("docker.tar"))).await, expected);
    let named = read_target(&format!("oci:{}", at("docker.tar"))).await.unwrap().remove(0).inventory.image.unwrap();
    assert_eq!((named.repository.as_deref(), named.tags), (Some("docker.io/library/app"), vec!["v1".to_owned()]));
    docker[4].1 = file("other");
    fs::write(at("docker.tar"), tar(&docker)).unwrap();
    assert!(matches!(
        read_target(&format!("oci:{}", at("docker.tar"))).await,
        Err(ArtifactError::DigestMismatch { .. })
    ));

    let sbom = muster_packages::cyclonedx::write(&expected, "root");
    fs::write(at("sbom.json"), sbom.to_string()).unwrap();
    assert_eq!(inventory_of(&format!("sbom:{}", at("sbom.json"))).await, expected);
}

#[tokio::test]
async fn packages_name_the_layer_that_brought_them() {
    let folder = tempfile::tempdir().unwrap();
    let layers = layers();
    let mut image = Image::default();
    let manifest = image.manifest("amd64", &layers);
    write_folder(folder.path(), &borrowed(&image.layout(&[("v1", &manifest)])));
    let read = read_target(&format!("oci:{}", folder.path().display())).await.unwrap().remove(0);
    assert_eq!(read.platform.as_deref(), Some("linux/amd64"));
    let layer = |name: &str| {
        let package = read.inventory.packages.iter().find(|package| package.name == name).unwrap();
        layers.iter().position(|layer| package.layer == Some(Digest::of(layer)))
    };
    assert_eq!((layer("libssl3"), layer("six"), layer("lodash")), (Some(0), Some(0), Some(1)));
}

#[tokio::test]
async fn an_index_gives_every_platform() {
    let folder = tempfile::tempdir().unwrap();
    let mut image = Image::default();
    let amd64 = image.manifest("amd64", &layers());
    let arm64 = image.manifest("arm64", &[tar(&root())]);
    let provenance = image.manifest("unknown", &[gzip(b"{}")]);
    let index = image.index(&[("amd64", amd64.clone()), ("arm64", arm64), ("unknown", provenance)]);
    write_folder(folder.path(), &borrowed(&image.layout(&[("v1", &index), ("only", &amd64)])));
    let target = format!("oci:{}:v1", folder.path().display());
    let reads = read_target(&target).await.unwrap();
    let names: Vec<&str> = reads.iter().map(|read| read.name.as_str()).collect();
    assert_eq!(names, [format!("{target} (linux/amd64)"), format!("{target} (linux/arm64)")]);
    let platforms: Vec<_> = reads.iter().map(|read| read.platform.as_deref().unwrap()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    assert_eq!(read_target(&format!("oci:{}:only", folder.path().display())).await.unwrap().len(), 1);
    assert_eq!(read_target(&format!("oci:{}", folder.path().display())).await.unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_no_image_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let error = async |name: &str| {
        read_target(&format!("oci:{}", at(name).display()))
            .await
            .unwrap_err()
            .to_string()
            .replace(&at("").display().to_string(), "")
    };
    fs::create_dir(at("empty")).unwrap();
    assert_eq!(
        error("empty").await,
        "`empty` is no OCI layout and no docker archive: it has neither an `index.json` nor a `manifest.json`"
    );
    fs::write(at("compressed"), gzip(&tar(&[]))).unwrap();
    assert_eq!(
        error("compressed").await,
        "`compressed` is no OCI layout and no docker archive: it is compressed as a whole; decompress it first"
    );
    assert_eq!(error("missing").await, "read `missing`");

    let mut image = Image::default();
    let manifest = image.manifest("amd64", &[tar(&root())]);
    write_folder(&at("layout"), &borrowed(&image.layout(&[("v1", &manifest)])));
    assert_eq!(error("layout:v2").await, "no image `v2` in `layout`");
    let chart = image.json("application/vnd.oci.image.manifest.v1+json", &json!({
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": Digest::of(b"x"), "size": 1}, "layers": [],
    }));
    write_folder(&at("chart"), &borrowed(&image.layout(&[("v1", &chart)])));
    assert!(
        error("chart").await.ends_with("has the unsupported media type `application/vnd.cncf.helm.config.v1+json`")
    );
    fs::write(at("layout/index.json"), "{}").unwrap();
    assert_eq!(
        error("layout").await,
        format!("manifest `{}` is malformed: neither `manifests` nor `config` and `layers`", Digest::of(b"{}"))
    );
}

#[tokio::test]
async fn a_layer_is_read_once_and_then_comes_from_the_cache() {
    #[derive(Default)]
    struct Memory(std::sync::Mutex<BTreeMap<Digest, LayerFacts>>, std::sync::atomic::AtomicUsize);
    #[async_trait]
    impl crate::LayerCache for Memory {
        async fn get(&self, layer: &Digest) -> Option<LayerFacts> {
            let found = self.0.lock().unwrap().get(layer).cloned();
            self.1.fetch_add(usize::from(found.is_some()), std::sync::atomic::Ordering::Relaxed);
            found
        }
        async fn put(&self, layer: &Digest, facts: &LayerFacts) {
            self.0.lock().unwrap().insert(layer.clone(), facts.clone());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut image = Image::default();
    let manifest = image.manifest("amd64", &layers());
    write_folder(folder.path(), &borrowed(&image.layout(&[("v1", &manifest)])));
    let cache = Arc::new(Memory::default());
    let options = ReadOptions { cache: cache.clone(), ..ReadOptions::default() };
    let target = Target::OciLayout(folder.path().to_owned(), None);
    let first = crate::read(&target, &options).await.unwrap().remove(0);
    let second = crate::read(&target, &options).await.unwrap().remove(0);
    assert_eq!(first.inventory, second.inventory);
    assert_eq!(cache.1.load(std::sync::atomic::Ordering::Relaxed), 3);
}
