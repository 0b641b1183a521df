use super::*;
use crate::{Collector, LayerOrigin, Limits, kernel, merge};
use proptest::prelude::*;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn entry(fields: &[(&str, &str)]) -> Entry {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// `purl source source-version` of each package.
fn told(inventory: &Inventory) -> Vec<String> {
    let source = |package: &Package| match &package.source {
        Some(source) => format!("{} {}", source.name, source.version),
        None => "-".to_owned(),
    };
    inventory.packages.iter().map(|package| format!("{} {}", package.purl, source(package))).collect()
}

fn reasons(inventory: &Inventory) -> Vec<&str> {
    inventory.skipped.iter().map(|skipped| skipped.reason.as_str()).collect()
}

#[test]
fn the_custom_type_counts_alone_when_it_is_there() {
    let application =
        entry(&[("Name", "libssl3"), ("Version", "3.0.11-1"), ("PackageId", "libssl3_3.0.11-1_amd64.deb")]);
    let system =
        entry(&[("Manager", "os-release"), ("Name", "debian"), ("Version", "12"), ("PrettyName", "Debian 12")]);
    let package = entry(&[
        ("Manager", "dpkg"),
        ("Name", "libssl3"),
        ("Version", "3.0.15-1"),
        ("Architecture", "amd64"),
        ("SourceName", "openssl"),
        ("SourceVersion", "3.0.15-1"),
    ]);
    let base = inventory(operating_system("Debian GNU/Linux 12"), std::slice::from_ref(&application), &[]);
    assert_eq!(told(&base), ["pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12 -"]);
    let both = inventory(None, &[application], &[system, package]);
    assert_eq!(told(&both), ["pkg:deb/debian/libssl3@3.0.15-1?arch=amd64&distro=debian-12 openssl 3.0.15-1"]);
    assert_eq!(both.os.unwrap().pretty_name, "Debian 12");
    assert_eq!(both.packages[0].ecosystem.as_ref().unwrap().as_str(), "Debian:12");
}

#[test]
fn the_running_kernel_is_the_one_that_the_script_saw() {
    let check = |fields: &[(&str, &str)], kernel: Option<&str>, skipped: &[&str]| {
        let system = [&[("Manager", "os-release"), ("Name", "debian"), ("Version", "12")], fields].concat();
        let inventory = inventory(None, &[], &[entry(&system)]);
        assert_eq!((inventory.running_kernel.as_deref(), reasons(&inventory).as_slice()), (kernel, skipped));
    };
    check(&[("RunningKernel", "6.1.0-18-amd64")], Some("6.1.0-18-amd64"), &[]);
    check(&[], None, &[]); // the script of earlier versions
    check(&[("RunningKernel", "")], None, &[]); // a system without `uname`
    check(&[("RunningKernel", "6.1.0 \u{7}")], None, &["`RunningKernel` is no release of a kernel"]);
}

#[test]
fn applications_have_the_ecosystem_of_their_system() {
    let check = |platform: &str, fields: &[(&str, &str)], ecosystem: Option<&str>, expected: &str| {
        let inventory = inventory(operating_system(platform), &[entry(fields)], &[]);
        assert_eq!(told(&inventory), [expected]);
        assert_eq!(inventory.packages[0].ecosystem.as_ref().map(|ecosystem| ecosystem.as_str()), ecosystem);
    };
    let curl =
        [("Name", "curl"), ("Version", "8.3.0"), ("Release", "1.amzn2"), ("Epoch", "1"), ("Architecture", "x86_64")];
    let curl_purl = "pkg:rpm/amzn/curl@8.3.0-1.amzn2?arch=x86_64&distro=amzn-2023&epoch=1 -";
    check("Amazon Linux 2023", &curl, Some("Amazon Linux:2023"), curl_purl);
    let deb = [("Name", "curl"), ("Version", "7.81.0-1ubuntu1"), ("PackageId", "curl_7.81.0-1ubuntu1_amd64.deb")];
    check("Ubuntu 22.04", &deb, Some("Ubuntu:22.04"), "pkg:deb/ubuntu/curl@7.81.0-1ubuntu1?distro=ubuntu-22.04 -");
    check("Ubuntu 22.04", &[("Name", "core20"), ("Version", "1"), ("PackageId", "")], None, "pkg:generic/core20@1 -"); // a snap
    check(
        "Microsoft Windows Server 2022",
        &[("Name", "7-Zip"), ("Version", "22.01")],
        None,
        "pkg:generic/7-Zip@22.01 -",
    );
}

#[test]
fn a_bad_entry_is_told_and_the_others_are_read() {
    let good = [("Manager", "dpkg"), ("Name", "a"), ("Version", "1")];
    let inventory = inventory(
        None,
        &[],
        &[
            entry(&[]),
            entry(&[("Manager", "rpm"), ("Name", "a"), ("Version", "1")]),
            entry(&[("Manager", "dpkg"), ("Name", " "), ("Version", "1")]),
            entry(&[("Manager", "dpkg"), ("Name", "a")]),
            entry(&good),
        ],
    );
    assert_eq!(told(&inventory), ["pkg:deb/a@1 a 1"]);
    assert_eq!(reasons(&inventory), ["no `Manager`", "unknown manager `rpm`", "no `Name`", "no `Version`"]);
    let places: Vec<&str> = inventory.skipped.iter().map(|skipped| skipped.place.as_str()).collect();
    assert_eq!(places[1], "Custom:MusterPackages[1]");
}

#[test]
fn platforms_are_those_of_ssm() {
    let check = |platform: &str, expected: Option<(&str, &str)>| {
        let os = operating_system(platform);
        assert_eq!(os.as_ref().map(|os| (os.id.as_str(), os.version.as_str())), expected, "{platform}");
    };
    check("Debian GNU/Linux 12", Some(("debian", "12")));
    check("Amazon Linux 2", Some(("amzn", "2")));
    check("Ubuntu 22.04", Some(("ubuntu", "22.04")));
    check("Debian GNU/Linux", Some(("debian", "")));
    check("Microsoft Windows Server 2022 Datacenter 10.0.20348", None);
}

proptest! {
    #[test]
    fn any_entries_are_read_without_a_panic(
        entries in proptest::collection::vec(proptest::collection::btree_map(
            "(Name|Version|Manager|RunningKernel|Release|Epoch|PackageId|SourceName)", "(dpkg|os-release|[ -~é]{0,8})", 0..7), 0..8)
    ) {
        inventory(None, &entries, &[]);
        inventory(None, &[], &entries);
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/ssm/muster-packages.sh")
}

/// The document as it must be; with `MUSTER_UPDATE=1` in the environment it is written so.
#[test]
fn the_document_holds_the_script() {
    let lines: Vec<String> = fs::read_to_string(script()).unwrap().lines().map(str::to_owned).collect();
    let document = serde_json::json!({
        "schemaVersion": "2.2",
        "description": "Writes the instance's packages as SSM inventory type Custom:MusterPackages. \
                        The next inventory collection sends them; Muster reads them.",
        "mainSteps": [{
            "action": "aws:runShellScript",
            "name": "writeMusterPackages",
            "precondition": {"StringEquals": ["platformType", "Linux"]},
            "inputs": {"timeoutSeconds": "300", "runCommand": lines},
        }],
    });
    let expected = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    let path = script().with_extension("json");
    if std::env::var_os("MUSTER_UPDATE").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == expected, "run this test once with MUSTER_UPDATE=1");
    assert!(!expected.contains("{{"), "SSM would take `{{{{` for a parameter");
    assert!(expected.len() < 64 << 10, "SSM documents have at most 64 KB");
}

/// Runs the script as the agent does; `None`: this machine has no dpkg.
fn run(folder: &Path, environment: &[(&str, &Path)]) -> Option<Output> {
    if Command::new("dpkg-query").arg("--version").output().is_err() {
        println!("skipped: this machine has no dpkg-query");
        return None;
    }
    let mut command = Command::new("sh");
    command.arg(script()).env("MUSTER_INVENTORY_FOLDER", folder).envs(environment.iter().copied());
    Some(command.output().unwrap())
}

fn entries(folder: &Path) -> Vec<Entry> {
    let text = fs::read_to_string(folder.join("MusterPackages.json")).unwrap();
    let item: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&item["SchemaVersion"], &item["TypeName"]), (&"1.0".into(), &CUSTOM_TYPE.into()));
    serde_json::from_value(item["Content"].clone()).unwrap()
}

/// What reading the disk itself gives.
fn from_disk(status: &Path, os_release: &Path) -> Inventory {
    let mut collector = Collector::new(Limits::default());
    for (path, file) in [("var/lib/dpkg/status", status), ("etc/os-release", os_release)] {
        let bytes = fs::read(file).unwrap();
        collector.file(path, bytes.len() as u64, &bytes);
    }
    merge(&[(LayerOrigin::Root, collector.finish())])
}

#[test]
fn the_script_tells_the_same_as_this_machines_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (status, os_release) = (Path::new("/var/lib/dpkg/status"), Path::new("/etc/os-release"));
    let Some(output) = run(folder.path(), &[]) else { return };
    assert!(output.status.success(), "{output:?}");
    let inventory = inventory(None, &[], &entries(folder.path()));
    assert!(inventory.packages.len() > 50 && !inventory.is_partial());
    let running = fs::read_to_string(Path::new("/").join(kernel::PATH)).unwrap();
    assert_eq!(inventory.running_kernel.as_deref(), Some(running.trim()));
    assert_eq!(Inventory { running_kernel: None, ..inventory }, from_disk(status, os_release));
}

#[test]
fn the_script_writes_valid_json_whatever_stands_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let (status, os_release) = (folder.path().join("status"), folder.path().join("os-release"));
    fs::write(folder.path().join("available"), "").unwrap();
    let stanza = |name: &str, status: &str, more: &str| {
        format!(
            "Package: {name}\nStatus: {status}\nMaintainer: \"x\" \\\nArchitecture: amd64\nVersion: 1:2.3+b1\nDescription: d\n{more}\n"
        )
    };
    let text = [
        stanza("installed", "install ok installed", "Source: other-source (1:2.3)\n"),
        stanza("held", "hold ok installed", ""),
        stanza("leaving", "deinstall ok installed", ""),
        stanza("unpacked", "install ok unpacked", ""),
        stanza("half", "install ok half-configured", "Config-Version: 1\n"),
        stanza("removed", "deinstall ok config-files", ""),
    ];
    fs::write(&status, text.concat()).unwrap();
    fs::write(&os_release, "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"A \\\"quoted\\\" \\\\ name\"\n").unwrap();
    let environment: [(&str, &Path); 3] = [
        ("DPKG_ADMINDIR", folder.path()),
        ("MUSTER_OS_RELEASE", &os_release),
        ("MUSTER_KERNEL_RELEASE", Path::new("")), // another root's packages, so no kernel runs
    ];
    let Some(output) = run(folder.path(), &environment) else { return };
    assert!(output.status.success(), "{output:?}");
    let told = inventory(None, &[], &entries(folder.path()));
    let names: Vec<&str> = told.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["half", "held", "installed", "leaving", "unpacked"]);
    assert_eq!(told.os.as_ref().unwrap().pretty_name, "A \"quoted\" \\ name");
    assert_eq!(told, from_disk(&status, &os_release));

    // A second run leaves the file alone.
    let file = folder.path().join("MusterPackages.json");
    let before = fs::metadata(&file).unwrap().ino();
    assert!(run(folder.path(), &environment).unwrap().status.success());
    assert_eq!(fs::metadata(&file).unwrap().ino(), before);

    // A database that dpkg cannot read gives no list at all, and leaves the old one.
    fs::write(&status, "garbage\n").unwrap();
    let output = run(folder.path(), &environment).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("muster-packages: dpkg-query failed"));
    let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["MusterPackages.json", "available", "os-release", "status"]);
}

#[test]
fn a_list_larger_than_ssm_takes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Some(output) = run(folder.path(), &[]) else { return };
    assert!(output.status.success(), "{output:?}");
    let output = run(folder.path(), &[("MUSTER_SIZE_MAX", Path::new("100"))]).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("more than the 100 that SSM takes"));
    assert!(!folder.path().join("MusterPackages.json").exists());
}
