//! `muster status`: how a running system does.

use crate::{
    ask::{Gateway, refusal},
    exit,
    terminal::{self, Format},
};
use anyhow::Result;
use muster_domain::Severity;
use muster_wire::v1::{
    self, publishing_service_client::PublishingServiceClient, status_service_client::StatusServiceClient,
};
use serde_json::json;
use std::fmt::Write as _;

#[derive(clap::Args)]
pub struct Arguments {
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    gateway: Gateway,
}

pub async fn run(arguments: Arguments) -> Result<u8> {
    let connection = arguments.gateway.connect().await?;
    let answer = StatusServiceClient::new(connection.clone()).get_status(v1::GetStatusRequest {}).await;
    let status = answer.map_err(refusal)?.into_inner();
    let answer = PublishingServiceClient::new(connection).list_sinks(v1::ListSinksRequest {}).await;
    let sinks = answer.map_err(refusal)?.into_inner().sinks;
    let text = match arguments.format {
        Format::Table => table(&status, &sinks),
        Format::Json => serde_json::to_string_pretty(&json(&status, &sinks))?,
    };
    terminal::print(&text)?;
    Ok(exit::GOOD)
}

fn table(status: &v1::GetStatusResponse, sinks: &[v1::Sink]) -> String {
    let mut text = format!("{} resources, {} packages\n", status.resources, status.packages);
    let mut line = |words: String| writeln!(text, "{words}").expect("writing to a String cannot fail");
    let epoch = status.epoch.clone().unwrap_or_default();
    match epoch.epoch {
        0 => line("no advisory database yet".to_owned()),
        number => line(format!("advisories: epoch {number}, {} advisories", epoch.advisories)),
    }
    for severity in Severity::ALL {
        let count = status.findings.get(severity.as_str()).copied().unwrap_or_default();
        line(format!("{:<14} {count}", severity.as_str()));
    }
    let mut coverage: Vec<_> = status.coverage.iter().collect();
    coverage.sort();
    for (reason, count) in coverage {
        line(format!("coverage {reason}: {count}"));
    }
    for account in &status.accounts {
        let state = if account.error.is_empty() { "swept" } else { account.error.as_str() };
        line(format!("account {} {}: {state}", account.account_id, account.region));
    }
    for sink in sinks {
        line(format!("{}: {} to tell", sink.name, sink.behind));
    }
    line(format!("dead letters: {}", status.dead_letters));
    text
}

fn json(status: &v1::GetStatusResponse, sinks: &[v1::Sink]) -> serde_json::Value {
    let epoch = status.epoch.clone().unwrap_or_default();
    let sorted = |counts: &std::collections::HashMap<String, u64>| {
        counts.clone().into_iter().collect::<std::collections::BTreeMap<_, _>>()
    };
    json!({
        "resources": status.resources,
        "packages": status.packages,
        "findings": sorted(&status.findings),
        "epoch": { "number": epoch.epoch, "digest": epoch.digest, "advisories": epoch.advisories },
        "coverage": sorted(&status.coverage),
        "accounts": status.accounts.iter().map(|account| json!({
            "account_id": account.account_id, "region": account.region, "error": account.error,
        })).collect::<Vec<_>>(),
        "sinks": sinks.iter().map(|sink| json!({ "name": sink.name, "behind": sink.behind })).collect::<Vec<_>>(),
        "dead_letters": status.dead_letters,
    })
}
