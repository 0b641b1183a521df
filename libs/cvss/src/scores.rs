//! What a vector comes to: scores in tenths of a point, and the word for them.

use serde::{Serialize, Serializer};
use std::fmt;

/// A CVSS score, in tenths of a point: 0 to 100 stands for 0.0 to 10.0. Tenths, because every version of the
/// specification rounds to one decimal and integers compare exactly. As JSON a number: `9.8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8); // never above 100

impl Score {
    /// 0.0.
    pub const NONE: Self = Self(0);

    /// What lies outside 0 to 100 counts as the nearer end: an equation may leave the scale, a score may not.
    pub(crate) fn of_tenths(tenths: i64) -> Self {
        Self(u8::try_from(tenths.clamp(0, 100)).expect("clamped to 0 to 100"))
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

impl fmt::Display for Score {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.points())
    }
}

/// A score's word, on the scale of the vector's own version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rating {
    /// 0.0; version 2 does not know it.
    None,
    /// Up to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9; in version 2 up to 10.0.
    High,
    /// 9.0 to 10.0; version 2 does not know it.
    Critical,
}

impl Rating {
    /// The qualitative severity rating scale (v3.0 §5, v3.1 §5, v4.0 §6).
    pub(crate) fn of(score: Score) -> Self {
        match score.tenths() {
            0 => Self::None,
            1..=39 => Self::Low,
            40..=69 => Self::Medium,
            70..=89 => Self::High,
            _ => Self::Critical,
        }
    }

    /// The scale of version 2, which its specification leaves to its users: NVD's (nvd.nist.gov/vuln-metrics/cvss).
    pub(crate) fn of_version_2(score: Score) -> Self {
        match score.tenths() {
            0..=39 => Self::Low,
            40..=69 => Self::Medium,
            _ => Self::High,
        }
    }

    /// `NONE`, `LOW`, `MEDIUM`, `HIGH` or `CRITICAL`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The scores of one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Scores {
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub version: &'static str,
    /// Of the base metrics alone; in version 4 the score that the specification calls CVSS-B.
    pub base: Score,
    /// Of base and temporal metrics (version 4: threat metrics, CVSS-BT), when one of the latter is set to more than
    /// "not defined".
    pub temporal: Option<Score>,
    /// Of all metrics (version 4: CVSS-BE, or CVSS-BTE with a threat metric), when an environmental one is set to more
    /// than "not defined".
    pub environmental: Option<Score>,
    /// The most specific of the three.
    pub score: Score,
    /// The word for `score`.
    pub severity: Rating,
}
