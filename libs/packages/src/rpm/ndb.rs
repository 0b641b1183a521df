//! `Packages.db`: slots that point to blobs, each blob a header between its own head and tail; numbers are little-endian
//! (rpm's `lib/backend/ndb/rpmpkg.c`, read 2026-11-24).

use super::Broken;

const MAGIC: &[u8] = b"RpmP";
const SLOT: &[u8] = b"Slot";
const BLOB: &[u8] = b"BlbS";

/// The first two slots' place is taken by the file's own head.
const HEAD_BYTES: usize = 32;
const PAGE_BYTES: usize = 4096;
const SLOT_BYTES: usize = 16;
/// Blobs lie at multiples of this.
const BLOCK_BYTES: usize = 16;

/// Each header with the number of its package.
pub(super) fn headers(bytes: &[u8], take: &mut dyn FnMut(u32, &[u8])) -> Result<(), Broken> {
    if !bytes.starts_with(MAGIC) || word(bytes, 4) != Some(0) {
        return Err(Broken::NotThatKind);
    }
    let pages = word(bytes, 12).ok_or(Broken::NotThatKind)? as usize;
    let end = pages.checked_mul(PAGE_BYTES).ok_or(Broken::Damaged("its slots are longer than the file"))?;
    let slots = bytes.get(HEAD_BYTES..end).ok_or(Broken::Damaged("its slots are longer than the file"))?;
    let mut left = bytes.len(); // two packages don't share a blob, so no more is read than the file has
    for slot in slots.chunks_exact(SLOT_BYTES) {
        if !slot.starts_with(SLOT) {
            return Err(Broken::Damaged("one of its slots is not a slot"));
        }
        let number = word(slot, 4).filter(|number| *number != 0);
        let Some((number, block)) = number.zip(word(slot, 8)) else { continue };
        let header = blob(bytes, number, block as usize)
            .ok_or(Broken::Damaged("one of its packages is not where its slot says"))?;
        left = left.checked_sub(header.len()).ok_or(Broken::Damaged("its packages lie in each other"))?;
        take(number, header);
    }
    Ok(())
}

/// The header in the blob that begins at a block.
fn blob(bytes: &[u8], number: u32, block: usize) -> Option<&[u8]> {
    let blob = bytes.get(block.checked_mul(BLOCK_BYTES)?..)?;
    if !blob.starts_with(BLOB) || word(blob, 4) != Some(number) {
        return None;
    }
    let length = word(blob, 12)? as usize;
    blob.get(16..)?.get(..length)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
