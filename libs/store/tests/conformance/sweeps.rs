//! Discovery: sweeps, topologies, the outbox.

use super::things::*;
use muster_domain::*;
use muster_store::*;

fn told(change: &Change<'_>) -> OutboxMessage {
    match change {
        Change::Observed(resource, fingerprint) => {
            message(&format!("observed {} {}", resource.id, &fingerprint.hex()[..8]))
        }
        Change::Gone(id) => message(&format!("gone {id}")),
    }
}

pub async fn a_sweep_tells_only_what_changed(store: &Store) {
    let account = "100000000001";
    let [one, two] = ["i-s1", "i-s2"].map(|id| instance(account, id));
    let mut tagged = one.clone();
    tagged.tags.insert("team".to_owned(), "a".to_owned());
    let ids = |ids: &[&str]| ids.iter().map(|id| ResourceId::new(*id)).collect::<Vec<_>>();
    // what the sweep sees; then what changed, what is gone, what is as it was
    type Row<'a> = (&'a str, Vec<Resource>, &'a [&'a str], &'a [&'a str], u64);
    let sweeps: [Row<'_>; 6] = [
        ("both are new", vec![one.clone(), two.clone()], &["i-s1", "i-s2"], &[], 0),
        ("nothing changed", vec![two.clone(), one.clone()], &[], &[], 2),
        ("a tag came", vec![tagged.clone(), two.clone()], &["i-s1"], &[], 1),
        ("one is gone", vec![tagged.clone()], &[], &["i-s2"], 1),
        ("still gone", vec![tagged.clone()], &[], &[], 1),
        ("back again, and seen twice", vec![tagged.clone(), two.clone(), two.clone()], &["i-s2"], &[], 1),
    ];
    for (second, (case, resources, changed, gone, unchanged)) in (0..).zip(sweeps) {
        let before = waiting(store, DISCOVERY, "").await.len();
        let sweep = sweep(account, ResourceKind::Instance, &resources, second);
        let observed = store.observe(&sweep, told).await.unwrap();
        assert_eq!(observed, Observed { changed: ids(changed), gone: ids(gone), unchanged }, "{case}");
        // a message whose id still waits is not doubled: the second time that `two` is seen as it was
        let doubled = if case.starts_with("back") { 1 } else { 0 };
        let after = waiting(store, DISCOVERY, "").await.len();
        assert_eq!(after - before, changed.len() + gone.len() - doubled, "{case}");
    }
    let stored = store.resource(&two.id).await.unwrap().unwrap();
    assert_eq!((stored.resource, stored.gone_at, stored.observed_at), (two, None, at(5)));
    let stored = store.resource(&one.id).await.unwrap().unwrap();
    assert_eq!((&stored.resource, stored.observed_at, stored.fingerprint), (&tagged, at(2), tagged.fingerprint()));
    assert_eq!(store.resource(&ResourceId::new("i-never")).await.unwrap(), None);

    let empty = sweep(account, ResourceKind::Instance, &[], 9);
    assert_eq!(store.observe(&empty, told).await.unwrap().gone.len(), 2);
    assert_eq!(store.resource(&one.id).await.unwrap().unwrap().gone_at, Some(at(9)));
    assert_eq!(store.purge_gone(at(9 + 6 * 86_400)).await.unwrap(), 0);
    assert_eq!(store.purge_gone(at(10 + 7 * 86_400)).await.unwrap(), 2);
}

pub async fn what_an_incomplete_sweep_does_not_see_is_not_gone(store: &Store) {
    let account = "100000000011";
    let [one, two] = ["i-p1", "i-p2"].map(|id| instance(account, id));
    store.observe(&sweep(account, ResourceKind::Instance, &[one.clone(), two], 0), told).await.unwrap();
    let incomplete = Sweep { complete: false, ..sweep(account, ResourceKind::Instance, &[one], 1) };
    let observed = store.observe(&incomplete, told).await.unwrap();
    assert_eq!(observed, Observed { changed: vec![], gone: vec![], unchanged: 1 });
}

pub async fn a_resource_outside_its_sweep_is_refused(store: &Store) {
    let stranger = instance("100000000003", "i-x");
    let sweep = sweep("100000000002", ResourceKind::Instance, &[stranger], 0);
    let error = store.observe(&sweep, told).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
}

pub async fn resources_are_listed_page_by_page(store: &Store) {
    let account = "100000000004";
    let mut all: Vec<_> = (0..5).map(|n| image(account, &format!("page/{n}"), &[])).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    store.observe(&sweep(account, ResourceKind::Image, &all, 0), told).await.unwrap();
    store.observe(&sweep(account, ResourceKind::Function, &[function(account, "f")], 0), told).await.unwrap();
    let mut page = ResourcePage {
        limit: 2,
        account: Some(account.parse().unwrap()),
        region: Some(Region::new("eu-central-1")),
        kind: Some(ResourceKind::Image),
        ..ResourcePage::default()
    };
    let mut seen = Vec::new();
    loop {
        let stored = store.resources(&page).await.unwrap();
        let Some(last) = stored.last() else { break };
        page.after = Some(last.resource.id.to_string());
        seen.extend(stored.into_iter().map(|stored| stored.resource));
    }
    assert_eq!(seen, all);
    let ids: Vec<_> = all.iter().map(|image| image.id.clone()).chain([ResourceId::new("i-never")]).collect();
    assert_eq!(store.resources_by_id(&ids).await.unwrap().len(), 5);
    assert_eq!(store.resources_by_id(&[]).await.unwrap(), []);

    store.observe(&sweep(account, ResourceKind::Image, &all[1..], 1), told).await.unwrap();
    let count = async |include_gone| {
        let page = ResourcePage { after: None, limit: 100, include_gone, ..page.clone() };
        store.resources(&page).await.unwrap().len()
    };
    assert_eq!((count(false).await, count(true).await), (4, 5));
}

pub async fn a_topology_is_told_only_when_it_changed(store: &Store) {
    let (account, region) = ("100000000005".parse().unwrap(), Region::new("us-east-1"));
    let put = async |word: &str| {
        let message = message(&format!("topology {word}"));
        store
            .put_topology(
                &account,
                &region,
                &digest(word),
                &["pcx-1".to_owned(), word.to_owned()],
                word.as_bytes(),
                message,
            )
            .await
            .unwrap()
    };
    assert_eq!(store.topology(&account, &region).await.unwrap(), None);
    assert!(put("one").await);
    assert!(!put("one").await);
    assert!(put("two").await);
    assert_eq!(store.topology(&account, &region).await.unwrap(), Some((digest("two"), b"two".to_vec())));
    assert_eq!(waiting(store, DISCOVERY, "topology").await, ["topology one", "topology two"]);
    let listed = store.topologies().await.unwrap();
    let listed = listed.iter().find(|entry| entry.account == account).unwrap();
    assert_eq!((&listed.fingerprint, &listed.links[..]), (&digest("two"), &["pcx-1".to_owned(), "two".to_owned()][..]));

    let status = |second, error: Option<&str>| AccountStatus {
        account: account.clone(),
        region: region.clone(),
        error: error.map(str::to_owned),
        swept_at: at(second),
    };
    store.put_account_status(&status(5, Some("AccessDenied: sts:AssumeRole"))).await.unwrap();
    store.put_account_status(&status(4, None)).await.unwrap(); // late: it changes nothing
    let statuses = store.account_statuses().await.unwrap();
    assert!(statuses.contains(&status(5, Some("AccessDenied: sts:AssumeRole"))), "{statuses:?}");
    store.put_account_status(&status(6, None)).await.unwrap();
    assert!(store.account_statuses().await.unwrap().contains(&status(6, None)));
}

pub async fn the_outbox_is_read_oldest_first_and_forgets_what_is_done(store: &Store) {
    let (account, region) = ("100000000006".parse().unwrap(), Region::new("us-east-1"));
    for word in ["z", "a", "m"] {
        let message = message(&format!("order {word}"));
        store.put_topology(&account, &region, &digest(word), &[], b"", message).await.unwrap();
    }
    // written before it was waited for: the bell has rung
    tokio::time::timeout(std::time::Duration::from_secs(5), store.outbox_written(DISCOVERY)).await.unwrap();
    assert_eq!(waiting(store, DISCOVERY, "order").await, ["order z", "order a", "order m"]);
    let whole = store.outbox(DISCOVERY, u32::MAX).await.unwrap();
    assert!(whole.contains(&message("order a")));
    assert_eq!(store.outbox(DISCOVERY, 1).await.unwrap().len(), 1);
    assert_eq!(store.outbox(INVENTORY, u32::MAX).await.unwrap(), []); // another service's

    store.outbox_done(INVENTORY, &["order z".to_owned()]).await.unwrap(); // not its own
    store.outbox_done(DISCOVERY, &["order a".to_owned(), "order z".to_owned()]).await.unwrap();
    store.outbox_done(DISCOVERY, &["order a".to_owned()]).await.unwrap();
    assert_eq!(waiting(store, DISCOVERY, "order").await, ["order m"]);
    let all: Vec<_> = whole.into_iter().map(|message| message.id).collect();
    store.outbox_done(DISCOVERY, &all).await.unwrap();
    assert_eq!(store.outbox_lengths().await.unwrap()[DISCOVERY], 0);
}

pub async fn ten_thousand_resources_are_taken_in_fast(store: &Store) {
    let account = "100000000007";
    let mut all: Vec<_> = (0..10_000).map(|n| instance(account, &format!("i-{n:08}"))).collect();
    let timed = async |case: &str, resources: &[Resource], expected: (usize, usize, u64)| {
        let sweep = sweep(account, ResourceKind::Instance, resources, 0);
        let begun = std::time::Instant::now();
        let observed = store.observe(&sweep, told).await.unwrap();
        println!("10,000 resources, {case}: {:?}", begun.elapsed());
        assert_eq!((observed.changed.len(), observed.gone.len(), observed.unchanged), expected, "{case}");
    };
    timed("all new", &all, (10_000, 0, 0)).await;
    timed("none changed", &all, (0, 0, 10_000)).await;
    for resource in &mut all[..100] {
        resource.tags.insert("team".to_owned(), "b".to_owned());
    }
    timed("100 changed", &all, (100, 0, 9_900)).await;
    timed("all gone", &[], (0, 10_000, 0)).await;
}
