//! Advisories: epochs, their files and deltas.

use super::things::*;
use muster_domain::Touched;
use muster_store::*;
use std::path::Path;

/// Bytes that compress badly, over a chunk's border.
fn database(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::new();
    while bytes.len() < (2 << 20) + 12_345 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

pub fn epoch(number: u64, file: &[u8], touched: &[(&str, &str)]) -> Epoch {
    let one = |(ecosystem, name): &(&str, &str)| Touched {
        ecosystem: (*ecosystem).to_owned(),
        name: (*name).to_owned(),
        from: vec![1],
        to: Vec::new(),
    };
    let touched = touched.iter().map(one).collect();
    Epoch {
        number,
        digest: muster_domain::Digest::of(file),
        built_at: at(0),
        advisories: 7,
        bytes: file.len() as u64,
        delta: StoredDelta { touched, everything: false },
        changes: Some(RecordChanges { added: number, changed: 2, withdrawn: 1 }).filter(|_| number > 1),
    }
}

async fn put(store: &Store, number: u64, folder: &Path) -> Epoch {
    let bytes = database(number);
    let file = folder.join("database");
    std::fs::write(&file, &bytes).unwrap();
    let epoch = epoch(number, &bytes, &[("Debian:12", "openssl"), ("PyPI", "zope-interface")]);
    store.put_epoch(&epoch, &file, message(&format!("epoch {number}"))).await.unwrap();
    epoch
}

pub async fn a_database_comes_out_as_it_went_in(store: &Store) {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(store.latest_epoch().await.unwrap(), None);
    let first = put(store, 1, folder.path()).await;
    put(store, 1, folder.path()).await; // the same again changes nothing
    assert_eq!(store.latest_epoch().await.unwrap(), Some(first.clone()));
    assert_eq!(waiting(store, ADVISORIES, "epoch").await, ["epoch 1"]);
    let to = folder.path().join("fetched");
    std::fs::write(&to, "an older one").unwrap();
    store.fetch_database(1, &to).await.unwrap();
    assert!(std::fs::read(&to).unwrap() == database(1));
    let error = store.fetch_database(99, &folder.path().join("none")).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["database", "fetched"], "nothing half-fetched stays behind");
}

pub async fn a_file_that_is_not_what_the_epoch_says_is_refused(store: &Store) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("database");
    std::fs::write(&file, b"other").unwrap();
    let error = store.put_epoch(&epoch(2, b"claimed", &[]), &file, message("epoch 2")).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    let error = store.put_epoch(&epoch(1, b"other", &[]), &file, message("epoch 1b")).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    let nowhere = folder.path().join("nowhere");
    let error = store.put_epoch(&epoch(2, b"other", &[]), &nowhere, message("epoch 2")).await.unwrap_err();
    assert!(matches!(error, StoreError::File { .. }), "{error}");
    assert_eq!(store.latest_epoch_number().await.unwrap(), Some(1));
    assert_eq!(waiting(store, ADVISORIES, "epoch").await, ["epoch 1"]);
}

pub async fn only_the_last_three_files_are_kept(store: &Store) {
    let folder = tempfile::tempdir().unwrap();
    let mut put_ones = Vec::new();
    for number in 2..=5 {
        put_ones.push(put(store, number, folder.path()).await);
    }
    let to = folder.path().join("fetched");
    for (number, kept) in [(1, false), (2, false), (3, true), (4, true), (5, true)] {
        assert_eq!(store.fetch_database(number, &to).await.is_ok(), kept, "epoch {number}");
    }
    // nothing was matched yet, so that every delta may still be asked for
    assert_eq!(store.epochs_after(1).await.unwrap(), put_ones);
    assert_eq!(store.epochs_after(5).await.unwrap(), []);
}
