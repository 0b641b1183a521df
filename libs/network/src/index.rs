//! All topologies together, with their parts found by id, and what is not known of them.
//!
//! Ids are unique across accounts, so it does not matter in which topology a part is described.

use crate::{
    addresses::Block,
    rules::Unclear,
    topology::{
        InternetGateway, MissingAnswer, NetworkAcl, PrefixListEntries, RouteTable, Subnet, Topology, TransitGateway,
        TransitGatewayAttachment, TransitGatewayRoutes, TransitGatewayVpcAttachment, Vpc, VpcEndpoint,
        VpcPeeringConnection, VpnGateway,
    },
};
use std::collections::HashMap;

/// Something described, and the topology that it is described in.
#[derive(Debug)]
pub(crate) struct Described<'a, T> {
    pub(crate) topology: usize,
    pub(crate) item: &'a T,
}

impl<T> Clone for Described<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Described<'_, T> {}

#[derive(Debug, Default)]
pub(crate) struct Index<'a> {
    missing: Vec<HashMap<&'a str, Vec<&'a MissingAnswer>>>,
    pub(crate) vpcs: HashMap<&'a str, Described<'a, Vpc>>,
    pub(crate) subnets: HashMap<&'a str, Described<'a, Subnet>>,
    pub(crate) subnets_of: HashMap<&'a str, Vec<Described<'a, Subnet>>>,
    tables_of_subnets: HashMap<&'a str, &'a RouteTable>,
    main_tables: HashMap<&'a str, &'a RouteTable>,
    tables_of_gateways: HashMap<&'a str, &'a RouteTable>,
    acls_of_subnets: HashMap<&'a str, &'a NetworkAcl>,
    default_acls: HashMap<&'a str, &'a NetworkAcl>,
    pub(crate) lists: HashMap<&'a str, &'a PrefixListEntries>,
    pub(crate) internet_gateways: HashMap<&'a str, &'a InternetGateway>,
    pub(crate) peerings: HashMap<&'a str, &'a VpcPeeringConnection>,
    pub(crate) vpn_gateways: HashMap<&'a str, &'a VpnGateway>,
    pub(crate) endpoints: HashMap<&'a str, &'a VpcEndpoint>,
    pub(crate) transit_gateways: HashMap<&'a str, &'a TransitGateway>,
    pub(crate) transit_routes: HashMap<&'a str, &'a TransitGatewayRoutes>,
    /// The transit gateway route table of an attachment, where only the tables' own answers tell it.
    pub(crate) transit_tables: HashMap<&'a str, &'a str>,
    /// By transit gateway.
    pub(crate) attachments: HashMap<&'a str, Vec<Described<'a, TransitGatewayAttachment>>>,
    /// By attachment.
    pub(crate) vpc_attachments: HashMap<&'a str, &'a TransitGatewayVpcAttachment>,
}

/// Keeps what came first: the same thing may be described in two accounts.
macro_rules! by_id {
    ($topologies:expr, $list:ident, $id:ident) => {{
        let mut by_id = HashMap::new();
        for item in $topologies.iter().flat_map(|topology| &topology.$list) {
            by_id.entry(item.$id.as_str()).or_insert(item);
        }
        by_id
    }};
}

impl<'a> Index<'a> {
    /// `nameless` are subnets of which nothing but what their interfaces tell is known.
    pub(crate) fn new(topologies: &'a [Topology], nameless: &'a [(usize, Subnet)]) -> Self {
        let mut index = Self {
            lists: by_id!(topologies, prefix_list_entries, prefix_list_id),
            internet_gateways: by_id!(topologies, internet_gateways, internet_gateway_id),
            peerings: by_id!(topologies, vpc_peering_connections, vpc_peering_connection_id),
            vpn_gateways: by_id!(topologies, vpn_gateways, vpn_gateway_id),
            endpoints: by_id!(topologies, vpc_endpoints, vpc_endpoint_id),
            transit_gateways: by_id!(topologies, transit_gateways, transit_gateway_id),
            transit_routes: by_id!(topologies, transit_gateway_routes, transit_gateway_route_table_id),
            vpc_attachments: by_id!(topologies, transit_gateway_vpc_attachments, transit_gateway_attachment_id),
            ..Self::default()
        };
        let mut seen = HashMap::new();
        for (number, topology) in topologies.iter().enumerate() {
            let mut missing: HashMap<&str, Vec<&MissingAnswer>> = HashMap::new();
            topology.missing.iter().for_each(|answer| missing.entry(&answer.call).or_default().push(answer));
            index.missing.push(missing);
            for item in &topology.vpcs {
                index.vpcs.entry(&item.vpc_id).or_insert(Described { topology: number, item });
            }
            for item in &topology.subnets {
                let described = Described { topology: number, item };
                if index.subnets.insert(&item.subnet_id, described).is_none() {
                    index.subnets_of.entry(&item.vpc_id).or_default().push(described);
                }
            }
            for item in &topology.transit_gateway_attachments {
                let key = (&item.transit_gateway_id, &item.transit_gateway_attachment_id);
                if seen.insert(key, ()).is_none() {
                    let of_gateway = index.attachments.entry(&item.transit_gateway_id).or_default();
                    of_gateway.push(Described { topology: number, item });
                }
            }
            index.add_tables(topology);
            index.add_acls(topology);
            for table in &topology.transit_gateway_route_table_associations {
                let associated = table
                    .associations
                    .iter()
                    .filter(|one| one.state.as_deref().is_none_or(|state| state == "associated"));
                let id = table.transit_gateway_route_table_id.as_str();
                index.transit_tables.extend(associated.map(|one| (one.transit_gateway_attachment_id.as_str(), id)));
            }
        }
        for (topology, item) in nameless {
            index.subnets.insert(&item.subnet_id, Described { topology: *topology, item });
        }
        index
    }

    fn add_tables(&mut self, topology: &'a Topology) {
        for table in &topology.route_tables {
            for association in table.associations.iter().filter(|association| association.works()) {
                if let Some(subnet) = &association.subnet_id {
                    self.tables_of_subnets.entry(subnet).or_insert(table);
                }
                if let Some(gateway) = &association.gateway_id {
                    self.tables_of_gateways.entry(gateway).or_insert(table);
                }
                if association.main {
                    self.main_tables.entry(&table.vpc_id).or_insert(table);
                }
            }
        }
    }

    fn add_acls(&mut self, topology: &'a Topology) {
        for acl in &topology.network_acls {
            for association in &acl.associations {
                self.acls_of_subnets.entry(&association.subnet_id).or_insert(acl);
            }
            if acl.is_default {
                self.default_acls.entry(&acl.vpc_id).or_insert(acl);
            }
        }
    }

    /// Whether AWS did not answer this call, about this thing or at all.
    pub(crate) fn missing(&self, topology: usize, call: &str, about: &str) -> Option<Unclear> {
        let answers = self.missing.get(topology)?.get(call)?;
        let concerns = |answer: &&&MissingAnswer| answer.about.as_deref().is_none_or(|thing| thing == about);
        answers.iter().find(concerns).map(|answer| Unclear::new(call, answer.reason.clone()))
    }

    /// Whether some topology misses this call.
    pub(crate) fn missing_anywhere(&self, call: &str, about: &str) -> Option<Unclear> {
        (0..self.missing.len()).find_map(|topology| self.missing(topology, call, about))
    }

    /// Why something is not there: AWS did not answer, or it answered without it.
    pub(crate) fn absent(&self, topology: usize, call: &str, what: &str) -> Unclear {
        let reason = || Unclear::new(call, format!("{what} is not in the answer"));
        self.missing(topology, call, what).unwrap_or_else(reason)
    }

    /// Why a gateway that a route of this VPC names is not there; `None`: it is gone. The account that owns a VPC sees all
    /// of its gateways, one with which a VPC is shared does not.
    pub(crate) fn absent_gateway(
        &self,
        subnet: Described<'a, Subnet>,
        account: &str,
        call: &str,
        id: &str,
    ) -> Option<Unclear> {
        if let Some(missing) = self.missing(subnet.topology, call, id) {
            return Some(missing);
        }
        let owner = self.vpcs.get(subnet.item.vpc_id.as_str()).and_then(|vpc| vpc.item.owner_id.as_deref());
        let is_ours = owner.is_some_and(|owner| owner == account);
        (!is_ours).then(|| Unclear::new(call, format!("{id} is not in the answer")))
    }

    /// Why the entries of a prefix list are not there, when that is known.
    pub(crate) fn unknown_list(&self, list: &str) -> Option<Unclear> {
        let calls = ["ec2:GetManagedPrefixListEntries", "ec2:DescribeManagedPrefixLists"];
        calls.into_iter().find_map(|call| self.missing_anywhere(call, list))
    }

    pub(crate) fn table_of(&self, subnet: Described<'a, Subnet>) -> Result<&'a RouteTable, Unclear> {
        let call = "ec2:DescribeRouteTables";
        if let Some(table) = self.tables_of_subnets.get(subnet.item.subnet_id.as_str()) {
            return Ok(table);
        }
        match (self.main_tables.get(subnet.item.vpc_id.as_str()), self.missing(subnet.topology, call, "")) {
            (Some(table), None) => Ok(table),
            (_, Some(missing)) => Err(missing),
            (None, None) => {
                Err(Unclear::new(call, format!("the route table of {} is not in the answer", subnet.item.subnet_id)))
            }
        }
    }

    /// The table that decides over what enters by a gateway; `None`: it goes straight to where it is addressed.
    pub(crate) fn table_of_gateway(&self, topology: usize, gateway: &str) -> Result<Option<&'a RouteTable>, Unclear> {
        match (self.tables_of_gateways.get(gateway), self.missing(topology, "ec2:DescribeRouteTables", "")) {
            (Some(table), _) => Ok(Some(table)),
            (None, Some(missing)) => Err(missing),
            (None, None) => Ok(None),
        }
    }

    pub(crate) fn acl_of(&self, subnet: Described<'a, Subnet>) -> Result<&'a NetworkAcl, Unclear> {
        let call = "ec2:DescribeNetworkAcls";
        if let Some(acl) = self.acls_of_subnets.get(subnet.item.subnet_id.as_str()) {
            return Ok(acl);
        }
        match (self.default_acls.get(subnet.item.vpc_id.as_str()), self.missing(subnet.topology, call, "")) {
            (Some(acl), None) => Ok(acl),
            (_, Some(missing)) => Err(missing),
            (None, None) => {
                Err(Unclear::new(call, format!("the network ACL of {} is not in the answer", subnet.item.subnet_id)))
            }
        }
    }
}

/// The blocks among these texts; what is no block counts for nothing, and AWS gives none such.
pub(crate) fn blocks<'a>(raw: impl IntoIterator<Item = &'a str>) -> Vec<Block> {
    raw.into_iter().filter_map(Block::parse).collect()
}
