//! Scoring and publishing: findings and who was told of them.

use super::things::*;
use muster_domain::*;
use muster_store::*;

fn revised(finding: &Finding, revision: u64, severity: Severity) -> Finding {
    Finding { revision, severity, updated_at: at(revision as i64), ..finding.clone() }
}

pub async fn findings_and_their_messages_are_one_transaction(store: &Store) {
    let resource = function("400000000001", "one");
    put(store, std::slice::from_ref(&resource)).await;
    let [first, second] = ["CVE-1", "CVE-2"].map(|id| finding(&resource, id));
    let before = store.severity_counts().await.unwrap()[&Severity::High];
    for _ in 0..2 {
        let told = vec![message("one 1"), message("one 2")];
        store.apply(&resource.id, &scored("a"), &[first.clone(), second.clone()], told).await.unwrap();
    }
    let mut expected = vec![first.clone(), second.clone()];
    expected.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(store.findings_of(&resource.id).await.unwrap(), expected);
    assert_eq!(store.finding(&first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(waiting(store, SCORING, "one").await, ["one 1", "one 2"]);
    assert_eq!(store.severity_counts().await.unwrap()[&Severity::High], before + 2);

    // the second of the two is stale: nothing of either is written
    let mixed = [revised(&first, 2, Severity::Low), revised(&second, 1, Severity::Low)];
    let error = store.apply(&resource.id, &scored("b"), &mixed, vec![message("one 3")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    assert_eq!(store.findings_of(&resource.id).await.unwrap(), expected);
    assert_eq!(waiting(store, SCORING, "one").await, ["one 1", "one 2"]);
}

pub async fn a_revision_that_is_not_newer_is_a_conflict(store: &Store) {
    let resource = function("400000000002", "two");
    put(store, std::slice::from_ref(&resource)).await;
    let first = finding(&resource, "CVE-1");
    let seen_again = Finding { last_observed_at: at(9), ..first.clone() };
    let third = revised(&first, 3, Severity::Low);
    let steps = [
        ("opened", first.clone(), true, &first),
        ("the same again", first.clone(), true, &first),
        ("other content under the same revision", revised(&first, 1, Severity::Low), false, &first),
        ("seen later, and the same", seen_again.clone(), true, &seen_again),
        ("a late word of an earlier sight", first.clone(), true, &seen_again),
        ("revisions may be skipped", third.clone(), true, &third),
        ("an older revision", revised(&first, 2, Severity::High), false, &third),
    ];
    for (case, written, taken, expected) in steps {
        let result = store.apply(&resource.id, &scored("a"), &[written], Vec::new()).await;
        assert!(
            matches!((taken, &result), (true, Ok(())) | (false, Err(StoreError::Conflict { .. }))),
            "{case}: {result:?}"
        );
        assert_eq!(store.finding(&first.id).await.unwrap().as_ref(), Some(expected), "{case}");
    }
}

pub async fn closed_findings_are_deleted_after_their_days(store: &Store) {
    const DAY: i64 = 86_400;
    let account = "400000000003";
    let [there, gone] = ["there", "gone"].map(|name| function(account, name));
    store
        .observe(&sweep(account, ResourceKind::Function, &[there.clone(), gone.clone()], 0), |_| message("x"))
        .await
        .unwrap();
    store
        .observe(&sweep(account, ResourceKind::Function, std::slice::from_ref(&there), 0), |_| message("x"))
        .await
        .unwrap();
    let closed = |resource: &Resource, id: &str| Finding {
        status: FindingStatus::Closed,
        closed_at: Some(at(0)),
        ..finding(resource, id)
    };
    let all = [closed(&there, "CVE-1"), closed(&gone, "CVE-1"), finding(&there, "CVE-2"), finding(&gone, "CVE-2")];
    apply(store, &all).await;
    store.mark_published("purge", &[(all[0].id.clone(), 1)]).await.unwrap();
    for (days, left) in
        [(3, [true, true, true, true]), (4, [true, false, true, true]), (31, [false, false, true, true])]
    {
        store.purge_closed(at(days * DAY)).await.unwrap();
        for (finding, left) in all.iter().zip(left) {
            let found = store.finding(&finding.id).await.unwrap().is_some();
            assert_eq!(found, left, "{} {} after {days} days", finding.resource, finding.title);
        }
    }
}

pub async fn a_sink_is_told_each_revision_once(store: &Store) {
    let resource = function("400000000004", "four");
    put(store, std::slice::from_ref(&resource)).await;
    let untold = async |sink: &str| {
        let findings = store.unpublished(sink, u32::MAX).await.unwrap();
        let mut untold: Vec<_> = findings
            .into_iter()
            .filter(|finding| finding.resource == resource.id)
            .map(|finding| (finding.title, finding.revision))
            .collect();
        untold.sort();
        untold
    };
    let untold_is = async |sink: &str, expected: &[(&str, u64)]| {
        let untold = untold(sink).await;
        let untold: Vec<_> = untold.iter().map(|(title, revision)| (title.as_str(), *revision)).collect();
        assert_eq!(untold, expected, "{sink}");
    };
    let [first, second] = ["CVE-1", "CVE-2"].map(|id| finding(&resource, id));
    apply(store, &[first.clone(), second.clone()]).await;
    untold_is("hub", &[("CVE-1 - openssl", 1), ("CVE-2 - openssl", 1)]).await;
    for _ in 0..2 {
        store.mark_published("hub", &[(first.id.clone(), 1)]).await.unwrap();
    }
    untold_is("hub", &[("CVE-2 - openssl", 1)]).await;
    untold_is("bridge", &[("CVE-1 - openssl", 1), ("CVE-2 - openssl", 1)]).await;
    apply(store, &[revised(&first, 2, Severity::Low)]).await;
    untold_is("hub", &[("CVE-1 - openssl", 2), ("CVE-2 - openssl", 1)]).await;
    store.mark_published("hub", &[(first.id.clone(), 2), (second.id.clone(), 1)]).await.unwrap();
    store.mark_published("hub", &[(first.id.clone(), 1)]).await.unwrap(); // late
    untold_is("hub", &[]).await;
    let deleted = FindingId::parse(&"0".repeat(32)).unwrap();
    store.mark_published("hub", &[(deleted, 1)]).await.unwrap();
    // both revisions of one finding at once: the later one counts, in whatever order
    store.mark_published("bridge", &[(first.id.clone(), 2), (first.id.clone(), 1), (second.id, 1)]).await.unwrap();
    untold_is("bridge", &[]).await;
}

pub async fn a_thousand_findings_of_one_resource_are_written_and_told_at_once(store: &Store) {
    let resource = function("400000000006", "six");
    put(store, std::slice::from_ref(&resource)).await;
    let all: Vec<Finding> = (0..1000).map(|number| finding(&resource, &format!("CVE-{number}"))).collect();
    store.apply(&resource.id, &scored("a"), &all, Vec::new()).await.unwrap();
    let later: Vec<Finding> = all.iter().map(|finding| revised(finding, 2, Severity::Low)).collect();
    store.apply(&resource.id, &scored("b"), &later, Vec::new()).await.unwrap();
    assert_eq!(store.findings_of(&resource.id).await.unwrap().len(), all.len());
    let told: Vec<_> = later.iter().map(|finding| (finding.id.clone(), finding.revision)).collect();
    store.mark_published("thousand", &told).await.unwrap();
    let untold = store.unpublished("thousand", u32::MAX).await.unwrap();
    assert!(untold.iter().all(|finding| finding.resource != resource.id));
    let filter = FindingFilter {
        account: vec![StringFilter::equals(resource.account.as_str())],
        package_name: vec![StringFilter::equals("openssl")],
        ..FindingFilter::default()
    };
    let query = FindingQuery { filter, page_size: 2000, ..FindingQuery::default() };
    assert_eq!(store.findings(&query).await.unwrap().findings.len(), 1000, "each is found by its package");
}

pub async fn findings_of_several_resources_are_written_together_or_not_at_all(store: &Store) {
    let functions = ["one", "two", "three"].map(|name| function("400000000007", name));
    put(store, &functions).await;
    let opened = functions.each_ref().map(|function| [finding(function, "CVE-1"), finding(function, "CVE-2")]);
    let one = |index: usize, findings: &[Finding], word: &str| ScoredResource {
        resource: functions[index].id.clone(),
        key: scored(word),
        findings: findings.to_vec(),
        messages: findings.iter().map(|finding| message(&format!("several {word} {}", finding.id))).collect(),
    };
    let ids = functions.each_ref().map(|function| function.id.clone());
    store.apply_many(Vec::new()).await.unwrap();
    for _ in 0..2 {
        // the last has nothing to tell: only that it is scored is noted
        store.apply_many(vec![one(1, &opened[1], "a"), one(0, &opened[0], "a"), one(2, &[], "a")]).await.unwrap();
    }
    let found = store.findings_of_many(&ids).await.unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), {
        let mut two = vec![&ids[0], &ids[1]];
        two.sort();
        two
    });
    for id in &ids {
        assert_eq!(found.get(id).cloned().unwrap_or_default(), store.findings_of(id).await.unwrap());
    }
    assert_eq!(waiting(store, SCORING, "several ").await.len(), 4);

    // one finding of one resource is stale: nothing of any is written
    let newer = [revised(&opened[0][0], 2, Severity::Low)];
    let stale = [revised(&opened[1][0], 1, Severity::Low)];
    let error = store.apply_many(vec![one(0, &newer, "b"), one(1, &stale, "b")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    assert_eq!(store.findings_of_many(&ids).await.unwrap(), found);
    assert_eq!(waiting(store, SCORING, "several ").await.len(), 4);
    store.apply_many(vec![one(0, &newer, "b"), one(1, &opened[1], "b")]).await.unwrap();
    assert_eq!(store.finding(&newer[0].id).await.unwrap().as_ref(), Some(&newer[0]));

    let twice = [opened[2][0].clone(), opened[2][0].clone()];
    for refused in [vec![one(2, &twice, "c")], vec![one(2, &[], "c"), one(2, &[], "d")]] {
        let error = store.apply_many(refused).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    }
}
