//! Why something can be reached, or why not: one packet and its reply walked through the topologies, for each way that
//! could carry them.
//!
//! This is no second reading of the analysis: the walk is written from AWS' rules alone, and tests hold the two against
//! each other. What it proposes to change is tried before it is told: it changes a copy of the topology and walks again
//! until the connection comes about.

mod answer;
mod apply;
mod balanced;
mod candidates;
mod change;
mod ends;
mod filters;
mod functions;
mod inspection;
mod map;
mod ports;
mod premises;
mod question;
mod routing;
#[cfg(test)]
mod tests;
mod transit;
mod walk;

pub use answer::{Answer, Blocker, Candidate, Passage, Unknown, Verdict};
pub use change::{AclEntry, Change, GroupRule, NEW_GATEWAY};
pub use question::{Endpoint, Protocol, Question, QuestionError};

use crate::topology::Topology;
use map::Map;

/// Whether the source reaches the destination, by which path, or what stops it and what to change.
/// A question about something that is in none of the topologies is answered with undetermined; [`Question::check`]
/// tells beforehand.
pub fn why(topologies: &[Topology], question: &Question) -> Answer {
    let mut candidates = candidates::all(topologies, question);
    // Reachable first; among the blocked, what needs the fewest changes, and what no change opens last.
    candidates.sort_by_key(|candidate| {
        let hopeless = candidate.verdict == Verdict::Blocked && candidate.changes.is_empty();
        let shown = (candidate.path.len(), candidate.via.clone(), candidate.destination.clone());
        (candidate.verdict, hopeless, candidate.changes.len(), shown)
    });
    let verdict = candidates.first().map_or(Verdict::Undetermined, |candidate| candidate.verdict);
    let first = candidates.first();
    Answer {
        question: question.clone(),
        verdict,
        path: first.map(|candidate| candidate.path.clone()).unwrap_or_default(),
        blocked_by: first.and_then(|candidate| candidate.blocked_by.clone()),
        changes: first.map(|candidate| candidate.changes.clone()).unwrap_or_default(),
        candidates,
    }
}

impl Question {
    /// Whether both ends are in the topologies, as far as they must be.
    pub fn check(&self, topologies: &[Topology]) -> Result<(), QuestionError> {
        let map = Map { topologies };
        for end in [&self.source, &self.destination] {
            let named = matches!(end, Endpoint::Interface(_) | Endpoint::Instance(_) | Endpoint::Resource(_));
            if named && ends::interfaces(map, end).is_empty() && functions::named(map, end).is_none() {
                return Err(QuestionError::Unknown(end.to_string()));
            }
        }
        Ok(())
    }
}

/// The type of a component as Inspector writes it, told by its id.
pub(crate) fn component_type(id: &str) -> &'static str {
    const KINDS: [(&str, &str); 24] = [
        ("igw-", "AWS::EC2::InternetGateway"),
        ("eigw-", "AWS::EC2::EgressOnlyInternetGateway"),
        ("nat-", "AWS::EC2::NatGateway"),
        ("acl-", "AWS::EC2::NetworkAcl"),
        ("sg-", "AWS::EC2::SecurityGroup"),
        ("eni-", "AWS::EC2::NetworkInterface"),
        ("i-", "AWS::EC2::Instance"),
        ("pcx-", "AWS::EC2::VPCPeeringConnection"),
        ("vgw-", "AWS::EC2::VPNGateway"),
        ("vpn-", "AWS::EC2::VPNConnection"),
        ("tgw-attach-", "AWS::EC2::TransitGatewayAttachment"),
        ("tgw-rtb-", "AWS::EC2::TransitGatewayRouteTable"),
        ("tgw-", "AWS::EC2::TransitGateway"),
        ("vpce-", "AWS::EC2::VPCEndpoint"),
        ("rtb-", "AWS::EC2::RouteTable"),
        ("subnet-", "AWS::EC2::Subnet"),
        ("vpc-", "AWS::EC2::VPC"),
        ("listener/", "AWS::ElasticLoadBalancingV2::Listener"),
        ("listener-rule/", "AWS::ElasticLoadBalancingV2::ListenerRule"),
        ("targetgroup/", "AWS::ElasticLoadBalancingV2::TargetGroup"),
        ("loadbalancer/", "AWS::ElasticLoadBalancingV2::LoadBalancer"),
        ("firewall/", "AWS::NetworkFirewall::Firewall"),
        ("function:", "AWS::Lambda::Function"),
        ("task/", "AWS::ECS::Task"),
    ];
    // An ARN's last part begins with the kind of the resource.
    let name = if id.starts_with("arn:") { id.splitn(6, ':').nth(5).unwrap_or_default() } else { id };
    let kind = KINDS.iter().find(|(prefix, _)| name.starts_with(prefix));
    kind.map_or("AWS::ElasticLoadBalancing::LoadBalancer", |(_, kind)| kind)
}
