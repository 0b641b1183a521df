//! What stands behind a virtual private gateway: VPN connections and Direct Connect
//! (Site-to-Site VPN user guide, "Static and dynamic routing options", read 2026-11-24).

use super::{
    map::{holds, works},
    walk::{Halt, Packet, Walk},
};
use crate::topology::VpnConnection;

const CALLS: [&str; 3] = [
    "ec2:DescribeVpnConnections",
    "directconnect:DescribeVirtualInterfaces",
    "directconnect:DescribeDirectConnectGatewayAssociations",
];

impl<'a> Walk<'a> {
    /// Whether something behind the gateway has the address. What BGP tells is not described, so a connection with
    /// dynamic routes has every address that is routed to it.
    pub(super) fn reaches_premises(&mut self, gateway: &str, vpc: &str, packet: &Packet) -> Result<(), Halt> {
        if self.has_direct_connect(gateway) {
            return Ok(());
        }
        let vpns = self.map.all(|topology| &topology.vpn_connections);
        let vpns: Vec<&VpnConnection> =
            vpns.filter(|vpn| vpn.vpn_gateway_id.as_deref() == Some(gateway) && works(&vpn.state)).collect();
        let is_static = |vpn: &&VpnConnection| vpn.options.as_ref().is_some_and(|options| options.static_routes_only);
        if !vpns.iter().all(is_static) {
            return Ok(());
        }
        let mut routes = vpns.iter().flat_map(|vpn| &vpn.routes).filter(|route| works(&route.state));
        let has = |block: &str| holds(block, packet.to) == Some(true);
        if routes.any(|route| route.destination_cidr_block.as_deref().is_some_and(has)) {
            return Ok(());
        }
        if let Some(unknown) = CALLS.iter().find_map(|call| self.map.missing(Some(vpc), call, gateway)) {
            self.note(unknown);
            return Ok(());
        }
        let reason = match vpns.is_empty() {
            true => format!("no VPN connection and no Direct Connect ends at {gateway}"),
            false => format!("no static route of the VPN connections at {gateway} covers {}", packet.to),
        };
        Err(self.misled(&reason))
    }

    fn has_direct_connect(&self, gateway: &str) -> bool {
        let mut interfaces = self.map.all(|topology| &topology.virtual_interfaces);
        let mut associations = self.map.all(|topology| &topology.direct_connect_gateway_associations);
        // A line that is down comes up again without any change of the configuration.
        let stands = |state: &Option<String>| works(state) || state.as_deref() == Some("down");
        interfaces
            .any(|line| line.virtual_gateway_id.as_deref() == Some(gateway) && stands(&line.virtual_interface_state))
            || associations.any(|association| {
                let named = association.associated_gateway.as_ref().and_then(|associated| associated.id.as_deref());
                named.or(association.virtual_gateway_id.as_deref()) == Some(gateway)
                    && works(&association.association_state)
            })
    }
}
