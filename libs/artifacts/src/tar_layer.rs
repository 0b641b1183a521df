//! Layers: a tar, plain or compressed, read as a stream and never unpacked.
//!
//! Source: OCI image-spec, "Image Layer Filesystem Changeset" (whiteouts), read 2026-11-24.

use crate::{
    ArtifactError, Limits, Progress,
    archive::{Entry, Kind, Reader, Source, Streaming},
    zip::take_file,
};
use muster_domain::Digest;
use muster_packages::{Collector, LayerFacts, normalise};
use sha2::{Digest as _, Sha256};
use std::{
    cell::Cell,
    io::{self, BufReader, Read},
};

/// A layer as it is stored.
pub struct LayerStream<R> {
    /// Of the bytes as stored; it is checked.
    pub digest: Digest,
    /// Bytes as stored, when known; it is checked.
    pub size: Option<u64>,
    /// The bytes.
    pub reader: R,
}

/// What a layer says. Gzip, zstd and plain tar are told by their first bytes, not by what a manifest calls them.
///
/// Fails when the stream breaks off or is not what its digest says. A layer that is what its digest says, but is no
/// readable tar to its end, gives what could be read and the reason.
pub fn read_layer<R: Read>(
    stream: LayerStream<R>,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<LayerFacts, ArtifactError> {
    let LayerStream { digest, size, reader } = stream;
    let failed = |cause| ArtifactError::Layer { digest: digest.clone(), cause };
    if size.is_some_and(|size| size > limits.layer_bytes_max) {
        let what = format!("layer `{digest}` of {} bytes", size.unwrap_or_default());
        return Err(ArtifactError::TooLarge { what, max: limits.layer_bytes_max });
    }
    let bytes_max = size.unwrap_or(limits.layer_bytes_max);
    let mut stored = Verifying { inner: reader, sum: Sha256::new(), bytes: 0, bytes_max, failed: false, progress };
    let mut collector = Collector::new(limits.facts);
    let outcome = read_stored(&mut stored, &digest, limits, &mut collector);
    if !stored.failed {
        // What follows the end of the tar, and all of it when it was no tar: the digest is of everything.
        io::copy(&mut stored, &mut io::sink()).map_err(failed)?;
    } else if let Err(cause) = outcome {
        return Err(failed(cause));
    }
    if size.is_some_and(|size| stored.bytes < size) {
        let message = format!("it ends after {} of {} bytes", stored.bytes, size.unwrap_or_default());
        return Err(failed(io::Error::new(io::ErrorKind::UnexpectedEof, message)));
    }
    let actual: Digest =
        format!("sha256:{}", hex::encode(stored.sum.finalize())).parse().expect("64 hexadecimal digits make a digest");
    if actual != digest {
        return Err(ArtifactError::DigestMismatch { expected: digest, actual });
    }
    if let Err(cause) = outcome {
        collector.skip(digest.as_str(), reason(&cause));
    }
    Ok(collector.finish())
}

fn reason(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::UnexpectedEof => "its archive ends early; what follows is missing".to_owned(),
        _ => format!("its archive is broken: {cause}; what follows is missing"),
    }
}

/// Sums up and counts what is read.
struct Verifying<'a, R> {
    inner: R,
    sum: Sha256,
    bytes: u64,
    bytes_max: u64,
    /// The source itself failed, so that nothing can be said of the layer.
    failed: bool,
    progress: &'a dyn Progress,
}

impl<R: Read> Read for Verifying<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.inner.read(buffer) {
            Ok(read) => read,
            Err(error) => {
                self.failed = error.kind() != io::ErrorKind::Interrupted;
                return Err(error);
            }
        };
        self.bytes += read as u64;
        if self.bytes > self.bytes_max {
            self.failed = true;
            return Err(io::Error::other(format!("it has more than {} bytes", self.bytes_max)));
        }
        self.sum.update(&buffer[..read]);
        self.progress.bytes_read(read as u64);
        Ok(read)
    }
}

/// The window of a zstd stream, as a power of two: 32 MiB of memory. The standard asks decoders for 8 MiB (RFC 8878,
/// section 3.1.1.1.2); `zstd -20` makes 32.
const ZSTD_WINDOW_LOG_MAX: u32 = 25;

/// Bytes read at once.
const BUFFER_BYTES: usize = 64 << 10;

fn read_stored(stored: &mut dyn Read, digest: &Digest, limits: &Limits, collector: &mut Collector) -> io::Result<()> {
    let mut magic = Vec::with_capacity(4);
    (&mut *stored).take(4).read_to_end(&mut magic)?;
    let is_gzip = magic.starts_with(&[0x1f, 0x8b]);
    let is_zstd = magic == [0x28, 0xb5, 0x2f, 0xfd];
    let stored = BufReader::with_capacity(BUFFER_BYTES, io::Cursor::new(magic).chain(stored));
    if is_gzip {
        read_tar(flate2::bufread::MultiGzDecoder::new(stored), digest, limits, collector)
    } else if is_zstd {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(stored)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
        read_tar(decoder, digest, limits, collector)
    } else {
        read_tar(stored, digest, limits, collector)
    }
}

/// Ends after so many bytes, and remembers that it did.
struct Limited<'a, R> {
    inner: R,
    left: u64,
    exceeded: &'a Cell<bool>,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            self.exceeded.set(true);
            return Ok(0);
        }
        let read = (&mut self.inner).take(self.left).read(buffer)?;
        self.left -= read as u64;
        Ok(read)
    }
}

/// Entries until the end of the archive or a limit.
fn read_tar(tar: impl Read, digest: &Digest, limits: &Limits, collector: &mut Collector) -> io::Result<()> {
    let exceeded = Cell::new(false);
    let limited = Limited { inner: tar, left: limits.layer_bytes_max, exceeded: &exceeded };
    let mut reader = Reader::new(Streaming(BufReader::with_capacity(BUFFER_BYTES, limited)));
    let outcome = read_entries(&mut reader, digest, limits, collector);
    if exceeded.get() {
        let max = limits.layer_bytes_max;
        let what = "bytes after decompression; the rest was left out";
        collector.limit(format!("layer `{digest}`: more than {max} {what}"));
        return Ok(());
    }
    outcome
}

fn read_entries<S: Source>(
    reader: &mut Reader<S>,
    digest: &Digest,
    limits: &Limits,
    collector: &mut Collector,
) -> io::Result<()> {
    let mut entries = 0;
    while let Some(entry) = reader.next()? {
        entries += 1;
        if entries > limits.entries_max {
            let max = limits.entries_max;
            collector.limit(format!("layer `{digest}`: more than {max} entries; the rest was left out"));
            break;
        }
        take_entry(reader, &entry, digest, limits, collector)?;
    }
    Ok(())
}

fn take_entry<S: Source>(
    reader: &mut Reader<S>,
    entry: &Entry,
    digest: &Digest,
    limits: &Limits,
    collector: &mut Collector,
) -> io::Result<()> {
    let path = match checked(&entry.name, limits) {
        Ok(path) => path,
        Err(reason) => {
            collector.skip(format!("{digest}: {}", shortened(&entry.name)), reason);
            return Ok(());
        }
    };
    if path.is_empty() {
        return Ok(()); // the root itself
    }
    if take_whiteout(&path, collector) {
        return Ok(());
    }
    match &entry.kind {
        Kind::File if !collector.wants(&path) => collector.present(&path),
        Kind::File if entry.size > limits.file_bytes_max(&path) => collector.file(&path, entry.size, &[]),
        Kind::File => match reader.content(entry.size) {
            Ok(bytes) => take_file(&path, entry.size, &bytes, limits, collector),
            Err(error) => {
                collector.unreadable(&path, "the archive breaks off inside it");
                return Err(error);
            }
        },
        Kind::Sparse if collector.wants(&path) => collector.unreadable(&path, "it is stored with holes"),
        Kind::Folder => collector.folder(&path),
        Kind::Symlink(target) => collector.link(&path, target),
        Kind::HardLink(target) => match normalise(target) {
            Ok(target) => collector.hard_link(&path, &target),
            Err(refused) => {
                collector.skip(format!("{digest}: {}", shortened(&entry.name)), format!("its target: {refused}"))
            }
        },
        Kind::Sparse | Kind::Special => collector.present(&path),
    }
    Ok(())
}

/// The entry's path below the root, or why it is not taken.
pub(crate) fn checked(name: &str, limits: &Limits) -> Result<String, String> {
    if name.len() > limits.path_bytes_max {
        return Err(format!("its name of {} bytes is longer than {}", name.len(), limits.path_bytes_max));
    }
    let path = normalise(name).map_err(|refused| refused.to_string())?;
    if path.split('/').count() > limits.depth_max {
        return Err(format!("it lies more than {} folders deep", limits.depth_max));
    }
    Ok(path)
}

/// The beginning of a name, for a person.
pub(crate) fn shortened(name: &str) -> String {
    const LETTERS: usize = 200;
    match name.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// Whether the entry is a whiteout, or one of AUFS' own files, which are named like whiteouts and are none.
fn take_whiteout(path: &str, collector: &mut Collector) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(hidden) = name.strip_prefix(".wh.") else { return false };
    if hidden == ".wh..opq" {
        collector.opaque(folder);
    } else if !hidden.starts_with(".wh.") && !hidden.is_empty() && hidden != "." && hidden != ".." {
        collector.whiteout(if folder.is_empty() { hidden.to_owned() } else { format!("{folder}/{hidden}") }.as_str());
    }
    true
}

#[cfg(test)]
mod tests;
