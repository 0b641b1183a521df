//! Maven's ranges in brackets, as `VersionRange.createFromVersionSpec` reads them (maven.apache.org/pom.html,
//! "Dependency Version Requirement Specification"): `[1.0,2.0)`, `(,1.0]`, `[1.0]`, several behind commas, in order and
//! apart.
//!
//! A bare version is a wish that any other may overrule, no range: refused, rather than taken for every version.

use super::intervals::{Cut, Intervals};
use super::{ALTERNATIVES_MAX, Fault};
use crate::Scheme;

pub(super) fn read(raw: &str) -> Result<Intervals, Fault> {
    let mut union = Vec::new();
    let mut last: Option<Cut> = None;
    let mut rest = raw.trim();
    while !rest.is_empty() {
        let end = rest.find([')', ']']).filter(|_| rest.starts_with(['(', '[']));
        let end = end.ok_or_else(|| Fault::new(rest, "it is not a range in brackets"))?;
        let (piece, behind) = rest.split_at(end + 1);
        let (low, high) = bracket(piece, Scheme::Maven)?;
        if last.is_some_and(|last| version(&low) < version(&last)) {
            return Err(Fault::new(piece, "it overlaps the range before, or stands before it"));
        }
        last = Some(high.clone()).filter(|high| *high != Cut::Highest); // what stands behind no end is not looked at
        union.push(Intervals::between(low, high));
        if union.len() > ALTERNATIVES_MAX {
            return Err(Fault::new(piece, "the range has more than 1000 alternatives"));
        }
        let behind = behind.trim_start();
        rest = match behind.strip_prefix(',').map(str::trim_start) {
            Some("") => return Err(Fault::new(behind, "no range stands behind it")),
            behind_comma => behind_comma.unwrap_or(behind),
        };
    }
    match union.is_empty() {
        true => Err(Fault::new(raw, "it is empty")),
        false => Ok(Intervals::union(union)),
    }
}

/// The key at a cut: `(,1.0],[1.0,)` overlaps, but Maven takes it.
fn version(cut: &Cut) -> &[u8] {
    match cut {
        Cut::At { bytes, .. } => bytes,
        Cut::Lowest | Cut::Highest => &[],
    }
}

/// `[1.0,2.0)`, with its brackets, as the cuts at its ends.
pub(super) fn bracket(piece: &str, scheme: Scheme) -> Result<(Cut, Cut), Fault> {
    let fault = |why| Fault::new(piece, why);
    let (takes_low, takes_high) = (piece.starts_with('['), piece.ends_with(']'));
    let inside = piece[1..piece.len() - 1].trim();
    let Some((low, high)) = inside.split_once(',') else {
        if !(takes_low && takes_high) {
            return Err(fault("a single version stands in square brackets"));
        }
        let key = scheme.bytes(inside).map_err(|malformed| fault(malformed.why))?;
        return Ok((Cut::before(key.clone()), Cut::after(key)));
    };
    let key = |version: &str| match version.trim() {
        "" => Ok(None),
        version => scheme.bytes(version).map(Some).map_err(|malformed| fault(malformed.why)),
    };
    let (low, high) = (key(low)?, key(high)?);
    if let (Some(low), Some(high)) = (&low, &high)
        && (low > high || (low == high && !(takes_low && takes_high)))
    {
        return Err(fault("its end is not behind its start"));
    }
    let low = low.map_or(Cut::Lowest, |key| if takes_low { Cut::before(key) } else { Cut::after(key) });
    let high = high.map_or(Cut::Highest, |key| if takes_high { Cut::after(key) } else { Cut::before(key) });
    Ok((low, high))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Maven.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn brackets_take_or_leave_their_ends() {
        check("[1.0,2.0)", &["1.0", "1.9", "2.0-SNAPSHOT"], &["2.0", "1.0-rc1"]); // Maven's own surprise
        check("(1.0,2.0]", &["1.0.1", "2.0.0.Final"], &["1.0", "2.0.1"]);
        check("(,1.0]", &["0.1", "1.0"], &["1.0.1"]);
        check("[1.5,)", &["1.5", "99"], &["1.4"]);
        check("[1.0]", &["1.0", "1"], &["1.0.1"]);
        check("(,)", &["1.0"], &[]);
    }

    #[test]
    fn several_brackets_are_united() {
        check("(,1.0],[1.2,)", &["1.0", "1.2"], &["1.1"]);
        check("[2.0,2.12.3),[2.13.0,2.15.0)", &["2.0", "2.14.1"], &["2.12.3", "2.15.0"]); // Log4j
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for range in [
            "",
            "1.0",
            "(1.0)",
            "[1.0,1.0)",
            "[2,1]",
            "[1,2],[1.5,3]",
            "[3,4],[1,2]",
            "[1,2),3",
            "[1.0,",
            "[1,2,3]",
            "[1,2)x",
            "[1,2),",
        ] {
            assert!(Scheme::Maven.range(range).is_err(), "`{range}`");
        }
    }
}
