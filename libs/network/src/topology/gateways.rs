//! Gateways to the internet (EC2 `DescribeInternetGateways`, `DescribeEgressOnlyInternetGateways`,
//! `DescribeNatGateways`).

aws! { "PascalCase";
    /// EC2 `InternetGateway`.
    pub struct InternetGateway {
        /// `igw-…`.
        pub internet_gateway_id: String,
        /// The VPCs that it serves.
        pub attachments: Vec<InternetGatewayAttachment>,
        /// Twelve digits.
        pub owner_id: Option<String>,
    }

    /// EC2 `InternetGatewayAttachment`.
    pub struct InternetGatewayAttachment {
        /// `vpc-…`.
        pub vpc_id: String,
        /// `available` (internet gateways) or `attached` when it works; else `attaching`, `detaching`, `detached`.
        pub state: String,
    }

    /// EC2 `EgressOnlyInternetGateway`: IPv6 goes out, no connection comes in.
    pub struct EgressOnlyInternetGateway {
        /// `eigw-…`.
        pub egress_only_internet_gateway_id: String,
        /// The VPCs that it serves.
        pub attachments: Vec<InternetGatewayAttachment>,
    }

    /// EC2 `NatGateway`: connections go out, none comes in.
    pub struct NatGateway {
        /// `nat-…`.
        pub nat_gateway_id: String,
        /// `subnet-…`.
        pub subnet_id: Option<String>,
        /// `vpc-…`.
        pub vpc_id: Option<String>,
        /// `available` when it works; else `pending`, `failed`, `deleting`, `deleted`.
        pub state: String,
        /// `public` or `private`.
        pub connectivity_type: Option<String>,
        /// Its addresses.
        pub nat_gateway_addresses: Vec<NatGatewayAddress>,
    }

    /// EC2 `NatGatewayAddress`.
    pub struct NatGatewayAddress {
        /// `eni-…`.
        pub network_interface_id: Option<String>,
        /// The address in the subnet.
        pub private_ip: Option<String>,
        /// The elastic address.
        pub public_ip: Option<String>,
    }
}

impl InternetGatewayAttachment {
    /// Whether it carries packets.
    pub fn works(&self) -> bool {
        matches!(self.state.as_str(), "available" | "attached")
    }
}
