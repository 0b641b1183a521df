//! Ways to other networks that end at a VPC: peering, VPN gateways and connections (EC2), and Direct Connect.

use super::{
    asked::{about_each, noted},
    vpc::{names, names_gateway},
};
use crate::RegionClient;
use aws_sdk_directconnect::types as direct;
use aws_sdk_ec2::types as ec2;
use muster_network::topology::*;
use std::collections::BTreeSet;

/// Items of one page of DescribeVpcPeeringConnections; AWS' maximum.
const PER_PAGE: i32 = 1000;
/// Items of one page of Direct Connect's calls; AWS' maximum.
const PER_SHORT_PAGE: i32 = 100;

impl RegionClient {
    /// Peerings that a route or a rule refers to: without a route back nothing comes in by one.
    pub(super) async fn add_links(&self, topology: &mut Topology) {
        let by_rules = topology.security_groups.iter().flat_map(|group| &group.ip_permissions);
        let mut pairs = by_rules.flat_map(|permission| &permission.user_id_group_pairs);
        if !names(topology, |route| &route.vpc_peering_connection_id)
            && !pairs.any(|pair| pair.vpc_peering_connection_id.is_some())
        {
            return;
        }
        let peerings = paged!(
            self,
            ec2,
            "ec2:DescribeVpcPeeringConnections",
            describe_vpc_peering_connections,
            PER_PAGE,
            vpc_peering_connections
        );
        topology.vpc_peering_connections = noted(topology, "ec2:DescribeVpcPeeringConnections", peerings.await);
    }

    /// VPN and Direct Connect, where a route, a propagation or a transit gateway leads there.
    pub(super) async fn add_private_lines(&self, topology: &mut Topology) {
        let at_gateway = names_gateway(topology, "vgw-")
            || topology.route_tables.iter().any(|table| !table.propagating_vgws.is_empty());
        let attached =
            |kind: &str| topology.transit_gateway_attachments.iter().any(|other| other.resource_type == kind);
        let (vpn_attached, direct_attached) = (attached("vpn"), attached("direct-connect-gateway"));
        if at_gateway {
            let gateways = whole!(self, ec2, "ec2:DescribeVpnGateways", describe_vpn_gateways, vpn_gateways);
            topology.vpn_gateways = noted(topology, "ec2:DescribeVpnGateways", gateways.await);
        }
        if at_gateway || vpn_attached {
            let connections =
                whole!(self, ec2, "ec2:DescribeVpnConnections", describe_vpn_connections, vpn_connections);
            topology.vpn_connections = noted(topology, "ec2:DescribeVpnConnections", connections.await);
        }
        if topology.vpn_connections.iter().any(|connection| connection.customer_gateway_id.is_some()) {
            let gateways =
                whole!(self, ec2, "ec2:DescribeCustomerGateways", describe_customer_gateways, customer_gateways);
            topology.customer_gateways = noted(topology, "ec2:DescribeCustomerGateways", gateways.await);
        }
        if at_gateway || direct_attached {
            self.add_direct_connect(topology).await;
        }
    }

    /// The Direct Connect gateways of the account, what they are associated with, and what ends at them. A gateway of
    /// another account is known by its association with a gateway of this one.
    async fn add_direct_connect(&self, topology: &mut Topology) {
        let gateways = paged!(
            self,
            direct_connect,
            "directconnect:DescribeDirectConnectGateways",
            describe_direct_connect_gateways,
            PER_SHORT_PAGE,
            direct_connect_gateways
        );
        topology.direct_connect_gateways =
            noted(topology, "directconnect:DescribeDirectConnectGateways", gateways.await);
        let ends = ends_here(topology);
        let associations =
            about_each(topology, "directconnect:DescribeDirectConnectGatewayAssociations", ends, |id| async move {
                let associations = paged!(
                    self,
                    direct_connect,
                    "directconnect:DescribeDirectConnectGatewayAssociations",
                    describe_direct_connect_gateway_associations,
                    PER_SHORT_PAGE,
                    direct_connect_gateway_associations,
                    associated_gateway_id(&id)
                );
                associations.await
            });
        let associations: Vec<Vec<DirectConnectGatewayAssociation>> = associations.await;
        topology.direct_connect_gateway_associations = associations.into_iter().flatten().collect();
        let own: Vec<String> =
            topology.direct_connect_gateways.iter().map(|gateway| gateway.direct_connect_gateway_id.clone()).collect();
        let attachments =
            about_each(topology, "directconnect:DescribeDirectConnectGatewayAttachments", own, |id| async move {
                let attachments = paged!(
                    self,
                    direct_connect,
                    "directconnect:DescribeDirectConnectGatewayAttachments",
                    describe_direct_connect_gateway_attachments,
                    PER_SHORT_PAGE,
                    direct_connect_gateway_attachments,
                    direct_connect_gateway_id(&id)
                );
                attachments.await
            });
        let attachments: Vec<Vec<DirectConnectGatewayAttachment>> = attachments.await;
        topology.direct_connect_gateway_attachments = attachments.into_iter().flatten().collect();
        let interfaces = paged!(
            self,
            direct_connect,
            "directconnect:DescribeVirtualInterfaces",
            describe_virtual_interfaces,
            PER_SHORT_PAGE,
            virtual_interfaces
        );
        topology.virtual_interfaces = noted(topology, "directconnect:DescribeVirtualInterfaces", interfaces.await);
    }
}

/// The gateways of this region at which a Direct Connect gateway may end.
fn ends_here(topology: &Topology) -> BTreeSet<String> {
    let private = topology.vpn_gateways.iter().map(|gateway| gateway.vpn_gateway_id.clone());
    let transit = topology
        .transit_gateway_attachments
        .iter()
        .filter(|attachment| attachment.resource_type == "direct-connect-gateway")
        .map(|attachment| attachment.transit_gateway_id.clone());
    private.chain(transit).collect()
}

told! {
    ec2::VpcPeeringConnection => VpcPeeringConnection {
        vpc_peering_connection_id, status, requester_vpc_info, accepter_vpc_info,
    }
    ec2::VpcPeeringConnectionStateReason => VpcPeeringConnectionStatus { code }
    ec2::VpcPeeringConnectionVpcInfo => PeeredVpc {
        vpc_id, owner_id, region, cidr_block, cidr_block_set, ipv6_cidr_block_set,
    }
    ec2::CidrBlock => PeeredCidrBlock { cidr_block }
    ec2::Ipv6CidrBlock => Ipv6CidrBlock { ipv6_cidr_block }
    ec2::VpnConnection => VpnConnection {
        vpn_connection_id, customer_gateway_id, vpn_gateway_id, transit_gateway_id, state, options, routes,
    }
    ec2::VpnConnectionOptions => VpnConnectionOptions { static_routes_only }
    ec2::VpnStaticRoute => VpnStaticRoute { destination_cidr_block, state }
    ec2::VpnGateway => VpnGateway { vpn_gateway_id, state, vpc_attachments }
    ec2::VpcAttachment => VpcAttachment { vpc_id, state }
    ec2::CustomerGateway => CustomerGateway { customer_gateway_id, ip_address, state }
    direct::DirectConnectGateway => DirectConnectGateway {
        direct_connect_gateway_id, owner_account, direct_connect_gateway_state,
    }
    direct::DirectConnectGatewayAssociation => DirectConnectGatewayAssociation {
        direct_connect_gateway_id, association_id, association_state, associated_gateway, virtual_gateway_id,
        allowed_prefixes_to_direct_connect_gateway,
    }
    direct::AssociatedGateway => AssociatedGateway { id, gateway_type = r#type, region }
    direct::RouteFilterPrefix => RouteFilterPrefix { cidr }
    direct::DirectConnectGatewayAttachment => DirectConnectGatewayAttachment {
        direct_connect_gateway_id, virtual_interface_id, attachment_state,
    }
    direct::VirtualInterface => VirtualInterface {
        virtual_interface_id, virtual_interface_type, virtual_interface_state, virtual_gateway_id,
        direct_connect_gateway_id,
    }
}

words! {
    ec2::VpcPeeringConnectionStateReasonCode ec2::VpnState
    direct::DirectConnectGatewayState direct::DirectConnectGatewayAssociationState direct::GatewayType
    direct::DirectConnectGatewayAttachmentState direct::VirtualInterfaceState
}
