//! What is run on any bytes, by cargo-fuzz and by `tests/fuzzing.rs`.
#![allow(dead_code)] // a fuzz target runs one of them

use muster_versions::{Scheme, vers};

/// Two versions, a line each, in every scheme: keys in one order, whichever comes first.
pub fn versions(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    for scheme in Scheme::ALL {
        if let Ok(order) = scheme.compare(first, second) {
            assert_eq!(scheme.compare(second, first), Ok(order.reverse()), "{scheme:?}");
        }
    }
}

/// A range and a version, a line each, in every grammar.
pub fn ranges(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (range, version) = text.split_once('\n').unwrap_or((text, ""));
    for scheme in Scheme::ALL {
        if let Ok(range) = scheme.range(range) {
            let _ = range.contains(version);
        }
    }
    if let Ok(range) = vers::parse(range) {
        let _ = range.contains(version);
    }
}
