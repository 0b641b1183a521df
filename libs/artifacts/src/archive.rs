//! Tar, header by header. The `tar` crate reads the fields of a header; what goes from header to header is done here,
//! because long names and extended headers must have a limit too (there, each is read into memory as a whole), and
//! because what container runtimes see must be what we see: like Go's `archive/tar`, which they use, links and folders
//! have no content, whatever size they state.

use std::io::{self, Read, Seek, SeekFrom};

const BLOCK: u64 = 512;

/// Bytes of an extended header (PAX) or a long name. Go's reader takes 1 MiB too.
const EXTENSION_BYTES_MAX: u64 = 1 << 20;

/// Something to read from, and to pass over.
pub(crate) trait Source: Read {
    /// Passes over bytes; an error when there are fewer.
    fn pass(&mut self, bytes: u64) -> io::Result<()>;
}

/// Passes over by reading.
pub(crate) struct Streaming<R>(pub R);

impl<R: Read> Read for Streaming<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Source for Streaming<R> {
    fn pass(&mut self, bytes: u64) -> io::Result<()> {
        let passed = io::copy(&mut (&mut self.0).take(bytes), &mut io::sink())?;
        if passed == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// Passes over by seeking, in a source of known size.
pub(crate) struct Seeking<R> {
    pub inner: R,
    pub size: u64,
}

impl<R: Read> Read for Seeking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl<R: Read + Seek> Source for Seeking<R> {
    fn pass(&mut self, bytes: u64) -> io::Result<()> {
        let offset = i64::try_from(bytes).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        if self.inner.seek(SeekFrom::Current(offset))? > self.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With its content.
    File,
    /// A file with holes, whose content is not simply what is stored.
    Sparse,
    Folder,
    /// With its target.
    Symlink(String),
    /// With its target.
    HardLink(String),
    /// A device or a pipe.
    Special,
}

/// One entry. Names that are not UTF-8 have replacement characters.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub name: String,
    pub kind: Kind,
    /// Bytes of content.
    pub size: u64,
    /// Where its content begins, from the beginning of the archive.
    pub offset: u64,
}

/// Goes through an archive.
pub(crate) struct Reader<S> {
    source: S,
    /// Bytes that were read or passed.
    offset: u64,
    /// Of the current entry, with its padding, still to be passed.
    remaining: u64,
    /// Of the current entry, without its padding.
    content: u64,
}

impl<S: Source> Reader<S> {
    pub fn new(source: S) -> Self {
        Self { source, offset: 0, remaining: 0, content: 0 }
    }

    /// The next entry; `None` at the end of the archive.
    pub fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut extensions = Extensions::default();
        loop {
            self.pass_rest()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let stated = header.entry_size().map_err(|_| self.malformed("its size is no number"))?;
            match header.entry_type().as_byte() {
                b'L' => extensions.name = Some(until_nul(self.extension(stated)?)),
                b'K' => extensions.link = Some(until_nul(self.extension(stated)?)),
                b'x' => {
                    let bytes = self.extension(stated)?;
                    extensions.take_pax(&bytes);
                }
                b'g' => self.begin(stated), // defaults for all entries: nobody sets names or sizes there
                _ => return self.entry(&header, extensions).map(Some),
            }
        }
    }

    /// Content of the current entry, at most `max` bytes.
    pub fn content(&mut self, max: u64) -> io::Result<Vec<u8>> {
        let wanted = self.content.min(max);
        let mut bytes = Vec::new(); // grows with what really comes, not with what the header states
        let read = (&mut self.source).take(wanted).read_to_end(&mut bytes)? as u64;
        self.offset += read;
        self.remaining -= read;
        self.content -= read;
        if read < wanted { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
    }

    fn entry(&mut self, header: &tar::Header, extensions: Extensions) -> io::Result<Entry> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let name = extensions.name.map(|name| text(&name)).unwrap_or_else(|| text(&header.path_bytes()));
        let link = extensions.link.map(|link| text(&link));
        let link = || link.or_else(|| header.link_name_bytes().map(|link| text(&link))).unwrap_or_default();
        let stated = extensions.size.unwrap_or(header.entry_size().unwrap_or_default());
        let (kind, size) = match header.entry_type().as_byte() {
            b'1' => (Kind::HardLink(link()), 0),
            b'2' => (Kind::Symlink(link()), 0),
            b'3' | b'4' | b'6' => (Kind::Special, 0),
            b'5' => (Kind::Folder, 0),
            0 if name.ends_with('/') => (Kind::Folder, 0),
            b'S' => {
                self.pass_sparse_maps(header)?;
                (Kind::Sparse, stated)
            }
            _ if extensions.sparse => (Kind::Sparse, stated),
            0 | b'0' | b'7' => (Kind::File, stated),
            _ => (Kind::Special, stated), // unknown: with content, which is passed over
        };
        self.begin(size);
        Ok(Entry { name, kind, size, offset: self.offset })
    }

    fn begin(&mut self, size: u64) {
        self.content = size;
        self.remaining = size.checked_next_multiple_of(BLOCK).unwrap_or(size);
    }

    fn pass_rest(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.remaining);
        self.content = 0;
        self.source.pass(rest)?;
        self.offset += rest;
        Ok(())
    }

    /// The content of a long name or an extended header.
    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > EXTENSION_BYTES_MAX {
            return Err(self.malformed(&format!("an extended header of {size} bytes")));
        }
        self.begin(size);
        self.content(size)
    }

    /// GNU's sparse files have further maps of their holes between header and content.
    fn pass_sparse_maps(&mut self, header: &tar::Header) -> io::Result<()> {
        let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        while more {
            let Some(block) = self.block()? else { return Err(io::ErrorKind::UnexpectedEof.into()) };
            more = block[504] == 1; // the field `isextended` of the map
        }
        Ok(())
    }

    fn header(&mut self) -> io::Result<Option<tar::Header>> {
        let Some(block) = self.block()? else { return Ok(None) };
        if block.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        let header = tar::Header::from_byte_slice(&block).clone();
        // The checksum is the sum of all bytes, its own eight taken for spaces.
        let sum = block[..148].iter().chain(&block[156..]).map(|&byte| u32::from(byte)).sum::<u32>() + 8 * 32;
        if header.cksum().ok() != Some(sum) {
            return Err(self.malformed("not a tar header"));
        }
        Ok(Some(header))
    }

    /// One block; `None` when the archive ends before it.
    fn block(&mut self) -> io::Result<Option<[u8; BLOCK as usize]>> {
        let mut block = [0; BLOCK as usize];
        let mut filled = 0;
        while filled < block.len() {
            match self.source.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.offset += BLOCK;
        Ok(Some(block))
    }

    fn malformed(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{what} before byte {}", self.offset))
    }
}

/// A long name ends with a NUL byte.
fn until_nul(mut name: Vec<u8>) -> Vec<u8> {
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    name.truncate(end);
    name
}

/// What headers before an entry say of it.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Extensions {
    /// Records are `LENGTH KEY=VALUE` and a newline, the length counting all of it (POSIX pax, "pax Extended Header").
    /// Values may hold newlines, so only the length tells where a record ends. The rest after a broken one is dropped.
    fn take_pax(&mut self, mut bytes: &[u8]) {
        while let Some((key, value, rest)) = pax_record(bytes) {
            bytes = rest;
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok()),
                b"GNU.sparse.name" => {
                    self.sparse = true;
                    self.name = Some(value.to_vec());
                }
                _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
    }
}

/// Key, value, and what follows the first record.
fn pax_record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|&byte| byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|&byte| byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &bytes[length..]))
}
