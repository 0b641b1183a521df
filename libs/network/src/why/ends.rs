//! The two ends of a question, found in the topologies.

use super::{
    Endpoint,
    map::{Map, addresses, public_of},
};
use crate::topology::NetworkInterface;
use std::net::IpAddr;

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At an interface, or at an address of a subnet that no interface has.
    Inside { interface: Option<String>, vpc: String, subnet: String, address: IpAddr, public: Option<IpAddr> },
    /// Beyond every network that was given.
    Outside(IpAddr),
    /// Anyone on the internet.
    Anyone,
}

/// The interfaces that an end names.
pub(super) fn interfaces<'a>(map: Map<'a>, endpoint: &Endpoint) -> Vec<&'a NetworkInterface> {
    let all = map.all(|topology| &topology.network_interfaces);
    match endpoint {
        Endpoint::Internet => Vec::new(),
        Endpoint::Address(address) => map.interfaces_with(*address),
        Endpoint::Interface(id) => all.filter(|own| own.network_interface_id == *id).collect(),
        Endpoint::Instance(id) => all.filter(|own| own.instance_id() == Some(id)).collect(),
        Endpoint::Resource(name) => {
            let described = descriptions(map, name);
            let tasks = map.all(|topology| &topology.tasks).filter(|task| task.task_arn == *name);
            let own: Vec<&str> = tasks.flat_map(|task| task.interfaces()).collect();
            all.filter(|interface| {
                own.contains(&interface.network_interface_id.as_str())
                    || interface.description.as_ref().is_some_and(|text| described.contains(text))
            })
            .collect()
        }
    }
}

/// How the interfaces of a load balancer are described: `ELB app/NAME/ID`, `ELB NAME`
/// (Elastic Load Balancing user guide, "Requester-managed network interfaces", read 2026-11-24).
fn descriptions(map: Map, name: &str) -> Vec<String> {
    let balancers = map.all(|topology| &topology.load_balancers).filter(|balancer| {
        balancer.load_balancer_arn == name
            || balancer.load_balancer_name.as_deref() == Some(name)
            || balancer.dns_name.as_deref() == Some(name)
    });
    let classic = map
        .all(|topology| &topology.classic_load_balancers)
        .filter(|balancer| balancer.load_balancer_name == name || balancer.dns_name.as_deref() == Some(name));
    let newer = balancers.filter_map(|balancer| description_of(&balancer.load_balancer_arn));
    newer.chain(classic.map(|balancer| format!("ELB {}", balancer.load_balancer_name))).collect()
}

/// `ELB app/NAME/ID` from the ARN.
pub(super) fn description_of(arn: &str) -> Option<String> {
    arn.split_once(":loadbalancer/").map(|(_, name)| format!("ELB {name}"))
}

/// What an interface belongs to: an instance, a load balancer, a task.
pub(super) fn owner<'a>(map: Map<'a>, interface: &'a NetworkInterface) -> Option<&'a str> {
    let id = &interface.network_interface_id;
    let task = || {
        let found = map.first(|topology| &topology.tasks, |task| task.interfaces().any(|own| own == id));
        found.map(|task| task.task_arn.as_str())
    };
    interface.instance_id().or_else(|| super::balanced::owner(map, interface)).or_else(task)
}

/// Everything that an end may stand for.
pub(super) fn find(map: Map, endpoint: &Endpoint) -> Vec<End> {
    let inside = |interface: &NetworkInterface, address: IpAddr| End::Inside {
        interface: Some(interface.network_interface_id.clone()),
        vpc: interface.vpc_id.clone(),
        subnet: interface.subnet_id.clone(),
        address,
        public: public_of(interface, address),
    };
    match endpoint {
        Endpoint::Internet => vec![End::Anyone],
        Endpoint::Address(address) => {
            let mut ends: Vec<End> =
                map.interfaces_with(*address).into_iter().map(|interface| inside(interface, *address)).collect();
            if ends.is_empty() {
                let subnets = map.subnet_with(*address).into_iter();
                ends.extend(subnets.map(|subnet| End::Inside {
                    interface: None,
                    vpc: subnet.vpc_id.clone(),
                    subnet: subnet.subnet_id.clone(),
                    address: *address,
                    public: None,
                }));
            }
            if ends.is_empty() { vec![End::Outside(*address)] } else { ends }
        }
        named => {
            let own = interfaces(map, named).into_iter();
            own.flat_map(|interface| addresses(interface).into_iter().map(move |address| (interface, address)))
                .map(|(interface, address)| inside(interface, address))
                .collect()
        }
    }
}
