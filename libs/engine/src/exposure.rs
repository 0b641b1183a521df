//! How far a resource can be reached from outside, and which of its packages an open port leads to.
//! The model and what was turned down: `docs/decisions/0011-exposure-by-port.md`.

use crate::{listeners, scoring::Draft};
use muster_domain::{Finding, FindingDetails, FindingId, Package, Reachability};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The edge that everyone stands at; every other one is an open path of Inspector's.
pub(crate) const INTERNET: &str = "internet";

/// How far a resource can be reached from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// The open port ranges that are known.
    pub reachabilities: Vec<Reachability>,
    /// The calls without which the answer is not known (`ec2:DescribeNetworkAcls`); empty: it is known.
    pub undetermined: Vec<String>,
    /// Whether every way into this kind of resource is looked at: instances. Of functions their addresses, policies and
    /// load balancers are, not what else may call them; images have no network.
    pub modelled: bool,
}

/// From where packages can be attacked over the network, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class<'a> {
    /// From the internet, through this range.
    Internet(&'a Reachability),
    /// It is not known: answers are missing, or the kind of resource is not modelled.
    Unknown,
    /// Not from the internet, but through this open path: a peer, a VPN, Direct Connect or a transit gateway.
    OpenPath(&'a Reachability),
    /// The resource can be reached, yet not where these packages listen: through this range, for example.
    OtherPorts(&'a Reachability),
    /// From no edge of the network.
    Closed,
}

impl Exposure {
    /// From where packages can be attacked: the worst over them. Without packages: from where the resource can.
    pub fn class<'a>(&'a self, packages: &[&Package]) -> Class<'a> {
        let may_lead_in = |range: &Reachability| {
            packages.is_empty() || packages.iter().any(|package| listeners::may_lead_to(range, package))
        };
        let relevant =
            |edge: fn(&str) -> bool| self.reachabilities.iter().find(|range| edge(&range.edge) && may_lead_in(range));
        if let Some(range) = relevant(|edge| edge == INTERNET) {
            return Class::Internet(range);
        }
        if !self.modelled || !self.undetermined.is_empty() {
            return Class::Unknown;
        }
        match (relevant(|_| true), self.reachabilities.first()) {
            (Some(range), _) => Class::OpenPath(range),
            (None, Some(range)) => Class::OtherPorts(range),
            (None, None) => Class::Closed,
        }
    }

    /// The findings among `existing` that these drafts, made with this exposure, speak for: all of them, except that a
    /// network finding without a draft stays as it is while answers that it rests on are missing.
    pub fn judged(&self, existing: Vec<Finding>, drafts: &[Draft]) -> Vec<Finding> {
        let drafted: BTreeSet<&FindingId> = drafts.iter().map(|draft| &draft.id).collect();
        let judged = |finding: &Finding| match &finding.details {
            FindingDetails::Package(_) => true,
            FindingDetails::Network(network) => {
                drafted.contains(&finding.id)
                    || !self.undetermined.iter().any(|call| bears_on(call, &network.reachability))
            }
        };
        existing.into_iter().filter(judged).collect()
    }
}

/// Whether a way in may still be there when this call was not answered. Whom a load balancer forwards to says nothing of
/// ways without one.
fn bears_on(call: &str, way: &Reachability) -> bool {
    let is_balancer = |kind: &str| kind.starts_with("AWS::ElasticLoadBalancing");
    !call.starts_with("elasticloadbalancing:") || way.path.iter().any(|step| is_balancer(&step.component_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        samples::{exposed, instance, network_finding, package, package_finding, reachability},
        scoring::drafts,
    };
    use muster_domain::{PackageManager, Step, VerdictSet};

    fn open(port: u16, edge: &str) -> Reachability {
        Reachability { edge: edge.into(), ..reachability(port, port) }
    }

    #[test]
    fn a_package_is_as_exposed_as_the_worst_port_that_leads_to_it() {
        let check = |ranges: &[(u16, &str)], undetermined: &[&str], names: &[&str], expected: &str| {
            let mut exposure = exposed(ranges.iter().map(|(port, edge)| open(*port, edge)).collect());
            exposure.undetermined = undetermined.iter().map(|call| (*call).to_owned()).collect();
            let packages: Vec<Package> = names.iter().map(|name| package(PackageManager::Os, name, "1.0")).collect();
            let class = match exposure.class(&packages.iter().collect::<Vec<_>>()) {
                Class::Internet(range) => format!("internet {}", range.port_begin),
                Class::Unknown => "unknown".to_owned(),
                Class::OpenPath(range) => format!("{} {}", range.edge, range.port_begin),
                Class::OtherPorts(range) => format!("other {}", range.port_begin),
                Class::Closed => "closed".to_owned(),
            };
            assert_eq!(class, expected, "{ranges:?} {undetermined:?} {names:?}");
        };
        check(&[], &[], &["openssh-server"], "closed");
        check(&[(22, "internet")], &[], &["openssh-server"], "internet 22");
        check(&[(22, "internet")], &[], &["redis-server"], "other 22");
        check(&[(22, "internet")], &[], &["redis-server", "libssl3"], "internet 22"); // a library is behind any port
        check(&[(22, "internet"), (6379, "peer")], &[], &["redis-server"], "peer 6379");
        check(&[(22, "vpn"), (22, "internet")], &[], &["openssh-server"], "internet 22");
        check(&[(22, "transit")], &[], &["openssh-server"], "transit 22");
        check(&[(22, "internet")], &[], &[], "internet 22");
        // Not known is not closed, whatever else is known.
        check(&[], &["ec2:DescribeNetworkAcls"], &["redis-server"], "unknown");
        check(&[(6379, "peer")], &["ec2:DescribeNetworkAcls"], &["redis-server"], "unknown");
        check(&[(22, "internet")], &["ec2:DescribeNetworkAcls"], &["redis-server"], "unknown");
        check(&[(22, "internet")], &["ec2:DescribeNetworkAcls"], &["openssh-server"], "internet 22");
    }

    #[test]
    fn what_is_not_modelled_is_known_only_where_it_is_open() {
        let web = package(PackageManager::Npm, "express", "1.0");
        assert_eq!(Exposure::default().class(&[&web]), Class::Unknown);
        let exposure = Exposure { reachabilities: vec![open(443, "internet")], ..Exposure::default() };
        assert!(matches!(exposure.class(&[&web]), Class::Internet(_)));
    }

    #[test]
    fn a_missing_answer_keeps_a_network_finding_from_being_judged() {
        let check = |exposure: Exposure, existing: Finding, expected: usize| {
            let drafts = drafts(&instance(), &VerdictSet::default(), &exposure);
            let judged = exposure.judged(vec![existing, package_finding(&instance())], &drafts);
            assert_eq!(judged.len(), expected, "{exposure:?}");
        };
        let without = |call: &str| vec![call.to_owned()];
        check(exposed(Vec::new()), network_finding(), 2);
        check(Exposure::default(), network_finding(), 2); // the resource is gone
        let acls = || without("ec2:DescribeNetworkAcls");
        check(Exposure { undetermined: acls(), ..exposed(Vec::new()) }, network_finding(), 1);
        let told_again = exposed(vec![reachability(22, 22)]);
        check(Exposure { undetermined: acls(), ..told_again }, network_finding(), 2);
        // Whom load balancers forward to bears on the ways that lead through them.
        let forwarding =
            || Exposure { undetermined: without("elasticloadbalancing:DescribeTargetHealth"), ..exposed(Vec::new()) };
        check(forwarding(), network_finding(), 2);
        let mut through_balancer = network_finding();
        let FindingDetails::Network(network) = &mut through_balancer.details else { unreachable!() };
        network.reachability.path.insert(
            1,
            Step {
                component_id: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/1".into(),
                component_type: "AWS::ElasticLoadBalancingV2::LoadBalancer".into(),
            },
        );
        check(forwarding(), through_balancer, 1);
    }
}
