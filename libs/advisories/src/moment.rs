//! Times as feeds write them: with a zone, without (then UTC), or a day alone (then its beginning).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `2021-10-20T12:41:00Z`, `2018-02-07 04:50`, `2021-04-30`; `None` where it is no time.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_each_spelling_that_feeds_have() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(moment(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
        };
        check("2021-10-20T12:41:00Z", Some("2021-10-20T12:41:00Z")); // Azure Linux
        check("2018-02-07 04:50", Some("2018-02-07T04:50:00Z")); // Amazon Linux
        check("2025-01-15 12:00:00", Some("2025-01-15T12:00:00Z")); // Fedora
        check("2021-04-30", Some("2021-04-30T00:00:00Z")); // SUSE, Oracle
        check("2024-08-01T10:00:00+02:00", Some("2024-08-01T08:00:00Z"));
        check("soon", None);
        check("", None);
    }
}
