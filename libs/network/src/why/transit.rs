//! Transit gateways: the table associated with the attachment by which a packet enters decides by which it leaves
//! (Amazon VPC Transit Gateways guide, "How transit gateways work", read 2026-11-24).

use super::{
    Change, Passage, Unknown,
    map::{block, host, works},
    routing::Choice,
    walk::{At, Halt, Next, Origin, Packet, Walk, blocked},
};
use crate::topology::TransitGatewayRoute;
use std::cmp::Reverse;

impl<'a> Walk<'a> {
    /// From a VPC into a transit gateway, over the attachment's subnet in the sender's zone.
    pub(super) fn enter_transit(
        &mut self,
        gateway: &str,
        vpc: &str,
        subnet: Option<&str>,
        packet: &Packet,
    ) -> Result<Next, Halt> {
        let Some(attachment) = self.map.vpc_attachment(gateway, vpc) else {
            let call = "ec2:DescribeTransitGatewayVpcAttachments";
            if let Some(unknown) = self.map.missing(Some(vpc), call, gateway) {
                return Err(self.lost(unknown));
            }
            return Err(blocked(gateway, "not attached", &format!("{vpc} is not attached to {gateway}"), None));
        };
        let id = &attachment.transit_gateway_attachment_id;
        let Some(subnet) = subnet else {
            let reason = format!("{gateway} takes nothing from another gateway of {vpc}");
            return Err(blocked(gateway, "no transit", &reason, None));
        };
        let Some(border) = self.map.attached_subnet(attachment, subnet) else {
            return Err(self.zone_halt(gateway, vpc, id, subnet));
        };
        // "How network ACLs work with transit gateways": on the way in the inbound rules of the attachment's subnet
        // are applied, also when the sender is in that subnet.
        self.acl_check(vpc, &border.subnet_id, packet, false)?;
        self.step_of(id, packet);
        self.pass(gateway, packet, &format!("enters by {id}"));
        if !packet.reply {
            self.carriers.push(gateway.to_owned());
        }
        Ok(Next::Hop(At::Transit { gateway: gateway.to_owned(), attachment: id.clone() }))
    }

    fn zone_halt(&mut self, gateway: &str, vpc: &str, attachment: &str, subnet: &str) -> Halt {
        if let Some(unknown) = self.map.missing(Some(vpc), "ec2:DescribeSubnets", subnet) {
            return self.lost(unknown);
        }
        let reason = format!("{attachment} has no subnet in the availability zone of {subnet}");
        let change = Change::AddTransitSubnet { attachment: attachment.into(), subnet: subnet.into() };
        blocked(gateway, "availability zone not served", &reason, Some(change))
    }

    /// The table for what enters by an attachment.
    fn table_for(&mut self, gateway: &str, attachment: &str) -> Result<String, Halt> {
        let listed = self.map.first(
            |topology| &topology.transit_gateway_route_table_associations,
            |table| {
                table
                    .associations
                    .iter()
                    .any(|own| own.transit_gateway_attachment_id == attachment && works(&own.state))
            },
        );
        let told = || {
            let association = self.map.attachment(attachment)?.association.as_ref()?;
            association.transit_gateway_route_table_id.clone().filter(|_| works(&association.state))
        };
        if let Some(table) = listed.map(|table| table.transit_gateway_route_table_id.clone()).or_else(told) {
            return Ok(table);
        }
        for call in ["ec2:GetTransitGatewayRouteTableAssociations", "ec2:DescribeTransitGatewayAttachments"] {
            if let Some(unknown) = self.map.missing(None, call, attachment) {
                return Err(self.lost(unknown));
            }
        }

        let first = self
            .map
            .first(|topology| &topology.transit_gateway_route_tables, |table| table.transit_gateway_id == gateway);
        let change = first.map(|table| Change::AssociateTransitTable {
            table: table.transit_gateway_route_table_id.clone(),
            attachment: attachment.into(),
        });
        let reason = format!("no route table of {gateway} is associated with {attachment}");
        Err(blocked(attachment, "no associated route table", &reason, change))
    }

    /// From attachment to attachment.
    pub(super) fn switch(&mut self, gateway: &str, attachment: &str, packet: &Packet) -> Result<Next, Halt> {
        let table = self.table_for(gateway, attachment)?;
        let call = "ec2:SearchTransitGatewayRoutes";

        let Some(routes) = self
            .map
            .first(|topology| &topology.transit_gateway_routes, |own| own.transit_gateway_route_table_id == table)
        else {
            let unknown = self.map.absent(None, call, &table);
            return Err(self.lost(unknown));
        };
        if routes.additional_routes_available {
            let reason = format!("{table} has more routes than the answer holds");
            return Err(self.lost(Unknown { call: call.into(), reason }));
        }
        let found = match self.best(&table, &routes.routes, packet) {
            Ok(found) => found,
            Err(unknown) => return Err(self.lost(unknown)),
        };
        let reroute = self.transit_reroute(&table, gateway, packet, found.as_ref().map(|(block, _)| block.as_str()));
        let Some((destination, route)) = found else {
            let reason = format!("no route of {table} covers {}", packet.to);
            return Err(blocked(&table, &format!("no route for {}", packet.to), &reason, reroute));
        };
        let out = route.transit_gateway_attachments.first().filter(|_| route.state.as_deref() != Some("blackhole"));
        let rule = format!(
            "route {destination} to {}",
            out.map_or("blackhole", |out| out.transit_gateway_attachment_id.as_str())
        );
        let Some(out) = out else {
            let reason = format!("the route for {destination} in {table} is a black hole");
            return Err(blocked(&table, &rule, &reason, reroute));
        };
        self.trail.push(Passage { component: table.clone(), reply: packet.reply, rule: rule.clone() });
        self.last = Some(Choice { component: table, rule, reroute });
        self.leave_transit(gateway, &out.transit_gateway_attachment_id.clone(), packet)
    }

    /// The longest prefix; among equals a static route.
    fn best(
        &self,
        table: &str,
        routes: &'a [TransitGatewayRoute],
        packet: &Packet,
    ) -> Result<Option<(String, &'a TransitGatewayRoute)>, Unknown> {
        let mut matching = Vec::new();
        for route in routes {
            let Some(raw) = &route.destination_cidr_block else {
                continue;
            };
            let Some(net) = block(raw) else {
                let reason = format!("{table}: `{raw}` is not a CIDR block");
                return Err(Unknown { call: "ec2:SearchTransitGatewayRoutes".into(), reason });
            };
            if net.contains(&packet.to) {
                let propagated = route.route_type.as_deref() == Some("propagated");
                matching.push((Reverse(net.prefix_len()), propagated, raw.clone(), route));
            }
        }
        matching.sort_by_key(|(length, propagated, ..)| (*length, *propagated));
        Ok(matching.into_iter().next().map(|(.., raw, route)| (raw, route)))
    }

    /// A route to the attachment of whoever has the address.
    fn transit_reroute(&self, table: &str, gateway: &str, packet: &Packet, taken: Option<&str>) -> Option<Change> {
        let there = self.map.interfaces_with(packet.to);
        let vpcs = there.iter().map(|interface| interface.vpc_id.as_str());
        let ghosts = self.map.subnet_with(packet.to);
        let mut vpcs = vpcs.chain(ghosts.iter().map(|subnet| subnet.vpc_id.as_str()));
        let inside = vpcs.find_map(|vpc| Some((vpc, self.map.vpc_attachment(gateway, vpc)?)));
        let (attachment, own) = match (&self.plan.origin, inside) {
            (_, Some((vpc, attachment))) => {
                let blocks = self.map.blocks(vpc);
                let own = { blocks.into_iter() }.find(|own| block(own).is_some_and(|net| net.contains(&packet.to)));
                (attachment.transit_gateway_attachment_id.clone(), own)
            }
            (Origin::Outside { via, .. }, None) if packet.reply && via.starts_with("tgw-attach-") => {
                (via.clone(), None)
            }
            _ => return None,
        };
        let length = |raw: &str| block(raw).map_or(0, |net| net.prefix_len());
        let wide = own.filter(|own| taken.is_none_or(|taken| length(taken) < length(own)));
        let destination = wide.map_or_else(|| host(packet.to), str::to_owned);
        Some(Change::SetTransitRoute { table: table.to_owned(), destination, attachment })
    }

    /// Out by an attachment: into a VPC, over a peering into another transit gateway, or to a site outside.
    fn leave_transit(&mut self, gateway: &str, out: &str, packet: &Packet) -> Result<Next, Halt> {
        if let Some(attached) = self
            .map
            .first(|topology| &topology.transit_gateway_vpc_attachments, |own| own.transit_gateway_attachment_id == out)
        {
            if !self.map.carries(attached) {
                return Err(self.misled(&format!("{out} is not available")));
            }
            return self.enter_vpc(gateway, attached, packet);
        }

        if let Some(peering) = self.map.first(
            |topology| &topology.transit_gateway_peering_attachments,
            |own| own.transit_gateway_attachment_id == out,
        ) {
            let sides = [&peering.requester_tgw_info, &peering.accepter_tgw_info];
            let mut ids = sides.iter().filter_map(|side| side.as_ref()?.transit_gateway_id.clone());
            let other = ids.find(|id| id != gateway);
            let described = |id: &String| {
                self.map.all(|topology| &topology.transit_gateways).any(|own| own.transit_gateway_id == *id)
            };
            if let Some(other) = other.filter(described) {
                self.pass(out, packet, &format!("to {other}"));
                self.step_of(&other, packet);
                return Ok(Next::Hop(At::Transit { gateway: other, attachment: out.to_owned() }));
            }
            return self.leave_by_attachment(gateway, out, packet);
        }
        match self.map.attachment(out) {
            Some(attachment) if attachment.resource_type == "vpc" => {
                let vpc = attachment.resource_id.clone().unwrap_or_default();
                if self.map.home(&vpc).is_none() {
                    return self.leave_by_attachment(gateway, out, packet);
                }
                let unknown = self.map.absent(None, "ec2:DescribeTransitGatewayVpcAttachments", out);
                Err(self.lost(unknown))
            }
            Some(_) => self.leave_by_attachment(gateway, out, packet),
            None => {
                let unknown = self.map.absent(None, "ec2:DescribeTransitGatewayAttachments", out);
                Err(self.lost(unknown))
            }
        }
    }

    /// Into a VPC: the table of the attachment's subnet in the receiver's zone decides.
    fn enter_vpc(
        &mut self,
        gateway: &str,
        attached: &'a crate::topology::TransitGatewayVpcAttachment,
        packet: &Packet,
    ) -> Result<Next, Halt> {
        let vpc = &attached.vpc_id;
        let id = &attached.transit_gateway_attachment_id;
        if self.map.home(vpc).is_none() {
            return self.leave_by_attachment(gateway, id, packet);
        }
        let ghosts = self.map.subnet_with(packet.to);
        let ghost = ghosts.iter().find(|subnet| subnet.vpc_id == *vpc).map(|subnet| subnet.subnet_id.as_str());
        let receiver = self.map.interface_at(vpc, packet.to).map(|there| there.subnet_id.as_str()).or(ghost);
        let border = match receiver {
            // For an address beyond the VPC: any zone, the first by name.
            None => attached.subnet_ids.iter().min().cloned(),
            Some(subnet) => match self.map.attached_subnet(attached, subnet) {
                Some(border) => Some(border.subnet_id.clone()),
                None => return Err(self.zone_halt(gateway, vpc, id, subnet)),
            },
        };
        let Some(subnet) = border else {
            return Err(self.misled(&format!("{id} has no subnet in {vpc}")));
        };
        self.step_of(id, packet);
        Ok(Next::Hop(At::Subnet { vpc: vpc.clone(), subnet }))
    }
}
