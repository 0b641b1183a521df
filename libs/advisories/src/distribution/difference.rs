//! Two files -> a delta, and a delta and the old file -> the new one, in memory that does not grow with the files.
//!
//! The new file is cut into chunks, each made of a stretch of the old file. In a table, row by row (`rows`), compressed
//! with zstd (RFC 8878). Elsewhere as a zstd frame that may refer to the stretch as if it stood right before it, as
//! `zstd --patch-from` does with the whole of both. Why this and no other way:
//! `docs/decisions/0007-deltas-between-epochs.md`.
//!
//! ```text
//! magic (8) | format (u32) | reserved, 0 (u32) | bytes of the new file (u64) | chunks until those are complete
//! chunk: start (u64) and bytes (u32) of the stretch of the old file | bytes of the new (u32) | bytes of a row, 0: no table
//!        (u32) | of the frame (u32) | frame
//! ```
//!
//! Numbers are little-endian. Nobody is trusted here: every number is checked before memory is taken for it.

use super::rows;
use crate::database::Table;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;

const MAGIC: [u8; 8] = *b"MUSTERDL";
const FORMAT: u32 = 1;
const HEADER_BYTES: usize = 24;
const CHUNK_HEADER_BYTES: usize = 24;

/// Of the new file at a time.
const CHUNK_BYTES: usize = 32 << 20;

/// How far something may have moved within its section from one epoch to the next and still be found again. Sections grow
/// by kilobytes a day.
const MARGIN_BYTES: usize = 32 << 20;

/// Most bytes of the old file that a chunk may refer to.
const STRETCH_BYTES_MAX: usize = CHUNK_BYTES + 2 * MARGIN_BYTES;

/// Stretch and chunk are 128 MiB: a window of 2^27 covers them, and is what every zstd decoder takes unasked.
const WINDOW_LOG: u32 = 27;

/// Most bytes of a chunk's differences and runs, unpacked.
const UNPACKED_BYTES_MAX: usize = 2 * CHUNK_BYTES;

/// Most bytes of a frame: what does not compress, zstd stores with three bytes more per 128 KiB and a frame header.
const FRAME_BYTES_MAX: usize = UNPACKED_BYTES_MAX + (1 << 20);

/// Longest row that is compared as such.
const ROW_BYTES_MAX: usize = 256;

/// See the table in `docs/decisions/0007-deltas-between-epochs.md`.
const LEVEL: i32 = 12;

/// A file and where it has tables, in their order. Two files without equally many tables are compared as bytes.
pub(super) struct Side<'a> {
    pub(super) file: &'a File,
    pub(super) tables: Vec<Table>,
}

/// A part of the new file, where its counterpart in the old one is, and the length of its rows (0: none).
struct Part {
    old: std::ops::Range<u64>,
    new: std::ops::Range<u64>,
    row_bytes: usize,
}

/// Writes what turns `old` into `new`. Holds a stretch, a chunk, its differences and zstd's tables: below 400 MiB.
pub(super) fn make(old: &Side<'_>, new: &Side<'_>, delta: &mut impl Write) -> io::Result<()> {
    let (old_bytes, new_bytes) = (old.file.metadata()?.len(), new.file.metadata()?.len());
    delta.write_all(&MAGIC)?;
    delta.write_all(&FORMAT.to_le_bytes())?;
    delta.write_all(&0u32.to_le_bytes())?;
    delta.write_all(&new_bytes.to_le_bytes())?;
    for part in parts(old, old_bytes, new, new_bytes) {
        if part.row_bytes > 0 {
            make_rows(old.file, new.file, &part, delta)?;
        } else {
            make_bytes(old.file, old_bytes, new.file, &part, delta)?;
        }
    }
    Ok(())
}

/// The whole new file: tables, and what is before, between and behind them.
fn parts(old: &Side<'_>, old_bytes: u64, new: &Side<'_>, new_bytes: u64) -> Vec<Part> {
    let (mut parts, mut at_old, mut at_new) = (Vec::new(), 0, 0);
    if old.tables.len() == new.tables.len() {
        for (a, b) in old.tables.iter().zip(&new.tables) {
            let ahead = a.bytes.start >= at_old && b.bytes.start >= at_new;
            let rows = a.row_bytes == b.row_bytes && rows::fits(a.row_bytes) && a.row_bytes <= ROW_BYTES_MAX;
            if !ahead || b.bytes.end > new_bytes || a.bytes.end > old_bytes {
                break; // the rest as bytes
            }
            parts.push(Part { old: at_old..a.bytes.start, new: at_new..b.bytes.start, row_bytes: 0 });
            let row_bytes = if rows { a.row_bytes } else { 0 };
            parts.push(Part { old: a.bytes.clone(), new: b.bytes.clone(), row_bytes });
            (at_old, at_new) = (a.bytes.end, b.bytes.end);
        }
    }
    parts.push(Part { old: at_old..old_bytes, new: at_new..new_bytes, row_bytes: 0 });
    parts
}

fn make_rows(old: &File, new: &File, part: &Part, delta: &mut impl Write) -> io::Result<()> {
    let (mut at_old, mut at) = (part.old.start, part.new.start);
    let whole = |bytes: usize| (bytes - bytes % part.row_bytes) as u64;
    while at < part.new.end {
        let chunk = read(new, at, (part.new.end - at).min(whole(CHUNK_BYTES)))?;
        let stretch = read(old, at_old, (part.old.end - at_old).min(whole(STRETCH_BYTES_MAX)))?;
        let (made, seen) = rows::make(&stretch, &chunk, part.row_bytes);
        let seen = seen * part.row_bytes;
        if made.len() > UNPACKED_BYTES_MAX {
            let rest = Part { old: at_old..part.old.end, new: at..part.new.end, row_bytes: 0 };
            return make_bytes(old, part.old.end, new, &rest, delta);
        }
        write_chunk(delta, at_old, seen, chunk.len(), part.row_bytes, &zstd::bulk::compress(&made, LEVEL)?)?;
        at_old += seen as u64;
        at += chunk.len() as u64;
    }
    Ok(())
}

fn make_bytes(old: &File, old_bytes: u64, new: &File, part: &Part, delta: &mut impl Write) -> io::Result<()> {
    let mut at = part.new.start;
    while at < part.new.end {
        let chunk = read(new, at, (part.new.end - at).min(CHUNK_BYTES as u64))?;
        // A short part is not worth looking far.
        let margin = (2 * chunk.len() as u64 + (1 << 20)).min(MARGIN_BYTES as u64);
        let same_place = part.old.start.saturating_add(at - part.new.start).min(part.old.end);
        let from = same_place.saturating_sub(margin);
        let end = same_place.saturating_add(chunk.len() as u64 + margin).min(old_bytes);
        let stretch = read(old, from, end - from)?;
        write_chunk(delta, from, stretch.len(), chunk.len(), 0, &pack(&stretch, &chunk)?)?;
        at += chunk.len() as u64;
    }
    Ok(())
}

fn read(file: &File, at: u64, bytes: u64) -> io::Result<Vec<u8>> {
    let mut read = vec![0; bytes as usize]; // a stretch or a chunk
    file.read_exact_at(&mut read, at)?;
    Ok(read)
}

fn write_chunk(
    delta: &mut impl Write,
    from: u64,
    stretch_bytes: usize,
    chunk_bytes: usize,
    row_bytes: usize,
    frame: &[u8],
) -> io::Result<()> {
    delta.write_all(&from.to_le_bytes())?;
    for bytes in [stretch_bytes, chunk_bytes, row_bytes, frame.len()] {
        delta.write_all(&(bytes as u32).to_le_bytes())?; // each below 2^27
    }
    delta.write_all(frame)
}

fn pack(stretch: &[u8], chunk: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::with_ref_prefix(Vec::new(), LEVEL, stretch)?;
    encoder.window_log(WINDOW_LOG)?;
    encoder.long_distance_matching(true)?;
    encoder.set_pledged_src_size(Some(chunk.len() as u64))?;
    encoder.write_all(chunk)?;
    encoder.finish()
}

/// Why a delta can't be applied.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is no delta, is cut short, or says more than it may.
    Delta(&'static str),
    /// A frame can't be unpacked.
    Frame(io::Error),
    /// The base can't be read.
    Base(io::Error),
    /// The result can't be written.
    Result(io::Error),
}

/// What stands before a frame.
struct Chunk {
    from: u64,
    stretch_bytes: usize,
    bytes: usize,
    row_bytes: usize,
    frame_bytes: usize,
}

/// Writes the file of `bytes` bytes that `delta` makes of `old`. Holds one stretch (96 MiB at most), one frame (65 MiB), what is
/// in it (64 MiB), the chunk (32 MiB) and zstd's window (128 MiB), whatever the length of the files; about
/// a third of that with what `make` writes.
pub(super) fn apply(old: &File, delta: &mut impl Read, bytes: u64, new: &mut impl Write) -> Result<(), Failure> {
    let old_bytes = old.metadata().map_err(Failure::Base)?.len();
    let header: [u8; HEADER_BYTES] = numbers(delta)?;
    if header[..8] != MAGIC || u32_at(&header, 8) != FORMAT {
        return Err(Failure::Delta("it is not a delta of a format that this program reads"));
    }
    if u64_at(&header, 16) != bytes {
        return Err(Failure::Delta("it makes a file of another length than the index says"));
    }
    let (mut stretch, mut frame) = (Vec::new(), Vec::new());
    let mut left = bytes;
    while left > 0 {
        let chunk = read_chunk(delta, old_bytes, left)?;
        stretch.resize(chunk.stretch_bytes, 0);
        old.read_exact_at(&mut stretch, chunk.from).map_err(Failure::Base)?;
        frame.clear();
        delta.take(chunk.frame_bytes as u64).read_to_end(&mut frame).map_err(Failure::Frame)?;
        if frame.len() != chunk.frame_bytes {
            return Err(Failure::Delta("it is cut short"));
        }
        if chunk.row_bytes == 0 {
            unpack(&stretch, &frame, chunk.bytes as u64, new)?;
        } else {
            let rows = unpack_rows(&stretch, &frame, &chunk)?;
            new.write_all(&rows).map_err(Failure::Result)?;
        }
        left -= chunk.bytes as u64;
    }
    match delta.read(&mut [0]).map_err(Failure::Frame)? {
        0 => Ok(()),
        _ => Err(Failure::Delta("it goes on after its end")),
    }
}

fn read_chunk(delta: &mut impl Read, old_bytes: u64, left: u64) -> Result<Chunk, Failure> {
    let raw: [u8; CHUNK_HEADER_BYTES] = numbers(delta)?;
    let [stretch_bytes, bytes, row_bytes, frame_bytes] = [8, 12, 16, 20].map(|at| u32_at(&raw, at) as usize);
    let chunk = Chunk { from: u64_at(&raw, 0), stretch_bytes, bytes, row_bytes, frame_bytes };
    if stretch_bytes > STRETCH_BYTES_MAX
        || bytes > CHUNK_BYTES
        || row_bytes > ROW_BYTES_MAX
        || frame_bytes > FRAME_BYTES_MAX
    {
        return Err(Failure::Delta("a chunk is too large"));
    }
    if bytes == 0 || bytes as u64 > left {
        return Err(Failure::Delta("its chunks are not the file"));
    }
    if chunk.from.checked_add(stretch_bytes as u64).is_none_or(|end| end > old_bytes) {
        return Err(Failure::Delta("a chunk refers to what the old file does not have"));
    }
    Ok(chunk)
}

fn unpack_rows(stretch: &[u8], frame: &[u8], chunk: &Chunk) -> Result<Vec<u8>, Failure> {
    let mut made = Vec::new();
    let decoder = zstd::Decoder::with_buffer(frame).map_err(Failure::Frame)?.single_frame();
    decoder.take(UNPACKED_BYTES_MAX as u64 + 1).read_to_end(&mut made).map_err(Failure::Frame)?;
    if made.len() > UNPACKED_BYTES_MAX {
        return Err(Failure::Delta("a frame gives more than its chunk says"));
    }
    rows::apply(stretch, &made, chunk.bytes, chunk.row_bytes)
        .ok_or(Failure::Delta("a table's differences are not those of its rows"))
}

fn unpack(stretch: &[u8], frame: &[u8], bytes: u64, new: &mut impl Write) -> Result<(), Failure> {
    let mut decoder = zstd::Decoder::with_ref_prefix(frame, stretch).map_err(Failure::Frame)?.single_frame();
    decoder.window_log_max(WINDOW_LOG).map_err(Failure::Frame)?;
    let mut block = vec![0; 1 << 20];
    let mut left = bytes;
    loop {
        let read = decoder.read(&mut block).map_err(Failure::Frame)?;
        if read == 0 {
            break;
        }
        left = left.checked_sub(read as u64).ok_or(Failure::Delta("a frame gives more than its chunk says"))?;
        new.write_all(&block[..read]).map_err(Failure::Result)?;
    }
    if left > 0 {
        return Err(Failure::Delta("a frame gives less than its chunk says"));
    }
    Ok(())
}

fn numbers<const N: usize>(delta: &mut impl Read) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    delta.read_exact(&mut bytes).map_err(|_| Failure::Delta("it is cut short"))?;
    Ok(bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn delta(old: &[u8], new: &[u8]) -> Vec<u8> {
        let mut delta = Vec::new();
        let side = |file| Side { file, tables: Vec::new() };
        make(&side(&file(old)), &side(&file(new)), &mut delta).unwrap();
        delta
    }

    fn applied(old: &[u8], delta: &[u8], bytes: u64) -> Result<Vec<u8>, String> {
        let mut new = Vec::new();
        let result = apply(&file(old), &mut &delta[..], bytes, &mut new);
        result.map(|()| new).map_err(|failure| format!("{failure:?}"))
    }

    /// Bytes without order that are the same each time (xorshift).
    fn noise(bytes: usize, mut state: u64) -> Vec<u8> {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        (0..bytes).map(|_| next()).collect()
    }

    #[test]
    fn the_new_file_comes_out_of_the_old_one_and_the_delta() {
        let old = noise(1 << 20, 1);
        let inserted = [&old[..500_000], b"something new", &old[500_000..]].concat();
        let removed = [&old[..300_000], &old[400_000..]].concat();
        for (old, new, bytes_max) in [
            (&old[..], &old[..], 1_000),
            (&old, &inserted, 1_000),
            (&old, &removed, 1_000),
            (&old, b"", 100),                    // nothing left
            (b"", &old[..100_000], 101_000),     // from nothing: as large as it is
            (&old, &noise(100_000, 2), 101_000), // nothing in common
        ] {
            let delta = delta(old, new);
            assert!(delta.len() < bytes_max, "{} bytes", delta.len());
            assert_eq!(applied(old, &delta, new.len() as u64).unwrap(), new);
        }
    }

    /// 70 MiB are three chunks, and the second and third refer to stretches that don't begin with the old file.
    #[test]
    fn files_of_several_chunks_are_put_together() {
        let old = noise(70 << 20, 3);
        let new = [&old[..1 << 20], b"moved by this", &old[1 << 20..]].concat();
        let delta = delta(&old, &new);
        assert!(delta.len() < 20_000, "{} bytes", delta.len());
        assert_eq!(applied(&old, &delta, new.len() as u64).unwrap(), new);
    }

    #[test]
    fn a_delta_that_lies_is_refused() {
        let (old, new) = (noise(10_000, 4), noise(10_000, 5));
        let good = delta(&old, &new);
        let bytes = new.len() as u64;
        let check = |delta: &[u8], bytes: u64, expected: &str| {
            let failure = applied(&old, delta, bytes).unwrap_err();
            assert!(failure.contains(expected), "{failure}");
        };
        let with = |at: usize, number: &[u8]| {
            let mut delta = good.clone();
            delta[at..at + number.len()].copy_from_slice(number);
            delta
        };
        check(b"", bytes, "cut short");
        check(&good[..good.len() - 1], bytes, "cut short");
        check(&[&good[..], b"x"].concat(), bytes, "goes on after its end");
        check(&with(0, b"X"), bytes, "not a delta of a format");
        check(&with(8, &2u32.to_le_bytes()), bytes, "not a delta of a format");
        check(&good, bytes - 1, "another length than the index says");
        check(&with(16, &u64::MAX.to_le_bytes()), u64::MAX, "cut short"); // a huge claim costs nothing
        check(&with(24, &u64::MAX.to_le_bytes()), bytes, "what the old file does not have");
        check(&with(24, &1u64.to_le_bytes()), bytes, "what the old file does not have");
        check(&with(32, &u32::MAX.to_le_bytes()), bytes, "too large");
        check(&with(36, &u32::MAX.to_le_bytes()), bytes, "too large");
        check(&with(36, &9_999u32.to_le_bytes()), bytes, "gives more than its chunk says");
        check(&with(36, &0u32.to_le_bytes()), bytes, "chunks are not the file");
        check(&with(36, &10_001u32.to_le_bytes()), bytes, "chunks are not the file");
        check(&with(40, &u32::MAX.to_le_bytes()), bytes, "too large");
        check(&with(40, &4u32.to_le_bytes()), bytes, "differences are not those"); // bytes, read as a table
        check(&with(44, &u32::MAX.to_le_bytes()), bytes, "too large");
        check(&with(48, b"XXXX"), bytes, "Frame"); // zstd's own magic
    }

    /// Two tables with bytes around them, and a third whose rows got longer.
    #[test]
    fn tables_are_compared_as_such_and_all_around_them_as_bytes() {
        let table = |rows: std::ops::Range<u32>| -> Vec<u8> {
            rows.flat_map(|row| [row * 3, row * row, 7]).flat_map(u32::to_le_bytes).collect()
        };
        let build = |shift: u32, last_row: usize| {
            let (a, b) = (table(shift..10_000 + shift), table(0..5_000 + shift));
            let bytes = [b"head", &a[..], b"between", &b[..], &noise(600, 8), b"tail"].concat();
            let start = [4, 4 + a.len() + 7, 4 + a.len() + 7 + b.len()].map(|at| at as u64);
            let spans = [(start[0], a.len(), 12), (start[1], b.len(), 12), (start[2], 600, last_row)];
            let tables = spans.map(|(from, bytes, row_bytes)| Table { bytes: from..from + bytes as u64, row_bytes });
            (bytes, tables.to_vec())
        };
        let ((old, old_tables), (new, new_tables)) = (build(0, 12), build(3, 24));
        let (old_file, new_file) = (file(&old), file(&new));
        let mut delta = Vec::new();
        let side = |file, tables: &[Table]| Side { file, tables: tables.to_vec() };
        make(&side(&old_file, &old_tables), &side(&new_file, &new_tables), &mut delta).unwrap();
        assert_eq!(applied(&old, &delta, new.len() as u64).unwrap(), new);

        // tables that don't fit the files, or each other, cost bytes and nothing else
        for tables in
            [&old_tables[..2], &old_tables, &[new_tables[0].clone(), old_tables[0].clone(), old_tables[2].clone()]]
        {
            let mut delta = Vec::new();
            make(&side(&old_file, &old_tables), &side(&new_file, tables), &mut delta).unwrap();
            assert_eq!(applied(&old, &delta, new.len() as u64).unwrap(), new);
        }
    }

    #[test]
    fn any_changed_byte_is_refused_or_gives_other_bytes_but_never_a_panic() {
        let old = noise(5_000, 6);
        let new = [&old[..2_000], &noise(500, 7), &old[2_000..]].concat();
        let good = delta(&old, &new);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            let _ = applied(&old, &bad, new.len() as u64);
        }
    }
}
