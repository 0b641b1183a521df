//! npm's lock files: `package-lock.json` and `npm-shrinkwrap.json`, versions 1, 2 and 3.
//! Source: docs.npmjs.com, "package-lock.json", read 2026-11-24.
//!
//! Packages are taken while the JSON streams by, so that a file of nothing but tiny entries costs no more memory than
//! the packages that are kept, and a bad entry costs only itself.

use crate::{Parsed, npm, path::file_name};
use muster_domain::PackageManager;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Whether the file is one. Those inside `node_modules` tell of what their authors had installed, not of what is here;
/// that includes npm's own `node_modules/.package-lock.json`.
pub fn wants(path: &str) -> bool {
    matches!(file_name(path), "package-lock.json" | "npm-shrinkwrap.json")
        && !path.split('/').any(|part| part == "node_modules")
}

/// All packages that the lock file names: those of development and those for other platforms too.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lock = Lock { path, packages: None, dependencies: None, is_lock: false };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let outcome = Object(|key: &str, value: &mut dyn Value| lock.section(key, value))
        .deserialize(&mut json)
        .and_then(|is_object| json.end().map(|()| is_object));
    // Version 2 tells everything twice: `packages` is the one that npm reads.
    let is_lock = lock.is_lock;
    let mut parsed = lock.packages.or(lock.dependencies).unwrap_or_default();
    match outcome {
        Err(error) => parsed.skip(path, format!("not JSON: {error}")),
        Ok(is_object) if !is_object || !is_lock => parsed.skip(path, "not a package-lock.json"),
        Ok(_) => {}
    }
    parsed
}

struct Lock<'a> {
    path: &'a str,
    /// From version 2 on.
    packages: Option<Parsed>,
    /// Up to version 2.
    dependencies: Option<Parsed>,
    is_lock: bool,
}

impl Lock<'_> {
    fn section(&mut self, key: &str, value: &mut dyn Value) {
        let path = self.path;
        match key {
            "lockfileVersion" => self.is_lock = true,
            "packages" => {
                self.is_lock = true;
                let parsed = self.packages.insert(Parsed::default());
                value.object(&mut |key, value| installed(parsed, path, key, value));
            }
            "dependencies" => {
                self.is_lock = true;
                let parsed = self.dependencies.insert(Parsed::default());
                value.object(&mut |key, value| dependency(parsed, path, key, value));
            }
            _ => {}
        }
    }
}

/// An entry of `packages` (versions 2 and 3): its key is the folder in which it is installed.
fn installed(parsed: &mut Parsed, path: &str, folder: &str, value: &mut dyn Value) {
    let (mut name, mut version, mut is_link) = (None, None, false);
    let Some(is_object) = value.object(&mut |key, value| match key {
        "name" => name = value.text(),
        "version" => version = value.text(),
        "link" => is_link = value.is_true(),
        _ => {}
    }) else {
        return;
    };
    // The project itself, its workspaces, and links to them are the project's own code.
    let Some((_, folder_name)) = folder.rsplit_once("node_modules/") else { return };
    if is_link {
        return;
    }
    let place = || format!("{path}: packages[{folder:?}]");
    let name = name.unwrap_or_else(|| folder_name.to_owned()); // stated when it was installed under another name
    match version.filter(|version| !version.is_empty()) {
        _ if !is_object => parsed.skip(place(), "not an object"),
        _ if !npm::is_name(&name) => parsed.skip(place(), "no name"),
        None => parsed.skip(place(), "no `version`"),
        Some(version) => parsed.add(npm::package(name, version, PackageManager::Npm, path)),
    }
}

/// An entry of `dependencies` (versions 1 and 2): its key is its name, and it may have `dependencies` of its own.
fn dependency(parsed: &mut Parsed, path: &str, name: &str, value: &mut dyn Value) {
    let mut version = None;
    let Some(is_object) = value.object(&mut |key, value| match key {
        "version" => version = value.text(),
        "dependencies" => {
            value.object(&mut |key, value| dependency(parsed, path, key, value));
        }
        _ => {}
    }) else {
        return;
    };
    let place = || format!("{path}: dependencies[{name:?}]");
    let Some(version) = version.filter(|version| !version.is_empty()) else {
        let reason = if is_object { "no `version`" } else { "not an object" };
        return parsed.skip(place(), reason);
    };
    let (name, version) = match version.strip_prefix("npm:").and_then(|alias| alias.rsplit_once('@')) {
        Some((name, version)) => (name, version), // installed under another name
        None => (name, version.as_str()),
    };
    if version.starts_with("file:") {
        return; // the project's own code
    }
    if version.contains(':') {
        return parsed.skip(place(), format!("its version is an address: `{version}`"));
    }
    if !npm::is_name(name) {
        return parsed.skip(place(), "no name");
    }
    parsed.add(npm::package(name.to_owned(), version.to_owned(), PackageManager::Npm, path));
}

/// A JSON value that is about to be read. Whoever does not read it, or expects another kind, passes over it.
trait Value {
    /// Each member of an object. `false`: it is none; `None`: the JSON breaks off inside.
    fn object(&mut self, member: &mut dyn FnMut(&str, &mut dyn Value)) -> Option<bool>;
    /// A string.
    fn text(&mut self) -> Option<String>;
    /// Whether it is `true`.
    fn is_true(&mut self) -> bool;
}

/// The value behind a key, not read yet. An error of the JSON itself is kept, and ends the reading.
struct Pending<'a, 'de, A: MapAccess<'de>> {
    access: &'a mut A,
    outcome: Option<Result<(), A::Error>>,
    lifetime: std::marker::PhantomData<&'de ()>,
}

impl<'de, A: MapAccess<'de>> Pending<'_, 'de, A> {
    fn read<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Option<S::Value> {
        match self.access.next_value_seed(seed) {
            Ok(value) => {
                self.outcome = Some(Ok(()));
                Some(value)
            }
            Err(error) => {
                self.outcome = Some(Err(error));
                None
            }
        }
    }
}

impl<'de, A: MapAccess<'de>> Value for Pending<'_, 'de, A> {
    fn object(&mut self, member: &mut dyn FnMut(&str, &mut dyn Value)) -> Option<bool> {
        self.read(Object(member))
    }

    fn text(&mut self) -> Option<String> {
        self.read(Scalar).and_then(|scalar| if let ScalarValue::Text(text) = scalar { Some(text) } else { None })
    }

    fn is_true(&mut self) -> bool {
        matches!(self.read(Scalar), Some(ScalarValue::True))
    }
}

/// Calls for each member of an object; gives whether there was one.
struct Object<F>(F);

impl<'de, F: FnMut(&str, &mut dyn Value)> DeserializeSeed<'de> for Object<F> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&str, &mut dyn Value)> Visitor<'de> for Object<F> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<bool, A::Error> {
        while let Some(key) = access.next_key::<String>()? {
            let mut pending = Pending { access: &mut access, outcome: None, lifetime: std::marker::PhantomData };
            (self.0)(&key, &mut pending);
            match pending.outcome {
                Some(outcome) => outcome?,
                None => {
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<bool, A::Error> {
        IgnoredAny.visit_seq(access).map(|_| false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

enum ScalarValue {
    Text(String),
    True,
    Other,
}

/// A string or `true`; anything else is passed over.
struct Scalar;

impl<'de> DeserializeSeed<'de> for Scalar {
    type Value = ScalarValue;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ScalarValue, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalar {
    type Value = ScalarValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or a truth value")
    }

    fn visit_str<E>(self, text: &str) -> Result<ScalarValue, E> {
        Ok(ScalarValue::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<ScalarValue, E> {
        Ok(if value { ScalarValue::True } else { ScalarValue::Other })
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<ScalarValue, A::Error> {
        IgnoredAny.visit_map(access).map(|_| ScalarValue::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<ScalarValue, A::Error> {
        IgnoredAny.visit_seq(access).map(|_| ScalarValue::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<ScalarValue, E> {
        Ok(ScalarValue::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<ScalarValue, E> {
        Ok(ScalarValue::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<ScalarValue, E> {
        Ok(ScalarValue::Other)
    }

    fn visit_unit<E>(self) -> Result<ScalarValue, E> {
        Ok(ScalarValue::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, packages: &[&str], skipped: &[&str]) {
        let parsed = parse("package-lock.json", text.as_bytes());
        let told: Vec<String> =
            parsed.packages.iter().map(|package| format!("{}@{}", package.name, package.version)).collect();
        assert_eq!(told, packages, "{text}");
        let told: Vec<String> =
            parsed.skipped.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason)).collect();
        assert_eq!(told.len(), skipped.len(), "{told:?}");
        for (told, expected) in told.iter().zip(skipped) {
            assert!(told.starts_with(expected), "{told} begins not with {expected}");
        }
    }

    #[test]
    fn version_1_nests_its_dependencies() {
        let nested = r#"{"lockfileVersion":1,"dependencies":{
            "a":{"version":"1.0.0","requires":{"b":"^1.0.0"},"dependencies":{"b":{"version":"1.5.0","dev":true}}},
            "b":{"version":"2.0.0","optional":true}}}"#;
        check(nested, &["b@1.5.0", "a@1.0.0", "b@2.0.0"], &[]);
        let alias = r#"{"lockfileVersion":1,"dependencies":{"sw":{"version":"npm:string-width@4.2.3"},
            "s":{"version":"npm:@s/x@1.0.0"}}}"#;
        check(alias, &["string-width@4.2.3", "@s/x@1.0.0"], &[]);
        let addresses = r#"{"dependencies":{"own":{"version":"file:../own"},
            "git":{"version":"git+ssh://git@github.com/a/b.git#0123"}}}"#;
        check(addresses, &[], &["package-lock.json: dependencies[\"git\"]: its version is an address"]);
    }

    #[test]
    fn versions_2_and_3_name_the_folders() {
        let text = r#"{"lockfileVersion":2,"packages":{
            "":{"name":"app","version":"1.0.0"},
            "packages/own":{"name":"own","version":"1.0.0"},
            "node_modules/own":{"resolved":"packages/own","link":true},
            "node_modules/@babel/core":{"version":"7.0.0","dev":true},
            "node_modules/a/node_modules/b":{"version":"1.0.0"},
            "node_modules/sw":{"name":"string-width","version":"4.2.3"}},
            "dependencies":{"b":{"version":"9.9.9"}}}"#;
        check(text, &["@babel/core@7.0.0", "b@1.0.0", "string-width@4.2.3"], &[]);
    }

    #[test]
    fn a_bad_entry_costs_only_itself() {
        let text = r#"{"packages":{"node_modules/a":[1],"node_modules/b":{"version":{"x":1}},
            "node_modules/c":{"version":"1.0.0","name":7,"link":null},"node_modules/":{"version":"1"}}}"#;
        check(
            text,
            &["c@1.0.0"],
            &[
                "package-lock.json: packages[\"node_modules/a\"]: not an object",
                "package-lock.json: packages[\"node_modules/b\"]: no `version`",
                "package-lock.json: packages[\"node_modules/\"]: no name",
            ],
        );
        check(r#"{"packages":{"node_modules/a":{"version":"1.0.0"},"#, &["a@1.0.0"], &["package-lock.json: not JSON"]);
        check("[]", &[], &["package-lock.json: not a package-lock.json"]);
        check("{}", &[], &["package-lock.json: not a package-lock.json"]);
        check(&"{\"dependencies\":".repeat(100_000), &[], &["package-lock.json: not JSON: recursion limit"]);
    }

    #[test]
    fn lock_files_of_installed_packages_do_not_count() {
        assert!(wants("package-lock.json") && wants("srv/app/npm-shrinkwrap.json"));
        for path in ["node_modules/.package-lock.json", "node_modules/a/package-lock.json", "x-package-lock.json"] {
            assert!(!wants(path), "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            parse("package-lock.json", &bytes);
        }

        #[test]
        fn any_entry_is_read_without_a_panic(key in "[@/a-z_:]{0,30}", version in "[@/a-z:0-9.]{0,30}") {
            for section in ["packages", "dependencies"] {
                parse("package-lock.json", format!(r#"{{"{section}":{{"{key}":{{"version":"{version}"}}}}}}"#).as_bytes());
            }
        }
    }
}
