//! VPC endpoints (EC2), and the firewalls behind those to which routes lead (Network Firewall).

use super::{
    asked::{about_each, noted},
    told::Told,
    vpc::names_gateway,
};
use crate::RegionClient;
use aws_sdk_ec2::types as ec2;
use aws_sdk_networkfirewall::types as firewall;
use muster_network::topology::*;
use std::collections::BTreeSet;

/// Items of one page of DescribeVpcEndpoints; AWS' maximum.
const PER_PAGE: i32 = 1000;
/// Items of one page of ListFirewalls; AWS' maximum.
const PER_SHORT_PAGE: i32 = 100;

impl RegionClient {
    /// Endpoints that a route leads to or that have interfaces; firewalls when a route may lead to one.
    pub(super) async fn add_endpoints_and_firewalls(&self, topology: &mut Topology) {
        let has_interfaces = topology
            .network_interfaces
            .iter()
            .any(|interface| matches!(interface.kind(), "vpc_endpoint" | "gateway_load_balancer_endpoint"));
        if !has_interfaces && !names_gateway(topology, "vpce-") {
            return;
        }
        let endpoints = paged!(self, ec2, "ec2:DescribeVpcEndpoints", describe_vpc_endpoints, PER_PAGE, vpc_endpoints);
        topology.vpc_endpoints = noted(topology, "ec2:DescribeVpcEndpoints", endpoints.await);
        if leads_through_endpoint(topology) {
            self.add_firewalls(topology).await;
        }
    }

    async fn add_firewalls(&self, topology: &mut Topology) {
        let listed =
            paged!(self, network_firewall, "network-firewall:ListFirewalls", list_firewalls, PER_SHORT_PAGE, firewalls);
        let arns: Vec<ListedFirewall> = noted(topology, "network-firewall:ListFirewalls", listed.await);
        let arns = arns.into_iter().map(|listed| listed.0);
        topology.firewalls = about_each(topology, "network-firewall:DescribeFirewall", arns, |arn| async move {
            let request = self.inner.network_firewall.describe_firewall().firewall_arn(arn);
            let answer = self.inner.caller.call("network-firewall:DescribeFirewall", request.send()).await?;
            Ok(DescribedFirewall { firewall: answer.firewall.told(), firewall_status: answer.firewall_status.told() })
        })
        .await;
        let policies: BTreeSet<String> =
            topology.firewalls.iter().filter_map(|described| described.firewall.firewall_policy_arn.clone()).collect();
        topology.firewall_policies =
            about_each(topology, "network-firewall:DescribeFirewallPolicy", policies, |arn| async move {
                let request = self.inner.network_firewall.describe_firewall_policy().firewall_policy_arn(arn);
                let answer = self.inner.caller.call("network-firewall:DescribeFirewallPolicy", request.send()).await?;
                Ok(DescribedFirewallPolicy {
                    firewall_policy_response: answer.firewall_policy_response.told(),
                    firewall_policy: answer.firewall_policy.told(),
                })
            })
            .await;
        let groups = rule_groups(topology);
        topology.firewall_rule_groups =
            about_each(topology, "network-firewall:DescribeRuleGroup", groups, |arn| async move {
                let request = self.inner.network_firewall.describe_rule_group().rule_group_arn(arn);
                let answer = self.inner.caller.call("network-firewall:DescribeRuleGroup", request.send()).await?;
                Ok(DescribedRuleGroup {
                    rule_group_response: answer.rule_group_response.told(),
                    rule_group: answer.rule_group.told(),
                })
            })
            .await;
    }
}

/// Whether a route hands packets to an endpoint: those of gateway endpoints have a prefix list as their destination.
fn leads_through_endpoint(topology: &Topology) -> bool {
    let mut routes = topology.route_tables.iter().flat_map(|table| &table.routes);
    routes.any(|route| {
        let to_endpoint = route.gateway_id.as_deref().is_some_and(|id| id.starts_with("vpce-"));
        to_endpoint && route.destination_prefix_list_id.is_none()
    })
}

/// The groups that the policies refer to.
fn rule_groups(topology: &Topology) -> BTreeSet<String> {
    let policies = topology.firewall_policies.iter().filter_map(|described| described.firewall_policy.as_ref());
    let groups = policies.flat_map(|policy| {
        let stateless = policy.stateless_rule_group_references.iter().map(|group| &group.resource_arn);
        let stateful = policy.stateful_rule_group_references.iter().map(|group| &group.resource_arn);
        stateless.chain(stateful)
    });
    groups.cloned().collect()
}

/// The ARN of a firewall in the list.
struct ListedFirewall(String);

impl Told<ListedFirewall> for firewall::FirewallMetadata {
    fn told(self) -> ListedFirewall {
        ListedFirewall(self.firewall_arn.told())
    }
}

told! {
    ec2::VpcEndpoint => VpcEndpoint {
        vpc_endpoint_id, vpc_endpoint_type, vpc_id, service_name, state, route_table_ids, subnet_ids, groups,
        network_interface_ids,
    }
    ec2::SecurityGroupIdentifier => GroupIdentifier { group_id }
    firewall::Firewall => Firewall { firewall_name, firewall_arn, firewall_policy_arn, vpc_id }
    firewall::FirewallStatus => FirewallStatus { status, sync_states }
    firewall::SyncState => SyncState { attachment }
    firewall::Attachment => FirewallAttachment { subnet_id, endpoint_id, status }
    firewall::FirewallPolicyResponse => FirewallPolicyResponse { firewall_policy_name, firewall_policy_arn }
    firewall::FirewallPolicy => FirewallPolicy {
        stateless_rule_group_references, stateless_default_actions, stateless_fragment_default_actions,
        stateful_rule_group_references, stateful_default_actions, stateful_engine_options, policy_variables,
    }
    firewall::StatelessRuleGroupReference => StatelessRuleGroupReference { resource_arn, priority }
    firewall::StatefulRuleGroupReference => StatefulRuleGroupReference {
        resource_arn, priority, overridden = r#override,
    }
    firewall::StatefulRuleGroupOverride => StatefulRuleGroupOverride { action }
    firewall::StatefulEngineOptions => StatefulEngineOptions { rule_order }
    firewall::StatefulRuleOptions => StatefulEngineOptions { rule_order }
    firewall::PolicyVariables => PolicyVariables { rule_variables }
    firewall::IpSet => VariableDefinition { definition }
    firewall::PortSet => VariableDefinition { definition }
    firewall::RuleGroupResponse => RuleGroupResponse { rule_group_arn, rule_group_name, group_type = r#type }
    firewall::RuleGroup => RuleGroup { rule_variables, rules_source, stateful_rule_options }
    firewall::RuleVariables => RuleVariables { ip_sets, port_sets }
    firewall::RulesSource => RulesSource {
        rules_string, rules_source_list, stateful_rules, stateless_rules_and_custom_actions,
    }
    firewall::RulesSourceList => RulesSourceList { targets, target_types, generated_rules_type }
    firewall::StatefulRule => StatefulRule { action, header, rule_options }
    firewall::Header => RuleHeader { protocol, source, source_port, direction, destination, destination_port }
    firewall::RuleOption => RuleOption { keyword, settings }
    firewall::StatelessRulesAndCustomActions => StatelessRulesAndCustomActions { stateless_rules }
    firewall::StatelessRule => StatelessRule { rule_definition, priority }
    firewall::RuleDefinition => RuleDefinition { match_attributes, actions }
    firewall::MatchAttributes => MatchAttributes {
        sources, destinations, source_ports, destination_ports, protocols, tcp_flags,
    }
    firewall::Address => FirewallAddress { address_definition }
    firewall::PortRange => FirewallPortRange { from_port, to_port }
    firewall::TcpFlagField => TcpFlagField { flags, masks }
}

words! {
    ec2::VpcEndpointType ec2::State
    firewall::FirewallStatusValue firewall::AttachmentStatus firewall::OverrideAction firewall::RuleOrder
    firewall::RuleGroupType firewall::TargetType firewall::GeneratedRulesType firewall::StatefulAction
    firewall::StatefulRuleProtocol firewall::StatefulRuleDirection firewall::TcpFlag
}
