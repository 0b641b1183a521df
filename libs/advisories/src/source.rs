//! Where feeds lie: a folder, a file, a `.zip` or tar of documents, JSON lines, each also under gzip, bzip2 or zstd.
//!
//! What a document is (`FORMATS`) is told by its content and name, so that a feed may be packed as it comes. A record that
//! can't be read is set aside with its place and reason; it neither stops the rest nor vanishes.

use crate::feed::{FeedError, HEAD_BYTES_MAX, Head};
use crate::feeds::{Document, FORMATS, Format, Item};
use muster_domain::Skipped;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

/// What came out of one archive or file, or of the loose files of one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSummary {
    /// The archive, file or folder.
    pub path: PathBuf,
    /// What lay there, by `Format::name`; `UNKNOWN`: documents of no format that we know.
    pub format: &'static str,
    /// Records, catalogue entries or table lines that were read.
    pub records: u64,
    /// How many could not be.
    pub set_aside: u64,
}

/// `SourceSummary::format` of what is no feed.
pub const UNKNOWN: &str = "unknown";

/// How much is read at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of one archive; OSV's largest has 2 million.
    pub entries_max: usize,
    /// Of a whole source, unpacked; all of OSV is about 12 GB.
    pub bytes_max: u64,
    /// Folders in folders.
    pub depth_max: usize,
    /// Items that are told as skipped one by one; the summaries count all.
    pub skipped_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries_max: 4_000_000, bytes_max: 64 << 30, depth_max: 16, skipped_max: 1000 }
    }
}

/// The source itself is not there or can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("read advisories from `{path}`")]
pub struct SourceError {
    /// The source.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub cause: std::io::Error,
}

/// Reads all of `path` within the default limits and gives each item to `sink`. The places of skipped things are whole:
/// archive, document and place in it.
///
/// # Errors
/// When `path` itself can't be opened.
pub fn read(path: impl AsRef<Path>, sink: &mut impl FnMut(Item)) -> Result<Vec<SourceSummary>, SourceError> {
    read_within(path, Limits::default(), sink)
}

/// Reads all of `path` and gives each item to `sink`.
///
/// # Errors
/// When `path` itself can't be opened.
pub fn read_within(
    path: impl AsRef<Path>,
    limits: Limits,
    sink: &mut impl FnMut(Item),
) -> Result<Vec<SourceSummary>, SourceError> {
    let path = path.as_ref();
    let mut reading = Reading {
        sink,
        limits,
        bytes_left: limits.bytes_max,
        told: 0,
        tallies: BTreeMap::new(),
        loose: BTreeMap::new(),
        strangers: BTreeMap::new(),
        unknown_ecosystems: BTreeMap::new(),
    };
    reading.path(path, 0).map_err(|cause| SourceError { path: path.to_owned(), cause })?;
    Ok(reading.finish(path))
}

struct Reading<'s, S> {
    sink: &'s mut S,
    limits: Limits,
    bytes_left: u64,
    told: u64,
    /// Records and set aside.
    tallies: BTreeMap<(PathBuf, &'static str), (u64, u64)>,
    /// Of loose documents, which are counted under their folder: the first one, and whether there are more.
    loose: BTreeMap<(PathBuf, &'static str), (PathBuf, bool)>,
    /// Documents of no known format: the first one's name, and how many.
    strangers: BTreeMap<PathBuf, (String, u64)>,
    unknown_ecosystems: BTreeMap<String, u64>,
}

/// A document's place: what it is counted under, and what it is called when it can't be read.
#[derive(Clone, Copy)]
struct Place<'p> {
    source: &'p Path,
    name: &'p str,
}

/// Packings in packings that are taken off: a `.json.gz` in a `.tar.zst` in a `.tar.gz` is five.
const PACKINGS_MAX: usize = 6;
/// Most bytes of a zip within an archive, which must be in memory to be read: OSV's largest export has 300 MB.
const INNER_ZIP_BYTES_MAX: u64 = 512 << 20;
/// Most bytes of one line of a `.jsonl`.
const LINE_BYTES_MAX: usize = 16 << 20;
/// Most different unknown ecosystems that are counted; OSV has about 50.
const ECOSYSTEMS_MAX: usize = 1000;
/// The largest window of `zstd --long` without `--ultra`'s own flags: 128 MiB of memory.
const WINDOW_LOG_MAX: u32 = 27;

impl<S: FnMut(Item)> Reading<'_, S> {
    fn path(&mut self, path: &Path, depth: usize) -> std::io::Result<()> {
        if !path.metadata()?.is_dir() {
            return self.file(path);
        }
        let mut entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let within = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue; // a repository's own files
            }
            let place = within.to_string_lossy();
            let place = Place { source: path, name: &place };
            if depth == self.limits.depth_max {
                self.skip(place, UNKNOWN, "folders are nested too deep");
            } else if let Err(error) = self.path(&within, depth + 1) {
                self.skip(place, UNKNOWN, &format!("can't be read: {error}"));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> std::io::Result<()> {
        let name = path.to_string_lossy();
        let mut file = BufReader::with_capacity(HEAD_BYTES_MAX, File::open(path)?);
        let archive = Place { source: path, name: &name };
        match packing(file.fill_buf()?) {
            Packing::Zip => self.archive(archive, file.into_inner(), 1),
            _ => self.unpack(archive, &name, Box::new(file), 0),
        }
        Ok(())
    }

    /// Takes packings off until there is a document under its own `name`, or an archive of them.
    fn unpack<'r>(&mut self, place: Place<'_>, name: &str, mut reader: Box<dyn BufRead + 'r>, depth: usize) {
        let found = match reader.fill_buf() {
            Ok(head) => packing(head),
            Err(error) => return self.skip(place, UNKNOWN, &format!("can't be read: {error}")),
        };
        if depth == PACKINGS_MAX && found != Packing::None {
            return self.skip(place, UNKNOWN, "is packed in too many packings");
        }
        let buffered = |reader: Box<dyn Read + 'r>| Box::new(BufReader::with_capacity(HEAD_BYTES_MAX, reader));
        match found {
            Packing::Gzip => {
                let inner = buffered(Box::new(flate2::bufread::MultiGzDecoder::new(reader)));
                self.unpack(place, unpacked_name(name), inner, depth + 1);
            }
            Packing::Bzip2 => {
                let inner = buffered(Box::new(bzip2::bufread::MultiBzDecoder::new(reader)));
                self.unpack(place, unpacked_name(name), inner, depth + 1);
            }
            Packing::Zstd => match zstd_decoder(reader) {
                Ok(decoder) => self.unpack(place, unpacked_name(name), buffered(Box::new(decoder)), depth + 1),
                Err(error) => self.skip(place, UNKNOWN, &format!("can't be read: {error}")),
            },
            Packing::Tar => self.tar(place, reader, depth + 1),
            Packing::Zip => {
                let mut bytes = Vec::new();
                match reader.take(INNER_ZIP_BYTES_MAX + 1).read_to_end(&mut bytes) {
                    Ok(read) if read as u64 > INNER_ZIP_BYTES_MAX => {
                        self.skip(place, UNKNOWN, "is a zip in an archive and too long to be read there");
                    }
                    Ok(_) => self.archive(place, Cursor::new(bytes), depth + 1),
                    Err(error) => self.skip(place, UNKNOWN, &format!("can't be read: {error}")),
                }
            }
            Packing::None if [".jsonl", ".ndjson"].iter().any(|ending| name.ends_with(ending)) => {
                self.lines(place, name, reader);
            }
            Packing::None => self.document(place, name, reader),
        }
    }

    fn archive<R: Read + Seek>(&mut self, place: Place<'_>, file: R, depth: usize) {
        let entries_max = self.limits.entries_max;
        match zip::ZipArchive::new(file) {
            Ok(archive) if archive.len() > entries_max => {
                self.skip(place, UNKNOWN, &format!("archive has more than {entries_max} entries"));
            }
            Ok(archive) => self.zip(place, archive, depth),
            Err(error) => self.skip(place, UNKNOWN, &format!("archive can't be read: {error}")),
        }
    }

    fn zip<R: Read + Seek>(&mut self, archive_place: Place<'_>, mut archive: zip::ZipArchive<R>, depth: usize) {
        for index in 0..archive.len() {
            if self.bytes_left == 0 {
                return; // told once by the document that hit the limit
            }
            match archive.by_index(index) {
                Ok(entry) if entry.is_dir() => {}
                Ok(entry) => {
                    let inner = entry.name().map_or_else(|_| format!("entry {index}"), |name| name.into_owned());
                    let reader = Box::new(BufReader::with_capacity(HEAD_BYTES_MAX, entry));
                    let name = format!("{}: {inner}", archive_place.name);
                    self.unpack(Place { name: &name, ..archive_place }, &inner, reader, depth);
                }
                Err(error) => {
                    let name = format!("{}: entry {index}", archive_place.name);
                    self.skip(Place { name: &name, ..archive_place }, UNKNOWN, &format!("can't be read: {error}"));
                }
            }
        }
    }

    fn tar(&mut self, archive_place: Place<'_>, reader: impl Read, depth: usize) {
        let mut archive = tar::Archive::new(reader);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return self.skip(archive_place, UNKNOWN, &format!("archive can't be read: {error}")),
        };
        for (index, entry) in entries.enumerate() {
            if self.bytes_left == 0 {
                return; // told once by the document that hit the limit
            }
            if index == self.limits.entries_max {
                let reason = format!("archive has more than {index} entries, the rest was not read");
                return self.skip(archive_place, UNKNOWN, &reason);
            }
            match entry {
                Ok(entry) if !entry.header().entry_type().is_file() => {}
                Ok(entry) => {
                    let inner = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
                    let reader = Box::new(BufReader::with_capacity(HEAD_BYTES_MAX, entry));
                    let name = format!("{}: {inner}", archive_place.name);
                    self.unpack(Place { name: &name, ..archive_place }, &inner, reader, depth);
                }
                Err(error) => {
                    return self.skip(archive_place, UNKNOWN, &format!("archive can't be read: {error}"));
                }
            }
        }
    }

    fn document(&mut self, place: Place<'_>, name: &str, mut reader: impl BufRead) {
        let mut head = Vec::new();
        if let Err(error) = reader.by_ref().take(HEAD_BYTES_MAX as u64).read_to_end(&mut head) {
            return self.skip(place, UNKNOWN, &format!("can't be read: {error}"));
        }
        let found = recognise(name, &head);
        let place = self.filed(place, found.map_or(UNKNOWN, |format| format.name));
        let Some(format) = found else {
            return self.stranger(place);
        };
        let Some(bytes) = self.bytes(place, format, head, reader) else {
            return;
        };
        self.records(place, format, &Document { name, bytes: &bytes });
    }

    /// A loose document is counted under its folder, everything else under itself.
    fn filed<'p>(&mut self, place: Place<'p>, format: &'static str) -> Place<'p> {
        let folder = place.source.parent().filter(|folder| *folder != Path::new(""));
        let (true, Some(folder)) = (Path::new(place.name) == place.source, folder) else {
            return place;
        };
        let first = (place.source.to_owned(), false);
        let known = self.loose.entry((folder.to_owned(), format)).or_insert(first);
        known.1 |= known.0 != place.source;
        Place { source: folder, ..place }
    }

    fn lines(&mut self, place: Place<'_>, document: &str, mut reader: impl BufRead) {
        for number in 1u64.. {
            let name = format!("{}: line {number}", place.name);
            let place = Place { name: &name, ..place };
            let mut line = Vec::new();
            let limit = LINE_BYTES_MAX as u64 + 1;
            match reader.by_ref().take(limit).read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(read) if !self.spend(place, UNKNOWN, read) => return,
                Ok(_) if line.len() as u64 == limit && !line.ends_with(b"\n") => {
                    self.skip(place, UNKNOWN, &format!("is longer than {LINE_BYTES_MAX} bytes"));
                    if !self.pass_line(place, &mut reader) {
                        return;
                    }
                }
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => match recognise(document, &line) {
                    Some(format) => self.records(place, format, &Document { name: document, bytes: &line }),
                    None => self.stranger(place),
                },
                Err(error) => return self.skip(place, UNKNOWN, &format!("can't be read: {error}")),
            }
        }
    }

    /// Passes over the rest of a line that is too long. False: the source ends here.
    fn pass_line(&mut self, place: Place<'_>, reader: &mut impl BufRead) -> bool {
        loop {
            let mut rest = Vec::new();
            match reader.by_ref().take(1 << 20).read_until(b'\n', &mut rest) {
                Ok(0) | Err(_) => return false,
                Ok(read) if !self.spend(place, UNKNOWN, read) => return false,
                Ok(_) if rest.ends_with(b"\n") => return true,
                Ok(_) => {}
            }
        }
    }

    /// All that a document says.
    fn records(&mut self, place: Place<'_>, format: &'static Format, document: &Document<'_>) {
        let within = |inner: &str| match inner {
            "" => place.name.to_owned(),
            inner => format!("{}: {inner}", place.name),
        };
        let read = (format.parse)(document, &mut |item| match item {
            Item::Skipped(skipped) => {
                let name = within(&skipped.place);
                self.skip(Place { name: &name, ..place }, format.name, &skipped.reason);
            }
            Item::Partial(skipped) => {
                let name = within(&skipped.place);
                self.tell(Place { name: &name, ..place }, &skipped.reason);
            }
            Item::UnknownEcosystem(ecosystem) => {
                // Releases of one ecosystem are one line.
                let name = ecosystem.split(':').next().unwrap_or_default();
                if self.unknown_ecosystems.len() < ECOSYSTEMS_MAX || self.unknown_ecosystems.contains_key(name) {
                    *self.unknown_ecosystems.entry(name.to_owned()).or_default() += 1;
                }
            }
            item => {
                self.tally(place, format.name).0 += 1;
                (self.sink)(item);
            }
        });
        match read {
            Ok(()) => {
                self.tally(place, format.name);
            }
            Err(error) => self.skip(place, format.name, &chain(&error)),
        }
    }

    /// All bytes of a document, of which `head` is read; `None` after telling why not.
    fn bytes(&mut self, place: Place<'_>, format: &Format, head: Vec<u8>, rest: impl Read) -> Option<Vec<u8>> {
        let mut bytes = head;
        let limit = format.bytes_max;
        let room = (limit + 1).saturating_sub(bytes.len()) as u64;
        if let Err(error) = rest.take(room).read_to_end(&mut bytes) {
            self.skip(place, format.name, &format!("can't be read: {error}"));
            return None;
        }
        if !self.spend(place, format.name, bytes.len()) {
            return None;
        }
        if bytes.len() > limit {
            self.skip(place, format.name, &format!("is longer than {limit} bytes"));
            return None;
        }
        Some(bytes)
    }

    /// Takes from what the whole source may unpack to. False: nothing is left, which is told once.
    fn spend(&mut self, place: Place<'_>, format: &'static str, bytes: usize) -> bool {
        let had = self.bytes_left;
        self.bytes_left = had.saturating_sub(bytes as u64);
        if self.bytes_left == 0 && had > 0 {
            let reason = format!("source is longer than {} bytes, the rest was not read", self.limits.bytes_max);
            self.skip(place, format, &reason);
        }
        self.bytes_left > 0
    }

    fn tally(&mut self, place: Place<'_>, format: &'static str) -> &mut (u64, u64) {
        self.tallies.entry((place.source.to_owned(), format)).or_default()
    }

    /// Counts a document of no known format: licences and readmes lie among the records.
    fn stranger(&mut self, place: Place<'_>) {
        self.tally(place, UNKNOWN).1 += 1;
        let first = self.strangers.entry(place.source.to_owned()).or_insert_with(|| (place.name.to_owned(), 0));
        first.1 += 1;
    }

    fn skip(&mut self, place: Place<'_>, format: &'static str, reason: &str) {
        self.tally(place, format).1 += 1;
        self.tell(place, reason);
    }

    fn tell(&mut self, place: Place<'_>, reason: &str) {
        self.told += 1;
        if self.told <= self.limits.skipped_max {
            (self.sink)(Item::Skipped(Skipped { place: place.name.to_owned(), reason: reason.to_owned() }));
        }
    }

    fn finish(self, path: &Path) -> Vec<SourceSummary> {
        let mut last = |place: String, reason| (self.sink)(Item::Skipped(Skipped { place, reason }));
        let place = || path.to_string_lossy().into_owned();
        for (_, (first, documents)) in self.strangers {
            let more =
                if documents > 1 { format!(", nor are {} more beside it", documents - 1) } else { String::new() };
            last(first, format!("is of no known format{more}"));
        }
        if self.told > self.limits.skipped_max {
            last(place(), format!("{} more could not be used", self.told - self.limits.skipped_max));
        }
        for (ecosystem, records) in self.unknown_ecosystems {
            last(place(), format!("unknown ecosystem `{ecosystem}` in {records} records"));
        }
        let summary = |((path, format), (records, set_aside)): ((PathBuf, _), _)| {
            let alone = self.loose.get(&(path.clone(), format)).filter(|(_, has_more)| !has_more);
            let path = alone.map_or(path, |(first, _)| first.clone());
            SourceSummary { path, format, records, set_aside }
        };
        let mut summaries: Vec<SourceSummary> = self.tallies.into_iter().map(summary).collect();
        summaries.sort_by(|a, b| (&a.path, a.format).cmp(&(&b.path, b.format)));
        summaries
    }
}

/// What stands around documents.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Bzip2,
    Zstd,
    Tar,
    Zip,
}

fn packing(head: &[u8]) -> Packing {
    match head {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] => Packing::Bzip2,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
        [b'P', b'K', 3, 4, ..] => Packing::Zip,
        // POSIX.1-1988, ustar: the magic stands behind name, mode, owner, size, time, checksum, type and link.
        _ if head.get(257..262) == Some(b"ustar") => Packing::Tar,
        _ => Packing::None,
    }
}

fn zstd_decoder<R: BufRead>(reader: R) -> std::io::Result<zstd::stream::read::Decoder<'static, R>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    Ok(decoder)
}

fn recognise(name: &str, head: &[u8]) -> Option<&'static Format> {
    let head = Head::new(name, head);
    FORMATS.iter().find(|format| (format.recognises)(&head))
}

fn unpacked_name(name: &str) -> &str {
    [".gz", ".zst", ".bz2"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// The error and its causes on one line.
fn chain(error: &FeedError) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        line = format!("{line}: {next}");
        cause = next.source();
    }
    line
}
