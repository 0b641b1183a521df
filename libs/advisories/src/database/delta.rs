//! What changed from one database to the next: which packages must be judged again.

use super::layout::{ClaimRow, EcosystemRow, PackageRow, Section, VulnerabilityRow};
use super::{Database, DatabaseError, PackageName, facts};
use crate::feed::WORD_BYTES_MAX;
use std::cmp::Ordering;

/// Above so many names it is cheaper to judge everything again.
pub const NAMES_MAX: usize = 100_000;

/// A prediction that moves by less changes no decision (the score is a probability from 0 to 1).
const EPSS_STEP: f64 = 0.01;

/// What changed. Descriptions and links don't count: they change daily and judge nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// (Ecosystem, normalised name) of packages whose advisories, ratings, known exploits or predictions changed, sorted.
    /// Empty when `everything`.
    pub touched: Vec<(String, String)>,
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

fn touched(old: &Database, new: &Database) -> Result<Option<Vec<(String, String)>>, DatabaseError> {
    if ecosystems(old)? != ecosystems(new)? {
        return Ok(None);
    }
    let mut touched = Vec::new();
    let (mut olds, mut news) = (packages(old).peekable(), packages(new).peekable());
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => return Ok(Some(touched)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => old.package_name(a)?.cmp(&new.package_name(b)?),
        };
        let name = match order {
            Ordering::Less => olds.next().map(|row| (old, row)),
            Ordering::Greater => news.next().map(|row| (new, row)),
            Ordering::Equal => match (olds.next(), news.next()) {
                (Some(a), Some(b)) if differs(old, a, new, b)? => Some((new, b)),
                _ => None,
            },
        };
        if let Some((database, row)) = name {
            if touched.len() == NAMES_MAX {
                return Ok(None);
            }
            let PackageName { ecosystem, name } = owned_name(database, row)?;
            touched.push((ecosystem, name));
        }
    }
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

fn differs(old: &Database, a: &PackageRow, new: &Database, b: &PackageRow) -> Result<bool, DatabaseError> {
    if a.fingerprint != b.fingerprint {
        return Ok(true);
    }
    // Equal fingerprints have equal claims in the same order.
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
