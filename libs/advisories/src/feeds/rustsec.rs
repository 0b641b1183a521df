//! RustSec's advisory database (github.com/rustsec/advisory-db, README "Advisory Format", read 2026-11-24): Markdown whose
//! front matter is TOML. One document is one advisory.
//!
//! Affected is what is neither patched nor unaffected, as in RustSec's export to OSV. Advisories of the `rust` collection
//! (`std`, `cargo`, `rustdoc`) are of the toolchain and carry its versions, which the crates of these names do not, so they
//! tell of the vulnerability and name no crate; the export leaves them out.
//!
//! `unmaintained`, `unsound` and `notice` are no vulnerabilities: `cargo audit` warns of them. Their vendor's word is
//! `informational`, and the remark says which.

use super::record::{DETAILS_BYTES_MAX, SUMMARY_BYTES_MAX, affected, links, names, package, vector};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, bounded, cut};
use crate::requirements::{REQUIREMENTS_MAX, Versions, any_of, cargo};
use jiff::Timestamp;
use muster_domain::{Advisory, AdvisoryId, Affected};
use muster_versions::Scheme;
use serde::Deserialize;

const FORMAT: &str = "RustSec";
const SOURCE: &str = "RUSTSEC";
const OPENING: &str = "```toml";
const CLOSING: &str = "\n```";

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    head.is_named(".md") && head.text.starts_with(OPENING.as_bytes()) && head.holds("[advisory]")
}

pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let (front, text) = split(document.bytes)?;
    let raw: Raw = toml::from_str(front).map_err(|error| not_this(cut(&error.to_string(), WORD_BYTES_MAX)))?;
    let mut advisory = advisory(&raw.advisory, text)?;
    let (id, name) = (&raw.advisory.id, &raw.advisory.package);
    if is_toolchain(document.name) {
        sink(Item::UnknownEcosystem(format!("Rust toolchain:{}", cut(name, WORD_BYTES_MAX))));
    } else {
        let remark = remark(raw.advisory.informational.as_deref(), &raw.affected);
        let package = Affected { remark, ..package("cargo", name, id, "package")? };
        let good = any_of(Scheme::Cargo, cargo, raw.versions.patched.iter().chain(&raw.versions.unaffected));
        let Some(affected) = affected(package, good.map(Versions::not), id, sink) else {
            return Ok(());
        };
        advisory.affected = affected;
    }
    sink(Item::Advisory(advisory));
    Ok(())
}

/// All but what is affected.
fn advisory(raw: &RawAdvisory, text: &str) -> Result<Advisory, FeedError> {
    if raw.id.is_empty() || raw.id.len() > WORD_BYTES_MAX {
        let why = format!("must have 1 to {WORD_BYTES_MAX} bytes");
        return Err(FeedError::Field { id: String::new(), field: "id", why });
    }
    let (summary, details) = title(text);
    Ok(Advisory {
        id: AdvisoryId(raw.id.clone()),
        source: SOURCE.to_owned(),
        summary: cut(summary, SUMMARY_BYTES_MAX).to_owned(),
        details: cut(details, DETAILS_BYTES_MAX).to_owned(),
        severity: raw.cvss.as_deref().and_then(|text| vector(text, SOURCE)).into_iter().collect(),
        vendor_severity: raw.informational.as_ref().map(|_| "informational".to_owned()),
        published: noon(&raw.date),
        withdrawn: withdrawn(raw)?,
        aliases: names(raw.aliases.iter().cloned()),
        related: names(raw.related.iter().cloned()),
        references: links(raw.url.iter().chain(&raw.references).map(|url| ("WEB", url.clone()))),
        ..Advisory::default()
    })
}

fn not_this(why: impl Into<String>) -> FeedError {
    FeedError::NotThis { format: FORMAT, why: why.into() }
}

/// The front matter and the text behind it.
fn split(bytes: &[u8]) -> Result<(&str, &str), FeedError> {
    let text = std::str::from_utf8(bytes).map_err(|error| not_this(error.to_string()))?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let front = text.strip_prefix(OPENING).ok_or_else(|| not_this(format!("does not begin with {OPENING}")))?;
    front.split_once(CLOSING).ok_or_else(|| not_this("the front matter does not end"))
}

/// The title without its `#`, and the rest.
fn title(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match first.strip_prefix('#') {
        Some(title) => (title.trim(), rest.trim_start()),
        None => ("", text),
    }
}

/// Whether the advisory lies in the `rust` collection: `rust/std/CVE-2022-21658.md`.
fn is_toolchain(name: &str) -> bool {
    name.rsplit('/').nth(2) == Some("rust")
}

/// RustSec's export to OSV gives a day the time of noon.
fn noon(day: &str) -> Option<Timestamp> {
    format!("{}T12:00:00Z", day.trim()).parse().ok()
}

/// Taken back or not must never be guessed.
fn withdrawn(raw: &RawAdvisory) -> Result<Option<Timestamp>, FeedError> {
    let Some(day) = &raw.withdrawn else {
        return Ok(None);
    };
    let why = || format!("is not a day: `{}`", cut(day, 40));
    let time = noon(day).ok_or_else(|| FeedError::Field { id: raw.id.clone(), field: "withdrawn", why: why() })?;
    Ok(Some(time))
}

/// Kind of a warning, and on what it is restricted to: nothing that is known of an installed crate, so told only.
fn remark(informational: Option<&str>, affected: &RawAffected) -> Option<String> {
    let kind = informational.map(|kind| format!("informational: {kind}"));
    let only = |what: &str, names: &[String]| (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")));
    let parts = [kind, only("arch", &affected.arch), only("os", &affected.os)];
    let remark = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!remark.is_empty()).then(|| cut(&remark, WORD_BYTES_MAX).to_owned())
}

#[derive(Deserialize)]
struct Raw {
    advisory: RawAdvisory,
    #[serde(default)]
    affected: RawAffected,
    versions: RawVersions,
}

#[derive(Deserialize)]
struct RawAdvisory {
    id: String,
    package: String,
    date: String,
    url: Option<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    references: Vec<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    related: Vec<String>,
    cvss: Option<String>,
    informational: Option<String>,
    withdrawn: Option<String>,
}

#[derive(Default, Deserialize)]
struct RawAffected {
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    arch: Vec<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    os: Vec<String>,
}

#[derive(Deserialize)]
struct RawVersions {
    #[serde(deserialize_with = "bounded::<_, _, REQUIREMENTS_MAX>")]
    patched: Vec<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, REQUIREMENTS_MAX>")]
    unaffected: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::shown::rendered;
    use crate::feeds::tests::items;

    fn document(advisory: &str, rest: &str) -> String {
        format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2020-0001\"\npackage = \"a\"\ndate = \"2020-01-02\"\n{advisory}\n{rest}\n```\n\n\
             # One line\n\nThe rest,\nmore.\n"
        )
    }

    fn check(name: &str, advisory: &str, rest: &str, expected: &[&str]) {
        let document = document(advisory, rest);
        assert_eq!(items(parse, name, document.as_bytes()), expected, "{advisory} {rest}");
    }

    const CRATE: &str = "advisory-db/crates/a/RUSTSEC-2020-0001.md";
    const HEAD: &str = "RUSTSEC-2020-0001 RUSTSEC";

    #[test]
    fn affected_is_what_is_neither_patched_nor_unaffected() {
        let check = |versions: &str, events: &str| {
            check(CRATE, "", versions, &[&format!("{HEAD}; crates.io a {events}")]);
        };
        check("[versions]\npatched = [\">= 1.2\"]", "[0 1.2.0)");
        check("[versions]\npatched = []", "[0");
        check(
            "[versions]\npatched = [\"^1.0.4\", \">= 2.0.1\"]\nunaffected = [\"< 0.5\"]",
            "[0.5.0 1.0.4) [2.0.0-0 2.0.1)",
        );
        check("[versions]\npatched = []\nunaffected = [\"<= 0.5\"]", "[0.5.1-0");
        // overlapping ones, which RustSec's own tools refuse, are joined
        check("[versions]\npatched = [\">= 1\", \">= 2\"]", "[0 1.0.0)");
    }

    #[test]
    fn a_warning_says_so() {
        let versions = "[affected]\nos = [\"windows\"]\n[versions]\npatched = []";
        let expected =
            format!("{HEAD} word=informational; crates.io a [0 remark=`informational: unsound; os: windows`");
        check(CRATE, "informational = \"unsound\"", versions, &[&expected]);
    }

    #[test]
    fn an_advisory_of_the_toolchain_names_no_crate() {
        let versions = "[versions]\npatched = [\">= 1.58.1\"]";
        check("rust/std/RUSTSEC-2020-0001.md", "", versions, &["? Rust toolchain:a", HEAD]);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let reason = "requirement `>= one` can't be read: `one` is not a version";
        check(CRATE, "", "[versions]\npatched = [\">= one\"]", &[&format!("! RUSTSEC-2020-0001: {reason}")]);
        let reason = "what it says of `a` leaves no version affected";
        let partial = format!("~ RUSTSEC-2020-0001: {reason}");
        check(CRATE, "", "[versions]\npatched = [\">= 0.0.0-0\"]\nunaffected = [\"< 1\"]", &[&partial, HEAD]);
        check(
            CRATE,
            "withdrawn = \"soon\"",
            "[versions]\npatched = []",
            &["error: advisory `RUSTSEC-2020-0001`: field `withdrawn` is not a day: `soon`"],
        );
        let cut = items(parse, CRATE, b"```toml\n[advisory]");
        assert_eq!(cut, ["error: is not RustSec: the front matter does not end"]);
        let deep = format!("[versions]\npatched = {}", "[".repeat(100_000));
        let told = items(parse, CRATE, document("", &deep).as_bytes());
        assert!(told[0].starts_with("error: is not RustSec: "), "{told:?}");
    }

    #[test]
    fn an_advisory_has_its_words_links_and_times() {
        let advisory = "url = \"https://a/1\"\nreferences = [\"https://a/1\", \"https://a/2\"]\n\
                        cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H\"\naliases = [\"CVE-2020-1\"]\n\
                        related = [\"CVE-2020-2\"]\nwithdrawn = \"2020-02-03\"";
        let mut advisories = Vec::new();
        let document = document(advisory, "[versions]\npatched = []");
        parse(&Document { name: CRATE, bytes: document.as_bytes() }, &mut |item| {
            if let Item::Advisory(advisory) = item {
                advisories.push(rendered(&advisory));
            }
        })
        .unwrap();
        assert_eq!(
            advisories,
            ["RUSTSEC-2020-0001 RUSTSEC aliases=CVE-2020-1 related=CVE-2020-2 published=2020-01-02T12:00:00Z \
              withdrawn=2020-02-03T12:00:00Z\n  One line | The rest, more.\n  \
              CVSS_V3 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H RUSTSEC\n  WEB https://a/1\n  WEB https://a/2\n  \
              crates.io a [0"]
        );
    }
}
