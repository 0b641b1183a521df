//! Debian's security tracker as its team writes it: `data/CVE/list`, `data/DSA/list`, `data/DLA/list`, `data/DTSA/list`
//! (salsa.debian.org/security-tracker-team/security-tracker, `doc/security-team.d.o/security_tracker`, read 2026-11-24).
//!
//! ```text
//! [12 Oct 2023] DSA-5525-1 samba - security update       CVE-2023-3961 (A path traversal vulnerability …)
//!     {CVE-2023-3961 CVE-2023-4091}                          {DSA-5525-1}
//!     [bookworm] - samba 2:4.17.12+dfsg-0+deb12u1            - samba 2:4.19.1+dfsg-1 (bug #123; medium)
//!                                                            [bullseye] - samba <ignored> (Minor issue)
//! ```
//!
//! - A line with a release is about that release, a line without is about unstable; what is fixed in unstable in some version
//!   is fixed from that version on in every release of which nothing else is said.
//! - `<no-dsa>`, `<postponed>`, `<ignored>` say what the team will do about it, not since when it is fixed: that stays what
//!   the line about unstable says.
//! - An entry that names notices (`{DSA-5525-1}`) leaves it to them in which version releases got the fix, and that is another
//!   file. Where an entry names a notice, the releases that it does not mention are therefore left out here: to call them
//!   affected until unstable's version would be wrong for each that got the fix by a notice. How many entries did so is told;
//!   the tracker's JSON, which has both joined, is the better source.

use super::{Document, Item, Sink, debian};
use crate::feed::{FeedError, Head, LINK_BYTES_MAX, WORD_BYTES_MAX, cut};
use jiff::civil;
use muster_domain::{Advisory, AdvisoryId, Affected, Reference, Skipped, VendorState};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The database, as `origins` has it.
const SOURCE: &str = "DEBIAN_CVE";
/// Most lines of one entry that are read: real ones stay below 400, and one line can be about a dozen releases.
const LINES_MAX: usize = 5_000;
/// Most vulnerabilities that one notice names; real ones stay below 600.
const NAMES_MAX: usize = 10_000;
/// Most links that are kept: the Inspector API shows 100.
const REFERENCES_MAX: usize = 100;
/// Most bytes of a title or a remark that are kept.
const REMARK_BYTES_MAX: usize = 1024;
/// Words in brackets behind a version that are an urgency.
const URGENCIES: &[&str] = &["unimportant", "low", "medium", "high", "not yet assigned"];

/// An entry at the beginning, and a line of an entry behind it.
pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let mut lines = head.text.split(|&byte| byte == b'\n').map(String::from_utf8_lossy).take(100);
    let begins = lines.next().is_some_and(|line| Title::read(&line).is_some());
    begins && lines.any(|line| is_indented(&line) && !matches!(Line::read(line.trim()), Line::Other))
}

/// A document is a whole list.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let text = String::from_utf8_lossy(document.bytes);
    let mut entry: Option<Entry<'_>> = None;
    let mut left_to_notices = 0u64;
    for (number, line) in (1u64..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        if is_indented(line) {
            match &mut entry {
                Some(entry) => entry.line(number, line.trim(), sink),
                None => sink(Item::skipped(format!("line {number}"), "belongs to no entry")),
            }
            continue;
        }
        left_to_notices += entry.take().map_or(0, |entry| entry.finish(sink));
        match Title::read(line) {
            Some(title) => entry = Some(Entry { title, ..Entry::default() }),
            None => sink(Item::skipped(format!("line {number}"), format!("is no entry: `{}`", cut(line, 40)))),
        }
    }
    left_to_notices += entry.take().map_or(0, |entry| entry.finish(sink));
    if left_to_notices > 0 {
        let reason = format!(
            "{left_to_notices} entries leave it to notices in which version releases got the fix: nothing is said of the \
             releases that they don't name (the tracker's JSON has both joined)"
        );
        sink(Item::Partial(Skipped { place: String::new(), reason }));
    }
    Ok(())
}

fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// The line that begins an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Title<'t> {
    id: &'t str,
    text: &'t str,
    /// A notice's day.
    day: Option<civil::Date>,
}

impl<'t> Title<'t> {
    fn read(line: &'t str) -> Option<Self> {
        match line.strip_prefix('[') {
            Some(rest) => Self::of_notice(rest),
            None => Self::of_cve(line),
        }
    }

    /// `12 Oct 2023] DSA-5525-1 samba - security update`
    fn of_notice(line: &'t str) -> Option<Self> {
        let (day, rest) = line.split_once(']')?;
        let (id, text) = rest.trim_start().split_once(' ').unwrap_or((rest.trim(), ""));
        let number = ["DSA-", "DLA-", "DTSA-"].iter().find_map(|prefix| id.strip_prefix(prefix))?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && !number.is_empty();
        (is_number && id.len() <= WORD_BYTES_MAX).then_some(Self { id, text: text.trim(), day: read_day(day) })
    }

    /// `CVE-2023-3961 (A path traversal …)`, `CVE-2023-XXXX [no id yet]`
    fn of_cve(line: &'t str) -> Option<Self> {
        let (id, text) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        let (year, number) = id.strip_prefix("CVE-")?.split_once('-')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_id = digits(year) && (digits(number) || number == "XXXX") && id.len() <= WORD_BYTES_MAX;
        let text = text.trim().trim_start_matches(['(', '[']).trim_end_matches([')', ']']);
        is_id.then_some(Self { id, text, day: None })
    }
}

/// `12 Oct 2023`, `August 26th, 2005`
fn read_day(text: &str) -> Option<civil::Date> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (mut month, mut numbers) = (None, Vec::new());
    for word in text.split_whitespace().take(3) {
        match word.as_bytes().first()?.is_ascii_digit() {
            true => {
                let word = word.trim_end_matches(|letter: char| !letter.is_ascii_digit());
                numbers.push(word.parse::<i16>().ok()?);
            }
            false => {
                month = MONTHS.iter().zip(1i8..).find(|(name, _)| word.starts_with(**name)).map(|(_, month)| month)
            }
        }
    }
    let [day, year] = numbers[..] else { return None };
    civil::Date::new(year, month?, i8::try_from(day).ok()?).ok()
}

/// A line of an entry.
#[derive(Debug, PartialEq, Eq)]
enum Line<'t> {
    /// `{CVE-2023-3961 DSA-5525-1}`
    References(&'t str),
    /// `[bookworm] - samba 2:4.17.12 (…)`
    Package(Option<&'t str>, Said<'t>),
    /// `NOTE: https://…`
    Note(&'t str),
    /// `RESERVED`, `REJECTED`, `NOT-FOR-US: …`, `TODO: …`: nothing of a package.
    Nothing,
    /// No line that this format has.
    Other,
}

/// What a line says of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said<'t> {
    package: &'t str,
    /// A version, or a word in angle brackets.
    what: &'t str,
    /// What stands in round brackets behind it.
    more: &'t str,
}

impl<'t> Line<'t> {
    fn read(line: &'t str) -> Self {
        if let Some(names) = line.strip_prefix('{') {
            return Self::References(names.trim_end_matches('}'));
        }
        if let Some(text) = line.strip_prefix("NOTE:") {
            return Self::Note(text.trim());
        }
        let nothing = ["RESERVED", "REJECTED", "NOT-FOR-US", "TODO:"];
        if nothing.iter().any(|word| line.starts_with(word)) {
            return Self::Nothing;
        }
        Self::package(line).unwrap_or(Self::Other)
    }

    fn package(line: &'t str) -> Option<Self> {
        let (release, rest) = match line.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map(|(release, rest)| (Some(release.trim()), rest))?,
            None => (None, line),
        };
        let rest = rest.trim_start().strip_prefix('-')?.strip_prefix(' ')?.trim();
        let (rest, more) = rest.split_once('(').map_or((rest, ""), |(rest, more)| (rest, more.trim_end_matches(')')));
        let (package, what) = rest.trim_end().split_once(char::is_whitespace)?;
        let (what, more) = (what.trim(), more.trim());
        let is_one_word = !what.is_empty() && !what.contains(char::is_whitespace);
        is_one_word.then_some(Self::Package(release, Said { package, what, more }))
    }
}

/// An entry, line by line.
#[derive(Default)]
struct Entry<'t> {
    title: Title<'t>,
    names: Vec<&'t str>,
    /// Release, or none for unstable, and what is said of a package there.
    said: Vec<(Option<&'t str>, Said<'t>)>,
    references: Vec<Reference>,
    first_bug: Option<&'t str>,
    lines: usize,
}

impl<'t> Entry<'t> {
    fn line(&mut self, number: u64, line: &'t str, sink: Sink<'_>) {
        self.lines += 1;
        let told = match self.lines.cmp(&(LINES_MAX + 1)) {
            Ordering::Less => self.read(line),
            Ordering::Equal => Some(format!("has more than {LINES_MAX} lines, the rest was not read")),
            Ordering::Greater => None,
        };
        if let Some(reason) = told {
            let place = format!("line {number}: {}", cut(self.title.id, 40));
            sink(Item::Partial(Skipped { place, reason }));
        }
    }

    /// Takes in a line. What of it could not be used is told.
    fn read(&mut self, line: &'t str) -> Option<String> {
        match Line::read(line) {
            Line::References(names) => {
                let names = names.split_whitespace().filter(|name| name.len() <= WORD_BYTES_MAX);
                self.names.extend(names.take(NAMES_MAX - self.names.len()));
                None
            }
            Line::Package(release, said) => self.package(release, said),
            Line::Note(text) => {
                let link = text.split_whitespace().next().unwrap_or_default();
                if link.starts_with("https://") || link.starts_with("http://") {
                    self.link("WEB", link.to_owned());
                }
                None
            }
            Line::Nothing => None,
            Line::Other => Some(format!("is no line of the format: `{}`", cut(line, 40))),
        }
    }

    fn package(&mut self, release: Option<&'t str>, said: Said<'t>) -> Option<String> {
        if said.package.len().max(said.what.len()) > WORD_BYTES_MAX {
            return Some(format!("a name or version is longer than {WORD_BYTES_MAX} bytes"));
        }
        match release {
            Some(codename) if debian::number(codename).is_none() => {
                return Some(format!("unknown release `{}`", cut(codename, 40)));
            }
            None if self.title.is_notice() => return Some(format!("{} has no release", said.package)),
            _ if said.what == "<itp>" => return None, // somebody means to package it: nobody has it
            _ => {}
        }
        for bug in said.flags().filter_map(|flag| flag.strip_prefix("bug #")) {
            if bug.bytes().all(|byte| byte.is_ascii_digit()) && bug.len() <= 20 {
                self.first_bug.get_or_insert(bug);
                self.link("REPORT", format!("https://bugs.debian.org/{bug}"));
            }
        }
        self.said.push((release, said));
        let is_unknown = said.state_and_version().is_none();
        is_unknown.then(|| format!("unknown state `{}`, read as under investigation", cut(said.what, 40)))
    }

    fn link(&mut self, kind: &str, url: String) {
        if self.references.len() < REFERENCES_MAX && url.len() <= LINK_BYTES_MAX {
            self.references.push(Reference { kind: kind.to_owned(), url });
        }
    }

    /// Hands on the record. How many entries (0 or 1) left releases to the notices that they name.
    fn finish(self, sink: Sink<'_>) -> u64 {
        if self.said.is_empty() {
            return 0; // announced for people, rejected, or not about Debian
        }
        let is_notice = self.title.is_notice();
        let has_notice = !is_notice && self.names.iter().any(|name| !name.starts_with("CVE-"));
        let affected = match is_notice {
            true => self.said.iter().filter_map(|(release, said)| said.affected((*release)?, None)).collect(),
            false => self.of_releases(has_notice),
        };
        let left_out = u64::from(has_notice && self.said.iter().any(|(release, _)| release.is_none()));
        if affected.is_empty() {
            return left_out;
        }
        let published = self.title.day.and_then(|day| jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok());
        let names = self.names.iter().map(|name| (*name).to_owned());
        let (upstream, related) = match is_notice {
            true => (names.collect(), Vec::new()),
            false => (Vec::new(), names.collect()),
        };
        sink(Item::Advisory(Advisory {
            id: AdvisoryId(self.id()),
            source: SOURCE.to_owned(),
            upstream,
            related,
            summary: cut(self.title.text, REMARK_BYTES_MAX).to_owned(),
            affected,
            references: self.references,
            published,
            ..Advisory::default()
        }));
        left_out
    }

    /// The id, or for what has none yet a name in the form of the tracker's own: its first bug and a hash of its title. The
    /// tracker promises no stability for these either.
    fn id(&self) -> String {
        if !self.title.id.ends_with("-XXXX") {
            return self.title.id.to_owned();
        }
        let hash = Sha256::digest(self.title.text.as_bytes());
        format!("TEMP-{:0>7}-{}", self.first_bug.unwrap_or_default(), hex::encode_upper(&hash[..3]))
    }

    /// What follows for each release.
    fn of_releases(&self, has_notice: bool) -> Vec<Affected> {
        let mut unstable: BTreeMap<&str, Said<'_>> = BTreeMap::new();
        for (_, said) in self.said.iter().filter(|(release, _)| release.is_none()) {
            unstable.insert(said.package, *said);
        }
        let mut releases: BTreeMap<(&str, &str), Affected> = BTreeMap::new();
        for said in unstable.values().filter(|_| !has_notice) {
            let followed = |codename| Some(((said.package, codename), said.followed_by(codename)?));
            releases.extend(debian::told_by_systems().filter_map(followed));
        }
        for (release, said) in &self.said {
            let Some(codename) = *release else { continue };
            let affected = said.affected(codename, unstable.get(said.package).copied());
            releases.extend(affected.map(|affected| ((said.package, codename), affected)));
        }
        releases.into_values().collect()
    }
}

impl Title<'_> {
    fn is_notice(&self) -> bool {
        !self.id.starts_with("CVE-")
    }
}

impl<'t> Said<'t> {
    fn flags(&self) -> impl Iterator<Item = &'t str> {
        self.more.split(';').map(str::trim)
    }

    fn urgency(&self) -> Option<&'t str> {
        self.flags().find(|flag| URGENCIES.contains(flag))
    }

    /// Whether bugs and urgencies stand in the brackets, not a sentence.
    fn has_flags(&self) -> bool {
        self.flags().any(|flag| flag.starts_with("bug #") || URGENCIES.contains(&flag))
    }

    /// The state, and the version from which on it is good where there is one. `None`: a word that we don't know.
    fn state_and_version(&self) -> Option<(VendorState, Option<&'t str>)> {
        Some(match self.what {
            "0" | "<not-affected>" => (VendorState::NotAffected, None),
            "<unfixed>" | "<removed>" => (VendorState::Affected, None),
            "<no-dsa>" | "<postponed>" => (VendorState::Deferred, None),
            "<ignored>" => (VendorState::WillNotFix, None),
            "<end-of-life>" | "<unsupported>" => (VendorState::EndOfLife, None),
            "<undetermined>" => (VendorState::UnderInvestigation, None),
            word if word.starts_with('<') => return None,
            version => (VendorState::Fixed, Some(version)),
        })
    }

    /// What it says, being said of unstable, of a release of which nothing else is said: whether that has the fixed version
    /// can't be told from here.
    fn followed_by(&self, codename: &str) -> Option<Affected> {
        let affected = self.affected(codename, None)?;
        let state = affected.state.filter(|state| *state != VendorState::Fixed);
        Some(Affected { state, ..affected })
    }

    /// What it says of a release, given what is said of unstable.
    fn affected(&self, codename: &str, unstable: Option<Said<'t>>) -> Option<Affected> {
        let (state, own_version) = self.state_and_version().unwrap_or((VendorState::UnderInvestigation, None));
        let all = Affected::new(debian::ecosystem(codename)?, self.package);
        let decided = matches!(state, VendorState::Deferred | VendorState::WillNotFix);
        let later = unstable.filter(|_| decided).and_then(|said| said.state_and_version()?.1);
        let ranged = match state {
            VendorState::NotAffected | VendorState::UnderInvestigation => all,
            _ => all.with_range("0", own_version.or(later)),
        };
        let urgency = self.urgency().or_else(|| unstable?.urgency());
        let remark = Some(self.more).filter(|more| own_version.is_none() && !more.is_empty() && !self.has_flags());
        Some(Affected {
            state: Some(state),
            vendor_severity: urgency.map(str::to_owned),
            remark: remark.map(|remark| cut(remark, REMARK_BYTES_MAX).to_owned()),
            ..ranged
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that comes of a document; a record is its id and what it says of packages in the releases of `shown`.
    fn read(text: &str, shown: &[&str]) -> Vec<String> {
        let mut came = Vec::new();
        parse(&Document { name: "list", bytes: text.as_bytes() }, &mut |item| match item {
            Item::Advisory(advisory) => {
                let all = advisory.affected.iter().filter(|one| shown.contains(&one.ecosystem.as_str()));
                came.push(advisory.id.0.clone());
                came.extend(all.map(|one| {
                    let until = one.ranges.iter().map(|range| format!(" {:?}", range.events.last().unwrap()));
                    let said = [&one.vendor_severity, &one.remark].map(|said| said.as_deref().unwrap_or("-"));
                    let state = one.state.map_or("-", VendorState::as_str);
                    let until = until.collect::<String>();
                    format!("  {} {} {state}{until} {}", one.name, one.ecosystem, said.join(" "))
                }));
            }
            Item::Skipped(skipped) => came.push(format!("skipped {}: {}", skipped.place, skipped.reason)),
            Item::Partial(skipped) => came.push(format!("partial {}: {}", skipped.place, skipped.reason)),
            other => came.push(format!("{other:?}")),
        })
        .unwrap();
        came
    }

    const RELEASES: &[&str] = &["Debian:10", "Debian:11", "Debian:12"];

    #[test]
    fn a_notice_says_in_which_version_a_release_got_the_fix() {
        let text = "[12 Oct 2023] DSA-5525-1 samba - security update\n\
            \t{CVE-2023-3961 CVE-2023-4091}\n\
            \t[bookworm] - samba 2:4.17.12+dfsg-0+deb12u1\n\
            \t[bullseye] - samba <end-of-life> (Out of support)\n\
            \t[buster] - samba <not-affected> (Vulnerable code not present)\n\
            \tNOTE: for people\n\
            [31 Mar 2023] DLA-3377-1 systemd end-of-life\n";
        assert_eq!(
            read(text, RELEASES),
            [
                "DSA-5525-1",
                r#"  samba Debian:12 fixed Fixed("2:4.17.12+dfsg-0+deb12u1") - -"#,
                r#"  samba Debian:11 end of life Introduced("0") - Out of support"#,
                "  samba Debian:10 not affected - Vulnerable code not present",
            ]
        );
    }

    #[test]
    fn what_is_fixed_in_unstable_is_fixed_from_that_version_on_unless_a_release_says_otherwise() {
        let text = "CVE-2023-0001 (A flaw in …)\n\
            \t- one 1.5-1 (bug #7; medium)\n\
            \t[bullseye] - one 1.2-1+deb11u1\n\
            \t[buster] - one <no-dsa> (Minor issue)\n\
            \t- two <unfixed> (unimportant)\n\
            \t[bullseye] - two <ignored> (Too intrusive)\n\
            \t[buster] - two <not-affected> (Introduced later)\n\
            \t- three <not-affected> (Windows only)\n\
            \t- four <itp> (bug #9)\n\
            \t- five <undetermined>\n\
            \t- six <removed>\n\
            \tNOTE: https://example.org/fix (1.5)\n";
        assert_eq!(
            read(text, RELEASES),
            [
                "CVE-2023-0001",
                "  five Debian:12 under investigation - -",
                "  five Debian:11 under investigation - -",
                "  five Debian:10 under investigation - -",
                r#"  one Debian:12 - Fixed("1.5-1") medium -"#,
                r#"  one Debian:11 fixed Fixed("1.2-1+deb11u1") medium -"#,
                r#"  one Debian:10 fix deferred Fixed("1.5-1") medium Minor issue"#,
                r#"  six Debian:12 affected Introduced("0") - -"#,
                r#"  six Debian:11 affected Introduced("0") - -"#,
                r#"  six Debian:10 affected Introduced("0") - -"#,
                "  three Debian:12 not affected - Windows only",
                "  three Debian:11 not affected - Windows only",
                "  three Debian:10 not affected - Windows only",
                r#"  two Debian:12 affected Introduced("0") unimportant -"#,
                r#"  two Debian:11 will not fix Introduced("0") unimportant Too intrusive"#,
                "  two Debian:10 not affected unimportant Introduced later",
            ]
        );
    }

    #[test]
    fn releases_that_a_notice_may_be_about_are_left_to_it_and_that_is_told() {
        let text = "CVE-2023-0001 (x)\n\t{DSA-1-1}\n\t- one 1.5-1\n\t[buster] - one <postponed> (Later)\n\
                    CVE-2023-0002 (y)\n\t{DLA-1-1}\n\t- one 1.5-1\n";
        let told = "partial : 2 entries leave it to notices in which version releases got the fix: nothing is said of the \
                    releases that they don't name (the tracker's JSON has both joined)";
        let buster = r#"  one Debian:10 fix deferred Fixed("1.5-1") - Later"#;
        assert_eq!(read(text, RELEASES), ["CVE-2023-0001", buster, told]);
    }

    #[test]
    fn what_is_no_line_of_the_format_is_told() {
        let text = "stray\n\tlonely\nCVE-2023-0001 (x)\n\tRESERVED\n\t[duke2] - one 1\n\t- one <maybe>\n\tnonsense\n\
                    [1 Jan 2020] DSA-1 two - x\n\t- two 1\nCVE-2023-0003\n\tNOT-FOR-US: Windows\n";
        assert_eq!(
            read(text, &["Debian:12"]),
            [
                "skipped line 1: is no entry: `stray`",
                "skipped line 2: belongs to no entry",
                "partial line 5: CVE-2023-0001: unknown release `duke2`",
                "partial line 6: CVE-2023-0001: unknown state `<maybe>`, read as under investigation",
                "partial line 7: CVE-2023-0001: is no line of the format: `nonsense`",
                "CVE-2023-0001",
                "  one Debian:12 under investigation - -",
                "partial line 9: DSA-1: two has no release",
            ]
        );
    }

    #[test]
    fn what_has_no_id_yet_is_named_by_its_bug_and_its_title() {
        let text = "CVE-2023-XXXX [heap overflow in x]\n\t- x 1 (bug #1234)\nCVE-2023-XXXX [other]\n\t- y 1\n";
        let ids: Vec<String> = read(text, &[]).into_iter().collect();
        assert_eq!(ids.len(), 2);
        assert!(ids[0].starts_with("TEMP-0001234-") && ids[1].starts_with("TEMP-0000000-"), "{ids:?}");
    }

    #[test]
    fn a_day_is_read_in_both_forms() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(read_day(text).map(|day| day.to_string()).as_deref(), expected, "{text}");
        };
        check("12 Oct 2023", Some("2023-10-12"));
        check("August 26th, 2005", Some("2005-08-26"));
        check("31 Feb 2023", None);
        check("soon", None);
        check("", None);
    }

    #[test]
    fn an_entry_of_endless_lines_is_cut() {
        let text = format!("CVE-2023-0001 (x)\n{}", "\t- one 1\n".repeat(LINES_MAX + 5));
        let came = read(&text, &["Debian:12"]);
        let told = format!(
            "partial line {}: CVE-2023-0001: has more than {LINES_MAX} lines, the rest was not read",
            LINES_MAX + 2
        );
        assert_eq!(came[0], told);
        assert_eq!(came.len(), 3);
    }

    #[test]
    fn only_lists_are_recognised() {
        let check = |text: &str, expected: bool| {
            assert_eq!(recognises(&Head::new("list", text.as_bytes())), expected, "{text}");
        };
        check("[31 Mar 2023] DLA-3377-1 systemd - security update\n\t{CVE-2023-26604}\n", true);
        check("[18 Apr 2018] DSA-4205-1 jessie end-of-life\n        NOTE: end\n", true);
        check("CVE-2023-28846 (Unpoly is a …)\n\tTODO: check\n", true);
        check("CVE-2023-28846 (Unpoly is a …)\n", false); // a list of ids
        check("acl (2.3.1-3) unstable; urgency=low\n\n  * CVE-2023-1\n", false); // a changelog
        check("chromium;cpe:/a:google:chrome\n", false); // the tracker's CPE/list
    }
}
