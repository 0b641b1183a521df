//! Matching where comparing a version with a range would be wrong: update streams, platforms, superseded updates, rejected CVEs, and
//! statements about images and source packages.

use muster_advisories::{Builder, Database, Item, feeds::osv};
use muster_domain::{
    Advisory, AdvisoryId, Affected, Digest, ImageIdentity, Inventory, OperatingSystem, Package, PackageManager,
    SourcePackage, Status, VendorState, VexStatement, VexStatus,
};
use muster_engine::matching::match_inventory;

const CVE: &str = "CVE-2024-28834";

fn affected(ecosystem: &str, name: &str, fixed: Option<&str>) -> Affected {
    Affected::new(ecosystem.parse().unwrap(), name).with_range("0", fixed)
}

fn record(source: &str, id: &str, affected: Vec<Affected>) -> Advisory {
    let upstream = vec![CVE.to_owned()];
    Advisory { id: AdvisoryId(id.into()), source: source.into(), upstream, affected, ..Advisory::default() }
}

fn database(items: impl IntoIterator<Item = Item>) -> Database {
    let mut builder = Builder::new(1, "2026-11-24T00:00:00Z".parse().unwrap());
    for item in items {
        assert_eq!(builder.take(item), None);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("advisories.db");
    builder.write(&path).unwrap();
    Database::open(path).unwrap() // the map outlives the folder
}

fn package(ecosystem: &str, name: &str, version: &str) -> Package {
    Package {
        ecosystem: ecosystem.parse().ok(),
        name: name.into(),
        version: version.into(),
        purl: format!("pkg:deb/debian/{name}@{version}"),
        manager: PackageManager::Os,
        source: None,
        architecture: None,
        paths: Vec::new(),
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    }
}

/// `status fix: reason` of the only verdict; empty without one.
fn shown(database: &Database, inventory: &Inventory) -> String {
    let matches = match_inventory(inventory, database);
    let [verdict] = &matches.verdicts[..] else {
        assert!(matches.verdicts.is_empty(), "{:?}", matches.verdicts);
        return String::new();
    };
    format!("{:?} {}: {}", verdict.status, verdict.fixed_version.as_deref().unwrap_or("-"), verdict.explanation.reason)
}

fn of_one(package: Package) -> Inventory {
    Inventory::new(None, vec![package], Vec::new(), Vec::new())
}

#[test]
fn a_build_of_a_minor_release_is_compared_with_the_fix_of_its_stream() {
    // gnutls as Red Hat's VEX on CVE-2024-28834 has it (security.access.redhat.com, CC BY 4.0)
    let streams = [
        ("Red Hat:8", "3.6.16-8.el8_9.3"),
        ("Red Hat:rhel_eus:8.6::baseos", "3.6.16-5.el8_6.4"),
        ("Red Hat:rhel_eus:8.8::baseos", "3.6.16-7.el8_8.3"),
    ];
    let all = streams.iter().map(|&(stream, fixed)| affected(stream, "gnutls", Some(fixed))).collect();
    let database = database([Item::Advisory(record("REDHAT_CVE", CVE, all))]);
    let check = |system: &str, version: &str, expected: &str| {
        let rhel =
            OperatingSystem { id: "rhel".into(), version: system.into(), pretty_name: String::new(), codename: None };
        let inventory = Inventory { os: Some(rhel), ..of_one(package("Red Hat:8", "gnutls", version)) };
        assert_eq!(shown(&database, &inventory), expected, "{system} {version}");
    };
    // behind the main stream's number, and repaired nevertheless
    check(
        "8.6",
        "3.6.16-5.el8_6.4",
        "NotAffected -: by Red Hat:8.6:eus, for which it was built: 3.6.16-5.el8_6.4 is not before the fix 3.6.16-5.el8_6.4",
    );
    check(
        "8.6",
        "3.6.16-5.el8_6.3",
        "Affected 3.6.16-5.el8_6.4: by Red Hat:8.6:eus, for which it was built: 3.6.16-5.el8_6.3 is before the fix \
         3.6.16-5.el8_6.4",
    );
    // an old package on a newer system, which gets the main stream's
    check("8.10", "3.6.16-5.el8_6.3", "Affected 3.6.16-8.el8_9.3: 3.6.16-5.el8_6.3 is before the fix 3.6.16-8.el8_9.3");
    check("8.9", "3.6.16-8.el8_9.3", "NotAffected -: 3.6.16-8.el8_9.3 is not before the fix 3.6.16-8.el8_9.3");
    check("8.9", "3.6.16-8.el8", "Affected 3.6.16-8.el8_9.3: 3.6.16-8.el8 is before the fix 3.6.16-8.el8_9.3");
    // built for a minor release of whose stream nothing is known: by the main stream
    check("8.4", "3.6.16-4.el8_4", "Affected 3.6.16-8.el8_9.3: 3.6.16-4.el8_4 is before the fix 3.6.16-8.el8_9.3");
    // behind the fix by its number, which another branch counted
    check(
        "8.4",
        "3.6.16-9.el8_4",
        "Undetermined -: 3.6.16-9.el8_4 was built for an earlier minor release than the fix 3.6.16-8.el8_9.3, so that their \
         order tells nothing, and no update stream's own fix is known",
    );
    // before its own stream's fix, though behind the main stream's number
    check(
        "8.8",
        "3.6.16-7.el8_8.2",
        "Affected 3.6.16-7.el8_8.3: by Red Hat:8.8:eus, for which it was built: 3.6.16-7.el8_8.2 is before the fix \
         3.6.16-7.el8_8.3",
    );
}

#[test]
fn what_one_update_stream_fixed_is_fixed_in_the_builds_that_it_shares() {
    let mut unfixed = Affected::new("Red Hat:rhel_aus:8.6::baseos".parse().unwrap(), "gnutls");
    unfixed.state = Some(VendorState::Affected);
    let both = vec![
        affected("Red Hat:8", "gnutls", Some("3.6.16-8.el8_9.3")),
        affected("Red Hat:rhel_e4s:8.6::baseos", "gnutls", Some("3.6.16-5.el8_6.4")),
        unfixed,
    ];
    let database = database([Item::Advisory(record("REDHAT_CVE", CVE, both))]);
    let fixed = shown(&database, &of_one(package("Red Hat:8", "gnutls", "3.6.16-5.el8_6.4")));
    assert!(fixed.starts_with("NotAffected -: by Red Hat:8.6:e4s, for which it was built"), "{fixed}");
}

/// The record of Go's vulnerability database on CVE-2022-30634 (CC BY 4.0), shortened.
const RAND: &str = r#"{"id":"GO-2022-0477","aliases":["CVE-2022-30634"],"affected":[{"package":{"ecosystem":"Go","name":"stdlib"},
    "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.17.11"},{"introduced":"1.18.0-0"},{"fixed":"1.18.3"}]}],
    "ecosystem_specific":{"imports":[{"path":"crypto/rand","goos":["windows"],"symbols":["Read"]}]}}]}"#;

#[test]
fn a_go_program_has_what_is_vulnerable_on_its_platform() {
    let github = RAND.replace("GO-2022-0477", "GHSA-aaaa-bbbb-cccc").replace(r#","goos":["windows"]"#, "");
    let check = |records: &[&str], platform: Option<&str>, expected: &str| {
        let records = records.iter().map(|json| Item::Advisory(osv::read(json.as_bytes()).unwrap()));
        let mut stdlib = package("Go", "stdlib", "1.18.1");
        (stdlib.manager, stdlib.architecture) = (PackageManager::GoMod, platform.map(str::to_owned));
        assert_eq!(shown(&database(records), &of_one(stdlib)), expected, "{platform:?}");
    };
    let found = "Affected 1.18.3: 1.18.1 is before the fix 1.18.3 and not before 1.18.0-0, the first affected version";
    let elsewhere = "NotAffected -: it is vulnerable on other platforms only (windows/*)";
    check(&[RAND], Some("windows/amd64"), found);
    check(&[RAND], Some("linux/amd64"), elsewhere);
    check(&[RAND], None, found); // a program of Go before 1.18 does not tell
    check(&[RAND, &github], Some("linux/amd64"), elsewhere); // others know versions only
    check(&[&github], Some("linux/amd64"), found);
    // another record of Go's own about the same package, without a platform
    let everywhere = RAND.replace("GO-2022-0477", "GO-2022-9999").replace(r#","goos":["windows"]"#, "");
    check(&[RAND, &everywhere], Some("linux/amd64"), found);
}

#[test]
fn an_update_that_an_installed_one_supersedes_is_installed() {
    const SYSTEM: &str = "Windows Server 2019";
    let with = |id: &str, build: Option<&str>, remark: &str| {
        let blank = Affected::new(format!("Windows:{SYSTEM}").parse().unwrap(), SYSTEM);
        let (state, affected) = match build {
            Some(_) => (VendorState::Fixed, blank.with_range("0", build)),
            None => (VendorState::UnderInvestigation, blank),
        };
        let affected = Affected { state: Some(state), remark: Some(remark.into()), ..affected };
        Item::Advisory(Advisory {
            id: AdvisoryId(id.into()),
            source: "MICROSOFT".into(),
            affected: vec![affected],
            ..Advisory::default()
        })
    };
    let database = database([
        with("CVE-2021-0001", None, "KB5001342 supersedes KB5000822"),
        with("CVE-2021-0002", None, "KB5003171 supersedes KB5001342"),
        with("CVE-2023-0003", Some("10.0.17763.4974"), "KB5031361 supersedes KB5003171"),
    ]);
    let check = |build: &str, installed: &[&str], expected: [&str; 3]| {
        let ecosystem = format!("Windows:{SYSTEM}");
        let mut packages: Vec<Package> = installed.iter().map(|article| package(&ecosystem, article, "")).collect();
        packages.push(package(&ecosystem, SYSTEM, build));
        let matches = match_inventory(&Inventory::new(None, packages, Vec::new(), Vec::new()), &database);
        let found: Vec<String> =
            matches.verdicts.iter().map(|one| format!("{:?}: {}", one.status, one.explanation.reason)).collect();
        assert_eq!(found, expected, "{build} {installed:?}");
    };
    let investigated = |remark: &str| format!("Undetermined: the vendor says: under investigation ({remark})");
    let (first, second) =
        (investigated("KB5001342 supersedes KB5000822"), investigated("KB5003171 supersedes KB5001342"));
    let before = "Affected: 10.0.17763.1852 is before the fix 10.0.17763.4974";
    check("10.0.17763.1852", &[], [&first, &second, before]);
    let itself = "NotAffected: the update KB5001342, which fixes it, is installed";
    check("10.0.17763.1852", &["KB5001342"], [itself, &second, before]); // an older update is not the newer one
    let brought = |article: &str| {
        format!("NotAffected: the update {article} fixes it, and the installed KB5031361 supersedes that")
    };
    check(
        "10.0.17763",
        &["KB5031361"],
        [
            &brought("KB5001342"),
            &brought("KB5003171"),
            "NotAffected: the update KB5031361, which fixes it, is installed",
        ],
    );
}

#[test]
fn a_rejected_cve_takes_with_it_what_has_no_other_name_and_no_fix() {
    let rejected = |source: &str, details: &str| {
        Item::Advisory(Advisory {
            id: AdvisoryId(CVE.into()),
            source: source.into(),
            details: details.into(),
            withdrawn: Some("2024-08-01T00:00:00Z".parse().unwrap()),
            ..Advisory::default()
        })
    };
    let check = |rejection: Vec<Item>, records: Vec<Advisory>, expected: &str| {
        let ecosystem = records[0].affected[0].ecosystem.to_string();
        let database = database(rejection.into_iter().chain(records.into_iter().map(Item::Advisory)));
        assert_eq!(shown(&database, &of_one(package(&ecosystem, "tar", "1.34-1"))), expected);
    };
    let by_program = || vec![rejected("CVE", "unused")];
    let unfixed = |id: &str| record("DEBIAN_CVE", id, vec![affected("Debian:12", "tar", None)]);
    let falls = "NotAffected -: the CVE program rejected it on 2024-08-01T00:00:00Z, and its record here names no fix";
    let stands = "Affected -: every version is affected, no fix is known";
    check(by_program(), vec![unfixed("DEBIAN-CVE-2024-28834")], falls);
    check(by_program(), vec![unfixed(CVE)], falls);
    check(Vec::new(), vec![unfixed(CVE)], stands);
    // the NVD repeats the program's reason; a record of its that somebody else took back says nothing about the CVE
    check(vec![rejected("NVD", "Rejected reason: not a security issue")], vec![unfixed(CVE)], falls);
    check(vec![rejected("NVD", "A flaw in tar")], vec![unfixed(CVE)], stands);
    // reinstated: the program's own record counts before the NVD's
    let standing = Advisory { affected: Vec::new(), ..record("CVE", CVE, Vec::new()) };
    let reinstated = vec![rejected("NVD", "Rejected reason: by mistake"), Item::Advisory(standing)];
    check(reinstated, vec![unfixed(CVE)], stands);
    // a vendor who repaired something
    let fixed = record("DEBIAN_CVE", CVE, vec![affected("Debian:12", "tar", Some("1.34-2"))]);
    check(by_program(), vec![fixed], "Affected 1.34-2: 1.34-1 is before the fix 1.34-2");
    // a finding of somebody's own, under a name of its own
    let own = Advisory { upstream: Vec::new(), aliases: vec![CVE.into()], ..unfixed("PYSEC-2024-1") };
    let own = Advisory { affected: vec![affected("PyPI", "tar", None)], ..own };
    check(by_program(), vec![own], stands);
    // a notice that stands beside the record that falls
    let notice = record("DEBIAN", "DSA-1-1", vec![affected("Debian:12", "tar", Some("1.34-2"))]);
    let both = vec![unfixed("DEBIAN-CVE-2024-28834"), notice];
    check(by_program(), both, "Affected 1.34-2: 1.34-1 is before the fix 1.34-2");
}

#[test]
fn a_statement_about_an_image_closes_what_is_in_that_image() {
    let manifest = Digest::of(b"manifest");
    let statement = |product: &str, subcomponents: &[&str]| {
        Item::Vex(VexStatement {
            vulnerability: CVE.into(),
            product: product.into(),
            subcomponents: subcomponents.iter().map(|&part| part.to_owned()).collect(),
            status: VexStatus::NotAffected,
            justification: None,
            statement: None,
            author: "security@example.org".into(),
            document: "https://example.org/vex/1".into(),
            timestamp: None,
        })
    };
    let check = |product: &str, subcomponents: &[&str], image: Option<&ImageIdentity>, closed: bool| {
        let records = [
            Item::Advisory(record("DEBIAN_CVE", CVE, vec![affected("Debian:12", "gnutls28", None)])),
            statement(product, subcomponents),
        ];
        let libgnutls = Package {
            source: Some(SourcePackage { name: "gnutls28".into(), version: "3.7.9-2".into() }),
            ..package("Debian:12", "libgnutls30", "3.7.9-2")
        };
        let inventory = Inventory { image: image.cloned(), ..of_one(libgnutls) };
        let verdicts = match_inventory(&inventory, &database(records)).verdicts;
        let expected = if closed { Status::NotAffected } else { Status::Affected };
        assert_eq!(verdicts[0].status, expected, "{product} {subcomponents:?}");
        assert_eq!(verdicts[0].explanation.vex.is_some(), closed);
    };
    let image = ImageIdentity {
        digests: vec![manifest.clone()],
        repository: Some("ghcr.io/x/app".into()),
        tags: vec!["1".into()],
    };
    let by_digest = format!("pkg:oci/app@{}", manifest.as_str().replace(':', "%3A"));
    check(&by_digest, &[], Some(&image), true);
    check(&by_digest, &["pkg:deb/debian/libgnutls30"], Some(&image), true);
    check(&by_digest, &["pkg:deb/debian/gnutls28?arch=source"], Some(&image), true);
    check(&by_digest, &["pkg:deb/debian/libssl3"], Some(&image), false);
    check(&by_digest, &[], None, false); // the same package elsewhere
    check("pkg:oci/app?repository_url=ghcr.io/x/app&tag=1", &[], Some(&image), true);
    check("pkg:oci/app?repository_url=ghcr.io/x/app&tag=2", &[], Some(&image), false);
    // a source package's statement, wherever its binaries are
    check("pkg:deb/debian/gnutls28?arch=source", &[], None, true);
    check("pkg:deb/debian/gnutls28@3.7.9-1?arch=source", &[], None, false);
}

#[test]
fn statements_that_are_about_nothing_are_named() {
    let about = |vulnerability: &str, product: &str| {
        Item::Vex(VexStatement {
            vulnerability: vulnerability.into(),
            product: product.into(),
            subcomponents: Vec::new(),
            status: VexStatus::NotAffected,
            justification: None,
            statement: None,
            author: String::new(),
            document: "vex-1".into(),
            timestamp: None,
        })
    };
    let record = Item::Advisory(record("DEBIAN_CVE", CVE, vec![affected("Debian:12", "tar", None)]));
    let items =
        [about("CVE-2099-1", "pkg:npm/a"), about(CVE, "pkg:generic/a"), about(CVE, "pkg:deb/debian/tar"), record];
    let database = database(items);
    let info = database.info();
    assert_eq!((info.statements, info.idle_statements), (1, 2));
    let idle: Vec<String> = database.idle_statements().map(|statement| statement.unwrap().to_string()).collect();
    let prefix = "vex-1: the statement on";
    assert_eq!(
        idle,
        [
            format!(
                "{prefix} CVE-2024-28834 of pkg:generic/a applies to nothing: its product is neither an image nor a package of \
                 a kind that is judged"
            ),
            format!(
                "{prefix} CVE-2099-1 of pkg:npm/a applies to nothing: no record about a package is about its vulnerability"
            ),
        ]
    );
}
