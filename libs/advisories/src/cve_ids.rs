//! CVE ids in running text.

/// Each `CVE-<year>-<four digits or more>` (cve.org, "CVE ID syntax"), in the order of the text.
pub(crate) fn cves_in(text: &str) -> impl Iterator<Item = &str> {
    const BEGIN: &str = "CVE-";
    text.match_indices(BEGIN).filter_map(|(at, _)| {
        let rest = &text[at + BEGIN.len()..];
        let digits = |text: &str| text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let year = digits(rest);
        let number = digits(rest[year..].strip_prefix('-')?);
        // Nineteen digits are the most that the syntax allows.
        let sound = year == 4 && (4..=19).contains(&number);
        sound.then(|| &text[at..at + BEGIN.len() + year + 1 + number])
    })
}

/// The CVE ids in some texts, sorted, without doubles.
pub(crate) fn cves<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = texts.into_iter().flat_map(cves_in).map(str::to_owned).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_text() {
        let check = |text: &str, expected: &[&str]| assert_eq!(cves_in(text).collect::<Vec<_>>(), expected, "{text}");
        check("CVE-2025-1234 python3-docs: x [fedora-40]", &["CVE-2025-1234"]);
        check("CVE:00001:CVE-2019-16168", &["CVE-2019-16168"]); // Photon
        check("CVE-2010-1323 at NVD, CVE-2021-29154.", &["CVE-2010-1323", "CVE-2021-29154"]);
        check("CVE-2025-123, CVE-25-1234, CVE-", &[]);
        check("CVE-2025-1234é", &["CVE-2025-1234"]);
        assert_eq!(cves(["CVE-2025-2222 CVE-2025-1111", "CVE-2025-1111"]), ["CVE-2025-1111", "CVE-2025-2222"]);
    }
}
