//! Two files -> a delta, and a delta and the old file -> the new one, in memory that does not grow with the files.
//!
//! The new file is cut into chunks. Each is a zstd frame of its own (RFC 8878) that may refer to a stretch of the old file
//! as if it stood right before it, as `zstd --patch-from` does with the whole of both. Why this and no other way:
//! `docs/decisions/0006-deltas-between-epochs.md`.
//!
//! ```text
//! magic (8) | format (u32) | reserved, 0 (u32) | bytes of the new file (u64) | chunks until those are complete
//! chunk: start (u64) and bytes (u32) of the stretch of the old file | bytes of the new (u32) | of the frame (u32) | frame
//! ```
//!
//! Numbers are little-endian. Nobody is trusted here: every number is checked before memory is taken for it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;

const MAGIC: [u8; 8] = *b"MUSTERDL";
const FORMAT: u32 = 1;
const HEADER_BYTES: usize = 24;
const CHUNK_HEADER_BYTES: usize = 20;

/// Of the new file at a time.
const CHUNK_BYTES: usize = 32 << 20;

/// How far something may have moved from one epoch to the next and still be found again. Sections grow by
/// kilobytes a day.
const MARGIN_BYTES: usize = 32 << 20;

/// Most bytes of the old file that a chunk may refer to.
const STRETCH_BYTES_MAX: usize = CHUNK_BYTES + 2 * MARGIN_BYTES;

/// Stretch and chunk are 128 MiB: a window of 2^27 covers them, and is what every zstd decoder takes unasked.
const WINDOW_LOG: u32 = 27;

/// Most bytes of a frame: what does not compress, zstd stores with three bytes more per 128 KiB and a frame header.
const FRAME_BYTES_MAX: usize = CHUNK_BYTES + (1 << 20);

/// See the table in `docs/decisions/0006-deltas-between-epochs.md`.
const LEVEL: i32 = 12;

/// Writes what turns `old` into `new`. Holds 128 MiB and zstd's tables (below 200 MiB) at most.
pub(super) fn make(old: &File, new: &File, delta: &mut impl Write) -> io::Result<()> {
    let (old_bytes, new_bytes) = (old.metadata()?.len(), new.metadata()?.len());
    delta.write_all(&MAGIC)?;
    delta.write_all(&FORMAT.to_le_bytes())?;
    delta.write_all(&0u32.to_le_bytes())?;
    delta.write_all(&new_bytes.to_le_bytes())?;
    let (mut stretch, mut chunk) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < new_bytes {
        chunk.resize((new_bytes - at).min(CHUNK_BYTES as u64) as usize, 0);
        new.read_exact_at(&mut chunk, at)?;
        let from = stretch_start(at, old_bytes, new_bytes);
        stretch.resize((old_bytes - from).min(STRETCH_BYTES_MAX as u64) as usize, 0);
        old.read_exact_at(&mut stretch, from)?;
        let frame = pack(&stretch, &chunk)?;
        delta.write_all(&from.to_le_bytes())?;
        for bytes in [stretch.len(), chunk.len(), frame.len()] {
            delta.write_all(&(bytes as u32).to_le_bytes())?; // each below 2^27
        }
        delta.write_all(&frame)?;
        at += chunk.len() as u64;
    }
    Ok(())
}

/// Where the old file has what stands at `at` of the new one: in the same proportion, and a margin before.
fn stretch_start(at: u64, old_bytes: u64, new_bytes: u64) -> u64 {
    let middle = u128::from(at) * u128::from(old_bytes) / u128::from(new_bytes.max(1));
    let start = (middle as u64).saturating_sub(MARGIN_BYTES as u64); // `at` is below `new_bytes`, so it fits
    start.min(old_bytes.saturating_sub(STRETCH_BYTES_MAX as u64))
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

/// Writes the file of `bytes` bytes that `delta` makes of `old`. Holds 96 MiB of the old file, a frame (33 MiB at most)
/// and zstd's window (32 MiB in what `make` writes, 128 MiB at most), whatever the length of the files.
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
        let chunk: [u8; CHUNK_HEADER_BYTES] = numbers(delta)?;
        let (from, stretch_bytes) = (u64_at(&chunk, 0), u32_at(&chunk, 8) as usize);
        let (chunk_bytes, frame_bytes) = (u32_at(&chunk, 12) as usize, u32_at(&chunk, 16) as usize);
        if stretch_bytes > STRETCH_BYTES_MAX || chunk_bytes > CHUNK_BYTES || frame_bytes > FRAME_BYTES_MAX {
            return Err(Failure::Delta("a chunk is too large"));
        }
        if chunk_bytes == 0 || chunk_bytes as u64 > left {
            return Err(Failure::Delta("its chunks are not the file"));
        }
        if from.checked_add(stretch_bytes as u64).is_none_or(|end| end > old_bytes) {
            return Err(Failure::Delta("a chunk refers to what the old file does not have"));
        }
        stretch.resize(stretch_bytes, 0);
        old.read_exact_at(&mut stretch, from).map_err(Failure::Base)?;
        frame.clear();
        delta.take(frame_bytes as u64).read_to_end(&mut frame).map_err(Failure::Frame)?;
        if frame.len() != frame_bytes {
            return Err(Failure::Delta("it is cut short"));
        }
        unpack(&stretch, &frame, chunk_bytes as u64, new)?;
        left -= chunk_bytes as u64;
    }
    match delta.read(&mut [0]).map_err(Failure::Frame)? {
        0 => Ok(()),
        _ => Err(Failure::Delta("it goes on after its end")),
    }
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
        make(&file(old), &file(new), &mut delta).unwrap();
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
        check(&with(44, b"XXXX"), bytes, "Frame"); // zstd's own magic
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
