//! Elixir's requirements, as `Version.parse_requirement` reads them (hexdocs.pm/elixir/Version.html, "Requirements"):
//! comparators joined by `and`, alternatives by `or`; `~> 2.0` is at least that and below 3.0, `~> 2.0.1` below 2.1.
//!
//! Pre-releases count (`allow_pre`, as `Version.match?` has it when nothing is said).

use super::intervals::{Cut, Intervals};
use super::triples::{Partial, before_prereleases};
use super::{Fault, alternatives, comparators};
use crate::Scheme;

pub(super) fn read(raw: &str) -> Result<Intervals, Fault> {
    let words: Vec<&str> = raw.split_whitespace().collect();
    let text = words.join(" ");
    let mut union = Vec::new();
    for alternative in alternatives(&text, " or ")? {
        let mut all = Intervals::all();
        for piece in alternative.split(" and ") {
            all = all.intersection(&one(piece.trim())?);
        }
        union.push(all);
    }
    Ok(Intervals::union(union))
}

fn one(piece: &str) -> Result<Intervals, Fault> {
    let (sign, version) = comparators::sign(piece);
    let version = version.trim_start();
    if sign == "~>" {
        let (core, suffix) = version.split_at(version.find(['-', '+']).unwrap_or(version.len()));
        let count = core.split('.').count();
        let whole = format!("{core}{}{suffix}", if count == 2 { ".0" } else { "" });
        let partial = Partial::read(&whole).filter(|partial| partial.count() == 3);
        let partial = partial.ok_or_else(|| Fault::new(piece, "two or three numbers stand behind `~>`"))?;
        let high = before_prereleases(&partial.ceiling(count - 1));
        return Ok(Intervals::between(Cut::before(partial.key()), high));
    }
    let sign = match sign {
        "" | "==" => "=",
        "=" => return Err(Fault::new(piece, "Elixir's operator is `==`")),
        sign => sign,
    };
    let operator = comparators::operator(comparators::OPERATORS, sign).map_err(|fault| Fault::new(piece, fault.why))?;
    let key = Scheme::Hex.bytes(version).map_err(|fault| Fault::new(piece, fault.why))?;
    Ok(Intervals::compared(operator, &key))
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Hex.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn the_rows_of_the_documentation() {
        check("~> 2.0.0", &["2.0.0", "2.0.9"], &["2.1.0", "2.1.0-dev"]);
        check("~> 2.0", &["2.0.0", "2.9.9", "2.1.0-dev"], &["3.0.0", "3.0.0-dev", "2.0.0-rc.1"]);
        check("~> 2.0-dev", &["2.0.0-dev", "2.0.0", "2.9.0"], &["3.0.0", "2.0.0-a"]);
        check("~> 2.1.3-dev", &["2.1.3-dev", "2.1.9"], &["2.2.0"]);
        check(">= 2.0.0 and < 2.1.0", &["2.0.5", "2.1.0-dev"], &["2.1.0"]);
        check("== 1.0.0 or ~> 2.3 and != 2.4.0", &["1.0.0", "2.3.1"], &["2.4.0"]);
        check("1.0.0", &["1.0.0+build"], &["1.0.1"]);
    }

    #[test]
    fn what_elixir_refuses_is_refused() {
        for range in [
            "",
            ">= 1.0",
            "~> 1",
            "= 1.0.0",
            "1.0.0 2.0.0",
            "1.0.0 or",
            "and 1.0.0",
            ">= 1.0.0, < 2.0.0",
            "^1.0.0",
            "~> 1.x",
        ] {
            assert!(Scheme::Hex.range(range).is_err(), "`{range}`");
        }
    }
}
