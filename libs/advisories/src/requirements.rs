//! Requirements, by which the package managers' own databases say which versions they mean (`>= 1.2, < 2`, `~> 1.2.3`,
//! `^1.2`, npm's ranges) -> sets of versions -> OSV events.
//!
//! A set is a sorted list of spans between cuts, a cut lying just before or just after a version in the scheme's order.
//! So databases that list the good versions (RustSec, RubySec) are read as what is left of all versions. One function per
//! grammar, each in its file.

mod cargo;
mod composer;
mod gem;
mod npm;
mod semver;

pub(crate) use cargo::cargo;
pub(crate) use composer::composer;
pub(crate) use gem::gem;
pub(crate) use npm::npm;

use crate::feed::cut;
use muster_domain::{Event, Range, RangeType};
use muster_versions::{Scheme, VersionKey};

/// Most bytes of a requirement: real ones stay below 200; bounds the alternatives in one.
const REQUIREMENT_BYTES_MAX: usize = 4096;
/// Most bytes of a requirement that are shown when it can't be read.
const SHOWN_BYTES_MAX: usize = 80;

/// A requirement that its grammar does not allow, or whose versions its scheme does not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("requirement `{requirement}` can't be read: {why}")]
pub(crate) struct Unreadable {
    requirement: String,
    why: String,
}

impl Unreadable {
    fn new(requirement: &str, why: impl Into<String>) -> Self {
        Self { requirement: cut(requirement, SHOWN_BYTES_MAX).to_owned(), why: why.into() }
    }
}

/// A set of versions of one scheme.
#[derive(Clone, Debug)]
pub(crate) struct Versions {
    scheme: Scheme,
    /// Ascending; none is empty, none touches the next.
    spans: Vec<Span>,
}

/// From a cut (`None`: the beginning) to a cut (`None`: no end).
#[derive(Clone, Debug)]
struct Span {
    from: Option<Cut>,
    to: Option<Cut>,
}

/// A place between versions: just before one, or just after it.
#[derive(Clone, Debug)]
struct Cut {
    key: VersionKey,
    is_after: bool,
    /// The version as written.
    text: String,
}

impl Cut {
    fn place(&self) -> (&[u8], bool) {
        (self.key.as_bytes(), self.is_after)
    }
}

/// The beginning comes before every cut.
fn start(span: &Span) -> Option<(&[u8], bool)> {
    span.from.as_ref().map(Cut::place)
}

impl Versions {
    /// No version.
    pub(crate) fn none(scheme: Scheme) -> Self {
        Self { scheme, spans: Vec::new() }
    }

    /// Every version.
    pub(crate) fn all(scheme: Scheme) -> Self {
        Self { scheme, spans: vec![Span { from: None, to: None }] }
    }

    /// The version and all behind it.
    fn from(scheme: Scheme, version: &str) -> Result<Self, String> {
        Ok(Self { scheme, spans: vec![Span { from: Some(edge(scheme, version, false)?), to: None }] })
    }

    /// All behind the version.
    fn above(scheme: Scheme, version: &str) -> Result<Self, String> {
        Ok(Self { scheme, spans: vec![Span { from: Some(edge(scheme, version, true)?), to: None }] })
    }

    /// All before the version.
    fn below(scheme: Scheme, version: &str) -> Result<Self, String> {
        Ok(Self { scheme, spans: vec![Span { from: None, to: Some(edge(scheme, version, false)?) }] })
    }

    /// The version and all before it.
    fn up_to(scheme: Scheme, version: &str) -> Result<Self, String> {
        Ok(Self { scheme, spans: vec![Span { from: None, to: Some(edge(scheme, version, true)?) }] })
    }

    /// One version.
    fn exactly(scheme: Scheme, version: &str) -> Result<Self, String> {
        Ok(Self::from(scheme, version)?.and(Self::up_to(scheme, version)?))
    }

    /// From the first version on, before the second.
    fn between(scheme: Scheme, from: &str, below: &str) -> Result<Self, String> {
        Ok(Self::from(scheme, from)?.and(Self::below(scheme, below)?))
    }

    /// What is in either.
    pub(crate) fn or(mut self, other: Self) -> Self {
        self.spans.extend(other.spans);
        self.spans.retain(|span| !is_empty(span));
        self.spans.sort_by(|a, b| start(a).cmp(&start(b)));
        let mut merged: Vec<Span> = Vec::with_capacity(self.spans.len());
        for span in self.spans.drain(..) {
            match merged.last_mut() {
                Some(last) if touch(last, &span) => {
                    if ends_before(last, &span) {
                        last.to = span.to;
                    }
                }
                _ => merged.push(span),
            }
        }
        self.spans = merged;
        self
    }

    /// What is in both: not what is outside either.
    pub(crate) fn and(self, other: Self) -> Self {
        self.not().or(other.not()).not()
    }

    /// What is not in it.
    pub(crate) fn not(self) -> Self {
        let mut gaps = Vec::with_capacity(self.spans.len() + 1);
        let mut from = None;
        let mut is_open = true;
        for span in self.spans {
            if span.from.is_some() {
                gaps.push(Span { from: from.take(), to: span.from });
            }
            is_open = span.to.is_some();
            from = span.to;
        }
        if is_open {
            gaps.push(Span { from, to: None });
        }
        Self { scheme: self.scheme, spans: gaps }.or(Self::none(self.scheme))
    }

    /// The set as one range of events; `None`: it is empty.
    ///
    /// OSV has no event for "behind this version", so a span that begins behind one begins with the version that follows
    /// it next.
    pub(crate) fn range(&self) -> Result<Option<Range>, Unreadable> {
        let mut events = Vec::with_capacity(2 * self.spans.len());
        for Span { from, to } in &self.spans {
            events.push(Event::Introduced(match from {
                None => "0".to_owned(),
                Some(cut) if cut.is_after => self.following(cut)?,
                Some(cut) => cut.text.clone(),
            }));
            events.extend(to.as_ref().map(|cut| match cut.is_after {
                true => Event::LastAffected(cut.text.clone()),
                false => Event::Fixed(cut.text.clone()),
            }));
        }
        Ok((!events.is_empty()).then_some(Range { kind: RangeType::Ecosystem, events }))
    }

    /// The first version behind the cut.
    fn following(&self, cut: &Cut) -> Result<String, Unreadable> {
        let next = match self.scheme {
            Scheme::Cargo | Scheme::Npm => semver::following(&cut.text),
            Scheme::Gem => Some(gem::following(&cut.text)),
            Scheme::Composer => Some(composer::following(&cut.text)),
            _ => None,
        };
        let is_behind = |next: &String| self.scheme.key(next).is_ok_and(|key| key > cut.key);
        next.filter(is_behind)
            .ok_or_else(|| Unreadable::new(&format!("> {}", cut.text), "no version is known to follow"))
    }

    /// Whether the version is in it.
    #[cfg(test)]
    fn contains(&self, version: &str) -> bool {
        let key = self.scheme.key(version).unwrap();
        let at = (key.as_bytes(), true); // just after it
        self.spans
            .iter()
            .any(|span| start(span).is_none_or(|from| from < at) && span.to.as_ref().is_none_or(|to| at <= to.place()))
    }
}

/// Most requirements in one list; the longest real one has 40.
pub(crate) const REQUIREMENTS_MAX: usize = 1000;

/// What any of the requirements allows.
pub(crate) fn any_of<'r>(
    scheme: Scheme,
    grammar: fn(&str) -> Result<Versions, Unreadable>,
    requirements: impl IntoIterator<Item = &'r String>,
) -> Result<Versions, Unreadable> {
    let mut all = Versions::none(scheme);
    for requirement in requirements {
        all.spans.extend(grammar(requirement)?.spans);
    }
    Ok(all.or(Versions::none(scheme)))
}

/// What all of the parts allow: not what is outside any of them.
fn all_of(scheme: Scheme, parts: impl Iterator<Item = Result<Versions, String>>) -> Result<Versions, String> {
    let mut outside = Versions::none(scheme);
    for part in parts {
        outside.spans.extend(part?.not().spans);
    }
    Ok(outside.or(Versions::none(scheme)).not())
}

fn edge(scheme: Scheme, version: &str, is_after: bool) -> Result<Cut, String> {
    let key = scheme.key(version).map_err(|malformed| malformed.to_string())?;
    Ok(Cut { key, is_after, text: version.to_owned() })
}

fn is_empty(span: &Span) -> bool {
    matches!((&span.from, &span.to), (Some(from), Some(to)) if from.place() >= to.place())
}

/// Whether nothing lies between `a` and `b`, which begins no earlier.
fn touch(a: &Span, b: &Span) -> bool {
    match (&a.to, &b.from) {
        (Some(end), Some(start)) => start.place() <= end.place(),
        _ => true,
    }
}

fn ends_before(a: &Span, b: &Span) -> bool {
    match (&a.to, &b.to) {
        (Some(a), Some(b)) => a.place() < b.place(),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// The operator in front and what is behind it; the longer operators stand before their beginnings.
fn operator<'t>(text: &'t str, operators: &[&'static str]) -> (&'static str, &'t str) {
    let text = text.trim();
    let found = operators.iter().find_map(|operator| Some((*operator, text.strip_prefix(operator)?.trim_start())));
    found.unwrap_or(("", text))
}

fn check_length(requirement: &str) -> Result<(), Unreadable> {
    match requirement.len() {
        0..=REQUIREMENT_BYTES_MAX => Ok(()),
        _ => Err(Unreadable::new(requirement, format!("it is longer than {REQUIREMENT_BYTES_MAX} bytes"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::intervals;
    use proptest::prelude::*;

    /// Events as `[1 2)` (introduced, fixed), `[1 2]` (last affected), `[1`; or the error.
    pub(super) fn shown(versions: &Result<Versions, Unreadable>) -> String {
        let range = match versions.as_ref().map(Versions::range) {
            Ok(Ok(range)) => range,
            Ok(Err(error)) => return error.to_string(),
            Err(error) => return error.to_string(),
        };
        let event = |event: &Event| match event {
            Event::Introduced(version) => format!(" [{version}"),
            Event::Fixed(version) => format!(" {version})"),
            Event::LastAffected(version) => format!(" {version}]"),
            Event::Limit(version) => format!(" {version}|"),
        };
        let events: String = range.iter().flat_map(|range| &range.events).map(event).collect();
        events.trim_start().to_owned()
    }

    #[test]
    fn sets_are_joined_cut_and_turned() {
        let set = |text: &str| gem(text).unwrap();
        let check = |versions: Versions, expected: &str| assert_eq!(shown(&Ok(versions)), expected);
        let (low, high) = (set("< 1"), set(">= 2"));
        check(low.clone().or(high.clone()), "[0 1) [2");
        check(low.clone().or(high.clone()).not(), "[1 2)");
        check(low.clone().and(high), "");
        check(low.clone().or(set(">= 1")), "[0"); // nothing between
        check(low.or(set("> 1")), "[0 1) [1.0.1.a"); // 1 itself between
        check(Versions::all(Scheme::Gem).not(), "");
        check(Versions::none(Scheme::Gem).not(), "[0");
        check(set(">= 3, <= 3"), "[3 3]");
        check(set("> 3, < 3"), "");
        check(set("<= 3").or(set("> 3")), "[0");
    }

    #[test]
    fn a_list_allows_what_any_of_it_allows() {
        let list = [">= 1.2.3".to_owned(), "< 1.0".to_owned(), "~> 1.1.4".to_owned()];
        assert_eq!(shown(&any_of(Scheme::Gem, gem, &list).map(Versions::not)), "[1.0 1.1.4) [1.2.A 1.2.3)");
        assert_eq!(shown(&any_of(Scheme::Gem, gem, &[]).map(Versions::not)), "[0");
    }

    proptest! {
        /// The sets of any two requirements: what `and`, `or`, `not` say of a version is what logic says, and the events say
        /// the same.
        #[test]
        fn sets_hold_what_logic_says(a in requirement(), b in requirement(), version in version()) {
            let (set_a, set_b) = (gem(&a).unwrap(), gem(&b).unwrap());
            let (in_a, in_b) = (set_a.contains(&version), set_b.contains(&version));
            prop_assert_eq!(set_a.clone().not().contains(&version), !in_a);
            prop_assert_eq!(set_a.clone().and(set_b.clone()).contains(&version), in_a && in_b);
            let either = set_a.or(set_b);
            prop_assert_eq!(either.contains(&version), in_a || in_b);
            let Some(range) = either.range().unwrap() else {
                return Ok(());
            };
            let key = Scheme::Gem.key(&version).unwrap();
            let spans = intervals(Scheme::Gem, &range).unwrap();
            prop_assert_eq!(spans.len(), either.spans.len());
            prop_assert_eq!(spans.iter().any(|span| span.contains(key.as_bytes())), in_a || in_b);
        }
    }

    fn version() -> impl Strategy<Value = String> {
        (0..4_u8, 0..3_u8, prop_oneof![Just(""), Just(".rc1"), Just(".1")])
            .prop_map(|(a, b, rest)| format!("{a}.{b}{rest}"))
    }

    fn requirement() -> impl Strategy<Value = String> {
        let operator = prop_oneof![Just("~>"), Just(">="), Just(">"), Just("<="), Just("<"), Just("="), Just("!=")];
        let part = (operator, version()).prop_map(|(operator, version)| format!("{operator} {version}"));
        proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join(", "))
    }

    #[test]
    fn a_requirement_that_cannot_be_read_is_shown() {
        let long = "1".repeat(5000);
        let expected = format!("requirement `{}` can't be read: it is longer than 4096 bytes", &long[..80]);
        assert_eq!(shown(&gem(&long)), expected);
    }

    /// What the reference programs said, one line per question: requirement, version, whether it is allowed.
    pub(super) fn check_recorded(answers: &str, grammar: fn(&str) -> Result<Versions, Unreadable>) {
        let mut asked = 0;
        for line in answers.lines().filter(|line| !line.starts_with('#')) {
            let [requirement, version, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let versions = grammar(requirement).unwrap();
            assert_eq!(versions.contains(version), expected == "true", "{requirement} {version}");
            asked += 1;
        }
        assert!(asked > 100, "{asked}");
    }
}
