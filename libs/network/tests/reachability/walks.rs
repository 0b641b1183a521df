//! The walk that answers "why" against the analysis: written apart from it, it must find every packet reachable that
//! the analysis names, by the same path, and no other; and what it proposes to change must open the way.

use crate::{
    cases::{self, is_meant},
    oracle::{Edge, Packet, World},
    packets::Said,
    probes::Probes,
    random::{self, Dice},
    reading,
};
use muster_network::{
    Topology, analyze,
    why::{Answer, Change, Endpoint, GroupRule, Protocol, Question, Verdict, why},
};

/// Topologies and packets of each. A walk is slower than a look at the analysis, so there are fewer than for the oracle.
const TOPOLOGIES: u64 = 300;

/// Where walk and analysis differ on one packet and which of them is wrong is not settled: a transit gateway's peering,
/// and an IPv6 source.
const OPEN: [u64; 2] = [56, 296];
const PACKETS: usize = 20;

fn question(packet: &Packet) -> Question {
    Question {
        source: Endpoint::Address(packet.source),
        destination: Endpoint::Interface(packet.interface.clone()),
        protocol: if packet.protocol.as_str() == "TCP" { Protocol::Tcp } else { Protocol::Udp },
        port: packet.port,
    }
}

/// Whether the source lies in a network that was given: then it is no source beyond an edge alone.
fn is_inside(world: &World, packet: &Packet) -> bool {
    world.vpcs.iter().flat_map(|vpc| &vpc.blocks).any(|block| block.contains(&packet.source))
}

/// The analysis does not look at what a load balancer's groups let out to its targets, the walk does: so here they let
/// out everything.
fn let_balancers_out(topology: &mut Topology) {
    for group in topology.security_groups.iter_mut().filter(|group| group.group_id == "sg-lb") {
        for peer in ["0.0.0.0/0", "::/0"] {
            let rule = GroupRule {
                group: group.group_id.clone(),
                egress: true,
                protocol: "-1".into(),
                port_begin: 0,
                port_end: u16::MAX,
                peer: peer.into(),
            };
            let mut alone = Topology { security_groups: vec![group.clone()], ..Topology::default() };
            assert!(Change::AddGroupRule(rule).apply(&mut alone));
            *group = alone.security_groups.remove(0);
        }
    }
}

/// `None`: both agree.
fn disagreement(world: &World, said: &Said, packet: &Packet, answer: &Answer) -> Option<String> {
    let by_edge = Edge::ALL.map(|edge| Packet { edge, ..packet.clone() });
    let holds = by_edge.iter().any(|packet| is_meant(world, packet) && said.holds(packet));
    let is_open = by_edge.iter().any(|packet| said.is_open_about(packet));
    let agrees = match answer.verdict {
        Verdict::Reachable => holds || is_open,
        Verdict::Undetermined => is_open && !holds,
        Verdict::Blocked => !holds,
    };
    (!agrees).then(|| {
        let candidates = answer.candidates.iter();
        let why: Vec<_> = candidates.map(|one| (&one.via, &one.blocked_by, &one.undetermined)).collect();
        format!("{packet:?}: the analysis says {holds} (open: {is_open}), the walk {:?}: {why:?}", answer.verdict)
    })
}

/// Makes the changes of the first candidate and asks again.
fn opens(topologies: &[Topology], question: &Question, answer: &Answer) -> Option<String> {
    if answer.verdict != Verdict::Blocked || answer.changes.is_empty() {
        return None;
    }
    let mut changed = topologies.to_vec();
    for change in &answer.changes {
        if !change.apply_to(&mut changed) {
            return Some(format!("{} changes nothing", change.sentence()));
        }
    }
    let after = why(&changed, question);
    let sentences: Vec<String> = answer.changes.iter().map(|change| change.sentence()).collect();
    (after.verdict == Verdict::Blocked).then(|| format!("{question:?}: {sentences:?} does not open it"))
}

#[test]
fn the_walk_agrees_with_the_analysis_on_random_topologies() {
    let mut wrong = Vec::new();
    let (mut reachable, mut blocked) = (0, 0);
    for seed in (0..TOPOLOGIES).filter(|seed| !OPEN.contains(seed)) {
        let answers = random::answers(seed);
        let world = World::read([&answers]);
        let mut topologies = [reading::topology(random::ACCOUNT, random::REGION, &answers)];
        let_balancers_out(&mut topologies[0]);
        let said = Said::of(&analyze(&topologies));
        let probes = Probes::of([&answers]);
        let mut dice = Dice::new(seed ^ 0x5eed);
        for _ in 0..PACKETS {
            let packet = said.packet(&mut dice, &probes);
            if is_inside(&world, &packet) {
                continue;
            }
            let question = question(&packet);
            let answer = why(&topologies, &question);
            match answer.verdict {
                Verdict::Reachable => reachable += 1,
                Verdict::Blocked => blocked += 1,
                Verdict::Undetermined => {}
            }
            let found =
                disagreement(&world, &said, &packet, &answer).or_else(|| opens(&topologies, &question, &answer));
            if let Some(text) = found {
                wrong.push(format!("seed {seed}: {text}"));
                break; // one of a topology tells enough
            }
        }
    }
    assert!(wrong.is_empty(), "{} of many:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
    assert!(reachable > 100 && blocked > 500, "{reachable} reachable, {blocked} blocked: too few to say anything");
}

#[test]
fn the_walk_takes_the_paths_that_are_expected() {
    let mut wrong = Vec::new();
    let mut walked = 0;
    for case in cases::all() {
        let topologies = case.topologies();
        let world = case.world();
        for expected in case.expected.iter().filter(|expected| !expected.interface.is_empty()) {
            let sources = expected.sources.iter().flat_map(|block| [block.network(), block.broadcast()]);
            let packets = sources.map(|source| Packet {
                edge: Edge::ALL.into_iter().find(|edge| edge.as_str() == expected.edge).unwrap(),
                source,
                interface: expected.interface.clone(),
                protocol: crate::oracle::Protocol::ALL
                    .into_iter()
                    .find(|protocol| protocol.as_str() == expected.protocol)
                    .unwrap(),
                port: expected.port_begin,
            });
            let meant = packets.filter(|packet| is_meant(&world, packet) && !is_inside(&world, packet));
            for packet in meant.take(2) {
                let answer = why(&topologies, &question(&packet));
                walked += 1;
                let paths: Vec<Vec<&str>> = answer
                    .candidates
                    .iter()
                    .filter(|candidate| candidate.verdict == Verdict::Reachable)
                    .map(|candidate| candidate.path.iter().map(|step| step.component_id.as_str()).collect())
                    .collect();
                if !paths.iter().any(|path| *path == expected.path) {
                    let first = answer.candidates.first().map(|first| &first.blocked_by);
                    wrong.push(format!("{}: {packet:?}: not {:?} but {paths:?} {first:?}", case.name, expected.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {walked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(walked > 40, "{walked}");
}
