//! Matching: matches, verdicts and how they move on.

use super::{epochs::epoch, things::*};
use muster_domain::*;
use muster_store::*;

fn key(inventory: Option<&Inventory>, epoch: u64, topology: Option<&str>) -> MatchKey {
    MatchKey { inventory: inventory.map(Inventory::digest), epoch, topology: topology.map(digest), gone: false }
}

async fn put_match(store: &Store, resource: &ResourceId, key: &MatchKey) -> bool {
    let set = VerdictSet { inventory: key.inventory.clone(), ..VerdictSet::default() };
    let told = Some(message(&format!("match {resource} {}", key.epoch)));
    store.put_match(resource, key, &set.digest(), Some(&set), b"{}", told).await.unwrap()
}

async fn is_unmatched(store: &Store, resource: &ResourceId, epoch: u64) -> bool {
    store.unmatched(epoch, u32::MAX).await.unwrap().contains(resource)
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
        store.put_topology(&account, &region, &digest(word), b"", message(word)).await.unwrap();
    };
    let unmatched =
        async |epoch| (is_unmatched(store, &server.id, epoch).await, is_unmatched(store, &lambda.id, epoch).await);
    let matched = async |inventory, topology: Option<&str>, epoch| {
        put_match(store, &server.id, &key(inventory, epoch, topology)).await;
        put_match(store, &lambda.id, &key(inventory, epoch, None)).await;
    };

    assert_eq!(unmatched(1).await, (true, true), "never matched, never scanned, no topology");
    matched(None, None, 1).await;
    assert_eq!(unmatched(1).await, (false, false), "matched without either");
    for resource in &both {
        scan(store, resource, None).await;
    }
    assert_eq!(unmatched(1).await, (false, false), "scanned, without an inventory");
    topology("m one").await;
    assert_eq!(unmatched(1).await, (true, false), "a topology came, which functions have no place in");
    matched(None, Some("m one"), 1).await;
    assert_eq!(unmatched(1).await, (false, false), "matched with the topology");
    topology("m two").await;
    assert_eq!(unmatched(1).await, (true, false), "the topology changed");
    matched(None, Some("m two"), 1).await;
    for resource in &both {
        scan(store, resource, Some(&software)).await;
    }
    assert_eq!(unmatched(1).await, (true, true), "an inventory came");
    matched(Some(&software), Some("m two"), 1).await;
    assert_eq!(unmatched(1).await, (false, false), "matched with the inventory");
    assert_eq!(unmatched(2).await, (true, true), "a new epoch came");
    assert_eq!(unmatched(0).await, (false, false), "matched by a later epoch than a late replica knows");

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
    assert!(is_unmatched(store, &server.id, 1).await, "gone, but still counts as there");
    put_match(store, &server.id, &MatchKey { gone: true, ..key(None, 1, None) }).await;
    assert!(!is_unmatched(store, &server.id, 2).await, "gone for good, whatever the epoch");
    assert!(unscored().await);
    put(store, std::slice::from_ref(&server)).await;
    assert!(is_unmatched(store, &server.id, 1).await, "back again");
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

pub async fn only_what_a_delta_touches_stays_behind(store: &Store) {
    let account = "300000000003";
    let names = ["touched", "untouched", "none", "forgotten"];
    let functions = names.map(|name| function(account, name));
    store.observe(&sweep(account, ResourceKind::Function, &functions, 0), |_| message("3")).await.unwrap();
    let software = ["jinja2", "flask", "", "old"].map(|name| {
        (!name.is_empty()).then(|| inventory(vec![package("PyPI", name, "1.0"), package("npm", name, "1.0.0")]))
    });
    for (function, software) in functions.iter().zip(&software) {
        scan(store, function, software.as_ref()).await;
        put_match(store, &function.id, &key(software.as_ref(), 10, None)).await;
    }
    // its packages are forgotten: nobody can tell whether it is touched
    scan(store, &functions[3], None).await;
    store.purge_inventories().await.unwrap();

    // the ecosystem is part of the name
    let touched = [("PyPI", "jinja2"), ("crates.io", "flask"), ("PyPI", "unknown")];
    let touched = touched.map(|(ecosystem, name)| (ecosystem.to_owned(), name.to_owned()));
    assert_eq!(store.advance_epoch(10, 11, &touched).await.unwrap(), 2);
    assert_eq!(store.advance_epoch(10, 11, &touched).await.unwrap(), 0, "once more changes nothing");
    for ((function, software), expected) in functions.iter().zip(&software).zip([10, 11, 11, 10]) {
        assert_eq!(store.matched(&function.id).await.unwrap().unwrap().key.epoch, expected, "{}", function.id);
        let Some(software) = software else { continue };
        assert!(store.cached_verdicts(&software.digest(), expected).await.unwrap().is_some(), "{}", function.id);
        let other = 21 - expected;
        assert!(store.cached_verdicts(&software.digest(), other).await.unwrap().is_none(), "{}", function.id);
    }
    store.purge_matches(11).await.unwrap();
    assert_eq!(store.cached_verdicts(&software[0].as_ref().unwrap().digest(), 10).await.unwrap(), None);
    let verdicts = store.matched(&functions[0].id).await.unwrap().unwrap().verdicts;
    assert!(store.verdict_set(&verdicts).await.unwrap().is_some(), "a match still holds it");
}

pub async fn a_hundred_thousand_touched_names_are_one_transaction(store: &Store) {
    let account = "300000000004";
    let functions: Vec<_> = (0..200).map(|n| function(account, &format!("many{n:03}"))).collect();
    store.observe(&sweep(account, ResourceKind::Function, &functions, 0), |_| message("4")).await.unwrap();
    for (number, function) in functions.iter().enumerate() {
        let packages = (0..100).map(|n| package("npm", &format!("p{}", number * 100 + n), "1.0.0")).collect();
        let software = inventory(packages);
        scan(store, function, Some(&software)).await;
        put_match(store, &function.id, &key(Some(&software), 20, None)).await;
    }
    // the packages of the first ten functions, and very many others
    let touched: Vec<_> = (0..1_000).chain(1_000_000..1_099_000).map(|n| ("npm".to_owned(), format!("p{n}"))).collect();
    let begun = std::time::Instant::now();
    assert_eq!(store.advance_epoch(20, 21, &touched).await.unwrap(), 190);
    println!("advance over 100,000 touched names: {:?}", begun.elapsed());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("database");
    std::fs::write(&file, b"x").unwrap();
    let mut large = epoch(30, b"x", &[]);
    large.delta.touched = touched;
    let begun = std::time::Instant::now();
    store.put_epoch(&large, &file, message("epoch 30")).await.unwrap();
    println!("a delta of 100,000 names: {:?}", begun.elapsed());
    let read = store.latest_epoch().await.unwrap().unwrap();
    assert!(!read.delta.everything && read.delta.touched.len() == 100_000);
    // earlier deltas: the oldest match is by epoch 1, so that the one that led to it is of no use any more
    let everything = store.epochs_after(0).await.unwrap().into_iter().map(|epoch| epoch.delta.everything);
    assert_eq!(everything.collect::<Vec<_>>(), [true, false, false, false, false, false]);
}
