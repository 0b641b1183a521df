//! How right matching is: verdicts against labelled triples of package, version and vulnerability, per distribution.
//!
//! Labels come as one JSON object a line, in the shape of the public vulnerability-match-labels (github.com/anchore):
//! `{"image":{"exact":…},"package":{"name":…,"version":…},"vulnerability_id":…,"effective_cve":…,"label":"TP"|"FP"|"??"}`. Two fields may be
//! added, for labels that know more: `"ecosystem"` (`Debian:12`, `npm`) and `"source"` (`{"name":…,"version":…}`, the source package).
//!
//! Without them a label does not say what its package is a package of. An image's distribution is told by what its packages'
//! versions carry (`.el8`, `+deb11u1`); a package that carries nothing of the kind is looked up in the language ecosystems that know its
//! name, but not where its version is shaped like a distribution's (`1.2.11-r3`). What can't be judged so is counted as that, never
//! as a miss: recall is over what was judged. A miss of a vulnerability that the database does not hold at all says what the data
//! lack, not how right matching is, and is counted apart.

use crate::matching::match_inventory;
use muster_advisories::{Database, DatabaseError};
use muster_domain::{Ecosystem, Inventory, Package, PackageManager, SourcePackage, Status, Verdict};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// One label, as it is read.
#[derive(Clone, Debug, Deserialize)]
pub struct Label {
    /// The image that the package was found in.
    #[serde(default)]
    pub image: Image,
    /// The package.
    pub package: NameAndVersion,
    /// The vulnerability or an alias of it.
    pub vulnerability_id: String,
    /// The CVE behind it.
    #[serde(default)]
    pub effective_cve: Option<String>,
    /// `TP`: the package has the vulnerability; `FP`: it has not; anything else: nobody knows.
    pub label: String,
    /// The package's ecosystem, where the label tells it.
    #[serde(default)]
    pub ecosystem: Option<Ecosystem>,
    /// The source package, where the label tells it.
    #[serde(default)]
    pub source: Option<NameAndVersion>,
}

/// An image by its name and digest.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Image {
    /// `repository@sha256:…`.
    #[serde(default)]
    pub exact: String,
}

/// What is installed.
#[derive(Clone, Debug, Deserialize)]
pub struct NameAndVersion {
    /// As the ecosystem spells it.
    pub name: String,
    /// As the ecosystem spells it.
    pub version: String,
}

/// Counts of one distribution or ecosystem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Has it, and was found.
    pub true_positives: u64,
    /// Has it not, and was found.
    pub false_positives: u64,
    /// Has it, and was not found, though the database knows the vulnerability.
    pub false_negatives: u64,
    /// Has it, and was not found, since the database does not hold the vulnerability under any of its names.
    pub unknown: u64,
    /// Has it not, and was not found.
    pub true_negatives: u64,
    /// Answered with "undetermined": counted in none of the four.
    pub undetermined: u64,
    /// Not judged: no data for it, or the label does not say what the package is.
    pub not_judged: u64,
}

impl Score {
    /// Share of what was found that is there, 0 to 1; `None`: nothing was found.
    pub fn precision(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_positives)
    }

    /// Share of what is there and known to the database that was found, 0 to 1; `None`: nothing is there.
    pub fn recall(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Share of all that is there that was found, 0 to 1; `None`: nothing is there.
    pub fn recall_of_all(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_negatives + self.unknown)
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self) -> Option<f64> {
        share(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)
    }

    fn add(&mut self, other: &Self) {
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.false_negatives += other.false_negatives;
        self.unknown += other.unknown;
        self.true_negatives += other.true_negatives;
        self.undetermined += other.undetermined;
        self.not_judged += other.not_judged;
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A label that matching does not agree with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// The distribution or ecosystem.
    pub distribution: String,
    /// What was labelled.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The vulnerability, as the label names it.
    pub vulnerability: String,
    /// Whether it was found although it is not there (else the other way round).
    pub is_false_positive: bool,
    /// The verdict's reason, or that there is none.
    pub reason: String,
}

/// The outcome.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accuracy {
    /// By distribution with its release, or language ecosystem; `not told` where the label does not tell it.
    pub scores: BTreeMap<String, Score>,
    /// The first misses, in the order of the labels.
    pub misses: Vec<Miss>,
}

impl Accuracy {
    /// All counts together.
    pub fn total(&self) -> Score {
        let mut total = Score::default();
        self.scores.values().for_each(|score| total.add(score));
        total
    }
}

/// Judges every label that says "is" or "is not" and keeps the first `misses_max` that matching does not agree with.
///
/// # Errors
/// When the database is damaged.
pub fn score(labels: &[Label], database: &Database, misses_max: usize) -> Result<Accuracy, DatabaseError> {
    let distributions = distributions(labels);
    let mut holds = HashMap::new();
    let mut accuracy = Accuracy::default();
    for label in labels {
        let is_there = match label.label.as_str() {
            "TP" => true,
            "FP" => false,
            _ => continue,
        };
        let packages = packages(label, distributions.get(label.image.exact.as_str()).copied().flatten(), database);
        let ecosystem = packages.first().and_then(|package| package.ecosystem.as_ref());
        let distribution = ecosystem.map_or("not told".to_owned(), Ecosystem::to_string);
        let score = accuracy.scores.entry(distribution.clone()).or_default();
        let Some(verdict) = verdict(label, packages, database) else {
            score.not_judged += 1;
            continue;
        };
        let is_found = match verdict.as_ref().map(|verdict| verdict.status) {
            Some(Status::Undetermined) => {
                score.undetermined += 1;
                continue;
            }
            found => found == Some(Status::Affected),
        };
        let count = match (is_there, is_found) {
            (true, true) => &mut score.true_positives,
            (false, true) => &mut score.false_positives,
            (true, false) if verdict.is_none() && !is_held(label, database, &mut holds)? => {
                score.unknown += 1;
                continue;
            }
            (true, false) => &mut score.false_negatives,
            (false, false) => &mut score.true_negatives,
        };
        *count += 1;
        if is_there != is_found && accuracy.misses.len() < misses_max {
            accuracy.misses.push(Miss {
                distribution,
                package: label.package.name.clone(),
                version: label.package.version.clone(),
                vulnerability: label.vulnerability_id.clone(),
                is_false_positive: is_found,
                reason: verdict.map_or_else(
                    || "no advisory speaks of this vulnerability in this package".to_owned(),
                    |verdict| verdict.explanation.reason,
                ),
            });
        }
    }
    Ok(accuracy)
}

/// Whether the database has the label's vulnerability under one of its names; `held` remembers what was asked.
fn is_held<'l>(
    label: &'l Label,
    database: &Database,
    held: &mut HashMap<&'l str, bool>,
) -> Result<bool, DatabaseError> {
    for name in std::iter::once(&label.vulnerability_id).chain(&label.effective_cve) {
        let is_held = match held.get(name.as_str()) {
            Some(&is_held) => is_held,
            None => database.vulnerability_named(name)?.is_some(),
        };
        held.insert(name, is_held);
        if is_held {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The verdict on the label's vulnerability; inside `None`: no advisory speaks of it there. Outside `None`: the package can't be
/// judged.
fn verdict(label: &Label, packages: Vec<Package>, database: &Database) -> Option<Option<Verdict>> {
    let known = packages.into_iter().filter(|package| is_known(package, database)).collect::<Vec<_>>();
    if known.is_empty() {
        return None;
    }
    let wanted = [Some(&label.vulnerability_id), label.effective_cve.as_ref()];
    let is_it = |verdict: &Verdict| {
        let mut names = std::iter::once(&verdict.vulnerability).chain(&verdict.aliases);
        names.any(|name| wanted.contains(&Some(name)))
    };
    let matches = match_inventory(&Inventory::new(None, known, Vec::new(), Vec::new()), database);
    // Of several ecosystems that know the name the one that is affected counts, as it would in a scan.
    let order = |verdict: &Verdict| match verdict.status {
        Status::Affected => 0,
        Status::Undetermined => 1,
        Status::NotAffected => 2,
    };
    Some(matches.verdicts.into_iter().filter(is_it).min_by_key(order))
}

fn is_known(package: &Package, database: &Database) -> bool {
    let Some(ecosystem) = &package.ecosystem else {
        return false;
    };
    let source = package.source.as_ref().map(|source| source.name.as_str());
    let names = std::iter::once(package.name.as_str()).chain(source);
    names
        .map(|name| ecosystem.normalise(name))
        .any(|name| database.candidates(ecosystem.as_str(), &name).next().is_some())
}

/// What the label's package may be.
fn packages(label: &Label, distribution: Option<Distribution>, database: &Database) -> Vec<Package> {
    if let Some(ecosystem) = &label.ecosystem {
        return vec![package(label, ecosystem.clone())];
    }
    let own = carried(&label.package.version);
    let of_system = own.or(distribution.filter(|distribution| distribution.writes(&label.package.version)));
    if let Some(ecosystem) = of_system.and_then(Distribution::ecosystem) {
        return vec![package(label, ecosystem)];
    }
    if is_of_distribution(&label.package.version) {
        return Vec::new(); // of one that its image does not tell
    }
    let languages = muster_domain::ECOSYSTEMS.iter().filter(|row| !row.is_distribution && row.name != "Bitnami");
    let languages = languages.filter_map(|row| row.name.parse::<Ecosystem>().ok());
    languages.map(|ecosystem| package(label, ecosystem)).filter(|package| is_known(package, database)).collect()
}

fn package(label: &Label, ecosystem: Ecosystem) -> Package {
    let NameAndVersion { name, version } = label.package.clone();
    let source = label.source.clone().map(|source| SourcePackage { name: source.name, version: source.version });
    Package {
        purl: format!("pkg:{}/{name}@{version}", ecosystem.row().purl_type),
        manager: if ecosystem.row().is_distribution { PackageManager::Os } else { PackageManager::Generic },
        ecosystem: Some(ecosystem),
        name,
        version,
        source,
        architecture: None,
        paths: Vec::new(),
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    }
}

/// A distribution's release, as versions of its packages tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Distribution {
    name: &'static str,
    release: u32,
}

impl Distribution {
    fn ecosystem(self) -> Option<Ecosystem> {
        format!("{}:{}", self.name, self.release).parse().ok()
    }

    /// Whether the distribution's packages may have such a version: Debian's need no mark (`5.9+20140913-1`), those of rpm
    /// distributions carry theirs always.
    fn writes(self, version: &str) -> bool {
        self.name == "Debian" && version.contains('-') && !version.contains("ubuntu")
    }
}

/// The release that a version carries.
fn carried(version: &str) -> Option<Distribution> {
    const MARKS: &[(&str, &str)] = &[
        (".el", "Red Hat"),
        ("+deb", "Debian"),
        ("~deb", "Debian"),
        ("deb", "Debian"),
        (".amzn", "Amazon Linux"),
        (".azl", "Azure Linux"),
        (".cm", "Azure Linux"),
        (".fc", "Fedora"),
    ];
    MARKS.iter().find_map(|&(mark, name)| {
        let (_, rest) = version.split_once(mark)?;
        let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let is_mark = mark != "deb" || rest[digits..].starts_with('u');
        let release = rest[..digits].parse().ok().filter(|_| is_mark)?;
        Some(Distribution { name, release })
    })
}

/// Whether only a distribution writes such versions: apk's revisions, the marks of dpkg's and rpm's builds. A language's feed may
/// know the name, and would compare what the distributor has repaired.
fn is_of_distribution(version: &str) -> bool {
    const MARKS: [&str; 6] = ["+dfsg", "ubuntu", "+deb", "~deb", ".module", ".el"];
    let is_apk = version
        .rsplit_once("-r")
        .is_some_and(|(_, revision)| !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit()));
    is_apk || carried(version).is_some() || MARKS.iter().any(|mark| version.contains(mark))
}

/// By image, the release that most of its labels carry.
fn distributions(labels: &[Label]) -> BTreeMap<&str, Option<Distribution>> {
    let mut votes: BTreeMap<&str, BTreeMap<Distribution, u64>> = BTreeMap::new();
    for label in labels {
        let votes = votes.entry(&label.image.exact).or_default();
        if let Some(distribution) = carried(&label.package.version) {
            *votes.entry(distribution).or_default() += 1;
        }
    }
    let most =
        |votes: BTreeMap<Distribution, u64>| votes.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name);
    votes.into_iter().map(|(image, votes)| (image, most(votes))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_advisories::{Builder, Item};
    use muster_domain::{Advisory, AdvisoryId, Affected};

    fn label(image: &str, name: &str, version: &str, vulnerability: &str, label: &str) -> Label {
        let json = format!(
            r#"{{"image":{{"exact":"{image}"}},"package":{{"name":"{name}","version":"{version}"}},
                "vulnerability_id":"{vulnerability}","label":"{label}","tool":"x"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn database() -> Database {
        let mut builder = Builder::new(1, "2026-11-24T00:00:00Z".parse().unwrap());
        let affected = |ecosystem: &str, name: &str, fixed: &str| {
            Affected::new(ecosystem.parse().unwrap(), name).with_range("0", Some(fixed))
        };
        for (id, affected) in [
            ("CVE-2024-1", vec![affected("Debian:11", "tar", "1.34-2")]),
            ("CVE-2024-2", vec![affected("npm", "lodash", "4.17.21"), affected("PyPI", "lodash", "1.0")]),
        ] {
            let advisory = Advisory { id: AdvisoryId(id.into()), affected, ..Advisory::default() };
            assert_eq!(builder.take(Item::Advisory(advisory)), None);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("advisories.db");
        builder.write(&path).unwrap();
        Database::open(path).unwrap() // the map outlives the folder
    }

    #[test]
    fn each_label_is_counted_once_and_where_it_belongs() {
        let labels = [
            label("a", "tar", "1.34-1", "CVE-2024-1", "TP"),
            label("a", "libc6", "2.31-13+deb11u5", "CVE-2024-1", "TP"), // tells the image's release
            label("a", "tar", "1.34-2", "CVE-2024-1", "TP"),
            label("a", "tar", "1.34-1", "CVE-2024-1", "FP"),
            label("a", "tar", "1.34-1", "CVE-2024-1", "??"),
            label("a", "tar", "1.34-1", "CVE-2024-9", "FP"), // nothing is said of it
            label("b", "lodash", "4.17.20", "CVE-2024-2", "TP"),
            label("b", "lodash", "not a version", "CVE-2024-2", "TP"),
            label("b", "left-pad", "1.0.0", "CVE-2024-2", "TP"),
            label("b", "lodash", "4.17.20-r3", "CVE-2024-2", "TP"), // an apk package of that name
            label("b", "lodash", "4.17.20", "CVE-2024-9", "TP"),    // of which the database knows nothing
        ];
        let accuracy = score(&labels, &database(), 1).unwrap();
        let debian = Score {
            true_positives: 1,
            false_positives: 1,
            false_negatives: 1,
            true_negatives: 1,
            not_judged: 1,
            ..Score::default()
        };
        assert_eq!(accuracy.scores["Debian:11"], debian);
        assert_eq!(accuracy.scores["not told"], Score { not_judged: 2, ..Score::default() });
        let total = accuracy.total();
        assert_eq!((total.true_positives, total.undetermined, total.not_judged), (2, 1, 3));
        assert_eq!((total.false_negatives, total.unknown), (1, 1));
        assert_eq!((total.recall(), total.recall_of_all()), (Some(2.0 / 3.0), Some(0.5)));
        assert_eq!((debian.precision(), debian.recall(), debian.f1()), (Some(0.5), Some(0.5), Some(0.5)));
        let [miss] = &accuracy.misses[..] else { panic!("{:?}", accuracy.misses) };
        assert_eq!((miss.version.as_str(), miss.is_false_positive), ("1.34-2", false));
        assert_eq!(miss.reason, "1.34-2 is not before the fix 1.34-2");
    }

    #[test]
    fn a_version_tells_the_release_that_it_was_built_for() {
        let check = |version: &str, expected: Option<(&'static str, u32)>| {
            let expected = expected.map(|(name, release)| Distribution { name, release });
            assert_eq!(carried(version), expected, "{version}");
        };
        check("2.6.2-3.el9", Some(("Red Hat", 9)));
        check("1:18.18.2-2.module+el9.2.0.z+20408+7cb5fda5", None); // the image's other packages tell it
        check("2.31-13+deb11u5", Some(("Debian", 11)));
        check("1.0.1t-1+deb8u12", Some(("Debian", 8)));
        check("2.0.6-deb9u1", Some(("Debian", 9)));
        check("7.61.1-12.amzn2.0.4", Some(("Amazon Linux", 2)));
        check("1.22.5-1.azl3", Some(("Azure Linux", 3)));
        check("4.17.4", None);
        check("1.0-debian", None);
    }

    #[test]
    fn a_distributions_version_is_no_languages() {
        let check = |version: &str, expected: bool| assert_eq!(is_of_distribution(version), expected, "{version}");
        check("1.2.11-r3", true); // Alpine's zlib, whose name RubyGems knows
        check("2.31-13+deb11u5", true);
        check("3.0.2-0ubuntu1.12", true);
        check("1:18.18.2-2.module+el9.2.0.z+20408+7cb5fda5", true);
        check("1.0.0-rc1", false); // npm's and Go's pre-releases
        check("v1.2.3-r", false);
        check("4.17.4", false);
    }
}
