//! One package's header: an index of tags, then their data. Source: rpm's manual, "RPM v4 and v3 package format" ("Header
//! structure") and "Tags", read 2026-11-24. In a database it stands without the magic that it has in a package file.

/// Tags (rpm's manual, "Tags").
pub(super) const NAME: u32 = 1000;
pub(super) const VERSION: u32 = 1001;
pub(super) const RELEASE: u32 = 1002;
pub(super) const EPOCH: u32 = 1003;
pub(super) const ARCHITECTURE: u32 = 1022;
pub(super) const SOURCE_RPM: u32 = 1044;
pub(super) const MODULARITY_LABEL: u32 = 5096;
const DIRECTORY_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const DIRECTORY_NAMES: u32 = 1118;

/// Types of data.
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// Tag, type, offset and count, four bytes each.
const ENTRY_BYTES: usize = 16;

/// Bytes of one text. The longest in use are descriptions, which are not asked for.
const TEXT_BYTES_MAX: usize = 4096;

/// A header whose index was looked at; its data is read when asked for.
pub(super) struct Header<'a> {
    entries: &'a [u8],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// Lengths of index and data, then both.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let lengths = word(bytes, 0).zip(word(bytes, 4)).ok_or("the header is cut off")?;
        let (count, data_bytes) = (lengths.0 as usize, lengths.1 as usize);
        let (entries, data) = count
            .checked_mul(ENTRY_BYTES)
            .and_then(|length| bytes[8..].split_at_checked(length))
            .ok_or("the header's index is longer than the header")?;
        let data = data.get(..data_bytes).ok_or("the header's data is longer than the header")?;
        Ok(Self { entries, data })
    }

    /// Type, data from its beginning, count. The first entry of a tag counts.
    fn find(&self, tag: u32) -> Option<(u32, &'a [u8], usize)> {
        let entry = self.entries.chunks_exact(ENTRY_BYTES).find(|entry| word(entry, 0) == Some(tag))?;
        let data = self.data.get(word(entry, 8)? as usize..)?;
        Some((word(entry, 4)?, data, word(entry, 12)? as usize))
    }

    /// A text; `None` when there is none, or an empty or overlong one.
    pub(super) fn text(&self, tag: u32) -> Option<String> {
        let (kind, data, _) = self.find(tag)?;
        if ![STRING, STRING_ARRAY, I18N_STRING].contains(&kind) {
            return None;
        }
        let text = first_text(data)?;
        (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
    }

    /// A number.
    pub(super) fn number(&self, tag: u32) -> Option<u32> {
        let (kind, data, count) = self.find(tag)?;
        if kind == INT32 && count > 0 { word(data, 0) } else { None }
    }

    /// The package's files, as absolute paths: each base name is in the directory that its index names.
    pub(super) fn files(&self) -> impl Iterator<Item = String> + use<'a> {
        let texts = |tag| {
            let (data, count) = match self.find(tag) {
                Some((STRING_ARRAY, data, count)) => (data, count),
                _ => (&[][..], 0),
            };
            data.split(|byte| *byte == 0).take(count)
        };
        let directories: Vec<&[u8]> = texts(DIRECTORY_NAMES).collect();
        let indexes = match self.find(DIRECTORY_INDEXES) {
            Some((INT32, data, _)) => data,
            _ => &[],
        };
        texts(BASE_NAMES).zip(indexes.chunks_exact(4)).filter_map(move |(name, index)| {
            let directory = directories.get(word(index, 0)? as usize)?;
            (directory.len() + name.len() <= TEXT_BYTES_MAX)
                .then(|| format!("{}{}", String::from_utf8_lossy(directory), String::from_utf8_lossy(name)))
        })
    }
}

/// Up to the byte that ends it.
fn first_text(data: &[u8]) -> Option<&[u8]> {
    let end = data.iter().take(TEXT_BYTES_MAX).position(|byte| *byte == 0)?;
    data.get(..end)
}

/// Four bytes in network order.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
