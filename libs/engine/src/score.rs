//! The Inspector score: a CVSS v3 vector, its attack vector lowered where nothing leads in, and the reasons.
//! The model and what was turned down: `docs/decisions/0005-inspector-score.md`, `0011-exposure-by-port.md`.

use crate::exposure::{Class, Exposure};
use muster_cvss::{Vector, Version};
use muster_domain::{
    Adjustment, BaseScore, InspectorScore, Package, Reachability, Resource, VectorString, VulnerabilityFacts,
};

/// The first CVSS v3 vector, moved from the network to an adjacent one where that is where an attacker of these packages
/// must be. `None`: nobody gave a v3 vector.
pub(crate) fn inspector_score(
    resource: &Resource,
    vulnerability: &VulnerabilityFacts,
    packages: &[&Package],
    exposure: &Exposure,
) -> Option<InspectorScore> {
    let (given, mut vector, base_score) = vulnerability.severity.iter().find_map(version_3)?;
    let is_of_network = vector.get("AV") == Some("N");
    let class = exposure.class(packages);
    let (adjustments, mut reasons) = adjustments(resource, vulnerability, exposure, is_of_network.then_some(class));
    if !adjustments.is_empty() {
        vector.set("AV", "A").expect("`AV:A` belongs to every vector of version 3");
    }
    reasons.extend(intelligence(vulnerability));
    Some(InspectorScore {
        score: base_score_of(&vector)?,
        version: vector.version().as_str().to_owned(),
        vector: vector.to_string(),
        source: given.source.clone(),
        base_score,
        base_vector: given.vector.clone(),
        adjustments,
        reasons,
    })
}

fn version_3(given: &VectorString) -> Option<(&VectorString, Vector, BaseScore)> {
    let vector: Vector = given.vector.parse().ok()?;
    let score = base_score_of(&vector)?;
    matches!(vector.version(), Version::V30 | Version::V31).then_some((given, vector, score))
}

fn base_score_of(vector: &Vector) -> Option<BaseScore> {
    BaseScore::from_tenths(vector.scores().base.tenths())
}

/// Lowers the attack vector when it is certain that no way leads in from the internet, or says why not. Without a class
/// the attack does not come over the network.
fn adjustments(
    resource: &Resource,
    vulnerability: &VulnerabilityFacts,
    exposure: &Exposure,
    class: Option<Class>,
) -> (Vec<Adjustment>, Vec<String>) {
    let unadjusted = |reason: String| (Vec::new(), vec![reason]);
    let place = match class {
        None => {
            return unadjusted("the attack does not come over the network, so exposure changes nothing".to_owned());
        }
        Some(Class::Internet(open)) => {
            return unadjusted(format!("reachable from the {}, for example on {}", open.edge, ports(open)));
        }
        Some(Class::Unknown) if exposure.undetermined.is_empty() => {
            return unadjusted("the exposure of this kind of resource is not modelled".to_owned());
        }
        Some(Class::Unknown) => {
            return unadjusted(format!("exposure is not known without {}", exposure.undetermined.join(", ")));
        }
        Some(Class::OpenPath(open)) => {
            format!("reachable from no internet gateway, only by an open path ({}), on {}", open.edge, ports(open))
        }
        Some(Class::OtherPorts(open)) => {
            format!("what is open to the {}, {}, leads to other software than this", open.edge, ports(open))
        }
        Some(Class::Closed) => format!("no path from an edge of the network leads to {}", resource.id),
    };
    if vulnerability.known_exploited.is_some() {
        return unadjusted("not reachable from the internet, but known to be exploited: not lowered".to_owned());
    }
    let reason = format!("{place}: an attacker must already be inside the network (AV:N to AV:A)");
    (vec![Adjustment { metric: "AV".to_owned(), reason }], Vec::new())
}

/// `TCP 22` or `TCP 20-25`.
fn ports(open: &Reachability) -> String {
    match open.port_begin == open.port_end {
        true => format!("{} {}", open.protocol, open.port_begin),
        false => format!("{} {}-{}", open.protocol, open.port_begin, open.port_end),
    }
}

/// What is known of exploitation. It changes no metric of CVSS v3: see the decision.
pub(crate) fn intelligence(vulnerability: &VulnerabilityFacts) -> Vec<String> {
    let known = vulnerability.known_exploited.as_ref().map(|known| {
        let ransomware = if known.ransomware { ", also by ransomware" } else { "" };
        format!("known to be exploited since {}{ransomware} (CISA KEV, due {})", known.date_added, known.due_date)
    });
    let predicted = vulnerability.epss.map(|epss| {
        let (chance, above) = (epss.score * 100.0, epss.percentile * 100.0);
        format!("exploitation within 30 days: {chance:.2} %, above {above:.1} % of all CVEs (EPSS)")
    });
    known.into_iter().chain(predicted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        samples::{
            NETWORK_VECTOR, exposed, facts, function, instance, package_finding, reachability, verdict, verdict_set,
        },
        scoring::{Draft, drafts},
    };
    use muster_domain::{Epss, ExploitAvailable, KnownExploited, Verdict};

    fn draft(resource: &Resource, verdicts: Vec<Verdict>, facts: VulnerabilityFacts, exposure: &Exposure) -> Draft {
        drafts(resource, &verdict_set(verdicts, vec![facts]), exposure).remove(0)
    }

    fn known_exploited() -> Option<KnownExploited> {
        Some(KnownExploited {
            date_added: "2025-03-01".into(),
            due_date: "2025-03-22".into(),
            required_action: "update".into(),
            ransomware: true,
        })
    }

    /// `SCORE VECTOR-OF-ATTACK SEVERITY: FIRST REASON`.
    fn check(resource: &Resource, vector: &str, is_known: bool, exposure: &Exposure, expected: &str) {
        let mut facts = facts("CVE-1", &[vector]);
        facts.known_exploited = is_known.then(known_exploited).flatten();
        let draft = draft(resource, vec![verdict("CVE-1", "openssl", None)], facts, exposure);
        let score = draft.inspector_score.unwrap();
        let attack = score.vector.split('/').nth(1).unwrap_or_default();
        let mut reasons = score.adjustments.iter().map(|adjustment| &adjustment.reason).chain(&score.reasons);
        let told = format!("{} {attack} {}: {}", score.score, draft.severity, reasons.next().unwrap());
        assert_eq!(told, expected);
    }

    fn undetermined(call: &str) -> Exposure {
        Exposure { undetermined: vec![call.into()], ..exposed(Vec::new()) }
    }

    #[test]
    fn an_attack_over_the_network_is_lowered_only_where_nothing_leads_in() {
        let (closed, open, not_modelled) =
            (exposed(Vec::new()), exposed(vec![reachability(22, 22)]), Exposure::default());
        let inside = "no path from an edge of the network leads to i-0a1b2c3d4e5f60718: an attacker must already be \
                      inside the network (AV:N to AV:A)";
        check(&instance(), NETWORK_VECTOR, false, &closed, &format!("8.8 AV:A HIGH: {inside}"));
        // CVSS v3.0 keeps its version
        check(
            &instance(),
            "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H",
            false,
            &closed,
            &format!("5.3 AV:A MEDIUM: {inside}"),
        );
        check(
            &instance(),
            NETWORK_VECTOR,
            false,
            &open,
            "9.8 AV:N CRITICAL: reachable from the internet, for example on TCP 22",
        );
        let unknown = undetermined("ec2:DescribeNetworkAcls");
        check(
            &instance(),
            NETWORK_VECTOR,
            false,
            &unknown,
            "9.8 AV:N CRITICAL: exposure is not known without ec2:DescribeNetworkAcls",
        );
        let kind = "9.8 AV:N CRITICAL: the exposure of this kind of resource is not modelled";
        check(&function(), NETWORK_VECTOR, false, &not_modelled, kind);
        let local = "7.8 AV:L HIGH: the attack does not come over the network, so exposure changes nothing";
        check(&instance(), "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", false, &closed, local);
    }

    #[test]
    fn an_open_path_or_a_port_of_other_software_lowers_too_and_says_so() {
        let score = |name: &str, open: Reachability| {
            let facts = facts("CVE-1", &[NETWORK_VECTOR]);
            let draft = draft(&instance(), vec![verdict("CVE-1", name, None)], facts, &exposed(vec![open]));
            let score = draft.inspector_score.unwrap();
            let reasons = score.adjustments.into_iter().map(|adjustment| adjustment.reason).chain(score.reasons);
            format!("{}: {}", score.score, reasons.collect::<Vec<_>>().join("; "))
        };
        let inside = "an attacker must already be inside the network (AV:N to AV:A)";
        let peer = Reachability { edge: "peer".into(), ..reachability(22, 22) };
        let path = "reachable from no internet gateway, only by an open path (peer), on TCP 22";
        assert_eq!(score("openssh-server", peer), format!("8.8: {path}: {inside}"));
        let other = "what is open to the internet, TCP 22, leads to other software than this";
        assert_eq!(score("redis-server", reachability(22, 22)), format!("8.8: {other}: {inside}"));
        let internet = "reachable from the internet, for example on TCP 22";
        assert_eq!(score("openssh-server", reachability(22, 22)), format!("9.8: {internet}"));
    }

    #[test]
    fn what_is_known_to_be_exploited_is_never_lowered() {
        let known = "9.8 AV:N CRITICAL: not reachable from the internet, but known to be exploited: not lowered";
        check(&instance(), NETWORK_VECTOR, true, &exposed(Vec::new()), known);
    }

    #[test]
    fn the_base_score_and_its_source_stay_beside_the_adjusted_one() {
        let score = package_finding(&instance()).inspector_score.unwrap();
        assert_eq!((score.base_score.tenths(), score.score.tenths()), (98, 88));
        assert_eq!((score.source.as_str(), score.version.as_str()), ("NVD", "3.1"));
        assert_eq!(score.base_vector, NETWORK_VECTOR);
        assert_eq!(score.vector, "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
        assert_eq!(score.adjustments.len(), 1);
    }

    #[test]
    fn exploitation_is_told_and_changes_no_number() {
        let mut facts = facts("CVE-1", &[NETWORK_VECTOR]);
        facts.known_exploited = known_exploited();
        facts.epss = Some(Epss { score: 0.94321, percentile: 0.999 });
        let draft =
            draft(&instance(), vec![verdict("CVE-1", "openssl", None)], facts, &exposed(vec![reachability(1, 2)]));
        let score = draft.inspector_score.unwrap();
        let expected = [
            "reachable from the internet, for example on TCP 1-2",
            "known to be exploited since 2025-03-01, also by ransomware (CISA KEV, due 2025-03-22)",
            "exploitation within 30 days: 94.32 %, above 99.9 % of all CVEs (EPSS)",
        ];
        assert_eq!(score.reasons, expected);
        assert_eq!(score.score, score.base_score);
        assert_eq!(draft.exploit_available, Some(ExploitAvailable::Yes));
        assert_eq!(draft.epss.map(|epss| epss.score), Some(0.94321));
    }
}
