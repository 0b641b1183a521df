//! Network interfaces and elastic addresses (EC2 `DescribeNetworkInterfaces`, `DescribeAddresses`).

aws! { "PascalCase";
    /// EC2 `NetworkInterface`.
    pub struct NetworkInterface {
        /// `eni-…`.
        pub network_interface_id: String,
        /// `subnet-…`.
        pub subnet_id: String,
        /// `vpc-…`.
        pub vpc_id: String,
        /// For example `eu-central-1a`.
        pub availability_zone: Option<String>,
        /// Says what a service made it for: `ELB app/web/0123456789abcdef`, `RDSNetworkInterface`, …
        pub description: Option<String>,
        /// `interface`, `nat_gateway`, `lambda`, `network_load_balancer`, …
        pub interface_type: Option<String>,
        /// `in-use`, `available`, `attaching`, `detaching`, `associated` or `pending`.
        pub status: Option<String>,
        /// Twelve digits.
        pub owner_id: Option<String>,
        /// Who asked for it: an account or a service's name, for example `amazon-elb`.
        pub requester_id: Option<String>,
        /// Whether a service manages it.
        pub requester_managed: bool,
        /// Whether packets that are neither from nor for one of its addresses are dropped.
        pub source_dest_check: Option<bool>,
        /// Its primary address.
        pub private_ip_address: Option<String>,
        /// Public address of the primary address.
        pub association: Option<NetworkInterfaceAssociation>,
        /// Its IPv4 addresses.
        pub private_ip_addresses: Vec<PrivateIpAddress>,
        /// Its IPv6 addresses.
        pub ipv6_addresses: Vec<Ipv6Address>,
        /// IPv4 blocks delegated to it.
        pub ipv4_prefixes: Vec<Ipv4Prefix>,
        /// IPv6 blocks delegated to it.
        pub ipv6_prefixes: Vec<Ipv6Prefix>,
        /// Its security groups.
        pub groups: Vec<GroupIdentifier>,
        /// What it is attached to.
        pub attachment: Option<NetworkInterfaceAttachment>,
    }

    /// EC2 `NetworkInterfaceAssociation`.
    pub struct NetworkInterfaceAssociation {
        /// The public or elastic address that the internet gateway translates.
        pub public_ip: Option<String>,
        /// The owner of that address: an account, `amazon` or a service.
        pub ip_owner_id: Option<String>,
        /// `eipalloc-…`.
        pub allocation_id: Option<String>,
    }

    /// EC2 `NetworkInterfacePrivateIpAddress`.
    pub struct PrivateIpAddress {
        /// The address in the subnet.
        pub private_ip_address: String,
        /// Whether it is the first one.
        pub primary: bool,
        /// Its public address.
        pub association: Option<NetworkInterfaceAssociation>,
    }

    /// EC2 `NetworkInterfaceIpv6Address`.
    pub struct Ipv6Address {
        /// The address.
        pub ipv6_address: String,
    }

    /// EC2 `Ipv4PrefixSpecification`.
    pub struct Ipv4Prefix {
        /// A /28.
        pub ipv4_prefix: String,
    }

    /// EC2 `Ipv6PrefixSpecification`.
    pub struct Ipv6Prefix {
        /// A /80.
        pub ipv6_prefix: String,
    }

    /// EC2 `GroupIdentifier`.
    pub struct GroupIdentifier {
        /// `sg-…`.
        pub group_id: String,
    }

    /// EC2 `NetworkInterfaceAttachment`.
    pub struct NetworkInterfaceAttachment {
        /// `eni-attach-…`, or the service's own.
        pub attachment_id: Option<String>,
        /// 0 for the first interface of an instance.
        pub device_index: Option<i32>,
        /// `i-…`, when attached to an instance.
        pub instance_id: Option<String>,
        /// The account of the instance, or a service's name.
        pub instance_owner_id: Option<String>,
        /// `attached`, `attaching`, `detaching` or `detached`.
        pub status: Option<String>,
    }

    /// EC2 `Address`: an elastic address.
    pub struct Address {
        /// The address.
        pub public_ip: Option<String>,
        /// `eipalloc-…`.
        pub allocation_id: Option<String>,
        /// `eipassoc-…`.
        pub association_id: Option<String>,
        /// `eni-…`.
        pub network_interface_id: Option<String>,
        /// The private address that it is for.
        pub private_ip_address: Option<String>,
        /// `i-…`.
        pub instance_id: Option<String>,
    }
}

impl NetworkInterfaceAssociation {
    fn public(association: Option<&Self>) -> Option<&str> {
        association.and_then(|association| association.public_ip.as_deref()).filter(|address| !address.is_empty())
    }
}

impl NetworkInterface {
    /// Its private IPv4 addresses with the public one of each, the primary one first. The association at the interface is
    /// that of its primary address, which may tell of it or not.
    pub fn ipv4_addresses(&self) -> Vec<(&str, Option<&str>)> {
        let own = NetworkInterfaceAssociation::public(self.association.as_ref());
        let primary = self.private_ip_address.as_deref().filter(|address| !address.is_empty());
        let mut addresses: Vec<(&str, Option<&str>)> = self
            .private_ip_addresses
            .iter()
            .map(|address| {
                let private = address.private_ip_address.as_str();
                let inherited = own.filter(|_| Some(private) == primary || (primary.is_none() && address.primary));
                (private, NetworkInterfaceAssociation::public(address.association.as_ref()).or(inherited))
            })
            .collect();
        if let Some(primary) = primary
            && !addresses.iter().any(|(private, _)| *private == primary)
        {
            addresses.push((primary, own));
        }
        let is_primary = |private: &str| {
            let told = self.private_ip_addresses.iter().find(|address| address.private_ip_address == private);
            Some(private) == primary || (primary.is_none() && told.is_some_and(|address| address.primary))
        };
        addresses.sort_by_key(|(private, _)| !is_primary(private));
        addresses
    }

    /// `i-…`, when it is attached to an instance.
    pub fn instance_id(&self) -> Option<&str> {
        self.attachment.as_ref().and_then(|attached| attached.instance_id.as_deref()).filter(|id| !id.is_empty())
    }

    /// Its type; absent means a plain one.
    pub fn kind(&self) -> &str {
        self.interface_type.as_deref().unwrap_or("interface")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_association_at_the_interface_is_that_of_its_primary_address() {
        let check = |json: &str, expected: &[(&str, Option<&str>)]| {
            let interface: NetworkInterface = serde_json::from_str(json).unwrap();
            assert_eq!(interface.ipv4_addresses(), expected, "{json}");
        };
        let public = r#""PrivateIpAddress": "10.0.0.4", "Association": {"PublicIp": "54.1.2.3"}"#;
        check(&format!("{{{public}}}"), &[("10.0.0.4", Some("54.1.2.3"))]);
        let silent = format!(r#"{{{public}, "PrivateIpAddresses": [{{"PrivateIpAddress": "10.0.0.4"}}]}}"#);
        check(&silent, &[("10.0.0.4", Some("54.1.2.3"))]);
        let second =
            format!(r#"{{{public}, "PrivateIpAddresses": [{{{public}}}, {{"PrivateIpAddress": "10.0.0.5"}}]}}"#);
        check(&second, &[("10.0.0.4", Some("54.1.2.3")), ("10.0.0.5", None)]);
    }
}
