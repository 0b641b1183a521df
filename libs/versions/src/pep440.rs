//! Python versions: `[epoch!]release[pre][post][dev][+local]`, read and ordered as PEP 440 says
//! (packaging.python.org/specifications/version-specifiers, "Appendix B: Parsing version strings with regular
//! expressions" for the spellings, "Summary of permitted suffixes and relative ordering" for the order).
//!
//! Many spellings are one version: letters' case, a `v` in front, `-`, `_`, `.` or nothing around a suffix's word,
//! `alpha` for `a`, `-1` for `.post1`, a missing number for 0, zeros at the release's end.

use crate::key::{KeyWriter, Why};

/// The words of each suffix, longer before their beginnings, and their letter's rank.
const PRE: &[(&str, u8)] =
    &[("alpha", 0), ("a", 0), ("beta", 1), ("b", 1), ("preview", 2), ("pre", 2), ("rc", 2), ("c", 2)];
const POST: &[(&str, u8)] = &[("post", 0), ("rev", 0), ("r", 0)];
const DEV: &[(&str, u8)] = &[("dev", 0)];

/// Before every number or word that could stand in the same place, or after.
const LOWEST: u8 = 0;
const WORD: u8 = 1;
const NUMBER: u8 = 2;
pub(crate) const HIGHEST: u8 = 9;

pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let lower = raw.trim().to_ascii_lowercase();
    Ok(parse(&lower)?.key())
}

/// A version cut into its parts, each checked.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub epoch: &'a str,
    /// Dotted numbers, as they were written.
    pub release: &'a str,
    /// A suffix's rank among its kind, and its number ("" for 0).
    pub pre: Option<(u8, &'a str)>,
    pub post: Option<(u8, &'a str)>,
    pub dev: Option<(u8, &'a str)>,
    pub local: Option<&'a str>,
}

/// Reads a version in small letters.
pub(crate) fn parse(lower: &str) -> Result<Parts<'_>, Why> {
    let (public, local) = lower.split_once('+').map_or((lower, None), |(public, local)| (public, Some(local)));
    let public = public.strip_prefix('v').unwrap_or(public);
    let (epoch, public) = public.split_once('!').unwrap_or(("0", public));
    if !is_digits(epoch) {
        return Err("the epoch is not a number");
    }
    let mut rest = public;
    let release = release(&mut rest).ok_or("the release does not start with a number")?;
    let pre = suffix(&mut rest, PRE);
    let post = implicit_post(&mut rest).or_else(|| suffix(&mut rest, POST));
    let dev = suffix(&mut rest, DEV);
    if !rest.is_empty() {
        return Err("something stands behind the release that is no pre-, post- or development release");
    }
    let is_segment = |segment: &str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !local.is_none_or(|local| local.split(SEPARATORS).all(is_segment)) {
        return Err("the local version has a segment other than letters and digits");
    }
    Ok(Parts { epoch, release, pre, post, dev, local })
}

impl Parts<'_> {
    /// Layout: epoch; the release's numbers without zeros at its end; then pre, post, dev and local, each as a mark of
    /// what is there and its number.
    pub fn key(&self) -> KeyWriter {
        let mut key = self.public();
        for segment in self.local.into_iter().flat_map(|local| local.split(SEPARATORS)) {
            if is_digits(segment) {
                key.mark(NUMBER);
                key.number(segment);
            } else {
                key.mark(WORD);
                key.text(segment);
            }
        }
        key.mark(LOWEST);
        key
    }

    /// The beginning of the key that all local versions of this one share.
    pub fn public(&self) -> KeyWriter {
        let mut key = self.before_post();
        for (found, missing) in [(self.post, LOWEST), (self.dev, HIGHEST)] {
            match found {
                Some((_, number)) => {
                    key.mark(NUMBER);
                    key.number(number);
                }
                None => key.mark(missing),
            }
        }
        key
    }

    /// The beginning of the key that all post-releases of this one share.
    pub fn before_post(&self) -> KeyWriter {
        let mut key = KeyWriter::default();
        key.number(self.epoch);
        for number in without_zeros(self.release).split('.') {
            key.mark(NUMBER);
            key.number(number);
        }
        key.mark(LOWEST);
        match (self.pre, self.post, self.dev) {
            (Some((rank, number)), _, _) => {
                key.mark(WORD + rank);
                key.number(number);
            }
            (None, None, Some(_)) => key.mark(LOWEST), // a development release of the release is before its pre-releases
            (None, _, _) => key.mark(HIGHEST),
        }
        key
    }

    /// Whether it is a pre-release or a development release.
    pub fn is_prerelease(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }
}

/// What may stand between a local version's segments.
const SEPARATORS: [char; 3] = ['.', '-', '_'];

/// Takes the dotted numbers in front. `None` when there are none.
fn release<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let mut end = digits(rest);
    if end == 0 {
        return None;
    }
    while let Some(behind) = rest[end..].strip_prefix('.').filter(|behind| digits(behind) > 0) {
        end += 1 + digits(behind);
    }
    let (release, behind) = rest.split_at(end);
    *rest = behind;
    Some(release)
}

fn without_zeros(mut release: &str) -> &str {
    while let Some((front, _)) = release.rsplit_once('.').filter(|(_, last)| last.bytes().all(|byte| byte == b'0')) {
        release = front;
    }
    release
}

/// Takes `[separator]word[separator][number]`, and gives the word's rank and the number ("" for 0).
fn suffix<'a>(rest: &mut &'a str, words: &[(&str, u8)]) -> Option<(u8, &'a str)> {
    let behind = without_separator(rest);
    let (rank, behind) = words.iter().find_map(|(word, rank)| Some((*rank, behind.strip_prefix(word)?)))?;
    let behind = without_separator(behind);
    let (number, behind) = behind.split_at(digits(behind));
    *rest = behind;
    Some((rank, number))
}

/// Takes `-1`, which is `.post1`.
fn implicit_post<'a>(rest: &mut &'a str) -> Option<(u8, &'a str)> {
    let behind = rest.strip_prefix('-').filter(|behind| digits(behind) > 0)?;
    let (number, behind) = behind.split_at(digits(behind));
    *rest = behind;
    Some((0, number))
}

fn without_separator(text: &str) -> &str {
    text.strip_prefix(['-', '_', '.']).unwrap_or(text)
}

/// How many digits stand in front.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && digits(text) == text.len()
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Pep440.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Pep440.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn the_suffixes_are_in_the_order_of_the_specification() {
        let ascending = [
            "1.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "1!0.1",
        ];
        for pair in ascending.windows(2) {
            check(pair[0], pair[1], Less);
        }
    }

    #[test]
    fn many_spellings_are_one_version() {
        for (spelling, version) in [
            ("1.0-alpha.1", "1.0a1"),
            ("1.0_BETA-2", "1.0b2"),
            ("v1.0", "1.0"),
            (" 1.0\n", "1.0"),
            ("1.0.post", "1.0.post0"),
            ("1.0-1", "1.0.post1"),
            ("1.0-r4", "1.0.post4"),
            ("1.0c1", "1.0rc1"),
            ("1.0.preview-3", "1.0rc3"),
            ("1.0a-", "1.0a0"),
            ("1.0.DEV", "1.0.dev0"),
            ("0!1.0", "1.0"),
            ("01.002", "1.2"),
            ("1.0.0", "1"),
            ("0.0", "0"),
            ("1.0+Ubuntu-1", "1.0+ubuntu.1"),
            ("1.0+001", "1.0+1"),
        ] {
            check(spelling, version, Equal);
        }
    }

    #[test]
    fn zeros_count_inside_a_release() {
        check("1.0.1", "1.1", Less);
        check("1.0.1", "1", Greater);
        check("2022.12.7", "2022.12.07", Equal); // certifi
    }

    #[test]
    fn what_packaging_refuses_is_refused() {
        for version in [
            "",
            "unknown",
            "1.0.x",
            "1.0-",
            "1.0_1",
            "1.0--1",
            "1.0+",
            "1.0+a..b",
            "1.0+é",
            "a!1",
            "!1",
            "1!",
            "1.0.post.-1",
            "1.0-1-1",
            "1.0rc1a1",
            "vv1",
            "1 .0",
            "1..0",
            "2013b-x",
            "1.0é",
            "1.0+a+b",
        ] {
            assert!(Scheme::Pep440.key(version).is_err(), "`{version}`");
        }
    }
}
