//! Route tables: the most specific route decides where an answer goes
//! (Amazon VPC user guide, "Route priority", read 2026-11-24).

use crate::{
    addresses::{Addresses, Block, Family},
    groups::entries,
    rules::{Unclear, block},
    topology::{PrefixList, Route, RouteTable},
};
use std::collections::{BTreeMap, BTreeSet};

const CALL: &str = "DescribeRouteTables";

/// A route table whose routes could all be read.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    /// The route that decides first comes first.
    routes: Vec<Way>,
}

#[derive(Clone, Debug)]
struct Way {
    destination: Block,
    /// `None` for a black hole.
    target: Option<String>,
}

/// Among equal destinations: a static route, then one of a prefix list, then one that a gateway propagated.
fn priority(route: &Route) -> u8 {
    match route {
        Route { origin, .. } if origin == "EnableVgwRoutePropagation" => 2,
        Route { destination_prefix_list_id: Some(_), .. } => 1,
        _ => 0,
    }
}

impl Routes {
    pub(crate) fn read(table: &RouteTable, lists: &BTreeMap<&str, &PrefixList>) -> Result<Self, Unclear> {
        let mut routes: Vec<(u8, Way)> = Vec::new();
        for route in &table.routes {
            let mut destinations = Vec::new();
            for raw in route.destination_cidr_block.iter().chain(&route.destination_ipv6_cidr_block) {
                destinations.push(block(CALL, &table.route_table_id, raw)?);
            }
            if let Some(list) = route.destination_prefix_list_id.as_ref().filter(|_| !is_endpoint(route)) {
                destinations.extend(entries(list, &table.route_table_id, lists)?);
            }
            let works = route.state == "active";
            let target = route.gateway_id.as_ref().or(route.other_target.as_ref()).filter(|_| works);
            let priority = priority(route);
            routes.extend(
                destinations.into_iter().map(|destination| (priority, Way { destination, target: target.cloned() })),
            );
        }
        routes.sort_by_key(|(priority, way)| (std::cmp::Reverse(way.destination.length), *priority));
        Ok(Self { routes: routes.into_iter().map(|(_, way)| way).collect() })
    }

    /// The destinations whose packets leave through this gateway.
    pub(crate) fn through(&self, family: Family, gateway: &str) -> Addresses {
        let mut through = Addresses::none(family);
        let mut undecided = Addresses::all(family);
        for way in self.routes.iter().filter(|way| way.destination.family == family) {
            let block = Addresses::of(family, [&way.destination]);
            if way.target.as_deref() == Some(gateway) {
                through = through.union(&undecided.intersection(&block));
            }
            undecided = undecided.minus(&block);
        }
        through
    }

    /// The internet gateways that working routes name.
    pub(crate) fn internet_gateways(&self) -> BTreeSet<&str> {
        self.routes.iter().filter_map(|way| way.target.as_deref()).filter(|target| target.starts_with("igw-")).collect()
    }

    /// The network's own blocks.
    pub(crate) fn local(&self) -> Vec<Block> {
        self.routes.iter().filter(|way| way.target.as_deref() == Some("local")).map(|way| way.destination).collect()
    }

    /// Working routes that hand packets for this address to something in between.
    pub(crate) fn divert(&self, address: &str) -> bool {
        let decides = self.routes.iter().find(|way| way.destination.holds(address));
        decides.and_then(|way| way.target.as_deref()).is_some_and(|target| target != "local")
    }
}

/// A gateway endpoint's route to an AWS service: its prefix list is AWS' own and holds that service's addresses,
/// from which nobody but the service sends.
fn is_endpoint(route: &Route) -> bool {
    route.gateway_id.as_ref().is_some_and(|gateway| gateway.starts_with("vpce-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addresses::internet;

    /// `DESTINATION TARGET [STATE] [ORIGIN]` per line.
    fn table(routes: &str) -> RouteTable {
        let route = |line: &str| {
            let mut words = line.split_whitespace();
            let (destination, target) = (words.next().unwrap(), words.next().unwrap());
            let is_list = destination.starts_with("pl-");
            let is_gateway = ["igw", "loc", "vpc", "vgw"].iter().any(|prefix| target.starts_with(prefix));
            Route {
                destination_cidr_block: (!is_list && !destination.contains(':')).then(|| destination.into()),
                destination_ipv6_cidr_block: destination.contains(':').then(|| destination.into()),
                destination_prefix_list_id: is_list.then(|| destination.into()),
                gateway_id: is_gateway.then(|| target.into()),
                other_target: (!is_gateway).then(|| target.into()),
                state: words.next().unwrap_or("active").into(),
                origin: words.next().unwrap_or("CreateRoute").into(),
            }
        };
        RouteTable {
            route_table_id: "rtb-1".into(),
            routes: routes.lines().map(route).collect(),
            ..RouteTable::default()
        }
    }

    fn read(routes: &str) -> Result<Routes, Unclear> {
        let list = PrefixList {
            prefix_list_id: "pl-1".into(),
            address_family: "IPv4".into(),
            entries: vec!["198.51.100.0/24".into()],
        };
        Routes::read(&table(routes), &BTreeMap::from([("pl-1", &list)]))
    }

    /// The internet addresses that answers reach through `igw-1`.
    fn check(routes: &str, expected: &str) {
        let routes = read(routes).unwrap();
        let reached = Family::ALL
            .iter()
            .flat_map(|family| routes.through(*family, "igw-1").blocks_within(&internet(*family, &routes.local())));
        assert_eq!(reached.collect::<Vec<_>>().join(" "), expected, "{routes:?}");
    }

    #[test]
    fn the_most_specific_route_decides() {
        check("10.0.0.0/16 local\n0.0.0.0/0 igw-1", "0.0.0.0/0");
        check("10.0.0.0/16 local", "");
        check("0.0.0.0/0 nat-1", "");
        check("0.0.0.0/0 nat-1\n203.0.113.0/24 igw-1", "203.0.113.0/24");
        check("203.0.113.0/24 igw-1\n203.0.113.128/25 pcx-1", "203.0.113.0/25");
        check("203.0.113.0/24 igw-1\n203.0.113.128/25 igw-1 blackhole", "203.0.113.0/25"); // nothing comes back
        check("0.0.0.0/0 igw-1 blackhole", "");
        check("0.0.0.0/0 igw-2", ""); // somebody else's gateway
        check("::/0 igw-1", "::/0");
        check("::/0 eigw-1\n0.0.0.0/0 igw-1", "0.0.0.0/0"); // egress-only: nothing comes in
    }

    #[test]
    fn among_equal_destinations_static_routes_come_before_lists_and_propagated_ones() {
        check("198.51.100.0/24 igw-1\npl-1 tgw-1", "198.51.100.0/24");
        check("198.51.100.0/24 tgw-1\npl-1 igw-1", "");
        check("198.51.100.0/24 vgw-1 active EnableVgwRoutePropagation\npl-1 igw-1", "198.51.100.0/24");
        check("198.51.100.0/24 vgw-1 active EnableVgwRoutePropagation\n198.51.100.0/24 igw-1", "198.51.100.0/24");
    }

    #[test]
    fn a_route_that_cannot_be_read_is_unclear() {
        let check = |routes: &str, call: &str, reason: &str| {
            assert_eq!(read(routes).unwrap_err(), Unclear::new(call, reason));
        };
        check("300.0.0.0/8 igw-1", CALL, "rtb-1: `300.0.0.0/8` is not a CIDR block");
        check("pl-2 tgw-1", "GetManagedPrefixListEntries", "rtb-1 refers to pl-2, which is unknown");
        assert!(read("pl-2 vpce-1").is_ok(), "a service's own list is not needed");
    }
}
