//! Version keys: bytes whose plain order is their scheme's order, and the encodings of numbers and text that they
//! are made of.
//!
//! Keys are stored (advisory databases, the store): whoever changes an encoding changes the format version of these.

use crate::Scheme;
use std::cmp::Ordering;

/// Longest version read, in bytes. Real versions have below 100; the limit bounds what hostile input costs.
pub const LENGTH_MAX: usize = 1024;

/// A version as bytes: equal bytes mean versions that the scheme holds for equal, smaller bytes an earlier version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionKey {
    scheme: Scheme,
    bytes: Vec<u8>,
}

impl VersionKey {
    /// A key from storage. `bytes` are what [`as_bytes`](Self::as_bytes) gave for a key of the same scheme.
    pub fn from_parts(scheme: Scheme, bytes: Vec<u8>) -> Self {
        Self { scheme, bytes }
    }

    /// The scheme that ordered it.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The bytes to store and to compare with keys of the same scheme.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// `None` across schemes: such versions have no order.
impl PartialOrd for VersionKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.scheme == other.scheme).then(|| self.bytes.cmp(&other.bytes))
    }
}

/// A version that its scheme does not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{raw}` is not a {} version: {why}", scheme.name())]
pub struct Malformed {
    /// The scheme that refused it.
    pub scheme: Scheme,
    /// The version as it came; its first [`LENGTH_MAX`] bytes when it was longer.
    pub raw: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Malformed {
    pub(crate) fn new(scheme: Scheme, raw: &str, why: Why) -> Self {
        Self { scheme, raw: raw[..raw.floor_char_boundary(LENGTH_MAX)].to_owned(), why }
    }
}

/// What is wrong with a version; completes "`x` is not a … version:".
pub(crate) type Why = &'static str;

/// Builds a key part by part. Each part's encoding tells where it ends, so that the parts' orders hold one after
/// the other.
#[derive(Default)]
pub(crate) struct KeyWriter(Vec<u8>);

impl KeyWriter {
    /// One byte that orders what may stand in one place: the end, a number, a word.
    pub fn mark(&mut self, mark: u8) {
        self.0.push(mark);
    }

    /// A whole number of any length, in ASCII digits; leading zeros do not count, nothing is 0.
    /// Layout: how many digits there are (one byte; from 255 on, 255 and a big-endian u16), then the digits.
    pub fn number(&mut self, digits: &str) {
        let digits = digits.trim_start_matches('0');
        match u8::try_from(digits.len()) {
            Ok(length) if length < u8::MAX => self.0.push(length),
            _ => {
                let length = u16::try_from(digits.len()).expect("a version has at most LENGTH_MAX bytes");
                self.0.push(u8::MAX);
                self.0.extend(length.to_be_bytes());
            }
        }
        self.0.extend(digits.bytes());
    }

    /// Text in ASCII order, a prefix before what it begins. Layout: the text, then 0, which no scheme's text contains.
    pub fn text(&mut self, text: &str) {
        self.0.extend(text.bytes());
        self.0.push(0);
    }

    /// The bytes of the key.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: fn(&mut KeyWriter, &str), ascending: &[&str]) {
        let key = |part: &str| {
            let mut key = KeyWriter::default();
            write(&mut key, part);
            key.mark(u8::MAX); // what follows must not matter
            key.finish()
        };
        for pair in ascending.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "`{}` before `{}`", pair[0], pair[1]);
        }
    }

    #[test]
    fn numbers_of_any_length_are_in_order() {
        let lengths = [253, 254, 255, 256, 511, 1024].map(|length| "9".repeat(length));
        let long: Vec<&str> = lengths.iter().map(String::as_str).collect();
        check(KeyWriter::number, &["0", "1", "9", "10", "99", "100", "18446744073709551615", "18446744073709551616"]);
        check(KeyWriter::number, &long);
    }

    #[test]
    fn leading_zeros_do_not_count() {
        let mut padded = KeyWriter::default();
        let mut plain = KeyWriter::default();
        for (with_zeros, without) in [("007", "7"), ("000", "0"), ("", "0")] {
            padded.number(with_zeros);
            plain.number(without);
        }
        assert_eq!(padded.finish(), plain.finish());
    }

    #[test]
    fn text_comes_before_what_it_begins() {
        check(KeyWriter::text, &["", "-", "0", "A", "Z", "a", "a-", "aa", "b"]);
    }

    #[test]
    fn a_refusal_names_scheme_version_and_reason_and_is_bounded() {
        let malformed = Malformed::new(Scheme::Deb, "1.0-", "the revision is empty");
        assert_eq!(malformed.to_string(), "`1.0-` is not a deb version: the revision is empty");
        assert_eq!(Malformed::new(Scheme::Deb, &"é".repeat(600), "").raw.len(), LENGTH_MAX);
        assert_eq!(Malformed::new(Scheme::Deb, &format!("1{}", "é".repeat(600)), "").raw.len(), LENGTH_MAX - 1);
    }
}
