//! What AWS answered, read a second time: the oracle shares no reader with the analysis.
//!
//! Shapes are those that the AWS CLI prints (EC2 API 2016-11-15, ELBv2 2015-12-01, ELB 2012-06-01). What a test writes
//! is well formed, so whatever cannot be read here is a mistake of the test and panics.

use ipnet::IpNet;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// The answers of one account and region: name of the file without its ending, and its content.
pub type Answers = BTreeMap<String, Value>;

/// Several accounts and regions, as one world: ids are unique in AWS.
#[derive(Debug, Default)]
pub struct World {
    pub vpcs: Vec<Vpc>,
    pub subnets: Vec<Subnet>,
    /// Gateway, attached VPC.
    pub internet_gateways: Vec<(String, Option<String>)>,
    pub tables: Vec<Table>,
    pub acls: Vec<Acl>,
    pub groups: Vec<Group>,
    pub interfaces: Vec<Interface>,
    pub dead_instances: BTreeSet<String>,
    pub lists: BTreeMap<String, Vec<IpNet>>,
    pub peerings: Vec<Peering>,
    /// Transit gateway, whether it carries group references.
    pub transits: BTreeMap<String, bool>,
    pub attachments: Vec<Attachment>,
    pub transit_tables: BTreeMap<String, Vec<TransitRoute>>,
    /// Virtual gateway, attached VPC.
    pub virtual_gateways: Vec<(String, Option<String>)>,
    pub vpns: Vec<Vpn>,
    /// Virtual private gateways on which a Direct Connect line ends.
    pub direct_connects: BTreeSet<String>,
    pub endpoints: BTreeMap<String, String>,
    /// Endpoint, subnet, policy.
    pub firewalls: Vec<(String, String, String)>,
    pub policies: BTreeMap<String, Policy>,
    pub stateless: BTreeMap<String, Vec<StatelessRule>>,
    /// `None`: rules in a language that is not decided.
    pub stateful: BTreeMap<String, Option<Vec<StatefulRule>>>,
    pub balancers: Vec<Balancer>,
    pub target_groups: Vec<TargetGroup>,
    /// Calls that some region did not answer, as IAM writes them.
    pub missing: BTreeSet<String>,
}

#[derive(Debug)]
pub struct Vpc {
    pub id: String,
    pub blocks: Vec<IpNet>,
}

#[derive(Debug)]
pub struct Subnet {
    pub id: String,
    pub vpc: String,
    pub zone: String,
    pub blocks: Vec<IpNet>,
}

#[derive(Debug)]
pub struct Table {
    pub vpc: String,
    pub main: bool,
    pub subnets: Vec<String>,
    pub gateways: Vec<String>,
    pub routes: Vec<Route>,
}

#[derive(Debug)]
pub struct Route {
    pub block: Option<IpNet>,
    pub list: Option<String>,
    /// `None`: a black hole.
    pub target: Option<String>,
    pub propagated: bool,
}

#[derive(Debug)]
pub struct Acl {
    pub vpc: String,
    pub default: bool,
    pub subnets: Vec<String>,
    pub rules: Vec<AclRule>,
}

#[derive(Debug)]
pub struct AclRule {
    pub egress: bool,
    pub number: i64,
    pub allow: bool,
    pub protocol: String,
    pub ports: Option<(i64, i64)>,
    pub block: IpNet,
}

#[derive(Debug)]
pub struct Group {
    pub id: String,
    pub permissions: Vec<Permission>,
}

#[derive(Debug)]
pub struct Permission {
    pub protocol: String,
    pub ports: Option<(i64, i64)>,
    pub blocks: Vec<IpNet>,
    pub lists: Vec<String>,
    pub groups: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Interface {
    pub id: String,
    pub vpc: String,
    pub subnet: String,
    pub kind: String,
    pub groups: Vec<String>,
    pub instance: Option<String>,
    pub primary: bool,
    /// Address, and whether a public one is translated to it.
    pub ipv4: Vec<(IpAddr, bool)>,
    /// Addresses and delegated prefixes.
    pub ipv6: Vec<IpNet>,
    pub description: String,
}

#[derive(Debug)]
pub struct Peering {
    pub id: String,
    pub active: bool,
    pub sides: [Side; 2],
}

#[derive(Debug)]
pub struct Side {
    pub vpc: String,
    pub region: String,
    pub blocks: Vec<IpNet>,
}

#[derive(Debug)]
pub struct Attachment {
    pub id: String,
    pub transit: String,
    pub kind: String,
    pub resource: String,
    pub available: bool,
    pub table: Option<String>,
    pub subnets: Vec<String>,
    pub referencing: bool,
}

#[derive(Debug)]
pub struct TransitRoute {
    pub block: IpNet,
    /// `None`: a black hole.
    pub attachment: Option<String>,
    pub propagated: bool,
}

#[derive(Debug)]
pub struct Vpn {
    pub gateway: Option<String>,
    pub available: bool,
    /// `Some`: only these lie behind it. `None`: it learns by BGP.
    pub routes: Option<Vec<IpNet>>,
}

#[derive(Debug)]
pub struct Policy {
    pub default: Vec<String>,
    pub stateless: Vec<(i64, String)>,
    pub stateful: Vec<(i64, String)>,
    pub strict: bool,
    pub stateful_default: Vec<String>,
}

#[derive(Debug)]
pub struct StatelessRule {
    pub priority: i64,
    pub protocols: Vec<i64>,
    pub sources: Vec<IpNet>,
    pub destinations: Vec<IpNet>,
    pub source_ports: Vec<(i64, i64)>,
    pub destination_ports: Vec<(i64, i64)>,
    pub actions: Vec<String>,
}

#[derive(Debug)]
pub struct StatefulRule {
    pub action: String,
    pub protocol: String,
    pub source: String,
    pub source_port: String,
    pub destination: String,
    pub destination_port: String,
    pub both_ways: bool,
}

#[derive(Debug)]
pub struct Balancer {
    /// How its nodes' interfaces are described.
    pub description: String,
    pub kind: String,
    pub groups: Vec<String>,
    pub listeners: Vec<Listener>,
}

#[derive(Debug)]
pub struct Listener {
    pub protocol: String,
    pub port: u16,
    /// Target groups' ARNs.
    pub forwards: BTreeSet<String>,
    /// Classic: the instances' port, and the instances.
    pub classic: Option<(u16, Vec<String>)>,
}

#[derive(Debug)]
pub struct TargetGroup {
    pub arn: String,
    pub vpc: String,
    pub kind: String,
    pub protocol: String,
    /// `None`: its health was not told.
    pub targets: Option<Vec<(String, u16)>>,
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn is_true(value: &Value, key: &str) -> bool {
    value[key].as_bool() == Some(true)
}

fn number(value: &Value, key: &str) -> Option<i64> {
    value[key].as_i64()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key).iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn texts_of(value: &Value, key: &str, inner: &str) -> Vec<String> {
    list(value, key).iter().map(|item| text(item, inner)).collect()
}

/// A block, or an address as a block of one.
fn block(raw: &str) -> IpNet {
    raw.parse().or_else(|_| raw.parse::<IpAddr>().map(IpNet::from)).unwrap_or_else(|_| panic!("`{raw}` is no block"))
}

fn blocks_of(value: &Value, key: &str, inner: &str) -> Vec<IpNet> {
    list(value, key).iter().map(|item| block(item[inner].as_str().unwrap())).collect()
}

fn port_ranges(value: &Value, key: &str) -> Vec<(i64, i64)> {
    list(value, key)
        .iter()
        .map(|range| (number(range, "FromPort").unwrap(), number(range, "ToPort").unwrap()))
        .collect()
}

/// The files whose name is this call, or this call and an id.
fn answers<'a>(answers: &'a Answers, call: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    answers.iter().filter_map(move |(name, value)| match name.strip_prefix(call) {
        Some("") => Some(("", value)),
        Some(rest) => Some((rest.strip_prefix('-')?, value)),
        None => None,
    })
}

/// The items of all files of a call.
fn items<'a>(all: &'a Answers, call: &'a str, key: &'a str) -> impl Iterator<Item = &'a Value> {
    answers(all, call).flat_map(move |(_, value)| list(value, key))
}

impl World {
    pub fn read<'a>(regions: impl IntoIterator<Item = &'a Answers>) -> Self {
        let mut world = Self::default();
        for answers in regions {
            world.read_vpcs(answers);
            world.read_routes(answers);
            world.read_filters(answers);
            world.read_interfaces(answers);
            world.read_links(answers);
            world.read_premises(answers);
            world.read_firewalls(answers);
            world.read_balancers(answers);
            world.read_missing(answers);
        }
        world
    }

    /// A file that is not there although something refers to it: the call was not answered.
    fn read_missing(&mut self, all: &Answers) {
        let routes = || self.tables.iter().flat_map(|table| &table.routes).filter_map(|route| route.target.as_deref());
        let leads_to = |prefix: &str| routes().any(|target| target.starts_with(prefix));
        let has_balancers = !self.balancers.is_empty();
        let needed = [
            ("ec2:DescribeVpcs", "describe-vpcs", true),
            ("ec2:DescribeSubnets", "describe-subnets", true),
            ("ec2:DescribeRouteTables", "describe-route-tables", true),
            ("ec2:DescribeNetworkAcls", "describe-network-acls", true),
            ("ec2:DescribeSecurityGroups", "describe-security-groups", true),
            ("ec2:DescribeNetworkInterfaces", "describe-network-interfaces", true),
            ("ec2:DescribeInternetGateways", "describe-internet-gateways", true),
            ("ec2:DescribeVpcPeeringConnections", "describe-vpc-peering-connections", leads_to("pcx-")),
            ("ec2:DescribeTransitGatewayAttachments", "describe-transit-gateway-attachments", leads_to("tgw-")),
            ("ec2:DescribeTransitGatewayVpcAttachments", "describe-transit-gateway-vpc-attachments", leads_to("tgw-")),
            ("ec2:DescribeVpnGateways", "describe-vpn-gateways", leads_to("vgw-")),
            ("ec2:DescribeVpnConnections", "describe-vpn-connections", leads_to("vgw-")),
            ("directconnect:DescribeVirtualInterfaces", "describe-virtual-interfaces", leads_to("vgw-")),
            ("elasticloadbalancing:DescribeListeners", "describe-listeners", has_balancers),
            ("elasticloadbalancing:DescribeTargetGroups", "describe-target-groups", has_balancers),
        ];
        let absent =
            needed.into_iter().filter(|(_, file, is_needed)| *is_needed && answers(all, file).next().is_none());
        self.missing.extend(absent.map(|(call, ..)| call.to_owned()));
    }

    fn read_vpcs(&mut self, all: &Answers) {
        for vpc in items(all, "describe-vpcs", "Vpcs") {
            let mut blocks = blocks_of(vpc, "CidrBlockAssociationSet", "CidrBlock");
            blocks.extend(blocks_of(vpc, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock"));
            self.vpcs.push(Vpc { id: text(vpc, "VpcId"), blocks });
        }
        for subnet in items(all, "describe-subnets", "Subnets") {
            let mut blocks: Vec<IpNet> = subnet["CidrBlock"].as_str().map(block).into_iter().collect();
            blocks.extend(blocks_of(subnet, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock"));
            self.subnets.push(Subnet {
                id: text(subnet, "SubnetId"),
                vpc: text(subnet, "VpcId"),
                zone: text(subnet, "AvailabilityZone"),
                blocks,
            });
        }
        for gateway in items(all, "describe-internet-gateways", "InternetGateways") {
            let attached =
                |attachment: &&Value| ["available", "attached"].contains(&text(attachment, "State").as_str());
            let vpc = list(gateway, "Attachments").iter().find(attached).map(|attachment| text(attachment, "VpcId"));
            self.internet_gateways.push((text(gateway, "InternetGatewayId"), vpc));
        }
    }

    fn read_routes(&mut self, all: &Answers) {
        const TARGETS: [&str; 8] = [
            "GatewayId",
            "NatGatewayId",
            "TransitGatewayId",
            "VpcPeeringConnectionId",
            "EgressOnlyInternetGatewayId",
            "NetworkInterfaceId",
            "InstanceId",
            "LocalGatewayId",
        ];
        for table in items(all, "describe-route-tables", "RouteTables") {
            let routes = list(table, "Routes").iter().map(|route| Route {
                block: ["DestinationCidrBlock", "DestinationIpv6CidrBlock"]
                    .iter()
                    .find_map(|key| route[key].as_str().map(block)),
                list: route["DestinationPrefixListId"].as_str().map(str::to_owned),
                target: TARGETS
                    .iter()
                    .find_map(|key| route[key].as_str())
                    .filter(|_| text(route, "State") == "active")
                    .map(str::to_owned),
                propagated: text(route, "Origin") == "EnableVgwRoutePropagation",
            });
            let associations = list(table, "Associations");
            let of = |key: &str| associations.iter().filter_map(|item| item[key].as_str().map(str::to_owned)).collect();
            self.tables.push(Table {
                vpc: text(table, "VpcId"),
                main: associations.iter().any(|item| is_true(item, "Main")),
                subnets: of("SubnetId"),
                gateways: of("GatewayId"),
                routes: routes.collect(),
            });
        }
        for (id, answer) in answers(all, "get-managed-prefix-list-entries") {
            self.lists.insert(id.to_owned(), blocks_of(answer, "Entries", "Cidr"));
        }
    }

    fn read_filters(&mut self, all: &Answers) {
        for acl in items(all, "describe-network-acls", "NetworkAcls") {
            let rules = list(acl, "Entries").iter().map(|rule| AclRule {
                egress: is_true(rule, "Egress"),
                number: number(rule, "RuleNumber").unwrap(),
                allow: text(rule, "RuleAction") == "allow",
                protocol: text(rule, "Protocol"),
                ports: number(&rule["PortRange"], "From").zip(number(&rule["PortRange"], "To")),
                block: ["CidrBlock", "Ipv6CidrBlock"].iter().find_map(|key| rule[key].as_str().map(block)).unwrap(),
            });
            self.acls.push(Acl {
                vpc: text(acl, "VpcId"),
                default: is_true(acl, "IsDefault"),
                subnets: texts_of(acl, "Associations", "SubnetId"),
                rules: rules.collect(),
            });
        }
        for group in items(all, "describe-security-groups", "SecurityGroups") {
            let permissions = list(group, "IpPermissions").iter().map(|permission| {
                let mut blocks = blocks_of(permission, "IpRanges", "CidrIp");
                blocks.extend(blocks_of(permission, "Ipv6Ranges", "CidrIpv6"));
                Permission {
                    protocol: text(permission, "IpProtocol"),
                    ports: number(permission, "FromPort")
                        .zip(number(permission, "ToPort"))
                        .filter(|ports| *ports != (-1, -1)),
                    blocks,
                    lists: texts_of(permission, "PrefixListIds", "PrefixListId"),
                    groups: texts_of(permission, "UserIdGroupPairs", "GroupId"),
                }
            });
            self.groups.push(Group { id: text(group, "GroupId"), permissions: permissions.collect() });
        }
    }

    fn read_interfaces(&mut self, all: &Answers) {
        for interface in items(all, "describe-network-interfaces", "NetworkInterfaces") {
            let ipv4 = list(interface, "PrivateIpAddresses").iter().map(|address| {
                (text(address, "PrivateIpAddress").parse().unwrap(), address["Association"]["PublicIp"].is_string())
            });
            let mut ipv6 = blocks_of(interface, "Ipv6Addresses", "Ipv6Address");
            ipv6.extend(blocks_of(interface, "Ipv6Prefixes", "Ipv6Prefix"));
            let attachment = &interface["Attachment"];
            self.interfaces.push(Interface {
                id: text(interface, "NetworkInterfaceId"),
                vpc: text(interface, "VpcId"),
                subnet: text(interface, "SubnetId"),
                kind: text(interface, "InterfaceType"),
                groups: texts_of(interface, "Groups", "GroupId"),
                instance: attachment["InstanceId"].as_str().map(str::to_owned),
                primary: number(attachment, "DeviceIndex") == Some(0),
                ipv4: ipv4.collect(),
                ipv6,
                description: text(interface, "Description"),
            });
        }
        for reservation in items(all, "describe-instances", "Reservations") {
            let dead = list(reservation, "Instances").iter().filter(|i| text(&i["State"], "Name") == "terminated");
            self.dead_instances.extend(dead.map(|instance| text(instance, "InstanceId")));
        }
    }

    fn read_links(&mut self, all: &Answers) {
        for peering in items(all, "describe-vpc-peering-connections", "VpcPeeringConnections") {
            let side = |key: &str| {
                let info = &peering[key];
                let mut blocks = blocks_of(info, "CidrBlockSet", "CidrBlock");
                blocks.extend(blocks_of(info, "Ipv6CidrBlockSet", "Ipv6CidrBlock"));
                Side { vpc: text(info, "VpcId"), region: text(info, "Region"), blocks }
            };
            let id = text(peering, "VpcPeeringConnectionId");
            if self.peerings.iter().all(|known| known.id != id) {
                let active = text(&peering["Status"], "Code") == "active";
                self.peerings.push(Peering { id, active, sides: [side("RequesterVpcInfo"), side("AccepterVpcInfo")] });
            }
        }
        for transit in items(all, "describe-transit-gateways", "TransitGateways") {
            let referencing = text(&transit["Options"], "SecurityGroupReferencingSupport") == "enable";
            self.transits.insert(text(transit, "TransitGatewayId"), referencing);
        }
        let details: BTreeMap<String, &Value> =
            items(all, "describe-transit-gateway-vpc-attachments", "TransitGatewayVpcAttachments")
                .map(|attachment| (text(attachment, "TransitGatewayAttachmentId"), attachment))
                .collect();
        for attachment in items(all, "describe-transit-gateway-attachments", "TransitGatewayAttachments") {
            let id = text(attachment, "TransitGatewayAttachmentId");
            if self.attachments.iter().any(|known| known.id == id) {
                continue;
            }
            let detail = details.get(&id);
            self.attachments.push(Attachment {
                transit: text(attachment, "TransitGatewayId"),
                kind: text(attachment, "ResourceType"),
                resource: text(attachment, "ResourceId"),
                available: text(attachment, "State") == "available",
                table: attachment["Association"]["TransitGatewayRouteTableId"].as_str().map(str::to_owned),
                subnets: detail.map(|detail| texts(detail, "SubnetIds")).unwrap_or_default(),
                referencing: detail.is_some_and(|d| text(&d["Options"], "SecurityGroupReferencingSupport") == "enable"),
                id,
            });
        }
        for (id, answer) in answers(all, "search-transit-gateway-routes") {
            let routes = list(answer, "Routes").iter().map(|route| TransitRoute {
                block: block(route["DestinationCidrBlock"].as_str().unwrap()),
                attachment: list(route, "TransitGatewayAttachments")
                    .first()
                    .filter(|_| text(route, "State") == "active")
                    .map(|attachment| text(attachment, "TransitGatewayAttachmentId")),
                propagated: text(route, "Type") == "propagated",
            });
            self.transit_tables.insert(id.to_owned(), routes.collect());
        }
    }

    fn read_premises(&mut self, all: &Answers) {
        for gateway in items(all, "describe-vpn-gateways", "VpnGateways") {
            let attached = |attachment: &&Value| text(attachment, "State") == "attached";
            let vpc = list(gateway, "VpcAttachments").iter().find(attached).map(|attachment| text(attachment, "VpcId"));
            self.virtual_gateways.push((text(gateway, "VpnGatewayId"), vpc));
        }
        for vpn in items(all, "describe-vpn-connections", "VpnConnections") {
            let is_static = is_true(&vpn["Options"], "StaticRoutesOnly");
            self.vpns.push(Vpn {
                gateway: vpn["VpnGatewayId"].as_str().map(str::to_owned),
                available: text(vpn, "State") == "available",
                routes: is_static.then(|| blocks_of(vpn, "Routes", "DestinationCidrBlock")),
            });
        }
        for line in items(all, "describe-virtual-interfaces", "virtualInterfaces") {
            if text(line, "virtualInterfaceState") != "available" {
                continue;
            }
            self.direct_connects.extend(line["virtualGatewayId"].as_str().map(str::to_owned));
            let associations =
                items(all, "describe-direct-connect-gateway-associations", "directConnectGatewayAssociations");
            let through = associations.filter(|association| {
                line["directConnectGatewayId"].is_string()
                    && association["directConnectGatewayId"] == line["directConnectGatewayId"]
                    && text(association, "associationState") == "associated"
            });
            self.direct_connects.extend(through.map(|association| text(&association["associatedGateway"], "id")));
        }
    }

    fn read_firewalls(&mut self, all: &Answers) {
        for endpoint in items(all, "describe-vpc-endpoints", "VpcEndpoints") {
            self.endpoints.insert(text(endpoint, "VpcEndpointId"), text(endpoint, "VpcEndpointType"));
        }
        for (id, answer) in answers(all, "describe-firewall") {
            if id.starts_with("policy") {
                self.read_policy(answer);
                continue;
            }
            let states = answer["FirewallStatus"]["SyncStates"].as_object().unwrap();
            for attachment in states.values().map(|state| &state["Attachment"]) {
                self.firewalls.push((
                    text(attachment, "EndpointId"),
                    text(attachment, "SubnetId"),
                    text(&answer["Firewall"], "FirewallPolicyArn"),
                ));
            }
        }
        for (_, answer) in answers(all, "describe-rule-group") {
            let arn = text(&answer["RuleGroupResponse"], "RuleGroupArn");
            let source = &answer["RuleGroup"]["RulesSource"];
            if source["StatelessRulesAndCustomActions"].is_object() {
                self.stateless.insert(arn, stateless_rules(&source["StatelessRulesAndCustomActions"]));
            } else {
                self.stateful.insert(arn, stateful_rules(source));
            }
        }
    }

    fn read_policy(&mut self, answer: &Value) {
        let policy = &answer["FirewallPolicy"];
        let groups = |key: &str| -> Vec<(i64, String)> {
            let references = list(policy, key).iter();
            references.map(|item| (number(item, "Priority").unwrap_or(0), text(item, "ResourceArn"))).collect()
        };
        self.policies.insert(
            text(&answer["FirewallPolicyResponse"], "FirewallPolicyArn"),
            Policy {
                default: texts(policy, "StatelessDefaultActions"),
                stateless: groups("StatelessRuleGroupReferences"),
                stateful: groups("StatefulRuleGroupReferences"),
                strict: text(&policy["StatefulEngineOptions"], "RuleOrder") == "STRICT_ORDER",
                stateful_default: texts(policy, "StatefulDefaultActions"),
            },
        );
    }

    fn read_balancers(&mut self, all: &Answers) {
        for balancer in items(all, "describe-load-balancers", "LoadBalancers") {
            let id = text(balancer, "LoadBalancerArn");
            let listeners =
                items(all, "describe-listeners", "Listeners").filter(|one| text(one, "LoadBalancerArn") == id);
            self.balancers.push(Balancer {
                description: format!("ELB {}", id.split("loadbalancer/").nth(1).unwrap()),
                kind: text(balancer, "Type"),
                groups: texts(balancer, "SecurityGroups"),
                listeners: listeners.map(|listener| self::listener(all, listener)).collect(),
            });
        }
        for balancer in items(all, "describe-load-balancers", "LoadBalancerDescriptions") {
            let instances = texts_of(balancer, "Instances", "InstanceId");
            let listeners = list(balancer, "ListenerDescriptions").iter().map(|description| {
                let port = |key: &str| u16::try_from(number(&description["Listener"], key).unwrap()).unwrap();
                Listener {
                    protocol: text(&description["Listener"], "Protocol"),
                    port: port("LoadBalancerPort"),
                    forwards: BTreeSet::new(),
                    classic: Some((port("InstancePort"), instances.clone())),
                }
            });
            self.balancers.push(Balancer {
                description: format!("ELB {}", text(balancer, "LoadBalancerName")),
                kind: "classic".into(),
                groups: texts(balancer, "SecurityGroups"),
                listeners: listeners.collect(),
            });
        }
        for group in items(all, "describe-target-groups", "TargetGroups") {
            let name = text(group, "TargetGroupName");
            let targets = all.get(&format!("describe-target-health-{name}")).map(|answer| {
                let described = list(answer, "TargetHealthDescriptions").iter();
                let used = described.filter(|target| text(&target["TargetHealth"], "State") != "unused");
                let read = |target: &Value| {
                    let port = number(&target["Target"], "Port").unwrap_or(0);
                    (text(&target["Target"], "Id"), u16::try_from(port).unwrap())
                };
                used.map(read).collect()
            });
            self.target_groups.push(TargetGroup {
                arn: text(group, "TargetGroupArn"),
                vpc: text(group, "VpcId"),
                kind: text(group, "TargetType"),
                protocol: text(group, "Protocol"),
                targets,
            });
        }
    }
}

fn listener(all: &Answers, listener: &Value) -> Listener {
    let arn = text(listener, "ListenerArn").replace(":listener/", ":listener-rule/");
    let rules = items(all, "describe-rules", "Rules").filter(|rule| text(rule, "RuleArn").starts_with(&arn));
    let actions = rules.flat_map(|rule| list(rule, "Actions")).chain(list(listener, "DefaultActions"));
    let mut forwards = BTreeSet::new();
    for action in actions.filter(|action| text(action, "Type") == "forward") {
        forwards.extend(action["TargetGroupArn"].as_str().map(str::to_owned));
        forwards.extend(texts_of(&action["ForwardConfig"], "TargetGroups", "TargetGroupArn"));
    }
    let port = u16::try_from(number(listener, "Port").unwrap()).unwrap();
    Listener { protocol: text(listener, "Protocol"), port, forwards, classic: None }
}

fn stateless_rules(source: &Value) -> Vec<StatelessRule> {
    let read = |rule: &Value| {
        let definition = &rule["RuleDefinition"];
        let matches = &definition["MatchAttributes"];
        StatelessRule {
            priority: number(rule, "Priority").unwrap(),
            protocols: list(matches, "Protocols").iter().filter_map(Value::as_i64).collect(),
            sources: blocks_of(matches, "Sources", "AddressDefinition"),
            destinations: blocks_of(matches, "Destinations", "AddressDefinition"),
            source_ports: port_ranges(matches, "SourcePorts"),
            destination_ports: port_ranges(matches, "DestinationPorts"),
            actions: texts(definition, "Actions"),
        }
    };
    list(source, "StatelessRules").iter().map(read).collect()
}

fn stateful_rules(source: &Value) -> Option<Vec<StatefulRule>> {
    let read = |rule: &Value| {
        let header = &rule["Header"];
        StatefulRule {
            action: text(rule, "Action"),
            protocol: text(header, "Protocol"),
            source: text(header, "Source"),
            source_port: text(header, "SourcePort"),
            destination: text(header, "Destination"),
            destination_port: text(header, "DestinationPort"),
            both_ways: text(header, "Direction") == "ANY",
        }
    };
    source["StatefulRules"].as_array().map(|rules| rules.iter().map(read).collect())
}
