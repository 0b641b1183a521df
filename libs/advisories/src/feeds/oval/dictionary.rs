//! What a document's tests ask: tests, objects, states and variables by their ids, and what a criterion that refers to a
//! test therefore says (OVAL 5.11, "linux-definitions-schema": rpminfo, dpkginfo).

use super::publisher::is_release;
use crate::feed::WORD_BYTES_MAX;
use crate::markup::{Malformed, Markup, Tag};
use std::borrow::Cow;
use std::collections::HashMap;

/// Package names in one variable at most: Ubuntu's longest have some hundred.
const VARIABLE_VALUES_MAX: usize = 10_000;

/// What one criterion says.
pub(super) enum Condition {
    /// Of packages.
    Package(PackageTest),
    /// Which release is installed, in the publisher's words.
    Release(String),
    /// Which architectures the machine may have.
    Architectures(Vec<String>),
    /// A module stream that must be enabled.
    Module(String),
    /// Nothing that decides here: who signed a package, which kernel runs.
    Always,
    /// Something that can't be told from an inventory, with the reason: what depends on it must be left out.
    Unclear(String),
}

/// What a test asks of an installed package.
#[derive(Clone, Debug)]
pub(super) struct PackageTest {
    /// Names, any of which.
    pub(super) names: Vec<String>,
    /// Which versions.
    pub(super) bound: Bound,
    /// Architectures of the package; none: all.
    pub(super) architectures: Vec<String>,
}

/// Which versions a test is about; versions as `epoch:version-release`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// Any.
    Present,
    /// Less than.
    Below(String),
    /// Less than or equal.
    UpTo(String),
    /// Greater than, or greater than or equal. OSV ranges begin inclusively, so the version itself counts in both cases.
    From(String),
    /// Equal.
    Exactly(String),
    /// None at all: SUSE's "is not affected" asks for version 0.
    Never,
}

/// The tests of one document.
#[derive(Default)]
pub(super) struct Dictionary<'a> {
    tests: HashMap<Cow<'a, str>, Test<'a>>,
    objects: HashMap<Cow<'a, str>, Name<'a>>,
    states: HashMap<Cow<'a, str>, State<'a>>,
    variables: HashMap<Cow<'a, str>, Vec<String>>,
}

struct Test<'a> {
    kind: &'a str,
    object: Cow<'a, str>,
    states: Vec<Cow<'a, str>>,
    /// Holds where nothing satisfies it.
    inverted: bool,
}

enum Name<'a> {
    Is(String),
    Variable(Cow<'a, str>),
    Pattern,
}

/// Operation and value.
type Field<'a> = Option<(Cow<'a, str>, String)>;

#[derive(Default)]
struct State<'a> {
    evr: Field<'a>,
    version: Field<'a>,
    release: Field<'a>,
    arch: Field<'a>,
    signed: bool,
    other: Option<&'a str>,
}

impl<'a> Dictionary<'a> {
    /// Reads a document's tests, objects, states and variables; its definitions are passed over.
    pub(super) fn read(text: &'a str) -> Result<Self, Malformed> {
        let mut dictionary = Self::default();
        let mut markup = Markup::new(text);
        if markup.child()?.is_none() {
            return Err("is empty".to_owned());
        }
        while let Some(section) = markup.child()? {
            match section.name() {
                "definitions" | "generator" => markup.skip()?,
                _ => dictionary.section(&mut markup)?,
            }
        }
        Ok(dictionary)
    }

    fn section(&mut self, markup: &mut Markup<'a>) -> Result<(), Malformed> {
        while let Some(tag) = markup.child()? {
            let id = tag.attribute("id");
            match tag.name() {
                "constant_variable" => _ = self.variables.insert(id, read_values(markup)?),
                name if name.ends_with("_test") => _ = self.tests.insert(id, Test::read(markup, tag)?),
                name if name.ends_with("_object") => _ = self.objects.insert(id, Name::read(markup)?),
                name if name.ends_with("_state") => _ = self.states.insert(id, State::read(markup)?),
                _ => markup.skip()?,
            }
        }
        Ok(())
    }

    /// What a criterion says.
    ///
    /// # Errors
    /// When its test is of a kind that is not known: then the whole definition can't be told.
    pub(super) fn condition(&self, test_ref: &str, comment: &str) -> Result<Condition, String> {
        let comment = comment.trim();
        let Some(test) = self.tests.get(test_ref) else {
            return Ok(of_comment(comment));
        };
        match test.kind {
            "rpminfo_test" | "dpkginfo_test" => Ok(self.package(test, comment)),
            "rpmverifyfile_test" | "family_test" | "uname_test" | "textfilecontent54_test" => {
                of_machine(comment).ok_or_else(|| format!("criterion `{comment}` asks for more than packages"))
            }
            kind => Err(format!("test `{test_ref}` is a {kind}, which is not known")),
        }
    }

    fn package(&self, test: &Test<'a>, comment: &str) -> Condition {
        let unclear = |why: &str| Condition::Unclear(format!("criterion `{comment}` {why}"));
        if test.inverted {
            return unclear("holds where no package satisfies it");
        }
        let mut state = &State::default();
        match test.states[..] {
            [] => {}
            [ref id] => match self.states.get(id) {
                Some(known) => state = known,
                None => return of_comment(comment),
            },
            _ => return unclear("has several states"),
        }
        let Some(object) = self.objects.get(&test.object) else {
            return of_comment(comment);
        };
        let names = match object {
            Name::Is(name) => vec![name.clone()],
            Name::Variable(id) => self.variables.get(id).cloned().unwrap_or_default(),
            Name::Pattern => Vec::new(),
        };
        let is_system = is_release(comment.strip_suffix(" is installed").unwrap_or(comment))
            || names.iter().any(|name| name.ends_with("-release"));
        match state {
            State { other: Some(field), .. } => unclear(&format!("asks for `{field}`, which is not known")),
            State { signed: true, .. } => Condition::Always,
            State { release: Some((_, pattern)), .. } => {
                Condition::Unclear(format!("fixes for builds with `{pattern}` in the release are for those alone"))
            }
            State { version: None, evr: None, arch: Some((_, pattern)), .. } if is_system => {
                let machine = architectures(pattern).map(of_machines);
                machine.map_or_else(|| unclear("has unclear architectures"), Condition::Architectures)
            }
            State { evr: None, .. } if is_system => release(comment),
            State { version: Some((operation, version)), .. } if operation != "equals" || version != "0" => {
                unclear("asks for a version without its release")
            }
            _ if names.is_empty() => unclear("names no package"),
            State { version, evr, arch, .. } => {
                let Some(architectures) = arch.as_ref().map_or(Some(Vec::new()), |(_, pattern)| architectures(pattern))
                else {
                    return unclear("has unclear architectures");
                };
                let bound = match (version, evr) {
                    (Some(_), _) => Bound::Never,
                    (None, None) => Bound::Present,
                    (None, Some((operation, evr))) => match bound(operation, evr) {
                        Some(bound) => bound,
                        None => return unclear(&format!("compares by `{operation}`")),
                    },
                };
                Condition::Package(PackageTest { names, bound, architectures })
            }
        }
    }
}

impl<'a> Test<'a> {
    fn read(markup: &mut Markup<'a>, tag: Tag<'a>) -> Result<Self, Malformed> {
        let inverted = tag.attribute("check") == "none satisfy" || tag.attribute("check_existence") == "none_exist";
        let mut test = Self { kind: tag.name(), object: Cow::Borrowed(""), states: Vec::new(), inverted };
        while let Some(tag) = markup.child()? {
            match tag.name() {
                "object" => test.object = tag.attribute("object_ref"),
                "state" => test.states.push(tag.attribute("state_ref")),
                _ => {}
            }
            markup.skip()?;
        }
        Ok(test)
    }
}

impl<'a> Name<'a> {
    fn read(markup: &mut Markup<'a>) -> Result<Self, Malformed> {
        let mut name = Name::Pattern;
        while let Some(tag) = markup.child()? {
            let variable = tag.attribute("var_ref");
            let exact = matches!(&*tag.attribute("operation"), "" | "equals");
            match tag.name() {
                "name" if !variable.is_empty() => {
                    name = Name::Variable(variable);
                    markup.skip()?;
                }
                "name" if exact => name = Name::Is(markup.letters(WORD_BYTES_MAX)?),
                _ => markup.skip()?,
            }
        }
        Ok(name)
    }
}

impl<'a> State<'a> {
    fn read(markup: &mut Markup<'a>) -> Result<Self, Malformed> {
        let mut state = Self::default();
        while let Some(tag) = markup.child()? {
            let operation = match tag.attribute("operation") {
                empty if empty.is_empty() => Cow::Borrowed("equals"),
                operation => operation,
            };
            let field = match tag.name() {
                "evr" => &mut state.evr,
                "version" => &mut state.version,
                "release" => &mut state.release,
                "arch" => &mut state.arch,
                "signature_keyid" => {
                    state.signed = true;
                    markup.skip()?;
                    continue;
                }
                other => {
                    state.other = Some(other);
                    markup.skip()?;
                    continue;
                }
            };
            *field = Some((operation, markup.letters(WORD_BYTES_MAX)?));
        }
        Ok(state)
    }
}

fn read_values(markup: &mut Markup<'_>) -> Result<Vec<String>, Malformed> {
    let mut values = Vec::new();
    while let Some(tag) = markup.child()? {
        if tag.name() == "value" && values.len() < VARIABLE_VALUES_MAX {
            values.push(markup.letters(WORD_BYTES_MAX)?);
        } else {
            markup.skip()?;
        }
    }
    Ok(values)
}

/// `None` where the operation is not known.
fn bound(operation: &str, evr: &str) -> Option<Bound> {
    let evr = evr.to_owned();
    match operation {
        "less than" => Some(Bound::Below(evr)),
        "less than or equal" => Some(Bound::UpTo(evr)),
        "greater than" | "greater than or equal" => Some(Bound::From(evr)),
        "equals" => Some(Bound::Exactly(evr)),
        _ => None,
    }
}

/// `(aarch64|x86_64)` -> both; `None` where the pattern is more than a list.
fn architectures(pattern: &str) -> Option<Vec<String>> {
    let list = pattern.trim_start_matches(['^', '(']).trim_end_matches(['$', ')']);
    let sound = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    list.split('|').all(sound).then(|| crate::gather::architectures(list.split('|')))
}

/// The architectures of packages that a machine may have: one of 64 bits runs those of 32 beside its own, and what a
/// machine calls `i386` its packages call by any name of that family.
fn of_machines(machines: Vec<String>) -> Vec<String> {
    let mut packages = Vec::with_capacity(machines.len());
    for machine in machines {
        match machine.as_str() {
            "i386" | "i686" => packages.extend(["i386", "i686"].map(str::to_owned)),
            "x86_64" => packages.extend(["i686".to_owned(), machine]),
            _ => packages.push(machine),
        }
    }
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn release(comment: &str) -> Condition {
    let words = comment.trim_end_matches('.');
    Condition::Release(words.strip_suffix(" is installed").unwrap_or(words).to_owned())
}

/// What a criterion says whose test looks at files or the running kernel.
fn of_machine(comment: &str) -> Option<Condition> {
    if let Some(module) = comment.strip_prefix("Module ").and_then(|rest| rest.strip_suffix(" is enabled")) {
        return Some(Condition::Module(module.to_owned()));
    }
    // Red Hat asks whether the kernel in question runs or will. An installed one counts, whichever runs.
    let of_kernel = comment.ends_with("is currently running") || comment.ends_with("on next boot");
    if of_kernel || comment == "Red Hat Enterprise Linux must be installed" {
        return Some(Condition::Always);
    }
    comment.trim_end_matches('.').ends_with(" is installed").then(|| release(comment))
}

/// What a criterion's comment says where the document lacks its test. Oracle, Photon and Azure Linux write comments by
/// machine, in one wording, so that excerpts can be read; any other wording is unclear.
fn of_comment(comment: &str) -> Condition {
    if comment.contains(" is signed with ") {
        return Condition::Always;
    }
    if let Some((_, architecture)) = comment.split_once(" arch is ") {
        return Condition::Architectures(of_machines(vec![architecture.to_owned()]));
    }
    if comment.starts_with("Module ") && comment.ends_with(" is enabled") {
        return of_machine(comment).unwrap_or(Condition::Always);
    }
    if let Some((name, evr)) = comment.split_once(" is earlier than ") {
        let (name, evr) = (name.strip_prefix("Package ").unwrap_or(name), evr.split(',').next().unwrap_or(evr));
        let plain = |word: &str| !word.is_empty() && !word.contains(char::is_whitespace);
        if plain(name) && plain(evr) && evr.contains('-') {
            let bound = Bound::Below(evr.to_owned());
            return Condition::Package(PackageTest { names: vec![name.to_owned()], bound, architectures: Vec::new() });
        }
    }
    match comment.trim_end_matches('.').strip_suffix(" is installed") {
        Some(system) if is_release(system) => Condition::Release(system.to_owned()),
        _ => Condition::Unclear(format!("criterion `{comment}` refers to a test that the document lacks")),
    }
}
