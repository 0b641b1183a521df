//! Feeds tell a package once per architecture or product. Here entries that differ in nothing but the architectures
//! become one.

use muster_domain::Affected;
use std::collections::HashMap;
use std::fmt::Write as _;

/// Architectures of one entry at most; there are about 30. What has more is taken as all.
const ARCHITECTURES_MAX: usize = 64;

/// The `affected` list of one record in the making.
#[derive(Default)]
pub(crate) struct Gather {
    list: Vec<Affected>,
    place: HashMap<String, usize>,
}

impl Gather {
    /// Adds an entry, or its architectures to an equal one. An entry without architectures is about all, and so is what
    /// it is joined with. Of several remarks on the same the first stays.
    pub(crate) fn add(&mut self, affected: Affected) {
        let next = self.list.len();
        let place = *self.place.entry(key(&affected)).or_insert(next);
        let Some(held) = self.list.get_mut(place) else {
            self.list.push(affected);
            return;
        };
        if held.architectures.is_empty() || affected.architectures.is_empty() {
            held.architectures.clear();
        } else {
            held.architectures.extend(affected.architectures);
            held.architectures.sort_unstable();
            held.architectures.dedup();
            if held.architectures.len() > ARCHITECTURES_MAX {
                held.architectures.clear();
            }
        }
    }

    /// All entries, in the order in which they came.
    pub(crate) fn finish(self) -> Vec<Affected> {
        self.list
    }
}

/// Architectures as an entry lists them: sorted, without `src` and its kin, which are no builds; none (that is all) where
/// one build is for every architecture.
pub(crate) fn architectures<'a>(written: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for architecture in written {
        match architecture {
            "noarch" => return Vec::new(),
            "" | "src" | "nosrc" => {}
            other => list.push(other.to_owned()),
        }
    }
    list.sort_unstable();
    list.dedup();
    list
}

/// All but the architectures and the remark.
fn key(affected: &Affected) -> String {
    let Affected { ecosystem, name, ranges, versions, names, state, module, .. } = affected;
    let mut key = format!("{ecosystem}\n{name}\n{names:?}\n{state:?}\n{module:?}");
    for event in ranges.iter().flat_map(|range| &range.events) {
        let _ = write!(key, "\n{event:?}"); // a String takes everything
    }
    for version in versions {
        let _ = write!(key, "\n={version}");
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_differ_in_the_architecture_alone_become_one() {
        let entry = |fixed: &str, arches: &[&str]| {
            let ecosystem = "Oracle Linux:8".parse().unwrap();
            let mut affected = Affected::new(ecosystem, "rsyslog").with_range("0", Some(fixed));
            affected.architectures = architectures(arches.iter().copied());
            affected
        };
        let mut gather = Gather::default();
        for affected in [entry("1", &["x86_64"]), entry("2", &["aarch64"]), entry("1", &["i686", "x86_64", "src"])] {
            gather.add(affected);
        }
        assert_eq!(gather.list, [entry("1", &["i686", "x86_64"]), entry("2", &["aarch64"])]);
        gather.add(entry("2", &["noarch", "x86_64"])); // one build for all
        gather.add(entry("2", &["x86_64"]));
        assert_eq!(gather.finish(), [entry("1", &["i686", "x86_64"]), entry("2", &[])]);
    }
}
