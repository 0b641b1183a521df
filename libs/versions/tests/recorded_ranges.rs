//! Every answer that the schemes' own tools gave about ranges (`record_ranges.py`) is ours, too.

use muster_versions::Scheme;

/// Each row of `fixtures/ranges/<scheme>.tsv`: a range, a version, and `yes`, `no`, or `?` where the tool refuses one
/// of them. `rows_min` guards against a file that was cut.
fn check(scheme: Scheme, rows_min: usize) {
    let path = format!("{}/tests/fixtures/ranges/{}.tsv", env!("CARGO_MANIFEST_DIR"), scheme.name());
    let recorded = std::fs::read_to_string(&path).expect("the fixtures are part of the crate");
    let mut wrong = Vec::new();
    for row in recorded.lines() {
        let [range, version, answer] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{path}: `{row}` is no row")
        };
        let ours = match scheme.range(range).map(|range| range.contains(version)) {
            Ok(Ok(true)) => "yes",
            Ok(Ok(false)) => "no",
            Ok(Err(_)) | Err(_) => "?",
        };
        if ours != answer {
            wrong.push(format!("`{version}` in `{range}`: {answer}, but ours {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{path}: {} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(recorded.lines().count() >= rows_min, "{path} has fewer than {rows_min} rows");
}

#[test]
fn npm_answers_as_node_semver_does() {
    check(Scheme::Npm, 1000);
}

#[test]
fn pep440_answers_as_packaging_does() {
    check(Scheme::Pep440, 1000);
}

#[test]
fn gem_answers_as_rubygems_does() {
    check(Scheme::Gem, 1000);
}

#[test]
fn composer_answers_as_composer_does() {
    check(Scheme::Composer, 1000);
}

#[test]
fn cargo_answers_as_the_semver_crate_does() {
    check(Scheme::Cargo, 1000);
}

#[test]
fn maven_answers_as_maven_does() {
    check(Scheme::Maven, 1000);
}

#[test]
fn hex_answers_as_elixir_does() {
    check(Scheme::Hex, 1000);
}
