//! Managed databases (RDS `DescribeDBInstances`).

aws! { "PascalCase";
    /// RDS `DBInstance`.
    pub struct DbInstance {
        /// Its name.
        #[serde(rename = "DBInstanceIdentifier")]
        pub db_instance_identifier: String,
        /// Its ARN.
        #[serde(rename = "DBInstanceArn")]
        pub db_instance_arn: Option<String>,
        /// Where it listens.
        pub endpoint: Option<DbEndpoint>,
        /// Whether its interface has a public address.
        pub publicly_accessible: bool,
        /// Its network.
        #[serde(rename = "DBSubnetGroup")]
        pub db_subnet_group: Option<DbSubnetGroup>,
        /// Its security groups.
        pub vpc_security_groups: Vec<DbSecurityGroup>,
        /// For example `eu-central-1a`.
        pub availability_zone: Option<String>,
    }

    /// RDS `Endpoint`.
    pub struct DbEndpoint {
        /// Its name in the DNS.
        pub address: Option<String>,
        /// Its port.
        pub port: Option<i32>,
    }

    /// RDS `DBSubnetGroup`.
    pub struct DbSubnetGroup {
        /// `vpc-…`.
        pub vpc_id: Option<String>,
        /// Its subnets.
        pub subnets: Vec<DbSubnet>,
    }

    /// RDS `Subnet`.
    pub struct DbSubnet {
        /// `subnet-…`.
        pub subnet_identifier: Option<String>,
    }

    /// RDS `VpcSecurityGroupMembership`.
    pub struct DbSecurityGroup {
        /// `sg-…`.
        pub vpc_security_group_id: String,
    }
}
