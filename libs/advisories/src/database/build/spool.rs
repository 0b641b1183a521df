//! Bytes that a build keeps outside memory: put one behind the other, read back by their place.
//!
//! They lie in a file without a name, which the system removes with the process; a small build never makes one.

use super::{BuildError, count};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use tempfile::SpooledTempFile;

/// Most bytes that stay in memory: enough that a build of one language's feed needs no file.
const MEMORY_BYTES_MAX: usize = 16 << 20;
/// Bytes that are collected before they are written, and read at a time.
const CHUNK_BYTES: u32 = 1 << 20;

/// Where something lies in a spool.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub from: u64,
    pub bytes: u32,
}

/// See above.
pub(super) struct Spool {
    file: SpooledTempFile,
    /// Where the file is made, told of when it can't be.
    folder: PathBuf,
    /// Not written yet; they follow what is.
    pending: Vec<u8>,
    written: u64,
}

impl Default for Spool {
    /// In the system's folder for temporary files.
    fn default() -> Self {
        Self::within(&std::env::temp_dir())
    }
}

impl Spool {
    /// Empty, with its file in `folder`.
    pub(super) fn within(folder: &Path) -> Self {
        let file = SpooledTempFile::new_in(MEMORY_BYTES_MAX, folder);
        Self { file, folder: folder.to_owned(), pending: Vec::new(), written: 0 }
    }

    /// Another one in the same folder.
    pub(super) fn beside(&self) -> Self {
        Self::within(&self.folder)
    }

    /// How many bytes were put there.
    pub(super) fn bytes(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// Puts `bytes` behind what is there.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Place, BuildError> {
        let place = Place { from: self.bytes(), bytes: count(bytes.len(), "facts")? };
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= CHUNK_BYTES as usize {
            self.write()?;
        }
        Ok(place)
    }

    /// What lies at the place.
    pub(super) fn read(&mut self, place: Place) -> Result<Vec<u8>, BuildError> {
        self.write()?;
        let mut read = vec![0; place.bytes as usize];
        let result = self.file.seek(SeekFrom::Start(place.from)).and_then(|_| self.file.read_exact(&mut read));
        result.map_err(|cause| self.failed("read a temporary file in", cause))?;
        Ok(read)
    }

    /// All bytes, a chunk at a time.
    pub(super) fn each_chunk(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        let mut from = 0;
        while from < self.bytes() {
            let bytes = (self.bytes() - from).min(u64::from(CHUNK_BYTES)) as u32;
            take(&self.read(Place { from, bytes })?)?;
            from += u64::from(bytes);
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), BuildError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let result = self.file.seek(SeekFrom::Start(self.written)).and_then(|_| self.file.write_all(&self.pending));
        result.map_err(|cause| self.failed("write a temporary file in", cause))?;
        self.written = self.bytes();
        self.pending.clear();
        Ok(())
    }

    fn failed(&self, doing: &'static str, cause: std::io::Error) -> BuildError {
        BuildError::Io { doing, path: self.folder.clone(), cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_there_is_read_back_by_its_place_in_memory_and_in_the_file() {
        let mut spool = Spool::default();
        let mut places = Vec::new();
        // 24 MB: more than stays in memory, in pieces that fit no chunk
        for number in 0..8000_u32 {
            places.push(spool.push(&number.to_le_bytes().repeat(750)).unwrap());
            if number % 1000 == 0 {
                assert_eq!(spool.read(places[number as usize / 2]).unwrap(), (number / 2).to_le_bytes().repeat(750));
            }
        }
        assert_eq!(spool.bytes(), 24_000_000);
        assert_eq!(spool.read(places[7999]).unwrap(), 7999_u32.to_le_bytes().repeat(750));
        let mut all = 0;
        let add = |chunk: &[u8]| {
            all += chunk.len();
            Ok(())
        };
        spool.each_chunk(add).unwrap();
        assert_eq!(all, 24_000_000);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let mut spool = Spool::within(Path::new("/no/such/folder"));
        let Err(error) = spool.push(&vec![0; MEMORY_BYTES_MAX + 1]) else { panic!("it was written") };
        assert_eq!(error.to_string(), "write a temporary file in `/no/such/folder`");
    }
}
