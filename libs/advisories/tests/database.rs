//! The compiled database: what goes in comes out, in the same bytes for the same feeds, and no file that anybody
//! hands in makes it panic.

use muster_advisories::{
    BuildReport, Builder, CandidateRange, Changes, Database, DatabaseError, Delta, End, Item, changes, delta,
    feeds::osv, source,
};
use muster_domain::{
    Advisory, AdvisoryId, Affected, Ecosystem, Epss, Exploit, KnownExploited, LifeCycle, Names, Severity, VendorState,
    VexStatement, VexStatus,
};
use std::path::{Path, PathBuf};

fn fixtures() -> Vec<Advisory> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/osv");
    let mut advisories = Vec::new();
    source::read(folder, &mut |item| {
        if let Item::Advisory(advisory) = item {
            advisories.push(advisory);
        }
    })
    .unwrap();
    advisories
}

fn known() -> KnownExploited {
    KnownExploited {
        date_added: "2023-10-25".into(),
        due_date: "2023-11-15".into(),
        required_action: "Apply updates.".into(),
        ransomware: true,
    }
}

fn builder(epoch: u64, advisories: impl IntoIterator<Item = Advisory>) -> Builder {
    let mut builder = Builder::new(epoch, "2026-11-24T00:00:00Z".parse().unwrap());
    for advisory in advisories {
        builder.add(advisory);
    }
    builder
}

/// The database of these advisories, with one known exploit and one prediction.
fn build(path: &Path, epoch: u64, advisories: impl IntoIterator<Item = Advisory>) -> (Database, BuildReport) {
    let mut builder = builder(epoch, advisories);
    builder.take(Item::KnownExploited("CVE-2023-5363".to_owned(), known()));
    builder.take(Item::KnownExploited("CVE-1999-0001".to_owned(), known()));
    builder.take(Item::Epss("CVE-2021-23337".to_owned(), Epss { score: 0.02, percentile: 0.9 }));
    let report = builder.write(path).unwrap();
    (Database::open(path).unwrap(), report)
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("advisories.db");
    (folder, path)
}

/// One line per claim: `vulnerability record severity score vendor [from, to)…`.
fn shown(database: &Database, ecosystem: &str, name: &str) -> Vec<String> {
    let claim = |claim: Result<muster_advisories::Candidate<'_>, DatabaseError>| {
        let claim = claim.unwrap();
        let score = claim.score().map_or("-".to_owned(), |score| score.to_string());
        let mut line = format!("{} {}", claim.vulnerability().unwrap(), claim.advisory().unwrap());
        line += &format!(" {} {score} {}", claim.severity(), claim.vendor().unwrap().unwrap_or("-"));
        for range in claim.ranges().unwrap() {
            line += &match range.unwrap() {
                CandidateRange::Interval { introduced, end } => {
                    let from = introduced.map_or("", |bound| bound.text.read().unwrap());
                    match end {
                        End::Open => format!(" [{from}, )"),
                        End::Fixed(bound) => format!(" [{from}, {})", bound.text.read().unwrap()),
                        End::LastAffected(bound) => {
                            format!(" [{from}, {}]", bound.text.read().unwrap())
                        }
                        End::Limit(bound) => format!(" [{from}, {}|", bound.text.read().unwrap()),
                    }
                }
                CandidateRange::Listed { version, key } => {
                    format!(" ={}{}", version.read().unwrap(), if key.is_some() { "" } else { "?" })
                }
                CandidateRange::Unreadable(why) => format!(" ?{}", why.read().unwrap()),
            };
        }
        line
    };
    database.candidates(ecosystem, name).map(claim).collect()
}

#[test]
fn many_look_ups_at_once_give_what_each_gives_alone() {
    let (_folder, path) = folder();
    // More packages than are fetched together, each with another one that is not there.
    let many = (0..100).flat_map(|copy| {
        fixtures().into_iter().map(move |mut advisory| {
            advisory.id.0 += &format!("-{copy}");
            advisory.affected.iter_mut().for_each(|one| one.name += &format!("-{copy}"));
            advisory
        })
    });
    let (database, _) = build(&path, 1, many);
    let packages: Vec<_> = database.packages().map(Result::unwrap).collect();
    assert!(packages.len() > 200, "{}", packages.len());
    let known = packages.iter().map(|package| (package.ecosystem.as_str(), package.name.as_str()));
    let absent = packages.iter().map(|package| ("Debian:99", package.name.as_str()));
    let questions: Vec<_> = known.zip(absent).flat_map(|(known, absent)| [known, absent]).collect();
    let places = |claims: muster_advisories::Candidates<'_>| -> Vec<(u32, u32)> {
        claims.map(Result::unwrap).map(|claim| (claim.record_place(), claim.vulnerability_place())).collect()
    };
    let together: Vec<_> = database.candidates_of_all(&questions).into_iter().map(places).collect();
    let alone: Vec<_> =
        questions.iter().map(|(ecosystem, name)| places(database.candidates(ecosystem, name))).collect();
    assert_eq!(together, alone);
    assert_eq!(together.iter().filter(|claims| claims.is_empty()).count(), packages.len());
    assert!(database.candidates_of_all(&[]).is_empty());
}

#[test]
fn a_reader_of_many_facts_tells_what_each_question_alone_is_told() {
    let (_folder, path) = folder();
    let many = (0..300).flat_map(|copy| {
        fixtures().into_iter().map(move |mut advisory| {
            advisory.id.0 += &format!("-{copy}"); // in more blocks than a reader keeps
            advisory.details = format!("{} {copy}", advisory.details.repeat(20));
            advisory
        })
    });
    let (database, _) = build(&path, 1, many);
    let mut reader = muster_advisories::FactsReader::new(&database);
    let names = ["CVE-2023-32681", "CVE-2023-5363", "CVE-1999-0001", "CVE-2021-23337", "CVE-2023-5363"];
    for name in names.iter().chain(names.iter().rev()) {
        assert_eq!(reader.told_by(name, None).unwrap(), database.facts(name).unwrap(), "{name}");
    }
}

#[test]
fn a_look_up_gives_every_claim_with_its_ranges_and_rating() {
    let (_folder, path) = folder();
    let (database, _) = build(&path, 1, fixtures());
    let check = |ecosystem: &str, name: &str, expected: &[&str]| {
        assert_eq!(shown(&database, ecosystem, name), expected, "{ecosystem} {name}");
    };
    check(
        "Debian:12",
        "openssl",
        &[
            // the notice has the same fix; its rating comes from the record of the vulnerability
            "CVE-2023-0464 DEBIAN-CVE-2023-0464 UNTRIAGED - not yet assigned [, 3.0.9-1)",
            "CVE-2023-5363 DEBIAN-CVE-2023-5363 HIGH 7.5 not yet assigned [, 3.0.11-1~deb12u2)",
            "CVE-2023-5363 DSA-5532-1 HIGH 7.5 - [, 3.0.11-1~deb12u2)",
        ],
    );
    // one notice, four vulnerabilities
    let fix = "[, 1.1.1n-0+deb11u5)";
    check(
        "Debian:11",
        "openssl",
        &[
            &format!("CVE-2023-0464 DEBIAN-CVE-2023-0464 UNTRIAGED - not yet assigned {fix}"),
            &format!("CVE-2023-0464 DSA-5417-1 UNTRIAGED - - {fix}"),
            &format!("CVE-2023-0465 DSA-5417-1 UNTRIAGED - - {fix}"),
            &format!("CVE-2023-0466 DSA-5417-1 UNTRIAGED - - {fix}"),
            &format!("CVE-2023-2650 DSA-5417-1 UNTRIAGED - - {fix}"),
        ],
    );
    check("Debian:12", "tar", &["CVE-2005-2541 DEBIAN-CVE-2005-2541 INFORMATIONAL - unimportant [, )"]);
    check("PyPI", "jinja2", &["CVE-2024-22195 GHSA-h5c8-rqwp-cp95 MEDIUM 6.1 MODERATE [, 3.1.3)"]);
    check("npm", "minimist", &["CVE-2021-44906 GHSA-xvch-5gv4-984h CRITICAL 9.8 CRITICAL [, 0.2.4) [1.0.0, 1.2.6)"]);
    check("Go", "stdlib", &["CVE-2023-39325 GO-2023-2102 UNTRIAGED - - [, 1.20.10) [1.21.0-0, 1.21.3)"]);
    check("PyPI", "Jinja2", &[]); // names are looked up normalised
    check("npm", "openssl", &[]);
    check("Debian:99", "openssl", &[]);
    assert!(database.covers("Debian:12") && database.covers("PyPI"));
    assert!(!database.covers("Debian:10") && !database.covers("Debian") && !database.covers(""));
}

#[test]
fn facts_are_joined_over_all_records_of_a_vulnerability() {
    let (_folder, path) = folder();
    let (database, _) = build(&path, 1, fixtures());
    let facts = database.facts("CVE-2023-32681").unwrap().unwrap();
    assert_eq!(facts.aliases, ["GHSA-j8r2-6x86-q33q", "PYSEC-2023-74"]);
    assert_eq!((facts.source.as_str(), facts.cwes), ("GITHUB", vec!["CWE-200".to_owned()]));
    assert_eq!(facts.source_url, "https://github.com/advisories/GHSA-j8r2-6x86-q33q");
    assert!(facts.description.starts_with("Unintended leak of Proxy-Authorization header in requests\n\nRequests has"));
    assert_eq!(facts.severity[0].source, "GITHUB");
    assert_eq!(facts.published.unwrap().to_string(), "2023-05-22T20:36:32Z");

    // told by the record that judged, filled up from the others
    let facts = database.facts_told_by("CVE-2023-32681", Some("PYSEC-2023-74")).unwrap().unwrap();
    assert_eq!((facts.source.as_str(), facts.description.as_str()), ("PYPA", "Requests is a HTTP library."));
    assert_eq!(facts.vendor_severity.as_deref(), Some("MODERATE"));

    let facts = database.facts("CVE-2023-5363").unwrap().unwrap();
    assert_eq!((facts.source.as_str(), facts.known_exploited), ("DEBIAN_CVE", Some(known())));
    let facts = database.facts("CVE-2021-23337").unwrap().unwrap();
    assert_eq!(facts.epss, Some(Epss { score: 0.02, percentile: 0.9 }));
    assert_eq!(database.facts("CVE-1999-0001").unwrap(), None); // exploited, but in no package here
}

#[test]
fn the_same_feeds_give_the_same_bytes_in_any_order() {
    let (_folder, path) = folder();
    let (_, first) = build(&path, 1, fixtures());
    let bytes = std::fs::read(&path).unwrap();
    let (database, again) = build(&path, 1, fixtures().into_iter().rev().chain(fixtures()));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(again, first);
    let info = database.info();
    assert_eq!((info.digest, info.contents.clone(), info.bytes), (first.digest.clone(), first.contents, first.bytes));
    assert_eq!((info.epoch, info.built_at.to_string().as_str()), (1, "2026-11-24T00:00:00Z"));
    assert_eq!((info.advisories, info.packages, info.ranges), (first.advisories, first.packages, first.ranges));
    assert_eq!(info.ecosystems["Debian:12"], 3);

    // another epoch is another file with the same contents
    let (_, later) = build(&path, 2, fixtures());
    assert_ne!(later.digest, first.digest);
    assert_eq!(later.contents, info.contents);
}

#[test]
fn a_database_is_replaced_whole_and_the_open_one_keeps_its_words() {
    let (folder, path) = folder();
    let (old, _) = build(&path, 1, fixtures());
    build(&path, 2, []);
    assert_eq!(old.epoch(), 1);
    assert_eq!(shown(&old, "PyPI", "jinja2").len(), 1);
    assert_eq!(Database::open(&path).unwrap().epoch(), 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1); // nothing is left beside it
}

#[test]
fn a_record_comes_in_once_and_the_later_change_counts() {
    let (_folder, path) = folder();
    let record = |modified: &str, fixed: &str| {
        let json = format!(
            r#"{{"id":"GHSA-x","modified":"{modified}","affected":[{{"package":{{"ecosystem":"npm","name":"a"}},
                "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
        );
        osv::read(json.as_bytes()).unwrap()
    };
    let (old, new) = (record("2024-01-01T00:00:00Z", "1.0.0"), record("2025-01-01T00:00:00Z", "2.0.0"));
    for advisories in [[old.clone(), new.clone()], [new, old]] {
        let (database, report) = build(&path, 1, advisories);
        assert_eq!(report.advisories, 1);
        assert_eq!(shown(&database, "npm", "a"), ["GHSA-x GHSA-x UNTRIAGED - - [, 2.0.0)"]);
    }
}

#[test]
fn of_two_records_of_the_same_day_the_one_that_says_more_stays_whichever_came_first() {
    let record = |fixed: &[&str], description: &str| {
        let mut advisory = fixtures().remove(0);
        (advisory.modified, advisory.details) = (None, description.to_owned());
        advisory.affected = fixed
            .iter()
            .zip(11..)
            .map(|(fixed, release)| {
                Affected::new(format!("Debian:{release}").parse().unwrap(), "openssl").with_range("0", Some(fixed))
            })
            .collect();
        advisory
    };
    let (_folder, path) = folder();
    let contents = |records: Vec<Advisory>| build(&path, 1, records).1.contents;
    let check = |one: Advisory, other: Advisory, stays: &Advisory| {
        let expected = contents(vec![stays.clone()]);
        assert_eq!(contents(vec![one.clone(), other.clone()]), expected);
        assert_eq!(contents(vec![other, one]), expected);
    };
    // Debian's tracker knows two releases by their notices, `CVE/list` leaves one out
    let (tracker, list) = (record(&["1", "2"], "a"), record(&["1"], "b"));
    check(tracker.clone(), list, &tracker);
    let other_words = record(&["1", "2"], "another description of the same"); // as much: any, but always the same one
    assert_eq!(contents(vec![tracker.clone(), other_words.clone()]), contents(vec![other_words, tracker]));
}

#[test]
fn what_cannot_be_read_is_kept_as_such_and_listed_versions_only_where_they_add_something() {
    let (_folder, path) = folder();
    let check = |affected: &str, expected: &str, reject: Option<&str>| {
        let json = format!(r#"{{"id":"X","affected":[{{"package":{{"ecosystem":"PyPI","name":"a"}},{affected}}}]}}"#);
        let (database, report) = build(&path, 1, [osv::read(json.as_bytes()).unwrap()]);
        assert_eq!(shown(&database, "PyPI", "a"), [format!("X X UNTRIAGED - -{expected}")], "{affected}");
        assert_eq!(report.rejects.first().map(|reject| reject.place.as_str()), reject, "{affected}");
    };
    let range = |events: &str| format!(r#""ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]"#);
    check(
        &format!(r#""versions":["1.0","1.5","3.0"],{}"#, range(r#"{"introduced":"1.0"},{"last_affected":"2"}"#)),
        " [1.0, 2] =3.0",
        None,
    );
    check(r#""versions":["2004d","1.0"]"#, " =2004d? =1.0", None); // pytz before PEP 440
    let why = "?range has no `introduced` event";
    check(&range(r#"{"fixed":"1.0"}"#), &format!(" {why}"), Some("X: PyPI a"));
    check(&range(""), &format!(" {why}"), Some("X: PyPI a"));
    check(r#""ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]"#, "", None);
    check(&range(r#"{"introduced":"0"},{"limit":"2.0"}"#), " [, 2.0|", None);
}

/// What `claim` restricts and remarks: `state names architectures module remark`.
fn qualified(database: &Database, ecosystem: &str, name: &str) -> Vec<String> {
    let claim = |claim: Result<muster_advisories::Candidate<'_>, DatabaseError>| {
        let claim = claim.unwrap();
        let state = claim.state().map_or("-", VendorState::as_str);
        let architectures: Vec<&str> = claim.architectures().unwrap().collect();
        let (module, remark) = (claim.module().unwrap().unwrap_or("-"), claim.remark().unwrap().unwrap_or("-"));
        let ranges = claim.ranges().unwrap().count();
        format!("{} {state} {:?} {architectures:?} {module} {remark} {ranges}", claim.source().unwrap(), claim.names())
    };
    database.candidates(ecosystem, name).map(claim).collect()
}

#[test]
fn a_vendors_state_and_what_it_holds_for_come_out_as_they_went_in() {
    let (_folder, path) = folder();
    let red_hat: Ecosystem = "Red Hat:9".parse().unwrap();
    let affected = |fixed: Option<&str>| Affected::new(red_hat.clone(), "nodejs").with_range("0", fixed);
    let advisory = |source: &str, affected: Vec<Affected>| Advisory {
        id: AdvisoryId("CVE-2024-1".into()),
        source: source.into(),
        affected,
        ..Advisory::default()
    };
    let in_module = Affected {
        module: Some("nodejs:18".into()),
        architectures: vec!["x86_64".into(), "aarch64".into(), "x86_64".into()],
        state: Some(VendorState::Fixed),
        ..affected(Some("1:18.2-1"))
    };
    let unfixed = Affected {
        names: Names::Source,
        state: Some(VendorState::WillNotFix),
        remark: Some("Out of support scope".into()),
        ..affected(None)
    };
    let never = Affected { state: Some(VendorState::NotAffected), ..Affected::new(red_hat.clone(), "nodejs") };
    let records = [advisory("REDHAT_CVE", vec![in_module, unfixed]), advisory("OTHER", vec![never])];
    let (database, _) = build(&path, 1, records.clone());
    // two records of one id stand side by side, and of one record each state is a claim
    let expected = [
        "OTHER not affected Binary [] - - 0",
        "REDHAT_CVE fixed Binary [\"aarch64\", \"x86_64\"] nodejs:18 - 1",
        "REDHAT_CVE will not fix Source [] - Out of support scope 1",
    ];
    assert_eq!(qualified(&database, "Red Hat:9", "nodejs"), expected);
    let same = build(&path, 1, records.into_iter().rev()).0;
    assert_eq!(same.info().contents, database.info().contents);
}

#[test]
fn parts_of_one_record_in_several_documents_are_all_kept() {
    let (_folder, path) = folder();
    let part = |scope: &str, ecosystem: &str| Advisory {
        id: AdvisoryId("CVE-2024-1".into()),
        source: "ALPINE_CVE".into(),
        scope: scope.into(),
        affected: vec![Affected::new(ecosystem.parse().unwrap(), "openssl").with_range("0", Some("3.1-r0"))],
        ..Advisory::default()
    };
    let (database, report) = build(&path, 1, [part("v3.18/main", "Alpine:v3.18"), part("v3.19/main", "Alpine:v3.19")]);
    assert_eq!(report.advisories, 2);
    for release in ["Alpine:v3.18", "Alpine:v3.19"] {
        assert_eq!(shown(&database, release, "openssl"), ["CVE-2024-1 CVE-2024-1 UNTRIAGED - - [, 3.1-r0)"]);
    }
}

#[test]
fn exploits_statements_and_life_cycles_are_found_again() {
    let (_folder, path) = folder();
    let mut builder = builder(1, fixtures());
    let exploit = |id: &str| Exploit { source: "EXPLOITDB".into(), id: id.into() };
    for id in ["2", "1", "2"] {
        builder.take(Item::Exploit("CVE-2023-0464".into(), exploit(id)));
    }
    let statement = VexStatement {
        vulnerability: "GHSA-35jh-r3h4-6jhm".into(), // an alias of the vulnerability
        product: "pkg:npm/lodash@4.17.20".into(),
        subcomponents: Vec::new(),
        status: VexStatus::NotAffected,
        justification: Some("vulnerable_code_not_in_execute_path".into()),
        statement: None,
        author: "security@example.org".into(),
        document: "https://example.org/vex/1".into(),
        timestamp: None,
    };
    builder.take(Item::Vex(statement.clone()));
    let life_cycle = |release: &str, end: Option<&str>| LifeCycle {
        product: "debian".into(),
        release: release.into(),
        end_of_life: end.map(str::to_owned),
        ..LifeCycle::default()
    };
    builder.take(Item::LifeCycle(life_cycle("12", None)));
    builder.take(Item::LifeCycle(life_cycle("12", Some("2026-06-10"))));
    builder.take(Item::LifeCycle(life_cycle("11", Some("2024-08-14"))));
    builder.write(&path).unwrap();
    let database = Database::open(&path).unwrap();
    database.verify().unwrap();
    assert_eq!(database.facts("CVE-2023-0464").unwrap().unwrap().exploits, [exploit("1"), exploit("2")]);
    let claim = database.candidates("npm", "lodash").find(|claim| {
        claim.as_ref().is_ok_and(|claim| claim.vulnerability().is_ok_and(|name| name == "CVE-2021-23337"))
    });
    assert_eq!(claim.unwrap().unwrap().statements().unwrap(), [statement]);
    assert_eq!(database.life_cycle("debian", "12").unwrap(), Some(life_cycle("12", Some("2026-06-10"))));
    assert_eq!(database.life_cycle("debian", "13").unwrap(), None);
    assert_eq!(database.life_cycles().count(), 2);
}

#[test]
fn a_search_finds_names_and_aliases() {
    let (_folder, path) = folder();
    let (database, _) = build(&path, 1, fixtures());
    let found = database.search("lodash", 10).unwrap();
    assert_eq!(found.packages[0].name, "lodash");
    assert!(found.packages.iter().any(|package| package.name == "lodash-rails"), "{found:?}");
    assert_eq!(database.search("ghsa-35jh", 10).unwrap().vulnerabilities, ["CVE-2021-23337"]);
    assert_eq!(database.vulnerability_named("GHSA-35jh-r3h4-6jhm").unwrap().as_deref(), Some("CVE-2021-23337"));
    assert_eq!(database.search("no such thing", 10).unwrap(), muster_advisories::Found::default());
}

#[test]
fn only_what_touches_a_package_is_kept() {
    let (_folder, path) = folder();
    let json = [
        r#"{"id":"CVE-2023-5363","details":"As the NVD has it.","severity":[{"type":"CVSS_V3","score":"x"}]}"#,
        r#"{"id":"CVE-1999-0001","details":"Firmware."}"#,
        r#"{"id":"P9-1","aliases":["CVE-1999-0002"],"affected":[{"package":{"ecosystem":"Plan 9","name":"rc"}}]}"#,
    ];
    let (_, before) = build(&path, 1, fixtures());
    let more = json.iter().map(|json| osv::read(json.as_bytes()).unwrap());
    let (database, after) = build(&path, 1, fixtures().into_iter().chain(more));
    assert_eq!(after.advisories, before.advisories + 1);
    assert_eq!(database.facts("CVE-2023-5363").unwrap().unwrap().description, "As the NVD has it.");
    assert_eq!(database.facts("CVE-1999-0001").unwrap(), None);
}

#[test]
fn a_delta_names_the_packages_that_must_be_judged_again() {
    let (folder, path) = folder();
    let (old, _) = build(&path, 1, fixtures());
    let other = folder.path().join("new.db");
    let check = |change: &dyn Fn(&mut Vec<Advisory>, &mut Builder), expected: &[(&str, &str)]| {
        let mut advisories = fixtures();
        let mut extra = builder(2, []);
        extra.take(Item::KnownExploited("CVE-2023-5363".to_owned(), known()));
        extra.take(Item::Epss("CVE-2021-23337".to_owned(), Epss { score: 0.02, percentile: 0.9 }));
        change(&mut advisories, &mut extra);
        for advisory in advisories {
            extra.add(advisory);
        }
        extra.write(&other).unwrap();
        let new = Database::open(&other).unwrap();
        let delta = delta(&old, &new);
        let touched: Vec<_> = delta.touched.iter().map(|one| (one.ecosystem.as_str(), one.name.as_str())).collect();
        assert_eq!((&touched[..], delta.everything), (expected, false));
        changes(&old, &new).unwrap()
    };
    let counts = |added, changed, withdrawn| Changes { added, changed, withdrawn };
    fn find<'a>(advisories: &'a mut [Advisory], id: &str) -> &'a mut Advisory {
        advisories.iter_mut().find(|advisory| advisory.id.0 == id).unwrap()
    }
    assert_eq!(check(&|_, _| {}, &[]), counts(0, 0, 0));
    // texts judge nothing
    let reworded = check(&|all, _| find(all, "GHSA-h5c8-rqwp-cp95").details = "Other words.".into(), &[]);
    assert_eq!(reworded, counts(0, 0, 0));
    let unrated = check(&|all, _| find(all, "GHSA-h5c8-rqwp-cp95").severity.clear(), &[("PyPI", "jinja2")]);
    assert_eq!(unrated, counts(0, 1, 0));
    let gone = check(
        &|all, _| all.retain(|advisory| advisory.id.0 != "DEBIAN-CVE-2005-2541"),
        &[("Debian:12", "tar"), ("Debian:13", "tar")],
    );
    assert_eq!(gone, counts(0, 0, 1));
    let withdrawn = check(
        &|all, _| find(all, "GHSA-xvch-5gv4-984h").withdrawn = Some("2026-01-01T00:00:00Z".parse().unwrap()),
        &[("npm", "minimist")],
    );
    assert_eq!(withdrawn, counts(0, 0, 1));
    check(&|all, _| find(all, "GHSA-xvch-5gv4-984h").withdrawn = Some("2027-01-01T00:00:00Z".parse().unwrap()), &[]);
    let again = |all: &mut Vec<Advisory>, _: &mut Builder| {
        let mut other = find(all, "GHSA-xvch-5gv4-984h").clone();
        other.id.0 = "GHSA-xvch-5gv4-9999".to_owned();
        all.push(other);
    };
    assert_eq!(check(&again, &[("npm", "minimist")]).added, 1);
    // a new exploit, in every package that has the vulnerability
    let exploited = |_: &mut Vec<Advisory>, builder: &mut Builder| {
        builder.take(Item::KnownExploited("CVE-2023-0464".to_owned(), known()));
    };
    check(&exploited, &[("Debian:11", "openssl"), ("Debian:12", "openssl")]);
    let predicted = |score: f64| {
        move |_: &mut Vec<Advisory>, builder: &mut Builder| {
            builder.take(Item::Epss("CVE-2021-23337".to_owned(), Epss { score, percentile: 0.9 }));
        }
    };
    check(&predicted(0.0299), &[]);
    check(&predicted(0.03), &[("RubyGems", "lodash-rails"), ("npm", "lodash")]);

    // a release that was not there before makes "no advisory" mean something else for all its packages
    build(
        &other,
        2,
        fixtures().into_iter().filter(|advisory| !advisory.affected.iter().any(|one| one.ecosystem.as_str() == "Go")),
    );
    assert_eq!(delta(&Database::open(&other).unwrap(), &old), Delta { touched: Vec::new(), everything: true });
}

#[test]
fn a_delta_names_the_versions_that_the_changed_claims_are_about() {
    let (folder, path) = folder();
    let other = folder.path().join("new.db");
    let advisory = |id: &str, ranges: &[(&str, Option<&str>)]| {
        let affected = Affected::new("npm".parse().unwrap(), "a");
        let affected = ranges.iter().fold(affected, |affected, (from, to)| affected.with_range(from, *to));
        Advisory { id: AdvisoryId(id.into()), affected: vec![affected], ..Advisory::default() }
    };
    let key = |version: &str| match version {
        "" => Vec::new(),
        version => muster_versions::Scheme::Npm.key(version).unwrap().as_bytes().to_vec(),
    };
    let still = || advisory("X-1", &[("0", Some("9.0.0"))]);
    let check = |before: Vec<Advisory>, after: Vec<Advisory>, expected: Option<(&str, &str)>| {
        let (old, _) = build(&path, 1, before);
        let (new, _) = build(&other, 2, after);
        let found: Vec<_> = delta(&old, &new).touched.into_iter().map(|one| (one.from, one.to)).collect();
        let expected: Vec<_> = expected.into_iter().map(|(from, to)| (key(from), key(to))).collect();
        assert_eq!(found, expected);
    };
    check(vec![still()], vec![still()], None);
    // a new record: what it is about
    let new = || advisory("X-2", &[("1.0.0", Some("1.2.0")), ("2.0.0", Some("2.3.0"))]);
    check(vec![still()], vec![still(), new()], Some(("1.0.0", "2.3.0")));
    check(vec![still(), new()], vec![still()], Some(("1.0.0", "2.3.0")));
    // a fix came: what was and what is affected
    check(
        vec![advisory("X-2", &[("1.0.0", None)])],
        vec![advisory("X-2", &[("1.0.0", Some("1.5.0"))])],
        Some(("1.0.0", "")),
    );
    check(vec![still()], vec![still(), advisory("X-2", &[])], Some(("", "")));
}

#[test]
fn a_file_that_is_no_database_of_ours_is_refused_with_the_reason() {
    let (folder, path) = folder();
    build(&path, 1, fixtures());
    let whole = std::fs::read(&path).unwrap();
    let check = |bytes: &[u8], expected: &str| {
        let other = folder.path().join("other.db");
        std::fs::write(&other, bytes).unwrap();
        let error = Database::open(&other).unwrap_err().to_string();
        assert_eq!(error.replace(&other.display().to_string(), "F"), expected);
    };
    check(b"", "`F` is not an advisory database");
    check(&[b'x'; 500], "`F` is not an advisory database");
    check(&whole[..whole.len() - 1], &format!("`F` has {} bytes, its header says {}", whole.len() - 1, whole.len()));
    let mut newer = whole.clone();
    newer[8] = 9;
    check(&newer, "`F` has format 9, this program reads format 2: build it again");
    let mut other_rules = whole;
    other_rules[40] ^= 1;
    check(&other_rules, "`F` was built with other version rules than this program's: build it again");
    assert!(matches!(Database::open(folder.path()), Err(DatabaseError::NotADatabase(_))));
    assert!(matches!(Database::open(folder.path().join("none")), Err(DatabaseError::Io { .. })));
}

/// Everything that can be asked of a database.
fn ask_everything(database: &Database) {
    let _ = database.verify();
    let _ = database.info();
    let names: Vec<_> = database.packages().take(100).flatten().collect();
    for package in &names {
        database.covers(&package.ecosystem);
        for claim in database.candidates(&package.ecosystem, &package.name).take(1000) {
            let Ok(claim) = claim else { continue };
            let _ =
                (claim.advisory(), claim.withdrawn(), claim.vendor(), claim.score(), claim.severity(), claim.aliases());
            if let Ok(vulnerability) = claim.vulnerability() {
                let _ = database.facts(vulnerability);
            }
            if let Ok(ranges) = claim.ranges() {
                for range in ranges.take(1000).flatten() {
                    if let CandidateRange::Listed { version, .. } = range {
                        let _ = version.read();
                    }
                }
            }
        }
    }
    for name in ["openssl", "lodash", ""] {
        database.candidates("Debian:12", name).take(1000).for_each(drop);
    }
    delta(database, database);
}

#[test]
fn verify_finds_any_flipped_bit_behind_the_header() {
    let (folder, path) = folder();
    let (database, _) = build(&path, 1, fixtures());
    database.verify().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let other = folder.path().join("other.db");
    for at in (104..whole.len()).step_by(97) {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        std::fs::write(&other, &flipped).unwrap();
        let found = match Database::open(&other) {
            Ok(database) => database.verify().is_err() || (104..=104 + 14 * 56).contains(&at),
            Err(_) => true,
        };
        assert!(found, "byte {at}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_damaged_file_makes_it_panic(flips in proptest::collection::vec((0usize..20_000, 0u8..=255), 1..40)) {
        static WHOLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let whole = WHOLE.get_or_init(|| {
            let (_folder, path) = folder();
            build(&path, 1, fixtures());
            std::fs::read(&path).unwrap()
        });
        let mut bytes = whole.clone();
        for (at, value) in flips {
            // the header is refused too easily to be interesting
            let at = 104 + at % (bytes.len() - 104);
            bytes[at] = value;
        }
        let (_folder, path) = folder();
        std::fs::write(&path, bytes).unwrap();
        if let Ok(database) = Database::open(&path) {
            ask_everything(&database);
        }
    }

    #[test]
    fn no_record_makes_the_parser_panic(json in "\\PC{0,200}", cut in 0usize..2000) {
        let _ = osv::read(json.as_bytes());
        let record = include_bytes!("fixtures/osv/GHSA-j8r2-6x86-q33q.json");
        let _ = osv::read(&record[..cut.min(record.len())]);
    }
}

#[test]
fn a_severity_that_nobody_gave_is_untriaged() {
    let (_folder, path) = folder();
    let (database, _) = build(&path, 1, fixtures());
    let claim = database.candidates("Go", "golang.org/x/net").next().unwrap().unwrap();
    assert_eq!((claim.severity(), claim.score()), (Severity::Untriaged, None));
}
