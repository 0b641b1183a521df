//! dpkg's lists of files: `/var/lib/dpkg/info/NAME[:ARCH].list` has one absolute path a line, and
//! `status.d/NAME.md5sums` of distroless images has `MD5  PATH`. They tell which OS package owns the proof of a
//! Python or Node package or a Go program, so that the distributor judges it and not the language's feed.

use crate::{Parsed, cataloguers, headers, path};

/// Whether the file is such a list.
pub fn wants(path: &str) -> bool {
    package_of(path).is_some()
}

/// The OS package whose list it is.
fn package_of(path: &str) -> Option<&str> {
    let info = path.strip_prefix("var/lib/dpkg/info/").and_then(|name| name.strip_suffix(".list"));
    let fragment = || path.strip_prefix("var/lib/dpkg/status.d/").and_then(|name| name.strip_suffix(".md5sums"));
    let name = info.or_else(fragment)?.split(':').next()?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Of the files in the list those that prove a language's package; `None`: there are none.
pub fn parse(list: &str, bytes: &[u8]) -> Option<Parsed> {
    let package = package_of(list)?;
    let mut parsed = Parsed::default();
    for path in owned_paths(bytes) {
        parsed.own(path, package);
    }
    (!parsed.owned.is_empty()).then_some(parsed)
}

/// The paths in a list that prove a language's package, relative to the root, sorted.
fn owned_paths(bytes: &[u8]) -> Vec<String> {
    let mut paths: Vec<String> = headers::lines(bytes)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .map(|line| line.split_once("  ").map_or(line, |(_checksum, path)| path))
        .filter_map(|line| path::normalise(line).ok())
        .filter(|path| cataloguers::proves_language_package(path))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn only_proofs_of_language_packages_are_kept() {
        let list = "/.\n/usr\n/usr/lib/python3/dist-packages/six.py\n\
                    /usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO\n\
                    /usr/share/nodejs/npm/node_modules/ms/package.json\n";
        let expected = [
            "usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO",
            "usr/share/nodejs/npm/node_modules/ms/package.json",
        ];
        let expected: BTreeMap<String, String> =
            expected.iter().map(|path| ((*path).to_owned(), "python3-six".to_owned())).collect();
        for name in ["python3-six.list", "python3-six:amd64.list"] {
            let parsed = parse(&format!("var/lib/dpkg/info/{name}"), list.as_bytes()).unwrap();
            assert_eq!(parsed.owned, expected, "{name}");
        }
        assert_eq!(parse("var/lib/dpkg/info/tzdata.list", b"/.\n/usr/share/zoneinfo/UTC\n"), None);
    }

    #[test]
    fn programs_are_owned_too() {
        assert_eq!(owned_paths(b"/.\n/usr\n/usr/bin\n/usr/bin/docker\n/usr/share/doc/docker.io\n"), ["usr/bin/docker"]);
    }

    #[test]
    fn checksums_of_distroless_images_are_lists_too() {
        let sums = b"d41d8cd98f00b204e9800998ecf8427e  usr/lib/python3/dist-packages/a-1.dist-info/METADATA\n";
        assert_eq!(owned_paths(sums), ["usr/lib/python3/dist-packages/a-1.dist-info/METADATA"]);
        assert!(wants("var/lib/dpkg/status.d/python3.md5sums") && !wants("var/lib/dpkg/status.d/python3"));
        assert!(!wants("var/lib/dpkg/info/x.md5sums") && !wants("var/lib/dpkg/info/.list"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            owned_paths(&bytes);
        }
    }
}
