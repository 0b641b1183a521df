//! Paths inside a root: relative, with `/` between the parts, without `.` and `..`.

/// A name that would lead out of the root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedPath {
    /// It has a part `..`.
    #[error("its name leads upwards (`..`)")]
    Upwards,
    /// It has a NUL byte, which no file system can hold.
    #[error("its name holds a NUL byte")]
    Nul,
}

/// The path of an archive's entry below the root: `./usr//lib/x`, `/usr/lib/x` and `usr/lib/x` are one, as they are
/// for container runtimes. Empty for the root itself.
pub fn normalise(raw: &str) -> Result<String, RefusedPath> {
    if raw.contains('\0') {
        return Err(RefusedPath::Nul);
    }
    let mut path = String::with_capacity(raw.len());
    for part in raw.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(RefusedPath::Upwards),
            _ => {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(part);
            }
        }
    }
    Ok(path)
}

/// Where a symbolic link at `path` leads, inside the root: an absolute target starts at the root, and `..` at the
/// root stays there (as in a chroot).
pub(crate) fn resolve_link(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { path.split('/').collect() };
    parts.pop(); // the link's own name; nothing to pop from an absolute target
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// `a/b/c` gives `a/b/c`, `a/b`, `a`.
pub(crate) fn with_ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rfind('/').map(|slash| &path[..slash]))
}

/// The last part.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_one_path_however_it_is_written() {
        let check = |raw: &str, expected: Result<&str, RefusedPath>| {
            assert_eq!(normalise(raw), expected.map(str::to_owned), "{raw:?}");
        };
        check("./usr/lib/os-release", Ok("usr/lib/os-release")); // GNU tar of `.`
        check("/usr/lib/os-release", Ok("usr/lib/os-release")); // kaniko writes absolute names
        check("usr//lib/./x/", Ok("usr/lib/x"));
        check("./", Ok(""));
        check("../etc/passwd", Err(RefusedPath::Upwards));
        check("a/../../b", Err(RefusedPath::Upwards));
        check("a/..b", Ok("a/..b"));
        check("a\0b", Err(RefusedPath::Nul));
    }

    #[test]
    fn a_link_leads_to_a_path_of_the_same_root() {
        let check = |path: &str, target: &str, expected: &str| assert_eq!(resolve_link(path, target), expected);
        check("etc/os-release", "../usr/lib/os-release", "usr/lib/os-release");
        check("etc/os-release", "/usr/lib/os-release", "usr/lib/os-release");
        check("etc/os-release", "os-release.real", "etc/os-release.real");
        check("etc/os-release", "../../../../x", "x");
    }
}
