//! Writing the analyses, and mending them where something changed.

use super::Analyzer;
use crate::{
    analysis::{Analysis, Undetermined},
    balancers::Contribution,
    functions,
    index::Index,
    report::{Seen, report},
    rules::Unclear,
    topology::Topology,
};
use muster_domain::Reachability;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
};

impl Analyzer {
    /// What load balancers hand on to these interfaces.
    fn handed_to(&self, concerned: &HashSet<usize>) -> HashMap<usize, Vec<Contribution>> {
        let mut handed: HashMap<usize, Vec<Contribution>> = HashMap::new();
        let all = self.handed_on.iter().flat_map(|by_one| &by_one.contributions);
        for (at, contributions) in all.filter(|(at, _)| concerned.contains(at)) {
            handed.entry(*at).or_default().extend(contributions.iter().cloned());
        }
        handed
    }

    /// Writes the analyses, or mends them where something changed.
    pub(super) fn tell(
        &mut self,
        topologies: &[Topology],
        is_new: bool,
        members_changed: bool,
        dirty: &HashSet<(usize, usize)>,
    ) {
        if dirty.is_empty() && !is_new && !members_changed && self.analyses.len() == topologies.len() {
            return;
        }
        let is_first = self.analyses.len() != topologies.len();
        if is_first {
            self.analyses = topologies.iter().map(|_| Analysis::default()).collect();
        }
        let index = Index::new(if is_new || members_changed { topologies } else { &[] }, &[]);
        let mut flat = 0;
        for (number, topology) in topologies.iter().enumerate() {
            let begin = flat;
            let count = self.states[number].len();
            flat += count;
            let concerned: Vec<usize> =
                (0..count).filter(|position| is_first || dirty.contains(&(number, *position))).collect();
            if concerned.is_empty() && !is_new && !members_changed {
                continue;
            }
            let at: HashSet<usize> = concerned.iter().map(|position| begin + position).collect();
            let handed = self.handed_to(&at);
            let mut undetermined = Vec::new();
            let mut blocks: Vec<Block> = Vec::with_capacity(concerned.len());
            for position in &concerned {
                let state = &self.states[number][*position];
                let Some(place) = self.places.get(&state.member.subnet) else {
                    continue;
                };
                let seen = Seen {
                    account: &topology.account,
                    region: &topology.region,
                    member: &state.member,
                    place,
                    permits: state.permits,
                    openings: &state.openings,
                    contributions: handed.get(&(begin + position)).map_or(&[], Vec::as_slice),
                };
                let mut reachabilities = Vec::new();
                report(&mut self.known, &self.permissions, seen, &mut reachabilities, &mut undetermined);
                reachabilities.sort();
                blocks.push((state.member.resource.clone(), state.member.id.clone(), reachabilities));
            }
            let states = &self.states[number];
            let again: HashSet<&str> = concerned.iter().map(|position| states[*position].member.id.as_str()).collect();
            if !is_new && !members_changed {
                let analysis = &mut self.analyses[number];
                mend(&mut analysis.reachabilities, blocks);
                let is_kept = |one: &Undetermined| one.interface.as_deref().is_none_or(|of| !again.contains(of));
                analysis.undetermined.retain(is_kept);
                merge(&mut analysis.undetermined, undetermined);
                continue;
            }
            let there: HashSet<&str> = states.iter().map(|state| state.member.id.as_str()).collect();
            let is_kept = |interface: &str| !again.contains(interface) && there.contains(interface);
            let handed_on = self.functions_of(topology);
            let own = functions::report(number, topology, &index, &mut self.known, &handed_on, &mut undetermined);
            let missing = index.missing(number, "ec2:DescribeNetworkInterfaces", "");
            undetermined.extend(missing.map(|missing| of_region(topology, missing)));
            let analysis = &mut self.analyses[number];
            analysis.account.clone_from(&topology.account);
            analysis.region.clone_from(&topology.region);
            analysis.instances = states.iter().filter_map(|state| state.member.instance.clone()).collect();
            analysis.reachabilities.retain(|one| is_kept(&one.interface));
            analysis.undetermined.retain(|one| one.interface.as_deref().is_some_and(is_kept));
            let new = blocks.into_iter().flat_map(|(.., reachabilities)| reachabilities).chain(own);
            merge(&mut analysis.reachabilities, new);
            merge(&mut analysis.undetermined, undetermined);
        }
    }

    /// What load balancers hand on to the functions of a topology.
    fn functions_of(&self, topology: &Topology) -> BTreeMap<String, Vec<Contribution>> {
        let part = format!(":{}:{}:", topology.region, topology.account);
        let mut own: BTreeMap<String, Vec<Contribution>> = BTreeMap::new();
        for (arn, contributions) in self.handed_on.iter().flat_map(|by_one| &by_one.functions) {
            if arn.contains(&part) {
                own.entry(arn.clone()).or_default().extend(contributions.iter().cloned());
            }
        }
        own
    }
}

/// A resource, an interface, and everything about that interface, sorted.
type Block = (String, String, Vec<Reachability>);

/// Puts blocks in the place of what was there about the same interfaces.
fn mend(sorted: &mut Vec<Reachability>, blocks: Vec<Block>) {
    let mut resized: Vec<(Range<usize>, Vec<Reachability>)> = Vec::new();
    for (resource, interface, new) in blocks {
        let key = |one: &Reachability| {
            (one.resource.as_str(), one.interface.as_str()).cmp(&(resource.as_str(), interface.as_str()))
        };
        let begin = sorted.partition_point(|one| key(one).is_lt());
        let end = begin + sorted[begin..].partition_point(|one| key(one).is_eq());
        if end - begin == new.len() {
            sorted[begin..end].iter_mut().zip(new).for_each(|(old, new)| *old = new);
        } else {
            resized.push((begin..end, new));
        }
    }
    if resized.is_empty() {
        return;
    }
    resized.sort_by_key(|(range, _)| range.start);
    let mut old = std::mem::take(sorted).into_iter();
    let mut position = 0;
    for (range, new) in resized {
        sorted.extend(old.by_ref().take(range.start - position));
        old.by_ref().take(range.len()).for_each(drop);
        sorted.extend(new);
        position = range.end;
    }
    sorted.extend(old);
}

/// Joins what is sorted with what is new.
fn merge<T: Ord>(sorted: &mut Vec<T>, new: impl IntoIterator<Item = T>) {
    sorted.extend(new);
    sorted.sort(); // finds the sorted run at once and merges
    sorted.dedup();
}

fn of_region(topology: &Topology, missing: Unclear) -> Undetermined {
    Undetermined {
        account: topology.account.clone(),
        region: topology.region.clone(),
        call: missing.call,
        resource: None,
        interface: None,
        edge: None,
        reason: missing.reason,
    }
}
