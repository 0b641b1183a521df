//! A repository copied: checked file by file, what is there already not fetched again, the index last.

use super::error::{DistributionError, io};
use super::files::{self, Lock};
use super::index::INDEX_NAME;
use super::publish::{index_in, remove_unlisted};
use super::update::{Trust, fetch_index};
use std::io::{self as std_io, Read};
use std::path::Path;

/// What mirroring did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// The newest epoch in the folder now.
    pub epoch: u64,
    /// Files that were fetched.
    pub fetched: Vec<String>,
    /// Their bytes.
    pub fetched_bytes: u64,
    /// Files that were there already, whole.
    pub kept: usize,
    /// Files that were removed: listed neither by the new index nor by the one before.
    pub removed: Vec<String>,
}

/// Copies the index and all files that it lists into `folder`, which then is a repository as good as the first: same
/// index, same signatures. Run again, it goes on where it was stopped.
///
/// # Errors
/// When the index is not signed by a trusted key or ends before the folder's own, or a file can't be had as listed. The
/// folder's index is then as it was, and so is every file that it lists.
pub fn mirror(
    mut fetch: impl FnMut(&str) -> std_io::Result<Box<dyn Read>>,
    folder: &Path,
    trust: &Trust,
) -> Result<Mirrored, DistributionError> {
    std::fs::create_dir_all(folder).map_err(io("create", folder))?;
    let _lock = Lock::of_folder(folder)?;
    // One that is not to be trusted (any more) says nothing about how far we were.
    let previous = index_in(folder, &trust.keys).unwrap_or_default();
    let envelope = fetch_index(&mut fetch)?;
    let index = trust.accept(&envelope, previous.as_ref().map(|index| index.newest().id.epoch))?;

    let epoch = index.newest().id.epoch;
    let mut mirrored = Mirrored { epoch, fetched: Vec::new(), fetched_bytes: 0, kept: 0, removed: Vec::new() };
    for file in index.files() {
        let path = folder.join(file.name.as_str());
        if files::is_listed(&path, file) {
            mirrored.kept += 1;
            continue;
        }
        let partial = files::beside(&path, "fetched");
        files::download(&mut fetch, file, &partial)?;
        files::rename(&partial, &path)?;
        mirrored.fetched.push(file.name.to_string());
        mirrored.fetched_bytes += file.bytes;
    }
    files::replace(&folder.join(INDEX_NAME), &envelope)?;
    // The same index again must not end the time that files of the one before it have.
    if previous.as_ref() != Some(&index) {
        mirrored.removed = remove_unlisted(folder, &[Some(&index), previous.as_ref()])?;
    }
    Ok(mirrored)
}
