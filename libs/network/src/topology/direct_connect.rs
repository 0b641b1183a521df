//! Direct Connect (`DescribeDirectConnectGateway…`, `DescribeVirtualInterfaces`).

aws! { "camelCase";
    /// Direct Connect `DirectConnectGateway`.
    pub struct DirectConnectGateway {
        /// A UUID.
        pub direct_connect_gateway_id: String,
        /// Twelve digits.
        pub owner_account: Option<String>,
        /// `available` when it works.
        pub direct_connect_gateway_state: Option<String>,
    }

    /// Direct Connect `DirectConnectGatewayAssociation`: with a virtual private gateway or a transit gateway.
    pub struct DirectConnectGatewayAssociation {
        /// A UUID.
        pub direct_connect_gateway_id: Option<String>,
        /// A UUID.
        pub association_id: Option<String>,
        /// `associated` when it works.
        pub association_state: Option<String>,
        /// The gateway on AWS' side.
        pub associated_gateway: Option<AssociatedGateway>,
        /// `vgw-…`: older answers name the gateway here.
        pub virtual_gateway_id: Option<String>,
        /// What is announced to the other side.
        pub allowed_prefixes_to_direct_connect_gateway: Vec<RouteFilterPrefix>,
    }

    /// Direct Connect `AssociatedGateway`.
    pub struct AssociatedGateway {
        /// `vgw-…` or `tgw-…`.
        pub id: Option<String>,
        /// `virtualPrivateGateway` or `transitGateway`.
        #[serde(rename = "type")]
        pub gateway_type: Option<String>,
        /// For example `eu-central-1`.
        pub region: Option<String>,
    }

    /// Direct Connect `RouteFilterPrefix`.
    pub struct RouteFilterPrefix {
        /// A block.
        pub cidr: Option<String>,
    }

    /// Direct Connect `DirectConnectGatewayAttachment`: with a virtual interface.
    pub struct DirectConnectGatewayAttachment {
        /// A UUID.
        pub direct_connect_gateway_id: Option<String>,
        /// `dxvif-…`.
        pub virtual_interface_id: Option<String>,
        /// `attached` when it works.
        pub attachment_state: Option<String>,
    }

    /// Direct Connect `VirtualInterface`.
    pub struct VirtualInterface {
        /// `dxvif-…`.
        pub virtual_interface_id: String,
        /// `private`, `public` or `transit`.
        pub virtual_interface_type: Option<String>,
        /// `available` when it works; else `down`, `deleted`, …
        pub virtual_interface_state: Option<String>,
        /// `vgw-…`, when it ends at one.
        pub virtual_gateway_id: Option<String>,
        /// A UUID, when it ends at a Direct Connect gateway.
        pub direct_connect_gateway_id: Option<String>,
    }
}
