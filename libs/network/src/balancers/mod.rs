//! Load balancers: what reaches a listener on one of the nodes is handed on to the targets
//! (Elastic Load Balancing user guides, read 2026-11-24).

mod following;
mod reading;

pub(crate) use following::hand_on;
pub(crate) use reading::balancers;

use crate::{
    addresses::{Block, Family},
    members::Member,
    openings::{Opening, PermitsId},
    rules::{Ports, Protocol, Unclear},
    sets::{MapId, SetId},
    ways::Edge,
};
use muster_domain::Step;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a load balancer hands on to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contribution {
    pub(crate) edge: Edge,
    pub(crate) family: Family,
    pub(crate) protocol: Protocol,
    pub(crate) known: MapId,
    pub(crate) possible: MapId,
    pub(crate) universe: SetId,
    /// From the edge to the target's network ACL.
    pub(crate) before: Vec<Step>,
    /// The target's groups.
    pub(crate) groups: BTreeSet<String>,
    pub(crate) unclear: Vec<Unclear>,
}

/// A load balancer of any kind.
#[derive(Clone, Debug)]
pub(crate) struct Balancer {
    /// What its nodes say of themselves.
    node_of: String,
    step: Step,
    is_network: bool,
    listeners: Vec<Ear>,
    /// Why its listeners are not known.
    unclear: Option<Unclear>,
}

/// A listener.
#[derive(Clone, Debug)]
struct Ear {
    step: Option<Step>,
    port: u16,
    protocols: Vec<Protocol>,
    targets: Vec<Target>,
}

/// Whom a listener hands on to.
#[derive(Clone, Debug)]
struct Target {
    group: Option<Step>,
    who: Who,
    /// `None`: not known.
    port: Option<u16>,
    /// What the load balancer speaks with it.
    family: Family,
    /// Whether it sees the client's address.
    sees_client: bool,
    unclear: Option<Unclear>,
}

#[derive(Clone, Debug)]
enum Who {
    Instance(String),
    Address(Block),
    Function(String),
    Balancer(String),
    /// Not known: anyone in that VPC.
    Anyone(String),
}

impl Balancer {
    /// What its nodes say of themselves.
    pub(crate) fn node_of(&self) -> &str {
        &self.node_of
    }
}

/// An interface as it stands for load balancers.
#[derive(Clone, Copy)]
pub(crate) struct Standing<'a> {
    pub(crate) member: &'a Member,
    pub(crate) permits: PermitsId,
    pub(crate) openings: &'a [Opening],
}

/// What one load balancer does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HandedOn {
    /// By interface.
    pub(crate) contributions: BTreeMap<usize, Vec<Contribution>>,
    /// By the function's ARN.
    pub(crate) functions: BTreeMap<String, Vec<Contribution>>,
    /// Interfaces that are nodes or may be targets.
    pub(crate) involved: BTreeSet<usize>,
}

/// Where interfaces are found: by node, instance, address and VPC.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    nodes: HashMap<String, Vec<usize>>,
    instances: HashMap<String, Vec<usize>>,
    addresses: HashMap<Block, Vec<usize>>,
    vpcs: HashMap<String, Vec<usize>>,
}

impl Directory {
    pub(crate) fn new<'a>(members: impl Iterator<Item = &'a Member>) -> Self {
        let mut directory = Self::default();
        for (number, member) in members.enumerate() {
            if let Some(node) = &member.node_of {
                directory.nodes.entry(node.clone()).or_default().push(number);
            }
            if let Some(instance) = member.instance.as_ref().filter(|_| member.is_primary) {
                directory.instances.entry(instance.clone()).or_default().push(number);
            }
            member.hosts.iter().for_each(|host| directory.addresses.entry(host.block).or_default().push(number));
            directory.vpcs.entry(member.vpc.clone()).or_default().push(number);
        }
        directory
    }
}

/// The ports on which a node listens: for certain, and possibly, with the reason.
pub(crate) fn listened(balancer: &Balancer, protocol: Protocol) -> (Vec<Ports>, Option<Unclear>) {
    let heard = balancer.listeners.iter().filter(|ear| ear.protocols.contains(&protocol));
    let ports = heard.map(|ear| Ports { first: ear.port, last: ear.port }).collect();
    (ports, balancer.unclear.clone())
}
