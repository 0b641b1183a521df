//! A folder of answers as the AWS CLI prints them, `aws ec2 describe-vpcs > describe-vpcs.json`, as a topology.
//!
//! A file is named after its call and holds the call's whole answer; a call about one thing carries its id behind the
//! name: `search-transit-gateway-routes-tgw-rtb-1.json`. What is broken, incomplete or not there although something
//! refers to it is a missing answer, so that what depends on it is undetermined and not safe.

mod answer;
mod calls;
mod needs;
mod origin;

pub use answer::FILE_BYTES_MAX;

use crate::topology::{MissingAnswer, Topology};
use answer::Fault;
use calls::{About, Call};
use std::collections::{BTreeMap, BTreeSet};

/// What a folder of answers holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The network, sorted, with the answers that are missing.
    pub topology: Topology,
    /// What was wrong with which file, in the order of the files.
    pub remarks: Vec<Remark>,
    /// Files that are not named after a call that is looked at.
    pub ignored: Vec<String>,
}

/// Something wrong with a file. What depends on the file is undetermined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// The file's name.
    pub file: String,
    /// What is wrong, in one line.
    pub reason: String,
}

/// All files of one account and region, each with its name. The account is twelve digits and the region for example
/// `eu-central-1`, when the folder says so; else they are what the answers say, else `unknown`.
pub fn read<Name: AsRef<str>, Content: AsRef<[u8]>>(
    files: impl IntoIterator<Item = (Name, Content)>,
    account: Option<&str>,
    region: Option<&str>,
) -> Reading {
    let mut folder = Folder::new();
    for (name, content) in files {
        folder.file(name.as_ref(), content.as_ref());
    }
    folder.finish(account, region)
}

/// Whether a file of this name is looked at.
pub fn is_read(name: &str) -> bool {
    calls::named(name).is_some()
}

/// The files' names that are looked at, with the action that each is the answer of, as IAM writes it; `…` stands for
/// the id of what the call was about.
pub fn names() -> impl Iterator<Item = (String, &'static str)> {
    calls::CALLS.iter().map(|call| {
        let behind = match call.about {
            About::Everything => "",
            About::One => "-…",
            About::Either => "[-…]",
        };
        (format!("{}{behind}.json", call.file), call.action)
    })
}

/// The files of one account and region, taken one by one: a whole region of them need not be in memory.
#[derive(Default)]
pub struct Folder {
    reading: Reading,
    given: Given,
}

/// Which calls were answered, and about what.
#[derive(Default)]
struct Given {
    /// Answered calls by their file's name, and what each was about: the id behind the name, empty for everything.
    answered: BTreeMap<&'static str, BTreeSet<String>>,
    /// Calls whose file was there, and is not the whole answer.
    failed: Vec<MissingAnswer>,
}

impl Folder {
    /// Without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether no file was taken that is looked at.
    pub fn is_empty(&self) -> bool {
        self.given.answered.is_empty() && self.given.failed.is_empty()
    }

    /// Takes one file.
    pub fn file(&mut self, name: &str, bytes: &[u8]) {
        let Some((call, about)) = calls::named(name) else {
            return self.reading.ignored.push(name.to_owned());
        };
        match answer::text(bytes).and_then(|text| self.answer(call, about, &text)) {
            Ok(true) => self.fail(call, about, name, "the answer goes on: AWS said that there is more"),
            Ok(false) => {}
            Err(fault) if call.may_be_absent && fault.is_not_there() => self.given.note(call.file, about),
            Err(fault) => self.fail(call, about, name, &fault.reason()),
        }
    }

    /// Takes a file that is there and could not be read.
    pub fn unreadable(&mut self, name: &str, reason: &str) {
        match calls::named(name) {
            Some((call, about)) => self.fail(call, about, name, reason),
            None => self.reading.ignored.push(name.to_owned()),
        }
    }

    /// Reads an answer; whether AWS has more than it tells.
    fn answer(&mut self, call: &'static Call, about: &str, text: &str) -> Result<bool, Fault> {
        let call = calls::by_content(call, text);
        let is_incomplete = (call.read)(&mut self.reading.topology, about, text)?;
        self.given.note(call.file, about);
        Ok(is_incomplete)
    }

    fn fail(&mut self, call: &Call, about: &str, name: &str, reason: &str) {
        self.reading.remarks.push(Remark { file: name.to_owned(), reason: reason.to_owned() });
        let about = (!about.is_empty()).then(|| about.to_owned());
        let reason = format!("{name}: {reason}");
        self.given.failed.push(MissingAnswer { call: call.action.into(), about, reason });
    }

    /// The topology of all files taken, in this account and region or in those that the answers name.
    pub fn finish(self, account: Option<&str>, region: Option<&str>) -> Reading {
        let Self { mut reading, mut given } = self;
        let topology = &mut reading.topology;
        needs::name_targets(topology);
        topology.sort();
        for call in calls::CALLS {
            if let Some(id) = (call.contradiction)(topology) {
                let reason = format!("{id} is described twice, and differently");
                reading.remarks.push(Remark { file: format!("{}.json", call.file), reason: reason.clone() });
                given.failed.push(MissingAnswer { call: call.action.into(), about: None, reason });
            }
        }
        topology.missing = needs::missing(topology, &given);
        let (owner, place) = origin::of(topology);
        topology.account = account.map_or(owner, str::to_owned);
        topology.region = region.map_or(place, str::to_owned);
        reading
    }
}

impl Given {
    fn note(&mut self, file: &'static str, about: &str) {
        self.answered.entry(file).or_default().insert(about.to_owned());
    }
}

#[cfg(test)]
mod tests;
