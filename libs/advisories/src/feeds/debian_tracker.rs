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
use muster_domain::{Advisory, AdvisoryId, Affected, Reference, Skipped, VendorState};
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
/// Most different releases without a number that are named; real documents have one (sid).
const STRANGERS_MAX: usize = 100;

/// The first package's first entry is a vulnerability with releases. The tracker's dump has no key of its own.
pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let quoted = |text: &'_ [u8]| -> Option<usize> {
        let text = text.strip_prefix(b"\"")?;
        text.iter().position(|&byte| byte == b'"').map(|end| end + 2)
    };
    let opened = |text: &[u8]| text.strip_prefix(b"{").map(|rest| rest.trim_ascii_start().to_owned());
    let Some(rest) = opened(head.text) else { return false };
    let Some(end) = quoted(&rest) else { return false };
    let Some(value) = rest[end..].trim_ascii_start().strip_prefix(b":") else { return false };
    let Some(entry) = opened(value.trim_ascii_start()) else { return false };
    [&b"\"CVE-"[..], b"\"TEMP-"].iter().any(|id| entry.starts_with(id))
        && head.holds("\"releases\"")
        && head.holds("\"repositories\"")
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
            Ok(entries) => entries.0.into_iter().for_each(|(id, entry)| gathering.entry(&package, id, entry)),
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
    codename: Cow<'d, str>,
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
    fn entry(&mut self, package: &Cow<'d, str>, id: Cow<'d, str>, entry: &'d RawValue) {
        let place = || format!("{package}: {}", cut(&id, 40));
        if id.is_empty() || id.len() > WORD_BYTES_MAX {
            let reason = format!("id must have 1 to {WORD_BYTES_MAX} bytes");
            return (self.sink)(Item::skipped(place(), reason));
        }
        let entry: RawEntry<'d> = match serde_json::from_str(entry.get()) {
            Ok(entry) => entry,
            Err(error) => return (self.sink)(Item::skipped(place(), format!("can't be read: {error}"))),
        };
        let mut affected = Vec::new();
        for (codename, release) in entry.releases.0 {
            if debian::number(&codename).is_none() {
                if self.strangers.len() < STRANGERS_MAX {
                    self.strangers.insert(codename);
                }
                continue;
            }
            let (state, why_not) = state(&release);
            if let Some(why_not) = why_not {
                let reason = format!("{codename}: {why_not}");
                (self.sink)(Item::Partial(Skipped { place: place(), reason }));
            }
            affected.push(Claim {
                package: package.clone(),
                codename,
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
        affected: gathered.affected.into_iter().filter_map(affected).collect(),
        references: gathered.bugs.into_iter().map(bug).collect(),
        ..Advisory::default()
    }
}

fn affected(claim: Claim<'_>) -> Option<Affected> {
    let word = |text: &str| (!text.is_empty()).then(|| cut(text, WORD_BYTES_MAX).to_owned());
    let all = Affected::new(debian::ecosystem(&claim.codename)?, claim.package);
    let ranged = match claim.state {
        VendorState::NotAffected | VendorState::UnderInvestigation => all,
        VendorState::Fixed => all.with_range("0", Some(&claim.fixed)),
        _ => all.with_range("0", None),
    };
    Some(Affected {
        state: Some(claim.state),
        vendor_severity: word(&claim.urgency),
        remark: word(&claim.remark),
        ..ranged
    })
}

#[derive(Deserialize)]
struct RawEntry<'d> {
    #[serde(borrow, default)]
    description: Words<'d>,
    #[serde(default, deserialize_with = "number")]
    debianbug: Option<u64>,
    #[serde(borrow, default)]
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

/// An object's entries as they stand, keys borrowed where they have no escapes.
struct Pairs<'d, T>(Vec<(Cow<'d, str>, T)>);

impl<T> Default for Pairs<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

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
        }
        deserializer.deserialize_map(AnyPairs(PhantomData))
    }
}
