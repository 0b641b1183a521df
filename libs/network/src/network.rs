//! A topology whose parts are found by id, and what is not known of them.

use crate::{
    acl::Acl,
    groups::Groups,
    place::{Opening, Openness, Place},
    routes::Routes,
    rules::Unclear,
    topology::{NetworkAcl, NetworkInterface, PrefixList, RouteTable, SecurityGroup, Topology},
};
use std::collections::BTreeMap;

/// What the internet reaches in a place.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) gateway: String,
    pub(crate) acl: String,
    pub(crate) openings: Vec<Opening>,
    pub(crate) unclear: Vec<Unclear>,
}

/// A topology with its parts found by id.
pub(crate) struct Network<'a> {
    topology: &'a Topology,
    groups: BTreeMap<&'a str, &'a SecurityGroup>,
    lists: BTreeMap<&'a str, &'a PrefixList>,
}

impl<'a> Network<'a> {
    pub(crate) fn new(topology: &'a Topology) -> Self {
        Self {
            topology,
            groups: topology.security_groups.iter().map(|group| (group.group_id.as_str(), group)).collect(),
            lists: topology.prefix_lists.iter().map(|list| (list.prefix_list_id.as_str(), list)).collect(),
        }
    }

    /// Whether AWS did not answer this call.
    pub(crate) fn missing(&self, call: &str) -> Option<Unclear> {
        let missing = self.topology.missing.iter().find(|missing| missing.call.rsplit(':').next() == Some(call))?;
        Some(Unclear::new(call, missing.reason.clone()))
    }

    /// Why something is not there: AWS did not answer, or it answered without it.
    fn absent(&self, call: &str, what: String) -> Unclear {
        self.missing(call).unwrap_or_else(|| Unclear::new(call, format!("{what} is not in the answer")))
    }

    fn table_of(&self, place: &Place) -> Result<&'a RouteTable, Unclear> {
        let call = "DescribeRouteTables";
        let tables = || self.topology.route_tables.iter().filter(|table| table.vpc_id == place.vpc);
        let own = |table: &&RouteTable| {
            table.associations.iter().any(|association| association.subnet_id.as_ref() == Some(&place.subnet))
        };
        if let Some(table) = tables().find(own) {
            return Ok(table);
        }
        let main = tables().find(|table| table.associations.iter().any(|association| association.main));
        match (main, self.missing(call)) {
            (Some(table), None) => Ok(table),
            _ => Err(self.absent(call, format!("the route table of {}", place.subnet))),
        }
    }

    fn acl_of(&self, place: &Place) -> Result<&'a NetworkAcl, Unclear> {
        let call = "DescribeNetworkAcls";
        let acls = || self.topology.network_acls.iter().filter(|acl| acl.vpc_id == place.vpc);
        if let Some(acl) = acls().find(|acl| acl.associations.contains(&place.subnet)) {
            return Ok(acl);
        }
        match (acls().find(|acl| acl.is_default), self.missing(call)) {
            (Some(acl), None) => Ok(acl),
            _ => Err(self.absent(call, format!("the network ACL of {}", place.subnet))),
        }
    }

    fn groups_of(&self, place: &Place) -> Result<Groups, Unclear> {
        let mut groups = Vec::with_capacity(place.groups.len());
        for id in &place.groups {
            let group = self.groups.get(id.as_str());
            groups.push(*group.ok_or_else(|| self.absent("DescribeSecurityGroups", id.clone()))?);
        }
        Groups::read(groups, &self.lists).map_err(|unclear| self.with_cause(unclear))
    }

    /// Names the denied call where that is why a prefix list is unknown.
    fn with_cause(&self, unclear: Unclear) -> Unclear {
        let calls = ["GetManagedPrefixListEntries", "DescribeManagedPrefixLists"];
        let about_lists = unclear.call.ends_with(calls[0]);
        let denied = calls.iter().filter(|_| about_lists).find_map(|call| self.missing(call));
        match denied {
            Some(denied) => Unclear { call: denied.call, reason: format!("{}: {}", unclear.reason, denied.reason) },
            None => unclear,
        }
    }

    /// The attached internet gateway of these routes; `None`: they use none that works.
    fn gateway_of(&self, place: &Place, routes: &Routes) -> Result<Option<String>, Unclear> {
        for named in routes.internet_gateways() {
            let found = self.topology.internet_gateways.iter().find(|gateway| gateway.internet_gateway_id == named);
            let Some(gateway) = found else {
                return Err(self.absent("DescribeInternetGateways", named.to_owned()));
            };
            let works = |state: &str| matches!(state, "available" | "attached");
            if gateway.attachments.iter().any(|attached| attached.vpc_id == place.vpc && works(&attached.state)) {
                return Ok(Some(named.to_owned()));
            }
        }
        Ok(None)
    }

    pub(crate) fn outcome(&self, place: &Place) -> Outcome {
        let mut outcome = Outcome::default();
        let mut note = |unclear: Unclear| outcome.unclear.push(unclear);
        let routes = self
            .table_of(place)
            .and_then(|table| Routes::read(table, &self.lists).map_err(|unclear| self.with_cause(unclear)))
            .map_err(&mut note)
            .ok();
        let gateway = match &routes {
            None => None,
            Some(routes) => match self.gateway_of(place, routes) {
                Ok(None) => return Outcome::default(), // no way in, whatever else is not known
                Ok(found) => found,
                Err(unclear) => {
                    note(unclear);
                    None
                }
            },
        };
        let acl = self.acl_of(place).and_then(Acl::read).map_err(&mut note).ok();
        let groups = self.groups_of(place).map_err(&mut note).unwrap_or_else(|_| Groups::open());

        let own = routes.as_ref().map(Routes::local).unwrap_or_default();
        let open =
            Openness { routes: routes.as_ref().zip(gateway.as_deref()), acl: acl.as_ref(), groups: &groups, own: &own };
        outcome.openings = open.openings(place);
        outcome.gateway = gateway.unwrap_or_default();
        outcome.acl = acl.map(|acl| acl.id).unwrap_or_default();
        outcome
    }

    /// Whether a route table at the gateway hands this interface's packets to something in between.
    pub(crate) fn diverted(&self, outcome: &Outcome, interface: &NetworkInterface) -> Option<Unclear> {
        let call = "DescribeRouteTables";
        let at_gateway = |table: &&RouteTable| {
            table.associations.iter().any(|edge| edge.gateway_id.as_ref() == Some(&outcome.gateway))
        };
        let table = self.topology.route_tables.iter().find(at_gateway)?;
        let mut addresses = interface
            .private_ip_addresses
            .iter()
            .map(|address| &address.private_ip_address)
            .chain(&interface.ipv6_addresses);
        match Routes::read(table, &self.lists) {
            Err(unclear) => Some(self.with_cause(unclear)),
            Ok(routes) if addresses.any(|address| routes.divert(address)) => {
                let reason =
                    format!("{} leads what enters to an appliance, whose rules are unknown", table.route_table_id);
                Some(Unclear::new(call, reason))
            }
            Ok(_) => None,
        }
    }
}
