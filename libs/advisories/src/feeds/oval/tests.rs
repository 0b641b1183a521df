//! Small definitions, each for one rule.

use super::*;
use muster_domain::Affected;

/// Everything that comes, in short.
fn read(name: &str, xml: &str) -> Vec<String> {
    let mut out = Vec::new();
    let outcome = parse(&Document { name, bytes: xml.as_bytes() }, &mut |item| match item {
        Item::Advisory(advisory) => {
            out.push(format!("{} [{}]", advisory.id.0, advisory.upstream.join(" ")));
            out.extend(advisory.affected.iter().map(shown));
        }
        Item::Skipped(skipped) => out.push(format!("! {}: {}", skipped.place, skipped.reason)),
        Item::Partial(skipped) => out.push(format!("- {}: {}", skipped.place, skipped.reason)),
        Item::UnknownEcosystem(spelled) => out.push(format!("? {spelled}")),
        other => panic!("{other:?}"),
    });
    if let Err(error) = outcome {
        out.push(error.to_string());
    }
    out
}

fn shown(affected: &Affected) -> String {
    let events: Vec<_> = affected.ranges.iter().flat_map(|range| &range.events).collect();
    let mut text = format!("{} {} {events:?}", affected.ecosystem, affected.name);
    if let Some(state) = affected.state {
        text.push_str(&format!(" {state:?}"));
    }
    if let Some(module) = &affected.module {
        text.push_str(&format!(" of {module}"));
    }
    if !affected.architectures.is_empty() {
        text.push_str(&format!(" on {}", affected.architectures.join("|")));
    }
    text
}

/// A document with one definition.
fn document(id: &str, class: &str, metadata: &str, criteria: &str, rest: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><oval_definitions xmlns="o" xmlns:r="u"><generator/><definitions>
        <definition id="{id}" class="{class}"><metadata>{metadata}</metadata>{criteria}</definition></definitions>
        {rest}</oval_definitions>"#
    )
}

/// A test of a package with an object and states of its own.
fn test(id: &str, name: &str, state: &str) -> String {
    format!(
        r#"<tests><r:rpminfo_test id="{id}"><r:object object_ref="o{id}"/><r:state state_ref="s{id}"/></r:rpminfo_test></tests>
        <objects><r:rpminfo_object id="o{id}"><r:name>{name}</r:name></r:rpminfo_object></objects>
        <states><r:rpminfo_state id="s{id}">{state}</r:rpminfo_state></states>"#
    )
}

fn below(evr: &str) -> String {
    format!(r#"<r:evr datatype="evr_string" operation="less than">{evr}</r:evr>"#)
}

const ORACLE: &str = "oval:com.oracle.elsa:def:20070057";
const ELSA: &str = r#"<title>
ELSA-2007-0057:  bind (MODERATE)
</title><affected family="unix"><platform>Oracle Linux 8</platform></affected>
<reference source="CVE" ref_id="CVE-2007-0493" ref_url="https://x/1"/>"#;
const RELEASE: &str = r#"<criterion test_ref="t0" comment="Oracle Linux 8 is installed"/>"#;

/// Criteria of Oracle's with the tests in `rest`.
fn check(criteria: &str, rest: &str, expected: &[&str]) {
    let criteria = format!(r#"<criteria operator="AND">{RELEASE}{criteria}</criteria>"#);
    assert_eq!(read("elsa.xml", &document(ORACLE, "patch", ELSA, &criteria, rest)), expected, "{criteria}");
}

fn criterion(test: &str, comment: &str) -> String {
    format!(r#"<criterion test_ref="{test}" comment="{comment}"/>"#)
}

#[test]
fn the_version_is_the_states_and_not_the_comments() {
    let said = criterion("t1", "bind is earlier than 0:1-1.el8");
    let expected =
        ["ELSA-2007-0057 [CVE-2007-0493]", r#"Oracle Linux:8 bind [Introduced("0"), Fixed("30:9.3.3-8.el8")]"#];
    check(&said, &test("t1", "bind", &below("30:9.3.3-8.el8")), &expected);
    let arches = format!(r#"<r:arch operation="pattern match">(aarch64|x86_64)</r:arch>{}"#, below("1-1"));
    let on = r#"Oracle Linux:8 bind [Introduced("0"), Fixed("1-1")] on aarch64|x86_64"#;
    check(&said, &test("t1", "bind", &arches), &[expected[0], on]);
    let up_to = r#"<r:evr operation="less than or equal">1-1</r:evr>"#;
    check(
        &said,
        &test("t1", "bind", up_to),
        &[expected[0], r#"Oracle Linux:8 bind [Introduced("0"), LastAffected("1-1")]"#],
    );
    // an excerpt without its tests
    check(&said, "", &[expected[0], r#"Oracle Linux:8 bind [Introduced("0"), Fixed("0:1-1.el8")]"#]);
    // an enumeration's number for its name: not guessed
    let number = r#"<r:evr operation="6">1-1</r:evr>"#;
    let unclear = "! oval:com.oracle.elsa:def:20070057: criterion `bind is earlier than 0:1-1.el8` compares by `6`";
    check(&said, &test("t1", "bind", number), &[unclear]);
}

#[test]
fn what_both_architectures_have_is_for_all() {
    let each = |arch: &str, evr: &str| {
        let (machine, package) = (
            criterion("", &format!("Oracle Linux arch is {arch}")),
            criterion("", &format!("a is earlier than {evr}")),
        );
        let signed = criterion("", "a is signed with the Oracle Linux 8 key");
        format!(r#"<criteria operator="AND">{machine}<criteria operator="AND">{package}{signed}</criteria></criteria>"#)
    };
    let either = |left: &str, right: &str| {
        format!(r#"<criteria operator="OR">{}{}</criteria>"#, each("aarch64", left), each("x86_64", right))
    };
    let id = "ELSA-2007-0057 [CVE-2007-0493]";
    check(&either("1-2", "1-2"), "", &[id, r#"Oracle Linux:8 a [Introduced("0"), Fixed("1-2")]"#]);
    check(
        &either("1-2", "1-1"),
        "",
        &[
            id,
            r#"Oracle Linux:8 a [Introduced("0"), Fixed("1-2")] on aarch64"#,
            r#"Oracle Linux:8 a [Introduced("0"), Fixed("1-1")] on i686|x86_64"#,
        ],
    );
}

#[test]
fn a_fix_in_special_builds_is_none_of_ordinary_ones() {
    let place = "- oval:com.oracle.elsa:def:20070057: ";
    let id = "ELSA-2007-0057 [CVE-2007-0493]";
    let both = format!(
        r#"<criteria operator="OR">{}{}{}</criteria>"#,
        criterion("", "openssl is earlier than 2:1.1.1g-15.ksplice1.el8_3"),
        criterion("", "gnutls is earlier than 10:3.6.16-4.el8_fips"),
        criterion("", "bind is earlier than 0:1-1.el8"),
    );
    let expected = [
        format!("{place}fixes for builds with `fips` in the release are for those alone"),
        format!("{place}fixes for builds with `ksplice` in the release are for those alone"),
        id.to_owned(),
        r#"Oracle Linux:8 bind [Introduced("0"), Fixed("0:1-1.el8")]"#.to_owned(),
    ];
    check(&both, "", &expected.each_ref().map(String::as_str));
}

#[test]
fn a_module_stream_is_asked_for() {
    let rest = format!(
        "{}{}",
        test("t2", "ruby", &below("0:2.6-1")),
        r#"<tests><i:textfilecontent54_test xmlns:i="i" id="m"><i:object object_ref="x"/></i:textfilecontent54_test></tests>"#
    );
    let criteria = format!("{}{}", criterion("m", "Module ruby:2.6 is enabled"), criterion("t2", ""));
    let expected =
        ["ELSA-2007-0057 [CVE-2007-0493]", r#"Oracle Linux:8 ruby [Introduced("0"), Fixed("0:2.6-1")] of ruby:2.6"#];
    check(&criteria, &rest, &expected);
}

#[test]
fn what_can_not_be_told_is_set_aside_with_the_reason() {
    let place = "! oval:com.oracle.elsa:def:20070057: ";
    let refused = |criteria: &str, rest: &str, reason: &str| check(criteria, rest, &[&format!("{place}{reason}")]);
    let package = criterion("", "a is earlier than 1-1");
    let kind = r#"<tests><w:registry_test xmlns:w="w" id="t"/></tests>"#;
    refused(&criterion("t", "x"), kind, "test `t` is a registry_test, which is not known");
    refused(&format!(r#"<criteria negate="true">{package}</criteria>"#), "", "has a negated criterion");
    refused(&format!(r#"<criteria operator="XOR">{package}</criteria>"#), "", "criteria are joined by `XOR`");
    refused("", "", "tests no package");
    let deep = format!("{}{package}{}", "<criteria>".repeat(70), "</criteria>".repeat(70));
    refused(&deep, "", "criteria are nested deeper than 64");
    let wide = format!(r#"<criteria operator="OR">{}</criteria>"#, package.repeat(600));
    refused(&wide.repeat(3), "", "has more combinations of criteria than any real definition");
    // only what rests on it is left out
    let reason = "- oval:com.oracle.elsa:def:20070057: criterion `b is odd` refers to a test that the document lacks";
    let id = "ELSA-2007-0057 [CVE-2007-0493]";
    let half = format!(r#"<criteria operator="OR">{package}{}</criteria>"#, criterion("gone", "b is odd"));
    check(&half, "", &[reason, id, r#"Oracle Linux:8 a [Introduced("0"), Fixed("1-1")]"#]);
    check(&format!("{package}{}", criterion("gone", "b is odd")), "", &[reason, id]);
}

#[test]
fn suse_tells_products_and_what_is_not_affected() {
    let id = "oval:org.opensuse.security:def:19990524";
    let installed = |words: &str| criterion("", &format!("SUSE Linux Enterprise {words} is installed"));
    let any = |list: String| format!(r#"<criteria operator="OR">{list}</criteria>"#);
    let products = any([installed("Server 15 SP1-LTSS"), installed("Desktop 15 SP1"), installed("Storage 7")].concat());
    let never = test("n", "kernel-source", r#"<r:version operation="equals">0</r:version>"#);
    let open = test("o", "kernel-default", r#"<r:evr operation="greater than">0:0-0</r:evr>"#);
    let packages =
        any([criterion("n", "kernel-source is not affected"), criterion("o", "kernel-default is affected")].concat());
    let metadata = r#"<title>CVE-1999-0524</title><reference ref_id="Mitre CVE-1999-0524"/><advisory>
        <severity>Moderate</severity><cve impact="moderate" cvss3="5.1/CVSS:3.1/AV:N/AC:L" cwe="CWE-20">CVE-1999-0524 at SUSE</cve>
        <cve cvss3="7.5/CVSS:3.1/AV:L/AC:L">CVE-1999-0524 at NVD</cve></advisory>"#;
    let xml = document(
        id,
        "vulnerability",
        metadata,
        &format!("<criteria>{products}{packages}</criteria>"),
        &(never + &open),
    );
    let expected = [
        "? SUSE Linux Enterprise Storage 7",
        "CVE-1999-0524 []",
        "SUSE:15.1 kernel-source [] NotAffected",
        r#"SUSE:15.1 kernel-default [Introduced("0")] Affected"#,
    ];
    assert_eq!(read("suse.linux.enterprise.15.xml", &xml), expected);
    parse(&Document { name: "a/suse.linux.enterprise.15.xml", bytes: xml.as_bytes() }, &mut |item| {
        if let Item::Advisory(advisory) = item {
            assert_eq!(advisory.scope, "suse.linux.enterprise.15");
            let said: Vec<_> = advisory.severity.iter().map(|one| (one.source.as_str(), one.vector.as_str())).collect();
            assert_eq!(said, [("SUSE_CVE", "CVSS:3.1/AV:N/AC:L"), ("NVD", "CVSS:3.1/AV:L/AC:L")]);
            assert_eq!(
                (advisory.cwes, advisory.vendor_severity),
                (vec!["CWE-20".to_owned()], Some("Moderate".to_owned()))
            );
        }
    })
    .unwrap();
}

#[test]
fn not_affected_in_one_product_does_not_hide_another() {
    let product = |words: &str, package: String| {
        format!(
            "<criteria>{}{package}</criteria>",
            criterion("", &format!("SUSE Linux Enterprise {words} is installed"))
        )
    };
    let rest = test("n", "curl", r#"<r:version operation="equals">0</r:version>"#);
    let criteria = format!(
        r#"<criteria operator="OR">{}{}{}</criteria>"#,
        product("Server 15 SP1", criterion("n", "curl is not affected")),
        product("Server for SAP Applications 15 SP1", criterion("", "curl is earlier than 0:1-1")),
        product("Server 15 SP2", criterion("n", "curl is not affected")),
    );
    let xml =
        document("oval:org.opensuse.security:def:1", "vulnerability", "<title>CVE-2020-1111</title>", &criteria, &rest);
    let expected =
        ["CVE-2020-1111 []", r#"SUSE:15.1 curl [Introduced("0"), Fixed("0:1-1")]"#, "SUSE:15.2 curl [] NotAffected"];
    assert_eq!(read("x.xml", &xml), expected);
}

#[test]
fn red_hat_tells_what_it_decided_on_packages_without_a_fix() {
    let check_in = |part: &str, state: &str, expected: &str| {
        let metadata = format!(
            r#"<title>CVE-2005-2541 tar: does not warn (moderate)</title><reference source="CVE" ref_id="CVE-2005-2541"/>
            <advisory><affected><resolution state="{state}"><component>tar</component></resolution></affected>
            <affected_cpe_list><cpe>cpe:/a:redhat:rhel_eus:8.1::appstream</cpe></affected_cpe_list></advisory>"#
        );
        let file = |id: &str| format!(r#"<r:rpmverifyfile_test id="{id}"/>"#);
        let rest = format!(
            r#"<tests>{}{}<r:rpminfo_test id="p"><r:object object_ref="op"/></r:rpminfo_test></tests>
            <objects><r:rpminfo_object id="op"><r:name>tar</r:name></r:rpminfo_object></objects>"#,
            file("m"),
            file("i")
        );
        let criteria = format!(
            r#"<criteria operator="OR">{}<criteria operator="AND">{}{}</criteria></criteria>"#,
            criterion("m", "Red Hat Enterprise Linux must be installed"),
            criterion("i", "Red Hat Enterprise Linux 8 is installed"),
            criterion("p", "tar is installed"),
        );
        let xml =
            document(&format!("oval:com.redhat.{part}:def:20052541"), "vulnerability", &metadata, &criteria, &rest);
        assert_eq!(read("rhel-8.1-eus.oval.xml", &xml), ["CVE-2005-2541 []", expected], "{state}");
    };
    let check = |state: &str, expected: &str| check_in("cve", state, expected);
    let open = r#"Red Hat:8.1:eus tar [Introduced("0")]"#;
    check("Affected", &format!("{open} Affected"));
    check("Will not fix", &format!("{open} WillNotFix"));
    check("Fix deferred", &format!("{open} Deferred"));
    check("Out of support scope", &format!("{open} EndOfLife"));
    check("Under investigation", "Red Hat:8.1:eus tar [] UnderInvestigation");
    check("Not affected", "Red Hat:8.1:eus tar [] NotAffected");
    check("Something new", &format!("{open} Affected"));
    // what is not affected is in definitions of its own, which may state no decision
    check_in("unaffected", "", "Red Hat:8.1:eus tar [] NotAffected");
}

#[test]
fn a_definition_of_thousands_of_packages_in_dozens_of_products_is_read() {
    let installed =
        |pack: usize| criterion("", &format!("SUSE Linux Enterprise Server 15 SP{} is installed", pack % 5 + 1));
    let products: String = (0..40).map(installed).collect();
    let packages: String =
        (0..3000).map(|number| criterion("", &format!("texlive-{number} is earlier than 0:1-1"))).collect();
    let any = |list: String| format!(r#"<criteria operator="OR">{list}</criteria>"#);
    let criteria = format!("<criteria>{}{}</criteria>", any(products), any(packages));
    let xml =
        document("oval:org.opensuse.security:def:1", "vulnerability", "<title>CVE-2020-1111</title>", &criteria, "");
    assert_eq!(read("x.xml", &xml).len(), 1 + 3000 * 5);
}

#[test]
fn azure_linux_tells_where_there_is_no_fix() {
    let check = |patchable: &str, state: &str, expected: &str| {
        let metadata = format!(
            r#"<title>CVE-2022-3736 affecting package bind</title><affected><platform>CBL-Mariner</platform></affected>
            <reference ref_id="CVE-2022-3736" source="CVE"/><patchable>{patchable}</patchable>"#
        );
        let id = "oval:com.microsoft.cbl-mariner:def:13203";
        let xml = document(
            id,
            "vulnerability",
            &metadata,
            &format!("<criteria>{}</criteria>", criterion("t", "x")),
            &test("t", "bind", state),
        );
        assert_eq!(read("cbl-mariner-2.0-oval.xml", &xml), ["AZL-13203 [CVE-2022-3736]", expected], "{patchable}");
    };
    let up_to = r#"<r:evr operation="less than or equal">0:9.16.33-1.cm2</r:evr>"#;
    check("true", &below("0:9.16.34-1.cm2"), r#"Azure Linux:2 bind [Introduced("0"), Fixed("0:9.16.34-1.cm2")]"#);
    check("false", up_to, r#"Azure Linux:2 bind [Introduced("0")] Affected"#);
    check("Not Applicable", up_to, "Azure Linux:2 bind [] NotAffected");
}

#[test]
fn ubuntu_names_packages_in_variables() {
    let rest = r#"<tests><d:dpkginfo_test id="t"><d:object object_ref="o"/><d:state state_ref="s"/></d:dpkginfo_test></tests>
        <objects><d:dpkginfo_object id="o"><d:name var_ref="v" var_check="at least one"/></d:dpkginfo_object></objects>
        <states><d:dpkginfo_state id="s"><d:evr datatype="debian_evr_string" operation="less than">0:1.2-3</d:evr></d:dpkginfo_state></states>
        <variables><constant_variable id="v"><value>libcurl4</value><value>curl</value></constant_variable></variables>"#;
    let criteria = format!(
        r#"<criteria><extend_definition definition_ref="r" comment="Ubuntu 20.04 LTS (focal) is installed." applicability_check="true"/>
        {}</criteria>"#,
        criterion("t", "(...curl package in focal was vulnerable but has been fixed")
    );
    let xml = document(
        "oval:com.ubuntu.focal:def:1",
        "vulnerability",
        "<title>CVE-2020-8177 on Ubuntu 20.04</title>",
        &criteria,
        rest,
    );
    let expected = [
        "CVE-2020-8177 []",
        r#"Ubuntu:20.04 curl [Introduced("0"), Fixed("0:1.2-3")]"#,
        r#"Ubuntu:20.04 libcurl4 [Introduced("0"), Fixed("0:1.2-3")]"#,
    ];
    assert_eq!(read("com.ubuntu.focal.cve.oval.xml", &xml), expected);
}

#[test]
fn a_document_that_is_no_oval_is_refused() {
    assert_eq!(read("x.xml", "<updates/>"), ["is not OVAL: has no element `oval_definitions`"]);
    assert!(read("x.xml", "<oval_definitions><definitions>")[0].contains("ends within 2 open elements"));
    assert!(recognises(&Head::new("x", b"<?xml version='1.0'?><o:oval_definitions xmlns:o='o'>")));
    assert!(!recognises(&Head::new("x", b"<oval_results/>")));
    let other = document("oval:org.debian:def:1", "patch", "", "<criteria/>", "");
    assert_eq!(read("x.xml", &other), ["! oval:org.debian:def:1: is of a publisher that is not known"]);
}
