use super::*;
use crate::{Collector, Limits};

const STATUS: &str = "var/lib/dpkg/status";

/// What an image builder does in one layer.
enum Step<'a> {
    File(&'a str, &'a str),
    Link(&'a str, &'a str),
    HardLink(&'a str, &'a str),
    Present(&'a str),
    Whiteout(&'a str),
    Opaque(&'a str),
}
use Step::{File, HardLink, Link, Opaque, Present, Whiteout};

fn layer(steps: &[Step<'_>]) -> LayerFacts {
    let mut collector = Collector::new(Limits::default());
    for step in steps {
        match step {
            File(path, text) => collector.file(path, text.len() as u64, text.as_bytes()),
            Link(path, target) => collector.link(path, target),
            HardLink(path, target) => collector.hard_link(path, target),
            Present(path) => collector.present(path),
            Whiteout(path) => collector.whiteout(path),
            Opaque(path) => collector.opaque(path),
        }
    }
    let facts = collector.finish();
    let json = serde_json::to_string(&facts).unwrap();
    let read: LayerFacts = serde_json::from_str(&json).unwrap();
    assert_eq!((&read, serde_json::to_string(&read).unwrap()), (&facts, json), "facts survive the cache");
    facts
}

fn digest(number: usize) -> Digest {
    Digest::of(number.to_string().as_bytes())
}

fn image(layers: &[&[Step<'_>]]) -> Inventory {
    let layers: Vec<_> =
        layers.iter().enumerate().map(|(number, steps)| (LayerOrigin::Image(digest(number)), layer(steps))).collect();
    merge(&layers)
}

/// `name version layer` of each package.
fn check(layers: &[&[Step<'_>]], expected: &[&str]) {
    let inventory = image(layers);
    let number = |layer: &Option<Digest>| (0..layers.len()).find(|&number| *layer == Some(digest(number))).unwrap();
    let told: Vec<String> = inventory
        .packages
        .iter()
        .map(|package| format!("{} {} {}", package.name, package.version, number(&package.layer)))
        .collect();
    assert_eq!(told, expected);
}

const A: &str = "srv/node_modules/a/package.json";
const A1: &str = r#"{"name":"a","version":"1.0.0"}"#;
const A2: &str = r#"{"name":"a","version":"2.0.0"}"#;

#[test]
fn an_upper_layer_replaces_and_removes_what_is_below() {
    check(&[&[File(A, A1)]], &["a 1.0.0 0"]);
    check(&[&[File(A, A1)], &[File(A, A2)]], &["a 2.0.0 1"]);
    check(&[&[File(A, A1)], &[Whiteout(A)]], &[]);
    check(&[&[File(A, A1)], &[Whiteout("srv")]], &[]);
    check(&[&[File(A, A1)], &[Whiteout("srv/node_modules/ab")]], &["a 1.0.0 0"]);
    check(&[&[File(A, A1)], &[Whiteout(A)], &[File(A, A1)]], &["a 1.0.0 2"]);
}

#[test]
fn an_opaque_folder_hides_what_is_below_and_keeps_its_own() {
    check(&[&[File(A, A1)], &[Opaque("srv")]], &[]);
    check(&[&[File(A, A1)], &[Opaque("")]], &[]);
    check(&[&[File(A, A1)], &[Opaque(A)]], &["a 1.0.0 0"]); // it names a folder, whose own place it does not take
    check(
        &[
            &[File(A, A1)],
            &[File("srv/node_modules/b/package.json", r#"{"name":"b","version":"1.0.0"}"#), Opaque("srv")],
        ],
        &["b 1.0.0 1"],
    );
    check(&[&[File(A, A1), Whiteout(A), Opaque("srv")]], &["a 1.0.0 0"]); // both speak of the layers below only
}

#[test]
fn anything_but_a_folder_replaces_a_whole_folder() {
    check(&[&[File(A, A1)], &[Present("srv")]], &[]);
    check(&[&[File(A, A1)], &[Link("srv/node_modules", "/opt/node_modules")]], &[]);
    check(&[&[File(A, A1)], &[Present("srv/node_modules/a/index.js")]], &["a 1.0.0 0"]);
}

#[test]
fn a_file_named_twice_in_one_layer_counts_as_it_came_last() {
    check(&[&[File(A, A1), File(A, A2)]], &["a 2.0.0 0"]);
    check(&[&[File(A, A1), Present(A)]], &[]);
}

#[test]
fn a_hard_link_says_what_its_target_says() {
    let other = "opt/node_modules/a/package.json";
    let inventory = image(&[&[File(A, A1), HardLink(other, A)]]);
    assert_eq!(inventory.packages.len(), 1);
    assert_eq!(inventory.packages[0].paths, [other, A]);
    let inventory = image(&[&[HardLink(other, "store/0123")]]);
    assert_eq!(inventory.skipped[0].reason, "it is a hard link to `store/0123`, whose content was not kept");
}

fn stanza(name: &str, version: &str) -> String {
    format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n")
}

#[test]
fn an_os_package_is_of_the_layer_since_which_it_is_there() {
    let base = stanza("base", "1") + &stanza("curl", "1");
    let upgraded = stanza("base", "1") + &stanza("curl", "2") + &stanza("vim", "1");
    let removed = stanza("base", "1") + &stanza("curl", "2");
    let again = upgraded.clone();
    check(&[&[File(STATUS, &base)], &[File(STATUS, &upgraded)]], &["base 1 0", "curl 2 1", "vim 1 1"]);
    check(
        &[&[File(STATUS, &base)], &[File(STATUS, &upgraded)], &[File(STATUS, &removed)], &[File(STATUS, &again)]],
        &["base 1 0", "curl 2 1", "vim 1 3"], // removed and installed again: the later layer brought it
    );
}

#[test]
fn the_operating_system_is_found_behind_links() {
    let debian = "ID=debian\nVERSION_ID=12\n";
    let check = |layers: &[&[Step<'_>]], expected: Option<&str>| {
        let inventory = image(layers);
        assert_eq!(inventory.os.map(|os| os.id + " " + &os.version).as_deref(), expected);
        assert_eq!(inventory.skipped, []);
    };
    check(&[&[File("usr/lib/os-release", debian), Link("etc/os-release", "../usr/lib/os-release")]], Some("debian 12"));
    check(&[&[File("usr/lib/os-release", debian)]], Some("debian 12"));
    check(
        &[&[File("usr/lib/os-release", debian), File("etc/os-release", "ID=alpine\nVERSION_ID=3.20\n")]],
        Some("alpine 3.20"),
    );
    check(&[&[Link("etc/os-release", "/etc/os-release")]], None); // a link to itself
    check(&[&[File("usr/lib/os-release", debian), Link("etc/os-release", "/nowhere")]], Some("debian 12"));
    check(
        &[&[File("usr/lib/os-release", debian)], &[File("usr/lib/os-release", "ID=debian\nVERSION_ID=13\n")]],
        Some("debian 13"),
    );
}

#[test]
fn packages_have_the_ecosystem_of_their_system() {
    let check = |os: &str, expected: Option<&str>, purl: &str| {
        let inventory = image(&[&[File(STATUS, &stanza("a", "1")), File("etc/os-release", os)]]);
        assert_eq!(inventory.packages[0].ecosystem.as_ref().map(|ecosystem| ecosystem.as_str()), expected);
        assert_eq!(inventory.packages[0].purl, purl);
    };
    check("ID=debian\nVERSION_ID=12", Some("Debian:12"), "pkg:deb/debian/a@1?arch=amd64&distro=debian-12");
    check("ID=debian", None, "pkg:deb/debian/a@1?arch=amd64");
    check("ID=ubuntu\nVERSION_ID=22.04", Some("Ubuntu:22.04"), "pkg:deb/ubuntu/a@1?arch=amd64&distro=ubuntu-22.04");
    check("", None, "pkg:deb/a@1?arch=amd64");
}

#[test]
fn a_language_package_that_an_os_package_owns_says_so() {
    let six = "usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO";
    let list = "var/lib/dpkg/info/python3-six.list";
    let metadata = "Name: six\nVersion: 1.16.0\n";
    let owned = |layers: &[&[Step<'_>]]| image(layers).packages[0].owned_by.clone();
    let files = format!("/.\n/{six}\n");
    assert_eq!(owned(&[&[File(six, metadata), File(list, &files)]]).as_deref(), Some("python3-six"));
    assert_eq!(owned(&[&[File(six, metadata), File(list, &files)], &[Whiteout(list)]]), None);
    // The new package no longer has the file, which then is somebody else's.
    assert_eq!(owned(&[&[File(six, metadata), File(list, &files)], &[File(list, "/.\n")]]), None);
}

#[test]
fn code_and_layers_of_a_function_lie_in_different_places() {
    let arn = |number: usize| format!("arn:aws:lambda:eu-central-1:123456789012:layer:deps:{number}");
    let path = "python/a-1.dist-info/METADATA";
    let text = |version: &str| format!("Name: a\nVersion: {version}\n");
    let inventory = merge(&[
        (LayerOrigin::LambdaLayer(arn(1)), layer(&[File(path, &text("1"))])),
        (LayerOrigin::LambdaLayer(arn(2)), layer(&[File(path, &text("2"))])),
        (LayerOrigin::LambdaCode, layer(&[File(path, &text("3"))])),
    ]);
    let told: Vec<_> =
        inventory.packages.iter().map(|package| (package.version.as_str(), package.lambda_layer.clone())).collect();
    assert_eq!(told, [("2", Some(arn(2))), ("3", None)]);
}

#[test]
fn what_is_too_large_is_told() {
    let mut collector = Collector::new(Limits { packages_max: 1, files_max: 10, skipped_max: 1 });
    collector.file(A, 1_000, b"");
    collector.file("node_modules/b/package.json", A1.len() as u64, A1.as_bytes());
    collector.file("node_modules/c/package.json", A1.len() as u64, A1.as_bytes());
    collector.skip("x", "y");
    collector.skip("z", "y");
    let inventory = merge(&[(LayerOrigin::Root, collector.finish())]);
    assert_eq!(inventory.packages.len(), 1);
    assert_eq!(
        inventory.limits_reached,
        ["more than 1 entries were skipped; the rest is not told", "more than 1 packages; the rest was left out",]
    );
    let reasons: Vec<&str> = inventory.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!(reasons, ["its 1000 bytes are more than the limit for one file", "y"]);
}

#[test]
fn packages_of_every_system_are_judged_by_its_maker() {
    let check = |os: &str, database: &str, text: &str, expected: &str| {
        let inventory = image(&[&[File("etc/os-release", os), File(database, text)]]);
        let told = |package: &Package| {
            let ecosystem = package.ecosystem.as_ref().map(Ecosystem::as_str).unwrap_or_default();
            format!("{ecosystem} {}", package.purl)
        };
        assert_eq!(inventory.packages.iter().map(told).collect::<Vec<_>>(), [expected]);
    };
    check(
        "ID=debian\nVERSION_ID=12\n",
        STATUS,
        "Package: a\nStatus: install ok installed\nVersion: 1\n",
        "Debian:12 pkg:deb/debian/a@1?distro=debian-12",
    );
    check(
        "ID=alpine\nVERSION_ID=3.18.4\n",
        "lib/apk/db/installed",
        "P:a\nV:1-r0\n\n",
        "Alpine:v3.18 pkg:apk/alpine/a@1-r0?distro=alpine-3.18.4",
    );
    check(
        "ID=arch\n",
        "var/lib/pacman/local/a-1-1/desc",
        "%NAME%\na\n\n%VERSION%\n1-1\n",
        "Arch Linux pkg:alpm/arch/a@1-1",
    );
}

#[test]
fn packages_that_nothing_lists_are_a_gap_and_not_a_clean_bill() {
    const ALPINE: Step<'_> = File("etc/os-release", "ID=alpine\nVERSION_ID=3.18.4\n");
    const UNKNOWN: Step<'_> = File("etc/os-release", "ID=gentoo\nVERSION_ID=2.14\n");
    const PORTAGE: Step<'_> = File("var/db/pkg/app-shells/bash-5/PF", "bash-5");
    let check = |layers: &[&[Step<'_>]], expected: &[&str]| {
        let inventory = image(layers);
        let gaps: Vec<String> = inventory.gaps.iter().map(ToString::to_string).collect();
        assert_eq!(gaps, expected);
        assert_eq!(inventory.is_partial(), !expected.is_empty() || !inventory.skipped.is_empty());
    };
    let portage = "gentoo 2.14: nothing reads its package database `var/db/pkg/app-shells/bash-5/PF` of portage";
    check(&[&[UNKNOWN, PORTAGE]], &[portage]);
    check(&[&[PORTAGE]], &["portage: nothing reads its package database `var/db/pkg/app-shells/bash-5/PF` of portage"]);
    // a system from which somebody removed the database, or one that never had any
    let missing = "no package database of the operating system was found";
    check(&[&[UNKNOWN, PORTAGE], &[Whiteout("var/db/pkg")]], &[&format!("gentoo 2.14: {missing}")]);
    check(&[&[ALPINE]], &[&format!("Alpine:v3.18: {missing}")]);
    check(&[&[File(A, A1)]], &[]); // a folder or a Lambda function has no system
    // a database that is read, empty or not
    check(&[&[ALPINE, File(STATUS, "")]], &[]);
    check(&[&[ALPINE, File("var/lib/dpkg/status.d/a", "Package: a\nVersion: 1\n")]], &[]);
}
