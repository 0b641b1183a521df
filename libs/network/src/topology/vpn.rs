//! Virtual private networks to other sites (EC2 `DescribeVpnConnections`, `DescribeVpnGateways`,
//! `DescribeCustomerGateways`).

aws! { "PascalCase";
    /// EC2 `VpnConnection`.
    pub struct VpnConnection {
        /// `vpn-…`.
        pub vpn_connection_id: String,
        /// `cgw-…`: the other end.
        pub customer_gateway_id: Option<String>,
        /// `vgw-…`, when it ends at one.
        pub vpn_gateway_id: Option<String>,
        /// `tgw-…`, when it ends at one.
        pub transit_gateway_id: Option<String>,
        /// `available` when it works; else `pending`, `deleting`, `deleted`.
        pub state: Option<String>,
        /// Its options.
        pub options: Option<VpnConnectionOptions>,
        /// The static routes.
        pub routes: Vec<VpnStaticRoute>,
    }

    /// EC2 `VpnConnectionOptions`.
    pub struct VpnConnectionOptions {
        /// Whether it knows static routes alone; else BGP tells the routes.
        pub static_routes_only: bool,
    }

    /// EC2 `VpnStaticRoute`.
    pub struct VpnStaticRoute {
        /// A block behind the other end.
        pub destination_cidr_block: Option<String>,
        /// `available` when it counts.
        pub state: Option<String>,
    }

    /// EC2 `VpnGateway`.
    pub struct VpnGateway {
        /// `vgw-…`.
        pub vpn_gateway_id: String,
        /// `available` when it works.
        pub state: Option<String>,
        /// The VPCs that it serves.
        pub vpc_attachments: Vec<VpcAttachment>,
    }

    /// EC2 `VpcAttachment`.
    pub struct VpcAttachment {
        /// `vpc-…`.
        pub vpc_id: String,
        /// `attached` when it works.
        pub state: Option<String>,
    }

    /// EC2 `CustomerGateway`.
    pub struct CustomerGateway {
        /// `cgw-…`.
        pub customer_gateway_id: String,
        /// Its public address.
        pub ip_address: Option<String>,
        /// `available` when it works.
        pub state: Option<String>,
    }
}
