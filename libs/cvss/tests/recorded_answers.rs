//! What Red Hat's `cvss` answered of random vectors (`record.py`) is ours, too.

/// Each row of `fixtures/v<version>.tsv`: vector, base, temporal and environmental score, `-` for none.
/// MUSTER_CVSS_ANSWERS names another folder of such files, for more rows than are kept.
fn check(version: &str) {
    let folder = std::env::var("MUSTER_CVSS_ANSWERS")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures").to_owned());
    let path = format!("{folder}/v{version}.tsv");
    let recorded = std::fs::read_to_string(&path).expect("the fixtures are part of the crate");
    let mut wrong = Vec::new();
    for row in recorded.lines() {
        let (vector, expected) = row.split_once('\t').expect("a row has four columns");
        let told = match muster_cvss::score(vector) {
            Ok(scores) => {
                let or_none =
                    |score: Option<muster_cvss::Score>| score.map_or("-".to_owned(), |score| score.to_string());
                format!("{}\t{}\t{}", scores.base, or_none(scores.temporal), or_none(scores.environmental))
            }
            Err(error) => error.to_string(),
        };
        if told != expected {
            wrong.push(format!("{vector}: {told}, not {expected}"));
        }
    }
    let rows = recorded.lines().count();
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{path}: wrong, of {rows}:\n{}", wrong.join("\n"));
    assert!(rows >= 5000, "{path} was cut: {rows} rows");
}

#[test]
fn version_2() {
    check("2.0");
}

#[test]
fn version_3_0() {
    check("3.0");
}

#[test]
fn version_3_1() {
    check("3.1");
}

#[test]
fn version_4_0() {
    check("4.0");
}
