//! `muster network reachability`: what a running system says can be reached in one account and region.

use crate::{
    ask::{Gateway, refusal},
    exit,
    terminal::{self, Format},
};
use anyhow::Result;
use muster_wire::v1::{self, network_service_client::NetworkServiceClient};
use serde_json::{Value, json};

/// Rows fetched per call.
const PAGE: i32 = 500;

#[derive(clap::Args)]
pub struct Arguments {
    /// The account, twelve digits.
    #[arg(long)]
    account: String,
    /// The region, for example eu-central-1.
    #[arg(long)]
    region: String,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    gateway: Gateway,
}

/// Prints what can be reached; what could not be told goes to standard error, and the exit code says that there is some.
pub async fn run(arguments: Arguments) -> Result<u8> {
    let mut client = NetworkServiceClient::new(arguments.gateway.connect().await?);
    let (mut rows, mut undetermined) = (Vec::new(), Vec::new());
    let mut page_token = String::new();
    loop {
        let request = v1::ListReachabilitiesRequest {
            account_id: arguments.account.clone(),
            region: arguments.region.clone(),
            page_size: PAGE,
            page_token,
        };
        let answer = client.list_reachabilities(request).await.map_err(refusal)?.into_inner();
        rows.extend(answer.reachabilities);
        undetermined.extend(answer.undetermined);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    match arguments.format {
        Format::Table => terminal::print(&table(&rows))?,
        Format::Json => {
            let rows: Vec<Value> = rows.iter().map(json).collect();
            terminal::print(&serde_json::to_string_pretty(&rows)?)?;
        }
    }
    for open in &undetermined {
        terminal::say(&sentence(open));
    }
    Ok(if undetermined.is_empty() { exit::GOOD } else { exit::INCOMPLETE })
}

fn table(rows: &[v1::NetworkReachability]) -> String {
    let mut table = terminal::table(&["Resource", "Interface", "Ports", "From", "Sources", "Path"]);
    for row in rows {
        let ports = match row.port_begin == row.port_end {
            true => format!("{} {}", row.protocol, row.port_begin),
            false => format!("{} {}-{}", row.protocol, row.port_begin, row.port_end),
        };
        let path: Vec<&str> = row.path.iter().map(|step| step.component_id.as_str()).collect();
        let sources = row.sources.join(", ");
        table.add_row([row.resource_id.as_str(), &row.interface, &ports, &row.edge, &sources, &path.join(" > ")]);
    }
    table.trim_fmt()
}

/// As `muster network analyze` writes it.
fn json(row: &v1::NetworkReachability) -> Value {
    json!({
        "account": row.account_id,
        "region": row.region,
        "resource": row.resource_id,
        "interface": row.interface,
        "protocol": row.protocol,
        "port_begin": row.port_begin,
        "port_end": row.port_end,
        "edge": row.edge,
        "sources": row.sources,
        "path": row.path.iter().map(|step| step.component_id.as_str()).collect::<Vec<_>>(),
    })
}

fn sentence(open: &v1::UndeterminedReachability) -> String {
    let about = [&open.resource_id, &open.interface].into_iter().find(|id| !id.is_empty());
    let about = about.map_or("undetermined", String::as_str);
    let edge = if open.edge.is_empty() { String::new() } else { format!(" from {}", open.edge) };
    format!("{about}{edge}: not known without {}: {}", open.call, open.reason)
}
