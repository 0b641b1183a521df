//! The Ruby Advisory Database (github.com/rubysec/ruby-advisory-db, README "Schema", read 2026-11-24): YAML, one advisory
//! on one gem per document.
//!
//! Affected is what is neither patched nor unaffected, as `bundler-audit` has it. One vulnerability of several gems is
//! several documents under one id, so the gem is the record's scope. Advisories of Ruby engines and libraries tell of the
//! vulnerability and name no package: no ecosystem lists these.
//!
//! The scores have no vectors, so each is told as the word of its scale; version 3 before 4 before 2, as `rating` has it.

use super::record::{DETAILS_BYTES_MAX, SUMMARY_BYTES_MAX, affected, links, names, package, time, word_of_score, yaml};
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, bounded, cut};
use crate::requirements::{REQUIREMENTS_MAX, Versions, any_of, gem};
use muster_domain::{Advisory, AdvisoryId, Affected};
use muster_versions::Scheme;
use serde::Deserialize;

const FORMAT: &str = "RubySec";

/// Which keys name what an advisory is about.
const SUBJECTS: [&str; 3] = ["gem", "engine", "library"];

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let has_all = ["url", "title", "date"].iter().all(|key| head.has_yaml_key(key));
    let has_subject = SUBJECTS.iter().any(|key| head.has_yaml_key(key));
    let has_id = ["cve", "ghsa", "osvdb"].iter().any(|key| head.has_yaml_key(key));
    head.is_named(".yml") && has_all && has_subject && has_id
}

pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let raw: Raw = yaml(FORMAT, document.bytes)?;
    let (id, aliases) = ids(&raw, document.name)?;
    let (subject, is_gem) = match (&raw.gem, raw.engine.as_ref().or(raw.library.as_ref())) {
        (None, Some(other)) => (cut(other, WORD_BYTES_MAX), false),
        (gem, _) => (gem.as_deref().unwrap_or_default(), true),
    };
    let mut advisory = advisory(&raw, &id, aliases, subject);
    if is_gem {
        let remark = raw.platform.as_ref().map(|platform| format!("platform: {}", cut(platform, WORD_BYTES_MAX)));
        let package = Affected { remark, ..package("gem", subject, &id, "gem")? };
        let good = any_of(Scheme::Gem, gem, raw.patched_versions.iter().chain(&raw.unaffected_versions));
        let Some(affected) = affected(package, good.map(Versions::not), &id, sink) else {
            return Ok(());
        };
        advisory.affected = affected;
    } else {
        sink(Item::UnknownEcosystem(format!("Ruby engines:{subject}")));
    }
    sink(Item::Advisory(advisory));
    Ok(())
}

/// All but what is affected.
fn advisory(raw: &Raw, id: &str, aliases: Vec<String>, subject: &str) -> Advisory {
    let advisory = raw.url.iter().map(|url| ("ADVISORY", url.clone()));
    let other = raw.related.url.iter().map(|url| ("WEB", url.clone()));
    Advisory {
        id: AdvisoryId(id.to_owned()),
        source: "RUBYSEC".to_owned(),
        scope: subject.to_owned(),
        aliases,
        related: names(raw.related.ids()),
        summary: cut(raw.title.trim(), SUMMARY_BYTES_MAX).to_owned(),
        details: cut(raw.description.trim(), DETAILS_BYTES_MAX).to_owned(),
        vendor_severity: severity(raw),
        references: links(advisory.chain(other)),
        published: raw.date.as_deref().and_then(time),
        ..Advisory::default()
    }
}

/// The name that the file has, else the best known one, and the others. Each is written without what stands before it
/// elsewhere.
fn ids(raw: &Raw, document: &str) -> Result<(String, Vec<String>), FeedError> {
    let id = |prefix: &str, rest: &Option<String>| rest.as_ref().map(|rest| format!("{prefix}-{}", rest.trim()));
    let all = [id("CVE", &raw.cve), id("GHSA", &raw.ghsa), id("OSVDB", &raw.osvdb)];
    let is_id = |id: &String| id.len() <= WORD_BYTES_MAX && !id.ends_with('-');
    let mut all: Vec<String> = all.into_iter().flatten().filter(is_id).collect();
    if all.is_empty() {
        let why = "are all empty or too long".to_owned();
        return Err(FeedError::Field { id: String::new(), field: "cve, ghsa, osvdb", why });
    }
    let file = document.rsplit('/').next().and_then(|file| file.strip_suffix(".yml"));
    let place = all.iter().position(|id| file == Some(id)).unwrap_or(0);
    let id = all.remove(place);
    Ok((id, names(all)))
}

fn severity(raw: &Raw) -> Option<String> {
    let scores = [(&raw.cvss_v3, false), (&raw.cvss_v4, false), (&raw.cvss_v2, true)];
    scores
        .into_iter()
        .find_map(|(score, is_version_2)| word_of_score(score.as_ref()?.trim().parse().ok()?, is_version_2))
}

// Numbers are read as they are written, so that one that is none costs the score and not the record.

#[derive(Deserialize)]
struct Raw {
    gem: Option<String>,
    engine: Option<String>,
    library: Option<String>,
    platform: Option<String>,
    cve: Option<String>,
    ghsa: Option<String>,
    osvdb: Option<String>,
    url: Option<String>,
    #[serde(default)]
    title: String,
    date: Option<String>,
    #[serde(default)]
    description: String,
    cvss_v2: Option<String>,
    cvss_v3: Option<String>,
    cvss_v4: Option<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, REQUIREMENTS_MAX>")]
    patched_versions: Vec<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, REQUIREMENTS_MAX>")]
    unaffected_versions: Vec<String>,
    #[serde(default)]
    related: RawRelated,
}

#[derive(Default, Deserialize)]
struct RawRelated {
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    cve: Vec<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    ghsa: Vec<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    osvdb: Vec<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    url: Vec<String>,
}

impl RawRelated {
    fn ids(&self) -> impl Iterator<Item = String> {
        let all = [("CVE", &self.cve), ("GHSA", &self.ghsa), ("OSVDB", &self.osvdb)];
        all.into_iter().flat_map(|(prefix, rests)| rests.iter().map(move |rest| format!("{prefix}-{}", rest.trim())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::tests::items;

    fn check(name: &str, text: &str, expected: &[&str]) {
        let text = format!("---\nurl: https://a/1\ntitle: One\ndate: 2020-01-02\n{text}\n");
        assert_eq!(items(parse, name, text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn affected_is_what_is_neither_patched_nor_unaffected() {
        let check = |versions: &str, events: &str| {
            let expected = format!("CVE-2020-1 RUBYSEC scope=a; RubyGems a {events}");
            check("gems/a/CVE-2020-1.yml", &format!("gem: a\ncve: 2020-1\n{versions}"), &[&expected]);
        };
        check("patched_versions:\n- \"~> 1.2.3\"\n- \">= 1.4\"", "[0 1.2.3) [1.3.A 1.4)");
        check("unaffected_versions: ['< 0.9']\npatched_versions: ['>= 1.4']", "[0.9 1.4)");
        check("", "[0"); // never fixed
        check("patched_versions:", "[0");
        check("patched_versions: [1.10]", "[0 1.10) [1.10.0.1.a"); // the text counts, not a number's
    }

    #[test]
    fn an_advisory_is_called_as_its_file() {
        let text = "gem: a\ncve: 2020-1\nghsa: x-y-z\nosvdb: 5\npatched_versions: ['>= 1']";
        let check = |name: &str, expected: &str| check(name, text, &[&format!("{expected}; RubyGems a [0 1)")]);
        check("gems/a/CVE-2020-1.yml", "CVE-2020-1 RUBYSEC scope=a aliases=GHSA-x-y-z,OSVDB-5");
        check("gems/a/OSVDB-5.yml", "OSVDB-5 RUBYSEC scope=a aliases=CVE-2020-1,GHSA-x-y-z");
        check("renamed.yml", "CVE-2020-1 RUBYSEC scope=a aliases=GHSA-x-y-z,OSVDB-5");
    }

    #[test]
    fn a_score_is_told_as_its_word() {
        let check = |scores: &str, word: &str| {
            let expected = format!("CVE-2020-1 RUBYSEC scope=a{word}; RubyGems a [0");
            check("a.yml", &format!("gem: a\ncve: 2020-1\n{scores}"), &[&expected]);
        };
        check("cvss_v3: 9.8\ncvss_v2: 5.0", " word=CRITICAL");
        check("cvss_v2: 10", " word=HIGH");
        check("cvss_v4: 6.9\ncvss_v2: 10.0", " word=MEDIUM");
        check("cvss_v3: high", "");
        check("cvss_v3: ~", "");
    }

    #[test]
    fn what_is_no_gem_names_no_package() {
        let text = "engine: ruby\ncve: 2020-1\npatched_versions: ['>= 2.7']";
        check("rubies/ruby/CVE-2020-1.yml", text, &["? Ruby engines:ruby", "CVE-2020-1 RUBYSEC scope=ruby"]);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let text = "gem: a\ncve: 2020-1\npatched_versions: ['^1']";
        let reason =
            "! CVE-2020-1: requirement `^1` can't be read: `^1` is not a gem version: it does not start with a number";
        check("a.yml", text, &[reason]);
        check("a.yml", "gem: a\ncve:", &["error: advisory ``: field `cve, ghsa, osvdb` are all empty or too long"]);
        let reason = "error: advisory `CVE-2020-1`: field `gem` must have 1 to 512 bytes";
        check("a.yml", "gem: ''\ncve: 2020-1", &[reason]);
    }
}
