//! Mix's lock file of Elixir and Erlang projects, `mix.lock`: one term a line, `"KEY": {:hex, :NAME, "VERSION", …}`.
//! Source: hexdocs.pm/mix, "mix deps", and Hex' `scm.ex`, read 2026-11-24.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    file_name(path) == "mix.lock"
}

/// All packages that the lock file names.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "hex", PackageManager::Generic);
    let text = match lock.text(bytes) {
        Ok(text) => text,
        Err(unreadable) => return unreadable,
    };
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if matches!(line, "" | "%{" | "}" | "%{}") {
            continue;
        }
        let place = format_args!("line {}", index + 1).to_string();
        match term(line) {
            Some(Term { kind: "hex", name, version, .. }) => {
                lock.entry(place, Origin::Registry, Some(name), Some(version));
            }
            Some(Term { kind: "git", key, commit, .. }) => {
                lock.entry(place, Origin::Elsewhere, Some(key), Some(commit))
            }
            _ => lock.skip(place, "not `\"KEY\": {:hex, …}` or `{:git, …}`"),
        }
    }
    lock.finish()
}

struct Term<'a> {
    key: &'a str,
    kind: &'a str,
    /// Of Hex: the second part is the name, the third the version.
    name: &'a str,
    version: &'a str,
    /// Of git: the second part is the address, the third the commit.
    commit: &'a str,
}

fn term(line: &str) -> Option<Term<'_>> {
    let (key, tuple) = line.split_once("{:")?;
    let key = key.trim().trim_end_matches("=>").trim_end().trim_end_matches(':').trim_matches('"');
    let mut parts = tuple.splitn(4, ',').map(|part| part.trim().trim_end_matches('}').trim_matches('"'));
    let (kind, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    let name = second.trim_start_matches(':').trim_matches('"');
    Some(Term { key, kind, name, version: third, commit: third })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn each_line_is_a_package() {
        let text = "%{\n  \"plug\": {:hex, :plug, \"1.11.1\", \"f2992b\", [:mix], [{:mime, \"~> 1.0\", [hex: :mime]}], \"hexpm\", \"23524e\"},\n\
                    \x20 \"renamed\": {:hex, :phoenix_html, \"3.0.0\", \"00\"},\n\
                    \x20 \"foe\": {:git, \"https://example.com/foe.git\", \"a9574ab\", []},\n  what\n}\n";
        assert_eq!(
            told(&parse("mix.lock", text.as_bytes())),
            [
                "pkg:hex/plug@1.11.1",
                "pkg:hex/phoenix_html@3.0.0",
                "nowhere pkg:hex/foe@a9574ab",
                "mix.lock: line 5: not `\"KEY\": {:hex, …}` or `{:git, …}`",
            ]
        );
    }
}
