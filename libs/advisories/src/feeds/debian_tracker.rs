//! Debian's security tracker as JSON (security-tracker.debian.org/tracker/data/json, read 2026-11-24):
//! package -> vulnerability -> release -> status. What the statuses mean: the tracker's own documentation
//! (security-team.debian.org, "Security Tracker").
//!
//! The document goes by packages and an advisory by vulnerability, so the document is gathered whole before the first
//! advisory leaves. One record per vulnerability, not one per package and vulnerability, because that is what the
//! tracker's page of the same name says, and because a later edition must replace all of an earlier one. What is
//! gathered borrows from the document, so that it costs about as much memory as the document itself.

use super::{Document, Item, Sink, debian};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, cut};
use muster_domain::{Advisory, AdvisoryId, Affected, Ecosystem, Reference, Skipped, VendorState};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

/// The database, as `origins` has it.
const SOURCE: &str = "DEBIAN_CVE";
/// Most bytes of a description that are kept: the Inspector API shows 1,024 letters of it.
const DETAILS_BYTES_MAX: usize = 4096;
/// Most packages in releases that one vulnerability is about; real ones stay below 500.
const CLAIMS_MAX: usize = 20_000;
/// Most different releases without a number that are named; real documents have one (sid).
const STRANGERS_MAX: usize = 100;

/// The first package's first entry is a vulnerability with releases: the tracker's dump has no key of its own.
pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let id = head.text.strip_prefix(b"{").and_then(first_object).and_then(|(_, entries)| first_object(entries));
    let is_id = |id: &[u8]| id.starts_with(b"CVE-") || id.starts_with(b"TEMP-");
    id.is_some_and(|(id, _)| is_id(id)) && head.holds("\"releases\"") && head.holds("\"repositories\"")
}

/// The first key behind a bracket, when its value is an object, and what stands behind that one's bracket.
fn first_object(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start().strip_prefix(b"\"")?;
    let end = text.iter().position(|&byte| byte == b'"')?;
    let value = text[end + 1..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    Some((&text[..end], value.strip_prefix(b"{")?))
}

/// A document is the whole tracker.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let packages: Pairs<'_, &RawValue> = serde_json::from_slice(document.bytes)
        .map_err(|cause| FeedError::NotJson { format: "Debian security tracker", cause })?;
    let mut gathering = Gathering { gathered: BTreeMap::new(), strangers: BTreeSet::new(), sink };
    for (package, entries) in packages.0 {
        if package.is_empty() || package.len() > WORD_BYTES_MAX {
            let reason = format!("package name must have 1 to {WORD_BYTES_MAX} bytes");
            (gathering.sink)(Item::skipped(cut(&package, 40), reason));
            continue;
        }
        match serde_json::from_str::<Pairs<'_, &RawValue>>(entries.get()) {
            Ok(entries) => entries.0.into_iter().for_each(|(id, entry)| gathering.entry(package.clone(), id, entry)),
            Err(error) => (gathering.sink)(Item::skipped(package, format!("can't be read: {error}"))),
        }
    }
    gathering.finish();
    Ok(())
}

/// What is said of one vulnerability so far.
#[derive(Default)]
struct Gathered<'d> {
    description: Cow<'d, str>,
    bugs: BTreeSet<u64>,
    affected: Vec<Claim<'d>>,
}

/// One package in one release.
struct Claim<'d> {
    package: Cow<'d, str>,
    /// The release's number.
    number: &'static str,
    state: VendorState,
    /// With `VendorState::Fixed` only.
    fixed: Cow<'d, str>,
    urgency: Cow<'d, str>,
    remark: Cow<'d, str>,
}

struct Gathering<'d, 's> {
    gathered: BTreeMap<Cow<'d, str>, Gathered<'d>>,
    /// Releases without a number.
    strangers: BTreeSet<Cow<'d, str>>,
    sink: Sink<'s>,
}

impl<'d> Gathering<'d, '_> {
    /// Of one package and one vulnerability.
    fn entry(&mut self, package: Cow<'d, str>, id: Cow<'d, str>, entry: &'d RawValue) {
        let place = format!("{package}: {}", cut(&id, 40));
        if id.is_empty() || id.len() > WORD_BYTES_MAX {
            let reason = format!("id must have 1 to {WORD_BYTES_MAX} bytes");
            return (self.sink)(Item::skipped(place, reason));
        }
        let entry: RawEntry<'d> = match serde_json::from_str(entry.get()) {
            Ok(entry) => entry,
            Err(error) => return (self.sink)(Item::skipped(place, format!("can't be read: {error}"))),
        };
        let mut affected = Vec::new();
        for (codename, release) in entry.releases.0 {
            let Some(number) = debian::number(&codename) else {
                if self.strangers.len() < STRANGERS_MAX {
                    self.strangers.insert(codename);
                }
                continue;
            };
            let (state, why_not) = state(&release);
            if let Some(why_not) = why_not {
                let reason = format!("{codename}: {why_not}");
                (self.sink)(Item::Partial(Skipped { place: place.clone(), reason }));
            }
            affected.push(Claim {
                package: package.clone(),
                number,
                state,
                fixed: release.fixed_version.0,
                urgency: release.urgency.0,
                remark: release.nodsa.0,
            });
        }
        let gathered = self.gathered.entry(id).or_default();
        if gathered.description.is_empty() {
            gathered.description = entry.description.0;
        }
        if gathered.affected.len() + affected.len() > CLAIMS_MAX {
            let reason = format!("the vulnerability is about more than {CLAIMS_MAX} packages in releases");
            return (self.sink)(Item::skipped(place, reason));
        }
        gathered.bugs.extend(entry.debianbug);
        gathered.affected.extend(affected);
    }

    fn finish(self) {
        for codename in self.strangers {
            // Not `Debian:sid`: Debian itself is no unknown ecosystem.
            (self.sink)(Item::UnknownEcosystem(format!("Debian {}", cut(&codename, 40))));
        }
        for (id, gathered) in self.gathered {
            if !gathered.affected.is_empty() {
                (self.sink)(Item::Advisory(advisory(id.into_owned(), gathered)));
            }
        }
    }
}

/// What the tracker says of a release, and why that could not be used as it stands: then nobody knows.
fn state(release: &RawRelease<'_>) -> (VendorState, Option<String>) {
    let (version, urgency) = (&*release.fixed_version.0, &*release.urgency.0);
    match &*release.status.0 {
        "resolved" if version == "0" => (VendorState::NotAffected, None),
        "resolved" if !version.is_empty() && version.len() <= WORD_BYTES_MAX => (VendorState::Fixed, None),
        "resolved" => (VendorState::UnderInvestigation, Some("is resolved and names no version".to_owned())),
        "open" if urgency == "end-of-life" => (VendorState::EndOfLife, None),
        "open" => (open(release), None),
        "undetermined" => (VendorState::UnderInvestigation, None),
        other => (VendorState::UnderInvestigation, Some(format!("unknown status `{}`", cut(other, 40)))),
    }
}

fn open(release: &RawRelease<'_>) -> VendorState {
    match (&*release.nodsa_reason.0, release.nodsa.0.is_empty()) {
        ("ignored", _) => VendorState::WillNotFix,
        ("postponed", _) | (_, false) => VendorState::Deferred,
        (_, true) => VendorState::Affected,
    }
}

fn advisory(id: String, gathered: Gathered<'_>) -> Advisory {
    let bug = |bug| Reference { kind: "REPORT".to_owned(), url: format!("https://bugs.debian.org/{bug}") };
    Advisory {
        id: AdvisoryId(id),
        source: SOURCE.to_owned(),
        details: cut(&gathered.description, DETAILS_BYTES_MAX).to_owned(),
        affected: gathered.affected.into_iter().map(affected).collect(),
        references: gathered.bugs.into_iter().map(bug).collect(),
        ..Advisory::default()
    }
}

fn affected(claim: Claim<'_>) -> Affected {
    let word = |text: &str| (!text.is_empty()).then(|| cut(text, WORD_BYTES_MAX).to_owned());
    let all = Affected::new(Ecosystem::debian(claim.number), claim.package);
    let ranged = match claim.state {
        VendorState::NotAffected | VendorState::UnderInvestigation => all,
        VendorState::Fixed => all.with_range("0", Some(&claim.fixed)),
        _ => all.with_range("0", None),
    };
    Affected { state: Some(claim.state), vendor_severity: word(&claim.urgency), remark: word(&claim.remark), ..ranged }
}

#[derive(Deserialize)]
struct RawEntry<'d> {
    #[serde(borrow, default)]
    description: Words<'d>,
    #[serde(default, deserialize_with = "number")]
    debianbug: Option<u64>,
    #[serde(borrow)]
    releases: Pairs<'d, RawRelease<'d>>,
}

#[derive(Deserialize)]
struct RawRelease<'d> {
    #[serde(borrow, default)]
    status: Words<'d>,
    #[serde(borrow, default)]
    fixed_version: Words<'d>,
    #[serde(borrow, default)]
    urgency: Words<'d>,
    #[serde(borrow, default)]
    nodsa: Words<'d>,
    #[serde(borrow, default)]
    nodsa_reason: Words<'d>,
}

/// A text, borrowed where it has no escapes; nothing where there is none.
#[derive(Default)]
struct Words<'d>(Cow<'d, str>);

impl<'de: 'd, 'd> Deserialize<'de> for Words<'d> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyWords)
    }
}

struct AnyWords;

impl<'d> Visitor<'d> for AnyWords {
    type Value = Words<'d>;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or nothing")
    }
    fn visit_borrowed_str<E>(self, text: &'d str) -> Result<Words<'d>, E> {
        Ok(Words(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Words<'d>, E> {
        Ok(Words(Cow::Owned(text.to_owned())))
    }
    fn visit_unit<E>(self) -> Result<Words<'d>, E> {
        Ok(Words::default())
    }
}

/// A number where there is one.
fn number<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    struct AnyNumber;
    impl<'d> Visitor<'d> for AnyNumber {
        type Value = Option<u64>;
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("anything")
        }
        fn visit_u64<E>(self, number: u64) -> Result<Option<u64>, E> {
            Ok(Some(number))
        }
        fn visit_i64<E>(self, _: i64) -> Result<Option<u64>, E> {
            Ok(None)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Option<u64>, E> {
            Ok(None)
        }
        fn visit_bool<E>(self, _: bool) -> Result<Option<u64>, E> {
            Ok(None)
        }
        fn visit_str<E>(self, text: &str) -> Result<Option<u64>, E> {
            Ok(text.parse().ok())
        }
        fn visit_unit<E>(self) -> Result<Option<u64>, E> {
            Ok(None)
        }
        fn visit_seq<A: SeqAccess<'d>>(self, mut items: A) -> Result<Option<u64>, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }
        fn visit_map<A: MapAccess<'d>>(self, mut items: A) -> Result<Option<u64>, A::Error> {
            while items.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(None)
        }
    }
    deserializer.deserialize_any(AnyNumber)
}

/// An object's entries as they stand, keys borrowed where they have no escapes. An empty one may come as an empty list.
struct Pairs<'d, T>(Vec<(Cow<'d, str>, T)>);

impl<'de: 'd, 'd, T: Deserialize<'de>> Deserialize<'de> for Pairs<'d, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyPairs<T>(PhantomData<T>);
        impl<'d, T: Deserialize<'d>> Visitor<'d> for AnyPairs<T> {
            type Value = Pairs<'d, T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'d>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Words(key), value)) = entries.next_entry()? {
                    pairs.push((key, value));
                }
                Ok(Pairs(pairs))
            }
            fn visit_seq<A: SeqAccess<'d>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                match items.next_element::<IgnoredAny>()? {
                    None => Ok(Pairs(Vec::new())),
                    Some(_) => Err(serde::de::Error::custom("a list where an object should be")),
                }
            }
        }
        deserializer.deserialize_any(AnyPairs(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that comes of a document: advisories as `id: package release state until urgency remark`.
    fn read(json: &str) -> Vec<String> {
        let mut came = Vec::new();
        parse(&Document { name: "json", bytes: json.as_bytes() }, &mut |item| match item {
            Item::Advisory(advisory) => came.extend(advisory.affected.iter().map(|one| {
                let until = one.ranges.iter().map(|range| format!(" {:?}", range.events.last().unwrap()));
                let said = [&one.vendor_severity, &one.remark].map(|said| said.as_deref().unwrap_or("-"));
                let state = one.state.unwrap().as_str();
                let until = until.collect::<String>();
                format!("{}: {} {} {state}{until} {}", advisory.id.0, one.name, one.ecosystem, said.join(" "))
            })),
            Item::Skipped(skipped) => came.push(format!("skipped {}: {}", skipped.place, skipped.reason)),
            Item::Partial(skipped) => came.push(format!("partial {}: {}", skipped.place, skipped.reason)),
            Item::UnknownEcosystem(name) => came.push(format!("unknown {name}")),
            other => came.push(format!("{other:?}")),
        })
        .unwrap();
        came
    }

    #[test]
    fn a_releases_status_says_whether_until_when_and_what_will_be_done() {
        let check = |release: &str, expected: &[&str]| {
            let json = format!(r#"{{"tar":{{"CVE-2023-1":{{"releases":{{"bookworm":{release}}}}}}}}}"#);
            assert_eq!(read(&json), expected, "{release}");
        };
        check(
            r#"{"status":"resolved","repositories":{"bookworm":"1.35-1"},"fixed_version":"1.34-1","urgency":"high**"}"#,
            &[r#"CVE-2023-1: tar Debian:12 fixed Fixed("1.34-1") high** -"#],
        );
        // never had it
        check(
            r#"{"status":"resolved","fixed_version":"0","urgency":"unimportant"}"#,
            &["CVE-2023-1: tar Debian:12 not affected unimportant -"],
        );
        let open = r#"CVE-2023-1: tar Debian:12 affected Introduced("0") not yet assigned -"#;
        check(r#"{"status":"open","urgency":"not yet assigned"}"#, &[open]);
        // in the next point release, perhaps
        check(
            r#"{"status":"open","urgency":"low","nodsa":"Minor issue","nodsa_reason":""}"#,
            &[r#"CVE-2023-1: tar Debian:12 fix deferred Introduced("0") low Minor issue"#],
        );
        check(
            r#"{"status":"open","urgency":"low","nodsa":"Minor","nodsa_reason":"postponed"}"#,
            &[r#"CVE-2023-1: tar Debian:12 fix deferred Introduced("0") low Minor"#],
        );
        check(
            r#"{"status":"open","urgency":"low","nodsa":"Too intrusive","nodsa_reason":"ignored"}"#,
            &[r#"CVE-2023-1: tar Debian:12 will not fix Introduced("0") low Too intrusive"#],
        );
        check(
            r#"{"status":"open","urgency":"end-of-life"}"#,
            &[r#"CVE-2023-1: tar Debian:12 end of life Introduced("0") end-of-life -"#],
        );
        check(r#"{"status":"undetermined"}"#, &["CVE-2023-1: tar Debian:12 under investigation - -"]);
    }

    #[test]
    fn what_is_not_understood_is_under_investigation_and_told() {
        let json =
            r#"{"tar":{"CVE-2023-1":{"releases":{"bookworm":{"status":"resolved"},"buster":{"status":"odd"}}}}}"#;
        assert_eq!(
            read(json),
            [
                "partial tar: CVE-2023-1: bookworm: is resolved and names no version",
                "partial tar: CVE-2023-1: buster: unknown status `odd`",
                "CVE-2023-1: tar Debian:12 under investigation - -",
                "CVE-2023-1: tar Debian:10 under investigation - -",
            ]
        );
    }

    #[test]
    fn one_vulnerability_of_many_packages_is_one_record_and_sid_is_named_once() {
        let entry = r#"{"description":"a \"b\"","debianbug":7,"releases":{"sid":{"status":"open"},"trixie":{"status":"open"}}}"#;
        let json = format!(r#"{{"a":{{"CVE-1":{entry},"TEMP-0000007-ABCDEF":{entry}}},"b":{{"CVE-1":{entry}}}}}"#);
        let mut advisories = Vec::new();
        let mut unknown = Vec::new();
        parse(&Document { name: "json", bytes: json.as_bytes() }, &mut |item| match item {
            Item::Advisory(advisory) => advisories.push(advisory),
            Item::UnknownEcosystem(name) => unknown.push(name),
            other => panic!("{other:?}"),
        })
        .unwrap();
        assert_eq!(unknown, ["Debian sid"]);
        let names = |advisory: &Advisory| advisory.affected.iter().map(|one| one.name.clone()).collect::<String>();
        let shown: Vec<_> = advisories.iter().map(|one| format!("{} {}", one.id.0, names(one))).collect();
        assert_eq!(shown, ["CVE-1 ab", "TEMP-0000007-ABCDEF a"]);
        assert_eq!((advisories[0].details.as_str(), advisories[0].source.as_str()), (r#"a "b""#, "DEBIAN_CVE"));
        assert_eq!(advisories[0].references[0].url, "https://bugs.debian.org/7");
    }

    #[test]
    fn what_has_another_shape_is_set_aside_alone() {
        let good = r#"{"releases":{"bookworm":{"status":"undetermined"}}}"#;
        let json = format!(
            r#"{{"a":[1],"b":{{"CVE-0":{{"releases":[]}},"CVE-1":[],"CVE-2":{{"description":5}},"CVE-3":{good}}}}}"#
        );
        let came = read(&json);
        let places: Vec<&str> = came.iter().map(|line| line.split(": can't").next().unwrap()).collect();
        let expected =
            ["skipped a", "skipped b: CVE-1", "skipped b: CVE-2", "CVE-3: b Debian:12 under investigation - -"];
        assert_eq!(places, expected);
        assert!(parse(&Document { name: "json", bytes: b"[1]" }, &mut |_| {}).is_err());
    }

    #[test]
    fn only_the_trackers_dump_is_recognised() {
        let check = |text: &str, expected: bool| {
            assert_eq!(recognises(&Head::new("json", text.as_bytes())), expected, "{text}");
        };
        check(r#"{ "tar" : { "CVE-1": {"releases": {"sid": {"repositories": {"sid": "1"}}}}}}"#, true);
        check(r#"{"tar":{"TEMP-1":{"releases":{"sid":{"repositories":{}}}}}}"#, true);
        check(r#"{"tar":{"CVE-1":{"fixed_version":"1"}}}"#, false); // Echo's
        check(r#"{"releases":{"CVE-1":1},"repositories":[]}"#, false);
        check(r#"{"a"#, false);
        check(r#"{"a""#, false);
        check("{}", false);
        check("", false);
    }
}
