//! Vectors as text: `metric:value` pairs behind a version, read against the version's table of metrics.
//! Formats: v2 §2.4, v3.0 and v3.1 §6, v4.0 §7.

use crate::{Scores, v2, v3, v4};
use std::{fmt, str::FromStr};

/// The longest vector that is read, in bytes. The longest valid one, a version 4 vector with all 32 metrics set, has
/// fewer than 200.
pub const LENGTH_MAX: usize = 512;

/// A version of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 2.0, of 2007.
    V2,
    /// 3.0, of 2015.
    V30,
    /// 3.1, of 2019.
    V31,
    /// 4.0, of 2023.
    V40,
}

impl Version {
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V30 => "3.0",
            Self::V31 => "3.1",
            Self::V40 => "4.0",
        }
    }

    fn metrics(self) -> &'static [Metric] {
        match self {
            Self::V2 => v2::METRICS,
            Self::V30 | Self::V31 => v3::METRICS,
            Self::V40 => v4::METRICS,
        }
    }

    /// The value that is the same as leaving the metric out.
    fn not_defined(self) -> &'static str {
        match self {
            Self::V2 => "ND",
            _ => "X",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Which part of the vector a metric belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Must be given.
    Base,
    /// Called "threat" in version 4.
    Temporal,
    Environmental,
    /// Version 4's, which score nothing.
    Supplemental,
}

/// A metric, and the values it may be given.
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) group: Group,
    pub(crate) values: &'static [&'static str],
}

/// Why a text is no vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// Longer than any vector could be.
    #[error("a CVSS vector of {length} bytes is longer than {LENGTH_MAX}")]
    TooLong {
        /// In bytes.
        length: usize,
    },
    /// Nothing but white space.
    #[error("the CVSS vector is empty")]
    Empty,
    /// It begins with `CVSS:`, but no version follows that is known here.
    #[error("unknown CVSS version `{version}`")]
    UnknownVersion {
        /// As given.
        version: String,
    },
    /// A part without a colon.
    #[error("`{part}` is no metric:value of a CVSS vector")]
    NoMetric {
        /// Between two slashes.
        part: String,
    },
    /// The version has no such metric.
    #[error("CVSS {version} has no metric `{metric}`")]
    UnknownMetric {
        /// Of the vector.
        version: Version,
        /// As given.
        metric: String,
    },
    /// The metric has no such value.
    #[error("metric `{metric}` of CVSS {version} has no value `{value}`")]
    UnknownValue {
        /// Of the vector.
        version: Version,
        /// The metric at fault.
        metric: &'static str,
        /// As given.
        value: String,
    },
    /// Given twice, even with the same value.
    #[error("metric `{metric}` is given twice")]
    Doubled {
        /// The metric at fault.
        metric: &'static str,
    },
    /// A base metric that is not given.
    #[error("CVSS {version} needs metric `{metric}`, which is not given")]
    Missing {
        /// Of the vector.
        version: Version,
        /// The first that is missing.
        metric: &'static str,
    },
}

/// A valid vector: every base metric has a value, and every value is one of its metric's.
/// Prints in the order of the specification, whatever the order it was read in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    version: Version,
    values: Vec<Option<&'static str>>, // one for each of the version's metrics
}

impl Vector {
    /// The version that the vector is written in.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The value of a metric. `None`: it is "not defined", or the version has no such metric.
    pub fn get(&self, metric: &str) -> Option<&'static str> {
        let position = self.version.metrics().iter().position(|row| row.name == metric)?;
        self.values[position].filter(|value| *value != self.version.not_defined())
    }

    /// Gives a metric another value.
    pub fn set(&mut self, metric: &str, value: &str) -> Result<(), VectorError> {
        let (position, value) = find(self.version, metric, value)?;
        self.values[position] = Some(value);
        Ok(())
    }

    /// Base, temporal and environmental score.
    pub fn scores(&self) -> Scores {
        match self.version {
            Version::V2 => v2::scores(self),
            Version::V30 => v3::scores(self, v3::Edition::V30),
            Version::V31 => v3::scores(self, v3::Edition::V31),
            Version::V40 => v4::scores(self),
        }
    }

    /// Whether a metric of that group is set to more than "not defined".
    pub(crate) fn sets(&self, group: Group) -> bool {
        self.version.metrics().iter().any(|metric| metric.group == group && self.get(metric.name).is_some())
    }

    /// A copy in which a group's metrics are "not defined".
    pub(crate) fn without(&self, group: Group) -> Self {
        let rows = self.version.metrics().iter().zip(&self.values);
        let values = rows.map(|(metric, value)| value.filter(|_| metric.group != group)).collect();
        Self { version: self.version, values }
    }

    /// The value of a base metric.
    pub(crate) fn base(&self, metric: &str) -> &'static str {
        self.get(metric).expect("a vector that was read has all base metrics, and they have no value `not defined`")
    }
}

impl FromStr for Vector {
    type Err = VectorError;

    /// Metrics may come in any order, also in version 4, whose §7 wants a fixed one: enough writers do not keep to it,
    /// and the order carries no meaning. White space around the vector is left out.
    fn from_str(text: &str) -> Result<Self, VectorError> {
        if text.len() > LENGTH_MAX {
            return Err(VectorError::TooLong { length: text.len() });
        }
        let (version, metrics) = split_version(text.trim())?;
        let mut values = vec![None; version.metrics().len()];
        for part in metrics.split('/') {
            let (metric, value) =
                part.split_once(':').ok_or_else(|| VectorError::NoMetric { part: part.to_owned() })?;
            let (position, value) = find(version, metric, value)?;
            if values[position].replace(value).is_some() {
                return Err(VectorError::Doubled { metric: version.metrics()[position].name });
            }
        }
        let mut missing = version.metrics().iter().zip(&values);
        match missing.find(|(metric, value)| metric.group == Group::Base && value.is_none()) {
            Some((metric, _)) => Err(VectorError::Missing { version, metric: metric.name }),
            None => Ok(Self { version, values }),
        }
    }
}

/// The version, and the text behind it. Version 2 wrote none; `CVSS2#` (Red Hat, SCAP) and `CVSS:2.0/` came later, and
/// NVD sets the vector in parentheses.
fn split_version(text: &str) -> Result<(Version, &str), VectorError> {
    if text.is_empty() {
        return Err(VectorError::Empty);
    }
    if let Some(metrics) = text.strip_prefix("CVSS2#") {
        return Ok((Version::V2, without_parentheses(metrics)));
    }
    let Some(versioned) = text.strip_prefix("CVSS:") else {
        return Ok((Version::V2, without_parentheses(text)));
    };
    let (version, metrics) = versioned.split_once('/').unwrap_or((versioned, ""));
    match version {
        "2.0" => Ok((Version::V2, without_parentheses(metrics))),
        "3.0" => Ok((Version::V30, metrics)),
        "3.1" => Ok((Version::V31, metrics)),
        "4.0" => Ok((Version::V40, metrics)),
        _ => Err(VectorError::UnknownVersion { version: version.to_owned() }),
    }
}

fn without_parentheses(text: &str) -> &str {
    text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text)
}

/// Where the metric stands in its version's table, and the table's own copy of the value.
fn find(version: Version, metric: &str, value: &str) -> Result<(usize, &'static str), VectorError> {
    let position = version.metrics().iter().position(|row| row.name == metric);
    let position = position.ok_or_else(|| VectorError::UnknownMetric { version, metric: metric.to_owned() })?;
    let row = &version.metrics()[position];
    let known = row.values.iter().find(|known| **known == value);
    let unknown = || VectorError::UnknownValue { version, metric: row.name, value: value.to_owned() };
    Ok((position, known.ok_or_else(unknown)?))
}

impl fmt::Display for Vector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if self.version != Version::V2 {
            write!(formatter, "CVSS:{}", self.version)?;
            separator = "/";
        }
        for (metric, value) in self.version.metrics().iter().zip(&self.values) {
            if let Some(value) = value {
                write!(formatter, "{separator}{}:{value}", metric.name)?;
                separator = "/";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V40: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";

    /// The vector as it prints, or what is wrong with it.
    fn check(text: &str, expected: &str) {
        let told = text.parse::<Vector>().map_or_else(|error| error.to_string(), |vector| vector.to_string());
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn version_2_comes_in_four_dresses() {
        let plain = "AV:N/AC:M/Au:N/C:N/I:P/A:N";
        check(plain, plain);
        check(&format!("({plain})"), plain); // NVD
        check(&format!("CVSS2#{plain}"), plain); // Red Hat, SCAP
        check(&format!("CVSS:2.0/{plain}"), plain); // beside vectors of other versions
        check(&format!(" {plain}\n"), plain);
        check(&format!("({plain}"), "CVSS 2.0 has no metric `(AV`");
    }

    #[test]
    fn metrics_come_in_any_order_and_print_in_the_specifications() {
        check("CVSS:3.1/A:H/I:N/C:N/S:U/UI:N/PR:N/AC:L/AV:N", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H");
        check("CVSS:3.0/E:X/A:H/I:N/C:N/S:U/UI:N/PR:N/AC:L/AV:N", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/E:X");
        check(&format!("{}/AV:N", V40.replace("/AV:N", "")), V40);
        check(&format!("{V40}/U:Amber/E:P/RE:H"), &format!("{V40}/E:P/RE:H/U:Amber"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        check("", "the CVSS vector is empty");
        check(" \t", "the CVSS vector is empty");
        check("high", "`high` is no metric:value of a CVSS vector");
        check("CVSS:3.1", "`` is no metric:value of a CVSS vector");
        check("CVSS:9/AV:N", "unknown CVSS version `9`");
        check("cvss:3.1/AV:N", "CVSS 2.0 has no metric `cvss`"); // the specification's capitals are part of it
        // version 3 without its prefix: 3.0 or 3.1 can't be told apart
        check("AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "CVSS 2.0 has no metric `PR`");
        check("CVSS:3.1/AV:N/AC:L/Au:N", "CVSS 3.1 has no metric `Au`");
        check("CVSS:3.1/AV:N/AC:M", "metric `AC` of CVSS 3.1 has no value `M`");
        check("CVSS:3.1/AV:N/AC:L/AV:N", "metric `AV` is given twice");
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N", "CVSS 3.1 needs metric `A`, which is not given");
        check("CVSS:3.1/AV:X", "metric `AV` of CVSS 3.1 has no value `X`"); // base metrics are always defined
        check(&format!("{V40}/"), "`` is no metric:value of a CVSS vector");
        check(&format!("{V40}/MSC:S"), "metric `MSC` of CVSS 4.0 has no value `S`"); // only MSI and MSA know safety
        check("AV:N/AC:M/Au:N/C:N/I:P/A:N/E:X", "metric `E` of CVSS 2.0 has no value `X`");
        check(&"A".repeat(LENGTH_MAX + 1), "a CVSS vector of 513 bytes is longer than 512");
    }

    #[test]
    fn the_longest_valid_vector_is_within_the_bound() {
        for version in [Version::V2, Version::V31, Version::V40] {
            let longest =
                |metric: &Metric| metric.name.len() + metric.values.iter().map(|value| value.len()).max().unwrap();
            let length: usize = version.metrics().iter().map(|metric| longest(metric) + 2).sum();
            assert!(length < 200, "{version}: {length}");
        }
    }

    #[test]
    fn a_metric_can_be_given_another_value() {
        let mut vector: Vector = V40.parse().unwrap();
        assert_eq!((vector.get("AV"), vector.get("E"), vector.get("nothing")), (Some("N"), None, None));
        vector.set("AV", "A").unwrap();
        assert_eq!(vector.to_string(), V40.replace("AV:N", "AV:A"));
        assert!(vector.set("AV", "X").is_err() && vector.set("RL", "X").is_err());
    }
}
