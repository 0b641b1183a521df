//! Network ACLs (EC2 `DescribeNetworkAcls`).

aws! { "PascalCase";
    /// EC2 `NetworkAcl`.
    pub struct NetworkAcl {
        /// `acl-…`.
        pub network_acl_id: String,
        /// `vpc-…`.
        pub vpc_id: String,
        /// The VPC's default list.
        pub is_default: bool,
        /// Its rules, in both directions.
        pub entries: Vec<NetworkAclEntry>,
        /// The subnets that it is for.
        pub associations: Vec<NetworkAclAssociation>,
        /// Twelve digits.
        pub owner_id: Option<String>,
    }

    /// EC2 `NetworkAclAssociation`.
    pub struct NetworkAclAssociation {
        /// `aclassoc-…`.
        pub network_acl_association_id: Option<String>,
        /// `subnet-…`.
        pub subnet_id: String,
    }

    /// EC2 `NetworkAclEntry`.
    pub struct NetworkAclEntry {
        /// Whether it is for packets that leave the subnet.
        pub egress: bool,
        /// Rules are tried from the lowest number; the first that matches decides. 32767 is the final deny.
        pub rule_number: i32,
        /// Protocol number as text; `-1` is all.
        pub protocol: String,
        /// `allow` or `deny`.
        pub rule_action: String,
        /// IPv4 peer: the source of what enters, the destination of what leaves.
        pub cidr_block: Option<String>,
        /// IPv6 peer.
        pub ipv6_cidr_block: Option<String>,
        /// Destination ports, for TCP and UDP; absent means all.
        pub port_range: Option<PortRange>,
    }

    /// EC2 `PortRange`, both ends inclusive.
    pub struct PortRange {
        /// First port.
        pub from: i32,
        /// Last port.
        pub to: i32,
    }
}
