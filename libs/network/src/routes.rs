//! Route tables: the most specific route decides where a packet goes
//! (Amazon VPC user guide, "Route priority", read 2026-11-24).

use crate::{
    addresses::{Block, Family},
    groups::entries,
    rules::{Unclear, block},
    sets::{SetId, Sets},
    topology::{PrefixListEntries, Route, RouteTable},
};
use std::{cmp::Reverse, collections::HashMap};

const CALL: &str = "ec2:DescribeRouteTables";

/// Routes of one table that are read. AWS allows 1,000 (Amazon VPC quotas, read 2026-11-24); the work grows with the
/// square.
const ROUTES_MAX: usize = 10_000;

/// Inside the VPC.
pub(crate) const LOCAL: &str = "local";

/// Where packets go: for each target, the destinations for which it decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Routes {
    /// By target and family; black holes are left out.
    through: Vec<(String, Family, SetId)>,
}

struct Way {
    destination: Block,
    /// The lowest comes first among equal destinations.
    rank: u8,
    target: Option<String>,
}

/// Among equal destinations: a static route, then one of a prefix list, then one that a gateway propagated.
fn rank(route: &Route) -> u8 {
    match route {
        route if route.is_propagated() => 2,
        Route { destination_prefix_list_id: Some(_), .. } => 1,
        _ => 0,
    }
}

impl Routes {
    /// `own` are the VPC's blocks, which stay inside whatever the table says.
    pub(crate) fn read(
        table: &RouteTable,
        own: &[Block],
        lists: &HashMap<&str, &PrefixListEntries>,
        unknown_list: &dyn Fn(&str) -> Option<Unclear>,
        sets: &mut Sets,
    ) -> Result<Self, Unclear> {
        let mut ways: Vec<Way> = Vec::new();
        for route in &table.routes {
            let mut destinations = Vec::new();
            for raw in route.destination_cidr_block.iter().chain(&route.destination_ipv6_cidr_block) {
                destinations.push(block(CALL, &table.route_table_id, raw)?);
            }
            if let Some(list) = &route.destination_prefix_list_id {
                match entries(list, &table.route_table_id, lists, unknown_list) {
                    Ok(blocks) => destinations.extend(blocks),
                    Err(_) if is_endpoint(route) => {}
                    Err(unclear) => return Err(unclear),
                }
            }
            ways.extend(destinations.into_iter().map(|destination| Way {
                destination,
                rank: rank(route),
                target: route.target().map(str::to_owned),
            }));
            if ways.len() > ROUTES_MAX {
                let reason = format!("{} has more than {ROUTES_MAX} routes", table.route_table_id);
                return Err(Unclear::new(CALL, reason));
            }
        }
        Ok(Self::of(ways, own, sets))
    }

    /// From destinations, ranks and targets of another kind of table; nothing stays inside.
    pub(crate) fn of_transit(routes: Vec<(Block, u8, Option<String>)>, sets: &mut Sets) -> Self {
        let ways = routes.into_iter().map(|(destination, rank, target)| Way { destination, rank, target });
        Self::of(ways.collect(), &[], sets)
    }

    fn of(mut ways: Vec<Way>, own: &[Block], sets: &mut Sets) -> Self {
        let inside = own.iter().map(|block| Way { destination: *block, rank: 0, target: Some(LOCAL.to_owned()) });
        ways.extend(inside);
        ways.sort_by_key(|way| (Reverse(way.destination.length), way.rank));
        let mut through: HashMap<(String, Family), SetId> = HashMap::new();
        for family in Family::ALL {
            let kept_inside = sets.of(family, own);
            let mut undecided = Sets::all(family);
            for way in ways.iter().filter(|way| way.destination.family == family) {
                let mut block = sets.of(family, [&way.destination]);
                if way.rank == 2 {
                    block = sets.minus(block, kept_inside); // what is propagated never counts inside the VPC
                }
                let decided = sets.intersection(undecided, block);
                if let Some(target) = &way.target {
                    let known = through.entry((target.clone(), family)).or_insert(Sets::none(family));
                    *known = sets.union(*known, decided);
                }
                undecided = sets.minus(undecided, block);
            }
        }
        let mut through: Vec<_> = through.into_iter().map(|((target, family), set)| (target, family, set)).collect();
        through.retain(|(.., set)| !Sets::is_none(*set));
        through.sort();
        Self { through }
    }

    /// The destinations whose packets go to this target.
    pub(crate) fn through(&self, family: Family, target: &str) -> SetId {
        let found = self.through.iter().find(|(known, of, _)| known == target && *of == family);
        found.map_or(Sets::none(family), |(.., set)| *set)
    }

    /// Every target with its destinations.
    pub(crate) fn targets(&self, family: Family) -> impl Iterator<Item = (&str, SetId)> {
        self.through.iter().filter(move |(_, of, _)| *of == family).map(|(target, _, set)| (target.as_str(), *set))
    }
}

/// A gateway endpoint's route to an AWS service: its prefix list is AWS' own and holds that service's addresses,
/// from which nobody but the service sends, so that it may be unknown.
fn is_endpoint(route: &Route) -> bool {
    route.gateway_id.as_ref().is_some_and(|gateway| gateway.starts_with("vpce-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        addresses::internet,
        topology::{PrefixListEntry, Route},
    };

    /// `DESTINATION TARGET [STATE] [ORIGIN]` per line.
    fn table(routes: &str) -> RouteTable {
        let route = |line: &str| {
            let mut words = line.split_whitespace();
            let (destination, target) = (words.next().unwrap(), words.next().unwrap());
            let is_list = destination.starts_with("pl-");
            Route {
                destination_cidr_block: (!is_list && !destination.contains(':')).then(|| destination.into()),
                destination_ipv6_cidr_block: destination.contains(':').then(|| destination.into()),
                destination_prefix_list_id: is_list.then(|| destination.into()),
                gateway_id: Some(target.into()),
                state: words.next().map(str::to_owned),
                origin: words.next().map(str::to_owned),
                ..Route::default()
            }
        };
        RouteTable {
            route_table_id: "rtb-1".into(),
            routes: routes.lines().map(route).collect(),
            ..RouteTable::default()
        }
    }

    fn read(routes: &str, sets: &mut Sets) -> Result<Routes, Unclear> {
        let entries = vec![PrefixListEntry { cidr: "198.51.100.0/24".into() }];
        let list = PrefixListEntries { prefix_list_id: "pl-1".into(), entries };
        let own = [Block::parse("10.0.0.0/16").unwrap()];
        Routes::read(&table(routes), &own, &HashMap::from([("pl-1", &list)]), &|_| None, sets)
    }

    /// The internet addresses that answers reach through `igw-1`.
    fn check(routes: &str, expected: &str) {
        let mut sets = Sets::new();
        let read = read(routes, &mut sets).unwrap();
        let reached = Family::ALL
            .iter()
            .flat_map(|family| sets.get(read.through(*family, "igw-1")).blocks_within(&internet(*family, &[])));
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
    fn what_is_propagated_never_counts_inside_the_vpc() {
        let mut sets = Sets::new();
        let routes = "10.0.1.0/24 vgw-1 active EnableVgwRoutePropagation\n10.0.2.0/24 eni-1";
        let read = read(routes, &mut sets).unwrap();
        assert_eq!(read.through(Family::V4, "vgw-1"), Sets::none(Family::V4));
        assert_ne!(read.through(Family::V4, "eni-1"), Sets::none(Family::V4)); // a middlebox
    }

    #[test]
    fn a_route_that_cannot_be_read_is_unclear() {
        let check = |routes: &str, call: &str, reason: &str| {
            assert_eq!(read(routes, &mut Sets::new()).unwrap_err(), Unclear::new(call, reason));
        };
        check("300.0.0.0/8 igw-1", CALL, "rtb-1: `300.0.0.0/8` is not a CIDR block");
        check("pl-2 tgw-1", "ec2:GetManagedPrefixListEntries", "rtb-1 refers to pl-2, which is unknown");
        assert!(read("pl-2 vpce-1", &mut Sets::new()).is_ok(), "a service's own list is not needed");
    }
}
