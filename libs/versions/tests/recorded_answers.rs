//! Every answer that the schemes' own tools gave (`record.py`) is ours, too.

use muster_versions::Scheme;
use std::cmp::Ordering;

/// Each row of `fixtures/<scheme>.tsv`: `A`, `B`, and `<`, `=` or `>`, or `?` where the tool refuses the version, which
/// then stands in both columns. `rows_min` guards against a file that was cut.
fn check(scheme: Scheme, rows_min: usize) {
    let path = format!("{}/tests/fixtures/{}.tsv", env!("CARGO_MANIFEST_DIR"), scheme.name());
    let recorded = std::fs::read_to_string(&path).expect("the fixtures are part of the crate");
    let mut wrong = Vec::new();
    for row in recorded.lines() {
        let [a, b, answer] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{path}: `{row}` is no row") };
        let (forth, back) = (sign(scheme, a, b), sign(scheme, b, a));
        let expected_back = match answer {
            "<" => ">",
            ">" => "<",
            same => same,
        };
        if (forth, back) != (answer, expected_back) {
            wrong.push(format!("`{a}` {answer} `{b}`, but forth {forth} and back {back}"));
        }
    }
    assert!(wrong.is_empty(), "{path}: {} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(recorded.lines().count() >= rows_min, "{path} has fewer than {rows_min} rows");
}

fn sign(scheme: Scheme, a: &str, b: &str) -> &'static str {
    match scheme.compare(a, b) {
        Ok(Ordering::Less) => "<",
        Ok(Ordering::Equal) => "=",
        Ok(Ordering::Greater) => ">",
        Err(_) => "?",
    }
}

#[test]
fn deb_answers_as_dpkg_does() {
    check(Scheme::Deb, 2000);
}

#[test]
fn pep440_answers_as_packaging_does() {
    check(Scheme::Pep440, 2000);
}

#[test]
fn npm_answers_as_node_semver_does() {
    check(Scheme::Npm, 2000);
}

#[test]
fn cargo_answers_as_the_semver_crate_does() {
    check(Scheme::Cargo, 1000);
}

#[test]
fn go_answers_as_the_go_packages_do() {
    check(Scheme::Go, 1000);
}

#[test]
fn maven_answers_as_comparable_version_does() {
    check(Scheme::Maven, 2000);
}

#[test]
fn gem_answers_as_rubygems_does() {
    check(Scheme::Gem, 2000);
}

#[test]
fn nuget_answers_as_a_reference_does() {
    check(Scheme::Nuget, 2000);
}

#[test]
fn composer_answers_as_composer_does() {
    check(Scheme::Composer, 2000);
}

#[test]
fn hex_answers_as_elixir_does() {
    check(Scheme::Hex, 2000);
}

#[test]
fn pub_answers_as_a_reference_does() {
    check(Scheme::Pub, 2000);
}

#[test]
fn swift_answers_as_a_reference_does() {
    check(Scheme::Swift, 2000);
}

#[test]
fn rpm_answers_as_rpm_does() {
    check(Scheme::Rpm, 2000);
}

#[test]
fn apk_answers_as_apk_tools_does() {
    check(Scheme::Apk, 2000);
}

#[test]
fn alpm_answers_as_vercmp_does() {
    check(Scheme::Alpm, 2000);
}

#[test]
fn conan_answers_as_conan_does() {
    check(Scheme::Conan, 2000);
}

#[test]
fn cran_answers_as_r_does() {
    check(Scheme::Cran, 2000);
}

#[test]
fn hackage_answers_as_our_slow_reference_does() {
    check(Scheme::Hackage, 2000);
}

#[test]
fn bitnami_answers_as_our_slow_reference_does() {
    check(Scheme::Bitnami, 2000);
}

#[test]
fn openssl_answers_as_our_slow_reference_does() {
    check(Scheme::Openssl, 2000);
}

#[test]
fn windows_answers_as_our_slow_reference_does() {
    check(Scheme::Windows, 2000);
}
