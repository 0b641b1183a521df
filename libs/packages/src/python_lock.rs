//! Python's lock files in TOML: `poetry.lock`, `uv.lock`, `pdm.lock` and `pylock.toml` (PEP 751). Each names packages in a
//! list of tables, with one key that tells where a package comes from when that is not an index.
//! Source: python-poetry.org, docs.astral.sh/uv, pdm-project.org and packaging.python.org, read 2026-11-24.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;
use toml::{Table, Value};

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    let name = file_name(path);
    matches!(name, "poetry.lock" | "uv.lock" | "pdm.lock") || is_pylock(name)
}

/// `pylock.toml`, and `pylock.NAME.toml` of a project with several.
fn is_pylock(name: &str) -> bool {
    name.starts_with("pylock.") && name.ends_with(".toml")
}

/// All packages that the lock file names, for all platforms and groups.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let manager = if file_name(path) == "poetry.lock" { PackageManager::Poetry } else { PackageManager::Pip };
    let mut lock = Lock::new(path, "pypi", manager);
    let table = match lock.toml(bytes) {
        Ok(table) => table,
        Err(unreadable) => return unreadable,
    };
    let list = if is_pylock(file_name(path)) { "packages" } else { "package" };
    match table.get(list) {
        Some(Value::Array(packages)) => {
            for (index, package) in packages.iter().enumerate() {
                let Some(package) = package.as_table() else {
                    lock.skip(format_args!("{list}[{index}]"), "not a table");
                    continue;
                };
                let text = |key| package.get(key).and_then(Value::as_str);
                lock.entry(format_args!("{list}[{index}]"), origin(package), text("name"), text("version"));
            }
        }
        Some(_) => lock.skip(list, "not a list"),
        None => {} // nothing is locked
    }
    lock.finish()
}

/// Folders are parts of the project.
const OWN: [&str; 4] = ["directory", "editable", "virtual", "path"];

/// Anything else that is no index.
const ELSEWHERE: [&str; 5] = ["git", "url", "vcs", "archive", "file"];

fn origin(package: &Table) -> Origin {
    let source = package.get("source").and_then(Value::as_table);
    // Poetry's `source` names its kind; uv's has it as a key, PDM's and PEP 751's packages have it themselves.
    let kind = source.and_then(|source| source.get("type")).and_then(Value::as_str);
    let is = |key: &&str| kind == Some(*key) || source.unwrap_or(package).contains_key(*key);
    if kind.is_none() && source.is_some_and(|source| source.contains_key("registry")) {
        return Origin::Registry;
    }
    match (OWN.iter().any(&is), ELSEWHERE.iter().any(is)) {
        (true, _) => Origin::Own,
        (_, true) if kind != Some("legacy") => Origin::Elsewhere, // Poetry's word for an index
        _ => Origin::Registry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    fn check(path: &str, text: &str, expected: &[&str]) {
        assert_eq!(told(&parse(path, text.as_bytes())), expected, "{text}");
    }

    #[test]
    fn packages_of_an_index_are_judged_and_the_projects_own_are_left_out() {
        let named = |name: &str, rest: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0\"\n{rest}\n");
        let indexed = ["pkg:pypi/a@1.0"];
        let elsewhere = ["nowhere pkg:pypi/a@1.0"];
        check("poetry.lock", &named("a", ""), &indexed);
        let poetry =
            |kind: &str| named("a", &format!("[package.source]\ntype = \"{kind}\"\nurl = \"https://example.com\""));
        check("poetry.lock", &poetry("legacy"), &indexed);
        check("poetry.lock", &poetry("git"), &elsewhere);
        check("poetry.lock", &poetry("directory"), &[]);
        check("uv.lock", &named("a", "source = { registry = \"https://pypi.org/simple\" }"), &indexed);
        check("uv.lock", &named("a", "source = { git = \"https://example.com/a#84748be\" }"), &elsewhere);
        check("uv.lock", &named("a", "source = { virtual = \".\" }"), &[]);
        check("pdm.lock", &named("a", "git = \"https://example.com/a\"\nrevision = \"84748be\""), &elsewhere);
        check("pdm.lock", &named("a", "path = \"./a\""), &[]);
        let pylock = named("a", "index = \"https://pypi.org/simple\"").replace("package", "packages");
        check("pylock.toml", &pylock, &indexed);
        check("pylock.dev.toml", "[[packages]]\nname = \"a\"\ndirectory = { path = \".\", editable = true }\n", &[]);
    }

    #[test]
    fn a_bad_entry_is_told_and_the_others_are_read() {
        let text = "package = [1, {name = \"a\"}, {version = \"1\"}, {name = \"b\", version = \"1\"}]\n";
        check(
            "uv.lock",
            text,
            &[
                "pkg:pypi/b@1",
                "uv.lock: package[0]: not a table",
                "uv.lock: package[1]: `a` has no version",
                "uv.lock: package[2]: no name",
            ],
        );
        check("uv.lock", "version = 1\n", &[]);
        check("uv.lock", "package = 1\n", &["uv.lock: package: not a list"]);
    }
}
