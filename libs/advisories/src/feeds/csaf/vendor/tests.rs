//! The rules, each on a small document.

use crate::feeds::csaf::{parse, recognises};
use crate::feeds::{Document, Head, Item};
use muster_domain::{Advisory, Affected};
use serde_json::{Value, json};

/// A document of this publisher about one vulnerability.
fn document(namespace: &str, id: &str, tree: Value, vulnerability: Value) -> String {
    let mut vulnerability = vulnerability;
    vulnerability["cve"] = json!("CVE-2024-1");
    json!({
        "document": {
            "category": "csaf_vex", "csaf_version": "2.0", "title": "a title",
            "publisher": {"category": "vendor", "name": "x", "namespace": namespace},
            "tracking": {"id": id, "current_release_date": "2024-02-01T00:00:00+00:00",
                         "initial_release_date": "2024-01-01T00:00:00+00:00"},
        },
        "product_tree": tree,
        "vulnerabilities": [vulnerability],
    })
    .to_string()
}

/// Two platforms and the products of these package URLs, each a component of the first as `p:purl` and of the second as `q:purl`.
fn tree(first: &str, second: &str, purls: &[&str]) -> Value {
    let platform = |id: &str, cpe: &str| {
        json!({"category": "product_name", "name": id,
               "product": {"name": id, "product_id": id, "product_identification_helper": {"cpe": cpe}}})
    };
    let package = |purl: &&str| {
        json!({"category": "product_version", "name": purl,
               "product": {"name": purl, "product_id": purl, "product_identification_helper": {"purl": purl}}})
    };
    let component = |platform: &str, purl: &str| {
        json!({"category": "default_component_of", "product_reference": purl, "relates_to_product_reference": platform,
               "full_product_name": {"name": purl, "product_id": format!("{platform}:{purl}")}})
    };
    let packages: Vec<Value> = purls.iter().map(package).collect();
    json!({
        "branches": [{"category": "vendor", "name": "x", "branches": [
            platform("p", first), platform("q", second), {"category": "architecture", "name": "any", "branches": packages},
        ]}],
        "relationships": purls.iter().flat_map(|purl| [component("p", purl), component("q", purl)]).collect::<Vec<_>>(),
    })
}

const RED_HAT: &str = "https://www.redhat.com";
const SUSE: &str = "https://www.suse.com/";
const MAIN: &str = "cpe:/o:redhat:enterprise_linux:9::baseos";
const EXTENDED: &str = "cpe:/a:redhat:rhel_eus:9.2::appstream";

fn items(json: &str) -> Vec<Item> {
    assert!(recognises(&Head::new("x.json", json.as_bytes())));
    let mut items = Vec::new();
    parse(&Document { name: "x.json", bytes: json.as_bytes() }, &mut |item| items.push(item)).unwrap();
    items
}

fn advisory(json: &str) -> Advisory {
    let mut advisories = items(json).into_iter().filter_map(|item| match item {
        Item::Advisory(advisory) => Some(advisory),
        _ => None,
    });
    advisories.next().expect("a document about a vulnerability has a record")
}

fn show(one: &Affected) -> String {
    let mut line = format!("{} {:?} {}", one.ecosystem, one.names, one.name);
    line += &one.module.as_ref().map(|module| format!(" of {module}")).unwrap_or_default();
    line += &format!(" {:?}", one.state.unwrap());
    line += &one.ranges.first().map(|range| format!(" {:?}", range.events)).unwrap_or_default();
    line += &one.remark.as_ref().map(|remark| format!(" \"{remark}\"")).unwrap_or_default();
    if !one.architectures.is_empty() {
        line += &format!(" on {}", one.architectures.join("+"));
    }
    line += &one.vendor_severity.as_ref().map(|word| format!(" {word}")).unwrap_or_default();
    line + &one.severity.iter().map(|vector| format!(" {}", vector.vector)).collect::<String>()
}

/// What is affected, then what was left out.
fn check(json: &str, expected: &[&str]) {
    let shown: Vec<String> = items(json)
        .iter()
        .flat_map(|item| match item {
            Item::Advisory(advisory) => advisory.affected.iter().map(show).collect(),
            Item::Partial(skipped) => vec![format!("! {}", skipped.reason)],
            Item::UnknownEcosystem(kind) => vec![format!("? {kind}")],
            other => vec![format!("{other:?}")],
        })
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn each_stream_has_its_own_fix() {
    let main =
        ["aarch64", "x86_64", "src"].map(|arch| format!("pkg:rpm/redhat/gnutls@3.8.3-4.el9_4?arch={arch}&epoch=1"));
    let extended = "pkg:rpm/redhat/gnutls@3.7.6-21.el9_2.3?arch=x86_64";
    let debug = "pkg:rpm/redhat/gnutls-debuginfo@3.8.3-4.el9_4?arch=x86_64";
    let purls: Vec<&str> = main.iter().map(String::as_str).chain([extended, debug]).collect();
    let mut fixed: Vec<String> = main.iter().map(|purl| format!("p:{purl}")).collect();
    fixed.extend([format!("q:{extended}"), format!("p:{debug}")]);
    let vulnerability = json!({
        "product_status": {"fixed": fixed},
        "remediations": [{"category": "vendor_fix", "details": "Update.", "product_ids": [fixed[0], fixed[1]],
                          "url": "https://access.redhat.com/errata/RHSA-2024:2570"}],
    });
    check(
        &document(RED_HAT, "CVE-2024-1", tree(MAIN, EXTENDED, &purls), vulnerability),
        &[
            // The source package is told by its binary one, debug information is passed over.
            "Red Hat:9 Binary gnutls Fixed [Introduced(\"0\"), Fixed(\"1:3.8.3-4.el9_4\")] \"RHSA-2024:2570\" on aarch64+x86_64",
            "Red Hat:9.2:eus Binary gnutls Fixed [Introduced(\"0\"), Fixed(\"3.7.6-21.el9_2.3\")] on x86_64",
        ],
    );
}

#[test]
fn a_package_of_a_module_is_of_its_stream_alone() {
    let version = "@2.5.9-111.module%2Bel8.9.0%2B19193?arch=noarch";
    let told = format!("pkg:rpm/redhat/ruby{version}&rpmmod=ruby:2.5:8090020230627084142:b46abd14");
    let half = format!("pkg:rpm/redhat/irb{version}&rpmmod=ruby");
    let untold = format!("pkg:rpm/redhat/rake{version}");
    let unfixed = "pkg:rpm/redhat/go-toolset@rhel8?arch=src&rpmmod=go-toolset:rhel8";
    let tree = tree(MAIN, EXTENDED, &[&told, &half, &untold, unfixed]);
    let vulnerability = json!({"product_status": {
        "fixed": [format!("p:{told}"), format!("p:{half}"), format!("p:{untold}")], "known_affected": [format!("p:{unfixed}")]}});
    check(
        &document(RED_HAT, "CVE-2024-1", tree, vulnerability),
        &[
            &format!("! `p:{half}` and 1 more: from which module is not told"),
            "Red Hat:9 Source go-toolset of go-toolset:rhel8 Affected [Introduced(\"0\")]",
            "Red Hat:9 Binary ruby of ruby:2.5 Fixed [Introduced(\"0\"), Fixed(\"2.5.9-111.module+el8.9.0+19193\")]",
        ],
    );
}

#[test]
fn a_module_may_stand_between_a_package_and_its_stream() {
    let package = "pkg:rpm/redhat/nodejs@18.1-1.module%2Bel8?arch=x86_64";
    let module = "pkg:rpmmod/redhat/nodejs@18:8080020230418141236:63b34585";
    let mut tree = tree(MAIN, EXTENDED, &[package, module]);
    tree["relationships"].as_array_mut().unwrap().push(json!({
        "category": "default_component_of", "product_reference": package,
        "relates_to_product_reference": format!("p:{module}"), "full_product_name": {"name": "x", "product_id": "deep"}}));
    check(
        &document(RED_HAT, "CVE-2024-1", tree, json!({"product_status": {"fixed": ["deep"]}})),
        &["Red Hat:9 Binary nodejs of nodejs:18 Fixed [Introduced(\"0\"), Fixed(\"18.1-1.module+el8\")] on x86_64"],
    );
}

#[test]
fn an_unfixed_package_has_the_vendors_decision() {
    let names = ["a", "b", "c", "d", "e", "f"].map(|name| format!("pkg:rpm/redhat/{name}?arch=src"));
    let purls: Vec<&str> = names.iter().map(String::as_str).collect();
    let decided = |category: &str, details: &str, name: usize| json!({"category": category, "details": details, "product_ids": [format!("p:{}", names[name])]});
    let vulnerability = json!({
        "product_status": {
            "known_affected": names[..5].iter().map(|name| format!("p:{name}")).collect::<Vec<_>>(),
            "under_investigation": [format!("p:{}", names[5])],
        },
        "remediations": [
            decided("none_available", "Affected", 0), decided("no_fix_planned", "Will not fix", 1),
            decided("no_fix_planned", "Out of support scope", 2), decided("none_available", "Fix deferred", 3),
            {"category": "workaround", "details": "Turn it off.", "product_ids": [format!("p:{}", names[4])]},
        ],
    });
    check(
        &document(RED_HAT, "CVE-2024-1", tree(MAIN, EXTENDED, &purls), vulnerability),
        &[
            "Red Hat:9 Source a Affected [Introduced(\"0\")] \"Affected\"",
            "Red Hat:9 Source b WillNotFix [Introduced(\"0\")] \"Will not fix\"",
            "Red Hat:9 Source c EndOfLife [Introduced(\"0\")] \"Out of support scope\"",
            "Red Hat:9 Source d Deferred [Introduced(\"0\")] \"Fix deferred\"",
            "Red Hat:9 Source e Affected [Introduced(\"0\")]",
            "Red Hat:9 Source f UnderInvestigation",
        ],
    );
}

#[test]
fn not_affected_is_said_of_a_component_and_not_of_one_version() {
    let purls =
        ["pkg:rpm/redhat/samba?arch=src", "pkg:rpm/redhat/samba-libs", "pkg:rpm/redhat/samba@4.18-1.el9?arch=x86_64"];
    let ids: Vec<String> = purls.iter().map(|purl| format!("p:{purl}")).collect();
    let vulnerability = json!({
        "product_status": {"known_not_affected": ids},
        "flags": [{"label": "vulnerable_code_not_present", "product_ids": ids}],
    });
    check(
        &document(RED_HAT, "CVE-2024-1", tree(MAIN, EXTENDED, &purls), vulnerability),
        &[
            "Red Hat:9 Source samba NotAffected \"vulnerable_code_not_present\"",
            "Red Hat:9 Binary samba-libs NotAffected \"vulnerable_code_not_present\"",
        ],
    );
}

#[test]
fn of_contradicting_words_the_worse_one_counts_and_a_fix_before_a_state() {
    let purls = ["pkg:rpm/redhat/a", "pkg:rpm/redhat/b", "pkg:rpm/redhat/b@2-1.el9?arch=x86_64"];
    // Both platforms are of one stream.
    let tree = tree(MAIN, "cpe:/a:redhat:enterprise_linux:9::crb", &purls);
    let vulnerability = json!({"product_status": {
        "known_not_affected": ["p:pkg:rpm/redhat/a"], "known_affected": ["q:pkg:rpm/redhat/a", "p:pkg:rpm/redhat/b"],
        "fixed": [format!("q:{}", purls[2])]}});
    check(
        &document(RED_HAT, "CVE-2024-1", tree, vulnerability),
        &[
            "Red Hat:9 Binary a Affected [Introduced(\"0\")]",
            "Red Hat:9 Binary b Fixed [Introduced(\"0\"), Fixed(\"2-1.el9\")] on x86_64",
        ],
    );
}

#[test]
fn what_is_no_package_of_a_release_is_counted() {
    let purls = [
        "pkg:oci/nodejs?repository_url=registry.redhat.io/rhel8/nodejs",
        "pkg:maven/io.netty/netty@4",
        "pkg:rpm/redhat/a",
    ];
    let mut tree = tree(MAIN, "cpe:/a:redhat:amq_broker:7", &purls);
    let relation = |id: &str, platform: &str, component: &str| {
        json!({"category": "default_component_of", "product_reference": component, "relates_to_product_reference": platform,
               "full_product_name": {"name": id, "product_id": id}})
    };
    // Older documents name components without a package URL: of the system they are source packages, of a layered product
    // they may be anything.
    for (id, platform, component) in
        [("1", "p", "openssl"), ("2", "q", "openssl"), ("3", "p", "log4j:2/log4j"), ("4", "gone", "x")]
    {
        tree["relationships"].as_array_mut().unwrap().push(relation(id, platform, component));
    }
    let affected: Vec<String> =
        purls.iter().map(|purl| format!("q:{purl}")).chain(["1", "2", "3", "4"].map(str::to_owned)).collect();
    check(
        &document(RED_HAT, "CVE-2024-1", tree, json!({"product_status": {"known_affected": affected}})),
        &[
            "? Red Hat components without a package URL",
            "? Red Hat container images",
            "? Red Hat products of type maven",
            "Red Hat:9 Source openssl Affected [Introduced(\"0\")]",
            "Red Hat:9 Source log4j of log4j:2 Affected [Introduced(\"0\")]",
            "Red Hat:amq_broker:7 Binary a Affected [Introduced(\"0\")]",
        ],
    );
}

#[test]
fn a_word_and_a_score_stand_with_the_product_where_they_differ() {
    let purls = ["pkg:rpm/redhat/a", "pkg:rpm/redhat/b", "pkg:rpm/redhat/c"];
    let ids: Vec<String> = purls.iter().map(|purl| format!("p:{purl}")).collect();
    let low = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
    let vulnerability = json!({
        "product_status": {"known_affected": ids},
        "threats": [{"category": "impact", "details": "Low", "product_ids": [ids[2]]},
                    {"category": "impact", "details": "Important", "product_ids": [ids[0], ids[1]]}],
        "scores": [{"cvss_v3": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, "products": [ids[0], ids[1]]},
                   {"cvss_v3": {"vectorString": low}, "products": [ids[2]]}],
    });
    let json = document(RED_HAT, "CVE-2024-1", tree(MAIN, EXTENDED, &purls), vulnerability);
    check(
        &json,
        &[
            "Red Hat:9 Binary a Affected [Introduced(\"0\")]",
            "Red Hat:9 Binary b Affected [Introduced(\"0\")]",
            &format!("Red Hat:9 Binary c Affected [Introduced(\"0\")] Low {low}"),
        ],
    );
    let advisory = advisory(&json);
    assert_eq!(advisory.vendor_severity.as_deref(), Some("Important"));
    assert_eq!(advisory.severity[0].source, "REDHAT_CVE");
}

#[test]
fn a_vex_document_is_a_vulnerabilitys_own_record_and_an_advisory_a_notice_about_each() {
    let check = |namespace: &str, id: &str, source: &str, about: &str| {
        let advisory = advisory(&document(
            namespace,
            id,
            json!({}),
            json!({"notes": [
            {"category": "description", "text": "about it"}, {"category": "summary", "text": "in short"}],
            "cwe": {"id": "CWE-79"}, "release_date": "2023-12-01T00:00:00Z", "references": [
                {"category": "self", "url": "https://a"}, {"category": "external", "url": "https://b"}, {"url": "https://a"}]}),
        ));
        assert_eq!((&*advisory.id.0, &*advisory.source, &*advisory.scope), (id, source, about));
        assert_eq!(advisory.upstream.join(" "), about);
        assert_eq!((&*advisory.details, &*advisory.summary), ("about it", "in short"));
        assert_eq!(advisory.cwes, ["CWE-79"]);
        let links: Vec<_> = advisory.references.iter().map(|link| format!("{} {}", link.kind, link.url)).collect();
        assert_eq!(links, ["ADVISORY https://a", "WEB https://b"]);
        assert_eq!(advisory.published.unwrap().to_string(), "2023-12-01T00:00:00Z");
        assert_eq!(advisory.modified.unwrap().to_string(), "2024-02-01T00:00:00Z");
    };
    check(RED_HAT, "CVE-2024-1", "REDHAT_CVE", "");
    check(RED_HAT, "RHSA-2024:1", "REDHAT_CVE", "CVE-2024-1");
    check(SUSE, "SUSE-SU-2024:1-1", "SUSE_CVE", "CVE-2024-1");
}

/// An advisory's own word is that of the worst of its vulnerabilities, so each package keeps that of this one.
#[test]
fn in_a_notice_the_word_and_the_score_stand_with_each_package() {
    let vulnerability = json!({
        "product_status": {"known_affected": ["p:pkg:rpm/redhat/a"]},
        "threats": [{"category": "impact", "details": "Low"}],
        "scores": [{"cvss_v3": {"vectorString": "CVSS:3.1/AV:N"}, "products": ["p:pkg:rpm/redhat/a"]}],
    });
    let tree = tree(MAIN, EXTENDED, &["pkg:rpm/redhat/a"]);
    check(
        &document(RED_HAT, "RHSA-2024:1", tree, vulnerability),
        &["Red Hat:9 Binary a Affected [Introduced(\"0\")] Low CVSS:3.1/AV:N"],
    );
}

/// As SUSE's documents are described: fixed packages are recommended ones, and all products of a service pack share them.
#[test]
fn suses_recommended_packages_are_fixed_ones() {
    let name =
        |name: &str| json!({"category": "product_name", "name": name, "product": {"name": name, "product_id": name}});
    let package = |id: &str, purl: &str| {
        json!({"category": "product_version", "name": id,
               "product": {"name": id, "product_id": id, "product_identification_helper": {"purl": purl}}})
    };
    let server = "SUSE Linux Enterprise Server 15 SP5";
    let module = "SUSE Linux Enterprise Module for Basesystem 15 SP5";
    let container = "Container suse/sle15:15.5";
    let tree = json!({"branches": [{"category": "vendor", "name": "SUSE", "branches": [
        name(server), name(module), name(container), name("openSUSE Leap 15.5"),
        package("libxz5-5.6.2-1.1", "pkg:rpm/suse/libxz5@5.6.2-1.1?upstream=xz-5.6.2-1.1.src.rpm"),
        package("libxz5", "pkg:rpm/suse/libxz5"), package("xz", "pkg:rpm/suse/xz"), package("xz-static", "pkg:rpm/suse/xz-static"),
    ]}]});
    let vulnerability = json!({
        "product_status": {
            "recommended": [format!("{module}:libxz5-5.6.2-1.1"), format!("{container}:libxz5-5.6.2-1.1")],
            "known_affected": [format!("{server}:libxz5"), format!("{server}:xz-static"), "openSUSE Leap 15.5:xz"],
            "known_not_affected": [format!("{server}:xz")],
        },
        "remediations": [{"category": "no_fix_planned", "details": "", "product_ids": [format!("{server}:xz-static")]}],
        "threats": [{"category": "impact", "date": "2024-01-01T00:00:00Z", "details": "moderate"}],
    });
    let json = document(SUSE, "CVE-2024-1", tree, vulnerability);
    check(
        &json,
        &[
            "? SUSE products that are no release",
            "SUSE:15.5 Binary libxz5 Fixed [Introduced(\"0\"), Fixed(\"5.6.2-1.1\")]",
            "SUSE:15.5 Binary xz NotAffected",
            "SUSE:15.5 Binary xz-static WillNotFix [Introduced(\"0\")]",
            "openSUSE:15.5 Binary xz Affected [Introduced(\"0\")]",
        ],
    );
    assert_eq!(advisory(&json).vendor_severity.as_deref(), Some("moderate"));
}
