//! FriendsOfPHP's security advisories (github.com/FriendsOfPHP/security-advisories, README, read 2026-11-24): YAML, one
//! advisory on one Composer package per document, its versions per branch.
//!
//! Packages of other repositories than packagist.org (`composer-repository: false`) count as its own: an installed package
//! does not tell where it came from.
//!
//! A record's id is its path in the database (`symfony/symfony/CVE-2026-48784.yaml`), as packagist.org calls it too.

use super::record::{SUMMARY_BYTES_MAX, affected, links, names, package, time, yaml};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, bounded, cut};
use crate::requirements::{REQUIREMENTS_MAX, any_of, composer};
use muster_domain::{Advisory, AdvisoryId};
use muster_versions::Scheme;
use serde::Deserialize;
use std::collections::BTreeMap;

const FORMAT: &str = "FriendsOfPHP";
const SCHEMA: &str = "composer://";

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let keys = ["title", "link", "branches", "reference"];
    head.is_named(".yaml") && keys.iter().all(|key| head.has_yaml_key(key)) && head.holds(SCHEMA)
}

pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let raw: Raw = yaml(FORMAT, document.bytes)?;
    let id = id(document.name);
    if raw.branches.len() > REQUIREMENTS_MAX {
        let why = format!("has more than {REQUIREMENTS_MAX} entries");
        return Err(FeedError::Field { id, field: "branches", why });
    }
    let package = package("composer", raw.reference.strip_prefix(SCHEMA).unwrap_or_default(), &id, "reference")?;
    let constraints: Vec<String> = raw.branches.values().map(|branch| branch.versions.join(",")).collect();
    let Some(affected) = affected(package, any_of(Scheme::Composer, composer, &constraints), &id, sink) else {
        return Ok(());
    };
    sink(Item::Advisory(Advisory {
        id: AdvisoryId(id),
        source: "FRIENDSOFPHP".to_owned(),
        aliases: names(raw.cve),
        summary: cut(raw.title.trim(), SUMMARY_BYTES_MAX).to_owned(),
        references: links(raw.link.map(|link| ("ADVISORY", link))),
        published: raw.branches.values().filter_map(|branch| time(branch.time.as_deref()?)).min(),
        affected,
        ..Advisory::default()
    }));
    Ok(())
}

/// The last three parts of the path; what is in front is where the database lies.
fn id(name: &str) -> String {
    let starts = name.rmatch_indices('/').nth(2).map_or(0, |(slash, _)| slash + 1);
    cut(&name[starts..], WORD_BYTES_MAX).to_owned()
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    title: String,
    link: Option<String>,
    cve: Option<String>,
    reference: String,
    branches: BTreeMap<String, RawBranch>,
}

#[derive(Deserialize)]
struct RawBranch {
    time: Option<String>,
    #[serde(deserialize_with = "bounded::<_, _, 100>")]
    versions: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::tests::items;

    const NAME: &str = "security-advisories/acme/mail/2020-01-02.yaml";

    fn check(branches: &str, expected: &[&str]) {
        let text =
            format!("title: One\nlink: https://a/1\ncve: ~\nreference: composer://acme/mail\nbranches:\n{branches}");
        assert_eq!(items(parse, NAME, text.as_bytes()), expected, "{branches}");
    }

    #[test]
    fn the_branches_together_are_affected() {
        let check = |branches: &str, events: &str| {
            check(branches, &[&format!("acme/mail/2020-01-02.yaml FRIENDSOFPHP; Packagist acme/mail {events}")]);
        };
        check("  1.x: {time: ~, versions: ['>=1.0', '<1.0.5']}\n", "[1.0-dev 1.0.5)");
        check(
            "  2.x: {time: ~, versions: ['>=2.0', '<3.0']}\n  3.x: {time: ~, versions: ['>=3.0', '<3.4.1']}\n",
            "[2.0-dev 3.4.1)",
        );
        check("  master: {time: ~, versions: ['<=1.10']}\n", "[0 1.10]");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let place = "acme/mail/2020-01-02.yaml";
        for versions in ["[dev-main]", "['^1.2']", "[]"] {
            let text = format!("reference: composer://a/b\nbranches:\n  main: {{versions: {versions}}}\n");
            let told = items(parse, NAME, text.as_bytes());
            assert!(told[0].starts_with(&format!("! {place}: requirement `")), "{told:?}");
        }
        check(
            "  1.x: {time: ~, versions: ['>=2', '<1']}\n",
            &[
                "~ acme/mail/2020-01-02.yaml: what it says of `acme/mail` leaves no version affected",
                "acme/mail/2020-01-02.yaml FRIENDSOFPHP",
            ],
        );
        let told = items(parse, NAME, b"reference: npm://a\nbranches: {}");
        assert_eq!(told, ["error: advisory `acme/mail/2020-01-02.yaml`: field `reference` must have 1 to 512 bytes"]);
    }

    #[test]
    fn the_first_branch_to_be_fixed_tells_the_day() {
        let text = "title: One\nlink: https://a/1\ncve: CVE-2020-1\nreference: composer://a/b\nbranches:\n  1.x:\n    \
                    time: 2020-03-02 10:00:00\n    versions: ['<1.1']\n  2.x:\n    time: 2020-02-01\n    versions: ['>=2', '<2.1']\n";
        let mut published = Vec::new();
        parse(&Document { name: "a/b/CVE-2020-1.yaml", bytes: text.as_bytes() }, &mut |item| {
            if let Item::Advisory(advisory) = item {
                published.push((advisory.published.unwrap().to_string(), advisory.aliases));
            }
        })
        .unwrap();
        assert_eq!(published, [("2020-02-01T00:00:00Z".to_owned(), vec!["CVE-2020-1".to_owned()])]);
    }
}
