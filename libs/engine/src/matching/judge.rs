//! One claim against one version, and several claims about one vulnerability against each other. Nothing is written
//! down here: an answer borrows what decided it, and `explain` puts it into words when it is wanted.

use muster_advisories::{Bound, Candidate, CandidateRange, DatabaseError, End, Text};
use muster_domain::Status;
use muster_versions::{Malformed, Scheme, VersionKey};

/// The installed version, as written and as compared.
pub(super) struct Installed<'i> {
    pub raw: &'i str,
    pub key: Result<VersionKey, Malformed>,
}

impl<'i> Installed<'i> {
    pub(super) fn new(scheme: Scheme, raw: &'i str) -> Self {
        Self { raw, key: scheme.key(raw) }
    }

    fn key(&self) -> Option<&[u8]> {
        self.key.as_ref().ok().map(VersionKey::as_bytes)
    }
}

/// What one claim says of the installed version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judgement<'a> {
    pub status: Status,
    pub why: Why<'a>,
    /// The lowest fix of the ranges that hold.
    pub fixed: Option<Bound<'a>>,
}

/// What decided.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why<'a> {
    /// The record was taken back.
    Withdrawn,
    /// This range holds.
    Inside(CandidateRange<'a>),
    /// No range holds.
    Outside,
    /// The installed version can't be read.
    VersionUnreadable,
    /// A range can't be read, and no other holds.
    RangeUnreadable(Text<'a>),
    /// The record names the package and no version that could be compared.
    NoVersions,
}

/// The claim that decides on a vulnerability, and what it says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decision<'a> {
    pub claim: Candidate<'a>,
    pub judgement: Judgement<'a>,
}

/// The decision among claims about one vulnerability (its rule stands above `matching`). `None` without claims.
pub(super) fn decide<'a>(
    claims: &[Candidate<'a>],
    installed: &Installed<'_>,
    is_distribution: bool,
) -> Result<Option<Decision<'a>>, DatabaseError> {
    let stands_alone = |claim: &&Candidate<'_>| !claim.is_notice() && !claim.is_withdrawn();
    let has_own_record = is_distribution && claims.iter().any(|claim| stands_alone(&claim));
    let mut best: Option<Decision<'a>> = None;
    for claim in claims.iter().filter(|claim| !has_own_record || stands_alone(claim)) {
        let next = Decision { claim: *claim, judgement: judge(claim, installed)? };
        best = Some(match best {
            Some(best) if !next.judgement.beats(&best.judgement) => best,
            _ => next,
        });
    }
    Ok(best)
}

impl Judgement<'_> {
    fn beats(&self, other: &Self) -> bool {
        if self.status != other.status {
            return weight(self.status) > weight(other.status);
        }
        match (&self.fixed, &other.fixed) {
            (Some(fixed), Some(other)) => fixed.key < other.key,
            (Some(_), None) => true,
            // A record that stands says more than one that was taken back.
            (None, None) => matches!(other.why, Why::Withdrawn) && !matches!(self.why, Why::Withdrawn),
            (None, Some(_)) => false,
        }
    }
}

/// Which answer wins.
fn weight(status: Status) -> u8 {
    match status {
        Status::Affected => 2,
        Status::Undetermined => 1,
        Status::NotAffected => 0,
    }
}

fn judge<'a>(claim: &Candidate<'a>, installed: &Installed<'_>) -> Result<Judgement<'a>, DatabaseError> {
    let answer = |status, why| Judgement { status, why, fixed: None };
    if claim.is_withdrawn() {
        return Ok(answer(Status::NotAffected, Why::Withdrawn));
    }
    let mut inside: Option<CandidateRange<'a>> = None;
    let mut fixed: Option<Bound<'a>> = None;
    let mut unreadable = None;
    let mut names_versions = false;
    for range in claim.ranges()? {
        let range = range?;
        names_versions = true;
        if let CandidateRange::Unreadable(why) = range {
            unreadable = Some(why);
        } else if holds(&range, installed)? {
            inside.get_or_insert(range);
            if let CandidateRange::Interval { end: End::Fixed(fix), .. } = range
                && fixed.is_none_or(|lowest| fix.key < lowest.key)
            {
                (inside, fixed) = (Some(range), Some(fix));
            }
        }
    }
    Ok(match (inside, unreadable) {
        (Some(range), _) => Judgement { status: Status::Affected, why: Why::Inside(range), fixed },
        (None, _) if !names_versions => answer(Status::Undetermined, Why::NoVersions),
        (None, _) if installed.key.is_err() => answer(Status::Undetermined, Why::VersionUnreadable),
        (None, Some(why)) => answer(Status::Undetermined, Why::RangeUnreadable(why)),
        (None, None) => answer(Status::NotAffected, Why::Outside),
    })
}

fn holds(range: &CandidateRange<'_>, installed: &Installed<'_>) -> Result<bool, DatabaseError> {
    match (range, installed.key()) {
        // Every version there is, read or not.
        (CandidateRange::Interval { introduced: None, end: End::Open }, _) => Ok(true),
        (CandidateRange::Interval { introduced, end }, Some(key)) => {
            Ok(introduced.is_none_or(|introduced| introduced.key <= key) && before(key, end))
        }
        (CandidateRange::Listed { key: Some(listed), .. }, Some(key)) => Ok(*listed == key),
        (CandidateRange::Listed { version, .. }, _) => Ok(version.read()? == installed.raw),
        (CandidateRange::Interval { .. } | CandidateRange::Unreadable(_), _) => Ok(false),
    }
}

fn before(key: &[u8], end: &End<'_>) -> bool {
    match end {
        End::Open => true,
        End::Fixed(bound) | End::Limit(bound) => key < bound.key,
        End::LastAffected(bound) => key <= bound.key,
    }
}
