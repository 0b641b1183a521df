//! What changed from one database to the next: which versions of which packages must be judged again.

use super::layout::{ClaimRow, EcosystemRow, PackageRow, Section, VulnerabilityRow};
use super::{Candidate, CandidateRange, Database, DatabaseError, End, PackageName, facts};
use crate::feed::WORD_BYTES_MAX;
use muster_domain::Touched;
use sha2::{Digest as _, Sha256};
use std::cmp::Ordering;
use std::collections::HashMap;

/// Above so many names it is cheaper to judge everything again.
pub const NAMES_MAX: usize = 100_000;

/// A prediction that moves by less changes no decision (the score is a probability from 0 to 1).
const EPSS_STEP: f64 = 0.01;

/// What changed. Descriptions and links don't count: they change daily and judge nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Packages whose advisories, ratings, known exploits or predictions changed, and the versions that the changed claims
    /// are about, sorted. Empty when `everything`.
    pub touched: Vec<Touched>,
    /// Too much changed to name it, or an ecosystem came or went (then "no advisory" means something else for
    /// each of its packages).
    pub everything: bool,
}

/// What changed from `old` to `new`. A file that is damaged gives `everything`.
pub fn delta(old: &Database, new: &Database) -> Delta {
    match touched(old, new) {
        Ok(Some(touched)) => Delta { touched, everything: false },
        Ok(None) | Err(_) => Delta { touched: Vec::new(), everything: true },
    }
}

fn touched(old: &Database, new: &Database) -> Result<Option<Vec<Touched>>, DatabaseError> {
    if ecosystems(old)? != ecosystems(new)? {
        return Ok(None);
    }
    let mut touched = Vec::new();
    for pair in pairs(old, new) {
        let (before, after) = pair?;
        let Some(Versions { from, to }) = changed(old, before, new, after)? else {
            continue;
        };
        if touched.len() == NAMES_MAX {
            return Ok(None);
        }
        let name = after.map(|row| owned_name(new, row)).or(before.map(|row| owned_name(old, row)));
        let PackageName { ecosystem, name } = name.expect("one of the two is there")?;
        touched.push(Touched { ecosystem, name, from, to });
    }
    Ok(Some(touched))
}

/// A package in the old and in the new database; one of the two is there.
pub(super) type Pair<'a> = (Option<&'a PackageRow>, Option<&'a PackageRow>);

/// Each package of either database once, in the order of their names.
pub(super) fn pairs<'a>(
    old: &'a Database,
    new: &'a Database,
) -> impl Iterator<Item = Result<Pair<'a>, DatabaseError>> + 'a {
    let (mut olds, mut news) = (packages(old).peekable(), packages(new).peekable());
    std::iter::from_fn(move || {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => match (old.package_name(a), new.package_name(b)) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Err(damaged), _) | (_, Err(damaged)) => return Some(Err(damaged)),
            },
        };
        Some(Ok(match order {
            Ordering::Less => (olds.next(), None),
            Ordering::Greater => (None, news.next()),
            Ordering::Equal => (olds.next(), news.next()),
        }))
    })
}

/// The versions whose answers may differ; `None`: no answer differs.
fn changed(
    old: &Database,
    before: Option<&PackageRow>,
    new: &Database,
    after: Option<&PackageRow>,
) -> Result<Option<Versions>, DatabaseError> {
    if let (Some(before), Some(after)) = (before, after)
        && before.fingerprint == after.fingerprint
        && !has_moved_predictions(old, before, new, after)?
    {
        return Ok(None);
    }
    let (olds, news) = (claims(old, before)?, claims(new, after)?);
    let gone = olds.iter().filter(|(print, _)| !news.contains_key(*print));
    let come = news.iter().filter(|(print, _)| !olds.contains_key(*print));
    // Without any only the order of claims changed: the answers are the same.
    Ok(gone.chain(come).map(|(_, versions)| versions.clone()).reduce(|all, one| all.and(&one)))
}

/// From a version (inclusive, empty: the first) to another (exclusive, empty: none).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Versions {
    const ALL: Self = Self { from: Vec::new(), to: Vec::new() };

    /// The least that holds both.
    fn and(self, other: &Self) -> Self {
        let to = if self.to.is_empty() || other.to.is_empty() { Vec::new() } else { self.to.max(other.to.clone()) };
        Self { from: self.from.min(other.from.clone()), to }
    }
}

/// A package's claims by a digest of everything that they say, with the versions that each speaks of.
fn claims(database: &Database, package: Option<&PackageRow>) -> Result<HashMap<[u8; 32], Versions>, DatabaseError> {
    let Some(package) = package else {
        return Ok(HashMap::new());
    };
    let rows: &[ClaimRow] = database.slice(Section::Claims, package.claims_from.get(), package.claims.get())?;
    rows.iter().map(|row| claim(Candidate::of(database, row))).collect()
}

/// A claim's digest, and the versions that it speaks of.
pub(super) fn claim(claim: Candidate<'_>) -> Result<([u8; 32], Versions), DatabaseError> {
    let mut print = Sha256::new();
    let vulnerability = claim.vulnerability()?;
    let architectures: Vec<&str> = claim.architectures()?.collect();
    let words =
        (claim.advisory()?, claim.source()?, claim.withdrawn()?, claim.vendor()?, claim.module()?, claim.remark()?);
    let states =
        (claim.names(), claim.state(), claim.score(), claim.severity(), claim.is_notice(), claim.is_rejected());
    print.update(format!("{vulnerability:?} {words:?} {states:?} {architectures:?}"));
    let row = claim.vulnerability_row()?;
    let prediction = facts::epss(row).map(|epss| (epss.score / EPSS_STEP).round());
    print.update(format!("{} {prediction:?}", row.print.get()));
    let mut versions: Option<Versions> = None;
    for range in claim.ranges()? {
        let span = span(&range?, &mut print)?;
        versions = Some(versions.map_or(span.clone(), |versions| versions.and(&span)));
    }
    // A claim without ranges is about every version.
    Ok((print.finalize().into(), versions.unwrap_or(Versions::ALL)))
}

/// The versions that a range holds, one that can't be read holding all.
fn span(range: &CandidateRange<'_>, print: &mut Sha256) -> Result<Versions, DatabaseError> {
    let behind = |key: &[u8]| [key, &[0]].concat(); // the least key that is greater
    Ok(match range {
        CandidateRange::Interval { introduced, end } => {
            let from = introduced.map_or(Vec::new(), |bound| bound.key.to_vec());
            let (kind, to) = match end {
                End::Open => (0, Vec::new()),
                End::Fixed(bound) => (1, bound.key.to_vec()),
                End::LastAffected(bound) => (2, behind(bound.key)),
                End::Limit(bound) => (3, bound.key.to_vec()),
            };
            print.update(format!("{kind} {from:?} {to:?}"));
            Versions { from, to }
        }
        CandidateRange::Listed { version, key } => {
            print.update(version.read()?);
            key.map_or(Versions::ALL, |key| Versions { from: key.to_vec(), to: behind(key) })
        }
        CandidateRange::Unreadable(why) => {
            print.update(why.read()?);
            Versions::ALL
        }
    })
}

fn packages(database: &Database) -> std::slice::Iter<'_, PackageRow> {
    database.table(Section::Packages).iter()
}

fn ecosystems(database: &Database) -> Result<Vec<&str>, DatabaseError> {
    database.table::<EcosystemRow>(Section::Ecosystems).iter().map(|row| database.text(row.name.get())).collect()
}

fn owned_name(database: &Database, row: &PackageRow) -> Result<PackageName, DatabaseError> {
    let (ecosystem, name) = database.package_name(row)?;
    if ecosystem.len().max(name.len()) > WORD_BYTES_MAX {
        return Err(DatabaseError::Damaged("a package name is too long"));
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(PackageName { ecosystem: text(ecosystem), name: text(name) })
}

/// Equal fingerprints have equal claims in the same order.
fn has_moved_predictions(
    old: &Database,
    a: &PackageRow,
    new: &Database,
    b: &PackageRow,
) -> Result<bool, DatabaseError> {
    let old_claims: &[ClaimRow] = old.slice(Section::Claims, a.claims_from.get(), a.claims.get())?;
    let new_claims: &[ClaimRow] = new.slice(Section::Claims, b.claims_from.get(), b.claims.get())?;
    for (a, b) in old_claims.iter().zip(new_claims) {
        let a: &VulnerabilityRow = old.row(Section::Vulnerabilities, a.vulnerability.get())?;
        let b: &VulnerabilityRow = new.row(Section::Vulnerabilities, b.vulnerability.get())?;
        if has_moved(facts::epss(a), facts::epss(b)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_moved(old: Option<muster_domain::Epss>, new: Option<muster_domain::Epss>) -> bool {
    match (old, new) {
        (None, None) => false,
        // Tiny slack, so that 0.02 -> 0.03 counts although their difference in binary is just below 0.01.
        (Some(old), Some(new)) => (old.score - new.score).abs() >= EPSS_STEP - 1e-9,
        _ => true,
    }
}
