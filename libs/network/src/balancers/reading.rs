//! Load balancers with their listeners and targets, as they are described.

use super::{Balancer, Ear, Target, Who};
use crate::{
    addresses::{Block, Family},
    doors::step,
    index::Index,
    rules::{Protocol, Unclear},
    topology::{Listener, LoadBalancer, TargetGroup, TargetHealthDescription, Topology},
};
use std::collections::BTreeSet;

/// Every load balancer of all topologies; those that may hand on to another one come first.
pub(crate) fn balancers(topologies: &[Topology]) -> Vec<Balancer> {
    let index = Index::new(topologies, &[]);
    let mut found = Vec::new();
    for (number, topology) in topologies.iter().enumerate() {
        let reader = Reader { number, topology, index: &index };
        found.extend(topology.load_balancers.iter().filter_map(|balancer| reader.balancer(balancer)));
        found.extend(reader.classic());
        found.extend(reader.unknown());
    }
    found.sort_by_key(|balancer: &Balancer| !balancer.is_network);
    found
}

struct Reader<'a> {
    number: usize,
    topology: &'a Topology,
    index: &'a Index<'a>,
}

fn missing_call(call: &str) -> String {
    format!("elasticloadbalancing:{call}")
}

impl<'a> Reader<'a> {
    fn missing(&self, call: &str, about: &str) -> Option<Unclear> {
        self.index.missing(self.number, &missing_call(call), about)
    }

    fn balancer(&self, balancer: &'a LoadBalancer) -> Option<Balancer> {
        let arn = balancer.load_balancer_arn.as_str();
        let (_, node_of) = arn.split_once(":loadbalancer/")?;
        if balancer.balancer_type.as_deref() == Some("gateway") {
            return None; // takes what its endpoints are routed, not what is addressed to it
        }
        let is_network = balancer.balancer_type.as_deref() == Some("network");
        let listeners = self.topology.listeners.iter().filter(|listener| listener.load_balancer_arn == arn);
        Some(Balancer {
            node_of: node_of.to_owned(),
            step: step(arn, "AWS::ElasticLoadBalancingV2::LoadBalancer"),
            is_network,
            listeners: listeners.filter_map(|listener| self.ear(balancer, listener, is_network)).collect(),
            unclear: self.missing("DescribeListeners", arn),
        })
    }

    fn ear(&self, balancer: &LoadBalancer, listener: &Listener, is_network: bool) -> Option<Ear> {
        let protocols = match listener.protocol.as_deref() {
            Some("UDP" | "QUIC") => vec![Protocol::Udp],
            Some("TCP_UDP" | "TCP_QUIC") => vec![Protocol::Tcp, Protocol::Udp],
            _ => vec![Protocol::Tcp],
        };
        let rules = self.topology.listener_rules.iter();
        let rules = rules.filter(|rule| rule.listener_arn().as_deref() == Some(&listener.listener_arn));
        let actions = listener.default_actions.iter().chain(rules.flat_map(|rule| &rule.actions));
        let groups: BTreeSet<&str> = actions.flat_map(|action| action.forwards_to()).collect();
        let mut targets: Vec<Target> = groups.iter().flat_map(|group| self.targets(group, is_network)).collect();
        if let Some(missing) = self.missing("DescribeRules", &listener.listener_arn).filter(|_| !is_network) {
            // Any target group of the load balancer may be one of a rule.
            let perhaps = self.topology.target_groups.iter().filter(|group| {
                group.load_balancer_arns.contains(&balancer.load_balancer_arn)
                    && !groups.contains(group.target_group_arn.as_str())
            });
            for group in perhaps {
                let unclear = |target| Target { unclear: Some(missing.clone()), ..target };
                targets.extend(self.targets(&group.target_group_arn, is_network).into_iter().map(unclear));
            }
        }
        Some(Ear {
            step: Some(step(&listener.listener_arn, "AWS::ElasticLoadBalancingV2::Listener")),
            port: u16::try_from(listener.port?).ok()?,
            protocols,
            targets,
        })
    }

    fn targets(&self, arn: &str, is_network: bool) -> Vec<Target> {
        let kind = "AWS::ElasticLoadBalancingV2::TargetGroup";
        let Some(group) = self.topology.target_groups.iter().find(|group| group.target_group_arn == arn) else {
            let missing = self.index.absent(self.number, &missing_call("DescribeTargetGroups"), arn);
            let vpcs = self.topology.vpcs.iter().map(|vpc| Target {
                group: Some(step(arn, kind)),
                who: Who::Anyone(vpc.vpc_id.clone()),
                port: None,
                family: Family::V4,
                sees_client: is_network,
                unclear: Some(missing.clone()),
            });
            return vpcs.collect();
        };
        let sees_client = is_network && self.sees_client(group);
        let family = if group.ip_address_type.as_deref() == Some("ipv6") { Family::V6 } else { Family::V4 };
        let Some(health) = self.topology.target_health.iter().find(|health| health.target_group_arn == arn) else {
            return vec![Target {
                group: Some(step(arn, kind)),
                who: Who::Anyone(group.vpc_id.clone().unwrap_or_default()),
                port: None,
                family,
                sees_client,
                unclear: Some(self.index.absent(self.number, &missing_call("DescribeTargetHealth"), arn)),
            }];
        };
        let used = health.target_health_descriptions.iter().filter(|target| !is_unused(target));
        let targets = used.filter_map(|target| {
            let id = target.target.id.as_str();
            let who = match group.target_type.as_deref() {
                Some("lambda") => Who::Function(id.to_owned()),
                Some("alb") => Who::Balancer(id.split_once(":loadbalancer/")?.1.to_owned()),
                Some("ip") => Who::Address(Block::parse_host(id)?),
                _ => Who::Instance(id.to_owned()),
            };
            let port = target.target.port.or(group.port).and_then(|port| u16::try_from(port).ok());
            Some(Target { group: Some(step(arn, kind)), who, port, family, sees_client, unclear: None })
        });
        targets.collect()
    }

    /// Whether a network load balancer keeps the client's address: as it is told, else by default for instances and
    /// load balancers, and always where UDP is spoken (Network Load Balancers guide, "Client IP preservation").
    fn sees_client(&self, group: &TargetGroup) -> bool {
        let arn = &group.target_group_arn;
        let attributes = self.topology.target_group_attributes.iter().find(|one| one.target_group_arn == *arn);
        let told =
            attributes.iter().flat_map(|one| &one.attributes).find(|one| one.key == "preserve_client_ip.enabled");
        match told {
            Some(told) => told.value == "true",
            None => {
                matches!(group.target_type.as_deref(), None | Some("instance" | "alb"))
                    || matches!(group.protocol.as_deref(), Some("UDP" | "TCP_UDP"))
            }
        }
    }

    fn classic(&self) -> impl Iterator<Item = Balancer> {
        self.topology.classic_load_balancers.iter().map(|balancer| {
            let listeners = balancer.listener_descriptions.iter().filter_map(|described| {
                let port = |port: i32| u16::try_from(port).ok();
                let to = port(described.listener.instance_port)?;
                let targets = balancer.instances.iter().map(|instance| Target {
                    group: None,
                    who: Who::Instance(instance.instance_id.clone()),
                    port: Some(to),
                    family: Family::V4,
                    sees_client: false,
                    unclear: None,
                });
                Some(Ear {
                    step: None,
                    port: port(described.listener.load_balancer_port)?,
                    protocols: vec![Protocol::Tcp],
                    targets: targets.collect(),
                })
            });
            Balancer {
                node_of: balancer.load_balancer_name.clone(),
                step: step(&balancer.load_balancer_name, "AWS::ElasticLoadBalancing::LoadBalancer"),
                is_network: false,
                listeners: listeners.collect(),
                unclear: None,
            }
        })
    }

    /// Nodes of load balancers that could not be described: whom they hand on to is not known.
    fn unknown(&self) -> Vec<Balancer> {
        let Some(missing) = self.missing("DescribeLoadBalancers", "") else {
            return Vec::new();
        };
        let described = |node: &str| {
            let arns = self.topology.load_balancers.iter().map(|one| one.load_balancer_arn.as_str());
            let classic = self.topology.classic_load_balancers.iter().map(|one| one.load_balancer_name.as_str());
            arns.chain(classic)
                .any(|known| known == node || known.split_once(":loadbalancer/").is_some_and(|(_, tail)| tail == node))
        };
        let nodes = self.topology.network_interfaces.iter();
        let nodes = nodes.filter_map(|node| node.description.as_deref()?.strip_prefix("ELB "));
        let unknown: BTreeSet<&str> = nodes.filter(|node| !node.starts_with("gwy/") && !described(node)).collect();
        let balancer = |node: &str| Balancer {
            node_of: node.to_owned(),
            step: step(node, "AWS::ElasticLoadBalancingV2::LoadBalancer"),
            is_network: node.starts_with("net/"),
            listeners: Vec::new(),
            unclear: Some(missing.clone()),
        };
        unknown.into_iter().map(balancer).collect()
    }
}

fn is_unused(target: &TargetHealthDescription) -> bool {
    target.target_health.as_ref().and_then(|health| health.state.as_deref()) == Some("unused")
}
