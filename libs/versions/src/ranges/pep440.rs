//! Python's version specifiers, as PEP 440 has them and `packaging` reads them (packaging.python.org/specifications/
//! version-specifiers): comparators behind commas, `~=`, `==1.2.*`, `===`.
//!
//! Pre-releases count (as with `prereleases=True`): a specifier is asked here about what is installed, not about what to
//! install. Still `<1.0` holds no pre-release of 1.0 and `>1.0` no post-release and no local version of 1.0.

use super::intervals::{Cut, Intervals};
use super::{Condition, Fault, comparators, successor};
use crate::pep440::{HIGHEST, Parts, parse};

pub(super) fn read(raw: &str) -> Result<Vec<Condition>, Fault> {
    let mut all = Intervals::all();
    let mut texts = Vec::new();
    for piece in raw.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
        let (sign, version) = comparators::sign(piece);
        let version = version.trim_start();
        if sign == "===" {
            if version.is_empty() || version.contains(char::is_whitespace) {
                return Err(Fault::new(piece, "one word stands behind `===`"));
            }
            texts.push(Condition::Text(version.to_owned()));
            continue;
        }
        let intervals = one(sign, &version.to_ascii_lowercase()).map_err(|why| Fault::new(piece, why))?;
        all = all.intersection(&intervals);
    }
    if texts.is_empty() || all != Intervals::all() {
        texts.push(Condition::Within(all));
    }
    Ok(texts)
}

fn one(sign: &str, version: &str) -> Result<Intervals, &'static str> {
    if let Some(release) = version.strip_suffix(".*") {
        let parts = parse(release)?;
        if parts.pre.is_some() || parts.post.is_some() || parts.dev.is_some() || parts.local.is_some() {
            return Err("only numbers stand before `.*`");
        }
        return match sign {
            "==" => Ok(series(&parts)),
            "!=" => Ok(series(&parts).complement()),
            _ => Err("`.*` stands behind `==` and `!=` alone"),
        };
    }
    let parts = parse(version)?;
    if parts.local.is_some() && !["==", "!="].contains(&sign) {
        return Err("a local version stands behind `==`, `!=` and `===` alone");
    }
    match sign {
        "==" => Ok(exactly(&parts)),
        "!=" => Ok(exactly(&parts).complement()),
        ">=" => Ok(Intervals::above(Cut::before(parts.key().finish()))),
        "<=" => Ok(Intervals::below(after_locals(&parts))),
        ">" if parts.post.is_some() || parts.dev.is_some() => Ok(Intervals::above(after_locals(&parts))),
        ">" => Ok(Intervals::above(highest(parts.before_post().finish()))),
        "<" if parts.is_prerelease() => Ok(Intervals::below(Cut::before(parts.key().finish()))),
        "<" => Ok(Intervals::below(before_development(&parts))),
        "~=" => {
            let (front, _) = parts.release.rsplit_once('.').ok_or("two numbers at least stand behind `~=`")?;
            let low = Intervals::above(Cut::before(parts.key().finish()));
            Ok(low.intersection(&series(&release(&parts, front))))
        }
        "" => Err("no operator stands before it"),
        _ => Err("it is no operator of PEP 440"),
    }
}

/// Without a local version, all of its local versions are it, too.
fn exactly(parts: &Parts<'_>) -> Intervals {
    let key = parts.key().finish();
    let high = if parts.local.is_some() { Cut::after(key.clone()) } else { after_locals(parts) };
    Intervals::between(Cut::before(key), high)
}

/// Everything whose release begins so.
fn series(parts: &Parts<'_>) -> Intervals {
    let (front, last) = parts.release.rsplit_once('.').unwrap_or(("", parts.release));
    let next = format!("{front}{}{}", if front.is_empty() { "" } else { "." }, successor(last));
    let low = before_development(&release(parts, parts.release));
    Intervals::between(low, before_development(&release(parts, &next)))
}

fn release<'a>(parts: &Parts<'a>, release: &'a str) -> Parts<'a> {
    Parts { epoch: parts.epoch, release, pre: None, post: None, dev: None, local: None }
}

/// Before the first development release.
fn before_development(parts: &Parts<'_>) -> Cut {
    Cut::before(Parts { dev: Some((0, "0")), local: None, ..*parts }.key().finish())
}

fn after_locals(parts: &Parts<'_>) -> Cut {
    highest(parts.public().finish())
}

/// Before everything that has the highest mark behind these bytes, after the rest that begins with them.
fn highest(mut bytes: Vec<u8>) -> Cut {
    bytes.push(HIGHEST);
    Cut::before(bytes)
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let read = Scheme::Pep440.range(range).unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                assert_eq!(read.contains(version), Ok(expected), "`{version}` in `{range}`");
            }
        }
    }

    #[test]
    fn each_operator_is_what_pep_440_says() {
        check("~=2.2", &["2.2", "2.9", "2.2.post1"], &["3.0", "3.0.dev0", "2.2rc1"]);
        check("~=1.4.5a4", &["1.4.5a4", "1.4.9"], &["1.5.dev0", "1.4.5a3"]);
        check("==1.1.*", &["1.1", "1.1.post1", "1.1a1", "1.1.5+x"], &["1.2", "1.0"]);
        check("!=1.1.*", &["1.2.dev0", "1.0"], &["1.1", "1.1.dev0"]);
        check("==1.1", &["1.1", "1.1.0", "1.1+local.5"], &["1.1.post1", "1.1a1", "1.1.dev1"]);
        check("==1.1+a", &["1.1+A"], &["1.1", "1.1+a.1"]);
        check("<=1.1", &["1.1+local", "1.1rc1"], &["1.1.post1"]);
        check("===Weird-1", &["weird-1"], &["1.0"]);
        check("", &["1.0", "1.0.dev0"], &[]);
    }

    #[test]
    fn strict_comparison_leaves_out_the_versions_family() {
        check("<1.0", &["0.9", "0.9rc1"], &["1.0", "1.0rc1", "1.0.dev0"]);
        check("<1.0rc1", &["1.0b1", "1.0rc1.dev0"], &["1.0rc1"]);
        check(">1.0", &["1.0.1", "1.1.dev0"], &["1.0", "1.0.post1", "1.0+local", "1.0.post1+local"]);
        check(">1.0.post1", &["1.0.post2"], &["1.0.post1", "1.0.post1+local"]);
        check(">1.0a1", &["1.0a2", "1.0"], &["1.0a1", "1.0a1.post1"]);
    }

    #[test]
    fn prereleases_count() {
        check(">=1.0,<2.0", &["1.5rc1", "1.0"], &["1.0rc1", "2.0rc1"]);
    }

    #[test]
    fn what_packaging_refuses_is_refused() {
        for range in [
            "1.0",
            "=1.0",
            ">=1.0.*",
            "~=1",
            "==1.0a1.*",
            ">=1.0+local",
            "=>1.0",
            "^1.0",
            ">=1.0 <2.0",
            "== ",
            "1.0 || 2.0",
        ] {
            assert!(Scheme::Pep440.range(range).is_err(), "`{range}`");
        }
    }
}
