//! `muster status`: how a running system does.

use crate::{
    ask::{Gateway, refusal},
    exit,
    terminal::{self, Format},
};
use anyhow::Result;
use jiff::Timestamp;
use muster_domain::Severity;
use muster_wire::moment;
use muster_wire::v1::{
    self, advisory_service_client::AdvisoryServiceClient, publishing_service_client::PublishingServiceClient,
    status_service_client::StatusServiceClient,
};
use serde_json::json;
use std::fmt::Write as _;
use tonic::Code;

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
    let answer = PublishingServiceClient::new(connection.clone()).list_sinks(v1::ListSinksRequest {}).await;
    let sinks = answer.map_err(refusal)?.into_inner().sinks;
    let feeds = match AdvisoryServiceClient::new(connection).list_feeds(v1::ListFeedsRequest {}).await {
        Ok(answer) => answer.into_inner().feeds,
        // The gateway runs in another process than advisories: only that one knows its feeds.
        Err(status) if status.code() == Code::Unimplemented => Vec::new(),
        Err(status) => return Err(refusal(status)),
    };
    let text = match arguments.format {
        Format::Table => table(&status, &feeds, &sinks, Timestamp::now()),
        Format::Json => serde_json::to_string_pretty(&json(&status, &feeds, &sinks))?,
    };
    terminal::print(&text)?;
    Ok(exit::GOOD)
}

fn table(status: &v1::GetStatusResponse, feeds: &[v1::Feed], sinks: &[v1::Sink], now: Timestamp) -> String {
    let mut text = format!("{} resources, {} packages\n", status.resources, status.packages);
    let mut line = |words: String| writeln!(text, "{words}").expect("writing to a String cannot fail");
    let epoch = status.epoch.clone().unwrap_or_default();
    match epoch.epoch {
        0 => line("no advisory database yet".to_owned()),
        number => {
            let age = age(epoch.built_at.as_ref().and_then(moment), now);
            line(format!("advisories: epoch {number}, {} advisories, built {age}", epoch.advisories));
        }
    }
    if let Some(v1::RecordChanges { added, changed, withdrawn }) = epoch.changes {
        line(format!("last delta: {added} records added, {changed} changed, {withdrawn} withdrawn"));
    }
    for feed in feeds {
        let age = age(feed.fetched_at.as_ref().and_then(moment), now);
        let (records, set_aside) = (feed.records, feed.set_aside);
        let error = if feed.error.is_empty() { String::new() } else { format!("; {}", feed.error) };
        line(format!("feed {}: looked at {age}, {records} records, {set_aside} set aside{error}", feed.location));
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

/// How long ago, in the largest unit that it fills.
fn age(at: Option<Timestamp>, now: Timestamp) -> String {
    let Some(at) = at else {
        return "never".to_owned();
    };
    let seconds = (now.as_second() - at.as_second()).max(0);
    let (count, unit) = match seconds {
        0..120 => (seconds, "seconds"),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit} ago")
}

fn json(status: &v1::GetStatusResponse, feeds: &[v1::Feed], sinks: &[v1::Sink]) -> serde_json::Value {
    let epoch = status.epoch.clone().unwrap_or_default();
    let sorted = |counts: &std::collections::HashMap<String, u64>| {
        counts.clone().into_iter().collect::<std::collections::BTreeMap<_, _>>()
    };
    json!({
        "resources": status.resources,
        "packages": status.packages,
        "findings": sorted(&status.findings),
        "epoch": {
            "number": epoch.epoch, "digest": epoch.digest, "advisories": epoch.advisories,
            "built_at": epoch.built_at.as_ref().and_then(moment),
            "last_delta": epoch.changes.map(|changes| json!({
                "added": changes.added, "changed": changes.changed, "withdrawn": changes.withdrawn,
            })),
        },
        "feeds": feeds.iter().map(|feed| json!({
            "location": feed.location, "looked_at": feed.fetched_at.as_ref().and_then(moment), "records": feed.records,
            "set_aside": feed.set_aside, "reasons": feed.reasons, "error": feed.error,
        })).collect::<Vec<_>>(),
        "coverage": sorted(&status.coverage),
        "accounts": status.accounts.iter().map(|account| json!({
            "account_id": account.account_id, "region": account.region, "error": account.error,
        })).collect::<Vec<_>>(),
        "sinks": sinks.iter().map(|sink| json!({ "name": sink.name, "behind": sink.behind })).collect::<Vec<_>>(),
        "dead_letters": status.dead_letters,
    })
}
