//! Route tables and prefix lists (EC2 `DescribeRouteTables`, `DescribeManagedPrefixLists`,
//! `GetManagedPrefixListEntries`).

aws! { "PascalCase";
    /// EC2 `RouteTable`.
    pub struct RouteTable {
        /// `rtb-…`.
        pub route_table_id: String,
        /// `vpc-…`.
        pub vpc_id: String,
        /// Its routes, the local ones too.
        pub routes: Vec<Route>,
        /// What uses it.
        pub associations: Vec<RouteTableAssociation>,
        /// The virtual private gateways whose routes it takes over.
        pub propagating_vgws: Vec<PropagatingVgw>,
        /// Twelve digits.
        pub owner_id: Option<String>,
    }

    /// EC2 `RouteTableAssociation`.
    pub struct RouteTableAssociation {
        /// The VPC's main table: counts for each subnet without an association of its own.
        pub main: bool,
        /// `rtbassoc-…`.
        pub route_table_association_id: Option<String>,
        /// `subnet-…`.
        pub subnet_id: Option<String>,
        /// `igw-…` or `vgw-…`: an edge association.
        pub gateway_id: Option<String>,
        /// Whether it counts.
        pub association_state: Option<RouteTableAssociationState>,
    }

    /// EC2 `RouteTableAssociationState`.
    pub struct RouteTableAssociationState {
        /// `associated` when it counts; else `associating`, `disassociating`, `disassociated`, `failed`.
        pub state: Option<String>,
    }

    /// EC2 `PropagatingVgw`.
    pub struct PropagatingVgw {
        /// `vgw-…`.
        pub gateway_id: Option<String>,
    }

    /// EC2 `Route`. One of the three destinations is there, and one target, or none where it is gone.
    pub struct Route {
        /// IPv4 destination.
        pub destination_cidr_block: Option<String>,
        /// IPv6 destination.
        pub destination_ipv6_cidr_block: Option<String>,
        /// `pl-…`: all of the list's entries.
        pub destination_prefix_list_id: Option<String>,
        /// `local`, `igw-…`, `vgw-…` or `vpce-…`.
        pub gateway_id: Option<String>,
        /// `nat-…`.
        pub nat_gateway_id: Option<String>,
        /// `eigw-…`.
        pub egress_only_internet_gateway_id: Option<String>,
        /// `tgw-…`.
        pub transit_gateway_id: Option<String>,
        /// `pcx-…`.
        pub vpc_peering_connection_id: Option<String>,
        /// `eni-…`; an instance's route names its interface too.
        pub network_interface_id: Option<String>,
        /// `i-…`.
        pub instance_id: Option<String>,
        /// `lgw-…`: of an Outpost.
        pub local_gateway_id: Option<String>,
        /// `cagw-…`: of a Wavelength zone.
        pub carrier_gateway_id: Option<String>,
        /// Of Cloud WAN.
        pub core_network_arn: Option<String>,
        /// Of Oracle Database@AWS.
        pub odb_network_arn: Option<String>,
        /// `active`, or `blackhole` when the target is gone.
        pub state: Option<String>,
        /// `CreateRouteTable`, `CreateRoute` or `EnableVgwRoutePropagation`.
        pub origin: Option<String>,
    }

    /// EC2 `ManagedPrefixList`.
    pub struct ManagedPrefixList {
        /// `pl-…`.
        pub prefix_list_id: String,
        /// For example `com.amazonaws.eu-central-1.s3`.
        pub prefix_list_name: Option<String>,
        /// `IPv4` or `IPv6`.
        pub address_family: Option<String>,
        /// Twelve digits, or `AWS`.
        pub owner_id: Option<String>,
    }

    /// The answer of EC2 `GetManagedPrefixListEntries`, with the list that it is about.
    pub struct PrefixListEntries {
        /// `pl-…`.
        pub prefix_list_id: String,
        /// Its blocks.
        pub entries: Vec<PrefixListEntry>,
    }

    /// EC2 `PrefixListEntry`.
    pub struct PrefixListEntry {
        /// A block.
        pub cidr: String,
    }
}

impl RouteTableAssociation {
    /// Whether it counts.
    pub fn works(&self) -> bool {
        let state = self.association_state.as_ref().and_then(|state| state.state.as_deref());
        state.is_none_or(|state| state == "associated")
    }
}

impl Route {
    /// Where packets go: a component's id, an ARN, or `local`; `None` when the route swallows them (`blackhole`).
    pub fn target(&self) -> Option<&str> {
        if self.state.as_deref() == Some("blackhole") {
            return None;
        }
        // An instance's route names its interface too: the instance comes last, so that the interface is what counts.
        [
            &self.gateway_id,
            &self.nat_gateway_id,
            &self.egress_only_internet_gateway_id,
            &self.transit_gateway_id,
            &self.vpc_peering_connection_id,
            &self.network_interface_id,
            &self.local_gateway_id,
            &self.carrier_gateway_id,
            &self.core_network_arn,
            &self.odb_network_arn,
            &self.instance_id,
        ]
        .into_iter()
        .find_map(|target| target.as_deref().filter(|target| !target.is_empty()))
    }

    /// Whether a gateway propagated it: then static routes for the same block come first.
    pub fn is_propagated(&self) -> bool {
        self.origin.as_deref() == Some("EnableVgwRoutePropagation")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_one_target_whatever_kind_it_is_of() {
        let check = |json: &str, expected: Option<&str>| {
            assert_eq!(serde_json::from_str::<Route>(json).unwrap().target(), expected, "{json}");
        };
        check(r#"{"GatewayId": "igw-1", "State": "active"}"#, Some("igw-1"));
        check(r#"{"GatewayId": "igw-1"}"#, Some("igw-1"));
        check(r#"{"GatewayId": "", "NatGatewayId": "nat-1"}"#, Some("nat-1"));
        check(r#"{"InstanceId": "i-1", "NetworkInterfaceId": "eni-1"}"#, Some("eni-1"));
        check(r#"{"GatewayId": "igw-1", "State": "blackhole"}"#, None);
        check("{}", None);
    }
}
