//! One call's answer as the AWS CLI prints it: an object with the call's list in it, and what else AWS says beside it.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt, marker::PhantomData};

/// The longest file that is read, in bytes. `aws ec2 describe-instances` prints some 6 KB for an instance, and 100,000
/// of them are what a region may hold.
pub const FILE_BYTES_MAX: usize = 1 << 30;

/// The most records of one answer: twenty times the interfaces of the largest region that is measured.
const RECORDS_MAX: usize = 2_000_000;

/// Why a file does not hold its call's whole answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the file is empty")]
    Empty,
    #[error("the file has {0} bytes, more than are read")]
    TooLong(usize),
    #[error("the file is neither UTF-8 nor UTF-16")]
    NoText,
    #[error("AWS refused: {0}")]
    Refused(String),
    #[error("it is no answer of the call: {0}")]
    NotTheAnswer(#[from] serde_json::Error),
    #[error("it is no answer of the call: it has no `{0}`")]
    Without(String),
    #[error("it does not say what it is about")]
    Nameless,
}

/// What an answer said.
struct Answer<T> {
    /// Its records.
    records: Vec<T>,
    /// AWS has more of them.
    is_incomplete: bool,
}

/// What the AWS CLI writes to stderr when a call fails, and people redirect into the file.
const REFUSAL: &str = "An error occurred (";

/// The error of AWS when what was asked for is not there: a function that has no policy, no address.
const NOT_THERE: &str = "ResourceNotFoundException";

/// A file's text: UTF-8, or UTF-16 as PowerShell's redirection writes it.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Fault::TooLong(bytes.len()));
    }
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => {
            let units = rest.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
            let text: Result<String, _> = char::decode_utf16(units).collect();
            Cow::Owned(text.map_err(|_| Fault::NoText)?)
        }
        _ => Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| Fault::NoText)?),
    };
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
        owned => owned,
    };
    if text.trim_start().is_empty() {
        return Err(Fault::Empty);
    }
    match refusal(&text) {
        Some(refusal) => Err(Fault::Refused(refusal)),
        None => Ok(text),
    }
}

/// What AWS said instead of an answer, in one line of bounded length.
fn refusal(text: &str) -> Option<String> {
    let text = text.trim_start();
    let said = text.strip_prefix("aws: [ERROR]: ").unwrap_or(text);
    said.starts_with(REFUSAL).then(|| said.lines().next().unwrap_or_default().chars().take(300).collect())
}

impl Fault {
    /// Whether it says that the one thing asked for is not there, which is an answer.
    pub(super) fn is_not_there(&self) -> bool {
        matches!(self, Self::Refused(said) if said.starts_with(&format!("{REFUSAL}{NOT_THERE})")))
    }

    /// In words, short enough for a line: what a file says may be in it.
    pub(super) fn reason(&self) -> String {
        self.to_string().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(400).collect()
    }
}

/// Adds the list under `key`, each record with an id; whether AWS has more of them. An answer without the list is none:
/// it would pass for an empty one.
pub(super) fn extend<T: DeserializeOwned>(
    list: &mut Vec<T>,
    text: &str,
    key: &str,
    id: fn(&T) -> &str,
) -> Result<bool, Fault> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let answer = Whole { key, id, record: PhantomData }.deserialize(&mut reader)?;
    reader.end()?;
    list.extend(answer.records);
    Ok(answer.is_incomplete)
}

/// Adds the answer itself, which is an object with an id and with something under `key`.
pub(super) fn object<T: DeserializeOwned>(
    list: &mut Vec<T>,
    text: &str,
    key: &str,
    id: fn(&T) -> &str,
) -> Result<(), Fault> {
    let answer: serde_json::Value = serde_json::from_str(text)?;
    if answer.get(key).is_none() {
        return Err(Fault::Without(key.to_owned()));
    }
    let record: T = serde_json::from_value(answer)?;
    if id(&record).is_empty() {
        return Err(Fault::Nameless);
    }
    list.push(record);
    Ok(())
}

/// The text under `key`.
pub(super) fn member(text: &str, key: &str) -> Result<String, Fault> {
    let answer: serde_json::Value = serde_json::from_str(text)?;
    let member = answer.get(key).and_then(serde_json::Value::as_str);
    member.map(str::to_owned).ok_or_else(|| Fault::Without(key.to_owned()))
}

/// The whole object.
struct Whole<'a, T> {
    key: &'a str,
    id: fn(&T) -> &str,
    record: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Whole<'_, T> {
    type Value = Answer<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Whole<'_, T> {
    type Value = Answer<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object with a list `{}`", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let (mut records, mut is_incomplete) = (None, false);
        while let Some(key) = object.next_key::<Cow<'de, str>>()? {
            if key == self.key {
                if records.is_some() {
                    return Err(A::Error::custom(format!("`{}` is there twice", self.key)));
                }
                records = Some(object.next_value_seed(Records { key: self.key, id: self.id, record: PhantomData })?);
            } else if tells_of_more(&key) {
                is_incomplete |= object.next_value::<Sign>()?.0;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        let records = records.ok_or_else(|| A::Error::custom(format!("it has no `{}`", self.key)))?;
        Ok(Answer { records, is_incomplete })
    }
}

/// Whether a value beside the list, if there is one, says that AWS has more. The services spell the token in four ways;
/// `AdditionalRoutesAvailable` is SearchTransitGatewayRoutes' word for it, `failures` that of ECS.
fn tells_of_more(key: &str) -> bool {
    matches!(key, "NextToken" | "nextToken" | "NextMarker" | "Marker" | "AdditionalRoutesAvailable" | "failures")
}

/// Whether a value says something: neither null nor false nor empty.
struct Sign(bool);

impl<'de> Deserialize<'de> for Sign {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let says = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Null | serde_json::Value::Bool(false) => false,
            serde_json::Value::String(text) => !text.is_empty(),
            serde_json::Value::Array(items) => !items.is_empty(),
            _ => true,
        };
        Ok(Self(says))
    }
}

/// The list itself.
struct Records<'a, T> {
    key: &'a str,
    id: fn(&T) -> &str,
    record: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Records<'_, T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Records<'_, T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the list `{}`", self.key)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut records = Vec::new();
        while let Some(record) = list.next_element::<T>()? {
            if (self.id)(&record).is_empty() {
                let place = records.len() + 1;
                return Err(A::Error::custom(format!(
                    "record {place} of `{}` does not say what it is about",
                    self.key
                )));
            }
            if records.len() == RECORDS_MAX {
                return Err(A::Error::custom(format!("`{}` has more than {RECORDS_MAX} records", self.key)));
            }
            records.push(record);
        }
        Ok(records)
    }
}
