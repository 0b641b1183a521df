//! Installed gems: `specifications/NAME-VERSION.gemspec`, which RubyGems writes with a comment that tells of the gem:
//! `# stub: NAME VERSION PLATFORM PATHS`. Source: RubyGems' `stub_specification.rb`, read 2026-11-24.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;

/// Whether the file is one. Those elsewhere are programs that build gems, not what is installed.
pub fn wants(path: &str) -> bool {
    let Some((folder, file)) = path.rsplit_once('/') else { return false };
    let folder = folder.strip_suffix("/default").unwrap_or(folder); // gems that come with Ruby
    file.ends_with(".gemspec") && file_name(folder) == "specifications"
}

/// The one gem.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "gem", PackageManager::Gemspec);
    let text = match lock.text(bytes) {
        Ok(text) => text,
        Err(unreadable) => return unreadable,
    };
    let mut words = text.lines().find_map(|line| line.strip_prefix("# stub: ")).unwrap_or_default().split(' ');
    let stub = words.next().zip(words.next());
    let Some((name, version)) = stub.or_else(|| of_file_name(path)) else {
        return lock.unreadable("neither its `stub` line nor its name tells a name and a version");
    };
    lock.entry("gem", Origin::Registry, Some(name), Some(version));
    lock.finish()
}

/// Gems that come with Ruby may have no such line; their files are named alike.
fn of_file_name(path: &str) -> Option<(&str, &str)> {
    let (name, version) = file_name(path).strip_suffix(".gemspec")?.rsplit_once('-')?;
    version.starts_with(|first: char| first.is_ascii_digit()).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn a_gem_is_told_by_its_stub_or_its_files_name() {
        let check = |file: &str, text: &str, expected: &str| {
            let path = format!("usr/lib/ruby/gems/3.1.0/specifications/{file}");
            assert!(wants(&path), "{path}");
            assert_eq!(told(&parse(&path, text.as_bytes())), [expected.replace("PATH", &path)], "{text}");
        };
        let stub = "# -*- encoding: utf-8 -*-\n# stub: rack 2.2.4 ruby lib\n\nGem::Specification.new do |s|\n";
        check("rack-2.2.4.gemspec", stub, "pkg:gem/rack@2.2.4");
        check("net-http-0.3.2.gemspec", "Gem::Specification.new\n", "pkg:gem/net-http@0.3.2");
        check("default/rss-0.2.9.gemspec", "", "pkg:gem/rss@0.2.9");
        check("x.gemspec", "", "PATH: neither its `stub` line nor its name tells a name and a version");
        assert!(!wants("srv/rack/rack.gemspec")); // a source
    }
}
