//! Windows' updates: one that is superseded by an installed one counts as installed, since the newer one brings all that it brings.

use super::lookup::Found;
use muster_advisories::{DatabaseError, updates};
use muster_domain::{Inventory, Package, PackageManager};
use std::collections::{BTreeMap, VecDeque};

/// Most articles that are followed from one to the next: a product gets two or three a month.
const ARTICLES_MAX: usize = 10_000;

/// The updates that a Windows system has, each with the installed one that brought it.
pub(super) struct Updates(BTreeMap<String, String>);

impl Updates {
    /// `None` unless the package is a Windows system and the inventory tells which updates are installed: they are OS packages
    /// called by their article (`KB5031361`). What supersedes what is told by the remarks of all claims about the system.
    pub(super) fn of(
        package: &Package,
        inventory: &Inventory,
        claims: &[Found<'_, '_>],
    ) -> Result<Option<Self>, DatabaseError> {
        if package.ecosystem.as_ref().is_none_or(|ecosystem| ecosystem.row().name != "Windows") {
            return Ok(None);
        }
        let os = inventory.packages.iter().filter(|package| package.manager == PackageManager::Os);
        let installed: Vec<String> = os.filter_map(|package| updates::article_of(&package.name)).collect();
        if installed.is_empty() {
            return Ok(None);
        }
        let mut superseded: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for claim in claims {
            for update in updates::read(claim.candidate.remark()?.unwrap_or_default()) {
                superseded.entry(update.article).or_default().extend(update.supersedes);
            }
        }
        Ok(Some(Self::closure(installed, &superseded)))
    }

    /// Breadth first, so that each article comes with the nearest that brought it; an article that was seen is not followed
    /// again, so that a circle ends.
    fn closure(installed: Vec<String>, superseded: &BTreeMap<String, Vec<String>>) -> Self {
        let mut brought_by: BTreeMap<String, String> = BTreeMap::new();
        let mut waiting: VecDeque<(String, String)> = installed.into_iter().map(|one| (one.clone(), one)).collect();
        while let Some((article, by)) = waiting.pop_front() {
            if brought_by.len() >= ARTICLES_MAX {
                break;
            }
            if brought_by.contains_key(&article) {
                continue;
            }
            for older in superseded.get(&article).into_iter().flatten() {
                waiting.push_back((older.clone(), by.clone()));
            }
            brought_by.insert(article, by);
        }
        Self(brought_by)
    }

    /// Why a fix that one of the articles in the remark brings is there; `None`: it is not.
    pub(super) fn has_fix(&self, remark: &str) -> Option<String> {
        let fixes = updates::read(remark);
        let (article, by) = fixes.iter().find_map(|fix| self.0.get_key_value(&fix.article))?;
        Some(match article == by {
            true => format!("the update {article}, which fixes it, is installed"),
            false => format!("the update {article} fixes it, and the installed {by} supersedes that"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_installed_update_supersedes_is_installed_with_it() {
        let edges = [
            ("KB5031361", vec!["KB5030214"]),
            ("KB5030214", vec!["KB5029247", "KB5029000"]),
            ("KB5029247", vec!["KB5031361"]), // a circle, by somebody's mistake
            ("KB5031999", vec!["KB5031998"]),
        ];
        let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let edges = edges.map(|(article, older)| (article.to_owned(), owned(older))).into();
        let check = |installed: &[&str], remark: &str, expected: Option<&str>| {
            let updates = Updates::closure(owned(installed.to_vec()), &edges);
            assert_eq!(updates.has_fix(remark).as_deref(), expected, "{installed:?} {remark}");
        };
        let itself = "the update KB5031361, which fixes it, is installed";
        check(&["KB5031361"], "KB5031361 supersedes KB5030214", Some(itself));
        let month = "the update KB5030214 fixes it, and the installed KB5031361 supersedes that";
        check(&["KB5031361"], "KB5030214", Some(month));
        let months = "the update KB5029000 fixes it, and the installed KB5031361 supersedes that";
        check(&["KB5031361"], "KB5029999; KB5029000", Some(months)); // one of two is enough
        check(
            &["KB5030214"],
            "KB5031361",
            Some("the update KB5031361 fixes it, and the installed KB5030214 supersedes that"),
        ); // the circle
        check(&["KB5031361"], "KB5031998", None);
        check(&["KB5031998"], "KB5031999 supersedes KB5031998", None); // an older one is not the newer
        check(&["KB5031361"], "", None);
    }
}
