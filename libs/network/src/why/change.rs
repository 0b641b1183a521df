//! One change of a topology: what would open a way, and what a what-if question tries out.

use super::Protocol;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A change that a person could make with one call of AWS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// `AuthorizeSecurityGroupIngress` or `…Egress`.
    AddGroupRule(GroupRule),
    /// `RevokeSecurityGroupIngress` or `…Egress`: the peer is taken out of every rule with exactly these ports.
    RemoveGroupRule(GroupRule),
    /// `CreateNetworkAclEntry`.
    AddAclEntry(AclEntry),
    /// `DeleteNetworkAclEntry`.
    RemoveAclEntry {
        /// `acl-…`.
        acl: String,
        /// Whether the rule is for what leaves the subnet.
        egress: bool,
        /// The rule's number.
        number: i32,
    },
    /// `CreateRoute`, or `ReplaceRoute` when the table has one for that destination.
    SetRoute {
        /// `rtb-…`.
        table: String,
        /// CIDR, or `pl-…`.
        destination: String,
        /// As EC2 names it: `igw-…`, `pcx-…`, `tgw-…`, `vgw-…`, `nat-…`, `vpce-…`, `eni-…`.
        target: String,
    },
    /// `DeleteRoute`.
    RemoveRoute {
        /// `rtb-…`.
        table: String,
        /// CIDR, or `pl-…`.
        destination: String,
    },
    /// `AssociateAddress`.
    AssociateAddress {
        /// `eni-…`.
        interface: String,
        /// The interface's address that it translates to.
        private_address: IpAddr,
        /// The elastic address; absent: a new one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        public_address: Option<IpAddr>,
    },
    /// `DisassociateAddress`.
    DisassociateAddress {
        /// The elastic address.
        public_address: IpAddr,
    },
    /// `AttachInternetGateway`, of a new one when the id is `NEW_GATEWAY`.
    AttachInternetGateway {
        /// `igw-…`.
        gateway: String,
        /// `vpc-…`.
        vpc: String,
    },
    /// `AcceptVpcPeeringConnection`.
    AcceptPeering {
        /// `pcx-…`.
        peering: String,
    },
    /// `CreateTransitGatewayRoute`, or `ReplaceTransitGatewayRoute` when the table has one for that destination.
    SetTransitRoute {
        /// `tgw-rtb-…`.
        table: String,
        /// CIDR.
        destination: String,
        /// `tgw-attach-…`.
        attachment: String,
    },
    /// `DeleteTransitGatewayRoute`.
    RemoveTransitRoute {
        /// `tgw-rtb-…`.
        table: String,
        /// CIDR.
        destination: String,
    },
    /// `AssociateTransitGatewayRouteTable`.
    AssociateTransitTable {
        /// `tgw-rtb-…`.
        table: String,
        /// `tgw-attach-…`.
        attachment: String,
    },
    /// `ModifyTransitGatewayVpcAttachment`: one subnet more.
    AddTransitSubnet {
        /// `tgw-attach-…`.
        attachment: String,
        /// `subnet-…`.
        subnet: String,
    },
    /// A stateless rule that passes one connection and its replies before every other rule of a firewall policy.
    PassFirewall {
        /// The policy's ARN.
        policy: String,
        /// Who opens the connection: CIDR.
        source: String,
        /// To whom: CIDR.
        destination: String,
        /// How.
        protocol: Protocol,
        /// The destination's port.
        port: u16,
    },
}

/// The id of an internet gateway that does not exist yet.
pub const NEW_GATEWAY: &str = "igw-new";

/// A rule of a security group for one peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupRule {
    /// `sg-…`.
    pub group: String,
    /// Whether the rule is for what leaves.
    pub egress: bool,
    /// `tcp`, `udp` or `-1`.
    pub protocol: String,
    /// First port.
    pub port_begin: u16,
    /// Last port, inclusive.
    pub port_end: u16,
    /// CIDR, `sg-…` or `pl-…`.
    pub peer: String,
}

/// A rule of a network ACL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AclEntry {
    /// `acl-…`.
    pub acl: String,
    /// Whether the rule is for what leaves the subnet.
    pub egress: bool,
    /// Its number: lower ones are tried first.
    pub number: i32,
    /// Whether it allows; else it denies.
    pub allow: bool,
    /// `tcp`, `udp` or `-1`.
    pub protocol: String,
    /// First port.
    pub port_begin: u16,
    /// Last port, inclusive.
    pub port_end: u16,
    /// CIDR.
    pub peer: String,
}

impl Change {
    /// What to do, as an order without a stop.
    pub fn sentence(&self) -> String {
        match self {
            Self::AddGroupRule(rule) => format!("add to {} {}", rule.group, rule.words()),
            Self::RemoveGroupRule(rule) => format!("remove from {} {}", rule.group, rule.words()),
            Self::AddAclEntry(entry) => format!("add to {} {}", entry.acl, entry.words()),
            Self::RemoveAclEntry { acl, egress, number } => {
                format!("remove the {} rule {number} of {acl}", direction(*egress))
            }
            Self::SetRoute { table, destination, target } => format!("route {destination} in {table} to {target}"),
            Self::RemoveRoute { table, destination } => format!("remove the route for {destination} from {table}"),
            Self::AssociateAddress { interface, private_address, public_address } => {
                let address = public_address.map_or_else(|| "a public address".into(), |address| address.to_string());
                format!("associate {address} with {private_address} of {interface}")
            }
            Self::DisassociateAddress { public_address } => format!("disassociate {public_address}"),
            Self::AttachInternetGateway { gateway, vpc } if gateway == NEW_GATEWAY => {
                format!("attach an internet gateway to {vpc}")
            }
            Self::AttachInternetGateway { gateway, vpc } => format!("attach {gateway} to {vpc}"),
            Self::AcceptPeering { peering } => format!("bring {peering} into the state active"),
            Self::SetTransitRoute { table, destination, attachment } => {
                format!("route {destination} in {table} to {attachment}")
            }
            Self::RemoveTransitRoute { table, destination } => {
                format!("remove the route for {destination} from {table}")
            }
            Self::AssociateTransitTable { table, attachment } => format!("associate {table} with {attachment}"),
            Self::AddTransitSubnet { attachment, subnet } => format!("add {subnet} to {attachment}"),
            Self::PassFirewall { policy, source, destination, protocol, port } => format!(
                "add to {policy}, before its other rules, a stateless rule that passes {protocol}/{port} from {source} to \
                 {destination} and its replies"
            ),
        }
    }
}

fn direction(egress: bool) -> &'static str {
    if egress { "outbound" } else { "inbound" }
}

fn ports(begin: u16, end: u16) -> String {
    match (begin, end) {
        (0, u16::MAX) => "all".into(),
        (begin, end) if begin == end => begin.to_string(),
        (begin, end) => format!("{begin}-{end}"),
    }
}

impl GroupRule {
    fn words(&self) -> String {
        let (side, preposition) = (direction(self.egress), if self.egress { "to" } else { "from" });
        let ports = ports(self.port_begin, self.port_end);
        format!("the {side} rule {} {ports} {preposition} {}", self.protocol, self.peer)
    }
}

impl AclEntry {
    fn words(&self) -> String {
        let (side, preposition) = (direction(self.egress), if self.egress { "to" } else { "from" });
        let action = if self.allow { "allow" } else { "deny" };
        let ports = ports(self.port_begin, self.port_end);
        format!("the {side} rule {} {action} {} {ports} {preposition} {}", self.number, self.protocol, self.peer)
    }
}
