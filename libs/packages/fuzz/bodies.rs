//! What is run on any bytes, by cargo-fuzz and by `tests/fuzzing.rs`.
#![allow(dead_code)] // a fuzz target runs one of them

/// Cargo.lock files.
pub fn cargo_lock(bytes: &[u8]) {
    muster_packages::cargo_lock::parse("Cargo.lock", bytes);
}

/// CycloneDX documents.
pub fn cyclonedx(bytes: &[u8]) {
    let _ = muster_packages::cyclonedx::read(bytes);
}

/// dpkg status files.
pub fn dpkg(bytes: &[u8]) {
    muster_packages::dpkg::parse("var/lib/dpkg/status", bytes);
}

/// dpkg lists of files.
pub fn dpkg_list(bytes: &[u8]) {
    muster_packages::dpkg_list::parse("var/lib/dpkg/info/x.list", bytes);
}

/// Go programs.
pub fn go_binary(bytes: &[u8]) {
    muster_packages::go_binary::parse("bin/x", bytes);
}

/// package.json files.
pub fn npm(bytes: &[u8]) {
    muster_packages::npm::parse("node_modules/x/package.json", bytes);
}

/// os-release files.
pub fn os_release(bytes: &[u8]) {
    muster_packages::os_release::parse(bytes);
}

/// package-lock.json files.
pub fn package_lock(bytes: &[u8]) {
    muster_packages::package_lock::parse("package-lock.json", bytes);
}

/// Python metadata.
pub fn python(bytes: &[u8]) {
    muster_packages::python::parse("x.dist-info/METADATA", bytes);
}

/// Entries of SSM inventory types.
pub fn ssm(bytes: &[u8]) {
    if let Ok(entries) = serde_json::from_slice::<Vec<muster_packages::ssm::Entry>>(bytes) {
        muster_packages::ssm::inventory(None, &entries, &[]);
        muster_packages::ssm::inventory(None, &[], &entries);
    }
}

/// Paths in images and archives.
pub fn paths(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(path) = muster_packages::normalise(text) {
        assert_eq!(muster_packages::normalise(&path).as_ref(), Ok(&path));
    }
}

/// rpm databases: the first byte chooses the form.
pub fn rpm(bytes: &[u8]) {
    let Some((form, bytes)) = bytes.split_first() else { return };
    let name = ["rpmdb.sqlite", "Packages.db", "Packages"][usize::from(*form) % 3];
    muster_packages::rpm::parse(&format!("var/lib/rpm/{name}"), bytes);
}

/// Names of lock files and other small lists, one per format.
const LISTS: [&str; 21] = [
    "bun.lock",
    "composer.lock",
    "conan.lock",
    "x.deps.json",
    "Gemfile.lock",
    "specifications/x-1.gemspec",
    "go.mod",
    "gradle.lockfile",
    "mix.lock",
    "packages.lock.json",
    "Package.resolved",
    "packages.config",
    "var/lib/pacman/local/x/desc",
    "Pipfile.lock",
    "pnpm-lock.yaml",
    "pubspec.lock",
    "uv.lock",
    "renv.lock",
    "requirements.txt",
    "yarn.lock",
    "lib/apk/db/installed",
];

/// Lock files and other small lists: the first byte chooses the format.
pub fn lists(bytes: &[u8]) {
    let Some((format, bytes)) = bytes.split_first() else { return };
    let name = LISTS[usize::from(*format) % LISTS.len()];
    let cataloguer = muster_packages::CATALOGUERS.iter().find(|cataloguer| (cataloguer.wants)(name));
    (cataloguer.expect("each name is of a format").read)(name, bytes);
}
