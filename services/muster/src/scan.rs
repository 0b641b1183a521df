//! `muster scan TARGET`: what is wrong with it.

use crate::{db, exit, inventory::purl_type, sarif, target, terminal};
use anyhow::{Context, Result};
use clap::ValueEnum;
use muster_advisories::Database;
use muster_artifacts::Read;
use muster_domain::{BaseScore, Explanation, Gap, OperatingSystem, Package, Severity, Skipped, Status, Verdict};
use muster_engine::matching::{self, Matches};
use muster_packages::cyclonedx;
use serde::Serialize;
use serde_json::{Value, json};
use std::{collections::HashSet, path::PathBuf};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub target: target::Arguments,
    /// A built advisory file. Without it the newest one in the data folder is used.
    #[arg(long, env = "MUSTER_ADVISORIES")]
    advisories: Option<PathBuf>,
    /// Where `muster up` keeps its files.
    #[arg(long, env = "MUSTER_DATA_FOLDER", default_value_os_t = muster_kit::default_data_folder())]
    data_folder: PathBuf,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Exit with 2 when something affected is at least this severe.
    #[arg(long, value_parser = severity)]
    fail_on: Option<Severity>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
    Cyclonedx,
    Sarif,
}

fn severity(raw: &str) -> Result<Severity, String> {
    Severity::parse(raw).ok_or_else(|| {
        let names: Vec<String> = Severity::ALL.iter().map(|severity| severity.as_str().to_lowercase()).collect();
        format!("none of {}", names.join(", "))
    })
}

/// One root, judged.
pub struct Scanned {
    pub read: Read,
    pub matches: Matches,
}

pub async fn run(arguments: Arguments) -> Result<u8> {
    let path = db::find(arguments.advisories, &arguments.data_folder)?;
    let database = Database::open(&path).with_context(|| format!("open {}", path.display()))?;
    let reads = target::read(arguments.target).await?;
    let scanned: Vec<Scanned> = reads
        .into_iter()
        .map(|read| Scanned { matches: matching::match_inventory(&read.inventory, &database), read })
        .collect();
    terminal::print(&write(&scanned, arguments.format)?)?;
    for scanned in &scanned {
        target::say_what_is_missing(&scanned.read.inventory);
        target::say_what_is_undetermined(&scanned.matches.gaps);
    }
    let worst = scanned
        .iter()
        .flat_map(|scanned| &scanned.matches.verdicts)
        .filter(|verdict| verdict.status == Status::Affected)
        .map(|verdict| verdict.severity)
        .max();
    let found = arguments.fail_on.is_some_and(|limit| worst.is_some_and(|worst| worst >= limit));
    Ok(if found { exit::FOUND } else { exit::GOOD })
}

fn write(scanned: &[Scanned], format: Format) -> Result<String> {
    match format {
        Format::Table => Ok(scanned.iter().map(table).collect::<Vec<_>>().join("\n")),
        Format::Json => target::documents(&scanned.iter().map(document).collect::<Vec<_>>()),
        Format::Cyclonedx => target::documents(&scanned.iter().map(bom).collect::<Vec<_>>()),
        Format::Sarif => serde_json::to_string_pretty(&sarif::document(scanned)).context("write SARIF"),
    }
}

/// The shape that docs/command-line.md promises. It borrows: a tree of JSON values would take longer than the judging.
#[derive(Serialize)]
struct Document<'a> {
    target: &'a str,
    os: &'a Option<OperatingSystem>,
    packages: Vec<PackageShown<'a>>,
    verdicts: Vec<VerdictShown<'a>>,
    undetermined: Vec<GapShown<'a>>,
    skipped: &'a [Skipped],
    limits_reached: &'a [String],
}

#[derive(Serialize)]
struct PackageShown<'a> {
    name: &'a str,
    version: &'a str,
    purl: &'a str,
    r#type: &'a str,
    paths: &'a [String],
}

#[derive(Serialize)]
struct VerdictShown<'a> {
    vulnerability: &'a str,
    aliases: &'a [String],
    package: PackageShown<'a>,
    status: Status,
    fixed_version: Option<&'a str>,
    severity: Severity,
    score: Option<BaseScore>,
    explanation: &'a Explanation,
}

#[derive(Serialize)]
struct GapShown<'a> {
    ecosystem: &'a str,
    reason: &'a str,
    packages: u64,
}

fn document(scanned: &Scanned) -> Document<'_> {
    let inventory = &scanned.read.inventory;
    Document {
        target: &scanned.read.name,
        os: &inventory.os,
        packages: inventory.packages.iter().map(package).collect(),
        verdicts: scanned.matches.verdicts.iter().map(verdict).collect(),
        undetermined: scanned.matches.gaps.iter().map(gap).collect(),
        skipped: &inventory.skipped,
        limits_reached: &inventory.limits_reached,
    }
}

fn gap(gap: &Gap) -> GapShown<'_> {
    GapShown { ecosystem: &gap.ecosystem, reason: &gap.reason, packages: gap.packages }
}

fn package(package: &Package) -> PackageShown<'_> {
    PackageShown {
        name: &package.name,
        version: &package.version,
        purl: &package.purl,
        r#type: purl_type(&package.purl),
        paths: &package.paths,
    }
}

fn verdict(verdict: &Verdict) -> VerdictShown<'_> {
    VerdictShown {
        vulnerability: &verdict.vulnerability,
        aliases: &verdict.aliases,
        package: package(&verdict.package),
        status: verdict.status,
        fixed_version: verdict.fixed_version.as_deref(),
        severity: verdict.severity,
        score: verdict.score,
        explanation: &verdict.explanation,
    }
}

/// The SBOM with what affects its components (CycloneDX 1.6, "vulnerabilities").
fn bom(scanned: &Scanned) -> Value {
    let mut bom = cyclonedx::write(&scanned.read.inventory, &scanned.read.name);
    // A package that is there twice is one component.
    let mut told = HashSet::new();
    let affecting = scanned.matches.verdicts.iter().filter(|verdict| verdict.status != Status::NotAffected);
    let affecting = affecting.filter(|verdict| told.insert((&verdict.vulnerability, &verdict.package.purl)));
    let vulnerabilities = affecting.map(|verdict| {
        let state = if verdict.status == Status::Affected { "exploitable" } else { "in_triage" };
        let mut rating = json!({ "severity": cyclonedx_severity(verdict.severity) });
        if let Some(score) = verdict.score {
            rating["score"] = score.points().into();
        }
        json!({
            "id": verdict.vulnerability,
            "ratings": [rating],
            "description": verdict.explanation.reason,
            "recommendation": verdict.fixed_version.as_ref().map_or_else(
                || "No fixed version is known".to_owned(), |fixed| format!("Update to {fixed}")),
            "analysis": { "state": state },
            "affects": [{ "ref": verdict.package.purl }],
        })
    });
    bom["vulnerabilities"] = vulnerabilities.collect();
    bom
}

fn cyclonedx_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Informational => "info",
        Severity::Untriaged => "unknown",
    }
}

fn table(scanned: &Scanned) -> String {
    let mut shown: Vec<&Verdict> =
        scanned.matches.verdicts.iter().filter(|verdict| verdict.status != Status::NotAffected).collect();
    shown.sort_by(|left, right| {
        (right.severity, right.score, &left.vulnerability, &left.package).cmp(&(
            left.severity,
            left.score,
            &right.vulnerability,
            &right.package,
        ))
    });
    let mut table =
        terminal::table(&["Severity", "Score", "Vulnerability", "Package", "Installed", "Fixed in", "Status"]);
    for verdict in &shown {
        table.add_row([
            terminal::severity(verdict.severity),
            verdict.score.map(|score| score.to_string()).unwrap_or_default().into(),
            verdict.vulnerability.as_str().into(),
            verdict.package.name.as_str().into(),
            verdict.package.version.as_str().into(),
            verdict.fixed_version.as_deref().unwrap_or_default().into(),
            if verdict.status == Status::Affected { "affected" } else { "undetermined" }.into(),
        ]);
    }
    let affected = shown.iter().filter(|verdict| verdict.status == Status::Affected);
    let counts = Severity::ALL.iter().filter_map(|severity| {
        let count = affected.clone().filter(|verdict| verdict.severity == *severity).count();
        (count > 0).then(|| format!("{count} {}", severity.as_str().to_lowercase()))
    });
    let counts: Vec<String> = counts.collect();
    let summary = if counts.is_empty() { "nothing known".to_owned() } else { counts.join(", ") };
    let packages = scanned.read.inventory.packages.len();
    let unjudged = unjudged(&scanned.matches.gaps);
    format!("{}\n{}\n{packages} packages: {summary}{unjudged}\n", scanned.read.name, table.trim_fmt())
}

/// How many packages could not be judged, and whose nobody could even count.
fn unjudged(gaps: &[Gap]) -> String {
    let packages: u64 = gaps.iter().map(|gap| gap.packages).sum();
    let mut text = if packages > 0 { format!("; {packages} packages could not be judged") } else { String::new() };
    for gap in gaps.iter().filter(|gap| gap.packages == 0) {
        text.push_str(&format!("; the packages of {} could not be listed", gap.ecosystem));
    }
    text
}
