//! Matching by what distributors say beyond version ranges: states, architectures, modules, subscriptions, kernels, and what the
//! owner of the workloads says (VEX).

use muster_advisories::{Builder, Database, Item};
use muster_domain::{
    Advisory, AdvisoryId, Affected, Inventory, Names, Package, PackageManager, SourcePackage, Status, VendorState,
    Verdict, VexStatement, VexStatus,
};
use muster_engine::matching::match_inventory;

const CVE: &str = "CVE-2024-10001";

fn affected(ecosystem: &str, name: &str, fixed: Option<&str>) -> Affected {
    Affected::new(ecosystem.parse().unwrap(), name).with_range("0", fixed)
}

/// A record of one vulnerability.
fn record(source: &str, id: &str, affected: Vec<Affected>) -> Item {
    let upstream = vec![CVE.to_owned()];
    Item::Advisory(Advisory {
        id: AdvisoryId(id.into()),
        source: source.into(),
        upstream,
        affected,
        ..Advisory::default()
    })
}

fn database(items: Vec<Item>) -> Database {
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
        architecture: Some("x86_64".into()),
        paths: Vec::new(),
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    }
}

fn verdicts(database: &Database, packages: Vec<Package>, running_kernel: Option<&str>) -> Vec<Verdict> {
    let inventory = Inventory::new(None, packages, Vec::new(), Vec::new());
    match_inventory(&Inventory { running_kernel: running_kernel.map(str::to_owned), ..inventory }, database).verdicts
}

/// `status fix: reason` of the only verdict, or nothing.
fn shown(verdicts: &[Verdict]) -> String {
    let [verdict] = verdicts else {
        assert!(verdicts.is_empty(), "{verdicts:?}");
        return String::new();
    };
    format!("{:?} {}: {}", verdict.status, verdict.fixed_version.as_deref().unwrap_or("-"), verdict.explanation.reason)
}

fn check(items: Vec<Item>, package: Package, expected: &str) {
    assert_eq!(shown(&verdicts(&database(items), vec![package], None)), expected);
}

#[test]
fn a_vendors_state_is_told_and_where_it_is_an_answer_it_decides() {
    let installed = || package("Debian:12", "tar", "1.34-1");
    let with = |state, remark: Option<&str>, affected: Affected| {
        let affected = Affected { state: Some(state), remark: remark.map(str::to_owned), ..affected };
        vec![record("DEBIAN_CVE", CVE, vec![affected])]
    };
    let bare = || Affected::new("Debian:12".parse().unwrap(), "tar");
    check(with(VendorState::NotAffected, None, bare()), installed(), "NotAffected -: the vendor says: not affected");
    check(
        with(VendorState::UnderInvestigation, None, bare()),
        installed(),
        "Undetermined -: the vendor says: under investigation",
    );
    check(
        with(VendorState::WillNotFix, Some("Minor issue"), affected("Debian:12", "tar", None)),
        installed(),
        "Affected -: every version is affected, no fix is known; the vendor says: will not fix (Minor issue)",
    );
    check(with(VendorState::EndOfLife, None, bare()), installed(), "Affected -: the vendor says: end of life");
    check(
        with(VendorState::Fixed, None, affected("Debian:12", "tar", Some("1.34-2"))),
        installed(),
        "Affected 1.34-2: 1.34-1 is before the fix 1.34-2",
    );
    // fixed, but the record does not say from which version
    check(
        with(VendorState::Fixed, None, bare()),
        installed(),
        "Undetermined -: the advisory names no versions that could be compared",
    );
}

#[test]
fn a_claim_holds_for_its_architectures() {
    let items = || {
        let of =
            Affected { architectures: vec!["aarch64".into()], ..affected("Red Hat:9", "openssl", Some("3.0-2.el9")) };
        vec![record("REDHAT_CVE", CVE, vec![of])]
    };
    let installed = |architecture: Option<&str>| Package {
        architecture: architecture.map(str::to_owned),
        ..package("Red Hat:9", "openssl", "3.0-1.el9")
    };
    let hit = "Affected 3.0-2.el9: 3.0-1.el9 is before the fix 3.0-2.el9";
    check(items(), installed(Some("x86_64")), "");
    check(items(), installed(Some("aarch64")), hit);
    check(items(), installed(Some("noarch")), hit);
    check(items(), installed(None), hit);
}

#[test]
fn a_module_stream_is_judged_by_its_own_claims() {
    let items = || {
        let stream = |stream: &str, fixed| Affected {
            module: Some(format!("nodejs:{stream}")),
            ..affected("Red Hat:8", "nodejs", Some(fixed))
        };
        vec![record("REDHAT_CVE", CVE, vec![stream("18", "1:18.2-1.module+el8"), stream("20", "1:20.1-1.module+el8")])]
    };
    let installed = |module: Option<&str>, version: &str| Package {
        module: module.map(str::to_owned),
        ..package("Red Hat:8", "nodejs", version)
    };
    let fix = "1:18.2-1.module+el8";
    let before = format!("Affected {fix}: 1:18.1-1.module+el8 is before the fix {fix}");
    check(items(), installed(Some("nodejs:18"), "1:18.1-1.module+el8"), &before);
    // 20.1 is good in its own stream, whatever the others say
    let good = "NotAffected -: 1:20.1-1.module+el8 is not before the fix 1:20.1-1.module+el8";
    check(items(), installed(Some("nodejs:20"), "1:20.1-1.module+el8"), good);
    check(items(), installed(Some("nodejs:16"), "1:16.1-1.module+el8"), "");
    check(items(), installed(None, "1:18.1-1.el8"), "");
}

#[test]
fn builds_of_modules_and_plain_builds_are_not_compared() {
    // AlmaLinux names the module only inside the version
    let items =
        || vec![record("ALMALINUX", CVE, vec![affected("AlmaLinux:8", "nodejs", Some("1:18.2-1.module_el8.7"))])];
    let good = "NotAffected -: 1:10.1-1.el8 is not before the fix 1:18.2-1.module_el8.7";
    let found = shown(&verdicts(&database(items()), vec![package("AlmaLinux:8", "nodejs", "1:10.1-1.el8")], None));
    assert!(found.starts_with("NotAffected"), "{found} / {good}");
    check(
        items(),
        package("AlmaLinux:8", "nodejs", "1:18.1-1.module_el8.7"),
        "Affected 1:18.2-1.module_el8.7: 1:18.1-1.module_el8.7 is before the fix 1:18.2-1.module_el8.7",
    );
}

#[test]
fn what_a_record_says_of_the_package_is_nearer_than_what_it_says_of_the_source() {
    let source =
        Affected { names: Names::Source, state: Some(VendorState::Affected), ..affected("Red Hat:9", "openssl", None) };
    let items = |binary: Option<Affected>| {
        let affected = binary.into_iter().chain([source.clone()]).collect();
        vec![record("REDHAT_CVE", CVE, affected)]
    };
    let installed = || Package {
        source: Some(SourcePackage { name: "openssl".into(), version: "3.0-3.el9".into() }),
        ..package("Red Hat:9", "openssl-libs", "1:3.0-3.el9")
    };
    check(
        items(None),
        installed(),
        "Affected -: every version is affected, no fix is known; the vendor says: affected",
    );
    check(
        items(Some(affected("Red Hat:9", "openssl-libs", Some("1:3.0-2.el9")))),
        installed(),
        "NotAffected -: 1:3.0-3.el9 is not before the fix 1:3.0-2.el9",
    );
}

#[test]
fn a_fix_of_ubuntu_pro_is_told_as_such_and_counts_where_it_is_installed() {
    let items = |plain: Option<&str>| {
        let both = vec![
            affected("Ubuntu:18.04:LTS", "bash", plain),
            affected("Ubuntu:Pro:18.04:LTS", "bash", Some("4.4-2+esm1")),
        ];
        vec![record("UBUNTU_CVE", "UBUNTU-CVE-2024-10001", both)]
    };
    check(
        items(None),
        package("Ubuntu:18.04", "bash", "4.4-2"),
        "Affected 4.4-2+esm1: 4.4-2 is before the fix 4.4-2+esm1; the fix comes with Ubuntu Pro",
    );
    check(
        items(None),
        package("Ubuntu:18.04", "bash", "4.4-2+esm1"),
        "NotAffected -: 4.4-2+esm1 is not before the fix 4.4-2+esm1",
    );
    check(
        items(Some("4.4-2ubuntu1")),
        package("Ubuntu:18.04", "bash", "4.4-2"),
        "Affected 4.4-2ubuntu1: 4.4-2 is before the fix 4.4-2ubuntu1",
    );
}

#[test]
fn of_one_distributors_records_the_one_with_the_first_fix_counts() {
    let items = |other: &str| {
        vec![
            record(
                "UBUNTU_CVE",
                "UBUNTU-CVE-2024-10001",
                vec![affected("Ubuntu:22.04", "curl", Some("7.81.0-1ubuntu1.14"))],
            ),
            record(other, CVE, vec![affected("Ubuntu:22.04", "curl", Some("7.81.0-1ubuntu1.24"))]),
        ]
    };
    let installed = |version: &str| package("Ubuntu:22.04", "curl", version);
    let good = "NotAffected -: 7.81.0-1ubuntu1.16 is not before the fix 7.81.0-1ubuntu1.14";
    check(items("UBUNTU_CVE"), installed("7.81.0-1ubuntu1.16"), good);
    // somebody else's word is another word
    let bad = "Affected 7.81.0-1ubuntu1.24: 7.81.0-1ubuntu1.16 is before the fix 7.81.0-1ubuntu1.24";
    check(items("OTHER"), installed("7.81.0-1ubuntu1.16"), bad);
    let before = "Affected 7.81.0-1ubuntu1.14: 7.81.0-1ubuntu1.13 is before the fix 7.81.0-1ubuntu1.14";
    check(items("UBUNTU_CVE"), installed("7.81.0-1ubuntu1.13"), before);
}

#[test]
fn a_fix_that_another_range_holds_is_not_advised() {
    let both = affected("Debian:12", "curl", Some("7.2-1")).with_range("7.0-1", Some("7.9-1"));
    check(
        vec![record("DEBIAN_CVE", CVE, vec![both])],
        package("Debian:12", "curl", "7.1-1"),
        "Affected 7.9-1: 7.1-1 is before the fix 7.9-1 and not before 7.0-1, the first affected version",
    );
}

#[test]
fn the_running_kernel_counts_and_one_not_booted_yet_is_named() {
    let database = database(vec![record("DEBIAN_CVE", CVE, vec![affected("Debian:12", "linux", Some("6.1.76-1"))])]);
    let kernel = |release: &str, version: &str| Package {
        source: Some(SourcePackage { name: "linux".into(), version: version.into() }),
        ..package("Debian:12", &format!("linux-image-{release}"), version)
    };
    let (old, new) = (kernel("6.1.0-17-amd64", "6.1.69-1"), kernel("6.1.0-18-amd64", "6.1.76-1"));
    let check = |running: Option<&str>, expected: &[(&str, Status, &str)]| {
        let verdicts = verdicts(&database, vec![old.clone(), new.clone()], running);
        let found: Vec<_> = verdicts
            .iter()
            .map(|one| (one.package.name.as_str(), one.status, one.explanation.reason.as_str()))
            .collect();
        assert_eq!(found, expected, "{running:?}");
    };
    let (first, second) = ("linux-image-6.1.0-17-amd64", "linux-image-6.1.0-18-amd64");
    let before = "6.1.69-1 is before the fix 6.1.76-1";
    let fixed = "6.1.76-1 is not before the fix 6.1.76-1";
    check(None, &[(first, Status::Affected, before), (second, Status::NotAffected, fixed)]);
    check(
        Some("6.1.0-18-amd64"),
        &[
            (first, Status::NotAffected, "this kernel is installed but does not run: 6.1.0-18-amd64 does"),
            (second, Status::NotAffected, fixed),
        ],
    );
    let restart = format!("{before}; 6.1.76-1 is installed and has not been booted: a restart is the fix");
    check(Some("6.1.0-17-amd64"), &[(first, Status::Affected, &restart), (second, Status::NotAffected, fixed)]);
    // a kernel that no package brought says nothing about the packages
    check(Some("6.6.1-custom"), &[(first, Status::Affected, before), (second, Status::NotAffected, fixed)]);
}

#[test]
fn the_owners_word_is_applied_and_shown() {
    let check = |product: &str, status: VexStatus, at: &str, expected: &str| {
        let statement = |status, at: &str| VexStatement {
            vulnerability: CVE.into(),
            product: product.into(),
            subcomponents: Vec::new(),
            status,
            justification: Some("vulnerable_code_not_present".into()),
            statement: None,
            author: "security@example.org".into(),
            document: "https://example.org/vex/1".into(),
            timestamp: Some(at.parse().unwrap()),
        };
        let items = vec![
            record("DEBIAN_CVE", CVE, vec![affected("Debian:12", "tar", None)]),
            Item::Vex(statement(VexStatus::UnderInvestigation, "2026-01-02T00:00:00Z")),
            Item::Vex(statement(status, at)),
        ];
        let verdicts = verdicts(&database(items), vec![package("Debian:12", "tar", "1.34-1")], None);
        assert!(shown(&verdicts).starts_with(expected), "{}", shown(&verdicts));
        let applies = expected.contains("VEX");
        assert_eq!(verdicts[0].explanation.vex.is_some(), applies);
    };
    let later = "2026-01-03T00:00:00Z";
    let says = |word: &str| {
        format!(
            "the VEX statement https://example.org/vex/1 of security@example.org says {word} (vulnerable_code_not_present); \
             without it: every version is affected, no fix is known"
        )
    };
    let closed = format!("NotAffected -: {}", says("not affected"));
    check("pkg:deb/debian/tar@1.34-1", VexStatus::NotAffected, later, &closed);
    check("pkg:deb/debian/tar", VexStatus::NotAffected, later, &closed); // every version
    check("pkg:deb/debian/tar@1.35-1", VexStatus::NotAffected, later, "Affected -: every version");
    check("pkg:deb/debian/gzip", VexStatus::NotAffected, later, "Affected -: every version");
    check("pkg:deb/debian/tar", VexStatus::Fixed, later, &format!("NotAffected -: {}", says("fixed")));
    check("pkg:deb/debian/tar", VexStatus::Affected, later, &format!("Affected -: {}", says("affected")));
    // what was said last counts
    let open = format!("Affected -: {}", says("under investigation"));
    check("pkg:deb/debian/tar", VexStatus::NotAffected, "2026-01-01T00:00:00Z", &open);
}
