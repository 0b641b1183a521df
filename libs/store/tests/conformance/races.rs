//! Several at once.

use super::things::*;
use muster_domain::*;
use muster_store::*;

pub async fn of_two_writers_of_one_revision_one_wins(store: &Store) {
    let resource = function("600000000001", "race");
    put(store, std::slice::from_ref(&resource)).await;
    let opened = finding(&resource, "CVE-1");
    apply(store, std::slice::from_ref(&opened)).await;
    for revision in 2..12 {
        let write = |severity, word: &'static str| {
            let (store, resource) = (store.clone(), resource.id.clone());
            let finding = Finding { revision, severity, ..opened.clone() };
            tokio::spawn(async move {
                let told = vec![message(&format!("race {revision} {word}"))];
                store.apply(&resource, &scored(word), &[finding], told).await
            })
        };
        let (one, two) = tokio::join!(write(Severity::Low, "one"), write(Severity::High, "two"));
        let (one, two) = (one.unwrap(), two.unwrap());
        let (winner, severity) = match (&one, &two) {
            (Ok(()), Err(StoreError::Conflict { .. })) => ("one", Severity::Low),
            (Err(StoreError::Conflict { .. }), Ok(())) => ("two", Severity::High),
            _ => panic!("revision {revision}: {one:?} {two:?}"),
        };
        assert_eq!(store.finding(&opened.id).await.unwrap().unwrap().severity, severity);
        let told = waiting(store, SCORING, &format!("race {revision} ")).await;
        assert_eq!(told, [format!("race {revision} {winner}")]);
    }
}

pub async fn two_replicas_that_see_the_same_tell_it_once(store: &Store) {
    let account = "600000000002";
    let resources: Vec<_> = (0..300).map(|n| instance(account, &format!("i-r{n:03}"))).collect();
    for (round, seen) in [&resources[..], &resources[..100], &resources[..]].into_iter().enumerate() {
        let observe = |replica: char| {
            let (store, sweep) = (store.clone(), sweep(account, ResourceKind::Instance, seen, round as i64));
            tokio::spawn(async move {
                let told = |change: &Change<'_>| match change {
                    Change::Observed(resource, _) => message(&format!("replica {round} {} {replica}", resource.id)),
                    Change::Gone(id) => message(&format!("replica {round} {id} {replica}")),
                };
                store.observe(&sweep, told).await.unwrap()
            })
        };
        let (one, two) = tokio::join!(observe('1'), observe('2'));
        let (one, two) = (one.unwrap(), two.unwrap());
        let changed = |observed: &Observed| observed.changed.len() + observed.gone.len();
        let expected = [300, 200, 200][round];
        let mut both = [changed(&one), changed(&two)];
        both.sort_unstable();
        assert_eq!(both, [0, expected], "round {round}");
        assert_eq!(waiting(store, DISCOVERY, &format!("replica {round} ")).await.len(), expected, "round {round}");
    }
}

pub async fn many_writers_at_once_all_get_through(store: &Store) {
    let account = "600000000003";
    let functions: Vec<_> = (0..40).map(|n| function(account, &format!("busy{n}"))).collect();
    store.observe(&sweep(account, ResourceKind::Function, &functions, 0), |_| message("busy")).await.unwrap();
    // the same software on all: the same inventory and the same verdicts, written by all at once
    let software = inventory((0..50).map(|n| package("npm", &format!("busy{n}"), "1.0.0")).collect());
    let tasks = functions.iter().cloned().map(|function| {
        let (store, software) = (store.clone(), software.clone());
        tokio::spawn(async move {
            scan(&store, &function, Some(&software)).await;
            let set = VerdictSet { not_affected: 4242, ..VerdictSet::default() };
            let key = MatchKey { inventory: Some(software.digest()), epoch: 40, topology: None, gone: false };
            store.put_match(&function.id, &key, &set.digest(), Some(&set), b"{}", None).await.unwrap();
            let matched = store.matched(&function.id).await.unwrap().unwrap();
            let found = finding(&function, "CVE-1");
            let told = vec![message(&format!("busy {}", function.id))];
            store.apply(&function.id, &matched.scored_key(), std::slice::from_ref(&found), told).await.unwrap();
            store.mark_published("busy", &[(found.id, 1)]).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(waiting(store, SCORING, "busy ").await.len(), 40);
    let unscored = store.unscored(u32::MAX).await.unwrap();
    assert!(functions.iter().all(|function| !unscored.contains(&function.id)));
}

pub async fn batches_over_the_same_resources_wait_for_each_other(store: &Store) {
    let account = "600000000004";
    let functions: Vec<_> = (0..60).map(|n| function(account, &format!("batch{n:02}"))).collect();
    store.observe(&sweep(account, ResourceKind::Function, &functions, 0), |_| message("batches")).await.unwrap();
    let software = inventory(vec![package("npm", "batches", "1.0.0")]);
    scan(store, &functions[0], Some(&software)).await;
    let tasks = (0..8).map(|writer| {
        let (store, mut mine, software) = (store.clone(), functions.clone(), software.digest());
        // each begins elsewhere: without an order of their own they would wait for each other in a circle
        mine.rotate_left(writer * 7);
        tokio::spawn(async move {
            let set = VerdictSet { not_affected: 6464, ..VerdictSet::default() };
            let matches = mine.iter().map(|function| NewMatch {
                resource: function.id.clone(),
                key: MatchKey { inventory: Some(software.clone()), epoch: 40, topology: None, gone: false },
                verdicts: set.digest(),
                verdict_set: Some(set.clone()),
                exposure: b"{}".to_vec(),
                message: Some(message(&format!("batches match {}", function.id))),
            });
            assert_eq!(store.put_matches(matches.collect()).await.unwrap().len(), mine.len());
            let scored = mine.iter().map(|function| ScoredResource {
                resource: function.id.clone(),
                key: scored("batches"),
                findings: vec![finding(function, "CVE-1")],
                messages: vec![message(&format!("batches {}", function.id))],
            });
            store.apply_many(scored.collect()).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(waiting(store, SCORING, "batches ").await.len(), 60);
    assert_eq!(waiting(store, MATCHING, "batches match ").await.len(), 60);
}
