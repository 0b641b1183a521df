//! Maven versions, ordered as `ComparableVersion` of Maven 3.9 does (maven.apache.org/pom.html, "Version Order
//! Specification"; maven-artifact, `org.apache.maven.artifact.versioning.ComparableVersion`).
//!
//! A version is a list of numbers and words whose last item may be a list of its own, one level down. A `-` begins that
//! list, and so does a change between digits and letters, and a word behind a `.` that ends the version. Zeros and words
//! that mean "release" do not count at the end of a list. A list that ended is compared with what goes on as if it went
//! on with nothing: 0 and "release" are as much as that, pre-releases less, everything else more.
//!
//! Maven's rule contradicts itself in rare cases: `1-1` comes before `1.0.alpha.1`, that before `1`, and that before
//! `1-1`. No order does so. Here what is below the end comes before it and what is above it behind, always: see
//! `docs/decisions/0006-maven-order-without-circles.md`.
//!
//! Maven reads any text. Refused is what it lets nobody release: characters that a file's name may not have, an
//! unresolved `${property}`, white space and characters outside ASCII.

use crate::key::{KeyWriter, Why};

/// One step through a version: a number, a word, or the step down into the list that ends this one.
#[derive(Clone, Copy)]
enum Token<'a> {
    /// In digits, without zeros in front: "" is 0.
    Number(&'a str),
    /// The place among [`QUALIFIERS`]; a word that is none of them is behind them all, by its letters.
    Word(u8, &'a str),
    Down,
}

/// The words with a place of their own, in order; "" is a release.
const QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
const RELEASE: u8 = 5;
const UNKNOWN: u8 = QUALIFIERS.len() as u8;

/// What may stand in one place, in order: what makes the version less than its beginning, the end, what makes it more.
/// On both sides a word comes before a list, and a list before a number.
const LESS_BY_WORD: u8 = 0;
const LESS_BEHIND_RELEASE: u8 = 1;
const LESS_IN_LIST: u8 = 2;
const LESS_BEHIND_ZERO: u8 = 3;
const END: u8 = 4;
const MORE_BEHIND_RELEASE: u8 = 5;
const MORE_BY_WORD: u8 = 6;
const MORE_IN_LIST: u8 = 7;
const MORE_BEHIND_ZERO: u8 = 8;
const MORE_BY_NUMBER: u8 = 9;

/// Layout: each token behind its mark, a word with its place and letters, then the mark of the end.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    if raw.is_empty() {
        return Err("it is empty");
    }
    if !raw.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\/:\"<>|?*[](){},$".contains(&byte)) {
        return Err("it has a character that Maven lets no version have");
    }
    let lower = raw.to_ascii_lowercase();
    let tokens = without_nothing(tokens(&lower));
    let mut key = KeyWriter::default();
    for (token, is_less) in tokens.iter().zip(is_less_from_here(&tokens)) {
        key.mark(mark(*token, is_less));
        match *token {
            Token::Number("") | Token::Down | Token::Word(RELEASE, _) => {}
            Token::Number(digits) => key.number(digits),
            Token::Word(place, letters) => {
                key.mark(place);
                key.text(if place == UNKNOWN { letters } else { "" });
            }
        }
    }
    key.mark(END);
    Ok(key)
}

fn mark(token: Token<'_>, is_less: bool) -> u8 {
    match (token, is_less) {
        (Token::Word(RELEASE, _), true) => LESS_BEHIND_RELEASE,
        (Token::Word(..), true) => LESS_BY_WORD,
        (Token::Down, true) => LESS_IN_LIST,
        (Token::Number(_), true) => LESS_BEHIND_ZERO,
        (Token::Word(RELEASE, _), false) => MORE_BEHIND_RELEASE,
        (Token::Word(..), false) => MORE_BY_WORD,
        (Token::Down, false) => MORE_IN_LIST,
        (Token::Number(""), false) => MORE_BEHIND_ZERO,
        (Token::Number(_), false) => MORE_BY_NUMBER,
    }
}

/// For each token, whether the version from there on is less than if it ended there: the first token that is not
/// nothing decides.
fn is_less_from_here(tokens: &[Token<'_>]) -> Vec<bool> {
    let mut is_less = vec![false; tokens.len()];
    let mut behind = false;
    for (place, token) in tokens.iter().enumerate().rev() {
        behind = match token {
            Token::Number("") | Token::Down | Token::Word(RELEASE, _) => behind,
            Token::Number(_) => false,
            Token::Word(place, _) => *place < RELEASE,
        };
        is_less[place] = behind;
    }
    is_less
}

/// Cuts the version, with a [`Token::Down`] where a list begins.
fn tokens(version: &str) -> Vec<Token<'_>> {
    let bytes = version.as_bytes();
    let mut tokens = Vec::new();
    let mut list_is_empty = true;
    let mut start = 0;
    while start < bytes.len() {
        let same_kind = |byte: &u8| !b".-".contains(byte) && byte.is_ascii_digit() == bytes[start].is_ascii_digit();
        let end = start + bytes[start..].iter().take_while(|byte| same_kind(byte)).count();
        let next = bytes.get(end);
        let part = &version[start..end];
        let is_word = bytes[start].is_ascii_alphabetic() || (end > start && !bytes[start].is_ascii_digit());
        let before_digit = is_word && next.is_some_and(u8::is_ascii_digit);
        if is_word && !list_is_empty && (before_digit || next.is_none()) {
            tokens.push(Token::Down);
        }
        tokens.push(if is_word { word(part, before_digit) } else { Token::Number(part.trim_start_matches('0')) });
        list_is_empty = next != Some(&b'.');
        if next.is_some_and(|next| *next != b'.') {
            tokens.push(Token::Down);
        }
        start = end + usize::from(next.is_some_and(|next| b".-".contains(next)));
    }
    tokens
}

fn word(letters: &str, before_digit: bool) -> Token<'_> {
    let letters = match letters {
        "a" if before_digit => "alpha",
        "b" if before_digit => "beta",
        "m" if before_digit => "milestone",
        "cr" => "rc",
        "ga" | "final" | "release" => "",
        letters => letters,
    };
    let place = QUALIFIERS.iter().position(|qualifier| *qualifier == letters);
    Token::Word(place.map_or(UNKNOWN, |place| place as u8), letters)
}

/// Without what does not count: zeros, releases and empty lists at the end of a list, whether the version ends there or
/// goes on one level down.
fn without_nothing(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut kept = Vec::with_capacity(tokens.len()); // from the end to the start
    let mut at_the_end = true;
    for token in tokens.into_iter().rev() {
        match token {
            Token::Number("") | Token::Word(RELEASE, _) if at_the_end => {}
            Token::Down if kept.is_empty() => at_the_end = true,
            token => {
                at_the_end = matches!(token, Token::Down);
                kept.push(token);
            }
        }
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Maven.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Maven.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn the_qualifiers_are_in_the_order_that_maven_tells() {
        let ascending = [
            "1-alpha-1",
            "1-alpha-2",
            "1-beta-1",
            "1-milestone-1",
            "1-rc1",
            "1-SNAPSHOT",
            "1",
            "1-sp",
            "1-abc",
            "1-jre",
            "1-1",
            "1.1",
        ];
        for pair in ascending.windows(2) {
            check(pair[0], pair[1], Less);
        }
    }

    #[test]
    fn many_spellings_are_one_version() {
        for (spelling, version) in [
            ("1.0.0", "1"),
            ("1.ga", "1"),
            ("1.0.0.Final", "1"),         // Hibernate, Netty
            ("5.3.18.RELEASE", "5.3.18"), // Spring
            ("1.0-0", "1"),
            ("1.0.0-0.0", "1"),
            ("1a1", "1-alpha-1"),
            ("1.0b2", "1-beta-2"),
            ("1m3", "1-milestone-3"),
            ("1-CR1", "1-rc1"),
            ("1.0.RC2", "1.0-rc2"),
            ("1x", "1-x"),
            ("01", "1"),
        ] {
            check(spelling, version, Equal);
        }
        check("1-a", "1-alpha", Greater); // the short form needs its number
        check("1-a-1", "1-alpha-1", Greater);
    }

    #[test]
    fn flavours_and_rebuilds_come_behind_their_release() {
        check("31.1-jre", "31.1-android", Greater); // Guava
        check("31.1-jre", "31.1", Greater);
        check("4.1.0.Final-redhat-1", "4.1.0.Final", Greater);
        check("4.1.0.Final-redhat-00002", "4.1.0.Final-redhat-1", Greater);
        check("1.0.0.Beta1-redhat-1", "1.0.0", Less);
        check("2.9.10.8", "2.9.10", Greater); // jackson-databind
    }

    #[test]
    fn numbers_have_any_length() {
        check("20030203.000550", "20030203.000129", Greater); // commons-io's mistake
        check("1.99999999999999999999", "1.100000000000000000000", Less);
    }

    #[test]
    fn a_circle_of_mavens_is_cut_where_a_version_ends() {
        check("1.0.alpha.1", "1", Less);
        check("1", "1-1", Less);
        check("1.0.alpha.1", "1-1", Less); // Maven says greater
        check("1-alpha", "1", Less);
        check("1", "1.foo.1", Less);
        check("1-alpha", "1.foo.1", Less); // Maven says greater
    }

    #[test]
    fn what_maven_lets_nobody_release_is_refused() {
        for version in ["", "${project.version}", "[1.0,2.0)", "1.0 ", "1:2", "1/2", "1.*", "1.0é"] {
            assert!(Scheme::Maven.key(version).is_err(), "`{version}`");
        }
    }
}
