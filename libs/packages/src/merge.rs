//! Merging: layers laid over each other, bottom to top, give one root and its inventory.

use crate::{FileFacts, LayerFacts, apk, cataloguers, databases, dpkg, jar, os_release, pacman, path, rpm};
use muster_domain::{Digest, Ecosystem, Gap, Inventory, OperatingSystem, Package, PackageManager, Skipped};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where a layer comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LayerOrigin {
    /// A whole root: a folder, a disk, an archive.
    Root,
    /// A layer of an image, by the digest in its manifest.
    Image(Digest),
    /// A Lambda layer version, by its ARN.
    LambdaLayer(String),
    /// A Lambda function's own code.
    LambdaCode,
}

/// Symbolic links followed from one to the next, as many as Linux follows (path_resolution(7)).
const LINKS_MAX: usize = 40;

/// One inventory out of layers, bottom to top: an upper layer's files replace those below, its whiteouts remove them.
/// A Lambda function's code hides nothing of its layers: they lie in `/opt`, the code in `/var/task`.
pub fn merge(layers: &[(LayerOrigin, LayerFacts)]) -> Inventory {
    let (code, others): (Vec<&Layer>, Vec<&Layer>) =
        layers.iter().partition(|(origin, _)| *origin == LayerOrigin::LambdaCode);
    let (code, others) = (merge_root(&code), merge_root(&others));
    let inventory = Inventory::new(
        others.os.or(code.os),
        [others.packages, code.packages].concat(),
        [others.skipped, code.skipped].concat(),
        [others.limits_reached, code.limits_reached].concat(),
    );
    Inventory { gaps: [others.gaps, code.gaps].concat(), ..inventory }
}

type Layer = (LayerOrigin, LayerFacts);

fn merge_root(layers: &[&Layer]) -> Inventory {
    let root = Root::lay(layers);
    let os = root.operating_system();
    let owners = root.owners();
    let mut packages = Vec::new();
    let mut skipped: Vec<Skipped> = layers.iter().flat_map(|(_, facts)| facts.skipped.iter().cloned()).collect();
    let mut limits: Vec<String> = layers.iter().flat_map(|(_, facts)| facts.limits_reached.iter().cloned()).collect();
    for (path, placed) in &root.files {
        match placed.facts {
            FileFacts::Packages(parsed) => {
                for package in &parsed.packages {
                    packages.push(finished(package, root.origin_of(package, placed), os.as_ref(), &owners));
                }
                skipped.extend(parsed.skipped.iter().cloned());
                if parsed.untold > 0 {
                    limits.push(format!("`{path}`: {} more records were left out", parsed.untold));
                }
            }
            FileFacts::Link(target) => {
                if !root.files.contains_key(path::resolve_link(path, target).as_str()) && !os_release::wants(path) {
                    let reason = format!("it is a symbolic link to `{target}`, where nothing is read");
                    skipped.push(Skipped { place: (*path).to_owned(), reason });
                }
            }
            FileFacts::OperatingSystem(_) | FileFacts::Unread => {}
        }
    }
    let gaps = root.gaps(os.as_ref());
    Inventory { gaps, ..Inventory::new(os, joined(packages), skipped, limits) }
}

/// A file of the merged root.
struct Placed<'a> {
    facts: &'a FileFacts,
    origin: &'a LayerOrigin,
    /// For OS package databases, which every layer that installs one package writes anew as a whole:
    /// the lowest layer since which exactly this package and version has been there.
    since: HashMap<PackageKey<'a>, &'a LayerOrigin>,
}

/// Name, version, architecture.
type PackageKey<'a> = (&'a str, &'a str, Option<&'a str>);

fn key(package: &Package) -> PackageKey<'_> {
    (&package.name, &package.version, package.architecture.as_deref())
}

/// The merged root.
struct Root<'a> {
    files: BTreeMap<&'a str, Placed<'a>>,
}

impl<'a> Root<'a> {
    fn lay(layers: &[&'a Layer]) -> Self {
        let mut files: BTreeMap<&'a str, Placed<'a>> = BTreeMap::new();
        for (origin, layer) in layers {
            // Databases that this layer replaces, for the packages that they share with their successors.
            let replaced: BTreeMap<&str, Placed<'a>> = layer
                .files
                .keys()
                .filter(|path| cataloguers::is_os_database(path))
                .filter_map(|path| Some((path.as_str(), files.remove(path.as_str())?)))
                .collect();
            files.retain(|path, _| !layer.hides(path));
            for (path, facts) in &layer.files {
                let since = match facts {
                    FileFacts::Packages(parsed) if cataloguers::is_os_database(path) => {
                        let earlier = replaced.get(path.as_str()).map(|placed| &placed.since);
                        let first = |package| earlier.and_then(|since| since.get(&key(package)).copied());
                        parsed.packages.iter().map(|package| (key(package), first(package).unwrap_or(origin))).collect()
                    }
                    _ => HashMap::new(),
                };
                files.insert(path, Placed { facts, origin, since });
            }
        }
        let has_below = |folder: &str| files.range(folder..).next().is_some_and(|(path, _)| path.starts_with(folder));
        let says_nothing = |path: &&str| {
            rpm::is_left_behind(path, |newer| files.contains_key(newer)) || jar::is_unneeded(path, has_below)
        };
        for path in files.keys().copied().filter(says_nothing).collect::<Vec<_>>() {
            files.remove(path);
        }
        Self { files }
    }

    /// `/etc/os-release` before `/usr/lib/os-release`, as os-release(5) says; links are followed.
    fn operating_system(&self) -> Option<OperatingSystem> {
        os_release::PATHS.iter().find_map(|path| {
            let mut path = (*path).to_owned();
            for _ in 0..LINKS_MAX {
                match self.files.get(path.as_str())?.facts {
                    FileFacts::OperatingSystem(os) => return Some(os.clone()),
                    FileFacts::Link(target) => path = path::resolve_link(&path, target),
                    _ => return None,
                }
            }
            None
        })
    }

    /// Packages of the operating system that nothing lists.
    fn gaps(&self, os: Option<&OperatingSystem>) -> Vec<Gap> {
        let is_unread = |path: &&&str| matches!(self.files[**path].facts, FileFacts::Unread);
        let databases = || self.files.keys().filter(|path| databases::holds(path));
        let read = databases().filter(|path| !is_unread(path));
        databases::gaps(read.copied(), databases().filter(is_unread).copied(), os)
    }

    /// Which OS package owns which proof of a language's package.
    fn owners(&self) -> HashMap<&'a str, &'a str> {
        let mut owners = HashMap::new();
        for placed in self.files.values() {
            if let FileFacts::Packages(parsed) = placed.facts {
                owners.extend(parsed.owned.iter().map(|(path, package)| (path.as_str(), package.as_str())));
            }
        }
        owners
    }

    fn origin_of(&self, package: &Package, placed: &Placed<'a>) -> &'a LayerOrigin {
        placed.since.get(&key(package)).copied().unwrap_or(placed.origin)
    }
}

/// The package with what only the whole root can tell.
fn finished(
    package: &Package,
    origin: &LayerOrigin,
    os: Option<&OperatingSystem>,
    owners: &HashMap<&str, &str>,
) -> Package {
    let mut package = package.clone();
    match origin {
        LayerOrigin::Image(digest) => package.layer = Some(digest.clone()),
        LayerOrigin::LambdaLayer(arn) => package.lambda_layer = Some(arn.clone()),
        LayerOrigin::Root | LayerOrigin::LambdaCode => {}
    }
    if package.manager == PackageManager::Os {
        of_system(&mut package, os);
    } else {
        // What lies in an archive is owned with it.
        let mut proofs = package.paths.iter().flat_map(|path| path::with_ancestors(path));
        package.owned_by = proofs.find_map(|path| owners.get(path)).map(|&owner| owner.to_owned());
    }
    package
}

/// What only the operating system tells of its package.
pub(crate) fn of_system(package: &mut Package, os: Option<&OperatingSystem>) {
    match package.purl.split('/').next() {
        Some("pkg:deb") => dpkg::of_system(package, os),
        Some("pkg:rpm") => rpm::of_system(package, os),
        Some("pkg:apk") => apk::of_system(package, os),
        Some("pkg:alpm") => pacman::of_system(package, os),
        _ => {}
    }
}

/// One package for all that differ in nothing but the files that prove them.
fn joined(packages: Vec<Package>) -> Vec<Package> {
    let mut by_identity: BTreeMap<Package, BTreeSet<String>> = BTreeMap::new();
    for mut package in packages {
        let paths = std::mem::take(&mut package.paths);
        by_identity.entry(package).or_default().extend(paths);
    }
    by_identity.into_iter().map(|(package, paths)| Package { paths: paths.into_iter().collect(), ..package }).collect()
}

/// The ecosystem of an operating system's own packages; `None`: none that we know.
pub(crate) fn ecosystem_of(os: &OperatingSystem) -> Option<Ecosystem> {
    Ecosystem::of_system(&os.id, &os.version)
}

#[cfg(test)]
mod tests;
