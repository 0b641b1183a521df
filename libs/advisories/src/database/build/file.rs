//! Compiled sections -> the file: written beside its place, made durable, renamed.

use super::super::hash;
use super::super::layout::{FORMAT_VERSION, Header, MAGIC, Section, SectionRow};
use super::BuildError;
use super::compile::Compiled;
use jiff::Timestamp;
use muster_domain::Digest;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use zerocopy::IntoBytes as _;

/// Digest of the file, digest of what it says, length.
pub(super) fn write(
    path: &Path,
    epoch: u64,
    built_at: Timestamp,
    compiled: &mut Compiled,
) -> Result<(Digest, Digest, u64), BuildError> {
    let mut offset = (size_of::<Header>() + Section::ALL.len() * size_of::<SectionRow>()) as u64;
    let mut table = Vec::with_capacity(Section::ALL.len());
    let mut contents = Sha256::new();
    for (place, section) in (0u32..).zip(Section::ALL) {
        let (mut sha256, mut bytes) = (Sha256::new(), 0);
        each_part(compiled, section, &mut |part| {
            sha256.update(part);
            bytes += part.len() as u64;
            Ok(())
        })?;
        let sha256: [u8; 32] = sha256.finalize().into();
        contents.update(sha256);
        table.push(SectionRow {
            section: place.into(),
            reserved: 0.into(),
            offset: offset.into(),
            bytes: bytes.into(),
            sha256,
        });
        offset += bytes;
    }
    let contents: [u8; 32] = contents.finalize().into();
    let header = Header {
        magic: MAGIC,
        format_version: FORMAT_VERSION.into(),
        section_count: (Section::ALL.len() as u32).into(),
        file_bytes: offset.into(),
        epoch: epoch.into(),
        built_at: built_at.as_second().into(),
        keys_check: hash::of_version_keys().into(),
        seed: compiled.seed.into(),
        contents,
    };
    let mut digest = Sha256::new();
    replace(path, |file| {
        let mut write = |part: &[u8]| {
            digest.update(part);
            file.write_all(part).map_err(io("write", path))
        };
        write(header.as_bytes())?;
        write(table.as_bytes())?;
        Section::ALL.into_iter().try_for_each(|section| each_part(compiled, section, &mut write))
    })?;
    Ok((super::super::digest_of(digest.finalize().into()), super::super::digest_of(contents), offset))
}

/// The bytes of a section, in one part or many.
fn each_part(
    compiled: &mut Compiled,
    section: Section,
    take: &mut dyn FnMut(&[u8]) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    take(match section {
        Section::Texts => &compiled.texts,
        Section::Keys => &compiled.keys,
        Section::Ecosystems => compiled.ecosystems.as_bytes(),
        Section::Packages => compiled.packages.as_bytes(),
        Section::Index => compiled.index.as_bytes(),
        Section::Claims => compiled.claims.as_bytes(),
        Section::Qualifiers => compiled.qualifiers.as_bytes(),
        Section::Ranges => compiled.ranges.as_bytes(),
        Section::Records => compiled.records.as_bytes(),
        Section::Vulnerabilities => compiled.vulnerabilities.as_bytes(),
        Section::VulnerabilityRecords => compiled.vulnerability_records.as_bytes(),
        Section::Aliases => compiled.aliases.as_bytes(),
        Section::KnownExploited => compiled.known_exploited.as_bytes(),
        Section::Exploits => compiled.exploits.as_bytes(),
        Section::Statements => compiled.statements.as_bytes(),
        Section::LifeCycles => compiled.life_cycles.as_bytes(),
        Section::FactsBlocks => compiled.facts_blocks.as_bytes(),
        Section::Facts => return compiled.facts.each_chunk(take),
    })
}

/// Readers see the old file or the new one, never a part: a mapped file must not change.
fn replace(path: &Path, write: impl FnOnce(&mut File) -> Result<(), BuildError>) -> Result<(), BuildError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let written = write_durably(&beside, write).and_then(|()| {
        std::fs::rename(&beside, path).map_err(io("rename into place", path))?;
        let folder = folder_of(path);
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("make durable", folder))
    });
    if written.is_err() {
        // Best effort: the error that matters is the one above.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn write_durably(path: &Path, write: impl FnOnce(&mut File) -> Result<(), BuildError>) -> Result<(), BuildError> {
    let mut file = File::create(path).map_err(io("create", path))?;
    write(&mut file)?;
    file.sync_all().map_err(io("write", path))
}

/// The folder that a file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> BuildError {
    let path: PathBuf = path.to_owned();
    move |cause| BuildError::Io { doing, path, cause }
}
