//! Folders: a root as it lies on a disk. Symbolic links are told, never followed, so nothing outside is read.

use crate::{
    ArtifactError, Limits,
    tar_layer::{checked, shortened},
    zip::take_file,
};
use muster_packages::{Collector, LayerFacts};
use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Folders of a running system in which the kernel shows itself: they are not files of the root.
const KERNEL_FOLDERS: [&str; 3] = ["dev", "proc", "sys"];

/// Enough of a file to tell executables from others.
const BEGINNING_BYTES: u64 = 16;

/// What the files of interest below a folder say. Fails when the folder itself cannot be read.
pub fn read_directory(root: &Path, limits: &Limits) -> Result<LayerFacts, ArtifactError> {
    let failed = |cause| ArtifactError::File { path: root.to_owned(), cause };
    let device = fs::metadata(root).map_err(failed)?.dev();
    fs::read_dir(root).map_err(failed)?;
    let mut walk = Walk { root, device, limits, entries: 0, collector: Collector::new(limits.facts) };
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        match walk.folder(&folder) {
            Ok(Some(inner)) => folders.extend(inner),
            Ok(None) => {
                let reason = format!("more than {} files and folders; the rest was left out", limits.entries_max);
                walk.collector.limit(reason);
                break;
            }
            Err(cause) => walk.collector.skip(shortened(&folder), cause.to_string()),
        }
    }
    Ok(walk.collector.finish())
}

struct Walk<'a> {
    root: &'a Path,
    device: u64,
    limits: &'a Limits,
    entries: u64,
    collector: Collector,
}

impl Walk<'_> {
    /// Takes a folder's files and gives its folders, in the order of their names so that a limit always leaves out the
    /// same; `None`: too many entries.
    fn folder(&mut self, folder: &str) -> io::Result<Option<Vec<String>>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.root.join(folder))? {
            self.entries += 1;
            if self.entries > self.limits.entries_max {
                return Ok(None);
            }
            names.push(entry?.file_name());
        }
        names.sort();
        let mut folders = Vec::new();
        for name in names {
            let on_disk = self.root.join(folder).join(&name);
            let name = name.to_string_lossy();
            let path = if folder.is_empty() { name.into_owned() } else { format!("{folder}/{name}") };
            match self.entry(&on_disk, &path) {
                Ok(true) => folders.push(path),
                Ok(false) => {}
                Err(cause) => self.collector.skip(shortened(&path), cause.to_string()),
            }
        }
        Ok(Some(folders))
    }

    /// Takes one file; `true`: it is a folder to go into.
    fn entry(&mut self, on_disk: &PathBuf, path: &str) -> io::Result<bool> {
        let metadata = fs::symlink_metadata(on_disk)?;
        if metadata.is_dir() {
            if KERNEL_FOLDERS.contains(&path) && metadata.dev() != self.device {
                return Ok(false);
            }
            return match checked(path, self.limits) {
                Ok(_) => Ok(true),
                Err(reason) => Err(io::Error::other(reason)),
            };
        }
        if !self.collector.wants(path) {
            return Ok(false);
        }
        if metadata.is_symlink() {
            self.collector.link(path, &fs::read_link(on_disk)?.to_string_lossy());
        } else if metadata.is_file() {
            match self.content(on_disk, path, metadata.len()) {
                Ok(Some(bytes)) => {
                    let size = metadata.len().max(bytes.len() as u64);
                    take_file(path, size, &bytes, self.limits, &mut self.collector);
                }
                Ok(None) => {}
                Err(cause) => self.collector.unreadable(path, cause.to_string()),
            }
        }
        Ok(false)
    }

    /// A file's bytes, none when they are more than the limit; `None`: its beginning tells that it says nothing.
    fn content(&self, on_disk: &Path, path: &str, size: u64) -> io::Result<Option<Vec<u8>>> {
        let bytes_max = self.limits.file_bytes_max(path);
        let mut file = File::open(on_disk)?.take(bytes_max);
        let mut bytes = Vec::new();
        (&mut file).take(BEGINNING_BYTES).read_to_end(&mut bytes)?;
        if !self.collector.wants_beginning(path, &bytes) {
            return Ok(None);
        }
        if size > bytes_max {
            return Ok(Some(Vec::new()));
        }
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}
