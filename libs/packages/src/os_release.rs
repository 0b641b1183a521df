//! The operating system, from os-release. Source: freedesktop.org, os-release(5), read 2026-11-24.

use crate::headers;
use muster_domain::OperatingSystem;

/// Where it stands, the first that is there counts.
pub const PATHS: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    PATHS.contains(&path)
}

/// The operating system; `None` when no line of the file is an assignment that tells of one.
pub fn parse(bytes: &[u8]) -> Option<OperatingSystem> {
    let mut known: [Option<String>; 4] = Default::default();
    for line in headers::lines(bytes) {
        let line = String::from_utf8_lossy(line);
        let Some((name, value)) = line.trim().split_once('=') else { continue };
        let wanted = ["ID", "VERSION_ID", "PRETTY_NAME", "VERSION_CODENAME"];
        if let Some(index) = wanted.iter().position(|wanted| *wanted == name) {
            known[index] = Some(unquoted(value)); // the last assignment counts, as in a shell
        }
    }
    if known.iter().all(Option::is_none) {
        return None;
    }
    let [id, version, pretty_name, codename] = known.map(|value| value.filter(|value| !value.is_empty()));
    Some(system(id.unwrap_or_else(|| "linux".to_owned()), version.unwrap_or_default(), pretty_name, codename))
}

/// An operating system of its parts, with the name for people that os-release(5) has when none is stated.
pub(crate) fn system(
    id: String,
    version: String,
    pretty_name: Option<String>,
    codename: Option<String>,
) -> OperatingSystem {
    let pretty_name = pretty_name.unwrap_or_else(|| format!("{id} {version}").trim_end().to_owned());
    OperatingSystem { id, version, pretty_name, codename }
}

/// A shell word: quotes taken off, a backslash making the next letter plain, except between single quotes.
fn unquoted(raw: &str) -> String {
    let raw = raw.trim();
    let quote = raw.chars().next().filter(|first| matches!(first, '"' | '\''));
    let inner = match quote {
        Some(quote) => raw.strip_prefix(quote).map_or(raw, |rest| rest.strip_suffix(quote).unwrap_or(rest)),
        None => raw,
    };
    if quote == Some('\'') {
        return inner.to_owned();
    }
    let mut letters = inner.chars();
    let mut plain = String::with_capacity(inner.len());
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::ecosystem_of;
    use proptest::prelude::*;

    #[test]
    fn the_system_and_its_ecosystem_are_read() {
        let check = |text: &str, id: &str, version: &str, pretty: &str, ecosystem: Option<&str>| {
            let os = parse(text.as_bytes()).unwrap();
            assert_eq!((os.id.as_str(), os.version.as_str(), os.pretty_name.as_str()), (id, version, pretty));
            assert_eq!(ecosystem_of(&os).as_ref().map(|ecosystem| ecosystem.as_str()), ecosystem, "{text}");
        };
        check(
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n",
            "debian",
            "12",
            "Debian GNU/Linux 12 (bookworm)",
            Some("Debian:12"),
        );
        check("ID=debian\nVERSION_ID='8.11'\n", "debian", "8.11", "debian 8.11", Some("Debian:8"));
        // testing and unstable have no VERSION_ID
        check(
            "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\n",
            "debian",
            "",
            "Debian GNU/Linux trixie/sid",
            None,
        );
        check(
            "ID=ubuntu\nVERSION_ID=\"22.04\"\nID_LIKE=debian\n",
            "ubuntu",
            "22.04",
            "ubuntu 22.04",
            Some("Ubuntu:22.04"),
        );
        check("# comment\r\nPRETTY_NAME=\"A \\\"B\\\" \\$C\"\r\n", "linux", "", "A \"B\" $C", None);
    }

    #[test]
    fn a_file_without_assignments_tells_of_no_system() {
        assert_eq!(parse(b"\x00\xffgarbage\n"), None);
        assert_eq!(parse(b""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            parse(&bytes);
        }

        #[test]
        fn any_assignment_is_read_without_a_panic(value in "[\"'\\\\a-zé ]{0,20}") {
            parse(format!("ID={value}").as_bytes());
        }
    }
}
