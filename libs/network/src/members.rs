//! Interfaces as the analysis sees them: their addresses, and whose they are.

use crate::{
    addresses::{Block, Family},
    doors::step,
    topology::{DbInstance, NetworkInterface, Topology},
};
use muster_domain::Step;
use std::collections::{BTreeSet, HashMap, HashSet};

/// An address of an interface, or a block that is delegated to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) block: Block,
    /// Whether the internet knows an address for it.
    pub(crate) is_public: bool,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) topology: usize,
    pub(crate) id: String,
    pub(crate) vpc: String,
    pub(crate) subnet: String,
    /// `sg-…`, sorted.
    pub(crate) groups: Vec<String>,
    pub(crate) hosts: Vec<Host>,
    /// As [`muster_domain::Reachability::resource`].
    pub(crate) resource: String,
    /// The resource as the last step of a path, where it is not the interface.
    pub(crate) owner: Option<Step>,
    pub(crate) instance: Option<String>,
    /// Whether it is the instance's first.
    pub(crate) is_primary: bool,
    /// Whether something can listen there at all.
    pub(crate) listens: bool,
    /// Whether it needs no group to be open: a node of a network load balancer.
    pub(crate) needs_no_group: bool,
    /// What a load balancer's node says of itself: `app/web/0123456789abcdef`, or a classic one's name.
    pub(crate) node_of: Option<String>,
}

/// Interfaces that only send, or whose packets go on elsewhere: nothing listens at their addresses.
const NEVER_LISTEN: [&str; 6] = [
    "nat_gateway",
    "lambda",
    "transit_gateway",
    "gateway_load_balancer",
    "gateway_load_balancer_endpoint",
    "network_firewall",
];

/// Whose interfaces are, where the interface itself does not say it.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    terminated: HashSet<String>,
    tasks: HashMap<String, String>,
    endpoints: HashMap<String, String>,
    /// By description: the ARN or the name, and the type of the step.
    balancers: HashMap<String, (String, &'static str)>,
    databases: HashMap<String, Vec<Database>>,
}

#[derive(Debug)]
struct Database {
    arn: String,
    groups: BTreeSet<String>,
    subnets: HashSet<String>,
    is_public: bool,
}

impl Owners {
    pub(crate) fn new(topologies: &[Topology]) -> Self {
        let mut owners = Self::default();
        for topology in topologies {
            let terminated = topology.instances.iter().filter(|instance| instance.is_terminated());
            owners.terminated.extend(terminated.map(|instance| instance.instance_id.clone()));
            for task in topology.tasks.iter().filter(|task| task.last_status.as_deref() != Some("STOPPED")) {
                owners.tasks.extend(task.interfaces().map(|interface| (interface.to_owned(), task.task_arn.clone())));
            }
            for endpoint in &topology.vpc_endpoints {
                let interfaces = endpoint.network_interface_ids.iter();
                owners.endpoints.extend(interfaces.map(|one| (one.clone(), endpoint.vpc_endpoint_id.clone())));
            }
            for balancer in &topology.load_balancers {
                if let Some((_, tail)) = balancer.load_balancer_arn.split_once(":loadbalancer/") {
                    let kind = "AWS::ElasticLoadBalancingV2::LoadBalancer";
                    owners.balancers.insert(tail.to_owned(), (balancer.load_balancer_arn.clone(), kind));
                }
            }
            for balancer in &topology.classic_load_balancers {
                let name = &balancer.load_balancer_name;
                owners.balancers.insert(name.clone(), (name.clone(), "AWS::ElasticLoadBalancing::LoadBalancer"));
            }
            for database in &topology.db_instances {
                if let Some((vpc, known)) = Database::of(database) {
                    owners.databases.entry(vpc).or_default().push(known);
                }
            }
        }
        owners
    }

    pub(crate) fn member(&self, topology: usize, interface: &NetworkInterface) -> Member {
        let mut groups: Vec<String> = interface.groups.iter().map(|group| group.group_id.clone()).collect();
        groups.sort();
        groups.dedup();
        let owner = self.owner(interface);
        let instance = interface.instance_id().map(str::to_owned);
        let is_terminated = instance.as_ref().is_some_and(|instance| self.terminated.contains(instance));
        let index = interface.attachment.as_ref().and_then(|attachment| attachment.device_index);
        let resource = owner.as_ref().map_or(&interface.network_interface_id, |owner| &owner.component_id).clone();
        Member {
            topology,
            id: interface.network_interface_id.clone(),
            vpc: interface.vpc_id.clone(),
            subnet: interface.subnet_id.clone(),
            groups,
            hosts: hosts(interface),
            resource,
            // An endpoint names its interfaces; on the path the interface stands alone.
            owner: owner.filter(|owner| owner.component_type != ENDPOINT),
            instance,
            is_primary: index.is_none_or(|index| index == 0),
            listens: !NEVER_LISTEN.contains(&interface.kind()) && !is_terminated,
            needs_no_group: interface.kind() == "network_load_balancer" && interface.groups.is_empty(),
            node_of: node_of(interface).map(str::to_owned),
        }
    }

    fn owner(&self, interface: &NetworkInterface) -> Option<Step> {
        if let Some(instance) = interface.instance_id() {
            return Some(step(instance, "AWS::EC2::Instance"));
        }
        let id = interface.network_interface_id.as_str();
        if let Some((balancer, kind)) = node_of(interface).and_then(|node| self.balancers.get(node)) {
            return Some(step(balancer, kind));
        }
        if let Some(task) = self.tasks.get(id) {
            return Some(step(task, "AWS::ECS::Task"));
        }
        if let Some(endpoint) = self.endpoints.get(id) {
            return Some(step(endpoint, ENDPOINT));
        }
        self.database(interface).map(|arn| step(arn, "AWS::RDS::DBInstance"))
    }

    /// RDS says of an interface only that it is one of a database: its network and groups tell which, if they tell.
    fn database(&self, interface: &NetworkInterface) -> Option<&str> {
        if interface.description.as_deref() != Some("RDSNetworkInterface") {
            return None;
        }
        let groups: BTreeSet<&str> = interface.groups.iter().map(|group| group.group_id.as_str()).collect();
        let is_public = interface.ipv4_addresses().iter().any(|(_, public)| public.is_some());
        let mut fitting = self.databases.get(&interface.vpc_id)?.iter().filter(|database| {
            database.is_public == is_public
                && database.subnets.contains(&interface.subnet_id)
                && database.groups.iter().map(String::as_str).eq(groups.iter().copied())
        });
        let only = fitting.next()?;
        fitting.next().is_none().then_some(only.arn.as_str())
    }
}

const ENDPOINT: &str = "AWS::EC2::VPCEndpoint";

impl Database {
    fn of(database: &DbInstance) -> Option<(String, Self)> {
        let network = database.db_subnet_group.as_ref()?;
        let groups = database.vpc_security_groups.iter().map(|group| group.vpc_security_group_id.clone());
        let known = Self {
            arn: database.db_instance_arn.clone()?,
            groups: groups.collect(),
            subnets: network.subnets.iter().filter_map(|subnet| subnet.subnet_identifier.clone()).collect(),
            is_public: database.publicly_accessible,
        };
        Some((network.vpc_id.clone()?, known))
    }
}

/// `ELB app/web/0123456789abcdef` is a node of that load balancer, `ELB web` of a classic one.
fn node_of(interface: &NetworkInterface) -> Option<&str> {
    interface.description.as_deref()?.strip_prefix("ELB ")
}

/// What cannot be read is no address that anybody could send to.
fn hosts(interface: &NetworkInterface) -> Vec<Host> {
    let ipv4 = interface.ipv4_addresses().into_iter().filter_map(|(private, public)| {
        let block = Block::parse_host(private)?;
        Some(Host { block, is_public: public.is_some() })
    });
    let ipv4_prefixes = interface.ipv4_prefixes.iter().map(|prefix| (prefix.ipv4_prefix.as_str(), false));
    let ipv6 = interface.ipv6_addresses.iter().map(|address| (address.ipv6_address.as_str(), true));
    let ipv6_prefixes = interface.ipv6_prefixes.iter().map(|prefix| (prefix.ipv6_prefix.as_str(), true));
    let others = ipv4_prefixes.chain(ipv6).chain(ipv6_prefixes);
    let others = others.filter_map(|(raw, is_public)| Some(Host { block: Block::parse_host(raw)?, is_public }));
    ipv4.chain(others).collect()
}

impl Member {
    /// Its addresses of one family.
    pub(crate) fn hosts_of(&self, family: Family) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(move |host| host.block.family == family)
    }
}
