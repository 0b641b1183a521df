//! `vers:` ranges: `vers:npm/>=1.0.0|<2.0.0` (the VERS specification, github.com/package-url/vers-spec, clause 5, read
//! 2026-11-24). Versions are compared by their scheme's plain order, without the rules that the scheme's own ranges have
//! for pre-releases.
//!
//! As the specification demands, `>` and `<` stand in turns and in the order of their versions: in any other order nobody
//! can say what was meant. What cannot change the meaning is not insisted on: where `!=` and single versions stand, a `=`
//! before these, white space around `|`. Beyond the specification, `vers:all/*` and `vers:none/*` hold everything and
//! nothing, whatever it is; `vers:TYPE/*` holds every version of the type.

use super::intervals::{Cut, Intervals, Operator};
use super::{Condition, Fault, MalformedRange, VersionRange, alternatives, check_length, comparators};
use crate::Scheme;

/// Reads a range with its type in front.
pub fn parse(raw: &str) -> Result<VersionRange, MalformedRange> {
    read(raw).map_err(|fault| fault.of(raw))
}

fn read(raw: &str) -> Result<VersionRange, Fault> {
    check_length(raw)?;
    let raw = raw.trim();
    let behind = raw.strip_prefix("vers:").ok_or_else(|| Fault::new(raw, "it does not start with `vers:`"))?;
    let (name, constraints) = behind.split_once('/').ok_or_else(|| Fault::new(raw, "no `/` stands behind its type"))?;
    let name = name.to_ascii_lowercase();
    if let Some(answer) = [("all", true), ("none", false)].iter().find(|(known, _)| *known == name) {
        return match constraints {
            "*" => Ok(VersionRange { scheme: Scheme::Generic, conditions: vec![Condition::Always(answer.1)] }),
            _ => Err(Fault::new(constraints, "`*` alone stands behind this type")),
        };
    }
    let scheme = Scheme::parse(&name).ok_or_else(|| Fault::new(&name, "it is no type of versions that is known"))?;
    if constraints == "*" {
        return Ok(VersionRange::new(scheme, Intervals::all()));
    }
    let mut read = Vec::new();
    for constraint in alternatives(constraints, "|")? {
        read.push(self::constraint(scheme, constraint.trim())?);
    }
    check_sequence(&read)?;
    Ok(VersionRange::new(scheme, intervals(&read)))
}

/// One constraint.
struct Constraint {
    operator: Operator,
    key: Vec<u8>,
    text: String,
}

impl Constraint {
    /// Whether it ends an interval on one side.
    fn is_end(&self) -> bool {
        !matches!(self.operator, Operator::Equal | Operator::Unequal)
    }

    /// Whether it ends one below.
    fn is_low(&self) -> bool {
        matches!(self.operator, Operator::Greater | Operator::GreaterOrEqual)
    }
}

fn constraint(scheme: Scheme, text: &str) -> Result<Constraint, Fault> {
    let fault = |why| Fault::new(text, why);
    let (sign, version) = comparators::sign(text);
    let operator = match sign {
        "" => Operator::Equal,
        "<" | "<=" | ">" | ">=" | "!=" | "=" => comparators::operator(comparators::OPERATORS, sign)?,
        _ => return Err(fault("it has no comparator of `vers:`")),
    };
    if version.contains(|letter: char| "<>=!*".contains(letter) || letter.is_whitespace()) {
        return Err(fault("its version has a character that must be percent-encoded"));
    }
    let version =
        decoded(version).ok_or_else(|| fault("its percent-encoding is not UTF-8 in two hexadecimal digits each"))?;
    let key = scheme.bytes(&version).map_err(|malformed| fault(malformed.why))?;
    Ok(Constraint { operator, key, text: text.to_owned() })
}

/// Fails when a version stands in it twice, or the ends of intervals are not in order and in turns (clause 5.4).
fn check_sequence(constraints: &[Constraint]) -> Result<(), Fault> {
    let ends: Vec<&Constraint> = constraints.iter().filter(|constraint| constraint.is_end()).collect();
    for pair in ends.windows(2) {
        if pair[0].key >= pair[1].key {
            return Err(Fault::new(&pair[1].text, "its version does not stand behind the one before"));
        }
        if pair[0].is_low() == pair[1].is_low() {
            return Err(Fault::new(&pair[1].text, "`>` and `<` do not stand in turns"));
        }
    }
    let mut sorted: Vec<&Constraint> = constraints.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    match sorted.windows(2).find(|pair| pair[0].key == pair[1].key) {
        Some(pair) => Err(Fault::new(&pair[1].text, "its version stands in the range twice")),
        None => Ok(()),
    }
}

/// What lies between a `>` and the next `<`, below a first `<`, above a last `>`; and single versions; without `!=`.
fn intervals(constraints: &[Constraint]) -> Intervals {
    let mut union = Vec::new();
    let mut low = Some(Cut::Lowest)
        .filter(|_| constraints.iter().find(|constraint| constraint.is_end()).is_some_and(|first| !first.is_low()));
    for constraint in constraints {
        let (before, after) = (Cut::before(constraint.key.clone()), Cut::after(constraint.key.clone()));
        match constraint.operator {
            Operator::Greater => low = Some(after),
            Operator::GreaterOrEqual => low = Some(before),
            Operator::Less => union.extend(low.take().map(|low| Intervals::between(low, before))),
            Operator::LessOrEqual => union.extend(low.take().map(|low| Intervals::between(low, after))),
            Operator::Equal => union.push(Intervals::between(before, after)),
            Operator::Unequal => {}
        }
    }
    union.extend(low.map(Intervals::above));
    let (unequal, others): (Vec<_>, Vec<_>) =
        constraints.iter().partition(|constraint| constraint.operator == Operator::Unequal);
    let union = if others.is_empty() { Intervals::all() } else { Intervals::union(union) };
    let unequal = unequal.iter().map(|constraint| Intervals::compared(Operator::Equal, &constraint.key));
    union.intersection(&Intervals::union(unequal).complement())
}

/// Without percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = behind;
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (&[high, low], behind) = behind.split_first_chunk()?;
        bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = parse(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn constraints_are_ends_of_intervals() {
        check("vers:npm/>=1.0.0|!=1.5.0|<2.0.0", &["1.0.0", "1.9.9", "1.5.0-a"], &["1.5.0", "2.0.0", "0.9.0"]);
        check("vers:npm/>=1.0.0|<2.0.0|!=1.5.0", &["1.6.0"], &["1.5.0"]); // `!=` out of order
        check("vers:npm/=1.0.0 | >=1.5.0 | 1.6.0 | <2.0.0", &["1.0.0", "1.6.0"], &["1.4.0"]);
        check("vers:npm/1.2.3|>=2.0.0|<5.0.0", &["1.2.3", "2.0.0", "4.9.9"], &["1.2.4", "5.0.0"]);
        check("vers:pypi/0.0.0|0.0.1|0.0.2|0.0.3|1.0|2.0pre1", &["0.0", "2.0rc1"], &["0.0.4"]);
        check("vers:npm/<=1.0.0|>2.0.0", &["1.0.0", "2.0.1"], &["1.5.0"]);
        check("vers:golang/>=1.0.0|<1.1.0|>=1.2.0|<1.3.0", &["1.0.5", "v1.2.5"], &["1.1.5", "1.3.0"]);
        check("vers:deb/!=1.0-1", &["1.0-2"], &["1.0-1"]);
        check("vers:pypi/!=1.0|2.0|!=2.5|>=3.0", &["2.0", "3.5"], &["1.0", "2.5", "1.5"]);
        check("vers:gem/>=2.2.0|!=2.2.1|<2.3.0", &["2.2.0", "2.2.2"], &["2.2.1", "2.3.0"]);
    }

    #[test]
    fn all_and_none_need_no_scheme() {
        check("vers:all/*", &["unknown", ""], &[]);
        check("vers:none/*", &[], &["1.0"]);
        check("vers:pypi/*", &["1.0"], &[]);
        assert!(parse("vers:pypi/*").unwrap().contains("unknown").is_err());
    }

    #[test]
    fn versions_are_percent_encoded() {
        check("vers:deb/>=1.0%2Bdfsg-1", &["1.0+dfsg-2"], &["1.0+dfsg-0"]);
        check("vers:npm/1.0.0%2Dalpha", &["1.0.0-alpha"], &["1.0.0"]);
    }

    #[test]
    fn what_is_no_vers_range_is_refused() {
        for range in [
            "",
            "npm/1",
            "vers:npm",
            "vers:npm/",
            "vers:what/1.0",
            "vers:npm/>=1.0.0|",
            "vers:npm/*|1.0.0",
            "vers:npm/^1.0.0",
            "vers:npm/1.0.0|<1.0.0",
            "vers:npm/|1.0.0",
            "vers:npm/1.0.0||2.0.0",
            "vers:npm/1.0 .0",
            "vers:npm/>=2.0.0|<1.0.0",
            "vers:npm/<2.0.0|>=1.0.0",
            "vers:npm/>1.0.0|>=2.0.0",
            "vers:npm/<1.0.0|<=2.0.0",
            "vers:npm/1.0%2G0",
            "vers:all/1.0",
            "vers:npm/1.0.0%4",
            "vers:npm/1.0.0%ff",
        ] {
            assert!(parse(range).is_err(), "`{range}`");
        }
    }

    #[test]
    fn a_schemes_range_takes_vers_of_its_own_type() {
        assert!(Scheme::Pep440.range("vers:pypi/>=1.0").unwrap().contains("1.1").unwrap());
        assert_eq!(Scheme::Npm.range("vers:pypi/>=1.0").unwrap_err().why, "it is a range of another scheme");
    }
}
