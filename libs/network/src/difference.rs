//! Two analyses compared: what became reachable or unreachable, for whom, and what is known no longer.

use crate::{
    addresses::{Addresses, Block, Family, internet},
    analysis::{Analysis, Undetermined},
};
use muster_domain::Reachability;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What changed between two analyses. Every list is sorted; of a port range that changed in part, only that part
/// stands here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Difference {
    /// Reachable now, and not before.
    pub became_reachable: Vec<Reachability>,
    /// Reachable before, and not now.
    pub became_unreachable: Vec<Reachability>,
    /// Reachable before and now, by others.
    pub changed_sources: Vec<ChangedSources>,
    /// Reachable before, and not known now: an answer is missing, so it may still be reachable.
    pub no_longer_known: Vec<Reachability>,
    /// Could not be told now, and could before.
    pub newly_undetermined: Vec<Undetermined>,
    /// Could not be told before, and can now. What is reachable there stands under `became_reachable`, although it may
    /// have been so before.
    pub no_longer_undetermined: Vec<Undetermined>,
}

/// A port range that stayed reachable, by more or fewer or others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChangedSources {
    /// As it is now.
    pub reachability: Reachability,
    /// The blocks of those who reach it now and did not before.
    pub added: Vec<String>,
    /// The blocks of those who reached it before and do not now.
    pub removed: Vec<String>,
}

impl Difference {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is compared with each other: one protocol at one interface, from one edge.
type Key<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str);

#[derive(Default)]
struct Pair<'a> {
    before: Vec<&'a Reachability>,
    after: Vec<&'a Reachability>,
}

/// From `before` to `after`.
pub fn difference(before: &[Analysis], after: &[Analysis]) -> Difference {
    let mut pairs: BTreeMap<Key, Pair> = BTreeMap::new();
    for reachability in before.iter().flat_map(|analysis| &analysis.reachabilities) {
        pairs.entry(key(reachability)).or_default().before.push(reachability);
    }
    for reachability in after.iter().flat_map(|analysis| &analysis.reachabilities) {
        pairs.entry(key(reachability)).or_default().after.push(reachability);
    }
    let open = |analyses: &[Analysis]| -> BTreeSet<Undetermined> {
        analyses.iter().flat_map(|analysis| analysis.undetermined.iter().cloned()).collect()
    };
    let (open_before, open_after) = (open(before), open(after));
    let mut difference = Difference::default();
    for pair in pairs.values().filter(|pair| pair.before != pair.after) {
        compare(pair, &open_after, &mut difference);
    }
    difference.newly_undetermined = open_after.difference(&open_before).cloned().collect();
    difference.no_longer_undetermined = open_before.difference(&open_after).cloned().collect();
    difference.became_reachable.sort();
    difference.became_unreachable.sort();
    difference.changed_sources.sort();
    difference.no_longer_known.sort();
    difference
}

fn key(reachability: &Reachability) -> Key<'_> {
    let Reachability { account, region, resource, interface, protocol, edge, .. } = reachability;
    (account, region, resource, interface, protocol, edge)
}

/// What happened to a stretch of ports over which neither side changes.
#[derive(Clone, PartialEq, Eq)]
enum Change {
    Opened(Reachability),
    Closed(Reachability),
    Sources(ChangedSources),
}

fn compare(pair: &Pair, open_after: &BTreeSet<Undetermined>, difference: &mut Difference) {
    let mut found: Vec<(u16, u16, Change)> = Vec::new();
    for (first, last) in stretches(pair) {
        let Some(change) = change(pair, first) else {
            continue;
        };
        match found.last_mut() {
            Some((_, end, same)) if end.checked_add(1) == Some(first) && *same == change => *end = last,
            _ => found.push((first, last, change)),
        }
    }
    for (first, last, change) in found {
        let ranged = |reachability| Reachability { port_begin: first, port_end: last, ..reachability };
        match change {
            Change::Opened(reachability) => difference.became_reachable.push(ranged(reachability)),
            Change::Closed(reachability) if is_unknown(&reachability, open_after) => {
                difference.no_longer_known.push(ranged(reachability));
            }
            Change::Closed(reachability) => difference.became_unreachable.push(ranged(reachability)),
            Change::Sources(changed) => difference
                .changed_sources
                .push(ChangedSources { reachability: ranged(changed.reachability), ..changed }),
        }
    }
}

/// Whether an answer is missing on which this depends.
fn is_unknown(reachability: &Reachability, open: &BTreeSet<Undetermined>) -> bool {
    open.iter().any(|open| {
        let place = open.account == reachability.account && open.region == reachability.region;
        let thing = match (&open.resource, &open.interface) {
            (_, Some(interface)) => *interface == reachability.interface,
            (Some(resource), None) => *resource == reachability.resource,
            (None, None) => true,
        };
        place && thing && open.edge.as_ref().is_none_or(|edge| *edge == reachability.edge)
    })
}

/// The ports between two neighbouring ends of ranges of either side.
fn stretches(pair: &Pair) -> Vec<(u16, u16)> {
    let both = pair.before.iter().chain(&pair.after);
    let cuts: BTreeSet<u32> =
        both.flat_map(|range| [u32::from(range.port_begin), u32::from(range.port_end) + 1]).collect();
    let cuts: Vec<u32> = cuts.into_iter().collect();
    let neighbours = cuts
        .windows(2)
        .filter_map(|ends| Some((u16::try_from(ends[0]).ok()?, u16::try_from(ends[1].checked_sub(1)?).ok()?)));
    neighbours.collect()
}

fn at<'a>(ranges: &[&'a Reachability], port: u16) -> Vec<&'a Reachability> {
    ranges.iter().filter(|range| (range.port_begin..=range.port_end).contains(&port)).copied().collect()
}

fn change(pair: &Pair, port: u16) -> Option<Change> {
    let (before, after) = (at(&pair.before, port), at(&pair.after, port));
    // The ports are those of the stretch, so that equal stretches join.
    let plain = |range: &Reachability| Reachability { port_begin: 0, port_end: 0, ..range.clone() };
    match (before.first(), after.first()) {
        (None, None) => None,
        (None, Some(now)) => Some(Change::Opened(plain(now))),
        (Some(then), None) => Some(Change::Closed(plain(then))),
        (Some(_), Some(now)) => {
            let (mut added, mut removed) = (Vec::new(), Vec::new());
            for family in Family::ALL {
                let (then, now_there) = (sources(&before, family), sources(&after, family));
                let all = match now.edge.as_str() {
                    "internet" => internet(family, &[]),
                    _ => Addresses::all(family),
                };
                added.extend(now_there.minus(&then).blocks_within(&all));
                removed.extend(then.minus(&now_there).blocks_within(&all));
            }
            let same = added.is_empty() && removed.is_empty();
            (!same).then(|| Change::Sources(ChangedSources { reachability: plain(now), added, removed }))
        }
    }
}

fn sources(ranges: &[&Reachability], family: Family) -> Addresses {
    let blocks: Vec<Block> =
        ranges.iter().flat_map(|range| &range.sources).filter_map(|block| Block::parse(block)).collect();
    Addresses::of(family, &blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `TCP 20-30 internet 0.0.0.0/0,::/0` per line, all at one interface.
    fn analysis(lines: &str) -> Analysis {
        let reachabilities = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let &[protocol, ports, edge, sources] = words.as_slice() else { panic!("{line}") };
            let (begin, end) = ports.split_once('-').unwrap_or((ports, ports));
            Reachability {
                account: "1".into(),
                region: "r".into(),
                resource: "i-1".into(),
                interface: "eni-1".into(),
                protocol: protocol.into(),
                port_begin: begin.parse().unwrap(),
                port_end: end.parse().unwrap(),
                edge: edge.into(),
                sources: sources.split(',').map(str::to_owned).collect(),
                path: Vec::new(),
            }
        });
        Analysis { reachabilities: reachabilities.collect(), ..Analysis::default() }
    }

    fn told(difference: &Difference) -> Vec<String> {
        let words = |sign: &str, range: &Reachability, sources: &str| {
            let Reachability { protocol, port_begin, port_end, edge, .. } = range;
            format!("{sign} {protocol} {port_begin}-{port_end} {edge} {sources}")
        };
        let mut told: Vec<String> = Vec::new();
        told.extend(difference.became_reachable.iter().map(|range| words("+", range, &range.sources.join(","))));
        told.extend(difference.became_unreachable.iter().map(|range| words("-", range, &range.sources.join(","))));
        told.extend(difference.no_longer_known.iter().map(|range| words("?", range, &range.sources.join(","))));
        let changed = difference.changed_sources.iter();
        told.extend(changed.map(|changed| {
            let sources = format!("+{} -{}", changed.added.join(","), changed.removed.join(","));
            words("~", &changed.reachability, &sources)
        }));
        told
    }

    fn check(before: &str, after: &str, expected: &[&str]) {
        let (before, after) = (analysis(before), analysis(after));
        let difference = difference(std::slice::from_ref(&before), std::slice::from_ref(&after));
        assert_eq!(told(&difference), expected, "{before:?} to {after:?}");
    }

    #[test]
    fn only_the_part_that_changed_is_told() {
        let all = "TCP 20-30 internet 0.0.0.0/0";
        check(all, all, &[]);
        check("", all, &["+ TCP 20-30 internet 0.0.0.0/0"]);
        check(all, "", &["- TCP 20-30 internet 0.0.0.0/0"]);
        check(all, "TCP 20-25 internet 0.0.0.0/0", &["- TCP 26-30 internet 0.0.0.0/0"]);
        check(
            "TCP 22 internet 0.0.0.0/0",
            "TCP 20-24 internet 0.0.0.0/0", // on both sides of what was open
            &["+ TCP 20-21 internet 0.0.0.0/0", "+ TCP 23-24 internet 0.0.0.0/0"],
        );
        check(
            "TCP 0-65535 internet 0.0.0.0/0",
            "TCP 0-21 internet 0.0.0.0/0\nTCP 23-65535 internet 0.0.0.0/0",
            &["- TCP 22-22 internet 0.0.0.0/0"],
        );
        check("TCP 1-2 peer 10.0.0.0/8", "TCP 1 peer 10.0.0.0/8\nTCP 2 peer 10.0.0.0/8", &[]); // the same in two parts
        check(
            "TCP 22 peer 10.0.0.0/8",
            "UDP 22 peer 10.0.0.0/8",
            &["+ UDP 22-22 peer 10.0.0.0/8", "- TCP 22-22 peer 10.0.0.0/8"],
        );
    }

    #[test]
    fn other_sources_are_told_as_blocks() {
        check(
            "TCP 22 internet 198.51.100.0/24",
            "TCP 22 internet 198.51.100.0/25,203.0.113.0/24",
            &["~ TCP 22-22 internet +203.0.113.0/24 -198.51.100.128/25"],
        );
        check("TCP 22 internet 0.0.0.0/1,128.0.0.0/1", "TCP 22 internet 0.0.0.0/0", &[]); // halves are one whole
        check("TCP 22 internet 0.0.0.0/0", "TCP 22 internet 0.0.0.0/0,::/0", &["~ TCP 22-22 internet +::/0 -"]);
        check(
            "TCP 20-30 peer 10.0.0.0/8",
            "TCP 20-21 peer 10.0.0.0/8\nTCP 22-30 peer 10.0.0.0/9",
            &["~ TCP 22-30 peer + -10.128.0.0/9"],
        );
    }

    #[test]
    fn what_is_not_known_any_more_is_not_called_closed() {
        let before = analysis("TCP 22 internet 0.0.0.0/0");
        let open = |interface: &str, edge: Option<&str>| {
            let undetermined = Undetermined {
                account: "1".into(),
                region: "r".into(),
                call: "ec2:DescribeNetworkAcls".into(),
                interface: Some(interface.into()),
                edge: edge.map(str::to_owned),
                ..Undetermined::default()
            };
            Analysis { undetermined: vec![undetermined], ..Analysis::default() }
        };
        let check = |after: Analysis, expected: &str| {
            let difference = difference(std::slice::from_ref(&before), &[after]);
            assert_eq!(told(&difference), [expected]);
            assert_eq!(difference.newly_undetermined.len(), 1);
        };
        check(open("eni-1", None), "? TCP 22-22 internet 0.0.0.0/0");
        check(open("eni-1", Some("internet")), "? TCP 22-22 internet 0.0.0.0/0");
        check(open("eni-1", Some("peer")), "- TCP 22-22 internet 0.0.0.0/0"); // that is about another edge
        check(open("eni-2", None), "- TCP 22-22 internet 0.0.0.0/0"); // and that about another interface
        let back = difference(&[open("eni-1", None)], std::slice::from_ref(&before));
        assert_eq!(back.no_longer_undetermined.len(), 1);
        assert!(difference(std::slice::from_ref(&before), std::slice::from_ref(&before)).is_empty());
    }
}
