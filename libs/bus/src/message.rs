//! What travels: a subject that says what happened where, and a message that says to whom.

use crate::{BusError, HEADER_BYTES_MAX, PAYLOAD_BYTES_MAX};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// A fact that services tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Discovery saw a new or changed resource.
    ResourceObserved,
    /// A sweep no longer found a resource.
    ResourceGone,
    /// The network topology of an account and region changed.
    TopologyObserved,
    /// A resource's software was read, or why it could not be.
    InventoryChanged,
    /// A new epoch of the advisory database is out.
    AdvisoriesChanged,
    /// A resource's verdicts or exposure changed.
    VerdictsChanged,
    /// A finding came up, for the first time or again.
    FindingOpened,
    /// An active finding changed.
    FindingUpdated,
    /// A finding was remediated.
    FindingClosed,
}

impl Fact {
    /// All facts, in the order of the data flow.
    pub const ALL: [Self; 9] = [
        Self::ResourceObserved,
        Self::ResourceGone,
        Self::TopologyObserved,
        Self::InventoryChanged,
        Self::AdvisoriesChanged,
        Self::VerdictsChanged,
        Self::FindingOpened,
        Self::FindingUpdated,
        Self::FindingClosed,
    ];

    /// The two subject tokens, `resource.observed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResourceObserved => "resource.observed",
            Self::ResourceGone => "resource.gone",
            Self::TopologyObserved => "topology.observed",
            Self::InventoryChanged => "inventory.changed",
            Self::AdvisoriesChanged => "advisories.changed",
            Self::VerdictsChanged => "verdicts.changed",
            Self::FindingOpened => "finding.opened",
            Self::FindingUpdated => "finding.updated",
            Self::FindingClosed => "finding.closed",
        }
    }

    /// From the two subject tokens.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fact| fact.name() == name)
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How urgent a message is. The order is the order of delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// A person asked for it and waits.
    OnDemand,
    /// Something happened in the cloud.
    Event,
    /// A sweep or a new advisory scheduled it.
    Scheduled,
}

impl Lane {
    /// Most urgent first.
    pub const ALL: [Self; 3] = [Self::OnDemand, Self::Event, Self::Scheduled];

    /// The subject token: `on-demand`, `event`, `scheduled`.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Event => "event",
            Self::Scheduled => "scheduled",
        }
    }

    /// From the subject token.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.name() == name)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The token for "no account", "no region" or "no kind": an advisory database belongs to none.
pub const NONE: &str = "_";

/// What happened where, and how urgent it is:
/// `muster.<fact: two tokens>.<account>.<region>.<kind>.<lane>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What happened.
    pub fact: Fact,
    /// Twelve digits, or [`NONE`].
    pub account: String,
    /// `eu-central-1`, or [`NONE`].
    pub region: String,
    /// `instance`, `image`, `function`, or [`NONE`].
    pub kind: String,
    /// How urgent it is.
    pub lane: Lane,
}

/// A text that is not a subject, or a subject with a part that is not a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{subject}` is not a subject: {why}")]
pub struct MalformedSubject {
    /// As it was given.
    pub subject: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Longest account, region or kind, in characters: far above any of AWS, far below what NATS takes.
const TOKEN_LENGTH_MAX: usize = 64;

impl Subject {
    /// An empty account, region or kind stands for [`NONE`].
    pub fn new(fact: Fact, account: &str, region: &str, kind: &str, lane: Lane) -> Self {
        let token = |raw: &str| {
            if raw.is_empty() { NONE.to_owned() } else { raw.to_owned() }
        };
        Self { fact, account: token(account), region: token(region), kind: token(kind), lane }
    }

    /// Whether account, region and kind are tokens: one to 64 of `A-Z`, `a-z`, `0-9`, `-`, `_`.
    pub fn check(&self) -> Result<(), MalformedSubject> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let token = |raw: &str| (1..=TOKEN_LENGTH_MAX).contains(&raw.len()) && raw.bytes().all(fine);
        for (part, why) in [
            (&self.account, "its account is not a token"),
            (&self.region, "its region is not a token"),
            (&self.kind, "its kind is not a token"),
        ] {
            if !token(part) {
                return Err(MalformedSubject { subject: self.to_string(), why });
            }
        }
        Ok(())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fact, account, region, kind, lane } = self;
        write!(formatter, "muster.{fact}.{account}.{region}.{kind}.{lane}")
    }
}

impl FromStr for Subject {
    type Err = MalformedSubject;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let malformed = |why| MalformedSubject { subject: raw.to_owned(), why };
        let tokens: Vec<&str> = raw.split('.').collect();
        let [muster, noun, verb, account, region, kind, lane] = tokens[..] else {
            return Err(malformed("it does not have seven tokens"));
        };
        if muster != "muster" {
            return Err(malformed("it does not start with `muster`"));
        }
        let fact = Fact::parse(&format!("{noun}.{verb}")).ok_or_else(|| malformed("its fact is unknown"))?;
        let lane = Lane::parse(lane).ok_or_else(|| malformed("its lane is unknown"))?;
        let (account, region, kind) = (account.to_owned(), region.to_owned(), kind.to_owned());
        let subject = Self { fact, account, region, kind, lane };
        subject.check()?;
        Ok(subject)
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What happened where.
    pub subject: Subject,
    /// Two messages of one id are one message: an outbox row's id, stable over retries.
    pub id: String,
    /// What it is about, usually a resource id: order is kept per key.
    pub key: String,
    /// Trace context and the like. Names of letters, digits and `-`, none that starts with `nats-` or
    /// `muster-`; values without control characters or blanks around them.
    pub headers: BTreeMap<String, String>,
    /// A small body: digests, epochs, ids.
    pub payload: Bytes,
}

impl Message {
    /// Whether every engine can carry it: checked by `publish`.
    pub fn check(&self) -> Result<(), BusError> {
        self.subject.check()?;
        let malformed = |why: String| Err(BusError::MalformedMessage { id: self.id.clone(), why });
        for (name, value) in [("id", &self.id), ("key", &self.key)] {
            if value.is_empty() || !is_header_value(value) {
                return malformed(format!("its {name} `{}` is not one line of text", value.escape_debug()));
            }
        }
        for (name, value) in &self.headers {
            if !is_header_name(name) || !is_header_value(value) {
                return malformed(format!("its header `{}` cannot travel", name.escape_debug()));
            }
        }
        let too_large = |what, bytes, limit| Err(BusError::TooLarge { id: self.id.clone(), what, bytes, limit });
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let headers = headers + self.id.len() + self.key.len();
        match (self.payload.len(), headers) {
            (bytes, _) if bytes > PAYLOAD_BYTES_MAX => too_large("payload", bytes, PAYLOAD_BYTES_MAX),
            (_, bytes) if bytes > HEADER_BYTES_MAX => too_large("headers", bytes, HEADER_BYTES_MAX),
            _ => Ok(()),
        }
    }

    /// What it costs to keep, in bytes, roughly.
    pub(crate) fn weight(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len() + 96).sum::<usize>();
        self.payload.len() + self.id.len() + self.key.len() + headers + 256
    }
}

fn is_header_name(name: &str) -> bool {
    let reserved = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !reserved("nats-")
        && !reserved("muster-")
}

fn is_header_value(value: &str) -> bool {
    value.trim() == value && !value.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_as_it_is_written() {
        for (text, fact, kind, lane) in [
            (
                "muster.resource.observed.111122223333.eu-central-1.instance.scheduled",
                Fact::ResourceObserved,
                "instance",
                Lane::Scheduled,
            ),
            ("muster.advisories.changed._._._.event", Fact::AdvisoriesChanged, NONE, Lane::Event),
            (
                "muster.finding.opened.111122223333.us-east-1.image.on-demand",
                Fact::FindingOpened,
                "image",
                Lane::OnDemand,
            ),
        ] {
            let subject: Subject = text.parse().expect("a subject");
            assert_eq!((subject.fact, subject.kind.as_str(), subject.lane), (fact, kind, lane), "{text}");
            assert_eq!(subject.to_string(), text);
        }
        assert_eq!(
            Subject::new(Fact::AdvisoriesChanged, "", "", "", Lane::Event).to_string(),
            "muster.advisories.changed._._._.event"
        );
    }

    #[test]
    fn a_text_that_is_no_subject_says_why() {
        for (text, why) in [
            ("muster.resource.observed", "it does not have seven tokens"),
            ("other.resource.observed.1.r.instance.event", "it does not start with `muster`"),
            ("muster.resource.lost.1.r.instance.event", "its fact is unknown"),
            ("muster.resource.observed.1.r.instance.soon", "its lane is unknown"),
            ("muster.resource.observed..r.instance.event", "its account is not a token"),
            ("muster.resource.observed.1.*.instance.event", "its region is not a token"),
            ("muster.resource.observed.1.r.>.event", "its kind is not a token"),
        ] {
            assert_eq!(text.parse::<Subject>().expect_err(text).why, why, "{text}");
        }
    }

    /// A message that is fine but for what `change` does to it.
    fn check(change: impl FnOnce(&mut Message), expected: Option<&str>) {
        let mut message = Message {
            subject: Subject::new(Fact::FindingOpened, "1", "r", "image", Lane::Event),
            id: "id".into(),
            key: "key".into(),
            headers: BTreeMap::new(),
            payload: Bytes::new(),
        };
        change(&mut message);
        let error = message.check().err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), expected);
    }

    #[test]
    fn a_message_that_cannot_travel_is_refused_by_name() {
        let header = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        check(|message| message.headers = header("traceparent", "00-4bf9-00f0-01"), None);
        check(|message| message.payload = vec![0; PAYLOAD_BYTES_MAX].into(), None);
        check(
            |message| message.payload = vec![0; 1 << 20].into(),
            Some("message `id` has 1048576 bytes of payload, more than the 1015808 that a message may carry"),
        );
        check(
            |message| message.headers = header("h", &"v".repeat(HEADER_BYTES_MAX)),
            Some("message `id` has 16390 bytes of headers, more than the 16384 that a message may carry"),
        );
        check(
            |message| message.headers = header("Nats-Msg-Id", "forged"),
            Some("message `id` cannot be published: its header `Nats-Msg-Id` cannot travel"),
        );
        check(
            |message| message.key = "two\r\nlines".into(),
            Some("message `id` cannot be published: its key `two\\r\\nlines` is not one line of text"),
        );
        check(
            |message| message.subject.account = "1.2".into(),
            Some("`muster.finding.opened.1.2.r.image.event` is not a subject: its account is not a token"),
        );
    }
}
