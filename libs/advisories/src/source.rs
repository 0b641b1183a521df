//! Where feeds lie: a folder, a file, a `.zip` of records (OSV's `all.zip`), JSON lines, each also under gzip or zstd.
//!
//! What a document is (OSV, KEV, EPSS) is told by its content, so that a feed may be named as it comes. A record that
//! can't be read is set aside with its place and reason; it neither stops the rest nor vanishes.

use crate::feed::{FeedError, RECORD_BYTES_MAX};
use crate::{epss, kev, osv};
use muster_domain::{Advisory, Epss, KnownExploited, Skipped};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

/// What a source yields, in the order in which it lies there.
// Items are handed on one by one, never kept in a list, so the size of the largest costs nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Item {
    /// One record.
    Advisory(Advisory),
    /// A whole catalogue, by CVE.
    KnownExploited(BTreeMap<String, KnownExploited>),
    /// A whole table, by CVE.
    Epss(BTreeMap<String, Epss>),
    /// Something that could not be used.
    Skipped(Skipped),
}

/// What a document turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// OSV JSON.
    Osv,
    /// CISA's Known Exploited Vulnerabilities.
    KnownExploited,
    /// EPSS' table.
    Epss,
    /// None of them.
    Unknown,
}

impl Format {
    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Osv => "OSV",
            Self::KnownExploited => "KEV",
            Self::Epss => "EPSS",
            Self::Unknown => "unknown",
        }
    }
}

/// What came out of one archive or file, or of the loose files of one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSummary {
    /// The archive, file or folder.
    pub path: PathBuf,
    /// What lay there.
    pub format: Format,
    /// Records, catalogue entries or table lines that were read.
    pub records: u64,
    /// How many could not be.
    pub set_aside: u64,
}

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

/// Reads all of `path` within the default limits and gives each item to `sink`.
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
        skipped: 0,
        tallies: BTreeMap::new(),
        unknown_ecosystems: BTreeMap::new(),
    };
    reading.path(path, 0).map_err(|cause| SourceError { path: path.to_owned(), cause })?;
    Ok(reading.finish(path))
}

struct Reading<'s, S> {
    sink: &'s mut S,
    limits: Limits,
    bytes_left: u64,
    skipped: u64,
    /// Records and set aside.
    tallies: BTreeMap<(PathBuf, Format), (u64, u64)>,
    unknown_ecosystems: BTreeMap<String, u64>,
}

/// A document's place: what it is counted under, and what it is called when it can't be read.
#[derive(Clone, Copy)]
struct Place<'p> {
    source: &'p Path,
    name: &'p str,
}

/// First bytes that tell what a document is: the real KEV catalogue names itself within the first hundred.
const HEAD_BYTES: u64 = 4096;
/// Most different unknown ecosystems that are counted; OSV has about 50.
const ECOSYSTEMS_MAX: usize = 1000;

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
                self.skip(place, Format::Unknown, "folders are nested too deep");
            } else if let Err(error) = self.path(&within, depth + 1) {
                self.skip(place, Format::Unknown, &format!("can't be read: {error}"));
            }
        }
        Ok(())
    }

    /// A loose record is counted under its folder, everything else under itself.
    fn file(&mut self, path: &Path) -> std::io::Result<()> {
        let name = path.to_string_lossy();
        let mut file = BufReader::new(File::open(path)?);
        let magic = file.fill_buf()?.first_chunk::<4>().copied().unwrap_or_default();
        let archive = Place { source: path, name: &name };
        match magic {
            [b'P', b'K', 3, 4] => self.archive(archive, file.into_inner()),
            [0x1f, 0x8b, ..] => {
                self.document(archive, unpacked_name(&name), flate2::bufread::MultiGzDecoder::new(file))
            }
            [0x28, 0xb5, 0x2f, 0xfd] => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
                decoder.window_log_max(WINDOW_LOG_MAX)?;
                self.document(archive, unpacked_name(&name), decoder);
            }
            _ => self.document(archive, &name, file),
        }
        Ok(())
    }

    fn archive(&mut self, place: Place<'_>, file: File) {
        let entries_max = self.limits.entries_max;
        match zip::ZipArchive::new(file) {
            Ok(archive) if archive.len() > entries_max => {
                self.skip(place, Format::Unknown, &format!("archive has more than {entries_max} entries"));
            }
            Ok(archive) => self.entries(place, archive),
            Err(error) => self.skip(place, Format::Unknown, &format!("archive can't be read: {error}")),
        }
    }

    fn entries<R: Read + Seek>(&mut self, archive_place: Place<'_>, mut archive: zip::ZipArchive<R>) {
        for index in 0..archive.len() {
            if self.bytes_left == 0 {
                return; // told once by the document that hit the limit
            }
            match archive.by_index(index) {
                Ok(entry) if entry.is_dir() => {}
                Ok(entry) => {
                    let inner = entry.name().map_or_else(|_| format!("entry {index}"), |name| name.into_owned());
                    let name = format!("{}: {inner}", archive_place.name);
                    self.document(Place { name: &name, ..archive_place }, &inner, entry);
                }
                Err(error) => {
                    let name = format!("{}: entry {index}", archive_place.name);
                    self.skip(
                        Place { name: &name, ..archive_place },
                        Format::Unknown,
                        &format!("can't be read: {error}"),
                    );
                }
            }
        }
    }

    /// One document under its own `name`, the packing taken off.
    fn document(&mut self, place: Place<'_>, name: &str, mut reader: impl Read) {
        let mut head = Vec::new();
        if let Err(error) = reader.by_ref().take(HEAD_BYTES).read_to_end(&mut head) {
            return self.skip(place, Format::Unknown, &format!("can't be read: {error}"));
        }
        let format = recognise(&head);
        let whole = Cursor::new(head).chain(reader);
        if format == Format::Osv && [".jsonl", ".ndjson"].iter().any(|ending| name.ends_with(ending)) {
            return self.lines(place, BufReader::new(whole));
        }
        let limit = match format {
            Format::Osv => RECORD_BYTES_MAX,
            Format::KnownExploited => kev::CATALOGUE_BYTES_MAX,
            Format::Epss => epss::TABLE_BYTES_MAX,
            Format::Unknown => {
                return self.skip(place, format, "is neither OSV nor KEV JSON nor an EPSS table");
            }
        };
        let Some(bytes) = self.bytes(place, format, whole, limit) else {
            return;
        };
        match format {
            Format::KnownExploited => match kev::parse(&bytes) {
                Ok(known) => {
                    self.tally(place, format).0 += known.len() as u64;
                    (self.sink)(Item::KnownExploited(known));
                }
                Err(error) => self.skip(place, format, &chain(&error)),
            },
            Format::Epss => match epss::parse(&bytes) {
                Ok((predictions, bad_lines)) => {
                    self.tally(place, format).0 += predictions.len() as u64;
                    for bad in bad_lines {
                        let name = format!("{}: {}", place.name, bad.place);
                        self.skip(Place { name: &name, ..place }, format, &bad.reason);
                    }
                    (self.sink)(Item::Epss(predictions));
                }
                Err(error) => self.skip(place, format, &chain(&error)),
            },
            Format::Osv | Format::Unknown => {
                let is_loose = Path::new(place.name) == place.source;
                let folder = place.source.parent().filter(|folder| is_loose && *folder != Path::new(""));
                let folder = folder.unwrap_or(place.source);
                self.record(Place { source: folder, ..place }, &bytes);
            }
        }
    }

    fn lines(&mut self, place: Place<'_>, mut reader: impl BufRead) {
        for number in 1u64.. {
            let name = format!("{}: line {number}", place.name);
            let place = Place { name: &name, ..place };
            let mut line = Vec::new();
            let limit = RECORD_BYTES_MAX as u64 + 1;
            match reader.by_ref().take(limit).read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(read) if !self.spend(place, Format::Osv, read) => return,
                Ok(_) if line.len() as u64 == limit && !line.ends_with(b"\n") => {
                    self.skip(place, Format::Osv, &format!("is longer than {RECORD_BYTES_MAX} bytes"));
                    if !self.pass_line(place, &mut reader) {
                        return;
                    }
                }
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => self.record(place, &line),
                Err(error) => {
                    return self.skip(place, Format::Osv, &format!("can't be read: {error}"));
                }
            }
        }
    }

    /// Passes over the rest of a line that is too long. False: the source ends here.
    fn pass_line(&mut self, place: Place<'_>, reader: &mut impl BufRead) -> bool {
        loop {
            let mut rest = Vec::new();
            match reader.by_ref().take(1 << 20).read_until(b'\n', &mut rest) {
                Ok(0) | Err(_) => return false,
                Ok(read) if !self.spend(place, Format::Osv, read) => return false,
                Ok(_) if rest.ends_with(b"\n") => return true,
                Ok(_) => {}
            }
        }
    }

    fn record(&mut self, place: Place<'_>, bytes: &[u8]) {
        match osv::parse_record(bytes) {
            Ok(record) => {
                self.tally(place, Format::Osv).0 += 1;
                for ecosystem in record.unknown_ecosystems {
                    // Releases of one ecosystem are one line.
                    let name = ecosystem.split(':').next().unwrap_or_default();
                    if self.unknown_ecosystems.len() < ECOSYSTEMS_MAX || self.unknown_ecosystems.contains_key(name) {
                        *self.unknown_ecosystems.entry(name.to_owned()).or_default() += 1;
                    }
                }
                for reason in record.skipped {
                    self.tell(place, &reason);
                }
                (self.sink)(Item::Advisory(record.advisory));
            }
            Err(error) => self.skip(place, Format::Osv, &chain(&error)),
        }
    }

    /// All bytes of a document of at most `limit`; `None` after telling why not.
    fn bytes(&mut self, place: Place<'_>, format: Format, reader: impl Read, limit: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Err(error) = reader.take(limit as u64 + 1).read_to_end(&mut bytes) {
            self.skip(place, format, &format!("can't be read: {error}"));
            return None;
        }
        if !self.spend(place, format, bytes.len()) {
            return None;
        }
        if bytes.len() > limit {
            self.skip(place, format, &format!("is longer than {limit} bytes"));
            return None;
        }
        Some(bytes)
    }

    /// Takes from what the whole source may unpack to. False: nothing is left, which is told once.
    fn spend(&mut self, place: Place<'_>, format: Format, bytes: usize) -> bool {
        let had = self.bytes_left;
        self.bytes_left = had.saturating_sub(bytes as u64);
        if self.bytes_left == 0 && had > 0 {
            let reason = format!("source is longer than {} bytes, the rest was not read", self.limits.bytes_max);
            self.skip(place, format, &reason);
        }
        self.bytes_left > 0
    }

    fn tally(&mut self, place: Place<'_>, format: Format) -> &mut (u64, u64) {
        self.tallies.entry((place.source.to_owned(), format)).or_default()
    }

    fn skip(&mut self, place: Place<'_>, format: Format, reason: &str) {
        self.tally(place, format).1 += 1;
        self.tell(place, reason);
    }

    fn tell(&mut self, place: Place<'_>, reason: &str) {
        self.skipped += 1;
        if self.skipped <= self.limits.skipped_max {
            (self.sink)(Item::Skipped(Skipped { place: place.name.to_owned(), reason: reason.to_owned() }));
        }
    }

    fn finish(self, path: &Path) -> Vec<SourceSummary> {
        let place = path.to_string_lossy().into_owned();
        let mut last = |reason| (self.sink)(Item::Skipped(Skipped { place: place.clone(), reason }));
        if self.skipped > self.limits.skipped_max {
            last(format!("{} more could not be used", self.skipped - self.limits.skipped_max));
        }
        for (ecosystem, records) in self.unknown_ecosystems {
            last(format!("unknown ecosystem `{ecosystem}` in {records} records"));
        }
        let summary = |((path, format), (records, set_aside))| SourceSummary { path, format, records, set_aside };
        self.tallies.into_iter().map(summary).collect()
    }
}

/// The largest window of `zstd --long` without `--ultra`'s own flags: 128 MiB of memory.
const WINDOW_LOG_MAX: u32 = 27;

fn recognise(head: &[u8]) -> Format {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let holds = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
    match text {
        [b'{', ..] if holds(b"\"catalogVersion\"") => Format::KnownExploited,
        [b'{', ..] => Format::Osv,
        _ if text.starts_with(b"#model_version") || text.starts_with(b"cve,") => Format::Epss,
        _ => Format::Unknown,
    }
}

fn unpacked_name(name: &str) -> &str {
    [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
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
