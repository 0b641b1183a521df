//! What is run on any bytes, by cargo-fuzz and by `tests/fuzzing.rs`.
#![allow(dead_code)] // a fuzz target runs one of them

use muster_domain::{Components, Ecosystem, PURL_LENGTH_MAX, PackageUrl};

/// A package URL: what is read has one canonical form, which is read as the same again.
pub fn package_urls(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(purl) = PackageUrl::parse(text) else { return };
    let canonical = purl.to_string();
    assert!(canonical.is_ascii() && canonical.len() <= PURL_LENGTH_MAX);
    assert_eq!(PackageUrl::parse(&canonical), Ok(purl));
    assert!(Components::parse(text).is_ok());
}

/// An ecosystem and a name in it, a line each: a name that is normalised stays as it is.
pub fn ecosystems(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (ecosystem, name) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(ecosystem) = ecosystem.parse::<Ecosystem>() else { return };
    assert_eq!(ecosystem.as_str().parse::<Ecosystem>().as_ref(), Ok(&ecosystem));
    let name = ecosystem.normalise(name);
    assert_eq!(ecosystem.normalise(&name), name, "{ecosystem}");
}
