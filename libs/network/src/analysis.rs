//! From the internet to each interface: gateway, route back, network ACL in both directions, security groups.
//!
//! Each part is a set of sources per port, known exactly or not known. Their intersection is the answer. A part that
//! is not known counts as open first: only when something is reachable then does it matter that it is not known.

use crate::{
    network::{Network, Outcome},
    place::{Opening, Place},
    rules::Unclear,
    topology::{NetworkInterface, Topology},
};
use muster_domain::{Reachability, Step};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The edge that is looked at.
const EDGE: &str = "internet";

/// What can be reached in a topology, and where that could not be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// Every open port range of every interface, sorted. Ranges of one interface and protocol are disjoint, and
    /// adjacent ones have different sources.
    pub reachabilities: Vec<Reachability>,
    /// What could not be told, sorted. Where something stands here, an empty `reachabilities` says nothing.
    pub undetermined: Vec<Undetermined>,
    /// The instances whose interfaces were looked at. Nothing is known of another one: it may be newer than the
    /// topology.
    #[serde(default)]
    pub instances: BTreeSet<String>,
}

/// Something that could not be told, because an answer is missing or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Undetermined {
    /// `i-…`, when it is about one instance.
    pub instance: Option<String>,
    /// `eni-…`, when it is about one interface; neither: about everything in the region.
    pub interface: Option<String>,
    /// The action as IAM writes it: `ec2:DescribeNetworkAcls`.
    pub call: String,
    /// Why it is needed and not there, in one line.
    pub reason: String,
}

impl Analysis {
    /// What an instance can be reached on, sorted.
    pub fn of_instance(&self, instance: &str) -> Vec<Reachability> {
        let own = |reachability: &&Reachability| reachability.instance.as_deref() == Some(instance);
        self.reachabilities.iter().filter(own).cloned().collect()
    }

    /// The calls without which the reachability of an instance is not known, sorted; empty: it is known.
    pub fn undetermined_of(&self, instance: &str) -> Vec<String> {
        let concerns = |undetermined: &&Undetermined| match (&undetermined.instance, &undetermined.interface) {
            (Some(concerned), _) => concerned == instance,
            (None, interface) => interface.is_none(),
        };
        let mut calls: BTreeSet<&str> =
            self.undetermined.iter().filter(concerns).map(|open| open.call.as_str()).collect();
        if !self.instances.contains(instance) {
            calls.insert("ec2:DescribeNetworkInterfaces");
        }
        calls.into_iter().map(str::to_owned).collect()
    }
}

/// The complete set of sources, protocols and ports from which the internet reaches each interface.
pub fn reachable(topology: &Topology) -> Analysis {
    let network = Network::new(topology);
    let instances = topology.network_interfaces.iter().filter_map(|interface| interface.instance_id.clone());
    let mut analysis = Analysis { instances: instances.collect(), ..Analysis::default() };
    if let Some(missing) = network.missing("DescribeNetworkInterfaces") {
        analysis.undetermined.push(undetermined(None, missing));
    }
    let mut known: BTreeMap<Place, Outcome> = BTreeMap::new();
    for interface in &topology.network_interfaces {
        let place = Place::of(interface);
        if !place.public_ipv4 && !place.public_ipv6 {
            continue; // nobody outside has an address for it
        }
        let outcome = known.entry(place).or_insert_with_key(|place| network.outcome(place));
        if outcome.openings.is_empty() {
            continue;
        }
        let diverted = network.diverted(outcome, interface);
        if outcome.unclear.is_empty() && diverted.is_none() {
            analysis
                .reachabilities
                .extend(outcome.openings.iter().map(|opening| reachability(outcome, opening, interface)));
        }
        let unclear = outcome.unclear.iter().cloned().chain(diverted);
        analysis.undetermined.extend(unclear.map(|unclear| undetermined(Some(interface), unclear)));
    }
    analysis.undetermined.extend(behind_load_balancers(topology, &analysis.reachabilities));
    analysis.reachabilities.sort();
    analysis.undetermined.sort();
    analysis.undetermined.dedup();
    analysis
}

fn undetermined(interface: Option<&NetworkInterface>, unclear: Unclear) -> Undetermined {
    Undetermined {
        instance: interface.and_then(|interface| interface.instance_id.clone()),
        interface: interface.map(|interface| interface.network_interface_id.clone()),
        call: unclear.call,
        reason: unclear.reason,
    }
}

fn reachability(outcome: &Outcome, opening: &Opening, interface: &NetworkInterface) -> Reachability {
    let step = |id: &str, kind: &str| Step { component_id: id.into(), component_type: format!("AWS::EC2::{kind}") };
    let mut path = vec![step(&outcome.gateway, "InternetGateway"), step(&outcome.acl, "NetworkAcl")];
    path.extend(opening.groups.iter().map(|group| step(group, "SecurityGroup")));
    path.push(step(&interface.network_interface_id, "NetworkInterface"));
    path.extend(interface.instance_id.iter().map(|instance| step(instance, "Instance")));
    Reachability {
        instance: interface.instance_id.clone(),
        interface: interface.network_interface_id.clone(),
        protocol: opening.protocol.as_str().into(),
        port_begin: opening.first,
        port_end: opening.last,
        edge: EDGE.into(),
        sources: opening.sources.clone(),
        path,
    }
}

/// Instances that are not reached themselves, in a network where something that may be a load balancer has a public
/// address: whom that forwards to is not in the topology, so they are not known to be out of reach.
fn behind_load_balancers(topology: &Topology, reached: &[Reachability]) -> Vec<Undetermined> {
    let may_forward = |interface: &&NetworkInterface| {
        interface.instance_id.is_none()
            && interface.status == "in-use"
            && matches!(interface.interface_type.as_str(), "interface" | "load_balancer" | "network_load_balancer")
            && (Place::of(interface).public_ipv4 || Place::of(interface).public_ipv6)
    };
    let forwarders: BTreeMap<&str, &str> = topology
        .network_interfaces
        .iter()
        .filter(may_forward)
        .map(|interface| (interface.vpc_id.as_str(), interface.network_interface_id.as_str()))
        .collect();
    let reached: BTreeSet<&str> = reached.iter().filter_map(|reachability| reachability.instance.as_deref()).collect();
    let behind = topology.network_interfaces.iter().filter_map(|interface| {
        let instance = interface.instance_id.as_deref().filter(|instance| !reached.contains(instance))?;
        let forwarder = forwarders.get(interface.vpc_id.as_str())?;
        Some(Undetermined {
            instance: Some(instance.to_owned()),
            interface: Some(interface.network_interface_id.clone()),
            call: FORWARDING_CALL.into(),
            reason: format!("{forwarder} has a public address and may forward to the instance"),
        })
    });
    behind.collect()
}

/// The call that would tell whom a load balancer forwards to. It does not bear on what reaches an instance directly.
pub const FORWARDING_CALL: &str = "elasticloadbalancing:DescribeTargetHealth";
