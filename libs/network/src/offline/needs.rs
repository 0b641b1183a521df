//! Which answers are missing: those whose file is not whole, and those that something refers to and that are not there.
//! A call that nothing refers to is not missed: without a route to a transit gateway nobody needs one.

use super::{Given, calls::CALLS};
use crate::topology::{MissingAnswer, Topology};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most words that stand for one ARN. An ARN of a load balancer has a dozen parts.
const ALIASES_MAX: usize = 24;

/// What may stand in a file's name for a thing with an ARN, which cannot: its name, the end of its ARN from any part on,
/// or the whole of it, with `-` for every other sign.
fn aliases(arn: &str, name: Option<&str>) -> impl Iterator<Item = String> {
    let arn = plain(arn);
    let ends: Vec<String> = arn.rmatch_indices('-').take(ALIASES_MAX).map(|(at, _)| arn[at + 1..].to_owned()).collect();
    name.map(plain).into_iter().chain(ends).chain([arn]).filter(|alias| !alias.is_empty())
}

fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect()
}

/// ARNs by what may stand for them.
struct Names<'a>(HashMap<String, Option<&'a str>>);

impl<'a> Names<'a> {
    fn new(things: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut names: HashMap<String, Option<&str>> = HashMap::new();
        for (arn, name) in things {
            for alias in aliases(arn, name) {
                let meant = names.entry(alias).or_insert(Some(arn));
                if *meant != Some(arn) {
                    *meant = None; // what may mean two things means none
                }
            }
        }
        Self(names)
    }

    fn arn(&self, about: &str) -> Option<&'a str> {
        self.0.get(&plain(about)).copied().flatten()
    }
}

fn target_groups(topology: &Topology) -> Names<'_> {
    Names::new(
        topology.target_groups.iter().map(|one| (one.target_group_arn.as_str(), one.target_group_name.as_deref())),
    )
}

/// Puts the ARN of a target group where its answers have the words of the file's name.
pub(super) fn name_targets(topology: &mut Topology) {
    let names = target_groups(topology);
    let arn = |about: &String| names.arn(about).map_or_else(|| about.clone(), str::to_owned);
    let health: Vec<String> = topology.target_health.iter().map(|one| arn(&one.target_group_arn)).collect();
    let attributes: Vec<String> =
        topology.target_group_attributes.iter().map(|one| arn(&one.target_group_arn)).collect();
    for (one, arn) in topology.target_health.iter_mut().zip(health) {
        one.target_group_arn = arn;
    }
    for (one, arn) in topology.target_group_attributes.iter_mut().zip(attributes) {
        one.target_group_arn = arn;
    }
}

/// The answers that are missing, each once.
pub(super) fn missing(topology: &Topology, given: &Given) -> Vec<MissingAnswer> {
    let mut needs = Needs { topology, given, missing: BTreeMap::new() };
    for (failed, about) in given.failed.iter().zip(known(topology, &given.failed)) {
        needs.add(&failed.call, about, failed.reason.clone());
    }
    needs.of_interfaces();
    needs.of_routes();
    needs.of_private_gateways();
    needs.of_transit();
    needs.of_firewalls();
    needs.of_balancers();
    needs.of_functions();
    let answer = |((call, about), reason)| MissingAnswer { call, about, reason };
    needs.missing.into_iter().map(answer).collect()
}

/// What broken answers were about, in the words of the topology. Where that cannot be told it may be about anything.
fn known(topology: &Topology, failed: &[MissingAnswer]) -> Vec<Option<String>> {
    let groups = target_groups(topology);
    let balancers = topology.load_balancers.iter();
    let balancers =
        Names::new(balancers.map(|one| (one.load_balancer_arn.as_str(), one.load_balancer_name.as_deref())));
    let policies = Names::new(policies(topology).map(|arn| (arn, None)));
    let rule_groups = Names::new(rule_groups(topology).map(|arn| (arn, None)));
    let about = |failed: &MissingAnswer| {
        let about = failed.about.as_deref()?;
        let names = match failed.call.as_str() {
            "elasticloadbalancing:DescribeTargetHealth" | "elasticloadbalancing:DescribeTargetGroupAttributes" => {
                &groups
            }
            "elasticloadbalancing:DescribeListeners" => &balancers,
            "network-firewall:DescribeFirewallPolicy" => &policies,
            "network-firewall:DescribeRuleGroup" => &rule_groups,
            // An id, or a function's name: files are named by them.
            call if call.starts_with("ec2:") || call.starts_with("lambda:") => return Some(about.to_owned()),
            _ => return None,
        };
        names.arn(about).map(str::to_owned)
    };
    failed.iter().map(about).collect()
}

/// The firewall policies that firewalls have.
fn policies(topology: &Topology) -> impl Iterator<Item = &str> {
    topology.firewalls.iter().filter_map(|firewall| firewall.firewall.firewall_policy_arn.as_deref())
}

/// The rule groups that firewall policies have.
fn rule_groups(topology: &Topology) -> impl Iterator<Item = &str> {
    topology.firewall_policies.iter().filter_map(|policy| policy.firewall_policy.as_ref()).flat_map(|policy| {
        let stateless = policy.stateless_rule_group_references.iter().map(|group| group.resource_arn.as_str());
        stateless.chain(policy.stateful_rule_group_references.iter().map(|group| group.resource_arn.as_str()))
    })
}

struct Needs<'a> {
    topology: &'a Topology,
    given: &'a Given,
    /// By call and what it is about: why.
    missing: BTreeMap<(String, Option<String>), String>,
}

impl Needs<'_> {
    /// The first reason stays: that a file is broken tells more than that the answer is not there.
    fn add(&mut self, call: &str, about: Option<String>, reason: String) {
        self.missing.entry((call.to_owned(), about)).or_insert(reason);
    }

    fn answered(&self, file: &str) -> bool {
        self.given.answered.contains_key(file)
    }

    /// Whether an answer was given about everything, or about this thing.
    fn answered_about(&self, file: &str, about: &str) -> bool {
        self.given.answered.get(file).is_some_and(|answered| answered.contains("") || answered.contains(about))
    }

    /// `file` is needed, and `because` says what for.
    fn need(&mut self, file: &str, because: &str) {
        if self.answered(file) {
            return;
        }
        let call = CALLS.iter().find(|call| call.file == file).expect("a file of the table is named");
        if !self.missing.contains_key(&(call.action.to_owned(), None)) {
            self.add(call.action, None, format!("{file}.json is not there, and {because}"));
        }
    }

    /// As `need`, about one thing.
    fn need_about(&mut self, file: &str, about: &str) {
        let call = CALLS.iter().find(|call| call.file == file).expect("a file of the table is named");
        if !self.missing.contains_key(&(call.action.to_owned(), None)) {
            self.add(call.action, Some(about.to_owned()), format!("no {file} file is about {about}"));
        }
    }

    /// What decides over every interface.
    fn of_interfaces(&mut self) {
        self.need("describe-network-interfaces", "whatever has an address stands in it");
        let Some(first) = self.topology.network_interfaces.first() else { return };
        let because = format!("{} depends on it", first.network_interface_id);
        for file in [
            "describe-vpcs",
            "describe-subnets",
            "describe-route-tables",
            "describe-network-acls",
            "describe-security-groups",
        ] {
            self.need(file, &because);
        }
    }

    /// What routes and rules name.
    fn of_routes(&mut self) {
        let topology = self.topology;
        let mut lists: BTreeSet<&str> = BTreeSet::new();
        for table in &topology.route_tables {
            let leads = |to: &str| format!("{} leads to {to}", table.route_table_id);
            for gateway in table.associations.iter().filter_map(|edge| edge.gateway_id.as_deref()) {
                self.need_gateway(gateway, &format!("{} is for {gateway}", table.route_table_id));
            }
            for gateway in table.propagating_vgws.iter().filter_map(|gateway| gateway.gateway_id.as_deref()) {
                self.need_gateway(gateway, &format!("{} takes routes from {gateway}", table.route_table_id));
            }
            for route in &table.routes {
                lists.extend(route.destination_prefix_list_id.as_deref());
                let Some(target) = route.target() else { continue };
                match target {
                    _ if target.starts_with("nat-") => self.need("describe-nat-gateways", &leads(target)),
                    _ if target.starts_with("eigw-") => {
                        self.need("describe-egress-only-internet-gateways", &leads(target));
                    }
                    _ if target.starts_with("pcx-") => self.need("describe-vpc-peering-connections", &leads(target)),
                    _ => self.need_gateway(target, &leads(target)),
                }
            }
        }
        for group in &topology.security_groups {
            for permission in group.ip_permissions.iter().chain(&group.ip_permissions_egress) {
                lists.extend(permission.prefix_list_ids.iter().map(|list| list.prefix_list_id.as_str()));
            }
        }
        for list in lists.into_iter().filter(|list| !list.is_empty()) {
            if !self.answered_about("get-managed-prefix-list-entries", list) {
                self.need_about("get-managed-prefix-list-entries", list);
            }
        }
    }

    fn need_gateway(&mut self, gateway: &str, because: &str) {
        let file = match gateway.split_once('-') {
            Some(("igw", _)) => "describe-internet-gateways",
            Some(("vgw", _)) => "describe-vpn-gateways",
            Some(("vpce", _)) => "describe-vpc-endpoints",
            Some(("tgw", _)) => "describe-transit-gateway-attachments",
            _ => return,
        };
        self.need(file, because);
    }

    /// Virtual private gateways that something leads to: what is behind them is a VPN, Direct Connect, or both.
    fn of_private_gateways(&mut self) {
        let topology = self.topology;
        let mut gateways: BTreeSet<&str> = BTreeSet::new();
        for table in &topology.route_tables {
            gateways.extend(table.propagating_vgws.iter().filter_map(|gateway| gateway.gateway_id.as_deref()));
            gateways.extend(table.routes.iter().filter_map(|route| route.target()).filter(|to| to.starts_with("vgw-")));
        }
        let connections = topology.vpn_connections.iter();
        let connected: BTreeSet<&str> =
            connections.filter_map(|connection| connection.vpn_gateway_id.as_deref()).collect();
        for gateway in gateways {
            let because = format!("{gateway} is what routes lead to");
            self.need("describe-vpn-connections", &because);
            if !connected.contains(gateway) {
                self.need("describe-virtual-interfaces", &because);
                self.need("describe-direct-connect-gateway-associations", &because);
            }
        }
    }

    /// Transit gateways that a route leads to, and all that is attached to them.
    fn of_transit(&mut self) {
        let topology = self.topology;
        let routes = topology.route_tables.iter().flat_map(|table| &table.routes);
        let Some(gateway) = routes.filter_map(|route| route.target()).find(|to| to.starts_with("tgw-")) else { return };
        let because = format!("a route leads to {gateway}");
        for file in [
            "describe-transit-gateways",
            "describe-transit-gateway-attachments",
            "describe-transit-gateway-vpc-attachments",
            "describe-transit-gateway-route-tables",
        ] {
            self.need(file, &because);
        }
        for attachment in &topology.transit_gateway_attachments {
            let because = format!("{} is of that kind", attachment.transit_gateway_attachment_id);
            match attachment.resource_type.as_str() {
                "vpn" => self.need("describe-vpn-connections", &because),
                "peering" => self.need("describe-transit-gateway-peering-attachments", &because),
                "connect" => self.need("describe-transit-gateway-connects", &because),
                "direct-connect-gateway" => self.need("describe-direct-connect-gateway-associations", &because),
                _ => {}
            }
        }
        for table in &topology.transit_gateway_route_tables {
            let table = table.transit_gateway_route_table_id.as_str();
            if !self.answered_about("search-transit-gateway-routes", table) {
                self.need_about("search-transit-gateway-routes", table);
            }
            // An attachment names the table that it is associated with, too.
            let associations = "get-transit-gateway-route-table-associations";
            if topology.transit_gateway_attachments.is_empty() && !self.answered_about(associations, table) {
                self.need_about(associations, table);
            }
        }
    }

    /// Firewalls that routes lead to, their policies and rules.
    fn of_firewalls(&mut self) {
        let topology = self.topology;
        let is_plain = |kind: &Option<String>| matches!(kind.as_deref(), Some("Gateway" | "Interface"));
        let endpoints = topology.vpc_endpoints.iter().filter(|endpoint| is_plain(&endpoint.vpc_endpoint_type));
        let plain: BTreeSet<&str> = endpoints.map(|endpoint| endpoint.vpc_endpoint_id.as_str()).collect();
        let targets = topology.route_tables.iter().flat_map(|table| &table.routes).filter_map(|route| route.target());
        if let Some(endpoint) = targets.filter(|to| to.starts_with("vpce-")).find(|to| !plain.contains(to)) {
            self.need("describe-firewall", &format!("a route leads to {endpoint}, which may be a firewall's"));
        }
        let described = topology.firewall_policies.iter();
        let described: BTreeSet<&str> =
            described.map(|one| one.firewall_policy_response.firewall_policy_arn.as_str()).collect();
        for policy in policies(topology).filter(|policy| !described.contains(policy)) {
            self.need_about("describe-firewall-policy", policy);
        }
        let described = topology.firewall_rule_groups.iter();
        let described: BTreeSet<&str> = described.map(|one| one.rule_group_response.rule_group_arn.as_str()).collect();
        for group in rule_groups(topology).filter(|group| !described.contains(group)) {
            self.need_about("describe-rule-group", group);
        }
    }

    /// Load balancers whose nodes are interfaces here, and whom they forward to.
    fn of_balancers(&mut self) {
        let topology = self.topology;
        for interface in &topology.network_interfaces {
            let Some(name) = interface.description.as_deref().and_then(|text| text.strip_prefix("ELB ")) else {
                continue;
            };
            let is_new = ["app/", "net/", "gwy/"].iter().any(|kind| name.starts_with(kind));
            let file = if is_new { "describe-load-balancers" } else { "describe-load-balancers-classic" };
            self.need(file, &format!("{} is a node of one", interface.network_interface_id));
        }
        let listened: BTreeSet<&str> = topology.listeners.iter().map(|one| one.load_balancer_arn.as_str()).collect();
        let asked = self.given.answered.get("describe-listeners");
        let asked: BTreeSet<String> = asked.into_iter().flatten().map(|about| plain(about)).collect();
        for balancer in &topology.load_balancers {
            let arn = balancer.load_balancer_arn.as_str();
            let is_answered = self.answered_about("describe-listeners", arn)
                || aliases(arn, balancer.load_balancer_name.as_deref()).any(|alias| asked.contains(&alias));
            if !listened.contains(arn) && !is_answered {
                self.need_about("describe-listeners", arn);
            }
        }
        let ruled: BTreeSet<String> = topology.listener_rules.iter().filter_map(|rule| rule.listener_arn()).collect();
        for listener in &topology.listeners {
            // Every listener of an application load balancer has a rule at least, its default.
            let has_rules = matches!(listener.protocol.as_deref(), Some("HTTP" | "HTTPS"));
            if has_rules && !ruled.contains(&listener.listener_arn) {
                self.need_about("describe-rules", &listener.listener_arn);
            }
        }
        self.of_target_groups();
    }

    fn of_target_groups(&mut self) {
        let topology = self.topology;
        let defaults = topology.listeners.iter().flat_map(|listener| &listener.default_actions);
        let actions = defaults.chain(topology.listener_rules.iter().flat_map(|rule| &rule.actions));
        let forwarded: BTreeSet<&str> = actions.flat_map(|action| action.forwards_to()).collect();
        let known: BTreeSet<&str> =
            topology.target_groups.iter().map(|group| group.target_group_arn.as_str()).collect();
        let targeted: BTreeSet<&str> = topology.target_health.iter().map(|one| one.target_group_arn.as_str()).collect();
        for group in forwarded {
            if !known.contains(group) {
                self.need("describe-target-groups", &format!("a listener forwards to {group}"));
            }
            if !targeted.contains(group) {
                self.need_about("describe-target-health", group);
            }
        }
    }

    /// Functions: whether one has an address, and whom its policy lets call it.
    fn of_functions(&mut self) {
        let topology = self.topology;
        let mut interfaces = topology.network_interfaces.iter();
        if let Some(interface) = interfaces.find(|interface| interface.kind() == "lambda") {
            self.need("list-functions", &format!("{} is of a function", interface.network_interface_id));
        }
        for name in topology.functions.iter().map(|function| function.function_name.as_str()) {
            let has_url = self.answered_about("list-function-url-configs", name)
                || self.answered_about("get-function-url-config", name);
            if !has_url {
                self.need_about("list-function-url-configs", name);
            }
            if !self.answered_about("get-policy", name) {
                self.need_about("get-policy", name);
            }
        }
        for url in &topology.function_urls {
            // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:ALIAS]
            let Some(name) = url.function_arn.split(':').nth(6) else { continue };
            if url.auth_type.as_deref() != Some("NONE") && !self.answered_about("get-policy", name) {
                self.need_about("get-policy", name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_the_name_or_the_end_of_the_arn() {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/73e2d6bc24d8a067";
        let other = arn.replace("web", "old");
        let names = Names::new([(arn, Some("web")), (&other, Some("old"))].into_iter());
        let check = |about: &str, expected: bool| assert_eq!(names.arn(about), expected.then_some(arn), "{about}");
        check("web", true);
        check("web-73e2d6bc24d8a067", true);
        check("targetgroup-web-73e2d6bc24d8a067", true);
        check("arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup_web_73e2d6bc24d8a067", true);
        check("eb", false);
        check("2d6bc24d8a067", false); // a part of an id is another id
        check("73e2d6bc24d8a067", false); // both have it
        check("", false);
    }
}
