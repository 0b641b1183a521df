//! Route tables of VPCs: the longest prefix decides, among equals a static route before a propagated one
//! (Amazon VPC user guide, "Route priority", read 2026-11-24).

use super::{
    Change, Unknown,
    map::{block, holds, host, is_private},
    walk::{At, Halt, Next, Origin, Packet, Walk, blocked},
};
use crate::topology::{Route, RouteTable};
use std::{cmp::Reverse, net::IpAddr};

const CALL: &str = "ec2:DescribeRouteTables";

/// A route that decided, and how to lead the packet elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) component: String,
    pub(super) rule: String,
    pub(super) reroute: Option<Change>,
}

/// The route for an address.
struct Found<'a> {
    destination: String,
    length: u8,
    /// `None` for a black hole.
    target: Option<&'a str>,
}

/// Where a route stands among those for the same block: static, from a prefix list, propagated.
fn rank(route: &Route) -> u8 {
    match route {
        route if route.is_propagated() => 2,
        route if route.destination_prefix_list_id.is_some() => 1,
        _ => 0,
    }
}

/// Whether a route serves the addresses of a service by an endpoint, which never carries replies to outside.
fn is_service(route: &Route) -> bool {
    route.destination_prefix_list_id.is_some() && route.target().is_some_and(|target| target.starts_with("vpce-"))
}

impl<'a> Walk<'a> {
    /// Sends a packet where a table says.
    pub(super) fn route(
        &mut self,
        table: &'a RouteTable,
        vpc: &str,
        subnet: Option<&str>,
        packet: &mut Packet,
    ) -> Result<Next, Halt> {
        let id = table.route_table_id.as_str();
        let found = match self.look_up(table, vpc, packet) {
            Ok(found) => found,
            Err(unknown) => return Err(self.lost(unknown)),
        };
        let reroute = self.reroute(id, vpc, packet, found.as_ref());
        let Some(found) = found else {
            if subnet.is_none() {
                // A gateway without a route for a subnet hands over to the VPC's router.
                return Ok(Next::Hop(At::Local { vpc: vpc.to_owned(), subnet: None }));
            }
            let reason = format!("no route of {id} covers {}", packet.to);
            return Err(blocked(id, &format!("no route for {}", packet.to), &reason, reroute));
        };
        let rule = format!("route {} to {}", found.destination, found.target.unwrap_or("blackhole"));
        let Some(target) = found.target else {
            let reason = format!("the route for {} in {id} is a black hole", found.destination);
            return Err(blocked(id, &rule, &reason, reroute));
        };
        self.trail.push(super::Passage { component: id.to_owned(), reply: packet.reply, rule: rule.clone() });
        self.last = Some(Choice { component: id.to_owned(), rule, reroute });
        self.follow(target, vpc, subnet, packet)
    }

    fn look_up(&self, table: &'a RouteTable, vpc: &str, packet: &Packet) -> Result<Option<Found<'a>>, Unknown> {
        let mut matching: Vec<(Reverse<u8>, u8, Found)> = Vec::new();
        for route in &table.routes {
            let id = &table.route_table_id;
            for destination in route.destination_cidr_block.iter().chain(&route.destination_ipv6_cidr_block) {
                let Some(net) = block(destination) else {
                    return Err(Unknown {
                        call: CALL.into(),
                        reason: format!("{id}: `{destination}` is not a CIDR block"),
                    });
                };
                if net.contains(&packet.to) {
                    let length = net.prefix_len();
                    let found = Found { destination: destination.clone(), length, target: route.target() };
                    matching.push((Reverse(length), rank(route), found));
                }
            }
            if let Some(list) = &route.destination_prefix_list_id {
                if is_service(route) && packet.reply {
                    continue;
                }
                match self.list_match(id, list, packet.to) {
                    Err(_) if is_service(route) => {} // AWS' own list of a service's addresses
                    Err(unknown) => return Err(unknown),
                    Ok(None) => {}
                    Ok(Some(length)) => {
                        let found = Found { destination: list.clone(), length, target: route.target() };
                        matching.push((Reverse(length), rank(route), found));
                    }
                }
            }
        }
        // The VPC's own blocks are routed whether or not the answer shows it.
        for own in self.map.blocks(vpc) {
            if holds(own, packet.to) == Some(true) {
                let length = block(own).map_or(0, |net| net.prefix_len());
                let found = Found { destination: own.to_owned(), length, target: Some("local") };
                matching.push((Reverse(length), 1, found));
            }
        }
        matching.sort_by_key(|(length, rank, _)| (*length, *rank));
        Ok(matching.into_iter().next().map(|(.., found)| found))
    }

    /// The longest block of a prefix list that holds an address.
    fn list_match(&self, owner: &str, list: &str, address: IpAddr) -> Result<Option<u8>, Unknown> {
        if !self.map.list_holds(owner, list, address)? {
            return Ok(None);
        }
        let lists = self.map.all(|topology| &topology.prefix_list_entries);
        let entries = lists.filter(|known| known.prefix_list_id == list).flat_map(|known| &known.entries);
        let nets = entries.filter_map(|entry| block(&entry.cidr));
        Ok(nets.filter(|net| net.contains(&address)).map(|net| net.prefix_len()).max())
    }

    /// The route that would lead the packet to where it has to go.
    fn reroute(&self, table: &str, vpc: &str, packet: &Packet, found: Option<&Found>) -> Option<Change> {
        let target = self.target_for(vpc, packet)?;
        let taken = found.map(|found| found.length);
        let wide = self.wide_block(packet.to).filter(|wide| {
            let length = block(wide).map_or(0, |net| net.prefix_len());
            self.plan.anyone == Some(packet.to) || taken.is_none_or(|taken| taken < length)
        });
        let destination = wide.unwrap_or_else(|| host(packet.to));
        if taken.is_some() && found.is_some_and(|found| found.target == Some(target.as_str())) {
            return None; // it goes there already
        }
        Some(Change::SetRoute { table: table.to_owned(), destination, target })
    }

    /// The block that one would route: all of the internet, or all of a VPC.
    fn wide_block(&self, address: IpAddr) -> Option<String> {
        let mut blocks = self.map.all(|topology| &topology.vpcs).flat_map(|vpc| vpc.blocks());
        let own = blocks.find(|own| holds(own, address) == Some(true));
        let everything = || (if address.is_ipv4() { "0.0.0.0/0" } else { "::/0" }).to_owned();
        own.map(str::to_owned).or_else(|| (!is_private(address)).then(everything))
    }

    /// What a packet in this VPC should be routed to.
    fn target_for(&self, vpc: &str, packet: &Packet) -> Option<String> {
        if self.map.owns(vpc, packet.to) {
            return Some("local".into());
        }
        if packet.reply
            && let Origin::Outside { via, at } = &self.plan.origin
        {
            let entered = self.carriers.iter().rev().find(|carrier| self.serves(carrier, vpc));
            let transit = match at {
                At::Transit { gateway, .. } => Some(gateway),
                _ => Some(via),
            };
            return entered.or(transit.filter(|carrier| self.serves(carrier, vpc))).cloned();
        }
        let used = || self.carriers.iter().rev().find(|carrier| self.serves(carrier, vpc)).cloned();
        let planned = || self.plan.carrier.clone().filter(|carrier| self.serves(carrier, vpc));
        let internet = || {
            let open = !is_private(packet.to);
            self.map.internet_gateway_of(vpc).filter(|_| open).map(|gateway| gateway.internet_gateway_id.clone())
        };
        if packet.reply { used().or_else(planned) } else { planned() }.or_else(internet)
    }

    /// Whether a route of this VPC may name the carrier.
    fn serves(&self, carrier: &str, vpc: &str) -> bool {
        match carrier.split('-').next().unwrap_or_default() {
            "pcx" => self.map.peering(carrier).is_some_and(|peering| peering.sides(vpc).is_some()),
            "tgw" => !carrier.starts_with("tgw-attach-") && self.map.vpc_attachment(carrier, vpc).is_some(),
            "igw" => self.map.internet_gateway_of(vpc).is_some_and(|own| own.internet_gateway_id == carrier),
            "vgw" => {
                let mut gateways = self.map.all(|topology| &topology.vpn_gateways);
                gateways.any(|own| {
                    own.vpn_gateway_id == carrier && own.vpc_attachments.iter().any(|attached| attached.vpc_id == vpc)
                })
            }
            _ => false,
        }
    }
}
