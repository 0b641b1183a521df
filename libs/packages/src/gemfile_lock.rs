//! Bundler's lock file: `Gemfile.lock`, `gems.locked`. Source: bundler.io, "bundle lock", and Bundler's `lockfile_parser.rb`,
//! read 2026-11-24. Sections begin at the line's start; below `specs:` each gem is indented by four, what it needs by six.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    matches!(file_name(path), "Gemfile.lock" | "gems.locked")
}

/// All gems that the lock file names, for all platforms.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "gem", PackageManager::Bundler);
    let text = match lock.text(bytes) {
        Ok(text) => text,
        Err(unreadable) => return unreadable,
    };
    let mut origin = None;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with(|first: char| !first.is_whitespace()) {
            origin = section(line.trim_end());
        } else if let (Some(origin), Some(gem)) =
            (origin, line.strip_prefix("    ").filter(|gem| !gem.starts_with(' ')))
        {
            let (name, version) = gem.split_once(" (").unwrap_or((gem, ""));
            let version = version.trim_end().trim_end_matches(')');
            // A platform stands behind the version, which has no hyphen of its own: `1.15.0-x86_64-linux`.
            let version = version.split('-').next();
            lock.entry(format_args!("line {}", number + 1), origin, Some(name), version);
        }
    }
    lock.finish()
}

/// Whence the gems of a section come; `None`: it has none.
fn section(name: &str) -> Option<Origin> {
    match name {
        "GEM" => Some(Origin::Registry),
        "GIT" | "PLUGIN SOURCE" => Some(Origin::Elsewhere),
        "PATH" => Some(Origin::Own),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn gems_are_of_the_section_that_they_stand_in() {
        let text = "GIT\n  remote: https://example.com/a.git\n  specs:\n    a (2.0.0.alpha1)\n      rack (~> 2.0)\n\n\
                    PATH\n  remote: .\n  specs:\n    own (0.1)\n\n\
                    GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.0-x86_64-linux)\n      racc (~> 1.4)\n\
                    \x20   rack (2.2.3)\n    broken\n\nPLATFORMS\n    x86_64-linux\n\nBUNDLED WITH\n   2.2.28\n";
        let expected = [
            "nowhere pkg:gem/a@2.0.0.alpha1",
            "pkg:gem/nokogiri@1.15.0",
            "pkg:gem/rack@2.2.3",
            "Gemfile.lock: line 18: `broken` has no version",
        ];
        assert_eq!(told(&parse("Gemfile.lock", text.as_bytes())), expected);
        assert_eq!(told(&parse("Gemfile.lock", text.replace('\n', "\r\n").as_bytes())), expected);
    }
}
