//! Folders: a root as it lies on a disk. Symbolic links are told, never followed, so nothing outside is read.

use crate::{
    ArtifactError, Limits,
    tar_layer::{checked, shortened},
    zip::take_file,
};
use muster_domain::Skipped;
use muster_packages::{Collector, LayerFacts, kernel};
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

/// The release of the kernel that runs on this root, where its `proc` is there: the one sign that the root is that of a
/// running system. Links are not followed here either. One that is there and cannot be read is told in `facts`.
pub(crate) fn running_kernel(root: &Path, facts: &mut LayerFacts) -> Option<String> {
    match read_release(root) {
        Ok(release) => release,
        Err(cause) => {
            facts.skipped.insert(Skipped { place: kernel::PATH.to_owned(), reason: cause.to_string() });
            None
        }
    }
}

fn read_release(root: &Path) -> io::Result<Option<String>> {
    let mut path = root.to_owned();
    for part in Path::new(kernel::PATH) {
        path.push(part);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => return Ok(None), // it leads to another system's, most likely
            Ok(_) => {}
            Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(cause) => return Err(cause),
        }
    }
    if !fs::symlink_metadata(&path)?.is_file() {
        return Ok(None);
    }
    // The kernel gives such a file no size.
    let mut text = String::new();
    File::open(&path)?.take(kernel::RELEASE_LENGTH_MAX as u64 + 2).read_to_string(&mut text)?;
    let release = kernel::release(&text).ok_or_else(|| io::Error::other("it is no release of a kernel"))?;
    Ok(Some(release.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_running_kernel_is_read_where_it_truly_stands() {
        let check = |make: &dyn Fn(&Path), kernel: Option<&str>, skipped: &[&str]| {
            let root = tempfile::tempdir().unwrap();
            make(root.path());
            let mut facts = LayerFacts::default();
            assert_eq!(running_kernel(root.path(), &mut facts).as_deref(), kernel);
            let reasons: Vec<&str> = facts.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
            assert_eq!(reasons, skipped);
        };
        let write = |root: &Path, text: &str| {
            fs::create_dir_all(root.join("proc/sys/kernel")).unwrap();
            fs::write(root.join(kernel::PATH), text).unwrap();
        };
        check(&|root| write(root, "6.1.0-18-amd64\n"), Some("6.1.0-18-amd64"), &[]);
        check(&|_| {}, None, &[]); // an image's root, a mounted disk
        check(&|root| fs::create_dir(root.join("proc")).unwrap(), None, &[]);
        check(&|root| fs::write(root.join("proc"), "").unwrap(), None, &[]);
        check(&|root| symlink("/proc", root.join("proc")).unwrap(), None, &[]); // ours, not the root's
        check(&|root| write(root, "two words\n"), None, &["it is no release of a kernel"]);
        check(&|root| write(root, &"6".repeat(100)), None, &["it is no release of a kernel"]);
    }
}
