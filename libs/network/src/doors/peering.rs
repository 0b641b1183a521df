//! Peering connections: the other VPC's own addresses, and nothing from behind it.

use super::{
    Builder, Draft, Sent,
    following::{Back, There},
    step,
};
use crate::{
    addresses::Family,
    index::{Described, blocks},
    sets::{SetId, Sets},
    topology::{Subnet, TransitGatewayVpcAttachment},
    ways::{Behind, Edge},
};
use std::rc::Rc;

impl<'a> Builder<'a, '_> {
    pub(super) fn enter_by_peering(&mut self, subnet: Described<'a, Subnet>, family: Family, back: &Back) {
        let mut unclear = back.unclear.clone();
        let mut universe = Sets::all(family);
        let mut sent = Rc::new(vec![Sent::everything(family)]);
        let mut behind = None;
        match self.index.peerings.get(back.gateway.as_str()) {
            Some(peering) => {
                let Some((ours, theirs)) = peering.sides(&subnet.item.vpc_id).filter(|_| peering.is_active()) else {
                    return;
                };
                let blocks = match self.index.vpcs.get(theirs.vpc_id.as_str()) {
                    Some(_) => self.own(&theirs.vpc_id).to_vec(),
                    None => blocks(theirs.blocks()),
                };
                universe = self.sets().of(family, &blocks);
                sent = self.sent_from(&theirs.vpc_id, &back.gateway, family, None);
                if ours.region == theirs.region {
                    behind = Some(Behind::Peering { connection: back.gateway.clone(), vpc: theirs.vpc_id.clone() });
                }
            }
            None => match self.absent_gateway(subnet, "ec2:DescribeVpcPeeringConnections", back) {
                Some(absent) => unclear.push(absent),
                None => return,
            },
        }
        let Some(via) = There::straight(family).agrees(back) else {
            return; // what comes in goes straight, so answers must not be led through anything
        };
        for sent in sent.iter() {
            let sources = self.sets().intersection(back.sources, universe);
            let sources = self.sets().intersection(sources, sent.sources);
            let draft = Draft {
                edge: Edge::Peer,
                family,
                steps: vec![step(&back.gateway, "AWS::EC2::VPCPeeringConnection")],
                sources,
                universe: Sets::all(family),
                destinations: Some(sent.destinations),
                arrival: None,
                via: via.clone(),
                unclear: unclear.iter().chain(&sent.unclear).cloned().collect(),
                behind: behind.clone(),
            };
            self.add(subnet, draft);
        }
    }

    /// What a VPC sends by a gateway of its own, as far as its route tables are known; of a VPC that is not given,
    /// everything is assumed. An attachment serves only the zones where it has a subnet.
    pub(super) fn sent_from(
        &mut self,
        vpc: &str,
        gateway: &str,
        family: Family,
        attachment: Option<&'a TransitGatewayVpcAttachment>,
    ) -> Rc<Vec<Sent>> {
        let Some(found) = self.index.vpcs.get(vpc) else {
            return Rc::new(vec![Sent::everything(family)]);
        };
        let key = (found.item.vpc_id.as_str(), gateway.to_owned(), family);
        if let Some(known) = self.sent.get(&key) {
            return known.clone();
        }
        let mut sent: Vec<Sent> = Vec::new();
        if let Some(missing) = self.index.missing(found.topology, "ec2:DescribeSubnets", vpc) {
            sent.push(Sent { unclear: vec![missing], ..Sent::everything(family) });
        }
        for subnet in self.index.subnets_of.get(vpc).cloned().unwrap_or_default() {
            if attachment.is_some_and(|attachment| self.arrival(attachment, subnet).is_none()) {
                continue;
            }
            let blocks = blocks(subnet.item.blocks());
            let sources = self.sets().of(family, &blocks);
            let routes = self.routes_of(subnet);
            let (destinations, unclear) = match routes.as_ref() {
                Ok(routes) => (routes.through(family, gateway), Vec::new()),
                Err(unclear) => (Sets::all(family), vec![unclear.clone()]),
            };
            self.merge(&mut sent, Sent { sources, destinations, unclear });
        }
        let sent = Rc::new(sent);
        self.sent.insert(key, sent.clone());
        sent
    }

    fn merge(&mut self, sent: &mut Vec<Sent>, more: Sent) {
        if Sets::is_none(more.sources) || Sets::is_none(more.destinations) {
            return;
        }
        let same = |one: &&mut Sent| one.destinations == more.destinations && one.unclear == more.unclear;
        match sent.iter_mut().find(same) {
            Some(one) => one.sources = self.known.sets.union(one.sources, more.sources),
            None => sent.push(more),
        }
    }

    /// The subnet where packets of an attachment arrive for another subnet: the one in the same zone.
    pub(super) fn arrival(
        &self,
        attachment: &TransitGatewayVpcAttachment,
        subnet: Described<'a, Subnet>,
    ) -> Option<Described<'a, Subnet>> {
        let zone = |subnet: Described<'a, Subnet>| {
            let item = subnet.item;
            item.availability_zone.as_deref().or(item.availability_zone_id.as_deref())
        };
        let attached = attachment.subnet_ids.iter().filter_map(|id| self.index.subnets.get(id.as_str()).copied());
        let mut attached: Vec<_> = attached.filter(|one| zone(*one) == zone(subnet)).collect();
        attached.sort_by_key(|one| one.item.subnet_id.as_str());
        attached.first().copied()
    }
}

impl Sent {
    pub(super) fn everything(family: Family) -> Self {
        let all: SetId = Sets::all(family);
        Self { sources: all, destinations: all, unclear: Vec::new() }
    }
}
