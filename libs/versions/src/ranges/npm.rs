//! npm's ranges, as node-semver's `Range` reads them, strict (github.com/npm/node-semver, "Ranges"): `^`, `~`, x-ranges,
//! hyphen ranges, comparators, alternatives behind `||`.
//!
//! A pre-release is in an alternative only if one of its comparators has a pre-release of the same three numbers
//! (`includePrerelease` is off, as in npm).

use super::intervals::{Intervals, Operator};
use super::triples::{self, Partial, before_prereleases};
use super::{Condition, Fault, alternatives, comparators};
use crate::{Scheme, semver};

pub(super) fn read(raw: &str) -> Result<Condition, Fault> {
    let mut releases = Vec::new();
    let mut prereleases = Vec::new();
    let mut has_any = false;
    for alternative in alternatives(raw, "||")? {
        let read = Alternative::read(alternative.trim())?;
        has_any |= read.is_any;
        prereleases.push(read.intervals.intersection(&Intervals::union(read.prereleases)));
        releases.push(read.intervals);
    }
    if has_any {
        // node-semver then forgets the other alternatives, and `*` has no pre-releases.
        return Ok(Condition::ByKind { releases: Intervals::all(), prereleases: Intervals::none() });
    }
    Ok(Condition::ByKind { releases: Intervals::union(releases), prereleases: Intervals::union(prereleases) })
}

/// What must hold together.
struct Alternative {
    intervals: Intervals,
    /// The pre-releases that may be in it.
    prereleases: Vec<Intervals>,
    is_any: bool,
}

impl Alternative {
    fn read(text: &str) -> Result<Self, Fault> {
        let mut read = Self { intervals: Intervals::all(), prereleases: Vec::new(), is_any: true };
        if let Some((from, to)) = hyphen(text) {
            read.hyphen(text, from, to)?;
            return Ok(read);
        }
        let text = without_builds(text);
        if text.is_empty() {
            return Ok(read);
        }
        if text.contains(',') {
            return Err(Fault::new(&text, "npm has no commas in ranges"));
        }
        for (sign, version) in comparators::pieces(&text)? {
            read.piece(sign, version)?;
        }
        Ok(read)
    }

    fn and(&mut self, intervals: &Intervals) {
        self.intervals = self.intervals.intersection(intervals);
        self.is_any = false;
    }

    /// Takes part in the rule of pre-releases.
    fn names(&mut self, partial: &Partial<'_>) {
        if !partial.prerelease.is_empty() && partial.count() == 3 {
            self.prereleases.push(triples::prereleases(&partial.floor()));
        }
    }

    fn hyphen(&mut self, text: &str, from: &str, to: &str) -> Result<(), Fault> {
        let (from, to) = (partial(text, from)?, partial(text, to)?);
        if from.count() > 0 {
            self.names(&from);
            self.at_least(&from);
        }
        match to.count() {
            0 => {}
            3 => {
                self.names(&to);
                self.and(&Intervals::compared(Operator::LessOrEqual, &to.key()));
            }
            count => self.and(&Intervals::below(before_prereleases(&to.ceiling(count)))),
        }
        Ok(())
    }

    /// `>=0.0.0` is every version for node-semver.
    fn at_least(&mut self, partial: &Partial<'_>) {
        if partial.floor().iter().any(|number| number != "0") || !partial.prerelease.is_empty() {
            self.and(&Intervals::compared(Operator::GreaterOrEqual, &floor_key(partial)));
        }
    }

    fn piece(&mut self, sign: &str, version: &str) -> Result<(), Fault> {
        let piece = format!("{sign}{version}");
        let read = partial(&piece, version)?;
        let count = read.count();
        match sign {
            "^" | "~" | "~>" => {
                if count > 0 {
                    self.names(&read);
                    self.at_least(&read);
                    let kept = if sign == "^" { caret(&read) } else { count.min(2) };
                    self.and(&Intervals::below(before_prereleases(&read.ceiling(kept))));
                }
            }
            "" | "=" if count == 3 => {
                self.names(&read);
                self.and(&Intervals::compared(Operator::Equal, &read.key()));
            }
            "" | "=" if count == 0 => {}
            "" | "=" => {
                self.at_least(&read);
                self.and(&Intervals::below(before_prereleases(&read.ceiling(count))));
            }
            "<" | ">" if count == 0 => self.and(&Intervals::none()),
            "<=" | ">=" if count == 0 => {}
            ">=" => {
                self.names(&read);
                self.at_least(&read);
            }
            "<" | "<=" | ">" if count == 3 => {
                self.names(&read);
                let operator = comparators::operator(comparators::OPERATORS, sign)?;
                self.and(&Intervals::compared(operator, &read.key()));
            }
            "<" => self.and(&Intervals::below(before_prereleases(&read.floor()))),
            "<=" => self.and(&Intervals::below(before_prereleases(&read.ceiling(count)))),
            ">" => self.and(&Intervals::above(triples::before_release(&read.ceiling(count)))),
            _ => return Err(Fault::new(&piece, "it is no operator of npm's")),
        }
        Ok(())
    }
}

/// How many numbers `^` keeps: up to the first that is not 0.
fn caret(partial: &Partial<'_>) -> usize {
    let numbers: Vec<&str> = partial.numbers.iter().flatten().copied().collect();
    numbers.iter().position(|number| *number != "0").map_or(numbers.len(), |first| first + 1)
}

/// A pre-release behind wildcards does not count.
fn floor_key(partial: &Partial<'_>) -> Vec<u8> {
    let prerelease = if partial.count() == 3 { partial.prerelease } else { "" };
    Partial { prerelease, ..*partial }.key()
}

fn partial<'a>(piece: &str, version: &'a str) -> Result<Partial<'a>, Fault> {
    let fault = |why| Fault::new(piece, why);
    let version = version.strip_prefix('v').unwrap_or(version);
    let read = Partial::read(version).ok_or_else(|| fault("it is no version of npm's, nor a part of one"))?;
    // What node-semver makes of it must be a version: neither too long nor with too large numbers.
    let mut numbers = read.floor();
    if (1..3).contains(&read.count()) {
        numbers = read.ceiling(read.count());
    }
    let version =
        format!("{}{}{}", numbers.join("."), if read.prerelease.is_empty() { "" } else { "-" }, read.prerelease);
    Scheme::Npm.key(&version).map_err(|malformed| fault(malformed.why))?;
    Ok(read)
}

/// `1.2 - 2.3.4`.
fn hyphen(text: &str) -> Option<(&str, &str)> {
    let (from, to) = text.split_once(" - ")?;
    let (from, to) = (from.trim(), to.trim());
    let is_alone =
        |text: &str| !text.is_empty() && !text.contains(char::is_whitespace) && comparators::sign(text).0.is_empty();
    (is_alone(from) && is_alone(to)).then_some((from, to))
}

/// Without build metadata, which node-semver strips first.
fn without_builds(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for (place, part) in text.split('+').enumerate() {
        let is_build = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
        let end = part.find(|letter: char| !is_build(letter)).unwrap_or(part.len());
        if place > 0 && part[..end].split('.').all(semver::is_identifier) {
            kept.push_str(&part[end..]);
        } else {
            kept.push_str(if place > 0 { "+" } else { "" });
            kept.push_str(part);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Npm.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn each_sugar_is_what_the_documentation_says() {
        check("^1.2.3", &["1.2.3", "1.9.0"], &["1.2.2", "2.0.0", "2.0.0-0"]);
        check("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0"]);
        check("^0.0.3", &["0.0.3"], &["0.0.4"]);
        check("^0.0", &["0.0.0", "0.0.9"], &["0.1.0"]);
        check("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0"]);
        check("~1", &["1.0.0", "1.9.9"], &["2.0.0"]);
        check("1.2.x", &["1.2.0", "1.2.9"], &["1.3.0", "1.1.9"]);
        check("1.2 - 2.3", &["1.2.0", "2.3.9"], &["2.4.0", "1.1.9"]);
        check("1.2.3 - 2.3.4", &["1.2.3", "2.3.4"], &["2.3.5"]);
        check(">1.2", &["1.3.0"], &["1.2.9"]);
        check("<=1.2", &["1.2.9"], &["1.3.0"]);
        check("", &["0.0.0", "9.9.9"], &["1.0.0-a"]);
        check("<1.0.0 || >=2.0.0 <2.1.0", &["0.9.9", "2.0.1"], &["1.0.0", "2.1.0"]);
    }

    #[test]
    fn a_prerelease_needs_one_of_the_same_numbers_in_its_alternative() {
        check("^1.2.3-beta.2", &["1.2.3-beta.2", "1.2.3-beta.4", "1.2.4"], &["1.2.4-beta.2", "1.2.3-beta.1"]);
        check(">=1.0.0", &["1.0.0"], &["1.0.1-a", "2.0.0-rc.1"]);
        check("1.0.0-a || >=2.0.0", &["1.0.0-a"], &["2.0.1-a"]);
        check("* || 1.0.0-a", &["1.0.0"], &["1.0.0-a"]); // as node-semver has it
    }

    #[test]
    fn what_node_semver_refuses_is_refused() {
        for range in [
            "latest",
            "1.x.3",
            ">",
            "^",
            "1.2.3.4",
            "blerg",
            ">=1.0.0, <2.0.0",
            "9007199254740992",
            "01.2",
            "!=1.0.0",
            "file:../x",
        ] {
            assert!(Scheme::Npm.range(range).is_err(), "`{range}`");
        }
    }
}
