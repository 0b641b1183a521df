//! A range's events -> intervals of affected versions (OSV schema, "affected[].ranges[].events fields" and
//! "Evaluation", read 2026-11-24): events are sorted by version, each `introduced` opens, each `fixed` or
//! `last_affected` closes, and nothing at or above the highest `limit` counts.

use muster_domain::{Event, Range};
use muster_versions::{Scheme, VersionKey};

/// A version as written and as compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edge<'a> {
    pub text: &'a str,
    pub key: VersionKey,
}

/// Where an interval ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Close<'a> {
    /// Nowhere: not fixed yet.
    Never,
    /// Before this version, which is good.
    Fixed(Edge<'a>),
    /// With this version.
    LastAffected(Edge<'a>),
    /// Before this version, from which on nobody looked.
    Limit(Edge<'a>),
}

/// From `introduced` (inclusive; `None`: from the beginning) to `close`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Interval<'a> {
    pub introduced: Option<Edge<'a>>,
    pub close: Close<'a>,
}

impl Interval<'_> {
    /// Whether the version lies in it.
    pub(crate) fn contains(&self, version: &[u8]) -> bool {
        let begun = self.introduced.as_ref().is_none_or(|edge| edge.key.as_bytes() <= version);
        begun
            && match &self.close {
                Close::Never => true,
                Close::Fixed(edge) | Close::Limit(edge) => version < edge.key.as_bytes(),
                Close::LastAffected(edge) => version <= edge.key.as_bytes(),
            }
    }
}

/// The affected intervals in ascending order, or why the range can't be read.
pub(crate) fn intervals(scheme: Scheme, range: &Range) -> Result<Vec<Interval<'_>>, String> {
    let mut events = Vec::with_capacity(range.events.len());
    let mut limits = Vec::new();
    let mut unlimited = true;
    for event in &range.events {
        match event {
            Event::Introduced(text) if text == "0" => events.push((None, event)),
            Event::Introduced(text) | Event::Fixed(text) => events.push((Some(edge(scheme, text)?), event)),
            Event::LastAffected(text) => events.push((Some(last_edge(scheme, text)?), event)),
            Event::Limit(text) => {
                unlimited = false;
                if text == "*" {
                    limits.push(None);
                } else {
                    limits.push(Some(edge(scheme, text)?));
                }
            }
        }
    }
    if !events.iter().any(|(_, event)| matches!(event, Event::Introduced(_))) {
        return Err("range has no `introduced` event".to_owned());
    }
    // Stable: events at one version keep the order of the record, so that `fixed 1.0, introduced 1.0` stays open
    // and `introduced 1.0, fixed 1.0` stays an interval without versions. `None`, the beginning, sorts first.
    events.sort_by(|(a, _), (b, _)| key(a).cmp(&key(b)));

    let intervals = sweep(events);
    unlimited |= limits.iter().any(Option::is_none);
    let highest = limits.into_iter().flatten().max_by(|a, b| a.key.as_bytes().cmp(b.key.as_bytes()));
    Ok(match highest {
        Some(limit) if !unlimited => intervals.into_iter().filter_map(|interval| clip(interval, &limit)).collect(),
        _ => intervals,
    })
}

fn edge(scheme: Scheme, text: &str) -> Result<Edge<'_>, String> {
    let key = scheme.key(text).map_err(|malformed| malformed.to_string())?;
    Ok(Edge { text, key })
}

/// The last of all builds of a version. Where builds are told by a number behind the version (rpm's release, Bitnami's
/// revision), a feed that names the last affected version without one means them all.
fn last_edge(scheme: Scheme, text: &str) -> Result<Edge<'_>, String> {
    let edge = edge(scheme, text)?;
    if !matches!(scheme, Scheme::Rpm | Scheme::Bitnami) || text.contains('-') {
        return Ok(edge);
    }
    // No builder counts so far.
    let last = scheme.key(&format!("{text}-{}", u32::MAX)).map_err(|malformed| malformed.to_string())?;
    Ok(Edge { key: last, ..edge })
}

fn key<'e>(edge: &'e Option<Edge<'_>>) -> Option<&'e [u8]> {
    edge.as_ref().map(|edge| edge.key.as_bytes())
}

fn sweep<'a>(events: Vec<(Option<Edge<'a>>, &'a Event)>) -> Vec<Interval<'a>> {
    let mut intervals = Vec::new();
    let mut open: Option<Option<Edge<'a>>> = None;
    for (edge, event) in events {
        match (event, edge) {
            (Event::Introduced(_), edge) => {
                open.get_or_insert(edge);
            }
            (Event::Fixed(_), Some(edge)) => {
                if let Some(introduced) = open.take() {
                    intervals.push(Interval { introduced, close: Close::Fixed(edge) });
                }
            }
            (Event::LastAffected(_), Some(edge)) => {
                if let Some(introduced) = open.take() {
                    intervals.push(Interval { introduced, close: Close::LastAffected(edge) });
                }
            }
            (Event::Limit(_) | Event::Fixed(_) | Event::LastAffected(_), _) => {}
        }
    }
    if let Some(introduced) = open {
        intervals.push(Interval { introduced, close: Close::Never });
    }
    intervals
}

/// The part of `interval` below `limit`.
fn clip<'a>(interval: Interval<'a>, limit: &Edge<'a>) -> Option<Interval<'a>> {
    let at = limit.key.as_bytes();
    if key(&interval.introduced).is_some_and(|introduced| introduced >= at) {
        return None;
    }
    let beyond = match &interval.close {
        Close::Never => true,
        Close::Fixed(edge) | Close::Limit(edge) => edge.key.as_bytes() > at,
        Close::LastAffected(edge) => edge.key.as_bytes() >= at,
    };
    let close = if beyond { Close::Limit(limit.clone()) } else { interval.close };
    Some(Interval { introduced: interval.introduced, close })
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::RangeType;

    /// Events as `i1.0 f1.2 l1.3 x2.0`; intervals as `[1.0, 1.2)`.
    fn check(scheme: Scheme, events: &str, expected: &str) {
        let event = |word: &str| match word.split_at(1) {
            ("i", version) => Event::Introduced(version.to_owned()),
            ("f", version) => Event::Fixed(version.to_owned()),
            ("l", version) => Event::LastAffected(version.to_owned()),
            (_, version) => Event::Limit(version.to_owned()),
        };
        let range = Range { kind: RangeType::Ecosystem, events: events.split_whitespace().map(event).collect() };
        let shown = match intervals(scheme, &range) {
            Ok(intervals) => intervals.iter().map(show).collect::<Vec<_>>().join(" "),
            Err(why) => why,
        };
        assert_eq!(shown, expected, "{events}");
    }

    fn show(interval: &Interval<'_>) -> String {
        let from = interval.introduced.as_ref().map_or("(", |edge| edge.text);
        match &interval.close {
            Close::Never => format!("[{from}, )"),
            Close::Fixed(edge) => format!("[{from}, {})", edge.text),
            Close::LastAffected(edge) => format!("[{from}, {}]", edge.text),
            Close::Limit(edge) => format!("[{from}, {}|", edge.text),
        }
    }

    #[test]
    fn events_become_intervals_in_the_order_of_their_versions() {
        check(Scheme::Deb, "i0 f3.0.11-1~deb12u2", "[(, 3.0.11-1~deb12u2)");
        check(Scheme::Deb, "i0", "[(, )"); // Debian, not fixed yet
        check(Scheme::Npm, "i4.1.0 f4.1.1 i0 f3.0.1", "[(, 3.0.1) [4.1.0, 4.1.1)");
        check(Scheme::Npm, "i1.0.0 l1.2.0", "[1.0.0, 1.2.0]");
        check(Scheme::Pep440, "i2.0 l2.0", "[2.0, 2.0]");
        check(Scheme::Pep440, "i0 f1.0 f2.0", "[(, 1.0)"); // the second fix closes nothing
        check(Scheme::Pep440, "i0 i1.0 f2.0", "[(, 2.0)");
    }

    #[test]
    fn events_at_one_version_keep_the_order_of_the_record() {
        check(Scheme::Npm, "i0 f1.0.0 i1.0.0 f2.0.0", "[(, 1.0.0) [1.0.0, 2.0.0)");
        check(Scheme::Npm, "i1.0.0 f1.0.0", "[1.0.0, 1.0.0)");
    }

    #[test]
    fn nothing_counts_from_the_limit_on() {
        check(Scheme::Npm, "i0 x2.0.0", "[(, 2.0.0|");
        check(Scheme::Npm, "i0 f1.0.0 i3.0.0 x2.0.0", "[(, 1.0.0)");
        check(Scheme::Npm, "i0 f3.0.0 x2.0.0 x1.0.0", "[(, 2.0.0|");
        check(Scheme::Npm, "i0 f3.0.0 x2.0.0 x*", "[(, 3.0.0)");
    }

    #[test]
    fn a_range_that_cannot_be_read_says_why() {
        check(Scheme::Npm, "f1.0.0", "range has no `introduced` event");
        check(Scheme::Npm, "", "range has no `introduced` event");
        let range = Range { kind: RangeType::Semver, events: vec![Event::Introduced("one".to_owned())] };
        assert!(intervals(Scheme::Npm, &range).unwrap_err().contains("one"));
    }
}
