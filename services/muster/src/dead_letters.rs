//! `muster dead-letters list | replay`.

use crate::{
    ask::{Gateway, refusal},
    exit,
    terminal::{self, Format},
};
use anyhow::Result;
use clap::Subcommand;
use muster_wire::v1::{self, publishing_service_client::PublishingServiceClient};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub enum Command {
    /// List the messages that failed as often as is allowed.
    List {
        /// How to write it.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Give one to its service again.
    Replay {
        /// Its id, as `list` shows it.
        id: String,
        #[command(flatten)]
        gateway: Gateway,
    },
}

pub async fn run(command: Command) -> Result<u8> {
    match command {
        Command::List { format, gateway } => {
            let mut client = PublishingServiceClient::new(gateway.connect().await?);
            let request = v1::ListDeadLettersRequest { limit: 1000 };
            let letters = client.list_dead_letters(request).await.map_err(refusal)?.into_inner().dead_letters;
            let text = match format {
                Format::Table => {
                    let mut table = terminal::table(&["Id", "Group", "Subject", "Attempts", "Reason"]);
                    for letter in &letters {
                        let attempts = letter.attempts.to_string();
                        table.add_row([&letter.id, &letter.group, &letter.subject, &attempts, &letter.reason]);
                    }
                    table.trim_fmt()
                }
                Format::Json => {
                    let letters: Vec<Value> = letters.iter().map(json).collect();
                    serde_json::to_string_pretty(&letters)?
                }
            };
            terminal::print(&text)?;
        }
        Command::Replay { id, gateway } => {
            let mut client = PublishingServiceClient::new(gateway.connect().await?);
            client.replay_dead_letter(v1::ReplayDeadLetterRequest { id }).await.map_err(refusal)?;
        }
    }
    Ok(exit::GOOD)
}

fn json(letter: &v1::DeadLetter) -> Value {
    json!({
        "id": letter.id,
        "group": letter.group,
        "subject": letter.subject,
        "attempts": letter.attempts,
        "reason": letter.reason,
    })
}
