//! Texts as the outward shapes allow them: bounded, on one line, never empty.

/// At most `chars_max` characters; a cut text ends in `…`. Control characters become spaces, so that no text grows
/// when it is written as JSON.
pub(crate) fn bounded(text: &str, chars_max: usize) -> String {
    let clean = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut kept: String = text.chars().take(chars_max).map(clean).collect();
    if text.chars().nth(chars_max).is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}

/// `LEAD a, b, c and 4 more`, at most `chars_max` characters: as many items as there is room for.
pub(crate) fn listed(lead: &str, items: &[&str], chars_max: usize) -> String {
    let room_for_count = " and 99999 more".len();
    let mut text = lead.to_owned();
    for (index, item) in items.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let needed = text.chars().count() + separator.len() + item.chars().count();
        if needed + room_for_count > chars_max && (index > 0 || items.len() > 1) {
            text.push_str(&format!(" and {} more", items.len() - index));
            break;
        }
        text.push_str(separator);
        text.push_str(item);
    }
    bounded(&text, chars_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_by_characters_not_bytes() {
        let check = |text: &str, expected: &str| assert_eq!(bounded(text, 5), expected);
        check("short", "short");
        check("longer", "long…");
        check("äöüßéé", "äöüß…");
        check("a\nb\u{0}c", "a b c");
        check("", "");
    }

    #[test]
    fn a_list_names_as_many_as_there_is_room_for() {
        assert_eq!(listed("CVE-1 - ", &["libssl3", "openssl"], 256), "CVE-1 - libssl3, openssl");
        assert_eq!(listed("CVE-1 - ", &["libssl3", "openssl", "zlib1g"], 40), "CVE-1 - libssl3, openssl and 1 more");
        let many = vec!["package"; 1_000];
        let text = listed("CVE-1 - ", &many, 256);
        assert!(text.chars().count() <= 256 && text.ends_with(" more"), "{text}");
        assert_eq!(listed("", &["a-name-that-is-too-long"], 10), "a-name-th…");
    }
}
