//! The collector: gathers what the interesting files of one root or layer say.

use crate::{FileFacts, LayerFacts, Parsed, cataloguers, go_binary};
use muster_domain::Skipped;

/// How much one root or layer may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Packages of all files together. A layer with a whole distribution and a large `node_modules` has some
    /// ten thousand; each takes about half a kilobyte of memory.
    pub packages_max: usize,
    /// Interesting files.
    pub files_max: usize,
    /// Things skipped that belong to no interesting file, such as refused names.
    pub skipped_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { packages_max: 200_000, files_max: 200_000, skipped_max: 1_000 }
    }
}

/// Gathers facts in any order of files. All paths are as [`crate::normalise`] writes them.
#[derive(Debug)]
pub struct Collector {
    limits: Limits,
    packages: usize,
    facts: LayerFacts,
}

impl Collector {
    /// An empty one.
    pub fn new(limits: Limits) -> Self {
        Self { limits, packages: 0, facts: LayerFacts::default() }
    }

    /// Whether a file at this path says something that matters.
    pub fn wants(&self, path: &str) -> bool {
        cataloguers::wanted(path)
    }

    /// Whether a file at this path may say something when it begins with these bytes. A reader that can look before
    /// it reads need not read every program of a root.
    pub fn wants_beginning(&self, path: &str, first: &[u8]) -> bool {
        !cataloguers::wanted_as_program(path) || go_binary::begins(first)
    }

    /// A regular file: `size` is its size in bytes, and `bytes` are all of it, or fewer when the reader has a limit
    /// below its size; then the file is set aside.
    pub fn file(&mut self, path: &str, size: u64, bytes: &[u8]) {
        self.present(path);
        let Some(cataloguer) = cataloguers::of(path) else { return };
        if (bytes.len() as u64) < size && !cataloguers::is_unread(path) {
            let reason = format!("its {size} bytes are more than the limit for one file");
            return self.put(path, FileFacts::Packages(Parsed::unreadable(path, reason)));
        }
        if let Some(facts) = (cataloguer.read)(path, bytes) {
            self.put(path, facts);
        }
    }

    /// A file that is wanted but could not be read.
    pub fn unreadable(&mut self, path: &str, reason: impl Into<String>) {
        self.present(path);
        self.put(path, FileFacts::Packages(Parsed::unreadable(path, reason)));
    }

    /// A symbolic link with its target as written.
    pub fn link(&mut self, path: &str, target: &str) {
        self.present(path);
        // Links to programs and archives are as common as those, and what they lead to is read where it lies.
        if self.wants(path) && !cataloguers::wanted_as_program(path) && !cataloguers::wanted_as_archive(path) {
            self.put(path, FileFacts::Link(target.to_owned()));
        }
    }

    /// A hard link to an earlier file of the same layer. What the target said is said by the link too.
    pub fn hard_link(&mut self, path: &str, target: &str) {
        self.present(path);
        if !self.wants(path) {
            return;
        }
        match self.facts.files.get(target).cloned() {
            Some(facts) => self.put(path, moved(facts, target, path)),
            None if cataloguers::wanted_as_program(path) => {} // its target is no Go program
            None => {
                let reason = format!("it is a hard link to `{target}`, whose content was not kept");
                self.put(path, FileFacts::Packages(Parsed::unreadable(path, reason)));
            }
        }
    }

    /// Anything but a directory stands at this path, whatever it is: it hides what lower layers have there.
    pub fn present(&mut self, path: &str) {
        self.facts.present.insert(path);
        if let Some(earlier) = self.facts.files.remove(path) {
            self.packages -= package_count(&earlier); // an archive may name a file twice: the last one counts
        }
    }

    /// A folder stands at this path. Where a lower layer may have a file of interest, it is gone with all below it; a
    /// place where any program might lie is no such case, since most folders there were folders before.
    pub fn folder(&mut self, path: &str) {
        if self.wants(path) && !cataloguers::wanted_as_program(path) {
            self.whiteout(path);
        }
    }

    /// The path and all below it are gone from the layers below.
    pub fn whiteout(&mut self, path: &str) {
        self.facts.removed.insert(path.to_owned());
    }

    /// All below this directory is gone from the layers below.
    pub fn opaque(&mut self, path: &str) {
        self.facts.emptied.insert(path.to_owned());
    }

    /// Something that belongs to no interesting file could not be read.
    pub fn skip(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        if self.facts.skipped.len() < self.limits.skipped_max {
            self.facts.skipped.insert(Skipped { place: place.into(), reason: reason.into() });
        } else {
            self.limit(format!("more than {} entries were skipped; the rest is not told", self.limits.skipped_max));
        }
    }

    /// A limit was reached, as a sentence without a stop.
    pub fn limit(&mut self, reason: impl Into<String>) {
        self.facts.limits_reached.insert(reason.into());
    }

    /// What was gathered.
    pub fn finish(self) -> LayerFacts {
        self.facts
    }

    fn put(&mut self, path: &str, facts: FileFacts) {
        let packages = package_count(&facts);
        if self.packages + packages > self.limits.packages_max {
            return self.limit(format!("more than {} packages; the rest was left out", self.limits.packages_max));
        }
        if self.facts.files.len() >= self.limits.files_max {
            return self.limit(format!("more than {} files of interest; the rest was left out", self.limits.files_max));
        }
        self.packages += packages;
        self.facts.files.insert(path.to_owned(), facts);
    }
}

fn package_count(facts: &FileFacts) -> usize {
    match facts {
        FileFacts::Packages(parsed) => parsed.packages.len(),
        _ => 0,
    }
}

/// The same facts, told of another path.
fn moved(facts: FileFacts, from: &str, to: &str) -> FileFacts {
    let FileFacts::Packages(mut parsed) = facts else { return facts };
    for path in parsed.packages.iter_mut().flat_map(|package| &mut package.paths).filter(|path| *path == from) {
        *path = to.to_owned();
    }
    for skipped in &mut parsed.skipped {
        if let Some(rest) = skipped.place.strip_prefix(from) {
            skipped.place = format!("{to}{rest}");
        }
    }
    FileFacts::Packages(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_program_says_nothing_until_it_is_read_as_one() {
        let mut collector = Collector::new(Limits::default());
        collector.file("bin/sh", 10, b"#!/bin/sh\n");
        collector.link("bin/ls", "busybox"); // an image has hundreds of these
        collector.hard_link("bin/gunzip", "bin/gzip");
        collector.folder("app"); // of an upper layer: it may be a folder below, too
        assert!(collector.wants_beginning("bin/sh", b"\x7fELF") && !collector.wants_beginning("bin/sh", b"#!"));
        assert!(collector.wants_beginning("Cargo.lock", b"#"));
        collector.file("bin/large", 1 << 40, &[]);
        let facts = collector.finish();
        assert_eq!(facts.files.keys().collect::<Vec<_>>(), ["bin/large"]); // named, since it may be one
        assert!(facts.removed.is_empty());
    }

    #[test]
    fn a_folder_in_place_of_a_file_of_interest_removes_it() {
        let mut collector = Collector::new(Limits::default());
        collector.folder("srv/Cargo.lock");
        assert!(collector.finish().removed.contains("srv/Cargo.lock"));
    }
}
