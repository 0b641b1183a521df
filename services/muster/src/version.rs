//! `muster version compare | contains | schemes`: line in, line out.

use crate::{exit, lines, terminal};
use anyhow::{Context, Result};
use clap::Subcommand;
use muster_versions::{Scheme, VersionRange, vers};
use std::{cmp::Ordering, collections::HashMap};

#[derive(Subcommand)]
pub enum Command {
    /// Read lines of `A<TAB>B` and print `<`, `=`, `>`, or `?` where one of them is no version.
    Compare {
        /// How versions are ordered: `muster version schemes` lists the names.
        #[arg(long, value_parser = scheme)]
        scheme: Scheme,
    },
    /// Read lines of `RANGE<TAB>VERSION` and print `yes`, `no`, or `?` where one of them can't be read.
    Contains {
        /// How ranges are written and versions ordered. A `vers:` range names its scheme itself.
        #[arg(long, value_parser = scheme)]
        scheme: Scheme,
    },
    /// List the schemes.
    Schemes,
}

fn scheme(raw: &str) -> Result<Scheme, String> {
    Scheme::parse(raw).ok_or_else(|| {
        let names: Vec<&str> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
        format!("none of {}", names.join(", "))
    })
}

pub fn run(command: Command) -> Result<u8> {
    match command {
        Command::Compare { scheme } => lines::answer(|line| compare(scheme, line))?,
        Command::Contains { scheme } => {
            let mut ranges = Ranges::new(scheme);
            lines::answer(|line| ranges.contains(line))?;
        }
        Command::Schemes => {
            let names: Vec<&str> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
            terminal::print(&names.join("\n"))?;
        }
    }
    Ok(exit::GOOD)
}

fn compare(scheme: Scheme, line: &str) -> Result<String> {
    let (left, right) = line.split_once('\t').context("no tab between two versions")?;
    let sign = match scheme.compare(left, right) {
        Ok(Ordering::Less) => "<",
        Ok(Ordering::Equal) => "=",
        Ok(Ordering::Greater) => ">",
        Err(_) => "?",
    };
    Ok(sign.to_owned())
}

/// Most ranges that are kept read: whoever asks about one range asks about many versions behind each other.
const RANGES_MAX: usize = 1000;

/// Ranges that were read already; `None`: can't be read.
struct Ranges {
    scheme: Scheme,
    read: HashMap<String, Option<VersionRange>>,
}

impl Ranges {
    fn new(scheme: Scheme) -> Self {
        Self { scheme, read: HashMap::new() }
    }

    fn contains(&mut self, line: &str) -> Result<String> {
        let (range, version) = line.rsplit_once('\t').context("no tab between a range and a version")?;
        if self.read.len() == RANGES_MAX {
            self.read.clear();
        }
        let scheme = self.scheme;
        let read = self.read.entry(range.to_owned()).or_insert_with(|| match range.starts_with("vers:") {
            true => vers::parse(range).ok(),
            false => scheme.range(range).ok(),
        });
        let answer = match read.as_ref().map(|range| range.contains(version)) {
            Some(Ok(true)) => "yes",
            Some(Ok(false)) => "no",
            Some(Err(_)) | None => "?",
        };
        Ok(answer.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_version_has_no_order() {
        let check = |scheme, line: &str, expected: &str| assert_eq!(compare(scheme, line).unwrap(), expected, "{line}");
        check(Scheme::Deb, "1.0~rc1\t1.0", "<");
        check(Scheme::Deb, "1.0\t1.0", "=");
        check(Scheme::Deb, "2:1\t1:9", ">");
        check(Scheme::Deb, "-\t1", "?");
        check(Scheme::Pep440, "1.0.post1\t1.0", ">");
        assert_eq!(compare(Scheme::Deb, "1 2").unwrap_err().to_string(), "no tab between two versions");
    }

    #[test]
    fn a_range_is_read_as_its_scheme_writes_it_or_as_vers() {
        let mut npm = Ranges::new(Scheme::Npm);
        let mut check = |line: &str, expected: &str| assert_eq!(npm.contains(line).unwrap(), expected, "{line}");
        check("^1.2.3\t1.9.0", "yes");
        check("^1.2.3\t2.0.0", "no");
        check("^1.2.3\tlatest", "?");
        check("not a range\t1.0.0", "?");
        check("vers:npm/>=1.0.0|<2.0.0\t1.5.0", "yes");
        check("vers:pypi/>=1.0\t1.5.post1", "yes");
    }
}
