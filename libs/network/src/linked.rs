//! Which topologies have to be looked at together: those that name the same VPC, peering or transit gateway, which AWS'
//! ids tell, since they are the same in every account.

use crate::Topology;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The ids that other accounts and regions may name too, sorted: what is attached to one of them may be theirs.
pub fn links(topology: &Topology) -> Vec<String> {
    let vpcs = topology.vpcs.iter().map(|vpc| &vpc.vpc_id);
    let peerings = topology.vpc_peering_connections.iter().filter(|peering| peering.is_active());
    let peerings = peerings.map(|peering| &peering.vpc_peering_connection_id);
    let gateways = topology.transit_gateways.iter().map(|gateway| &gateway.transit_gateway_id);
    let peered = topology.transit_gateway_peering_attachments.iter();
    let peered = peered.map(|attachment| &attachment.transit_gateway_attachment_id);
    let links: BTreeSet<&String> = vpcs.chain(peerings).chain(gateways).chain(peered).collect();
    links.into_iter().filter(|id| !id.is_empty()).cloned().collect()
}

/// For each place, given with its links, the places to look at together with it, itself among them: those that share a
/// link with it, then those that share one with these, and so on, the nearest `limit` at most. What is left out is an
/// edge of the network, from which more is taken for open than may be. Numbers are those of `places`, sorted.
pub fn neighbourhoods<L: AsRef<str>>(places: &[Vec<L>], limit: usize) -> Vec<Vec<usize>> {
    let mut places_of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, links) in places.iter().enumerate() {
        for link in links {
            places_of.entry(link.as_ref()).or_default().push(place);
        }
    }
    let mut known: Vec<Option<Vec<usize>>> = vec![None; places.len()];
    for start in 0..places.len() {
        if known[start].is_some() {
            continue;
        }
        let (near, is_whole) = around(start, places, &places_of, limit);
        // Where nothing was left out, all of these have the same neighbours.
        for place in if is_whole { near.clone() } else { vec![start] } {
            known[place] = Some(near.clone());
        }
    }
    known.into_iter().map(|near| near.expect("every place was a start or is a neighbour of one")).collect()
}

/// The nearest places, sorted, and whether these are all.
fn around<L: AsRef<str>>(
    start: usize,
    places: &[Vec<L>],
    places_of: &BTreeMap<&str, Vec<usize>>,
    limit: usize,
) -> (Vec<usize>, bool) {
    let mut near = BTreeSet::from([start]);
    let mut waiting = VecDeque::from([start]);
    while let Some(place) = waiting.pop_front() {
        for link in &places[place] {
            for other in &places_of[link.as_ref()] {
                if near.contains(other) {
                    continue;
                }
                if near.len() >= limit {
                    return (near.into_iter().collect(), false);
                }
                near.insert(*other);
                waiting.push_back(*other);
            }
        }
    }
    (near.into_iter().collect(), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::*;

    #[test]
    fn what_shares_a_link_is_looked_at_together() {
        let check = |places: &[&[&str]], limit: usize, expected: &[&[usize]]| {
            let places: Vec<Vec<&str>> = places.iter().map(|links| links.to_vec()).collect();
            assert_eq!(neighbourhoods(&places, limit), expected, "{places:?}");
        };
        check(&[], 9, &[]);
        check(&[&["vpc-1"], &["vpc-2"]], 9, &[&[0], &[1]]);
        check(&[&["pcx-1"], &["vpc-2"], &["pcx-1"]], 9, &[&[0, 2], &[1], &[0, 2]]);
        // By way of a hub.
        check(&[&["tgw-1"], &["tgw-1", "pcx-1"], &["pcx-1"]], 9, &[&[0, 1, 2], &[0, 1, 2], &[0, 1, 2]]);
        // A chain that is too long: each place with the nearest.
        check(&[&["a"], &["a", "b"], &["b", "c"], &["c"]], 3, &[&[0, 1, 2], &[0, 1, 2], &[1, 2, 3], &[1, 2, 3]]);
        check(&[&["a"], &["a"]], 1, &[&[0], &[1]]);
    }

    #[test]
    fn links_are_what_others_may_name_too() {
        let peering = |id: &str, code: &str| VpcPeeringConnection {
            vpc_peering_connection_id: id.into(),
            status: Some(VpcPeeringConnectionStatus { code: code.into() }),
            ..VpcPeeringConnection::default()
        };
        let topology = Topology {
            vpcs: vec![Vpc { vpc_id: "vpc-1".into(), ..Vpc::default() }],
            vpc_peering_connections: vec![peering("pcx-2", "active"), peering("pcx-1", "deleted")],
            transit_gateways: vec![TransitGateway { transit_gateway_id: "tgw-1".into(), ..TransitGateway::default() }],
            ..Topology::default()
        };
        assert_eq!(links(&topology), ["pcx-2", "tgw-1", "vpc-1"]);
    }
}
