//! Where an interface stands: all that decides over it, and the open ports that come of that.

use crate::{
    acl::Acl,
    addresses::{Addresses, Block, Family, internet},
    groups::Groups,
    routes::Routes,
    rules::Protocol,
    topology::NetworkInterface,
};
use std::collections::BTreeSet;

/// All that decides over an interface. A thousand instances of one scaling group stand in one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) vpc: String,
    pub(crate) subnet: String,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) public_ipv4: bool,
    pub(crate) public_ipv6: bool,
}

impl Place {
    pub(crate) fn of(interface: &NetworkInterface) -> Self {
        Self {
            vpc: interface.vpc_id.clone(),
            subnet: interface.subnet_id.clone(),
            groups: interface.groups.iter().cloned().collect(),
            public_ipv4: interface.private_ip_addresses.iter().any(|address| address.public_ip.is_some()),
            public_ipv6: !interface.ipv6_addresses.is_empty() || !interface.ipv6_prefixes.is_empty(),
        }
    }

    pub(crate) fn families(&self) -> impl Iterator<Item = Family> {
        let public = |family: &Family| match family {
            Family::V4 => self.public_ipv4,
            Family::V6 => self.public_ipv6,
        };
        Family::ALL.into_iter().filter(public)
    }
}

/// A port range and who reaches it.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) protocol: Protocol,
    pub(crate) first: u16,
    pub(crate) last: u16,
    pub(crate) sources: Vec<String>,
    pub(crate) groups: BTreeSet<String>,
}

/// The parts that decide over a place; what is not known is open.
/// AWS allows 1,000 rules per interface: then the work is about a second, once per place.
pub(crate) struct Openness<'a> {
    pub(crate) routes: Option<(&'a Routes, &'a str)>,
    pub(crate) acl: Option<&'a Acl>,
    pub(crate) groups: &'a Groups,
    pub(crate) own: &'a [Block],
}

impl Openness<'_> {
    pub(crate) fn openings(&self, place: &Place) -> Vec<Opening> {
        Protocol::ALL.into_iter().flat_map(|protocol| self.of_protocol(place, protocol)).collect()
    }

    /// Between two cuts every port has the same answer, so one port of each stretch is enough.
    fn of_protocol(&self, place: &Place, protocol: Protocol) -> Vec<Opening> {
        let answered: Vec<(Family, Addresses, Addresses)> = place
            .families()
            .map(|family| (family, internet(family, self.own), self.answered(family, protocol)))
            .filter(|(.., answered)| !answered.is_empty())
            .collect();
        let mut cuts = Vec::new();
        self.groups.cut(protocol, &mut cuts);
        if let Some(acl) = self.acl {
            acl.cut(protocol, &mut cuts);
        }
        cuts.sort_unstable();
        cuts.dedup();

        let mut openings: Vec<Opening> = Vec::new();
        for stretch in cuts.windows(2) {
            let Ok(first) = u16::try_from(stretch[0]) else {
                break;
            };
            let last = u16::try_from(stretch[1] - 1).expect("no cut lies beyond 65536");
            let mut opening = Opening { protocol, first, last, sources: Vec::new(), groups: BTreeSet::new() };
            for (family, internet, answered) in &answered {
                let mut sources = self.groups.admits(*family, protocol, first).intersection(answered);
                if let Some(acl) = self.acl.filter(|_| !sources.is_empty()) {
                    sources = sources.intersection(&acl.admits(*family, protocol, first));
                }
                let sources = sources.intersection(internet);
                opening.sources.extend(sources.blocks_within(internet));
                opening.groups.extend(self.groups.responsible(*family, protocol, first, &sources));
            }
            match openings.last_mut() {
                _ if opening.sources.is_empty() => {}
                Some(before) if before.last.checked_add(1) == Some(first) && before.sources == opening.sources => {
                    before.last = last;
                    before.groups.append(&mut opening.groups);
                }
                _ => openings.push(opening),
            }
        }
        openings
    }

    /// The sources to which an answer finds its way: back through the gateway, and out through the network ACL.
    fn answered(&self, family: Family, protocol: Protocol) -> Addresses {
        let routed = match self.routes {
            Some((routes, gateway)) => routes.through(family, gateway),
            None => Addresses::all(family),
        };
        match self.acl {
            Some(acl) => routed.intersection(&acl.lets_answers_out(family, protocol)),
            None => routed,
        }
    }
}
