//! The rules, on one small month in both syntaxes.

use super::*;

const JSON: &str = r#"{"DocumentTitle":{"Value":"October 2023 Security Updates"},"DocumentType":{"Value":"Security Update"},
"DocumentPublisher":{"ContactDetails":{"Value":"secure@microsoft.com"},"IssuingAuthority":{"Value":"The Microsoft Security Response Center"},"Type":0},
"DocumentTracking":{"Identification":{"ID":{"Value":"2023-Oct"}},"InitialReleaseDate":"2023-10-10T07:00:00","CurrentReleaseDate":"2024-01-01T08:00:00Z"},
"ProductTree":{"Branch":[],"FullProductName":[{"ProductID":"11571","Value":"Windows Server 2019"},
 {"ProductID":"10378","Value":"Windows Server 2012"},{"ProductID":"9312","Value":"Windows 10 Version 1809 for x64-based Systems"},
 {"ProductID":"11655","Value":"Microsoft Edge (Chromium-based)"}]},
"Vulnerability":[{"CVE":"CVE-2023-36563","Title":{"Value":"Microsoft WordPad Information Disclosure Vulnerability"},
 "Notes":[{"Title":"Description","Type":2,"Value":"<p>It discloses hashes.</p>"}],"CWE":[{"ID":"CWE-20","Value":"Improper Input Validation"}],
 "ProductStatuses":[{"ProductID":["11571","10378","9312","11655"],"Type":3}],
 "Threats":[{"Type":0,"Description":{"Value":"Information Disclosure"},"ProductID":["11571"]},
  {"Type":3,"Description":{"Value":"Important"},"ProductID":["11571","10378"]},{"Type":3,"Description":{"Value":"Moderate"},"ProductID":["9312"]},
  {"Type":1,"Description":{"Value":"Publicly Disclosed:Yes;Exploited:Yes;Latest Software Release:Exploitation Detected"}}],
 "CVSSScoreSets":[{"BaseScore":6.5,"Vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N/E:F/RL:O/RC:C","ProductID":["11571","10378"]}],
 "Remediations":[
  {"Type":2,"SubType":"Security Update","Description":{"Value":"5031361"},"Supercedence":"5030214","FixedBuild":"10.0.17763.4974","ProductID":["11571"]},
  {"Type":2,"SubType":"Security Hotpatch Update","Description":{"Value":"5031399"},"FixedBuild":"10.0.17763.4970","ProductID":["11571"]},
  {"Type":2,"SubType":"IE Cumulative","Description":{"Value":"5031355"},"FixedBuild":"1.001","ProductID":["11571"]},
  {"Type":2,"SubType":"Monthly Rollup","Description":{"Value":"5031442"},"FixedBuild":"","ProductID":["10378"]},
  {"Type":0,"Description":{"Value":"Do not open files."},"ProductID":["9312"]}],
 "RevisionHistory":[{"Number":"1.0","Date":"2023-10-10T07:00:00"},{"Number":"1.1","Date":"2023-11-01T07:00:00"}]}]}"#;

const XML: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<cvrf:cvrfdoc xmlns:cvrf="http://www.icasi.org/CVRF/schema/cvrf/1.1" xmlns:vuln="v" xmlns:prod="p">
<cvrf:DocumentTitle>October 2023 Security Updates</cvrf:DocumentTitle>
<cvrf:DocumentPublisher Type="Vendor"><cvrf:IssuingAuthority>The Microsoft Security Response Center</cvrf:IssuingAuthority></cvrf:DocumentPublisher>
<cvrf:DocumentTracking><cvrf:InitialReleaseDate>2023-10-10T07:00:00</cvrf:InitialReleaseDate><cvrf:CurrentReleaseDate>2024-01-01T08:00:00Z</cvrf:CurrentReleaseDate></cvrf:DocumentTracking>
<prod:ProductTree><prod:Branch Type="Vendor" Name="Microsoft"><prod:FullProductName ProductID="11571">Windows Server 2019</prod:FullProductName></prod:Branch>
<prod:FullProductName ProductID="11571">Windows Server 2019</prod:FullProductName>
<prod:FullProductName ProductID="10378">Windows Server 2012</prod:FullProductName>
<prod:FullProductName ProductID="9312">Windows 10 Version 1809 for x64-based Systems</prod:FullProductName>
<prod:FullProductName ProductID="11655">Microsoft Edge (Chromium-based)</prod:FullProductName></prod:ProductTree>
<vuln:Vulnerability Ordinal="1"><vuln:Title>Microsoft WordPad Information Disclosure Vulnerability</vuln:Title>
<vuln:Notes><vuln:Note Title="Description" Type="Description" Ordinal="0">&lt;p&gt;It discloses hashes.&lt;/p&gt;</vuln:Note><vuln:Note Title="FAQ" Type="FAQ">Q</vuln:Note></vuln:Notes>
<vuln:CVE>CVE-2023-36563</vuln:CVE><vuln:CWE ID="CWE-20">Improper Input Validation</vuln:CWE>
<vuln:ProductStatuses><vuln:Status Type="Known Affected"><vuln:ProductID>11571</vuln:ProductID><vuln:ProductID>10378</vuln:ProductID><vuln:ProductID>9312</vuln:ProductID><vuln:ProductID>11655</vuln:ProductID></vuln:Status></vuln:ProductStatuses>
<vuln:Threats><vuln:Threat Type="Impact"><vuln:Description>Information Disclosure</vuln:Description><vuln:ProductID>11571</vuln:ProductID></vuln:Threat>
<vuln:Threat Type="Severity"><vuln:Description>Important</vuln:Description><vuln:ProductID>11571</vuln:ProductID><vuln:ProductID>10378</vuln:ProductID></vuln:Threat>
<vuln:Threat Type="Severity"><vuln:Description>Moderate</vuln:Description><vuln:ProductID>9312</vuln:ProductID></vuln:Threat>
<vuln:Threat Type="Exploit Status"><vuln:Description>Publicly Disclosed:Yes;Exploited:Yes;Latest Software Release:Exploitation Detected</vuln:Description></vuln:Threat></vuln:Threats>
<vuln:CVSSScoreSets><vuln:ScoreSet><vuln:BaseScore>6.5</vuln:BaseScore><vuln:Vector>CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N/E:F/RL:O/RC:C</vuln:Vector><vuln:ProductID>11571</vuln:ProductID><vuln:ProductID>10378</vuln:ProductID></vuln:ScoreSet></vuln:CVSSScoreSets>
<vuln:Remediations>
<vuln:Remediation Type="Vendor Fix"><vuln:Description>5031361</vuln:Description><vuln:Supercedence>5030214</vuln:Supercedence><vuln:ProductID>11571</vuln:ProductID><vuln:FixedBuild>10.0.17763.4974</vuln:FixedBuild></vuln:Remediation>
<vuln:Remediation Type="Vendor Fix"><vuln:Description>5031399</vuln:Description><vuln:ProductID>11571</vuln:ProductID><vuln:FixedBuild>10.0.17763.4970</vuln:FixedBuild></vuln:Remediation>
<vuln:Remediation Type="Vendor Fix"><vuln:Description>5031355</vuln:Description><vuln:ProductID>11571</vuln:ProductID><vuln:FixedBuild>1.001</vuln:FixedBuild></vuln:Remediation>
<vuln:Remediation Type="Vendor Fix"><vuln:Description>5031442</vuln:Description><vuln:ProductID>10378</vuln:ProductID><vuln:FixedBuild/></vuln:Remediation>
<vuln:Remediation Type="Workaround"><vuln:Description>Do not open files.</vuln:Description><vuln:ProductID>9312</vuln:ProductID></vuln:Remediation>
</vuln:Remediations>
<vuln:RevisionHistory><vuln:Revision><cvrf:Date>2023-10-10T07:00:00</cvrf:Date></vuln:Revision><vuln:Revision><cvrf:Date>2023-11-01T07:00:00</cvrf:Date></vuln:Revision></vuln:RevisionHistory>
</vuln:Vulnerability></cvrf:cvrfdoc>"#;

fn items(document: &str) -> Vec<Item> {
    assert!(recognises(&Head::new("2023-Oct", document.as_bytes())));
    let mut items = Vec::new();
    parse(&Document { name: "2023-Oct", bytes: document.as_bytes() }, &mut |item| items.push(item)).unwrap();
    items
}

#[test]
fn json_and_xml_say_the_same() {
    assert_eq!(items(JSON), items(XML));
}

#[test]
fn an_operating_system_is_good_from_its_lowest_fixed_build_on() {
    let items = items(JSON);
    let Some(Item::Advisory(advisory)) = items.last() else { panic!("no advisory in {items:?}") };
    let shown: Vec<String> = advisory
        .affected
        .iter()
        .map(|one| {
            let events = one.ranges.first().map(|range| format!("{:?}", range.events)).unwrap_or_default();
            let (state, severity) = (one.state.unwrap(), one.vendor_severity.as_deref().unwrap_or("-"));
            format!(
                "{} {} {state:?} {events} {severity} {}",
                one.ecosystem,
                one.name,
                one.remark.as_deref().unwrap_or("-")
            )
        })
        .collect();
    let expected = [
        "Windows:Windows 10 Version 1809 for x64-based Systems Windows 10 Version 1809 for x64-based Systems Affected \
         [Introduced(\"0\")] Moderate -",
        // Its fix tells no build.
        "Windows:Windows Server 2012 Windows Server 2012 UnderInvestigation  Important KB5031442",
        "Windows:Windows Server 2019 Windows Server 2019 Fixed [Introduced(\"0\"), Fixed(\"10.0.17763.4970\")] Important \
         KB5031355; KB5031361 supersedes KB5030214; KB5031399",
    ];
    assert_eq!(shown, expected);
    assert_eq!(advisory.details, "It discloses hashes.");
    assert_eq!(advisory.vendor_severity.as_deref(), Some("Important"));
    assert_eq!(advisory.cwes, ["CWE-20"]);
    assert_eq!(advisory.published.unwrap().to_string(), "2023-10-10T07:00:00Z");
    assert_eq!(advisory.modified.unwrap().to_string(), "2023-11-01T07:00:00Z");
    assert!(matches!(&items[0], Item::UnknownEcosystem(name) if name == "Microsoft products other than Windows"));
    assert!(
        matches!(&items[1], Item::Exploit(cve, exploit) if cve == "CVE-2023-36563" && exploit.source == "MICROSOFT")
    );
}

#[test]
fn only_operating_systems_are_kept() {
    let check = |name: &str, expected: bool| assert_eq!(is_system(name), expected, "{name}");
    check("Windows Server 2019  (Server Core installation)", true);
    check("Windows Server, version 1803  (Server Core Installation)", true);
    check("Windows 11 Version 22H2 for ARM64-based Systems", true);
    check("Windows 8.1 for 32-bit systems", true);
    check("Windows RT 8.1", true);
    check("Windows Server Update Services 3.0", false);
    check("Windows Defender Antimalware Platform", false);
    check("Windows Subsystem for Linux", false);
    check("Microsoft .NET Framework 4.8 on Windows 10 Version 1809 for x64-based Systems", false);
    check("Internet Explorer 11 on Windows Server 2012", false);
}

#[test]
fn another_cvrf_is_not_recognised() {
    let recognised = |text: &str| recognises(&Head::new("x", text.as_bytes()));
    assert!(!recognised(r#"{"Title":"Security update","Tracking":{},"ProductTree":{},"Vulnerabilities":[]}"#)); // SUSE's
    assert!(!recognised("<cvrfdoc><DocumentTitle>SUSE</DocumentTitle></cvrfdoc>"));
    assert!(!recognised("<html>Microsoft</html>"));
}

#[test]
fn broken_xml_is_refused() {
    let read = |text: &str| parse(&Document { name: "x", bytes: text.as_bytes() }, &mut |_| {});
    for broken in ["<cvrfdoc>", "<cvrfdoc></b>", &"<a>".repeat(50)] {
        assert!(matches!(read(broken), Err(FeedError::NotThis { .. })), "{broken}");
    }
}
