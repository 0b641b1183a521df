//! OSV JSON (ossf.github.io/osv-schema, 1.7, read 2026-11-24): one record -> one advisory.
//!
//! Ecosystems that we don't know are left out of the record and named, so that the rest of it counts.
//! `GIT` ranges are left out silently: they name commits, and a package has a version.

use super::{Document, Item, Sink, rebuilds};
use crate::feed::{FeedError, Head, LINK_BYTES_MAX, WORD_BYTES_MAX, Word, bounded, cut};
use crate::origins;
use jiff::Timestamp;
use muster_domain::{
    Advisory, AdvisoryId, Affected, Ecosystem, Event, Range, RangeType, Reference, Skipped, VectorString, VendorState,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeSet, HashSet};

/// Most bytes of a summary that are kept.
const SUMMARY_BYTES_MAX: usize = 1024;
/// Most bytes of the details that are kept: the Inspector API shows 1,024 letters of it.
const DETAILS_BYTES_MAX: usize = 4096;
/// Most links that are kept: the Inspector API shows 100.
const REFERENCES_KEPT_MAX: usize = 100;
/// What Ubuntu writes where a fix is to be had without Ubuntu Pro.
const FOR_EVERYONE: &str = "No subscription required";

/// A record, and what of it could not be used.
#[derive(Debug)]
struct Record {
    /// What could.
    advisory: Advisory,
    /// Ecosystems in it that have no row in our table, as the record spells them, sorted, without doubles.
    unknown_ecosystems: Vec<String>,
    /// Other parts that were left out, each with its reason.
    skipped: Vec<String>,
}

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let dated = ["modified", "published", "withdrawn", "schema_version", "affected"];
    let is_nvd = head.has_json_key("sourceIdentifier"); // its records have `id` and `published`, too
    !head.is_json_list() && !is_nvd && head.has_json_key("id") && dated.iter().any(|key| head.has_json_key(key))
}

/// A document is one record.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    deliver(from_json(document.bytes)?, sink)
}

/// Hands on what is in one record, whatever it was written in.
pub(super) fn deliver(raw: RawRecord, sink: Sink<'_>) -> Result<(), FeedError> {
    let Record { advisory, unknown_ecosystems, skipped } = record_of(raw)?;
    if rebuilds::is_no_vulnerability(&advisory) {
        return Ok(());
    }
    unknown_ecosystems.into_iter().for_each(|ecosystem| sink(Item::UnknownEcosystem(ecosystem)));
    for reason in skipped {
        sink(Item::Partial(Skipped { place: advisory.id.0.clone(), reason }));
    }
    sink(Item::Advisory(advisory));
    Ok(())
}

/// The advisory in one record.
///
/// # Errors
/// When the bytes are not OSV JSON, have no id, or have a `withdrawn` that is not a time.
pub fn read(bytes: &[u8]) -> Result<Advisory, FeedError> {
    record_of(from_json(bytes)?).map(|record| record.advisory)
}

fn from_json(bytes: &[u8]) -> Result<RawRecord, FeedError> {
    serde_json::from_slice(bytes).map_err(|cause| FeedError::NotJson { format: "OSV", cause })
}

/// The advisory in one record, with what was left out of it.
fn record_of(raw: RawRecord) -> Result<Record, FeedError> {
    if raw.id.is_empty() || raw.id.len() > WORD_BYTES_MAX {
        let why = format!("must have 1 to {WORD_BYTES_MAX} bytes");
        return Err(FeedError::Field { id: String::new(), field: "id", why });
    }
    let withdrawn = withdrawn(&raw)?;
    let is_warning = raw.affected.iter().any(|entry| entry.database_specific.informational.0.is_some());
    let mut unknown_ecosystems = Vec::new();
    let mut skipped = Vec::new();
    let mut affected = Vec::new();
    let mut cwes = Vec::new();
    for (index, mut entry) in raw.affected.into_iter().enumerate() {
        cwes.append(&mut entry.database_specific.cwe_ids);
        let Some(package) = &entry.package else {
            continue;
        };
        if package.name.is_empty() || package.name.len() > WORD_BYTES_MAX {
            skipped.push(format!("affected[{index}]: package name must have 1 to {WORD_BYTES_MAX} bytes"));
            continue;
        }
        match Ecosystem::try_from(cut(&package.ecosystem, WORD_BYTES_MAX).to_owned()) {
            Ok(ecosystem) => affected.push(read_affected(ecosystem, entry, index, &mut skipped)),
            Err(unknown) => unknown_ecosystems.push(unknown.0),
        }
    }
    unknown_ecosystems.sort();
    unknown_ecosystems.dedup();
    affected.extend(without_pro(&affected));

    let (severity, said) = vectors(raw.severity);
    let cwe_ids = raw.database_specific.cwe_ids.into_iter().chain(cwes).collect();
    let said = said.or_else(|| is_warning.then(|| "informational".to_owned()));
    let mut advisory = Advisory {
        id: AdvisoryId(raw.id),
        source: String::new(),
        scope: String::new(),
        aliases: words(raw.aliases),
        upstream: words(with_cves(raw.upstream)),
        related: words(raw.related),
        summary: cut(&raw.summary.0.unwrap_or_default(), SUMMARY_BYTES_MAX).to_owned(),
        details: cut(&raw.details, DETAILS_BYTES_MAX).to_owned(),
        severity,
        vendor_severity: raw.database_specific.severity.0.or(raw.database_specific.urgency.0).or(said),
        cwes: words(cwe_ids),
        cpes: words(raw.database_specific.cpes),
        ssvc: None,
        affected,
        references: raw
            .references
            .into_iter()
            .filter(|reference| reference.url.len() <= LINK_BYTES_MAX)
            .take(REFERENCES_KEPT_MAX)
            .map(|reference| Reference { kind: cut(&reference.kind, WORD_BYTES_MAX).to_owned(), url: reference.url })
            .collect(),
        published: time(raw.published.as_deref()),
        modified: time(raw.modified.as_deref()),
        withdrawn,
    };
    advisory.source = source_of(&advisory).to_owned();
    let source = &advisory.source;
    let all = advisory.affected.iter_mut().flat_map(|affected| &mut affected.severity).chain(&mut advisory.severity);
    for vector in all {
        vector.source.clone_from(source);
    }
    skipped.extend(rebuilds::complete(&mut advisory));
    Ok(Record { advisory, unknown_ecosystems, skipped })
}

/// OSV's older Debian export and its conversion of the NVD both use the bare CVE as the id.
fn source_of(advisory: &Advisory) -> &'static str {
    let of_debian = || advisory.affected.iter().any(|affected| affected.ecosystem.row().name == "Debian");
    match advisory.id.0.starts_with("CVE-") {
        true if of_debian() => "DEBIAN_CVE",
        true => "NVD",
        false => origins::of_id(&advisory.id.0),
    }
}

/// Taken back or not must never be guessed, so a time that can't be read sets the record aside.
fn withdrawn(raw: &RawRecord) -> Result<Option<Timestamp>, FeedError> {
    let Some(text) = raw.withdrawn.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(time) => Ok(Some(time)),
        Err(_) => {
            let why = format!("is not a time: `{}`", cut(text, 40));
            Err(FeedError::Field { id: raw.id.clone(), field: "withdrawn", why })
        }
    }
}

fn read_affected(ecosystem: Ecosystem, entry: RawAffected, index: usize, skipped: &mut Vec<String>) -> Affected {
    let mut ranges = Vec::new();
    for range in entry.ranges {
        let kind = match range.kind.as_str() {
            "SEMVER" => RangeType::Semver,
            "ECOSYSTEM" => RangeType::Ecosystem,
            "GIT" => continue,
            other => {
                skipped.push(format!("affected[{index}]: unknown range type `{}`", cut(other, 40)));
                continue;
            }
        };
        let mut events: Vec<Event> = range.events.into_iter().flat_map(events).collect();
        let bound = &entry.database_specific.last_known_affected_version_range;
        let bound = range.database_specific.last_known_affected_version_range.0.as_ref().or(bound.0.as_ref());
        if let Some(bound) = bound.filter(|_| events.iter().all(|event| matches!(event, Event::Introduced(_)))) {
            match last_known_affected(bound) {
                Some(end) => events.push(end),
                None => skipped.push(format!("affected[{index}]: last known affected version `{}`", cut(bound, 40))),
            }
        }
        ranges.push(Range { kind, events });
    }
    let (severity, said) = vectors(entry.severity);
    let ends = entry.ecosystem_specific.urgency.0.as_deref() == Some("end-of-life");
    let vendor_severity = [
        entry.ecosystem_specific.urgency,
        entry.ecosystem_specific.ubuntu_priority,
        entry.ecosystem_specific.severity,
        entry.database_specific.severity,
        entry.database_specific.urgency,
        Word(said),
    ]
    .into_iter()
    .find_map(|word| word.0);
    // RustSec marks what is no vulnerability so: `unmaintained`, `unsound`, `notice`.
    let remark = entry.database_specific.informational.0.map(|kind| format!("informational: {kind}"));
    let name = entry.package.map(|package| package.name).unwrap_or_default();
    Affected {
        ranges,
        versions: entry.versions,
        severity,
        vendor_severity,
        state: ends.then_some(VendorState::EndOfLife),
        architectures: platforms(&entry.ecosystem_specific.imports),
        remark: remark.or(entry.ecosystem_specific.availability.0.filter(|text| text != FOR_EVERYONE)),
        ..Affected::new(ecosystem, name)
    }
}

/// The platforms on which Go's packages are vulnerable, as `GOOS/GOARCH` with `*` for any; none: all of them.
fn platforms(imports: &[RawImport]) -> Vec<String> {
    let words = |words: &[Word]| -> Vec<String> { words.iter().filter_map(|word| word.0.clone()).collect() };
    let mut platforms = BTreeSet::new();
    for RawImport { goos, goarch } in imports {
        let (systems, architectures) = (words(goos), words(goarch));
        if systems.is_empty() && architectures.is_empty() {
            return Vec::new();
        }
        let or_any = |list: &[String]| if list.is_empty() { vec!["*".to_owned()] } else { list.to_vec() };
        for system in or_any(&systems) {
            platforms.extend(or_any(&architectures).iter().map(|architecture| format!("{system}/{architecture}")));
        }
    }
    platforms.into_iter().collect()
}

/// Ubuntu has one entry of a package in a release, under `Ubuntu:Pro:…` where only subscribers get a fix; but who has no
/// subscription has the same package, from the beginning until the same fix, which only Pro's version numbers reach.
fn without_pro(affected: &[Affected]) -> Vec<Affected> {
    if !affected.iter().any(|one| one.ecosystem.as_str().starts_with("Ubuntu:Pro:")) {
        return Vec::new(); // nearly every record
    }
    let everyone: HashSet<(&str, &str)> = affected.iter().map(|one| (one.ecosystem.as_str(), &*one.name)).collect();
    let release = |one: &Affected| {
        let release = one.ecosystem.as_str().strip_prefix("Ubuntu:Pro:")?;
        // Not `Ubuntu:Pro:FIPS:22.04`, whose packages are others.
        let is_number = release.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        is_number.then(|| format!("Ubuntu:{release}").parse::<Ecosystem>().ok())?
    };
    let missing = |one: &Affected| {
        let ecosystem = release(one).filter(|release| !everyone.contains(&(release.as_str(), &one.name)))?;
        Some(Affected { ecosystem, ..one.clone() })
    };
    affected.iter().filter_map(missing).collect()
}

/// A distributor's name of a CVE names the CVE, too: Ubuntu's notices list `UBUNTU-CVE-2021-3782`.
fn with_cves(upstream: Vec<Word>) -> Vec<Word> {
    let cve = |word: &Word| word.0.as_deref().and_then(|name| name.find("-CVE-").map(|at| name[at + 1..].to_owned()));
    let cves: Vec<Word> = upstream.iter().filter_map(cve).map(|cve| Word(Some(cve))).collect();
    upstream.into_iter().chain(cves).collect()
}

/// Where GitHub knows no fix, it says beside the range up to where somebody looked: `<= 1.2`, `< 2`. Without that, every
/// version to come would be affected (github.com/github/advisory-database, issue 470; it writes `last_affected` instead in
/// newer records). `None`: not of that form.
fn last_known_affected(bound: &str) -> Option<Event> {
    let (event, version): (fn(String) -> Event, &str) = match bound.trim().strip_prefix('<')? {
        rest if rest.starts_with('=') => (Event::LastAffected, &rest[1..]),
        rest => (Event::Limit, rest),
    };
    let version = version.trim();
    let is_version =
        !version.is_empty() && !version.contains(char::is_whitespace) && !version.contains([',', '<', '>']);
    is_version.then(|| event(version.to_owned()))
}

/// The schema wants one event per object; some writers put `introduced` and `fixed` into one.
fn events(raw: RawEvent) -> impl Iterator<Item = Event> {
    let all = [
        raw.introduced.map(Event::Introduced),
        raw.fixed.map(Event::Fixed),
        raw.last_affected.map(Event::LastAffected),
        raw.limit.map(Event::Limit),
    ];
    all.into_iter().flatten()
}

/// CVSS vectors, and a vendor's word that stands where a vector would (Ubuntu writes `{"type":"Ubuntu","score":"medium"}`).
fn vectors(raw: Vec<RawSeverity>) -> (Vec<VectorString>, Option<String>) {
    let mut vectors = Vec::new();
    let mut said = None;
    for severity in raw {
        if severity.score.len() > WORD_BYTES_MAX {
            continue;
        }
        if severity.kind.starts_with("CVSS_V") {
            vectors.push(VectorString { kind: severity.kind, vector: severity.score, source: String::new() });
        } else {
            said.get_or_insert(severity.score);
        }
    }
    (vectors, said)
}

/// Go's vulnerability database writes Go's zero time for "not known".
fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok().filter(|time: &Timestamp| time.as_second() > 0)
}

/// Sorted, without doubles, none empty and none of a length that no name has.
fn words(raw: Vec<Word>) -> Vec<String> {
    let mut words: Vec<String> = raw.into_iter().filter_map(|word| word.0).collect();
    words.sort();
    words.dedup();
    words
}

// What the schema says, with a limit on every list. The largest real lists (read 2026-11): 1,900 aliases and upstream
// names (kernel notices), 2,800 affected entries, 30,000 versions.

#[derive(Deserialize)]
pub(super) struct RawRecord {
    id: String,
    modified: Option<String>,
    published: Option<String>,
    withdrawn: Option<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    aliases: Vec<Word>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    upstream: Vec<Word>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    related: Vec<Word>,
    #[serde(default)]
    summary: Word,
    #[serde(default)]
    details: String,
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    severity: Vec<RawSeverity>,
    #[serde(default, deserialize_with = "bounded::<_, _, 20_000>")]
    affected: Vec<RawAffected>,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    references: Vec<RawReference>,
    #[serde(default)]
    database_specific: RawSpecific,
}

#[derive(Deserialize)]
struct RawSeverity {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    score: String,
}

#[derive(Deserialize)]
struct RawReference {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
struct RawAffected {
    package: Option<RawPackage>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    ranges: Vec<RawRange>,
    #[serde(default, deserialize_with = "bounded::<_, _, 100_000>")]
    versions: Vec<String>,
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    severity: Vec<RawSeverity>,
    #[serde(default)]
    ecosystem_specific: RawSpecific,
    #[serde(default)]
    database_specific: RawSpecific,
}

#[derive(Deserialize)]
struct RawPackage {
    #[serde(default)]
    ecosystem: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct RawRange {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    events: Vec<RawEvent>,
    #[serde(default)]
    database_specific: RawSpecific,
}

#[derive(Deserialize)]
struct RawEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// The two objects without a schema: the fields of theirs that some database is known to fill.
#[derive(Default, Deserialize)]
struct RawSpecificFields {
    #[serde(default)]
    severity: Word,
    #[serde(default)]
    urgency: Word,
    /// Ubuntu's priority, in its older exports.
    #[serde(default)]
    ubuntu_priority: Word,
    /// Who gets Ubuntu's fix.
    #[serde(default)]
    availability: Word,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    cwe_ids: Vec<Word>,
    #[serde(default, deserialize_with = "bounded::<_, _, 1_000>")]
    cpes: Vec<Word>,
    #[serde(default)]
    informational: Word,
    #[serde(default)]
    last_known_affected_version_range: Word,
    /// Malicious packages have their CWEs here.
    #[serde(default)]
    cwes: RawCwes,
    /// Go's vulnerable packages, each with the platforms on which it is (go.dev/doc/security/vuln/database, "ecosystem_specific").
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    imports: Vec<RawImport>,
}

#[derive(Deserialize)]
struct RawImport {
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    goos: Vec<Word>,
    #[serde(default, deserialize_with = "bounded::<_, _, 100>")]
    goarch: Vec<Word>,
}

/// `[{"cweId":"CWE-506",…}]`; anything else is passed over.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawCwes {
    Named(Vec<RawCwe>),
    Other(IgnoredAny),
}

impl Default for RawCwes {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

#[derive(Deserialize)]
struct RawCwe {
    #[serde(rename = "cweId")]
    id: Word,
}

/// `null` is as good as absent.
#[derive(Default, Deserialize)]
#[serde(from = "Option<RawSpecificFields>")]
struct RawSpecific {
    severity: Word,
    urgency: Word,
    ubuntu_priority: Word,
    availability: Word,
    cwe_ids: Vec<Word>,
    cpes: Vec<Word>,
    informational: Word,
    last_known_affected_version_range: Word,
    imports: Vec<RawImport>,
}

impl From<Option<RawSpecificFields>> for RawSpecific {
    fn from(fields: Option<RawSpecificFields>) -> Self {
        let RawSpecificFields {
            severity,
            urgency,
            ubuntu_priority,
            availability,
            mut cwe_ids,
            cwes,
            cpes,
            informational,
            last_known_affected_version_range,
            imports,
        } = fields.unwrap_or_default();
        if let RawCwes::Named(cwes) = cwes {
            cwe_ids.extend(cwes.into_iter().map(|cwe| cwe.id));
        }
        Self {
            severity,
            urgency,
            ubuntu_priority,
            availability,
            cwe_ids,
            cpes,
            informational,
            last_known_affected_version_range,
            imports,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(json: &str) -> Record {
        record_of(from_json(json.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn a_record_keeps_the_ecosystems_that_we_know_and_names_the_others() {
        let record = record(
            r#"{"id":"GHSA-x","affected":[
                {"package":{"ecosystem":"npm","name":"lodash"}},
                {"package":{"ecosystem":"Plan 9","name":"a"}}, {"package":{"ecosystem":"Amiga","name":"b"}},
                {"package":{"ecosystem":"Amiga","name":"c"}},
                {"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]}"#,
        );
        assert_eq!(record.advisory.affected.len(), 1);
        assert_eq!(record.unknown_ecosystems, ["Amiga", "Plan 9"]);
        assert!(record.skipped.is_empty());
    }

    #[test]
    fn a_go_record_tells_the_platforms_that_it_is_about() {
        let check = |imports: &str, expected: &[&str]| {
            let json = format!(
                r#"{{"id":"GO-1","affected":[{{"package":{{"ecosystem":"Go","name":"stdlib"}},
                    "ecosystem_specific":{{"imports":[{imports}]}}}}]}}"#
            );
            assert_eq!(record(&json).advisory.affected[0].architectures, expected, "{imports}");
        };
        check(r#"{"path":"crypto/rand","goos":["windows"],"symbols":["Read"]}"#, &["windows/*"]); // GO-2022-0477
        check(r#"{"path":"crypto/elliptic","goarch":["amd64"]}"#, &["*/amd64"]); // GO-2022-0187
        check(r#"{"path":"cmd/link","goos":["js"],"goarch":["wasm"]}"#, &["js/wasm"]); // GO-2022-0247
        check(r#"{"path":"a","goos":["windows"]},{"path":"b","goarch":["arm"]}"#, &["*/arm", "windows/*"]);
        check(r#"{"path":"a","goos":["windows"]},{"path":"b"}"#, &[]); // the other package is vulnerable everywhere
        check(r#"{"path":"a"}"#, &[]);
        check("", &[]);
    }

    #[test]
    fn the_vendors_word_is_found_where_each_database_puts_it() {
        let check = |json: &str, whole: Option<&str>, package: Option<&str>| {
            let advisory = record(json).advisory;
            assert_eq!(advisory.vendor_severity.as_deref(), whole, "{json}");
            assert_eq!(advisory.affected.first().and_then(|one| one.vendor_severity.as_deref()), package, "{json}");
        };
        // GitHub: of the whole record
        check(
            r#"{"id":"GHSA-x","database_specific":{"severity":"MODERATE","cwe_ids":["CWE-79"]}}"#,
            Some("MODERATE"),
            None,
        );
        // Debian: of one package in one release
        check(
            r#"{"id":"DEBIAN-CVE-1","affected":[{"package":{"ecosystem":"Debian:12","name":"tar"},
               "ecosystem_specific":{"urgency":"unimportant"},"database_specific":{"source":"x"}}]}"#,
            None,
            Some("unimportant"),
        );
        // Ubuntu: where a vector would stand
        check(r#"{"id":"UBUNTU-CVE-1","severity":[{"type":"Ubuntu","score":"medium"}]}"#, Some("medium"), None);
        check(r#"{"id":"x","database_specific":{"severity":[{"type":"odd"}]}}"#, None, None);
        check(r#"{"id":"x","database_specific":null}"#, None, None);
    }

    #[test]
    fn ubuntu_says_who_gets_the_fix_and_its_notices_name_cves_by_its_own_names() {
        let advisory = record(
            r#"{"id":"USN-5614-1","upstream":["UBUNTU-CVE-2021-3782"],"affected":[
               {"package":{"ecosystem":"Ubuntu:Pro:16.04:LTS","name":"wayland"},
                "ecosystem_specific":{"availability":"Available with Ubuntu Pro (Infra-only): https://ubuntu.com/pro",
                                      "ubuntu_priority":"low","binaries":[{"binary_name":"libwayland-bin"}]}},
               {"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"wayland"},
                "ecosystem_specific":{"availability":"No subscription required"},
                "database_specific":{"cves_map":{"cves":[{"id":"CVE-2021-3782"}]}}}]}"#,
        )
        .advisory;
        assert_eq!(advisory.upstream, ["CVE-2021-3782", "UBUNTU-CVE-2021-3782"]);
        let said: Vec<_> = advisory
            .affected
            .iter()
            .map(|one| (one.ecosystem.as_str(), one.remark.as_deref(), one.vendor_severity.as_deref()))
            .collect();
        let pro = "Available with Ubuntu Pro (Infra-only): https://ubuntu.com/pro";
        let low = Some("low");
        assert_eq!(
            said,
            [
                ("Ubuntu:Pro:16.04", Some(pro), low),
                ("Ubuntu:22.04", None, None),
                ("Ubuntu:16.04", Some(pro), low) // who has no subscription has the package all the same
            ]
        );
    }

    #[test]
    fn what_only_subscribers_get_fixed_is_broken_for_everyone_else_unless_the_record_says_otherwise() {
        let ecosystems = |names: &[&str]| {
            let entries = names.iter().map(|name| format!(r#"{{"package":{{"ecosystem":"{name}","name":"x"}}}}"#));
            let json = format!(r#"{{"id":"UBUNTU-CVE-1","affected":[{}]}}"#, entries.collect::<Vec<_>>().join(","));
            record(&json).advisory.affected.into_iter().map(|one| one.ecosystem.to_string()).collect::<Vec<_>>()
        };
        let both = ["Ubuntu:Pro:18.04", "Ubuntu:18.04"];
        assert_eq!(ecosystems(&["Ubuntu:Pro:18.04:LTS"]), both);
        assert_eq!(ecosystems(&["Ubuntu:Pro:18.04:LTS", "Ubuntu:18.04:LTS"]), both);
        assert_eq!(ecosystems(&["Ubuntu:Pro:FIPS:18.04:LTS"]), ["Ubuntu:Pro:FIPS:18.04"]);
        assert_eq!(ecosystems(&["Debian:12"]), ["Debian:12"]);
    }

    #[test]
    fn a_malicious_package_is_malicious_in_all_versions_that_its_record_names() {
        // as OpenSSF's malicious-packages has them: the origins' versions are not the record's
        let advisory = record(
            r#"{"id":"MAL-2024-1","summary":"Malicious code in x (npm)","affected":[
               {"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
                "database_specific":{"cwes":[{"cweId":"CWE-506","name":"Embedded Malicious Code"}]}},
               {"package":{"ecosystem":"PyPI","name":"y"},"versions":["1.0","1.1"],"database_specific":{"cwes":"none"}}],
               "database_specific":{"malicious-packages-origins":[
                 {"source":"s","sha256":"00","import_time":"2024-01-01T00:00:00Z","versions":["9.9.9"],
                  "ranges":[{"type":"SEMVER","events":[{"introduced":"9"}]}]}]}}"#,
        )
        .advisory;
        assert_eq!((advisory.source.as_str(), &advisory.cwes[..]), ("OSSF_MALICIOUS", &["CWE-506".to_owned()][..]));
        assert_eq!(advisory.affected[0].ranges[0].events, [Event::Introduced("0".into())]);
        assert!(advisory.affected[0].versions.is_empty() && advisory.affected[1].ranges.is_empty());
        assert_eq!(advisory.affected[1].versions, ["1.0", "1.1"]);
    }

    #[test]
    fn a_package_that_debian_no_longer_supports_says_so() {
        let json = r#"{"id":"DEBIAN-CVE-1","affected":[{"package":{"ecosystem":"Debian:11","name":"x"},
            "ecosystem_specific":{"urgency":"end-of-life"}}]}"#;
        assert_eq!(record(json).advisory.affected[0].state, Some(VendorState::EndOfLife));
    }

    #[test]
    fn a_warning_of_rustsec_says_so() {
        let check = |kind: &str, word: Option<&str>, remark: Option<&str>| {
            let json = format!(
                r#"{{"id":"RUSTSEC-1","affected":[{{"package":{{"ecosystem":"crates.io","name":"a"}},
                    "database_specific":{{"categories":[],"cvss":null,"informational":{kind}}}}}]}}"#
            );
            let advisory = record(&json).advisory;
            assert_eq!(advisory.vendor_severity.as_deref(), word, "{kind}");
            assert_eq!(advisory.affected[0].remark.as_deref(), remark, "{kind}");
        };
        check("\"unmaintained\"", Some("informational"), Some("informational: unmaintained"));
        check("null", None, None);
    }

    #[test]
    fn products_are_told_where_the_record_names_them() {
        let json = r#"{"id":"BIT-1","database_specific":{"severity":"Critical","cpes":["cpe:2.3:a:apache:activemq:*:*:*:*:*:*:*:*"]}}"#;
        assert_eq!(record(json).advisory.cpes, ["cpe:2.3:a:apache:activemq:*:*:*:*:*:*:*:*"]);
    }

    #[test]
    fn events_and_versions_come_as_the_record_has_them() {
        let advisory = record(
            r#"{"id":"PYSEC-1","affected":[{"package":{"ecosystem":"PyPI","name":"Jinja2"},"versions":["2.0","2.1"],
               "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.10.1"}]},
                         {"type":"GIT","events":[{"introduced":"abc"}]},
                         {"type":"SEMVER","events":[{"introduced":"3","last_affected":"3.1"},{"limit":"4"}]}]}]}"#,
        )
        .advisory;
        assert_eq!(advisory.affected[0].versions, ["2.0", "2.1"]);
        let (introduced, fixed) = (Event::Introduced("0".into()), Event::Fixed("2.10.1".into()));
        assert_eq!(
            advisory.affected[0].ranges,
            [
                Range { kind: RangeType::Ecosystem, events: vec![introduced, fixed] },
                Range {
                    kind: RangeType::Semver,
                    events: vec![
                        Event::Introduced("3".into()),
                        Event::LastAffected("3.1".into()),
                        Event::Limit("4".into())
                    ]
                },
            ]
        );
    }

    #[test]
    fn without_a_fix_what_is_known_ends_the_range() {
        let check = |bound: &str, events: &str, expected: &[Event], partial: bool| {
            let json = format!(
                r#"{{"id":"GHSA-x","affected":[{{"package":{{"ecosystem":"Maven","name":"g:a"}},
                    "ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}],
                    "database_specific":{{"last_known_affected_version_range":"{bound}"}}}}]}}"#
            );
            let record = record(&json);
            let events = &record.advisory.affected[0].ranges[0].events[1..];
            assert_eq!((events, record.skipped.len()), (expected, usize::from(partial)), "{bound}");
        };
        let introduced = r#"{"introduced":"0"}"#;
        check("<= 29.0", introduced, &[Event::LastAffected("29.0".into())], false); // GHSA-5mg8-w23w-74h3
        check("< 3.0.0", introduced, &[Event::Limit("3.0.0".into())], false);
        // a fix says more
        let fixed = r#"{"introduced":"0"},{"fixed":"0.0.7"}"#;
        check("<= 0.0.6", fixed, &[Event::Fixed("0.0.7".into())], false);
        check("29.0", introduced, &[], true);
        check("< 1, > 2", introduced, &[], true);
        check("", introduced, &[], false);
    }

    #[test]
    fn a_record_that_means_nothing_is_refused_with_the_reason() {
        let check = |json: &str, expected: &str| {
            assert_eq!(read(json.as_bytes()).unwrap_err().to_string(), expected, "{json}");
        };
        check("{}", "is not OSV JSON");
        check("[]", "is not OSV JSON");
        check(r#"{"id":7}"#, "is not OSV JSON");
        check(r#"{"id":""}"#, "advisory ``: field `id` must have 1 to 512 bytes");
        check(r#"{"id":"X","withdrawn":"soon"}"#, "advisory `X`: field `withdrawn` is not a time: `soon`");
    }

    #[test]
    fn gos_zero_time_is_no_time() {
        let advisory =
            record(r#"{"id":"GO-1","modified":"0001-01-01T00:00:00Z","published":"2021-04-14T20:04:52Z"}"#).advisory;
        assert_eq!(advisory.modified, None);
        assert!(advisory.published.is_some());
    }

    #[test]
    fn a_source_is_told_by_the_id_and_the_ecosystem() {
        let check = |id: &str, ecosystem: &str, name: &str, url: &str| {
            let json =
                format!(r#"{{"id":"{id}","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"x"}}}}]}}"#);
            let advisory = record(&json).advisory;
            assert_eq!((advisory.source.as_str(), origins::page(&advisory.source, id).as_str()), (name, url));
        };
        let debian = "https://security-tracker.debian.org/tracker/";
        check("DEBIAN-CVE-2023-5363", "Debian:12", "DEBIAN_CVE", &format!("{debian}CVE-2023-5363"));
        check("DSA-5532-1", "Debian:12", "DEBIAN_CVE", &format!("{debian}DSA-5532-1"));
        check("CVE-2015-0840", "Debian:12", "DEBIAN_CVE", &format!("{debian}CVE-2015-0840"));
        check("CVE-2015-0840", "", "NVD", "https://nvd.nist.gov/vuln/detail/CVE-2015-0840");
        check("GHSA-x", "npm", "GITHUB", "https://github.com/advisories/GHSA-x");
        check("PYSEC-2023-74", "PyPI", "PYPA", "https://osv.dev/vulnerability/PYSEC-2023-74");
        check("GO-2021-1", "Go", "GO_VULNDB", "https://pkg.go.dev/vuln/GO-2021-1");
        check("RUSTSEC-2020-0071", "crates.io", "RUSTSEC", "https://rustsec.org/advisories/RUSTSEC-2020-0071.html");
    }
}
