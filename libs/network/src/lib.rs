//! The reachability of one region's topology: which interfaces the internet reaches, on which ports, from where.
//!
//! The answer is worked out with sets of addresses and ranges of ports, never by trying packets, so it is complete:
//! what is not in it is not reachable, or stands under "undetermined" with the answer that is missing. Looked at are
//! internet gateways, routes, network ACLs, security groups and addresses of EC2. Not looked at, so that a real
//! network can be more closed than the answer: firewalls of the instances themselves, AWS Network Firewall, and VPC
//! Block Public Access.

mod acl;
mod addresses;
mod analysis;
mod groups;
mod network;
mod place;
mod routes;
mod rules;
pub mod topology;

pub use analysis::{Analysis, FORWARDING_CALL, Undetermined, reachable};
pub use topology::{
    InternetGateway, InternetGatewayAttachment, IpPermission, MissingAnswer, NetworkAcl, NetworkAclEntry,
    NetworkInterface, PortRange, PrefixList, PrivateIpAddress, Route, RouteTable, RouteTableAssociation, SecurityGroup,
    Subnet, Topology, Vpc,
};
