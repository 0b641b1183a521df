//! CVSS 3.0 and 3.1: "Common Vulnerability Scoring System: Specification Document" (FIRST, 2015 and 2019), metrics in
//! chapters 2 to 4, equations in chapter 8 of 3.0 and chapter 7 of 3.1. The two differ in how they round up and in the
//! modified impact where the scope changes.

use crate::{
    Rating, Score, Scores, Vector, Version,
    vector::{Group, Metric},
};

/// The two editions, which share metrics and weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edition {
    V30,
    V31,
}

const fn metric(name: &'static str, group: Group, values: &'static [&'static str]) -> Metric {
    Metric { name, group, values }
}

/// In the order of §6.
pub(crate) const METRICS: &[Metric] = &[
    metric("AV", Group::Base, &["N", "A", "L", "P"]),
    metric("AC", Group::Base, &["L", "H"]),
    metric("PR", Group::Base, &["N", "L", "H"]),
    metric("UI", Group::Base, &["N", "R"]),
    metric("S", Group::Base, &["U", "C"]),
    metric("C", Group::Base, &["H", "L", "N"]),
    metric("I", Group::Base, &["H", "L", "N"]),
    metric("A", Group::Base, &["H", "L", "N"]),
    metric("E", Group::Temporal, &["X", "H", "F", "P", "U"]),
    metric("RL", Group::Temporal, &["X", "U", "W", "T", "O"]),
    metric("RC", Group::Temporal, &["X", "C", "R", "U"]),
    metric("CR", Group::Environmental, &["X", "H", "M", "L"]),
    metric("IR", Group::Environmental, &["X", "H", "M", "L"]),
    metric("AR", Group::Environmental, &["X", "H", "M", "L"]),
    metric("MAV", Group::Environmental, &["X", "N", "A", "L", "P"]),
    metric("MAC", Group::Environmental, &["X", "L", "H"]),
    metric("MPR", Group::Environmental, &["X", "N", "L", "H"]),
    metric("MUI", Group::Environmental, &["X", "N", "R"]),
    metric("MS", Group::Environmental, &["X", "U", "C"]),
    metric("MC", Group::Environmental, &["X", "H", "L", "N"]),
    metric("MI", Group::Environmental, &["X", "H", "L", "N"]),
    metric("MA", Group::Environmental, &["X", "H", "L", "N"]),
];

pub(crate) fn scores(vector: &Vector, edition: Edition) -> Scores {
    let base = base(vector, edition);
    let temporal = vector.sets(Group::Temporal).then(|| edition.round_up(base.points() * temporal(vector)));
    let environmental = vector.sets(Group::Environmental).then(|| environmental(vector, edition));
    let score = environmental.or(temporal).unwrap_or(base);
    let version = match edition {
        Edition::V30 => Version::V30,
        Edition::V31 => Version::V31,
    };
    Scores { version: version.as_str(), base, temporal, environmental, score, severity: Rating::of(score) }
}

/// 3.1 §7.1.
fn base(vector: &Vector, edition: Edition) -> Score {
    let spared = |metric| 1.0 - degree(vector.base(metric));
    let sub_score = 1.0 - spared("C") * spared("I") * spared("A");
    let changed = vector.base("S") == "C";
    let impact =
        if changed { 7.52 * (sub_score - 0.029) - 3.25 * (sub_score - 0.02).powi(15) } else { 6.42 * sub_score };
    let exploitability =
        exploitability(vector.base("AV"), vector.base("AC"), vector.base("PR"), vector.base("UI"), changed);
    edition.combined(impact, exploitability, changed)
}

/// 3.1 §7.2: what the base score is multiplied with.
fn temporal(vector: &Vector) -> f64 {
    exploit_code_maturity(vector) * remediation_level(vector) * report_confidence(vector)
}

/// 3.1 §7.3.
fn environmental(vector: &Vector, edition: Edition) -> Score {
    let modified = |own, base| vector.get(own).unwrap_or_else(|| vector.base(base));
    let spared = |own, base, required| 1.0 - requirement(vector, required) * degree(modified(own, base));
    let sub_score = (1.0 - spared("MC", "C", "CR") * spared("MI", "I", "IR") * spared("MA", "A", "AR")).min(0.915);
    let changed = modified("MS", "S") == "C";
    let impact = if changed { edition.changed_modified_impact(sub_score) } else { 6.42 * sub_score };
    let exploitability = exploitability(
        modified("MAV", "AV"),
        modified("MAC", "AC"),
        modified("MPR", "PR"),
        modified("MUI", "UI"),
        changed,
    );
    let before_time = edition.combined(impact, exploitability, changed);
    edition.round_up(before_time.points() * temporal(vector))
}

impl Edition {
    /// Impact and exploitability together.
    fn combined(self, impact: f64, exploitability: f64, changed: bool) -> Score {
        if impact <= 0.0 {
            return Score::NONE;
        }
        let sum = impact + exploitability;
        self.round_up(if changed { 1.08 * sum } else { sum }.min(10.0))
    }

    /// The modified impact where the modified scope is changed: 3.0 §8.3, 3.1 §7.3.
    fn changed_modified_impact(self, sub_score: f64) -> f64 {
        let less = match self {
            Self::V30 => (sub_score - 0.02).powi(15),
            Self::V31 => (sub_score * 0.9731 - 0.02).powi(13),
        };
        7.52 * (sub_score - 0.029) - 3.25 * less
    }

    /// The smallest tenth that is not below `points`. 3.1 looks at five decimals (its appendix A), so that the
    /// 4.0000000000000004 of binary floating-point numbers is 4.0. 3.0 (chapter 8) says nothing of numbers in a computer:
    /// eleven decimals are looked at, one more than products of its weights have. No vector's exact score lies so near
    /// above a tenth that the two round it differently.
    fn round_up(self, points: f64) -> Score {
        let units = match self {
            Self::V30 => 100_000_000_000_i64,
            Self::V31 => 100_000,
        };
        let tenth = units / 10;
        let whole = (points * units as f64).round() as i64;
        Score::of_tenths(whole / tenth + i64::from(whole % tenth > 0))
    }
}

/// 3.1 §7.1 and §7.4; `changed` is the scope, which weighs privileges differently.
fn exploitability(attack_vector: &str, complexity: &str, privileges: &str, interaction: &str, changed: bool) -> f64 {
    let attack_vector = match attack_vector {
        "N" => 0.85,
        "A" => 0.62,
        "L" => 0.55,
        _ => 0.2,
    };
    let complexity = if complexity == "L" { 0.77 } else { 0.44 };
    let privileges = match (privileges, changed) {
        ("N", _) => 0.85,
        ("L", false) => 0.62,
        ("L", true) => 0.68,
        (_, false) => 0.27,
        (_, true) => 0.5,
    };
    let interaction = if interaction == "N" { 0.85 } else { 0.62 };
    8.22 * attack_vector * complexity * privileges * interaction
}

/// Of confidentiality, integrity or availability.
fn degree(value: &str) -> f64 {
    match value {
        "H" => 0.56,
        "L" => 0.22,
        _ => 0.0,
    }
}

fn exploit_code_maturity(vector: &Vector) -> f64 {
    match vector.get("E") {
        Some("F") => 0.97,
        Some("P") => 0.94,
        Some("U") => 0.91,
        _ => 1.0,
    }
}

fn remediation_level(vector: &Vector) -> f64 {
    match vector.get("RL") {
        Some("W") => 0.97,
        Some("T") => 0.96,
        Some("O") => 0.95,
        _ => 1.0,
    }
}

fn report_confidence(vector: &Vector) -> f64 {
    match vector.get("RC") {
        Some("R") => 0.96,
        Some("U") => 0.92,
        _ => 1.0,
    }
}

/// Of `CR`, `IR` or `AR`.
fn requirement(vector: &Vector, metric: &str) -> f64 {
    match vector.get(metric) {
        Some("H") => 1.5,
        Some("L") => 0.5,
        _ => 1.0,
    }
}
