//! Matching against the facts of real CVEs: which version is affected, which is not, and what is said about it.

use muster_advisories::{Builder, Database, feeds::osv, source};
use muster_domain::{
    Digest, Gap, Inventory, OperatingSystem, Package, PackageManager, Severity, SourcePackage, Status, Verdict,
};
use muster_engine::matching::{Matches, judge_inventory, match_inventory, verdict_set};
use std::path::Path;

/// The database of the recorded advisories and of more, given as OSV JSON.
fn database(more: &[&str]) -> Database {
    let mut builder = Builder::new(1, "2026-11-24T00:00:00Z".parse().unwrap());
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../advisories/tests/fixtures/osv");
    source::read(recorded, &mut |item| {
        builder.take(item);
    })
    .unwrap();
    for json in more {
        builder.add(osv::read(json.as_bytes()).unwrap());
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
        purl: format!("pkg:generic/{name}@{version}"),
        manager: if ecosystem.starts_with("Debian") { PackageManager::Os } else { PackageManager::Generic },
        source: None,
        architecture: None,
        paths: Vec::new(),
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    }
}

fn matches(database: &Database, packages: Vec<Package>) -> Matches {
    match_inventory(&Inventory::new(None, packages, Vec::new(), Vec::new()), database)
}

/// `status fix` of one vulnerability in one package; `none` without a verdict.
fn answer(database: &Database, package: Package, vulnerability: &str) -> String {
    let matches = matches(database, vec![package]);
    let of = |verdict: &&Verdict| verdict.vulnerability == vulnerability;
    let mut verdicts = matches.verdicts.iter().filter(of);
    let Some(verdict) = verdicts.next() else {
        return "none".to_owned();
    };
    assert!(verdicts.next().is_none(), "two verdicts for one vulnerability");
    let status = match verdict.status {
        Status::Affected => "affected",
        Status::NotAffected => "not affected",
        Status::Undetermined => "undetermined",
    };
    format!("{status} {}", verdict.fixed_version.as_deref().unwrap_or("-"))
}

#[test]
fn the_fixed_version_is_the_first_good_one() {
    let database = database(&[]);
    let check = |ecosystem: &str, name: &str, version: &str, vulnerability: &str, expected: &str| {
        let found = answer(&database, package(ecosystem, name, version), vulnerability);
        assert_eq!(found, expected, "{ecosystem} {name} {version} {vulnerability}");
    };
    let openssl = |version, expected| check("Debian:12", "openssl", version, "CVE-2023-5363", expected);
    openssl("3.0.11-1~deb12u1", "affected 3.0.11-1~deb12u2");
    openssl("3.0.11-1~deb12u2", "not affected -");
    openssl("3.0.11-1", "not affected -"); // `~` sorts before the end
    openssl("1:3.0.1-1", "not affected -"); // the epoch is above all
    openssl("", "undetermined -");
    check("Debian:13", "openssl", "3.0.11-1", "CVE-2023-5363", "affected 3.0.12-1"); // each release its own fix
    check("Debian:12", "zlib", "1:1.2.13.dfsg-1", "CVE-2023-45853", "affected -"); // Debian did not fix it there
    check("Debian:12", "tar", "no version at all", "CVE-2005-2541", "affected -"); // every version, read or not

    let urllib3 = |version, expected| check("PyPI", "urllib3", version, "CVE-2023-43804", expected);
    urllib3("1.26.5", "affected 1.26.17"); // the fix of its own line, not the highest
    urllib3("1.26.17", "not affected -");
    urllib3("2.0.0a1", "not affected -"); // before the second range begins
    urllib3("2.0.5", "affected 2.0.6");
    urllib3("2.0.6", "not affected -");
    check("PyPI", "requests", "2.2.1", "CVE-2023-32681", "not affected -");
    check("PyPI", "Requests", "2.31.0rc1", "CVE-2023-32681", "affected 2.31.0"); // names are normalised
    check("PyPI", "PyYAML", "5.3.1", "CVE-2020-14343", "affected 5.4");
    check("PyPI", "jinja2", "3.1.2.post1", "CVE-2024-22195", "affected 3.1.3");
    check("PyPI", "jinja2", "latest", "CVE-2024-22195", "undetermined -");

    check("npm", "lodash", "4.17.20", "CVE-2021-23337", "affected 4.17.21");
    check("npm", "lodash", "4.17.21", "CVE-2021-23337", "not affected -");
    let minimist = |version, expected| check("npm", "minimist", version, "CVE-2021-44906", expected);
    minimist("0.2.3", "affected 0.2.4");
    minimist("0.2.4", "not affected -");
    minimist("1.2.5", "affected 1.2.6");
    check("npm", "ansi-regex", "2.1.1", "CVE-2021-3807", "not affected -"); // before the first range
    check("npm", "ansi-regex", "4.1.0", "CVE-2021-3807", "affected 4.1.1");

    check("Go", "stdlib", "1.21.0", "CVE-2023-39325", "affected 1.21.3");
    check("Go", "stdlib", "1.20.10", "CVE-2023-39325", "not affected -");
    check("Go", "golang.org/x/net", "v0.16.0", "CVE-2023-39325", "affected 0.17.0");
    check("Go", "golang.org/x/net", "(devel)", "CVE-2023-39325", "undetermined -");
    check("crates.io", "time", "0.1.43", "CVE-2020-26235", "affected 0.2.0");
    check("crates.io", "time", "0.2.23", "CVE-2020-26235", "not affected -");
    check("npm", "left-pad", "1.0.0", "CVE-2021-23337", "none");
}

/// One npm package `a` and its advisories.
fn check_advisories(json: &[&str], version: &str, vulnerability: &str, expected: &str, reason: &str) {
    let database = database(json);
    assert_eq!(answer(&database, package("npm", "a", version), vulnerability), expected, "{json:?}");
    let verdicts = matches(&database, vec![package("npm", "a", version)]).verdicts;
    assert_eq!(verdicts[0].explanation.reason, reason, "{json:?}");
}

fn npm(id: &str, more: &str, affected: &str) -> String {
    format!(r#"{{"id":"{id}"{more},"affected":[{{"package":{{"ecosystem":"npm","name":"a"}},{affected}}}]}}"#)
}

fn semver(events: &str) -> String {
    format!(r#""ranges":[{{"type":"SEMVER","events":[{events}]}}]"#)
}

#[test]
fn each_kind_of_range_says_what_decided() {
    let check = |affected: &str, version: &str, expected: &str, reason: &str| {
        check_advisories(&[&npm("GHSA-1", "", affected)], version, "GHSA-1", expected, reason);
    };
    let fixed = semver(r#"{"introduced":"1.0.0"},{"fixed":"1.2.0"}"#);
    check(
        &fixed,
        "1.1.0",
        "affected 1.2.0",
        "1.1.0 is before the fix 1.2.0 and not before 1.0.0, the first affected version",
    );
    check(&fixed, "1.2.0", "not affected -", "1.2.0 is not before the fix 1.2.0");
    check(&fixed, "0.9.0", "not affected -", "0.9.0 is before 1.0.0, the first affected version");
    let last = semver(r#"{"introduced":"0"},{"last_affected":"1.2.0"}"#);
    check(&last, "1.2.0", "affected -", "1.2.0 is not after 1.2.0, the last affected version");
    check(&last, "1.2.1", "not affected -", "1.2.1 is after 1.2.0, the last affected version");
    let open = semver(r#"{"introduced":"1.0.0"}"#);
    check(&open, "1.0.0", "affected -", "1.0.0 is not before 1.0.0, the first affected version, and no fix is known");
    check(&semver(r#"{"introduced":"0"}"#), "junk", "affected -", "every version is affected, no fix is known");
    check(r#""versions":["1.0.0"]"#, "1.0.0", "affected -", "1.0.0 is listed as affected");
    check(r#""versions":["1.0.0"]"#, "1.0.1", "not affected -", "1.0.1 is none of the affected versions");
    check(r#""versions":["x-1"]"#, "x-1", "affected -", "x-1 is listed as affected"); // the same text is the same version
    let limit = semver(r#"{"introduced":"0"},{"limit":"2.0.0"}"#);
    check(&limit, "1.0.0", "affected -", "1.0.0 is before 2.0.0, up to which the advisory looked");
    check(&limit, "2.0.0", "not affected -", "2.0.0 is not before 2.0.0, up to which the advisory looked");
    let git = r#""ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]"#;
    check(git, "1.0.0", "undetermined -", "the advisory names no versions that could be compared");
    let unreadable = semver(r#"{"fixed":"1.0.0"}"#);
    let why = "the advisory's range can't be compared: range has no `introduced` event";
    check(&unreadable, "1.0.0", "undetermined -", why);
}

#[test]
fn an_advisory_that_was_taken_back_affects_nothing_and_says_so() {
    let range = semver(r#"{"introduced":"0"},{"fixed":"2.0.0"}"#);
    let withdrawn = npm("GHSA-1", r#","aliases":["CVE-2020-0001"],"withdrawn":"2024-01-01T00:00:00Z""#, &range);
    let reason = "the advisory was withdrawn on 2024-01-01T00:00:00Z";
    check_advisories(&[&withdrawn], "1.0.0", "CVE-2020-0001", "not affected -", reason);
    // unless another record of the same vulnerability stands
    let standing = npm("PYSEC-1", r#","aliases":["CVE-2020-0001"]"#, &range);
    check_advisories(
        &[&withdrawn, &standing],
        "1.0.0",
        "CVE-2020-0001",
        "affected 2.0.0",
        "1.0.0 is before the fix 2.0.0",
    );
    check_advisories(
        &[&withdrawn, &standing],
        "3.0.0",
        "CVE-2020-0001",
        "not affected -",
        "3.0.0 is not before the fix 2.0.0",
    );
    // not yet taken back when the database was built
    let later = npm("GHSA-1", r#","withdrawn":"2027-01-01T00:00:00Z""#, &range);
    check_advisories(&[&later], "1.0.0", "GHSA-1", "affected 2.0.0", "1.0.0 is before the fix 2.0.0");
}

#[test]
fn of_two_records_affected_wins_with_the_lowest_fix() {
    let alias = r#","aliases":["CVE-2020-0001"]"#;
    let range = |fixed: &str| semver(&format!(r#"{{"introduced":"0"}},{{"fixed":"{fixed}"}}"#));
    let (low, high) = (npm("GHSA-1", alias, &range("1.0.0")), npm("GHSA-2", alias, &range("2.0.0")));
    let bad = npm("GHSA-3", alias, &semver(r#"{"fixed":"1.0.0"}"#));
    let check = |json: &[&str], version: &str, expected: &str, reason: &str| {
        check_advisories(json, version, "CVE-2020-0001", expected, reason);
    };
    check(&[&low, &high], "0.5.0", "affected 1.0.0", "0.5.0 is before the fix 1.0.0");
    check(&[&low, &high], "1.5.0", "affected 2.0.0", "1.5.0 is before the fix 2.0.0");
    check(&[&low, &bad], "0.5.0", "affected 1.0.0", "0.5.0 is before the fix 1.0.0");
    let why = "the advisory's range can't be compared: range has no `introduced` event";
    check(&[&low, &bad], "1.5.0", "undetermined -", why);
}

#[test]
fn in_a_distribution_the_record_of_the_vulnerability_decides_over_a_notice() {
    let debian = |id: &str, upstream: &str, fixed: &str| {
        format!(
            r#"{{"id":"{id}","upstream":[{upstream}],"affected":[{{"package":{{"ecosystem":"Debian:12","name":"curl"}},
               "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
        )
    };
    let notice = debian("DSA-9-1", r#""CVE-2020-0001","CVE-2020-0002""#, "7.0-1+deb12u2");
    let record = debian("DEBIAN-CVE-2020-0001", r#""CVE-2020-0001""#, "7.0-1+deb12u1");
    let database = database(&[&notice, &record]);
    let check = |version: &str, first: &str, second: &str| {
        let package = package("Debian:12", "curl", version);
        assert_eq!(answer(&database, package.clone(), "CVE-2020-0001"), first, "{version}");
        assert_eq!(answer(&database, package, "CVE-2020-0002"), second, "{version}");
    };
    check("7.0-1", "affected 7.0-1+deb12u1", "affected 7.0-1+deb12u2");
    check("7.0-1+deb12u1", "not affected -", "affected 7.0-1+deb12u2"); // fixed before the notice
    check("7.0-1+deb12u2", "not affected -", "not affected -");
}

#[test]
fn a_binary_package_is_judged_by_its_source() {
    let mut libssl = package("Debian:12", "libssl3", "3.0.11-1~deb12u1+b2");
    libssl.source = Some(SourcePackage { name: "openssl".into(), version: "3.0.11-1~deb12u1".into() });
    let verdicts = matches(&database(&[]), vec![libssl.clone()]).verdicts;
    let verdict = verdicts.iter().find(|verdict| verdict.vulnerability == "CVE-2023-5363").unwrap();
    assert_eq!((verdict.status, &verdict.package), (Status::Affected, &libssl));
    assert_eq!((verdict.severity, verdict.score.unwrap().tenths()), (Severity::High, 75));
    let explanation = &verdict.explanation;
    assert_eq!(explanation.advisory.as_ref().unwrap().0, "DEBIAN-CVE-2023-5363");
    assert_eq!((explanation.ecosystem.as_str(), explanation.name.as_str()), ("Debian:12", "openssl"));
    assert_eq!((explanation.installed.as_str(), explanation.scheme.as_str()), ("3.0.11-1~deb12u1", "deb"));
    assert_eq!(explanation.range.as_ref().unwrap().fixed.as_deref(), Some("3.0.11-1~deb12u2"));
    assert_eq!(explanation.vendor.as_deref(), Some("not yet assigned"));
    assert_eq!(explanation.reason, "3.0.11-1~deb12u1 is before the fix 3.0.11-1~deb12u2");
}

#[test]
fn files_of_an_os_package_are_judged_by_the_distributor() {
    let database = database(&[]);
    let check = |os_ecosystem: &str, version: &str, expected: Status, reason: &str| {
        let mut requests = package("PyPI", "requests", version);
        requests.owned_by = Some("python3-requests".into());
        let mut owner = package(os_ecosystem, "python3-requests", "2.28.1+dfsg-1");
        owner.manager = PackageManager::Os;
        let verdicts = matches(&database, vec![requests, owner]).verdicts;
        let [verdict] = &verdicts[..] else { panic!("{verdicts:?}") };
        assert_eq!(verdict.status, expected, "{os_ecosystem} {version}");
        assert_eq!(verdict.explanation.reason, reason);
    };
    let judged = "its files belong to the OS package python3-requests, which the distributor's advisories judge";
    check("Debian:12", "2.28.1", Status::NotAffected, judged);
    check("Debian:12", "2.31.0", Status::NotAffected, "2.31.0 is not before the fix 2.31.0");
    let unjudged = "its files belong to the OS package python3-requests, whose distributor may have patched it, and there is \
                    no advisory data for that; by the version alone: 2.28.1 is before the fix 2.31.0 and not before 2.3.0, \
                    the first affected version";
    check("Ubuntu:22.04", "2.28.1", Status::Undetermined, unjudged);
    check("Debian:10", "2.28.1", Status::Undetermined, unjudged);
}

#[test]
fn what_nothing_can_be_said_about_is_a_gap_and_not_a_clean_bill() {
    let mut packages = Vec::new();
    for name in ["bash", "tar", "dash"] {
        let mut nixos = package("NixOS:24.05", name, "1");
        nixos.manager = PackageManager::Os;
        packages.push(nixos);
    }
    let mut model = package("HuggingFace", "distilbert", "1");
    model.purl = "pkg:huggingface/distilbert@1".into();
    packages.extend([
        model,
        package("Ubuntu:22.04", "tar", "1"),
        package("Debian:10", "tar", "1"),
        package("npm", "lodash", "4.17.21"),
    ]);
    let os = OperatingSystem {
        id: "nixos".into(),
        version: "24.05".into(),
        pretty_name: "NixOS 24.05".into(),
        codename: None,
    };
    let matches = match_inventory(&Inventory::new(Some(os), packages, Vec::new(), Vec::new()), &database(&[]));
    let gap =
        |ecosystem: &str, reason: &str, packages| Gap { ecosystem: ecosystem.into(), reason: reason.into(), packages };
    let unknown = "no advisory data: not an ecosystem that we know";
    assert_eq!(
        matches.gaps,
        [
            gap("Debian:10", "no advisory data: the database has none for it", 1),
            gap("Ubuntu:22.04", "no advisory data: the database has none for it", 1),
            gap("nixos 24.05", unknown, 3),
            gap("pkg:huggingface", unknown, 1),
        ]
    );
    assert_eq!(matches.verdicts.len(), 1);
}

#[test]
fn packages_that_nothing_lists_stay_undetermined() {
    let unread = Gap {
        ecosystem: "Alpine:v3.18".into(),
        reason: "nothing reads its package database `lib/apk/db/installed` of apk".into(),
        packages: 0,
    };
    let inventory = Inventory { gaps: vec![unread.clone()], ..Inventory::default() };
    let database = database(&[]);
    assert_eq!(match_inventory(&inventory, &database).gaps, std::slice::from_ref(&unread));
    assert_eq!(judge_inventory(inventory.digest(), &inventory, &database).gaps, [unread]);
}

#[test]
fn a_verdict_set_keeps_what_matters_and_counts_the_rest() {
    let database = database(&[]);
    let packages = vec![
        package("npm", "lodash", "4.17.20"),
        package("npm", "minimist", "1.2.8"),
        package("PyPI", "requests", "not a version"),
        package("PyPI", "requests", "2.30.0"),
        package("Debian:12", "openssl", "3.0.11-1~deb12u2"),
    ];
    let inventory = Inventory::new(None, packages, Vec::new(), Vec::new());
    let set = verdict_set(inventory.digest(), match_inventory(&inventory, &database), &database);
    let shown: Vec<_> = set.verdicts.iter().map(|one| (one.vulnerability.as_str(), one.status)).collect();
    let (affected, undetermined) = (Status::Affected, Status::Undetermined);
    assert_eq!(shown, [("CVE-2021-23337", affected), ("CVE-2023-32681", affected), ("CVE-2023-32681", undetermined)]);
    assert_eq!(set.not_affected, 3);
    assert_eq!(set.vulnerabilities.keys().collect::<Vec<_>>(), ["CVE-2021-23337", "CVE-2023-32681"]);
    let facts = &set.vulnerabilities["CVE-2021-23337"];
    assert_eq!((facts.source.as_str(), facts.description.as_str()), ("GITHUB", "Command Injection in lodash"));
    assert_eq!(facts.aliases, ["GHSA-35jh-r3h4-6jhm"]);

    // the short way comes to the same
    let judged = judge_inventory(inventory.digest(), &inventory, &database);
    assert_eq!(judged, set);
    assert_eq!(judged.digest(), set.digest());
    let empty = judge_inventory(Digest::of(b""), &Inventory::default(), &database);
    assert!(empty.verdicts.is_empty() && empty.vulnerabilities.is_empty());
}

proptest::proptest! {
    #[test]
    fn matching_and_the_ranges_agree_on_any_version(major in 0u8..4, minor in 0u8..4, patch in 0u8..9) {
        use std::sync::OnceLock;
        static DATABASE: OnceLock<Database> = OnceLock::new();
        let database = DATABASE.get_or_init(|| database(&[]));
        let found = answer(database, package("npm", "minimist", &format!("{major}.{minor}.{patch}")), "CVE-2021-44906");
        let version = (major, minor, patch);
        let expected = match version {
            _ if version < (0, 2, 4) => "affected 0.2.4",
            _ if ((1, 0, 0)..(1, 2, 6)).contains(&version) => "affected 1.2.6",
            _ => "not affected -",
        };
        proptest::prop_assert_eq!(found, expected);
    }
}
