//! Transit gateways: the table of the attachment that a packet enters by decides where it leaves
//! (Transit Gateways guide, "How transit gateways work: routing", read 2026-11-24).

use super::{
    Builder, Draft, Read, Sent,
    following::{Back, There},
    step,
};
use crate::{
    addresses::{Block, Family},
    groups::entries,
    index::Described,
    routes::Routes,
    rules::Unclear,
    sets::{SetId, Sets},
    topology::{Subnet, TransitGatewayAttachment, TransitGatewayRoute, TransitGatewayRoutes},
    ways::{Behind, Edge, Hop},
};
use std::rc::Rc;

const ROUTES_CALL: &str = "ec2:SearchTransitGatewayRoutes";

type Attachment<'a> = Described<'a, TransitGatewayAttachment>;

fn is_available(state: Option<&str>) -> bool {
    state.is_none_or(|state| state == "available")
}

fn edge_of(attachment: &TransitGatewayAttachment) -> Option<Edge> {
    match attachment.resource_type.as_str() {
        "vpc" | "peering" | "tgw-peering" | "connect" => Some(Edge::Transit),
        "vpn" | "vpn-concentrator" => Some(Edge::Vpn),
        "direct-connect-gateway" => Some(Edge::DirectConnect),
        _ => None,
    }
}

/// Attachments that share a route stand together as its target.
const AND: char = ',';

impl Routes {
    /// The destinations whose packets may leave by this attachment.
    fn through_attachment(&self, family: Family, attachment: &str, sets: &mut Sets) -> SetId {
        let shared = self.targets(family).filter(|(target, _)| target.split(AND).any(|one| one == attachment));
        shared.fold(Sets::none(family), |all, (_, set)| sets.union(all, set))
    }
}

impl<'a> Builder<'a, '_> {
    pub(super) fn enter_by_transit_gateway(&mut self, subnet: Described<'a, Subnet>, family: Family, back: &Back) {
        let vpc = subnet.item.vpc_id.as_str();
        let all = self.index.attachments.get(back.gateway.as_str()).cloned().unwrap_or_default();
        let is_ours =
            |one: &&Attachment| one.item.resource_type == "vpc" && one.item.resource_id.as_deref() == Some(vpc);
        let Some(ours) = all.iter().find(is_ours).copied() else {
            let call = "ec2:DescribeTransitGatewayAttachments";
            if let Some(missing) = self.index.missing(subnet.topology, call, &back.gateway) {
                self.enter_unknown(subnet, family, back, missing);
            }
            return;
        };
        if !is_available(ours.item.state.as_deref()) {
            return;
        }
        let Some(described) = self.index.vpc_attachments.get(ours.item.transit_gateway_attachment_id.as_str()).copied()
        else {
            let call = "ec2:DescribeTransitGatewayVpcAttachments";
            let absent = self.index.absent(ours.topology, call, &ours.item.transit_gateway_attachment_id);
            return self.enter_unknown(subnet, family, back, absent);
        };
        let Some(arrival) = self.arrival(described, subnet) else {
            if described.subnet_ids.iter().any(|id| !self.index.subnets.contains_key(id.as_str()))
                && let Some(missing) = self.index.missing(subnet.topology, "ec2:DescribeSubnets", "")
            {
                self.enter_unknown(subnet, family, back, missing);
            }
            return; // no attachment serves this zone
        };
        let arrival_hop = Hop { subnet: arrival.item.subnet_id.clone(), acl: self.acl(arrival), wall: None };
        let table = self.index.table_of(arrival).map(Some);
        for there in self.ways_there(table, family) {
            let Some(via) = there.agrees(back) else {
                continue;
            };
            for (edge, steps, sent, behind) in self.sent_through(subnet, ours, &all, family) {
                let draft = Draft {
                    edge,
                    family,
                    steps,
                    sources: self.known.sets.intersection(back.sources, sent.sources),
                    universe: Sets::all(family),
                    destinations: Some(self.known.sets.intersection(there.destinations, sent.destinations)),
                    arrival: Some(arrival_hop.clone()),
                    via: via.clone(),
                    unclear: back.unclear.iter().chain(&there.unclear).chain(&sent.unclear).cloned().collect(),
                    behind,
                };
                self.add(subnet, draft);
            }
        }
    }

    /// A way of which not enough is known to follow it.
    fn enter_unknown(&mut self, subnet: Described<'a, Subnet>, family: Family, back: &Back, unclear: Unclear) {
        let Some(via) = There::straight(family).agrees(back) else {
            return;
        };
        let draft = Draft {
            edge: Edge::Transit,
            family,
            steps: vec![step(&back.gateway, "AWS::EC2::TransitGateway")],
            sources: back.sources,
            universe: Sets::all(family),
            destinations: None,
            arrival: None,
            via,
            unclear: back.unclear.iter().cloned().chain([unclear]).collect(),
            behind: None,
        };
        self.add(subnet, draft);
    }

    /// Who is sent to our attachment by the others, and is answered by them.
    fn sent_through(
        &mut self,
        subnet: Described<'a, Subnet>,
        ours: Attachment<'a>,
        all: &[Attachment<'a>],
        family: Family,
    ) -> Vec<(Edge, Vec<muster_domain::Step>, Sent, Option<Behind>)> {
        let gateway = step(&ours.item.transit_gateway_id, "AWS::EC2::TransitGateway");
        let own = step(&ours.item.transit_gateway_attachment_id, "AWS::EC2::TransitGatewayAttachment");
        if self.belongs_to_someone_else(ours) {
            let sent = Sent::everything(family);
            return vec![(Edge::Transit, vec![gateway, own], sent, None)];
        }
        let our_table = self.transit_table(ours);
        let mut found = Vec::new();
        for theirs in all.iter().copied() {
            let id = theirs.item.transit_gateway_attachment_id.as_str();
            let edge = edge_of(theirs.item).filter(|_| is_available(theirs.item.state.as_deref()));
            let (Some(edge), false) = (edge, id == ours.item.transit_gateway_attachment_id) else {
                continue;
            };
            let their_table = self.transit_table(theirs);
            let mut sent = Sent::everything(family);
            match our_table.as_ref() {
                Ok(routes) => sent.sources = routes.through_attachment(family, id, &mut self.known.sets),
                Err(unclear) => sent.unclear.push(unclear.clone()),
            }
            match their_table.as_ref() {
                Ok(routes) => {
                    let own = &ours.item.transit_gateway_attachment_id;
                    sent.destinations = routes.through_attachment(family, own, &mut self.known.sets);
                }
                Err(unclear) => sent.unclear.push(unclear.clone()),
            }
            if Sets::is_none(sent.sources) || Sets::is_none(sent.destinations) {
                continue;
            }
            let steps = vec![step(id, "AWS::EC2::TransitGatewayAttachment"), gateway.clone(), own.clone()];
            let behind = self.behind_attachment(subnet, ours, theirs);
            for begun in self.sent_to(theirs, family).iter() {
                let mut both = sent.clone();
                both.sources = self.known.sets.intersection(sent.sources, begun.sources);
                both.destinations = self.known.sets.intersection(sent.destinations, begun.destinations);
                both.unclear.extend(begun.unclear.iter().cloned());
                found.push((edge, steps.clone(), both, behind.clone()));
            }
        }
        found
    }

    /// What stands behind an attachment and sends by it.
    fn sent_to(&mut self, attachment: Attachment<'a>, family: Family) -> Rc<Vec<Sent>> {
        let item = attachment.item;
        let Some(vpc) = item.resource_id.as_deref().filter(|_| item.resource_type == "vpc") else {
            return Rc::new(vec![Sent::everything(family)]);
        };
        let described = self.index.vpc_attachments.get(item.transit_gateway_attachment_id.as_str()).copied();
        self.sent_from(vpc, &item.transit_gateway_id, family, described)
    }

    /// Whether the owner of a transit gateway shares it with us and is not among the accounts that were given: its
    /// tables are not ours to see, so what comes from it is an edge.
    fn belongs_to_someone_else(&self, ours: Attachment<'a>) -> bool {
        let owner = ours.item.transit_gateway_owner_id.as_deref();
        owner.is_some_and(|owner| self.topologies.iter().all(|topology| topology.account != owner))
    }

    /// Whose groups rules may name: those of a VPC behind the other attachment, where all sides allow that.
    fn behind_attachment(
        &self,
        subnet: Described<'a, Subnet>,
        ours: Attachment<'a>,
        theirs: Attachment<'a>,
    ) -> Option<Behind> {
        let on = |option: Option<&str>| option == Some("enable");
        let gateway = self.index.transit_gateways.get(ours.item.transit_gateway_id.as_str())?;
        let by_gateway = gateway.options.as_ref()?.security_group_referencing_support.as_deref();
        let by_attachment = |one: Attachment<'a>| {
            let described = self.index.vpc_attachments.get(one.item.transit_gateway_attachment_id.as_str())?;
            described.options.as_ref()?.security_group_referencing_support.as_deref()
        };
        let vpc = theirs.item.resource_id.as_deref().filter(|vpc| *vpc != subnet.item.vpc_id)?;
        (theirs.item.resource_type == "vpc" && on(by_gateway) && on(by_attachment(ours)) && on(by_attachment(theirs)))
            .then(|| Behind::Transit { vpc: vpc.to_owned() })
    }

    /// The table for what enters by an attachment; one without a table routes nothing.
    fn transit_table(&mut self, attachment: Attachment<'a>) -> Read<Routes> {
        let item = attachment.item;
        let told = item.association.as_ref().filter(|one| is_associated(one.state.as_deref()));
        let told = told.and_then(|association| association.transit_gateway_route_table_id.as_deref());
        let listed = self.index.transit_tables.get(item.transit_gateway_attachment_id.as_str()).copied();
        let Some(table) = told.or(listed) else {
            let call = "ec2:GetTransitGatewayRouteTableAssociations";
            let missing = self.index.missing(attachment.topology, call, &item.transit_gateway_id);
            return Rc::new(missing.map_or_else(|| Ok(Routes::default()), Err));
        };
        let key = (attachment.topology, table.to_owned());
        if let Some(known) = self.transit_tables.get(&key) {
            return known.clone();
        }
        let read = match self.index.transit_routes.get(table).copied() {
            Some(routes) => self.read_transit(routes),
            None => Err(self.index.absent(attachment.topology, ROUTES_CALL, table)),
        };
        let read = Rc::new(read);
        self.transit_tables.insert(key, read.clone());
        read
    }

    fn read_transit(&mut self, table: &'a TransitGatewayRoutes) -> Result<Routes, Unclear> {
        let id = &table.transit_gateway_route_table_id;
        if table.additional_routes_available {
            return Err(Unclear::new(ROUTES_CALL, format!("{id} has more routes than AWS answers with")));
        }
        let mut routes = Vec::new();
        for route in &table.routes {
            let state = route.state.as_deref().unwrap_or("active");
            if !matches!(state, "active" | "blackhole") {
                continue;
            }
            let rank = if route.route_type.as_deref() == Some("propagated") { 1 } else { 0 };
            let attachments: Vec<&str> = route
                .transit_gateway_attachments
                .iter()
                .map(|attachment| attachment.transit_gateway_attachment_id.as_str())
                .collect();
            let target = (state == "active" && !attachments.is_empty()).then(|| attachments.join(&AND.to_string()));
            for block in self.destinations(route, id)? {
                routes.push((block, rank, target.clone()));
            }
        }
        Ok(Routes::of_transit(routes, &mut self.known.sets))
    }

    fn destinations(&self, route: &TransitGatewayRoute, table: &str) -> Result<Vec<Block>, Unclear> {
        if let Some(raw) = &route.destination_cidr_block {
            return Ok(vec![crate::rules::block(ROUTES_CALL, table, raw)?]);
        }
        let Some(list) = &route.prefix_list_id else {
            return Ok(Vec::new());
        };
        let unknown_list = |list: &str| self.index.unknown_list(list);
        entries(list, table, &self.index.lists, &unknown_list)
    }
}

fn is_associated(state: Option<&str>) -> bool {
    state.is_none_or(|state| state == "associated")
}
