//! A definition's tree of criteria as alternatives: it holds where all that one alternative says holds.
//!
//! An AND of ORs multiplies, so what is said of the machine alone (releases, architectures) stays one alternative with a
//! list, and the work per definition is bounded by the criteria in it.

use super::dictionary::{Bound, Condition, Dictionary, PackageTest};
use crate::markup::{Malformed, Markup, Tag};
use std::collections::HashMap;
use std::rc::Rc;

/// Criteria within criteria at most: real trees stay below 10.
const DEPTH_MAX: usize = 64;
/// Words copied while alternatives are made, per criterion read: real trees copy fewer than 100, where some thousand
/// packages meet some dozen products.
const WORK_PER_CRITERION: isize = 256;
/// Work that any definition may cause.
const WORK_FREE: isize = 10_000;

/// One way in which a definition holds.
#[derive(Clone, Default)]
pub(super) struct Alternative {
    /// Places in `Tree::words` of releases, any of which; `None`: not said.
    pub(super) releases: Option<Rc<[u32]>>,
    /// Places in `Tree::words` of architectures, any of which; `None`: not said.
    pub(super) architectures: Option<Rc<[u32]>>,
    /// A module stream that must be enabled.
    pub(super) module: Option<Rc<str>>,
    /// Why it can't be used.
    pub(super) unclear: Option<Rc<str>>,
    /// Places in `Tree::packages`, all of which.
    pub(super) packages: Vec<u32>,
}

/// A definition's criteria.
#[derive(Default)]
pub(super) struct Tree {
    /// Any of which.
    pub(super) alternatives: Vec<Alternative>,
    pub(super) packages: Vec<PackageTest>,
    words: Vec<String>,
}

impl Tree {
    /// Reads the criteria of which `tag` is the outermost. The inner error is why the definition can't be told.
    pub(super) fn read<'a>(
        markup: &mut Markup<'a>,
        tag: Tag<'a>,
        dictionary: &Dictionary<'_>,
    ) -> Result<Result<Self, String>, Malformed> {
        let mut reading = Reading { dictionary, tree: Self::default(), place: HashMap::new(), work: 0, trouble: None };
        let alternatives = reading.criteria(markup, tag, 1)?;
        Ok(match reading.trouble {
            Some(trouble) => Err(trouble),
            None => Ok(Self { alternatives, ..reading.tree }),
        })
    }

    /// The words at these places.
    pub(super) fn words(&self, places: &[u32]) -> impl Iterator<Item = &str> {
        places.iter().filter_map(|&place| self.words.get(place as usize)).map(String::as_str)
    }
}

struct Reading<'d, 'a> {
    dictionary: &'d Dictionary<'a>,
    tree: Tree,
    place: HashMap<String, u32>,
    /// Words copied, less what the criteria read so far allow.
    work: isize,
    trouble: Option<String>,
}

impl Reading<'_, '_> {
    fn criteria<'m>(
        &mut self,
        markup: &mut Markup<'m>,
        tag: Tag<'m>,
        depth: usize,
    ) -> Result<Vec<Alternative>, Malformed> {
        let all = match &*tag.attribute("operator") {
            "" | "AND" => true,
            "OR" => false,
            other => {
                self.fail(format!("criteria are joined by `{other}`"));
                true
            }
        };
        self.refuse_negation(tag);
        let mut found = if all { vec![Alternative::default()] } else { Vec::new() };
        while let Some(tag) = markup.child()? {
            let more = match tag.name() {
                "criteria" if depth < DEPTH_MAX && self.trouble.is_none() => self.criteria(markup, tag, depth + 1)?,
                "criterion" | "extend_definition" if self.trouble.is_none() => {
                    markup.skip()?;
                    self.criterion(tag)
                }
                name => {
                    if name == "criteria" && depth >= DEPTH_MAX {
                        self.fail(format!("criteria are nested deeper than {DEPTH_MAX}"));
                    }
                    markup.skip()?;
                    continue;
                }
            };
            if all {
                found = self.both(&found, &more);
            } else {
                found.extend(more);
            }
        }
        Ok(if all { found } else { self.joined(found) })
    }

    fn criterion(&mut self, tag: Tag<'_>) -> Vec<Alternative> {
        self.work = self.work.saturating_sub(WORK_PER_CRITERION);
        self.refuse_negation(tag);
        let comment = tag.attribute("comment");
        // Another definition tells which release is installed; its comment says the same.
        let reference = if tag.name() == "criterion" { tag.attribute("test_ref") } else { "".into() };
        let mut alternative = Alternative::default();
        match self.dictionary.condition(&reference, &comment) {
            Ok(Condition::Package(test)) => alternative.packages.push(self.package(test)),
            Ok(Condition::Release(words)) => alternative.releases = Some([self.word(words)].into()),
            Ok(Condition::Architectures(list)) if !list.is_empty() => {
                let mut places: Vec<u32> = list.into_iter().map(|word| self.word(word)).collect();
                places.sort_unstable();
                alternative.architectures = Some(places.into());
            }
            Ok(Condition::Module(name)) => alternative.module = Some(name.into()),
            Ok(Condition::Architectures(_) | Condition::Always) => {}
            Ok(Condition::Unclear(reason)) => alternative.unclear = Some(reason.into()),
            Err(reason) => self.fail(reason),
        }
        vec![alternative]
    }

    /// A definition that holds where something is not would be told wrongly by what it lists.
    fn refuse_negation(&mut self, tag: Tag<'_>) {
        if tag.attribute("negate") == "true" {
            self.fail("has a negated criterion".to_owned());
        }
    }

    /// Alternatives of which each holds where one of both sides does.
    fn both(&mut self, left: &[Alternative], right: &[Alternative]) -> Vec<Alternative> {
        let words = |side: &[Alternative]| side.iter().map(Alternative::words).sum::<usize>();
        let of_left = words(left).saturating_mul(right.len());
        let of_right = words(right).saturating_mul(left.len());
        let copied = isize::try_from(of_left.saturating_add(of_right)).unwrap_or(isize::MAX);
        self.work = self.work.saturating_add(copied);
        if self.work > WORK_FREE {
            self.fail("has more combinations of criteria than any real definition".to_owned());
            return Vec::new();
        }
        left.iter().flat_map(|left| right.iter().filter_map(|right| left.and(right))).collect()
    }

    /// Makes one of those that are about releases alone, of those about architectures alone, and of those that say nothing.
    fn joined(&mut self, alternatives: Vec<Alternative>) -> Vec<Alternative> {
        let (mut releases, mut architectures, mut nothing) = (Vec::new(), Vec::new(), false);
        let mut kept = Vec::with_capacity(alternatives.len());
        for alternative in alternatives {
            match &alternative {
                Alternative { module: None, unclear: None, packages, .. } if !packages.is_empty() => {
                    kept.push(alternative)
                }
                Alternative { module: None, unclear: None, releases: Some(list), architectures: None, .. } => {
                    releases.extend_from_slice(list);
                }
                Alternative { module: None, unclear: None, releases: None, architectures: Some(list), .. } => {
                    architectures.extend_from_slice(list);
                }
                Alternative { module: None, unclear: None, releases: None, architectures: None, .. } => nothing = true,
                _ => kept.push(alternative),
            }
        }
        let union = |mut list: Vec<u32>| {
            list.sort_unstable();
            list.dedup();
            (!list.is_empty()).then(|| Rc::from(list))
        };
        let (releases, architectures) = (union(releases), union(architectures));
        if releases.is_some() {
            kept.push(Alternative { releases, ..Alternative::default() });
        }
        if architectures.is_some() {
            kept.push(Alternative { architectures, ..Alternative::default() });
        }
        if nothing {
            kept.push(Alternative::default());
        }
        kept
    }

    fn package(&mut self, test: PackageTest) -> u32 {
        self.tree.packages.push(test);
        u32::try_from(self.tree.packages.len() - 1).unwrap_or(u32::MAX)
    }

    fn word(&mut self, word: String) -> u32 {
        let next = u32::try_from(self.tree.words.len()).unwrap_or(u32::MAX);
        *self.place.entry(word).or_insert_with_key(|word| {
            self.tree.words.push(word.clone());
            next
        })
    }

    fn fail(&mut self, reason: String) {
        self.trouble.get_or_insert(reason);
    }
}

impl Alternative {
    /// How many words it holds, and one for itself.
    fn words(&self) -> usize {
        let list = |list: &Option<Rc<[u32]>>| list.as_ref().map_or(0, |list| list.len());
        1 + self.packages.len() + list(&self.releases) + list(&self.architectures)
    }

    /// Where both hold; `None`: nowhere.
    fn and(&self, other: &Self) -> Option<Self> {
        let module = match (&self.module, &other.module) {
            (Some(left), Some(right)) if left != right => return None,
            (left, right) => left.as_ref().or(right.as_ref()).cloned(),
        };
        Some(Self {
            releases: common(&self.releases, &other.releases)?,
            architectures: common(&self.architectures, &other.architectures)?,
            module,
            unclear: self.unclear.as_ref().or(other.unclear.as_ref()).cloned(),
            packages: [self.packages.as_slice(), &other.packages].concat(),
        })
    }
}

/// What is in both lists, a list that is not there being all; `None` where that is nothing.
#[allow(clippy::option_option)] // the inner one is "not said", the outer one "impossible"
fn common(left: &Option<Rc<[u32]>>, right: &Option<Rc<[u32]>>) -> Option<Option<Rc<[u32]>>> {
    let (Some(left), Some(right)) = (left, right) else {
        return Some(left.as_ref().or(right.as_ref()).cloned());
    };
    let shared: Vec<u32> = left.iter().copied().filter(|place| right.binary_search(place).is_ok()).collect();
    (!shared.is_empty()).then(|| Some(shared.into()))
}

impl PackageTest {
    /// Whether it asks for more than that the package is there.
    pub(super) fn is_about_versions(&self) -> bool {
        self.bound != Bound::Present
    }
}
