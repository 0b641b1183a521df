//! What stands where in the file. Every number is little-endian and every row is free of alignment, so that a row is
//! read in place on any machine.
//!
//! ```text
//! header (fixed size) | section table | sections, in the order of the table
//! ```
//!
//! A text or key is stored once, as a length (u16) and its bytes, in the section `Texts` or `Keys`; rows refer to it
//! by its offset there. A reference to a row is its place in its section. `NONE` refers to nothing.

use zerocopy::little_endian::{F64, I64, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The first bytes of every database.
pub(crate) const MAGIC: [u8; 8] = *b"MUSTERDB";

/// Which layout this is. Raised when rows, the hash or the version keys change; another number is refused.
pub const FORMAT_VERSION: u32 = 1;

/// Refers to nothing.
pub(crate) const NONE: u32 = u32::MAX;

/// No score; scores are tenths, 0 to 100.
pub(crate) const NO_SCORE: u8 = u8::MAX;

/// Longest probe of the package index. The builder tries seeds until it holds, so a look-up ends after this many
/// slots whatever names a feed brings.
pub(crate) const PROBES_MAX: usize = 64;

/// Bytes of a block of facts before compression that the builder aims at: small enough that one record costs
/// microseconds to unpack, large enough to compress.
pub(crate) const FACTS_BLOCK_BYTES: usize = 16 << 10;

/// Most bytes that a block of facts may claim to unpack to: one block and one record more.
pub(crate) const FACTS_BLOCK_BYTES_MAX: usize = 4 << 20;

/// The sections, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Texts,
    Keys,
    Ecosystems,
    Packages,
    Index,
    Claims,
    Ranges,
    Records,
    Vulnerabilities,
    VulnerabilityRecords,
    Aliases,
    KnownExploited,
    FactsBlocks,
    Facts,
}

impl Section {
    pub(crate) const ALL: [Self; 14] = [
        Self::Texts,
        Self::Keys,
        Self::Ecosystems,
        Self::Packages,
        Self::Index,
        Self::Claims,
        Self::Ranges,
        Self::Records,
        Self::Vulnerabilities,
        Self::VulnerabilityRecords,
        Self::Aliases,
        Self::KnownExploited,
        Self::FactsBlocks,
        Self::Facts,
    ];

    /// Bytes of one row; 1 for sections without rows.
    pub(crate) fn row_bytes(self) -> usize {
        match self {
            Self::Texts | Self::Keys | Self::Facts => 1,
            Self::Ecosystems => size_of::<EcosystemRow>(),
            Self::Packages => size_of::<PackageRow>(),
            Self::Index => size_of::<Slot>(),
            Self::Claims => size_of::<ClaimRow>(),
            Self::Ranges => size_of::<RangeRow>(),
            Self::Records => size_of::<RecordRow>(),
            Self::Vulnerabilities => size_of::<VulnerabilityRow>(),
            Self::VulnerabilityRecords | Self::Aliases => size_of::<U32>(),
            Self::KnownExploited => size_of::<KnownExploitedRow>(),
            Self::FactsBlocks => size_of::<FactsBlockRow>(),
        }
    }
}

/// The start of the file.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Header {
    pub magic: [u8; 8],
    pub format_version: U32,
    pub section_count: U32,
    /// Of the whole file, so that a file cut short is seen at once.
    pub file_bytes: U64,
    pub epoch: U64,
    /// Seconds since 1970.
    pub built_at: I64,
    /// Of a few sample versions' keys: tells a file made with other version keys.
    pub keys_check: U64,
    /// Of the package index' hash.
    pub seed: U64,
    /// SHA-256 over the digests of all sections: what the file says, without when it was built.
    pub contents: [u8; 32],
}

/// One entry of the section table.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct SectionRow {
    /// Place in `Section::ALL`.
    pub section: U32,
    pub reserved: U32,
    pub offset: U64,
    pub bytes: U64,
    pub sha256: [u8; 32],
}

/// Sorted by name.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct EcosystemRow {
    pub name: U32,
    pub packages: U32,
}

/// Sorted by (ecosystem, normalised name).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct PackageRow {
    pub ecosystem: U32,
    pub name: U32,
    pub claims_from: U32,
    pub claims: U32,
    /// Of everything that judges the package and rates its vulnerabilities, EPSS left out.
    pub fingerprint: U64,
}

/// Open addressing over packages: `package` is the place plus one, 0 an empty slot.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Slot {
    /// The upper half of the hash.
    pub tag: U32,
    pub package: U32,
}

/// One record's word on one vulnerability in one package. A package's claims are sorted by (vulnerability, record).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ClaimRow {
    pub record: U32,
    pub vulnerability: U32,
    pub ranges_from: U32,
    pub ranges: U32,
    /// The vendor's word; `NONE`: none.
    pub vendor: U32,
    /// Tenths, or `NO_SCORE`.
    pub score: u8,
    /// Place in `Severity::ALL`.
    pub severity: u8,
    /// 1: by a notice.
    pub notice: u8,
    /// 1: the record was taken back.
    pub withdrawn: u8,
}

/// Affected versions of one claim.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub(crate) struct RangeRow {
    /// First affected version; `NONE`: from the beginning. For `LISTED` the version itself.
    pub introduced_text: U32,
    pub introduced_key: U32,
    /// By `kind`: first good version, last affected version, limit, or why the range can't be read.
    pub end_text: U32,
    pub end_key: U32,
    pub kind: U32,
}

/// Kinds of `RangeRow`.
pub(crate) mod kind {
    pub(crate) const OPEN: u32 = 0;
    pub(crate) const FIXED: u32 = 1;
    pub(crate) const LAST_AFFECTED: u32 = 2;
    pub(crate) const LIMIT: u32 = 3;
    /// Exactly one version; its key is `NONE` when the scheme can't read it.
    pub(crate) const LISTED: u32 = 4;
    /// The range can't be read.
    pub(crate) const UNREADABLE: u32 = 5;
}

/// Sorted by id.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct RecordRow {
    pub id: U32,
    pub source: U32,
    /// When it was taken back; `NONE`: it stands.
    pub withdrawn: U32,
    pub facts_block: U32,
    pub facts_offset: U32,
    pub facts_bytes: U32,
}

/// Sorted by name.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct VulnerabilityRow {
    pub name: U32,
    pub records_from: U32,
    pub records: U32,
    pub aliases_from: U32,
    pub aliases: U32,
    /// `NONE`: not in the catalogue.
    pub known_exploited: U32,
    /// Negative: no prediction.
    pub epss_score: F64,
    pub epss_percentile: F64,
}

/// Texts of CISA's entry.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct KnownExploitedRow {
    pub date_added: U32,
    pub due_date: U32,
    pub required_action: U32,
    pub ransomware: U32,
}

/// A compressed block in the section `Facts`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct FactsBlockRow {
    pub offset: U64,
    pub bytes: U32,
    pub unpacked_bytes: U32,
}
