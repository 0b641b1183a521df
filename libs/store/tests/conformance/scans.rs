//! Inventory: scans and inventories.

use super::things::*;
use muster_domain::*;
use muster_store::*;

pub async fn what_was_never_scanned_as_it_is_is_unscanned(store: &Store) {
    let account = "200000000001";
    let one = instance(account, "i-u1");
    let is_unscanned = async || {
        let unscanned = store.unscanned(u32::MAX).await.unwrap();
        unscanned.iter().any(|stored| stored.resource.id == one.id)
    };
    put(store, std::slice::from_ref(&one)).await;
    assert!(is_unscanned().await, "never scanned");
    scan(store, &one, None).await;
    assert!(!is_unscanned().await, "scanned, though without an inventory");
    let mut changed = one.clone();
    changed.tags.clear();
    put(store, std::slice::from_ref(&changed)).await;
    assert!(is_unscanned().await, "changed since");
    store.observe(&sweep(account, ResourceKind::Instance, &[], 2), |_| message("u gone")).await.unwrap();
    assert!(!is_unscanned().await, "gone");
}

pub async fn an_earlier_inventory_stays_in_force_when_the_coverage_says_so(store: &Store) {
    let resource = function("200000000002", "stays");
    put(store, std::slice::from_ref(&resource)).await;
    let software = inventory(vec![package("PyPI", "Zope.Interface", "1.0")]);
    let print = resource.fingerprint();
    let before = store.counts().await.unwrap();
    for _ in 0..2 {
        let told = Some(message("stays 1"));
        store.put_scan(&resource.id, &print, &coverage(Some(&software)), Some(&software), told).await.unwrap();
    }
    assert_eq!(store.inventory(&software.digest()).await.unwrap(), Some(software.clone()));
    assert_eq!(store.counts().await.unwrap().packages, before.packages + 1);
    assert_eq!(waiting(store, INVENTORY, "stays").await, ["stays 1"]);

    let failed = Coverage {
        reason: ScanStatusReason::InternalError,
        detail: "timed out".to_owned(),
        ..coverage(Some(&software))
    };
    store.put_scan(&resource.id, &print, &failed, None, None).await.unwrap();
    let scan = store.scan(&resource.id).await.unwrap();
    assert_eq!(scan, Some(Scan { fingerprint: print.clone(), coverage: failed }));
    assert_eq!(store.scan_counts().await.unwrap()["INTERNAL_ERROR"], 1);
    store.purge_inventories().await.unwrap();
    assert!(store.inventory(&software.digest()).await.unwrap().is_some(), "in force");

    // an inventory that nobody brought, and one that the coverage does not name
    let unknown = Coverage { inventory: Some(digest("never")), ..coverage(None) };
    let error = store.put_scan(&resource.id, &print, &unknown, None, None).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    let error = store.put_scan(&resource.id, &print, &coverage(None), Some(&software), None).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");

    store.put_scan(&resource.id, &print, &coverage(None), None, None).await.unwrap();
    store.purge_inventories().await.unwrap();
    assert_eq!(store.inventory(&software.digest()).await.unwrap(), None, "out of force");
}
