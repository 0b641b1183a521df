//! pip's requirement files. Only a requirement that pins one version tells what is installed; the others are told as set
//! aside. Source: pip.pypa.io, "Requirements File Format", and PEP 508, read 2026-11-24.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;

/// Whether the file is one, by the names that are usual: `requirements.txt`, `requirements-dev.txt`, `dev-requirements.txt`,
/// `requirements/prod.txt`.
pub fn wants(path: &str) -> bool {
    let Some(stem) = file_name(path).strip_suffix(".txt") else { return false };
    let folder = path.rsplit_once('/').map(|(folder, _)| file_name(folder));
    stem.starts_with("requirements") || stem.ends_with("requirements") || folder == Some("requirements")
}

/// The packages that are pinned.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "pypi", PackageManager::Pip);
    let text = match lock.text(bytes) {
        Ok(text) => text,
        Err(unreadable) => return unreadable,
    };
    let mut joined = String::new();
    for (index, line) in text.lines().enumerate() {
        joined.push_str(line);
        if joined.ends_with('\\') {
            joined.pop();
            continue;
        }
        requirement(&mut lock, index + 1, without_comment(&joined));
        joined.clear();
    }
    requirement(&mut lock, text.lines().count(), without_comment(&joined));
    lock.finish()
}

/// A comment begins the line or stands behind white space: `#` is a part of addresses, too.
fn without_comment(line: &str) -> &str {
    let comment =
        line.char_indices().find(|(at, letter)| *letter == '#' && line[..*at].trim_end().len() < (*at).max(1));
    let comment = comment.or_else(|| line.starts_with('#').then_some((0, '#')));
    comment.map_or(line, |(at, _)| &line[..at]).trim()
}

fn requirement(lock: &mut Lock<'_>, line: usize, raw: &str) {
    // Options: other files are read where they lie, and indexes name no packages.
    if raw.is_empty() || raw.starts_with('-') {
        return;
    }
    let place = format!("line {line}");
    let pinned = raw.split(" --").next().unwrap_or(raw); // options of one requirement, such as hashes
    let pinned = pinned.split(';').next().unwrap_or(pinned); // where it applies
    if pinned.contains("://") || pinned.contains(" @ ") {
        return lock.skip(place, format!("an address instead of a version: `{}`", bounded(raw)));
    }
    let Some((name, version)) = pinned.split_once("==") else {
        return lock.skip(place, format!("not pinned to one version: `{}`", bounded(raw)));
    };
    let name = name.split('[').next().unwrap_or(name).trim(); // without its extras
    let version = version.trim_start_matches('=').trim();
    if version.contains([',', '*', '<', '>', '!', '~', '$']) || name.contains(['<', '>', '!', '~', '=', ' ']) {
        return lock.skip(place, format!("not pinned to one version: `{}`", bounded(raw)));
    }
    lock.entry(place, Origin::Registry, Some(name), Some(version));
}

/// Letters of a line that a message repeats.
const LETTERS_MAX: usize = 80;

fn bounded(line: &str) -> String {
    line.chars().take(LETTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn only_a_pinned_requirement_tells_a_version() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(told(&parse("requirements.txt", text.as_bytes())), expected, "{text}");
        };
        check("Django==3.2.1\n", &["pkg:pypi/django@3.2.1"]);
        check("a == 1.0 ; python_version < '3.8' # why\n", &["pkg:pypi/a@1.0"]);
        check("a[x,y]===1.0+local --hash=sha256:00\n", &["pkg:pypi/a@1.0%2Blocal"]);
        check("a==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\nb==2\n", &["pkg:pypi/a@1.0", "pkg:pypi/b@2"]);
        check("# a comment\n\n-r other.txt\n--index-url https://example.com\n  # another\n", &[]);
        check("a==1 \\", &["pkg:pypi/a@1"]); // the file ends where a line goes on
        for loose in ["a", "a>=1.0", "a==1.*", "a==1.0,!=1.1", "a==${VERSION}", "a~=1.0"] {
            check(loose, &[&format!("requirements.txt: line 1: not pinned to one version: `{loose}`")]);
        }
        for address in ["git+https://example.com/a.git#egg=a", "a @ https://example.com/a.whl", "./a.whl==://"] {
            check(address, &[&format!("requirements.txt: line 1: an address instead of a version: `{address}`")]);
        }
    }

    #[test]
    fn requirement_files_have_usual_names() {
        for (path, expected) in [
            ("requirements.txt", true),
            ("srv/requirements-dev.txt", true),
            ("dev-requirements.txt", true),
            ("srv/requirements/prod.txt", true),
            ("srv/requirements/README.md", false),
            ("robots.txt", false),
        ] {
            assert_eq!(wants(path), expected, "{path}");
        }
    }
}
