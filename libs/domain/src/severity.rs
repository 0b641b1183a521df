//! Severities and scores.

use serde::{Deserialize, Serialize};
use std::fmt;

/// CVSS base score, in tenths of a point: 0 to 100 stands for 0.0 to 10.0.
/// Tenths, because the specification rounds to one decimal and integers compare exactly.
/// Source: CVSS v3.1 §5, v4.0 §6 (first.org/cvss); the two rating scales are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct BaseScore(u8); // never above 100

impl BaseScore {
    /// `None` above 100 tenths.
    pub fn from_tenths(tenths: u8) -> Option<Self> {
        (tenths <= 100).then_some(Self(tenths))
    }

    /// `None` outside 0.0 to 10.0; rounds to one decimal.
    pub fn from_points(points: f64) -> Option<Self> {
        (0.0..=10.0).contains(&points).then(|| Self((points * 10.0).round() as u8))
    }

    /// 0 to 100.
    pub fn tenths(self) -> u8 {
        self.0
    }

    /// 0.0 to 10.0.
    pub fn points(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

impl TryFrom<f64> for BaseScore {
    type Error = String;
    fn try_from(points: f64) -> Result<Self, Self::Error> {
        Self::from_points(points).ok_or_else(|| format!("score {points} is outside 0.0 to 10.0"))
    }
}

impl From<BaseScore> for f64 {
    fn from(score: BaseScore) -> Self {
        score.points()
    }
}

impl fmt::Display for BaseScore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// Inspector's severities, from least to most (`Severity` of the inspector2 API). `Untriaged` is below all:
/// nobody has judged it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// Not scored by anyone.
    Untriaged,
    /// 0.
    Informational,
    /// 0.1 to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9.
    High,
    /// 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// From most to least.
    pub const ALL: [Self; 6] =
        [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Informational, Self::Untriaged];

    /// The rating scale (CVSS v3.1 §5; Amazon Inspector user guide, "Understanding severity levels").
    pub fn of_score(score: BaseScore) -> Self {
        match score.tenths() {
            0 => Self::Informational,
            1..=39 => Self::Low,
            40..=69 => Self::Medium,
            70..=89 => Self::High,
            _ => Self::Critical,
        }
    }

    /// Inspector's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untriaged => "UNTRIAGED",
            Self::Informational => "INFORMATIONAL",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// From Inspector's spelling, in any case.
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str().eq_ignore_ascii_case(raw))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
