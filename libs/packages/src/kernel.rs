//! The running kernel's release, as Linux tells it: uname(2)'s `release`, which `uname -r` prints and proc(5) has in
//! `/proc/sys/kernel/osrelease`. Read 2026-11-24.

/// Where a running system's root has it.
pub const PATH: &str = "proc/sys/kernel/osrelease";

/// Letters of a release at most (Linux, `include/uapi/linux/utsname.h`: `__NEW_UTS_LEN`).
pub const RELEASE_LENGTH_MAX: usize = 64;

/// A release without the line's end; `None`: it is none. Distributions write letters, digits and a few signs.
pub fn release(raw: &str) -> Option<&str> {
    let release = raw.trim();
    let is_release =
        (1..=RELEASE_LENGTH_MAX).contains(&release.len()) && release.bytes().all(|one| one.is_ascii_graphic());
    is_release.then_some(release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_one_short_word() {
        for (raw, expected) in [
            ("6.1.0-18-amd64\n", Some("6.1.0-18-amd64")), // as the file of Debian 12 ends
            ("5.14.0-362.8.1.el9_3.x86_64", Some("5.14.0-362.8.1.el9_3.x86_64")),
            ("6.1.0+deb+~x", Some("6.1.0+deb+~x")),
            ("", None),
            ("\n", None),
            ("6.1.0 amd64", None),
            ("6.1.0\u{1b}[0m", None),
            ("6.1.0-ä", None),
        ] {
            assert_eq!(release(raw), expected, "{raw:?}");
        }
        let longest = "6".repeat(RELEASE_LENGTH_MAX);
        assert_eq!(release(&longest), Some(longest.as_str()));
        assert_eq!(release(&format!("{longest}6")), None);
    }
}
