//! Package URLs as the specification's own test suite has them, and as they come in real life.
//!
//! `fixtures/purl-test-suite.json` is the suite of package-url/packageurl-python 0.17.6 (tests/data/test-suite-data.json,
//! MIT licence, copyright the purl authors).

use muster_domain::{Components, PURL_LENGTH_MAX, PackageUrl};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// The canonical text, or why there is none.
fn check(raw: &str, expected: &str) {
    let told = PackageUrl::parse(raw).map_or_else(|error| error.to_string(), |purl| purl.to_string());
    assert_eq!(told, expected, "{raw}");
    if told.starts_with("pkg:") {
        assert_eq!(PackageUrl::parse(&told).unwrap(), PackageUrl::parse(raw).unwrap(), "{told} is canonical");
    }
}

#[derive(Deserialize)]
struct Case {
    description: String,
    purl: String,
    canonical_purl: Option<String>,
    is_invalid: bool,
}

/// The suite is older than ECMA-427, whose §5.4 encodes a slash that is no separator: in the suite of the standard
/// (purl-spec, tests/types/maven-test.json) these are expected as they are here.
fn of_the_standard(canonical: &str) -> String {
    canonical.replace("repo.spring.io/release", "repo.spring.io%2Frelease").replace("=gcr.io/", "=gcr.io%2F")
}

#[test]
fn every_case_of_the_test_suite_is_answered() {
    let suite: Vec<Value> = serde_json::from_str(include_str!("fixtures/purl-test-suite.json")).unwrap();
    assert_eq!(suite.len(), 32);
    for parts in suite {
        let case: Case = serde_json::from_value(parts.clone()).unwrap();
        let built = serde_json::from_value::<Components>(parts.clone())
            .map_err(|error| error.to_string())
            .and_then(|components| PackageUrl::build(components).map_err(|error| error.to_string()));
        let parsed = PackageUrl::parse(&case.purl);
        if case.is_invalid {
            assert!(parsed.is_err(), "{}: {}", case.description, case.purl);
            assert!(built.is_err(), "{}: {parts}", case.description);
            continue;
        }
        let canonical = of_the_standard(case.canonical_purl.as_deref().unwrap());
        let purl = parsed.unwrap_or_else(|error| panic!("{}: {error}", case.purl));
        assert_eq!(purl.to_string(), canonical, "{}", case.description);
        assert_eq!(built.as_ref(), Ok(&purl), "{}", case.description);
        assert_eq!(PackageUrl::parse(&canonical).as_ref(), Ok(&purl), "{}", case.description);
        let shown = serde_json::to_value(&purl).unwrap();
        for part in ["type", "name", "version", "qualifiers", "subpath"] {
            assert_eq!(shown[part], parts[part], "{}: {part}", case.description);
        }
        // one case ends its namespace with a slash, which §5.6.3 says is not part of it
        let namespace = parts["namespace"].as_str().map(|namespace| namespace.trim_end_matches('/'));
        assert_eq!(shown["namespace"], json!(namespace), "{}", case.description);
        assert_eq!(shown["purl"], json!(canonical));
    }
}

#[test]
fn parts_are_split_from_right_to_left() {
    check("pkg:npm/@babel/core", "pkg:npm/%40babel/core"); // a scope that should have been encoded
    check("pkg:npm/@babel/core@7.0.0#/lib/../dist//", "pkg:npm/%40babel/core@7.0.0#lib/dist");
    check("pkg:opam/git@3/16.1", "pkg:opam/git@3%2F16.1"); // a slash in a version
    check("pkg:generic/a@1@2", "pkg:generic/a%401@2"); // the last `@`
    check("PKG:///DEB/Debian//cURL@7.50.3-1", "pkg:deb/debian/curl@7.50.3-1"); // scheme and type in any case
    check("pkg:generic/ns/name/", "pkg:generic/ns/name");
    check("pkg:generic/name@", "pkg:generic/name"); // an empty version is none
    check("pkg:generic/name?#", "pkg:generic/name");
    check("pkg:generic/name#.//%2E%2E", "pkg:generic/name");
    check("pkg:rpm/centerim@4.22.10-1.el6?arch=i686&epoch=1", "pkg:rpm/centerim@4.22.10-1.el6?arch=i686&epoch=1");
}

#[test]
fn all_but_plain_letters_and_the_colon_is_encoded() {
    check("pkg:deb/debian/attr@1:2.4.47-2+b1?arch=amd64", "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64");
    check("pkg:oci/debian@sha256%3A244fd47e07d10?tag=latest", "pkg:oci/debian@sha256:244fd47e07d10?tag=latest");
    check("pkg:generic/b%c3%a4r/a%20(b)!@1*2", "pkg:generic/b%C3%A4r/a%20%28b%29%21@1%2A2");
    check("pkg:generic/bär/名", "pkg:generic/b%C3%A4r/%E5%90%8D"); // not ASCII, so not quite a URL
    check("pkg:brew/open%2Fssl%25401.1@1.1.1w", "pkg:brew/open%2Fssl%25401.1@1.1.1w"); // decoded once, not twice
    check("pkg:generic/a~b_c-d.e@~1", "pkg:generic/a~b_c-d.e@~1");
    check(
        "pkg:swid/Acme/example.com/Enterprise+Server@1?tag_id=7",
        "pkg:swid/Acme/example.com/Enterprise%2BServer@1?tag_id=7",
    );
}

#[test]
fn qualifiers_are_sorted_and_those_without_a_value_left_out() {
    check("pkg:generic/example?b=1&c=2&a=3", "pkg:generic/example?a=3&b=1&c=2");
    check("pkg:generic/example?B=1&c=&d&&a=x=y", "pkg:generic/example?a=x%3Dy&b=1");
    let calculated =
        "pkg:generic/example?calc=2%2B1%3D3&url=https:%2F%2Fexample.com%2Fsite%3Fval%5B1%5D%3Dmy%20key%23docs";
    check("pkg:generic/example?url=https://example.com/site%3Fval[1]=my key%23docs&calc=2+1=3", calculated);
    let checksums = "pkg:generic/openssl@1.1.10g?checksum=sha1:ad9503c3e994a4f%2Csha256:41bf9088b3a1e6c1ef1d";
    check("pkg:generic/openssl@1.1.10g?checksum=sha1:ad9503c3e994a4f,sha256:41bf9088b3a1e6c1ef1d", checksums);
    let purl = PackageUrl::parse(checksums).unwrap();
    assert_eq!(purl.qualifiers["checksum"], "sha1:ad9503c3e994a4f,sha256:41bf9088b3a1e6c1ef1d");
}

#[test]
fn each_type_writes_its_parts_its_own_way() {
    check("pkg:pypi/Django_Package@1.0RC1", "pkg:pypi/django-package@1.0rc1");
    check("pkg:pypi/zope.interface@5", "pkg:pypi/zope.interface@5");
    check("pkg:github/Package-URL/Purl-Spec@Main", "pkg:github/package-url/purl-spec@Main");
    check("pkg:bitbucket/birKenfeld/pyGments-main@244F", "pkg:bitbucket/birkenfeld/pygments-main@244F");
    check("pkg:gitlab/Gnome/GLib", "pkg:gitlab/gnome/glib");
    check("pkg:deb/Debian/LibSSL3@3.0", "pkg:deb/debian/libssl3@3.0");
    check("pkg:rpm/Fedora/ImageMagick@7", "pkg:rpm/fedora/ImageMagick@7"); // only the vendor
    check("pkg:apk/Alpine/cURL@8", "pkg:apk/alpine/curl@8");
    check("pkg:alpm/Arch/Pacman@6.0.1-1?arch=x86_64", "pkg:alpm/arch/pacman@6.0.1-1?arch=x86_64");
    check("pkg:composer/Laravel/Laravel@5.5.0", "pkg:composer/laravel/laravel@5.5.0");
    check("pkg:hex/Acme/Foo@2.3.", "pkg:hex/acme/foo@2.3.");
    check("pkg:golang/github.com/BurntSushi/toml@v1.0.0", "pkg:golang/github.com/burntsushi/toml@v1.0.0");
    check("pkg:npm/%40Angular/Animation@12.3.1-RC", "pkg:npm/%40angular/animation@12.3.1-RC");
    check("pkg:oci/Debian@SHA256:244FD", "pkg:oci/debian@sha256:244fd");
    check("pkg:pub/Some-Name@1", "pkg:pub/some_name@1");
    check("pkg:huggingface/EleutherAI/gpt-neo-1.3B@79717AE", "pkg:huggingface/EleutherAI/gpt-neo-1.3B@79717ae");
    check("pkg:cpan/drolsky/DateTime@1.55", "pkg:cpan/DROLSKY/DateTime@1.55");
    check("pkg:nuget/EnterpriseLibrary.Common@6.0", "pkg:nuget/EnterpriseLibrary.Common@6.0");
    check("pkg:maven/HTTPClient/HTTPClient@0.3-3", "pkg:maven/HTTPClient/HTTPClient@0.3-3");
    check("pkg:swift/github.com/Alamofire/Alamofire@5.4.3", "pkg:swift/github.com/Alamofire/Alamofire@5.4.3");
    check("pkg:conan/bincrafters/cctz@2.3?channel=stable", "pkg:conan/bincrafters/cctz@2.3?channel=stable");
    check("pkg:cran/A3@0.9.1", "pkg:cran/A3@0.9.1");
    let url = "repository_url=https:%2F%2Fadb-5.azuredatabricks.net%2Fapi";
    check(&format!("pkg:mlflow/CreditFraud@3?{url}"), &format!("pkg:mlflow/creditfraud@3?{url}"));
    let url = "repository_url=https:%2F%2Fwestus2.api.azureml.ms%2Fmlflow";
    check(&format!("pkg:mlflow/CreditFraud@3?{url}"), &format!("pkg:mlflow/CreditFraud@3?{url}"));
}

#[test]
fn what_is_wrong_is_named() {
    check("", "a package URL begins with `pkg:`");
    check("EnterpriseLibrary.Common@6.0.1304", "a package URL begins with `pkg:`");
    check("pkg%3Amaven/org.apache.commons/io", "a package URL begins with `pkg:`");
    check("https://example.com/a", "a package URL begins with `pkg:`");
    check("pkg:EnterpriseLibrary.Common@6.0.1304", "the package URL has no type");
    check("pkg:///", "the package URL has no type");
    check("pkg:3nginx/nginx@0.8.9", "`3nginx` is no type of a package URL");
    check("pkg:nginx:a/nginx@0.8.9", "`nginx:a` is no type of a package URL");
    check("pkg:n+g/nginx@0.8.9", "`n+g` is no type of a package URL"); // allowed before ECMA-427
    check("pkg:n&g?inx/nginx@0.8.9", "the package URL has no type");
    check("pkg:maven/@1.3.4", "the package URL has no name");
    check("pkg:generic/", "the package URL has no name");
    check("pkg:generic/%2F", "the package URL has no name");
    check("pkg:swift/github.com/Alamofire/@5.4.3", "the package URL has no name");
    check("pkg:npm/a@1?in%20production=true", "`in%20production` is no key of a qualifier");
    check("pkg:npm/a@1?1st=true", "`1st` is no key of a qualifier");
    check("pkg:npm/a@1?=true", "`` is no key of a qualifier");
    check("pkg:npm/a@1?os=a&OS=b", "qualifier `os` is given twice");
    check("pkg:npm/a@1?os=a&os=a", "qualifier `os` is given twice");
    let unencoded = "must be percent-encoded where it does not separate the parts of a package URL";
    check("pkg:generic/a@1?url=https://x/?id=2", &format!("`?` {unencoded}")); // else a part of the version
    check("pkg:generic/a#b#c", &format!("`#` {unencoded}"));
    check("pkg:generic/100%", "`100%` is not percent-encoded UTF-8");
    check("pkg:generic/a%+1", "`a%+1` is not percent-encoded UTF-8"); // `+1` is a number, but no hexadecimal one
    check("pkg:generic/a%é", "`a%é` is not percent-encoded UTF-8");
    check("pkg:generic/%FF", "`%FF` is not percent-encoded UTF-8");
    check("pkg:generic/a%2Fb/c", "segment `a%2Fb` contains an encoded `/`");
    check("pkg:generic/c#a%2F..", "segment `a%2F..` contains an encoded `/`");
    check("pkg:pypi/a/b", "packages of type `pypi` have no namespace");
    check("pkg:swift/Alamofire@5.4.3", "packages of type `swift` have a namespace, which is not given");
    check("pkg:vscode-extension/java@1", "packages of type `vscode-extension` have a namespace, which is not given");
    check("pkg:cpan/LWP::UserAgent@6.7.6", "packages of type `cpan` have a namespace, which is not given");
    check("pkg:cpan/GDT/URI::PackageURL", "`URI::PackageURL` is no name of a package of type `cpan`");
    check("pkg:julia/Dates", "packages of type `julia` have a qualifier `uuid`, which is not given");
    check("pkg:swid/Fedora@29", "packages of type `swid` have a qualifier `tag_id`, which is not given");
    let long = format!("pkg:generic/{}", "a".repeat(PURL_LENGTH_MAX));
    check(&long, "a package URL of 8204 bytes is longer than 8192");
    check(&format!("pkg:generic/{}", "é".repeat(4000)), "a package URL of 24012 bytes is longer than 8192");
}

#[test]
fn components_are_built_into_the_canonical_form() {
    let build = |parts: Value| PackageUrl::build(serde_json::from_value(parts).unwrap());
    let purl = build(json!({"type": "NPM", "namespace": "/@babel/", "name": "core", "version": "", "qualifiers": {"OS": "linux", "x": ""},
        "subpath": "./lib/../a b"}))
    .unwrap();
    let expected = json!({"type": "npm", "namespace": "@babel", "name": "core", "version": null,
        "qualifiers": {"os": "linux"}, "subpath": "lib/a b", "purl": "pkg:npm/%40babel/core?os=linux#lib/a%20b"});
    assert_eq!(serde_json::to_value(&purl).unwrap(), expected);
    assert_eq!(build(expected).unwrap(), purl); // what is shown can be built again
    assert_eq!(build(json!({"type": "generic", "name": "a/b"})).unwrap().to_string(), "pkg:generic/a%2Fb");
    assert!(build(json!({"type": "", "name": "a"})).is_err());
    assert!(build(json!({"type": "generic", "name": ""})).is_err());
    assert!(build(json!({"type": "generic", "name": "a", "qualifiers": {"in production": "true"}})).is_err());
    assert!(build(json!({"type": "generic", "name": "a", "qualifiers": {"a": "1", "A": "2"}})).is_err());
    assert!(serde_json::from_value::<Components>(json!({"type": null, "name": "a"})).is_err());
}

#[test]
fn the_parts_are_to_be_had_as_they_are_written() {
    let parts = Components::parse("pkg:golang/github.com/BurntSushi/toml@v1.0.0").unwrap();
    assert_eq!(parts.namespace.as_deref(), Some("github.com/BurntSushi")); // a Go module's case counts
}

/// Text with the pieces that package URLs are made of.
fn likely_purl() -> impl Strategy<Value = String> {
    let pieces = [
        "pkg:", "PKG", "deb", "npm", "swift", "/", "//", "@", "?", "&", "=", "#", ":", "%", "%2F", "%40", "%C3%A4",
        "%FF", ".", "..", "+", " ", "é", "a", "B1", "_", "arch", "checksum",
    ];
    let piece = prop::sample::select(pieces.to_vec());
    (prop::sample::select(vec!["", "pkg:generic/", "pkg:npm/a"]), prop::collection::vec(piece, 0..16))
        .prop_map(|(start, pieces)| format!("{start}{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_is_canonical(raw in prop_oneof![any::<String>(), likely_purl()]) {
        if let Ok(purl) = PackageUrl::parse(&raw) {
            let canonical = purl.to_string();
            prop_assert!(canonical.is_ascii() && canonical.len() <= PURL_LENGTH_MAX);
            prop_assert_eq!(PackageUrl::parse(&canonical), Ok(purl));
        }
    }

    #[test]
    fn any_parts_are_refused_or_read_back_as_they_were_built(
        package_type in "[a-z]{1,8}", namespace in any::<Option<String>>(), name in any::<String>(),
        version in any::<Option<String>>(), value in any::<String>(), subpath in any::<Option<String>>(),
    ) {
        let qualifiers = Some([("key".to_owned(), value)].into());
        if let Ok(purl) = PackageUrl::build(Components { package_type, namespace, name, version, qualifiers, subpath }) {
            prop_assert_eq!(PackageUrl::parse(&purl.to_string()), Ok(purl));
        }
    }
}
