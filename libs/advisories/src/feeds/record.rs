//! Parts of records that several formats have alike: packages with requirements, days, links, names, vectors, scores without
//! one, YAML.

use super::{Item, Sink};
use crate::feed::{FeedError, LINK_BYTES_MAX, WORD_BYTES_MAX, cut};
use crate::requirements::{Unreadable, Versions};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use muster_domain::{Affected, BaseScore, Ecosystem, Reference, Severity, Skipped, VectorString};
use serde::de::DeserializeOwned;

/// Most bytes of a summary that are kept.
pub(super) const SUMMARY_BYTES_MAX: usize = 1024;
/// Most bytes of the details that are kept: the Inspector API shows 1,024 letters of it.
pub(super) const DETAILS_BYTES_MAX: usize = 4096;
/// Most links that are kept: the Inspector API shows 100.
pub(super) const REFERENCES_KEPT_MAX: usize = 100;
/// Deepest nesting of a YAML record; real ones have 6.
const YAML_DEPTH_MAX: usize = 32;

/// The package of that name in the ecosystem that has this package URL type.
///
/// # Errors
/// When the record `id` has no name, or one of a length that no name has, in `field`.
pub(super) fn package(purl_type: &str, name: &str, id: &str, field: &'static str) -> Result<Affected, FeedError> {
    if name.is_empty() || name.len() > WORD_BYTES_MAX {
        let why = format!("must have 1 to {WORD_BYTES_MAX} bytes");
        return Err(FeedError::Field { id: id.to_owned(), field, why });
    }
    let ecosystem = Ecosystem::of_purl_type(purl_type).expect("formats name types of ecosystems in the table");
    Ok(Affected::new(ecosystem, name))
}

/// The package with its affected versions, as the record `id` lists it. A package of which no version is affected is left
/// out, which is told. `None`: the versions can't be read, so the record is set aside, which is told, too.
pub(super) fn affected(
    package: Affected,
    versions: Result<Versions, Unreadable>,
    id: &str,
    sink: Sink<'_>,
) -> Option<Vec<Affected>> {
    match versions.and_then(|versions| versions.range()) {
        Ok(Some(range)) => Some(vec![Affected { ranges: vec![range], ..package }]),
        Ok(None) => {
            let reason = format!("what it says of `{}` leaves no version affected", package.name);
            sink(Item::Partial(Skipped { place: id.to_owned(), reason }));
            Some(Vec::new())
        }
        Err(unreadable) => {
            sink(Item::skipped(id, unreadable.to_string()));
            None
        }
    }
}

/// A vector of CVSS 3 or later, which says its version, with who gave it.
pub(super) fn vector(text: &str, source: &str) -> Option<VectorString> {
    let version = text.strip_prefix("CVSS:")?.split('.').next()?;
    let is_kept = text.len() <= WORD_BYTES_MAX;
    is_kept.then(|| VectorString {
        kind: format!("CVSS_V{version}"),
        vector: text.to_owned(),
        source: source.to_owned(),
    })
}

/// A time, a day, or both without a zone, which stand for UTC: `2023-02-07T10:00:00Z`, `2023-02-07`, `2023-02-07 10:00:00`.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let civil = || text.parse::<DateTime>().ok().or_else(|| text.parse::<Date>().ok().map(Date::into));
    let utc = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok();
    text.parse().ok().or_else(|| civil().and_then(utc))
}

/// Links with what each is for; the first ones, none twice, none too long.
pub(super) fn links(all: impl IntoIterator<Item = (&'static str, String)>) -> Vec<Reference> {
    let mut links: Vec<Reference> = Vec::new();
    for (kind, url) in all {
        if links.len() == REFERENCES_KEPT_MAX {
            break;
        }
        let is_new = !links.iter().any(|link| link.url == url);
        if is_new && !url.is_empty() && url.len() <= LINK_BYTES_MAX {
            links.push(Reference { kind: kind.to_owned(), url });
        }
    }
    links
}

/// Ids: sorted, without doubles, none empty and none of a length that no id has.
pub(super) fn names(all: impl IntoIterator<Item = String>) -> Vec<String> {
    let is_name = |name: &String| (1..=WORD_BYTES_MAX).contains(&name.len());
    let mut names: Vec<String> = all.into_iter().map(|name| name.trim().to_owned()).filter(is_name).collect();
    names.sort();
    names.dedup();
    names
}

/// A score without a vector as the word of its scale, which `rating` reads; CVSS 2 has no `CRITICAL`
/// (nvd.nist.gov/vuln-metrics/cvss, read 2026-11-24). `None`: no score of CVSS.
pub(super) fn word_of_score(score: f64, is_version_2: bool) -> Option<String> {
    if !(0.0..=10.0).contains(&score) {
        return None;
    }
    // Checked above to lie within 0 to 100.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let score = BaseScore::from_tenths((score * 10.0).round() as u8)?;
    Some(match Severity::of_score(score) {
        Severity::Critical if is_version_2 => Severity::High.as_str().to_owned(),
        severity => severity.as_str().to_owned(),
    })
}

/// A YAML document as `T`. No format of advisories has anchors, so that none can multiply what it holds.
pub(super) fn yaml<T: DeserializeOwned>(format: &'static str, bytes: &[u8]) -> Result<T, FeedError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_aliases: 0, max_anchors: 0, max_depth: YAML_DEPTH_MAX },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins, // as Ruby, PHP and Python read it
        with_snippet: false,
    };
    let not_this = |error: serde_saphyr::Error| FeedError::NotThis {
        format,
        why: cut(&error.to_string(), WORD_BYTES_MAX).to_owned(),
    };
    serde_saphyr::from_slice_with_options(bytes, options).map_err(not_this)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_utc() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(time(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
        };
        check("2023-02-07T10:00:00Z", Some("2023-02-07T10:00:00Z"));
        check("2023-02-07T10:00:00+02:00", Some("2023-02-07T08:00:00Z"));
        check("2023-02-07", Some("2023-02-07T00:00:00Z"));
        check("2026-05-26 08:00:00", Some("2026-05-26T08:00:00Z"));
        check("2023-02-30", None);
        check("", None);
        check("-009999-01-01", None);
    }

    #[test]
    fn a_score_is_a_word_of_its_scale() {
        let check = |score: f64, is_version_2: bool, expected: Option<&str>| {
            assert_eq!(word_of_score(score, is_version_2).as_deref(), expected, "{score}");
        };
        check(9.8, false, Some("CRITICAL"));
        check(9.8, true, Some("HIGH"));
        check(6.9, false, Some("MEDIUM"));
        check(0.0, false, Some("INFORMATIONAL"));
        check(10.1, false, None);
        check(-1.0, false, None);
        check(f64::NAN, false, None);
    }

    #[test]
    fn links_are_told_once_and_only_so_many() {
        let many = (0..200).map(|number| ("WEB", format!("https://a/{}", number / 2)));
        assert_eq!(links(many).len(), REFERENCES_KEPT_MAX);
        assert_eq!(links([("WEB", "x".repeat(LINK_BYTES_MAX + 1)), ("WEB", String::new())]), []);
    }

    #[test]
    fn yaml_cannot_multiply() {
        let bomb = "a: &a [1, 2]\nb: [*a, *a]\n";
        assert!(yaml::<serde_json::Value>("test", bomb.as_bytes()).is_err());
        let deep = format!("a: {}", "[".repeat(100_000));
        assert!(yaml::<serde_json::Value>("test", deep.as_bytes()).is_err());
    }
}
