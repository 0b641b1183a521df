//! CVSS 2.0: "A Complete Guide to the Common Vulnerability Scoring System Version 2.0" (FIRST, June 2007), metrics in
//! chapter 2, equations in chapter 3.2.

use crate::{
    Rating, Score, Scores, Vector, Version,
    vector::{Group, Metric},
};

const fn metric(name: &'static str, group: Group, values: &'static [&'static str]) -> Metric {
    Metric { name, group, values }
}

/// In the order of §2.4.
pub(crate) const METRICS: &[Metric] = &[
    metric("AV", Group::Base, &["L", "A", "N"]),
    metric("AC", Group::Base, &["H", "M", "L"]),
    metric("Au", Group::Base, &["M", "S", "N"]),
    metric("C", Group::Base, &["N", "P", "C"]),
    metric("I", Group::Base, &["N", "P", "C"]),
    metric("A", Group::Base, &["N", "P", "C"]),
    metric("E", Group::Temporal, &["U", "POC", "F", "H", "ND"]),
    metric("RL", Group::Temporal, &["OF", "TF", "W", "U", "ND"]),
    metric("RC", Group::Temporal, &["UC", "UR", "C", "ND"]),
    metric("CDP", Group::Environmental, &["N", "L", "LM", "MH", "H", "ND"]),
    metric("TD", Group::Environmental, &["N", "L", "M", "H", "ND"]),
    metric("CR", Group::Environmental, &["L", "M", "H", "ND"]),
    metric("IR", Group::Environmental, &["L", "M", "H", "ND"]),
    metric("AR", Group::Environmental, &["L", "M", "H", "ND"]),
];

pub(crate) fn scores(vector: &Vector) -> Scores {
    let base = base(vector, impact(vector, |_| 1.0));
    let temporal_points = temporal(vector, base);
    let temporal = vector.sets(Group::Temporal).then(|| score_of(temporal_points));
    let environmental = vector.sets(Group::Environmental).then(|| score_of(environmental(vector)));
    let base = score_of(base);
    let score = environmental.or(temporal).unwrap_or(base);
    let severity = Rating::of_version_2(score);
    Scores { version: Version::V2.as_str(), base, temporal, environmental, score, severity }
}

/// The equations can fall below 0.0 where requirements are low. The guide lets them run on, and scores
/// range from 0 to 10: the end of the scale is set at the end, not on the way.
fn score_of(points: f64) -> Score {
    Score::of_tenths((points * 10.0).round() as i64)
}

/// §3.2.1.
fn base(vector: &Vector, impact: f64) -> f64 {
    let exploitability = 20.0 * access_vector(vector) * access_complexity(vector) * authentication(vector);
    let of_impact = if impact == 0.0 { 0.0 } else { 1.176 };
    round_to_1_decimal((0.6 * impact + 0.4 * exploitability - 1.5) * of_impact)
}

/// `requirement` weighs each of confidentiality, integrity and availability.
fn impact(vector: &Vector, requirement: impl Fn(&str) -> f64) -> f64 {
    let spared = |metric, required| 1.0 - degree(vector, metric) * requirement(required);
    10.41 * (1.0 - spared("C", "CR") * spared("I", "IR") * spared("A", "AR"))
}

/// §3.2.2.
fn temporal(vector: &Vector, base: f64) -> f64 {
    round_to_1_decimal(base * exploitability(vector) * remediation_level(vector) * report_confidence(vector))
}

/// §3.2.3.
fn environmental(vector: &Vector) -> f64 {
    let adjusted_impact = impact(vector, |required| requirement(vector, required)).min(10.0);
    let adjusted = temporal(vector, base(vector, adjusted_impact));
    let damage = (10.0 - adjusted) * collateral_damage_potential(vector);
    round_to_1_decimal((adjusted + damage) * target_distribution(vector))
}

/// To the nearer tenth, halves away from zero. A temporal or environmental score often lies exactly on a half, which
/// binary floating-point numbers miss by some 1e-15: nine decimals, more than these products have, are rounded first.
fn round_to_1_decimal(points: f64) -> f64 {
    ((points * 1e9).round() / 1e8).round() / 10.0
}

fn access_vector(vector: &Vector) -> f64 {
    match vector.base("AV") {
        "L" => 0.395,
        "A" => 0.646,
        _ => 1.0,
    }
}

fn access_complexity(vector: &Vector) -> f64 {
    match vector.base("AC") {
        "H" => 0.35,
        "M" => 0.61,
        _ => 0.71,
    }
}

fn authentication(vector: &Vector) -> f64 {
    match vector.base("Au") {
        "M" => 0.45,
        "S" => 0.56,
        _ => 0.704,
    }
}

/// Of `C`, `I` or `A`.
fn degree(vector: &Vector, metric: &str) -> f64 {
    match vector.base(metric) {
        "N" => 0.0,
        "P" => 0.275,
        _ => 0.660,
    }
}

fn exploitability(vector: &Vector) -> f64 {
    match vector.get("E") {
        Some("U") => 0.85,
        Some("POC") => 0.9,
        Some("F") => 0.95,
        _ => 1.0,
    }
}

fn remediation_level(vector: &Vector) -> f64 {
    match vector.get("RL") {
        Some("OF") => 0.87,
        Some("TF") => 0.90,
        Some("W") => 0.95,
        _ => 1.0,
    }
}

fn report_confidence(vector: &Vector) -> f64 {
    match vector.get("RC") {
        Some("UC") => 0.90,
        Some("UR") => 0.95,
        _ => 1.0,
    }
}

fn collateral_damage_potential(vector: &Vector) -> f64 {
    match vector.get("CDP") {
        Some("L") => 0.1,
        Some("LM") => 0.3,
        Some("MH") => 0.4,
        Some("H") => 0.5,
        _ => 0.0,
    }
}

fn target_distribution(vector: &Vector) -> f64 {
    match vector.get("TD") {
        Some("N") => 0.0,
        Some("L") => 0.25,
        Some("M") => 0.75,
        _ => 1.0,
    }
}

/// Of `CR`, `IR` or `AR`.
fn requirement(vector: &Vector, metric: &str) -> f64 {
    match vector.get(metric) {
        Some("L") => 0.5,
        Some("H") => 1.51,
        _ => 1.0,
    }
}
