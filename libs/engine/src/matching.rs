//! Matching: an inventory against the advisory database -> verdicts, in three answers, each with its explanation.
//!
//! What is looked up: an OS package under its source package's name and version in the ecosystem of its release
//! (`libssl3` is `openssl` in `Debian:12`), any other under its own.
//!
//! One verdict per package and vulnerability, however many records speak of it:
//! - In a distribution the record of the vulnerability itself (`DEBIAN-CVE-…`) decides. A notice (`DSA-…`) announces one
//!   version for many vulnerabilities, some of which were fixed before, so it decides only where it is alone.
//! - Of several deciding records "affected" wins over "undetermined" wins over "not affected". The verdict explains the
//!   record with the lowest fix, and that fix is what the verdict advises.
//! - A package whose files belong to an OS package is judged by the distributor, who patches without changing the
//!   version that the language's feed compares.
//!
//! What can't be judged at all (no data for that release, an unknown ecosystem) is a `Gap`, once per reason.

mod explain;
mod judge;

use judge::{Decision, Installed};
use muster_advisories::{Candidate, Database, DatabaseError};
use muster_domain::{
    Digest, Ecosystem, Explanation, Gap, Inventory, Package, PackageManager, Status, Verdict, VerdictSet,
    VulnerabilityFacts,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// All that matching says of one inventory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Matches {
    /// Sorted by (vulnerability, package).
    pub verdicts: Vec<Verdict>,
    /// Packages that nothing could be said about, sorted.
    pub gaps: Vec<Gap>,
}

/// Every verdict, all three answers: for a person who asks why not.
pub fn match_inventory(inventory: &Inventory, database: &Database) -> Matches {
    let mut matching = Matching::new(inventory, database, true);
    matching.run();
    let (verdicts, _, gaps) = matching.finish();
    Matches { verdicts, gaps }
}

/// The verdicts that matter to findings, with what is known of their vulnerabilities. The same as `verdict_set` of
/// `match_inventory`, without writing down the thousands that are not affected.
pub fn judge_inventory(digest: Digest, inventory: &Inventory, database: &Database) -> VerdictSet {
    let mut matching = Matching::new(inventory, database, false);
    matching.run();
    let (verdicts, not_affected, gaps) = matching.finish();
    VerdictSet { not_affected, ..verdict_set(digest, Matches { verdicts, gaps }, database) }
}

/// Keeps affected and undetermined, counts the rest, and adds what is known of each vulnerability.
pub fn verdict_set(digest: Digest, matches: Matches, database: &Database) -> VerdictSet {
    let Matches { verdicts, gaps } = matches;
    let all = verdicts.len();
    let mut verdicts: Vec<Verdict> =
        verdicts.into_iter().filter(|verdict| verdict.status != Status::NotAffected).collect();
    sort(&mut verdicts);
    let mut vulnerabilities = BTreeMap::new();
    for verdict in &verdicts {
        vulnerabilities.entry(verdict.vulnerability.clone()).or_insert_with(|| facts(verdict, database));
    }
    let not_affected = (all - verdicts.len()) as u64;
    VerdictSet { inventory: Some(digest), verdicts, not_affected, vulnerabilities, gaps }
}

/// In the words of the record that decided. A damaged file costs the description, not the finding.
fn facts(verdict: &Verdict, database: &Database) -> VulnerabilityFacts {
    let advisory = verdict.explanation.advisory.as_ref().map(|advisory| advisory.0.as_str());
    let bare = |description| VulnerabilityFacts { description, ..VulnerabilityFacts::default() };
    let facts = match database.facts_told_by(&verdict.vulnerability, advisory) {
        Ok(facts) => facts.unwrap_or_default(),
        Err(error) => bare(error.to_string()),
    };
    VulnerabilityFacts { id: verdict.vulnerability.clone(), aliases: verdict.aliases.clone(), ..facts }
}

fn sort(verdicts: &mut [Verdict]) {
    verdicts.sort_by(|a, b| (&a.vulnerability, &a.package).cmp(&(&b.vulnerability, &b.package)));
}

/// One inventory in work.
struct Matching<'a> {
    inventory: &'a Inventory,
    database: &'a Database,
    keeps_not_affected: bool,
    /// Names of OS packages that the database has data for.
    judged_by_distributor: HashSet<&'a str>,
    verdicts: Vec<Verdict>,
    not_affected: u64,
    gaps: BTreeMap<(String, String), u64>,
}

impl<'a> Matching<'a> {
    fn new(inventory: &'a Inventory, database: &'a Database, keeps_not_affected: bool) -> Self {
        let is_judged = |package: &&Package| {
            package.manager == PackageManager::Os
                && package.ecosystem.as_ref().is_some_and(|ecosystem| database.covers(ecosystem.as_str()))
        };
        let has_owned = inventory.packages.iter().any(|package| package.owned_by.is_some());
        let judged = inventory.packages.iter().filter(|_| has_owned).filter(is_judged);
        Self {
            inventory,
            database,
            keeps_not_affected,
            judged_by_distributor: judged.map(|package| package.name.as_str()).collect(),
            verdicts: Vec::new(),
            not_affected: 0,
            gaps: BTreeMap::new(),
        }
    }

    fn run(&mut self) {
        for package in &self.inventory.packages {
            let Some(ecosystem) = &package.ecosystem else {
                let reason = "no advisory data: not an ecosystem that we know";
                self.gap(unknown_ecosystem(self.inventory, package), reason);
                continue;
            };
            if !self.database.covers(ecosystem.as_str()) {
                self.gap(ecosystem.to_string(), "no advisory data: the database has none for it");
                continue;
            }
            if let Err(error) = self.package(package, ecosystem) {
                self.gap(ecosystem.to_string(), &error.to_string());
            }
        }
    }

    fn gap(&mut self, ecosystem: String, reason: &str) {
        *self.gaps.entry((ecosystem, reason.to_owned())).or_default() += 1;
    }

    fn package(&mut self, package: &'a Package, ecosystem: &Ecosystem) -> Result<(), DatabaseError> {
        let (name, version) = match &package.source {
            Some(source) => (source.name.as_str(), source.version.as_str()),
            None => (package.name.as_str(), package.version.as_str()),
        };
        let name = ecosystem.normalise(name);
        let mut candidates = self.database.candidates(ecosystem.as_str(), &name).peekable();
        if candidates.peek().is_none() {
            return Ok(());
        }
        let row = ecosystem.row();
        let subject = Subject { package, ecosystem, name: &name, installed: Installed::new(row.scheme, version) };
        let mut claims: Vec<Candidate<'_>> = Vec::new();
        for candidate in candidates {
            let candidate = candidate?;
            if claims.last().is_some_and(|last| last.vulnerability_place() != candidate.vulnerability_place()) {
                self.vulnerability(&subject, &claims)?;
                claims.clear();
            }
            claims.push(candidate);
        }
        self.vulnerability(&subject, &claims)
    }

    /// All claims about one vulnerability in one package -> one verdict.
    fn vulnerability(&mut self, subject: &Subject<'_>, claims: &[Candidate<'_>]) -> Result<(), DatabaseError> {
        let is_distribution = subject.ecosystem.row().is_distribution;
        let Some(decision) = judge::decide(claims, &subject.installed, is_distribution)? else {
            return Ok(());
        };
        let owner = subject.package.owned_by.as_deref();
        let (status, owned_reason) = match (owner, decision.judgement.status) {
            (None, status) => (status, None),
            (Some(_), Status::NotAffected) => (Status::NotAffected, None),
            (Some(owner), _) if self.judged_by_distributor.contains(owner) => {
                let reason =
                    format!("its files belong to the OS package {owner}, which the distributor's advisories judge");
                (Status::NotAffected, Some(reason))
            }
            (Some(owner), _) => {
                let found = explain::reason(&decision, &subject.installed)?;
                let reason = format!(
                    "its files belong to the OS package {owner}, whose distributor may have patched it, and there is no \
                     advisory data for that; by the version alone: {found}"
                );
                (Status::Undetermined, Some(reason))
            }
        };
        if status == Status::NotAffected {
            self.not_affected += 1;
            if !self.keeps_not_affected {
                return Ok(());
            }
        }
        let verdict = subject.verdict(status, &decision, owned_reason)?;
        self.verdicts.push(verdict);
        Ok(())
    }

    fn finish(mut self) -> (Vec<Verdict>, u64, Vec<Gap>) {
        sort(&mut self.verdicts);
        let gap = |((ecosystem, reason), packages)| Gap { ecosystem, reason, packages };
        (self.verdicts, self.not_affected, self.gaps.into_iter().map(gap).collect())
    }
}

/// A package and how it is looked up.
struct Subject<'s> {
    package: &'s Package,
    ecosystem: &'s Ecosystem,
    name: &'s str,
    installed: Installed<'s>,
}

impl Subject<'_> {
    fn verdict(
        &self,
        status: Status,
        decision: &Decision<'_>,
        reason: Option<String>,
    ) -> Result<Verdict, DatabaseError> {
        let claim = &decision.claim;
        let fixed = decision.judgement.fixed.filter(|_| status != Status::NotAffected);
        Ok(Verdict {
            vulnerability: claim.vulnerability()?.to_owned(),
            aliases: claim.aliases()?,
            package: self.package.clone(),
            status,
            fixed_version: fixed.map(|fixed| fixed.text.read().map(str::to_owned)).transpose()?,
            severity: claim.severity(),
            score: claim.score(),
            explanation: Explanation {
                advisory: Some(muster_domain::AdvisoryId(claim.advisory()?.to_owned())),
                ecosystem: self.ecosystem.to_string(),
                name: self.name.to_owned(),
                installed: self.installed.raw.to_owned(),
                scheme: self.ecosystem.scheme().name().to_owned(),
                range: explain::range(decision, &self.installed)?,
                vendor: claim.vendor()?.map(str::to_owned),
                reason: reason.map_or_else(|| explain::reason(decision, &self.installed), Ok)?,
            },
        })
    }
}

/// What a person would call the ecosystem of a package that has none of ours.
fn unknown_ecosystem(inventory: &Inventory, package: &Package) -> String {
    match (&inventory.os, package.manager) {
        (Some(os), PackageManager::Os) => format!("{} {}", os.id, os.version).trim_end().to_owned(),
        _ => match package.purl.split_once('/') {
            Some((purl_type, _)) if purl_type.starts_with("pkg:") => purl_type.to_owned(),
            _ => package.manager.as_str().to_owned(),
        },
    }
}
