//! What holds for every scheme and any text: reading never panics, and keys are an order.

use muster_versions::{LENGTH_MAX, Scheme, VersionKey};
use proptest::prelude::*;
use std::cmp::Ordering;

fn any_scheme() -> impl Strategy<Value = Scheme> {
    prop::sample::select(Scheme::ALL.to_vec())
}

/// Text that a scheme may well read: its own words, numbers and separators in any mixture.
fn likely_version() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[0-9]{1,3}",
        1 => "[0-9]{18,22}",
        1 => prop::sample::select(vec!["^", "~~", "^git", "_p1", "_rc1", "~0ab", "-r0", "-r1", ".el9", ".."]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["rc1", "z", "zh", "-fips", "-beta1", "-dev", "-alpha2-dev", "0.9.8", "cci."]).prop_map(str::to_owned),
        4 => prop::sample::select(vec![".", "-", "+", "~", "_", ":", "!", "1.2.3", "1.2.3-"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["v", "go", "a", "b", "rc", "alpha", "post", "dev", "deb12u", "0.2019"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 1..8).prop_map(|parts| parts.concat())
}

/// Text that a grammar may well read.
fn likely_range() -> impl Strategy<Value = String> {
    let signs = ["", ">=", "<", "~", "^", "~>", "==", "!=", "===", "~=", "<<", "[", "(", "*", "x", "@dev", "from:"];
    let behind = ["", " ", ",", " - ", "||", "|", ")", "]", ".*", "..<", "...", " and ", " or ", "*", "%2"];
    let part = (prop::sample::select(signs.to_vec()), likely_version(), prop::sample::select(behind.to_vec()));
    let part = part.prop_map(|(sign, version, behind)| format!("{sign}{version}{behind}"));
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

/// Three keys of one scheme: of versions that it reads.
fn three_keys() -> impl Strategy<Value = [(String, VersionKey); 3]> {
    any_scheme().prop_flat_map(|scheme| {
        let readable = ("[0-9]{1,2}[.][0-9]{1,2}[.][0-9]{1,2}", likely_version())
            .prop_filter_map("unreadable", move |(release, rest)| {
                [format!("{release}{rest}"), format!("{release}-{rest}"), rest, release]
                    .into_iter()
                    .find_map(|version| scheme.key(&version).ok().map(|key| (version, key)))
            })
            .boxed();
        [readable.clone(), readable.clone(), readable]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(scheme in any_scheme(), raw in prop_oneof![any::<String>(), likely_version()]) {
        match scheme.key(&raw) {
            Ok(key) => prop_assert!(key.scheme() == scheme && !key.as_bytes().is_empty()),
            Err(malformed) => prop_assert!(malformed.raw == raw && malformed.scheme == scheme),
        }
    }

    #[test]
    fn any_range_is_read_or_refused_without_a_panic(
        scheme in any_scheme(),
        raw in prop_oneof![any::<String>(), likely_range(), likely_range().prop_map(|range| format!("vers:npm/{range}"))],
        version in likely_version(),
    ) {
        if let Ok(range) = scheme.range(&raw) {
            let _ = range.contains(&version);
        }
    }

    #[test]
    fn a_key_is_at_most_eight_times_its_version(scheme in any_scheme(), part in likely_version(), times in 1..200_usize) {
        let raw = format!("1.2.3-{}", part.repeat(times));
        if let Ok(key) = scheme.key(&raw) {
            // RubyGems' `-` stands for a word and two dots.
            prop_assert!(raw.len() <= LENGTH_MAX && key.as_bytes().len() <= 8 * raw.len() + 16);
        }
    }

    #[test]
    fn both_directions_agree([(a, a_key), (b, b_key), _] in three_keys()) {
        let scheme = a_key.scheme();
        let order = scheme.compare(&a, &b).unwrap();
        prop_assert_eq!(scheme.compare(&b, &a).unwrap(), order.reverse());
        prop_assert_eq!(a_key.partial_cmp(&b_key), Some(order));
        prop_assert_eq!(a_key == b_key, order == Ordering::Equal);
    }

    #[test]
    fn what_is_smaller_than_the_smaller_is_smaller([(_, a), (_, b), (_, c)] in three_keys()) {
        let mut sorted = [a, b, c];
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let [first, second, third] = sorted;
        prop_assert!(first <= second && second <= third && first <= third);
    }

    #[test]
    fn no_key_begins_another([(_, a), (_, b), _] in three_keys()) {
        // So a key may stand in front of other bytes, as in a store's composed index.
        prop_assert!(a == b || !b.as_bytes().starts_with(a.as_bytes()));
    }

    #[test]
    fn a_stored_key_is_the_key([(_, key), _, _] in three_keys()) {
        prop_assert_eq!(VersionKey::from_parts(key.scheme(), key.as_bytes().to_vec()), key);
    }
}
