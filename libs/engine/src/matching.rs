//! Matching: an inventory against the advisory database -> verdicts, in three answers, each with its explanation.
//!
//! What is looked up (`lookup`): a package under its own name and, for OS packages, under its source package's name and version in
//! the ecosystem of its release (`libssl3` is `openssl` in `Debian:12`). Each claim says which of the two it means, and for which
//! architectures and module.
//!
//! One verdict per package and vulnerability, however many records speak of it (`judge`):
//! - In a distribution the record of the vulnerability itself (`DEBIAN-CVE-…`) decides. A notice (`DSA-…`) announces one
//!   version for many vulnerabilities, some of which were fixed before, so it decides only where it is alone.
//! - Of several deciding records "affected" wins over "undetermined" wins over "not affected". The verdict explains the
//!   record with the lowest fix, and that fix is what the verdict advises.
//! - A package whose files belong to an OS package is judged by the distributor, who patches without changing the
//!   version that the language's feed compares.
//! - Of several installed kernels the running one counts, where it is known (`kernel`).
//! - A record that has no name but a CVE falls with it when the CVE program rejects it, unless it names a fix.
//! - A version that was built for a minor release of Red Hat's is compared with the fix of that release's update stream.
//! - Of Go's records those count that are about the platform that the program is for.
//! - A Windows update counts as installed where an installed one supersedes it (`updates`).
//! - A VEX statement of the owner's own closes or settles the answer (`vex`).
//!
//! What can't be judged at all (no data for that release, an unknown ecosystem, a package database that nothing reads) is a
//! `Gap`, once per reason.

mod explain;
mod judge;
mod kernel;
mod lookup;
mod updates;
mod vex;

use judge::{Decision, Installed};
use kernel::Kernels;
use lookup::{Found, Lookup};
use muster_advisories::{Database, DatabaseError, FactsReader};
use muster_domain::{
    AdvisoryId, Digest, Ecosystem, Explanation, Gap, Inventory, Package, PackageManager, Status, Verdict, VerdictSet,
    VexStatement, VulnerabilityFacts, red_hat_release,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet, VecDeque};
use updates::Updates;

/// Packages that the database is asked about at once: enough to hide what a look-up waits for, few enough to hold.
const PACKAGES_AT_ONCE: usize = 256;

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
    let (mut vulnerabilities, mut reader) = (BTreeMap::new(), FactsReader::new(database));
    for verdict in &verdicts {
        vulnerabilities.entry(verdict.vulnerability.clone()).or_insert_with(|| facts(verdict, &mut reader));
    }
    let not_affected = (all - verdicts.len()) as u64;
    VerdictSet { inventory: Some(digest), verdicts, not_affected, vulnerabilities, gaps }
}

/// In the words of the record that decided. A damaged file costs the description, not the finding.
fn facts(verdict: &Verdict, reader: &mut FactsReader<'_>) -> VulnerabilityFacts {
    let advisory = verdict.explanation.advisory.as_ref().map(|advisory| advisory.0.as_str());
    let bare = |description| VulnerabilityFacts { description, ..VulnerabilityFacts::default() };
    let facts = match reader.told_by(&verdict.vulnerability, advisory) {
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
    kernels: Option<Kernels<'a>>,
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
            kernels: Kernels::of(inventory),
            verdicts: Vec::new(),
            not_affected: 0,
            gaps: BTreeMap::new(),
        }
    }

    fn run(&mut self) {
        for Gap { ecosystem, reason, packages } in &self.inventory.gaps {
            *self.gaps.entry((ecosystem.clone(), reason.clone())).or_default() += packages;
        }
        for packages in self.inventory.packages.chunks(PACKAGES_AT_ONCE) {
            self.packages(packages);
        }
    }

    /// Asks the database about several packages at once, which is faster than one after the other.
    fn packages(&mut self, packages: &'a [Package]) {
        let known: Vec<_> = packages.iter().filter_map(|package| self.known(package)).collect();
        let questions = known.iter().flat_map(|(_, _, lookups)| lookups).map(|lookup| &lookup.question);
        let questions: Vec<_> = questions.map(|question| (&*question.ecosystem, &*question.name)).collect();
        let mut found = VecDeque::from(self.database.candidates_of_all(&questions));
        for (package, ecosystem, lookups) in &known {
            // Drained, so that an error in the middle leaves the answers for the next package at the front.
            let found = lookups.iter().zip(found.drain(..lookups.len()));
            if let Err(error) = self.package(package, ecosystem, lookup::claims(package, found)) {
                self.gap(ecosystem.to_string(), &error.to_string());
            }
        }
    }

    /// A package that the database can know, with the questions about it; of any other why not is noted.
    fn known<'p>(&mut self, package: &'p Package) -> Option<(&'p Package, &'p Ecosystem, Vec<Lookup<'p>>)> {
        let Some(ecosystem) = &package.ecosystem else {
            let reason = "no advisory data: not an ecosystem that we know";
            self.gap(unknown_ecosystem(self.inventory, package), reason);
            return None;
        };
        if !self.database.covers(ecosystem.as_str()) {
            self.gap(ecosystem.to_string(), "no advisory data: the database has none for it");
            return None;
        }
        Some((package, ecosystem, lookup::lookups(package, ecosystem, self.database)))
    }

    fn gap(&mut self, ecosystem: String, reason: &str) {
        *self.gaps.entry((ecosystem, reason.to_owned())).or_default() += 1;
    }

    fn package(
        &mut self,
        package: &Package,
        ecosystem: &Ecosystem,
        claims: Result<Vec<Found<'_, '_>>, DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let claims = claims?;
        let updates = Updates::of(package, self.inventory, &claims)?;
        let place = |claim: &Found<'_, '_>| claim.candidate.vulnerability_place();
        claims
            .chunk_by(|a, b| place(a) == place(b))
            .try_for_each(|claims| self.vulnerability(package, ecosystem, claims, updates.as_ref()))
    }

    /// All claims about one vulnerability in one package -> one verdict.
    fn vulnerability(
        &mut self,
        package: &Package,
        ecosystem: &Ecosystem,
        claims: &[Found<'_, '_>],
        updates: Option<&Updates>,
    ) -> Result<(), DatabaseError> {
        let is_on_stream = |installed: &Installed<'_>| self.is_on_stream(installed);
        let Some(decision) = judge::decide(claims, ecosystem.row().is_distribution, is_on_stream)? else {
            return Ok(());
        };
        let (mut status, mut reason) = self.in_its_place(package, &decision, updates)?;
        let claim = decision.claim();
        let statement = match claim.has_statements()? {
            true => vex::about(package, self.inventory, claim.statements()?),
            false => None,
        };
        if let Some(statement) = &statement {
            status = vex::answer(status, statement);
            let by_version = reason.map_or_else(|| explain::reason(&decision), Ok)?;
            reason = Some(format!("{}; without it: {by_version}", vex::reason(statement)));
        }
        if status == Status::NotAffected {
            self.not_affected += 1;
            if !self.keeps_not_affected {
                return Ok(());
            }
        }
        let reason = reason.map_or_else(|| explain::reason(&decision), Ok)?;
        self.verdicts.push(verdict(package, status, &decision, reason, statement)?);
        Ok(())
    }

    /// Whether the system is of the minor release that a package was built for, so that its updates come from there.
    fn is_on_stream(&self, installed: &Installed<'_>) -> bool {
        let version = self.inventory.os.as_ref().map(|os| os.version.as_str());
        red_hat_release(installed.raw).is_some_and(|(major, minor)| version == Some(&*format!("{major}.{minor}")))
    }

    /// The answer with regard to what else is installed, and the reason where that is another than the claim's.
    fn in_its_place(
        &self,
        package: &Package,
        decision: &Decision<'_, '_>,
        updates: Option<&Updates>,
    ) -> Result<(Status, Option<String>), DatabaseError> {
        let status = decision.judgement.status;
        if status == Status::NotAffected {
            return Ok((status, None));
        }
        if let (Some(updates), Some(remark)) = (updates, decision.claim().remark()?)
            && let Some(reason) = updates.has_fix(remark)
        {
            return Ok((Status::NotAffected, Some(reason)));
        }
        if let Some(reason) = self.kernels.as_ref().and_then(|kernels| kernels.why_not(package)) {
            return Ok((Status::NotAffected, Some(reason)));
        }
        if let (Some(kernels), Some(fixed)) = (&self.kernels, decision.judgement.fixed)
            && let Some(newer) = kernels.unbooted_fix(package, decision.installed().scheme, fixed.key)
        {
            let found = explain::reason(decision)?;
            let reason = format!("{found}; {newer} is installed and has not been booted: a restart is the fix");
            return Ok((status, Some(reason)));
        }
        let Some(owner) = package.owned_by.as_deref() else {
            return Ok((status, None));
        };
        if self.judged_by_distributor.contains(owner) {
            let reason =
                format!("its files belong to the OS package {owner}, which the distributor's advisories judge");
            return Ok((Status::NotAffected, Some(reason)));
        }
        let found = explain::reason(decision)?;
        let reason = format!(
            "its files belong to the OS package {owner}, whose distributor may have patched it, and there is no \
             advisory data for that; by the version alone: {found}"
        );
        Ok((Status::Undetermined, Some(reason)))
    }

    fn finish(mut self) -> (Vec<Verdict>, u64, Vec<Gap>) {
        sort(&mut self.verdicts);
        let gap = |((ecosystem, reason), packages)| Gap { ecosystem, reason, packages };
        (self.verdicts, self.not_affected, self.gaps.into_iter().map(gap).collect())
    }
}

fn verdict(
    package: &Package,
    status: Status,
    decision: &Decision<'_, '_>,
    reason: String,
    vex: Option<VexStatement>,
) -> Result<Verdict, DatabaseError> {
    let (claim, lookup) = (decision.claim(), decision.found.lookup);
    let fixed = decision.judgement.fixed.filter(|_| status != Status::NotAffected);
    Ok(Verdict {
        vulnerability: claim.vulnerability()?.to_owned(),
        aliases: claim.aliases()?,
        package: package.clone(),
        status,
        fixed_version: fixed.map(|fixed| fixed.text.read().map(str::to_owned)).transpose()?,
        severity: claim.severity(),
        score: claim.score(),
        explanation: Explanation {
            advisory: Some(AdvisoryId(claim.advisory()?.to_owned())),
            source: claim.source()?.to_owned(),
            ecosystem: lookup.question.ecosystem.clone(),
            name: lookup.question.name.clone(),
            installed: lookup.installed.raw.to_owned(),
            scheme: lookup.installed.scheme.name().to_owned(),
            range: explain::range(decision)?,
            vendor: claim.vendor()?.map(str::to_owned),
            state: claim.state(),
            remark: claim.remark()?.map(str::to_owned),
            vex,
            reason,
        },
    })
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
