//! Roots for the tests, and whatever can hold them.

use muster_domain::{Digest, Inventory, Package};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};

/// What stands at a path.
#[derive(Clone)]
pub enum Node {
    File(Vec<u8>),
    Symlink(String),
    HardLink(String),
    Folder,
}

pub fn file(text: &str) -> Node {
    Node::File(text.as_bytes().to_vec())
}

pub fn stanza(name: &str, version: &str) -> String {
    format!(
        "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nSource: src-{name}\nVersion: {version}\n\n"
    )
}

/// A small Debian with a Python package of its own, one of pip's, and an application with Node packages.
pub fn root() -> Vec<(&'static str, Node)> {
    vec![
        ("usr/lib/os-release", file("ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")),
        ("etc/os-release", Node::Symlink("../usr/lib/os-release".to_owned())),
        ("etc/passwd", file("root:x:0:0:root:/root:/bin/bash\n")),
        ("var/lib/dpkg/status", file(&(stanza("libssl3", "3.0.11-1~deb12u2") + &stanza("python3-six", "1.16.0-4")))),
        (
            "var/lib/dpkg/info/python3-six.list",
            file("/.\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO\n"),
        ),
        ("usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO", file("Name: six\nVersion: 1.16.0\n")),
        (
            "usr/local/lib/python3.11/site-packages/Jinja2-2.11.2.dist-info/METADATA",
            file("Name: Jinja2\nVersion: 2.11.2\n\nbody"),
        ),
        (
            "srv/app/package-lock.json",
            file(r#"{"lockfileVersion":3,"packages":{"node_modules/lodash":{"version":"4.17.20"}}}"#),
        ),
        ("srv/app/node_modules/lodash/package.json", file(r#"{"name":"lodash","version":"4.17.20"}"#)),
        ("srv/app/node_modules/@babel/core/package.json", file(r#"{"name":"@babel/core","version":"7.0.0"}"#)),
        ("srv/app/node_modules/broken/package.json", file("{")),
        ("srv/app/index.js", file("console.log(1)\n")),
        ("srv/app/app.jar", Node::File(zip(&[("BOOT-INF/lib/log4j-core-2.14.1.jar", Node::File(log4j()))]))),
    ]
}

/// A library as Maven builds it.
fn log4j() -> Vec<u8> {
    let properties = file("groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion=2.14.1\n");
    let folder = "META-INF/maven/org.apache.logging.log4j/log4j-core";
    zip(&[("META-INF/MANIFEST.MF", file("Manifest-Version: 1.0\n")), (&format!("{folder}/pom.properties"), properties)])
}

/// `name version manager owner` of each package of [`root`], whatever held it.
pub const ROOT_PACKAGES: [&str; 8] = [
    "libssl3 3.0.11-1~deb12u2 OS -",
    "python3-six 1.16.0-4 OS -",
    "org.apache.logging.log4j:log4j-core 2.14.1 JAR -",
    "Jinja2 2.11.2 PYTHONPKG -",
    "six 1.16.0 PYTHONPKG python3-six",
    "@babel/core 7.0.0 NODEPKG -",
    "lodash 4.17.20 NODEPKG -",
    "lodash 4.17.20 NPM -",
];

pub fn told(inventory: &Inventory) -> Vec<String> {
    let told = |package: &Package| {
        let owner = package.owned_by.as_deref().unwrap_or("-");
        format!("{} {} {} {owner}", package.name, package.version, package.manager.as_str())
    };
    inventory.packages.iter().map(told).collect()
}

/// The inventory without what only images have.
pub fn without_layers(mut inventory: Inventory) -> Inventory {
    inventory.packages.iter_mut().for_each(|package| package.layer = None);
    Inventory { image: None, ..inventory }
}

pub fn write_folder(folder: &Path, nodes: &[(&str, Node)]) {
    for (path, node) in nodes {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match node {
            Node::File(bytes) => fs::write(path, bytes).unwrap(),
            Node::Symlink(target) => std::os::unix::fs::symlink(target, path).unwrap(),
            Node::HardLink(target) => fs::hard_link(folder.join(target), path).unwrap(),
            Node::Folder => fs::create_dir_all(path).unwrap(),
        }
    }
}

/// Names are written as they are, long ones in GNU's way, without a check: hostile ones too.
pub fn tar(nodes: &[(&str, Node)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (path, node) in nodes {
        let (kind, content, link): (u8, &[u8], &str) = match node {
            Node::File(content) => (b'0', content, ""),
            Node::Symlink(target) => (b'2', b"", target),
            Node::HardLink(target) => (b'1', b"", target),
            Node::Folder => (b'5', b"", ""),
        };
        if path.len() > 100 {
            bytes.extend(tar_entry("././@LongLink", b'L', "", format!("{path}\0").as_bytes()));
        }
        bytes.extend(tar_entry(path, kind, link, content));
    }
    bytes.extend([0; 1024]);
    bytes
}

/// Header and content of one entry.
pub fn tar_entry(path: &str, kind: u8, link: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = tar_header(path, kind, link, content.len() as u64).as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

pub fn tar_header(path: &str, kind: u8, link: &str, size: u64) -> ::tar::Header {
    let mut header = ::tar::Header::new_gnu();
    let gnu = header.as_gnu_mut().unwrap();
    for (field, text) in [(&mut gnu.name, path), (&mut gnu.linkname, link)] {
        let length = text.len().min(field.len());
        field[..length].copy_from_slice(&text.as_bytes()[..length]);
    }
    gnu.typeflag = [kind];
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::stream::encode_all(bytes, 1).unwrap()
}

pub fn zip(nodes: &[(&str, Node)]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = ::zip::write::SimpleFileOptions::default();
    for (path, node) in nodes {
        match node {
            Node::File(bytes) => {
                writer.start_file(*path, options).unwrap();
                writer.write_all(bytes).unwrap();
            }
            Node::Symlink(target) => writer.add_symlink(*path, target, options).unwrap(),
            Node::Folder => writer.add_directory(*path, options).unwrap(),
            Node::HardLink(_) => panic!("zips have no hard links"),
        }
    }
    writer.finish().unwrap().into_inner()
}

/// An image of these layers, as stored, in the making: blobs by digest, and the descriptor of its manifest.
#[derive(Default)]
pub struct Image {
    pub blobs: Vec<(Digest, Vec<u8>)>,
}

impl Image {
    pub fn blob(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.blobs.push((digest.clone(), bytes));
        digest
    }

    fn descriptor(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let size = bytes.len();
        json!({"mediaType": media_type, "digest": self.blob(bytes), "size": size})
    }

    pub fn json(&mut self, media_type: &str, value: &Value) -> Value {
        self.descriptor(media_type, value.to_string().into_bytes())
    }

    /// A manifest, with its configuration.
    pub fn manifest(&mut self, architecture: &str, layers: &[Vec<u8>]) -> Value {
        let config = json!({"os": "linux", "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": []}});
        let config = self.json("application/vnd.oci.image.config.v1+json", &config);
        let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
        let layers: Vec<Value> = layers.iter().map(|layer| self.descriptor(media_type, layer.clone())).collect();
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers});
        self.json(media_type, &manifest)
    }

    /// An index of manifests, each with its platform.
    pub fn index(&mut self, manifests: &[(&str, Value)]) -> Value {
        let manifests: Vec<Value> = manifests
            .iter()
            .map(|(architecture, manifest)| {
                let mut manifest = manifest.clone();
                let os = if *architecture == "unknown" { "unknown" } else { "linux" };
                manifest["platform"] = json!({"os": os, "architecture": architecture});
                manifest
            })
            .collect();
        let media_type = "application/vnd.oci.image.index.v1+json";
        let index = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests});
        self.json(media_type, &index)
    }

    /// The files of a layout in which `entries` have tags.
    pub fn layout(&self, entries: &[(&str, &Value)]) -> Vec<(String, Node)> {
        let entries: Vec<Value> = entries
            .iter()
            .map(|(tag, descriptor)| {
                let mut descriptor = (*descriptor).clone();
                descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
                descriptor
            })
            .collect();
        let index = json!({"schemaVersion": 2, "manifests": entries});
        let mut files = vec![
            ("oci-layout".to_owned(), file(r#"{"imageLayoutVersion":"1.0.0"}"#)),
            ("index.json".to_owned(), file(&index.to_string())),
        ];
        for (digest, bytes) in &self.blobs {
            files.push((format!("blobs/sha256/{}", digest.hex()), Node::File(bytes.clone())));
        }
        files
    }
}

pub fn borrowed(files: &[(String, Node)]) -> Vec<(&str, Node)> {
    files.iter().map(|(path, node)| (path.as_str(), node.clone())).collect()
}
