//! Packets that lie at an edge of something: at the first and last address of every block that AWS' answers name, at
//! the first and last port of every range, and one beside each. Between edges no rule changes.

use crate::oracle::{Answers, Edge, Packet, Protocol};
use ipnet::IpNet;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// All that packets can be made of.
#[derive(Debug, Default)]
pub struct Probes {
    pub sources: Vec<IpAddr>,
    pub ports: Vec<u16>,
    pub interfaces: Vec<String>,
}

impl Probes {
    pub fn of<'a>(regions: impl IntoIterator<Item = &'a Answers>) -> Self {
        let mut edges = Edges::default();
        let mut interfaces = Vec::new();
        for answers in regions {
            answers.values().for_each(|value| edges.collect(value));
            let described = answers.get("describe-network-interfaces").map(|answer| &answer["NetworkInterfaces"]);
            let described = described.and_then(Value::as_array).into_iter().flatten();
            interfaces.extend(described.map(|one| one["NetworkInterfaceId"].as_str().unwrap().to_owned()));
        }
        edges.near("8.8.8.8/32".parse().unwrap());
        edges.near("2600::1/128".parse().unwrap());
        Self { sources: edges.sources.into_iter().collect(), ports: edges.ports.into_iter().collect(), interfaces }
    }

    /// Every packet that these can make.
    pub fn all(&self) -> impl Iterator<Item = Packet> + '_ {
        self.interfaces.iter().flat_map(move |interface| {
            Edge::ALL.into_iter().flat_map(move |edge| {
                Protocol::ALL.into_iter().flat_map(move |protocol| {
                    self.ports.iter().flat_map(move |port| {
                        self.sources.iter().map(move |source| Packet {
                            edge,
                            source: *source,
                            interface: interface.clone(),
                            protocol,
                            port: *port,
                        })
                    })
                })
            })
        })
    }
}

#[derive(Default)]
struct Edges {
    sources: BTreeSet<IpAddr>,
    ports: BTreeSet<u16>,
}

impl Edges {
    fn collect(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                if let Some(block) = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)) {
                    self.near(block);
                }
                if let Ok(port) = text.parse::<u16>() {
                    self.beside(port);
                }
            }
            Value::Number(number) => {
                if let Some(port) = number.as_u64().and_then(|port| u16::try_from(port).ok()) {
                    self.beside(port);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Object(fields) => {
                fields.iter().filter(|(key, _)| is_telling(key)).for_each(|(_, item)| self.collect(item))
            }
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn near(&mut self, block: IpNet) {
        match block {
            IpNet::V4(net) => {
                let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
                let near = [first.wrapping_sub(1), first, last, last.wrapping_add(1)];
                self.sources.extend(near.map(|address| IpAddr::V4(Ipv4Addr::from(address))));
            }
            IpNet::V6(net) => {
                let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
                let near = [first.wrapping_sub(1), first, last, last.wrapping_add(1)];
                self.sources.extend(near.map(|address| IpAddr::V6(Ipv6Addr::from(address))));
            }
        }
    }

    fn beside(&mut self, port: u16) {
        self.ports.extend([port.wrapping_sub(1), port, port.wrapping_add(1)]);
    }
}

/// Numbers of rules, codes and versions are not ports.
fn is_telling(key: &str) -> bool {
    !["RuleNumber", "Priority", "DeviceIndex", "Code", "Weight", "Order", "Version", "MaxEntries", "Capacity", "vlan"]
        .contains(&key)
        && !["Settings", "AmazonSideAsn", "amazonSideAsn", "BgpAsn", "Protocols", "UpdateToken", "StatusCode"]
            .contains(&key)
}
