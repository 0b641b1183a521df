//! .NET's release metadata (github.com/dotnet/core, `release-notes/releases-index.json` and `release-notes/*/releases.json`,
//! read 2026-11-24): until when each channel is supported. Which CVEs a release fixes stands there, too, but without the
//! packages, so that it is left to other feeds.

use super::parts;
use super::vulnerability::day;
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, Word};
use muster_domain::LifeCycle;
use serde::Deserialize;
use serde_json::value::RawValue;

const FORMAT: &str = ".NET releases";

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let is_index = head.has_json_key("releases-index") && head.holds("\"channel-version\"");
    let is_channel = ["channel-version", "support-phase"].iter().all(|key| head.has_json_key(key));
    !head.is_json_list() && (is_index || is_channel)
}

/// A document is the index, or one channel.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let mut take = |index: usize, raw: &RawValue| channel(raw, &format!("releases-index[{index}]"), sink);
    if Head::new(document.name, document.bytes).has_json_key("releases-index") {
        return parts::elements(document.bytes, FORMAT, "releases-index", &mut take);
    }
    channel(parts::whole(document.bytes, FORMAT)?, "the channel", sink);
    Ok(())
}

fn channel(raw: &RawValue, place: &str, sink: Sink<'_>) {
    let channel: Channel = match serde_json::from_str(raw.get()) {
        Ok(channel) => channel,
        Err(error) => return sink(Item::skipped(place, format!("is not a channel: {error}"))),
    };
    if channel.version.is_empty() || channel.version.len() > WORD_BYTES_MAX {
        return sink(Item::skipped(place, format!("channel's version must have 1 to {WORD_BYTES_MAX} bytes")));
    }
    let end_of_life = match channel.end.0.as_deref().map(day) {
        Some(None) => return sink(Item::skipped(place, "field `eol-date` is not a day")),
        said => said.flatten(),
    };
    sink(Item::LifeCycle(LifeCycle {
        product: "dotnet".to_owned(),
        release: cycle(&channel.version).to_owned(),
        ended: end_of_life.is_none() && channel.phase.0.as_deref() == Some("eol"),
        end_of_life,
        ..LifeCycle::default()
    }));
}

/// endoflife.date calls .NET 5 and later by the major version alone (`8`), .NET Core by both parts (`3.1`).
fn cycle(version: &str) -> &str {
    match version.split_once('.') {
        Some((major, "0")) if major.parse::<u32>().is_ok_and(|major| major >= 5) => major,
        _ => version,
    }
}

#[derive(Deserialize)]
struct Channel {
    #[serde(rename = "channel-version")]
    version: String,
    #[serde(default, rename = "eol-date")]
    end: Word,
    #[serde(default, rename = "support-phase")]
    phase: Word,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        assert!(recognises(&Head::new("releases.json", text.as_bytes())), "{text}");
        parse(&Document { name: "releases.json", bytes: text.as_bytes() }, &mut |item| match item {
            Item::LifeCycle(one) => {
                let end = one.end_of_life.as_deref().unwrap_or("-");
                lines.push(format!("{} {} {end} {}", one.product, one.release, one.ended));
            }
            Item::Skipped(told) => lines.push(format!("{}! {}", told.place, told.reason)),
            other => panic!("{other:?}"),
        })
        .unwrap();
        lines
    }

    #[test]
    fn a_channel_ends_on_a_day_or_has_ended() {
        let index = r#"{"$schema":"x","releases-index":[
            {"channel-version":"8.0","support-phase":"active","eol-date":"2026-11-10"},
            {"channel-version":"11.0","support-phase":"preview"},
            {"channel-version":"3.1","support-phase":"eol","eol-date":null},
            {"channel-version":"9.0","eol-date":"soon"}, {}]}"#;
        let expected = [
            "dotnet 8 2026-11-10 false",
            "dotnet 11 - false",
            "dotnet 3.1 - true",
            "releases-index[3]! field `eol-date` is not a day",
            "releases-index[4]! is not a channel: missing field `channel-version` at line 1 column 2",
        ];
        assert_eq!(told(index), expected);
        let channel = r#"{"channel-version":"2.0","support-phase":"eol","eol-date":"2018-10-01","releases":[{}]}"#;
        assert_eq!(told(channel), ["dotnet 2.0 2018-10-01 false"]);
    }

    #[test]
    fn other_documents_are_not_claimed() {
        for other in [r#"{"releases":[]}"#, r#"[{"channel-version":"8.0","support-phase":"eol"}]"#, "{}"] {
            assert!(!recognises(&Head::new("releases.json", other.as_bytes())), "{other}");
        }
    }
}
