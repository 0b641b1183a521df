//! VPCs and their subnets (EC2 `DescribeVpcs`, `DescribeSubnets`).

aws! { "PascalCase";
    /// EC2 `Vpc`.
    pub struct Vpc {
        /// `vpc-…`.
        pub vpc_id: String,
        /// The first IPv4 block.
        pub cidr_block: Option<String>,
        /// All IPv4 blocks, those too that were taken away.
        pub cidr_block_association_set: Vec<CidrBlockAssociation>,
        /// All IPv6 blocks, those too that were taken away.
        pub ipv6_cidr_block_association_set: Vec<Ipv6CidrBlockAssociation>,
        /// The account's own VPC of the region.
        pub is_default: bool,
        /// Twelve digits.
        pub owner_id: Option<String>,
    }

    /// EC2 `VpcCidrBlockAssociation`.
    pub struct CidrBlockAssociation {
        /// IPv4 block.
        pub cidr_block: Option<String>,
        /// Whether it counts.
        pub cidr_block_state: Option<CidrBlockState>,
    }

    /// EC2 `VpcIpv6CidrBlockAssociation` and `SubnetIpv6CidrBlockAssociation`.
    pub struct Ipv6CidrBlockAssociation {
        /// IPv6 block.
        pub ipv6_cidr_block: Option<String>,
        /// Whether it counts.
        pub ipv6_cidr_block_state: Option<CidrBlockState>,
    }

    /// EC2 `VpcCidrBlockState` and `SubnetCidrBlockState`.
    pub struct CidrBlockState {
        /// `associated` when the block counts; else `associating`, `disassociated`, `failed`, …
        pub state: Option<String>,
    }

    /// EC2 `Subnet`.
    pub struct Subnet {
        /// `subnet-…`.
        pub subnet_id: String,
        /// `vpc-…`.
        pub vpc_id: String,
        /// For example `eu-central-1a`: a name of the account's own.
        pub availability_zone: Option<String>,
        /// For example `euc1-az2`: the same in every account.
        pub availability_zone_id: Option<String>,
        /// IPv4 block; absent in a subnet for IPv6 alone.
        pub cidr_block: Option<String>,
        /// All IPv6 blocks, those too that were taken away.
        pub ipv6_cidr_block_association_set: Vec<Ipv6CidrBlockAssociation>,
        /// Twelve digits.
        pub owner_id: Option<String>,
    }
}

impl CidrBlockState {
    fn counts(state: Option<&Self>) -> bool {
        state.and_then(|state| state.state.as_deref()).is_none_or(|state| state == "associated")
    }
}

impl Ipv6CidrBlockAssociation {
    /// The block, when it is associated.
    pub fn associated(&self) -> Option<&str> {
        self.ipv6_cidr_block.as_deref().filter(|_| CidrBlockState::counts(self.ipv6_cidr_block_state.as_ref()))
    }
}

impl Vpc {
    /// Every block that is associated, IPv4 first. Older answers give the first IPv4 block alone.
    pub fn blocks(&self) -> Vec<&str> {
        let counted = |block: &CidrBlockAssociation| CidrBlockState::counts(block.cidr_block_state.as_ref());
        let mut blocks: Vec<&str> = self
            .cidr_block_association_set
            .iter()
            .filter(|block| counted(block))
            .filter_map(|block| block.cidr_block.as_deref())
            .collect();
        if self.cidr_block_association_set.is_empty() {
            blocks.extend(self.cidr_block.as_deref());
        }
        blocks.extend(self.ipv6_cidr_block_association_set.iter().filter_map(Ipv6CidrBlockAssociation::associated));
        blocks
    }
}

impl Subnet {
    /// Every block that is associated.
    pub fn blocks(&self) -> impl Iterator<Item = &str> {
        let ipv6 = self.ipv6_cidr_block_association_set.iter().filter_map(Ipv6CidrBlockAssociation::associated);
        self.cidr_block.as_deref().into_iter().chain(ipv6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocks_that_are_associated_count() {
        let check = |json: &str, expected: &[&str]| {
            assert_eq!(serde_json::from_str::<Vpc>(json).unwrap().blocks(), expected, "{json}");
        };
        check(r#"{"CidrBlock": "10.0.0.0/16"}"#, &["10.0.0.0/16"]); // alone
        check(
            r#"{"CidrBlock": "10.0.0.0/16", "CidrBlockAssociationSet": [
                {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
                {"CidrBlock": "10.1.0.0/16", "CidrBlockState": {"State": "disassociated"}}]}"#,
            &["10.0.0.0/16"],
        );
        check(
            r#"{"Ipv6CidrBlockAssociationSet": [
                {"Ipv6CidrBlock": "2001:db8::/56", "Ipv6CidrBlockState": {"State": "associated"}},
                {"Ipv6CidrBlock": "2001:db8:1::/56", "Ipv6CidrBlockState": {"State": "failing"}}]}"#,
            &["2001:db8::/56"],
        );
    }
}
