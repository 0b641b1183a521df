//! Messages as NATS carries them: what is not subject or payload travels as headers.

use crate::{DeadLetter, Message, Subject};
use async_nats::{HeaderMap, header::NATS_MESSAGE_ID, jetstream::message::StreamMessage};
use std::collections::BTreeMap;

/// The id that the publisher gave; NATS' own id differs for a replay.
const ID: &str = "Muster-Id";
const KEY: &str = "Muster-Key";
/// Of a replay: the only group it is for. Of a dead letter: the group that could not handle it.
const GROUP: &str = "Muster-Group";
const REASON: &str = "Muster-Reason";
const ATTEMPTS: &str = "Muster-Attempts";

pub(super) fn headers(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &message.headers {
        headers.insert(name.as_str(), value.as_str());
    }
    headers.insert(ID, message.id.as_str());
    headers.insert(KEY, message.key.as_str());
    headers.insert(NATS_MESSAGE_ID, message.id.as_str());
    headers
}

pub(super) fn dead_letter_headers(
    group: &str,
    message: &Message,
    sequence: u64,
    reason: &str,
    attempts: u32,
) -> HeaderMap {
    let mut headers = headers(message);
    headers.insert(NATS_MESSAGE_ID, format!("{group}:{sequence}"));
    headers.insert(GROUP, group);
    headers.insert(REASON, reason);
    headers.insert(ATTEMPTS, attempts.to_string());
    headers
}

/// Subject and headers with which a dead letter goes back to its group.
pub(super) fn replay(sequence: u64, letter: &StreamMessage) -> Result<(String, HeaderMap), String> {
    let (group, message) = buried(&letter.subject, &letter.headers, &letter.payload)?;
    let mut headers = headers(&message);
    let nanoseconds = letter.time.unix_timestamp_nanos(); // a stream created anew counts from one again
    headers.insert(NATS_MESSAGE_ID, format!("replay:{sequence}:{nanoseconds}"));
    headers.insert(GROUP, group);
    Ok((message.subject.to_string(), headers))
}

pub(super) fn message(raw: &async_nats::Message) -> Result<Message, String> {
    let headers = raw.headers.clone().unwrap_or_default();
    read(raw.subject.as_str(), &headers, raw.payload.clone())
}

/// The only group that a message is for, when it is a replay.
pub(super) fn only_group(raw: &async_nats::Message) -> Option<&str> {
    raw.headers.as_ref()?.get(GROUP).map(|value| value.as_str())
}

pub(super) fn dead_letter(sequence: u64, nanoseconds: i128, raw: &async_nats::Message) -> Result<DeadLetter, String> {
    let headers = raw.headers.clone().unwrap_or_default();
    let (group, message) = buried(raw.subject.as_str(), &headers, &raw.payload)?;
    let text = |name| headers.get(name).map(|value| value.as_str());
    Ok(DeadLetter {
        id: sequence.to_string(),
        group,
        message,
        reason: text(REASON).unwrap_or_default().to_owned(),
        attempts: text(ATTEMPTS).and_then(|count| count.parse().ok()).unwrap_or_default(),
        at: jiff::Timestamp::from_nanosecond(nanoseconds).map_err(|error| error.to_string())?,
    })
}

/// A dead letter's group and message.
fn buried(subject: &str, headers: &HeaderMap, payload: &bytes::Bytes) -> Result<(String, Message), String> {
    let parts = subject.strip_prefix("muster-dead.").and_then(|rest| rest.split_once('.'));
    let (group, subject) = parts.ok_or_else(|| format!("`{subject}` is not the subject of a dead letter"))?;
    Ok((group.to_owned(), read(&format!("muster.{subject}"), headers, payload.clone())?))
}

fn read(subject: &str, headers: &HeaderMap, payload: bytes::Bytes) -> Result<Message, String> {
    let subject: Subject = subject.parse().map_err(|error: crate::MalformedSubject| error.to_string())?;
    let text = |name: &str| {
        let value = headers.get(name).map(|value| value.as_str().to_owned());
        value.ok_or_else(|| format!("it has no header {name}"))
    };
    let ours = |name: &str| name.starts_with("Muster-") || name.starts_with("Nats-");
    let others = headers.iter().filter(|(name, _)| !ours(name.as_ref()));
    let others = others.filter_map(|(name, values)| Some((name.to_string(), values.first()?.to_string())));
    let others: BTreeMap<String, String> = others.collect();
    Ok(Message { subject, id: text(ID)?, key: text(KEY)?, headers: others, payload })
}
