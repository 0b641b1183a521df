//! SQLite keeps the promises, and survives being killed.

mod conformance;

use conformance::things;
use muster_store::{SCORING, Store};
use std::{path::Path, process::Command, time::Duration};

fn url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("store of #1.db").display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_every_promise() {
    let folder = tempfile::tempdir().unwrap();
    conformance::suite(Store::open(&url(folder.path())).await.unwrap()).await;
}

#[tokio::test]
async fn a_store_is_the_same_after_it_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let resource = things::function("700000000001", "kept");
    let store = Store::open(&url(folder.path())).await.unwrap();
    things::put(&store, std::slice::from_ref(&resource)).await;
    store.close().await;
    let store = Store::open(&url(folder.path())).await.unwrap();
    assert_eq!(store.resource(&resource.id).await.unwrap().unwrap().resource, resource);
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    for url in ["", "mysql://host/db", "sqlite:", "sqlite::memory:", "/var/lib/muster.db"] {
        let error = Store::open(url).await.unwrap_err();
        assert!(error.to_string().starts_with("store address: "), "{url}: {error}");
    }
    let error = Store::open("sqlite:/no/such/folder/store.db").await.unwrap_err();
    assert!(error.to_string().contains("open the SQLite file"), "{error}");
    let error = Store::open("postgres://nobody:secret@127.0.0.1:1/none").await.unwrap_err();
    assert!(matches!(error, muster_store::StoreError::Unavailable { .. }), "{error}");
    assert!(!format!("{error:?}").contains("secret"));
}

/// Where the writing child finds its store.
const CHILD: &str = "MUSTER_STORE_TEST_CHILD";

/// Not a test of its own: the child that the test below kills.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    let Ok(url) = std::env::var(CHILD) else {
        return;
    };
    let store = Store::open(&url).await.unwrap();
    let resource = things::function("700000000002", "killed");
    let opened = things::finding(&resource, "CVE-1");
    let first = store.finding(&opened.id).await.unwrap().map_or(1, |finding| finding.revision + 1);
    for revision in first.. {
        let finding = muster_domain::Finding { revision, ..opened.clone() };
        let told = vec![things::message(&format!("killed {revision}"))];
        store.apply(&resource.id, &things::scored(&revision.to_string()), &[finding], told).await.unwrap();
    }
}

#[tokio::test]
async fn a_kill_in_the_middle_loses_neither_a_finding_nor_its_message() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(folder.path());
    let opened = things::finding(&things::function("700000000002", "killed"), "CVE-1");
    let mut before = 0;
    for round in 0..5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_writes_until_it_is_killed"])
            .env(CHILD, &url)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let store = Store::open(&url).await.unwrap();
        let revision = async || store.finding(&opened.id).await.unwrap().map_or(0, |finding| finding.revision);
        // until it is in full swing; the kill then falls anywhere in a transaction
        for _ in 0..2_000 {
            if revision().await >= before + 20 + round {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        let after = revision().await;
        assert!(after >= before + 20, "round {round}: {after} after {before}");
        let expected: Vec<_> = (1..=after).map(|revision| format!("killed {revision}")).collect();
        assert_eq!(things::waiting(&store, SCORING, "killed").await, expected, "round {round}");
        before = after;
    }
}
