//! `Packages`: a hash table of Berkeley DB, whose values are headers. The table is not walked: each of its pages tells
//! what it is. Layout: Berkeley DB's `dbinc/db_page.h` (`DBMETA`, `PAGE`, `HOFFPAGE`), read 2026-11-24. Numbers are in the
//! order of the machine that wrote the file, which the place of the magic shows.

use super::Broken;

/// The number of a hash table, at `MAGIC_AT` of the first page.
const MAGIC: u32 = 0x0006_1561;
const MAGIC_AT: usize = 12;

/// Kinds of pages.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH_META: u8 = 8;
const HASH: u8 = 13;

/// Kinds of items of a hash page.
const KEY_DATA: u8 = 1;
const OFF_PAGE: u8 = 3;

/// What stands before a page's own.
const HEAD_BYTES: usize = 26;

/// Sizes of pages that Berkeley DB makes ("Selecting a page size").
const PAGE_BYTES: std::ops::RangeInclusive<usize> = 512..=65_536;

/// Each header with the number that is its key.
pub(super) fn headers(bytes: &[u8], take: &mut dyn FnMut(u32, &[u8])) -> Result<(), Broken> {
    let file = File::open(bytes)?;
    let mut left = bytes.len(); // two packages don't share pages, so no more is read than the file has
    for page in bytes.chunks_exact(file.page_bytes).skip(1) {
        if ![HASH_UNSORTED, HASH].contains(&page[25]) {
            continue;
        }
        let items = usize::from(file.half(page, 20).unwrap_or_default());
        for index in (0..items).step_by(2) {
            let number = file
                .item(page, index)
                .and_then(|key| file.word(&key, 0))
                .ok_or(Broken::Damaged("a key is no number"))?;
            if number == 0 {
                continue; // the highest number in use
            }
            let header =
                file.item(page, index + 1).ok_or(Broken::Damaged("a value's pages are not where its item says"))?;
            left = left.checked_sub(header.len()).ok_or(Broken::Damaged("its packages lie in each other"))?;
            take(number, &header);
        }
    }
    Ok(())
}

struct File<'a> {
    bytes: &'a [u8],
    page_bytes: usize,
    is_big_endian: bool,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Broken> {
        let little = Self { bytes, page_bytes: 0, is_big_endian: false };
        let is_big_endian = match little.word(bytes, MAGIC_AT) {
            Some(MAGIC) => false,
            Some(other) if other.swap_bytes() == MAGIC => true,
            _ => return Err(Broken::NotThatKind),
        };
        let mut file = Self { is_big_endian, ..little };
        let encrypted = bytes.get(24).is_none_or(|algorithm| *algorithm != 0);
        if encrypted || bytes.get(25) != Some(&HASH_META) {
            return Err(Broken::Damaged("it is encrypted or no hash table"));
        }
        file.page_bytes = file.word(bytes, 20).unwrap_or_default() as usize;
        let is_size = file.page_bytes.is_power_of_two() && PAGE_BYTES.contains(&file.page_bytes);
        if is_size { Ok(file) } else { Err(Broken::Damaged("it has no size of pages")) }
    }

    /// Items lie from the end of the page to its beginning, so one ends where that before it begins.
    fn item(&self, page: &'a [u8], index: usize) -> Option<std::borrow::Cow<'a, [u8]>> {
        let begin = |index: usize| self.half(page, HEAD_BYTES + 2 * index).map(usize::from);
        let end = if index == 0 { page.len() } else { begin(index - 1)? };
        let item = page.get(begin(index)?..end)?;
        match *item.first()? {
            KEY_DATA => Some(item[1..].into()),
            OFF_PAGE => self.chain(self.word(item, 4)?, self.word(item, 8)? as usize).map(Into::into),
            _ => None,
        }
    }

    /// What is spread over pages that point to the next; they are read until `length` is there, so a circle ends.
    fn chain(&self, first: u32, length: usize) -> Option<Vec<u8>> {
        if length > self.bytes.len() {
            return None;
        }
        let mut value = Vec::with_capacity(length);
        let mut number = first;
        while value.len() < length {
            let page = self.bytes.chunks_exact(self.page_bytes).nth(number as usize)?;
            let used = usize::from(self.half(page, 22)?);
            if page[25] != OVERFLOW || used == 0 {
                return None;
            }
            value.extend_from_slice(page.get(HEAD_BYTES..HEAD_BYTES + used)?);
            number = self.word(page, 16)?;
        }
        value.truncate(length);
        Some(value)
    }

    fn word(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(if self.is_big_endian { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) })
    }

    fn half(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(if self.is_big_endian { u16::from_be_bytes(raw) } else { u16::from_le_bytes(raw) })
    }
}
