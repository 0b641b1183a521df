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
pub const FORMAT_VERSION: u32 = 2;

/// Refers to nothing.
pub(crate) const NONE: u32 = u32::MAX;

/// No score; scores are tenths, 0 to 100.
pub(crate) const NO_SCORE: u8 = u8::MAX;

/// Longest probe of the package index. The builder tries seeds until it holds, so a look-up ends after this many
/// slots whatever names a feed brings.
pub(crate) const PROBES_MAX: usize = 64;

/// Bytes of a block of facts before compression, on average: small enough that one record costs microseconds to unpack,
/// large enough to compress. Where a block ends, its last record says (`hash::ends_block`), so that a record more
/// changes its own block and no other.
pub(crate) const FACTS_BLOCK_BYTES: usize = 16 << 10;

/// A block with so many bytes ends whatever its records say; one in fifty comes to it.
pub(crate) const FACTS_BLOCK_BYTES_FULL: usize = 64 << 10;

/// Most bytes that a block of facts may claim to unpack to: a full block and one record more.
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
    Qualifiers,
    Ranges,
    Records,
    Vulnerabilities,
    VulnerabilityRecords,
    Aliases,
    KnownExploited,
    Exploits,
    Statements,
    LifeCycles,
    FactsBlocks,
    Facts,
}

impl Section {
    pub(crate) const ALL: [Self; 18] = [
        Self::Texts,
        Self::Keys,
        Self::Ecosystems,
        Self::Packages,
        Self::Index,
        Self::Claims,
        Self::Qualifiers,
        Self::Ranges,
        Self::Records,
        Self::Vulnerabilities,
        Self::VulnerabilityRecords,
        Self::Aliases,
        Self::KnownExploited,
        Self::Exploits,
        Self::Statements,
        Self::LifeCycles,
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
            Self::Qualifiers => size_of::<QualifierRow>(),
            Self::Ranges => size_of::<RangeRow>(),
            Self::Records => size_of::<RecordRow>(),
            Self::Vulnerabilities => size_of::<VulnerabilityRow>(),
            Self::VulnerabilityRecords | Self::Aliases | Self::Statements => size_of::<U32>(),
            Self::KnownExploited => size_of::<KnownExploitedRow>(),
            Self::Exploits => size_of::<ExploitRow>(),
            Self::LifeCycles => size_of::<LifeCycleRow>(),
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

/// Open addressing over packages. A slot holds all that a look-up wants of its package, since each row more that it would
/// have to touch costs a miss of the processor's caches.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Slot {
    /// The upper half of the hash.
    pub tag: U32,
    pub ecosystem: U32,
    /// `NONE`: an empty slot.
    pub name: U32,
    pub claims_from: U32,
    pub claims: U32,
}

impl Slot {
    pub(crate) fn empty() -> Self {
        Self { tag: 0.into(), ecosystem: 0.into(), name: NONE.into(), claims_from: 0.into(), claims: 0.into() }
    }
}

/// One record's word on one vulnerability in one package. A package's claims are sorted by (vulnerability, record).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ClaimRow {
    pub record: U32,
    pub vulnerability: U32,
    pub ranges_from: U32,
    pub ranges: U32,
    /// The vendor's word on the severity; `NONE`: none.
    pub vendor: U32,
    /// What restricts it or is remarked; `NONE`: nothing.
    pub qualifier: U32,
    /// Tenths, or `NO_SCORE`.
    pub score: u8,
    /// Place in `Severity::ALL`.
    pub severity: u8,
    /// 1: by a notice.
    pub notice: u8,
    /// By `withdrawal`.
    pub withdrawn: u8,
    /// 1: about a source package.
    pub source: u8,
    /// Place in `VendorState::ALL` plus one; 0: none.
    pub state: u8,
}

/// What a claim holds for, and the vendor's remark; each `NONE` where there is nothing.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub(crate) struct QualifierRow {
    /// Architectures, a space between them.
    pub architectures: U32,
    pub module: U32,
    pub remark: U32,
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

/// Whether what a claim says still stands.
pub(crate) mod withdrawal {
    pub(crate) const STANDS: u8 = 0;
    /// The record was taken back.
    pub(crate) const TAKEN_BACK: u8 = 1;
    /// The record stands, but the CVE program rejected the CVE, which is the only name that it has.
    pub(crate) const REJECTED: u8 = 2;
}

/// Sorted by (id, source, scope).
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
    pub exploits_from: U32,
    pub exploits: U32,
    pub statements_from: U32,
    pub statements: U32,
    /// Of everything that rates it or is said of it, predictions left out.
    pub print: U64,
    /// Negative: no prediction.
    pub epss_score: F64,
    pub epss_percentile: F64,
}

/// Evidence of an exploit.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ExploitRow {
    pub source: U32,
    pub id: U32,
}

/// Sorted by (product, release). `NONE` where nothing is known.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct LifeCycleRow {
    pub product: U32,
    pub release: U32,
    pub codename: U32,
    pub end_of_life: U32,
    pub extended_support: U32,
    /// 1: supported no more, on a day that is not known.
    pub ended: U32,
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
