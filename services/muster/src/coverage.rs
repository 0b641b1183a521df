//! `muster coverage`: which resources are scanned, and why others are not.

use crate::{
    ask::{Gateway, refusal},
    exit,
    terminal::{self, Format},
};
use anyhow::Result;
use muster_wire::v1::{self, inventory_service_client::InventoryServiceClient};
use serde_json::{Value, json};

/// Resources fetched per call.
const PAGE: i32 = 500;

#[derive(clap::Args)]
pub struct Arguments {
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    gateway: Gateway,
}

pub async fn run(arguments: Arguments) -> Result<u8> {
    let mut client = InventoryServiceClient::new(arguments.gateway.connect().await?);
    let mut rows = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListCoverageRequest { page_size: PAGE, page_token };
        let answer = client.list_coverage(request).await.map_err(refusal)?.into_inner();
        rows.extend(answer.coverage);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    match arguments.format {
        Format::Table => {
            let mut table = terminal::table(&["Resource", "Account", "Region", "Status", "Reason", "Detail"]);
            for row in &rows {
                let cells =
                    [&row.resource_id, &row.account_id, &row.region, &row.status_code, &row.reason, &row.detail];
                table.add_row(cells);
            }
            terminal::print(&table.trim_fmt())?;
        }
        Format::Json => {
            let rows: Vec<Value> = rows.iter().map(json).collect();
            terminal::print(&serde_json::to_string_pretty(&rows)?)?;
        }
    }
    Ok(exit::GOOD)
}

fn json(row: &v1::Coverage) -> Value {
    json!({
        "resource_id": row.resource_id,
        "account_id": row.account_id,
        "region": row.region,
        "resource_type": row.resource_type,
        "status_code": row.status_code,
        "reason": row.reason,
        "detail": row.detail,
        "inventory_digest": row.inventory_digest,
    })
}
