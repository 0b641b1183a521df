//! Network Firewall (`DescribeFirewall`, `DescribeFirewallPolicy`, `DescribeRuleGroup`).

use super::shape::{SortLists, is_default};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

aws! { "PascalCase";
    /// The answer of Network Firewall `DescribeFirewall`.
    pub struct DescribedFirewall {
        /// The firewall.
        pub firewall: Firewall,
        /// Its endpoints.
        pub firewall_status: Option<FirewallStatus>,
    }

    /// Network Firewall `Firewall`.
    pub struct Firewall {
        /// Its name.
        pub firewall_name: Option<String>,
        /// Its ARN.
        pub firewall_arn: String,
        /// The policy's ARN.
        pub firewall_policy_arn: Option<String>,
        /// `vpc-…`.
        pub vpc_id: Option<String>,
    }

    /// Network Firewall `FirewallStatus`.
    pub struct FirewallStatus {
        /// `READY` when it works.
        pub status: Option<String>,
        /// By availability zone.
        pub sync_states: BTreeMap<String, SyncState>,
    }

    /// Network Firewall `SyncState`.
    pub struct SyncState {
        /// The endpoint in that zone.
        pub attachment: Option<FirewallAttachment>,
    }

    /// Network Firewall `Attachment`.
    pub struct FirewallAttachment {
        /// `subnet-…`.
        pub subnet_id: Option<String>,
        /// `vpce-…`.
        pub endpoint_id: Option<String>,
        /// `READY` when it works.
        pub status: Option<String>,
    }

    /// The answer of Network Firewall `DescribeFirewallPolicy`.
    pub struct DescribedFirewallPolicy {
        /// Which policy.
        pub firewall_policy_response: FirewallPolicyResponse,
        /// What it says.
        pub firewall_policy: Option<FirewallPolicy>,
    }

    /// Network Firewall `FirewallPolicyResponse`.
    pub struct FirewallPolicyResponse {
        /// Its name.
        pub firewall_policy_name: Option<String>,
        /// Its ARN.
        pub firewall_policy_arn: String,
    }

    /// Network Firewall `FirewallPolicy`.
    pub struct FirewallPolicy {
        /// Tried first, by priority.
        pub stateless_rule_group_references: Vec<StatelessRuleGroupReference>,
        /// What is done where no stateless rule matches: `aws:pass`, `aws:drop`, `aws:forward_to_sfe` or a custom
        /// action beside one of them.
        pub stateless_default_actions: Vec<String>,
        /// The same for fragments of UDP packets.
        pub stateless_fragment_default_actions: Vec<String>,
        /// What is handed on goes here.
        pub stateful_rule_group_references: Vec<StatefulRuleGroupReference>,
        /// What is done where no stateful rule matches, in strict order: `aws:drop_strict`, `aws:drop_established`,
        /// `aws:alert_strict`, …
        pub stateful_default_actions: Vec<String>,
        /// How stateful rules are read.
        pub stateful_engine_options: Option<StatefulEngineOptions>,
        /// Values for the rules' variables.
        pub policy_variables: Option<PolicyVariables>,
    }

    /// Network Firewall `StatelessRuleGroupReference`.
    pub struct StatelessRuleGroupReference {
        /// The rule group's ARN.
        pub resource_arn: String,
        /// The lowest is tried first.
        pub priority: i32,
    }

    /// Network Firewall `StatefulRuleGroupReference`.
    pub struct StatefulRuleGroupReference {
        /// The rule group's ARN.
        pub resource_arn: String,
        /// In strict order, the lowest is tried first.
        pub priority: Option<i32>,
        /// Changes the actions of a managed group.
        #[serde(rename = "Override")]
        pub overridden: Option<StatefulRuleGroupOverride>,
    }

    /// Network Firewall `StatefulRuleGroupOverride`.
    pub struct StatefulRuleGroupOverride {
        /// `DROP_TO_ALERT`.
        pub action: Option<String>,
    }

    /// Network Firewall `StatefulEngineOptions`.
    pub struct StatefulEngineOptions {
        /// `DEFAULT_ACTION_ORDER` or `STRICT_ORDER`.
        pub rule_order: Option<String>,
    }

    /// Network Firewall `PolicyVariables`.
    pub struct PolicyVariables {
        /// By name, for example `HOME_NET`.
        pub rule_variables: BTreeMap<String, VariableDefinition>,
    }

    /// Network Firewall `IPSet` and `PortSet`.
    pub struct VariableDefinition {
        /// Blocks or ports.
        pub definition: Vec<String>,
    }

    /// The answer of Network Firewall `DescribeRuleGroup`.
    pub struct DescribedRuleGroup {
        /// Which group.
        pub rule_group_response: RuleGroupResponse,
        /// What it says.
        pub rule_group: Option<RuleGroup>,
    }

    /// Network Firewall `RuleGroupResponse`.
    pub struct RuleGroupResponse {
        /// Its ARN.
        pub rule_group_arn: String,
        /// Its name.
        pub rule_group_name: Option<String>,
        /// `STATELESS` or `STATEFUL`.
        #[serde(rename = "Type")]
        pub group_type: Option<String>,
    }

    /// Network Firewall `RuleGroup`.
    pub struct RuleGroup {
        /// Values for the rules' variables.
        pub rule_variables: Option<RuleVariables>,
        /// The rules.
        pub rules_source: RulesSource,
        /// How stateful rules are read.
        pub stateful_rule_options: Option<StatefulEngineOptions>,
    }

    /// Network Firewall `RuleVariables`.
    pub struct RuleVariables {
        /// Blocks by name.
        #[serde(rename = "IPSets")]
        pub ip_sets: BTreeMap<String, VariableDefinition>,
        /// Ports by name.
        pub port_sets: BTreeMap<String, VariableDefinition>,
    }

    /// Network Firewall `RulesSourceList`: names of domains, which decide over HTTP and TLS.
    pub struct RulesSourceList {
        /// Domains.
        pub targets: Vec<String>,
        /// `HTTP_HOST`, `TLS_SNI`.
        pub target_types: Vec<String>,
        /// `ALLOWLIST`, `DENYLIST`, …
        pub generated_rules_type: Option<String>,
    }

    /// Network Firewall `StatefulRule`.
    pub struct StatefulRule {
        /// `PASS`, `DROP`, `REJECT` or `ALERT`.
        pub action: String,
        /// What it matches.
        pub header: RuleHeader,
        /// Suricata's options; `sid` alone changes nothing.
        pub rule_options: Vec<RuleOption>,
    }

    /// Network Firewall `Header`.
    pub struct RuleHeader {
        /// `IP`, `TCP`, `UDP`, `ICMP`, or an application's protocol.
        pub protocol: String,
        /// `ANY`, a block, several in brackets, or a variable.
        pub source: String,
        /// `ANY`, a port, a range, or a variable.
        pub source_port: String,
        /// `FORWARD` or `ANY`.
        pub direction: String,
        /// As the source.
        pub destination: String,
        /// As the source's port.
        pub destination_port: String,
    }

    /// Network Firewall `RuleOption`.
    pub struct RuleOption {
        /// Suricata's keyword.
        pub keyword: String,
        /// Its values.
        pub settings: Vec<String>,
    }

    /// Network Firewall `StatelessRulesAndCustomActions`.
    pub struct StatelessRulesAndCustomActions {
        /// Tried by priority.
        pub stateless_rules: Vec<StatelessRule>,
    }

    /// Network Firewall `StatelessRule`.
    pub struct StatelessRule {
        /// What it matches and does.
        pub rule_definition: RuleDefinition,
        /// The lowest is tried first.
        pub priority: i32,
    }

    /// Network Firewall `RuleDefinition`.
    pub struct RuleDefinition {
        /// What it matches.
        pub match_attributes: MatchAttributes,
        /// `aws:pass`, `aws:drop` or `aws:forward_to_sfe`, and custom actions beside it.
        pub actions: Vec<String>,
    }

    /// Network Firewall `MatchAttributes`. What is empty matches all.
    pub struct MatchAttributes {
        /// Blocks.
        pub sources: Vec<FirewallAddress>,
        /// Blocks.
        pub destinations: Vec<FirewallAddress>,
        /// Ranges.
        pub source_ports: Vec<FirewallPortRange>,
        /// Ranges.
        pub destination_ports: Vec<FirewallPortRange>,
        /// IANA protocol numbers.
        pub protocols: Vec<i32>,
        /// Flags that must be set among those of the mask.
        #[serde(rename = "TCPFlags")]
        pub tcp_flags: Vec<TcpFlagField>,
    }

    /// Network Firewall `Address`.
    pub struct FirewallAddress {
        /// A block.
        pub address_definition: String,
    }

    /// Network Firewall `PortRange`, both ends inclusive.
    pub struct FirewallPortRange {
        /// First port.
        pub from_port: i32,
        /// Last port.
        pub to_port: i32,
    }

    /// Network Firewall `TCPFlagField`.
    pub struct TcpFlagField {
        /// `SYN`, `ACK`, … that must be set.
        pub flags: Vec<String>,
        /// Those that are looked at; all when empty.
        pub masks: Vec<String>,
    }
}

/// Network Firewall `RulesSource`: one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RulesSource {
    /// Rules in Suricata's language.
    #[serde(skip_serializing_if = "is_default")]
    pub rules_string: Option<String>,
    /// Domains.
    #[serde(skip_serializing_if = "is_default")]
    pub rules_source_list: Option<RulesSourceList>,
    /// Rules over addresses, ports and protocol; their order counts in strict order.
    #[serde(skip_serializing_if = "is_default")]
    pub stateful_rules: Vec<StatefulRule>,
    /// Rules over single packets.
    #[serde(skip_serializing_if = "is_default")]
    pub stateless_rules_and_custom_actions: Option<StatelessRulesAndCustomActions>,
}

impl SortLists for RulesSource {
    fn sort_lists(&mut self) {
        self.rules_source_list.sort_lists();
        self.stateless_rules_and_custom_actions.sort_lists();
    }
}
