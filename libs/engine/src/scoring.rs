//! Scoring: verdicts and exposure -> findings without a life cycle, each with the reasons of its severity.

pub use crate::exposure::{Class, Exposure};

use crate::{
    exposure::INTERNET,
    ports, remediation,
    score::{inspector_score, intelligence},
    texts::{bounded, listed},
};
use muster_advisories::rating;
use muster_domain::{
    AccountId, Epss, ExploitAvailable, Finding, FindingDetails, FindingId, FixAvailable, InspectorScore,
    NetworkFinding, Package, PackageFinding, Reachability, Region, Resource, ResourceId, ResourceKind, Severity,
    Status, Verdict, VerdictSet, VulnerabilityFacts, VulnerablePackage,
};
use std::collections::BTreeMap;

/// Characters of a title: what every sink takes (ASFF `Title`; the Inspector API allows 1,024).
pub const TITLE_CHARS_MAX: usize = 256;
/// Characters of a description (inspector2 API `FindingDescription`, ASFF `Description`).
pub const DESCRIPTION_CHARS_MAX: usize = 1_024;
/// Characters of a remediation (ASFF `Recommendation.Text` takes 512).
pub const REMEDIATION_CHARS_MAX: usize = 512;

/// A finding before its life cycle: what is wrong now, without since when.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Its id.
    pub id: FindingId,
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// On what.
    pub resource: ResourceId,
    /// The kind of that.
    pub resource_kind: ResourceKind,
    /// One line, at most `TITLE_CHARS_MAX`.
    pub title: String,
    /// At most `DESCRIPTION_CHARS_MAX`.
    pub description: String,
    /// What to do, at most `REMEDIATION_CHARS_MAX`.
    pub remediation: String,
    /// After the environment was looked at.
    pub severity: Severity,
    /// For package findings with a CVSS v3 vector.
    pub inspector_score: Option<InspectorScore>,
    /// `None` for network findings.
    pub fix_available: Option<FixAvailable>,
    /// `None` for network findings.
    pub exploit_available: Option<ExploitAvailable>,
    /// EPSS of the vulnerability.
    pub epss: Option<Epss>,
    /// What was found.
    pub details: FindingDetails,
}

/// All findings of a resource, sorted by id: one per vulnerability with every package that has it, and one per
/// reachable port range.
pub fn drafts(resource: &Resource, verdicts: &VerdictSet, exposure: &Exposure) -> Vec<Draft> {
    let mut affected: BTreeMap<&str, Vec<&Verdict>> = BTreeMap::new();
    for verdict in verdicts.verdicts.iter().filter(|verdict| verdict.status == Status::Affected) {
        affected.entry(&verdict.vulnerability).or_default().push(verdict);
    }
    let facts = |vulnerability: &str| match verdicts.vulnerabilities.get(vulnerability) {
        Some(facts) => facts.clone(),
        None => VulnerabilityFacts { id: vulnerability.to_owned(), ..VulnerabilityFacts::default() },
    };
    let packages =
        affected.into_iter().map(|(id, affected)| package_draft(resource, facts(id), id, affected, exposure));
    let network = exposure.reachabilities.iter().map(|reachability| network_draft(resource, reachability));
    let mut drafts: Vec<Draft> = packages.chain(network).collect();
    drafts.sort_by(|one, other| one.id.cmp(&other.id));
    drafts.dedup_by(|one, other| one.id == other.id); // two ways in at the same edge: the first told is the shorter
    drafts
}

/// Why a finding has its severity, one sentence each, the weightiest first.
pub fn reasons(finding: &Finding, exposure: Option<&Exposure>) -> Vec<String> {
    let mut reasons = Vec::new();
    if let FindingDetails::Package(package) = &finding.details
        && package.packages.iter().all(|vulnerable| is_dismissed(&vulnerable.verdict))
    {
        reasons
            .push("the vendor says that it does not matter in its package, which counts before any score".to_owned());
    }
    reasons.extend(reasons_of_details(finding, exposure));
    reasons
}

fn reasons_of_details(finding: &Finding, exposure: Option<&Exposure>) -> Vec<String> {
    match (&finding.details, &finding.inspector_score) {
        (FindingDetails::Package(_), Some(score)) => {
            let base = format!("base score {} by {}: {}", score.base_score, score.source, score.base_vector);
            let adjusted = score.adjustments.iter().map(|adjustment| adjustment.reason.clone());
            std::iter::once(base).chain(adjusted).chain(score.reasons.iter().cloned()).collect()
        }
        (FindingDetails::Package(package), None) => {
            let word = package.vulnerability.vendor_severity.as_deref().unwrap_or("nothing");
            let judged = format!(
                "no CVSS v3 vector to adjust: {} by other scores, or the vendor's word ({word})",
                finding.severity
            );
            std::iter::once(judged).chain(intelligence(&package.vulnerability)).collect()
        }
        (FindingDetails::Network(network), _) => {
            let range = &network.reachability;
            let open = format!(
                "open to {}: {}",
                listed("", &range.sources.iter().map(String::as_str).collect::<Vec<_>>(), 256),
                ports::service(range)
            );
            let missing = exposure.map(|exposure| exposure.undetermined.as_slice()).unwrap_or_default();
            let unknown = missing.iter().map(|call| format!("not known at present without {call}"));
            std::iter::once(open).chain(unknown).collect()
        }
    }
}

fn package_draft(
    resource: &Resource,
    vulnerability: VulnerabilityFacts,
    id: &str,
    affected: Vec<&Verdict>,
    exposure: &Exposure,
) -> Draft {
    let packages = vulnerable_packages(&affected);
    let installed: Vec<&Package> = packages.iter().map(|vulnerable| &vulnerable.package).collect();
    let inspector_score = inspector_score(resource, &vulnerability, &installed, exposure);
    let known_exploited = vulnerability.known_exploited.is_some();
    Draft {
        id: FindingId::of_package_vulnerability(&resource.id, id),
        account: resource.account.clone(),
        region: resource.region.clone(),
        resource: resource.id.clone(),
        resource_kind: resource.kind(),
        title: title(id, &packages),
        description: description(id, &vulnerability),
        remediation: remediation_of(&packages),
        severity: severity(inspector_score.as_ref(), &affected, &vulnerability),
        inspector_score,
        fix_available: Some(fix_available(&packages)),
        exploit_available: Some(if known_exploited { ExploitAvailable::Yes } else { ExploitAvailable::No }),
        epss: vulnerability.epss,
        details: FindingDetails::Package(PackageFinding { vulnerability, packages }),
    }
}

/// Each package once; when two records speak of one, the one that knows a fix.
fn vulnerable_packages(affected: &[&Verdict]) -> Vec<VulnerablePackage> {
    let mut affected = affected.to_vec();
    affected.sort_by_key(|verdict| (&verdict.package, verdict.fixed_version.is_none()));
    affected.dedup_by_key(|verdict| &verdict.package);
    let vulnerable = |verdict: &Verdict| VulnerablePackage {
        package: verdict.package.clone(),
        fixed_version: verdict.fixed_version.clone(),
        verdict: verdict.clone(),
    };
    affected.into_iter().map(vulnerable).collect()
}

/// `CVE-2024-0001 - libssl3, openssl`.
fn title(id: &str, packages: &[VulnerablePackage]) -> String {
    let mut names: Vec<&str> = packages.iter().map(|vulnerable| vulnerable.package.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    listed(&format!("{id} - "), &names, TITLE_CHARS_MAX)
}

fn description(id: &str, vulnerability: &VulnerabilityFacts) -> String {
    match vulnerability.description.trim() {
        "" => format!("{} has no description.", bounded(id, 128)),
        text => bounded(text, DESCRIPTION_CHARS_MAX),
    }
}

fn remediation_of(packages: &[VulnerablePackage]) -> String {
    let fixed: Vec<&VulnerablePackage> = packages.iter().filter(|package| package.fixed_version.is_some()).collect();
    if fixed.is_empty() {
        return "No fixed version is known yet.".to_owned();
    }
    let of = |vulnerable: &&VulnerablePackage| {
        remediation::command(&vulnerable.package, vulnerable.fixed_version.as_deref())
    };
    let mut commands: Vec<String> = fixed.iter().filter_map(of).collect();
    commands.sort_unstable();
    commands.dedup();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    match commands.as_slice() {
        [] => "Update the affected packages to their fixed versions.".to_owned(),
        commands => listed("Update the affected packages: ", commands, REMEDIATION_CHARS_MAX),
    }
}

fn fix_available(packages: &[VulnerablePackage]) -> FixAvailable {
    let fixed = packages.iter().filter(|package| package.fixed_version.is_some()).count();
    match fixed {
        0 => FixAvailable::No,
        _ if fixed == packages.len() => FixAvailable::Yes,
        _ => FixAvailable::Partial,
    }
}

/// `Informational` when the vendors of all affected packages say that it does not matter in theirs. Else of the adjusted
/// score; without one the worst that a verdict says; without that the vendor's word.
fn severity(score: Option<&InspectorScore>, affected: &[&Verdict], vulnerability: &VulnerabilityFacts) -> Severity {
    if affected.iter().all(|verdict| is_dismissed(verdict)) {
        return Severity::Informational;
    }
    if let Some(score) = score {
        return Severity::of_score(score.score);
    }
    let judged = affected.iter().map(|verdict| verdict.severity).max().filter(|worst| *worst != Severity::Untriaged);
    let word = || vulnerability.vendor_severity.as_deref().and_then(rating::of_word);
    judged.or_else(word).unwrap_or(Severity::Untriaged)
}

fn is_dismissed(verdict: &Verdict) -> bool {
    verdict.explanation.vendor.as_deref().is_some_and(rating::is_dismissed)
}

/// Texts as Amazon Inspector writes them (user guide, "Amazon EventBridge schema", network reachability sample).
fn network_draft(resource: &Resource, reachability: &Reachability) -> Draft {
    let Reachability { protocol, port_begin, port_end, .. } = reachability;
    let edge = edge_in_words(reachability);
    let title = if port_begin == port_end {
        format!("Port {port_begin} is reachable from {edge} - {protocol}")
    } else {
        format!("Port range {port_begin}-{port_end} is reachable from {edge} - {protocol}")
    };
    Draft {
        id: FindingId::of_network_reachability(&resource.id, reachability),
        account: resource.account.clone(),
        region: resource.region.clone(),
        resource: resource.id.clone(),
        resource_kind: resource.kind(),
        title,
        description: bounded(&network_description(resource, reachability), DESCRIPTION_CHARS_MAX),
        remediation: network_remediation(resource.kind()).to_owned(),
        severity: ports::severity(reachability),
        inspector_score: None,
        fix_available: None,
        exploit_available: None,
        epss: None,
        details: FindingDetails::Network(NetworkFinding { reachability: reachability.clone() }),
    }
}

/// The edges of a network by the gateway that stands there, as Inspector's titles name the internet's.
fn edge_in_words(reachability: &Reachability) -> &str {
    let has_gateway = reachability.path.first().is_some_and(|step| step.component_type.ends_with("::InternetGateway"));
    match reachability.edge.as_str() {
        INTERNET if has_gateway => "an Internet Gateway",
        INTERNET => "the internet", // by an address of the service's own
        "peer" => "a VPC Peering Connection",
        "vpn" => "a VPN Connection",
        "direct-connect" => "a Direct Connect Gateway",
        "transit" => "a Transit Gateway",
        other => other,
    }
}

fn network_description(resource: &Resource, reachability: &Reachability) -> String {
    let Reachability { port_begin, port_end, interface, .. } = reachability;
    let kind = match resource.kind() {
        ResourceKind::Instance => "instance",
        ResourceKind::Image => "image",
        ResourceKind::Function => "function",
    };
    let range = format!("On the {kind} {}, the port range {port_begin}-{port_end} is reachable", resource.id);
    match reachability.path.first() {
        Some(step) if !interface.is_empty() => {
            let kind = step.component_type.rsplit("::").next().unwrap_or_default();
            format!("{range} from the {kind} {} from an attached ENI {interface}.", step.component_id)
        }
        _ => format!("{range} from {}.", edge_in_words(reachability)),
    }
}

fn network_remediation(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Function => {
            "You can restrict access to your function by requiring AWS_IAM authentication at its URL, or by narrowing \
             the principals of its resource policy."
        }
        ResourceKind::Instance | ResourceKind::Image => {
            "You can restrict access to your instance by modifying the Security Groups or ACLs in the network path."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{
        exposed, facts, function, instance, network_finding, package_finding, reachability, verdict, verdict_set,
    };
    use muster_domain::Step;

    fn draft(resource: &Resource, verdicts: Vec<Verdict>, facts: VulnerabilityFacts, exposure: &Exposure) -> Draft {
        drafts(resource, &verdict_set(verdicts, vec![facts]), exposure).remove(0)
    }

    #[test]
    fn without_a_version_3_vector_the_verdict_or_the_vendor_decides() {
        let check = |vectors: &[&str], judged: Severity, word: Option<&str>, expected: Severity| {
            let mut facts = facts("CVE-1", vectors);
            facts.vendor_severity = word.map(str::to_owned);
            let verdict = Verdict { severity: judged, ..verdict("CVE-1", "openssl", None) };
            let draft = draft(&instance(), vec![verdict], facts, &exposed(Vec::new()));
            assert_eq!((draft.severity, draft.inspector_score), (expected, None), "{vectors:?} {judged} {word:?}");
        };
        check(&[], Severity::Low, None, Severity::Low);
        check(&[], Severity::Untriaged, Some("high**"), Severity::High); // Debian's urgency
        check(&[], Severity::Untriaged, Some("not yet assigned"), Severity::Untriaged);
        check(&[], Severity::Untriaged, None, Severity::Untriaged);
        let version_4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        check(&[version_4], Severity::Critical, None, Severity::Critical); // shown, not adjusted
        check(&["CVSS:3.1/AV:N"], Severity::Medium, None, Severity::Medium); // unreadable
    }

    #[test]
    fn what_the_vendor_dismisses_is_informational_whatever_its_score() {
        let check = |words: &[Option<&str>], expected: Severity| {
            let verdicts = words.iter().enumerate().map(|(number, word)| {
                let mut verdict = verdict("CVE-1", &format!("package{number}"), None);
                verdict.explanation.vendor = word.map(str::to_owned);
                verdict
            });
            let facts = facts("CVE-1", &["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]);
            let draft = draft(&instance(), verdicts.collect(), facts, &Exposure::default());
            assert_eq!(draft.severity, expected, "{words:?}");
        };
        check(&[Some("unimportant")], Severity::Informational);
        check(&[Some("unimportant"), None], Severity::Critical); // of the other package nobody says so
        check(&[Some("low**")], Severity::Critical);
    }

    #[test]
    fn one_finding_lists_every_affected_package_of_a_vulnerability() {
        let mut fixed = verdict("CVE-1", "openssl", Some("3.0.15-1"));
        let mut other = verdict("CVE-2", "zlib1g", None);
        let mut unclear = verdict("CVE-1", "curl", None);
        unclear.status = Status::Undetermined;
        let mut fine = verdict("CVE-3", "bash", None);
        fine.status = Status::NotAffected;
        let doubled = verdict("CVE-1", "openssl", None);
        fixed.severity = Severity::Low;
        other.severity = Severity::High;
        let verdicts = vec![fixed, doubled, verdict("CVE-1", "libssl3", None), other, unclear, fine];
        let drafts = drafts(&instance(), &verdict_set(verdicts, Vec::new()), &Exposure::default());
        let mut titles: Vec<_> = drafts.iter().map(|draft| (draft.title.as_str(), draft.fix_available)).collect();
        titles.sort_by_key(|(title, _)| *title);
        let expected =
            [("CVE-1 - libssl3, openssl", Some(FixAvailable::Partial)), ("CVE-2 - zlib1g", Some(FixAvailable::No))];
        assert_eq!(titles, expected);
    }

    #[test]
    fn fix_and_remediation_follow_the_packages() {
        let check = |fixes: &[Option<&str>], fix: FixAvailable, remediation: &str| {
            let verdicts =
                fixes.iter().enumerate().map(|(number, fixed)| verdict("CVE-1", &format!("p{number}"), *fixed));
            let draft = draft(&instance(), verdicts.collect(), facts("CVE-1", &[]), &Exposure::default());
            assert_eq!((draft.fix_available, draft.remediation.as_str()), (Some(fix), remediation), "{fixes:?}");
        };
        let update = "Update the affected packages: apt-get update && apt-get upgrade";
        check(&[Some("2"), Some("3")], FixAvailable::Yes, update);
        check(&[Some("2"), None], FixAvailable::Partial, update);
        check(&[None, None], FixAvailable::No, "No fixed version is known yet.");
    }

    #[test]
    fn titles_and_descriptions_keep_to_their_limits() {
        let mut facts = facts("CVE-1", &[]);
        facts.description = "ä".repeat(5_000);
        let verdicts = (0..1_000).map(|number| verdict("CVE-1", &format!("package-{number}"), None)).collect();
        let draft = draft(&instance(), verdicts, facts.clone(), &Exposure::default());
        assert!(draft.title.chars().count() <= TITLE_CHARS_MAX, "{}", draft.title);
        assert!(draft.title.starts_with("CVE-1 - package-0, ") && draft.title.ends_with(" more"), "{}", draft.title);
        assert_eq!(draft.description.chars().count(), DESCRIPTION_CHARS_MAX);
        facts.description.clear();
        let nameless = super::description("CVE-1", &facts);
        assert_eq!(nameless, "CVE-1 has no description.");
    }

    #[test]
    fn a_reachable_range_is_told_in_inspectors_words() {
        let range = drafts(&instance(), &VerdictSet::default(), &exposed(vec![reachability(20, 25)])).remove(0);
        assert_eq!(range.title, "Port range 20-25 is reachable from an Internet Gateway - TCP");
        assert_eq!(range.severity, Severity::High); // telnet is among them
        let port = network_finding();
        assert_eq!(port.title, "Port 22 is reachable from an Internet Gateway - TCP");
        assert_eq!(
            port.description,
            "On the instance i-0a1b2c3d4e5f60718, the port range 22-22 is reachable from the InternetGateway \
             igw-0ccc3333 from an attached ENI eni-0ddd4444."
        );
        assert_eq!(
            port.remediation,
            "You can restrict access to your instance by modifying the Security Groups or ACLs in the network path."
        );
        assert_eq!(port.severity, Severity::Medium);
    }

    #[test]
    fn each_edge_has_its_words_and_its_severity() {
        let check = |edge: &str, first: (&str, &str), title: &str, from: &str, severity: Severity| {
            let mut range = Reachability { edge: edge.into(), ..reachability(22, 22) };
            range.path[0] = Step { component_id: first.0.into(), component_type: first.1.into() };
            let draft = drafts(&instance(), &VerdictSet::default(), &exposed(vec![range])).remove(0);
            assert_eq!((draft.title.as_str(), draft.severity), (title, severity));
            assert!(draft.description.contains(from), "{}", draft.description);
        };
        check(
            "peer",
            ("pcx-1", "AWS::EC2::VPCPeeringConnection"),
            "Port 22 is reachable from a VPC Peering Connection - TCP",
            "from the VPCPeeringConnection pcx-1 from an attached ENI",
            Severity::Low,
        );
        check(
            "vpn",
            ("vgw-1", "AWS::EC2::VPNGateway"),
            "Port 22 is reachable from a VPN Connection - TCP",
            "from the VPNGateway vgw-1 ",
            Severity::Low,
        );
        check(
            "transit",
            ("tgw-1", "AWS::EC2::TransitGateway"),
            "Port 22 is reachable from a Transit Gateway - TCP",
            "from the TransitGateway tgw-1 ",
            Severity::Low,
        );
        check(
            "direct-connect",
            ("dxgw-1", "AWS::DirectConnect::DirectConnectGateway"),
            "Port 22 is reachable from a Direct Connect Gateway - TCP",
            "from the DirectConnectGateway dxgw-1 ",
            Severity::Low,
        );
    }

    #[test]
    fn the_same_port_at_two_edges_is_two_findings_and_two_ways_from_one_edge_are_one() {
        let from_peer = |mut range: Reachability| {
            range.edge = "peer".into();
            range.path[0].component_id = "pcx-1".into();
            range
        };
        let mut longer = reachability(22, 22);
        longer.path.insert(1, Step { component_id: "lb".into(), component_type: "AWS::ElasticLoadBalancing".into() });
        let ranges = vec![reachability(22, 22), longer, from_peer(reachability(22, 22))];
        let drafts = drafts(&instance(), &VerdictSet::default(), &exposed(ranges));
        assert_eq!(drafts.len(), 2);
    }

    #[test]
    fn a_function_open_to_the_world_is_told_without_an_interface() {
        let function = function();
        let id = function.id.to_string();
        let mut range = Reachability { interface: String::new(), ..reachability(443, 443) };
        range.path = vec![Step { component_id: id.clone(), component_type: "AWS::Lambda::Function".into() }];
        let exposure = Exposure { reachabilities: vec![range], ..Exposure::default() };
        let draft = drafts(&function, &VerdictSet::default(), &exposure).remove(0);
        assert_eq!(draft.title, "Port 443 is reachable from the internet - TCP");
        assert_eq!(
            draft.description,
            format!("On the function {id}, the port range 443-443 is reachable from the internet.")
        );
        assert!(draft.remediation.contains("AWS_IAM"), "{}", draft.remediation);
    }

    #[test]
    fn every_finding_can_tell_why() {
        let check = |finding: &Finding, exposure: &Exposure, expected: &[&str]| {
            assert_eq!(reasons(finding, Some(exposure)), expected);
        };
        let adjusted = [
            "base score 9.8 by NVD: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "no path from an edge of the network leads to i-0a1b2c3d4e5f60718: an attacker must already be inside the \
             network (AV:N to AV:A)",
        ];
        check(&package_finding(&instance()), &exposed(Vec::new()), &adjusted);
        let mut unscored = package_finding(&instance());
        unscored.inspector_score = None;
        let word = "no CVSS v3 vector to adjust: HIGH by other scores, or the vendor's word (nothing)";
        check(&unscored, &exposed(Vec::new()), &[word]);
        let denied = Exposure { undetermined: vec!["ec2:DescribeVpcs".into()], ..exposed(Vec::new()) };
        let open = ["open to 0.0.0.0/0: SSH", "not known at present without ec2:DescribeVpcs"];
        check(&network_finding(), &denied, &open);
    }
}
