//! What every feed format shares: its errors, its limits, and reading JSON that others wrote.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Most bytes of an advisory's id or alias, a package's name, a version or a vector; real ones stay below 200.
pub(crate) const WORD_BYTES_MAX: usize = 512;
/// Most bytes of a vendor's remark that are kept.
pub(crate) const REMARK_BYTES_MAX: usize = 300;
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
    /// The JSON does not have the format's shape.
    #[error("is not {format} JSON")]
    NotJson {
        /// The format, as `FORMATS` names it.
        format: &'static str,
        /// Where and why.
        #[source]
        cause: serde_json::Error,
    },
    /// The text does not have the format's shape.
    #[error("is not {format}: {why}")]
    NotThis {
        /// The format, as `FORMATS` names it.
        format: &'static str,
        /// Where and why.
        why: String,
    },
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

/// The beginning of a document, by which its format is told.
pub struct Head<'a> {
    /// Its name, with the folders that it lies in, `/` between them.
    pub name: &'a str,
    /// Its first bytes, at most [`HEAD_BYTES_MAX`], a byte order mark and white space taken off the front.
    pub text: &'a [u8],
    json_keys: Vec<&'a str>,
}

/// First bytes that tell what a document is: the keys of real records stand within them, behind their descriptions, too.
pub const HEAD_BYTES_MAX: usize = 64 << 10;

impl<'a> Head<'a> {
    /// Of a document whose first bytes are these; `bytes` may be all of it.
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        Self { name, text, json_keys: json_keys(text) }
    }

    /// Whether it is a JSON object (or a list of such) and has this key, as far as its head goes. Of a list the first
    /// object's keys count.
    pub fn has_json_key(&self, key: &str) -> bool {
        self.json_keys.contains(&key)
    }

    /// Whether it is a JSON list.
    pub fn is_json_list(&self) -> bool {
        self.text.starts_with(b"[")
    }

    /// Whether a line without indent begins with `key:`, as YAML's top level does.
    pub fn has_yaml_key(&self, key: &str) -> bool {
        let lines = self.text.split(|&byte| byte == b'\n');
        lines.filter_map(|line| line.strip_prefix(key.as_bytes())).any(|rest| rest.starts_with(b":"))
    }

    /// Whether these bytes stand anywhere in it.
    pub fn holds(&self, needle: &str) -> bool {
        self.text.windows(needle.len()).any(|window| window == needle.as_bytes())
    }

    /// Whether its name ends so, in any case.
    pub fn is_named(&self, ending: &str) -> bool {
        self.name.to_ascii_lowercase().ends_with(ending)
    }
}

/// The keys of the outermost object, or of the first object of the outermost list; of a text that is no JSON: something else.
fn json_keys(text: &[u8]) -> Vec<&str> {
    let object = match text {
        [b'[', rest @ ..] => rest.trim_ascii_start(),
        _ => text,
    };
    if !object.starts_with(b"{") {
        return Vec::new();
    }
    let (mut keys, mut depth, mut string, mut from) = (Vec::new(), 0usize, false, 0);
    let mut last: Option<&[u8]> = None;
    let mut at = 0;
    while let Some(&byte) = object.get(at) {
        match (string, byte) {
            (true, b'\\') => at += 1,
            (true, b'"') => {
                string = false;
                last = object.get(from..at).filter(|_| depth == 1);
            }
            (true, _) => {}
            (false, b'"') => (string, from) = (true, at + 1),
            (false, b':') => keys.extend(last.take().and_then(|key| std::str::from_utf8(key).ok())),
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') if depth == 1 => break,
            (false, b'}' | b']') => depth -= 1,
            (false, _) => {}
        }
        at += 1;
    }
    keys
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
    fn a_head_tells_the_keys_that_it_reaches() {
        let keys = |text: &str| json_keys(text.as_bytes()).join(" ");
        assert_eq!(keys(r#"{"a":{"b":1},"c":"\"d\":","e":[{"f":1}],"g":1"#), "a c e g");
        assert_eq!(keys(r#"[ {"a":1}, {"b":2} ]"#), "a");
        assert_eq!(keys(r#"{"a": "cut in a text"#), "a");
        assert_eq!(keys("a: 1"), "");
        let head = Head::new("a/B.YML", b"\xef\xbb\xbf\ncve: 1\n  gem: x\n");
        assert!(head.has_yaml_key("cve") && !head.has_yaml_key("gem") && head.is_named(".yml") && head.holds("gem"));
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
