//! Texts and keys stored once each: a blob of (length, bytes), and while building an index to find them again.

use super::hash;
use super::layout::NONE;

/// Bytes stored once each, referred to by their offset.
#[derive(Default)]
pub(crate) struct Pool {
    blob: Vec<u8>,
    /// Open addressing; `NONE` is an empty slot. A table of offsets alone, since a map of owned texts needs several
    /// times the memory of the texts themselves.
    slots: Vec<u32>,
    items: usize,
}

/// The blob would outgrow its 32-bit references.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Longest item: its length is a u16.
pub(crate) const ITEM_BYTES_MAX: usize = u16::MAX as usize;

impl Pool {
    /// Where `bytes` lie, put there when they are new.
    ///
    /// # Panics
    /// Above `ITEM_BYTES_MAX` bytes: callers cut what comes from outside.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<u32, Full> {
        let length = u16::try_from(bytes.len()).expect("callers cut to ITEM_BYTES_MAX");
        if self.items * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash::of_bytes(bytes) as usize & mask;
        while self.slots[slot] != NONE {
            if get(&self.blob, self.slots[slot]) == Some(bytes) {
                return Ok(self.slots[slot]);
            }
            slot = (slot + 1) & mask;
        }
        let offset = u32::try_from(self.blob.len()).map_err(|_| Full)?;
        if offset == NONE {
            return Err(Full);
        }
        self.blob.extend(length.to_le_bytes());
        self.blob.extend(bytes);
        self.slots[slot] = offset;
        self.items += 1;
        Ok(offset)
    }

    /// What lies at `offset`.
    pub(crate) fn get(&self, offset: u32) -> Option<&[u8]> {
        get(&self.blob, offset)
    }

    /// The finished section.
    pub(crate) fn into_blob(self) -> Vec<u8> {
        self.blob
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(1024);
        let old = std::mem::replace(&mut self.slots, vec![NONE; slots]);
        for offset in old.into_iter().filter(|&offset| offset != NONE) {
            let mut slot = hash::of_bytes(get(&self.blob, offset).unwrap_or_default()) as usize & (slots - 1);
            while self.slots[slot] != NONE {
                slot = (slot + 1) & (slots - 1);
            }
            self.slots[slot] = offset;
        }
    }
}

/// The item at `offset` of a blob; `None` where the blob ends before it does.
#[inline]
pub(crate) fn get(blob: &[u8], offset: u32) -> Option<&[u8]> {
    let (length, rest) = blob.get(offset as usize..)?.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_le_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_lies_there_once() {
        let mut pool = Pool::default();
        let first: Vec<u32> = (0..5000).map(|n: u32| pool.put(n.to_string().as_bytes()).unwrap()).collect();
        let again: Vec<u32> = (0..5000).map(|n: u32| pool.put(n.to_string().as_bytes()).unwrap()).collect();
        assert_eq!(first, again);
        assert_eq!(pool.get(first[4321]), Some(&b"4321"[..]));
        assert_eq!(pool.put(b""), pool.put(b""));
    }

    #[test]
    fn an_offset_out_of_place_gives_nothing_or_other_bytes_but_never_more_than_there_is() {
        let mut pool = Pool::default();
        pool.put(b"openssl").unwrap();
        let blob = pool.into_blob();
        for offset in [0, 1, 5, 8, 9, 1000, NONE] {
            let _ = get(&blob, offset);
        }
        assert_eq!(get(&blob, 0), Some(&b"openssl"[..]));
        assert_eq!(get(&blob, 9), None);
        assert_eq!(get(&[], 0), None);
    }
}
