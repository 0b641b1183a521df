//! Following route tables, there and back, over the firewalls that they lead through.

use super::Builder;
use crate::{
    addresses::Family,
    index::Described,
    routes::LOCAL,
    rules::Unclear,
    sets::{SetId, Sets},
    topology::{RouteTable, Subnet},
};

/// Route tables that one packet may pass: a firewall behind a firewall is rare, and loops end here.
const TABLES_MAX: usize = 4;

/// Something that packets are led through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Via {
    /// `vpce-…`, `eni-…` or `i-…`.
    pub(super) id: String,
    /// Where a firewall's endpoint stands; `None`: not a firewall's, so nobody knows what it does.
    pub(super) subnet: Option<String>,
}

/// The way of answers from a subnet: to which gateway, for which clients, through what.
#[derive(Clone, Debug)]
pub(super) struct Back {
    pub(super) gateway: String,
    pub(super) sources: SetId,
    /// From the subnet outwards; `None`: not known.
    pub(super) via: Option<Vec<Via>>,
    pub(super) unclear: Vec<Unclear>,
}

/// The way of what enters: to which addresses, through what.
#[derive(Clone, Debug)]
pub(super) struct There {
    pub(super) destinations: SetId,
    /// From the edge inwards; `None`: not known.
    pub(super) via: Option<Vec<Via>>,
    pub(super) unclear: Vec<Unclear>,
}

impl Via {
    pub(super) fn kind(&self) -> &'static str {
        match self.id.split_once('-') {
            Some(("vpce", _)) => "AWS::EC2::VPCEndpoint",
            Some(("i", _)) => "AWS::EC2::Instance",
            _ => "AWS::EC2::NetworkInterface",
        }
    }

    /// What it does with packets is written nowhere.
    pub(super) fn unclear(&self) -> Unclear {
        let call = match self.kind() {
            "AWS::EC2::VPCEndpoint" => "network-firewall:DescribeFirewall",
            _ => "ec2:DescribeRouteTables",
        };
        Unclear::new(call, format!("packets are led through {}, whose rules are unknown", self.id))
    }
}

impl There {
    /// Straight to where it is addressed.
    pub(super) fn straight(family: Family) -> Self {
        Self { destinations: Sets::all(family), via: Some(Vec::new()), unclear: Vec::new() }
    }

    pub(super) fn unknown(family: Family, unclear: Unclear) -> Self {
        Self { destinations: Sets::all(family), via: None, unclear: vec![unclear] }
    }

    /// What both ways pass, from the edge inwards; `None`: they differ, so no connection comes about.
    pub(super) fn agrees(&self, back: &Back) -> Option<Vec<Via>> {
        let (Some(there), Some(back)) = (&self.via, &back.via) else {
            return Some(Vec::new());
        };
        (there.len() == back.len() && there.iter().eq(back.iter().rev())).then(|| there.clone())
    }
}

impl<'a> Builder<'a, '_> {
    /// Something in the way, if a route's target is that.
    fn via(&self, target: &str) -> Option<Via> {
        let subnet = self.walls.subnet_of(target).map(str::to_owned);
        let is_appliance = match target.split_once('-') {
            Some(("vpce", _)) => {
                let endpoint = self.index.endpoints.get(target);
                endpoint.and_then(|endpoint| endpoint.vpc_endpoint_type.as_deref()) != Some("Gateway")
            }
            Some(("eni" | "i", _)) => true,
            _ => false,
        };
        (subnet.is_some() || is_appliance).then(|| Via { id: target.to_owned(), subnet })
    }

    pub(super) fn ways_back(&mut self, subnet: Described<'a, Subnet>, family: Family) -> Vec<Back> {
        let mut found = Vec::new();
        self.follow_back(subnet, family, Sets::all(family), &[], &mut found);
        found
    }

    fn follow_back(
        &mut self,
        subnet: Described<'a, Subnet>,
        family: Family,
        among: SetId,
        passed: &[Via],
        found: &mut Vec<Back>,
    ) {
        let routes = self.routes_of(subnet);
        let routes = match routes.as_ref() {
            Ok(routes) => routes,
            Err(unclear) => {
                let gateways = self.gateways_of(&subnet.item.vpc_id);
                found.extend(gateways.into_iter().map(|gateway| Back {
                    gateway,
                    sources: among,
                    via: None,
                    unclear: vec![unclear.clone()],
                }));
                return;
            }
        };
        for (target, destinations) in routes.targets(family) {
            let sources = self.known.sets.intersection(destinations, among);
            if target == LOCAL || Sets::is_none(sources) {
                continue;
            }
            let Some(via) = self.via(target) else {
                let via = Some(passed.to_vec());
                found.push(Back { gateway: target.to_owned(), sources, via, unclear: Vec::new() });
                continue;
            };
            let passed = [passed, std::slice::from_ref(&via)].concat();
            match via.subnet.as_deref().map(|id| self.index.subnets.get(id).copied()) {
                Some(Some(next)) if passed.len() < TABLES_MAX => {
                    self.follow_back(next, family, sources, &passed, found)
                }
                Some(Some(_)) => {}
                // What an appliance does is not known: it may lead to every gateway of the VPC.
                Some(None) | None => {
                    let gateways = self.gateways_of(&subnet.item.vpc_id);
                    let via = Some(passed);
                    found.extend(gateways.into_iter().map(|gateway| Back {
                        gateway,
                        sources,
                        via: via.clone(),
                        unclear: Vec::new(),
                    }));
                }
            }
        }
    }

    /// Where a table leads what enters; `None`: straight.
    pub(super) fn ways_there(&mut self, table: Result<Option<&'a RouteTable>, Unclear>, family: Family) -> Vec<There> {
        match table {
            Err(unclear) => vec![There::unknown(family, unclear)],
            Ok(None) => vec![There::straight(family)],
            Ok(Some(table)) => {
                let mut found = Vec::new();
                self.follow_there(table, family, Sets::all(family), &[], &mut found);
                found
            }
        }
    }

    fn follow_there(
        &mut self,
        table: &'a RouteTable,
        family: Family,
        among: SetId,
        passed: &[Via],
        found: &mut Vec<There>,
    ) {
        let routes = self.routes(table);
        let routes = match routes.as_ref() {
            Ok(routes) => routes,
            Err(unclear) => {
                found.push(There { destinations: among, ..There::unknown(family, unclear.clone()) });
                return;
            }
        };
        for (target, destinations) in routes.targets(family) {
            let destinations = self.known.sets.intersection(destinations, among);
            if Sets::is_none(destinations) {
                continue;
            }
            if target == LOCAL {
                found.push(There { destinations, via: Some(passed.to_vec()), unclear: Vec::new() });
                continue;
            }
            let Some(via) = self.via(target) else {
                continue; // back out again
            };
            let passed = [passed, std::slice::from_ref(&via)].concat();
            let next = via.subnet.as_deref().and_then(|id| self.index.subnets.get(id).copied());
            match next.map(|next| self.index.table_of(next)) {
                Some(Ok(table)) if passed.len() < TABLES_MAX => {
                    self.follow_there(table, family, destinations, &passed, found);
                }
                Some(Ok(_)) => {}
                Some(Err(unclear)) => found.push(There { destinations, via: Some(passed), unclear: vec![unclear] }),
                None => found.push(There { destinations, via: Some(passed), unclear: Vec::new() }),
            }
        }
    }

    /// Why the gateway of these answers is not there; `None`: it is gone.
    pub(super) fn absent_gateway(&self, subnet: Described<'a, Subnet>, call: &str, back: &Back) -> Option<Unclear> {
        let account = self.topologies.get(subnet.topology).map_or("", |topology| topology.account.as_str());
        self.index.absent_gateway(subnet, account, call, &back.gateway)
    }

    /// Every gateway that is known to serve a VPC, and one of each kind that may, where the call is missing: what stands
    /// behind routes that are not known.
    fn gateways_of(&self, vpc: &str) -> Vec<String> {
        let internet =
            self.index.internet_gateways.values().filter(|gateway| {
                gateway.attachments.iter().any(|attached| attached.vpc_id == vpc && attached.works())
            });
        let mut gateways: Vec<String> = internet.map(|gateway| gateway.internet_gateway_id.clone()).collect();
        let virtual_ones = self.index.vpn_gateways.values().filter(|gateway| {
            gateway
                .vpc_attachments
                .iter()
                .any(|attached| attached.vpc_id == vpc && attached.state.as_deref() == Some("attached"))
        });
        gateways.extend(virtual_ones.map(|gateway| gateway.vpn_gateway_id.clone()));
        let peerings = self.index.peerings.values().filter(|peering| peering.sides(vpc).is_some());
        gateways.extend(peerings.map(|peering| peering.vpc_peering_connection_id.clone()));
        let transit = self.index.attachments.values().flatten().map(|attachment| attachment.item);
        let transit = transit.filter(|attachment| attachment.resource_id.as_deref() == Some(vpc));
        gateways.extend(transit.map(|attachment| attachment.transit_gateway_id.clone()));
        let topology = self.index.vpcs.get(vpc).map_or(0, |vpc| vpc.topology);
        for (kind, call) in [
            ("igw", "ec2:DescribeInternetGateways"),
            ("vgw", "ec2:DescribeVpnGateways"),
            ("pcx", "ec2:DescribeVpcPeeringConnections"),
            ("tgw", "ec2:DescribeTransitGatewayAttachments"),
        ] {
            if self.index.missing(topology, call, "").is_some() {
                gateways.push(format!("{kind}-unknown"));
            }
        }
        gateways.sort();
        gateways.dedup();
        gateways
    }
}
