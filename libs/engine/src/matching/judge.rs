//! One claim against one version, and several claims about one vulnerability against each other. Nothing is written
//! down here: an answer borrows what decided it, and `explain` puts it into words when it is wanted.

use super::lookup::{Found, is_same_build};
use muster_advisories::{Bound, Candidate, CandidateRange, DatabaseError, End, Text};
use muster_domain::{Names, Status, VendorState};
use muster_versions::{Malformed, Scheme, VersionKey};

/// The installed version, as written and as compared.
pub(super) struct Installed<'i> {
    pub scheme: Scheme,
    pub raw: &'i str,
    pub key: Result<VersionKey, Malformed>,
}

impl<'i> Installed<'i> {
    pub(super) fn new(scheme: Scheme, raw: &'i str) -> Self {
        Self { scheme, raw, key: scheme.key(raw) }
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
    /// The vendor says so, whatever the version.
    VendorSays(VendorState),
    /// The installed version can't be read.
    VersionUnreadable,
    /// A range can't be read, and no other holds.
    RangeUnreadable(Text<'a>),
    /// The record names the package and no version that could be compared.
    NoVersions,
}

/// The claim that decides on a vulnerability, and what it says.
#[derive(Clone, Copy)]
pub(super) struct Decision<'d, 'l> {
    pub found: Found<'d, 'l>,
    pub judgement: Judgement<'d>,
}

impl<'d, 'l> Decision<'d, 'l> {
    pub(super) fn claim(&self) -> &Candidate<'d> {
        &self.found.candidate
    }

    pub(super) fn installed(&self) -> &'l Installed<'l> {
        &self.found.lookup.installed
    }
}

/// The decision among claims about one vulnerability (its rule stands above `matching`). `None` without claims.
pub(super) fn decide<'d, 'l>(
    claims: &[Found<'d, 'l>],
    is_distribution: bool,
) -> Result<Option<Decision<'d, 'l>>, DatabaseError> {
    let of = |is_extended| claims.iter().filter(move |claim| claim.lookup.question.is_extended == is_extended);
    let plain = best(of(false).copied(), is_distribution)?;
    let extended = best(of(true).copied(), is_distribution)?;
    Ok(match (plain, extended) {
        // What the subscription alone fixes is told as a fix, and counts as one where it is installed.
        (Some(plain), Some(extended)) if plain.judgement.status != Status::NotAffected => {
            let is_fixed = extended.judgement.status == Status::NotAffected;
            let tells_fix = plain.judgement.fixed.is_none() && extended.judgement.fixed.is_some();
            Some(if is_fixed || tells_fix { extended } else { plain })
        }
        (plain, extended) => plain.or(extended),
    })
}

fn best<'d, 'l>(
    claims: impl Iterator<Item = Found<'d, 'l>> + Clone,
    is_distribution: bool,
) -> Result<Option<Decision<'d, 'l>>, DatabaseError> {
    let stands_alone = |claim: &Found<'_, '_>| !claim.candidate.is_notice() && !claim.candidate.is_withdrawn();
    let has_own_record = is_distribution && claims.clone().any(|claim| stands_alone(&claim));
    // What a record says of the package itself is nearer than what it says of its source.
    let is_nearest = |claim: &Found<'_, '_>| {
        claim.candidate.names() == Names::Binary
            || !claims.clone().any(|other| {
                other.candidate.names() == Names::Binary
                    && other.candidate.record_place() == claim.candidate.record_place()
            })
    };
    let mut decisions: Vec<Decision<'d, 'l>> = Vec::new();
    for claim in claims.clone().filter(|claim| (!has_own_record || stands_alone(claim)) && is_nearest(claim)) {
        decisions.push(Decision { found: claim, judgement: judge(&claim.candidate, &claim.lookup.installed)? });
    }
    if is_distribution && decisions.len() > 1 {
        drop_later_fixes(&mut decisions)?;
    }
    let better = |best: Decision<'d, 'l>, next: Decision<'d, 'l>| {
        if next.judgement.beats(&best.judgement) { next } else { best }
    };
    Ok(decisions.into_iter().reduce(better))
}

/// A distributor that says in one record from which version it fixed something, and in another names a later version that
/// has the fix (Ubuntu's VEX names the newest there is), means the first.
fn drop_later_fixes(decisions: &mut Vec<Decision<'_, '_>>) -> Result<(), DatabaseError> {
    let mut fixed_by = Vec::new();
    for decision in &*decisions {
        if matches!(decision.judgement.why, Why::Outside) && is_behind_a_fix(decision)? {
            fixed_by.push(decision.claim().source()?);
        }
    }
    if fixed_by.is_empty() {
        return Ok(());
    }
    let mut kept = Vec::new();
    for decision in decisions.drain(..) {
        if decision.judgement.fixed.is_none() || !fixed_by.contains(&decision.claim().source()?) {
            kept.push(decision);
        }
    }
    *decisions = kept;
    Ok(())
}

fn is_behind_a_fix(decision: &Decision<'_, '_>) -> Result<bool, DatabaseError> {
    let Some(key) = decision.installed().key() else {
        return Ok(false);
    };
    for range in decision.claim().ranges()? {
        if let CandidateRange::Interval { end: End::Fixed(fix), .. } = range?
            && fix.key <= key
        {
            return Ok(true);
        }
    }
    Ok(false)
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
    match claim.state() {
        Some(state @ VendorState::NotAffected) => return Ok(answer(Status::NotAffected, Why::VendorSays(state))),
        Some(state @ VendorState::UnderInvestigation) => {
            return Ok(answer(Status::Undetermined, Why::VendorSays(state)));
        }
        _ => {}
    }
    let mut inside: Option<CandidateRange<'a>> = None;
    let mut fixes: Vec<(Bound<'a>, CandidateRange<'a>)> = Vec::new();
    let mut unreadable = None;
    let mut names_versions = false;
    for range in claim.ranges()? {
        let range = range?;
        names_versions = true;
        if let CandidateRange::Unreadable(why) = range {
            unreadable = Some(why);
        } else if holds(&range, installed)? {
            inside.get_or_insert(range);
            if let CandidateRange::Interval { end: End::Fixed(fix), .. } = range {
                fixes.push((fix, range));
            }
        }
    }
    let fixed = lowest_good(claim, fixes)?;
    if let Some((_, range)) = fixed {
        inside = Some(range);
    }
    let fixed = fixed.map(|(fix, _)| fix);
    Ok(match (inside, unreadable) {
        (Some(range), _) => Judgement { status: Status::Affected, why: Why::Inside(range), fixed },
        (None, _) if !names_versions => match claim.state() {
            Some(state) if state != VendorState::Fixed => answer(Status::Affected, Why::VendorSays(state)),
            _ => answer(Status::Undetermined, Why::NoVersions),
        },
        (None, _) if installed.key.is_err() => answer(Status::Undetermined, Why::VersionUnreadable),
        (None, Some(why)) => answer(Status::Undetermined, Why::RangeUnreadable(why)),
        (None, None) => answer(Status::NotAffected, Why::Outside),
    })
}

/// The lowest fix that no range of the claim holds, with the range that it ends: what one range ends with may be affected by
/// the next.
fn lowest_good<'a>(
    claim: &Candidate<'a>,
    mut fixes: Vec<(Bound<'a>, CandidateRange<'a>)>,
) -> Result<Option<(Bound<'a>, CandidateRange<'a>)>, DatabaseError> {
    fixes.sort_by_key(|(fix, _)| fix.key);
    for (fix, range) in fixes {
        let mut is_good = true;
        for other in claim.ranges()? {
            if let CandidateRange::Interval { introduced, end } = other? {
                is_good &= introduced.is_some_and(|bound| bound.key > fix.key) || !before(fix.key, &end);
            }
        }
        if is_good {
            return Ok(Some((fix, range)));
        }
    }
    Ok(None)
}

fn holds(range: &CandidateRange<'_>, installed: &Installed<'_>) -> Result<bool, DatabaseError> {
    match (range, installed.key()) {
        // Every version there is, read or not.
        (CandidateRange::Interval { introduced: None, end: End::Open }, _) => Ok(true),
        (CandidateRange::Interval { introduced, end }, Some(key)) => Ok(introduced
            .is_none_or(|introduced| introduced.key <= key)
            && before(key, end)
            && is_comparable(end, installed)?),
        (CandidateRange::Listed { key: Some(listed), .. }, Some(key)) => Ok(*listed == key),
        (CandidateRange::Listed { version, .. }, _) => Ok(version.read()? == installed.raw),
        (CandidateRange::Interval { .. } | CandidateRange::Unreadable(_), _) => Ok(false),
    }
}

/// Whether the end is of the installed version's line of builds.
fn is_comparable(end: &End<'_>, installed: &Installed<'_>) -> Result<bool, DatabaseError> {
    match end {
        End::Fixed(bound) if installed.scheme == Scheme::Rpm => {
            Ok(is_same_build(installed.scheme, installed.raw, bound.text.read()?))
        }
        _ => Ok(true),
    }
}

fn before(key: &[u8], end: &End<'_>) -> bool {
    match end {
        End::Open => true,
        End::Fixed(bound) | End::Limit(bound) => key < bound.key,
        End::LastAffected(bound) => key <= bound.key,
    }
}
