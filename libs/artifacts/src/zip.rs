//! Zips: a Lambda function's code, a Lambda layer, and Java archives in any root.
//!
//! Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.4, read 2026-11-24. The central directory is streamed and
//! only files of interest are kept and inflated; the `zip` crate holds every entry in memory (half a gigabyte for a
//! 50 MB zip of nothing but empty entries), so it only writes the zips of the tests.

use crate::{
    ArtifactError, Limits,
    tar_layer::{checked, shortened},
};
use muster_packages::{Collector, LayerFacts, jar};
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

/// Signatures and fixed sizes of the records (sections 4.3.7, 4.3.12, 4.3.14, 4.3.15, 4.3.16).
const LOCAL: (&[u8], usize) = (b"PK\x03\x04", 30);
const CENTRAL: (&[u8], usize) = (b"PK\x01\x02", 46);
const END_64: (&[u8], usize) = (b"PK\x06\x06", 56);
const END_64_LOCATOR: (&[u8], usize) = (b"PK\x06\x07", 20);
const END: (&[u8], usize) = (b"PK\x05\x06", 22);

/// Archives inside archives: a library in an application for a server in an enterprise application is three deep.
const DEPTH_MAX: usize = 4;

/// What the files of interest in a zip say. `origin` is its name for people.
///
/// Fails when it is no zip at all; what costs a part only stands in the facts.
pub fn read_zip<R: Read + Seek>(origin: &str, mut reader: R, limits: &Limits) -> Result<LayerFacts, ArtifactError> {
    let mut collector = Collector::new(limits.facts);
    let mut zip =
        Zip { origin, folder: "", depth: 0, limits, collector: &mut collector, bytes_left: limits.zip_bytes_max };
    match zip.read(&mut reader) {
        Ok(()) => Ok(collector.finish()),
        Err(why) => Err(ArtifactError::NotAZip { place: origin.to_owned(), why }),
    }
}

/// A file of interest of any root; one that is an archive is read like a folder. `bytes` are all of its `size` bytes, or
/// fewer when that is more than the limit.
pub(crate) fn take_file(path: &str, size: u64, bytes: &[u8], limits: &Limits, collector: &mut Collector) {
    let mut zip = Zip { origin: path, folder: "", depth: 0, limits, collector, bytes_left: limits.zip_bytes_max };
    zip.take(path, size, bytes);
}

/// A zip while it is read.
struct Zip<'a> {
    /// Its name for people.
    origin: &'a str,
    /// Where its files lie in the root: below itself, when it lies in one; empty for a zip that is the root.
    folder: &'a str,
    /// How many archives it lies in.
    depth: usize,
    limits: &'a Limits,
    collector: &'a mut Collector,
    /// Of its files of interest and those of archives in it.
    bytes_left: u64,
}

impl Zip<'_> {
    /// Takes its files; or why it is no zip.
    fn read(&mut self, reader: &mut (impl Read + Seek)) -> Result<(), String> {
        let not_a_zip = |cause: io::Error| match cause.kind() {
            io::ErrorKind::UnexpectedEof => "it ends early".to_owned(),
            _ => cause.to_string(),
        };
        let directory = Directory::find(reader).map_err(not_a_zip)?;
        let (wanted, outcome) = directory.wanted(reader, self);
        if let Err(cause) = outcome {
            self.collector.skip(self.origin, format!("its directory is broken: {}", not_a_zip(cause)));
        }
        for entry in wanted {
            if self.bytes_left == 0 {
                let (origin, max) = (self.origin, self.limits.zip_bytes_max);
                let what = "bytes in files of interest; the rest was left out";
                self.collector.limit(format!("`{origin}`: more than {max} {what}"));
                break;
            }
            // An archive in another is held beside it, so it may not be as large.
            let file_bytes_max = match self.depth {
                0 => self.limits.file_bytes_max(&entry.path),
                _ => self.limits.entry_bytes_max,
            };
            match entry.content(reader, directory.shift, file_bytes_max.min(self.bytes_left)) {
                Ok(content) => {
                    self.bytes_left -= content.bytes.len() as u64;
                    if entry.is_symlink {
                        self.collector.link(&entry.path, &String::from_utf8_lossy(&content.bytes));
                    } else if content.is_whole {
                        self.take(&entry.path, content.bytes.len() as u64, &content.bytes);
                    } else {
                        let size = entry.size.max(content.bytes.len() as u64 + 1);
                        self.take(&entry.path, size, &[]);
                    }
                }
                Err(reason) => self.collector.unreadable(&entry.path, reason),
            }
        }
        Ok(())
    }

    /// A file of interest of this zip.
    fn take(&mut self, path: &str, size: u64, bytes: &[u8]) {
        if !jar::wants(path) || (bytes.len() as u64) < size {
            return self.collector.file(path, size, bytes);
        }
        self.collector.present(path);
        if self.depth == DEPTH_MAX {
            return self.collector.limit(format!("`{path}`: archives inside {DEPTH_MAX} others were left out"));
        }
        let mut inner = Zip {
            origin: path,
            folder: path,
            depth: self.depth + 1,
            limits: self.limits,
            collector: self.collector,
            bytes_left: self.bytes_left,
        };
        let outcome = inner.read(&mut Cursor::new(bytes));
        self.bytes_left = inner.bytes_left;
        if let Err(why) = outcome {
            self.collector.unreadable(path, why);
        }
    }
}

/// Where the central directory is.
struct Directory {
    start: u64,
    bytes: u64,
    /// Bytes in front of the zip, such as those of a self-extracting program: offsets count from behind them.
    shift: u64,
}

/// An entry of interest.
struct Entry {
    path: String,
    flags: u16,
    method: u16,
    checksum: u32,
    stored_bytes: u64,
    size: u64,
    offset: u64,
    is_symlink: bool,
}

struct Content {
    bytes: Vec<u8>,
    /// Not cut off by a limit.
    is_whole: bool,
}

fn u16_at(record: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(record[at..at + 2].try_into().expect("two bytes"))
}

fn u32_at(record: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(record[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(record: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(record[at..at + 8].try_into().expect("eight bytes"))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// A record of fixed size at the reader's place.
fn record<const N: usize>(reader: &mut impl Read, kind: (&[u8], usize), name: &str) -> io::Result<[u8; N]> {
    debug_assert_eq!(kind.1, N);
    let mut record = [0; N];
    reader.read_exact(&mut record)?;
    if record.starts_with(kind.0) { Ok(record) } else { Err(malformed(&format!("no {name} where one should be"))) }
}

impl Directory {
    fn find(reader: &mut (impl Read + Seek)) -> io::Result<Self> {
        let size = reader.seek(SeekFrom::End(0))?;
        // The end record stands last, but for a comment of at most 65,535 bytes.
        let tail_bytes = size.min(END.1 as u64 + u64::from(u16::MAX));
        reader.seek(SeekFrom::Start(size - tail_bytes))?;
        let mut tail = Vec::new();
        reader.take(tail_bytes).read_to_end(&mut tail)?;
        let at = (0..tail.len().saturating_sub(END.1 - 1))
            .rev()
            .find(|&at| tail[at..].starts_with(END.0) && at + END.1 + usize::from(u16_at(&tail, at + 20)) <= tail.len())
            .ok_or_else(|| malformed("it has no end record"))?;
        let end = &tail[at..at + END.1];
        let end_offset = size - tail_bytes + at as u64;
        let (bytes, stated) = (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)));
        if at >= END_64_LOCATOR.1 && tail[at - END_64_LOCATOR.1..].starts_with(END_64_LOCATOR.0) {
            return Self::find_64(reader, u64_at(&tail, at - END_64_LOCATOR.1 + 8));
        }
        let start = end_offset.checked_sub(bytes).ok_or_else(|| malformed("its directory is longer than the file"))?;
        let shift = start.checked_sub(stated).ok_or_else(|| malformed("its directory is not where it should be"))?;
        Ok(Self { start, bytes, shift })
    }

    /// Zip64: a larger end record, in front of the plain one.
    fn find_64(reader: &mut (impl Read + Seek), offset: u64) -> io::Result<Self> {
        reader.seek(SeekFrom::Start(offset))?;
        let end: [u8; END_64.1] = record(reader, END_64, "zip64 end record")?;
        Ok(Self { start: u64_at(&end, 48), bytes: u64_at(&end, 40), shift: 0 })
    }

    /// Entries of interest, and how the reading of the directory ended.
    fn wanted(&self, reader: &mut (impl Read + Seek), zip: &mut Zip<'_>) -> (Vec<Entry>, io::Result<()>) {
        let Zip { origin, folder, limits, .. } = *zip;
        let mut wanted = Vec::new();
        let mut read = || -> io::Result<()> {
            reader.seek(SeekFrom::Start(self.start))?;
            let mut directory = BufReader::new(reader.take(self.bytes));
            let mut left = self.bytes;
            let mut entries = 0;
            while left > 0 {
                entries += 1;
                if entries > limits.entries_max || wanted.len() >= limits.facts.files_max {
                    let max = limits.entries_max.min(limits.facts.files_max as u64);
                    zip.collector.limit(format!("`{origin}`: more than {max} entries; the rest was left out"));
                    break;
                }
                let (entry, name, bytes) = Entry::read(&mut directory)?;
                left = left.saturating_sub(bytes);
                let path = match checked(&name, limits) {
                    Err(reason) => {
                        zip.collector.skip(format!("{origin}: {}", shortened(&name)), reason);
                        continue;
                    }
                    Ok(path) if folder.is_empty() => path,
                    Ok(path) => format!("{folder}/{path}"),
                };
                if !name.ends_with('/') && zip.collector.wants(&path) {
                    wanted.push(Entry { path, ..entry });
                }
            }
            Ok(())
        };
        let outcome = read();
        (wanted, outcome)
    }
}

/// The bits of a Unix mode that tell the kind of file, and a symbolic link's (inode(7)).
const MODE_KIND: u32 = 0o170_000;
const MODE_SYMLINK: u32 = 0o120_000;

/// "Made by" of a zip whose attributes are a Unix mode (section 4.4.2.2).
const MADE_BY_UNIX: u8 = 3;

impl Entry {
    /// One entry of the directory without its path, its name, and how many bytes it takes there.
    fn read(directory: &mut impl Read) -> io::Result<(Self, String, u64)> {
        let header: [u8; CENTRAL.1] = record(directory, CENTRAL, "directory entry")?;
        let lengths = [28, 30, 32].map(|at| usize::from(u16_at(&header, at)));
        let mut variable = vec![0; lengths.iter().sum()];
        directory.read_exact(&mut variable)?;
        let (name, extra) = variable.split_at(lengths[0]);
        let mut entry = Self {
            path: String::new(),
            flags: u16_at(&header, 8),
            method: u16_at(&header, 10),
            checksum: u32_at(&header, 16),
            stored_bytes: u64::from(u32_at(&header, 20)),
            size: u64::from(u32_at(&header, 24)),
            offset: u64::from(u32_at(&header, 42)),
            is_symlink: header[5] == MADE_BY_UNIX && (u32_at(&header, 38) >> 16) & MODE_KIND == MODE_SYMLINK,
        };
        entry.take_zip64(&extra[..lengths[1]]);
        Ok((entry, String::from_utf8_lossy(name).into_owned(), (CENTRAL.1 + variable.len()) as u64))
    }

    /// Numbers that do not fit their fields stand in an extra field, in this order (section 4.5.3).
    fn take_zip64(&mut self, mut extra: &[u8]) {
        const ZIP64: u16 = 1;
        while extra.len() >= 4 {
            let (id, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
            let Some(mut data) = extra.get(4..4 + length) else { return };
            if id == ZIP64 {
                for number in [&mut self.size, &mut self.stored_bytes, &mut self.offset] {
                    if *number == u64::from(u32::MAX) && data.len() >= 8 {
                        *number = u64_at(data, 0);
                        data = &data[8..];
                    }
                }
            }
            extra = &extra[4 + length..];
        }
    }

    /// Its content, at most `max` bytes of it; or why it cannot be read.
    fn content(&self, reader: &mut (impl Read + Seek), shift: u64, max: u64) -> Result<Content, String> {
        const ENCRYPTED: u16 = 1;
        if self.flags & ENCRYPTED != 0 {
            return Err("it is encrypted".to_owned());
        }
        let broken = |cause: io::Error| match cause.kind() {
            io::ErrorKind::UnexpectedEof => "it ends early".to_owned(),
            _ => format!("it is broken: {cause}"),
        };
        let start = self.offset.checked_add(shift).ok_or("its offset is beyond the file")?;
        reader.seek(SeekFrom::Start(start)).map_err(broken)?;
        let header: [u8; LOCAL.1] = record(reader, LOCAL, "file header").map_err(broken)?;
        let names = i64::from(u16_at(&header, 26)) + i64::from(u16_at(&header, 28));
        reader.seek(SeekFrom::Current(names)).map_err(broken)?;
        let stored = BufReader::new(reader.take(self.stored_bytes));
        let mut bytes = Vec::new();
        match self.method {
            0 => stored.take(max + 1).read_to_end(&mut bytes),
            8 => flate2::bufread::DeflateDecoder::new(stored).take(max + 1).read_to_end(&mut bytes),
            method => return Err(format!("its compression method {method} is not supported")),
        }
        .map_err(broken)?;
        if bytes.len() as u64 > max {
            bytes.truncate(max as usize);
            return Ok(Content { bytes, is_whole: false });
        }
        let mut checksum = flate2::Crc::new();
        checksum.update(&bytes);
        if checksum.sum() != self.checksum {
            return Err("its content is not what its checksum says".to_owned());
        }
        Ok(Content { bytes, is_whole: true })
    }
}

#[cfg(test)]
mod tests;
