//! The keys of the two schemes whose tools walk along both versions at once, against such a walk: written from the
//! tools' manuals, slow and plain, and knowing nothing of keys.

use muster_versions::Scheme;
use proptest::prelude::*;
use std::cmp::Ordering::{self, Equal, Greater, Less};

/// The run of digits or of letters in front, and what stands behind it.
fn run(text: &str) -> (&str, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    text.split_at(digits.max(letters))
}

/// Two runs of the same kind; digits are newer than letters.
fn compare_runs(a: &str, b: &str) -> Ordering {
    let number = |run: &str| run.parse::<u128>().ok();
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Greater,
        (None, Some(_)) => Less,
        (None, None) => a.cmp(b),
    }
}

/// rpmvercmp: skip what divides, then look for `~`, then for `^`, then compare runs.
fn rpm(a: &str, b: &str) -> Ordering {
    let skip =
        |text| str::trim_start_matches(text, |letter: char| !(letter.is_ascii_alphanumeric() || "~^".contains(letter)));
    let (a, b): (&str, &str) = (skip(a), skip(b));
    match (a.strip_prefix('~'), b.strip_prefix('~')) {
        (Some(a), Some(b)) => return rpm(a, b),
        (Some(_), None) => return Less,
        (None, Some(_)) => return Greater,
        (None, None) => {}
    }
    match (a.strip_prefix('^'), b.strip_prefix('^')) {
        (Some(a), Some(b)) => return rpm(a, b),
        (Some(_), None) => return if b.is_empty() { Greater } else { Less },
        (None, Some(_)) => return if a.is_empty() { Less } else { Greater },
        (None, None) => {}
    }
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Equal,
        (true, false) => return Less,
        (false, true) => return Greater,
        (false, false) => {}
    }
    let ((a_run, a), (b_run, b)) = (run(a), run(b));
    compare_runs(a_run, b_run).then_with(|| rpm(a, b))
}

/// vercmp: a longer divider is newer, then compare runs; in the end letters lose against nothing and all else wins.
fn alpm(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Equal,
        (true, false) => return alpm(b, a).reverse(),
        (false, true) => {
            return if a.starts_with(|letter: char| letter.is_ascii_alphabetic()) { Less } else { Greater };
        }
        (false, false) => {}
    }
    let skip = |text| str::trim_start_matches(text, |letter: char| !letter.is_ascii_alphanumeric());
    let (a_behind, b_behind): (&str, &str) = (skip(a), skip(b));
    let dividers = (a.len() - a_behind.len()).cmp(&(b.len() - b_behind.len()));
    let ((a_run, a), (b_run, b)) = (run(a_behind), run(b_behind));
    dividers.then_with(|| compare_runs(a_run, b_run)).then_with(|| alpm(a, b))
}

/// Parts of a version in any mixture, with a letter or digit at the end; few of them, so that beginnings are often the same.
fn version(parts: &'static [&'static str]) -> impl Strategy<Value = String> {
    (prop::collection::vec(prop::sample::select(parts.to_vec()), 0..7), prop::sample::select(vec!["0", "1", "a"]))
        .prop_map(|(parts, last)| parts.concat() + last)
}

const RPM: &[&str] = &["0", "1", "01", "10", "a", "b", "ab", "~", "^", ".", "_"];
const ALPM: &[&str] = &["0", "1", "01", "10", "a", "b", "ab", "~", ".", "_"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rpm_keys_are_in_the_order_of_a_walk_along_both(
        a in version(RPM),
        b in version(RPM),
        end in prop::sample::select(vec!["", "~", "^", "."]),
    ) {
        let a = a + end; // `1.0^` and `1.0~` are what keys could get wrong
        prop_assert_eq!(Scheme::Rpm.compare(&a, &b), Ok(rpm(&a, &b)), "`{}` against `{}`", a, b);
        let (a, b) = (format!("1-{a}"), format!("1-{b}")); // releases alike
        prop_assert_eq!(Scheme::Rpm.compare(&a, &b), Ok(rpm(&a, &b)), "`{}` against `{}`", a, b);
    }

    #[test]
    fn what_follows_a_beginning_is_ordered_alike(begin in version(RPM), a in version(RPM), b in version(RPM)) {
        for (a, b) in [
            (&begin, &format!("{begin}{b}")),
            (&format!("{begin}^{a}"), &format!("{begin}{b}")),
            (&format!("{begin}~{a}"), &format!("{begin}^{b}")),
        ] {
            prop_assert_eq!(Scheme::Rpm.compare(a, b), Ok(rpm(a, b)), "`{}` against `{}`", a, b);
        }
    }

    #[test]
    fn alpm_keys_are_in_the_order_of_a_walk_along_both(a in version(ALPM), b in version(ALPM), begin in version(ALPM)) {
        for (a, b) in [(&a, &b), (&begin, &format!("{begin}{b}")), (&format!("{begin}{a}"), &format!("{begin}{b}"))] {
            prop_assert_eq!(Scheme::Alpm.compare(a, b), Ok(alpm(a, b)), "`{}` against `{}`", a, b);
        }
    }
}
