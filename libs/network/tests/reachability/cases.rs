//! The folders of `tests/topologies`: small networks with their expected answers, worked out by hand from AWS'
//! documentation. Nothing here writes them anew.

use crate::{
    oracle::{self, Answer, Answers, Packet, World},
    probes::Probes,
    reading,
};
use ipnet::IpNet;
use muster_network::{Topology, analyze};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What a folder says about one port range.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub account: String,
    pub region: String,
    pub resource: String,
    pub interface: String,
    pub protocol: String,
    pub port_begin: u16,
    pub port_end: u16,
    pub edge: String,
    pub sources: Vec<IpNet>,
    pub path: Vec<String>,
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { resource, interface, protocol, port_begin, port_end, edge, .. } = self;
        let sources: Vec<String> = self.sources.iter().map(IpNet::to_string).collect();
        write!(f, "{edge} -> {resource} ({interface}) {protocol} {port_begin}-{port_end} from {}", sources.join(" "))?;
        write!(f, " by {}", self.path.join(" "))
    }
}

/// What a folder says cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unknown {
    pub account: String,
    pub region: String,
    pub call: String,
    #[serde(default)]
    pub resource: String,
    #[serde(default)]
    pub interface: String,
}

#[derive(Debug)]
pub struct Case {
    pub name: String,
    /// Account, region, answers.
    pub regions: Vec<(String, String, Answers)>,
    pub expected: Vec<Expected>,
    pub unknown: Vec<Unknown>,
}

impl Case {
    pub fn world(&self) -> World {
        World::read(self.regions.iter().map(|(.., answers)| answers))
    }

    pub fn topologies(&self) -> Vec<Topology> {
        let regions = self.regions.iter();
        regions.map(|(account, region, answers)| reading::topology(account, region, answers)).collect()
    }
}

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn answers(folder: &Path) -> Answers {
    let files = entries(folder).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let files = files.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path));
    files.filter(|(name, _)| !name.starts_with("expected")).map(|(name, path)| (name, json(&path))).collect()
}

/// The account and region of answers that lie in the folder itself.
fn home(answers: &Answers) -> (String, String) {
    let owner = answers.values().find_map(|answer| find(answer, "OwnerId")).unwrap_or("123456789012");
    (owner.to_owned(), "eu-central-1".to_owned())
}

fn find<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    match value {
        Value::Object(fields) => fields
            .get(key)
            .and_then(Value::as_str)
            .filter(|owner| owner.len() == 12)
            .or_else(|| fields.values().find_map(|field| find(field, key))),
        Value::Array(items) => items.iter().find_map(|item| find(item, key)),
        _ => None,
    }
}

fn read(folder: &Path) -> Case {
    let mut regions = Vec::new();
    for account in entries(folder).into_iter().filter(|path| path.is_dir()) {
        for region in entries(&account) {
            regions.push((name(&account), name(&region), answers(&region)));
        }
    }
    if regions.is_empty() {
        let answers = answers(folder);
        let (account, region) = home(&answers);
        regions.push((account, region, answers));
    }
    let unknown = folder.join("expected-undetermined.json");
    Case {
        name: name(folder),
        regions,
        expected: json(&folder.join("expected.json")),
        unknown: if unknown.exists() { json(&unknown) } else { Vec::new() },
    }
}

/// Every folder.
pub fn all() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies");
    entries(&root).iter().map(|folder| read(folder)).collect()
}

/// Whether the answers that are expected hold this packet.
fn holds(expected: &[Expected], packet: &Packet) -> bool {
    expected.iter().any(|range| {
        range.interface == packet.interface
            && range.edge == packet.edge.as_str()
            && range.protocol == packet.protocol.as_str()
            && (range.port_begin..=range.port_end).contains(&packet.port)
            && range.sources.iter().any(|block| block.contains(&packet.source))
    })
}

/// Addresses that an answer may cover without meaning them: nobody on the internet has them.
pub fn is_meant(world: &World, packet: &Packet) -> bool {
    if packet.edge != oracle::Edge::Internet {
        return true;
    }
    let interface = world.interfaces.iter().find(|interface| interface.id == packet.interface).unwrap();
    let own = world.vpcs.iter().filter(|vpc| vpc.id == interface.vpc);
    let is_own = own.flat_map(|vpc| &vpc.blocks).any(|block| block.contains(&packet.source));
    !is_own && oracle::is_on_the_internet(packet.source)
}

#[test]
fn every_folder_has_a_sentence_and_there_are_enough() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies");
    for folder in entries(&root) {
        let sentence = fs::read_to_string(folder.join("README")).unwrap();
        assert!(sentence.trim().ends_with('.'), "{}: {sentence}", folder.display());
    }
    assert!(all().len() >= 40);
}

#[test]
fn the_oracle_agrees_with_every_expected_answer() {
    let mut wrong = Vec::new();
    for case in all() {
        let world = case.world();
        let probes = Probes::of(case.regions.iter().map(|(.., answers)| answers));
        let mut told: BTreeSet<String> = BTreeSet::new();
        for packet in probes.all().filter(|packet| is_meant(&world, packet)) {
            let answer = oracle::answer(&world, &packet);
            let expected = match holds(&case.expected, &packet) {
                true => answer == Answer::Open,
                false => match &answer {
                    Answer::Unknown(_) => case.unknown.iter().any(|open| open.interface == packet.interface),
                    _ => answer == Answer::Blocked,
                },
            };
            if !expected && told.insert(format!("{} {:?}", packet.interface, packet.edge)) {
                wrong.push(format!("{}: {packet:?} is {answer:?}", case.name));
            }
        }
        for open in &case.unknown {
            let meets = probes.all().any(|packet| {
                packet.interface == open.interface && matches!(oracle::answer(&world, &packet), Answer::Unknown(_))
            });
            if !meets {
                wrong.push(format!("{}: {} is known", case.name, open.interface));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the analysis says, in the words of the folders.
fn said(topologies: &[Topology]) -> (BTreeSet<Expected>, BTreeSet<Unknown>) {
    let analyses = analyze(topologies);
    let ranges = analyses.iter().flat_map(|analysis| &analysis.reachabilities).map(|range| Expected {
        account: range.account.clone(),
        region: range.region.clone(),
        resource: range.resource.clone(),
        interface: range.interface.clone(),
        protocol: range.protocol.clone(),
        port_begin: range.port_begin,
        port_end: range.port_end,
        edge: range.edge.clone(),
        sources: range.sources.iter().map(|block| block.parse().unwrap()).collect(),
        path: range.path.iter().map(|step| step.component_id.clone()).collect(),
    });
    let unknown = analyses.iter().flat_map(|analysis| &analysis.undetermined).map(|open| Unknown {
        account: open.account.clone(),
        region: open.region.clone(),
        call: open.call.clone(),
        resource: open.resource.clone().unwrap_or_default(),
        interface: open.interface.clone().unwrap_or_default(),
    });
    (ranges.collect(), unknown.collect())
}

#[test]
fn the_analysis_says_what_every_folder_expects() {
    let mut wrong = Vec::new();
    for case in all() {
        let (ranges, unknown) = said(&case.topologies());
        let expected: BTreeSet<Expected> = case.expected.iter().cloned().collect();
        let expected_unknown: BTreeSet<Unknown> = case.unknown.iter().cloned().collect();
        let mut lines = Vec::new();
        lines.extend(expected.difference(&ranges).map(|range| format!("  - {range}")));
        lines.extend(ranges.difference(&expected).map(|range| format!("  + {range}")));
        lines.extend(expected_unknown.difference(&unknown).map(|open| format!("  - ? {open:?}")));
        lines.extend(unknown.difference(&expected_unknown).map(|open| format!("  + ? {open:?}")));
        if !lines.is_empty() {
            wrong.push(format!("{} (- expected, + said)\n{}", case.name, lines.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{} folders differ:\n{}", wrong.len(), wrong.join("\n"));
}
