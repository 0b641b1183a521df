//! endoflife.date: until when releases of products are supported. Its product files (github.com/endoflife-date/endoflife.date,
//! `products/*.md`: YAML between two lines of `---`, then Markdown), and its API: version 0 (a list of cycles, the product
//! being the document's name) and version 1 (`{"schema_version":…,"result":…}`; endoflife.date/docs/api/v1), one product or
//! all in full. Read 2026-11-24.
//!
//! `eol` is the end of the support that everybody gets, `eoes` of the one that must be paid or asked for. Each is a day, or
//! a yes or no: a yes without a day is [`LifeCycle::ended`]. The end of active support (`eoas`), after which security fixes
//! still come, is left out.

use super::parts;
use super::vulnerability::day;
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, bounded, cut};
use muster_domain::LifeCycle;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_json::value::RawValue;
use std::fmt;

const FORMAT: &str = "endoflife.date";
/// Most bytes of a product file's YAML; the longest real one has 130 KB.
const FRONT_MATTER_BYTES_MAX: usize = 4 << 20;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let is_file = head.text.starts_with(b"---")
        && head.has_yaml_key("permalink")
        && head.has_yaml_key("releases")
        && head.holds("releaseCycle:");
    let is_version_0 = head.is_json_list() && head.has_json_key("cycle") && head.has_json_key("eol");
    let is_version_1 = head.has_json_key("result") && head.holds("\"releases\"") && head.holds("\"isEol\"");
    is_file || is_version_0 || is_version_1
}

/// A document is one product, or all of them.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let head = Head::new(document.name, document.bytes);
    if head.text.starts_with(b"---") {
        return file(document, sink);
    }
    if head.is_json_list() {
        let product = stem(document.name);
        return parts::whole_list(document.bytes, FORMAT, &mut |index, raw| match serde_json::from_str::<Release>(
            raw.get(),
        ) {
            Ok(release) => tell(product, release, sink),
            Err(error) => sink(Item::skipped(format!("[{index}]"), format!("is not a cycle: {error}"))),
        });
    }
    parts::entries(document.bytes, FORMAT, &mut |key, raw| {
        if key == "result" {
            results(raw, sink);
        }
    })
}

/// The file's name without folders and ending: `debian` of `api/debian.json`.
fn stem(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or_default();
    file.split_once('.').map_or(file, |(stem, _)| stem)
}

fn file(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let refused = |why: String| FeedError::NotThis { format: FORMAT, why };
    let text = std::str::from_utf8(document.bytes).map_err(|_| refused("it is not UTF-8".to_owned()))?;
    let front = front_matter(text).ok_or_else(|| refused("its front matter has no end".to_owned()))?;
    if front.len() > FRONT_MATTER_BYTES_MAX {
        return Err(FeedError::TooLarge { bytes: front.len(), limit: FRONT_MATTER_BYTES_MAX });
    }
    let file: File = serde_saphyr::from_str(front).map_err(|error| {
        refused(format!("its front matter can't be read: {}", cut(&error.to_string(), WORD_BYTES_MAX)))
    })?;
    let product = match file.permalink.trim_matches('/') {
        "" => stem(document.name),
        permalink => permalink,
    };
    file.releases.into_iter().for_each(|release| tell(product, release, sink));
    Ok(())
}

/// What stands between the first two lines of `---`.
fn front_matter(text: &str) -> Option<&str> {
    let text = text.trim_start_matches('\u{feff}').trim_start().strip_prefix("---")?;
    let end = text.match_indices("\n---").map(|(at, _)| at).find(|&at| {
        let rest = text[at + 4..].trim_start_matches(['-', ' ', '\r']);
        rest.is_empty() || rest.starts_with('\n')
    })?;
    Some(&text[..end])
}

fn results(raw: &RawValue, sink: Sink<'_>) {
    if !raw.get().starts_with('[') {
        return product(raw, "result", sink);
    }
    let mut take = |index: usize, raw: &RawValue| product(raw, &format!("result[{index}]"), sink);
    parts::whole_list(raw.get().as_bytes(), FORMAT, &mut take)
        .expect("a value that was read once is JSON, and this one a list");
}

fn product(raw: &RawValue, place: &str, sink: Sink<'_>) {
    match serde_json::from_str::<Product>(raw.get()) {
        Ok(product) => product.releases.into_iter().for_each(|release| tell(&product.name, release, sink)),
        Err(error) => sink(Item::skipped(place, format!("is not a product: {error}"))),
    }
}

fn tell(product: &str, release: Release, sink: Sink<'_>) {
    let place = || cut(product, WORD_BYTES_MAX).to_owned();
    if product.is_empty() || product.len() > WORD_BYTES_MAX {
        return sink(Item::skipped(place(), format!("product's name must have 1 to {WORD_BYTES_MAX} bytes")));
    }
    if release.name.is_empty() || release.name.len() > WORD_BYTES_MAX {
        return sink(Item::skipped(place(), format!("release's name must have 1 to {WORD_BYTES_MAX} bytes")));
    }
    let end_of_life = match release.end.or(release.end_from) {
        Ok(day) => day,
        Err(odd) => {
            return sink(Item::skipped(place(), format!("release {}: `{odd}` is no end of life", release.name)));
        }
    };
    let extended = release.extended.or(release.extended_from);
    if let Err(odd) = &extended {
        let reason = format!("release {}: `{odd}` is no end of extended support", release.name);
        sink(Item::Partial(muster_domain::Skipped { place: place(), reason }));
    }
    let ended = end_of_life.is_none() && (release.end.is_yes() || release.is_ended == Some(true));
    sink(Item::LifeCycle(LifeCycle {
        product: product.to_owned(),
        codename: codename(product, release.codename.as_deref()),
        release: release.name,
        end_of_life,
        extended_support: extended.unwrap_or_default(),
        ended,
    }));
}

/// In small letters. Of Ubuntu's the first word: its systems call `Noble Numbat` `noble`.
fn codename(product: &str, written: Option<&str>) -> Option<String> {
    let written = cut(written?.trim(), WORD_BYTES_MAX);
    let word = match product {
        "ubuntu" => written.split_whitespace().next()?,
        _ => written,
    };
    (!word.is_empty()).then(|| word.to_lowercase())
}

/// A day, or whether it has come.
#[derive(Default)]
enum End {
    #[default]
    Unsaid,
    Said(bool),
    On(String),
}

impl End {
    fn is_yes(&self) -> bool {
        matches!(self, Self::Said(true))
    }

    /// The day of this, else of `other`; an `Err` holds a text that is no day.
    fn or(&self, other: Self) -> Result<Option<String>, String> {
        let written = match (self, other) {
            (Self::On(day), _) => day.clone(),
            (_, Self::On(day)) => day,
            _ => return Ok(None),
        };
        day(&written).map(Some).ok_or(written)
    }
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DayOrBool;
        impl<'de> Visitor<'de> for DayOrBool {
            type Value = End;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a day, true or false")
            }
            fn visit_bool<E>(self, said: bool) -> Result<End, E> {
                Ok(End::Said(said))
            }
            fn visit_i64<E>(self, number: i64) -> Result<End, E> {
                Ok(End::On(number.to_string()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<End, E> {
                Ok(End::On(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<End, E> {
                Ok(End::On(number.to_string()))
            }
            fn visit_unit<E>(self) -> Result<End, E> {
                Ok(End::Unsaid)
            }
            fn visit_none<E>(self) -> Result<End, E> {
                Ok(End::Unsaid)
            }
            fn visit_str<E>(self, text: &str) -> Result<End, E> {
                Ok(match text {
                    "" => End::Unsaid,
                    "true" => End::Said(true),
                    "false" => End::Said(false),
                    day => End::On(cut(day, 40).to_owned()),
                })
            }
        }
        deserializer.deserialize_any(DayOrBool)
    }
}

// Limits: the longest real list of releases (read 2026-11) has 700, all products together are 470.

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    permalink: String,
    #[serde(deserialize_with = "bounded::<_, _, 10_000>")]
    releases: Vec<Release>,
}

#[derive(Deserialize)]
struct Product {
    name: String,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    releases: Vec<Release>,
}

/// A release as the files, version 0 and version 1 spell it.
#[derive(Deserialize)]
struct Release {
    #[serde(default, rename = "releaseCycle", alias = "cycle", alias = "name")]
    name: String,
    codename: Option<String>,
    #[serde(default, rename = "eol")]
    end: End,
    #[serde(default, rename = "eolFrom")]
    end_from: End,
    #[serde(rename = "isEol")]
    is_ended: Option<bool>,
    #[serde(default, rename = "eoes", alias = "extendedSupport")]
    extended: End,
    #[serde(default, rename = "eoesFrom")]
    extended_from: End,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        assert!(recognises(&Head::new(name, text.as_bytes())), "{text}");
        parse(&Document { name, bytes: text.as_bytes() }, &mut |item| match item {
            Item::LifeCycle(one) => lines.push(format!(
                "{} {} {} {} {} {}",
                one.product,
                one.release,
                one.codename.as_deref().unwrap_or("-"),
                one.end_of_life.as_deref().unwrap_or("-"),
                one.extended_support.as_deref().unwrap_or("-"),
                one.ended
            )),
            Item::Skipped(told) => lines.push(format!("{}! {}", told.place, told.reason)),
            Item::Partial(told) => lines.push(format!("{}~ {}", told.place, told.reason)),
            other => panic!("{other:?}"),
        })
        .unwrap();
        lines
    }

    #[test]
    fn a_products_file_tells_each_release() {
        let text = "---\ntitle: Debian\npermalink: /debian\nreleaseLabel: \"__RELEASE_CYCLE__ (__CODENAME__)\"\nreleases:\n\
            \x20 - releaseCycle: \"12\"\n    codename: \"Bookworm\"\n    eol: 2026-07-11\n    eoes: 2028-06-30\n\
            \x20 - releaseCycle: \"3.10\"\n    eol: false\n    eoes: true\n\
            \x20 - releaseCycle: \"1\"\n    eol: true # no day is known\n\
            \x20 - releaseCycle: \"2\"\n    eol: soon\n\
            \x20 - releaseCycle: \"4\"\n    eol: 2026-07-11\n    eoes: later\n---\n\n> Debian is\n\n---\nmore: [\n";
        let expected = [
            "debian 12 bookworm 2026-07-11 2028-06-30 false",
            "debian 3.10 - - - false",
            "debian 1 - - - true",
            "debian! release 2: `soon` is no end of life",
            "debian~ release 4: `later` is no end of extended support",
            "debian 4 - 2026-07-11 - false",
        ];
        assert_eq!(told("products/debian.md", text), expected);
    }

    #[test]
    fn version_0_takes_the_product_from_the_documents_name() {
        let text = r#"[{"cycle":"12","codename":"Bookworm","eol":"2026-06-10","extendedSupport":"2028-06-30","lts":false},
            {"cycle":"1","eol":true}, {"eol":true}, {"cycle":"2","eol":2026}, {"cycle":[]}]"#;
        let expected = [
            "debian 12 bookworm 2026-06-10 2028-06-30 false",
            "debian 1 - - - true",
            "debian! release's name must have 1 to 512 bytes",
            "debian! release 2: `2026` is no end of life",
            "[4]! is not a cycle: invalid type: sequence, expected a string at line 1 column 9",
        ];
        assert_eq!(told("api/debian.json", text), expected);
    }

    #[test]
    fn version_1_tells_one_product_or_all() {
        let product = r#"{"name":"ubuntu","releases":[
            {"name":"24.04","codename":"Noble Numbat","isEol":false,"eolFrom":"2029-04-25","eoesFrom":"2034-04-25"},
            {"name":"4.10","codename":null,"isEol":true,"eolFrom":null,"eoesFrom":null}]}"#;
        let expected = ["ubuntu 24.04 noble 2029-04-25 2034-04-25 false", "ubuntu 4.10 - - - true"];
        assert_eq!(told("x.json", &format!(r#"{{"schema_version":"1.2.0","result":{product}}}"#)), expected);
        assert_eq!(told("x.json", &format!(r#"{{"result":[{product}]}}"#)), expected);
        let odd = format!(r#"{{"result":[{{"releases":[{{"name":"1","isEol":true}}]}},{product}]}}"#);
        let told = told("x.json", &odd);
        assert!(told[0].starts_with("result[0]! is not a product: missing field `name`"), "{told:?}");
        assert_eq!(told[1..], expected);
    }

    #[test]
    fn other_documents_are_not_claimed_and_broken_ones_refused() {
        for (name, other) in [
            ("product-schema.json", r#"{"$schema":"x","properties":{"releases":{}}}"#),
            ("README.md", "---\ntitle: x\n---\n"),
            ("RUSTSEC-2020-0071.md", "```toml\n[advisory]\n```\n"),
            ("eol.json", r#"{"schema":"x","identifier":"debian@8","item":{"isEol":true,"releases":[]}}"#),
        ] {
            assert!(!recognises(&Head::new(name, other.as_bytes())), "{name}");
        }
        for broken in
            ["---\npermalink: /x\nreleases:\n - releaseCycle: 1\n", "---\nreleases: [\n---\n", "---\na: 1\n---\n"]
        {
            let read = parse(&Document { name: "x.md", bytes: broken.as_bytes() }, &mut |_| {});
            assert!(matches!(read, Err(FeedError::NotThis { .. })), "{broken}");
        }
    }
}
