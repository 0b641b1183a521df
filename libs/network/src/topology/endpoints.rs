//! VPC endpoints (EC2 `DescribeVpcEndpoints`).

use super::GroupIdentifier;

aws! { "PascalCase";
    /// EC2 `VpcEndpoint`.
    pub struct VpcEndpoint {
        /// `vpce-…`.
        pub vpc_endpoint_id: String,
        /// `Interface`, `Gateway`, `GatewayLoadBalancer`, `Resource` or `ServiceNetwork`.
        pub vpc_endpoint_type: Option<String>,
        /// `vpc-…`.
        pub vpc_id: String,
        /// For example `com.amazonaws.eu-central-1.s3`.
        pub service_name: Option<String>,
        /// `available` when it works.
        pub state: Option<String>,
        /// `rtb-…`, of a gateway endpoint.
        pub route_table_ids: Vec<String>,
        /// `subnet-…`.
        pub subnet_ids: Vec<String>,
        /// Security groups of an interface endpoint.
        pub groups: Vec<GroupIdentifier>,
        /// `eni-…`.
        pub network_interface_ids: Vec<String>,
    }
}
