//! `muster findings list | explain`.

use crate::{
    ask::{Gateway, refusal},
    exit,
    terminal::{self, Format},
};
use anyhow::Result;
use clap::Subcommand;
use muster_domain::Severity;
use muster_wire::v1::{self, finding_service_client::FindingServiceClient};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Findings fetched per call.
const PAGE: i32 = 500;

#[derive(Subcommand)]
pub enum Command {
    /// List findings, the most severe first.
    List(List),
    /// Say why a finding is what it is.
    Explain {
        /// The ARN, or its last 32 digits.
        finding: String,
        #[command(flatten)]
        gateway: Gateway,
    },
}

#[derive(clap::Args)]
pub struct List {
    /// Only these severities, separated by commas.
    #[arg(long, value_delimiter = ',')]
    severity: Vec<String>,
    /// Only these statuses, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "ACTIVE")]
    status: Vec<String>,
    /// Only these accounts, separated by commas.
    #[arg(long, value_delimiter = ',')]
    account: Vec<String>,
    /// Only this resource.
    #[arg(long)]
    resource: Option<String>,
    /// Only this vulnerability.
    #[arg(long)]
    vulnerability: Option<String>,
    /// The most findings to list.
    #[arg(long, default_value_t = 1000)]
    limit: usize,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    gateway: Gateway,
}

pub async fn run(command: Command) -> Result<u8> {
    match command {
        Command::List(arguments) => list(arguments).await?,
        Command::Explain { finding, gateway } => explain(finding, gateway).await?,
    }
    Ok(exit::GOOD)
}

async fn list(arguments: List) -> Result<()> {
    let mut client = FindingServiceClient::new(arguments.gateway.connect().await?);
    let upper = |values: Vec<String>| values.iter().map(|value| value.to_uppercase()).collect();
    let filter = v1::FindingFilter {
        severity: upper(arguments.severity),
        status: upper(arguments.status),
        account_id: arguments.account,
        resource_id: arguments.resource.into_iter().collect(),
        vulnerability_id: arguments.vulnerability.into_iter().collect(),
        ..Default::default()
    };
    let mut findings = Vec::new();
    let mut page_token = String::new();
    loop {
        let request =
            v1::ListFindingsRequest { filter: Some(filter.clone()), page_size: PAGE, page_token, ..Default::default() };
        let answer = client.list_findings(request).await.map_err(refusal)?.into_inner();
        findings.extend(answer.findings);
        page_token = answer.next_page_token;
        if page_token.is_empty() || findings.len() >= arguments.limit {
            break;
        }
    }
    let more = findings.len() > arguments.limit || !page_token.is_empty();
    findings.truncate(arguments.limit);
    match arguments.format {
        Format::Table => {
            let mut table = terminal::table(&["Severity", "Score", "Title", "Resource", "Finding"]);
            for finding in &findings {
                table.add_row([
                    Severity::parse(&finding.severity)
                        .map_or_else(|| finding.severity.as_str().into(), terminal::severity),
                    finding.inspector_score.map(|score| format!("{score:.1}")).unwrap_or_default().into(),
                    finding.title.as_str().into(),
                    finding.resource_id.as_str().into(),
                    finding.id.as_str().into(),
                ]);
            }
            let rest = if more { "; there are more, see --limit" } else { "" };
            terminal::print(&format!("{}\n{} findings{rest}", table.trim_fmt(), findings.len()))?;
        }
        Format::Json => {
            let findings: Vec<Value> = findings.iter().map(json).collect();
            terminal::print(&serde_json::to_string_pretty(&findings)?)?;
        }
    }
    Ok(())
}

fn json(finding: &v1::Finding) -> Value {
    json!({
        "id": finding.id,
        "arn": finding.arn,
        "account_id": finding.account_id,
        "region": finding.region,
        "resource_id": finding.resource_id,
        "resource_type": finding.resource_type,
        "finding_type": finding.finding_type,
        "status": finding.status,
        "severity": finding.severity,
        "inspector_score": finding.inspector_score,
        "title": finding.title,
        "vulnerability_id": finding.vulnerability_id,
        "fix_available": finding.fix_available,
        "exploit_available": finding.exploit_available,
        "epss_score": finding.epss_score,
        "packages": finding.packages.iter().map(|vulnerable| json!({
            "name": vulnerable.package.as_ref().map(|package| &package.name),
            "version": vulnerable.package.as_ref().map(|package| &package.version),
            "purl": vulnerable.package.as_ref().map(|package| &package.purl),
            "fixed_version": vulnerable.fixed_version,
        })).collect::<Vec<_>>(),
        "network": finding.network.as_ref().map(|network| json!({
            "interface": network.interface,
            "protocol": network.protocol,
            "port_begin": network.port_begin,
            "port_end": network.port_end,
            "edge": network.edge,
            "sources": network.sources,
            "path": network.path.iter().map(|step| &step.component_id).collect::<Vec<_>>(),
        })),
    })
}

async fn explain(finding: String, gateway: Gateway) -> Result<()> {
    let mut client = FindingServiceClient::new(gateway.connect().await?);
    let answer = client.explain_finding(v1::ExplainFindingRequest { id: finding }).await.map_err(refusal)?.into_inner();
    terminal::print(&explanation(&answer))?;
    Ok(())
}

fn explanation(answer: &v1::ExplainFindingResponse) -> String {
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{words}").expect("writing to a String cannot fail");
    let finding = answer.finding.clone().unwrap_or_default();
    line(finding.title.clone());
    line(format!("  {} {} on {}", finding.severity, finding.status, finding.resource_id));
    line(format!("  {}", finding.arn));
    for verdict in &answer.verdicts {
        let package = verdict.package.clone().unwrap_or_default();
        let why = verdict.explanation.clone().unwrap_or_default();
        line(format!("{} {} is {}", package.name, package.version, verdict.status.replace('_', " ")));
        line(format!("  {}", why.reason));
        line(format!("  advisory {} for {} in {}, compared as {}", why.advisory, why.name, why.ecosystem, why.scheme));
        let bounds = [("from", &why.introduced), ("fixed in", &why.fixed), ("last affected", &why.last_affected)];
        let bounds: Vec<String> = bounds
            .iter()
            .filter(|(_, version)| !version.is_empty())
            .map(|(word, version)| format!("{word} {version}"))
            .collect();
        if !bounds.is_empty() {
            line(format!("  affected {}", bounds.join(", ")));
        }
        if !why.vendor.is_empty() {
            line(format!("  the vendor says: {}", why.vendor));
        }
        for path in &package.paths {
            line(format!("  in {path}"));
        }
        for (word, place) in [("image layer", &package.layer), ("Lambda layer", &package.lambda_layer)] {
            if !place.is_empty() {
                line(format!("  from {word} {place}"));
            }
        }
    }
    for network in &answer.network {
        let path: Vec<&str> = network.path.iter().map(|step| step.component_id.as_str()).collect();
        line(format!(
            "{} {}-{} of {} can be reached from the {} by {}",
            network.protocol,
            network.port_begin,
            network.port_end,
            network.interface,
            network.edge,
            network.sources.join(", ")
        ));
        line(format!("  {}", path.join(" -> ")));
    }
    if let Some(score) = finding.inspector_score {
        line(format!("Score {score:.1} {}", finding.inspector_score_vector));
    }
    for reason in &answer.score_reasons {
        line(format!("  {reason}"));
    }
    text
}
