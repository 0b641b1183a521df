//! Composer's constraints, as `Composer\Semver\VersionParser::parseConstraints` reads them
//! (getcomposer.org/doc/articles/versions.md): `^`, `~`, wildcards, hyphen ranges, comparators; apart by commas or white
//! space, alternatives behind `|` or `||`; stability flags (`@beta`).
//!
//! Most ends reach down to `-dev`, so that pre-releases of the first version count and those of the end do not.
//! Branches (`dev-main`) have no order and are refused.

use super::intervals::{Cut, Intervals, Operator};
use super::{Fault, alternatives, comparators, successor};
use crate::composer::{NUMBERS, Normalised, has_modifier_behind_hyphen, normalise, split_digits};
use crate::key::Why;

const OPERATORS: &[(&str, Operator)] = &[
    ("<>", Operator::Unequal),
    ("!=", Operator::Unequal),
    (">=", Operator::GreaterOrEqual),
    (">", Operator::Greater),
    ("<=", Operator::LessOrEqual),
    ("<", Operator::Less),
    ("==", Operator::Equal),
    ("=", Operator::Equal),
    ("", Operator::Equal),
];

pub(super) fn read(raw: &str) -> Result<Intervals, Fault> {
    let mut union = Vec::new();
    for alternative in alternatives(&raw.replace("||", "|"), "|")? {
        let mut all = Intervals::all();
        for piece in pieces(alternative)? {
            let intervals = one(&piece.to_ascii_lowercase()).map_err(|why| Fault::new(&piece, why))?;
            all = all.intersection(&intervals);
        }
        union.push(all);
    }
    Ok(Intervals::union(union))
}

/// The constraints that must hold together, each with its operator at it, a hyphen range as one.
fn pieces(text: &str) -> Result<Vec<String>, Fault> {
    let is_divider = |letter: char| letter == ',' || letter.is_whitespace();
    let mut pieces: Vec<String> = Vec::new();
    let mut joins = false;
    for word in text.split(is_divider).filter(|word| !word.is_empty()) {
        let is_hyphen = word == "-";
        match pieces.last_mut() {
            Some(last) if is_hyphen => *last += " - ",
            Some(last) if joins => *last += word,
            _ => pieces.push(word.to_owned()),
        }
        joins = is_hyphen || comparators::sign(word).1.is_empty();
    }
    match pieces.is_empty() {
        true => Err(Fault::new(text, "it is empty")),
        false => Ok(pieces),
    }
}

fn one(piece: &str) -> Result<Intervals, Why> {
    let (piece, flag) = stability_flag(piece);
    if let Some((from, to)) = piece.split_once(" - ") {
        return hyphen(from, to);
    }
    if piece.strip_prefix('v').unwrap_or(piece).split('.').all(is_wildcard) {
        let is_long = piece.len() > 1;
        return Ok(if is_long { Intervals::above(before(&floor(&[]))) } else { Intervals::all() });
    }
    let (sign, version) = comparators::sign(piece);
    match sign {
        "~" | "^" => return next_significant(sign, version),
        "~>" => return Err("Composer's operator is `~`"),
        "" if version.rsplit('.').next().is_some_and(is_wildcard) => return wildcard(version),
        _ => {}
    }
    let known = OPERATORS.iter().find(|(known, _)| *known == sign);
    let operator = known.ok_or("it is no operator of Composer's")?.1;
    let version = version.trim_start();
    let mut normalised = normalise(version)?;
    if operator != Operator::Equal && !flag.is_empty() && normalised.is_stable() {
        if normalised.has_suffix() {
            return Err("no stability can stand behind a patch");
        }
        normalised = normalised.with_stability(flag);
    } else if [Operator::Less, Operator::GreaterOrEqual].contains(&operator) && !has_modifier_behind_hyphen(version) {
        normalised.is_dev = true;
    }
    Ok(Intervals::compared(operator, &normalised.key().finish()))
}

/// The piece without its `@` and stability, and that, "" when there is none or it is stable.
fn stability_flag(piece: &str) -> (&str, &str) {
    match piece.rsplit_once('@') {
        Some((front, flag @ ("stable" | "rc" | "beta" | "alpha" | "dev"))) => {
            (if front.is_empty() { "*" } else { front }, if flag == "stable" { "" } else { flag })
        }
        _ => (piece, ""),
    }
}

fn is_wildcard(part: &str) -> bool {
    ["x", "*"].contains(&part)
}

/// `~1.2` leaves the last number free, `^1.2` everything behind the first that is not 0.
fn next_significant(sign: &str, version: &str) -> Result<Intervals, Why> {
    let mut low = normalise(version)?;
    let numbers = numbers(version)?;
    let is_branch = version.contains(".x") || version.contains(".*");
    let position = match sign {
        "~" => (numbers.len() + usize::from(is_branch)).saturating_sub(1).max(1),
        _ => numbers.iter().take(3).position(|number| *number != "0").map_or(numbers.len().min(3), |first| first + 1),
    };
    // Composer writes `-dev` behind the text, where it becomes a part of build metadata.
    if !low.has_suffix() && !version.contains('+') {
        low.is_dev = true;
    }
    Ok(Intervals::between(before(&low), before(&raised(&numbers, position)?)))
}

/// `1.2.*`.
fn wildcard(version: &str) -> Result<Intervals, Why> {
    let refused = "it is no version with wildcards at its end";
    let parts: Vec<&str> = version.strip_prefix('v').unwrap_or(version).split('.').collect();
    let count = parts.iter().take_while(|part| !is_wildcard(part)).count();
    let (numbers, wildcards) = parts.split_at(count);
    let are_numbers = numbers.iter().all(|number| !number.is_empty() && split_digits(number).1.is_empty());
    if !(1..NUMBERS).contains(&count) || !are_numbers || !wildcards.iter().all(|part| is_wildcard(part)) {
        return Err(refused);
    }
    let low = floor(numbers);
    let high = Intervals::below(before(&raised(numbers, count)?));
    let is_zero = numbers.iter().all(|number| *number == "0");
    Ok(if is_zero { high } else { high.intersection(&Intervals::above(before(&low))) })
}

fn hyphen(from: &str, to: &str) -> Result<Intervals, Why> {
    let (mut low, high) = (normalise(from)?, normalise(to)?);
    numbers(from)?;
    if !low.has_suffix() {
        low.is_dev = true;
    }
    let numbers = numbers(to)?;
    let high = match numbers.len() >= 3 || high.has_suffix() {
        true => Cut::after(high.key().finish()),
        false => before(&raised(&numbers, numbers.len())?),
    };
    Ok(Intervals::between(before(&low), high))
}

/// The dotted numbers in front.
fn numbers(version: &str) -> Result<Vec<&str>, Why> {
    let mut rest = version.strip_prefix('v').unwrap_or(version);
    let mut numbers = Vec::new();
    loop {
        let (number, behind) = split_digits(rest);
        if !number.is_empty() {
            numbers.push(number);
        }
        match behind.strip_prefix('.') {
            Some(next) if !number.is_empty() && numbers.len() < NUMBERS => rest = next,
            _ => {
                rest = behind;
                break;
            }
        }
    }
    if rest.strip_prefix(['-', ':']).is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit())) {
        return Err("it is a date, which Composer takes in plain comparators alone");
    }
    if numbers.is_empty() { Err("it does not start with a number") } else { Ok(numbers) }
}

/// These numbers, then zeros, in development.
fn floor(numbers: &[&str]) -> Normalised {
    let mut numbers: Vec<String> = numbers.iter().map(|number| (*number).to_owned()).collect();
    numbers.resize(NUMBERS, "0".to_owned());
    Normalised { numbers, is_dev: true, ..Normalised::default() }
}

/// The number at `position` one up, zeros behind, in development.
fn raised(numbers: &[&str], position: usize) -> Result<Normalised, Why> {
    let kept = numbers.get(..position).ok_or("it has too few numbers")?;
    let mut raised = floor(kept);
    raised.numbers[position - 1] = successor(&raised.numbers[position - 1]);
    Ok(raised)
}

fn before(version: &Normalised) -> Cut {
    Cut::before(version.key().finish())
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Composer.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn each_sugar_is_what_the_documentation_says() {
        check("^1.2.3", &["1.2.3", "1.9", "1.2.3-beta1"], &["2.0.0", "2.0.0-alpha1", "1.2.2"]);
        check("^0.3", &["0.3.0", "0.3.9"], &["0.4.0"]);
        check("^0.0.3", &["0.0.3"], &["0.0.4"]);
        check("~1.2", &["1.2", "1.9.9"], &["2.0"]);
        check("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0"]);
        check("1.0.*", &["1.0.0", "1.0.9"], &["1.1.0"]);
        check("1.0 - 2.0", &["1.0", "2.0.9"], &["2.1.0"]);
        check("1.0.0 - 2.1.0", &["2.1.0"], &["2.1.1"]);
        check("*", &["0.1", "99.0-dev"], &[]);
    }

    #[test]
    fn ends_reach_down_to_development_versions() {
        check(">=1.0", &["1.0-beta1", "1.0"], &["0.9"]);
        check("<2.0", &["1.9"], &["2.0-beta1", "2.0"]);
        check("<2.0-beta2", &["2.0-beta1"], &["2.0-beta2"]);
        check(">1.0", &["1.0.1", "1.0-p1"], &["1.0", "1.0-beta1"]);
        check(">=1.0@beta", &["1.0-beta1", "1.0"], &["1.0-alpha1"]);
    }

    #[test]
    fn commas_and_space_are_and_bars_are_or() {
        check(">=1.0,<1.1", &["1.0.5"], &["1.1"]);
        check(">= 1.0 < 1.1 || ~2.3.0 | 3.0", &["1.0.5", "2.3.9", "3.0"], &["1.1", "2.4", "3.0.1"]);
        check("!=1.5,>=1.0", &["1.4"], &["1.5.0"]);
    }

    #[test]
    fn what_composer_refuses_and_branches_are_refused() {
        for range in [
            "",
            "~>1.0",
            "^a",
            "dev-main",
            ">=dev-main",
            "=>1.0",
            "1.0 ||",
            "^",
            ">=",
            "1.*.2",
            "1.0 -",
            "^2010-01-02",
            "1.0 - 2010-01-02",
        ] {
            assert!(Scheme::Composer.range(range).is_err(), "`{range}`");
        }
    }
}
