//! NuGet's ranges (learn.microsoft.com/nuget/concepts/package-versioning, "Version ranges" and "Floating version
//! resolutions"): brackets as in mathematics, a bare version for itself and all above, and floating versions.
//!
//! A floating version holds what it may become: `1.*` the releases of 1, `1.*-*` its pre-releases too, `1.2.3-beta.*`
//! the pre-releases of 1.2.3 that begin so, and 1.2.3. Floating versions in brackets are refused.

use super::intervals::{Cut, Intervals};
use super::{Condition, Fault, maven, successor};
use crate::key::KeyWriter;
use crate::{Scheme, nuget, semver};

pub(super) fn read(raw: &str) -> Result<Condition, Fault> {
    let range = raw.trim();
    if range.is_empty() {
        return Err(Fault::new(raw, "it is empty"));
    }
    if range.starts_with(['(', '[']) {
        return bracket(range).map(Condition::Within);
    }
    if range.contains('*') {
        return floating(&range.to_ascii_lowercase()).ok_or_else(|| Fault::new(range, "it is no floating version"));
    }
    Ok(Condition::Within(Intervals::above(Cut::before(Scheme::Nuget.bytes(range)?))))
}

fn bracket(range: &str) -> Result<Intervals, Fault> {
    if range.len() < 2 || !range.ends_with([')', ']']) {
        return Err(Fault::new(range, "its bracket is not closed"));
    }
    if range[1..range.len() - 1].split(',').all(|side| side.trim().is_empty()) {
        return Err(Fault::new(range, "it has neither start nor end"));
    }
    let (low, high) = maven::bracket(range, Scheme::Nuget)?;
    Ok(Intervals::between(low, high))
}

fn floating(range: &str) -> Option<Condition> {
    if range.contains('+') {
        return None;
    }
    let (core, prerelease) = semver::cut(range, '-');
    match (core.strip_suffix('*'), prerelease) {
        (Some(front), None) => {
            let releases = numbers(front)?;
            Some(Condition::ByKind { releases, prereleases: Intervals::none() })
        }
        (Some(front), Some("*")) => numbers(front).map(Condition::Within),
        (None, Some(prerelease)) => beginning(core, prerelease.strip_suffix('*')?).map(Condition::Within),
        _ => None,
    }
}

/// Everything whose numbers begin with these, each with a dot behind it.
fn numbers(front: &str) -> Option<Intervals> {
    let Some(front) = front.strip_suffix('.') else {
        return front.is_empty().then(Intervals::all);
    };
    let (core, _) = nuget::parts(front).ok().filter(|(core, prerelease)| *core == front && prerelease.is_empty())?;
    let numbers: Vec<&str> = core.split('.').collect();
    let (last, before) = numbers.split_last()?;
    if numbers.len() >= nuget::NUMBERS_MAX {
        return None;
    }
    let mut next = before.to_vec();
    let raised = successor(last);
    next.push(&raised);
    Some(Intervals::between(Cut::before(written(&numbers).finish()), Cut::before(written(&next).finish())))
}

/// The release, and its pre-releases that begin so: with whole identifiers and a dot, or with a part of one word.
fn beginning(core: &str, prefix: &str) -> Option<Intervals> {
    let numbers = nuget::parts(core).ok()?.0.split('.').collect::<Vec<&str>>();
    let release = {
        let mut key = written(&numbers);
        semver::prerelease(&mut key, "", nuget::is_number_label);
        key.finish()
    };
    let (low, high) = match prefix.strip_suffix('.') {
        _ if prefix.is_empty() => (written(&numbers).finish(), release.clone()),
        Some(whole) => {
            semver::check_suffixes(Some(whole), None).ok()?;
            let mut key = written(&numbers);
            semver::identifiers(&mut key, whole, nuget::is_number_label);
            let mut low = key.finish();
            low.pop(); // the mark of the end
            let high = [&low[..], &[u8::MAX]].concat();
            low.push(semver::END + 1); // something goes on
            (low, high)
        }
        None => {
            let is_word = semver::is_identifier(prefix) && !prefix.starts_with(|letter: char| letter.is_ascii_digit());
            let mut key = written(&numbers);
            semver::identifiers(&mut key, Some(prefix).filter(|_| is_word)?, nuget::is_number_label);
            let mut low = key.finish();
            low.truncate(low.len() - 2); // the mark of the end, and of the word's end
            let high = [&low[..], &[u8::MAX]].concat();
            (low, high)
        }
    };
    let prereleases = Intervals::between(Cut::before(low), Cut::before(high));
    Some(Intervals::union([prereleases, Intervals::between(Cut::before(release.clone()), Cut::after(release))]))
}

/// The numbers of a key, with zeros behind when these are all.
fn written(numbers: &[&str]) -> KeyWriter {
    let mut key = KeyWriter::default();
    (0..nuget::NUMBERS_MAX).for_each(|place| key.number(numbers.get(place).copied().unwrap_or("0")));
    key
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Nuget.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn the_rows_of_the_documentation() {
        check("1.0", &["1.0.0", "2.0.0", "1.0.1-a"], &["0.9", "1.0.0-a"]);
        check("(1.0,)", &["1.0.0.1"], &["1.0"]);
        check("[1.0]", &["1.0.0"], &["1.0.1"]);
        check("(,1.0]", &["0.1", "1.0"], &["1.0.1"]);
        check("(,1.0)", &["1.0.0-a"], &["1.0"]);
        check("[1.0,2.0]", &["1.0", "2.0.0.0"], &["2.0.1"]);
        check("[ 1.0 , 2.0 )", &["1.5"], &["2.0"]);
    }

    #[test]
    fn a_floating_version_holds_what_it_may_become() {
        check("*", &["1.0", "9.9.9"], &["1.0-a"]);
        check("1.*", &["1.0", "1.9.9.9"], &["2.0", "0.9", "1.1-a"]);
        check("1.2.*", &["1.2.0", "1.2.9"], &["1.3.0"]);
        check("1.*-*", &["1.0", "1.1-a", "1.0-a"], &["2.0-a"]);
        check("1.2.3-*", &["1.2.3-a", "1.2.3"], &["1.2.4", "1.2.4-a"]);
        check("1.2.3-beta.*", &["1.2.3-beta.1", "1.2.3-BETA.x", "1.2.3"], &["1.2.3-beta", "1.2.3-rc.1", "1.2.3-alpha"]);
        check("1.2.3-be*", &["1.2.3-beta", "1.2.3-be", "1.2.3"], &["1.2.3-bd", "1.2.3-rc"]);
    }

    #[test]
    fn what_nuget_refuses_is_refused() {
        for range in [
            "",
            "(1.0)",
            "[1.0,1.0)",
            "[2.0,1.0]",
            "(,)",
            "[1.0",
            "1.0]",
            "[1,2,3]",
            "a",
            "1.*.2",
            "1*",
            "1.2.3.4.*",
            "[1.*,2)",
            "^1.0",
            "1.0-*-b",
        ] {
            assert!(Scheme::Nuget.range(range).is_err(), "`{range}`");
        }
    }
}
