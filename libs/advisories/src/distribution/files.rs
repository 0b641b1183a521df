//! Files that appear whole or not at all: written beside their place, compared with what was promised, made durable, renamed.

use super::error::{DistributionError, io};
use super::index::{FILE_BYTES_MAX, FileEntry};
use muster_domain::Digest;
use sha2::{Digest as _, Sha256};
use std::fs::{File, TryLockError};
use std::io::{self as std_io, Read, Write};
use std::path::{Path, PathBuf};

/// How much of a file is held at a time.
const BLOCK_BYTES: usize = 1 << 20;

/// The end of the names of files that are not finished. One that a killed process left is overwritten by the next.
pub(super) const PARTIAL: &str = ".partial";

/// `.NAME.PURPOSE.partial` beside `path`.
pub(super) fn beside(path: &Path, purpose: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{purpose}{PARTIAL}"))
}

/// Digest and length of what was written or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) digest: Digest,
    pub(super) bytes: u64,
}

/// Held while one process works on a file or folder; the operating system lets go when the process ends, however it does.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code, reason = "dropping it unlocks")] File);

impl Lock {
    /// Of the file at `path`, whether it exists or not.
    pub(super) fn of_file(path: &Path) -> Result<Self, DistributionError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self::take(&path.with_file_name(format!(".{name}.lock")), path)
    }

    /// Of a folder and all that is in it.
    pub(super) fn of_folder(folder: &Path) -> Result<Self, DistributionError> {
        Self::take(&folder.join(".lock"), folder)
    }

    fn take(lock: &Path, meant: &Path) -> Result<Self, DistributionError> {
        // Nothing is ever written to it, so that what another process holds is not touched before the lock is ours.
        let file = File::options().create(true).append(true).open(lock).map_err(io("create", lock))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(DistributionError::Busy(meant.to_owned())),
            Err(TryLockError::Error(cause)) => Err(io("lock", lock)(cause)),
        }
    }
}

/// Counts and digests what passes; refuses the byte after `bytes_max`, so that nothing fills the disk.
pub(super) struct Sink {
    file: File,
    hasher: Sha256,
    bytes: u64,
    bytes_max: u64,
}

impl Write for Sink {
    fn write(&mut self, block: &[u8]) -> std_io::Result<usize> {
        if self.bytes + block.len() as u64 > self.bytes_max {
            return Err(std_io::Error::from(std_io::ErrorKind::FileTooLarge));
        }
        self.file.write_all(block)?;
        self.hasher.update(block);
        self.bytes += block.len() as u64;
        Ok(block.len())
    }

    fn flush(&mut self) -> std_io::Result<()> {
        self.file.flush()
    }
}

/// Writes `path` with `fill`, up to `bytes_max` bytes, and makes it durable. A failure leaves nothing behind.
pub(super) fn write(
    path: &Path,
    bytes_max: u64,
    fill: impl FnOnce(&mut Sink) -> Result<(), DistributionError>,
) -> Result<Seen, DistributionError> {
    let written = File::create(path).map_err(io("create", path)).and_then(|file| {
        let mut sink = Sink { file, hasher: Sha256::new(), bytes: 0, bytes_max };
        fill(&mut sink)?;
        sink.file.sync_all().map_err(io("write", path))?;
        Ok(Seen { digest: digest(sink.hasher), bytes: sink.bytes })
    });
    if written.is_err() {
        remove(path);
    }
    written
}

/// Into its place, durably. Readers see the old file or the new one.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), DistributionError> {
    std::fs::rename(from, to).map_err(io("rename into place", to))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("make durable", folder))
}

/// A small file, whole or not at all.
pub(super) fn replace(path: &Path, contents: &[u8]) -> Result<(), DistributionError> {
    let partial = beside(path, "new");
    write(&partial, FILE_BYTES_MAX, |sink| sink.write_all(contents).map_err(io("write", &partial)))?;
    rename(&partial, path)
}

/// Best effort: a file of ours that is of no use any more.
pub(super) fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// Digest and length of a file.
pub(super) fn look_at(path: &Path) -> Result<Seen, DistributionError> {
    let mut file = File::open(path).map_err(io("open", path))?;
    let (mut hasher, mut bytes, mut block) = (Sha256::new(), 0, vec![0; BLOCK_BYTES]);
    loop {
        let read = file.read(&mut block).map_err(io("read", path))?;
        if read == 0 {
            return Ok(Seen { digest: digest(hasher), bytes });
        }
        hasher.update(&block[..read]);
        bytes += read as u64;
    }
}

/// Whether `path` is the file that the index lists.
pub(super) fn is_listed(path: &Path, entry: &FileEntry) -> bool {
    let as_long = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == entry.bytes);
    as_long && look_at(path).is_ok_and(|seen| seen.digest == entry.digest)
}

/// Whether what was seen is what the index lists.
pub(super) fn check_listed(seen: &Seen, entry: &FileEntry) -> Result<(), DistributionError> {
    let name = entry.name.to_string();
    if seen.bytes != entry.bytes {
        return Err(DistributionError::FileLength { name, expected: entry.bytes, found: seen.bytes });
    }
    if seen.digest != entry.digest {
        let (expected, found) = (entry.digest.clone(), seen.digest.clone());
        return Err(DistributionError::FileDiffers { name, expected, found });
    }
    Ok(())
}

/// Opens a file of the repository by its name.
pub(super) type Fetch<'a> = &'a mut dyn FnMut(&str) -> std_io::Result<Box<dyn Read>>;

/// Opens it; "not found" is told apart from "not now".
pub(super) fn open(fetch: Fetch<'_>, name: &str) -> Result<Box<dyn Read>, DistributionError> {
    fetch(name).map_err(|cause| match cause.kind() {
        std_io::ErrorKind::NotFound => DistributionError::Missing(name.to_owned()),
        _ => DistributionError::Fetch { name: name.to_owned(), cause },
    })
}

/// Fetches a listed file to `path`. What is there afterwards has the listed length and digest.
pub(super) fn download(fetch: Fetch<'_>, entry: &FileEntry, path: &Path) -> Result<(), DistributionError> {
    let name = entry.name.as_str();
    let mut reader = open(fetch, name)?.take(entry.bytes + 1);
    let seen = write(path, entry.bytes + 1, |sink| {
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let read = match reader.read(&mut block) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(cause) if cause.kind() == std_io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(DistributionError::Fetch { name: name.to_owned(), cause }),
            };
            sink.write_all(&block[..read]).map_err(io("write", path))?;
        }
    })?;
    check_listed(&seen, entry).inspect_err(|_| remove(path))
}

fn digest(hasher: Sha256) -> Digest {
    format!("sha256:{}", hex::encode(hasher.finalize())).parse().expect("64 hexadecimal digits make a digest")
}
