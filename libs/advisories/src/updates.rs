//! Windows' updates as a claim's remark names them: which articles bring a fix, and which older ones each of them supersedes.
//!
//! `KB5031361 supersedes KB5030214, KB5029247; KB5031364`: articles behind semicolons, what they supersede behind commas.

/// An update that brings a fix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Update {
    /// `KB5031361`.
    pub article: String,
    /// Articles that need no more be installed where this one is.
    pub supersedes: Vec<String>,
}

/// As a remark of at most so many bytes; whole articles only, since a part of a number is another number.
pub(crate) fn write(updates: &[Update], bytes_max: usize) -> String {
    let mut text = String::new();
    for update in updates {
        let mut words = Vec::new();
        if !text.is_empty() {
            words.push(format!("; {}", update.article));
        } else {
            words.push(update.article.clone());
        }
        let superseded = update.supersedes.iter().enumerate();
        words.extend(
            superseded.map(|(at, article)| format!("{}{article}", if at == 0 { " supersedes " } else { ", " })),
        );
        for word in words {
            if text.len() + word.len() > bytes_max {
                return text;
            }
            text.push_str(&word);
        }
    }
    text
}

/// Reads a remark; what is no list of articles has none.
pub fn read(remark: &str) -> Vec<Update> {
    let update = |part: &str| {
        let (article, superseded) = part.split_once(" supersedes ").unwrap_or((part, ""));
        let superseded = superseded.split(',').filter_map(article_of).collect();
        Some(Update { article: article_of(article)?, supersedes: superseded })
    };
    remark.split(';').filter_map(update).collect()
}

/// An article's number as it is written here: `KB5031361` of `5031361`, `KB5031361` or `KB 5031361`.
pub fn article_of(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = match text.split_at_checked(2) {
        Some((kb, number)) if kb.eq_ignore_ascii_case("kb") => number.trim(),
        _ => text,
    };
    let is_number = (6..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("KB{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(article: &str, supersedes: &[&str]) -> Update {
        Update { article: article.into(), supersedes: supersedes.iter().map(|&one| one.to_owned()).collect() }
    }

    #[test]
    fn a_remark_is_read_as_it_was_written() {
        let check = |updates: &[Update], bytes_max: usize, remark: &str, read_again: &[Update]| {
            assert_eq!(write(updates, bytes_max), remark);
            assert_eq!(read(remark), read_again, "{remark}");
        };
        let (cumulative, other) = (update("KB5031361", &["KB5030214", "KB5029247"]), update("KB5031364", &[]));
        let both = [cumulative.clone(), other];
        check(&both, 300, "KB5031361 supersedes KB5030214, KB5029247; KB5031364", &both);
        check(&both, 50, "KB5031361 supersedes KB5030214, KB5029247", &[cumulative]);
        check(&both, 35, "KB5031361 supersedes KB5030214", &[update("KB5031361", &["KB5030214"])]); // no part of a number
        check(&[], 300, "", &[]);
        assert_eq!(read("Minor issue"), []);
        assert_eq!(read("KB12 supersedes KB5030214"), []);
    }

    #[test]
    fn an_article_has_one_spelling() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(article_of(text).as_deref(), expected, "{text}");
        check("5031361", Some("KB5031361"));
        check(" kb5031361 ", Some("KB5031361"));
        check("KB 5031361", Some("KB5031361"));
        check("Release Notes", None);
        check("KB1", None);
        check("é5031361", None);
    }
}
