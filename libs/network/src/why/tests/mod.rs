//! Tables of questions on one network of four VPCs (`base.json`), changed a little for each row. Expected answers are
//! worked out by hand from AWS' documentation.

mod filters;
mod gateways;
mod inspection;
mod joins;
mod targets;

use super::{AclEntry, Answer, Change, GroupRule, Question, Verdict, why};
use crate::topology::{MissingAnswer, Topology};

/// Changes to the network before the question is asked.
type Edit<'a> = &'a dyn Fn(&mut Topology);

const AS_IT_IS: Edit = &|_| {};

pub(super) fn base() -> Topology {
    serde_json::from_str(include_str!("base.json")).unwrap()
}

pub(super) fn ask(topology: &Topology, question: &str) -> Answer {
    let words: Vec<&str> = question.split_whitespace().collect();
    let &[source, destination, service] = words.as_slice() else { panic!("{question}") };
    why(std::slice::from_ref(topology), &Question::parse(source, destination, service).unwrap())
}

/// `reachable PATH`, `blocked COMPONENT [RULE] CHANGE; CHANGE` or `undetermined CALL`, of the first candidate.
fn told(answer: &Answer) -> String {
    let ids: Vec<&str> = answer.path.iter().map(|step| step.component_id.rsplit(':').next().unwrap()).collect();
    match (answer.verdict, &answer.blocked_by) {
        (Verdict::Reachable, None) => format!("reachable {}", ids.join(" ")),
        (Verdict::Blocked, Some(blocker)) => {
            let changes: Vec<String> = answer.changes.iter().map(Change::sentence).collect();
            format!("blocked {} [{}] {}", blocker.component, blocker.rule, changes.join("; ")).trim_end().to_owned()
        }
        (Verdict::Undetermined, None) => {
            let mut calls: Vec<&str> =
                answer.candidates[0].undetermined.iter().map(|unknown| unknown.call.as_str()).collect();
            calls.dedup();
            format!("undetermined {}", calls.join(" "))
        }
        (verdict, blocker) => panic!("{verdict:?} with {blocker:?}"),
    }
}

/// Asks, and holds each blocked candidate to its word: with all its changes made, it is blocked no more.
fn check(edit: Edit, question: &str, expected: &str) {
    let mut topology = base();
    edit(&mut topology);
    let answer = ask(&topology, question);
    assert_eq!(told(&answer), expected, "{question}\n{:#?}", answer.candidates);
    for candidate in answer.candidates.iter().filter(|candidate| !candidate.changes.is_empty()) {
        let mut changed = topology.clone();
        for change in &candidate.changes {
            assert!(change.apply(&mut changed), "{question}: {} changes nothing", change.sentence());
        }
        let after = ask(&changed, question);
        let same = after
            .candidates
            .iter()
            .any(|now| now.verdict != Verdict::Blocked && now.destination == candidate.destination);
        assert!(same, "{question}: {:?} does not open it\n{:#?}", candidate.changes, after.candidates);
    }
}

fn denied(call: &str) -> MissingAnswer {
    MissingAnswer { call: call.into(), about: None, reason: "access denied".into() }
}

/// `acl-1 in 90 deny tcp 22 0.0.0.0/0`
fn entry(words: &str) -> Change {
    let words: Vec<&str> = words.split_whitespace().collect();
    let &[acl, side, number, action, protocol, ports, peer] = words.as_slice() else { panic!("{words:?}") };
    let (begin, end) = ports.split_once('-').unwrap_or((ports, ports));
    Change::AddAclEntry(AclEntry {
        acl: acl.into(),
        egress: side == "out",
        number: number.parse().unwrap(),
        allow: action == "allow",
        protocol: protocol.into(),
        port_begin: begin.parse().unwrap(),
        port_end: end.parse().unwrap(),
        peer: peer.into(),
    })
}

/// `sg-web in tcp 22 0.0.0.0/0`
fn rule(words: &str) -> GroupRule {
    let words: Vec<&str> = words.split_whitespace().collect();
    let &[group, side, protocol, ports, peer] = words.as_slice() else { panic!("{words:?}") };
    let (begin, end) = ports.split_once('-').unwrap_or((ports, ports));
    GroupRule {
        group: group.into(),
        egress: side == "out",
        protocol: protocol.into(),
        port_begin: begin.parse().unwrap(),
        port_end: end.parse().unwrap(),
        peer: peer.into(),
    }
}

/// `rtb-public 0.0.0.0/0 igw-1`
fn route(words: &str) -> Change {
    let words: Vec<&str> = words.split_whitespace().collect();
    let &[table, destination, target] = words.as_slice() else { panic!("{words:?}") };
    Change::SetRoute { table: table.into(), destination: destination.into(), target: target.into() }
}

fn no_route(table: &str, destination: &str) -> Change {
    Change::RemoveRoute { table: table.into(), destination: destination.into() }
}

fn make(topology: &mut Topology, change: Change) {
    assert!(change.apply(topology), "{}", change.sentence());
}
