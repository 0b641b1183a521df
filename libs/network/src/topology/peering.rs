//! Peering between two VPCs (EC2 `DescribeVpcPeeringConnections`).

aws! { "PascalCase";
    /// EC2 `VpcPeeringConnection`.
    pub struct VpcPeeringConnection {
        /// `pcx-…`.
        pub vpc_peering_connection_id: String,
        /// Whether it carries packets.
        pub status: Option<VpcPeeringConnectionStatus>,
        /// Who asked for it.
        pub requester_vpc_info: Option<PeeredVpc>,
        /// Who accepted it.
        pub accepter_vpc_info: Option<PeeredVpc>,
    }

    /// EC2 `VpcPeeringConnectionStateReason`.
    pub struct VpcPeeringConnectionStatus {
        /// `active` when it carries packets; else `pending-acceptance`, `deleted`, `rejected`, `expired`, …
        pub code: String,
    }

    /// EC2 `VpcPeeringConnectionVpcInfo`. The blocks are not told while the peering is not active.
    pub struct PeeredVpc {
        /// `vpc-…`.
        pub vpc_id: String,
        /// Twelve digits.
        pub owner_id: Option<String>,
        /// For example `eu-central-1`.
        pub region: Option<String>,
        /// The first IPv4 block.
        pub cidr_block: Option<String>,
        /// All IPv4 blocks.
        pub cidr_block_set: Vec<PeeredCidrBlock>,
        /// All IPv6 blocks.
        pub ipv6_cidr_block_set: Vec<Ipv6CidrBlock>,
    }
}

impl VpcPeeringConnection {
    /// Whether it carries packets.
    pub fn is_active(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.code == "active")
    }

    /// The side that is this VPC and the other side; `None` when the VPC has no part in it.
    pub fn sides(&self, vpc: &str) -> Option<(&PeeredVpc, &PeeredVpc)> {
        let (requester, accepter) = (self.requester_vpc_info.as_ref()?, self.accepter_vpc_info.as_ref()?);
        if requester.vpc_id == vpc {
            return Some((requester, accepter));
        }
        (accepter.vpc_id == vpc).then_some((accepter, requester))
    }
}

impl PeeredVpc {
    /// Every block, IPv4 first.
    pub fn blocks(&self) -> Vec<&str> {
        let mut blocks: Vec<&str> = self.cidr_block_set.iter().map(|block| block.cidr_block.as_str()).collect();
        if blocks.is_empty() {
            blocks.extend(self.cidr_block.as_deref());
        }
        blocks.extend(self.ipv6_cidr_block_set.iter().map(|block| block.ipv6_cidr_block.as_str()));
        blocks
    }
}

aws! { "PascalCase";
    /// EC2 `CidrBlock`.
    pub struct PeeredCidrBlock {
        /// IPv4 block.
        pub cidr_block: String,
    }

    /// EC2 `Ipv6CidrBlock`.
    pub struct Ipv6CidrBlock {
        /// IPv6 block.
        pub ipv6_cidr_block: String,
    }
}
