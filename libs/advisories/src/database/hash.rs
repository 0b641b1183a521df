//! The hash of the package index, and of what tells whether two builds make the same version keys. It is part of the
//! file format: written to disk, so it must never depend on the machine or on a library's version.

use muster_versions::Scheme;

/// An odd constant with evenly spread bits (the golden ratio's fraction), and another (the square root of 3's).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const STIR: u64 = 0xbb67_ae85_84ca_a73b;

/// Of a package's ecosystem and name, under the index' seed.
pub(crate) fn of_package(seed: u64, ecosystem: &[u8], name: &[u8]) -> u64 {
    let state = absorb(seed ^ SPREAD, ecosystem);
    fold(absorb(state, name) ^ STIR, SPREAD)
}

/// Of any bytes.
pub(crate) fn of_bytes(bytes: &[u8]) -> u64 {
    fold(absorb(SPREAD, bytes) ^ STIR, SPREAD)
}

/// Whether a block of facts ends after the record with these names (id, source, scope): for so many records that blocks
/// have `mean_bytes` on average, and whatever its neighbours are.
pub(crate) fn ends_block(names: [&str; 3], record_bytes: usize, mean_bytes: usize) -> bool {
    let hash = fold(names.iter().fold(SPREAD, |state, name| absorb(state, name.as_bytes())) ^ STIR, SPREAD);
    hash % mean_bytes as u64 <= record_bytes as u64
}

/// Changes when `muster-versions` writes other keys than it did when a file was built.
pub(crate) fn of_version_keys() -> u64 {
    const SAMPLES: &[(Scheme, &str)] = &[
        (Scheme::Deb, "1:3.0.11-1~deb12u2+b1"),
        (Scheme::Pep440, "1!2.0.post3.dev4"),
        (Scheme::Pep440, "2.31.0rc1+local.7"),
        (Scheme::Npm, "1.2.3-beta.4"),
        (Scheme::Cargo, "0.10.55-alpha.1"),
        (Scheme::Go, "v0.0.0-20200131131040-063a3fb69896"),
        (Scheme::Generic, "7.2p1-rc_3"),
    ];
    SAMPLES.iter().fold(SPREAD, |state, (scheme, version)| match scheme.key(version) {
        Ok(key) => absorb(state, key.as_bytes()),
        Err(_) => absorb(state, b"unreadable"),
    })
}

fn absorb(state: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let state = words.iter().fold(state, |state, word| fold(state ^ u64::from_le_bytes(*word), STIR));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    fold(state ^ u64::from_le_bytes(last) ^ (bytes.len() as u64).rotate_left(56), SPREAD)
}

/// The two halves of the product, one over the other: each bit of the input reaches all of the output.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn hashes_are_the_same_on_every_machine() {
        assert_eq!(of_package(0, b"Debian:12", b"openssl"), of_package(0, b"Debian:12", b"openssl"));
        assert_ne!(of_package(0, b"Debian:12", b"openssl"), of_package(1, b"Debian:12", b"openssl"));
        assert_ne!(of_package(0, b"npm", b"a"), of_package(0, b"np", b"ma"));
        assert_ne!(of_bytes(b""), of_bytes(b"\0"));
        assert_eq!(of_version_keys(), of_version_keys());
    }

    #[test]
    fn blocks_end_so_often_that_they_have_their_length_on_average() {
        for record_bytes in [100, 1_000, 4_000] {
            let ends = |n: &u32| ends_block([&format!("GHSA-{n}"), "GHSA", ""], record_bytes, 16 << 10);
            let blocks = (0..100_000).filter(ends).count();
            let mean = 100_000 * record_bytes / blocks;
            assert!((15 << 10..17 << 10).contains(&mean), "{mean} bytes with records of {record_bytes}");
        }
        assert!(ends_block(["a", "", ""], 20 << 10, 16 << 10), "a record longer than a block is one");
    }

    #[test]
    fn names_that_differ_little_land_far_apart() {
        let hashes: HashSet<u64> =
            (0..100_000u32).map(|n| of_package(0, b"npm", format!("left-pad-{n}").as_bytes()) & 0x3_ffff).collect();
        assert!(hashes.len() > 80_000, "{} of 100,000 names in 262,144 places", hashes.len()); // 83,000 by chance
    }
}
