//! The analysis from beginning to end, and again after a change without working out again what is the same.
//!
//! Everything is worked out from numbers that stand for content: equal security groups, network ACLs, ways and sets of
//! addresses have equal numbers, and what was worked out of some numbers once is kept. So a change costs finding out
//! what is different, by comparing with what was there before, and then only what depends on the difference.

mod telling;

use crate::{
    analysis::Analysis,
    balancers::{self, Balancer, Contribution, Directory, HandedOn, Standing},
    doors::{Places, places},
    groups::{self, Group},
    index::Index,
    members::{Member, Owners},
    openings::{GroupId, Opening, Permissions, PermitsId, Roster, openings},
    sets::{MapId, Sets},
    topology::{SecurityGroup, Topology},
    ways::Known,
};
use std::collections::{HashMap, HashSet};

/// Sets, ways and what came of them that are kept at most: about 200 MB. Beyond it everything is forgotten and worked
/// out anew, so that a long life does not fill the memory.
const KEPT_MAX: usize = 4_000_000;

/// Analyses again and again, and works out again only what depends on a change.
#[derive(Debug)]
pub struct Analyzer {
    known: Known,
    permissions: Permissions,
    /// What was analysed the last time.
    before: Vec<Topology>,
    places: Places,
    owners: Owners,
    balancers: Vec<Balancer>,
    /// Balancers by what their nodes say of themselves.
    nodes: HashMap<String, usize>,
    groups: HashMap<String, GroupId>,
    /// For each topology, in the order of its interfaces.
    states: Vec<Vec<State>>,
    directory: Directory,
    /// By balancer.
    handed_on: Vec<HandedOn>,
    /// The groups that rules refer to.
    referred: HashSet<String>,
    roster: Roster,
    analyses: Vec<Analysis>,
}

/// What is known of an interface.
#[derive(Debug)]
struct State {
    member: Member,
    permits: PermitsId,
    openings: Vec<Opening>,
}

impl Default for Analyzer {
    fn default() -> Self {
        Self::new()
    }
}

/// Everything that can be reached in these topologies from their edges: one analysis for each, in their order.
/// Topologies of several accounts and regions are looked at together: what peers and transit gateways lead to is known
/// when it is among them, and an edge when it is not.
pub fn analyze(topologies: &[Topology]) -> Vec<Analysis> {
    let mut analyzer = Analyzer::new();
    analyzer.work(topologies);
    analyzer.analyses
}

impl Analyzer {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self {
            known: Known::new(),
            permissions: Permissions::default(),
            before: Vec::new(),
            places: Places::new(),
            owners: Owners::default(),
            balancers: Vec::new(),
            nodes: HashMap::new(),
            groups: HashMap::new(),
            states: Vec::new(),
            directory: Directory::default(),
            handed_on: Vec::new(),
            referred: HashSet::new(),
            roster: Roster::default(),
            analyses: Vec::new(),
        }
    }

    /// As [`analyze`], faster when little changed since the last time.
    pub fn analyze(&mut self, topologies: &[Topology]) -> &[Analysis] {
        if self.known.len() + self.permissions.len() > KEPT_MAX {
            *self = Self::new();
        }
        self.work(topologies);
        self.remember(topologies);
        &self.analyses
    }

    /// Keeps a copy of what was analysed; what did not change is not copied again.
    fn remember(&mut self, topologies: &[Topology]) {
        self.before.truncate(topologies.len());
        for (number, topology) in topologies.iter().enumerate() {
            let Some(before) = self.before.get_mut(number) else {
                self.before.push(topology.clone());
                continue;
            };
            if !same_surroundings(before, topology) {
                *before = topology.clone();
                continue;
            }
            copy_changed(&mut before.security_groups, &topology.security_groups);
            copy_changed(&mut before.network_interfaces, &topology.network_interfaces);
        }
    }

    fn work(&mut self, topologies: &[Topology]) {
        let is_new = self.before.len() != topologies.len()
            || self.before.iter().zip(topologies).any(|(before, now)| !same_surroundings(before, now));
        let mut moved: HashSet<String> = HashSet::new();
        if is_new {
            let places = places(topologies, &mut self.known);
            moved = places
                .iter()
                .filter(|(id, place)| self.places.get(*id) != Some(place))
                .map(|(id, _)| id.clone())
                .collect();
            self.places = places;
            self.owners = Owners::new(topologies);
            self.balancers = balancers::balancers(topologies);
            let nodes = self.balancers.iter().enumerate();
            self.nodes = nodes.map(|(number, balancer)| (balancer.node_of().to_owned(), number)).collect();
        }
        let groups_changed = self.read_groups(topologies, is_new);
        let (mut dirty, members_changed) = self.read_members(topologies, is_new, groups_changed);
        let others = members_changed || is_new;
        let roll_changed = (others || groups_changed) && self.call_roll(topologies, others);
        self.open(&moved, is_new, roll_changed, &mut dirty);
        let functions_changed = self.hand_on(is_new, members_changed, &mut dirty);
        self.tell(topologies, is_new || functions_changed, members_changed, &dirty);
    }

    /// Reads the groups that changed; whether any did.
    fn read_groups(&mut self, topologies: &[Topology], is_new: bool) -> bool {
        let unchanged = |topology: usize, position: usize, group: &SecurityGroup| {
            !is_new && self.before[topology].security_groups.get(position) == Some(group)
        };
        let changed: Vec<&SecurityGroup> = topologies
            .iter()
            .enumerate()
            .flat_map(|(topology, of)| {
                let changed = of.security_groups.iter().enumerate();
                changed.filter(move |(position, group)| !unchanged(topology, *position, group)).map(|(_, group)| group)
            })
            .collect();
        let count =
            |topologies: &[Topology]| topologies.iter().map(|topology| topology.security_groups.len()).sum::<usize>();
        if changed.is_empty() && !is_new && count(&self.before) == count(topologies) {
            return false;
        }
        let index = is_new.then(|| Index::new(topologies, &[]));
        let lists = match &index {
            Some(index) => index.lists.clone(),
            None => lists(topologies),
        };
        let unknown_list = |list: &str| match &index {
            Some(index) => index.unknown_list(list),
            None => Index::new(topologies, &[]).unknown_list(list),
        };
        let read: Vec<(String, GroupId)> = changed
            .into_iter()
            .map(|group| {
                let read = Group::read(group, &lists, &unknown_list, &mut self.known.sets);
                (group.group_id.clone(), self.permissions.add(read))
            })
            .collect();
        if is_new || count(&self.before) != count(topologies) {
            let there: HashSet<&str> = topologies
                .iter()
                .flat_map(|topology| &topology.security_groups)
                .map(|group| group.group_id.as_str())
                .collect();
            self.groups.retain(|id, _| there.contains(id.as_str()));
        }
        self.groups.extend(read);
        true
    }

    /// Reads the interfaces that changed, and gives each its groups' permits: those whose answer may differ, and whether
    /// an interface itself did.
    fn read_members(
        &mut self,
        topologies: &[Topology],
        is_new: bool,
        groups_changed: bool,
    ) -> (HashSet<(usize, usize)>, bool) {
        let mut dirty = HashSet::new();
        let mut members_changed = self.states.len() != topologies.len();
        self.states.truncate(topologies.len());
        let mut unknown: HashMap<(usize, String), GroupId> = HashMap::new();
        for (number, topology) in topologies.iter().enumerate() {
            if self.states.len() <= number {
                self.states.push(Vec::new());
            }
            let interfaces = &topology.network_interfaces;
            if self.states[number].len() > interfaces.len() {
                self.states[number].truncate(interfaces.len());
                members_changed = true;
            }
            for (position, interface) in interfaces.iter().enumerate() {
                let same = |before: &Vec<Topology>| {
                    before.get(number).and_then(|before| before.network_interfaces.get(position)) == Some(interface)
                };
                let is_known = self.states[number].get(position).is_some();
                let is_same = is_known && !is_new && same(&self.before);
                if is_same && !groups_changed {
                    continue;
                }
                let read = if is_same { None } else { Some(self.owners.member(number, interface)) };
                let member = read.as_ref().unwrap_or_else(|| &self.states[number][position].member);
                let permits = permits(
                    topologies,
                    member,
                    &self.groups,
                    &mut self.permissions,
                    &mut self.known.sets,
                    &mut unknown,
                );
                match (self.states[number].get_mut(position), read) {
                    (Some(state), None) => {
                        if state.permits != permits {
                            state.permits = permits;
                            dirty.insert((number, position));
                        }
                    }
                    (Some(state), Some(member)) => {
                        if state.member != member {
                            state.member = member;
                            members_changed = true;
                            dirty.insert((number, position));
                        }
                        if state.permits != permits {
                            state.permits = permits;
                            dirty.insert((number, position));
                        }
                    }
                    (None, Some(member)) => {
                        members_changed = true;
                        dirty.insert((number, position));
                        self.states[number].push(State { member, permits, openings: Vec::new() });
                    }
                    (None, None) => {}
                }
            }
        }
        (dirty, members_changed)
    }

    /// Looks up the members of all groups that rules refer to; whether they are others than before.
    fn call_roll(&mut self, topologies: &[Topology], members_changed: bool) -> bool {
        let groups = self.groups.values().map(|group| self.permissions.group(*group));
        let referred: HashSet<&str> =
            groups.flat_map(|group| &group.references).map(|reference| reference.group.as_str()).collect();
        let is_same =
            referred.len() == self.referred.len() && referred.iter().all(|group| self.referred.contains(*group));
        if is_same && !members_changed {
            return false;
        }
        let missing =
            |topology: &&Topology| topology.missing.iter().all(|answer| answer.call != "ec2:DescribeNetworkInterfaces");
        let complete = topologies.iter().filter(missing).flat_map(|topology| &topology.vpcs);
        let complete = complete.map(|vpc| vpc.vpc_id.clone()).collect();
        let members = self.states.iter().flatten().map(|state| &state.member);
        let roster = Roster::new(&referred, members, complete);
        self.referred = referred.into_iter().map(str::to_owned).collect();
        let has_changed = roster != self.roster;
        self.roster = roster;
        has_changed
    }

    /// What comes in to every interface that may be concerned; those where it is not the same as before.
    fn open(&mut self, moved: &HashSet<String>, is_new: bool, roll_changed: bool, dirty: &mut HashSet<(usize, usize)>) {
        for (number, states) in self.states.iter_mut().enumerate() {
            for (position, state) in states.iter_mut().enumerate() {
                let refers = roll_changed && self.permissions.permits(state.permits).has_references;
                let is_dirty = dirty.contains(&(number, position));
                let is_node = is_new && state.member.node_of.is_some();
                if !is_dirty && !refers && !is_node && !moved.contains(&state.member.subnet) {
                    continue;
                }
                let Some(place) = self.places.get(&state.member.subnet) else {
                    continue;
                };
                let mut found =
                    openings(&mut self.known, &self.permissions, &self.roster, place, &state.member, state.permits);
                let node = state.member.node_of.as_ref().and_then(|node| self.nodes.get(node));
                if let Some(number) = node {
                    listen(&mut self.known, &self.balancers[*number], &mut found);
                }
                if found != state.openings {
                    state.openings = found;
                    dirty.insert((number, position));
                }
            }
        }
    }

    /// What load balancers hand on, again where one of their nodes or targets changed; whether functions get anything
    /// else than before.
    fn hand_on(&mut self, is_new: bool, members_changed: bool, dirty: &mut HashSet<(usize, usize)>) -> bool {
        if self.balancers.is_empty() && self.handed_on.is_empty() {
            return false;
        }
        let anew = is_new || members_changed;
        if anew {
            self.directory = Directory::new(self.states.iter().flatten().map(|state| &state.member));
        }
        let sizes = self.states.iter().map(Vec::len).enumerate();
        let positions: Vec<(usize, usize)> =
            sizes.flat_map(|(number, size)| (0..size).map(move |position| (number, position))).collect();
        let standing: Vec<Standing> = self
            .states
            .iter()
            .flatten()
            .map(|state| Standing { member: &state.member, permits: state.permits, openings: &state.openings })
            .collect();
        let mut functions_changed = self.handed_on.len() > self.balancers.len();
        for old in self.handed_on.drain(self.balancers.len().min(self.handed_on.len())..) {
            dirty.extend(old.contributions.keys().filter_map(|at| positions.get(*at)));
        }
        self.handed_on.resize(self.balancers.len(), HandedOn::default());
        let mut earlier: HashMap<usize, Vec<Contribution>> = HashMap::new();
        for (balancer, old) in self.balancers.iter().zip(&mut self.handed_on) {
            let concerned = |at: &usize| positions.get(*at).is_some_and(|at| dirty.contains(at));
            if anew || old.involved.iter().any(concerned) {
                let (known, permissions, places) = (&mut self.known, &self.permissions, &self.places);
                let found =
                    balancers::hand_on(known, permissions, places, &self.directory, &standing, &earlier, balancer);
                functions_changed |= found.functions != old.functions;
                let both = found.contributions.keys().chain(old.contributions.keys());
                let differs = |at: &&usize| found.contributions.get(at) != old.contributions.get(at);
                dirty.extend(both.filter(differs).filter_map(|at| positions.get(*at)));
                *old = found;
            }
            for (at, contributions) in &old.contributions {
                if standing[*at].member.node_of.is_some() {
                    earlier.entry(*at).or_default().extend(contributions.iter().cloned());
                }
            }
        }
        functions_changed
    }
}

fn lists(topologies: &[Topology]) -> HashMap<&str, &crate::topology::PrefixListEntries> {
    let lists = topologies.iter().flat_map(|topology| &topology.prefix_list_entries);
    lists.map(|list| (list.prefix_list_id.as_str(), list)).collect()
}

/// The permits of an interface's groups together.
fn permits(
    topologies: &[Topology],
    member: &Member,
    groups: &HashMap<String, GroupId>,
    permissions: &mut Permissions,
    sets: &mut Sets,
    unknown: &mut HashMap<(usize, String), GroupId>,
) -> PermitsId {
    let mut found = Vec::with_capacity(member.groups.len());
    for id in &member.groups {
        let group = match groups.get(id) {
            Some(group) => *group,
            None => *unknown.entry((member.topology, id.clone())).or_insert_with(|| {
                let index = Index::new(topologies, &[]);
                let absent = index.absent(member.topology, groups::CALL, id);
                permissions.add(Group::unknown(id, absent, sets))
            }),
        };
        found.push(group);
    }
    if member.needs_no_group {
        let open = Group::open(sets);
        found.push(permissions.add(open));
    }
    permissions.together(&found, sets)
}

/// A node of a load balancer is open on the ports of its listeners alone.
fn listen(known: &mut Known, balancer: &Balancer, openings: &mut Vec<Opening>) {
    for opening in openings.iter_mut() {
        let (ports, unclear) = balancers::listened(balancer, opening.protocol);
        let heard = known.sets.only(ports, Sets::all(opening.family));
        opening.known = known.sets.meet(opening.known, heard);
        match unclear {
            None => opening.possible = known.sets.meet(opening.possible, heard),
            Some(unclear) => opening.unclear.push(unclear),
        }
    }
    openings.retain(|opening| opening.possible != MapId::EMPTY);
}

/// Compares all these lists; one that is forgotten does not compile.
macro_rules! same {
    ($before:expr, $now:expr; $($list:ident)*) => {{
        let Topology { security_groups: _, network_interfaces: _, $($list: _),* } = $before;
        $( $before.$list == $now.$list )&&*
    }};
}

/// Whether two topologies differ in nothing but security groups and interfaces, which are compared one by one.
fn same_surroundings(before: &Topology, now: &Topology) -> bool {
    same!(before, now; account region vpcs subnets internet_gateways egress_only_internet_gateways nat_gateways route_tables network_acls instances addresses prefix_lists prefix_list_entries vpc_peering_connections transit_gateways transit_gateway_attachments transit_gateway_vpc_attachments transit_gateway_peering_attachments transit_gateway_connects transit_gateway_route_tables transit_gateway_route_table_associations transit_gateway_route_table_propagations transit_gateway_routes vpn_connections vpn_gateways customer_gateways direct_connect_gateways direct_connect_gateway_associations direct_connect_gateway_attachments virtual_interfaces vpc_endpoints firewalls firewall_policies firewall_rule_groups load_balancers listeners listener_rules target_groups target_group_attributes target_health classic_load_balancers functions function_urls function_policies tasks db_instances missing)
}

/// Makes a list equal to another one, copying only what differs.
fn copy_changed<T: Clone + PartialEq>(to: &mut Vec<T>, from: &[T]) {
    to.truncate(from.len());
    for (mine, theirs) in to.iter_mut().zip(from) {
        if mine != theirs {
            *mine = theirs.clone();
        }
    }
    let there = to.len();
    to.extend_from_slice(&from[there..]);
}
