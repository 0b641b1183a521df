//! `muster db search`: what a database says of a name.

use anyhow::{Context, Result};
use muster_advisories::{Candidate, CandidateRange, Database, DatabaseError, End, PackageName};
use std::{fmt::Write as _, path::Path};

/// Advisories of a package that is called exactly as asked for, at most.
const CLAIMS_MAX: usize = 200;

pub fn run(file: &Path, word: &str, most: usize) -> Result<String> {
    let database = Database::open(file).with_context(|| format!("open {}", file.display()))?;
    let found = database.search(word, most)?;
    let mut text = String::new();
    let asked = database.vulnerability_named(word)?.or(database.vulnerability_named(&word.to_uppercase())?);
    for name in &found.vulnerabilities {
        vulnerability(&database, name, &mut text)?;
        if asked.as_ref() == Some(name) {
            packages(&database, name, &mut text)?;
        }
    }
    for package in &found.packages {
        writeln!(text, "{}\t{}", package.ecosystem, package.name)?;
        if package.name.eq_ignore_ascii_case(word) {
            claims(&database, package, &mut text)?;
        }
    }
    anyhow::ensure!(!text.is_empty(), "nothing in {} is called `{word}`", file.display());
    Ok(text)
}

/// A line of names, then what is known, each with who says it.
fn vulnerability(database: &Database, name: &str, text: &mut String) -> Result<()> {
    let Some(facts) = database.facts(name)? else {
        return Ok(());
    };
    writeln!(text, "{}", [vec![facts.id], facts.aliases].concat().join(" "))?;
    if let Some(line) = facts.description.lines().next() {
        writeln!(text, "  {line}")?;
    }
    for vector in &facts.severity {
        writeln!(text, "  {}: {}", vector.source, vector.vector)?;
    }
    for word in &facts.vendor_words {
        writeln!(text, "  {}: {}", word.source, word.severity)?;
    }
    if let Some(known) = &facts.known_exploited {
        writeln!(text, "  known to be exploited since {}", known.date_added)?;
    }
    if let Some(epss) = &facts.epss {
        writeln!(text, "  EPSS {:.5}, percentile {:.5}", epss.score, epss.percentile)?;
    }
    for exploit in &facts.exploits {
        writeln!(text, "  exploit: {} {}", exploit.source, exploit.id)?;
    }
    Ok(())
}

/// The packages that advisories of a vulnerability name, with what they say of each.
fn packages(database: &Database, vulnerability: &str, text: &mut String) -> Result<()> {
    let mut left = CLAIMS_MAX;
    for package in database.packages_of(vulnerability)? {
        for claim in database.candidates(&package.ecosystem, &package.name) {
            let claim = claim?;
            if claim.vulnerability()? != vulnerability {
                continue;
            }
            if left == 0 {
                writeln!(text, "  and more packages")?;
                return Ok(());
            }
            left -= 1;
            let PackageName { ecosystem, name } = &package;
            writeln!(text, "  {ecosystem}\t{name}\t{}\t{}", claim.advisory()?, said(&claim)?)?;
        }
    }
    Ok(())
}

fn claims(database: &Database, package: &PackageName, text: &mut String) -> Result<()> {
    for claim in database.candidates(&package.ecosystem, &package.name).take(CLAIMS_MAX) {
        let claim = claim?;
        writeln!(text, "  {}\t{}\t{}", claim.vulnerability()?, claim.advisory()?, said(&claim)?)?;
    }
    Ok(())
}

/// Affected versions, the vendor's state, and whether it stands.
fn said(claim: &Candidate<'_>) -> Result<String, DatabaseError> {
    let ranges = claim.ranges()?.map(|range| shown(&range?)).collect::<Result<Vec<_>, DatabaseError>>()?;
    let state = claim.state().map(|state| state.as_str().to_owned());
    let withdrawn = claim.withdrawn()?.map(|at| format!("withdrawn {at}"));
    let rejected = claim.is_rejected().then(|| "CVE rejected".to_owned());
    Ok(ranges.into_iter().chain(state).chain(withdrawn).chain(rejected).collect::<Vec<_>>().join(" "))
}

fn shown(range: &CandidateRange<'_>) -> Result<String, DatabaseError> {
    Ok(match range {
        CandidateRange::Interval { introduced, end } => {
            let from = introduced.map(|bound| bound.text.read()).transpose()?.unwrap_or("");
            match end {
                End::Open => format!("[{from},)"),
                End::Fixed(bound) | End::Limit(bound) => format!("[{from},{})", bound.text.read()?),
                End::LastAffected(bound) => format!("[{from},{}]", bound.text.read()?),
            }
        }
        CandidateRange::Listed { version, .. } => format!("[{}]", version.read()?),
        CandidateRange::Unreadable(why) => format!("?({})", why.read()?),
    })
}
