//! Files of an image that lies on a disk: below a folder, or inside a tar of it.

use crate::{
    ArtifactError, Limits,
    archive::{Kind, Reader, Seeking},
    tar_layer::checked,
};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// A folder, or a tar of one.
pub(crate) enum Files {
    /// The folder.
    Folder(PathBuf),
    /// The tar, and where in it each file lies.
    Archive { path: PathBuf, files: HashMap<String, Place>, links: HashMap<String, String> },
}

/// Bytes of a file inside the tar.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    offset: u64,
    size: u64,
}

impl Files {
    /// Goes through the tar once; of a folder nothing is read yet.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, ArtifactError> {
        let failed = |cause| ArtifactError::File { path: path.to_owned(), cause };
        let not_an_image = |why: &str| ArtifactError::NotAnImage { path: path.to_owned(), why: why.to_owned() };
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let mut file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let mut magic = Vec::new();
        (&mut file).take(4).read_to_end(&mut magic).map_err(failed)?;
        if magic.starts_with(&[0x1f, 0x8b]) || magic == [0x28, 0xb5, 0x2f, 0xfd] {
            return Err(not_an_image("it is compressed as a whole; decompress it first"));
        }
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut reader = Reader::new(Seeking { inner: file, size });
        let (mut files, mut links) = (HashMap::new(), HashMap::new());
        let mut entries = 0;
        while let Some(entry) = reader.next().map_err(failed)? {
            entries += 1;
            if entries > limits.entries_max {
                return Err(not_an_image("it has too many entries"));
            }
            let Ok(name) = checked(&entry.name, limits) else { continue }; // nothing in it is found under such a name
            match entry.kind {
                Kind::File => {
                    files.insert(name, Place { offset: entry.offset, size: entry.size });
                }
                Kind::Symlink(target) => {
                    links.insert(name, target);
                }
                _ => {}
            }
        }
        Ok(Self::Archive { path: path.to_owned(), files, links })
    }

    /// The folder or tar itself.
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Archive { path, .. } => path,
        }
    }

    /// A file and its size; `None`: there is none. Its name has no `..`: it is one that we made, or was checked.
    pub fn file(&self, name: &str) -> io::Result<Option<(Box<dyn Read + Send>, u64)>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                let opened = match std::fs::symlink_metadata(&path) {
                    Ok(metadata) if metadata.is_file() => File::open(&path),
                    Ok(_) => return Ok(None), // a link could lead out of the folder
                    Err(error) => Err(error),
                };
                match opened {
                    Ok(file) => {
                        let size = file.metadata()?.len();
                        Ok(Some((Box::new(file), size)))
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Self::Archive { path, files, .. } => {
                let Some(place) = self.place(name, files) else { return Ok(None) };
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(place.offset))?;
                Ok(Some((Box::new(BufReader::new(file).take(place.size)), place.size)))
            }
        }
    }

    /// A small file as a whole.
    pub fn small(&self, name: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, ArtifactError> {
        let failed = |cause| ArtifactError::File { path: self.path().join(name), cause };
        let Some((file, size)) = self.file(name).map_err(failed)? else { return Ok(None) };
        if size > bytes_max {
            return Err(ArtifactError::TooLarge { what: format!("`{name}` of {size} bytes"), max: bytes_max });
        }
        let mut bytes = Vec::new();
        file.take(bytes_max).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Some(bytes))
    }

    /// Docker writes a layer that two images share once, and links to it from the second (`../ID/layer.tar`).
    fn place(&self, name: &str, files: &HashMap<String, Place>) -> Option<Place> {
        let Self::Archive { links, .. } = self else { return None };
        if let Some(place) = files.get(name) {
            return Some(*place);
        }
        let target = links.get(name)?;
        let in_parent = target.strip_prefix("../").map(str::to_owned);
        let beside = || name.rsplit_once('/').map_or(target.clone(), |(folder, _)| format!("{folder}/{target}"));
        files.get(&in_parent.unwrap_or_else(beside)).copied()
    }
}
