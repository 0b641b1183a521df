//! An `affected` entry of a CVE record: a product, a default status, and versions with a status of their own
//! (cve-schema, `docs/versions.md`, "Version Status Decision Algorithm", read 2026-11-24).
//!
//! Where a record says more than ranges can (a version that is the only good one, a status that nobody knows), the package
//! stays affected there or is left out, and that is told.

use super::registries::{Found, Package, by_collection, by_url};
use crate::feed::{WORD_BYTES_MAX, Word, bounded, cut};
use muster_domain::{Affected, Event, Range, RangeType};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawProduct {
    #[serde(default)]
    vendor: Word,
    #[serde(default, rename = "collectionURL")]
    collection: Word,
    #[serde(default)]
    package_name: Word,
    #[serde(default, rename = "packageURL")]
    package_url: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    pub(super) cpes: Vec<Word>,
    #[serde(default)]
    default_status: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    versions: Vec<RawVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawVersion {
    #[serde(default)]
    version: Word,
    #[serde(default)]
    status: Word,
    #[serde(default)]
    version_type: Word,
    #[serde(default)]
    less_than: Word,
    #[serde(default)]
    less_than_or_equal: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    changes: Vec<RawChange>,
}

#[derive(Deserialize)]
struct RawChange {
    #[serde(default)]
    at: Word,
    #[serde(default)]
    status: Word,
}

#[derive(Clone, Copy, PartialEq)]
enum Status {
    Affected,
    Unaffected,
    Unknown,
}

fn status(word: &Word) -> Status {
    match word.0.as_deref() {
        Some("affected") => Status::Affected,
        Some("unaffected") => Status::Unaffected,
        _ => Status::Unknown,
    }
}

/// Which versions an entry of `versions` means.
#[derive(Debug, PartialEq)]
enum Span {
    /// These alone.
    One(String),
    /// From the first on (`0`: from the beginning).
    From(String, End),
}

#[derive(Clone, Debug, PartialEq)]
enum End {
    Open,
    Before(String),
    Through(String),
}

impl RawProduct {
    /// Whether any version of it is or may be affected.
    pub(super) fn is_affected(&self) -> bool {
        status(&self.default_status) != Status::Unaffected || self.versions.iter().any(RawVersion::is_affected)
    }

    /// What it says of a package; nothing when it is none to us, or none of its versions is affected. What of it can't be
    /// used goes to `partial`.
    ///
    /// # Errors
    /// The registry or type of a package URL that has no ecosystem in our table.
    pub(super) fn read(&self, partial: &mut dyn FnMut(String)) -> Result<Option<Affected>, String> {
        if !self.is_affected() {
            return Ok(None);
        }
        let text = |word: &Word| word.0.clone().unwrap_or_default();
        let found = match &self.package_url.0 {
            Some(url) => by_url(url),
            None if self.package_name.0.is_none() => Found::Nothing,
            None => by_collection(&text(&self.collection), &text(&self.package_name), &text(&self.vendor)),
        };
        let package = match found {
            Found::Package(package) => package,
            Found::Nothing => return Ok(None),
            Found::Unknown(unknown) => return Err(unknown),
            Found::Odd(reason) => {
                partial(reason);
                return Ok(None);
            }
        };
        if !self.versions.is_empty() && self.versions.iter().all(RawVersion::is_commit) {
            partial("names commits only, and a package has a version".to_owned());
            return Ok(None);
        }
        Ok(match status(&self.default_status) {
            Status::Affected => self.all_but_the_good(package, partial),
            _ => self.the_bad(package, partial),
        })
    }

    /// Entries with the versions that each means, those of commits left out: a package has a version.
    fn spans<'a>(&'a self, partial: &mut dyn FnMut(String)) -> Vec<(&'a RawVersion, Span)> {
        let mut spans = Vec::new();
        for version in self.versions.iter().filter(|version| !version.is_commit()) {
            match version.span() {
                Ok(span) => spans.push((version, span)),
                Err(reason) => partial(reason),
            }
        }
        spans
    }

    /// Affected versions are listed, the rest is good or unknown.
    fn the_bad(&self, package: Package, partial: &mut dyn FnMut(String)) -> Option<Affected> {
        let mut affected = Affected::new(package.ecosystem, package.name);
        let mut reasons = Vec::new();
        for (version, span) in self.spans(&mut |reason| reasons.push(reason)) {
            match (status(&version.status), span) {
                (Status::Affected, Span::One(one)) => affected.versions.push(one),
                (Status::Affected, Span::From(start, end)) => {
                    affected.ranges.push(ecosystem_range(version.bad_stretch(start, end)));
                }
                (Status::Unaffected, Span::From(_, end)) if !version.changes.is_empty() => {
                    affected.ranges.extend(version.turned_bad(end).map(ecosystem_range));
                }
                (Status::Unaffected, _) => {}
                (Status::Unknown, _) => reasons.push(format!("status of {} is unknown", version.shown())),
            }
        }
        let says_something = !affected.ranges.is_empty() || !affected.versions.is_empty();
        if !says_something && reasons.is_empty() && status(&self.default_status) == Status::Unknown {
            reasons.push("says of no version that it is affected, and of the rest nothing".to_owned());
        }
        reasons.into_iter().for_each(partial);
        says_something.then_some(affected)
    }

    /// Good versions are listed, the rest is affected.
    fn all_but_the_good(&self, package: Package, partial: &mut dyn FnMut(String)) -> Option<Affected> {
        let mut starts_good = false;
        let mut events = Vec::new();
        for (version, span) in self.spans(partial) {
            let is_good = status(&version.status) == Status::Unaffected;
            match span {
                _ if !is_good => {}
                Span::One(one) => partial(format!("`{one}` alone is good, which a range can't say")),
                Span::From(start, end) => {
                    match start.as_str() {
                        "0" => starts_good = true,
                        _ => events.push(Event::Fixed(start)),
                    }
                    events.extend(version.changes.iter().filter_map(RawChange::event));
                    if let End::Through(last) = &end {
                        partial(format!(
                            "`{last}` is the last good one, which a range can't say: it counts as affected"
                        ));
                    }
                    if let End::Before(end) | End::Through(end) = end {
                        events.push(Event::Introduced(end));
                    }
                }
            }
        }
        if !starts_good {
            events.insert(0, Event::Introduced("0".to_owned()));
        }
        let is_ever_bad = events.iter().any(|event| matches!(event, Event::Introduced(_)));
        let range = ecosystem_range(events);
        is_ever_bad.then(|| Affected { ranges: vec![range], ..Affected::new(package.ecosystem, package.name) })
    }
}

fn ecosystem_range(events: Vec<Event>) -> Range {
    Range { kind: RangeType::Ecosystem, events }
}

impl RawChange {
    fn event(&self) -> Option<Event> {
        let at = self.at.0.clone()?;
        match status(&self.status) {
            Status::Affected => Some(Event::Introduced(at)),
            Status::Unaffected => Some(Event::Fixed(at)),
            Status::Unknown => None,
        }
    }
}

impl RawVersion {
    /// Affected from `start` to `end`, except where it changes in between.
    fn bad_stretch(&self, start: String, end: End) -> Vec<Event> {
        let mut events = vec![Event::Introduced(start)];
        events.extend(self.changes.iter().filter_map(RawChange::event));
        // a fix ends the stretch before its own end does
        if !matches!(events.last(), Some(Event::Fixed(_))) {
            events.extend(end.event());
        }
        events
    }

    fn is_commit(&self) -> bool {
        self.version_type.0.as_deref() == Some("git")
    }

    /// Whether any of it is or may be affected.
    fn is_affected(&self) -> bool {
        let changes = self.changes.iter().map(|change| &change.status);
        std::iter::once(&self.status).chain(changes).any(|word| status(word) != Status::Unaffected)
    }

    /// Of a stretch that begins good: the part from where it turned bad.
    fn turned_bad(&self, end: End) -> Option<Vec<Event>> {
        let changes = self.changes.iter().filter_map(RawChange::event);
        let mut events: Vec<Event> = changes.skip_while(|event| !matches!(event, Event::Introduced(_))).collect();
        if matches!(events.last(), Some(Event::Introduced(_))) {
            events.extend(end.event());
        }
        (!events.is_empty()).then_some(events)
    }

    /// For people.
    fn shown(&self) -> String {
        format!("`{}`", cut(self.version.0.as_deref().unwrap_or_default(), 80))
    }

    /// Which versions it means.
    fn span(&self) -> Result<Span, String> {
        let version = self.version.0.as_deref().unwrap_or_default().trim();
        let end = match (&self.less_than.0, &self.less_than_or_equal.0) {
            (Some(end), _) => Some(before(end)?),
            (None, Some(end)) => Some(through(end)?),
            (None, None) if !self.changes.is_empty() => Some(End::Open),
            (None, None) => None,
        };
        match (end, version) {
            (Some(end), _) => Ok(Span::From(start(version)?, end)),
            (None, "*") => Ok(Span::From("0".to_owned(), End::Open)),
            // all versions in practice: nothing has a version 0 that is worth a record
            (None, "0") if status(&self.status) == Status::Affected => Ok(Span::From("0".to_owned(), End::Open)),
            (None, _) if version.starts_with(['<', '>', '=']) => compared(version),
            (None, _) => match line(version) {
                Some(line) => Ok(Span::From(plain(line)?, End::Before(after_line(line)?))),
                None => Ok(Span::One(plain(version)?)),
            },
        }
    }
}

impl End {
    fn event(self) -> Option<Event> {
        match self {
            Self::Open => None,
            Self::Before(end) => Some(Event::Fixed(end)),
            Self::Through(end) => Some(Event::LastAffected(end)),
        }
    }
}

/// A version's text, if it can be one.
fn plain(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_word = ["", "-", "n/a", "na", "unspecified", "unknown", "all", "next", "patch", "various"]
        .contains(&text.to_ascii_lowercase().as_str());
    let is_odd = text.contains(|letter: char| letter.is_whitespace() || "<>=*,;".contains(letter));
    match is_word || is_odd || text.len() > WORD_BYTES_MAX {
        true => Err(format!("`{}` is no version", cut(text, 80))),
        false => Ok(text.to_owned()),
    }
}

/// Where a range begins; many write a word for "from the beginning".
fn start(text: &str) -> Result<String, String> {
    match text.to_ascii_lowercase().as_str() {
        "" | "*" | "0" | "-" | "n/a" | "all" | "unspecified" => Ok("0".to_owned()),
        _ => plain(text),
    }
}

/// The end of `lessThan`.
fn before(text: &str) -> Result<End, String> {
    match text.trim() {
        "*" => Ok(End::Open),
        text => match line(text) {
            Some(line) => after_line(line).map(End::Before),
            None => plain(text).map(End::Before),
        },
    }
}

/// The end of `lessThanOrEqual`.
fn through(text: &str) -> Result<End, String> {
    match text.trim() {
        "*" => Ok(End::Open),
        text => match line(text) {
            Some(line) => after_line(line).map(End::Before),
            None => plain(text).map(End::Through),
        },
    }
}

/// What all versions of a line begin with: `5.10` of `5.10.*` and `5.10.x`.
fn line(text: &str) -> Option<&str> {
    [".*", ".x", ".X"].iter().find_map(|any| text.strip_suffix(any))
}

/// The first version behind all of a line: `5.10.*` ends before `5.11`.
fn after_line(line: &str) -> Result<String, String> {
    let odd = || format!("`{}.*` is no line of versions", cut(line, 80));
    let (front, last) = line.rsplit_once('.').map_or(("", line), |(front, last)| (front, last));
    let next = last.parse::<u64>().ok().and_then(|last| last.checked_add(1)).ok_or_else(odd)?;
    match front {
        "" => Ok(next.to_string()),
        front => plain(&format!("{front}.{next}")).map_err(|_| odd()),
    }
}

/// GitHub's way: `>= 1.0, < 1.5`; `< 2.0`; `= 1.3`. `> 1.0` is read as `>= 1.0`: rather one version too many than too few.
fn compared(text: &str) -> Result<Span, String> {
    let odd = |_| format!("`{}` is no range of versions", cut(text, 80));
    let (mut from, mut end, mut one) = (None, None, None);
    for part in text.split(',').map(str::trim) {
        let digits = part.trim_start_matches(['<', '>', '=']);
        let version = plain(digits).map_err(odd)?;
        match &part[..part.len() - digits.len()] {
            ">=" | ">" if from.is_none() => from = Some(version),
            "<" if end.is_none() => end = Some(End::Before(version)),
            "<=" if end.is_none() => end = Some(End::Through(version)),
            "=" | "==" if one.is_none() => one = Some(version),
            _ => return Err(odd(String::new())),
        }
    }
    match (from, end, one) {
        (None, None, Some(one)) => Ok(Span::One(one)),
        (from, end, None) => Ok(Span::From(from.unwrap_or_else(|| "0".to_owned()), end.unwrap_or(End::Open))),
        _ => Err(odd(String::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an entry with this default status and these versions says of an npm package, with what could not be used.
    fn told(default: &str, versions: &str) -> String {
        let json = format!(
            r#"{{"collectionURL":"https://registry.npmjs.org","packageName":"x","defaultStatus":{default},
                "versions":[{versions}]}}"#
        );
        let product: RawProduct = serde_json::from_str(&json).unwrap();
        let mut lines = Vec::new();
        let affected = product.read(&mut |reason| lines.push(format!("~{reason}"))).unwrap();
        if let Some(affected) = affected {
            for range in affected.ranges {
                let event = |event| match event {
                    Event::Introduced(at) => format!("from {at}"),
                    Event::Fixed(at) => format!("until {at}"),
                    Event::LastAffected(at) => format!("through {at}"),
                    Event::Limit(at) => format!("limit {at}"),
                };
                lines.push(range.events.into_iter().map(event).collect::<Vec<_>>().join(" "));
            }
            lines.extend(affected.versions);
        }
        lines.join("; ")
    }

    #[test]
    fn listed_versions_are_bad() {
        let check = |versions: &str, expected: &str| {
            assert_eq!(told(r#""unaffected""#, versions), expected, "{versions}");
        };
        check(r#"{"version":"1.21","lessThan":"1.26.0","status":"affected"}"#, "from 1.21 until 1.26.0");
        check(r#"{"version":"0","lessThanOrEqual":"0.8.8","status":"affected"}"#, "from 0 through 0.8.8");
        check(r#"{"version":"1.2","status":"affected"},{"version":"1.3","status":"affected"}"#, "1.2; 1.3");
        check(r#"{"version":"unspecified","lessThan":"2","status":"affected"}"#, "from 0 until 2");
        check(r#"{"version":"3","lessThan":"*","status":"affected"}"#, "from 3");
        check(r#"{"version":"*","status":"affected"}"#, "from 0");
        check(r#"{"version":"5.10","lessThanOrEqual":"5.10.*","status":"affected"}"#, "from 5.10 until 5.11");
        check(r#"{"version":"5.10.x","status":"affected"}"#, "from 5.10 until 5.11");
        check(r#"{"version":"3.*","status":"affected"}"#, "from 3 until 4");
        check(r#"{"version":"beta.x","status":"affected"}"#, "~`beta.*` is no line of versions");
        check(r#"{"version":"0","status":"affected"}"#, "from 0");
        // a fix in the middle of a range
        check(
            r#"{"version":"1","lessThan":"2","status":"affected","changes":[{"at":"1.5","status":"unaffected"}]}"#,
            "from 1 until 1.5",
        );
        check(
            r#"{"version":"1","lessThan":"4","status":"affected","changes":[{"at":"2","status":"unaffected"},
                {"at":"3","status":"affected"}]}"#,
            "from 1 until 2 from 3 until 4",
        );
        check(
            r#"{"version":"1","lessThan":"4","status":"unaffected","changes":[{"at":"2","status":"affected"}]}"#,
            "from 2 until 4",
        );
        // commits are not versions
        let commits = r#"{"version":"abc","lessThan":"def","status":"affected","versionType":"git"}"#;
        check(commits, "~names commits only, and a package has a version");
        check(&format!(r#"{commits},{{"version":"1","status":"affected"}}"#), "1");
        check(r#"{"version":"1","status":"unaffected"}"#, "");
    }

    #[test]
    fn githubs_comparisons_are_ranges() {
        let check = |version: &str, expected: &str| {
            let versions = format!(r#"{{"version":"{version}","status":"affected"}}"#);
            assert_eq!(told("null", &versions), expected, "{version}");
        };
        check("< 0.14.10", "from 0 until 0.14.10");
        check(">= 4.0.0, < 4.3.8", "from 4.0.0 until 4.3.8");
        check(">= 4.0.0, <= 4.3.8", "from 4.0.0 through 4.3.8");
        check("= 1.3", "1.3");
        check("> 1.3", "from 1.3");
        check("< 1.0 and later", "~`< 1.0 and later` is no range of versions");
        check("< 1, < 2", "~`< 1, < 2` is no range of versions");
    }

    #[test]
    fn with_a_bad_default_the_good_are_cut_out() {
        let check =
            |versions: &str, expected: &str| assert_eq!(told(r#""affected""#, versions), expected, "{versions}");
        check("", "from 0");
        check(r#"{"version":"2.13.8","lessThan":"*","status":"unaffected"}"#, "from 0 until 2.13.8");
        check(
            r#"{"version":"1.5","lessThan":"2","status":"unaffected"},{"version":"2.3","lessThan":"*","status":"unaffected"}"#,
            "from 0 until 1.5 from 2 until 2.3",
        );
        check(r#"{"version":"0","lessThan":"2","status":"unaffected"}"#, "from 2");
        check(r#"{"version":"0","lessThan":"*","status":"unaffected"}"#, "");
        check(r#"{"version":"0","status":"unaffected"}"#, "~`0` alone is good, which a range can't say; from 0");
        let last = "~`2` is the last good one, which a range can't say: it counts as affected";
        check(
            r#"{"version":"1","lessThanOrEqual":"2","status":"unaffected"}"#,
            &format!("{last}; from 0 until 1 from 2"),
        );
        check(r#"{"version":"1.5","status":"unaffected"}"#, "~`1.5` alone is good, which a range can't say; from 0");
    }

    #[test]
    fn what_is_not_known_is_told_and_never_good() {
        let check = |default: &str, versions: &str, expected: &str| assert_eq!(told(default, versions), expected);
        let nothing = "~says of no version that it is affected, and of the rest nothing";
        check("null", "", nothing);
        check("null", r#"{"version":"2.3.5","status":"unaffected"}"#, nothing);
        check("null", r#"{"version":"n/a","status":"affected"}"#, "~`n/a` is no version");
        check(r#""unaffected""#, r#"{"version":"1","lessThan":"2","status":"unknown"}"#, "~status of `1` is unknown");
        check(r#""unaffected""#, "", "");
    }
}
