//! A Go module's `go.mod`: what it requires, after its replacements. Source: go.dev/ref/mod, "go.mod files", read 2026-11-24.
//! Since Go 1.17 it names all modules of a build, before that only those that are required directly.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;
use std::collections::HashMap;

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    file_name(path) == "go.mod"
}

/// What a module is replaced by: another module and its version, or a folder.
type Replacement<'a> = Option<(&'a str, &'a str)>;

#[derive(Default)]
struct Module<'a> {
    required: Vec<(usize, &'a str, &'a str)>,
    /// By path, and version where only that is replaced.
    replaced: HashMap<(&'a str, Option<&'a str>), Replacement<'a>>,
}

/// The modules that are required.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "golang", PackageManager::GoMod);
    let text = match lock.text(bytes) {
        Ok(text) => text,
        Err(unreadable) => return unreadable,
    };
    let mut module = Module::default();
    let mut block = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        let words: Vec<&str> = line.split_ascii_whitespace().map(|word| word.trim_matches(['"', '`'])).collect();
        match (block, words.as_slice()) {
            (_, []) => {}
            (Some(_), [")"]) => block = None,
            (None, [directive, "("]) => block = Some(*directive),
            (Some(directive), words) => statement(&mut module, &mut lock, index + 1, directive, words),
            (None, [directive, words @ ..]) => statement(&mut module, &mut lock, index + 1, directive, words),
        }
    }
    for (line, name, version) in &module.required {
        let replacement = module.replaced.get(&(*name, Some(*version))).or_else(|| module.replaced.get(&(*name, None)));
        let (origin, name, version) = match replacement {
            None => (Origin::Registry, *name, *version),
            Some(Some((name, version))) => (Origin::Registry, *name, *version),
            Some(None) => (Origin::Own, *name, *version), // a folder beside the module
        };
        lock.entry(format_args!("line {line}"), origin, Some(name), Some(version));
    }
    lock.finish()
}

fn statement<'a>(module: &mut Module<'a>, lock: &mut Lock<'_>, line: usize, directive: &str, words: &[&'a str]) {
    match (directive, words) {
        ("require", [name, version]) => module.required.push((line, name, version)),
        ("replace", [name, "=>", other, version]) => {
            module.replaced.insert((name, None), Some((other, version)));
        }
        ("replace", [name, old, "=>", other, version]) => {
            module.replaced.insert((name, Some(old)), Some((other, version)));
        }
        ("replace", [name, "=>", _folder]) => {
            module.replaced.insert((name, None), None);
        }
        ("replace", [name, old, "=>", _folder]) => {
            module.replaced.insert((name, Some(old)), None);
        }
        ("require" | "replace", _) => lock.skip(format_args!("line {line}"), format!("not a `{directive}`")),
        ("module" | "go" | "toolchain" | "exclude" | "retract" | "godebug" | "tool" | "ignore", _) => {}
        _ => lock.skip(format_args!("line {line}"), "unknown directive"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(told(&parse("go.mod", text.as_bytes())), expected, "{text}");
    }

    #[test]
    fn requirements_stand_alone_or_in_blocks() {
        let text = "module example.com/x\n\ngo 1.21\n\nrequire golang.org/x/net v0.17.0\n\nrequire (\n\
                    \tgolang.org/x/text v0.13.0 // indirect\n\tgopkg.in/yaml.v3 v3.0.1\n)\n\nexclude a/b v1.0.0\nwhat\n";
        check(
            text,
            &[
                "pkg:golang/golang.org/x/net@v0.17.0",
                "pkg:golang/golang.org/x/text@v0.13.0",
                "pkg:golang/gopkg.in/yaml.v3@v3.0.1",
                "go.mod: line 13: unknown directive",
            ],
        );
        check("require a/b\n", &["go.mod: line 1: not a `require`"]);
    }

    #[test]
    fn a_replacement_counts_instead() {
        let with = |replace: &str| format!("require (\n\ta/b v1.0.0\n\ta/c v1.0.0\n)\n{replace}\n");
        check(&with("replace a/b => fork/b v1.0.1"), &["pkg:golang/fork/b@v1.0.1", "pkg:golang/a/c@v1.0.0"]);
        check(
            &with("replace (\n\ta/b v1.0.0 => fork/b v1.0.1\n)"),
            &["pkg:golang/fork/b@v1.0.1", "pkg:golang/a/c@v1.0.0"],
        );
        check(&with("replace a/b v0.9.0 => fork/b v1.0.1"), &["pkg:golang/a/b@v1.0.0", "pkg:golang/a/c@v1.0.0"]);
        check(&with("replace a/b => ../b"), &["pkg:golang/a/c@v1.0.0"]);
    }
}
