//! Transit gateways, their attachments and route tables (EC2 `DescribeTransitGateway…`,
//! `GetTransitGatewayRouteTable…`, `SearchTransitGatewayRoutes`).

aws! { "PascalCase";
    /// EC2 `TransitGateway`.
    pub struct TransitGateway {
        /// `tgw-…`.
        pub transit_gateway_id: String,
        /// Its ARN, which tells its region.
        pub transit_gateway_arn: Option<String>,
        /// Twelve digits.
        pub owner_id: Option<String>,
        /// `available` when it works; else `pending`, `modifying`, `deleting`, `deleted`.
        pub state: Option<String>,
        /// Its options.
        pub options: Option<TransitGatewayOptions>,
    }

    /// EC2 `TransitGatewayOptions`.
    pub struct TransitGatewayOptions {
        /// `enable` or `disable`: whether rules may name groups of other attached VPCs.
        pub security_group_referencing_support: Option<String>,
        /// `tgw-rtb-…`.
        pub association_default_route_table_id: Option<String>,
        /// `tgw-rtb-…`.
        pub propagation_default_route_table_id: Option<String>,
    }

    /// EC2 `TransitGatewayAttachment`.
    pub struct TransitGatewayAttachment {
        /// `tgw-attach-…`.
        pub transit_gateway_attachment_id: String,
        /// `tgw-…`.
        pub transit_gateway_id: String,
        /// Owner of the transit gateway, twelve digits.
        pub transit_gateway_owner_id: Option<String>,
        /// Owner of what is attached, twelve digits.
        pub resource_owner_id: Option<String>,
        /// `vpc`, `vpn`, `vpn-concentrator`, `direct-connect-gateway`, `connect`, `peering` or `tgw-peering`.
        pub resource_type: String,
        /// `vpc-…`, `vpn-…`, a Direct Connect gateway's id, `tgw-…`.
        pub resource_id: Option<String>,
        /// `available` when it works.
        pub state: Option<String>,
        /// The table for packets that enter by this attachment.
        pub association: Option<TransitGatewayAttachmentAssociation>,
    }

    /// EC2 `TransitGatewayAttachmentAssociation`.
    pub struct TransitGatewayAttachmentAssociation {
        /// `tgw-rtb-…`.
        pub transit_gateway_route_table_id: Option<String>,
        /// `associated` when it counts.
        pub state: Option<String>,
    }

    /// EC2 `TransitGatewayVpcAttachment`.
    pub struct TransitGatewayVpcAttachment {
        /// `tgw-attach-…`.
        pub transit_gateway_attachment_id: String,
        /// `tgw-…`.
        pub transit_gateway_id: String,
        /// `vpc-…`.
        pub vpc_id: String,
        /// Twelve digits.
        pub vpc_owner_id: Option<String>,
        /// `available` when it works.
        pub state: Option<String>,
        /// `subnet-…`, one per availability zone that is served.
        pub subnet_ids: Vec<String>,
        /// Its options.
        pub options: Option<TransitGatewayVpcAttachmentOptions>,
    }

    /// EC2 `TransitGatewayVpcAttachmentOptions`.
    pub struct TransitGatewayVpcAttachmentOptions {
        /// `enable` or `disable`.
        pub security_group_referencing_support: Option<String>,
        /// `enable` or `disable`.
        pub ipv6_support: Option<String>,
        /// `enable` or `disable`: whether a flow stays in one availability zone.
        pub appliance_mode_support: Option<String>,
    }

    /// EC2 `TransitGatewayPeeringAttachment`.
    pub struct TransitGatewayPeeringAttachment {
        /// `tgw-attach-…`, the same on both sides.
        pub transit_gateway_attachment_id: String,
        /// Who asked for it.
        pub requester_tgw_info: Option<PeeredTransitGateway>,
        /// Who accepted it.
        pub accepter_tgw_info: Option<PeeredTransitGateway>,
        /// `available` when it works.
        pub state: Option<String>,
    }

    /// EC2 `PeeringTgwInfo`.
    pub struct PeeredTransitGateway {
        /// `tgw-…`.
        pub transit_gateway_id: Option<String>,
        /// Twelve digits.
        pub owner_id: Option<String>,
        /// For example `eu-central-1`.
        pub region: Option<String>,
    }

    /// EC2 `TransitGatewayConnect`: GRE over another attachment.
    pub struct TransitGatewayConnect {
        /// `tgw-attach-…`.
        pub transit_gateway_attachment_id: String,
        /// The attachment underneath, `tgw-attach-…`.
        pub transport_transit_gateway_attachment_id: Option<String>,
        /// `tgw-…`.
        pub transit_gateway_id: String,
        /// `available` when it works.
        pub state: Option<String>,
    }

    /// EC2 `TransitGatewayRouteTable`.
    pub struct TransitGatewayRouteTable {
        /// `tgw-rtb-…`.
        pub transit_gateway_route_table_id: String,
        /// `tgw-…`.
        pub transit_gateway_id: String,
        /// `available` when it works.
        pub state: Option<String>,
    }

    /// The answer of EC2 `GetTransitGatewayRouteTableAssociations`, with the table that it is about.
    pub struct TransitGatewayRouteTableAssociations {
        /// `tgw-rtb-…`.
        pub transit_gateway_route_table_id: String,
        /// The attachments whose packets it routes.
        pub associations: Vec<TransitGatewayTableEntry>,
    }

    /// The answer of EC2 `GetTransitGatewayRouteTablePropagations`, with the table that it is about.
    pub struct TransitGatewayRouteTablePropagations {
        /// `tgw-rtb-…`.
        pub transit_gateway_route_table_id: String,
        /// The attachments whose routes it takes over.
        pub transit_gateway_route_table_propagations: Vec<TransitGatewayTableEntry>,
    }

    /// EC2 `TransitGatewayRouteTableAssociation` and `TransitGatewayRouteTablePropagation`.
    pub struct TransitGatewayTableEntry {
        /// `tgw-attach-…`.
        pub transit_gateway_attachment_id: String,
        /// As of the attachment.
        pub resource_id: Option<String>,
        /// As of the attachment.
        pub resource_type: Option<String>,
        /// `associated` or `enabled` when it counts.
        pub state: Option<String>,
    }

    /// The answer of EC2 `SearchTransitGatewayRoutes`, with the table that it is about.
    pub struct TransitGatewayRoutes {
        /// `tgw-rtb-…`.
        pub transit_gateway_route_table_id: String,
        /// Its routes.
        pub routes: Vec<TransitGatewayRoute>,
        /// Whether there are more than the 1,000 that AWS answers with: then the table is not known.
        pub additional_routes_available: bool,
    }

    /// EC2 `TransitGatewayRoute`.
    pub struct TransitGatewayRoute {
        /// IPv4 or IPv6 destination.
        pub destination_cidr_block: Option<String>,
        /// `pl-…`, when the route comes from a prefix list.
        pub prefix_list_id: Option<String>,
        /// Where packets go; several share them.
        pub transit_gateway_attachments: Vec<TransitGatewayRouteAttachment>,
        /// `static` or `propagated`.
        #[serde(rename = "Type")]
        pub route_type: Option<String>,
        /// `active` or `blackhole`.
        pub state: Option<String>,
    }

    /// EC2 `TransitGatewayRouteAttachment`.
    pub struct TransitGatewayRouteAttachment {
        /// `tgw-attach-…`.
        pub transit_gateway_attachment_id: String,
        /// As of the attachment.
        pub resource_id: Option<String>,
        /// As of the attachment.
        pub resource_type: Option<String>,
    }
}
