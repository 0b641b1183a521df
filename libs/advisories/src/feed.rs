//! What every feed format shares: its errors, its limits, and reading JSON that others wrote.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Most bytes of one OSV record. The largest real ones (kernel records with each stable version listed)
/// are below 4 MiB.
pub const RECORD_BYTES_MAX: usize = 16 << 20;
/// Most bytes of an advisory's id or alias, a package's name, a version or a vector; real ones stay below 200.
pub(crate) const WORD_BYTES_MAX: usize = 512;
/// Most bytes of a link that is kept; longer ones are dropped.
pub(crate) const LINK_BYTES_MAX: usize = 2048;

/// Why one record of an advisory feed was set aside.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Larger than any honest record.
    #[error("record of {bytes} bytes is over the limit of {limit} bytes")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit that it broke.
        limit: usize,
    },
    /// The JSON does not have OSV's shape.
    #[error("record is not OSV JSON")]
    NotOsv(#[source] serde_json::Error),
    /// The JSON does not have the shape of CISA's catalogue.
    #[error("catalogue is not KEV JSON")]
    NotKev(#[source] serde_json::Error),
    /// The table does not have the columns of an EPSS file.
    #[error("table has no columns `cve`, `epss`, `percentile`")]
    NotEpss,
    /// A field without which the record means nothing, or something else than was meant.
    #[error("advisory `{id}`: field `{field}` {why}")]
    Field {
        /// The record; empty when it is the id that is wrong.
        id: String,
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// At most `bytes_max` bytes of `text`, cut between letters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// A list of at most `MAX` items; `null` is an empty one (Go's encoder writes it for an empty slice).
/// The limit holds while reading, so that a hostile record can't blow up in memory.
pub(crate) fn bounded<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Bounded<T, const MAX: usize>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Bounded<T, MAX> {
        type Value = Vec<T>;
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "a list of at most {MAX} items")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = items.next_element()? {
                if list.len() == MAX {
                    return Err(serde::de::Error::custom(format_args!("list has more than {MAX} items")));
                }
                list.push(item);
            }
            Ok(list)
        }
    }
    deserializer.deserialize_any(Bounded::<T, MAX>(PhantomData))
}

/// A text where there is one; anything else a database puts there is passed over
/// (`database_specific` has no schema: `severity` is a word for GHSA, an object for others).
#[derive(Debug, Default)]
pub(crate) struct Word(pub Option<String>);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyWord;
        impl<'de> Visitor<'de> for AnyWord {
            type Value = Word;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("anything")
            }
            fn visit_str<E>(self, text: &str) -> Result<Word, E> {
                Ok(Word((!text.is_empty()).then(|| cut(text, WORD_BYTES_MAX).to_owned())))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Word, E> {
                Ok(Word(None))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Word, E> {
                Ok(Word(None))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Word, E> {
                Ok(Word(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Word, E> {
                Ok(Word(None))
            }
            fn visit_unit<E>(self) -> Result<Word, E> {
                Ok(Word(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Word, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Word(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Word, A::Error> {
                while items.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Word(None))
            }
        }
        deserializer.deserialize_any(AnyWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Three {
        #[serde(default, deserialize_with = "bounded::<_, _, 3>")]
        items: Vec<u8>,
        #[serde(default)]
        word: Word,
    }

    #[test]
    fn a_list_over_its_limit_is_refused_and_null_is_an_empty_list() {
        let read = |json: &str| serde_json::from_str::<Three>(json).map(|three| three.items);
        assert_eq!(read(r#"{"items":[1,2,3]}"#).unwrap(), [1, 2, 3]);
        assert_eq!(read(r#"{"items":null}"#).unwrap(), Vec::<u8>::new());
        assert_eq!(read("{}").unwrap(), Vec::<u8>::new());
        assert!(read(r#"{"items":[1,2,3,4]}"#).unwrap_err().to_string().contains("more than 3 items"));
    }

    #[test]
    fn a_word_is_a_text_or_nothing() {
        let read = |json: &str| serde_json::from_str::<Three>(json).unwrap().word.0;
        assert_eq!(read(r#"{"word":"HIGH"}"#).as_deref(), Some("HIGH"));
        for other in ["null", "1", "-1", "1.5", "true", "[1]", r#"{"a":{"b":[]}}"#, r#""""#] {
            assert_eq!(read(&format!(r#"{{"word":{other}}}"#)), None, "{other}");
        }
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("a", 9), "a");
    }
}
