//! Package URLs: `pkg:type/namespace/name@version?qualifiers#subpath`, read, built and printed as ECMA-427 says
//! (github.com/package-url/purl-spec, docs/specification/standard, clause 5, read 2026-11-24); what its types ask for is
//! in [`types`].
//!
//! Our own, as names are looked up by what is read here: the crate `packageurl` leaves characters unencoded that §5.4
//! encodes, takes `+` in a type, and reads `@1/2` as part of a name.

mod types;

use serde::{Deserialize, Serialize, Serializer};
use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

/// The longest package URL that is read or built, in bytes: room for a download address of 2 KiB with each of its bytes
/// encoded, and for the rest.
pub const PURL_LENGTH_MAX: usize = 8 * 1024;

/// A valid package URL in its canonical form: its parts are decoded, and normalised as its type says. Prints as the
/// canonical text. As JSON `{type, namespace, name, version, qualifiers, subpath, purl}`, null where there is none.
///
/// For some types the canonical form has less than the name had: `golang` and `npm` are written small, though Go modules
/// and old npm packages of different case are different. Who looks names up takes [`Components::parse`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageUrl {
    /// `deb`, `npm`; small letters.
    pub package_type: String,
    /// What comes before the name: a distribution, a scope, a group; segments are separated by `/`.
    pub namespace: Option<String>,
    /// Never empty. May contain `/`, which prints as `%2F`.
    pub name: String,
    /// Opaque to the specification.
    pub version: Option<String>,
    /// Small keys, and values that are not empty.
    pub qualifiers: BTreeMap<String, String>,
    /// A path within the package, without `.` and `..`.
    pub subpath: Option<String>,
}

/// The parts of a package URL, neither normalised nor checked against its type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Components {
    /// Such as `deb`.
    #[serde(rename = "type")]
    pub package_type: String,
    /// Segments are separated by `/`.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The package's own.
    pub name: String,
    /// Empty is the same as none.
    #[serde(default)]
    pub version: Option<String>,
    /// An empty value is the same as no qualifier.
    #[serde(default)]
    pub qualifiers: Option<BTreeMap<String, String>>,
    /// Segments are separated by `/`.
    #[serde(default)]
    pub subpath: Option<String>,
}

/// Why a text or components are no package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPurl {
    /// Longer than [`PURL_LENGTH_MAX`].
    #[error("a package URL of {0} bytes is longer than {PURL_LENGTH_MAX}")]
    TooLong(usize),
    /// It does not begin with `pkg:`.
    #[error("a package URL begins with `pkg:`")]
    NotPkg,
    /// Nothing stands between the scheme and the first slash, or there is no slash.
    #[error("the package URL has no type")]
    NoType,
    /// A type has other characters than ASCII letters, digits, `.` and `-`, or does not begin with a letter.
    #[error("`{0}` is no type of a package URL")]
    Type(String),
    /// The name is empty.
    #[error("the package URL has no name")]
    NoName,
    /// A separator that would have to be encoded where it stands.
    #[error("`{0}` must be percent-encoded where it does not separate the parts of a package URL")]
    Unencoded(char),
    /// A percent sign that no two hexadecimal digits follow, or bytes that are not UTF-8.
    #[error("`{0}` is not percent-encoded UTF-8")]
    Encoding(String),
    /// A segment of the namespace or subpath that contains a slash once it is decoded.
    #[error("segment `{0}` contains an encoded `/`")]
    Slash(String),
    /// A key has other characters than ASCII letters, digits, `.`, `-` and `_`, or does not begin with a letter.
    #[error("`{0}` is no key of a qualifier")]
    Key(String),
    /// The same key twice.
    #[error("qualifier `{0}` is given twice")]
    DoubledKey(String),
    /// The type has no namespaces.
    #[error("packages of type `{0}` have no namespace")]
    NamespaceProhibited(String),
    /// The type can't do without a namespace.
    #[error("packages of type `{0}` have a namespace, which is not given")]
    NamespaceRequired(String),
    /// The type can't do without a qualifier.
    #[error("packages of type `{package_type}` have a qualifier `{key}`, which is not given")]
    QualifierRequired {
        /// Of the package.
        package_type: String,
        /// Of the qualifier.
        key: &'static str,
    },
    /// The type does not allow such a name.
    #[error("`{name}` is no name of a package of type `{package_type}`")]
    Name {
        /// Of the package.
        package_type: String,
        /// As given.
        name: String,
    },
}

impl PackageUrl {
    /// Reads any form of a package URL, canonical or not.
    pub fn parse(raw: &str) -> Result<Self, MalformedPurl> {
        Self::build(Components::parse(raw)?)
    }

    /// Checks and normalises the parts.
    pub fn build(parts: Components) -> Result<Self, MalformedPurl> {
        if !is_type(&parts.package_type) {
            return Err(match parts.package_type.is_empty() {
                true => MalformedPurl::NoType,
                false => MalformedPurl::Type(parts.package_type),
            });
        }
        let purl = types::normalise(Self {
            package_type: parts.package_type.to_ascii_lowercase(),
            namespace: segments(parts.namespace.as_deref(), |segment| !segment.is_empty()),
            name: parts.name.trim_matches('/').to_owned(),
            version: parts.version.filter(|version| !version.is_empty()),
            qualifiers: qualifiers(parts.qualifiers.unwrap_or_default())?,
            subpath: segments(parts.subpath.as_deref(), is_subpath_segment),
        });
        if purl.name.is_empty() {
            return Err(MalformedPurl::NoName);
        }
        types::check(&purl)?;
        let length = purl.to_string().len();
        if length > PURL_LENGTH_MAX {
            return Err(MalformedPurl::TooLong(length));
        }
        Ok(purl)
    }
}

impl FromStr for PackageUrl {
    type Err = MalformedPurl;
    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Self::parse(raw)
    }
}

impl Components {
    /// Splits from right to left and decodes ("How to parse"), and leaves letters as they are written.
    pub fn parse(raw: &str) -> Result<Self, MalformedPurl> {
        if raw.len() > PURL_LENGTH_MAX {
            return Err(MalformedPurl::TooLong(raw.len()));
        }
        let (rest, subpath) = split_last(raw, '#');
        let (rest, qualifiers) = split_last(rest, '?');
        let (scheme, rest) = rest.split_once(':').ok_or(MalformedPurl::NotPkg)?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return Err(MalformedPurl::NotPkg);
        }
        let (package_type, path) = rest.trim_start_matches('/').split_once('/').ok_or(MalformedPurl::NoType)?;
        if package_type.is_empty() {
            return Err(MalformedPurl::NoType);
        }
        if !is_type(package_type) {
            return Err(MalformedPurl::Type(package_type.to_owned()));
        }
        // Whatever is left of these would end up in a name or a version.
        if let Some(separator) = path.chars().find(|character| matches!(character, '?' | '#')) {
            return Err(MalformedPurl::Unencoded(separator));
        }
        let (path, version) = split_version(path);
        if version.is_some() && path.ends_with('/') {
            return Err(MalformedPurl::NoName);
        }
        let path = path.trim_end_matches('/');
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok(Self {
            package_type: package_type.to_owned(),
            namespace: decoded_segments(namespace, |segment| !segment.is_empty())?,
            name: decode(name)?.into_owned(),
            version: version.map(decode).transpose()?.map(Cow::into_owned),
            qualifiers: qualifiers.map(decoded_qualifiers).transpose()?,
            subpath: decoded_segments(subpath.unwrap_or_default(), is_subpath_segment)?,
        })
    }
}

/// Once from the right; what is right of the separator, if there is one.
fn split_last(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.rsplit_once(separator) {
        Some((left, right)) => (left, Some(right)),
        None => (text, None),
    }
}

/// The last `@` separates the version, unless it begins a segment that is not the last: the specification's own test
/// suite reads `pkg:npm/@babel/core`, whose scope should have been encoded.
fn split_version(path: &str) -> (&str, Option<&str>) {
    match path.rsplit_once('@') {
        Some((left, right)) if !(right.contains('/') && (left.is_empty() || left.ends_with('/'))) => {
            (left, Some(right))
        }
        _ => (path, None),
    }
}

/// §5.6.2.
fn is_type(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// §5.6.6, before it is written small.
fn is_key(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// §5.6.7.
fn is_subpath_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
}

/// The path with only the segments that count. `None`: there is none.
fn segments(path: Option<&str>, counts: impl Fn(&str) -> bool) -> Option<String> {
    let segments: Vec<&str> = path?.split('/').filter(|segment| counts(segment)).collect();
    (!segments.is_empty()).then(|| segments.join("/"))
}

fn decoded_segments(path: &str, counts: impl Fn(&str) -> bool) -> Result<Option<String>, MalformedPurl> {
    let mut segments = Vec::new();
    for raw in path.split('/') {
        let segment = decode(raw)?;
        if segment.contains('/') {
            return Err(MalformedPurl::Slash(raw.to_owned()));
        }
        if counts(&segment) {
            segments.push(segment);
        }
    }
    Ok((!segments.is_empty()).then(|| segments.join("/")))
}

fn decoded_qualifiers(text: &str) -> Result<BTreeMap<String, String>, MalformedPurl> {
    let mut qualifiers = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if qualifiers.insert(key.to_owned(), decode(value)?.into_owned()).is_some() {
            return Err(MalformedPurl::DoubledKey(key.to_owned()));
        }
    }
    Ok(qualifiers)
}

/// Small keys, and no pair without a value.
fn qualifiers(given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, MalformedPurl> {
    let mut qualifiers = BTreeMap::new();
    for (key, value) in given {
        if !is_key(&key) {
            return Err(MalformedPurl::Key(key));
        }
        if value.is_empty() {
            continue;
        }
        let small = key.to_ascii_lowercase();
        if qualifiers.insert(small, value).is_some() {
            return Err(MalformedPurl::DoubledKey(key));
        }
    }
    Ok(qualifiers)
}

/// Percent-decoding (§5.4, RFC 3986 §2.1). `+` is a plus sign, not a space.
fn decode(text: &str) -> Result<Cow<'_, str>, MalformedPurl> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let malformed = || MalformedPurl::Encoding(text.to_owned());
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(malformed)?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| malformed())
}

/// Percent-encoding: all but letters, digits, `.-_~` and the colon (§5.4).
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':') {
                write!(formatter, "{}", char::from(byte))?;
            } else {
                write!(formatter, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for PackageUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pkg:{}/", self.package_type)?;
        for segment in self.namespace.iter().flat_map(|namespace| namespace.split('/')) {
            write!(formatter, "{}/", Encoded(segment))?;
        }
        write!(formatter, "{}", Encoded(&self.name))?;
        if let Some(version) = &self.version {
            write!(formatter, "@{}", Encoded(version))?;
        }
        for (position, (key, value)) in self.qualifiers.iter().enumerate() {
            let separator = if position == 0 { '?' } else { '&' };
            write!(formatter, "{separator}{key}={}", Encoded(value))?;
        }
        for (position, segment) in self.subpath.iter().flat_map(|subpath| subpath.split('/')).enumerate() {
            let separator = if position == 0 { '#' } else { '/' };
            write!(formatter, "{separator}{}", Encoded(segment))?;
        }
        Ok(())
    }
}

impl Serialize for PackageUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// The members in the order that the command line shows them.
        #[derive(Serialize)]
        struct Shown<'a> {
            r#type: &'a str,
            namespace: Option<&'a str>,
            name: &'a str,
            version: Option<&'a str>,
            qualifiers: Option<&'a BTreeMap<String, String>>,
            subpath: Option<&'a str>,
            purl: String,
        }
        let shown = Shown {
            r#type: &self.package_type,
            namespace: self.namespace.as_deref(),
            name: &self.name,
            version: self.version.as_deref(),
            qualifiers: (!self.qualifiers.is_empty()).then_some(&self.qualifiers),
            subpath: self.subpath.as_deref(),
            purl: self.to_string(),
        };
        shown.serialize(serializer)
    }
}
