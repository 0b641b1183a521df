//! How bad: CVSS vectors and vendors' words -> one base score and one severity.

use muster_domain::{BaseScore, Severity, VectorString};

/// What is said of a vulnerability, before any environment is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating {
    /// CVSS base score, when somebody scored it.
    pub score: Option<BaseScore>,
    /// Of the score; of the vendor's word without one; `Untriaged` without either.
    pub severity: Severity,
}

/// A vector's base score and the rank of its CVSS version, 0 being preferred: 3.1 and 3.0 (what Inspector shows
/// and adjusts; its user guide, "Understanding the Inspector score"), then 4.0, then 2.0. Temporal and environmental
/// metrics do not count: they are the owner's business, not the advisory's.
/// `None`: the vector can't be read, or lacks a base metric and so has no score.
pub fn base_score(vector: &VectorString) -> Option<(u8, BaseScore)> {
    let scores = muster_cvss::score(&vector.vector).ok()?;
    let rank = match scores.version {
        "3.1" | "3.0" => 0,
        "4.0" => 1,
        _ => 2,
    };
    Some((rank, BaseScore::from_tenths(scores.base.tenths())?))
}

/// A vendor's word as a severity. `None`: the word says that nobody has judged yet, or nothing that we know.
pub fn of_word(word: &str) -> Option<Severity> {
    // Debian marks a word with `*` when it was derived from another source (security-tracker, "urgency").
    match word.trim_end_matches('*').to_ascii_lowercase().as_str() {
        "unimportant" | "negligible" | "none" | "informational" => Some(Severity::Informational),
        "low" => Some(Severity::Low),
        "medium" | "moderate" => Some(Severity::Medium),
        "high" | "important" => Some(Severity::High),
        "critical" => Some(Severity::Critical),
        _ => None,
    }
}

/// Whether the vendor says that the vulnerability does not matter in its package, whatever others score it. Debian:
/// "does not affect the Debian binary package" (security-tracker, introduction, "unimportant", read 2026-11-24).
pub fn is_dismissed(word: &str) -> bool {
    matches!(word.trim_end_matches('*').to_ascii_lowercase().as_str(), "unimportant" | "negligible")
}

/// The best of `scores` (rank of the CVSS version, then the order given: own record first), else the first word
/// that says something.
pub fn rate<'a>(scores: impl Iterator<Item = (u8, BaseScore)>, mut words: impl Iterator<Item = &'a str>) -> Rating {
    let best = scores.enumerate().min_by_key(|&(order, (rank, _))| (rank, order));
    let score = best.map(|(_, (_, score))| score);
    let severity = match score {
        Some(score) => Severity::of_score(score),
        None => words.find_map(of_word).unwrap_or(Severity::Untriaged),
    };
    Rating { score, severity }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V31: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"; // CVE-2023-5678's shape: 7.5
    const V40: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"; // 9.3
    const V2: &str = "AV:N/AC:M/Au:N/C:N/I:P/A:N"; // 4.3

    fn check(vectors: &[&str], words: &[&str], expected: (Option<u8>, Severity)) {
        let vector =
            |text: &&str| VectorString { kind: String::new(), vector: (*text).to_owned(), source: String::new() };
        let scores = vectors.iter().map(vector).filter_map(|vector| base_score(&vector));
        let rating = rate(scores, words.iter().copied());
        assert_eq!((rating.score.map(BaseScore::tenths), rating.severity), expected, "{vectors:?} {words:?}");
    }

    #[test]
    fn a_score_counts_before_a_word_and_version_3_before_4_before_2() {
        check(&[V2, V40, V31], &["LOW"], (Some(75), Severity::High));
        check(&[V2, V40], &[], (Some(93), Severity::Critical));
        check(&[V2], &[], (Some(43), Severity::Medium));
        // environmental metrics are the owner's business
        check(&["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/MAV:P"], &[], (Some(75), Severity::High));
        check(&["CVSS:3.1/AV:N", "CVSS:9/AV:N", "", "high"], &["MODERATE"], (None, Severity::Medium));
    }

    #[test]
    fn without_a_score_the_vendors_word_counts() {
        check(&[], &["not yet assigned", "unimportant"], (None, Severity::Informational));
        check(&[], &["low**"], (None, Severity::Low));
        check(&[], &["Important"], (None, Severity::High));
        check(&[], &["end-of-life"], (None, Severity::Untriaged));
        check(&[], &[], (None, Severity::Untriaged));
    }

    #[test]
    fn nothing_scored_is_informational_not_unscored() {
        check(&["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"], &["HIGH"], (Some(0), Severity::Informational));
    }
}
