//! `muster network analyze DIR`: all that can be reached, as a table or as JSON.

use super::{changed, folder, why};
use crate::{
    exit,
    terminal::{self, Format},
};
use anyhow::{Context, Result, ensure};
use muster_domain::Reachability;
use muster_network::{Analysis, Undetermined, analyze};
use serde::Serialize;
use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// Where connections may come from, as the answers name it.
const EDGES: [&str; 5] = ["internet", "peer", "vpn", "direct-connect", "transit"];

/// Rows of one table. A table is laid out as a whole; longer lists become several tables, so that a region of any size
/// is written in bounded memory.
const TABLE_ROWS_MAX: usize = 10_000;

/// Sources that a table shows; JSON has all of them.
const SOURCES_SHOWN: usize = 4;

#[derive(clap::Args)]
pub struct Arguments {
    /// A folder of answers of the AWS CLI, one file per call (describe-vpcs.json, …): those of one account and region, or
    /// ACCOUNT/REGION/ folders of them.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Say why the source can, or cannot, reach the destination. Both are an address, an interface (eni-…), an instance
    /// (i-…) or `internet`; the destination may also be a load balancer's name or ARN; then tcp/22, udp/53, ….
    #[arg(long, num_args = 3, value_names = ["SOURCE", "DESTINATION", "PROTOCOL/PORT"])]
    why: Option<Vec<String>>,
    /// Say what can and what can no longer be reached in this other folder.
    #[arg(long, value_name = "DIR", conflicts_with = "why")]
    diff: Option<PathBuf>,
    /// Draw the path that --why answers with, as SVG.
    #[arg(long, value_name = "FILE", requires = "why")]
    picture: Option<PathBuf>,
    /// Only from these edges, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = EDGES, conflicts_with = "why")]
    edge: Vec<String>,
    /// Only these resources (or interfaces), separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "why")]
    resource: Vec<String>,
    /// Write what could not be told as a JSON array to this file, beside saying it on stderr.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["why", "diff"])]
    undetermined: Option<PathBuf>,
}

pub fn run(arguments: Arguments) -> Result<u8> {
    for output in arguments.picture.iter().chain(&arguments.undetermined) {
        for input in std::iter::once(&arguments.folder).chain(&arguments.diff) {
            let is_input = folder::is_answer_in(input, output);
            ensure!(!is_input, "{} is an answer in {}, and is not overwritten", output.display(), input.display());
        }
    }
    if let Some(question) = &arguments.why {
        let question = why::question(question)?;
        let given = folder::read(&arguments.folder)?;
        return why::run(&given, &question, arguments.format, arguments.picture.as_deref());
    }
    let filter = Filter { edges: arguments.edge, resources: arguments.resource };
    let given = folder::read(&arguments.folder)?;
    let mut before = analyze(&given.topologies);
    filter.apply(&mut before);
    let is_damaged = given.is_damaged;
    drop(given);
    let Some(other) = &arguments.diff else {
        return write(&before, is_damaged, arguments.format, arguments.undetermined.as_deref());
    };
    let given = folder::read(other)?;
    let mut after = analyze(&given.topologies);
    filter.apply(&mut after);
    changed::write(&before, &after, is_damaged || given.is_damaged, arguments.format)
}

/// What is asked for; an empty list is everything.
struct Filter {
    edges: Vec<String>,
    resources: Vec<String>,
}

impl Filter {
    fn apply(&self, analyses: &mut [Analysis]) {
        let is_wanted = |list: &[String], word: &str| list.is_empty() || list.iter().any(|wanted| wanted == word);
        for analysis in analyses {
            analysis.reachabilities.retain(|one| {
                is_wanted(&self.edges, &one.edge)
                    && (is_wanted(&self.resources, &one.resource) || is_wanted(&self.resources, &one.interface))
            });
            // What is not known of any resource, or from any edge, is not known of those that are asked for.
            analysis.undetermined.retain(|one| {
                let about = [&one.resource, &one.interface];
                let is_general = about.iter().all(|about| about.is_none());
                one.edge.as_ref().is_none_or(|edge| is_wanted(&self.edges, edge))
                    && (is_general || about.into_iter().flatten().any(|id| is_wanted(&self.resources, id)))
            });
        }
    }
}

/// Writes all that can be reached, and says what could not be told.
fn write(analyses: &[Analysis], is_damaged: bool, format: Format, undetermined: Option<&Path>) -> Result<u8> {
    let mut output = BufWriter::new(io::stdout().lock());
    match format {
        Format::Table => tables(&mut output, analyses)?,
        Format::Json => array(&mut output, analyses.iter().flat_map(|one| &one.reachabilities).map(Row::of))?,
    }
    output.flush()?;
    drop(output);
    let unknown = || analyses.iter().flat_map(|analysis| &analysis.undetermined);
    if let Some(path) = undetermined {
        let write = || -> Result<()> {
            let mut file = BufWriter::new(std::fs::File::create(path)?);
            array(&mut file, unknown())?;
            Ok(file.flush()?)
        };
        write().with_context(|| format!("write {}", path.display()))?;
    }
    unknown().for_each(|unknown| terminal::say(&format!("undetermined: {}", sentence(unknown))));
    Ok(if is_damaged || unknown().next().is_some() { exit::INCOMPLETE } else { exit::GOOD })
}

/// `i-1 from internet in 111122223333/eu-central-1: not known without ec2:DescribeNetworkAcls: …`
pub fn sentence(unknown: &Undetermined) -> String {
    let about = unknown.resource.as_deref().or(unknown.interface.as_deref()).unwrap_or("everything");
    let interface = match &unknown.interface {
        Some(interface) if interface != about => format!(" ({interface})"),
        _ => String::new(),
    };
    let edge = unknown.edge.as_deref().map_or(String::new(), |edge| format!(" from {edge}"));
    format!(
        "{about}{interface}{edge} in {}/{}: not known without {}: {}",
        unknown.account, unknown.region, unknown.call, unknown.reason
    )
}

/// One element of the JSON array.
#[derive(Serialize)]
pub struct Row<'a> {
    account: &'a str,
    region: &'a str,
    resource: &'a str,
    interface: &'a str,
    protocol: &'a str,
    port_begin: u16,
    port_end: u16,
    edge: &'a str,
    sources: &'a [String],
    path: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// The same, its path as the ids of its steps.
    pub fn of(reachability: &'a Reachability) -> Self {
        Self {
            account: &reachability.account,
            region: &reachability.region,
            resource: &reachability.resource,
            interface: &reachability.interface,
            protocol: &reachability.protocol,
            port_begin: reachability.port_begin,
            port_end: reachability.port_end,
            edge: &reachability.edge,
            sources: &reachability.sources,
            path: reachability.path.iter().map(|step| step.component_id.as_str()).collect(),
        }
    }
}

/// A JSON array, an element a line, each written as soon as it is there.
fn array<T: Serialize>(output: &mut impl Write, elements: impl Iterator<Item = T>) -> io::Result<()> {
    output.write_all(b"[")?;
    for (position, element) in elements.enumerate() {
        output.write_all(if position == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *output, &element)?;
    }
    output.write_all(b"\n]\n")
}

fn tables(output: &mut impl Write, analyses: &[Analysis]) -> io::Result<()> {
    let all: Vec<&Reachability> = analyses.iter().flat_map(|analysis| &analysis.reachabilities).collect();
    for rows in all.chunks(TABLE_ROWS_MAX) {
        writeln!(output, "{}", table(rows))?;
    }
    let resources = all.iter().map(|one| (&one.account, &one.region, &one.resource));
    let resources = resources.collect::<std::collections::BTreeSet<_>>().len();
    let ranges = if all.len() == 1 { "1 port range".to_owned() } else { format!("{} port ranges", all.len()) };
    let resources = if resources == 1 { "1 resource".to_owned() } else { format!("{resources} resources") };
    writeln!(output, "{ranges} of {resources} can be reached")
}

/// Port ranges of resources, a line each.
pub fn table(rows: &[&Reachability]) -> String {
    let mut table =
        terminal::table(&["Account", "Region", "Resource", "Interface", "Ports", "From", "Sources", "Path"]);
    for row in rows {
        let path: Vec<&str> = row.path.iter().map(|step| step.component_id.as_str()).collect();
        table.add_row([
            row.account.as_str(),
            &row.region,
            &row.resource,
            &row.interface,
            &ports(row),
            &row.edge,
            &sources(&row.sources),
            &path.join(" > "),
        ]);
    }
    table.trim_fmt()
}

fn ports(row: &Reachability) -> String {
    match (row.port_begin, row.port_end) {
        (0, u16::MAX) => format!("{} all", row.protocol),
        (first, last) if first == last => format!("{} {first}", row.protocol),
        (first, last) => format!("{} {first}-{last}", row.protocol),
    }
}

fn sources(sources: &[String]) -> String {
    let shown = sources.iter().take(SOURCES_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match sources.len().saturating_sub(SOURCES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(edge: &str, resource: &str) -> Reachability {
        Reachability {
            account: "111122223333".into(),
            region: "eu-central-1".into(),
            resource: resource.into(),
            interface: "eni-1".into(),
            protocol: "TCP".into(),
            port_begin: 22,
            port_end: 22,
            edge: edge.into(),
            sources: vec!["0.0.0.0/0".into()],
            path: Vec::new(),
        }
    }

    #[test]
    fn an_array_is_json_whatever_its_length() {
        for length in 0..3 {
            let rows: Vec<Reachability> = (0..length).map(|_| row("internet", "i-1")).collect();
            let mut written = Vec::new();
            array(&mut written, rows.iter().map(Row::of)).unwrap();
            let read: Vec<serde_json::Value> = serde_json::from_slice(&written).unwrap();
            assert_eq!(read.len(), length);
        }
    }

    #[test]
    fn a_filter_keeps_what_is_not_known_of_everything() {
        let unknown = |resource: Option<&str>, edge: Option<&str>| Undetermined {
            resource: resource.map(str::to_owned),
            edge: edge.map(str::to_owned),
            ..Undetermined::default()
        };
        let mut analyses = [Analysis {
            reachabilities: vec![row("internet", "i-1"), row("peer", "i-1"), row("peer", "i-2")],
            undetermined: vec![
                unknown(None, None),
                unknown(Some("i-1"), Some("peer")),
                unknown(Some("i-2"), None),
                unknown(Some("i-1"), Some("internet")),
            ],
            ..Analysis::default()
        }];
        Filter { edges: vec!["peer".into()], resources: vec!["i-1".into()] }.apply(&mut analyses);
        assert_eq!(analyses[0].reachabilities, [row("peer", "i-1")]);
        assert_eq!(analyses[0].undetermined, [unknown(None, None), unknown(Some("i-1"), Some("peer"))]);
    }

    #[test]
    fn a_table_shortens_what_json_has_whole() {
        let check = |count: usize, expected: &str| {
            let all: Vec<String> = (0..count).map(|number| format!("10.0.{number}.0/24")).collect();
            assert_eq!(sources(&all), expected);
        };
        check(1, "10.0.0.0/24");
        check(4, "10.0.0.0/24, 10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24");
        check(6, "10.0.0.0/24, 10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24 and 2 more");
        let range = |first, last| ports(&Reachability { port_begin: first, port_end: last, ..row("internet", "i-1") });
        assert_eq!(
            (range(22, 22), range(22, 80), range(0, 65535)),
            ("TCP 22".into(), "TCP 22-80".into(), "TCP all".into())
        );
    }
}
