//! Scores that FIRST's own documents give: the examples of each version, the user guides' and the specifications'.

use muster_cvss::score;

/// `base temporal environmental SEVERITY`, `-` for a score that the vector does not have.
fn check(vector: &str, expected: &str) {
    let scores = score(vector).unwrap_or_else(|error| panic!("{vector}: {error}"));
    let or_none = |score: Option<muster_cvss::Score>| score.map_or("-".to_owned(), |score| score.to_string());
    let (temporal, environmental) = (or_none(scores.temporal), or_none(scores.environmental));
    assert_eq!(format!("{} {temporal} {environmental} {}", scores.base, scores.severity), expected, "{vector}");
}

#[test]
fn the_guide_of_version_2() {
    // §3.3.1, CVE-2002-0392, Apache chunked encoding; the environmental score is the highest of the range it gives
    check("AV:N/AC:L/Au:N/C:N/I:N/A:C", "7.8 - - HIGH");
    check("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C", "7.8 6.4 - MEDIUM");
    check("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:N/TD:N/CR:M/IR:M/AR:H", "7.8 6.4 0.0 LOW");
    check("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", "7.8 6.4 9.2 HIGH");
    // §3.3.2, CVE-2003-0818, Microsoft's ASN.1 library
    check("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C", "10.0 8.3 - HIGH");
    check("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:L", "10.0 8.3 9.0 HIGH");
    // §3.3.3, CVE-2003-0062, NOD32
    check("AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C", "6.2 4.9 - MEDIUM");
    check("AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:M", "6.2 4.9 7.5 HIGH");
    check("AV:L/AC:L/Au:N/C:N/I:N/A:N", "0.0 - - LOW"); // no impact; NVD's scale of version 2 begins with LOW
}

#[test]
fn the_examples_of_version_3() {
    for version in ["3.0", "3.1"] {
        let check = |metrics: &str, expected: &str| check(&format!("CVSS:{version}/{metrics}"), expected);
        check("AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", "6.4 - - MEDIUM"); // CVE-2013-0375, MySQL
        check("AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", "3.1 - - LOW"); // CVE-2014-3566, POODLE
        check("AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", "9.9 - - CRITICAL"); // CVE-2012-1516, VMware
        check("AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", "4.2 - - MEDIUM"); // CVE-2009-0783, Tomcat
        check("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "7.5 - - HIGH"); // CVE-2014-0160, Heartbleed
        check("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "9.8 - - CRITICAL"); // CVE-2014-6271, Shellshock
        check("AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", "6.8 - - MEDIUM"); // CVE-2008-1447, Kaminsky
        check("AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", "9.3 - - CRITICAL"); // CVE-2013-6014, Juniper proxy ARP
        check("AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", "4.6 - - MEDIUM"); // lock screen by hand
        check("AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "0.0 - - NONE"); // no impact
    }
}

#[test]
fn version_3_1_rounds_up_at_five_decimals_and_weighs_a_changed_scope_anew() {
    // base 7.0 times 1.0 stays 7.0, whatever binary floating-point numbers make of it
    check("CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:H/E:H/RL:U/RC:C", "7.0 7.0 - HIGH");
    // found by comparing the two formulas for the modified impact: 3.0 §8.3 and 3.1 §7.3
    let metrics = "AV:N/AC:H/PR:H/UI:R/S:C/C:H/I:H/A:H/MAV:P/CR:H/IR:H/AR:H";
    let [old, new] = ["3.0", "3.1"].map(|version| score(&format!("CVSS:{version}/{metrics}")).unwrap().environmental);
    assert_ne!(old, new);
}

#[test]
fn version_4_names_its_score_by_the_groups_it_has() {
    let base = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H";
    check(base, "10.0 - - CRITICAL"); // the worst macro vector
    check(&format!("{base}/E:U"), "10.0 9.1 - CRITICAL");
    check(&format!("{base}/MVI:L/MSA:S"), "10.0 - 9.8 CRITICAL");
    check(&format!("{base}/S:P/U:Red"), "10.0 - - CRITICAL"); // supplemental metrics score nothing
    check(&format!("{base}/E:X/CR:X/MSI:X"), "10.0 - - CRITICAL"); // not defined is not set
    let zero = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N";
    check(zero, "0.0 - - NONE");
    check(&format!("{zero}/MSI:S"), "0.0 - 8.9 HIGH"); // harm to people where the vendor saw none
}

#[test]
fn the_examples_of_version_4() {
    let check = |metrics: &str, expected: &str| check(&format!("CVSS:4.0/{metrics}"), expected);
    // CVE-2022-41741, nginx
    check("AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "7.3 - - HIGH");
    // CVE-2020-3549, Cisco
    check("AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "7.7 - - HIGH");
    // CVE-2023-3089, OpenShift in FIPS mode
    check("AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", "8.3 - - HIGH");
    check(
        "AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N/CR:H/IR:L/AR:L/MAV:N/MAC:H/MVC:H/MVI:L/MVA:L",
        "8.3 - 8.1 HIGH",
    );
    // CVE-2021-44714, Acrobat
    check("AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", "4.6 - - MEDIUM");
    // CVE-2022-21830, Rocket.Chat: effects beyond the vulnerable system alone
    check("AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", "5.1 - - MEDIUM");
    // CVE-2021-44228, Log4Shell
    check("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "10.0 - - CRITICAL");
    // CVE-2014-0160, Heartbleed; the threat is that everybody attacks it
    check("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:A", "8.7 8.7 - HIGH");
    // CVE-2014-6271, Shellshock
    check("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "9.3 - - CRITICAL");
    // the lowest macro vector has no lower one to go down to
    check("AV:P/AC:H/AT:N/PR:H/UI:A/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N/E:U", "1.0 0.1 - LOW");
}

#[test]
fn scores_are_numbers_with_one_decimal_as_json() {
    let scores = score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/RL:O").unwrap();
    let expected =
        r#"{"version":"3.1","base":9.8,"temporal":9.4,"environmental":null,"score":9.4,"severity":"CRITICAL"}"#;
    assert_eq!(serde_json::to_string(&scores).unwrap(), expected);
}
