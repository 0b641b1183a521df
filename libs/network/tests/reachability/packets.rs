//! The analysis against the oracle, 100,000 packets a run: where the oracle lets a packet through the analysis must
//! name its source and port, where it does not the analysis must not, and where AWS did not say enough the analysis
//! must say so too.

use crate::{
    cases::is_meant,
    oracle::{self, Answer, Edge, Packet, Protocol, World},
    probes::Probes,
    random::{self, Dice},
    reading,
};
use ipnet::IpNet;
use muster_network::{Analysis, analyze};
use std::collections::BTreeMap;

/// Four runs side by side, each of this many topologies with this many packets: 100,000 packets together.
const TOPOLOGIES: u64 = 250;
const PACKETS: usize = 100;

/// What the analysis says, with its blocks read.
pub struct Said {
    ranges: Vec<(String, String, String, u16, u16, Vec<IpNet>)>,
    /// Interface, or everything; and from which edge.
    unknown: Vec<(Option<String>, Option<String>)>,
}

impl Said {
    pub fn of(analyses: &[Analysis]) -> Self {
        let ranges = analyses.iter().flat_map(|analysis| &analysis.reachabilities).map(|range| {
            (
                range.interface.clone(),
                range.edge.clone(),
                range.protocol.clone(),
                range.port_begin,
                range.port_end,
                range.sources.iter().map(|block| block.parse().unwrap()).collect(),
            )
        });
        let unknown = analyses.iter().flat_map(|analysis| &analysis.undetermined);
        let unknown = unknown.map(|open| (open.interface.clone(), open.edge.clone()));
        Self { ranges: ranges.collect(), unknown: unknown.collect() }
    }

    pub fn holds(&self, packet: &Packet) -> bool {
        self.ranges.iter().any(|(interface, edge, protocol, begin, end, sources)| {
            *interface == packet.interface
                && edge == packet.edge.as_str()
                && protocol == packet.protocol.as_str()
                && (*begin..=*end).contains(&packet.port)
                && sources.iter().any(|block| block.contains(&packet.source))
        })
    }

    /// A packet at or beside an edge of something; every second one of those that are said to come through, so that
    /// there are enough of them.
    pub fn packet(&self, dice: &mut Dice, probes: &Probes) -> Packet {
        let by_chance = Packet {
            edge: *dice.pick(&Edge::ALL),
            source: *dice.pick(&probes.sources),
            interface: dice.pick(&probes.interfaces).clone(),
            protocol: *dice.pick(&Protocol::ALL),
            port: *dice.pick(&probes.ports),
        };
        if self.ranges.is_empty() || dice.one_in(2) {
            return by_chance;
        }
        let (interface, edge, protocol, begin, end, sources) = dice.pick(&self.ranges);
        let block = dice.pick(sources);
        let near: Vec<_> = probes.sources.iter().filter(|source| block.contains(*source)).copied().collect();
        let ports = [begin.wrapping_sub(1), *begin, *end, end.wrapping_add(1)];
        Packet {
            edge: Edge::ALL.into_iter().find(|known| known.as_str() == edge).unwrap_or(by_chance.edge),
            source: if near.is_empty() || dice.one_in(4) { by_chance.source } else { *dice.pick(&near) },
            interface: interface.clone(),
            protocol: Protocol::ALL.into_iter().find(|known| known.as_str() == protocol).unwrap(),
            port: if dice.one_in(4) { by_chance.port } else { *dice.pick(&ports) },
        }
    }

    /// Whether it says that it cannot tell.
    pub fn is_open_about(&self, packet: &Packet) -> bool {
        self.unknown.iter().any(|(interface, edge)| {
            interface.as_ref().is_none_or(|interface| *interface == packet.interface)
                && edge.as_deref().is_none_or(|edge| edge == packet.edge.as_str())
        })
    }
}

/// `None`: both agree.
pub fn disagreement(world: &World, said: &Said, packet: &Packet) -> Option<String> {
    if !is_meant(world, packet) {
        return None;
    }
    let answer = oracle::answer(world, packet);
    let (holds, is_open) = (said.holds(packet), said.is_open_about(packet));
    let agrees = match answer {
        Answer::Open => holds || is_open,
        Answer::Blocked => !holds,
        Answer::Unknown(_) => is_open && !holds,
    };
    let analysis = match (holds, is_open) {
        (true, _) => "reachable",
        (false, true) => "undetermined",
        (false, false) => "blocked",
    };
    (!agrees).then(|| format!("{packet:?}: the oracle says {answer:?}, the analysis {analysis}"))
}

/// Seeds begin at zero, or where MUSTER_FIRST_SEED says: for a longer hunt.
fn run(seeds: std::ops::Range<u64>) {
    let first: u64 = std::env::var("MUSTER_FIRST_SEED").map_or(0, |first| first.parse().unwrap());
    let seeds = first + seeds.start..first + seeds.end;
    let mut wrong = Vec::new();
    let (mut open, mut unknown) = (0, 0);
    for seed in seeds {
        let answers = random::answers(seed);
        let world = World::read([&answers]);
        let said = Said::of(&analyze(&[reading::topology(random::ACCOUNT, random::REGION, &answers)]));
        let probes = Probes::of([&answers]);
        let mut dice = Dice::new(seed);
        for _ in 0..PACKETS {
            let packet = said.packet(&mut dice, &probes);
            if !probes.interfaces.contains(&packet.interface) {
                continue; // a function, which no packet reaches
            }
            open += usize::from(said.holds(&packet));
            unknown += usize::from(said.is_open_about(&packet));
            wrong.extend(disagreement(&world, &said, &packet).map(|text| format!("seed {seed}: {text}")));
        }
    }
    println!("{open} packets come through, {unknown} are undetermined");
    assert!(wrong.is_empty(), "{} packets, first ones:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
    assert!(open > 100, "too few packets come through to mean anything: {open}");
}

#[test]
fn random_networks_agree_first_quarter() {
    run(0..TOPOLOGIES);
}

#[test]
fn random_networks_agree_second_quarter() {
    run(TOPOLOGIES..2 * TOPOLOGIES);
}

#[test]
fn random_networks_agree_third_quarter() {
    run(2 * TOPOLOGIES..3 * TOPOLOGIES);
}

#[test]
fn random_networks_agree_fourth_quarter() {
    run(3 * TOPOLOGIES..4 * TOPOLOGIES);
}

/// Networks in which something is undetermined, each asked with every packet until one is.
const UNDETERMINED: usize = 20;

#[test]
fn what_is_undetermined_hangs_on_an_answer_that_is_missing() {
    let mut asked = 0;
    for seed in 0.. {
        let answers = random::answers(seed);
        let analyses = analyze(&[reading::topology(random::ACCOUNT, random::REGION, &answers)]);
        let said = Said::of(&analyses);
        if said.unknown.is_empty() {
            continue;
        }
        let world = World::read([&answers]);
        let mut probes = Probes::of([&answers]);
        for (interface, edge) in &said.unknown {
            let Some(interface) = interface else { continue };
            probes.interfaces = vec![interface.clone()];
            let mut packets = probes.all().filter(|packet| {
                edge.as_deref().is_none_or(|edge| edge == packet.edge.as_str()) && is_meant(&world, packet)
            });
            let hangs = packets.any(|packet| matches!(oracle::answer(&world, &packet), Answer::Unknown(_)));
            assert!(hangs, "seed {seed}: {interface} is known from {edge:?}: {:?}", analyses[0].undetermined);
        }
        asked += 1;
        if asked == UNDETERMINED {
            return;
        }
    }
}

/// Every kind of step, so that no component stands in the random networks for nothing.
#[test]
fn random_networks_lead_through_every_component() {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for seed in 0..600 {
        let answers = random::answers(seed);
        for range in analyze(&[reading::topology(random::ACCOUNT, random::REGION, &answers)]).remove(0).reachabilities {
            for step in range.path {
                *counts.entry((range.edge.clone(), step.component_type)).or_default() += 1;
            }
        }
    }
    let passed = |edge: &str, kind: &str| {
        let of_kind = counts.iter().filter(|((other, step), _)| other == edge && step.ends_with(kind));
        of_kind.map(|(_, count)| count).sum::<usize>()
    };
    for (edge, kind) in [
        ("internet", "::InternetGateway"),
        ("internet", "::VPCEndpoint"),
        ("internet", "V2::LoadBalancer"),
        ("internet", "V2::TargetGroup"),
        ("internet", "ElasticLoadBalancing::LoadBalancer"),
        ("peer", "::VPCPeeringConnection"),
        ("vpn", "::VPNGateway"),
        ("vpn", "::TransitGateway"),
        ("direct-connect", "::VPNGateway"),
        ("direct-connect", "::TransitGateway"),
        ("transit", "::TransitGateway"),
    ] {
        assert!(passed(edge, kind) >= 5, "from {edge} through {kind}: {} of {counts:?}", passed(edge, kind));
    }
}

#[test]
#[ignore = "prints the network of the seed in MUSTER_SEED and what is said of it, to look into a disagreement"]
fn one_seed_in_full() {
    let seed = std::env::var("MUSTER_SEED").unwrap().parse().unwrap();
    let answers = random::answers(seed);
    println!("{}", serde_json::to_string(&answers).unwrap());
    for analysis in analyze(&[reading::topology(random::ACCOUNT, random::REGION, &answers)]) {
        println!("{}", serde_json::to_string(&analysis).unwrap());
    }
}
