//! What is answered: reachable, blocked and by what, or not known for want of which call.

use super::{Change, Question};
use muster_domain::Step;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeSeq};

/// Whether the connection comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Request and reply both arrive.
    Reachable,
    /// Nothing known stops it, but an answer that could is missing.
    Undetermined,
    /// Something stops it.
    Blocked,
}

/// The answer to one question. Its verdict, path, blocker and changes are those of the first candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// Reachable when one candidate is; blocked only when every candidate is.
    pub verdict: Verdict,
    /// From the source inwards.
    pub path: Vec<Step>,
    /// The first thing that stops it; `None` unless blocked.
    pub blocked_by: Option<Blocker>,
    /// What to change, all of it together, so that the first candidate is reachable. Empty although blocked: no change
    /// of this path helps, `blocked_by` says why.
    #[serde(serialize_with = "with_sentences")]
    pub changes: Vec<Change>,
    /// Every way that could carry the connection: reachable first, then undetermined, then what needs the fewest
    /// changes.
    pub candidates: Vec<Candidate>,
}

/// One way that could carry the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Of this way alone.
    pub verdict: Verdict,
    /// What carries it: `local`, or the id of the gateway, peering, attachment or listener.
    pub via: String,
    /// The address that the request comes from.
    pub source: String,
    /// The address that the request is for, as the source writes it.
    pub destination: String,
    /// The components that the request passed, in order.
    pub path: Vec<Step>,
    /// Every rule and route that let the request and then the reply pass, in order.
    pub trail: Vec<Passage>,
    /// The first thing that stops it; `None` unless blocked.
    pub blocked_by: Option<Blocker>,
    /// What to change, all of it together.
    #[serde(serialize_with = "with_sentences")]
    pub changes: Vec<Change>,
    /// The answers that are missing; not empty when undetermined.
    pub undetermined: Vec<Unknown>,
}

/// What stops a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Blocker {
    /// The id of the thing that stops it.
    pub component: String,
    /// The rule or route that decides, as the console shows it; or which one lacks.
    pub rule: String,
    /// In one sentence.
    pub reason: String,
}

/// One thing that let a packet pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Passage {
    /// The id of the thing.
    pub component: String,
    /// Whether it was the reply that passed.
    pub reply: bool,
    /// The rule or route that let it.
    pub rule: String,
}

/// An answer that is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unknown {
    /// The action as IAM writes it: `ec2:DescribeNetworkAcls`.
    pub call: String,
    /// Why it is needed and not there, in one line.
    pub reason: String,
}

/// Each change with its sentence beside its parts, for people and programs.
fn with_sentences<S: Serializer>(changes: &[Change], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Told<'a> {
        sentence: String,
        #[serde(flatten)]
        change: &'a Change,
    }
    let mut list = serializer.serialize_seq(Some(changes.len()))?;
    for change in changes {
        list.serialize_element(&Told { sentence: change.sentence(), change })?;
    }
    list.end()
}
