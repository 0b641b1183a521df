//! The promises of a bus, as tests that every engine runs: `promises!(start)` writes them all.

use crate::{Bus, BusError, Delivery, DeliveryPolicy, Fact, Lane, Message, PAYLOAD_BYTES_MAX, Subject, Subscription};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// One test per promise. `$start` is an async function from a policy to a running bus and what keeps it running.
macro_rules! promises {
    ($start:path; $($promise:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let (bus, _running) = $start(crate::conformance::policy()).await;
                crate::conformance::$promise(bus).await;
            }
        )*
    };
    ($start:path) => {
        crate::conformance::promises!(
            $start;
            each_group_gets_each_message_and_its_members_share,
            messages_of_one_key_come_in_order,
            a_person_overtakes_events_and_they_overtake_sweeps,
            a_failed_message_comes_again_after_its_back_off,
            a_message_that_nobody_settles_comes_again,
            a_message_in_progress_does_not_come_again,
            a_message_that_is_released_comes_at_once,
            one_id_is_one_message,
            a_poisoned_message_ends_in_the_dead_letters_and_can_be_replayed,
            a_message_that_is_never_settled_ends_in_the_dead_letters,
            lag_counts_what_is_not_acknowledged,
            what_is_too_large_is_refused,
            an_abandoned_wait_loses_nothing,
            what_travels_arrives_unchanged,
        );
    };
}
pub(crate) use promises;

/// Short enough for tests, long enough for a busy machine.
pub(crate) fn policy() -> DeliveryPolicy {
    let backoff = [200, 400].map(Duration::from_millis).to_vec();
    DeliveryPolicy { max_deliveries: 3, ack_wait: Duration::from_secs(2), backoff }
}

/// A message that should come is waited for so long.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn message(lane: Lane, id: &str, key: &str) -> Message {
    Message {
        subject: Subject::new(Fact::ResourceObserved, "111122223333", "eu-central-1", "instance", lane),
        id: id.to_owned(),
        key: key.to_owned(),
        headers: BTreeMap::new(),
        payload: id.to_owned().into(),
    }
}

pub(crate) async fn publish(bus: &Arc<dyn Bus>, lane: Lane, id: &str, key: &str) {
    bus.publish(message(lane, id, key)).await.expect("published");
}

pub(crate) async fn subscribe(bus: &Arc<dyn Bus>, group: &str) -> Box<dyn Subscription> {
    bus.subscribe(group, Fact::ResourceObserved).await.expect("subscribed")
}

pub(crate) async fn next(subscription: &mut Box<dyn Subscription>) -> Delivery {
    timeout(PATIENCE, subscription.next()).await.expect("a message in time").expect("the bus runs")
}

async fn nothing_within(subscription: &mut Box<dyn Subscription>, wait: Duration) {
    if let Ok(delivery) = timeout(wait, subscription.next()).await {
        panic!("nothing should come, but {delivery:?} did");
    }
}

/// Takes and acknowledges `count` messages; their ids in order.
pub(crate) async fn drain(subscription: &mut Box<dyn Subscription>, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let delivery = next(subscription).await;
        ids.push(delivery.message.id.clone());
        delivery.ack().await.expect("acknowledged");
    }
    ids
}

pub(crate) async fn each_group_gets_each_message_and_its_members_share(bus: Arc<dyn Bus>) {
    let mut matching = subscribe(&bus, "matching").await;
    let (mut first, mut second) = (subscribe(&bus, "inventory").await, subscribe(&bus, "inventory").await);
    for id in ["a", "b"] {
        publish(&bus, Lane::Event, id, id).await;
    }
    assert_eq!(drain(&mut matching, 2).await, ["a", "b"]);
    let (one, other) = (next(&mut first).await, next(&mut second).await);
    let mut ids = [one.message.id.clone(), other.message.id.clone()];
    ids.sort();
    assert_eq!(ids, ["a", "b"]);
    one.ack().await.expect("acknowledged");
    other.ack().await.expect("acknowledged");
    nothing_within(&mut first, Duration::from_millis(300)).await;
    nothing_within(&mut matching, Duration::from_millis(300)).await;
}

pub(crate) async fn messages_of_one_key_come_in_order(bus: Arc<dyn Bus>) {
    let mut subscription = subscribe(&bus, "inventory").await;
    let mut published = Vec::new();
    for index in 0..60 {
        let key = format!("key-{}", index % 3);
        published.push(format!("{key}/{index:02}"));
        publish(&bus, Lane::Scheduled, &published[index], &key).await;
    }
    let delivered = drain(&mut subscription, published.len()).await;
    for key in ["key-0", "key-1", "key-2"] {
        let of_key = |ids: &[String]| ids.iter().filter(|id| id.starts_with(key)).cloned().collect::<Vec<_>>();
        assert_eq!(of_key(&delivered), of_key(&published));
    }
}

pub(crate) async fn a_person_overtakes_events_and_they_overtake_sweeps(bus: Arc<dyn Bus>) {
    let mut subscription = subscribe(&bus, "inventory").await;
    for index in 0..20 {
        publish(&bus, Lane::Scheduled, &format!("sweep-{index}"), "k").await;
    }
    publish(&bus, Lane::Event, "event", "k").await;
    publish(&bus, Lane::OnDemand, "person", "k").await;
    let ids = drain(&mut subscription, 22).await;
    let place = |id: &str| ids.iter().position(|each| each == id).expect("delivered");
    // An engine may have handed over one or two before it heard of the later ones.
    assert!(place("person") <= 3 && place("event") <= 4, "{ids:?}");
}

pub(crate) async fn a_failed_message_comes_again_after_its_back_off(bus: Arc<dyn Bus>) {
    let mut subscription = subscribe(&bus, "inventory").await;
    publish(&bus, Lane::Event, "fails", "k").await;
    let delivery = next(&mut subscription).await;
    assert_eq!(delivery.attempt, 1);
    let failed_at = Instant::now();
    delivery.nak("the store is away").await.expect("handed back");
    publish(&bus, Lane::Event, "meanwhile", "other").await;
    assert_eq!(drain(&mut subscription, 1).await, ["meanwhile"]);
    let delivery = next(&mut subscription).await;
    assert_eq!((delivery.message.id.as_str(), delivery.attempt), ("fails", 2));
    assert!(failed_at.elapsed() >= policy().wait_after(1), "after {:?}", failed_at.elapsed());
    delivery.ack().await.expect("acknowledged");
    nothing_within(&mut subscription, policy().ack_wait * 3 / 2).await;
}

pub(crate) async fn a_message_that_nobody_settles_comes_again(bus: Arc<dyn Bus>) {
    let (mut crashing, mut other) = (subscribe(&bus, "inventory").await, subscribe(&bus, "inventory").await);
    publish(&bus, Lane::Event, "a", "k").await;
    let delivery = tokio::select! {
        delivery = next(&mut crashing) => delivery,
        delivery = next(&mut other) => delivery,
    };
    drop(delivery);
    drop(crashing);
    let delivery = next(&mut other).await;
    assert_eq!((delivery.message.id.as_str(), delivery.attempt), ("a", 2));
    delivery.ack().await.expect("acknowledged");
}

pub(crate) async fn a_message_in_progress_does_not_come_again(bus: Arc<dyn Bus>) {
    let mut subscription = subscribe(&bus, "inventory").await;
    publish(&bus, Lane::Event, "long", "k").await;
    let delivery = next(&mut subscription).await;
    for _ in 0..6 {
        nothing_within(&mut subscription, policy().ack_wait / 3).await;
        delivery.in_progress().await.expect("reported");
    }
    delivery.ack().await.expect("acknowledged");
    nothing_within(&mut subscription, policy().ack_wait * 3 / 2).await;
}

pub(crate) async fn a_message_that_is_released_comes_at_once(bus: Arc<dyn Bus>) {
    let mut subscription = subscribe(&bus, "inventory").await;
    publish(&bus, Lane::Event, "a", "k").await;
    next(&mut subscription).await.release().await.expect("released");
    let released_at = Instant::now();
    let delivery = next(&mut subscription).await;
    assert_eq!(delivery.message.id, "a");
    assert!(released_at.elapsed() < policy().ack_wait, "after {:?}", released_at.elapsed());
    delivery.ack().await.expect("acknowledged");
}

pub(crate) async fn one_id_is_one_message(bus: Arc<dyn Bus>) {
    let mut subscription = subscribe(&bus, "inventory").await;
    for id in ["a", "a", "b", "a"] {
        publish(&bus, Lane::Event, id, "k").await;
    }
    assert_eq!(drain(&mut subscription, 2).await, ["a", "b"]);
    publish(&bus, Lane::Event, "a", "k").await;
    nothing_within(&mut subscription, Duration::from_millis(500)).await;
}

pub(crate) async fn a_poisoned_message_ends_in_the_dead_letters_and_can_be_replayed(bus: Arc<dyn Bus>) {
    let (mut poisoned, mut fine) = (subscribe(&bus, "inventory").await, subscribe(&bus, "matching").await);
    let mut sent = message(Lane::OnDemand, "poison", "i-0abc");
    sent.headers.insert("traceparent".to_owned(), "00-0af7-b7ad-01".to_owned());
    bus.publish(sent.clone()).await.expect("published");
    drain(&mut fine, 1).await;
    for attempt in 1..=policy().max_deliveries {
        let delivery = next(&mut poisoned).await;
        assert_eq!(delivery.attempt, attempt);
        delivery.nak(&format!("failure {attempt}:\nno such file")).await.expect("handed back");
    }
    let letters = bus.dead_letters(10).await.expect("readable");
    let [letter] = &letters[..] else { panic!("one dead letter, not {letters:?}") };
    assert_eq!((letter.group.as_str(), letter.attempts), ("inventory", 3));
    assert_eq!(letter.reason, "failure 3: no such file");
    assert_eq!(letter.message, sent);
    assert!(jiff::Timestamp::now().duration_since(letter.at).as_secs().abs() < 60, "{}", letter.at);
    nothing_within(&mut poisoned, policy().ack_wait * 3 / 2).await;

    bus.replay(&letter.id).await.expect("replayed");
    let delivery = next(&mut poisoned).await;
    assert_eq!((&delivery.message, delivery.attempt), (&sent, 1));
    delivery.ack().await.expect("acknowledged");
    nothing_within(&mut fine, Duration::from_millis(500)).await;
    assert_eq!(bus.dead_letters(10).await.expect("readable"), []);
    assert!(matches!(bus.replay(&letter.id).await, Err(BusError::UnknownDeadLetter(_))));
    assert!(matches!(bus.replay("no number").await, Err(BusError::UnknownDeadLetter(_))));
}

pub(crate) async fn a_message_that_is_never_settled_ends_in_the_dead_letters(bus: Arc<dyn Bus>) {
    let mut subscription = subscribe(&bus, "inventory").await;
    publish(&bus, Lane::Event, "crashes its handler", "k").await;
    for attempt in 1..=policy().max_deliveries {
        assert_eq!(next(&mut subscription).await.attempt, attempt);
    }
    nothing_within(&mut subscription, policy().ack_wait * 2).await;
    let letters = bus.dead_letters(10).await.expect("readable");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].reason, "neither acknowledged nor in progress within 2s");
    assert_eq!(letters[0].attempts, 3);
}

pub(crate) async fn lag_counts_what_is_not_acknowledged(bus: Arc<dyn Bus>) {
    let lag = async || bus.lag("inventory", Fact::ResourceObserved).await.expect("lag");
    assert_eq!(lag().await, 0, "before the group exists");
    let mut subscription = subscribe(&bus, "inventory").await;
    for id in ["a", "b", "c"] {
        publish(&bus, Lane::Scheduled, id, id).await;
    }
    assert_eq!(lag().await, 3);
    let in_hand = next(&mut subscription).await;
    assert_eq!(lag().await, 3, "in hand is not done");
    in_hand.ack().await.expect("acknowledged");
    drain(&mut subscription, 2).await;
    let begun = Instant::now();
    while lag().await > 0 {
        assert!(begun.elapsed() < PATIENCE, "acknowledged is done");
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn what_is_too_large_is_refused(bus: Arc<dyn Bus>) {
    let mut subscription = subscribe(&bus, "inventory").await;
    let mut message = message(Lane::Event, "large", "k");
    message.payload = vec![0; PAYLOAD_BYTES_MAX + 1].into();
    let error = bus.publish(message.clone()).await.expect_err("too large");
    assert!(matches!(error, BusError::TooLarge { .. }) && error.is_permanent(), "{error}");
    message.payload = vec![0; PAYLOAD_BYTES_MAX].into();
    message.headers.insert("note".to_owned(), "n".repeat(crate::HEADER_BYTES_MAX - 16));
    bus.publish(message).await.expect("the largest message of all");
    assert_eq!(next(&mut subscription).await.message.payload.len(), PAYLOAD_BYTES_MAX);
}

pub(crate) async fn an_abandoned_wait_loses_nothing(bus: Arc<dyn Bus>) {
    let mut subscription = subscribe(&bus, "inventory").await;
    let publisher = bus.clone();
    let publishing = tokio::spawn(async move {
        for index in 0..200 {
            publish(&publisher, Lane::Event, &format!("{index:03}"), "k").await;
        }
    });
    let mut ids = Vec::new();
    let begun = Instant::now();
    while ids.len() < 200 {
        assert!(begun.elapsed() < PATIENCE, "only {} messages came", ids.len());
        if let Ok(Some(delivery)) = timeout(Duration::from_micros(300), subscription.next()).await {
            assert_eq!(delivery.attempt, 1);
            ids.push(delivery.message.id.clone());
            delivery.ack().await.expect("acknowledged");
        }
    }
    publishing.await.expect("published");
    assert!(ids.is_sorted(), "{ids:?}");
}

pub(crate) async fn what_travels_arrives_unchanged(bus: Arc<dyn Bus>) {
    let mut subscription = bus.subscribe("publishing", Fact::FindingOpened).await.expect("subscribed");
    let headers =
        [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ("note", "größer"), ("empty", "")];
    let message = Message {
        subject: Subject::new(Fact::FindingOpened, "111122223333", "us-gov-west-1", "function", Lane::Event),
        id: "0192f0c4-0000-7000-8000-000000000000".to_owned(),
        key: "arn:aws:lambda:us-gov-west-1:111122223333:function:größe:$LATEST".to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        payload: vec![0, 13, 10, 255].into(),
    };
    bus.publish(message.clone()).await.expect("published");
    assert_eq!(next(&mut subscription).await.message, message);
}
