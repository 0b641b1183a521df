//! Internet gateways and virtual private gateways.

use super::{Builder, Draft, following::Back, step};
use crate::{
    addresses::{Block, Family, internet},
    index::Described,
    rules::Unclear,
    sets::{SetId, Sets},
    topology::{Subnet, VpnConnection},
    ways::Edge,
};

impl<'a> Builder<'a, '_> {
    pub(super) fn enter_by_internet_gateway(&mut self, subnet: Described<'a, Subnet>, family: Family, back: &Back) {
        let mut unclear = back.unclear.clone();
        match self.index.internet_gateways.get(back.gateway.as_str()) {
            Some(gateway) => {
                let serves = |attached: &crate::topology::InternetGatewayAttachment| {
                    attached.vpc_id == subnet.item.vpc_id && attached.works()
                };
                if !gateway.attachments.iter().any(serves) {
                    return;
                }
            }
            None => match self.absent_gateway(subnet, "ec2:DescribeInternetGateways", back) {
                Some(absent) => unclear.push(absent),
                None => return,
            },
        }
        let own = self.own(&subnet.item.vpc_id);
        let universe = internet(family, &own);
        let universe = self.sets().set(universe);
        let sources = self.sets().intersection(back.sources, universe);
        let steps = vec![step(&back.gateway, "AWS::EC2::InternetGateway")];
        let draft = Draft {
            edge: Edge::Internet,
            family,
            steps,
            sources,
            universe,
            destinations: None,
            arrival: None,
            via: Vec::new(),
            unclear,
            behind: None,
        };
        self.enter_by_gateway(subnet, back, draft);
    }

    /// A virtual private gateway leads to a VPN, to Direct Connect, or to both.
    pub(super) fn enter_by_virtual_gateway(&mut self, subnet: Described<'a, Subnet>, family: Family, back: &Back) {
        let mut unclear = back.unclear.clone();
        match self.index.vpn_gateways.get(back.gateway.as_str()) {
            Some(gateway) => {
                let serves = |attached: &crate::topology::VpcAttachment| {
                    attached.vpc_id == subnet.item.vpc_id
                        && attached.state.as_deref().is_none_or(|state| state == "attached")
                };
                if !gateway.vpc_attachments.iter().any(serves) {
                    return;
                }
            }
            None => match self.absent_gateway(subnet, "ec2:DescribeVpnGateways", back) {
                Some(absent) => unclear.push(absent),
                None => return,
            },
        }
        let (direct, direct_unclear) = self.direct_connects(subnet.topology, &back.gateway);
        let vpn = self.behind_vpn(subnet.topology, &back.gateway, family, direct);
        let universe = Sets::all(family);
        for (edge, behind, own_unclear) in [
            (Edge::Vpn, vpn.0, vpn.1),
            (
                Edge::DirectConnect,
                direct.then_some(universe).or(direct_unclear.as_ref().map(|_| universe)),
                direct_unclear,
            ),
        ] {
            let Some(behind) = behind else {
                continue;
            };
            let draft = Draft {
                edge,
                family,
                steps: vec![step(&back.gateway, "AWS::EC2::VPNGateway")],
                sources: self.sets().intersection(back.sources, behind),
                universe,
                destinations: None,
                arrival: None,
                via: Vec::new(),
                unclear: unclear.iter().cloned().chain(own_unclear).collect(),
                behind: None,
            };
            self.enter_by_gateway(subnet, back, draft);
        }
    }

    fn enter_by_gateway(&mut self, subnet: Described<'a, Subnet>, back: &Back, draft: Draft) {
        let table = self.index.table_of_gateway(subnet.topology, &back.gateway);
        for there in self.ways_there(table, draft.family) {
            let Some(via) = there.agrees(back) else {
                continue;
            };
            let unclear = draft.unclear.iter().chain(&there.unclear).cloned().collect();
            self.add(
                subnet,
                Draft {
                    steps: draft.steps.clone(),
                    destinations: Some(there.destinations),
                    arrival: None,
                    via,
                    unclear,
                    behind: None,
                    ..draft
                },
            );
        }
    }

    /// Who is behind the VPN connections of a gateway: what static routes name; what BGP tells is not described, so
    /// everyone to whom answers are sent. `None`: there is no connection.
    fn behind_vpn(
        &mut self,
        topology: usize,
        gateway: &str,
        family: Family,
        with_direct_connect: bool,
    ) -> (Option<SetId>, Option<Unclear>) {
        let all = self.topologies.iter().flat_map(|topology| &topology.vpn_connections);
        let works = |vpn: &&VpnConnection| {
            vpn.vpn_gateway_id.as_deref() == Some(gateway)
                && vpn.state.as_deref().is_none_or(|state| state == "available")
        };
        let vpns: Vec<&VpnConnection> = all.filter(works).collect();
        if let Some(missing) = self.index.missing(topology, "ec2:DescribeVpnConnections", gateway) {
            return (Some(Sets::all(family)), Some(missing));
        }
        if vpns.is_empty() {
            return (None, None);
        }
        let is_static = |vpn: &&VpnConnection| vpn.options.as_ref().is_some_and(|options| options.static_routes_only);
        if with_direct_connect || !vpns.iter().all(is_static) {
            return (Some(Sets::all(family)), None);
        }
        let routes = vpns.iter().flat_map(|vpn| &vpn.routes);
        let routes = routes.filter(|route| route.state.as_deref().is_none_or(|state| state == "available"));
        let blocks: Vec<Block> =
            routes.filter_map(|route| route.destination_cidr_block.as_deref().and_then(Block::parse)).collect();
        (Some(self.sets().of(family, &blocks)), None)
    }

    /// Whether Direct Connect leads to a gateway, and what is not known of that.
    fn direct_connects(&self, topology: usize, gateway: &str) -> (bool, Option<Unclear>) {
        let is_up = |state: &Option<String>| state.as_deref().is_none_or(|state| matches!(state, "available" | "down"));
        let interfaces = self.topologies.iter().flat_map(|topology| &topology.virtual_interfaces);
        let by_interface = interfaces
            .filter(|one| is_up(&one.virtual_interface_state))
            .any(|one| one.virtual_gateway_id.as_deref() == Some(gateway));
        let associations = self.topologies.iter().flat_map(|topology| &topology.direct_connect_gateway_associations);
        let by_association = associations
            .filter(|one| one.association_state.as_deref().is_none_or(|state| state == "associated"))
            .any(|one| {
                let associated = one.associated_gateway.as_ref().and_then(|gateway| gateway.id.as_deref());
                associated.or(one.virtual_gateway_id.as_deref()) == Some(gateway)
            });
        if by_interface || by_association {
            return (true, None);
        }
        let calls =
            ["directconnect:DescribeVirtualInterfaces", "directconnect:DescribeDirectConnectGatewayAssociations"];
        (false, calls.into_iter().find_map(|call| self.index.missing(topology, call, gateway)))
    }
}
