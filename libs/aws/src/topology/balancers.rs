//! Load balancers (Elastic Load Balancing, both generations): where they listen and whom they forward to.

use super::{
    asked::{about_each, noted},
    told::Told,
};
use crate::{AwsError, RegionClient};
use aws_sdk_elasticloadbalancing::types as classic;
use aws_sdk_elasticloadbalancingv2::types as elb;
use muster_network::topology::*;

/// Items of one page; AWS' maximum.
const PER_PAGE: i32 = 400;

impl RegionClient {
    pub(super) async fn add_load_balancers(&self, topology: &mut Topology) {
        let (balancers, classics) = tokio::join!(
            marked!(
                self,
                elbv2,
                "elasticloadbalancing:DescribeLoadBalancers",
                describe_load_balancers,
                PER_PAGE,
                load_balancers
            ),
            marked!(
                self,
                elb,
                "elasticloadbalancing:DescribeLoadBalancers",
                describe_load_balancers,
                PER_PAGE,
                load_balancer_descriptions
            ),
        );
        topology.load_balancers = noted(topology, "elasticloadbalancing:DescribeLoadBalancers", balancers);
        topology.classic_load_balancers = noted(topology, "elasticloadbalancing:DescribeLoadBalancers", classics);
        topology.missing.dedup(); // both generations have one name and are denied together
        if !topology.load_balancers.is_empty() {
            self.add_listeners(topology).await;
            self.add_targets(topology).await;
        }
    }

    async fn add_listeners(&self, topology: &mut Topology) {
        let balancers: Vec<String> =
            topology.load_balancers.iter().map(|balancer| balancer.load_balancer_arn.clone()).collect();
        let listeners: Vec<Vec<Listener>> =
            about_each(topology, "elasticloadbalancing:DescribeListeners", balancers, |arn| async move {
                let listeners = marked!(
                    self,
                    elbv2,
                    "elasticloadbalancing:DescribeListeners",
                    describe_listeners,
                    PER_PAGE,
                    listeners,
                    load_balancer_arn(&arn)
                );
                listeners.await
            })
            .await;
        topology.listeners = listeners.into_iter().flatten().collect();
        let listeners: Vec<String> = topology
            .listeners
            .iter()
            .filter(|listener| has_rules(listener))
            .map(|listener| listener.listener_arn.clone())
            .collect();
        let rules: Vec<Vec<ListenerRule>> =
            about_each(topology, "elasticloadbalancing:DescribeRules", listeners, |arn| async move {
                let rules = marked!(
                    self,
                    elbv2,
                    "elasticloadbalancing:DescribeRules",
                    describe_rules,
                    PER_PAGE,
                    rules,
                    listener_arn(&arn)
                );
                rules.await
            })
            .await;
        topology.listener_rules = rules.into_iter().flatten().collect();
    }

    async fn add_targets(&self, topology: &mut Topology) {
        let groups = marked!(
            self,
            elbv2,
            "elasticloadbalancing:DescribeTargetGroups",
            describe_target_groups,
            PER_PAGE,
            target_groups
        );
        topology.target_groups = noted(topology, "elasticloadbalancing:DescribeTargetGroups", groups.await);
        let arns = |used: fn(&TargetGroup) -> bool| -> Vec<String> {
            let groups = topology.target_groups.iter().filter(|group| used(group));
            groups.map(|group| group.target_group_arn.clone()).collect()
        };
        let (used, with_attributes) = (arns(is_used), arns(may_keep_client_address));
        topology.target_health =
            about_each(topology, "elasticloadbalancing:DescribeTargetHealth", used, |arn| self.target_health(arn))
                .await;
        topology.target_group_attributes =
            about_each(topology, "elasticloadbalancing:DescribeTargetGroupAttributes", with_attributes, |arn| {
                self.target_group_attributes(arn)
            })
            .await;
    }

    async fn target_health(&self, arn: String) -> Result<TargetGroupHealth, AwsError> {
        let request = self.inner.elbv2.describe_target_health().target_group_arn(&arn);
        let answer = self.inner.caller.call("elasticloadbalancing:DescribeTargetHealth", request.send()).await?;
        let target_health_descriptions = answer.target_health_descriptions.told();
        Ok(TargetGroupHealth { target_group_arn: arn, target_health_descriptions })
    }

    async fn target_group_attributes(&self, arn: String) -> Result<TargetGroupAttributes, AwsError> {
        const ACTION: &str = "elasticloadbalancing:DescribeTargetGroupAttributes";
        let request = self.inner.elbv2.describe_target_group_attributes().target_group_arn(&arn);
        let answer = self.inner.caller.call(ACTION, request.send()).await?;
        Ok(TargetGroupAttributes { target_group_arn: arn, attributes: answer.attributes.told() })
    }
}

/// Only application load balancers have rules beside the default actions.
fn has_rules(listener: &Listener) -> bool {
    matches!(listener.protocol.as_deref(), Some("HTTP" | "HTTPS"))
}

fn is_used(group: &TargetGroup) -> bool {
    !group.load_balancer_arns.is_empty()
}

/// Attributes matter to groups of network load balancers alone, whose targets may see the client's address.
fn may_keep_client_address(group: &TargetGroup) -> bool {
    is_used(group) && !matches!(group.protocol.as_deref(), None | Some("HTTP" | "HTTPS" | "GENEVE"))
}

told! {
    elb::LoadBalancer => LoadBalancer {
        load_balancer_arn, load_balancer_name, dns_name, scheme, vpc_id, state, balancer_type = r#type,
        availability_zones, security_groups, ip_address_type,
    }
    elb::LoadBalancerState => LoadBalancerState { code }
    elb::AvailabilityZone => LoadBalancerZone { zone_name, subnet_id }
    elb::Listener => Listener { listener_arn, load_balancer_arn, port, protocol, default_actions }
    elb::Rule => ListenerRule { rule_arn, priority, actions, is_default }
    elb::Action => ListenerAction { action_type = r#type, target_group_arn, order, forward_config }
    elb::ForwardActionConfig => ForwardConfig { target_groups }
    elb::TargetGroupTuple => WeightedTargetGroup { target_group_arn, weight }
    elb::TargetGroup => TargetGroup {
        target_group_arn, target_group_name, protocol, port, vpc_id, load_balancer_arns, target_type, ip_address_type,
    }
    elb::TargetGroupAttribute => TargetGroupAttribute { key, value }
    elb::TargetHealthDescription => TargetHealthDescription { target, target_health }
    elb::TargetDescription => TargetDescription { id, port, availability_zone }
    elb::TargetHealth => TargetHealth { state }
    classic::LoadBalancerDescription => ClassicLoadBalancer {
        load_balancer_name, dns_name, scheme, vpc_id, subnets, security_groups, instances, listener_descriptions,
    }
    classic::Instance => ClassicInstance { instance_id }
    classic::ListenerDescription => ClassicListenerDescription { listener }
    classic::Listener => ClassicListener { protocol, load_balancer_port, instance_protocol, instance_port }
}

words! {
    elb::LoadBalancerSchemeEnum elb::LoadBalancerStateEnum elb::LoadBalancerTypeEnum elb::IpAddressType
    elb::ProtocolEnum elb::ActionTypeEnum elb::TargetTypeEnum elb::TargetGroupIpAddressTypeEnum
    elb::TargetHealthStateEnum
}
