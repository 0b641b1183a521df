//! One claim against one version, and several claims about one vulnerability against each other. Nothing is written
//! down here: an answer borrows what decided it, and `explain` puts it into words when it is wanted.

use super::lookup::{Found, is_same_build};
use muster_advisories::{Bound, Candidate, CandidateRange, DatabaseError, End, Text};
use muster_domain::{Channel, Names, Status, VendorState, red_hat_release};
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
    /// The CVE program rejected the CVE, and the record says nothing beyond it.
    CveRejected,
    /// The record is about other platforms.
    OtherPlatform,
    /// No range holds.
    Outside,
    /// No range holds, but the fix was built for a later minor release than the installed version, so that their order tells nothing.
    OtherBranch(Bound<'a>),
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

/// The decision among claims about one vulnerability (its rule stands above `matching`). None without claims. `is_on_stream` tells of
/// the minor release that the installed version was built for whether the system stays on it.
pub(super) fn decide<'d, 'l>(
    claims: &[Found<'d, 'l>],
    is_distribution: bool,
    is_on_stream: impl Fn(&Installed<'_>) -> bool,
) -> Result<Option<Decision<'d, 'l>>, DatabaseError> {
    if let Some(decision) = elsewhere(claims)? {
        return Ok(Some(decision));
    }
    let of = |channel| claims.iter().filter(move |claim| claim.lookup.question.channel == channel).copied();
    let plain = best(of(Channel::Release), is_distribution)?;
    let extended = best(of(Channel::Subscription), is_distribution)?;
    let main = match (plain, extended) {
        // What the subscription alone fixes is told as a fix, and counts as one where it is installed.
        (Some(plain), Some(extended)) if plain.judgement.status != Status::NotAffected => {
            let is_fixed = extended.judgement.status == Status::NotAffected;
            let tells_fix = plain.judgement.fixed.is_none() && extended.judgement.fixed.is_some();
            Some(if is_fixed || tells_fix { extended } else { plain })
        }
        (plain, extended) => plain.or(extended),
    };
    match (main, of_stream(of(Channel::UpdateStream))?) {
        (Some(main), Some(stream)) => Ok(Some(of_two(main, stream, is_on_stream(main.installed())))),
        (Some(main), None) => of_later_branch(main).map(Some),
        (None, stream) => Ok(stream),
    }
}

/// Go's vulnerability database alone says on which platforms something is vulnerable: where it says "not on this one", that holds
/// against records of others about the same vulnerability, which know of versions only.
fn elsewhere<'d, 'l>(claims: &[Found<'d, 'l>]) -> Result<Option<Decision<'d, 'l>>, DatabaseError> {
    let Some(found) = claims.iter().find(|claim| claim.is_elsewhere) else {
        return Ok(None);
    };
    for other in claims.iter().filter(|claim| !claim.is_elsewhere) {
        if other.candidate.source()? == found.candidate.source()? {
            return Ok(None);
        }
    }
    Ok(Some(Decision { found: *found, judgement: judge(found)? }))
}

/// What the update streams of a minor release say. They share their builds, so what one of them fixed is fixed.
fn of_stream<'d, 'l>(
    claims: impl Iterator<Item = Found<'d, 'l>> + Clone,
) -> Result<Option<Decision<'d, 'l>>, DatabaseError> {
    for found in claims.clone() {
        let decision = Decision { found, judgement: judge(&found)? };
        if matches!(decision.judgement.why, Why::Outside) && is_behind_a_fix(&decision)? {
            return Ok(Some(decision));
        }
    }
    best(claims, true)
}

/// The word of a release against that of the update stream that the installed version was built for. Its builds have an order
/// against the stream's fix, and none that can be relied on against a fix for a later minor release.
fn of_two<'d, 'l>(main: Decision<'d, 'l>, stream: Decision<'d, 'l>, is_on_stream: bool) -> Decision<'d, 'l> {
    match (stream.judgement.status, main.judgement.status) {
        (Status::NotAffected, _) if matches!(stream.judgement.why, Why::Outside | Why::VendorSays(_)) => stream,
        (Status::Affected, Status::Affected) if is_on_stream && stream.judgement.fixed.is_some() => stream,
        (Status::Affected, Status::NotAffected | Status::Undetermined) => stream,
        _ => main,
    }
}

/// Where no update stream's fix is known, a version that seems to be behind the fix is not told to be good when it was built for an
/// earlier minor release than all fixes at or before it: two branches count their builds on their own.
fn of_later_branch<'d, 'l>(main: Decision<'d, 'l>) -> Result<Decision<'d, 'l>, DatabaseError> {
    let (installed, question) = (main.installed(), &main.found.lookup.question);
    let own = red_hat_release(installed.raw).filter(|_| question.ecosystem.starts_with("Red Hat:"));
    let (Some(own), Why::Outside, Some(key)) = (own, main.judgement.why, installed.key()) else {
        return Ok(main);
    };
    let mut later = None;
    for range in main.claim().ranges()? {
        if let CandidateRange::Interval { end: End::Fixed(fix), .. } = range?
            && fix.key <= key
        {
            match red_hat_release(fix.text.read()?) {
                Some(built_for) if built_for.0 == own.0 && built_for.1 > own.1 => later = Some(fix),
                _ => return Ok(main),
            }
        }
    }
    Ok(match later {
        Some(fix) => Decision {
            judgement: Judgement { status: Status::Undetermined, why: Why::OtherBranch(fix), fixed: None },
            ..main
        },
        None => main,
    })
}

fn best<'d, 'l>(
    claims: impl Iterator<Item = Found<'d, 'l>> + Clone,
    is_distribution: bool,
) -> Result<Option<Decision<'d, 'l>>, DatabaseError> {
    let stands_alone = |claim: &Found<'_, '_>| {
        let candidate = &claim.candidate;
        !candidate.is_notice() && !candidate.is_withdrawn() && !candidate.is_rejected()
    };
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
        decisions.push(Decision { found: claim, judgement: judge(&claim)? });
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
            // A record that stands says more than one that was taken back or whose CVE was rejected.
            (None, None) => standing(&self.why) > standing(&other.why),
            (None, Some(_)) => false,
        }
    }
}

/// How much of what a record says still stands.
fn standing(why: &Why<'_>) -> u8 {
    match why {
        Why::Withdrawn => 0,
        Why::CveRejected => 1,
        _ => 2,
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

fn judge<'a>(found: &Found<'a, '_>) -> Result<Judgement<'a>, DatabaseError> {
    let (claim, installed) = (&found.candidate, &found.lookup.installed);
    let answer = |status, why| Judgement { status, why, fixed: None };
    if claim.is_withdrawn() {
        return Ok(answer(Status::NotAffected, Why::Withdrawn));
    }
    if claim.is_rejected() {
        return Ok(answer(Status::NotAffected, Why::CveRejected));
    }
    if found.is_elsewhere {
        return Ok(answer(Status::NotAffected, Why::OtherPlatform));
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
