//! Real files that other scanners keep as fixtures, counted once by this crate and once by a plain walk of their JSON.
//! They lie in `../shared/data` beside the checkout (or in `MUSTER_SHARED_DATA`); without them the tests say so.

use muster_packages::{CATALOGUERS, FileFacts, Parsed, cyclonedx, dpkg, package_lock, rpm};
use serde_json::Value;
use std::{collections::BTreeSet, env, fs::File, io::Read, path::PathBuf};

/// All files of an archive whose path the filter likes; `None`: the archive is not there.
fn files(archive: &str, is_wanted: fn(&str) -> bool) -> Option<Vec<(String, Vec<u8>)>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = env::var_os("MUSTER_SHARED_DATA").map_or(beside, PathBuf::from).join(archive);
    let Ok(file) = File::open(&path) else {
        println!("skipped: {} is not there", path.display());
        return None;
    };
    let mut decoder = zstd::stream::read::Decoder::new(file).unwrap();
    decoder.window_log_max(27).unwrap();
    let mut tar = tar::Archive::new(decoder);
    let mut files = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        if entry.header().entry_type().is_file() && is_wanted(&path) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.push((path, bytes));
        }
    }
    Some(files)
}

/// `name version` of everything that the lock file has installed, by another way than the parser's.
fn names_in_lock(lock: &Value) -> BTreeSet<String> {
    fn nested(dependencies: &Value, found: &mut BTreeSet<String>) {
        for (name, entry) in dependencies.as_object().into_iter().flatten() {
            let version = entry["version"].as_str().unwrap_or_default();
            let (name, version) =
                version.strip_prefix("npm:").and_then(|alias| alias.rsplit_once('@')).unwrap_or((name, version));
            if !version.is_empty() && !version.contains(':') {
                found.insert(format!("{name} {version}"));
            }
            nested(&entry["dependencies"], found);
        }
    }
    let mut found = BTreeSet::new();
    let Some(packages) = lock["packages"].as_object() else {
        nested(&lock["dependencies"], &mut found);
        return found;
    };
    for (folder, entry) in packages {
        if let (Some(version), false) = (entry["version"].as_str(), entry["link"] == true)
            && let Some((_, folder)) = folder.rsplit_once("node_modules/")
        {
            found.insert(format!("{} {version}", entry["name"].as_str().unwrap_or(folder)));
        }
    }
    found
}

fn names(parsed: &Parsed) -> BTreeSet<String> {
    parsed.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect()
}

#[test]
fn lock_files_give_every_package_that_they_name() {
    let mut total = 0;
    for archive in ["lockfile-fixtures-osv-scalibr.tar.zst", "lockfile-fixtures-osv-scanner.tar.zst"] {
        let Some(files) = files(archive, |path| path.ends_with(".json") && path.contains("package-lock")) else {
            return;
        };
        for (path, bytes) in files {
            let parsed = package_lock::parse(&path, &bytes);
            match serde_json::from_slice::<Value>(&bytes) {
                Ok(lock) => assert_eq!(names(&parsed), names_in_lock(&lock), "{path}"),
                Err(_) => assert!(!parsed.skipped.is_empty(), "{path}"),
            }
            total += parsed.packages.len();
        }
    }
    assert!(total > 100, "{total}");
    println!("{total} packages in lock files");
}

#[test]
fn status_files_are_read_as_other_scanners_read_them() {
    let Some(files) = files("lockfile-fixtures-osv-scalibr.tar.zst", |path| path.contains("/dpkg/testdata/dpkg/"))
    else {
        return;
    };
    let check = |name: &str, packages: usize, skipped: usize| {
        let (_, bytes) = files.iter().find(|(path, _)| path.ends_with(&format!("/dpkg/{name}"))).unwrap();
        let parsed = dpkg::parse("var/lib/dpkg/status", bytes);
        assert_eq!((parsed.packages.len(), parsed.skipped.len()), (packages, skipped), "{name}: {:?}", parsed.skipped);
    };
    check("valid", 7, 0);
    check("single", 1, 0);
    check("empty", 0, 0);
    check("trailingnewlines", 1, 0);
    check("statusfield", 5, 1); // one without a state
    check("noversion", 2, 1);
    check("nopackage", 2, 1);
}

#[test]
fn documents_of_other_tools_are_read() {
    let mut total = 0;
    for archive in ["sbom-cyclonedx-bom-examples.tar.zst", "sbom-trustify.tar.zst"] {
        let Some(files) = files(archive, |path| path.ends_with(".json")) else { return };
        for (path, bytes) in files {
            let Ok(document) = serde_json::from_slice::<Value>(&bytes) else { continue };
            let version = document["specVersion"].as_str().unwrap_or_default();
            if document["bomFormat"] != "CycloneDX" || !["1.2", "1.3", "1.4", "1.5", "1.6"].contains(&version) {
                continue;
            }
            match cyclonedx::read(&bytes) {
                Ok(inventory) => total += inventory.packages.len(),
                Err(error) => {
                    panic!("{path}: {error}: {:?}", std::error::Error::source(&error).map(ToString::to_string))
                }
            }
        }
    }
    assert!(total > 1_000, "{total}");
    println!("{total} packages in CycloneDX documents");
}

/// `rpm -qa --qf '%{NAME}\t%{EPOCH}\t%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{MODULARITYLABEL}\n'` of rpm 4.18 for the
/// sqlite and the Berkeley database; its build for Debian has no ndb, so that one's lines come from a plain walk of its
/// slots in another language. Signing keys are no software and left out.
#[test]
fn rpm_databases_give_what_rpm_lists() {
    let Some(files) = files("rpmdb-fixtures-go-rpmdb.tar.zst", |path| path.contains("testdata/")) else { return };
    for (folder, name, recorded) in [
        ("cbl-mariner-2.0", "rpmdb.sqlite", include_str!("recorded/cbl-mariner-2.0.tsv")),
        ("sle15-bci", "Packages.db", include_str!("recorded/sle15-bci.tsv")),
        ("libuuid", "Packages", include_str!("recorded/libuuid.tsv")),
    ] {
        let place = format!("pkg/testdata/{folder}/{name}");
        let (_, bytes) = files.iter().find(|(path, _)| *path == place).unwrap();
        let parsed = rpm::parse(&format!("var/lib/rpm/{name}"), bytes);
        assert_eq!(parsed.skipped, [], "{folder}");
        let ours: BTreeSet<String> = parsed
            .packages
            .iter()
            .map(|package| {
                let source = package.source.as_ref().map(|source| format!("{}-{}", source.name, source.version));
                let architecture = package.architecture.as_deref().unwrap_or_default();
                format!("{} {} {architecture} {}", package.name, package.version, source.unwrap_or_default())
            })
            .collect();
        let theirs: BTreeSet<String> = recorded.lines().filter_map(installed).collect();
        assert_eq!(ours, theirs, "{folder}");
    }
}

/// A recorded line as this crate tells it: an epoch before the version, also before the source's.
fn installed(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, epoch, version, architecture, source, _module] = fields[..] else { panic!("{line}") };
    let epoch = if ["(none)", "0"].contains(&epoch) { String::new() } else { format!("{epoch}:") };
    let stem = source.trim_end_matches(".rpm").trim_end_matches(".src");
    let (source_name, source_version) = match stem.rsplitn(3, '-').collect::<Vec<_>>()[..] {
        [release, version, name] => (name.to_owned(), format!("{epoch}{version}-{release}")),
        _ => panic!("{line}"),
    };
    (name != "gpg-pubkey").then(|| format!("{name} {epoch}{version} {architecture} {source_name}-{source_version}"))
}

/// Lock files of osv-scalibr's tests, under the names that they have in a project or a root: packages that an ecosystem's
/// advisories judge (of which distribution, a database alone does not tell), other packages, and entries set aside. Counted by
/// reading the files.
#[test]
fn lock_files_of_every_kind_give_the_packages_that_they_name() {
    let Some(files) = files("lockfile-fixtures-osv-scalibr.tar.zst", |path| path.contains("/testdata/")) else {
        return;
    };
    for (file, name, expected) in [
        ("ruby/gemfilelock/testdata/has-git-gem.lock", "Gemfile.lock", [3, 2, 0]),
        ("ruby/gemfilelock/testdata/rails.lock", "Gemfile.lock", [46, 0, 0]),
        ("php/composerlock/testdata/drupal-packages.json", "composer.lock", [4, 0, 0]),
        ("python/poetrylock/testdata/multiple-packages.v2.lock", "poetry.lock", [11, 0, 0]),
        ("python/uvlock/testdata/grouped-packages.lock", "uv.lock", [14, 0, 0]),
        ("python/pdmlock/testdata/git-dependency.toml", "pdm.lock", [0, 1, 0]),
        ("python/pylock/testdata/pdm-full.toml", "pylock.toml", [10, 0, 0]),
        ("python/pipfilelock/testdata/multiple-packages.json", "Pipfile.lock", [5, 0, 0]),
        ("python/requirements/testdata/with_versions.txt", "requirements.txt", [7, 0, 4]),
        ("javascript/yarnlock/testdata/with-aliases.v1.lock", "yarn.lock", [3, 0, 0]),
        ("javascript/yarnlock/testdata/with-quotes.v1.lock", "yarn.lock", [2, 0, 0]),
        ("javascript/yarnlock/testdata/scoped-packages.v2.lock", "yarn.lock", [3, 0, 0]),
        ("javascript/pnpmlock/testdata/commits.v9.yaml", "pnpm-lock.yaml", [0, 2, 0]),
        ("javascript/pnpmlock/testdata/exotic.yaml", "pnpm-lock.yaml", [5, 2, 2]),
        ("javascript/pnpmlock/testdata/peer-dependencies-advanced.v9.yaml", "pnpm-lock.yaml", [13, 0, 0]),
        ("javascript/bunlock/testdata/nested-dependencies.json5", "bun.lock", [9, 0, 0]),
        ("golang/gomod/testdata/replace-mixed.mod", "go.mod", [2, 0, 0]),
        ("java/gradlelockfile/testdata/with-bad-pkg", "gradle.lockfile", [2, 0, 4]),
        ("dart/pubspec/testdata/source-git.lock", "pubspec.lock", [1, 4, 0]),
        ("erlang/mixlock/testdata/many.lock", "mix.lock", [21, 0, 0]),
        ("swift/packageresolved/testdata/valid", "Package.resolved", [3, 0, 0]),
        ("cpp/conanlock/testdata/nested-dependencies.v2.json", "conan.lock", [5, 0, 0]),
        ("r/renvlock/testdata/with-bioconductor.lock", "renv.lock", [1, 1, 0]),
        ("dotnet/depsjson/testdata/valid", "App.deps.json", [2, 0, 0]),
        ("os/apk/testdata/installed", "lib/apk/db/installed", [0, 15, 0]),
        ("os/pacman/testdata/valid", "var/lib/pacman/local/gawk-5.3.1-1/desc", [0, 1, 0]),
        ("dotnet/packagesconfig/testdata/noversion", "packages.config", [1, 0, 1]),
    ] {
        let (_, bytes) = files.iter().find(|(path, _)| path.ends_with(file)).unwrap_or_else(|| panic!("{file}"));
        let cataloguer = CATALOGUERS.iter().find(|cataloguer| (cataloguer.wants)(name)).unwrap();
        let Some(FileFacts::Packages(parsed)) = (cataloguer.read)(name, bytes) else { panic!("{file}") };
        let judged = parsed.packages.iter().filter(|package| package.ecosystem.is_some()).count();
        let told = [judged, parsed.packages.len() - judged, parsed.skipped.len()];
        assert_eq!(told, expected, "{file}: {:?}", parsed.skipped);
    }
}
