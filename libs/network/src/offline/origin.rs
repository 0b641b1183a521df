//! Which account and region answers are of, where the folder does not say it: what most of them say.

use crate::topology::Topology;
use std::collections::HashMap;

/// What stands for an account or region that nothing names.
const UNKNOWN: &str = "unknown";

/// The account and the region that the answers name most often. Interfaces are asked first: a subnet that is shared
/// belongs to another account, an interface in it does not.
pub(super) fn of(topology: &Topology) -> (String, String) {
    let interfaces = || topology.network_interfaces.iter();
    let arns = || {
        let balancers = topology.load_balancers.iter().map(|balancer| balancer.load_balancer_arn.as_str());
        let functions = topology.functions.iter().filter_map(|function| function.function_arn.as_deref());
        let urls = topology.function_urls.iter().map(|url| url.function_arn.as_str());
        let firewalls = topology.firewalls.iter().map(|firewall| firewall.firewall.firewall_arn.as_str());
        balancers.chain(functions).chain(urls).chain(firewalls)
    };
    let account = most(interfaces().filter_map(|interface| interface.owner_id.as_deref()))
        .or_else(|| most(topology.security_groups.iter().filter_map(|group| group.owner_id.as_deref())))
        .or_else(|| most(topology.vpcs.iter().filter_map(|vpc| vpc.owner_id.as_deref())))
        .or_else(|| most(arns().filter_map(|arn| part(arn, 4))));
    let region = most(interfaces().filter_map(|interface| interface.availability_zone.as_deref().and_then(of_zone)))
        .or_else(|| {
            most(topology.subnets.iter().filter_map(|subnet| subnet.availability_zone.as_deref().and_then(of_zone)))
        })
        .or_else(|| most(arns().filter_map(|arn| part(arn, 3))));
    (account.unwrap_or(UNKNOWN).to_owned(), region.unwrap_or(UNKNOWN).to_owned())
}

/// The word that is there most often; of several the first by name.
fn most<'a>(words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in words.filter(|word| !word.is_empty()) {
        *counts.entry(word).or_default() += 1;
    }
    counts.into_iter().max_by(|(a, some), (b, more)| some.cmp(more).then(b.cmp(a))).map(|(word, _)| word)
}

/// `eu-central-1` of `eu-central-1a`, and `us-east-1` of the local zone `us-east-1-bos-1a`: all until the first number.
fn of_zone(zone: &str) -> Option<&str> {
    let begin = zone.find(|letter: char| letter.is_ascii_digit())?;
    let digits = zone[begin..].find(|letter: char| !letter.is_ascii_digit()).unwrap_or(zone.len() - begin);
    Some(&zone[..begin + digits])
}

/// One part of `arn:aws:SERVICE:REGION:ACCOUNT:…`, counted from 0.
fn part(arn: &str, position: usize) -> Option<&str> {
    arn.strip_prefix("arn:").and_then(|_| arn.split(':').nth(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_names_its_region() {
        let check = |zone: &str, expected: Option<&str>| assert_eq!(of_zone(zone), expected, "{zone}");
        check("eu-central-1a", Some("eu-central-1"));
        check("us-gov-west-1b", Some("us-gov-west-1"));
        check("us-east-1-bos-1a", Some("us-east-1")); // a local zone
        check("ap-southeast-12c", Some("ap-southeast-12"));
        check("nowhere", None);
        check("", None);
    }

    #[test]
    fn the_owner_of_most_is_the_account() {
        assert_eq!(most(["b", "a", "b", ""].into_iter()), Some("b"));
        assert_eq!(most(["b", "a"].into_iter()), Some("a")); // every time the same one
        assert_eq!(most([].into_iter()), None);
    }
}
