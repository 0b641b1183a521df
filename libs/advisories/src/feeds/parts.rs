//! JSON documents that are long because they hold many records: each record is handed on as text, one by one, so that a bad
//! one is set aside alone and the document's size in memory stays its bytes.

use crate::feed::FeedError;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Takes a record's place in its list and its text.
type TakeElement<'t, 'de> = &'t mut dyn FnMut(usize, &'de RawValue);
/// Takes an entry's key and its value's text.
type TakeEntry<'t, 'de> = &'t mut dyn FnMut(&str, &'de RawValue);

/// Hands on each element of the list under the key `list` of the outermost object.
pub(crate) fn elements<'de>(
    bytes: &'de [u8],
    format: &'static str,
    list: &str,
    take: TakeElement<'_, 'de>,
) -> Result<(), FeedError> {
    let mut found = false;
    read(bytes, format, Under { list, take, found: &mut found })?;
    match found {
        true => Ok(()),
        false => Err(FeedError::NotThis { format, why: format!("it has no list `{list}`") }),
    }
}

/// Hands on each element of the outermost list.
pub(crate) fn whole_list<'de>(
    bytes: &'de [u8],
    format: &'static str,
    take: TakeElement<'_, 'de>,
) -> Result<(), FeedError> {
    read(bytes, format, Elements(take))
}

/// Hands on each entry of the outermost object.
pub(crate) fn entries<'de>(bytes: &'de [u8], format: &'static str, take: TakeEntry<'_, 'de>) -> Result<(), FeedError> {
    read(bytes, format, Entries(take))
}

/// The whole document as one value.
pub(crate) fn whole<'de>(bytes: &'de [u8], format: &'static str) -> Result<&'de RawValue, FeedError> {
    serde_json::from_slice(unmarked(bytes)).map_err(|cause| FeedError::NotJson { format, cause })
}

fn read<'de>(bytes: &'de [u8], format: &'static str, seed: impl DeserializeSeed<'de>) -> Result<(), FeedError> {
    let mut deserializer = serde_json::Deserializer::from_slice(unmarked(bytes));
    let read = seed.deserialize(&mut deserializer).and_then(|_| deserializer.end());
    read.map_err(|cause| FeedError::NotJson { format, cause })
}

/// Without the byte order mark that some put in front.
fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

struct Elements<'t, 'de>(TakeElement<'t, 'de>);

impl<'de> DeserializeSeed<'de> for Elements<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, 'de> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of records")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(element) = list.next_element::<&RawValue>()? {
            (self.0)(index, element);
            index += 1;
        }
        Ok(())
    }
}

struct Under<'t, 'de> {
    list: &'t str,
    take: TakeElement<'t, 'de>,
    found: &'t mut bool,
}

impl<'de> DeserializeSeed<'de> for Under<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Under<'_, 'de> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object with a list `{}`", self.list)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == self.list {
                *self.found = true;
                map.next_value_seed(Elements(&mut *self.take))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Entries<'t, 'de>(TakeEntry<'t, 'de>);

impl<'de> DeserializeSeed<'de> for Entries<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, 'de> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of records")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            (self.0)(&key, map.next_value::<&RawValue>()?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(json: &str) -> Result<Vec<String>, String> {
        let mut came = Vec::new();
        let read =
            elements(json.as_bytes(), "X", "list", &mut |index, raw| came.push(format!("{index}: {}", raw.get())));
        read.map(|()| came).map_err(|error| error.to_string())
    }

    #[test]
    fn each_element_comes_as_text_whatever_stands_around_the_list() {
        assert_eq!(listed(r#"{"a":[1],"list":[{"x":[1]}, 2],"b":{"list":[3]}}"#).unwrap(), [r#"0: {"x":[1]}"#, "1: 2"]);
        assert_eq!(listed("\u{feff}{\"list\":[]}").unwrap(), Vec::<String>::new());
        assert_eq!(listed(r#"{"lists":[]}"#).unwrap_err(), "is not X: it has no list `list`");
        assert_eq!(listed(r#"{"list":{}}"#).unwrap_err(), "is not X JSON");
        assert_eq!(listed(r#"{"list":[]} more"#).unwrap_err(), "is not X JSON");
    }

    #[test]
    fn what_came_before_the_document_broke_off_was_handed_on() {
        let mut came = 0;
        assert!(elements(br#"{"list":[1,2,"#, "X", "list", &mut |_, _| came += 1).is_err());
        assert_eq!(came, 2);
    }

    #[test]
    fn deep_nesting_is_refused_or_passed_over_without_recursion() {
        let deep = format!(r#"{{"list":[{}{}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(listed(&deep).map(|came| came.len()), Ok(1));
    }

    #[test]
    fn lists_and_objects_of_records_come_in_their_order() {
        let mut came = Vec::new();
        whole_list(br#"[1,{"a":2}]"#, "X", &mut |index, raw| came.push(format!("{index}={}", raw.get()))).unwrap();
        entries(br#"{"b":1,"a":[2]}"#, "X", &mut |key, raw| came.push(format!("{key}={}", raw.get()))).unwrap();
        assert_eq!(came, ["0=1", r#"1={"a":2}"#, "b=1", "a=[2]"]);
        assert_eq!(whole(b" 7 ", "X").unwrap().get(), "7");
    }
}
