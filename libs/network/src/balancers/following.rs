//! From what comes in at a node to the targets: through network ACLs and the targets' security groups.

use super::{Balancer, Contribution, Directory, Ear, HandedOn, Standing, Target, Who};
use crate::{
    acl::EPHEMERAL,
    addresses::{Block, Family},
    doors::{Places, step},
    groups::Reference,
    openings::{Permissions, unclear_about},
    report::{Seen, direct_path},
    rules::{Ports, Protocol, Unclear},
    sets::{Flows, MapId, SetId, Sets},
    ways::{AclId, Edge, Known},
};
use muster_domain::Step;
use std::collections::{BTreeSet, HashMap};

/// Follows one load balancer to its targets; `earlier` is what others hand on to its nodes.
pub(crate) fn hand_on<'a>(
    known: &mut Known,
    permissions: &Permissions,
    places: &Places,
    directory: &Directory,
    all: &[Standing<'a>],
    earlier: &HashMap<usize, Vec<Contribution>>,
    balancer: &Balancer,
) -> HandedOn {
    let mut follower = Follower { known, permissions, places, directory, all, earlier, found: HandedOn::default() };
    for node in directory.nodes.get(&balancer.node_of).cloned().unwrap_or_default() {
        follower.follow(balancer, node);
    }
    follower.found
}

struct Follower<'a, 'k> {
    known: &'k mut Known,
    permissions: &'k Permissions,
    places: &'k Places,
    directory: &'k Directory,
    all: &'k [Standing<'a>],
    earlier: &'k HashMap<usize, Vec<Contribution>>,
    found: HandedOn,
}

/// What comes in to a node at a listener.
struct Heard {
    edge: Edge,
    family: Family,
    protocol: Protocol,
    ports: Ports,
    certain: SetId,
    perhaps: SetId,
    universe: SetId,
    before: Vec<Step>,
    unclear: Vec<Unclear>,
}

impl Follower<'_, '_> {
    fn follow(&mut self, balancer: &Balancer, node: usize) {
        self.found.involved.insert(node);
        for ear in &balancer.listeners {
            for protocol in &ear.protocols {
                let heard = self.heard(balancer, node, *protocol, Some(ear));
                for target in &ear.targets {
                    for heard in &heard {
                        self.reach(node, target, heard);
                    }
                }
            }
        }
        if let Some(unclear) = &balancer.unclear {
            let target = Target {
                group: None,
                who: Who::Anyone(self.all[node].member.vpc.clone()),
                port: None,
                family: Family::V4,
                sees_client: balancer.is_network,
                unclear: Some(unclear.clone()),
            };
            for protocol in Protocol::ALL {
                for heard in self.heard(balancer, node, protocol, None) {
                    self.reach(node, &target, &heard);
                }
            }
        }
    }

    /// What comes in to a node: at one listener, or at any port.
    fn heard(&mut self, balancer: &Balancer, node: usize, protocol: Protocol, ear: Option<&Ear>) -> Vec<Heard> {
        let standing = self.all[node];
        let Some(place) = self.places.get(&standing.member.subnet) else {
            return Vec::new();
        };
        let ports = ear.map_or(Ports::ALL, |ear| Ports { first: ear.port, last: ear.port });
        let seen = Seen {
            account: "",
            region: "",
            member: standing.member,
            place,
            permits: standing.permits,
            openings: standing.openings,
            contributions: &[],
        };
        let tail = [Some(balancer.step.clone()), ear.and_then(|ear| ear.step.clone())].into_iter().flatten();
        let tail: Vec<Step> = tail.collect();
        let mut heard = Vec::new();
        for opening in standing.openings.iter().filter(|opening| opening.protocol == protocol) {
            let certain = self.known.sets.within(opening.known, ports, opening.family);
            let perhaps = self.known.sets.within(opening.possible, ports, opening.family);
            if Sets::is_none(perhaps) {
                continue;
            }
            let path = direct_path(self.known, self.permissions, seen, opening, ports.first, perhaps, &tail);
            let unclear = if certain == perhaps {
                Vec::new()
            } else {
                let (permits, member) = (standing.permits, standing.member);
                unclear_about(self.known, self.permissions, place, member, permits, opening)
            };
            let universe = self.known.door(opening.door).ways.first();
            let universe = universe.map_or(Sets::all(opening.family), |way| self.known.way(*way).universe);
            let before = path.map_or_else(|| tail.clone(), |path| path.steps());
            let (edge, family) = (opening.edge, opening.family);
            heard.push(Heard { edge, family, protocol, ports, certain, perhaps, universe, before, unclear });
        }
        for one in self.earlier.get(&node).cloned().unwrap_or_default() {
            if one.protocol != protocol {
                continue;
            }
            let certain = self.known.sets.within(one.known, ports, one.family);
            let perhaps = self.known.sets.within(one.possible, ports, one.family);
            if Sets::is_none(perhaps) {
                continue;
            }
            let groups = one.groups.iter().map(|group| step(group, "AWS::EC2::SecurityGroup"));
            let before = one.before.iter().cloned().chain(groups).chain(tail.iter().cloned()).collect();
            let (edge, family, universe, unclear) = (one.edge, one.family, one.universe, one.unclear.clone());
            heard.push(Heard { edge, family, protocol, ports, certain, perhaps, universe, before, unclear });
        }
        heard
    }

    fn reach(&mut self, node: usize, target: &Target, heard: &Heard) {
        let from = self.all[node].member;
        let numbers = match &target.who {
            Who::Function(arn) => return self.reach_function(arn, target, heard),
            Who::Instance(instance) => self.directory.instances.get(instance.as_str()).cloned().unwrap_or_default(),
            Who::Balancer(other) => self.directory.nodes.get(other.as_str()).cloned().unwrap_or_default(),
            Who::Address(address) => self.directory.addresses.get(address).cloned().unwrap_or_default(),
            Who::Anyone(vpc) => self.directory.vpcs.get(vpc.as_str()).cloned().unwrap_or_default(),
        };
        let address = match &target.who {
            Who::Address(address) => Some(*address),
            _ => None,
        };
        for number in numbers {
            let to = self.all[number].member;
            let is_balancer = to.node_of.is_some() && !matches!(target.who, Who::Balancer(_));
            if number == node || is_balancer || !to.listens {
                continue;
            }
            // Addresses repeat from VPC to VPC: in the load balancer's own, or in one that it is peered with.
            if to.vpc != from.vpc && (address.is_none() || self.leads_there(node, number, address) == Ok(false)) {
                continue;
            }
            self.found.involved.insert(number);
            self.reach_member(node, number, address, target, heard);
        }
    }

    fn reach_function(&mut self, arn: &str, target: &Target, heard: &Heard) {
        let sets = &mut self.known.sets;
        // A function is called by the load balancer: what is reached is the listener's port.
        let (certain, perhaps) = (sets.only([heard.ports], heard.certain), sets.only([heard.ports], heard.perhaps));
        let before = heard.before.iter().cloned().chain(target.group.clone()).collect();
        self.found.functions.entry(arn.to_owned()).or_default().push(Contribution {
            edge: heard.edge,
            family: heard.family,
            protocol: heard.protocol,
            known: if target.unclear.is_none() { certain } else { MapId::EMPTY },
            possible: perhaps,
            universe: heard.universe,
            before,
            groups: BTreeSet::new(),
            unclear: heard.unclear.iter().cloned().chain(target.unclear.clone()).collect(),
        });
    }

    fn reach_member(&mut self, node: usize, number: usize, address: Option<Block>, target: &Target, heard: &Heard) {
        let to = self.all[number].member;
        let Some(own) = address.or_else(|| to.hosts_of(target.family).map(|host| host.block).next()) else {
            return;
        };
        // A client of the other family is not seen: the target gets to see the load balancer's own address.
        let sees_client = target.sees_client && own.family == heard.family;
        let leg = Leg { node: self.all[node], target: self.all[number], address: own, protocol: heard.protocol };
        let mut through = self.leg(&leg, sees_client);
        if to.vpc != self.all[node].member.vpc
            && let Err(unclear) = self.leads_there(node, number, address)
        {
            through.known = MapId::EMPTY;
            through.unclear.push(unclear);
        }
        let ports = target.port.map_or(Ports::ALL, |port| Ports { first: port, last: port });
        let family = heard.family;
        let sets = &mut self.known.sets;
        let mut map = |through: MapId, sources: SetId| {
            // Without the client's address, whoever is heard is handed on wherever the load balancer gets through.
            let through = if sees_client { through } else { sets.anyone_where_someone(through, family) };
            let at = sets.only([ports], sources);
            sets.meet(through, at)
        };
        let certain = map(through.known, heard.certain);
        let perhaps = map(through.possible, heard.perhaps);
        if perhaps == MapId::EMPTY {
            return;
        }
        let mut before: Vec<Step> = heard.before.iter().cloned().chain(target.group.clone()).collect();
        if let Some(acl) = through.acl {
            before.push(step(&self.known.acl(acl).id, "AWS::EC2::NetworkAcl"));
            before.retain(|step| !step.component_id.is_empty());
        }
        let groups = self.responsible(&leg, target, ports);
        let unclear = heard.unclear.iter().cloned().chain(target.unclear.clone()).chain(through.unclear);
        let contribution = Contribution {
            edge: heard.edge,
            family,
            protocol: heard.protocol,
            known: if target.unclear.is_none() { certain } else { MapId::EMPTY },
            possible: perhaps,
            universe: heard.universe,
            before,
            groups,
            unclear: unclear.collect(),
        };
        let of_target = self.found.contributions.entry(number).or_default();
        if !of_target.contains(&contribution) {
            of_target.push(contribution);
        }
    }

    /// Whether routes lead from a node to an address in a peered VPC, and back.
    fn leads_there(&self, node: usize, number: usize, address: Option<Block>) -> Result<bool, Unclear> {
        let (from, to) = (self.all[node].member, self.all[number].member);
        let places = (self.places.get(&from.subnet), self.places.get(&to.subnet));
        let (Some(address), (Some(from_place), Some(to_place))) = (address, places) else {
            return Ok(false);
        };
        let there = from_place.peerings.as_ref().map_err(Unclear::clone)?;
        let back = to_place.peerings.as_ref().map_err(Unclear::clone)?;
        let leads = |ways: &[(String, Family, SetId)], to: &Block| -> Vec<String> {
            let over = ways.iter().filter(|(_, family, _)| *family == to.family);
            let over = over.filter(|(.., set)| self.known.sets.get(*set).covers(to.first, to.last));
            over.map(|(connection, ..)| connection.clone()).collect()
        };
        let there = leads(there, &address);
        let hosts: Vec<Block> = from.hosts_of(address.family).map(|host| host.block).collect();
        Ok(hosts.iter().any(|host| leads(back, host).iter().any(|one| there.contains(one))))
    }

    /// The target's groups that let the load balancer, or its clients, in.
    fn responsible(&self, leg: &Leg, target: &Target, ports: Ports) -> BTreeSet<String> {
        let groups =
            self.permissions.permits(leg.target.permits).groups.iter().map(|group| self.permissions.group(*group));
        let lets_in = groups.filter(|group| {
            let map = group.possible.of(leg.address.family, leg.protocol);
            let stretches = self.known.sets.stretches(map).iter();
            let mut here =
                stretches.filter(|stretch| stretch.ports.first <= ports.last && ports.first <= stretch.ports.last);
            let by_address = here.any(|stretch| {
                let nodes = leg.node.member.hosts_of(leg.address.family);
                let set = self.known.sets.get(stretch.set);
                target.sees_client || nodes.into_iter().any(|host| set.touches(host.block.first, host.block.last))
            });
            by_address || group.references.iter().any(|reference| leg.is_named_by(reference))
        });
        lets_in.map(|group| group.id.clone()).filter(|id| !id.is_empty()).collect()
    }

    /// From a node to a target: routes inside one VPC always lead there; network ACLs and the target's groups decide.
    fn leg(&mut self, leg: &Leg, sees_client: bool) -> Through {
        let family = leg.address.family;
        let permits = self.permissions.permits(leg.target.permits);
        let by_group = |flows: &Flows| flows.of(family, leg.protocol);
        let (mut known, mut possible) = (by_group(&permits.known), by_group(&permits.possible));
        let references = permits.groups.iter().flat_map(|group| &self.permissions.group(*group).references);
        let named = references.filter(|reference| leg.is_named_by(reference)).map(|reference| reference.ports);
        let sets = &mut self.known.sets;
        let by_reference = sets.only(named.collect::<Vec<_>>(), Sets::all(family));
        known = sets.join(known, by_reference);
        possible = sets.join(possible, by_reference);
        let mut unclear: Vec<Unclear> =
            permits.groups.iter().flat_map(|group| self.permissions.group(*group).unclear.clone()).collect();
        let nodes: Vec<Block> = leg.node.member.hosts_of(family).map(|host| host.block).collect();
        let mut acl = None;
        let everyone = if sees_client { Sets::all(family) } else { sets.of(family, &nodes) };
        let mut sources = everyone;
        if leg.node.member.subnet != leg.target.member.subnet
            && let (Some(from), Some(to)) =
                (self.places.get(&leg.node.member.subnet), self.places.get(&leg.target.member.subnet))
        {
            let (out, into) = (self.known.acl(from.acl).clone(), self.known.acl(to.acl).clone());
            let sets = &mut self.known.sets;
            let flow = |flows: &Flows| flows.of(family, leg.protocol);
            let leaves = sets.where_is(flow(&out.egress), &leg.address);
            let there = sets.meet(leaves, flow(&into.ingress));
            let enters = sets.where_is(flow(&out.ingress), &leg.address);
            let back = sets.meet(flow(&into.egress), enters);
            let answered = sets.within(back, EPHEMERAL, family);
            sources = sets.intersection(sources, answered);
            possible = sets.meet(possible, there);
            known = sets.meet(known, there);
            if out.unclear.is_some() || into.unclear.is_some() {
                known = MapId::EMPTY;
                unclear.extend(out.unclear.into_iter().chain(into.unclear));
            }
            acl = Some(to.acl);
        }
        let sets = &mut self.known.sets;
        let sources = sets.everywhere(sources);
        Through { known: sets.meet(known, sources), possible: sets.meet(possible, sources), acl, unclear }
    }
}

/// One node and one target.
struct Leg<'a> {
    node: Standing<'a>,
    target: Standing<'a>,
    address: Block,
    protocol: Protocol,
}

impl Leg<'_> {
    /// Whether a rule of the target names a group of the node.
    fn is_named_by(&self, reference: &Reference) -> bool {
        reference.protocols.hold(self.protocol) && self.node.member.groups.contains(&reference.group)
    }
}

/// Who gets through to a target.
struct Through {
    known: MapId,
    possible: MapId,
    /// The target's network ACL, where it is asked.
    acl: Option<AclId>,
    unclear: Vec<Unclear>,
}
