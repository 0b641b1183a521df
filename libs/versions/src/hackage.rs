//! Haskell's package versions: dotted numbers, compared number by number, a version before what it begins: `1` before
//! `1.0` before `1.0.0`. As in the Haskell Package Versioning Policy (pvp.haskell.org) and in Cabal's
//! Distribution.Types.Version (read 2026-11-24), whose parser also sets the limits: no leading zeros, nine digits at most.
//! The tags of old, `1.0-tag`, which it drops with a warning, are refused.

use crate::key::{KeyWriter, Why};
use crate::numbers;
use crate::semver::is_number;

/// Most digits of one number; Cabal refuses more, lest a number overflow 32 bits.
const DIGITS_MAX: usize = 9;

/// Layout: see `numbers.rs`.
pub(crate) fn key(raw: &str) -> Result<KeyWriter, Why> {
    let numbers: Vec<&str> = raw.split('.').collect();
    if !numbers.iter().all(|number| is_number(number)) {
        return Err("it is not made of dotted numbers without leading zeros");
    }
    if numbers.iter().any(|number| number.len() > DIGITS_MAX) {
        return Err("one of its numbers has more than nine digits");
    }
    let mut key = KeyWriter::default();
    numbers::write(&mut key, &numbers);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use crate::Scheme;

    #[test]
    fn a_version_comes_before_what_it_begins() {
        let ascending = ["0", "0.1", "0.9.1.2", "0.10", "1", "1.0", "1.0.0", "1.0.1", "1.1", "2.6.4.3", "20080411"];
        for pair in ascending.windows(2) {
            assert_eq!(Scheme::Hackage.compare(pair[0], pair[1]), Ok(std::cmp::Ordering::Less), "{pair:?}");
        }
    }

    #[test]
    fn what_cabal_does_not_read_is_refused() {
        for version in
            ["", "1.", ".1", "1..0", "1.01", "00", "1.0-r1", "1-1", "v1", "1.0 ", "1.1234567890", "1.é", "unknown"]
        {
            assert!(Scheme::Hackage.key(version).is_err(), "`{version}`");
        }
        assert!(Scheme::Hackage.key("1.123456789").is_ok());
    }
}
