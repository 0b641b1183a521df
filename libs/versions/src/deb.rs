//! Debian versions: `[epoch:]upstream[-revision]`, ordered as deb-version(7) and Debian Policy §5.6.12 say.
//! Non-digit and digit runs alternate; `~` sorts before the end, letters before the rest.
//!
//! Refused is what dpkg calls "bad syntax", also where it only warns (a foreign character, no digit in front).

use crate::key::{KeyWriter, Why};

/// Largest epoch; dpkg keeps it in a C `int` (lib/dpkg/parsehelp.c, `parseversion`).
const EPOCH_MAX: u32 = i32::MAX as u32;

/// Layout: epoch, then upstream, then revision (empty = "0"), the latter two in runs.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let version = raw.trim_ascii();
    if version.is_empty() {
        return Err("it is empty");
    }
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((_, "")) => return Err("the revision is empty"),
        Some(parts) => parts,
        None => (rest, ""),
    };
    let epoch = epoch.strip_prefix('+').unwrap_or(epoch); // dpkg reads it with strtol
    if !epoch.bytes().all(|byte| byte.is_ascii_digit()) || !epoch.parse::<u32>().is_ok_and(|epoch| epoch <= EPOCH_MAX) {
        return Err("the epoch is not a number up to 2147483647");
    }
    if !upstream.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Err("the upstream version does not start with a digit");
    }
    if !upstream.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+~:".contains(&byte)) {
        return Err("the upstream version has a character other than letters, digits and . - + ~ :");
    }
    if !revision.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~".contains(&byte)) {
        return Err("the revision has a character other than letters, digits and . + ~");
    }
    let mut key = KeyWriter::default();
    key.number(epoch);
    runs(&mut key, upstream);
    runs(&mut key, revision);
    Ok(key)
}

/// Non-digits end with this mark, and so does the text: both stand between `~` and everything else.
const END: u8 = 2;

/// Pairs of a non-digit run (possibly empty only in the first pair) and a number (0 when missing), then the end.
fn runs(key: &mut KeyWriter, text: &str) {
    let mut rest = text;
    loop {
        let digits = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        for byte in rest[..digits].bytes() {
            key.mark(weight(byte));
        }
        key.mark(END);
        rest = &rest[digits..];
        let words = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        key.number(&rest[..words]);
        rest = &rest[words..];
        if rest.is_empty() {
            return key.mark(END);
        }
    }
}

/// `~` before the end before letters (in ASCII order) before the rest (in ASCII order).
fn weight(byte: u8) -> u8 {
    match byte {
        b'~' => 1,
        byte if byte.is_ascii_alphabetic() => byte,
        byte => byte | 0x80,
    }
}

#[cfg(test)]
mod tests {
    use crate::Scheme;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(Scheme::Deb.compare(a, b), Ok(expected), "`{a}` against `{b}`");
        assert_eq!(Scheme::Deb.compare(b, a), Ok(expected.reverse()), "`{b}` against `{a}`");
    }

    #[test]
    fn a_tilde_sorts_before_the_end_and_letters_before_the_rest() {
        check("1.0~rc1-1", "1.0-1", Less); // a release candidate
        check("1.0~~", "1.0~", Less);
        check("1.0~~a", "1.0~", Less);
        check("1.0a", "1.0+", Less);
        check("1.0Z", "1.0a", Less); // ASCII order among letters
        check("2.36-9+deb12u4", "2.36-9", Greater); // a security update
        check("2.36-9+deb12u10", "2.36-9+deb12u9", Greater); // numbers, not text
        check("2.36-9~bpo11+1", "2.36-9", Less); // a backport
    }

    #[test]
    fn a_missing_part_counts_as_zero() {
        check("1.0", "0:1.0-0", Equal);
        check("1.0-00", "1.0", Equal);
        check("1.", "1.0", Equal);
        check("1.0-a", "1.0", Greater);
        check("1.0-~", "1.0", Less);
    }

    #[test]
    fn the_epoch_goes_first_and_the_last_hyphen_divides() {
        check("1:0.1", "2.0", Greater); // an epoch repairs a wrong number
        check("1.0-rc1-2", "1.0-2", Greater); // upstream is `1.0-rc1`
        check("1:2:3", "1:2", Greater);
        check("+1:0", "1:0", Equal);
    }

    #[test]
    fn numbers_have_any_length() {
        check("1.20230101000000000000000000", "1.20230101000000000000000001", Less);
        check("0001", "1", Equal);
    }

    #[test]
    fn what_dpkg_calls_bad_syntax_is_refused_with_the_reason() {
        for (version, why) in [
            ("", "it is empty"),
            (":1.0", "the epoch is not a number up to 2147483647"),
            ("a:1.0", "the epoch is not a number up to 2147483647"),
            ("2147483648:1.0", "the epoch is not a number up to 2147483647"),
            ("1.0-", "the revision is empty"),
            ("-1", "the upstream version does not start with a digit"),
            ("unknown", "the upstream version does not start with a digit"),
            ("1_0", "the upstream version has a character other than letters, digits and . - + ~ :"),
            ("1.0-1:1", "the epoch is not a number up to 2147483647"),
            ("1:1.0-1:1", "the revision has a character other than letters, digits and . + ~"),
        ] {
            assert_eq!(Scheme::Deb.key(version).map_err(|malformed| malformed.why), Err(why), "`{version}`");
        }
    }
}
