//! Facts as messages: what every service does to tell of something, in one place.

use crate::trace_headers;
use muster_bus::{Message, Subject};
use muster_store::OutboxMessage;
use uuid::Uuid;

/// A fact for the outbox. Its id is new: the row keeps it, so that a row relayed twice is one message.
/// The trace of the present span goes along.
pub fn outbox_message(subject: &Subject, key: &str, fact: &impl prost::Message) -> OutboxMessage {
    OutboxMessage {
        id: Uuid::now_v7().to_string(),
        subject: subject.to_string(),
        key: key.to_owned(),
        headers: trace_headers(),
        payload: fact.encode_to_vec(),
    }
}

/// A fact for the bus itself: for "look now", which changes no state that it would have to be in step with.
pub fn message(subject: &Subject, key: &str, fact: &impl prost::Message) -> Message {
    Message {
        subject: subject.clone(),
        id: Uuid::now_v7().to_string(),
        key: key.to_owned(),
        headers: trace_headers(),
        payload: fact.encode_to_vec().into(),
    }
}
