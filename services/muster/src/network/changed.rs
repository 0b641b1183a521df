//! `muster network analyze DIR --diff DIR`: what a change of the network opens, closes or makes unknown.

use super::analyze::{Row, sentence, table};
use crate::{
    exit,
    terminal::{self, Format},
};
use anyhow::Result;
use muster_domain::Reachability;
use muster_network::{Analysis, ChangedSources, Difference, Undetermined, difference};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Blocks that a line of the text names; JSON has all of them.
const BLOCKS_SHOWN: usize = 8;

/// Writes what changed from one to the other.
pub fn write(before: &[Analysis], after: &[Analysis], is_damaged: bool, format: Format) -> Result<u8> {
    let difference = difference(before, after);
    match format {
        Format::Table => terminal::print(&text(&difference))?,
        Format::Json => terminal::print(&serde_json::to_string_pretty(&json(&difference)?)?)?,
    }
    let unknown = |analyses: &[Analysis]| analyses.iter().map(|analysis| analysis.undetermined.len()).sum::<usize>();
    let in_both = unknown(after) - difference.newly_undetermined.len();
    if in_both > 0 {
        terminal::say(&format!("undetermined: {in_both} answers are not known in either folder, changed or not"));
    }
    let is_known = !is_damaged && unknown(before) + unknown(after) == 0;
    Ok(if is_known { exit::GOOD } else { exit::INCOMPLETE })
}

fn text(difference: &Difference) -> String {
    if difference.is_empty() {
        return "nothing changes".to_owned();
    }
    let mut text = String::new();
    let tables = [
        ("can be reached now", &difference.became_reachable),
        ("can be reached no longer", &difference.became_unreachable),
        ("could be reached, and is undetermined now", &difference.no_longer_known),
    ];
    for (words, rows) in tables.into_iter().filter(|(_, rows)| !rows.is_empty()) {
        let rows: Vec<&Reachability> = rows.iter().collect();
        part(&mut text, &format!("{words}:\n{}", table(&rows)));
    }
    if !difference.changed_sources.is_empty() {
        let rows: Vec<&Reachability> = difference.changed_sources.iter().map(|changed| &changed.reachability).collect();
        part(&mut text, &format!("can be reached by others:\n{}", table(&rows)));
        for changed in &difference.changed_sources {
            part(&mut text, &others(changed));
        }
    }
    let undetermined =
        [("undetermined now", &difference.newly_undetermined), ("told now", &difference.no_longer_undetermined)];
    for (words, unknown) in undetermined {
        unknown.iter().for_each(|unknown| part(&mut text, &format!("{words}: {}", sentence(unknown))));
    }
    text
}

fn part(text: &mut String, lines: &str) {
    writeln!(text, "{lines}").expect("writing to a String cannot fail");
}

/// ` eni-1 TCP 22-22 internet: 10.0.0.0/8 more; 192.0.2.0/24 less`
fn others(changed: &ChangedSources) -> String {
    let Reachability { interface, resource, protocol, port_begin, port_end, edge, .. } = &changed.reachability;
    let place = if interface.is_empty() { resource } else { interface };
    let told = |blocks: &[String], word: &str| {
        let shown = blocks.iter().take(BLOCKS_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        let rest = blocks.len().saturating_sub(BLOCKS_SHOWN);
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        (!blocks.is_empty()).then(|| format!("{word} {shown}{rest}"))
    };
    let changes = told(&changed.added, "also by").into_iter().chain(told(&changed.removed, "no longer by"));
    let changes = changes.collect::<Vec<_>>().join("; ");
    format!(" {place} {protocol} {port_begin}-{port_end} from {edge}: {changes}")
}

fn json(difference: &Difference) -> Result<Value> {
    let rows = |rows: &[Reachability]| -> Result<Vec<Value>> {
        rows.iter().map(|row| Ok(serde_json::to_value(Row::of(row))?)).collect()
    };
    let changed = difference.changed_sources.iter().map(|changed| {
        let mut row = serde_json::to_value(Row::of(&changed.reachability))?;
        row["added"] = json!(changed.added);
        row["removed"] = json!(changed.removed);
        Ok(row)
    });
    let unknown = |unknown: &[Undetermined]| serde_json::to_value(unknown);
    Ok(json!({
        "became_reachable": rows(&difference.became_reachable)?,
        "became_unreachable": rows(&difference.became_unreachable)?,
        "changed_sources": changed.collect::<Result<Vec<Value>>>()?,
        "no_longer_known": rows(&difference.no_longer_known)?,
        "newly_undetermined": unknown(&difference.newly_undetermined)?,
        "no_longer_undetermined": unknown(&difference.no_longer_undetermined)?,
    }))
}
