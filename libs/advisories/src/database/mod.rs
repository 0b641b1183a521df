//! The compiled advisory database: one file, immutable, memory-mapped, made for one question: which advisories speak of
//! this package, and from which version to which?
//!
//! Opening reads the header and the section table alone. A look-up is a hash, a slot, a row and the name; a
//! comparison of versions is a `memcmp` of keys that were made when the file was built. Nothing is allocated for either.
//! Descriptions and links lie compressed at the end and are touched by `facts` only.
//!
//! The file may come from anybody: every reference in it is checked when it is followed, and what doesn't hold is a
//! `DatabaseError::Damaged`, never a panic and never a silent "not found". `verify` checks all of it at once.

mod build;
mod candidate;
mod changes;
mod delta;
mod facts;
mod hash;
mod index;
mod layout;
mod life_cycles;
mod pool;
mod search;
mod statements;
mod tables;

pub use build::{BuildError, BuildReport, Builder};
pub use candidate::{Bound, Candidate, CandidateRange, Candidates, End, Text};
pub use changes::{Changes, changes};
pub use delta::{Delta, NAMES_MAX, delta};
pub use facts::FactsReader;
pub use layout::FORMAT_VERSION;
pub use search::Found;
pub use statements::IdleStatement;
pub(crate) use tables::Table;

use index::Index;
use jiff::Timestamp;
use layout::{EcosystemRow, Header, MAGIC, PackageRow, Section, SectionRow, Slot, VulnerabilityRow};
use muster_domain::Digest;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Why a database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The operating system would not let us.
    #[error("{doing} `{path}`")]
    Io {
        /// What was being tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// Another kind of file.
    #[error("`{0}` is not an advisory database")]
    NotADatabase(PathBuf),
    /// Made by an older or newer program.
    #[error("`{path}` has format {found}, this program reads format {FORMAT_VERSION}: build it again")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Same format, but made by a program that orders versions differently.
    #[error("`{0}` was built with other version rules than this program's: build it again")]
    VersionRules(PathBuf),
    /// Shorter or longer than its header says.
    #[error("`{path}` has {found} bytes, its header says {expected}")]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
        /// The length that it was built with.
        expected: u64,
    },
    /// Something in it contradicts itself.
    #[error("advisory database is damaged: {0}")]
    Damaged(&'static str),
}

/// What a database says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// Which build.
    pub epoch: u64,
    /// When it was built.
    pub built_at: Timestamp,
    /// Its layout.
    pub format_version: u32,
    /// Records in it.
    pub advisories: u64,
    /// Packages that at least one record is about.
    pub packages: u64,
    /// Affected ranges and listed versions.
    pub ranges: u64,
    /// VEX statements about vulnerabilities in it.
    pub statements: u64,
    /// VEX statements that are about nothing in it.
    pub idle_statements: u64,
    /// Packages by ecosystem, release included.
    pub ecosystems: BTreeMap<String, u64>,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// SHA-256 of what it says, epoch and time of the build left out: equal for equal feeds.
    pub contents: Digest,
    /// Length of the file.
    pub bytes: u64,
}

/// A package that advisories speak of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageName {
    /// With its release: `Debian:12`.
    pub ecosystem: String,
    /// Normalised.
    pub name: String,
}

/// An open database. Cheap to share between threads behind an `Arc`.
#[derive(Debug)]
pub struct Database {
    file: File,
    map: memmap2::Mmap,
    header: Header,
    sections: [Range<usize>; Section::ALL.len()],
    digest: OnceLock<Digest>,
}

impl Database {
    /// Maps the file and checks its header and section table.
    ///
    /// # Errors
    /// When it can't be read, is no database, or is one that this program doesn't understand.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatabaseError> {
        let path = path.as_ref().to_owned();
        let io = |doing| {
            let path = path.clone();
            move |cause| DatabaseError::Io { doing, path, cause }
        };
        let file = File::open(&path).map_err(io("open"))?;
        let metadata = file.metadata().map_err(io("open"))?;
        if !metadata.is_file() || metadata.len() < size_of::<Header>() as u64 {
            return Err(DatabaseError::NotADatabase(path));
        }
        // SAFETY: a map is sound as long as nobody changes the file underneath. Databases are written beside their place
        // and renamed into it, and never written to again, so that the mapped inode keeps its bytes. Reading the file
        // into memory instead would cost 100 MB and 50 ms per process.
        #[allow(unsafe_code)]
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io("map"))?;

        let (header, _) = Header::read_from_prefix(&map).map_err(|_| DatabaseError::NotADatabase(path.clone()))?;
        if header.magic != MAGIC {
            return Err(DatabaseError::NotADatabase(path));
        }
        if header.format_version.get() != FORMAT_VERSION {
            return Err(DatabaseError::Format { path, found: header.format_version.get() });
        }
        if header.file_bytes.get() != map.len() as u64 {
            return Err(DatabaseError::Length { path, found: map.len() as u64, expected: header.file_bytes.get() });
        }
        if header.keys_check.get() != hash::of_version_keys() {
            return Err(DatabaseError::VersionRules(path));
        }
        let sections = sections(&map, &header)?;
        let database = Self { file, map, header, sections, digest: OnceLock::new() };
        let slots = database.table::<Slot>(Section::Index).len();
        if !slots.is_power_of_two() {
            return Err(DatabaseError::Damaged("package index has no power of two of slots"));
        }
        Ok(database)
    }

    /// Which build.
    pub fn epoch(&self) -> u64 {
        self.header.epoch.get()
    }

    /// What the database says about itself. The first call reads the whole file for its digest (not through the
    /// map, so that the process does not grow by it).
    pub fn info(&self) -> DatabaseInfo {
        let ecosystems = self.table::<EcosystemRow>(Section::Ecosystems);
        let ecosystems = ecosystems.iter().take(ECOSYSTEMS_MAX);
        let named = |row: &EcosystemRow| {
            let name = self.text(row.name.get()).unwrap_or("damaged").to_owned();
            (name, u64::from(row.packages.get()))
        };
        DatabaseInfo {
            epoch: self.epoch(),
            built_at: Timestamp::from_second(self.header.built_at.get()).unwrap_or_default(),
            format_version: self.header.format_version.get(),
            advisories: self.rows(Section::Records),
            packages: self.rows(Section::Packages),
            ranges: self.rows(Section::Ranges),
            statements: self.statements_applied(),
            idle_statements: self.idle_statements().len() as u64,
            ecosystems: ecosystems.map(named).collect(),
            digest: self.digest.get_or_init(|| self.digest_of_file()).clone(),
            contents: digest_of(self.header.contents),
            bytes: self.map.len() as u64,
        }
    }

    /// Whether there is any data for the ecosystem (its release included): without it, "no advisory" means nothing.
    pub fn covers(&self, ecosystem: &str) -> bool {
        let rows = self.table::<EcosystemRow>(Section::Ecosystems);
        rows.binary_search_by(|row| self.bytes(row.name.get()).unwrap_or_default().cmp(ecosystem.as_bytes())).is_ok()
    }

    /// What is said of a package: claim by claim, sorted by vulnerability, then by record.
    /// `name` is normalised (`Ecosystem::normalise`).
    #[inline]
    pub fn candidates<'a>(&'a self, ecosystem: &str, name: &str) -> Candidates<'a> {
        Candidates::found(self, self.package(ecosystem, name))
    }

    /// What is said of each of several packages (ecosystem and name), in their order. For thousands that are not in the
    /// processor's caches it takes a fraction of the time of one after the other, since their places in the file are fetched
    /// together.
    pub fn candidates_of_all<'a>(&'a self, packages: &[(&str, &str)]) -> Vec<Candidates<'a>> {
        let mut all = Vec::with_capacity(packages.len());
        Index::of(self).find_all(packages, &mut |found| all.push(Candidates::found(self, found)));
        all
    }

    /// All packages, sorted.
    pub fn packages(&self) -> impl Iterator<Item = Result<PackageName, DatabaseError>> + '_ {
        self.table::<PackageRow>(Section::Packages).iter().map(|row| {
            let (ecosystem, name) = self.package_name(row)?;
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| NOT_UTF8);
            Ok(PackageName { ecosystem: text(ecosystem)?, name: text(name)? })
        })
    }

    /// Compares every section with its digest.
    ///
    /// # Errors
    /// Names the first part that does not hold.
    pub fn verify(&self) -> Result<(), DatabaseError> {
        let mut contents = Sha256::new();
        for (row, span) in self.section_rows().iter().zip(&self.sections) {
            let digest = Sha256::digest(&self.map[span.clone()]);
            if digest[..] != row.sha256 {
                return Err(DatabaseError::Damaged("a section does not have its digest"));
            }
            contents.update(digest);
        }
        if contents.finalize()[..] != self.header.contents {
            return Err(DatabaseError::Damaged("sections do not have the digest in the header"));
        }
        Ok(())
    }

    #[inline]
    fn package(&self, ecosystem: &str, name: &str) -> Result<Option<&Slot>, DatabaseError> {
        let index = Index::of(self);
        index.find(index.hash(ecosystem, name), ecosystem, name)
    }

    #[inline]
    fn ecosystem_name(&self, place: u32) -> Result<&[u8], DatabaseError> {
        self.bytes(self.row::<EcosystemRow>(Section::Ecosystems, place)?.name.get())
    }

    fn package_name(&self, row: &PackageRow) -> Result<(&[u8], &[u8]), DatabaseError> {
        Ok((self.ecosystem_name(row.ecosystem.get())?, self.bytes(row.name.get())?))
    }

    fn vulnerability(&self, name: &str) -> Option<&VulnerabilityRow> {
        let rows = self.table::<VulnerabilityRow>(Section::Vulnerabilities);
        let name_of = |row: &VulnerabilityRow| self.bytes(row.name.get()).unwrap_or_default();
        let place = rows.binary_search_by(|row| name_of(row).cmp(name.as_bytes())).ok()?;
        rows.get(place)
    }

    /// The rows of a section.
    #[inline]
    fn table<T: FromBytes + KnownLayout + Immutable>(&self, section: Section) -> &[T] {
        let bytes = &self.map[self.sections[section as usize].clone()];
        <[T]>::ref_from_bytes(bytes).expect("sections hold whole rows, checked when opened, and rows need no alignment")
    }

    #[inline]
    fn row<T: FromBytes + KnownLayout + Immutable>(&self, section: Section, place: u32) -> Result<&T, DatabaseError> {
        self.table(section).get(place as usize).ok_or(DatabaseError::Damaged("a reference leads out of its section"))
    }

    #[inline]
    fn slice<T: FromBytes + KnownLayout + Immutable>(
        &self,
        section: Section,
        from: u32,
        count: u32,
    ) -> Result<&[T], DatabaseError> {
        let rows = self.table(section).get(from as usize..).and_then(|rows| rows.get(..count as usize));
        rows.ok_or(DatabaseError::Damaged("a list leads out of its section"))
    }

    #[inline]
    fn bytes(&self, text: u32) -> Result<&[u8], DatabaseError> {
        let blob = &self.map[self.sections[Section::Texts as usize].clone()];
        pool::get(blob, text).ok_or(DatabaseError::Damaged("a text leads out of its section"))
    }

    fn text(&self, text: u32) -> Result<&str, DatabaseError> {
        std::str::from_utf8(self.bytes(text)?).map_err(|_| NOT_UTF8)
    }

    fn optional_text(&self, text: u32) -> Result<Option<&str>, DatabaseError> {
        if text == layout::NONE { Ok(None) } else { self.text(text).map(Some) }
    }

    #[inline]
    fn key(&self, key: u32) -> Result<&[u8], DatabaseError> {
        let blob = &self.map[self.sections[Section::Keys as usize].clone()];
        pool::get(blob, key).ok_or(DatabaseError::Damaged("a version key leads out of its section"))
    }

    fn rows(&self, section: Section) -> u64 {
        (self.sections[section as usize].len() / section.row_bytes()) as u64
    }

    fn section_rows(&self) -> &[SectionRow] {
        section_rows(&self.map).unwrap_or_default()
    }

    fn digest_of_file(&self) -> Digest {
        let mut hasher = Sha256::new();
        match each_block(&self.file, |block| hasher.update(block)) {
            Ok(()) => digest_of(hasher.finalize().into()),
            // The map holds the same bytes; it only costs memory.
            Err(_) => Digest::of(&self.map),
        }
    }
}

/// Most ecosystems, releases included, that `info` lists: OSV has below 500, and a damaged file must not fill the memory.
const ECOSYSTEMS_MAX: usize = 10_000;

const NOT_UTF8: DatabaseError = DatabaseError::Damaged("a text is not UTF-8");

/// Where each section lies, checked against the length of the file and of its rows.
fn sections(map: &[u8], header: &Header) -> Result<[Range<usize>; Section::ALL.len()], DatabaseError> {
    let rows = section_rows(map).ok_or(DatabaseError::Damaged("section table is cut short"))?;
    if header.section_count.get() as usize != Section::ALL.len() {
        return Err(DatabaseError::Damaged("section table has another number of sections"));
    }
    let mut sections = [const { 0..0 }; Section::ALL.len()];
    for ((place, section), row) in Section::ALL.into_iter().enumerate().zip(rows) {
        let end = row.offset.get().checked_add(row.bytes.get()).filter(|&end| end <= map.len() as u64);
        let (Some(end), true) = (end, row.section.get() as usize == place) else {
            return Err(DatabaseError::Damaged("a section leads out of the file"));
        };
        if !(row.bytes.get() as usize).is_multiple_of(section.row_bytes()) {
            return Err(DatabaseError::Damaged("a section ends within a row"));
        }
        sections[place] = row.offset.get() as usize..end as usize;
    }
    Ok(sections)
}

fn section_rows(map: &[u8]) -> Option<&[SectionRow]> {
    let table = map.get(size_of::<Header>()..)?;
    <[SectionRow]>::ref_from_prefix_with_elems(table, Section::ALL.len()).ok().map(|(rows, _)| rows)
}

fn digest_of(sha256: [u8; 32]) -> Digest {
    format!("sha256:{}", hex::encode(sha256)).parse().expect("64 hexadecimal digits make a digest")
}

/// Reads the file without moving anybody's position in it.
fn each_block(file: &File, mut take: impl FnMut(&[u8])) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    let mut block = vec![0; 1 << 20];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut block, at)?;
        if read == 0 {
            return Ok(());
        }
        take(&block[..read]);
        at += read as u64;
    }
}
