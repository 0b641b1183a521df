//! `muster network analyze DIR --why SOURCE DESTINATION PROTOCOL/PORT`: whether a connection comes about, and if not what
//! stops it on each path and what would have to change.

use super::folder::Given;
use crate::{
    exit,
    terminal::{self, Format},
};
use anyhow::{Context, Result};
use muster_domain::Step;
use muster_network::{
    Answer, Question, picture, why,
    why::{Candidate, QuestionError, Verdict},
};
use serde_json::{Value, json};
use std::{fmt::Write as _, path::Path};

/// The question of the command line: three words.
pub fn question(words: &[String]) -> Result<Question> {
    let [source, destination, service] = words else { anyhow::bail!("--why takes three words") };
    Ok(Question::parse(source, destination, service)?)
}

/// Writes the answer, and draws its path.
pub fn run(given: &Given, question: &Question, format: Format, drawing: Option<&Path>) -> Result<u8> {
    let unread = missing(given, "ec2:DescribeNetworkInterfaces");
    match question.check(&given.topologies) {
        // What is not known to be there may be in what could not be read.
        Err(QuestionError::Unknown(_)) if unread.is_some() => {}
        checked => checked?,
    }
    let answer = why(&given.topologies, question);
    if let Some(path) = drawing {
        std::fs::write(path, picture(&answer)).with_context(|| format!("write {}", path.display()))?;
    }
    match format {
        Format::Table => terminal::print(&text(&answer, unread.as_deref()))?,
        Format::Json => terminal::print(&serde_json::to_string_pretty(&json(&answer)?)?)?,
    }
    // What the answer does not depend on may be broken: the verdict says it.
    Ok(if answer.verdict == Verdict::Undetermined { exit::INCOMPLETE } else { exit::GOOD })
}

/// Why a call was not answered, and where.
fn missing(given: &Given, call: &str) -> Option<String> {
    let mut missing =
        given.topologies.iter().flat_map(|topology| topology.missing.iter().map(move |one| (topology, one)));
    let (topology, missing) = missing.find(|(_, missing)| missing.call == call)?;
    Some(format!("not known without {call} in {}/{}: {}", topology.account, topology.region, missing.reason))
}

fn text(answer: &Answer, unread: Option<&str>) -> String {
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{words}").expect("writing to a String cannot fail");
    let question = &answer.question;
    let verdict = word(answer.verdict);
    line(format!("{} to {} on {}: {verdict}", question.source, question.destination, question.service()));
    for candidate in &answer.candidates {
        told(candidate, &mut line);
    }
    if answer.candidates.is_empty() {
        if let Some(blocker) = &answer.blocked_by {
            line(format!("  {} stops it: {}", blocker.component, blocker.reason));
        }
        answer.changes.iter().for_each(|change| line(format!("  to let it pass: {}", change.sentence())));
        unread.into_iter().for_each(|reason| line(format!("  {reason}")));
    }
    text
}

/// One way, in indented lines.
fn told(candidate: &Candidate, line: &mut impl FnMut(String)) {
    let (source, destination) = (&candidate.source, &candidate.destination);
    line(format!("{} by {}: {source} to {destination}", word(candidate.verdict), candidate.via));
    if !candidate.path.is_empty() {
        line(format!("  path: {}", ids(&candidate.path).join(" > ")));
    }
    for passage in &candidate.trail {
        let direction = if passage.reply { "back" } else { "in" };
        line(format!("  {direction}: {} lets it pass: {}", passage.component, passage.rule));
    }
    if let Some(blocker) = &candidate.blocked_by {
        line(format!("  {} stops it: {}", blocker.component, blocker.rule));
        line(format!("  {}", blocker.reason));
    }
    candidate.changes.iter().for_each(|change| line(format!("  to let it pass: {}", change.sentence())));
    candidate.undetermined.iter().for_each(|one| line(format!("  not known without {}: {}", one.call, one.reason)));
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reachable => "reachable",
        Verdict::Blocked => "blocked",
        Verdict::Undetermined => "undetermined",
    }
}

fn ids(path: &[Step]) -> Vec<&str> {
    path.iter().map(|step| step.component_id.as_str()).collect()
}

/// The answer with the ids of its steps, and without the question.
fn json(answer: &Answer) -> Result<Value> {
    let candidates: Result<Vec<Value>> = answer
        .candidates
        .iter()
        .map(|candidate| {
            let mut value = serde_json::to_value(candidate)?;
            value["path"] = json!(ids(&candidate.path));
            Ok(value)
        })
        .collect();
    let mut whole = serde_json::to_value(answer)?;
    Ok(json!({
        "verdict": whole["verdict"].take(),
        "path": ids(&answer.path),
        "blocked_by": whole["blocked_by"].take(),
        "changes": whole["changes"].take(),
        "candidates": candidates?,
    }))
}
