//! Security groups (EC2 `DescribeSecurityGroups`).

aws! { "PascalCase";
    /// EC2 `SecurityGroup`.
    pub struct SecurityGroup {
        /// `sg-…`.
        pub group_id: String,
        /// Its name.
        pub group_name: Option<String>,
        /// `vpc-…`.
        pub vpc_id: Option<String>,
        /// Twelve digits.
        pub owner_id: Option<String>,
        /// What may come in.
        pub ip_permissions: Vec<IpPermission>,
        /// What may go out. Answers to what came in need no permission: groups keep state.
        pub ip_permissions_egress: Vec<IpPermission>,
    }

    /// EC2 `IpPermission`. Several peers: each of them is permitted.
    pub struct IpPermission {
        /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol number as text, or `-1` for all.
        pub ip_protocol: String,
        /// First port; for ICMP its type; absent or -1 means all.
        pub from_port: Option<i32>,
        /// Last port, inclusive; for ICMP its code; absent or -1 means all.
        pub to_port: Option<i32>,
        /// IPv4 blocks.
        pub ip_ranges: Vec<IpRange>,
        /// IPv6 blocks.
        pub ipv6_ranges: Vec<Ipv6Range>,
        /// Prefix lists.
        pub prefix_list_ids: Vec<PrefixListId>,
        /// Members of these groups, by their private addresses.
        pub user_id_group_pairs: Vec<UserIdGroupPair>,
    }

    /// EC2 `IpRange`.
    pub struct IpRange {
        /// IPv4 block.
        pub cidr_ip: String,
    }

    /// EC2 `Ipv6Range`.
    pub struct Ipv6Range {
        /// IPv6 block.
        pub cidr_ipv6: String,
    }

    /// EC2 `PrefixListId`.
    pub struct PrefixListId {
        /// `pl-…`.
        pub prefix_list_id: String,
    }

    /// EC2 `UserIdGroupPair`.
    pub struct UserIdGroupPair {
        /// `sg-…`.
        pub group_id: String,
        /// The account of the group, twelve digits.
        pub user_id: Option<String>,
        /// The VPC of a group that lies in another one.
        pub vpc_id: Option<String>,
        /// `pcx-…`, for a group on the other side of a peering.
        pub vpc_peering_connection_id: Option<String>,
        /// State of that peering: the reference is stale when it is not `active`.
        pub peering_status: Option<String>,
    }
}
