//! The topologies as a walker sees them: one thing at a time by its id, or the call without which it is not known.

use super::Unknown;
use crate::topology::*;
use std::net::IpAddr;

/// Several topologies as one network. Ids are unique across accounts and regions, so nothing needs its account.
#[derive(Clone, Copy)]
pub(super) struct Map<'a> {
    pub(super) topologies: &'a [Topology],
}

/// A block or an address as AWS writes it; `None` when it is neither.
pub(super) fn block(raw: &str) -> Option<ipnet::IpNet> {
    raw.parse().ok().or_else(|| raw.parse::<IpAddr>().ok().map(ipnet::IpNet::from))
}

/// Whether a block holds an address; `None` when it is no block.
pub(super) fn holds(raw: &str, address: IpAddr) -> Option<bool> {
    Some(block(raw)?.contains(&address))
}

/// The block of this address alone.
pub(super) fn host(address: IpAddr) -> String {
    ipnet::IpNet::from(address).to_string()
}

/// Addresses that nobody on the internet has (IANA special-purpose address registries, "globally reachable: false",
/// read 2026-11-24). Documentation blocks are left out: examples live in them.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || matches!((first, second), (0, _) | (224.., _) | (100, 64..=127))
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            first == 0 || (first & 0xfe00) == 0xfc00 || (first & 0xffc0) == 0xfe80 || first >= 0xff00
        }
    }
}

/// Whether an interface has this address, alone or in a block delegated to it.
pub(super) fn has_address(interface: &NetworkInterface, address: IpAddr) -> bool {
    let is = |raw: &str| raw.parse::<IpAddr>().is_ok_and(|own| own == address);
    let within = |raw: &str| holds(raw, address) == Some(true);
    match address {
        IpAddr::V4(_) => {
            interface.ipv4_addresses().iter().any(|(private, _)| is(private))
                || interface.ipv4_prefixes.iter().any(|prefix| within(&prefix.ipv4_prefix))
        }
        IpAddr::V6(_) => {
            interface.ipv6_addresses.iter().any(|own| is(&own.ipv6_address))
                || interface.ipv6_prefixes.iter().any(|prefix| within(&prefix.ipv6_prefix))
        }
    }
}

/// The addresses of an interface in its subnet; of a delegated block the first one stands for all.
pub(super) fn addresses(interface: &NetworkInterface) -> Vec<IpAddr> {
    let ipv4 = interface.ipv4_addresses().into_iter().filter_map(|(private, _)| private.parse().ok());
    let ipv6 = interface.ipv6_addresses.iter().filter_map(|own| own.ipv6_address.parse().ok());
    let prefixes = interface.ipv6_prefixes.iter().filter_map(|prefix| Some(block(&prefix.ipv6_prefix)?.network()));
    ipv4.chain(ipv6).chain(prefixes).collect()
}

/// The public address of a private one.
pub(super) fn public_of(interface: &NetworkInterface, private: IpAddr) -> Option<IpAddr> {
    let ipv4 = interface.ipv4_addresses();
    let (_, public) = ipv4.iter().find(|(own, _)| own.parse::<IpAddr>().is_ok_and(|own| own == private))?;
    public.as_ref()?.parse().ok()
}

impl<'a> Map<'a> {
    /// One list of every topology.
    pub(super) fn all<T: 'a, F>(self, list: F) -> impl Iterator<Item = &'a T> + use<'a, T, F>
    where
        F: Fn(&'a Topology) -> &'a Vec<T>,
    {
        self.topologies.iter().flat_map(list)
    }

    /// The first in one list of every topology that is the one looked for.
    pub(super) fn first<T: 'a>(
        self,
        list: impl Fn(&'a Topology) -> &'a Vec<T>,
        is: impl Fn(&'a T) -> bool,
    ) -> Option<&'a T> {
        self.all(list).find(|item| is(item))
    }

    /// The topology that describes a VPC; `None`: it lies in an account or region that was not given.
    pub(super) fn home(&self, vpc: &str) -> Option<&'a Topology> {
        let describes = |topology: &&Topology| {
            topology.vpcs.iter().any(|own| own.vpc_id == vpc)
                || topology.subnets.iter().any(|subnet| subnet.vpc_id == vpc)
                || topology.network_interfaces.iter().any(|interface| interface.vpc_id == vpc)
        };
        self.topologies.iter().find(describes)
    }

    /// Whether AWS did not answer this call, about this thing or at all. With the VPC, its own topology decides.
    pub(super) fn missing(&self, vpc: Option<&str>, call: &str, about: &str) -> Option<Unknown> {
        let home = vpc.and_then(|vpc| self.home(vpc));
        let asked = self.topologies.iter().filter(|topology| home.is_none_or(|home| std::ptr::eq(home, *topology)));
        let concerns = |missing: &&MissingAnswer| {
            missing.call == call && missing.about.as_deref().is_none_or(|thing| thing == about)
        };
        let missing = asked.flat_map(|topology| &topology.missing).find(concerns)?;
        Some(Unknown { call: call.to_owned(), reason: format!("{about}: {}", missing.reason) })
    }

    /// Why something is not there: AWS did not answer, or it answered without it.
    pub(super) fn absent(&self, vpc: Option<&str>, call: &str, what: &str) -> Unknown {
        self.missing(vpc, call, what)
            .unwrap_or_else(|| Unknown { call: call.to_owned(), reason: format!("{what} is not in the answer") })
    }

    pub(super) fn interface(&self, id: &str) -> Option<&'a NetworkInterface> {
        self.all(|topology| &topology.network_interfaces).find(|interface| interface.network_interface_id == id)
    }

    /// Who has an address in a VPC.
    pub(super) fn interface_at(&self, vpc: &str, address: IpAddr) -> Option<&'a NetworkInterface> {
        self.all(|topology| &topology.network_interfaces)
            .find(|interface| interface.vpc_id == vpc && has_address(interface, address))
    }

    /// Everyone who has a private address, in whichever VPC.
    pub(super) fn interfaces_with(&self, address: IpAddr) -> Vec<&'a NetworkInterface> {
        self.all(|topology| &topology.network_interfaces).filter(|interface| has_address(interface, address)).collect()
    }

    /// Who has a public address, and the private one that it is for.
    pub(super) fn public(&self, address: IpAddr) -> Option<(&'a NetworkInterface, IpAddr)> {
        for interface in self.all(|topology| &topology.network_interfaces) {
            for (private, public) in interface.ipv4_addresses() {
                if public.and_then(|public| public.parse::<IpAddr>().ok()) == Some(address) {
                    return Some((interface, private.parse().ok()?));
                }
            }
        }
        None
    }

    pub(super) fn subnet(&self, id: &str) -> Option<&'a Subnet> {
        self.all(|topology| &topology.subnets).find(|subnet| subnet.subnet_id == id)
    }

    /// The subnet of a VPC in which an address lies.
    pub(super) fn subnet_with(&self, address: IpAddr) -> Vec<&'a Subnet> {
        self.all(|topology| &topology.subnets)
            .filter(|subnet| subnet.blocks().any(|block| holds(block, address) == Some(true)))
            .collect()
    }

    /// The blocks of a VPC; empty when it is not described.
    pub(super) fn blocks(&self, vpc: &str) -> Vec<&'a str> {
        self.all(|topology| &topology.vpcs)
            .find(|described| described.vpc_id == vpc)
            .map(Vpc::blocks)
            .unwrap_or_default()
    }

    /// Whether an address is one of a VPC's own.
    pub(super) fn owns(&self, vpc: &str, address: IpAddr) -> bool {
        self.blocks(vpc).iter().any(|block| holds(block, address) == Some(true))
            || self.interface_at(vpc, address).is_some()
    }

    pub(super) fn table_of(&self, vpc: &str, subnet: &str) -> Result<&'a RouteTable, Unknown> {
        let call = "ec2:DescribeRouteTables";
        let tables = || self.all(|topology| &topology.route_tables).filter(|table| table.vpc_id == vpc);
        let working = |table: &'a RouteTable| table.associations.iter().filter(|association| association.works());
        let own = |table: &&'a RouteTable| working(table).any(|own| own.subnet_id.as_deref() == Some(subnet));
        if let Some(table) = tables().find(own) {
            return Ok(table);
        }
        let main = tables().find(|table| working(table).any(|association| association.main));
        match (main, self.missing(Some(vpc), call, subnet)) {
            (Some(table), None) => Ok(table),
            (_, Some(missing)) => Err(missing),
            (None, None) => Err(self.absent(Some(vpc), call, &format!("the route table of {subnet}"))),
        }
    }

    /// The table that an internet or virtual private gateway routes by, if it has one.
    pub(super) fn table_at(&self, gateway: &str) -> Option<&'a RouteTable> {
        self.all(|topology| &topology.route_tables).find(|table| {
            table.associations.iter().any(|edge| edge.works() && edge.gateway_id.as_deref() == Some(gateway))
        })
    }

    pub(super) fn acl_of(&self, vpc: &str, subnet: &str) -> Result<&'a NetworkAcl, Unknown> {
        let call = "ec2:DescribeNetworkAcls";
        let acls = || self.all(|topology| &topology.network_acls).filter(|acl| acl.vpc_id == vpc);
        if let Some(acl) = acls().find(|acl| acl.associations.iter().any(|own| own.subnet_id == subnet)) {
            return Ok(acl);
        }
        match (acls().find(|acl| acl.is_default), self.missing(Some(vpc), call, subnet)) {
            (Some(acl), None) => Ok(acl),
            (_, Some(missing)) => Err(missing),
            (None, None) => Err(self.absent(Some(vpc), call, &format!("the network ACL of {subnet}"))),
        }
    }

    pub(super) fn group(&self, id: &str) -> Option<&'a SecurityGroup> {
        self.all(|topology| &topology.security_groups).find(|group| group.group_id == id)
    }

    /// Whether a prefix list holds an address.
    pub(super) fn list_holds(&self, owner: &str, list: &str, address: IpAddr) -> Result<bool, Unknown> {
        let call = "ec2:GetManagedPrefixListEntries";
        let Some(known) = self.all(|topology| &topology.prefix_list_entries).find(|known| known.prefix_list_id == list)
        else {
            let denied = ["ec2:GetManagedPrefixListEntries", "ec2:DescribeManagedPrefixLists"];
            let denied = denied.iter().find_map(|call| self.missing(None, call, list));
            let plain =
                Unknown { call: call.into(), reason: format!("{owner}: the entries of {list} are not in the answer") };
            return Err(denied.unwrap_or(plain));
        };
        for entry in &known.entries {
            match holds(&entry.cidr, address) {
                Some(true) => return Ok(true),
                Some(false) => {}
                None => {
                    let reason = format!("{list}: `{}` is not a CIDR block", entry.cidr);
                    return Err(Unknown { call: call.into(), reason });
                }
            }
        }
        Ok(false)
    }

    /// The internet gateway that serves a VPC.
    pub(super) fn internet_gateway_of(&self, vpc: &str) -> Option<&'a InternetGateway> {
        self.all(|topology| &topology.internet_gateways)
            .find(|gateway| gateway.attachments.iter().any(|attached| attached.vpc_id == vpc && attached.works()))
    }

    pub(super) fn peering(&self, id: &str) -> Option<&'a VpcPeeringConnection> {
        self.all(|topology| &topology.vpc_peering_connections).find(|peering| peering.vpc_peering_connection_id == id)
    }

    /// The blocks of the other side: those of its VPC when that is described, else those that the peering tells.
    pub(super) fn peer_blocks(&self, side: &'a PeeredVpc) -> Vec<&'a str> {
        let described = self.blocks(&side.vpc_id);
        if described.is_empty() { side.blocks() } else { described }
    }

    /// How a VPC is attached to a transit gateway.
    pub(super) fn vpc_attachment(&self, gateway: &str, vpc: &str) -> Option<&'a TransitGatewayVpcAttachment> {
        self.all(|topology| &topology.transit_gateway_vpc_attachments).find(|attachment| {
            attachment.transit_gateway_id == gateway && attachment.vpc_id == vpc && self.carries(attachment)
        })
    }

    /// Whether an attachment works: two answers tell of its state.
    pub(super) fn carries(&self, attachment: &TransitGatewayVpcAttachment) -> bool {
        let listed = self.attachment(&attachment.transit_gateway_attachment_id);
        works(&attachment.state) && listed.is_none_or(|listed| works(&listed.state))
    }

    pub(super) fn attachment(&self, id: &str) -> Option<&'a TransitGatewayAttachment> {
        self.all(|topology| &topology.transit_gateway_attachments)
            .find(|attachment| attachment.transit_gateway_attachment_id == id)
    }

    /// The subnet with which an attachment serves the zone of another subnet.
    pub(super) fn attached_subnet(
        &self,
        attachment: &'a TransitGatewayVpcAttachment,
        subnet: &str,
    ) -> Option<&'a Subnet> {
        let zone = |subnet: &'a Subnet| subnet.availability_zone_id.as_deref().or(subnet.availability_zone.as_deref());
        let served = zone(self.subnet(subnet)?);
        let own = attachment.subnet_ids.iter().filter_map(|id| self.subnet(id));
        let mut own: Vec<&Subnet> = own.filter(|own| zone(own) == served).collect();
        own.sort_by_key(|own| own.subnet_id != subnet);
        own.first().copied()
    }
}

/// Whether a state, where one is told, is that of a thing that works.
pub(super) fn works(state: &Option<String>) -> bool {
    state.as_deref().is_none_or(|state| matches!(state, "available" | "attached" | "associated" | "modifying"))
}
