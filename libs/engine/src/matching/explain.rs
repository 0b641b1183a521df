//! A decision in words: the range that decided and one sentence for a person.

use super::judge::{Decision, Installed, Why};
use muster_advisories::{CandidateRange, DatabaseError, End};
use muster_domain::{Channel, MatchedRange, VendorState};
use muster_versions::VersionKey;

/// The range that holds, or the nearest one that doesn't.
pub(super) fn range(decision: &Decision<'_, '_>) -> Result<Option<MatchedRange>, DatabaseError> {
    match decision.judgement.why {
        Why::Inside(range) => matched(&range).map(Some),
        Why::Outside => nearest(decision, decision.installed())?.map(|range| matched(&range)).transpose(),
        Why::OtherBranch(_) => nearest(decision, decision.installed())?.map(|range| matched(&range)).transpose(),
        Why::Withdrawn
        | Why::CveRejected
        | Why::OtherPlatform
        | Why::VendorSays(_)
        | Why::VersionUnreadable
        | Why::RangeUnreadable(_)
        | Why::NoVersions => Ok(None),
    }
}

/// Why the decision is what it is, with what the vendor adds.
pub(super) fn reason(decision: &Decision<'_, '_>) -> Result<String, DatabaseError> {
    let mut reason = bare_reason(decision, decision.installed())?;
    let remark = decision.claim().remark()?.map(|remark| format!(" ({remark})")).unwrap_or_default();
    let question = &decision.found.lookup.question;
    if question.channel == Channel::UpdateStream {
        reason = format!("by {}, for which it was built: {reason}", question.ecosystem);
    }
    if let Why::VendorSays(_) = decision.judgement.why {
        return Ok(format!("{reason}{remark}"));
    }
    match decision.claim().state() {
        Some(state) if state != VendorState::Fixed => {
            reason.push_str(&format!("; the vendor says: {}{remark}", state.as_str()));
        }
        _ => {}
    }
    if question.channel == Channel::Subscription && decision.judgement.fixed.is_some() {
        reason.push_str("; the fix comes with Ubuntu Pro");
    }
    Ok(reason)
}

fn bare_reason(decision: &Decision<'_, '_>, installed: &Installed<'_>) -> Result<String, DatabaseError> {
    let raw = installed.raw;
    Ok(match decision.judgement.why {
        Why::Withdrawn => {
            format!("the advisory was withdrawn on {}", decision.claim().withdrawn()?.unwrap_or_default())
        }
        Why::CveRejected => {
            let at = decision.claim().rejected()?.map(|at| format!(" on {at}")).unwrap_or_default();
            format!("the CVE program rejected it{at}, and its record here names no fix")
        }
        Why::OtherPlatform => {
            let platforms: Vec<&str> = decision.claim().architectures()?.collect();
            format!("it is vulnerable on other platforms only ({})", platforms.join(", "))
        }
        Why::OtherBranch(fix) => format!(
            "{raw} was built for an earlier minor release than the fix {}, so that their order tells nothing, and no update stream's \
             own fix is known",
            fix.text.read()?
        ),
        Why::VendorSays(state) => format!("the vendor says: {}", state.as_str()),
        Why::Inside(range) => inside(raw, &range)?,
        Why::Outside => match nearest(decision, installed)? {
            Some(range) => outside(raw, &range, installed)?,
            None => format!("{raw} is none of the affected versions"),
        },
        Why::VersionUnreadable => match &installed.key {
            Err(malformed) => format!("the installed version can't be compared: {malformed}"),
            Ok(_) => "the installed version can't be compared".to_owned(),
        },
        Why::RangeUnreadable(why) => {
            format!("the advisory's range can't be compared: {}", why.read()?)
        }
        Why::NoVersions => "the advisory names no versions that could be compared".to_owned(),
    })
}

fn inside(raw: &str, range: &CandidateRange<'_>) -> Result<String, DatabaseError> {
    let CandidateRange::Interval { introduced, end } = range else {
        return Ok(format!("{raw} is listed as affected"));
    };
    let from = match introduced {
        Some(bound) => format!(" and not before {}, the first affected version", bound.text.read()?),
        None => String::new(),
    };
    Ok(match end {
        End::Fixed(bound) => format!("{raw} is before the fix {}{from}", bound.text.read()?),
        End::LastAffected(bound) => {
            format!("{raw} is not after {}, the last affected version{from}", bound.text.read()?)
        }
        End::Limit(bound) => format!("{raw} is before {}, up to which the advisory looked{from}", bound.text.read()?),
        End::Open => match introduced {
            Some(bound) => {
                format!("{raw} is not before {}, the first affected version, and no fix is known", bound.text.read()?)
            }
            None => "every version is affected, no fix is known".to_owned(),
        },
    })
}

fn outside(raw: &str, range: &CandidateRange<'_>, installed: &Installed<'_>) -> Result<String, DatabaseError> {
    let CandidateRange::Interval { introduced, end } = range else {
        return Ok(format!("{raw} is none of the affected versions"));
    };
    if let (Some(bound), Ok(key)) = (introduced, &installed.key)
        && key.as_bytes() < bound.key
    {
        return Ok(format!("{raw} is before {}, the first affected version", bound.text.read()?));
    }
    Ok(match end {
        End::Fixed(bound) => format!("{raw} is not before the fix {}", bound.text.read()?),
        End::LastAffected(bound) => format!("{raw} is after {}, the last affected version", bound.text.read()?),
        End::Limit(bound) => format!("{raw} is not before {}, up to which the advisory looked", bound.text.read()?),
        End::Open => format!("{raw} is none of the affected versions"),
    })
}

/// The last interval that ends before the installed version, else the first one that begins after it. A claim's
/// intervals are sorted.
fn nearest<'a>(
    decision: &Decision<'a, '_>,
    installed: &Installed<'_>,
) -> Result<Option<CandidateRange<'a>>, DatabaseError> {
    let Some(key) = installed.key.as_ref().ok().map(VersionKey::as_bytes) else {
        return Ok(None);
    };
    let mut nearest = None;
    for range in decision.claim().ranges()? {
        let range = range?;
        let CandidateRange::Interval { introduced, .. } = range else {
            continue;
        };
        let begins_after = introduced.is_some_and(|bound| bound.key > key);
        if !begins_after {
            nearest = Some(range);
        } else if nearest.is_none() {
            return Ok(Some(range));
        }
    }
    Ok(nearest)
}

fn matched(range: &CandidateRange<'_>) -> Result<MatchedRange, DatabaseError> {
    let mut matched = MatchedRange::default();
    match range {
        CandidateRange::Interval { introduced, end } => {
            matched.introduced = introduced.map(|bound| bound.text.read().map(str::to_owned)).transpose()?;
            match end {
                End::Fixed(bound) => matched.fixed = Some(bound.text.read()?.to_owned()),
                End::LastAffected(bound) => matched.last_affected = Some(bound.text.read()?.to_owned()),
                End::Open | End::Limit(_) => {}
            }
        }
        CandidateRange::Listed { version, .. } => {
            matched.introduced = Some(version.read()?.to_owned());
            matched.last_affected.clone_from(&matched.introduced);
        }
        CandidateRange::Unreadable(_) => {}
    }
    Ok(matched)
}
