//! `muster cvss score`: vectors, line in, line out.

use crate::{exit, lines};
use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

#[derive(Subcommand)]
pub enum Command {
    /// Read vectors of any version and print `{version, base, temporal, environmental, score, severity}`, or `{error}`. `temporal`
    /// and `environmental` are null where the vector has no such metric; `score` is the most specific of the three.
    Score,
}

pub fn run(command: Command) -> Result<u8> {
    match command {
        Command::Score => lines::answer(|line| Ok(score(line)))?,
    }
    Ok(exit::GOOD)
}

fn score(line: &str) -> String {
    let value = match muster_cvss::score(line.trim()) {
        Ok(scores) => json!(scores),
        Err(error) => json!({ "error": error.to_string() }),
    };
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_of_any_version_has_its_scores() {
        let check = |vector: &str, expected: &str| assert_eq!(score(vector), expected, "{vector}");
        check(
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P",
            r#"{"version":"3.1","base":9.8,"temporal":9.3,"environmental":null,"score":9.3,"severity":"CRITICAL"}"#,
        );
        check(
            "AV:N/AC:M/Au:N/C:N/I:P/A:N",
            r#"{"version":"2.0","base":4.3,"temporal":null,"environmental":null,"score":4.3,"severity":"MEDIUM"}"#,
        );
        assert!(score("CVSS:3.1/AV:N").starts_with(r#"{"error":"#), "{}", score("CVSS:3.1/AV:N"));
    }
}
