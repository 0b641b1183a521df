use super::*;
use crate::ssm;
use muster_domain::{
    Digest, Ecosystem, Gap, ImageIdentity, Inventory, OperatingSystem, Package, PackageManager, Skipped, SourcePackage,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn sample() -> Inventory {
    let os = OperatingSystem {
        id: "debian".to_owned(),
        version: "12".to_owned(),
        pretty_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        codename: Some("bookworm".to_owned()),
    };
    let deb = Package {
        ecosystem: Some(Ecosystem::debian("12")),
        name: "libssl3".to_owned(),
        version: "3.0.11-1~deb12u2".to_owned(),
        purl: "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12".to_owned(),
        manager: PackageManager::Os,
        source: Some(SourcePackage { name: "openssl".to_owned(), version: "3.0.11-1~deb12u2".to_owned() }),
        architecture: Some("amd64".to_owned()),
        paths: vec!["var/lib/dpkg/status".to_owned()],
        layer: Some(Digest::of(b"layer")),
        module: None,
        lambda_layer: None,
        owned_by: None,
    };
    let node = |manager, paths: &[&str]| Package {
        ecosystem: Ecosystem::of_purl_type("npm"),
        name: "@babel/core".to_owned(),
        version: "7.0.0".to_owned(),
        purl: "pkg:npm/%40babel/core@7.0.0".to_owned(),
        manager,
        source: None,
        architecture: None,
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        layer: None,
        module: None,
        lambda_layer: Some("arn:aws:lambda:eu-central-1:123456789012:layer:deps:1".to_owned()),
        owned_by: Some("node-babel".to_owned()),
    };
    let packages = vec![
        deb,
        node(
            PackageManager::NodePkg,
            &["a/node_modules/@babel/core/package.json", "b/node_modules/@babel/core/package.json"],
        ),
        node(PackageManager::Npm, &["package-lock.json"]),
    ];
    let skipped = vec![Skipped { place: "x: \"y\"".to_owned(), reason: "no version".to_owned() }];
    let gap = Gap { ecosystem: "Debian:12".to_owned(), reason: "nothing reads \"x\"".to_owned(), packages: 0 };
    let image = ImageIdentity { repository: Some("ghcr.io/x/y".to_owned()), ..ImageIdentity::default() };
    let inventory = Inventory::new(Some(os), packages, skipped, vec!["more than 5 layers".to_owned()]);
    Inventory { gaps: vec![gap], image: Some(image), ..inventory }
}

fn check(document: Value, packages: &[&str], skipped: &[&str]) {
    let inventory = read(document.to_string().as_bytes()).unwrap();
    let told: Vec<String> = inventory
        .packages
        .iter()
        .map(|package| {
            let ecosystem = package.ecosystem.as_ref().map_or("-", |ecosystem| ecosystem.as_str());
            let source = package.source.as_ref().map(|source| format!(" {} {}", source.name, source.version));
            format!("{ecosystem} {} {}{}", package.name, package.version, source.unwrap_or_default())
        })
        .collect();
    assert_eq!(told, packages);
    let told: Vec<String> =
        inventory.skipped.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason)).collect();
    assert_eq!(told, skipped);
}

fn document(components: Value) -> Value {
    json!({"bomFormat": "CycloneDX", "specVersion": "1.4", "components": components})
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let inventory = sample();
    let written = write(&inventory, "image:x");
    assert_eq!(read(written.to_string().as_bytes()).unwrap(), inventory);
    assert_eq!(written, write(&inventory, "image:x"));
    let platform = ssm::operating_system("Ubuntu 22.04");
    let other = Inventory::new(platform, Vec::new(), Vec::new(), Vec::new());
    assert_eq!(read(write(&other, "x").to_string().as_bytes()).unwrap(), other);
}

#[test]
fn references_are_unique_when_a_package_url_stands_twice() {
    let written = write(&sample(), "x");
    let references: Vec<&str> = written["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|component| component["bom-ref"].as_str().unwrap())
        .collect();
    assert_eq!(references[2..], ["pkg:npm/%40babel/core@7.0.0", "pkg:npm/%40babel/core@7.0.0#2"]);
}

#[test]
fn package_urls_tell_the_ecosystem() {
    check(
        document(json!([
            {"type": "library", "name": "x", "purl": "pkg:pypi/Django@4.2"},
            {"type": "library", "name": "x", "purl": "pkg:golang/golang.org/x/net@v0.1.0"},
            // names that the canonical form writes small, though small they are other packages
            {"type": "library", "name": "x", "purl": "pkg:golang/github.com/Masterminds/semver@v1.5.0"},
            {"type": "library", "name": "x", "purl": "pkg:npm/JSONStream@1"},
            {"type": "library", "name": "x", "purl": "pkg:cargo/time@0.1.0"},
            {"type": "library", "name": "x", "purl": "pkg:maven/org.a/b@1"},
            {"type": "library", "name": "x", "version": "2", "purl": "pkg:npm/a"},
            {"type": "library", "name": "x", "purl": "pkg:deb/ubuntu/curl@7?distro=ubuntu-22.04"},
            {"type": "application", "name": "outer", "purl": "pkg:npm/outer@1", "components": [
                {"type": "library", "name": "x", "purl": "pkg:npm/%40s/inner@1"},
            ]},
            {"type": "file", "name": "/etc/passwd"},
        ])),
        &[
            "Go github.com/Masterminds/semver v1.5.0",
            "Go golang.org/x/net v0.1.0",
            "Maven org.a:b 1",
            "PyPI django 4.2",
            "Ubuntu:22.04 curl 7",
            "crates.io time 0.1.0",
            "npm @s/inner 1",
            "npm JSONStream 1",
            "npm a 2",
            "npm outer 1",
        ],
        &[],
    );
}

#[test]
fn debians_release_comes_from_the_package_url_or_the_system() {
    let deb =
        |qualifiers: &str| json!({"type": "library", "name": "x", "purl": format!("pkg:deb/debian/a@1{qualifiers}")});
    let system = json!({"type": "operating-system", "name": "debian", "version": "12.5"});
    check(document(json!([deb("?distro=debian-11"), system])), &["Debian:11 a 1"], &[]);
    check(document(json!([deb("?distro=bookworm")])), &["Debian:12 a 1"], &[]);
    check(document(json!([deb(""), system])), &["Debian:12 a 1"], &[]);
    check(document(json!([deb("")])), &["- a 1"], &[]);
    check(document(json!([deb("?distro=sid")])), &["- a 1"], &[]);
}

#[test]
fn an_os_package_is_of_the_distribution_that_its_package_url_names() {
    let row = |purl: &str| json!({"type": "library", "name": "x", "purl": purl});
    let system = |id: &str, version: &str| json!({"type": "operating-system", "name": id, "version": version});
    let only = |purl: &str, expected: &str| check(document(json!([row(purl)])), &[expected], &[]);
    only("pkg:apk/alpine/musl@1.2-r0?distro=alpine-3.18.4", "Alpine:v3.18 musl 1.2-r0");
    only("pkg:rpm/redhat/bash@5.1-6.el9?distro=rhel-9.2", "Red Hat:9 bash 5.1-6.el9");
    only("pkg:rpm/amzn/bash@5.2-1?distro=amzn-2023", "Amazon Linux:2023 bash 5.2-1");
    let bind = "pkg:rpm/redhat/bind@9.16-1.el9?distro=rhel-9.2&epoch=32&upstream=bind-9.16-1.el9.src.rpm";
    only(bind, "Red Hat:9 bind 32:9.16-1.el9 bind 32:9.16-1.el9");
    only("pkg:rpm/opensuse/bash@5.2-1?distro=opensuse-leap-15.5", "openSUSE:15.5 bash 5.2-1");
    only("pkg:apk/alpine/musl@1.2-r0?distro=debian-12", "- musl 1.2-r0"); // contradicts itself
    only("pkg:apk/alpine/musl@1.2-r0", "- musl 1.2-r0");
    let of_system = |purl: &str, id: &str, version: &str, expected: &str| {
        check(document(json!([row(purl), system(id, version)])), &[expected], &[]);
    };
    of_system("pkg:apk/alpine/musl@1.2-r0", "alpine", "3.18.4", "Alpine:v3.18 musl 1.2-r0");
    of_system("pkg:rpm/redhat/bash@5.1-6.el9", "rhel", "9.2", "Red Hat:9 bash 5.1-6.el9");
    of_system("pkg:deb/raspbian/bash@5", "debian", "12", "- bash 5"); // another distribution's builds
}

#[test]
fn source_packages_of_other_tools_are_understood() {
    let properties = |pairs: &[(&str, &str)]| -> Value {
        pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    };
    let check = |component: Value, expected: &str| check(document(json!([component])), &[expected], &[]);
    let deb = "pkg:deb/debian/libc6@2.36-9?distro=debian-12";
    check(json!({"type": "library", "purl": format!("{deb}&upstream=glibc")}), "Debian:12 libc6 2.36-9 glibc 2.36-9");
    check(
        json!({"type": "library", "purl": format!("{deb}&upstream=glibc%402.36")}),
        "Debian:12 libc6 2.36-9 glibc 2.36",
    );
    let trivy = properties(&[
        ("aquasecurity:trivy:SrcName", "glibc"),
        ("aquasecurity:trivy:SrcVersion", "2.36"),
        ("aquasecurity:trivy:SrcRelease", "9"),
        ("aquasecurity:trivy:SrcEpoch", "1"),
    ]);
    check(json!({"type": "library", "purl": deb, "properties": trivy}), "Debian:12 libc6 2.36-9 glibc 1:2.36-9");
    let syft = properties(&[("syft:metadata:source", "glibc")]);
    check(json!({"type": "library", "purl": deb, "properties": syft}), "Debian:12 libc6 2.36-9 glibc 2.36-9");
}

#[test]
fn a_bad_component_is_told_and_the_others_are_read() {
    check(
        document(json!([
            {"type": "library", "name": "a", "version": "1"},
            {"type": "library", "name": "b", "bom-ref": "r", "purl": "nonsense"},
            {"type": "library", "name": "c", "purl": "pkg:npm/c"},
            {"type": "library", "name": "d", "purl": "pkg:npm/d@1"},
        ])),
        &["npm d 1"],
        &[
            "component `a 1`: no package URL",
            "component `c `: no version",
            "component `r`: `nonsense` is no package URL: a package URL begins with `pkg:`",
        ],
    );
}

#[test]
fn what_is_no_cyclonedx_is_refused_with_a_reason() {
    let check = |text: &str, expected: &str| assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), expected);
    check("", "not a CycloneDX JSON document");
    check("{}", "not a CycloneDX JSON document: `bomFormat` is not `CycloneDX`");
    check(r#"{"spdxVersion":"SPDX-2.3"}"#, "not a CycloneDX JSON document: `bomFormat` is not `CycloneDX`");
    check(r#"{"bomFormat":"CycloneDX","specVersion":"9.9"}"#, "CycloneDX version `9.9` is none of 1.2 to 1.6");
    check(&"{\"components\":[".repeat(10_000), "not a CycloneDX JSON document");
}

#[test]
fn components_deep_inside_others_are_left_out_and_told() {
    let mut component = json!({"type": "library", "name": "x", "purl": "pkg:npm/x@1"});
    for _ in 0..DEPTH_MAX {
        component = json!({"type": "library", "name": "y", "purl": "pkg:npm/y@1", "components": [component]});
    }
    let inventory = read(document(json!([component])).to_string().as_bytes()).unwrap();
    assert_eq!(inventory.limits_reached, [format!("components inside more than {DEPTH_MAX} others were left out")]);
    assert_eq!(inventory.packages.len(), 1);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_package_url_is_read_without_a_panic(purl in "(pkg:(deb|npm|pypi|maven)/)?[ -~é]{0,40}") {
        let _ = read(document(json!([{"type": "library", "name": "x", "purl": purl}])).to_string().as_bytes());
    }
}
