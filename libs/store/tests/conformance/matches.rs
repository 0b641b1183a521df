//! Matching: matches, verdicts and how they move on.

use super::{epochs::epoch, things::*};
use muster_domain::*;
use muster_store::*;
use std::collections::BTreeMap;

fn key(inventory: Option<&Inventory>, epoch: u64, topology: Option<&str>) -> MatchKey {
    MatchKey { inventory: inventory.map(Inventory::digest), epoch, topology: topology.map(digest), gone: false }
}

async fn put_match(store: &Store, resource: &ResourceId, key: &MatchKey) -> bool {
    let set = VerdictSet { inventory: key.inventory.clone(), ..VerdictSet::default() };
    let told = Some(message(&format!("match {resource} {}", key.epoch)));
    store.put_match(resource, key, &set.digest(), Some(&set), b"{}", told).await.unwrap()
}

async fn is_unmatched(store: &Store, resource: &ResourceId) -> bool {
    store.unmatched(u32::MAX).await.unwrap().contains(resource)
}

fn touched(ecosystem: &str, name: &str, from: &str, to: &str) -> Touched {
    let scheme = ecosystem.parse::<Ecosystem>().unwrap().scheme();
    let key = |version: &str| match version {
        "" => Vec::new(),
        version => scheme.key(version).unwrap().as_bytes().to_vec(),
    };
    Touched { ecosystem: ecosystem.into(), name: name.into(), from: key(from), to: key(to) }
}

/// An epoch that was never stored: marking needs its number and delta alone.
fn mark(number: u64, delta: StoredDelta) -> Epoch {
    Epoch { delta, ..epoch(number, b"", &[]) }
}

pub async fn gaps_are_read_for_a_page_of_resources(store: &Store) {
    let account = "300000000012";
    let (one, other) = (instance(account, "i-g1"), instance(account, "i-g2"));
    put(store, &[one.clone(), other.clone()]).await;
    let gap = Gap { ecosystem: "ubuntu 22.04".into(), reason: "no advisory data".into(), packages: 312 };
    let set = VerdictSet { gaps: vec![gap.clone()], ..VerdictSet::default() };
    store.put_match(&one.id, &key(None, 1, None), &set.digest(), Some(&set), b"{}", None).await.unwrap();
    put_match(store, &other.id, &key(None, 1, None)).await;
    let ids = [one.id.clone(), other.id.clone(), ResourceId::new("i-unknown")];
    assert_eq!(store.gaps_of(&ids).await.unwrap(), [(one.id, vec![gap])].into());
    assert!(store.gaps_of(&[]).await.unwrap().is_empty());
}

pub async fn unmatched_is_whatever_has_other_inputs_than_its_match(store: &Store) {
    let account = "300000000001";
    let (server, lambda) = (instance(account, "i-m1"), function(account, "m1"));
    let both = [server.clone(), lambda.clone()];
    put(store, &both).await;
    let software = inventory(vec![package("PyPI", "flask", "1.0")]);
    let topology = async |word: &str| {
        let (account, region) = (account.parse().unwrap(), Region::new("eu-central-1"));
        store.put_topology(&account, &region, &digest(word), &[], b"", message(word)).await.unwrap();
    };
    let unmatched = async || (is_unmatched(store, &server.id).await, is_unmatched(store, &lambda.id).await);
    let matched = async |inventory, topology: Option<&str>, epoch| {
        put_match(store, &server.id, &key(inventory, epoch, topology)).await;
        put_match(store, &lambda.id, &key(inventory, epoch, topology)).await;
    };

    assert_eq!(unmatched().await, (true, true), "never matched, never scanned, no topology");
    matched(None, None, 1).await;
    assert_eq!(unmatched().await, (false, false), "matched without either");
    for resource in &both {
        scan(store, resource, None).await;
    }
    assert_eq!(unmatched().await, (false, false), "scanned, without an inventory");
    topology("m one").await;
    assert_eq!(unmatched().await, (true, true), "a topology came, which instances and functions have a place in");
    matched(None, Some("m one"), 1).await;
    assert_eq!(unmatched().await, (false, false), "matched with the topology");
    topology("m two").await;
    assert_eq!(unmatched().await, (true, true), "the topology changed");
    matched(None, Some("m two"), 1).await;
    let (owner, region): (AccountId, Region) = (account.parse().unwrap(), Region::new("eu-central-1"));
    let judged = async || store.judged_topology(&owner, &region).await.unwrap();
    assert_eq!(judged().await, Some(digest("m two")));
    let linked = |word: &str| [((owner.clone(), region.clone()), digest(word))].into();
    store.put_linked_topologies(&linked("m two and another")).await.unwrap();
    assert_eq!(judged().await, Some(digest("m two and another")));
    assert_eq!(unmatched().await, (true, true), "it is judged together with another one");
    matched(None, Some("m two and another"), 1).await;
    assert_eq!(unmatched().await, (false, false), "matched with both");
    store.put_linked_topologies(&linked("m two and another that changed")).await.unwrap();
    assert_eq!(unmatched().await, (true, true), "the other one changed");
    store.put_linked_topologies(&BTreeMap::new()).await.unwrap();
    matched(None, Some("m two"), 1).await;
    assert_eq!(unmatched().await, (false, false), "alone again");
    for resource in &both {
        scan(store, resource, Some(&software)).await;
    }
    assert_eq!(unmatched().await, (true, true), "an inventory came");
    matched(Some(&software), Some("m two"), 1).await;
    assert_eq!(unmatched().await, (false, false), "matched with the inventory");
    let stored = store.matched(&server.id).await.unwrap().unwrap();
    let set = VerdictSet { inventory: Some(software.digest()), ..VerdictSet::default() };
    assert_eq!(stored.key, key(Some(&software), 1, Some("m two")));
    assert_eq!((stored.verdicts.clone(), stored.exposure.as_slice()), (set.digest(), b"{}".as_slice()));
    assert_eq!(store.verdict_set(&set.digest()).await.unwrap(), Some(set.clone()));
    assert_eq!(store.cached_verdicts(&software.digest(), 1).await.unwrap(), Some(set.digest()));
    assert_eq!(store.cached_verdicts(&software.digest(), 2).await.unwrap(), None);

    // scoring follows the match
    let unscored = async || store.unscored(u32::MAX).await.unwrap().contains(&server.id);
    assert!(unscored().await);
    store.apply(&server.id, &stored.scored_key(), &[], Vec::new()).await.unwrap();
    assert!(!unscored().await);

    // gone: matched once more, as gone, and scored once more
    store.observe(&sweep(account, ResourceKind::Instance, &[], 3), |_| message("m1 gone")).await.unwrap();
    assert!(is_unmatched(store, &server.id).await, "gone, but still counts as there");
    put_match(store, &server.id, &MatchKey { gone: true, ..key(None, 1, None) }).await;
    assert!(!is_unmatched(store, &server.id).await, "gone for good, whatever the epoch");
    assert!(unscored().await);
    put(store, std::slice::from_ref(&server)).await;
    assert!(is_unmatched(store, &server.id).await, "back again");
}

pub async fn an_older_epoch_never_replaces_a_newer_match(store: &Store) {
    let resource = function("300000000002", "older");
    put(store, std::slice::from_ref(&resource)).await;
    assert!(put_match(store, &resource.id, &key(None, 5, None)).await);
    assert!(put_match(store, &resource.id, &key(None, 5, None)).await, "the same again");
    assert!(!put_match(store, &resource.id, &key(None, 4, None)).await);
    assert_eq!(store.matched(&resource.id).await.unwrap().unwrap().key.epoch, 5);
    assert_eq!(waiting(store, MATCHING, "match arn:aws:lambda:eu-central-1:300000000002").await.len(), 1);
    let error = store.put_match(&resource.id, &key(None, 5, None), &digest("never"), None, b"{}", None).await;
    assert!(matches!(error, Err(StoreError::Missing { .. })), "{error:?}");
}

pub async fn only_what_an_epoch_touches_is_behind(store: &Store) {
    let account = "300000000003";
    let versions = ["1.0.0", "1.5.0", "2.0.0", "not a version"];
    let functions = versions.map(|version| function(account, &version.replace(' ', "-")));
    store.observe(&sweep(account, ResourceKind::Function, &functions, 0), |_| message("3")).await.unwrap();
    let software = versions.map(|version| inventory(vec![package("npm", "left", version), package("PyPI", "x", "1")]));
    let base = store.marked_epoch().await.unwrap() + 10;
    store.mark_touched(&mark(base, StoredDelta::default())).await.unwrap();
    for (function, software) in functions.iter().zip(&software) {
        scan(store, function, Some(software)).await;
        put_match(store, &function.id, &key(Some(software), base, None)).await;
    }
    let behind = async || {
        let ids = store.behind(u32::MAX).await.unwrap();
        functions.each_ref().map(|function| ids.contains(&function.id))
    };
    assert_eq!(behind().await, [false; 4]);

    // a range of versions, and the one that nobody can compare; the ecosystem is part of the name
    let ranges =
        vec![touched("PyPI", "left", "", ""), touched("npm", "left", "1.1.0", "2.0.0"), touched("npm", "y", "", "")];
    let delta = StoredDelta { touched: ranges, everything: false };
    assert_eq!(store.mark_touched(&mark(base + 1, delta.clone())).await.unwrap(), 2);
    assert_eq!(store.mark_touched(&mark(base + 1, delta)).await.unwrap(), 0, "once more changes nothing");
    assert_eq!(store.marked_epoch().await.unwrap(), base + 1);
    assert_eq!(behind().await, [false, true, false, true]);
    for (software, is_good) in software.iter().zip([true, false, true, false]) {
        let cached = store.cached_verdicts(&software.digest(), base + 1).await.unwrap();
        assert_eq!(cached.is_some(), is_good, "verdicts of an epoch count while none after it touches");
        assert!(store.cached_verdicts(&software.digest(), base).await.unwrap().is_some());
        assert_eq!(store.cached_verdicts(&software.digest(), base + 2).await.unwrap(), None, "nobody marked that yet");
    }

    // matched again, they are behind no more, and the verdicts of before are forgotten
    for (function, software) in functions.iter().zip(&software) {
        put_match(store, &function.id, &key(Some(software), base + 1, None)).await;
    }
    assert_eq!(behind().await, [false; 4]);
    store.purge_matches().await.unwrap();
    assert_eq!(store.cached_verdicts(&software[0].digest(), base).await.unwrap(), None);
    assert!(store.cached_verdicts(&software[0].digest(), base + 1).await.unwrap().is_some());

    // open on one side; an epoch between that was never marked touches all
    let open = StoredDelta { touched: vec![touched("npm", "left", "1.5.0", "")], everything: false };
    assert_eq!(store.mark_touched(&mark(base + 2, open)).await.unwrap(), 3);
    assert!(store.mark_touched(&mark(base + 4, StoredDelta::default())).await.unwrap() >= 4);
    assert_eq!(behind().await, [true; 4]);
}

pub async fn an_inventory_is_touched_by_the_names_that_advisories_use(store: &Store) {
    let resource = function("200000000003", "names");
    put(store, std::slice::from_ref(&resource)).await;
    let mut binary = package("Debian:12", "libnames3", "3.0.11-1+b1");
    binary.source = Some(SourcePackage { name: "names".to_owned(), version: "3.0.11-1".to_owned() });
    let mut unknown = package("PyPI", "nobody", "1");
    unknown.ecosystem = None;
    let software = inventory(vec![
        binary,
        unknown,
        package("Ubuntu:18.04", "names", "1.0"),
        package("PyPI", "Names.Interface", "1.0"),
        package("PyPI", "broken-names", "not a version"),
    ]);
    scan(store, &resource, Some(&software)).await;
    let mut number = store.marked_epoch().await.unwrap() + 1;
    store.mark_touched(&mark(number, StoredDelta::default())).await.unwrap();
    let expected = [
        ("Debian:12", "names", "3.0.10-1", "3.0.11-2", 1),
        ("Debian:12", "names", "3.0.11-2", "9", 0), // the binary's own version would be in no range either
        ("Debian:12", "libnames3", "3.0.11-1", "9", 1), // some claims are about the binary itself
        ("Debian:12", "libnames3", "3.0.12-1", "9", 0),
        ("Ubuntu:Pro:18.04", "names", "0", "2", 1), // fixes of Ubuntu Pro are looked up for Ubuntu's packages
        ("PyPI", "names-interface", "0.9", "1.1", 1),
        ("PyPI", "broken-names", "0", "9", 1), // unreadable: any range may hold it
        ("PyPI", "nobody", "0", "9", 0),
    ];
    for (ecosystem, name, from, to, count) in expected {
        number += 1;
        let delta = StoredDelta { touched: vec![touched(ecosystem, name, from, to)], everything: false };
        let found = store.mark_touched(&mark(number, delta)).await.unwrap();
        assert_eq!(found, count, "{ecosystem} {name} {from} {to}");
    }
}

pub async fn a_match_by_an_epoch_before_the_marked_one_is_behind(store: &Store) {
    let function = function("300000000005", "late");
    put(store, std::slice::from_ref(&function)).await;
    let software = inventory(vec![package("npm", "late", "1.0.0")]);
    scan(store, &function, Some(&software)).await;
    let base = store.marked_epoch().await.unwrap() + 1;
    store.mark_touched(&mark(base, StoredDelta::default())).await.unwrap();
    // a replica that has not seen the newest database yet
    put_match(store, &function.id, &key(Some(&software), base - 1, None)).await;
    assert!(is_unmatched(store, &function.id).await);
    put_match(store, &function.id, &key(Some(&software), base, None)).await;
    assert!(!is_unmatched(store, &function.id).await);
}

pub async fn a_hundred_thousand_touched_names_are_one_transaction(store: &Store) {
    let account = "300000000004";
    let functions: Vec<_> = (0..200).map(|n| function(account, &format!("many{n:03}"))).collect();
    store.observe(&sweep(account, ResourceKind::Function, &functions, 0), |_| message("4")).await.unwrap();
    let base = store.marked_epoch().await.unwrap() + 1;
    store.mark_touched(&mark(base, StoredDelta::default())).await.unwrap();
    for (number, function) in functions.iter().enumerate() {
        let packages = (0..100).map(|n| package("npm", &format!("p{}", number * 100 + n), "1.0.0")).collect();
        let software = inventory(packages);
        scan(store, function, Some(&software)).await;
        put_match(store, &function.id, &key(Some(&software), base, None)).await;
    }
    // the packages of the first ten functions, and very many others
    let names = (0..1_000).chain(1_000_000..1_099_000);
    let touched: Vec<_> = names.map(|n| touched("npm", &format!("p{n}"), "", "")).collect();
    let delta = StoredDelta { touched: touched.clone(), everything: false };
    let begun = std::time::Instant::now();
    assert_eq!(store.mark_touched(&mark(base + 1, delta)).await.unwrap(), 10);
    println!("marks over 100,000 touched names: {:?}", begun.elapsed());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("database");
    std::fs::write(&file, b"x").unwrap();
    let mut large = epoch(base + 30, b"x", &[]);
    large.delta.touched = touched;
    let begun = std::time::Instant::now();
    store.put_epoch(&large, &file, message("epoch 30")).await.unwrap();
    println!("a delta of 100,000 names: {:?}", begun.elapsed());
    let read = store.latest_epoch().await.unwrap().unwrap();
    assert!(!read.delta.everything && read.delta.touched.len() == 100_000);
    // deltas that are marked are of no use any more
    store.mark_touched(&read).await.unwrap();
    let next = epoch(base + 31, b"y", &[]);
    std::fs::write(&file, b"y").unwrap();
    store.put_epoch(&next, &file, message("epoch 31")).await.unwrap();
    let everything = store.epochs_after(base + 29).await.unwrap().into_iter().map(|epoch| epoch.delta.everything);
    assert_eq!(everything.collect::<Vec<_>>(), [true, false]);
}

pub async fn matches_of_several_resources_are_noted_together_or_not_at_all(store: &Store) {
    let functions = ["one", "two", "three"].map(|name| function("300000000006", name));
    put(store, &functions).await;
    let set = VerdictSet { not_affected: 606, ..VerdictSet::default() };
    let new = |index: usize, epoch: u64, set: Option<&VerdictSet>, verdicts: &Digest| NewMatch {
        resource: functions[index].id.clone(),
        key: key(None, epoch, None),
        verdicts: verdicts.clone(),
        verdict_set: set.cloned(),
        exposure: format!("{{\"of\":{index}}}").into_bytes(),
        message: Some(message(&format!("batch {index} {epoch}"))),
    };
    let ids = functions.each_ref().map(|function| function.id.clone());
    let told = async || waiting(store, MATCHING, "batch ").await;
    assert!(store.put_matches(Vec::new()).await.unwrap().is_empty());

    // a verdict set that nobody has brought: nothing of any is noted
    let with_unknown = vec![new(0, 5, Some(&set), &set.digest()), new(1, 5, None, &digest("unknown"))];
    let error = store.put_matches(with_unknown).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    assert!(store.matches_of(&ids).await.unwrap().is_empty() && told().await.is_empty());

    // one brings it for both, whichever comes first; the third is by an older epoch than what is noted
    store.put_matches(vec![new(2, 6, Some(&set), &set.digest())]).await.unwrap();
    let batch =
        vec![new(2, 5, None, &set.digest()), new(1, 5, None, &set.digest()), new(0, 5, Some(&set), &set.digest())];
    let noted = store.put_matches(batch.clone()).await.unwrap();
    assert_eq!(noted, [ids[0].clone(), ids[1].clone()].into());
    let matches = store.matches_of(&ids).await.unwrap();
    assert_eq!(matches.values().map(|matched| matched.key.epoch).sum::<u64>(), 16);
    for (index, id) in ids.iter().enumerate() {
        assert_eq!(matches[id].exposure, format!("{{\"of\":{index}}}").into_bytes(), "each has its own");
        assert_eq!(store.matched(id).await.unwrap().as_ref(), Some(&matches[id]));
    }
    let mut expected = vec!["batch 2 6".to_owned(), "batch 0 5".to_owned(), "batch 1 5".to_owned()];
    let mut found = told().await;
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    store.put_matches(batch).await.unwrap();
    assert_eq!(told().await.len(), 3, "once more changes nothing");

    let twice = vec![new(0, 7, None, &set.digest()), new(0, 8, None, &set.digest())];
    let too_many = (0..=BATCH_MAX).map(|number| NewMatch {
        resource: ResourceId::new(format!("many {number}")),
        ..new(0, 7, None, &set.digest())
    });
    for refused in [twice, too_many.collect()] {
        let error = store.put_matches(refused).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    }
}

pub async fn a_late_match_in_a_batch_is_behind(store: &Store) {
    let functions = ["late", "in-time"].map(|name| function("300000000007", name));
    put(store, &functions).await;
    let software = ["late", "in-time"].map(|name| inventory(vec![package("npm", name, "1.0.0")]));
    let base = store.marked_epoch().await.unwrap() + 1;
    store.mark_touched(&mark(base, StoredDelta::default())).await.unwrap();
    let set = VerdictSet { not_affected: 707, ..VerdictSet::default() };
    let mut batch = Vec::new();
    for (index, epoch) in [base - 1, base].into_iter().enumerate() {
        scan(store, &functions[index], Some(&software[index])).await;
        batch.push(NewMatch {
            resource: functions[index].id.clone(),
            key: key(Some(&software[index]), epoch, None),
            verdicts: set.digest(),
            verdict_set: Some(set.clone()),
            exposure: b"{}".to_vec(),
            message: None,
        });
    }
    store.put_matches(batch).await.unwrap();
    let behind = store.behind(u32::MAX).await.unwrap();
    assert_eq!(functions.each_ref().map(|function| behind.contains(&function.id)), [true, false]);
    assert_eq!(store.cached_verdicts(&software[1].digest(), base).await.unwrap(), Some(set.digest()));
}
