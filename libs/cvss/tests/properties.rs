//! What holds for any text and any vector: reading never panics, and scores stay on their scale.

use muster_cvss::{LENGTH_MAX, Rating, Vector, score};
use proptest::prelude::*;

const VERSIONS: [(&str, &str); 4] = [
    ("", "AV:N/AC:L/Au:N/C:C/I:C/A:C"),
    ("CVSS:3.0/", "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
    ("CVSS:3.1/", "AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"),
    ("CVSS:4.0/", "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"),
];

const METRICS: [&str; 49] = [
    "AV", "AC", "Au", "AT", "PR", "UI", "S", "C", "I", "A", "VC", "VI", "VA", "SC", "SI", "SA", "E", "RL", "RC", "CDP",
    "TD", "CR", "IR", "AR", "MAV", "MAC", "MAT", "MPR", "MUI", "MS", "MC", "MI", "MA", "MVC", "MVI", "MVA", "MSC",
    "MSI", "MSA", "AU", "R", "V", "RE", "U", "", "av", "É", "CVSS", "X",
];

const VALUES: [&str; 28] = [
    "N", "A", "L", "P", "H", "M", "S", "C", "R", "U", "X", "ND", "F", "W", "T", "O", "POC", "OF", "TF", "UC", "UR",
    "LM", "MH", "Y", "D", "Red", "", "é",
];

/// A version's worst vector with other metrics set on it, most of them its own.
fn likely_vector() -> impl Strategy<Value = Option<Vector>> {
    let changes = prop::collection::vec((prop::sample::select(&METRICS[..]), prop::sample::select(&VALUES[..])), 0..60);
    (prop::sample::select(&VERSIONS[..]), changes).prop_map(|((prefix, metrics), changes)| {
        let mut vector: Vector = format!("{prefix}{metrics}").parse().ok()?;
        for (metric, value) in changes {
            let _ = vector.set(metric, value); // most do not fit, and leave the vector as it is
        }
        Some(vector)
    })
}

/// Metrics and values in any mixture.
fn likely_text() -> impl Strategy<Value = String> {
    let part = (prop::sample::select(&METRICS[..]), prop::sample::select(&VALUES[..]));
    let prefix =
        prop::sample::select(&["", "(", "CVSS2#", "CVSS:2.0/", "CVSS:3.0/", "CVSS:3.1/", "CVSS:4.0/", "CVSS:"][..]);
    (prefix, prop::collection::vec(part, 0..20)).prop_map(|(prefix, parts)| {
        let parts: Vec<String> = parts.into_iter().map(|(metric, value)| format!("{metric}:{value}")).collect();
        format!("{prefix}{}", parts.join("/"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in prop_oneof![any::<String>(), likely_text()]) {
        match score(&text) {
            Ok(scores) => prop_assert!(text.len() <= LENGTH_MAX && scores.score.tenths() <= 100),
            Err(error) => prop_assert!(error.to_string().len() <= LENGTH_MAX + 64),
        }
    }

    #[test]
    fn a_vector_prints_as_it_is_read(vector in likely_vector()) {
        let vector = vector.expect("the worst vectors are valid");
        prop_assert_eq!(vector.to_string().parse::<Vector>(), Ok(vector));
    }

    #[test]
    fn the_score_is_the_most_specific_and_its_word_is_of_its_scale(vector in likely_vector()) {
        let scores = vector.expect("the worst vectors are valid").scores();
        prop_assert_eq!(scores.score, scores.environmental.or(scores.temporal).unwrap_or(scores.base));
        let tenths = scores.score.tenths();
        let expected = match (scores.version, tenths) {
            ("2.0", 0..=39) | (_, 1..=39) => Rating::Low,
            (_, 0) => Rating::None,
            (_, 40..=69) => Rating::Medium,
            ("2.0", _) | (_, 70..=89) => Rating::High,
            _ => Rating::Critical,
        };
        prop_assert_eq!(scores.severity, expected);
    }

    #[test]
    fn not_defined_is_the_same_as_left_out(vector in likely_vector()) {
        let mut vector = vector.expect("the worst vectors are valid");
        let scores = vector.scores();
        let not_defined = if scores.version == "2.0" { "ND" } else { "X" };
        for metric in METRICS {
            if vector.get(metric).is_none() {
                let _ = vector.set(metric, not_defined);
            }
        }
        prop_assert_eq!(vector.scores(), scores);
    }
}
