//! Openings as reachabilities: all that comes in from one edge together, in as few port ranges as there are answers,
//! each with one shortest path.

use crate::{
    addresses::{Addresses, Family},
    analysis::Undetermined,
    balancers::Contribution,
    doors::{Place, step},
    members::Member,
    openings::{Opening, Permissions, PermitsId, passage, unclear_about},
    rules::{Ports, Protocol, Unclear, stretches},
    sets::{MapId, SetId, Sets},
    ways::{Edge, Known},
};
use muster_domain::{Reachability, Step};
use std::collections::{BTreeMap, BTreeSet};

/// Steps of one path; Inspector knows no longer ones (inspector2 API, `NetworkPath.steps`, read 2026-11-24).
const STEPS_MAX: usize = 30;

/// An interface with all that was found out about it.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) member: &'a Member,
    pub(crate) place: &'a Place,
    pub(crate) permits: PermitsId,
    pub(crate) openings: &'a [Opening],
    pub(crate) contributions: &'a [Contribution],
}

/// How a port range is reached: everything but the groups is the same over neighbouring ranges of one way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    length: usize,
    before: Vec<Step>,
    groups: BTreeSet<String>,
    after: Vec<Step>,
}

impl Path {
    pub(crate) fn steps(&self) -> Vec<Step> {
        let room = STEPS_MAX.saturating_sub(self.before.len() + self.after.len());
        let groups = self.groups.iter().take(room).map(|group| step(group, "AWS::EC2::SecurityGroup"));
        let mut steps: Vec<Step> =
            self.before.iter().cloned().chain(groups).chain(self.after.iter().cloned()).collect();
        steps.truncate(STEPS_MAX);
        steps
    }
}

/// How a port of an interface is reached from an edge by the first way that lets some of these sources in: up to the
/// groups. `None`: by none of them.
pub(crate) fn direct_path(
    known: &mut Known,
    permissions: &Permissions,
    seen: Seen,
    opening: &Opening,
    port: u16,
    sources: SetId,
    after: &[Step],
) -> Option<Path> {
    let at = opening.protocol as usize;
    let touching = |known: &mut Known, map: MapId| {
        let there = known.sets.at(map, port, opening.family);
        !Sets::is_none(known.sets.intersection(there, sources))
    };
    let mut used = None;
    for position in 0..known.door(opening.door).ways.len() {
        let way = known.door(opening.door).ways[position];
        let through = passage(known, seen.place, seen.member, way);
        if touching(known, through.possible[at]) {
            used = Some(way);
            break;
        }
    }
    let way = used?;
    let used = known.way(way);
    let mut before = used.steps.clone();
    // Where a transit gateway's attachment shares the subnet, the list is asked about the answers alone.
    before.push(step(&known.acl(used.acl).id, "AWS::EC2::NetworkAcl"));
    before.retain(|step| !step.component_id.is_empty());
    let mut groups = BTreeSet::new();
    let mut referring = BTreeSet::new();
    for group in &permissions.permits(seen.permits).groups {
        let group = permissions.group(*group);
        if touching(known, group.possible.of(opening.family, opening.protocol)) {
            groups.insert(group.id.clone());
        }
        let refers = |reference: &&crate::groups::Reference| {
            reference.ports.hold(port) && reference.protocols.hold(opening.protocol)
        };
        if group.references.iter().any(|reference| refers(&reference)) {
            referring.insert(group.id.clone());
        }
    }
    if groups.is_empty() {
        groups = referring;
    }
    groups.remove("");
    let after = after.to_vec();
    Some(Path { length: before.len() + groups.len() + after.len(), before, groups, after })
}

/// The last steps of a path to an interface.
pub(crate) fn last_steps(member: &Member) -> Vec<Step> {
    let interface = step(&member.id, "AWS::EC2::NetworkInterface");
    [interface].into_iter().chain(member.owner.clone()).collect()
}

/// All about one interface.
pub(crate) fn report(
    known: &mut Known,
    permissions: &Permissions,
    seen: Seen,
    reachabilities: &mut Vec<Reachability>,
    undetermined: &mut Vec<Undetermined>,
) {
    let direct = seen.openings.iter().map(|opening| (opening.edge, opening.protocol));
    let handed_on = seen.contributions.iter().map(|one| (one.edge, one.protocol));
    let both: BTreeSet<(Edge, Protocol)> = direct.chain(handed_on).collect();
    for (edge, protocol) in both {
        let totals = totals(known, seen, edge, protocol);
        if totals.iter().any(|(certain, perhaps)| certain != perhaps) {
            let unclear = unclear(known, permissions, seen, edge, protocol);
            undetermined.extend(unclear.into_iter().map(|unclear| Undetermined {
                account: seen.account.to_owned(),
                region: seen.region.to_owned(),
                call: unclear.call,
                resource: Some(seen.member.resource.clone()),
                interface: Some(seen.member.id.clone()),
                edge: Some(edge.as_str().to_owned()),
                reason: unclear.reason,
            }));
        }
        let ranges = ranges(known, permissions, seen, edge, protocol, totals.map(|(certain, _)| certain));
        reachabilities.extend(ranges.into_iter().map(|range| Reachability {
            account: seen.account.to_owned(),
            region: seen.region.to_owned(),
            resource: seen.member.resource.clone(),
            interface: seen.member.id.clone(),
            protocol: protocol.as_str().to_owned(),
            port_begin: range.ports.first,
            port_end: range.ports.last,
            edge: edge.as_str().to_owned(),
            sources: range.written,
            path: range.path.map(|path| path.steps()).unwrap_or_default(),
        }));
    }
}

/// Everything from one edge by one protocol, for each family: for certain, and possibly.
fn totals(known: &mut Known, seen: Seen, edge: Edge, protocol: Protocol) -> [(MapId, MapId); 2] {
    let mut totals = [(MapId::EMPTY, MapId::EMPTY); 2];
    let direct = seen.openings.iter().filter(|one| one.edge == edge && one.protocol == protocol);
    let direct = direct.map(|one| (one.family, one.known, one.possible));
    let handed_on = seen.contributions.iter().filter(|one| one.edge == edge && one.protocol == protocol);
    let handed_on = handed_on.map(|one| (one.family, one.known, one.possible));
    for (family, certain, perhaps) in direct.chain(handed_on) {
        let total = &mut totals[family as usize];
        *total = (known.sets.join(total.0, certain), known.sets.join(total.1, perhaps));
    }
    totals
}

fn unclear(
    known: &mut Known,
    permissions: &Permissions,
    seen: Seen,
    edge: Edge,
    protocol: Protocol,
) -> BTreeSet<Unclear> {
    let mut unclear = BTreeSet::new();
    let is_open = |certain: MapId, perhaps: MapId| certain != perhaps;
    for opening in seen.openings.iter().filter(|one| one.edge == edge && one.protocol == protocol) {
        if is_open(opening.known, opening.possible) {
            unclear.extend(unclear_about(known, permissions, seen.place, seen.member, seen.permits, opening));
        }
    }
    for one in seen.contributions.iter().filter(|one| one.edge == edge && one.protocol == protocol) {
        if is_open(one.known, one.possible) {
            unclear.extend(one.unclear.iter().cloned());
        }
    }
    unclear
}

/// A port range with one answer.
struct Range {
    ports: Ports,
    sets: [SetId; 2],
    written: Vec<String>,
    path: Option<Path>,
}

fn ranges(
    known: &mut Known,
    permissions: &Permissions,
    seen: Seen,
    edge: Edge,
    protocol: Protocol,
    totals: [MapId; 2],
) -> Vec<Range> {
    let cuts: Vec<Ports> =
        totals.iter().flat_map(|map| known.sets.stretches(*map)).map(|stretch| stretch.ports).collect();
    let mut found: Vec<Range> = Vec::new();
    let mut written: BTreeMap<[SetId; 2], Vec<String>> = BTreeMap::new();
    for ports in stretches(cuts) {
        let sets = Family::ALL.map(|family| known.sets.at(totals[family as usize], ports.first, family));
        if sets.iter().all(|set| Sets::is_none(*set)) {
            continue;
        }
        let path = path(known, permissions, seen, edge, protocol, ports.first, sets);
        match found.last_mut() {
            Some(last) if last.sets == sets && last.ports.last.checked_add(1) == Some(ports.first) => {
                last.ports.last = ports.last;
                last.path = joined(last.path.take(), path);
            }
            _ => {
                let text = written.entry(sets).or_insert_with(|| write(known, seen, edge, sets));
                found.push(Range { ports, sets, written: text.clone(), path });
            }
        }
    }
    found
}

/// The shorter one; of one way, with the groups of both.
fn joined(one: Option<Path>, other: Option<Path>) -> Option<Path> {
    let (Some(mut one), Some(mut other)) = (one.clone(), other.clone()) else {
        return one.or(other);
    };
    if one.before == other.before && one.after == other.after {
        one.groups.append(&mut other.groups);
        return Some(one);
    }
    Some(one.min(other))
}

fn path(
    known: &mut Known,
    permissions: &Permissions,
    seen: Seen,
    edge: Edge,
    protocol: Protocol,
    port: u16,
    sources: [SetId; 2],
) -> Option<Path> {
    let mut best: Option<Path> = None;
    let after = last_steps(seen.member);
    for opening in seen.openings.iter().filter(|one| one.edge == edge && one.protocol == protocol) {
        let there = known.sets.at(opening.known, port, opening.family);
        let some = known.sets.intersection(there, sources[opening.family as usize]);
        if Sets::is_none(some) {
            continue;
        }
        if let Some(found) = direct_path(known, permissions, seen, opening, port, some, &after) {
            best = match best {
                Some(mut best) if best.before == found.before => {
                    best.groups.extend(found.groups);
                    Some(best)
                }
                best => best.into_iter().chain([found]).min(),
            };
        }
    }
    for one in seen.contributions.iter().filter(|one| one.edge == edge && one.protocol == protocol) {
        if Sets::is_none(known.sets.at(one.known, port, one.family)) {
            continue;
        }
        let length = one.before.len() + one.groups.len() + after.len();
        let found = Path { length, before: one.before.clone(), groups: one.groups.clone(), after: after.clone() };
        best = best.into_iter().chain([found]).min();
    }
    best
}

/// Sources as blocks: what nobody on the internet has may be covered where that reads better.
fn write(known: &Known, seen: Seen, edge: Edge, sets: [SetId; 2]) -> Vec<String> {
    let mut written = Vec::new();
    for family in Family::ALL {
        let universe = match edge {
            Edge::Internet => universe(known, seen, family),
            _ => None,
        };
        let set = known.sets.get(sets[family as usize]);
        match universe {
            Some(universe) => written.extend(set.blocks_within(known.sets.get(universe))),
            None => written.extend(set.blocks_within(&Addresses::all(family))),
        }
    }
    written
}

fn universe(known: &Known, seen: Seen, family: Family) -> Option<SetId> {
    let own = seen.openings.iter().filter(|one| one.edge == Edge::Internet && one.family == family);
    let own = own.flat_map(|one| &known.door(one.door).ways).map(|way| known.way(*way).universe).next();
    let handed_on = seen.contributions.iter().filter(|one| one.edge == Edge::Internet && one.family == family);
    own.or_else(|| handed_on.map(|one| one.universe).next())
}
