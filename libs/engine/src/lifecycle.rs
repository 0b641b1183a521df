//! The life cycle: what was told so far and what is wrong now -> what to tell.
//! Numbers: Amazon Inspector user guide, "Understanding findings", read 2026-11-24.

use crate::scoring::Draft;
use jiff::{SignedDuration, Timestamp};
use muster_domain::{Finding, FindingId, FindingStatus};
use std::collections::BTreeMap;

/// What comes back within this time after closing is the same finding.
pub const REOPENS_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A finding whose weakness is gone is kept this long after closing.
pub const FIXED_KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A finding whose resource is gone is kept this long after closing.
pub const GONE_KEPT_FOR: SignedDuration = SignedDuration::from_hours(3 * 24);

/// What happened to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransitionKind {
    /// It is new.
    Opened,
    /// Something of it changed.
    Updated,
    /// It is no longer true.
    Closed,
    /// It closed not long ago, and is true again.
    Reopened,
}

/// A finding after something happened to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// What happened.
    pub kind: TransitionKind,
    /// The finding now.
    pub finding: Finding,
}

/// What to tell, sorted by finding. `existing` are the findings of one resource that the drafts speak for, closed ones
/// too: `Exposure::judged` leaves out the others. Deciding again with the same drafts gives nothing.
pub fn decide(existing: &[Finding], drafts: Vec<Draft>, now: Timestamp) -> Vec<Transition> {
    let drafts: BTreeMap<FindingId, Draft> = drafts.into_iter().map(|draft| (draft.id.clone(), draft)).collect();
    let known: BTreeMap<&FindingId, &Finding> = existing.iter().map(|finding| (&finding.id, finding)).collect();
    let gone = known.values().filter(|finding| !drafts.contains_key(&finding.id));
    let mut transitions: Vec<Transition> = gone.filter_map(|finding| closed(finding, now)).collect();
    for (id, draft) in drafts {
        transitions.extend(match known.get(&id) {
            None => Some(opened(draft, now, 1)),
            Some(finding) if finding.status == FindingStatus::Closed => Some(returned(finding, draft, now)),
            Some(finding) => updated(finding, draft, now),
        });
    }
    transitions.sort_by(|one, other| one.finding.id.cmp(&other.finding.id));
    transitions
}

/// Until when a closed finding is kept; `None`: it is open.
pub fn kept_until(finding: &Finding, resource_is_gone: bool) -> Option<Timestamp> {
    let kept_for = if resource_is_gone { GONE_KEPT_FOR } else { FIXED_KEPT_FOR };
    finding.closed_at.map(|closed_at| closed_at.saturating_add(kept_for).unwrap_or(Timestamp::MAX))
}

fn opened(draft: Draft, now: Timestamp, revision: u64) -> Transition {
    let finding = Finding {
        id: draft.id,
        account: draft.account,
        region: draft.region,
        resource: draft.resource,
        resource_kind: draft.resource_kind,
        status: FindingStatus::Active,
        title: draft.title,
        description: draft.description,
        remediation: draft.remediation,
        severity: draft.severity,
        inspector_score: draft.inspector_score,
        fix_available: draft.fix_available,
        exploit_available: draft.exploit_available,
        epss: draft.epss,
        details: draft.details,
        first_observed_at: now,
        last_observed_at: now,
        updated_at: now,
        closed_at: None,
        revision,
    };
    Transition { kind: TransitionKind::Opened, finding }
}

/// A finding is what its draft says; only a change of that is an update.
fn updated(before: &Finding, draft: Draft, now: Timestamp) -> Option<Transition> {
    let mut finding = opened(draft, now, before.revision).finding;
    finding.status = before.status;
    finding.first_observed_at = before.first_observed_at;
    finding.last_observed_at = before.last_observed_at;
    finding.updated_at = before.updated_at;
    if finding == *before {
        return None;
    }
    finding.last_observed_at = now;
    finding.updated_at = now;
    finding.revision += 1;
    Some(Transition { kind: TransitionKind::Updated, finding })
}

/// The id of a weakness never changes, so the revision counts on even where a finding begins anew: sinks know it.
fn returned(before: &Finding, draft: Draft, now: Timestamp) -> Transition {
    let mut transition = opened(draft, now, before.revision + 1);
    let reopens = before.closed_at.is_none_or(|closed_at| now.duration_since(closed_at) <= REOPENS_WITHIN);
    if reopens {
        transition.kind = TransitionKind::Reopened;
        transition.finding.first_observed_at = before.first_observed_at;
    }
    transition
}

fn closed(before: &Finding, now: Timestamp) -> Option<Transition> {
    if before.status == FindingStatus::Closed {
        return None;
    }
    let finding = Finding {
        status: FindingStatus::Closed,
        closed_at: Some(now),
        updated_at: now,
        revision: before.revision + 1,
        ..before.clone()
    };
    Some(Transition { kind: TransitionKind::Closed, finding })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        samples::{NETWORK_VECTOR, at, exposed, facts, instance, reachability, verdict, verdict_set},
        scoring::drafts,
    };
    use muster_domain::Epss;
    use proptest::prelude::*;

    /// Drafts of one instance: these CVEs with this EPSS, and these open ports.
    fn wrong(cves: &[u8], epss: f64, ports: &[u16]) -> Vec<Draft> {
        let name = |cve: &u8| format!("CVE-2099-{cve}");
        let verdicts = cves.iter().map(|cve| verdict(&name(cve), "openssl", None)).collect();
        let facts = cves.iter().map(|cve| {
            let mut facts = facts(&name(cve), &[NETWORK_VECTOR]);
            facts.epss = Some(Epss { score: epss, percentile: 0.5 });
            facts
        });
        let exposure = exposed(ports.iter().map(|port| reachability(*port, *port)).collect());
        drafts(&instance(), &verdict_set(verdicts, facts.collect()), &exposure)
    }

    fn apply(findings: &mut Vec<Finding>, transitions: Vec<Transition>) {
        for transition in transitions {
            findings.retain(|finding| finding.id != transition.finding.id);
            findings.push(transition.finding);
        }
    }

    const START: &str = "2025-03-01T00:00:00Z";

    #[test]
    fn a_finding_opens_changes_closes_and_comes_back() {
        let mut findings = Vec::new();
        let mut check = |now: &str, cves: &[u8], epss: f64, expected: &str| {
            let transitions = decide(&findings, wrong(cves, epss, &[]), at(now));
            let told: Vec<String> = transitions
                .iter()
                .map(|Transition { kind, finding }| {
                    let first = finding.first_observed_at.strftime("%m-%d");
                    format!("{kind:?} {} revision {} since {first}", finding.status.as_str(), finding.revision)
                })
                .collect();
            assert_eq!(told.join(", "), expected, "{now}");
            apply(&mut findings, transitions);
        };
        check(START, &[1], 0.1, "Opened ACTIVE revision 1 since 03-01");
        check("2025-03-02T00:00:00Z", &[1], 0.1, ""); // nothing changed
        check("2025-03-03T00:00:00Z", &[1], 0.2, "Updated ACTIVE revision 2 since 03-01");
        check("2025-03-04T00:00:00Z", &[], 0.2, "Closed CLOSED revision 3 since 03-01");
        check("2025-03-05T00:00:00Z", &[], 0.2, "");
        check("2025-03-11T00:00:00Z", &[1], 0.2, "Reopened ACTIVE revision 4 since 03-01"); // seven days to the second
        check("2025-03-12T00:00:00Z", &[], 0.2, "Closed CLOSED revision 5 since 03-01");
        check("2025-03-19T00:00:01Z", &[1], 0.2, "Opened ACTIVE revision 6 since 03-19"); // too late: a new one
    }

    #[test]
    fn times_tell_what_happened_when() {
        let mut findings = Vec::new();
        apply(&mut findings, decide(&[], wrong(&[1], 0.1, &[]), at(START)));
        let later = at("2025-03-02T00:00:00Z");
        let transitions = decide(&findings, wrong(&[1], 0.3, &[]), later);
        apply(&mut findings, transitions);
        assert_eq!((findings[0].first_observed_at, findings[0].last_observed_at), (at(START), later));
        assert_eq!((findings[0].updated_at, findings[0].closed_at), (later, None));
        let end = at("2025-03-03T00:00:00Z");
        let transitions = decide(&findings, Vec::new(), end);
        apply(&mut findings, transitions);
        assert_eq!((findings[0].updated_at, findings[0].closed_at), (end, Some(end)));
        assert_eq!(findings[0].last_observed_at, later, "it was not seen when it closed");
        assert_eq!(kept_until(&findings[0], false), Some(at("2025-04-02T00:00:00Z")));
        assert_eq!(kept_until(&findings[0], true), Some(at("2025-03-06T00:00:00Z")));
        let transitions = decide(&findings, wrong(&[1], 0.3, &[]), end);
        apply(&mut findings, transitions);
        assert_eq!((findings[0].closed_at, kept_until(&findings[0], false)), (None, None));
    }

    #[test]
    fn a_suppressed_finding_stays_suppressed_until_it_closes() {
        let mut findings = Vec::new();
        apply(&mut findings, decide(&[], wrong(&[1], 0.1, &[]), at(START)));
        findings[0].status = FindingStatus::Suppressed;
        assert_eq!(decide(&findings, wrong(&[1], 0.1, &[]), at(START)), []);
        let updated = decide(&findings, wrong(&[1], 0.2, &[]), at(START)).remove(0);
        assert_eq!(updated.finding.status, FindingStatus::Suppressed);
        let closed = decide(&findings, Vec::new(), at(START)).remove(0);
        assert_eq!(closed.finding.status, FindingStatus::Closed);
    }

    #[test]
    fn what_the_exposure_cannot_judge_stays_open() {
        let mut findings = Vec::new();
        apply(&mut findings, decide(&[], wrong(&[1], 0.1, &[22]), at(START)));
        let mut unknown = exposed(Vec::new());
        unknown.undetermined = vec!["ec2:DescribeNetworkAcls".into()];
        let drafts = drafts(&instance(), &verdict_set(Vec::new(), Vec::new()), &unknown);
        let closed = decide(&unknown.judged(findings, &drafts), drafts, at(START));
        assert_eq!(closed.len(), 1, "the package's alone: {closed:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn deciding_twice_changes_nothing(
            steps in proptest::collection::vec(
                (proptest::collection::vec(0..6_u8, 0..5), 0..3_u8, proptest::collection::vec(20..24_u16, 0..3), 0..400_i64),
                1..6,
            )
        ) {
            let mut findings: Vec<Finding> = Vec::new();
            let mut now = at(START);
            for (cves, epss, ports, hours) in steps {
                now += SignedDuration::from_hours(hours);
                let drafts = wrong(&cves, f64::from(epss) / 10.0, &ports);
                let before = findings.clone();
                let transitions = decide(&findings, drafts.clone(), now);
                prop_assert_eq!(&transitions, &decide(&before, drafts.iter().rev().cloned().collect(), now));
                for transition in &transitions {
                    let known = before.iter().find(|finding| finding.id == transition.finding.id);
                    prop_assert_eq!(transition.finding.revision, known.map_or(1, |known| known.revision + 1));
                }
                apply(&mut findings, transitions);
                let open = findings.iter().filter(|finding| finding.status == FindingStatus::Active).count();
                let ids: std::collections::BTreeSet<_> = drafts.iter().map(|draft| &draft.id).collect();
                prop_assert_eq!(open, ids.len());
                let later = now + SignedDuration::from_hours(1);
                prop_assert_eq!(decide(&findings, drafts, later), []);
            }
        }
    }
}
