//! The bus on NATS JetStream, for services in processes of their own.
//!
//! One stream, [`STREAM`], holds what some group has not acknowledged (interest retention); three durable
//! pull consumers per group and fact, one per lane, share it out. The server redelivers without end; the
//! client counts and writes the dead letter, because only it knows the reason. Nothing needs a server newer
//! than 2.9: no consumer with several filters.

mod address;
mod feed;
mod wire;

use crate::{Bus, BusError, DEDUPE_WINDOW, DeadLetter, DeliveryPolicy, Fact, Lane, Message, Subscription, check_group};
use address::Address;
use async_nats::jetstream::{
    self, Context, ErrorCode, consumer,
    context::ConsumerInfoErrorKind,
    stream::{DiscardPolicy, RawMessageErrorKind, RetentionPolicy, StorageType},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use std::{error::Error, sync::Arc, time::Duration};

/// The stream of messages on their way: subjects `muster.>`.
pub const STREAM: &str = "MUSTER";
/// The stream of dead letters: subjects `muster-dead.<group>.<subject without "muster.">`.
pub const DEAD_STREAM: &str = "MUSTER_DEAD";

/// A message that some group has not acknowledged for so long is dropped by the server: its group has
/// stopped, and sweeps will tell of what matters when it is back. A group that is gone for so long is forgotten.
const MESSAGE_AGE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Above it the server refuses to publish, so that nothing is dropped: 4 GiB are some ten million messages.
/// Used when the stream is created; an operator may change the stream's own setting at any time.
const STREAM_BYTES_MAX: i64 = 4 << 30;
/// A dead letter that nobody looked at for so long is dropped.
const DEAD_AGE_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Above it a message is tried on instead of becoming a dead letter.
const DEAD_BYTES_MAX: i64 = 1 << 30;
/// Messages of one group, fact and lane in hand or backing off, over all members; above it the lane waits.
const ACK_PENDING_MAX: i64 = 10_000;
/// How long one answer of the server may take, a reconnection included.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// Server's answer to a publish into a full stream: `maximum bytes exceeded`, in this code.
const STREAM_FULL: ErrorCode = ErrorCode::STREAM_STORE_FAILED;

/// A bus on a NATS server or cluster.
pub struct NatsBus {
    connection: Arc<Connection>,
}

/// What subscriptions and deliveries share with the bus.
struct Connection {
    jetstream: Context,
    policy: DeliveryPolicy,
    replicas: usize,
}

impl NatsBus {
    /// Connects, and creates both streams where they are missing. The address is
    /// `nats://[USER:PASSWORD@]HOST[:PORT][,…][?replicas=3][&credentials=FILE]`, or `tls://…`:
    /// `replicas` of the streams when they are created, 1 if not said; `credentials` a `.creds` file.
    /// A connection that breaks later is taken up again without end.
    pub async fn connect(url: &str, policy: DeliveryPolicy) -> Result<Self, BusError> {
        let address: Address = url.parse()?;
        let client = address.options()?.connect(address.servers.as_slice()).await;
        let client = client.map_err(|cause| unavailable("connect", cause))?;
        let builder = jetstream::context::ContextBuilder::new();
        let jetstream = builder.timeout(ANSWER_WAIT).ack_timeout(ANSWER_WAIT).build(client);
        let connection = Connection { jetstream, policy, replicas: address.replicas };
        connection.create_streams().await?;
        Ok(Self { connection: Arc::new(connection) })
    }
}

impl Connection {
    async fn create_streams(&self) -> Result<(), BusError> {
        let on_the_way = jetstream::stream::Config {
            name: STREAM.to_owned(),
            description: Some("facts on their way between Muster's services".to_owned()),
            subjects: vec!["muster.>".to_owned()],
            retention: RetentionPolicy::Interest,
            max_age: MESSAGE_AGE_MAX,
            max_bytes: STREAM_BYTES_MAX,
            duplicate_window: DEDUPE_WINDOW,
            ..self.stream_defaults()
        };
        let dead = jetstream::stream::Config {
            name: DEAD_STREAM.to_owned(),
            description: Some("messages that a group of Muster could not handle".to_owned()),
            subjects: vec!["muster-dead.>".to_owned()],
            retention: RetentionPolicy::Limits,
            max_age: DEAD_AGE_MAX,
            max_bytes: DEAD_BYTES_MAX,
            ..self.stream_defaults()
        };
        for config in [on_the_way, dead] {
            let operation = format!("create stream {}", config.name);
            let stream = self.jetstream.get_or_create_stream(config).await;
            stream.map_err(|cause| unavailable(&operation, cause))?;
        }
        Ok(())
    }

    fn stream_defaults(&self) -> jetstream::stream::Config {
        jetstream::stream::Config {
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            num_replicas: self.replicas,
            ..Default::default()
        }
    }

    /// Creates the durable consumer of one lane, or brings it up to the policy.
    async fn consumer(&self, group: &str, fact: Fact, lane: Lane) -> Result<consumer::PullConsumer, BusError> {
        let name = consumer_name(group, fact, lane);
        let config = consumer::pull::Config {
            durable_name: Some(name.clone()),
            filter_subject: format!("muster.{fact}.*.*.*.{lane}"),
            deliver_policy: consumer::DeliverPolicy::All,
            ack_policy: consumer::AckPolicy::Explicit,
            ack_wait: self.policy.ack_wait,
            max_deliver: -1, // counted here
            max_ack_pending: ACK_PENDING_MAX,
            inactive_threshold: MESSAGE_AGE_MAX,
            ..Default::default()
        };
        let consumer = self.jetstream.create_consumer_on_stream(config, STREAM).await;
        consumer.map_err(|cause| unavailable(&format!("create consumer {name}"), cause))
    }

    /// Returns when the server has the message on disk, or says that it has had it before.
    async fn publish(&self, subject: String, headers: async_nats::HeaderMap, payload: Bytes) -> Result<(), BusError> {
        let operation = format!("publish {subject}");
        let published = async { self.jetstream.publish_with_headers(subject, headers, payload).await?.await };
        match tokio::time::timeout(ANSWER_WAIT, published).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(cause)) if server_code(&cause) == Some(STREAM_FULL) => Err(BusError::Full(chain(&cause))),
            Ok(Err(cause)) => Err(unavailable(&operation, cause)),
            Err(elapsed) => Err(unavailable(&operation, elapsed)),
        }
    }

    /// Writes a message to the dead letters. `sequence` is its place in [`STREAM`]: a message is given up
    /// once per group, however often this is repeated.
    async fn give_up(
        &self,
        group: &str,
        message: &Message,
        sequence: u64,
        reason: &str,
        attempts: u32,
    ) -> Result<(), BusError> {
        tracing::warn!(group, subject = %message.subject, id = message.id, attempts, reason, "message given up");
        let subject = message.subject.to_string();
        let subject = subject.strip_prefix("muster.").unwrap_or(&subject);
        let headers = wire::dead_letter_headers(group, message, sequence, reason, attempts);
        self.publish(format!("muster-dead.{group}.{subject}"), headers, message.payload.clone()).await
    }
}

fn consumer_name(group: &str, fact: Fact, lane: Lane) -> String {
    format!("{group}-{}-{lane}", fact.name().replace('.', "-"))
}

#[async_trait]
impl Bus for NatsBus {
    async fn publish(&self, message: Message) -> Result<(), BusError> {
        message.check()?;
        let headers = wire::headers(&message);
        self.connection.publish(message.subject.to_string(), headers, message.payload).await
    }

    async fn subscribe(&self, group: &str, fact: Fact) -> Result<Box<dyn Subscription>, BusError> {
        check_group(group)?;
        for lane in Lane::ALL {
            self.connection.consumer(group, fact, lane).await?;
        }
        Ok(Box::new(feed::Member::start(self.connection.clone(), group, fact)))
    }

    async fn lag(&self, group: &str, fact: Fact) -> Result<u64, BusError> {
        let failed = |cause: Box<dyn Error + Send + Sync>| unavailable("read a consumer's state", cause);
        let stream = self.connection.jetstream.get_stream_no_info(STREAM).await;
        let stream = stream.map_err(|cause| failed(cause.into()))?;
        let mut lag = 0;
        for lane in Lane::ALL {
            match stream.consumer_info(consumer_name(group, fact, lane)).await {
                Ok(info) => lag += info.num_pending + info.num_ack_pending as u64,
                Err(cause) if cause.kind() == ConsumerInfoErrorKind::NotFound => {}
                Err(cause) => return Err(failed(cause.into())),
            }
        }
        Ok(lag)
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BusError> {
        let failed = |cause| BusError::Unavailable { operation: "read the dead letters".to_owned(), cause };
        let config = consumer::pull::Config {
            ack_policy: consumer::AckPolicy::None,
            deliver_policy: consumer::DeliverPolicy::All,
            inactive_threshold: ANSWER_WAIT, // the server forgets this reader by itself
            ..Default::default()
        };
        let reader = self.connection.jetstream.create_consumer_on_stream(config, DEAD_STREAM).await;
        let reader = reader.map_err(|cause| failed(cause.into()))?;
        let mut letters = Vec::new();
        let mut messages = reader.fetch().max_messages(limit).messages().await.map_err(|cause| failed(cause.into()))?;
        while letters.len() < limit {
            let Some(message) = messages.next().await else {
                break;
            };
            let message = message.map_err(failed)?;
            let info = message.info().map_err(failed)?;
            match wire::dead_letter(info.stream_sequence, info.published.unix_timestamp_nanos(), &message) {
                Ok(letter) => letters.push(letter),
                Err(why) => tracing::warn!(sequence = info.stream_sequence, why, "unreadable dead letter"),
            }
        }
        Ok(letters)
    }

    async fn replay(&self, id: &str) -> Result<(), BusError> {
        let unknown = || BusError::UnknownDeadLetter(id.to_owned());
        let sequence: u64 = id.parse().map_err(|_| unknown())?;
        let stream = self.connection.jetstream.get_stream_no_info(DEAD_STREAM).await;
        let stream = stream.map_err(|cause| unavailable("open the dead letters", cause))?;
        let raw = match stream.get_raw_message(sequence).await {
            Ok(raw) => raw,
            Err(cause) if cause.kind() == RawMessageErrorKind::NoMessageFound => {
                return Err(unknown());
            }
            Err(cause) => return Err(unavailable("read a dead letter", cause)),
        };
        let (subject, headers) = wire::replay(sequence, &raw).map_err(|_| unknown())?;
        self.connection.publish(subject, headers, raw.payload).await?;
        let deleted = stream.delete_message(sequence).await;
        deleted.map_err(|cause| unavailable("remove a replayed dead letter", cause))?;
        Ok(())
    }
}

fn unavailable(operation: &str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> BusError {
    BusError::Unavailable { operation: operation.to_owned(), cause: cause.into() }
}

/// The code of the server's own error, if one is in the chain.
fn server_code(error: &(dyn Error + 'static)) -> Option<ErrorCode> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(server) = error.downcast_ref::<jetstream::Error>() {
            return Some(server.error_code());
        }
        next = error.source();
    }
    None
}

/// An error and its causes in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod server;

#[cfg(test)]
mod tests {
    use super::{server::Server, *};
    use crate::conformance;

    async fn start(policy: DeliveryPolicy) -> (Arc<dyn Bus>, Server) {
        let server = Server::start().await;
        (Arc::new(connect(&server, policy).await), server)
    }

    async fn connect(server: &Server, policy: DeliveryPolicy) -> NatsBus {
        NatsBus::connect(&server.url(), policy).await.expect("connected")
    }

    conformance::promises!(start);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_killed_server_loses_nothing_that_it_acknowledged() {
        let (bus, mut server) = start(conformance::policy()).await;
        let mut subscription = conformance::subscribe(&bus, "inventory").await;
        for index in 0..50 {
            conformance::publish(&bus, Lane::Event, &format!("before-{index:02}"), "k").await;
        }
        let mut delivered = conformance::drain(&mut subscription, 10).await;
        server.kill();
        let publisher = bus.clone();
        let publishing = tokio::spawn(async move {
            let message = conformance::message(Lane::Event, "during", "k");
            while let Err(error) = publisher.publish(message.clone()).await {
                assert!(!error.is_permanent(), "{error}");
            }
        });
        server.restart().await;
        publishing.await.expect("published over the restart");
        while !delivered.iter().any(|id| id == "during") {
            delivered.extend(conformance::drain(&mut subscription, 1).await);
        }
        delivered.sort();
        delivered.dedup(); // what was acknowledged shortly before the kill may come again
        assert_eq!(delivered.len(), 51, "{delivered:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_a_stopped_group_missed_is_there_when_it_is_back() {
        let (bus, server) = start(conformance::policy()).await;
        drop(conformance::subscribe(&bus, "inventory").await);
        conformance::publish(&bus, Lane::Event, "missed", "k").await;
        drop(bus);
        let bus: Arc<dyn Bus> = Arc::new(connect(&server, conformance::policy()).await);
        let mut subscription = conformance::subscribe(&bus, "inventory").await;
        assert_eq!(conformance::drain(&mut subscription, 1).await, ["missed"]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_stream_keeps_only_what_is_not_acknowledged() {
        let server = Server::start().await;
        let nats = Arc::new(connect(&server, conformance::policy()).await);
        let bus: Arc<dyn Bus> = nats.clone();
        let (mut one, mut other) =
            (conformance::subscribe(&bus, "inventory").await, conformance::subscribe(&bus, "matching").await);
        for lane in Lane::ALL {
            conformance::publish(&bus, lane, lane.name(), "k").await;
        }
        let kept = async || {
            let stream = nats.connection.jetstream.get_stream(STREAM).await.expect("stream");
            stream.cached_info().state.messages
        };
        conformance::drain(&mut one, 3).await;
        assert_eq!(kept().await, 3, "one group has not acknowledged");
        conformance::drain(&mut other, 3).await;
        for _ in 0..200 {
            if kept().await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} acknowledged messages are still kept", kept().await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_stream_refuses_to_publish_until_there_is_room() {
        let server = Server::start().await;
        let nats = Arc::new(connect(&server, conformance::policy()).await);
        let jetstream = &nats.connection.jetstream;
        let config = jetstream.get_stream(STREAM).await.expect("stream").cached_info().config.clone();
        let small = jetstream::stream::Config { max_bytes: 2_000, ..config };
        jetstream.update_stream(small).await.expect("an operator may change the limit");
        let bus: Arc<dyn Bus> = nats.clone();
        let mut subscription = conformance::subscribe(&bus, "inventory").await;
        let message = |id: &str| {
            let mut message = conformance::message(Lane::Event, id, "k");
            message.payload = vec![0; 1_200].into();
            message
        };
        bus.publish(message("a")).await.expect("the first fits");
        let error = bus.publish(message("b")).await.expect_err("the second does not");
        assert!(matches!(error, BusError::Full(_)) && !error.is_permanent(), "{error:?}");
        conformance::drain(&mut subscription, 1).await;
        for _ in 0..200 {
            if bus.publish(message("b")).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no room after everything was acknowledged");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_no_message_of_ours_does_not_stop_a_lane() {
        let server = Server::start().await;
        let nats = Arc::new(connect(&server, conformance::policy()).await);
        let bus: Arc<dyn Bus> = nats.clone();
        let mut subscription = conformance::subscribe(&bus, "inventory").await;
        let subject = conformance::message(Lane::Event, "a", "k").subject.to_string();
        nats.connection.jetstream.publish(subject, "no headers".into()).await.expect("sent").await.expect("taken");
        conformance::publish(&bus, Lane::Event, "a", "k").await;
        assert_eq!(conformance::drain(&mut subscription, 1).await, ["a"]);
    }
}
